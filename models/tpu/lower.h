/* lower.h - from a trace to the program of each core of a TPU.
 *
 *     share    rows of the batch over cores; which sums are partial
 *     fuse     ops into groups that go through vector memory once
 *     place    every tensor's address in HBM, or its stay in vector memory
 *     tile     each group to fit vector memory, double-buffered
 *     emit     unit operations and the semaphores between them
 *
 * A group is one row of every report: a matmul with the element-wise ops that follow it,
 * a chain of element-wise ops, an optimizer step, an all-reduce.
 *
 * Weights that are stored f32 and multiplied bf16 are rounded as they are staged in vector
 * memory, as XLA does.  f32 operands are multiplied in one bf16 pass, or with `highest`
 * in six.
 *
 * Not modelled: reordering of ops, prefetch of the next op's operands, splitting weights
 * over cores, sharing an all-reduce among several tensors.
 */
#ifndef MODELS_TPU_LOWER_H
#define MODELS_TPU_LOWER_H

#include "models/hbm/hbm_params.h"
#include "models/tpu/config.h"
#include "models/tpu/program.h"
#include "traces/trace.h"

enum tpu_group_kind {
    TPU_GROUP_MATMUL, TPU_GROUP_VECTOR, TPU_GROUP_TURN, TPU_GROUP_ALL_REDUCE
};

/* How a group goes through vector memory, as core 0 has it. */
struct tpu_cut {
    uint64_t batch, rows, depth, cols;      /* of what streams, over k, of the weights; what */
                                            /* has no product: a matrix; rows 0: nothing */
    uint64_t tile_rows, tile_depth, tile_cols;
    uint32_t streamed, weights;             /* tensors of a product */
    uint8_t  passes;                        /* of a product; 0: none */
    enum tpu_stays { TPU_STREAMED_STAYS, TPU_WEIGHTS_STAY, TPU_NOTHING_STAYS } stays;
};

struct tpu_group {
    char                name[96];       /* "h1 = matmul + bias + relu" */
    enum tpu_group_kind kind;
    enum trace_phase    phase;
    uint32_t           *ops;            /* of the trace, in order */
    uint32_t            op_count;
    uint32_t            tensor;         /* ALL_REDUCE: of what */
    uint64_t            flops;          /* as the trace counts them */
    uint64_t            macs;           /* multiply-accumulates of all cores, six-fold if so */
    uint64_t            vmem_bytes;     /* that its tiles take on a core, at most */
    struct tpu_cut      cut;
};

#define TPU_TILE_ROWS 8                     /* of a register, and of a piece of a tensor in HBM */

/* How a tensor lies over the cores. */
struct tpu_tensor {
    uint64_t rows, cols;                /* as a matrix; a batch of matrices stacked */
    uint64_t share;                     /* rows of a core, of the last fewer or none; 0: all */
                                        /* cores have all of it */
    bool     kept;                      /* between groups; else it lives inside one */
    uint32_t summed;                    /* group before which each core has a summand of it */
                                        /* (a core without rows: none); TRACE_NONE */
};

struct tpu_lower_options {
    uint32_t cores;         /* 0: all of the chip */
    bool     highest;       /* six passes for f32 */
    bool     overlap;       /* --ideal overlap: no wait but for data */
};

struct tpu_plan {
    uint32_t            cores, group_count;
    struct tpu_group   *groups;
    struct tpu_program **programs;      /* [cores] */
    struct tpu_tensor  *tensors;        /* of the trace */
    bool                shared;         /* all cores reach all of HBM */
    uint64_t hbm_bytes;                 /* the most that a core's tensors take at any time */
    uint64_t vmem_bytes;                /* and of its vector memory */
    uint64_t resident_bytes;            /* of it, results that wait there for later ops */
};

/* Whether the chip has the cores and the room for tiles that are asked for. */
bool tpu_lower_check(const struct tpu_config *config, const struct tpu_lower_options *options,
                     struct diag *d);

/* NULL with the reason in `d`: an op that cannot be lowered, named; a tensor or tile that
 * does not fit.  `trace` is borrowed until tpu_plan_free. */
struct tpu_plan *tpu_lower(const struct tpu_config *config, const struct hbm_config *hbm,
                           const struct trace *trace, const struct tpu_lower_options *options,
                           struct diag *d);
void             tpu_plan_free(struct tpu_plan *p);

#endif
