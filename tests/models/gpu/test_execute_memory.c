/* test_execute_memory.c - moves, special registers, and what memory operations carry. */
#include <math.h>

#include "models/numerics/bf16.h"
#include "tests/models/gpu/execute_check.h"
#include "tests/suites.h"

REFERENCE(same, a) REFERENCE(shared_in, a + GPU_SHARED_WINDOW)
REFERENCE(shared_out, a - GPU_SHARED_WINDOW) REFERENCE(local_in, a + GPU_LOCAL_WINDOW)
REFERENCE(const_in, a + GPU_CONST_WINDOW)

static const struct execute_case cases[] = {
    { "mov.b16 %h0, %h1;", same }, { "mov.u32 %r0, %r1;", same }, { "mov.f32 %f0, %f1;", same },
    { "mov.b64 %rd0, %rd1;", same }, { "mov.f64 %fd0, %fd1;", same },
    { "cvta.global.u64 %rd0, %rd1;", same }, { "cvta.to.global.u64 %rd0, %rd1;", same },
    { "cvta.shared.u64 %rd0, %rd1;", shared_in }, { "cvta.to.shared.u64 %rd0, %rd1;", shared_out },
    { "cvta.local.u64 %rd0, %rd1;", local_in }, { "cvta.const.u64 %rd0, %rd1;", const_in },
};

START_TEST(moves_move)
{
    execute_check(&cases[_i], 6000 + (uint64_t)_i, 30);
}
END_TEST

static void words(struct execute_rig *r, const uint32_t *x, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        execute_rig_source(r, i)[4] = x[i];
    execute_rig_run(r, 1 << 4);
}

START_TEST(vectors_are_packed_and_unpacked_low_part_first)
{
    static const struct { const char *text; unsigned in, out; uint32_t from[4], to[4]; } moves[] = {
        { "mov.b32 %r0, {%h1, %h2};", 2, 1, { 0x1234, 0xabcd }, { 0xabcd1234 } },
        { "mov.b32 {%h0, %h1}, %r2;", 1, 2, { 0xabcd1234 }, { 0x1234, 0xabcd } },
        { "mov.b64 %rd0, {%r1, %r2};", 2, 2, { 1, 2 }, { 1, 2 } },
        { "mov.b64 {%r0, %r1}, %rd2;", 2, 2, { 3, 4 }, { 3, 4 } },
        { "mov.b64 %rd0, {%h1, %h2, %h3, %h4};", 4, 2, { 1, 2, 3, 0xffff }, { 0x20001, 0xffff0003 } },
        { "mov.b64 {%h0, %h1, %h2, %h3}, %rd4;", 2, 4, { 0x20001, 0xffff0003 }, { 1, 2, 3, 0xffff } },
        { "mov.b64 {_, %r1}, %rd2;", 2, 2, { 3, 4 }, { 3, 4 } },
    };
    for (size_t i = 0; i < COUNT_OF(moves); i++) {
        struct execute_rig *r = execute_rig_new(moves[i].text);
        ck_assert_uint_eq(r->op.dsts, moves[i].out);
        words(r, moves[i].from, moves[i].in);
        for (unsigned w = 0; w < moves[i].out; w++)
            ck_assert_msg(execute_rig_dest(r, w)[4] == moves[i].to[w], "%s", moves[i].text);
        execute_rig_free(r);
    }
}
END_TEST

static uint64_t special(const char *name, unsigned lane)
{
    char text[80];
    bool wide = !strcmp(name, "%clock64") || !strcmp(name, "%globaltimer");
    snprintf(text, sizeof text, "mov.%s, %s;", wide ? "u64 %rd0" : "u32 %r0", name);
    struct execute_rig *r = execute_rig_new(text);
    uint32_t block[3] = { 6, 5, 4 }, grid[3] = { 7, 8, 9 };
    memcpy(r->launch.block, block, sizeof block);
    memcpy(r->launch.grid, grid, sizeof grid);
    r->launch.shared_bytes = 300;
    r->kernel.shared_bytes = 44;
    r->block.at[0] = 1, r->block.at[1] = 2, r->block.at[2] = 3;
    r->block.sm = 17, r->block.sm_count = 80;
    r->block.clock = 0x500000006, r->block.ns = 0x700000008;
    gpu_warp_start(&r->warp, &r->block, 2, r->registers);       /* threads 64 to 95 */
    execute_rig_run(r, UINT32_MAX);
    uint64_t value = execute_rig_dest(r, 0)[lane];
    if (wide)
        value |= (uint64_t)execute_rig_dest(r, 1)[lane] << 32;
    execute_rig_free(r);
    return value;
}

