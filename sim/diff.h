/* diff.h - what changed between two results (docs/results.md) of any runs.
 *
 * A comparison of the two (sim/compare.h), and what it has not: energy by component, and the
 * figures that differ.  Of machines of different kinds no figures are listed: they have few in
 * common.
 */
#ifndef SIM_DIFF_H
#define SIM_DIFF_H

#include <jansson.h>

/* A new reference. */
json_t *diff_results(json_t *a, json_t *b);

void diff_text(const json_t *diff, FILE *out);

#endif
