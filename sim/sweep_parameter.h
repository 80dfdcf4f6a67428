/* sweep_parameter.h - what a sweep can vary beside the figures of a machine: the network (what
 * traces/net.h can change, and `inference`) and how it is run. */
#ifndef SIM_SWEEP_PARAMETER_H
#define SIM_SWEEP_PARAMETER_H

#include <stdio.h>

#include "sim/sweep_plan.h"

#define SWEEP_PARAMETERS(X) \
    X(arch,      "machine", "the machine, by name")                                     \
    X(inference, "network", "no, or yes: the forward pass alone")                       \
    X(cores,     "run",     "tpu: cores to use, 1 to 64")                               \
    X(precision, "run",     "highest or default")                                       \
    X(clock,     "run",     "gpu: MHz of the SMs, above 0, at most 10000")              \
    X(ideal,     "run",     "none, or a limit to take away, as hbm")

/* Its values, in words; NULL: there is no such parameter. */
const char *sweep_parameter_what(const char *name);
const char *sweep_parameter_nearest(const char *name);      /* or NULL */

/* Such a one needs p->network in sweep_parameter_set. */
bool sweep_parameter_is_of_network(const char *name);

/* False if it cannot have that value. */
bool sweep_parameter_set(struct sweep_point *p, const char *name, const char *value);

/* All of them, for people. */
void sweep_parameters_print(FILE *out);

#endif
