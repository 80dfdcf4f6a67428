/* test_explain.c - ops by hand: against the simulated ones, and against formulas written here. */
#include "sim/explain.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/figures.h"
#include "sim/gemm.h"
#include "tests/suites.h"
#include "traces/net.h"

static const char net[] = "simaccel-net 1\nname n\ninput 20\nbatch 9\ndense 130 gelu\n"
                          "dense 7 softmax\nloss cross_entropy\noptimizer adam\n";

static const char *const machines[] = { "tpu-mini", "tpu-v2", "tpu-v3", "tpu-v4", "tpu-v5e",
                                        "gpu-mini", "v100", "a100" };

static json_t *run_trace(const char *name, struct trace *t, const char *set, uint32_t cores)
{
    struct diag d = { .text = "" };
    int status;
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m && t && (!set || machine_set(m, set, "--set", &d)), "%s", d.text);
    struct experiment e = { .machine = m, .trace = t, .lower = { .cores = cores } };
    json_t *o = experiment_run(&e, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    trace_free(t);
    machine_free(m);
    return o;
}

static json_t *run(const char *name, const char *set)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    return run_trace(name, net_expand_memory(net, strlen(net), &options, &d), set, 0);
}

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

/* The first line of that name, in that section (NULL: any); NULL: none. */
static const json_t *line_from(const json_t *e, const char *title, const char *name)
{
    const json_t *sections = json_object_get(e, "sections");
    for (size_t s = 0; s < json_array_size(sections); s++) {
        const char *own_title = json_string_value(json_object_get(json_array_get(sections, s),
                                                                  "title"));
        if (title && strcmp(title, own_title) != 0)
            continue;
        const json_t *lines = json_object_get(json_array_get(sections, s), "lines");
        for (size_t i = 0; i < json_array_size(lines); i++) {
            const char *own = json_string_value(json_object_get(json_array_get(lines, i), "name"));
            if (own && strcmp(own + strspn(own, " "), name) == 0)
                return json_array_get(lines, i);
        }
    }
    return NULL;
}

static double value_in(const json_t *e, const char *title, const char *name)
{
    const json_t *l = line_from(e, title, name);
    ck_assert_msg(l != NULL, "%s", name);
    return number(l, "value");
}

static double value(const json_t *e, const char *name)
{
    return value_in(e, NULL, name);
}

static json_t *explained(const json_t *result, size_t op)
{
    struct diag d = { .text = "" };
    json_t *e = explain_op(result, op, &d);
    ck_assert_msg(e != NULL, "%s", d.text);
    return e;
}

static void near(double a, double b, double by)
{
    ck_assert_msg(fabs(a - b) <= by * fabs(b), "%.17g instead of %.17g", a, b);
}

static void check_width(const json_t *e)
{
    char *text, *at;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    explain_text(e, out);
    fclose(out);
    ck_assert(size > 500);
    for (at = text; *at; at += strcspn(at, "\n") + 1)
        ck_assert_msg(strcspn(at, "\n") <= 100, "%.120s", at);
    ck_assert(!strstr(text, "nan") && !strstr(text, "inf") && !strstr(text, "(null)"));
    free(text);
}

/* What is also in the result is the same there. */
static void check_op(const json_t *result, const json_t *op, const json_t *e)
{
    double time = number(op, "time_s");
    ck_assert(number(e, "simulated_s") == time && number(e, "by_hand_s") > 0);
    near(number(e, "energy_by_hand_j"), number(op, "energy_j"), 1e-9);
    ck_assert(number(e, "least_compute_s") <= time && number(e, "least_bytes_s") <= time);
    near(value(e, "simulated"), time * number(result, "clock_hz"), 1e-12);
    near(value(e, "difference"), number(e, "by_hand_s") * number(result, "clock_hz")
                                 - value(e, "simulated"), 1e-6);
    if (number(op, "hbm_bytes") > 0)
        near(value(e, "intensity"), number(op, "flops_per_byte"), 1e-12);
    check_width(e);
}

START_TEST(every_op_is_explained_and_its_numbers_are_the_results)
{
    json_t *result = run(machines[_i], NULL);
    const json_t *ops = json_object_get(result, "ops");
    ck_assert(json_array_size(ops) > 10);
    for (size_t i = 0; i < json_array_size(ops); i++) {
        json_t *e = explained(result, i);
        check_op(result, json_array_get(ops, i), e);
        json_decref(e);
    }
    json_decref(result);
}
END_TEST

