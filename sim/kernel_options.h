/* kernel_options.h - the options by which a command is told what a kernel is called with. */
#ifndef SIM_KERNEL_OPTIONS_H
#define SIM_KERNEL_OPTIONS_H

#include "sim/kernel_plan.h"
#include "sim/options.h"

#define KERNEL_OPTIONS \
    { "entry",  "NAME",    "the kernel (default: the file's only one)" }, \
    { "grid",   "X[xYxZ]", "blocks, as 32 or 16x16" }, \
    { "block",  "X[xYxZ]", "threads of a block, as 256 or 16x16" }, \
    { "args",   "LIST",    "f32:2.0,buf:x=16384:random,buf:y=4096xf32:file=in.bin,... " \
                           "(docs/commands.md)" }, \
    { "shared", "BYTES",   "dynamic shared memory of a block (default: none)" }
#define KERNEL_ROWS 5

/* 1 if row `i` is one of KERNEL_OPTIONS, counted from its first, and was taken, 0 if it is
 * another, -1 if its value is wrong (said on stderr). */
int kernel_options_take(struct kernel_call *c, const struct options *o, int i);

/* 0, or 2 if grid or block is missing (said on stderr). */
int kernel_options_check(const struct kernel_call *c, const struct options *o);

#endif
