/* test_sm_same.c - what must not change anything: windows, values, other SMs' idleness; and
 * what a kernel may not do. */
#include "models/gpu/execute.h"
#include "models/gpu/sm_inside.h"
#include "tests/models/gpu/sm_rig.h"
#include "tests/suites.h"

static uint64_t state;

static uint32_t draw(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

/* ---- random kernels, without races: what stores write is never read again */

static void random_global(struct rig *r)
{
    static const enum gpu_cache hints[] = { GPU_CACHE_ALL, GPU_CACHE_ALL, GPU_CACHE_GLOBAL,
                                            GPU_CACHE_VOLATILE };
    uint32_t bytes = 4u << draw(3), table = 10 + r->kernel.count;
    uint32_t step = draw(4) ? bytes : bytes << draw(4), first = draw(200) * 16;
    bool load = draw(3) > 0;
    for (uint32_t l = 0; l < GPU_LANES; l++)
        rig_tables[table][l] = (uint32_t)GPU_MEMORY_BASE + first + l * step +
                               (load ? 0 : RIG_BYTES / 2);
    rig_table(r, 2, table);
    rig_table(r, 3, 3);
    rig_global(r, load ? GPU_LOAD : GPU_STORE, load ? hints[draw(4)] : GPU_CACHE_ALL, bytes,
               8 + (int)draw(20), 2);
}

static void random_shared(struct rig *r)
{
    uint32_t bytes = 4u << draw(3), table = 10 + r->kernel.count, step = bytes << draw(3);
    enum gpu_kind kind = draw(2) ? GPU_LOAD : GPU_STORE;
    for (uint32_t l = 0; l < GPU_LANES; l++)
        rig_tables[table][l] = l * step;
    rig_table(r, 1, table);
    rig_shared(r, kind, bytes, 8 + (int)draw(20), 1);
}

static void random_copy(struct rig *r)
{
    uint32_t table = 10 + r->kernel.count;
    for (uint32_t l = 0; l < GPU_LANES; l++)
        rig_tables[table][l] = (uint32_t)GPU_MEMORY_BASE + 4096 + l * 16;
    rig_table(r, 2, table);
    rig_table(r, 3, 3);
    rig_table(r, 4, 4);
    struct gpu_op copy = { .kind = GPU_COPY, .pipe = GPU_PIPE_LSU, .interval = 32,
                           .event = GPU_EVENTS_COUNT,
                           .access = { .space = GPU_SPACE_GLOBAL, .cache = GPU_CACHE_GLOBAL,
                                       .bytes = 16, .element_bytes = 4, .address_words = 2,
                                       .data_at = 2 } };
    rig_op(r, copy, NULL, (const int[]){ 2, 3, 4, -1 });
    rig_simple(r, GPU_COMMIT, 0);
    if (draw(2))
        rig_simple(r, GPU_WAIT, draw(3));
}

static void random_op(struct rig *r)
{
    switch (draw(12)) {
    case 0: case 1:  random_global(r); break;
    case 2: case 3:  random_shared(r); break;
    case 4:          random_copy(r); break;
    case 5:          rig_simple(r, GPU_BARRIER, draw(3)); break;
    case 6:          if (draw(3) == 0) rig_simple(r, GPU_FENCE, 0); break;
    case 7:          rig_log_reading(r, 8 + (int)draw(20)); break;
    default:
        rig_compute(r, draw(2) ? GPU_PIPE_FP32 : GPU_PIPE_INT, 1 + draw(3), 3 + draw(9),
                    8 + (int)draw(20), 8 + (int)draw(20), 8 + (int)draw(20));
    }
}

struct outcome { struct gpu_sm_stats stats; cycle_t done; uint32_t logged, seen; uint64_t log;
                 uint64_t energy; };

static struct outcome outcome_of(unsigned seed, uint32_t window, bool values, bool lrr)
{
    struct rig *r = rig_new();
    state = seed * 977u + 5;
    r->values = values;
    r->kernel.shared_bytes = 4096;
    r->config.sm.scheduler = lrr ? GPU_LRR : GPU_GTO;
    r->config.l1.mshrs = 7;
    r->config.l1.merges = 3;
    r->config.l1.stores = 5;
    r->config.lsu.queue = 3;
    r->config.fetch.l0_miss_cycles = 9;
    r->config.fetch.l1_miss_cycles = 70;
    for (uint32_t l = 0; l < GPU_LANES; l++) {
        rig_tables[3][l] = 0;
        rig_tables[4][l] = 16 * l;
    }
    for (int i = 0; i < 150; i++)
        random_op(r);
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, 5, 9 * 32 - 7);
    rig_run(r, window);
    ck_assert_msg(!gpu_sm_fault(r->sm), "seed %u: %s", seed, gpu_sm_fault(r->sm));
    struct outcome o = { .done = r->done_at, .logged = rig_count, .seen = r->seen_count };
    o.stats = gpu_sm_stats(r->sm, 0, r->done_at + 1000);
    for (uint32_t i = 0; i < rig_count; i++)
        o.log = (o.log ^ rig_entries[i].at ^ rig_entries[i].warp << 20) * 1099511628211u;
    for (uint32_t i = 0; i < r->seen_count; i++)
        o.log = (o.log ^ r->seen[i].at ^ r->seen[i].m.bytes) * 1099511628211u;
    for (uint32_t i = 0; i < GPU_EVENTS_COUNT; i++)
        o.energy = o.energy * 31 + ledger_total(gpu_sm_ledger(r->sm), i);
    rig_free(r);
    return o;
}

