/* test_l2.c - times and counts of L2 slices behind real links, before a real memory. */
#include <string.h>

#include "models/gpu/events.h"
#include "tests/models/gpu/l2_bench.h"
#include "tests/suites.h"

/* The way of l2_bench_figures(): crossbar 43 each way, 37 in a slice; to the stack 23 each
 * way and a cycle for the look-up, 41 in the stack. */
enum { XBAR = 43, HIT = 37, MEMORY = 23, DRAM = 41, FAR_WAY = 71 };
enum { HIT_NS = XBAR + HIT + XBAR, MISS_NS = HIT_NS + 1 + MEMORY + DRAM + MEMORY };

static struct l2_bench b;           /* large */

static tick_t took(uint32_t sm, uint32_t i)
{
    return b.sm[sm].requests[i].answered - b.sm[sm].requests[i].sent;
}

static void begin(uint32_t partitions, uint32_t stacks, uint32_t slices, uint32_t sms)
{
    struct gpu_config c = l2_bench_figures(partitions, stacks, slices);
    l2_bench_start(&b, &c, stacks, sms);
}

/* ---- one request after the other, worked out by hand ---- */

START_TEST(a_miss_adds_the_way_to_memory_to_a_hit)
{
    begin(1, 1, 1, 1);
    b.sm[0].under_way = 1;
    uint64_t line = 0x10000000;
    l2_bench_read(&b, 0, 0, line, 1);           /* a sector: 1 burst */
    l2_bench_read(&b, 0, 0, line, 1);
    l2_bench_read(&b, 0, 0, line + 4096 * 64, 15);  /* a line: 4 bursts, the last 6 ns later; */
    l2_bench_read(&b, 0, 0, line + 4096 * 64, 15);  /* 4 cycles of 32 bytes out of the slice */
    l2_bench_read(&b, 0, 0, line, 3);           /* one of two is there */
    l2_bench_go(&b, 1);
    ck_assert_uint_eq(took(0, 0), MISS_NS * NS);
    ck_assert_uint_eq(took(0, 1), HIT_NS * NS);
    ck_assert_uint_eq(took(0, 2), (MISS_NS + 6 + 3) * NS);
    ck_assert_uint_eq(took(0, 3), (HIT_NS + 3) * NS);
    /* An open row needs no ACT (14 ns); the line needs a read of its own, 2 cycles, when the
     * fill has passed (1 cycle). */
    ck_assert_uint_eq(took(0, 4), (MISS_NS - 14 + 1 + 1) * NS);
    static const uint8_t from[] = { GPU_FROM_HBM, GPU_FROM_L2, GPU_FROM_HBM, GPU_FROM_L2,
                                    GPU_FROM_HBM };
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(b.sm[0].requests[i].from, from[i]);
    struct gpu_l2_stats s = l2_bench_stats(&b);
    ck_assert_uint_eq(s.reads, 1 + 1 + 4 + 4 + 2);
    ck_assert_uint_eq(s.read_hits, 1 + 4 + 1);
    ck_assert_uint_eq(s.fills, 1 + 4 + 1);
    ck_assert_uint_eq(s.busy_cycles, (1 + 1) + 1 + (1 + 4) + 4 + (1 + 1 + 2));
    l2_bench_stop(&b);
}
END_TEST

START_TEST(a_fill_brings_as_many_sectors_as_it_says)
{
    for (uint32_t fill = 1; fill <= 4; fill *= 2) {
        begin(1, 1, 1, 1);
        b.config.l2.fill_sectors = fill;
        b.sm[0].under_way = 1;
        for (uint32_t s = 0; s < 4; s++)
            l2_bench_read(&b, 0, 0, 0x10000000, 1u << (s ^ 2));
        l2_bench_go(&b, 1);
        for (uint32_t s = 0; s < 4; s++)
            ck_assert_uint_eq(b.sm[0].requests[s].from,
                              s % fill == 0 ? GPU_FROM_HBM : GPU_FROM_L2);
        ck_assert_uint_eq(l2_bench_stats(&b).fills, 4);
        l2_bench_stop(&b);
    }
}
END_TEST

