/* experiment.h - one trace on one machine: a run, in a process of its own.
 *
 *     machine, trace --> lower --> chip --> engine --> result (JSON)
 *
 * The child writes the result; the parent makes text and CSV of it.  A fault of the run's
 * own sums, a deadlock or a crash fails it.
 */
#ifndef SIM_EXPERIMENT_H
#define SIM_EXPERIMENT_H

#include <jansson.h>

#include "models/tpu/lower.h"
#include "sim/machine.h"
#include "traces/trace.h"

struct experiment {
    const struct machine *machine;      /* borrowed, as the trace */
    const struct trace   *trace;
    struct tpu_lower_options lower;
    unsigned threads;                   /* 0: one */
    unsigned window_divisor;            /* 0, 1: the largest legal window */
    bool     progress;                  /* on stderr, if it is a terminal and takes long */
    bool     exact;                     /* register-exact matrix units */
};

/* The result, a new reference.  NULL: `d` says why, and `*status` is 1 for a run that
 * failed, 2 for wrong input. */
json_t *experiment_run(const struct experiment *e, struct diag *d, int *status);

/* The program of each core, as text. */
bool experiment_disassemble(const struct experiment *e, FILE *out, struct diag *d);

/* "hbm", "launch", "weights", "overlap": takes one limit away, to see what it costs. */
bool experiment_idealize(struct machine *m, struct tpu_lower_options *o, const char *limit,
                         struct diag *d);

#endif
