/* meet.c - where the lanes of a split warp meet again: the nearest block that all of them come
 * to, but for those that end on their way.
 *
 * A way that only ends does not count: lanes that take `if (i >= n) return;` or come to a trap
 * leave, and the others need not wait for the end to be together.  So edges are left out that
 *
 *     LEAVE   lead to a block that does nothing but end, also through empty ones
 *     FAIL    lead to where no `ret` can be reached, only trap and exit (what a compiler makes
 *             of a failed assertion, or of code that it holds for unreachable)
 *
 * unless the block's other way is such a one too.  A loop that only such an edge leads out of
 * keeps it: without, neither it nor what comes before it would have a way to the end, and
 * branches before it would meet nowhere.
 */
#include "models/gpu/compile/code.h"
#include "models/gpu/compile/flow.h"

enum { LEAVE = 1, FAIL = 2 };

struct meeting {
    struct code *c;
    struct graph turned;            /* of all edges */
    uint8_t  *dies;                 /* of each block: LEAVE, FAIL, 0: it goes on */
    uint8_t  *without;              /* of each block: bit k: next[k] is left out */
    uint8_t  *ends;                 /* of each node: the exit can be reached */
    uint32_t *stack;
};

static const struct code_op *last_of(const struct code *c, uint32_t b)
{
    return &c->ops[c->blocks[b].first + c->blocks[b].count - 1];
}

static bool returns(const struct code *c, uint32_t b)
{
    const struct code_op *o = last_of(c, b);
    return o->op.kind == GPU_EXIT && o->guard == NONE && (!o->from || o->from->op == PTX_RET);
}

static bool only_leaves(const struct code *c, uint32_t b)
{
    for (uint32_t steps = 0; steps < c->block_count && c->blocks[b].count == 1; steps++) {
        const struct code_op *o = last_of(c, b);
        if (o->guard != NONE)
            return false;
        if (o->op.kind == GPU_EXIT || o->op.kind == GPU_TRAP)
            return true;
        if (o->op.kind != GPU_BRANCH)
            return false;
        b = c->blocks[b].next[0];
    }
    return false;
}

static bool is_without(const struct meeting *m, uint32_t from, uint32_t to)
{
    for (int k = 0; from < m->c->block_count && k < 2; k++)
        if (m->c->blocks[from].next[k] == to && !(m->without[from] >> k & 1))
            return false;
    return from < m->c->block_count && to < m->c->block_count;
}

/* Marks what comes to `node` on edges that count. */
static void mark(struct meeting *m, uint32_t node)
{
    uint32_t depth = 0;
    m->ends[node] = 1;
    m->stack[depth++] = node;
    while (depth) {
        uint32_t to = m->stack[--depth];
        for (uint32_t e = m->turned.first[to]; e < m->turned.first[to + 1]; e++) {
            uint32_t from = m->turned.to[e];
            if (m->ends[from] || is_without(m, from, to))
                continue;
            m->ends[from] = 1;
            m->stack[depth++] = from;
        }
    }
}

static void classify(struct meeting *m)
{
    const struct code *c = m->c;
    bool any = false;
    for (uint32_t b = 0; b < c->block_count; b++)
        if (returns(c, b)) {
            any = true;
            mark(m, b);
        }
    for (uint32_t b = 0; b < c->block_count; b++) {
        m->dies[b] = any && !m->ends[b] ? FAIL : only_leaves(c, b) ? LEAVE : 0;
        m->ends[b] = 0;
    }
}

static void leave_out(struct meeting *m)
{
    for (uint32_t b = 0; b < m->c->block_count; b++) {
        const uint32_t *next = m->c->blocks[b].next;
        if (next[0] == NONE || next[1] == NONE || !m->dies[next[0]] == !m->dies[next[1]])
            continue;
        m->without[b] = m->dies[next[0]] ? 1 : 2;
    }
}

/* Takes edges of one kind back, the last ones first, while a block has no way to the end. */
static void take_back(struct meeting *m, const uint32_t *order, uint32_t count, uint8_t kind)
{
    while (count--) {
        uint32_t b = order[count];
        if (m->ends[b] || !m->without[b]
            || m->dies[m->c->blocks[b].next[m->without[b] - 1]] != kind)
            continue;
        m->without[b] = 0;
        mark(m, b);
    }
}

void code_meet(struct code *c, const struct graph *all)
{
    uint32_t nodes = all->nodes;
    struct meeting m = {
        .c = c, .turned = graph_turned(&c->arena, all),
        .dies = arena_get(&c->arena, nodes, 1), .without = arena_get(&c->arena, nodes, 1),
        .ends = arena_get(&c->arena, nodes, 1),
        .stack = arena_get(&c->arena, nodes, sizeof *m.stack),
    };
    uint32_t *order = arena_get(&c->arena, nodes, sizeof *order);
    uint32_t *found = arena_get(&c->arena, nodes, sizeof *found);
    classify(&m);
    leave_out(&m);
    mark(&m, c->block_count);
    uint32_t count = graph_order(&c->arena, all, 0, order);
    take_back(&m, order, count, LEAVE);
    take_back(&m, order, count, FAIL);

    struct graph kept = code_graph(c, m.without), turned = graph_turned(&c->arena, &kept);
    graph_dominators(&c->arena, &turned, &kept, c->block_count, found);
    for (uint32_t b = 0; b < c->block_count; b++)
        c->blocks[b].post_dominator = found[b] == c->block_count ? NONE : found[b];
}
