/* watch.c - operands against those before. */
#include "models/gpu/watch.h"

#include <assert.h>

#include "models/gpu/events.h"
#include "models/gpu/execute_inside.h"
#include "models/gpu/tensor.h"

/* A register of all lanes, in those that count; `before` becomes what it is now. */
GPU_WIDE static uint64_t changed(const uint32_t now[GPU_LANES], uint32_t before[GPU_LANES],
                                 uint32_t mask)
{
    uint64_t bits = 0;
    for (unsigned l = 0; l < GPU_LANES; l++) {
        uint32_t flips = (now[l] ^ before[l]) & (0 - (mask >> l & 1));
        before[l] ^= flips;
        bits += (uint64_t)__builtin_popcount(flips);
    }
    return bits;
}

static void count(struct toggles_count *to, const struct gpu_warp *w, const struct gpu_op *op,
                  unsigned words, uint32_t (*before)[GPU_LANES], uint32_t mask)
{
    for (unsigned i = 0; i < words; i++) {
        to->bits += 32u * (unsigned)__builtin_popcount(mask);
        to->changed += changed(gpu_source(w, op, i), before[i], mask);
    }
}

void gpu_watch_op(struct gpu_watch *t, struct gpu_watch_warp *before, const struct gpu_warp *w,
                  const struct gpu_op *op, uint32_t mask)
{
    if (!op->execute || !mask)
        return;
    if (op->macs) {
        unsigned words = gpu_tensor_words(op);
        assert(words <= GPU_WATCH_MATRIX);
        count(&t->matrix, w, op, words, before->matrix, mask);
    } else if (op->event == GPU_EVENT_FP32 && op->flops) {
        count(&t->lanes, w, op, op->flops + 1, before->lanes, mask);
    }
}
