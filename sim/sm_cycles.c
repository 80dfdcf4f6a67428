/* sm_cycles.c - see sm_cycles.h. */
#include "sim/sm_cycles.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/loop.h"

#define MOST_ENTRIES ((size_t)1 << 24)

/* A scheduler at the end of a cycle, and what it did in it. */
struct scheduler {
    struct gpu_subcore_look look;
    uint8_t  cause;
    bool     issued;
    uint32_t slot, pc;              /* whose operation, which */
    uint64_t block;
};

struct cycle {
    struct gpu_sm_look look;
    size_t first_warp;              /* in `warps` */
};

struct sm_cycles {
    struct gpu_chip *chip;
    uint32_t sm, subcores;
    struct clock clock;
    struct block inner;             /* the SM itself */
    cycle_t  from, to, kept, next;  /* `kept` from one before the window on; next to be run */
    struct cycle *cycles;           /* [to - kept] */
    struct scheduler *schedulers;   /* [to - kept][subcores] */
    struct gpu_warp_look *warps, *now;
    size_t   count, room;
    struct record *record;
};

static struct cycle *at(const struct sm_cycles *x, cycle_t cycle)
{
    return &x->cycles[cycle - x->kept];
}

static struct scheduler *scheduler_at(const struct sm_cycles *x, cycle_t cycle, uint32_t s)
{
    return &x->schedulers[(cycle - x->kept) * x->subcores + s];
}

/* ---- the run */

static void keep(struct sm_cycles *x, cycle_t cycle)
{
    struct gpu_subcore_look subcores[x->subcores];
    struct cycle *c = at(x, cycle);
    gpu_sm_look(x->chip->sm[x->sm], &c->look, subcores, x->now);
    for (uint32_t s = 0; s < x->subcores; s++)
        *scheduler_at(x, cycle, s) = (struct scheduler){ .look = subcores[s] };
    while (x->count + c->look.warps > x->room) {
        x->room = x->room * 2 + 1024;
        x->warps = realloc(x->warps, x->room * sizeof *x->warps);
        if (!x->warps)
            abort();
    }
    c->first_warp = x->count;
    memcpy(x->warps + x->count, x->now, c->look.warps * sizeof *x->warps);
    x->count += c->look.warps;
}

/* Like the SM, but cycle by cycle where they are kept. */
static tick_t run(void *self, tick_t end)
{
    struct sm_cycles *x = self;
    cycle_t last = cycle_min(clock_cycle(&x->clock, end), x->to);
    for (x->next = cycle_max(x->next, cycle_min(x->kept, last)); x->next < last; x->next++) {
        x->inner.run(x->inner.self, clock_tick(&x->clock, x->next + 1));
        keep(x, x->next);
    }
    return x->inner.run(x->inner.self, end);
}

static bool idle(const void *self)
{
    const struct sm_cycles *x = self;
    return x->inner.idle(x->inner.self);
}

static void describe(const void *self, char *text, size_t size)
{
    const struct sm_cycles *x = self;
    x->inner.describe(x->inner.self, text, size);
}

static bool run_chip(struct sm_cycles *x, struct diag *d)
{
    struct gpu_chip *c = x->chip;
    struct engine_result result;
    x->inner = c->blocks[x->sm];
    c->blocks[x->sm] = (struct block){ .name = x->inner.name, .self = x, .run = run, .idle = idle,
                                       .describe = describe };
    c->engine.limit = clock_tick(&x->clock, x->to);
    bool done = loop_run(&c->engine, &result);
    if (result.limited && !gpu_chip_fault(c))
        run(x, c->engine.limit);        /* the window may end where nothing happens */
    c->blocks[x->sm] = x->inner;
    if (gpu_chip_fault(c))
        return diag_set(d, 0, 0, "%s", gpu_chip_fault(c));
    return done || result.limited
        || diag_set(d, 0, 0, "the run went quiet with work left: %.400s", result.stuck);
}

/* ---- what the recorder kept, by cycle */

static void take_cause(struct sm_cycles *x, uint32_t s, const struct record_entry *e)
{
    for (cycle_t c = e->start; c < e->end && c < x->next; c++) {
        struct scheduler *to = scheduler_at(x, c, s);
        to->cause = (uint8_t)e->part;
        to->issued = e->part == GPU_CAUSE_ISSUED;
    }
}

static const struct gpu_warp_look *find(const struct sm_cycles *x, cycle_t cycle, uint32_t slot)
{
    const struct cycle *c = at(x, cycle);
    for (uint32_t i = 0; i < c->look.warps; i++)
        if (x->warps[c->first_warp + i].slot == slot)
            return &x->warps[c->first_warp + i];
    return NULL;
}

/* With its last operation a warp goes, and another may have its place at once: who issues was
 * there a cycle ago. */
