/* test_compare.c - cells against a result's own sums and sums by hand; rows against flood fill. */
#include "sim/compare.h"
#include "sim/compare_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare_match.h"
#include "tests/sim/compare_rig.h"
#include "tests/suites.h"

static const char *word(const json_t *o, const char *key, const char *inside)
{
    const char *text = json_string_value(json_object_get(json_object_get(o, key), inside));
    return text ? text : "";
}

static const json_t *cell(const json_t *row, size_t machine)
{
    return json_array_get(json_object_get(row, "on"), machine);
}

/* ---- real runs ---- */

static void check_sum(const json_t *comparison, const char *rows, size_t machine, const char *key,
                      double whole)
{
    const json_t *list = json_object_get(comparison, rows), *row;
    double sum = 0;
    for (size_t i = 0; (row = json_array_get(list, i)) != NULL; i++)
        sum += number(cell(row, machine), key);
    ck_assert_msg(fabs(sum - whole) <= 1e-9 * whole, "%s %s of %s: %.17g, run %.17g", rows, key,
                  compare_names[machine], sum, whole);
}

START_TEST(phases_and_ops_add_up_to_the_runs_own_results)
{
    static const char *const lists[] = { "phases", "ops" };
    struct rig r;
    open_rig(&r);
    run_rig(&r, 2);
    json_t *o = compare_results(r.results, MACHINES, r.trace->batch);
    for (size_t m = 0; m < MACHINES; m++)
        for (size_t l = 0; l < COUNT_OF(lists); l++) {
            check_sum(o, lists[l], m, "time_s", number(r.results[m], "time_s"));
            check_sum(o, lists[l], m, "energy_j", number(r.results[m], "energy_j"));
            check_sum(o, lists[l], m, "flops", number(r.results[m], "flops"));
            check_sum(o, lists[l], m, "hbm_bytes",
                      number(json_object_get(r.results[m], "hbm"), "bytes"));
        }
    json_decref(o);
    close_rig(&r);
}
END_TEST

START_TEST(a_total_is_the_results_own)
{
    static const char *const same[] = { "time_s", "energy_j", "average_power_w", "flops_per_s" };
    struct rig r;
    open_rig(&r);
    run_rig(&r, 1);
    json_t *o = compare_results(r.results, MACHINES, 9);
    for (size_t m = 0; m < MACHINES; m++) {
        const json_t *c = cell(json_object_get(o, "all"), m);
        for (size_t i = 0; i < COUNT_OF(same); i++) {
            double a = number(c, same[i]), b = number(r.results[m], same[i]);
            ck_assert_msg(fabs(a - b) <= 1e-12 * b, "%s %s: %g, %g", compare_names[m], same[i], a, b);
        }
        ck_assert_double_eq_tol(number(c, "energy_per_sample_j") * 9, number(c, "energy_j"), 1e-12);
    }
    json_decref(o);
    close_rig(&r);
}
END_TEST

/* Every op of the trace is on every machine; what is on one alone is what a lowering added. */
START_TEST(only_added_ops_are_on_one_machine_alone)
{
    struct rig r;
    open_rig(&r);
    run_rig(&r, 4);
    json_t *o = compare_results(r.results, MACHINES, 9);
    const json_t *ops = json_object_get(o, "ops"), *op;
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        for (size_t m = 0; m < MACHINES; m++)
            ck_assert_msg(json_is_object(cell(op, m)) || json_is_true(json_object_get(op, "added")),
                          "%s", json_string_value(json_object_get(op, "name")));
    json_decref(o);
    close_rig(&r);
}
END_TEST

START_TEST(results_do_not_depend_on_how_many_run_at_once)
{
    struct rig a, b;
    open_rig(&a);
    open_rig(&b);
    run_rig(&a, 1);
    run_rig(&b, 3);
    for (int i = 0; i < MACHINES; i++)
        ck_assert(json_equal(a.results[i], b.results[i]));
    close_rig(&a);
    close_rig(&b);
}
END_TEST

