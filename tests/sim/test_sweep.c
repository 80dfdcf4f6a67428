/* test_sweep.c - sweeps of a small network on a small machine: order, names, what is kept. */
#include "sim/sweep.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/sweep_store.h"
#include "sim/sweep_table.h"
#include "tests/suites.h"

static char folder[64], net[96], results[96];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/simaccel-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(net, sizeof net, "%s/small.net", folder);
    snprintf(results, sizeof results, "%s/results", folder);
    FILE *out = fopen(net, "w");
    ck_assert_ptr_nonnull(out);
    fputs("simaccel-net 1\nname small\ninput 5\nbatch 3\ndense 7 relu\ndense 2 softmax\n"
          "loss cross_entropy\noptimizer sgd\n", out);
    fclose(out);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

/* A plan of these axes on tpu-mini, unless they say where; false if it is refused. */
static bool try_plan(struct sweep_plan *p, const char *set, const char *const *over,
                     struct diag *d)
{
    static const struct sweep_place place = { "--over", 1, 1 };
    *p = (struct sweep_plan){ .file = net };
    p->run.choice.arch = over[0] && strncmp(over[0], "arch=", 5) == 0 ? NULL : "tpu-mini";
    if (set)
        p->run.choice.sets[p->run.choice.count++] = set;
    for (; *over; over++)
        if (!sweep_plan_add(p, *over, &place, d))
            return false;
    return sweep_plan_open(p, d);
}

static void make_plan(struct sweep_plan *p, const char *set, const char *const *over)
{
    struct diag d = { .text = "" };
    ck_assert_msg(try_plan(p, set, over, &d), "%s", d.text);
}

static char *table_of(const struct sweep *s, json_t *const *rows)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    sweep_table_csv(s->plan, rows, out);
    sweep_table_json(s->plan, rows, out);
    fclose(out);
    return text;
}

/* Runs what is missing; the whole table, which the caller frees. */
static char *sweep_of(const struct sweep *s)
{
    struct diag d = { .text = "" };
    if (s->results)
        ck_assert_msg(sweep_store_open(s->results, &d), "%s", d.text);
    json_t **rows = sweep_rows_kept(s);
    ck_assert_msg(sweep_run(s, rows, &d), "%s", d.text);
    char *text = table_of(s, rows);
    sweep_rows_free(s, rows);
    return text;
}

static size_t files(const char *in)
{
    size_t n = 0;
    DIR *d = opendir(in);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL; )
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static char *path_of(const struct sweep_plan *p, size_t point)
{
    static char path[160];
    char name[SWEEP_FILE];
    sweep_store_name(p->hashes[point], name);
    snprintf(path, sizeof path, "%s/%s", results, name);
    return path;
}

/* ---- points ---- */

START_TEST(axes_are_a_grid_of_which_the_first_is_slowest)
{
    struct sweep_plan p;
    make_plan(&p, NULL, (const char *[]){ "batch=3,5", "mxu.rows,mxu.cols=4/8,8/4,16", NULL });
    static const char *const expected[][3] = {
        { "3", "4", "8" }, { "3", "8", "4" }, { "3", "16", "16" },
        { "5", "4", "8" }, { "5", "8", "4" }, { "5", "16", "16" },
    };
    ck_assert_uint_eq(p.points, 6);
    for (size_t i = 0; i < 6; i++) {
        struct diag d = { .text = "" };
        struct sweep_point made;
        ck_assert_str_eq(sweep_plan_value(&p, i, 0, 0)->text, expected[i][0]);
        ck_assert_str_eq(sweep_plan_value(&p, i, 1, 0)->text, expected[i][1]);
        ck_assert_str_eq(sweep_plan_value(&p, i, 1, 1)->text, expected[i][2]);
        ck_assert(sweep_point_make(&p, i, &made, &d));
        ck_assert_uint_eq(made.trace->batch, i < 3 ? 3 : 5);
        ck_assert_str_eq(machine_set_at(made.machine, "mxu.rows"), "--over");
        sweep_point_free(&made);
    }
    sweep_plan_close(&p);
}
END_TEST

