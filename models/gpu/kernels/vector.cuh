/* vector.cuh - some neighbours of a tensor in a thread, as f32, whatever they are in memory.
 *
 * The type is known when compiled, or ANY: then the word `types` says it when the kernel runs,
 * 4 bits an operand.  A thread has 16 bytes of a known type, 4 elements of any.
 */
#ifndef MODELS_GPU_KERNELS_VECTOR_CUH
#define MODELS_GPU_KERNELS_VECTOR_CUH

#include "number.cuh"

enum { ANY = 4 };

template <int E> struct vector {
    static const int count = E == F16 || E == BF16 ? 8 : 4;
    float x[count];
};

INLINE u32 type_of(u32 types, int operand) { return types >> (operand * 4) & 15; }

/* One element; `operand` says whose type. */
template <int E> INLINE float load1(const void *p, u64 i, u32 types, int operand)
{
    return load_any(E == ANY ? type_of(types, operand) : E, p, i);
}

template <int E> INLINE void store1(void *p, u64 i, u32 types, int operand, float x)
{
    store_any(E == ANY ? type_of(types, operand) : E, p, i, x);
}

/* All of a vector, which are inside and aligned. */
template <int E> INLINE vector<E> load(const void *p, u64 i, u32 types, int operand)
{
    vector<E> v;
    if (v.count == 4) {
        f32x4 x = load4_any(E == ANY ? type_of(types, operand) : E, p, i);
        v.x[0] = x.x, v.x[1] = x.y, v.x[2] = x.z, v.x[3] = x.w;
    } else {
        u32x4 w = *(const u32x4 *)((const u16 *)p + i);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            v.x[j * 2] = of_half((element)E, w[j]);
            v.x[j * 2 + 1] = of_half((element)E, w[j] >> 16);
        }
    }
    return v;
}

template <int E> INLINE void store(void *p, u64 i, u32 types, int operand, const vector<E> &v)
{
    if (v.count == 4) {
        store4_any(E == ANY ? type_of(types, operand) : E, p, i,
                   f32x4{v.x[0], v.x[1], v.x[2], v.x[3]});
    } else {
        u32x4 w;
#pragma unroll
        for (int j = 0; j < 4; j++)
            w[j] = halves_of((element)E, v.x[j * 2], v.x[j * 2 + 1]);
        *(u32x4 *)((u16 *)p + i) = w;
    }
}

#endif
