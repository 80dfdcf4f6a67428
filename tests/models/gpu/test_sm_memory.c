/* test_sm_memory.c - shared memory, coalescing, L1, stores, copies: cycles and counts by hand.
 *
 * T0 is when the first block begins.  With the rig's figures a line of 128 bytes that misses
 * is there MISS cycles after its load issued: 10 to the crossbar, 40 to L2, 100 in it, 40 back,
 * 2 through the port of 64 bytes, 10 until its use.
 */
#include "models/gpu/sm_inside.h"
#include "tests/models/gpu/sm_rig.h"
#include "tests/suites.h"

enum { T0 = 40, MISS = 10 + 40 + 100 + 40 + 2 + 10, HIT = 28, SHARED = 19 };

static void finish(struct rig *r, uint32_t blocks, uint32_t threads)
{
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, blocks, threads);
    rig_run(r, 20);
    ck_assert_msg(!gpu_sm_fault(r->sm), "%s", gpu_sm_fault(r->sm));
}

static struct gpu_sm_stats stats(const struct rig *r)
{
    return gpu_sm_stats(r->sm, 0, r->done_at + 200);
}

/* Table `t`: first + lane * step. */
static void steps(unsigned t, uint32_t first, uint32_t step)
{
    for (uint32_t lane = 0; lane < GPU_LANES; lane++)
        rig_tables[t][lane] = first + lane * step;
}

/* Addresses in global memory to registers 2 (low) and 3 (high): two operations. */
static void global_addresses(struct rig *r, uint32_t first, uint32_t step)
{
    unsigned table = 10 + r->kernel.count;      /* another at each call */
    steps(table, (uint32_t)GPU_MEMORY_BASE + first, step);
    steps(table + 1, 0, 0);
    rig_table(r, 2, table);
    rig_table(r, 3, table + 1);
}

/* ---- shared memory */

static const struct { uint32_t bytes, step, passes, ideal; } banks[] = {
    {  4,   4,  1, 1 }, {  4,   8,  2, 1 }, { 4, 16, 4, 1 }, { 4, 32, 8, 1 },
    {  4,  64, 16, 1 }, {  4, 128, 32, 1 }, { 4, 12, 1, 1 }, { 4, 0, 1, 1 },
    {  1,   1,  1, 1 }, {  2,   2,  1, 1 }, { 2, 64, 16, 1 },
    /* Half-warps: 16 lanes x 8 bytes fill the banks; quarter-warps: 8 lanes x 16. */
    {  8,   8,  2, 2 }, {  8,  16,  4, 2 }, { 8,  0, 2, 2 },
    { 16,  16,  4, 4 }, { 16,  32,  8, 4 }, { 16, 128, 32, 4 },
};

START_TEST(a_load_of_shared_memory_takes_a_pass_for_each_word_of_its_busiest_bank)
{
    struct rig *r = rig_new();
    steps(0, 0, banks[_i].step);
    rig_table(r, 1, 0);
    rig_shared(r, GPU_LOAD, banks[_i].bytes, 8, 1);
    rig_log_reading(r, 8);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 1 + SHARED + banks[_i].passes - 1);
    struct gpu_sm_stats s = stats(r);
    ck_assert_uint_eq(s.shared_passes, banks[_i].passes);
    ck_assert_uint_eq(s.shared_ideal, banks[_i].ideal);
    ck_assert_uint_eq(s.cycles[GPU_CAUSE_SHARED], SHARED + banks[_i].passes - 2);
    rig_free(r);
}
END_TEST

START_TEST(a_matrix_takes_a_pass_for_its_eight_rows)
{
    static const struct { uint32_t step, number, passes; } cases[] = {
        { 16, 1, 1 }, { 16, 2, 2 }, { 16, 4, 4 }, { 128, 4, 32 }, { 64, 2, 8 },
        { 144, 4, 4 },          /* rows padded by 16 bytes: no conflict */
    };
    struct rig *r = rig_new();
    r->kernel.shared_bytes = 8192;
    steps(0, 0, cases[_i].step);
    rig_table(r, 1, 0);
    r->ops[rig_shared(r, GPU_MATRIX, 16, 8, 1)].number = (uint8_t)cases[_i].number;
    rig_log_reading(r, 8);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 1 + 29 + cases[_i].passes - 1);
    rig_free(r);
}
END_TEST

