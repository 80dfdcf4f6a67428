/* test_data.c - data sets: what is read and refused, and in what order rows are taken. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/suites.h"
#include "traces/data.h"
#include "traces/random.h"

/* Two features and a class below 4; two features and three targets. */
static const struct data_shape labels = { 2, 1, 4, false }, numbers = { 2, 3, 0, false };

static struct data *read_all(const char *text, const struct data_shape *shape)
{
    struct diag d = { .text = "" };
    struct data *s = data_read_memory(text, strlen(text), shape, &d);
    ck_assert_msg(s != NULL, "%u:%u: %s", d.line, d.column, d.text);
    return s;
}

/* All of these are the rows 0.5 -2 | 3 and 1000 0.25 | 0. */
static const char *const same[] = {
    "0.5,-2,3\n1000,0.25,0\n",
    "0.5,-2,3\n1000,0.25,0",                                /* no newline at the end */
    "0.5,-2,3\r\n1000,0.25,0\r\n",
    "0.5,-2,3\r\n1000,0.25,0\r",
    "\357\273\2770.5,-2,3\n1000,0.25,0\n",
    "# by whom\n#\n  # and why, 1,2\n0.5,-2,3\n\n  \t\n# 7,7,7\n1000,0.25,0\n\n",
    "width,height,class\n0.5,-2,3\n1000,0.25,0\n",
    "# first\n\nwidth,_h,\xc3\xa9t\xc3\xa9\n0.5,-2,3\n1000,0.25,0\n",
    "\"a, the width\",\"b\",c\n0.5,-2,3\n1000,0.25,0\n",
    " 0.5 ,\t-2, 3 \n1e3,+.25,-0\n",
    "5e-1,-2.,3.0\n1000.000,25E-2,0e0\n",
};

START_TEST(rows_are_read_however_they_are_written)
{
    static const double x[] = { 0.5, -2, 1000, 0.25 }, t[] = { 3, 0 };
    struct data *s = read_all(same[_i], &labels);
    ck_assert_uint_eq(s->rows, 2);
    ck_assert_mem_eq(&s->shape, &labels, sizeof labels);
    ck_assert_mem_eq(s->x, x, sizeof x);
    ck_assert_mem_eq(s->t, t, sizeof t);
    data_free(s);
}
END_TEST

START_TEST(targets_that_are_no_classes_are_any_numbers)
{
    static const double x[] = { 1, 2, 6, 7 }, t[] = { 0.5, -4, 5, 8, 9, 1e30 };
    struct data *s = read_all("1,2,0.5,-4,5\n6,7,8,9,1e30\n", &numbers);
    ck_assert_uint_eq(s->rows, 2);
    ck_assert_mem_eq(s->x, x, sizeof x);
    ck_assert_mem_eq(s->t, t, sizeof t);
    data_free(s);
}
END_TEST

#define ROW "0.5,-2,3\n"
static const struct { const char *text; unsigned line, column; const char *says; } refused[] = {
    { "",                       1,  0, "there is no row of numbers" },
    { "# nothing\n\n",          2,  0, "there is no row of numbers" },
    { "a,b,c\n",                1,  0, "there is no row of numbers" },
    { ROW "1,2\n",              2,  4, "has 2 columns; expected 3 between commas: 2 features, then the class" },
    { ROW "1,2,3, 4,5\n",       2,  8, "has 5 columns; expected 3" },
    { ROW "1,2,3,\n",           2,  7, "has 4 columns" },
    { ROW "1;2;3\n",            2,  6, "has 1 column; expected 3" },
    { "a,b\n" ROW,              1,  4, "has 2 columns" },
    { "a,b,c,d\n" ROW,          1,  7, "has 4 columns" },
    { "a,b,c\nd,e,f\n",         2,  1, "'d' is no number; expected one like 0.25" },
    { "# \n" ROW "a,b,c\n",     3,  1, "'a' is no number" },
    { "a,b,3\n" ROW,            1,  1, "'a' is no number" },   /* not all are names */
    { "O.5,-2,3\n",             1,  1, "'O.5' is no number" },
    { "1,,3\n",                 1,  3, "there is nothing; expected a number" },
    { ",,\n",                   1,  1, "there is nothing" },
    { "1, ,3\n",                1,  4, "there is nothing" },
    { "nan,inf,NA\n",           1,  1, "'nan' is no finite number" },
    { "1,NaN,3\n",              1,  3, "'NaN' is no finite number" },
    { "1,-inf,3\n",             1,  3, "'-inf' is no number" },
    { "1,Infinity,3\n",         1,  3, "'Infinity' is no finite number" },
    { "1,null,3\n",             1,  3, "'null' is no finite number" },
    { "1,\"2\",3\n",            1,  3, "'\"2\"' is in quotes; expected numbers without quotes" },
    { "\"1\",2,3\n",            1,  1, "is in quotes" },
    { "1,0x2,3\n",              1,  3, "'0x2' is no number" },
    { "1,2 2,3\n",              1,  3, "'2 2' is no number" },
    { "1,2e,3\n",               1,  3, "'2e' is no number" },
    { "1,--2,3\n",              1,  3, "'--2' is no number" },
    { "1,.,3\n",                1,  3, "'.' is no number" },
    { "1,2,3 # why\n",          1,  5, "'3 # why' is no number" },
    { "1,2\r,3\n",              1,  3, "is no number" },
    { "1,\x01,3\n",             1,  3, "is no number" },
    { "1,1e39,3\n",             1,  3, "'1e39' is out of range; expected a number that f32 can hold" },
    { "1,-1e999,3\n",           1,  3, "'-1e999' is out of range" },
    { "1,2,1.5\n",              1,  5, "'1.5' is not whole; expected a class, a whole number, 0 to 3" },
    { "1,2,-1\n",               1,  5, "'-1' is out of range; expected a class, a whole number, 0 to 3" },
    { ROW "1,2, 4\n",           2,  6, "'4' is out of range" },
    { "1,2,1e30\n",             1,  5, "'1e30' is out of range; expected a class" },
};

