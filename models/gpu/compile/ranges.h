/* ranges.h - when each word is needed; private to allocate.c and its neighbours.
 *
 * Time is counted in gaps: one before each block's first operation, one after each operation.
 * A word that is written by operation n and last read by operation m fills the gaps from
 * after n to before m: so a source that ends and a destination that begins share a register.
 */
#ifndef MODELS_GPU_COMPILE_RANGES_H
#define MODELS_GPU_COMPILE_RANGES_H

#include "models/gpu/compile/code.h"

struct range { uint32_t item, from, to, next; };    /* gaps from to to, both filled */

struct ranges {
    struct range *list;
    uint32_t      count, room;
    uint32_t     *first;            /* of each item (words, then predicates); NONE */
    uint32_t      gaps;
};

static inline uint32_t gap_before(const struct code *c, uint32_t block, uint32_t k)
{
    return c->blocks[block].first + block + k;      /* k: operation of the block */
}

/* Needs code_live. */
struct ranges code_ranges(struct code *c);

/* Words that are needed at once, at most; `at` (may be NULL) gets the number in each gap. */
uint32_t ranges_pressure(struct code *c, const struct ranges *r, uint32_t **at);

#endif
