/* test_execute_convert.c - cvt and 16-bit arithmetic, against their definitions in double. */
#include <fenv.h>
#include <math.h>

#include "models/numerics/bf16.h"
#include "tests/models/gpu/execute_check.h"
#include "tests/suites.h"

static double d_of(uint64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }
static uint64_t bits_of(double x) { uint64_t b; memcpy(&b, &x, sizeof b); return b; }
static double f_of(uint64_t bits) { return (double)f32_from_bits((uint32_t)bits); }

/* x to `bits` of significand, no finer than 2^least, too large past `most`: by whole numbers. */
static double rounded(double x, int bits, int least, double most, int mode)
{
    if (x - x != 0 || x == 0)
        return x;
    int exponent;
    frexp(x, &exponent);
    int place = exponent - bits > least ? exponent - bits : least;
    fesetround(mode);
    volatile double whole = nearbyint(ldexp(x, -place));
    fesetround(FE_TONEAREST);
    double y = copysign(ldexp(whole, place), x);
    if (fabs(y) <= most)
        return y;
    bool stays = mode == FE_TOWARDZERO || (mode == FE_DOWNWARD && x > 0) ||
                 (mode == FE_UPWARD && x < 0);
    return copysign(stays ? most : INFINITY, x);
}

/* A double that is an f16, a bf16 or an f32, as bits of that. */
static uint64_t as_f16(double x) { return x == x ? f16_from_f32((float)x) : 0x7fff; }
static uint64_t as_bf16(double x) { return x == x ? f32_bits((float)x) >> 16 : 0x7fff; }
static uint64_t as_f32(double x) { return x == x ? f32_bits((float)x) : 0x7fffffff; }
#define F16(x, mode)  as_f16(rounded(x, 11, -24, 65504, mode))
#define BF16(x, mode) as_bf16(rounded(x, 8, -133, 0x1.fep127, mode))
#define F32(x, mode)  as_f32(rounded(x, 24, -149, 0x1.fffffep127, mode))
#define TF32(x, mode) as_f32(rounded(x, 11, -136, 0x1.ffcp127, mode))
#define H(x) (double)f16_to_f32((uint16_t)(x))
#define BH(x) (double)bf16_to_f32((uint16_t)(x))
#define NEAR FE_TONEAREST

/* To whole numbers of `bits`: NaN is 0, or of f64 or to 64 bits the top bit. */
static uint64_t whole(double x, int mode, int bits, bool is_signed, bool from_f64)
{
    uint64_t top = UINT64_C(1) << (bits - 1), all = top - 1 + top;
    if (x != x)
        return from_f64 || bits == 64 ? (bits < 32 && is_signed ? 0 - top : top) : 0;
    fesetround(mode);
    volatile double y = nearbyint(x);
    fesetround(FE_TONEAREST);
    if (!is_signed)
        return y <= 0 ? 0 : y >= ldexp(1, bits) ? all : (uint64_t)y;
    if (y >= ldexp(1, bits - 1))
        return top - 1;
    return y < -ldexp(1, bits - 1) ? 0 - top : (uint64_t)(int64_t)y;
}

static double flush_f(uint64_t a) { double x = f_of(a); return fabs(x) < 0x1p-126 ? copysign(0, x) : x; }
static double clamp01(double x) { return x >= 1 ? 1 : x > 0 ? x : 0; }
static int64_t clamp(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }

