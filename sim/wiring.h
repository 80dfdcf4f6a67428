/* wiring.h - who is joined to whom, and when each block must be run next.
 *
 * The part of the engine that knows no SystemC: after the blocks of a window have run,
 * wiring_settle carries messages and credits across and works out the alarms.  A block
 * must be run at the earliest of
 *
 *     its own next work       what its run returned
 *     the next message to it  unless it arrived already: then the block knows
 *     a credit coming back    to a sender that has none left
 */
#ifndef SIM_WIRING_H
#define SIM_WIRING_H

#include "sim/engine.h"

struct wiring {
    tick_t   *wake;             /* by block; the engine writes what run returned here */
    uint32_t *changed;          /* blocks to be alarmed since the last settle */
    uint32_t  changed_count;
};

/* Checks the config by asserts and borrows it.  No wake is before 0. */
struct wiring *wiring_new(const struct engine_config *config);
void           wiring_free(struct wiring *w);

/* The blocks in ran[] have run up to `end`, and wake[] holds what each returned. */
void wiring_settle(struct wiring *w, const uint32_t *ran, uint32_t count, tick_t end);

/* What engine_run and its twin share: the window in force, the limit in force, the end
 * to report for a run whose last window began at `start`, and who has work left. */
tick_t wiring_window(const struct engine_config *config);
tick_t wiring_limit(const struct engine_config *config);
tick_t wiring_end(const struct engine_config *config, tick_t start);
bool   wiring_stuck(const struct engine_config *config, char *text, size_t size);

#endif
