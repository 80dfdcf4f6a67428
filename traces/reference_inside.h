/* reference_inside.h - an op in progress, and who works out which class of ops. */
#ifndef TRACES_REFERENCE_INSIDE_H
#define TRACES_REFERENCE_INSIDE_H

#include "traces/reference.h"

struct reference_op {
    const struct trace    *trace;
    const struct trace_op *op;
    const double          *in[TRACE_INS];
    double                *out[TRACE_OUTS];     /* in place: the arrays of `in` */
    uint64_t               rows, n, all;        /* of the first input: rows of n elements */
    uint64_t               before;              /* steps before this one */
    bool                   stored;              /* REFERENCE_STORED */
    double                *a, *b;               /* room for a matmul's operands */
};

/* A number that the trace or a formula gives, as the language takes it. */
double reference_number(const struct reference_op *x, double number);
double reference_attribute(const struct reference_op *x, enum op_attribute a);

/* What the target of row r (the second input) says of class j: a distribution's share, or
 * whether it is the class. */
double reference_target(const struct reference_op *x, uint64_t r, uint64_t j);

/* A probability, kept off 0 and 1 by the op's epsilon; NaN stays. */
double reference_clip(const struct reference_op *x, double p);

/* The largest of a row, and the sum of exp of what the others are below it. */
struct reference_exps { double most, sum; };
struct reference_exps reference_exps(const double *row, uint64_t n);

/* The op, if it is of that class.  Results are not rounded yet. */
void reference_matmul(const struct reference_op *x);
void reference_elementwise(const struct reference_op *x);
void reference_rows(const struct reference_op *x);
void reference_sums(const struct reference_op *x);      /* reduce, and loss */
void reference_layout(const struct reference_op *x);
void reference_update(const struct reference_op *x);    /* optimizer */

#endif
