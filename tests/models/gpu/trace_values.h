/* trace_values.h - what each op of a trace computes, in double precision, for tests.
 *
 * A cell is a value and how far a right machine may be off it: sums in f32 in any order,
 * functions right to a few units of f32, one rounding to the type of the result (where a
 * result stays within a fused group the rounding may or may not happen).  Written from the
 * meanings of traces/ops.h and from nothing else.
 */
#ifndef TESTS_MODELS_GPU_TRACE_VALUES_H
#define TESTS_MODELS_GPU_TRACE_VALUES_H

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "traces/trace.h"

#define VALUES_EPSILON (32 * 0x1p-24)       /* of an f32 function of a few operations */

struct cell { double v, e; };

static const struct { int digits, least; } value_formats[TRACE_TYPES_COUNT] = {
    [TRACE_F32] = { 24, -149 }, [TRACE_BF16] = { 8, -133 }, [TRACE_F16] = { 11, -24 },
};

/* To nearest, ties to even, without overflow. */
static inline double value_round(double x, enum trace_type type)
{
    int exponent;
    if (x == 0 || type == TRACE_I32 || !isfinite(x))
        return x;
    frexp(x, &exponent);
    int unit = exponent - value_formats[type].digits;
    if (unit < value_formats[type].least)
        unit = value_formats[type].least;
    return ldexp(nearbyint(ldexp(x, -unit)), unit);
}

/* What a rounding to `type` may change. */
static inline double value_half_ulp(double x, enum trace_type type)
{
    if (type == TRACE_I32)
        return 0;
    double least = ldexp(1, type == TRACE_F16 ? -25 : -126);    /* f32 may flush to zero */
    return fmax(fabs(x) * ldexp(1, -value_formats[type].digits), least);
}

static inline struct cell value_cell(double v, double magnitude, double inherited)
{
    return (struct cell){ v, inherited + VALUES_EPSILON * magnitude };
}

struct value_op {
    const struct trace    *trace;
    const struct trace_op *op;
    struct cell           *in[TRACE_INS], *out[TRACE_OUTS];
    uint64_t               rows, n, all;        /* of the first input */
    enum trace_type        compute;             /* of a product, as the machine does it */
    double                 stored;              /* an optimizer that stores after each operation */
                                                /* errs by so much of it each time; 0: it does not */
};

static inline double value_attr(const struct value_op *x, enum op_attribute a)
{
    return (float)x->op->attr[a];
}

static inline void value_matmul(const struct value_op *x)
{
    struct op_matmul d = op_matmul(x->trace, x->op);
    for (uint64_t g = 0; g < d.batch; g++)
        for (uint64_t i = 0; i < d.m; i++)
            for (uint64_t j = 0; j < d.n; j++) {
                double sum = 0, size = 0;
                for (uint64_t k = 0; k < d.k; k++) {
                    uint64_t a = x->op->transpose_a ? k * d.m + i : i * d.k + k;
                    uint64_t b = x->op->transpose_b ? j * d.k + k : k * d.n + j;
                    double term = value_round(x->in[0][g * d.m * d.k + a].v, x->compute)
                                * value_round(x->in[1][g * d.k * d.n + b].v, x->compute);
                    sum += term;
                    size += fabs(term);
                }
                /* A tensor core may cut off what it adds: a unit, not half of one. */
                x->out[0][(g * d.m + i) * d.n + j] =
                    (struct cell){ sum, (double)(d.k + 8) * 0x1p-23 * size };
            }
}

static inline double value_inner(double x)
{
    return tanh(x * (0.7978846 + 0.035677408 * (x * x)));
}

static inline double value_sigmoid(double x) { return 1 / (1 + exp(-x)); }

static inline double value_clip(double p, double epsilon)
{
    return fmin(fmax(p, epsilon), 1 - epsilon);
}

