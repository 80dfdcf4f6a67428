/* The gradient ops, and the backward pass that is derived from a network, against
 * differences of the loss: a small interpreter of traces in f64, without any rounding. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "traces/net.h"

struct run { const struct trace *t; double **v; };

static uint64_t columns(const struct trace_tensor *x) { return x->shape[x->rank - 1]; }

static void matmul(const struct trace *t, const struct trace_op *op, const double *a,
                   const double *b, double *y)
{
    struct op_matmul d = op_matmul(t, op);
    for (uint64_t g = 0; g < d.batch; g++)
        for (uint64_t i = 0; i < d.m; i++)
            for (uint64_t j = 0; j < d.n; j++) {
                double sum = 0;
                for (uint64_t k = 0; k < d.k; k++)
                    sum += a[g * d.m * d.k + (op->transpose_a ? k * d.m + i : i * d.k + k)] *
                           b[g * d.k * d.n + (op->transpose_b ? j * d.k + k : k * d.n + j)];
                y[(g * d.m + i) * d.n + j] = sum;
            }
}

static double inner(double x)
{
    return tanh(0.7978845608028654 * (x + 0.044715 * x * x * x));
}

/* The slope of gelu, by differences: its closed form is what is under test. */
static double gelu(double x) { return 0.5 * x * (1 + inner(x)); }
static double gelu_slope(double x) { return (gelu(x + 1e-5) - gelu(x - 1e-5)) / 2e-5; }

static double clip(double p, double epsilon) { return fmin(fmax(p, epsilon), 1 - epsilon); }

/* Softmax of a row into y; returns log(sum(exp)). */
static double softmax(const double *x, double *y, uint64_t n)
{
    double sum = 0;
    for (uint64_t j = 0; j < n; j++)
        sum += exp(x[j]);
    for (uint64_t j = 0; j < n; j++)
        y[j] = exp(x[j]) / sum;
    return log(sum);
}

static void layernorm(const struct trace_op *op, double **in, double **out, uint64_t rows,
                      uint64_t n)
{
    for (uint64_t r = 0; r < rows; r++) {
        double mean = 0, square = 0;
        for (uint64_t j = 0; j < n; j++)
            mean += in[0][r * n + j] / (double)n;
        for (uint64_t j = 0; j < n; j++)
            square += pow(in[0][r * n + j] - mean, 2) / (double)n;
        out[1][r] = mean;
        out[2][r] = 1 / sqrt(square + op->attr[ATTR_EPSILON]);
        for (uint64_t j = 0; j < n; j++)
            out[0][r * n + j] = (in[0][r * n + j] - mean) * out[2][r] * in[1][j] + in[2][j];
    }
}

static void layernorm_grad(double **in, double *dx, uint64_t rows, uint64_t n)
{
    for (uint64_t r = 0; r < rows; r++) {
        const double *dy = in[0] + r * n, *x = in[1] + r * n;
        double mean = in[3][r], scale = in[4][r], s1 = 0, s2 = 0;
        for (uint64_t j = 0; j < n; j++) {
            s1 += dy[j] * in[2][j] / (double)n;
            s2 += dy[j] * in[2][j] * (x[j] - mean) * scale / (double)n;
        }
        for (uint64_t j = 0; j < n; j++)
            dx[r * n + j] = scale * (dy[j] * in[2][j] - (s1 + (x[j] - mean) * scale * s2));
    }
}

/* One element of an element-wise op; n is the number of elements. */
static double element(const struct trace_op *op, double a, double b, double n)
{
    double epsilon = op->attr[ATTR_EPSILON];
    switch ((int)op->kind) {
    case TRACE_ADD:           return a + b;
    case TRACE_SUBTRACT:      return a - b;
    case TRACE_MULTIPLY:      return a * b;
    case TRACE_SCALE:         return op->attr[ATTR_FACTOR] * a;
    case TRACE_CAST:          return a;
    case TRACE_RESHAPE:       return a;
    case TRACE_RELU:          return a > 0 ? a : 0;
    case TRACE_RELU_GRAD:     return b > 0 ? a : 0;
    case TRACE_SIGMOID:       return 1 / (1 + exp(-a));
    case TRACE_SIGMOID_GRAD:  return a * b * (1 - b);
    case TRACE_TANH:          return tanh(a);
    case TRACE_TANH_GRAD:     return a * (1 - b * b);
    case TRACE_GELU:          return gelu(a);
    case TRACE_GELU_GRAD:     return a * gelu_slope(b);
    case TRACE_SIGMOID_CROSS_ENTROPY_GRAD: return (1 / (1 + exp(-a)) - b) / n;
    case TRACE_MEAN_SQUARED_ERROR_GRAD:    return 2 * (a - b) / n;
    case TRACE_BINARY_CROSS_ENTROPY_GRAD:
        a = clip(a, epsilon);
        return (a - b) / (a * (1 - a)) / n;
    }
    ck_abort_msg("no element-wise op: %s", op_rows[op->kind].name);
    return 0;
}

