/* functions.h - exp2, exp, log2, log, sin, cos, tanh and whole powers in double, from additions,
 * multiplications, divisions and bits alone: the same on every processor, and good for vector
 * code.  What traces mean by exp, log and tanh, and what machines work out theirs from.
 *
 * Largest error found (tests/traces/test_functions.c), relative unless it says absolute; the
 * libraries' own are near 1e-16:
 *
 *     exp2   2e-15 for |x| <= 1022                   below: 0; above: infinity
 *     exp    2e-15 for |x| <= 708                    below: 0; above 709: infinity
 *     log2   3e-15, absolute near 1                  subnormals are taken as they are
 *     log    3e-15, absolute near 1                  as log2
 *     sin, cos   2e-15 absolute for |x| <= 2^20      beyond that it grows with x; past 2^31
 *                                                    only between -1 and 1
 *     tanh   1e-12
 *     power  1e-16 * exponent
 *
 * Not modelled: exception flags; results below the smallest normal number.
 */
#ifndef TRACES_FUNCTIONS_H
#define TRACES_FUNCTIONS_H

#include <stdint.h>
#include <string.h>

static inline uint64_t functions_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double functions_value(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The nearest whole number, for |x| < 2^51. */
static inline double functions_whole(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

/* e^y * 2^whole for |y| <= 0.35 and a whole number from -1022 to 1023. */
static inline double functions_scaled_exp(double y, double whole)
{
    double e = 1.0 / 479001600;                     /* 1/12!, the last term of e^y */
    e = e * y + 1.0 / 39916800;
    e = e * y + 1.0 / 3628800;
    e = e * y + 1.0 / 362880;
    e = e * y + 1.0 / 40320;
    e = e * y + 1.0 / 5040;
    e = e * y + 1.0 / 720;
    e = e * y + 1.0 / 120;
    e = e * y + 1.0 / 24;
    e = e * y + 1.0 / 6;
    e = e * y + 0.5;
    e = e * y + 1;
    e = e * y + 1;
    /* The whole number stands in the last bits of this sum. */
    uint64_t power = (functions_bits(whole + 0x1.8p52) + 1023) << 52;
    return e * functions_value(power);
}

static inline double functions_exp2(double x)
{
    double inside = x < -1022 ? -1022 : x > 1023 ? 1023 : x;
    double whole = functions_whole(inside);
    double result = functions_scaled_exp((inside - whole) * 0x1.62e42fefa39efp-1, whole);
    result = x < -1022 ? 0 : result;
    result = x >= 1024 ? functions_value(UINT64_C(0x7ff) << 52) : result;
    return x == x ? result : x;
}

static inline double functions_exp(double x)
{
    double inside = x < -708 ? -708 : x > 709 ? 709 : x;
    double whole = functions_whole(inside * 0x1.71547652b82fep0);
    /* ln 2 in two parts, of which the first has 32 bits. */
    double y = (inside - whole * 0x1.62e42feep-1) - whole * 0x1.a39ef35793c76p-33;
    double result = functions_scaled_exp(y, whole);
    result = x < -708 ? 0 : result;
    result = x > 709 ? functions_value(UINT64_C(0x7ff) << 52) : result;
    return x == x ? result : x;
}

static inline double functions_log2(double x)
{
    double up = x < 0x1p-1022 ? x * 0x1p54 : x;
    uint64_t bits = functions_bits(up);
    /* The fraction between sqrt(1/2) and sqrt(2). */
    uint64_t from_root = bits - UINT64_C(0x3fe6a09e667f3bcd);
    int32_t exponent = (int32_t)(from_root >> 52) - (from_root >> 63 ? 4096 : 0);
    double m = functions_value(bits - ((from_root >> 52) << 52));
    double s = (m - 1) / (m + 1), z = s * s;
    double p = 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    p = p * z + 1;
    double result = 2 * s * p * 0x1.71547652b82fep0 + (exponent - (x < 0x1p-1022 ? 54 : 0));
    double infinity = functions_value(UINT64_C(0x7ff) << 52);
    result = x == 0 ? -infinity : result;
    result = x < 0 ? infinity - infinity : result;
    return x < infinity ? result : x;               /* infinity, NaN */
}

static inline double functions_log(double x)
{
    return functions_log2(x) * 0x1.62e42fefa39efp-1;
}

/* By squaring: base^0 is 1. */
static inline double functions_power(double base, uint64_t exponent)
{
    double y = 1;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            y *= base;
    return y;
}

/* sin of x + quarter * pi / 2. */
static inline double functions_sine(double x, int quarter)
{
    double q = functions_whole(x * 0x1.45f306dc9c883p-1);
    q = x < 2147483648.0 && x > -2147483648.0 ? q : 0;
    /* pi / 2 in three parts, of which the first two have 33 bits. */
    double r = x - q * 0x1.921fb544p0 - q * 0x1.0b4611a6p-34 - q * 0x1.3198a2e037073p-69;
    r = r > 0.8 ? 0.8 : r < -0.8 ? -0.8 : r;
    int32_t turn = (int32_t)((uint32_t)functions_bits(q + 0x1.8p52) + (uint32_t)quarter) & 3;
    double z = r * r;
    double s = -1.0 / 1307674368000;
    s = s * z + 1.0 / 6227020800;
    s = s * z - 1.0 / 39916800;
    s = s * z + 1.0 / 362880;
    s = s * z - 1.0 / 5040;
    s = s * z + 1.0 / 120;
    s = s * z - 1.0 / 6;
    s = s * z * r + r;
    double c = 1.0 / 20922789888000;
    c = c * z - 1.0 / 87178291200;
    c = c * z + 1.0 / 479001600;
    c = c * z - 1.0 / 3628800;
    c = c * z + 1.0 / 40320;
    c = c * z - 1.0 / 720;
    c = c * z + 1.0 / 24;
    c = c * z - 0.5;
    c = c * z + 1;
    double result = turn & 1 ? c : s;
    result = turn & 2 ? -result : result;
    result = quarter == 0 && x == 0 ? x : result;   /* -0 */
    return x - x == 0 ? result : x - x;             /* of an infinity there is none */
}

static inline double functions_sin(double x) { return functions_sine(x, 0); }
static inline double functions_cos(double x) { return functions_sine(x, 1); }

static inline double functions_tanh(double x)
{
    double e = functions_exp2((x < 0 ? -x : x) * 0x1.71547652b82fep1);
    double size = 1 - 2 / (e + 1), large = x < 0 ? -size : size, z = x * x;
    double small = x - x * z * (1.0 / 3 - z * (2.0 / 15 - z * (17.0 / 315)));
    double result = z < 1e-4 ? small : large;
    result = x == 0 ? x : result;                   /* -0 */
    return x == x ? result : x;
}

#endif
