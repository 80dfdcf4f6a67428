/* fold.c - PTX to less PTX, as far as hardware has an operation for it.
 *
 *     narrow      64-bit arithmetic of which only the low half is looked at: addresses of
 *                 shared memory, for instance, have 32 bits
 *     multiply    mul + add is one multiply-add, shl + add one shift-and-add; the address
 *                 base + 4 * index takes one operation where PTX has two of three
 */
#include "models/gpu/compile/code.h"
#include "models/gpu/compile/operands.h"
#include "models/gpu/compile/registers.h"

struct folding {
    struct code *c;
    struct register_counts of;      /* each register */
    uint8_t  *high;                 /* its upper half is looked at */
};

static bool is_narrow_space(uint8_t space)
{
    return space == PTX_SHARED || space == PTX_LOCAL || space == PTX_CONST || space == PTX_PARAM;
}

static bool is_wide_integer(enum ptx_type t)
{
    return t == PTX_S64 || t == PTX_U64 || t == PTX_B64;
}

/* The low half of its result needs the low halves of its operands only. */
static bool keeps_halves(const struct ptx_instruction *i)
{
    if (PTX_HAS(i, CC) || PTX_HAS(i, HI) || PTX_HAS(i, SAT) || !is_wide_integer(i->type[0]))
        return false;
    switch (i->op) {
    case PTX_ADD: case PTX_SUB: case PTX_MUL: case PTX_MAD: case PTX_SHL: case PTX_AND:
    case PTX_OR: case PTX_XOR: case PTX_NOT: case PTX_NEG: case PTX_SELP:
        return true;
    case PTX_MOV:
        return i->operand[1].kind == PTX_REGISTER || i->operand[1].kind == PTX_IMMEDIATE;
    default:
        return false;
    }
}

static bool looks_at_high(const struct folding *f, const struct ptx_instruction *i, uint32_t k)
{
    const struct ptx_operand *o = &i->operand[k];
    if (o->kind == PTX_MEMORY)
        return !(i->op == PTX_CP_ASYNC ? k == 0 : is_narrow_space(i->space));
    if (i->op == PTX_CVT && is_wide_integer(i->type[1]) && ptx_type_bytes(i->type[0]) <= 4
        && !PTX_HAS(i, SAT) && operand_type(i, 0) != PTX_F32 && i->type[0] != PTX_F16)
        return false;
    if (i->op == PTX_CVTA && is_narrow_space(i->to_space))
        return false;
    if (keeps_halves(i) && i->operand[0].kind == PTX_REGISTER)
        return f->high[i->operand[0].number];
    return true;
}

static bool mark_high(struct folding *f, const struct ptx_instruction *i)
{
    bool changed = false;
    for (uint32_t k = operand_destinations(i); k < i->operands; k++) {
        const struct ptx_operand *o = &i->operand[k];
        uint32_t count = o->kind == PTX_VECTOR_OF || o->kind == PTX_PAIR ? o->count : 1;
        for (uint32_t e = 0; e < count; e++) {
            bool is_vector = o->kind == PTX_VECTOR_OF || o->kind == PTX_PAIR;
            bool is_register = is_vector ? o->vector[e].kind == PTX_REGISTER
                             : o->kind == PTX_REGISTER
                             || (o->kind == PTX_MEMORY && o->base == PTX_REGISTER);
            uint32_t number = is_vector ? o->vector[e].number : o->number;
            if (!is_register || f->high[number] || !(is_vector || looks_at_high(f, i, k)))
                continue;
            f->high[number] = 1;
            changed = true;
        }
    }
    return changed;
}

static enum ptx_type half_of(enum ptx_type t)
{
    return t == PTX_S64 ? PTX_S32 : t == PTX_U64 ? PTX_U32 : t == PTX_B64 ? PTX_B32 : t;
}

static void narrow(struct folding *f)
{
    struct body *b = &f->c->body;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t n = b->count; n-- > 0;)
            changed |= mark_high(f, &b->list[n]);
    }
    for (uint32_t n = 0; n < b->count; n++) {
        struct ptx_instruction *i = &b->list[n];
        if (i->operand[0].kind != PTX_REGISTER || f->high[i->operand[0].number])
            continue;
        bool widens = (i->op == PTX_MUL || i->op == PTX_MAD) && PTX_HAS(i, WIDE)
                   && (i->type[0] == PTX_S32 || i->type[0] == PTX_U32);
        if (widens)
            i->modifiers ^= UINT64_C(1) << PTX_M_WIDE | UINT64_C(1) << PTX_M_LO;
        else if (keeps_halves(i))
            i->type[0] = half_of(i->type[0]);
    }
}

static bool is_plain_integer(const struct ptx_instruction *i)
{
    enum ptx_type t = i->type[0];
    return !PTX_HAS(i, CC) && !PTX_HAS(i, SAT) && !PTX_HAS(i, HI)
        && (t == PTX_S32 || t == PTX_U32 || t == PTX_B32 || is_wide_integer(t));
}

