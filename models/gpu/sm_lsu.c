/* sm_lsu.c - the load-store unit: takes operations in the order of their issue.
 *
 *     sub-core queues --> [ unit ] -- passes of shared memory -----------------> result
 *                            |------- lines, some a cycle: L1 hit ------------> result
 *                            |                             miss -> L2 -> answer -> result
 *
 * An operation on shared memory alone is reckoned when it issues if all before it have been:
 * it begins when the unit is free.  One that looks up lines must meet L1 as it then is, so it
 * waits for its turn; and one that finds no MSHR, or no slot for a store, holds up the unit
 * until an answer comes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/sm_inside.h"

#define FIRST_FLIGHTS 64

void sm_lsu_make(struct gpu_sm *sm)
{
    /* One more a sub-core than its queue: that which the unit has taken from it. */
    sm->request_room = sm->c->sm.subcores * (sm->c->lsu.queue + 1);
    sm->requests = zeroed(sm->request_room, sizeof *sm->requests);
    sm->patterns = zeroed(SM_PATTERNS, sizeof *sm->patterns);
    sm->free_flight = NONE;
    sm->unit_at = CYCLE_NEVER;
}

/* ---- flights */

/* As many as there are operations under way; MSHRs and slots of stores bound those. */
static void more_flights(struct gpu_sm *sm)
{
    uint32_t old = sm->flight_room, room = old > 0 ? 2 * old : FIRST_FLIGHTS;
    sm->flights = realloc(sm->flights, room * sizeof *sm->flights);
    if (sm->compute)
        sm->values = realloc(sm->values, room * sizeof *sm->values);
    if (!sm->flights || (sm->compute && !sm->values))
        abort();
    for (uint32_t i = room; i > old; i--) {
        sm->flights[i - 1].next = sm->free_flight;
        sm->free_flight = i - 1;
    }
    sm->flight_room = room;
}

uint32_t sm_flight_new(struct gpu_sm *sm, struct sm_warp *w, const struct gpu_op *op,
                       uint32_t mask)
{
    if (sm->free_flight == NONE)
        more_flights(sm);
    uint32_t flight = sm->free_flight;
    struct sm_flight *f = &sm->flights[flight];
    sm->free_flight = f->next;
    *f = (struct sm_flight){ .warp = w, .op = op, .mask = mask, .waits = 1 };
    return flight;
}

static void result_ready(struct gpu_sm *sm, struct sm_warp *w, const struct gpu_op *op,
                         cycle_t at, unsigned cause, cycle_t now)
{
    when_t ready = sm_when(sm, at, cause);
    const uint16_t *list = w->w.kernel->operands + op->operands;
    for (unsigned i = 0; i < op->dsts; i++)
        w->ready[list[i]] = ready;
    for (unsigned i = 0; i < 2; i++)
        if (op->pdst[i] != GPU_NO_PREDICATE)
            w->ready[w->w.kernel->registers + op->pdst[i]] = ready;
    if (w->state == SM_RUNS && sm->subcores[w->subcore].ready[w->place] >= UNKNOWN)
        sm_wake(sm, w, now);
}

static void store_done(struct gpu_sm *sm, struct sm_warp *w, cycle_t now)
{
    if (--w->stores > 0 || w->state != SM_AT_FENCE)
        return;
    w->state = SM_RUNS;
    w->floor = sm_when(sm, now + 1, GPU_CAUSE_L2);
    sm_wake(sm, w, now);
}

/* The bytes go into shared memory past the queue: they take the unit's time when they come. */
static void copy_done(struct gpu_sm *sm, const struct sm_flight *f, cycle_t now)
{
    struct sm_warp *w = f->warp;
    cycle_t from = cycle_max(sm->unit_free, now);
    sm->unit_free = from + f->passes;
    record_amount(sm->record, sm->tracks.unit, from, sm->unit_free, f->passes);
    if (f->at >= w->copied) {
        w->copied = f->at;
        w->copied_cause = f->cause;
    }
    w->copies[f->group % COPY_GROUPS]--;
    if (w->state != SM_AT_COPIES || !sm_copies_done(w, w->number))
        return;
    w->state = SM_RUNS;
    w->floor = sm_when(sm, cycle_max(w->copied, now + 1), w->copied_cause);
    sm_wake(sm, w, now);
}

