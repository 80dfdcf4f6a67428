/* test_board.c - groups that end, semaphores that are raised, and what a queue waits for. */
#include "models/tpu/board.h"

#include <string.h>

#include "tests/suites.h"

#define OP_CYCLES 7

/* Operations of one program, one after the other: unit, group, and up to one wait. */
struct line { enum tpu_unit unit; uint32_t group, semaphore, value, signal; };

static struct tpu_program *make(uint32_t groups, uint32_t peers, const struct line *lines,
                                uint32_t count)
{
    struct tpu_program *p = tpu_program_new(groups);
    p->peers = peers;
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        tpu_program_semaphore(p, u);            /* groups + 1 + unit */
    for (uint32_t i = 0; i < count; i++) {
        struct tpu_uop u = { .unit = lines[i].unit, .group = lines[i].group,
                             .signal = lines[i].signal };
        tpu_uop_wait(&u, lines[i].semaphore, lines[i].value);
        tpu_program_add(p, &u);
    }
    return p;
}

static bool raised(struct tpu_board *b, uint32_t semaphore, uint32_t value)
{
    struct tpu_program p = { .count = 1, .uops = &(struct tpu_uop){ .unit = TPU_LINK } };
    tpu_uop_wait(&p.uops[0], semaphore, value);
    struct tpu_queue q = { .program = &p, .board = b, .unit = TPU_LINK };
    return tpu_queue_ready(&q) != NULL;
}

START_TEST(a_group_raises_its_semaphore_op_cycles_after_its_last_operation)
{
    const struct line lines[] = { { TPU_LOAD, 0, 2, 1, TPU_NO_SEMAPHORE },
                                  { TPU_STORE, 0, 2, 1, TPU_NO_SEMAPHORE },
                                  { TPU_LOAD, 1, 0, 1, TPU_NO_SEMAPHORE } };
    struct tpu_program *p = make(2, 0, lines, COUNT_OF(lines));
    struct tpu_board *b = tpu_board_new(p, OP_CYCLES);
    ck_assert_uint_eq(tpu_board_step(b, 0), OP_CYCLES);
    ck_assert(!raised(b, 2, 1));
    tpu_board_step(b, 7);
    ck_assert(raised(b, 2, 1));                 /* the start of the program */
    tpu_board_finish(b, &p->uops[0], 7, 20);
    ck_assert(tpu_board_step(b, 20) == CYCLE_NEVER);
    tpu_board_finish(b, &p->uops[1], 9, 30);
    ck_assert_uint_eq(tpu_board_step(b, 30), 37);
    ck_assert(!raised(b, 0, 1));
    tpu_board_step(b, 37);
    ck_assert(raised(b, 0, 1));
    ck_assert(!raised(b, 0, 2));
    ck_assert_uint_eq(tpu_board_group_end(b, 0), 30);
    ck_assert_uint_eq(tpu_board_busy(b, 0, TPU_STORE), 21);
    ck_assert(!tpu_board_done(b));
    tpu_board_finish(b, &p->uops[2], 37, 40);
    ck_assert(tpu_board_done(b));
    tpu_board_free(b);
    tpu_program_free(p);
}
END_TEST

/* Operations of group 1 wait for the start alone, as where overlap is ideal. */
START_TEST(a_group_that_ended_before_the_one_before_it_ends_once)
{
    const struct line lines[] = { { TPU_LOAD, 0, 2, 1, TPU_NO_SEMAPHORE },
                                  { TPU_STORE, 1, 2, 1, TPU_NO_SEMAPHORE } };
    struct tpu_program *p = make(2, 0, lines, COUNT_OF(lines));
    struct tpu_board *b = tpu_board_new(p, 0);
    uint32_t group, ends = 0;
    tpu_board_step(b, 0);
    tpu_board_finish(b, &p->uops[1], 0, 5);
    tpu_board_step(b, 5);
    tpu_board_finish(b, &p->uops[0], 0, 9);
    tpu_board_step(b, 9);
    while (tpu_board_ended(b, &group))
        ends++;
    ck_assert_uint_eq(ends, 2);
    ck_assert(tpu_board_done(b));
    ck_assert(!raised(b, 1, 2));
    ck_assert_uint_eq(tpu_board_group_end(b, 1), 5);
    tpu_board_free(b);
    tpu_program_free(p);
}
END_TEST

