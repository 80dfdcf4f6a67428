/* test_exact.c - arithmetic in integers against the processor's, in its four roundings. */
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/numerics/exact.h"
#include "models/numerics/half.h"
#include "tests/suites.h"

#define SEED 20260101
#define TIMES 15000

static const int host[] = {
    [EXACT_NEAREST] = FE_TONEAREST, [EXACT_ZERO] = FE_TOWARDZERO, [EXACT_DOWN] = FE_DOWNWARD,
    [EXACT_UP] = FE_UPWARD
};

static uint64_t state;
static uint64_t random64(void)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    uint64_t x = state ^ state >> 29;
    return x * UINT64_C(0xbf58476d1ce4e5b9) ^ x >> 32;
}

/* Floats of all kinds: any bits, near 1, subnormal, special. */
static uint32_t random_f32(void)
{
    static const uint32_t special[] = { 0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
                                        0x3f800000, 0x00800000, 0x007fffff, 1, 0x7f7fffff,
                                        0x80000001, 0x3f7fffff, 0x3f800001, 0x7f800001 };
    uint64_t x = random64();
    switch (x >> 60 & 3) {
    case 0:  return (uint32_t)x;
    case 1:  return ((uint32_t)x & 0x807fffff) | (uint32_t)(115 + (x >> 32) % 25) << 23;
    case 2:  return (uint32_t)x & (x >> 40 & 1 ? 0x80ffffff : 0x80000fff);
    default: return special[(x >> 8) % COUNT_OF(special)];
    }
}

static uint64_t random_f64(void)
{
    uint64_t x = random64();
    switch (x >> 60 & 3) {
    case 0:  return random64();
    case 1:  return (random64() & UINT64_C(0x800fffffffffffff)) | (1000 + (x & 63)) << 52;
    case 2:  return random64() & (x & 1 ? UINT64_C(0x801fffffffffffff) : UINT64_C(0x80000000000000ff));
    default: {
        float f = f32_from_bits(random_f32());
        double d = (double)f;
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        return bits;
    }
    }
}

static uint64_t bits_of(double x) { uint64_t b; memcpy(&b, &x, sizeof b); return b; }
static double value_of(uint64_t b) { double x; memcpy(&x, &b, sizeof x); return x; }

enum { ADD, MULTIPLY, DIVIDE, SQRT, FMA, OPS };

/* volatile: the compiler must not compute with another rounding than the one that is set. */
static uint32_t host_f32(int op, uint32_t a, uint32_t b, uint32_t c, enum exact_round r)
{
    volatile float x = f32_from_bits(a), y = f32_from_bits(b), z = f32_from_bits(c), result = 0;
    fesetround(host[r]);
    switch (op) {
    case ADD:      result = x + y; break;
    case MULTIPLY: result = x * y; break;
    case DIVIDE:   result = x / y; break;
    case SQRT:     result = sqrtf(x); break;
    default:       result = fmaf(x, y, z); break;
    }
    fesetround(FE_TONEAREST);
    return result == result ? f32_bits(result) : 0x7fffffff;
}

static uint64_t host_f64(int op, uint64_t a, uint64_t b, uint64_t c, enum exact_round r)
{
    volatile double x = value_of(a), y = value_of(b), z = value_of(c), result = 0;
    fesetround(host[r]);
    switch (op) {
    case ADD:      result = x + y; break;
    case MULTIPLY: result = x * y; break;
    case DIVIDE:   result = x / y; break;
    case SQRT:     result = sqrt(x); break;
    default:       result = fma(x, y, z); break;
    }
    fesetround(FE_TONEAREST);
    return bits_of(result);
}

static uint64_t exact(struct exact_format f, int op, uint64_t a, uint64_t b, uint64_t c,
                      enum exact_round r)
{
    switch (op) {
    case ADD:      return exact_add(f, a, b, r);
    case MULTIPLY: return exact_multiply(f, a, b, r);
    case DIVIDE:   return exact_divide(f, a, b, r);
    case SQRT:     return exact_sqrt(f, a, r);
    default:       return exact_fma(f, a, b, c, r);
    }
}

START_TEST(single_precision_is_what_the_processor_does_in_each_rounding)
{
    state = SEED + (uint64_t)_i;
    for (int n = 0; n < TIMES; n++) {
        uint32_t a = random_f32(), b = random_f32(), c = random_f32();
        if (n % 3 == 0)         /* sums that cancel */
            c = f32_bits(-(f32_from_bits(a) * f32_from_bits(b))) ^ (uint32_t)(n % 5);
        for (int r = 0; r < 4; r++) {
            uint64_t got = exact(EXACT_F32, _i, a, b, c, (enum exact_round)r);
            uint64_t expected = host_f32(_i, a, b, c, (enum exact_round)r);
            ck_assert_msg(got == expected, "op %d round %d of %x %x %x: %llx, expected %llx", _i, r,
                          a, b, c, (unsigned long long)got, (unsigned long long)expected);
        }
    }
}
END_TEST

