/* reference_matmul.c - matmul of the reference: operands are laid out as they are multiplied,
 * rounded to the compute type on the way, and then rows of b are added up. */
#include "traces/reference_inside.h"
#include "traces/round.h"

/* `rows` x `columns` of an operand that may be stored the other way round. */
static void lay_out(const struct reference_op *x, const double *from, bool transposed,
                    uint64_t rows, uint64_t columns, double *to)
{
    for (uint64_t i = 0; i < rows; i++)
        for (uint64_t j = 0; j < columns; j++) {
            double v = from[transposed ? j * rows + i : i * columns + j];
            to[i * columns + j] = x->stored ? trace_round(v, x->op->compute) : v;
        }
}

/* Each sum begins with its first product, and takes the others in the order of k. */
static void multiply(const struct reference_op *x, const struct op_matmul *d, double *y)
{
    for (uint64_t i = 0; i < d->m; i++, y += d->n) {
        for (uint64_t j = 0; j < d->n; j++)
            y[j] = x->a[i * d->k] * x->b[j];
        for (uint64_t k = 1; k < d->k; k++) {
            double a = x->a[i * d->k + k];
            const double *b = x->b + k * d->n;
            for (uint64_t j = 0; j < d->n; j++)
                y[j] += a * b[j];
        }
    }
}

void reference_matmul(const struct reference_op *x)
{
    struct op_matmul d = op_matmul(x->trace, x->op);
    for (uint64_t g = 0; g < d.batch; g++) {
        lay_out(x, x->in[0] + g * d.m * d.k, x->op->transpose_a, d.m, d.k, x->a);
        lay_out(x, x->in[1] + g * d.k * d.n, x->op->transpose_b, d.k, d.n, x->b);
        multiply(x, &d, x->out[0] + g * d.m * d.n);
    }
}
