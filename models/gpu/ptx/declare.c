/* declare.c - registers and variables. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

int type_of(const struct token *t)
{
    for (int i = PTX_NONE + 1; i < PTX_TYPES_COUNT; i++)
        if (t->kind == T_DIRECTIVE && is_word(t, ptx_type_names[i]))
            return i;
    return -1;
}

/* A register's name outlives the text.  There is room for all: each takes its length and one
 * more, and in the text something stands after it. */
const char *keep_name(struct reader *r, const char *name, uint32_t length)
{
    char *copy = r->name_at;
    memcpy(copy, name, length);
    copy[length] = '\0';
    r->name_at += length + 1;
    return copy;
}

uint32_t add_registers(struct reader *r, const char *name, uint32_t count, bool indexed,
                       enum ptx_type type)
{
    struct ptx_function *f = r->f;
    uint32_t first = f->register_count;
    if (first + count > r->register_room) {
        r->register_room = first + count > 2 * first ? first + count : 2 * first;
        f->registers = realloc(f->registers, r->register_room * sizeof *f->registers);
        if (!f->registers)
            abort();
    }
    for (uint32_t i = 0; i < count; i++)
        f->registers[first + i] = (struct ptx_register){ name, indexed ? i : PTX_NO_INDEX, type };
    f->register_count += count;
    r->registers += count;
    return first;
}

static bool register_type(struct reader *r, enum ptx_type *type, uint32_t *vector)
{
    *vector = 1;
    if (r->token.kind == T_DIRECTIVE && (is_word(&r->token, "v2") || is_word(&r->token, "v4"))) {
        *vector = r->token.text[1] == '2' ? 2 : 4;
        if (!lex_next(r))
            return false;
    }
    struct token t = r->token;
    int found = type_of(&t);
    bool is_packed = found == PTX_BF16 || found == PTX_BF16X2 || found == PTX_TF32;
    if (found < 0)
        return refuse(r, &t, "'%.*s' is no type of registers; expected .pred, .b32, .f32 or "
                      "another", SHOW(&t));
    if (is_packed)
        return refuse(r, &t, "registers have no type .%.*s; expected .b16 or .b32", SHOW(&t));
    *type = (enum ptx_type)found;
    return lex_next(r);
}

static bool read_register(struct reader *r, enum ptx_type type, uint32_t vector)
{
    struct token name = r->token;
    int64_t count = vector;
    bool ranged;
    if (name.kind != T_NAME)
        return refuse(r, &name, "'%.*s' is no name; expected one of a register", SHOW(&name));
    if (!lex_next(r) || !take_sign(r, "<", &ranged))
        return false;
    if (ranged && vector > 1)
        return refuse(r, &name, "many vectors of registers are not supported; expected names");
    if (ranged) {
        struct token number = r->token;
        if (number.kind != T_INTEGER || number.bits == 0)
            return refuse(r, &number, "'%.*s' is no number of registers; expected one from 1",
                          SHOW(&number));
        count = number.bits > REGISTERS ? REGISTERS + 1 : (int64_t)number.bits;
        if (!lex_next(r) || !expect_sign(r, ">", "after a number of registers"))
            return false;
    }
    if (r->registers + count > REGISTERS)
        return refuse(r, &name, "more than %u registers in a module; expected fewer", REGISTERS);
    if (!symbol_add(r, &name, ranged ? S_RANGE : vector > 1 ? S_PARTS : S_REGISTER,
                    r->f->register_count, (uint32_t)count))
        return false;
    add_registers(r, keep_name(r, name.text, name.length), (uint32_t)count,
                  ranged || vector > 1, type);
    return true;
}

/* The token is what follows .reg. */
bool read_registers(struct reader *r)
{
    enum ptx_type type = PTX_NONE;
    uint32_t vector;
    bool more;
    if (!register_type(r, &type, &vector))
        return false;
    do {
        if (!read_register(r, type, vector) || !take_sign(r, ",", &more))
            return false;
    } while (more);
    return expect_sign(r, ";", "after names of registers");
}

