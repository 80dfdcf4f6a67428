/* ops.h - every op of the trace language, one row each.
 *
 * A row says all that the language knows of an op: what shapes it takes, what it costs
 * and what it computes.  Reader, writer, check, FLOP counts, docs and the machines'
 * lowerings are made from it; one more op is one more row.
 *
 * Shapes are patterns, inputs > outputs.  A letter is a dimension, the same one wherever
 * it stands; `*` stands for any leading dimensions, the same ones everywhere; `1` is a
 * single number; `?` is any shape; `a/b` is either; `#` before a pattern wants i32 where
 * otherwise a floating-point type is wanted.  "rows" are the elements over the last
 * dimension n.
 *
 * Every op reads its operands, widens them to f32 (exact), computes in f32 in the order
 * of its formula and rounds once, to nearest even, when it stores.  Attributes are
 * rounded to f32 first.  Matmul alone first rounds what it reads to its compute type.
 *
 * Work is in primitive operations: for each element of the first input, and for each of
 * its rows.  Their sum is the op's FLOPs; only matmul counts otherwise, 2*batch*m*n*k.
 *
 * Not modelled: integer arithmetic, convolutions, broadcasting other than bias.
 */
#ifndef TRACES_OPS_H
#define TRACES_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traces/diag.h"

/* How a machine goes about it. */
#define OP_CLASSES(X)                                                           \
    X(MATMUL,      "matmul",      "products of matrices")                       \
    X(ELEMENTWISE, "elementwise", "each result from the elements at its place") \
    X(ROW,         "row",         "each row by itself, in several passes")      \
    X(REDUCE,      "reduce",      "sums over rows, or over everything")         \
    X(LOSS,        "loss",        "rows by themselves, then one mean")          \
    X(LAYOUT,      "layout",      "moves elements, computes nothing")           \
    X(OPTIMIZER,   "optimizer",   "element-wise, weights and state in place")   \
    X(COLLECTIVE,  "collective",  "between devices")

enum op_class {
#define CLASS(id, name, what) OP_##id,
    OP_CLASSES(CLASS)
#undef CLASS
    OP_CLASSES_COUNT
};

/* The primitive operations that element-wise work is made of. */
#define OP_WORKS(X)                             \
    X(ADD,    "add",    "add or subtract")      \
    X(MUL,    "mul",    "multiply")             \
    X(SELECT, "select", "compare and choose")   \
    X(DIV,    "div",    "divide")               \
    X(SQRT,   "sqrt",   "square root")          \
    X(EXP,    "exp",    "exponential")          \
    X(LOG,    "log",    "natural logarithm")    \
    X(TANH,   "tanh",   "hyperbolic tangent")

enum op_work {
#define WORK(id, name, what) WORK_##id,
    OP_WORKS(WORK)
#undef WORK
    OP_WORKS_COUNT
};

/* Attributes: a number each.  `whole`: must be a whole number. */
#define OP_ATTRIBUTES(X) \
    /* id        name          min      max   whole   what                               */ \
    X(FACTOR,   "factor",   -1e30,     1e30, false,  "what every element is multiplied by") \
    X(EPSILON,  "epsilon",      0,        1, false,  "keeps a divisor or logarithm off 0")  \
    X(LR,       "lr",           0,     1e30, false,  "learning rate")                       \
    X(MOMENTUM, "momentum",     0,        1, false,  "what is kept of the last change")     \
    X(DECAY,    "decay",        0,        1, false,  "what is kept of the mean square")     \
    X(BETA1,    "beta1",        0, 0.999999, false,  "what is kept of the mean")            \
    X(BETA2,    "beta2",        0, 0.999999, false,  "what is kept of the mean square")     \
    X(STEP,     "step",         1,      1e9, true,   "number of the first step, from 1")

enum op_attribute {
#define ATTRIBUTE(id, ...) ATTR_##id,
    OP_ATTRIBUTES(ATTRIBUTE)
#undef ATTRIBUTE
    OP_ATTRIBUTES_COUNT
};

