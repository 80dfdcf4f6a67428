/* test_measured.c - what was measured on a real card: written, read back, and compared. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/gpu_states.h"
#include "sim/measured.h"
#include "sim/micro.h"
#include "tests/suites.h"

static char folder[] = "/tmp/test-measured-XXXXXX";

static FILE *make_file(const char *name)
{
    char path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    return out;
}

static void remove_file(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

/* 3 x 5 x 7 in 2.5 us; a name with commas; a card that does not tell its power. */
static const struct measured_row rows[] = {
    { "h200", MEASURED_PRODUCT, "bf16", "us", 3, 5, 7, 2.5, 301.5, 1980, 1.25e-3 },
    { "a100", MEASURED_MICRO, "l1_latency", "cycles", 0, 0, 0, 33, -1, 1409.75, 0 },
    { "v100", MEASURED_STATE, "idle, so to say", "W", 0, 0, 0, 48.25, 48.25, -1, 0 },
};

START_TEST(a_row_is_read_as_it_was_written)
{
    struct csv c;
    struct diag d = { .text = "" };
    FILE *out = make_file("x.csv");
    measured_write_head(out, "a card", 90);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        measured_write(out, &rows[i]);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_msg(csv_read(&c, folder, "x.csv", &d), "%s", d.text);
    ck_assert_uint_eq(c.rows, COUNT_OF(rows));
    for (size_t i = 0; i < c.rows; i++) {
        struct measured_row r;
        ck_assert_msg(measured_read(&c, i, &r, &d), "%s", d.text);
        ck_assert_str_eq(r.machine, rows[i].machine);
        ck_assert_int_eq(r.kind, rows[i].kind);
        ck_assert_str_eq(r.name, rows[i].name);
        ck_assert_str_eq(r.unit, rows[i].unit);
        ck_assert(r.m == rows[i].m && r.n == rows[i].n && r.k == rows[i].k);
        ck_assert(r.value == rows[i].value && r.power_w == rows[i].power_w);
        ck_assert(r.clock_mhz == rows[i].clock_mhz && r.error == rows[i].error);
    }
    /* 2 * 3 * 5 * 7 operations in 2.5 us are 84e6 a second */
    ck_assert(csv_number(&c, 0, "tflops") == 84e-6);
    ck_assert_str_eq(csv_text(&c, 1, "tflops"), "");
    csv_clear(&c);
    remove_file("x.csv");
}
END_TEST

static const struct { const char *line, *error; } wrong[] = {
    { "a100,product,bf16,8,8,8,0,us,,,,0",       "expected a number above 0" },
    { "a100,product,bf16,8,8,8,,us,,,,0",        "expected a number above 0" },
    { "a100,guess,bf16,8,8,8,1,us,,,,0",         "expected product, micro or state" },
    { "a100,product,i32,8,8,8,1,us,,,,0",        "expected bf16, f16 or f32" },
    { "a100,product,bf16,8,0,8,1,us,,,,0",       "and sizes" },
    { "a100,micro,l1_latenzy,,,,1,cycles,,,,0",  "no such quantity" },
    { "a100,state,asleep,,,,1,W,,,,0",           "no such state" },
    { "b100,micro,l1_latency,,,,1,cycles,,,,0",  "no such machine" },
};

START_TEST(a_wrong_row_is_refused)
{
    struct validation v = { .folder = folder };
    struct diag d = { .text = "" };
    char path[64];
    FILE *out = make_file("x.csv");
    measured_write_head(out, "a card", 80);
    fprintf(out, "%s\n", wrong[_i].line);
    ck_assert_int_eq(fclose(out), 0);
    snprintf(path, sizeof path, "%s/x.csv", folder);
    v.measured = path;
    ck_assert(!validate_measured(&v, &d));
    ck_assert_msg(strstr(d.text, wrong[_i].error) != NULL, "%s", d.text);
    validate_clear(&v);
    remove_file("x.csv");
}
END_TEST

/* What a card that is the model would have measured: 29 cycles of shared memory
 * (h100.yaml), and a hundredth more. */
START_TEST(rows_are_compared_with_the_model)
{
    static const double errors[2] = { 0, 100 / 1.01 - 100 };
    struct validation v = { .folder = folder, .size = VALIDATE_QUICK };
    struct diag d = { .text = "" };
    char path[64];
    FILE *out = make_file("x.csv");
    measured_write_head(out, "H100", 90);
    fputs("h100,micro,shared_latency,,,,29,cycles,,,1980,0\n"
          "h100,micro,shared_latency,,,,29.29,cycles,,,1980,0\n"
          "h100,product,f16,8192,8192,8192,1000,us,,,,0\n", out);
    ck_assert_int_eq(fclose(out), 0);
    snprintf(path, sizeof path, "%s/x.csv", folder);
    v.measured = path;
    ck_assert_msg(validate_measured(&v, &d), "%s", d.text);
    ck_assert_uint_eq(v.count, MEASURED_KINDS_COUNT);
    ck_assert_uint_eq(v.sets[MEASURED_MICRO].count, 2);
    ck_assert_uint_eq(v.sets[MEASURED_PRODUCT].count, 0);       /* too long for `quick` */
    validate_run(&v, 2);
    for (int i = 0; i < 2; i++) {
        const struct validate_row *r = &v.sets[MEASURED_MICRO].rows[i];
        ck_assert_msg(fabs(validate_error(r) - errors[i]) < 0.5, "%g, %s", r->simulated, r->error);
        ck_assert(r->simulated == v.sets[MEASURED_MICRO].rows[0].simulated);
    }
    validate_clear(&v);
    remove_file("x.csv");
}
END_TEST

START_TEST(without_a_file_there_is_nothing_to_compare)
{
    struct validation v = { .folder = "/tmp/there-is-no-such-folder" };
    struct diag d = { .text = "" };
    ck_assert(validate_measured(&v, &d));
    for (size_t s = 0; s < v.count; s++) {
        ck_assert_uint_eq(v.sets[s].count, 0);
        ck_assert(validate_meets(&v.sets[s]));
    }
    validate_clear(&v);
}
END_TEST

/* Names are what files and rows find them by. */
START_TEST(every_name_is_found_and_is_the_only_one)
{
    for (size_t i = 0; i < micro_quantity_count; i++)
        ck_assert_ptr_eq(micro_find(micro_quantities[i].name), &micro_quantities[i]);
    for (size_t i = 0; i < gpu_state_count; i++)
        ck_assert_ptr_eq(gpu_state_find(gpu_states[i].name), &gpu_states[i]);
    ck_assert_ptr_null(micro_find("none"));
    ck_assert_ptr_null(gpu_state_find("none"));
}
END_TEST

Suite *measured_suite(void)
{
    Suite *s = suite_create("measured");
    TCase *t = tcase_create("rows");
    tcase_add_test(t, a_row_is_read_as_it_was_written);
    tcase_add_loop_test(t, a_wrong_row_is_refused, 0, COUNT_OF(wrong));
    tcase_add_test(t, rows_are_compared_with_the_model);
    tcase_add_test(t, without_a_file_there_is_nothing_to_compare);
    tcase_add_test(t, every_name_is_found_and_is_the_only_one);
    suite_add_tcase(s, t);
    return s;
}
