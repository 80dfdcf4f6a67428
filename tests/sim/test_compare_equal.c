/* test_compare_equal.c - what was to be equal is, by runs with the figures that are said. */
#include "sim/compare_equal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "tests/sim/compare_rig.h"
#include "tests/suites.h"

static double peak_of_memory(const json_t *result)
{
    return number(json_object_get(result, "hbm"), "peak_bytes_per_s");
}

/* The machine of this name with its figures set by hand takes the same. */
static void check_set(const struct experiment *plain, const json_t *said, const json_t *result)
{
    struct diag d = { .text = "" };
    struct experiment e = *plain;
    struct machine *m = machine_copy(plain->machine);
    const json_t *set, *sets = json_object_get(said, "set");
    int status;
    for (size_t i = 0; (set = json_array_get(sets, i)) != NULL; i++)
        ck_assert_msg(machine_set(m, json_string_value(set), "--set", &d), "%s", d.text);
    e.machine = m;
    json_t *o = experiment_run(&e, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    ck_assert_double_eq(number(o, "time_s"), number(result, "time_s"));
    json_decref(o);
    machine_free(m);
}

/* Scales machine `which` to the first. */
static void check_scaled(enum compare_equal what, int which, double (*measure)(const json_t *))
{
    struct rig r;
    struct diag d = { .text = "" };
    struct machine *scaled[2] = { NULL };
    open_rig(&r);
    run_rig(&r, 2);
    struct together two[] = { r.runs[0], r.runs[which] };
    json_t *o = compare_equal(two, 2, what, 1, scaled, &d);
    ck_assert_msg(o != NULL, "%s", d.text);
    double to = measure(two[0].result);
    ck_assert_double_eq_tol(measure(two[1].result), to, 1e-6 * to);
    ck_assert(two[0].result == r.results[0] && !scaled[0]);
    const json_t *said = json_array_get(json_object_get(o, "machines"), 0);
    ck_assert_str_eq(text_of(said, "machine"), compare_names[which]);
    check_set(&r.runs[which].experiment, said, two[1].result);
    r.results[which] = two[1].result;
    machine_free(scaled[1]);
    json_decref(o);
    close_rig(&r);
}

static double peak(const json_t *result)
{
    return number(result, "peak_flops_per_s");
}

START_TEST(peaks_become_equal)
{
    check_scaled(COMPARE_EQUAL_PEAK, _i, peak);
}
END_TEST

START_TEST(bandwidths_become_equal)
{
    check_scaled(COMPARE_EQUAL_BANDWIDTH, _i, peak_of_memory);
}
END_TEST

/* 80 SMs of 512 MACs at 1530 MHz to 4 units of 128 x 128 at 940: 78.65 SMs, so 79, and 1523 MHz. */
START_TEST(units_are_whole_and_the_clock_does_the_rest)
{
    struct rig r;
    struct diag d = { .text = "" };
    struct machine *scaled[2] = { NULL };
    open_rig(&r);
    run_rig(&r, 2);
    struct together two[] = { r.runs[2], r.runs[3] };
    json_t *o = compare_equal(two, 2, COMPARE_EQUAL_PEAK, 2, scaled, &d);
    const struct figures *f = machine_figures(scaled[1]);
    double units = 4.0 * 128 * 128 * 940 / (512.0 * 1530);
    ck_assert_uint_eq(f->gpu.sm.count, 79);
    ck_assert_double_eq_tol(f->gpu.gpu.clock_mhz, 1530 * units / 79, 1e-3);
    r.results[3] = two[1].result;
    machine_free(scaled[1]);
    json_decref(o);
    close_rig(&r);
}
END_TEST

/* Of three times the dynamic power one comes down by its clock, the other by its limit. */
START_TEST(watts_come_down_to_the_least)
{
    for (int kind = 0; kind < 2; kind++) {
        struct rig r;
        struct diag d = { .text = "" };
        struct machine *scaled[2] = { NULL };
        open_rig(&r);
        struct machine *m = (struct machine *)r.runs[2 + kind].experiment.machine;
        struct machine *less = machine_copy(m);
        const char *rest = kind == 0 ? "energy.mac_pad_pj=500" : "energy.issue_pj=9000";
        ck_assert_msg(machine_set(m, rest, "a test", &d), "%s", d.text);
        ck_assert(kind == 0 || machine_set(m, "energy.fetch_pj=90000", "a test", &d));
        run_rig(&r, 2);
        struct together two[] = { r.runs[2 + kind], r.runs[2 + kind] };
        two[1].experiment.machine = less;
        together_run(&two[1], 1, 1);
        double high = number(two[0].result, "average_power_w");
        double low = number(two[1].result, "average_power_w");
        ck_assert_double_gt(high, 1.05 * low);
        json_t *o = compare_equal(two, 2, COMPARE_EQUAL_WATTS, 1, scaled, &d);
        if (o)
            ck_assert_double_eq_tol(number(two[0].result, "average_power_w"), low, 0.011 * low);
        else
            ck_assert_msg(strstr(d.text, "cannot be brought") != NULL, "%s", d.text);
        r.results[2 + kind] = two[0].result;
        json_decref(two[1].result);
        machine_free(scaled[0]);
        machine_free(less);
        json_decref(o);
        close_rig(&r);
    }
}
END_TEST

/* What a TPU takes at rest, no clock takes away. */
START_TEST(watts_below_what_is_taken_at_rest_are_refused)
{
    struct rig r;
    struct diag d = { .text = "" };
    struct machine *scaled[2] = { NULL };
    open_rig(&r);
    run_rig(&r, 2);
    struct together two[] = { r.runs[0], r.runs[2] };       /* tpu-mini takes a few watts */
    ck_assert(!compare_equal(two, 2, COMPARE_EQUAL_WATTS, 1, scaled, &d));
    ck_assert_msg(strstr(d.text, "cannot be brought") != NULL, "%s", d.text);
    r.results[2] = two[1].result;
    machine_free(scaled[1]);
    close_rig(&r);
}
END_TEST

Suite *compare_equal_suite(void)
{
    Suite *s = suite_create("compare_equal");
    TCase *t = tcase_create("scaled");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, peaks_become_equal, 1, MACHINES);
    tcase_add_loop_test(t, bandwidths_become_equal, 2, MACHINES);
    tcase_add_test(t, units_are_whole_and_the_clock_does_the_rest);
    tcase_add_test(t, watts_come_down_to_the_least);
    tcase_add_test(t, watts_below_what_is_taken_at_rest_are_refused);
    suite_add_tcase(s, t);
    return s;
}
