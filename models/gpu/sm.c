/* sm.c - an SM through its windows: whoever is due first goes on, cycle after cycle.
 *
 * Schedulers share the load-store unit, shared memory and L1, so they go in one order of
 * cycles, and by number within a cycle; messages and the unit come before them.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/sm_inside.h"

void *sm_lines(size_t count, size_t size)
{
    size_t bytes = (count * size + SM_HOST_LINE - 1) / SM_HOST_LINE * SM_HOST_LINE;
    void *p = aligned_alloc(SM_HOST_LINE, bytes > 0 ? bytes : SM_HOST_LINE);
    if (!p)
        abort();
    return p;
}

struct gpu_sm *gpu_sm_new(const struct gpu_sm_config_run *run)
{
    struct gpu_sm *sm = zeroed(1, sizeof *sm);
    sm->run = *run;
    sm->c = run->config;
    sm->clock.hz = (uint64_t)(run->config->gpu.clock_mhz * 1e6 + 0.5);
    sm->launch_index = GPU_NO_LAUNCH;
    sm->front_at = sm->answer_at = sm->out_at = sm->done_at = sm->unit_at = CYCLE_NEVER;
    /* The slices are told where these are before the run; what is never touched costs nothing. */
    if (run->values)
        sm->payloads = zeroed((size_t)sm->c->l1.mshrs + sm->c->l1.stores, sizeof *sm->payloads);
    return sm;
}

static void free_subcores(struct gpu_sm *sm)
{
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++) {
        struct sm_subcore *s = &sm->subcores[i];
        free(s->ready);
        free(s->pipe);
        free(s->warp);
        free(s->left);
        free(s->l0);
    }
    free(sm->subcores);
}

void gpu_sm_free(struct gpu_sm *sm)
{
    if (!sm)
        return;
    if (sm->made)
        free_subcores(sm);
    void *const owned[] = {
        sm->payloads, sm->total, sm->blocks, sm->barriers, sm->warps, sm->scoreboard,
        sm->registers, sm->shared, sm->done, sm->requests, sm->flights, sm->values,
        sm->patterns, sm->store_flight, sm->free_stores, sm->out, sm->l1i, sm->code,
        sm->l1.bytes, sm->l1.misses, sm->l1.bucket, sm->l1.waiters,
    };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    sm_tags_free(&sm->l1.tags);
    ledger_free(sm->ledger);
    free(sm);
}

struct gpu_payload *gpu_sm_payloads(struct gpu_sm *sm) { return sm->payloads; }

/* ---- the block scheduler's messages, and those to it */

/* A block may wait for the end of another; one more stays on the link. */
static void front_look(struct gpu_sm *sm)
{
    bool room = !sm->made || !sm->has_waiting;
    sm->front_at = room ? clock_cycle(&sm->clock, link_arrival(sm->run.from_front)) : CYCLE_NEVER;
}

static void front_take(struct gpu_sm *sm, cycle_t now)
{
    const struct message *m = link_peek(sm->run.from_front, clock_tick(&sm->clock, now), NULL);
    assert(m);
    if (m->kind == GPU_FRONT_LAUNCH) {
        if (sm->made)
            sm_l1_forget(sm);
    } else {
        assert(m->kind == GPU_FRONT_BLOCK && m->address < sm->run.launch_count);
        sm_make(sm);
        if (m->address != sm->launch_index)
            sm_set_launch(sm, (uint32_t)m->address, now);
        sm->has_waiting = true;
        sm->waiting = m->id;
    }
    link_take(sm->run.from_front, clock_tick(&sm->clock, now));
    if (sm->has_waiting && sm_block_fits(sm)) {
        sm->has_waiting = false;
        sm_block_start(sm, sm->waiting, now);
    }
    front_look(sm);
}

static void done_look(struct gpu_sm *sm, cycle_t now)
{
    tick_t at = sm->done_count == 0 ? TICK_NEVER
              : link_send_at(sm->run.to_front, sm->run.front_sender, clock_tick(&sm->clock, now));
    sm->done_at = clock_cycle(&sm->clock, at);
}

