/* test_gpu_result.c - a GPU's result: launches, energy, clock and sampling. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/events.h"
#include "sim/experiment.h"
#include "sim/figures.h"
#include "sim/gemm.h"
#include "sim/report.h"
#include "tests/suites.h"
#include "traces/net.h"

static const char net[] = "simaccel-net 1\nname n\ninput 20\nbatch 9\ndense 130 gelu\n"
                          "dense 7 sigmoid\nloss binary_cross_entropy\noptimizer adam\n";

static struct machine *machine_with(const char *name, const char *const *sets)
{
    struct diag d = { .text = "" };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    for (; sets && *sets; sets++)
        ck_assert_msg(machine_set(m, *sets, "test", &d), "%s", d.text);
    return m;
}

static struct trace *net_trace(void)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    struct trace *t = net_expand_memory(net, strlen(net), &options, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static struct trace *product(uint64_t m, uint64_t k, uint64_t n, enum trace_type type)
{
    struct diag d = { .text = "" };
    struct gemm g = { .m = m, .k = k, .n = n, .type = type };
    struct trace *t = gemm_trace(&g, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static json_t *run(const struct experiment *e)
{
    struct diag d = { .text = "" };
    int status;
    json_t *o = experiment_run(e, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    return o;
}

static json_t *run_on(const char *name, const char *const *sets, struct trace *t,
                      struct experiment e)
{
    e.machine = machine_with(name, sets);
    e.trace = t;
    json_t *o = run(&e);
    machine_free((struct machine *)(uintptr_t)e.machine);
    return o;
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    ck_assert_msg(json_is_number(v) && isfinite(json_number_value(v)), "%s", key);
    return json_number_value(v);
}

static double sum_of(const json_t *array, const char *key)
{
    double sum = 0;
    size_t i;
    const json_t *o;
    json_array_foreach(array, i, o)
        sum += number(o, key);
    return sum;
}

static double component(const json_t *o, const char *name)
{
    return number(json_object_get(o, "energy"), name);
}

/* ---- launches ---- */

START_TEST(launches_follow_each_other_and_make_the_ops)
{
    struct trace *t = net_trace();
    json_t *o = run_on("gpu-mini", NULL, t, (struct experiment){ .threads = 1 });
    const json_t *launches = json_object_get(o, "launches"), *l;
    double before = 0;
    size_t i;
    ck_assert_uint_ge(json_array_size(launches), json_array_size(json_object_get(o, "ops")));
    json_array_foreach(launches, i, l) {
        double blocks = 1;
        for (size_t k = 0; k < 3; k++)
            blocks *= json_number_value(json_array_get(json_object_get(l, "grid"), k));
        ck_assert_double_eq(number(l, "blocks"), blocks);
        ck_assert_double_eq(number(l, "blocks_simulated"), blocks);
        ck_assert_double_ge(number(l, "start_s"), before);
        before = number(l, "start_s") + number(l, "time_s");
        static const char *const parts[] = { "occupancy", "achieved_occupancy", "coalescing",
                                             "l1_hit_fraction", "l2_hit_fraction" };
        for (size_t k = 0; k < COUNT_OF(parts); k++)
            ck_assert_msg(number(l, parts[k]) >= 0 && number(l, parts[k]) <= 1, "%s", parts[k]);
        ck_assert_double_ge(number(l, "shared_passes_per_ideal"), 1);
        ck_assert_double_ge(number(l, "sectors"), number(l, "ideal_sectors"));
    }
    ck_assert_double_eq_tol(before, number(o, "time_s"), 1e-12);
    ck_assert_double_eq_tol(sum_of(launches, "energy_j") / number(o, "energy_j"), 1, 1e-9);
    json_decref(o);
    trace_free(t);
}
END_TEST

/* Every lane adds and multiplies what the product says, no more in a shape of whole tiles. */
START_TEST(a_product_of_whole_tiles_does_what_it_must)
{
    struct trace *t = product(128, 128, 128, TRACE_F16);
    json_t *o = run_on("gpu-mini", NULL, t, (struct experiment){ .threads = 1 });
    const json_t *l = json_array_get(json_object_get(o, "launches"), 0);
    ck_assert_double_eq(number(o, "macs"), 128.0 * 128 * 128);
    ck_assert_double_eq(number(o, "macs_padded"), 0);
    ck_assert_double_eq(number(l, "macs"), 128.0 * 128 * 128);
    /* 2 SMs of 512 multiply-accumulates at 1 GHz. */
    ck_assert_double_eq(number(o, "peak_flops_per_s"), 2 * 2 * 512 * 1e9);
    ck_assert_double_eq_tol(number(o, "mxu_utilization"),
                            128.0 * 128 * 128 / (2 * 512 * 1e9) / number(o, "time_s"), 1e-12);
    json_decref(o);
    trace_free(t);
    t = product(64, 64, 64, TRACE_F32);
    o = run_on("gpu-mini", NULL, t, (struct experiment){ .threads = 1 });
    /* 2 SMs of 64 lanes, two FLOPs each. */
    ck_assert_double_eq(number(o, "peak_flops_per_s"), 2 * 2 * 64 * 1e9);
    json_decref(o);
    trace_free(t);
}
END_TEST

