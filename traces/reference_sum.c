/* reference_sum.c - ops of the reference that sum: over rows, or over everything, as losses. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "traces/functions.h"
#include "traces/reference_inside.h"

/* ---- over everything: a term each element, or each row ---- */

static double softmax_cross_entropy(const struct reference_op *x, uint64_t r)
{
    const double *z = x->in[0] + r * x->n;
    struct reference_exps e = reference_exps(z, x->n);
    double wanted = 0;
    for (uint64_t j = 0; j < x->n; j++)
        wanted += reference_target(x, r, j) * z[j];
    return e.most + functions_log(e.sum) - wanted;
}

static double sigmoid_cross_entropy(const struct reference_op *x, uint64_t i)
{
    double z = x->in[0][i], t = x->in[1][i];
    return (z > 0 ? z : 0) - z * t + functions_log(1 + functions_exp(-fabs(z)));
}

static double binary_cross_entropy(const struct reference_op *x, uint64_t i)
{
    double q = reference_clip(x, x->in[0][i]), t = x->in[1][i];
    return -(t * functions_log(q) + (1 - t) * functions_log(1 - q));
}

static double squared_error(const struct reference_op *x, uint64_t i)
{
    double d = x->in[0][i] - x->in[1][i];
    return d * d;
}

static double element(const struct reference_op *x, uint64_t i) { return x->in[0][i]; }

static const struct {
    double (*term)(const struct reference_op *x, uint64_t i);
    bool   by_row, mean;
} totals[TRACE_OPS_COUNT] = {
    [TRACE_SOFTMAX_CROSS_ENTROPY] = { softmax_cross_entropy, .by_row = true, .mean = true },
    [TRACE_SIGMOID_CROSS_ENTROPY] = { sigmoid_cross_entropy, .mean = true },
    [TRACE_BINARY_CROSS_ENTROPY]  = { binary_cross_entropy, .mean = true },
    [TRACE_MEAN_SQUARED_ERROR]    = { squared_error, .mean = true },
    [TRACE_SUM]                   = { element, .mean = false },
    [TRACE_MEAN]                  = { element, .mean = true },
};

static void total(const struct reference_op *x)
{
    enum trace_op_kind kind = x->op->kind;
    uint64_t count = totals[kind].by_row ? x->rows : x->all;
    double sum = 0;
    assert(totals[kind].term != NULL);
    for (uint64_t i = 0; i < count; i++)
        sum += totals[kind].term(x, i);
    if (kind == TRACE_MEAN)         /* its formula multiplies; those of losses divide */
        sum *= reference_number(x, 1 / (double)count);
    else if (totals[kind].mean)
        sum /= (double)count;
    x->out[0][0] = sum;
}

/* ---- over rows ---- */

static void columns(const struct reference_op *x, double scale)
{
    double *y = x->out[0];
    memset(y, 0, x->n * sizeof *y);
    for (uint64_t i = 0; i < x->all; i++)
        y[i % x->n] += x->in[0][i];
    for (uint64_t j = 0; j < x->n; j++)
        y[j] *= scale;
}

static void layernorm_grad_weights(const struct reference_op *x)
{
    const double *dy = x->in[0], *in = x->in[1], *m = x->in[2], *scale = x->in[3];
    double *dg = x->out[0], *db = x->out[1];
    memset(dg, 0, x->n * sizeof *dg);
    memset(db, 0, x->n * sizeof *db);
    for (uint64_t i = 0; i < x->all; i++) {
        uint64_t r = i / x->n, j = i % x->n;
        dg[j] += dy[i] * ((in[i] - m[r]) * scale[r]);
        db[j] += dy[i];
    }
}

void reference_sums(const struct reference_op *x)
{
    if (x->op->kind == TRACE_LAYERNORM_GRAD_WEIGHTS)
        layernorm_grad_weights(x);
    else if (x->op->kind == TRACE_SUM_ROWS)
        columns(x, 1);
    else if (x->op->kind == TRACE_MEAN_ROWS)
        columns(x, reference_number(x, 1 / (double)x->rows));
    else
        total(x);
}
