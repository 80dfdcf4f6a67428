/* elementwise.cu - each result from the elements at its place.
 *
 * A thread has one vector; the last of a tensor may be short, and then goes one by one.
 * Formulas are those of traces/ops.h.
 */
#include "math.cuh"
#include "vector.cuh"

/* x: operands a, b, c.  s, t: numbers of the launch. */
struct operands { float a, b, c, s, t; };

#define EACH(name, formula) \
    struct do_##name { static METHOD float of(const operands &x) { return formula; } };

INLINE float gelu_tanh(float x)
{
    return tanh_of(x * (0.7978846f + 0.035677408f * (x * x)));
}

INLINE float gelu_slope(float x)
{
    float t = gelu_tanh(x);
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * (0.7978846f + 3 * 0.035677408f * (x * x));
}

INLINE float clamped(float p, float epsilon) { return smallest(largest(p, epsilon), 1 - epsilon); }

INLINE float binary_slope(float p, float target, float epsilon)
{
    float q = clamped(p, epsilon);
    return (q - target) / (q * (1 - q));
}

/* Activations: of f32, f16, bf16 and any. */
#define ACTIVATIONS(X) \
    X(add,          2, x.a + x.b) \
    X(subtract,     2, x.a - x.b) \
    X(multiply,     2, x.a * x.b) \
    X(scale,        1, x.s * x.a) \
    X(relu,         1, x.a > 0 ? x.a : 0) \
    X(relu_grad,    2, x.b > 0 ? x.a : 0) \
    X(sigmoid,      1, sigmoid_of(x.a)) \
    X(sigmoid_grad, 2, x.a * (x.b * (1 - x.b))) \
    X(tanh,         1, tanh_of(x.a)) \
    X(tanh_grad,    2, x.a * (1 - x.b * x.b)) \
    X(gelu,         1, 0.5f * x.a * (1 + gelu_tanh(x.a))) \
    X(gelu_grad,    2, x.a * gelu_slope(x.b))

/* Gradients of losses (s: 1 or 2 over the elements, t: epsilon), and what a framework launches
 * that fuses nothing: of f32 and any. */
#define OTHERS(X) \
    X(sigmoid_cross_entropy_grad, 2, (sigmoid_of(x.a) - x.b) * x.s) \
    X(binary_cross_entropy_grad,  2, binary_slope(x.a, x.b, x.t) * x.s) \
    X(mean_squared_error_grad,    2, (x.a - x.b) * x.s) \
    X(add_number, 1, x.a + x.s) \
    X(add_scaled, 2, x.a + x.s * x.b) \
    X(divide,     2, x.a / x.b) \
    X(sqrt,       1, root(x.a)) \
    X(lerp,       2, x.a + x.s * (x.b - x.a)) \
    X(addcmul,    3, x.a + x.s * (x.b * x.c)) \
    X(addcdiv,    3, x.a + x.s * (x.b / x.c))

#define FORMULA(name, inputs, formula) EACH(name, formula)
ACTIVATIONS(FORMULA)
OTHERS(FORMULA)
EACH(cast, x.a)

template <class DO, int INPUTS, int E>
INLINE void each1(void *y, const void *a, const void *b, const void *c, u64 at, float s, float t,
                  u32 types)
{
    float xa = load1<E>(a, at, types, 1);
    float xb = INPUTS > 1 ? load1<E>(b, at, types, 2) : 0;
    float xc = INPUTS > 2 ? load1<E>(c, at, types, 3) : 0;
    store1<E>(y, at, types, 0, DO::of({xa, xb, xc, s, t}));
}

