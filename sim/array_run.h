/* array_run.h - one product through one register-exact array, cycle after cycle.
 *
 *     y[m][n] = a[m][k] b[k][n], tile after tile, each load and stream as early as it may be
 *
 *     struct array_run *r = array_run_new(&config);
 *     while (array_run_step(r))
 *         ...                      array_run_pes(r): the registers in array_run_cycle(r)
 *
 * Weight-stationary, a tile is a block of rows x cols weights and all of m; tiles that share
 * columns follow each other along k, and their results are added in that order.  Output-
 * stationary, a tile is a block of rows x cols results and all of k.  The run is over in the
 * cycle in which the last result can be popped.
 *
 * Not modelled: memories and the units around the array; nothing else wants its ports.
 */
#ifndef SIM_ARRAY_RUN_H
#define SIM_ARRAY_RUN_H

#include "models/tpu/mxu_look.h"

struct array_run_config {
    struct tpu_mxu_config mxu;
    uint32_t m, k, n;
    const uint16_t *a, *b;          /* bf16, [m][k] and [k][n]; borrowed */
};

/* Times are CYCLE_NEVER until they are known. */
struct array_tile {
    uint32_t row, k, col;           /* where it begins in the product */
    uint32_t rows, deep, cols;      /* of m, k and n: how much of it */
    cycle_t  load_at, loaded_at, stream_at, stream_end, first_result_at, last_result_at;
};

struct array_run;

struct array_run *array_run_new(const struct array_run_config *c);
void              array_run_free(struct array_run *r);

/* Does the next cycle; false if all are over. */
bool array_run_step(struct array_run *r);

/* Of the cycle that was done last. */
cycle_t                  array_run_cycle(const struct array_run *r);
enum tpu_mxu_state       array_run_state(const struct array_run *r);
const struct tpu_mxu_pe *array_run_pes(const struct array_run *r);     /* [rows][cols] */

const struct array_tile *array_run_tiles(const struct array_run *r, uint32_t *count);
const float             *array_run_product(const struct array_run *r); /* [m][n], when over */
struct tpu_mxu_stats     array_run_stats(struct array_run *r);

#endif
