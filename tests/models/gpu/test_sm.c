/* test_sm.c - schedulers, pipes, blocks and barriers, to the cycle, by hand.
 *
 * Clocks are 1 GHz; the first block is sent at cycle 0 and arrives at T0.  An operation that
 * logs takes the control pipe for no time: it can issue in each cycle.
 */
#include "tests/models/gpu/sm_rig.h"
#include "tests/suites.h"

enum { T0 = 40 };

/* Every cycle of every scheduler has one cause. */
static void causes_add_up(const struct rig *r, cycle_t now)
{
    uint64_t sum = 0;
    for (uint32_t l = 0; l < 2; l++) {
        struct gpu_sm_stats s = gpu_sm_stats(r->sm, l == 0 ? 0 : GPU_NO_LAUNCH, now);
        for (unsigned i = 0; i < GPU_CAUSES_COUNT; i++)
            sum += s.cycles[i];
    }
    ck_assert_uint_eq(sum, now * r->config.sm.subcores);
}

static void finish(struct rig *r, uint32_t blocks, uint32_t threads)
{
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, blocks, threads);
    rig_run(r, 20);
    ck_assert_msg(!gpu_sm_fault(r->sm), "%s", gpu_sm_fault(r->sm));
    causes_add_up(r, r->done_at + 200);
}

static struct gpu_sm_stats stats(const struct rig *r)
{
    return gpu_sm_stats(r->sm, 0, r->done_at + 200);
}

/* ---- one warp */

START_TEST(a_chain_of_dependent_operations_takes_a_latency_each)
{
    struct rig *r = rig_new();
    rig_log(r);
    for (int i = 0; i < 5; i++)
        rig_compute(r, GPU_PIPE_FP32, 2, 7, 3, 3, 4);
    rig_log_reading(r, 3);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0);
    /* At T0 + 1, + 8, ... + 29; the result of the last 7 cycles later. */
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 1 + 5 * 7);
    struct gpu_sm_stats s = stats(r);
    ck_assert_uint_eq(s.cycles[GPU_CAUSE_DEPENDENCY], 5 * 6);
    ck_assert_uint_eq(s.cycles[GPU_CAUSE_ISSUED], 8);
    ck_assert_uint_eq(s.operations, 8);
    ck_assert_uint_eq(s.lanes, 8 * 32);
    ck_assert_uint_eq(s.flops, 5 * 32 * 2);
    rig_free(r);
}
END_TEST

START_TEST(independent_operations_take_an_interval_each)
{
    struct rig *r = rig_new();
    rig_log(r);
    for (int i = 0; i < 5; i++)
        rig_compute(r, GPU_PIPE_FP32, 3, 9, 10 + i, 1, 2);
    rig_compute(r, GPU_PIPE_INT, 2, 9, 20, 1, 2);
    rig_log(r);
    finish(r, 1, 32);
    /* T0 + 1, 4, 7, 10, 13; the integer pipe is free at 14. */
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 1 + 4 * 3 + 1 + 1);
    ck_assert_uint_eq(stats(r).cycles[GPU_CAUSE_PIPE], 4 * 2);
    rig_free(r);
}
END_TEST

START_TEST(a_fraction_of_an_interval_is_not_lost)
{
    struct rig *r = rig_new();
    rig_log(r);
    for (int i = 0; i < 33; i++)
        r->ops[rig_compute(r, GPU_PIPE_TENSOR, 6, 9, 10 + i % 8, 1, 2)].interval = 6 * 16 + 5;
    rig_log(r);
    finish(r, 1, 32);
    /* The 33rd issues 32 intervals of 6 5/16 after the first: 202 cycles. */
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 1 + 202 + 1);
    rig_free(r);
}
END_TEST

START_TEST(operands_of_one_bank_hold_up_the_port)
{
    struct rig *r = rig_new();
    rig_log(r);
    for (int i = 0; i < 3; i++)
        r->ops[rig_compute(r, GPU_PIPE_FP32, 1, 9, 10 + i, 1, 2)].bank_cycles = 3;
    rig_log(r);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 1 + 3 * 3);
    ck_assert_uint_eq(stats(r).bank_conflicts, 3 * 2);
    rig_free(r);
}
END_TEST

START_TEST(who_writes_a_register_under_way_waits_for_it)
{
    struct rig *r = rig_new();
    rig_log(r);
    rig_compute(r, GPU_PIPE_SFU, 1, 22, 5, 1, 2);
    rig_compute(r, GPU_PIPE_FP32, 1, 4, 5, 1, 2);
    rig_log_reading(r, 5);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 1 + 22 + 4);
    rig_free(r);
}
END_TEST

