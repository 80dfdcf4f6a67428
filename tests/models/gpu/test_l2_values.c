/* test_l2_values.c - bytes through L2: as from a flat memory, whatever the slices do. */
#include <string.h>

#include "models/gpu/execute_inside.h"
#include "tests/models/gpu/l2_bench.h"
#include "tests/suites.h"

static struct l2_bench b;

enum { LINES = 96, BYTES = LINES * 128 - 37 };     /* the buffer ends within a sector */

/* What a request should bring, from a memory that does one after the other. */
struct expected { uint32_t sm, request; uint8_t data[128]; };

static uint8_t *memory_at(uint64_t offset)
{
    return gpu_memory_at(b.memory, GPU_MEMORY_BASE + offset, 1, NULL);
}

/* With 3 sets a slice, or so many that a part of a line's number tells it (l2_tags.c). */
static void start_sets(uint32_t partitions, uint32_t copies, uint32_t sms, uint32_t sets)
{
    struct gpu_config c = l2_bench_figures(partitions, 2, 2);
    c.l2.copies = copies;
    c.l2.bytes = (uint64_t)c.l2.slices * sets * c.l2.ways * 128;
    c.l2.mshrs = 3;
    l2_bench_start(&b, &c, 2, sms);
    b.memory = gpu_memory_new(true);
    ck_assert_uint_eq(gpu_memory_add(b.memory, "x", BYTES), GPU_MEMORY_BASE);
}

static void start(uint32_t partitions, uint32_t copies, uint32_t sms)
{
    start_sets(partitions, copies, sms, 3);
}

static void finish(void)
{
    l2_bench_stop(&b);
    gpu_memory_free(b.memory);
}

/* Payloads of all requests, once these are all there. */
static void make_payloads(void)
{
    for (uint32_t s = 0; s < b.sms; s++) {
        b.sm[s].payloads = calloc(b.sm[s].count + 1, sizeof *b.sm[s].payloads);
        ck_assert_ptr_nonnull(b.sm[s].payloads);
    }
}

/* Sectors of a line that have a byte of the buffer. */
static uint32_t sectors_there(uint64_t line)
{
    return line + 128 <= BYTES ? 15 : (1u << (BYTES - line + 31) / 32) - 1;
}

static uint32_t bytes_there(uint64_t line)
{
    return line + 128 <= BYTES ? 128 : (uint32_t)(BYTES - line);
}

/* A write of random bytes in random places, to payload and `flat`. */
static uint32_t fill_write(struct gpu_payload *p, uint8_t *flat, uint64_t line, uint64_t *random)
{
    uint32_t touched = 0, bytes[4] = { 0 };
    bool dense = l2_bench_random(random) % 2;
    for (uint32_t at = 0; at < bytes_there(line); at++) {
        uint64_t x = l2_bench_random(random);
        if (!dense && x % 3 == 0)
            continue;
        p->data[at] = (uint8_t)(x >> 8);
        p->mask[at / 64] |= UINT64_C(1) << at % 64;
        flat[line + at] = p->data[at];
        touched |= 1u << at / 32;
        bytes[at / 32]++;
    }
    uint32_t full = 0;
    for (uint32_t s = 0; s < 4; s++)
        full |= bytes[s] == 32 ? 1u << s : 0;
    return touched | full << 4;
}

static struct gpu_atomic addition(enum ptx_type type, uint64_t value)
{
    struct ptx_instruction add = { .function = PTX_F_ADD, .space = PTX_GLOBAL, .type = { type } };
    struct gpu_op op = { .line = 0 };
    ck_assert(gpu_atomic_find(&add, &op));
    struct gpu_atomic a = { .function = op.mode[0], .bytes = type == PTX_U32 ? 4 : 8 };
    memcpy(a.operands[0], &value, a.bytes);
    return a;
}

/* 4-byte additions by some lanes. */
static uint32_t fill_reduce(struct gpu_payload *p, uint64_t line, uint64_t *random)
{
    uint32_t touched = 0;
    p->atomics = 1 + (uint32_t)(l2_bench_random(random) % 32);
    for (uint32_t n = 0; n < p->atomics; n++) {
        uint32_t word = (uint32_t)(l2_bench_random(random) % (bytes_there(line) / 4));
        p->at[n] = (uint8_t)(4 * word);
        p->atomic[n] = addition(PTX_U32, l2_bench_random(random) & UINT32_MAX);
        touched |= 1u << word / 8;
    }
    return touched | p->atomics << 8;
}

