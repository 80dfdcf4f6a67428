/* bf16.h - the 16-bit formats: bfloat16 and IEEE half precision (f16).
 *
 *            sign exponent fraction   largest     smallest normal   smallest
 *     bf16    1      8        7       3.39e38         2^-126         2^-133
 *     f16     1      5       10       65504           2^-14          2^-24
 *
 * Both are held in a uint16_t.  Widening is exact.  Narrowing rounds to nearest, ties to
 * the even one; what is too large becomes an infinity; subnormals are kept, rounded like
 * any other number; every NaN becomes the one quiet NaN, positive, without payload.
 *
 * Not modelled: stochastic rounding, flushing of subnormals, signalling NaNs.
 */
#ifndef MODELS_NUMERICS_BF16_H
#define MODELS_NUMERICS_BF16_H

#include <stdint.h>
#include <string.h>

#define BF16_NAN UINT16_C(0x7fc0)
#define F16_NAN  UINT16_C(0x7e00)
#define F32_NAN  UINT32_C(0x7fc00000)

static inline uint32_t f32_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float f32_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x, or the one NaN: processors differ in which NaN an operation gives. */
static inline float f32_canonical(float x)
{
    return x == x ? x : f32_from_bits(F32_NAN);
}

static inline float bf16_to_f32(uint16_t x)
{
    return f32_from_bits((uint32_t)x << 16);
}

uint16_t bf16_from_f32(float x);
float    f16_to_f32(uint16_t x);
uint16_t f16_from_f32(float x);

/* x as the sum of three bf16, the largest first: what is left after each is rounded into
 * the next.  Exact for a finite x of normal size (at least 2^-110); an infinity or NaN is
 * all in the first. */
void bf16_split(float x, uint16_t part[3]);

#endif
