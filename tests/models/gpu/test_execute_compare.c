/* test_execute_compare.c - setp, set, selp, slct: all comparisons of all types. */
#include <math.h>

#include "models/numerics/bf16.h"
#include "tests/models/gpu/execute_check.h"
#include "tests/suites.h"

enum { LESS, EQUAL, GREATER, NEITHER };

static int order(long double x, long double y)
{
    return x < y ? LESS : x == y ? EQUAL : x > y ? GREATER : NEITHER;
}

/* What is true of less, equal, greater, unordered. */
static const struct { const char *name; bool is[4]; bool floats, unsigneds; } compares[] = {
    { "eq",  { 0, 1, 0, 0 }, 1, 1 }, { "ne",  { 1, 0, 1, 0 }, 1, 1 },
    { "lt",  { 1, 0, 0, 0 }, 1, 1 }, { "le",  { 1, 1, 0, 0 }, 1, 1 },
    { "gt",  { 0, 0, 1, 0 }, 1, 1 }, { "ge",  { 0, 1, 1, 0 }, 1, 1 },
    { "equ", { 0, 1, 0, 1 }, 1, 0 }, { "neu", { 1, 0, 1, 1 }, 1, 0 },
    { "ltu", { 1, 0, 0, 1 }, 1, 0 }, { "leu", { 1, 1, 0, 1 }, 1, 0 },
    { "gtu", { 0, 0, 1, 1 }, 1, 0 }, { "geu", { 0, 1, 1, 1 }, 1, 0 },
    { "num", { 1, 1, 1, 0 }, 1, 0 }, { "nan", { 0, 0, 0, 1 }, 1, 0 },
    { "lo",  { 1, 0, 0, 0 }, 0, 1 }, { "ls",  { 1, 1, 0, 0 }, 0, 1 },
    { "hi",  { 0, 0, 1, 0 }, 0, 1 }, { "hs",  { 0, 1, 1, 0 }, 0, 1 },
};

static long double f64_value(uint64_t b) { double x; memcpy(&x, &b, sizeof x); return x; }

#define VALUE(name, expression) \
    static long double name(uint64_t a) { return (long double)(expression); }
VALUE(u16_value, (uint16_t)a) VALUE(s16_value, (int16_t)a) VALUE(u32_value, (uint32_t)a)
VALUE(s32_value, (int32_t)a) VALUE(u64_value, a) VALUE(s64_value, (int64_t)a)
VALUE(f32_value, f32_from_bits((uint32_t)a)) VALUE(f16_value, f16_to_f32((uint16_t)a))
VALUE(bf16_value, bf16_to_f32((uint16_t)a))

static const struct { const char *name, *a, *b; int bits; int kind; long double (*value)(uint64_t); }
types[] = {
    { "u16", "%h1", "%h2", 16, 0, u16_value }, { "s16", "%h1", "%h2", 16, 1, s16_value },
    { "u32", "%r1", "%r2", 32, 0, u32_value }, { "s32", "%r1", "%r2", 32, 1, s32_value },
    { "u64", "%rd1", "%rd2", 64, 0, u64_value }, { "s64", "%rd1", "%rd2", 64, 1, s64_value },
    { "f32", "%f1", "%f2", 32, 2, f32_value }, { "f64", "%fd1", "%fd2", 64, 2, f64_value },
    { "f16", "%h1", "%h2", 16, 2, f16_value }, { "bf16", "%h1", "%h2", 16, 2, bf16_value },
};

/* Whether a type of that kind (unsigned, signed, float) has the comparison. */
static bool has(size_t c, int kind)
{
    bool only_unsigned = !compares[c].floats, only_float = !compares[c].unsigneds;
    return kind == 0 ? !only_float : kind == 1 ? !only_float && !only_unsigned : !only_unsigned;
}

static uint64_t operand(struct execute_random *x, struct execute_rig *r, unsigned at, unsigned l,
                        int bits, uint64_t like)
{
    uint64_t v = execute_random_word(x) | (uint64_t)execute_random_word(x) << 32;
    if (execute_random64(x) % 3 == 0)
        v = like;
    v &= UINT64_MAX >> (64 - bits);
    execute_rig_source(r, at)[l] = (uint32_t)v;
    if (bits == 64)
        execute_rig_source(r, at + 1)[l] = (uint32_t)(v >> 32);
    return v;
}

