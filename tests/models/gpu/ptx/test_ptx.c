/* What the PTX reader makes of a module: variables, functions, fields of instructions. */
#include <unistd.h>
#include <zlib.h>

#include "tests/models/gpu/ptx/module.h"

#define DATA "tests/models/gpu/ptx/data/"

/* What compilers emit, and how many entries are in it. */
static const struct { const char *file; unsigned target, entries; } emitted[] = {
    { DATA "clang-sm_70-O2.ptx", 70, 5 },
    { DATA "clang-sm_80-O3.ptx", 80, 6 },
    { DATA "clang-sm_90-O0.ptx", 90, 6 },
    { DATA "nvcc-style.ptx",     80, 1 },
};

/* Statements of a text that are instructions: after a tab, not a directive, with a ';'. */
static unsigned count_statements(const char *path)
{
    char line[4096];
    unsigned count = 0;
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    while (fgets(line, sizeof line, in))
        count += line[0] == '\t' && line[1] != '.' && strchr(line, ';') && line[1] != '/';
    fclose(in);
    return count;
}

START_TEST(what_compilers_emit_is_read)
{
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_load(emitted[_i].file, &d);
    ck_assert_msg(m, "%s:%u:%u: %s", d.file, d.line, d.column, d.text);
    ck_assert_uint_eq(m->target, emitted[_i].target);
    ck_assert_str_eq(m->file, emitted[_i].file);
    unsigned entries = 0, instructions = 0;
    for (uint32_t n = 0; n < m->function_count; n++) {
        entries      += m->functions[n].is_entry;
        instructions += m->functions[n].instruction_count;
    }
    ck_assert_uint_eq(entries, emitted[_i].entries);
    /* Inline assembly has several in a line. */
    ck_assert_uint_ge(instructions, count_statements(emitted[_i].file));
    ptx_free(m);
}
END_TEST

START_TEST(a_gzipped_module_is_read)
{
    char path[] = "/tmp/simaccel-ptx-XXXXXX";
    int file = mkstemp(path);
    gzFile out = gzdopen(file, "wb");
    gzputs(out, HEAD ".entry k() {}");
    gzclose(out);
    struct diag d = { .text = "" };
    struct ptx_module *m = ptx_load(path, &d);
    unlink(path);
    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(m->functions[0].name, "k");
    ptx_free(m);
    ck_assert_ptr_null(ptx_load(path, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "cannot open"));
}
END_TEST