static void reduce(struct gpu_payload *p, uint8_t *flat, uint64_t line, uint8_t old[32][8])
{
    for (uint32_t n = 0; n < p->atomics; n++) {
        uint32_t x, value;
        memcpy(&x, flat + line + p->at[n], 4);
        memcpy(&value, p->atomic[n].operands[0], 4);
        memcpy(old[n], &x, 4);
        x += value;
        memcpy(flat + line + p->at[n], &x, 4);
    }
}

/* Each SM has lines of its own (every `sms`th), in which its requests of one line are in
 * order; it does not wait for an answer before it sends the next. */
START_TEST(an_sm_finds_what_it_wrote_in_order)
{
    enum { SMS = 4, EACH = 900 };
    static struct gpu_payload after[SMS][EACH];
    static uint8_t flat[BYTES];
    uint64_t random = 99 + (uint64_t)_i;
    start_sets(1 + _i % 2, (uint32_t)_i / 2 % 2, SMS, _i < 4 ? 3 : 257);
    for (uint32_t i = 0; i < SMS * EACH; i++)
        l2_bench_add(&b, i % SMS, (struct l2_request){ .kind = GPU_READ });
    make_payloads();
    memset(flat, 0, sizeof flat);
    memset(after, 0, sizeof after);
    for (uint32_t i = 0; i < SMS * EACH; i++) {
        uint32_t s = i % SMS, n = i / SMS;
        uint64_t x = l2_bench_random(&random), line = ((x >> 8) % (LINES / SMS) * SMS + s) * 128;
        struct l2_request *r = &b.sm[s].requests[n];
        struct gpu_payload *p = &b.sm[s].payloads[n], *e = &after[s][n];
        r->address = GPU_MEMORY_BASE + line;
        r->kind = x % 4 < 2 ? GPU_READ : x % 4 == 2 ? GPU_WRITE : GPU_REDUCE;
        if (r->kind == GPU_READ) {
            r->bytes = sectors_there(line);
            memcpy(e->data, flat + line, bytes_there(line));
        } else if (r->kind == GPU_WRITE) {
            r->bytes = fill_write(p, flat, line, &random);
        } else {
            r->bytes = fill_reduce(p, line, &random);
            reduce(p, flat, line, e->old);
        }
    }
    l2_bench_go(&b, 1);
    for (uint32_t s = 0; s < SMS; s++)
        for (uint32_t n = 0; n < EACH; n++) {
            const struct l2_request *r = &b.sm[s].requests[n];
            const struct gpu_payload *p = &b.sm[s].payloads[n], *e = &after[s][n];
            if (r->kind == GPU_READ)
                ck_assert_mem_eq(p->data, e->data, bytes_there(r->address - GPU_MEMORY_BASE));
            for (uint32_t k = 0; r->kind == GPU_REDUCE && k < p->atomics; k++)
                ck_assert_mem_eq(p->old[k], e->old[k], 4);
        }
    for (uint32_t at = 0; at < BYTES; at++)
        ck_assert_uint_eq(*memory_at(at), flat[at]);
    finish();
}
END_TEST

/* SM 0 writes 1, 2, 3 ... to a line, each when the one before is answered; the others read
 * it all the time.  Once a write has been answered, no read that is sent finds less; and no SM
 * finds less than it found before. */
START_TEST(no_copy_outlives_the_answer_of_a_write)
{
    enum { SMS = 6, WRITES = 60, READS = 700 };
    start(2, (uint32_t)_i / 2, SMS);
    uint64_t line = GPU_MEMORY_BASE;
    while (gpu_l2_map_partition(&b.l2_map, line) != (uint32_t)_i % 2)
        line += 128;                    /* at home with the writer, or not */
    for (uint32_t w = 0; w < WRITES; w++)
        l2_bench_write(&b, 0, w * 331 * NS, line, 1, 1);
    for (uint32_t s = 1; s < SMS; s++) {
        for (uint32_t r = 0; r < READS; r++) {
            l2_bench_read(&b, s, r * (25 + s) * NS, line, 1);
            /* Others of its sets, so that the line itself comes and goes. */
            l2_bench_read(&b, s, r * (25 + s) * NS, GPU_MEMORY_BASE + (r * 7 + s) % LINES * 128, 1);
        }
        l2_bench_read(&b, s, 100000 * NS, line, 1);
    }
    make_payloads();
    for (uint32_t w = 0; w < WRITES; w++) {
        b.sm[0].payloads[w].data[0] = (uint8_t)(w + 1);
        b.sm[0].payloads[w].mask[0] = UINT32_MAX;
    }
    b.sm[0].under_way = 1;
    l2_bench_go(&b, 1);
    for (uint32_t s = 1; s < SMS; s++) {
        uint32_t before = 0;
        for (uint32_t r = 0; r < b.sm[s].count; r++) {
            if (b.sm[s].requests[r].address != line)
                continue;
            uint32_t found = b.sm[s].payloads[r].data[0], w = found;
            ck_assert_uint_ge(found, before);
            if (w < WRITES)             /* write w + 1 was not there: not yet answered */
                ck_assert_uint_gt(b.sm[0].requests[w].answered, b.sm[s].requests[r].sent);
            before = found;
        }
        ck_assert_uint_eq(before, WRITES);
    }
    if (_i >= 2)
        ck_assert_uint_gt(l2_bench_stats(&b).copies_hit, 0);
    finish();
}
END_TEST

