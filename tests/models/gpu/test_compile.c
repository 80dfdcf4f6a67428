/* What the compiler makes of small kernels written by hand: how many operations on which
 * pipe, which of them are gone, what is oblivious, and what it refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/suites.h"

static struct gpu_config config(unsigned target)
{
    struct gpu_config c = target == 70 ? gpu_v100() : gpu_a100();
    if (target == 90)
        c.gpu.generation = GPU_SM_90;
    return c;
}

static struct gpu_kernel *compile(const struct gpu_config *c, const char *text, struct diag *d)
{
    struct ptx_module *m = ptx_read(text, strlen(text), "test.ptx", d);
    ck_assert_msg(m, "%u:%u: %s", d->line, d->column, d->text);
    const struct ptx_function *f = ptx_entry(m, m->function_count > 1 ? "k" : NULL, d);
    struct gpu_kernel *k = gpu_compile(c, m, f, d);
    ptx_free(m);
    return k;
}

/* A kernel with registers of each kind that come from memory, and go there: line 20 is
 * `body`, to the end of its text. */
static struct gpu_kernel *compile_body(unsigned target, const char *body)
{
    static char text[8192];
    snprintf(text, sizeof text,
             ".version 7.8\n.target sm_%u\n.address_size 64\n"
             ".entry k(.param .u64 p0, .param .u32 p1)\n{\n"
             ".reg .b32 %%r<9>; .reg .b64 %%d<9>; .reg .f32 %%f<9>; .reg .f64 %%e<9>;\n"
             ".reg .b16 %%h<9>; .reg .b32 %%x<9>; .reg .pred %%p<9>; .reg .b64 %%a;\n"
             ".shared .align 16 .b8 s[256];\n"
             "ld.param.u64 %%a, [p0];\n"
             "ld.global.v4.b32 {%%r1, %%r2, %%r3, %%r4}, [%%a];\n"
             "ld.global.v4.f32 {%%f1, %%f2, %%f3, %%f4}, [%%a+16];\n"
             "ld.global.v2.b64 {%%d1, %%d2}, [%%a+32]; ld.global.b64 %%d3, [%%a+96];\n"
             "ld.global.v2.f64 {%%e1, %%e2}, [%%a+48];\n"
             "ld.global.v4.b32 {%%x1, %%x2, %%x3, %%x4}, [%%a+64];\n"
             "ld.global.v4.b16 {%%h1, %%h2, %%h3, %%h4}, [%%a+80];\n"
             "setp.eq.s32 %%p1, %%r1, %%r2;\n"
             "setp.eq.s32 %%p2, %%r3, %%r4;\n\n\n"
             "%s\n"
             "@%%p3 st.global.b32 [%%a], 7;\n"
             "st.global.v4.b32 [%%a], {%%r5, %%r6, %%x5, %%x6};\n"
             "st.global.v2.b64 [%%a+16], {%%d5, %%d6};\n"
             "st.global.v2.f32 [%%a+32], {%%f5, %%f6};\n"
             "st.global.f64 [%%a+40], %%e5;\n"
             "st.global.v2.b16 [%%a+48], {%%h5, %%h6};\n"
             "ret;\n}\n", target, body);
    struct gpu_config c = config(target);
    struct diag d = { .text = "" };
    struct gpu_kernel *k = compile(&c, text, &d);
    ck_assert_msg(k, "%u:%u: %s in %s", d.line, d.column, d.text, body);
    return k;
}

#define BODY_LINE 20

/* Letters of table.h in the order of pipes, as often as operations of the body's lines. */
static void print_pipes(const struct gpu_kernel *k, uint32_t lines, char *text)
{
    static const struct { enum gpu_pipe pipe; char letter; } letters[] = {
        { GPU_PIPE_FP32, 'f' }, { GPU_PIPE_INT, 'i' }, { GPU_PIPE_FP16, 'h' },
        { GPU_PIPE_FP64, 'd' }, { GPU_PIPE_SFU, 's' }, { GPU_PIPE_CONVERT, 'c' },
        { GPU_PIPE_TENSOR, 't' }, { GPU_PIPE_LSU, 'l' }, { GPU_PIPE_UNIFORM, 'u' },
        { GPU_PIPE_CONTROL, 'b' },
    };
    for (size_t p = 0; p < COUNT_OF(letters); p++)
        for (uint32_t n = 0; n < k->count; n++)
            if (k->ops[n].pipe == letters[p].pipe && k->ops[n].line >= BODY_LINE
                && k->ops[n].line < BODY_LINE + lines)
                *text++ = letters[p].letter;
    *text = 0;
}

