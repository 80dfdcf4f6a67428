/* reference_rig.h - traces out of a few words, random values, and differences of a loss.
 *
 * In a text, @ is the shape of a random tensor, $ that without its last dimension (1 if that
 * was all), % its last dimension; M, K and N are random sizes. */
#ifndef TESTS_TRACES_REFERENCE_RIG_H
#define TESTS_TRACES_REFERENCE_RIG_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "traces/net.h"
#include "traces/random.h"
#include "traces/reference.h"
#include "traces/text.h"

/* Shapes of up to 4 dimensions of 1 to 6, the last up to 9. */
struct rig_shape { char all[64], lead[64], last[8]; };

static inline struct rig_shape rig_shape(struct random_stream *s, uint32_t rank)
{
    struct rig_shape shape;
    uint64_t size[TRACE_RANK];
    for (uint32_t i = 0; i < rank; i++)
        size[i] = 1 + random_below(s, i + 1 < rank ? 6 : 9);
    trace_shape_text(rank, size, shape.all, sizeof shape.all);
    if (rank > 1)
        trace_shape_text(rank - 1, size, shape.lead, sizeof shape.lead);
    else
        strcpy(shape.lead, "1");
    trace_shape_text(1, &size[rank - 1], shape.last, sizeof shape.last);
    return shape;
}

static inline struct trace *rig_read(const char *lines)
{
    char text[8192];
    struct diag d = { .text = "" };
    snprintf(text, sizeof text, "simaccel-trace 1\n%s", lines);
    struct trace *t = trace_read_memory(text, strlen(text), &d);
    ck_assert_msg(t != NULL, "%u: %s\n%s", d.line, d.text, text);
    return t;
}

/* The trace of a text with shapes left open. */
static inline struct trace *rig_trace(const char *lines, struct random_stream *s)
{
    char text[4096], *to = text;
    struct rig_shape shape = rig_shape(s, 1 + (uint32_t)random_below(s, 4));
    char size[3][8] = { "", "", "" };
    for (int i = 0; i < 3; i++)
        snprintf(size[i], sizeof size[i], "%u", 1 + (unsigned)random_below(s, 6));
    for (; *lines; lines++) {
        const char *put = *lines == '@' ? shape.all : *lines == '$' ? shape.lead
                        : *lines == '%' ? shape.last : *lines == 'M' ? size[0]
                        : *lines == 'K' ? size[1] : *lines == 'N' ? size[2] : NULL;
        size_t length = put ? strlen(put) : 1;
        ck_assert_uint_lt((size_t)(to - text) + length, sizeof text);
        memcpy(to, put ? put : lines, length);
        to += length;
    }
    *to = '\0';
    return rig_read(text);
}

/* Between -2 and 2, but not near 0, where relu has its kink. */
static inline double rig_value(struct random_stream *s)
{
    double v = 4 * random_unit(s) - 2;
    return fabs(v) < 1e-3 ? 0.5 : v;
}

static inline uint32_t rig_find(const struct trace *t, const char *name)
{
    uint32_t i = trace_find(t, name);
    ck_assert_msg(i != TRACE_NONE, "no tensor %s", name);
    return i;
}

static inline double *rig_values(const struct trace *t, struct reference *r, const char *name)
{
    return reference_values(r, rig_find(t, name));
}

/* Values for all that is given: probabilities where they are called p, t or s, classes below
 * 3 in i32, anything else in the others. */
static inline void rig_fill(const struct trace *t, struct reference *r, struct random_stream *s)
{
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const struct trace_tensor *x = &t->tensors[i];
        double *v = reference_values(r, i);
        for (uint64_t k = 0; k < trace_elements(x) && trace_role_given(x->role); k++)
            v[k] = x->type == TRACE_I32 ? (double)random_below(s, 3)
                 : strchr("pts", x->name[0]) ? 0.15 + 0.7 * random_unit(s) : rig_value(s);
    }
}

/* Of `loss` by an element, from what the ops up to it make of values a little beside. */
static inline double rig_slope(const struct trace *t, struct reference *r, double *element)
{
    const double h = 3e-6, kept = *element;
    uint32_t loss = rig_find(t, "loss");
    double at[2];
    for (int side = 0; side < 2; side++) {
        *element = kept + (side ? h : -h);
        for (uint32_t i = 0; i <= t->tensors[loss].writer; i++)
            reference_op(r, i, 0);
        at[side] = reference_values(r, loss)[0];
    }
    *element = kept;
    return (at[1] - at[0]) / (2 * h);
}

/* How far the gradient `dw` is from the slopes of `loss` by `count` elements of w (all, if it
 * has no more), in what differences may be off: 1 is the most. */
static inline double rig_disagreement(const struct trace *t, struct reference *r, uint32_t w,
                                      uint32_t dw, uint64_t count, struct random_stream *s)
{
    uint64_t all = trace_elements(&t->tensors[w]);
    double worst = 0;
    reference_gradients(r);
    ck_assert_uint_eq(trace_elements(&t->tensors[dw]), all);
    for (uint64_t k = 0; k < (count < all ? count : all); k++) {
        uint64_t i = count < all ? random_below(s, all) : k;
        double got = reference_values(r, dw)[i];
        double wanted = rig_slope(t, r, &reference_values(r, w)[i]);
        double off = fabs(got - wanted) / (5e-9 + 1e-6 * fabs(wanted));
        worst = off > worst ? off : worst;
    }
    return worst;
}

#endif