START_TEST(a_run_that_fails_says_why_and_leaves_the_others)
{
    struct rig r;
    struct diag d = { .text = "" };
    open_rig(&r);
    ck_assert(machine_set((struct machine *)r.runs[0].experiment.machine, "hbm.rc_ns=0", "--set", &d)
              && machine_set((struct machine *)r.runs[0].experiment.machine, "vmem.capacity_bytes=4096",
                             "--set", &d));
    together_run(r.runs, MACHINES, 2);
    ck_assert_ptr_null(r.runs[0].result);
    ck_assert_int_ne(r.runs[0].status, 0);
    ck_assert_str_ne(r.runs[0].diag.text, "");
    for (int i = 0; i < MACHINES; i++) {
        ck_assert(i == 0 || r.runs[i].result);
        r.results[i] = r.runs[i].result;
    }
    close_rig(&r);
}
END_TEST

/* ---- by hand ---- */

/* Ops of 3 s and 1 s; peak 100 FLOP/s; HBM 20 B/s. */
static const char by_hand[] =
    "{'machine': 'm', 'kind': 'gpu', 'time_s': 4.0, 'energy_j': 8.0, 'flops': 120,"
    " 'peak_flops_per_s': 100.0, 'hbm': {'bytes': 40, 'peak_bytes_per_s': 20.0}, 'ops': ["
    "  {'name': 'a', 'phase': 'forward', 'ops': ['matmul a', 'relu b'], 'time_s': 3.0, 'flops': 90,"
    "   'energy_j': 7.0, 'hbm_bytes': 6, 'bound_by': 'latency', 'busy_s': {'l2': 1.5, 'hbm': 0.3},"
    "   'plan': {'type': 'f16'}},"
    "  {'name': 'c', 'phase': 'forward', 'ops': ['sgd c'], 'time_s': 1.0, 'flops': 30,"
    "   'energy_j': 1.0, 'hbm_bytes': 34, 'bound_by': 'hbm bandwidth',"
    "   'busy_s': {'l2': 0.1, 'hbm': 1.0}}],"
    " 'launches': [{'kernel': 'gemm_f16_nn', 'op': 'a', 'time_s': 2.5,"
    "   'cycles': {'issued': 50, 'l1': 20, 'hbm': 30}},"
    "  {'kernel': 'sgd', 'op': 'c', 'time_s': 0.5, 'cycles': {'issued': 1, 'l1': 60, 'hbm': 39}}]}";

static json_t *parse(const char *quoted)
{
    char text[2048];
    snprintf(text, sizeof text, "%s", quoted);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *o = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(o);
    return o;
}

START_TEST(cells_are_what_they_are_by_hand)
{
    json_t *result = parse(by_hand), *o = compare_results(&result, 1, 16);
    const json_t *all = cell(json_object_get(o, "all"), 0);
    const json_t *a = cell(json_array_get(json_object_get(o, "ops"), 0), 0);
    ck_assert_double_eq(number(all, "flops_per_s"), 30);            /* 120 / 4 */
    ck_assert_double_eq(number(all, "peak_fraction"), 0.3);
    ck_assert_double_eq(number(all, "hbm_fraction"), 0.5);          /* 40 / 4 of 20 */
    ck_assert_double_eq(number(all, "average_power_w"), 2);
    ck_assert_double_eq(number(all, "energy_per_sample_j"), 0.5);   /* 8 / 16 */
    ck_assert_str_eq(word(all, "bound_by", "name"), "latency");
    ck_assert_double_eq(number(json_object_get(all, "bound_by"), "fraction"), 0.75);
    ck_assert_str_eq(word(all, "unit", "name"), "l2");              /* 1.6 of 4; hbm 1.3 */
    ck_assert_double_eq(number(json_object_get(all, "unit"), "fraction"), 0.4);
    ck_assert_str_eq(word(all, "stall", "name"), "l1");             /* 80; hbm 69 */
    ck_assert_double_eq(number(json_object_get(all, "stall"), "fraction"), 0.4);    /* of 200 */
    ck_assert_str_eq(word(all, "stall", "unit"), "schedulers");
    ck_assert_double_eq(number(json_object_get(all, "stall"), "works"), 0.255);     /* 51 */
    ck_assert_double_eq_tol(number(all, "no_kernel_fraction"), 0.25, 1e-12);        /* 3 of 4 s */
    ck_assert_double_eq(number(a, "hbm_fraction"), 0.1);            /* 6 / 3 of 20 */
    ck_assert_str_eq(word(a, "stall", "name"), "hbm");              /* 30 of 100; l1 20 */
    const json_t *m = json_array_get(json_object_get(o, "machines"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(m, "multiplied")), "f16");
    json_decref(o);
    json_decref(result);
}
END_TEST