/* One instruction, and the fields that differ from nothing. */
#define M(id) (UINT64_C(1) << PTX_M_##id)
static const struct { const char *text; struct ptx_instruction is; } fields[] = {
    { "add.rz.ftz.sat.f32 %f1, %f2, %f3;",
      { .op = PTX_ADD, .type = { PTX_F32 }, .round = PTX_RZ, .modifiers = M(FTZ) | M(SAT),
        .operands = 3 } },
    { "mul.wide.s16 %r1, %h1, %h2;",
      { .op = PTX_MUL, .type = { PTX_S16 }, .modifiers = M(WIDE), .operands = 3 } },
    { "mad.lo.cc.u32 %r1, %r2, %r3, %r4;",
      { .op = PTX_MAD, .type = { PTX_U32 }, .modifiers = M(LO) | M(CC), .operands = 4 } },
    { "dp4a.u32.s32 %r1, %r2, %r3, %r4;",
      { .op = PTX_DP4A, .type = { PTX_U32, PTX_S32 }, .operands = 4 } },
    { "div.full.f32 %f1, %f2, %f3;",
      { .op = PTX_DIV, .type = { PTX_F32 }, .modifiers = M(FULL), .operands = 3 } },
    { "max.ftz.NaN.xorsign.abs.f32 %f1, %f2, %f3;",
      { .op = PTX_MAX, .type = { PTX_F32 }, .modifiers = M(FTZ) | M(NAN) | M(XORSIGN),
        .operands = 3 } },
    { "bfind.shiftamt.u64 %r1, %d2;",
      { .op = PTX_BFIND, .type = { PTX_U64 }, .modifiers = M(SHIFTAMT), .operands = 2 } },
    { "testp.infinite.f64 %p1, %e1;",
      { .op = PTX_TESTP, .type = { PTX_F64 }, .function = PTX_F_INFINITE, .operands = 2 } },
    { "setp.geu.xor.ftz.f32 %p1|%p2, %f1, %f2, !%p3;",
      { .op = PTX_SETP, .type = { PTX_F32 }, .compare = PTX_GEU, .function = PTX_F_XOR,
        .modifiers = M(FTZ), .operands = 4 } },
    { "setp.lo.u32 %p1, %r1, %r2;",
      { .op = PTX_SETP, .type = { PTX_U32 }, .compare = PTX_C_LO, .operands = 3 } },
    { "setp.nan.f32 %p1, %f1, %f2;",
      { .op = PTX_SETP, .type = { PTX_F32 }, .compare = PTX_C_NAN, .operands = 3 } },
    { "set.hi.f32.u32 %f1, %r1, %r2;",
      { .op = PTX_SET, .type = { PTX_F32, PTX_U32 }, .compare = PTX_C_HI, .operands = 3 } },
    { "shf.r.wrap.b32 %r1, %r2, %r3, 7;",
      { .op = PTX_SHF, .type = { PTX_B32 }, .modifiers = M(RIGHT) | M(WRAP), .operands = 4 } },
    { "prmt.b32.ecr %r1, %r2, %r3, 1;",
      { .op = PTX_PRMT, .type = { PTX_B32 }, .function = PTX_F_ECR, .operands = 4 } },
    { "cvt.rni.ftz.sat.u8.f32 %h1, %f1;",
      { .op = PTX_CVT, .type = { PTX_U8, PTX_F32 }, .round = PTX_RNI,
        .modifiers = M(FTZ) | M(SAT), .operands = 2 } },
    { "cvt.rn.relu.bf16x2.f32 %r1, %f1, %f2;",
      { .op = PTX_CVT, .type = { PTX_BF16X2, PTX_F32 }, .round = PTX_RN, .modifiers = M(RELU),
        .operands = 3 } },
    { "ld.global.ca.nc.L2::128B.v2.f32 {%f1, %f2}, [%d1];",
      { .op = PTX_LD, .type = { PTX_F32 }, .space = PTX_GLOBAL, .cache = PTX_CA,
        .modifiers = M(NC), .vector = 2, .operands = 2 } },
    { "ld.acquire.gpu.shared::cta.u32 %r1, [%r2];",
      { .op = PTX_LD, .type = { PTX_U32 }, .space = PTX_SHARED, .scope = PTX_GPU,
        .modifiers = M(ACQUIRE), .operands = 2 } },
    { "ld.volatile.u8 %r1, [%d2];",
      { .op = PTX_LD, .type = { PTX_U8 }, .modifiers = M(VOLATILE), .operands = 2 } },
    { "ld.param::entry.u64 %d1, [a];",
      { .op = PTX_LD, .type = { PTX_U64 }, .space = PTX_PARAM, .operands = 2 } },
    { "st.local.wt.v4.b32 [l], {%r1, %r2, %r3, %r4};",
      { .op = PTX_ST, .type = { PTX_B32 }, .space = PTX_LOCAL, .cache = PTX_WT, .vector = 4,
        .operands = 2 } },
    { "prefetch.local.L1 [%d1];",
      { .op = PTX_PREFETCH, .space = PTX_LOCAL, .modifiers = M(L1), .operands = 1 } },
    { "cvta.shared.u64 %d1, %d2;",
      { .op = PTX_CVTA, .type = { PTX_U64 }, .space = PTX_SHARED, .operands = 2 } },
    { "cvta.to.const.u64 %d1, %d2;",
      { .op = PTX_CVTA, .type = { PTX_U64 }, .to_space = PTX_CONST, .modifiers = M(TO),
        .operands = 2 } },
    { "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r1, %r2}, [%r3];",
      { .op = PTX_LDMATRIX, .type = { PTX_B16 }, .space = PTX_SHARED, .vector = 2,
        .modifiers = M(SYNC) | M(ALIGNED) | M(TRANS), .operands = 2 } },
    { "cp.async.ca.shared.global.L2::64B [%r1], [%d1], 4, %r2;",
      { .op = PTX_CP_ASYNC, .space = PTX_GLOBAL, .to_space = PTX_SHARED, .cache = PTX_CA,
        .operands = 4 } },
    { "barrier.cta.sync.aligned 1, 64;",
      { .op = PTX_BAR, .modifiers = M(SYNC) | M(ALIGNED), .operands = 2 } },
    { "barrier.red.or.pred %p1, %r1, !%p2;",
      { .op = PTX_BAR, .type = { PTX_PRED }, .modifiers = M(RED), .function = PTX_F_OR,
        .operands = 3 } },
    { "fence.sc.cluster;",
      { .op = PTX_FENCE, .modifiers = M(SC), .scope = PTX_CLUSTER } },
    { "membar.gl;", { .op = PTX_MEMBAR, .scope = PTX_GPU } },
    { "shfl.sync.up.b32 %r1|%p1, %r2, 3, 0, -1;",
      { .op = PTX_SHFL, .type = { PTX_B32 }, .function = PTX_F_UP, .modifiers = M(SYNC),
        .operands = 5 } },
    { "vote.sync.uni.pred %p1, %p2, -1;",
      { .op = PTX_VOTE, .type = { PTX_PRED }, .function = PTX_F_UNI, .modifiers = M(SYNC),
        .operands = 3 } },
    { "redux.sync.min.s32 %r1, %r2, -1;",
      { .op = PTX_REDUX, .type = { PTX_S32 }, .function = PTX_F_MIN, .modifiers = M(SYNC),
        .operands = 3 } },
    { "atom.acq_rel.sys.shared.cas.b64 %d1, [%r1], %d2, %d3;",
      { .op = PTX_ATOM, .type = { PTX_B64 }, .function = PTX_F_CAS, .space = PTX_SHARED,
        .scope = PTX_SYS, .modifiers = M(ACQ_REL), .operands = 4 } },
    { "red.add.noftz.f16x2 [%d1], %r1;",
      { .op = PTX_RED, .type = { PTX_F16X2 }, .function = PTX_F_ADD, .modifiers = M(NOFTZ),
        .operands = 2 } },
    { "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1, %f2, %f3, %f4}, "
      "{%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};",
      { .op = PTX_MMA, .type = { PTX_F32, PTX_TF32, PTX_TF32, PTX_F32 }, .m = 16, .n = 8, .k = 8,
        .row_a = 1, .modifiers = M(SYNC) | M(ALIGNED), .operands = 4 } },
    { "wmma.load.b.sync.aligned.col.m16n16k16.shared.f16 "
      "{%r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7}, [%r8], 24;",
      { .op = PTX_WMMA_LOAD, .type = { PTX_F16 }, .m = 16, .n = 16, .k = 16, .fragment = 'b',
        .space = PTX_SHARED, .modifiers = M(SYNC) | M(ALIGNED), .operands = 3 } },
    { "wmma.mma.sync.aligned.col.row.m16n16k16.f16.f32 {%r0, %r1, %r2, %r3}, "
      "{%r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7}, {%r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7}, "
      "{%f0, %f1, %f2, %f3, %f4, %f5, %f6, %f7};",
      { .op = PTX_WMMA_MMA, .type = { PTX_F16, PTX_F32 }, .m = 16, .n = 16, .k = 16, .row_b = 1,
        .modifiers = M(SYNC) | M(ALIGNED), .operands = 4 } },
};

