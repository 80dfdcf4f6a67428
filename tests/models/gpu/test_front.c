/* test_front.c - which SM gets which block when, against SMs that only take time. */
#include <string.h>

#include "models/gpu/config.h"
#include "models/gpu/front.h"
#include "sim/loop.h"
#include "tests/suites.h"

#define NS TICKS_PER_NS

enum { MOST_SMS = 200, MOST_BLOCKS = 60000, LINK_NS = 40, FIRST_US = 3, NEXT_US = 2 };

/* Runs `places` blocks at a time, each for time(id). */
struct sm {
    struct bench *bench;
    uint32_t number, running;
    struct { tick_t end; uint64_t id; } run[32];
    uint32_t launches;              /* that it was told of */
    tick_t   free_at;               /* when the last block ended */
};

struct bench {
    struct gpu_config config;
    struct gpu_kernel kernel;
    struct gpu_launch launch[3];
    struct gpu_occupancy occupancy[3];
    uint32_t launches, sms;
    bool     sample;
    tick_t (*time)(uint64_t id);
    struct sm sm[MOST_SMS];
    struct link *to_sm[MOST_SMS], *from_sms;
    struct gpu_front *front;
    struct gpu_launch_times times[3];
    struct { uint32_t sm; tick_t at; } took[MOST_BLOCKS];   /* by id, of the last launch */
    uint64_t blocks_taken;
    uint32_t told;                  /* 1 + the last launch that an SM was told of */
};

static uint32_t first_to_end(const struct sm *s)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < s->running; i++)
        if (s->run[i].end < s->run[best].end)
            best = i;
    return best;
}

static void take(struct sm *s, tick_t now)
{
    struct bench *b = s->bench;
    struct message m = *link_peek(b->to_sm[s->number], now, NULL);
    link_take(b->to_sm[s->number], now);
    if (m.kind == GPU_FRONT_LAUNCH) {
        ck_assert_uint_eq(s->running, 0);
        s->launches++;
        b->told = (uint32_t)m.address + 1;
        return;
    }
    ck_assert_uint_eq(m.kind, GPU_FRONT_BLOCK);
    s->run[s->running].end = now + b->time(m.id);
    s->run[s->running++].id = m.id;
    b->took[m.id].sm = s->number;
    b->took[m.id].at = now;
    b->blocks_taken++;
}

static tick_t sm_run(void *self, tick_t end)
{
    struct sm *s = self;
    struct bench *b = s->bench;
    for (;;) {
        uint32_t first = first_to_end(s);
        tick_t ends = s->running ? s->run[first].end : TICK_NEVER;
        tick_t comes = tick_max(link_arrival(b->to_sm[s->number]), s->free_at);
        if (s->running == b->occupancy[0].blocks)
            comes = TICK_NEVER;
        if (tick_min(ends, comes) >= end)
            return tick_min(ends, comes);
        if (comes < ends) {
            take(s, comes);
            continue;
        }
        struct message m = { .address = b->told - 1, .id = s->run[first].id,
                             .kind = GPU_SM_BLOCK_DONE };
        link_send(b->from_sms, s->number, ends, &m);
        s->free_at = ends;
        s->run[first] = s->run[--s->running];
    }
}

static struct link *link_of(const char *name, uint32_t senders, uint32_t depth)
{
    return link_new(&(struct link_config){ .name = name, .latency = LINK_NS * NS,
                                           .senders = senders, .depth = depth });
}

static void start(struct bench *b, uint32_t sms, uint32_t places, uint32_t blocks,
                  tick_t (*time)(uint64_t))
{
    memset(b, 0, sizeof *b);
    b->sms = sms;
    b->launches = 1;
    b->time = time;
    b->config.gpu.clock_mhz = 500;
    b->config.launch = (struct gpu_launch_config){
        .first_us = FIRST_US, .next_us = NEXT_US, .dispatch_cycles = 1.5, .link_ns = LINK_NS };
    for (int i = 0; i < 3; i++) {
        b->launch[i] = (struct gpu_launch){ .kernel = &b->kernel, .grid = { blocks, 1, 1 },
                                            .block = { 32, 1, 1 } };
        b->occupancy[i].blocks = places;
    }
}

