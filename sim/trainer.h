/* trainer.h - a network on one machine while it is trained: values for every step, time and
 * energy once for each shape of batch.
 *
 * A ragged last batch is another shape: another trace, lowered and timed by itself, to which
 * weights and the optimizer's state are carried over as they are stored.
 *
 * Without a machine it is the double-precision reference, which takes no time and no energy.
 *
 * Not modelled: the way of a batch from the host to the device; what a step finds in caches and
 * open rows from the one before (every step costs what the first of its shape does, from cold).
 */
#ifndef SIM_TRAINER_H
#define SIM_TRAINER_H

#include "sim/checkpoint.h"
#include "sim/numerics.h"
#include "sim/run_options.h"
#include "sim/value_check.h"
#include "traces/data.h"
#include "traces/net.h"

#define TRAINER_REFERENCE "reference"
#define TRAINER_NAME 96         /* bytes of a trainer's name, with its end */

struct trainer;

struct trainer_use {
    const struct machine     *machine;      /* NULL: the reference */
    const struct net         *net;
    const struct run_options *options;
    struct net_options        expand;       /* batch: of all but a ragged one */
    uint64_t                  seed;         /* of the first weights */
    bool                      check;        /* every value of every step against the reference */
    bool                      probe;        /* what becomes of gradients (numerics.h), if asked */
    const char               *name;         /* NULL: the machine's own */
    bool                      progress;
};

/* What a network learns from: features, and classes or numbers. */
struct data_shape trainer_data_shape(const struct net *n);

struct trainer_step {
    double   loss;              /* mean over the batch, before the step */
    uint64_t right, judged;     /* outputs that were right, of so many; 0 of 0 */
    double   time_s, energy_j;
    double   worst;             /* error over bound of the worst value (value_check.h) */
    json_t  *gradients;         /* numerics_after; NULL: not asked for; the caller's */
};

/* Everything is borrowed.  NULL with the reason in `d`. */
struct trainer *trainer_new(const struct trainer_use *use, struct diag *d);
void            trainer_free(struct trainer *t);

const char *trainer_name(const struct trainer *t);          /* of its machine, "reference" */

/* One step on `rows` samples, after `before` others; `probe` asks for its gradients.  False with
 * the reason in `d`: a timed run or a kernel failed, a value is beyond its bound. */
bool trainer_step(struct trainer *t, uint64_t rows, const double *x, const double *y,
                  uint64_t before, bool probe, struct trainer_step *result, struct diag *d);

/* The same without learning: forward and loss on all rows of a set, batch by batch. */
bool trainer_test(struct trainer *t, const struct data *set, struct trainer_step *result,
                  struct diag *d);

/* Weights and state, as NAME/TENSOR.  False with the reason in `d`: one is missing, or has
 * another size; the trainer is then of no more use. */
void trainer_save(const struct trainer *t, struct checkpoint *c);
bool trainer_load(struct trainer *t, const struct checkpoint *c, struct diag *d);

/* The trace of a whole batch; and what beside it decides values, time and energy: the machine's
 * figures and the options.  A new reference. */
void    trainer_write_trace(const struct trainer *t, FILE *out);
json_t *trainer_settings(const struct trainer *t);

/* The result (experiment.h) of the timed run of each shape so far: an array of
 * {"batch": rows, "result": ...}; a new reference. */
json_t *trainer_shapes(const struct trainer *t);

#endif
