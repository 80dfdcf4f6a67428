/* gpu_run.h - launches on a chip, in a process of its own, and what came of them as numbers.
 *
 * For micro-kernels and tests: no trace, no report.
 */
#ifndef SIM_GPU_RUN_H
#define SIM_GPU_RUN_H

#include "sim/gpu_chip.h"

/* A part of a buffer that is wanted back: the run has a copy of the memory. */
struct gpu_run_output { uint64_t address, bytes; };

struct gpu_run {
    struct gpu_chip_config_run chip;
    const struct gpu_run_output *outputs;   /* in chip.memory, whose bytes become the run's */
    uint32_t output_count;
    unsigned threads;                       /* 0: one */
    unsigned window_divisor;                /* 0, 1: the largest legal window */
};

struct gpu_run_launch {
    struct gpu_launch_times times;
    struct gpu_occupancy occupancy;
    struct gpu_sm_stats  sm;                /* of all SMs */
};

struct gpu_run_result {
    tick_t   end;                           /* of the last launch; sampling is not added */
    struct gpu_run_launch *launches;        /* [chip.launch_count] */
    struct gpu_l2_stats    l2;              /* of all slices and groups */
    uint64_t read_bytes, written_bytes;     /* of the stacks, whole bursts */
    uint64_t windows, activations;          /* the engine's */
    double   seconds;                       /* of CPU, in the engine */
};

/* Puts the variables of the kernels' module into the memory, if they are not there.  False with
 * the reason in `d`: wrong figures, a launch that does not fit, a fault of a kernel, a run that
 * went quiet with work left. */
bool gpu_run(const struct gpu_run *run, struct gpu_run_result *result, struct diag *d);
void gpu_run_free(struct gpu_run_result *result);

/* Entry `name` of PTX text, compiled; the caller frees it.  NULL with the reason in `d`. */
struct gpu_kernel *gpu_run_compile(const struct gpu_config *c, const char *ptx, const char *name,
                                   struct diag *d);

#endif