START_TEST(what_is_under_way_is_not_fetched_again)
{
    begin(1, 1, 1, 2);
    l2_bench_read(&b, 0, 0, 0x10000000, 1);
    l2_bench_read(&b, 1, 10 * NS, 0x10000000, 1);
    l2_bench_read(&b, 1, 20 * NS, 0x10000000, 1);
    l2_bench_go(&b, 1);
    /* The fill goes by to the first; the others are read, one in each cycle after. */
    ck_assert_uint_eq(b.sm[0].requests[0].answered, MISS_NS * NS);
    ck_assert_uint_eq(b.sm[1].requests[0].answered, (MISS_NS + 1) * NS);
    ck_assert_uint_eq(b.sm[1].requests[1].answered, (MISS_NS + 2) * NS);
    struct gpu_l2_stats s = l2_bench_stats(&b);
    ck_assert_uint_eq(s.fills, 1);
    ck_assert_uint_eq(s.read_merges, 2);
    ck_assert_uint_eq(s.read_hits, 0);
    l2_bench_stop(&b);
}
END_TEST

START_TEST(a_slice_serves_one_request_after_the_other)
{
    /* Two SMs ask for a line each at once, then both again: 4 cycles a line. */
    begin(1, 1, 1, 2);
    for (uint32_t sm = 0; sm < 2; sm++) {
        l2_bench_read(&b, sm, 0, 0x10000000, 15);
        l2_bench_read(&b, sm, 1000 * NS, 0x10000000, 15);
    }
    l2_bench_go(&b, 1);
    tick_t first = tick_min(took(0, 1), took(1, 1)), second = tick_max(took(0, 1), took(1, 1));
    ck_assert_uint_eq(first, (HIT_NS + 3) * NS);
    ck_assert_uint_eq(second, (HIT_NS + 3 + 4) * NS);
    l2_bench_stop(&b);
}
END_TEST

/* The first line after `address` in a slice of its own. */
static uint64_t in_another_slice(uint64_t address)
{
    uint64_t other = address;
    while (gpu_l2_map_slice(&b.l2_map, other) == gpu_l2_map_slice(&b.l2_map, address))
        other += 128;
    return other;
}

START_TEST(data_of_all_slices_leave_through_one_port)
{
    /* Two slices have a line each at the same time.  128 bytes take the port of 24 bytes a
     * cycle 5 1/3 cycles of 1 ns, a sector 1 1/3; in femtoseconds a byte, rounded. */
    const tick_t byte = 41667;
    begin(1, 1, 2, 2);
    b.config.l2.port_bytes = 24;
    uint64_t line[2] = { 0x10000000, in_another_slice(0x10000000) };
    for (uint32_t sm = 0; sm < 2; sm++) {
        l2_bench_read(&b, sm, 0, line[sm], 15);
        l2_bench_read(&b, sm, 1000 * NS, line[sm], 15);
        l2_bench_read(&b, sm, 2000 * NS, line[sm], 4);
        l2_bench_write(&b, sm, 3000 * NS, line[sm], 15, 15);
    }
    l2_bench_go(&b, 1);
    tick_t whole = (HIT_NS + 3) * NS, sector = HIT_NS * NS;
    ck_assert_uint_eq(tick_min(took(0, 1), took(1, 1)), whole);
    ck_assert_uint_eq(tick_max(took(0, 1), took(1, 1)), whole + 128 * byte);
    ck_assert_uint_eq(tick_min(took(0, 2), took(1, 2)), sector);
    ck_assert_uint_eq(tick_max(took(0, 2), took(1, 2)), sector + 32 * byte);
    ck_assert_uint_eq(took(0, 3), took(1, 3));          /* a write's answer has no data */
    l2_bench_stop(&b);
}
END_TEST

START_TEST(a_miss_waits_for_an_mshr_and_so_do_those_behind_it)
{
    begin(1, 1, 1, 1);
    b.config.l2.mshrs = 1;
    b.sm[0].gap = 0;
    l2_bench_read(&b, 0, 0, 0x10000000, 1);
    l2_bench_read(&b, 0, 500 * NS, 0x20000000, 1);      /* miss: takes the MSHR */
    l2_bench_read(&b, 0, 500 * NS, 0x30000000, 1);      /* waits for it */
    l2_bench_read(&b, 0, 500 * NS, 0x10000000, 1);      /* a hit, but behind */
    l2_bench_go(&b, 1);
    ck_assert_uint_ge(took(0, 1), MISS_NS * NS);
    /* The fill takes a cycle, then the next is looked up, as if it came then. */
    tick_t fill = b.sm[0].requests[1].answered - (HIT + XBAR) * NS;
    ck_assert_uint_ge(b.sm[0].requests[2].answered, fill + (1 + MISS_NS - XBAR - 14) * NS);
    ck_assert_uint_eq(b.sm[0].requests[3].answered, fill + (1 + 1 + HIT + XBAR) * NS);
    ck_assert_uint_eq(l2_bench_stats(&b).fills, 3);
    l2_bench_stop(&b);
}
END_TEST

