/* block.h - time, clocks, and the piece of hardware that the engine runs.
 *
 * A tick is one femtosecond.  Cycle k of a clock of f Hz begins at floor(k * 10^15 / f),
 * computed exactly, so no clock drifts and two clocks never disagree about a tick.
 *
 * A block is hardware that runs itself through a window of time: it does everything
 * that is due before `end`, cycle by cycle or event by event, in plain C, touching only
 * itself, what has arrived on its incoming links, and the outgoing half of its links.
 * It returns the tick at which it next has work of its own (>= end), or TICK_NEVER if
 * only a message or a credit can bring some; the engine wakes it for those by itself,
 * in the window in which they arrive.  What arrived in a window and was left (the block
 * was busy, or its next cycle is in the next window) is from then on its own work.
 */
#ifndef MODELS_BLOCK_H
#define MODELS_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t tick_t;    /* femtoseconds since the start of the run */
typedef uint64_t cycle_t;   /* cycles of the clock at hand */

#define TICK_NEVER  UINT64_MAX
#define CYCLE_NEVER UINT64_MAX
#define TICKS_PER_S UINT64_C(1000000000000000)
#define TICKS_PER_NS UINT64_C(1000000)

static inline tick_t tick_min(tick_t a, tick_t b) { return a < b ? a : b; }
static inline tick_t tick_max(tick_t a, tick_t b) { return a > b ? a : b; }
static inline cycle_t cycle_min(cycle_t a, cycle_t b) { return a < b ? a : b; }
static inline cycle_t cycle_max(cycle_t a, cycle_t b) { return a > b ? a : b; }

struct clock { uint64_t hz; };      /* 1 to 10^15 */

/* When cycle k begins; CYCLE_NEVER gives TICK_NEVER, and so does what does not fit. */
tick_t clock_tick(const struct clock *c, cycle_t k);

/* The first cycle that begins at or after `t`. */
cycle_t clock_cycle(const struct clock *c, tick_t t);

/* The whole cycles that cover a duration in nanoseconds, rounded up; a duration that
 * is a whole number of cycles to within 1e-6 of one is taken as exactly that. */
cycle_t clock_cycles_ns(const struct clock *c, double ns);

/* A duration in nanoseconds as ticks, to the nearest. */
tick_t ticks_ns(double ns);

struct block {
    const char *name;                               /* "core0", "hbm.stack1" */
    void       *self;
    tick_t    (*run)(void *self, tick_t end);       /* through the window up to `end` */
    bool      (*idle)(const void *self);            /* no work left inside */
    /* Which unit waits for what, in words, for the report of a run that went quiet. */
    void      (*describe)(const void *self, char *text, size_t size);
};

#endif
