/* values_row.c - ops on the vector unit that take each row by itself, and sums.
 *
 * A sum goes on in registers: each element is added to the lane, and in sums over several
 * rows the sublane, that it has in its tile.  What the lanes have is then added up by halves.
 * A row vector, and a column, lie along lanes and sublanes together. */

/* gcc's -O2 leaves these loops scalar; the order of sums is the one that is written. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#endif

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/tpu/mxu_form.h"
#include "models/tpu/values_inside.h"
#include "traces/functions.h"

static inline float exp_of(float x) { return (float)functions_exp(x); }
static inline float log_of(float x) { return (float)functions_log(x); }

TPU_MXU_WIDE static void add(float *restrict sum, const float *restrict x, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        sum[i] += x[i];
}

void values_fold(float *x, uint64_t count, uint64_t width)
{
    while (count > 1) {
        uint64_t half = (count + 1) / 2;
        add(x, x + half * width, (count - half) * width);
        count = half;
    }
}

/* The sum of a row's terms: over its registers, then over lanes. */
static float row_sum(const struct values_run *r, const float *terms)
{
    uint64_t lanes = r->values->config->vpu.lanes;
    float *sum = r->values->lanes;
    memset(sum, 0, lanes * sizeof *sum);
    for (uint64_t c = 0; c < r->n; c += lanes)
        add(sum, terms + c, r->n - c < lanes ? r->n - c : lanes);
    values_fold(sum, lanes, 1);
    return sum[0];
}

static float most_of(const float *x, uint64_t n)
{
    float most = x[0];
    for (uint64_t j = 1; j < n; j++)
        most = x[j] > most ? x[j] : most;
    return most;
}

/* e = exp(x - most). */
TPU_MXU_WIDE static void exps(float *e, const float *x, float most, uint64_t n)
{
    for (uint64_t j = 0; j < n; j++)
        e[j] = exp_of(x[j] - most);
}

static void softmax(const struct values_run *r)
{
    float *e = r->values->terms, *y = r->out[0];
    exps(e, r->in[0], most_of(r->in[0], r->n), r->n);
    float scale = 1 / row_sum(r, e);
    for (uint64_t j = 0; j < r->n; j++)
        y[j] = e[j] * scale;
}

static void softmax_grad(const struct values_run *r)
{
    const float *dy = r->in[0], *y = r->in[1];
    float *terms = r->values->terms, *dx = r->out[0];
    for (uint64_t j = 0; j < r->n; j++)
        terms[j] = dy[j] * y[j];
    float sum = row_sum(r, terms);
    for (uint64_t j = 0; j < r->n; j++)
        dx[j] = y[j] * (dy[j] - sum);
}

static float target(const struct values_run *r, uint64_t j)
{
    return r->classes ? (float)(r->classes[0] == (int64_t)j) : r->in[1][j];
}

static void softmax_cross_entropy_grad(const struct values_run *r)
{
    float *e = r->values->terms, *dz = r->out[0], share = r->op->number[0];
    exps(e, r->in[0], most_of(r->in[0], r->n), r->n);
    float scale = 1 / row_sum(r, e);
    for (uint64_t j = 0; j < r->n; j++)
        dz[j] = (e[j] * scale - target(r, j)) * share;
}

static void layernorm(const struct values_run *r)
{
    const float *x = r->in[0], *g = r->in[1], *b = r->in[2];
    float *terms = r->values->terms, *y = r->out[0], n = (float)r->n;
    float m = row_sum(r, x) / n;
    for (uint64_t j = 0; j < r->n; j++)
        terms[j] = (x[j] - m) * (x[j] - m);
    float scale = 1 / sqrtf(row_sum(r, terms) / n + r->op->number[1]);
    for (uint64_t j = 0; j < r->n; j++)
        y[j] = (x[j] - m) * scale * g[j] + b[j];
    r->out[1][0] = m;
    r->out[2][0] = scale;
}

