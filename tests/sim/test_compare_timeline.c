/* test_compare_timeline.c - of several machines each process is what a run of that machine draws. */
#include <math.h>
#include <unistd.h>

#include "sim/compare_timeline.h"
#include "tests/sim/compare_rig.h"
#include "tests/sim/timeline_reader.h"
#include "tests/suites.h"

static json_t *read_json(const char *text, size_t size)
{
    json_error_t wrong;
    json_t *file = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong);
    ck_assert_msg(file != NULL, "line %d: %s", wrong.line, wrong.text);
    return file;
}

static json_t *load(const char *path)
{
    json_error_t wrong;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &wrong);
    ck_assert_msg(file != NULL, "line %d: %s", wrong.line, wrong.text);
    return file;
}

/* The rig's machines in one file; the runs have their results. */
static json_t *draw(const struct rig *g, const struct record_options *r, unsigned jobs)
{
    char path[] = "/tmp/timeline-XXXXXX";
    struct diag d = { .text = "" };
    int status, fd = mkstemp(path);
    ck_assert(fd >= 0 && close(fd) == 0);
    ck_assert_msg(compare_timeline_check(r, g->runs, MACHINES, &d), "%s", d.text);
    struct compare_timeline *x = compare_timeline_new(r, g->runs, MACHINES, jobs, &d, &status);
    ck_assert_msg(x != NULL, "%s", d.text);
    ck_assert_int_eq(compare_timeline_write(x, path), 0);
    compare_timeline_free(x);
    json_t *file = load(path);
    unlink(path);
    return file;
}

/* The events of one machine's own run. */
static json_t *draw_alone(const struct experiment *machine, struct recording_ask *ask,
                          unsigned number)
{
    char *text = NULL;
    size_t size = 0;
    struct diag d = { .text = "" };
    int status;
    FILE *out = open_memstream(&text, &size);
    struct timeline_process process = { .number = number };
    struct experiment_side side = { timeline_write, &process, out };
    struct experiment e = *machine;
    e.record = ask;
    e.sides = &side;
    e.side_count = 1;
    timeline_begin(out);
    json_decref(experiment_run(&e, &d, &status));
    timeline_end(out);
    fclose(out);
    json_t *file = read_json(text, size);
    free(text);
    return file;
}

/* Random windows, limits and choices of SMs: the file is the machines' own, one after another. */
START_TEST(a_process_is_what_a_run_of_that_machine_alone_draws)
{
    struct rig g;
    char window[64];
    srand(_i);
    open_rig(&g);
    run_rig(&g, 2);
    struct record_options r = { .timeline = "x", .every = (unsigned)(1 + rand() % 40),
                                .most = (unsigned)(100 + rand() % 4000) };
    int from = rand() % 20, to = from + 1 + rand() % 20;
    snprintf(window, sizeof window, "%dus..%dus", from, to);
    r.window = _i > 0 ? window : NULL;
    json_t *file = draw(&g, &r, (unsigned)(1 + _i)), *alone = json_array();
    for (unsigned i = 0; i < MACHINES; i++) {
        struct recording_ask ask = record_ask(&r);
        ask.from = _i > 0 ? (tick_t)from * 1000 * TICKS_PER_NS : 0;
        ask.to = _i > 0 ? (tick_t)to * 1000 * TICKS_PER_NS : TICK_NEVER;
        json_t *one = draw_alone(&g.runs[i].experiment, &ask, i + 1);
        json_array_extend(alone, json_object_get(one, "traceEvents"));
        json_decref(one);
    }
    ck_assert_msg(json_equal(json_object_get(file, "traceEvents"), alone), "seed %d", _i);
    json_decref(alone);
    json_decref(file);
    close_rig(&g);
}
END_TEST

/* What the thread of ops shows of them, in s; a GPU's launches lie within. */
static double time_of_ops(const struct reader *r)
{
    const char *name;
    const json_t *time;
    double sum = 0;
    json_object_foreach(json_object_get(r->sums, "ops"), name, time) {
        if (strstr(name, " = "))
            sum += json_number_value(time) / 1e6;
    }
    return sum;
}

/* Between its launches a GPU is in no op; a TPU always is in one. */
/* In one process alone, and of the process's own number the first. */
static void check_threads(const struct reader *r, json_t *all)
{
    ck_assert_int_eq(r->thread[0].tid, r->pid);
    for (size_t i = 0; i < THREADS && r->thread[i].tid != 0; i++) {
        char tid[32];
        snprintf(tid, sizeof tid, "%lld", (long long)r->thread[i].tid);
        ck_assert_ptr_null(json_object_get(all, tid));
        json_object_set_new(all, tid, json_true());
    }
}

