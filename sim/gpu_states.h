/* gpu_states.h - states of a GPU whose power can be measured, each made by one micro-kernel.
 *
 * The model and a real card (tests/measure) are put into them by the same launches.
 */
#ifndef SIM_GPU_STATES_H
#define SIM_GPU_STATES_H

#include "models/gpu/lower.h"
#include "sim/figures.h"

enum gpu_state_sms { GPU_STATE_ALL, GPU_STATE_HALF, GPU_STATE_ONE };

/* So many blocks of so many threads, on all SMs evenly or as `sms` says. */
struct gpu_state {
    const char *name;           /* in power_chip.csv */
    const char *kernel;         /* of models/gpu/kernels/micro.cu */
    enum gpu_state_sms sms;     /* with a block */
    uint32_t blocks, threads;   /* blocks on an SM */
    uint32_t buffers;           /* 0: nothing is read, or shared memory */
    uint32_t chunks;            /* that a thread reads a loop; 0: as many as loops, once */
    bool     own;               /* a block reads what no other does */
    uint32_t few, many;         /* loops */
    bool     calibrates;        /* an A100's row has set a price */
    const char *note;
};

/* The first is at rest: its loops are microseconds between two launches. */
extern const struct gpu_state gpu_states[];
extern const size_t gpu_state_count;

const struct gpu_state *gpu_state_find(const char *name);       /* NULL: none of that name */

/* `launches` of the state, each of so many loops; the caller frees it.  NULL with the reason in
 * `d`: no such kernel on this chip. */
struct gpu_plan *gpu_state_plan(const struct figures *f, const struct gpu_state *s,
                                uint32_t launches, uint32_t loops, struct diag *d);

#endif
