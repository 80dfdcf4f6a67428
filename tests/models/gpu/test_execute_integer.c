/* test_execute_integer.c - integer arithmetic against 128-bit arithmetic of the host. */
#include "tests/models/gpu/execute_check.h"
#include "tests/suites.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

#define A16 ((wide)(int16_t)a)
#define B16 ((wide)(int16_t)b)
#define A32 ((wide)(int32_t)a)
#define B32 ((wide)(int32_t)b)
#define C32 ((wide)(int32_t)c)
#define A64 ((wide)(int64_t)a)
#define B64 ((wide)(int64_t)b)

static wide clamp32(wide x) { return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x; }
static wide size(wide x) { return x < 0 ? -x : x; }
static wide s24(uint64_t x) { return (wide)((int32_t)((uint32_t)x << 8) / 256); }
static wide u24(uint64_t x) { return (wide)(x % (1 << 24)); }

/* floor(x / 2^n), also of what is negative. */
static wide shifted(wide x, int n)
{
    wide by = (wide)1 << n, q = x / by;
    return x % by < 0 ? q - 1 : q;
}

static wide quotient(wide x, wide y, wide none) { return y ? x / y : none; }
static wide rest(wide x, wide y) { return y ? x % y : x; }

REFERENCE(add16, (uint16_t)(a + b))
REFERENCE(add, a + b)
REFERENCE(add_sat, clamp32(A32 + B32))
REFERENCE(sub16, (uint16_t)(a - b))
REFERENCE(sub, a - b)
REFERENCE(sub_sat, clamp32(A32 - B32))
REFERENCE(mul_lo16, (uint16_t)(a * b))
REFERENCE(mul_lo, a * b)
REFERENCE(mul_hi_u16, a * b / 65536)
REFERENCE(mul_hi_s16, (uint16_t)shifted(A16 * B16, 16))
REFERENCE(mul_hi_u32, shifted((wide)a * (wide)b, 32))
REFERENCE(mul_hi_s32, shifted(A32 * B32, 32))
REFERENCE(mul_hi_u64, (uwide)a * b >> 64)
REFERENCE(mul_hi_s64, shifted(A64 * B64, 64))
REFERENCE(mul_wide_u, a * b)
REFERENCE(mul_wide_s16, A16 * B16)
REFERENCE(mul_wide_s32, A32 * B32)
REFERENCE(mul24_lo_u, u24(a) * u24(b))
REFERENCE(mul24_lo_s, s24(a) * s24(b))
REFERENCE(mul24_hi_u, shifted(u24(a) * u24(b), 16))
REFERENCE(mul24_hi_s, shifted(s24(a) * s24(b), 16))
REFERENCE(mad_lo16, (uint16_t)(a * b + c))
REFERENCE(mad_lo, a * b + c)
REFERENCE(mad_hi_u16, (uint16_t)(a * b / 65536 + c))
REFERENCE(mad_hi_s16, (uint16_t)(shifted(A16 * B16, 16) + (wide)c))
REFERENCE(mad_hi_u32, (uwide)(a * b >> 32) + c)
REFERENCE(mad_hi_s32, shifted(A32 * B32, 32) + (wide)c)
REFERENCE(mad_hi_u64, (uint64_t)((uwide)a * b >> 64) + c)
REFERENCE(mad_hi_s64, (uint64_t)shifted(A64 * B64, 64) + c)
REFERENCE(mad_hi_sat, clamp32(shifted(A32 * B32, 32) + C32))
REFERENCE(mad_wide_u, a * b + c)
REFERENCE(mad_wide_s16, A16 * B16 + C32)
REFERENCE(mad_wide_s32, (uint64_t)(A32 * B32) + c)
REFERENCE(mad24_lo_u, (uint64_t)(u24(a) * u24(b)) + c)
REFERENCE(mad24_lo_s, (uint64_t)(s24(a) * s24(b)) + c)
REFERENCE(mad24_hi_u, (uint64_t)shifted(u24(a) * u24(b), 16) + c)
REFERENCE(mad24_hi_s, (uint64_t)shifted(s24(a) * s24(b), 16) + c)
REFERENCE(mad24_hi_sat, clamp32(shifted(s24(a) * s24(b), 16) + C32))
REFERENCE(sad_u16, (uint16_t)(c + (uint64_t)size((wide)a - (wide)b)))
REFERENCE(sad_s16, (uint16_t)(c + (uint64_t)size(A16 - B16)))
REFERENCE(sad_u, c + (uint64_t)size((wide)a - (wide)b))
REFERENCE(sad_s32, c + (uint64_t)size(A32 - B32))
REFERENCE(sad_s64, c + (uint64_t)size(A64 - B64))
REFERENCE(div_u16, quotient((wide)a, (wide)b, 65535))
REFERENCE(div_s16, (uint16_t)quotient(A16, B16, -1))
REFERENCE(div_u, quotient((wide)a, (wide)b, -1))
REFERENCE(div_s32, quotient(A32, B32, -1))
REFERENCE(div_s64, quotient(A64, B64, -1))
REFERENCE(rem_u, rest((wide)a, (wide)b))
REFERENCE(rem_s16, (uint16_t)rest(A16, B16))
REFERENCE(rem_s32, rest(A32, B32))
REFERENCE(rem_s64, rest(A64, B64))
REFERENCE(neg16, (uint16_t)-A16)
REFERENCE(neg, 0 - a)
REFERENCE(abs16, (uint16_t)size(A16))
REFERENCE(abs32, size(A32))
REFERENCE(abs64, size(A64))
REFERENCE(min_u, a < b ? a : b)
REFERENCE(max_u, a > b ? a : b)
REFERENCE(min_s16, A16 < B16 ? a : b)
REFERENCE(max_s16, A16 > B16 ? a : b)
REFERENCE(min_s32, A32 < B32 ? a : b)
REFERENCE(max_s32, A32 > B32 ? a : b)
REFERENCE(min_s64, A64 < B64 ? a : b)
REFERENCE(max_s64, A64 > B64 ? a : b)
REFERENCE(min_relu, A32 < 0 || B32 < 0 ? 0 : A32 < B32 ? a : b)
REFERENCE(max_relu, A32 < 0 && B32 < 0 ? 0 : A32 > B32 ? a : b)
/* Two of 16 bits in a word, each by itself. */
#define HALF_U(x, n) ((x) >> 16 * (n) & 0xffff)
#define HALF_S(x, n) ((int)(int16_t)HALF_U(x, n))
#define TWO(f) ((uint64_t)((f(1)) & 0xffff) << 16 | ((f(0)) & 0xffff))
#define SUM_OF(n)   (HALF_U(a, n) + HALF_U(b, n))
#define LESS_U(n)   (HALF_U(a, n) < HALF_U(b, n) ? HALF_U(a, n) : HALF_U(b, n))
#define MORE_U(n)   (HALF_U(a, n) > HALF_U(b, n) ? HALF_U(a, n) : HALF_U(b, n))
#define LESS_S(n)   (uint64_t)(HALF_S(a, n) < HALF_S(b, n) ? HALF_S(a, n) : HALF_S(b, n))
#define MORE_S(n)   (uint64_t)(HALF_S(a, n) > HALF_S(b, n) ? HALF_S(a, n) : HALF_S(b, n))
#define LESS_R(n)   (HALF_S(a, n) < 0 || HALF_S(b, n) < 0 ? 0 : LESS_S(n))
#define MORE_R(n)   (HALF_S(a, n) < 0 && HALF_S(b, n) < 0 ? 0 : MORE_S(n))
REFERENCE(add_two, TWO(SUM_OF))
REFERENCE(min_two_u, TWO(LESS_U))
REFERENCE(max_two_u, TWO(MORE_U))
REFERENCE(min_two_s, TWO(LESS_S))
REFERENCE(max_two_s, TWO(MORE_S))
REFERENCE(min_two_relu, TWO(LESS_R))
REFERENCE(max_two_relu, TWO(MORE_R))

