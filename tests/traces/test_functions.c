/* test_functions.c - exp2, exp, log2, log, sin, cos, tanh against the host's in 64-bit significands. */
#include <math.h>
#include <stdbool.h>

#include "traces/functions.h"
#include "tests/suites.h"

#define POINTS 20000

/* The largest error of f over [from, to], relative to the true value or absolute. */
static double worst(double (*f)(double), long double (*truth)(long double), double from,
                    double to, bool relative)
{
    double most = 0;
    for (int i = 0; i <= POINTS; i++) {
        double x = from + (to - from) * i / POINTS;
        long double expected = truth((long double)x);
        double error = (double)fabsl((long double)f(x) - expected);
        if (relative && expected != 0)
            error /= (double)fabsl(expected);
        most = error > most ? error : most;
    }
    return most;
}

START_TEST(errors_are_within_what_the_header_says)
{
    ck_assert_double_lt(worst(functions_exp2, exp2l, -1022, 1022, true), 2e-15);
    ck_assert_double_lt(worst(functions_exp2, exp2l, -1, 1, true), 2e-15);
    ck_assert_double_lt(worst(functions_log2, log2l, 0.5, 2, false), 3e-15);
    ck_assert_double_lt(worst(functions_log2, log2l, 2, 1e9, true), 3e-15);
    ck_assert_double_lt(worst(functions_log2, log2l, 0.9999, 1.0001, true), 3e-15);
    ck_assert_double_lt(worst(functions_exp, expl, -708, 708, true), 2e-15);
    ck_assert_double_lt(worst(functions_exp, expl, -1, 1, true), 2e-15);
    ck_assert_double_lt(worst(functions_exp, expl, -1e-8, 1e-8, true), 2e-15);
    ck_assert_double_lt(worst(functions_log, logl, 0.5, 2, false), 3e-15);
    ck_assert_double_lt(worst(functions_log, logl, 2, 1e9, true), 3e-15);
    ck_assert_double_lt(worst(functions_log, logl, 1e-9, 0.5, true), 3e-15);
    ck_assert_double_lt(worst(functions_sin, sinl, -10, 10, false), 2e-15);
    ck_assert_double_lt(worst(functions_cos, cosl, -10, 10, false), 2e-15);
    ck_assert_double_lt(worst(functions_sin, sinl, -0x1p20, 0x1p20, false), 2e-15);
    ck_assert_double_lt(worst(functions_cos, cosl, -0x1p20, 0x1p20, false), 2e-15);
    ck_assert_double_lt(worst(functions_sin, sinl, 1e-8, 1e-4, true), 2e-15);
    ck_assert_double_lt(worst(functions_tanh, tanhl, -20, 20, true), 1e-12);
    ck_assert_double_lt(worst(functions_tanh, tanhl, 1e-9, 0.02, true), 1e-12);
}
END_TEST

START_TEST(ends_are_what_they_should_be)
{
    ck_assert(functions_exp2(-INFINITY) == 0 && functions_exp2(INFINITY) == INFINITY);
    ck_assert(functions_exp2(-1023) == 0 && functions_exp2(1024) == INFINITY);
    ck_assert(functions_exp2(0) == 1 && functions_exp2(10) == 1024 && functions_exp2(-3) == 0.125);
    ck_assert(functions_exp(-INFINITY) == 0 && functions_exp(INFINITY) == INFINITY);
    ck_assert(functions_exp(-709) == 0 && functions_exp(710) == INFINITY);
    ck_assert(functions_exp(0) == 1 && functions_log(1) == 0 && isnan(functions_log(-1)));
    ck_assert(functions_log(0) == -INFINITY && functions_log(INFINITY) == INFINITY);
    ck_assert(isnan(functions_exp(NAN)) && isnan(functions_log(NAN)));
    ck_assert(functions_log2(0) == -INFINITY && functions_log2(INFINITY) == INFINITY);
    ck_assert(isnan(functions_log2(-1)) && functions_log2(1) == 0);
    ck_assert(functions_log2(1024) == 10 && functions_log2(0x1p-1060) == -1060);
    ck_assert(functions_log2(-0.0) == -INFINITY);
    ck_assert(isnan(functions_sin(INFINITY)) && isnan(functions_cos(-INFINITY)));
    ck_assert(functions_sin(0) == 0 && functions_cos(0) == 1);
    ck_assert(signbit(functions_sin(-0.0)) && signbit(functions_tanh(-0.0)));
    ck_assert(functions_tanh(INFINITY) == 1 && functions_tanh(-1e300) == -1);
    ck_assert(isnan(functions_exp2(NAN)) && isnan(functions_log2(NAN)) &&
              isnan(functions_sin(NAN)) && isnan(functions_tanh(NAN)));
    for (double x = 0x1p21; x < 0x1p1000; x *= 1.37)
        ck_assert(fabs(functions_sin(x)) <= 1 && fabs(functions_cos(-x)) <= 1);
}
END_TEST

START_TEST(a_power_is_so_many_factors)
{
    const double bases[] = { 0.9, 0.999, -1.25, 0 };
    for (size_t i = 0; i < COUNT_OF(bases); i++) {
        long double product = 1;
        for (uint64_t exponent = 0; exponent < 300; exponent++, product *= bases[i])
            ck_assert(fabsl(functions_power(bases[i], exponent) - product)
                      <= (1e-16L * exponent + 1e-17L) * fabsl(product));
    }
}
END_TEST

Suite *functions_suite(void)
{
    Suite *s = suite_create("functions");
    TCase *t = tcase_create("accuracy");
    tcase_add_test(t, errors_are_within_what_the_header_says);
    tcase_add_test(t, ends_are_what_they_should_be);
    tcase_add_test(t, a_power_is_so_many_factors);
    suite_add_tcase(s, t);
    return s;
}
