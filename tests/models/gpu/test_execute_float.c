/* test_execute_float.c - single and double precision against the processor's arithmetic. */
#include <fenv.h>
#include <math.h>

#include "models/numerics/bf16.h"
#include "tests/models/gpu/execute_check.h"
#include "tests/suites.h"

#define A f32_from_bits((uint32_t)a)
#define B f32_from_bits((uint32_t)b)
#define C f32_from_bits((uint32_t)c)

/* Bits of a result: every NaN of f32 is one. */
static uint64_t f32_of(float x) { return x == x ? f32_bits(x) : 0x7fffffff; }
static uint64_t flush(uint64_t x)
{
    return fpclassify(f32_from_bits((uint32_t)x)) == FP_SUBNORMAL ? x & 0x80000000 : x;
}
#define ZA f32_from_bits((uint32_t)flush(a))
#define ZB f32_from_bits((uint32_t)flush(b))
#define ZC f32_from_bits((uint32_t)flush(c))
static uint64_t clamp01(uint64_t x)
{
    float f = f32_from_bits((uint32_t)x);
    return f >= 1 ? 0x3f800000 : f > 0 ? x : 0;
}

/* In a rounding of the processor's; volatile, so that it is not computed before. */
enum { PLUS, MINUS, TIMES, OVER, FUSED, ROOT };
static float in_rounding(int mode, int op, float x, float y, float z)
{
    volatile float a = x, b = y, c = z, result = 0;
    fesetround(mode);
    switch (op) {
    case PLUS:  result = a + b; break;
    case MINUS: result = a - b; break;
    case TIMES: result = a * b; break;
    case OVER:  result = a / b; break;
    case FUSED: result = fmaf(a, b, c); break;
    default:    result = sqrtf(a); break;
    }
    fesetround(FE_TONEAREST);
    return result;
}

static double d_rounding(int mode, int op, double x, double y, double z)
{
    volatile double a = x, b = y, c = z, result = 0;
    fesetround(mode);
    switch (op) {
    case PLUS:  result = a + b; break;
    case MINUS: result = a - b; break;
    case TIMES: result = a * b; break;
    case OVER:  result = a / b; break;
    case FUSED: result = fma(a, b, c); break;
    default:    result = sqrt(a); break;
    }
    fesetround(FE_TONEAREST);
    return result;
}

static uint64_t least_of(uint64_t a, uint64_t b, int sign, bool nan)
{
    float x = A, y = B;
    if (x != x || y != y)
        return nan || (x != x && y != y) ? 0x7fffffff : x != x ? b : a;
    if (x == y && x == 0)
        return (sign < 0) == (signbit(x) != 0) ? a : b;
    return sign * x > sign * y ? a : b;
}

