/* sm_issue.c - schedulers choose warps; an operation that issues says when the next one can.
 *
 * A warp's next operation can issue when its registers are ready (the scoreboard), its
 * instruction is there and its pipe is free.  The first two are worked out once, when the
 * operation before it issues, and again only if something that it waits for was unknown; so a
 * choice is one walk over at most two numbers a warp.
 */
#include <assert.h>
#include <inttypes.h>

#include "models/gpu/sm_inside.h"

static inline when_t later(when_t a, when_t b) { return a > b ? a : b; }

/* ---- the choice */

static inline uint32_t can_issue_at(const struct sm_subcore *s, uint32_t place)
{
    uint32_t ready = s->ready[place] >> CAUSE_BITS, pipe = s->free[s->pipe[place]];
    return ready > pipe ? ready : pipe;
}

/* The first of the earliest, from place `first` on and round. */
static void choose_from(struct sm_subcore *s, uint32_t first, uint32_t from, uint32_t best)
{
    for (uint32_t n = 0, i = first; n < s->count; n++, i = i + 1 < s->count ? i + 1 : 0) {
        uint32_t at = can_issue_at(s, i);
        if (at >= best)
            continue;
        best = at;
        s->pick = i;
        if (at <= from)
            break;
    }
    s->next = best > from ? best : from;
}

void sm_choose(const struct gpu_sm *sm, struct sm_subcore *s, uint32_t from)
{
    if (s->port > from)
        from = s->port;
    if (s->count == 0) {
        s->next = NEVER;
    } else if (sm->c->sm.scheduler == GPU_LRR) {
        choose_from(s, (uint32_t)(s->last + 1) % s->count, from, NEVER);
    } else {
        uint32_t best = NEVER;
        if (s->greedy) {
            s->pick = (uint32_t)s->last;
            best = can_issue_at(s, s->pick);
        }
        if (best <= from)
            s->next = from;
        else
            choose_from(s, 0, from, best);
    }
    if (s->next > NEVER)
        s->next = NEVER;
}

/* ---- what the next operation of a warp waits for */

/* None of guard, pdst and psrc, which lie side by side. */
static inline bool without_predicates(const struct gpu_op *op)
{
    return (op->guard & op->pdst[0] & op->pdst[1] & op->psrc[0] & op->psrc[1] & op->psrc[2]) ==
           GPU_NO_PREDICATE;
}

static when_t predicates_ready(const struct sm_warp *w, const struct gpu_op *op, when_t ready)
{
    const when_t *board = w->ready + w->w.kernel->registers;
    const uint8_t used[] = { op->guard, op->pdst[0], op->pdst[1], op->psrc[0], op->psrc[1],
                             op->psrc[2] };
    for (unsigned i = 0; i < sizeof used; i++)
        if (used[i] != GPU_NO_PREDICATE)
            ready = later(ready, board[used[i]]);
    return ready;
}

/* A destination under way holds up whoever writes it again, as one who reads it. */
static when_t operands_ready(struct sm_warp *w, const struct gpu_op *op, when_t ready)
{
    const uint16_t *list = w->w.kernel->operands + op->operands;
    const when_t *board = w->ready;
    for (unsigned i = 0; i < op->dsts; i++)
        ready = later(ready, board[list[i]]);
    list += op->dsts;
    uint32_t reads = 0;
    for (unsigned i = 0; i < op->srcs; i++) {
        if (list[i] >= GPU_CONSTANT)
            continue;
        ready = later(ready, board[list[i]]);
        reads++;
    }
    w->reads = (uint8_t)reads;
    return without_predicates(op) ? ready : predicates_ready(w, op, ready);
}

static void enter_line(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w, cycle_t now)
{
    uint32_t per_line = sm->line_ops, line = w->w.pc / per_line;
    w->line = line * per_line;
    w->floor = later(w->floor, sm_when(sm, sm_fetch(sm, s, line, now), GPU_CAUSE_FETCH));
}

static inline void plan(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w, cycle_t now)
{
    if (w->w.pc - w->line >= sm->line_ops)
        enter_line(sm, s, w, now);
    const struct gpu_op *op = gpu_warp_op(&w->w);
    s->ready[w->place] = operands_ready(w, op, w->floor);
    s->pipe[w->place] = op->pipe;
    sm_prefetch_operands(sm, w, op);
}

void sm_wake(struct gpu_sm *sm, struct sm_warp *w, cycle_t now)
{
    if (w->state == SM_ENDED)
        return;
    struct sm_subcore *s = &sm->subcores[w->subcore];
    plan(sm, s, w, now);
    sm_choose(sm, s, sm_since(sm, now));
}