START_TEST(a_whole_written_sector_needs_no_fill_a_part_does)
{
    begin(1, 1, 1, 1);
    b.sm[0].under_way = 1;
    l2_bench_write(&b, 0, 0, 0x10000000, 7, 5);         /* sectors 0 and 2 whole, 1 in part */
    l2_bench_read(&b, 0, 0, 0x10000000, 5);
    l2_bench_read(&b, 0, 0, 0x10000000, 2);
    l2_bench_read(&b, 0, 0, 0x10000000, 7);
    l2_bench_go(&b, 1);
    ck_assert_uint_eq(took(0, 0), (HIT_NS + 2) * NS);   /* 3 sectors into the slice */
    ck_assert_uint_eq(took(0, 1), (HIT_NS + 1) * NS);
    ck_assert_uint_eq(took(0, 2), MISS_NS * NS);
    ck_assert_uint_eq(took(0, 3), (HIT_NS + 2) * NS);
    struct gpu_l2_stats s = l2_bench_stats(&b);
    ck_assert_uint_eq(s.writes, 3);
    ck_assert_uint_eq(s.write_hits, 0);
    ck_assert_uint_eq(s.fills, 1);
    ck_assert_uint_eq(gpu_l2_dirty_bytes(b.l2[0]), 3 * 32);
    l2_bench_stop(&b);
}
END_TEST

/* ---- two partitions ---- */

/* A line whose home is in `partition`. */
static uint64_t line_of(uint32_t partition, uint32_t which)
{
    for (uint64_t a = 0x10000000;; a += 128)
        if (gpu_l2_map_partition(&b.l2_map, a) == partition && which-- == 0)
            return a;
}

START_TEST(the_far_partition_is_twice_the_way_farther)
{
    for (uint32_t copies = 0; copies <= 1; copies++) {
        begin(2, 1, 1, 2);
        b.config.l2.copies = copies;
        b.sm[0].under_way = 1;
        uint64_t near = line_of(0, 3), far = line_of(1, 5);
        l2_bench_read(&b, 0, 0, near, 1);
        l2_bench_read(&b, 0, 0, near, 1);
        l2_bench_read(&b, 0, 0, far, 1);
        l2_bench_read(&b, 0, 0, far, 1);
        l2_bench_write(&b, 0, 0, far, 1, 1);
        l2_bench_read(&b, 0, 0, far, 1);
        l2_bench_go(&b, 1);
        /* A cycle to pass the near slice, and one to leave the home one. */
        uint32_t further = 2 * FAR_WAY + 1 + 1;
        ck_assert_uint_eq(took(0, 0), MISS_NS * NS);
        ck_assert_uint_eq(took(0, 1), HIT_NS * NS);
        ck_assert_uint_ge(took(0, 2), (MISS_NS - 14 + further) * NS);
        ck_assert_uint_le(took(0, 2), (MISS_NS + further) * NS);
        ck_assert_uint_eq(took(0, 3), (HIT_NS + (copies ? 0 : further)) * NS);
        ck_assert_uint_eq(took(0, 4), (HIT_NS + further) * NS);
        ck_assert_uint_eq(took(0, 5), (HIT_NS + further) * NS);     /* the copy is gone */
        static const uint8_t from[2][6] = {
            { GPU_FROM_HBM, GPU_FROM_L2, GPU_FROM_HBM, GPU_FROM_FAR, GPU_FROM_FAR, GPU_FROM_FAR },
            { GPU_FROM_HBM, GPU_FROM_L2, GPU_FROM_HBM, GPU_FROM_L2, GPU_FROM_FAR, GPU_FROM_FAR },
        };
        for (int i = 0; i < 6; i++)
            ck_assert_uint_eq(b.sm[0].requests[i].from, from[copies][i]);
        struct gpu_l2_stats s = l2_bench_stats(&b);
        ck_assert_uint_eq(s.reads, 5);
        ck_assert_uint_eq(s.read_hits, 3);
        ck_assert_uint_eq(s.copies_hit, copies);
        ck_assert_uint_eq(s.far_reads, copies ? 2 : 3);
        ck_assert_uint_eq(s.far_writes, 1);
        ck_assert_uint_eq(s.writes, 1);
        ck_assert_uint_eq(s.fills, 2);
        l2_bench_stop(&b);
    }
}
END_TEST

