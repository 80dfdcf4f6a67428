/* depend.c - order by words, by predicates, and by memory.
 *
 * Memory is a few things that operations read or write like words: global, shared and local
 * memory, the groups of cp.async, and the set of lanes that have not ended.  Loads pass
 * loads; nothing passes a store to the same space, for addresses are not compared.
 */
#include "models/gpu/compile/depend.h"

#include <string.h>

enum { GLOBAL, SHARED, LOCAL, ASYNC, LANES, THINGS };
#define BIT(thing)  (1u << (thing))
#define ALL_MEMORY  (BIT(GLOBAL) | BIT(SHARED) | BIT(LOCAL))
#define EVERYTHING  (ALL_MEMORY | BIT(ASYNC) | BIT(LANES))

struct touches { unsigned reads, writes; };

static unsigned things_of(const struct code_op *o)
{
    switch (o->op.access.space) {
    case GPU_SPACE_GLOBAL: return BIT(GLOBAL);
    case GPU_SPACE_SHARED: return BIT(SHARED);
    case GPU_SPACE_LOCAL:  return BIT(LOCAL);
    default:               return ALL_MEMORY;
    }
}

static struct touches load_touches(const struct code_op *o)
{
    if (o->op.access.cache == GPU_CACHE_VOLATILE)
        return (struct touches){ BIT(LANES), things_of(o) };
    if (o->from && o->from->op == PTX_LD && PTX_HAS(o->from, NC))
        return (struct touches){ BIT(LANES), 0 };
    return (struct touches){ things_of(o) | BIT(LANES), 0 };
}

static struct touches compute_touches(const struct code_op *o)
{
    if (o->fixed)
        return (struct touches){ 0, EVERYTHING };
    if (!o->from)
        return (struct touches){ 0, 0 };
    switch (o->from->op) {
    case PTX_VOTE: case PTX_MATCH: case PTX_ELECT: case PTX_ACTIVEMASK: case PTX_REDUX:
    case PTX_MOVMATRIX:
        return (struct touches){ BIT(LANES), 0 };
    default:
        return (struct touches){ 0, 0 };
    }
}

static struct touches touches_of(const struct code_op *o)
{
    switch ((enum gpu_kind)o->op.kind) {
    case GPU_COMPUTE: return compute_touches(o);
    case GPU_SHUFFLE: return (struct touches){ BIT(LANES), 0 };
    case GPU_LOAD:    return load_touches(o);
    case GPU_MATRIX:  return (struct touches){ BIT(SHARED) | BIT(LANES), 0 };
    case GPU_STORE: case GPU_ATOMIC:
        return (struct touches){ BIT(LANES), things_of(o) };
    case GPU_COPY:    return (struct touches){ BIT(GLOBAL) | BIT(LANES),
                                               BIT(SHARED) | BIT(ASYNC) };
    case GPU_COMMIT:  return (struct touches){ BIT(LANES), BIT(ASYNC) };
    case GPU_WAIT:    return (struct touches){ BIT(LANES), BIT(ASYNC) | BIT(SHARED) };
    case GPU_BRANCH: case GPU_BARRIER: case GPU_FENCE: case GPU_SLEEP:
    case GPU_EXIT: case GPU_TRAP: case GPU_KINDS_COUNT:
        break;
    }
    return (struct touches){ 0, EVERYTHING };
}

/* What comes from global memory is expected to come from beyond L2, without what its row
 * takes: who waits for it is put after all that need not. */
static uint32_t global_latency(const struct gpu_config *c)
{
    double ns = 2 * (c->crossbar.latency_ns + c->l2.memory_ns)
              + c->l2.hit_cycles * 1e3 / c->l2.clock_mhz;
    return c->l1.miss_cycles + c->l1.return_cycles + (uint32_t)(ns * c->gpu.clock_mhz / 1e3);
}

static bool is_global(const struct code_op *o)
{
    return o->op.access.space == GPU_SPACE_GLOBAL || o->op.access.space == GPU_SPACE_GENERIC;
}

uint32_t depend_latency(const struct code *c, const struct code_op *o)
{
    if (o->op.kind == GPU_MATRIX)
        return c->config->lsu.matrix_latency;
    if (o->op.kind == GPU_LOAD && o->op.access.space == GPU_SPACE_SHARED)
        return c->config->shared.load_latency;
    if (o->op.kind == GPU_LOAD || o->op.kind == GPU_ATOMIC)
        return is_global(o) ? global_latency(c->config) : c->config->l1.hit_latency;
    return o->op.latency ? o->op.latency : 1;
}

