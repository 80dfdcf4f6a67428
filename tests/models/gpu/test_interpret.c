/* test_interpret.c - whole launches: barriers, shared and local memory, and every fault. */
#include "tests/models/gpu/interpret_rig.h"
#include "tests/suites.h"

/* y[i] = a * x[i] + y[i], with a guard for the last block. */
static const char saxpy[] =
    ".visible .entry saxpy(.param .f32 a, .param .u64 x, .param .u64 y, .param .u32 n) {\n"
    ".reg .pred %p<2>; .reg .b32 %r<6>; .reg .f32 %f<5>; .reg .b64 %rd<8>;\n"
    "ld.param.f32 %f1, [a];\n ld.param.u64 %rd1, [x];\n ld.param.u64 %rd2, [y];\n"
    "ld.param.u32 %r1, [n];\n"
    "mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;\n"
    "mad.lo.s32 %r5, %r2, %r3, %r4;\n"
    "setp.ge.u32 %p1, %r5, %r1;\n"
    "@%p1 bra DONE;\n"
    "cvta.to.global.u64 %rd3, %rd1; cvta.to.global.u64 %rd4, %rd2;\n"
    "mul.wide.u32 %rd5, %r5, 4; add.s64 %rd6, %rd3, %rd5; add.s64 %rd7, %rd4, %rd5;\n"
    "ld.global.f32 %f2, [%rd6];\n"
    "ld.global.f32 %f3, [%rd7];\n"
    "fma.rn.f32 %f4, %f1, %f2, %f3;\n"
    "st.global.f32 [%rd7], %f4;\n"
    "DONE: ret;\n}\n";

START_TEST(a_kernel_leaves_its_results_in_memory)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_70, saxpy);
    uint32_t n = 1000;
    uint64_t x = gpu_memory_add(r->memory, "x", 4 * n), y = gpu_memory_add(r->memory, "y", 4 * n);
    float *xs = interpret_rig_at(r, x), *ys = interpret_rig_at(r, y), a = 2.5f;
    for (uint32_t i = 0; i < n; i++) {
        xs[i] = (float)i;
        ys[i] = 0.5f;
    }
    uint32_t bits;
    memcpy(&bits, &a, 4);
    interpret_rig_u64(r, 0, bits);
    interpret_rig_u64(r, 1, x);
    interpret_rig_u64(r, 2, y);
    interpret_rig_u64(r, 3, n);
    ck_assert_msg(interpret_rig_run(r, 8, 128), "%s", r->diag.text);
    for (uint32_t i = 0; i < n; i++)
        ck_assert(ys[i] == 2.5f * (float)i + 0.5f);
    ck_assert_uint_gt(r->result.operations, 32 * 15);
    interpret_rig_free(r);
}
END_TEST

/* Fails with a message that has these words, at that line. */
static void check_fault(struct interpret_rig *r, uint32_t blocks, uint32_t threads, unsigned line,
                        const char *const *words)
{
    ck_assert_msg(!interpret_rig_run(r, blocks, threads), "%s: no fault", words[0]);
    for (; *words; words++)
        ck_assert_msg(strstr(r->diag.text, *words) != NULL, "'%s' is not in: %s", *words,
                      r->diag.text);
    ck_assert_msg(r->diag.line == line, "line %u, expected %u: %s", r->diag.line, line, r->diag.text);
    ck_assert_str_eq(r->diag.file, "test.ptx");
}
#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

/* The head of kernels with one pointer, in %rd1; the text after it begins in line 7. */
#define HEAD ".visible .entry k(.param .u64 p) {\n" \
             ".reg .pred %p<4>; .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<4>;\n" \
             "ld.param.u64 %rd1, [p]; mov.u32 %r1, %tid.x; mul.wide.u32 %rd2, %r1, 4;\n"

