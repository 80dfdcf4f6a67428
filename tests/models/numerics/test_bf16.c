/* test_bf16.c - rounding to 16 bits, against the definition: the nearest of all there are. */
#include <math.h>
#include <stdlib.h>

#include "models/numerics/bf16.h"
#include "tests/suites.h"

/* value = bits -> the number, made from the format's definition in a double. */
static double value_of(uint16_t bits, int exponent_bits)
{
    int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
    int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
    int fraction = bits & ((1 << fraction_bits) - 1);
    double size = exponent ? ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits)
                           : ldexp(fraction, 1 - bias - fraction_bits);
    return bits & 0x8000 ? -size : size;
}

static uint16_t narrow(float x, int exponent_bits)
{
    return exponent_bits == 8 ? bf16_from_f32(x) : f16_from_f32(x);
}

/* Between each two neighbours: just below the middle goes down, just above goes up, the
 * middle goes to the even one.  The neighbour past the largest is infinity. */
START_TEST(narrowing_gives_the_nearest_and_ties_to_even)
{
    int exponent_bits = _i ? 5 : 8;
    uint16_t infinity = (uint16_t)(((1 << exponent_bits) - 1) << (15 - exponent_bits));
    int wrong = 0;
    for (uint16_t low = 0; low < infinity; low++) {
        uint16_t high = (uint16_t)(low + 1), even = low & 1 ? high : low;
        double middle = (value_of(low, exponent_bits) + value_of(high, exponent_bits)) / 2;
        float tie = (float)middle;
        wrong += tie != middle;                     /* it is a float itself */
        wrong += narrow((float)value_of(low, exponent_bits), exponent_bits) != low;
        wrong += narrow(tie, exponent_bits) != even;
        wrong += narrow(nextafterf(tie, 0), exponent_bits) != low;
        wrong += narrow(nextafterf(tie, INFINITY), exponent_bits) != high;
        wrong += narrow(-tie, exponent_bits) != (even | 0x8000);
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(infinities_and_nans_stay_what_they_are)
{
    ck_assert_uint_eq(bf16_from_f32(INFINITY), 0x7f80);
    ck_assert_uint_eq(bf16_from_f32(-INFINITY), 0xff80);
    ck_assert_uint_eq(f16_from_f32(INFINITY), 0x7c00);
    ck_assert_uint_eq(f16_from_f32(-1e30f), 0xfc00);
    /* A NaN whose payload is all in the bits that are dropped must not become infinity. */
    ck_assert_uint_eq(bf16_from_f32(f32_from_bits(0xff800001)), BF16_NAN);
    ck_assert_uint_eq(f16_from_f32(f32_from_bits(0x7f800001)), F16_NAN);
    ck_assert_uint_eq(f32_bits(f16_to_f32(0xfc01)), F32_NAN);
    ck_assert_uint_eq(f32_bits(f32_canonical(-NAN)), F32_NAN);
    ck_assert(f32_canonical(-1.5f) == -1.5f);
    ck_assert(f16_to_f32(0xfc00) == -INFINITY);
    ck_assert(signbit(f16_to_f32(0x8000)) && f16_to_f32(0x8000) == 0);
}
END_TEST

START_TEST(every_f16_widens_to_its_value_and_back)
{
    int wrong = 0;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        if ((bits & 0x7c00) == 0x7c00)
            continue;
        float wide = f16_to_f32((uint16_t)bits);
        wrong += wide != value_of((uint16_t)bits, 5) || f16_from_f32(wide) != bits;
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(three_bf16_hold_an_f32)
{
    uint64_t seed = 1;
    int wrong = 0;
    for (int i = 0; i < 100000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint32_t exponent = 127 - 100 + (uint32_t)(seed >> 40) % 200;
        float x = f32_from_bits((uint32_t)(seed >> 33) << 31 | exponent << 23 |
                                (uint32_t)(seed >> 20 & 0x7fffff));
        uint16_t p[3];
        bf16_split(x, p);
        double sum = (double)bf16_to_f32(p[0]) + bf16_to_f32(p[1]) + bf16_to_f32(p[2]);
        wrong += sum != x;
    }
    ck_assert_int_eq(wrong, 0);
    uint16_t p[3];
    bf16_split(-INFINITY, p);
    ck_assert(p[0] == 0xff80 && p[1] == 0 && p[2] == 0);
    bf16_split(NAN, p);
    ck_assert(p[0] == BF16_NAN && p[1] == 0 && p[2] == 0);
}
END_TEST

Suite *bf16_suite(void)
{
    Suite *s = suite_create("bf16");
    TCase *t = tcase_create("rounding");
    tcase_add_loop_test(t, narrowing_gives_the_nearest_and_ties_to_even, 0, 2);
    tcase_add_test(t, infinities_and_nans_stay_what_they_are);
    tcase_add_test(t, every_f16_widens_to_its_value_and_back);
    tcase_add_test(t, three_bf16_hold_an_f32);
    suite_add_tcase(s, t);
    return s;
}
