/* test_report.c - what people and programs are told of a result worked out by hand. */
#include <stdlib.h>
#include <string.h>

#include "sim/report.h"
#include "sim/report_table.h"
#include "tests/suites.h"

/* ---- a result: JSON with ' for ", so that it can be read here ---- */

/* 2000 cycles at 1 GHz, two ops, two cores of three. */
static const char small[] =
    "{'simaccel':'7.8.9', 'schema':1, 'machine':'toy', 'kind':'tpu', 'trace':'tiny', 'cores':2,"
    "'time_s':2e-6, 'cycles':2000, 'clock_hz':1e9, 'launch_s':3e-6, 'host_s':0.004,"
    "'energy_j':3e-6, 'average_power_w':1.5, 'flops':3000, 'flops_per_s':1.5e9,"
    "'peak_flops_per_s':6e9, 'macs':1200, 'macs_padded':400, 'mxu_utilization':0.2,"
    "'hbm':{'bytes':12000, 'read_bytes':9000, 'written_bytes':3000, 'bytes_per_s':6e9,"
    "       'peak_bytes_per_s':24e9, 'activates':5, 'row_hit_fraction':0.875, 'map':'row bank'},"
    "'memory':{'hbm_bytes':20000, 'hbm_capacity_bytes':8e9, 'vmem_bytes':512,"
    "          'vmem_resident_bytes':0, 'vmem_capacity_bytes':1024},"
    "'phases':[{'name':'forward', 'time_s':1.33333e-6, 'energy_j':1e-6, 'flops':2400,"
    "           'hbm_bytes':8000},"
    "          {'name':'update', 'time_s':0.66667e-6, 'energy_j':2e-6, 'flops':600,"
    "           'hbm_bytes':4000}],"
    "'ops':[{'name':'h = matmul + bias', 'phase':'forward', 'kind':'matmul',"
    "        'ops':['matmul h','bias \\u0022b\\u0022, twice'], 'start_s':0, 'time_s':1.33333e-6,"
    "        'span_s':1.5e-6, 'busy_s':{'load':1e-7, 'matrix':0.1}, 'energy_j':1e-6,"
    "        'flops':2400, 'macs':1200, 'macs_padded':400, 'hbm_bytes':8000,"
    "        'hbm_read_bytes':6000, 'bound_by':'matrix units', 'mxu_utilization':0.3,"
    "        'flops_per_byte':0.3, 'roof_flops_per_s':7.2e9},"
    "       {'name':'w \\u0022=, sgd', 'phase':'update', 'kind':'vector', 'ops':['sgd w'],"
    "        'start_s':1e-6, 'time_s':0.66667e-6, 'span_s':0.7e-6,"
    "        'busy_s':{'load':0, 'matrix':0}, 'energy_j':2e-6, 'flops':600, 'macs':0,"
    "        'macs_padded':0, 'hbm_bytes':4000, 'hbm_read_bytes':3000,"
    "        'bound_by':'hbm bandwidth', 'mxu_utilization':0.0, 'flops_per_byte':0.15,"
    "        'roof_flops_per_s':3.6e9}],"
    "'units':[{'name':'core0.load', 'kind':'queue', 'states':{'wait_op':1e-6, 'idle':0.6e-6,"
    "          'busy':0.4e-6}},"
    "         {'name':'core0.store', 'kind':'queue', 'states':{'busy':2e-6}},"
    "         {'name':'core1.load', 'kind':'queue', 'states':{'wait_op':1e-6, 'idle':0.604e-6,"
    "          'busy':0.396e-6}},"
    "         {'name':'core10.store', 'kind':'queue', 'states':{'busy':1e-6, 'idle':1e-6}},"
    "         {'name':'mxu', 'kind':'mxu', 'states':{'stream':0.5e-6, 'idle':1.5e-6}},"
    "         {'name':'hbm0', 'kind':'hbm', 'states':{'no_request':1e-6, 'read':0.66667e-6,"
    "          'write':0.33333e-6}}],"
    "'energy':{'matrix_units':0.75e-6, 'dma':0, 'static':2.25e-6},"
    "'power':{'interval_s':1e-6, 'power_w':[1, 2.5]},"
    "'parameters':{'name':'toy', 'kind':'tpu', 'description':'a toy',"
    "  'chip':{'cores':{'value':3, 'unit':'1', 'source':'x', 'set_at':'toy.yaml:3'}},"
    "  'mxu':{'rows':{'value':64, 'unit':'1', 'source':'--set', 'set_at':'--set'},"
    "         'swap_cycles':{'value':0, 'unit':'1', 'source':'x', 'set_at':'--ideal hbm'}},"
    "  'hbm':{'map':{'value':'row bank', 'unit':'', 'source':'--set', 'set_at':'--set'}},"
    "  'energy':{'level':{'value':'device', 'unit':'1', 'source':'x', 'set_at':'toy.yaml:4'}}}}";

