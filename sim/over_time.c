/* over_time.c - see over_time.h. */
#include "sim/over_time.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/result_parts.h"

/* What one series is a sum of: tracks of blocks, by their names. */
enum of { OF_CHIP, OF_BLOCK, OF_UNIT };         /* a unit's name ends at the first '.' */

struct row {
    const char *name, *what;    /* what: NULL of units, whose name is their kind */
    enum of     of;
    const char *block, *track;
    unsigned    together;       /* tracks that share one unit's time */
    const char *numbered;       /* a unit that is a block: its name before its number */
};

static const struct row classes[] = {
    { "mxu",       "matrix units",     OF_BLOCK, "core*", "mxu*.state",      1, NULL },
    { "vector",    "vector unit",      OF_BLOCK, "core*", "vector.state",    1, NULL },
    { "transpose", "transpose units",  OF_BLOCK, "core*", "transpose.state", 1, NULL },
    { "load",      "loads (DMA)",      OF_BLOCK, "core*", "load.state",      1, NULL },
    { "store",     "stores (DMA)",     OF_BLOCK, "core*", "store.state",     1, NULL },
    { "link",      "links to cores",   OF_BLOCK, "core*", "link.state",      1, NULL },
    { "issue",     "issue slots",      OF_CHIP,  "sm*",   "issue",           1, NULL },
    { "tensor",    "tensor cores",     OF_CHIP,  "sm*",   "pipe.tensor",     1, NULL },
    { "fp32",      "FP32 lanes",       OF_CHIP,  "sm*",   "pipe.fp32",       1, NULL },
    { "int",       "integer lanes",    OF_CHIP,  "sm*",   "pipe.int",        1, NULL },
    { "lsu",       "load-store units", OF_CHIP,  "sm*",   "lsu",             1, NULL },
    { "warps",     "places of warps",  OF_CHIP,  "sm*",   "warps",           1, NULL },
    { "l2",        "L2",               OF_CHIP,  "l2.*",  "slices",          1, NULL },
    { "hbm",       "HBM",              OF_CHIP,  "hbm*",  "ch*",             2, NULL },
    { "hbm.read",  "HBM, reading",     OF_CHIP,  "hbm*",  "ch*.read",        1, NULL },
    { "hbm.write", "HBM, writing",     OF_CHIP,  "hbm*",  "ch*.write",       1, NULL },
};

static const struct row units[] = {
    { "mxu",     NULL, OF_UNIT,  "core*", "mxu*.state", 1, NULL },
    { "sm",      NULL, OF_BLOCK, "sm*",   "issue",      1, "sm" },
    { "l2",      NULL, OF_BLOCK, "l2.*",  "slices",     1, "l2." },
    { "hbm",     NULL, OF_BLOCK, "hbm*",  "ch*",        2, "hbm" },
    { "channel", NULL, OF_UNIT,  "hbm*",  "ch*",        2, NULL },
};

/* Time in bins of whole intervals of the ledgers. */
struct bins {
    const struct recorded *run;
    tick_t   interval, width;
    uint32_t merged, count;     /* intervals of a bin; bins */
};

struct series {
    double  *amount;            /* [bins] */
    double   full;              /* what it grows by in a second at most */
    unsigned tracks;
};

static uint32_t ceil_div(uint64_t a, uint64_t b) { return (uint32_t)((a + b - 1) / b); }

/* All ledgers get the interval of the coarsest. */
static struct bins lay_out(const struct recorded *r, unsigned most)
{
    struct bins b = { .run = r, .interval = LEDGER_FIRST_INTERVAL };
    const struct recording *x = r->recording;
    for (uint32_t i = 0; i < x->count; i++)
        if (x->record[i])
            b.interval = tick_max(b.interval, ledger_interval(record_sums(x->record[i])));
    for (uint32_t i = 0; i < x->count; i++)
        if (x->record[i])
            ledger_coarsen(record_sums(x->record[i]), b.interval);
    uint32_t intervals = ceil_div(r->end > 0 ? r->end : 1, b.interval);
    b.merged = ceil_div(intervals, most);
    b.count = ceil_div(intervals, b.merged);
    b.width = b.interval * b.merged;
    return b;
}