/* The counts of struct gpu_sm_stats, in their order. */
static const char *const names[] = {
#define STAT(name, unit, what) #name,
    GPU_SM_STATS(STAT)
#undef STAT
#define CAUSE(id, name, what) name,
    GPU_CAUSES(CAUSE)
#undef CAUSE
};

static void same(unsigned seed, const struct outcome *a, const struct outcome *b)
{
    ck_assert_msg(a->done == b->done, "seed %u: %lu and %lu", seed, (unsigned long)a->done,
                  (unsigned long)b->done);
    ck_assert_uint_eq(a->logged, b->logged);
    ck_assert_uint_eq(a->seen, b->seen);
    ck_assert_uint_eq(a->log, b->log);
    ck_assert_uint_eq(a->energy, b->energy);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        ck_assert_msg(((const uint64_t *)&a->stats)[i] == ((const uint64_t *)&b->stats)[i],
                      "seed %u: %s: %lu and %lu", seed, names[i],
                      (unsigned long)((const uint64_t *)&a->stats)[i],
                      (unsigned long)((const uint64_t *)&b->stats)[i]);
}

START_TEST(windows_of_any_size_give_the_same_cycles)
{
    struct outcome wide = outcome_of((unsigned)_i, 40, false, _i % 2);
    static const uint32_t windows[] = { 1, 3, 8, 20 };
    for (size_t i = 0; i < COUNT_OF(windows); i++) {
        struct outcome narrow = outcome_of((unsigned)_i, windows[i], false, _i % 2);
        same((unsigned)_i, &wide, &narrow);
    }
}
END_TEST

START_TEST(values_move_no_cycle)
{
    struct outcome without = outcome_of((unsigned)_i, 20, false, _i % 2);
    struct outcome with = outcome_of((unsigned)_i, 20, true, _i % 2);
    same((unsigned)_i, &without, &with);
}
END_TEST