/* One element of an element-wise op from its inputs there. */
static inline struct cell value_element(const struct value_op *x, struct cell a, struct cell b)
{
    double n = (double)x->all, epsilon = value_attr(x, ATTR_EPSILON), p = a.v, t, q, slope;
    switch ((int)x->op->kind) {
    case TRACE_BIAS:
    case TRACE_ADD:      return value_cell(p + b.v, fabs(p) + fabs(b.v), a.e + b.e);
    case TRACE_SUBTRACT: return value_cell(p - b.v, fabs(p) + fabs(b.v), a.e + b.e);
    case TRACE_MULTIPLY: return value_cell(p * b.v, fabs(p * b.v), a.e * fabs(b.v));
    case TRACE_SCALE:
        q = value_attr(x, ATTR_FACTOR);
        return value_cell(q * p, fabs(q * p), a.e * fabs(q));
    case TRACE_CAST:
    case TRACE_RESHAPE:
    case TRACE_ALL_REDUCE: return a;
    case TRACE_RELU:       return (struct cell){ p > 0 ? p : 0, a.e };
    case TRACE_RELU_GRAD:  return (struct cell){ b.v > 0 ? p : 0, a.e };
    case TRACE_SIGMOID:    return value_cell(value_sigmoid(p), 1, a.e / 4);
    case TRACE_SIGMOID_GRAD:
        return value_cell(p * (b.v * (1 - b.v)), fabs(p * b.v) * (1 + fabs(b.v)),
                          a.e * fabs(b.v * (1 - b.v)));
    case TRACE_TANH:       return value_cell(tanh(p), 1, a.e);
    case TRACE_TANH_GRAD:
        return value_cell(p * (1 - b.v * b.v), fabs(p) * (1 + b.v * b.v),
                          a.e * fabs(1 - b.v * b.v));
    case TRACE_GELU:
        return value_cell(0.5 * p * (1 + value_inner(p)), fabs(p) + fabs(p * p), 1.2 * a.e);
    case TRACE_GELU_GRAD:
        t = value_inner(b.v);
        slope = 0.5 * (1 + t) + 0.5 * b.v * (1 - t * t)
              * (0.7978846 + 3 * 0.035677408 * (b.v * b.v));
        return value_cell(p * slope, fabs(p) * (2 + fabs(b.v) + b.v * b.v), 1.2 * a.e);
    case TRACE_SIGMOID_CROSS_ENTROPY_GRAD:
        return value_cell((value_sigmoid(p) - b.v) / n, (1 + fabs(b.v)) / n, a.e / n);
    case TRACE_BINARY_CROSS_ENTROPY_GRAD:
        q = value_clip(p, epsilon);
        t = q * (1 - q);
        return value_cell((q - b.v) / t / n, (1 + fabs(b.v)) / fabs(t * fmin(q, 1 - q)) / n, 0);
    case TRACE_MEAN_SQUARED_ERROR_GRAD:
        return value_cell((p - b.v) * (2 / n), (fabs(p) + fabs(b.v)) * 2 / n, 2 * a.e / n);
    }
    ck_abort_msg("no element-wise op: %s", op_rows[x->op->kind].name);
    return a;
}

static inline void value_elements(const struct value_op *x)
{
    bool bias = x->op->kind == TRACE_BIAS;
    for (uint64_t i = 0; i < x->all; i++)
        x->out[0][i] = value_element(x, x->in[0][i],
                                     x->op->ins > 1 ? x->in[1][bias ? i % x->n : i] : x->in[0][i]);
}

static inline void value_transpose(const struct value_op *x)
{
    const struct trace_tensor *t = &x->trace->tensors[x->op->in[0]];
    uint64_t m = t->shape[t->rank - 2], n = x->n;
    for (uint64_t g = 0; g < x->all / (m * n); g++)
        for (uint64_t i = 0; i < m; i++)
            for (uint64_t j = 0; j < n; j++)
                x->out[0][g * m * n + j * m + i] = x->in[0][g * m * n + i * n + j];
}

/* The largest of a row, and log(sum(exp(x - largest))). */
static inline double value_row_max(const struct cell *x, uint64_t n)
{
    double most = x[0].v;
    for (uint64_t j = 1; j < n; j++)
        most = fmax(most, x[j].v);
    return most;
}

static inline double value_exp_sum(const struct cell *x, uint64_t n, double most)
{
    double sum = 0;
    for (uint64_t j = 0; j < n; j++)
        sum += exp(x[j].v - most);
    return sum;
}

