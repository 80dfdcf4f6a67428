/* bound.c - bounds of products, of element-wise ops and of those that move elements. */
#include "traces/bound.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "traces/bound_inside.h"
#include "traces/round.h"

struct ball bound_number(double number)
{
    return ball_exactly(trace_round(number, TRACE_F32));
}

struct ball bound_attribute(const struct bound *x, enum op_attribute a)
{
    return bound_number(x->op->attr[a]);
}

double bound_parts(const struct bound *x, uint32_t out, double size)
{
    enum trace_type type = x->trace->tensors[x->op->out[out]].type;
    if (x->of->machine.parts < 2 || type == TRACE_F32 || !isfinite(size))
        return 0;
    return x->of->machine.parts * trace_ulp(size, type) / 2;
}

double bound_stored(double v, double off, enum trace_type type)
{
    double most = fabs(v) + off;
    return type == TRACE_F32 || !isfinite(most) ? off : off + trace_ulp(most, type) / 2;
}

/* ---- element by element ---- */

struct ball bound_sigmoid(struct ball z)
{
    struct ball e = ball_exp((struct ball){ -z.v, z.off }), one = ball_exactly(1);
    return ball_divide(one, ball_add(one, e));
}

struct ball bound_clip(const struct bound *x, struct ball p)
{
    struct ball epsilon = bound_attribute(x, ATTR_EPSILON);
    return ball_smaller(ball_larger(p, epsilon), bound_number(1 - epsilon.v));
}

/* a where b is above 0. */
static struct ball where_above(struct ball a, struct ball b)
{
    bool maybe = b.off > 0 && fabs(b.v) <= b.off;
    struct ball chosen = b.v > 0 ? a : ball_exactly(0);
    chosen.off = maybe ? fabs(a.v) + a.off : chosen.off;
    return chosen;
}

/* y * (1 - y), or 1 - y * y. */
static struct ball logistic_slope(struct ball y)
{
    return ball_multiply(y, ball_subtract(ball_exactly(1), y));
}

static struct ball one_less_square(struct ball y)
{
    return ball_subtract(ball_exactly(1), ball_multiply(y, y));
}

struct gelu { struct ball p, q, square, t, half; };

static struct gelu gelu_parts(struct ball x)
{
    struct gelu g = { .p = bound_number(OP_GELU_P), .q = bound_number(OP_GELU_Q),
                      .square = ball_multiply(x, x) };
    struct ball inner = ball_multiply(x, ball_add(g.p, ball_multiply(g.q, g.square)));
    g.t = ball_tanh(inner);
    g.half = ball_multiply(ball_exactly(0.5), ball_add(ball_exactly(1), g.t));
    return g;
}

static struct ball gelu(struct ball x)
{
    return ball_multiply(x, gelu_parts(x).half);
}

static struct ball gelu_slope(struct ball x)
{
    struct gelu g = gelu_parts(x);
    struct ball q3 = ball_multiply(ball_exactly(3), g.q);
    struct ball rise = ball_multiply(one_less_square(g.t),
                                     ball_add(g.p, ball_multiply(q3, g.square)));
    return ball_add(g.half, ball_multiply(ball_multiply(ball_exactly(0.5), x), rise));
}

static struct ball share(const struct bound *x, double of)
{
    return bound_number(of / (double)x->all);
}

static struct ball probability_slope(const struct bound *x, struct ball p, struct ball t)
{
    struct ball q = bound_clip(x, p);
    return ball_multiply(ball_divide(ball_subtract(q, t), logistic_slope(q)), share(x, 1));
}

/* A result from a and b, the elements at its place (of a bias: in its column). */
#define FORMULAS(X)                                                                 \
    X(BIAS,         ball_add(a, b))                                                 \
    X(ADD,          ball_add(a, b))                                                 \
    X(SUBTRACT,     ball_subtract(a, b))                                            \
    X(MULTIPLY,     ball_multiply(a, b))                                            \
    X(SCALE,        ball_multiply(bound_attribute(x, ATTR_FACTOR), a))              \
    X(RELU,         where_above(a, a))                                              \
    X(RELU_GRAD,    where_above(a, b))                                              \
    X(SIGMOID,      bound_sigmoid(a))                                               \
    X(SIGMOID_GRAD, ball_multiply(a, logistic_slope(b)))                            \
    X(TANH,         ball_tanh(a))                                                   \
    X(TANH_GRAD,    ball_multiply(a, one_less_square(b)))                           \
    X(GELU,         gelu(a))                                                        \
    X(GELU_GRAD,    ball_multiply(a, gelu_slope(b)))                                \
    X(SIGMOID_CROSS_ENTROPY_GRAD,                                                   \
                    ball_multiply(ball_subtract(bound_sigmoid(a), b), share(x, 1))) \
    X(BINARY_CROSS_ENTROPY_GRAD, probability_slope(x, a, b))                        \
    X(MEAN_SQUARED_ERROR_GRAD, ball_multiply(ball_subtract(a, b), share(x, 2)))

#define FUNCTION(id, formula)                                                       \
    static struct ball of_##id(const struct bound *x, struct ball a, struct ball b) \
    {                                                                               \
        (void)x;                                                                    \
        (void)b;                                                                    \
        return formula;                                                             \
    }
FORMULAS(FUNCTION)

#define ROW(id, formula) [TRACE_##id] = of_##id,
static struct ball (*const functions[TRACE_OPS_COUNT])(const struct bound *, struct ball,
                                                       struct ball) = {
    FORMULAS(ROW)
};

void bound_elements(const struct bound *x)
{
    bool bias = x->op->kind == TRACE_BIAS;
    uint32_t second = x->op->ins > 1;
    assert(functions[x->op->kind] != NULL);
    for (uint64_t i = 0; i < x->all; i++)
        x->of->off[0][i] = functions[x->op->kind](x, bound_in(x, 0, i),
                                                  bound_in(x, second, bias ? i % x->n : i)).off;
}

/* ---- nothing is computed ---- */

static void move(const struct bound *x)
{
    const struct trace_tensor *in = &x->trace->tensors[x->op->in[0]];
    uint64_t m = in->rank > 1 ? in->shape[in->rank - 2] : 1;
    for (uint64_t i = 0; i < x->all; i++) {
        uint64_t matrix = i / (m * x->n), row = i / x->n % m, column = i % x->n;
        uint64_t to = x->op->kind == TRACE_TRANSPOSE ? (matrix * x->n + column) * m + row : i;
        x->of->off[0][to] = bound_in(x, 0, i).off;
    }
}

void bound_op(const struct bound_op *b)
{
    const struct trace_op *op = &b->trace->ops[b->op];
    const struct trace_tensor *first = &b->trace->tensors[op->in[0]];
    struct bound x = { .of = b, .trace = b->trace, .op = op, .rows = trace_rows(first),
                       .n = first->shape[first->rank - 1], .all = trace_elements(first) };
    switch (op_rows[op->kind].class) {
    case OP_MATMUL:      bound_matmul(&x);   return;
    case OP_ELEMENTWISE: bound_elements(&x); return;
    case OP_ROW:         bound_rows(&x);     return;
    case OP_REDUCE:
    case OP_LOSS:        bound_sums(&x);     return;
    case OP_OPTIMIZER:   bound_update(&x);   return;
    case OP_LAYOUT:
    case OP_COLLECTIVE:  move(&x);           return;
    case OP_CLASSES_COUNT: break;
    }
    abort();
}