REFERENCE(u64_u32, a) REFERENCE(s64_s32, (int64_t)(int32_t)a) REFERENCE(u32_u16, a & 0xffff)
REFERENCE(s32_s16, (int32_t)(int16_t)a) REFERENCE(u32_u8, a & 0xff)
REFERENCE(s32_s8, (int32_t)(int8_t)a) REFERENCE(u16_u8, a & 0xff) REFERENCE(low32, (uint32_t)a)
REFERENCE(s64_s8, (int64_t)(int8_t)a) REFERENCE(u64_u16, a & 0xffff)
REFERENCE(s16_s8, (uint32_t)(int32_t)(int8_t)a)
REFERENCE(u8_sat_s32, clamp((int32_t)a, 0, 255)) REFERENCE(s8_sat_s32, clamp((int32_t)a, -128, 127))
REFERENCE(u32_sat_s64, clamp((int64_t)a, 0, UINT32_MAX))
REFERENCE(s32_sat_u32, a > INT32_MAX ? INT32_MAX : a)
REFERENCE(s16_sat_s64, clamp((int64_t)a, -32768, 32767))
REFERENCE(f32_s32, F32((double)(int32_t)a, NEAR)) REFERENCE(f32_u32, F32((double)(uint32_t)a, NEAR))
REFERENCE(f32_s32_rz, F32((double)(int32_t)a, FE_TOWARDZERO))
REFERENCE(f32_u32_rp, F32((double)(uint32_t)a, FE_UPWARD))
REFERENCE(f32_s64, f32_bits((float)(int64_t)a)) REFERENCE(f32_u64, f32_bits((float)a))
REFERENCE(f64_s32, bits_of((double)(int32_t)a)) REFERENCE(f64_u64, bits_of((double)a))
REFERENCE(f64_s64, bits_of((double)(int64_t)a))
REFERENCE(f16_s32, F16((double)(int32_t)a, NEAR)) REFERENCE(f16_u16, F16((double)(uint16_t)a, NEAR))
REFERENCE(bf16_s32, BF16((double)(int32_t)a, NEAR))
REFERENCE(s32_rzi, whole(f_of(a), FE_TOWARDZERO, 32, true, false))
REFERENCE(s32_rni, whole(f_of(a), NEAR, 32, true, false))
REFERENCE(s32_rmi, whole(f_of(a), FE_DOWNWARD, 32, true, false))
REFERENCE(s32_rpi, whole(f_of(a), FE_UPWARD, 32, true, false))
REFERENCE(u32_rzi, whole(f_of(a), FE_TOWARDZERO, 32, false, false))
REFERENCE(u32_rni_ftz, whole(flush_f(a), NEAR, 32, false, false))
REFERENCE(s64_rni, whole(f_of(a), NEAR, 64, true, false))
REFERENCE(u64_rpi, whole(f_of(a), FE_UPWARD, 64, false, false))
REFERENCE(u8_rzi, whole(f_of(a), FE_TOWARDZERO, 8, false, false))
REFERENCE(s16_rzi, whole(f_of(a), FE_TOWARDZERO, 16, true, false))
REFERENCE(s32_rzi_d, whole(d_of(a), FE_TOWARDZERO, 32, true, true))
REFERENCE(u64_rmi_d, whole(d_of(a), FE_DOWNWARD, 64, false, true))
REFERENCE(s32_rzi_h, whole(H(a), FE_TOWARDZERO, 32, true, false))
REFERENCE(u16_rni_h, whole(H(a), NEAR, 16, false, false))
REFERENCE(f64_f32, f_of(a) != f_of(a) ? UINT64_C(0x7ff8000000000000) | (a & 0x7fffff) << 29 |
                   (a >> 31) << 63 : bits_of(f_of(a)))
