/* test_explain_numbers.c - what a pocket calculator makes of each line of an explanation. */
#include "sim/explain.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/figures.h"
#include "tests/suites.h"
#include "traces/text.h"
#include "traces/net.h"

static const char small[] = "simaccel-net 1\nname n\ninput 20\nbatch 9\ndense 130 gelu\n"
                            "dense 7 softmax\nloss cross_entropy\noptimizer adam\n";

/* ---- the calculator: sum = product +- ..., product = power x / ..., power = one ^ one ---- */

struct reading { const char *at; double largest; };     /* largest: number seen so far */

static double sum(struct reading *r);

static void blanks(struct reading *r) { r->at += strspn(r->at, " "); }

static bool take(struct reading *r, const char *word)
{
    blanks(r);
    if (strncmp(r->at, word, strlen(word)) != 0)
        return false;
    r->at += strlen(word);
    return true;
}

static double call(struct reading *r)
{
    static const char *const names[] = { "ceil(", "floor(", "sqrt(", "max(", "min(", "(" };
    size_t f = 0;
    while (f < COUNT_OF(names) && !take(r, names[f]))
        f++;
    ck_assert_msg(f < COUNT_OF(names), "%s", r->at);
    double a = sum(r);
    while (take(r, ",")) {
        double b = sum(r);
        a = f == 3 ? fmax(a, b) : fmin(a, b);
    }
    ck_assert_msg(take(r, ")"), "%s", r->at);
    return f == 0 ? ceil(a - 1e-9) : f == 1 ? floor(a + 1e-9) : f == 2 ? sqrt(a) : a;
}

static double one(struct reading *r)
{
    blanks(r);
    if (take(r, "-"))
        return -one(r);
    if (!isdigit((unsigned char)*r->at))
        return call(r);
    char *end;
    double value = strtod(r->at, &end);
    r->at = end;
    r->largest = fmax(r->largest, value);
    if (!take(r, "us"))
        take(r, "MHz");
    return take(r, "^") ? pow(value, one(r)) : value;
}

static double product(struct reading *r)
{
    double a = one(r);
    for (;;) {
        if (take(r, "x "))
            a *= one(r);
        else if (take(r, "/ "))
            a /= one(r);
        else
            return a;
    }
}

static double sum(struct reading *r)
{
    double a = product(r);
    for (;;) {
        if (take(r, "+ "))
            a += product(r);
        else if (take(r, "- "))
            a -= product(r);
        else
            return a;
    }
}

/* ---- the lines ---- */

/* Six digits are printed of each number; what is left of two large ones has fewer. */
static void check_line(const char *op, const json_t *line)
{
    const char *text = json_string_value(json_object_get(line, "numbers"));
    const char *unit = json_string_value(json_object_get(line, "unit"));
    double value = json_number_value(json_object_get(line, "value"));
    if (!text || !*text)
        return;
    struct reading r = { .at = text, .largest = 0 };
    double found = sum(&r) * (strcmp(unit, "%") == 0 ? 100 : 1);
    blanks(&r);
    bool is_difference = strstr(text, " - ") != NULL;
    double by = 1e-4 * fabs(value) + (is_difference ? 1e-4 * r.largest : 1e-6);
    ck_assert_msg(*r.at == '\0' && fabs(found - value) <= by, "%s: %s = %s is %.9g, printed %.9g",
                  op, json_string_value(json_object_get(line, "name")), text, found, value);
}

static size_t check_op(const json_t *result, size_t op)
{
    struct diag d = { .text = "" };
    json_t *e = explain_op(result, op, &d), *section, *line;
    size_t s, l, count = 0;
    ck_assert_msg(e != NULL, "%s", d.text);
    json_array_foreach(json_object_get(e, "sections"), s, section) {
        json_array_foreach(json_object_get(section, "lines"), l, line) {
            check_line(json_string_value(json_object_get(e, "op")), line);
            count++;
        }
    }
    json_decref(e);
    return count;
}

/* NULL: the small network above. */
static json_t *run(const char *name, const char *path, bool exact)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    size_t size = strlen(small);
    int status;
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    char *text = path ? text_load_most(path, 1 << 20, &size, &d) : NULL;
    struct trace *t = net_expand_memory(path ? text : small, size, &options, &d);
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m && t, "%s", d.text);
    struct experiment e = { .machine = m, .trace = t, .lower = { .highest = exact } };
    json_t *o = experiment_run(&e, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    trace_free(t);
    machine_free(m);
    free(text);
    return o;
}