START_TEST(several_processes_are_what_the_format_asks_for)
{
    struct rig g;
    struct record_options r = { .timeline = "x", .every = 1000 };
    open_rig(&g);
    run_rig(&g, 2);
    json_t *file = draw(&g, &r, 3), *arrows = json_object();
    json_t *threads = json_object();
    size_t events = 0, expected_arrows = 0;
    for (unsigned i = 0; i < MACHINES; i++) {
        struct reader *p = read_process(file, i + 1);
        char name[64];
        snprintf(name, sizeof name, "n on %s", compare_names[i]);
        ck_assert_str_eq(p->name, name);
        double time = number(g.results[i], "time_s"), drawn = time_of_ops(p);
        ck_assert(drawn > 0 && drawn <= time * (1 + 1e-9));
        ck_assert(p->name[5] == 'g' || p->name[5] == 'v' || drawn >= time * (1 - 1e-9));
        check_threads(p, threads);
        events += p->events;
        expected_arrows += json_object_size(p->starts);
        json_object_update(arrows, p->starts);      /* their numbers are of the whole file */
        free_reader(p);
    }
    ck_assert_uint_eq(events, json_array_size(json_object_get(file, "traceEvents")));
    ck_assert_uint_gt(expected_arrows, 0);
    ck_assert_uint_eq(json_object_size(arrows), expected_arrows);
    json_decref(threads);
    json_decref(arrows);
    json_decref(file);
    close_rig(&g);
}
END_TEST

static double first_time(const json_t *file, unsigned pid)
{
    double first = INFINITY;
    const json_t *e;
    size_t i;
    json_array_foreach(json_object_get(file, "traceEvents"), i, e) {
        if (json_integer_value(json_object_get(e, "pid")) == pid && json_object_get(e, "ts"))
            first = fmin(first, json_number_value(json_object_get(e, "ts")));
    }
    return first;
}

static const json_t *find_op(const json_t *result, const char *name)
{
    const json_t *op;
    size_t i;
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        if (strncmp(text_of(op, "name"), name, strlen(name)) == 0)
            return op;
    }
    return NULL;
}

/* A GPU launches the gradient of the loss alone, a TPU fuses it to the loss: it has no such op. */
static const char *const ops[] = { "l1.product", "l2.product", "l2.dz" };

START_TEST(an_op_begins_at_0_on_each_machine_that_has_it)
{
    struct rig g;
    char window[64];
    unsigned drawn = 0;
    snprintf(window, sizeof window, "op:%s", ops[_i]);
    struct record_options r = { .timeline = "x", .window = window, .every = 1000 };
    open_rig(&g);
    run_rig(&g, 2);
    json_t *file = draw(&g, &r, 2);
    for (unsigned i = 0; i < MACHINES; i++) {
        const json_t *op = find_op(g.results[i], ops[_i]);
        struct reader *p = read_process(file, i + 1);
        double sum = time_of_ops(p);
        if (op) {
            drawn++;
            ck_assert_double_eq(first_time(file, i + 1), 0);
            ck_assert(sum > 0 && sum <= number(op, "span_s") + 2e-15);      /* whole fs */
        } else {
            ck_assert_uint_eq(p->events, 3);        /* its name, its place, and why */
        }
        free_reader(p);
    }
    ck_assert_uint_eq(drawn, _i < 2 ? MACHINES : MACHINES / 2);
    json_decref(file);
    close_rig(&g);
}
END_TEST

START_TEST(an_op_that_no_machine_has_is_refused)
{
    struct rig g;
    struct diag d = { .text = "" };
    struct record_options r = { .timeline = "x", .window = "op:l2.produkt" };
    int status;
    open_rig(&g);
    run_rig(&g, 2);
    ck_assert_ptr_null(compare_timeline_new(&r, g.runs, MACHINES, 2, &d, &status));
    ck_assert_int_eq(status, 2);
    ck_assert_msg(strstr(d.text, "expected l2.product") != NULL, "%s", d.text);
    close_rig(&g);
}
END_TEST

Suite *compare_timeline_suite(void)
{
    Suite *s = suite_create("compare_timeline");
    TCase *t = tcase_create("compare_timeline");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_process_is_what_a_run_of_that_machine_alone_draws, 0, 4);
    tcase_add_test(t, several_processes_are_what_the_format_asks_for);
    tcase_add_loop_test(t, an_op_begins_at_0_on_each_machine_that_has_it, 0, COUNT_OF(ops));
    tcase_add_test(t, an_op_that_no_machine_has_is_refused);
    suite_add_tcase(s, t);
    return s;
}
