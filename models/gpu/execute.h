/* execute.h - finds the function that computes an instruction.
 *
 * Integer work and single IEEE operations are exact, bit for bit.  Where PTX leaves freedom
 * (approximate functions, order of sums in a tensor operation) execute_*.c say what is done.
 * No libm function but sqrt, fma, floor and their kind (traces/functions.h has the others), so
 * that every machine gives the same bits.
 *
 * The words of an op's operand list that it expects, destinations first: each register or
 * immediate of the instruction in order, 32 bits a word, 64-bit values as two, vectors element
 * by element (of mov too: mov.b32 r, {h0, h1} has two source words); 8- and 16-bit values in
 * the low part of a word, upper bits of a destination zero.  A destination "_" is a register
 * that nobody reads; a predicate "_" is GPU_NO_PREDICATE.
 * A destination may be a register that is also a source: all sources (of all lanes where they
 * are exchanged) are read before anything is written.  After the words and predicates that are
 * named here others may follow, for their timing only.  The instruction's types say how many
 * words an operand has: of a wider register (ld.u8 into 64 bits) it gets the low ones, and
 * other operations fill the rest.
 *
 *     predicates     not in the list: pdst and psrc have them, in the order of the text.  An
 *                    immediate predicate (mov.pred p, 0) is a source word, psrc is none.
 *     the carry CC   of add.cc, addc, ... is a predicate too, one that the compiler keeps for
 *                    it: written as pdst[0] (.cc), read as psrc[0] (addc, subc, madc).  It
 *                    holds the carry out, of sub.cc and subc.cc the borrow.
 *     specials       a source word (two if 64 bit) that is a constant with the number of
 *                    enum ptx_special in it; of mov alone, no other instruction has one
 *     immediates     as bits of the instruction's type: mov.f32 r, 0d3FF0... is 0x3f800000
 *     PARAM, CONST   ld of these spaces has `execute` and is a COMPUTE op; sources: the
 *                    address words
 *     ld, st, atom   addresses first (address_words), then data, as in the text; red and atom:
 *                    up to two data operands
 *     ldmatrix       destination words, one a matrix; the address; `number` matrices
 *     cp.async       `access` is of the global side; data_at: the word of the shared address
 *                    (the low one, if 64 bit) whose offset is in mode (gpu_copy_set_offset);
 *                    after it, if given, the word of src-size
 *     bar.red        psrc[0]; result: pdst[0] (.and, .or) or one word (.popc).  Of any bar, a
 *                    source word is the number of threads; the barrier's is `number`
 *     mma            d; a, b, c: a word a register
 *     wmma           fragments as registers, then gpu_execute_wmma_part
 *
 * Not modelled: the errors of a chip's approximate functions (ours are rounded once from f64),
 * and which of several NaN operands of f64 it passes on (ours: the first).
 */
#ifndef MODELS_GPU_EXECUTE_H
#define MODELS_GPU_EXECUTE_H

#include "models/gpu/op.h"
#include "models/gpu/ptx/ptx.h"

/* Fills `execute` and `mode` of `op`, and `access` of a memory operation but for address_at,
 * data_at, address_words and offset.  False: this form of the instruction is not supported. */
bool gpu_execute_find(const struct ptx_instruction *i, struct gpu_op *op);

/* wmma.load and wmma.store are several memory operations, each of a few words of the fragment
 * (registers of the instruction's vector, from `first`) in every lane.  Sources: the address,
 * one word with the stride in elements (of a text without stride: a constant 16), then a
 * store's data words.  How many such parts; 0: not supported. */
struct gpu_wmma_part { uint32_t first, words; };
uint32_t gpu_execute_wmma_parts(const struct ptx_instruction *i);

/* Part number `part`: what gpu_execute_find fills.  Two parts may give one word, a half
 * each: the second of them keeps the other half of its destination. */
struct gpu_wmma_part gpu_execute_wmma_part(const struct ptx_instruction *i, uint32_t part,
                                           struct gpu_op *op);

/* cp.async: the offset of its shared address. */
void    gpu_copy_set_offset(struct gpu_op *op, int32_t offset);
int32_t gpu_copy_offset(const struct gpu_op *op);

#endif
