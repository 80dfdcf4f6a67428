/* hbm.c - the port of a stack: runs in, answers out in order of time, counts. */
#include "models/hbm/hbm_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"

uint64_t hbm_clock_hz(const struct hbm_config *config)
{
    return (uint64_t)floor(config->pin_gbps * 1e9 / config->clock_bits + 0.5);
}

/* ---- checks ---- */

static bool check_queues(const struct hbm_config *c, struct diag *d)
{
    if (c->write_high > c->write_queue)
        return diag_set(d, 0, 0, "write_high: %u is more than write_queue holds; expected at "
                        "most %u", c->write_high, c->write_queue);
    if (c->write_low >= c->write_high)
        return diag_set(d, 0, 0, "write_low: %u is not below write_high, %u", c->write_low,
                        c->write_high);
    if (c->bank_groups * c->banks > HBM_BANKS_MAX)
        return diag_set(d, 0, 0, "banks: %u in a pseudo-channel; expected at most %u",
                        c->bank_groups * c->banks, (unsigned)HBM_BANKS_MAX);
    if (hbm_burst_bytes(c) > HBM_RUN_BYTES)
        return diag_set(d, 0, 0, "burst_length: a burst has %u bytes; expected at most %u",
                        hbm_burst_bytes(c), (unsigned)HBM_RUN_BYTES);
    return true;
}

static bool check_times(const struct hbm_config *c, struct diag *d)
{
    if (hbm_clock_hz(c) < 1000000)
        return diag_set(d, 0, 0, "pin_gbps: the clock is under 1 MHz");
    double row = c->rp_ns + c->rc_ns;
    if (c->refresh != HBM_REFRESH_NONE && c->refi_ns < c->rfc_ns + row)
        return diag_set(d, 0, 0, "refi_ns: refreshes follow each other after %g ns but each "
                        "takes %g", c->refi_ns, c->rfc_ns + row);
    return true;
}

bool hbm_check(const struct hbm_config *config, struct hbm_map *map, struct diag *d)
{
    return check_queues(config, d) && check_times(config, d) && hbm_map_parse(map, config, d);
}

/* ---- building ---- */

static uint16_t chain_length(const struct hbm_beat *beat, uint32_t left)
{
    uint16_t n = 1;
    while (n < left && beat[n].code == beat[0].code)
        n++;
    return n;
}

/* The beats of a 4 KiB block, sorted by channel. */
static void lay_out_block(struct hbm *h)
{
    uint32_t channels = h->config.channels, n = 0;
    h->beat = zeroed(h->beats, sizeof *h->beat);
    h->below = zeroed((size_t)channels * (h->beats + 1), sizeof *h->below);
    h->beat_channel = zeroed(h->beats, sizeof *h->beat_channel);
    for (uint32_t kind = 0; kind < channels; kind++) {
        uint32_t first = n;
        for (uint32_t b = 0; b < h->beats; b++) {
            h->below[kind * (h->beats + 1) + b] = (uint16_t)n;
            uint64_t code = hbm_map_code(h->map, (uint64_t)b * h->burst_bytes);
            if (HBM_CODE_CHANNEL(code) != kind)
                continue;
            h->beat_channel[b] = (uint8_t)kind;
            h->beat[n++].code = code;
        }
        h->below[kind * (h->beats + 1) + h->beats] = (uint16_t)n;
        for (uint32_t i = first; i < n; i++)
            h->beat[i].chain = chain_length(&h->beat[i], n - i);
    }
}

static void build_queue(struct hbm *h, struct hbm_queue *q, uint32_t size)
{
    uint32_t banks = h->config.pseudo_channels << h->lane_banks_bits;
    uint32_t count = size + banks * h->config.bank_queue;
    q->entries = zeroed(count, sizeof *q->entries);
    for (uint32_t e = 0; e < count; e++)
        q->entries[e].next = e + 1 < count ? (uint16_t)(e + 1) : HBM_NONE;
}

