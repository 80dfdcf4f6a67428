/* experiment_inside.h - what the files sim/experiment*.c share.
 *
 * A child process makes a chip, runs it and writes its result, or with another exit status
 * why there is none: 2, wrong input, "LINE COLUMN what"; 1, the run failed, "what".
 */
#ifndef SIM_EXPERIMENT_INSIDE_H
#define SIM_EXPERIMENT_INSIDE_H

#include "sim/engine.h"
#include "sim/experiment.h"

#define EXPERIMENT_FAILED 1
#define EXPERIMENT_WRONG  2

/* Runs `child` in a process of its own; the result that it wrote, NULL with `d` and status.
 * What it wrote behind the result goes to `rest` (may be NULL), which the caller frees. */
json_t *experiment_apart(int (*child)(void *arg, FILE *out), void *arg,
                         struct experiment_rest *rest, struct diag *d, int *status);

/* Runs a chip with threads, window and progress as asked; `fraction` says how much is done. */
bool experiment_engine(const struct experiment *e, const struct engine_config *engine,
                       double (*fraction)(const void *chip), const void *chip,
                       struct engine_result *result);

/* What a child ends with: each writes and returns the exit status. */
int experiment_say(FILE *out, int status, const char *text);
int experiment_wrong(FILE *out, const struct diag *d);
int experiment_write(json_t *result, FILE *out);        /* takes the reference */

/* The same of a run with a recording (its ->result is not set yet): over_time is added, and the
 * sides follow.  The recording is closed. */
int experiment_write_recorded(const struct experiment *e, struct recorded *r, json_t *result,
                              FILE *out);

/* A side's text behind its length; and all sides of `e` taken apart again, each to where it is to
 * come out.  How many bytes they were. */
void   experiment_put_side(const char *text, size_t size, FILE *out);
size_t experiment_take_sides(const struct experiment *e, const char *bytes);

json_t *experiment_run_tpu(const struct experiment *e, struct experiment_rest *rest,
                           struct diag *d, int *status);
bool    experiment_disassemble_tpu(const struct experiment *e, FILE *out, struct diag *d);
json_t *experiment_run_gpu(const struct experiment *e, struct experiment_rest *rest,
                           struct diag *d, int *status);
bool    experiment_disassemble_gpu(const struct experiment *e, FILE *out, struct diag *d);

#endif