static bool writes(const struct ptx_instruction *i, uint32_t number)
{
    uint32_t list[PTX_VECTOR], count = registers_written(i, list);
    for (uint32_t k = 0; k < count; k++)
        if (list[k] == number)
            return true;
    return false;
}

/* Whether between the two nothing else can come in, and no source of `from` is written. */
static bool same_sources(const struct folding *f, uint32_t from, uint32_t to,
                         const uint8_t *labelled)
{
    const struct ptx_instruction *list = f->c->body.list;
    for (uint32_t n = from + 1; n <= to; n++) {
        if (labelled[n] || list[n].op == PTX_BRA)
            return false;
        for (uint32_t k = 1; n < to && k < list[from].operands; k++)
            if (list[from].operand[k].kind == PTX_REGISTER
                && writes(&list[n], list[from].operand[k].number))
                return false;
    }
    return true;
}

/* A product, or a shift to the left by a number, that `add` could take in. */
static bool can_join(const struct folding *f, const struct ptx_instruction *product,
                     const struct ptx_instruction *add)
{
    uint32_t bytes = ptx_type_bytes(add->type[0]), own = ptx_type_bytes(product->type[0]);
    bool shares = f->of.reads[product->operand[0].number] > 1;
    if (product->guard != PTX_NO_GUARD || !is_plain_integer(product))
        return false;
    if (product->op == PTX_MUL)
        return PTX_HAS(product, WIDE) ? own * 2 == bytes : own == bytes && !shares;
    return product->op == PTX_SHL && own == bytes
        && product->operand[2].kind == PTX_IMMEDIATE && product->operand[2].bits < 8 * own;
}

static void join(const struct ptx_instruction *product, struct ptx_instruction *add, uint32_t k)
{
    struct ptx_operand other = add->operand[3 - k];
    add->op = PTX_MAD;
    add->operands = 4;
    add->operand[1] = product->operand[1];
    add->operand[2] = product->operand[2];
    add->operand[3] = other;
    add->modifiers = product->modifiers;
    add->type[0] = product->type[0];
    if (product->op == PTX_SHL) {
        add->modifiers = UINT64_C(1) << PTX_M_LO;
        add->type[0] = ptx_type_bytes(product->type[0]) == 8 ? PTX_U64 : PTX_U32;
        add->operand[2].type = PTX_U64;
        add->operand[2].bits = UINT64_C(1) << product->operand[2].bits;
    }
}

/* a * 0 + c, as hand-written address arithmetic has it. */
static void drop_zero(struct ptx_instruction *i)
{
    bool wide = PTX_HAS(i, WIDE) && (i->type[0] == PTX_U32 || i->type[0] == PTX_S32);
    bool low = PTX_HAS(i, LO) && is_plain_integer(i);
    if (i->op != PTX_MAD || !(wide || low) || PTX_HAS(i, CC)
        || i->operand[2].kind != PTX_IMMEDIATE || i->operand[2].bits)
        return;
    i->op = PTX_MOV;
    i->type[0] = wide || ptx_type_bytes(i->type[0]) == 8 ? PTX_B64 : PTX_B32;
    i->modifiers = 0;
    i->operand[1] = i->operand[3];
    i->operands = 2;
}

static void multiply(struct folding *f)
{
    struct body *b = &f->c->body;
    uint8_t *labelled = arena_get(&f->c->arena, b->count + 1, 1);
    uint32_t *at = arena_get(&f->c->arena, b->registers, sizeof *at);
    for (uint32_t k = 0; k < b->label_count; k++)
        labelled[b->labels[k]] = 1;
    for (uint32_t n = 0; n < b->count; n++) {
        struct ptx_instruction *i = &b->list[n];
        drop_zero(i);
        bool adds = i->op == PTX_ADD && is_plain_integer(i);
        for (uint32_t k = 2; adds && k > 0; k--) {
            const struct ptx_operand *o = &i->operand[k];
            if (o->kind != PTX_REGISTER || f->of.writes[o->number] != 1 || !at[o->number])
                continue;
            const struct ptx_instruction *product = &b->list[at[o->number] - 1];
            if (can_join(f, product, i) && same_sources(f, at[o->number] - 1, n, labelled)) {
                f->of.reads[o->number]--;
                join(product, i, k);
                break;
            }
        }
        if ((i->op == PTX_MUL || i->op == PTX_SHL) && i->operand[0].kind == PTX_REGISTER)
            at[i->operand[0].number] = n + 1;
    }
}

void code_fold(struct code *c)
{
    struct folding f = { .c = c, .of = registers_count(c) };
    f.high = arena_get(&c->arena, c->body.registers, 1);
    narrow(&f);
    multiply(&f);
}
