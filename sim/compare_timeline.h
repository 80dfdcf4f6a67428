/* compare_timeline.h - a timeline of several machines in one file, a process each:
 *
 *     mlp on tpu-v3   [ l1.product ][ l2.product ]...
 *     mlp on v100     [  l1.product  ][ l2.product  ]...
 *                     0 us
 *
 * Each run begins at 0 of the file; with a window op:NAME it is that op that begins there, on each
 * machine its own.  A machine that has no such op is in the file with its name and that reason.
 *
 * Machines run once more for it, with recorders, so that what is compared is never what was
 * recorded.  What each draws is held in memory until the file is written.
 */
#ifndef SIM_COMPARE_TIMELINE_H
#define SIM_COMPARE_TIMELINE_H

#include "sim/record_options.h"
#include "sim/together.h"

/* Whether the options go with each other and with these machines, before anything runs. */
bool compare_timeline_check(const struct record_options *r, const struct together *runs,
                            size_t count, struct diag *d);

/* Draws `runs`, which have results and stay as they are.  NULL: `d` and `*status` (1, a run that
 * failed; 2, no machine has the op, or one has several that are called so). */
struct compare_timeline;
struct compare_timeline *compare_timeline_new(const struct record_options *r,
                                              const struct together *runs, size_t count,
                                              unsigned jobs, struct diag *d, int *status);
void compare_timeline_free(struct compare_timeline *x);     /* takes NULL */

/* The file, and on stderr what it does not hold.  Returns the exit status. */
int compare_timeline_write(const struct compare_timeline *x, const char *path);

#endif
