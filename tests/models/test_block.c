/* test_block.c - clocks are exact and never drift. */

#include <inttypes.h>

#include "models/block.h"
#include "tests/suites.h"

__extension__ typedef unsigned __int128 wide_t;

static uint64_t roll(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* By hand: a cycle of 940 MHz is 1063829 37/47 fs, so 47 cycles are 50 ns. */
static const struct { uint64_t hz; cycle_t k; tick_t tick; } cases[] = {
    {  940000000,           0,                    0 },
    {  940000000,           1,              1063829 },
    {  940000000,           2,              2127659 },   /* 2127659 27/47 */
    {  940000000,          47,             50000000 },
    {  940000000,          46,             48936170 },   /* 50000000 - 1063829 37/47 */
    {  940000000,  4700000001,     5000000001063829 },   /* 5 s and a cycle */
    { 1000000000,           7,              7000000 },
    {          3,           2,      666666666666666 },
    {          1,       18446, UINT64_C(18446000000000000000) },
    {          1,       18447, TICK_NEVER },             /* 2^64 fs are 18446.7 s */
    {  700000000, CYCLE_NEVER, TICK_NEVER },
};

START_TEST(a_cycle_begins_at_the_floor_of_its_exact_time)
{
    struct clock c = { cases[_i].hz };
    ck_assert_uint_eq(clock_tick(&c, cases[_i].k), cases[_i].tick);
    if (cases[_i].tick != TICK_NEVER)
        ck_assert_uint_eq(clock_cycle(&c, cases[_i].tick), cases[_i].k);
}
END_TEST

/* tick * hz <= k * 10^15 < (tick + 1) * hz, and k - 1 begins before t. */
static bool exact(const struct clock *c, tick_t t)
{
    cycle_t k = clock_cycle(c, t);
    tick_t begins = clock_tick(c, k);
    wide_t scaled = (wide_t)k * TICKS_PER_S;
    return begins >= t && (k == 0 || clock_tick(c, k - 1) < t)
        && clock_cycle(c, begins) == k
        && (wide_t)begins * c->hz <= scaled && scaled < ((wide_t)begins + 1) * c->hz;
}

START_TEST(the_cycle_of_a_tick_is_the_first_not_before_it)
{
    uint64_t random = 88172645463325252;
    for (int i = 0; i < 200000; i++) {
        struct clock c = { 1 + roll(&random) % (i % 2 ? 3000000000 : 1000000000000) };
        tick_t t = roll(&random) >> (1 + roll(&random) % 60);
        if (!exact(&c, t))
            ck_abort_msg("%" PRIu64 " Hz, tick %" PRIu64, c.hz, t);
    }
}
END_TEST

START_TEST(never_stays_never)
{
    struct clock c = { 940000000 };
    ck_assert_uint_eq(clock_cycle(&c, TICK_NEVER), CYCLE_NEVER);
    ck_assert_uint_eq(clock_tick(&c, CYCLE_NEVER), TICK_NEVER);
    ck_assert_uint_eq(clock_tick(&c, CYCLE_NEVER - 1), TICK_NEVER);
}
END_TEST

static const struct { uint64_t hz; double ns; cycle_t cycles; } durations[] = {
    {  940000000,    0,         0 },
    {  940000000,    1,         1 },        /* 0.94 */
    {  940000000,   50,        47 },
    {  940000000,   50.01,     48 },
    { 1000000000,   14,        14 },
    { 1600000000,   14.375,    23 },
    { 1000000000,    3.0000001, 3 },        /* within a millionth of a cycle */
    { 1000000000,    3.00001,   4 },
    { 1750000000,    0.1,       1 },
    {  300000000,   10,         3 },        /* 0.3 * 10 is a hair off 3 */
};

START_TEST(a_duration_takes_the_whole_cycles_that_cover_it)
{
    struct clock c = { durations[_i].hz };
    ck_assert_uint_eq(clock_cycles_ns(&c, durations[_i].ns), durations[_i].cycles);
}
END_TEST

START_TEST(nanoseconds_become_the_nearest_tick)
{
    ck_assert_uint_eq(ticks_ns(0), 0);
    ck_assert_uint_eq(ticks_ns(30), 30 * TICKS_PER_NS);
    ck_assert_uint_eq(ticks_ns(0.1), 100000);
    ck_assert_uint_eq(ticks_ns(0.0000006), 1);
    ck_assert_uint_eq(ticks_ns(0.0000004), 0);
}
END_TEST

Suite *block_suite(void)
{
    Suite *s = suite_create("block");
    TCase *t = tcase_create("clock");
    tcase_add_loop_test(t, a_cycle_begins_at_the_floor_of_its_exact_time, 0,
                        COUNT_OF(cases));
    tcase_add_test(t, the_cycle_of_a_tick_is_the_first_not_before_it);
    tcase_add_test(t, never_stays_never);
    tcase_add_loop_test(t, a_duration_takes_the_whole_cycles_that_cover_it, 0,
                        COUNT_OF(durations));
    tcase_add_test(t, nanoseconds_become_the_nearest_tick);
    suite_add_tcase(s, t);
    return s;
}
