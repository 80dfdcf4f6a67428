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

static enum hbm_command row_command_for(const struct hbm_lane *lane, uint32_t bank)
{
    return lane->pseudo.banks[bank].open ? HBM_PRE : HBM_ACT;
}

static void forget(struct hbm_lane *lane)
{
    lane->row_known = false;
    lane->column_known = false;
}

/* ---- what each bank is wanted for ---- */

/* A bank with its own queue looks at what is in it, reads and writes; one without looks at
 * all that waits, in the way the channel has turned. */
static bool own_queue(const struct hbm_channel *c) { return c->own_queues; }

static uint32_t in_sight(const struct hbm_channel *c, const struct hbm_wanted *w, int way)
{
    return own_queue(c) ? w->inside[way] : w->held[way];
}

/* The oldest request that finds its row open. */
static uint16_t find_hit(const struct hbm_channel *c, const struct hbm_lane *lane,
                         uint32_t bank, int way)
{
    const struct hbm_bank *b = &lane->pseudo.banks[bank];
    const struct hbm_wanted *w = &lane->wanted[bank];
    if (!b->open)
        return HBM_NONE;
    const struct hbm_entry *entries = c->queue[way].entries;
    uint32_t sight = in_sight(c, w, way), seen = 0;
    for (uint16_t e = w->head[way]; seen < sight; e = entries[e].next) {
        if (entries[e].row == b->row)
            return e;
        seen += entries[e].count;
    }
    return HBM_NONE;
}

static void look_for_hit(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank, int way)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    w->hit[way] = find_hit(c, lane, bank, way);
    if (w->hit[way] != HBM_NONE) {
        lane->hits[way] |= bit(bank);
        lane->column_known = false;
    } else if (lane->hits[way] & bit(bank)) {
        lane->hits[way] &= ~bit(bank);
        lane->column_known = false;
    }
}

/* Whether the oldest request of `way` is held up by the row that is open or by none: it is
 * not if its row is open, or if others want the open row and it has not had its accesses. */
static bool misses(const struct hbm_channel *c, const struct hbm_wanted *w, int way)
{
    if (in_sight(c, w, way) == 0 || w->hit[way] == w->head[way])
        return false;
    bool hit = w->hit[way] != HBM_NONE || (own_queue(c) && w->hit[!way] != HBM_NONE);
    return !hit || w->served >= c->stack->config.hit_cap;
}

/* The bank has begun or ceased to want a row command, the next row command being known. */
static void reconsider_row(const struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank,
                           bool miss)
{
    if (!miss || lane->refreshing) {
        lane->row_known = !miss && lane->row_bank == bank ? false : lane->row_known;
        return;
    }
    const struct hbm_wanted *w = &lane->wanted[bank];
    int way = w->row_way[c->writing];
    uint64_t age = c->queue[way].entries[w->head[way]].age;
    cycle_t at = hbm_pseudo_at(&lane->pseudo, row_command_for(lane, bank), bank);
    at = cycle_max(at, cycle_max(c->now, *lane->bus));
    if (at < lane->row_at || (at == lane->row_at && age < lane->row_age)) {
        lane->row_at = at;
        lane->row_age = age;
        lane->row_bank = bank;
    }
}

static int older_way(const struct hbm_channel *c, const struct hbm_wanted *w)
{
    if (in_sight(c, w, HBM_TO_READ) == 0 || in_sight(c, w, HBM_TO_WRITE) == 0)
        return in_sight(c, w, HBM_TO_READ) == 0 ? HBM_TO_WRITE : HBM_TO_READ;
    return c->queue[HBM_TO_WRITE].entries[w->head[HBM_TO_WRITE]].age
         < c->queue[HBM_TO_READ].entries[w->head[HBM_TO_READ]].age ? HBM_TO_WRITE : HBM_TO_READ;
}

static void look_for_miss(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank, int way)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    bool miss = misses(c, w, w->row_way[way]), missed = lane->misses[way] >> bank & 1;
    if (miss == missed)
        return;
    lane->misses[way] ^= bit(bank);
    if (miss)
        w->miss_since = c->now;
    if (way == c->writing && lane->row_known)
        reconsider_row(c, lane, bank, miss);
}