/* Word by word: how many different ones each bank has in each phase. */
static uint32_t brute_passes(const uint32_t *address, uint32_t mask, uint32_t bytes)
{
    uint32_t words = bytes < 4 ? 1 : bytes / 4, lanes = 32 / words, sum = 0;
    for (uint32_t phase = 0; phase < 32; phase += lanes) {
        uint32_t most = 0;
        for (uint32_t bank = 0; bank < 32; bank++) {
            static uint8_t there[1 << 12];
            uint32_t count = 0;
            memset(there, 0, sizeof there);
            for (uint32_t l = phase; l < phase + lanes; l++)
                for (uint32_t w = 0; w < words && mask >> l & 1; w++) {
                    uint32_t word = address[l] / 4 + w;
                    count += word % 32 == bank && !there[word]++;
                }
            most = count > most ? count : most;
        }
        sum += most;
    }
    return sum;
}

START_TEST(passes_are_those_of_a_count_word_by_word)
{
    struct gpu_config config = gpu_v100();
    struct gpu_sm sm = { .c = &config };
    uint64_t x = 88172645463325252u + (uint64_t)_i;
    for (int n = 0; n < 300; n++) {
        uint32_t address[GPU_LANES], bytes = 1u << (x >> 7 & 15) % 5, ideal;
        uint32_t range = 64u << (x >> 13 & 7) % 8;
        for (unsigned l = 0; l < GPU_LANES; l++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            address[l] = (uint32_t)(x >> 40) % range / bytes * bytes;
        }
        uint32_t mask = n % 3 == 0 ? UINT32_MAX : (uint32_t)(x >> 20);
        ck_assert_msg(sm_bank_passes(&sm, address, mask, bytes, &ideal) ==
                      brute_passes(address, mask, bytes), "seed %d, case %d", _i, n);
    }
}
END_TEST

START_TEST(all_schedulers_share_one_unit)
{
    struct rig *r = rig_new();
    steps(0, 0, 16);                            /* 4 passes */
    rig_table(r, 1, 0);
    rig_shared(r, GPU_LOAD, 4, 8, 1);
    rig_log_reading(r, 8);
    finish(r, 1, 4 * 32);
    for (uint32_t w = 0; w < 4; w++)            /* served at T0 + 1, + 5, + 9, + 13 */
        ck_assert_uint_eq(rig_at(0, w, 0), T0 + 1 + 4 * w + SHARED + 3);
    rig_free(r);
}
END_TEST

START_TEST(a_full_queue_holds_up_its_scheduler)
{
    struct rig *r = rig_new();
    r->config.lsu.queue = 2;
    r->config.lsu.interval = 1;
    steps(0, 0, 64);                            /* 16 passes */
    rig_table(r, 1, 0);
    for (int i = 0; i < 4; i++)
        rig_shared(r, GPU_LOAD, 4, 8 + i, 1);
    rig_log(r);
    finish(r, 1, 32);
    /* Issued at T0 + 1, 2 and 3: the first has left at once; the fourth when the second is
     * served, at T0 + 1 + 16. */
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 1 + 16 + 1);
    ck_assert_uint_eq(stats(r).cycles[GPU_CAUSE_LSU], 13);
    rig_free(r);
}
END_TEST

START_TEST(atomics_of_one_shared_word_go_one_after_the_other)
{
    struct rig *r = rig_new();
    for (uint32_t l = 0; l < GPU_LANES; l++)
        rig_tables[0][l] = l < 5 ? 40 : 4 * l + 128;
    rig_table(r, 1, 0);
    r->ops[rig_shared(r, GPU_ATOMIC, 4, 9, 1)].dsts = 0;
    rig_shared(r, GPU_LOAD, 4, 8, 1);
    rig_log_reading(r, 8);
    finish(r, 1, 32);
    /* Lane 10's word is 42, of bank 10 as word 10 = 40 / 4: two passes.  Five lanes on one
     * word: 4 x 4 more.  The load behind it has two passes too. */
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 1 + 2 + 4 * 4 + SHARED + 1);
    rig_free(r);
}
END_TEST

