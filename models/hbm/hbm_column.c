/* hbm_column.c - which column command goes next, and all that one does.
 *
 * Accesses to a row that is open follow each other for as long as nothing else matters.
 * Those of all pseudo-channels up to then are done together, with the same counts and
 * clocks as one by one; see "several at once".
 */
#include "models/hbm/hbm_column.h"

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

/* When an older hit than the one chosen could go: until then the younger ones may. */
static cycle_t older_at(const struct hbm_channel *c, const struct hbm_lane *lane, uint64_t age)
{
    const struct hbm_entry *entries = c->queue[c->writing].entries;
    enum hbm_command access = c->writing ? HBM_WR : HBM_RD;
    cycle_t first = CYCLE_NEVER;
    for (uint64_t mask = lane->hits[c->writing]; mask; mask &= mask - 1) {
        uint32_t bank = (uint32_t)__builtin_ctzll(mask);
        if (entries[lane->wanted[bank].hit[c->writing]].age < age)
            first = cycle_min(first, hbm_pseudo_at(&lane->pseudo, access, bank));
    }
    return first;
}

void hbm_column_find(const struct hbm_channel *c, struct hbm_lane *lane)
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
    lane->column_until = CYCLE_NEVER;
    if (oldest != best_age && !hbm_own_queue(c))
        lane->column_until = older_at(c, lane, best_age);
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
    cycle_t pins = cycle_max(p->ready[access], p->groups[access][bank >> p->bank_bits]);
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

static void answer_reads(struct hbm *h, uint16_t number, uint32_t n, cycle_t now)
{
    struct hbm_run *run = &h->runs[number];
    hbm_later(&run->done, now + h->timing.cl + h->timing.burst);
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

/* `n` accesses to one row, each as soon as the pins are free, the last at `last`. */
static void access(struct hbm_channel *c, struct hbm_lane *lane, uint32_t n, cycle_t last)
{
    struct hbm *h = c->stack;
    const struct hbm_timing *t = &h->timing;
    uint32_t bank = lane->column_bank;
    bool write = lane->column_write;
    struct hbm_wanted *w = &lane->wanted[bank];
    const struct hbm_entry *e = &c->queue[write].entries[w->hit[write]];
    uint16_t run = e->run;
    charge_wait(c, lane, bank, lane->column_at);
    hbm_pseudo_access(&lane->pseudo, t, write, bank, last);
    lane->stats.cycles[write ? HBM_WRITE : HBM_READ] += (cycle_t)n * t->burst;
    lane->stats.cycles[HBM_BANK_GROUP] += (cycle_t)(n - 1) * (t->ccd_s - t->burst);
    lane->charged = last + t->burst;
    record_amount(h->record, 2 * c->number + write, lane->column_at, last + t->burst,
                  (cycle_t)n * t->burst);
    lane->wrote = write;
    *(write ? &lane->stats.writes : &lane->stats.reads) += n;
    lane->stats.row_hits += n - w->fresh;
    w->fresh = false;
    struct hbm_group_stats *g = &h->groups[e->group];
    *(write ? &g->written_bytes : &g->read_bytes) += (uint64_t)n * h->burst_bytes;
    if (run != HBM_NONE)
        answer_reads(h, run, n, last);
}

/* The same, and what follows from the last of them. */
static void column_command(struct hbm_channel *c, struct hbm_lane *lane, uint32_t n, cycle_t last)
{
    uint32_t bank = lane->column_bank;
    access(c, lane, n, last);
    c->now = last;
    lane->column_known = false;
    if (lane->misses[c->writing] & hbm_bit(bank))
        lane->rows[HBM_PRE].known = lane->row.known = false;
    hbm_queue_leave(c, lane, n);
    close_after(c, lane, bank);
}

/* ---- several at once ----
 *
 * Between two events that are no column commands (an arrival, a row command, a refresh; the
 * caller's `limit`), each pseudo-channel reads or writes on in its row, one access a tCCD:
 *
 *     lane 0   x x x x x x x x x x|x          | limit: here lane 1's entry is used up, after
 *     lane 1    x x x x x x x x x x             these the next bank may be in another order
 *
 * They share only the places of the queue.  Each access frees one.  If the first run at the
 * port waits for it, its next burst enters in the same clock.  As long as that burst is in
 * the same row as the one before (the fifo's chain), it only makes the youngest entry
 * longer, and no choice looks at how long an entry is.  So what must be found is the first
 * access after which something else follows, and all before it commute:
 *   - the last of its entry;
 *   - the one that lets the last burst of the fifo's chain in, or turns to reading;
 *   - none that comes after an older request has become ready (column_until).
 * That needs tCCD_L = tCCD_S, or the row to stay in would not be the first ready, and no
 * bank queues (channel->chains).
 */

struct stretch {
    cycle_t limit;                  /* all accesses before are done */
    struct hbm_lane *ends;          /* whose entry is used up by its last, or NULL */
    bool refills;                   /* a burst enters for each */
    uint32_t n[HBM_LANES_MAX];      /* accesses of each lane */
};

/* How many accesses of the lane follow each other if nothing else happens. */
static uint32_t chain(const struct hbm_channel *c, const struct hbm_lane *lane, bool refills)
{
    int way = c->writing;
    const struct hbm_wanted *w = &lane->wanted[lane->column_bank];
    uint32_t count = c->queue[way].entries[w->hit[way]].count;
    if (refills && w->hit[way] == c->fifo.last)
        count--;                    /* it is not used up: it grows meanwhile */
    if (count > 1 && c->stack->config.hit_cap < UINT16_MAX && w->hit[way] != w->head[way])
        count = 1;                  /* the next may be one too many */
    return count;
}

/* How many accesses of the channel before there is something to decide. */
static uint32_t most_together(const struct hbm_channel *c, bool refills)
{
    const struct hbm_fifo *f = &c->fifo;
    if (!c->chains)
        return 1;
    if (refills)
        return f->last == HBM_NONE ? 1 : f->chain;
    if (!c->writing)
        return UINT32_MAX;
    uint32_t held = c->queue[HBM_TO_WRITE].held, low = c->stack->config.write_low;
    return held > low ? held - low : 1;
}

/* How many accesses there are before `limit`, which no entry outlasts: few. */
static uint32_t count_before(const struct hbm_channel *c, struct stretch *s, cycle_t limit)
{
    uint32_t all = 0, ccd = c->stack->timing.ccd_s;
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++) {
        cycle_t at = c->lanes[i].column_at;
        s->n[i] = limit <= at ? 0 : ((uint32_t)(limit - at) + ccd - 1) / ccd;
        all += s->n[i];
    }
    return all;
}

