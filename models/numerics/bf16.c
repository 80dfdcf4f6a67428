/* bf16.c - rounding to 16 bits, in integers: no processor's rounding mode has a say. */
#include "models/numerics/bf16.h"

/* `bits` without its lowest `drop` (1 to 31), rounded to nearest, ties to even.  A carry
 * out of the fraction raises the exponent above it, which is what rounding up means. */
static uint32_t round_off(uint32_t bits, unsigned drop)
{
    uint32_t half = UINT32_C(1) << (drop - 1);
    uint32_t odd = bits >> drop & 1;
    return (bits + half - 1 + odd) >> drop;
}

uint16_t bf16_from_f32(float x)
{
    if (x != x)
        return BF16_NAN;
    return (uint16_t)round_off(f32_bits(x), 16);
}

float f16_to_f32(uint16_t x)
{
    uint32_t sign = (uint32_t)(x & 0x8000) << 16;
    uint32_t exponent = x >> 10 & 31, fraction = x & 1023;
    if (exponent == 31)
        return f32_from_bits(fraction ? F32_NAN : sign | 0x7f800000);
    if (exponent == 0) {        /* fraction * 2^-24, exact */
        float size = (float)fraction * 0x1p-24f;
        return sign ? -size : size;
    }
    return f32_from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

uint16_t f16_from_f32(float x)
{
    uint32_t bits = f32_bits(x), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (x != x)
        return F16_NAN;
    if (size >= 0x477ff000)     /* 65520 and above: halfway to 2^16, or past it */
        return (uint16_t)(sign | 0x7c00);
    if (size >= 0x38800000)     /* 2^-14: normal */
        return (uint16_t)(sign | round_off(size - ((127 - 15) << 23), 13));
    if (size < 0x33000000)      /* below 2^-25, half the smallest */
        return (uint16_t)sign;
    uint32_t significand = (size & 0x7fffff) | 0x800000;
    return (uint16_t)(sign | round_off(significand, 126 - (size >> 23)));
}

void bf16_split(float x, uint16_t part[3])
{
    float left = x;
    for (int i = 0; i < 3; i++) {
        part[i] = bf16_from_f32(left);
        float taken = bf16_to_f32(part[i]);
        /* An infinity less itself would be a NaN. */
        left = taken - taken == 0 ? left - taken : 0;
    }
}
