/* registers.h - which registers of the body an instruction reads and writes; private. */
#ifndef MODELS_GPU_COMPILE_REGISTERS_H
#define MODELS_GPU_COMPILE_REGISTERS_H

#include "models/gpu/compile/code.h"

#define REGISTERS_MOST (PTX_OPERANDS * PTX_VECTOR + 1)

/* Into `list`, with repetitions; how many.  The guard counts as read. */
uint32_t registers_read(const struct ptx_instruction *i, uint32_t list[REGISTERS_MOST]);
uint32_t registers_written(const struct ptx_instruction *i, uint32_t list[PTX_VECTOR]);

/* How often each is read and written in the whole body. */
struct register_counts { uint32_t *reads, *writes; };
struct register_counts registers_count(struct code *c);

/* The number that a register always has: it is written once, by a move of that number, or of
 * a register that always has it. */
bool registers_constant(const struct code *c, uint32_t reg, uint64_t *number);

#endif
