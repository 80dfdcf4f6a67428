/* test_plot.c - pictures: their data against the result, worked out by hand; and gnuplot draws
 * every kind without a word. */
#include "sim/plot.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/plot_inside.h"
#include "tests/suites.h"

/* ---- results: JSON with ' for ", so that it can be read here ---- */

static json_t *read_json(const char *text)
{
    char *copy = strdup(text);
    json_error_t wrong;
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *json = json_loads(copy, 0, &wrong);
    ck_assert_msg(json != NULL, "line %d: %s", wrong.line, wrong.text);
    free(copy);
    return json;
}

/* A TPU without a limit, 2 us, and a GPU with one, 4 us. */
static const char two[] =
    "[{'machine':'toy', 'kind':'tpu', 'trace':'tiny', 'time_s':2e-6, 'energy_j':10,"
    "  'average_power_w':3, 'peak_flops_per_s':8e9, 'hbm':{'peak_bytes_per_s':2e9},"
    "  'energy':{'matrix_units':1, 'vector_unit':2, 'transpose_units':0.5, 'hbm_read':0.25,"
    "            'static':6, 'new_thing':0.25},"
    "  'power':{'interval_s':1.5e-6, 'power_w':[4, 2]},"
    "  'phases':[{'name':'forward', 'time_s':2}, {'name':'update', 'time_s':1}],"
    "  'ops':[{'name':'a \\u0022x\\u0022', 'phase':'forward', 'time_s':1.5e-6, 'span_s':1.75e-6,"
    "          'flops':3500, 'flops_per_byte':7, 'hbm_bytes':500, 'mxu_utilization':0.25},"
    "         {'name':'b', 'phase':'update', 'time_s':0.5e-6, 'span_s':0.5e-6,"
    "          'flops':0, 'flops_per_byte':0, 'hbm_bytes':250, 'mxu_utilization':0}],"
    "  'units':[{'name':'core0.mxu0', 'kind':'mxu', 'states':{'stream':1.5e-6, 'idle':0.5e-6}},"
    "           {'name':'core0.mxu1', 'kind':'mxu', 'states':{'stream':0.5e-6, 'idle':1.5e-6}},"
    "           {'name':'core0.load', 'kind':'queue', 'states':{'busy':2e-6}}],"
    "  'over_time':{'bin_s':1.5e-6, 'bins':2, 'end_s':2e-6, 'classes':["
    "    {'name':'core0.mxu', 'what':'matrix units', 'busy_s':1, 'share':[1, 0.5]},"
    "    {'name':'core1.mxu', 'what':'matrix units', 'busy_s':1, 'share':[0.5, 0]},"
    "    {'name':'core0.link', 'what':'links', 'busy_s':0, 'share':[0, 0]},"
    "    {'name':'hbm', 'what':'HBM', 'busy_s':1, 'share':[1, 1]},"
    "    {'name':'hbm.read', 'what':'HBM, reading', 'busy_s':1, 'share':[0.25, 1]}],"
    "   'units':[{'name':'core0.mxu0', 'kind':'mxu', 'share':[1, 0.5]},"
    "            {'name':'hbm0', 'kind':'hbm', 'share':[1, 1]},"
    "            {'name':'core1.mxu0', 'kind':'mxu', 'share':[0.5, 0]}]}},"
    " {'machine':'big', 'kind':'gpu', 'trace':'tiny', 'time_s':4e-6, 'energy_j':4,"
    "  'average_power_w':1, 'power_limit_w':5, 'peak_flops_per_s':6e9,"
    "  'hbm':{'peak_bytes_per_s':3e9}, 'energy':{'tensor_cores':3, 'constant':1},"
    "  'power':{'interval_s':4e-6, 'power_w':[1]},"
    "  'phases':[{'name':'update', 'time_s':4}],"
    "  'ops':[{'name':'c', 'phase':'loss', 'time_s':4e-6, 'span_s':4e-6, 'flops':8000,"
    "          'flops_per_byte':1, 'hbm_bytes':8000, 'mxu_utilization':0.5}],"
    "  'units':[{'name':'sm0', 'kind':'sm', 'states':{'issued':1e-6, 'hbm':3e-6}}],"
    "  'over_time':{'bin_s':2e-6, 'bins':2, 'end_s':4e-6, 'classes':["
    "    {'name':'issue', 'what':'issue slots', 'busy_s':1, 'share':[0.5, 0.25]}],"
    "   'units':[{'name':'sm0', 'kind':'sm', 'share':[0.5, 0.25]},"
    "            {'name':'hbm0.ch0', 'kind':'channel', 'share':[0, 0.125]}]}}]";