START_TEST(special_registers_say_who_and_where)
{
    for (unsigned lane = 0; lane < GPU_LANES; lane += 5) {      /* 6 x 5 x 4 threads */
        unsigned t = 64 + lane;
        ck_assert_uint_eq(special("%tid.x", lane), t % 6);
        ck_assert_uint_eq(special("%tid.y", lane), t / 6 % 5);
        ck_assert_uint_eq(special("%tid.z", lane), t / 30);
        ck_assert_uint_eq(special("%laneid", lane), lane);
        ck_assert_uint_eq(special("%lanemask_eq", lane), 1u << lane);
        ck_assert_uint_eq(special("%lanemask_lt", lane), (1ull << lane) - 1);
        ck_assert_uint_eq(special("%lanemask_le", lane), (2ull << lane) - 1);
        ck_assert_uint_eq(special("%lanemask_gt", lane), (uint32_t)~((2ull << lane) - 1));
        ck_assert_uint_eq(special("%lanemask_ge", lane), (uint32_t)~((1ull << lane) - 1));
    }
    ck_assert_uint_eq(special("%ntid.x", 0) * 100 + special("%ntid.y", 0) * 10 + special("%ntid.z", 0), 654);
    ck_assert_uint_eq(special("%ctaid.x", 0) * 100 + special("%ctaid.y", 0) * 10 + special("%ctaid.z", 0), 123);
    ck_assert_uint_eq(special("%nctaid.x", 0) * 100 + special("%nctaid.y", 0) * 10 + special("%nctaid.z", 0), 789);
    ck_assert_uint_eq(special("%warpid", 3), 2);
    ck_assert_uint_eq(special("%nwarpid", 3), 4);               /* 120 threads */
    ck_assert_uint_eq(special("%smid", 3), 17);
    ck_assert_uint_eq(special("%nsmid", 3), 80);
    ck_assert_uint_eq(special("%clock", 3), 6);
    ck_assert_uint_eq(special("%clock64", 3), 0x500000006);
    ck_assert_uint_eq(special("%globaltimer", 3), 0x700000008);
    ck_assert_uint_eq(special("%dynamic_smem_size", 3), 300);
    ck_assert_uint_eq(special("%total_smem_size", 3), 344);
}
END_TEST

START_TEST(isspacep_asks_for_the_window)
{
    static const struct { const char *space; uint32_t expected; } spaces[] = {
        { "global", 1 }, { "shared", 2 }, { "local", 4 }, { "const", 8 } };
    const uint64_t in[] = { 0x10000000, GPU_SHARED_WINDOW + 100, GPU_LOCAL_WINDOW, GPU_CONST_WINDOW + 4 };
    for (size_t i = 0; i < COUNT_OF(spaces); i++) {
        char text[64];
        snprintf(text, sizeof text, "isspacep.%s %%p0, %%rd1;", spaces[i].space);
        struct execute_rig *r = execute_rig_new(text);
        for (unsigned l = 0; l < 4; l++) {
            execute_rig_source(r, 0)[l] = (uint32_t)in[l];
            execute_rig_source(r, 1)[l] = (uint32_t)(in[l] >> 32);
        }
        execute_rig_run(r, 0xf);
        ck_assert_uint_eq(r->warp.predicates[0], spaces[i].expected);
        execute_rig_free(r);
    }
}
END_TEST

