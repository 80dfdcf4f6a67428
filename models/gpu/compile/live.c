/* live.c - which words and predicates are still needed where blocks begin and end.
 *
 * A guarded operation does not end what its destination was.  So that this does not reach
 * back to the kernel's beginning, only what some operation may have written before counts.
 */
#include "models/gpu/compile/code.h"

struct sets { uint64_t *uses, *kills, *writes, *reach_in, *reach_out; };

static void use(const struct sets *s, uint32_t item)
{
    if (!bit_get(s->kills, item))
        bit_set(s->uses, item);
}

static void scan_op(const struct code *c, const struct code_op *o, const struct sets *s)
{
    const uint32_t *dst = code_dsts(c, o), *src = code_srcs(c, o);
    for (uint32_t k = 0; k < o->op.srcs; k++)
        if (!is_constant(src[k]))
            use(s, src[k]);
    for (int k = 0; k < 3; k++)
        if (o->psrc[k] != NONE)
            use(s, c->registers + o->psrc[k]);
    if (o->guard != NONE)
        use(s, c->registers + o->guard);
    for (uint32_t k = 0; k < o->op.dsts; k++)
        bit_set(code_kills(o) ? s->kills : s->writes, dst[k]);
    for (int k = 0; k < 2; k++)
        if (o->pdst[k] != NONE)
            bit_set(code_kills(o) ? s->kills : s->writes, c->registers + o->pdst[k]);
}

static void spread_writes(struct code *c, const struct sets *sets, size_t n)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < c->block_count; b++)
            for (size_t k = 0; k < n; k++) {
                uint64_t out = sets[b].reach_in[k] | sets[b].writes[k] | sets[b].kills[k];
                sets[b].reach_out[k] = out;
                for (int s = 0; s < 2; s++) {
                    if (c->blocks[b].next[s] == NONE)
                        continue;
                    uint64_t *in = &sets[c->blocks[b].next[s]].reach_in[k];
                    changed |= (out & ~*in) != 0;
                    *in |= out;
                }
            }
    }
}

static void spread_uses(struct code *c, const struct sets *sets, size_t n)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = c->block_count; b-- > 0;) {
            struct code_block *at = &c->blocks[b];
            for (size_t k = 0; k < n; k++) {
                uint64_t out = 0;
                for (int s = 0; s < 2; s++)
                    if (at->next[s] != NONE)
                        out |= c->blocks[at->next[s]].live_in[k];
                out &= sets[b].reach_out[k];
                uint64_t in = (sets[b].uses[k] | (out & ~sets[b].kills[k]))
                            & sets[b].reach_in[k];
                changed |= in != at->live_in[k];
                at->live_out[k] = out;
                at->live_in[k] = in;
            }
        }
    }
}

void code_live(struct code *c)
{
    size_t n = ((size_t)c->registers + c->predicates + 63) / 64;
    struct sets *sets = arena_get(&c->arena, c->block_count, sizeof *sets);
    for (uint32_t b = 0; b < c->block_count; b++) {
        uint64_t *bits = arena_get(&c->arena, 7 * n, sizeof *bits);
        sets[b] = (struct sets){ bits, bits + n, bits + 2 * n, bits + 3 * n, bits + 4 * n };
        c->blocks[b].live_in = bits + 5 * n;
        c->blocks[b].live_out = bits + 6 * n;
        for (uint32_t k = 0; k < c->blocks[b].count; k++)
            scan_op(c, &c->ops[c->blocks[b].first + k], &sets[b]);
    }
    spread_writes(c, sets, n);
    spread_uses(c, sets, n);
}
