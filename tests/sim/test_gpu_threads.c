/* test_gpu_threads.c - threads of a whole chip that wait for each other, and what a launch
 * leaves behind for the next. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/interpret.h"
#include "sim/gpu_run.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/models/gpu/timed_memory.h"
#include "tests/suites.h"

/* %rd1: the buffer; %r1: the thread in its block; %rd2: its number in the grid, times 4. */
#define HEAD                                                                                  \
    ".version 7.0\n.target sm_70\n.address_size 64\n"                                         \
    ".visible .entry k(.param .u64 p)\n{\n"                                                   \
    ".reg .pred %p<6>; .reg .b32 %r<16>; .reg .b64 %rd<12>;\n"                                \
    "ld.param.u64 %rd1, [p]; mov.u32 %r1, %tid.x; mov.u32 %r10, %ctaid.x;\n"                  \
    "mov.u32 %r11, %ntid.x; mad.lo.u32 %r12, %r10, %r11, %r1; mul.wide.u32 %rd2, %r12, 4;\n"

#define WORDS 4096

struct job {
    struct gpu_config  config;
    struct hbm_config  hbm;
    struct gpu_kernel *kernels[2];
    struct gpu_memory *memory;
    struct gpu_launch  launches[4];
    struct gpu_run_output output;
    struct gpu_run     run;
    uint8_t params[16];
};

static void make(struct job *j, const char *first, const char *second)
{
    struct diag d = { .text = "" };
    const char *texts[2] = { first, second };
    memset(j, 0, sizeof *j);
    j->config = gpu_small(GPU_SM_70);
    j->hbm = timed_memory(2);
    j->memory = gpu_memory_new(true);
    for (int i = 0; i < 2 && texts[i]; i++) {
        j->kernels[i] = gpu_run_compile(&j->config, texts[i], "k", &d);
        ck_assert_msg(j->kernels[i] != NULL, "%u:%u: %s", d.line, d.column, d.text);
    }
    uint64_t p = gpu_memory_add(j->memory, "p", 4 * WORDS);
    memcpy(j->params, &p, sizeof p);
    j->output = (struct gpu_run_output){ p, 4 * WORDS };
    j->run = (struct gpu_run){
        .chip = { .config = &j->config, .hbm = &j->hbm, .launches = j->launches, .groups = 1,
                  .memory = j->memory, .values = true },
        .outputs = &j->output, .output_count = 1,
    };
}

static void add_launch(struct job *j, int kernel, uint32_t blocks, uint32_t threads)
{
    j->launches[j->run.chip.launch_count++] = (struct gpu_launch){
        .kernel = j->kernels[kernel], .grid = { blocks, 1, 1 }, .block = { threads, 1, 1 },
        .params = j->params };
}

static struct gpu_run_result go(struct job *j)
{
    struct diag d = { .text = "" };
    struct gpu_run_result r;
    ck_assert_msg(gpu_run(&j->run, &r, &d), "%s", d.text);
    return r;
}

static const uint32_t *words(const struct job *j)
{
    return (const uint32_t *)(const void *)gpu_memory_at(j->memory, j->output.address,
                                                         4 * WORDS, NULL);
}

static void unmake(struct job *j)
{
    for (int i = 0; i < 2; i++)
        gpu_kernel_free(j->kernels[i]);
    gpu_memory_free(j->memory);
}

/* ---- barriers that count */

/* Of 100 threads 70 are left, and of those 0, 4, ..., 68 say true: 18.  All of them do not,
 * one does.  Twice, for a barrier is as new when it has opened. */
static const char counting[] = HEAD
    "setp.ge.u32 %p1, %r1, 70;\n@%p1 exit;\n"
    "and.b32 %r2, %r1, 3; setp.eq.u32 %p2, %r2, 0;\n"
    "bar.red.popc.u32 %r3, 1, %p2;\n"
    "bar.red.popc.u32 %r4, 1, !%p2;\n"
    "mov.u32 %r6, 2; mov.u32 %r7, %r6; bar.red.and.pred %p3, %r7, %p2;\n"
    "bar.red.or.pred %p4, 2, %p2;\n"
    "mad.lo.u32 %r3, %r4, 1000, %r3;\n"
    "selp.u32 %r5, 1000000, 0, %p3; add.u32 %r3, %r3, %r5;\n"
    "selp.u32 %r5, 2000000, 0, %p4; add.u32 %r3, %r3, %r5;\n"
    "add.u64 %rd3, %rd1, %rd2; st.global.u32 [%rd3], %r3;\nret;\n}\n";