#define DN FE_DOWNWARD
#define UP FE_UPWARD
#define TZ FE_TOWARDZERO
#define TN FE_TONEAREST
REFERENCE(add, f32_of(A + B)) REFERENCE(add_ftz, flush(f32_of(ZA + ZB)))
REFERENCE(add_sat, clamp01(f32_of(A + B))) REFERENCE(add_rm, f32_of(in_rounding(DN, PLUS, A, B, 0)))
REFERENCE(add_rp_fs, clamp01(flush(f32_of(in_rounding(UP, PLUS, ZA, ZB, 0)))))
REFERENCE(sub, f32_of(A - B)) REFERENCE(sub_rz, f32_of(in_rounding(TZ, MINUS, A, B, 0)))
REFERENCE(mul, f32_of(A * B)) REFERENCE(mul_ftz, flush(f32_of(ZA * ZB)))
REFERENCE(mul_rz, f32_of(in_rounding(TZ, TIMES, A, B, 0)))
REFERENCE(mul_rp, f32_of(in_rounding(UP, TIMES, A, B, 0)))
REFERENCE(mul_fs, clamp01(flush(f32_of(ZA * ZB))))
REFERENCE(fma_, f32_of(in_rounding(TN, FUSED, A, B, C)))
REFERENCE(fma_ftz, flush(f32_of(in_rounding(TN, FUSED, ZA, ZB, ZC))))
REFERENCE(fma_sat, clamp01(f32_of(in_rounding(TN, FUSED, A, B, C))))
REFERENCE(fma_rz, f32_of(in_rounding(TZ, FUSED, A, B, C)))
REFERENCE(fma_rm, f32_of(in_rounding(DN, FUSED, A, B, C)))
REFERENCE(fma_rp, f32_of(in_rounding(UP, FUSED, A, B, C)))
REFERENCE(div_, f32_of(A / B)) REFERENCE(div_ftz, flush(f32_of(ZA / ZB)))
REFERENCE(div_rz, f32_of(in_rounding(TZ, OVER, A, B, 0)))
REFERENCE(rcp, f32_of(1 / A)) REFERENCE(rcp_ftz, flush(f32_of(1 / ZA)))
REFERENCE(rcp_rp, f32_of(in_rounding(UP, OVER, 1, A, 0)))
REFERENCE(sqrt_, f32_of(sqrtf(A))) REFERENCE(sqrt_ftz, flush(f32_of(sqrtf(ZA))))
REFERENCE(sqrt_rm, f32_of(in_rounding(DN, ROOT, A, 0, 0)))
REFERENCE(min, least_of(a, b, -1, false)) REFERENCE(max, least_of(a, b, 1, false))
REFERENCE(min_nan, least_of(a, b, -1, true)) REFERENCE(max_nan, least_of(a, b, 1, true))
REFERENCE(max_ftz, least_of(flush(a), flush(b), 1, false))
#define XOR(x) ((x) == 0x7fffffff ? (x) : (x) | ((a ^ b) & 0x80000000))
REFERENCE(min_xor, XOR(least_of(a & 0x7fffffff, b & 0x7fffffff, -1, false)))
REFERENCE(abs_, A != A ? 0x7fffffff : a & 0x7fffffff) REFERENCE(neg, f32_of(-A))
REFERENCE(neg_ftz, flush(f32_of(-A))) REFERENCE(copysign_, (b & 0x7fffffff) | (a & 0x80000000))

#undef A
#undef B
#undef C
static double d_of(uint64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }
static uint64_t bits_of(double x) { uint64_t b; memcpy(&b, &x, sizeof b); return b; }
#define A d_of(a)
#define B d_of(b)
#define C d_of(c)
#define QUIET UINT64_C(0x0008000000000000)
/* The first NaN of the operands, quiet; else the result, or none. */
static uint64_t d_result(double x, uint64_t a, uint64_t b, uint64_t c)
{
    if (A != A)
        return a | QUIET;
    if (B != B)
        return b | QUIET;
    if (C != C)
        return c | QUIET;
    return x == x ? bits_of(x) : UINT64_C(0xfff8000000000000);
}
#define D2(mode, op) d_result(d_rounding(mode, op, A, B, 0), a, b, 0)
#define D3(mode) d_result(d_rounding(mode, FUSED, A, B, C), a, b, c)
REFERENCE(d_add, D2(TN, PLUS)) REFERENCE(d_add_rm, D2(DN, PLUS)) REFERENCE(d_sub, D2(TN, MINUS))
REFERENCE(d_sub_rp, D2(UP, MINUS)) REFERENCE(d_mul, D2(TN, TIMES))
REFERENCE(d_mul_rz, D2(TZ, TIMES)) REFERENCE(d_div, D2(TN, OVER)) REFERENCE(d_div_rp, D2(UP, OVER))
REFERENCE(d_fma, D3(TN)) REFERENCE(d_fma_rz, D3(TZ)) REFERENCE(d_fma_rm, D3(DN))
REFERENCE(d_rcp, d_result(1 / A, a, 0, 0))
REFERENCE(d_rcp_rm, d_result(d_rounding(DN, OVER, 1, A, 0), a, 0, 0))
REFERENCE(d_sqrt, d_result(sqrt(A), a, 0, 0))
REFERENCE(d_sqrt_rp, d_result(d_rounding(UP, ROOT, A, 0, 0), a, 0, 0))
static uint64_t d_least(uint64_t a, uint64_t b, int sign)
{
    if (A != A || B != B)
        return A != A && B != B ? a | QUIET : A != A ? b : a;
    if (A == B && A == 0)
        return (sign < 0) == (signbit(A) != 0) ? a : b;
    return sign * A > sign * B ? a : b;
}
REFERENCE(d_min, d_least(a, b, -1)) REFERENCE(d_max, d_least(a, b, 1))
#define SIGN UINT64_C(0x8000000000000000)
REFERENCE(d_abs, a & ~SIGN) REFERENCE(d_neg, a ^ SIGN)
REFERENCE(d_copysign, (b & ~SIGN) | (a & SIGN))

