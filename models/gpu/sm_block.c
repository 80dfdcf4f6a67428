/* sm_block.c - blocks and warps come and go; barriers hold them together.
 *
 * An SM's arrays are made when its first block comes, large enough for any launch of the run:
 * an SM that never gets one has none.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/sm_inside.h"

/* The most that a launch of the run needs of each. */
struct most { size_t warps, blocks, scoreboard, registers, shared; };

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static uint32_t words_of_scoreboard(const struct gpu_kernel *k)
{
    return k->registers + k->predicates;
}

static struct most most_needed(const struct gpu_sm *sm)
{
    struct most m = { 0 };
    for (uint32_t i = 0; i < sm->run.launch_count; i++) {
        const struct gpu_occupancy *o = &sm->run.occupancy[i];
        const struct gpu_kernel *k = sm->run.launches[i].kernel;
        size_t warps = (size_t)o->blocks * o->warps;
        m.warps = larger(m.warps, warps);
        m.blocks = larger(m.blocks, o->blocks);
        m.scoreboard = larger(m.scoreboard, warps * words_of_scoreboard(k));
        m.registers = larger(m.registers, warps * k->registers);
        m.shared = larger(m.shared, (size_t)o->blocks * o->shared_bytes);
    }
    return m;
}

static void make_subcores(struct gpu_sm *sm)
{
    const struct gpu_config *c = sm->c;
    /* Each new warp goes where the fewest are, so none has more than its share. */
    uint32_t warps = (c->sm.warps + c->sm.subcores - 1) / c->sm.subcores;
    sm->subcores = zeroed(c->sm.subcores, sizeof *sm->subcores);
    for (uint32_t i = 0; i < c->sm.subcores; i++) {
        struct sm_subcore *s = &sm->subcores[i];
        s->next = NEVER;
        s->last = -1;
        s->ready = zeroed(warps, sizeof *s->ready);
        s->pipe = zeroed(warps, sizeof *s->pipe);
        s->warp = zeroed(warps, sizeof *s->warp);
        s->left = zeroed(c->lsu.queue, sizeof *s->left);
    }
}

void sm_make(struct gpu_sm *sm)
{
    if (sm->made)
        return;
    const struct gpu_config *c = sm->c;
    struct most m = most_needed(sm);
    sm->made = true;
    sm->total = zeroed((size_t)sm->run.launch_count + 1, sizeof *sm->total);
    sm->stats = &sm->total[sm->run.launch_count];
    sm->ledger = ledger_new(GPU_EVENTS_COUNT, sm->run.groups);
    sm->blocks = zeroed(m.blocks, sizeof *sm->blocks);
    sm->barriers = zeroed(m.blocks * c->sm.barriers, sizeof *sm->barriers);
    for (size_t i = 0; i < m.blocks; i++)
        sm->blocks[i].barriers = sm->barriers + i * c->sm.barriers;
    sm->warps = sm_lines(m.warps, sizeof *sm->warps);
    sm->scoreboard_words = m.scoreboard;
    sm->scoreboard = zeroed(m.scoreboard, sizeof *sm->scoreboard);
    sm->registers = sm_lines(m.registers, sizeof *sm->registers);
    if (sm->run.values)
        sm->shared = zeroed(m.shared, 1);
    sm->done = zeroed(c->sm.blocks, sizeof *sm->done);
    make_subcores(sm);
    sm_fetch_make(sm);
    sm_lsu_make(sm);
    sm_l1_make(sm);
}

/* ---- launches */

void sm_set_launch(struct gpu_sm *sm, uint32_t launch, cycle_t now)
{
    assert(sm->blocks_used == 0);       /* one launch at a time */
    sm_flush(sm, now);
    sm->launch_index = launch;
    sm->launch = &sm->run.launches[launch];
    sm->occupancy = &sm->run.occupancy[launch];
    sm->compute = sm->run.values;
    assert(sm->compute || sm->launch->kernel->oblivious);
    sm_fetch_set_kernel(sm);
    sm_l1_carve(sm);
}

/* From a block's arrival at an empty SM on, cycles belong to its launch. */
static void become_busy(struct gpu_sm *sm, cycle_t now)
{
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++)
        sm_charge(sm, &sm->subcores[i], now, GPU_CAUSE_NO_WARP);
    sm->stats = &sm->total[sm->launch_index];
    sm->busy_since = now;
    sm_flush(sm, now);
}