/* On gpu_v100 integers are multiplied by the FP32 pipe, on gpu_a100 too (imad_pipe). */
static const struct { unsigned target; const char *body, *pipes; } expansions[] = {
    { 70, "add.s32 %r5, %r1, %r2;",               "i" },
    { 70, "add.s64 %d5, %d1, %d2;",               "ii" },
    { 70, "add.f32 %f5, %f1, %f2;",               "f" },
    { 70, "fma.rn.f32 %f5, %f1, %f2, %f3;",       "f" },
    { 70, "fma.rn.f64 %e5, %e1, %e2, %e1;",       "d" },
    { 70, "mul.lo.s32 %r5, %r1, %r2;",            "f" },
    { 70, "mad.lo.s32 %r5, %r1, %r2, %r3;",       "f" },
    { 70, "mul.wide.s32 %d5, %r1, %r2;",          "f" },
    { 70, "mad.wide.s32 %d5, %r1, %r2, %d1;",     "f" },
    { 70, "mul.lo.s64 %d5, %d1, %d2;",            "fffi" },
    { 70, "shl.b64 %d5, %d1, %r1;",               "ii" },
    { 70, "and.b64 %d5, %d1, %d2;",               "ii" },
    { 70, "min.f32 %f5, %f1, %f2;",               "i" },
    { 70, "selp.b32 %r5, %r1, %r2, %p1;",         "i" },
    { 70, "selp.b64 %d5, %d1, %d2, %p1;",         "ii" },
    { 70, "setp.lt.s64 %p3, %d1, %d2;",           "ii" },
    { 70, "setp.lt.f64 %p3, %e1, %e2;",           "d" },
    { 70, "rcp.approx.ftz.f32 %f5, %f1;",         "s" },
    { 70, "rcp.approx.f32 %f5, %f1;",             "ffis" },
    { 70, "ex2.approx.ftz.f32 %f5, %f1;",         "s" },
    { 70, "ex2.approx.f32 %f5, %f1;",             "ffis" },
    { 70, "sin.approx.f32 %f5, %f1;",             "fs" },
    { 70, "div.rn.f32 %f5, %f1, %f2;",            "fffffffiiis" },
    { 70, "sqrt.rn.f32 %f5, %f1;",                "ffffffiiis" },
    { 70, "rcp.rn.f32 %f5, %f1;",                 "fffiiis" },
    { 70, "div.approx.ftz.f32 %f5, %f1, %f2;",    "fs" },
    { 70, "cvt.rn.f32.s32 %f5, %r1;",             "c" },
    { 70, "cvt.rn.f16.f32 %h5, %f1;",             "c" },
    { 80, "cvt.rn.f16.f32 %h5, %f1;",             "i" },
    { 80, "cvt.rn.bf16x2.f32 %x5, %f1, %f2;",     "i" },
    { 80, "fma.rn.bf16x2 %x5, %x1, %x2, %x3;",    "h" },
    { 70, "fma.rn.f16x2 %x5, %x1, %x2, %x3;",     "h" },
    { 70, "popc.b32 %r5, %r1;",                   "c" },
    { 80, "tanh.approx.f32 %f5, %f1;",            "s" },
    { 70, "shfl.sync.bfly.b32 %r5, %r1, 1, 31, -1;", "l" },
    { 70, "mov.u32 %r5, %tid.x;",                 "u" },
    { 70, "ld.param.u32 %r5, [p1];",              "u" },
    { 70, "bar.sync 0;",                          "b" },
    { 70, "membar.gl;",                           "b" },
    { 70, "nanosleep.u32 1000;",                  "b" },
    /* No operation at all. */
    { 70, "mov.u32 %r5, %r1;",                    "" },
    { 70, "mov.b64 {%r5, %r6}, %d1;",             "" },
    { 70, "mov.b64 %d5, {%r1, %r2};",             "" },
    { 70, "cvt.u32.u64 %r5, %d1;",                "" },
    { 70, "cvta.to.global.u64 %d5, %d1;",         "" },
    { 70, "mov.b32 %f5, %r1;",                    "" },
    { 70, "mul.lo.s32 %r7, %r1, %r2;",            "" },       /* nobody wants it */
    { 70, "prefetch.global.L2 [%a];",             "" },
    /* What fold.c does. */
    { 70, "mul.wide.s32 %d4, %r1, 4; add.s64 %d5, %d1, %d4;",      "f" },
    { 70, "mul.wide.s32 %d4, %r1, 4; add.s64 %d5, %d1, %d4; add.s64 %d6, %d4, %d2;", "ff" },
    { 70, "mul.lo.s32 %r7, %r1, %r2; add.s32 %r5, %r7, %r3;",      "f" },
    { 70, "shl.b32 %r7, %r1, 3; add.s32 %r5, %r7, %r3;",           "i" },
    { 70, "shl.b64 %d4, %d1, 3; add.s64 %d5, %d4, %d2;",           "ii" },
    { 70, "add.s64 %d4, %d1, %d2; ld.shared.u32 %r5, [%d4];",      "il" },
    { 70, "mul.wide.u32 %d4, %r1, 4; add.s64 %d7, %d4, %d1; ld.shared.u32 %r5, [%d7];", "il" },
    { 70, "add.s64 %d4, %d1, %d2; cvt.u32.u64 %r5, %d4;",          "i" },
    { 70, "mov.u32 %r7, s; add.s32 %r5, %r1, %r7;",                "" },     /* s is at 0 */
    { 70, "mad.wide.u32 %d5, %r1, 0, %d1;",                        "" },
    { 70, "cvt.s64.s32 %d5, %r1;",                                 "i" },
    { 70, "cvt.u64.u32 %d5, %r1;",                                 "" },
    { 70, "ld.global.u8 %d5, [%a+120];",                           "l" },
    { 70, "ld.global.s32 %d5, [%a+120];",                          "il" },
    /* A short way round a branch; one that is turned round. */
    { 70, "@%p1 bra L1; add.s32 %r5, %r1, %r2; L1:",               "i" },
    { 70, "@%p1 bra L1; add.s32 %r5, %r1, 1; bra L2; L1: sub.s32 %r5, %r2, 1; L2:", "ii" },
    { 70, "@%p1 bra L1; bra L2; L1: bar.sync 0; L2:",              "bb" },
    { 70, "@%p1 bra L1; bar.sync 0; L1:",                          "bb" },
    /* Local memory takes 4 bytes at a time; ldmatrix and cp.async are one operation each. */
    { 70, ".local .align 8 .b8 l[16]; st.local.v2.b64 [l], {%d1, %d2};", "llll" },
    { 80, "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r5, %r6}, [s];", "l" },
    { 80, "cp.async.ca.shared.global [s], [%a], 16; cp.async.commit_group; cp.async.wait_group 0;",
      "lbb" },
    { 80, "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f5, %f6, %f7, %f8}, {%x1, %x2}, "
          "{%x3}, {%f1, %f2, %f3, %f4};", "t" },
};

