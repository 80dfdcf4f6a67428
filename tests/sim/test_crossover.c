/* test_crossover.c - cells of a map against runs of their own. */
#include "sim/crossover.h"

#include <stdlib.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/sweep_store.h"
#include "tests/sim/compare_rig.h"
#include "tests/suites.h"

static const char net[] = "simaccel-net 1\nname n\ninput 20\nbatch 4\ndense 16 relu\n"
                          "dense 4 softmax\nloss cross_entropy\noptimizer sgd lr=0.1\n";

static void open_plan(struct sweep_plan *p, const char *const *axes, size_t count)
{
    struct diag d = { .text = "" };
    struct sweep_place place = { .file = "--over", .line = 1, .column = 1 };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    *p = (struct sweep_plan){ .file = "n.net", .of_some = true };
    p->text = strdup(net);
    p->size = strlen(net);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(sweep_plan_add(p, axes[i], &place, &d), "%s", d.text);
    ck_assert_msg(sweep_plan_open(p, &d), "%s", d.text);
}

static json_t *map_of(const char *const *axes, size_t count, double limit, unsigned jobs,
                      const char *folder)
{
    struct diag d = { .text = "" };
    struct sweep_plan *p = calloc(1, sizeof *p);
    open_plan(p, axes, count);
    struct sweep s = { .plan = p, .jobs = jobs, .shards = 1, .results = folder };
    json_t *o = crossover_run(&s, limit, &d);
    ck_assert_msg(o != NULL, "%s", d.text);
    sweep_plan_close(p);
    free(p);
    return o;
}

static const json_t *on(const json_t *map, size_t point, size_t machine)
{
    const json_t *p = json_array_get(json_object_get(map, "points"), point);
    return json_array_get(json_object_get(p, "on"), machine);
}

static const char *const grid[] = { "batch=2,8", "width=16,64,200", "arch=tpu-mini,gpu-mini" };

/* Point i of the plan is cell i / 2, machine i % 2. */
START_TEST(a_cell_is_the_runs_of_its_point)
{
    struct sweep_plan *p = calloc(1, sizeof *p);
    json_t *map = map_of(grid, 3, 0, 2, NULL);
    open_plan(p, grid, 3);
    ck_assert_uint_eq(p->points, 12);
    for (size_t i = 0; i < p->points; i++) {
        struct diag d = { .text = "" };
        struct sweep_point made;
        int status;
        ck_assert(sweep_point_make(p, i, &made, &d));
        struct experiment e = run_options_experiment(&made.run, made.machine);
        e.trace = made.trace;
        json_t *result = experiment_run(&e, &d, &status);
        const json_t *cell = on(map, i / 2, i % 2);
        ck_assert_double_eq(number(cell, "time_s"), number(result, "time_s"));
        ck_assert_double_eq(number(cell, "energy_per_sample_j"),
                            number(result, "energy_j") / (i < 6 ? 2 : 8));
        json_decref(result);
        sweep_point_free(&made);
    }
    sweep_plan_close(p);
    free(p);
    json_decref(map);
}
END_TEST

START_TEST(the_best_of_a_cell_has_least)
{
    static const char *const names[] = { "tpu-mini", "gpu-mini" };
    json_t *map = map_of(grid, 3, 0, 2, NULL);
    for (size_t i = 0; i < 6; i++) {
        const json_t *point = json_array_get(json_object_get(map, "points"), i);
        double time[2], energy[2];
        for (int m = 0; m < 2; m++) {
            time[m] = number(on(map, i, m), "time_s");
            energy[m] = number(on(map, i, m), "energy_j");
        }
        ck_assert_str_eq(text_of(point, "faster"), names[time[1] < time[0]]);
        ck_assert_str_eq(text_of(point, "thriftier"), names[energy[1] < energy[0]]);
        ck_assert_double_eq(number(point, "time_ratio"), time[1] / time[0]);
        ck_assert_double_eq(number(point, "energy_ratio"), energy[1] / energy[0]);
    }
    json_decref(map);
}
END_TEST