static void become_idle(struct gpu_sm *sm, cycle_t now)
{
    for (uint32_t i = 0; i < sm->c->sm.subcores; i++) {
        sm_charge(sm, &sm->subcores[i], now, GPU_CAUSE_NO_WARP);
        if (sm->record)
            sm_record_cause(sm, &sm->subcores[i], now, GPU_CAUSE_NO_WARP);
    }
    sm_flush(sm, now);
    sm->stats = &sm->total[sm->run.launch_count];
    sm->busy_ticks += clock_tick(&sm->clock, now) - clock_tick(&sm->clock, sm->busy_since);
}

/* ---- blocks */

bool sm_block_fits(const struct gpu_sm *sm) { return sm->blocks_used < sm->occupancy->blocks; }

static struct sm_subcore *emptiest(struct gpu_sm *sm)
{
    struct sm_subcore *best = sm->subcores;
    for (uint32_t i = 1; i < sm->c->sm.subcores; i++)
        if (sm->subcores[i].count < best->count)
            best = &sm->subcores[i];
    return best;
}

static void start_warp(struct gpu_sm *sm, uint32_t slot, uint32_t number, cycle_t now)
{
    const struct gpu_kernel *k = sm->launch->kernel;
    struct sm_subcore *s = emptiest(sm);
    uint32_t index = slot * sm->occupancy->warps + number;
    struct sm_warp *w = &sm->warps[index];
    w->ready = sm->scoreboard + (size_t)index * words_of_scoreboard(k);
    memset(w->ready, 0, words_of_scoreboard(k) * sizeof *w->ready);
    cycle_t first = now + sm->c->launch.block_cycles;
    w->floor = sm_when(sm, first, GPU_CAUSE_NO_WARP);
    w->line = 1;                    /* in none: pc is 0 */
    w->state = SM_RUNS;
    w->subcore = (uint8_t)(s - sm->subcores);
    w->place = (uint16_t)s->count;
    w->block = (uint16_t)slot;
    w->stores = w->group = w->oldest = 0;
    w->start = now;
    w->copied = 0;
    w->copied_cause = 0;
    memset(w->copies, 0, sizeof w->copies);
    gpu_warp_start(&w->w, &sm->blocks[slot].b, number,
                   sm->registers + (size_t)index * k->registers);
    s->warp[s->count++] = w;
    sm_wake(sm, w, first);
}

void sm_block_start(struct gpu_sm *sm, uint64_t index, cycle_t now)
{
    const struct gpu_launch *l = sm->launch;
    const struct gpu_occupancy *o = sm->occupancy;
    if (sm->blocks_used++ == 0)
        become_busy(sm, now);
    uint32_t slot = 0;
    while (sm->blocks[slot].used)
        slot++;
    struct sm_block *b = &sm->blocks[slot];
    memset(b->barriers, 0, sm->c->sm.barriers * sizeof *b->barriers);
    b->used = true;
    b->live = o->warps;
    b->waiting = b->flights = 0;
    b->b = (struct gpu_block){
        .launch = l, .index = index, .sm = sm->run.number,
        .sm_count = sm->c->sm.count,
        .at = { (uint32_t)(index % l->grid[0]), (uint32_t)(index / l->grid[0] % l->grid[1]),
                (uint32_t)(index / l->grid[0] / l->grid[1]) },
        .shared_bytes = l->kernel->shared_bytes + l->shared_bytes,
        .local_base = sm->run.local_base + slot * (gpu_local_bytes(l, o) / o->blocks),
    };
    if (sm->compute) {
        b->b.shared = sm->shared + (size_t)slot * o->shared_bytes;
        memset(b->b.shared, 0, b->b.shared_bytes);
    }
    for (uint32_t i = 0; i < o->warps; i++)
        start_warp(sm, slot, i, now);
}

void sm_block_check(struct gpu_sm *sm, struct sm_block *b, cycle_t now)
{
    if (b->live > 0 || b->flights > 0)
        return;
    b->used = false;
    sm->stats->blocks++;
    sm->done[(sm->done_first + sm->done_count++) % sm->c->sm.blocks] = b->b.index;
    if (--sm->blocks_used == 0)
        become_idle(sm, now);
    /* The message and the next block are for the next events: now, before any issue. */
    sm->done_at = cycle_min(sm->done_at, now);
    sm_look(sm);
}

/* ---- barriers */

static struct sm_warp *warp_of(struct gpu_sm *sm, const struct sm_block *b, uint32_t number)
{
    return &sm->warps[(uint32_t)(b - sm->blocks) * sm->occupancy->warps + number];
}