static void left_block(struct gpu_sm *sm, struct sm_warp *w, cycle_t now)
{
    struct sm_block *b = &sm->blocks[w->block];
    b->flights--;
    sm_block_check(sm, b, now);
}

static void complete(struct gpu_sm *sm, uint32_t flight, cycle_t now)
{
    struct sm_flight f = sm->flights[flight];
    if (sm->compute && f.op->kind == GPU_COPY)
        sm_values_copied(sm, flight);
    sm->flights[flight].next = sm->free_flight;
    sm->free_flight = flight;
    bool leaves = f.op->access.space != GPU_SPACE_SHARED;
    if (f.op->kind == GPU_COPY)
        copy_done(sm, &f, now);
    else if (f.op->kind == GPU_STORE || f.op->kind == GPU_ATOMIC)
        if (leaves)
            store_done(sm, f.warp, now);
    if (f.op->kind != GPU_COPY && (f.op->dsts > 0 || f.op->pdst[0] != GPU_NO_PREDICATE))
        result_ready(sm, f.warp, f.op, f.at, f.cause, now);
    left_block(sm, f.warp, now);
}

void sm_flight_answered(struct gpu_sm *sm, uint32_t flight, cycle_t at, unsigned cause,
                        cycle_t now)
{
    struct sm_flight *f = &sm->flights[flight];
    if (at > f->at) {
        f->at = at;
        f->cause = (uint8_t)cause;
    }
    assert(f->waits > 0);
    if (--f->waits == 0)
        complete(sm, flight, now);
}

/* ---- the unit */

/* A sub-core's next operation finds a place in its queue when this one has left it. */
static void look_at_queue(struct gpu_sm *sm, struct sm_subcore *s)
{
    cycle_t left = s->left[s->lsu_ops % sm->c->lsu.queue];
    uint32_t place = left == CYCLE_NEVER ? NEVER : sm_since(sm, left);
    uint32_t interval = (s->busy[GPU_PIPE_LSU] + 15) >> CAUSE_BITS;
    s->lsu_full = place > interval;
    s->free[GPU_PIPE_LSU] = s->lsu_full ? place : interval;
}

static void leaves_queue(struct gpu_sm *sm, const struct sm_request *r, cycle_t at, cycle_t now)
{
    struct sm_subcore *s = &sm->subcores[r->subcore];
    s->left[r->number % sm->c->lsu.queue] = at;
    if (s->free[GPU_PIPE_LSU] < NEVER)
        return;
    look_at_queue(sm, s);
    sm_choose(sm, s, sm_since(sm, now));
}

static void served(struct gpu_sm *sm, struct sm_request *r, cycle_t at, unsigned cause,
                   cycle_t now)
{
    struct sm_request done = *r;    /* its place may be taken by what follows from it */
    sm->request_first = (sm->request_first + 1) % sm->request_room;
    sm->request_count--;
    if (done.flight != NONE) {
        sm_flight_answered(sm, done.flight, at, cause, now);
        return;
    }
    result_ready(sm, done.warp, done.op, at, cause, now);
    left_block(sm, done.warp, now);
}

static void serve_shared(struct gpu_sm *sm, struct sm_request *r, cycle_t start, cycle_t now)
{
    unsigned cause = r->op->kind == GPU_SHUFFLE ? GPU_CAUSE_DEPENDENCY : GPU_CAUSE_SHARED;
    sm->unit_free = start + r->passes;
    record_amount(sm->record, sm->tracks.unit, start, sm->unit_free, r->passes);
    if (r->flight != NONE)
        sm_values_shared(sm, r->flight);
    served(sm, r, start + r->latency + r->passes - 1, cause, now);
}

