/* choose.h - which kernel, tile and cut along K a matrix product takes, and what it costs.
 *
 * A vendor's library has a heuristic, for it cannot try every kernel on every shape.  So here:
 * of every kernel that the operands' types, transposes and alignment allow the time is
 * estimated from the chip's figures and the tile's shape, and the least one is taken.
 *
 *     one block    prologue | step | step | ... | step | results       a step is a tile's K
 *
 *     prologue     dispatch, operations that find addresses, and a latency of memory
 *     a step       of b blocks of an SM, the longest of
 *                      b times the busier of tensor cores, and shared memory with the
 *                      load-store units before it (one element at a time where rows are not
 *                      aligned), and once the first fragments' way from shared memory and
 *                      through the tensor core; where tiles go through registers b times
 *                      the root of both's squares, or both if a scheduler has but one warp.
 *                      Or on FP32 lanes: b times what they take at the kernel's speed, and
 *                      half a latency of memory over the warps of a scheduler
 *                      b times what the crossbar takes, or L2 if all want its tiles
 *                      a latency of memory, over the tiles under way; where tiles go through
 *                      registers of tensor kernels that, and half of what all blocks under
 *                      way want, and storing a tile and multiplying its last slice
 *     results      so many operations of a lane for each: alone one after the other, or of b
 *                  blocks as fast as they issue; or as fast as they leave the SM
 *     an SM        has ceil(blocks / SMs) of them, as many at a time as fit
 *     the product  the longest of  what the SM with the most blocks takes
 *                                  all that goes through L2, at its rate
 *                                  all that comes from memory, at its rate; less on FP32
 *                                  lanes where rows of a tile are shorter than a line
 *                  and for a cut along K another launch, of blocks that read the summands
 *
 * Tiles run in stripes of 2^order columns of tiles; the order is what brings least from
 * memory, when what is under way at a time shares rows and columns, and nearly fills its
 * stripes.
 *
 * Not modelled: it is a heuristic.  Bank conflicts (but for those of nt before sm_80),
 * instruction mix, fetching instructions and what else runs are left to the model of the chip,
 * which has the last word.
 */
#ifndef MODELS_GPU_CHOOSE_H
#define MODELS_GPU_CHOOSE_H

#include "models/gpu/kernels/kernels.h"

/* c = a x b, batch times: a is m x k and b is k x n after their transposes; all dense. */
struct gpu_product {
    uint64_t m, n, k, batch;
    bool     transpose_a, transpose_b;
    enum gpu_element in, out;       /* of a and b; of c */
};

struct gpu_choice {
    const struct gpu_gemm_kernel *kernel;
    uint32_t splits;        /* 1: not cut */
    uint32_t split_k;       /* of k for each, a multiple of the tile's; k if not cut */
    uint32_t order;
    double   seconds;       /* the estimate */
};

/* What a choice is made for.  `resident` tells how many blocks of a kernel an SM holds, 0 if
 * none fits; NULL: that is reckoned from the tile, with the registers that such kernels take. */
struct gpu_chooser {
    const struct gpu_config *config;
    double   memory_bytes_per_s;
    double   memory_ns;         /* from a request at a memory's controller to its answer */
    double   port_bytes;        /* of all ports of L2 in one of its cycles; 0: no limit */
    uint32_t (*resident)(void *self, const struct gpu_gemm_kernel *kernel);
    void    *self;              /* of `resident` */
};

/* Of the kernels with config.kernels.tile, if that is set and one of them may be taken.
 * False: no kernel of this generation multiplies such elements. */
bool gpu_choose(const struct gpu_chooser *x, const struct gpu_product *p,
                struct gpu_choice *choice);

/* The estimate for one kernel, cut into `splits`; fills all of `choice`.  False: its rows are
 * not aligned as the kernel wants, the form or type is another, no block of it fits an SM, or
 * k has fewer tiles than splits. */
bool gpu_estimate(const struct gpu_chooser *x, const struct gpu_product *p,
                  const struct gpu_gemm_kernel *kernel, uint32_t splits,
                  struct gpu_choice *choice);

/* What the estimate of one kernel is made of, for whoever explains it: cycles of the SMs, of a
 * step unless said otherwise, with `together` blocks on an SM at a time. */
struct gpu_estimate_parts {
    uint64_t blocks, most, steps;   /* all; of the SM with the most; of a block */
    uint32_t resident, together;
    double   latency;               /* of memory */
    double   multiply, read, fill, move, arrive;    /* of a block */
    double   tile_bytes, share;     /* of a and b; what an SM gets of L2, bytes a cycle */
    double   queue;                 /* a tile's wait for others */
    double   slices;                /* of a step, that tensor cores multiply one at a time */
    double   busy, unfilled, alone, step;
    double   first_operations, beginning;           /* of a block */
    double   result_operations, result_bytes;       /* of a lane; of a block */
    double   results;               /* of those together */
    double   busiest;               /* all of the SM with the most */
};
/* False as gpu_estimate. */
bool gpu_estimate_parts(const struct gpu_chooser *x, const struct gpu_product *p,
                        const struct gpu_gemm_kernel *kernel, uint32_t splits,
                        struct gpu_estimate_parts *parts);

/* Whether kernels.tile is empty or the tile of a kernel of this generation. */
bool gpu_tile_known(const struct gpu_config *c);

/* Multiply-accumulates of an SM in a cycle on operands of that type; 0: it has no tensor cores
 * for it. */
double gpu_macs_per_cycle(const struct gpu_config *c, enum gpu_element in);

#endif