START_TEST(a_branch_shows_its_bubble)
{
    struct rig *r = rig_new();
    r->config.pipes.branch_cycles = 11;
    rig_log(r);
    uint32_t branch = rig_simple(r, GPU_BRANCH, 0);
    rig_log(r);                                 /* skipped */
    r->ops[branch].target = r->ops[branch].reconverge = rig_log(r);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 1 + 11);
    ck_assert_uint_eq(rig_count, 2);
    ck_assert_uint_eq(stats(r).cycles[GPU_CAUSE_BRANCH], 10);
    ck_assert_uint_eq(stats(r).splits, 0);
    rig_free(r);
}
END_TEST

/* Predicate 1: the lanes of table 0 that are not 0. */
static void set_predicate(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    (void)op;
    for (unsigned lane = 0; lane < GPU_LANES; lane++)
        if (mask >> lane & 1 && rig_tables[0][lane])
            w->predicates[1] |= UINT32_C(1) << lane;
}

START_TEST(a_split_warp_issues_both_sides_one_after_the_other)
{
    struct rig *r = rig_new();
    r->config.pipes.branch_cycles = 5;
    for (uint32_t l = 0; l < GPU_LANES; l++)
        rig_tables[0][l] = l < 11;
    rig_op(r, (struct gpu_op){ .kind = GPU_COMPUTE, .pipe = GPU_PIPE_CONTROL, .latency = 1,
                               .flags = GPU_OP_CONTROL, .execute = set_predicate,
                               .event = GPU_EVENTS_COUNT }, NULL, NULL);
    uint32_t branch = rig_simple(r, GPU_BRANCH, 0);
    r->ops[branch].guard = 1;
    rig_log(r);                                     /* 21 lanes */
    uint32_t over = rig_simple(r, GPU_BRANCH, 0);
    r->ops[branch].target = rig_log(r);             /* 11 lanes */
    uint32_t meet = rig_log(r);                     /* all */
    r->ops[branch].reconverge = r->ops[over].reconverge = r->ops[over].target = meet;
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_count, 3);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 1 + 5);
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 1 + 5 + 1 + 5);
    /* Where they meet another part goes on: a jump like a branch's. */
    ck_assert_uint_eq(stats(r).splits, 1);
    /* Of the guarded branch only the lanes that take it count. */
    ck_assert_uint_eq(stats(r).lanes, 32 + 11 + 21 + 21 + 11 + 32 + 32);
    rig_free(r);
}
END_TEST

/* ---- instructions: lines of 8 operations; 9 cycles from the SM's cache, 70 more from L2 */

/* At 1 GHz, from the cycle after the one in which it falls asleep. */
START_TEST(a_warp_sleeps_as_long_as_it_is_told)
{
    struct rig *r = rig_new();
    rig_log(r);
    r->ops[rig_simple(r, GPU_SLEEP, 0)].access.offset = 70;
    rig_log(r);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0);
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 1 + 1 + 70);
    /* The other three sub-cores have no warp from T0 until the exit has issued, at T0 + 73. */
    ck_assert_uint_eq(stats(r).cycles[GPU_CAUSE_NO_WARP], 70 + 3 * 74);
    rig_free(r);
}
END_TEST

START_TEST(a_line_of_instructions_comes_when_it_was_asked_for)
{
    static const struct { uint32_t ahead; cycle_t line1, line2; } cases[] = {
        /* The first line is there 79 cycles on, and its last operation issues 7 later. */
        { 0, 79 + 8 + 79, 2 * (79 + 8) + 79 },
        /* The lines behind it were asked for 1 and 2 cycles after it. */
        { 2, 79 + 8, 79 + 16 },
    };
    struct rig *r = rig_new();
    r->config.fetch.l0_miss_cycles = 9;
    r->config.fetch.l1_miss_cycles = 70;
    r->config.fetch.prefetch_lines = cases[_i].ahead;
    for (int i = 0; i < 23; i++)
        rig_log(r);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 79);
    ck_assert_uint_eq(rig_at(0, 0, 8), T0 + cases[_i].line1);
    ck_assert_uint_eq(rig_at(0, 0, 16), T0 + cases[_i].line2);
    ck_assert_uint_eq(stats(r).fetch_misses, _i ? 1 : 3);
    rig_free(r);
}
END_TEST