uint64_t variable_bytes(const struct ptx_variable *v)
{
    return v->elements * ptx_type_bytes(v->type);
}

static bool is_power(int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

static bool read_align(struct reader *r, struct ptx_variable *v)
{
    struct token at = r->token;
    int64_t value;
    if (!constant_whole(r, ".align", 1, 1 << 20, &value))
        return false;
    if (!is_power(value))
        return refuse(r, &at, ".align: %lld is no power of two; expected 1, 2, 4, 8 ...",
                      (long long)value);
    v->align = (uint32_t)value;
    return true;
}

/* .ptr .global .align 16: what a pointer points to; nothing depends on it. */
static bool skip_pointer(struct reader *r)
{
    static const char *const spaces[] = { "global", "shared", "local", "const", "generic" };
    if (!lex_next(r))
        return false;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (r->token.kind == T_DIRECTIVE && is_word(&r->token, spaces[i])) {
            if (!lex_next(r))
                return false;
            break;
        }
    struct ptx_variable pointed;
    if (r->token.kind == T_DIRECTIVE && is_word(&r->token, "align"))
        return lex_next(r) && read_align(r, &pointed);
    return true;
}

/* .attribute(.managed): memory that the host sees too. */
static bool skip_attribute(struct reader *r)
{
    if (!lex_next(r) || !expect_sign(r, "(", "after .attribute"))
        return false;
    if (r->token.kind != T_DIRECTIVE || !is_word(&r->token, "managed"))
        return refuse(r, &r->token, "attribute '%.*s' is not supported; expected .managed",
                      SHOW(&r->token));
    return lex_next(r) && expect_sign(r, ")", "after an attribute");
}

/* What stands before the name: alignment, vector, type. */
static bool read_kind(struct reader *r, struct ptx_variable *v, uint32_t *vector)
{
    *vector = 1;
    for (bool typed = false; ; ) {
        struct token t = r->token;
        int type = type_of(&t);
        bool good;
        if (t.kind != T_DIRECTIVE) {
            return typed ? true : refuse(r, &t, "'%.*s' stands where a type is expected; "
                                         "expected .b8, .f32 or another", SHOW(&t));
        } else if (is_word(&t, "align")) {
            good = lex_next(r) && read_align(r, v);
        } else if (is_word(&t, "attribute")) {
            good = skip_attribute(r);
        } else if (is_word(&t, "ptr") && typed && v->space == PTX_PARAM) {
            good = skip_pointer(r);
        } else if ((is_word(&t, "v2") || is_word(&t, "v4")) && *vector == 1 && !typed) {
            *vector = t.text[1] == '2' ? 2 : 4;
            good = lex_next(r);
        } else if (type > PTX_PRED && type != PTX_TF32 && !typed) {
            v->type = (enum ptx_type)type;
            typed = true;
            good = lex_next(r);
        } else {
            return refuse(r, &t, "'.%.*s' cannot stand before a variable's name; expected .align, "
                          "a type or a name", SHOW(&t));
        }
        if (!good)
            return false;
    }
}

/* [3][5], or [] for a size that is told elsewhere. */
static bool read_dimensions(struct reader *r, struct ptx_variable *v, bool *open)
{
    *open = false;
    for (bool first = true; is_sign(r, "["); first = false) {
        struct token at = r->token;
        bool empty;
        int64_t count;
        v->is_array = true;
        if (!lex_next(r) || !take_sign(r, "]", &empty))
            return false;
        if (empty && !first)
            return refuse(r, &at, "a size is missing; only the first of an array may be");
        *open = *open || empty;
        if (empty)
            continue;
        if (!constant_whole(r, "the size of an array", 1, VARIABLE_BYTES, &count)
            || !expect_sign(r, "]", "after the size of an array"))
            return false;
        if (__builtin_mul_overflow(v->elements, (uint64_t)count, &v->elements)
            || variable_bytes(v) > VARIABLE_BYTES)
            return refuse(r, &at, "an array of 2^31 bytes or more; expected fewer");
    }
    return true;
}

/* One after the type: its name and size. */
static bool read_name(struct reader *r, struct ptx_variable *v, uint32_t vector,
                      struct token *name, bool *open)
{
    *name = r->token;
    if (name->kind != T_NAME)
        return refuse(r, name, "'%.*s' is no name; expected one of a variable", SHOW(name));
    keep_short(v->name, sizeof v->name, name);
    v->line     = name->line;
    v->elements = vector;
    v->is_array = vector > 1;
    if (!v->align)
        v->align = vector * ptx_type_bytes(v->type);
    return lex_next(r) && read_dimensions(r, v, open);
}

bool add_variable(struct reader *r, struct ptx_variable *v, uint32_t *number)
{
    struct ptx_module *m = r->m;
    if (!count_one(r, &r->variables, VARIABLES, "variables"))
        return false;
    if (r->f) {
        r->f->variables = grow(r->f->variables, r->f->variable_count, &r->variable_room,
                               sizeof *v);
        r->f->variables[r->f->variable_count] = *v;
        *number = r->f->variable_count++;
        return true;
    }
    m->variables = grow(m->variables, m->variable_count, &r->global_room, sizeof *v);
    m->variables[m->variable_count] = *v;
    *number = PTX_MODULE_VARIABLE + m->variable_count++;
    return true;
}

/* A variable of the module may be declared .extern before it is defined. */
static bool check_size(struct reader *r, struct ptx_variable *v, const struct token *name,
                       bool open, bool is_extern)
{
    if (is_extern && v->space != PTX_SHARED)
        return refuse(r, name, "%.*s is defined in another module, which is not supported; "
                      "expected it here", SHOW(name));
    if (open && is_extern)
        v->elements = 0;
    else if (open && !v->initial && !v->addresses)
        return refuse(r, name, "%.*s has no size; expected one, or initial values", SHOW(name));
    if (v->space == PTX_CONST)
        r->const_bytes += variable_bytes(v);
    if (r->const_bytes > CONST_BYTES)
        return refuse(r, name, "more than %u bytes of .const; expected fewer", CONST_BYTES);
    return true;
}

static bool read_variable(struct reader *r, const struct ptx_variable *kind, uint32_t vector,
                          bool is_extern)
{
    struct ptx_variable v = *kind;
    struct token name;
    bool open, valued;
    uint32_t number;
    if (!read_name(r, &v, vector, &name, &open))
        return false;
    if (is_sign(r, "=") && v.space != PTX_GLOBAL && v.space != PTX_CONST)
        return refuse(r, &r->token, "%.*s cannot have initial values; only .global and .const can",
                      SHOW(&name));
    if (open && is_sign(r, "="))
        v.elements = 0;
    if (!take_sign(r, "=", &valued))
        return false;
    bool good = (!valued || read_initial(r, &v)) && check_size(r, &v, &name, open, is_extern)
             && symbol_add(r, &name, S_VARIABLE,
                           r->f ? r->f->variable_count
                                : PTX_MODULE_VARIABLE + r->m->variable_count, 0);
    if (good)
        return add_variable(r, &v, &number);
    free(v.initial);
    free(v.addresses);
    return false;
}

/* The token is what follows the space. */
bool read_variables(struct reader *r, enum ptx_space space, bool is_extern)
{
    struct ptx_variable kind = { .space = (uint8_t)space };
    uint32_t vector;
    bool more;
    if (!read_kind(r, &kind, &vector))
        return false;
    do {
        if (!read_variable(r, &kind, vector, is_extern) || !take_sign(r, ",", &more))
            return false;
    } while (more);
    return expect_sign(r, ";", "after a variable");
}

/* A parameter of a function, without `;`; its space is PTX_PARAM or PTX_REG. */
bool read_param(struct reader *r, enum ptx_space space, struct ptx_variable *v,
                struct token *name)
{
    uint32_t vector;
    bool open;
    *v = (struct ptx_variable){ .space = (uint8_t)space };
    if (!read_kind(r, v, &vector) || !read_name(r, v, vector, name, &open))
        return false;
    if (open)
        return refuse(r, name, "parameter %.*s has no size; expected one", SHOW(name));
    return true;
}