/* Two products of 600 multiply-accumulates: a TPU's first takes six passes, both at 400 FLOP/s; a
 * GPU's are at 100 and 400.  HBM refreshes for 1 of 4 ns, or not at all. */
static const char products[] =
    "{'machine': 'm', 'kind': '%s', 'time_s': 99.0, 'energy_j': 8.0, 'flops': 2400,"
    " 'peak_flops_per_s': 400.0, 'hbm': {'peak_bytes_per_s': 20.0}, 'parameters': {'hbm': {"
    "  'refresh': {'value': '%s'}, 'rfc_ns': {'value': 1.0}, 'refi_ns': {'value': 4.0}}}, 'ops': ["
    "  {'name': 'a', 'phase': 'forward', 'time_s': %d, 'macs': %d, 'mxu_utilization': 0.5,"
    "   'plan': {'type': 'f32', 'cut': {'passes': %d}}},"
    "  {'name': 'b', 'phase': 'forward', 'time_s': 12.0, 'macs': 600, 'mxu_utilization': 0.25,"
    "   'plan': {'type': 'f16', 'cut': {'passes': 1}}}]}";

static void check_products(json_t *result, const char *first, double at_most, double left)
{
    json_t *o = compare_results(&result, 1, 16);
    const json_t *m = json_array_get(json_object_get(o, "machines"), 0);
    const json_t *fractions = json_object_get(m, "multiplied_fractions");
    ck_assert_uint_eq(json_object_size(fractions), 2);
    ck_assert_double_eq(number(fractions, first), 0.5);
    ck_assert_double_eq_tol(number(m, "products_at_most_flops_per_s"), at_most, 1e-9);
    ck_assert_double_eq(number(m, "hbm_after_refreshes_bytes_per_s"), left);
    json_decref(o);
    json_decref(result);
}

START_TEST(products_reach_what_their_types_and_passes_let_them)
{
    char text[1200];
    snprintf(text, sizeof text, products, "tpu", "all_bank", 36, 3600, 6);
    check_products(parse(text), "f32 in six bf16 passes", 2400.0 / (18 + 3), 15);
    snprintf(text, sizeof text, products, "gpu", "none", 24, 600, 1);
    check_products(parse(text), "f32", 2400.0 / (12 + 3), 20);
}
END_TEST

/* Ops of 3 s and 1 s, in which the vector unit works for 1.5 s and 0.1 s. */
static const char tpu_by_hand[] =
    "{'machine': 'm', 'kind': 'tpu', 'time_s': 4.0, 'energy_j': 8.0, 'flops': 120, 'hbm': {},"
    " 'ops': [{'name': 'a', 'phase': 'forward', 'time_s': 3.0, 'states': {"
    "   'matrix': {'busy': 0.5, 'wait_load': 2.0, 'wait_op': 0.5},"
    "   'vector': {'busy': 1.5, 'wait_matrix': 1.5}, 'load': {'busy': 3.0}}},"
    "  {'name': 'c', 'phase': 'update', 'time_s': 1.0, 'states': {"
    "   'matrix': {'idle': 1.0}, 'vector': {'busy': 0.1, 'wait_load': 0.6, 'wait_store': 0.3},"
    "   'load': {'busy': 1.0}}}]}";

