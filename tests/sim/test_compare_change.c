/* test_compare_change.c - changes against runs with their figures set by hand; what bounds a phase
 * against what shortens it. */
#include "sim/compare_change.h"

#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "tests/sim/compare_rig.h"
#include "tests/suites.h"
#include "traces/net.h"

static size_t least(const struct rig *r, const char *key)
{
    size_t best = 0;
    for (size_t m = 1; m < MACHINES; m++)
        if (number(r->results[m], key) < number(r->results[best], key))
            best = m;
    return best;
}

/* The figures that a row names, set by hand. */
static void check_row(const struct experiment *e, const json_t *row)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_copy(e->machine);
    struct experiment changed = *e;
    const json_t *sets = json_object_get(row, "set"), *set;
    int status;
    for (size_t i = 0; (set = json_array_get(sets, i)) != NULL; i++)
        ck_assert_msg(machine_set(m, json_string_value(set), "--set", &d), "%s", d.text);
    changed.machine = m;
    json_t *o = experiment_run(&changed, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    ck_assert_double_eq(number(o, "time_s"), number(row, "time_s"));
    ck_assert_double_eq(number(o, "energy_j"), number(row, "energy_j"));
    json_decref(o);
    machine_free(m);
}

/* The shortest first; prices only of one that takes more energy, and they change no cycle. */
static void check_rows(const struct experiment *e, const json_t *rows, bool costs)
{
    double before = 0;
    const json_t *row;
    int priced = 0;
    ck_assert_uint_gt(json_array_size(rows), 8);
    for (size_t i = 0; (row = json_array_get(rows, i)) != NULL; i++) {
        ck_assert_double_ge(number(row, "time_s"), before);
        before = number(row, "time_s");
        check_row(e, row);
        priced += strcmp(text_of(row, "of"), "prices") == 0;
    }
    ck_assert_int_eq(priced > 0, costs);
}

/* Of all losers: those that are beaten, and each row a run with its figures. */
START_TEST(a_change_is_a_run_of_a_loser_with_its_figures)
{
    struct rig r;
    open_rig(&r);
    run_rig(&r, 2);
    json_t *losers = compare_change(r.runs, MACHINES, COMPARE_CHANGE_ALL, 3), *loser;
    for (size_t m = 0, i = 0; m < MACHINES; m++) {
        bool slower = m != least(&r, "time_s"), costs = m != least(&r, "energy_j");
        if (!slower && !costs)
            continue;
        loser = json_array_get(losers, i++);
        ck_assert_str_eq(text_of(loser, "machine"), compare_names[m]);
        const char *fast = compare_names[least(&r, "time_s")];
        const char *thrifty = compare_names[least(&r, "energy_j")];
        ck_assert_str_eq(text_of(loser, "faster"), slower ? fast : "");
        ck_assert_str_eq(text_of(loser, "thriftier"), costs ? thrifty : "");
        check_rows(&r.runs[m].experiment, json_object_get(loser, "changes"), costs);
        if (json_is_object(json_object_get(loser, "together")))
            check_row(&r.runs[m].experiment, json_object_get(loser, "together"));
    }
    json_decref(losers);
    close_rig(&r);
}
END_TEST

/* What a machine is run with: core.mxus 2 -> 4; op_cycles 80 -> 40. */
START_TEST(twice_as_good_doubles_a_rate_and_halves_a_time)
{
    static const char *const sets[] = {
        "core.mxus=4", "core.op_cycles=40", "energy.chip_static_w=34.55",
        "gpu.clock_mhz=3060",
        "power.voltages=270:0.65 1710:0.71 2220:0.8 2580:0.9 2834:1 3060:1.09",
    };
    struct rig r;
    open_rig(&r);
    run_rig(&r, 2);
    json_t *losers = compare_change(r.runs, MACHINES, COMPARE_CHANGE_ALL, 3);
    char *text = json_dumps(losers, 0);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        char word[128];
        snprintf(word, sizeof word, "\"%s\"", sets[i]);
        ck_assert_msg(strstr(text, word) != NULL, "%s", sets[i]);
    }
    free(text);
    json_decref(losers);
    close_rig(&r);
}
END_TEST

