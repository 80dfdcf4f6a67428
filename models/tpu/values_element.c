/* values_element.c - element-wise ops and optimizers on the vector unit: f32, each operation
 * of a formula rounded by itself. */

/* gcc's -O2 leaves these loops scalar; nothing here depends on the order of anything. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#endif

#include <math.h>

#include "models/numerics/half.h"
#include "models/tpu/mxu_form.h"
#include "models/tpu/values_inside.h"
#include "traces/functions.h"

static inline float exp_of(float x)  { return (float)functions_exp(x); }
static inline float tanh_of(float x) { return (float)functions_tanh(x); }
static inline float sigmoid(float x) { return 1 / (1 + exp_of(-x)); }

#define GELU_P ((float)OP_GELU_P)
#define GELU_Q ((float)OP_GELU_Q)

static inline float inner(float x) { return tanh_of(x * (GELU_P + GELU_Q * (x * x))); }

static inline float gelu_slope(float x)
{
    float t = inner(x);
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * (GELU_P + 3 * GELU_Q * (x * x));
}

static inline float clip(float p, float least, float most)
{
    float q = p < least ? least : p;
    return q > most ? most : q;
}

static inline float probability_slope(float q, float t, float share)
{
    return (q - t) / (q * (1 - q)) * share;
}

/* From a and b, the elements at its place, and the numbers k0, k1, k2 of values_numbers. */
#define FORMULAS(X)                                                             \
    X(BIAS,         a + b)                                                      \
    X(ADD,          a + b)                                                      \
    X(SUBTRACT,     a - b)                                                      \
    X(MULTIPLY,     a * b)                                                      \
    X(SCALE,        k0 * a)                                                     \
    X(CAST,         a)                                                          \
    X(RELU,         a > 0 ? a : 0)                                              \
    X(RELU_GRAD,    b > 0 ? a : 0)                                              \
    X(SIGMOID,      sigmoid(a))                                                 \
    X(SIGMOID_GRAD, a * (b * (1 - b)))                                          \
    X(TANH,         tanh_of(a))                                                 \
    X(TANH_GRAD,    a * (1 - b * b))                                            \
    X(GELU,         0.5f * a * (1 + inner(a)))                                  \
    X(GELU_GRAD,    a * gelu_slope(b))                                          \
    X(SIGMOID_CROSS_ENTROPY_GRAD, (sigmoid(a) - b) * k0)                        \
    X(BINARY_CROSS_ENTROPY_GRAD,  probability_slope(clip(a, k1, k2), b, k0))    \
    X(MEAN_SQUARED_ERROR_GRAD,    (a - b) * k0)

#define FUNCTION(id, formula)                                                   \
    TPU_MXU_WIDE static void of_##id(const struct values_run *r)                \
    {                                                                           \
        const float *x0 = r->in[0], *x1 = r->in[1], *k = r->op->number;         \
        const float k0 = k[0], k1 = k[1], k2 = k[2];                            \
        float *y = r->out[0];                                                   \
        uint64_t n = r->n;                                                      \
        for (uint64_t i = 0; i < n; i++) {                                      \
            const float a = x0[i], b = x1[i];                                   \
            y[i] = formula;                                                     \
            (void)b;                                                            \
        }                                                                       \
        (void)k0; (void)k1; (void)k2;                                           \
    }
FORMULAS(FUNCTION)

#define ROW(id, formula) [TRACE_##id] = of_##id,
values_function *const values_elements[TRACE_OPS_COUNT] = { FORMULAS(ROW) };

TPU_MXU_WIDE static void sgd(const struct values_run *r)
{
    const float *w = r->in[0], *g = r->in[1], lr = r->op->number[0];
    float *y = r->out[0];
    uint64_t n = r->n;
    for (uint64_t i = 0; i < n; i++)
        y[i] = w[i] - lr * g[i];
}

TPU_MXU_WIDE static void momentum(const struct values_run *r)
{
    const float *w = r->in[0], *a = r->in[1], *g = r->in[2];
    const float lr = r->op->number[0], kept = r->op->number[1];
    float *y = r->out[0], *mean = r->out[1];
    uint64_t n = r->n;
    for (uint64_t i = 0; i < n; i++) {
        float change = kept * a[i] + g[i];
        float moved = w[i] - lr * change;
        mean[i] = change;
        y[i] = moved;
    }
}

