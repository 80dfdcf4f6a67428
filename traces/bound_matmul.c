/* bound_matmul.c - bounds of products of matrices, from the sizes of what is multiplied:
 *
 *     sum over k of |a| |b|         by what the unit's way to sum may be off
 *     sum over k of |a| eb + ea |b| + ea eb    where a may be ea, and b eb, off
 *
 * The sums are in f32 themselves, and a little larger for that. */

/* gcc's -O2 leaves these loops scalar. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("O3")
#endif

#include <stdlib.h>

#include "traces/bound_inside.h"
#include "traces/round.h"

/* An operand as it is multiplied: sizes, how far they may be off, and sizes and that. */
struct sizes { float *size, *off, *most; };

static float *room(uint64_t count)
{
    float *p = malloc((count ? count : 1) * sizeof *p);
    if (!p)
        abort();
    return p;
}

/* What is off by a little before it is rounded may be rounded to the next number. */
static double off_of(const struct bound *x, double v, double off)
{
    enum trace_type compute = x->op->compute;
    double operand = x->of->machine.operand;
    if (!isfinite(v))
        return 0;
    double rounding = off > 0 && compute != TRACE_F32 ? trace_ulp(v, compute) : 0;
    double finest = operand > 0 ? trace_ulp(0, compute) : 0;
    return off + rounding + operand * fabs(v) + finest;
}

/* `rows` x `columns` of an operand that may be stored the other way round. */
static void lay_out(const struct bound *x, uint32_t in, uint64_t from, bool transposed,
                    uint64_t rows, uint64_t columns, struct sizes *to)
{
    for (uint64_t i = 0; i < rows; i++)
        for (uint64_t j = 0; j < columns; j++) {
            uint64_t at = from + (transposed ? j * rows + i : i * columns + j);
            double v = fabs(trace_round(x->of->in[in][at], x->op->compute));
            double off = off_of(x, v, x->of->in_off[in] ? x->of->in_off[in][at] : 0);
            to->size[i * columns + j] = (float)v;
            to->off[i * columns + j] = (float)off;
            to->most[i * columns + j] = (float)(v + off);
        }
}

/* y += a * b */
static void multiply(const struct op_matmul *d, const float *a, const float *b, float *y)
{
    for (uint64_t i = 0; i < d->m; i++)
        for (uint64_t k = 0; k < d->k; k++) {
            const float *row = b + k * d->n;
            float *to = y + i * d->n, each = a[i * d->k + k];
            for (uint64_t j = 0; j < d->n; j++)
                to[j] += each * row[j];
        }
}

static struct sizes sizes_new(uint64_t count)
{
    return (struct sizes){ room(count), room(count), room(count) };
}

static void sizes_free(struct sizes *s)
{
    free(s->size);
    free(s->off);
    free(s->most);
}

/* One product of the batch, once its operands are laid out. */
static void bound_one(const struct bound *x, const struct op_matmul *d, const struct sizes *a,
                      const struct sizes *b, const struct sizes *y, double *result)
{
    const struct bound_machine *machine = &x->of->machine;
    bool exact = !x->of->in_off[0] && !x->of->in_off[1] && machine->operand == 0;
    double more = 1 + 4 * (double)(d->k + 4) * BALL_UNIT;
    for (uint64_t i = 0; i < d->m * d->n; i++)
        y->size[i] = y->off[i] = 0;
    multiply(d, a->size, b->size, y->size);
    if (!exact) {
        multiply(d, a->size, b->off, y->off);
        multiply(d, a->off, b->most, y->off);
    }
    for (uint64_t i = 0; i < d->m * d->n; i++) {
        double off = more * (double)y->off[i], all = more * (double)y->size[i] + off;
        result[i] = machine->sum * all + off + bound_parts(x, 0, all)
                  + (double)d->k * BALL_LEAST;
    }
}

void bound_matmul(const struct bound *x)
{
    struct op_matmul d = op_matmul(x->trace, x->op);
    struct sizes a = sizes_new(d.m * d.k), b = sizes_new(d.k * d.n), y = sizes_new(d.m * d.n);
    for (uint64_t g = 0; g < d.batch; g++) {
        lay_out(x, 0, g * d.m * d.k, x->op->transpose_a, d.m, d.k, &a);
        lay_out(x, 1, g * d.k * d.n, x->op->transpose_b, d.k, d.n, &b);
        bound_one(x, &d, &a, &b, &y, x->of->off[0] + g * d.m * d.n);
    }
    sizes_free(&a);
    sizes_free(&b);
    sizes_free(&y);
}
