/* compare_change.h - what would have to change for a machine that loses to win.
 *
 * Each machine that another one beats, in time or in energy, is run again with one thing at a
 * time twice as good: a rate doubled, a time halved; and if it takes more energy, with each
 * group of prices halved.  No rule of thumb decides what that gains.  Where nothing alone wins
 * in time, the three that gain most are tried together.
 *
 *     loser --> a machine a change --> runs, several at once --> rows, the shortest time first
 *
 * A change keeps all other figures, prices too: what it would cost in area or in joules is not
 * known.  So its energy says what a shorter time saves, and no more.
 *
 * Not modelled: two or more changes beyond those three; a change by another factor.
 */
#ifndef SIM_COMPARE_CHANGE_H
#define SIM_COMPARE_CHANGE_H

#include "sim/together.h"

/* Cheap: a loser whose runs together simulate no more than the comparison itself, or little. */
enum compare_change_when { COMPARE_CHANGE_CHEAP, COMPARE_CHANGE_ALL, COMPARE_CHANGE_NONE };

/* Of runs that have results: "changes" of a comparison, an object a loser; a new reference. */
json_t *compare_change(const struct together *runs, size_t count, enum compare_change_when when,
                       unsigned jobs);

void compare_change_text(const json_t *losers, FILE *out);

#endif
