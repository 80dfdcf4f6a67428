/* expand_move.c - moves and conversions that only say a value in another way: copies. */
#include "models/gpu/compile/expand.h"
#include "models/gpu/warp.h"

static bool is_integer(enum ptx_type t)
{
    switch (t) {
    case PTX_B8: case PTX_B16: case PTX_B32: case PTX_B64: case PTX_U8: case PTX_U16:
    case PTX_U32: case PTX_U64: case PTX_S8: case PTX_S16: case PTX_S32: case PTX_S64:
        return true;
    default:
        return false;
    }
}

static bool is_signed(enum ptx_type t)
{
    return t == PTX_S8 || t == PTX_S16 || t == PTX_S32 || t == PTX_S64;
}

/* A special register: which are the same for a whole launch costs no more than a constant. */
static bool put_special(struct code *c, const struct ptx_instruction *i)
{
    uint32_t s = i->operand[1].number;
    bool by_launch = (s >= PTX_S_NTID_X && s <= PTX_S_NTID_Z)
                  || (s >= PTX_S_NCTAID_X && s <= PTX_S_NCTAID_Z) || s == PTX_S_DYNAMIC_SMEM
                  || s == PTX_S_TOTAL_SMEM || s == PTX_S_NWARPID || s == PTX_S_NSMID;
    struct gpu_op op = expand_pipe(c, GPU_PIPE_UNIFORM);
    struct list l;
    list_init(&l);
    list_operands(c, i, &l);
    if (!by_launch)
        op.latency = (uint16_t)c->config->pipes.special_latency;
    if (!expand_find(c, i, &op))
        return false;
    struct code_op *o = expand_put(c, i, &op, &l);
    o->fixed = s >= PTX_S_CLOCK && s <= PTX_S_GLOBALTIMER_HI;
    return true;
}

static void copy_words(struct code *c, const struct ptx_instruction *i, const struct list *l)
{
    /* {a, b} = {b, a}: all is read before anything is written. */
    uint32_t held[LIST_WORDS];
    for (uint32_t k = 0; k < l->dsts; k++) {
        held[k] = l->src[k];
        for (uint32_t before = 0; before < k; before++)
            if (l->dst[before] == l->src[k]) {
                held[k] = code_new_word(c);
                break;
            }
    }
    for (uint32_t k = 0; k < l->dsts; k++)
        if (held[k] != l->src[k])
            expand_copy(c, i, held[k], l->src[k]);
    for (uint32_t k = 0; k < l->dsts; k++)
        expand_copy(c, i, l->dst[k], held[k]);
}

static bool expand_mov(struct code *c, const struct ptx_instruction *i, bool *done)
{
    const struct ptx_operand *s = &i->operand[1];
    struct list l;
    if (s->kind == PTX_FUNCTION)
        return code_fail(c, i, "the address of a function; expected calls by name");
    if (s->kind == PTX_SPECIAL && s->number != PTX_S_WARP_SIZE) {
        *done = true;
        return put_special(c, i);
    }
    list_init(&l);
    list_operands(c, i, &l);
    if (l.pdsts || l.psrcs || l.dsts != l.srcs)
        return true;        /* predicates, halves of a word: an operation */
    if (s->kind == PTX_SPECIAL)
        l.src[0] = code_constant(c, GPU_LANES);
    copy_words(c, i, &l);
    *done = true;
    return true;
}

/* In an address's upper word stands which space it is of; global has all of it. */
static bool expand_cvta(struct code *c, const struct ptx_instruction *i, bool *done)
{
    bool to = i->to_space != PTX_GENERIC;
    uint8_t space = i->space == PTX_GENERIC ? i->to_space : i->space;
    uint64_t window = space == PTX_SHARED ? GPU_SHARED_WINDOW
                    : space == PTX_LOCAL ? GPU_LOCAL_WINDOW
                    : space == PTX_PARAM ? GPU_PARAM_WINDOW : GPU_CONST_WINDOW;
    struct list l;
    list_init(&l);
    list_operands(c, i, &l);
    if (l.srcs < l.dsts)
        list_src(&l, code_constant(c, 0));
    if (l.dsts == 2 && space != PTX_GLOBAL)
        l.src[1] = code_constant(c, to ? 0 : (uint32_t)(window >> 32));
    copy_words(c, i, &l);
    *done = true;
    return true;
}

/* Between integers: 32 bits of 64, 64 of 32, signed and unsigned of one width.  Above the bits
 * of a 16-bit register are zeros, unless something signed was put there. */
static bool expand_cvt(struct code *c, const struct ptx_instruction *i, bool *done)
{
    enum ptx_type to = i->type[0], from = i->type[1];
    uint32_t to_bytes = ptx_type_bytes(to), from_bytes = ptx_type_bytes(from);
    const struct ptx_operand *d = &i->operand[0], *s = &i->operand[1];
    bool plain = is_integer(to) && is_integer(from) && !PTX_HAS(i, SAT)
              && d->kind == PTX_REGISTER && s->kind == PTX_REGISTER;
    bool same = to_bytes >= 4 && from_bytes >= 4;
    bool half = to_bytes >= 4 && from_bytes == 2 && !is_signed(from)
             && plain && !c->signs_above && ptx_type_bytes(c->body.types[s->number]) == 2;
    if (!plain || !(same || half))
        return true;
    uint32_t dst = code_word_of(c, d->number), src = code_word_of(c, s->number);
    uint32_t width = ptx_type_bytes(c->body.types[d->number]);
    expand_copy(c, i, dst, src);
    if (width == 8 && from_bytes == 8 && to_bytes == 8)
        expand_copy(c, i, dst + 1, src + 1);
    else if (width == 8 && is_signed(to_bytes == 8 ? from : to))
        expand_sign(c, i, dst + 1, src);
    else if (width == 8)
        expand_copy(c, i, dst + 1, code_constant(c, 0));
    *done = true;
    return true;
}

bool expand_move(struct code *c, const struct ptx_instruction *i, bool *done)
{
    switch (i->op) {
    case PTX_MOV:  return expand_mov(c, i, done);
    case PTX_CVTA: return expand_cvta(c, i, done);
    case PTX_CVT:  return expand_cvt(c, i, done);
    default:       return true;
    }
}
