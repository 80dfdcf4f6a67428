/* ball.h - numbers with how far a machine that computes in f32 may be off them.
 *
 * A ball is a value and a distance: what a machine has lies within it.  Each operation gives
 * the value of its result, in double, and how far off it may be: by what its operands are off,
 * carried through, and by its own rounding.
 *
 *     add, subtract, multiply   rounded to nearest
 *     divide, square root       to BALL_DIVIDE units, as from an approximate reciprocal
 *     exp, log, tanh            to BALL_FUNCTION units
 *     sums                      in any order
 *
 * A unit is 2^-24 of the result.  What is below the normal numbers of f32 may become 0.
 *
 * Not modelled: overflow on the way where the result would not be above the range of f32.
 */
#ifndef TRACES_BALL_H
#define TRACES_BALL_H

#include <math.h>

#include "traces/functions.h"

#define BALL_UNIT  0x1p-24
#define BALL_LEAST 0x1p-126             /* the smallest normal f32 */
#define BALL_DIVIDE    8
#define BALL_FUNCTION 16

struct ball { double v, off; };

static inline struct ball ball_exactly(double v)
{
    return (struct ball){ v, 0 };
}

/* A value found to so many units from operands that would put it `off` as it is. */
static inline struct ball ball_rounded(double v, double off, double units)
{
    return (struct ball){ v, off + units * BALL_UNIT * (fabs(v) + off) + BALL_LEAST };
}

static inline struct ball ball_add(struct ball a, struct ball b)
{
    return ball_rounded(a.v + b.v, a.off + b.off, 1);
}

static inline struct ball ball_subtract(struct ball a, struct ball b)
{
    return ball_rounded(a.v - b.v, a.off + b.off, 1);
}

static inline struct ball ball_multiply(struct ball a, struct ball b)
{
    double off = fabs(a.v) * b.off + fabs(b.v) * a.off + a.off * b.off;
    return ball_rounded(a.v * b.v, off, 1);
}

static inline struct ball ball_divide(struct ball a, struct ball b)
{
    double v = a.v / b.v, left = fabs(b.v) - b.off;
    double off = left > 0 ? (a.off + fabs(v) * b.off) / left : INFINITY;
    return ball_rounded(v, off, BALL_DIVIDE);
}

static inline struct ball ball_root(struct ball a)
{
    double v = sqrt(a.v), least = a.v > a.off ? sqrt(a.v - a.off) : 0;
    double most = sqrt(a.v + a.off);
    return ball_rounded(v, fmax(v - least, most - v), BALL_DIVIDE);
}

static inline struct ball ball_exp(struct ball a)
{
    double v = functions_exp(a.v);
    return ball_rounded(v, v * (functions_exp(a.off) - 1), BALL_FUNCTION);
}

static inline struct ball ball_log(struct ball a)
{
    double left = a.v - a.off;
    return ball_rounded(functions_log(a.v), left > 0 ? a.off / left : a.off > 0 ? INFINITY : 0,
                        BALL_FUNCTION);
}

/* Its slope is 1 - tanh^2, which changes by less than the distance. */
static inline struct ball ball_tanh(struct ball a)
{
    double v = functions_tanh(a.v);
    return ball_rounded(v, a.off * fmin(1, 1 - v * v + a.off), BALL_FUNCTION);
}

/* The larger: no rounding. */
static inline struct ball ball_larger(struct ball a, struct ball b)
{
    return (struct ball){ b.v > a.v ? b.v : a.v, fmax(a.off, b.off) };
}

static inline struct ball ball_smaller(struct ball a, struct ball b)
{
    return (struct ball){ b.v < a.v ? b.v : a.v, fmax(a.off, b.off) };
}

/* ---- sums ---- */

struct ball_sum { double v, off, size, terms; };        /* begins as zero */

static inline void ball_sum_add(struct ball_sum *s, struct ball term)
{
    s->v += term.v;
    s->off += term.off;
    s->size += fabs(term.v) + term.off;
    s->terms++;
}

/* An addition less than there are terms; two more for what small errors do to each other. */
static inline struct ball ball_sum_all(const struct ball_sum *s)
{
    double units = s->terms > 1 ? s->terms + 1 : 0;
    return (struct ball){ s->v, s->off + units * BALL_UNIT * s->size + BALL_LEAST };
}

#endif