template <class DO, int INPUTS, int E>
INLINE void each(void *y, const void *a, const void *b, const void *c, u64 n, float s, float t,
                 u32 types)
{
    typedef vector<E> v;
    u64 at = ((u64)BLOCK_X * 256 + THREAD_X) * v::count;
    if (at + v::count > n) {
#pragma unroll 1
        for (; at < n; at++)
            each1<DO, INPUTS, E>(y, a, b, c, at, s, t, types);
        return;
    }
    v va = load<E>(a, at, types, 1), vb = va, vc = va;
    if (INPUTS > 1)
        vb = load<E>(b, at, types, 2);
    if (INPUTS > 2)
        vc = load<E>(c, at, types, 3);
#pragma unroll
    for (int i = 0; i < v::count; i++)
        va.x[i] = DO::of({va.x[i], vb.x[i], vc.x[i], s, t});
    store<E>(y, at, types, 0, va);
}

/* Of types that differ: four elements of a thread one by one, a block apart. */
template <class DO, int INPUTS>
INLINE void each_any(void *y, const void *a, const void *b, const void *c, u64 n, float s,
                     float t, u32 types)
{
#pragma unroll 1
    for (u32 i = 0; i < 4; i++) {
        u64 at = ((u64)BLOCK_X * 4 + i) * 256 + THREAD_X;
        if (at < n)
            each1<DO, INPUTS, ANY>(y, a, b, c, at, s, t, types);
    }
}

#define OF(name, inputs, type, E) \
    KERNEL __launch_bounds__(256) name##_##type(void *y, const void *a, const void *b, \
        const void *c, u64 elements, float s, float t, u32 types) \
    { \
        each<do_##name, inputs, E>(y, a, b, c, elements, s, t, types); \
    }
#define OF_F32(name, inputs, formula)  OF(name, inputs, f32, F32)
#define OF_F16(name, inputs, formula)  OF(name, inputs, f16, F16)
#define OF_BF16(name, inputs, formula) OF(name, inputs, bf16, BF16)
#define OF_ANY(name, inputs, formula) \
    KERNEL __launch_bounds__(256) name##_any(void *y, const void *a, const void *b, \
        const void *c, u64 elements, float s, float t, u32 types) \
    { \
        each_any<do_##name, inputs>(y, a, b, c, elements, s, t, types); \
    }

/* y = x + bias[column]: a thread has a vector of columns, and every so many rows. */
template <int E> INLINE void bias(void *y, const void *x, const void *b, u32 rows, u32 columns,
                                  u32 types)
{
    typedef vector<E> v;
    u32 column = (BLOCK_X * 256 + THREAD_X) * v::count;
    if (columns % v::count == 0 && column < columns) {
        v vb = load<E>(b, column, types, 2);
#pragma unroll 1
        for (u32 row = BLOCK_Y; row < rows; row += BLOCKS_Y) {
            v vx = load<E>(x, (u64)row * columns + column, types, 1);
#pragma unroll
            for (int i = 0; i < v::count; i++)
                vx.x[i] += vb.x[i];
            store<E>(y, (u64)row * columns + column, types, 0, vx);
        }
    } else {
#pragma unroll 1
        for (u32 row = BLOCK_Y; row < rows; row += BLOCKS_Y)
#pragma unroll 1
            for (u32 i = 0; i < v::count && column + i < columns; i++) {
                u64 at = (u64)row * columns + column + i;
                store1<E>(y, at, types, 0,
                          load1<E>(x, at, types, 1) + load1<E>(b, column + i, types, 2));
            }
    }
}

#define BIAS(type, E) \
    KERNEL __launch_bounds__(256) bias_##type(void *y, const void *x, const void *b, u32 rows, \
                                              u32 columns, u32 types) \
    { \
        bias<E>(y, x, b, rows, columns, types); \
    }

/* Those of bf16 are for chips that have it; all others for every chip. */
#if __CUDA_ARCH__ >= 800
ACTIVATIONS(OF_BF16)
BIAS(bf16, BF16)
#else
ACTIVATIONS(OF_F32)
ACTIVATIONS(OF_F16)
ACTIVATIONS(OF_ANY)
OTHERS(OF_F32)
OTHERS(OF_ANY)
OF(cast, 1, any, ANY)
BIAS(f32, F32)
BIAS(f16, F16)
BIAS(any, ANY)
#endif
