/* test_gpu_chip.c - kernels on a whole chip: values, times, windows, threads, idle SMs. */
#include <stdlib.h>
#include <string.h>

#include "sim/gpu_run.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/models/gpu/timed_memory.h"
#include "tests/suites.h"

/* c[i] = a[i] + b[i] for i < n. */
static const char add_ptx[] =
    ".version 7.0\n.target sm_70\n.address_size 64\n"
    ".visible .entry add(.param .u64 pa, .param .u64 pb, .param .u64 pc, .param .u32 pn)\n"
    "{\n"
    ".reg .pred %p<2>; .reg .b32 %r<8>; .reg .b64 %d<12>; .reg .f32 %f<4>;\n"
    "ld.param.u64 %d1, [pa]; ld.param.u64 %d2, [pb]; ld.param.u64 %d3, [pc];\n"
    "ld.param.u32 %r1, [pn];\n"
    "mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;\n"
    "mad.lo.s32 %r5, %r2, %r3, %r4;\n"
    "setp.ge.u32 %p1, %r5, %r1;\n"
    "@%p1 bra END;\n"
    "mul.wide.u32 %d4, %r5, 4;\n"
    "add.s64 %d5, %d1, %d4; add.s64 %d6, %d2, %d4; add.s64 %d7, %d3, %d4;\n"
    "ld.global.f32 %f1, [%d5]; ld.global.f32 %f2, [%d6];\n"
    "add.f32 %f3, %f1, %f2;\n"
    "st.global.f32 [%d7], %f3;\n"
    "END: ret;\n"
    "}\n";

/* sum[0] += 1 by every thread, and old[i] = what it was before. */
static const char count_ptx[] =
    ".version 7.0\n.target sm_70\n.address_size 64\n"
    ".visible .entry count(.param .u64 ps, .param .u64 po)\n"
    "{\n"
    ".reg .b32 %r<8>; .reg .b64 %d<6>;\n"
    "ld.param.u64 %d1, [ps]; ld.param.u64 %d2, [po];\n"
    "mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;\n"
    "mad.lo.s32 %r5, %r2, %r3, %r4;\n"
    "atom.global.add.u32 %r6, [%d1], 1;\n"
    "mul.wide.u32 %d3, %r5, 4; add.s64 %d4, %d2, %d3;\n"
    "st.global.u32 [%d4], %r6;\n"
    "ret;\n"
    "}\n";

/* c[i] = a[thread], the same of a for every block. */
static const char same_ptx[] =
    ".version 7.0\n.target sm_70\n.address_size 64\n"
    ".visible .entry same(.param .u64 pa, .param .u64 pc)\n"
    "{\n"
    ".reg .b32 %r<8>; .reg .b64 %d<8>;\n"
    "ld.param.u64 %d1, [pa]; ld.param.u64 %d2, [pc];\n"
    "mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;\n"
    "mad.lo.s32 %r5, %r2, %r3, %r4;\n"
    "mul.wide.u32 %d3, %r4, 4; add.s64 %d4, %d1, %d3;\n"
    "mul.wide.u32 %d5, %r5, 4; add.s64 %d6, %d2, %d5;\n"
    "ld.global.u32 %r6, [%d4]; st.global.u32 [%d6], %r6;\n"
    "ret;\n"
    "}\n";

/* a[i] is doubled if it is above 0, and again if n is not 0. */
static const char guard_ptx[] =
    ".version 7.0\n.target sm_70\n.address_size 64\n"
    ".visible .entry guard(.param .u64 pa, .param .u32 pn)\n"
    "{\n"
    ".reg .pred %p<3>; .reg .b32 %r<4>; .reg .b64 %d<4>; .reg .f32 %f<2>;\n"
    "ld.param.u64 %d1, [pa]; ld.param.u32 %r1, [pn]; mov.u32 %r2, %tid.x;\n"
    "mul.wide.u32 %d2, %r2, 4; add.s64 %d3, %d1, %d2;\n"
    "ld.global.f32 %f1, [%d3];\n"
    "setp.gt.f32 %p1, %f1, 0f00000000; setp.ne.u32 %p2, %r1, 0;\n"
    "@%p1 add.f32 %f1, %f1, %f1;\n@%p2 add.f32 %f1, %f1, %f1;\n"
    "st.global.f32 [%d3], %f1;\nret;\n"
    "}\n";

