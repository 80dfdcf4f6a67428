/* test_timeline.c - a timeline is what the format asks for, and says what the result says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/record_options.h"
#include "sim/report_field.h"
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
    struct timeline_process process = { 7 };
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

/* ---- the format, read by a reader of its own */

#define THREADS 512
#define DEEP    16

struct thread {
    const char *name;
    double   at;                            /* of its last event */
    unsigned depth;
    double   began[DEEP];
    const json_t *open[DEEP];
};

struct reader {
    struct thread thread[THREADS];
    json_t *starts, *ends;                  /* arrows: id -> time */
    json_t *counters;                       /* name -> time */
    json_t *sums;                           /* thread -> what a slice is -> its time, in us */
    bool    named;
    size_t  slices;
};

static double at_of(const json_t *e)
{
    ck_assert(json_is_number(json_object_get(e, "ts")));
    return json_number_value(json_object_get(e, "ts"));
}

static const char *text_of(const json_t *e, const char *key)
{
    ck_assert_msg(json_is_string(json_object_get(e, key)), "%s", json_dumps(e, 0));
    return json_string_value(json_object_get(e, key));
}

static struct thread *thread_of(struct reader *r, const json_t *e)
{
    json_int_t tid = json_integer_value(json_object_get(e, "tid"));
    ck_assert(tid > 0 && tid < THREADS);
    return &r->thread[tid];
}

static void read_name(struct reader *r, const json_t *e)
{
    const json_t *arguments = json_object_get(e, "args");
    const char *what = text_of(e, "name");
    if (strcmp(what, "thread_name") == 0)
        thread_of(r, e)->name = text_of(arguments, "name");
    else if (strcmp(what, "process_name") == 0)
        r->named = text_of(arguments, "name")[0] != '\0';
}

/* Each thread's own events are in order of time, and it has a name. */
static struct thread *move_on(struct reader *r, const json_t *e)
{
    struct thread *t = thread_of(r, e);
    ck_assert(t->name != NULL);
    ck_assert(at_of(e) >= t->at);
    t->at = at_of(e);
    return t;
}

/* What a slice is summed as: tiles, operations, "issued". */
static const char *kind_of(const json_t *e)
{
    const json_t *arguments = json_object_get(e, "args");
    const char *name = text_of(e, "name");
    if (strncmp(name, "tile ", 5) == 0)
        return "tile";
    return json_object_get(arguments, "operation") ? "operation" : name;
}

static void read_begin(struct reader *r, const json_t *e)
{
    struct thread *t = move_on(r, e);
    ck_assert_uint_lt(t->depth, DEEP);
    t->began[t->depth] = at_of(e);
    t->open[t->depth++] = e;
    r->slices++;
}

static void read_end(struct reader *r, const json_t *e)
{
    struct thread *t = move_on(r, e);
    ck_assert_uint_gt(t->depth, 0);
    t->depth--;
    json_t *sums = json_object_get(r->sums, t->name);
    if (!sums) {
        sums = json_object();
        json_object_set_new(r->sums, t->name, sums);
    }
    const char *kind = kind_of(t->open[t->depth]);
    double sum = json_number_value(json_object_get(sums, kind)) + at_of(e) - t->began[t->depth];
    json_object_set_new(sums, kind, json_real(sum));
}

/* An arrow's ends lie in slices; it goes forward. */
static void read_arrow(struct reader *r, const json_t *e, json_t *to)
{
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(e, "id")));
    ck_assert_ptr_null(json_object_get(to, id));
    json_object_set_new(to, id, json_real(at_of(e)));
    ck_assert_uint_gt(move_on(r, e)->depth, 0);
}

static void read_counter(struct reader *r, const json_t *e)
{
    const char *name = text_of(e, "name");
    const json_t *before = json_object_get(r->counters, name), *value;
    const char *key;
    ck_assert(!before || json_number_value(before) <= at_of(e));
    json_object_set_new(r->counters, name, json_real(at_of(e)));
    json_object_foreach(json_object_get(e, "args"), key, value) {
        ck_assert(json_is_number(value));
    }
}

static void read_event(struct reader *r, const json_t *e)
{
    const char *ph = text_of(e, "ph");
    ck_assert_int_eq(json_integer_value(json_object_get(e, "pid")), 7);
    switch (ph[0]) {
    case 'M': read_name(r, e); break;
    case 'B': read_begin(r, e); break;
    case 'E': read_end(r, e); break;
    case 'C': read_counter(r, e); break;
    case 's': read_arrow(r, e, r->starts); break;
    case 'f': read_arrow(r, e, r->ends); break;
    default:  ck_abort_msg("an event of kind %s", ph);
    }
}

static struct reader *read_file(const json_t *file)
{
    struct reader *r = calloc(1, sizeof *r);
    const json_t *e, *start;
    const char *id;
    size_t i;
    *r = (struct reader){ .starts = json_object(), .ends = json_object(),
                          .counters = json_object(), .sums = json_object() };
    ck_assert_str_eq(text_of(file, "displayTimeUnit"), "ns");
    json_array_foreach(json_object_get(file, "traceEvents"), i, e) {
        read_event(r, e);
    }
    for (i = 0; i < THREADS; i++)
        ck_assert_uint_eq(r->thread[i].depth, 0);
    ck_assert_uint_eq(json_object_size(r->starts), json_object_size(r->ends));
    json_object_foreach(r->starts, id, start) {
        const json_t *end = json_object_get(r->ends, id);
        ck_assert(end && json_number_value(start) <= json_number_value(end));
    }
    ck_assert(r->named);
    return r;
}

static void free_reader(struct reader *r)
{
    json_decref(r->starts);
    json_decref(r->ends);
    json_decref(r->counters);
    json_decref(r->sums);
    free(r);
}

static double sum_of(const struct reader *r, const char *thread, const char *kind)
{
    return json_number_value(json_object_get(json_object_get(r->sums, thread), kind)) / 1e6;
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
