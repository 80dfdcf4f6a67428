/* uniform.c - branches that all lanes of a warp take together.
 *
 * A value is divergent if lanes can differ in it: it comes from the thread's number, from
 * memory by an address that differs, from another lane; or if lanes came to it on different
 * ways.  Where a divergent branch's two ways join, what is written on either and still needed
 * there is divergent.
 */
#include <string.h>

#include "models/gpu/compile/code.h"

struct uniform {
    struct code *c;
    uint8_t  *divergent;            /* of each item: word, then predicate */
    uint8_t  *done;                 /* of each block: its branch has been followed */
    uint8_t  *side;                 /* of each block: bit s: reached from next[s] */
    uint32_t *stack;
    uint64_t *joined;               /* items that are needed where ways join */
    size_t    row;                  /* 64-bit words of such a set */
    bool      changed;
};

static void diverge(struct uniform *u, uint32_t item)
{
    u->changed |= !u->divergent[item];
    u->divergent[item] = 1;
}

static bool differs_by_thread(const struct ptx_instruction *i)
{
    if (i->op != PTX_MOV || i->operand[1].kind != PTX_SPECIAL)
        return false;
    switch (i->operand[1].number) {
    case PTX_S_TID_X: case PTX_S_TID_Y: case PTX_S_TID_Z: case PTX_S_LANEID:
    case PTX_S_LANEMASK_EQ: case PTX_S_LANEMASK_LE: case PTX_S_LANEMASK_LT:
    case PTX_S_LANEMASK_GE: case PTX_S_LANEMASK_GT:
        return true;
    default:
        return false;
    }
}

/* Its results differ even where its sources do not. */
static bool makes_divergent(const struct code_op *o)
{
    if (!o->from)
        return false;
    switch (o->from->op) {
    case PTX_ATOM: case PTX_LDMATRIX: case PTX_WMMA_LOAD: case PTX_MMA: case PTX_WMMA_MMA:
    case PTX_SHFL: case PTX_VOTE: case PTX_MATCH: case PTX_ELECT: case PTX_ACTIVEMASK:
    case PTX_REDUX: case PTX_MOVMATRIX: case PTX_BAR:
        return true;
    case PTX_LD:
        return o->op.kind == GPU_LOAD
            && (o->op.access.space == GPU_SPACE_LOCAL || o->op.access.space == GPU_SPACE_GENERIC);
    default:
        return differs_by_thread(o->from);
    }
}

static bool reads_divergent(const struct uniform *u, const struct code_op *o)
{
    const struct code *c = u->c;
    const uint32_t *src = code_srcs(c, o);
    for (uint32_t k = 0; k < o->op.srcs; k++)
        if (!is_constant(src[k]) && u->divergent[src[k]])
            return true;
    for (int k = 0; k < 3; k++)
        if (o->psrc[k] != NONE && u->divergent[c->registers + o->psrc[k]])
            return true;
    return o->guard != NONE && u->divergent[c->registers + o->guard];
}

static void spread(struct uniform *u)
{
    const struct code *c = u->c;
    for (uint32_t n = 0; n < c->count; n++) {
        const struct code_op *o = &c->ops[n];
        if (!makes_divergent(o) && !reads_divergent(u, o))
            continue;
        for (uint32_t k = 0; k < o->op.dsts; k++)
            diverge(u, code_dsts(c, o)[k]);
        for (int k = 0; k < 2; k++)
            if (o->pdst[k] != NONE)
                diverge(u, c->registers + o->pdst[k]);
    }
}

/* Blocks between next[s] of `from` and where its ways must have joined. */
static void walk_side(struct uniform *u, uint32_t from, int s)
{
    const struct code *c = u->c;
    uint32_t end = c->blocks[from].post_dominator, depth = 0;
    if (c->blocks[from].next[s] == end)
        return;
    u->stack[depth++] = c->blocks[from].next[s];
    while (depth) {
        uint32_t b = u->stack[--depth];
        if (u->side[b] >> s & 1)
            continue;
        u->side[b] |= (uint8_t)(1 << s);
        for (int k = 0; k < 2; k++)
            if (c->blocks[b].next[k] != NONE && c->blocks[b].next[k] != end)
                u->stack[depth++] = c->blocks[b].next[k];
    }
}

static void join_at(struct uniform *u, uint32_t b)
{
    for (size_t k = 0; k < u->row; k++)
        u->joined[k] |= u->c->blocks[b].live_in[k];
}

static void follow_branch(struct uniform *u, uint32_t from)
{
    const struct code *c = u->c;
    memset(u->side, 0, c->block_count);
    memset(u->joined, 0, u->row * sizeof *u->joined);
    walk_side(u, from, 0);
    walk_side(u, from, 1);
    if (c->blocks[from].post_dominator != NONE)
        join_at(u, c->blocks[from].post_dominator);
    for (uint32_t b = 0; b < c->block_count; b++)
        if (u->side[b] == 3)
            join_at(u, b);
    for (uint32_t b = 0; b < c->block_count; b++)
        for (uint32_t n = 0; u->side[b] && n < c->blocks[b].count; n++) {
            const struct code_op *o = &c->ops[c->blocks[b].first + n];
            for (uint32_t k = 0; k < o->op.dsts; k++)
                if (bit_get(u->joined, code_dsts(c, o)[k]))
                    diverge(u, code_dsts(c, o)[k]);
            for (int k = 0; k < 2; k++)
                if (o->pdst[k] != NONE && bit_get(u->joined, c->registers + o->pdst[k]))
                    diverge(u, c->registers + o->pdst[k]);
        }
}

/* The branch that ends a block, if it has two ways; NULL. */
static struct code_op *branch_of(const struct code *c, uint32_t b)
{
    if (!c->blocks[b].count)
        return NULL;
    struct code_op *o = &c->ops[c->blocks[b].first + c->blocks[b].count - 1];
    return o->op.kind == GPU_BRANCH && o->guard != NONE ? o : NULL;
}

void code_uniform(struct code *c)
{
    struct uniform u = { .c = c, .changed = true };
    size_t items = (size_t)c->registers + c->predicates;
    u.row = (items + 63) / 64;
    u.divergent = arena_get(&c->arena, items, 1);
    u.done = arena_get(&c->arena, c->block_count, 1);
    u.side = arena_get(&c->arena, c->block_count, 1);
    u.stack = arena_get(&c->arena, 3 * (size_t)c->block_count, sizeof *u.stack);
    u.joined = arena_get(&c->arena, u.row, sizeof *u.joined);
    code_live(c);
    while (u.changed) {
        u.changed = false;
        spread(&u);
        for (uint32_t b = 0; b < c->block_count; b++) {
            const struct code_op *o = branch_of(c, b);
            if (!o || u.done[b] || o->op.flags & GPU_OP_UNIFORM
                || !u.divergent[c->registers + o->guard])
                continue;
            u.done[b] = 1;
            follow_branch(&u, b);
        }
    }
    for (uint32_t b = 0; b < c->block_count; b++) {
        struct code_op *o = branch_of(c, b);
        if (o && !u.divergent[c->registers + o->guard])
            o->op.flags |= GPU_OP_UNIFORM;
    }
}