static json_t *result_of(const char *text)
{
    char *copy = strdup(text);
    json_error_t wrong;
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *o = json_loads(copy, 0, &wrong);
    ck_assert_msg(o != NULL, "%s, column %d", wrong.text, wrong.column);
    free(copy);
    return o;
}

/* What a report writes; the caller frees it.  Takes the result. */
static char *written(void (*report)(const json_t *, FILE *), json_t *result)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    report(result, out);
    fclose(out);
    json_decref(result);
    return text;
}

static void has_line(const char *text, const char *line)
{
    const char *at = strstr(text, line);
    while (at && !((at == text || at[-1] == '\n') && at[strlen(line)] == '\n'))
        at = strstr(at + 1, line);
    ck_assert_msg(at != NULL, "no line <%s> in\n%s", line, text);
}

static int lines_with(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

/* ---- the text ---- */

START_TEST(the_totals_are_the_fields_in_units)
{
    static const char *const lines[] = {
        "tiny on toy (simaccel 7.8.9)",
        "  a toy",
        "  2 of 3 cores in use, at 1.000 GHz",
        "  changed by --set: mxu.rows = 64, hbm.map = row bank",
        "  changed by --ideal hbm: mxu.swap_cycles = 0",
        "  time           2.000 us      2000 cycles, from the first operation to the last",
        "  bound by       matrix units 66.7 %, hbm bandwidth 33.3 %",
        "  launch         3.000 us      the runtime's code round the program; not in the time",
        "  host           4.000 ms      from call to result, on top; not in the time",
        "  work           3.000 kFLOP   1.500 GFLOP/s, 25.0 % of the peak of 6.000 GFLOP/s",
        "  matrix units   20.0 %        of the multiply-accumulates possible; of those done, "
        "25.0 % were padding",
        "  HBM            12.00 kB      6.000 GB/s, 25.0 % of the peak of 24.00 GB/s",
        "                               9.000 kB read, 3.000 kB written; 87.5 % of bursts in an "
        "open row",
        "  energy         3.000 uJ      1.500 W on average, 2.500 W at most (mean of 1.000 us)",
        "  HBM a core     20.00 kB      at the most, 0.00025 % of 8.000 GB",
        "  vector memory  512 B         at the most, 50.0 % of 1.024 kB a core; of it 0 B stay "
        "for later ops",
        "HBM addresses, from bit 0 up",
        "  row bank",
        "Checked: the states of every unit add up to 2000 cycles; HBM delivered the 12000 bytes "
        "asked;",
        "         the matrix units did the 1200 multiply-accumulates of the trace.",
    };
    char *text = written(report_text, result_of(small));
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        has_line(text, lines[i]);
    free(text);
}
END_TEST

/* 1333.33 + 666.67 ns would be 1333.3 + 666.7: the sum decides.  Achieved: 2400 / 1.33333 us
 * = 1.8 GFLOP/s; HBM: 8000 / 1.33333 us = 6 GB/s. */
START_TEST(phases_and_energy_add_up)
{
    static const char lines[] =
        "  phase      time  share  energy  share    work     HBM       achieved    HBM rate\n"
        "               ns      %      nJ      %    FLOP      kB\n"
        "  forward  1333.3   66.7  1000.0   33.3  2400.0   8.000  1.800 GFLOP/s  6.000 GB/s\n"
        "  update    666.7   33.3  2000.0   66.7   600.0   4.000  900.0 MFLOP/s  6.000 GB/s\n"
        "  all      2000.0  100.0  3000.0  100.0  3000.0  12.000  1.500 GFLOP/s  6.000 GB/s\n";
    static const char energy[] =
        "Energy (prices of the device)\n"
        "  energy                share\n"
        "                    nJ      %\n"
        "  matrix_units   750.0   25.0  multiply-accumulates and weights\n"
        "  static        2250.0   75.0  the chip at rest\n"
        "  all           3000.0  100.0\n";
    char *text = written(report_text, result_of(small));
    ck_assert_msg(strstr(text, lines) != NULL, "%s", text);
    ck_assert_msg(strstr(text, energy) != NULL, "%s", text);
    free(text);
}
END_TEST

/* Of its roof: 1.8 of 7.2 GFLOP/s, 0.9 of 3.6. */
START_TEST(an_op_is_a_row)
{
    static const char lines[] =
        "Ops\n"
        "  op               phase      time  share    span  bound by   MXU     HBM  energy  FLOP"
        "  roof\n"
        "                                ns      %      ns               %      kB      nJ    /B"
        "     %\n"
        "  h = matmul+bias  forward  1333.3   66.7  1500.0  matrix    30.0   8.000  1000.0  0.30"
        "  25.0\n"
        "  w \"=, sgd        update    666.7   33.3   700.0  hbm          -   4.000  2000.0  0.15"
        "  25.0\n"
        "  all                       2000.0  100.0                          12.000  3000.0\n";
    char *text = written(report_text, result_of(small));
    ck_assert_msg(strstr(text, lines) != NULL, "%s", text);
    free(text);
}
END_TEST

/* Loads: 20.0, 50.0, 30.0 and 19.8, 50.0, 30.2. */
START_TEST(units_that_are_alike_are_one_row_of_100_percent)
{
    static const char lines[] =
        "                              wait\n"
        "  queue         units   busy    op  idle\n"
        "  core*.load        2   19.9  50.0  30.1\n"
        "  core0.store       1  100.0     -     -\n"
        "  core10.store      1   50.0     -  50.0\n";
    char *text = written(report_text, result_of(small));
    ck_assert_msg(strstr(text, lines) != NULL, "%s", text);
    has_line(text, "  mxu  units  stream  idle");
    has_line(text, "  mxu      1    25.0  75.0");
    ck_assert_int_eq(lines_with(text, "idle: no operation left"), 1);
    has_line(text, "  hbm   units  read  write  request");
    has_line(text, "  hbm0      1  33.3   16.7     50.0");
    free(text);
}
END_TEST

/* ---- many, and none ---- */

/* `count` ops of 1, 2, 3, ... us in turn of 7, the last one the longest. */
static json_t *result_of_many(int count)
{
    json_t *r = result_of(small), *ops = json_array();
    for (int i = 0; i < count; i++) {
        json_t *op = json_deep_copy(json_array_get(json_object_get(r, "ops"), 0));
        char name[32];
        snprintf(name, sizeof name, "op%d", i);
        json_object_set_new(op, "name", json_string(name));
        json_object_set_new(op, "time_s", json_real(i == count - 1 ? 1e-3 : (i % 7 + 1) * 1e-6));
        json_array_append_new(ops, op);
    }
    json_object_set_new(r, "ops", ops);
    return r;
}

/* 100 ops: 14 times 1 to 7 us, then 1 us and one of 1 ms.  The 40 longest are that one,
 * the 14 of 7 us, the 14 of 6 us and the first 11 of 5 us.  Left out are 3 of 5 us,
 * 14 of 4, 3 and 2 us each, 15 of 1 us: 15 + 126 + 15 = 156 us of 1000 + 393 us. */
START_TEST(of_many_ops_the_longest_are_shown_in_order)
{
    char *text = written(report_text, result_of_many(100));
    has_line(text, "Ops (the 40 of 100 that took most of the time; --csv has all)");
    has_line(text, "  bound by       matrix units 69650.0 %");    /* of a run of 2 us */
    ck_assert_int_eq(lines_with(text, "\n  op"), 40 + 1);
    ck_assert_ptr_nonnull(strstr(text, "\n  op4 "));             /* the first of 5 us */
    ck_assert_ptr_nonnull(strstr(text, "\n  op74 "));            /* the eleventh */
    ck_assert_ptr_null(strstr(text, "\n  op81 "));
    ck_assert_ptr_null(strstr(text, "\n  op3 "));
    ck_assert(strstr(text, "\n  op5 ") < strstr(text, "\n  op6 "));
    ck_assert(strstr(text, "\n  op97 ") < strstr(text, "\n  op99 "));
    const char *others = strstr(text, "\n  60 others ");
    ck_assert_ptr_nonnull(others);
    ck_assert_double_eq(strtod(others + 12, NULL), 156);
    const char *all = strstr(others, "\n  all ");
    ck_assert_double_eq(strtod(all + 7, NULL), 1393);
    free(text);
}
END_TEST

START_TEST(forty_ops_are_all_shown)
{
    char *text = written(report_text, result_of_many(40));
    has_line(text, "Ops");
    ck_assert_ptr_null(strstr(text, "other"));
    free(text);
}
END_TEST

static void is_tidy(const char *text)
{
    for (const char *line = text; *line; ) {
        size_t length = strcspn(line, "\n");
        ck_assert_msg(length <= TABLE_WIDTH, "too wide: %.*s", (int)length, line);
        ck_assert_msg(length == 0 || line[length - 1] != ' ', "%.*s|", (int)length, line);
        line += length + (line[length] == '\n');
    }
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_null(strstr(text, "inf"));
    ck_assert_ptr_null(strstr(text, "(null)"));
}

START_TEST(a_result_without_anything_is_still_a_report)
{
    static const char *const results[] = {
        "{}",
        "{'ops':[], 'units':[], 'phases':[], 'energy':{}, 'power':{'power_w':[]}}",
        "{'time_s':0, 'ops':[{}], 'units':[{'name':'a','kind':'mxu','states':{'idle':0}}]}",
    };
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        char *text = written(report_text, result_of(results[i]));
        is_tidy(text);
        free(text);
        free(written(report_csv, result_of(results[i])));
        text = written(report_power_csv, result_of(results[i]));
        ck_assert_str_eq(text, "start_s,power_w\n");
        free(text);
    }
}
END_TEST

