/* ports.c - the calendar as a list of spans, each with what is taken in its cycles.
 *
 * Spans follow each other without a gap; the last one has no end and nothing taken.
 * There are about two for each tile and transfer under way: a few dozen.  Neighbours that
 * came to be alike are made one, so that a port that is behind by a million cycles is
 * still a few spans. */
#include "models/tpu/ports.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SPANS 64

struct span {
    cycle_t  start;
    uint32_t used[TPU_PORTS_COUNT];
};

struct tpu_ports {
    struct tpu_demand capacity;
    uint32_t     count, room;
    struct span *spans;
};

/* Twice the room: only machines whose figures do not fit each other come to need it. */
static void grow(struct tpu_ports *p)
{
    p->room *= 2;
    p->spans = realloc(p->spans, p->room * sizeof p->spans[0]);
    if (!p->spans)
        abort();
}

struct tpu_ports *tpu_ports_new(const struct tpu_demand *capacity)
{
    struct tpu_ports *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->capacity = *capacity;
    p->room = FIRST_SPANS / 2;
    grow(p);
    p->spans[0] = (struct span){ .start = 0 };
    p->count = 1;
    return p;
}

void tpu_ports_free(struct tpu_ports *p)
{
    if (p)
        free(p->spans);
    free(p);
}

struct tpu_demand tpu_ports_capacity(const struct tpu_ports *p)
{
    return p->capacity;
}

static cycle_t span_end(const struct tpu_ports *p, uint32_t i)
{
    return i + 1 < p->count ? p->spans[i + 1].start : CYCLE_NEVER;
}

void tpu_ports_forget(struct tpu_ports *p, cycle_t now)
{
    uint32_t past = 0;
    while (span_end(p, past) <= now)
        past++;
    if (past == 0)
        return;
    p->count -= past;
    memmove(p->spans, p->spans + past, p->count * sizeof p->spans[0]);
}

/* Makes a span begin at `at`; returns its number. */
static uint32_t cut(struct tpu_ports *p, cycle_t at)
{
    uint32_t i = p->count - 1;
    while (p->spans[i].start > at) {
        assert(i > 0);
        i--;
    }
    if (p->spans[i].start == at)
        return i;
    if (p->count == p->room)
        grow(p);
    memmove(p->spans + i + 1, p->spans + i, (p->count - i) * sizeof p->spans[0]);
    p->count++;
    p->spans[i + 1].start = at;
    return i + 1;
}

/* Makes spans [from, to] one with those before them that they are like. */
static void join(struct tpu_ports *p, uint32_t from, uint32_t to)
{
    uint32_t kept = from ? from : 1, i = kept;
    for (; i <= to && i < p->count; i++)
        if (memcmp(p->spans[i].used, p->spans[kept - 1].used, sizeof p->spans[i].used) != 0)
            p->spans[kept++] = p->spans[i];
    if (kept == i)
        return;
    memmove(p->spans + kept, p->spans + i, (p->count - i) * sizeof p->spans[0]);
    p->count -= i - kept;
}

static bool fits(const struct tpu_ports *p, const struct span *s, const struct tpu_demand *d)
{
    for (int r = 0; r < TPU_PORTS_COUNT; r++)
        if (d->of[r] > 0 && s->used[r] + d->of[r] > p->capacity.of[r])
            return false;
    return true;
}

cycle_t tpu_ports_at(struct tpu_ports *p, cycle_t now, cycle_t duration,
                     const struct tpu_demand *demand)
{
    static const struct span empty;
    if (!fits(p, &empty, demand))
        return CYCLE_NEVER;
    cycle_t start = now;
    for (uint32_t i = 0; i < p->count && p->spans[i].start < start + duration; i++)
        if (span_end(p, i) > start && !fits(p, &p->spans[i], demand))
            start = span_end(p, i);
    return start;
}

void tpu_ports_reserve(struct tpu_ports *p, cycle_t start, cycle_t duration,
                       const struct tpu_demand *demand)
{
    if (duration == 0)
        return;
    uint32_t first = cut(p, start), end = cut(p, start + duration);
    for (uint32_t i = first; i < end; i++)
        for (int r = 0; r < TPU_PORTS_COUNT; r++) {
            p->spans[i].used[r] += demand->of[r];
            assert(p->spans[i].used[r] <= p->capacity.of[r]);
        }
    join(p, first, end);
}

cycle_t tpu_ports_fill(struct tpu_ports *p, cycle_t now, enum tpu_port port,
                       uint64_t amount, uint32_t rate)
{
    assert(rate > 0 && p->capacity.of[port] > 0);
    cycle_t at = now;
    uint32_t first = cut(p, now), i = first;
    for (; amount > 0; i++) {
        uint32_t left = p->capacity.of[port] - p->spans[i].used[port];
        uint32_t take = left < rate ? left : rate;
        cycle_t end = span_end(p, i);
        if (take == 0) {
            at = end;
            continue;
        }
        cycle_t needed = (amount + take - 1) / take;
        if (end == CYCLE_NEVER || needed < end - p->spans[i].start) {
            end = p->spans[i].start + needed;
            cut(p, end);
        }
        cycle_t cycles = end - p->spans[i].start;
        p->spans[i].used[port] += take;
        amount = amount > cycles * take ? amount - cycles * take : 0;
        at = end;
    }
    join(p, first, i);
    return at;
}
