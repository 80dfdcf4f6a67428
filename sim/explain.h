/* explain.h - one op of a result worked out by hand, step by step with the numbers filled in.
 *
 *     section   "1. What is computed"
 *       line    name = formula = numbers = value unit      to be checked with a pocket calculator
 *       note    a sentence
 *
 * The figures are the machine's as it was run ("parameters" of the result), the sizes those of
 * the op's "plan"; nothing is simulated.  At the end stand the time by hand and the simulated
 * one, the difference, and what of it is due to what (docs/explain.md).
 *
 * The object: `op`, `machine`, `trace`, `kind`, `ops`, `sections` (each `title` and `lines`:
 * `name`, `formula`, `numbers`, `value`, `unit`, or `note`), `by_hand_s`, `simulated_s`,
 * `difference` (by hand over simulated, less 1), `limit` (in words), `least_compute_s` and
 * `least_bytes_s` (bounds that no simulated time is below), `energy_by_hand_j`,
 * `simulated_energy_j`.
 *
 * Not modelled: ops of another run's lowering; a result says how its own were cut.
 */
#ifndef SIM_EXPLAIN_H
#define SIM_EXPLAIN_H

#include <jansson.h>
#include <stdio.h>

#include "traces/diag.h"

/* The op of that name: a group's whole name, what stands before its "=", or an op in it.
 * False with the reason in `d`: none, or several. */
bool explain_find(const json_t *result, const char *name, size_t *op, struct diag *d);

/* A new reference, or NULL with the reason in `d`: the result lacks what is needed. */
json_t *explain_op(const json_t *result, size_t op, struct diag *d);

/* For people, at most 100 columns. */
void explain_text(const json_t *explanation, FILE *out);
/* The ops with time and share of the run. */
void explain_list(const json_t *result, FILE *out);

#endif
