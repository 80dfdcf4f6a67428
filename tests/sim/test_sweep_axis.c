/* test_sweep_axis.c - what an --over means, and where it is wrong. */
#include "sim/sweep_axis.h"

#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"

static const struct sweep_place place = { "plan", 7, 6 };       /* the text begins in column 6 */

/* The values as "a,b a,b ...", names first. */
static void print(const struct sweep_axis *a, char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    for (size_t i = 0; i <= a->count; i++)
        for (size_t n = 0; n < a->names; n++)
            fprintf(out, "%s%s", n > 0 ? "," : i > 0 ? " " : "",
                    i == 0 ? a->name[n].text : sweep_axis_value(a, i - 1, n)->text);
    fclose(out);
}

static const struct { const char *text, *means; } axes[] = {
    { "batch=64,256",              "batch 64 256" },
    { "batch=7",                   "batch 7" },
    { "arch=tpu-v3,v100",          "arch tpu-v3 v100" },
    { "a.b=32..512:*2",            "a.b 32 64 128 256 512" },
    { "a.b=32..511:*2",            "a.b 32 64 128 256" },
    { "a.b=10..160:+50",           "a.b 10 60 110 160" },
    { "a.b=3..6",                  "a.b 3 4 5 6" },
    { "a.b=5..5",                  "a.b 5" },
    { "a.b=0.1..0.7:+0.1",         "a.b 0.1 0.2 0.3 0.4 0.5 0.6 0.7" },   /* 0.7 is not 7 x 0.1 */
    { "a.b=-1..1:+0.5",            "a.b -1 -0.5 0 0.5 1" },
    { "a.b=1..10:*1.5",            "a.b 1 1.5 2.25 3.375 5.0625 7.59375" },
    { "a.b=1e3..2e3:+500",         "a.b 1000 1500 2000" },
    { "a.b=1,8..16:*2,5,100..101", "a.b 1 8 16 5 100 101" },
    { "a.b,c.d=1..3",              "a.b,c.d 1,1 2,2 3,3" },
    { "a.b,c.d=1/2,8,x/y",         "a.b,c.d 1,2 8,8 x,y" },
    { "a,b,c=1/2/3",               "a,b,c 1,2,3" },
    { " a.b , c.d = 1 / 2,  8 , 1..2 ", "a.b,c.d 1,2 8,8 1,1 2,2" },
    { "o=adam lr=0.1",             "o adam lr=0.1" },
    { "a.b=4294967296..4294967297", "a.b 4294967296 4294967297" },
};

START_TEST(an_axis_is_lists_ranges_and_rows)
{
    char text[256] = "";
    struct diag d = { .text = "" };
    struct sweep_axis a;
    ck_assert_msg(sweep_axis_parse(&a, axes[_i].text, &place, &d), "%s", d.text);
    print(&a, text, sizeof text);
    ck_assert_str_eq(text, axes[_i].means);
    sweep_axis_free(&a);
}
END_TEST

START_TEST(each_word_knows_its_column)
{
    struct diag d = { .text = "" };
    struct sweep_axis a;
    ck_assert(sweep_axis_parse(&a, "a.b,cc=1/22,333,4..5", &place, &d));
    /*                              6   10 13 15  18  22 */
    static const unsigned expected[][2] = { { 13, 15 }, { 18, 18 }, { 22, 22 }, { 22, 22 } };
    ck_assert_uint_eq(a.name[0].column, 6);
    ck_assert_uint_eq(a.name[1].column, 10);
    ck_assert_uint_eq(a.count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        for (size_t n = 0; n < 2; n++)
            ck_assert_uint_eq(sweep_axis_value(&a, i, n)->column, expected[i][n]);
    sweep_axis_free(&a);
}
END_TEST

static const struct { const char *text; unsigned column; const char *words; } wrong[] = {
    { "",                 6,  "no values" },
    { "batch",            6,  "no values" },
    { "=3",               6,  "no parameter's name" },
    { "a,=3",             8,  "no parameter's name" },
    { "a,,b=3",           8,  "no parameter's name" },
    { "a=",               8,  "no value" },
    { "a=1,",             10, "no value" },
    { "a=,1",             8,  "no value" },
    { "a=1..",            9,  "no end" },
    { "a=..3",            8,  "no range" },
    { "a=x..3",           8,  "no range" },
    { "a=0x1..3",         8,  "no range" },
    { "a=inf..3",         8,  "no range" },
    { "a=3..2",           8,  "no values" },
    { "a=0..8:*2",        8,  "no values" },
    { "a=1..8:*1",        14, "leads nowhere" },
    { "a=1..8:+0",        14, "leads nowhere" },
    { "a=1..8:+-1",       14, "leads nowhere" },
    { "a=1..8:2",         12, "stands behind" },
    { "a=1..8:*",         14, "no step" },
    { "a=1..8x",          12, "stands behind" },
    { "a=0..1000000",     8,  "a million" },
    { "a,b=1/2/3",        10, "for each" },
    { "a,b=1/",           10, "for each" },
    { "a=1/2",            8,  "for each" },
    { "a,b,c,d,e,f,g,h,i=1", 22, "too many" },
    { "a= ",              9,  "no value" },
    { "a=1, ,2",          11, "no value" },
    { " =1",              6,  "no parameter's name" },
    { "a,b=1/ ",          10, "for each" },
    { "a=1\n2",           9,  "byte 0x0a is no text" },
    { "a=\x1b[2J",        8,  "byte 0x1b is no text" },
};

START_TEST(what_is_wrong_is_said_with_its_column)
{
    struct diag d = { .text = "" };
    struct sweep_axis a;
    ck_assert(!sweep_axis_parse(&a, wrong[_i].text, &place, &d));
    ck_assert_str_eq(d.file, "plan");
    ck_assert_uint_eq(d.line, 7);
    ck_assert_msg(d.column == wrong[_i].column, "%s: column %u", wrong[_i].text, d.column);
    ck_assert_msg(strstr(d.text, wrong[_i].words) != NULL, "%s: %s", wrong[_i].text, d.text);
}
END_TEST

Suite *sweep_axis_suite(void)
{
    Suite *s = suite_create("sweep_axis");
    TCase *t = tcase_create("text");
    tcase_add_loop_test(t, an_axis_is_lists_ranges_and_rows, 0, COUNT_OF(axes));
    tcase_add_test(t, each_word_knows_its_column);
    tcase_add_loop_test(t, what_is_wrong_is_said_with_its_column, 0, COUNT_OF(wrong));
    suite_add_tcase(s, t);
    return s;
}