static void build_lane(struct hbm *h, struct hbm_lane *lane)
{
    lane->pseudo.bank_bits = h->bank_bits;
    lane->refresh_due = h->config.refresh == HBM_REFRESH_NONE ? CYCLE_NEVER : h->timing.refi;
    for (uint32_t b = 0; b < HBM_BANKS_MAX; b++)
        for (int way = 0; way < HBM_WAYS; way++) {
            struct hbm_wanted *w = &lane->wanted[b];
            w->head[way] = w->tail[way] = w->hit[way] = HBM_NONE;
            w->row_way[way] = (uint8_t)way;
        }
}

static void build_channel(struct hbm *h, uint32_t number)
{
    struct hbm_channel *c = &h->channels[number];
    c->stack = h;
    c->number = number;
    c->next = c->due = CYCLE_NEVER;
    c->lanes = zeroed(h->config.pseudo_channels, sizeof *c->lanes);
    c->fifo.runs = zeroed(h->config.runs, sizeof *c->fifo.runs);
    c->fifo.last = HBM_NONE;
    c->own_queues = h->config.bank_queue > 0;
    c->chains = !c->own_queues && h->timing.ccd_l == h->timing.ccd_s
             && h->config.page != HBM_PAGE_ACCESS;
    c->buses = zeroed(h->config.pseudo_channels, sizeof *c->buses);
    build_queue(h, &c->queue[HBM_TO_READ], h->config.read_queue);
    build_queue(h, &c->queue[HBM_TO_WRITE], h->config.write_queue);
    for (uint32_t i = 0; i < h->config.pseudo_channels; i++) {
        build_lane(h, &c->lanes[i]);
        c->lanes[i].bus = &c->buses[h->config.row_bus == HBM_ROW_BUS_CHANNEL ? 0 : i];
    }
}

struct hbm *hbm_new(const struct hbm_config *config, const struct hbm_map *map, uint32_t groups)
{
    struct hbm *h = zeroed(1, sizeof *h);
    h->config = *config;
    h->map = map;
    h->clock.hz = hbm_clock_hz(config);
    h->timing = hbm_timing(config, &h->clock);
    h->burst_bytes = hbm_burst_bytes(config);
    h->beats = HBM_RUN_BYTES / h->burst_bytes;
    h->bank_bits = map->bank_bits;
    h->lane_banks_bits = map->bank_bits + map->group_bits;
    h->group_count = groups;
    h->groups = zeroed(groups, sizeof *h->groups);
    h->runs = zeroed(config->runs, sizeof *h->runs);
    h->done = zeroed(config->runs, sizeof *h->done);
    h->free_runs = zeroed(config->runs, sizeof *h->free_runs);
    for (uint32_t i = config->runs; i > 0; i--)
        h->free_runs[h->free_count++] = (uint16_t)(i - 1);
    lay_out_block(h);
    h->channels = zeroed(config->channels, sizeof *h->channels);
    for (uint32_t i = 0; i < config->channels; i++)
        build_channel(h, i);
    return h;
}

void hbm_record(struct hbm *h, struct record *r)
{
    char name[RECORD_NAME];
    h->record = r;
    for (uint32_t c = 0; c < h->config.channels; c++) {
        snprintf(name, sizeof name, "ch%u.read", c);
        record_amount_track(r, name, h->config.pseudo_channels);
        snprintf(name, sizeof name, "ch%u.write", c);
        record_amount_track(r, name, h->config.pseudo_channels);
    }
}

void hbm_free(struct hbm *h)
{
    if (!h)
        return;
    for (uint32_t i = 0; i < h->config.channels; i++) {
        struct hbm_channel *c = &h->channels[i];
        for (int way = 0; way < HBM_WAYS; way++)
            free(c->queue[way].entries);
        free(c->fifo.runs);
        free(c->lanes);
        free(c->buses);
    }
    free(h->channels);
    free(h->beat);
    free(h->below);
    free(h->beat_channel);
    free(h->runs);
    free(h->done);
    free(h->free_runs);
    free(h->groups);
    free(h);
}

/* ---- runs in ---- */

bool hbm_can_take(const struct hbm *h) { return h->free_count > 0; }
uint32_t hbm_held(const struct hbm *h) { return h->config.runs - h->free_count; }

