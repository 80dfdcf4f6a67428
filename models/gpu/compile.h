/* compile.h - from PTX to what a chip's warps issue: the part that ptxas plays.
 *
 *     inline     calls of device functions; what is passed, in registers where it can be
 *     predicate  short ways round a branch become guarded operations
 *     fold       multiply-add, shift-and-add, 32 bits where only they are looked at
 *     expand     each instruction to machine operations, by the generation's table
 *     flow       basic blocks, post-dominators, where split warps meet again
 *     copies     copies, constants and what nobody reads go
 *     slice      which results can reach addresses, branches, guards: oblivious or not
 *     uniform    branches that a warp's lanes take together
 *     schedule   within basic blocks, by latency, as the hardware issues in order; in no more
 *                registers than the blocks of the kernel on an SM leave to each other
 *     registers  by live range; what does not fit goes to local memory
 *
 * Not modelled: a vendor's choice of instructions beyond its table and fold.c (three-input
 * additions, logic of more than two operands, signs within an operand, common subexpressions,
 * unrolling: the PTX comes from an optimizing compiler); parameters as operands (ld.param is
 * an operation of the uniform pipe); uniform registers; only 7 predicates; the alignment of
 * a vector's registers; addresses that are known to differ (what follows a store to the same
 * space stays behind it); slow paths of divisions and roots.
 */
#ifndef MODELS_GPU_COMPILE_H
#define MODELS_GPU_COMPILE_H

#include "models/gpu/kernel.h"
#include "models/gpu/ptx/ptx.h"

/* NULL with file, line, column and reason in `d`: an instruction that this generation lacks,
 * recursion, more registers or predicates than there are.  Nothing of the module is kept. */
struct gpu_kernel *gpu_compile(const struct gpu_config *c, const struct ptx_module *m,
                               const struct ptx_function *entry, struct diag *d);

#endif