/* ---- energy ---- */

/* Which component each price must show in, and nowhere else. */
static const struct { const char *price, *component; } prices[] = {
    { "issue_pj", "issue" },             { "fetch_pj", "issue" },
    { "operand_read_pj", "registers" },  { "operand_write_pj", "registers" },
    { "fp32_pj", "float_lanes" },        { "fp16_pj", "float_lanes" },
    { "int_pj", "integer_lanes" },       { "imad_pj", "integer_lanes" },
    { "fp64_pj", "special_lanes" },      { "sfu_pj", "special_lanes" },
    { "convert_pj", "special_lanes" },   { "tensor_pj", "tensor_cores" },
    { "shared_pj", "shared_memory" },    { "l1_tag_pj", "l1" },
    { "l1_pj", "l1" },                   { "crossbar_pj", "crossbar" },
    { "far_pj", "crossbar" },            { "l2_tag_pj", "l2" },
    { "l2_pj", "l2" },                   { "hbm_activate_pj", "hbm_activate" },
    { "hbm_read_pj", "hbm_read" },       { "hbm_write_pj", "hbm_write" },
    { "hbm_refresh_pj", "hbm_refresh" }, { "hbm_closed_w", "hbm_background" },
    { "hbm_open_w", "hbm_background" },  { "idle_sm_w", "sm_static" },
    { "sm_static_w", "sm_static" },      { "l2_static_w", "l2_static" },
    { "l2_awake_w", "l2_static" },       { "constant_w", "constant" },
};

/* All prices 0 but one: its component is all there is, and the time is what it was. */
START_TEST(a_price_shows_in_its_component_alone)
{
    char sets[COUNT_OF(prices)][64];
    const char *list[COUNT_OF(prices) + 3] = { "power.limit_w=0", "power.voltages=" };
    struct trace *t = net_trace();
    for (size_t i = 0; i < COUNT_OF(prices); i++) {
        snprintf(sets[i], sizeof sets[i], "energy.%s=%d", prices[i].price, i == (size_t)_i);
        list[i + 2] = sets[i];
    }
    json_t *o = run_on("gpu-mini", list, t, (struct experiment){ .threads = 1 });
    ck_assert_double_eq(component(o, prices[_i].component), number(o, "energy_j"));
    json_decref(o);
    trace_free(t);
}
END_TEST

/* Energy is 1 pJ an event here: as many as the counts of the launches say. */
START_TEST(energy_is_counts_times_prices)
{
    char sets[COUNT_OF(prices)][64];
    const char *list[COUNT_OF(prices) + 2] = { "power.voltages=" };
    struct trace *t = product(100, 70, 33, TRACE_F16);
    for (size_t i = 0; i < COUNT_OF(prices); i++) {
        bool wanted = strcmp(prices[i].price, "issue_pj") == 0
                   || strcmp(prices[i].price, "tensor_pj") == 0
                   || strcmp(prices[i].price, "hbm_read_pj") == 0
                   || strcmp(prices[i].price, "constant_w") == 0;
        snprintf(sets[i], sizeof sets[i], "energy.%s=%d", prices[i].price, wanted);
        list[i + 1] = sets[i];
    }
    json_t *o = run_on("gpu-mini", list, t, (struct experiment){ .threads = 1 });
    const json_t *launches = json_object_get(o, "launches");
    double read = number(json_object_get(o, "hbm"), "read_bytes");
    ck_assert_double_eq_tol(component(o, "issue") / 1e-12, sum_of(launches, "operations"), 0.01);
    ck_assert_double_eq_tol(component(o, "tensor_cores") / 1e-12, sum_of(launches, "macs"), 0.01);
    ck_assert_double_eq_tol(component(o, "hbm_read") / 1e-12, 8 * read, 0.01);
    ck_assert_double_eq_tol(component(o, "constant"), number(o, "time_s"), 1e-15);
    json_decref(o);
    trace_free(t);
}
END_TEST