struct depend_state depend_begin(struct code *c)
{
    struct depend_state s = { .c = c };
    size_t items = (size_t)c->registers + c->predicates + THINGS;
    s.writer = arena_get(&c->arena, items, sizeof *s.writer);
    s.readers = arena_get(&c->arena, items, sizeof *s.readers);
    s.stamp = arena_get(&c->arena, items, sizeof *s.stamp);
    return s;
}

struct building { struct depend_state *s; struct depend d; uint32_t first, at, meeting; };

static void add_edge(struct building *b, uint32_t from, uint32_t cycles)
{
    struct depend *d = &b->d;
    if (from == b->at)
        return;
    uint32_t *list = &d->first[from - b->first];
    if (*list != NONE && d->edges[*list].to == b->at) {     /* the newest: the same pair */
        if (cycles > d->edges[*list].cycles)
            d->edges[*list].cycles = cycles;
        return;
    }
    d->edges = arena_grow(&b->s->c->arena, d->edges, d->edge_count, d->edge_count + 1,
                          &d->edge_room, sizeof *d->edges);
    d->edges[d->edge_count] = (struct edge){ b->at, cycles, *list };
    *list = d->edge_count++;
    d->before[b->at - b->first]++;
}

static void refresh(struct depend_state *s, uint32_t item)
{
    if (s->stamp[item] == s->now)
        return;
    s->stamp[item] = s->now;
    s->writer[item] = 0;
    s->readers[item] = NONE;
}

static void note_read(struct building *b, uint32_t item)
{
    struct depend_state *s = b->s;
    refresh(s, item);
    if (s->writer[item])
        add_edge(b, s->writer[item] - 1, depend_latency(s->c, &s->c->ops[s->writer[item] - 1]));
    s->reads = arena_grow(&s->c->arena, s->reads, s->read_count, s->read_count + 1,
                          &s->read_room, sizeof *s->reads);
    s->reads[s->read_count].op = b->at;
    s->reads[s->read_count].next = s->readers[item];
    s->readers[item] = s->read_count++;
}

static void note_write(struct building *b, uint32_t item)
{
    struct depend_state *s = b->s;
    refresh(s, item);
    if (s->writer[item])
        add_edge(b, s->writer[item] - 1, 1);
    for (uint32_t r = s->readers[item]; r != NONE; r = s->reads[r].next)
        add_edge(b, s->reads[r].op, 1);
    s->writer[item] = b->at + 1;
    s->readers[item] = NONE;
}

/* Things are held by order alone: a store need not be done for the next to issue. */
static void note_things(struct building *b, struct touches t)
{
    struct depend_state *s = b->s;
    for (uint32_t k = 0; k < THINGS; k++) {
        uint32_t item = s->c->registers + s->c->predicates + k;
        if (t.writes >> k & 1) {
            note_write(b, item);
        } else if (t.reads >> k & 1) {
            refresh(s, item);
            uint32_t writer = s->writer[item];
            if (writer)
                add_edge(b, writer - 1, 1);
            s->writer[item] = 0;
            note_read(b, item);
            s->writer[item] = writer;
        }
    }
}

/* Nothing sinks below a barrier or a wait for copies: what was written before it is work to
 * do while others come, or while data do. */
static void note_meeting(struct building *b)
{
    for (uint32_t n = b->meeting; n < b->at; n++)
        add_edge(b, n, 1);
    b->meeting = b->at;
}

static void note_op(struct building *b, const struct code_op *o)
{
    const struct code *c = b->s->c;
    const uint32_t *dst = code_dsts(c, o), *src = code_srcs(c, o);
    for (uint32_t k = 0; k < o->op.srcs; k++)
        if (!is_constant(src[k]))
            note_read(b, src[k]);
    for (int k = 0; k < 3; k++)
        if (o->psrc[k] != NONE)
            note_read(b, c->registers + o->psrc[k]);
    if (o->guard != NONE)
        note_read(b, c->registers + o->guard);
    for (uint32_t k = 0; k < o->op.dsts; k++)
        note_write(b, dst[k]);
    for (int k = 0; k < 2; k++)
        if (o->pdst[k] != NONE)
            note_write(b, c->registers + o->pdst[k]);
    note_things(b, touches_of(o));
    if (o->op.kind == GPU_BARRIER || o->op.kind == GPU_WAIT)
        note_meeting(b);
}

struct depend depend_find(struct depend_state *s, uint32_t first, uint32_t count)
{
    struct building b = { .s = s, .first = first, .meeting = first };
    b.d.first = arena_get(&s->c->arena, count, sizeof *b.d.first);
    b.d.before = arena_get(&s->c->arena, count, sizeof *b.d.before);
    memset(b.d.first, 0xff, count * sizeof *b.d.first);
    s->now++;
    s->read_count = 0;
    for (uint32_t k = 0; k < count; k++) {
        b.at = first + k;
        note_op(&b, &s->c->ops[b.at]);
    }
    return b.d;
}