/* One element's part of a mean of losses. */
static double loss_of(const struct trace_op *op, double a, double b)
{
    double p = clip(a, op->attr[ATTR_EPSILON]);
    switch ((int)op->kind) {
    case TRACE_SIGMOID_CROSS_ENTROPY: return log(1 + exp(a)) - a * b;
    case TRACE_BINARY_CROSS_ENTROPY:  return -(b * log(p) + (1 - b) * log(1 - p));
    case TRACE_MEAN_SQUARED_ERROR:    return (a - b) * (a - b);
    case TRACE_SUM:                   return a;
    }
    ck_abort_msg("no loss: %s", op_rows[op->kind].name);
    return 0;
}

/* What a row's target says of class j: labels are whole numbers, else a distribution. */
static double target(const struct trace_tensor *t, const double *v, uint64_t r, uint64_t n,
                     uint64_t j)
{
    return t->type == TRACE_I32 ? v[r] == (double)j : v[r * n + j];
}

static void cross_entropy(const struct trace_op *op, const struct trace_tensor *t, double **in,
                          double *y, uint64_t rows, uint64_t n)
{
    double p[64], sum = 0;
    for (uint64_t r = 0; r < rows; r++) {
        double log_sum = softmax(in[0] + r * n, p, n);
        for (uint64_t j = 0; j < n; j++) {
            double wanted = target(t, in[1], r, n, j);
            sum += (log_sum - in[0][r * n + j]) * wanted / (double)rows;
            if (op->kind == TRACE_SOFTMAX_CROSS_ENTROPY_GRAD)
                y[r * n + j] = (p[j] - wanted) / (double)rows;
        }
    }
    if (op->kind == TRACE_SOFTMAX_CROSS_ENTROPY)
        y[0] = sum;
}

static void softmax_grad(double **in, double *dx, uint64_t rows, uint64_t n)
{
    for (uint64_t i = 0; i < rows * n; i++) {
        double sum = 0;
        for (uint64_t j = i / n * n; j < (i / n + 1) * n; j++)
            sum += in[0][j] * in[1][j];
        dx[i] = in[1][i] * (in[0][i] - sum);
    }
}

static void step(const struct run *run, const struct trace_op *op)
{
    const struct trace_tensor *x = &run->t->tensors[op->in[0]];
    uint64_t n = columns(x), rows = trace_rows(x), all = n * rows;
    double *in[TRACE_INS] = { NULL }, *out[TRACE_OUTS] = { NULL };
    for (uint32_t i = 0; i < op->ins; i++)
        in[i] = run->v[op->in[i]];
    for (uint32_t i = 0; i < op->outs; i++)
        out[i] = run->v[op->out[i]];
    switch (op->kind) {
    case TRACE_MATMUL:         matmul(run->t, op, in[0], in[1], out[0]); return;
    case TRACE_LAYERNORM:      layernorm(op, in, out, rows, n); return;
    case TRACE_LAYERNORM_GRAD: layernorm_grad(in, out[0], rows, n); return;
    case TRACE_SOFTMAX_GRAD:   softmax_grad(in, out[0], rows, n); return;
    case TRACE_SOFTMAX:
        for (uint64_t r = 0; r < rows; r++)
            softmax(in[0] + r * n, out[0] + r * n, n);
        return;
    case TRACE_SOFTMAX_CROSS_ENTROPY:
    case TRACE_SOFTMAX_CROSS_ENTROPY_GRAD:
        cross_entropy(op, &run->t->tensors[op->in[1]], in, out[0], rows, n);
        return;
    case TRACE_SUM:
    case TRACE_SIGMOID_CROSS_ENTROPY:
    case TRACE_BINARY_CROSS_ENTROPY:
    case TRACE_MEAN_SQUARED_ERROR:
        out[0][0] = 0;
        for (uint64_t i = 0; i < all; i++)
            out[0][0] += loss_of(op, in[0][i], in[1] ? in[1][i] : 0) /
                         (op->kind == TRACE_SUM ? 1 : (double)all);
        return;
    case TRACE_SUM_ROWS:
    case TRACE_LAYERNORM_GRAD_WEIGHTS:
        for (uint64_t i = 0; i < all; i++) {
            bool sum = op->kind == TRACE_SUM_ROWS;
            double h = sum ? 1 : (in[1][i] - in[2][i / n]) * in[3][i / n];
            out[0][i % n] = (i < n ? 0 : out[0][i % n]) + in[0][i] * h;
            if (!sum)
                out[1][i % n] = (i < n ? 0 : out[1][i % n]) + in[0][i];
        }
        return;
    case TRACE_BIAS:
        for (uint64_t i = 0; i < all; i++)
            out[0][i] = in[0][i] + in[1][i % n];
        return;
    default:
        for (uint64_t i = 0; i < all; i++)
            out[0][i] = element(op, in[0][i], in[1] ? in[1][i] : 0, (double)all);
    }
}

