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

/* The register that stands there has not been written, nor did lanes come. */
static bool stays(const struct gpu_watch_warp *h, const struct gpu_watch_place *p,
                  uint16_t number, uint32_t mask)
{
    bool same = p->since && p->number == number && !(mask & ~p->mask);
    bool rewritten = number < GPU_WATCH_REGISTERS && h->written[number] >= p->since;
    return same && !rewritten;              /* constants have greater numbers */
}

static void count(struct toggles_count *to, struct gpu_watch_warp *h, const struct gpu_warp *w,
                  const struct gpu_op *op, struct gpu_watch_place *places, unsigned words,
                  uint32_t mask)
{
    const uint16_t *numbers = w->kernel->operands + op->operands + op->dsts;
    for (unsigned i = 0; i < words; i++) {
        struct gpu_watch_place *p = &places[i];
        if (stays(h, p, numbers[i], mask))
            continue;
        to->bits += 32u * (unsigned)__builtin_popcount(mask);
        to->changed += changed(gpu_operand(w, numbers[i]), p->bits, mask);
        p->number = numbers[i];
        p->since = h->time;
        p->mask = mask;
    }
}

static void note_writes(struct gpu_watch_warp *h, const struct gpu_warp *w,
                        const struct gpu_op *op)
{
    const uint16_t *numbers = w->kernel->operands + op->operands;
    for (unsigned i = 0; i < op->dsts; i++)
        h->written[numbers[i]] = h->time;
}

void gpu_watch_op(struct gpu_watch *t, struct gpu_watch_warp *h, const struct gpu_warp *w,
                  const struct gpu_op *op, uint32_t mask)
{
    assert(w->kernel->registers <= GPU_WATCH_REGISTERS);
    if (!mask || op->flags & GPU_OP_PART)
        return;
    h->time++;
    if (op->macs) {
        unsigned words = gpu_tensor_words(op);
        assert(words <= GPU_WATCH_MATRIX);
        count(&t->matrix, h, w, op, h->places, words, mask);
    } else if (op->event == GPU_EVENT_FP32 && op->flops) {
        count(&t->lanes, h, w, op, h->places + GPU_WATCH_MATRIX, op->flops + 1, mask);
    }
    note_writes(h, w, op);
}