START_TEST(a_group_without_operations_ends_with_the_one_before_it)
{
    const struct line lines[] = { { TPU_LOAD, 1, 0, 1, TPU_NO_SEMAPHORE } };
    struct tpu_program *p = make(4, 0, lines, COUNT_OF(lines));
    struct tpu_board *b = tpu_board_new(p, OP_CYCLES);
    tpu_board_step(b, 7);                       /* begun: group 0 has nothing and ends */
    ck_assert_uint_eq(tpu_board_group_end(b, 0), 7);
    ck_assert_uint_eq(tpu_board_step(b, 13), 14);
    tpu_board_step(b, 14);
    tpu_board_finish(b, &p->uops[0], 14, 50);
    tpu_board_step(b, 57);
    ck_assert_uint_eq(tpu_board_group_end(b, 2), 57);
    ck_assert(!tpu_board_done(b));
    tpu_board_step(b, 64);
    ck_assert_uint_eq(tpu_board_group_end(b, 3), 64);
    ck_assert(tpu_board_done(b));
    tpu_board_free(b);
    tpu_program_free(p);
}
END_TEST

START_TEST(a_group_with_peers_waits_for_all_of_them)
{
    const struct line lines[] = { { TPU_LOAD, 0, 1, 1, TPU_NO_SEMAPHORE } };
    struct tpu_program *p = make(1, 2, lines, COUNT_OF(lines));
    struct tpu_board *b = tpu_board_new(p, OP_CYCLES);
    tpu_board_step(b, 7);
    tpu_board_peer_ended(b, 0, 10);
    tpu_board_finish(b, &p->uops[0], 7, 12);
    ck_assert(tpu_board_step(b, 30) == CYCLE_NEVER);
    tpu_board_peer_ended(b, 0, 40);
    ck_assert_uint_eq(tpu_board_step(b, 40), 47);
    tpu_board_step(b, 47);
    ck_assert(raised(b, 0, 1));
    tpu_board_free(b);
    tpu_program_free(p);
}
END_TEST

/* Semaphores of `groups` = 1: group 0, start 1, units from 2 on. */
START_TEST(a_queue_gives_its_own_operations_in_order_and_names_whom_it_waits_for)
{
    const struct line lines[] = { { TPU_VECTOR, 0, 2 + TPU_LOAD, 2, TPU_NO_SEMAPHORE },
                                  { TPU_LOAD, 0, 0, 0, 2 + TPU_LOAD },
                                  { TPU_VECTOR, 0, 1, 1, TPU_NO_SEMAPHORE } };
    struct tpu_program *p = make(1, 0, lines, COUNT_OF(lines));
    struct tpu_board *b = tpu_board_new(p, OP_CYCLES);
    struct tpu_queue q;
    uint64_t cycles[TPU_STATES_COUNT], sum = 0;
    char text[160];
    tpu_queue_init(&q, b, TPU_VECTOR);
    ck_assert(tpu_queue_ready(&q) == NULL);
    ck_assert_int_eq(q.state, TPU_STATE_LOAD);
    tpu_board_raise(b, 2 + TPU_LOAD);
    ck_assert(tpu_queue_ready(&q) == NULL);
    tpu_queue_describe(&q, text, sizeof text);
    ck_assert_str_eq(text, "vector: operation 0 (group 0) waits for s2 >= 2, now 1");
    tpu_board_raise(b, 2 + TPU_LOAD);
    ck_assert_ptr_eq(tpu_queue_ready(&q), &p->uops[0]);
    tpu_queue_take(&q, 5);
    tpu_queue_account(&q, true, 5);
    tpu_queue_account(&q, true, 9);             /* asked again: nothing changes */
    tpu_queue_account(&q, false, 11);
    ck_assert_int_eq(q.state, TPU_STATE_OP);    /* not yet begun */
    tpu_board_step(b, 13);
    ck_assert_ptr_eq(tpu_queue_ready(&q), &p->uops[2]);
    tpu_queue_take(&q, 13);
    tpu_queue_account(&q, true, 13);
    tpu_queue_account(&q, false, 14);
    tpu_queue_cycles(&q, 20, cycles);
    ck_assert_uint_eq(cycles[TPU_STATE_LOAD], 5);
    ck_assert_uint_eq(cycles[TPU_STATE_BUSY], 6 + 1);
    ck_assert_uint_eq(cycles[TPU_STATE_OP], 2);
    ck_assert_uint_eq(cycles[TPU_STATE_IDLE], 6);
    for (int i = 0; i < TPU_STATES_COUNT; i++)
        sum += cycles[i];
    ck_assert_uint_eq(sum, 20);
    tpu_board_free(b);
    tpu_program_free(p);
}
END_TEST

