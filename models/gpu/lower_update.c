/* lower_update.c - optimizers: one kernel over a tensor, or one for each elementary operation,
 * as a framework launches them when nothing is fused. */
#include <math.h>

#include "models/gpu/lower_parts.h"
#include "traces/functions.h"

static double attribute(const struct trace_op *op, enum op_attribute a)
{
    return (double)(float)op->attr[a];
}

/* After `before` steps. */
static double correction(const struct trace_op *op, uint64_t before, enum op_attribute beta)
{
    return 1 - functions_power(attribute(op, beta), (uint64_t)op->attr[ATTR_STEP] + before);
}

/* What kernels are given, whether the step decides it, and its value. */
#define NUMBERS(X) \
    X(NO_NUMBER,     false, 0) \
    X(ONE,           false, 1) \
    X(LR,            false, attribute(op, ATTR_LR)) \
    X(MINUS_LR,      false, -attribute(op, ATTR_LR)) \
    X(KEPT,          false, attribute(op, ATTR_MOMENTUM)) \
    X(DECAY,         false, attribute(op, ATTR_DECAY)) \
    X(REST_OF_DECAY, false, 1 - attribute(op, ATTR_DECAY)) \
    X(EPSILON,       false, attribute(op, ATTR_EPSILON)) \
    X(BETA1,         false, attribute(op, ATTR_BETA1)) \
    X(REST_OF_BETA1, false, 1 - attribute(op, ATTR_BETA1)) \
    X(BETA2,         false, attribute(op, ATTR_BETA2)) \
    X(REST_OF_BETA2, false, 1 - attribute(op, ATTR_BETA2)) \
    X(ADAM_LR,       true,  attribute(op, ATTR_LR) * sqrt(correction(op, before, ATTR_BETA2)) \
                            / correction(op, before, ATTR_BETA1)) \
    X(ADAM_SCALE,    true,  1 / sqrt(correction(op, before, ATTR_BETA2))) \
    X(ADAM_EPSILON,  true,  attribute(op, ATTR_EPSILON) \
                            / sqrt(correction(op, before, ATTR_BETA2))) \
    X(ADAM_STEP,     true,  -attribute(op, ATTR_LR) / correction(op, before, ATTR_BETA1))

enum number {
#define NUMBER(id, by_step, value) id,
    NUMBERS(NUMBER)
#undef NUMBER
};

static double number(const struct trace_op *op, uint64_t before, enum number which)
{
    switch (which) {
#define NUMBER(id, by_step, value) case id: return value;
    NUMBERS(NUMBER)
#undef NUMBER
    }
    return 0;
}

static struct lower_argument number_argument(const struct lower *l, enum number which)
{
    static const bool by_step[] = {
#define NUMBER(id, by_step, value) by_step,
        NUMBERS(NUMBER)
#undef NUMBER
    };
    return (struct lower_argument){
        .bytes = 4, .number = by_step[which] ? (uint8_t)which : NO_NUMBER,
        .bits = lower_float_bits(number(l->op, 0, which)),
    };
}

void gpu_plan_set_step(struct gpu_plan *p, uint64_t before)
{
    for (uint32_t i = 0; i < p->number_count; i++) {
        const struct gpu_step_number *n = &p->numbers[i];
        double value = number(n->op, before, (enum number)n->number);
        lower_put_number(p->launches[n->launch].params + n->offset, lower_float_bits(value), 4);
    }
}

static uint64_t elements_of(const struct lower *l)
{
    return trace_elements(&l->trace->tensors[l->op->in[0]]);
}

/* The operands of any optimizer: weights, up to two states, and the gradient. */
enum operand { WEIGHT, FIRST, SECOND, GRADIENT, OPERANDS, SCRATCH, NOTHING };

static void find_operands(const struct lower *l, uint32_t operands[OPERANDS])
{
    const struct trace_op *op = l->op;
    operands[WEIGHT] = op->in[0];
    operands[FIRST] = op->ins > 2 ? op->in[1] : TRACE_NONE;
    operands[SECOND] = op->ins > 3 ? op->in[2] : TRACE_NONE;
    operands[GRADIENT] = op->in[op->ins - 1];
}

static struct lower_argument address(const struct lower *l, uint32_t tensor)
{
    return ADDRESS(tensor == TRACE_NONE ? 0 : lower_address(l, tensor));
}

/* ---- in one kernel ---- */

static const enum number fused[TRACE_OPS_COUNT][4] = {
    [TRACE_SGD]      = { LR },
    [TRACE_MOMENTUM] = { LR, KEPT },
    [TRACE_RMSPROP]  = { LR, DECAY, REST_OF_DECAY, EPSILON },
    [TRACE_ADAM]     = { ADAM_LR, BETA1, BETA2, EPSILON },
};