START_TEST(where_no_change_wins_the_best_three_are_tried_together)
{
    struct rig r;
    open_rig(&r);
    run_rig(&r, 2);
    json_t *losers = compare_change(r.runs, MACHINES, COMPARE_CHANGE_ALL, 3), *loser, *row;
    int together = 0;
    for (size_t i = 0; (loser = json_array_get(losers, i)) != NULL; i++) {
        bool wins = false;
        const json_t *rows = json_object_get(loser, "changes");
        for (size_t k = 0; (row = json_array_get(rows, k)) != NULL; k++)
            wins |= number(row, "time_s") < number(loser, "faster_time_s");
        row = json_object_get(loser, "together");
        if (strcmp(text_of(loser, "faster"), "") == 0)
            ck_assert(json_is_null(row));
        else
            ck_assert_int_eq(json_is_null(row), wins);
        together += json_is_object(row);
    }
    ck_assert_int_gt(together, 0);
    json_decref(losers);
    close_rig(&r);
}
END_TEST

/* A machine whose L2 is as large as one may be. */
START_TEST(a_change_that_is_refused_has_its_message)
{
    struct rig r;
    struct diag d = { .text = "" };
    open_rig(&r);
    struct machine *m = (struct machine *)r.runs[1].experiment.machine;
    ck_assert_msg(machine_set(m, "sm.count=4096", "a test", &d), "%s", d.text);
    run_rig(&r, 2);
    json_t *losers = compare_change(r.runs, 2, COMPARE_CHANGE_ALL, 3), *loser, *row;
    int refused = 0;
    for (size_t i = 0; (loser = json_array_get(losers, i)) != NULL; i++) {
        const json_t *rows = json_object_get(loser, "changes");
        for (size_t k = 0; (row = json_array_get(rows, k)) != NULL; k++)
            if (strcmp(text_of(row, "name"), "SMs") == 0) {
                ck_assert(strstr(text_of(row, "message"), "out of range") != NULL);
                ck_assert(!json_object_get(row, "time_s"));
                refused++;
            }
    }
    ck_assert_int_eq(refused, 1);
    json_decref(losers);
    close_rig(&r);
}
END_TEST

/* Dear: a GPU's runs of a trace as long as this beside a TPU's. */
START_TEST(dear_changes_are_left_out_and_that_is_said)
{
    struct rig r;
    open_rig(&r);
    run_rig(&r, 2);
    json_t *launch = json_array_get(json_object_get(r.results[1], "launches"), 0);
    json_object_set_new(launch, "operations", json_integer(50000000));
    json_t *losers = compare_change(r.runs, 2, COMPARE_CHANGE_CHEAP, 1), *loser;
    for (size_t i = 0; (loser = json_array_get(losers, i)) != NULL; i++) {
        bool gpu = strcmp(text_of(loser, "machine"), compare_names[1]) == 0;
        ck_assert_int_eq(json_is_true(json_object_get(loser, "left_out")), gpu);
        ck_assert_int_eq(json_array_size(json_object_get(loser, "changes")) == 0, gpu);
    }
    json_decref(losers);
    losers = compare_change(r.runs, 2, COMPARE_CHANGE_NONE, 1);
    ck_assert_uint_eq(json_array_size(losers), 0);
    json_decref(losers);
    close_rig(&r);
}
END_TEST

START_TEST(equal_machines_have_nothing_to_change)
{
    struct rig r;
    open_rig(&r);
    run_rig(&r, 2);
    struct together same[] = { r.runs[1], r.runs[1] };
    json_t *o = compare_change(same, 2, COMPARE_CHANGE_ALL, 1);
    ck_assert_uint_eq(json_array_size(o), 0);
    json_decref(o);
    close_rig(&r);
}
END_TEST

/* ---- what bounds a phase ---- */

static const char *pick(unsigned *seed, const char *const *list, unsigned count)
{
    *seed = *seed * 1103515245u + 12345u;
    return list[(*seed >> 16) % count];
}
#define PICK(seed, ...) pick((seed), (const char *const[]){ __VA_ARGS__ }, \
                             sizeof (const char *const[]){ __VA_ARGS__ } / sizeof (char *))