TPU_MXU_WIDE static void rmsprop(const struct values_run *r)
{
    const float *w = r->in[0], *s = r->in[1], *g = r->in[2], *k = r->op->number;
    const float lr = k[0], decay = k[1], rest = k[2], epsilon = k[3];
    float *y = r->out[0], *mean = r->out[1];
    uint64_t n = r->n;
    for (uint64_t i = 0; i < n; i++) {
        float square = decay * s[i] + rest * g[i] * g[i];
        float moved = w[i] - lr * g[i] / sqrtf(square + epsilon);
        mean[i] = square;
        y[i] = moved;
    }
}

TPU_MXU_WIDE static void adam(const struct values_run *r)
{
    const float *w = r->in[0], *m = r->in[1], *v = r->in[2], *g = r->in[3], *k = r->op->number;
    const float c = k[0], beta1 = k[1], rest1 = k[2], beta2 = k[3], rest2 = k[4], epsilon = k[5];
    float *y = r->out[0], *mean = r->out[1], *squares = r->out[2];
    uint64_t n = r->n;
    for (uint64_t i = 0; i < n; i++) {
        float first = beta1 * m[i] + rest1 * g[i];
        float second = beta2 * v[i] + rest2 * g[i] * g[i];
        float moved = w[i] - c * first / (sqrtf(second) + epsilon);
        mean[i] = first;
        squares[i] = second;
        y[i] = moved;
    }
}

values_function *const values_updates[TRACE_OPS_COUNT] = {
    [TRACE_SGD] = sgd, [TRACE_MOMENTUM] = momentum, [TRACE_RMSPROP] = rmsprop,
    [TRACE_ADAM] = adam,
};

static float attribute(const struct values_op *x, enum op_attribute a)
{
    return (float)x->op->attr[a];
}

/* What the steps so far make of the learning rate; scalars are worked out in double. */
static float adam_rate(const struct values_op *x, uint64_t before)
{
    uint64_t step = (uint64_t)x->op->attr[ATTR_STEP] + before;
    double left1 = 1 - functions_power(attribute(x, ATTR_BETA1), step);
    double left2 = 1 - functions_power(attribute(x, ATTR_BETA2), step);
    return (float)(attribute(x, ATTR_LR) * sqrt(left2) / left1);
}

void values_numbers(struct values_op *x, uint64_t before)
{
    float *k = x->number, epsilon = attribute(x, ATTR_EPSILON);
    double share = 1 / (double)(x->op->kind == TRACE_SOFTMAX_CROSS_ENTROPY_GRAD
                                || x->op->kind == TRACE_MEAN_ROWS ? x->rows : x->elements);
    k[0] = (float)share;
    k[1] = epsilon;
    k[2] = 1 - epsilon;
    switch ((int)x->op->kind) {
    case TRACE_SCALE:                   k[0] = attribute(x, ATTR_FACTOR); return;
    case TRACE_MEAN_SQUARED_ERROR_GRAD: k[0] = (float)(2 * share); return;
    case TRACE_SGD:                     k[0] = attribute(x, ATTR_LR); return;
    case TRACE_MOMENTUM:
        k[0] = attribute(x, ATTR_LR);
        k[1] = attribute(x, ATTR_MOMENTUM);
        return;
    case TRACE_RMSPROP:
        k[0] = attribute(x, ATTR_LR);
        k[1] = attribute(x, ATTR_DECAY);
        k[2] = 1 - k[1];
        k[3] = epsilon;
        return;
    case TRACE_ADAM:
        k[0] = adam_rate(x, before);
        k[1] = attribute(x, ATTR_BETA1);
        k[2] = 1 - k[1];
        k[3] = attribute(x, ATTR_BETA2);
        k[4] = 1 - k[3];
        k[5] = epsilon;
        return;
    }
}

/* ---- number formats ---- */

TPU_MXU_WIDE static void round_bf16(float *to, const float *from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = half_bf16_to_f32(half_bf16_from_f32(from[i], BF16_NAN));
}

TPU_MXU_WIDE static void round_f16(float *to, const float *from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = half_to_f32(half_from_f32(from[i], F16_NAN));
}

TPU_MXU_WIDE static void make_canonical(float *to, const float *from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = f32_canonical(from[i]);
}

void values_round(float *to, const float *from, uint64_t n, enum trace_type type)
{
    switch (type) {
    case TRACE_BF16: round_bf16(to, from, n); return;
    case TRACE_F16:  round_f16(to, from, n); return;
    case TRACE_F32:
    case TRACE_I32:
    case TRACE_TYPES_COUNT: make_canonical(to, from, n); return;
    }
}
