/* slice.c - which results can reach an address, a branch or the guard of a memory operation.
 *
 * Backwards from those: what writes a needed word is needed, and all that it reads.  Where a
 * load is met, its data decide what the kernel does, and the kernel is not oblivious.  A word
 * is one thing wherever it is written: a register that is used twice, for data and for an
 * address, counts as an address.
 *
 * Guards of operations that only compute decide how many lanes are counted.  They are needed
 * too where no loaded data reach them; where some do, all lanes count, with values or without.
 */
#include <stdio.h>
#include <string.h>

#include "models/gpu/compile/code.h"

struct slicing {
    struct code *c;
    struct code_writers w;
    uint32_t *sink;                 /* of each item: the operation that it reaches; NONE */
    uint32_t *waiting, count;
    uint32_t  load, reached;        /* the first load that was met, and where it leads */
};

static void reach(struct slicing *s, uint32_t item, uint32_t sink)
{
    if (s->sink[item] != NONE)
        return;
    s->sink[item] = sink;
    s->waiting[s->count++] = item;
}

static void reach_words(struct slicing *s, const uint32_t *words, uint32_t count, uint32_t sink)
{
    for (uint32_t k = 0; k < count; k++)
        if (!is_constant(words[k]))
            reach(s, words[k], sink);
}

/* Sources that say where, not what. */
static uint32_t address_sources(const struct code_op *o)
{
    switch ((enum gpu_kind)o->op.kind) {
    case GPU_LOAD: case GPU_MATRIX: case GPU_COPY:
        return o->op.srcs;
    case GPU_STORE: case GPU_ATOMIC:
        return o->op.access.data_at;
    default:
        return 0;
    }
}

static bool brings_data(const struct code_op *o)
{
    return o->op.kind == GPU_LOAD || o->op.kind == GPU_MATRIX || o->op.kind == GPU_ATOMIC
        || o->op.kind == GPU_BARRIER;       /* bar.red: of other warps */
}

static void go_back(struct slicing *s, uint32_t n, uint32_t sink)
{
    struct code_op *o = &s->c->ops[n];
    if (brings_data(o)) {
        if (s->load == NONE || n < s->load) {
            s->load = n;
            s->reached = sink;
        }
        return;
    }
    if (!(o->op.flags & GPU_OP_PART))
        o->op.flags |= GPU_OP_CONTROL;
    reach_words(s, code_srcs(s->c, o), o->op.srcs, sink);
    for (int k = 0; k < 3; k++)
        if (o->psrc[k] != NONE)
            reach(s, s->c->registers + o->psrc[k], sink);
    if (o->guard != NONE)
        reach(s, s->c->registers + o->guard, sink);
}

/* ld.const and ld.param at an address that changes: they are no memory operations, but may be
 * out of bounds, which is seen when they are executed. */
static bool may_be_outside(const struct code_op *o)
{
    return o->op.kind == GPU_COMPUTE && o->op.access.address_words;
}

static void begin_at(struct slicing *s, uint32_t n)
{
    const struct code_op *o = &s->c->ops[n];
    if (may_be_outside(o))
        go_back(s, n, n);
    reach_words(s, code_srcs(s->c, o), address_sources(o), n);
    if (o->guard != NONE && o->op.kind != GPU_COMPUTE && o->op.kind != GPU_SHUFFLE)
        reach(s, s->c->registers + o->guard, n);
}

static const char *word_for(const struct code_op *o)
{
    switch ((enum gpu_kind)o->op.kind) {
    case GPU_LOAD:    return "load";
    case GPU_STORE:   return "store";
    case GPU_ATOMIC:  return "atomic";
    case GPU_MATRIX:  return "ldmatrix";
    case GPU_COPY:    return "cp.async";
    case GPU_BRANCH:  return "branch";
    case GPU_BARRIER: return "barrier";
    case GPU_EXIT:    return "exit";
    default:          return may_be_outside(o) ? "load" : "operation";
    }
}

void code_say_reached(const struct code *c, uint32_t from, uint32_t to, char *text, size_t size)
{
    const struct code_op *a = &c->ops[from], *b = &c->ops[to];
    snprintf(text, size, "the %s of line %u reaches the %s of line %u", word_for(a), a->op.line,
             word_for(b), b->op.line);
}

/* ---- guards */

static bool has_data(const struct code *c, const struct code_op *o, const uint8_t *data)
{
    bool any = brings_data(o) || (o->guard != NONE && data[c->registers + o->guard]);
    const uint32_t *src = code_srcs(c, o);
    for (uint32_t k = 0; k < o->op.srcs; k++)
        any |= !is_constant(src[k]) && data[src[k]];
    for (int k = 0; k < 3; k++)
        any |= o->psrc[k] != NONE && data[c->registers + o->psrc[k]];
    return any;
}

static bool give_data(const struct code *c, const struct code_op *o, uint8_t *data)
{
    const uint32_t *dst = code_dsts(c, o);
    bool news = false;
    for (uint32_t k = 0; k < o->op.dsts; k++) {
        news |= !data[dst[k]];
        data[dst[k]] = 1;
    }
    for (int k = 0; k < 2; k++)
        if (o->pdst[k] != NONE) {
            news |= !data[c->registers + o->pdst[k]];
            data[c->registers + o->pdst[k]] = 1;
        }
    return news;
}

/* Forwards: which items can hold what was loaded. */
static uint8_t *find_data(struct code *c, size_t items)
{
    uint8_t *data = arena_get(&c->arena, items, 1);
    for (bool news = true; news;) {
        news = false;
        for (uint32_t n = 0; n < c->count; n++)
            if (has_data(c, &c->ops[n], data))
                news |= give_data(c, &c->ops[n], data);
    }
    return data;
}

static void follow(struct slicing *s)
{
    while (s->count) {
        uint32_t item = s->waiting[--s->count];
        for (uint32_t k = s->w.first[item]; k != NONE; k = s->w.next[k])
            go_back(s, s->w.op[k], s->sink[item]);
    }
}

static void note_controls(struct slicing *s, size_t items, enum code_control what)
{
    for (size_t k = 0; k < items; k++)
        if (s->sink[k] != NONE && s->c->controls[k] == CODE_NO_CONTROL)
            s->c->controls[k] = (uint8_t)what;
}

static void slice_guards(struct slicing *s, size_t items)
{
    struct code *c = s->c;
    const uint8_t *data = find_data(c, items);
    for (uint32_t n = 0; n < c->count; n++)
        if (c->ops[n].guard != NONE && !data[c->registers + c->ops[n].guard])
            reach(s, c->registers + c->ops[n].guard, n);
    follow(s);
    note_controls(s, items, CODE_COUNTS);
}

void code_slice(struct code *c)
{
    size_t items = (size_t)c->registers + c->predicates;
    struct slicing s = { .c = c, .w = code_find_writers(c), .load = NONE };
    s.sink = arena_get(&c->arena, items, sizeof *s.sink);
    s.waiting = arena_get(&c->arena, items, sizeof *s.waiting);
    memset(s.sink, 0xff, items * sizeof *s.sink);
    for (uint32_t n = 0; n < c->count; n++)
        begin_at(&s, n);
    follow(&s);
    c->control_words = c->registers;
    c->controls = arena_get(&c->arena, items, 1);
    note_controls(&s, items, CODE_CONTROLS);
    c->oblivious = s.load == NONE;
    if (!c->oblivious)
        code_say_reached(c, s.load, s.reached, c->why_not, sizeof c->why_not);
    slice_guards(&s, items);
}
