/* reference.c - the arrays of the reference, and ops in their order. */
#include "traces/reference.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "traces/initial.h"
#include "traces/reference_inside.h"
#include "traces/round.h"

struct reference {
    const struct trace *trace;
    bool                stored;
    double             *a, *b;          /* a matmul's operands, as it multiplies them */
    double             *values[];       /* a tensor's each */
};

static void *zeros(uint64_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        abort();
    return p;
}

/* Room for the largest operands of all its matmuls. */
static void make_room(struct reference *r)
{
    uint64_t a = 0, b = 0;
    for (uint32_t i = 0; i < r->trace->op_count; i++)
        if (r->trace->ops[i].kind == TRACE_MATMUL) {
            struct op_matmul d = op_matmul(r->trace, &r->trace->ops[i]);
            a = d.m * d.k > a ? d.m * d.k : a;
            b = d.k * d.n > b ? d.k * d.n : b;
        }
    r->a = zeros(a, sizeof *r->a);
    r->b = zeros(b, sizeof *r->b);
}

struct reference *reference_new(const struct trace *t, enum reference_rounding rounding)
{
    struct reference *r = zeros(1, sizeof *r + t->tensor_count * sizeof *r->values);
    r->trace  = t;
    r->stored = rounding == REFERENCE_STORED;
    for (uint32_t i = 0; i < t->tensor_count; i++)
        r->values[i] = zeros(trace_elements(&t->tensors[i]), sizeof *r->values[i]);
    make_room(r);
    return r;
}

void reference_free(struct reference *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->trace->tensor_count; i++)
        free(r->values[i]);
    free(r->a);
    free(r->b);
    free(r);
}

double *reference_values(struct reference *r, uint32_t tensor)
{
    assert(tensor < r->trace->tensor_count);
    return r->values[tensor];
}

static void round_tensor(struct reference *r, uint32_t tensor)
{
    const struct trace_tensor *x = &r->trace->tensors[tensor];
    uint64_t n = trace_elements(x);
    for (uint64_t i = 0; i < n && r->stored; i++)
        r->values[tensor][i] = trace_round(r->values[tensor][i], x->type);
}

void reference_set(struct reference *r, uint32_t tensor, const double *values)
{
    uint64_t n = trace_elements(&r->trace->tensors[tensor]);
    memcpy(reference_values(r, tensor), values, n * sizeof *values);
    round_tensor(r, tensor);
}

void reference_fill(struct reference *r, uint64_t seed)
{
    struct initial *plan = initial_plan(r->trace);
    for (uint32_t i = 0; i < r->trace->tensor_count; i++)
        if (trace_role_given(r->trace->tensors[i].role)) {
            initial_values(&r->trace->tensors[i], plan[i], seed, r->values[i]);
            round_tensor(r, i);
        }
    free(plan);
}

double reference_number(const struct reference_op *x, double number)
{
    return x->stored ? trace_round(number, TRACE_F32) : number;
}

double reference_attribute(const struct reference_op *x, enum op_attribute a)
{
    return reference_number(x, x->op->attr[a]);
}

static void compute(const struct reference_op *x)
{
    switch (op_rows[x->op->kind].class) {
    case OP_MATMUL:      reference_matmul(x);      return;
    case OP_ELEMENTWISE: reference_elementwise(x); return;
    case OP_ROW:         reference_rows(x);        return;
    case OP_REDUCE:
    case OP_LOSS:        reference_sums(x);        return;
    case OP_LAYOUT:      reference_layout(x);      return;
    case OP_OPTIMIZER:   reference_update(x);      return;
    case OP_COLLECTIVE:  return;                    /* of one replica: what is there */
    case OP_CLASSES_COUNT: break;
    }
    abort();
}

void reference_op(struct reference *r, uint32_t op, uint64_t before)
{
    assert(op < r->trace->op_count);
    const struct trace_op *o = &r->trace->ops[op];
    const struct trace_tensor *first = &r->trace->tensors[o->in[0]];
    struct reference_op x = {
        .trace = r->trace, .op = o, .before = before, .stored = r->stored, .a = r->a, .b = r->b,
        .rows = trace_rows(first), .n = first->shape[first->rank - 1],
        .all = trace_elements(first),
    };
    for (uint32_t i = 0; i < o->ins; i++)
        x.in[i] = r->values[o->in[i]];
    for (uint32_t i = 0; i < o->outs; i++)
        x.out[i] = r->values[o->out[i]];
    compute(&x);
    for (uint32_t i = 0; i < o->outs; i++)
        round_tensor(r, o->out[i]);
}

void reference_step(struct reference *r, uint64_t before)
{
    for (uint32_t i = 0; i < r->trace->op_count; i++)
        reference_op(r, i, before);
}

void reference_gradients(struct reference *r)
{
    for (uint32_t i = 0; i < r->trace->op_count; i++)
        if (op_rows[r->trace->ops[i].kind].class != OP_OPTIMIZER)
            reference_op(r, i, 0);
}
