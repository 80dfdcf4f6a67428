/* replace.c - what is written in more ways than others need to know: plainer instructions.
 *
 *     add.u32 %r1, %tid.x, 4;       mov.u32 t, %tid.x;  add.u32 %r1, t, 4;
 *     mov.u16 %h1, %tid.x;          mov.u32 t, %tid.x;  cvt.u16.u32 %h1, t;
 *     and.pred %p1, %p2, 1;         mov.pred %p1, %p2;
 *     brx.idx %r1, list;            setp.eq.u32 p, %r1, 0;  @p bra L0;  ...  bra L2;
 *     cp.async ... 16, %p1;         selp.u32 t, 0, 16, %p1;  cp.async ... 16, t;
 */
#include <stdlib.h>

#include "models/gpu/ptx/inside.h"

/* A register that the text does not have. */
static bool new_register(struct reader *r, const char *name, enum ptx_type type, uint32_t *number)
{
    if (r->registers == REGISTERS)
        return refuse(r, &r->opcode, "more than %u registers in a module; expected fewer",
                      REGISTERS);
    *number = add_registers(r, name, 1, false, type);
    return true;
}

static struct ptx_operand register_operand(uint32_t number)
{
    return (struct ptx_operand){ .kind = PTX_REGISTER, .number = number };
}

static struct ptx_instruction plain(const struct reader *r, enum ptx_op op, enum ptx_type type,
                                    uint32_t operands)
{
    return (struct ptx_instruction){
        .op = op, .type = { type }, .vector = 1, .guard = PTX_NO_GUARD, .operands = operands,
        .line = r->i.line, .column = r->i.column, .form = first_form(op)
    };
}

/* A special register is moved to one that any instruction can read. */
static bool replace_special(struct reader *r, struct ptx_operand *o)
{
    bool wide = special_type(o->number) == PTX_U64;
    struct ptx_instruction kept = r->i;         /* `o` is in r->i */
    struct ptx_operand special = *o;
    uint32_t number = 0;
    if (!new_register(r, "special", wide ? PTX_B64 : PTX_B32, &number))
        return false;
    r->i = plain(r, PTX_MOV, wide ? PTX_U64 : PTX_U32, 2);
    r->i.operand[0] = register_operand(number);
    r->i.operand[1] = special;
    bool good = emit(r);
    r->i = kept;
    o->kind   = PTX_REGISTER;
    o->number = number;
    return good;
}

/* Where p holds cp.async reads nothing: the number of bytes of the source is 0. */
bool replace_ignored(struct reader *r)
{
    struct ptx_operand ignored = r->i.operand[3];
    uint32_t number = 0;
    if (r->i.operands != 4 || ignored.kind != PTX_REGISTER
        || r->f->registers[ignored.number].type != PTX_PRED)
        return true;
    if (!new_register(r, "ignored", PTX_B32, &number))
        return false;
    struct ptx_instruction kept = r->i;
    r->i = plain(r, PTX_SELP, PTX_U32, 4);
    r->i.operand[0] = register_operand(number);
    r->i.operand[1] = (struct ptx_operand){ .kind = PTX_IMMEDIATE, .type = PTX_S64 };
    r->i.operand[2] = kept.operand[2];
    r->i.operand[3] = ignored;
    bool good = emit(r);
    r->i = kept;
    r->i.operand[3] = register_operand(number);
    return good;
}

/* A move of the constant `value`, of operand 1, or of its opposite. */
static void make_move(struct ptx_instruction *i, enum ptx_op op, bool constant, bool value)
{
    i->op       = op;
    i->operands = 2;
    i->form     = first_form(op);
    if (constant) {
        i->operand[1].kind = PTX_IMMEDIATE;
        i->operand[1].type = PTX_S64;
        i->operand[1].bits = value;
    }
}

/* Logic of predicates with 0 and 1. */
static void replace_predicates(struct ptx_instruction *i)
{
    struct ptx_operand *a = &i->operand[1], *b = &i->operand[2];
    if (i->op == PTX_NOT) {
        if (a->kind == PTX_IMMEDIATE)
            make_move(i, PTX_MOV, true, !a->bits);
        return;
    }
    if (a->kind == PTX_IMMEDIATE) {
        struct ptx_operand first = *a;
        *a = *b;
        *b = first;
    }
    if (b->kind != PTX_IMMEDIATE)
        return;
    if (a->kind == PTX_IMMEDIATE) {
        bool value = i->op == PTX_AND ? a->bits & b->bits
                   : i->op == PTX_OR  ? a->bits | b->bits : a->bits ^ b->bits;
        make_move(i, PTX_MOV, true, value);
    } else if (i->op == PTX_XOR) {
        make_move(i, b->bits ? PTX_NOT : PTX_MOV, false, false);
    } else {
        make_move(i, PTX_MOV, b->bits == (i->op == PTX_OR), i->op == PTX_OR);
    }
}

