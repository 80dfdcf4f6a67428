/* hbm_queue.c - what waits at a controller, and what it makes each bank want. */
#include "models/hbm/hbm_queue.h"

/* ---- what each bank is wanted for ----
 *
 * `own` is hbm_own_queue, as a constant: each way of working gets code of its own.
 */

static inline uint32_t in_sight(const struct hbm_wanted *w, int way, bool own)
{
    return own ? w->inside[way] : w->held[way];
}

/* The oldest request that finds its row open. */
static inline uint16_t find_hit(const struct hbm_channel *c, const struct hbm_lane *lane,
                                uint32_t bank, int way, bool own)
{
    uint32_t row = lane->pseudo.rows[bank];
    const struct hbm_wanted *w = &lane->wanted[bank];
    if (!hbm_pseudo_open(&lane->pseudo, bank))
        return HBM_NONE;
    const struct hbm_entry *entries = c->queue[way].entries;
    uint32_t sight = in_sight(w, way, own), seen = 0;
    for (uint16_t e = w->head[way]; seen < sight; e = entries[e].next) {
        if (entries[e].row == row)
            return e;
        seen += entries[e].count;
    }
    return HBM_NONE;
}

static inline void set_hit(struct hbm_lane *lane, uint32_t bank, int way, uint16_t hit)
{
    lane->wanted[bank].hit[way] = hit;
    if (hit != HBM_NONE) {
        lane->hits[way] |= hbm_bit(bank);
        lane->column_known = false;
    } else if (lane->hits[way] & hbm_bit(bank)) {
        lane->hits[way] &= ~hbm_bit(bank);
        lane->column_known = false;
    }
}

static inline void look_for_hit(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank,
                                int way, bool own)
{
    set_hit(lane, bank, way, find_hit(c, lane, bank, way, own));
}

/* Whether the oldest request of `way` is held up by the row that is open or by none: it is
 * not if its row is open, or if others want the open row and it has not had its accesses. */
static inline bool misses(const struct hbm_channel *c, const struct hbm_wanted *w, int way,
                          bool own)
{
    if (in_sight(w, way, own) == 0 || w->hit[way] == w->head[way])
        return false;
    bool hit = w->hit[way] != HBM_NONE || (own && w->hit[!way] != HBM_NONE);
    return !hit || w->served >= c->stack->config.hit_cap;
}

static inline void take_earlier(struct hbm_row_choice *first, const struct hbm_row_choice *other)
{
    if (other->at < first->at || (other->at == first->at && other->age < first->age)) {
        first->at = other->at;
        first->age = other->age;
        first->bank = other->bank;
    }
}

void hbm_queue_wants_row(const struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    enum hbm_command command = hbm_row_command_for(lane, bank);
    cycle_t at = hbm_pseudo_at(&lane->pseudo, command, bank);
    const struct hbm_row_choice it = {
        .at = cycle_max(at, cycle_max(c->now, *lane->bus)), .bank = bank,
        .age = lane->age[lane->wanted[bank].row_way[c->writing]][bank],
    };
    take_earlier(&lane->rows[command], &it);
    take_earlier(&lane->row, &it);
}

static inline void ceases_to_want_row(struct hbm_lane *lane, uint32_t bank)
{
    lane->rows[HBM_ACT].known &= lane->rows[HBM_ACT].bank != bank;
    lane->rows[HBM_PRE].known &= lane->rows[HBM_PRE].bank != bank;
    lane->row.known &= lane->row.bank != bank;
}

/* Of a bank with its own queue. */
static int older_way(const struct hbm_lane *lane, uint32_t bank)
{
    const struct hbm_wanted *w = &lane->wanted[bank];
    if (w->inside[HBM_TO_READ] == 0 || w->inside[HBM_TO_WRITE] == 0)
        return w->inside[HBM_TO_READ] == 0 ? HBM_TO_WRITE : HBM_TO_READ;
    return lane->age[HBM_TO_WRITE][bank] < lane->age[HBM_TO_READ][bank] ? HBM_TO_WRITE
                                                                        : HBM_TO_READ;
}

static inline void look_for_miss(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank,
                                 int way, bool own)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    bool miss = misses(c, w, own ? w->row_way[way] : way, own);
    bool missed = lane->misses[way] >> bank & 1;
    if (miss == missed)
        return;
    lane->misses[way] ^= hbm_bit(bank);
    if (miss)
        w->miss_since = c->now;
    if (way != c->writing || lane->refreshing)
        return;
    if (miss)
        hbm_queue_wants_row(c, lane, bank);
    else
        ceases_to_want_row(lane, bank);
}