static void check_setp(size_t t, size_t c, const char *join)
{
    char text[160];
    snprintf(text, sizeof text, "setp.%s%s.%s %%p0|%%p1, %s, %s%s;", compares[c].name, join,
             types[t].name, types[t].a, types[t].b, *join ? ", !%p2" : "");
    struct execute_random x = { 31 * t + c };
    struct execute_rig *r = execute_rig_new(text);
    unsigned words = types[t].bits == 64 ? 2 : 1;
    for (int round = 0; round < 8; round++) {
        uint32_t p = 0, q = 0, other = execute_random_word(&x), mask = execute_random_word(&x);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            uint64_t a = operand(&x, r, 0, l, types[t].bits, 0);
            uint64_t b = operand(&x, r, words, l, types[t].bits, a);
            bool is = compares[c].is[order(types[t].value(a), types[t].value(b))];
            bool n = !(other >> l & 1);
            bool pl = !strcmp(join, ".and") ? is && n : !strcmp(join, ".or") ? is || n
                      : *join ? is != n : is;
            bool ql = !strcmp(join, ".and") ? !is && n : !strcmp(join, ".or") ? !is || n
                      : *join ? !is != n : !is;
            p |= (uint32_t)pl << l;
            q |= (uint32_t)ql << l;
        }
        r->warp.predicates[2] = other;
        execute_rig_run(r, mask);
        ck_assert_msg((r->warp.predicates[0] & mask) == (p & mask), "%s", text);
        ck_assert_msg((r->warp.predicates[1] & mask) == (q & mask), "%s", text);
        r->warp.predicates[0] = r->warp.predicates[1] = 0;
    }
    execute_rig_free(r);
}

START_TEST(a_predicate_says_how_two_numbers_compare)
{
    static const char *const joins[] = { "", ".and", ".or", ".xor" };
    for (size_t c = 0; c < COUNT_OF(compares); c++)
        if (has(c, types[_i].kind))
            check_setp((size_t)_i, c, joins[c % 4]);
    check_setp((size_t)_i, 0, ".and");
    check_setp((size_t)_i, 1, ".or");
    check_setp((size_t)_i, 2 * (types[_i].kind > 0), ".xor");
}
END_TEST

static uint64_t both(uint64_t a, uint64_t b, long double (*value)(uint64_t), uint32_t yes, int wanted)
{
    bool low = order(value(a & 0xffff), value(b & 0xffff)) == wanted;
    bool high = order(value(a >> 16), value(b >> 16)) == wanted;
    return (low ? yes : 0) | (uint64_t)(high ? yes : 0) << 16;
}

static float flushed(uint64_t a)
{
    float x = f32_from_bits((uint32_t)a);
    return fpclassify(x) == FP_SUBNORMAL ? 0 : x;
}

REFERENCE(set_u32, (int32_t)a < (int32_t)b ? UINT32_MAX : 0)
REFERENCE(set_f32, f32_value(a) >= f32_value(b) ? 0x3f800000 : 0)
REFERENCE(set_ftz, flushed(a) == flushed(b) ? UINT32_MAX : 0)
REFERENCE(set_f64, f64_value(a) < f64_value(b) ? 0x3f800000 : 0)
REFERENCE(set_f16, f16_value(a) > f16_value(b) ? 0x3c00 : 0)
REFERENCE(set_u16, f16_value(a) > f16_value(b) ? 0xffff : 0)
REFERENCE(set_h2, both(a, b, f16_value, 0x3c00, LESS))
REFERENCE(set_h2_u32, both(a, b, f16_value, 0xffff, GREATER))
REFERENCE(set_b2, both(a, b, bf16_value, 0x3f80, EQUAL))
REFERENCE(slct_s, (int32_t)c >= 0 ? a : b)
REFERENCE(slct_f, f32_value(c) >= 0 ? a : b)
REFERENCE(slct_z, flushed(c) >= 0 ? a : b)