static void done_run(struct gpu_sm *sm, cycle_t now)
{
    tick_t tick = clock_tick(&sm->clock, now);
    while (sm->done_count > 0 && link_can_send(sm->run.to_front, sm->run.front_sender, tick)) {
        struct message m = { .kind = GPU_SM_BLOCK_DONE, .address = sm->launch_index,
                             .id = sm->done[sm->done_first], .group = sm->launch->group };
        link_send(sm->run.to_front, sm->run.front_sender, tick, &m);
        sm->done_first = (sm->done_first + 1) % sm->c->sm.blocks;
        sm->done_count--;
    }
    done_look(sm, now);
}

/* ---- windows */

static cycle_t events_at(const struct gpu_sm *sm)
{
    cycle_t answer = cycle_max(sm->answer_at, sm->in_free);
    cycle_t at = cycle_min(cycle_min(sm->front_at, answer), sm->unit_at);
    return cycle_max(sm->from, cycle_min(at, cycle_min(sm->out_at, sm->done_at)));
}

void sm_look(struct gpu_sm *sm)
{
    sm->stop = sm_since(sm, cycle_min(events_at(sm), sm->limit));
}

static void run_events(struct gpu_sm *sm, cycle_t now)
{
    if (sm->front_at <= now)
        front_take(sm, now);
    if (cycle_max(sm->answer_at, sm->in_free) <= now)
        sm_answers_run(sm, now);
    if (sm->unit_at <= now)
        sm_unit_run(sm, now);
    if (sm->out_at <= now)
        sm_out_run(sm, now);
    if (sm->done_at <= now)
        done_run(sm, now);
    /* The end of a block makes room for the one that waits. */
    if (sm->has_waiting && sm_block_fits(sm)) {
        sm->has_waiting = false;
        sm_block_start(sm, sm->waiting, now);
        front_look(sm);
    }
    sm_look(sm);
}

static struct sm_subcore *earliest(struct gpu_sm *sm)
{
    struct sm_subcore *first = sm->subcores;
    for (uint32_t i = 1; i < sm->c->sm.subcores; i++)
        if (sm->subcores[i].next < first->next)
            first = &sm->subcores[i];
    return first;
}

static void run_to_limit(struct gpu_sm *sm)
{
    sm_look(sm);
    while (!sm->failed) {
        struct sm_subcore *s = sm->made ? earliest(sm) : NULL;
        if (s && s->next < sm->stop) {
            sm_issue(sm, s);
            continue;
        }
        cycle_t now = events_at(sm);
        if (now >= sm->limit)
            break;
        run_events(sm, now);
    }
}

/* Times in scoreboards are 28 bits of cycles: now and then all of them move. */
static void move_whens(when_t *when, size_t count, uint32_t cycles)
{
    for (size_t i = 0; i < count; i++)
        if (when[i] < UNKNOWN)
            when[i] -= when[i] < cycles << CAUSE_BITS ? when[i] : cycles << CAUSE_BITS;
}

static void move_cycles(uint32_t *cycle, size_t count, uint32_t cycles)
{
    for (size_t i = 0; i < count; i++)
        if (cycle[i] < NEVER)
            cycle[i] -= cycle[i] < cycles ? cycle[i] : cycles;
}

static void rebase(struct gpu_sm *sm)
{
    if (!sm->made)
        sm->base = sm->from;
    cycle_t far = sm->from - sm->base;
    if (far < REBASE)
        return;
    uint32_t by = far < NEVER ? (uint32_t)far : NEVER;
    move_whens(sm->scoreboard, sm->scoreboard_words, by);
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++) {
        struct sm_subcore *s = &sm->subcores[i];
        move_cycles(&s->next, 1, by);
        move_cycles(&s->port, 1, by);
        move_cycles(s->free, GPU_PIPES_COUNT, by);
        move_whens(s->busy, GPU_PIPES_COUNT, by);
        move_whens(s->ready, s->count, by);
        for (uint32_t w = 0; w < s->count; w++)
            move_whens(&s->warp[w]->floor, 1, by);
    }
    sm->base = sm->from;
}

/* Other SMs had the host's caches since the last window: what this one will need of its state
 * is asked for at once, instead of piece by piece when it is met. */
static void prefetch(const void *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)at + i);
}

/* Of the warps that will go on before `end`: what they have in registers and scoreboard. */
static void prefetch_warps(const struct gpu_sm *sm, const struct sm_subcore *s, when_t end)
{
    for (uint32_t w = 0; w < s->count; w++) {
        if (s->ready[w] >= end)
            continue;
        const struct sm_warp *warp = s->warp[w];
        prefetch(warp->ready, warp->w.kernel->registers * sizeof *warp->ready);
        sm_prefetch_operands(sm, warp, gpu_warp_op(&warp->w));
    }
}

