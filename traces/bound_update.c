/* bound_update.c - bounds of optimizers.
 *
 * A machine may do a formula in a slightly other form (m + (1 - beta1) (g - m)), and may store
 * what each operation gives, in the type of the state. */
#include <assert.h>

#include "traces/bound_inside.h"

#define FORMS 4                 /* operations by which two forms of a mean may differ */

/* State number `out`: kept * a + b. */
static struct ball blend(const struct bound *x, uint32_t out, struct ball kept, struct ball a,
                         struct ball b)
{
    struct ball sum = ball_add(ball_multiply(kept, a), b);
    double size = fabs(a.v) + fabs(b.v), once = BALL_UNIT * size;
    if (x->of->machine.eager)
        once += bound_stored(size, 0, x->trace->tensors[x->op->out[out]].type);
    sum.off += FORMS * once;
    return sum;
}

static struct ball square(struct ball rest, struct ball g)
{
    return ball_multiply(ball_multiply(rest, g), g);
}

static void sgd(const struct bound *x, uint64_t i)
{
    struct ball change = ball_multiply(bound_attribute(x, ATTR_LR), bound_in(x, 1, i));
    x->of->off[0][i] = ball_subtract(bound_in(x, 0, i), change).off;
}

static void momentum(const struct bound *x, uint64_t i)
{
    struct ball a = blend(x, 1, bound_attribute(x, ATTR_MOMENTUM), bound_in(x, 1, i),
                          bound_in(x, 2, i));
    struct ball change = ball_multiply(bound_attribute(x, ATTR_LR), a);
    x->of->off[0][i] = ball_subtract(bound_in(x, 0, i), change).off;
    x->of->off[1][i] = a.off;
}

static void rmsprop(const struct bound *x, uint64_t i)
{
    struct ball decay = bound_attribute(x, ATTR_DECAY), g = bound_in(x, 2, i);
    struct ball s = blend(x, 1, decay, bound_in(x, 1, i), square(bound_number(1 - decay.v), g));
    struct ball root = ball_root(ball_add(s, bound_attribute(x, ATTR_EPSILON)));
    struct ball change = ball_divide(ball_multiply(bound_attribute(x, ATTR_LR), g), root);
    x->of->off[0][i] = ball_subtract(bound_in(x, 0, i), change).off;
    x->of->off[1][i] = s.off;
}

/* lr * sqrt(1 - beta2^step) / (1 - beta1^step), to the units of a division. */
static struct ball adam_rate(const struct bound *x)
{
    uint64_t step = (uint64_t)x->op->attr[ATTR_STEP] + x->of->before;
    double left1 = 1 - functions_power(bound_attribute(x, ATTR_BETA1).v, step);
    double left2 = 1 - functions_power(bound_attribute(x, ATTR_BETA2).v, step);
    return ball_rounded(bound_attribute(x, ATTR_LR).v * sqrt(left2) / left1, 0, BALL_DIVIDE);
}

static void adam(const struct bound *x, uint64_t i)
{
    struct ball beta1 = bound_attribute(x, ATTR_BETA1), beta2 = bound_attribute(x, ATTR_BETA2);
    struct ball rest1 = bound_number(1 - beta1.v), rest2 = bound_number(1 - beta2.v);
    struct ball g = bound_in(x, 3, i);
    struct ball m = blend(x, 1, beta1, bound_in(x, 1, i), ball_multiply(rest1, g));
    struct ball v = blend(x, 2, beta2, bound_in(x, 2, i), square(rest2, g));
    struct ball root = ball_add(ball_root(v), bound_attribute(x, ATTR_EPSILON));
    struct ball change = ball_divide(ball_multiply(adam_rate(x), m), root);
    x->of->off[0][i] = ball_subtract(bound_in(x, 0, i), change).off;
    x->of->off[1][i] = m.off;
    x->of->off[2][i] = v.off;
}

void bound_update(const struct bound *x)
{
    static void (*const updates[TRACE_OPS_COUNT])(const struct bound *, uint64_t) = {
        [TRACE_SGD] = sgd, [TRACE_MOMENTUM] = momentum, [TRACE_RMSPROP] = rmsprop,
        [TRACE_ADAM] = adam,
    };
    assert(updates[x->op->kind] != NULL);
    for (uint64_t i = 0; i < x->all; i++)
        updates[x->op->kind](x, i);
}