static inline void value_softmax(const struct value_op *x, uint64_t r)
{
    const struct cell *in = x->in[0] + r * x->n;
    double most = value_row_max(in, x->n), sum = value_exp_sum(in, x->n, most);
    for (uint64_t j = 0; j < x->n; j++) {
        double y = exp(in[j].v - most) / sum;
        x->out[0][r * x->n + j] =
            value_cell(y, y * (2 + fabs(in[j].v - most) + (double)x->n / 32), 0);
    }
}

static inline void value_softmax_grad(const struct value_op *x, uint64_t r)
{
    const struct cell *dy = x->in[0] + r * x->n, *y = x->in[1] + r * x->n;
    double sum = 0, size = 0;
    for (uint64_t j = 0; j < x->n; j++) {
        sum += dy[j].v * y[j].v;
        size += fabs(dy[j].v * y[j].v);
    }
    for (uint64_t j = 0; j < x->n; j++)
        x->out[0][r * x->n + j] =
            value_cell(y[j].v * (dy[j].v - sum),
                       fabs(y[j].v) * (fabs(dy[j].v) + size * (1 + (double)x->n / 32)), 0);
}

static inline void value_layernorm(const struct value_op *x, uint64_t r)
{
    const struct cell *in = x->in[0] + r * x->n;
    double n = (double)x->n, mean = 0, size = 0, square = 0, epsilon = value_attr(x, ATTR_EPSILON);
    for (uint64_t j = 0; j < x->n; j++) {
        mean += in[j].v / n;
        size += fabs(in[j].v) / n;
    }
    for (uint64_t j = 0; j < x->n; j++)
        square += (in[j].v - mean) * (in[j].v - mean) / n;
    double scale = 1 / sqrt(square + epsilon), grow = 1 + n / 32;
    /* An error of the mean moves every x - m. */
    double off = VALUES_EPSILON * size * grow, slope = off * scale * scale * scale * (size + off);
    x->out[1][r] = (struct cell){ mean, off };
    x->out[2][r] = value_cell(scale, scale * grow, slope);
    for (uint64_t j = 0; j < x->n; j++) {
        double g = x->in[1][j].v, b = x->in[2][j].v, d = in[j].v - mean;
        x->out[0][r * x->n + j] =
            value_cell(d * scale * g + b, fabs(d * scale * g) * grow + fabs(b),
                       fabs(g) * (off * scale + fabs(d) * slope));
    }
}

static inline void value_layernorm_grad(const struct value_op *x, uint64_t r)
{
    const struct cell *dy = x->in[0] + r * x->n, *in = x->in[1] + r * x->n;
    double n = (double)x->n, m = x->in[3][r].v, scale = x->in[4][r].v;
    double s1 = 0, s2 = 0, size1 = 0, size2 = 0, grow = 1 + n / 32;
    for (uint64_t j = 0; j < x->n; j++) {
        double d = dy[j].v * x->in[2][j].v, h = (in[j].v - m) * scale;
        s1 += d / n;
        s2 += d * h / n;
        size1 += fabs(d) / n;
        size2 += fabs(d) * (fabs(in[j].v) + fabs(m)) * fabs(scale) / n;
    }
    for (uint64_t j = 0; j < x->n; j++) {
        double d = dy[j].v * x->in[2][j].v, h = (in[j].v - m) * scale;
        double size = fabs(d) + grow * (size1 + (fabs(in[j].v) + fabs(m)) * fabs(scale) * size2);
        x->out[0][r * x->n + j] = value_cell(scale * (d - (s1 + h * s2)), fabs(scale) * size, 0);
    }
}

