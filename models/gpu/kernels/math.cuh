/* math.cuh - exp, log, tanh and their kind over the whole range of f32, from the hardware's
 * approximate ex2 and rcp, to a few units in the last place.  Choices are selects: no branch
 * depends on data.
 */
#ifndef MODELS_GPU_KERNELS_MATH_CUH
#define MODELS_GPU_KERNELS_MATH_CUH

#include "cuda.cuh"

INLINE float ex2(float x) { return __nvvm_ex2_approx_f(x); }

INLINE float reciprocal(float x)
{
    float y;
    asm("rcp.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/* 2^t * 2^((x - t ln 2) / ln 2), t whole, ln 2 in two parts; past -105 it is 0, past 89
 * infinite. */
INLINE float exp_of(float x)
{
    x = x < -105 ? -105 : x;
    x = x > 89 ? 89 : x;
    float t = __builtin_floorf(x * 1.44269504f);
    float rest = __builtin_fmaf(t, -0.693145752f, x);
    rest = __builtin_fmaf(t, -1.42860677e-6f, rest);
    return ex2(t) * ex2(rest * 1.44269504f);
}

/* x = 2^e m, m from 2/3 to 4/3: e ln 2 + log m, the latter a polynomial (minimax, found by
 * Remez' exchange) in m - 1. */
INLINE float log_of(float x)
{
    bool small = x < 1.17549435e-38f;
    u32 bits = as_bits(small ? x * 8388608.0f : x);
    u32 e = (bits - 0x3f2aaaab) & 0xff800000;
    float exponent = __builtin_fmaf((float)(s32)e, 1.19209290e-7f, small ? -23.0f : 0.0f);
    float f = as_float(bits - e) - 1, s = f * f;
    float r = __builtin_fmaf(-0.130310059f, s, -0.121483512f);
    float t = __builtin_fmaf(0.140869141f, s, 0.139814854f);
    r = __builtin_fmaf(r, s, -0.166846126f);
    t = __builtin_fmaf(t, s, 0.200120345f);
    r = __builtin_fmaf(r, s, -0.249996200f);
    r = __builtin_fmaf(t, f, r);
    r = __builtin_fmaf(r, f, 0.333331972f);
    r = __builtin_fmaf(r, f, -0.5f);
    r = __builtin_fmaf(exponent, 0.693147182f, __builtin_fmaf(r, s, f));
    r = x > 3.40282347e38f ? x : r;
    r = x == 0 ? -__builtin_inff() : r;
    return x >= 0 ? r : __builtin_nanf("");
}

/* A polynomial near 0, where 1 - 2 / (exp(2x) + 1) would lose its digits. */
INLINE float tanh_of(float x)
{
    float a = __builtin_fabsf(x), s = x * x;
    float far = __builtin_copysignf(1 - 2 * reciprocal(exp_of(2 * a) + 1), x);
    float r = __builtin_fmaf(0.0157394409f, s, -0.0523025580f);
    r = __builtin_fmaf(r, s, 0.133152470f);
    r = __builtin_fmaf(r, s, -0.333327681f);
    float near = __builtin_fmaf(r * s, x, x);
    return a < 0.55f ? near : far;
}

INLINE float sigmoid_of(float x) { return reciprocal(1 + exp_of(-x)); }

INLINE float root(float x) { return __builtin_sqrtf(x); }
INLINE float largest(float a, float b) { return a > b ? a : b; }
INLINE float smallest(float a, float b) { return a < b ? a : b; }

#endif