/* Of both a layer of 16 million units fits no memory; of 64 units a step has more FLOP than 1e4. */
START_TEST(what_is_left_out_and_what_does_not_fit_is_said)
{
    static const char *const axes[] = { "width=1,64,16000000", "arch=tpu-mini,gpu-mini" };
    static const char *const status[] = { "done", "left_out", "too_large" };
    json_t *map = map_of(axes, 2, 1e4, 2, NULL);
    for (size_t i = 0; i < 3; i++) {
        const json_t *point = json_array_get(json_object_get(map, "points"), i);
        ck_assert_int_eq(number(point, "flops") > 1e4, i > 0);
        for (size_t m = 0; m < 2; m++)
            ck_assert_str_eq(text_of(on(map, i, m), "status"), status[i]);
        ck_assert_int_eq(text_of(point, "faster")[0] == '\0', i > 0);
    }
    json_decref(map);
}
END_TEST

START_TEST(a_figure_of_one_machine_changes_that_one)
{
    static const char *const axes[] = { "sm.count=1,2", "arch=tpu-mini,gpu-mini" };
    json_t *map = map_of(axes, 2, 0, 2, NULL);
    ck_assert_double_eq(number(on(map, 0, 0), "energy_j"), number(on(map, 1, 0), "energy_j"));
    ck_assert_double_ne(number(on(map, 0, 1), "energy_j"), number(on(map, 1, 1), "energy_j"));
    json_decref(map);
}
END_TEST

/* The second time everything is kept: a limit that leaves all out leaves nothing out. */
START_TEST(a_map_is_the_same_for_any_jobs_and_when_kept)
{
    struct diag d = { .text = "" };
    char folder[] = "/tmp/simaccel-test-XXXXXX", command[64];
    ck_assert(mkdtemp(folder) && sweep_store_open(folder, &d));
    json_t *one = map_of(grid, 3, 0, 1, folder), *kept = map_of(grid, 3, 1, 3, folder);
    json_t *three = map_of(grid, 3, 0, 3, NULL);
    json_object_set(kept, "limit_flop", json_object_get(one, "limit_flop"));
    ck_assert(json_equal(one, three));
    ck_assert(json_equal(one, kept));
    json_decref(one);
    json_decref(kept);
    json_decref(three);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

static char *written(void (*write)(const json_t *, FILE *), const json_t *map)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    write(map, out);
    fclose(out);
    return text;
}

START_TEST(text_and_csv_have_each_point)
{
    json_t *map = map_of(grid, 3, 0, 2, NULL);
    char *csv = written(crossover_csv, map), *text = written(crossover_text, map);
    size_t lines = 0;
    for (const char *c = csv; *c; c++)
        lines += *c == '\n';
    ck_assert_uint_eq(lines, 7);
    ck_assert_ptr_nonnull(strstr(csv, "batch,width,flops,faster,time_ratio,"));
    ck_assert_ptr_nonnull(strstr(csv, "\n8,64,"));
    ck_assert_ptr_nonnull(strstr(text, "Time of gpu-mini over that of tpu-mini"));
    ck_assert_ptr_nonnull(strstr(text, "tpu-mini is faster at "));
    free(csv);
    free(text);
    json_decref(map);
}
END_TEST

Suite *crossover_suite(void)
{
    Suite *s = suite_create("crossover");
    TCase *t = tcase_create("cells");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_cell_is_the_runs_of_its_point);
    tcase_add_test(t, the_best_of_a_cell_has_least);
    tcase_add_test(t, what_is_left_out_and_what_does_not_fit_is_said);
    tcase_add_test(t, a_figure_of_one_machine_changes_that_one);
    tcase_add_test(t, a_map_is_the_same_for_any_jobs_and_when_kept);
    tcase_add_test(t, text_and_csv_have_each_point);
    suite_add_tcase(s, t);
    return s;
}