START_TEST(joules_are_counts_times_prices)
{
    json_t *result = run(machines[_i], NULL), *ops = json_object_get(result, "ops");
    const json_t *prices = json_object_get(json_object_get(result, "parameters"), "energy");
    double volts = number(json_object_get(result, "energy_split"), "volts");
    for (size_t i = 0; i < json_array_size(ops); i += 3) {
        json_t *e = explained(result, i), *count;
        const char *key;
        json_object_foreach(json_object_get(json_array_get(ops, i), "counts"), key, count) {
            char price[64];
            snprintf(price, sizeof price, "%s_pj", key);
            double pj = number(json_object_get(prices, price), "value");
            double square = volts > 0 && strncmp(key, "hbm_", 4) != 0 ? volts * volts : 1;
            if (pj > 0)
                near(value_in(e, "Energy", key), json_number_value(count) * pj * square * 1e-6,
                     1e-12);
        }
        json_decref(e);
    }
    json_decref(result);
}
END_TEST

/* ---- a TPU's products ---- */

static uint64_t below(uint64_t *seed, uint64_t most)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return 1 + (*seed >> 33) % most;
}

static uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

static json_t *run_gemm(const char *name, uint64_t m, uint64_t k, uint64_t n)
{
    struct diag d = { .text = "" };
    struct gemm g = { .name = "g", .m = m, .k = k, .n = n, .type = TRACE_BF16 };
    return run_trace(name, gemm_trace(&g, &d), NULL, 1);
}

/* From the first weight to the last result, as docs/mxu.md has it. */
static uint64_t product_cycles(const struct tpu_config *c, const json_t *kind)
{
    const struct tpu_mxu_config *m = &c->mxu;
    uint64_t rows = (uint64_t)number(kind, "rows"), g = (uint64_t)m->push_rows * m->row_cycles;
    uint64_t folds = ceil_div((uint64_t)number(kind, "depth"), m->rows)
                   * ceil_div((uint64_t)number(kind, "cols"), m->cols);
    uint64_t latency = m->latency_cycles ? m->latency_cycles
                     : (m->push_rows - 1u) * m->row_cycles + m->rows + m->cols - 1;
    uint64_t push = ceil_div(m->rows, m->weight_rows_per_cycle);
    uint64_t stream = ceil_div(rows, m->push_rows) * g, most = ceil_div(folds, c->core.mxus);
    uint64_t apart = (stream > push ? stream : push) + m->swap_cycles;
    return c->core.step_cycles + push + m->swap_cycles + (most - 1) * apart + stream - g + latency
         + 1;
}

/* One product, whatever it waits for: its busy time is the formula's, to the cycle. */
static void check_product(const char *name, uint64_t m, uint64_t k, uint64_t n)
{
    struct diag d = { .text = "" };
    struct machine *machine = machine_find(&figures_schema, name, &d);
    const struct figures *f = machine_figures(machine);
    json_t *result = run_gemm(name, m, k, n);
    const json_t *op = json_array_get(json_object_get(result, "ops"), 0);
    const json_t *kinds = json_object_get(json_object_get(op, "plan"), "operations"), *kind = NULL;
    for (size_t i = 0; i < json_array_size(kinds); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(kinds, i), "unit")), "matrix")
            == 0)
            kind = json_array_get(kinds, i);
    json_t *e = explained(result, 0);
    double cycles = (double)product_cycles(&f->tpu, kind);
    double busy = number(json_object_get(op, "busy_s"), "matrix") * number(result, "clock_hz");
    near(value(e, "the product") + value(e, "drain: the last rows' way through the array"), cycles,
         1e-12);
    ck_assert_msg(fabs(busy - cycles) < 1e-3,
                  "%s %" PRIu64 "x%" PRIu64 "x%" PRIu64 ": %g instead of "
                  "%g", name, m, k, n, busy, cycles);
    json_decref(e);
    json_decref(result);
    machine_free(machine);
}

START_TEST(a_product_of_one_fold_takes_what_the_formula_says)
{
    static const char *const names[] = { "tpu-v2", "tpu-v3", "tpu-v4", "tpu-v5e" };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    uint64_t seed = 20 + (uint64_t)_i;
    printf("explain: seed %" PRIu64 "\n", seed);
    for (int i = 0; i < 12; i++)
        check_product(names[_i], below(&seed, 128), below(&seed, 128), below(&seed, 128));
}
END_TEST

/* Of several folds on one array, and a single panel. */
START_TEST(so_does_one_of_several_folds)
{
    static const struct { const char *name; uint64_t m, k, n; } cases[] = {
        { "tpu-v2", 300, 500, 200 }, { "tpu-v2", 64, 384, 256 }, { "tpu-v2", 9, 130, 129 },
    };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    check_product(cases[_i].name, cases[_i].m, cases[_i].k, cases[_i].n);
}
END_TEST

