/* flow.c - basic blocks, and loops around them. */
#include "models/gpu/compile/flow.h"

#include <assert.h>
#include <string.h>

#include "models/gpu/compile/code.h"
#include "models/gpu/events.h"

static bool ends_block(const struct code_op *o)
{
    return o->op.kind == GPU_BRANCH
        || ((o->op.kind == GPU_EXIT || o->op.kind == GPU_TRAP) && o->guard == NONE);
}

static bool is_exit(const struct code_op *o)
{
    return o->op.kind == GPU_EXIT && o->guard == NONE;
}

/* The list may fall off its end, or a label may stand there. */
static void close_list(struct code *c)
{
    bool open = !c->count || !is_exit(&c->ops[c->count - 1]);
    for (uint32_t k = 0; k < c->body.label_count && !open; k++)
        open = c->body.labels[k] == c->count;
    if (!open)
        return;
    uint32_t line = c->count ? c->ops[c->count - 1].op.line : c->entry->line;
    struct code_op *o = code_add(c, NULL);
    o->op = (struct gpu_op){ .kind = GPU_EXIT, .pipe = GPU_PIPE_CONTROL, .interval = 16,
                             .line = line, .event = GPU_EVENTS_COUNT };
    o->fixed = true;
}

static void cut(struct code *c)
{
    uint8_t *begins = arena_get(&c->arena, c->count + 1, 1);
    uint32_t *block_of = arena_get(&c->arena, c->count + 1, sizeof *block_of);
    begins[0] = 1;
    for (uint32_t k = 0; k < c->body.label_count; k++)
        begins[c->body.labels[k]] = 1;
    for (uint32_t k = 0; k < c->count; k++)
        if (ends_block(&c->ops[k]))
            begins[k + 1] = 1;
    c->block_count = 0;
    for (uint32_t k = 0; k < c->count; k++)
        c->block_count += begins[k];
    c->blocks = arena_get(&c->arena, c->block_count, sizeof c->blocks[0]);
    uint32_t b = UINT32_MAX;
    for (uint32_t k = 0; k < c->count; k++) {
        if (begins[k])
            c->blocks[++b].first = k;
        c->blocks[b].count++;
        block_of[k] = b;
    }
    c->label_block = arena_get(&c->arena, c->body.label_count, sizeof c->label_block[0]);
    for (uint32_t k = 0; k < c->body.label_count; k++)
        c->label_block[k] = block_of[c->body.labels[k]];
}

static void join(struct code *c)
{
    for (uint32_t b = 0; b < c->block_count; b++) {
        struct code_block *at = &c->blocks[b];
        const struct code_op *last = &c->ops[at->first + at->count - 1];
        at->next[0] = at->next[1] = NONE;
        if (last->op.kind == GPU_BRANCH && last->guard == NONE)
            at->next[0] = c->label_block[last->label];
        else if (!ends_block(last) || last->op.kind == GPU_BRANCH)
            at->next[0] = b + 1;
        if (last->op.kind == GPU_BRANCH && last->guard != NONE)
            at->next[1] = c->label_block[last->label];
    }
}

struct graph code_graph(struct code *c, const uint8_t *without)
{
    uint32_t nodes = c->block_count + 1, edges = 0;
    uint32_t *first = arena_get(&c->arena, nodes + 1, sizeof *first);
    uint32_t *to = arena_get(&c->arena, 2 * (size_t)nodes, sizeof *to);
    for (uint32_t b = 0; b < c->block_count; b++) {
        first[b] = edges;
        for (int k = 0; k < 2; k++)
            if (c->blocks[b].next[k] != NONE && !(without && without[b] >> k & 1))
                to[edges++] = c->blocks[b].next[k];
        if (edges == first[b])
            to[edges++] = c->block_count;
    }
    first[c->block_count] = first[nodes] = edges;
    return (struct graph){ nodes, first, to };
}

static bool dominates(const struct code *c, uint32_t x, uint32_t y)
{
    while (y != NONE && y != x)
        y = c->blocks[y].dominator;
    return y == x;
}

/* A loop is what reaches an edge back to its head without passing the head. */
static void find_loops(struct code *c, const struct graph *turned)
{
    uint32_t *stack = arena_get(&c->arena, turned->first[turned->nodes] + 1, sizeof *stack);
    uint32_t *in = arena_get(&c->arena, c->block_count, sizeof *in);    /* the last head + 1 */
    for (uint32_t head = 0; head < c->block_count; head++) {
        uint32_t waiting = 0;
        for (uint32_t e = turned->first[head]; e < turned->first[head + 1]; e++)
            if (dominates(c, head, turned->to[e])) {
                in[head] = head + 1;
                stack[waiting++] = turned->to[e];
            }
        c->blocks[head].depth += in[head] == head + 1;
        while (waiting) {
            uint32_t b = stack[--waiting];
            if (in[b] == head + 1)
                continue;
            in[b] = head + 1;
            c->blocks[b].depth++;
            for (uint32_t e = turned->first[b]; e < turned->first[b + 1]; e++)
                if (in[turned->to[e]] != head + 1)
                    stack[waiting++] = turned->to[e];
        }
    }
}

/* Blocks that nothing leads to go; what is left keeps its order, so that falling through
 * still does. */
static void drop_unreachable(struct code *c, const struct graph *g)
{
    uint32_t *order = arena_get(&c->arena, g->nodes, sizeof *order);
    uint32_t *moved = arena_get(&c->arena, g->nodes, sizeof *moved);
    uint32_t reached = graph_order(&c->arena, g, 0, order), kept = 0;
    memset(moved, 0xff, g->nodes * sizeof *moved);
    for (uint32_t k = 0; k < reached; k++)
        moved[order[k]] = 0;
    for (uint32_t b = 0; b < c->block_count; b++)
        if (moved[b] != NONE) {
            moved[b] = kept;
            c->blocks[kept++] = c->blocks[b];
        }
    c->block_count = kept;
    for (uint32_t b = 0; b < kept; b++)
        for (int k = 0; k < 2; k++)
            if (c->blocks[b].next[k] != NONE)
                c->blocks[b].next[k] = moved[c->blocks[b].next[k]];
    for (uint32_t k = 0; k < c->body.label_count; k++)
        c->label_block[k] = moved[c->label_block[k]];
}

void code_flow(struct code *c)
{
    close_list(c);
    cut(c);
    join(c);
    struct graph all = code_graph(c, NULL);
    drop_unreachable(c, &all);

    struct graph g = code_graph(c, NULL), turned = graph_turned(&c->arena, &g);
    uint32_t *found = arena_get(&c->arena, g.nodes, sizeof *found);
    graph_dominators(&c->arena, &g, &turned, 0, found);
    for (uint32_t b = 0; b < c->block_count; b++)
        c->blocks[b].dominator = found[b];
    code_meet(c, &g);
    find_loops(c, &turned);
}