/* The bytes 81 82 83 ... in memory, and what a load makes of them. */
START_TEST(loads_extend_and_stores_cut)
{
    static const struct { const char *text; uint8_t kind, bytes; unsigned words; uint32_t word[4]; } loads[] = {
        { "ld.global.u8 %h0, [%rd1];", GPU_LOAD, 1, 1, { 0x81 } },
        { "ld.global.s8 %r0, [%rd1];", GPU_LOAD, 1, 1, { 0xffffff81 } },
        { "ld.global.s8 %rd0, [%rd1];", GPU_LOAD, 1, 2, { 0xffffff81, 0xffffffff } },
        { "ld.global.u16 %rd0, [%rd1];", GPU_LOAD, 2, 2, { 0x8281, 0 } },
        { "ld.global.s32 %rd0, [%rd1];", GPU_LOAD, 4, 2, { 0x84838281, 0xffffffff } },
        { "ld.global.f32 %f0, [%rd1];", GPU_LOAD, 4, 1, { 0x84838281 } },
        { "ld.global.b64 %rd0, [%rd1];", GPU_LOAD, 8, 2, { 0x84838281, 0x88878685 } },
        { "ld.global.v2.f64 {%fd0, %fd1}, [%rd1];", GPU_LOAD, 16, 4,
          { 0x84838281, 0x88878685, 0x8c8b8a89, 0x908f8e8d } },
        { "ld.global.v4.u8 {%r0, %r1, %r2, %r3}, [%rd1];", GPU_LOAD, 4, 4, { 0x81, 0x82, 0x83, 0x84 } },
        { "ld.global.v2.s16 {%r0, %r1}, [%rd1];", GPU_LOAD, 4, 2, { 0xffff8281, 0xffff8483 } },
        { "ld.global.v4.b16 {%h0, %h1, %h2, %h3}, [%rd1];", GPU_LOAD, 8, 4,
          { 0x8281, 0x8483, 0x8685, 0x8887 } },
    };
    uint8_t memory[16], stored[16];
    for (unsigned i = 0; i < 16; i++)
        memory[i] = (uint8_t)(0x81 + i);
    for (size_t i = 0; i < COUNT_OF(loads); i++) {
        struct execute_rig *r = execute_rig_read(loads[i].text);
        ck_assert(gpu_execute_find(r->i, &r->op));
        r->op.kind = loads[i].kind;
        ck_assert_uint_eq(r->op.access.bytes, loads[i].bytes);
        ck_assert_uint_eq(r->op.access.space, GPU_SPACE_GLOBAL);
        gpu_warp_load_bytes(&r->warp, &r->op, 7, memory);
        for (unsigned w = 0; w < loads[i].words; w++)
            ck_assert_msg(execute_rig_dest(r, w)[7] == loads[i].word[w], "%s: %x", loads[i].text,
                          execute_rig_dest(r, w)[7]);
        ck_assert_uint_eq(execute_rig_dest(r, 0)[6], 0);
        execute_rig_free(r);
        /* The same back: st with the same operands the other way round. */
        char text[96];
        const char *comma = strchr(loads[i].text, '['), *space = strchr(loads[i].text, ' ');
        const char *end = loads[i].text[(space - loads[i].text) + 1] == '{' ? strchr(space, '}') + 1
                                                                           : strchr(space, ',');
        snprintf(text, sizeof text, "st%.*s %.*s, %.*s;", (int)(space - loads[i].text) - 2,
                 loads[i].text + 2, (int)(strchr(comma, ']') - comma) + 1, comma,
                 (int)(end - space) - 1, space + 1);
        r = execute_rig_read(text);
        ck_assert_msg(r && gpu_execute_find(r->i, &r->op), "%s", text);
        r->op.kind = GPU_STORE;
        r->op.access.data_at = 2;
        for (unsigned w = 0; w < loads[i].words; w++)
            execute_rig_source(r, 2 + w)[7] = loads[i].word[w];
        memset(stored, 0, sizeof stored);
        gpu_warp_store_bytes(&r->warp, &r->op, 7, stored);
        ck_assert_msg(!memcmp(stored, memory, loads[i].bytes), "%s", text);
        execute_rig_free(r);
    }
}
END_TEST