START_TEST(a_write_at_home_waits_until_the_copy_is_gone)
{
    begin(2, 1, 1, 2);
    b.config.l2.copies = 1;
    uint64_t line = line_of(0, 0);      /* home of SM 0; SM 1 has a copy */
    l2_bench_read(&b, 1, 0, line, 1);
    l2_bench_read(&b, 1, 1000 * NS, line, 1);
    l2_bench_write(&b, 0, 2000 * NS, line, 1, 1);
    l2_bench_write(&b, 0, 3000 * NS, line, 1, 1);
    l2_bench_read(&b, 1, 4000 * NS, line, 1);
    l2_bench_go(&b, 1);
    ck_assert_uint_eq(took(1, 1), HIT_NS * NS);
    ck_assert_uint_eq(took(0, 0), (HIT_NS + 1 + FAR_WAY + 1 + FAR_WAY) * NS);
    ck_assert_uint_eq(took(0, 1), HIT_NS * NS);
    ck_assert_uint_eq(b.sm[1].requests[2].from, GPU_FROM_FAR);
    l2_bench_stop(&b);
}
END_TEST

/* ---- many requests ---- */

/* All lines of a buffer, shared out among the SMs. */
static void stream(uint64_t address, uint32_t lines, tick_t from)
{
    for (uint32_t i = 0; i < lines; i++)
        l2_bench_read(&b, i % b.sms, from, address + i * 128, 15);
}

START_TEST(reads_that_hit_go_at_the_rate_of_the_slices)
{
    /* 8 slices of 64 bytes a cycle: 512 bytes a ns; 8 SMs each ask for a line every ns. */
    begin(1, 1, 8, 8);
    b.config.l2.bytes = 8 * 16 * 64 * 128;
    b.config.l2.ways = 16;
    b.config.l2.bytes_per_cycle = 64;
    b.config.l2.mshrs = 128;
    b.config.l2.queue = 200;
    stream(0x10000000, 2048, 0);
    for (int i = 0; i < 4; i++)
        stream(0x10000000, 2048, 20000 * NS);
    l2_bench_go(&b, 1);
    double ns = (double)(b.end - 20000 * NS) / NS - HIT_NS + 1;      /* all but the first */
    double rate = 4 * 2048 * 128 / ns;
    ck_assert_msg(rate > 0.95 * 512 && rate <= 512, "%g", rate);
    ck_assert_uint_eq(l2_bench_stats(&b).fills, 2048 * 4);
    l2_bench_stop(&b);
}
END_TEST

START_TEST(reads_that_miss_go_at_the_rate_of_the_memory)
{
    /* A stack: 4 channels of 128 pins at 2 Gb/s: 128 bytes a ns. */
    begin(1, 2, 8, 8);
    b.config.l2.bytes = 2 * 8 * 16 * 64 * 128;
    b.config.l2.ways = 16;
    b.config.l2.mshrs = 64;
    b.config.l2.queue = 64;
    stream(0x10000000, 30000, 0);
    l2_bench_go(&b, 1);
    double rate = 30000.0 * 128 / ((double)b.end / NS);
    ck_assert_msg(rate > 0.9 * 256 && rate <= 256, "%g", rate);
    l2_bench_stop(&b);
}
END_TEST

/* Random reads, writes and atomics of a few lines more than the cache has. */
static void random_traffic(uint32_t count, uint64_t seed, uint32_t lines)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t x = l2_bench_random(&seed);
        uint32_t touched = 1 + (uint32_t)(x >> 8) % 15, full = touched & (uint32_t)(x >> 12);
        struct l2_request r = { .address = 0x10000000 + (x >> 20) % lines * 128,
                                .group = x >> 60 & 1 };
        r.kind = (uint8_t)(x % 8 < 4 ? GPU_READ : x % 8 < 7 ? GPU_WRITE : GPU_REDUCE);
        r.bytes = touched | (r.kind == GPU_WRITE ? full << 4 : 0);
        if (r.kind == GPU_REDUCE)
            r.bytes = touched | (1 + (uint32_t)(x >> 30) % 32) << 8;
        l2_bench_add(&b, (uint32_t)(x >> 55) % b.sms, r);
    }
}

