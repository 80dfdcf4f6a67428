/* test_param.c - figures from text and back. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/param.h"
#include "tests/suites.h"

#define TOY_PARAMS(X) \
    X(COUNT,  banks,       3,        17, "banks")     \
    X(COUNT,  any,         0, 4294967295, "any count") \
    X(SIZE,   room_bytes,  0,      1e18, "room")      \
    X(REAL,   rcd_ns,      0.5,     100, "delay")     \
    X(REAL,   wide,     -DBL_MAX, DBL_MAX, "anything") \
    X(CHOICE, page, "open|closed|access", 2, "policy") \
    X(TEXT,   map,         "",        0, "address bits")      \
    X(SIZE,   huge,        0,      1e20, "past what a SIZE holds")

struct toy { TOY_PARAMS(PARAM_FIELD) };
#define ENTRY(...) PARAM_ENTRY(toy, __VA_ARGS__)
static const struct param toy[] = { TOY_PARAMS(ENTRY) };

static const struct param *row(const char *name)
{
    return param_find(toy, COUNT_OF(toy), name);
}

static const struct { const char *name, *text; double value; } taken[] = {
    { "banks", "3", 3 }, { "banks", "17", 17 }, { "banks", "007", 7 }, { "banks", "1e1", 10 },
    { "any", "4294967295", 4294967295.0 }, { "any", "0e99", 0 },
    { "huge", "18446744073709551615", 18446744073709551615.0 },
    { "room_bytes", "17179869184", 17179869184.0 }, { "room_bytes", "16e9", 16e9 },
    { "rcd_ns", "0.5", 0.5 }, { "rcd_ns", "1.25e1", 12.5 }, { "rcd_ns", "+14.", 14 },
    { "rcd_ns", ".75", 0.75 }, { "rcd_ns", "100", 100 }, { "wide", "-2.5E-3", -0.0025 },
    { "page", "open", 0 }, { "page", "access", 2 },
};

START_TEST(a_value_that_the_table_allows_is_taken)
{
    struct toy c = { 0 };
    char expected[128];
    const struct param *p = row(taken[_i].name);
    ck_assert(param_set(p, &c, taken[_i].text, expected, sizeof expected));
    ck_assert_double_eq(param_number(p, &c), taken[_i].value);
}
END_TEST

#define BANKS "a whole number, 3 to 17"
#define ANY   "a whole number, 0 to 4294967295"
#define ROOM  "a whole number, 0 to 1e+18"
#define HUGE_ "a whole number, 0 to 1e+20"
#define RCD   "a number, 0.5 to 100"
#define PAGE  "one of open|closed|access"

static const struct { const char *name, *text, *expected; } refused[] = {
    { "banks", "2", BANKS }, { "banks", "18", BANKS }, { "banks", "", BANKS },
    { "banks", "-3", BANKS }, { "banks", "+3", BANKS }, { "banks", " 3", BANKS },
    { "banks", "3 ", BANKS }, { "banks", "3.0", BANKS }, { "banks", "0x3", BANKS },
    { "banks", "3k", BANKS }, { "banks", "nan", BANKS }, { "banks", "4294967299", BANKS },
    { "any", "4294967296", ANY }, { "any", "18446744073709551616", ANY },
    { "any", "1e", ANY }, { "any", "e1", ANY }, { "any", "1e-1", ANY },
    { "room_bytes", "1e19", ROOM }, { "room_bytes", "1e20", ROOM },
    { "room_bytes", "1e99999999999999999999", ROOM },
    { "huge", "18446744073709551616", HUGE_ }, { "huge", "2e19", HUGE_ },
    { "rcd_ns", "0.49999", RCD }, { "rcd_ns", "100.0001", RCD }, { "rcd_ns", "nan", RCD },
    { "rcd_ns", "inf", RCD }, { "rcd_ns", "0x1p3", RCD }, { "rcd_ns", "14ns", RCD },
    { "rcd_ns", "1e", RCD }, { "rcd_ns", ".", RCD }, { "rcd_ns", "1,5", RCD },
    { "rcd_ns", "1e999", RCD }, { "rcd_ns", "--1", RCD }, { "rcd_ns", "", RCD },
    { "page", "opened", PAGE }, { "page", "ope", PAGE }, { "page", "", PAGE },
    { "page", "open|closed", PAGE }, { "page", "OPEN", PAGE },
    { "map", "a\nb", "a text of at most 511 plain characters" },
};

START_TEST(any_other_is_refused_and_nothing_changes)
{
    struct toy c, before;
    char expected[128] = "";
    memset(&c, 0x5a, sizeof c);
    before = c;
    ck_assert(!param_set(row(refused[_i].name), &c, refused[_i].text, expected,
                         sizeof expected));
    ck_assert_str_eq(expected, refused[_i].expected);
    ck_assert_mem_eq(&c, &before, sizeof c);
}
END_TEST

START_TEST(a_text_fits_to_the_last_byte_and_no_further)
{
    struct toy c = { 0 };
    char text[PARAM_TEXT + 1], expected[128];
    memset(text, 'x', sizeof text);
    text[PARAM_TEXT] = '\0';
    ck_assert(!param_set(row("map"), &c, text, expected, sizeof expected));
    text[PARAM_TEXT - 1] = '\0';
    ck_assert(param_set(row("map"), &c, text, expected, sizeof expected));
    ck_assert_str_eq(c.map, text);
    ck_assert(param_set(row("map"), &c, "", expected, sizeof expected));
    ck_assert_str_eq(c.map, "");
}
END_TEST

/* Any double, by its bits, but those that are no number. */
static double random_double(void)
{
    union { uint64_t bits; double value; } u;
    do {
        u.bits = 0;
        for (int i = 0; i < 4; i++)
            u.bits = u.bits << 16 | (uint64_t)(random() & 0xffff);
    } while (!isfinite(u.value));
    return u.value;
}

