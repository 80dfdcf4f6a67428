/* hbm_channel.c - the controller of one channel.
 *
 * It keeps the next row command and the next column command of each pseudo-channel with
 * the clock at which they become legal, takes the earliest, does it, and works out again
 * only those that it changed.  So the commands come in the order of time, as from a
 * controller that looks every clock, but a clock in which nothing is legal costs nothing.
 */
#include "models/hbm/hbm_inside.h"

static uint64_t bit(uint32_t bank) { return UINT64_C(1) << bank; }

static struct hbm_lane *lane_of(struct hbm_channel *c, uint64_t code, uint32_t *bank)
{
    uint32_t bits = c->stack->lane_banks_bits;
    *bank = HBM_CODE_BANK(code) & ((1u << bits) - 1);
    return &c->lanes[HBM_CODE_BANK(code) >> bits];
}

static cycle_t *bus_of(struct hbm_channel *c, const struct hbm_lane *lane)
{
    return &c->bus[c->stack->config.row_bus == HBM_ROW_BUS_CHANNEL ? 0 : lane - c->lanes];
}

static void forget(struct hbm_lane *lane)
{
    lane->row_known = false;
    lane->column_known = false;
}

/* ---- what each bank is wanted for ---- */

static bool capped(const struct hbm_channel *c, const struct hbm_wanted *w)
{
    return c->stack->config.hit_cap > 0 && w->passed >= c->stack->config.hit_cap;
}

/* The oldest request that finds its row open, of those that the bank may look at. */
static uint16_t find_hit(const struct hbm_channel *c, const struct hbm_lane *lane,
                         uint32_t bank, int way)
{
    const struct hbm_bank *b = &lane->pseudo.banks[bank];
    const struct hbm_wanted *w = &lane->wanted[bank];
    if (!b->open)
        return HBM_NONE;
    const struct hbm_entry *entries = c->queue[way].entries;
    uint32_t seen = 0;
    for (uint16_t e = w->head[way]; e != HBM_NONE; e = entries[e].next) {
        if (entries[e].row == b->row)
            return seen > 0 && capped(c, w) ? HBM_NONE : e;
        if ((seen += entries[e].count) >= c->stack->page_limit)
            break;
    }
    return HBM_NONE;
}

/* Puts the bank where it belongs: a column command is due, or a row command, or none. */
static void look(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank, int way)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    uint16_t hit = find_hit(c, lane, bank, way);
    bool miss = hit == HBM_NONE && w->head[way] != HBM_NONE;
    w->hit[way] = hit;
    if (hit != HBM_NONE) {
        lane->hits[way] |= bit(bank);
        lane->column_known = false;
    } else if (lane->hits[way] & bit(bank)) {
        lane->hits[way] &= ~bit(bank);
        lane->column_known = false;
    }
    if (miss && !(lane->misses[way] & bit(bank))) {
        lane->misses[way] |= bit(bank);
        w->miss_since = c->now;
        lane->row_known = false;
    } else if (!miss && (lane->misses[way] & bit(bank))) {
        lane->misses[way] &= ~bit(bank);
        lane->row_known = false;
    }
}

/* ---- the queues ---- */

void hbm_queue_first(struct hbm_channel *c, struct hbm_queue *q)
{
    const struct hbm *h = c->stack;
    q->chain = 0;
    q->last = HBM_NONE;
    q->full = false;
    if (q->fifo_count == 0)
        return;
    const struct hbm_run *run = &h->runs[q->fifo[q->fifo_head]];
    uint32_t kind = c->number ^ HBM_CODE_CHANNEL(run->code);
    const uint16_t *below = &h->below[kind * (h->beats + 1)];
    q->beat = below[run->first];
    q->beat_end = below[run->last + 1];
}

/* How many of `n` bursts for a bank find a place. */
static uint32_t room(const struct hbm_channel *c, const struct hbm_queue *q, int way,
                     uint32_t bank_held, uint32_t n)
{
    const struct hbm_config *config = &c->stack->config;
    uint32_t own = config->bank_queue > bank_held ? config->bank_queue - bank_held : 0;
    uint32_t size = way == HBM_TO_WRITE ? config->write_queue : config->read_queue;
    uint32_t places = own + (size > q->counted ? size - q->counted : 0);
    return n < places ? n : places;
}

/* Of the bursts of a bank, those that its own queue does not hold. */
static uint32_t beyond(const struct hbm_channel *c, uint32_t bank_held)
{
    uint32_t own = c->stack->config.bank_queue;
    return bank_held > own ? bank_held - own : 0;
}

