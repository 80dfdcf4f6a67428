/* check.c - the operands against those of the form: number, kind, type, range. */
#include <stdarg.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

bool refuse_at(struct reader *r, const struct place *at, const char *format, ...)
{
    char text[sizeof r->d->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return diag_set(r->d, at->line, at->column, "%s: %s", r->written, text);
}

enum family { FAMILY_PRED, FAMILY_BITS, FAMILY_WHOLE, FAMILY_FLOAT };

static enum family family_of(enum ptx_type t)
{
    switch (t) {
    case PTX_PRED: case PTX_NONE: return FAMILY_PRED;
    case PTX_B8: case PTX_B16: case PTX_B32: case PTX_B64: case PTX_B128: return FAMILY_BITS;
    case PTX_U8: case PTX_U16: case PTX_U32: case PTX_U64:
    case PTX_S8: case PTX_S16: case PTX_S32: case PTX_S64: return FAMILY_WHOLE;
    default: return FAMILY_FLOAT;
    }
}

/* Whether a register may stand for an operand of a type: bits go with everything of their
 * size, whole numbers with whole numbers, floating-point ones with the same type. */
static bool type_fits(enum ptx_type reg, enum ptx_type wanted, bool wider)
{
    enum family have = family_of(reg), want = family_of(wanted);
    unsigned bytes = ptx_type_bytes(reg), least = ptx_type_bytes(wanted);
    if (have == FAMILY_PRED || want == FAMILY_PRED)
        return have == want;
    if (bytes != least && !(wider && bytes > least))
        return false;
    if (have == FAMILY_BITS || want == FAMILY_BITS)
        return true;
    if (have == FAMILY_FLOAT && want == FAMILY_FLOAT)
        return reg == wanted;
    return have == want;
}

static enum ptx_type register_type(const struct reader *r, uint32_t number)
{
    return r->f->registers[number].type;
}

/* The bits of the type that an instruction wants, not of the one that was written. */
static bool check_number(struct reader *r, enum ptx_type *type, uint64_t *bits,
                         const struct place *at, enum ptx_type wanted)
{
    struct constant c = { *type, *bits };
    bool is_float = c.type == PTX_F32 || c.type == PTX_F64;
    enum family want = family_of(wanted);
    unsigned bytes = ptx_type_bytes(wanted);
    if (want == FAMILY_FLOAT && wanted != PTX_F32 && wanted != PTX_F64)
        return refuse_at(r, at, "a number stands for a .%s; expected a register",
                         ptx_type_names[wanted]);
    if (want == FAMILY_FLOAT && !is_float)
        return refuse_at(r, at, "a whole number stands for a .%s; expected a floating-point one",
                         ptx_type_names[wanted]);
    if (is_float && (want == FAMILY_WHOLE || want == FAMILY_PRED
                     || (want == FAMILY_BITS && ptx_type_bytes(c.type) != bytes)))
        return refuse_at(r, at, "a floating-point number stands for a .%s; expected a whole one",
                         ptx_type_names[wanted]);
    if (want == FAMILY_PRED && (int64_t)c.bits != 0 && c.bits != 1 && c.bits != UINT64_MAX)
        return refuse_at(r, at, "a predicate is 0 or 1 (or -1); expected one of these");
    if (!is_float && want != FAMILY_PRED && !constant_fits(&c, bytes))
        return refuse_at(r, at, "%lld is out of range; expected what fits in .%s",
                         (long long)c.bits, ptx_type_names[wanted]);
    constant_convert(&c, wanted);
    *type = c.type;
    *bits = want == FAMILY_PRED ? c.bits & 1 : c.bits;
    return true;
}

static bool check_register(struct reader *r, uint32_t number, const struct place *at,
                           enum ptx_type wanted, bool wider)
{
    char name[PTX_NAME + 16];
    enum ptx_type have = register_type(r, number);
    if (type_fits(have, wanted, wider))
        return true;
    ptx_register_name(&r->f->registers[number], name, sizeof name);
    return refuse_at(r, at, "%.60s is a .%s register; expected a .%s%s", name,
                     ptx_type_names[have], ptx_type_names[wanted], wider ? " or wider" : "");
}

/* What one token of a form's operands asks for. */
struct wish {
    char kind;
    bool optional, wider, has_range;
    uint32_t count;             /* of a vector; 0: as the instruction says */
    enum ptx_type type;
    int64_t least, most;
};

static enum ptx_type twice(enum ptx_type t)
{
    switch (t) {
    case PTX_U16: return PTX_U32;
    case PTX_S16: return PTX_S32;
    case PTX_U32: return PTX_U64;
    default:      return PTX_S64;
    }
}

static enum ptx_type named_type(const char **at)
{
    size_t length = strcspn(*at, " /");
    struct token t = { .kind = T_DIRECTIVE, .text = *at, .length = (uint32_t)length };
    *at += length;
    return (enum ptx_type)type_of(&t);
}

static int64_t digits(const char **at)
{
    int64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        value = 10 * value + (**at - '0');
    return value;
}

static bool next_wish(const struct ptx_instruction *i, const char **at, struct wish *w)
{
    while (**at == ' ')
        ++*at;
    if (!**at)
        return false;
    *w = (struct wish){ .optional = **at == '?' };
    *at += w->optional;
    w->kind = *(*at)++;
    if (w->kind == 'v' || w->kind == 'V') {
        w->count = **at == 'x' ? 0 : (uint32_t)(**at - '0');
        ++*at;
    }
    if (**at == '~')
        w->wider = *(*at)++;
    if (**at >= '0' && **at <= '3')
        w->type = i->type[*(*at)++ - '0'];
    else if (**at == 'w' && ++*at)
        w->type = twice(i->type[0]);
    else if (**at == ':' && ++*at)
        w->type = named_type(at);
    if (**at == '/') {
        ++*at;
        w->has_range = true;
        w->least = digits(at);
        ++*at;
        w->most = digits(at);
    }
    return true;
}

static bool check_range(struct reader *r, const struct ptx_operand *o, const struct place *at,
                        const struct wish *w)
{
    int64_t value = (int64_t)o->bits;
    if (o->kind != PTX_IMMEDIATE || !w->has_range || (value >= w->least && value <= w->most))
        return true;
    if (w->least == w->most)
        return refuse_at(r, at, "%lld is out of range; expected %lld", (long long)value,
                         (long long)w->least);
    return refuse_at(r, at, "%lld is out of range; expected %lld to %lld", (long long)value,
                     (long long)w->least, (long long)w->most);
}

static const char *kind_name(const struct ptx_operand *o)
{
    static const char *const names[] = {
        [PTX_NO_OPERAND] = "'_'", [PTX_REGISTER] = "a register", [PTX_IMMEDIATE] = "a number",
        [PTX_SPECIAL] = "a special register", [PTX_VARIABLE] = "a variable",
        [PTX_MEMORY] = "an address in brackets", [PTX_VECTOR_OF] = "a vector in braces",
        [PTX_LABEL] = "a label", [PTX_FUNCTION] = "a function", [PTX_PAIR] = "a pair"
    };
    return o->negated ? "a negated register" : names[o->kind];
}

static bool refuse_kind(struct reader *r, const struct ptx_operand *o, const struct place *at,
                        const char *expected)
{
    return refuse_at(r, at, "%s stands where it cannot; expected %s", kind_name(o), expected);
}

enum ptx_type special_type(uint32_t number)
{
    bool wide = number == PTX_S_CLOCK64 || number == PTX_S_GLOBALTIMER || number == PTX_S_GRIDID
             || number == PTX_S_GRAPH_EXEC;
    return wide ? PTX_U64 : PTX_U32;
}

/* Of %gridid and the registers that once had 16 bits a part may be read: see replace.c. */
static bool check_special(struct reader *r, uint32_t number, const struct place *at,
                          enum ptx_type wanted, bool wider)
{
    enum ptx_type have = special_type(number);
    bool part = r->i.op == PTX_MOV && (number == PTX_S_GRIDID || number <= PTX_S_NCTAID_Z);
    if (type_fits(have, wanted, wider || part))
        return true;
    return refuse_at(r, at, "the special register has .%s; expected a type of that size",
                     ptx_type_names[have]);
}

static bool check_source(struct reader *r, struct ptx_operand *o, const struct place *at,
                         const struct wish *w)
{
    enum family want = family_of(w->type);
    bool is_address = (want == FAMILY_BITS || want == FAMILY_WHOLE)
                   && ptx_type_bytes(w->type) >= 4;
    switch (o->kind) {
    case PTX_REGISTER:
        if (o->negated)
            break;
        return check_register(r, o->number, at, w->type, w->wider);
    case PTX_IMMEDIATE:
        return check_number(r, &o->type, &o->bits, at, w->type) && check_range(r, o, at, w);
    case PTX_SPECIAL:
        return check_special(r, o->number, at, w->type, w->wider);
    case PTX_VARIABLE:
        if ((r->i.op != PTX_MOV && r->i.op != PTX_CVTA) || !is_address)
            return refuse_kind(r, o, at, "a register or a number; mov.u64 and cvta take "
                               "a variable's address");
        return true;
    case PTX_FUNCTION:
        return refuse_use(r, &(struct token){ .line = at->line, .column = at->column },
                          "a function's address is not supported; expected a register");
    default:
        break;
    }
    return refuse_kind(r, o, at, "a register or a number");
}

bool check_one(struct reader *r, struct ptx_operand *o, const struct place *at,
               enum ptx_type type)
{
    struct wish w = { .kind = 'a', .type = type };
    return check_source(r, o, at, &w);
}

bool check_written(struct reader *r, const struct ptx_operand *o, const struct place *at,
                   enum ptx_type type, bool wider)
{
    if (o->kind == PTX_NO_OPERAND && r->i.op == PTX_ATOM)
        return true;
    if (o->kind != PTX_REGISTER || o->negated)
        return refuse_kind(r, o, at, "a register to write");
    return check_register(r, o->number, at, type, wider);
}

static bool check_element(struct reader *r, struct ptx_element *e, const struct place *at,
                          const struct wish *w)
{
    bool written = w->kind == 'V';
    if (e->kind == PTX_REGISTER)
        return check_register(r, e->number, at, w->type, w->wider);
    if (e->kind == PTX_NO_OPERAND && written && r->i.op == PTX_LD)
        return true;
    if (e->kind == PTX_IMMEDIATE && !written && r->i.op == PTX_ST) {
        enum ptx_type type = (enum ptx_type)e->type;
        bool good = check_number(r, &type, &e->bits, at, w->type);
        e->type = (uint8_t)type;
        return good;
    }
    return refuse_at(r, at, "%s in braces; expected a register",
                     e->kind == PTX_IMMEDIATE ? "a number" : "'_'");
}

/* Registers in braces; one may stand alone. */
static bool check_vector(struct reader *r, struct ptx_operand *o, const struct place *at,
                         const struct wish *w)
{
    uint32_t count = w->count ? w->count : r->i.vector;
    if (count == 1 && o->kind != PTX_VECTOR_OF) {
        struct wish one = *w;
        one.kind = w->kind == 'V' ? 'd' : 'a';
        return w->kind == 'V' ? check_written(r, o, at, w->type, w->wider)
                              : check_source(r, o, at, &one);
    }
    if (o->kind != PTX_VECTOR_OF)
        return refuse_kind(r, o, at, "a vector in braces");
    if (o->count != count)
        return refuse_at(r, at, "%u registers in braces; expected %u", o->count, count);
    for (uint32_t n = 0; n < o->count; n++)
        if (!check_element(r, &o->vector[n], at, w))
            return false;
    return true;
}

/* First of a type, second a predicate; either may be "_". */
static bool check_pair(struct reader *r, const struct ptx_operand *o, const struct place *at,
                       enum ptx_type first)
{
    for (unsigned n = 0; n < 2; n++)
        if (o->vector[n].kind == PTX_REGISTER
            && !check_register(r, o->vector[n].number, at, n ? PTX_PRED : first, false))
            return false;
    return true;
}

static bool check_predicate(struct reader *r, const struct ptx_operand *o,
                            const struct place *at, bool may_negate)
{
    if (o->kind != PTX_REGISTER || (o->negated && !may_negate))
        return refuse_kind(r, o, at, may_negate ? "a predicate, or one with '!'" : "a predicate");
    return check_register(r, o->number, at, PTX_PRED, false);
}

/* [address]: the register's size, the variable's space. */
static bool check_memory(struct reader *r, const struct ptx_operand *o, const struct place *at,
                         enum ptx_space space)
{
    static const char *const names[] = { "", "global", "shared", "local", "const",
                                         "param" };
    if (o->kind != PTX_MEMORY)
        return refuse_kind(r, o, at, "an address in brackets");
    if (o->base == PTX_REGISTER) {
        enum ptx_type have = register_type(r, o->number);
        if (type_fits(have, PTX_U64, false) || type_fits(have, PTX_U32, false))
            return true;
        return refuse_at(r, at, "a .%s register is no address; expected .b64 or .b32",
                         ptx_type_names[have]);
    }
    if (o->base != PTX_VARIABLE)
        return true;
    const struct ptx_variable *v = variable_of(r, o->number);
    bool fits = v->space == space || (space == PTX_GENERIC && v->space == PTX_GLOBAL);
    if (!fits && space == PTX_GENERIC)
        return refuse_at(r, at, "%.60s is in .%s; expected that space in the instruction", v->name,
                         names[v->space]);
    if (!fits)
        return refuse_at(r, at, "%.60s is in .%s, not in .%s; expected a variable of that space",
                         v->name, names[v->space], names[space]);
    bool param = o->number >= PARAM_NUMBER && o->number < RETURN_NUMBER;
    if (param && r->i.op == PTX_ST)
        return refuse_at(r, at, "parameter %.60s is only read; expected one of a call", v->name);
    return true;
}

static bool check_wish(struct reader *r, struct ptx_operand *o, const struct place *at,
                       const struct wish *w)
{
    switch (w->kind) {
    case 'd': return check_written(r, o, at, w->type, w->wider);
    case 'a': return check_source(r, o, at, w);
    case 'i':
        if (o->kind != PTX_IMMEDIATE)
            return refuse_kind(r, o, at, "a number");
        return check_source(r, o, at, w);
    case 'p': return check_predicate(r, o, at, false);
    case 'n': return check_predicate(r, o, at, true);
    case 'P': return check_predicate(r, o, at, false);
    case 'q':
        if (o->kind == PTX_PAIR)
            return check_pair(r, o, at, PTX_PRED);
        return check_predicate(r, o, at, false);
    case 'Q':
        if (o->kind != PTX_PAIR)
            return refuse_kind(r, o, at, "two predicates, p|q");
        return check_pair(r, o, at, PTX_PRED);
    case 's':
        if (o->kind == PTX_PAIR)
            return check_pair(r, o, at, w->type);
        return check_written(r, o, at, w->type, false);
    case 'S':
        if (o->kind != PTX_PAIR)
            return refuse_kind(r, o, at, "a register and a predicate, d|p");
        return check_pair(r, o, at, w->type);
    case 'm': return check_memory(r, o, at, (enum ptx_space)r->i.space);
    case 'M': return check_memory(r, o, at, (enum ptx_space)r->i.to_space);
    case 'v': case 'V': return check_vector(r, o, at, w);
    case 'l':
        return o->kind == PTX_LABEL ? true : refuse_kind(r, o, at, "a label");
    }
    return false;
}

static bool refuse_count(struct reader *r, uint32_t least, uint32_t most)
{
    struct place at = { r->opcode.line, r->opcode.column };
    char range[24];
    snprintf(range, sizeof range, least == most ? "%u" : "%u to %u", least, most);
    return refuse_at(r, &at, "%u operand%s; expected %s", r->i.operands,
                     r->i.operands == 1 ? "" : "s", range);
}

bool check_operands(struct reader *r)
{
    const char *list = ptx_forms[r->i.form].operands, *at = list;
    uint32_t least = 0, most = 0, n = 0;
    struct wish w;
    while (next_wish(&r->i, &at, &w)) {
        least += !w.optional;
        most++;
    }
    if (r->i.operands < least || r->i.operands > most)
        return refuse_count(r, least, most);
    uint32_t extra = r->i.operands - least;
    for (at = list; next_wish(&r->i, &at, &w); ) {
        if (w.optional && !extra)
            continue;
        extra -= w.optional;
        if (!check_wish(r, &r->i.operand[n], &r->places[n], &w))
            return false;
        n++;
    }
    return true;
}
