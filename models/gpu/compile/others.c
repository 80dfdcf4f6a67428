/* others.c - whether what other blocks do decides how a block goes on.
 *
 * Backwards from branches, exits and guards of memory operations to what brings word of other
 * blocks: the result of an atomic on global memory, or a volatile load from it.  On the way the
 * block's own memory, shared and local, is one thing: what is stored anywhere in it may be what
 * is loaded ("if (tid == 0) last = atomicAdd(n, 1) == all; barrier; if (last) ...").
 *
 * Blocks of such a kernel wait for each other or divide work among them, so that none can be
 * left out of a launch.
 *
 * Not seen: a wait by plain loads, which caches may keep from ever ending.
 */
#include <stdio.h>
#include <string.h>

#include "models/gpu/compile/code.h"

struct search {
    struct code *c;
    struct code_writers w;
    uint32_t  own;                  /* the item that is the block's own memory */
    uint32_t *sink;                 /* of each item: the operation that it reaches; NONE */
    uint32_t *waiting, count;
    uint32_t  from, reached;        /* the first word of others, and where it leads */
};

static bool is_own(const struct code_op *o)
{
    return o->op.access.space == GPU_SPACE_SHARED || o->op.access.space == GPU_SPACE_LOCAL;
}

/* A generic address may be of either. */
static bool may_be_own(const struct code_op *o)
{
    return is_own(o) || o->op.access.space == GPU_SPACE_GENERIC;
}

static bool brings_word(const struct code_op *o)
{
    bool is_atomic = o->op.kind == GPU_ATOMIC && o->op.flags & GPU_OP_RETURNS;
    bool is_volatile = o->op.kind == GPU_LOAD && o->op.access.cache == GPU_CACHE_VOLATILE;
    return (is_atomic || is_volatile) && !is_own(o);
}

static void reach(struct search *s, uint32_t item, uint32_t sink)
{
    if (s->sink[item] != NONE)
        return;
    s->sink[item] = sink;
    s->waiting[s->count++] = item;
}

/* All that operation `n` is made of. */
static void reach_sources(struct search *s, uint32_t n, uint32_t sink)
{
    const struct code_op *o = &s->c->ops[n];
    for (uint32_t k = 0; k < o->op.srcs; k++)
        if (!is_constant(code_srcs(s->c, o)[k]))
            reach(s, code_srcs(s->c, o)[k], sink);
    for (int k = 0; k < 3; k++)
        if (o->psrc[k] != NONE)
            reach(s, s->c->registers + o->psrc[k], sink);
    if (o->guard != NONE)
        reach(s, s->c->registers + o->guard, sink);
}

static void go_back(struct search *s, uint32_t n, uint32_t sink)
{
    const struct code_op *o = &s->c->ops[n];
    bool reads = o->op.kind == GPU_LOAD || o->op.kind == GPU_MATRIX || o->op.kind == GPU_ATOMIC;
    if (brings_word(o)) {
        if (n < s->from) {
            s->from = n;
            s->reached = sink;
        }
        return;
    }
    reach_sources(s, n, sink);
    if (reads && may_be_own(o))
        reach(s, s->own, sink);
}

static void go_back_through_memory(struct search *s)
{
    for (uint32_t n = 0; n < s->c->count; n++) {
        const struct code_op *o = &s->c->ops[n];
        if ((o->op.kind == GPU_STORE || o->op.kind == GPU_ATOMIC) && may_be_own(o))
            reach_sources(s, n, s->sink[s->own]);
    }
}

static void follow(struct search *s)
{
    while (s->count) {
        uint32_t item = s->waiting[--s->count];
        if (item == s->own)
            go_back_through_memory(s);
        else
            for (uint32_t k = s->w.first[item]; k != NONE; k = s->w.next[k])
                go_back(s, s->w.op[k], s->sink[item]);
    }
}

void code_others(struct code *c)
{
    size_t items = (size_t)c->registers + c->predicates + 1;
    struct search s = { .c = c, .own = (uint32_t)items - 1, .from = NONE };
    bool any = false;
    for (uint32_t n = 0; n < c->count && !any; n++)
        any = brings_word(&c->ops[n]);
    if (!any)
        return;
    s.w = code_find_writers(c);
    s.sink = arena_get(&c->arena, items, sizeof *s.sink);
    s.waiting = arena_get(&c->arena, items, sizeof *s.waiting);
    memset(s.sink, 0xff, items * sizeof *s.sink);
    for (uint32_t n = 0; n < c->count; n++) {
        const struct code_op *o = &c->ops[n];
        if (o->guard != NONE && o->op.kind != GPU_COMPUTE && o->op.kind != GPU_SHUFFLE)
            reach(&s, c->registers + o->guard, n);
    }
    follow(&s);
    if (s.from != NONE)
        code_say_reached(c, s.from, s.reached, c->others, sizeof c->others);
}