START_TEST(bytes_in_are_bytes_out)
{
    for (uint32_t partitions = 1; partitions <= 2; partitions++) {
        begin(partitions, 3, 2, 4);
        b.config.l2.fill_sectors = 1 + _i % 2;
        b.config.l2.copies = _i % 2;
        random_traffic(20000, 77 + (uint64_t)_i, 400);
        l2_bench_go(&b, 1);
        struct gpu_l2_stats s = l2_bench_stats(&b);
        struct hbm_stats m = l2_bench_memory(&b, b.end + 1000000 * NS);
        uint64_t dirty = 0, bytes = 0, lines = 0;
        for (uint32_t g = 0; g < b.groups; g++) {
            dirty += gpu_l2_dirty_bytes(b.l2[g]);
            bytes += ledger_total(gpu_l2_ledger(b.l2[g]), GPU_EVENT_L2);
            lines += ledger_total(gpu_l2_ledger(b.l2[g]), GPU_EVENT_L2_TAG);
        }
        ck_assert_uint_gt(s.fills, 1000);
        ck_assert_uint_gt(s.write_backs, 1000);
        ck_assert_uint_eq(s.fills * 32, m.read_bytes);
        ck_assert_uint_eq(s.write_backs * 32, m.written_bytes);
        ck_assert_uint_le(dirty, b.config.l2.bytes);
        ck_assert_uint_ge(lines, 20000);
        ck_assert_uint_ge(bytes, s.fills * 32 + s.read_hits * 32 + s.writes * 32);
        l2_bench_stop(&b);
    }
}
END_TEST

static uint64_t history(uint32_t partitions, uint32_t copies, uint32_t part)
{
    begin(partitions, 2, 2, 4);
    b.config.l2.copies = copies;
    b.config.l2.mshrs = 3;
    b.config.l2.queue = 2;          /* all that can be full is full now and then */
    b.config.l2.port_bytes = 7;
    b.hbm.runs = 5;
    random_traffic(6000, 5, 300);
    l2_bench_go(&b, part);
    uint64_t sum = 0;
    for (uint32_t s = 0; s < b.sms; s++)
        for (uint32_t i = 0; i < b.sm[s].count; i++)
            sum = (sum ^ b.sm[s].requests[i].answered ^ b.sm[s].requests[i].from) * 1099511628211u;
    struct gpu_l2_stats t = l2_bench_stats(&b);
    const uint64_t *count = (const uint64_t *)&t;
    for (size_t i = 0; i < sizeof t / sizeof *count; i++)
        sum = (sum ^ count[i]) * 1099511628211u;
    l2_bench_stop(&b);
    return sum;
}

START_TEST(any_window_gives_the_same)
{
    uint32_t partitions = 1 + _i % 2, copies = (uint32_t)_i / 2;
    uint64_t once = history(partitions, copies, 1);
    ck_assert_uint_eq(history(partitions, copies, 2), once);
    ck_assert_uint_eq(history(partitions, copies, 3), once);
}
END_TEST

/* ---- a slower, simpler cache ---- */

enum { WAYS = 5 };

struct twin_line { uint64_t address; uint32_t valid, dirty; };

/* One set, the last used first. */
struct twin { struct twin_line line[WAYS]; uint32_t count, fills, write_backs; };

static struct twin_line *twin_use(struct twin *t, uint64_t address)
{
    struct twin_line found = { .address = address };
    uint32_t at = 0;
    while (at < t->count && t->line[at].address != address)
        at++;
    if (at < t->count)
        found = t->line[at];
    else if (t->count == WAYS)
        t->write_backs += (uint32_t)__builtin_popcount(t->line[--at].dirty);
    else
        t->count++;
    memmove(t->line + 1, t->line, at * sizeof t->line[0]);
    t->line[0] = found;
    return &t->line[0];
}

static bool twin_serve(struct twin *t, const struct l2_request *r)
{
    struct twin_line *l = twin_use(t, r->address);
    uint32_t touched = GPU_TOUCHED(r->bytes), missing = touched & ~l->valid;
    if (r->kind == GPU_WRITE) {
        l->valid |= GPU_WRITTEN(r->bytes);
        l->dirty |= touched;
        return true;
    }
    t->fills += (uint32_t)__builtin_popcount(missing);
    l->valid |= touched;
    l->dirty |= r->kind == GPU_REDUCE ? touched : 0;
    return missing == 0;
}

