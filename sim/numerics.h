/* numerics.h - what a number format makes of gradients: which of them it loses, and how far off
 * the others are.
 *
 * Beside a step of a machine the double-precision reference takes the same step, from the
 * machine's own weights, without a loss scale and without rounding anything.  Of each gradient
 * and delta in the machine's memory then
 *
 *     lost        is 0 there, and should not be: it was below the least number of the format
 *     subnormal   is above 0 and below the least number that has all its digits
 *     overflowed  is not finite, and should be
 *     error       sqrt(sum (machine - true)^2 / sum true^2), both without loss scale
 */
#ifndef SIM_NUMERICS_H
#define SIM_NUMERICS_H

#include <jansson.h>

#include "sim/values.h"
#include "traces/net.h"

struct numerics;

/* Of steps of `v`, which does the trace of `net` with these options. */
struct numerics *numerics_new(const struct net *net, const struct net_options *expand,
                              const struct values *v, struct diag *d);
void             numerics_free(struct numerics *n);

/* Before the machine's step, weights, state and batch set; and after it: an array of {name, type,
 * elements, size, lost, subnormal, overflowed, error}: counts of elements; size is the mean of the
 * true ones' sizes.  A new reference. */
void    numerics_before(struct numerics *n);
json_t *numerics_after(struct numerics *n);

/* The table of the first and the last of such steps, of a training run's result (train.h). */
void numerics_report(const json_t *result, FILE *out);

#endif