static const struct plot *const kinds[] = { &plot_energy, &plot_stalls, &plot_power,
                                            &plot_roofline, &plot_utilization,
                                            &plot_compare, &plot_over_time, &plot_heat };

/* What must be in the data, in this order; numbers that are powers of two are exact. */
static const struct { const struct plot *plot; const char *lines; } data[] = {
    /* matrix; 2 + 0.5 lanes; nothing of 3 groups; HBM; none at rest; chip; what is new */
    { &plot_energy, "\"toy\" 1 2.5 0 0 0 0.25 0 6 0.25\n\"big\" 3 0 0 0 0 0 0 1 0\n" },
    /* phases that somebody has, in a step's order; groups that somebody has */
    { &plot_compare, "\"phase\" \"toy\" \"big\"\n\"forward\" 2 0\n\"update\" 1 4\n\"all\" " },
    { &plot_compare, "\n\n\n\"group\" \"toy\" \"big\"\n\"matrix units\" 1 3\n"
                     "\"vector and scalar lanes\" 2.5 0\n\"HBM: reads, writes, rows\" 0.25 0\n"
                     "\"chip at rest\" 6 1\n\"other\" 0.25 0\n\"all\" 10 4\n" },
    /* two units of equal shares: the name decides; 3 of 4 us wait for HBM */
    { &plot_stalls, "\"matrix units\" \"idle\" \"stream\" \"other\"\n\"toy\" 0.5 0.5 0\n\n\n"
                    "\"queues\" \"busy\" \"other\"\n\"toy load\" 1 0\n\n\n"
                    "\"schedulers of SMs\" \"hbm\" \"issued\" \"other\"\n\"big\" 0.75 0.25 0\n" },
    /* the mean of both cores; links did nothing, HBM is what it read; two rows a bin */
    { &plot_over_time, "\"toy\" \"matrix units\" \"HBM, reading\"\n0 0.75 0.25\n1.5e-06 0.75 0.25\n"
                       "1.5e-06 0.25 1\n2e-06 0.25 1\n\n\n# from_s to_s phase\n" },
    { &plot_over_time, "\"big\" \"issue slots\"\n0 0.5\n2e-06 0.5\n2e-06 0.25\n4e-06 0.25\n" },
    { &plot_heat, "100 50\n50 0\n\n\n50 25\n50 25\n\n\n0 12.5\n0 12.5\n\n\n1.5" },
    { &plot_heat, " 2 \"toy: matrix units\"\n\n\n" },
    { &plot_heat, " 2 \"big: HBM channels\"\n\n\n\"core0.mxu0\"\n\"core1.mxu0\"\n\n\n\"sm0\"\n\n\n\"hbm0.ch0\"\n" },
};

static char *data_of(const struct plot *p, const json_t *results)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    p->data(results, out);
    fclose(out);
    return text;
}

START_TEST(data_are_what_the_results_say)
{
    json_t *results = read_json(two);
    char *text = data_of(data[_i].plot, results);
    ck_assert_msg(strstr(text, data[_i].lines) != NULL, "%s", text);
    free(text);
    json_decref(results);
}
END_TEST

/* The numbers that come next. */
static void expect(const char **at, const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *end;
        double x = strtod(*at, &end);
        ck_assert_msg(end != *at, "no number at %.40s", *at);
        ck_assert_double_eq_tol(x, numbers[i], 1e-12 * (1 + numbers[i] * 1e3));
        *at = end;
    }
}