bool hbm_idle(const struct hbm *h)
{
    if (h->free_count < h->config.runs)
        return false;
    for (uint32_t i = 0; i < h->config.channels; i++)
        if (h->channels[i].queue[HBM_TO_WRITE].held > 0)
            return false;
    return true;
}

uint32_t hbm_waiting(struct hbm *h, uint32_t channel)
{
    struct hbm_channel *c = &h->channels[channel];
    if (c->next < h->end)
        hbm_channel_run(c, h->end, false);
    return c->fifo.waiting;
}

/* As clock_cycle, but most often it is asked about the same tick again. */
static cycle_t cycle_of(const struct hbm *h, tick_t t)
{
    return t == h->end_tick ? h->end : clock_cycle(&h->clock, t);
}

static void list(struct hbm *h, uint32_t kind, uint16_t number)
{
    const struct hbm_run *run = &h->runs[number];
    const uint16_t *below = &h->below[kind * (h->beats + 1)];
    uint32_t beats = (uint32_t)below[run->last + 1] - below[run->first];
    if (beats == 0)
        return;
    struct hbm_channel *c = &h->channels[kind ^ HBM_CODE_CHANNEL(run->code)];
    struct hbm_fifo *f = &c->fifo;
    uint32_t at = f->head + f->count;
    f->runs[at < h->config.runs ? at : at - h->config.runs] = number;
    f->waiting += beats;
    if (f->count++ == 0)
        hbm_queue_first(c);
    c->next = cycle_min(c->next, run->ready);
    if (!f->full)               /* else c->due has reckoned with who comes behind */
        c->due = cycle_min(c->due, run->ready + (run->request.write ? 0 : h->timing.cl));
}

void hbm_take(struct hbm *h, tick_t now, const struct hbm_request *r)
{
    assert(hbm_can_take(h));
    assert(r->group < h->group_count);
    uint64_t local = hbm_map_local(h->map, r->address);
    uint64_t offset = local % HBM_RUN_BYTES;
    assert(r->bytes > 0 && offset + r->bytes <= HBM_RUN_BYTES);
    uint16_t number = h->free_runs[--h->free_count];
    struct hbm_run *run = &h->runs[number];
    *run = (struct hbm_run){
        .request = *r, .order = h->order++,
        .code  = hbm_map_code(h->map, local - offset),
        .ready = cycle_of(h, now) + h->timing.front,
        .first = (uint16_t)(offset / h->burst_bytes),
        .last  = (uint16_t)((offset + r->bytes - 1) / h->burst_bytes),
    };
    run->left = (uint32_t)run->last - run->first + 1;
    h->stats.runs++;
    if (h->beat_channel[run->first] == h->beat_channel[run->last] && run->left <= 2) {
        list(h, h->beat_channel[run->first], number);
        return;
    }
    for (uint32_t kind = 0; kind < h->config.channels; kind++)
        list(h, kind, number);
}

/* ---- answers out ---- */

static bool earlier(const struct hbm *h, uint16_t a, uint16_t b)
{
    const struct hbm_run *x = &h->runs[a], *y = &h->runs[b];
    return x->done != y->done ? x->done < y->done : x->order < y->order;
}

void hbm_run_done(struct hbm *h, uint16_t run)
{
    uint32_t i = h->done_count++;
    for (; i > 0 && earlier(h, run, h->done[(i - 1) / 2]); i = (i - 1) / 2)
        h->done[i] = h->done[(i - 1) / 2];
    h->done[i] = run;
}

static void drop_first(struct hbm *h)
{
    uint16_t run = h->done[--h->done_count];
    uint32_t i = 0;
    for (uint32_t child; (child = 2 * i + 1) < h->done_count; i = child) {
        if (child + 1 < h->done_count && earlier(h, h->done[child + 1], h->done[child]))
            child++;
        if (!earlier(h, h->done[child], run))
            break;
        h->done[i] = h->done[child];
    }
    h->done[i] = run;
}