START_TEST(an_access_outside_of_every_buffer_is_told)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_80, saxpy);
    uint64_t x = gpu_memory_add(r->memory, "x", 396), y = gpu_memory_add(r->memory, "y", 400);
    interpret_rig_u64(r, 1, x);
    interpret_rig_u64(r, 2, y);
    interpret_rig_u64(r, 3, 100);
    check_fault(r, 4, 32, 16, WORDS("saxpy", "block (3,0,0)", "warp 0", "lane 3", "load of 4 bytes",
                                    "0 bytes past the end of x", "(396 bytes at"));
    interpret_rig_u64(r, 1, x + 1);
    check_fault(r, 4, 32, 16, WORDS("lane 0", "not aligned", "load of 4 bytes"));
    interpret_rig_u64(r, 1, 0);
    check_fault(r, 4, 32, 16, WORDS("at 0x0 ", "bytes before x"));
    interpret_rig_u64(r, 1, y);
    interpret_rig_u64(r, 2, y + 4);
    check_fault(r, 4, 32, 17, WORDS("load", "past the end of y"));
    interpret_rig_free(r);
}
END_TEST

static void fault_of(const char *text, uint32_t threads, unsigned line, const char *const *words)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_80, text);
    interpret_rig_u64(r, 0, gpu_memory_add(r->memory, "p", 4096));
    r->most = 100000;
    check_fault(r, 2, threads, line, words);
    interpret_rig_free(r);
}

START_TEST(every_other_fault_is_told_too)
{
    fault_of(HEAD "setp.eq.u32 %p1, %r1, 37;\n@%p1 trap;\nret;\n}\n", 64, 8,
             WORDS("k, block (0,0,0), warp 1, lane 5: trap"));
    fault_of(HEAD "L: add.u32 %r2, %r2, 1; bra L;\n}\n", 32, 7,
             WORDS("more operations than allowed: 100000", "warp 0"));
    fault_of(HEAD ".shared .align 4 .b8 s[64];\nst.shared.u32 [%r1+61], %r1;\nret;\n}\n", 32, 8,
             WORDS("store of 4 bytes at 0x3d", "not aligned"));
    fault_of(HEAD ".shared .align 4 .b8 s[64];\nshl.b32 %r2, %r1, 2;\nst.shared.u32 [%r2], %r1;\n"
             "ret;\n}\n", 32, 9, WORDS("lane 16", "0x40", "shared memory has 64 bytes"));
    /* Half of a warp waits where the other half never comes. */
    fault_of(HEAD "setp.lt.u32 %p1, %r1, 16;\n@%p1 bra A;\nL: add.u32 %r2, %r2, 1; bra L;\n"
             "A: bar.sync 0;\nret;\n}\n", 64, 9, WORDS("more operations than allowed"));
    fault_of(HEAD "setp.ge.u32 %p1, %r1, 16;\n@%p1 bra A;\nbar.sync 2;\nret;\nA: bar.sync 3;\n"
             "ret;\n}\n", 64, 9, WORDS("barrier 2 is never complete: 16 of 64 threads"));
    fault_of(HEAD "setp.lt.u32 %p1, %r1, 32;\n@%p1 bra A;\nbar.sync 1, 96;\nA: ret;\n}\n", 64, 9,
             WORDS("barrier 1 is never complete: 32 of 96 threads"));
    fault_of(HEAD "mov.u64 %rd4, 0x7f0000001000;\nld.u32 %r4, [%rd4];\n"
             "st.global.u32 [%rd1], %r4;\nret;\n}\n", 32, 8,
             WORDS("load of 4 bytes at 0x1000", "shared memory has 0 bytes"));
    fault_of(".const .align 4 .b32 c[4] = { 1, 2, 3, 4 };\n" HEAD "shl.b32 %r2, %r1, 2;\n"
             "mov.u64 %rd5, c;\ncvt.u64.u32 %rd6, %r2;\nadd.u64 %rd7, %rd5, %rd6;\n"
             "ld.const.u32 %r3, [%rd7];\nst.global.u32 [%rd1], %r3;\nret;\n}\n", 32, 12,
             WORDS("lane 4: a load of 4 bytes at 0x10 is past the end of the constants"));
    fault_of(".const .align 4 .b32 c[4] = { 1, 2, 3, 4 };\n" HEAD "mov.u64 %rd5, c;\n"
             "add.u64 %rd7, %rd5, 2;\nadd.u64 %rd7, %rd7, %rd2;\nld.const.u32 %r3, [%rd7];\n"
             "st.global.u32 [%rd1], %r3;\nret;\n}\n", 32, 11,
             WORDS("lane 0: a load of 4 bytes at 0x2", "not aligned"));
}
END_TEST

