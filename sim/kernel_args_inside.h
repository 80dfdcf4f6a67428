/* kernel_args_inside.h - what the files sim/kernel_args*.c share. */
#ifndef SIM_KERNEL_ARGS_INSIDE_H
#define SIM_KERNEL_ARGS_INSIDE_H

#include "sim/kernel_args.h"

enum kernel_class { KERNEL_BITS, KERNEL_UNSIGNED, KERNEL_SIGNED, KERNEL_FLOAT };

/* By enum gpu_scalar. */
extern const struct kernel_type {
    const char       *name;
    uint32_t          bytes;
    enum kernel_class class;
} kernel_types[];

/* A float of a type, rounded to nearest, to memory. */
void kernel_type_put(enum gpu_scalar type, double v, uint8_t *to);

#endif
