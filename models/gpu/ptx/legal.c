/* legal.c - rules that the table of forms cannot say: conversions, moves, sizes. */
#include "models/gpu/ptx/inside.h"

static struct place opcode_place(const struct reader *r)
{
    return (struct place){ r->opcode.line, r->opcode.column };
}

static bool is_float(enum ptx_type t) { return t >= PTX_F16; }

/* Which rounding a conversion must have, or must not. */
static bool check_convert(struct reader *r)
{
    enum ptx_type to = r->i.type[0], from = r->i.type[1];
    struct place at = opcode_place(r);
    unsigned have = ptx_type_bytes(from), want = ptx_type_bytes(to);
    bool whole_rounding = r->i.round >= PTX_RNI;
    if (r->i.operands > 2 || to == PTX_TF32 || to == PTX_BF16 || from == PTX_BF16)
        return true;            /* the form says all */
    bool rounds = r->i.round != PTX_R_NONE;
    if (is_float(from) && !is_float(to) && !whole_rounding)
        return refuse_at(r, &at, "a floating-point number becomes a whole one; expected .rni, "
                         ".rzi, .rmi or .rpi");
    if (!is_float(from) && is_float(to) && (!rounds || whole_rounding))
        return refuse_at(r, &at, "a whole number becomes a floating-point one; expected .rn, "
                         ".rz, .rm or .rp");
    if (is_float(from) && is_float(to) && want < have && (!rounds || whole_rounding))
        return refuse_at(r, &at, "the result is narrower; expected .rn, .rz, .rm or .rp");
    if (is_float(from) && is_float(to) && want >= have && rounds
        && (want > have || !whole_rounding))
        return refuse_at(r, &at, "the result is not narrower; expected no rounding%s",
                         want == have ? " but .rni, .rzi, .rmi or .rpi" : "");
    if (!is_float(from) && !is_float(to) && rounds)
        return refuse_at(r, &at, "both are whole numbers; expected no rounding");
    if (PTX_HAS(&r->i, FTZ) && to != PTX_F32 && from != PTX_F32)
        return refuse_at(r, &at, ".ftz is for .f32; expected none");
    return true;
}

/* {a, b} on one side: each a part of the other, of the same size. */
static bool check_parts(struct reader *r, struct ptx_operand *o, const struct place *at,
                        bool written)
{
    enum ptx_type whole = r->i.type[0];
    unsigned bytes = ptx_type_bytes(whole) / (o->count ? o->count : 1);
    enum ptx_type part = bytes == 1 ? PTX_B8 : bytes == 2 ? PTX_B16 : PTX_B32;
    bool is_bits = whole == PTX_B16 || whole == PTX_B32 || whole == PTX_B64;
    if (!is_bits || (o->count != 2 && o->count != 4) || bytes == 0)
        return refuse_at(r, at, "%u parts of a .%s; expected 2 or 4 of .b32 or .b64, 2 of .b16",
                         o->count, ptx_type_names[whole]);
    for (uint32_t n = 0; n < o->count; n++) {
        struct ptx_operand one = { .kind = (enum ptx_operand_kind)o->vector[n].kind,
                                   .type = (enum ptx_type)o->vector[n].type,
                                   .number = o->vector[n].number, .bits = o->vector[n].bits };
        if (written && one.kind == PTX_NO_OPERAND)
            continue;
        if (!(written ? check_written(r, &one, at, part, false) : check_one(r, &one, at, part)))
            return false;
        o->vector[n].type = (uint8_t)one.type;
        o->vector[n].bits = one.bits;
    }
    return true;
}

static bool check_move(struct reader *r)
{
    struct ptx_operand *to = &r->i.operand[0], *from = &r->i.operand[1];
    if (to->kind == PTX_VECTOR_OF && from->kind == PTX_VECTOR_OF)
        return refuse_at(r, &r->places[1], "vectors on both sides; expected one of them");
    if (to->kind == PTX_VECTOR_OF)
        return check_parts(r, to, &r->places[0], true)
            && check_one(r, from, &r->places[1], r->i.type[0]);
    return check_parts(r, from, &r->places[1], false)
        && check_written(r, to, &r->places[0], r->i.type[0], false);
}