START_TEST(a_launch_that_cannot_be_is_refused)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_80, saxpy);
    ck_assert(!interpret_rig_run(r, 1, 2000));
    ck_assert_msg(strstr(r->diag.text, "threads") != NULL, "%s", r->diag.text);
    interpret_rig_free(r);
}
END_TEST

/* A block turns its numbers round through shared memory: warps meet at the barrier. */
START_TEST(warps_meet_at_a_barrier)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_70, HEAD
        ".shared .align 4 .b8 s[1024];\nmov.u32 %r3, s; shl.b32 %r2, %r1, 2; add.u32 %r4, %r3, %r2;\n"
        "mov.u32 %r5, %ctaid.x; mad.lo.u32 %r6, %r5, 1000, %r1; st.shared.u32 [%r4], %r6;\n"
        "bar.sync 0;\n"
        "mov.u32 %r7, %ntid.x; sub.u32 %r7, %r7, %r1; sub.u32 %r7, %r7, 1; shl.b32 %r7, %r7, 2;\n"
        "add.u32 %r7, %r7, %r3; ld.shared.u32 %r8, [%r7];\n"
        "mul.lo.u32 %r5, %r5, 800; cvt.u64.u32 %rd3, %r5; add.u64 %rd4, %rd1, %rd3;\n"
        "add.u64 %rd4, %rd4, %rd2; st.global.u32 [%rd4], %r8;\nret;\n}\n");
    uint64_t p = gpu_memory_add(r->memory, "p", 3 * 800);
    interpret_rig_u64(r, 0, p);
    ck_assert_msg(interpret_rig_run(r, 3, 200), "%s", r->diag.text);
    const uint32_t *out = interpret_rig_at(r, p);
    for (uint32_t b = 0; b < 3; b++)
        for (uint32_t i = 0; i < 200; i++)
            ck_assert_uint_eq(out[200 * b + i], 1000 * b + 199 - i);
    interpret_rig_free(r);
}
END_TEST

/* Threads that have ended are not waited for; bar.red counts those that are there. */
START_TEST(a_barrier_waits_for_threads_that_live)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_70, HEAD
        "setp.ge.u32 %p1, %r1, 70;\n@%p1 exit;\nand.b32 %r2, %r1, 3; setp.eq.u32 %p2, %r2, 0;\n"
        "bar.red.popc.u32 %r3, 0, %p2;\nbar.red.or.pred %p3, 0, %p2;\n"
        "selp.u32 %r4, 100, 0, %p3; add.u32 %r3, %r3, %r4;\n"
        "add.u64 %rd3, %rd1, %rd2; st.global.u32 [%rd3], %r3;\nret;\n}\n");
    uint64_t p = gpu_memory_add(r->memory, "p", 400);
    interpret_rig_u64(r, 0, p);
    ck_assert_msg(interpret_rig_run(r, 1, 100), "%s", r->diag.text);
    const uint32_t *out = interpret_rig_at(r, p);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_uint_eq(out[i], i < 70 ? 18 + 100 : 0);       /* 0, 4, ..., 68 */
    interpret_rig_free(r);
}
END_TEST