START_TEST(suffixes_become_fields)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body(fields[_i].text, &k);
    const struct ptx_instruction *i = &k->instructions[0], *is = &fields[_i].is;
    ck_assert_int_eq(i->op, is->op);
    for (unsigned t = 0; t < 4; t++)
        ck_assert_int_eq(i->type[t], is->type[t]);
    ck_assert_uint_eq(i->modifiers, is->modifiers);
    ck_assert_uint_eq(i->round, is->round);
    ck_assert_uint_eq(i->compare, is->compare);
    ck_assert_uint_eq(i->function, is->function);
    ck_assert_uint_eq(i->cache, is->cache);
    ck_assert_uint_eq(i->space, is->space);
    ck_assert_uint_eq(i->to_space, is->to_space);
    ck_assert_uint_eq(i->scope, is->scope);
    ck_assert_uint_eq(i->vector, is->vector ? is->vector : 1);
    ck_assert(i->m == is->m && i->n == is->n && i->k == is->k);
    ck_assert(i->fragment == is->fragment && i->row_a == is->row_a && i->row_b == is->row_b);
    ck_assert_uint_eq(i->operands, is->operands);
    ck_assert_uint_eq(i->guard, PTX_NO_GUARD);
    ptx_free(m);
}
END_TEST

/* A number of the text, the type of the instruction that it stands in, and its bits. */
static const struct { const char *type, *text; enum ptx_type is; uint64_t bits; } numbers[] = {
    { "u32", "0",                   PTX_S64, 0 },
    { "u32", "017",                 PTX_S64, 15 },
    { "u32", "0x1F",                PTX_S64, 31 },
    { "u32", "0b101",               PTX_S64, 5 },
    { "u32", "4294967295",          PTX_S64, UINT32_MAX },
    { "u32", "7U",                  PTX_U64, 7 },
    { "s32", "-1",                  PTX_S64, UINT64_MAX },
    { "s32", "- - 3",               PTX_S64, 3 },
    { "b64", "0xFFFFFFFFFFFFFFFF",  PTX_U64, UINT64_MAX },
    { "s64", "-9223372036854775808", PTX_S64, UINT64_C(1) << 63 },
    { "u32", "1 + 2 * 3",           PTX_S64, 7 },
    { "u32", "(1 + 2) * 3",         PTX_S64, 9 },
    { "u32", "1 << 4 | 3",          PTX_S64, 19 },
    { "u32", "7 - 2 - 1",           PTX_S64, 4 },
    { "u32", "100 / 7 % 5",         PTX_S64, 4 },
    { "s32", "-7 / 2",              PTX_S64, (uint64_t)-3 },
    { "s32", "-7 % 2",              PTX_S64, (uint64_t)-1 },
    { "s32", "7 / -2",              PTX_S64, (uint64_t)-3 },
    { "s32", "7 % -2",              PTX_S64, 1 },
    { "s32", "-7 % -2",             PTX_S64, (uint64_t)-1 },
    { "s32", "-8 >> 1",             PTX_S64, (uint64_t)-4 },
    { "u64", "(.u64)-8 >> 1",       PTX_U64, (UINT64_MAX - 7) >> 1 },
    { "u32", "3 > 2 && 2 >= 2",     PTX_S64, 1 },
    { "u32", "-1 < 0U",             PTX_S64, 0 },
    { "u32", "5 == 5 ? 10 : 20",    PTX_S64, 10 },
    { "u32", "0 ? 1 : 0 ? 2 : 3",   PTX_S64, 3 },
    { "s32", "~0 ^ 5 & 4",          PTX_S64, (uint64_t)(~0 ^ (5 & 4)) },
    { "u32", "!3 + !0",             PTX_S64, 1 },
    { "u32", "WARP_SZ - 1",         PTX_S64, 31 },
    { "f32", "0f3F800000",          PTX_F32, 0x3f800000 },
    { "f32", "0F3f800000",          PTX_F32, 0x3f800000 },
    { "f32", "-0f3F800000",         PTX_F32, 0xbf800000 },
    { "f32", "1.5",                 PTX_F32, 0x3fc00000 },
    { "f32", "0.1",                 PTX_F32, 0x3dcccccd },
    { "f32", "1e3",                 PTX_F32, 0x447a0000 },
    { "f32", "0d3FF0000000000000",  PTX_F32, 0x3f800000 },
    { "f64", "0.1",                 PTX_F64, UINT64_C(0x3fb999999999999a) },
    { "f64", "0D4000000000000000",  PTX_F64, UINT64_C(0x4000000000000000) },
    { "f64", "0f3FC00000",          PTX_F64, UINT64_C(0x3ff8000000000000) },
    { "f64", "2.5e-1",              PTX_F64, UINT64_C(0x3fd0000000000000) },
    { "b32", "0f7F800000",          PTX_F32, 0x7f800000 },
    { "b64", "1.0",                 PTX_F64, UINT64_C(0x3ff0000000000000) },
    { "pred", "-1",                 PTX_S64, 1 },
};