static double random_value(void) { return 2.0 * rand() / RAND_MAX - 1; }

static struct run run_new(const struct trace *t)
{
    struct run run = { t, calloc(t->tensor_count, sizeof *run.v) };
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const struct trace_tensor *x = &t->tensors[i];
        run.v[i] = calloc(trace_elements(x), sizeof **run.v);
        for (uint64_t k = 0; k < trace_elements(x) && trace_role_given(x->role); k++)
            run.v[i][k] = x->type == TRACE_I32 ? rand() % 3
                        : x->role == ROLE_TARGET ? (double)rand() / RAND_MAX : random_value();
    }
    return run;
}

static void run_free(struct run *run)
{
    for (uint32_t i = 0; i < run->t->tensor_count; i++)
        free(run->v[i]);
    free(run->v);
}

static double run_all(const struct run *run)
{
    for (uint32_t i = 0; i < run->t->op_count; i++)
        if (op_rows[run->t->ops[i].kind].class != OP_OPTIMIZER)
            step(run, &run->t->ops[i]);
    return run->v[trace_find(run->t, "loss")][0];
}

/* Distributions of targets add up to 1, as cross-entropy's gradient takes for granted. */
static void make_distributions(const struct run *run)
{
    uint32_t t = trace_find(run->t, "t");
    const struct trace_tensor *x = &run->t->tensors[t];
    uint64_t n = columns(x);
    for (uint64_t i = 0; x->type != TRACE_I32 && n > 1 && i < trace_elements(x); i += n) {
        double sum = 0;
        for (uint64_t j = 0; j < n; j++)
            sum += run->v[t][i + j];
        for (uint64_t j = 0; j < n; j++)
            run->v[t][i + j] /= sum;
    }
}

/* The gradient `dw` of the loss by every element of `w`, against central differences. */
static void check_gradient(const struct run *run, uint32_t w, uint32_t dw)
{
    const struct trace_tensor *x = &run->t->tensors[w];
    const double h = 1e-5;
    for (uint64_t i = 0; i < trace_elements(x); i++) {
        double *v = &run->v[w][i], kept = *v;
        *v = kept + h;
        double above = run_all(run);
        *v = kept - h;
        double below = run_all(run);
        *v = kept;
        run_all(run);
        double expected = (above - below) / (2 * h), got = run->v[dw][i];
        ck_assert_msg(fabs(got - expected) <= 1e-6 + 1e-5 * fabs(expected),
                      "%s[%llu]: %.9g, but the loss changes by %.9g", x->name,
                      (unsigned long long)i, got, expected);
    }
}

static const char *const nets[] = {
    "dense 4 relu\ndense 3 softmax\nloss cross_entropy\n",
    "dense 4 relu\ndense 3 softmax\nloss cross_entropy one_hot\n",
    "dense 4 tanh\ndense 7 sigmoid no_bias\ndense 1 sigmoid\nloss binary_cross_entropy\n",
    "dense 4 gelu no_bias\ndense 6 gelu\ndense 2\nloss mean_squared_error\n",
    "dense 4\ndense 6 softmax\ndense 2 tanh\nloss mean_squared_error\n",
    "dense 3 linear no_bias repeat=2\ndense 3 softmax\nloss mean_squared_error\n",
    "dense 2 gelu\nloss mean_squared_error\n",
};

