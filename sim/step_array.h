/* step_array.h - a product in a small systolic array, as frames: every PE in every cycle.
 *
 * Below a line each for what the unit does there is a block of lines for each row of PEs:
 *
 *     row    which row of activations passes the PE (output-stationary: k, which k)
 *     w      its weight, in use         next   the weight pushed for the tile after
 *     a      the activation that passes sum    the partial sum, this PE's product included
 *     out    output-stationary: a result that shifts out
 *
 * Numbers are cut to what fits (whole ones are whole); `.` stands where nothing passes.
 *
 * Going back is exact: the latest states are kept, and beyond them the run begins again.
 */
#ifndef SIM_STEP_ARRAY_H
#define SIM_STEP_ARRAY_H

#include "sim/array_run.h"
#include "sim/step.h"

#define STEP_ARRAY_MOST   16        /* rows, columns */
#define STEP_ARRAY_CYCLES 1000000   /* of a product that can be looked at */

enum step_fill { STEP_SMALL, STEP_RANDOM, STEP_ONES };

/* "small": whole numbers from -4 to 4; "random": even in [-1, 1), as bf16; "ones". */
bool step_fill_parse(const char *word, enum step_fill *fill);

struct step_array_config {
    struct tpu_mxu_config mxu;
    uint32_t m, k, n;
    enum step_fill fill;
    uint64_t seed;
};

/* NULL with the reason in `d`: an array or a product that is too large. */
struct step_array  *step_array_new(const struct step_array_config *c, struct diag *d);
void                step_array_free(struct step_array *s);
struct step_subject step_array_subject(struct step_array *s);

/* The registers as waves (vcd.h), in the cycles from..to of a clock: the cycle and state of the
 * array, and of each PE its row (z: none passes), w, next, a and sum.  A register that nothing
 * passes keeps its value. */
struct step_array_waves {
    uint64_t clock_hz;
    cycle_t  from, to;
    FILE    *waves, *save;              /* the VCD, and GTKWave's save file */
    const char *name;                   /* of the VCD */
};
#define STEP_ARRAY_WAVES 1000000        /* cycles times PEs, at most */
void step_array_write_waves(struct step_array *s, const struct step_array_waves *w);

#endif