START_TEST(numbers_are_read)
{
    const char *type = numbers[_i].type;
    const char *to = type[0] == 'p' ? "%p1" : type[1] == '6' ? "%d1" : "%r1";
    char text[100];
    const struct ptx_function *k;
    snprintf(text, sizeof text, "mov.%s %s, %s;", type, to, numbers[_i].text);
    struct ptx_module *m = good_body(text, &k);
    const struct ptx_operand *o = &k->instructions[0].operand[1];
    ck_assert_int_eq(o->kind, PTX_IMMEDIATE);
    ck_assert_int_eq(o->type, numbers[_i].is);
    ck_assert_uint_eq(o->bits, numbers[_i].bits);
    ptx_free(m);
}
END_TEST

static const char *register_name(const struct ptx_function *f, uint32_t number)
{
    static char text[64];
    ptx_register_name(&f->registers[number], text, sizeof text);
    return text;
}

START_TEST(operands_are_what_was_written)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body("@!%p3 ld.shared.v2.b32 {_, %r2}, [%r7+-12];\n"
                                     " mov.u64 %d1, g+8; ld.global.u32 %r1, [g-4];\n"
                                     "st.global.b32 [64], -7; mov.b64 %d2, {%r3, 9};\n"
                                     "ld.global.f32 %f1, g[3]; setp.eq.s32 _|%p2, %r1, 0;", &k);
    const struct ptx_instruction *i = k->instructions;
    ck_assert_str_eq(register_name(k, i[0].guard), "%p3");
    ck_assert(i[0].guard_negated && i[0].line == 10 && i[0].column == 7);
    ck_assert(i[0].operand[0].kind == PTX_VECTOR_OF && i[0].operand[0].count == 2);
    ck_assert_int_eq(i[0].operand[0].vector[0].kind, PTX_NO_OPERAND);
    ck_assert_str_eq(register_name(k, i[0].operand[0].vector[1].number), "%r2");
    ck_assert(i[0].operand[1].kind == PTX_MEMORY && i[0].operand[1].base == PTX_REGISTER);
    ck_assert_str_eq(register_name(k, i[0].operand[1].number), "%r7");
    ck_assert_int_eq(i[0].operand[1].offset, -12);
    ck_assert_uint_eq(i[0].operand[1].column, 34);
    ck_assert(i[1].operand[1].kind == PTX_VARIABLE && i[1].operand[1].offset == 8);
    ck_assert(i[1].line == 11 && i[1].column == 2);
    ck_assert_str_eq(ptx_find_variable(m, k, i[1].operand[1].number)->name, "g");
    ck_assert(i[2].operand[1].base == PTX_VARIABLE && i[2].operand[1].offset == -4);
    ck_assert(i[3].operand[0].base == PTX_IMMEDIATE && i[3].operand[0].bits == 64);
    ck_assert(i[4].operand[1].kind == PTX_VECTOR_OF && i[4].operand[1].vector[1].bits == 9);
    ck_assert(i[5].operand[1].kind == PTX_MEMORY && i[5].operand[1].offset == 12);
    ck_assert(i[6].operand[0].kind == PTX_PAIR
              && i[6].operand[0].vector[0].kind == PTX_NO_OPERAND);
    ck_assert_str_eq(register_name(k, i[6].operand[0].vector[1].number), "%p2");
    ptx_free(m);
}
END_TEST

