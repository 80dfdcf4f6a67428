/* sm_record.c - what an SM tells its recorder. */
#include <stdio.h>

#include "models/gpu/sm_inside.h"

#define SIXTEENTHS 16               /* of a cycle, in which a pipe's time is reckoned */

const char *const gpu_pipe_names[GPU_PIPES_COUNT] = {
#define NAME(id, name, what) #name,
    GPU_PIPES(NAME)
#undef NAME
};

static void add_amounts(struct gpu_sm *sm, struct record *r)
{
    char name[RECORD_NAME];
    struct sm_tracks *t = &sm->tracks;
    t->issue = record_amount_track(r, "issue", sm->c->sm.subcores);
    for (int p = 0; p < GPU_PIPES_COUNT; p++) {
        snprintf(name, sizeof name, "pipe.%s", gpu_pipe_names[p]);
        uint32_t track = record_amount_track(r, name, SIXTEENTHS * sm->c->sm.subcores);
        t->pipes = p == 0 ? track : t->pipes;
    }
    t->unit = record_amount_track(r, "lsu", 1);
    t->warps = record_amount_track(r, "warps", sm->c->sm.warps);
}

static void add_warps(struct gpu_sm *sm, struct record *r, uint32_t *first, const char *format)
{
    char name[RECORD_NAME];
    for (uint32_t w = 0; w < sm->c->sm.warps; w++) {
        snprintf(name, sizeof name, "warp%u%s", w, format);
        uint32_t track = record_work_track(r, name);
        *first = w == 0 ? track : *first;
    }
}

static void add_subcores(struct gpu_sm *sm, struct record *r)
{
    char name[RECORD_NAME];
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++) {
        snprintf(name, sizeof name, "sub%u", i);
        uint32_t track = record_state_track(r, name, gpu_cause_names, GPU_CAUSES_COUNT,
                                            GPU_CAUSE_ISSUED, GPU_CAUSE_NO_WARP);
        sm->tracks.subcore = i == 0 ? track : sm->tracks.subcore;
    }
}

void gpu_sm_record(struct gpu_sm *sm, struct record *r)
{
    sm->record = r;
    if (!r)
        return;
    add_amounts(sm, r);
    sm->tracks.depth = record_level_track(r, "lsu.depth", sm->c->sm.subcores
                                                          * (sm->c->lsu.queue + 1));
    if (record_config(r)->entries)
        add_warps(sm, r, &sm->tracks.warp, "");
    if (record_wants_detail(r)) {
        add_subcores(sm, r);
        add_warps(sm, r, &sm->tracks.op, ".op");
    }
}

void sm_record_cause(struct gpu_sm *sm, const struct sm_subcore *s, cycle_t from, unsigned cause)
{
    if (record_wants_detail(sm->record))
        record_state(sm->record, sm->tracks.subcore + (uint32_t)(s - sm->subcores), from, cause);
}

void sm_record_issue(struct gpu_sm *sm, const struct sm_subcore *s, const struct sm_warp *w,
                     const struct gpu_op *op, cycle_t now)
{
    struct record *r = sm->record;
    cycle_t taken = (op->interval + SIXTEENTHS - 1) / SIXTEENTHS;
    record_amount(r, sm->tracks.issue, now, now + 1, 1);
    record_amount(r, sm->tracks.pipes + op->pipe, now, now + taken, op->interval);
    sm_record_cause(sm, s, now, GPU_CAUSE_ISSUED);
    if (record_wants_detail(r))
        record_work(r, sm->tracks.op + (uint32_t)(w - sm->warps), now, now + 1,
                    &(struct record_work){ .group = sm->launch->group,
                                           .number = sm->launch_index, .part = w->w.pc,
                                           .begun = now });
}

void sm_record_warp(struct gpu_sm *sm, const struct sm_warp *w, cycle_t end)
{
    struct record *r = sm->record;
    record_amount(r, sm->tracks.warps, w->start, end, end - w->start);
    if (record_config(r)->entries)
        record_work(r, sm->tracks.warp + (uint32_t)(w - sm->warps), w->start, end,
                    &(struct record_work){ .group = sm->launch->group,
                                           .number = sm->launch_index, .begun = w->start,
                                           .part = sm->blocks[w->block].b.index });
}