START_TEST(each_instruction_becomes_the_operations_of_its_row)
{
    char pipes[256];
    struct gpu_kernel *k = compile_body(expansions[_i].target, expansions[_i].body);
    print_pipes(k, 1, pipes);
    ck_assert_msg(!strcmp(pipes, expansions[_i].pipes), "%s: %s, not %s", expansions[_i].body,
                  pipes, expansions[_i].pipes);
    gpu_kernel_free(k);
}
END_TEST

/* The temporaries of a chain: part after part, and the last one has the result. */
START_TEST(a_sequence_is_a_chain_that_ends_in_the_result)
{
    struct gpu_kernel *k = compile_body(70, "rcp.approx.f32 %f5, %f1;");
    uint32_t parts = 0, before = GPU_CONSTANT;
    for (uint32_t n = 0; n < k->count; n++) {
        const struct gpu_op *o = &k->ops[n];
        if (o->line != BODY_LINE)
            continue;
        const uint16_t *src = k->operands + o->operands + o->dsts;
        bool reads = false;
        for (int s = 0; s < o->srcs; s++)
            reads |= src[s] == before;
        ck_assert(parts == 0 || reads);
        ck_assert_int_eq(!o->execute, (o->flags & GPU_OP_PART) != 0);
        ck_assert_int_eq((o->flags & GPU_OP_PART) != 0, parts < 3);
        before = k->operands[o->operands];
        parts++;
    }
    ck_assert_uint_eq(parts, 4);
    gpu_kernel_free(k);
}
END_TEST

