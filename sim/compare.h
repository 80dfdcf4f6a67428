/* compare.h - results of the same trace on several machines, side by side, as one object
 * (docs/compare.md).
 *
 *     all     [ machine 0 ][ machine 1 ]      the same fields in each cell: time, energy, rates,
 *     phase   [ machine 0 ][ machine 1 ]      shares of the machine's peaks, what bound it
 *     op      [ machine 0 ][    -      ]
 *
 * Ops are matched by what they contain (sim/compare_match.h).  A phase or an op that a machine
 * has not is null there.
 *
 * Not modelled: prices at one level.  Of each machine the level is said.
 */
#ifndef SIM_COMPARE_H
#define SIM_COMPARE_H

#include <jansson.h>
#include <stdint.h>

/* A cell's numbers, in the order of CSV. */
#define COMPARE_NUMBERS(X) \
    X(time_s) X(energy_j) X(flops) X(hbm_bytes) X(average_power_w) X(flops_per_s) \
    X(peak_fraction) X(hbm_bytes_per_s) X(hbm_fraction) X(energy_per_sample_j)

/* A new reference.  `batch`: samples of a run; 0: not known. */
json_t *compare_results(json_t *const *results, size_t count, uint64_t batch);

/* Text for people; a row a cell. */
void compare_text(const json_t *comparison, FILE *out);
void compare_csv(const json_t *comparison, FILE *out);

#endif
