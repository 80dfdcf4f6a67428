/* test_validate.c - rows read, run apart from each other, and judged. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/gemm.h"
#include "sim/validate.h"
#include "sim/validate_csv.h"
#include "sim/validate_kernel.h"
#include "sim/validate_product.h"
#include "traces/net.h"
#include "tests/suites.h"

static char folder[] = "/tmp/test-validate-XXXXXX";

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void write_file(const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    ck_assert_int_eq(fclose(out), 0);
}

static void remove_folder(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

START_TEST(a_file_is_read_by_the_names_of_its_columns)
{
    struct csv c;
    struct diag d = { .text = "" };
    make_folder();
    write_file("x.csv", "# source: a, b\nsize,what,value\nquick,\"a \"\"b\"\", c\",1.5\n"
                        "all,plain,\n\ndefault,short\n");
    ck_assert_msg(csv_read(&c, folder, "x.csv", &d), "%s", d.text);
    ck_assert_uint_eq(c.rows, 3);
    ck_assert_str_eq(csv_text(&c, 0, "what"), "a \"b\", c");
    ck_assert(csv_number(&c, 0, "value") == 1.5);
    ck_assert_str_eq(csv_text(&c, 1, "value"), "");
    ck_assert_str_eq(csv_text(&c, 2, "value"), "");
    ck_assert_str_eq(csv_text(&c, 0, "none"), "");
    csv_clear(&c);
    remove_folder("x.csv");
}
END_TEST

/* A user's rows: the same times as the runs that they ask for, and a roofline by hand. */
START_TEST(own_measurements_are_run_as_they_say)
{
    struct validation v = { .folder = folder };
    struct diag d = { .text = "" };
    char path[64];
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    make_folder();
    write_file("own.csv", "# mine\nmeasured_ms,n,machine,k,m,workload,type,batch\n"
                          "0.02,64,tpu-mini,32,16,,bf16,\n5,,gpu-mini,,,workloads/keras.net,,16\n");
    snprintf(path, sizeof path, "%s/own.csv", folder);
    ck_assert_msg(validate_against(&v, path, &d), "%s", d.text);
    validate_run(&v, 2);
    ck_assert_uint_eq(v.sets[0].count, 2);
    const struct validate_row *r = v.sets[0].rows;
    ck_assert_double_eq_tol(r[0].measured, 20, 1e-9);
    ck_assert_double_eq_tol(r[1].measured, 5000, 1e-9);
    const struct figures *f = machine_figures(r[0].machine);
    double peak = 2.0 * f->tpu.core.mxus * f->tpu.mxu.rows * f->tpu.mxu.cols
                * f->tpu.chip.clock_mhz * 1e6;
    double bytes = hbm_peak_bytes_per_s(&f->hbm) * f->hbm.stacks / f->tpu.chip.cores;
    ck_assert_double_eq_tol(r[0].roofline, 1e6 * fmax(2.0 * 16 * 32 * 64 / peak,
                            2.0 * (16 * 32 + 32 * 64 + 16 * 64) / bytes), 1e-9);
    struct gemm g = { .m = 16, .k = 32, .n = 64, .type = TRACE_BF16 };
    json_t *run = validate_result(gemm_trace(&g, &d), r[0].machine, 1, false, &d);
    ck_assert_double_eq(r[0].simulated, 1e6 * validate_field(run, "time_s"));
    json_decref(run);
    struct net_options batch = { .batch = 16 };
    run = validate_result(trace_load("workloads/keras.net", &batch, &d), r[1].machine, 0, false, &d);
    ck_assert_double_eq(r[1].simulated, 1e6 * validate_field(run, "time_s"));
    json_decref(run);
    validate_clear(&v);
    remove_folder("own.csv");
}
END_TEST

START_TEST(a_row_is_run_from_its_size_on)
{
    static const bool wanted[VALIDATE_SIZES][3] = {
        { true, false, false }, { true, true, false }, { true, true, true },
    };
    struct csv c;
    struct diag d = { .text = "" };
    make_folder();
    write_file("x.csv", "value,size\n1,quick\n2,default\n3,all\n");
    ck_assert(csv_read(&c, folder, "x.csv", &d));
    for (int size = 0; size < VALIDATE_SIZES; size++)
        for (size_t row = 0; row < 3; row++)
            ck_assert_int_eq(csv_wanted(&c, row, size), wanted[size][row]);
    csv_clear(&c);
    write_file("x.csv", "value\n1\n");
    ck_assert(csv_read(&c, folder, "x.csv", &d));
    ck_assert(csv_wanted(&c, 0, VALIDATE_QUICK));
    csv_clear(&c);
    remove_folder("x.csv");
}
END_TEST

START_TEST(a_file_without_rows_or_not_there_is_refused)
{
    struct csv c;
    struct diag d = { .text = "" };
    make_folder();
    ck_assert(!csv_read(&c, folder, "x.csv", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "cannot be read"));
    d.text[0] = '\0';
    write_file("x.csv", "# nothing\nsize,value\n");
    ck_assert(!csv_read(&c, folder, "x.csv", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "no row"));
    remove_folder("x.csv");
}
END_TEST

/* ---- running ---- */

static double half(const struct validate_row *row, struct diag *d)
{
    (void)d;
    usleep(row->arg[0] == 7 ? 20000 : 0);       /* ends after those behind it */
    return row->arg[0] / 2;
}

