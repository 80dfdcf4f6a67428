/* test_record.c - a recorder keeps what lies in its window, and sums all of it. */
#include "models/record.h"

#include "tests/suites.h"

/* A clock of 1 GHz: a cycle is 10^6 ticks. */
#define CYCLE TICKS_PER_NS

static const char *const colours[] = { "red", "green", "blue" };
enum { RED, GREEN, BLUE };

static struct record *recorder(cycle_t from, cycle_t to, size_t most)
{
    return record_new(&(struct record_config){ .name = "b", .clock = { 1000000000 },
                                               .entries = true, .from = from * CYCLE,
                                               .to = to * CYCLE, .most = most });
}

static void work(struct record *r, cycle_t start, cycle_t end)
{
    record_work(r, 0, start, end, &(struct record_work){ .group = 3, .number = (uint32_t)start,
                                                         .part = end, .begun = start });
}

static void check(const struct record *r, size_t i, cycle_t start, cycle_t end, uint64_t part)
{
    const struct record_entry *e = record_entry(r, i);
    ck_assert_uint_eq(e->start, start);
    ck_assert_uint_eq(e->end, end);
    ck_assert_uint_eq(e->part, part);
}

START_TEST(without_a_recorder_nothing_happens)
{
    ck_assert_uint_eq(record_work_track(NULL, "w"), 0);
    ck_assert_uint_eq(record_state_track(NULL, "s", colours, 3, GREEN, RED), 0);
    work(NULL, 1, 2);
    record_state(NULL, 0, 1, GREEN);
    record_level(NULL, 0, 1, 2);
    record_amount(NULL, 0, 1, 2, 3);
    ck_assert(!record_wants_detail(NULL));
    record_close(NULL, 5);
    record_free(NULL);
}
END_TEST

/* Spans [10,20) [20,25) [40,60) and a window of [22,50): 3 + 10 cycles of it are kept, 35 are
 * summed. */
START_TEST(work_is_cut_to_the_window_and_summed_whole)
{
    struct record *r = recorder(22, 50, 100);
    ck_assert_uint_eq(record_work_track(r, "w"), 0);
    work(r, 10, 20);
    work(r, 20, 25);
    work(r, 40, 60);
    record_close(r, 100);
    ck_assert_uint_eq(record_entries(r), 2);
    check(r, 0, 22, 25, 25);
    check(r, 1, 40, 50, 60);
    ck_assert_uint_eq(record_entry(r, 0)->begun, 20);
    ck_assert_uint_eq(record_entry(r, 0)->group, 3);
    ck_assert_uint_eq(record_entry(r, 1)->number, 40);
    ck_assert_uint_eq(ledger_total(record_sums(r), 0), 35);
    ck_assert_uint_eq(record_left_out(r), 0);
    ck_assert_uint_eq(record_until(r), CYCLE_NEVER);
    record_free(r);
}
END_TEST

/* Spans [10,22) [22,22) [22,25): the first touches the window and has nothing of it. */
START_TEST(work_that_ends_as_the_window_begins_is_not_in_it)
{
    struct record *r = recorder(22, 50, 100);
    record_work_track(r, "w");
    work(r, 10, 22);
    work(r, 22, 22);
    work(r, 22, 25);
    record_close(r, 100);
    ck_assert_uint_eq(record_entries(r), 2);
    check(r, 0, 22, 22, 22);
    check(r, 1, 22, 25, 25);
    record_free(r);
}
END_TEST

/* Red from 0, green from 5, green again (no change), blue from 9, green from 30 to the end at
 * 33: green for 4 + 3 cycles.  The window begins in green, ends in blue. */
START_TEST(states_follow_each_other_without_gaps)
{
    struct record *r = recorder(7, 20, 100);
    record_state_track(r, "s", colours, 3, GREEN, RED);
    record_state(r, 0, 5, GREEN);
    record_state(r, 0, 6, GREEN);
    record_state(r, 0, 9, BLUE);
    record_state(r, 0, 30, GREEN);
    record_close(r, 33);
    ck_assert_uint_eq(record_entries(r), 2);
    check(r, 0, 7, 9, GREEN);
    check(r, 1, 9, 20, BLUE);
    ck_assert_uint_eq(record_entry(r, 0)->begun, 5);
    ck_assert_uint_eq(ledger_total(record_sums(r), 0), 7);
    record_free(r);
}
END_TEST

