/* operand.c - one operand as it is written; whether it fits is for check.c. */
#include <string.h>

#include "models/gpu/ptx/inside.h"

static const char *const specials[] = {
#define SPECIAL(id, text) text,
    PTX_SPECIALS(SPECIAL)
#undef SPECIAL
};

/* A name that is not declared: %tid.x, %laneid, or wrong. */
static bool read_special(struct reader *r, const struct token *name, struct ptx_operand *o)
{
    char whole[64];
    bool parted = r->token.kind == T_DIRECTIVE;
    snprintf(whole, sizeof whole, "%.*s%s%.*s", SHOW(name), parted ? "." : "",
             parted ? (int)r->token.length : 0, r->token.text);
    for (uint32_t i = 0; i < PTX_SPECIALS_COUNT; i++)
        if (strcmp(whole, specials[i]) == 0) {
            o->kind   = PTX_SPECIAL;
            o->number = i;
            return parted ? lex_next(r) : true;
        }
    const char *near = whole[0] == '%' ? diag_nearest(whole, specials, PTX_SPECIALS_COUNT) : NULL;
    if (near && parted)
        return refuse(r, name, "%s is not declared; did you mean '%s'?", whole, near);
    return symbol_unknown(r, name, "a register, a variable or a number");
}

static bool read_constant(struct reader *r, struct ptx_operand *o)
{
    struct constant c;
    if (!constant_read(r, &c))
        return false;
    o->kind = PTX_IMMEDIATE;
    o->type = c.type;
    o->bits = c.bits;
    return true;
}

/* "+ 16", "- 4" or nothing. */
static bool read_offset(struct reader *r, int64_t *offset)
{
    bool minus = is_sign(r, "-");
    *offset = 0;
    if (!minus && !is_sign(r, "+"))
        return true;
    if (!lex_next(r) || !constant_whole(r, "an offset", INT32_MIN, INT32_MAX, offset))
        return false;
    if (minus)
        *offset = -*offset;
    return true;
}

/* name[3]: the address of an element. */
static bool read_index(struct reader *r, struct ptx_operand *o, const struct symbol *y)
{
    const struct ptx_variable *v = variable_of(r, y->number);
    int64_t index;
    if (!lex_next(r) || !constant_whole(r, "an index", 0, INT32_MAX / 16, &index)
        || !expect_sign(r, "]", "after an index"))
        return false;
    o->kind   = PTX_MEMORY;
    o->base   = PTX_VARIABLE;
    o->offset = index * ptx_type_bytes(v->type);
    return true;
}

/* p|q; either may be "_". */
static bool read_pair(struct reader *r, struct ptx_operand *o)
{
    struct token name = r->token;
    uint32_t index = 0;
    if (name.kind != T_NAME)
        return refuse(r, &name, "'%.*s' after '|'; expected a register or '_'", SHOW(&name));
    bool sink = is_word(&name, "_");
    const struct symbol *y = sink ? NULL : symbol_find(r, &name, &index);
    if (!sink && !y)
        return symbol_unknown(r, &name, "a register");
    if (!sink && y->kind != S_REGISTER && y->kind != S_RANGE)
        return refuse(r, &name, "%.*s is %s; expected a register", SHOW(&name),
                      symbol_kind_name(y->kind));
    o->vector[0] = (struct ptx_element){ .kind = (uint8_t)o->kind, .number = o->number };
    o->vector[1] = (struct ptx_element){ .kind = sink ? PTX_NO_OPERAND : PTX_REGISTER,
                                         .number = sink ? 0 : y->number + index };
    o->kind  = PTX_PAIR;
    o->count = 2;
    return lex_next(r);
}

/* Of `.reg .v4 .f32 v`: v.x to v.w (or .r to .a), or all of it. */
static bool read_part(struct reader *r, struct ptx_operand *o, const struct symbol *y)
{
    if (r->token.kind != T_DIRECTIVE) {
        o->kind  = PTX_VECTOR_OF;
        o->count = y->count;
        for (uint32_t n = 0; n < y->count; n++)
            o->vector[n] = (struct ptx_element){ .kind = PTX_REGISTER, .number = y->number + n };
        return true;
    }
    static const char letters[] = "xyzwrgba";
    const char *at = r->token.length == 1 ? strchr(letters, r->token.text[0]) : NULL;
    uint32_t part = at ? (uint32_t)(at - letters) % 4 : UINT32_MAX;
    if (part >= y->count)
        return refuse(r, &r->token, "'.%.*s' is no part of the vector; expected %s",
                      SHOW(&r->token), y->count == 2 ? ".x or .y" : ".x, .y, .z or .w");
    o->kind   = PTX_REGISTER;
    o->number = y->number + part;
    return lex_next(r);
}