START_TEST(schedulers_share_what_the_sm_fetched)
{
    struct rig *r = rig_new();
    r->config.fetch.l0_miss_cycles = 9;
    r->config.fetch.l1_miss_cycles = 70;
    rig_log(r);
    finish(r, 1, 2 * 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 79);
    ck_assert_uint_eq(rig_at(0, 1, 0), T0 + 79);    /* the same line, under way */
    ck_assert_uint_eq(stats(r).fetch_misses, 2);
    rig_free(r);
}
END_TEST

/* ---- several warps of one scheduler */

/* Four operations, each as long as its pipe takes: 1 cycle. */
static struct rig *two_warps(enum gpu_scheduler scheduler)
{
    struct rig *r = rig_new();
    r->config.sm.subcores = 1;
    r->config.sm.scheduler = scheduler;
    for (int i = 0; i < 4; i++)
        rig_log(r);
    finish(r, 1, 64);
    return r;
}

START_TEST(a_greedy_scheduler_stays_with_a_warp_as_long_as_it_can)
{
    struct rig *r = two_warps(GPU_GTO);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(rig_at(0, 0, i), T0 + i);
        ck_assert_uint_eq(rig_at(0, 1, i), T0 + 5 + i);     /* after the first's exit */
    }
    rig_free(r);
}
END_TEST

START_TEST(a_round_robin_scheduler_takes_turns)
{
    struct rig *r = two_warps(GPU_LRR);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(rig_at(0, 0, i), T0 + 2 * i);
        ck_assert_uint_eq(rig_at(0, 1, i), T0 + 2 * i + 1);
    }
    rig_free(r);
}
END_TEST

START_TEST(other_warps_fill_the_latency_of_one)
{
    struct rig *r = rig_new();
    r->config.sm.subcores = 1;
    for (int i = 0; i < 6; i++)
        rig_compute(r, GPU_PIPE_FP32, 2, 4, 3, 3, 4);
    rig_log_reading(r, 3);
    finish(r, 1, 64);
    /* Each can issue every 4 cycles, the pipe takes one every 2: they interleave. */
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 6 * 4);
    ck_assert_uint_eq(rig_at(0, 1, 0), T0 + 6 * 4 + 2);
    rig_free(r);
}
END_TEST

START_TEST(warps_are_dealt_to_the_emptiest_scheduler)
{
    struct rig *r = rig_new();
    rig_log(r);
    finish(r, 1, 6 * 32);
    for (uint32_t w = 0; w < 6; w++)    /* 4 and 5 wait for 0's and 1's exits at T0 + 1 */
        ck_assert_uint_eq(rig_at(0, w, 0), w < 4 ? T0 : T0 + 2);
    rig_free(r);
}
END_TEST

/* ---- blocks */

START_TEST(as_many_blocks_run_as_fit_and_one_waits)
{
    struct rig *r = rig_new();
    r->config.sm.blocks = 2;
    r->config.launch.block_cycles = 13;
    rig_log(r);
    rig_compute(r, GPU_PIPE_SFU, 1, 100, 5, 1, 2);
    rig_log_reading(r, 5);
    finish(r, 5, 32);
    /* Two at T0; they are done at T0 + 13 + 103, when the one that waits begins; the fourth
     * is sent when the scheduler has heard, is there 80 cycles later, or as soon as it fits. */
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 13);
    ck_assert_uint_eq(rig_at(1, 0, 0), T0 + 13);
    ck_assert_uint_eq(rig_at(2, 0, 0), T0 + 13 + 103 + 13);
    ck_assert_uint_ge(rig_at(3, 0, 0), T0 + 13 + 103 + 80 + 13);
    ck_assert_uint_eq(stats(r).blocks, 5);
    ck_assert_uint_eq(stats(r).warp_cycles, 5 * (13 + 103));
    rig_free(r);
}
END_TEST

START_TEST(an_sm_without_blocks_counts_idle_cycles_and_holds_nothing)
{
    struct rig *r = rig_new();
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, 1, 32);
    r->launch.grid[0] = 0;
    rig_run(r, 20);
    struct gpu_sm_stats s = gpu_sm_stats(r->sm, GPU_NO_LAUNCH, 777);
    ck_assert_uint_eq(s.cycles[GPU_CAUSE_NO_WARP], 777 * 4);
    ck_assert(r->block.run(r->block.self, 777 * r->cycle) == TICK_NEVER);
    ck_assert(r->block.idle(r->block.self));
    rig_free(r);
}
END_TEST