START_TEST(variables_have_their_bytes)
{
    struct diag d;
    struct ptx_module *m = read_module(HEAD
        ".const .align 8 .s16 h[2][3] = { {1, -2}, {3, 4}, 0x7fff };\n"
        ".global .f64 e = 2; .global .f32 f = 2.0;", &d);
    ck_assert_ptr_null(m);                      /* 2 is no double */
    m = read_module(HEAD
        ".const .align 8 .s16 h[2][3] = { {1, -2}, {3, 4}, 0x7fff };\n"
        ".global .f32 f = 2.0, u; .visible .global .v4 .b8 v[2]; .global .u32 w[] = {7, 8, 9};\n"
        ".extern .shared .align 16 .b8 dynamic[]; .shared .f32 tile[16][17];\n"
        ".weak .global .u64 p[3] = { w+4, 5, generic(f)-8 };", &d);
    ck_assert_msg(m, "%s", d.text);
    static const uint8_t h[] = { 1, 0, 0xfe, 0xff, 3, 0, 4, 0, 0xff, 0x7f, 0, 0 };
    const struct ptx_variable *v = m->variables;
    ck_assert(v[0].space == PTX_CONST && v[0].type == PTX_S16 && v[0].align == 8
              && v[0].elements == 6 && v[0].is_array && v[0].initial_bytes == sizeof h);
    ck_assert_mem_eq(v[0].initial, h, sizeof h);
    ck_assert(v[1].align == 4 && !v[1].is_array && v[1].initial[3] == 0x40);
    ck_assert(v[2].elements == 1 && !v[2].initial);
    ck_assert(v[3].elements == 8 && v[3].align == 4 && v[3].is_array);
    ck_assert(v[4].elements == 3 && v[4].initial_bytes == 12 && v[4].initial[8] == 9);
    ck_assert(v[5].space == PTX_SHARED && v[5].elements == 0 && v[5].align == 16);
    ck_assert(v[6].elements == 16 * 17);
    ck_assert(v[7].address_count == 2 && v[7].initial[8] == 5);
    ck_assert(v[7].addresses[0].at == 0 && v[7].addresses[0].variable == 4
              && v[7].addresses[0].offset == 4 && !v[7].addresses[0].generic);
    ck_assert(v[7].addresses[1].at == 16 && v[7].addresses[1].variable == 1
              && v[7].addresses[1].generic && v[7].addresses[1].offset == -8);
    ptx_free(m);
}
END_TEST

START_TEST(an_entry_has_parameters_and_limits)
{
    struct diag d;
    struct ptx_module *m = read_module(HEAD
        ".visible .entry k(.param .u64 .ptr .global .align 32 p, .param .align 8 .b8 q[24],\n"
        "  .param .u16 r) .reqntid 5,6,7 {\n"
        "  .shared .b32 s; ld.param.b16 %h, [r]; .reg .b16 %h; }", &d);
    ck_assert_ptr_null(m);                      /* %h comes too late */
    m = read_module(HEAD
        ".visible .entry k(.param .u64 .ptr .global .align 32 p, .param .align 8 .b8 q[24],\n"
        "  .param .u16 r) .maxntid 16, 8 .minnctapersm 3 .maxnreg 40 {\n"
        "  .shared .b32 s; .reg .b16 %h; ld.param.b16 %h, [r]; { .local .b64 t; } }\n"
        ".func f(); .entry other() .reqntid 5,6,7 {}", &d);
    ck_assert_msg(m, "%s", d.text);
    const struct ptx_function *k = ptx_entry(m, "k", &d), *other = ptx_entry(m, "other", &d);
    ck_assert(k->is_entry && k->has_body && k->param_count == 3 && k->variable_count == 2);
    ck_assert(k->params[0].type == PTX_U64 && k->params[0].align == 8 && !k->params[0].is_array);
    ck_assert(k->params[1].elements == 24 && k->params[1].align == 8 && k->params[1].is_array);
    ck_assert(k->params[2].type == PTX_U16 && k->params[2].space == PTX_PARAM);
    ck_assert(k->max_threads == 128 && k->min_blocks == 3 && k->max_registers == 40);
    ck_assert(other->required[0] == 5 && other->required[1] == 6 && other->required[2] == 7);
    ck_assert(!k->required[0] && !other->max_threads);
    /* Parameters are numbered after the function's two variables. */
    uint32_t number = k->instructions[0].operand[1].number;
    ck_assert_uint_eq(number, 2 + 2);
    ck_assert_ptr_eq(ptx_find_variable(m, k, number), &k->params[2]);
    ck_assert_int_eq(k->instructions[1].op, PTX_RET);
    ptx_free(m);
}
END_TEST

START_TEST(labels_hold_within_their_braces)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body("bra B; { bra B; bra A; B: exit; } { B: bra B; }\n"
                                     "B: bra B; A:", &k);
    static const uint32_t to[] = { 5, 3, 6, 0, 4, 5 };      /* instructions 3 and 6 do not jump */
    for (unsigned n = 0; n < COUNT_OF(to); n++) {
        const struct ptx_instruction *i = &k->instructions[n];
        if (i->op == PTX_BRA)
            ck_assert_uint_eq(k->labels[i->operand[0].number].at, to[n]);
    }
    ck_assert_uint_eq(k->instruction_count, 7);
    ck_assert_int_eq(k->instructions[6].op, PTX_RET);
    ptx_free(m);
}
END_TEST

