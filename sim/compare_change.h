/* compare_change.h - what would have to change for the slowest machine to win.
 *
 * It is run again with one thing at a time twice as good (a rate doubled, a time halved), and
 * what that gains is said; no rule of thumb decides.
 *
 * Not modelled: what a change costs, in area or in joules; two changes at once, where one
 * limit goes and another shows.
 */
#ifndef SIM_COMPARE_CHANGE_H
#define SIM_COMPARE_CHANGE_H

#include "sim/together.h"

/* Of runs that have results: "change" of a comparison, a new reference.  Null where all take the
 * same time. */
json_t *compare_change(const struct together *runs, size_t count, unsigned jobs);

void compare_change_text(const json_t *change, FILE *out);

#endif
