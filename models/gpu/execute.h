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
 *
 * The instruction's types say how many words an operand has; where its register is wider
 * (ld.u8 into 64 bits) the compiler adds what fills the rest.  After the words that are named
 * here others may follow, and after the predicates other predicates: they are there for their
 * timing only.  A destination may be a register that is also a source: `execute` reads all
 * sources, of all lanes where they are exchanged, before it writes.
 *
 *     ld.param, ld.const   no memory operations: COMPUTE, and `execute` reads the launch's
 *                          params or the kernel's const_bytes at the address operand (none,
 *                          one word or two) + access.offset; past the end it reads zeros
 *     ld.shared, ld.local and other operations on these spaces have one address word
 *     cp.async             sources: shared address, a constant offset to add to it, global
 *                          address (two words; access.address_at, access.offset), bytes to
 *                          copy (the rest of access.bytes is zeros); data_at: shared address
 *     wmma.load, wmma.store   gpu_execute_parts() operations, each with its share of the
 *                          fragment's words in order and its number in mode[3]; sources:
 *                          address, stride in elements (one word), data of a store
 */
#ifndef MODELS_GPU_EXECUTE_H
#define MODELS_GPU_EXECUTE_H

#include "models/gpu/op.h"
#include "models/gpu/ptx/ptx.h"

/* Fills `execute` and `mode` of `op`, and `access` of a memory operation but for address_at,
 * data_at, address_words and offset.  False: this form of the instruction is not supported. */
bool gpu_execute_find(const struct ptx_instruction *i, struct gpu_op *op);

/* The memory operations of a wmma.load or wmma.store: each moves the same number of words. */
unsigned gpu_execute_parts(const struct ptx_instruction *i);

#endif