/* Twice the voltage, four times the energy of the chip's own parts, and of nothing else. */
START_TEST(energy_of_the_chip_goes_with_the_square_of_its_voltage)
{
    static const char *const parts[] = { "issue", "registers", "tensor_cores", "l1", "sm_static",
        "crossbar", "l2", "hbm_read", "hbm_activate", "hbm_background", "constant" };
    static const char *const one[] = { "power.voltages=1000:1", NULL };
    static const char *const two[] = { "power.voltages=1000:2", NULL };
    struct trace *t = product(100, 70, 33, TRACE_F16);
    json_t *a = run_on("gpu-mini", one, t, (struct experiment){ .threads = 1 });
    json_t *b = run_on("gpu-mini", two, t, (struct experiment){ .threads = 1 });
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        ck_assert_double_eq_tol(component(b, parts[i]) / component(a, parts[i]), i < 7 ? 4 : 1,
                                1e-12);
    ck_assert_double_eq(number(a, "time_s"), number(b, "time_s"));
    json_decref(a);
    json_decref(b);
    trace_free(t);
}
END_TEST

/* ---- the clock ---- */

START_TEST(a_power_limit_is_kept_by_a_lower_clock)
{
    static const char *const free_sets[] = { "power.limit_w=0", NULL };
    struct trace *t = product(128, 512, 128, TRACE_F16);
    json_t *all = run_on("gpu-mini", free_sets, t, (struct experiment){ .threads = 1 });
    char limit[64];
    double watts = 0.8 * number(all, "average_power_w");
    snprintf(limit, sizeof limit, "power.limit_w=%.6g", watts);
    const char *sets[] = { limit, "power.voltages=300:0.6 1000:1.1", NULL };
    json_t *o = run_on("gpu-mini", sets, t, (struct experiment){ .threads = 1 });
    ck_assert_str_eq(json_string_value(json_object_get(o, "clock_by")), "power limit");
    ck_assert_double_eq_tol(number(o, "average_power_w"), watts, 0.01 * watts);
    ck_assert_double_lt(number(o, "clock_hz"), 1e9);
    ck_assert_double_gt(number(o, "time_s"), number(all, "time_s"));
    ck_assert_double_le(number(o, "power_runs"), 6);
    json_t *parameters = json_object_get(json_object_get(o, "parameters"), "gpu");
    ck_assert_double_eq_tol(number(json_object_get(parameters, "clock_mhz"), "value") * 1e6,
                            number(o, "clock_hz"), 1);
    json_decref(o);
    o = run_on("gpu-mini", sets, t, (struct experiment){ .threads = 1, .clock_mhz = 1000 });
    ck_assert_str_eq(json_string_value(json_object_get(o, "clock_by")), "--clock");
    ck_assert_double_eq(number(o, "time_s"), number(all, "time_s"));
    ck_assert_double_gt(number(o, "average_power_w"), watts);
    json_decref(o);
    json_decref(all);
    trace_free(t);
}
END_TEST

/* At the end of the curve nothing is said, above it that the voltage stays. */
START_TEST(a_clock_above_the_curve_is_said)
{
    static const char *const curve[] = { "power.voltages=300:0.6 1000:1.1", NULL };
    static const char *const faster[] = { "gpu.clock_mhz=1200", "power.voltages=300:0.6 1000:1.1",
                                          NULL };
    static const struct { const char *const *sets; double mhz; const char *says; } cases[] = {
        { curve, 0, NULL }, { curve, 1000, NULL }, { curve, 1001, "1001 MHz is above" },
        { faster, 0, "1200 MHz is above" }, { NULL, 1500, NULL },
    };
    struct trace *t = product(64, 64, 64, TRACE_F16);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *o = run_on("gpu-mini", cases[i].sets, t, (struct experiment){
            .threads = 1, .clock_mhz = cases[i].mhz });
        char *notes = json_dumps(json_object_get(o, "notes"), 0);
        const char *found = strstr(notes, " MHz is above");
        ck_assert_msg((found != NULL) == (cases[i].says != NULL), "%zu: %s", i, notes);
        ck_assert(!found || strstr(notes, cases[i].says));
        ck_assert(!found || strstr(notes, "1.1 V are kept"));
        free(notes);
        json_decref(o);
    }
    trace_free(t);
}
END_TEST

START_TEST(a_power_limit_that_no_clock_keeps_is_said)
{
    static const char *const sets[] = { "power.limit_w=0.001", "power.voltages=300:0.6 1000:1.1",
                                        NULL };
    struct trace *t = product(128, 512, 128, TRACE_F16);
    json_t *o = run_on("gpu-mini", sets, t, (struct experiment){ .threads = 1 });
    ck_assert_double_eq(number(o, "clock_hz"), 300e6);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    report_text(o, out);
    fclose(out);
    ck_assert_msg(strstr(text, "more than the 1.000 mW that it may (2 runs)") != NULL, "%.400s", text);
    free(text);
    json_decref(o);
    trace_free(t);
}
END_TEST

/* ---- the same again ---- */

