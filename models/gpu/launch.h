/* launch.h - one launch of a kernel: grid, block, parameters. */
#ifndef MODELS_GPU_LAUNCH_H
#define MODELS_GPU_LAUNCH_H

#include "models/gpu/kernel.h"
#include "models/gpu/memory.h"
#include "traces/diag.h"

struct gpu_launch {
    const struct gpu_kernel *kernel;    /* borrowed */
    uint32_t grid[3], block[3];         /* x fastest */
    uint32_t shared_bytes;              /* dynamic, above the kernel's own */
    uint8_t *params;                    /* kernel->param_bytes, owned by whoever made this */
    uint16_t group;                     /* the trace op (or fused group) that it works for */
};

static inline uint64_t gpu_launch_blocks(const struct gpu_launch *l)
{
    return (uint64_t)l->grid[0] * l->grid[1] * l->grid[2];
}

static inline uint32_t gpu_launch_threads(const struct gpu_launch *l)
{
    return l->block[0] * l->block[1] * l->block[2];
}

/* What limits the blocks of a launch on an SM. */
enum gpu_limit {
    GPU_LIMIT_WARPS, GPU_LIMIT_BLOCKS, GPU_LIMIT_REGISTERS, GPU_LIMIT_SHARED
};

struct gpu_occupancy {
    uint32_t blocks;            /* on an SM at a time */
    uint32_t warps;             /* of a block */
    uint32_t registers;         /* of a warp, rounded up */
    uint32_t shared_bytes;      /* of a block, rounded up */
    enum gpu_limit limit;
};

/* False with the reason in `d`: no block fits, or the shape is not legal (0 threads, more
 * than 1024, more than .maxntid, other than .reqntid, a grid past 2^31-1 x 65535 x 65535). */
bool gpu_occupancy(const struct gpu_config *c, const struct gpu_launch *l,
                   struct gpu_occupancy *o, struct diag *d);

/* Of the local memory of all threads that an SM can hold of this launch. */
uint64_t gpu_local_bytes(const struct gpu_launch *l, const struct gpu_occupancy *o);

/* Puts the .global variables of a kernel's module at GPU_MODULE_BASE, unless they are there: a
 * second kernel of the module finds what the first has left in them.  False with the reason in
 * `d`: no room.  Not modelled: kernels of several modules with variables in one memory. */
bool gpu_launch_variables(const struct gpu_kernel *k, struct gpu_memory *m, struct diag *d);

#endif