/* Group 1 ends before group 0, so 0's own time is up to 9 and 1 has none; 2 begins then.
 *
 *     load   wait_op [0, 4)   busy [4, 12)                  idle [12, 20)
 *     own    0 [0, 9)                      2 [9, 20)
 */
START_TEST(each_cycle_of_a_queue_belongs_to_the_oldest_group_not_ended)
{
    const struct line lines[] = { { TPU_LOAD, 0, 3, 1, TPU_NO_SEMAPHORE },
                                  { TPU_STORE, 1, 3, 1, TPU_NO_SEMAPHORE },
                                  { TPU_VECTOR, 2, 3, 1, TPU_NO_SEMAPHORE } };
    static const uint64_t own[3][3] = { { 4, 5, 0 }, { 0, 0, 0 }, { 0, 3, 8 } };
    static const enum tpu_state states[] = { TPU_STATE_OP, TPU_STATE_BUSY, TPU_STATE_IDLE };
    struct tpu_program *p = make(3, 0, lines, COUNT_OF(lines));
    struct tpu_board *b = tpu_board_new(p, 4);
    struct tpu_queue q;
    tpu_queue_init(&q, b, TPU_LOAD);
    tpu_board_step(b, 4);
    tpu_queue_take(&q, 4);
    tpu_queue_account(&q, true, 4);
    tpu_board_finish(b, &p->uops[1], 4, 6);
    tpu_board_finish(b, &p->uops[0], 4, 9);
    tpu_queue_account(&q, false, 12);
    for (uint32_t g = 0; g < 3; g++) {
        uint64_t cycles[TPU_STATES_COUNT];
        tpu_queue_group_cycles(&q, g, 20, cycles);
        for (size_t s = 0; s < COUNT_OF(states); s++)
            ck_assert_uint_eq(cycles[states[s]], own[g][s]);
    }
    tpu_board_free(b);
    tpu_program_free(p);
}
END_TEST

Suite *board_suite(void)
{
    Suite *s = suite_create("board");
    TCase *t = tcase_create("groups and queues");
    tcase_add_test(t, a_group_raises_its_semaphore_op_cycles_after_its_last_operation);
    tcase_add_test(t, a_group_that_ended_before_the_one_before_it_ends_once);
    tcase_add_test(t, a_group_without_operations_ends_with_the_one_before_it);
    tcase_add_test(t, a_group_with_peers_waits_for_all_of_them);
    tcase_add_test(t, each_cycle_of_a_queue_belongs_to_the_oldest_group_not_ended);
    tcase_add_test(t, a_queue_gives_its_own_operations_in_order_and_names_whom_it_waits_for);
    suite_add_tcase(s, t);
    return s;
}
