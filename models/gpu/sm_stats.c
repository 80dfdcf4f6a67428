/* sm_stats.c - counts out of an SM, and what is said when a kernel does wrong. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "models/gpu/sm_inside.h"

const char *const gpu_cause_names[GPU_CAUSES_COUNT] = {
#define NAME(id, name, what) name,
    GPU_CAUSES(NAME)
#undef NAME
};

void sm_charge(struct gpu_sm *sm, struct sm_subcore *s, cycle_t now, unsigned cause)
{
    if (now <= s->since)
        return;
    if (sm->record)
        sm_record_cause(sm, s, s->since, cause);
    sm->stats->cycles[cause] += now - s->since;
    s->since = now;
}

/* Counts lie in one interval of the ledger, for the run stops where it ends: so they are the
 * same however time is cut into windows. */
void sm_flush(struct gpu_sm *sm, cycle_t now)
{
    for (uint32_t i = 0; i < GPU_EVENTS_COUNT && sm->launch; i++) {
        ledger_add(sm->ledger, i, sm->launch->group, sm->energy[i], sm->flushed, sm->flushed);
        sm->energy[i] = 0;
    }
    tick_t interval = ledger_interval(sm->ledger);
    sm->flushed = clock_tick(&sm->clock, now);
    sm->flush_at = clock_cycle(&sm->clock, (sm->flushed / interval + 1) * interval);
    sm->limit = cycle_min(sm->limit, sm->flush_at);
}

const struct ledger *gpu_sm_ledger(struct gpu_sm *sm)
{
    if (sm->made)
        sm_flush(sm, sm->from);
    else if (!sm->ledger)
        sm->ledger = ledger_new(GPU_EVENTS_COUNT, sm->run.groups);
    return sm->ledger;
}

/* What a scheduler has been waiting for that has not issued since. */
unsigned sm_open_cause(const struct sm_subcore *s)
{
    if (s->count == 0)
        return GPU_CAUSE_NO_WARP;
    if (s->next < NEVER)
        return CAUSE_OF(s->ready[s->pick]);
    return CAUSE_OF(s->ready[0]);
}

struct gpu_sm_stats gpu_sm_stats(const struct gpu_sm *sm, uint32_t launch, cycle_t now)
{
    struct gpu_sm_stats stats = { 0 };
    uint32_t schedulers = sm->c->sm.subcores;
    if (!sm->made) {
        if (launch == GPU_NO_LAUNCH)
            stats.cycles[GPU_CAUSE_NO_WARP] = now * schedulers;
        return stats;
    }
    const struct gpu_sm_stats *of =
        &sm->total[launch == GPU_NO_LAUNCH ? sm->run.launch_count : launch];
    stats = *of;
    if (of != sm->stats)
        return stats;
    for (uint32_t i = 0; i < schedulers; i++) {
        const struct sm_subcore *s = &sm->subcores[i];
        if (now > s->since)
            stats.cycles[sm_open_cause(s)] += now - s->since;
        for (uint32_t w = 0; w < s->count; w++)
            stats.warp_cycles += now - cycle_min(s->warp[w]->start, now);
    }
    return stats;
}

tick_t gpu_sm_busy(const struct gpu_sm *sm)
{
    if (sm->blocks_used == 0)
        return sm->busy_ticks;
    return sm->busy_ticks + clock_tick(&sm->clock, sm->from) -
           clock_tick(&sm->clock, sm->busy_since);
}

/* ---- faults */

void sm_fault(struct gpu_sm *sm, const struct sm_warp *w, const struct gpu_op *op,
              const char *format, ...)
{
    if (sm->failed)
        return;
    sm->failed = true;
    const struct gpu_kernel *k = w->w.kernel;
    const uint32_t *block = w->w.block->at;
    int at = snprintf(sm->fault, sizeof sm->fault,
                      "%s:%" PRIu32 ": %s: block (%" PRIu32 ", %" PRIu32 ", %" PRIu32
                      "), warp %" PRIu32 ": ", k->file, op->line, k->name, block[0], block[1],
                      block[2], w->w.number);
    if (at < 0 || (size_t)at >= sizeof sm->fault)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sm->fault + at, sizeof sm->fault - (size_t)at, format, arguments);
    va_end(arguments);
}

const char *gpu_sm_fault(const struct gpu_sm *sm) { return sm->failed ? sm->fault : NULL; }
