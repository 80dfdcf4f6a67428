/* value_run.h - `--values`: what a run computes, beside how long it takes.
 *
 *     fill the given tensors --> one step of values --> compare, dump --> the timed run
 *
 * Values take no simulated time, so cycles and counts are those of a run without them; energies
 * go with the bits that the data change.
 */
#ifndef SIM_VALUE_RUN_H
#define SIM_VALUE_RUN_H

#include "sim/experiment.h"
#include "sim/options.h"

#define VALUE_OPTIONS \
    { "values", NULL, "compute what the machine would, in its own formats and order" }, \
    { "fill", "WHAT", "given tensors hold: initial (default), zeros, random; implies --values" }, \
    { "seed", "N", "of initial and random values (default: 1); implies --values" }, \
    { "check", NULL, "compare every value with the double-precision reference; implies " \
                     "--values" }, \
    { "dump", "FOLDER", "write every tensor, before and after, as .npy; implies --values" }, \
    { "clock-from-values", NULL, "gpu: the power limit goes by what these data cost; implies " \
                                 "--values" }
#define VALUE_ROWS 6

enum value_fill { VALUE_INITIAL, VALUE_ZEROS, VALUE_RANDOM, VALUE_FILLS };

struct value_asked {
    bool        values, check, clock_from_values;
    enum value_fill fill;
    uint64_t    seed;
    const char *dump;               /* NULL: not wanted */
};
#define VALUE_ASKED { .seed = 1 }

/* 1 if row `i` (from 0) of VALUE_OPTIONS was taken, 0 if it is another, -1 if its value is wrong
 * (said on stderr). */
int value_take(struct value_asked *a, const struct options *o, int i);

/* The experiment with values, if they are asked for; else experiment_run alone.  The result gets
 * "values" (docs/results.md). */
json_t *value_experiment(const struct value_asked *a, const struct experiment *e, struct diag *d,
                         int *status);

#endif
