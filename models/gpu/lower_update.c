/* lower_update.c - optimizers: one kernel over a tensor, or one for each elementary operation,
 * as a framework launches them when nothing is fused. */
#include <math.h>

#include "models/gpu/lower_parts.h"
#include "traces/functions.h"

static double attribute(const struct lower *l, enum op_attribute a)
{
    return (double)(float)l->op->attr[a];
}

static double correction(const struct lower *l, enum op_attribute beta)
{
    return 1 - functions_power(attribute(l, beta), (uint64_t)l->op->attr[ATTR_STEP]);
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

struct numbers { double lr, p, q, r; };

static struct numbers numbers_of(const struct lower *l)
{
    double lr = attribute(l, ATTR_LR), decay = attribute(l, ATTR_DECAY);
    double epsilon = attribute(l, ATTR_EPSILON);
    switch ((int)l->op->kind) {
    case TRACE_MOMENTUM: return (struct numbers){ lr, attribute(l, ATTR_MOMENTUM), 0, 0 };
    case TRACE_RMSPROP:  return (struct numbers){ lr, decay, 1 - decay, epsilon };
    case TRACE_ADAM:
        lr *= sqrt(correction(l, ATTR_BETA2)) / correction(l, ATTR_BETA1);
        return (struct numbers){ lr, attribute(l, ATTR_BETA1), attribute(l, ATTR_BETA2),
                                 epsilon };
    }
    return (struct numbers){ lr, 0, 0, 0 };
}

static bool update_fused(struct lower *l)
{
    uint32_t operands[OPERANDS];
    struct numbers x = numbers_of(l);
    find_operands(l, operands);
    const struct gpu_simple_kernel *k =
        lower_simple(l, op_rows[l->op->kind].name, operands, OPERANDS);
    uint64_t n = elements_of(l);
    return LAUNCH(l, k->name, ((struct lower_grid){ lower_ceil(n, k->per_block), 1, 1 }),
                  k->threads, 0, address(l, operands[WEIGHT]), address(l, operands[FIRST]),
                  address(l, operands[SECOND]), address(l, operands[GRADIENT]), LONG(n),
                  REAL(x.lr), REAL(x.p), REAL(x.q), REAL(x.r),
                  WORD(lower_types(l, operands, OPERANDS)));
}

/* ---- in one kernel for each operation ---- */

#define NUMBERS(X) \
    X(NO_NUMBER,     0) \
    X(ONE,           1) \
    X(MINUS_LR,      -attribute(l, ATTR_LR)) \
    X(KEPT,          attribute(l, ATTR_MOMENTUM)) \
    X(DECAY,         attribute(l, ATTR_DECAY)) \
    X(REST_OF_DECAY, 1 - attribute(l, ATTR_DECAY)) \
    X(EPSILON,       attribute(l, ATTR_EPSILON)) \
    X(REST_OF_BETA1, 1 - attribute(l, ATTR_BETA1)) \
    X(BETA2,         attribute(l, ATTR_BETA2)) \
    X(REST_OF_BETA2, 1 - attribute(l, ATTR_BETA2)) \
    X(ADAM_SCALE,    1 / sqrt(correction(l, ATTR_BETA2))) \
    X(ADAM_EPSILON,  attribute(l, ATTR_EPSILON) / sqrt(correction(l, ATTR_BETA2))) \
    X(ADAM_STEP,     -attribute(l, ATTR_LR) / correction(l, ATTR_BETA1))

enum number {
#define NUMBER(id, value) id,
    NUMBERS(NUMBER)
#undef NUMBER
};

static double number(const struct lower *l, enum number which)
{
    switch (which) {
#define NUMBER(id, value) case id: return value;
    NUMBERS(NUMBER)
#undef NUMBER
    }
    return 0;
}

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
                  LONG(n), REAL(number(l, p->number)), REAL(0), WORD(types));
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
