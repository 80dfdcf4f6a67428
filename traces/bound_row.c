/* bound_row.c - bounds of ops that take each row by itself, and of sums. */
#include <assert.h>

#include "traces/bound_inside.h"

/* ---- rows ---- */

static struct ball target(const struct bound *x, uint64_t r, uint64_t j)
{
    if (x->trace->tensors[x->op->in[1]].type == TRACE_I32)
        return ball_exactly(x->of->in[1][r] == (double)j);
    return bound_in(x, 1, r * x->n + j);
}

/* The largest of a row, and the sum of exp of what the others are below it. */
struct exps { struct ball most, sum; };

static struct ball exp_below(const struct bound *x, uint64_t i, struct ball most)
{
    return ball_exp(ball_subtract(bound_in(x, 0, i), most));
}

static struct exps exps_of(const struct bound *x, uint64_t r)
{
    struct exps e = { .most = bound_in(x, 0, r * x->n) };
    struct ball_sum sum = { 0 };
    for (uint64_t j = 1; j < x->n; j++)
        e.most = ball_larger(e.most, bound_in(x, 0, r * x->n + j));
    for (uint64_t j = 0; j < x->n; j++)
        ball_sum_add(&sum, exp_below(x, r * x->n + j, e.most));
    e.sum = ball_sum_all(&sum);
    return e;
}

static void softmax(const struct bound *x, uint64_t r)
{
    struct exps e = exps_of(x, r);
    struct ball scale = ball_divide(ball_exactly(1), e.sum);
    for (uint64_t j = 0; j < x->n; j++)
        x->of->off[0][r * x->n + j]
            = ball_multiply(exp_below(x, r * x->n + j, e.most), scale).off;
}

static void softmax_grad(const struct bound *x, uint64_t r)
{
    struct ball_sum products = { 0 };
    for (uint64_t i = r * x->n; i < (r + 1) * x->n; i++)
        ball_sum_add(&products, ball_multiply(bound_in(x, 0, i), bound_in(x, 1, i)));
    struct ball sum = ball_sum_all(&products);
    for (uint64_t i = r * x->n; i < (r + 1) * x->n; i++)
        x->of->off[0][i]
            = ball_multiply(bound_in(x, 1, i), ball_subtract(bound_in(x, 0, i), sum)).off;
}

static void softmax_cross_entropy_grad(const struct bound *x, uint64_t r)
{
    struct exps e = exps_of(x, r);
    struct ball scale = ball_divide(ball_exactly(1), e.sum);
    struct ball share = bound_number(1 / (double)x->rows);
    for (uint64_t j = 0; j < x->n; j++) {
        struct ball y = ball_multiply(exp_below(x, r * x->n + j, e.most), scale);
        x->of->off[0][r * x->n + j]
            = ball_multiply(ball_subtract(y, target(x, r, j)), share).off;
    }
}

static struct ball mean_of(const struct bound *x, const struct ball_sum *sum)
{
    return ball_divide(ball_sum_all(sum), ball_exactly((double)x->n));
}

static void layernorm(const struct bound *x, uint64_t r)
{
    struct ball_sum sum = { 0 }, squares = { 0 };
    for (uint64_t i = r * x->n; i < (r + 1) * x->n; i++)
        ball_sum_add(&sum, bound_in(x, 0, i));
    struct ball m = mean_of(x, &sum);
    for (uint64_t i = r * x->n; i < (r + 1) * x->n; i++) {
        struct ball d = ball_subtract(bound_in(x, 0, i), m);
        ball_sum_add(&squares, ball_multiply(d, d));
    }
    struct ball inside = ball_add(mean_of(x, &squares), bound_attribute(x, ATTR_EPSILON));
    struct ball scale = ball_divide(ball_exactly(1), ball_root(inside));
    for (uint64_t j = 0; j < x->n; j++) {
        struct ball h = ball_multiply(ball_subtract(bound_in(x, 0, r * x->n + j), m), scale);
        x->of->off[0][r * x->n + j]
            = ball_add(ball_multiply(h, bound_in(x, 1, j)), bound_in(x, 2, j)).off;
    }
    x->of->off[1][r] = m.off;
    x->of->off[2][r] = scale.off;
}

/* (x - m) * r of an element, of ops whose inputs are dy, x, ..., m, r; `m` is the number of m. */
static struct ball normal(const struct bound *x, uint32_t m, uint64_t i)
{
    return ball_multiply(ball_subtract(bound_in(x, 1, i), bound_in(x, m, i / x->n)),
                         bound_in(x, m + 1, i / x->n));
}

static void layernorm_grad(const struct bound *x, uint64_t r)
{
    struct ball_sum sum = { 0 }, products = { 0 };
    for (uint64_t j = 0; j < x->n; j++) {
        struct ball d = ball_multiply(bound_in(x, 0, r * x->n + j), bound_in(x, 2, j));
        ball_sum_add(&sum, d);
        ball_sum_add(&products, ball_multiply(d, normal(x, 3, r * x->n + j)));
    }
    struct ball mean = mean_of(x, &sum), slope = mean_of(x, &products);
    for (uint64_t j = 0; j < x->n; j++) {
        uint64_t i = r * x->n + j;
        struct ball d = ball_multiply(bound_in(x, 0, i), bound_in(x, 2, j));
        struct ball less = ball_add(mean, ball_multiply(normal(x, 3, i), slope));
        x->of->off[0][i] = ball_multiply(bound_in(x, 4, r), ball_subtract(d, less)).off;
    }
}

