/* plain.h - every op in plain f32 of the host, with sums in random orders.
 *
 * Written from the meanings of traces/ops.h, for bounds to hold against: another machine that
 * does it right.
 */
#ifndef TESTS_TRACES_PLAIN_H
#define TESTS_TRACES_PLAIN_H

#include <check.h>
#include <math.h>

#include "tests/sim/hostile.h"
#include "traces/round.h"

struct plain {
    const struct trace    *trace;
    const struct trace_op *op;
    float      *in[TRACE_INS], *out[TRACE_OUTS];
    uint64_t    rows, n, all, step;
    struct dice *dice;          /* orders of sums */
};

static inline float plain_attribute(const struct plain *x, enum op_attribute a)
{
    return (float)x->op->attr[a];
}

/* In any order: two that are left are added until one is. */
static inline float plain_sum_of(const struct plain *x, const float *terms, uint64_t n,
                                 uint64_t stride)
{
    float *left = calloc(n, sizeof *left), sum;
    bool in_order = roll(x->dice, 2);
    for (uint64_t i = 0; i < n; i++)
        left[i] = terms[i * stride];
    for (; n > 1; n--) {
        uint64_t i = in_order ? 0 : roll(x->dice, n), j = in_order ? 1 : roll(x->dice, n - 1);
        j += !in_order && j >= i;
        left[i] += left[j];
        left[j] = left[n - 1];
        if (i == n - 1)
            left[j] = left[i];
        if (in_order)
            memmove(left + 1, left + 2, (n - 2) * sizeof *left);
    }
    sum = left[0];
    free(left);
    return sum;
}

static inline float plain_logistic(float z) { return 1 / (1 + expf(-z)); }

static inline float plain_clip(const struct plain *x, float p)
{
    float epsilon = plain_attribute(x, ATTR_EPSILON);
    return fminf(fmaxf(p, epsilon), 1 - epsilon);
}

static inline float plain_gelu_inner(float x)
{
    return tanhf(x * (0.7978846f + 0.035677408f * (x * x)));
}

static inline float plain_gelu_slope(float x)
{
    float t = plain_gelu_inner(x);
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * (0.7978846f + 3 * 0.035677408f * (x * x));
}

static inline float plain_element(const struct plain *x, float a, float b)
{
    float all = (float)x->all, q;
    switch ((int)x->op->kind) {
    case TRACE_BIAS:
    case TRACE_ADD:          return a + b;
    case TRACE_SUBTRACT:     return a - b;
    case TRACE_MULTIPLY:     return a * b;
    case TRACE_SCALE:        return plain_attribute(x, ATTR_FACTOR) * a;
    case TRACE_RELU:         return a > 0 ? a : 0;
    case TRACE_RELU_GRAD:    return b > 0 ? a : 0;
    case TRACE_SIGMOID:      return plain_logistic(a);
    case TRACE_SIGMOID_GRAD: return a * (b * (1 - b));
    case TRACE_TANH:         return tanhf(a);
    case TRACE_TANH_GRAD:    return a * (1 - b * b);
    case TRACE_GELU:         return 0.5f * a * (1 + plain_gelu_inner(a));
    case TRACE_GELU_GRAD:    return a * plain_gelu_slope(b);
    case TRACE_SIGMOID_CROSS_ENTROPY_GRAD: return (plain_logistic(a) - b) * (1 / all);
    case TRACE_BINARY_CROSS_ENTROPY_GRAD:
        q = plain_clip(x, a);
        return (q - b) / (q * (1 - q)) * (1 / all);
    case TRACE_MEAN_SQUARED_ERROR_GRAD: return (a - b) * (2 / all);
    default:                 return a;
    }
}

static inline void plain_elements(const struct plain *x)
{
    const float *b = x->op->ins > 1 ? x->in[1] : x->in[0];
    for (uint64_t i = 0; i < x->all; i++)
        x->out[0][i] = plain_element(x, x->in[0][i], b[x->op->kind == TRACE_BIAS ? i % x->n : i]);
}

static inline void plain_transpose(const struct plain *x)
{
    const struct trace_tensor *in = &x->trace->tensors[x->op->in[0]];
    uint64_t m = in->shape[in->rank - 2], n = x->n;
    for (uint64_t g = 0; g < x->all / (m * n); g++)
        for (uint64_t i = 0; i < m * n; i++)
            x->out[0][g * m * n + i % n * m + i / n] = x->in[0][g * m * n + i];
}