START_TEST(double_precision_is_what_the_processor_does_in_each_rounding)
{
    state = SEED + 100 + (uint64_t)_i;
    for (int n = 0; n < TIMES; n++) {
        uint64_t a = random_f64(), b = random_f64(), c = random_f64();
        if (n % 3 == 0)
            c = bits_of(-(value_of(a) * value_of(b))) ^ (uint64_t)(n % 5);
        for (int r = 0; r < 4; r++) {
            uint64_t got = exact(EXACT_F64, _i, a, b, c, (enum exact_round)r);
            uint64_t expected = host_f64(_i, a, b, c, (enum exact_round)r);
            bool both = value_of(got) != value_of(got) && value_of(expected) != value_of(expected);
            ck_assert_msg(got == expected || both,
                          "op %d round %d of %llx %llx %llx: %llx, expected %llx", _i, r,
                          (unsigned long long)a, (unsigned long long)b, (unsigned long long)c,
                          (unsigned long long)got, (unsigned long long)expected);
        }
    }
}
END_TEST

/* x rounded to `bits` of significand, no finer than 2^least, by rounding whole numbers. */
static double rounded(double x, int bits, int least, int mode)
{
    int exponent;
    frexp(x, &exponent);
    int place = exponent - bits > least ? exponent - bits : least;
    fesetround(mode);
    volatile double whole = nearbyint(ldexp(x, -place));
    fesetround(FE_TONEAREST);
    return ldexp(whole, place);
}

/* Sums and products of f16 are exact in double. */
START_TEST(half_precision_is_rounded_once)
{
    state = SEED;
    for (int n = 0; n < TIMES; n++) {
        uint16_t a = (uint16_t)random64(), b = (uint16_t)random64();
        double x = (double)f16_to_f32(a), y = (double)f16_to_f32(b);
        if (!(fabs(x) < 300 && fabs(y) < 200))
            continue;
        for (int r = 0; r < 4; r++) {
            double sum = rounded(x + y, 11, -24, host[r]);
            double product = rounded(x * y, 11, -24, host[r]);
            uint64_t s = exact_add(EXACT_F16, a, b, (enum exact_round)r);
            uint64_t p = exact_multiply(EXACT_F16, a, b, (enum exact_round)r);
            ck_assert_msg((double)f16_to_f32((uint16_t)s) == sum, "%x + %x, round %d", a, b, r);
            ck_assert_msg((double)f16_to_f32((uint16_t)p) == product, "%x * %x, round %d", a, b, r);
        }
    }
}
END_TEST

START_TEST(a_product_of_bf16_keeps_what_a_far_smaller_number_adds)
{
    /* 1.5 x 1.0078125 = 1.51171875, the middle of 1.5078125 (odd) and 1.515625 (even):
     * what is added decides, however small. */
    uint64_t a = 0x3fc0, b = 0x3f81, tiny = 0x0080;
    ck_assert_uint_eq(exact_fma(EXACT_BF16, a, b, 0, EXACT_NEAREST), 0x3fc2);
    ck_assert_uint_eq(exact_fma(EXACT_BF16, a, b, tiny, EXACT_NEAREST), 0x3fc2);
    ck_assert_uint_eq(exact_fma(EXACT_BF16, a, b, tiny | 0x8000, EXACT_NEAREST), 0x3fc1);
}
END_TEST

static uint64_t f64_to(struct exact_format f, double x, enum exact_round r)
{
    return exact_convert(f, EXACT_F64, bits_of(x), r);
}

START_TEST(conversions_round_once_and_overflow_as_the_rounding_says)
{
    ck_assert_uint_eq(f64_to(EXACT_F16, 65520, EXACT_NEAREST), 0x7c00);
    ck_assert_uint_eq(f64_to(EXACT_F16, 65519.999, EXACT_NEAREST), 0x7bff);
    ck_assert_uint_eq(f64_to(EXACT_F16, 1e9, EXACT_ZERO), 0x7bff);
    ck_assert_uint_eq(f64_to(EXACT_F16, 1e9, EXACT_DOWN), 0x7bff);
    ck_assert_uint_eq(f64_to(EXACT_F16, 1e9, EXACT_UP), 0x7c00);
    ck_assert_uint_eq(f64_to(EXACT_F16, -1e9, EXACT_UP), 0xfbff);
    ck_assert_uint_eq(f64_to(EXACT_F16, -1e9, EXACT_DOWN), 0xfc00);
    ck_assert_uint_eq(f64_to(EXACT_F16, 1e-30, EXACT_UP), 1);
    ck_assert_uint_eq(f64_to(EXACT_F16, -1e-30, EXACT_UP), 0x8000);
    ck_assert_uint_eq(f64_to(EXACT_F16, 0x1p-25, EXACT_NEAREST), 0);        /* a tie, to even */
    ck_assert_uint_eq(f64_to(EXACT_F16, 0x1p-25, EXACT_AWAY), 1);
    ck_assert_uint_eq(f64_to(EXACT_TF32, 1 + 0x1p-11, EXACT_NEAREST) << 13, 0x3f800000);
    ck_assert_uint_eq(f64_to(EXACT_TF32, 1 + 0x1p-11, EXACT_AWAY) << 13, 0x3f802000);
    ck_assert_uint_eq(f64_to(EXACT_BF16, NAN, EXACT_NEAREST), 0x7fff);
    ck_assert_uint_eq(f64_to(EXACT_F32, -INFINITY, EXACT_ZERO), 0xff800000);
}
END_TEST