/* False: it waits for an answer. */
static bool look_up(struct gpu_sm *sm, struct sm_request *r, cycle_t start, uint32_t *looked,
                    bool *hit)
{
    bool is_load = r->op->kind == GPU_LOAD || r->op->kind == GPU_COPY;
    for (; r->at < r->count; r->at++, ++*looked) {
        const struct sm_line *l = &r->line[r->at];
        cycle_t at = start + *looked / sm->c->l1.tags_per_cycle;
        if (!(is_load ? sm_l1_load(sm, r, l, at, hit) : sm_l1_store(sm, r, l, at)))
            return false;
    }
    return true;
}

static bool serve_lines(struct gpu_sm *sm, struct sm_request *r, cycle_t start)
{
    const struct gpu_l1_config *c = &sm->c->l1;
    cycle_t from = start;
    uint32_t looked = 0;
    bool hit = false;
    if (r->passes > 0 && !r->begun) {       /* lanes of both: shared memory comes first */
        if (sm->compute)
            sm_values_shared(sm, r->flight);
        sm->flights[r->flight].at = start + r->latency + r->passes - 1;
        sm->flights[r->flight].cause = GPU_CAUSE_SHARED;
        start += r->passes;
    }
    r->begun = true;
    bool all = look_up(sm, r, start, &looked, &hit);
    uint32_t tags = (looked + c->tags_per_cycle - 1) / c->tags_per_cycle;
    bool later = r->op->kind == GPU_COPY;       /* its bytes take the unit when they come */
    uint32_t data = later ? 0 : (r->parts + c->bytes_per_cycle - 1) / c->bytes_per_cycle;
    uint32_t cycles = tags > data ? tags : data;
    sm->unit_free = start + (cycles > 0 ? cycles : 1);
    record_amount(sm->record, sm->tracks.unit, from, sm->unit_free, sm->unit_free - from);
    if (!all) {
        sm->blocked = true;
        return false;
    }
    cycle_t at = hit ? sm->unit_free - 1 + c->hit_latency : start;
    served(sm, r, at, GPU_CAUSE_L1, start);
    return true;
}

static bool serve(struct gpu_sm *sm, struct sm_request *r, cycle_t start, cycle_t now)
{
    if (!r->begun)
        leaves_queue(sm, r, start, now);
    if (r->count > 0 || r->op->kind == GPU_COPY)
        return serve_lines(sm, r, start);
    serve_shared(sm, r, start, now);
    return true;
}

void sm_unit_run(struct gpu_sm *sm, cycle_t now)
{
    sm->unit_at = CYCLE_NEVER;
    while (sm->request_count > 0 && !sm->blocked) {
        struct sm_request *r = &sm->requests[sm->request_first];
        cycle_t start = cycle_max(sm->unit_free, r->issued);
        bool lines = r->count > 0 || r->op->kind == GPU_COPY;
        if (lines && start > now) {
            sm->unit_at = start;
            break;
        }
        serve(sm, r, start, now);
    }
    record_level(sm->record, sm->tracks.depth, now, sm->request_count);
}

struct sm_request *sm_request_new(struct gpu_sm *sm)
{
    assert(sm->request_count < sm->request_room);
    if (sm->request_count == 0)
        sm->request_first = 0;      /* the same lines of the host's cache again */
    uint32_t at = (sm->request_first + sm->request_count) % sm->request_room;
    sm->request_count++;
    return &sm->requests[at];
}

void sm_request_issue(struct gpu_sm *sm, struct sm_request *r)
{
    struct sm_subcore *s = &sm->subcores[r->subcore];
    record_level(sm->record, sm->tracks.depth, r->issued, sm->request_count);
    sm->blocks[r->warp->block].flights++;
    s->left[r->number % sm->c->lsu.queue] = CYCLE_NEVER;
    if (sm->request_count == 1 && !sm->blocked) {
        sm_unit_run(sm, r->issued);
        if (sm->unit_at != CYCLE_NEVER)
            sm_look(sm);
    }
    look_at_queue(sm, s);
}
