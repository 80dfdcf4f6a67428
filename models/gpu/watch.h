/* watch.h - what the interpreter notes of operands and of memory, for who counts their bits.
 *
 *     matrix   registers of a and b of a warp's tensor operations, as an mma or wmma of the
 *              text has them: those of one against those of the warp's one before
 *     lanes    operands of a lane's FP32 additions, multiplications and fused ones, each
 *              against the same operand of the lane's operation before
 *     memory   which bytes of each buffer were read and written, from the first to the last
 *
 * Before a warp's first operation all was zero.
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

/* What a warp's operands were. */
struct gpu_watch_warp {
    uint32_t matrix[GPU_WATCH_MATRIX][GPU_LANES], lanes[GPU_WATCH_LANES][GPU_LANES];
};

/* An operation that is about to be done for the lanes of `mask`. */
void gpu_watch_op(struct gpu_watch *t, struct gpu_watch_warp *before, const struct gpu_warp *w,
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