/* The hidden layer's weights are 5 x width and width x 2. */
START_TEST(parameters_of_the_network_change_the_trace)
{
    struct sweep_plan p;
    struct diag d = { .text = "" };
    struct sweep_point made;
    make_plan(&p, NULL, (const char *[]){ "width=11", "compute=f32", "inference=yes,no", NULL });
    ck_assert(sweep_point_make(&p, 0, &made, &d));
    const struct trace *t = made.trace;
    const struct trace_tensor *w1 = &t->tensors[trace_find(t, "l1.w")];
    const struct trace_tensor *w2 = &t->tensors[trace_find(t, "l2.w")];
    ck_assert_uint_eq(w1->shape[0], 5);
    ck_assert_uint_eq(w1->shape[1], 11);
    ck_assert_uint_eq(w2->shape[0], 11);
    ck_assert_uint_eq(w2->shape[1], 2);
    for (uint32_t i = 0; i < t->op_count; i++) {
        ck_assert_int_eq(t->ops[i].phase, PHASE_FORWARD);
        ck_assert(t->ops[i].kind != TRACE_MATMUL || t->ops[i].compute == TRACE_F32);
    }
    sweep_point_free(&made);
    ck_assert(sweep_point_make(&p, 1, &made, &d));
    ck_assert_uint_gt(made.trace->op_count, 10);
    sweep_point_free(&made);
    sweep_plan_close(&p);
}
END_TEST

