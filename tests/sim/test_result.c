/* test_result.c - the JSON of a run: what later work relies on is there, and adds up. */
#include <math.h>

#include "sim/experiment.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

static const char *const machines[] = { "tpu-mini", "tpu-v3", "tpu-v4", "tpu-v5e", "gpu-mini",
                                        "v100", "a100", "h100" };

static json_t *run(const char *name, const char *net)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    struct machine *m = machine_find(&figures_schema, name, &d);
    struct trace *t = net_expand_memory(net, strlen(net), &options, &d);
    ck_assert_msg(m && t, "%s", d.text);
    struct experiment e = { .machine = m, .trace = t };
    int status;
    json_t *o = experiment_run(&e, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    trace_free(t);
    machine_free(m);
    return o;
}

static const char net[] = "simaccel-net 1\nname n\ninput 20\nbatch 9\ndense 130 gelu\ndense 7 sigmoid\n"
                          "loss binary_cross_entropy\noptimizer rmsprop\n";

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

static double sum_all(json_t *object)
{
    double sum = 0;
    const char *key;
    json_t *v;
    json_object_foreach(object, key, v)
        sum += json_number_value(v);
    return sum;
}

static void near(double a, double b)
{
    ck_assert_msg(fabs(a - b) <= 1e-9 * fabs(b), "%.17g instead of %.17g", a, b);
}

START_TEST(names_that_later_work_relies_on_are_there)
{
    static const char *const figures[] = { "time_s", "cycles", "clock_hz", "launch_s", "host_s",
        "energy_j", "average_power_w", "flops", "flops_per_s", "peak_flops_per_s" };
    static const char *const others[] = { "simaccel", "machine", "trace", "hbm", "parameters",
        "units", "ops", "energy" };
    static const char *const of_op[] = { "time_s", "span_s", "energy_j", "flops", "hbm_bytes" };
    json_t *o = run(machines[_i], net);
    for (size_t i = 0; i < COUNT_OF(figures); i++)
        number(o, figures[i]);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        ck_assert_msg(json_object_get(o, others[i]) != NULL, "%s", others[i]);
    const json_t *hbm = json_object_get(o, "hbm"), *op = json_array_get(json_object_get(o, "ops"), 0);
    ck_assert(number(hbm, "bytes") > 0 && number(hbm, "bytes_per_s") < number(hbm, "peak_bytes_per_s"));
    for (size_t i = 0; i < COUNT_OF(of_op); i++)
        number(op, of_op[i]);
    ck_assert(json_is_string(json_object_get(op, "bound_by")));
    json_decref(o);
}
END_TEST

START_TEST(parts_make_the_whole)
{
    json_t *o = run(machines[_i], net);
    const json_t *ops = json_object_get(o, "ops"), *phases = json_object_get(o, "phases");
    double s = number(o, "time_s");
    near(sum_of(ops, "time_s"), s);
    near(sum_of(phases, "time_s"), s);
    near(sum_of(ops, "flops"), number(o, "flops"));
    near(sum_of(ops, "hbm_bytes"), number(json_object_get(o, "hbm"), "bytes"));
    near(sum_of(ops, "energy_j"), number(o, "energy_j"));
    near(sum_all(json_object_get(o, "energy")), number(o, "energy_j"));
    near(number(o, "average_power_w") * s, number(o, "energy_j"));
    near(number(o, "flops_per_s") * s, number(o, "flops"));
    size_t i;
    const json_t *unit;
    json_array_foreach(json_object_get(o, "units"), i, unit)
        ck_assert_double_eq_tol(sum_all(json_object_get(unit, "states")) / s, 1, 1e-6);
    json_decref(o);
}
END_TEST

START_TEST(power_over_time_is_the_energy)
{
    json_t *o = run(machines[_i], net);
    const json_t *power = json_object_get(o, "power");
    double interval = number(power, "interval_s"), left = number(o, "time_s"), joules = 0;
    size_t i;
    const json_t *watts;
    json_array_foreach(json_object_get(power, "power_w"), i, watts) {
        joules += json_number_value(watts) * (left < interval ? left : interval);
        left -= interval;
    }
    double all = number(o, "energy_j");
    ck_assert_msg(fabs(joules - all) < 0.02 * all, "%g J instead of %g J", joules, all);
    json_decref(o);
}
END_TEST

Suite *result_suite(void)
{
    Suite *s = suite_create("result");
    TCase *t = tcase_create("json");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, names_that_later_work_relies_on_are_there, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, parts_make_the_whole, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, power_over_time_is_the_energy, 0, COUNT_OF(machines));
    suite_add_tcase(s, t);
    return s;
}
