/* test_interpret_lanes.c - loads, stores and copies of every width, with lanes side by side,
 * apart, at one place, or missing: what the host makes of it, lane after lane. */
#include <stdlib.h>
#include <string.h>

#include "tests/models/gpu/interpret_rig.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

#define BYTES 1024u                 /* of the data */
#define LANES 32u

enum space { GLOBAL, SHARED, GENERIC, GENERIC_SHARED, SPACES };

static const struct { const char *name; unsigned element, count; bool is_signed; } types[] = {
    { ".u8", 1, 1, false }, { ".s8", 1, 1, true }, { ".v2.u8", 1, 2, false },
    { ".v4.s8", 1, 4, true }, { ".u16", 2, 1, false }, { ".s16", 2, 1, true },
    { ".v2.u16", 2, 2, false }, { ".v4.s16", 2, 4, true }, { ".u32", 4, 1, false },
    { ".v2.f32", 4, 2, false }, { ".v4.s32", 4, 4, true }, { ".u64", 8, 1, false },
    { ".v2.u64", 8, 2, false },
};

/* Parameters: data; of each lane an offset and whether it takes part; results, 16 bytes a lane.
 * Shared memory is a copy of the data, and goes back there. */
#define HEAD \
    ".visible .entry k(.param .u64 pd, .param .u64 pt, .param .u64 po)\n{\n"                 \
    ".reg .pred %p<2>; .reg .b32 %r<16>; .reg .b64 %rd<16>;\n"                               \
    ".shared .align 16 .b8 s[1024];\n"                                                       \
    "ld.param.u64 %rd1, [pd]; ld.param.u64 %rd2, [pt]; ld.param.u64 %rd3, [po];\n"           \
    "mov.u32 %r0, %tid.x; shl.b32 %r7, %r0, 5; mov.u32 %r6, s; add.u32 %r7, %r6, %r7;\n"     \
    "mul.wide.u32 %rd4, %r0, 32; add.u64 %rd4, %rd1, %rd4;\n"                                \
    "ld.global.v4.u32 {%r8, %r9, %r10, %r11}, [%rd4];\n"                                     \
    "st.shared.v4.u32 [%r7], {%r8, %r9, %r10, %r11};\n"                                      \
    "ld.global.v4.u32 {%r8, %r9, %r10, %r11}, [%rd4+16];\n"                                  \
    "st.shared.v4.u32 [%r7+16], {%r8, %r9, %r10, %r11};\n"                                   \
    "mul.wide.u32 %rd5, %r0, 8; add.u64 %rd5, %rd2, %rd5;\n"                                 \
    "ld.global.v2.u32 {%r1, %r2}, [%rd5]; setp.ne.u32 %p1, %r2, 0;\n"                        \
    "mul.wide.u32 %rd6, %r0, 16; add.u64 %rd6, %rd3, %rd6;\n"                                \
    "mov.u32 %r8, 0x1111; mov.u32 %r9, 0x2222; mov.u32 %r10, 0x3333; mov.u32 %r11, 0x4444;\n" \
    "mov.u64 %rd8, 0x222200001111; mov.u64 %rd9, 0x444400003333;\n"                          \
    "cvt.u64.u32 %rd7, %r1;\nbar.sync 0;\n"

static const char *const addresses[] = {
    [GLOBAL]         = "add.u64 %rd7, %rd1, %rd7;\n",
    [SHARED]         = "add.u32 %r5, %r6, %r1;\n",
    [GENERIC]        = "add.u64 %rd7, %rd1, %rd7;\n",
    [GENERIC_SHARED] = "add.u32 %r5, %r6, %r1; cvt.u64.u32 %rd7, %r5; cvta.shared.u64 %rd7, %rd7;\n",
};
static const char *const suffixes[] = { ".global", ".shared", "", "" };
static const char *const operands[] = { "[%rd7]", "[%r5]", "[%rd7]", "[%rd7]" };

#define BACK \
    "bar.sync 0;\n" \
    "ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7];\n"                                      \
    "st.global.v4.u32 [%rd4], {%r8, %r9, %r10, %r11};\n"                                     \
    "ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7+16];\n"                                   \
    "st.global.v4.u32 [%rd4+16], {%r8, %r9, %r10, %r11};\n"

static const char *registers_of(size_t type)
{
    if (types[type].element == 8)
        return types[type].count == 2 ? "{%rd8, %rd9}" : "%rd8";
    return types[type].count == 4 ? "{%r8, %r9, %r10, %r11}"
         : types[type].count == 2 ? "{%r8, %r9}" : "%r8";
}