/* Puts the bank where it belongs: a column command is due, or a row command, or none; or
 * both, if what comes first decides. */
static void look(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    if (own_queue(c)) {
        look_for_hit(c, lane, bank, HBM_TO_READ);
        look_for_hit(c, lane, bank, HBM_TO_WRITE);
        w->row_way[HBM_TO_READ] = w->row_way[HBM_TO_WRITE] = (uint8_t)older_way(c, w);
        look_for_miss(c, lane, bank, HBM_TO_READ);
        look_for_miss(c, lane, bank, HBM_TO_WRITE);
        return;
    }
    for (int way = 0; way < HBM_WAYS; way++) {
        if (w->held[way] == 0 && !((lane->hits[way] | lane->misses[way]) >> bank & 1))
            continue;
        look_for_hit(c, lane, bank, way);
        look_for_miss(c, lane, bank, way);
    }
}

/* ---- the queues ---- */

static struct hbm_run *first_run(const struct hbm_channel *c)
{
    return &c->stack->runs[c->fifo.runs[c->fifo.head]];
}

/* Whether the first run reads or writes; requires one. */
static int first_way(const struct hbm_channel *c)
{
    return first_run(c)->request.write ? HBM_TO_WRITE : HBM_TO_READ;
}

void hbm_fifo_first(struct hbm_channel *c)
{
    const struct hbm *h = c->stack;
    struct hbm_fifo *f = &c->fifo;
    f->chain = 0;
    f->last = HBM_NONE;
    f->full = false;
    if (f->count == 0)
        return;
    const struct hbm_run *run = first_run(c);
    uint32_t kind = c->number ^ HBM_CODE_CHANNEL(run->code);
    const uint16_t *below = &h->below[kind * (h->beats + 1)];
    f->beat = below[run->first];
    f->beat_end = below[run->last + 1];
}

/* The oldest bursts of a bank move on into its own queue; the channel's way decides which. */
static void move_on(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    int way = c->writing;
    uint32_t places = c->stack->config.bank_queue - w->inside[0] - w->inside[1];
    uint32_t n = w->held[way] - w->inside[way];
    n = n < places ? n : places;
    if (n == 0)
        return;
    w->inside[way] = (uint16_t)(w->inside[way] + n);
    c->queue[way].counted -= n;
    c->fifo.full = false;
    look(c, lane, bank);
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
    c->fifo.last = e;
}

/* `n` bursts of the chain that is entering. */
static void enter(struct hbm_channel *c, int way, uint64_t code, uint32_t n)
{
    struct hbm_fifo *f = &c->fifo;
    struct hbm_queue *q = &c->queue[way];
    uint16_t run = f->runs[f->head];
    uint32_t bank;
    struct hbm_lane *lane = lane_of(c, code, &bank);
    struct hbm_wanted *w = &lane->wanted[bank];
    if (lane->waiting == 0)
        lane->since = c->now;
    bool longer = f->last != HBM_NONE;
    if (longer)
        q->entries[f->last].count = (uint16_t)(q->entries[f->last].count + n);
    else
        append(c, way, code, n, run);
    c->age += n;
    q->counted += n;
    q->held += n;
    w->held[way] = (uint16_t)(w->held[way] + n);
    lane->waiting += n;
    f->waiting -= n;
    f->beat += n;
    f->chain -= n;
    if (own_queue(c))
        move_on(c, lane, bank);
    else if (!longer && w->hit[way] == HBM_NONE)
        look(c, lane, bank);
    if (way == HBM_TO_WRITE) {
        struct hbm_run *r = &c->stack->runs[run];
        hbm_later(&r->done, c->now);
        if ((r->left -= n) == 0)
            hbm_run_done(c->stack, run);
    }
}

