/* interpret_inside.h - one block of a launch as the interpreter runs it. */
#ifndef MODELS_GPU_INTERPRET_INSIDE_H
#define MODELS_GPU_INTERPRET_INSIDE_H

#include "models/gpu/interpret.h"

struct gpu_interpreter {
    const struct gpu_launch *launch;
    struct gpu_memory *memory;
    struct gpu_block block;
    uint8_t *local;                 /* of all threads, word-interleaved, at LOCAL_BASE */
    uint64_t local_bytes;
    uint32_t hint;
    struct gpu_watch *watch;        /* may be NULL */
    struct diag *diag;
};

#define GPU_INTERPRET_LOCAL UINT64_C(0x200000000000)    /* where nothing else is */

/* A fault of a lane (or of the warp, lane GPU_LANES), in words; returns false. */
bool gpu_interpret_fault(struct gpu_interpreter *in, const struct gpu_warp *w,
                         const struct gpu_op *op, unsigned lane, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Does a memory operation for the lanes of the mask; false: a fault, which is in `diag`. */
bool gpu_interpret_access(struct gpu_interpreter *in, struct gpu_warp *w,
                          const struct gpu_op *op, uint32_t mask);

/* The same for all lanes at once; false: nothing is done, look at each lane.  Addresses of
 * lanes that do not count may be changed. */
bool gpu_interpret_together(struct gpu_interpreter *in, struct gpu_warp *w,
                            const struct gpu_op *op, uint32_t mask,
                            uint64_t address[GPU_LANES]);

#endif
