/* test_link.c - messages arrive once, in order, not early, and no sender is favoured. */
#include <stdlib.h>

#include "models/link.h"
#include "tests/suites.h"

static struct message numbered(uint64_t id)
{
    return (struct message){ .id = id };
}

static struct link *make(uint32_t senders, uint32_t depth, tick_t interval)
{
    struct link_config config = { "wire", 100, senders, depth, interval };
    return link_new(&config);
}

START_TEST(a_message_arrives_a_latency_later_and_only_once_published)
{
    struct link *l = make(1, 2, 0);
    struct message m = { .address = 64, .id = 7, .bytes = 32, .group = 3, .kind = 2,
                         .port = 1 };
    link_send(l, 0, 40, &m);
    ck_assert_ptr_null(link_peek(l, 1000, NULL));
    ck_assert_uint_eq(link_arrival(l), TICK_NEVER);
    ck_assert(link_publish(l));
    ck_assert(!link_publish(l));

    uint32_t sender = 9;
    ck_assert_uint_eq(link_arrival(l), 140);
    ck_assert_ptr_null(link_peek(l, 139, &sender));
    const struct message *got = link_peek(l, 140, &sender);
    ck_assert_uint_eq(sender, 0);
    ck_assert_uint_eq(got->address, 64);
    ck_assert_uint_eq(got->id, 7);
    ck_assert_uint_eq(got->bytes, 32);
    ck_assert_uint_eq(got->group, 3);
    ck_assert_uint_eq(got->kind, 2);
    ck_assert_uint_eq(got->port, 1);
    link_take(l, 140);
    ck_assert_ptr_null(link_peek(l, 1000, NULL));
    ck_assert_uint_eq(link_sent(l), 1);
    ck_assert_uint_eq(link_taken(l), 1);
    link_free(l);
}
END_TEST

START_TEST(a_credit_is_back_a_latency_after_the_message_was_taken)
{
    struct link *l = make(2, 3, 0);     /* 3 slots of a ring of 4 */
    for (uint64_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(link_credit_at(l, 1), 0);
        link_send(l, 1, 10 * i, &(struct message){ .id = i });
    }
    ck_assert(!link_can_send(l, 1, 20));
    ck_assert(link_can_send(l, 0, 20));             /* the other's are its own */
    ck_assert_uint_eq(link_send_at(l, 1, 20), TICK_NEVER);
    link_publish(l);
    link_take(l, 155);                              /* the first, arrived at 100 */
    link_take(l, 160);
    ck_assert_uint_eq(link_send_at(l, 1, 180), TICK_NEVER);
    link_publish(l);
    ck_assert_uint_eq(link_credit_at(l, 1), 255);   /* 155 + 100 */
    ck_assert_uint_eq(link_send_at(l, 1, 200), 255);
    ck_assert(!link_can_send(l, 1, 254));
    ck_assert(link_can_send(l, 1, 255));
    struct message m = numbered(3);
    link_send(l, 1, 255, &m);
    ck_assert(!link_can_send(l, 1, 259));
    ck_assert(link_can_send(l, 1, 260));            /* 160 + 100 */
    link_free(l);
}
END_TEST

START_TEST(one_sender_keeps_its_interval)
{
    struct link *l = make(2, 9, 7);
    struct message m = numbered(0);
    ck_assert(link_can_send(l, 0, 0));
    link_send(l, 0, 5, &m);
    ck_assert(!link_can_send(l, 0, 11));
    ck_assert_uint_eq(link_send_at(l, 0, 6), 12);
    ck_assert(link_can_send(l, 0, 12));
    ck_assert(link_can_send(l, 1, 5));
    ck_assert_uint_eq(link_send_at(l, 1, 5), 5);
    link_free(l);
}
END_TEST

