/* reference_element.c - element-wise ops of the reference, and those that move elements. */
#include <assert.h>
#include <string.h>

#include "traces/functions.h"
#include "traces/reference_inside.h"

static double sigmoid(double x) { return 1 / (1 + functions_exp(-x)); }

/* Of gelu: p and q as its formula gives them, and t. */
struct gelu { double p, q, t; };

static struct gelu gelu(const struct reference_op *x, double a)
{
    double p = reference_number(x, OP_GELU_P), q = reference_number(x, OP_GELU_Q);
    return (struct gelu){ p, q, functions_tanh(a * (p + q * (a * a))) };
}

static double gelu_slope(const struct reference_op *x, double a)
{
    struct gelu g = gelu(x, a);
    return 0.5 * (1 + g.t) + 0.5 * a * (1 - g.t * g.t) * (g.p + 3 * g.q * (a * a));
}

double reference_clip(const struct reference_op *x, double p)
{
    double epsilon = reference_attribute(x, ATTR_EPSILON), most = reference_number(x, 1 - epsilon);
    double q = p < epsilon ? epsilon : p;
    return q > most ? most : q;
}

static double binary_cross_entropy_grad(const struct reference_op *x, double p, double t)
{
    double q = reference_clip(x, p);
    return (q - t) / (q * (1 - q)) * reference_number(x, 1 / (double)x->all);
}

/* A result from a and b, the elements at its place (of a bias: in its column). */
#define FORMULAS(X)                                                                 \
    X(BIAS,         a + b)                                                          \
    X(ADD,          a + b)                                                          \
    X(SUBTRACT,     a - b)                                                          \
    X(MULTIPLY,     a * b)                                                          \
    X(SCALE,        reference_attribute(x, ATTR_FACTOR) * a)                        \
    X(RELU,         a > 0 ? a : 0)                                                  \
    X(RELU_GRAD,    b > 0 ? a : 0)                                                  \
    X(SIGMOID,      sigmoid(a))                                                     \
    X(SIGMOID_GRAD, a * (b * (1 - b)))                                              \
    X(TANH,         functions_tanh(a))                                              \
    X(TANH_GRAD,    a * (1 - b * b))                                                \
    X(GELU,         0.5 * a * (1 + gelu(x, a).t))                                   \
    X(GELU_GRAD,    a * gelu_slope(x, b))                                           \
    X(SIGMOID_CROSS_ENTROPY_GRAD,                                                   \
                    (sigmoid(a) - b) * reference_number(x, 1 / (double)x->all))     \
    X(BINARY_CROSS_ENTROPY_GRAD, binary_cross_entropy_grad(x, a, b))                \
    X(MEAN_SQUARED_ERROR_GRAD,                                                      \
                    (a - b) * reference_number(x, 2 / (double)x->all))

#define FUNCTION(id, formula)                                                       \
    static double of_##id(const struct reference_op *x, double a, double b)         \
    {                                                                               \
        (void)x;                                                                    \
        (void)b;                                                                    \
        return formula;                                                             \
    }
FORMULAS(FUNCTION)

#define ROW(id, formula) [TRACE_##id] = of_##id,
static double (*const functions[TRACE_OPS_COUNT])(const struct reference_op *, double, double) = {
    FORMULAS(ROW)
};

void reference_elementwise(const struct reference_op *x)
{
    bool bias = x->op->kind == TRACE_BIAS;
    const double *b = x->op->ins > 1 ? x->in[1] : x->in[0];
    assert(functions[x->op->kind] != NULL);
    for (uint64_t i = 0; i < x->all; i++)
        x->out[0][i] = functions[x->op->kind](x, x->in[0][i], b[bias ? i % x->n : i]);
}

static void transpose(const struct reference_op *x)
{
    const struct trace_tensor *in = &x->trace->tensors[x->op->in[0]];
    uint64_t m = in->shape[in->rank - 2];
    for (uint64_t i = 0; i < x->all; i++) {
        uint64_t matrix = i / (m * x->n), row = i / x->n % m, column = i % x->n;
        x->out[0][(matrix * x->n + column) * m + row] = x->in[0][i];
    }
}

void reference_layout(const struct reference_op *x)
{
    if (x->op->kind == TRACE_TRANSPOSE)
        transpose(x);
    else
        memcpy(x->out[0], x->in[0], x->all * sizeof *x->in[0]);
}