static void append(struct hbm_channel *c, int way, uint64_t code, uint32_t n, uint16_t run)
{
    struct hbm_queue *q = &c->queue[way];
    uint32_t bank;
    struct hbm_lane *lane = lane_of(c, code, &bank);
    struct hbm_wanted *w = &lane->wanted[bank];
    uint16_t e = q->free;
    assert(e != HBM_NONE);
    q->free = q->entries[e].next;
    q->entries[e] = (struct hbm_entry){
        .age = c->age, .row = HBM_CODE_ROW(code), .count = (uint16_t)n,
        .run = way == HBM_TO_READ ? run : HBM_NONE,
        .group = c->stack->runs[run].request.group, .next = HBM_NONE,
    };
    if (w->head[way] == HBM_NONE)
        w->head[way] = e;
    else
        q->entries[w->tail[way]].next = e;
    w->tail[way] = e;
    q->last = e;
    if (w->hit[way] == HBM_NONE)
        look(c, lane, bank, way);
}

/* `n` bursts of the chain that is entering. */
static void enter(struct hbm_channel *c, int way, uint64_t code, uint32_t n)
{
    struct hbm_queue *q = &c->queue[way];
    uint16_t run = q->fifo[q->fifo_head];
    uint32_t bank;
    struct hbm_lane *lane = lane_of(c, code, &bank);
    struct hbm_wanted *w = &lane->wanted[bank];
    if (lane->waiting == 0)
        lane->since = c->now;
    if (q->last != HBM_NONE)
        q->entries[q->last].count = (uint16_t)(q->entries[q->last].count + n);
    else
        append(c, way, code, n, run);
    c->age += n;
    q->counted += beyond(c, w->held[way] + n) - beyond(c, w->held[way]);
    w->held[way] = (uint16_t)(w->held[way] + n);
    q->held += n;
    q->waiting -= n;
    lane->waiting += n;
    q->beat += n;
    if (way == HBM_TO_WRITE) {
        struct hbm_run *r = &c->stack->runs[run];
        hbm_later(&r->done, c->now);
        if ((r->left -= n) == 0)
            hbm_run_done(c->stack, run);
    }
}

/* Bursts that have arrived enter as far as there is room. */
static void accept(struct hbm_channel *c, int way)
{
    struct hbm *h = c->stack;
    struct hbm_queue *q = &c->queue[way];
    while (q->fifo_count > 0 && !q->full) {
        const struct hbm_run *run = &h->runs[q->fifo[q->fifo_head]];
        if (run->ready > c->now)
            return;
        const struct hbm_beat *beat = &h->beat[q->beat];
        uint64_t code = run->code ^ beat->code;
        if (q->chain == 0) {
            uint32_t left = q->beat_end - q->beat;
            q->chain = beat->chain < left ? beat->chain : left;
            q->last = HBM_NONE;
        }
        uint32_t bank;
        const struct hbm_lane *lane = lane_of(c, code, &bank);
        uint32_t n = room(c, q, way, lane->wanted[bank].held[way], q->chain);
        if (n > 0)
            enter(c, way, code, n);
        q->chain -= n;
        q->full = q->chain > 0;
        if (q->beat == q->beat_end) {
            q->fifo_head = q->fifo_head + 1 == h->config.runs ? 0 : q->fifo_head + 1;
            q->fifo_count--;
            hbm_queue_first(c, q);
        }
    }
}

static void turn(struct hbm_channel *c)
{
    const struct hbm_config *config = &c->stack->config;
    uint32_t reads = c->queue[HBM_TO_READ].held, writes = c->queue[HBM_TO_WRITE].held;
    bool writing = c->writing;
    if (!c->writing)
        writing = writes >= config->write_high || (reads == 0 && writes > 0);
    else if (reads > 0 || writes == 0)
        writing = writes > config->write_low;
    if (writing == c->writing)
        return;
    c->writing = writing;
    c->turned = c->now;
    c->batches += writing;
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++)
        forget(&c->lanes[i]);
}

/* ---- what could go next ---- */

