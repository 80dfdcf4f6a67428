/* cuda_user.cuh - as much of CUDA as a course's kernels need, for clang without a vendor's SDK.
 *
 * Included before a user's .cu by `simaccel kernel`.  Device code only: kernels are launched by
 * the command's own options.
 *
 * Not there: the host's side, textures, streams, cooperative groups, printf, double-precision
 * functions but sqrt, fma, fabs, fmin and fmax, exact libm (expf and its kind are the
 * hardware's approximations).
 */
#ifndef SIMACCEL_CUDA_USER_CUH
#define SIMACCEL_CUDA_USER_CUH

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define SIMACCEL_DEVICE static __device__ __forceinline__

typedef decltype(sizeof 0) size_t;
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x, y, z; };
#include <__clang_cuda_builtin_vars.h>

#define SIMACCEL_VECTOR(type, name, n) \
    struct __align__(n * sizeof(type)) name##n
SIMACCEL_VECTOR(float, float, 2) { float x, y; };
SIMACCEL_VECTOR(float, float, 4) { float x, y, z, w; };
SIMACCEL_VECTOR(double, double, 2) { double x, y; };
SIMACCEL_VECTOR(int, int, 2) { int x, y; };
SIMACCEL_VECTOR(int, int, 4) { int x, y, z, w; };
SIMACCEL_VECTOR(unsigned, uint, 2) { unsigned x, y; };
SIMACCEL_VECTOR(unsigned, uint, 4) { unsigned x, y, z, w; };
SIMACCEL_DEVICE float2 make_float2(float x, float y) { return float2{x, y}; }
SIMACCEL_DEVICE float4 make_float4(float x, float y, float z, float w) { return float4{x, y, z, w}; }

typedef _Float16 half;
typedef _Float16 __half;
SIMACCEL_DEVICE float __half2float(half x) { return (float)x; }
SIMACCEL_DEVICE half __float2half(float x) { return (half)x; }

/* ---- threads that wait for each other ---- */

SIMACCEL_DEVICE void __syncwarp(unsigned mask = 0xffffffffu) { __nvvm_bar_warp_sync(mask); }
SIMACCEL_DEVICE void __threadfence() { __nvvm_membar_gl(); }
SIMACCEL_DEVICE void __threadfence_block() { __nvvm_membar_cta(); }

