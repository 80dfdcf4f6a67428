/* value_check.h - a machine's values against the reference's, op by op.
 *
 * After a step of the machine each op is worked out in double from what the machine itself had
 * for its inputs, and the results that it has in memory are compared, each number:
 *
 *     error   the difference, in units in the last place (ulps) of the type stored
 *     bound   what the formats allow, in the same (traces/bound.h): sums of n terms in the unit's
 *             own way of rounding, functions to a few f32 ulps, half an ulp of storing; what ops
 *             of a group hand on to each other without storing it is carried through
 *
 * An error above its bound is a fault of the model (or an injected one).  Near 0, where large
 * numbers cancel, both are large: error over bound tells, not the error.
 *
 * An overflow must be one on both sides, and a NaN.
 *
 * Takes about three doubles for each number of the trace.
 *
 * Not judged: i32; results that never are in memory by themselves, only by what is made of
 * them; sums over replicas; numbers of which double can say nothing (x / 0).
 */
#ifndef SIM_VALUE_CHECK_H
#define SIM_VALUE_CHECK_H

#include <jansson.h>

#include "sim/values.h"

struct value_check;

/* Of steps of `v`, which is borrowed. */
struct value_check *value_check_new(const struct values *v);
void                value_check_free(struct value_check *c);

/* Before the step: remembers what it will change in place.  After it: compares; `before` as of
 * values_step.  False: a number is beyond its bound; `d` names the first op and its worst. */
void value_check_before(struct value_check *c);
bool value_check_after(struct value_check *c, uint64_t before, struct diag *d);

double value_check_worst(const struct value_check *c);      /* error over bound, of all */

/* One number of a tensor is made wrong by so many ulps (or infinite, or NaN) before it is
 * compared: "does the check see it?".  At most one at a time; `ulps` 0: none. */
void value_check_inject(struct value_check *c, uint32_t tensor, uint64_t element, double ulps);

/* An object for each result that was compared, in order: op, tensor, type, elements; max_ulps and
 * mean_ulps of its errors; of the number whose error over bound is worst: worst (that), element,
 * machine, reference, ulps, bound_ulps; ok.  What is not finite is a string. */
json_t *value_check_json(const struct value_check *c);

#endif