static void find_column(const struct hbm_channel *c, struct hbm_lane *lane)
{
    lane->column_known = true;
    lane->column_at = CYCLE_NEVER;
    if (lane->refreshing)
        return;
    const struct hbm_pseudo *p = &lane->pseudo;
    const struct hbm_entry *entries = c->queue[c->writing].entries;
    enum hbm_command access = c->writing ? HBM_WR : HBM_RD;
    uint64_t best_age = UINT64_MAX, oldest = UINT64_MAX;
    for (uint64_t mask = lane->hits[c->writing]; mask; mask &= mask - 1) {
        uint32_t bank = (uint32_t)__builtin_ctzll(mask);
        uint64_t age = entries[lane->wanted[bank].hit[c->writing]].age;
        cycle_t at = cycle_max(hbm_pseudo_at(p, access, bank), c->now);
        if (at < lane->column_at || (at == lane->column_at && age < best_age)) {
            lane->column_at = at;
            lane->column_bank = bank;
            best_age = age;
        }
        oldest = age < oldest ? age : oldest;
    }
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
    const struct hbm_entry *entries = c->queue[c->writing].entries;
    cycle_t earliest = cycle_max(c->now, *bus_of(c, lane));
    lane->row_known = true;
    lane->row_at = CYCLE_NEVER;
    if (lane->refreshing) {
        lane->row_at = refresh_step(lane, earliest, 1u << c->stack->lane_banks_bits);
        return;
    }
    uint64_t best_age = UINT64_MAX;
    for (uint64_t mask = lane->misses[c->writing]; mask; mask &= mask - 1) {
        uint32_t bank = (uint32_t)__builtin_ctzll(mask);
        uint64_t age = entries[lane->wanted[bank].head[c->writing]].age;
        enum hbm_command command = p->banks[bank].open ? HBM_PRE : HBM_ACT;
        cycle_t at = cycle_max(hbm_pseudo_at(p, command, bank), earliest);
        if (at < lane->row_at || (at == lane->row_at && age < best_age)) {
            lane->row_at = at;
            lane->row_bank = bank;
            best_age = age;
        }
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
    enum hbm_command access = c->writing ? HBM_WR : HBM_RD;
    cycle_t pins = cycle_max(p->ready.at[access], p->groups[bank >> p->bank_bits].at[access]);
    bool turned = lane->wrote != c->writing;
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

static void unlink_entry(struct hbm_channel *c, struct hbm_wanted *w, int way, uint16_t e)
{
    struct hbm_queue *q = &c->queue[way];
    uint16_t before = HBM_NONE;
    for (uint16_t i = w->head[way]; i != e; i = q->entries[i].next)
        before = i;
    if (before == HBM_NONE)
        w->head[way] = q->entries[e].next;
    else
        q->entries[before].next = q->entries[e].next;
    if (w->tail[way] == e)
        w->tail[way] = before;
    if (q->last == e)
        q->last = HBM_NONE;
    q->entries[e].next = q->free;
    q->free = e;
}

static void leave(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank, uint32_t n)
{
    int way = c->writing;
    struct hbm_queue *q = &c->queue[way];
    struct hbm_wanted *w = &lane->wanted[bank];
    uint16_t e = w->hit[way];
    q->counted -= beyond(c, w->held[way]) - beyond(c, w->held[way] - n);
    w->held[way] = (uint16_t)(w->held[way] - n);
    q->held -= n;
    q->full = false;
    lane->waiting -= n;
    bool ahead = e != w->head[way];
    if (ahead)
        w->passed = (uint16_t)(w->passed + n < UINT16_MAX ? w->passed + n : UINT16_MAX);
    q->entries[e].age += n;
    q->entries[e].count = (uint16_t)(q->entries[e].count - n);
    if (q->entries[e].count == 0)
        unlink_entry(c, w, way, e);
    else if (!(ahead && capped(c, w)))
        return;
    look(c, lane, bank, way);
}

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
    forget(lane);
    look(c, lane, bank, HBM_TO_READ);
    look(c, lane, bank, HBM_TO_WRITE);
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
        || h->config.page == HBM_PAGE_ACCESS)
        return 1;
    uint64_t n = e->count;
    if (q->full)
        n = q->last == HBM_NONE ? 1 : n < q->chain ? n : q->chain;
    if (c->writing && q->held - n < h->config.write_low)
        n = q->held > h->config.write_low ? q->held - h->config.write_low : 1;
    if (h->config.hit_cap > 0)
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
    struct hbm_wanted *w = &lane->wanted[bank];
    const struct hbm_entry *e = &c->queue[c->writing].entries[w->hit[c->writing]];
    uint32_t n = together(c, lane, e, limit);
    uint16_t run = e->run, group = e->group;

    charge_wait(c, lane, bank, lane->column_at);
    cycle_t gaps = (cycle_t)(n - 1) * (t->ccd_s - t->burst);
    c->now = lane->column_at + (cycle_t)(n - 1) * t->ccd_s;
    hbm_pseudo_access(&lane->pseudo, t, c->writing, bank, c->now);
    lane->stats.cycles[c->writing ? HBM_WRITE : HBM_READ] += (cycle_t)n * t->burst;
    lane->stats.cycles[HBM_BANK_GROUP] += gaps;
    lane->charged = c->now + t->burst;
    lane->wrote = c->writing;
    *(c->writing ? &lane->stats.writes : &lane->stats.reads) += n;
    lane->stats.row_hits += n - w->fresh;
    w->fresh = false;
    lane->column_known = false;
    struct hbm_group_stats *g = &h->groups[group];
    *(c->writing ? &g->written_bytes : &g->read_bytes) += (uint64_t)n * h->burst_bytes;
    leave(c, lane, bank, n);
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
        look(c, lane, b, HBM_TO_READ);
        look(c, lane, b, HBM_TO_WRITE);
    }
}

