/* test_hbm.c - one stack at its port. */
#include <string.h>

#include "tests/models/hbm/peers.h"
#include "tests/suites.h"

#define NS TICKS_PER_NS

/* ---- one request, worked out by hand ---- */

static tick_t answer_to(struct hbm *h, tick_t now, uint64_t address, bool write)
{
    hbm_run(h, now);
    hbm_take(h, now, &(struct hbm_request){ .address = address, .bytes = 64, .write = write });
    struct hbm_answer a;
    hbm_run(h, now + 1000 * NS);
    ck_assert(hbm_answer(h, now + 1000 * NS, &a));
    ck_assert(hbm_idle(h));
    return a.tick - now;
}

START_TEST(a_read_waits_for_its_row_and_its_data)
{
    /* d1: front 2, tRCD 14, tCL 14, burst 2, tRP 14, clock 1 ns, rows of 2 KiB, 16 banks. */
    struct memory *m = peer("d1", 1, "hbm.rp_ns=15");
    struct hbm *h = hbm_new(&m->config, &m->map, 1);
    tick_t row = 2048, next_row = 2048 * 16;
    ck_assert_uint_eq(answer_to(h, 0, 64, false),             (2 + 14 + 14 + 2) * NS);
    ck_assert_uint_eq(answer_to(h, 1000 * NS, 0, false),      (2 + 14 + 2) * NS);
    ck_assert_uint_eq(answer_to(h, 2000 * NS, next_row, false), (2 + 15 + 14 + 14 + 2) * NS);
    ck_assert_uint_eq(answer_to(h, 3000 * NS, row, false),    (2 + 14 + 14 + 2) * NS);
    struct hbm_stats s = hbm_stats(h, 3500 * NS);
    ck_assert_uint_eq(s.activates, 3);
    ck_assert_uint_eq(s.precharges, 1);
    ck_assert_uint_eq(s.row_hits, 1);
    ck_assert_uint_eq(s.cycles[HBM_READ], 4 * 2);
    ck_assert_uint_eq(s.read_bytes, 4 * 64);
    ck_assert_uint_eq(s.closed_cycles, 2 + 15);     /* until the first ACT, and after PRE */
    ck_assert_uint_eq(s.total_cycles, 3500);
    hbm_free(h);
    free(m);
}
END_TEST

START_TEST(a_write_is_answered_when_it_is_in_the_queue)
{
    struct memory *m = peer("d1", 1, NULL);
    struct hbm *h = hbm_new(&m->config, &m->map, 1);
    ck_assert_uint_eq(answer_to(h, 0, 0, true), 2 * NS);
    struct hbm_stats s = hbm_stats(h, 1000 * NS);
    ck_assert_uint_eq(s.writes, 1);
    ck_assert_uint_eq(s.written_bytes, 64);
    hbm_free(h);
    free(m);
}
END_TEST

START_TEST(an_idle_stack_refreshes_and_asks_for_nothing)
{
    struct memory *m = peer("r3", 8, NULL);
    struct hbm *h = hbm_new(&m->config, &m->map, 1);
    ck_assert_uint_eq(hbm_run(h, 1), TICK_NEVER);
    struct hbm_stats s = hbm_stats(h, 39005 * NS);  /* 10 tREFI of 3900 ns, 16 of them */
    ck_assert_uint_eq(s.refreshes, 10 * 16);
    ck_assert_uint_eq(s.closed_cycles, s.total_cycles);
    ck_assert_uint_eq(s.cycles[HBM_NO_REQUEST], s.total_cycles);
    hbm_free(h);
    free(m);
}
END_TEST

/* ---- random traffic ---- */

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Some runs within rows, some anywhere; bursts of arrivals and pauses. */
static struct hbm_request random_run(uint64_t *x, uint64_t *address, bool whole_pieces)
{
    if (next_random(x) % 4 == 0)
        *address = next_random(x) % (1u << 28);
    uint32_t offset = (uint32_t)(*address % HBM_RUN_BYTES);
    uint32_t bytes = (uint32_t)(1 + next_random(x) % (HBM_RUN_BYTES - offset));
    struct hbm_request r = { .address = *address, .bytes = bytes, .write = next_random(x) % 3 == 0 };
    if (whole_pieces) {
        r.address -= r.address % 64;
        r.bytes = (r.bytes + 63) / 64 * 64;
        if (r.address % HBM_RUN_BYTES + r.bytes > HBM_RUN_BYTES)
            r.bytes = HBM_RUN_BYTES - (uint32_t)(r.address % HBM_RUN_BYTES);
    }
    *address += r.bytes;
    return r;
}

