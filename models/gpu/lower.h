/* lower.h - from a trace to launches of kernels.
 *
 *     fuse     a product with its bias and activation; optimizers over a tensor
 *     cast     f32 weights to f16 or bf16 once a step
 *     place    every tensor's address in global memory
 *     choose   kernel and tile of each product by its shape, as a vendor's library does
 *
 * A group is one row of every report: a trace op, or several that one launch does; it may
 * have several launches (a product cut along K and its sum), or none (a reshape).
 *
 * Not modelled: several streams, fusing chains of element-wise ops, reuse of memory whose
 * tensor is no longer needed, products of several ops in one launch, more than one GPU.
 */
#ifndef MODELS_GPU_LOWER_H
#define MODELS_GPU_LOWER_H

#include "models/gpu/choose.h"
#include "models/gpu/launch.h"
#include "models/gpu/memory.h"
#include "models/hbm/hbm_params.h"
#include "traces/trace.h"

struct gpu_group {
    char             name[96];      /* "h1 = matmul + bias + relu" */
    enum trace_phase phase;
    bool             is_matmul;
    uint32_t        *ops;           /* of the trace, in order */
    uint32_t         op_count;
    uint64_t         flops;         /* as the trace counts them */
    uint64_t         macs;          /* of its products */
    struct gpu_product product;     /* of a matmul: what is multiplied, */
    struct gpu_choice  choice;      /* and how; kernel NULL: no product */
};

struct gpu_lower_options {
    bool exact_f32;                 /* products of f32 on FP32 lanes, as --precision highest asks */
};

/* A parameter of a launch that is another in every step: Adam corrects by the number of steps. */
struct gpu_step_number {
    uint32_t launch, offset;        /* of the f32 in its parameters */
    const struct trace_op *op;
    uint8_t number;                 /* lower_update.c's own */
};

struct gpu_plan {
    uint32_t           group_count, launch_count;
    struct gpu_group  *groups;
    struct gpu_launch *launches;    /* in order; each has its group */
    struct gpu_step_number *numbers;
    uint32_t           number_count;
    struct gpu_kernel **kernels;    /* compiled, each once */
    uint32_t           kernel_count;
    struct gpu_memory *memory;
    uint64_t          *addresses;   /* of each tensor of the trace; 0: it is never in memory */
    enum trace_type   *types;       /* as each is stored: f16 for bf16 on a chip without that */
    char             (*notes)[160]; /* what was chosen that a reader should know: "weights are */
    uint32_t           note_count;  /* cast to f16 once a step" */
};

/* NULL with the reason in `d`: an op that cannot be lowered, named; tensors that do not fit
 * the memory, whose size and speed are all that is taken from `hbm`.  `trace` is borrowed
 * until gpu_plan_free.  With `values` memory has bytes. */
struct gpu_plan *gpu_lower(const struct gpu_config *c, const struct hbm_config *hbm,
                           const struct trace *trace, const struct gpu_lower_options *o,
                           bool values, struct diag *d);
void             gpu_plan_free(struct gpu_plan *p);

/* Makes it the plan of a step that comes after `before` others; as lowered it is the first. */
void gpu_plan_set_step(struct gpu_plan *p, uint64_t before);

/* A line a launch: kernel, grid, block, registers, shared memory, blocks an SM. */
void gpu_plan_print(const struct gpu_plan *p, const struct gpu_config *c, FILE *out);

/* A kernel of the project's own, compiled for a chip; NULL with the reason in `d`.  The caller
 * frees it. */
struct gpu_kernel *gpu_kernel_load(const struct gpu_config *c, const char *name,
                                   struct diag *d);

#endif