/* The figures of gpu_figures.h. */
START_TEST(an_operation_has_the_figures_of_its_pipe)
{
    struct gpu_kernel *k = compile_body(70, "fma.rn.f32 %f5, %f1, %f2, %f3; sub.s32 %r5, %r1, %r2;"
                                            "ex2.approx.ftz.f32 %f6, %f4;");
    int seen = 0;
    for (uint32_t n = 0; n < k->count; n++) {
        const struct gpu_op *o = &k->ops[n];
        if (o->line != BODY_LINE)
            continue;
        seen++;
        ck_assert_uint_eq(o->interval, o->pipe == GPU_PIPE_SFU ? 8 * 16 : 2 * 16);
        ck_assert_uint_eq(o->latency, o->pipe == GPU_PIPE_SFU ? 22 : 4);
        ck_assert_uint_eq(o->flops, o->pipe == GPU_PIPE_FP32 ? 2 : 0);
    }
    ck_assert_int_eq(seen, 3);
    gpu_kernel_free(k);
}
END_TEST

#define HEAD ".version 7.8\n.target sm_70\n.address_size 64\n"
#define ENTRY HEAD ".const .b32 c[8]; .entry k(.param .u64 p)\n{\n.reg .b32 %r<9>; .reg .b64 %d<9>; " \
              ".reg .pred %p<9>; .reg .f32 %f<9>;\n.shared .b8 s[128];\nld.param.u64 %d1, [p];\n" \
              "mov.u32 %r1, %tid.x;\nld.global.u32 %r2, [%d1];\n"      /* line 10 is the load */

static const struct { const char *body, *why_not; } slices[] = {
    { "st.global.u32 [%d1], %r2;", NULL },
    { "setp.eq.s32 %p1, %r2, 0;\nselp.b32 %r3, %r1, %r2, %p1;\nst.global.u32 [%d1], %r3;", NULL },
    { "@%p1 st.global.u32 [%d1], %r2;\nsetp.eq.s32 %p1, %r1, 0;", NULL },
    { "setp.eq.s32 %p1, %r2, 0;\n@%p1 add.s32 %r3, %r1, 1;\nst.global.u32 [%d1], %r3;", NULL },
    { "mad.wide.u32 %d2, %r1, 4, %d1;\nst.global.u32 [%d2], %r2;", NULL },
    { "shfl.sync.bfly.b32 %r3, %r1, 1, 31, -1;\nmad.wide.u32 %d2, %r3, 4, %d1;\n"
      "st.global.u32 [%d2], %r2;", NULL },
    { "setp.eq.s32 %p1, %r2, 0;\n@%p1 st.global.u32 [%d1], 1;",
      "the load of line 10 reaches the store of line 12" },
    { "mad.wide.u32 %d2, %r2, 4, %d1;\nst.global.u32 [%d2], 1;",
      "the load of line 10 reaches the store of line 12" },
    { "setp.eq.s32 %p1, %r2, 0;\n@%p1 bra L;\nbar.sync 0;\nL:",
      "the load of line 10 reaches the branch of line 12" },
    { "setp.eq.s32 %p1, %r2, 0;\n@%p1 exit;\nst.global.u32 [%d1], 1;",
      "the load of line 10 reaches the exit of line 12" },
    { "st.shared.u32 [s], %r1;\nld.shared.u32 %r3, [s];\nmad.wide.u32 %d2, %r3, 4, %d1;\n"
      "st.global.u32 [%d2], 1;", "the load of line 12 reaches the store of line 14" },
    { "atom.global.add.u32 %r3, [%d1], 1;\nmad.wide.u32 %d2, %r3, 4, %d1;\n"
      "st.global.u32 [%d2], 1;", "the atomic of line 11 reaches the store of line 13" },
    { "shfl.sync.bfly.b32 %r3, %r2, 1, 31, -1;\nsetp.eq.s32 %p1, %r3, 0;\n@%p1 bra L;\n"
      "bar.sync 0;\nL:", "the load of line 10 reaches the branch of line 13" },
    { "mov.u64 %d2, c;\nmad.wide.u32 %d2, %r1, 4, %d2;\nld.const.u32 %r3, [%d2];\n"
      "st.global.u32 [%d1], %r3;", NULL },
    { "mov.u64 %d2, c;\nmad.wide.u32 %d2, %r2, 4, %d2;\nld.const.u32 %r3, [%d2];\n"
      "st.global.u32 [%d1], %r3;", "the load of line 10 reaches the load of line 13" },
};

