/* watch.h - what the interpreter notes of operands and of memory, for who counts their bits.
 *
 *     matrix   registers of a and b of a warp's tensor operations, as an mma or wmma of the
 *              text has them: each against what stood in its place in the warp's one before
 *     lanes    operands of a lane's FP32 additions, multiplications and fused ones, each
 *              against what stood in its place in the lane's one before
 *     memory   which bytes of each buffer were read and written, from the first to the last
 *
 * A register that stands in the same place again, and was not written since, is not moved and
 * not counted: so the number of bits does not depend on what they are.  Before a warp's first
 * operation all was zero.
 *
 * Not modelled: the steps that an operation of tensor cores or a division becomes; which warps
 * take turns on a unit, so that one's operands change another's bits.
 */
#ifndef MODELS_GPU_WATCH_H
#define MODELS_GPU_WATCH_H

#include "models/gpu/warp.h"
#include "models/toggles.h"

struct gpu_span { uint64_t first, end; };       /* addresses; 0, 0: nothing */

struct gpu_watch {
    struct toggles_count matrix, lanes;         /* added to */
    uint32_t buffers;                           /* of the memory: later ones are not noted */
    struct gpu_span *read, *written;            /* [buffers], the caller's; made longer */
};

#define GPU_WATCH_MATRIX 16                     /* registers of a and b, at most */
#define GPU_WATCH_LANES   3

#define GPU_WATCH_PLACES (GPU_WATCH_MATRIX + GPU_WATCH_LANES)
#define GPU_WATCH_REGISTERS 256                 /* of a thread */

/* What stands in the places of a warp's operands. */
struct gpu_watch_warp {
    uint32_t time;                              /* operations so far */
    uint32_t written[GPU_WATCH_REGISTERS];      /* when each was last */
    struct gpu_watch_place {
        uint32_t bits[GPU_LANES];
        uint32_t mask, since;                   /* lanes, and since when; 0: nothing */
        uint16_t number;                        /* the operand */
    } places[GPU_WATCH_PLACES];
};

/* An operation that is about to be done for the lanes of `mask`. */
void gpu_watch_op(struct gpu_watch *t, struct gpu_watch_warp *h, const struct gpu_warp *w,
                  const struct gpu_op *op, uint32_t mask);

/* Bytes of a buffer that are touched. */
static inline void gpu_watch_bytes(struct gpu_watch *t, uint32_t buffer, uint64_t first,
                                   uint64_t bytes, bool written)
{
    if (buffer >= t->buffers)
        return;
    struct gpu_span *s = written ? &t->written[buffer] : &t->read[buffer];
    s->first = s->end == 0 || first < s->first ? first : s->first;
    s->end = first + bytes > s->end ? first + bytes : s->end;
}

#endif