static void take_in_pieces(struct hbm *h, tick_t now, struct hbm_request r, uint32_t piece)
{
    for (uint32_t left = r.bytes; left > 0; ) {
        ck_assert(hbm_can_take(h));
        r.bytes = left < piece ? left : piece;
        hbm_take(h, now, &r);
        r.address += r.bytes;
        left -= r.bytes;
    }
}

static const struct { const char *peer, *setting; } memories[] = {
    { "d1", NULL }, { "d1", "hbm.bank_queue=0" }, { "d2", "hbm.hit_cap=65535" }, { "d3", NULL },
    { "r1", "hbm.page=closed" }, { "r1", "hbm.ccd_l_ns=2" }, { "r2", NULL },
    { "r3", "hbm.row_bus=pseudo_channel" }, { "r3", "hbm.ccd_s_ns=3" }, { "r7", "hbm.front_ns=31" },
};

/* The same traffic as runs or in pieces; what comes of it. */
static struct hbm_stats traffic(const struct memory *m, uint64_t seed, uint32_t piece,
                                tick_t *last)
{
    struct hbm *h = hbm_new(&m->config, &m->map, 1);
    uint64_t x = seed, address = 0, asked = 0;
    tick_t now = 0;
    struct hbm_answer a;
    for (int i = 0; i < 300; i++) {
        struct hbm_request r = random_run(&x, &address, true);
        asked += r.bytes;
        take_in_pieces(h, now, r, piece);
        if (next_random(&x) % 8 == 0)
            now += next_random(&x) % (6000 * NS);
        hbm_run(h, now);
        while (hbm_answer(h, now, &a))
            *last = a.tick;
    }
    now += 200000 * NS;
    hbm_run(h, now);
    while (hbm_answer(h, now, &a))
        *last = a.tick;
    ck_assert(hbm_idle(h));
    struct hbm_stats s = hbm_stats(h, now);
    ck_assert_uint_eq(s.read_bytes + s.written_bytes, asked);
    hbm_free(h);
    return s;
}

START_TEST(a_run_is_worth_its_pieces)
{
    struct memory *m = peer(memories[_i].peer, 4, memories[_i].setting);
    m->config.runs = 60000;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        tick_t last_whole = 0, last_pieces = 0;
        struct hbm_stats whole = traffic(m, seed, HBM_RUN_BYTES, &last_whole);
        struct hbm_stats pieces = traffic(m, seed, 64, &last_pieces);
        whole.runs = pieces.runs;
        ck_assert_msg(memcmp(&whole, &pieces, sizeof whole) == 0,
                      "%s: seed %llu: activates %llu and %llu, turnaround %llu and %llu",
                      memories[_i].peer, (unsigned long long)seed,
                      (unsigned long long)whole.activates, (unsigned long long)pieces.activates,
                      (unsigned long long)whole.cycles[HBM_TURNAROUND],
                      (unsigned long long)pieces.cycles[HBM_TURNAROUND]);
        ck_assert_uint_eq(last_whole, last_pieces);
    }
    free(m);
}
END_TEST

/* Everything that was answered and when, as one number. */
static uint64_t history(const struct memory *m, uint64_t seed, tick_t window)
{
    struct hbm *h = hbm_new(&m->config, &m->map, 1);
    uint64_t x = seed, address = 0, sum = 0;
    struct hbm_answer a;
    for (tick_t now = 0; now < 60000 * NS; now += window) {
        if (now % (600 * NS) == 0)
            for (int i = 0; i < 5 && hbm_can_take(h); i++) {
                struct hbm_request r = random_run(&x, &address, false);
                r.id = x;
                hbm_take(h, now, &r);
            }
        tick_t next = hbm_run(h, now + window);
        ck_assert_uint_ge(next, now + window);
        while (hbm_answer(h, now + window, &a)) {
            ck_assert_uint_ge(a.tick, now);
            sum = (sum ^ a.tick ^ a.id) * UINT64_C(0x100000001b3);
        }
    }
    struct hbm_stats s = hbm_stats(h, 60000 * NS);
    hbm_free(h);
    return sum ^ s.activates << 20 ^ s.cycles[HBM_ROW];
}

