/* expand_memory.c - loads, stores, atomics, copies: an operation each, but
 *
 *     local memory    4 bytes at a time, for the words of a warp lie side by side there
 *     ld.param        from a fixed address: read like a constant, by the uniform pipe
 *     ld.const        from a fixed address: a constant
 *     wmma            a fragment is several loads or stores
 */
#include <assert.h>
#include <string.h>

#include "models/gpu/compile/expand.h"

static bool is_load(const struct ptx_instruction *i)
{
    return i->op == PTX_LD || i->op == PTX_LDU;
}

static struct ptx_element element_at(const struct ptx_operand *o, uint32_t k)
{
    if (o->kind == PTX_VECTOR_OF)
        return o->vector[k];
    return (struct ptx_element){ .bits = o->bits, .number = o->number,
                                 .kind = (uint8_t)o->kind, .type = (uint8_t)o->type,
                                 .negated = o->negated };
}

/* Registers of 64 bits that are loaded with less: the word above. */
static void fill_loaded(struct code *c, const struct ptx_instruction *i)
{
    const struct ptx_operand *d = &i->operand[0];
    bool is_signed = i->type[0] == PTX_S8 || i->type[0] == PTX_S16 || i->type[0] == PTX_S32;
    for (uint32_t k = 0; k < (d->kind == PTX_VECTOR_OF ? d->count : 1); k++) {
        struct ptx_element e = element_at(d, k);
        if (e.kind != PTX_REGISTER || ptx_type_bytes(c->body.types[e.number]) != 8
            || ptx_type_bytes(i->type[0]) == 8)
            continue;
        uint32_t first = code_word_of(c, e.number);
        if (is_signed)
            expand_sign(c, i, first + 1, first);
        else
            expand_copy(c, i, first + 1, code_constant(c, 0));
    }
}

/* From a fixed address: what lies outside is known now. */
static bool check_constant_load(struct code *c, const struct ptx_instruction *i,
                                const struct gpu_access *a)
{
    bool is_param = a->space == GPU_SPACE_PARAM;
    int64_t size = (int64_t)(is_param ? c->param_bytes : c->const_bytes);
    int64_t bytes = (int64_t)ptx_type_bytes(i->type[0]) * (i->vector ? i->vector : 1);
    if (a->address_words || (a->offset >= 0 && a->offset + bytes <= size))
        return true;
    return code_fail(c, i, "a load of %d bytes at %d of the %s, which are %lld bytes", (int)bytes,
                     (int)a->offset, is_param ? "kernel's parameters" : "module's constants",
                     (long long)size);
}

/* ld.param and ld.const: no memory operations. */
static bool put_constant_load(struct code *c, const struct ptx_instruction *i)
{
    struct gpu_op op = expand_pipe(c, GPU_PIPE_UNIFORM);
    struct list l;
    list_init(&l);
    list_operands(c, i, &l);
    if (!expand_find(c, i, &op) || !list_address(c, i, 1, &l, &op.access)
        || !check_constant_load(c, i, &op.access))
        return false;
    if (op.access.address_words)
        op.latency = (uint16_t)c->config->l1.constant_latency;
    expand_put(c, i, &op, &l);
    fill_loaded(c, i);
    return true;
}

static bool put_access(struct code *c, const struct ptx_instruction *i, enum gpu_kind kind,
                       uint32_t address, uint32_t data)
{
    struct gpu_op op = expand_pipe(c, GPU_PIPE_LSU);
    struct list l, operands;
    list_init(&l);
    op.kind = (uint8_t)kind;
    if (!expand_find(c, i, &op) || !list_address(c, i, address, &l, &op.access))
        return false;
    op.access.data_at = (uint8_t)l.srcs;
    list_init(&operands);
    list_operands(c, i, &operands);
    for (uint32_t k = 0; k < operands.dsts; k++)
        list_dst(&l, operands.dst[k]);
    for (uint32_t k = 0; k < (data ? operands.srcs : 0); k++)
        list_src(&l, operands.src[k]);
    if (kind == GPU_MATRIX)
        op.number = i->vector ? i->vector : 1;
    if (kind == GPU_ATOMIC && l.dsts && i->operand[0].kind != PTX_NO_OPERAND)
        op.flags |= GPU_OP_RETURNS;
    expand_put(c, i, &op, &l);
    if (kind == GPU_LOAD)
        fill_loaded(c, i);
    return true;
}

/* Element k of a local access as one of its own, 4 bytes or less. */
static bool put_local_piece(struct code *c, const struct ptx_instruction *i, uint32_t k,
                            uint32_t word)
{
    struct ptx_instruction piece = *i;
    uint32_t address = is_load(i) ? 1 : 0, bytes = ptx_type_bytes(i->type[0]);
    struct gpu_op op = expand_pipe(c, GPU_PIPE_LSU);
    struct list l, whole;
    if (bytes == 8)
        piece.type[0] = PTX_B32;
    piece.vector = 1;
    piece.operand[address].offset += k * (int64_t)bytes + 4 * (int64_t)word;
    piece.operand[1 - address].kind = PTX_REGISTER;
    op.kind = is_load(i) ? GPU_LOAD : GPU_STORE;
    list_init(&l);
    list_init(&whole);
    list_operands(c, i, &whole);
    uint32_t at = k * operand_words(i->type[0]) + word;
    if (!expand_find(c, &piece, &op) || !list_address(c, &piece, address, &l, &op.access))
        return false;
    op.access.data_at = (uint8_t)l.srcs;
    if (is_load(i))
        list_dst(&l, whole.dst[at]);
    else
        list_src(&l, whole.src[at]);
    expand_put(c, i, &op, &l);
    return true;
}

