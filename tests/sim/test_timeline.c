/* test_timeline.c - a timeline is what the format asks for, and says what the result says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/record_options.h"
#include "sim/report_field.h"
#include "tests/sim/timeline_reader.h"
#include "tests/suites.h"
#include "traces/net.h"

static const char net[] =
    "simaccel-net 1\nname small\ninput 96\nbatch 64\ndense 128 relu\ndense 10 softmax\n"
    "loss cross_entropy\noptimizer adam lr=0.001 beta1=0.9 beta2=0.999 epsilon=1e-8\n";

/* A run with its timeline. */
struct drawn { json_t *result, *file; char *text; size_t size; };

static struct drawn draw(const char *machine, const struct recording_ask *ask, unsigned threads)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    struct drawn x = { .text = NULL };
    struct trace *t = net_expand_memory(net, strlen(net), &options, &d);
    struct machine *m = t ? machine_find(&figures_schema, machine, &d) : NULL;
    ck_assert_msg(m != NULL, "%s", d.text);
    FILE *out = open_memstream(&x.text, &x.size);
    struct timeline_process process = { .number = 7 };
    struct experiment_side side = { timeline_write, &process, out };
    struct experiment e = { .machine = m, .trace = t, .record = ask, .sides = &side,
                            .side_count = 1, .threads = threads };
    int status;
    timeline_begin(out);
    x.result = experiment_run(&e, &d, &status);
    ck_assert_msg(x.result != NULL, "%s", d.text);
    timeline_end(out);
    fclose(out);
    json_error_t wrong;
    x.file = json_loadb(x.text, x.size, JSON_REJECT_DUPLICATES, &wrong);
    ck_assert_msg(x.file != NULL, "line %d: %s", wrong.line, wrong.text);
    trace_free(t);
    machine_free(m);
    return x;
}

static void drop(struct drawn *x)
{
    json_decref(x->result);
    json_decref(x->file);
    free(x->text);
}

static struct recording_ask all_of(bool detail)
{
    struct recording_ask a = RECORDING_ASK;
    a.entries = true;
    a.detail = detail;
    a.every = 1000;             /* one SM */
    return a;
}

/* A file of one process. */
static struct reader *read_file(const json_t *file)
{
    struct reader *r = read_process(file, 7);
    ck_assert_uint_eq(r->others, 0);
    return r;
}

static double state_of(const json_t *result, const char *unit, const char *state)
{
    size_t i;
    const json_t *u;
    json_array_foreach(json_object_get(result, "units"), i, u) {
        if (strcmp(report_string(u, "name"), unit) == 0)
            return report_number(json_object_get(u, "states"), state);
    }
    ck_abort_msg("no unit %s", unit);
    return 0;
}

/* ---- TPU */

static const char *const tpus[] = { "tpu-mini", "tpu-v2", "tpu-v3", "tpu-v4" };

START_TEST(slices_of_a_core_add_up_to_its_busy_time)
{
    static const char *const units[] = { "load", "store", "matrix", "vector", "transpose" };
    struct recording_ask ask = all_of(false);
    struct drawn x = draw(tpus[_i], &ask, 1);
    struct reader *r = read_file(x.file);
    char thread[64], unit[64];
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        snprintf(thread, sizeof thread, "core0 %s", units[u]);
        snprintf(unit, sizeof unit, "core0.%s", units[u]);
        ck_assert_double_eq_tol(sum_of(r, thread, "operation"), state_of(x.result, unit, "busy"),
                                1e-12);
    }
    double tiles = sum_of(r, "core0 mxu0", "tile");
    ck_assert_double_eq_tol(tiles, state_of(x.result, "core0.mxu0", "stream")
                                   + state_of(x.result, "core0.mxu0", "full"), 1e-12);
    ck_assert(tiles > 0);
    ck_assert_uint_ge(json_object_size(r->starts), 4);      /* four products, each with a load */
    free_reader(r);
    drop(&x);
}
END_TEST

/* The ops' own thread is the run, without gaps. */
START_TEST(ops_follow_each_other_to_the_end_of_the_run)
{
    struct recording_ask ask = all_of(false);
    struct drawn x = draw(tpus[_i], &ask, 1);
    struct reader *r = read_file(x.file);
    const json_t *op, *ops = json_object_get(x.result, "ops");
    double sum = 0;
    size_t i;
    json_array_foreach(ops, i, op) {
        sum += report_number(op, "time_s");
    }
    double drawn = 0;
    const char *name;
    const json_t *time;
    json_object_foreach(json_object_get(r->sums, "ops"), name, time) {
        drawn += json_number_value(time) / 1e6;
    }
    ck_assert_double_eq_tol(drawn, sum, 1e-12);
    ck_assert_double_eq_tol(drawn, report_number(x.result, "time_s"), 1e-12);
    free_reader(r);
    drop(&x);
}
END_TEST

/* ---- GPU */

static const char *const gpus[] = { "v100", "a100" };

