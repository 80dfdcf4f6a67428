/* reference_update.c - optimizers of the reference.  State that is stored in fewer digits is
 * rounded after the weights have been changed by it as it was worked out. */
#include <assert.h>
#include <math.h>

#include "traces/functions.h"
#include "traces/reference_inside.h"

static void sgd(const struct reference_op *x)
{
    const double *g = x->in[1];
    double *w = x->out[0], lr = reference_attribute(x, ATTR_LR);
    for (uint64_t i = 0; i < x->all; i++)
        w[i] -= lr * g[i];
}

static void momentum(const struct reference_op *x)
{
    const double *g = x->in[2];
    double *w = x->out[0], *a = x->out[1], lr = reference_attribute(x, ATTR_LR);
    double kept = reference_attribute(x, ATTR_MOMENTUM);
    for (uint64_t i = 0; i < x->all; i++) {
        a[i] = kept * a[i] + g[i];
        w[i] -= lr * a[i];
    }
}

static void rmsprop(const struct reference_op *x)
{
    const double *g = x->in[2];
    double *w = x->out[0], *s = x->out[1], lr = reference_attribute(x, ATTR_LR);
    double decay = reference_attribute(x, ATTR_DECAY), rest = reference_number(x, 1 - decay);
    double epsilon = reference_attribute(x, ATTR_EPSILON);
    for (uint64_t i = 0; i < x->all; i++) {
        s[i] = decay * s[i] + rest * g[i] * g[i];
        w[i] -= lr * g[i] / sqrt(s[i] + epsilon);
    }
}

static void adam(const struct reference_op *x)
{
    const double *g = x->in[3];
    double *w = x->out[0], *m = x->out[1], *v = x->out[2];
    double beta1 = reference_attribute(x, ATTR_BETA1), rest1 = reference_number(x, 1 - beta1);
    double beta2 = reference_attribute(x, ATTR_BETA2), rest2 = reference_number(x, 1 - beta2);
    double epsilon = reference_attribute(x, ATTR_EPSILON);
    uint64_t step = (uint64_t)x->op->attr[ATTR_STEP] + x->before;
    double left1 = 1 - functions_power(beta1, step), left2 = 1 - functions_power(beta2, step);
    double c = reference_number(x, reference_attribute(x, ATTR_LR) * sqrt(left2) / left1);
    for (uint64_t i = 0; i < x->all; i++) {
        m[i] = beta1 * m[i] + rest1 * g[i];
        v[i] = beta2 * v[i] + rest2 * g[i] * g[i];
        w[i] -= c * m[i] / (sqrt(v[i]) + epsilon);
    }
}

void reference_update(const struct reference_op *x)
{
    static void (*const updates[TRACE_OPS_COUNT])(const struct reference_op *) = {
        [TRACE_SGD] = sgd, [TRACE_MOMENTUM] = momentum, [TRACE_RMSPROP] = rmsprop,
        [TRACE_ADAM] = adam,
    };
    assert(updates[x->op->kind] != NULL);
    updates[x->op->kind](x);
}
