/* result_multiplied.h - what products were really multiplied as, whatever was asked.
 *
 * It follows from each op's plan: a TPU has bf16, and f32 in six passes; a GPU's products have a
 * type.
 */
#ifndef SIM_RESULT_MULTIPLIED_H
#define SIM_RESULT_MULTIPLIED_H

#include <jansson.h>

/* "bf16", "f16, f32", in the order of the ops; "" without products.  A new reference. */
json_t *result_multiplied(const json_t *result);

/* {"f32": 0.61, "f16": 0.39}: of each type the share of the trace's multiply-accumulates, passes
 * counted once.  A new reference. */
json_t *result_multiplied_fractions(const json_t *result);

/* FLOP/s of products alone, at the peak of the units that each ran on, in the passes that it took;
 * 0: there are none. */
double result_multiplied_at_most(const json_t *result);

#endif
