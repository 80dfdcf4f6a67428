/* depend.h - which operation of a stretch must come before which; private to schedule.c. */
#ifndef MODELS_GPU_COMPILE_DEPEND_H
#define MODELS_GPU_COMPILE_DEPEND_H

#include "models/gpu/compile/code.h"

struct edge { uint32_t to, cycles, next; };

/* Of the operations first, first + 1, ... : edges to later ones, with the cycles that must lie
 * between the two. */
struct depend {
    struct edge *edges;
    uint32_t     edge_count, edge_room;
    uint32_t    *first;             /* edge of each operation; NONE */
    uint32_t    *before;            /* operations that it waits for */
};

/* Reused from stretch to stretch; needs the code's words and predicates to stay. */
struct depend_state {
    struct code *c;
    uint32_t *writer;               /* of each item: operation + 1 */
    uint32_t *readers;              /* since then: a list in `reads` */
    uint32_t *stamp, now;
    struct { uint32_t op, next; } *reads;
    uint32_t  read_count, read_room;
};

struct depend_state depend_begin(struct code *c);
struct depend depend_find(struct depend_state *s, uint32_t first, uint32_t count);

/* Cycles until a result is expected: of a load that is where it should be. */
uint32_t depend_latency(const struct code *c, const struct code_op *o);

#endif
