/* test_ports.c - the calendar of ports against an array that has every cycle. */
#include "models/tpu/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"

#define CYCLES 6000

static const struct tpu_demand capacity = { { 7, 5, 128, 64, 96 } };

/* ---- the twin: what is taken in each cycle */

static uint32_t taken[CYCLES][TPU_PORTS_COUNT];

static bool twin_free(cycle_t start, cycle_t duration, const struct tpu_demand *d)
{
    for (cycle_t t = start; t < start + duration; t++)
        for (int r = 0; r < TPU_PORTS_COUNT; r++)
            if (d->of[r] > 0 && taken[t][r] + d->of[r] > capacity.of[r])
                return false;
    return true;
}

static cycle_t twin_at(cycle_t now, cycle_t duration, const struct tpu_demand *d)
{
    while (!twin_free(now, duration, d))
        now++;
    return now;
}

static void twin_reserve(cycle_t start, cycle_t duration, const struct tpu_demand *d)
{
    for (cycle_t t = start; t < start + duration; t++)
        for (int r = 0; r < TPU_PORTS_COUNT; r++)
            taken[t][r] += d->of[r];
}

/* A cycle that is begun is taken whole. */
static cycle_t twin_fill(cycle_t now, enum tpu_port port, uint64_t amount, uint32_t rate)
{
    cycle_t end = now;
    for (cycle_t t = now; amount > 0; t++) {
        uint32_t left = capacity.of[port] - taken[t][port], take = left < rate ? left : rate;
        taken[t][port] += take;
        amount -= take < amount ? take : amount;
        end = take > 0 ? t + 1 : end;
    }
    return end;
}

/* ---- random use */

static uint64_t state;

static uint32_t under(uint32_t limit)
{
    state = state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(state >> 33) % limit;
}

static struct tpu_demand random_demand(void)
{
    struct tpu_demand d = { { 0 } };
    for (int r = 0; r < TPU_PORTS_COUNT; r++)
        if (under(3) == 0)
            d.of[r] = under(capacity.of[r] + 1);
    return d;
}

START_TEST(agrees_with_an_array_of_cycles)
{
    state = (uint64_t)_i * 977 + 5;
    memset(taken, 0, sizeof taken);
    struct tpu_ports *p = tpu_ports_new(&capacity);
    cycle_t now = 0;
    for (int step = 0; step < 300; step++) {
        now += under(12);
        if (under(2))
            tpu_ports_forget(p, now);
        cycle_t from = now + under(30);
        if (under(2)) {
            struct tpu_demand d = random_demand();
            cycle_t duration = 1 + under(40), at = tpu_ports_at(p, from, duration, &d);
            ck_assert_msg(at == twin_at(from, duration, &d), "seed %d step %d", _i, step);
            tpu_ports_reserve(p, at, duration, &d);
            twin_reserve(at, duration, &d);
        } else {
            enum tpu_port port = under(TPU_PORTS_COUNT);
            uint32_t rate = 1 + under(capacity.of[port]);
            uint64_t amount = under(20 * rate);
            cycle_t at = tpu_ports_fill(p, from, port, amount, rate);
            ck_assert_msg(at == twin_fill(from, port, amount, rate), "seed %d step %d", _i, step);
        }
    }
    for (cycle_t t = 0; t < CYCLES; t++)
        for (int r = 0; r < TPU_PORTS_COUNT; r++)
            ck_assert_uint_le(taken[t][r], capacity.of[r]);
    tpu_ports_free(p);
}
END_TEST

START_TEST(more_than_there_is_never_fits)
{
    struct tpu_ports *p = tpu_ports_new(&capacity);
    struct tpu_demand d = { { [TPU_PORT_WRITE] = 6 } };
    ck_assert(tpu_ports_at(p, 3, 1, &d) == CYCLE_NEVER);
    d.of[TPU_PORT_WRITE] = 5;
    ck_assert_uint_eq(tpu_ports_at(p, 3, 1, &d), 3);
    tpu_ports_free(p);
}
END_TEST

/* As many transfers behind each other as a memory that is faster than the port makes. */
START_TEST(a_port_may_be_behind_by_any_number_of_fills)
{
    struct tpu_ports *p = tpu_ports_new(&capacity);
    for (uint32_t i = 0; i < 100000; i++)
        ck_assert_uint_eq(tpu_ports_fill(p, i / 4, TPU_PORT_READ, 4096, 7), (i + 1) * 586u);
    tpu_ports_free(p);                          /* 586 = ceil(4096 / 7) */
}
END_TEST

/* Every second cycle is taken, so that no two neighbours are alike. */
START_TEST(a_thousand_pieces_are_kept_apart)
{
    struct tpu_ports *p = tpu_ports_new(&capacity);
    struct tpu_demand all = { { [TPU_PORT_READ] = 7 } };
    for (uint32_t i = 0; i < 1000; i++)
        tpu_ports_reserve(p, 2 * i + 1, 1, &all);
    ck_assert_uint_eq(tpu_ports_at(p, 0, 2, &all), 2000);
    ck_assert_uint_eq(tpu_ports_fill(p, 0, TPU_PORT_READ, 700, 7), 199);
    tpu_ports_free(p);
}
END_TEST

Suite *ports_suite(void)
{
    Suite *s = suite_create("ports");
    TCase *t = tcase_create("calendar");
    tcase_add_loop_test(t, agrees_with_an_array_of_cycles, 0, 100);
    tcase_add_test(t, more_than_there_is_never_fits);
    tcase_add_test(t, a_port_may_be_behind_by_any_number_of_fills);
    tcase_add_test(t, a_thousand_pieces_are_kept_apart);
    suite_add_tcase(s, t);
    return s;
}
