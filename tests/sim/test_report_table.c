/* test_report_table.c - numbers as people read them, and tables that line up. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report_number.h"
#include "sim/report_table.h"
#include "tests/suites.h"

/* ---- numbers ---- */

START_TEST(a_number_has_four_digits_and_a_prefix)
{
    static const struct { double value; const char *unit, *text; } cases[] = {
        { 0,              "B",     "0 B" },
        { 1,              "B",     "1 B" },
        { 512,            "B",     "512 B" },
        { 0.5,            "s",     "500.0 ms" },
        { 1.2344999,      "s",     "1.234 s" },
        { 335.602128e-6,  "s",     "335.6 us" },
        { 999.94,         "W",     "999.9 W" },
        { 999.96,         "W",     "1.000 kW" },         /* not 1000.0 W */
        { 99.996,         "W",     "100.0 W" },
        { 17179869184.0,  "B",     "17.18 GB" },
        { 123.20768e12,   "FLOP/s", "123.2 TFLOP/s" },
        { 1e-15,          "s",     "1.000 fs" },
        { 1e-18,          "s",     "0.001 fs" },
        { -3,             "s",     "0 s" },
        { NAN,            "s",     "0 s" },
    };
    char text[NUMBER_TEXT];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ck_assert_str_eq(number_si(text, cases[i].value, cases[i].unit), cases[i].text);
}
END_TEST

START_TEST(a_plain_number_and_a_percentage_have_no_exponent)
{
    char text[NUMBER_TEXT];
    ck_assert_str_eq(number_plain(text, 0.0167, 2), "0.017");
    ck_assert_str_eq(number_plain(text, 0.25, 2), "0.25");
    ck_assert_str_eq(number_plain(text, 3.24, 2), "3.2");
    ck_assert_str_eq(number_plain(text, 9.96, 2), "10");
    ck_assert_str_eq(number_plain(text, 227.4, 2), "227");
    ck_assert_str_eq(number_plain(text, 1e9, 2), "1000000000");
    ck_assert_str_eq(number_plain(text, 0, 2), "0");
    ck_assert_str_eq(number_percent(text, 0), "0.0");
    ck_assert_str_eq(number_percent(text, 0.0592), "5.9");
    ck_assert_str_eq(number_percent(text, 0.0005), "0.1");
    ck_assert_str_eq(number_percent(text, 0.00000324), "0.00032");
    ck_assert_str_eq(number_percent(text, 1), "100.0");
}
END_TEST

START_TEST(a_ratio_is_never_not_a_number)
{
    ck_assert(number_ratio(0, 0) == 0);
    ck_assert(number_ratio(1, 0) == 0);
    ck_assert(number_ratio(1e308, 1e-308) == 0);
    ck_assert(number_ratio(3, 4) == 0.75);
}
END_TEST

START_TEST(thirds_add_up)
{
    int64_t rounded[3];
    ck_assert_int_eq(number_round((double[]){ 1, 1, 1 }, 3, 0.003, rounded), 1000);
    ck_assert_int_eq(rounded[0], 334);
    ck_assert_int_eq(rounded[1], 333);
    ck_assert_int_eq(rounded[2], 333);
    ck_assert_int_eq(number_round((double[]){ 0 }, 0, 0.1, rounded), 0);
    ck_assert_int_eq(number_round((double[]){ NAN, -1, 2 }, 3, 0.5, rounded), 4);
    ck_assert_int_eq(rounded[0], 0);
    ck_assert_int_eq(rounded[1], 0);
}
END_TEST

/* Linear congruential; the seed is printed when a case fails. */
static double random_part(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 33) / 2147483648.0;
}

START_TEST(rounded_parts_add_up_and_are_less_than_one_off)
{
    uint64_t seed = (uint64_t)_i + 1, state = seed;
    double parts[57], sum = 0;
    int64_t rounded[57], whole = 0;
    for (size_t i = 0; i < 57; i++)
        sum += parts[i] = random_part(&state) * (i % 5 == 0 ? 0.01 : 40);
    int64_t said = number_round(parts, 57, 0.1, rounded);
    for (size_t i = 0; i < 57; i++) {
        whole += rounded[i];
        ck_assert_msg(fabs((double)rounded[i] - parts[i] / 0.1) < 1, "seed %d", (int)seed);
    }
    ck_assert_msg(whole == said, "seed %d", (int)seed);
    ck_assert_msg(fabs((double)said - sum / 0.1) <= 0.5001, "seed %d", (int)seed);
}
END_TEST

/* ---- tables ---- */

START_TEST(a_table_lines_up_and_cuts_its_first_column)
{
    char *text = NULL, want[512];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct table *t = table_new();
    table_column(t, TABLE_LEFT, "name", "");
    table_column(t, TABLE_RIGHT, "x", "us");
    table_column(t, TABLE_LEFT, "why", "");
    table_cell(t, "%0200d", 0);                 /* cut by the cell, then to fit */
    table_fixed(t, 1205, 2);
    table_cell(t, "because");
    table_cell(t, "b");
    table_fixed(t, 7, 1);
    table_cell(t, "%s", "");
    table_print(t, out);
    fclose(out);
    /* 110 columns: 2 + name + 2 + 5 + 2 + 7, so 92 are left for the name, two of them dots. */
    snprintf(want, sizeof want, "  name%*s  why\n%*sus\n  %090d..  12.05  because\n"
             "  b%*s0.7\n", 95, "x", 99, "", 0, 95, "");
    ck_assert_str_eq(text, want);
    free(text);
}
END_TEST

/* 2 + name + 2 + 1 columns: a name of 105 just fits. */
START_TEST(a_table_that_fits_is_not_cut)
{
    for (int name = 105; name <= 106; name++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        struct table *t = table_new();
        table_column(t, TABLE_LEFT, "", "");
        table_column(t, TABLE_RIGHT, "", "");
        table_cell(t, "%0*d", name, 0);
        table_cell(t, "1");
        table_print(t, out);
        fclose(out);
        ck_assert_int_eq(strlen(text), TABLE_WIDTH + 1);
        ck_assert_int_eq(strstr(text, "..") != NULL, name == 106);
        free(text);
    }
}
END_TEST

/* 2 + 50 + 1 + 57 = 110 columns. */
START_TEST(text_is_broken_at_spaces)
{
    static const char *const breaks[] = { " ", "\n  " };
    for (int more = 0; more < 2; more++) {
        char *text = NULL, words[256];
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        snprintf(words, sizeof words, "%050d %0*d x  y", 0, 57 + more, 0);
        table_text(words, out);
        fclose(out);
        snprintf(words, sizeof words, "  %050d%s%0*d%sx y\n", 0, breaks[more], 57 + more, 0,
                 breaks[!more]);
        ck_assert_str_eq(text, words);
        free(text);
    }
}
END_TEST

Suite *report_table_suite(void)
{
    Suite *s = suite_create("report_table");
    TCase *t = tcase_create("report_table");
    suite_add_tcase(s, t);
    tcase_add_test(t, a_number_has_four_digits_and_a_prefix);
    tcase_add_test(t, a_plain_number_and_a_percentage_have_no_exponent);
    tcase_add_test(t, a_ratio_is_never_not_a_number);
    tcase_add_test(t, thirds_add_up);
    tcase_add_loop_test(t, rounded_parts_add_up_and_are_less_than_one_off, 0, 100);
    tcase_add_test(t, a_table_lines_up_and_cuts_its_first_column);
    tcase_add_test(t, a_table_that_fits_is_not_cut);
    tcase_add_test(t, text_is_broken_at_spaces);
    return s;
}