static struct gpu_kernel *compile_after_entry(const char *body)
{
    static char text[4096];
    snprintf(text, sizeof text, "%s%s\nret;\n}\n", ENTRY, body);
    struct gpu_config c = config(70);
    struct diag d = { .text = "" };
    struct gpu_kernel *k = compile(&c, text, &d);
    ck_assert_msg(k, "%u: %s", d.line, d.text);
    return k;
}

START_TEST(a_kernel_is_oblivious_if_no_loaded_value_decides)
{
    struct gpu_kernel *k = compile_after_entry(slices[_i].body);
    ck_assert_int_eq(k->oblivious, !slices[_i].why_not);
    ck_assert_str_eq(k->why_not, slices[_i].why_not ? slices[_i].why_not : "");
    gpu_kernel_free(k);
}
END_TEST

/* After line 10.  The barrier keeps the branch a branch. */
#define END "@%p1 bra L;\nbar.sync 0;\nL:"
static const struct { const char *body, *others; } others[] = {
    { "setp.eq.s32 %p1, %r2, 0;\n" END, NULL },                                /* a plain load */
    { "ld.volatile.global.u32 %r3, [%d1];\nst.global.u32 [%d1], %r3;", NULL },
    { "ld.volatile.global.u32 %r3, [%d1];\nsetp.eq.s32 %p1, %r3, 0;\n" END,
      "the load of line 11 reaches the branch of line 13" },
    { "ld.acquire.gpu.global.u32 %r3, [%d1];\nsetp.eq.s32 %p1, %r3, 0;\n@%p1 st.global.u32 [%d1], 1;",
      "the load of line 11 reaches the store of line 13" },
    { "ld.volatile.shared.u32 %r3, [s];\nsetp.eq.s32 %p1, %r3, 0;\n" END, NULL },
    { "atom.shared.add.u32 %r3, [s], 1;\nsetp.eq.s32 %p1, %r3, 0;\n" END, NULL },
    { "red.global.add.u32 [%d1], 1;\nsetp.eq.s32 %p1, %r2, 0;\n" END, NULL },
    /* An address is where, not whether. */
    { "atom.global.add.u32 %r3, [%d1], 1;\nmad.wide.u32 %d2, %r3, 4, %d1;\n"
      "st.global.u32 [%d2], 1;", NULL },
    { "atom.global.add.u32 %r3, [%d1], 1;\nsetp.eq.s32 %p1, %r3, 9;\n" END,
      "the atomic of line 11 reaches the branch of line 13" },
    { "atom.global.add.u32 %r3, [%d1], 1;\nsetp.eq.s32 %p1, %r3, 9;\n@%p1 exit;\n"
      "st.global.u32 [%d1], 1;", "the atomic of line 11 reaches the exit of line 13" },
    { "atom.global.add.u32 %r3, [%d1], 1;\nshfl.sync.idx.b32 %r3, %r3, 0, 31, -1;\n"
      "setp.eq.s32 %p1, %r3, 9;\n" END, "the atomic of line 11 reaches the branch of line 14" },
    { "atom.global.add.u32 %r3, [%d1], 1;\nmad.wide.u32 %d2, %r3, 4, %d1;\n"
      "ld.global.u32 %r4, [%d2];\nsetp.eq.s32 %p1, %r4, 9;\n" END,
      "the atomic of line 11 reaches the branch of line 15" },
    /* Through shared memory, as its data, and as what decides whether it is written. */
    { "atom.global.add.u32 %r3, [%d1], 1;\nst.shared.u32 [s], %r3;\nbar.sync 0;\n"
      "ld.shared.u32 %r4, [s+4];\nsetp.eq.s32 %p1, %r4, 9;\n" END,
      "the atomic of line 11 reaches the branch of line 16" },
    { "atom.global.add.u32 %r3, [%d1], 1;\nst.shared.u32 [s], %r2;\nbar.sync 0;\n"
      "ld.shared.u32 %r4, [s+4];\nsetp.eq.s32 %p1, %r4, 9;\n" END
      "\nst.global.u32 [%d1+4], %r3;", NULL },
};