/* Sums over rows: of terms that `kind` makes. */
static inline void value_columns(const struct value_op *x)
{
    enum trace_op_kind kind = x->op->kind;
    bool norm = kind == TRACE_LAYERNORM_GRAD_WEIGHTS;
    double scale = kind == TRACE_MEAN_ROWS ? 1 / (double)x->rows : 1;
    double grow = (1 + (double)x->rows / 32) * VALUES_EPSILON;
    for (uint64_t j = 0; j < x->n; j++) {
        struct cell first = { 0, 0 }, second = { 0, 0 };
        for (uint64_t r = 0; r < x->rows; r++) {
            double v = x->in[0][r * x->n + j].v, term = v * scale, size = fabs(term);
            if (norm) {
                double in = x->in[1][r * x->n + j].v, m = x->in[2][r].v, s = x->in[3][r].v;
                term = v * ((in - m) * s);
                size = fabs(v * s) * (fabs(in) + fabs(m));
            }
            first.v += term;
            first.e += size * grow;
            second.v += v;
            second.e += fabs(v) * grow;
        }
        x->out[0][j] = first;
        if (norm)
            x->out[1][j] = second;
    }
}

/* What a row's target says of class j: a distribution, or the number of the class. */
static inline double value_target(const struct value_op *x, uint64_t r, uint64_t j)
{
    return x->trace->tensors[x->op->in[1]].type == TRACE_I32
         ? x->in[1][r].v == (double)j : x->in[1][r * x->n + j].v;
}

static inline struct cell value_cross_entropy(const struct value_op *x, uint64_t r)
{
    const struct cell *z = x->in[0] + r * x->n;
    double most = value_row_max(z, x->n), sum = log(value_exp_sum(z, x->n, most)), part = 0;
    double size = fabs(most) + fabs(sum) + 1 + (double)x->n / 32;
    for (uint64_t j = 0; j < x->n; j++) {
        part += value_target(x, r, j) * z[j].v;
        size += fabs(value_target(x, r, j) * z[j].v) * (1 + (double)x->n / 32);
    }
    return value_cell(most + sum - part, size, 0);
}

static inline void value_cross_entropy_grad(const struct value_op *x, uint64_t r)
{
    const struct cell *z = x->in[0] + r * x->n;
    double most = value_row_max(z, x->n), sum = value_exp_sum(z, x->n, most);
    double rows = (double)x->rows;
    for (uint64_t j = 0; j < x->n; j++) {
        double y = exp(z[j].v - most) / sum, t = value_target(x, r, j);
        x->out[0][r * x->n + j] = value_cell((y - t) / rows,
            (y * (2 + fabs(z[j].v - most) + (double)x->n / 32) + fabs(t)) / rows, 0);
    }
}

/* What element i adds to a sum over all elements. */
static inline struct cell value_term(const struct value_op *x, uint64_t i)
{
    double a = x->in[0][i].v, b = x->op->ins > 1 ? x->in[1][i].v : 0, q;
    switch ((int)x->op->kind) {
    case TRACE_SUM:
    case TRACE_MEAN: return value_cell(a, 0, 0);
    case TRACE_SIGMOID_CROSS_ENTROPY:
        return value_cell(fmax(a, 0) - a * b + log(1 + exp(-fabs(a))),
                          fabs(a) + fabs(a * b) + 1, 0);
    case TRACE_BINARY_CROSS_ENTROPY:
        q = value_clip(a, value_attr(x, ATTR_EPSILON));
        return value_cell(-(b * log(q) + (1 - b) * log(1 - q)),
                          fabs(b) * (fabs(log(q)) + 1) + fabs(1 - b) * (1 / (1 - q) + 1), 0);
    case TRACE_MEAN_SQUARED_ERROR:
        return value_cell((a - b) * (a - b), pow(fabs(a) + fabs(b), 2), 0);
    }
    ck_abort_msg("no sum: %s", op_rows[x->op->kind].name);
    return x->in[0][i];
}

static inline void value_sum(const struct value_op *x)
{
    bool by_rows = x->op->kind == TRACE_SOFTMAX_CROSS_ENTROPY;
    uint64_t count = by_rows ? x->rows : x->all;
    struct cell sum = { 0, 0 };
    double size = 0, scale = x->op->kind == TRACE_SUM ? 1 : 1 / (double)count;
    for (uint64_t i = 0; i < count; i++) {
        struct cell term = by_rows ? value_cross_entropy(x, i) : value_term(x, i);
        sum.v += term.v * scale;
        sum.e += term.e * scale;
        size += fabs(term.v) * scale;
    }
    sum.e += VALUES_EPSILON * size * (1 + (double)count / 32);
    x->out[0][0] = sum;
}

