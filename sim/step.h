/* step.h - a machine looked at cycle by cycle: on a terminal, from lines of commands, as text.
 *
 *     a subject (step_array.h, step_sm.h) --> frame of a cycle, plain text --> one of
 *         step_terminal   keys: forward, back, go to a cycle
 *         step_lines      the same, a command a line: for scripts, and where there is no terminal
 *         step_frames     from a cycle to a cycle, for lecture notes
 *
 * A frame depends on its cycle alone, whichever way one came to it, and never on the terminal.
 */
#ifndef SIM_STEP_H
#define SIM_STEP_H

#include <stdio.h>

#include "models/block.h"
#include "traces/diag.h"

#define STEP_COLUMNS 100            /* of a frame, at most */

struct step_subject {
    void    *self;
    cycle_t  first, last;           /* that there are frames of */
    cycle_t  start;                 /* where to begin */
    unsigned views;                 /* ways to look at it: 1 or more */
    void   (*frame)(void *self, cycle_t cycle, unsigned view, FILE *out);
};

/* "12", "12..20": false with the reason in `d`.  Cycles of the subject only. */
bool step_range(const struct step_subject *s, const char *text, cycle_t *from, cycle_t *to,
                struct diag *d);

void step_frames(const struct step_subject *s, cycle_t from, cycle_t to, FILE *out);
void step_lines(const struct step_subject *s, FILE *in, FILE *out);
void step_terminal(const struct step_subject *s);       /* terminal_can() */

#endif