static bool update_fused(struct lower *l)
{
    uint32_t operands[OPERANDS];
    const enum number *x = fused[l->op->kind];
    find_operands(l, operands);
    const struct gpu_simple_kernel *k =
        lower_simple(l, op_rows[l->op->kind].name, operands, OPERANDS);
    uint64_t n = elements_of(l);
    return LAUNCH(l, k->name, ((struct lower_grid){ lower_ceil(n, k->per_block), 1, 1 }),
                  k->threads, 0, address(l, operands[WEIGHT]), address(l, operands[FIRST]),
                  address(l, operands[SECOND]), address(l, operands[GRADIENT]), LONG(n),
                  number_argument(l, x[0]), number_argument(l, x[1]), number_argument(l, x[2]),
                  number_argument(l, x[3]),
                  WORD(lower_types(l, operands, OPERANDS)));
}

/* ---- in one kernel for each operation ---- */

/* What PyTorch launches for a tensor when told to fuse nothing. */
static const struct part {
    enum trace_op_kind op;
    const char  *kernel;
    enum operand y, a, b, c;
    enum number  number;
} parts[] = {
    { TRACE_SGD,      "add_scaled", WEIGHT,  WEIGHT,  GRADIENT, NOTHING,  MINUS_LR },
    { TRACE_MOMENTUM, "scale",      FIRST,   FIRST,   NOTHING,  NOTHING,  KEPT },
    { TRACE_MOMENTUM, "add_scaled", FIRST,   FIRST,   GRADIENT, NOTHING,  ONE },
    { TRACE_MOMENTUM, "add_scaled", WEIGHT,  WEIGHT,  FIRST,    NOTHING,  MINUS_LR },
    { TRACE_RMSPROP,  "scale",      FIRST,   FIRST,   NOTHING,  NOTHING,  DECAY },
    { TRACE_RMSPROP,  "addcmul",    FIRST,   FIRST,   GRADIENT, GRADIENT, REST_OF_DECAY },
    { TRACE_RMSPROP,  "add_number", SCRATCH, FIRST,   NOTHING,  NOTHING,  EPSILON },
    { TRACE_RMSPROP,  "sqrt",       SCRATCH, SCRATCH, NOTHING,  NOTHING,  NO_NUMBER },
    { TRACE_RMSPROP,  "addcdiv",    WEIGHT,  WEIGHT,  GRADIENT, SCRATCH,  MINUS_LR },
    { TRACE_ADAM,     "lerp",       FIRST,   FIRST,   GRADIENT, NOTHING,  REST_OF_BETA1 },
    { TRACE_ADAM,     "scale",      SECOND,  SECOND,  NOTHING,  NOTHING,  BETA2 },
    { TRACE_ADAM,     "addcmul",    SECOND,  SECOND,  GRADIENT, GRADIENT, REST_OF_BETA2 },
    { TRACE_ADAM,     "sqrt",       SCRATCH, SECOND,  NOTHING,  NOTHING,  NO_NUMBER },
    { TRACE_ADAM,     "scale",      SCRATCH, SCRATCH, NOTHING,  NOTHING,  ADAM_SCALE },
    { TRACE_ADAM,     "add_number", SCRATCH, SCRATCH, NOTHING,  NOTHING,  ADAM_EPSILON },
    { TRACE_ADAM,     "addcdiv",    WEIGHT,  WEIGHT,  FIRST,    SCRATCH,  ADAM_STEP },
};
#define PARTS (sizeof parts / sizeof parts[0])

/* The scratch tensor is f32. */
static bool update_part(struct lower *l, const struct part *p)
{
    const enum operand which[] = { p->y, p->a, p->b, p->c };
    struct lower_argument arguments[4];
    uint32_t operands[OPERANDS], types = 0;
    char name[64];
    find_operands(l, operands);
    for (uint32_t i = 0; i < 4; i++) {
        arguments[i] = which[i] == SCRATCH ? WORKSPACE(0)
                     : which[i] == NOTHING ? ADDRESS(0) : address(l, operands[which[i]]);
        if (which[i] < OPERANDS)
            types |= (uint32_t)lower_element(l, operands[which[i]]) << 4 * i;
    }
    snprintf(name, sizeof name, "%s_%s", p->kernel, types == 0 ? "f32" : "any");
    const struct gpu_simple_kernel *k = gpu_simple_kernel(name);
    uint64_t n = elements_of(l);
    return LAUNCH(l, k->name, ((struct lower_grid){ lower_ceil(n, k->per_block), 1, 1 }),
                  k->threads, 0, arguments[0], arguments[1], arguments[2], arguments[3],
                  LONG(n), number_argument(l, p->number), REAL(0), WORD(types));
}

static bool update_eager(struct lower *l)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i].op != l->op->kind)
            continue;
        if (parts[i].y == SCRATCH)
            lower_workspace(l, 4 * elements_of(l));
        if (!update_part(l, &parts[i]))
            return false;
    }
    return true;
}

bool lower_update(struct lower *l)
{
    for (uint32_t i = 0; i < l->op->outs; i++)
        lower_changed(l, l->op->out[i]);
    return l->config->kernels.optimizer == 0 ? update_fused(l) : update_eager(l);
}