/* A warp that has ended counts as one that has come. */
static bool is_complete(const struct gpu_sm *sm, const struct sm_block *b,
                        const struct sm_barrier *bar, uint32_t threads)
{
    uint32_t ended = sm->occupancy->warps - b->live;
    return threads > 0 ? bar->arrived * GPU_LANES >= threads
                       : bar->arrived + ended >= sm->occupancy->warps;
}

static void release(struct gpu_sm *sm, struct sm_block *b, uint32_t number, cycle_t now)
{
    struct sm_barrier *bar = &b->barriers[number];
    cycle_t at = now + sm->c->pipes.barrier_cycles;
    for (uint32_t i = 0; i < sm->occupancy->warps; i++) {
        struct sm_warp *w = warp_of(sm, b, i);
        if (w->state != SM_AT_BARRIER || w->number != number)
            continue;
        gpu_warp_barrier_result(&w->w, w->barrier, w->barrier_mask, bar->said_true, bar->came);
        w->state = SM_RUNS;
        w->floor = sm_when(sm, at, GPU_CAUSE_BARRIER);
        b->waiting--;
        sm_wake(sm, w, now);
    }
    *bar = (struct sm_barrier){ 0 };
}

static void check_deadlock(struct gpu_sm *sm, struct sm_block *b)
{
    if (b->live == 0 || b->waiting < b->live || sm->failed)
        return;
    for (uint32_t i = 0; i < sm->occupancy->warps; i++) {
        struct sm_warp *w = warp_of(sm, b, i);
        if (w->state == SM_AT_BARRIER) {
            sm_fault(sm, w, w->barrier, "barrier %u is never reached by all who should: every "
                     "warp of the block waits at one or has ended", w->number);
            return;
        }
    }
}

void sm_barrier_arrive(struct gpu_sm *sm, struct sm_warp *w, const struct gpu_op *op,
                       uint32_t mask, cycle_t now)
{
    struct sm_block *b = &sm->blocks[w->block];
    if (op->number >= sm->c->sm.barriers) {
        sm_fault(sm, w, op, "barrier %u; a block has %u", op->number, sm->c->sm.barriers);
        return;
    }
    if (mask != ~w->w.ended) {
        sm_fault(sm, w, op, "a barrier that only some threads of a warp reach");
        return;
    }
    struct sm_barrier *bar = &b->barriers[op->number];
    uint32_t threads = gpu_warp_barrier_threads(&w->w, op);
    bar->arrived++;
    bar->came += sm_lanes(mask);
    bar->said_true += gpu_warp_barrier_true(&w->w, op, mask);
    if (!(op->flags & GPU_OP_ARRIVE)) {
        w->state = SM_AT_BARRIER;
        w->number = op->number;
        w->barrier = op;
        w->barrier_mask = mask;
        w->floor = UNKNOWN | GPU_CAUSE_BARRIER;
        b->waiting++;
    }
    if (is_complete(sm, b, bar, threads))
        release(sm, b, op->number, now);
    else
        check_deadlock(sm, b);
}

/* Those who wait for all need wait no longer for it. */
static void release_by_end(struct gpu_sm *sm, struct sm_block *b, cycle_t now)
{
    for (uint32_t i = 0; i < sm->occupancy->warps && b->waiting > 0; i++) {
        struct sm_warp *w = warp_of(sm, b, i);
        if (w->state != SM_AT_BARRIER)
            continue;
        uint32_t threads = gpu_warp_barrier_threads(&w->w, w->barrier);
        if (is_complete(sm, b, &b->barriers[w->number], threads))
            release(sm, b, w->number, now);
    }
}

/* Its scheduler's arrays close up behind it. */
static void leave(struct sm_subcore *s, uint32_t place)
{
    s->count--;
    for (uint32_t i = place; i < s->count; i++) {
        s->ready[i] = s->ready[i + 1];
        s->pipe[i] = s->pipe[i + 1];
        s->warp[i] = s->warp[i + 1];
        s->warp[i]->place = (uint16_t)i;
    }
    if (s->last == (int32_t)place)
        s->greedy = false;
    if (s->last >= (int32_t)place)
        s->last--;
}

void sm_warp_ends(struct gpu_sm *sm, struct sm_warp *w, cycle_t now)
{
    struct sm_block *b = &sm->blocks[w->block];
    w->state = SM_ENDED;
    sm->stats->warp_cycles += now + 1 - w->start;
    if (sm->record)
        sm_record_warp(sm, w, now + 1);
    leave(&sm->subcores[w->subcore], w->place);
    b->live--;
    release_by_end(sm, b, now);
    check_deadlock(sm, b);
    sm_block_check(sm, b, now + 1);
}
