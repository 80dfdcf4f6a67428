/* run_options.h - the options that run, gemm and disasm have in common. */
#ifndef SIM_RUN_OPTIONS_H
#define SIM_RUN_OPTIONS_H

#include "sim/choice.h"
#include "sim/experiment.h"

#define RUN_OPTIONS \
    CHOICE_OPTIONS, \
    { "cores",     "N",            "tpu: cores to use (default: all; gemm: one)" }, \
    { "precision", "highest",      "tpu: multiply f32 in six bf16 passes (default: one); " \
                                   "gpu: on FP32 lanes" }, \
    { "ideal",     "LIMIT",        "take a limit away: hbm, launch; tpu: weights, overlap; " \
                                   "gpu: fetch, registers" }, \
    { "threads",   "N",            "that run the model; the result is the same" }, \
    { "exact",     NULL,           "tpu: register-exact matrix units (slow; the same cycles)" }, \
    { "clock",     "MHZ",          "gpu: of the SMs, whatever the power (default: as the " \
                                   "limit allows)" }, \
    { "sample",    NULL,           "gpu: cut launches of many blocks short when they are steady" }
#define RUN_ROWS (CHOICE_ROWS + 7)
#define RUN_IDEALS 8

struct run_options {
    struct choice            choice;
    struct tpu_lower_options lower;
    unsigned                 threads;
    bool                     exact, sample;
    double                   clock_mhz;     /* 0: not given */
    const char              *ideals[RUN_IDEALS];
    size_t                   ideal_count;
};

/* 1 if row `i` is one of RUN_OPTIONS and was taken, 0 if it is another, -1 if its value
 * is wrong (said on stderr). */
int run_options_take(struct run_options *r, const struct options *o, int i);

/* The machine with all changes made, if the options are for its kind; and an experiment on it
 * without a trace.  The second alone: makes the changes of --ideal to a machine that is there. */
struct machine   *run_options_machine(struct run_options *r, struct diag *d);
bool              run_options_apply(struct run_options *r, struct machine *m, struct diag *d);
struct experiment run_options_experiment(const struct run_options *r, const struct machine *m);

/* A whole number of 1 to `most`, and nothing behind it. */
bool run_options_number(const char *text, unsigned most, unsigned *value);

/* A whole number of 0 or more, below 2^63: it may stand in JSON. */
bool run_options_seed(const char *text, uint64_t *value);

/* A number above 0, at most `most`. */
bool run_options_real(const char *text, double most, double *value);

#endif