START_TEST(no_line_is_too_wide_or_ends_in_a_space)
{
    char *text = written(report_text, result_of(small));
    is_tidy(text);
    free(text);
    text = written(report_text, result_of_many(300));
    is_tidy(text);
    free(text);
}
END_TEST

/* ---- CSV ---- */

START_TEST(csv_quotes_what_must_be_and_keeps_every_digit)
{
    static const char want[] =
        "name,phase,kind,ops,start_s,time_s,span_s,energy_j,flops,macs,macs_padded,hbm_bytes,"
        "hbm_read_bytes,bound_by,mxu_utilization,flops_per_byte,roof_flops_per_s,busy_load_s,"
        "busy_matrix_s\n"
        "h = matmul + bias,forward,matmul,\"matmul h; bias \"\"b\"\", twice\",0,"
        "1.33333e-06,1.5e-06,9.9999999999999995e-07,2400,1200,400,8000,6000,"
        "matrix units,0.29999999999999999,0.29999999999999999,7200000000,"
        "9.9999999999999995e-08,0.10000000000000001\n"
        "\"w \"\"=, sgd\",update,vector,\"sgd w\",9.9999999999999995e-07,";
    char *text = written(report_csv, result_of(small));
    ck_assert_msg(strncmp(text, want, strlen(want)) == 0, "%s", text);
    ck_assert_int_eq(lines_with(text, "\n"), 3);
    free(text);
}
END_TEST