START_TEST(slices_of_an_sm_add_up_to_its_issued_time)
{
    struct recording_ask ask = all_of(true);
    struct drawn x = draw(gpus[_i], &ask, 1);
    struct reader *r = read_file(x.file);
    double issued = 0, waited = 0;
    for (int s = 0; s < 4; s++) {
        char thread[32];
        snprintf(thread, sizeof thread, "sm0 sub-core %d", s);
        issued += sum_of(r, thread, "issued") / 4;
        waited += sum_of(r, thread, "dependency") / 4;
    }
    ck_assert(issued > 0 && waited > 0);
    ck_assert_double_eq_tol(issued, state_of(x.result, "sm0", "issued"), 2e-9);
    ck_assert_double_eq_tol(waited, state_of(x.result, "sm0", "dependency"), 2e-9);
    free_reader(r);
    drop(&x);
}
END_TEST

/* ---- any machine */

static const char *const machines[] = { "tpu-mini", "tpu-v3", "v100", "a100" };

START_TEST(any_number_of_threads_writes_the_same_bytes)
{
    struct recording_ask ask = all_of(true);
    struct drawn one = draw(machines[_i], &ask, 1), two = draw(machines[_i], &ask, 2);
    ck_assert_uint_eq(one.size, two.size);
    ck_assert_mem_eq(one.text, two.text, one.size);
    drop(&one);
    drop(&two);
}
END_TEST

/* Half of the run: nothing before it or behind, and less than of all. */
START_TEST(a_window_bounds_what_is_drawn)
{
    struct recording_ask ask = all_of(false);
    struct drawn x = draw(machines[_i], &ask, 1);
    struct reader *whole = read_file(x.file);
    tick_t end = (tick_t)(report_number(x.result, "time_s") * TICKS_PER_S);
    size_t slices = whole->slices, i;
    const json_t *e;
    free_reader(whole);
    drop(&x);
    ask.from = end / 4;
    ask.to = end / 4 * 3;
    x = draw(machines[_i], &ask, 1);
    struct reader *r = read_file(x.file);
    ck_assert(r->slices > 0 && r->slices < slices);
    json_array_foreach(json_object_get(x.file, "traceEvents"), i, e) {
        double at = json_number_value(json_object_get(e, "ts"));
        if (json_object_get(e, "ts"))       /* a cycle that the window cuts belongs to it */
            ck_assert(at >= (double)ask.from / 1e9 && at <= (double)ask.to / 1e9 + 0.01);
    }
    free_reader(r);
    drop(&x);
}
END_TEST

START_TEST(what_a_limit_leaves_out_is_said)
{
    struct recording_ask ask = all_of(true);
    ask.most = 100;
    struct drawn x = draw(machines[_i], &ask, 1);
    struct reader *r = read_file(x.file);
    ck_assert(strstr(x.text, "were left out by the limit") != NULL);
    ck_assert_uint_lt(r->slices, 500);
    free_reader(r);
    drop(&x);
}
END_TEST

/* ---- windows in words */

static const struct { const char *text; tick_t from, to; } windows[] = {
    { "10us..20us",   UINT64_C(10000000000), UINT64_C(20000000000) },
    { "..1.5ns",      0,                     1500000 },
    { "3ps..",        3000,                  TICK_NEVER },
    { "0s..2fs",      0,                     2 },
    { "1ms..1.001ms", UINT64_C(1000000000000), UINT64_C(1001000000000) },
};

START_TEST(a_window_is_two_times_with_units)
{
    struct diag d = { .text = "" };
    tick_t from, to;
    ck_assert(record_window(windows[_i].text, &from, &to, &d));
    ck_assert_uint_eq(from, windows[_i].from);
    ck_assert_uint_eq(to, windows[_i].to);
}
END_TEST

static const char *const wrong_windows[] = {
    "", "..", "10us", "10..20us", "10us..20", "20us..10us", "5us..5us", "-1us..2us", "us..2us",
    "1us..2us..3us", "1h..2h", "nanus..2us", "1e99s..", "0x10us..20us",
};

START_TEST(a_wrong_window_is_refused)
{
    struct diag d = { .text = "" };
    tick_t from, to;
    ck_assert(!record_window(wrong_windows[_i], &from, &to, &d));
    ck_assert(strstr(d.text, "expected two times with units") != NULL);
}
END_TEST

Suite *timeline_suite(void)
{
    Suite *s = suite_create("timeline");
    TCase *t = tcase_create("timeline");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, slices_of_a_core_add_up_to_its_busy_time, 0, COUNT_OF(tpus));
    tcase_add_loop_test(t, ops_follow_each_other_to_the_end_of_the_run, 0, COUNT_OF(tpus));
    tcase_add_loop_test(t, slices_of_an_sm_add_up_to_its_issued_time, 0, COUNT_OF(gpus));
    tcase_add_loop_test(t, any_number_of_threads_writes_the_same_bytes, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, a_window_bounds_what_is_drawn, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, what_a_limit_leaves_out_is_said, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, a_window_is_two_times_with_units, 0, COUNT_OF(windows));
    tcase_add_loop_test(t, a_wrong_window_is_refused, 0, COUNT_OF(wrong_windows));
    suite_add_tcase(s, t);
    return s;
}
