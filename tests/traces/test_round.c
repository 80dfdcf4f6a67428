/* test_round.c - rounding to the storage types, against neighbours found by walking through all
 * of a format, and against the machines' own conversions. */
#include <math.h>

#include "models/numerics/bf16.h"
#include "tests/suites.h"
#include "traces/random.h"
#include "traces/round.h"

/* Number k of the format, counted from 0 upwards, as IEEE 754 has it. */
static double number(unsigned k, int fraction_bits, int bias)
{
    unsigned fraction = k & ((1u << fraction_bits) - 1);
    int exponent = (int)(k >> fraction_bits);
    if (exponent == 0)
        return ldexp(fraction, 1 - bias - fraction_bits);
    return ldexp(fraction + (1u << fraction_bits), exponent - bias - fraction_bits);
}

static const struct { enum trace_type type; int fraction_bits, bias; unsigned infinity; }
formats[] = {
    { TRACE_BF16,  7, 127, 0x7f80 },
    { TRACE_F16,  10,  15, 0x7c00 },
};

START_TEST(every_number_stays_and_between_two_the_nearer_is_taken)
{
    enum trace_type type = formats[_i].type;
    for (unsigned k = 0; k + 1 < formats[_i].infinity; k++) {
        double low = number(k, formats[_i].fraction_bits, formats[_i].bias);
        double high = number(k + 1, formats[_i].fraction_bits, formats[_i].bias);
        double middle = (low + high) / 2, bit = (high - low) * 0x1p-30;
        ck_assert(trace_round(low, type) == low && trace_round(-low, type) == -low);
        ck_assert(trace_round(middle, type) == (k % 2 ? high : low));
        ck_assert(trace_round(-middle, type) == (k % 2 ? -high : -low));
        /* Rounded once: a trace of more decides. */
        ck_assert(trace_round(middle + bit, type) == high);
        ck_assert(trace_round(middle - bit, type) == low);
        ck_assert(trace_ulp(low, type) == high - low && trace_ulp(-middle, type) == high - low);
    }
}
END_TEST

START_TEST(what_is_too_large_is_infinite_from_half_a_unit_on)
{
    double most = number(formats[_i].infinity - 1, formats[_i].fraction_bits, formats[_i].bias);
    double half = trace_ulp(most, formats[_i].type) / 2;
    ck_assert(trace_round(most + half * 0.999, formats[_i].type) == most);
    ck_assert(trace_round(most + half, formats[_i].type) == INFINITY);
    ck_assert(trace_round(-1e300, formats[_i].type) == -INFINITY);
    ck_assert(trace_round(-INFINITY, formats[_i].type) == -INFINITY);
    ck_assert(isnan(trace_round(NAN, formats[_i].type)));
    ck_assert(signbit(trace_round(-0.0, formats[_i].type)));
    ck_assert(signbit(trace_round(-1e-300, formats[_i].type)));
}
END_TEST

START_TEST(machines_round_an_f32_in_the_same_way)
{
    struct random_stream s = { 1 };
    for (int i = 0; i < 200000; i++) {
        float x = f32_from_bits((uint32_t)random_next(&s));
        if (x != x)
            continue;
        double bf16 = (double)bf16_to_f32(bf16_from_f32(x));
        double f16 = (double)f16_to_f32(f16_from_f32(x));
        ck_assert_msg(trace_round((double)x, TRACE_BF16) == bf16, "%a", (double)x);
        ck_assert_msg(trace_round((double)x, TRACE_F16) == f16, "%a", (double)x);
        ck_assert_msg(trace_round((double)x, TRACE_F32) == (double)x, "%a", (double)x);
    }
}
END_TEST

START_TEST(f32_and_labels_are_what_c_makes_of_them)
{
    ck_assert(trace_round(1 + 0x1p-24, TRACE_F32) == 1);
    ck_assert(trace_round(1 + 0x1.8p-23, TRACE_F32) == 1 + 0x1p-22);
    ck_assert(trace_round(0x1p-150, TRACE_F32) == 0 && trace_round(1e39, TRACE_F32) == INFINITY);
    ck_assert(trace_ulp(1, TRACE_F32) == 0x1p-23 && trace_ulp(0, TRACE_F32) == 0x1p-149);
    ck_assert(trace_ulp(0.999, TRACE_F32) == 0x1p-24);
    ck_assert(trace_round(9, TRACE_I32) == 9 && trace_ulp(9, TRACE_I32) == 1);
}
END_TEST

Suite *round_suite(void)
{
    Suite *s = suite_create("round");
    TCase *t = tcase_create("formats");
    tcase_add_loop_test(t, every_number_stays_and_between_two_the_nearer_is_taken, 0,
                        COUNT_OF(formats));
    tcase_add_loop_test(t, what_is_too_large_is_infinite_from_half_a_unit_on, 0,
                        COUNT_OF(formats));
    tcase_add_test(t, machines_round_an_f32_in_the_same_way);
    tcase_add_test(t, f32_and_labels_are_what_c_makes_of_them);
    suite_add_tcase(s, t);
    return s;
}