/* A result of an optimizer: `stored` up to four times on the way. */
static inline struct cell value_updated(const struct value_op *x, double v, double magnitude)
{
    return value_cell(v, magnitude, 4 * x->stored * magnitude);
}

/* Weights, state and gradient at one place, changed. */
static inline void value_update(const struct value_op *x, uint64_t i)
{
    double lr = value_attr(x, ATTR_LR), keep = value_attr(x, ATTR_MOMENTUM);
    double decay = value_attr(x, ATTR_DECAY), epsilon = value_attr(x, ATTR_EPSILON);
    double b1 = value_attr(x, ATTR_BETA1), b2 = value_attr(x, ATTR_BETA2);
    double step = x->op->attr[ATTR_STEP], w = x->in[0][i].v, g = x->in[x->op->ins - 1][i].v;
    double s = x->op->ins > 2 ? x->in[1][i].v : 0, t = x->op->ins > 3 ? x->in[2][i].v : 0;
    double first, second, size, root;
    switch ((int)x->op->kind) {
    case TRACE_SGD:
        x->out[0][i] = value_cell(w - lr * g, fabs(w) + fabs(lr * g), 0);
        return;
    case TRACE_MOMENTUM:
        first = keep * s + g;
        size = fabs(keep * s) + fabs(g);
        x->out[1][i] = value_updated(x, first, size);
        x->out[0][i] = value_cell(w - lr * first, fabs(w), lr * x->out[1][i].e
                                  + lr * x->stored * size);
        return;
    case TRACE_RMSPROP:
        first = decay * s + (1 - decay) * g * g;
        root = sqrt(first + epsilon);
        x->out[1][i] = value_updated(x, first, first);
        x->out[0][i] = value_updated(x, w - lr * g / root, 4 * lr * fabs(g) / root);
        x->out[0][i].e += VALUES_EPSILON * fabs(w);
        return;
    case TRACE_ADAM:
        first = b1 * s + (1 - b1) * g;
        second = b2 * t + (1 - b2) * g * g;
        size = fabs(b1 * s) + fabs(g);
        lr *= sqrt(1 - pow(b2, step)) / (1 - pow(b1, step));
        root = sqrt(second) + epsilon;
        x->out[1][i] = value_updated(x, first, size);
        x->out[2][i] = value_updated(x, second, second);
        x->out[0][i] = value_updated(x, w - lr * first / root, 4 * lr * size / root);
        x->out[0][i].e += VALUES_EPSILON * fabs(w);
        return;
    }
    ck_abort_msg("no optimizer: %s", op_rows[x->op->kind].name);
}

/* The whole op.  `in` and `out` are the cells of its operands. */
static inline void value_compute(const struct value_op *x)
{
    switch (op_rows[x->op->kind].class) {
    case OP_MATMUL: value_matmul(x); return;
    case OP_LAYOUT:
        if (x->op->kind == TRACE_TRANSPOSE) {
            value_transpose(x);
            return;
        }
        /* fall through */
    case OP_ELEMENTWISE:
    case OP_COLLECTIVE: value_elements(x); return;
    case OP_ROW:
        for (uint64_t r = 0; r < x->rows; r++)
            switch ((int)x->op->kind) {
            case TRACE_SOFTMAX:        value_softmax(x, r); break;
            case TRACE_SOFTMAX_GRAD:   value_softmax_grad(x, r); break;
            case TRACE_LAYERNORM:      value_layernorm(x, r); break;
            case TRACE_LAYERNORM_GRAD: value_layernorm_grad(x, r); break;
            default:                   value_cross_entropy_grad(x, r);
            }
        return;
    case OP_REDUCE:
        if (x->op->kind == TRACE_SUM || x->op->kind == TRACE_MEAN)
            value_sum(x);
        else
            value_columns(x);
        return;
    case OP_LOSS: value_sum(x); return;
    case OP_OPTIMIZER:
        for (uint64_t i = 0; i < x->all; i++)
            value_update(x, i);
        return;
    case OP_CLASSES_COUNT: break;
    }
    abort();
}

#endif
