/* checkpoint_inside.h - what the two files of checkpoints share. */
#ifndef SIM_CHECKPOINT_INSIDE_H
#define SIM_CHECKPOINT_INSIDE_H

#include "sim/checkpoint.h"

/* checkpoint_add, but `values` is taken over: the checkpoint frees it. */
void checkpoint_own(struct checkpoint *c, const char *name, double *values, uint64_t count);

#endif