/* A move of the low part of a special register converts what another move has fetched. */
static bool replace_part(struct ptx_instruction *i)
{
    if (i->operand[1].kind != PTX_SPECIAL)
        return false;
    enum ptx_type all = special_type(i->operand[1].number);
    if (ptx_type_bytes(all) == ptx_type_bytes(i->type[0]))
        return false;
    i->op      = PTX_CVT;
    i->type[0] = ptx_type_bytes(i->type[0]) == 2 ? PTX_U16 : PTX_U32;
    i->type[1] = all;
    i->form    = first_form(PTX_CVT);
    return true;
}

bool replace(struct reader *r)
{
    bool logic = r->i.op == PTX_AND || r->i.op == PTX_OR || r->i.op == PTX_XOR
              || r->i.op == PTX_NOT;
    if (logic && r->i.type[0] == PTX_PRED)
        replace_predicates(&r->i);
    bool simple = r->i.op == PTX_MOV && r->i.operand[0].kind == PTX_REGISTER
               && !replace_part(&r->i);
    for (uint32_t n = 0; n < r->i.operands; n++)
        if (r->i.operand[n].kind == PTX_SPECIAL && !simple
            && !replace_special(r, &r->i.operand[n]))
            return false;
    return true;
}

/* name: .branchtargets L0, L1, L2; the token is the directive. */
bool read_targets(struct reader *r, const struct token *name)
{
    uint32_t first = r->target_count;
    bool more;
    do {
        if (!lex_next(r))
            return false;
        if (r->token.kind != T_NAME)
            return refuse(r, &r->token, "'%.*s' is no label; expected one", SHOW(&r->token));
        if (!count_one(r, &r->labels, LABELS, "labels"))
            return false;
        r->targets = grow(r->targets, r->target_count, &r->target_room, sizeof *r->targets);
        r->targets[r->target_count++] = r->token;
        if (!lex_next(r))
            return false;
        more = is_sign(r, ",");
    } while (more);
    return symbol_add(r, name, S_TARGETS, first, r->target_count - first)
        && expect_sign(r, ";", "after labels");
}

/* @p bra to a label; without a guard, p is PTX_NO_GUARD. */
static bool emit_branch(struct reader *r, uint32_t guard, const struct token *label)
{
    struct ptx_instruction kept = r->i;
    r->i = plain(r, PTX_BRA, PTX_NONE, 1);
    r->i.guard = guard;
    bool good = branch_to(r, label) && emit(r);
    r->i = kept;
    return good;
}

/* p: operand 0 is `value`, and the guard of the whole holds. */
static bool emit_compare(struct reader *r, uint32_t value, uint32_t *predicate)
{
    struct ptx_instruction kept = r->i;
    bool guarded = kept.guard != PTX_NO_GUARD;
    if (!new_register(r, "brx", PTX_PRED, predicate))
        return false;
    r->i = plain(r, PTX_SETP, PTX_U32, guarded ? 4 : 3);
    r->i.compare    = PTX_EQ;
    r->i.operand[0] = register_operand(*predicate);
    r->i.operand[1] = kept.operand[0];
    r->i.operand[2] = (struct ptx_operand){ .kind = PTX_IMMEDIATE, .type = PTX_S64,
                                            .bits = value };
    if (guarded) {
        r->i.function   = PTX_F_AND;
        r->i.operand[3] = register_operand(kept.guard);
        r->i.operand[3].negated = kept.guard_negated;
    }
    r->i.form = setp_form(guarded);
    bool good = emit(r);
    r->i = kept;
    return good;
}

/* One branch after the other; PTX says nothing of an index past the list's end. */
static bool emit_jump(struct reader *r, uint32_t first, uint32_t count)
{
    bool guarded = r->i.guard != PTX_NO_GUARD;
    for (uint32_t n = 0; n < count; n++) {
        struct token label = r->targets[first + n];
        uint32_t predicate = PTX_NO_GUARD;
        bool last = n + 1 == count && !guarded;
        if ((!last && !emit_compare(r, n, &predicate)) || !emit_branch(r, predicate, &label))
            return false;
    }
    return true;
}

/* brx.idx index, list; the token is the index. */
bool read_jump(struct reader *r)
{
    struct place at = { r->token.line, r->token.column };
    uint32_t index;
    if (!read_operand(r, &r->i.operand[0]) || !check_one(r, &r->i.operand[0], &at, PTX_U32)
        || !expect_sign(r, ",", "after an index"))
        return false;
    struct token name = r->token;
    const struct symbol *y = name.kind == T_NAME ? symbol_find(r, &name, &index) : NULL;
    if (!y || y->kind != S_TARGETS)
        return refuse(r, &name, "'%.*s' is no list of labels; expected one that .branchtargets "
                      "has made", SHOW(&name));
    uint32_t first = y->number, count = y->count;
    if (r->i.operand[0].kind == PTX_SPECIAL && !replace_special(r, &r->i.operand[0]))
        return false;
    return emit_jump(r, first, count) && lex_next(r)
        && expect_sign(r, ";", "after a list of labels");
}