static void layernorm_grad(const struct values_run *r)
{
    const float *dy = r->in[0], *x = r->in[1], *g = r->in[2];
    float *terms = r->values->terms, *dx = r->out[0];
    float m = r->in[3][0], scale = r->in[4][0], n = (float)r->n;
    for (uint64_t j = 0; j < r->n; j++)
        terms[j] = dy[j] * g[j];
    float mean = row_sum(r, terms) / n;
    for (uint64_t j = 0; j < r->n; j++)
        terms[j] = dy[j] * g[j] * ((x[j] - m) * scale);
    float slope = row_sum(r, terms) / n;
    for (uint64_t j = 0; j < r->n; j++)
        dx[j] = scale * (dy[j] * g[j] - (mean + (x[j] - m) * scale * slope));
}

values_function *const values_rows[TRACE_OPS_COUNT] = {
    [TRACE_SOFTMAX] = softmax, [TRACE_SOFTMAX_GRAD] = softmax_grad,
    [TRACE_SOFTMAX_CROSS_ENTROPY_GRAD] = softmax_cross_entropy_grad,
    [TRACE_LAYERNORM] = layernorm, [TRACE_LAYERNORM_GRAD] = layernorm_grad,
};

/* ---- sums over several rows ---- */

/* The terms of a run are added to registers of lanes x sublanes. */
static void add_all(const struct values_run *r, const float *terms)
{
    uint64_t lanes = r->values->config->vpu.lanes, sublanes = r->values->config->vpu.sublanes;
    uint64_t from = r->dense ? 0 : r->row % sublanes * lanes;
    uint64_t first = r->dense ? r->col % (lanes * sublanes) : from + r->col % lanes;
    uint64_t to = r->dense ? lanes * sublanes : from + lanes;
    for (uint64_t i = 0, at = first; i < r->n; at = from) {
        uint64_t count = to - at < r->n - i ? to - at : r->n - i;
        add(r->op->sums + at, terms + i, count);
        i += count;
    }
}

/* To registers in which each column has its place, a row of them for each sublane. */
static void add_columns(const struct values_run *r, float *sums, const float *terms)
{
    if (r->op->n == 1)
        add_all(r, terms);
    else
        add(sums + (r->dense ? 0 : r->row % r->values->config->vpu.sublanes) * r->op->n + r->column,
            terms, r->n);
}

static void sum(const struct values_run *r)      { add_all(r, r->in[0]); }
static void sum_rows(const struct values_run *r) { add_columns(r, r->op->sums, r->in[0]); }

/* The registers of dg, then those of db. */
static void layernorm_grad_weights(const struct values_run *r)
{
    const float *dy = r->in[0], *x = r->in[1], *m = r->in[2], *scale = r->in[3];
    float *terms = r->values->terms;
    struct values_run second = *r;
    struct values_op half = *r->op;
    half.sums += half.sums_count / 2;
    second.op = &half;
    for (uint64_t j = 0; j < r->n; j++)
        terms[j] = dy[j] * ((x[j] - m[0]) * scale[0]);
    add_columns(r, r->op->sums, terms);
    add_columns(&second, half.sums, dy);
}

static void mean_squared_error(const struct values_run *r)
{
    const float *x = r->in[0], *t = r->in[1];
    for (uint64_t i = 0; i < r->n; i++)
        r->values->terms[i] = (x[i] - t[i]) * (x[i] - t[i]);
    add_all(r, r->values->terms);
}

TPU_MXU_WIDE static void sigmoid_cross_entropies(float *y, const float *z, const float *t,
                                                 uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        float size = z[i] < 0 ? -z[i] : z[i], above = z[i] > 0 ? z[i] : 0;
        above = z[i] == z[i] ? above : z[i];
        y[i] = above - z[i] * t[i] + log_of(1 + exp_of(-size));
    }
}

