/* hbm_channel.c - the controller of one channel.
 *
 * It keeps the next row command and the next column command of each pseudo-channel with
 * the clock at which they become legal, takes the earliest, does it, and works out again
 * only those that it changed.  So the commands come in the order of time, as from a
 * controller that looks every clock, but a clock in which nothing is legal costs nothing.
 */
#include "models/hbm/hbm_queue.h"

/* ---- what could go next ---- */

/* The oldest of the earliest of one way, if it beats what has been found. */
static inline void find_column_of(const struct hbm_channel *c, struct hbm_lane *lane, int way,
                                  enum hbm_command access, uint64_t *best_age, uint64_t *oldest)
{
    const struct hbm_entry *entries = c->queue[way].entries;
    for (uint64_t mask = lane->hits[way]; mask; mask &= mask - 1) {
        uint32_t bank = (uint32_t)__builtin_ctzll(mask);
        uint64_t age = entries[lane->wanted[bank].hit[way]].age;
        cycle_t at = cycle_max(hbm_pseudo_at(&lane->pseudo, access, bank), c->now);
        *oldest = age < *oldest ? age : *oldest;
        if (at > lane->column_at || (at == lane->column_at && age > *best_age))
            continue;
        lane->column_at = at;
        lane->column_bank = bank;
        lane->column_write = way == HBM_TO_WRITE;
        *best_age = age;
    }
}

static void find_column(const struct hbm_channel *c, struct hbm_lane *lane)
{
    lane->column_known = true;
    lane->column_at = CYCLE_NEVER;
    if (lane->refreshing)
        return;
    uint64_t best_age = UINT64_MAX, oldest = UINT64_MAX;
    if (!c->writing || hbm_own_queue(c))
        find_column_of(c, lane, HBM_TO_READ, HBM_RD, &best_age, &oldest);
    if (c->writing || hbm_own_queue(c))
        find_column_of(c, lane, HBM_TO_WRITE, HBM_WR, &best_age, &oldest);
    lane->column_oldest = oldest == best_age;
}

/* To refresh, all banks are closed, then all are refreshed. */
static cycle_t refresh_step(const struct hbm_lane *lane, cycle_t earliest, uint32_t banks)
{
    const struct hbm_pseudo *p = &lane->pseudo;
    if (p->open_banks == 0)
        return cycle_max(earliest, p->ready.at[HBM_REF]);
    for (uint32_t b = 0; b < banks; b++)
        if (p->banks[b].open)
            earliest = cycle_max(earliest, hbm_pseudo_at(p, HBM_PRE, b));
    return earliest;
}

static void find_row(struct hbm_channel *c, struct hbm_lane *lane)
{
    const struct hbm_pseudo *p = &lane->pseudo;
    cycle_t earliest = cycle_max(c->now, *lane->bus);
    lane->row_known = true;
    lane->row_at = CYCLE_NEVER;
    if (lane->refreshing) {
        lane->row_at = refresh_step(lane, earliest, 1u << c->stack->lane_banks_bits);
        return;
    }
    lane->row_age = UINT64_MAX;
    for (uint64_t mask = lane->misses[c->writing]; mask; mask &= mask - 1) {
        uint32_t bank = (uint32_t)__builtin_ctzll(mask);
        cycle_t at = hbm_pseudo_at(p, hbm_row_command_for(lane, bank), bank);
        at = cycle_max(at, earliest);
        if (at > lane->row_at)
            continue;
        const struct hbm_wanted *w = &lane->wanted[bank];
        int way = w->row_way[c->writing];
        uint64_t age = c->queue[way].entries[w->head[way]].age;
        if (at == lane->row_at && age > lane->row_age)
            continue;
        lane->row_at = at;
        lane->row_age = age;
        lane->row_bank = bank;
    }
}

/* ---- accounting ---- */

