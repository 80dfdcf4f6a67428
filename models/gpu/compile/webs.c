/* webs.c - a register that is used for several things becomes several.
 *
 * A web is a set of writes that some read joins: all writes that can reach that read, and all
 * that can reach another read together with one of them.  Webs have nothing to do with each
 * other but the name that they had in the text.  Compilers give each its own; people do not.
 */
#include <string.h>

#include "models/gpu/compile/code.h"

#define MOST_BITS (UINT64_C(1) << 28)   /* of the sets below: else all stays as it is */

struct webs {
    struct code *c;
    uint32_t  count;                /* writes of what is written more than once */
    uint32_t *item;                 /* of each write: word, or registers + predicate */
    uint32_t *next;                 /* write of the same item; NONE */
    uint32_t *first;                /* write of each item; NONE: written once or never */
    uint32_t *parent;               /* of each write: union-find */
    uint32_t *name;                 /* of each root: its new item + 1 */
    uint64_t *in, *out, *kills;     /* of each block: sets of writes */
    size_t    row;
    uint32_t *here, *stamp;         /* of each item: the write that stands for those that reach */
    uint32_t *place;                /* of each place (see place_of): a write that reaches it */
};

/* Words have places of their own in the list of operands; predicates have six an operation. */
enum { PSRC, GUARD = 3, PDST, PLACES = 6 };

static uint32_t place_of(const struct code *c, uint32_t op, uint32_t k)
{
    return c->used + PLACES * op + k;
}

static uint32_t find(struct webs *w, uint32_t x)
{
    while (w->parent[x] != x)
        x = w->parent[x] = w->parent[w->parent[x]];
    return x;
}

static void join(struct webs *w, uint32_t x, uint32_t y)
{
    x = find(w, x);
    y = find(w, y);
    w->parent[x > y ? x : y] = x < y ? x : y;
}

/* Calls f for each item that an operation writes (or reads), with its place. */
typedef void (*visit_fn)(struct webs *w, uint32_t block, const struct code_op *o, uint32_t item,
                         uint32_t place);

static void visit_reads(struct webs *w, uint32_t block, uint32_t n, visit_fn f)
{
    const struct code *c = w->c;
    const struct code_op *o = &c->ops[n];
    for (uint32_t k = o->op.dsts; k < (uint32_t)o->op.dsts + o->op.srcs; k++)
        if (!is_constant(c->words[o->words + k]))
            f(w, block, o, c->words[o->words + k], o->words + k);
    for (uint32_t k = 0; k < 3; k++)
        if (o->psrc[k] != NONE)
            f(w, block, o, c->registers + o->psrc[k], place_of(c, n, PSRC + k));
    if (o->guard != NONE)
        f(w, block, o, c->registers + o->guard, place_of(c, n, GUARD));
}

static void visit_writes(struct webs *w, uint32_t block, uint32_t n, visit_fn f)
{
    const struct code *c = w->c;
    const struct code_op *o = &c->ops[n];
    for (uint32_t k = 0; k < o->op.dsts; k++)
        f(w, block, o, c->words[o->words + k], o->words + k);
    for (uint32_t k = 0; k < 2; k++)
        if (o->pdst[k] != NONE)
            f(w, block, o, c->registers + o->pdst[k], place_of(c, n, PDST + k));
}

static void visit_all(struct webs *w, visit_fn reads, visit_fn writes)
{
    for (uint32_t b = 0; b < w->c->block_count; b++)
        for (uint32_t k = 0; k < w->c->blocks[b].count; k++) {
            if (reads)
                visit_reads(w, b, w->c->blocks[b].first + k, reads);
            visit_writes(w, b, w->c->blocks[b].first + k, writes);
        }
}

static void count_write(struct webs *w, uint32_t block, const struct code_op *o, uint32_t item,
                        uint32_t place)
{
    (void)block, (void)o, (void)place;
    w->here[item]++;
}

static void number_write(struct webs *w, uint32_t block, const struct code_op *o, uint32_t item,
                         uint32_t place)
{
    (void)block, (void)o;
    if (w->here[item] < 2)
        return;
    uint32_t n = w->count++;
    w->item[n] = item;
    w->next[n] = w->first[item];
    w->first[item] = n;
    w->parent[n] = n;
    w->place[place] = n;
}

/* What leaves the block: its own writes, and those before them that they do not end. */
static void add_write(struct webs *w, uint32_t block, const struct code_op *o, uint32_t item,
                      uint32_t place)
{
    uint64_t *out = w->out + block * w->row, *kills = w->kills + block * w->row;
    if (w->first[item] == NONE)
        return;
    for (uint32_t n = w->first[item]; n != NONE && code_kills(o); n = w->next[n]) {
        bit_set(kills, n);
        bit_clear(out, n);
    }
    bit_set(out, w->place[place]);
}

