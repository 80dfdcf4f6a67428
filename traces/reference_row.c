/* reference_row.c - ops of the reference that take each row by itself. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "traces/functions.h"
#include "traces/reference_inside.h"

struct reference_exps reference_exps(const double *row, uint64_t n)
{
    struct reference_exps e = { row[0], 0 };
    for (uint64_t j = 1; j < n; j++)
        e.most = row[j] > e.most ? row[j] : e.most;
    for (uint64_t j = 0; j < n; j++)
        e.sum += functions_exp(row[j] - e.most);
    return e;
}

double reference_target(const struct reference_op *x, uint64_t r, uint64_t j)
{
    if (x->trace->tensors[x->op->in[1]].type != TRACE_I32)
        return x->in[1][r * x->n + j];
    double class = x->in[1][r];
    assert(class >= 0 && class < (double)x->n);
    assert(class == floor(class));
    return class == (double)j;
}

static void softmax(const struct reference_op *x, uint64_t r)
{
    const double *in = x->in[0] + r * x->n;
    struct reference_exps e = reference_exps(in, x->n);
    for (uint64_t j = 0; j < x->n; j++)
        x->out[0][r * x->n + j] = functions_exp(in[j] - e.most) * (1 / e.sum);
}

static void softmax_grad(const struct reference_op *x, uint64_t r)
{
    const double *dy = x->in[0] + r * x->n, *y = x->in[1] + r * x->n;
    double sum = 0;
    for (uint64_t j = 0; j < x->n; j++)
        sum += dy[j] * y[j];
    for (uint64_t j = 0; j < x->n; j++)
        x->out[0][r * x->n + j] = y[j] * (dy[j] - sum);
}

static void softmax_cross_entropy_grad(const struct reference_op *x, uint64_t r)
{
    const double *z = x->in[0] + r * x->n;
    struct reference_exps e = reference_exps(z, x->n);
    double share = reference_number(x, 1 / (double)x->rows);
    for (uint64_t j = 0; j < x->n; j++) {
        double y = functions_exp(z[j] - e.most) * (1 / e.sum);
        x->out[0][r * x->n + j] = (y - reference_target(x, r, j)) * share;
    }
}

static void layernorm(const struct reference_op *x, uint64_t r)
{
    const double *in = x->in[0] + r * x->n, *g = x->in[1], *b = x->in[2];
    double sum = 0, squares = 0;
    for (uint64_t j = 0; j < x->n; j++)
        sum += in[j];
    double m = sum / (double)x->n;
    for (uint64_t j = 0; j < x->n; j++)
        squares += (in[j] - m) * (in[j] - m);
    double scale = 1 / sqrt(squares / (double)x->n + reference_attribute(x, ATTR_EPSILON));
    for (uint64_t j = 0; j < x->n; j++)
        x->out[0][r * x->n + j] = (in[j] - m) * scale * g[j] + b[j];
    x->out[1][r] = m;
    x->out[2][r] = scale;
}

static void layernorm_grad(const struct reference_op *x, uint64_t r)
{
    const double *dy = x->in[0] + r * x->n, *in = x->in[1] + r * x->n, *g = x->in[2];
    double m = x->in[3][r], scale = x->in[4][r], n = (double)x->n, sum = 0, products = 0;
    for (uint64_t j = 0; j < x->n; j++) {
        sum += dy[j] * g[j];
        products += dy[j] * g[j] * ((in[j] - m) * scale);
    }
    for (uint64_t j = 0; j < x->n; j++) {
        double h = (in[j] - m) * scale;
        x->out[0][r * x->n + j] = scale * (dy[j] * g[j] - (sum / n + h * (products / n)));
    }
}

static void (*const row_ops[TRACE_OPS_COUNT])(const struct reference_op *, uint64_t) = {
    [TRACE_SOFTMAX]                    = softmax,
    [TRACE_SOFTMAX_GRAD]               = softmax_grad,
    [TRACE_SOFTMAX_CROSS_ENTROPY_GRAD] = softmax_cross_entropy_grad,
    [TRACE_LAYERNORM]                  = layernorm,
    [TRACE_LAYERNORM_GRAD]             = layernorm_grad,
};

void reference_rows(const struct reference_op *x)
{
    assert(row_ops[x->op->kind] != NULL);
    for (uint64_t r = 0; r < x->rows; r++)
        row_ops[x->op->kind](x, r);
}
