/* test_gpu_curve.c - curves of voltage, and the clock that a limit allows. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "sim/gpu_curve.h"
#include "tests/suites.h"

START_TEST(voltages_lie_on_the_lines_between_points)
{
    struct gpu_curve c;
    struct diag d = { .text = "" };
    ck_assert(gpu_curve_parse(&c, " 500:0.7  1000:0.8 1500:1.2 ", &d));
    ck_assert_uint_eq(c.count, 3);
    static const double cases[][2] = {
        { 1, 0.7 }, { 500, 0.7 }, { 750, 0.75 }, { 1000, 0.8 }, { 1125, 0.9 }, { 1500, 1.2 },
        { 9999, 1.2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_double_eq_tol(gpu_curve_volts(&c, cases[i][0]), cases[i][1], 1e-12);
    ck_assert(gpu_curve_parse(&c, "", &d));
    ck_assert_double_eq(gpu_curve_volts(&c, 1234), 1);
}
END_TEST

static const struct { const char *text, *words; } wrong[] = {
    { "x",               "no point" },     { "1000",           "no point" },
    { "1000:",           "no point" },     { "1000:0.8,",      "no point" },
    { "1000:0.8x 2:1",   "no point" },     { "0:1",            "out of range" },
    { "1000:-1",         "out of range" }, { "1000:nan",       "out of range" },
    { "1e9:1",           "out of range" }, { "1000:1 1000:2",  "not above" },
    { "1000:1 1100:0.9", "not above" },    { "1000:1 900:1.1", "not above" },
};

START_TEST(a_curve_that_is_none_is_refused)
{
    struct gpu_curve c;
    struct diag d = { .text = "" };
    ck_assert(!gpu_curve_parse(&c, wrong[_i].text, &d));
    ck_assert_msg(strstr(d.text, wrong[_i].words) != NULL, "%s: %s", wrong[_i].text, d.text);
    ck_assert_ptr_nonnull(strstr(d.text, "power.voltages"));
}
END_TEST

/* A machine whose work takes `cycles` and `fixed_s`: its power at a clock in closed form. */
static struct gpu_run_power run_at(const struct gpu_curve *c, double mhz, double fixed_s)
{
    double v = gpu_curve_volts(c, mhz);
    return (struct gpu_run_power){ .mhz = mhz, .seconds = 1e9 / (mhz * 1e6) + fixed_s,
                                   .chip_j = 300 * v * v, .chip_w = 50 * v * v,
                                   .other_j = 20, .other_w = 40 };
}

static double find(const struct gpu_curve *c, double limit, double fixed_s, unsigned *runs)
{
    struct gpu_run_power r[GPU_CURVE_RUNS];
    double mhz = 1400;
    for (*runs = 0; mhz > 0; ) {
        ck_assert_uint_lt(*runs, GPU_CURVE_RUNS);
        r[(*runs)++] = run_at(c, mhz, fixed_s);
        mhz = gpu_curve_next(c, limit, r, *runs);
        ck_assert(mhz >= 0 && mhz <= 1400);
    }
    return r[*runs - 1].mhz;
}

START_TEST(a_run_below_the_limit_keeps_its_clock)
{
    struct gpu_curve c;
    struct diag d = { .text = "" };
    unsigned runs;
    gpu_curve_parse(&c, "700:0.7 1400:1.0", &d);
    /* 320 J in 1/1.4 s, and 90 W: 538 W. */
    ck_assert_double_eq(find(&c, 539, 0, &runs), 1400);
    ck_assert_uint_eq(runs, 1);
    ck_assert_double_eq(find(&c, 0, 0, &runs), 1400);
    ck_assert_uint_eq(runs, 1);
}
END_TEST

START_TEST(the_clock_found_takes_what_the_limit_allows)
{
    struct gpu_curve c;
    struct diag d = { .text = "" };
    gpu_curve_parse(&c, "600:0.7 900:0.75 1400:1.0", &d);
    for (double limit = 280; limit < 530; limit += 31)
        for (double fixed_s = 0; fixed_s < 2; fixed_s += 0.3) {
            unsigned runs;
            double mhz = find(&c, limit, fixed_s, &runs);
            struct gpu_run_power r = run_at(&c, mhz, fixed_s);
            if (mhz < 1400)
                ck_assert_double_eq_tol(gpu_run_watts(&r), limit, 0.006 * limit);
            else
                ck_assert_double_le(gpu_run_watts(&r), 1.006 * limit);
            ck_assert_uint_le(runs, 4);
        }
}
END_TEST

START_TEST(a_limit_that_no_clock_keeps_ends_at_the_lowest)
{
    struct gpu_curve c;
    struct diag d = { .text = "" };
    unsigned runs;
    gpu_curve_parse(&c, "600:0.7 1400:1.0", &d);
    ck_assert_double_eq(find(&c, 50, 0, &runs), 600);
    ck_assert_uint_le(runs, 3);
}
END_TEST

Suite *gpu_curve_suite(void)
{
    Suite *s = suite_create("gpu_curve");
    TCase *t = tcase_create("curve");
    tcase_add_test(t, voltages_lie_on_the_lines_between_points);
    tcase_add_loop_test(t, a_curve_that_is_none_is_refused, 0, sizeof wrong / sizeof wrong[0]);
    tcase_add_test(t, a_run_below_the_limit_keeps_its_clock);
    tcase_add_test(t, the_clock_found_takes_what_the_limit_allows);
    tcase_add_test(t, a_limit_that_no_clock_keeps_ends_at_the_lowest);
    suite_add_tcase(s, t);
    return s;
}