static const char *behind(const char *text, const char *words)
{
    const char *at = strstr(text, words);
    ck_assert_msg(at != NULL, "no %s in %s", words, text);
    return at + strlen(words);
}

START_TEST(power_steps_last_until_the_run_ends)
{
    json_t *results = read_json(two);
    char *text = data_of(&plot_power, results);
    const char *at = behind(text, "\"toy\"\n");
    expect(&at, (double[]){ 0, 4, 3, 0,  1.5e-6, 2, 3, 0,  2e-6, 2, 3, 0 }, 12);
    at = behind(at, "\n\n\n\"big\"\n");
    expect(&at, (double[]){ 0, 1, 1, 5,  4e-6, 1, 1, 5 }, 8);
    ck_assert_str_eq(at, "\n");
    free(text);
    json_decref(results);
}
END_TEST

/* Ridges: 8 / 2 = 4 and 6 / 3 = 2 FLOP a byte; ops at 7 and 1.  So roofs go from 1/3 to 21. */
START_TEST(a_roof_bends_at_peak_over_bandwidth)
{
    json_t *results = read_json(two);
    char *text = data_of(&plot_roofline, results);
    const char *at = behind(text, "\"toy\"\n");
    expect(&at, (double[]){ 1.0 / 3, 2e9 / 3,  4, 8e9,  21, 8e9 }, 6);
    at = behind(at, "\n\n\n\"toy\"\n");
    expect(&at, (double[]){ 7, 3500 / 1.75e-6, 0.75 }, 3);
    at = behind(at, " \"a x\"\n\n\n\"big\"\n");         /* b has no FLOPs */
    expect(&at, (double[]){ 1.0 / 3, 1e9,  2, 6e9,  21, 6e9 }, 6);
    at = behind(at, "\n\n\n\"big\"\n");
    expect(&at, (double[]){ 1, 2e9, 1 }, 3);
    ck_assert_str_eq(at, " \"c\"\n");
    free(text);
    json_decref(results);
}
END_TEST

/* 500 bytes of 1.5 us x 2 GB/s; 250 of 0.5 us; 8000 of 4 us x 3 GB/s. */
START_TEST(ops_stand_one_after_the_other)
{
    json_t *results = read_json(two);
    char *text = data_of(&plot_utilization, results);
    const char *at = behind(text, "\"toy\"\n");
    expect(&at, (double[]){ 0, 1.5e-6, 0.25, 1.0 / 6, 0 }, 5);
    at = behind(at, " \"a x\"\n");
    expect(&at, (double[]){ 1.5e-6, 2e-6, 0, 0.25, 3 }, 5);
    at = behind(at, " \"b\"\n");
    expect(&at, (double[]){ 2e-6, 2e-6, 0, 0.25, 0 }, 5);           /* the end */
    at = behind(at, " \"\"\n\n\n\"big\"\n");
    expect(&at, (double[]){ 0, 4e-6, 0.5, 2.0 / 3, 1 }, 5);
    at = behind(at, " \"c\"\n");
    expect(&at, (double[]){ 4e-6, 4e-6, 0, 2.0 / 3, 0 }, 5);
    ck_assert_str_eq(at, " \"\"\n");
    free(text);
    json_decref(results);
}
END_TEST