/* Whatever changes a result changes the name; how it was said, and threads, do not. */
START_TEST(a_name_is_of_the_input_and_of_nothing_else)
{
    struct sweep_plan a, b;
    make_plan(&a, NULL, (const char *[]){ "batch=3,5", "mxu.rows=4,8", "cores=1",
                                          "precision=default,highest", "ideal=none,overlap", NULL });
    for (size_t i = 0; i < a.points; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(a.hashes[i], a.hashes[k]);

    make_plan(&b, "mxu.rows=8", (const char *[]){ "batch=5", "cores=1", NULL });
    ck_assert_str_eq(b.hashes[0], a.hashes[8 + 4]);     /* batch 5, rows 8, default, none */
    sweep_plan_close(&b);

    static const struct sweep_place place = { "plan", 3, 6 };
    struct diag d = { .text = "" };
    b = (struct sweep_plan){ .file = net, .run = { .choice = { .arch = "tpu-mini" } } };
    b.run.threads = 2;
    b.run.lower.cores = 1;
    b.net.batch = 5;
    ck_assert(sweep_plan_add(&b, "mxu.rows=4,8", &place, &d) && sweep_plan_open(&b, &d));
    ck_assert_str_eq(b.hashes[1], a.hashes[8 + 4]);
    sweep_plan_close(&b);
    sweep_plan_close(&a);
}
END_TEST

static const struct { const char *over[4]; unsigned column; const char *words; } refused[] = {
    { { "batsh=3" },                    1, "did you mean batch" },
    { { "batch=3", "batch=5" },         1, "twice" },
    { { "batch,batch=5" },              7, "twice" },
    { { "batch=3,0" },                  9, "batch: 0" },
    { { "width=4,x" },                  9, "width: x" },
    { { "compute=bf16,i32" },          14, "compute: i32" },
    { { "inference=maybe" },           11, "inference: maybe" },
    { { "cores=65" },                   7, "cores: 65" },
    { { "ideal=none,fetch" },          12, "ideal fetch" },
    { { "clock=-1" },                   7, "clock: -1" },
    { { "clock=900" },                  7, "means nothing on a tpu" },
    { { "mxu.rowz=4" },                 5, "did you mean rows" },
    { { "mux.rows=4" },                 1, "did you mean mxu" },
    { { "mxu.rows=8,0" },              12, "out of range" },
    { { "mxu.rows,mxu.cols=8/8,9/x" }, 25, "not a whole number" },
    { { "arch=tpu-mini,tpu-minj" },    15, "did you mean tpu-mini" },
    { { "batch=1..1000", "width=1..1001" }, 1, "a million points" },
    { { "arch=tpu-v3", "hbm.stacks=4,2", "batch=2" }, 14, "point 2: hbm: map" },
    { { "cores=1,3", "batch=2" },       9, "point 2: 3 cores asked for" },
    { { "hbm.write_low=2,200" },       17, "point 2: hbm: write_low" },
    { { "batch=2", "lower.tile_bytes=65536,999999999" }, 24, "point 2: lower.tile_bytes" },
    { { "arch=gpu-mini", "clock=500,0.001" }, 11, "point 2: clock_mhz: 0.001 is out of range" },
    { { "arch=gpu-mini", "hbm.write_low,hbm.write_high=4/8,9/8" }, 34, "point 2: hbm: write_low" },
};

START_TEST(a_value_that_cannot_be_is_refused_where_it_stands)
{
    struct sweep_plan p;
    struct diag d = { .text = "" };
    ck_assert(!try_plan(&p, NULL, refused[_i].over, &d));
    ck_assert_msg(strstr(d.text, refused[_i].words) != NULL, "%s", d.text);
    ck_assert_msg(d.column == refused[_i].column && d.line == 1, "%u: %s", d.column, d.text);
    ck_assert_str_eq(d.file, "--over");
    sweep_plan_close(&p);
}
END_TEST

/* 1.5 uJ over 3 rows; a batch of 5 that failed. */
START_TEST(the_table_says_the_same_in_words)
{
    struct sweep_plan p;
    make_plan(&p, NULL, (const char *[]){ "batch=3,5", "ideal=none", NULL });
    json_t *rows[] = {
        json_pack("{s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s}", "status", "done",
                  "rows", 3, "time_s", 2e-6, "energy_j", 1.5e-6, "average_power_w", 0.75,
                  "flops_per_s", 4e9, "mxu_utilization", 0.25, "hbm_bytes_per_s", 1e9,
                  "hbm_peak_bytes_per_s", 8e9, "bound_by", "latency"),
        json_pack("{s:s, s:s}", "status", "failed", "message", "out\nof luck"),
    };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    sweep_table_text(&p, rows, out);
    fclose(out);
    ck_assert_str_eq(text,
        "  batch  ideal      time    energy    energy     power       achieved   MXU   HBM  bound by\n"
        "                                    a sample                              %     %\n"
        "  3      none   2.000 us  1.500 uJ  500.0 nJ  750.0 mW  4.000 GFLOP/s  25.0  12.5  latency\n"
        "  5      none     failed\n"
        "point 2 batch=5 ideal=none: out of luck\n");
    free(text);
    json_decref(rows[0]);
    json_decref(rows[1]);
    sweep_plan_close(&p);
}
END_TEST

/* A TPU multiplies everything as bf16, and with the highest precision in six passes what has an f32
 * operand; a GPU has f16 and f32.  The table says it where points differ. */
START_TEST(what_was_multiplied_is_said)
{
    struct sweep_plan p;
    make_plan(&p, NULL, (const char *[]){ "arch=tpu-mini,gpu-mini", "compute=f16,f32",
                                          "precision=default,highest", NULL });
    struct sweep s = { .plan = &p, .jobs = 2, .shards = 1 };
    struct diag d = { .text = "" };
    static const char *const expected[] = {
        "bf16", "f32 in six bf16 passes, bf16", "bf16", "f32 in six bf16 passes, bf16",
        "f16", "f32, f16", "f32", "f32",
    };
    json_t **rows = sweep_rows_kept(&s);
    ck_assert_msg(sweep_run(&s, rows, &d), "%s", d.text);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        ck_assert_str_eq(json_string_value(json_object_get(rows[i], "multiplied_as")), expected[i]);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    sweep_table_text(&p, rows, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "  bound by  multiplied as\n"));
    free(text);
    sweep_rows_free(&s, rows);
    sweep_plan_close(&p);
}
END_TEST