START_TEST(a_kernel_says_whether_other_blocks_decide)
{
    struct gpu_kernel *k = compile_after_entry(others[_i].body);
    ck_assert_str_eq(k->others, others[_i].others ? others[_i].others : "");
    gpu_kernel_free(k);
}
END_TEST

/* Each has one branch that stays a branch (over a barrier). */
static const struct { const char *body; bool uniform; } branches[] = {
    { "setp.eq.s32 %p1, %r1, 0;", false },
    { "mov.u32 %r3, %ctaid.x;\nsetp.eq.s32 %p1, %r3, 0;", true },
    { "cvt.u32.u64 %r3, %d1;\nsetp.eq.s32 %p1, %r3, 0;", true },
    { "setp.eq.s32 %p1, %r2, 0;", true },       /* one address: one value */
    { "mad.wide.u32 %d2, %r1, 4, %d1;\nld.global.u32 %r3, [%d2];\nsetp.eq.s32 %p1, %r3, 0;", false },
    { "atom.global.add.u32 %r3, [%d1], 1;\nsetp.eq.s32 %p1, %r3, 0;", false },
    { "shfl.sync.bfly.b32 %r3, %r2, 1, 31, -1;\nsetp.eq.s32 %p1, %r3, 0;", false },
};

START_TEST(a_branch_is_uniform_if_its_predicate_cannot_differ)
{
    static char text[4096];
    snprintf(text, sizeof text, "%s%s\n@%%p1 bra L;\nbar.sync 0;\nL:\n"
             "st.global.u32 [%%d1], %%r1;\nret;\n}\n", ENTRY,
             branches[_i].body);
    struct gpu_config c = config(70);
    struct diag d = { .text = "" };
    struct gpu_kernel *k = compile(&c, text, &d);
    ck_assert_msg(k, "%u: %s", d.line, d.text);
    int seen = 0;
    for (uint32_t n = 0; n < k->count; n++)
        if (k->ops[n].kind == GPU_BRANCH) {
            ck_assert_int_eq((k->ops[n].flags & GPU_OP_UNIFORM) != 0, branches[_i].uniform);
            ck_assert_uint_eq(k->ops[n].target, n + 2);
            ck_assert_uint_eq(k->ops[n].reconverge, n + 2);
            seen++;
        }
    ck_assert_int_eq(seen, 1);
    gpu_kernel_free(k);
}
END_TEST

/* A counter is the same in all lanes of a loop; after it, if they leave it one by one, it is
 * not. */
START_TEST(a_value_is_divergent_where_lanes_came_on_different_ways)
{
    struct gpu_config c = config(70);
    struct diag d = { .text = "" };
    struct gpu_kernel *k = compile(&c, ENTRY
        "mov.u32 %r3, 0;\nmov.u32 %r4, 0;\nL1:\nadd.s32 %r3, %r3, 1;\nadd.s32 %r4, %r4, 1;\n"
        "bar.sync 0;\nsetp.lt.s32 %p2, %r4, 5;\n"
        "@%p2 bra L2;\nbar.sync 1;\nL2:\nsetp.lt.s32 %p1, %r3, %r1;\n@%p1 bra L1;\n"
        "setp.eq.s32 %p3, %r3, 2;\n@%p3 bra L3;\nbar.sync 2;\nL3:\nret;\n}\n", &d);
    ck_assert_msg(k, "%u: %s", d.line, d.text);
    bool uniform[3];
    int seen = 0;
    for (uint32_t n = 0; n < k->count; n++)
        if (k->ops[n].kind == GPU_BRANCH)
            uniform[seen++] = k->ops[n].flags & GPU_OP_UNIFORM;
    ck_assert_int_eq(seen, 3);
    ck_assert(uniform[0] && !uniform[1] && !uniform[2]);
    gpu_kernel_free(k);
}
END_TEST