static void refresh(struct hbm_channel *c, struct hbm_lane *lane)
{
    const struct hbm_timing *t = &c->stack->timing;
    *bus_of(c, lane) = c->now + t->pre_bus;
    if (lane->pseudo.open_banks > 0) {
        close_all(c, lane);
    } else {
        hbm_pseudo_ref(&lane->pseudo, t, c->now);
        lane->refresh_end = c->now + t->rfc;
        lane->refresh_due += t->refi;
        lane->refreshing = false;
    }
    forget(lane);
}

static void open_row(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    const struct hbm_entry *e = &c->queue[c->writing].entries[w->head[c->writing]];
    note_waits(c, lane, bank);
    hbm_pseudo_act(&lane->pseudo, &c->stack->timing, bank, e->row, c->now);
    c->stack->groups[e->group].activates++;
    *bus_of(c, lane) = c->now + c->stack->timing.act_bus;
    w->passed = 0;
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
            *bus_of(c, lane) = c->now + c->stack->timing.pre_bus;
        } else {
            open_row(c, lane, bank);
        }
        look(c, lane, bank, HBM_TO_READ);
        look(c, lane, bank, HBM_TO_WRITE);
    }
    /* Those that share the bus may have to wait, and for longer another may be older. */
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++) {
        struct hbm_lane *other = &c->lanes[i];
        if (other == lane || (bus_of(c, other) == bus_of(c, lane)
                              && other->row_at < *bus_of(c, lane)))
            other->row_known = false;
    }
}

/* ---- in order of time ---- */

enum what { NOTHING, ARRIVAL, REFRESH_DUE, ROW, COLUMN };

struct next { cycle_t at, then; enum what what; struct hbm_lane *lane; };

static void consider(struct next *n, cycle_t at, enum what what, struct hbm_lane *lane)
{
    if (at < n->at) {
        *n = (struct next){ at, n->at, what, lane };
    } else if (at < n->then) {
        n->then = at;
    }
}

static struct next find_next(struct hbm_channel *c)
{
    const struct hbm *h = c->stack;
    struct next n = { CYCLE_NEVER, CYCLE_NEVER, NOTHING, NULL };
    for (int way = 0; way < HBM_WAYS; way++) {
        const struct hbm_queue *q = &c->queue[way];
        if (q->fifo_count > 0 && !q->full)
            consider(&n, h->runs[q->fifo[q->fifo_head]].ready, ARRIVAL, NULL);
    }
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
    return c->queue[0].held + c->queue[1].held == 0
        && c->queue[0].fifo_count + c->queue[1].fifo_count == 0;
}

/* While nobody wants the channel its refreshes change nothing but their count. */
static void begin_refresh(struct hbm_channel *c, struct hbm_lane *lane, cycle_t end)
{
    c->now = lane->refresh_due;
    for (int way = 0; way < HBM_WAYS; way++)
        if (c->queue[way].fifo_count > 0)
            end = cycle_min(end, c->stack->runs[c->queue[way].fifo[c->queue[way].fifo_head]].ready);
    bool unused = c->queue[0].held + c->queue[1].held + lane->pseudo.open_banks == 0;
    if (unused && end > lane->refresh_due) {
        cycle_t skipped = (end - lane->refresh_due) / c->stack->timing.refi;
        skipped -= skipped > 0;
        lane->pseudo.refreshes += skipped;
        lane->refresh_due += skipped * c->stack->timing.refi;
        c->now = lane->refresh_due;
    }
    lane->refreshing = true;
    forget(lane);
}

void hbm_channel_run(struct hbm_channel *c, cycle_t end, bool catch_up)
{
    for (;;) {
        accept(c, HBM_TO_READ);
        accept(c, HBM_TO_WRITE);
        turn(c);
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
