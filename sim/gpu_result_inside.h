/* gpu_result_inside.h - a GPU's run summed up, for the files sim/gpu_result*.c. */
#ifndef SIM_GPU_RESULT_INSIDE_H
#define SIM_GPU_RESULT_INSIDE_H

#include "sim/gpu_energy.h"
#include "sim/gpu_result.h"
#include "sim/result_parts.h"

struct gpu_span { double start_s, end_s; };     /* with what sampling added before and in it */

/* Work of a group or launch in all SMs and its share of L2 and HBM, as simulated. */
struct gpu_work {
    struct gpu_sm_stats sm;
    struct gpu_l2_stats l2;             /* of a group */
    struct hbm_group_stats hbm;         /* the same */
    double more;                        /* so many times this was done, with sampling */
    bool   tensor;                      /* some of it on tensor cores */
    struct gpu_span span;
    double from_s, to_s;                /* moments when it was the oldest that was unfinished */
};

struct gpu_summed {
    const struct gpu_result_run *run;
    const struct gpu_chip *chip;
    const struct gpu_config *config;
    struct result_memory memory;
    cycle_t  now;                       /* the chip's end, in its cycles */
    double   seconds, clock_hz;
    bool     sampled;
    double   tensor_flops, float_flops; /* FLOP/s of all SMs at most */
    double   hbm_bytes_s, l2_bytes_s;
    uint32_t groups, launches;
    struct gpu_work *group, *launch;
    struct gpu_sm_stats none;           /* of no launch */
    struct gpu_bill *bill;
    double  *more;                      /* [groups], for the bill */
};

void gpu_sum_up(struct gpu_summed *x, const struct gpu_result_run *r);
void gpu_summed_clear(struct gpu_summed *x);

/* How long the work would take each part of the chip at its full rate. */
#define GPU_LIMITS(X) \
    X(TENSOR, "tensor", "tensor cores") \
    X(FLOAT,  "float",  "float lanes") \
    X(ISSUE,  "issue",  "issue slots") \
    X(SHARED, "shared", "shared memory") \
    X(L1,     "l1",     "l1 bandwidth") \
    X(L2,     "l2",     "l2 bandwidth") \
    X(HBM,    "hbm",    "hbm bandwidth")

enum gpu_bound {
#define LIMIT(id, name, what) GPU_BOUND_##id,
    GPU_LIMITS(LIMIT)
#undef LIMIT
    GPU_BOUNDS_COUNT
};

void gpu_busy(const struct gpu_summed *x, const struct gpu_work *w, double s[GPU_BOUNDS_COUNT]);

/* What the work's FLOPs can at most be done at. */
double gpu_peak(const struct gpu_summed *x, const struct gpu_work *w);

json_t *gpu_units_json(const struct gpu_summed *x);
json_t *gpu_launches_json(const struct gpu_summed *x);

#endif