/* What is ignored is not read, and is zeros in shared memory; src-size says how much is not. */
START_TEST(a_copy_reads_what_it_is_told)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_80, HEAD
        ".shared .align 16 .b8 s[1024];\nmov.u32 %r3, s; shl.b32 %r2, %r1, 3; add.u32 %r4, %r3, %r2;\n"
        "mul.wide.u32 %rd3, %r1, 8; add.u64 %rd3, %rd1, %rd3;\n"
        "and.b32 %r5, %r1, 1; setp.eq.u32 %p1, %r5, 1;\n"
        "cp.async.ca.shared.global [%r4], [%rd3], 8, %p1;\n"
        "cp.async.wait_all;\nbar.warp.sync 0xffffffff;\n"
        "ld.shared.v2.u32 {%r6, %r7}, [%r4];\n"
        "cp.async.ca.shared.global [%r4], [%rd3], 8, 4;\ncp.async.wait_all;\n"
        "ld.shared.u32 %r8, [%r4+4]; add.u32 %r6, %r6, %r7; add.u32 %r6, %r6, %r8;\n"
        "add.u64 %rd4, %rd1, %rd2; st.global.u32 [%rd4+256], %r6;\nret;\n}\n");
    uint64_t p = gpu_memory_add(r->memory, "p", 256 + 4 * 32);
    uint32_t *words = interpret_rig_at(r, p);
    for (uint32_t i = 0; i < 64; i++)
        words[i] = 1000 + i;
    interpret_rig_u64(r, 0, p);
    ck_assert_msg(interpret_rig_run(r, 1, 32), "%s", r->diag.text);
    words = interpret_rig_at(r, p);
    for (uint32_t i = 0; i < 32; i++)
        ck_assert_uint_eq(words[64 + i], i % 2 ? 0 : 2000 + 4 * i + 1);
    interpret_rig_free(r);
}
END_TEST

/* Warp 1 spins until warp 0 has written: turns are taken. */
START_TEST(a_warp_that_spins_gets_what_it_waits_for)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_70, HEAD
        "setp.lt.u32 %p1, %r1, 32;\n@!%p1 bra WRITE;\n"
        "SPIN: ld.volatile.global.u32 %r2, [%rd1];\nsetp.eq.u32 %p2, %r2, 0;\n@%p2 bra SPIN;\n"
        "st.global.u32 [%rd1+4], %r2;\nret;\n"
        "WRITE: mov.u32 %r3, 77; st.global.u32 [%rd1], %r3;\nret;\n}\n");
    uint64_t p = gpu_memory_add(r->memory, "p", 8);
    interpret_rig_u64(r, 0, p);
    ck_assert_msg(interpret_rig_run(r, 1, 64), "%s", r->diag.text);
    ck_assert_uint_eq(((const uint32_t *)interpret_rig_at(r, p))[1], 77);
    interpret_rig_free(r);
}
END_TEST

/* Each thread its own array, by a changing index and through generic addresses, 8 bytes too. */
START_TEST(local_memory_is_each_threads_own)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_80, HEAD
        ".local .align 8 .b8 l[32];\nmov.u64 %rd3, l;\ncvta.local.u64 %rd4, %rd3;\n"
        "and.b32 %r2, %r1, 3; mul.wide.u32 %rd5, %r2, 8; add.u64 %rd6, %rd4, %rd5;\n"
        "cvt.u64.u32 %rd7, %r1; add.u64 %rd7, %rd7, 0x500000000;\nst.u64 [%rd6], %rd7;\n"
        "add.u64 %rd3, %rd3, %rd5; ld.local.u32 %r3, [%rd3]; ld.local.u32 %r4, [%rd3+4];\n"
        "shl.b32 %r4, %r4, 8; or.b32 %r3, %r3, %r4;\n"
        "add.u64 %rd8, %rd1, %rd2; st.global.u32 [%rd8], %r3;\nret;\n}\n");
    uint64_t p = gpu_memory_add(r->memory, "p", 400);
    interpret_rig_u64(r, 0, p);
    ck_assert_msg(interpret_rig_run(r, 1, 100), "%s", r->diag.text);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_uint_eq(((const uint32_t *)interpret_rig_at(r, p))[i], i | 0x500);
    interpret_rig_free(r);
}
END_TEST