static void look_inside(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    struct hbm_wanted *w = &lane->wanted[bank];
    look_for_hit(c, lane, bank, HBM_TO_READ, true);
    look_for_hit(c, lane, bank, HBM_TO_WRITE, true);
    w->row_way[HBM_TO_READ] = w->row_way[HBM_TO_WRITE] = (uint8_t)older_way(lane, bank);
    look_for_miss(c, lane, bank, HBM_TO_READ, true);
    look_for_miss(c, lane, bank, HBM_TO_WRITE, true);
}

static inline void look_at(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank, int way)
{
    if (lane->wanted[bank].held[way] == 0
        && !((lane->hits[way] | lane->misses[way]) >> bank & 1))
        return;
    look_for_hit(c, lane, bank, way, false);
    look_for_miss(c, lane, bank, way, false);
}

/* Puts the bank where it belongs: a column command is due, or a row command, or none; or
 * both, if what comes first decides. */
void hbm_queue_look(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank)
{
    if (hbm_own_queue(c)) {
        look_inside(c, lane, bank);
        return;
    }
    look_at(c, lane, bank, HBM_TO_READ);
    look_at(c, lane, bank, HBM_TO_WRITE);
}

/* The same after entry `e` has come last, where none before it is a hit. */
static inline void look_at_last(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank,
                                int way, uint16_t e)
{
    const struct hbm_pseudo *p = &lane->pseudo;
    bool hit = hbm_pseudo_open(p, bank) && c->queue[way].entries[e].row == p->rows[bank];
    if (hit)
        set_hit(lane, bank, way, e);
    if (hit || lane->wanted[bank].head[way] == e)   /* else one before it misses already */
        look_for_miss(c, lane, bank, way, false);
    look_at(c, lane, bank, !way);
}

/* ---- in ---- */

void hbm_queue_first(struct hbm_channel *c)
{
    const struct hbm *h = c->stack;
    struct hbm_fifo *f = &c->fifo;
    f->chain = 0;
    f->last = HBM_NONE;
    f->full = false;
    if (f->count == 0)
        return;
    const struct hbm_run *run = hbm_first_run(c);
    uint32_t kind = c->number ^ HBM_CODE_CHANNEL(run->code);
    const uint16_t *below = &h->below[kind * (h->beats + 1)];
    f->ready = run->ready;
    f->way = run->request.write ? HBM_TO_WRITE : HBM_TO_READ;
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
    hbm_queue_look(c, lane, bank);
}

/* The chain that is entering begins with an entry of its own, of no burst yet. */
static void append(struct hbm_channel *c)
{
    struct hbm_fifo *f = &c->fifo;
    struct hbm_queue *q = &c->queue[f->way];
    struct hbm_wanted *w = &f->lane->wanted[f->bank];
    const struct hbm_run *run = hbm_first_run(c);
    uint16_t e = q->free;
    assert(e != HBM_NONE);
    q->free = q->entries[e].next;
    q->entries[e] = (struct hbm_entry){
        .age = c->age, .row = HBM_CODE_ROW(run->code ^ c->stack->beat[f->beat].code),
        .run = f->way == HBM_TO_READ ? f->runs[f->head] : HBM_NONE,
        .group = run->request.group, .next = HBM_NONE,
    };
    if (w->head[f->way] == HBM_NONE) {
        w->head[f->way] = e;
        f->lane->age[f->way][f->bank] = c->age;
    } else {
        q->entries[w->tail[f->way]].next = e;
    }
    w->tail[f->way] = e;
    f->last = e;
}

static void written(struct hbm_channel *c, uint32_t n)
{
    uint16_t number = c->fifo.runs[c->fifo.head];
    struct hbm_run *run = &c->stack->runs[number];
    hbm_later(&run->done, c->now);
    if ((run->left -= n) == 0)
        hbm_run_done(c->stack, number);
}

/* `n` bursts of the chain that is entering. */
static void enter(struct hbm_channel *c, uint32_t n)
{
    struct hbm_fifo *f = &c->fifo;
    struct hbm_lane *lane = f->lane;
    struct hbm_queue *q = &c->queue[f->way];
    struct hbm_wanted *w = &lane->wanted[f->bank];
    if (lane->waiting == 0)
        lane->since = c->now;
    bool longer = f->last != HBM_NONE;
    if (!longer)
        append(c);
    q->entries[f->last].count = (uint16_t)(q->entries[f->last].count + n);
    c->age += n;
    q->counted += n;
    q->held += n;
    w->held[f->way] = (uint16_t)(w->held[f->way] + n);
    lane->waiting += n;
    f->waiting -= n;
    f->beat += n;
    f->chain -= n;
    if (hbm_own_queue(c))
        move_on(c, lane, f->bank);
    else if (!longer && w->hit[f->way] == HBM_NONE)
        look_at_last(c, lane, f->bank, f->way, f->last);
    if (f->way == HBM_TO_WRITE)
        written(c, n);
}

