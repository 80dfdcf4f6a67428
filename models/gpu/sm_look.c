/* sm_look.c - see sm_look.h. */
#include "models/gpu/sm_look.h"

#include <string.h>

#include "models/gpu/sm_inside.h"

/* Whether the last to be ready is a register that the operation writes, and none that it reads. */
static bool rewrites(const struct sm_warp *w, when_t ready)
{
    const struct gpu_op *op = gpu_warp_op(&w->w);
    const uint16_t *list = w->w.kernel->operands + op->operands;
    bool written = false;
    for (unsigned i = 0; i < op->dsts; i++)
        written |= w->ready[list[i]] == ready;
    list += op->dsts;
    for (unsigned i = 0; i < op->srcs; i++)
        if (list[i] < GPU_CONSTANT && w->ready[list[i]] == ready)
            return false;
    return written;
}

static struct gpu_warp_look look_at_warp(const struct gpu_sm *sm, const struct sm_warp *w)
{
    const struct sm_subcore *s = &sm->subcores[w->subcore];
    when_t ready = s->ready[w->place];
    return (struct gpu_warp_look){
        .block = w->w.block->index, .number = w->w.number, .slot = (uint32_t)(w - sm->warps),
        .ready = ready >= UNKNOWN ? CYCLE_NEVER : sm->base + (ready >> CAUSE_BITS),
        .cause = (uint8_t)CAUSE_OF(ready), .pc = w->w.pc, .lanes = sm_lanes(w->w.active),
        .subcore = w->subcore, .pipe = s->pipe[w->place],
        .rewrites = rewrites(w, ready),
    };
}

static void look_at_subcore(const struct gpu_sm *sm, const struct sm_subcore *s,
                            struct gpu_subcore_look *l)
{
    l->port = sm_cycle(sm, s->port);
    for (unsigned p = 0; p < GPU_PIPES_COUNT; p++)
        l->free[p] = sm_cycle(sm, s->free[p]);
    l->since = s->since;
    l->cause = (uint8_t)sm_open_cause(s);
    l->lsu_full = s->lsu_full;
}

void gpu_sm_look(const struct gpu_sm *sm, struct gpu_sm_look *look,
                 struct gpu_subcore_look *subcores, struct gpu_warp_look *warps)
{
    *look = (struct gpu_sm_look){ .launch = sm->launch_index, .blocks = sm->blocks_used };
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++) {
        subcores[i] = (struct gpu_subcore_look){ .cause = GPU_CAUSE_NO_WARP };
        if (!sm->made)
            continue;
        const struct sm_subcore *s = &sm->subcores[i];
        look_at_subcore(sm, s, &subcores[i]);
        for (uint32_t w = 0; w < s->count; w++)
            if (s->warp[w]->state != SM_ENDED) {
                struct gpu_warp_look one = look_at_warp(sm, s->warp[w]);
                uint32_t at = look->warps++;
                for (; at > 0 && warps[at - 1].slot > one.slot; at--)
                    warps[at] = warps[at - 1];
                warps[at] = one;
            }
    }
}
