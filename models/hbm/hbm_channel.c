/* hbm_channel.c - the controller of one channel.
 *
 * It keeps the next row command and the next column command of each pseudo-channel with
 * the clock at which they become legal, takes the earliest, does it, and works out again
 * only those that it changed.  So the commands come in the order of time, as from a
 * controller that looks every clock, but a clock in which nothing is legal costs nothing.
 */
#include "models/hbm/hbm_column.h"

/* ---- what could go next ---- */

/* To refresh, all banks are closed, then all are refreshed. */
static cycle_t refresh_step(const struct hbm_lane *lane, cycle_t earliest)
{
    const struct hbm_pseudo *p = &lane->pseudo;
    if (p->open == 0)
        return cycle_max(earliest, p->ready[HBM_REF]);
    for (uint64_t mask = p->open; mask; mask &= mask - 1)
        earliest = cycle_max(earliest, hbm_pseudo_at(p, HBM_PRE, (uint32_t)__builtin_ctzll(mask)));
    return earliest;
}

/* Which goes first, and of several the oldest, as one number to compare: clocks from
 * `earliest` on, above the age.  Branches in this walk were half of a random request's time:
 * nothing foretells them. */
#define AGE_BITS 44

/* The least such number of `banks`; `command` and `own` are constants to each caller. */
static inline void choose_row(const struct hbm_channel *c, struct hbm_lane *lane, uint64_t banks,
                              enum hbm_command command, bool own, cycle_t earliest)
{
    const struct hbm_pseudo *p = &lane->pseudo;
    const cycle_t *groups = p->groups[command], *ready = p->banks[command];
    const uint64_t *ages = lane->age[c->writing];
    bool by_group = hbm_ruled_by_group(command);
    cycle_t first = cycle_max(earliest, p->ready[command]);
    uint32_t chosen = HBM_BANKS_MAX, bank_bits = p->bank_bits;
    uint64_t best = UINT64_MAX;
    for (; banks; banks &= banks - 1) {
        uint32_t bank = (uint32_t)__builtin_ctzll(banks);
        cycle_t at = cycle_max(first, ready[bank]);
        if (by_group)
            at = cycle_max(at, groups[bank >> bank_bits]);
        uint64_t age = own ? lane->age[lane->wanted[bank].row_way[c->writing]][bank] : ages[bank];
        uint64_t order = (at - earliest) << AGE_BITS | age;
        chosen = order < best ? bank : chosen;
        best = order < best ? order : best;
    }
    lane->rows[command] = (struct hbm_row_choice){
        .at = chosen == HBM_BANKS_MAX ? CYCLE_NEVER : earliest + (best >> AGE_BITS),
        .age = best & ((UINT64_C(1) << AGE_BITS) - 1), .bank = chosen, .known = true,
    };
}

/* Not inline: in the middle of `run` the walk would keep its variables in memory. */
__attribute__((noinline))
static void choose_rows(const struct hbm_channel *c, struct hbm_lane *lane,
                        enum hbm_command command, cycle_t earliest)
{
    uint64_t misses = lane->misses[c->writing], open = lane->pseudo.open;
    assert(c->age >> AGE_BITS == 0);
    if (command == HBM_PRE && hbm_own_queue(c))
        choose_row(c, lane, misses & open, HBM_PRE, true, earliest);
    else if (command == HBM_PRE)
        choose_row(c, lane, misses & open, HBM_PRE, false, earliest);
    else if (hbm_own_queue(c))
        choose_row(c, lane, misses & ~open, HBM_ACT, true, earliest);
    else
        choose_row(c, lane, misses & ~open, HBM_ACT, false, earliest);
}

static void find_row(struct hbm_channel *c, struct hbm_lane *lane)
{
    cycle_t earliest = cycle_max(c->now, *lane->bus);
    const struct hbm_row_choice *act = &lane->rows[HBM_ACT], *pre = &lane->rows[HBM_PRE];
    if (lane->refreshing) {
        lane->row = (struct hbm_row_choice){ .at = refresh_step(lane, earliest), .known = true };
        return;
    }
    /* One that would have gone before `earliest` has others beside it now; and a bank with
     * its own queue may want its row for another request than it did. */
    bool own = hbm_own_queue(c);
    if (own || !act->known || act->at < earliest)
        choose_rows(c, lane, HBM_ACT, earliest);
    if (own || !pre->known || pre->at < earliest)
        choose_rows(c, lane, HBM_PRE, earliest);
    bool close = pre->at < act->at || (pre->at == act->at && pre->age < act->age);
    lane->row = close ? *pre : *act;
}

/* ---- doing it ---- */

/* How long the ACT that goes now had to wait for others' ACTs, and for the bus. */
static void note_waits(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    const struct hbm_pseudo *p = &lane->pseudo;
    struct hbm_wanted *w = &lane->wanted[bank];
    cycle_t own = cycle_max(p->banks[HBM_ACT][bank],
                            cycle_max(w->miss_since, lane->refresh_end));
    cycle_t rate = cycle_max(p->ready[HBM_ACT], p->groups[HBM_ACT][bank >> p->bank_bits]);
    w->rate_wait = rate > own ? rate - own : 0;
    w->bus_wait = c->now - cycle_max(own, rate);
}

