/* train_machines.h - the machines that a network is trained on side by side, by --arch:
 *
 *     NAME                one machine
 *     NAME,NAME,...       several, each once; one with a '/' or that ends in .yaml is a file
 *     both                tpu,gpu
 *
 * The options of run are given once for all.  With several machines each takes those that mean
 * something to it: a --set of a section that it has, --cores and --exact a TPU, --clock and
 * --sample a GPU.  --ideal must mean something to all.
 */
#ifndef SIM_TRAIN_MACHINES_H
#define SIM_TRAIN_MACHINES_H

#include "sim/run_options.h"
#include "sim/train.h"

/* Each may be there twice, with a loss scale and without, and beside them the reference. */
#define TRAIN_MACHINES_NAMED (TRAIN_MACHINES_MAX / 2 - 1)

struct train_machines {
    struct machine    *machine[TRAIN_MACHINES_NAMED];
    struct run_options options[TRAIN_MACHINES_NAMED];
    char               names[TRAIN_MACHINES_NAMED][256];            /* as --arch has them */
    char               scaled_names[TRAIN_MACHINES_NAMED][TRAINER_NAME];    /* "v100 x1024" */
    unsigned           count;
};

/* `m` begins as zero, stays where it is and is closed in any case; `loss_scale` is for
 * scaled_names.  False with the reason in `d`. */
bool train_machines_open(struct train_machines *m, const struct run_options *asked,
                         double loss_scale, struct diag *d);
void train_machines_close(struct train_machines *m);

/* Whether a name of a machine is a file's: it has a '/', or ends in .yaml. */
bool train_machines_is_file(const char *name);

#endif