static void take_issue(struct sm_cycles *x, uint32_t slot, const struct record_entry *e)
{
    if (e->start >= x->next)
        return;
    const struct gpu_warp_look *w = e->start > x->kept ? find(x, e->start - 1, slot) : NULL;
    w = w ? w : find(x, e->start, slot);
    if (!w)
        return;                         /* the last of one in the cycle before the window */
    struct scheduler *s = scheduler_at(x, e->start, w->subcore);
    s->slot = slot;
    s->block = w->block;
    s->pc = (uint32_t)e->part;
}

static void take_record(struct sm_cycles *x)
{
    for (size_t i = 0; i < record_entries(x->record); i++) {
        const struct record_entry *e = record_entry(x->record, i);
        const char *name = record_track(x->record, e->track)->name;
        unsigned number;
        int end = 0;
        if (sscanf(name, "sub%u%n", &number, &end) == 1 && name[end] == '\0')
            take_cause(x, number, e);
        else if (sscanf(name, "warp%u.op%n", &number, &end) == 1 && end > 0)
            take_issue(x, number, e);
    }
}

/* Cycles that have no cause yet when the run is left. */
static void take_open(struct sm_cycles *x)
{
    for (uint32_t s = 0; x->next > x->kept && s < x->subcores; s++) {
        struct gpu_subcore_look last = scheduler_at(x, x->next - 1, s)->look;
        for (cycle_t c = cycle_max(last.since, x->kept); c < x->next; c++) {
            scheduler_at(x, c, s)->cause = last.cause;
            scheduler_at(x, c, s)->issued = false;
        }
    }
}

struct sm_cycles *sm_cycles_new(struct gpu_chip *chip, uint32_t sm, cycle_t from, cycle_t to,
                                struct diag *d)
{
    assert(to > from && to - from <= SM_CYCLES_MOST && sm < chip->sms);
    struct sm_cycles *x = zeroed(1, sizeof *x);
    *x = (struct sm_cycles){ .chip = chip, .sm = sm, .clock = chip->clock, .from = from, .to = to,
                             .subcores = chip->run.config->sm.subcores,
                             .kept = from > 0 ? from - 1 : 0 };
    x->cycles = zeroed(to - x->kept, sizeof *x->cycles);
    x->schedulers = zeroed((to - x->kept) * x->subcores, sizeof *x->schedulers);
    x->now = zeroed(chip->run.config->sm.warps, sizeof *x->now);
    x->record = record_new(&(struct record_config){
        .name = "sm", .clock = x->clock, .entries = true, .detail = true,
        .from = clock_tick(&x->clock, x->kept), .to = clock_tick(&x->clock, to),
        .most = MOST_ENTRIES });
    gpu_sm_record(chip->sm[sm], x->record);
    bool ok = run_chip(x, d);
    gpu_sm_record(chip->sm[sm], NULL);
    record_close(x->record, x->next);
    if (ok && x->next <= from)
        ok = diag_set(d, 0, 0, "the run is over before cycle %" PRIu64 "; expected a window that "
                      "begins before %" PRIu64, from, x->next);
    if (!ok) {
        sm_cycles_free(x);
        return NULL;
    }
    take_record(x);
    take_open(x);
    return x;
}

void sm_cycles_free(struct sm_cycles *x)
{
    if (!x)
        return;
    record_free(x->record);
    free(x->cycles);
    free(x->schedulers);
    free(x->warps);
    free(x->now);
    free(x);
}

/* ---- what was kept */

cycle_t sm_cycles_first(const struct sm_cycles *x) { return x->from; }
cycle_t sm_cycles_last(const struct sm_cycles *x) { return x->next - 1; }

const struct gpu_sm_look *sm_cycles_look(const struct sm_cycles *x, cycle_t cycle)
{
    return &at(x, cycle)->look;
}

enum gpu_cause sm_cycles_cause(const struct sm_cycles *x, cycle_t cycle, uint32_t subcore)
{
    return (enum gpu_cause)scheduler_at(x, cycle, subcore)->cause;
}

/* Whether the warp of that look issues in the cycle. */
static bool issues(const struct sm_cycles *x, cycle_t cycle, const struct gpu_warp_look *w)
{
    const struct scheduler *s = scheduler_at(x, cycle, w->subcore);
    return s->issued && s->slot == w->slot && s->block == w->block;
}

/* The first cycle after this one in which the same warp knows when its operands come. */
static const struct gpu_warp_look *when_known(const struct sm_cycles *x, cycle_t cycle,
                                              const struct gpu_warp_look *w)
{
    for (cycle++; cycle < x->next; cycle++) {
        const struct gpu_warp_look *later = find(x, cycle, w->slot);
        if (!later || later->block != w->block || later->pc != w->pc)
            return NULL;
        if (later->ready != CYCLE_NEVER)
            return later;
    }
    return NULL;
}