/* ---- copies to shared memory, and fences */

bool sm_copies_done(struct sm_warp *w, uint32_t number)
{
    while (w->oldest != w->group && w->copies[w->oldest % COPY_GROUPS] == 0)
        w->oldest++;
    return w->group - w->oldest <= number;
}

static void wait_for_copies(struct gpu_sm *sm, struct sm_warp *w, uint32_t number)
{
    if (sm_copies_done(w, number)) {
        w->floor = later(w->floor, sm_when(sm, w->copied, w->copied_cause));
        return;
    }
    w->state = SM_AT_COPIES;
    w->number = (uint8_t)number;
    w->floor = UNKNOWN | GPU_CAUSE_L2;
}

static void commit_copies(struct gpu_sm *sm, struct sm_warp *w)
{
    w->group++;
    if (!sm_copies_done(w, COPY_GROUPS - 1))
        wait_for_copies(sm, w, COPY_GROUPS - 1);
}

static void wait_for_stores(struct sm_warp *w)
{
    if (w->stores == 0)
        return;
    w->state = SM_AT_FENCE;
    w->floor = UNKNOWN | GPU_CAUSE_L2;
}

/* ---- an operation issues */

/* What the sub-core has waited for since it last issued. */
static unsigned cause_of_wait(const struct sm_subcore *s)
{
    when_t ready = s->ready[s->pick];
    unsigned pipe = s->pipe[s->pick];
    if (ready >> CAUSE_BITS == s->next)
        return CAUSE_OF(ready);
    return pipe == GPU_PIPE_LSU && s->lsu_full && s->free[pipe] == s->next ? GPU_CAUSE_LSU
                                                                           : GPU_CAUSE_PIPE;
}

static void count(struct gpu_sm *sm, const struct sm_warp *w, const struct gpu_op *op,
                  uint32_t mask)
{
    struct gpu_sm_stats *stats = sm->stats;
    uint32_t lanes = sm_lanes(op->flags & GPU_OP_ALL_LANES ? w->w.active : mask);
    stats->operations++;
    stats->lanes += lanes;
    stats->macs += op->macs;
    stats->flops += (uint64_t)op->flops * lanes;
    sm->energy[GPU_EVENT_ISSUE]++;
    sm->energy[GPU_EVENT_OPERAND_READ] += w->reads;
    sm->energy[GPU_EVENT_OPERAND_WRITE] += op->dsts;
    sm->energy[op->event] += op->event == GPU_EVENT_TENSOR ? op->macs : lanes;
}

/* The pipe for its interval; the dispatch port for a cycle, or as long as the operands come
 * out of the register banks later than the pipe could take them. */
static void take_pipe(struct gpu_sm *sm, struct sm_subcore *s, const struct gpu_op *op)
{
    uint32_t now = s->next, interval = op->interval, held = 0;
    uint32_t shown = interval > 16 ? interval : 16;
    if (op->bank_cycles * 16u > shown)
        held = (op->bank_cycles * 16u - shown + 15) / 16;
    when_t busy = s->busy[op->pipe];
    if (busy + 16 <= now << 4)      /* else it goes on in the middle of the cycle */
        busy = now << 4;
    busy += interval + held * 16;
    s->busy[op->pipe] = busy;
    s->free[op->pipe] = (busy + 15) >> 4;
    s->port = now + 1 + held;
    sm->stats->bank_conflicts += held;
}

static void results_ready(struct sm_warp *w, const struct gpu_op *op, when_t at)
{
    const uint16_t *list = w->w.kernel->operands + op->operands;
    for (unsigned i = 0; i < op->dsts; i++)
        w->ready[list[i]] = at;
    for (unsigned i = 0; i < 2; i++)
        if (op->pdst[i] != GPU_NO_PREDICATE)
            w->ready[w->w.kernel->registers + op->pdst[i]] = at;
}

/* Cycles until a warp wakes, this one included. */
static cycle_t asleep(const struct gpu_sm *sm, const struct gpu_op *op)
{
    return 1 + (uint64_t)op->access.offset * sm->clock.hz / 1000000000;
}

