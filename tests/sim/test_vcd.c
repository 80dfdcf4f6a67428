/* test_vcd.c - waves are what the format asks for, and say what results and registers say. */
#include <math.h>

#include "models/numerics/bf16.h"
#include "sim/experiment.h"
#include "sim/figures.h"
#include "sim/report_field.h"
#include "sim/step_array.h"
#include "sim/vcd.h"
#include "sim/vcd_run.h"
#include "tests/sim/vcd_reader.h"
#include "tests/suites.h"
#include "traces/net.h"
#include "traces/random.h"

/* ---- the writer alone */

static char *written(const struct vcd *v, tick_t from, tick_t to)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct vcd_head h = { .comment = "a test", .from = from, .to = to };
    vcd_write(v, &h, out);
    fclose(out);
    return text;
}

START_TEST(a_small_dump_is_this_text)
{
    struct vcd *v = vcd_new("tpu-v3");
    uint32_t unit = vcd_scope(v, vcd_scope(v, VCD_TOP, "core0"), "0.load");
    uint32_t n = vcd_number(v, unit, "depth", 4), t = vcd_text(v, unit, "state", 2);
    uint32_t r = vcd_real(v, VCD_TOP, "sum"), never = vcd_number(v, VCD_TOP, "b", 1);
    ck_assert_uint_eq(never, 3);
    vcd_set_text(v, t, 0, "A");
    vcd_set_number(v, n, 0, 5);
    vcd_set_number(v, n, 2000000, 9);           /* replaced in the same ns */
    vcd_set_number(v, n, 2000000, 0);
    vcd_set_real(v, r, 2000000, -0.5);
    vcd_set_nothing(v, n, 3000000);
    vcd_set_text(v, t, 3000000, "ab!");         /* longer than there is room */
    vcd_set_unknown(v, t, 4000000);
    char *text = written(v, 0, 5000000);
    const char *body = strstr(text, "$timescale");
    ck_assert_str_eq(body,
        "$timescale 1 ns $end\n$scope module tpu_v3 $end\n$var real 64 # sum $end\n"
        "$var reg 1 $ b $end\n$scope module core0 $end\n$scope module _0_load $end\n"
        "$var reg 4 ! depth [3:0] $end\n$var reg 16 \" state [15:0] $end\n$upscope $end\n"
        "$upscope $end\n$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\nb101 !\nb1000001 \"\n"
        "r0 #\nbx $\n$end\n#2\nb0 !\nr-0.5 #\n#3\nbz !\nb110000101100010 \"\n#4\nbx \"\n#5\n");
    free(text);
    vcd_free(v);
}
END_TEST

static const struct { tick_t at; double unit_s; } scales[] = {
    { 7000000, 1e-9 }, { 7001000, 1e-12 }, { 7000001, 1e-15 },
};

START_TEST(the_time_scale_is_the_coarsest_that_is_exact)
{
    struct vcd *v = vcd_new("x");
    uint32_t n = vcd_number(v, VCD_TOP, "n", 8);
    vcd_set_number(v, n, scales[_i].at, 1);
    char *text = written(v, 0, 9000000);
    struct waves w = waves_read(text);
    ck_assert_double_eq(w.unit_s, scales[_i].unit_s);
    ck_assert_uint_eq(w.change[1].at * (uint64_t)(w.unit_s * 1e15 + 0.5), scales[_i].at);
    waves_free(&w);
    free(text);
    vcd_free(v);
}
END_TEST

/* The reader fails if two have one code, or a code has a blank. */
START_TEST(many_variables_have_codes_of_their_own)
{
    struct vcd *v = vcd_new("x");
    for (unsigned i = 0; i < 9100; i += 7)
        vcd_number(v, VCD_TOP, (char[]){ 'a', (char)('a' + i % 26), (char)('a' + i / 26 % 26),
                                         (char)('a' + i / 676), '\0' }, 1 + i % 64);
    char *text = written(v, 0, 1);
    struct waves w = waves_read(text);
    ck_assert_uint_eq(w.wave_count, 1300);
    waves_free(&w);
    free(text);
    vcd_free(v);
}
END_TEST