START_TEST(variables_of_the_module_outlive_a_launch)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_80,
        ".global .align 4 .b32 count = 40;\n" HEAD
        "mov.u64 %rd3, count;\natom.global.add.u32 %r2, [%rd3], 1;\n"
        "add.u64 %rd4, %rd1, %rd2; st.global.u32 [%rd4], %r2;\nret;\n}\n");
    uint64_t p = gpu_memory_add(r->memory, "p", 4 * 32);
    interpret_rig_u64(r, 0, p);
    ck_assert_msg(interpret_rig_run(r, 1, 32), "%s", r->diag.text);
    const uint32_t *out = interpret_rig_at(r, p);
    for (uint32_t i = 0; i < 32; i++)
        ck_assert_uint_eq(out[i], 40 + i);
    ck_assert(interpret_rig_run(r, 2, 16));
    ck_assert_uint_eq(out[15], 72 + 31);
    interpret_rig_free(r);
}
END_TEST

/* The generic address of a constant, found in memory, may be taken for a global one. */
START_TEST(constants_are_found_by_an_address_in_memory)
{
    struct interpret_rig *r = interpret_rig_new(GPU_SM_80,
        ".const .align 4 .b32 numbers[3] = { 5, 70, 900 };\n"
        ".global .align 8 .u64 where[2] = { generic(numbers), generic(numbers) + 4 };\n" HEAD
        "and.b32 %r2, %r1, 1; mul.wide.u32 %rd3, %r2, 8; mov.u64 %rd4, where;\n"
        "add.u64 %rd4, %rd4, %rd3; ld.global.u64 %rd5, [%rd4];\n"
        "ld.global.u32 %r3, [%rd5]; ld.u32 %r4, [%rd5+4]; mad.lo.u32 %r3, %r4, 10, %r3;\n"
        "add.u64 %rd6, %rd1, %rd2; st.global.u32 [%rd6], %r3;\nret;\n}\n");
    uint64_t p = gpu_memory_add(r->memory, "p", 4 * 32);
    interpret_rig_u64(r, 0, p);
    ck_assert_msg(interpret_rig_run(r, 1, 32), "%s", r->diag.text);
    const uint32_t *out = interpret_rig_at(r, p);
    for (uint32_t i = 0; i < 32; i++)
        ck_assert_uint_eq(out[i], i % 2 ? 9070 : 705);
    interpret_rig_free(r);
}
END_TEST

Suite *interpret_suite(void)
{
    Suite *s = suite_create("interpret");
    TCase *t = tcase_create("launches");
    tcase_add_test(t, a_kernel_leaves_its_results_in_memory);
    tcase_add_test(t, warps_meet_at_a_barrier);
    tcase_add_test(t, a_barrier_waits_for_threads_that_live);
    tcase_add_test(t, a_copy_reads_what_it_is_told);
    tcase_add_test(t, a_warp_that_spins_gets_what_it_waits_for);
    tcase_add_test(t, local_memory_is_each_threads_own);
    tcase_add_test(t, variables_of_the_module_outlive_a_launch);
    tcase_add_test(t, constants_are_found_by_an_address_in_memory);
    suite_add_tcase(s, t);
    t = tcase_create("faults");
    tcase_add_test(t, an_access_outside_of_every_buffer_is_told);
    tcase_add_test(t, every_other_fault_is_told_too);
    tcase_add_test(t, a_launch_that_cannot_be_is_refused);
    suite_add_tcase(s, t);
    return s;
}
