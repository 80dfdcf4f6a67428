/* test_pool.c - every job of a round is done once, before the round ends. */
#include <stdatomic.h>
#include <stdlib.h>

#include "sim/pool.h"
#include "tests/suites.h"

struct tally { uint32_t *done; atomic_uint total; };

static void count(void *arg, uint32_t i)
{
    struct tally *t = arg;
    t->done[i]++;               /* not atomic: only one thread may have job i */
    atomic_fetch_add(&t->total, 1);
}

static const unsigned threads[] = { 0, 1, 2, 3, 7 };

START_TEST(every_job_of_every_round_is_done_once)
{
    enum { JOBS = 37, ROUNDS = 500 };
    struct pool *p = pool_new(threads[_i]);
    uint32_t done[JOBS] = { 0 }, expected[JOBS] = { 0 };
    struct tally t = { done, 0 };
    unsigned total = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t jobs = round % (JOBS + 1);         /* 0 and 1 too */
        pool_run(p, jobs, count, &t);
        ck_assert_uint_eq(atomic_load(&t.total), total += jobs);
        for (uint32_t i = 0; i < jobs; i++)
            expected[i]++;
    }
    for (uint32_t i = 0; i < JOBS; i++)
        ck_assert_uint_eq(done[i], expected[i]);
    pool_free(p);
}
END_TEST

START_TEST(a_pool_that_never_ran_can_be_freed)
{
    pool_free(pool_new(threads[_i]));
    pool_free(NULL);
}
END_TEST

Suite *pool_suite(void)
{
    Suite *s = suite_create("pool");
    TCase *t = tcase_create("rounds");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, every_job_of_every_round_is_done_once, 0, COUNT_OF(threads));
    tcase_add_loop_test(t, a_pool_that_never_ran_can_be_freed, 0, COUNT_OF(threads));
    suite_add_tcase(s, t);
    return s;
}