static inline void plain_matmul(const struct plain *x)
{
    struct op_matmul d = op_matmul(x->trace, x->op);
    float *terms = calloc(d.k, sizeof *terms);
    for (uint64_t y = 0; y < d.batch * d.m * d.n; y++) {
        uint64_t g = y / (d.m * d.n), i = y / d.n % d.m, j = y % d.n;
        for (uint64_t k = 0; k < d.k; k++) {
            float a = x->in[0][g * d.m * d.k + (x->op->transpose_a ? k * d.m + i : i * d.k + k)];
            float b = x->in[1][g * d.k * d.n + (x->op->transpose_b ? j * d.k + k : k * d.n + j)];
            terms[k] = (float)trace_round(a, x->op->compute)
                     * (float)trace_round(b, x->op->compute);
        }
        x->out[0][y] = plain_sum_of(x, terms, d.k, 1);
    }
    free(terms);
}

static inline float plain_target(const struct plain *x, uint64_t r, uint64_t j)
{
    return x->trace->tensors[x->op->in[1]].type == TRACE_I32 ? x->in[1][r] == (float)j
                                                             : x->in[1][r * x->n + j];
}

/* exp(x - largest) of a row into `e`; the sum. */
static inline float plain_exps(const struct plain *x, uint64_t r, float *e, float *most)
{
    const float *in = x->in[0] + r * x->n;
    *most = in[0];
    for (uint64_t j = 1; j < x->n; j++)
        *most = fmaxf(*most, in[j]);
    for (uint64_t j = 0; j < x->n; j++)
        e[j] = expf(in[j] - *most);
    return plain_sum_of(x, e, x->n, 1);
}

static inline void plain_layernorm(const struct plain *x, uint64_t r, float *terms)
{
    const float *in = x->in[0] + r * x->n;
    float n = (float)x->n, m = plain_sum_of(x, in, x->n, 1) / n;
    for (uint64_t j = 0; j < x->n; j++)
        terms[j] = (in[j] - m) * (in[j] - m);
    float scale = 1 / sqrtf(plain_sum_of(x, terms, x->n, 1) / n + plain_attribute(x, ATTR_EPSILON));
    for (uint64_t j = 0; j < x->n; j++)
        x->out[0][r * x->n + j] = (in[j] - m) * scale * x->in[1][j] + x->in[2][j];
    x->out[1][r] = m;
    x->out[2][r] = scale;
}

static inline void plain_layernorm_grad(const struct plain *x, uint64_t r, float *terms)
{
    const float *dy = x->in[0] + r * x->n, *in = x->in[1] + r * x->n, *g = x->in[2];
    float m = x->in[3][r], scale = x->in[4][r], n = (float)x->n;
    for (uint64_t j = 0; j < x->n; j++)
        terms[j] = dy[j] * g[j];
    float mean = plain_sum_of(x, terms, x->n, 1) / n;
    for (uint64_t j = 0; j < x->n; j++)
        terms[j] = dy[j] * g[j] * ((in[j] - m) * scale);
    float slope = plain_sum_of(x, terms, x->n, 1) / n;
    for (uint64_t j = 0; j < x->n; j++)
        x->out[0][r * x->n + j] = scale * (dy[j] * g[j] - (mean + (in[j] - m) * scale * slope));
}

static inline void plain_row(const struct plain *x, uint64_t r, float *terms)
{
    float *y = x->out[0] + r * x->n, most, sum;
    switch ((int)x->op->kind) {
    case TRACE_SOFTMAX:
        sum = plain_exps(x, r, terms, &most);
        for (uint64_t j = 0; j < x->n; j++)
            y[j] = terms[j] * (1 / sum);
        return;
    case TRACE_SOFTMAX_GRAD:
        for (uint64_t j = 0; j < x->n; j++)
            terms[j] = x->in[0][r * x->n + j] * x->in[1][r * x->n + j];
        sum = plain_sum_of(x, terms, x->n, 1);
        for (uint64_t j = 0; j < x->n; j++)
            y[j] = x->in[1][r * x->n + j] * (x->in[0][r * x->n + j] - sum);
        return;
    case TRACE_SOFTMAX_CROSS_ENTROPY_GRAD:
        sum = plain_exps(x, r, terms, &most);
        for (uint64_t j = 0; j < x->n; j++)
            y[j] = (terms[j] * (1 / sum) - plain_target(x, r, j)) * (1 / (float)x->rows);
        return;
    case TRACE_LAYERNORM:      plain_layernorm(x, r, terms); return;
    case TRACE_LAYERNORM_GRAD: plain_layernorm_grad(x, r, terms); return;
    }
    ck_abort_msg("no op of rows: %s", op_rows[x->op->kind].name);
}

static inline float plain_loss_of_row(const struct plain *x, uint64_t r)
{
    float *terms = calloc(x->n, sizeof *terms), most, sum = plain_exps(x, r, terms, &most);
    for (uint64_t j = 0; j < x->n; j++)
        terms[j] = plain_target(x, r, j) * x->in[0][r * x->n + j];
    float loss = most + logf(sum) - plain_sum_of(x, terms, x->n, 1);
    free(terms);
    return loss;
}