/* ---- loads of global memory */

static const struct { uint32_t bytes, first, step, lines, sectors, ideal; } patterns[] = {
    {  4,  0,   4,  1,  4,  4 }, {  4, 64,   4,  2,  4,  4 }, { 4, 16, 4, 2, 5, 4 },
    {  4,  0,   8,  2,  8,  4 }, {  4,  0, 128, 32, 32,  4 }, { 4, 0, 0, 1, 1, 1 },
    {  8,  0,   8,  2,  8,  8 }, { 16,  0,  16,  4, 16, 16 }, { 1, 31, 1, 1, 2, 1 },
    { 16, 16,  64, 16, 32, 16 },
};

START_TEST(lanes_are_gathered_into_lines_and_sectors)
{
    struct rig *r = rig_new();
    global_addresses(r, patterns[_i].first, patterns[_i].step);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, patterns[_i].bytes, 8, 2);
    rig_log_reading(r, 8);
    finish(r, 1, 32);
    struct gpu_sm_stats s = stats(r);
    ck_assert_uint_eq(r->seen_count, patterns[_i].lines);
    ck_assert_uint_eq(s.sectors, patterns[_i].sectors);
    ck_assert_uint_eq(s.ideal_sectors, patterns[_i].ideal);
    ck_assert_uint_eq(s.read_bytes, 32 * patterns[_i].sectors);
    ck_assert_uint_eq(s.l1_sectors, patterns[_i].sectors);
    ck_assert_uint_eq(s.l1_hits, 0);
    rig_free(r);
}
END_TEST

START_TEST(a_miss_costs_the_way_there_and_back)
{
    struct rig *r = rig_new();
    r->from = _i ? GPU_FROM_HBM : GPU_FROM_FAR;
    global_addresses(r, 0, 4);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    rig_log_reading(r, 8);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 2 + MISS);
    ck_assert_uint_eq(stats(r).cycles[_i ? GPU_CAUSE_HBM : GPU_CAUSE_L2], MISS - 1);
    rig_free(r);
}
END_TEST

START_TEST(lines_leave_one_a_cycle_and_come_back_through_the_port)
{
    struct rig *r = rig_new();
    r->config.l1.tags_per_cycle = 8;
    r->config.l1.fill_bytes = 16;               /* 8 cycles a line */
    global_addresses(r, 0, 64);                 /* 16 lines of two sectors: 64 bytes each */
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    rig_log_reading(r, 8);
    finish(r, 1, 32);
    for (uint32_t i = 0; i < 16; i++)
        ck_assert_uint_eq(r->seen[i].at / r->cycle, T0 + 2 + 10 + i + 40);
    /* The first is back at T0 + 2 + 190, and then one every 64 / 16 cycles. */
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 2 + 190 + 16 * 4 + 10);
    rig_free(r);
}
END_TEST

START_TEST(a_line_that_came_is_found_and_one_under_way_is_waited_for)
{
    struct rig *r = rig_new();
    global_addresses(r, 0, 4);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 9, 2);    /* 2 cycles later, merged */
    rig_log_reading(r, 9);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 10, 2);   /* found */
    rig_log_reading(r, 10);
    rig_global(r, GPU_LOAD, GPU_CACHE_GLOBAL, 4, 11, 2);        /* asks L2 all the same */
    rig_log_reading(r, 11);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 2 + MISS);
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 2 + MISS + 1 + HIT);
    ck_assert_uint_eq(rig_at(0, 0, 2), T0 + 2 + MISS + 1 + HIT + 1 + MISS);
    ck_assert_uint_eq(r->seen_count, 2);
    struct gpu_sm_stats s = stats(r);
    ck_assert_uint_eq(s.l1_sectors, 16);
    ck_assert_uint_eq(s.l1_hits, 4);
    ck_assert_uint_eq(s.l1_merges, 4);
    ck_assert_uint_eq(s.cycles[GPU_CAUSE_L1], HIT - 1);
    rig_free(r);
}
END_TEST