static const struct execute_case cases[] = {
    { "set.lt.u32.s32 %r0, %r1, %r2;", set_u32 }, { "set.ge.f32.f32 %f0, %f1, %f2;", set_f32 },
    { "set.eq.ftz.s32.f32 %r0, %f1, %f2;", set_ftz }, { "set.lt.f32.f64 %f0, %fd1, %fd2;", set_f64 },
    { "set.gt.f16.f16 %h0, %h1, %h2;", set_f16 }, { "set.gt.u16.f16 %h0, %h1, %h2;", set_u16 },
    { "set.lt.f16x2.f16x2 %r0, %r1, %r2;", set_h2 },
    { "set.gt.u32.f16x2 %r0, %r1, %r2;", set_h2_u32 },
    { "set.eq.bf16x2.bf16x2 %r0, %r1, %r2;", set_b2 },
    { "slct.b32.s32 %r0, %r1, %r2, %r3;", slct_s }, { "slct.u64.s32 %rd0, %rd1, %rd2, %r3;", slct_s },
    { "slct.f32.f32 %f0, %f1, %f2, %f3;", slct_f }, { "slct.f64.f32 %fd0, %fd1, %fd2, %f3;", slct_f },
    { "slct.ftz.u32.f32 %r0, %r1, %r2, %f3;", slct_z }, { "slct.b16.s32 %h0, %h1, %h2, %r3;", slct_s },
};

START_TEST(a_comparison_selects_or_is_a_number)
{
    execute_check(&cases[_i], 5000 + (uint64_t)_i, 100);
}
END_TEST

START_TEST(a_predicate_selects)
{
    static const char *const texts[] = { "selp.b16 %h0, %h1, %h2, %p3;",
                                         "selp.f32 %f0, %f1, %f2, %p3;",
                                         "selp.b64 %rd0, %rd1, %rd2, %p3;" };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct execute_rig *r = execute_rig_new(texts[i]);
        unsigned words = i == 2 ? 2 : 1;
        r->warp.predicates[3] = 0x0ff00f35;
        for (unsigned l = 0; l < GPU_LANES; l++)
            for (unsigned s = 0; s < 2 * words; s++)
                execute_rig_source(r, s)[l] = 100 * s + l;
        execute_rig_run(r, UINT32_MAX);
        for (unsigned l = 0; l < GPU_LANES; l++)
            for (unsigned s = 0; s < words; s++)
                ck_assert_uint_eq(execute_rig_dest(r, s)[l],
                                  100 * (0x0ff00f35 >> l & 1 ? s : words + s) + l);
        execute_rig_free(r);
    }
}
END_TEST

START_TEST(two_halves_give_two_predicates)
{
    struct execute_rig *r = execute_rig_new("setp.lt.and.f16x2 %p0|%p1, %r1, %r2, %p3;");
    /* 1 < 2 and 3 < 2; then the other way; then a NaN below. */
    execute_rig_source(r, 0)[0] = 0x42003c00, execute_rig_source(r, 1)[0] = 0x40004000;
    execute_rig_source(r, 0)[1] = 0x3c004200, execute_rig_source(r, 1)[1] = 0x40004000;
    execute_rig_source(r, 0)[2] = 0x3c007e00, execute_rig_source(r, 1)[2] = 0x40004000;
    execute_rig_source(r, 0)[3] = 0x3c003c00, execute_rig_source(r, 1)[3] = 0x40004000;
    r->warp.predicates[3] = 0x7;
    execute_rig_run(r, 0xf);
    ck_assert_uint_eq(r->warp.predicates[0], 0x1);
    ck_assert_uint_eq(r->warp.predicates[1], 0x6);
    execute_rig_free(r);
}
END_TEST

Suite *execute_compare_suite(void)
{
    Suite *s = suite_create("execute_compare");
    TCase *t = tcase_create("values");
    tcase_add_loop_test(t, a_predicate_says_how_two_numbers_compare, 0, COUNT_OF(types));
    tcase_add_loop_test(t, a_comparison_selects_or_is_a_number, 0, COUNT_OF(cases));
    tcase_add_test(t, a_predicate_selects);
    tcase_add_test(t, two_halves_give_two_predicates);
    suite_add_tcase(s, t);
    return s;
}