/* What it does beyond taking its pipe; before the warp goes on. */
static void act(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w,
                const struct gpu_op *op, uint32_t mask, cycle_t now)
{
    when_t result = (s->next + op->latency) << CAUSE_BITS | GPU_CAUSE_DEPENDENCY;
    switch ((enum gpu_kind)op->kind) {
    case GPU_COMPUTE:
        results_ready(w, op, result);
        w->w.block->clock = now;
        if (op->pipe == GPU_PIPE_UNIFORM)       /* it may read the time */
            w->w.block->ns = clock_tick(&sm->clock, now) / TICKS_PER_NS;
        break;
    case GPU_LOAD: case GPU_STORE: case GPU_ATOMIC: case GPU_MATRIX: case GPU_COPY:
        sm_memory_issue(sm, s, w, op, mask, now);
        break;
    case GPU_SHUFFLE: sm_shuffle_issue(sm, s, w, op, mask, now); break;
    case GPU_COMMIT:  commit_copies(sm, w); break;
    case GPU_WAIT:    wait_for_copies(sm, w, op->number); break;
    case GPU_FENCE:   wait_for_stores(w); break;
    case GPU_BRANCH:
        w->floor = (s->next + sm->c->pipes.branch_cycles) << CAUSE_BITS | GPU_CAUSE_BRANCH;
        sm->stats->splits += mask != 0 && mask != w->w.active;
        break;
    case GPU_SLEEP:
        if (mask != 0)
            w->floor = sm_when(sm, now + asleep(sm, op), GPU_CAUSE_NO_WARP);
        break;
    case GPU_BARRIER:
        results_ready(w, op, 0);
        if (mask != 0)
            sm_barrier_arrive(sm, w, op, mask, now);
        break;
    case GPU_TRAP:
        if (mask != 0)
            sm_fault(sm, w, op, "trap");
        break;
    case GPU_EXIT: case GPU_KINDS_COUNT: break;
    }
}

/* An ld.param or ld.const that it may not. */
static void tell_outside(struct gpu_sm *sm, const struct sm_warp *w, const struct gpu_op *op)
{
    bool param = op->access.space == GPU_SPACE_PARAM;
    const char *of = param ? "parameters" : "constants";
    if (w->w.outside_at & (op->access.bytes - 1u))
        sm_fault(sm, w, op, "lane %u: a load of %u bytes at 0x%" PRIx64 " of %s, which is not "
                 "aligned", w->w.outside_lane, op->access.bytes, w->w.outside_at, of);
    else
        sm_fault(sm, w, op, "lane %u: a load of %u bytes at 0x%" PRIx64 " of %s, which are %"
                 PRIu32 " bytes", w->w.outside_lane, op->access.bytes, w->w.outside_at, of,
                 param ? w->w.kernel->param_bytes : w->w.kernel->const_size);
}

/* The warp goes on to its next operation, or ends. */
static void go_on(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w,
                  const struct gpu_op *op, uint32_t mask, cycle_t now)
{
    uint32_t next = w->w.pc + 1;
    gpu_warp_step(&w->w, op, mask, sm->compute);
    if (w->w.overflow)
        sm_fault(sm, w, op, "more than %d parts of a warp wait for each other", GPU_SPLITS);
    if (w->w.outside)
        tell_outside(sm, w, op);
    if (gpu_warp_done(&w->w)) {
        sm_warp_ends(sm, w, now);
        return;
    }
    if (w->w.pc != next && op->kind != GPU_BRANCH)
        w->floor = later(w->floor, (s->next + sm->c->pipes.branch_cycles) << CAUSE_BITS |
                                       GPU_CAUSE_BRANCH);
    plan(sm, s, w, now + 1);
}

void sm_issue(struct gpu_sm *sm, struct sm_subcore *s)
{
    struct sm_warp *w = s->warp[s->pick];
    const struct gpu_op *op = gpu_warp_op(&w->w);
    uint32_t mask = gpu_warp_mask(&w->w, op), now_since = s->next;
    cycle_t now = sm->base + now_since;
    if (now > s->since)
        sm_charge(sm, s, now, cause_of_wait(s));
    if (sm->record)
        sm_record_issue(sm, s, w, op, now);
    sm->stats->cycles[GPU_CAUSE_ISSUED]++;
    s->since = now + 1;
    count(sm, w, op, mask);
    take_pipe(sm, s, op);
    s->last = (int32_t)s->pick;
    s->greedy = true;
    w->floor = (now_since + 1) << CAUSE_BITS | GPU_CAUSE_DEPENDENCY;
    act(sm, s, w, op, mask, now);
    s->next = now_since;        /* someone woken by it may have moved it */
    go_on(sm, s, w, op, mask, now);
    sm_choose(sm, s, s->port);
    if (s->next < NEVER)
        __builtin_prefetch(&s->warp[s->pick]->w.pc);
}