/* ---- runs ---- */

START_TEST(any_number_of_jobs_gives_the_same_bytes)
{
    struct sweep_plan p;
    make_plan(&p, NULL, (const char *[]){ "batch=300,3,40", "mxu.rows=4,32", "ideal=none,hbm",
                                          NULL });
    char *one = sweep_of(&(struct sweep){ .plan = &p, .jobs = 1, .shards = 1 });
    ck_assert_ptr_nonnull(strstr(one, "\n12,40,32,hbm,done,"));
    ck_assert_ptr_nonnull(strstr(one, "\"point\": 12"));
    ck_assert_ptr_null(strstr(one, "missing"));
    static const unsigned jobs[] = { 2, 5, 40 };
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        char *many = sweep_of(&(struct sweep){ .plan = &p, .jobs = jobs[i], .shards = 1 });
        ck_assert_str_eq(many, one);
        free(many);
    }
    free(one);
    sweep_plan_close(&p);
}
END_TEST

START_TEST(what_is_kept_is_not_run_again)
{
    struct sweep_plan p;
    make_plan(&p, NULL, (const char *[]){ "batch=3,5,7,5", NULL });       /* 5 twice: one input */
    struct sweep s = { .plan = &p, .results = results, .jobs = 2, .shards = 1 };
    char *first = sweep_of(&s);
    ck_assert_uint_eq(files(results), 3);
    ck_assert_ptr_nonnull(strstr(first, "\n4,5,done,"));

    /* One is lost, one is cut short, one is kept. */
    ck_assert_int_eq(unlink(path_of(&p, 0)), 0);
    ck_assert_int_eq(truncate(path_of(&p, 2), 100), 0);
    json_t **rows = sweep_rows_kept(&s);
    ck_assert(rows[0] == NULL && rows[1] != NULL && rows[2] == NULL && rows[3] != NULL);
    sweep_rows_free(&s, rows);
    char *second = sweep_of(&s);
    ck_assert_str_eq(second, first);
    ck_assert_uint_eq(files(results), 3);
    free(first);
    free(second);
    sweep_plan_close(&p);
}
END_TEST

/* What a shard has not run is missing from its table, and together they are the whole. */
START_TEST(shards_are_parts_of_the_whole)
{
    struct sweep_plan p;
    make_plan(&p, NULL, (const char *[]){ "batch=3,5,7,9,11", NULL });
    struct sweep s = { .plan = &p, .jobs = 1, .shards = 1 };
    char *whole = sweep_of(&s);
    s.results = results;
    s.shards = 2;
    for (s.shard = 0; s.shard < 2; s.shard++) {
        free(sweep_of(&s));
        ck_assert_uint_eq(files(results), s.shard == 0 ? 3 : 5);
    }
    s.shards = 1;
    s.shard = 0;
    json_t **rows = sweep_rows_kept(&s);
    char *collected = table_of(&s, rows);
    ck_assert_str_eq(collected, whole);
    sweep_rows_free(&s, rows);
    free(collected);
    free(whole);
    sweep_plan_close(&p);
}
END_TEST

/* The second point is of the first one's input, so that its shard has nothing to do. */
START_TEST(one_input_is_run_once)
{
    struct sweep_plan p;
    make_plan(&p, NULL, (const char *[]){ "batch=3", "ideal=none,none", NULL });
    struct sweep s = { .plan = &p, .results = results, .jobs = 2, .shard = 1, .shards = 2 };
    free(sweep_of(&s));
    ck_assert_uint_eq(files(results), 0);
    s.shard = 0;
    char *text = sweep_of(&s);
    ck_assert_uint_eq(files(results), 1);
    ck_assert_ptr_nonnull(strstr(text, "\n2,3,none,done,"));
    free(text);
    sweep_plan_close(&p);
}
END_TEST

