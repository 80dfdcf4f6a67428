/* Where lanes meet again: kernels that write down which lanes are together (activemask) after
 * branches, some ways of which end; for their values, and on a timed chip. */
#include "models/gpu/interpret.h"
#include "sim/gpu_run.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/models/gpu/timed_memory.h"
#include "tests/suites.h"

#define THREADS 64
#define UNTOUCHED 0xdeadbeef

/* %r1 is the thread, %d1 where its result goes, %r9 the result. */
#define HEAD \
    ".version 7.0\n.target sm_70\n.address_size 64\n" \
    ".visible .entry k(.param .u64 out)\n{\n" \
    ".reg .pred %p<9>; .reg .b32 %r<10>; .reg .b64 %d<4>;\n" \
    ".shared .align 4 .b8 s[256];\n" \
    "ld.param.u64 %d1, [out]; mov.u32 %r1, %tid.x; mul.wide.u32 %d2, %r1, 4;\n" \
    "add.s64 %d1, %d1, %d2; cvt.u32.u64 %r8, %d2;\n"
#define WAY "bar.warp.sync -1; add.u32 %r2, %r2, 1;\n"      /* too much to be predicated */
#define PUT "st.global.u32 [%d1], %r9;\n"

static uint32_t whole(uint32_t t) { (void)t; return UINT32_MAX; }
static uint32_t below_40(uint32_t t)
{
    return t >= 40 ? UNTOUCHED : t < 32 ? UINT32_MAX : 0xff;
}
static uint32_t evens(uint32_t t) { return t % 2 ? UNTOUCHED : 0x55555555; }
static uint32_t next_of_40(uint32_t t) { return t < 40 ? (t + 1) % 40 : UNTOUCHED; }
static uint32_t odd_after_even(uint32_t t) { return t % 2 ? 7 : UNTOUCHED; }
static uint32_t neighbour(uint32_t t) { return t ^ 1; }

static const struct { const char *name, *body; uint32_t (*wanted)(uint32_t); } cases[] = {
    { "if (t & 1) way; else if (t > 99) unreachable; else way",
      "and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1; @%p1 bra ODD;\n"
      "setp.gt.u32 %p2, %r1, 99; @%p2 bra DEAD;\n" WAY "bra JOIN;\n"
      "ODD: " WAY
      "JOIN: activemask.b32 %r9;\n" PUT "ret;\n"
      "DEAD: exit;\n", whole },
    { "the same, dead by way of two jumps and a trap",
      "and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1; @%p1 bra ODD;\n"
      "setp.gt.u32 %p2, %r1, 99; @%p2 bra FAR;\n" WAY "bra JOIN;\n"
      "ODD: " WAY
      "JOIN: activemask.b32 %r9;\n" PUT "ret;\n"
      "FAR: bra FARTHER;\nFARTHER: bra DEAD;\nDEAD: trap; exit;\n", whole },
    { "a message before the trap",
      "and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1; @%p1 bra ODD;\n"
      "setp.gt.u32 %p2, %r1, 99; @%p2 bra DEAD;\n" WAY "bra JOIN;\n"
      "DEAD: st.global.u32 [%d1], 1; membar.gl; trap;\n"
      "ODD: " WAY
      "JOIN: activemask.b32 %r9;\n" PUT "ret;\n", whole },
    { "values through shfl after it",
      "and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1; @%p1 bra ODD;\n"
      "setp.gt.u32 %p2, %r1, 99; @%p2 bra DEAD;\n" WAY "bra JOIN;\n"
      "ODD: " WAY
      "JOIN: shfl.sync.bfly.b32 %r9, %r1, 1, 31, -1;\n" PUT "ret;\n"
      "DEAD: exit;\n", neighbour },
    { "if (t >= 40) return, and those left meet at barriers",
      "setp.ge.u32 %p1, %r1, 40; @%p1 bra END;\n"
      "mov.u32 %r4, s; add.u32 %r5, %r4, %r8; st.shared.u32 [%r5], %r1; bar.sync 0;\n"
      "add.u32 %r6, %r1, 1; rem.u32 %r6, %r6, 40; shl.b32 %r6, %r6, 2; add.u32 %r6, %r6, %r4;\n"
      "ld.shared.u32 %r9, [%r6];\n" PUT
      "END: ret;\n", next_of_40 },
    { "if (t >= 40) return, then a loop whose only end is the kernel's",
      "mov.u32 %r2, 0; setp.ge.u32 %p1, %r1, 40; @%p1 bra END;\n"
      "LOOP: bar.sync 0; activemask.b32 %r9;\n" PUT
      "add.u32 %r2, %r2, 1; setp.lt.u32 %p2, %r2, 3; @%p2 bra LOOP;\n"
      "END: ret;\n", below_40 },
    { "a branch before a loop that only returns lead out of",
      "mov.u32 %r2, 0; and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1; @%p1 bra ODD;\n"
      WAY "bra LOOP;\nODD: " WAY
      "LOOP: activemask.b32 %r9;\n" PUT
      "bar.sync 0; add.u32 %r2, %r2, 1; setp.gt.u32 %p3, %r2, 3; @%p3 bra END;\n"
      "setp.gt.u32 %p2, %r2, 99; @%p2 bra DEAD; bra LOOP;\n"
      "END: ret;\nDEAD: exit;\n", whole },
    { "odd lanes return from a loop, the others go on to its end",
      "mov.u32 %r2, 0;\n"
      "LOOP: add.u32 %r2, %r2, 1; and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1;\n"
      "setp.eq.u32 %p2, %r2, 2; and.pred %p3, %p1, %p2; @%p3 bra END;\n"
      "setp.lt.u32 %p4, %r2, 5; @%p4 bra LOOP;\n"
      "bar.sync 0; activemask.b32 %r9;\n" PUT
      "END: ret;\n", evens },
    { "guarded exits",
      "setp.ge.u32 %p1, %r1, 40; @%p1 exit;\n"
      "bar.sync 0; activemask.b32 %r9;\n" PUT "ret;\n", below_40 },
    { "no ret at all",
      "setp.ge.u32 %p1, %r1, 40; @%p1 bra END;\n"
      "bar.sync 0; activemask.b32 %r9;\n" PUT "exit;\nEND: exit;\n", below_40 },
    { "a whole side leaves",
      "and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1; mov.u32 %r9, 7;\n@%p1 bra ODD;\n"
      WAY "ret;\nODD: " WAY PUT "ret;\n", odd_after_even },
};