/* The same line three times: each asks L2, and none is found or merged. */
START_TEST(loads_may_go_past_l1)
{
    struct rig *r = rig_new();
    r->config.l1.loads = 0;
    global_addresses(r, 0, 4);
    for (uint32_t i = 0; i < 3; i++) {
        rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
        rig_log_reading(r, 8);
    }
    finish(r, 1, 32);
    ck_assert_uint_eq(r->seen_count, 3);
    ck_assert_uint_eq(rig_at(0, 0, 2), rig_at(0, 0, 0) + 2 * (1 + MISS));
    ck_assert_uint_eq(stats(r).l1_hits + stats(r).l1_merges, 0);
    rig_free(r);
}
END_TEST

START_TEST(a_load_without_an_mshr_waits_for_one)
{
    struct rig *r = rig_new();
    r->config.l1.mshrs = 1;
    global_addresses(r, 0, 8);                  /* two lines */
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    rig_log_reading(r, 8);
    finish(r, 1, 32);
    /* The second line is looked up when the first answer is there, 190 cycles on. */
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 2 + 190 + MISS);
    rig_free(r);
}
END_TEST

START_TEST(l1_is_what_shared_memory_leaves_and_forgets_the_least_used)
{
    struct rig *r = rig_new();
    r->config.l1.bytes = 98304 + 2 * 128;       /* two lines are left, of one set */
    r->launch.shared_bytes = 98304 - 4096;
    for (uint32_t i = 0; i < 5; i++) {
        static const uint32_t line[] = { 0, 1, 0, 2, 0 };       /* 2 takes the place of 1 */
        global_addresses(r, line[i] * 128, 4);
        rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
        rig_log_reading(r, 8);
    }
    finish(r, 1, 32);
    ck_assert_uint_eq(r->seen_count, 3);
    ck_assert_uint_eq(stats(r).l1_hits, 8);
    rig_free(r);
}
END_TEST

/* 37 ways: two strides of 16, and five.  Numbers that differ by 2^32 have equal low halves, and
 * the one whose number + 1 is 2^32 has that of a place without a line. */
START_TEST(a_line_is_known_by_all_of_its_number)
{
    static const uint64_t numbers[] = { UINT32_MAX, UINT64_C(0x1ffffffff), 5,
                                        5 + (UINT64_C(1) << 32), 5 + (UINT64_C(9) << 32) };
    struct sm_tags t = { 0 };
    sm_tags_make(&t, 37);
    sm_tags_shape(&t, 37, 64);
    for (uint32_t i = 0; i < 32; i++)
        sm_tags_place(&t, (1000 + i) * GPU_LINE);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        ck_assert_uint_eq(sm_tags_find(&t, numbers[i] * GPU_LINE), NONE);
        uint32_t at = sm_tags_place(&t, numbers[i] * GPU_LINE);
        ck_assert_uint_eq(at, 32 + i);
        for (size_t k = 0; k <= i; k++)
            ck_assert_uint_eq(sm_tags_find(&t, numbers[k] * GPU_LINE), 32 + k);
    }
    ck_assert_uint_eq(sm_tags_find(&t, 1031 * GPU_LINE), 31);
    sm_tags_free(&t);
}
END_TEST

START_TEST(a_launch_begins_with_an_empty_l1)
{
    struct rig *r = rig_new();
    global_addresses(r, 0, 4);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    finish(r, 1, 32);
    ck_assert_uint_eq(r->seen_count, 1);
    for (int forget = 0; forget <= 1; forget++) {
        tick_t now = (1000 + 1000 * (tick_t)forget) * r->cycle;
        rig_step(r, now - r->cycle, now);
        if (forget)
            link_send(r->to_sm, 0, now, &(struct message){ .kind = GPU_FRONT_LAUNCH });
        link_send(r->to_sm, 0, now, &(struct message){ .kind = GPU_FRONT_BLOCK });
        for (uint32_t i = 0; i < 40; i++, now += 20 * r->cycle)
            rig_step(r, now, now + 20 * r->cycle);
        ck_assert_uint_eq(r->seen_count, 1 + (uint32_t)forget);
    }
    rig_free(r);
}
END_TEST