START_TEST(parameters_and_constants_are_read_without_memory)
{
    uint8_t params[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    struct execute_rig *r = execute_rig_new("ld.param.v2.u16 {%r0, %r1}, [%rd1];");
    r->launch.params = params;
    r->kernel.param_bytes = 10;
    r->op.access.address_words = 2;
    for (unsigned l = 0; l < GPU_LANES; l++)
        execute_rig_source(r, 0)[l] = l % 3 * 4;
    execute_rig_run(r, 0x3);
    ck_assert_uint_eq(execute_rig_dest(r, 0)[1], 0x0605);
    ck_assert_uint_eq(execute_rig_dest(r, 1)[1], 0x0807);
    ck_assert(!r->warp.outside);
    execute_rig_run(r, 0x4);                    /* bytes 8 to 11 of 10 */
    ck_assert(r->warp.outside && r->warp.outside_lane == 2 && r->warp.outside_at == 8);
    r->warp.outside = false;
    execute_rig_source(r, 0)[5] = 2;            /* not a multiple of 4 */
    execute_rig_run(r, 1 << 5);
    ck_assert(r->warp.outside && r->warp.outside_lane == 5 && r->warp.outside_at == 2);
    execute_rig_free(r);
    r = execute_rig_new("ld.const.u32 %r0, [%r1];");
    r->kernel.const_bytes = params;
    r->kernel.const_size = 8;
    r->op.access.address_words = 1;
    execute_rig_source(r, 0)[9] = 4;
    execute_rig_run(r, 1 << 9);
    ck_assert_uint_eq(execute_rig_dest(r, 0)[9], 0x08070605);
    execute_rig_free(r);
}
END_TEST

/* Matrix m, row i, column j is 64 m + 8 i + j. */
START_TEST(ldmatrix_gives_each_lane_two_of_a_row)
{
    uint16_t rows[4][8][8];
    for (unsigned i = 0; i < 4 * 64; i++)
        rows[i / 64][i / 8 % 8][i % 8] = (uint16_t)i;
    for (int trans = 0; trans < 2; trans++) {
        struct execute_rig *r = execute_rig_read(
            trans ? "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r0,%r1,%r2,%r3}, [%r4];"
                  : "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r0,%r1,%r2,%r3}, [%r4];");
        ck_assert(gpu_execute_find(r->i, &r->op));
        ck_assert_uint_eq(r->op.number, 4);
        r->op.kind = GPU_MATRIX;
        gpu_warp_load_matrix(&r->warp, &r->op, (const uint8_t *)rows);
        for (unsigned m = 0; m < 4; m++)
            for (unsigned l = 0; l < GPU_LANES; l++)
                for (unsigned h = 0; h < 2; h++) {
                    unsigned i = l / 4, j = l % 4 * 2 + h;
                    ck_assert_uint_eq(execute_rig_dest(r, m)[l] >> 16 * h & 0xffff,
                                      64 * m + (trans ? 8 * j + i : 8 * i + j));
                }
        execute_rig_free(r);
    }
}
END_TEST

START_TEST(a_copy_may_be_shorter_than_its_place)
{
    struct execute_rig *r = execute_rig_read("cp.async.ca.shared.global [%r1+64], [%rd2], 8, %r3;");
    ck_assert(gpu_execute_find(r->i, &r->op));
    ck_assert_uint_eq(r->op.access.bytes, 8);
    struct gpu_op op = r->op;
    /* The list as the compiler makes it: the global address, the shared one, the size. */
    uint16_t list[] = { 10, 11, 12, 13 };
    memcpy(r->operands, list, sizeof list);
    op.dsts = 0, op.srcs = 4, op.access.data_at = 2, op.access.address_words = 2;
    gpu_copy_set_offset(&op, -64);
    ck_assert_int_eq(gpu_copy_offset(&op), -64);
    uint32_t read;
    r->registers[12][5] = 1000;
    r->registers[13][5] = 3;
    ck_assert_uint_eq(gpu_warp_copy_to(&r->warp, &op, 5, &read), 936);
    ck_assert_uint_eq(read, 3);
    r->registers[13][5] = 9;
    gpu_warp_copy_to(&r->warp, &op, 5, &read);
    ck_assert_uint_eq(read, 8);
    op.srcs = 3;
    gpu_warp_copy_to(&r->warp, &op, 5, &read);
    ck_assert_uint_eq(read, 8);
    execute_rig_free(r);
}
END_TEST

/* Atomics: the text, the old value, two operands, what memory has then. */
static const struct { const char *text; uint64_t old, y, z, then; } atomics[] = {
    { "atom.global.add.u32 %r0, [%rd1], %r2;", 0xffffffff, 3, 0, 2 },
    { "atom.global.add.u64 %rd0, [%rd1], %rd2;", UINT64_MAX, 3, 0, 2 },
    { "atom.shared.add.f32 %f0, [%rd1], %f2;", 0x00000001, 0x00000001, 0, 0x00000002 },
    { "atom.global.add.f32 %f0, [%rd1], %f2;", 0x00000001, 0x00000001, 0, 0 },
    { "atom.global.add.f32 %f0, [%rd1], %f2;", 0x3f800000, 0x40000000, 0, 0x40400000 },
    { "atom.global.add.f64 %fd0, [%rd1], %fd2;", UINT64_C(0x3ff0000000000000),
      UINT64_C(0x4000000000000000), 0, UINT64_C(0x4008000000000000) },
    { "atom.global.add.noftz.f16 %h0, [%rd1], %h2;", 0x3c00, 0x4000, 0, 0x4200 },
    { "atom.global.add.noftz.f16x2 %r0, [%rd1], %r2;", 0x3c007c00, 0x40003c00, 0, 0x42007c00 },
    { "atom.global.add.noftz.bf16x2 %r0, [%rd1], %r2;", 0x3f803f80, 0x40003b80, 0, 0x40403f80 },
    { "atom.global.inc.u32 %r0, [%rd1], %r2;", 4, 5, 0, 5 },
    { "atom.global.inc.u32 %r0, [%rd1], %r2;", 5, 5, 0, 0 },
    { "atom.global.dec.u32 %r0, [%rd1], %r2;", 0, 5, 0, 5 },
    { "atom.global.dec.u32 %r0, [%rd1], %r2;", 9, 5, 0, 5 },
    { "atom.global.dec.u32 %r0, [%rd1], %r2;", 3, 5, 0, 2 },
    { "atom.global.min.s32 %r0, [%rd1], %r2;", 5, 0xffffffff, 0, 0xffffffff },
    { "atom.global.min.u32 %r0, [%rd1], %r2;", 5, 0xffffffff, 0, 5 },
    { "atom.global.max.s32 %r0, [%rd1], %r2;", 5, 0xffffffff, 0, 5 },
    { "atom.global.max.u32 %r0, [%rd1], %r2;", 5, 0xffffffff, 0, 0xffffffff },
    { "atom.global.min.s64 %rd0, [%rd1], %rd2;", 5, UINT64_MAX, 0, UINT64_MAX },
    { "atom.global.max.u64 %rd0, [%rd1], %rd2;", 5, UINT64_MAX, 0, UINT64_MAX },
    { "atom.global.min.u64 %rd0, [%rd1], %rd2;", 5, UINT64_MAX, 0, 5 },
    { "atom.global.max.s64 %rd0, [%rd1], %rd2;", 5, UINT64_MAX, 0, 5 },
    { "atom.global.and.b32 %r0, [%rd1], %r2;", 0xff0f, 0x0ff0, 0, 0x0f00 },
    { "atom.global.or.b64 %rd0, [%rd1], %rd2;", 1, UINT64_C(1) << 63, 0, (UINT64_C(1) << 63) + 1 },
    { "atom.global.xor.b32 %r0, [%rd1], %r2;", 0xff, 0x0f, 0, 0xf0 },
    { "atom.global.exch.b32 %r0, [%rd1], %r2;", 7, 8, 0, 8 },
    { "atom.global.exch.b64 %rd0, [%rd1], %rd2;", 7, UINT64_MAX - 1, 0, UINT64_MAX - 1 },
    { "atom.global.cas.b32 %r0, [%rd1], %r2, %r3;", 7, 7, 9, 9 },
    { "atom.global.cas.b32 %r0, [%rd1], %r2, %r3;", 7, 6, 9, 7 },
    { "atom.global.cas.b64 %rd0, [%rd1], %rd2, %rd3;", UINT64_MAX, UINT64_MAX, 1, 1 },
    { "atom.global.cas.b16 %h0, [%rd1], %h2, %h3;", 7, 7, 9, 9 },
};

START_TEST(atomics_change_memory_and_say_what_was_there)
{
    for (size_t i = 0; i < COUNT_OF(atomics); i++) {
        struct execute_rig *r = execute_rig_read(atomics[i].text);
        ck_assert_msg(r && gpu_execute_find(r->i, &r->op), "%s", atomics[i].text);
        r->op.kind = GPU_ATOMIC;
        r->op.access.data_at = 2;
        unsigned bytes = r->op.access.bytes, per = bytes == 8 ? 2 : 1;
        for (unsigned w = 0; w < per; w++) {
            execute_rig_source(r, 2 + w)[3] = (uint32_t)(atomics[i].y >> 32 * w);
            execute_rig_source(r, 2 + per + w)[3] = (uint32_t)(atomics[i].z >> 32 * w);
        }
        uint8_t memory[8], old[8];
        struct gpu_atomic a;
        memcpy(memory, &atomics[i].old, 8);
        gpu_warp_atomic(&r->warp, &r->op, 3, &a);
        gpu_atomic_apply(&a, memory, old);
        ck_assert_msg(!memcmp(memory, &atomics[i].then, bytes), "%s", atomics[i].text);
        ck_assert_msg(!memcmp(old, &atomics[i].old, bytes), "%s", atomics[i].text);
        gpu_warp_load_bytes(&r->warp, &r->op, 3, old);
        ck_assert_uint_eq(execute_rig_dest(r, 0)[3], (uint32_t)atomics[i].old);
        execute_rig_free(r);
    }
}
END_TEST

/* Forms that the reader takes must be found; forms that it would not take must not. */
START_TEST(what_is_not_an_instruction_is_not_found)
{
    struct gpu_op op = { 0 };
    struct ptx_instruction wrong[] = {
        { .op = PTX_ADD, .type = { PTX_B32 } }, { .op = PTX_ADD, .type = { PTX_U8 } },
        { .op = PTX_MUL, .type = { PTX_S32 } },
        { .op = PTX_ADD, .type = { PTX_U32 }, .modifiers = UINT64_C(1) << PTX_M_SAT },
        { .op = PTX_SIN, .type = { PTX_F64 }, .modifiers = UINT64_C(1) << PTX_M_APPROX },
        { .op = PTX_CVT, .type = { PTX_F32, PTX_PRED } }, { .op = PTX_CALL },
        { .op = PTX_MMA, .type = { PTX_F32, PTX_F16, PTX_BF16, PTX_F32 }, .m = 16, .n = 8, .k = 16,
          .row_a = 1 },
        { .op = PTX_MMA, .type = { PTX_F32, PTX_F16, PTX_F16, PTX_F32 }, .m = 16, .n = 8, .k = 32,
          .row_a = 1 },
        { .op = PTX_ATOM, .type = { PTX_F32 }, .function = PTX_F_MIN },
        { .op = PTX_SETP, .type = { PTX_PRED }, .compare = PTX_EQ },
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!gpu_execute_find(&wrong[i], &op), "case %zu", i);
}
END_TEST

Suite *execute_memory_suite(void)
{
    Suite *s = suite_create("execute_memory");
    TCase *t = tcase_create("values");
    tcase_add_loop_test(t, moves_move, 0, COUNT_OF(cases));
    tcase_add_test(t, vectors_are_packed_and_unpacked_low_part_first);
    tcase_add_test(t, special_registers_say_who_and_where);
    tcase_add_test(t, isspacep_asks_for_the_window);
    tcase_add_test(t, loads_extend_and_stores_cut);
    tcase_add_test(t, parameters_and_constants_are_read_without_memory);
    tcase_add_test(t, ldmatrix_gives_each_lane_two_of_a_row);
    tcase_add_test(t, a_copy_may_be_shorter_than_its_place);
    tcase_add_test(t, atomics_change_memory_and_say_what_was_there);
    tcase_add_test(t, what_is_not_an_instruction_is_not_found);
    suite_add_tcase(s, t);
    return s;
}