static const struct { unsigned target; const char *text; unsigned line; const char *says; } errors[] = {
    { 70, HEAD ".func f() { call f, (); ret; }\n.entry k() { call f, (); ret; }\n", 4, "itself" },
    { 70, HEAD ".extern .func f();\n.entry k() { call f, (); ret; }\n", 5, "no body" },
    { 70, ".version 7.8\n.target sm_80\n.address_size 64\n.entry k() { ret; }\n", 1, "sm_80" },
    { 70, HEAD ".entry k() {\nbar.sync 9;\nret; }\n", 5, "0 to 7" },
    { 70, HEAD ".entry k() { .reg .b32 %r<3>;\nmov.u32 %r1, %tid.x;\nbar.sync %r1;\nret; }\n", 6,
      "number" },
    { 80, ".version 7.8\n.target sm_80\n.address_size 64\n.entry k() { .reg .f32 %f<9>; .reg .b32 %r<9>;\n"
          "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1,%f2,%f3,%f4}, {%r1,%r2,%r3,%r4}, "
          "{%r5,%r6}, {%f1,%f2,%f3,%f4};\nret; }\n", 5, "tensor" },
    { 70, HEAD ".entry k() {\n.reg .b64 %d; .local .b32 l[131073]; mov.u64 %d, l; ret; }\n", 4,
      "524292 bytes of local memory; expected at most 524288" },
    { 70, HEAD ".entry other() { wgmma.x; ret; }\n.entry k() { ret; tex.x; }\n", 5, "tex.x is not" },
    { 70, HEAD ".entry other() { wgmma.x; }\n.func f() { tex.x; ret; }\n"
          ".func g() { call f, (); ret; }\n.entry k() { call g, (); ret; }\n", 5, "tex.x is not" },
};

START_TEST(what_a_chip_cannot_do_is_refused_with_its_place)
{
    struct gpu_config c = config(errors[_i].target);
    c.tensor.mma_tf32_interval = 0;
    c.sm.barriers = 8;
    struct diag d = { .text = "" };
    ck_assert_ptr_null(compile(&c, errors[_i].text, &d));
    ck_assert_str_eq(d.file, "test.ptx");
    ck_assert_msg(d.line == errors[_i].line, "line %u: %s", d.line, d.text);
    ck_assert_msg(strstr(d.text, errors[_i].says), "%s", d.text);
}
END_TEST

START_TEST(what_a_kernel_does_not_use_need_not_be_supported)
{
    struct gpu_config c = config(70);
    struct diag d = { .text = "" };
    struct gpu_kernel *k = compile(&c, HEAD ".func f() { tex.x; ret; }\n"
        ".entry other() { call f, (); ret; }\n.func g() { ret; }\n"
        ".entry k() { call g, (); ret; }\n", &d);
    ck_assert_msg(k, "%u: %s", d.line, d.text);
    gpu_kernel_free(k);
}
END_TEST

START_TEST(sixty_five_predicates_at_once_are_too_many)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs(HEAD ".entry k(.param .u64 p) { .reg .pred %p<70>; .reg .b64 %d; .reg .b32 %r<80>;\n"
          ".shared .b32 s;\nld.param.u64 %d, [p];\n", f);
    for (int n = 0; n < 65; n++)
        fprintf(f, "ld.global.u32 %%r2, [%%d+%d]; setp.eq.s32 %%p%d, %%r2, %d;\n", 4 * n, n, n);
    /* All are there before the barrier, and what they guard needs what is loaded after it. */
    fputs("bar.sync 0;\nld.shared.u32 %r1, [s];\n", f);
    for (int n = 0; n < 65; n++)
        fprintf(f, "@%%p%d add.s32 %%r1, %%r1, %d;\n", 64 - n, n + 1);
    fputs("st.global.u32 [%d], %r1;\nret; }\n", f);
    fclose(f);
    struct gpu_config c = config(70);
    struct diag d = { .text = "" };
    struct gpu_kernel *k = compile(&c, text, &d);
    ck_assert_ptr_null(k);
    ck_assert_msg(strstr(d.text, "64 predicates"), "%s", d.text);
    free(text);
}
END_TEST

