/* lower_product.c - a product of matrices: its operands, its kernel, and if k is cut the sum. */
#include <inttypes.h>

#include "models/gpu/lower_parts.h"

#define WORD_MOST UINT32_MAX

/* What a and b are multiplied as: what the trace asks for, as far as the chip can. */
static enum trace_type multiplied_as(struct lower *l)
{
    enum trace_type type = l->op->compute;
    bool f32 = l->plan->types[l->op->in[0]] == TRACE_F32
            || l->plan->types[l->op->in[1]] == TRACE_F32;
    if (type == TRACE_F32 || (l->options.exact_f32 && f32))
        return TRACE_F32;
    if (!l->config->kernels.tensor_cores) {
        lower_note(l, "products of bf16 and f16 are done in f32 on FP32 lanes");
        return TRACE_F32;
    }
    if (type == TRACE_BF16 && l->config->gpu.generation == GPU_SM_70) {
        lower_note(l, "products of bf16 are done in f16: sm_70 has no bf16");
        return TRACE_F16;
    }
    return type;
}

/* On Hopper the rest of the peak is for wgmma, which is not modelled. */
static void note_reach(struct lower *l, enum gpu_element in)
{
    double peak = l->config->tensor.peak_f16_macs;
    double share = peak > 0 ? gpu_macs_per_cycle(l->config, in) / peak : 1;
    if (in != GPU_ELEMENT_F32 && l->config->gpu.generation == GPU_SM_90 && share < 0.99)
        lower_note(l, "wgmma not modelled: %.0f %% of tensor peak reachable", 100 * share);
}

static const char *what_is(enum trace_role role)
{
    return role == ROLE_WEIGHT ? "weights are" : "other operands are";
}

static uint64_t operand(struct lower *l, uint32_t tensor, enum trace_type type)
{
    if (l->plan->types[tensor] != type)
        lower_note(l, "%s cast from %s to %s for products, once a step",
                   what_is(l->trace->tensors[tensor].role),
                   trace_type_names[l->plan->types[tensor]], trace_type_names[type]);
    return lower_copy(l, tensor, type, l->op->phase);
}

static enum gpu_element element(enum trace_type type)
{
    return type == TRACE_F32 ? GPU_ELEMENT_F32
         : type == TRACE_F16 ? GPU_ELEMENT_F16 : GPU_ELEMENT_BF16;
}

bool lower_product_operands(struct lower *l, struct lower_product *x)
{
    struct op_matmul m = op_matmul(l->trace, l->op);
    enum trace_type type = multiplied_as(l);
    if (m.m > WORD_MOST || m.n > WORD_MOST || m.k > WORD_MOST)
        return lower_refuse(l, "multiplies %" PRIu64 " x %" PRIu64 " by %" PRIu64 " x %" PRIu64
                            "; expected less than 2^32 of each", m.m, m.k, m.k, m.n);
    x->product = (struct gpu_product){
        .m = m.m, .n = m.n, .k = m.k, .batch = m.batch, .in = element(type),
        .transpose_a = l->op->transpose_a, .transpose_b = l->op->transpose_b,
        .out = lower_element(l, x->tail.result),
    };
    note_reach(l, x->product.in);
    x->a = operand(l, l->op->in[0], type);
    x->b = x->a ? operand(l, l->op->in[1], type) : 0;
    return x->b != 0;
}

static uint32_t flags_of(const struct lower *l, const struct lower_tail *t)
{
    uint32_t flags = GPU_GEMM_C(lower_element(l, t->result))
                   | (t->relu ? GPU_GEMM_ACT(GPU_ACT_RELU) : 0);
    if (t->bias != TRACE_NONE)
        flags |= GPU_GEMM_BIAS(lower_element(l, t->bias));
    if (t->mask != TRACE_NONE)
        flags |= GPU_GEMM_MASK(lower_element(l, t->mask));
    return flags;
}