START_TEST(csv_has_all_ops)
{
    char *text = written(report_csv, result_of_many(100));
    ck_assert_int_eq(lines_with(text, "\n"), 101);
    free(text);
}
END_TEST

START_TEST(power_is_a_row_an_interval)
{
    char *text = written(report_power_csv, result_of(small));
    ck_assert_str_eq(text, "start_s,power_w\n0,1\n9.9999999999999995e-07,2.5\n");
    free(text);
}
END_TEST

Suite *report_suite(void)
{
    Suite *s = suite_create("report");
    TCase *t = tcase_create("report");
    suite_add_tcase(s, t);
    tcase_add_test(t, the_totals_are_the_fields_in_units);
    tcase_add_test(t, phases_and_energy_add_up);
    tcase_add_test(t, an_op_is_a_row);
    tcase_add_test(t, units_that_are_alike_are_one_row_of_100_percent);
    tcase_add_test(t, of_many_ops_the_longest_are_shown_in_order);
    tcase_add_test(t, forty_ops_are_all_shown);
    tcase_add_test(t, a_result_without_anything_is_still_a_report);
    tcase_add_test(t, no_line_is_too_wide_or_ends_in_a_space);
    tcase_add_test(t, csv_quotes_what_must_be_and_keeps_every_digit);
    tcase_add_test(t, csv_has_all_ops);
    tcase_add_test(t, power_is_a_row_an_interval);
    return s;
}