START_TEST(the_derived_backward_pass_is_the_gradient_of_the_loss)
{
    char text[512];
    static const struct net_options training;
    struct diag d = { .text = "" };
    snprintf(text, sizeof text, "simaccel-net 1\ninput 5\nbatch 6\noptimizer sgd lr=0.1\n%s",
             nets[_i]);
    struct trace *t = net_expand_memory(text, strlen(text), &training, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    srand((unsigned)_i);
    struct run run = run_new(t);
    make_distributions(&run);
    unsigned weights = 0;
    for (uint32_t i = 0; i < t->op_count; i++)
        if (t->ops[i].kind == TRACE_SGD) {
            check_gradient(&run, t->ops[i].in[0], t->ops[i].in[1]);
            weights++;
        }
    ck_assert_uint_gt(weights, 0);
    run_free(&run);
    trace_free(t);
}
END_TEST

/* Ops that no network derives yet.  Each gives `loss`, and dw for w. */
static const char *const traces[] = {
    "tensor x weight f32 3x5\ntensor g weight f32 5\ntensor b weight f32 5\n"
    "tensor t target f32 3x5\ntensor y activation f32 3x5\ntensor m activation f32 3\n"
    "tensor r activation f32 3\ntensor loss output f32 1\ntensor dy delta f32 3x5\n"
    "tensor dx gradient f32 3x5\ntensor dg gradient f32 5\ntensor db gradient f32 5\n"
    "forward layernorm y m r = x g b epsilon=0.01\n"
    "loss mean_squared_error loss = y t\n"
    "loss mean_squared_error_grad dy = y t\n"
    "backward layernorm_grad dx = dy x g m r\n"
    "backward layernorm_grad_weights dg db = dy x m r\n",

    "tensor x weight f32 3x5\ntensor t target f32 3x5\ntensor p activation f32 3x5\n"
    "tensor dp delta f32 3x5\ntensor dx gradient f32 3x5\ntensor loss output f32 1\n"
    "forward sigmoid p = x\n"
    "loss binary_cross_entropy loss = p t epsilon=1e-7\n"
    "loss binary_cross_entropy_grad dp = p t epsilon=1e-7\n"
    "backward sigmoid_grad dx = dp p\n",

    "tensor x weight f32 2x3x5\ntensor w weight f32 2x7x5\ntensor t target f32 2x3x7\n"
    "tensor y activation f32 2x3x7\ntensor dy delta f32 2x3x7\n"
    "tensor dx gradient f32 2x3x5\ntensor dw gradient f32 2x7x5\ntensor loss output f32 1\n"
    "forward matmul y = x w transpose_b compute=f32\n"
    "loss mean_squared_error loss = y t\n"
    "loss mean_squared_error_grad dy = y t\n"
    "backward matmul dx = dy w compute=f32\n"
    "backward matmul dw = dy x transpose_a compute=f32\n",
};

START_TEST(the_gradient_ops_are_the_gradients_of_their_ops)
{
    char text[4096];
    struct diag d = { .text = "" };
    snprintf(text, sizeof text, "simaccel-trace 1\n%s", traces[_i]);
    struct trace *t = trace_read_memory(text, strlen(text), &d);
    ck_assert_msg(t != NULL, "%u: %s", d.line, d.text);
    srand((unsigned)_i);
    struct run run = run_new(t);
    for (uint32_t i = 0; i < t->tensor_count; i++)
        if (t->tensors[i].role == ROLE_WEIGHT) {
            char name[2 * TRACE_NAME];
            snprintf(name, sizeof name, "d%s", t->tensors[i].name);
            check_gradient(&run, i, trace_find(t, name));
        }
    run_free(&run);
    trace_free(t);
}
END_TEST

/* The meaning of gelu_grad, in the numbers and order of the op table. */
START_TEST(the_formula_of_gelu_grad_is_the_slope_of_gelu)
{
    const double p = 0.7978846, q = 0.035677408;
    for (double x = -6; x <= 6; x += 0.25) {
        double t = tanh(x * (p + q * (x * x)));
        double slope = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (p + 3 * q * (x * x));
        ck_assert_double_eq_tol(slope, gelu_slope(x), 1e-6);
    }
}
END_TEST

Suite *gradient_suite(void)
{
    Suite *s = suite_create("gradient");
    TCase *t = tcase_create("differences");
    tcase_add_loop_test(t, the_derived_backward_pass_is_the_gradient_of_the_loss, 0,
                        COUNT_OF(nets));
    tcase_add_loop_test(t, the_gradient_ops_are_the_gradients_of_their_ops, 0, COUNT_OF(traces));
    tcase_add_test(t, the_formula_of_gelu_grad_is_the_slope_of_gelu);
    suite_add_tcase(s, t);
    return s;
}
