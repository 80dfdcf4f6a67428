/* compile.h - from PTX to what a chip's warps issue: the part that ptxas plays.
 *
 *     inline     calls of device functions
 *     expand     each instruction to machine operations, by the generation's table
 *     flow       basic blocks, post-dominators, where split warps meet again
 *     slice      which results can reach addresses, branches, guards: oblivious or not
 *     schedule   within basic blocks, by latency, as the hardware issues in order
 *     registers  by live range; what does not fit goes to local memory
 *
 * Not modelled: a vendor's choice of instructions beyond its table (no common
 * subexpressions, no loop unrolling: the PTX comes from an optimizing compiler); uniform
 * registers; the alignment of registers of a vector.
 */
#ifndef MODELS_GPU_COMPILE_H
#define MODELS_GPU_COMPILE_H

#include "models/gpu/kernel.h"
#include "models/gpu/ptx/ptx.h"

/* NULL with file, line, column and reason in `d`: an instruction that this generation lacks,
 * recursion, more parameters than fit.  Nothing of the module is kept. */
struct gpu_kernel *gpu_compile(const struct gpu_config *c, const struct ptx_module *m,
                               const struct ptx_function *entry, struct diag *d);

#endif
