/* test_value_run.c - runs with --values: the same cycles, energy that goes with data, dumps. */
#include "sim/value_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/figures.h"
#include "sim/gemm.h"
#include "sim/numerics.h"
#include "tests/suites.h"

static const char *const all[] = { "tpu-mini", "tpu-v3", "tpu-v4", "tpu-v5e", "gpu-mini", "v100",
                                   "a100" };

/* Those that a GPU does in a second or two; `make values` takes all. */
static const char *const workloads[] = {
    "keras.trace", "digits.trace", "iris.trace",
};

static struct machine *open_machine(const char *name, const char *set)
{
    struct diag d = { .text = "" };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    ck_assert_msg(!set || machine_set(m, set, "--set", &d), "%s", d.text);
    return m;
}

static json_t *run(const struct machine *m, const struct trace *t, const struct value_asked *a,
                   bool exact)
{
    struct diag d = { .text = "" };
    int status = 0;
    struct experiment e = { .machine = m, .trace = t, .exact = exact };
    json_t *result = value_experiment(a, &e, &d, &status);
    ck_assert_msg(result != NULL, "%s", d.text);
    return result;
}

static struct trace *load(const char *workload)
{
    char path[128];
    struct diag d = { .text = "" };
    snprintf(path, sizeof path, "workloads/%s", workload);
    struct trace *t = trace_load(path, NULL, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static struct trace *product(const char *sizes, enum trace_type type)
{
    struct gemm g = { .type = type };
    struct diag d = { .text = "" };
    ck_assert(gemm_parse(&g, sizes));
    struct trace *t = gemm_trace(&g, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static double number(const json_t *o, const char *object, const char *key)
{
    return json_number_value(json_object_get(object ? json_object_get(o, object) : o, key));
}

/* ---- cycles and counts ---- */

/* Of a result all but what goes with data. */
static void drop_energies(json_t *o)
{
    static const char *const keys[] = { "energy_j", "average_power_w", "energy", "power", "values",
                                        "toggles" };
    size_t i;
    json_t *element;
    for (size_t k = 0; k < COUNT_OF(keys); k++)
        json_object_del(o, keys[k]);
    json_array_foreach(json_object_get(o, "phases"), i, element)
        json_object_del(element, "energy_j");
    json_array_foreach(json_object_get(o, "ops"), i, element)
        json_object_del(element, "energy_j");
    json_array_foreach(json_object_get(o, "launches"), i, element)
        json_object_del(element, "energy_j");
}

START_TEST(values_move_no_cycle)
{
    struct machine *m = open_machine(all[_i % COUNT_OF(all)], NULL);
    struct trace *t = load(workloads[(size_t)_i / COUNT_OF(all)]);
    struct value_asked without = VALUE_ASKED, with = { .values = true, .seed = 5 };
    json_t *a = run(m, t, &without, false), *b = run(m, t, &with, false);
    ck_assert_ptr_null(json_object_get(a, "values"));
    ck_assert_ptr_nonnull(json_object_get(b, "values"));
    ck_assert(number(a, NULL, "energy_j") != number(b, NULL, "energy_j"));
    drop_energies(a);
    drop_energies(b);
    ck_assert(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    trace_free(t);
    machine_free(m);
}
END_TEST

/* The register-exact array: the same cycles and the same values. */
START_TEST(exact_arrays_give_the_same)
{
    static const char *const tpus[] = { "tpu-mini", "tpu-v3" };
    struct machine *m = open_machine(tpus[_i % 2], NULL);
    struct trace *t = load(workloads[_i / 2]);
    struct value_asked asked = { .values = true, .seed = 5 };
    json_t *fast = run(m, t, &asked, false), *exact = run(m, t, &asked, true);
    ck_assert(json_equal(fast, exact));
    json_decref(fast);
    json_decref(exact);
    trace_free(t);
    machine_free(m);
}
END_TEST

/* ---- energy ---- */

static json_t *filled(const struct machine *m, const struct trace *t, enum value_fill fill,
                      bool clock)
{
    struct value_asked a = { .values = true, .fill = fill, .seed = 1, .clock_from_values = clock };
    return run(m, t, &a, false);
}

/* A TPU's HBM: 3.0 pJ a bit read on zeros, 4.8 where half of the bits change; 2.0, 3.2 written. */
START_TEST(memory_costs_what_its_bits_do)
{
    struct machine *m = open_machine("tpu-v3", NULL);
    struct trace *t = product("256x256x256", TRACE_BF16);
    for (int fill = VALUE_ZEROS; fill <= VALUE_RANDOM; fill++) {
        json_t *r = filled(m, t, fill, false);
        const json_t *bus = json_object_get(json_object_get(r, "toggles"), "hbm");
        double share = number(bus, NULL, "changed") / number(bus, NULL, "bits");
        double read = 8 * number(r, "hbm", "read_bytes");
        double written = 8 * number(r, "hbm", "written_bytes");
        ck_assert_double_eq_tol(number(r, "energy", "hbm_read") / read,
                                (3.0 + 1.8 * 2 * share) * 1e-12, 1e-16);
        ck_assert_double_eq_tol(number(r, "energy", "hbm_write") / written,
                                (2.0 + 1.2 * 2 * share) * 1e-12, 1e-16);
        ck_assert(fill == VALUE_ZEROS ? share == 0 : share > 0.3 && share < 0.5);
        json_decref(r);
    }
    trace_free(t);
    machine_free(m);
}
END_TEST

static const struct { const char *machine, *component; enum trace_type type; } units[] = {
    { "tpu-v3", "matrix_units", TRACE_BF16 }, { "v100", "tensor_cores", TRACE_F16 },
    { "a100", "tensor_cores", TRACE_BF16 }, { "v100", "float_lanes", TRACE_F32 },
};

/* Multiplying zeros costs about a third; random numbers what is usual, for that is their price. */
START_TEST(zeros_are_cheap_to_multiply)
{
    struct machine *m = open_machine(units[_i].machine, NULL);
    struct trace *t = product("256x512x256", units[_i].type);
    struct value_asked without = VALUE_ASKED;
    json_t *usual = run(m, t, &without, false);
    json_t *zeros = filled(m, t, VALUE_ZEROS, false);
    json_t *random = filled(m, t, VALUE_RANDOM, false);
    double u = number(usual, "energy", units[_i].component);
    double z = number(zeros, "energy", units[_i].component) / u;
    double r = number(random, "energy", units[_i].component) / u;
    ck_assert_msg(z > 0.3 && z < 0.5, "zeros %g", z);
    ck_assert_msg(r > 0.97 && r < 1.03, "random %g", r);
    ck_assert_double_eq(number(zeros, NULL, "time_s"), number(usual, NULL, "time_s"));
    json_decref(usual);
    json_decref(zeros);
    json_decref(random);
    trace_free(t);
    machine_free(m);
}
END_TEST

/* At a power limit zeros run at a higher clock, but only if asked. */
START_TEST(the_clock_goes_by_values_only_if_asked)
{
    struct machine *m = open_machine("v100", "power.limit_w=90");
    struct trace *t = product("512x512x512", TRACE_F16);
    struct value_asked without = VALUE_ASKED;
    json_t *usual = run(m, t, &without, false);
    json_t *zeros = filled(m, t, VALUE_ZEROS, false);
    json_t *asked = filled(m, t, VALUE_ZEROS, true);
    json_t *random = filled(m, t, VALUE_RANDOM, true);
    ck_assert_str_eq(json_string_value(json_object_get(usual, "clock_by")), "power limit");
    ck_assert_double_eq(number(zeros, NULL, "clock_hz"), number(usual, NULL, "clock_hz"));
    ck_assert_double_lt(number(zeros, NULL, "average_power_w"), 88);
    ck_assert_double_gt(number(asked, NULL, "clock_hz"), 1.01 * number(usual, NULL, "clock_hz"));
    ck_assert_double_gt(number(asked, NULL, "clock_hz"), 1.01 * number(random, NULL, "clock_hz"));
    json_decref(usual);
    json_decref(zeros);
    json_decref(asked);
    json_decref(random);
    trace_free(t);
    machine_free(m);
}
END_TEST

/* ---- dumps ---- */

static float npy_at(const char *folder, const char *file, const char *shape, uint32_t element)
{
    char path[200], head[128];
    float x = 0;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s", path);
    ck_assert_uint_eq(fread(head, 1, sizeof head, in), sizeof head);
    ck_assert_mem_eq(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    ck_assert_int_eq(head[127], '\n');
    head[127] = '\0';
    ck_assert_msg(strstr(head + 10, shape) != NULL, "%s", head + 10);
    ck_assert_int_eq(fseek(in, 4L * element, SEEK_CUR), 0);
    ck_assert_uint_eq(fread(&x, sizeof x, 1, in), 1);
    fclose(in);
    return x;
}

/* relu of a product with one weight: the numbers can be worked out from the files alone. */
START_TEST(a_dump_is_what_was_computed)
{
    static const char text[] = "simaccel-trace 1\ntensor x input f32 3x1\ntensor w weight f32 1x2\n"
        "tensor y activation f32 3x2\ntensor h output f32 3x2\n"
        "forward matmul y = x w compute=f32\nforward relu h = y\n";
    char folder[] = "/tmp/simaccel-test-XXXXXX", command[64];
    struct diag d = { .text = "" };
    struct trace *t = trace_read_memory(text, sizeof text - 1, &d);
    struct machine *m = open_machine(_i ? "gpu-mini" : "tpu-mini", NULL);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(rmdir(folder), 0);
    struct value_asked a = { .values = true, .fill = VALUE_RANDOM, .seed = 4, .dump = folder };
    json_decref(run(m, t, &a, false));
    for (uint32_t i = 0; i < 6; i++) {
        float x = npy_at(folder, "before/x.npy", "'shape': (3, 1,)", i / 2);
        float w = npy_at(folder, "before/w.npy", "'shape': (1, 2,)", i % 2), y = x * w;
        float h = npy_at(folder, "after/h.npy", "'shape': (3, 2,)", i);
        ck_assert_float_eq_tol(h, y > 0 ? y : 0, 0x1p-7f);
        ck_assert(x != 0 && w != 0);
    }
    /* A second time: it is there already. */
    int status = 0;
    struct experiment e = { .machine = m, .trace = t };
    ck_assert_ptr_null(value_experiment(&a, &e, &d, &status));
    ck_assert_int_eq(status, 2);
    ck_assert_msg(strstr(d.text, "expected a new folder") != NULL, "%s", d.text);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    trace_free(t);
    machine_free(m);
}
END_TEST

/* ---- numerics ---- */

/* Targets near the outputs make small gradients: f16 loses them, bf16 does not, and f16 with a
 * loss scale does not either. */
static const char quiet_net[] =
    "simaccel-net 1\nname quiet\ninput 4\nbatch 8\ndense 16 relu\ndense 3 linear\n"
    "loss mean_squared_error\noptimizer sgd lr=0.001\n";

/* Numbers of the machine's tensor that are not 0 and have not all their digits. */
static void check_subnormals(const struct values *v, const json_t *found)
{
    const struct trace *t = values_trace(v);
    uint32_t tensor = trace_find(t, json_string_value(json_object_get(found, "name")));
    double least = t->tensors[tensor].type == TRACE_F16 ? 0x1p-14 : 0x1p-126, x[8 * 16];
    uint64_t count = trace_elements(&t->tensors[tensor]), below = 0;
    ck_assert_uint_le(count, COUNT_OF(x));
    ck_assert(values_get(v, tensor, x));
    for (uint64_t i = 0; i < count; i++)
        below += x[i] != 0 && x[i] > -least && x[i] < least;
    ck_assert_uint_eq((uint64_t)number(found, NULL, "subnormal"), below);
}

static uint64_t lost(const char *machine, double scale, double *error)
{
    struct diag d = { .text = "" };
    struct net *n = net_read_memory(quiet_net, strlen(quiet_net), &d);
    ck_assert_msg(n != NULL, "%s", d.text);
    struct net_options expand = { .loss_scale = scale };
    struct trace *t = net_expand(n, &expand, &d);
    struct machine *m = open_machine(machine, NULL);
    struct values *v = values_new(&(struct values_use){ .machine = m, .trace = t }, &d);
    struct numerics *study = numerics_new(n, &expand, v, &d);
    ck_assert_msg(study != NULL, "%s", d.text);
    values_fill(v, 3);
    double small[8 * 4], target[8 * 3] = { 0 };
    for (int i = 0; i < 8 * 4; i++)
        small[i] = 0x1p-19 * (i % 7 - 3);       /* exact in f16 */
    values_set(v, trace_find(t, "x"), small);
    values_set(v, trace_find(t, "t"), target);
    numerics_before(study);
    ck_assert(values_step(v, 0, NULL, &d));
    json_t *tensors = numerics_after(study), *x;
    uint64_t sum = 0;
    size_t i;
    *error = 0;
    json_array_foreach(tensors, i, x) {
        double e = number(x, NULL, "error");
        check_subnormals(v, x);
        sum += (uint64_t)number(x, NULL, "lost");
        *error = e > *error ? e : *error;
    }
    json_decref(tensors);
    numerics_free(study);
    values_free(v);
    machine_free(m);
    trace_free(t);
    net_free(n);
    return sum;
}

START_TEST(a_loss_scale_saves_small_gradients)
{
    double bf16, f16, scaled;
    ck_assert_uint_eq(lost("tpu-v3", 0, &bf16), 0);
    ck_assert_uint_gt(lost("v100", 0, &f16), 5);
    ck_assert_uint_eq(lost("v100", 65536, &scaled), 0);
    ck_assert_double_gt(f16, 0.1);
    ck_assert_double_lt(scaled, 0.02);
    ck_assert_double_lt(bf16, 0.05);
}
END_TEST

Suite *value_run_suite(void)
{
    Suite *s = suite_create("value_run");
    TCase *t = tcase_create("value_run");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, values_move_no_cycle, 0, COUNT_OF(all) * COUNT_OF(workloads));
    tcase_add_loop_test(t, exact_arrays_give_the_same, 0, 6);
    tcase_add_test(t, memory_costs_what_its_bits_do);
    tcase_add_loop_test(t, zeros_are_cheap_to_multiply, 0, COUNT_OF(units));
    tcase_add_test(t, the_clock_goes_by_values_only_if_asked);
    tcase_add_loop_test(t, a_dump_is_what_was_computed, 0, 2);
    tcase_add_test(t, a_loss_scale_saves_small_gradients);
    suite_add_tcase(s, t);
    return s;
}