START_TEST(how_far_it_runs_at_a_time_changes_nothing)
{
    struct memory *m = peer(memories[_i].peer, 2, memories[_i].setting);
    for (uint64_t seed = 11; seed <= 12; seed++) {
        uint64_t once = history(m, seed, 600 * NS);
        ck_assert_uint_eq(history(m, seed, 200 * NS), once);
        ck_assert_uint_eq(history(m, seed, 5 * NS), once);
    }
    free(m);
}
END_TEST

START_TEST(every_clock_of_the_pins_has_one_cause)
{
    struct memory *m = peer(memories[_i].peer, 2, memories[_i].setting);
    m->config.runs = 4096;
    struct hbm *h = hbm_new(&m->config, &m->map, 1);
    uint64_t x = 5, address = 0;
    for (tick_t now = 0; now < 9000 * NS; now += 37 * NS) {     /* asked at awkward moments */
        struct hbm_request r = random_run(&x, &address, false);
        if (hbm_can_take(h))
            hbm_take(h, now, &r);
        struct hbm_stats s = hbm_stats(h, now + 37 * NS);
        uint64_t sum = 0;
        for (int i = 0; i < HBM_CAUSES_COUNT; i++)
            sum += s.cycles[i];
        uint64_t clocks = (now + 37 * NS) / NS;
        ck_assert_uint_eq(sum, clocks * 2 * m->config.pseudo_channels);
        ck_assert_uint_le(s.closed_cycles, sum);
    }
    hbm_free(h);
    free(m);
}
END_TEST

/* Whatever goes on at once: data are told of channel by channel. */
START_TEST(a_recorder_is_told_of_all_data_on_the_pins)
{
    struct memory *m = peer(memories[_i].peer, 4, memories[_i].setting);
    m->config.runs = 4096;
    struct hbm *h = hbm_new(&m->config, &m->map, 1);
    struct record *r = record_new(&(struct record_config){
        .name = "hbm0", .clock = { hbm_clock_hz(&m->config) }, .to = TICK_NEVER });
    hbm_record(h, r);
    uint64_t x = 7, address = 0, sums[2] = { 0, 0 };
    for (tick_t now = 0; now < 9000 * NS; now += 37 * NS) {
        struct hbm_request run = random_run(&x, &address, false);
        if (hbm_can_take(h))
            hbm_take(h, now, &run);
        hbm_run(h, now + 37 * NS);
    }
    struct hbm_stats s = hbm_stats(h, 500000 * NS);
    record_close(r, 500000);
    ck_assert_uint_eq(record_tracks(r), 2 * 4);
    for (uint32_t t = 0; t < record_tracks(r); t++)
        sums[t % 2] += ledger_total(record_sums(r), t);
    ck_assert_uint_gt(sums[0], 0);
    ck_assert_uint_eq(sums[0], s.cycles[HBM_READ]);
    ck_assert_uint_eq(sums[1], s.cycles[HBM_WRITE]);
    hbm_free(h);
    record_free(r);
    free(m);
}
END_TEST

START_TEST(a_write_batch_ends_at_the_low_mark)
{
    /* r3: a batch starts at 26 waiting and ends at 6: 20 bursts; what arrives meanwhile
     * stands behind a read that finds its queue full. */
    struct memory *m = peer("r3", 1, NULL);
    struct hbm_driven r = hbm_drive(&m->config, &m->map, &(struct hbm_drive){
        .stream = hbm_stream_find("c1"), .requests = 30000, .run_bytes = 64 });
    double batch = (double)r.stats.writes / (double)r.stats.batches;
    ck_assert_double_ge(batch, 19.9);                /* the last may be shorter */
    ck_assert_double_le(batch, 24);
    free(m);
}
END_TEST

START_TEST(hbm3_can_be_said)
{
    /* 16 channels of 64 bits, 32 pseudo-channels of 32, BL8, 4 bits a clock: 32 bytes in 2
     * clocks of 1.6 GHz.  A stack: 32 x 32 x 6.4 / 8 = 819.2 GB/s. */
    struct memory *m = peer("r3", 16, "hbm.channel_bits=64");
    m->config.burst_length = 8;
    m->config.clock_bits = 4;
    m->config.pin_gbps = 6.4;
    m->config.ccd_s_ns = 1.25;
    m->config.ccd_l_ns = 2.5;
    struct diag d = { .file = "" };
    ck_assert_msg(hbm_check(&m->config, &m->map, &d), "%s", d.text);
    ck_assert_uint_eq(hbm_burst_bytes(&m->config), 32);
    ck_assert_uint_eq(hbm_clock_hz(&m->config), 1600000000);
    ck_assert_double_eq_tol(hbm_peak_bytes_per_s(&m->config), 819.2e9, 1);
    struct hbm_driven r = hbm_drive(&m->config, &m->map, &(struct hbm_drive){
        .stream = hbm_stream_find("a"), .requests = 200000, .run_bytes = 64 });
    double peak = hbm_driven_fraction_of_peak(&r, &m->config);
    ck_assert_double_ge(peak, 0.85);
    ck_assert_double_le(peak, 1 - 260.0 / 3900 + 0.005);
    free(m);
}
END_TEST