static bool put_local(struct code *c, const struct ptx_instruction *i)
{
    uint32_t address = is_load(i) ? 1 : 0;
    uint32_t base = i->operand[address].base == PTX_REGISTER
                  ? code_word_of(c, i->operand[address].number) : NONE;
    /* The address's register may be one that is loaded: it is needed to the end. */
    uint32_t held = NONE;
    for (uint32_t k = 0; k < (i->vector ? i->vector : 1); k++)
        for (uint32_t w = 0; w < operand_words(i->type[0]); w++) {
            if (!put_local_piece(c, i, k, w))
                return false;
            struct code_op *o = &c->ops[c->count - 1];
            if (is_load(i) && code_dsts(c, o)[0] == base)
                code_dsts(c, o)[0] = held = code_new_word(c);
        }
    if (held != NONE)
        expand_copy(c, i, base, held);
    if (is_load(i))
        fill_loaded(c, i);
    return true;
}

static bool put_async_copy(struct code *c, const struct ptx_instruction *i)
{
    struct gpu_op op = expand_pipe(c, GPU_PIPE_LSU);
    struct list l;
    struct gpu_access shared;
    if (c->config->gpu.generation == GPU_SM_70)
        return code_fail(c, i, "cp.async is not an instruction of sm_70; expected a load and a "
                         "store");
    list_init(&l);
    op.kind = GPU_COPY;
    if (!expand_find(c, i, &op) || !list_address(c, i, 1, &l, &op.access)
        || !list_address(c, i, 0, &l, &shared))
        return false;
    op.access.data_at = shared.address_at;
    gpu_copy_set_offset(&op, shared.offset);
    if (i->operands > 3)
        list_source(c, i, 3, &l);
    expand_put(c, i, &op, &l);
    return true;
}

/* Part by part; of two parts that give a half of one word each, the second keeps the first. */
static bool put_fragment(struct code *c, const struct ptx_instruction *i)
{
    bool loads = i->op == PTX_WMMA_LOAD;
    uint32_t parts = gpu_execute_wmma_parts(i);
    struct gpu_op none = { 0 };
    if (!parts)
        return expand_find(c, i, &none);
    struct list fragment;
    list_init(&fragment);
    list_operands(c, i, &fragment);     /* and the stride, if given, after a store's data */
    uint64_t given = 0;
    for (uint32_t p = 0; p < parts; p++) {
        struct gpu_op op = expand_pipe(c, GPU_PIPE_LSU);
        struct gpu_wmma_part part = gpu_execute_wmma_part(i, p, &op);
        struct list l;
        list_init(&l);
        op.kind = loads ? GPU_LOAD : GPU_STORE;
        if (!list_address(c, i, loads ? 1 : 0, &l, &op.access))
            return false;
        if (i->operands > 2)
            list_source(c, i, 2, &l);
        else
            list_src(&l, code_constant(c, 16));
        op.access.data_at = (uint8_t)l.srcs;
        bool keeps = false;
        for (uint32_t w = part.first; w < part.first + part.words; w++) {
            keeps |= loads && given >> w & 1;
            given |= UINT64_C(1) << w;
            if (loads)
                list_dst(&l, fragment.dst[w]);
            else
                list_src(&l, fragment.src[w]);
        }
        for (uint32_t w = 0; w < (keeps ? part.words : 0); w++)
            list_src(&l, l.dst[w]);
        expand_put(c, i, &op, &l)->keeps = keeps;
    }
    return true;
}

bool expand_memory(struct code *c, const struct ptx_instruction *i, bool *done)
{
    *done = true;
    switch (i->op) {
    case PTX_LD: case PTX_LDU:
        if (i->space == PTX_PARAM || i->space == PTX_CONST)
            return put_constant_load(c, i);
        return i->space == PTX_LOCAL ? put_local(c, i) : put_access(c, i, GPU_LOAD, 1, 0);
    case PTX_ST:
        if (i->space == PTX_PARAM || i->space == PTX_CONST)
            return code_fail(c, i, "st to %s; expected a space that can be written",
                             i->space == PTX_PARAM ? "parameters" : "constants");
        return i->space == PTX_LOCAL ? put_local(c, i) : put_access(c, i, GPU_STORE, 0, 1);
    case PTX_ATOM:     return put_access(c, i, GPU_ATOMIC, 1, 2);
    case PTX_RED:      return put_access(c, i, GPU_ATOMIC, 0, 1);
    case PTX_LDMATRIX:
        if (c->config->gpu.generation == GPU_SM_70)
            return code_fail(c, i, "ldmatrix is not an instruction of sm_70; expected ld.shared");
        return put_access(c, i, GPU_MATRIX, 1, 0);
    case PTX_CP_ASYNC: return put_async_copy(c, i);
    case PTX_WMMA_LOAD: case PTX_WMMA_STORE:
        return put_fragment(c, i);
    default:
        *done = false;
        return true;
    }
}
