/* experiment.h - one trace on one machine, or one kernel on a GPU: a run, in a process of its
 * own.
 *
 *     machine, trace --> lower --> chip --> engine --> result (JSON)
 *     machine, plan of a kernel -----^
 *
 * The child writes the result; the parent makes text and CSV of it.  A fault of the run's
 * own sums, a deadlock or a crash fails it.
 *
 * A GPU whose machine file has a power limit runs at the highest clock that keeps it: the run
 * is repeated at points of the chip's curve until its average power is at the limit.
 */
#ifndef SIM_EXPERIMENT_H
#define SIM_EXPERIMENT_H

#include <jansson.h>

#include "models/gpu/lower.h"
#include "models/toggles.h"
#include "models/tpu/lower.h"
#include "sim/machine.h"
#include "sim/recording.h"
#include "traces/trace.h"

/* What is made of a run's recording besides the result: `write` writes it in the child, and it
 * comes out of `to` in the parent.  Of a GPU that runs again for its power limit, the last. */
struct experiment_side {
    void (*write)(const struct recorded *r, void *arg, FILE *out);
    void  *arg;
    FILE  *to;
};
#define EXPERIMENT_SIDES 4      /* at most */

struct experiment {
    const struct machine *machine;      /* borrowed, as the trace */
    const struct trace   *trace;
    struct tpu_lower_options lower;     /* of a GPU only `highest` means something */
    unsigned threads;                   /* 0: one */
    unsigned window_divisor;            /* 0, 1: the largest legal window */
    bool     progress;                  /* on stderr, if it is a terminal and takes long */
    bool     exact;                     /* register-exact matrix units */
    const struct toggles *toggles;      /* of each group's data, which energy goes with (sim/ */
                                        /* values.h); NULL: values are not known */
    bool     clock_from_values;         /* of a GPU: the power limit sees that energy too */
    const struct recording_ask *record; /* NULL: nothing is recorded; else the result may have */
                                        /* "over_time" */
    const struct experiment_side *sides;        /* only with `record` */
    unsigned side_count;

    /* Of a GPU. */
    const struct gpu_plan *plan;        /* instead of a trace; its memory is changed in the */
                                        /* child only */
    double   clock_mhz;                 /* 0: as the machine file and the power limit say */
    double   limit_ms;                  /* of simulated time, then the run fails; 0: none */
    bool     sample;                    /* launches of many blocks are cut short when steady */
    void   (*after)(const struct gpu_plan *plan, void *arg, FILE *out);     /* in the child: */
    void    *after_arg;                 /* writes what the caller wants besides; may be NULL */
};

/* Whether the machine's figures go together and its chip has what is asked for, without trace or
 * plan; what experiment_run would say of them too. */
bool experiment_check(const struct experiment *e, struct diag *d);

/* The result, a new reference.  NULL: `d` says why, and `*status` is 1 for a run that
 * failed, 2 for wrong input. */
json_t *experiment_run(const struct experiment *e, struct diag *d, int *status);

/* The same, and what `after` wrote; the caller frees rest->bytes. */
struct experiment_rest { char *bytes; size_t size; };
json_t *experiment_run_rest(const struct experiment *e, struct experiment_rest *rest,
                            struct diag *d, int *status);

/* The program of each core, or the launches, as text. */
bool experiment_disassemble(const struct experiment *e, FILE *out, struct diag *d);

/* "hbm", "launch", "weights", "overlap", of a GPU "hbm", "launch", "fetch", "registers": takes
 * one limit away, to see what it costs. */
bool experiment_ideal_means(enum machine_kind kind, const char *limit);    /* whether it has it */
bool experiment_idealize(struct machine *m, struct tpu_lower_options *o, const char *limit,
                         struct diag *d);

#endif