struct job {
    struct gpu_config config;
    struct hbm_config hbm;
    struct gpu_kernel *kernel;
    struct gpu_launch launch[2];
    struct gpu_memory *memory;
    struct gpu_run_output output;
    struct gpu_run    run;
    uint8_t params[64];
};

static void make(struct job *j, const struct gpu_config *c, uint32_t stacks, const char *ptx,
                 const char *name, bool values)
{
    struct diag d = { .text = "" };
    memset(j, 0, sizeof *j);
    j->config = *c;
    j->hbm = timed_memory(stacks);
    j->kernel = gpu_run_compile(&j->config, ptx, name, &d);
    ck_assert_msg(j->kernel != NULL, "%u:%u: %s", d.line, d.column, d.text);
    j->memory = gpu_memory_new(values);
    j->run = (struct gpu_run){ .chip = {
        .config = &j->config, .hbm = &j->hbm, .launches = j->launch, .launch_count = 1,
        .groups = 1, .memory = j->memory, .values = values } };
}

static void set_launch(struct job *j, uint32_t blocks, uint32_t threads)
{
    for (int i = 0; i < 2; i++)
        j->launch[i] = (struct gpu_launch){ .kernel = j->kernel, .grid = { blocks, 1, 1 },
                                            .block = { threads, 1, 1 }, .params = j->params };
}

static struct gpu_run_result go(struct job *j)
{
    struct diag d = { .text = "" };
    struct gpu_run_result r;
    ck_assert_msg(gpu_run(&j->run, &r, &d), "%s", d.text);
    return r;
}

static void unmake(struct job *j)
{
    gpu_kernel_free(j->kernel);
    gpu_memory_free(j->memory);
}

static void put(struct job *j, uint32_t at, const void *value, size_t bytes)
{
    memcpy(j->params + at, value, bytes);
}

/* Two buffers of n numbers, a third for the sums. */
static void make_add(struct job *j, const struct gpu_config *c, uint32_t stacks, uint32_t n,
                     uint32_t threads, bool values)
{
    make(j, c, stacks, add_ptx, "add", values);
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t address = gpu_memory_add(j->memory, "x", 4 * (uint64_t)n);
        put(j, 8 * i, &address, 8);
        float *x = (float *)(void *)gpu_memory_at(j->memory, address, 4 * (uint64_t)n, NULL);
        for (uint32_t k = 0; values && k < n; k++)
            x[k] = (float)(k % 1000) * (i ? 0.5f : 3.0f);
        j->output = (struct gpu_run_output){ address, 4 * (uint64_t)n };
    }
    put(j, 24, &n, 4);
    set_launch(j, (n + threads - 1) / threads, threads);
    j->run.outputs = &j->output;
    j->run.output_count = values;
}

static struct gpu_config small_a100(uint32_t copies)
{
    struct gpu_config c = gpu_small(GPU_SM_80);
    c.sm.count = 5;
    c.l2.partitions = 2;
    c.l2.slices = 2 * 3 * 2;
    c.l2.bytes = 12 * 16 * 128 * 3;
    c.l2.copies = copies;
    return c;
}

START_TEST(sums_are_right_on_every_shape_of_chip)
{
    struct gpu_config chips[] = { gpu_small(GPU_SM_70), small_a100(0), small_a100(1) };
    static const uint32_t stacks[] = { 2, 3, 3 }, sizes[] = { 1, 31, 1000, 20011 };
    for (uint32_t s = 0; s < COUNT_OF(sizes); s++) {
        struct job j;
        make_add(&j, &chips[_i], stacks[_i], sizes[s], 96, true);
        struct gpu_run_result r = go(&j);
        const float *x = (const float *)(const void *)
            gpu_memory_at(j.memory, j.output.address, j.output.bytes, NULL);
        for (uint32_t i = 0; i < sizes[s]; i++)
            ck_assert_float_eq(x[i], (float)(i % 1000) * 3.5f);
        ck_assert_uint_eq(r.launches[0].sm.blocks, (sizes[s] + 95) / 96);
        uint32_t sectors = (sizes[s] + 7) / 8;
        ck_assert_uint_eq(r.l2.reads, 2 * sectors);
        ck_assert_uint_eq(r.l2.writes, sectors);
        ck_assert_uint_eq(r.l2.reads, r.l2.read_hits + r.l2.read_merges + 2 * sectors);
        gpu_run_free(&r);
        unmake(&j);
    }
}
END_TEST