START_TEST(a_run_that_begins_late_takes_as_long)
{
    /* Times of the scoreboard are of 28 bits: the SM sleeps for more than they hold. */
    cycle_t took[2];
    for (int late = 0; late < 2; late++) {
        struct rig *r = rig_new();
        r->late = late ? (cycle_t)3 << 28 : 0;
        for (int i = 0; i < 20; i++)
            rig_compute(r, GPU_PIPE_FP32, 2, 4, 3, 3, 4);
        rig_simple(r, GPU_EXIT, 0);
        rig_start(r, 3, 64);
        rig_run(r, 20);
        took[late] = r->done_at - r->late;
        struct gpu_sm_stats s = gpu_sm_stats(r->sm, GPU_NO_LAUNCH, r->done_at + 7);
        ck_assert_uint_eq(s.cycles[GPU_CAUSE_NO_WARP] / 4, r->late + 40 + 7);
        rig_free(r);
    }
    ck_assert_uint_eq(took[0], took[1]);
}
END_TEST

/* ---- values */

START_TEST(bytes_go_through_l1_and_shared_memory_and_back)
{
    struct rig *r = rig_new();
    r->values = true;
    for (uint32_t l = 0; l < GPU_LANES; l++) {
        rig_tables[0][l] = (uint32_t)GPU_MEMORY_BASE + 4 * l;
        rig_tables[1][l] = 0;
        rig_tables[2][l] = 4 * (31 - l);
        rig_tables[3][l] = (uint32_t)GPU_MEMORY_BASE + 4096 + 4 * l;
        rig_tables[4][l] = 4 * l;
    }
    rig_table(r, 2, 0);
    rig_table(r, 3, 1);
    rig_table(r, 4, 2);
    rig_table(r, 5, 3);
    rig_table(r, 6, 1);
    rig_table(r, 7, 4);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 9, 2);        /* merged */
    rig_log_reading(r, 9);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 10, 2);       /* found in L1 */
    rig_shared(r, GPU_STORE, 4, 10, 4);                     /* turned round */
    rig_shared(r, GPU_LOAD, 4, 11, 7);
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 4, 11, 5);
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, 1, 32);
    uint32_t *x = (uint32_t *)(void *)gpu_memory_at(r->memory, r->buffer, RIG_BYTES, NULL);
    for (uint32_t l = 0; l < GPU_LANES; l++)
        x[l] = 1000 + l;
    rig_run(r, 20);
    for (uint32_t l = 0; l < GPU_LANES; l++)
        ck_assert_uint_eq(x[1024 + l], 1000 + 31 - l);
    rig_free(r);
}
END_TEST

/* A load, a store to the same line before it is back, a load: the last has the new bytes. */
START_TEST(a_store_makes_a_line_under_way_old)
{
    struct rig *r = rig_new();
    r->values = true;
    for (uint32_t l = 0; l < GPU_LANES; l++) {
        rig_tables[0][l] = (uint32_t)GPU_MEMORY_BASE + 4 * l;
        rig_tables[1][l] = 0;
        rig_tables[2][l] = 7 * l;
        rig_tables[3][l] = (uint32_t)GPU_MEMORY_BASE + 8192 + 4 * l;
    }
    rig_table(r, 2, 0);
    rig_table(r, 3, 1);
    rig_table(r, 12, 2);
    rig_table(r, 4, 3);
    rig_table(r, 5, 1);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 4, 12, 2);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 9, 2);
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 4, 9, 4);
    rig_log_reading(r, 8);
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, 1, 32);
    rig_run(r, 20);
    uint32_t *x = (uint32_t *)(void *)gpu_memory_at(r->memory, r->buffer, RIG_BYTES, NULL);
    for (uint32_t l = 0; l < GPU_LANES; l++)
        ck_assert_uint_eq(x[2048 + l], 7 * l);
    rig_free(r);
}
END_TEST