/* .maxntid 256 and 3 blocks: 65536 / (8 * 3) = 2730 registers a warp, in multiples of 256:
 * 2560, 80 a thread.  Parameters as C lays them out: 4 + 4 of nothing + 8 + 2. */
START_TEST(a_kernel_says_what_it_needs)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs(HEAD ".global .align 8 .u32 g[3] = {1, 2, 3};\n.const .u16 c[2] = {7, 8};\n"
          ".shared .align 8 .b8 unused[4096];\n.extern .shared .align 16 .b8 dynamic[];\n"
          ".entry k(.param .u32 a, .param .u64 b, .param .u16 h)\n.maxntid 256, 1, 1\n.minnctapersm 3\n"
          "{ .reg .b32 %r<200>; .reg .b64 %d<3>; .shared .b8 own[100];\nld.param.u64 %d1, [b];\n", f);
    for (int n = 0; n < 150; n++)
        fprintf(f, "ld.volatile.global.u32 %%r%d, [%%d1+%d];\n", n, 4 * n);
    for (int n = 0; n < 150; n++)
        fprintf(f, "st.volatile.global.u32 [%%d1+%d], %%r%d;\n", 4 * n, 149 - n);
    fputs("st.shared.u8 [own], %r1; st.shared.u32 [dynamic+8], %r2;\nret; }\n", f);
    fclose(f);
    struct gpu_config c = config(70);
    struct diag d = { .text = "" };
    struct gpu_kernel *k = compile(&c, text, &d);
    ck_assert_msg(k, "%u: %s", d.line, d.text);
    ck_assert_uint_le(k->registers, 80);
    ck_assert_uint_ge(k->local_bytes, 4 * (150 - 80));      /* the rest is spilled */
    ck_assert_uint_eq(k->param_count, 3);
    ck_assert_uint_eq(k->params[1].offset, 8);
    ck_assert_uint_eq(k->params[2].offset, 16);
    ck_assert_uint_eq(k->param_bytes, 18);
    ck_assert_uint_eq(k->max_threads, 256);
    ck_assert_uint_eq(k->shared_bytes, 112);                /* 100, aligned for what is above */
    ck_assert_uint_eq(k->global_size, 12);
    ck_assert_uint_eq(k->const_size, 4);
    ck_assert_uint_eq(k->global_bytes[4], 2);
    ck_assert_uint_eq(k->const_bytes[2], 8);
    ck_assert_uint_eq(k->ops[k->count - 1].kind, GPU_EXIT);
    bool found = false;
    for (uint32_t n = 0; n < k->count; n++)
        found |= k->ops[n].kind == GPU_STORE && k->ops[n].access.space == GPU_SPACE_SHARED
              && k->ops[n].access.offset == 112 + 8;
    ck_assert(found);
    gpu_kernel_free(k);
    free(text);
}
END_TEST

Suite *compile_suite(void)
{
    Suite *s = suite_create("compile");
    TCase *t = tcase_create("expansion");
    tcase_add_loop_test(t, each_instruction_becomes_the_operations_of_its_row, 0,
                        COUNT_OF(expansions));
    tcase_add_test(t, a_sequence_is_a_chain_that_ends_in_the_result);
    tcase_add_test(t, an_operation_has_the_figures_of_its_pipe);
    suite_add_tcase(s, t);
    t = tcase_create("slice");
    tcase_add_loop_test(t, a_kernel_is_oblivious_if_no_loaded_value_decides, 0, COUNT_OF(slices));
    tcase_add_loop_test(t, a_kernel_says_whether_other_blocks_decide, 0, COUNT_OF(others));
    tcase_add_loop_test(t, a_branch_is_uniform_if_its_predicate_cannot_differ, 0,
                        COUNT_OF(branches));
    tcase_add_test(t, a_value_is_divergent_where_lanes_came_on_different_ways);
    suite_add_tcase(s, t);
    t = tcase_create("limits");
    tcase_add_loop_test(t, what_a_chip_cannot_do_is_refused_with_its_place, 0, COUNT_OF(errors));
    tcase_add_test(t, what_a_kernel_does_not_use_need_not_be_supported);
    tcase_add_test(t, sixty_five_predicates_at_once_are_too_many);
    tcase_add_test(t, a_kernel_says_what_it_needs);
    suite_add_tcase(s, t);
    return s;
}
