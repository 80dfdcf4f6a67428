/* loop.c - time as a loop. */
#include "sim/loop.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/wiring.h"

/* The earliest thing that can happen from `now` on. */
static tick_t earliest(const struct engine_config *c, const tick_t *next, tick_t now)
{
    tick_t first = TICK_NEVER;
    for (uint32_t b = 0; b < c->block_count; b++)
        first = tick_min(first, next[b]);
    for (uint32_t i = 0; i < c->link_count; i++) {
        const struct link *l = c->links[i].link;
        if (link_arrival(l) >= now)
            first = tick_min(first, link_arrival(l));
        for (uint32_t s = 0; s < link_config(l)->senders; s++)
            if (link_credit_at(l, s) >= now)
                first = tick_min(first, link_credit_at(l, s));
    }
    return first;
}

static void run_window(const struct engine_config *c, tick_t *next, tick_t end)
{
    for (uint32_t b = 0; b < c->block_count; b++) {
        next[b] = c->blocks[b].run(c->blocks[b].self, end);
        assert(next[b] >= end);
    }
    for (uint32_t i = 0; i < c->link_count; i++)
        link_publish(c->links[i].link);
}

bool loop_run(const struct engine_config *c, struct engine_result *result)
{
    tick_t window = wiring_window(c), limit = wiring_limit(c);
    tick_t *next = calloc(c->block_count, sizeof *next);
    assert(next);
    *result = (struct engine_result){ 0 };
    tick_t first = 0, start = 0;
    while (first < limit) {
        start = first / window * window;
        tick_t end = tick_min(start + window, limit);
        run_window(c, next, end);
        result->windows++;
        result->activations += c->block_count;
        first = earliest(c, next, end);
    }
    free(next);
    result->end     = wiring_end(c, start);
    result->limited = first != TICK_NEVER;
    bool left = wiring_stuck(c, result->stuck, sizeof result->stuck);
    result->quiet_with_work = left && !result->limited;
    return !left;
}
