/* test_hbm_together.c - accesses done together are those done one by one.
 *
 * Runs of 4 KiB, several streams at once and more than the pins can take, against the same
 * bytes asked for burst by burst: then no entry of a queue has two bursts, so nothing can be
 * done together, and it is run for one clock at a time.  Every count and every answer's
 * tick must be the same.
 */
#include <string.h>

#include "tests/models/hbm/peers.h"
#include "tests/suites.h"

#define NS TICKS_PER_NS

enum { RUNS = 300, STREAMS = 5, STEP_NS = 100, BURST = 32 };

struct outcome {
    struct hbm_stats stats;
    struct hbm_group_stats groups[STREAMS];
    tick_t done[RUNS];
};

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* As a TPU's: rows of 1 KiB to the pseudo-channels in turn, a queue of several runs. */
static const struct {
    const char *setting;
    uint32_t pseudo_channels, read_queue, write_queue, high, low, cap;
} memories[] = {
    { NULL,                         2, 128, 64, 52, 12, 65535 },
    { "hbm.page=closed",            2, 128, 64, 52, 12, 65535 },
    { "hbm.row_bus=pseudo_channel", 2,  40, 33, 33,  0, 65535 },
    { "hbm.page=closed",            2,   5,  3,  2,  1, 65535 },
    { "hbm.rtp_ns=30",              2, 128, 64, 64, 63, 20 },
    { "hbm.act_cycles=7",           2,  64, 16, 10,  4, 0 },
    { "hbm.refresh=none",           2,   1,  1,  1,  0, 65535 },
    { NULL,                         1, 128, 64, 52, 12, 65535 },
    { "hbm.front_ns=0",             4,  31, 64, 52, 12, 65535 },
};

static struct memory *memory(int i)
{
    struct memory *m = peer("r1", 2, memories[i].setting);
    struct hbm_config *c = &m->config;
    struct diag d = { .file = "" };
    snprintf(c->map, sizeof c->map, "offset column pseudo channel group bank row; "
             "channel ^= row[0]; bank ^= row[0:1]");
    c->pseudo_channels = memories[i].pseudo_channels;
    c->burst_length = 2 * c->pseudo_channels;
    c->ccd_l_ns = c->ccd_s_ns;
    c->read_queue  = memories[i].read_queue;
    c->write_queue = memories[i].write_queue;
    c->write_high  = memories[i].high;
    c->write_low   = memories[i].low;
    c->hit_cap     = memories[i].cap;
    c->runs = 60000;
    ck_assert_msg(hbm_check(c, &m->map, &d), "%s", d.text);
    ck_assert_uint_eq(hbm_burst_bytes(c), BURST);
    return m;
}

static void collect(struct hbm *h, tick_t from, tick_t end, struct outcome *o)
{
    struct hbm_answer a;
    hbm_run(h, end);
    while (hbm_answer(h, end, &a)) {
        ck_assert_uint_ge(a.tick, from);                /* or it should have come before */
        o->done[a.id] = tick_max(o->done[a.id], a.tick);
    }
}

static void take(struct hbm *h, tick_t now, struct hbm_request r, uint32_t piece)
{
    for (uint32_t left = r.bytes; left > 0; left -= r.bytes) {
        r.bytes = left < piece ? left : piece;
        hbm_take(h, now, &r);
        r.address += r.bytes;
    }
}

/* Seeds differ in kind: odd ones keep to a few rows, every third leaves the pins time, and
 * the writers are 2 to 5 of the 5 streams. */
static struct outcome *drive(const struct memory *m, uint64_t seed, uint32_t piece, tick_t window)
{
    struct outcome *o = calloc(1, sizeof *o);
    struct hbm *h = hbm_new(&m->config, &m->map, STREAMS);
    uint64_t x = seed, at[STREAMS], space = seed % 2 ? 1u << 18 : 1u << 26;
    uint64_t rate = seed % 3 == 2 ? 2 : 9, writers = 2 + seed % 4;
    for (int s = 0; s < STREAMS; s++)
        at[s] = next_random(&x) % space / HBM_RUN_BYTES * HBM_RUN_BYTES;
    tick_t now = 0;
    for (uint64_t id = 0; id < RUNS || !hbm_idle(h); now += STEP_NS * NS) {
        for (uint64_t n = next_random(&x) % rate; n > 0 && id < RUNS; n--, id++) {
            uint64_t s = next_random(&x) % STREAMS;
            uint32_t skip = next_random(&x) % 8 ? 0 : (uint32_t)(next_random(&x) % 128) * BURST;
            take(h, now, (struct hbm_request){ .address = at[s] + skip, .id = id,
                .bytes = HBM_RUN_BYTES - skip, .group = (uint16_t)s, .write = s < writers }, piece);
            at[s] = (at[s] + HBM_RUN_BYTES) % space;
        }
        for (tick_t t = window; t <= STEP_NS * NS; t += window)
            collect(h, now + t - window, now + t, o);
    }
    o->stats = hbm_stats(h, now);
    o->stats.runs = RUNS;
    for (uint32_t s = 0; s < STREAMS; s++)
        o->groups[s] = hbm_group_stats(h, s);
    hbm_free(h);
    return o;
}