static void sigmoid_cross_entropy(const struct values_run *r)
{
    sigmoid_cross_entropies(r->values->terms, r->in[0], r->in[1], r->n);
    add_all(r, r->values->terms);
}

TPU_MXU_WIDE static void binary_cross_entropies(float *y, const float *p, const float *t,
                                                float least, float most, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        float q = p[i] < least ? least : p[i];
        q = q > most ? most : q;
        y[i] = -(t[i] * log_of(q) + (1 - t[i]) * log_of(1 - q));
    }
}

static void binary_cross_entropy(const struct values_run *r)
{
    binary_cross_entropies(r->values->terms, r->in[0], r->in[1], r->op->number[1],
                           r->op->number[2], r->n);
    add_all(r, r->values->terms);
}

/* One term a row, in its sublane. */
static void softmax_cross_entropy(const struct values_run *r)
{
    const float *z = r->in[0];
    float *terms = r->values->terms, most = most_of(z, r->n);
    exps(terms, z, most, r->n);
    float logarithm = log_of(row_sum(r, terms));
    for (uint64_t j = 0; j < r->n; j++)
        terms[j] = r->classes && r->classes[0] != (int64_t)j ? 0 : target(r, j) * z[j];
    float term = most + logarithm - row_sum(r, terms);
    const struct tpu_vpu_config *vpu = &r->values->config->vpu;
    r->op->sums[(r->row % vpu->sublanes) * vpu->lanes] += term;
}

values_function *const values_sums[TRACE_OPS_COUNT] = {
    [TRACE_SUM] = sum, [TRACE_MEAN] = sum, [TRACE_SUM_ROWS] = sum_rows,
    [TRACE_MEAN_ROWS] = sum_rows, [TRACE_LAYERNORM_GRAD_WEIGHTS] = layernorm_grad_weights,
    [TRACE_MEAN_SQUARED_ERROR] = mean_squared_error,
    [TRACE_SIGMOID_CROSS_ENTROPY] = sigmoid_cross_entropy,
    [TRACE_BINARY_CROSS_ENTROPY] = binary_cross_entropy,
    [TRACE_SOFTMAX_CROSS_ENTROPY] = softmax_cross_entropy,
};

/* The numbers of columns: sublanes are added up; where there is one column, lanes too. */
static void fold_columns(const struct tpu_values *v, const struct values_op *x, float *sums,
                         float *out)
{
    uint64_t sublanes = v->config->vpu.sublanes, lanes = v->config->vpu.lanes;
    values_fold(sums, sublanes, x->n == 1 ? lanes : x->n);
    if (x->n == 1)
        values_fold(sums, lanes, 1);
    memcpy(out, sums, x->n * sizeof *out);
}

void values_sum_up(const struct tpu_values *v, const struct values_op *x, float *const *out)
{
    uint64_t sublanes = v->config->vpu.sublanes, lanes = v->config->vpu.lanes;
    enum trace_op_kind kind = x->op->kind;
    if (kind == TRACE_SUM_ROWS || kind == TRACE_MEAN_ROWS || kind == TRACE_LAYERNORM_GRAD_WEIGHTS) {
        fold_columns(v, x, x->sums, out[0]);
        if (kind == TRACE_LAYERNORM_GRAD_WEIGHTS)
            fold_columns(v, x, x->sums + x->sums_count / 2, out[1]);
        for (uint64_t j = 0; kind == TRACE_MEAN_ROWS && j < x->n; j++)
            out[0][j] *= x->number[0];
        return;
    }
    values_fold(x->sums, sublanes, lanes);
    values_fold(x->sums, lanes, 1);
    out[0][0] = x->sums[0];
    if (kind == TRACE_MEAN)
        out[0][0] *= x->number[0];
    else if (kind == TRACE_SOFTMAX_CROSS_ENTROPY)
        out[0][0] /= (float)x->rows;
    else if (op_rows[kind].class == OP_LOSS)
        out[0][0] /= (float)x->elements;
}