/* How long bin `i` is: the last one ends with the run. */
static double seconds_of(const struct bins *b, uint32_t i)
{
    tick_t from = i * b->width, to = tick_min(from + b->width, b->run->end);
    return result_seconds(to - from);
}

static void add_track(const struct bins *b, const struct record *r, uint32_t track,
                      struct series *s)
{
    struct ledger *sums = record_sums(r);
    for (uint32_t i = 0; i < ledger_intervals(sums); i++) {
        uint32_t bin = i / b->merged < b->count ? i / b->merged : b->count - 1;
        s->amount[bin] += (double)ledger_at(sums, track, i);
    }
    s->full += (double)record_track(r, track)->full * (double)record_config(r)->clock.hz;
    s->tracks++;
}

static json_t *series_json(const struct bins *b, const struct row *row, const char *name,
                           const struct series *s)
{
    double full = s->full / row->together, sum = 0;
    json_t *share = json_array();
    for (uint32_t i = 0; i < b->count; i++) {
        sum += s->amount[i];
        json_array_append_new(share, json_real(result_ratio(s->amount[i],
                                                            full * seconds_of(b, i))));
    }
    return json_pack("{s:s, s:s, s:f, s:o}", "name", name, row->what ? "what" : "kind",
                     row->what ? row->what : row->name, "busy_s", result_ratio(sum, full),
                     "share", share);
}

/* Adds what has come together, if anything has, and begins again. */
static void finish(const struct bins *b, const struct row *row, const char *name,
                   struct series *s, json_t *list)
{
    if (s->tracks > 0)
        json_array_append_new(list, series_json(b, row, name, s));
    memset(s->amount, 0, b->count * sizeof *s->amount);
    s->full = 0;
    s->tracks = 0;
}

/* "core0.mxu" of a class of a block's, "core0.mxu0" of a unit, "sm7" of the seventh block. */
static void name_of(const struct row *row, const char *block, uint32_t number,
                    const char *track, char *name, size_t size)
{
    if (row->of == OF_UNIT)
        snprintf(name, size, "%s.%.*s", block, (int)strcspn(track, "."), track);
    else if (row->numbered)
        snprintf(name, size, "%s%u", row->numbered, number);
    else
        snprintf(name, size, "%s.%s", block, row->name);
}

static void add_block(const struct bins *b, const struct row *row, const struct record *r,
                      uint32_t number, struct series *s, json_t *list)
{
    const char *block = record_config(r)->name;
    char name[64] = "", next[64];
    for (uint32_t t = 0; t < record_tracks(r); t++) {
        const struct record_track *track = record_track(r, t);
        if (fnmatch(row->track, track->name, 0) != 0)
            continue;
        name_of(row, block, number, track->name, next, sizeof next);
        if (row->of != OF_CHIP && strcmp(name, next) != 0)
            finish(b, row, name, s, list);
        snprintf(name, sizeof name, "%s", next);
        add_track(b, r, t, s);
    }
    if (row->of != OF_CHIP)
        finish(b, row, name, s, list);
}

static json_t *rows_json(const struct bins *b, const struct row *rows, size_t count)
{
    const struct recording *x = b->run->recording;
    json_t *list = json_array();
    struct series s = { .amount = zeroed(b->count, sizeof *s.amount) };
    for (size_t n = 0; n < count; n++) {
        uint32_t number = 0;
        for (uint32_t i = 0; i < x->count; i++)
            if (x->record[i] && fnmatch(rows[n].block, record_config(x->record[i])->name, 0) == 0)
                add_block(b, &rows[n], x->record[i], number++, &s, list);
        finish(b, &rows[n], rows[n].name, &s, list);
    }
    free(s.amount);
    return list;
}

json_t *over_time_json(const struct recorded *r, unsigned bins)
{
    struct bins b = lay_out(r, bins);
    return json_pack("{s:f, s:i, s:f, s:o, s:o}", "bin_s", result_seconds(b.width),
                     "bins", (int)b.count, "end_s", result_seconds(r->end),
                     "classes", rows_json(&b, classes, sizeof classes / sizeof classes[0]),
                     "units", rows_json(&b, units, sizeof units / sizeof units[0]));
}
