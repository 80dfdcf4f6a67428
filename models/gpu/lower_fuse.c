/* lower_fuse.c - what a product's kernel does with its sums before it stores them.
 *
 *     a x b --> + bias --> relu --> 0 where the mask is not above 0 --> stored
 *
 * An op joins if it comes next in the trace, takes what was made so far as its first operand,
 * and nobody else wants that. */
#include "models/gpu/lower_parts.h"

/* Adds what `op` does to the tail, if the kernels have a place for it. */
static bool take(struct lower_tail *tail, const struct trace_op *op)
{
    bool begun = tail->relu || tail->mask != TRACE_NONE;
    if (op->kind == TRACE_BIAS && tail->bias == TRACE_NONE && !begun)
        tail->bias = op->in[1];
    else if (op->kind == TRACE_RELU && !begun)
        tail->relu = true;
    else if (op->kind == TRACE_RELU_GRAD && tail->mask == TRACE_NONE)
        tail->mask = op->in[1];
    else
        return false;
    tail->result = op->out[0];
    tail->ops++;
    return true;
}

static bool only_for(const struct trace *t, uint32_t tensor, const struct trace_op *op)
{
    const struct trace_tensor *x = &t->tensors[tensor];
    return x->reads == 1 && x->role != ROLE_OUTPUT && op->in[0] == tensor
        && (op->ins < 2 || op->in[1] != tensor);
}

struct lower_tail gpu_lower_fuse(const struct lower *l, uint32_t product)
{
    const struct trace *t = l->trace;
    struct lower_tail tail = { .result = t->ops[product].out[0], .bias = TRACE_NONE,
                               .mask = TRACE_NONE };
    for (uint32_t i = product + 1; i < t->op_count; i++)
        if (!only_for(t, tail.result, &t->ops[i]) || !take(&tail, &t->ops[i]))
            break;
    return tail;
}