/* In windows of LINK_NS / divisor; when the last launch ended, with what sampling added. */
static tick_t go(struct bench *b, uint32_t divisor)
{
    struct block blocks[MOST_SMS + 1];
    struct engine_link links[MOST_SMS + 1];
    uint32_t numbers[MOST_SMS + 1];
    struct engine_result r;
    b->from_sms = link_of("ends", b->sms, 33);
    for (uint32_t i = 0; i < b->sms; i++) {
        numbers[i] = i;
        b->sm[i] = (struct sm){ .bench = b, .number = i };
        b->to_sm[i] = link_of("blocks", 1, 34);
        blocks[i] = (struct block){ .name = "sm", .self = &b->sm[i], .run = sm_run };
        links[i] = (struct engine_link){ b->to_sm[i], i, &numbers[b->sms] };
    }
    numbers[b->sms] = b->sms;
    links[b->sms] = (struct engine_link){ b->from_sms, b->sms, numbers };
    b->front = gpu_front_new(&(struct gpu_front_config_run){
        .config = &b->config, .launches = b->launch, .occupancy = b->occupancy,
        .launch_count = b->launches, .sms = b->sms, .to_sm = b->to_sm, .from_sms = b->from_sms,
        .sample = b->sample });
    blocks[b->sms] = gpu_front_block(b->front);
    ck_assert_msg(loop_run(&(struct engine_config){ .blocks = blocks, .links = links,
        .block_count = b->sms + 1, .link_count = b->sms + 1, .window = LINK_NS * NS / divisor },
        &r), "%s", r.stuck);
    tick_t added = 0;
    for (uint32_t i = 0; i < b->launches; i++) {
        b->times[i] = gpu_front_times(b->front, i);
        added += b->times[i].added;
    }
    gpu_front_free(b->front);
    for (uint32_t i = 0; i < b->sms; i++)
        link_free(b->to_sm[i]);
    link_free(b->from_sms);
    return b->times[b->launches - 1].end + added;
}

static struct bench b;          /* too large for a stack */

static tick_t always_1000(uint64_t id) { (void)id; return 1000 * NS; }

START_TEST(blocks_go_in_order_to_the_sm_with_the_fewest)
{
    /* 5 SMs of 2 places: blocks 0-9 run, 10-14 wait there, each 3 ns (1.5 cycles of 2 ns)
     * after the one before. */
    start(&b, 5, 2, 27, always_1000);
    go(&b, 1);
    for (uint32_t id = 0; id < 15; id++) {
        ck_assert_uint_eq(b.took[id].sm, id % 5);
        if (id < 10)
            ck_assert_uint_eq(b.took[id].at, (FIRST_US * 1000 + LINK_NS + 3 * id) * NS);
    }
    /* A block that waits on an SM begins when one there ends. */
    ck_assert_uint_eq(b.took[10].at, b.took[0].at + 1000 * NS);
    ck_assert_uint_eq(b.took[14].at, b.took[4].at + 1000 * NS);
    /* The next two go to the SMs whose first block ended first. */
    ck_assert_uint_eq(b.took[15].sm, 0);
    ck_assert_uint_eq(b.took[16].sm, 1);
    ck_assert_uint_eq(b.blocks_taken, 27);
}
END_TEST

START_TEST(an_sm_without_blocks_hears_nothing)
{
    start(&b, 70, 1, 66, always_1000);      /* 66: past a word of the table */
    go(&b, 1);
    for (uint32_t i = 0; i < b.sms; i++)
        ck_assert_uint_eq(b.sm[i].launches, i < 66);
}
END_TEST

static tick_t each;
static tick_t always_each(uint64_t id) { (void)id; return each; }

START_TEST(one_block_waits_at_an_sm_so_long_blocks_follow_at_once)
{
    /* One place, one ahead: block i is dispatched when the scheduler hears of the end of
     * block i - 2, so e(i) = max(e(i - 1), e(i - 2) + there and back) + time; but the last one
     * when it hears of the one before. */
    static const uint32_t ns[] = { 1000, 81, 80, 79, 41, 2 };
    tick_t way = LINK_NS * NS, e[50];
    each = ns[_i] * NS;
    start(&b, 1, 1, 50, always_each);
    for (int i = 0; i < 50; i++) {
        tick_t came = FIRST_US * 1000 * NS + way + (i == 1 ? 3 * NS : 0);
        if (i >= 2)
            came = e[i - 2 + (i == 49)] + 2 * way;
        e[i] = tick_max(came, i ? e[i - 1] : 0) + each;
    }
    ck_assert_uint_eq(go(&b, 1), e[49] + way);
    ck_assert_uint_eq(b.times[0].start, FIRST_US * 1000 * NS);
    ck_assert_uint_eq(b.times[0].blocks, 50);
    ck_assert_uint_eq(b.times[0].simulated, 50);
    ck_assert_uint_eq(b.times[0].added, 0);
}
END_TEST

static tick_t second_3000(uint64_t id) { return (id == 1 ? 3000 : 1000) * NS; }