static const struct execute_case cases[] = {
    { "add.u16 %h0, %h1, %h2;", add16 }, { "add.s16 %h0, %h1, %h2;", add16 },
    { "add.u32 %r0, %r1, %r2;", add }, { "add.s32 %r0, %r1, %r2;", add },
    { "add.s64 %rd0, %rd1, %rd2;", add }, { "add.u64 %rd0, %rd1, %rd2;", add },
    { "add.sat.s32 %r0, %r1, %r2;", add_sat },
    { "sub.s16 %h0, %h1, %h2;", sub16 }, { "sub.u32 %r0, %r1, %r2;", sub },
    { "sub.s64 %rd0, %rd1, %rd2;", sub }, { "sub.sat.s32 %r0, %r1, %r2;", sub_sat },
    { "mul.lo.s16 %h0, %h1, %h2;", mul_lo16 }, { "mul.lo.u32 %r0, %r1, %r2;", mul_lo },
    { "mul.lo.s64 %rd0, %rd1, %rd2;", mul_lo },
    { "mul.hi.u16 %h0, %h1, %h2;", mul_hi_u16 }, { "mul.hi.s16 %h0, %h1, %h2;", mul_hi_s16 },
    { "mul.hi.u32 %r0, %r1, %r2;", mul_hi_u32 }, { "mul.hi.s32 %r0, %r1, %r2;", mul_hi_s32 },
    { "mul.hi.u64 %rd0, %rd1, %rd2;", mul_hi_u64 },
    { "mul.hi.s64 %rd0, %rd1, %rd2;", mul_hi_s64 },
    { "mul.wide.u16 %r0, %h1, %h2;", mul_wide_u }, { "mul.wide.s16 %r0, %h1, %h2;", mul_wide_s16 },
    { "mul.wide.u32 %rd0, %r1, %r2;", mul_wide_u },
    { "mul.wide.s32 %rd0, %r1, %r2;", mul_wide_s32 },
    { "mul24.lo.u32 %r0, %r1, %r2;", mul24_lo_u }, { "mul24.lo.s32 %r0, %r1, %r2;", mul24_lo_s },
    { "mul24.hi.u32 %r0, %r1, %r2;", mul24_hi_u }, { "mul24.hi.s32 %r0, %r1, %r2;", mul24_hi_s },
    { "mad.lo.u16 %h0, %h1, %h2, %h3;", mad_lo16 }, { "mad.lo.s32 %r0, %r1, %r2, %r3;", mad_lo },
    { "mad.lo.u64 %rd0, %rd1, %rd2, %rd3;", mad_lo },
    { "mad.hi.u16 %h0, %h1, %h2, %h3;", mad_hi_u16 },
    { "mad.hi.s16 %h0, %h1, %h2, %h3;", mad_hi_s16 },
    { "mad.hi.u32 %r0, %r1, %r2, %r3;", mad_hi_u32 },
    { "mad.hi.s32 %r0, %r1, %r2, %r3;", mad_hi_s32 },
    { "mad.hi.u64 %rd0, %rd1, %rd2, %rd3;", mad_hi_u64 },
    { "mad.hi.s64 %rd0, %rd1, %rd2, %rd3;", mad_hi_s64 },
    { "mad.hi.sat.s32 %r0, %r1, %r2, %r3;", mad_hi_sat },
    { "mad.wide.u16 %r0, %h1, %h2, %r3;", mad_wide_u },
    { "mad.wide.s16 %r0, %h1, %h2, %r3;", mad_wide_s16 },
    { "mad.wide.u32 %rd0, %r1, %r2, %rd3;", mad_wide_u },
    { "mad.wide.s32 %rd0, %r1, %r2, %rd3;", mad_wide_s32 },
    { "mad24.lo.u32 %r0, %r1, %r2, %r3;", mad24_lo_u },
    { "mad24.lo.s32 %r0, %r1, %r2, %r3;", mad24_lo_s },
    { "mad24.hi.u32 %r0, %r1, %r2, %r3;", mad24_hi_u },
    { "mad24.hi.s32 %r0, %r1, %r2, %r3;", mad24_hi_s },
    { "mad24.hi.sat.s32 %r0, %r1, %r2, %r3;", mad24_hi_sat },
    { "sad.u16 %h0, %h1, %h2, %h3;", sad_u16 }, { "sad.s16 %h0, %h1, %h2, %h3;", sad_s16 },
    { "sad.u32 %r0, %r1, %r2, %r3;", sad_u }, { "sad.s32 %r0, %r1, %r2, %r3;", sad_s32 },
    { "sad.u64 %rd0, %rd1, %rd2, %rd3;", sad_u }, { "sad.s64 %rd0, %rd1, %rd2, %rd3;", sad_s64 },
    { "div.u16 %h0, %h1, %h2;", div_u16 }, { "div.s16 %h0, %h1, %h2;", div_s16 },
    { "div.u32 %r0, %r1, %r2;", div_u }, { "div.s32 %r0, %r1, %r2;", div_s32 },
    { "div.u64 %rd0, %rd1, %rd2;", div_u }, { "div.s64 %rd0, %rd1, %rd2;", div_s64 },
    { "rem.u16 %h0, %h1, %h2;", rem_u }, { "rem.s16 %h0, %h1, %h2;", rem_s16 },
    { "rem.u32 %r0, %r1, %r2;", rem_u }, { "rem.s32 %r0, %r1, %r2;", rem_s32 },
    { "rem.u64 %rd0, %rd1, %rd2;", rem_u }, { "rem.s64 %rd0, %rd1, %rd2;", rem_s64 },
    { "neg.s16 %h0, %h1;", neg16 }, { "neg.s32 %r0, %r1;", neg }, { "neg.s64 %rd0, %rd1;", neg },
    { "abs.s16 %h0, %h1;", abs16 }, { "abs.s32 %r0, %r1;", abs32 },
    { "abs.s64 %rd0, %rd1;", abs64 },
    { "min.u16 %h0, %h1, %h2;", min_u }, { "max.u16 %h0, %h1, %h2;", max_u },
    { "min.s16 %h0, %h1, %h2;", min_s16 }, { "max.s16 %h0, %h1, %h2;", max_s16 },
    { "min.u32 %r0, %r1, %r2;", min_u }, { "max.u32 %r0, %r1, %r2;", max_u },
    { "min.s32 %r0, %r1, %r2;", min_s32 }, { "max.s32 %r0, %r1, %r2;", max_s32 },
    { "min.u64 %rd0, %rd1, %rd2;", min_u }, { "max.u64 %rd0, %rd1, %rd2;", max_u },
    { "min.s64 %rd0, %rd1, %rd2;", min_s64 }, { "max.s64 %rd0, %rd1, %rd2;", max_s64 },
    { "add.u16x2 %r0, %r1, %r2;", add_two }, { "add.s16x2 %r0, %r1, %r2;", add_two },
    { "min.u16x2 %r0, %r1, %r2;", min_two_u }, { "max.u16x2 %r0, %r1, %r2;", max_two_u },
    { "min.s16x2 %r0, %r1, %r2;", min_two_s }, { "max.s16x2 %r0, %r1, %r2;", max_two_s },
    { "min.s16x2.relu %r0, %r1, %r2;", min_two_relu },
    { "max.relu.s16x2 %r0, %r1, %r2;", max_two_relu },
    { "min.relu.s32 %r0, %r1, %r2;", min_relu }, { "max.relu.s32 %r0, %r1, %r2;", max_relu },
};