static const struct execute_case cases[] = {
    { "add.f32 %f0, %f1, %f2;", add }, { "add.rn.f32 %f0, %f1, %f2;", add },
    { "add.ftz.f32 %f0, %f1, %f2;", add_ftz }, { "add.sat.f32 %f0, %f1, %f2;", add_sat },
    { "add.rm.f32 %f0, %f1, %f2;", add_rm }, { "add.rp.ftz.sat.f32 %f0, %f1, %f2;", add_rp_fs },
    { "sub.f32 %f0, %f1, %f2;", sub }, { "sub.rz.f32 %f0, %f1, %f2;", sub_rz },
    { "mul.f32 %f0, %f1, %f2;", mul }, { "mul.ftz.f32 %f0, %f1, %f2;", mul_ftz },
    { "mul.rz.f32 %f0, %f1, %f2;", mul_rz }, { "mul.rp.f32 %f0, %f1, %f2;", mul_rp },
    { "mul.ftz.sat.f32 %f0, %f1, %f2;", mul_fs },
    { "fma.rn.f32 %f0, %f1, %f2, %f3;", fma_ }, { "mad.rn.f32 %f0, %f1, %f2, %f3;", fma_ },
    { "fma.rn.ftz.f32 %f0, %f1, %f2, %f3;", fma_ftz },
    { "fma.rn.sat.f32 %f0, %f1, %f2, %f3;", fma_sat },
    { "fma.rz.f32 %f0, %f1, %f2, %f3;", fma_rz }, { "fma.rm.f32 %f0, %f1, %f2, %f3;", fma_rm },
    { "fma.rp.f32 %f0, %f1, %f2, %f3;", fma_rp },
    { "div.rn.f32 %f0, %f1, %f2;", div_ }, { "div.rn.ftz.f32 %f0, %f1, %f2;", div_ftz },
    { "div.rz.f32 %f0, %f1, %f2;", div_rz }, { "div.full.f32 %f0, %f1, %f2;", div_ },
    { "rcp.rn.f32 %f0, %f1;", rcp }, { "rcp.approx.f32 %f0, %f1;", rcp },
    { "rcp.approx.ftz.f32 %f0, %f1;", rcp_ftz }, { "rcp.rp.f32 %f0, %f1;", rcp_rp },
    { "sqrt.rn.f32 %f0, %f1;", sqrt_ }, { "sqrt.rn.ftz.f32 %f0, %f1;", sqrt_ftz },
    { "sqrt.approx.f32 %f0, %f1;", sqrt_ }, { "sqrt.rm.f32 %f0, %f1;", sqrt_rm },
    { "min.f32 %f0, %f1, %f2;", min }, { "max.f32 %f0, %f1, %f2;", max },
    { "min.NaN.f32 %f0, %f1, %f2;", min_nan }, { "max.NaN.f32 %f0, %f1, %f2;", max_nan },
    { "max.ftz.f32 %f0, %f1, %f2;", max_ftz },
    { "min.xorsign.abs.f32 %f0, %f1, %f2;", min_xor },
    { "abs.f32 %f0, %f1;", abs_ }, { "neg.f32 %f0, %f1;", neg },
    { "neg.ftz.f32 %f0, %f1;", neg_ftz }, { "copysign.f32 %f0, %f1, %f2;", copysign_ },
    { "add.f64 %fd0, %fd1, %fd2;", d_add }, { "add.rm.f64 %fd0, %fd1, %fd2;", d_add_rm },
    { "sub.f64 %fd0, %fd1, %fd2;", d_sub }, { "sub.rp.f64 %fd0, %fd1, %fd2;", d_sub_rp },
    { "mul.f64 %fd0, %fd1, %fd2;", d_mul }, { "mul.rz.f64 %fd0, %fd1, %fd2;", d_mul_rz },
    { "div.rn.f64 %fd0, %fd1, %fd2;", d_div }, { "div.rp.f64 %fd0, %fd1, %fd2;", d_div_rp },
    { "fma.rn.f64 %fd0, %fd1, %fd2, %fd3;", d_fma },
    { "fma.rz.f64 %fd0, %fd1, %fd2, %fd3;", d_fma_rz },
    { "fma.rm.f64 %fd0, %fd1, %fd2, %fd3;", d_fma_rm },
    { "rcp.rn.f64 %fd0, %fd1;", d_rcp }, { "rcp.rm.f64 %fd0, %fd1;", d_rcp_rm },
    { "sqrt.rn.f64 %fd0, %fd1;", d_sqrt }, { "sqrt.rp.f64 %fd0, %fd1;", d_sqrt_rp },
    { "min.f64 %fd0, %fd1, %fd2;", d_min }, { "max.f64 %fd0, %fd1, %fd2;", d_max },
    { "abs.f64 %fd0, %fd1;", d_abs }, { "neg.f64 %fd0, %fd1;", d_neg },
    { "copysign.f64 %fd0, %fd1, %fd2;", d_copysign },
};