static void close_all(struct hbm_channel *c, struct hbm_lane *lane)
{
    for (uint64_t mask = lane->pseudo.open; mask; mask &= mask - 1) {
        uint32_t b = (uint32_t)__builtin_ctzll(mask);
        hbm_pseudo_pre(&lane->pseudo, &c->stack->timing, b, c->now);
        hbm_queue_look(c, lane, b);
    }
}

static void refresh(struct hbm_channel *c, struct hbm_lane *lane)
{
    const struct hbm_timing *t = &c->stack->timing;
    *lane->bus = c->now + t->pre_bus;
    if (lane->pseudo.open) {
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
    uint32_t bank = lane->row.bank;
    c->now = lane->row.at;
    if (lane->refreshing) {
        refresh(c, lane);
    } else {
        if (hbm_pseudo_open(&lane->pseudo, bank)) {
            hbm_pseudo_pre(&lane->pseudo, &c->stack->timing, bank, c->now);
            *lane->bus = c->now + c->stack->timing.pre_bus;
            lane->rows[HBM_PRE].known = false;
            hbm_queue_look(c, lane, bank);
            hbm_queue_wants_row(c, lane, bank);
        } else {
            open_row(c, lane, bank);
            lane->rows[HBM_ACT].known = false;
            hbm_queue_look(c, lane, bank);
        }
    }
    /* Those that share the bus may have to wait, and for longer another may be older. */
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++) {
        struct hbm_lane *other = &c->lanes[i];
        if (other == lane || (other->bus == lane->bus && other->row.at < *lane->bus))
            other->row.known = false;
    }
}

/* ---- in order of time ---- */

enum what { NOTHING, ARRIVAL, REFRESH_DUE, ROW, COLUMN };

/* `limit`: the earliest that is not a column command. */
struct next { cycle_t at, limit; enum what what; struct hbm_lane *lane; };

static inline void consider(struct next *n, cycle_t at, enum what what, struct hbm_lane *lane)
{
    if (what != COLUMN)
        n->limit = cycle_min(n->limit, at);
    if (at >= n->at)
        return;
    n->at = at;
    n->what = what;
    n->lane = lane;
}

static inline struct next find_next(struct hbm_channel *c)
{
    const struct hbm *h = c->stack;
    struct next n = { CYCLE_NEVER, CYCLE_NEVER, NOTHING, NULL };
    if (c->fifo.count > 0 && !c->fifo.full)
        consider(&n, c->fifo.ready, ARRIVAL, NULL);
    for (uint32_t i = 0; i < h->config.pseudo_channels; i++) {
        struct hbm_lane *lane = &c->lanes[i];
        if (!lane->refreshing)
            consider(&n, lane->refresh_due, REFRESH_DUE, lane);
        if (!lane->row.known)
            find_row(c, lane);
        consider(&n, lane->row.at, ROW, lane);
        if (!lane->column_known)
            hbm_column_find(c, lane);
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
        end = cycle_min(end, c->fifo.ready);
    bool unused = c->queue[0].held + c->queue[1].held == 0 && lane->pseudo.open == 0;
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

static void run(struct hbm_channel *c, cycle_t end, bool catch_up)
{
    for (;;) {
        hbm_queue_settle(c);
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
            hbm_column_commands(c, n.lane, cycle_min(n.limit, end));
            break;
        case NOTHING:
            assert(false);
        }
    }
}

/* Of the entries with bursts to read, about the fewest in one, and never more: each needs
 * as many accesses.  Where there are few anyway it is not worth a long look. */
static uint32_t fewest_reads(const struct hbm_channel *c)
{
    const struct hbm_entry *entries = c->queue[HBM_TO_READ].entries;
    uint32_t fewest = UINT32_MAX;
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++) {
        const struct hbm_lane *lane = &c->lanes[i];
        uint64_t mask = lane->hits[HBM_TO_READ] | lane->misses[HBM_TO_READ];
        for (; mask; mask &= mask - 1) {
            const struct hbm_wanted *w = &lane->wanted[__builtin_ctzll(mask)];
            for (uint16_t e = w->head[HBM_TO_READ]; e != HBM_NONE; e = entries[e].next) {
                fewest = entries[e].count < fewest ? entries[e].count : fewest;
                if (fewest <= 4)
                    return 1;
            }
        }
    }
    return fewest;
}

/* A clock before which no run is done, when all before `from` has been done. */
static cycle_t next_done(const struct hbm_channel *c, cycle_t from)
{
    const struct hbm_timing *t = &c->stack->timing;
    const struct hbm_fifo *f = &c->fifo;
    cycle_t due = CYCLE_NEVER, read = t->cl + t->burst;
    uint32_t fewest = fewest_reads(c);
    if (fewest < UINT32_MAX)
        due = from + (cycle_t)(fewest - 1) * t->ccd_s + read;
    if (f->count == 0)
        return due;
    /* What is at the port may enter now, or as fast as all pins free places. */
    cycle_t enters = cycle_max(from, c->fifo.ready);
    uint32_t left = f->beat_end - f->beat, lanes = c->stack->config.pseudo_channels;
    if (f->full)
        enters = from + (cycle_t)((left - 1) / lanes) * t->ccd_s;
    return cycle_min(due, enters);
}

void hbm_channel_run(struct hbm_channel *c, cycle_t end, bool catch_up)
{
    run(c, end, catch_up);
    c->due = c->next == CYCLE_NEVER || c->own_queues ? c->next : next_done(c, c->next);
}
