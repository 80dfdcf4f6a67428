/* front_sample.c - when has a launch shown how long its waves take?
 *
 * Wave k ends when k waves' worth of blocks have ended, whichever they are.  The first third
 * of the waves seen is left out: caches were cold, and all blocks began together.  The other
 * two thirds must have taken the same time, to STEADY; then each wave still to come is taken
 * to last as long as those of the last third.  Thirds have LEAST_WAVES and LEAST_BLOCKS, so
 * that they agree for a reason, and are not REACH times shorter than what they stand for: a
 * slow drift has shown by then.  Only whole waves are left out, and not the last: how the
 * launch ends is simulated.
 */
#include "models/gpu/front_inside.h"

#define STEADY 0.005            /* a quarter of the error that sampling may have */
#define LEAST_WAVES 2
#define LEAST_BLOCKS 64
#define REACH 16

void front_waves_begin(struct front_waves *w, tick_t start, uint64_t wave_blocks)
{
    w->blocks = wave_blocks;
    w->count = 1;
    w->end[0] = start;
}

/* False if there is no room: then the launch is simulated to its end. */
static bool note(struct front_waves *w, tick_t now)
{
    if (w->count == w->places)
        return false;
    w->end[w->count++] = now;
    return true;
}

static bool steady(const struct front_waves *w, uint64_t waves_left, double *wave_ticks)
{
    uint32_t last = w->count - 1, third = last / 3;
    if (third < LEAST_WAVES || third * w->blocks < LEAST_BLOCKS || third * REACH < waves_left)
        return false;
    tick_t later = w->end[last] - w->end[last - third];
    tick_t before = w->end[last - third] - w->end[last - 2 * third];
    tick_t apart = later > before ? later - before : before - later;
    *wave_ticks = (double)later / third;
    return (double)apart <= STEADY * (double)later;
}

uint64_t front_waves_skip(struct front_waves *w, uint64_t done, uint64_t left, tick_t now,
                          tick_t *added)
{
    double wave_ticks;
    *added = 0;
    if (!w->blocks || done % w->blocks != 0)
        return 0;
    uint64_t waves = left / w->blocks;
    if (!note(w, now) || waves < 2 || !steady(w, waves, &wave_ticks))
        return 0;
    uint64_t skip = (waves - 1) * w->blocks;
    *added = (tick_t)(wave_ticks * (double)(waves - 1) + 0.5);
    w->blocks = 0;                          /* never again in this launch */
    return skip;
}
