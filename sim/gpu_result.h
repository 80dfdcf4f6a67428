/* gpu_result.h - what a GPU's run found out, as one JSON object (docs/results.md).
 *
 * The object is the whole result, with the fields that a TPU's has, and `launches` besides;
 * text and CSV are made from it, in the parent process.
 */
#ifndef SIM_GPU_RESULT_H
#define SIM_GPU_RESULT_H

#include <jansson.h>

#include "models/gpu/lower.h"
#include "models/toggles.h"
#include "sim/figures.h"
#include "sim/gpu_chip.h"

/* All is borrowed. */
struct gpu_result_run {
    const struct gpu_chip *chip;        /* that has run */
    const struct machine  *machine;     /* its name and figures */
    const struct gpu_plan *plan;        /* what it ran */
    const struct trace    *trace;       /* NULL: a user's kernel */
    const char *name;                   /* of trace or kernel */
    double volts;                       /* of the chip at its clock */
    bool   exact_f32;
    const struct toggles *toggles;      /* [groups] of the data; NULL: not known */
    bool   clock_from_values;           /* the power limit sees prices as the data make them */
};

/* A new reference. */
json_t *gpu_result(const struct gpu_result_run *r);

/* NULL, or which of a run's own sums does not come out, in words that live until the next
 * call. */
const char *gpu_result_fault(const struct gpu_result_run *r);

#endif
