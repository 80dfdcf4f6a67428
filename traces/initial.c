/* initial.c - initial values, and who gets which. */
#include "traces/initial.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "traces/random.h"

#define NAME(id, name, what) name,
const char *const initial_names[INITIAL_KINDS_COUNT] = { INITIALS(NAME) };

/* What its role and shape alone say. */
static struct initial by_role(const struct trace_tensor *x)
{
    if (x->type == TRACE_I32)
        return (struct initial){ INITIAL_CLASSES, .classes = UINT64_MAX };
    if (x->role == ROLE_WEIGHT)
        return (struct initial){ .kind = x->rank > 1 ? INITIAL_GLOROT : INITIAL_ZEROS };
    return (struct initial){ .kind = x->role == ROLE_STATE ? INITIAL_ZEROS : INITIAL_UNIFORM };
}

/* What an op that reads them says. */
static void by_use(const struct trace *t, const struct trace_op *op, struct initial *plan)
{
    const struct trace_tensor *first = &t->tensors[op->in[0]];
    uint64_t n = first->shape[first->rank - 1];
    struct initial *second = op->ins > 1 ? &plan[op->in[1]] : NULL;
    switch ((int)op->kind) {
    case TRACE_LAYERNORM:
    case TRACE_RMSPROP:
        second->kind = INITIAL_ONES;
        return;
    case TRACE_SOFTMAX_CROSS_ENTROPY:
    case TRACE_SOFTMAX_CROSS_ENTROPY_GRAD:
        if (second->kind == INITIAL_CLASSES)
            second->classes = n < second->classes ? n : second->classes;
        else
            second->kind = INITIAL_SHARES;
    }
}

struct initial *initial_plan(const struct trace *t)
{
    struct initial *plan = calloc(t->tensor_count ? t->tensor_count : 1, sizeof *plan);
    if (!plan)
        abort();
    for (uint32_t i = 0; i < t->tensor_count; i++)
        plan[i] = by_role(&t->tensors[i]);
    for (uint32_t i = 0; i < t->op_count; i++)
        by_use(t, &t->ops[i], plan);
    for (uint32_t i = 0; i < t->tensor_count; i++)
        if (plan[i].classes == UINT64_MAX)      /* no loss reads them */
            plan[i].classes = 1;
    return plan;
}

/* FNV-1a of the name, after the seed's first number. */
static struct random_stream stream_of(const char *name, uint64_t seed)
{
    struct random_stream s = { seed };
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (struct random_stream){ random_next(&s) ^ hash };
}

static double glorot_limit(const struct trace_tensor *x)
{
    assert(x->rank > 1);
    return sqrt(6 / ((double)x->shape[x->rank - 2] + (double)x->shape[x->rank - 1]));
}

static void make_shares(const struct trace_tensor *x, double *values)
{
    uint64_t n = x->shape[x->rank - 1];
    for (double *row = values; row < values + trace_elements(x); row += n) {
        double sum = 0;
        for (uint64_t j = 0; j < n; j++)
            sum += row[j];
        for (uint64_t j = 0; j < n; j++)
            row[j] = sum > 0 ? row[j] / sum : 1 / (double)n;
    }
}

void initial_values(const struct trace_tensor *x, struct initial how, uint64_t seed,
                    double *values)
{
    struct random_stream s = stream_of(x->name, seed);
    double limit = how.kind == INITIAL_GLOROT ? glorot_limit(x) : 0;
    uint64_t count = trace_elements(x);
    for (uint64_t i = 0; i < count; i++)
        switch (how.kind) {
        case INITIAL_ZEROS:   values[i] = 0; break;
        case INITIAL_ONES:    values[i] = 1; break;
        case INITIAL_GLOROT:  values[i] = limit * (2 * random_unit(&s) - 1); break;
        case INITIAL_SHARES:
        case INITIAL_UNIFORM: values[i] = random_unit(&s); break;
        case INITIAL_CLASSES: values[i] = (double)random_below(&s, how.classes); break;
        case INITIAL_KINDS_COUNT: abort();
        }
    if (how.kind == INITIAL_SHARES)
        make_shares(x, values);
}