START_TEST(a_copy_goes_when_its_line_leaves_home)
{
    /* One set of five lines a partition.  SM 1 copies a line of the other; SM 0 pushes it out
     * at home, then writes it; SM 1 reads it while its copy could still be there. */
    start(2, 1, 2);
    b.config.l2.slices = 4;
    b.config.l2.bytes = 4 * 5 * 128;
    gpu_l2_map_init(&b.l2_map, &b.config, &b.map);
    uint64_t line[8], next = GPU_MEMORY_BASE;
    for (uint32_t n = 0; n < 8; next += 128)
        if (gpu_l2_map_partition(&b.l2_map, next) == 0 && gpu_l2_map_group(&b.l2_map, 0, next) == 0)
            line[n++] = next;
    l2_bench_read(&b, 1, 0, line[0], 1);
    l2_bench_read(&b, 1, 1000 * NS, line[0], 1);
    for (uint32_t n = 1; n < 8; n++)
        l2_bench_read(&b, 0, 2000 * NS, line[n], 1);
    l2_bench_write(&b, 0, 3000 * NS, line[0], 1, 1);
    l2_bench_read(&b, 1, 4000 * NS, line[0], 1);
    make_payloads();
    b.sm[0].payloads[7].data[0] = 77;
    b.sm[0].payloads[7].mask[0] = UINT32_MAX;
    l2_bench_go(&b, 1);
    ck_assert_uint_eq(b.sm[1].requests[1].from, GPU_FROM_L2);
    ck_assert_uint_eq(b.sm[1].payloads[2].data[0], 77);
    finish();
}
END_TEST

START_TEST(additions_of_all_sms_add_up)
{
    enum { SMS = 6, EACH = 200 };
    uint64_t random = 7, sum = 0;
    start(1 + _i % 2, (uint32_t)_i / 2, SMS);
    for (uint32_t i = 0; i < SMS * EACH; i++)
        l2_bench_add(&b, i % SMS, (struct l2_request){
            .kind = GPU_REDUCE, .bytes = 1 | 8 << 8, .address = GPU_MEMORY_BASE + i % 5 * 128 });
    make_payloads();
    for (uint32_t i = 0; i < SMS * EACH; i++) {
        struct gpu_payload *p = &b.sm[i % SMS].payloads[i / SMS];
        p->atomics = 8;
        for (uint32_t n = 0; n < 8; n++) {
            uint64_t value = l2_bench_random(&random) >> 20;
            p->atomic[n] = addition(PTX_U64, value);
            p->at[n] = (uint8_t)(8 * (n % 4));
            sum += value;
        }
    }
    l2_bench_go(&b, 1);
    for (uint32_t line = 0; line < 5; line++)
        for (uint32_t n = 0; n < 4; n++) {
            uint64_t x;
            memcpy(&x, memory_at(line * 128 + n * 8), 8);
            sum -= x;
        }
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(l2_bench_stats(&b).atomics, 8 * SMS * EACH);
    finish();
}
END_TEST

Suite *l2_values_suite(void)
{
    Suite *s = suite_create("l2_values");
    TCase *t = tcase_create("bytes");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, an_sm_finds_what_it_wrote_in_order, 0, 8);
    tcase_add_loop_test(t, no_copy_outlives_the_answer_of_a_write, 0, 4);
    tcase_add_test(t, a_copy_goes_when_its_line_leaves_home);
    tcase_add_loop_test(t, additions_of_all_sms_add_up, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