/* Pins of 4 Gb/s, a clock of 0.5 ns: a burst takes 2 of them.  With columns every so many clocks
 * a stream nearly reaches a burst for each, and never more. */
START_TEST(the_peak_is_what_columns_deliver)
{
    static const struct { double ccd_ns; unsigned clocks; } cases[] = {
        { 1, 2 }, { 1.5, 3 }, { 1.7, 4 }, { 2, 4 }, { 0, 2 },
    };
    struct memory *m = peer("r3", 16, "hbm.pin_gbps=4");
    double pins = hbm_burst_bytes(&m->config) * 16.0 * m->config.pseudo_channels / 1e-9;
    m->config.refresh = HBM_REFRESH_NONE;
    m->config.ccd_s_ns = cases[_i].ccd_ns;
    m->config.ccd_l_ns = cases[_i].ccd_ns;
    struct diag d = { .file = "" };
    ck_assert_msg(hbm_check(&m->config, &m->map, &d), "%s", d.text);
    ck_assert_double_eq_tol(hbm_peak_bytes_per_s(&m->config), pins * 2 / cases[_i].clocks, 1);
    struct hbm_driven r = hbm_drive(&m->config, &m->map, &(struct hbm_drive){
        .stream = hbm_stream_find("a"), .requests = 200000, .run_bytes = 64 });
    double share = hbm_driven_fraction_of_peak(&r, &m->config);
    ck_assert_msg(share > 0.9 && share <= 1, "%.4f", share);
    m->config.bank_groups = 1;
    m->config.ccd_l_ns = 3;
    ck_assert_double_eq_tol(hbm_peak_bytes_per_s(&m->config), pins * 2 / 6, 1);
    free(m);
}
END_TEST

START_TEST(figures_that_contradict_each_other_are_refused)
{
    static const struct { const char *setting, *text; } cases[] = {
        { "hbm.write_high=40", "write_high" }, { "hbm.write_low=30", "write_low" },
        { "hbm.rfc_ns=3900", "refi_ns" },      { "hbm.banks=3", "banks" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct memory *m = peer("r1", 1, NULL);
        for (size_t p = 0; p < hbm_params_count; p++) {
            const char *name = hbm_params[p].name, *set = cases[i].setting + 4;
            char expected[128];
            if (strncmp(set, name, strlen(name)) == 0 && set[strlen(name)] == '=')
                ck_assert(param_set(&hbm_params[p], &m->config, set + strlen(name) + 1,
                                    expected, sizeof expected));
        }
        struct diag d = { .file = "" };
        ck_assert_msg(!hbm_check(&m->config, &m->map, &d), "%s", cases[i].setting);
        ck_assert_msg(strstr(d.text, cases[i].text) == d.text, "%s", d.text);
        free(m);
    }
}
END_TEST

Suite *hbm_suite(void)
{
    Suite *s = suite_create("hbm");
    TCase *t = tcase_create("stack");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_read_waits_for_its_row_and_its_data);
    tcase_add_test(t, a_write_is_answered_when_it_is_in_the_queue);
    tcase_add_test(t, an_idle_stack_refreshes_and_asks_for_nothing);
    tcase_add_loop_test(t, a_run_is_worth_its_pieces, 0, COUNT_OF(memories));
    tcase_add_loop_test(t, how_far_it_runs_at_a_time_changes_nothing, 0, COUNT_OF(memories));
    tcase_add_loop_test(t, every_clock_of_the_pins_has_one_cause, 0, COUNT_OF(memories));
    tcase_add_loop_test(t, a_recorder_is_told_of_all_data_on_the_pins, 0, COUNT_OF(memories));
    tcase_add_test(t, a_write_batch_ends_at_the_low_mark);
    tcase_add_test(t, hbm3_can_be_said);
    tcase_add_loop_test(t, the_peak_is_what_columns_deliver, 0, 5);
    tcase_add_test(t, figures_that_contradict_each_other_are_refused);
    suite_add_tcase(s, t);
    return s;
}