static uint64_t optional(const struct lower *l, uint32_t tensor)
{
    return tensor == TRACE_NONE ? 0 : lower_address(l, tensor);
}

/* One that is not cut stores its result; one that is stores summands in the workspace. */
static bool multiply(struct lower *l, const struct lower_product *x, const struct gpu_choice *c)
{
    const struct gpu_product *p = &x->product;
    const struct gpu_gemm_kernel *k = c->kernel;
    bool cut = c->splits > 1;
    uint64_t tiles_n = lower_ceil(p->n, k->n);
    struct lower_grid grid = { lower_ceil(p->m, k->m) << c->order,
                               lower_ceil(tiles_n, 1u << c->order), p->batch * c->splits };
    return LAUNCH(l, k->name, grid, k->threads, k->shared_bytes,
        ADDRESS(x->a), ADDRESS(x->b),
        cut ? WORKSPACE(0) : ADDRESS(lower_address(l, x->tail.result)),
        ADDRESS(cut ? 0 : optional(l, x->tail.bias)), ADDRESS(cut ? 0 : optional(l, x->tail.mask)),
        WORD(p->m), WORD(p->n), WORD(p->k),
        WORD(p->transpose_a ? p->m : p->k), WORD(p->transpose_b ? p->k : p->n), WORD(p->n),
        WORD(p->n), LONG(p->m * p->k), LONG(p->k * p->n), LONG(p->m * p->n), LONG(p->m * p->n),
        WORD(c->splits), WORD(c->split_k), WORD(c->order),
        WORD(cut ? GPU_GEMM_C(GPU_ELEMENT_F32) : flags_of(l, &x->tail)));
}

static bool sum_splits(struct lower *l, const struct lower_product *x, const struct gpu_choice *c)
{
    const struct gpu_product *p = &x->product;
    const struct gpu_simple_kernel *k = gpu_simple_kernel("split_sum");
    struct lower_grid grid = { lower_ceil(lower_ceil(p->n, 4) * p->m, k->threads), 1, p->batch };
    return LAUNCH(l, k->name, grid, k->threads, 0,
        WORKSPACE(0), ADDRESS(lower_address(l, x->tail.result)),
        ADDRESS(optional(l, x->tail.bias)), ADDRESS(optional(l, x->tail.mask)),
        WORD(p->m), WORD(p->n), WORD(p->n), WORD(p->n), LONG(p->m * p->n), LONG(p->m * p->n),
        WORD(c->splits), WORD(flags_of(l, &x->tail)));
}

static bool refuse_product(const struct lower *l)
{
    if (l->unfit.text[0])
        return lower_refuse(l, "none of its kernels fits: %s", l->unfit.text);
    return lower_refuse(l, "no kernel multiplies %s on this chip; expected a compute type that "
                        "its tensor cores have, or f32", trace_type_names[l->op->compute]);
}

bool lower_product(struct lower *l, const struct lower_product *x)
{
    struct gpu_choice choice;
    const struct gpu_chooser chooser = {
        .config = l->config, .memory_bytes_per_s = l->memory_bytes_per_s,
        .memory_ns = l->memory_ns, .port_bytes = l->port_bytes,
        .resident = lower_resident, .self = l,
    };
    if (!gpu_tile_known(l->config))
        return lower_refuse(l, "kernels.tile %.40s: no kernel of this chip has such a tile; "
                            "expected M x N x K of one, as 128x128x32", l->config->kernels.tile);
    l->unfit = (struct diag){ .text = "" };
    if (!gpu_choose(&chooser, &x->product, &choice))
        return refuse_product(l);
    struct gpu_group *g = &l->plan->groups[l->plan->group_count - 1];
    g->product = x->product;
    g->choice = choice;
    if (!multiply(l, x, &choice))
        return false;
    if (choice.splits == 1)
        return true;
    lower_workspace(l, 4 * x->product.batch * choice.splits * x->product.m * x->product.n);
    return sum_splits(l, x, &choice);
}