/* Two blocks that read the same: each sector is far from one of them, and from both or none if
 * they were on one side. */
START_TEST(two_blocks_are_on_both_sides_of_l2)
{
    struct gpu_config c = small_a100(1);
    struct job j;
    enum { THREADS = 512 };
    make(&j, &c, 3, same_ptx, "same", false);
    uint64_t from = gpu_memory_add(j.memory, "a", 4 * THREADS);
    uint64_t to = gpu_memory_add(j.memory, "c", 2 * 4 * THREADS);
    put(&j, 0, &from, 8);
    put(&j, 8, &to, 8);
    set_launch(&j, 2, THREADS);
    struct gpu_run_result r = go(&j);
    ck_assert_uint_eq(r.l2.reads, 2 * THREADS / 8);
    ck_assert_uint_eq(r.l2.far_reads, THREADS / 8);
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

/* Lanes at work in a block of 64 threads. */
static uint64_t guarded_lanes(bool values, uint32_t n)
{
    struct gpu_config c = gpu_small(GPU_SM_70);
    struct job j;
    make(&j, &c, 2, guard_ptx, "guard", values);
    uint64_t a = gpu_memory_add(j.memory, "a", 4 * 64);
    float *x = (float *)(void *)gpu_memory_at(j.memory, a, 4 * 64, NULL);
    for (int i = 0; values && i < 64; i++)
        x[i] = i % 3 ? 1 : -1;
    put(&j, 0, &a, 8);
    put(&j, 8, &n, 4);
    set_launch(&j, 1, 64);
    struct gpu_run_result r = go(&j);
    uint64_t lanes = r.launches[0].sm.lanes;
    gpu_run_free(&r);
    unmake(&j);
    return lanes;
}

/* What data decide counts for all lanes; what a parameter decides, for those it says. */
START_TEST(lanes_at_work_do_not_depend_on_values)
{
    uint64_t some = guarded_lanes(true, 0), more = guarded_lanes(true, 1);
    ck_assert_uint_eq(more, some + 64);
    ck_assert_uint_eq(guarded_lanes(false, 0), some);
    ck_assert_uint_eq(guarded_lanes(false, 1), more);
}
END_TEST

START_TEST(every_thread_counts_once)
{
    struct gpu_config c = small_a100(_i);
    struct job j;
    enum { BLOCKS = 37, THREADS = 50, ALL = BLOCKS * THREADS };
    make(&j, &c, 3, count_ptx, "count", true);
    uint64_t sum = gpu_memory_add(j.memory, "sum", 4);
    uint64_t old = gpu_memory_add(j.memory, "old", 4 * ALL);
    put(&j, 0, &sum, 8);
    put(&j, 8, &old, 8);
    set_launch(&j, BLOCKS, THREADS);
    struct gpu_run_output outputs[] = { { sum, 4 }, { old, 4 * ALL } };
    j.run.outputs = outputs;
    j.run.output_count = 2;
    struct gpu_run_result r = go(&j);
    const uint32_t *x = (const uint32_t *)(const void *)gpu_memory_at(j.memory, sum, 4, NULL);
    ck_assert_uint_eq(*x, ALL);
    x = (const uint32_t *)(const void *)gpu_memory_at(j.memory, old, 4 * ALL, NULL);
    static bool seen[ALL];
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < ALL; i++) {
        ck_assert_uint_lt(x[i], ALL);
        ck_assert(!seen[x[i]]);
        seen[x[i]] = true;
    }
    ck_assert_uint_eq(r.l2.atomics, ALL);
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

static struct gpu_run_result timed(const struct gpu_config *c, uint32_t stacks, uint32_t n,
                                   unsigned threads, unsigned divisor, bool values)
{
    struct job j;
    make_add(&j, c, stacks, n, 256, values);
    j.run.chip.launch_count = 2;
    j.run.threads = threads;
    j.run.window_divisor = divisor;
    struct gpu_run_result r = go(&j);
    unmake(&j);
    return r;
}

static void check_same(const struct gpu_run_result *a, const struct gpu_run_result *b)
{
    ck_assert_uint_eq(a->end, b->end);
    ck_assert_mem_eq(&a->l2, &b->l2, sizeof a->l2);
    ck_assert_uint_eq(a->read_bytes, b->read_bytes);
    ck_assert_uint_eq(a->written_bytes, b->written_bytes);
    ck_assert_mem_eq(a->launches, b->launches, 2 * sizeof *a->launches);
}

START_TEST(windows_threads_and_values_move_nothing)
{
    struct gpu_config c = small_a100(1);
    struct gpu_run_result once = timed(&c, 3, 30000, 1, 1, false), other;
    static const struct { unsigned threads, divisor; bool values; } cases[] = {
        { 1, 2, false }, { 1, 3, false }, { 2, 1, false }, { 3, 3, false }, { 1, 1, true },
        { 3, 2, true },
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        other = timed(&c, 3, 30000, cases[i].threads, cases[i].divisor, cases[i].values);
        check_same(&once, &other);
        gpu_run_free(&other);
    }
    gpu_run_free(&once);
}
END_TEST

START_TEST(idle_sms_change_nothing)
{
    /* 16 blocks on 20 and on 800 SMs of a chip that is the same otherwise. */
    struct gpu_config c = gpu_v100();
    c.sm.count = 20;
    struct gpu_run_result few = timed(&c, 4, 16 * 256, 1, 1, false);
    c.sm.count = 800;
    struct gpu_run_result many = timed(&c, 4, 16 * 256, 1, 1, false);
    /* Of requests that come together another may be first: it rotates over all SMs. */
    ck_assert_uint_le(few.end, many.end + many.end / 100);
    ck_assert_uint_le(many.end, few.end + few.end / 100);
    ck_assert_uint_eq(few.l2.reads, many.l2.reads);
    ck_assert_uint_eq(few.l2.writes, many.l2.writes);
    ck_assert_uint_eq(few.read_bytes, many.read_bytes);
    gpu_run_free(&few);
    gpu_run_free(&many);
}
END_TEST

START_TEST(figures_that_make_no_chip_are_refused)
{
    static const struct { const char *what; size_t at; uint32_t value; } cases[] = {
#define OF(field, value) #field, offsetof(struct gpu_config, field), value
        { OF(l2.slices, 62) }, { OF(l2.line_bytes, 64) }, { OF(l2.line_bytes, 384) },
        { OF(l2.sector_bytes, 64) }, { OF(l2.fill_sectors, 3) }, { OF(l2.ways, 13) },
        { OF(l2.mshrs, 1 << 21) }, { OF(l2.partitions, 2) },
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct gpu_config c = gpu_v100();
        memcpy((char *)&c + cases[i].at, &cases[i].value, sizeof cases[i].value);
        struct hbm_config h = timed_memory(4);
        struct gpu_chip_config_run run = { .config = &c, .hbm = &h };
        struct diag d = { .text = "" };
        ck_assert_msg(gpu_chip_new(&run, &d) == NULL, "%s", cases[i].what);
        ck_assert_ptr_nonnull(strstr(d.text, "expected"));
    }
}
END_TEST

START_TEST(a_fault_of_a_kernel_is_told)
{
    struct gpu_config c = gpu_small(GPU_SM_70);
    struct job j;
    make_add(&j, &c, 2, 1000, 64, true);
    uint32_t n = 3000;                  /* more than the buffers have */
    put(&j, 24, &n, 4);
    set_launch(&j, 47, 64);
    struct gpu_run_result r;
    struct diag d = { .text = "" };
    ck_assert(!gpu_run(&j.run, &r, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "add"));
    unmake(&j);
}
END_TEST

Suite *gpu_chip_suite(void)
{
    Suite *s = suite_create("gpu_chip");
    TCase *t = tcase_create("chip");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, sums_are_right_on_every_shape_of_chip, 0, 3);
    tcase_add_test(t, two_blocks_are_on_both_sides_of_l2);
    tcase_add_test(t, lanes_at_work_do_not_depend_on_values);
    tcase_add_loop_test(t, every_thread_counts_once, 0, 2);
    tcase_add_test(t, windows_threads_and_values_move_nothing);
    tcase_add_test(t, idle_sms_change_nothing);
    tcase_add_test(t, figures_that_make_no_chip_are_refused);
    tcase_add_test(t, a_fault_of_a_kernel_is_told);
    suite_add_tcase(s, t);
    return s;
}