static struct trace *random_network(unsigned *seed)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    char text[256];
    snprintf(text, sizeof text, "simaccel-net 1\nname n\ninput %s\nbatch %s\ndense %s relu\n"
             "dense 10 softmax\nloss cross_entropy\noptimizer %s\n",
             PICK(seed, "30", "200", "784"), PICK(seed, "8", "64", "256"),
             PICK(seed, "512", "1024", "2048"), PICK(seed, "adam", "sgd lr=0.1"));
    struct trace *t = net_expand_memory(text, strlen(text), &options, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static double phase_time(const json_t *result, const char *name)
{
    const json_t *phase, *all = json_object_get(result, "phases");
    for (size_t i = 0; (phase = json_array_get(all, i)) != NULL; i++)
        if (strcmp(text_of(phase, "name"), name) == 0)
            return number(phase, "time_s");
    return 0;
}

/* The share of a phase in ops that HBM's bandwidth bounds. */
static double by_memory(const json_t *result, const char *phase)
{
    const json_t *op, *ops = json_object_get(result, "ops");
    double bound = 0;
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (strcmp(text_of(op, "phase"), phase) == 0
            && strcmp(text_of(op, "bound_by"), "hbm bandwidth") == 0)
            bound += number(op, "time_s");
    return bound / phase_time(result, phase);
}

/* HBM's rate shortens it, and nothing else by more. */
static int check_phase(const json_t *result, const json_t *changes, const char *phase, int seed)
{
    const json_t *row;
    double before = phase_time(result, phase), memory = 0, best = 0;
    if (by_memory(result, phase) < 0.8)
        return 0;
    for (size_t i = 0; (row = json_array_get(changes, i)) != NULL; i++) {
        double gained = 1 - phase_time(row, phase) / before;
        best = gained > best ? gained : best;
        if (strcmp(text_of(row, "name"), "HBM rate") == 0)
            memory = gained;
    }
    ck_assert_msg(memory > 0.1 && memory >= best - 0.01, "seed %d: %s gains %g by HBM, %g at best",
                  seed, phase, memory, best);
    return 1;
}

START_TEST(what_memory_bounds_gains_most_by_memory)
{
    struct diag d = { .text = "" };
    unsigned seed = 77;
    int checked = 0;
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    for (int i = 0; i < 9; i++) {
        struct trace *t = random_network(&seed);
        const char *name = PICK(&seed, "tpu-v2", "tpu-v3", "tpu-v4");
        struct machine *slow = machine_find(&figures_schema, name, &d);
        struct machine *fast = machine_find(&figures_schema, name, &d);
        ck_assert(slow && fast && machine_set(fast, "hbm.pin_gbps=8", "a test", &d));
        struct together runs[2] = { { .experiment = { .machine = slow, .trace = t } },
                                    { .experiment = { .machine = fast, .trace = t } } };
        together_run(runs, 2, 2);
        ck_assert(runs[0].result && runs[1].result);
        json_t *losers = compare_change(runs, 2, COMPARE_CHANGE_ALL, 2);
        const json_t *rows = json_object_get(json_array_get(losers, 0), "changes");
        for (int p = 0; p < TRACE_PHASES_COUNT; p++)
            if (phase_time(runs[0].result, trace_phase_names[p]) > 0)
                checked += check_phase(runs[0].result, rows, trace_phase_names[p], i);
        json_decref(losers);
        json_decref(runs[0].result);
        json_decref(runs[1].result);
        machine_free(slow);
        machine_free(fast);
        trace_free(t);
    }
    ck_assert_int_gt(checked, 6);
}
END_TEST

/* 40 us of 32, and 1.001 J of 1 J. */
START_TEST(a_loser_left_out_is_said_to_lose_in_what_it_does)
{
    static const char json[] =
        "[{\"machine\": \"m\", \"left_out\": true, \"faster\": %s, \"time_s\": 4e-5,"
        " \"faster_time_s\": 3.2e-5, \"thriftier\": \"e\", \"energy_j\": 1.001,"
        " \"thriftier_energy_j\": 1.0}]";
    static const struct { const char *faster, *says; } cases[] = {
        { "null", "  m takes 0.1 % more energy than e, and was not run again" },
        { "\"f\"", "  m takes 25.0 % more time than f and 0.1 % more energy than e, and was not" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char input[400], *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        snprintf(input, sizeof input, json, cases[i].faster);
        json_t *losers = json_loads(input, 0, NULL);
        compare_change_text(losers, out);
        fclose(out);
        ck_assert_ptr_nonnull(strstr(text, cases[i].says));
        free(text);
        json_decref(losers);
    }
}
END_TEST

Suite *compare_change_suite(void)
{
    Suite *s = suite_create("compare_change");
    TCase *runs = tcase_create("runs");
    tcase_set_timeout(runs, 120);
    tcase_add_test(runs, a_loser_left_out_is_said_to_lose_in_what_it_does);
    tcase_add_test(runs, a_change_is_a_run_of_a_loser_with_its_figures);
    tcase_add_test(runs, twice_as_good_doubles_a_rate_and_halves_a_time);
    tcase_add_test(runs, where_no_change_wins_the_best_three_are_tried_together);
    tcase_add_test(runs, a_change_that_is_refused_has_its_message);
    tcase_add_test(runs, dear_changes_are_left_out_and_that_is_said);
    tcase_add_test(runs, equal_machines_have_nothing_to_change);
    tcase_add_test(runs, what_memory_bounds_gains_most_by_memory);
    suite_add_tcase(s, runs);
    return s;
}
