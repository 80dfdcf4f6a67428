/* kernel.h - a kernel compiled for a chip: operations, registers, what it needs to run.
 *
 * A kernel is oblivious if no loaded value reaches an address, a branch, or a predicate that
 * guards a memory operation: then its timing does not depend on data, and it can run without.
 *
 * Not modelled: an encoding in bits (every operation takes fetch.instruction_bytes); textures,
 * surfaces and their descriptors; launches by a kernel; clusters of blocks.
 */
#ifndef MODELS_GPU_KERNEL_H
#define MODELS_GPU_KERNEL_H

#include "models/gpu/op.h"

#define GPU_KERNEL_NAME 128
#define GPU_LOCAL_MOST  (512u << 10)    /* bytes of a thread: CUDA's limit of all generations */

enum gpu_scalar {           /* of a parameter */
    GPU_B8, GPU_B16, GPU_B32, GPU_B64, GPU_U8, GPU_U16, GPU_U32, GPU_U64, GPU_S8, GPU_S16,
    GPU_S32, GPU_S64, GPU_F16, GPU_BF16, GPU_F32, GPU_F64
};

struct gpu_param {
    char     name[64];
    uint32_t offset, bytes;     /* in the parameter space */
    uint32_t scalar;            /* enum gpu_scalar, of an element */
    bool     is_array;
};

struct gpu_kernel {
    char      name[GPU_KERNEL_NAME];
    char      file[256];            /* of the PTX, for messages */
    enum gpu_generation generation;
    struct gpu_op   *ops;
    uint32_t         count;         /* the last is an exit */
    uint16_t        *operands;
    uint32_t         operand_count;
    uint32_t       (*constants)[GPU_LANES];     /* a word broadcast to all lanes */
    uint32_t         constant_count;
    uint32_t         registers;     /* of a thread, 32 bits each; at least 1 */
    uint32_t         predicates;
    uint32_t         shared_bytes;  /* static */
    uint32_t         local_bytes;   /* of a thread: whole pieces */
    uint32_t         local_wide;    /* of them 4 << this lie together: a piece.  0, but where */
                                    /* a generic address may move more of them at once */
    struct gpu_param *params;
    uint32_t         param_count, param_bytes;
    uint32_t         required[3], max_threads;  /* .reqntid, .maxntid; 0: not said */
    uint8_t         *const_bytes;   /* of module variables in .const space, initialized */
    uint32_t         const_size;
    uint8_t         *global_bytes;  /* of module variables in .global space, initialized; */
    uint32_t         global_size;   /* a launch gets them at GPU_MODULE_BASE */
    bool             oblivious;
    char             others[128];   /* what other blocks do decides how one goes on: "the atomic */
                                    /* of line 12 reaches the branch of line 19"; "": no */
    char             why_not[128];  /* if not: "the load of line 12 reaches the branch of line 19" */
};

/* Where the .global variables of a kernel's module lie. */
#define GPU_MODULE_BASE UINT64_C(0x100000000000)

void gpu_kernel_free(struct gpu_kernel *k);

#endif
