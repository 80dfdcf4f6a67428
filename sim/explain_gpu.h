/* explain_gpu.h - what the two files of a GPU's explanation share; nobody else includes it. */
#ifndef SIM_EXPLAIN_GPU_H
#define SIM_EXPLAIN_GPU_H

#include "sim/explain_inside.h"

struct explain_gpu {
    struct explain *x;
    const struct gpu_config *g;
    double mhz;                     /* of the SMs in the run */
    double macs;                    /* of an SM's tensor cores in a cycle, for the op's type */
    double asked, written;          /* of L2 by the op's launches, bytes */
    double most_cycles;             /* of the longest launch so far */

    const json_t *launch;           /* in hand */
    bool   first, cold;             /* of the run; its kernel has not run before */
    double blocks, threads, warps, fit;     /* all; of a block; blocks on an SM at a time */
    double before;                  /* bytes that launches before it brought to L2 */
    double waves, most;             /* most: blocks of the SM with the most */
    double latency, far, store;     /* of memory; more to the far side; a store's; cycles */
    double longest;
    const char *limit;
};

/* Lanes for f32 of an SM. */
static inline double explain_gpu_lanes(const struct explain_gpu *y)
{
    return y->g->sm.subcores * 32.0 / y->g->pipes.fp32_interval;
}

/* What is multiplied, if anything is. */
void explain_gpu_shape(struct explain_gpu *y);
/* Steps of a block of a product; false: the launch is none. */
bool explain_gpu_product(struct explain_gpu *y);
/* Bounds that no time is below. */
void explain_gpu_least(struct explain_gpu *y);
void explain_gpu_difference(struct explain_gpu *y);

#endif