START_TEST(a_barrier_counts_those_that_are_left)
{
    struct job j;
    make(&j, counting, NULL);
    add_launch(&j, 0, 7, 100);
    struct gpu_run_result r = go(&j);
    for (uint32_t i = 0; i < 700; i++)
        ck_assert_uint_eq(words(&j)[i], i % 100 < 70 ? 18 + 52 * 1000 + 2000000 : 0);
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

/* ---- fences between blocks */

/* Every block leaves its number squared, and one more in word 0 when that is written; the
 * last of them sums up all. */
static const char last_sums[] = HEAD
    "setp.ne.u32 %p1, %r1, 0;\n@%p1 exit;\n"
    "mul.lo.u32 %r2, %r10, %r10; mul.wide.u32 %rd3, %r10, 128; add.u64 %rd4, %rd1, %rd3;\n"
    "st.global.u32 [%rd4+128], %r2;\n"
    "membar.gl;\n"
    "mov.u32 %r13, %nctaid.x; sub.u32 %r14, %r13, 1;\n"
    "atom.global.inc.u32 %r3, [%rd1], %r14;\n"
    "setp.ne.u32 %p2, %r3, %r14;\n@%p2 exit;\n"
    "mov.u32 %r4, 0; mov.u32 %r5, 0; add.u64 %rd5, %rd1, 128;\n"
    "LOOP: ld.volatile.global.u32 %r6, [%rd5]; add.u32 %r4, %r4, %r6;\n"
    "add.u64 %rd5, %rd5, 128; add.u32 %r5, %r5, 1; setp.lt.u32 %p3, %r5, %r13;\n"
    "@%p3 bra LOOP;\n"
    "st.global.u32 [%rd1+4], %r4;\nret;\n}\n";

START_TEST(the_last_block_sees_what_all_have_written)
{
    struct job j;
    make(&j, last_sums, NULL);
    add_launch(&j, 0, 100, 64);
    struct gpu_run_result r = go(&j);
    ck_assert_uint_eq(words(&j)[0], 0);                     /* inc has come round */
    ck_assert_uint_eq(words(&j)[1], 99 * 100 * 199 / 6);    /* 1 + 4 + ... + 99^2 */
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

/* The first block passes 1 to 40 through a word of data and a flag; the second sums up what
 * it finds.  Each waits for the other: membar in one, fence in the other. */
static const char talking[] = HEAD
    "setp.ne.u32 %p1, %r1, 0;\n@%p1 exit;\n"
    "mov.u32 %r2, 1; mov.u32 %r6, 0;\nsetp.ne.u32 %p2, %r10, 0;\n@%p2 bra HEAR;\n"
    "SAY: mul.lo.u32 %r3, %r2, 3; st.global.u32 [%rd1+1024], %r3;\nmembar.gl;\n"
    "st.volatile.global.u32 [%rd1], %r2;\n"
    "WAIT: ld.volatile.global.u32 %r4, [%rd1+512]; setp.ne.u32 %p3, %r4, %r2;\n@%p3 bra WAIT;\n"
    "add.u32 %r2, %r2, 1; setp.le.u32 %p4, %r2, 40;\n@%p4 bra SAY;\nret;\n"
    "HEAR: ld.volatile.global.u32 %r4, [%rd1]; setp.ne.u32 %p3, %r4, %r2;\n@%p3 bra HEAR;\n"
    "fence.acq_rel.gpu;\nld.relaxed.gpu.global.u32 %r5, [%rd1+1024]; add.u32 %r6, %r6, %r5;\n"
    "st.volatile.global.u32 [%rd1+512], %r2;\n"
    "add.u32 %r2, %r2, 1; setp.le.u32 %p4, %r2, 40;\n@%p4 bra HEAR;\n"
    "st.global.u32 [%rd1+4], %r6;\nret;\n}\n";

START_TEST(blocks_talk_through_memory)
{
    struct job j;
    make(&j, talking, NULL);
    add_launch(&j, 0, 2, 32);
    struct gpu_run_result r = go(&j);
    ck_assert_uint_eq(words(&j)[1], 3 * 40 * 41 / 2);
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

/* ---- local memory by generic addresses */

/* Each thread leaves its number in an array of its own, 16, 8, 4 and 1 bytes at a time, and
 * puts together what is there: words 0 to 3 are i, i + 1, i + 2, i + 3; then 4 and 5 are
 * i + 4 and 0x500; byte 1 of word 3 becomes 7. */
static const char own_array[] = HEAD
    ".local .align 16 .b8 l[36];\nmov.u64 %rd3, l;\ncvta.local.u64 %rd4, %rd3;\n"
    "add.u32 %r2, %r12, 1; add.u32 %r3, %r12, 2; add.u32 %r4, %r12, 3;\n"
    "st.v4.u32 [%rd4], {%r12, %r2, %r3, %r4};\n"
    "cvt.u64.u32 %rd5, %r12; add.u64 %rd5, %rd5, 0x50000000004; st.u64 [%rd4+16], %rd5;\n"
    "mov.u32 %r5, 7; st.u8 [%rd4+13], %r5;\n"
    "bar.sync 0;\n"
    "ld.v2.u32 {%r6, %r7}, [%rd4+8]; ld.local.u32 %r8, [%rd3+16]; ld.u32 %r9, [%rd4+20];\n"
    "ld.local.u64 %rd6, [%rd3]; cvt.u32.u64 %r10, %rd6;\n"
    "mad.lo.u32 %r6, %r7, 3, %r6; mad.lo.u32 %r6, %r8, 5, %r6; mad.lo.u32 %r6, %r9, 7, %r6;\n"
    "mad.lo.u32 %r6, %r10, 11, %r6;\n"
    "add.u64 %rd7, %rd1, %rd2; st.global.u32 [%rd7], %r6;\nret;\n}\n";

START_TEST(what_lies_in_local_memory_is_found_by_any_address)
{
    struct job j;
    make(&j, own_array, NULL);
    add_launch(&j, 0, 5, 77);
    struct gpu_run_result r = go(&j);
    for (uint32_t i = 0; i < 5 * 77; i++) {
        uint32_t third = ((i + 3) & ~0xff00u) | 7 << 8;
        ck_assert_uint_eq(words(&j)[i], i + 2 + 3 * third + 5 * (i + 4) + 7 * 0x500 + 11 * i);
    }
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

/* A parameter by its generic address: odd threads take it, and the even ones a word of
 * local memory, by the same load. */
static const char own_param[] = HEAD
    ".local .align 8 .b8 l[8];\nmov.u64 %rd3, p;\ncvta.param.u64 %rd4, %rd3;\n"
    "mov.u64 %rd5, l;\ncvta.local.u64 %rd6, %rd5;\nadd.u64 %rd7, %rd1, 4; st.local.u64 [%rd5], %rd7;\n"
    "and.b32 %r2, %r1, 1; setp.eq.u32 %p1, %r2, 1; selp.b64 %rd8, %rd4, %rd6, %p1;\n"
    "ld.u64 %rd9, [%rd8]; isspacep.param %p2, %rd8; selp.u32 %r3, 100, 200, %p2;\n"
    "sub.u64 %rd10, %rd9, %rd1; cvt.u32.u64 %r4, %rd10; add.u32 %r3, %r3, %r4;\n"
    "add.u64 %rd11, %rd1, %rd2; st.global.u32 [%rd11], %r3;\nret;\n}\n";

START_TEST(a_parameter_has_a_generic_address)
{
    struct job j;
    make(&j, own_param, NULL);
    add_launch(&j, 0, 3, 50);
    struct gpu_run_result r = go(&j);
    for (uint32_t i = 0; i < 150; i++)
        ck_assert_uint_eq(words(&j)[i], i % 50 % 2 ? 100 : 204);
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

/* ---- the chip and the interpreter */

START_TEST(the_interpreter_leaves_the_same)
{
    static const struct { const char *text; uint32_t blocks, threads; } cases[] = {
        { counting, 7, 100 }, { last_sums, 20, 64 }, { own_array, 5, 77 }, { own_param, 3, 50 },
    };
    struct job j;
    struct gpu_interpreted done;
    struct diag d = { .text = "" };
    make(&j, cases[_i].text, NULL);
    add_launch(&j, 0, cases[_i].blocks, cases[_i].threads);
    struct gpu_run_result r = go(&j);
    uint8_t *bytes = gpu_memory_at(j.memory, j.output.address, 4 * WORDS, NULL);
    uint8_t *chip = malloc(4 * WORDS);
    memcpy(chip, bytes, 4 * WORDS);
    memset(bytes, 0, 4 * WORDS);
    ck_assert_msg(gpu_interpret(&j.config, &j.launches[0], j.memory, 0, &done, &d), "%s", d.text);
    ck_assert_mem_eq(chip, bytes, 4 * WORDS);
    free(chip);
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

/* ---- instruction caches */

static const char other[] = HEAD
    "mul.lo.u32 %r2, %r1, 7; xor.b32 %r3, %r2, %r12;\n"
    "add.u64 %rd3, %rd1, %rd2; st.global.u32 [%rd3], %r3;\nret;\n}\n";

static uint64_t misses(const struct gpu_run_result *r, int launch)
{
    return r->launches[launch].sm.fetch_misses;
}

/* Both kernels fit: each misses once, in whatever order they come again. */
START_TEST(a_kernel_that_has_run_is_still_in_the_caches)
{
    struct job j;
    make(&j, counting, other);
    add_launch(&j, 0, 8, 100);
    add_launch(&j, 1, 8, 128);
    add_launch(&j, 0, 8, 100);
    add_launch(&j, 1, 8, 128);
    struct gpu_run_result r = go(&j);
    ck_assert_uint_gt(misses(&r, 0), 0);
    ck_assert_uint_gt(misses(&r, 1), 0);
    ck_assert_uint_eq(misses(&r, 2), 0);
    ck_assert_uint_eq(misses(&r, 3), 0);
    tick_t first = r.launches[0].times.end - r.launches[0].times.start;
    tick_t again = r.launches[2].times.end - r.launches[2].times.start;
    ck_assert_uint_lt(again, first);
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

/* Caches of one line: nothing is left for the next. */
START_TEST(a_kernel_that_lost_its_place_is_fetched_again)
{
    struct job j;
    make(&j, counting, other);
    j.config.fetch.l0_bytes = j.config.fetch.l1_bytes = j.config.fetch.line_bytes;
    add_launch(&j, 0, 8, 100);
    add_launch(&j, 1, 8, 128);
    add_launch(&j, 0, 8, 100);
    struct gpu_run_result r = go(&j);
    ck_assert_uint_ge(misses(&r, 2), misses(&r, 0));
    ck_assert_uint_gt(misses(&r, 0), 0);
    gpu_run_free(&r);
    unmake(&j);
}
END_TEST

Suite *gpu_threads_suite(void)
{
    Suite *s = suite_create("gpu_threads");
    TCase *t = tcase_create("waiting");
    tcase_add_test(t, a_barrier_counts_those_that_are_left);
    tcase_add_test(t, the_last_block_sees_what_all_have_written);
    tcase_add_test(t, blocks_talk_through_memory);
    tcase_add_test(t, what_lies_in_local_memory_is_found_by_any_address);
    tcase_add_test(t, a_parameter_has_a_generic_address);
    tcase_add_loop_test(t, the_interpreter_leaves_the_same, 0, 4);
    suite_add_tcase(s, t);
    t = tcase_create("instruction caches");
    tcase_add_test(t, a_kernel_that_has_run_is_still_in_the_caches);
    tcase_add_test(t, a_kernel_that_lost_its_place_is_fetched_again);
    suite_add_tcase(s, t);
    return s;
}