START_TEST(what_is_wrong_is_refused_at_its_place)
{
    struct diag d = { .text = "" };
    const char *text = refused[_i].text;
    ck_assert_ptr_null(data_read_memory(text, strlen(text), &labels, &d));
    ck_assert_msg(strstr(d.text, refused[_i].says), "'%s' should say '%s'", d.text,
                  refused[_i].says);
    ck_assert_msg(d.line == refused[_i].line && d.column == refused[_i].column,
                  "%u:%u: %s, but expected at %u:%u", d.line, d.column, d.text,
                  refused[_i].line, refused[_i].column);
}
END_TEST

START_TEST(a_zero_byte_ends_no_number)
{
    struct diag d = { .text = "" };
    ck_assert_ptr_null(data_read_memory("1,2\0,3\n", 7, &labels, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "is no number"));
}
END_TEST

/* As long as it may be, and a digit longer. */
START_TEST(a_number_has_so_many_characters_at_most)
{
    char text[DATA_NUMBER + 16], digits[DATA_NUMBER + 1];
    struct diag d = { .text = "" };
    memset(digits, '0', sizeof digits);
    memcpy(digits, "1.", 2);
    snprintf(text, sizeof text, "%.*s,2,3\n", DATA_NUMBER - 1, digits);
    struct data *s = read_all(text, &labels);
    ck_assert_double_eq(s->x[0], 1);
    data_free(s);
    snprintf(text, sizeof text, "%.*s,2,3\n", DATA_NUMBER, digits);
    ck_assert_ptr_null(data_read_memory(text, strlen(text), &labels, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "a number of 128 characters; expected at most 127"));
}
END_TEST

START_TEST(targets_are_named_in_words_where_they_are_no_class)
{
    struct diag d = { .text = "" };
    ck_assert_ptr_null(data_read_memory("1,2,3,4\n", 8, &numbers, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "expected 5 between commas: 2 features, then the "
                                         "targets"));
}
END_TEST

/* A file of `text`, gzipped or not; the caller removes it. */
static void write_file(char *path, const char *text, const char *mode)
{
    close(mkstemp(path));
    gzFile out = gzopen(path, mode);
    ck_assert(gzputs(out, text) >= 0);
    ck_assert_int_eq(gzclose(out), Z_OK);
}

START_TEST(a_file_may_be_gzipped_and_is_named_when_it_is_wrong)
{
    static const char *const modes[] = { "wbT", "wb" };
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        char good[] = "/tmp/simaccel-test-XXXXXX", bad[] = "/tmp/simaccel-test-XXXXXX";
        struct diag d = { .text = "" };
        write_file(good, ROW, modes[i]);
        write_file(bad, ROW "1,x,2\n", modes[i]);
        struct data *s = data_read(good, &labels, &d);
        ck_assert_msg(s != NULL, "%s", d.text);
        ck_assert_uint_eq(s->rows, 1);
        data_free(s);
        ck_assert_ptr_null(data_read(bad, &labels, &d));
        ck_assert_str_eq(d.file, bad);
        ck_assert_uint_eq(d.line, 2);
        ck_assert_uint_eq(d.column, 3);
        unlink(good);
        unlink(bad);
    }
    struct diag d = { .text = "" };
    ck_assert_ptr_null(data_read("/nonexistent/x.csv", &labels, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "cannot open"));
}
END_TEST