static void check_stall(const json_t *c, const char *unit, const char *name, double fraction,
                        double works)
{
    ck_assert_str_eq(word(c, "stall", "unit"), unit);
    ck_assert_str_eq(word(c, "stall", "name"), name);
    ck_assert_double_eq_tol(number(json_object_get(c, "stall"), "fraction"), fraction, 1e-12);
    ck_assert_double_eq_tol(number(json_object_get(c, "stall"), "works"), works, 1e-12);
    ck_assert(json_is_null(json_object_get(c, "no_kernel_fraction")));
}

START_TEST(a_tpu_waits_where_its_busiest_unit_does)
{
    json_t *result = parse(tpu_by_hand), *o = compare_results(&result, 1, 16);
    const json_t *phases = json_object_get(o, "phases");
    check_stall(cell(json_array_get(phases, 0), 0), "vector", "wait_matrix", 0.5, 0.5);
    check_stall(cell(json_array_get(phases, 1), 0), "vector", "wait_load", 0.6, 0.1);
    check_stall(cell(json_object_get(o, "all"), 0), "vector", "wait_matrix", 0.375, 0.4);
    json_decref(o);
    json_decref(result);
}
END_TEST

/* As they would be typed; what was not given, or changes no result, is not there. */
START_TEST(options_are_said_as_they_were_given)
{
    struct run_options run = { .threads = 3, .clock_mhz = 1200.5, .ideals = { "hbm", "launch" },
                               .ideal_count = 2, .sample = true };
    struct net_options net = { .batch = 64, .inference = true };
    struct run_options bare = { .threads = 3 };
    json_t *none = compare_options(&bare, &(struct net_options){ .batch = 0 });
    run.choice.sets[0] = "mxu.rows=64";
    run.choice.count = 1;
    run.lower.cores = 1;
    run.lower.highest = true;
    json_t *o = compare_options(&run, &net);
    char *words = compare_options_words(o), *nothing = compare_options_words(none);
    ck_assert_str_eq(words, "--inference --batch 64 --cores 1 --precision highest --clock 1200.5 "
                     "--sample --ideal hbm --ideal launch --set mxu.rows=64");
    ck_assert_str_eq(nothing, "");
    ck_assert_uint_eq(json_object_size(none), 0);
    free(words);
    free(nothing);
    json_decref(none);
    json_decref(o);
}
END_TEST

START_TEST(a_result_beside_itself_is_the_same_in_every_cell)
{
    json_t *result = parse(by_hand), *both[] = { result, result };
    json_t *o = compare_results(both, 2, 0);
    const json_t *ops = json_object_get(o, "ops"), *op;
    ck_assert_uint_eq(json_array_size(ops), 2);
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        ck_assert(json_equal((json_t *)cell(op, 0), (json_t *)cell(op, 1)));
    ck_assert(json_is_null(json_object_get(cell(json_object_get(o, "all"), 0),
                                           "energy_per_sample_j")));
    json_decref(o);
    json_decref(result);
}
END_TEST

/* ---- rows ---- */

#define TRACE 12            /* ops of the trace; each machine cuts them into groups at random */
#define GROUPS (2 * TRACE)

/* A cut after an op with probability one half; here and there an added op between. */
static json_t *cut(unsigned *seed)
{
    json_t *groups = json_array(), *inside = json_array();
    for (int i = 0; i < TRACE; i++) {
        char name[16];
        snprintf(name, sizeof name, "op %d", i);
        json_array_append_new(inside, json_string(name));
        if (i < TRACE - 1 && rand_r(seed) % 2)
            continue;
        json_array_append_new(groups, json_pack("{s:s, s:o}", "name", "group", "ops", inside));
        inside = json_array();
        if (rand_r(seed) % 4 == 0) {
            snprintf(name, sizeof name, "x%d = cast", rand_r(seed) % 3);
            json_array_append_new(groups, json_pack("{s:s, s:[]}", "name", name, "ops"));
        }
    }
    json_decref(inside);
    return groups;
}

