/* kernel_plan.h - one launch of a user's kernel, as a plan that a GPU's run takes.
 *
 *     kernel.ptx, or kernel.cu through clang --> PTX --> kernel for the chip
 *     arguments ------------------------------> buffers in memory, parameters
 */
#ifndef SIM_KERNEL_PLAN_H
#define SIM_KERNEL_PLAN_H

#include "models/gpu/lower.h"
#include "sim/kernel_args.h"

struct kernel_call {
    const char *path;           /* .cu: CUDA C; anything else: PTX */
    const char *entry;          /* NULL: the only one */
    uint32_t grid[3], block[3];
    uint32_t shared_bytes;
    uint64_t seed;
    struct kernel_args args;
    bool     values;            /* wanted, also if timing does not need them */
    bool     sample;            /* blocks will be left out: no kernel whose blocks wait for others */
};

/* `addresses` gets where each argument's buffer is.  The caller frees the plan.  NULL with the
 * reason in `d`: the file, the arguments, no room for a buffer, or what cannot be sampled. */
struct gpu_plan *kernel_plan(const struct kernel_call *call, const struct gpu_config *c,
                             uint64_t addresses[KERNEL_ARGS_MOST], struct diag *d);

#endif