bool hbm_answer(struct hbm *h, tick_t end, struct hbm_answer *a)
{
    if (h->done_count == 0)
        return false;
    uint16_t number = h->done[0];
    const struct hbm_run *run = &h->runs[number];
    if (run->done >= cycle_of(h, end))
        return false;
    *a = (struct hbm_answer){
        .id = run->request.id, .tick = clock_tick(&h->clock, run->done), .group = run->request.group,
        .sender = run->request.sender, .write = run->request.write,
    };
    *(a->write ? &h->stats.written_bytes : &h->stats.read_bytes) += run->request.bytes;
    drop_first(h);
    h->free_runs[h->free_count++] = number;
    return true;
}

/* ---- time ---- */

/* A channel whose next answer is not due may wait for a longer stretch at once; not if
 * nothing is under way any more: hbm_idle looks at what is left in the queues. */
static cycle_t run_channels(struct hbm *h, bool all)
{
    cycle_t due = CYCLE_NEVER;
    for (uint32_t i = 0; i < h->config.channels; i++) {
        struct hbm_channel *c = &h->channels[i];
        if ((all ? c->next : c->due) < h->end)
            hbm_channel_run(c, h->end, false);
        due = cycle_min(due, all ? c->next : c->due);
    }
    return due;
}

tick_t hbm_run(struct hbm *h, tick_t end)
{
    h->end = cycle_of(h, end);
    h->end_tick = end;
    cycle_t next = run_channels(h, false);
    if (h->done_count == hbm_held(h))
        next = run_channels(h, true);
    if (h->done_count > 0)
        next = cycle_min(next, h->runs[h->done[0]].done);
    return tick_max(clock_tick(&h->clock, next), end);
}

/* ---- counts ---- */

/* The clocks that no access has charged yet, up to now; or those that the last one has
 * charged past it. */
static void settle(struct hbm_stats *s, const struct hbm_lane *lane, cycle_t now)
{
    if (lane->charged > now) {
        s->cycles[lane->wrote ? HBM_WRITE : HBM_READ] -= lane->charged - now;
        return;
    }
    cycle_t from = lane->charged;
    cycle_t wanted = lane->waiting > 0 ? cycle_min(cycle_max(from, lane->since), now) : now;
    s->cycles[HBM_NO_REQUEST] += wanted - from;
    cycle_t refreshed = cycle_min(cycle_max(wanted, lane->refresh_end), now);
    s->cycles[HBM_REFRESH] += refreshed - wanted;
    s->cycles[HBM_ROW] += now - refreshed;
}

static void add_lane(struct hbm_stats *s, const struct hbm_lane *lane, cycle_t now)
{
    s->reads         += lane->stats.reads;
    s->writes        += lane->stats.writes;
    s->row_hits      += lane->stats.row_hits;
    s->activates     += lane->pseudo.activates;
    s->precharges    += lane->pseudo.precharges;
    s->refreshes     += lane->pseudo.refreshes;
    s->total_cycles  += now;
    s->closed_cycles += lane->pseudo.closed_cycles;
    if (lane->pseudo.open == 0 && now > lane->pseudo.closed_since)
        s->closed_cycles += now - lane->pseudo.closed_since;
    for (int i = 0; i < HBM_CAUSES_COUNT; i++)
        s->cycles[i] += lane->stats.cycles[i];
    settle(s, lane, now);
}

struct hbm_stats hbm_stats(struct hbm *h, tick_t now)
{
    cycle_t last = clock_cycle(&h->clock, now);
    struct hbm_stats s = h->stats;
    for (uint32_t i = 0; i < h->config.channels; i++) {
        struct hbm_channel *c = &h->channels[i];
        hbm_channel_run(c, last, true);
        s.batches += c->batches;
        for (uint32_t l = 0; l < h->config.pseudo_channels; l++)
            add_lane(&s, &c->lanes[l], last);
    }
    uint64_t sum = 0;
    for (int i = 0; i < HBM_CAUSES_COUNT; i++)
        sum += s.cycles[i];
    assert(sum == s.total_cycles);
    return s;
}

struct hbm_group_stats hbm_group_stats(const struct hbm *h, uint32_t group)
{
    assert(group < h->group_count);
    return h->groups[group];
}