static struct gpu_kernel *make(int n, const struct gpu_config *c)
{
    static char text[4096];
    struct diag d = { .text = "" };
    snprintf(text, sizeof text, "%s%s}\n", HEAD, cases[n].body);
    struct gpu_kernel *k = gpu_run_compile(c, text, "k", &d);
    ck_assert_msg(k, "%s: line %u: %s", cases[n].name, d.line, d.text);
    return k;
}

static uint32_t *add_out(struct gpu_memory *m, uint64_t *address)
{
    *address = gpu_memory_add(m, "out", THREADS * 4);
    uint32_t *out = (uint32_t *)(void *)gpu_memory_at(m, *address, THREADS * 4, NULL);
    for (int t = 0; t < THREADS; t++)
        out[t] = UNTOUCHED;
    return out;
}

static void compare(int n, const uint32_t *got)
{
    for (uint32_t t = 0; t < THREADS; t++)
        ck_assert_msg(got[t] == cases[n].wanted(t), "%s: thread %u: 0x%x, expected 0x%x",
                      cases[n].name, t, got[t], cases[n].wanted(t));
}

START_TEST(lanes_meet_but_those_that_end)
{
    struct gpu_config c = gpu_v100();
    struct gpu_kernel *k = make(_i, &c);
    struct gpu_memory *m = gpu_memory_new(true);
    struct diag d = { .text = "" };
    struct gpu_interpreted r;
    uint64_t address;
    uint32_t *out = add_out(m, &address);
    struct gpu_launch l = { .kernel = k, .grid = { 1, 1, 1 }, .block = { THREADS, 1, 1 },
                            .params = (uint8_t *)&address };
    ck_assert_msg(gpu_interpret(&c, &l, m, 100000, &r, &d), "%s: %s", cases[_i].name, d.text);
    compare(_i, out);
    gpu_memory_free(m);
    gpu_kernel_free(k);
}
END_TEST

START_TEST(they_do_on_a_timed_chip)
{
    struct gpu_config c = gpu_v100();
    struct hbm_config hbm = timed_memory(1);
    c.sm.count = 1;
    struct gpu_kernel *k = make(_i, &c);
    struct gpu_memory *m = gpu_memory_new(true);
    struct diag d = { .text = "" };
    uint64_t address;
    uint32_t *out = add_out(m, &address);
    struct gpu_launch l = { .kernel = k, .grid = { 1, 1, 1 }, .block = { THREADS, 1, 1 },
                            .params = (uint8_t *)&address };
    struct gpu_run_output wanted = { address, THREADS * 4 };
    struct gpu_run run = { .chip = { .config = &c, .hbm = &hbm, .launches = &l, .launch_count = 1,
                                     .memory = m, .groups = 1,
                                     .values = true },
                           .outputs = &wanted, .output_count = 1 };
    struct gpu_run_result r;
    ck_assert_msg(gpu_run(&run, &r, &d), "%s: %s", cases[_i].name, d.text);
    compare(_i, out);
    gpu_run_free(&r);
    gpu_memory_free(m);
    gpu_kernel_free(k);
}
END_TEST

Suite *compile_meet_suite(void)
{
    Suite *s = suite_create("compile_meet");
    TCase *t = tcase_create("kernels");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, lanes_meet_but_those_that_end, 0, COUNT_OF(cases));
    tcase_add_loop_test(t, they_do_on_a_timed_chip, 0, COUNT_OF(cases));
    suite_add_tcase(s, t);
    return s;
}