START_TEST(the_save_file_is_beside_the_waves)
{
    static const char *const names[][2] = {
        { "x.vcd", "x.gtkw" }, { "a.b/x.vcd.gz", "a.b/x.gtkw" }, { "x", "x.gtkw" },
        { ".vcd", ".vcd.gtkw" }, { "x.gz", "x.gz.gtkw" },
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *save = vcd_save_name(names[i][0]);
        ck_assert_str_eq(save, names[i][1]);
        free(save);
    }
}
END_TEST

/* ---- runs */

static const char net[] =
    "simaccel-net 1\nname small\ninput 96\nbatch 64\ndense 128 relu\ndense 10 softmax\n"
    "loss cross_entropy\noptimizer sgd lr=0.01\n";

struct drawn { json_t *result; char *text, *save; struct waves w; };

static struct drawn draw(const char *machine, const struct recording_ask *ask)
{
    struct diag d = { .text = "" };
    struct net_options options = { .inference = false };
    struct drawn x = { .text = NULL };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    struct trace *t = net_expand_memory(net, strlen(net), &options, &d);
    struct machine *m = t ? machine_find(&figures_schema, machine, &d) : NULL;
    ck_assert_msg(m != NULL, "%s", d.text);
    size_t size;
    int status;
    FILE *out = open_memstream(&x.text, &size), *save = open_memstream(&x.save, &size);
    char name[] = "x.vcd";
    struct experiment_side sides[] = { { vcd_run_write, NULL, out },
                                       { vcd_run_write_save, name, save } };
    struct experiment e = { .machine = m, .trace = t, .record = ask, .sides = sides,
                            .side_count = 2 };
    x.result = experiment_run(&e, &d, &status);
    ck_assert_msg(x.result != NULL, "%s", d.text);
    fclose(out);
    fclose(save);
    x.w = waves_read(x.text);
    trace_free(t);
    machine_free(m);
    return x;
}

static void drop(struct drawn *x)
{
    json_decref(x->result);
    waves_free(&x->w);
    free(x->text);
    free(x->save);
}

static struct recording_ask all_of(void)
{
    struct recording_ask a = RECORDING_ASK;
    a.entries = a.detail = true;
    a.every = 1;
    a.most = 4000000;
    return a;
}

/* Seconds in a state, up to `end` of them. */
static double time_in(const struct waves *w, const char *path, const char *state, double end)
{
    const struct wave *x = waves_find(w, path);
    double since = 0, sum = 0;
    bool in = false;
    ck_assert_msg(x != NULL, "%s", path);
    for (size_t i = 0; i < w->changes; i++) {
        char text[64];
        if (&w->wave[w->change[i].wave] != x)
            continue;
        double at = fmin((double)w->change[i].at * w->unit_s, end);
        waves_text(w->change[i].value, text, sizeof text);
        sum += in ? at - since : 0;
        in = strcmp(text, state) == 0;
        since = at;
    }
    return sum + (in ? fmin((double)w->to * w->unit_s, end) - since : 0);
}

static double total(const json_t *states)
{
    double sum = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)states, name, value) {
        sum += json_number_value(value);
    }
    return sum;
}

/* Every state of every unit of a core, of a TPU; of an SM the mean of its schedulers. */
static double drawn_time(const struct waves *w, const char *chip, const char *unit,
                         const char *state, double end)
{
    char path[WAVE_PATH];
    double sum = 0;
    if (strncmp(unit, "core", 4) == 0) {
        snprintf(path, sizeof path, "%s.%s.state", chip, unit);
        return time_in(w, path, state, end);
    }
    for (int sub = 0; sub < 4; sub++) {
        snprintf(path, sizeof path, "%s.%s.sub%d.state", chip, unit, sub);
        sum += time_in(w, path, state, end) / 4;
    }
    return sum;
}

static const struct { const char *machine, *chip; } chips[] = {
    { "tpu-mini", "tpu_mini" }, { "tpu-v3", "tpu_v3" }, { "gpu-mini", "gpu_mini" },
};

/* Seconds in which there is something, up to `end` of them. */
static double time_of_work(const struct waves *w, const char *path, double end)
{
    const struct wave *x = waves_find(w, path);
    double since = 0, sum = 0;
    bool in = false;
    ck_assert_msg(x != NULL, "%s", path);
    for (size_t i = 0; i < w->changes; i++) {
        if (&w->wave[w->change[i].wave] != x)
            continue;
        double at = fmin((double)w->change[i].at * w->unit_s, end);
        sum += in ? at - since : 0;
        in = strcmp(w->change[i].value, "z") != 0;
        since = at;
    }
    return sum + (in ? end - since : 0);
}