START_TEST(a_set_is_as_a_plain_list_of_lines)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct twin twin = { .count = 0 };
        begin(1, 1, 1, 1);
        b.config.l2.bytes = WAYS * 128;         /* one set */
        b.sm[0].under_way = 1;
        random_traffic(3000, seed, 8);
        l2_bench_go(&b, 1);
        for (uint32_t i = 0; i < b.sm[0].count; i++) {
            bool hit = twin_serve(&twin, &b.sm[0].requests[i]);
            ck_assert_msg((b.sm[0].requests[i].from == GPU_FROM_L2) == hit, "seed %d, %u",
                          (int)seed, i);
        }
        ck_assert_uint_eq(l2_bench_stats(&b).fills, twin.fills);
        ck_assert_uint_eq(l2_bench_stats(&b).write_backs, twin.write_backs);
        l2_bench_stop(&b);
    }
}
END_TEST

/* ---- the map ---- */

/* 16 slices before one stack.  Of rows 16^j lines apart only one digit of a line's number
 * changes, and 16 of them change it to all it can be. */
START_TEST(rows_of_a_matrix_go_to_different_slices)
{
    begin(1, 1, 16, 1);
    for (uint64_t stride = 128; stride <= 128 << 16; stride *= 16) {
        uint32_t seen = 0;
        for (uint64_t row = 0; row < 16; row++)
            seen |= 1u << gpu_l2_map_slice(&b.l2_map, row * stride);
        ck_assert_msg(seen == 0xffff, "stride %d: %x", (int)stride, seen);
    }
}
END_TEST

START_TEST(any_stride_spreads_over_all_slices)
{
    static const uint32_t stacks[] = { 1, 2, 3, 4, 5, 6, 8 }, slices[] = { 1, 3, 5, 6, 8, 16 };
    enum { COUNT = 1 << 14 };
    static uint32_t at[2][8][16];
    for (uint32_t i = 0; i < COUNT_OF(slices); i++) {
        uint32_t partitions = 1 + i % 2;
        begin(partitions, stacks[_i], slices[i], 1);
        for (uint64_t stride = 32; stride <= 1 << 20; stride *= 2) {
            memset(at, 0, sizeof at);
            uint32_t all = partitions * stacks[_i] * slices[i], most = 0;
            for (uint64_t n = 0; n < COUNT; n++) {
                uint64_t address = 0x10000000 + n * stride;
                uint32_t stack = gpu_l2_map_group(&b.l2_map, 0, address);
                uint32_t *count = &at[gpu_l2_map_partition(&b.l2_map, address)][stack]
                                     [gpu_l2_map_slice(&b.l2_map, address)];
                ck_assert_uint_eq(stack, hbm_map_stack(&b.map, address));
                most = ++*count > most ? *count : most;
            }
            /* A stride that leaves stacks out is the memory map's affair: the mean is of
             * those it reaches. */
            uint32_t reached = 0;
            for (uint32_t s = 0; s < 8; s++)
                reached += at[0][s][0] + at[0][s][1] > 0;
            uint32_t mean = COUNT / (all / stacks[_i] * reached);
            ck_assert_msg(most < 2 * mean, "%u slices, stride %d: %u of %u", all, (int)stride,
                          most, mean);
        }
    }
}
END_TEST

Suite *l2_suite(void)
{
    Suite *s = suite_create("l2");
    TCase *t = tcase_create("slices");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_miss_adds_the_way_to_memory_to_a_hit);
    tcase_add_test(t, a_fill_brings_as_many_sectors_as_it_says);
    tcase_add_test(t, what_is_under_way_is_not_fetched_again);
    tcase_add_test(t, a_slice_serves_one_request_after_the_other);
    tcase_add_test(t, data_of_all_slices_leave_through_one_port);
    tcase_add_test(t, a_miss_waits_for_an_mshr_and_so_do_those_behind_it);
    tcase_add_test(t, a_whole_written_sector_needs_no_fill_a_part_does);
    tcase_add_test(t, the_far_partition_is_twice_the_way_farther);
    tcase_add_test(t, a_write_at_home_waits_until_the_copy_is_gone);
    tcase_add_test(t, reads_that_hit_go_at_the_rate_of_the_slices);
    tcase_add_test(t, reads_that_miss_go_at_the_rate_of_the_memory);
    tcase_add_loop_test(t, bytes_in_are_bytes_out, 0, 4);
    tcase_add_loop_test(t, any_window_gives_the_same, 0, 4);
    tcase_add_test(t, a_set_is_as_a_plain_list_of_lines);
    tcase_add_loop_test(t, any_stride_spreads_over_all_slices, 0, 7);
    tcase_add_test(t, rows_of_a_matrix_go_to_different_slices);
    suite_add_tcase(s, t);
    return s;
}
