/* together.h - a few experiments at once, each in a process of its own. */
#ifndef SIM_TOGETHER_H
#define SIM_TOGETHER_H

#include "sim/experiment.h"

struct together {
    struct experiment experiment;       /* the caller's */
    json_t     *result;                 /* the callee's: a new reference, or NULL and then */
    int         status;                 /* as experiment_run */
    struct diag diag;
};

/* Runs all of them, `jobs` (1 or more) at a time.  Results do not depend on `jobs`.  What the
 * experiments' sides write comes out as each ends: in any order, if two have one `to`. */
void together_run(struct together *runs, size_t count, unsigned jobs);

#endif