START_TEST(floats_are_what_the_processor_computes)
{
    execute_check(&cases[_i], 3000 + (uint64_t)_i, 100);
}
END_TEST

/* Places between two floats, both finite and of one sign. */
static double places(float got, double truth)
{
    int exponent;
    frexp(truth, &exponent);
    double place = ldexp(1, exponent - 24 > -149 ? exponent - 24 : -149);
    return fabs((double)got - truth) / place;
}

struct approximation {
    const char *text;
    double (*truth)(double);
    float from, to;
    double bound;           /* in places; negative: absolute */
};

static double inverse(double x) { return 1 / x; }
static double inverse_root(double x) { return 1 / sqrt(x); }

/* The bounds are the manual's. */
static const struct approximation approximations[] = {
    { "rcp.approx.f32 %f0, %f1;", inverse, 1e-30f, 1e30f, 1 },
    { "sqrt.approx.f32 %f0, %f1;", sqrt, 1e-38f, 1e38f, 1 },
    { "rsqrt.approx.f32 %f0, %f1;", inverse_root, 1e-37f, 1e37f, 1.08 },    /* 2^-22.9 */
    { "ex2.approx.f32 %f0, %f1;", exp2, -126, 127, 2 },
    { "ex2.approx.ftz.f32 %f0, %f1;", exp2, -126, 127, 2 },
    { "lg2.approx.f32 %f0, %f1;", log2, 0.5f, 2, -1.6e-7 },                 /* 2^-22.6 */
    { "lg2.approx.f32 %f0, %f1;", log2, 2, 1e30f, 1.3 },
    { "sin.approx.f32 %f0, %f1;", sin, -6.28f, 6.28f, -6.7e-7 },            /* 2^-20.5 */
    { "cos.approx.f32 %f0, %f1;", cos, -6.28f, 6.28f, -6.7e-7 },
    { "tanh.approx.f32 %f0, %f1;", tanh, -9, 9, 8192 },                     /* 2^-11 */
};