struct lanes { uint32_t at[LANES], on[LANES]; };

/* Aligned: in order, the other way, all at one place, or anywhere. */
static struct lanes some_lanes(struct dice *d, unsigned bytes)
{
    struct lanes x;
    unsigned how = (unsigned)roll(d, 5), most = BYTES / bytes;
    unsigned first = (unsigned)roll(d, most - LANES + 1);
    bool all = roll(d, 2);
    for (uint32_t l = 0; l < LANES; l++) {
        unsigned in_order = first + (how == 1 ? LANES - 1 - l : l);
        x.at[l] = bytes * (how < 2 ? in_order : how == 2 ? first : (unsigned)roll(d, most));
        x.on[l] = all || roll(d, 3) > 0;
        /* One that does not count may be anywhere. */
        if (!x.on[l] && roll(d, 2))
            x.at[l] = (uint32_t)roll(d, 1u << 31);
    }
    return x;
}

struct memory { uint64_t data, table, out; };

static struct memory give(struct interpret_rig *r, const uint8_t *data, const struct lanes *x)
{
    struct memory m = { gpu_memory_add(r->memory, "data", BYTES),
                        gpu_memory_add(r->memory, "table", 8 * LANES),
                        gpu_memory_add(r->memory, "out", 16 * LANES) };
    uint32_t table[LANES][2];
    for (uint32_t l = 0; l < LANES; l++) {
        table[l][0] = x->at[l];
        table[l][1] = x->on[l];
    }
    memcpy(interpret_rig_at(r, m.data), data, BYTES);
    memcpy(interpret_rig_at(r, m.table), table, sizeof table);
    interpret_rig_u64(r, 0, m.data);
    interpret_rig_u64(r, 1, m.table);
    interpret_rig_u64(r, 2, m.out);
    return m;
}

static void some_bytes(struct dice *d, uint8_t *data)
{
    for (uint32_t i = 0; i < BYTES; i++)
        data[i] = (uint8_t)roll(d, 256);
}

static void expect_load(uint8_t out[16], const uint8_t *at, size_t type)
{
    static const uint32_t before[4] = { 0x1111, 0x2222, 0x3333, 0x4444 };
    memcpy(out, before, 16);
    for (unsigned i = 0; at && i < types[type].count; i++) {
        uint64_t x = 0;
        unsigned size = types[type].element, unused = 64 - 8 * size;
        memcpy(&x, at + i * size, size);
        x = types[type].is_signed ? (uint64_t)((int64_t)(x << unused) >> unused) : x;
        memcpy(out + i * (size == 8 ? 8 : 4), &x, size == 8 ? 8 : 4);
    }
}

START_TEST(each_lane_loads_its_own)
{
    size_t type = (size_t)_i / SPACES;
    enum space space = (enum space)(_i % SPACES);
    unsigned bytes = types[type].element * types[type].count;
    struct dice d = { (uint64_t)_i + 1 };
    uint8_t data[BYTES], wanted[16];
    char text[4096];
    snprintf(text, sizeof text, "%s%s@%%p1 ld%s%s %s, %s;\n%s\nret;\n}\n", HEAD, addresses[space],
             suffixes[space], types[type].name, registers_of(type), operands[space],
             types[type].element == 8 ? "st.global.v2.u64 [%rd6], {%rd8, %rd9};"
                                      : "st.global.v4.u32 [%rd6], {%r8, %r9, %r10, %r11};");
    for (int turn = 0; turn < 12; turn++) {
        struct interpret_rig *r = interpret_rig_new(GPU_SM_80, text);
        some_bytes(&d, data);
        struct lanes x = some_lanes(&d, bytes);
        struct memory m = give(r, data, &x);
        ck_assert_msg(interpret_rig_run(r, 1, LANES), "%s", r->diag.text);
        for (uint32_t l = 0; l < LANES; l++) {
            expect_load(wanted, x.on[l] ? data + x.at[l] : NULL, type);
            ck_assert_msg(!memcmp((uint8_t *)interpret_rig_at(r, m.out) + 16 * l, wanted, 16),
                          "ld%s%s, turn %d, lane %u", suffixes[space], types[type].name, turn, l);
        }
        interpret_rig_free(r);
    }
}
END_TEST

