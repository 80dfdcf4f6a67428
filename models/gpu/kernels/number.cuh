/* number.cuh - elements of f32, f16 and bf16 in memory, f32 in registers.
 *
 * Conversions round to nearest even.  f16 has had instructions since sm_53, bf16 since sm_80;
 * before that integers do it.
 */
#ifndef MODELS_GPU_KERNELS_NUMBER_CUH
#define MODELS_GPU_KERNELS_NUMBER_CUH

#include "cuda.cuh"

enum element { F32, F16, BF16, I32 };       /* enum gpu_element */

INLINE u16   f16_of(float x) { return __builtin_bit_cast(u16, (_Float16)x); }
INLINE float of_f16(u16 h) { return (float)__builtin_bit_cast(_Float16, h); }

INLINE u16 bf16_of(float x)
{
#if __CUDA_ARCH__ >= 800
    return __builtin_bit_cast(u16, __nvvm_f2bf16_rn(x));
#else
    u32 bits = as_bits(x);
    u32 rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return x != x ? 0x7fff : rounded;
#endif
}

INLINE float of_bf16(u16 h) { return as_float((u32)h << 16); }

/* Two elements in a word, the first one low. */
INLINE u32 pack(u16 low, u16 high)
{
    u32 word;
    asm("mov.b32 %0, {%1, %2};" : "=r"(word) : "h"(low), "h"(high));
    return word;
}

INLINE float of_half(element e, u16 h) { return e == F16 ? of_f16(h) : of_bf16(h); }
INLINE u16   half_of(element e, float x) { return e == F16 ? f16_of(x) : bf16_of(x); }

/* The same of two numbers, rounded. */
INLINE u32 halves_of(element e, float low, float high)
{
#if __CUDA_ARCH__ >= 800
    u32 word;
    if (e == F16)
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    else
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
#else
    return pack(half_of(e, low), half_of(e, high));
#endif
}

/* Element `i` of a tensor whose type is known only when the kernel runs: every thread of the
 * grid takes the same way. */
INLINE float load_any(u32 e, const void *p, u64 i)
{
    if (e == F32)
        return ((const float *)p)[i];
    if (e == F16)
        return of_f16(((const u16 *)p)[i]);
    return of_bf16(((const u16 *)p)[i]);
}

INLINE void store_any(u32 e, void *p, u64 i, float x)
{
    if (e == F32)
        ((float *)p)[i] = x;
    else if (e == F16)
        ((u16 *)p)[i] = f16_of(x);
    else
        ((u16 *)p)[i] = bf16_of(x);
}

/* Four elements from a place that is aligned to all four. */
INLINE f32x4 load4_any(u32 e, const void *p, u64 i)
{
    if (e == F32)
        return *(const f32x4 *)((const float *)p + i);
    u32x2 w = *(const u32x2 *)((const u16 *)p + i);
    if (e == F16)
        return f32x4{of_f16(w.x), of_f16(w.x >> 16), of_f16(w.y), of_f16(w.y >> 16)};
    return f32x4{as_float(w.x << 16), as_float(w.x & 0xffff0000u),
                 as_float(w.y << 16), as_float(w.y & 0xffff0000u)};
}

INLINE void store4_any(u32 e, void *p, u64 i, f32x4 x)
{
    if (e == F32)
        *(f32x4 *)((float *)p + i) = x;
    else if (e == F16)
        *(u32x2 *)((u16 *)p + i) = u32x2{halves_of(F16, x.x, x.y), halves_of(F16, x.z, x.w)};
    else
        *(u32x2 *)((u16 *)p + i) = u32x2{halves_of(BF16, x.x, x.y), halves_of(BF16, x.z, x.w)};
}

#endif
