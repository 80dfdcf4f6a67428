/* expand.h - what the parts of the expansion share; private to expand*.c. */
#ifndef MODELS_GPU_COMPILE_EXPAND_H
#define MODELS_GPU_COMPILE_EXPAND_H

#include "models/gpu/compile/operands.h"

/* An operation that takes `pipe` (IMAD: the one that multiplies integers), with the pipe's
 * figures and its price. */
struct gpu_op expand_pipe(const struct code *c, enum gpu_pipe pipe);

/* The operation with its words and the instruction's guard, at the end of the list. */
struct code_op *expand_put(struct code *c, const struct ptx_instruction *i,
                           const struct gpu_op *op, const struct list *l);

/* What computes `i`, which may be made up; false with the reason: it is not supported. */
bool expand_find(struct code *c, const struct ptx_instruction *i, struct gpu_op *op);

/* One word to another; the upper word of a value whose lower one was widened. */
void expand_copy(struct code *c, const struct ptx_instruction *i, uint32_t dst, uint32_t src);
void expand_sign(struct code *c, const struct ptx_instruction *i, uint32_t dst, uint32_t src);

/* Whether `i` was of their kind, into *done; false with the reason in c->diag. */
bool expand_memory(struct code *c, const struct ptx_instruction *i, bool *done);
bool expand_tensor(struct code *c, const struct ptx_instruction *i, bool *done);
bool expand_move(struct code *c, const struct ptx_instruction *i, bool *done);

/* By the table: a sequence whose last operation is `i` itself. */
bool expand_sequence(struct code *c, const struct ptx_instruction *i);

#endif