/* The outer label comes first, the nearer one after the braces of the branch. */
START_TEST(the_nearest_label_is_meant)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body("B: { { bra B; } exit; B: trap; }", &k);
    const struct ptx_operand *o = &k->instructions[0].operand[0];
    ck_assert_uint_eq(k->labels[o->number].at, 2);
    ptx_free(m);
}
END_TEST

/* y0 to y9, and y10 and y11. */
START_TEST(ranges_that_touch_are_told_apart)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body(".reg .b32 y<10>; .reg .b64 y1<2>; mov.b64 y11, 0;\n"
                                     "mov.b32 y9, 1; mov.b32 y1, 2;", &k);
    ck_assert_str_eq(register_name(k, k->instructions[0].operand[0].number), "y11");
    ck_assert_str_eq(register_name(k, k->instructions[2].operand[0].number), "y1");
    ptx_free(m);
}
END_TEST

START_TEST(names_hold_within_their_braces)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body(".reg .b32 x, add; { .reg .f32 x; mov.f32 x, 1.0; }\n"
                                     "mov.b32 x, add; { .reg .b64 %r<2>; mov.b64 %r1, 0;\n"
                                     "mov.b32 %r2, 0; }", &k);
    const struct ptx_instruction *i = k->instructions;
    ck_assert_int_eq(k->registers[i[0].operand[0].number].type, PTX_F32);
    ck_assert_int_eq(k->registers[i[1].operand[0].number].type, PTX_B32);
    ck_assert_str_eq(register_name(k, i[1].operand[1].number), "add");
    ck_assert_int_eq(k->registers[i[2].operand[0].number].type, PTX_B64);
    ck_assert_int_eq(k->registers[i[3].operand[0].number].type, PTX_B32);
    ptx_free(m);
}
END_TEST

START_TEST(arguments_of_a_call_are_variables)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body("@%p1 call (%r1), f, (7, pb); call (pr), f, (pa, %d1);", &k);
    static const enum ptx_op ops[] = { PTX_ST, PTX_CALL, PTX_LD, PTX_ST, PTX_CALL, PTX_RET };
    const struct ptx_instruction *i = k->instructions;
    ck_assert_uint_eq(k->instruction_count, COUNT_OF(ops));
    for (unsigned n = 0; n < COUNT_OF(ops); n++) {
        ck_assert_int_eq(i[n].op, ops[n]);
        ck_assert_int_eq(i[n].guard != PTX_NO_GUARD, n < 3);
    }
    ck_assert(i[0].space == PTX_PARAM && i[0].operand[1].bits == 7);
    ck_assert(i[1].returned == 1 && i[1].passed == 2 && i[1].call_function == 0);
    ck_assert_uint_eq(i[1].arguments[1].number, i[0].operand[0].number);
    ck_assert_uint_eq(i[1].arguments[0].number, i[2].operand[1].number);
    ck_assert_str_eq(ptx_find_variable(m, k, i[1].arguments[2].number)->name, "pb");
    ck_assert_str_eq(ptx_find_variable(m, k, i[4].arguments[0].number)->name, "pr");
    ptx_free(m);
}
END_TEST

START_TEST(parameters_in_registers_become_variables)
{
    struct diag d;
    struct ptx_module *m = read_module(HEAD
        ".func (.reg .b32 r, .reg .f64 s) f (.reg .b32 a, .param .b64 b)\n"
        "{ .reg .pred p; setp.eq.s32 p, a, 0; @p ret; mov.b32 r, a; }", &d);
    ck_assert_msg(m, "%s", d.text);
    const struct ptx_function *f = &m->functions[0];
    static const enum ptx_op ops[] = { PTX_LD, PTX_SETP, PTX_ST, PTX_ST, PTX_RET, PTX_MOV,
                                       PTX_ST, PTX_ST, PTX_RET };
    ck_assert_uint_eq(f->instruction_count, COUNT_OF(ops));
    for (unsigned n = 0; n < COUNT_OF(ops); n++) {
        ck_assert_int_eq(f->instructions[n].op, ops[n]);
        ck_assert_int_eq(f->instructions[n].guard != PTX_NO_GUARD, n >= 2 && n <= 4);
    }
    ck_assert(f->return_count == 2 && f->param_count == 2 && f->returns[1].space == PTX_PARAM);
    /* No variables; the parameters are 0 and 1, the results 2 and 3. */
    ck_assert_uint_eq(f->instructions[0].operand[1].number, 0);
    ck_assert_uint_eq(f->instructions[2].operand[0].number, 2);
    ck_assert_uint_eq(f->instructions[7].operand[0].number, 3);
    ck_assert_int_eq(f->instructions[7].type[0], PTX_F64);
    ptx_free(m);
}
END_TEST

