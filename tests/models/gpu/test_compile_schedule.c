/* What may change places in random straight-line code, and what may not: by the text alone,
 * pair by pair.  Each instruction has a line of its own, by which it is found again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/suites.h"

#define COUNT 60
#define REGS  12

enum what { ALU, LOAD_GLOBAL, LOAD_SHARED, STORE_GLOBAL, STORE_SHARED, ATOMIC, BARRIER, LEAVE,
            SHUFFLE, CLOCK, KINDS };

struct step { enum what what; unsigned dst, a, b; };

static uint32_t pick(uint64_t *random, uint32_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*random >> 33) % below;
}

static bool writes(const struct step *s)
{
    return s->what == ALU || s->what == LOAD_GLOBAL || s->what == LOAD_SHARED
        || s->what == ATOMIC || s->what == SHUFFLE || s->what == CLOCK;
}

static bool reads(const struct step *s, unsigned reg)
{
    switch (s->what) {
    case ALU:          return reg == s->a || reg == s->b;
    case STORE_GLOBAL: case STORE_SHARED: case ATOMIC: case SHUFFLE:
        return reg == s->a;
    default:           return false;
    }
}

static bool is_memory(const struct step *s) { return s->what >= LOAD_GLOBAL && s->what <= ATOMIC; }
static bool is_load(const struct step *s) { return s->what == LOAD_GLOBAL || s->what == LOAD_SHARED; }
static bool is_shared(const struct step *s) { return s->what == LOAD_SHARED || s->what == STORE_SHARED; }

/* Whether y reads what x wrote.  A register that is used again for something else is another
 * register. */
static bool needs(const struct step *steps, int x, int y)
{
    if (!writes(&steps[x]) || !reads(&steps[y], steps[x].dst))
        return false;
    for (int n = x + 1; n < y; n++)
        if (writes(&steps[n]) && steps[n].dst == steps[x].dst)
            return false;
    return true;
}

/* Whether y, which is below x in the text, must be below it in the kernel. */
static bool must_follow(const struct step *x, const struct step *y)
{
    if (x->what == CLOCK || y->what == CLOCK)
        return true;
    if (y->what == BARRIER || (x->what == BARRIER && (is_memory(y) || y->what >= BARRIER)))
        return true;
    if (x->what == LEAVE || y->what == LEAVE) {     /* the lanes that are there */
        const struct step *other = x->what == LEAVE ? y : x;
        return is_memory(other) || other->what == SHUFFLE || other->what >= BARRIER;
    }
    return is_memory(x) && is_memory(y) && is_shared(x) == is_shared(y)
        && !(is_load(x) && is_load(y));
}

static void print_step(const struct step *s, FILE *f)
{
    switch (s->what) {
    case ALU:          fprintf(f, "mad.lo.s32 %%r%u, %%r%u, %%r%u, 5;\n", s->dst, s->a, s->b); break;
    case LOAD_GLOBAL:  fprintf(f, "ld.global.u32 %%r%u, [%%at+%u];\n", s->dst, 4 * s->a); break;
    case LOAD_SHARED:  fprintf(f, "ld.shared.u32 %%r%u, [s+%u];\n", s->dst, 4 * s->a); break;
    case STORE_GLOBAL: fprintf(f, "st.global.u32 [%%at+%u], %%r%u;\n", 4 * s->b, s->a); break;
    case STORE_SHARED: fprintf(f, "st.shared.u32 [s+%u], %%r%u;\n", 4 * s->b, s->a); break;
    case ATOMIC:       fprintf(f, "atom.global.add.u32 %%r%u, [%%at], %%r%u;\n", s->dst, s->a); break;
    case BARRIER:      fputs("bar.sync 0;\n", f); break;
    case LEAVE:        fputs("@%p exit;\n", f); break;
    case SHUFFLE:      fprintf(f, "shfl.sync.bfly.b32 %%r%u, %%r%u, 1, 31, -1;\n", s->dst, s->a); break;
    case CLOCK:        fprintf(f, "mov.u32 %%r%u, %%clock;\n", s->dst); break;
    case KINDS:        break;
    }
}

#define FIRST_LINE 6

static struct gpu_kernel *compile(const struct step *steps, const struct gpu_config *c)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fprintf(f, ".version 7.0\n.target sm_70\n.address_size 64\n.entry k(.param .u64 p) { .reg .b32 "
               "%%r<%d>; .reg .b64 %%at; .reg .pred %%p; .shared .b8 s[256];\nld.param.u64 %%at, "
               "[p]; mov.u32 %%r0, %%tid.x; setp.eq.s32 %%p, %%r0, 3;\n", REGS);
    for (int n = 0; n < COUNT; n++)
        print_step(&steps[n], f);
    for (int n = 0; n < REGS; n++)
        fprintf(f, "st.volatile.global.u32 [%%at+%d], %%r%d;\n", 4 * n, n);
    fputs("ret; }\n", f);
    fclose(f);
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_read(text, size, "random.ptx", &d);
    ck_assert_msg(m, "%u: %s", d.line, d.text);
    struct gpu_kernel *k = gpu_compile(c, m, &m->functions[0], &d);
    ck_assert_msg(k, "%u: %s", d.line, d.text);
    ptx_free(m);
    free(text);
    return k;
}

