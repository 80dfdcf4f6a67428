/* exact.h - IEEE operations of any binary format and in any rounding, in integers.
 *
 * A value is its bits, in the low part of a uint64_t.  A result is the exact one rounded once,
 * subnormals included.  NaNs: a format has one (all bits of exponent and fraction set), but
 * for f64, where the first NaN of the operands goes through, made quiet, and a result that
 * does not exist is the negative quiet NaN.
 *
 * For what processors do not do by themselves; slow (tens of ns) beside what they do.
 *
 * Not modelled: exception flags, signalling NaNs as a result.
 */
#ifndef MODELS_NUMERICS_EXACT_H
#define MODELS_NUMERICS_EXACT_H

#include <stdbool.h>
#include <stdint.h>

/* Nearest with ties to even; towards zero, minus and plus infinity; nearest with ties away. */
enum exact_round { EXACT_NEAREST, EXACT_ZERO, EXACT_DOWN, EXACT_UP, EXACT_AWAY };

struct exact_format { uint8_t exponent_bits, fraction_bits; };

#define EXACT_F16  ((struct exact_format){ 5, 10 })
#define EXACT_BF16 ((struct exact_format){ 8, 7 })
#define EXACT_TF32 ((struct exact_format){ 8, 10 })     /* 19 bits; f32 is this << 13 */
#define EXACT_F32  ((struct exact_format){ 8, 23 })
#define EXACT_F64  ((struct exact_format){ 11, 52 })

uint64_t exact_add(struct exact_format f, uint64_t a, uint64_t b, enum exact_round r);
uint64_t exact_multiply(struct exact_format f, uint64_t a, uint64_t b, enum exact_round r);
uint64_t exact_fma(struct exact_format f, uint64_t a, uint64_t b, uint64_t c,
                   enum exact_round r);
uint64_t exact_divide(struct exact_format f, uint64_t a, uint64_t b, enum exact_round r);
uint64_t exact_sqrt(struct exact_format f, uint64_t a, enum exact_round r);

/* From one format to another, and from and to whole numbers.  To a whole number of `bits`:
 * what is too large becomes the largest, too small the smallest, a NaN 0 (64 bits or a
 * narrower result: as PTX has it). */
uint64_t exact_convert(struct exact_format to, struct exact_format from, uint64_t a,
                       enum exact_round r);
uint64_t exact_from_integer(struct exact_format to, bool negative, uint64_t size,
                            enum exact_round r);
uint64_t exact_to_integer(struct exact_format from, uint64_t a, unsigned bits, bool is_signed,
                          enum exact_round r);

/* A number of the same format without fraction. */
uint64_t exact_to_whole(struct exact_format f, uint64_t a, enum exact_round r);

#endif