START_TEST(a_link_without_credits_holds_requests_back_and_loses_none)
{
    struct rig *r = rig_new();
    global_addresses(r, 0, 128);                /* 32 lines */
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    rig_log_reading(r, 8);
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, 1, 32);
    link_free(r->requests);
    r->requests = link_new(&(struct link_config){ .name = "requests", .senders = 1, .depth = 4,
                                                  .latency = 40 * r->cycle });
    rig_run(r, 20);
    /* Four at a time, every 80 cycles: the last of them after 7 x 80, behind 3 others. */
    ck_assert_uint_eq(r->seen_count, 32);
    ck_assert_uint_eq(r->seen[31].at / r->cycle, T0 + 2 + 10 + 7 * 80 + 3 + 40);
    rig_free(r);
}
END_TEST

/* ---- stores, fences, atomics */

START_TEST(a_store_says_what_it_writes_and_a_fence_waits_for_it)
{
    struct rig *r = rig_new();
    global_addresses(r, 16, 4);                 /* sectors 0 in part, 1 to 3, and 0 of the next */
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 4, 8, 2);
    rig_log(r);
    rig_simple(r, GPU_FENCE, 0);
    rig_log(r);
    finish(r, 1, 32);
    ck_assert_uint_eq(r->seen_count, 2);
    ck_assert_int_eq(r->seen[0].m.kind, GPU_WRITE);
    ck_assert_uint_eq(GPU_TOUCHED(r->seen[0].m.bytes), 0xf);
    ck_assert_uint_eq(GPU_WRITTEN(r->seen[0].m.bytes), 0xe);
    ck_assert_uint_eq(GPU_TOUCHED(r->seen[1].m.bytes), 0x1);
    ck_assert_uint_eq(GPU_WRITTEN(r->seen[1].m.bytes), 0);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 3);
    /* 128 bytes leave in 4 cycles, then the other line; 40, 100 and 40 cycles on it is known. */
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 2 + 10 + 4 + 180 + 1);
    ck_assert_uint_eq(stats(r).written_bytes, 160);
    rig_free(r);
}
END_TEST

START_TEST(a_block_is_done_when_its_stores_are)
{
    struct rig *r = rig_new();
    global_addresses(r, 0, 4);
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 4, 8, 2);
    finish(r, 1, 32);
    ck_assert_uint_eq(r->done_at, T0 + 2 + 10 + 180);
    rig_free(r);
}
END_TEST

START_TEST(stores_without_a_slot_wait_for_one)
{
    struct rig *r = rig_new();
    r->config.l1.stores = 1;
    global_addresses(r, 0, 8);
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 4, 8, 2);
    finish(r, 1, 32);
    ck_assert_uint_eq(r->done_at, T0 + 2 + 2 * 190);
    rig_free(r);
}
END_TEST

/* ---- copies */

static const struct gpu_op copy = {
    .kind = GPU_COPY, .pipe = GPU_PIPE_LSU, .interval = 32, .event = GPU_EVENTS_COUNT,
    .access = { .space = GPU_SPACE_GLOBAL, .cache = GPU_CACHE_GLOBAL, .bytes = 16,
                .element_bytes = 4, .address_words = 2, .data_at = 2 },
};

/* Of 16 bytes a lane from registers 2 and 3 to where register 4 says. */
static void copy_addresses(struct rig *r)
{
    global_addresses(r, 0, 16);
    steps(3, 0, 16);
    rig_table(r, 4, 3);
}

/* The copy is issued at T0 + 4 and its four lines looked up in a cycle; its 512 bytes take the
 * unit when they come.  So the load, issued at T0 + 6, finds it free. */
