/* sm_look.h - where an SM's warps are and what they wait for, for who shows it.
 *
 *     struct block b = gpu_sm_block(sm);
 *     b.run(b.self, clock_tick(&clock, now + 1));      cycle `now` is over
 *     gpu_sm_look(sm, &look, subcores, warps);         as it is at its end
 *
 * Reading changes nothing, and neither does stopping after every cycle.
 */
#ifndef MODELS_GPU_SM_LOOK_H
#define MODELS_GPU_SM_LOOK_H

#include "models/gpu/sm.h"

struct gpu_warp_look {
    uint64_t block;             /* index in the grid */
    cycle_t  ready;             /* operands and instruction are there; CYCLE_NEVER: who knows */
    uint32_t slot;              /* its place on the SM, as in the recorder's warpN */
    uint32_t number;            /* in its block */
    uint32_t pc, lanes;         /* of its next operation: index in the kernel, active lanes */
    uint8_t  subcore, pipe;     /* enum gpu_pipe of that operation */
    uint8_t  cause;             /* enum gpu_cause: why not before `ready` */
    bool     rewrites;          /* not for what it reads: an older result for a register it writes */
};

struct gpu_subcore_look {
    cycle_t  port;              /* can issue from this cycle on */
    cycle_t  free[GPU_PIPES_COUNT];     /* a pipe takes an operation from this cycle on */
    cycle_t  since;             /* cycles before it have had their cause; those from it on, so */
    uint8_t  cause;             /* far: enum gpu_cause */
    bool     lsu_full;          /* free[GPU_PIPE_LSU]: its queue, not its interval */
};

struct gpu_sm_look {
    uint32_t launch;            /* of the blocks there, or of the last; GPU_NO_LAUNCH */
    uint32_t warps, blocks;     /* there are so many */
};

/* Fills subcores [sm.subcores] and warps [sm.warps at most], by slot. */
void gpu_sm_look(const struct gpu_sm *sm, struct gpu_sm_look *look,
                 struct gpu_subcore_look *subcores, struct gpu_warp_look *warps);

#endif