/* No tile fits in a KiB: what only the run finds out. */
START_TEST(a_point_that_fails_is_kept_and_stops_no_other)
{
    struct sweep_plan p;
    struct diag d = { .text = "" };
    make_plan(&p, NULL, (const char *[]){ "lower.tile_bytes=1024,65536", "batch=3,5", NULL });
    struct sweep s = { .plan = &p, .results = results, .jobs = 3, .shards = 1 };
    free(sweep_of(&s));
    json_t **rows = sweep_rows_kept(&s);
    for (size_t i = 0; i < 4; i++)
        ck_assert_msg(sweep_row_is(rows[i], i < 2 ? "failed" : "done"), "%zu", i);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(rows[0], "message")),
                                 "tile_bytes"));
    sweep_rows_free(&s, rows);

    /* As if another reason had been kept: it stays, until it is asked for again. */
    json_t *kept = sweep_store_failed(p.hashes[0], "out of luck");
    ck_assert(sweep_store_save(results, p.hashes[0], kept, &d));
    json_decref(kept);
    char *again = sweep_of(&s);
    ck_assert_ptr_nonnull(strstr(again, ",failed,,,,,,,,,,,,,,,out of luck\n"));
    free(again);
    s.retry_failed = true;
    again = sweep_of(&s);
    ck_assert_ptr_null(strstr(again, "out of luck"));
    free(again);
    sweep_plan_close(&p);
}
END_TEST

START_TEST(a_result_of_another_input_is_none)
{
    struct sweep_plan p;
    struct diag d = { .text = "" };
    make_plan(&p, NULL, (const char *[]){ "batch=3,5", NULL });
    struct sweep s = { .plan = &p, .results = results, .jobs = 1, .shards = 1 };
    ck_assert(sweep_store_open(results, &d));
    json_t *kept = sweep_store_failed(p.hashes[1], "not mine");
    ck_assert(sweep_store_save(results, p.hashes[0], kept, &d));
    json_decref(kept);
    json_t **rows = sweep_rows_kept(&s);
    ck_assert(rows[0] == NULL && rows[1] == NULL);
    sweep_rows_free(&s, rows);
    sweep_plan_close(&p);
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_stops_the_sweep)
{
    struct sweep_plan p;
    struct diag d = { .text = "" };
    ck_assert(!sweep_store_open(net, &d));              /* a file */
    ck_assert_str_eq(d.file, net);
    make_plan(&p, NULL, (const char *[]){ "batch=3,5", NULL });
    struct sweep s = { .plan = &p, .results = "/nonexistent", .jobs = 2, .shards = 1 };
    d = (struct diag){ .text = "" };
    json_t **rows = sweep_rows_kept(&s);
    ck_assert(!sweep_run(&s, rows, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "/nonexistent"));
    ck_assert(rows[0] == NULL && rows[1] == NULL);
    sweep_rows_free(&s, rows);
    sweep_plan_close(&p);
}
END_TEST

Suite *sweep_suite(void)
{
    Suite *s = suite_create("sweep");
    TCase *t = tcase_create("points");
    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, axes_are_a_grid_of_which_the_first_is_slowest);
    tcase_add_test(t, parameters_of_the_network_change_the_trace);
    tcase_add_test(t, a_name_is_of_the_input_and_of_nothing_else);
    tcase_add_loop_test(t, a_value_that_cannot_be_is_refused_where_it_stands, 0,
                        COUNT_OF(refused));
    tcase_add_test(t, the_table_says_the_same_in_words);
    tcase_add_test(t, what_was_multiplied_is_said);
    suite_add_tcase(s, t);
    t = tcase_create("runs");
    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, any_number_of_jobs_gives_the_same_bytes);
    tcase_add_test(t, what_is_kept_is_not_run_again);
    tcase_add_test(t, shards_are_parts_of_the_whole);
    tcase_add_test(t, one_input_is_run_once);
    tcase_add_test(t, a_point_that_fails_is_kept_and_stops_no_other);
    tcase_add_test(t, a_result_of_another_input_is_none);
    tcase_add_test(t, a_folder_that_cannot_be_written_stops_the_sweep);
    suite_add_tcase(s, t);
    return s;
}