/* Small ones, but with all that a chip has: two partitions, several stacks, few MSHRs. */
static const struct { const char *machine; unsigned most; const char *sets[6]; } chips[] = {
    { "gpu-mini", 4, { NULL } },
    { "gpu-mini", 4, { "sm.scheduler=lrr", "l1.mshrs=4", "l2.mshrs=4", "sm.count=3" } },
    { "v100", 4, { "sm.count=7" } },
    { "a100", 4, { "sm.count=6", "kernels.optimizer=eager" } },
    { "h100", 2, { "sm.count=5" } },    /* a third of its window would be too short */
};

START_TEST(threads_and_windows_change_nothing)
{
    static const unsigned how[][2] = { { 2, 1 }, { 3, 1 }, { 1, 2 }, { 2, 3 }, { 4, 4 } };
    const char *const *sets = chips[_i].sets;
    struct trace *t = net_trace();
    json_t *a = run_on(chips[_i].machine, sets, t, (struct experiment){ .threads = 1 });
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        if (how[i][1] > chips[_i].most)
            continue;
        json_t *b = run_on(chips[_i].machine, sets, t, (struct experiment){
            .threads = how[i][0], .window_divisor = how[i][1] });
        ck_assert_msg(json_equal(a, b), "%u threads, window / %u", how[i][0], how[i][1]);
        json_decref(b);
    }
    json_decref(a);
    trace_free(t);
}
END_TEST

START_TEST(a_sampled_run_is_near_the_whole_one_and_says_so)
{
    struct trace *t = product(2048, 32, 2048, TRACE_F32);
    json_t *whole = run_on("gpu-mini", NULL, t, (struct experiment){ .threads = 1 });
    json_t *part = run_on("gpu-mini", NULL, t, (struct experiment){ .threads = 1,
                                                                    .sample = true });
    const json_t *l = json_array_get(json_object_get(part, "launches"), 0);
    ck_assert(json_is_true(json_object_get(part, "sampled")));
    ck_assert(json_is_false(json_object_get(whole, "sampled")));
    ck_assert_double_lt(number(l, "blocks_simulated"), number(l, "blocks"));
    ck_assert_double_eq_tol(number(part, "time_s") / number(whole, "time_s"), 1, 0.02);
    ck_assert_double_eq_tol(number(part, "energy_j") / number(whole, "energy_j"), 1, 0.03);
    ck_assert_double_eq(number(part, "flops"), number(whole, "flops"));
    json_decref(whole);
    json_decref(part);
    trace_free(t);
}
END_TEST

/* What a limit costs is never less than nothing. */
START_TEST(an_ideal_machine_is_no_slower)
{
    static const char *const limits[] = { "hbm", "launch", "fetch", "registers" };
    struct trace *t = net_trace();
    struct diag d = { .text = "" };
    struct tpu_lower_options lower = { .cores = 0 };
    json_t *real = run_on("gpu-mini", NULL, t, (struct experiment){ .threads = 1 });
    struct machine *m = machine_with("gpu-mini", NULL);
    ck_assert_msg(experiment_idealize(m, &lower, limits[_i], &d), "%s", d.text);
    struct experiment e = { .machine = m, .trace = t };
    json_t *ideal = run(&e);
    ck_assert_double_le(number(ideal, "time_s"), 1.001 * number(real, "time_s"));
    ck_assert(!experiment_idealize(m, &lower, "weights", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "expected hbm, launch, fetch or registers"));
    machine_free(m);
    json_decref(real);
    json_decref(ideal);
    trace_free(t);
}
END_TEST

Suite *gpu_result_suite(void)
{
    Suite *s = suite_create("gpu_result");
    TCase *t = tcase_create("result");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, launches_follow_each_other_and_make_the_ops);
    tcase_add_test(t, a_product_of_whole_tiles_does_what_it_must);
    tcase_add_loop_test(t, threads_and_windows_change_nothing, 0, COUNT_OF(chips));
    tcase_add_test(t, a_sampled_run_is_near_the_whole_one_and_says_so);
    tcase_add_loop_test(t, an_ideal_machine_is_no_slower, 0, 4);
    suite_add_tcase(s, t);
    t = tcase_create("energy");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_price_shows_in_its_component_alone, 0, COUNT_OF(prices));
    tcase_add_test(t, energy_is_counts_times_prices);
    tcase_add_test(t, energy_of_the_chip_goes_with_the_square_of_its_voltage);
    tcase_add_test(t, a_power_limit_is_kept_by_a_lower_clock);
    tcase_add_test(t, a_clock_above_the_curve_is_said);
    tcase_add_test(t, a_power_limit_that_no_clock_keeps_is_said);
    suite_add_tcase(s, t);
    return s;
}