START_TEST(the_last_blocks_go_where_there_is_a_place)
{
    /* Two SMs of one place: while the second has block 1 the first does all others. */
    tick_t way = LINK_NS * NS;
    start(&b, 2, 1, 4, second_3000);
    ck_assert_uint_eq(go(&b, 1), FIRST_US * 1000 * NS + 3000 * NS + 6 * way);
    ck_assert_uint_eq(b.took[2].sm, 0);
    ck_assert_uint_eq(b.took[3].sm, 0);
}
END_TEST

START_TEST(a_launch_begins_when_the_one_before_has_ended_and_the_host_has_asked)
{
    /* A block of 1 us, and the way there and back; the host takes 1.5, then 9 us a launch. */
    tick_t us = 1000 * NS, takes = us + 2 * LINK_NS * NS;
    start(&b, 2, 1, 1, always_1000);
    b.launches = 3;
    b.config.launch.host_us = 1.5;
    go(&b, 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(b.times[i].asked, 3 * us / 2 * i);
        ck_assert_uint_eq(b.times[i].start, 3 * us + (takes + NEXT_US * us) * i);
        ck_assert_uint_eq(b.times[i].end, b.times[i].start + takes);
    }
    start(&b, 2, 1, 1, always_1000);
    b.launches = 3;
    b.config.launch.host_us = 9;
    go(&b, 1);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(b.times[i].start, (9 * i + FIRST_US) * us);
    ck_assert_uint_eq(b.sm[0].launches, 3);
    ck_assert_uint_eq(b.sm[1].launches, 0);
}
END_TEST

/* Blocks of 2 us, give or take a tenth; the first 40 are slower, as with cold caches. */
static tick_t uneven(uint64_t id)
{
    uint64_t x = (id + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return (1800 + (x >> 40) % 400 + (id < 40 ? 900 : 0)) * NS;
}

START_TEST(any_window_gives_the_same)
{
    tick_t end[4];
    for (uint32_t part = 1; part <= 4; part++) {
        start(&b, 7, 3, 500, uneven);
        b.sample = _i;
        end[part - 1] = go(&b, part);
        ck_assert_uint_eq(end[part - 1], end[0]);
    }
}
END_TEST

START_TEST(sampling_is_within_two_percent)
{
    /* 300 waves and a part of one, on chips that hold 1, 16 and 160 blocks. */
    static const uint32_t sms[] = { 1, 8, 80 }, places[] = { 1, 2, 2 };
    static const uint32_t blocks[] = { 307, 4811, 48017 };
    for (int even = 0; even <= 1; even++) {
        start(&b, sms[_i], places[_i], blocks[_i], even ? always_1000 : uneven);
        tick_t all = go(&b, 1) - b.times[0].start;
        start(&b, sms[_i], places[_i], blocks[_i], even ? always_1000 : uneven);
        b.sample = true;
        tick_t sampled = go(&b, 1) - b.times[0].start;
        double error = ((double)sampled - (double)all) / (double)all;
        ck_assert_msg(error < 0.02 && error > -0.02, "%g", error);
        uint64_t skipped = blocks[_i] - b.times[0].simulated;
        ck_assert_uint_eq(b.blocks_taken, b.times[0].simulated);
        ck_assert_uint_eq(skipped % (sms[_i] * places[_i]), 0);
        ck_assert_uint_gt(skipped, blocks[_i] / 3);
        /* The first and the last blocks are among the simulated. */
        ck_assert_uint_gt(b.took[0].at, 0);
        ck_assert_uint_gt(b.took[blocks[_i] - 1].at, 0);
    }
}
END_TEST

static tick_t slower_and_slower(uint64_t id) { return (100 + id) * NS; }

START_TEST(a_launch_that_is_never_steady_is_simulated_to_its_end)
{
    start(&b, 4, 2, 400, slower_and_slower);
    b.sample = true;
    go(&b, 1);
    ck_assert_uint_eq(b.times[0].simulated, 400);
    ck_assert_uint_eq(b.times[0].added, 0);
}
END_TEST

Suite *front_suite(void)
{
    Suite *s = suite_create("front");
    TCase *t = tcase_create("blocks");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, blocks_go_in_order_to_the_sm_with_the_fewest);
    tcase_add_test(t, an_sm_without_blocks_hears_nothing);
    tcase_add_loop_test(t, one_block_waits_at_an_sm_so_long_blocks_follow_at_once, 0, 6);
    tcase_add_test(t, the_last_blocks_go_where_there_is_a_place);
    tcase_add_test(t, a_launch_begins_when_the_one_before_has_ended_and_the_host_has_asked);
    tcase_add_loop_test(t, any_window_gives_the_same, 0, 2);
    tcase_add_loop_test(t, sampling_is_within_two_percent, 0, 3);
    tcase_add_test(t, a_launch_that_is_never_steady_is_simulated_to_its_end);
    suite_add_tcase(s, t);
    return s;
}