/* 2 for 10 cycles, 5 for 3, 0 for 4, 1 to the end at 20. */
START_TEST(a_level_is_summed_over_its_duration)
{
    struct record *r = recorder(0, 1000, 100);
    record_level_track(r, "l", 5);
    record_level(r, 0, 0, 2);
    record_level(r, 0, 10, 5);
    record_level(r, 0, 13, 0);
    record_level(r, 0, 17, 1);
    record_close(r, 20);
    ck_assert_uint_eq(record_entries(r), 4);
    check(r, 3, 17, 20, 1);
    ck_assert_uint_eq(ledger_total(record_sums(r), 0), 2 * 10 + 5 * 3 + 3);
    record_free(r);
}
END_TEST

START_TEST(levels_are_summed_and_not_kept_if_nobody_wants_them)
{
    struct record *r = record_new(&(struct record_config){
        .name = "b", .clock = { 1000000000 }, .entries = true, .no_levels = true,
        .to = TICK_NEVER, .most = 9 });
    record_level_track(r, "l", 5);
    record_state_track(r, "s", colours, 3, GREEN, RED);
    record_level(r, 0, 0, 2);
    record_state(r, 1, 4, GREEN);
    record_level(r, 0, 10, 5);
    record_close(r, 12);
    ck_assert_uint_eq(record_entries(r), 2);
    check(r, 0, 0, 4, RED);
    check(r, 1, 4, 12, GREEN);
    ck_assert_uint_eq(ledger_total(record_sums(r), 0), 2 * 10 + 5 * 2);
    record_free(r);
}
END_TEST

START_TEST(amounts_are_summed_and_not_kept)
{
    struct record *r = recorder(0, 1000, 100);
    record_amount_track(r, "a", 4);
    record_amount(r, 0, 3, 7, 16);
    record_amount(r, 0, 5, 6, 4);       /* of another at the same time: no order is needed */
    record_close(r, 10);
    ck_assert_uint_eq(record_entries(r), 0);
    ck_assert_uint_eq(ledger_total(record_sums(r), 0), 20);
    ck_assert_uint_eq(record_track(r, 0)->full, 4);
    record_free(r);
}
END_TEST

/* Five spans, room for three: the fourth ends at 34. */
START_TEST(what_is_beyond_the_limit_is_counted)
{
    struct record *r = recorder(0, 1000, 3);
    record_work_track(r, "w");
    for (cycle_t i = 0; i < 5; i++)
        work(r, 10 * i, 10 * i + 4);
    record_close(r, 100);
    ck_assert_uint_eq(record_entries(r), 3);
    ck_assert_uint_eq(record_left_out(r), 2);
    ck_assert_uint_eq(record_until(r), 34);
    ck_assert_uint_eq(ledger_total(record_sums(r), 0), 20);
    record_free(r);
}
END_TEST

/* Only sums: what a picture over time needs. */
START_TEST(without_entries_only_sums_are_kept)
{
    struct record *r = record_new(&(struct record_config){ .name = "b", .clock = { 1000000000 },
                                                           .to = TICK_NEVER, .most = 9 });
    record_work_track(r, "w");
    record_state_track(r, "s", colours, 3, BLUE, RED);
    work(r, 0, 7);
    record_state(r, 1, 4, BLUE);
    record_close(r, 9);
    ck_assert_uint_eq(record_entries(r), 0);
    ck_assert_uint_eq(ledger_total(record_sums(r), 0), 7);
    ck_assert_uint_eq(ledger_total(record_sums(r), 1), 5);
    record_free(r);
}
END_TEST

Suite *record_suite(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("record");
    tcase_add_test(t, without_a_recorder_nothing_happens);
    tcase_add_test(t, work_is_cut_to_the_window_and_summed_whole);
    tcase_add_test(t, work_that_ends_as_the_window_begins_is_not_in_it);
    tcase_add_test(t, states_follow_each_other_without_gaps);
    tcase_add_test(t, a_level_is_summed_over_its_duration);
    tcase_add_test(t, levels_are_summed_and_not_kept_if_nobody_wants_them);
    tcase_add_test(t, amounts_are_summed_and_not_kept);
    tcase_add_test(t, what_is_beyond_the_limit_is_counted);
    tcase_add_test(t, without_entries_only_sums_are_kept);
    suite_add_tcase(s, t);
    return s;
}