static bool share(const json_t *a, const json_t *b)
{
    const json_t *x = json_object_get(a, "ops"), *y = json_object_get(b, "ops");
    if (json_array_size(x) == 0 || json_array_size(y) == 0)
        return json_array_size(x) == json_array_size(y)
            && json_equal(json_object_get(a, "name"), json_object_get(b, "name"));
    for (size_t i = 0; i < json_array_size(x); i++)
        for (size_t j = 0; j < json_array_size(y); j++)
            if (json_equal(json_array_get(x, i), json_array_get(y, j)))
                return true;
    return false;
}

/* Whether each two groups are in a row, by going on until nothing changes. */
START_TEST(rows_are_what_shared_ops_connect)
{
    unsigned seed = 1 + (unsigned)_i;
    static const json_t *group[3 * GROUPS];
    static bool together[3 * GROUPS][3 * GROUPS];
    size_t row[3 * GROUPS], n = 0;
    json_t *ops[3];
    for (int m = 0; m < 3; m++)
        ops[m] = cut(&seed);
    struct compare_match match = compare_match(ops, 3);
    for (int m = 0; m < 3; m++)
        for (size_t i = 0; i < json_array_size(ops[m]); i++, n++) {
            group[n] = json_array_get(ops[m], i);
            row[n] = match.row[m][i];
            ck_assert_uint_lt(row[n], match.rows);
        }
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            together[a][b] = share(group[a], group[b]);
    for (size_t k = 0; k < n; k++)
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < n; b++)
                together[a][b] |= together[a][k] && together[k][b];
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            ck_assert_msg(together[a][b] == (row[a] == row[b]), "seed %d: groups %zu, %zu", 1 + _i, a, b);
    compare_match_free(&match);
    for (int m = 0; m < 3; m++)
        json_decref(ops[m]);
}
END_TEST

/* ---- what is written ---- */

START_TEST(csv_has_a_row_a_cell)
{
    json_t *result = parse(by_hand), *both[] = { result, result };
    json_t *o = compare_results(both, 2, 4);
    char *text = NULL;
    size_t size, lines = 0;
    FILE *out = open_memstream(&text, &size);
    compare_csv(o, out);
    fclose(out);
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    ck_assert_uint_eq(lines, 1 + 2 * (1 + 1 + 2));      /* head; all, a phase, two ops */
    ck_assert_ptr_nonnull(strstr(text, "\nop,c,m,1,1,30,34,1,30,0.29999999999999999,34,1.7,0.25,"
                                       "hbm bandwidth,1,hbm,1,l1,"));
    free(text);
    json_decref(o);
    json_decref(result);
}
END_TEST

Suite *compare_suite(void)
{
    Suite *s = suite_create("compare");
    TCase *cells = tcase_create("cells"), *rows = tcase_create("rows"), *runs = tcase_create("runs");
    tcase_add_test(cells, cells_are_what_they_are_by_hand);
    tcase_add_test(cells, a_tpu_waits_where_its_busiest_unit_does);
    tcase_add_test(cells, products_reach_what_their_types_and_passes_let_them);
    tcase_add_test(cells, options_are_said_as_they_were_given);
    tcase_add_test(cells, a_result_beside_itself_is_the_same_in_every_cell);
    tcase_add_test(cells, csv_has_a_row_a_cell);
    tcase_add_loop_test(rows, rows_are_what_shared_ops_connect, 0, 200);
    tcase_add_test(runs, phases_and_ops_add_up_to_the_runs_own_results);
    tcase_add_test(runs, a_total_is_the_results_own);
    tcase_add_test(runs, only_added_ops_are_on_one_machine_alone);
    tcase_add_test(runs, results_do_not_depend_on_how_many_run_at_once);
    tcase_add_test(runs, a_run_that_fails_says_why_and_leaves_the_others);
    suite_add_tcase(s, cells);
    suite_add_tcase(s, rows);
    suite_add_tcase(s, runs);
    return s;
}