/* p and q of gelu below: sqrt(2 / pi), and 0.044715 times that. */
#define OP_GELU_P 0.7978846
#define OP_GELU_Q 0.035677408

/* A(id) is an attribute that it takes.  The work columns: add mul select div sqrt exp log tanh.  `in place`: so many outputs
 * are the inputs at the same places, changed. */
#define TRACE_OPS(X) \
/* id, name, shapes, class, in place, attributes, \
     work per element, work per row, \
     meaning */ \
X(MATMUL, "matmul", "*mk,*kn>*mn", MATMUL, 0, 0, \
    W(0,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y[i,j] = sum over k of a[i,k] * b[k,j]; a, b rounded to the compute type, products exact, sums f32") \
X(BIAS, "bias", "*n,n>*n", ELEMENTWISE, 0, 0, \
    W(1,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = x + b[column]") \
X(ADD, "add", "*,*>*", ELEMENTWISE, 0, 0, \
    W(1,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = a + b") \
X(SUBTRACT, "subtract", "*,*>*", ELEMENTWISE, 0, 0, \
    W(1,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = a - b") \
X(MULTIPLY, "multiply", "*,*>*", ELEMENTWISE, 0, 0, \
    W(0,1,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = a * b") \
X(SCALE, "scale", "*>*", ELEMENTWISE, 0, A(FACTOR), \
    W(0,1,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = factor * x") \
X(CAST, "cast", "*>*", LAYOUT, 0, 0, \
    W(0,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = x, rounded to the type of y") \
X(TRANSPOSE, "transpose", "*mn>*nm", LAYOUT, 0, 0, \
    W(0,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y[j,i] = x[i,j], the last two dimensions") \
X(RESHAPE, "reshape", "?>?", LAYOUT, 0, 0, \
    W(0,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = x in the same (row-major) order; the same type and number of elements") \
X(RELU, "relu", "*>*", ELEMENTWISE, 0, 0, \
    W(0,0,1,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = x > 0 ? x : 0") \
X(RELU_GRAD, "relu_grad", "*,*>*", ELEMENTWISE, 0, 0, \
    W(0,0,1,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs dy, y: dx = y > 0 ? dy : 0") \
X(SIGMOID, "sigmoid", "*>*", ELEMENTWISE, 0, 0, \
    W(1,0,0,1,0,1,0,0), W(0,0,0,0,0,0,0,0), \
    "y = 1 / (1 + exp(-x))") \
X(SIGMOID_GRAD, "sigmoid_grad", "*,*>*", ELEMENTWISE, 0, 0, \
    W(1,2,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs dy, y: dx = dy * (y * (1 - y))") \
X(TANH, "tanh", "*>*", ELEMENTWISE, 0, 0, \
    W(0,0,0,0,0,0,0,1), W(0,0,0,0,0,0,0,0), \
    "y = tanh(x)") \
X(TANH_GRAD, "tanh_grad", "*,*>*", ELEMENTWISE, 0, 0, \
    W(1,2,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs dy, y: dx = dy * (1 - y * y)") \
X(GELU, "gelu", "*>*", ELEMENTWISE, 0, 0, \
    W(2,5,0,0,0,0,0,1), W(0,0,0,0,0,0,0,0), \
    "t = tanh(x * (p + q * (x * x))), p = 0.7978846, q = 0.035677408; y = 0.5 * x * (1 + t)") \
X(GELU_GRAD, "gelu_grad", "*,*>*", ELEMENTWISE, 0, 0, \
    W(5,10,0,0,0,0,0,1), W(0,0,0,0,0,0,0,0), \
    "inputs dy, x; t, p, q of gelu: dx = dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (p + 3q * (x * x)))") \
X(SOFTMAX, "softmax", "*n>*n", ROW, 0, 0, \
    W(2,1,1,0,0,1,0,0), W(0,0,0,1,0,0,0,0), \
    "per row: m = max x; e = exp(x - m); s = sum e; y = e * (1 / s)") \
X(SOFTMAX_GRAD, "softmax_grad", "*n,*n>*n", ROW, 0, 0, \
    W(2,2,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs dy, y; per row: s = sum dy * y; dx = y * (dy - s)") \
X(LAYERNORM, "layernorm", "*n,n,n>*n,*,*", ROW, 0, A(EPSILON), \
    W(4,3,0,0,0,0,0,0), W(1,2,0,1,1,0,0,0), \
    "inputs x, g, b; outputs y, m, r; per row: m = sum x / n; r = 1 / sqrt(sum (x - m)^2 / n + epsilon); y = (x - m) * r * g + b") \
X(LAYERNORM_GRAD, "layernorm_grad", "*n,*n,n,*,*>*n", ROW, 0, 0, \
    W(5,5,0,0,0,0,0,0), W(0,2,0,0,0,0,0,0), \
    "inputs dy, x, g, m, r; per row: h = (x - m) * r; d = dy * g; dx = r * (d - (sum d / n + h * (sum d * h / n)))") \
X(LAYERNORM_GRAD_WEIGHTS, "layernorm_grad_weights", "*n,*n,*,*>n,n", REDUCE, 0, 0, \
    W(3,2,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs dy, x, m, r; outputs dg, db; sums over rows: dg = sum dy * ((x - m) * r); db = sum dy") \
X(SOFTMAX_CROSS_ENTROPY, "softmax_cross_entropy", "*n,*n/#*>1", LOSS, 0, 0, \
    W(3,1,1,0,0,1,0,0), W(3,0,0,0,0,0,1,0), \
    "inputs z, t (a distribution a row, or the class): per row: m = max z; l = m + log(sum exp(z - m)) - sum t * z; y = sum l / rows") \
X(SOFTMAX_CROSS_ENTROPY_GRAD, "softmax_cross_entropy_grad", "*n,*n/#*>*n", ROW, 0, 0, \
    W(3,2,1,0,0,1,0,0), W(0,0,0,1,0,0,0,0), \
    "inputs z, t: dz = (softmax(z) - t) * (1 / rows)") \
X(SIGMOID_CROSS_ENTROPY, "sigmoid_cross_entropy", "*,*>1", LOSS, 0, 0, \
    W(4,1,2,0,0,1,1,0), W(0,0,0,0,0,0,0,0), \
    "inputs z, t: l = max(z, 0) - z * t + log(1 + exp(-abs(z))); y = sum l / elements") \
X(SIGMOID_CROSS_ENTROPY_GRAD, "sigmoid_cross_entropy_grad", "*,*>*", ELEMENTWISE, 0, 0, \
    W(2,1,0,1,0,1,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs z, t: dz = (1 / (1 + exp(-z)) - t) * (1 / elements)") \
X(BINARY_CROSS_ENTROPY, "binary_cross_entropy", "*,*>1", LOSS, 0, A(EPSILON), \
    W(4,2,2,0,0,0,2,0), W(0,0,0,0,0,0,0,0), \
    "inputs p, t: q = min(max(p, epsilon), 1 - epsilon); l = -(t * log(q) + (1 - t) * log(1 - q)); y = sum l / elements") \
X(BINARY_CROSS_ENTROPY_GRAD, "binary_cross_entropy_grad", "*,*>*", ELEMENTWISE, 0, A(EPSILON), \
    W(2,2,2,1,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs p, t; q as before: dp = (q - t) / (q * (1 - q)) * (1 / elements)") \
X(MEAN_SQUARED_ERROR, "mean_squared_error", "*,*>1", LOSS, 0, 0, \
    W(2,1,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs x, t: d = x - t; y = sum d * d / elements") \
X(MEAN_SQUARED_ERROR_GRAD, "mean_squared_error_grad", "*,*>*", ELEMENTWISE, 0, 0, \
    W(1,1,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs x, t: dx = (x - t) * (2 / elements)") \
X(SUM_ROWS, "sum_rows", "*n>n", REDUCE, 0, 0, \
    W(1,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y[column] = sum over rows of x (a bias's gradient)") \
X(MEAN_ROWS, "mean_rows", "*n>n", REDUCE, 0, 0, \
    W(1,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y[column] = (sum over rows of x) * (1 / rows)") \
X(SUM, "sum", "*>1", REDUCE, 0, 0, \
    W(1,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = sum of all x") \
X(MEAN, "mean", "*>1", REDUCE, 0, 0, \
    W(1,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "y = (sum of all x) * (1 / elements)") \
X(SGD, "sgd", "*,*>*", OPTIMIZER, 1, A(LR), \
    W(1,1,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs w, g: w = w - lr * g") \
X(MOMENTUM, "momentum", "*,*,*>*,*", OPTIMIZER, 2, A(LR) | A(MOMENTUM), \
    W(2,2,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs w, a, g: a = momentum * a + g; w = w - lr * a") \
X(RMSPROP, "rmsprop", "*,*,*>*,*", OPTIMIZER, 2, A(LR) | A(DECAY) | A(EPSILON), \
    W(3,4,0,1,1,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs w, s, g: s = decay * s + (1 - decay) * g * g; w = w - lr * g / sqrt(s + epsilon)") \
X(ADAM, "adam", "*,*,*,*>*,*,*", OPTIMIZER, 3, \
    A(LR) | A(BETA1) | A(BETA2) | A(EPSILON) | A(STEP), \
    W(4,6,0,1,1,0,0,0), W(0,0,0,0,0,0,0,0), \
    "inputs w, m, v, g: m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g * g; c = lr * sqrt(1 - beta2^step) / (1 - beta1^step); w = w - c * m / (sqrt(v) + epsilon)") \
X(ALL_REDUCE, "all_reduce", "*>*", COLLECTIVE, 1, 0, \
    W(0,0,0,0,0,0,0,0), W(0,0,0,0,0,0,0,0), \
    "x = the sum of x over all replicas, in their order; x itself where there is one")

enum trace_op_kind {
#define OP(id, ...) TRACE_##id,
    TRACE_OPS(OP)
#undef OP
    TRACE_OPS_COUNT
};

struct op_row {
    const char   *name, *shapes;
    enum op_class class;
    unsigned      in_place;                     /* outputs that are inputs, changed */
    unsigned      attributes;                   /* bit ATTR_x: it takes that one */
    uint8_t       element_work[OP_WORKS_COUNT]; /* per element of the first input */
    uint8_t       row_work[OP_WORKS_COUNT];     /* per row of the first input */
    const char   *meaning;
};

struct op_attribute_row {
    const char *name;
    double      min, max;
    bool        whole;
    const char *what;
};

extern const struct op_row           op_rows[TRACE_OPS_COUNT];
extern const struct op_attribute_row op_attributes[OP_ATTRIBUTES_COUNT];
extern const char *const             op_class_names[OP_CLASSES_COUNT];
extern const char *const             op_work_names[OP_WORKS_COUNT];

struct trace;
struct trace_op;

/* How many inputs and outputs it has, as its shapes say. */
unsigned op_ins(enum trace_op_kind kind);
unsigned op_outs(enum trace_op_kind kind);

/* Whether shapes, types and attributes fit the op's row.  If not, `why` says what is
 * wrong and what was expected, and `*operand` which one: 0 for the op as a whole, then
 * outputs, then inputs, as they stand in the text. */
bool op_check(const struct trace *t, const struct trace_op *op, unsigned *operand,
              char *why, size_t size);

/* What a matmul multiplies, after its transposes: batch times (m x k) by (k x n). */
struct op_matmul { uint64_t batch, m, k, n; };
struct op_matmul op_matmul(const struct trace *t, const struct trace_op *op);

uint64_t op_flops(const struct trace *t, const struct trace_op *op);
/* Primitive operations of one kind in the whole op (none in a matmul). */
uint64_t op_work(const struct trace *t, const struct trace_op *op, enum op_work work);
/* Each input read once and each output written once. */
uint64_t op_bytes(const struct trace *t, const struct trace_op *op);

#endif
