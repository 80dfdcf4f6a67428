/* test_diff.c - two results that differ in one known figure, or in nothing. */
#include "sim/diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/figures.h"
#include "tests/suites.h"
#include "traces/net.h"

static json_t *run(const char *name, const char *set)
{
    static const char net[] = "simaccel-net 1\nname n\ninput 20\nbatch 9\ndense 130 relu\n"
                              "dense 7 softmax\nloss cross_entropy\noptimizer sgd\n";
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    int status;
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    struct machine *m = machine_find(&figures_schema, name, &d);
    struct trace *t = net_expand_memory(net, strlen(net), &options, &d);
    ck_assert_msg(m && t && (!set || machine_set(m, set, "--set", &d)), "%s", d.text);
    struct experiment e = { .machine = m, .trace = t };
    json_t *o = experiment_run(&e, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    trace_free(t);
    machine_free(m);
    return o;
}

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

START_TEST(a_result_and_itself_do_not_differ)
{
    json_t *a = run("gpu-mini", NULL), *o = diff_results(a, a);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "energy")), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "different_work")), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "parameters")), 0);
    json_decref(o);
    json_decref(a);
}
END_TEST

START_TEST(the_figure_that_was_set_is_the_one_that_differs)
{
    json_t *a = run("tpu-mini", NULL), *b = run("tpu-mini", "dma.load_setup_cycles=777");
    json_t *o = diff_results(a, b), *rows = json_object_get(o, "parameters");
    const json_t *row = json_array_get(rows, 0);
    ck_assert_uint_eq(json_array_size(rows), 1);
    ck_assert_str_eq(json_string_value(json_object_get(row, "name")), "dma.load_setup_cycles");
    ck_assert_double_eq(number(row, "b"), 777);
    ck_assert_double_ne(number(row, "a"), 777);
    json_decref(o);
    json_decref(a);
    json_decref(b);
}
END_TEST

/* What does not differ is left out, so the rest makes the whole difference. */
static char *text_of(const json_t *diff)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    diff_text(diff, out);
    fclose(out);
    return text;
}

START_TEST(different_work_is_said_first)
{
    json_t *a = run("gpu-mini", NULL), *b = json_deep_copy(a);
    json_object_set_new(b, "trace", json_string("other"));
    json_object_set_new(b, "batch", json_integer(10));
    json_t *o = diff_results(a, b), *rows = json_object_get(o, "different_work");
    char *text = text_of(o);
    ck_assert_uint_eq(json_array_size(rows), 2);
    ck_assert_ptr_eq(strstr(text, "a: gpu-mini; b: gpu-mini\nThese are of different work: "
                            "trace n -> other, batch 9 -> 10\n\n"), text);
    free(text);
    json_decref(o);
    json_decref(a);
    json_decref(b);
}
END_TEST

START_TEST(components_make_the_difference_of_energies)
{
    json_t *a = run("tpu-mini", NULL), *b = run("gpu-mini", NULL), *o = diff_results(a, b);
    const json_t *rows = json_object_get(o, "energy"), *row;
    double sum = 0, whole = number(b, "energy_j") - number(a, "energy_j");
    for (size_t i = 0; (row = json_array_get(rows, i)) != NULL; i++)
        sum += number(row, "b") - number(row, "a");
    ck_assert_msg(fabs(sum - whole) <= 1e-9 * number(a, "energy_j"), "%g, %g", sum, whole);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "parameters")), 0);    /* two kinds */
    json_decref(o);
    json_decref(a);
    json_decref(b);
}
END_TEST

Suite *diff_suite(void)
{
    Suite *s = suite_create("diff");
    TCase *t = tcase_create("results");
    tcase_add_test(t, a_result_and_itself_do_not_differ);
    tcase_add_test(t, the_figure_that_was_set_is_the_one_that_differs);
    tcase_add_test(t, different_work_is_said_first);
    tcase_add_test(t, components_make_the_difference_of_energies);
    suite_add_tcase(s, t);
    return s;
}
