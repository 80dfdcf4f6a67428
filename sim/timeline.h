/* timeline.h - a run as Chrome trace events, the JSON that Perfetto and chrome://tracing open.
 *
 *     process   a machine
 *     thread    a unit: slices within slices, an op of the trace > what the unit does for it >
 *               its tiles (a warp's machine operations)
 *     counters  power, HBM's rate, vector memory or warps, over the whole window
 *     arrows    of a TPU, from each load to the product that waited for it
 *
 * docs/timeline.md says what each is.  Times are microseconds with all the digits that a
 * femtosecond needs.  Slices are begun and ended by two events (not by one with a duration): so
 * readers that round times still find them nested.  Numbers of threads and arrows are of the whole
 * file, and the first thread of a process has the process's: so Perfetto shows the ops first.
 *
 * Not drawn: L2 and HBM but for counters; what lies beyond the recording's limit, which is said
 * in the file ("left out") and by the command.
 */
#ifndef SIM_TIMELINE_H
#define SIM_TIMELINE_H

#include "sim/recording.h"

/* Before the first process, between two, and after the last. */
void timeline_begin(FILE *out);
void timeline_next(FILE *out);
void timeline_end(FILE *out);

/* A side of an experiment: one process's events.  `arg` is a struct timeline_process.  Processes
 * are in the order of their numbers. */
struct timeline_process {
    unsigned number;
    bool     from_window;       /* time 0 is where the window begins, which is said; else the run */
};
void timeline_write(const struct recorded *r, void *arg, FILE *out);

/* A process of which nothing is drawn, and why. */
void timeline_write_none(const json_t *result, unsigned number, const char *why, FILE *out);

#endif