static const struct { const char *machine, *net; bool exact; } runs[] = {
    { "tpu-v2", "workloads/mlp.net", false }, { "tpu-v3", "workloads/mlp.net", true },
    { "tpu-v4", "workloads/keras.net", false }, { "tpu-v5e", "workloads/mlp.net", false },
    { "tpu-mini", NULL, false }, { "gpu-mini", NULL, false }, { "v100", NULL, true },
    { "a100", NULL, false },
};

START_TEST(each_line_is_what_its_numbers_come_to)
{
    json_t *result = run(runs[_i].machine, runs[_i].net, runs[_i].exact);
    size_t ops = json_array_size(json_object_get(result, "ops")), count = 0;
    for (size_t i = 0; i < ops; i++)
        count += check_op(result, i);
    ck_assert(ops > 10 && count > 20 * ops);
    json_decref(result);
}
END_TEST

/* Left of the ridge is what takes longer for its bytes than for its multiply-accumulates. */
static void check_verdict(const json_t *result, const json_t *op, size_t number)
{
    struct diag d = { .text = "" };
    json_t *e = explain_op(result, number, &d);
    char *text = json_dumps(e, JSON_COMPACT);
    double compute = json_number_value(json_object_get(e, "least_compute_s"));
    double bytes = json_number_value(json_object_get(op, "hbm_bytes"));
    double peak = json_number_value(json_object_get(json_object_get(result, "hbm"),
                                                    "peak_bytes_per_s"));
    const char *side = strstr(text, bytes / peak > compute ? "is left of the ridge"
                                                           : "is right of the ridge");
    ck_assert_msg(side != NULL, "%s: %g and %g s",
                  json_string_value(json_object_get(op, "name")), bytes / peak, compute);
    free(text);
    json_decref(e);
}

/* Also where a product takes six passes, or FP32 lanes. */
START_TEST(the_ridge_is_that_of_the_ops_own_units)
{
    static const char *const names[] = { "tpu-v3", "v100" };
    json_t *result = run(names[_i], "workloads/mlp.net", true);
    json_t *ops = json_object_get(result, "ops"), *op;
    size_t i, products = 0;
    json_array_foreach(ops, i, op) {
        if (strcmp(json_string_value(json_object_get(op, "kind")), "matmul") == 0) {
            check_verdict(result, op, i);
            products++;
        }
    }
    ck_assert(products > 5);
    json_decref(result);
}
END_TEST

/* The launches of an op: how many, and the schedulers' cycles that they waited for code. */
static size_t launches_of(const json_t *result, const char *op, double *waited)
{
    json_t *launch;
    size_t i, count = 0;
    *waited = 0;
    json_array_foreach(json_object_get(result, "launches"), i, launch) {
        if (strcmp(json_string_value(json_object_get(launch, "op")), op) == 0) {
            count++;
            *waited += json_number_value(json_object_get(json_object_get(launch, "cycles"),
                                                         "fetch"));
        }
    }
    return count;
}

START_TEST(code_is_there_only_if_nobody_waited_for_it)
{
    struct diag d = { .text = "" };
    json_t *result = run("a100", "workloads/mlp.net", false), *op;
    size_t i, again = 0;
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        double waited;
        size_t count = launches_of(result, json_string_value(json_object_get(op, "name")), &waited);
        json_t *e = explain_op(result, i, &d);
        char *text = json_dumps(e, JSON_COMPACT);
        bool there = strstr(text, "instructions are still there.") != NULL;
        bool first = strstr(text, "fetching it for the first time") != NULL;
        bool twice = strstr(text, "not all of its instructions") != NULL;
        ck_assert(count == 0 || there || first || twice);
        ck_assert(count != 1 || !there || waited == 0);
        again += twice && waited > 0;
        free(text);
        json_decref(e);
    }
    ck_assert(again > 0);
    json_decref(result);
}
END_TEST

Suite *explain_numbers_suite(void)
{
    Suite *s = suite_create("explain_numbers");
    TCase *t = tcase_create("explain_numbers");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, each_line_is_what_its_numbers_come_to, 0, COUNT_OF(runs));
    tcase_add_loop_test(t, the_ridge_is_that_of_the_ops_own_units, 0, 2);
    tcase_add_test(t, code_is_there_only_if_nobody_waited_for_it);
    suite_add_tcase(s, t);
    return s;
}
