/* record.c - see record.h. */
#include "models/record.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/zeroed.h"

#define FIRST_ENTRIES 1024

/* A track as it is now. */
struct now {
    cycle_t  since;             /* STATE, LEVEL: in `value` since then */
    uint64_t value;
};

struct record {
    struct record_config config;
    cycle_t  from, to;          /* the window */
    struct record_track *tracks;
    struct now *now;
    uint32_t track_count;
    struct record_entry *entries;
    size_t   count, room;
    uint64_t left_out;
    cycle_t  until;
    struct ledger *sums;        /* made when the first of them is known */
    bool     closed;
};

struct record *record_new(const struct record_config *c)
{
    struct record *r = zeroed(1, sizeof *r);
    r->config = *c;
    r->from = clock_cycle(&c->clock, c->from);
    r->to = clock_cycle(&c->clock, c->to);
    r->until = CYCLE_NEVER;
    return r;
}

void record_free(struct record *r)
{
    if (!r)
        return;
    free(r->tracks);
    free(r->now);
    free(r->entries);
    ledger_free(r->sums);
    free(r);
}

const struct record_config *record_config(const struct record *r) { return &r->config; }

/* ---- tracks */

static void *grown(void *p, size_t count, size_t size)
{
    p = realloc(p, count * size);
    if (!p)
        abort();
    return p;
}

static uint32_t add(struct record *r, const char *name, enum record_kind kind, uint32_t full)
{
    if (!r)
        return 0;
    assert(!r->sums && strlen(name) < RECORD_NAME);
    uint32_t track = r->track_count++;
    r->tracks = grown(r->tracks, r->track_count, sizeof *r->tracks);
    r->now = grown(r->now, r->track_count, sizeof *r->now);
    r->tracks[track] = (struct record_track){ .kind = kind, .full = full };
    snprintf(r->tracks[track].name, RECORD_NAME, "%s", name);
    r->now[track] = (struct now){ 0 };
    return track;
}

uint32_t record_work_track(struct record *r, const char *name)
{
    return add(r, name, RECORD_WORK, 1);
}

uint32_t record_state_track(struct record *r, const char *name, const char *const *states,
                            uint32_t count, uint32_t busy, uint32_t first)
{
    uint32_t track = add(r, name, RECORD_STATE, 1);
    if (!r)
        return track;
    r->tracks[track].states = states;
    r->tracks[track].state_count = count;
    r->tracks[track].busy = busy;
    r->now[track].value = first;
    return track;
}

uint32_t record_level_track(struct record *r, const char *name, uint32_t most)
{
    return add(r, name, RECORD_LEVEL, most);
}

uint32_t record_amount_track(struct record *r, const char *name, uint32_t full)
{
    return add(r, name, RECORD_AMOUNT, full);
}

/* ---- sums */

static void sum(struct record *r, uint32_t track, cycle_t start, cycle_t end, uint64_t amount)
{
    if (!r->sums)
        r->sums = ledger_new(r->track_count, 1);
    ledger_add(r->sums, track, 0, amount, clock_tick(&r->config.clock, start),
               clock_tick(&r->config.clock, end));
}

void record_put_amount(struct record *r, uint32_t track, cycle_t start, cycle_t end,
                       uint64_t amount)
{
    assert(track < r->track_count && start <= end && !r->closed);
    sum(r, track, start, end, amount);
}

/* What a stretch in which the track stays as it is adds. */
static void sum_value(struct record *r, uint32_t track, cycle_t end)
{
    const struct record_track *t = &r->tracks[track];
    const struct now *n = &r->now[track];
    uint64_t a_cycle = t->kind == RECORD_LEVEL ? n->value : n->value == t->busy;
    if (a_cycle > 0 && end > n->since)
        sum(r, track, n->since, end, a_cycle * (end - n->since));
}

/* ---- entries */

static void keep(struct record *r, const struct record_entry *e)
{
    if (r->count == r->config.most) {
        r->left_out++;
        r->until = cycle_min(r->until, e->end);
        return;
    }
    if (r->count == r->room) {
        r->room = r->room > 0 ? 2 * r->room : FIRST_ENTRIES;
        r->entries = grown(r->entries, r->room, sizeof *r->entries);
    }
    r->entries[r->count++] = *e;
}

void record_put_work(struct record *r, uint32_t track, cycle_t start, cycle_t end,
                     const struct record_work *w)
{
    assert(track < r->track_count && start <= end && !r->closed);
    assert(r->tracks[track].kind == RECORD_WORK && r->now[track].since <= start);
    sum(r, track, start, end, end - start);
    r->now[track].since = end;
    bool is_before = end < r->from || (end == r->from && start < end);
    if (!r->config.entries || is_before || start >= r->to)
        return;
    keep(r, &(struct record_entry){ .track = track, .group = w->group, .number = w->number,
                                    .part = w->part, .begun = w->begun,
                                    .start = cycle_max(start, r->from),
                                    .end = cycle_min(end, r->to) });
}

/* The value that a track has had until now, if the window has seen some of it. */
static void keep_value(struct record *r, uint32_t track, cycle_t until)
{
    const struct now *n = &r->now[track];
    cycle_t start = cycle_max(n->since, r->from);
    bool is_wanted = r->tracks[track].kind == RECORD_STATE || !r->config.no_levels;
    if (!r->config.entries || !is_wanted || until <= start || start >= r->to)
        return;
    keep(r, &(struct record_entry){ .track = track, .start = start, .begun = n->since,
                                    .end = cycle_min(until, r->to), .part = n->value });
}

void record_put_value(struct record *r, uint32_t track, cycle_t at, uint64_t value)
{
    struct now *n = &r->now[track];
    assert(track < r->track_count && !r->closed);
    assert(at >= n->since);
    if (value == n->value)
        return;
    keep_value(r, track, at);
    sum_value(r, track, at);
    *n = (struct now){ .since = at, .value = value };
}

/* ---- after the run */

void record_close(struct record *r, cycle_t end)
{
    if (!r)
        return;
    assert(!r->closed);
    for (uint32_t t = 0; t < r->track_count; t++)
        if (r->tracks[t].kind == RECORD_STATE || r->tracks[t].kind == RECORD_LEVEL) {
            keep_value(r, t, end);
            sum_value(r, t, end);
        }
    if (!r->sums)
        r->sums = ledger_new(r->track_count, 1);
    r->closed = true;
}

uint32_t record_tracks(const struct record *r) { return r->track_count; }

const struct record_track *record_track(const struct record *r, uint32_t track)
{
    assert(track < r->track_count);
    return &r->tracks[track];
}

size_t record_entries(const struct record *r) { return r->count; }

const struct record_entry *record_entry(const struct record *r, size_t i)
{
    assert(i < r->count);
    return &r->entries[i];
}

uint64_t record_left_out(const struct record *r) { return r->left_out; }
cycle_t  record_until(const struct record *r)    { return r->until; }
struct ledger *record_sums(const struct record *r) { return r->sums; }
