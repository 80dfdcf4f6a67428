/* sweep.h - the points of a plan, several at once, each in a process of its own.
 *
 *     point --> is it kept? -- yes ------------------------> row
 *                   no: a process makes, runs and keeps it --^
 *
 * Rows come out in the plan's order and are the same bytes for any number of processes and any
 * order in which they end.  A point that fails, or whose process dies, has a row that says so.
 * Points with the same input are run once.
 *
 * A shard is every so-manieth point, so that shards take about equally long.
 *
 * Not modelled: a limit of time or memory for a point.
 */
#ifndef SIM_SWEEP_H
#define SIM_SWEEP_H

#include <jansson.h>

#include "sim/sweep_plan.h"

struct sweep {
    const struct sweep_plan *plan;          /* borrowed, opened */
    const char *results;                    /* the folder, opened; NULL: nothing is kept */
    unsigned    jobs;                       /* 1 or more */
    unsigned    shard, shards;              /* 0 of 1: all; from 0 */
    bool        retry_failed;
    bool        progress;                   /* on stderr */
    /* [points]: cheap ones run first, the time left goes by them, and an infinite one is not run;
     * NULL: all alike. */
    const double *costs;
};

/* The rows that there are already: [points], NULL where there is none. */
json_t **sweep_rows_kept(const struct sweep *s);
void     sweep_rows_free(const struct sweep *s, json_t **rows);

/* Runs what has no row (or, as asked, a failed one).  False: it had to stop, because nothing can
 * be started or kept any more. */
bool sweep_run(const struct sweep *s, json_t **rows, struct diag *d);

#endif
