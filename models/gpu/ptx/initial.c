/* initial.c - the values that variables begin with: numbers, addresses, lists of them. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

struct values {
    struct ptx_variable *v;
    uint64_t count;             /* elements so far */
    uint32_t room, address_room;
};

static bool make_room(struct reader *r, struct values *x, const struct token *at)
{
    unsigned bytes = ptx_type_bytes(x->v->type);
    if (x->v->elements && x->count >= x->v->elements)
        return refuse(r, at, "more values than the %llu of %s; expected fewer",
                      (unsigned long long)x->v->elements, x->v->name);
    uint64_t all = x->v->elements ? variable_bytes(x->v) : (x->count + 1) * bytes;
    if (r->data_bytes + all > DATA_BYTES)
        return refuse(r, at, "more than %u MiB of initial values; expected fewer",
                      DATA_BYTES >> 20);
    if (all <= x->room)
        return true;
    uint32_t room = x->v->elements ? (uint32_t)all : 2 * x->room + 64 + bytes;
    x->v->initial = realloc(x->v->initial, room);
    if (!x->v->initial)
        abort();
    memset(x->v->initial + x->room, 0, room - x->room);
    x->room = room;
    return true;
}

/* A number as the type of the variable has it. */
static bool put_number(struct reader *r, struct values *x, const struct token *at)
{
    struct constant c;
    enum ptx_type type = x->v->type;
    if (!constant_read(r, &c))
        return false;
    bool is_float = c.type == PTX_F32 || c.type == PTX_F64;
    bool wants_float = type == PTX_F32 || type == PTX_F64;
    bool is_bits = (c.type == PTX_F32 && type == PTX_B32) || (c.type == PTX_F64 && type == PTX_B64);
    if (wants_float && !is_float)
        return refuse(r, at, "%.*s is a whole number; expected a floating-point one for .%s",
                      SHOW(at), ptx_type_names[type]);
    if (!wants_float && is_float && !is_bits)
        return refuse(r, at, "%.*s is a floating-point number; expected a whole one for .%s",
                      SHOW(at), ptx_type_names[type]);
    if (!is_float && !constant_fits(&c, ptx_type_bytes(type)))
        return refuse(r, at, "%.*s is out of range; expected what fits in .%s", SHOW(at),
                      ptx_type_names[type]);
    constant_convert(&c, type);
    unsigned bytes = ptx_type_bytes(type);
    for (unsigned i = 0; i < bytes && i < 8; i++)
        x->v->initial[x->count * bytes + i] = (uint8_t)(c.bits >> 8 * i);
    return true;
}

/* name, name + 4, generic(name) + 4 */
static bool put_address(struct reader *r, struct values *x)
{
    struct token name = r->token;
    struct ptx_address a = { .at = x->count * 8 };
    uint32_t index;
    int64_t sign = 1;
    if (is_word(&name, "generic")) {
        a.generic = true;
        if (!lex_next(r) || !expect_sign(r, "(", "after generic"))
            return false;
        name = r->token;
    }
    const struct symbol *y = name.kind == T_NAME ? symbol_find(r, &name, &index) : NULL;
    if (!y)
        return symbol_unknown(r, &name, "a variable or a number");
    if (y->kind != S_VARIABLE)
        return refuse(r, &name, "the address of %s is not supported; expected a variable's",
                      symbol_kind_name(y->kind));
    if (ptx_type_bytes(x->v->type) != 8)
        return refuse(r, &name, "an address in .%s; expected .u64 or .b64",
                      ptx_type_names[x->v->type]);
    if (!lex_next(r) || (a.generic && !expect_sign(r, ")", "after a variable")))
        return false;
    if (is_sign(r, "+") || is_sign(r, "-")) {
        sign = is_sign(r, "+") ? 1 : -1;
        if (!lex_next(r) || !constant_whole(r, "an offset", INT32_MIN, INT32_MAX, &a.offset))
            return false;
    }
    a.offset *= sign;
    a.variable = y->number - PTX_MODULE_VARIABLE;
    x->v->addresses = grow(x->v->addresses, x->v->address_count, &x->address_room, sizeof a);
    x->v->addresses[x->v->address_count++] = a;
    return true;
}

static bool put_value(struct reader *r, struct values *x)
{
    struct token at = r->token;
    if (!make_room(r, x, &at))
        return false;
    bool is_address = at.kind == T_NAME && !is_word(&at, "WARP_SZ");
    if (!(is_address ? put_address(r, x) : put_number(r, x, &at)))
        return false;
    x->count++;
    return true;
}

/* { 1, 2, { 3 } }: inner braces only group. */
static bool put_list(struct reader *r, struct values *x, unsigned depth)
{
    struct token open = r->token;
    bool more, empty;
    if (depth > DEPTH)
        return refuse(r, &open, "braces nested more than %d deep; expected fewer", DEPTH);
    if (!lex_next(r) || !take_sign(r, "}", &empty) || empty)
        return !r->d->text[0];
    do {
        if (!(is_sign(r, "{") ? put_list(r, x, depth + 1) : put_value(r, x))
            || !take_sign(r, ",", &more))
            return false;
    } while (more);
    return expect_sign(r, "}", "in a list of values");
}

bool read_initial(struct reader *r, struct ptx_variable *v)
{
    struct values x = { .v = v };
    struct token at = r->token;
    bool listed = is_sign(r, "{");
    if (!listed && (v->is_array || !v->elements))
        return refuse(r, &at, "'%.*s' is no list of values; expected '{'", SHOW(&at));
    if (!(listed ? put_list(r, &x, 0) : put_value(r, &x)))
        return false;
    if (!v->elements && !x.count)
        return refuse(r, &at, "%s has no size and no values; expected either", v->name);
    if (!v->elements)
        v->elements = x.count;
    v->initial_bytes = v->initial ? variable_bytes(v) : 0;
    r->data_bytes += v->initial_bytes;
    return true;
}