/* Rows of random numbers in random shapes: printed with 17 digits they are the same again. */
START_TEST(what_is_printed_is_read)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct random_stream stream = { seed };
        struct data_shape shape = { 1 + (uint32_t)random_below(&stream, 70), 1, 0, false };
        shape.classes = (uint32_t)random_below(&stream, 3) * 5;
        shape.targets = shape.classes ? 1 : 1 + (uint32_t)random_below(&stream, 9);
        struct data *s = data_random(seed, 1 + random_below(&stream, 40), &shape);
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        for (uint64_t r = 0; r < s->rows; r++)
            for (uint32_t i = 0; i < shape.features + shape.targets; i++)
                fprintf(out, "%s%.17g", i ? "," : r ? "\n" : "", i < shape.features
                        ? s->x[r * shape.features + i]
                        : s->t[r * shape.targets + i - shape.features]);
        fclose(out);
        struct data *again = read_all(text, &shape);
        ck_assert_msg(again->rows == s->rows, "seed %llu", (unsigned long long)seed);
        ck_assert_mem_eq(again->x, s->x, s->rows * shape.features * sizeof *s->x);
        ck_assert_mem_eq(again->t, s->t, s->rows * shape.targets * sizeof *s->t);
        free(text);
        data_free(again);
        data_free(s);
    }
}
END_TEST

START_TEST(random_rows_are_uniform_and_the_first_are_the_same_in_a_longer_set)
{
    enum { SHORT = 40, LONG = 30000 };
    struct data *a = data_random(5, SHORT, &labels), *b = data_random(5, LONG, &labels);
    struct data *c = data_random(6, SHORT, &labels);
    double sum = 0, count[4] = { 0 };
    ck_assert_mem_eq(a->x, b->x, 2 * SHORT * sizeof *a->x);
    ck_assert_mem_eq(a->t, b->t, SHORT * sizeof *a->t);
    ck_assert_mem_ne(a->x, c->x, 2 * SHORT * sizeof *a->x);
    for (uint64_t i = 0; i < 2 * LONG; i++) {
        ck_assert(b->x[i] >= 0 && b->x[i] < 1);
        sum += b->x[i];
    }
    for (uint64_t i = 0; i < LONG; i++) {
        ck_assert(b->t[i] == 0 || b->t[i] == 1 || b->t[i] == 2 || b->t[i] == 3);
        count[(int)b->t[i]]++;
    }
    /* Five standard deviations: of a mean of uniform values, and of a share of a quarter. */
    ck_assert_double_eq_tol(sum / (2 * LONG), 0.5, 5 / sqrt(12.0 * 2 * LONG));
    for (int k = 0; k < 4; k++)
        ck_assert_double_eq_tol(count[k] / LONG, 0.25, 5 * sqrt(0.25 * 0.75 / LONG));
    data_free(a);
    data_free(b);
    data_free(c);
}
END_TEST

START_TEST(random_targets_without_classes_are_uniform_too)
{
    struct data *s = data_random(0, 1000, &numbers);
    double sum = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        ck_assert(s->t[i] >= 0 && s->t[i] < 1);
        sum += s->t[i];
    }
    ck_assert_double_eq_tol(sum / 3000, 0.5, 5 / sqrt(12.0 * 3000));
    data_free(s);
}
END_TEST

/* 1 3 5 7: mean 4, squares 9 1 1 9, deviation sqrt 5.  2 2 2 2 never varies. */
START_TEST(features_are_standardized_by_the_rows_of_another_set)
{
    const double r = sqrt(5);
    struct data *by = read_all("1,2,0\n5,2,1\n3,2,2\n7,2,3\n", &labels);
    struct data *s = read_all("4,2,1\n9,8,1\n", &labels);
    data_standardize(s, by);
    ck_assert_double_eq(s->x[0], 0);
    ck_assert_double_eq(s->x[1], 0);
    ck_assert_double_eq_tol(s->x[2], 5 / r, 1e-15);
    ck_assert_double_eq(s->x[3], 0);
    ck_assert_double_eq(s->t[0], 1);
    data_standardize(by, by);                                   /* by itself */
    static const double wanted[] = { -3, 1, -1, 3 }, classes[] = { 0, 1, 2, 3 };
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq_tol(by->x[2 * i], wanted[i] / r, 1e-15);
        ck_assert_double_eq(by->x[2 * i + 1], 0);
        ck_assert_double_eq(by->t[i], classes[i]);
    }
    data_free(s);
    data_free(by);
}
END_TEST

/* Numbers whose squares a double cannot hold, or that differ in their last digits; and one
 * that is no sum of powers of 2, many times over. */