REFERENCE(f32_f64_rn, F32(d_of(a), NEAR)) REFERENCE(f32_f64_rz, F32(d_of(a), FE_TOWARDZERO))
REFERENCE(f32_f64_rm, F32(d_of(a), FE_DOWNWARD)) REFERENCE(f32_f64_rp, F32(d_of(a), FE_UPWARD))
REFERENCE(f32_f64_sat, F32(clamp01(d_of(a)), NEAR))
REFERENCE(f16_f32_rn, F16(f_of(a), NEAR)) REFERENCE(f16_f32_rz, F16(f_of(a), FE_TOWARDZERO))
REFERENCE(f16_f32_rm, F16(f_of(a), FE_DOWNWARD)) REFERENCE(f16_f32_rp, F16(f_of(a), FE_UPWARD))
REFERENCE(f16_f64_rn, F16(d_of(a), NEAR)) REFERENCE(f32_f16, as_f32(H(a)))
REFERENCE(f32_f16_sat, as_f32(clamp01(H(a))))
REFERENCE(f16_relu, f_of(a) < 0 || (a >> 31 && !isnan(f_of(a))) ? 0 : F16(f_of(a), NEAR))
REFERENCE(bf16_f32_rn, BF16(f_of(a), NEAR)) REFERENCE(bf16_f32_rz, BF16(f_of(a), FE_TOWARDZERO))
REFERENCE(f32_bf16, as_f32(BH(a)))
REFERENCE(f16x2, F16(f_of(a), NEAR) << 16 | F16(f_of(b), NEAR))
REFERENCE(bf16x2_rz, BF16(f_of(a), FE_TOWARDZERO) << 16 | BF16(f_of(b), FE_TOWARDZERO))
REFERENCE(bf16x2, BF16(f_of(a), NEAR) << 16 | BF16(f_of(b), NEAR))
REFERENCE(tf32_rn, TF32(f_of(a), NEAR)) REFERENCE(tf32_rz, TF32(f_of(a), FE_TOWARDZERO))
/* Ties away: half a place more, then cut. */
/* No infinity: the largest number instead. */
#define FINITE16(x, most) (((x) & 0x7fff) == (most) + 1 ? (x) - 1 : (x))
REFERENCE(f16_finite, FINITE16(F16(f_of(a), NEAR), 0x7bff))
REFERENCE(bf16_finite_rz, FINITE16(BF16(f_of(a), FE_TOWARDZERO), 0x7f7f))
REFERENCE(bf16x2_finite, (uint64_t)FINITE16(BF16(f_of(a), NEAR), 0x7f7f) << 16 |
                         FINITE16(BF16(f_of(b), NEAR), 0x7f7f))
REFERENCE(tf32_rna, isnan(f_of(a)) ? 0x7fffffff : isinf(f_of(a)) ? a
                    : ((uint32_t)a + 0x1000) & 0xffffe000)
REFERENCE(f32_rni, as_f32(nearbyint(f_of(a)))) REFERENCE(f32_rmi, as_f32(floor(f_of(a))))
REFERENCE(f32_rpi, as_f32(ceil(f_of(a)))) REFERENCE(f32_rzi_ftz, as_f32(trunc(flush_f(a))))
REFERENCE(f32_rmi_sat, as_f32(clamp01(floor(f_of(a)))))
REFERENCE(f64_rni, d_of(a) != d_of(a) ? a | UINT64_C(1) << 51 : bits_of(nearbyint(d_of(a))))
REFERENCE(f16_rpi, as_f16(ceil(H(a))))
REFERENCE(f32_ftz, as_f32(flush_f(a)))

/* 16-bit arithmetic; sums and products are exact in double. */
#define UP(x) ((x) >> 16)
static uint64_t pair(uint64_t low, uint64_t high) { return low | high << 16; }
#define FUSED(a, b, c) F16(H(a) * H(b) + H(c), NEAR)
REFERENCE(add_h, F16(H(a) + H(b), NEAR)) REFERENCE(sub_h, F16(H(a) - H(b), NEAR))
REFERENCE(mul_h, F16(H(a) * H(b), NEAR)) REFERENCE(fma_h, FUSED(a, b, c))
REFERENCE(add_sat_h, F16(clamp01(H(a) + H(b)), NEAR))
REFERENCE(add_h2, pair(add_h(a, b, 0, 0), add_h(UP(a), UP(b), 0, 0)))
REFERENCE(mul_h2, pair(mul_h(a, b, 0, 0), mul_h(UP(a), UP(b), 0, 0)))
REFERENCE(fma_h2, pair(FUSED(a, b, c), FUSED(UP(a), UP(b), UP(c))))
REFERENCE(relu_h, FUSED(a, b, c) >= 0x8000 ? 0 : FUSED(a, b, c))
REFERENCE(add_b, BF16(BH(a) + BH(b), NEAR)) REFERENCE(mul_b, BF16(BH(a) * BH(b), NEAR))
REFERENCE(mul_b2, pair(mul_b(a, b, 0, 0), mul_b(UP(a), UP(b), 0, 0)))
static uint64_t h_flush(uint64_t x) { return x & 0x7c00 ? x & 0xffff : x & 0x8000; }
REFERENCE(mul_ftz_h, h_flush(mul_h(h_flush(a), h_flush(b), 0, 0)))
static uint64_t h_extreme(uint64_t a, uint64_t b, int sign, bool nan)
{
    double x = H(a), y = H(b);
    if (x != x || y != y)
        return nan || (x != x && y != y) ? 0x7fff : (x != x ? b : a) & 0xffff;
    if (x == 0 && y == 0)
        return (sign < 0) == (signbit(x) != 0) ? a & 0xffff : b & 0xffff;
    return (sign * x > sign * y ? a : b) & 0xffff;
}
REFERENCE(min_h, h_extreme(a, b, -1, false)) REFERENCE(max_nan_h, h_extreme(a, b, 1, true))
REFERENCE(max_h2, pair(h_extreme(a, b, 1, false), h_extreme(UP(a), UP(b), 1, false)))
REFERENCE(neg_h, isnan(H(a)) ? 0x7fff : (a ^ 0x8000) & 0xffff)
REFERENCE(abs_h2, pair(isnan(H(a)) ? 0x7fff : a & 0x7fff,
                       isnan(H(UP(a))) ? 0x7fff : UP(a) & 0x7fff))
