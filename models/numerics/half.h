/* half.h - the 16-bit formats once more, for loops over many: no branches, so that compilers
 * make vector code of them.  As bf16.h has them, but for the NaN, which is `nan` here.
 */
#ifndef MODELS_NUMERICS_HALF_H
#define MODELS_NUMERICS_HALF_H

#include "models/numerics/bf16.h"

/* To nearest, ties to even.  `x` in the low 16 bits of the result. */
static inline uint32_t half_from_f32(float x, uint32_t nan)
{
    uint32_t bits = f32_bits(x), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    uint32_t normal = ((size + 0xfff + (size >> 13 & 1)) >> 13) - (112 << 10);
    /* Beside a half, an f32 has the places of a subnormal f16: the sum rounds it. */
    uint32_t small = f32_bits(f32_from_bits(size) + 0.5f) - 0x3f000000;
    uint32_t half = size < 0x38800000 ? small : normal;
    half = size >= 0x477ff000 ? 0x7c00 : half;
    return size > 0x7f800000 ? nan : sign | half;
}

static inline float half_to_f32(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, size = half & 0x7fff;
    uint32_t small = f32_bits((float)(int32_t)size * 0x1p-24f);
    uint32_t wide = size < 0x400 ? small : (size << 13) + (112u << 23);
    wide = size >= 0x7c00 ? 0x7f800000 | (size & 0x3ff) << 13 : wide;
    return f32_from_bits(sign | wide);
}

static inline uint32_t half_bf16_from_f32(float x, uint32_t nan)
{
    uint32_t bits = f32_bits(x);
    return x == x ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : nan;
}

/* A double as an f32 whose last bit says whether there was more: what is then rounded to 16
 * bits is rounded once.  Exact where the double is at least 2^-126 (or 0). */
static inline float half_cut(double x)
{
    const uint64_t rest = (UINT64_C(1) << 29) - 1;
    uint64_t bits, cut;
    double result;
    memcpy(&bits, &x, sizeof bits);
    cut = (bits & ~rest) | (uint64_t)((bits & rest) != 0) << 29;
    cut = x == x ? cut : bits;
    memcpy(&result, &cut, sizeof result);
    return (float)result;
}

static inline float half_bf16_to_f32(uint32_t half) { return f32_from_bits(half << 16); }

#endif
