/* test_ledger.c - counts that agree however they are asked for. */
#include "models/energy/ledger.h"

#include <stdlib.h>

#include "tests/suites.h"

#define KINDS  3
#define GROUPS 5
#define FIRST  LEDGER_FIRST_INTERVAL

static uint64_t sum_of_intervals(const struct ledger *l, uint32_t kind)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ledger_intervals(l); i++)
        sum += ledger_at(l, kind, i);
    return sum;
}

/* 7 events over 3 intervals and a half, from the middle of the first: after 1/7, 3/7, 5/7
 * and all of the time 1, 3, 5 and 7 of them have happened. */
START_TEST(events_are_spread_evenly_over_their_time)
{
    struct ledger *l = ledger_new(KINDS, GROUPS);
    ledger_add(l, 1, 4, 7, FIRST / 2, 4 * FIRST);
    static const uint64_t at[] = { 1, 2, 2, 2 };
    ck_assert_uint_eq(ledger_intervals(l), 4);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(ledger_at(l, 1, i), at[i]);
    ck_assert_uint_eq(ledger_at(l, 1, 4), 0);
    ck_assert_uint_eq(ledger_at(l, 0, 0), 0);
    ck_assert_uint_eq(ledger_total(l, 1), 7);
    ck_assert_uint_eq(ledger_group(l, 1, 4), 7);
    ck_assert_uint_eq(ledger_group(l, 1, 3), 0);
    ledger_free(l);
}
END_TEST

START_TEST(what_ends_with_an_interval_or_has_no_time_is_in_one)
{
    struct ledger *l = ledger_new(KINDS, GROUPS);
    ledger_add(l, 0, 0, 10, 0, FIRST);
    ck_assert_uint_eq(ledger_intervals(l), 1);
    ledger_add(l, 0, 0, 5, FIRST, FIRST);
    ck_assert_uint_eq(ledger_at(l, 0, 0), 10);
    ck_assert_uint_eq(ledger_at(l, 0, 1), 5);
    ledger_add(l, 0, 0, 0, 900 * FIRST, 900 * FIRST);      /* nothing happened */
    ck_assert_uint_eq(ledger_intervals(l), 2);
    ledger_free(l);
}
END_TEST

START_TEST(intervals_double_and_nothing_is_lost)
{
    struct ledger *l = ledger_new(KINDS, GROUPS);
    ledger_add(l, 2, 1, 3, 0, 0);
    ledger_add(l, 2, 1, 4, FIRST, FIRST);
    ledger_add(l, 2, 2, 6, 2 * FIRST, 2 * FIRST);
    ledger_add(l, 2, 2, 1, (tick_t)LEDGER_INTERVALS * FIRST, (tick_t)LEDGER_INTERVALS * FIRST);
    ck_assert_uint_eq(ledger_interval(l), 2 * FIRST);
    ck_assert_uint_eq(ledger_at(l, 2, 0), 7);
    ck_assert_uint_eq(ledger_at(l, 2, 1), 6);
    ck_assert_uint_eq(ledger_at(l, 2, LEDGER_INTERVALS / 2), 1);
    ledger_coarsen(l, 8 * FIRST);
    ck_assert_uint_eq(ledger_interval(l), 8 * FIRST);
    ck_assert_uint_eq(ledger_at(l, 2, 0), 13);
    ck_assert_uint_eq(sum_of_intervals(l, 2), 14);
    ledger_free(l);
}
END_TEST

/* In all, by group and by interval: whatever is added. */
START_TEST(totals_agree_three_ways)
{
    uint64_t state = (uint64_t)_i + 1, total[KINDS] = { 0 }, group[GROUPS][KINDS] = { { 0 } };
    struct ledger *l = ledger_new(KINDS, GROUPS);
    for (int n = 0; n < 500; n++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        uint32_t r = (uint32_t)(state >> 33), kind = r % KINDS, g = r / 7 % GROUPS;
        tick_t start = (tick_t)(r % 1000) * FIRST * (tick_t)(_i + 1) / 3, time = r % 9 * FIRST * 11 / 7;
        uint64_t count = r % 11 == 0 ? UINT64_C(1) << 40 : r % 100;
        ledger_add(l, kind, g, count, start, start + time);
        total[kind] += count;
        group[g][kind] += count;
    }
    for (uint32_t k = 0; k < KINDS; k++) {
        ck_assert_uint_eq(ledger_total(l, k), total[k]);
        ck_assert_uint_eq(sum_of_intervals(l, k), total[k]);
        for (uint32_t g = 0; g < GROUPS; g++)
            ck_assert_uint_eq(ledger_group(l, k, g), group[g][k]);
    }
    ledger_free(l);
}
END_TEST

Suite *ledger_suite(void)
{
    Suite *s = suite_create("ledger");
    TCase *t = tcase_create("counts");
    tcase_add_test(t, events_are_spread_evenly_over_their_time);
    tcase_add_test(t, what_ends_with_an_interval_or_has_no_time_is_in_one);
    tcase_add_test(t, intervals_double_and_nothing_is_lost);
    tcase_add_loop_test(t, totals_agree_three_ways, 0, 8);
    suite_add_tcase(s, t);
    return s;
}