/* An array streams while a tile is there.  What it does besides is told apart further in results. */
static void check_stream(const struct waves *w, const char *chip, const json_t *unit)
{
    char path[WAVE_PATH];
    const json_t *states = json_object_get(unit, "states");
    snprintf(path, sizeof path, "%s.%s.state", chip, report_string(unit, "name"));
    double stream = report_number(states, "stream"), all = total(states);
    ck_assert(fabs(time_in(w, path, "STREAM", all) - stream) < 1e-12);
    snprintf(path, sizeof path, "%s.%s.tile", chip, report_string(unit, "name"));
    ck_assert(fabs(time_of_work(w, path, all) - stream) < 1e-12);
}

START_TEST(waves_are_in_a_state_as_long_as_the_result_says)
{
    struct recording_ask ask = all_of();
    struct drawn x = draw(chips[_i].machine, &ask);
    double cycle = 1 / report_number(x.result, "clock_hz");
    unsigned compared = 0;
    size_t i;
    json_t *unit, *value;
    json_array_foreach(json_object_get(x.result, "units"), i, unit) {
        const char *name = report_string(unit, "name"), *kind = report_string(unit, "kind"), *state;
        json_t *states = json_object_get(unit, "states");
        if (strcmp(kind, "mxu") == 0)
            check_stream(&x.w, chips[_i].chip, unit);
        if (strcmp(kind, "queue") != 0 && strcmp(kind, "sm") != 0)
            continue;
        json_object_foreach(states, state, value) {
            double drawn = drawn_time(&x.w, chips[_i].chip, name, state, total(states));
            ck_assert_msg(fabs(drawn - json_number_value(value)) < 0.01 * cycle,
                          "%s %s: %.9g s drawn, %.9g in the result", name, state, drawn,
                          json_number_value(value));
            compared++;
        }
    }
    ck_assert_uint_gt(compared, 10);
    drop(&x);
}
END_TEST

/* At any time of a window every variable has the value that it has in the whole. */
START_TEST(a_window_is_a_part_of_the_whole)
{
    struct recording_ask ask = all_of();
    struct random_stream random = { (uint64_t)_i };
    struct drawn whole = draw(chips[_i].machine, &ask);
    ask.from = ticks_ns(1500);
    ask.to = ticks_ns(2300);
    struct drawn part = draw(chips[_i].machine, &ask);
    double scale = part.w.unit_s / whole.w.unit_s;
    ck_assert((double)part.w.from * part.w.unit_s >= 1500e-9 - 1e-15);
    ck_assert((double)part.w.to * part.w.unit_s <= 2300e-9 + 1e-15);
    ck_assert_uint_eq(part.w.wave_count, whole.w.wave_count);
    for (int n = 0; n < 400; n++) {
        const struct wave *x = &part.w.wave[random_below(&random, part.w.wave_count)];
        uint64_t at = part.w.from + random_below(&random, part.w.to - part.w.from);
        uint64_t in_whole = (uint64_t)((double)at * scale + 0.5);
        ck_assert_str_eq(waves_at(&part.w, x, at),
                         waves_at(&whole.w, waves_find(&whole.w, x->path), in_whole));
    }
    drop(&whole);
    drop(&part);
}
END_TEST

/* A full recording stops: unknown from there on, never a state held on. */
START_TEST(what_is_left_out_is_unknown)
{
    struct recording_ask ask = all_of();
    ask.most = 300;
    struct drawn x = draw("tpu-mini", &ask);
    unsigned never = 0, no_more = 0;
    for (uint32_t i = 0; i < x.w.wave_count; i++) {
        const char *end = strrchr(x.w.wave[i].path, '.');
        if (strcmp(end, ".op") == 0)
            ck_assert_str_eq(waves_at(&x.w, &x.w.wave[i], x.w.to), "x");
        if (strcmp(end, ".state") != 0)
            continue;
        bool begins = strcmp(waves_at(&x.w, &x.w.wave[i], x.w.from), "x") != 0;
        ck_assert_str_eq(waves_at(&x.w, &x.w.wave[i], x.w.to), "x");
        never += !begins;
        no_more += begins;
    }
    ck_assert_uint_gt(never, 0);
    ck_assert_uint_gt(no_more, 2);
    drop(&x);
}
END_TEST