/* The bursts of the first run that come next and are in one row. */
static void begin_chain(struct hbm_channel *c)
{
    const struct hbm *h = c->stack;
    struct hbm_fifo *f = &c->fifo;
    const struct hbm_beat *beat = &h->beat[f->beat];
    uint32_t place = HBM_CODE_BANK(hbm_first_run(c)->code ^ beat->code);
    uint32_t left = f->beat_end - f->beat;
    f->chain = beat->chain < left ? beat->chain : left;
    f->lane = &c->lanes[place >> h->lane_banks_bits];
    f->bank = place & ((1u << h->lane_banks_bits) - 1);
    f->last = HBM_NONE;
}

/* Bursts that have arrived enter the queues, in their order, as far as there is room. */
void hbm_queue_accept(struct hbm_channel *c)
{
    const struct hbm_config *config = &c->stack->config;
    struct hbm_fifo *f = &c->fifo;
    while (hbm_queue_can_accept(c)) {
        if (f->chain == 0)
            begin_chain(c);
        uint32_t size = f->way == HBM_TO_WRITE ? config->write_queue : config->read_queue;
        uint32_t places = size - c->queue[f->way].counted;
        f->full = places == 0;
        if (places > 0)
            enter(c, f->chain < places ? f->chain : places);
        if (f->beat == f->beat_end) {
            f->head = f->head + 1 == config->runs ? 0 : f->head + 1;
            f->count--;
            hbm_queue_first(c);
        }
    }
}

void hbm_queue_turn(struct hbm_channel *c)
{
    c->writing = !c->writing;
    c->turned = c->now;
    c->batches += c->writing;
    for (uint32_t i = 0; i < c->stack->config.pseudo_channels; i++) {
        hbm_forget(&c->lanes[i]);
        for (uint32_t b = 0; hbm_own_queue(c) && b < 1u << c->stack->lane_banks_bits; b++)
            move_on(c, &c->lanes[i], b);
    }
}

/* ---- out ---- */

static void unlink_entry(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank, int way,
                         uint16_t e)
{
    struct hbm_queue *q = &c->queue[way];
    struct hbm_wanted *w = &lane->wanted[bank];
    uint16_t before = HBM_NONE;
    for (uint16_t i = w->head[way]; i != e; i = q->entries[i].next)
        before = i;
    if (before == HBM_NONE)
        w->head[way] = q->entries[e].next;
    else
        q->entries[before].next = q->entries[e].next;
    if (w->tail[way] == e)
        w->tail[way] = before;
    if (w->head[way] != HBM_NONE)
        lane->age[way][bank] = q->entries[w->head[way]].age;
    if (c->fifo.last == e && way == c->fifo.way)
        c->fifo.last = HBM_NONE;
    q->entries[e].next = q->free;
    q->free = e;
}

void hbm_queue_shorten(struct hbm_channel *c, struct hbm_lane *lane, uint32_t n)
{
    int way = c->writing;
    struct hbm_queue *q = &c->queue[way];
    struct hbm_wanted *w = &lane->wanted[lane->column_bank];
    struct hbm_entry *e = &q->entries[w->hit[way]];
    assert(e->count > n);
    w->held[way] = (uint16_t)(w->held[way] - n);
    q->held -= n;
    q->counted -= n;
    lane->waiting -= n;
    w->served = w->served + n < UINT16_MAX ? (uint16_t)(w->served + n) : UINT16_MAX - 1;
    e->age += n;
    if (w->hit[way] == w->head[way])
        lane->age[way][lane->column_bank] += n;
    e->count = (uint16_t)(e->count - n);
    c->fifo.full = false;
}

void hbm_queue_leave(struct hbm_channel *c, struct hbm_lane *lane, uint32_t n)
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
    if (e == w->head[way])
        lane->age[way][bank] += n;
    q->entries[e].count = (uint16_t)(q->entries[e].count - n);
    if (hbm_own_queue(c)) {
        w->inside[way] = (uint16_t)(w->inside[way] - n);
    } else {
        q->counted -= n;
        c->fifo.full = false;
    }
    if (q->entries[e].count == 0)
        unlink_entry(c, lane, bank, way, e);
    else if (!hbm_own_queue(c) && w->hit[way] == w->head[way])
        return;
    hbm_queue_look(c, lane, bank);
    if (hbm_own_queue(c))
        move_on(c, lane, bank);
}