START_TEST(approximations_are_within_the_bounds_of_the_manual)
{
    const struct approximation *x = &approximations[_i];
    struct execute_rig *r = execute_rig_new(x->text);
    bool wide = x->to / x->from > 1e6f;         /* steps by factors, or even */
    double worst = 0;
    for (int n = 0; n < 20000; n++) {
        double at = (n + 0.37) / 20000;
        float in = (float)(wide ? (double)x->from * pow((double)x->to / (double)x->from, at)
                                : (double)x->from + ((double)x->to - (double)x->from) * at);
        execute_rig_source(r, 0)[n % 32] = f32_bits(in);
        execute_rig_run(r, UINT32_C(1) << n % 32);
        float got = f32_from_bits(execute_rig_dest(r, 0)[n % 32]);
        double truth = x->truth((double)in);
        double error = x->bound < 0 ? fabs((double)got - truth) : places(got, truth);
        worst = error > worst ? error : worst;
    }
    ck_assert_msg(worst <= fabs(x->bound), "%s: %g, bound %g", x->text, worst, x->bound);
    /* And it is rounded once: half a place. */
    if (x->bound > 0 && strncmp(x->text, "rsqrt", 5) != 0)
        ck_assert_msg(worst < 0.501, "%s: %g places", x->text, worst);
    execute_rig_free(r);
}
END_TEST

static uint32_t one(const char *text, uint32_t a, uint32_t b)
{
    struct execute_rig *r = execute_rig_new(text);
    execute_rig_source(r, 0)[0] = a;
    execute_rig_source(r, 1)[0] = b;
    execute_rig_run(r, 1);
    uint32_t result = execute_rig_dest(r, 0)[0];
    execute_rig_free(r);
    return result;
}

START_TEST(functions_have_the_ends_that_the_manual_lists)
{
    const uint32_t inf = 0x7f800000, minus = 0x80000000, nan = 0x7fffffff, one_ = 0x3f800000;
    static const char *const ex2 = "ex2.approx.f32 %f0, %f1;", *const lg2 = "lg2.approx.f32 %f0, %f1;";
    static const char *const rsqrt = "rsqrt.approx.f32 %f0, %f1;";
    static const char *const div = "div.approx.f32 %f0, %f1, %f2;";
    ck_assert_uint_eq(one(ex2, inf, 0), inf);
    ck_assert_uint_eq(one(ex2, inf | minus, 0), 0);
    ck_assert_uint_eq(one(ex2, minus, 0), one_);
    ck_assert_uint_eq(one(ex2, 0x7fc00001, 0), nan);
    ck_assert_uint_eq(one(ex2, 0xc3150000, 0), 1);                  /* 2^-149 */
    ck_assert_uint_eq(one("ex2.approx.ftz.f32 %f0, %f1;", 0xc3000000, 0), 0);       /* 2^-128 */
    ck_assert_uint_eq(one(lg2, 0, 0), inf | minus);
    ck_assert_uint_eq(one(lg2, minus, 0), inf | minus);
    ck_assert_uint_eq(one(lg2, 0xbf800000, 0), nan);
    ck_assert_uint_eq(one(lg2, 1, 0), 0xc3150000);                  /* -149 */
    ck_assert_uint_eq(one("lg2.approx.ftz.f32 %f0, %f1;", 1, 0), inf | minus);
    ck_assert_uint_eq(one(rsqrt, 0, 0), inf);
    ck_assert_uint_eq(one(rsqrt, minus, 0), inf | minus);
    ck_assert_uint_eq(one(rsqrt, inf, 0), 0);
    ck_assert_uint_eq(one(rsqrt, 0xbf800000, 0), nan);
    ck_assert_uint_eq(one("sin.approx.f32 %f0, %f1;", inf, 0), nan);
    ck_assert_uint_eq(one("sin.approx.f32 %f0, %f1;", minus, 0), minus);
    ck_assert_uint_eq(one("cos.approx.f32 %f0, %f1;", minus, 0), one_);
    ck_assert_uint_eq(one("tanh.approx.f32 %f0, %f1;", inf | minus, 0), 0xbf800000);
    /* |b| > 2^126: 0, but infinity / b is none. */
    ck_assert_uint_eq(one(div, one_, 0x7f000000), 0);
    ck_assert_uint_eq(one(div, one_ | minus, 0x7f000001), minus);
    ck_assert_uint_eq(one(div, inf, 0x7f000000), nan);
    ck_assert_uint_eq(one(div, 0x40c00000, 0x40000000), 0x40400000);
}
END_TEST