/* Every line of the save file that is no flag or heading is a variable of the waves. */
START_TEST(the_save_file_names_variables_that_there_are)
{
    struct recording_ask ask = all_of();
    struct drawn x = draw(chips[_i].machine, &ask);
    unsigned named = 0;
    char *rest, *line = strtok_r(x.save, "\n", &rest);
    for (; line; line = strtok_r(NULL, "\n", &rest)) {
        if (strchr("[@*-", line[0]))
            continue;
        line[strcspn(line, "[")] = '\0';
        ck_assert_msg(waves_find(&x.w, line) != NULL, "%s", line);
        named++;
    }
    ck_assert_uint_gt(named, 10);
    drop(&x);
}
END_TEST

/* ---- an array */

static double real_at(const struct waves *w, uint32_t r, uint32_t c, const char *name, uint64_t at)
{
    char path[WAVE_PATH];
    snprintf(path, sizeof path, "array.r%u.c%u.%s", r, c, name);
    const struct wave *x = waves_find(w, path);
    ck_assert_msg(x != NULL && x->is_real, "%s", path);
    return atof(waves_at(w, x, at));
}

/* Row m of ones in a textbook array of R rows is at PE (r, c) in cycle R + m + r + c, and its sum
 * is r + 1 there. */
START_TEST(an_arrays_waves_are_its_registers)
{
    enum { R = 3, C = 2, M = 4 };
    struct diag d = { .text = "" };
    struct step_array *s = step_array_new(&(struct step_array_config){
        .mxu = { .rows = R, .cols = C, .weight_buffers = 2, .weight_rows_per_cycle = 1,
                 .push_rows = 1, .row_cycles = 1 },
        .m = M, .k = R, .n = C, .fill = STEP_ONES }, &d);
    char *text = NULL, *save = NULL;
    size_t size;
    FILE *waves = open_memstream(&text, &size), *saved = open_memstream(&save, &size);
    cycle_t last = step_array_subject(s).last;
    step_array_write_waves(s, &(struct step_array_waves){
        .clock_hz = 1000000000, .to = last, .waves = waves, .save = saved, .name = "x.vcd" });
    fclose(waves);
    fclose(saved);
    struct waves w = waves_read(text);
    ck_assert_double_eq(w.unit_s, 1e-9);
    ck_assert_uint_eq(w.to, last + 1);
    for (uint64_t now = 0; now <= last; now++)
        for (uint32_t r = 0; r < R; r++)
            for (uint32_t c = 0; c < C; c++) {
                char path[WAVE_PATH];
                bool is_here = now >= R + r + c && now < R + r + c + M;
                snprintf(path, sizeof path, "array.r%u.c%u.row", r, c);
                const char *row = waves_at(&w, waves_find(&w, path), now);
                ck_assert_int_eq(row[0] != 'z', is_here);
                if (is_here) {
                    ck_assert_uint_eq(strtoul(row, NULL, 2), now - R - r - c);
                    ck_assert_double_eq(real_at(&w, r, c, "sum", now), r + 1);
                    ck_assert_double_eq(real_at(&w, r, c, "w", now), 1);
                    ck_assert_double_eq(real_at(&w, r, c, "a", now), 1);
                }
            }
    waves_free(&w);
    free(text);
    free(save);
    step_array_free(s);
}
END_TEST

Suite *vcd_suite(void)
{
    Suite *s = suite_create("vcd");
    TCase *t = tcase_create("writer"), *u = tcase_create("runs");
    tcase_add_test(t, a_small_dump_is_this_text);
    tcase_add_loop_test(t, the_time_scale_is_the_coarsest_that_is_exact, 0, COUNT_OF(scales));
    tcase_add_test(t, many_variables_have_codes_of_their_own);
    tcase_add_test(t, the_save_file_is_beside_the_waves);
    suite_add_tcase(s, t);
    tcase_set_timeout(u, 60);
    tcase_add_loop_test(u, waves_are_in_a_state_as_long_as_the_result_says, 0, COUNT_OF(chips));
    tcase_add_loop_test(u, a_window_is_a_part_of_the_whole, 0, COUNT_OF(chips));
    tcase_add_test(u, what_is_left_out_is_unknown);
    tcase_add_loop_test(u, the_save_file_names_variables_that_there_are, 0, COUNT_OF(chips));
    tcase_add_test(u, an_arrays_waves_are_its_registers);
    suite_add_tcase(s, u);
    return s;
}
