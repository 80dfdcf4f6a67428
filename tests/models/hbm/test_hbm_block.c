/* test_hbm_block.c - runs over links: each is answered once, to its sender, at any window. */
#include "models/hbm/hbm_block.h"
#include "tests/models/hbm/peers.h"
#include "tests/suites.h"

enum { SENDERS = 3, MESSAGES = 400 };

struct bench {
    struct memory *memory;
    struct link   *requests, *answers[SENDERS];
    struct hbm_block *block;
    struct block   run;
    uint32_t sent[SENDERS], answered[SENDERS];
    uint64_t random[SENDERS];
    uint64_t history[SENDERS];          /* what was answered and when, in one number */
};

static struct link *link_of(const char *name, uint32_t senders, uint32_t depth)
{
    return link_new(&(struct link_config){ .name = name, .latency = 30 * TICKS_PER_NS,
                                           .senders = senders, .depth = depth });
}

static void start(struct bench *b, uint32_t runs)
{
    *b = (struct bench){ .memory = peer("r3", 2, NULL) };
    b->memory->config.runs = runs;
    b->requests = link_of("requests", SENDERS, 7);
    for (uint32_t s = 0; s < SENDERS; s++) {
        b->answers[s] = link_of("answers", 1, 5);
        b->random[s] = s + 1;
    }
    b->block = hbm_block_new("hbm", &b->memory->config, &b->memory->map, 1, b->requests,
                             b->answers);
    b->run = hbm_block_block(b->block);
}

static void stop(struct bench *b)
{
    hbm_block_free(b->block);
    link_free(b->requests);
    for (uint32_t s = 0; s < SENDERS; s++)
        link_free(b->answers[s]);
    free(b->memory);
}

static struct message next_message(struct bench *b, uint32_t s)
{
    uint64_t *x = &b->random[s];
    *x = *x * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (struct message){ .address = (*x >> 40) % 60000 * 4096, .id = *x, .group = 0,
                             .bytes = (uint32_t)(1 + (*x >> 33) % 4096),
                             .kind = *x >> 62 == 0 ? HBM_WRITE_RUN : HBM_READ_RUN, .port = 3 };
}

/* Each sender sends when its credits let it, every 10 ns, and takes what has arrived. */
static void senders(struct bench *b, tick_t now)
{
    struct link *const requests = b->requests;
    for (uint32_t s = 0; s < SENDERS; s++) {
        const struct message *m;
        while ((m = link_peek(b->answers[s], now, NULL)) != NULL) {
            ck_assert_uint_eq(m->port, 3);
            b->history[s] = (b->history[s] ^ m->id ^ link_arrival(b->answers[s])) * 1099511628211u;
            b->answered[s]++;
            link_take(b->answers[s], now);
        }
        if (b->sent[s] < MESSAGES && link_can_send(requests, s, now)) {
            struct message r = next_message(b, s);
            link_send(requests, s, now, &r);
            b->sent[s]++;
        }
    }
}

/* The whole of it with windows of 10 ns / `part` for the block. */
static uint64_t history(uint32_t runs, uint32_t part)
{
    struct bench b;
    start(&b, runs);
    for (tick_t now = 0; now < 400000 * TICKS_PER_NS; now += 10 * TICKS_PER_NS) {
        senders(&b, now);
        for (uint32_t i = 1; i <= part; i++) {
            b.run.run(b.run.self, now + 10 * TICKS_PER_NS * i / part);
            link_publish(b.requests);
            for (uint32_t s = 0; s < SENDERS; s++)
                link_publish(b.answers[s]);
        }
    }
    uint64_t sum = 0;
    for (uint32_t s = 0; s < SENDERS; s++) {
        ck_assert_uint_eq(b.answered[s], MESSAGES);
        sum = (sum ^ b.history[s]) * 1099511628211u;
    }
    ck_assert(b.run.idle(b.run.self));
    stop(&b);
    return sum;
}

START_TEST(every_run_is_answered_at_the_same_tick_in_any_window)
{
    static const uint32_t runs[] = { 1, 4, 256 };   /* places in the stack */
    uint64_t once = history(runs[_i], 1);
    ck_assert_uint_eq(history(runs[_i], 2), once);
    ck_assert_uint_eq(history(runs[_i], 5), once);
}
END_TEST

Suite *hbm_block_suite(void)
{
    Suite *s = suite_create("hbm_block");
    TCase *t = tcase_create("block");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_run_is_answered_at_the_same_tick_in_any_window, 0, 3);
    suite_add_tcase(s, t);
    return s;
}
