/* sm_where.c - where an SM's warps are, for the report of a kernel that does not end. */
#include <inttypes.h>
#include <stdio.h>

#include "models/gpu/sm_inside.h"

static const char *what(const struct sm_warp *w)
{
    switch ((enum sm_state)w->state) {
    case SM_RUNS:       return "runs";
    case SM_AT_BARRIER: return "waits at a barrier";
    case SM_AT_COPIES:  return "waits for its copies";
    case SM_AT_FENCE:   return "waits for its stores";
    case SM_ENDED:      return "has ended";
    }
    return "";
}

/* Of those that run the one of the first block, then the first warp of it; else of others. */
static bool before(const struct sm_warp *a, const struct sm_warp *b)
{
    bool runs_a = a->state == SM_RUNS, runs_b = b->state == SM_RUNS;
    if (runs_a != runs_b)
        return runs_a;
    if (a->w.block->index != b->w.block->index)
        return a->w.block->index < b->w.block->index;
    return a->w.number < b->w.number;
}

bool gpu_sm_where(const struct gpu_sm *sm, char *text, size_t size)
{
    const struct sm_warp *first = NULL;
    for (uint32_t i = 0; sm->made && i < sm->c->sm.subcores; i++)
        for (uint32_t w = 0; w < sm->subcores[i].count; w++) {
            const struct sm_warp *warp = sm->subcores[i].warp[w];
            if (warp->state != SM_ENDED && !gpu_warp_done(&warp->w)
                && (!first || before(warp, first)))
                first = warp;
        }
    if (!first)
        return false;
    const struct gpu_kernel *k = first->w.kernel;
    const struct gpu_op *op = first->state == SM_AT_BARRIER ? first->barrier
                                                            : gpu_warp_op(&first->w);
    const uint32_t *at = first->w.block->at;
    snprintf(text, size, "%s:%" PRIu32 ": %s: block (%" PRIu32 ", %" PRIu32 ", %" PRIu32
             "), warp %" PRIu32 " %s", k->file, op->line, k->name, at[0], at[1], at[2],
             first->w.number, what(first));
    return true;
}
