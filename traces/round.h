/* round.h - what a storage type makes of a number, worked out in double.
 *
 *            digits   least    largest           digits: of the significand, with the first
 *     f32      24     2^-149   3.40e38           least:  the smallest number above 0
 *     bf16      8     2^-133   3.39e38
 *     f16      11     2^-24    65504
 *
 * To nearest, ties to even; what is too large becomes an infinity; subnormals are kept; the
 * sign of 0 and a NaN stay.  i32 holds labels, which are taken as they are.  By arithmetic
 * on doubles, not on bits: a second opinion on the machines' own number formats.
 */
#ifndef TRACES_ROUND_H
#define TRACES_ROUND_H

#include "traces/trace.h"

double trace_round(double x, enum trace_type type);

/* One unit in the last place of the type, at the finite number x: the distance between its
 * neighbours there, and the least number near 0.  1 for i32. */
double trace_ulp(double x, enum trace_type type);

#endif