START_TEST(a_copy_under_way_does_not_hold_the_unit)
{
    struct rig *r = rig_new();
    copy_addresses(r);
    steps(0, 0, 4);
    rig_table(r, 1, 0);
    rig_op(r, copy, NULL, (const int[]){ 2, 3, 4, -1 });
    rig_shared(r, GPU_LOAD, 4, 8, 1);
    rig_log_reading(r, 8);
    finish(r, 1, 32);
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 6 + SHARED);
    rig_free(r);
}
END_TEST

START_TEST(a_copy_runs_beside_what_follows_until_it_is_waited_for)
{
    struct rig *r = rig_new();
    copy_addresses(r);
    rig_op(r, copy, NULL, (const int[]){ 2, 3, 4, -1 });
    rig_simple(r, GPU_COMMIT, 0);
    rig_op(r, copy, NULL, (const int[]){ 2, 3, 4, -1 });
    rig_simple(r, GPU_COMMIT, 0);
    rig_log(r);
    rig_simple(r, GPU_WAIT, 1);
    rig_log(r);
    rig_simple(r, GPU_WAIT, 0);
    rig_log(r);
    finish(r, 1, 32);
    /* Issued at T0 + 3 and + 5; the unit looks up four lines of each in a cycle, which leave
     * one a cycle, and come back through the port two cycles each. */
    ck_assert_uint_eq(rig_at(0, 0, 0), T0 + 7);
    ck_assert_uint_eq(rig_at(0, 0, 1), T0 + 3 + 190 + 4 * 2 + 10);
    ck_assert_uint_eq(rig_at(0, 0, 2), T0 + 3 + 190 + 8 * 2 + 10);
    ck_assert_uint_eq(stats(r).shared_passes, 8);
    rig_free(r);
}
END_TEST

Suite *sm_memory_suite(void)
{
    Suite *s = suite_create("sm_memory");
    TCase *t = tcase_create("shared");
    tcase_add_loop_test(t, a_load_of_shared_memory_takes_a_pass_for_each_word_of_its_busiest_bank,
                        0, COUNT_OF(banks));
    tcase_add_loop_test(t, a_matrix_takes_a_pass_for_its_eight_rows, 0, 6);
    tcase_add_loop_test(t, passes_are_those_of_a_count_word_by_word, 0, 5);
    tcase_add_test(t, all_schedulers_share_one_unit);
    tcase_add_test(t, a_full_queue_holds_up_its_scheduler);
    tcase_add_test(t, atomics_of_one_shared_word_go_one_after_the_other);
    suite_add_tcase(s, t);
    t = tcase_create("loads");
    tcase_add_loop_test(t, lanes_are_gathered_into_lines_and_sectors, 0, COUNT_OF(patterns));
    tcase_add_loop_test(t, a_miss_costs_the_way_there_and_back, 0, 2);
    tcase_add_test(t, lines_leave_one_a_cycle_and_come_back_through_the_port);
    tcase_add_test(t, a_line_that_came_is_found_and_one_under_way_is_waited_for);
    tcase_add_test(t, loads_may_go_past_l1);
    tcase_add_test(t, a_load_without_an_mshr_waits_for_one);
    tcase_add_test(t, l1_is_what_shared_memory_leaves_and_forgets_the_least_used);
    tcase_add_test(t, a_line_is_known_by_all_of_its_number);
    tcase_add_test(t, a_launch_begins_with_an_empty_l1);
    tcase_add_test(t, a_link_without_credits_holds_requests_back_and_loses_none);
    suite_add_tcase(s, t);
    t = tcase_create("stores and copies");
    tcase_add_test(t, a_store_says_what_it_writes_and_a_fence_waits_for_it);
    tcase_add_test(t, a_block_is_done_when_its_stores_are);
    tcase_add_test(t, stores_without_a_slot_wait_for_one);
    tcase_add_test(t, a_copy_under_way_does_not_hold_the_unit);
    tcase_add_test(t, a_copy_runs_beside_what_follows_until_it_is_waited_for);
    suite_add_tcase(s, t);
    return s;
}