static void prefetch_state(const struct gpu_sm *sm, cycle_t last)
{
    when_t end = sm_when(sm, last, 0);
    prefetch(sm, offsetof(struct gpu_sm, fault));
    prefetch(sm->subcores, sm->c->sm.subcores * sizeof *sm->subcores);
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++) {
        const struct sm_subcore *s = &sm->subcores[i];
        prefetch(s->ready, s->count * sizeof *s->ready);
        prefetch(s->warp, s->count * sizeof(struct sm_warp *));
        prefetch(s->pipe, s->count);
    }
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++)
        for (uint32_t w = 0; w < sm->subcores[i].count; w++)
            if (sm->subcores[i].ready[w] < UNKNOWN) {
                __builtin_prefetch(sm->subcores[i].warp[w]);
                __builtin_prefetch(&sm->subcores[i].warp[w]->w.active);
            }
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++)
        prefetch_warps(sm, &sm->subcores[i], end);
    if (sm->l1.free_miss != NONE)
        __builtin_prefetch(&sm->l1.misses[sm->l1.free_miss]);
}

static cycle_t next_issue(struct gpu_sm *sm)
{
    return sm->made ? sm_cycle(sm, earliest(sm)->next) : CYCLE_NEVER;
}

/* Where it must stop next on its way to `last`.  Nothing is counted before the next event. */
static cycle_t limit_of(struct gpu_sm *sm, cycle_t last)
{
    cycle_t limit = cycle_min(last, sm->base + 2 * REBASE);
    if (!sm->made)
        return limit;
    if (sm->from >= sm->flush_at)
        sm_flush(sm, cycle_min(last, cycle_min(events_at(sm), next_issue(sm))));
    return cycle_min(limit, sm->flush_at);
}

static tick_t run(void *self, tick_t end)
{
    struct gpu_sm *sm = self;
    cycle_t last = clock_cycle(&sm->clock, end);
    if (sm->failed)
        return TICK_NEVER;
    if (sm->blocks_used > 0)
        prefetch_state(sm, last);
    front_look(sm);
    if (sm->made) {
        sm_answers_look(sm);
        sm_out_look(sm, sm->from);
        done_look(sm, sm->from);
    }
    while (sm->from < last && !sm->failed) {
        rebase(sm);
        sm->limit = limit_of(sm, last);
        run_to_limit(sm);
        sm->from = sm->limit;
    }
    if (sm->failed)
        return TICK_NEVER;
    cycle_t next = cycle_min(events_at(sm), next_issue(sm));
    return next == CYCLE_NEVER ? TICK_NEVER : tick_max(end, clock_tick(&sm->clock, next));
}

static bool idle(const void *self)
{
    const struct gpu_sm *sm = self;
    return sm->failed || (sm->blocks_used == 0 && !sm->has_waiting && sm->done_count == 0);
}

static void describe(const void *self, char *text, size_t size)
{
    const struct gpu_sm *sm = self;
    uint32_t at_barrier = 0, at_copies = 0, at_fence = 0, running = 0;
    for (uint32_t i = 0; sm->made && i < sm->c->sm.subcores; i++)
        for (uint32_t w = 0; w < sm->subcores[i].count; w++) {
            uint8_t state = sm->subcores[i].warp[w]->state;
            at_barrier += state == SM_AT_BARRIER;
            at_copies += state == SM_AT_COPIES;
            at_fence += state == SM_AT_FENCE;
            running += state == SM_RUNS;
        }
    snprintf(text, size, "%s: %u blocks%s; warps: %u wait for barriers, %u for copies, %u for "
             "stores, %u for operands; %u operations before the load-store unit%s; %u messages "
             "wait for L2", sm->run.name, sm->blocks_used, sm->has_waiting ? " and one waiting" : "",
             at_barrier, at_copies, at_fence, running, sm->request_count,
             sm->blocked ? " (which lacks an MSHR or a place for a store)" : "", sm->out_count);
}

struct block gpu_sm_block(struct gpu_sm *sm)
{
    return (struct block){ .name = sm->run.name, .self = sm, .run = run, .idle = idle,
                           .describe = describe };
}