/* What a lane stores: its number, many times over. */
#define TO_STORE \
    "mul.lo.u32 %r8, %r0, 0x9e3779b1; add.u32 %r9, %r8, 0x1234567; add.u32 %r10, %r9, 0x1234567;\n" \
    "add.u32 %r11, %r10, 0x1234567; mov.b64 %rd8, {%r8, %r9}; mov.b64 %rd9, {%r10, %r11};\n"

static void expect_store(uint8_t *at, uint32_t lane, size_t type)
{
    unsigned size = types[type].element;
    for (unsigned i = 0; i < types[type].count * (size == 8 ? 2 : 1); i++) {
        uint32_t word = lane * 0x9e3779b1u + i * 0x1234567u;
        memcpy(at + i * (size == 8 ? 4 : size), &word, size == 8 ? 4 : size);
    }
}

START_TEST(the_last_lane_that_stores_wins)
{
    size_t type = (size_t)_i / SPACES;
    enum space space = (enum space)(_i % SPACES);
    bool is_shared = space == SHARED || space == GENERIC_SHARED;
    unsigned bytes = types[type].element * types[type].count;
    struct dice d = { (uint64_t)_i + 1001 };
    uint8_t data[BYTES];
    char text[4096];
    snprintf(text, sizeof text, "%s%s%s@%%p1 st%s%s %s, %s;\n%sret;\n}\n", HEAD,
             addresses[space], TO_STORE, suffixes[space], types[type].name, operands[space],
             registers_of(type), is_shared ? BACK : "");
    for (int turn = 0; turn < 12; turn++) {
        struct interpret_rig *r = interpret_rig_new(GPU_SM_80, text);
        some_bytes(&d, data);
        struct lanes x = some_lanes(&d, bytes);
        struct memory m = give(r, data, &x);
        ck_assert_msg(interpret_rig_run(r, 1, LANES), "%s", r->diag.text);
        for (uint32_t l = 0; l < LANES; l++)
            if (x.on[l])
                expect_store(data + x.at[l], l, type);
        ck_assert_msg(!memcmp(interpret_rig_at(r, m.data), data, BYTES), "st%s%s, turn %d",
                      suffixes[space], types[type].name, turn);
        interpret_rig_free(r);
    }
}
END_TEST

/* Each lane copies from where its table says to its own place, and fewer bytes than 16: the
 * second of the table's numbers. */
START_TEST(each_lane_copies_as_much_as_it_says)
{
    struct dice d = { 77 };
    uint8_t data[BYTES], wanted[16];
    const char *text = HEAD
        "add.u64 %rd7, %rd1, %rd7; shl.b32 %r5, %r0, 4; add.u32 %r5, %r6, %r5;\n"
        "cp.async.cg.shared.global [%r5], [%rd7], 16, %r2;\ncp.async.wait_all;\n"
        "ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r5];\n"
        "st.global.v4.u32 [%rd6], {%r8, %r9, %r10, %r11};\nret;\n}\n";
    for (int turn = 0; turn < 20; turn++) {
        struct interpret_rig *r = interpret_rig_new(GPU_SM_80, text);
        some_bytes(&d, data);
        struct lanes x = some_lanes(&d, 16);
        for (uint32_t l = 0; l < LANES; l++) {
            x.at[l] &= ~15u;
            x.on[l] = !x.on[l] || x.at[l] >= BYTES ? 0 : turn % 2 ? 16 : (uint32_t)roll(&d, 17);
        }
        struct memory m = give(r, data, &x);
        ck_assert_msg(interpret_rig_run(r, 1, LANES), "%s", r->diag.text);
        for (uint32_t l = 0; l < LANES; l++) {
            memset(wanted, 0, 16);
            if (x.on[l])
                memcpy(wanted, data + x.at[l], x.on[l]);
            ck_assert_msg(!memcmp((uint8_t *)interpret_rig_at(r, m.out) + 16 * l, wanted, 16),
                          "turn %d, lane %u", turn, l);
        }
        interpret_rig_free(r);
    }
}
END_TEST

Suite *interpret_lanes_suite(void)
{
    Suite *s = suite_create("interpret_lanes");
    TCase *t = tcase_create("lanes");
    int forms = (int)(COUNT_OF(types) * SPACES);
    tcase_add_loop_test(t, each_lane_loads_its_own, 0, forms);
    tcase_add_loop_test(t, the_last_lane_that_stores_wins, 0, forms);
    tcase_add_test(t, each_lane_copies_as_much_as_it_says);
    suite_add_tcase(s, t);
    return s;
}