START_TEST(labels_tell_results_apart)
{
    static const struct { const char *results, *first, *last; } cases[] = {
        { "[{'machine':'a','trace':'t'},{'machine':'b','trace':'t'}]", "a", "b" },
        { "[{'machine':'a','trace':'t'},{'machine':'a','trace':'u'}]", "a, t", "a, u" },
        { "[{'machine':'a','trace':'t'},{'machine':'a','trace':'t'}]", "a (1)", "a (2)" },
        { "[{'machine':'a','trace':'t'},{'machine':'b','trace':'u'},"
          " {'machine':'a','trace':'t'}]", "a, t (1)", "a, t (2)" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *results = read_json(cases[i].results);
        char label[PLOT_LABEL];
        plot_label(results, 0, label);
        ck_assert_str_eq(label, cases[i].first);
        plot_label(results, json_array_size(results) - 1, label);
        ck_assert_str_eq(label, cases[i].last);
        json_decref(results);
    }
}
END_TEST

/* Each field that a kind says it needs, taken away from the first result. */
START_TEST(what_is_missing_is_named)
{
    static const struct { const struct plot *plot; const char *without, *words; } cases[] = {
        { &plot_energy,   "energy",           "energy is missing" },
        { &plot_energy,   "machine",          "machine is missing" },
        { &plot_stalls,   "units",            "units is missing" },
        { &plot_power,    "power",            "power.interval_s is missing" },
        { &plot_roofline, "peak_flops_per_s", "peak_flops_per_s is missing" },
        { &plot_roofline, "hbm",              "hbm.peak_bytes_per_s is missing" },
        { &plot_utilization, "ops",           "ops is missing" },
        { &plot_over_time, "over_time",       "over_time.bin_s is missing" },
        { &plot_heat, "over_time",            "over_time.bin_s is missing" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *results = read_json(two), *first = json_array_get(results, 0);
        struct diag none = { .text = "" }, d = { .text = "" };
        ck_assert(plot_takes(cases[i].plot, first, &none));
        json_object_del(first, cases[i].without);
        ck_assert(!plot_takes(cases[i].plot, first, &d));
        ck_assert_msg(strstr(d.text, cases[i].words) != NULL, "%s", d.text);
        json_decref(results);
    }
}
END_TEST

/* ---- sweeps ---- */

/* Rows and columns in step, two batches: time of a row 1, 1/2 | 1/4, 1/8 us; one has failed. */
static const char grid[] =
    "[{'sweep':1, 'file':'nets/tiny.net', 'points':["
    "{'over':{'rows':8, 'cols':4, 'batch':1}, 'status':'done', 'rows':1, 'time_s':1e-6,"
    " 'energy_j':4, 'mxu_utilization':0.5, 'hbm_bytes_per_s':1, 'hbm_peak_bytes_per_s':4},"
    "{'over':{'rows':8, 'cols':4, 'batch':2}, 'status':'done', 'rows':2, 'time_s':1e-6,"
    " 'energy_j':4, 'mxu_utilization':0.25, 'hbm_bytes_per_s':2, 'hbm_peak_bytes_per_s':4},"
    "{'over':{'rows':16, 'cols':8, 'batch':1}, 'status':'failed', 'message':'no'},"
    "{'over':{'rows':16, 'cols':8, 'batch':2}, 'status':'done', 'rows':2, 'time_s':0.5e-6,"
    " 'energy_j':1, 'mxu_utilization':1, 'hbm_bytes_per_s':4, 'hbm_peak_bytes_per_s':4},"
    "{'over':{'rows':32, 'cols':16, 'batch':1}, 'status':'done', 'rows':1, 'time_s':0.25e-6,"
    " 'energy_j':2, 'mxu_utilization':0, 'hbm_bytes_per_s':0, 'hbm_peak_bytes_per_s':4},"
    "{'over':{'rows':32, 'cols':16, 'batch':2}, 'status':'missing'}]}]";

/* Of words alone, and a trace that does not say its rows. */
static const char words[] =
    "[{'sweep':1, 'file':'tiny.trace', 'points':["
    "{'over':{'arch':'b'}, 'status':'done', 'rows':0, 'time_s':2, 'energy_j':4,"
    " 'mxu_utilization':0, 'hbm_bytes_per_s':0, 'hbm_peak_bytes_per_s':4},"
    "{'over':{'arch':'a'}, 'status':'done', 'rows':0, 'time_s':1, 'energy_j':8,"
    " 'mxu_utilization':0, 'hbm_bytes_per_s':4, 'hbm_peak_bytes_per_s':4}]}]";

START_TEST(a_sweep_has_a_line_for_each_other_value)
{
    json_t *sweep = read_json(grid);
    char *text = data_of(&plot_sweep, sweep);
    ck_assert_msg(strstr(text, "\"rows\" 0 1 9.9999999999999995e-07 2 \"batch\"\n\n\n"
                  "\"batch 1\" 1\n8 1 4 0.5 0.25 \"8\"\n\n32 4 2 0 0 \"32\"\n\n\n"
                  "\"batch 2\" 2\n8 2 2 0.25 0.5 \"8\"\n16 4 0.5 1 1 \"16\"\n") != NULL, "%s",
                  text);
    ck_assert_str_eq(plot_subject(sweep), "tiny.net");
    free(text);
    json_decref(sweep);
}
END_TEST

START_TEST(words_stand_side_by_side)
{
    json_t *sweep = read_json(words);
    char *text = data_of(&plot_sweep, sweep);
    ck_assert_msg(strstr(text, "\"arch\" 1 0 2 0 \"\"\n\n\n\"\" 0\n1 1 4 0 0 \"b\"\n2 2 8 0 1 \"a\"\n")
                  != NULL, "%s", text);
    free(text);
    json_decref(sweep);
}
END_TEST

/* Lines that are told apart by words, 9 of them; one value; nothing done; a point that is done without a time. */
START_TEST(a_sweep_without_a_picture_is_refused)
{
    json_t *over, *sweep = read_json(grid), *points;
    for (int i = 0; i < 4; i++) {
        struct diag d = { .text = "" };
        json_t *copy = json_deep_copy(json_array_get(sweep, 0));
        points = json_object_get(copy, "points");
        for (int k = 0; i == 0 && k < 9; k++) {
            json_array_append_new(points, json_deep_copy(json_array_get(points, 0)));
            over = json_object_get(json_array_get(points, json_array_size(points) - 1), "over");
            json_object_set_new(over, "batch", json_sprintf("b%d", k + 1));
        }
        for (int k = 0; i == 1 && k < 5; k++)
            json_array_remove(points, 1);
        for (int k = 0; i == 2 && k < 5; k++)
            json_array_remove(points, k < 2 ? 0 : json_array_size(points) - 2);
        if (i == 3)
            json_object_del(json_array_get(points, 1), "time_s");
        ck_assert(!plot_takes(&plot_sweep, copy, &d));
        ck_assert_msg(strstr(d.text, "at most 8 lines") != NULL, "%d: %s", i, d.text);
        json_decref(copy);
    }
    json_decref(sweep);
}
END_TEST

/* ---- crossover maps ---- */

/* Two columns of three rows: 1/2, 2, left out; 1/4, 1/2, too large for the second. */
static const char crossed[] =
    "[{'crossover':1, 'trace':'tiny', 'machines':['a', 'b'],"
    " 'axes':[{'name':'batch', 'steps':2}, {'name':'width', 'steps':3}], 'points':["
    "{'over':{'batch':1, 'width':8}, 'flops':1, 'time_ratio':0.5, 'energy_ratio':2,"
    " 'on':[{'status':'done'}, {'status':'done'}]},"
    "{'over':{'batch':1, 'width':16}, 'flops':1, 'time_ratio':2, 'energy_ratio':4,"
    " 'on':[{'status':'done'}, {'status':'done'}]},"
    "{'over':{'batch':1, 'width':32}, 'flops':1, 'on':[{'status':'done'}, {'status':'left_out'}]},"
    "{'over':{'batch':2, 'width':8}, 'flops':1, 'time_ratio':0.25, 'energy_ratio':2,"
    " 'on':[{'status':'done'}, {'status':'done'}]},"
    "{'over':{'batch':2, 'width':16}, 'flops':1, 'time_ratio':0.5, 'energy_ratio':8,"
    " 'on':[{'status':'done'}, {'status':'done'}]},"
    "{'over':{'batch':2, 'width':32}, 'flops':1,"
    " 'on':[{'status':'done'}, {'status':'too_large'}]}]}]";

/* Of time the point of 2 has lines below it and to its right; of energy there is none. */
START_TEST(lines_are_where_a_map_crosses_over)
{
    json_t *map = read_json(crossed);
    char *text = data_of(&plot_crossover, map);
    ck_assert(plot_crossover.drawable(json_array_get(map, 0)));
    ck_assert_msg(strstr(text, "\"a\" \"b\" \"batch\" \"width\" 2 3\n\n\n\"1\"\n\"2\"\n\n\n"
                  "\"8\"\n\"16\"\n\"32\"\n\n\n0 0 0.5 2\n0 1 2 4\n0 2 NaN NaN\n1 0 0.25 2\n"
                  "1 1 0.5 8\n1 2 NaN NaN\n\n\n-1 -1 0 0\n-0.5 0.5 1 0\n0.5 0.5 0 1\n\n\n"
                  "-1 -1 0 0\n\n\n-1 -1 0\n0 2 1\n1 2 3\n") != NULL, "%s", text);
    free(text);
    json_object_set_new(json_array_get(map, 0), "machines", read_json("['a', 'b', 'c']"));
    ck_assert(!plot_crossover.drawable(json_array_get(map, 0)));
    json_decref(map);
}
END_TEST

/* ---- gnuplot: without it there is nothing to test ---- */

static void draw_silently(const struct plot *kind, const json_t *results)
{
    char folder[] = "/tmp/test_plot-XXXXXX", command[200], path[64];
    struct diag d = { .text = "" };
    if (system("gnuplot --version >/dev/null 2>&1") != 0)
        return;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x.svg", folder);
    ck_assert_msg(plot_draw(kind, results, path, &d), "%s", d.text);
    snprintf(command, sizeof command, "cd %s && test -s x.svg && gnuplot x.gp >words 2>&1 "
             "&& ! test -s words || { cat words; false; }", folder);
    ck_assert_msg(system(command) == 0, "%s", kind->name);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Of a TPU and a GPU, and of each alone. */
START_TEST(gnuplot_draws_without_a_word)
{
    for (int which = 0; which < 3; which++) {
        json_t *results = read_json(two);
        if (which > 0)
            json_array_remove(results, (size_t)which - 1);
        draw_silently(kinds[_i], results);
        json_decref(results);
    }
}
END_TEST

/* Forty batches: shades of one colour instead of eight. */
static void add_batches(json_t *sweep)
{
    json_t *points = json_object_get(json_array_get(sweep, 0), "points");
    for (int i = 0; i < 80; i++) {
        json_t *point = json_deep_copy(json_array_get(points, i % 2 ? 3 : 1));
        json_object_set_new(json_object_get(point, "over"), "batch", json_integer(3 + i / 2));
        json_array_append_new(points, point);
    }
}

START_TEST(gnuplot_draws_sweeps_without_a_word)
{
    json_t *sweep = read_json(_i == 1 ? words : grid);
    if (_i == 2)
        add_batches(sweep);
    draw_silently(&plot_sweep, sweep);
    json_decref(sweep);
}
END_TEST

START_TEST(gnuplot_draws_a_map_without_a_word)
{
    json_t *map = read_json(crossed);
    draw_silently(&plot_crossover, map);
    json_decref(map);
}
END_TEST

Suite *plot_suite(void)
{
    Suite *s = suite_create("plot");
    TCase *t = tcase_create("data");
    tcase_add_loop_test(t, data_are_what_the_results_say, 0, COUNT_OF(data));
    tcase_add_test(t, power_steps_last_until_the_run_ends);
    tcase_add_test(t, a_roof_bends_at_peak_over_bandwidth);
    tcase_add_test(t, ops_stand_one_after_the_other);
    tcase_add_test(t, labels_tell_results_apart);
    tcase_add_test(t, what_is_missing_is_named);
    tcase_add_test(t, a_sweep_has_a_line_for_each_other_value);
    tcase_add_test(t, words_stand_side_by_side);
    tcase_add_test(t, a_sweep_without_a_picture_is_refused);
    tcase_add_test(t, lines_are_where_a_map_crosses_over);
    tcase_add_test(t, gnuplot_draws_a_map_without_a_word);
    tcase_add_loop_test(t, gnuplot_draws_without_a_word, 0, COUNT_OF(kinds));
    tcase_add_loop_test(t, gnuplot_draws_sweeps_without_a_word, 0, 3);
    suite_add_tcase(s, t);
    return s;
}