START_TEST(all_f16_widen_to_their_values_and_come_back)
{
    int wrong = 0;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint64_t wide = exact_convert(EXACT_F64, EXACT_F16, bits, EXACT_NEAREST);
        double x = (double)f16_to_f32((uint16_t)bits);
        if (x != x)
            continue;
        wrong += value_of(wide) != x || signbit(value_of(wide)) != signbit(x);
        wrong += exact_convert(EXACT_F16, EXACT_F64, wide, EXACT_NEAREST) != bits;
        wrong += f32_bits(half_to_f32(bits)) != f32_bits(f16_to_f32((uint16_t)bits));
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

/* The loops' narrowing is that of bf16.h, but for its NaN. */
START_TEST(branchless_narrowing_is_narrowing)
{
    state = SEED;
    for (int n = 0; n < 20 * TIMES; n++) {
        float x = f32_from_bits(n % 2 ? random_f32() : (uint32_t)random64() >> 4 | 0x30000000);
        uint32_t f16 = x == x ? f16_from_f32(x) : 0x7fff;
        uint32_t bf16 = x == x ? bf16_from_f32(x) : 0x7fff;
        ck_assert_msg(half_from_f32(x, 0x7fff) == f16, "%a", (double)x);
        ck_assert_msg(half_bf16_from_f32(x, 0x7fff) == bf16, "%a", (double)x);
    }
}
END_TEST

START_TEST(whole_numbers_are_clamped_and_rounded)
{
    state = SEED;
    for (int n = 0; n < TIMES; n++) {
        double x = value_of(random_f64());
        if (n % 2)
            x = (double)(int64_t)random64() / (double)(UINT64_C(1) << (n % 64));
        for (int r = 0; r < 4; r++) {
            fesetround(host[r]);
            volatile double whole = nearbyint(x);
            fesetround(FE_TONEAREST);
            uint64_t s32 = whole != whole ? 0 : whole >= 0x1p31 ? INT32_MAX
                           : whole < -0x1p31 ? 0x80000000 : (uint32_t)(int32_t)whole;
            uint64_t u64 = whole != whole || whole < 0 ? 0 : whole >= 0x1p64 ? UINT64_MAX
                           : (uint64_t)whole;
            uint64_t a = bits_of(x);
            enum exact_round round = (enum exact_round)r;
            ck_assert_msg(exact_to_integer(EXACT_F64, a, 32, true, round) == s32, "%a %d", x, r);
            ck_assert_msg(exact_to_integer(EXACT_F64, a, 64, false, round) == u64, "%a %d", x, r);
            if (x == x)
                ck_assert(value_of(exact_to_whole(EXACT_F64, a, round)) == whole);
        }
    }
}
END_TEST

START_TEST(whole_numbers_become_the_floats_that_the_processor_makes)
{
    state = SEED;
    for (int n = 0; n < TIMES; n++) {
        uint64_t x = random64() >> n % 64;
        for (int r = 0; r < 4; r++) {
            volatile uint64_t from = x;
            volatile int64_t negative = -(int64_t)(x >> 1);
            fesetround(host[r]);
            volatile float f = (float)negative;
            volatile double d = (double)negative;
            fesetround(FE_TONEAREST);
            enum exact_round round = (enum exact_round)r;
            ck_assert_uint_eq(exact_from_integer(EXACT_F32, true, x >> 1, round), f32_bits(f) &
                              (x >> 1 ? UINT32_MAX : 0));
            ck_assert_uint_eq(exact_from_integer(EXACT_F64, true, x >> 1, round), bits_of(d) &
                              (x >> 1 ? UINT64_MAX : 0));
            if (r == EXACT_NEAREST)
                ck_assert_uint_eq(exact_from_integer(EXACT_F32, false, x, round),
                                  f32_bits((float)from));
        }
    }
}
END_TEST

Suite *exact_suite(void)
{
    Suite *s = suite_create("exact");
    TCase *t = tcase_create("arithmetic");
    tcase_add_loop_test(t, single_precision_is_what_the_processor_does_in_each_rounding, 0, OPS);
    tcase_add_loop_test(t, double_precision_is_what_the_processor_does_in_each_rounding, 0, OPS);
    tcase_add_test(t, half_precision_is_rounded_once);
    tcase_add_test(t, a_product_of_bf16_keeps_what_a_far_smaller_number_adds);
    suite_add_tcase(s, t);
    t = tcase_create("conversion");
    tcase_add_test(t, conversions_round_once_and_overflow_as_the_rounding_says);
    tcase_add_test(t, all_f16_widen_to_their_values_and_come_back);
    tcase_add_test(t, branchless_narrowing_is_narrowing);
    tcase_add_test(t, whole_numbers_are_clamped_and_rounded);
    tcase_add_test(t, whole_numbers_become_the_floats_that_the_processor_makes);
    suite_add_tcase(s, t);
    return s;
}