START_TEST(what_is_printed_reads_back_to_the_same_value)
{
    unsigned seed = 20180;
    srandom(seed);
    for (int i = 0; i < 20000; i++) {
        struct toy a = { 0 }, b = { 0 };
        char text[PARAM_TEXT], expected[128];
        a.banks = 3 + (uint32_t)random() % 15;
        a.any   = (uint32_t)random() * 2 + (uint32_t)random() % 2;
        a.room_bytes = (uint64_t)random() << 28 | (uint64_t)random() % (1 << 28);
        a.rcd_ns = 0.5 + (double)random() / 0x7fffffff * 99.5;
        a.wide  = random_double();
        a.page  = (uint32_t)random() % 3;
        snprintf(a.map, sizeof a.map, "\"%ld: {#}", random());
        for (size_t p = 0; p < COUNT_OF(toy); p++) {
            param_print(&toy[p], &a, text, sizeof text);
            ck_assert_msg(param_set(&toy[p], &b, text, expected, sizeof expected),
                          "seed %u: %s %s", seed, toy[p].name, text);
        }
        ck_assert_mem_eq(&a, &b, sizeof a);
    }
}
END_TEST

static const struct { const char *name, *unit; } units[] = {
    { "rcd_ns", "ns" }, { "row_bytes", "byte" }, { "bytes", "byte" }, { "banks", "1" },
    { "clock_hz", "Hz" }, { "clock_mhz", "MHz" }, { "act_pj", "pJ" }, { "static_w", "W" },
    { "latency_cycles", "cycle" }, { "bytes_per_cycle", "byte/cycle" },
    { "read_pj_per_bit", "pJ/bit" }, { "weight_rows_per_cycle", "1/cycle" },
    { "lanes_per_unit", "1" }, { "nans", "1" }, { "pin_gbps", "Gbit/s" },
    { "fabric_gb_per_s", "GB/s" }, { "per_s", "s" }, { "", "1" },
};

START_TEST(the_unit_is_the_ending_of_the_name)
{
    ck_assert_str_eq(param_unit(units[_i].name), units[_i].unit);
}
END_TEST

START_TEST(a_name_is_found_whole_or_not)
{
    ck_assert_ptr_eq(row("rcd_ns"), &toy[3]);
    ck_assert_ptr_null(row("rcd"));
    ck_assert_ptr_null(row("rcd_ns_"));
    ck_assert_ptr_null(row(""));
}
END_TEST

Suite *param_suite(void)
{
    Suite *s = suite_create("param");
    TCase *t = tcase_create("text");
    tcase_add_loop_test(t, a_value_that_the_table_allows_is_taken, 0, COUNT_OF(taken));
    tcase_add_loop_test(t, any_other_is_refused_and_nothing_changes, 0, COUNT_OF(refused));
    tcase_add_test(t, a_text_fits_to_the_last_byte_and_no_further);
    tcase_add_test(t, what_is_printed_reads_back_to_the_same_value);
    tcase_add_loop_test(t, the_unit_is_the_ending_of_the_name, 0, COUNT_OF(units));
    tcase_add_test(t, a_name_is_found_whole_or_not);
    suite_add_tcase(s, t);
    return s;
}