START_TEST(rough_doubles_have_an_upper_word_alone)
{
    struct execute_rig *r = execute_rig_new("rcp.approx.ftz.f64 %fd0, %fd1;");
    double in[] = { 3, -7, 1e300, 0, 1e-310, INFINITY };
    for (unsigned l = 0; l < COUNT_OF(in); l++) {
        execute_rig_source(r, 0)[l] = (uint32_t)bits_of(in[l]);
        execute_rig_source(r, 1)[l] = (uint32_t)(bits_of(in[l]) >> 32);
    }
    execute_rig_run(r, 0x3f);
    for (unsigned l = 0; l < COUNT_OF(in); l++) {
        double flushed = fabs(in[l]) < 2.3e-308 ? 0 : in[l];
        ck_assert_uint_eq(execute_rig_dest(r, 0)[l], 0);
        ck_assert_uint_eq(execute_rig_dest(r, 1)[l], bits_of(1 / flushed) >> 32);
    }
    execute_rig_free(r);
}
END_TEST

START_TEST(testp_knows_the_classes)
{
    static const struct { const char *text; uint32_t f32, f64; } classes[] = {
        /* lanes: 1, infinity, NaN, subnormal, 0 */
        { "finite", 0x19, 0x19 }, { "infinite", 0x02, 0x02 }, { "number", 0x1b, 0x1b },
        { "notanumber", 0x04, 0x04 }, { "normal", 0x01, 0x01 }, { "subnormal", 0x08, 0x08 },
    };
    static const uint32_t words[] = { 0xbf800000, 0x7f800000, 0xffc00000, 0x80000001, 0x80000000 };
    static const uint32_t high[] = { 0x3ff00000, 0xfff00000, 0x7ff80000, 0x80000000, 0 };
    static const uint32_t low[] = { 0, 0, 0, 1, 0 };
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        char text[80];
        snprintf(text, sizeof text, "testp.%s.f32 %%p0, %%f1;", classes[i].text);
        struct execute_rig *r = execute_rig_new(text);
        memcpy(execute_rig_source(r, 0), words, sizeof words);
        execute_rig_run(r, 0x1f);
        ck_assert_uint_eq(r->warp.predicates[0], classes[i].f32);
        execute_rig_free(r);
        snprintf(text, sizeof text, "testp.%s.f64 %%p0, %%fd1;", classes[i].text);
        r = execute_rig_new(text);
        memcpy(execute_rig_source(r, 0), low, sizeof low);
        memcpy(execute_rig_source(r, 1), high, sizeof high);
        execute_rig_run(r, 0x1f);
        ck_assert_uint_eq(r->warp.predicates[0], classes[i].f64);
        execute_rig_free(r);
    }
}
END_TEST

Suite *execute_float_suite(void)
{
    Suite *s = suite_create("execute_float");
    TCase *t = tcase_create("values");
    tcase_add_loop_test(t, floats_are_what_the_processor_computes, 0, COUNT_OF(cases));
    tcase_add_loop_test(t, approximations_are_within_the_bounds_of_the_manual, 0,
                        COUNT_OF(approximations));
    tcase_add_test(t, functions_have_the_ends_that_the_manual_lists);
    tcase_add_test(t, rough_doubles_have_an_upper_word_alone);
    tcase_add_test(t, testp_knows_the_classes);
    suite_add_tcase(s, t);
    return s;
}
