/* step_sm.h - an SM's warps as frames: what each scheduler does and what each warp waits for.
 *
 *     sub-core   what it does in the cycle: issues, or the cause that the cycle is charged to
 *     warp       block.warp; the sub-core that has it, its active lanes, the operation that it
 *                issues or will issue next (number in the kernel, line of the PTX and its text,
 *                pipe), whether it issues, waits (for what, until when), or is ready and
 *                was not chosen
 *
 * One PTX instruction may be several operations: they have one line.  Times are cycles of the
 * SM's clock from the start of the run; what the first launch costs before is left out.
 */
#ifndef SIM_STEP_SM_H
#define SIM_STEP_SM_H

#include "models/gpu/lower.h"
#include "sim/machine.h"
#include "sim/step.h"

struct step_sm_config {
    const struct machine  *machine;     /* a GPU; borrowed, as the plan */
    const struct gpu_plan *plan;
    const char *path;                   /* of a user's kernel, for its text; NULL: our own */
    uint32_t    sm;
    uint64_t    from, to;               /* the window, below `to` */
};

/* NULL with the reason in `d`: no such SM, no chip, a fault of a kernel. */
struct step_sm     *step_sm_new(const struct step_sm_config *c, struct diag *d);
void                step_sm_free(struct step_sm *s);
struct step_subject step_sm_subject(struct step_sm *s);

#endif
