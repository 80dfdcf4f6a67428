/* expand_tensor.c - products of small matrices, with the figures of their kind.
 *
 * A wmma on a chip without its own operation for it is two of mma's m16n8k16, as the
 * disassembler shows for sm_80.  Eight-bit integers are multiplied at twice the rate of f16, as
 * published for sm_80 and sm_90.
 */
#include "models/gpu/compile/expand.h"

struct kind { double interval; uint32_t latency, times; };

static bool is_half(enum ptx_type t) { return t == PTX_F16 || t == PTX_BF16; }

/* The type of the multiplied matrices: mma names d, a, b, c, and so does wmma but for f16. */
static enum ptx_type multiplied(const struct ptx_instruction *i)
{
    if (i->op == PTX_WMMA_MMA && i->type[2] == PTX_NONE)
        return PTX_F16;     /* wmma.mma...dtype.ctype: of f16 only */
    return i->type[1];
}

static struct kind kind_of(const struct code *c, const struct ptx_instruction *i)
{
    const struct gpu_tensor_config *t = &c->config->tensor;
    enum ptx_type type = multiplied(i);
    if (i->op == PTX_WMMA_MMA && is_half(type) && i->k == 16) {
        if (t->wmma_f16_interval > 0 && type == PTX_F16)
            return (struct kind){ t->wmma_f16_interval, t->wmma_f16_latency, 1 };
        return (struct kind){ t->mma_k16_interval, t->mma_k16_latency, 2 };
    }
    if (i->op == PTX_WMMA_MMA && type == PTX_TF32)
        return (struct kind){ t->mma_tf32_interval, t->mma_tf32_latency, 2 };
    if (i->op != PTX_MMA || i->m != 16 || i->n != 8)
        return (struct kind){ 0 };
    bool bytes = type == PTX_S8 || type == PTX_U8;
    if (is_half(type) ? i->k == 16 : bytes && i->k == 32)
        return (struct kind){ t->mma_k16_interval, t->mma_k16_latency, 1 };
    if (is_half(type) ? i->k == 8 : bytes && i->k == 16)
        return (struct kind){ t->mma_k8_interval, t->mma_k8_latency, 1 };
    if (type == PTX_TF32 && (i->k == 8 || i->k == 4))
        return (struct kind){ t->mma_tf32_interval * i->k / 8, t->mma_tf32_latency, 1 };
    return (struct kind){ 0 };
}

bool expand_tensor(struct code *c, const struct ptx_instruction *i, bool *done)
{
    char text[160];
    *done = i->op == PTX_MMA || i->op == PTX_WMMA_MMA;
    if (!*done)
        return true;
    struct kind k = kind_of(c, i);
    if (!(k.interval > 0)) {
        ptx_print(i, text, sizeof text);
        return code_fail(c, i, "%s is not an operation of this chip's tensor cores; expected "
                         "one that its machine file has", text);
    }
    struct gpu_op op = expand_pipe(c, GPU_PIPE_TENSOR);
    struct list l;
    op.interval = (uint16_t)(k.interval * 16 + 0.5);
    op.latency = (uint16_t)k.latency;
    list_init(&l);
    list_operands(c, i, &l);
    for (uint32_t part = 1; part < k.times; part++) {
        struct list p = l;
        struct gpu_op first = op;
        first.flags = GPU_OP_PART;
        first.macs = (uint32_t)i->m * i->n * i->k / k.times;
        p.dsts = 0;
        list_dst(&p, code_new_word(c));
        expand_put(c, i, &first, &p);
    }
    op.macs = (uint32_t)i->m * i->n * i->k / k.times;
    if (!expand_find(c, i, &op))
        return false;
    expand_put(c, i, &op, &l);
    return true;
}