static bool check_vector_bytes(struct reader *r)
{
    struct place at = opcode_place(r);
    unsigned bytes = r->i.vector * ptx_type_bytes(r->i.type[0]);
    if (bytes > 16)
        return refuse_at(r, &at, "%u bytes at once; expected at most 16", bytes);
    return true;
}

static bool check_copy(struct reader *r)
{
    uint64_t bytes = r->i.operand[2].bits;
    if (bytes != 4 && bytes != 8 && bytes != 16)
        return refuse_at(r, &r->places[2], "%llu bytes; expected 4, 8 or 16",
                         (unsigned long long)bytes);
    const struct ptx_operand *some = &r->i.operand[3];
    if (r->i.operands > 3 && some->kind == PTX_IMMEDIATE && some->bits > bytes)
        return refuse_at(r, &r->places[3], "%llu bytes of %llu; expected no more than these",
                         (unsigned long long)some->bits, (unsigned long long)bytes);
    return true;
}

/* The number of threads is of whole warps. */
static bool check_barrier(struct reader *r)
{
    uint32_t n = PTX_HAS(&r->i, RED) ? 2 : 1;
    const struct ptx_operand *threads = &r->i.operand[n];
    bool given = r->i.operands > n + PTX_HAS(&r->i, RED);
    if (given && threads->kind == PTX_IMMEDIATE && (threads->bits == 0 || threads->bits % 32))
        return refuse_at(r, &r->places[n], "%llu threads; expected a multiple of 32",
                         (unsigned long long)threads->bits);
    return true;
}

static bool check_cvta(struct reader *r)
{
    struct ptx_instruction *i = &r->i;
    const struct ptx_operand *from = &i->operand[1];
    if (PTX_HAS(i, TO)) {
        i->to_space = i->space;
        i->space    = PTX_GENERIC;
    }
    if (from->kind != PTX_VARIABLE)
        return true;
    if (PTX_HAS(i, TO) || variable_of(r, from->number)->space != i->space)
        return refuse_at(r, &r->places[1], "%.60s is not in that space; expected a variable that is",
                         variable_of(r, from->number)->name);
    return true;
}

/* Up to sm_60 these had no mask: all lanes of the warp that get there. */
static bool add_mask(struct reader *r)
{
    struct place at = opcode_place(r);
    if (PTX_HAS(&r->i, SYNC))
        return true;
    if (r->m->target >= 70)
        return refuse_at(r, &at, "without .sync it ends with sm_60, and the module is for sm_%u; "
                         "expected .sync and a mask", r->m->target);
    r->i.operand[r->i.operands++] = (struct ptx_operand){
        .kind = PTX_IMMEDIATE, .type = PTX_S64, .bits = UINT32_MAX, .column = r->i.column
    };
    r->i.modifiers |= UINT64_C(1) << PTX_M_SYNC;
    r->i.form--;                /* in the table it stands after the one with .sync */
    return true;
}

/* Operands of all but moves of vectors, then what is special to an opcode. */
bool check_legal(struct reader *r)
{
    bool parts = r->i.op == PTX_MOV && r->i.operands == 2
              && (r->i.operand[0].kind == PTX_VECTOR_OF || r->i.operand[1].kind == PTX_VECTOR_OF);
    if (parts)
        return check_move(r);
    if (r->i.op == PTX_CP_ASYNC && !replace_ignored(r))
        return false;
    if (!check_operands(r))
        return false;
    switch (r->i.op) {
    case PTX_CVT:  return check_convert(r);
    case PTX_LD: case PTX_LDU: case PTX_ST: return check_vector_bytes(r);
    case PTX_CP_ASYNC: return check_copy(r);
    case PTX_BAR:      return check_barrier(r);
    case PTX_CVTA:     return check_cvta(r);
    case PTX_SHFL: case PTX_VOTE: return add_mask(r);
    default:           return true;
    }
}