#define SIMACCEL_SHUFFLE(name, builtin, from, clamp) \
    SIMACCEL_DEVICE int name(unsigned mask, int v, from, int width = 32) \
    { return __nvvm_shfl_sync_##builtin##_i32(mask, v, lane, ((32 - width) << 8) | clamp); } \
    SIMACCEL_DEVICE unsigned name(unsigned mask, unsigned v, from, int width = 32) \
    { return (unsigned)__nvvm_shfl_sync_##builtin##_i32(mask, (int)v, lane, ((32 - width) << 8) | clamp); } \
    SIMACCEL_DEVICE float name(unsigned mask, float v, from, int width = 32) \
    { return __nvvm_shfl_sync_##builtin##_f32(mask, v, lane, ((32 - width) << 8) | clamp); }
SIMACCEL_SHUFFLE(__shfl_sync, idx, int lane, 31)
SIMACCEL_SHUFFLE(__shfl_up_sync, up, unsigned lane, 0)
SIMACCEL_SHUFFLE(__shfl_down_sync, down, unsigned lane, 31)
SIMACCEL_SHUFFLE(__shfl_xor_sync, bfly, int lane, 31)

SIMACCEL_DEVICE int __all_sync(unsigned mask, int p) { return __nvvm_vote_all_sync(mask, p); }
SIMACCEL_DEVICE int __any_sync(unsigned mask, int p) { return __nvvm_vote_any_sync(mask, p); }
SIMACCEL_DEVICE unsigned __ballot_sync(unsigned mask, int p) { return __nvvm_vote_ballot_sync(mask, p); }
SIMACCEL_DEVICE unsigned __activemask(void)
{
    unsigned lanes;
    asm volatile("activemask.b32 %0;" : "=r"(lanes));
    return lanes;
}

/* ---- atomics ---- */

SIMACCEL_DEVICE int atomicAdd(int *p, int v) { return __nvvm_atom_add_gen_i(p, v); }
SIMACCEL_DEVICE unsigned atomicAdd(unsigned *p, unsigned v) { return (unsigned)__nvvm_atom_add_gen_i((int *)p, (int)v); }
SIMACCEL_DEVICE float atomicAdd(float *p, float v) { return __nvvm_atom_add_gen_f(p, v); }
SIMACCEL_DEVICE int atomicMax(int *p, int v) { return __nvvm_atom_max_gen_i(p, v); }
SIMACCEL_DEVICE unsigned atomicMax(unsigned *p, unsigned v) { return __nvvm_atom_max_gen_ui(p, v); }
SIMACCEL_DEVICE int atomicMin(int *p, int v) { return __nvvm_atom_min_gen_i(p, v); }
SIMACCEL_DEVICE unsigned atomicMin(unsigned *p, unsigned v) { return __nvvm_atom_min_gen_ui(p, v); }
SIMACCEL_DEVICE int atomicExch(int *p, int v) { return __nvvm_atom_xchg_gen_i(p, v); }
SIMACCEL_DEVICE int atomicCAS(int *p, int old, int v) { return __nvvm_atom_cas_gen_i(p, old, v); }
SIMACCEL_DEVICE unsigned atomicCAS(unsigned *p, unsigned old, unsigned v)
{
    return (unsigned)__nvvm_atom_cas_gen_i((int *)p, (int)old, (int)v);
}

/* ---- arithmetic ---- */

SIMACCEL_DEVICE float fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
SIMACCEL_DEVICE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
SIMACCEL_DEVICE float fabsf(float x) { return __builtin_fabsf(x); }
SIMACCEL_DEVICE double fabs(double x) { return __builtin_fabs(x); }
SIMACCEL_DEVICE float fminf(float a, float b) { return __builtin_fminf(a, b); }
SIMACCEL_DEVICE float fmaxf(float a, float b) { return __builtin_fmaxf(a, b); }
SIMACCEL_DEVICE double fmin(double a, double b) { return __builtin_fmin(a, b); }
SIMACCEL_DEVICE double fmax(double a, double b) { return __builtin_fmax(a, b); }
SIMACCEL_DEVICE float sqrtf(float x) { return __nvvm_sqrt_rn_f(x); }
SIMACCEL_DEVICE double sqrt(double x) { return __nvvm_sqrt_rn_d(x); }
SIMACCEL_DEVICE float rsqrtf(float x) { return __nvvm_rsqrt_approx_f(x); }
SIMACCEL_DEVICE float floorf(float x) { return __builtin_floorf(x); }
SIMACCEL_DEVICE float ceilf(float x) { return __builtin_ceilf(x); }
SIMACCEL_DEVICE float exp2f(float x) { return __nvvm_ex2_approx_f(x); }
SIMACCEL_DEVICE float log2f(float x) { return __nvvm_lg2_approx_f(x); }
SIMACCEL_DEVICE float expf(float x) { return exp2f(x * 1.4426950408889634f); }
SIMACCEL_DEVICE float logf(float x) { return log2f(x) * 0.6931471805599453f; }
SIMACCEL_DEVICE float __expf(float x) { return expf(x); }
SIMACCEL_DEVICE float __logf(float x) { return logf(x); }
SIMACCEL_DEVICE float powf(float x, float y) { return exp2f(y * log2f(x)); }
SIMACCEL_DEVICE float sinf(float x) { return __nvvm_sin_approx_f(x); }
SIMACCEL_DEVICE float cosf(float x) { return __nvvm_cos_approx_f(x); }
SIMACCEL_DEVICE float tanhf(float x) { return 1 - 2 / (1 + expf(2 * x)); }
SIMACCEL_DEVICE int min(int a, int b) { return a < b ? a : b; }
SIMACCEL_DEVICE int max(int a, int b) { return a > b ? a : b; }
SIMACCEL_DEVICE unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
SIMACCEL_DEVICE unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
SIMACCEL_DEVICE float min(float a, float b) { return fminf(a, b); }
SIMACCEL_DEVICE float max(float a, float b) { return fmaxf(a, b); }
SIMACCEL_DEVICE int __popc(unsigned x) { return __builtin_popcount(x); }
SIMACCEL_DEVICE int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned)x); }
SIMACCEL_DEVICE unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
SIMACCEL_DEVICE float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
SIMACCEL_DEVICE int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
SIMACCEL_DEVICE float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
SIMACCEL_DEVICE long long clock64() { return (long long)__nvvm_read_ptx_sreg_clock64(); }
template <class T> SIMACCEL_DEVICE T __ldg(const T *p) { return *p; }

#endif