START_TEST(integers_do_what_the_host_does_in_128_bits)
{
    execute_check(&cases[_i], 1000 + (uint64_t)_i, 60);
}
END_TEST

/* Two words as one number: what add.cc and addc (mad.lo.cc and madc.hi) are for. */
START_TEST(the_carry_makes_wide_numbers_of_words)
{
    struct execute_random x = { 7 };
    struct execute_rig *low = execute_rig_new("add.cc.u32 %r0, %r1, %r2;");
    struct execute_rig *high = execute_rig_new("addc.u32 %r0, %r1, %r2;");
    struct execute_rig *less = execute_rig_new("sub.cc.u32 %r0, %r1, %r2;");
    struct execute_rig *under = execute_rig_new("subc.cc.u32 %r0, %r1, %r2;");
    low->op.pdst[0] = less->op.pdst[0] = 5;
    high->op.psrc[0] = under->op.psrc[0] = 5;
    under->op.pdst[0] = 6;
    for (int round = 0; round < 100; round++) {
        uint64_t a[GPU_LANES], b[GPU_LANES];
        for (unsigned l = 0; l < GPU_LANES; l++) {
            a[l] = execute_random_word(&x) | (uint64_t)execute_random_word(&x) << 32;
            b[l] = execute_random_word(&x) | (uint64_t)execute_random_word(&x) << 32;
            execute_rig_source(low, 0)[l] = execute_rig_source(less, 0)[l] = (uint32_t)a[l];
            execute_rig_source(low, 1)[l] = execute_rig_source(less, 1)[l] = (uint32_t)b[l];
            execute_rig_source(high, 0)[l] = execute_rig_source(under, 0)[l] = (uint32_t)(a[l] >> 32);
            execute_rig_source(high, 1)[l] = execute_rig_source(under, 1)[l] = (uint32_t)(b[l] >> 32);
        }
        execute_rig_run(low, UINT32_MAX);
        high->warp.predicates[5] = low->warp.predicates[5];
        execute_rig_run(high, UINT32_MAX);
        execute_rig_run(less, UINT32_MAX);
        under->warp.predicates[5] = less->warp.predicates[5];
        execute_rig_run(under, UINT32_MAX);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            uint64_t sum = execute_rig_dest(low, 0)[l] | (uint64_t)execute_rig_dest(high, 0)[l] << 32;
            uint64_t rest_ = execute_rig_dest(less, 0)[l] |
                             (uint64_t)execute_rig_dest(under, 0)[l] << 32;
            ck_assert_uint_eq(sum, a[l] + b[l]);
            ck_assert_uint_eq(rest_, a[l] - b[l]);
            ck_assert_uint_eq(under->warp.predicates[6] >> l & 1, a[l] < b[l]);
        }
    }
    execute_rig_free(low);
    execute_rig_free(high);
    execute_rig_free(less);
    execute_rig_free(under);
}
END_TEST

