/* crossover.h - which machine is faster, and which takes less energy a sample, over a grid.
 *
 *     axes, machines --> a plan (the machine is its last axis) --> points --> cells
 *
 *          batch ->        1      2      4
 *     width  64          [a b]  [a b]  [a b]       a cell: each machine's point, and who is best
 *           128          [a b]  [a b]  [a b]
 *
 * Points are those of a sweep: kept in a folder, run once, several at once, cheap ones first.  A
 * step of more operations than the limit is left out and said so, but what does not fit a
 * machine's memory is known without a run and always said.
 *
 * Of a machine in a cell the status is done, too_large (does not fit its memory), failed or
 * left_out (beyond the limit).  Where one has no result nobody is best.
 *
 * Not modelled: where between two points of the grid it crosses.
 */
#ifndef SIM_CROSSOVER_H
#define SIM_CROSSOVER_H

#include <jansson.h>

#include "sim/sweep.h"

#define CROSSOVER_LIMIT 2e10    /* FLOP of a step, unless asked: a GPU takes about 10 s for it */

/* `plan` is opened, and its last axis is the machine.  Runs what is missing; NULL: it had to
 * stop.  `limit`: FLOP of a step; 0: none. */
json_t *crossover_run(struct sweep *s, double limit, struct diag *d);

/* Text for people; a row a cell. */
void crossover_text(const json_t *crossover, FILE *out);
void crossover_csv(const json_t *crossover, FILE *out);

#endif
