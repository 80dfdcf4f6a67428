/* run_options.h - the options that run, gemm and disasm have in common. */
#ifndef SIM_RUN_OPTIONS_H
#define SIM_RUN_OPTIONS_H

#include "sim/choice.h"
#include "sim/experiment.h"

#define RUN_OPTIONS \
    CHOICE_OPTIONS, \
    { "cores",     "N",            "cores to use (default: all; gemm: one)" }, \
    { "precision", "highest",      "multiply f32 in six bf16 passes (default: one)" }, \
    { "ideal",     "LIMIT",        "take a limit away: hbm, launch, weights, overlap" }, \
    { "threads",   "N",            "that run the model; the result is the same" }, \
    { "exact",     NULL,           "register-exact matrix units (slow; the same cycles)" }
#define RUN_ROWS (CHOICE_ROWS + 5)
#define RUN_IDEALS 8

struct run_options {
    struct choice            choice;
    struct tpu_lower_options lower;
    unsigned                 threads;
    bool                     exact;
    const char              *ideals[RUN_IDEALS];
    size_t                   ideal_count;
};

/* 1 if row `i` is one of RUN_OPTIONS and was taken, 0 if it is another, -1 if its value
 * is wrong (said on stderr). */
int run_options_take(struct run_options *r, const struct options *o, int i);

/* The machine with all changes made, and an experiment on it without a trace. */
struct machine   *run_options_machine(struct run_options *r, struct diag *d);
struct experiment run_options_experiment(const struct run_options *r, const struct machine *m);

/* A whole number of 1 to `most`, and nothing behind it. */
bool run_options_number(const char *text, unsigned most, unsigned *value);

#endif
