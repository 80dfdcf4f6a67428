/* execute.h - finds the function that computes an instruction.
 *
 * Integer work and single IEEE operations are exact, bit for bit.  Where PTX leaves freedom
 * (approximate functions, order of sums in a tensor operation) execute*.c say what is done.
 * No libm function but sqrt, fma, floor and their kind (models/numerics/ has the others), so
 * that every machine gives the same bits.
 *
 * The words of an op's operand list that it expects, destinations first: each register or
 * immediate of the instruction in order, 32 bits a word, 64-bit values as two, vectors element
 * by element; 8- and 16-bit values in the low part of a word, upper bits of a destination
 * zero.  Predicates are not in the list: pdst and psrc have them, in the order of the text.
 * A special register is a source word (two if 64 bit) that is a constant with the number of
 * enum ptx_special in it.
 */
#ifndef MODELS_GPU_EXECUTE_H
#define MODELS_GPU_EXECUTE_H

#include "models/gpu/op.h"
#include "models/gpu/ptx/ptx.h"

/* Fills `execute` and `mode` of `op`, and `access` of a memory operation but for address_at,
 * data_at, address_words and offset.  False: this form of the instruction is not supported. */
bool gpu_execute_find(const struct ptx_instruction *i, struct gpu_op *op);

#endif
