/* compare_equal.h - machines scaled to one another, before they are compared.
 *
 *     peak         to the first machine's: SMs, of a TPU matrix units, to the nearest whole number;
 *                  what is then missing by their clock
 *     bandwidth    to the first machine's: the rate of HBM's pins, and the least time between
 *                  bursts where it rises; not what refreshes leave of it
 *     watts        down to the machine that takes least on average: of a GPU by its power limit, so
 *                  along its curve of voltages; of a TPU, whose curve is not known, by its clock
 *                  at the voltage that it has
 *
 * All other figures stay, prices too.  Peaks are those of the units that multiplied, at the highest
 * clock of each machine; a power limit may lower the clock after that.
 *
 * Not modelled: what a larger or smaller chip would take in area, wires and static power; scaling
 * a TPU's voltage.
 */
#ifndef SIM_COMPARE_EQUAL_H
#define SIM_COMPARE_EQUAL_H

#include "sim/together.h"

enum compare_equal { COMPARE_EQUAL_NOT, COMPARE_EQUAL_PEAK, COMPARE_EQUAL_BANDWIDTH,
                     COMPARE_EQUAL_WATTS };

/* Runs that have results are run again as others: their machines and results are replaced, and
 * machines[count] are the caller's to free, NULL where nothing was changed.  Returns "equal" of a
 * comparison, a new reference; NULL: it cannot be, as `d` says. */
json_t *compare_equal(struct together *runs, size_t count, enum compare_equal what, unsigned jobs,
                      struct machine **machines, struct diag *d);

void compare_equal_text(const json_t *equal, FILE *out);

#endif
