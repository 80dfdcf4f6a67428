/* bound.h - how far results of an op may be off what it means, on a machine that does it right.
 *
 * What the op means is worked out in double (traces/reference.h) from the numbers that the
 * machine has for its inputs.  The machine computes in f32, with functions to a few units and
 * sums in an order of its own (traces/ball.h): each formula is followed operation by
 * operation, so that a difference of large numbers may be off by what they may, and a small
 * number by little.  What is not in memory, but handed on within a machine, is itself off.
 *
 * Rounding to the type that is stored comes on top.
 *
 * Not modelled: errors that cancel each other (n sums are as far off as n times one); i32.
 */
#ifndef TRACES_BOUND_H
#define TRACES_BOUND_H

#include "traces/trace.h"

/* Where the machine's arithmetic differs from one rounding to f32 after each operation. */
struct bound_machine {
    double   sum;       /* of a product's sum, relative to the sum of the sizes of its terms */
    double   operand;   /* of what it multiplies, relative, beyond the compute type's rounding */
    bool     eager;     /* each operation of an optimizer stores its result */
    uint32_t parts;     /* sums over rows are made of so many, each stored; 0: they are not */
};

struct bound_op {
    const struct trace *trace;              /* with the types that the machine stores */
    uint32_t            op;
    uint64_t            before;             /* steps before this one */
    struct bound_machine machine;
    const double *in[TRACE_INS];            /* what the machine has */
    const double *in_off[TRACE_INS];        /* how far that may be off; NULL: it is what it has */
    double       *off[TRACE_OUTS];          /* filled in: how far the results may be off */
};

void bound_op(const struct bound_op *b);

/* How far off a result may be once it is stored, if before it was `off` from the value v.
 * Nothing more in f32: results are f32 as they are. */
double bound_stored(double v, double off, enum trace_type type);

#endif