/* 32 lanes add 1 to 2 words: old values of each are 0 to 15, in the order of lanes. */
START_TEST(atomics_bring_back_what_was_there)
{
    struct rig *r = rig_new();
    r->values = true;
    for (uint32_t l = 0; l < GPU_LANES; l++) {
        rig_tables[0][l] = (uint32_t)GPU_MEMORY_BASE + 4 * (l % 2);
        rig_tables[1][l] = 0;
        rig_tables[2][l] = 1;
        rig_tables[3][l] = (uint32_t)GPU_MEMORY_BASE + 4096 + 4 * l;
    }
    rig_table(r, 2, 0);
    rig_table(r, 3, 1);
    rig_table(r, 4, 2);
    rig_table(r, 6, 3);
    rig_table(r, 7, 1);
    struct gpu_op op = { .kind = GPU_ATOMIC, .pipe = GPU_PIPE_LSU, .interval = 32,
                         .flags = GPU_OP_RETURNS, .event = GPU_EVENTS_COUNT,
                         .access = { .space = GPU_SPACE_GLOBAL, .bytes = 4, .element_bytes = 4,
                                     .address_words = 2, .data_at = 2 } };
    const struct ptx_instruction add = { .op = PTX_ATOM, .function = PTX_F_ADD, .vector = 1,
                                         .type = { PTX_U32 }, .space = PTX_GLOBAL };
    struct gpu_op found = { 0 };
    ck_assert(gpu_execute_find(&add, &found));
    memcpy(op.mode, found.mode, sizeof op.mode);
    rig_op(r, op, (const int[]){ 8, -1 }, (const int[]){ 2, 3, 4, -1 });
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 4, 8, 6);
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, 1, 32);
    rig_run(r, 20);
    const uint32_t *x = (uint32_t *)(void *)gpu_memory_at(r->memory, r->buffer, RIG_BYTES, NULL);
    ck_assert_uint_eq(x[0], 16);
    ck_assert_uint_eq(x[1], 16);
    for (uint32_t l = 0; l < GPU_LANES; l++)
        ck_assert_uint_eq(x[1024 + l], l / 2);
    rig_free(r);
}
END_TEST

START_TEST(a_generic_address_means_what_its_window_says)
{
    struct rig *r = rig_new();
    r->values = true;
    for (uint32_t l = 0; l < GPU_LANES; l++) {
        uint64_t a = l % 2 ? GPU_SHARED_WINDOW + 4 * l : GPU_MEMORY_BASE + 4 * l;
        rig_tables[0][l] = (uint32_t)a;
        rig_tables[1][l] = (uint32_t)(a >> 32);
        rig_tables[2][l] = 4 * l;
        rig_tables[3][l] = 500 + l;
        rig_tables[4][l] = (uint32_t)GPU_MEMORY_BASE + 4096 + 4 * l;
        rig_tables[5][l] = 0;
    }
    static const int registers[] = { 2, 3, 4, 5, 6, 7 };
    for (unsigned i = 0; i < COUNT_OF(registers); i++)
        rig_table(r, registers[i], i);
    rig_shared(r, GPU_STORE, 4, 5, 4);
    r->ops[rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2)].access.space = GPU_SPACE_GENERIC;
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 4, 8, 6);
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, 1, 32);
    uint32_t *x = (uint32_t *)(void *)gpu_memory_at(r->memory, r->buffer, RIG_BYTES, NULL);
    for (uint32_t l = 0; l < GPU_LANES; l++)
        x[l] = 900 + l;
    rig_run(r, 20);
    ck_assert_msg(!gpu_sm_fault(r->sm), "%s", gpu_sm_fault(r->sm));
    for (uint32_t l = 0; l < GPU_LANES; l++)
        ck_assert_uint_eq(x[1024 + l], l % 2 ? 500 + l : 900 + l);
    rig_free(r);
}
END_TEST

/* ---- faults */

static void says(struct rig *r, const char *what)
{
    rig_simple(r, GPU_EXIT, 0);
    rig_start(r, 3, 64);
    rig_run(r, 20);
    const char *fault = gpu_sm_fault(r->sm);
    ck_assert_msg(fault && strstr(fault, what), "%s", fault ? fault : "nothing");
    ck_assert_msg(strstr(fault, "k.ptx:") == fault && strstr(fault, "block (") &&
                  strstr(fault, "warp "), "%s", fault);
    ck_assert(r->block.run(r->block.self, 1u << 30) == TICK_NEVER);
    ck_assert(r->block.idle(r->block.self));
    rig_free(r);
}