/* A 64 x 64 bit product from 32-bit steps, as compilers write it: lo, then hi with carries. */
START_TEST(madc_adds_products_with_their_carry)
{
    struct execute_random x = { 9 };
    struct execute_rig *lo = execute_rig_new("mad.lo.cc.u32 %r0, %r1, %r2, %r3;");
    struct execute_rig *hi = execute_rig_new("madc.hi.u32 %r0, %r1, %r2, %r3;");
    lo->op.pdst[0] = hi->op.psrc[0] = 3;
    for (int round = 0; round < 100; round++) {
        uint32_t a[GPU_LANES], b[GPU_LANES], c[GPU_LANES], e[GPU_LANES];
        for (unsigned l = 0; l < GPU_LANES; l++) {
            a[l] = execute_random_word(&x);
            b[l] = execute_random_word(&x);
            c[l] = execute_random_word(&x);
            e[l] = execute_random_word(&x);
            execute_rig_source(lo, 0)[l] = execute_rig_source(hi, 0)[l] = a[l];
            execute_rig_source(lo, 1)[l] = execute_rig_source(hi, 1)[l] = b[l];
            execute_rig_source(lo, 2)[l] = c[l];
            execute_rig_source(hi, 2)[l] = e[l];
        }
        execute_rig_run(lo, UINT32_MAX);
        hi->warp.predicates[3] = lo->warp.predicates[3];
        execute_rig_run(hi, UINT32_MAX);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            uint64_t got = execute_rig_dest(lo, 0)[l] | (uint64_t)execute_rig_dest(hi, 0)[l] << 32;
            ck_assert_uint_eq(got, (uint64_t)a[l] * b[l] + (c[l] | (uint64_t)e[l] << 32));
        }
    }
    execute_rig_free(lo);
    execute_rig_free(hi);
}
END_TEST

Suite *execute_integer_suite(void)
{
    Suite *s = suite_create("execute_integer");
    TCase *t = tcase_create("values");
    tcase_add_loop_test(t, integers_do_what_the_host_does_in_128_bits, 0, COUNT_OF(cases));
    tcase_add_test(t, the_carry_makes_wide_numbers_of_words);
    tcase_add_test(t, madc_adds_products_with_their_carry);
    suite_add_tcase(s, t);
    return s;
}
