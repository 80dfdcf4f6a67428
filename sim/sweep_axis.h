/* sweep_axis.h - what one --over says: parameters, and the values that they take together.
 *
 *     batch=64,256,1024               a list
 *     sm.count=10..160:+10            from, to, and a step; ..160 alone is :+1
 *     mxu.rows,mxu.cols=32..512:*2    several parameters with the same values
 *     mxu.rows,mxu.cols=64/256,256/64 or each with its own
 *     arch=tpu-v3,v100                words
 *
 * Blanks around names and values mean nothing; a control character is refused.
 *
 * A range has the values first, first + step, ... (or times the step) up to the last one that does
 * not pass the end.
 */
#ifndef SIM_SWEEP_AXIS_H
#define SIM_SWEEP_AXIS_H

#include "traces/diag.h"

#define SWEEP_NAMES   8             /* parameters of an axis */
#define SWEEP_POINTS  1000000       /* values of an axis, and points of a sweep */

/* Where a text stands: a file, or an option. */
struct sweep_place {
    char     file[256];
    unsigned line, column;
};

struct sweep_word {
    char    *text;
    unsigned column;
};

struct sweep_axis {
    struct sweep_place place;
    size_t             names, count;
    struct sweep_word  name[SWEEP_NAMES];
    struct sweep_word *values;      /* [count][names] */
    size_t             room;        /* of values */
};

/* False with the reason and its place in `d`; the axis needs no free then. */
bool sweep_axis_parse(struct sweep_axis *a, const char *text, const struct sweep_place *place,
                      struct diag *d);
void sweep_axis_free(struct sweep_axis *a);

/* What name `n` is at step `i`. */
const struct sweep_word *sweep_axis_value(const struct sweep_axis *a, size_t i, size_t n);

/* Says what is wrong with a word of the axis, in its place; false. */
bool sweep_axis_refuse(const struct sweep_axis *a, const struct sweep_word *w, struct diag *d,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