/* What is written in many ways, and the instructions that it becomes. */
static const struct { const char *text, *is; } replaced[] = {
    { "mad.lo.s32 %r1, %ctaid.x, %ntid.x, %tid.x;",  "mov.u32 mov.u32 mov.u32 mad.lo.s32 ret" },
    { "cvt.u64.u32 %d1, %laneid;",                   "mov.u32 cvt.u64.u32 ret" },
    { "mov.u16 %h1, %tid.y;",                        "mov.u32 cvt.u16.u32 ret" },
    { "mov.u32 %r1, %gridid;",                       "mov.u64 cvt.u32.u64 ret" },
    { "cvt.u32.u16 %r1, %ntid.x;",                   "mov.u32 cvt.u32.u16 ret" },
    { "mov.b64 {%r1, %r2}, %clock64;",               "mov.u64 mov.b64 ret" },
    { "and.pred %p1, %p2, 1;",                       "mov.pred ret" },
    { "or.pred %p1, %p2, -1;",                       "mov.pred ret" },
    { "xor.pred %p1, 1, %p2;",                       "not.pred ret" },
    { "xor.pred %p1, %p2, 0;",                       "mov.pred ret" },
    { "not.pred %p1, 1;",                            "mov.pred ret" },
    { "T: .branchtargets A, B, A; A: B: brx.idx %r1, T;",
      "setp.eq.u32 bra setp.eq.u32 bra bra" },
    { "T: .branchtargets A; @!%p1 brx.idx %r1, T; A:", "setp.eq.and.u32 bra ret" },
    { ".reg .v4 .f32 v; ld.global.v4.f32 v, [%d1]; add.f32 v.x, v.w, v.a;",
      "ld.global.v4.f32 add.f32 ret" },
};

START_TEST(instructions_become_plainer_ones)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body(replaced[_i].text, &k);
    char text[200] = "", one[60];
    for (uint32_t n = 0; n < k->instruction_count; n++) {
        ptx_print(&k->instructions[n], one, sizeof one);
        strcat(strcat(text, n ? " " : ""), one);
        ck_assert_uint_eq(k->instructions[n].line, k->instructions[n].op == PTX_RET ? 11 : 10);
    }
    ck_assert_str_eq(text, replaced[_i].is);
    ptx_free(m);
}
END_TEST

START_TEST(special_registers_are_moved_to_where_they_are_read)
{
    static const uint32_t read[] = { PTX_S_CTAID_X, PTX_S_NTID_X, PTX_S_TID_X };
    const struct ptx_function *k;
    struct ptx_module *m = good_body("mad.lo.s32 %r1, %ctaid.x, %ntid.x, %tid.x;", &k);
    const struct ptx_instruction *i = k->instructions;
    for (unsigned n = 0; n < COUNT_OF(read); n++) {
        ck_assert(i[n].op == PTX_MOV && i[n].operand[1].kind == PTX_SPECIAL);
        ck_assert_uint_eq(i[n].operand[1].number, read[n]);
        ck_assert(i[n].operand[0].kind == PTX_REGISTER && i[3].operand[n + 1].kind == PTX_REGISTER);
        ck_assert_uint_eq(i[3].operand[n + 1].number, i[n].operand[0].number);
    }
    ck_assert_uint_ne(i[0].operand[0].number, i[1].operand[0].number);
    ck_assert_str_eq(register_name(k, i[3].operand[0].number), "%r1");
    ptx_free(m);
}
END_TEST

/* @!%p1 brx.idx %tid.x, {A, B}: p = (%tid.x == 0 and not %p1), @p bra A, and so on. */
START_TEST(a_jump_compares_its_index_and_keeps_its_guard)
{
    const struct ptx_function *k;
    struct ptx_module *m = good_body("T: .branchtargets A, B; @!%p1 brx.idx %tid.x, T;\n"
                                     "A: trap; B: exit;", &k);
    const struct ptx_instruction *i = k->instructions;
    ck_assert_uint_eq(i[0].operand[1].number, PTX_S_TID_X);
    for (unsigned n = 0; n < 2; n++) {
        const struct ptx_instruction *compare = &i[1 + 2 * n], *jump = compare + 1;
        ck_assert(compare->op == PTX_SETP && compare->compare == PTX_EQ
                  && compare->function == PTX_F_AND && compare->operands == 4);
        ck_assert_uint_eq(compare->operand[1].number, i[0].operand[0].number);
        ck_assert_uint_eq(compare->operand[2].bits, n);
        ck_assert_str_eq(register_name(k, compare->operand[3].number), "%p1");
        ck_assert(compare->operand[3].negated && compare->guard == PTX_NO_GUARD);
        ck_assert_uint_eq(jump->guard, compare->operand[0].number);
        ck_assert_uint_eq(k->labels[jump->operand[0].number].at, 5 + n);
    }
    ptx_free(m);
}
END_TEST

START_TEST(logic_with_a_constant_has_its_value)
{
    static const struct { const char *op; int constant, is; } cases[] = {
        { "and", 0, 0 }, { "or", 1, 1 }, { "and", 1, -1 }, { "or", 0, -1 }, { "xor", 0, -1 }
    };
    for (unsigned n = 0; n < COUNT_OF(cases); n++) {
        char text[60];
        const struct ptx_function *k;
        snprintf(text, sizeof text, "%s.pred %%p1, %%p2, %d;", cases[n].op, cases[n].constant);
        struct ptx_module *m = good_body(text, &k);
        const struct ptx_operand *o = &k->instructions[0].operand[1];
        if (cases[n].is >= 0)
            ck_assert(o->kind == PTX_IMMEDIATE && o->bits == (uint64_t)cases[n].is);
        else
            ck_assert_str_eq(register_name(k, o->number), "%p2");
        ptx_free(m);
    }
}
END_TEST

