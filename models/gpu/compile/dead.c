/* dead.c - operations whose results are written again before anyone reads them.
 *
 * copies.c has dropped what nobody ever reads; here is the rest, block by block from its end.
 */
#include <string.h>

#include "models/gpu/compile/code.h"

struct needed { struct code *c; uint64_t *items; };     /* below the operation at hand */

static bool is_needed(const struct needed *n, const struct code_op *o)
{
    const uint32_t *dst = code_dsts(n->c, o);
    for (uint32_t k = 0; k < o->op.dsts; k++)
        if (bit_get(n->items, dst[k]))
            return true;
    for (int k = 0; k < 2; k++)
        if (o->pdst[k] != NONE && bit_get(n->items, n->c->registers + o->pdst[k]))
            return true;
    return code_has_effect(o);
}

static void pass(struct needed *n, const struct code_op *o)
{
    const struct code *c = n->c;
    const uint32_t *dst = code_dsts(c, o), *src = code_srcs(c, o);
    for (uint32_t k = 0; code_kills(o) && k < o->op.dsts; k++)
        bit_clear(n->items, dst[k]);
    for (int k = 0; code_kills(o) && k < 2; k++)
        if (o->pdst[k] != NONE)
            bit_clear(n->items, c->registers + o->pdst[k]);
    for (uint32_t k = 0; k < o->op.srcs; k++)
        if (!is_constant(src[k]))
            bit_set(n->items, src[k]);
    for (int k = 0; k < 3; k++)
        if (o->psrc[k] != NONE)
            bit_set(n->items, c->registers + o->psrc[k]);
    if (o->guard != NONE)
        bit_set(n->items, c->registers + o->guard);
}

void code_dead(struct code *c)
{
    size_t row = ((size_t)c->registers + c->predicates + 63) / 64;
    struct needed n = { c, arena_get(&c->arena, row, sizeof *n.items) };
    code_live(c);
    for (uint32_t b = 0; b < c->block_count; b++) {
        struct code_block *at = &c->blocks[b];
        struct code_op *end = c->ops + at->first + at->count, *kept = end;
        memcpy(n.items, at->live_out, row * sizeof *n.items);
        for (struct code_op *o = end; o-- > c->ops + at->first;)
            if (is_needed(&n, o)) {
                pass(&n, o);
                *--kept = *o;
            }
        at->first = (uint32_t)(kept - c->ops);
        at->count = (uint32_t)(end - kept);
    }
    code_close_gaps(c);
}