static void waits(struct sm_warp_cycle *w, enum gpu_cause cause, cycle_t until)
{
    w->does = SM_WARP_WAITS;
    w->cause = cause;
    w->until = until;
}

/* Whether the pipe of its operation was taken before the cycle's issue. */
static bool is_taken(const struct sm_cycles *x, cycle_t cycle, const struct gpu_warp_look *w)
{
    const struct scheduler *now = scheduler_at(x, cycle, w->subcore);
    if (now->look.free[w->pipe] <= cycle)
        return false;
    if (!now->issued)
        return true;
    /* It was free if another took it in this cycle. */
    const struct gpu_launch *l = &x->chip->run.launches[at(x, cycle)->look.launch];
    return l->kernel->ops[now->pc].pipe != w->pipe;
}

/* A queue that is full has no time yet: the pipe is free when the warp issues, or could. */
static cycle_t free_at(const struct sm_cycles *x, cycle_t cycle, const struct gpu_warp_look *w)
{
    cycle_t known = scheduler_at(x, cycle, w->subcore)->look.free[w->pipe];
    if (known != CYCLE_NEVER)
        return known;
    for (cycle++; cycle < x->next; cycle++)
        if (issues(x, cycle, w) || !is_taken(x, cycle, w))
            return cycle;
    return CYCLE_NEVER;
}

/* Behind its operands: the pipe, then the choice. */
static void wait_for_pipe(const struct sm_cycles *x, cycle_t cycle, struct sm_warp_cycle *w)
{
    const struct scheduler *now = scheduler_at(x, cycle, w->warp.subcore);
    const struct scheduler *was = cycle > x->kept ? now - x->subcores : now;
    bool is_full = w->warp.pipe == GPU_PIPE_LSU && now->look.lsu_full;
    if (is_taken(x, cycle, &w->warp))
        waits(w, is_full ? GPU_CAUSE_LSU : GPU_CAUSE_PIPE, free_at(x, cycle, &w->warp));
    else if (was->look.port > cycle)
        waits(w, GPU_CAUSE_PIPE, was->look.port);
    else
        w->does = SM_WARP_READY;
}

static void classify(const struct sm_cycles *x, cycle_t cycle, struct sm_warp_cycle *w)
{
    const struct gpu_warp_look *known = &w->warp;
    if (known->ready == CYCLE_NEVER)
        known = when_known(x, cycle, known);
    if (known)
        w->warp.rewrites = known->rewrites;
    if (!known)
        waits(w, (enum gpu_cause)w->warp.cause, CYCLE_NEVER);
    else if (known->ready > cycle)
        waits(w, (enum gpu_cause)known->cause, known->ready);
    else
        wait_for_pipe(x, cycle, w);
}

/* Whether a warp of the cycle before ends with the operation that it issues in this one. */
static bool ends(const struct sm_cycles *x, cycle_t cycle, const struct gpu_warp_look *w)
{
    const struct gpu_warp_look *now = find(x, cycle, w->slot);
    return issues(x, cycle, w) && !(now && now->block == w->block);
}

/* Those that the cycle ends with, and among them those that ended in it. */
static bool nth(const struct sm_cycles *x, cycle_t cycle, uint32_t i, struct gpu_warp_look *w)
{
    const struct cycle *c = at(x, cycle), *before = cycle > x->kept ? c - 1 : c;
    uint32_t a = 0, b = 0, ended = before == c ? 0 : before->look.warps;
    for (;;) {
        const struct gpu_warp_look *now = a < c->look.warps ? &x->warps[c->first_warp + a] : NULL;
        const struct gpu_warp_look *old = b < ended ? &x->warps[before->first_warp + b] : NULL;
        if (old && !ends(x, cycle, old)) {
            b++;
            continue;
        }
        if (!now && !old)
            return false;
        bool take_old = old && (!now || old->slot < now->slot);
        if (i-- == 0) {
            *w = take_old ? *old : *now;
            return true;
        }
        a += !take_old;
        b += take_old;
    }
}

bool sm_cycles_warp(const struct sm_cycles *x, cycle_t cycle, uint32_t i,
                    struct sm_warp_cycle *w)
{
    *w = (struct sm_warp_cycle){ .until = CYCLE_NEVER };
    if (!nth(x, cycle, i, &w->warp))
        return false;
    if (!issues(x, cycle, &w->warp)) {
        classify(x, cycle, w);
        return true;
    }
    w->does = SM_WARP_ISSUES;
    w->warp.pc = scheduler_at(x, cycle, w->warp.subcore)->pc;
    w->warp.pipe = GPU_PIPES_COUNT;             /* of the next one: the kernel knows this one's */
    const struct gpu_warp_look *before = cycle > x->kept ? find(x, cycle - 1, w->warp.slot) : NULL;
    w->warp.lanes = before && before->block == w->warp.block ? before->lanes : w->warp.lanes;
    return true;
}