START_TEST(older_shuffles_get_a_mask)
{
    struct diag d;
    struct ptx_module *m = read_module(".version 6.0\n.target sm_60\n"
        ".entry k() { .reg .b32 %r<3>; .reg .pred p; shfl.idx.b32 %r1, %r2, 0, 31;\n"
        "vote.any.pred p, !p; vote.ballot.b32 %r1, p; }", &d);
    ck_assert_msg(m, "%s", d.text);
    static const char *const printed[] = { "shfl.sync.idx.b32", "vote.sync.any.pred",
                                           "vote.sync.ballot.b32" };
    for (unsigned n = 0; n < COUNT_OF(printed); n++) {
        char text[60];
        const struct ptx_instruction *i = &m->functions[0].instructions[n];
        ptx_print(i, text, sizeof text);
        ck_assert_str_eq(text, printed[n]);
        ck_assert_uint_eq(i->operand[i->operands - 1].bits, 0xffffffff);
    }
    ptx_free(m);
}
END_TEST

START_TEST(an_entry_is_found_by_name)
{
    struct diag d;
    struct ptx_module *m = read_module(HEAD ".entry saxpy() {} .entry relu() {} .func f() {}", &d);
    ck_assert_str_eq(ptx_entry(m, "relu", &d)->name, "relu");
    static const struct { const char *name, *says; } wrong[] = {
        { "saxp", "there is no entry 'saxp'; did you mean 'saxpy'?" },
        { "f",    "there is no entry 'f'; expected one of 2, as 'saxpy'" },
        { NULL,   "there are 2 entries; expected the name of one, as 'saxpy'" },
    };
    for (unsigned n = 0; n < COUNT_OF(wrong); n++) {
        d = (struct diag){ .text = "" };
        ck_assert_ptr_null(ptx_entry(m, wrong[n].name, &d));
        ck_assert_str_eq(d.text, wrong[n].says);
    }
    ptx_free(m);
    m = read_module(HEAD ".func f() {} .entry declared();", &d);
    ck_assert_ptr_null(ptx_entry(m, NULL, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "no entry"));
    ptx_free(m);
}
END_TEST

START_TEST(long_names_are_told_apart)
{
    char text[2000], name[301];
    memset(name, 'x', 300);
    name[300] = '\0';
    struct diag d;
    snprintf(text, sizeof text, HEAD ".entry %s() { .reg .b32 %sa, %sb; mov.b32 %sb, 0; }", name,
             name, name, name);
    struct ptx_module *m = read_module(text, &d);
    ck_assert_msg(m, "%s", d.text);
    ck_assert_uint_eq(m->functions[0].instructions[0].operand[0].number, 1);
    ck_assert_uint_eq(strlen(m->functions[0].name), PTX_NAME - 1);
    ck_assert_ptr_eq(ptx_entry(m, name, &d), &m->functions[0]);
    ptx_free(m);
}
END_TEST

static void add_module_tests(TCase *t)
{
    tcase_add_test(t, variables_have_their_bytes);
    tcase_add_test(t, an_entry_has_parameters_and_limits);
    tcase_add_test(t, labels_hold_within_their_braces);
    tcase_add_test(t, the_nearest_label_is_meant);
    tcase_add_test(t, ranges_that_touch_are_told_apart);
    tcase_add_test(t, names_hold_within_their_braces);
    tcase_add_test(t, an_entry_is_found_by_name);
    tcase_add_test(t, long_names_are_told_apart);
}

Suite *ptx_suite(void)
{
    Suite *s = suite_create("ptx");
    TCase *t = tcase_create("texts");
    tcase_add_loop_test(t, what_compilers_emit_is_read, 0, COUNT_OF(emitted));
    tcase_add_test(t, a_gzipped_module_is_read);
    add_module_tests(t);
    suite_add_tcase(s, t);
    t = tcase_create("instructions");
    tcase_add_loop_test(t, suffixes_become_fields, 0, COUNT_OF(fields));
    tcase_add_loop_test(t, numbers_are_read, 0, COUNT_OF(numbers));
    tcase_add_test(t, operands_are_what_was_written);
    tcase_add_test(t, arguments_of_a_call_are_variables);
    tcase_add_test(t, parameters_in_registers_become_variables);
    tcase_add_loop_test(t, instructions_become_plainer_ones, 0, COUNT_OF(replaced));
    tcase_add_test(t, special_registers_are_moved_to_where_they_are_read);
    tcase_add_test(t, a_jump_compares_its_index_and_keeps_its_guard);
    tcase_add_test(t, logic_with_a_constant_has_its_value);
    tcase_add_test(t, older_shuffles_get_a_mask);
    suite_add_tcase(s, t);
    return s;
}
