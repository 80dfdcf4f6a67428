/* operands.c - from operands of PTX to words: 64 bits are two, a vector its elements. */
#include "models/gpu/compile/operands.h"

#include <assert.h>
#include <string.h>

uint32_t operand_words(enum ptx_type type) { return (ptx_type_bytes(type) + 3) / 4; }

uint32_t code_new_word(struct code *c) { return c->registers++; }
uint32_t code_new_predicate(struct code *c) { return c->predicates++; }

/* Given when first seen: a module may declare far more registers than it uses. */
uint32_t code_word_of(struct code *c, uint32_t reg)
{
    if (c->first_word[reg] == NONE) {
        enum ptx_type type = c->body.types[reg];
        uint32_t words = operand_words(type);
        c->first_word[reg] = type == PTX_PRED ? c->predicates : c->registers;
        c->predicates += type == PTX_PRED;
        c->registers  += type == PTX_PRED ? 0 : words;
    }
    return c->first_word[reg];
}

static enum ptx_type twice(enum ptx_type t)
{
    switch (t) {
    case PTX_U16: return PTX_U32;
    case PTX_S16: return PTX_S32;
    case PTX_U32: return PTX_U64;
    case PTX_S32: return PTX_S64;
    default:      return t;
    }
}

static enum ptx_type element_of(enum ptx_type whole, uint32_t count)
{
    switch (ptx_type_bytes(whole) / count) {
    case 1:  return PTX_B8;
    case 2:  return PTX_B16;
    case 4:  return PTX_B32;
    case 8:  return PTX_B64;
    default: return whole;
    }
}

/* The type of operand k where not all have that of the instruction. */
enum ptx_type operand_type(const struct ptx_instruction *i, uint32_t k)
{
    switch (i->op) {
    case PTX_MUL: case PTX_MAD:
        return PTX_HAS(i, WIDE) && (k == 0 || k == 3) ? twice(i->type[0]) : i->type[0];
    case PTX_SHL: case PTX_SHR:
        return k == 2 ? PTX_U32 : i->type[0];
    case PTX_BFE:
        return k >= 2 ? PTX_U32 : i->type[0];
    case PTX_BFI:
        return k >= 3 ? PTX_U32 : i->type[0];
    case PTX_POPC: case PTX_CLZ: case PTX_BFIND: case PTX_MATCH:
        return k == 1 ? i->type[0] : PTX_U32;
    case PTX_CVT: case PTX_SET:
        return k == 0 ? i->type[0] : i->type[1];
    case PTX_SLCT:
        return k == 3 ? i->type[1] : i->type[0];
    case PTX_MOV:
        return i->operand[k].kind == PTX_VECTOR_OF
             ? element_of(i->type[0], i->operand[k].count) : i->type[0];
    case PTX_DP4A: case PTX_DP2A: case PTX_SHFL: case PTX_VOTE: case PTX_BAR: case PTX_MMA:
    case PTX_WMMA_MMA: case PTX_WMMA_LOAD: case PTX_WMMA_STORE: case PTX_LDMATRIX:
    case PTX_FNS: case PTX_ACTIVEMASK: case PTX_REDUX: case PTX_ELECT: case PTX_MOVMATRIX:
    case PTX_SZEXT: case PTX_BMSK: case PTX_PRMT: case PTX_LOP3: case PTX_SHF:
    case PTX_CP_ASYNC: case PTX_NANOSLEEP: case PTX_CP_WAIT:
        return PTX_B32;
    case PTX_ISSPACEP:
        return PTX_B64;
    default:
        return i->type[0];
    }
}

uint32_t operand_destinations(const struct ptx_instruction *i)
{
    switch (i->op) {
    case PTX_ST: case PTX_RED: case PTX_BAR_WARP: case PTX_MEMBAR: case PTX_FENCE: case PTX_BRA:
    case PTX_RET: case PTX_EXIT: case PTX_TRAP: case PTX_CP_ASYNC: case PTX_CP_COMMIT:
    case PTX_CP_WAIT: case PTX_CP_WAIT_ALL: case PTX_PREFETCH: case PTX_PREFETCHU:
    case PTX_WMMA_STORE: case PTX_NANOSLEEP: case PTX_PMEVENT: case PTX_DISCARD:
    case PTX_APPLYPRIORITY: case PTX_BRKPT: case PTX_GRIDDEPCONTROL:
        return 0;
    case PTX_BAR:
        return PTX_HAS(i, RED);
    default:
        return i->operands > 0;
    }
}

void list_init(struct list *l)
{
    l->dsts = l->srcs = l->pdsts = l->psrcs = 0;
    l->nots = 0;
    memset(l->pdst, 0xff, sizeof l->pdst);
    memset(l->psrc, 0xff, sizeof l->psrc);
}

void list_dst(struct list *l, uint32_t word)
{
    assert(l->dsts < LIST_WORDS);
    l->dst[l->dsts++] = word;
}

void list_src(struct list *l, uint32_t word)
{
    assert(l->srcs < LIST_WORDS);
    l->src[l->srcs++] = word;
}

static void add_predicate(struct list *l, bool is_dst, uint32_t predicate, bool negated)
{
    if (is_dst) {
        assert(l->pdsts < 2);
        l->pdst[l->pdsts++] = predicate;
    } else {
        assert(l->psrcs < 3);
        l->nots |= (uint8_t)(negated << l->psrcs);
        l->psrc[l->psrcs++] = predicate;
    }
}