static double refuse(const struct validate_row *row, struct diag *d)
{
    diag_set(d, 0, 0, "%s is refused", row->what);
    return NAN;
}

static double crash(const struct validate_row *row, struct diag *d)
{
    (void)row;
    (void)d;
    _exit(3);
}

static struct validate_set *set_of(struct validation *v, double mean_bar, double each_bar)
{
    struct validate_set set = { .title = "a set", .unit = "us", .about = "Made up.",
                                .mean_bar = mean_bar, .each_bar = each_bar };
    return validate_add_set(v, &set);
}

static void add(struct validate_set *s, double measured, double arg,
                double (*run)(const struct validate_row *row, struct diag *d))
{
    struct validate_row row = { .what = "a row", .run = run, .judged = true, .arg = { arg },
                                .measured = measured };
    validate_add_row(s, &row);
}

START_TEST(rows_keep_their_order_and_their_failures)
{
    struct validation v = { .folder = "" };
    struct validate_set *s = set_of(&v, 0, 10);
    for (int i = 0; i < 20; i++)
        add(s, i + 1, i, half);
    add(s, 1, 0, refuse);
    add(s, 1, 0, crash);
    validate_run(&v, (unsigned)_i + 1);
    for (int i = 0; i < 20; i++)
        ck_assert(s->rows[i].simulated == i / 2.0);
    ck_assert_str_eq(s->rows[20].error, "a row is refused");
    ck_assert_str_eq(s->rows[21].error, "its process ended without an answer");
    ck_assert(isnan(s->rows[20].simulated) && isnan(s->rows[21].simulated));
    ck_assert(!validate_meets(s));
    validate_clear(&v);
}
END_TEST

/* Simulated is half of arg: 5 for 10. */
static const struct {
    double measured[2], mean_bar, each_bar;
    bool   meets;
} bars[] = {
    { { 5, 5 },      1,    1, true },
    { { 4, 5 },      12.5, 0, true },       /* +25 % and 0: 12.5 */
    { { 4, 5 },      12.4, 0, false },
    { { 4, 6.25 },   22.5, 0, true },       /* +25 % and -20 %: the mean of the sizes */
    { { 4, 6.25 },   22.4, 0, false },
    { { 4, 6.25 },   0,   25, true },
    { { 4, 6.25 },   0, 24.9, false },
};

START_TEST(a_bar_holds_the_mean_or_each)
{
    struct validation v = { .folder = "" };
    struct validate_set *s = set_of(&v, bars[_i].mean_bar, bars[_i].each_bar);
    for (int r = 0; r < 2; r++)
        add(s, bars[_i].measured[r], 10, half);
    add(s, 1, 10, half);
    s->rows[2].judged = false;
    validate_run(&v, 2);
    ck_assert_int_eq(validate_meets(s), bars[_i].meets);
    validate_clear(&v);
}
END_TEST

START_TEST(within_a_range_nothing_is_wrong)
{
    struct validate_row row = { .kind = VALIDATE_RANGE, .measured = 100, .high = 200 };
    row.simulated = 150;
    ck_assert(validate_error(&row) == 0);
    row.simulated = 50;
    ck_assert(validate_error(&row) == -50);
    row.simulated = 250;
    ck_assert(validate_error(&row) == 25);
}
END_TEST

/* ---- programs written by hand ---- */

/* Two operations of the vector unit, the second after the first: 3 registers loaded and
 * 7, a register a cycle; both pay for beginning and for the way through. */
START_TEST(a_kernel_takes_what_its_operations_take)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_find(&figures_schema, "tpu-v4", &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    const struct figures *f = machine_figures(m);
    struct tpu_arithmetic three = { .loads = 3 }, seven = { .loads = 7 };
    struct kernel_time times[2];
    struct kernel *k = kernel_new(1, 2);
    uint32_t first = kernel_vector(k, 0, 0, &three, KERNEL_NONE);
    kernel_vector(k, 0, 1, &seven, first);
    ck_assert_msg(kernel_run(k, f, times, NULL, &d), "%s", d.text);
    uint64_t both = f->tpu.core.step_cycles + f->tpu.vpu.latency_cycles;
    ck_assert_uint_eq(times[0].end - times[0].start, 3 + both);
    ck_assert_uint_eq(times[1].start, times[0].end);
    ck_assert_uint_eq(times[1].end - times[1].start, 7 + both);
    machine_free(m);
}
END_TEST

Suite *validate_suite(void)
{
    Suite *s = suite_create("validate");
    TCase *t = tcase_create("rows");
    tcase_add_test(t, a_file_is_read_by_the_names_of_its_columns);
    tcase_add_test(t, own_measurements_are_run_as_they_say);
    tcase_add_test(t, a_row_is_run_from_its_size_on);
    tcase_add_test(t, a_file_without_rows_or_not_there_is_refused);
    tcase_add_loop_test(t, rows_keep_their_order_and_their_failures, 0, 3);
    tcase_add_loop_test(t, a_bar_holds_the_mean_or_each, 0, COUNT_OF(bars));
    tcase_add_test(t, within_a_range_nothing_is_wrong);
    tcase_add_test(t, a_kernel_takes_what_its_operations_take);
    suite_add_tcase(s, t);
    return s;
}