/* Shortens the stretch to where the first entry is used up or has an older rival. */
static void end_with_entry(const struct hbm_channel *c, struct stretch *s)
{
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++) {
        struct hbm_lane *lane = &c->lanes[i];
        if (lane->column_at >= s->limit)
            continue;
        uint32_t n = chain(c, lane, s->refills);
        cycle_t until = n > 0 ? lane->column_until : lane->column_at;
        if (until < s->limit) {
            s->limit = until;
            s->ends = NULL;
        }
        cycle_t last = lane->column_at + (cycle_t)(n - 1) * c->stack->timing.ccd_s;
        if (n == 0 || last >= s->limit)
            continue;
        bool two = s->ends && last + 1 == s->limit;     /* then one after the other */
        s->limit = two ? last : last + 1;
        s->ends = two ? NULL : lane;
    }
}

/* Shortens it to `most` accesses or fewer: no pseudo-channel does more than one a tCCD. */
static void end_with_room(const struct hbm_channel *c, struct stretch *s, cycle_t from,
                          uint32_t most)
{
    if (count_before(c, s, s->limit) <= most)
        return;
    uint32_t lanes = c->stack->config.pseudo_channels;
    s->limit = from + (cycle_t)(most / lanes) * c->stack->timing.ccd_s + 1;
    s->ends = NULL;
    if (count_before(c, s, s->limit) > most)
        count_before(c, s, --s->limit);
}

static void access_together(struct hbm_channel *c, const struct stretch *s)
{
    uint32_t ccd = c->stack->timing.ccd_s;
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++) {
        struct hbm_lane *lane = &c->lanes[i];
        uint32_t n = s->n[i];
        if (n == 0 || lane == s->ends)
            continue;
        cycle_t last = lane->column_at + (cycle_t)(n - 1) * ccd;
        access(c, lane, n, last);
        hbm_queue_shorten(c, lane, n);
        hbm_later(&c->now, last);
        lane->column_at = last + ccd;
        lane->column_known = lane->column_at < lane->column_until;
    }
    if (s->ends)
        column_command(c, s->ends, s->n[s->ends - c->lanes], s->limit - 1);
}

void hbm_column_commands(struct hbm_channel *c, struct hbm_lane *first, cycle_t limit)
{
    const struct hbm_fifo *f = &c->fifo;
    struct stretch s = { limit, NULL, f->full && f->way == c->writing, { 0 } };
    uint32_t most = most_together(c, s.refills);
    if (most > 1) {
        end_with_entry(c, &s);
        end_with_room(c, &s, first->column_at, most);
    }
    if (most > 1 && s.limit > first->column_at)
        access_together(c, &s);
    else
        column_command(c, first, 1, first->column_at);
}