/* The clocks up to `until` that have no cause yet, as far as `limit`. */
static void charge(struct hbm_lane *lane, enum hbm_cause cause, cycle_t until, cycle_t limit)
{
    until = cycle_min(until, limit);
    if (until <= lane->charged)
        return;
    lane->stats.cycles[cause] += until - lane->charged;
    lane->charged = until;
}

static void charge_wait(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank, cycle_t now)
{
    if (lane->charged >= now)
        return;
    struct hbm_wanted *w = &lane->wanted[bank];
    const struct hbm_pseudo *p = &lane->pseudo;
    enum hbm_command access = lane->column_write ? HBM_WR : HBM_RD;
    cycle_t pins = cycle_max(p->ready.at[access], p->groups[bank >> p->bank_bits].at[access]);
    bool turned = lane->wrote != lane->column_write;
    charge(lane, HBM_NO_REQUEST, lane->since, now);
    charge(lane, HBM_REFRESH, lane->refresh_end, now);
    charge(lane, HBM_TURNAROUND, turned ? cycle_max(pins, c->turned) : c->turned, now);
    charge(lane, HBM_BANK_GROUP, pins, now);
    if (w->fresh) {
        charge(lane, HBM_ACTIVATION, lane->charged + w->rate_wait, now);
        charge(lane, HBM_ROW_BUS, lane->charged + w->bus_wait, now);
    }
    charge(lane, HBM_ROW, now, now);
}

/* ---- doing it ---- */

static void answer_reads(struct hbm_channel *c, uint16_t number, uint32_t n)
{
    struct hbm *h = c->stack;
    struct hbm_run *run = &h->runs[number];
    hbm_later(&run->done, c->now + h->timing.cl + h->timing.burst);
    if ((run->left -= n) == 0)
        hbm_run_done(h, number);
}

/* A row closes by itself if the policy says so; it needs no bus. */
static void close_after(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    const struct hbm_wanted *w = &lane->wanted[bank];
    uint32_t page = c->stack->config.page;
    if (page == HBM_PAGE_OPEN)
        return;
    if (page == HBM_PAGE_CLOSED && (w->hit[HBM_TO_READ] != HBM_NONE
                                    || w->hit[HBM_TO_WRITE] != HBM_NONE))
        return;
    hbm_pseudo_pre(&lane->pseudo, &c->stack->timing, bank,
                   cycle_max(c->now, hbm_pseudo_at(&lane->pseudo, HBM_PRE, bank)));
    hbm_forget(lane);
    hbm_queue_look(c, lane, bank);
}

/* How many accesses follow each other whatever else happens before `limit`: the request is
 * the oldest, nothing else can come between, and what enters the queue meanwhile only
 * makes the youngest entry longer. */
static uint32_t together(const struct hbm_channel *c, const struct hbm_lane *lane,
                         const struct hbm_entry *e, cycle_t limit)
{
    const struct hbm *h = c->stack;
    const struct hbm_queue *q = &c->queue[c->writing];
    if (!lane->column_oldest || e->count < 2 || h->timing.ccd_l != h->timing.ccd_s
        || h->config.page == HBM_PAGE_ACCESS || hbm_own_queue(c))
        return 1;
    uint64_t n = e->count;
    const struct hbm_fifo *f = &c->fifo;
    if (f->full && hbm_first_way(c) == c->writing)
        n = f->last == HBM_NONE ? 1 : n < f->chain ? n : f->chain;
    if (c->writing && q->held - n < h->config.write_low)
        n = q->held > h->config.write_low ? q->held - h->config.write_low : 1;
    const struct hbm_wanted *w = &lane->wanted[lane->column_bank];
    if (h->config.hit_cap < UINT16_MAX && w->hit[c->writing] != w->head[c->writing])
        n = 1;
    uint64_t fit = limit <= lane->column_at ? 1
                 : (limit - lane->column_at + h->timing.ccd_s - 1) / h->timing.ccd_s;
    n = n < fit ? n : fit;
    return n > 0 ? (uint32_t)n : 1;
}