START_TEST(depth_of_twice_the_latency_never_holds_a_sender_up)
{
    /* A message every 10 for ever: 2 * 100 / 10 = 20 credits.  With 19, each round of
     * 200 has one message fewer. */
    for (uint32_t depth = 19; depth <= 20; depth++) {
        struct link *l = make(1, depth, 10);
        uint64_t held = 0;
        for (tick_t end = 100; end <= 100000; end += 100) {
            for (tick_t t = end - 100; t < end; t += 10) {
                if (link_peek(l, t, NULL))
                    link_take(l, t);
                if (link_can_send(l, 0, t))
                    link_send(l, 0, t, &(struct message){ .id = 0 });
                else
                    held++;
            }
            link_publish(l);
        }
        ck_assert_uint_eq(held, depth == 20 ? 0 : 100000 / 200);
        link_free(l);
    }
}
END_TEST

/* n senders send at the same ticks, on a clock of 1 GHz: regular ticks. */
START_TEST(at_the_same_tick_each_sender_is_before_each_other_as_often_as_after)
{
    enum { N = 6, ROUNDS = 4000 };
    struct link *l = make(N, 2, 0);
    int before[N][N] = { 0 }, first[N] = { 0 };
    for (tick_t t = 0; t < ROUNDS * TICKS_PER_NS; t += TICKS_PER_NS) {
        for (uint32_t s = 0; s < N; s++)
            link_send(l, s, t, &(struct message){ .id = t });
        link_publish(l);
        uint32_t place[N];
        for (uint32_t i = 0; i < N; i++) {
            uint32_t s;
            ck_assert_ptr_nonnull(link_peek(l, t + 100, &s));
            link_take(l, t + 100);
            place[s] = i;
        }
        link_publish(l);
        for (int a = 0; a < N; a++) {
            first[a] += place[a] == 0;
            for (int b = 0; b < N; b++)
                before[a][b] += place[a] < place[b];
        }
    }
    /* 5 standard deviations: sqrt(4000 / 4) = 32; sqrt(4000 * 5 / 36) = 24. */
    for (int a = 0; a < N; a++) {
        ck_assert_int_le(abs(first[a] - ROUNDS / N), 5 * 24);
        for (int b = 0; b < N; b++)
            ck_assert(a == b || abs(before[a][b] - ROUNDS / 2) <= 5 * 32);
    }
    link_free(l);
}
END_TEST

/* ---- random traffic */

enum { SENDERS = 5, DEPTH = 3, WINDOWS = 300 };

struct traffic {
    struct link *link;
    uint64_t sent[SENDERS], taken[SENDERS];
    tick_t   at[SENDERS][WINDOWS * 100], back[SENDERS][WINDOWS * 100];
    tick_t   last;              /* arrival taken */
};

static void receive(struct traffic *t, tick_t now)
{
    uint32_t s;
    const struct message *m = link_peek(t->link, now, &s);
    if (!m)
        return;
    ck_assert_uint_eq(m->id, t->taken[s]);
    ck_assert_uint_ge(now, t->at[s][m->id] + 100);
    ck_assert_uint_ge(t->at[s][m->id], t->last);    /* oldest first */
    t->last = t->at[s][m->id];
    t->back[s][t->taken[s]++] = now + 100;
    link_take(t->link, now);
}

static void transmit(struct traffic *t, uint32_t s, tick_t now)
{
    /* Credits by definition: sent, less those whose credit is back. */
    uint64_t out = t->sent[s];
    for (uint64_t i = 0; i < t->taken[s]; i++)
        out -= t->back[s][i] <= now;
    ck_assert_int_eq(link_can_send(t->link, s, now), out < DEPTH);
    if (out == DEPTH)
        return;
    t->at[s][t->sent[s]] = now;
    struct message m = numbered(t->sent[s]++);
    link_send(t->link, s, now, &m);
}