static inline float plain_term(const struct plain *x, uint64_t i)
{
    float a = x->in[0][i], b = x->op->ins > 1 ? x->in[1][i] : 0, q;
    switch ((int)x->op->kind) {
    case TRACE_SIGMOID_CROSS_ENTROPY:
        return fmaxf(a, 0) - a * b + logf(1 + expf(-fabsf(a)));
    case TRACE_BINARY_CROSS_ENTROPY:
        q = plain_clip(x, a);
        return -(b * logf(q) + (1 - b) * logf(1 - q));
    case TRACE_MEAN_SQUARED_ERROR:
        return (a - b) * (a - b);
    default:
        return a;
    }
}

static inline void plain_total(const struct plain *x)
{
    bool by_rows = x->op->kind == TRACE_SOFTMAX_CROSS_ENTROPY;
    uint64_t count = by_rows ? x->rows : x->all;
    float *terms = calloc(count, sizeof *terms);
    for (uint64_t i = 0; i < count; i++)
        terms[i] = by_rows ? plain_loss_of_row(x, i) : plain_term(x, i);
    float sum = plain_sum_of(x, terms, count, 1);
    x->out[0][0] = x->op->kind == TRACE_SUM ? sum
                 : x->op->kind == TRACE_MEAN ? sum * (1 / (float)count) : sum / (float)count;
    free(terms);
}

static inline void plain_columns(const struct plain *x)
{
    bool norm = x->op->kind == TRACE_LAYERNORM_GRAD_WEIGHTS;
    float scale = x->op->kind == TRACE_MEAN_ROWS ? 1 / (float)x->rows : 1;
    float *terms = calloc(x->all, sizeof *terms);
    for (uint64_t i = 0; i < x->all && norm; i++)
        terms[i] = x->in[0][i] * ((x->in[1][i] - x->in[2][i / x->n]) * x->in[3][i / x->n]);
    for (uint64_t j = 0; j < x->n; j++) {
        x->out[0][j] = scale * plain_sum_of(x, norm ? terms + j : x->in[0] + j, x->rows, x->n);
        if (norm)
            x->out[1][j] = plain_sum_of(x, x->in[0] + j, x->rows, x->n);
    }
    free(terms);
}

/* Adam's mean as frameworks have it every other time. */
static inline void plain_update(const struct plain *x, uint64_t i)
{
    float lr = plain_attribute(x, ATTR_LR);
    float b1 = plain_attribute(x, ATTR_BETA1), b2 = plain_attribute(x, ATTR_BETA2);
    float epsilon = plain_attribute(x, ATTR_EPSILON), decay = plain_attribute(x, ATTR_DECAY);
    float g = x->in[x->op->ins - 1][i], *w = &x->out[0][i], *m = &x->out[1][i], *v = &x->out[2][i];
    double c;
    switch ((int)x->op->kind) {
    case TRACE_SGD:
        *w -= lr * g;
        return;
    case TRACE_MOMENTUM:
        *m = plain_attribute(x, ATTR_MOMENTUM) * *m + g;
        *w -= lr * *m;
        return;
    case TRACE_RMSPROP:
        *m = decay * *m + (1 - decay) * g * g;
        *w -= lr * g / sqrtf(*m + epsilon);
        return;
    case TRACE_ADAM:
        *m = x->step % 2 ? *m + (1 - b1) * (g - *m) : b1 * *m + (1 - b1) * g;
        *v = b2 * *v + (1 - b2) * g * g;
        c = (double)lr * sqrt(1 - pow(b2, (double)x->step)) / (1 - pow(b1, (double)x->step));
        *w -= (float)c * *m / (sqrtf(*v) + epsilon);
        return;
    }
    ck_abort_msg("no optimizer: %s", op_rows[x->op->kind].name);
}

static inline void plain_compute(const struct plain *x)
{
    enum trace_op_kind kind = x->op->kind;
    float *terms = calloc(x->n, sizeof *terms);
    switch (op_rows[kind].class) {
    case OP_MATMUL:  plain_matmul(x); break;
    case OP_ROW:
        for (uint64_t r = 0; r < x->rows; r++)
            plain_row(x, r, terms);
        break;
    case OP_LOSS:    plain_total(x); break;
    case OP_REDUCE:
        (kind == TRACE_SUM || kind == TRACE_MEAN ? plain_total : plain_columns)(x);
        break;
    case OP_OPTIMIZER:
        for (uint64_t i = 0; i < x->all; i++)
            plain_update(x, i);
        break;
    default:
        (kind == TRACE_TRANSPOSE ? plain_transpose : plain_elements)(x);
    }
    free(terms);
}

#endif
