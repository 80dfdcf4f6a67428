/* initial.h - what given tensors hold before the first step, by their role and use.
 *
 *     weights    matrices           GLOROT   uniform in +-sqrt(6 / (rows + columns))
 *                vectors            ZEROS    biases
 *     a layernorm's gain            ONES
 *     state      of rmsprop         ONES     as TensorFlow 1, whose RMSProp it is, begins
 *                of the others      ZEROS
 *     classes (i32)                 CLASSES  as likely each, below the fewest columns that
 *                                            a loss compares them with
 *     other targets of softmax      SHARES   rows add up to 1
 *     all else                      UNIFORM  in [0, 1)
 *
 * Random values follow from the seed and the tensor's name, so that one tensor more or less,
 * or another order, leaves the others as they were.  The same bits on every computer.  They
 * are not yet rounded to the tensor's type.
 *
 * Not modelled: other initializers, normal distributions.
 */
#ifndef TRACES_INITIAL_H
#define TRACES_INITIAL_H

#include "traces/trace.h"

#define INITIALS(X)                                                                 \
    X(ZEROS,   "zeros",   "0")                                                      \
    X(ONES,    "ones",    "1")                                                      \
    X(GLOROT,  "glorot",  "uniform in +-sqrt(6 / (rows + columns)) of the matrix")  \
    X(UNIFORM, "uniform", "uniform in [0, 1)")                                      \
    X(SHARES,  "shares",  "uniform, then divided by the sum of the row")            \
    X(CLASSES, "classes", "a class, each as likely")

enum initial_kind {
#define INITIAL(id, name, what) INITIAL_##id,
    INITIALS(INITIAL)
#undef INITIAL
    INITIAL_KINDS_COUNT
};

extern const char *const initial_names[INITIAL_KINDS_COUNT];

struct initial {
    enum initial_kind kind;
    uint64_t          classes;      /* of CLASSES: how many there are */
};

/* One for each tensor; that of a tensor which is not given says nothing.  The caller frees
 * the array. */
struct initial *initial_plan(const struct trace *t);

/* Writes the trace_elements of a tensor. */
void initial_values(const struct trace_tensor *x, struct initial how, uint64_t seed,
                    double *values);

#endif