START_TEST(random_traffic_loses_and_doubles_nothing)
{
    srand((unsigned)_i);
    struct traffic *t = calloc(1, sizeof *t);
    t->link = make(SENDERS, DEPTH, 0);
    int busy = 1 + rand() % 9, hungry = 1 + rand() % 9;
    for (tick_t start = 0; start < 100 * WINDOWS; start += 100) {
        for (tick_t now = start; now < start + 100; now += 1 + (tick_t)rand() % 30)
            if (rand() % 10 < hungry)
                receive(t, now);
        for (uint32_t s = 0; s < SENDERS; s++)
            for (tick_t now = start; now < start + 100; now += 1 + (tick_t)rand() % 40)
                if (rand() % 10 < busy)
                    transmit(t, s, now);
        link_publish(t->link);
    }
    for (tick_t now = 100 * WINDOWS; link_taken(t->link) < link_sent(t->link); now++)
        receive(t, now);
    for (uint32_t s = 0; s < SENDERS; s++)
        ck_assert_msg(t->sent[s] == t->taken[s] && t->sent[s] > 0, "seed %d", _i);
    link_free(t->link);
    free(t);
}
END_TEST

/* The parts that the engine uses, against the whole. */
START_TEST(returned_credits_name_the_sender_that_lacked_one)
{
    struct link *l = make(3, 1, 0);
    struct message m = numbered(0);
    link_send(l, 2, 10, &m);
    link_send(l, 0, 20, &m);
    link_gather(l, 0);
    link_gather(l, 1);                              /* has nothing: no harm */
    link_gather(l, 2);
    link_gather(l, 2);
    ck_assert(link_deliver(l));
    ck_assert(!link_deliver(l));
    uint32_t sender;
    tick_t at;
    ck_assert(!link_return(l, &sender, &at));
    link_take(l, 110);
    link_take(l, 130);
    ck_assert(link_return(l, &sender, &at));
    ck_assert_uint_eq(sender, 2);
    ck_assert_uint_eq(at, 210);
    ck_assert(link_return(l, &sender, &at));
    ck_assert_uint_eq(sender, 0);
    ck_assert_uint_eq(at, 230);
    ck_assert(!link_return(l, &sender, &at));
    link_free(l);
}
END_TEST

START_TEST(a_credit_for_one_who_has_others_wakes_nobody)
{
    struct link *l = make(1, 2, 0);
    struct message m = numbered(0);
    link_send(l, 0, 0, &m);
    link_publish(l);
    link_take(l, 100);
    uint32_t sender;
    tick_t at;
    ck_assert(link_return(l, &sender, &at));
    ck_assert_uint_eq(at, TICK_NEVER);
    link_free(l);
}
END_TEST

/* Of three senders, by turns and not: 0 1 1 2 0, 10 ticks apart. */
START_TEST(a_look_ahead_shows_what_will_be_taken_in_its_order)
{
    static const uint32_t senders[] = { 0, 1, 1, 2, 0 };
    struct link *l = make(3, 4, 0);
    for (uint64_t i = 0; i < 5; i++)
        link_send(l, senders[i], 10 * i, &(struct message){ .id = i });
    ck_assert_ptr_null(link_look(l, 0));            /* not published */
    link_publish(l);
    for (uint32_t taken = 0; taken < 5; taken++) {
        for (uint32_t behind = 0; taken + behind < 5; behind++)
            ck_assert_uint_eq(link_look(l, behind)->id, taken + behind);
        ck_assert_ptr_null(link_look(l, 5 - taken));
        link_take(l, 1000);
    }
    link_free(l);
}
END_TEST

Suite *link_suite(void)
{
    Suite *s = suite_create("link");
    TCase *t = tcase_create("rules");
    tcase_add_test(t, a_message_arrives_a_latency_later_and_only_once_published);
    tcase_add_test(t, a_credit_is_back_a_latency_after_the_message_was_taken);
    tcase_add_test(t, one_sender_keeps_its_interval);
    tcase_add_test(t, depth_of_twice_the_latency_never_holds_a_sender_up);
    tcase_add_test(t, at_the_same_tick_each_sender_is_before_each_other_as_often_as_after);
    tcase_add_test(t, returned_credits_name_the_sender_that_lacked_one);
    tcase_add_test(t, a_credit_for_one_who_has_others_wakes_nobody);
    tcase_add_test(t, a_look_ahead_shows_what_will_be_taken_in_its_order);
    tcase_add_loop_test(t, random_traffic_loses_and_doubles_nothing, 1, 9);
    suite_add_tcase(s, t);
    return s;
}