START_TEST(what_depends_on_what_stays_in_order)
{
    uint64_t random = (uint64_t)(1 + _i) * UINT64_C(0x9e3779b97f4a7c15);
    struct step steps[COUNT];
    uint32_t at[COUNT];
    for (int n = 0; n < COUNT; n++) {
        enum what w = (enum what)pick(&random, KINDS);
        if (w >= BARRIER && w != SHUFFLE && pick(&random, 4))
            w = ALU;
        steps[n] = (struct step){ w, pick(&random, REGS), pick(&random, REGS), pick(&random, REGS) };
    }
    struct gpu_config c = gpu_v100();
    struct gpu_kernel *k = compile(steps, &c);
    memset(at, 0xff, sizeof at);
    for (uint32_t n = 0; n < k->count; n++)
        if (k->ops[n].line >= FIRST_LINE && k->ops[n].line < FIRST_LINE + COUNT)
            at[k->ops[n].line - FIRST_LINE] = n;
    for (int x = 0; x < COUNT; x++)
        for (int y = x + 1; y < COUNT; y++)
            if (at[x] != UINT32_MAX && at[y] != UINT32_MAX
                && (needs(steps, x, y) || must_follow(&steps[x], &steps[y])))
                ck_assert_msg(at[x] < at[y], "seed %d: lines %d and %d", _i + 1, x + FIRST_LINE,
                              y + FIRST_LINE);
    gpu_kernel_free(k);
}
END_TEST

/* Two loads, each with what uses it: both loads first, so that one hides behind the other. */
START_TEST(loads_go_before_what_waits_for_others)
{
    static const char text[] =
        ".version 7.0\n.target sm_70\n.address_size 64\n.entry k(.param .u64 p) {\n"
        ".reg .b32 %r<9>; .reg .b64 %at;\nld.param.u64 %at, [p];\n"
        "ld.global.u32 %r1, [%at];\nadd.s32 %r2, %r1, 1;\n"
        "ld.global.u32 %r3, [%at+4];\nadd.s32 %r4, %r3, 1;\n"
        "mul.lo.s32 %r5, %r2, %r4;\nst.global.u32 [%at], %r5;\nret; }\n";
    static const uint32_t lines[] = { 6, 7, 9, 8, 10, 11, 12, 13 };
    struct gpu_config c = gpu_v100();
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_read(text, sizeof text - 1, "two.ptx", &d);
    ck_assert_msg(m, "%u: %s", d.line, d.text);
    struct gpu_kernel *k = gpu_compile(&c, m, &m->functions[0], &d);
    ck_assert_uint_eq(k->count, COUNT_OF(lines));
    for (size_t n = 0; n < COUNT_OF(lines); n++)
        ck_assert_uint_eq(k->ops[n].line, lines[n]);
    gpu_kernel_free(k);
    ptx_free(m);
}
END_TEST

/* Sixty loads could all go first.  With 2 blocks of 1024 threads on an SM a thread may have 32
 * registers, and the kernel as it is written needs few: it keeps to them. */
START_TEST(a_schedule_takes_no_registers_that_cost_a_block)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs(".version 7.0\n.target sm_70\n.address_size 64\n.entry k(.param .u64 p)\n.maxntid 1024,1,1\n"
          "{ .reg .b32 %r<4>; .reg .b32 %s<61>; .reg .b64 %at;\nld.param.u64 %at, [p];\nmov.u32 %r1, 0;\n",
          f);
    for (int n = 0; n < 60; n++)
        fprintf(f, "ld.global.u32 %%s%d, [%%at+%d];\nmad.lo.s32 %%r1, %%r1, 3, %%s%d;\n", n, 4 * n, n);
    fputs("st.global.u32 [%at], %r1;\nret; }\n", f);
    fclose(f);
    struct gpu_config c = gpu_v100();
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_read(text, size, "many.ptx", &d);
    ck_assert_msg(m, "%u: %s", d.line, d.text);
    struct gpu_kernel *k = gpu_compile(&c, m, &m->functions[0], &d);
    ck_assert_uint_gt(k->registers, 16);
    ck_assert_uint_le(k->registers, 32);
    ck_assert_uint_eq(k->local_bytes, 0);
    gpu_kernel_free(k);
    ptx_free(m);
    free(text);
}
END_TEST

Suite *compile_schedule_suite(void)
{
    Suite *s = suite_create("compile_schedule");
    TCase *t = tcase_create("order");
    tcase_add_loop_test(t, what_depends_on_what_stays_in_order, 0, 200);
    tcase_add_test(t, loads_go_before_what_waits_for_others);
    tcase_add_test(t, a_schedule_takes_no_registers_that_cost_a_block);
    suite_add_tcase(s, t);
    return s;
}
