/* train.h - a training run: one network, one data set, one or more machines side by side.
 *
 *     for each epoch     shuffle (from the seed and the epoch alone)
 *         for each batch     each machine: a step                    -> a row, if asked for
 *         each machine: the test set                                 -> a row
 *         a checkpoint
 *
 * All machines begin with the same weights and see the same batches.  Everything that follows
 * (text, CSV, pictures) is made from the result, one JSON object:
 *
 *     simaccel, schema, network, batch, samples, test_samples, seed, steps,
 *     steps_per_epoch
 *     machines    [{name, kind, shapes: [{batch, result}]}]       results of the timed runs
 *     rows        [{machine, epoch, step, loss, accuracy, test_loss, test_accuracy, time_s,
 *                   energy_j, worst}]                              what does not apply is left out
 *     numerics    [{machine, step, tensors}]                         if asked for: numerics.h
 *
 * time_s and energy_j are since the start, as the machine files' prices and clocks have it.
 */
#ifndef SIM_TRAIN_H
#define SIM_TRAIN_H

#include "sim/trainer.h"

#define TRAIN_MACHINES_MAX 16

struct train_use {
    struct trainer   *trainers[TRAIN_MACHINES_MAX];
    const struct machine *machines[TRAIN_MACHINES_MAX];     /* NULL: the reference */
    unsigned          count;
    const struct net *net;
    uint64_t          batch;
    const struct data *data, *test;     /* test: NULL for none */
    uint64_t          seed, steps;      /* in all */
    bool              shuffles, every_step;
    bool              checks;           /* the trainers compare every value: rows say "worst" */
    bool              probes;           /* gradients of the first step and of each epoch's last */
    const char       *checkpoint;       /* file to write after each epoch; NULL: none */
    uint64_t          checkpoint_steps; /* after so many steps instead; 0: each epoch */
    void            (*row)(const json_t *row, void *arg);   /* told of each as it comes */
    void             *row_arg;
};

struct train;

/* Everything is borrowed, and outlives it. */
struct train *train_new(const struct train_use *use);
void          train_free(struct train *t);

/* Goes on from a checkpoint, before any step.  False with the reason in `d`: it is of another
 * network, batch, seed, data or test set, order, machine or option, or after more steps. */
bool train_resume(struct train *t, const struct checkpoint *c, struct diag *d);

/* To the last step.  False with the reason in `d`. */
bool train_run(struct train *t, struct diag *d);

/* A new reference. */
json_t *train_result(const struct train *t);

/* How many batches an epoch has. */
uint64_t train_epoch_steps(uint64_t samples, uint64_t batch);

#endif