static void spread(struct webs *w)
{
    const struct code *c = w->c;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < c->block_count; b++)
            for (size_t k = 0; k < w->row; k++) {
                size_t at = b * w->row + k;
                w->out[at] |= w->in[at] & ~w->kills[at];
                for (int s = 0; s < 2; s++) {
                    if (c->blocks[b].next[s] == NONE)
                        continue;
                    uint64_t *in = &w->in[c->blocks[b].next[s] * w->row + k];
                    changed |= (w->out[at] & ~*in) != 0;
                    *in |= w->out[at];
                }
            }
    }
}

/* The write that stands for all that reach this point of the block; NONE. */
static uint32_t reaching(struct webs *w, uint32_t block, uint32_t item)
{
    if (w->stamp[item] == block + 1)
        return w->here[item];
    uint32_t found = NONE;
    for (uint32_t n = w->first[item]; n != NONE; n = w->next[n])
        if (bit_get(w->in + block * w->row, n)) {
            if (found != NONE)
                join(w, found, n);
            found = n;
        }
    w->stamp[item] = block + 1;
    return w->here[item] = found;
}

static void join_read(struct webs *w, uint32_t block, const struct code_op *o, uint32_t item,
                      uint32_t place)
{
    (void)o;
    w->place[place] = w->first[item] == NONE ? NONE : reaching(w, block, item);
}

static void join_write(struct webs *w, uint32_t block, const struct code_op *o, uint32_t item,
                       uint32_t place)
{
    if (w->first[item] == NONE)
        return;
    uint32_t own = w->place[place], before = code_kills(o) ? NONE : reaching(w, block, item);
    if (before != NONE)
        join(w, before, own);
    w->stamp[item] = block + 1;
    w->here[item] = own;
}

/* The first web of an item keeps its name. */
static void name_webs(struct webs *w)
{
    struct code *c = w->c;
    uint32_t words = c->registers, predicates = c->predicates;
    memset(w->stamp, 0, ((size_t)words + predicates) * sizeof *w->stamp);
    for (uint32_t n = 0; n < w->count; n++) {
        uint32_t item = w->item[n];
        if (find(w, n) != n)
            continue;
        bool is_word = item < words;
        w->name[n] = is_word ? item : item - words;
        if (w->stamp[item]++)
            w->name[n] = is_word ? c->registers++ : c->predicates++;
    }
}

static void rename_at(struct webs *w, uint32_t place, uint32_t *number)
{
    if (w->place[place] != NONE)
        *number = w->name[find(w, w->place[place])];
}

static void rename_all(struct webs *w)
{
    struct code *c = w->c;
    for (uint32_t n = 0; n < c->count; n++) {
        struct code_op *o = &c->ops[n];
        for (uint32_t k = 0; k < (uint32_t)o->op.dsts + o->op.srcs; k++)
            rename_at(w, o->words + k, &c->words[o->words + k]);
        for (uint32_t k = 0; k < 3; k++)
            rename_at(w, place_of(c, n, PSRC + k), &o->psrc[k]);
        rename_at(w, place_of(c, n, GUARD), &o->guard);
        for (uint32_t k = 0; k < 2; k++)
            rename_at(w, place_of(c, n, PDST + k), &o->pdst[k]);
    }
}

static bool begin(struct webs *w)
{
    struct code *c = w->c;
    struct arena *a = &c->arena;
    size_t items = (size_t)c->registers + c->predicates;
    size_t places = c->used + PLACES * (size_t)c->count;
    w->here = arena_get(a, items, sizeof *w->here);
    w->stamp = arena_get(a, items, sizeof *w->stamp);
    w->first = arena_get(a, items, sizeof *w->first);
    w->place = arena_get(a, places, sizeof *w->place);
    memset(w->first, 0xff, items * sizeof *w->first);
    memset(w->place, 0xff, places * sizeof *w->place);
    visit_all(w, NULL, count_write);
    for (size_t k = 0; k < items; k++)
        w->count += w->here[k] > 1 ? w->here[k] : 0;
    w->row = w->count / 64 + 1;
    if (!w->count || (uint64_t)w->row * 64 * c->block_count > MOST_BITS)
        return false;
    w->item = arena_get(a, w->count, sizeof *w->item);
    w->next = arena_get(a, w->count, sizeof *w->next);
    w->parent = arena_get(a, w->count, sizeof *w->parent);
    w->name = arena_get(a, w->count, sizeof *w->name);
    w->in = arena_get(a, 3 * w->row * c->block_count, sizeof *w->in);
    w->out = w->in + w->row * c->block_count;
    w->kills = w->out + w->row * c->block_count;
    w->count = 0;
    visit_all(w, NULL, number_write);
    return true;
}

void code_webs(struct code *c)
{
    struct webs w = { .c = c };
    if (!begin(&w))
        return;
    visit_all(&w, NULL, add_write);
    spread(&w);
    memset(w.stamp, 0, ((size_t)c->registers + c->predicates) * sizeof *w.stamp);
    visit_all(&w, join_read, join_write);
    name_webs(&w);
    rename_all(&w);
}
