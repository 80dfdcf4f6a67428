/* gpu_curve.h - a chip's curve of voltage over clock, and the clock that keeps a power limit.
 *
 *     volt |            /          Energy of an event goes with the square of the voltage,
 *          |          /            and at a lower clock there are fewer events a second: so
 *          |   ------              power falls fast where the curve is steep.
 *          +------------- MHz
 *
 * A run is taken as repeated for ever; its average power is to be the limit.  What a run at
 * one clock took says what it would take at another, but for its time, of which two runs say
 * how much of it follows the clock.  So two or three runs find it.
 *
 * Not modelled: steps of the clock, the time that a governor takes, temperature.
 */
#ifndef SIM_GPU_CURVE_H
#define SIM_GPU_CURVE_H

#include "traces/diag.h"

#define GPU_CURVE_POINTS 32

struct gpu_curve {
    unsigned count;                             /* 0: no curve, 1 volt at any clock */
    double   mhz[GPU_CURVE_POINTS], volts[GPU_CURVE_POINTS];
};

/* "1095:0.75 1410:0.95", rising; nothing for no curve. */
bool gpu_curve_parse(struct gpu_curve *c, const char *text, struct diag *d);

/* On the lines between points; beyond the ends as there. */
double gpu_curve_volts(const struct gpu_curve *c, double mhz);

/* What a run took at a clock.  The chip's own parts go with the square of the voltage. */
struct gpu_run_power {
    double mhz, seconds;
    double chip_j, chip_w;      /* events; what passes with time */
    double other_j, other_w;    /* the same of what has a supply of its own */
};

double gpu_run_watts(const struct gpu_run_power *r);

#define GPU_CURVE_RUNS 6        /* at most */

/* The clock to try next, after so many runs (1 or more, the last at index count - 1); 0: the
 * last run is the answer.  The first run is at the highest clock allowed. */
double gpu_curve_next(const struct gpu_curve *c, double limit_w, const struct gpu_run_power *runs,
                      unsigned count);

#endif