/* Bursts that have arrived enter the queues, in their order, as far as there is room. */
static void accept(struct hbm_channel *c)
{
    struct hbm *h = c->stack;
    struct hbm_fifo *f = &c->fifo;
    while (f->count > 0 && !f->full) {
        const struct hbm_run *run = first_run(c);
        if (run->ready > c->now)
            return;
        int way = run->request.write ? HBM_TO_WRITE : HBM_TO_READ;
        const struct hbm_beat *beat = &h->beat[f->beat];
        uint64_t code = run->code ^ beat->code;
        if (f->chain == 0) {
            uint32_t left = f->beat_end - f->beat;
            f->chain = beat->chain < left ? beat->chain : left;
            f->last = HBM_NONE;
        }
        const struct hbm_config *config = &h->config;
        uint32_t size = way == HBM_TO_WRITE ? config->write_queue : config->read_queue;
        uint32_t places = size - c->queue[way].counted;
        f->full = places == 0;
        if (places > 0)
            enter(c, way, code, f->chain < places ? f->chain : places);
        if (f->beat == f->beat_end) {
            f->head = f->head + 1 == h->config.runs ? 0 : f->head + 1;
            f->count--;
            hbm_fifo_first(c);
        }
    }
}

/* Turns to reading or to writing if it is time; returns whether it did. */
static bool turn(struct hbm_channel *c)
{
    const struct hbm_config *config = &c->stack->config;
    uint32_t reads = c->queue[HBM_TO_READ].held, writes = c->queue[HBM_TO_WRITE].counted;
    bool writing = c->writing;
    if (!c->writing)
        writing = writes >= config->write_high || (reads == 0 && writes > 0);
    else if (reads > 0 || writes == 0)
        writing = writes > config->write_low;
    if (writing == c->writing)
        return false;
    c->writing = writing;
    c->turned = c->now;
    c->batches += writing;
    for (uint32_t i = 0; i < config->pseudo_channels; i++) {
        forget(&c->lanes[i]);
        for (uint32_t b = 0; own_queue(c) && b < 1u << c->stack->lane_banks_bits; b++)
            move_on(c, &c->lanes[i], b);
    }
    return true;
}

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
    if (!c->writing || own_queue(c))
        find_column_of(c, lane, HBM_TO_READ, HBM_RD, &best_age, &oldest);
    if (c->writing || own_queue(c))
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
        cycle_t at = hbm_pseudo_at(p, row_command_for(lane, bank), bank);
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
    if (c->fifo.last == e && way == first_way(c))
        c->fifo.last = HBM_NONE;
    q->entries[e].next = q->free;
    q->free = e;
}

static void leave(struct hbm_channel *c, struct hbm_lane *lane, uint32_t n)
{
    int way = lane->column_write;
    uint32_t bank = lane->column_bank;
    struct hbm_queue *q = &c->queue[way];
    struct hbm_wanted *w = &lane->wanted[bank];
    uint16_t e = w->hit[way];
    w->held[way] = (uint16_t)(w->held[way] - n);
    q->held -= n;
    lane->waiting -= n;
    w->served = w->served + n < UINT16_MAX ? (uint16_t)(w->served + n) : UINT16_MAX - 1;
    q->entries[e].age += n;
    q->entries[e].count = (uint16_t)(q->entries[e].count - n);
    if (own_queue(c)) {
        w->inside[way] = (uint16_t)(w->inside[way] - n);
    } else {
        q->counted -= n;
        c->fifo.full = false;
    }
    if (q->entries[e].count == 0)
        unlink_entry(c, w, way, e);
    else if (!own_queue(c) && w->hit[way] == w->head[way])
        return;
    look(c, lane, bank);
    if (own_queue(c))
        move_on(c, lane, bank);
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
    look(c, lane, bank);
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
        || h->config.page == HBM_PAGE_ACCESS || own_queue(c))
        return 1;
    uint64_t n = e->count;
    const struct hbm_fifo *f = &c->fifo;
    if (f->full && first_way(c) == c->writing)
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
    if (lane->misses[c->writing] & bit(bank))
        lane->row_known = false;
    struct hbm_group_stats *g = &h->groups[group];
    *(write ? &g->written_bytes : &g->read_bytes) += (uint64_t)n * h->burst_bytes;
    leave(c, lane, n);
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
        look(c, lane, b);
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
    forget(lane);
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
        look(c, lane, bank);
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
        consider(&n, first_run(c)->ready, ARRIVAL, NULL);
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
        end = cycle_min(end, first_run(c)->ready);
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
        do
            accept(c);
        while (turn(c));        /* which may have made room */
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
