/* sweep_table.h - a row a point, for programs: as CSV and as JSON, in the plan's order.
 *
 * A row is an object: "status", "done" or "failed", "message" of a failed one, and fields of the
 * result with its names (docs/results.md).  A point without a row is "missing".
 */
#ifndef SIM_SWEEP_TABLE_H
#define SIM_SWEEP_TABLE_H

#include <jansson.h>

#include "sim/sweep_plan.h"

/* The row of what is kept of a point; a new reference. */
json_t *sweep_row(const json_t *kept);

bool sweep_row_is(const json_t *row, const char *status);       /* `row` may be NULL */

/* A point as --json has it, a new reference: its number, "over", "input", and `row`'s fields;
 * `row` may be NULL. */
json_t *sweep_point_json(const struct sweep_plan *p, size_t point, json_t *row);

/* rows[plan->points], NULL where there is none. */
void sweep_table_csv(const struct sweep_plan *p, json_t *const *rows, FILE *out);
void sweep_table_json(const struct sweep_plan *p, json_t *const *rows, FILE *out);

/* The same for people, with less of it: times, shares, what bounds, what products are multiplied as
 * where points differ in it; and why points failed. */
void sweep_table_text(const struct sweep_plan *p, json_t *const *rows, FILE *out);

/* What there is and what is missing: the points with their files; or how many of each, and why
 * some have failed. */
void sweep_table_files(const struct sweep_plan *p, json_t *const *rows, FILE *out);
void sweep_table_status(const struct sweep_plan *p, json_t *const *rows, FILE *out);

#endif