static void (*const row_ops[TRACE_OPS_COUNT])(const struct bound *, uint64_t) = {
    [TRACE_SOFTMAX]                    = softmax,
    [TRACE_SOFTMAX_GRAD]               = softmax_grad,
    [TRACE_SOFTMAX_CROSS_ENTROPY_GRAD] = softmax_cross_entropy_grad,
    [TRACE_LAYERNORM]                  = layernorm,
    [TRACE_LAYERNORM_GRAD]             = layernorm_grad,
};

void bound_rows(const struct bound *x)
{
    assert(row_ops[x->op->kind] != NULL);
    for (uint64_t r = 0; r < x->rows; r++)
        row_ops[x->op->kind](x, r);
}

/* ---- sums over everything: a term each element, or each row ---- */

static struct ball negative(struct ball a)
{
    return (struct ball){ -a.v, a.off };
}

static struct ball softmax_cross_entropy(const struct bound *x, uint64_t r)
{
    struct exps e = exps_of(x, r);
    struct ball_sum wanted = { 0 }, sum = { 0 };
    for (uint64_t j = 0; j < x->n; j++)
        ball_sum_add(&wanted, ball_multiply(target(x, r, j), bound_in(x, 0, r * x->n + j)));
    ball_sum_add(&sum, e.most);
    ball_sum_add(&sum, ball_log(e.sum));
    ball_sum_add(&sum, negative(ball_sum_all(&wanted)));
    return ball_sum_all(&sum);
}

static struct ball sigmoid_cross_entropy(const struct bound *x, uint64_t i)
{
    struct ball z = bound_in(x, 0, i), one = ball_exactly(1);
    struct ball e = ball_exp((struct ball){ -fabs(z.v), z.off });
    struct ball_sum sum = { 0 };
    ball_sum_add(&sum, ball_larger(z, ball_exactly(0)));
    ball_sum_add(&sum, negative(ball_multiply(z, bound_in(x, 1, i))));
    ball_sum_add(&sum, ball_log(ball_add(one, e)));
    return ball_sum_all(&sum);
}

static struct ball binary_cross_entropy(const struct bound *x, uint64_t i)
{
    struct ball q = bound_clip(x, bound_in(x, 0, i)), t = bound_in(x, 1, i);
    struct ball one = ball_exactly(1);
    return ball_add(ball_multiply(t, ball_log(q)),
                    ball_multiply(ball_subtract(one, t), ball_log(ball_subtract(one, q))));
}

static struct ball squared_error(const struct bound *x, uint64_t i)
{
    struct ball d = ball_subtract(bound_in(x, 0, i), bound_in(x, 1, i));
    return ball_multiply(d, d);
}

static struct ball element(const struct bound *x, uint64_t i)
{
    return bound_in(x, 0, i);
}

static const struct {
    struct ball (*term)(const struct bound *x, uint64_t i);
    bool by_row, mean;
} totals[TRACE_OPS_COUNT] = {
    [TRACE_SOFTMAX_CROSS_ENTROPY] = { softmax_cross_entropy, .by_row = true, .mean = true },
    [TRACE_SIGMOID_CROSS_ENTROPY] = { sigmoid_cross_entropy, .mean = true },
    [TRACE_BINARY_CROSS_ENTROPY]  = { binary_cross_entropy, .mean = true },
    [TRACE_MEAN_SQUARED_ERROR]    = { squared_error, .mean = true },
    [TRACE_SUM]                   = { element, .mean = false },
    [TRACE_MEAN]                  = { element, .mean = true },
};

/* The sum over `count`, if it is a mean, and what storing its parts adds. */
static double finish(const struct bound *x, uint32_t out, const struct ball_sum *sum, double count)
{
    struct ball all = ball_sum_all(sum);
    if (count > 1)
        all = ball_divide(all, ball_exactly(count));
    return all.off + bound_parts(x, out, sum->size / count);
}

static void total(const struct bound *x)
{
    enum trace_op_kind kind = x->op->kind;
    uint64_t count = totals[kind].by_row ? x->rows : x->all;
    struct ball_sum sum = { 0 };
    assert(totals[kind].term != NULL);
    for (uint64_t i = 0; i < count; i++)
        ball_sum_add(&sum, totals[kind].term(x, i));
    x->of->off[0][0] = finish(x, 0, &sum, totals[kind].mean ? (double)count : 1);
}

/* ---- sums over rows ---- */

static void columns(const struct bound *x)
{
    for (uint64_t j = 0; j < x->n; j++) {
        struct ball_sum sum = { 0 };
        for (uint64_t r = 0; r < x->rows; r++)
            ball_sum_add(&sum, bound_in(x, 0, r * x->n + j));
        x->of->off[0][j] = finish(x, 0, &sum,
                                  x->op->kind == TRACE_MEAN_ROWS ? (double)x->rows : 1);
    }
}

static void layernorm_grad_weights(const struct bound *x)
{
    for (uint64_t j = 0; j < x->n; j++) {
        struct ball_sum gain = { 0 }, bias = { 0 };
        for (uint64_t i = j; i < x->all; i += x->n) {
            ball_sum_add(&gain, ball_multiply(bound_in(x, 0, i), normal(x, 2, i)));
            ball_sum_add(&bias, bound_in(x, 0, i));
        }
        x->of->off[0][j] = finish(x, 0, &gain, 1);
        x->of->off[1][j] = finish(x, 1, &bias, 1);
    }
}

void bound_sums(const struct bound *x)
{
    if (x->op->kind == TRACE_LAYERNORM_GRAD_WEIGHTS)
        layernorm_grad_weights(x);
    else if (x->op->kind == TRACE_SUM_ROWS || x->op->kind == TRACE_MEAN_ROWS)
        columns(x);
    else
        total(x);
}