static struct rig *with_address(unsigned lane, uint64_t address)
{
    struct rig *r = rig_new();
    for (uint32_t l = 0; l < GPU_LANES; l++) {
        uint64_t a = l == lane ? address : GPU_MEMORY_BASE + 16 * l;
        rig_tables[0][l] = (uint32_t)a;
        rig_tables[1][l] = (uint32_t)(a >> 32);
        rig_tables[2][l] = l == lane ? (uint32_t)address : 16 * l;
    }
    rig_table(r, 2, 0);
    rig_table(r, 3, 1);
    rig_table(r, 4, 2);
    return r;
}

START_TEST(wrong_addresses_are_told_to_the_lane)
{
    struct rig *r = with_address(13, GPU_MEMORY_BASE + RIG_BYTES);
    rig_global(r, GPU_LOAD, GPU_CACHE_ALL, 4, 8, 2);
    says(r, "lane 13: a load of 4 bytes at 0x10010000");
    r = with_address(9, GPU_MEMORY_BASE + 8);
    rig_global(r, GPU_STORE, GPU_CACHE_ALL, 16, 8, 2);
    says(r, "lane 9: a store of 16 bytes at 0x10000008, which is not aligned");
    r = with_address(5, 4096);
    rig_shared(r, GPU_LOAD, 4, 8, 4);
    says(r, "lane 5: 4 bytes at 0x1000 of shared memory, which has 4096");
    r = with_address(6, 4092);
    rig_shared(r, GPU_STORE, 8, 8, 4);
    says(r, "lane 6: 8 bytes at 0xffc of shared memory, not aligned");
}
END_TEST

START_TEST(a_trap_is_a_fault)
{
    struct rig *r = rig_new();
    rig_simple(r, GPU_TRAP, 0);
    says(r, "trap");
}
END_TEST

START_TEST(a_barrier_that_cannot_complete_is_a_fault)
{
    struct rig *r = rig_new();
    int count = 96;         /* of threads; the block has 64 */
    static uint32_t constants[1][GPU_LANES];
    for (uint32_t l = 0; l < GPU_LANES; l++)
        constants[0][l] = (uint32_t)count;
    r->kernel.constants = constants;
    r->kernel.constant_count = 1;
    rig_op(r, (struct gpu_op){ .kind = GPU_BARRIER, .pipe = GPU_PIPE_CONTROL, .number = 2,
                               .event = GPU_EVENTS_COUNT },
           NULL, (const int[]){ GPU_CONSTANT, -1 });
    says(r, "barrier 2");
}
END_TEST

Suite *sm_same_suite(void)
{
    Suite *s = suite_create("sm_same");
    TCase *t = tcase_create("same");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, windows_of_any_size_give_the_same_cycles, 0, 16);
    tcase_add_loop_test(t, values_move_no_cycle, 0, 16);
    tcase_add_test(t, a_run_that_begins_late_takes_as_long);
    suite_add_tcase(s, t);
    t = tcase_create("values");
    tcase_add_test(t, bytes_go_through_l1_and_shared_memory_and_back);
    tcase_add_test(t, a_store_makes_a_line_under_way_old);
    tcase_add_test(t, atomics_bring_back_what_was_there);
    tcase_add_test(t, a_generic_address_means_what_its_window_says);
    suite_add_tcase(s, t);
    t = tcase_create("faults");
    tcase_add_test(t, wrong_addresses_are_told_to_the_lane);
    tcase_add_test(t, a_trap_is_a_fault);
    tcase_add_test(t, a_barrier_that_cannot_complete_is_a_fault);
    suite_add_tcase(s, t);
    return s;
}