/* The bits of a number of the text as a value of type `t`. */
static uint64_t immediate(enum ptx_type t, enum ptx_type written, uint64_t bits)
{
    double d;
    float f;
    if (t == PTX_F32 && written == PTX_F64) {
        memcpy(&d, &bits, sizeof d);
        f = (float)d;
        uint32_t narrow;
        memcpy(&narrow, &f, sizeof narrow);
        return narrow;
    }
    if (t == PTX_F64 && written == PTX_F32) {
        uint32_t narrow = (uint32_t)bits;
        memcpy(&f, &narrow, sizeof f);
        d = (double)f;
        memcpy(&bits, &d, sizeof bits);
    }
    unsigned bytes = ptx_type_bytes(t);
    return bytes && bytes < 4 ? bits & ((1u << 8 * bytes) - 1) : bits;
}

static void add_element(struct code *c, struct list *l, bool is_dst, enum ptx_type type,
                        const struct ptx_element *e)
{
    if (e->kind == PTX_REGISTER) {
        uint32_t first = code_word_of(c, e->number);
        if (c->body.types[e->number] == PTX_PRED) {
            add_predicate(l, is_dst, first, e->negated);
            return;
        }
        uint32_t has = operand_words(c->body.types[e->number]), wants = operand_words(type);
        for (uint32_t k = 0; k < (wants && wants < has ? wants : has); k++)
            (is_dst ? list_dst : list_src)(l, first + k);
    } else if (e->kind == PTX_IMMEDIATE || e->kind == PTX_SPECIAL) {
        uint64_t bits = e->kind == PTX_SPECIAL ? e->number
                                               : immediate(type, e->type, e->bits);
        list_src(l, code_constant(c, (uint32_t)bits));
        if (operand_words(type) == 2)
            list_src(l, code_constant(c, (uint32_t)(bits >> 32)));
    } else if (is_dst) {
        for (uint32_t k = 0; k < operand_words(type); k++)
            list_dst(l, code_new_word(c));
    }
}

static void add_operand(struct code *c, const struct ptx_instruction *i, uint32_t k,
                        bool is_dst, struct list *l)
{
    const struct ptx_operand *o = &i->operand[k];
    enum ptx_type type = operand_type(i, k);
    if (o->kind == PTX_VECTOR_OF) {
        for (uint32_t e = 0; e < o->count; e++)
            add_element(c, l, is_dst, type, &o->vector[e]);
    } else if (o->kind == PTX_PAIR) {
        for (uint32_t e = 0; e < 2; e++) {
            bool is_word = e == 0 && i->op != PTX_SETP && i->op != PTX_SET;
            if (o->vector[e].kind == PTX_NO_OPERAND && !is_word)
                add_predicate(l, is_dst, NONE, false);
            else
                add_element(c, l, is_dst, type, &o->vector[e]);
        }
    } else {
        struct ptx_element e = { .bits = o->bits, .number = o->number, .kind = (uint8_t)o->kind,
                                 .type = (uint8_t)o->type, .negated = o->negated };
        add_element(c, l, is_dst, type, &e);
    }
}

void list_source(struct code *c, const struct ptx_instruction *i, uint32_t k, struct list *l)
{
    add_operand(c, i, k, false, l);
}

void list_operands(struct code *c, const struct ptx_instruction *i, struct list *l)
{
    uint32_t destinations = operand_destinations(i);
    for (uint32_t k = 0; k < i->operands; k++)
        if (i->operand[k].kind != PTX_MEMORY && i->operand[k].kind != PTX_LABEL)
            add_operand(c, i, k, k < destinations, l);
}

/* Shared and local memory, parameters and constants are small: 32 bits say where. */
static bool is_small(uint8_t space)
{
    return space == PTX_SHARED || space == PTX_LOCAL || space == PTX_CONST
        || space == PTX_PARAM;
}

bool list_address(struct code *c, const struct ptx_instruction *i, uint32_t k, struct list *l,
                  struct gpu_access *access)
{
    const struct ptx_operand *o = &i->operand[k];
    bool is_copy = i->op == PTX_CP_ASYNC;
    bool small = is_copy ? k == 0 : is_small(i->space);
    assert(o->kind == PTX_MEMORY);
    access->address_at = (uint8_t)l->srcs;
    bool has_offset = o->base == PTX_REGISTER || small;
    if (has_offset && (o->offset > INT32_MAX || o->offset < INT32_MIN))
        return code_fail(c, i, "address: %lld is out of range; expected an offset of 32 bits",
                         (long long)o->offset);
    if (o->base == PTX_REGISTER) {
        uint32_t first = code_word_of(c, o->number);
        access->offset = (int32_t)o->offset;
        access->address_words = small ? 1 : (uint8_t)operand_words(c->body.types[o->number]);
        for (uint32_t w = 0; w < access->address_words; w++)
            list_src(l, first + w);
    } else if (small && !is_copy) {
        access->offset = (int32_t)o->offset;
        access->address_words = 0;
    } else {
        access->offset = 0;
        access->address_words = small ? 1 : 2;
        list_src(l, code_constant(c, (uint32_t)o->offset));
        if (!small)
            list_src(l, code_constant(c, (uint32_t)((uint64_t)o->offset >> 32)));
    }
    return true;
}
