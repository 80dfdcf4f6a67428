/* validate_gpu.h - rows of GPUs that more than one set has. */
#ifndef SIM_VALIDATE_GPU_H
#define SIM_VALIDATE_GPU_H

#include "sim/gpu_states.h"
#include "sim/micro.h"
#include "sim/validate.h"
#include "traces/trace.h"

/* One quantity of micro.h, at that clock, in its own unit. */
void validate_micro_row(struct validate_set *s, const struct machine *m,
                        const struct micro_quantity *q, double clock_mhz, double measured);

/* A state of gpu_states.h, at that clock, in watts. */
void validate_state_row(struct validate_set *s, const struct machine *m,
                        const struct gpu_state *state, double clock_mhz, double measured);

/* The product of [m][k] and [k][n], back to back, operands cold in L2, in microseconds.  At
 * that clock; 0: the highest that the power limit leaves. */
struct validate_gpu_product {
    const struct machine *machine;
    enum trace_type type;
    uint32_t m, n, k;
    double clock_mhz, measured_us;
};
void validate_gpu_product_row(struct validate_set *s, const struct validate_gpu_product *p);

#endif
