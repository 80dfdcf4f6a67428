/* block.c - exact clocks.
 *
 * Cycles times 10^15 does not fit 64 bits after 18 microseconds, so the products are
 * taken in 128; nothing is accumulated, so nothing drifts.
 */
#include "models/block.h"

#include <assert.h>
#include <math.h>

__extension__ typedef unsigned __int128 wide_t;

static bool sane(const struct clock *c)
{
    return c->hz > 0 && c->hz <= TICKS_PER_S;   /* faster than a tick: cycles would merge */
}

tick_t clock_tick(const struct clock *c, cycle_t k)
{
    assert(sane(c));
    if (k == CYCLE_NEVER)
        return TICK_NEVER;
    wide_t tick = (wide_t)k * TICKS_PER_S / c->hz;
    return tick < TICK_NEVER ? (tick_t)tick : TICK_NEVER;
}

cycle_t clock_cycle(const struct clock *c, tick_t t)
{
    assert(sane(c));
    if (t == TICK_NEVER)
        return CYCLE_NEVER;
    /* floor(k * 10^15 / hz) >= t exactly if k * 10^15 >= t * hz, for t is whole. */
    return (cycle_t)(((wide_t)t * c->hz + (TICKS_PER_S - 1)) / TICKS_PER_S);
}

cycle_t clock_cycles_ns(const struct clock *c, double ns)
{
    assert(sane(c));
    assert(ns >= 0);
    double exact = ns * (double)c->hz / 1e9;
    double whole = floor(exact + 0.5);
    assert(exact < 0x1p63);
    return (cycle_t)(fabs(exact - whole) <= 1e-6 ? whole : ceil(exact));
}

tick_t ticks_ns(double ns)
{
    assert(ns >= 0);
    double ticks = floor(ns * (double)TICKS_PER_NS + 0.5);
    assert(ticks < 0x1p64);
    return (tick_t)ticks;
}
