/* optimizer.cu - weights and their state changed in place, a tensor in one kernel.
 *
 * Formulas are those of traces/ops.h; kernels.h says which number is which.
 */
#include "math.cuh"
#include "vector.cuh"

struct weight { float w, first, second, g; };
struct rates  { float lr, p, q, r; };

struct sgd {
    static const int states = 0;
    static METHOD void step(weight &x, const rates &k) { x.w -= k.lr * x.g; }
};

struct momentum {
    static const int states = 1;
    static METHOD void step(weight &x, const rates &k)
    {
        x.first = k.p * x.first + x.g;
        x.w -= k.lr * x.first;
    }
};

struct rmsprop {
    static const int states = 1;
    static METHOD void step(weight &x, const rates &k)
    {
        x.first = k.p * x.first + k.q * x.g * x.g;
        x.w -= k.lr * x.g / root(x.first + k.r);
    }
};

struct adam {
    static const int states = 2;
    static METHOD void step(weight &x, const rates &k)
    {
        x.first = k.p * x.first + (1 - k.p) * x.g;
        x.second = k.q * x.second + (1 - k.q) * x.g * x.g;
        x.w -= k.lr * x.first / (root(x.second) + k.r);
    }
};

/* Operands in `types`: w, first, second, gradient. */
template <class DO, int E>
INLINE void step1(void *w, void *first, void *second, const void *g, u64 at, const rates &k,
                  u32 types)
{
    weight x = {load1<E>(w, at, types, 0), 0, 0, load1<E>(g, at, types, 3)};
    if (DO::states > 0)
        x.first = load1<E>(first, at, types, 1);
    if (DO::states > 1)
        x.second = load1<E>(second, at, types, 2);
    DO::step(x, k);
    store1<E>(w, at, types, 0, x.w);
    if (DO::states > 0)
        store1<E>(first, at, types, 1, x.first);
    if (DO::states > 1)
        store1<E>(second, at, types, 2, x.second);
}

/* All f32: a vector a thread, but for the last of a tensor. */
template <class DO>
INLINE void update(void *w, void *first, void *second, const void *g, u64 n, const rates &k,
                   u32 types)
{
    typedef vector<F32> v;
    u64 at = ((u64)BLOCK_X * 256 + THREAD_X) * 4;
    if (at + 4 > n) {
#pragma unroll 1
        for (; at < n; at++)
            step1<DO, F32>(w, first, second, g, at, k, types);
        return;
    }
    v vw = load<F32>(w, at, types, 0), vg = load<F32>(g, at, types, 3), vf = vg, vs = vg;
    if (DO::states > 0)
        vf = load<F32>(first, at, types, 1);
    if (DO::states > 1)
        vs = load<F32>(second, at, types, 2);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        weight x = {vw.x[i], vf.x[i], vs.x[i], vg.x[i]};
        DO::step(x, k);
        vw.x[i] = x.w, vf.x[i] = x.first, vs.x[i] = x.second;
    }
    store<F32>(w, at, types, 0, vw);
    if (DO::states > 0)
        store<F32>(first, at, types, 1, vf);
    if (DO::states > 1)
        store<F32>(second, at, types, 2, vs);
}

template <class DO> INLINE void update_any(void *w, void *first, void *second, const void *g,
                                           u64 n, const rates &k, u32 types)
{
#pragma unroll 1
    for (u32 i = 0; i < 4; i++) {
        u64 at = ((u64)BLOCK_X * 4 + i) * 256 + THREAD_X;
        if (at < n)
            step1<DO, ANY>(w, first, second, g, at, k, types);
    }
}

#define OPTIMIZER(name) \
    KERNEL __launch_bounds__(256) name##_f32(void *w, void *first, void *second, const void *g, \
        u64 elements, float lr, float p, float q, float r, u32 types) \
    { \
        update<name>(w, first, second, g, elements, {lr, p, q, r}, types); \
    } \
    KERNEL __launch_bounds__(256) name##_any(void *w, void *first, void *second, const void *g, \
        u64 elements, float lr, float p, float q, float r, u32 types) \
    { \
        update_any<name>(w, first, second, g, elements, {lr, p, q, r}, types); \
    }

OPTIMIZER(sgd)
OPTIMIZER(momentum)
OPTIMIZER(rmsprop)
OPTIMIZER(adam)