static void column_command(struct hbm_channel *c, struct hbm_lane *lane, cycle_t limit)
{
    struct hbm *h = c->stack;
    const struct hbm_timing *t = &h->timing;
    uint32_t bank = lane->column_bank;
    bool write = lane->column_write;
    struct hbm_wanted *w = &lane->wanted[bank];
    const struct hbm_entry *e = &c->queue[write].entries[w->hit[write]];
    uint32_t n = together(c, lane, e, limit);
    uint16_t run = e->run, group = e->group;

    charge_wait(c, lane, bank, lane->column_at);
    cycle_t gaps = (cycle_t)(n - 1) * (t->ccd_s - t->burst);
    c->now = lane->column_at + (cycle_t)(n - 1) * t->ccd_s;
    hbm_pseudo_access(&lane->pseudo, t, write, bank, c->now);
    lane->stats.cycles[write ? HBM_WRITE : HBM_READ] += (cycle_t)n * t->burst;
    lane->stats.cycles[HBM_BANK_GROUP] += gaps;
    lane->charged = c->now + t->burst;
    lane->wrote = write;
    *(write ? &lane->stats.writes : &lane->stats.reads) += n;
    lane->stats.row_hits += n - w->fresh;
    w->fresh = false;
    lane->column_known = false;
    if (lane->misses[c->writing] & hbm_bit(bank))
        lane->row_known = false;
    struct hbm_group_stats *g = &h->groups[group];
    *(write ? &g->written_bytes : &g->read_bytes) += (uint64_t)n * h->burst_bytes;
    hbm_queue_leave(c, lane, n);
    close_after(c, lane, bank);
    if (run != HBM_NONE)
        answer_reads(c, run, n);
}

/* How long the ACT that goes now had to wait for others' ACTs, and for the bus. */
static void note_waits(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    const struct hbm_pseudo *p = &lane->pseudo;
    struct hbm_wanted *w = &lane->wanted[bank];
    cycle_t own = cycle_max(p->banks[bank].ready.at[HBM_ACT],
                            cycle_max(w->miss_since, lane->refresh_end));
    cycle_t rate = cycle_max(p->ready.at[HBM_ACT], p->groups[bank >> p->bank_bits].at[HBM_ACT]);
    w->rate_wait = rate > own ? rate - own : 0;
    w->bus_wait = c->now - cycle_max(own, rate);
}

static void close_all(struct hbm_channel *c, struct hbm_lane *lane)
{
    for (uint32_t b = 0; b < 1u << c->stack->lane_banks_bits; b++) {
        if (!lane->pseudo.banks[b].open)
            continue;
        hbm_pseudo_pre(&lane->pseudo, &c->stack->timing, b, c->now);
        hbm_queue_look(c, lane, b);
    }
}

static void refresh(struct hbm_channel *c, struct hbm_lane *lane)
{
    const struct hbm_timing *t = &c->stack->timing;
    *lane->bus = c->now + t->pre_bus;
    if (lane->pseudo.open_banks > 0) {
        close_all(c, lane);
    } else {
        hbm_pseudo_ref(&lane->pseudo, t, c->now);
        lane->refresh_end = c->now + t->rfc;
        lane->refresh_due += t->refi;
        lane->refreshing = false;
    }
    hbm_forget(lane);
}

static void open_row(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    int way = w->row_way[c->writing];
    const struct hbm_entry *e = &c->queue[way].entries[w->head[way]];
    note_waits(c, lane, bank);
    hbm_pseudo_act(&lane->pseudo, &c->stack->timing, bank, e->row, c->now);
    c->stack->groups[e->group].activates++;
    *lane->bus = c->now + c->stack->timing.act_bus;
    w->served = 0;
    w->fresh = true;
}