/* ---- barriers */

START_TEST(a_barrier_waits_for_the_last_warp)
{
    struct rig *r = rig_new();
    r->config.pipes.barrier_cycles = 17;
    r->config.sm.subcores = 1;
    rig_simple(r, GPU_BARRIER, 0);
    rig_log(r);
    finish(r, 1, 3 * 32);
    /* They arrive at T0, + 1, + 2; all go on 17 cycles after the last, one a cycle, the
     * greedy one first. */
    ck_assert_uint_eq(rig_at(0, 2, 0), T0 + 2 + 17);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 2 + 17 + 2);
    ck_assert_uint_eq(rig_at(0, 1, 0), T0 + 2 + 17 + 4);
    ck_assert_uint_eq(stats(r).cycles[GPU_CAUSE_BARRIER], 16);
    rig_free(r);
}
END_TEST

static void set_warp_predicate(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    (void)op;
    w->predicates[1] = rig_tables[0][w->number] ? mask : 0;
}

/* The warps of table 0 that are not 0 end at once. */
static void end_some(struct rig *r)
{
    rig_op(r, (struct gpu_op){ .kind = GPU_COMPUTE, .pipe = GPU_PIPE_CONTROL, .latency = 1,
                               .flags = GPU_OP_CONTROL, .execute = set_warp_predicate,
                               .event = GPU_EVENTS_COUNT }, NULL, NULL);
    r->ops[rig_simple(r, GPU_EXIT, 0)].guard = 1;
}

START_TEST(a_warp_that_has_ended_is_not_waited_for)
{
    struct rig *r = rig_new();
    r->config.pipes.barrier_cycles = 17;
    rig_tables[0][1] = 1;
    end_some(r);
    rig_simple(r, GPU_BARRIER, 0);
    rig_log(r);
    finish(r, 1, 3 * 32);
    /* All were at the exit at T0 + 1; the others came to the barrier at T0 + 2. */
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 2 + 17);
    ck_assert_uint_eq(rig_at(0, 2, 0), T0 + 2 + 17);
    ck_assert_uint_eq(rig_count, 2);
    rig_free(r);
}
END_TEST

START_TEST(who_only_arrives_goes_on)
{
    struct rig *r = rig_new();
    r->ops[rig_simple(r, GPU_BARRIER, 3)].flags = GPU_OP_ARRIVE;
    rig_log(r);
    finish(r, 1, 2 * 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 1);
    ck_assert_uint_eq(stats(r).cycles[GPU_CAUSE_BARRIER], 0);
    rig_free(r);
}
END_TEST

Suite *sm_suite(void)
{
    Suite *s = suite_create("sm");
    TCase *t = tcase_create("issue");
    tcase_add_test(t, a_chain_of_dependent_operations_takes_a_latency_each);
    tcase_add_test(t, independent_operations_take_an_interval_each);
    tcase_add_test(t, a_fraction_of_an_interval_is_not_lost);
    tcase_add_test(t, operands_of_one_bank_hold_up_the_port);
    tcase_add_test(t, who_writes_a_register_under_way_waits_for_it);
    tcase_add_test(t, a_branch_shows_its_bubble);
    tcase_add_test(t, a_split_warp_issues_both_sides_one_after_the_other);
    tcase_add_test(t, a_warp_sleeps_as_long_as_it_is_told);
    tcase_add_loop_test(t, a_line_of_instructions_comes_when_it_was_asked_for, 0, 2);
    tcase_add_test(t, schedulers_share_what_the_sm_fetched);
    tcase_add_test(t, a_greedy_scheduler_stays_with_a_warp_as_long_as_it_can);
    tcase_add_test(t, a_round_robin_scheduler_takes_turns);
    tcase_add_test(t, other_warps_fill_the_latency_of_one);
    tcase_add_test(t, warps_are_dealt_to_the_emptiest_scheduler);
    suite_add_tcase(s, t);
    t = tcase_create("blocks");
    tcase_add_test(t, as_many_blocks_run_as_fit_and_one_waits);
    tcase_add_test(t, an_sm_without_blocks_counts_idle_cycles_and_holds_nothing);
    tcase_add_test(t, a_barrier_waits_for_the_last_warp);
    tcase_add_test(t, a_warp_that_has_ended_is_not_waited_for);
    tcase_add_test(t, who_only_arrives_goes_on);
    suite_add_tcase(s, t);
    return s;
}
