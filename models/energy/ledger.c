/* ledger.c - see ledger.h. */
#include "models/energy/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ledger {
    uint32_t  kinds, groups, used;
    tick_t    interval;
    uint64_t *total;        /* [kinds] */
    uint64_t *group;        /* [groups][kinds] */
    uint64_t *at;           /* [LEDGER_INTERVALS][kinds] */
};

static uint64_t *counters(size_t count)
{
    uint64_t *c = calloc(count, sizeof *c);
    if (!c)
        abort();
    return c;
}

struct ledger *ledger_new(uint32_t kinds, uint32_t groups)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    l->kinds = kinds;
    l->groups = groups;
    l->interval = LEDGER_FIRST_INTERVAL;
    l->total = counters(kinds);
    l->group = counters((size_t)groups * kinds);
    l->at = counters((size_t)LEDGER_INTERVALS * kinds);
    return l;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    free(l->total);
    free(l->group);
    free(l->at);
    free(l);
}

static void double_interval(struct ledger *l)
{
    for (uint32_t i = 0; i < LEDGER_INTERVALS / 2; i++)
        for (uint32_t k = 0; k < l->kinds; k++)
            l->at[i * l->kinds + k] = l->at[2 * i * l->kinds + k]
                                    + l->at[(2 * i + 1) * l->kinds + k];
    memset(l->at + (size_t)LEDGER_INTERVALS / 2 * l->kinds, 0,
           (size_t)LEDGER_INTERVALS / 2 * l->kinds * sizeof l->at[0]);
    l->interval *= 2;
    l->used = (l->used + 1) / 2;
}

static void put(struct ledger *l, uint32_t kind, uint64_t interval, uint64_t count)
{
    assert(interval < LEDGER_INTERVALS);
    l->at[interval * l->kinds + kind] += count;
    if (l->used <= interval)
        l->used = (uint32_t)interval + 1;
}

__extension__ typedef unsigned __int128 wide_t;

/* So many of `count` events have happened `done` ticks into `length`. */
static uint64_t share(uint64_t count, tick_t done, tick_t length)
{
    return (uint64_t)((wide_t)count * done / length);
}

void ledger_add(struct ledger *l, uint32_t kind, uint32_t group, uint64_t count,
                tick_t start, tick_t end)
{
    assert(kind < l->kinds && group < l->groups && start <= end);
    if (count == 0)
        return;
    l->total[kind] += count;
    l->group[(size_t)group * l->kinds + kind] += count;
    tick_t last = end > start ? end - 1 : end;
    while (last / l->interval >= LEDGER_INTERVALS)
        double_interval(l);
    uint64_t from = start / l->interval, to = last / l->interval, before = 0;
    for (uint64_t i = from; i < to; i++) {
        uint64_t now = share(count, (i + 1) * l->interval - start, end - start);
        put(l, kind, i, now - before);
        before = now;
    }
    put(l, kind, to, count - before);
}

uint64_t ledger_total(const struct ledger *l, uint32_t kind)
{
    return l->total[kind];
}

uint64_t ledger_group(const struct ledger *l, uint32_t kind, uint32_t group)
{
    return l->group[(size_t)group * l->kinds + kind];
}

tick_t ledger_interval(const struct ledger *l)
{
    return l->interval;
}

uint32_t ledger_intervals(const struct ledger *l)
{
    return l->used;
}

void ledger_coarsen(struct ledger *l, tick_t interval)
{
    while (l->interval < interval)
        double_interval(l);
}

uint64_t ledger_at(const struct ledger *l, uint32_t kind, uint32_t interval)
{
    return interval < l->used ? l->at[interval * l->kinds + kind] : 0;
}