static void row_command(struct hbm_channel *c, struct hbm_lane *lane)
{
    uint32_t bank = lane->row_bank;
    c->now = lane->row_at;
    if (lane->refreshing) {
        refresh(c, lane);
    } else {
        if (lane->pseudo.banks[bank].open) {
            hbm_pseudo_pre(&lane->pseudo, &c->stack->timing, bank, c->now);
            *lane->bus = c->now + c->stack->timing.pre_bus;
        } else {
            open_row(c, lane, bank);
        }
        hbm_queue_look(c, lane, bank);
    }
    /* Those that share the bus may have to wait, and for longer another may be older. */
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++) {
        struct hbm_lane *other = &c->lanes[i];
        if (other == lane || (other->bus == lane->bus && other->row_at < *lane->bus))
            other->row_known = false;
    }
}

/* ---- in order of time ---- */

enum what { NOTHING, ARRIVAL, REFRESH_DUE, ROW, COLUMN };

struct next { cycle_t at, then; enum what what; struct hbm_lane *lane; };

static inline void consider(struct next *n, cycle_t at, enum what what, struct hbm_lane *lane)
{
    if (at >= n->at) {
        n->then = cycle_min(n->then, at);
        return;
    }
    n->then = n->at;
    n->at = at;
    n->what = what;
    n->lane = lane;
}

static inline struct next find_next(struct hbm_channel *c)
{
    const struct hbm *h = c->stack;
    struct next n = { CYCLE_NEVER, CYCLE_NEVER, NOTHING, NULL };
    if (c->fifo.count > 0 && !c->fifo.full)
        consider(&n, hbm_first_run(c)->ready, ARRIVAL, NULL);
    for (uint32_t i = 0; i < h->config.pseudo_channels; i++) {
        struct hbm_lane *lane = &c->lanes[i];
        if (!lane->refreshing)
            consider(&n, lane->refresh_due, REFRESH_DUE, lane);
        if (!lane->row_known)
            find_row(c, lane);
        consider(&n, lane->row_at, ROW, lane);
        if (!lane->column_known)
            find_column(c, lane);
        consider(&n, lane->column_at, COLUMN, lane);
    }
    return n;
}

static bool idle(const struct hbm_channel *c)
{
    return c->queue[HBM_TO_READ].held + c->queue[HBM_TO_WRITE].held + c->fifo.count == 0;
}

/* While nobody wants the channel its refreshes change nothing but their count. */
static void begin_refresh(struct hbm_channel *c, struct hbm_lane *lane, cycle_t end)
{
    c->now = lane->refresh_due;
    if (c->fifo.count > 0)
        end = cycle_min(end, hbm_first_run(c)->ready);
    bool unused = c->queue[0].held + c->queue[1].held + lane->pseudo.open_banks == 0;
    if (unused && end > lane->refresh_due) {
        cycle_t skipped = (end - lane->refresh_due) / c->stack->timing.refi;
        skipped -= skipped > 0;
        lane->pseudo.refreshes += skipped;
        lane->refresh_due += skipped * c->stack->timing.refi;
        c->now = lane->refresh_due;
    }
    lane->refreshing = true;
    hbm_forget(lane);
}

void hbm_channel_run(struct hbm_channel *c, cycle_t end, bool catch_up)
{
    for (;;) {
        do
            hbm_queue_accept(c);
        while (hbm_queue_turn(c));        /* which may have made room */
        if (idle(c) && !catch_up) {
            c->next = CYCLE_NEVER;
            return;
        }
        struct next n = find_next(c);
        if (n.at >= end) {
            c->next = idle(c) ? CYCLE_NEVER : n.at;
            return;
        }
        switch (n.what) {
        case ARRIVAL:
            assert(n.at >= c->now);
            c->now = n.at;
            break;
        case REFRESH_DUE:
            begin_refresh(c, n.lane, end);
            break;
        case ROW:
            row_command(c, n.lane);
            break;
        case COLUMN:
            column_command(c, n.lane, cycle_min(n.then, end));
            break;
        case NOTHING:
            assert(false);
        }
    }
}
