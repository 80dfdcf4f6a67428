/* reference.h - what a trace means, worked out op by op in double precision.
 *
 * No machine is in it: each op's formula as traces/ops.h has it, in program order, sums from
 * the first term to the last.  Every tensor's values stay readable until the next step, so
 * that a machine's can be compared with them op by op.
 *
 *     set the given tensors ──▶ step ──▶ read any tensor ──▶ set the next batch ──▶ step ...
 *                                        (weights and state have changed in place)
 *
 * Two references are wanted, for two questions:
 *
 *     EXACT    nothing is rounded (but to double): is it the gradient, is it the formula?
 *     STORED   everything that the language rounds is rounded where it says, once: constants
 *              to f32, what a matmul reads to its compute type, each result to the type of
 *              its tensor.  Within an op all is still in double: what does a machine's own
 *              arithmetic add to the errors that nobody can avoid?
 *
 * Values are doubles, row-major, one array a tensor; i32 holds whole numbers.  A class must
 * be a whole number below the number of columns.  Numbers that are not finite go their way.
 * The same bits on every computer.
 *
 * Not modelled: replicas (all_reduce gives what it was given), i32 arithmetic.
 */
#ifndef TRACES_REFERENCE_H
#define TRACES_REFERENCE_H

#include "traces/trace.h"

enum reference_rounding { REFERENCE_EXACT, REFERENCE_STORED };

struct reference;

/* All values are 0.  Takes 8 bytes an element of the whole trace, which is borrowed; without
 * memory the program aborts. */
struct reference *reference_new(const struct trace *t, enum reference_rounding rounding);
void              reference_free(struct reference *r);

/* The values of a tensor, trace_elements of them, owned by the reference.  What is written
 * there is taken as it is. */
double *reference_values(struct reference *r, uint32_t tensor);

/* Copies values to a tensor, rounded to its type if STORED. */
void reference_set(struct reference *r, uint32_t tensor, const double *values);

/* Every given tensor as traces/initial.h would have it. */
void reference_fill(struct reference *r, uint64_t seed);

/* All ops once, after `before` such steps: Adam's step counts from there. */
void reference_step(struct reference *r, uint64_t before);

/* The same but for the optimizers: weights and state stay as they are. */
void reference_gradients(struct reference *r);

/* One op, from the values that its inputs have now. */
void reference_op(struct reference *r, uint32_t op, uint64_t before);

#endif
