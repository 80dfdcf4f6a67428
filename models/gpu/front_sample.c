/* front_sample.c - when has a launch shown how long its waves take?
 *
 * Wave k ends when k waves' worth of blocks have ended, whichever they are.  The first third
 * of the waves seen is left out: caches were cold, and all blocks began together.  The other
 * two thirds must have taken the same time: to STEADY, or to what chance makes of waves that
 * differ so much, if the error that this leaves in the launch's time is small (ERROR is its
 * standard deviation).  Then each wave still to come is taken to last as long as those did.
 *
 * Thirds have LEAST_BLOCKS, so that they agree for a reason, and are not REACH times shorter
 * than what they stand for: a slow drift has shown by then.  Only whole waves are left out,
 * and not the last: how the launch ends is simulated.
 */
#include "models/gpu/front_inside.h"

#define STEADY 0.005            /* a quarter of the error that sampling may have, */
#define ERROR  0.005            /* and so is this */
#define LEAST_WAVES 1           /* of a third; 2 for a guess at chance */
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

static double square(double x) { return x * x; }

/* Of the last `count` waves: the sum of squares of what each differs from the mean. */
static double squares(const struct front_waves *w, uint32_t count, double mean)
{
    double sum = 0;
    for (uint32_t i = w->count - count; i < w->count; i++)
        sum += square((double)(w->end[i] - w->end[i - 1]) - mean);
    return sum;
}

static bool steady(const struct front_waves *w, uint64_t waves_left, double *wave_ticks)
{
    uint32_t last = w->count - 1, third = last / 3, seen = 2 * third;
    if (third < LEAST_WAVES || third * w->blocks < LEAST_BLOCKS || third * REACH < waves_left)
        return false;
    double later = (double)(w->end[last] - w->end[last - third]) / third;
    double before = (double)(w->end[last - third] - w->end[last - seen]) / third;
    double mean = (later + before) / 2, variance = squares(w, seen, mean) / (seen - 1);
    *wave_ticks = mean;
    if (square(later - before) <= square(STEADY * mean))
        return true;
    double all = (double)(w->end[last] - w->end[0]) + (double)waves_left * mean;
    return third > LEAST_WAVES && square(later - before) <= 2 * variance * 2 / third
        && square((double)waves_left) * variance / seen <= square(ERROR * all);
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