REFERENCE(ex2_h, F16(exp2(H(a)), NEAR)) REFERENCE(tanh_h, F16(tanh(H(a)), NEAR))

static const struct execute_case cases[] = {
    { "cvt.u64.u32 %rd0, %r1;", u64_u32 }, { "cvt.s64.s32 %rd0, %r1;", s64_s32 },
    { "cvt.u32.u16 %r0, %h1;", u32_u16 }, { "cvt.s32.s16 %r0, %h1;", s32_s16 },
    { "cvt.u32.u8 %r0, %r1;", u32_u8 }, { "cvt.s32.s8 %r0, %r1;", s32_s8 },
    { "cvt.u16.u8 %h0, %h1;", u16_u8 }, { "cvt.u32.u64 %r0, %rd1;", low32 },
    { "cvt.s64.s8 %rd0, %r1;", s64_s8 }, { "cvt.u64.u16 %rd0, %h1;", u64_u16 },
    { "cvt.u32.u16 %rd0, %h1;", u64_u16 }, { "cvt.s32.s8 %rd0, %h1;", s64_s8 },
    { "cvt.u16.u32 %h0, %r1;", u32_u16 }, { "cvt.s16.s8 %h0, %h1;", s16_s8 },
    { "cvt.sat.u8.s32 %r0, %r1;", u8_sat_s32 }, { "cvt.sat.s8.s32 %r0, %r1;", s8_sat_s32 },
    { "cvt.sat.u32.s64 %r0, %rd1;", u32_sat_s64 }, { "cvt.sat.s32.u32 %r0, %r1;", s32_sat_u32 },
    { "cvt.sat.s16.s64 %r0, %rd1;", s16_sat_s64 },
    { "cvt.rn.f32.s32 %f0, %r1;", f32_s32 }, { "cvt.rn.f32.u32 %f0, %r1;", f32_u32 },
    { "cvt.rz.f32.s32 %f0, %r1;", f32_s32_rz }, { "cvt.rp.f32.u32 %f0, %r1;", f32_u32_rp },
    { "cvt.rn.f32.s64 %f0, %rd1;", f32_s64 }, { "cvt.rn.f32.u64 %f0, %rd1;", f32_u64 },
    { "cvt.rn.f64.s32 %fd0, %r1;", f64_s32 }, { "cvt.rn.f64.u64 %fd0, %rd1;", f64_u64 },
    { "cvt.rn.f64.s64 %fd0, %rd1;", f64_s64 },
    { "cvt.rn.f16.s32 %h0, %r1;", f16_s32 }, { "cvt.rn.f16.u16 %h0, %h1;", f16_u16 },
    { "cvt.rn.bf16.s32 %h0, %r1;", bf16_s32 },
    { "cvt.rzi.s32.f32 %r0, %f1;", s32_rzi }, { "cvt.rni.s32.f32 %r0, %f1;", s32_rni },
    { "cvt.rmi.s32.f32 %r0, %f1;", s32_rmi }, { "cvt.rpi.s32.f32 %r0, %f1;", s32_rpi },
    { "cvt.rzi.u32.f32 %r0, %f1;", u32_rzi }, { "cvt.rni.ftz.u32.f32 %r0, %f1;", u32_rni_ftz },
    { "cvt.rni.s64.f32 %rd0, %f1;", s64_rni }, { "cvt.rpi.u64.f32 %rd0, %f1;", u64_rpi },
    { "cvt.rzi.u8.f32 %r0, %f1;", u8_rzi }, { "cvt.rzi.s16.f32 %r0, %f1;", s16_rzi },
    { "cvt.rzi.s32.f64 %r0, %fd1;", s32_rzi_d }, { "cvt.rmi.u64.f64 %rd0, %fd1;", u64_rmi_d },
    { "cvt.rzi.s32.f16 %r0, %h1;", s32_rzi_h }, { "cvt.rni.u16.f16 %h0, %h1;", u16_rni_h },
    { "cvt.f64.f32 %fd0, %f1;", f64_f32 }, { "cvt.rn.f32.f64 %f0, %fd1;", f32_f64_rn },
    { "cvt.rz.f32.f64 %f0, %fd1;", f32_f64_rz }, { "cvt.rm.f32.f64 %f0, %fd1;", f32_f64_rm },
    { "cvt.rp.f32.f64 %f0, %fd1;", f32_f64_rp }, { "cvt.rn.sat.f32.f64 %f0, %fd1;", f32_f64_sat },
    { "cvt.rn.f16.f32 %h0, %f1;", f16_f32_rn }, { "cvt.rz.f16.f32 %h0, %f1;", f16_f32_rz },
    { "cvt.rm.f16.f32 %h0, %f1;", f16_f32_rm }, { "cvt.rp.f16.f32 %h0, %f1;", f16_f32_rp },
    { "cvt.rn.f16.f64 %h0, %fd1;", f16_f64_rn }, { "cvt.f32.f16 %f0, %h1;", f32_f16 },
    { "cvt.sat.f32.f16 %f0, %h1;", f32_f16_sat }, { "cvt.rn.relu.f16.f32 %h0, %f1;", f16_relu },
    { "cvt.rn.bf16.f32 %h0, %f1;", bf16_f32_rn }, { "cvt.rz.bf16.f32 %h0, %f1;", bf16_f32_rz },
    { "cvt.f32.bf16 %f0, %h1;", f32_bf16 },
    { "cvt.rn.f16x2.f32 %r0, %f1, %f2;", f16x2 }, { "cvt.rn.bf16x2.f32 %r0, %f1, %f2;", bf16x2 },
    { "cvt.rz.bf16x2.f32 %r0, %f1, %f2;", bf16x2_rz },
    { "cvt.rn.satfinite.f16.f32 %h0, %f1;", f16_finite },
    { "cvt.rz.satfinite.bf16.f32 %h0, %f1;", bf16_finite_rz },
    { "cvt.rn.satfinite.bf16x2.f32 %r0, %f1, %f2;", bf16x2_finite },
    { "cvt.rna.tf32.f32 %r0, %f1;", tf32_rna }, { "cvt.rn.tf32.f32 %r0, %f1;", tf32_rn },
    { "cvt.rz.tf32.f32 %r0, %f1;", tf32_rz },
    { "cvt.rni.f32.f32 %f0, %f1;", f32_rni }, { "cvt.rmi.f32.f32 %f0, %f1;", f32_rmi },
    { "cvt.rpi.f32.f32 %f0, %f1;", f32_rpi }, { "cvt.rzi.ftz.f32.f32 %f0, %f1;", f32_rzi_ftz },
    { "cvt.rmi.sat.f32.f32 %f0, %f1;", f32_rmi_sat }, { "cvt.rni.f64.f64 %fd0, %fd1;", f64_rni },
    { "cvt.rpi.f16.f16 %h0, %h1;", f16_rpi }, { "cvt.ftz.f32.f32 %f0, %f1;", f32_ftz },
    { "add.f16 %h0, %h1, %h2;", add_h }, { "sub.rn.f16 %h0, %h1, %h2;", sub_h },
    { "mul.f16 %h0, %h1, %h2;", mul_h }, { "fma.rn.f16 %h0, %h1, %h2, %h3;", fma_h },
    { "add.sat.f16 %h0, %h1, %h2;", add_sat_h }, { "mul.ftz.f16 %h0, %h1, %h2;", mul_ftz_h },
    { "add.f16x2 %r0, %r1, %r2;", add_h2 }, { "mul.f16x2 %r0, %r1, %r2;", mul_h2 },
    { "fma.rn.f16x2 %r0, %r1, %r2, %r3;", fma_h2 },
    { "fma.rn.relu.f16 %h0, %h1, %h2, %h3;", relu_h },
    { "add.bf16 %h0, %h1, %h2;", add_b }, { "mul.bf16 %h0, %h1, %h2;", mul_b },
    { "mul.bf16x2 %r0, %r1, %r2;", mul_b2 },
    { "min.f16 %h0, %h1, %h2;", min_h }, { "max.NaN.f16 %h0, %h1, %h2;", max_nan_h },
    { "max.f16x2 %r0, %r1, %r2;", max_h2 }, { "neg.f16 %h0, %h1;", neg_h },
    { "abs.f16x2 %r0, %r1;", abs_h2 },
};

