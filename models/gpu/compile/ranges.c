/* ranges.c - from what is live at the ends of blocks to the gaps that each word fills. */
#include "models/gpu/compile/ranges.h"

#include <string.h>

struct walk {
    struct code   *c;
    struct ranges *r;
    uint32_t      *end;             /* of each live item: the last gap it fills; NONE */
};

static void add(struct walk *w, uint32_t item, uint32_t from, uint32_t to)
{
    struct ranges *r = w->r;
    r->list = arena_grow(&w->c->arena, r->list, r->count, r->count + 1, &r->room,
                         sizeof r->list[0]);
    r->list[r->count] = (struct range){ item, from, to, r->first[item] };
    r->first[item] = r->count++;
}

/* Written by the operation before gap `gap`: its range begins there, unless it also was. */
static void begin(struct walk *w, uint32_t item, uint32_t gap, bool kills)
{
    if (w->end[item] == NONE)
        add(w, item, gap, gap);         /* written, and never read */
    else if (kills) {
        add(w, item, gap, w->end[item]);
        w->end[item] = NONE;
    }
}

static void reads(struct walk *w, uint32_t item, uint32_t gap)
{
    if (w->end[item] == NONE)
        w->end[item] = gap;
}

static void walk_op(struct walk *w, const struct code_op *o, uint32_t before)
{
    const struct code *c = w->c;
    const uint32_t *dst = code_dsts(c, o), *src = code_srcs(c, o);
    for (uint32_t k = 0; k < o->op.dsts; k++)
        begin(w, dst[k], before + 1, code_kills(o));
    for (int k = 0; k < 2; k++)
        if (o->pdst[k] != NONE)
            begin(w, c->registers + o->pdst[k], before + 1, code_kills(o));
    for (uint32_t k = 0; k < o->op.srcs; k++)
        if (!is_constant(src[k]))
            reads(w, src[k], before);
    for (int k = 0; k < 3; k++)
        if (o->psrc[k] != NONE)
            reads(w, c->registers + o->psrc[k], before);
    if (o->guard != NONE)
        reads(w, c->registers + o->guard, before);
}

static void for_each(const uint64_t *set, size_t items, struct walk *w, uint32_t gap,
                     void (*f)(struct walk *, uint32_t, uint32_t))
{
    for (size_t k = 0; k < (items + 63) / 64; k++)
        for (uint64_t bits = set[k]; bits; bits &= bits - 1)
            f(w, (uint32_t)(k * 64) + (uint32_t)__builtin_ctzll(bits), gap);
}

static void close_range(struct walk *w, uint32_t item, uint32_t gap)
{
    if (w->end[item] != NONE)
        add(w, item, gap, w->end[item]);
    w->end[item] = NONE;
}

/* What a block reads though nothing wrote it, or keeps of what was not: a place of its own. */
static void close_strays(struct walk *w, uint32_t block, uint32_t gap)
{
    const struct code_block *b = &w->c->blocks[block];
    for (uint32_t k = 0; k < b->count; k++) {
        const struct code_op *o = &w->c->ops[b->first + k];
        const uint32_t *words = code_dsts(w->c, o);
        for (uint32_t n = 0; n < (uint32_t)o->op.dsts + o->op.srcs; n++)
            if (!is_constant(words[n]))
                close_range(w, words[n], gap);
        for (int n = 0; n < 3; n++)
            if (o->psrc[n] != NONE)
                close_range(w, w->c->registers + o->psrc[n], gap);
        for (int n = 0; n < 2; n++)
            if (o->pdst[n] != NONE)
                close_range(w, w->c->registers + o->pdst[n], gap);
        if (o->guard != NONE)
            close_range(w, w->c->registers + o->guard, gap);
    }
}

struct ranges code_ranges(struct code *c)
{
    struct ranges r = { .gaps = c->count + c->block_count };
    size_t items = (size_t)c->registers + c->predicates;
    struct walk w = { .c = c, .r = &r, .end = arena_get(&c->arena, items, sizeof *w.end) };
    r.first = arena_get(&c->arena, items, sizeof *r.first);
    memset(r.first, 0xff, items * sizeof *r.first);
    memset(w.end, 0xff, items * sizeof *w.end);
    for (uint32_t b = 0; b < c->block_count; b++) {
        const struct code_block *at = &c->blocks[b];
        for_each(at->live_out, items, &w, gap_before(c, b, at->count), reads);
        for (uint32_t k = at->count; k-- > 0;)
            walk_op(&w, &c->ops[at->first + k], gap_before(c, b, k));
        for_each(at->live_in, items, &w, gap_before(c, b, 0), close_range);
        close_strays(&w, b, gap_before(c, b, 0));
    }
    return r;
}

uint32_t ranges_pressure(struct code *c, const struct ranges *r, uint32_t **at)
{
    uint32_t *change = arena_get(&c->arena, r->gaps + 2, sizeof *change), most = 0, now = 0;
    for (uint32_t k = 0; k < r->count; k++)
        if (r->list[k].item < c->registers) {
            change[r->list[k].from]++;
            change[r->list[k].to + 1]--;
        }
    for (uint32_t g = 0; g < r->gaps; g++) {
        now += change[g];
        change[g] = now;
        most = now > most ? now : most;
    }
    if (at)
        *at = change;
    return most;
}