/* A figure that was set in the run is the one that is used, not the file's. */
START_TEST(the_machine_is_the_one_that_was_run)
{
    json_t *a = run("tpu-v3", NULL), *b = run("tpu-v3", "core.op_cycles=5080");
    json_t *x = explained(a, 1), *y = explained(b, 1);
    ck_assert_double_eq_tol(value(y, "time") - value(x, "time"), 5000, 1e-6);
    json_decref(x);
    json_decref(y);
    json_decref(a);
    json_decref(b);
}
END_TEST

/* ---- a GPU's blocks ---- */

START_TEST(waves_and_blocks_are_the_launchs)
{
    json_t *result = run("v100", NULL), *launches = json_object_get(result, "launches");
    const json_t *launch = json_array_get(launches, 0);
    json_t *e = explained(result, 0);
    double blocks = number(launch, "blocks"), fit = number(launch, "blocks_per_sm");
    ck_assert_double_eq(value(e, "blocks"), blocks);
    ck_assert_double_eq(value(e, "waves"), ceil(blocks / (80 * fit)));
    ck_assert_double_eq(value(e, "issue slots"),
                        number(launch, "operations") / blocks * ceil(blocks / 80) / 4);
    ck_assert(value(e, "blocks that fit an SM by registers") >= fit && value(e, "by warps") >= fit);
    json_decref(e);
    json_decref(result);
}
END_TEST

/* ---- names, and results that cannot be explained ---- */

static void check_found(const json_t *result, const char *name, const char *text)
{
    struct diag d = { .text = "" };
    size_t op = 99;
    bool found = explain_find(result, name, &op, &d);
    if (text)
        ck_assert_msg(!found && strstr(d.text, text), "%s: %s", name, d.text);
    else
        ck_assert_msg(found && op == 1, "%s: %s, %zu", name, d.text, op);
}

START_TEST(ops_are_found_by_group_op_or_tensor)
{
    json_t *result = json_loads("{\"ops\": [{\"name\": \"x.f16 = cast\", \"ops\": []},"
        "{\"name\": \"h = matmul + relu\", \"ops\": [\"matmul h\", \"relu r\"]},"
        "{\"name\": \"g = add + relu\", \"ops\": [\"add g\", \"relu q\", \"add s\"]},"
        "{\"name\": \"k = add\", \"ops\": [\"add k\", \"add s\"]}]}", 0, NULL);
    check_found(result, "h = matmul + relu", NULL);
    check_found(result, "h", NULL);
    check_found(result, "r", NULL);
    check_found(result, "relu r", NULL);
    check_found(result, "h = matmul + rel", "did you mean h = matmul + relu?");
    check_found(result, "relu", "--list");
    check_found(result, "s", "more than one");
    json_decref(result);
}
END_TEST

static void check_refused(json_t *result, const char *text)
{
    struct diag d = { .text = "" };
    ck_assert(explain_op(result, 0, &d) == NULL);
    ck_assert_msg(strstr(d.text, text), "%s", d.text);
}

START_TEST(an_older_result_is_refused)
{
    json_t *result = run(machines[_i], NULL), *op = json_array_get(json_object_get(result, "ops"),
                                                                   0);
    json_t *plan = json_incref(json_object_get(op, "plan"));
    json_object_del(op, "plan");
    check_refused(result, "older version");
    json_object_set_new(op, "plan", plan);
    json_object_del(json_object_get(json_object_get(result, "parameters"), "hbm"), "cl_ns");
    check_refused(result, "hbm.cl_ns");
    json_object_del(result, "parameters");
    check_refused(result, "parameters");
    json_object_del(result, "clock_hz");
    check_refused(result, "clock_hz");
    json_decref(result);
}
END_TEST

Suite *explain_suite(void)
{
    Suite *s = suite_create("explain");
    TCase *t = tcase_create("explain");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_op_is_explained_and_its_numbers_are_the_results, 0,
                        COUNT_OF(machines));
    tcase_add_loop_test(t, joules_are_counts_times_prices, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, a_product_of_one_fold_takes_what_the_formula_says, 0, 4);
    tcase_add_loop_test(t, so_does_one_of_several_folds, 0, 3);
    tcase_add_test(t, the_machine_is_the_one_that_was_run);
    tcase_add_test(t, waves_and_blocks_are_the_launchs);
    tcase_add_test(t, ops_are_found_by_group_op_or_tensor);
    tcase_add_loop_test(t, an_older_result_is_refused, 0, COUNT_OF(machines));
    suite_add_tcase(s, t);
    return s;
}