START_TEST(conversions_and_halves_round_once)
{
    execute_check(&cases[_i], 4000 + (uint64_t)_i, 120);
}
END_TEST

/* All 65536 of them. */
static const struct execute_case unary[] = {
    { "cvt.f32.f16 %f0, %h1;", f32_f16 }, { "cvt.f32.bf16 %f0, %h1;", f32_bf16 },
    { "cvt.rzi.s32.f16 %r0, %h1;", s32_rzi_h }, { "cvt.rpi.f16.f16 %h0, %h1;", f16_rpi },
    { "neg.f16 %h0, %h1;", neg_h }, { "cvt.rn.f16.u16 %h0, %h1;", f16_u16 },
    { "ex2.approx.f16 %h0, %h1;", ex2_h }, { "tanh.approx.f16 %h0, %h1;", tanh_h },
};

START_TEST(every_half_gives_what_it_should)
{
    struct execute_rig *r = execute_rig_new(unary[_i].text);
    for (uint32_t bits = 0; bits < 65536; bits += GPU_LANES) {
        for (unsigned l = 0; l < GPU_LANES; l++)
            execute_rig_source(r, 0)[l] = bits + l;
        execute_rig_run(r, UINT32_MAX);
        for (unsigned l = 0; l < GPU_LANES; l++) {
            uint32_t expected = (uint32_t)unary[_i].reference(bits + l, 0, 0, 0);
            ck_assert_msg(execute_rig_dest(r, 0)[l] == expected, "%s of %x: %x, expected %x",
                          unary[_i].text, bits + l, execute_rig_dest(r, 0)[l], expected);
        }
    }
    execute_rig_free(r);
}
END_TEST

/* What double can not hold: a bf16 product's middle, and something tiny beside it. */
START_TEST(fused_bf16_rounds_once)
{
    struct execute_rig *r = execute_rig_new("fma.rn.bf16x2 %r0, %r1, %r2, %r3;");
    execute_rig_source(r, 0)[0] = 0x3fc03fc0;
    execute_rig_source(r, 1)[0] = 0x3f813f81;
    execute_rig_source(r, 2)[0] = 0x80800080;
    execute_rig_run(r, 1);
    ck_assert_uint_eq(execute_rig_dest(r, 0)[0], 0x3fc13fc2);
    execute_rig_free(r);
}
END_TEST

Suite *execute_convert_suite(void)
{
    Suite *s = suite_create("execute_convert");
    TCase *t = tcase_create("values");
    tcase_add_loop_test(t, conversions_and_halves_round_once, 0, COUNT_OF(cases));
    tcase_add_loop_test(t, every_half_gives_what_it_should, 0, COUNT_OF(unary));
    tcase_add_test(t, fused_bf16_rounds_once);
    suite_add_tcase(s, t);
    return s;
}