static void compare(uint64_t seed, const struct outcome *a, const struct outcome *b)
{
    for (int i = 0; i < RUNS; i++)
        ck_assert_msg(a->done[i] == b->done[i], "seed %llu: run %d: %llu and %llu",
                      (unsigned long long)seed, i, (unsigned long long)a->done[i],
                      (unsigned long long)b->done[i]);
#define SAME(name, unit, what) ck_assert_uint_eq(a->stats.name, b->stats.name);
    HBM_STATS(SAME)
#undef SAME
    ck_assert_mem_eq(a->stats.cycles, b->stats.cycles, sizeof a->stats.cycles);
    ck_assert_mem_eq(a->groups, b->groups, sizeof a->groups);
}

START_TEST(together_is_one_by_one)
{
    struct memory *m = memory(_i);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct outcome *runs = drive(m, seed, HBM_RUN_BYTES, STEP_NS * NS);
        struct outcome *bursts = drive(m, seed, BURST, NS);
        compare(seed, runs, bursts);
        free(runs);
        free(bursts);
    }
    free(m);
}
END_TEST

/* A channel whose answers are not due waits: not longer than until they are, and not when
 * its counts are asked for. */
START_TEST(no_answer_is_late)
{
    struct memory *m = memory(_i);
    for (uint64_t seed = 4; seed <= 7; seed++) {
        struct outcome *once = drive(m, seed, HBM_RUN_BYTES, STEP_NS * NS);
        struct outcome *often = drive(m, seed, HBM_RUN_BYTES, NS);
        compare(seed, once, often);
        free(once);
        free(often);
    }
    free(m);
}
END_TEST

START_TEST(a_channel_that_waited_can_be_looked_at)
{
    /* At each step what waits, and in the end the counts, are those of a stack whose
     * counts were asked for at every step, which holds nothing back. */
    struct memory *m = memory(_i);
    struct hbm *lazy = hbm_new(&m->config, &m->map, 1), *eager = hbm_new(&m->config, &m->map, 1);
    uint64_t x = 7;
    for (tick_t now = 0; now < 20000 * NS; now += 30 * NS) {
        struct hbm_request r = { .address = next_random(&x) % (1u << 26) / HBM_RUN_BYTES
                                 * HBM_RUN_BYTES, .bytes = HBM_RUN_BYTES,
                                 .write = next_random(&x) % 3 == 0 };
        hbm_take(lazy, now, &r);
        hbm_take(eager, now, &r);
        hbm_run(lazy, now + 30 * NS);
        hbm_run(eager, now + 30 * NS);
        hbm_stats(eager, now + 30 * NS);
        for (uint32_t c = 0; c < 2 && next_random(&x) % 9 == 0; c++)
            ck_assert_uint_eq(hbm_waiting(lazy, c), hbm_waiting(eager, c));
    }
    struct hbm_stats a = hbm_stats(lazy, 20010 * NS), b = hbm_stats(eager, 20010 * NS);
    ck_assert_mem_eq(&a, &b, sizeof a);
    hbm_free(lazy);
    hbm_free(eager);
    free(m);
}
END_TEST

Suite *hbm_together_suite(void)
{
    Suite *s = suite_create("hbm_together");
    TCase *t = tcase_create("together");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, together_is_one_by_one, 0, COUNT_OF(memories));
    tcase_add_loop_test(t, no_answer_is_late, 0, COUNT_OF(memories));
    tcase_add_loop_test(t, a_channel_that_waited_can_be_looked_at, 0, COUNT_OF(memories));
    suite_add_tcase(s, t);
    return s;
}