START_TEST(a_deviation_is_neither_lost_nor_made_up)
{
    struct data_shape shape = { 3, 1, 0, false };
    struct data *s = read_all("1e-200,1000000.001,0.1,0\n3e-200,1000000,0.1,0\n"
                              "1e-200,1000000.001,0.1,0\n3e-200,1000000,0.1,0\n"
                              "1e-200,1000000.001,0.1,0\n3e-200,1000000,0.1,0\n", &shape);
    data_standardize(s, s);
    for (int r = 0; r < 6; r++) {
        ck_assert_double_eq_tol(s->x[3 * r], r % 2 ? 1 : -1, 1e-9);
        ck_assert_double_eq_tol(fabs(s->x[3 * r + 1]), 1, 1e-5);
        ck_assert_double_eq(s->x[3 * r + 2], 0);
    }
    data_free(s);
}
END_TEST

static const uint64_t lengths[] = { 0, 1, 2, 7, 1000 };

START_TEST(an_order_has_every_row_once)
{
    uint64_t rows = lengths[_i];
    uint32_t *order = calloc(rows + 1, sizeof *order);
    bool *seen = calloc(rows + 1, sizeof *seen);
    order[rows] = 77;
    data_order(3, 4, rows, order);
    for (uint64_t i = 0; i < rows; i++) {
        ck_assert_uint_lt(order[i], rows);
        ck_assert(!seen[order[i]]);
        seen[order[i]] = true;
    }
    ck_assert_uint_eq(order[rows], 77);
    free(order);
    free(seen);
}
END_TEST

START_TEST(an_order_follows_from_seed_and_epoch)
{
    enum { ROWS = 100, PAIRS = 25 };
    uint32_t order[PAIRS][ROWS], again[ROWS];
    for (uint64_t i = 0; i < PAIRS; i++)
        data_order(i / 5, i % 5, ROWS, order[i]);
    for (uint64_t i = 0; i < PAIRS; i++) {
        data_order(i / 5, i % 5, ROWS, again);
        ck_assert_mem_eq(again, order[i], sizeof again);
        for (uint64_t j = 0; j < i; j++)
            ck_assert_mem_ne(order[j], order[i], sizeof again);
    }
}
END_TEST

/* Of 24 orders of 4 rows, over 24 000 epochs: each about 1000 times, deviation 31. */
START_TEST(each_order_is_as_likely)
{
    unsigned count[256] = { 0 }, kinds = 0;
    for (uint64_t epoch = 0; epoch < 24000; epoch++) {
        uint32_t order[4];
        data_order(1, epoch, 4, order);
        count[order[0] | order[1] << 2 | order[2] << 4 | order[3] << 6]++;
    }
    for (size_t i = 0; i < COUNT_OF(count); i++)
        if (count[i]) {
            ck_assert_msg(count[i] > 845 && count[i] < 1155, "%u times", count[i]);
            kinds++;
        }
    ck_assert_uint_eq(kinds, 24);
}
END_TEST

START_TEST(a_batch_is_rows_in_their_order)
{
    static const uint32_t order[] = { 3, 0, 2, 1 };
    static const double wanted_x[] = { 1, 2, 5, 6, -7 }, wanted_t[] = { 0, 2, -7 };
    double x[5] = { 0, 0, 0, 0, -7 }, t[3] = { 0, 0, -7 };
    struct data *s = read_all("1,2,0\n3,4,1\n5,6,2\n7,8,3\n", &labels);
    data_batch(s, order, 1, 2, x, t);
    ck_assert_mem_eq(x, wanted_x, sizeof x);        /* and no more */
    ck_assert_mem_eq(t, wanted_t, sizeof t);
    data_free(s);
}
END_TEST

Suite *data_suite(void)
{
    Suite *s = suite_create("data");
    TCase *t = tcase_create("sets");
    tcase_add_loop_test(t, rows_are_read_however_they_are_written, 0, COUNT_OF(same));
    tcase_add_test(t, targets_that_are_no_classes_are_any_numbers);
    tcase_add_loop_test(t, what_is_wrong_is_refused_at_its_place, 0, COUNT_OF(refused));
    tcase_add_test(t, a_zero_byte_ends_no_number);
    tcase_add_test(t, a_number_has_so_many_characters_at_most);
    tcase_add_test(t, targets_are_named_in_words_where_they_are_no_class);
    tcase_add_test(t, a_file_may_be_gzipped_and_is_named_when_it_is_wrong);
    tcase_add_test(t, what_is_printed_is_read);
    tcase_add_test(t, random_rows_are_uniform_and_the_first_are_the_same_in_a_longer_set);
    tcase_add_test(t, random_targets_without_classes_are_uniform_too);
    tcase_add_test(t, features_are_standardized_by_the_rows_of_another_set);
    tcase_add_test(t, a_deviation_is_neither_lost_nor_made_up);
    tcase_add_loop_test(t, an_order_has_every_row_once, 0, COUNT_OF(lengths));
    tcase_add_test(t, an_order_follows_from_seed_and_epoch);
    tcase_add_test(t, each_order_is_as_likely);
    tcase_add_test(t, a_batch_is_rows_in_their_order);
    suite_add_tcase(s, t);
    return s;
}
