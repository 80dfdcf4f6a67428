/* bound_inside.h - an op whose bounds are sought, for the files that know its class. */
#ifndef TRACES_BOUND_INSIDE_H
#define TRACES_BOUND_INSIDE_H

#include "traces/ball.h"
#include "traces/bound.h"

struct bound {
    const struct bound_op *of;
    const struct trace    *trace;
    const struct trace_op *op;
    uint64_t rows, n, all;          /* of the first input */
};

/* An element of an input.  Below the normal numbers it may be taken as 0. */
static inline struct ball bound_in(const struct bound *x, uint32_t in, uint64_t i)
{
    double v = x->of->in[in][i], size = fabs(v);
    double off = x->of->in_off[in] ? x->of->in_off[in][i] : 0;
    return (struct ball){ v, size < BALL_LEAST ? off + size : off };
}

/* As the language takes them: rounded to f32. */
struct ball bound_number(double number);
struct ball bound_attribute(const struct bound *x, enum op_attribute a);

struct ball bound_sigmoid(struct ball z);
struct ball bound_clip(const struct bound *x, struct ball p);

/* Of a sum over rows, of terms of that size together, what storing its parts adds. */
double bound_parts(const struct bound *x, uint32_t out, double size);

void bound_matmul(const struct bound *x);
void bound_elements(const struct bound *x);     /* elementwise */
void bound_rows(const struct bound *x);
void bound_sums(const struct bound *x);         /* reduce, and loss */
void bound_update(const struct bound *x);       /* optimizer */

#endif