static bool read_name(struct reader *r, struct ptx_operand *o)
{
    struct token name = r->token;
    uint32_t index;
    if (!lex_next(r))
        return false;
    if (is_word(&name, "_")) {
        o->kind = PTX_NO_OPERAND;
    } else {
        const struct symbol *y = symbol_find(r, &name, &index);
        if (!y)
            return read_special(r, &name, o);
        o->number = y->number + index;
        switch (y->kind) {
        case S_REGISTER: case S_RANGE: o->kind = PTX_REGISTER; break;
        case S_PARTS: return read_part(r, o, y);
        case S_VARIABLE:
            o->kind = PTX_VARIABLE;
            return is_sign(r, "[") ? read_index(r, o, y) : read_offset(r, &o->offset);
        case S_LABEL: case S_TARGETS: o->kind = PTX_LABEL; break;
        case S_FUNCTION: o->kind = PTX_FUNCTION; break;
        }
    }
    if (is_sign(r, "|") && (o->kind == PTX_REGISTER || o->kind == PTX_NO_OPERAND))
        return lex_next(r) && read_pair(r, o);
    return true;
}

static bool is_name(const struct reader *r)
{
    return r->token.kind == T_NAME && !is_word(&r->token, "WARP_SZ");
}

/* [reg], [reg + 4], [name + 4], [4] */
static bool read_memory(struct reader *r, struct ptx_operand *o)
{
    struct token at = r->token;
    struct ptx_operand base = { .kind = PTX_NO_OPERAND };
    if (is_name(r)) {
        if (!read_name(r, &base))
            return false;
        if (base.kind == PTX_REGISTER && !read_offset(r, &base.offset))
            return false;
    } else {
        struct constant c;
        if (!constant_read(r, &c))
            return false;
        if (c.type == PTX_F32 || c.type == PTX_F64)
            return refuse(r, &at, "%.*s is no address; expected a register, a variable or a "
                          "whole number", SHOW(&at));
        base.kind = PTX_IMMEDIATE;
        base.bits = c.bits;
    }
    if (base.kind != PTX_REGISTER && base.kind != PTX_VARIABLE && base.kind != PTX_IMMEDIATE)
        return refuse(r, &at, "%.*s is no address; expected a register, a variable or a number",
                      SHOW(&at));
    o->kind   = PTX_MEMORY;
    o->base   = base.kind;
    o->number = base.number;
    o->bits   = base.bits;
    o->offset = base.offset;
    return expect_sign(r, "]", "in an address");
}

static bool read_element(struct reader *r, struct ptx_operand *o)
{
    struct token at = r->token;
    struct ptx_operand e = { .kind = PTX_NO_OPERAND };
    if (o->count == PTX_VECTOR)
        return refuse(r, &at, "more than %d registers in braces; expected fewer", PTX_VECTOR);
    if (!(is_name(r) ? read_name(r, &e) : read_constant(r, &e)))
        return false;
    if (e.kind != PTX_REGISTER && e.kind != PTX_IMMEDIATE && e.kind != PTX_NO_OPERAND)
        return refuse(r, &at, "%.*s cannot be in braces; expected a register", SHOW(&at));
    o->vector[o->count++] = (struct ptx_element){
        .bits = e.bits, .number = e.number, .kind = (uint8_t)e.kind, .type = (uint8_t)e.type
    };
    return true;
}

static bool read_vector(struct reader *r, struct ptx_operand *o)
{
    bool more;
    o->kind = PTX_VECTOR_OF;
    do {
        if (!read_element(r, o) || !take_sign(r, ",", &more))
            return false;
    } while (more);
    return expect_sign(r, "}", "in braces");
}

/* After '!': a number or more of an expression. */
static bool is_number_next(const struct reader *r)
{
    const char *at = r->at;
    while (at < r->end && *at == ' ')
        at++;
    return at < r->end && strchr("0123456789(-~!", *at) && *at;
}

static bool read_negated(struct reader *r, struct ptx_operand *o)
{
    struct token at = r->token;
    if (is_name(r) && !read_name(r, o))
        return false;
    if (o->kind != PTX_REGISTER)
        return refuse(r, &at, "%.*s after '!'; expected a predicate", SHOW(&at));
    o->negated = true;
    return true;
}

bool read_operand(struct reader *r, struct ptx_operand *o)
{
    *o = (struct ptx_operand){ .column = r->token.column };
    const struct token *t = &r->token;
    bool begins = t->kind == T_NAME || t->kind == T_INTEGER || t->kind == T_FLOAT
               || (t->kind == T_SIGN && t->length == 1 && strchr("+-~!({[", (int)t->bits));
    if (!begins)
        return refuse(r, t, "'%.*s' is no operand; expected a register, a number, an address",
                      SHOW(t));
    if (is_sign(r, "{"))
        return lex_next(r) && read_vector(r, o);
    if (is_sign(r, "["))
        return lex_next(r) && read_memory(r, o);
    if (is_sign(r, "!") && !is_number_next(r))
        return lex_next(r) && read_negated(r, o);
    return is_name(r) ? read_name(r, o) : read_constant(r, o);
}
