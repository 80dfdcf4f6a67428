/* call.c - calls of device functions.
 *
 * Arguments may be .param variables, registers or numbers.  The last two are stored to
 * variables of their own before the call and loaded after it, so that all calls look alike:
 *
 *     call (%r1), f, (%r2, 4);     st.param.u32 [a0], %r2;  st.param.u32 [a1], 4;
 *                                  call (r0), f, (a0, a1);  ld.param.u32 %r1, [r0];
 */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

#define CALL_ARGUMENTS 64

struct arguments {
    struct ptx_operand list[2 * CALL_ARGUMENTS];
    struct place places[2 * CALL_ARGUMENTS];
    uint32_t count;
};

static bool read_list(struct reader *r, struct arguments *a, uint32_t most)
{
    bool more, empty;
    if (!take_sign(r, ")", &empty) || empty)
        return !r->d->text[0];
    do {
        struct place at = { r->token.line, r->token.column };
        if (a->count == most)
            return refuse(r, &r->token, "more than %d arguments; expected fewer", CALL_ARGUMENTS);
        a->places[a->count] = at;
        if (!read_operand(r, &a->list[a->count++]) || !take_sign(r, ",", &more))
            return false;
    } while (more);
    return expect_sign(r, ")", "in a list of arguments");
}

static bool read_callee(struct reader *r, const struct ptx_function **f)
{
    struct token name = r->token;
    uint32_t index;
    const struct symbol *y = name.kind == T_NAME ? symbol_find(r, &name, &index) : NULL;
    if (name.kind != T_NAME)
        return refuse(r, &name, "'%.*s' is no function; expected one's name", SHOW(&name));
    if (!y)
        return symbol_unknown(r, &name, "a function");
    if (y->kind == S_REGISTER || y->kind == S_RANGE)
        return refuse_use(r, &name, "%s is not supported through a register; expected a "
                          "function", r->written);
    if (y->kind != S_FUNCTION)
        return refuse(r, &name, "%.*s is %s; expected a function", SHOW(&name),
                      symbol_kind_name(y->kind));
    r->i.call_function = y->number;
    *f = y->number == r->function ? r->f : &r->m->functions[y->number];
    if ((*f)->is_entry)
        return refuse(r, &name, "%.*s is an entry; expected a .func", SHOW(&name));
    return lex_next(r);
}

static enum ptx_type param_type(enum ptx_type t)
{
    switch (t) {
    case PTX_F16: case PTX_BF16:                   return PTX_B16;
    case PTX_F16X2: case PTX_BF16X2: case PTX_TF32: return PTX_B32;
    default:                                       return t;
    }
}

uint32_t first_form(enum ptx_op op)
{
    uint32_t n = 0;
    while (ptx_forms[n].op != op)
        n++;
    return n;
}

uint32_t setp_form(bool combined)
{
    uint32_t n = first_form(PTX_SETP);
    while (!strstr(ptx_forms[n].suffixes, "u32") || (strstr(ptx_forms[n].suffixes, "f:") != NULL)
           != combined)
        n++;
    return n;
}

/* ld.param or st.param of a register or a number. */
bool emit_param(struct reader *r, bool load, const struct ptx_operand *value, uint32_t variable,
                enum ptx_type type)
{
    struct ptx_instruction kept = r->i;
    struct ptx_operand address = { .kind = PTX_MEMORY, .base = PTX_VARIABLE,
                                   .number = variable };
    r->i = (struct ptx_instruction){
        .op = load ? PTX_LD : PTX_ST, .type = { param_type(type) }, .space = PTX_PARAM,
        .vector = 1, .guard = kept.guard, .guard_negated = kept.guard_negated, .operands = 2,
        .line = kept.line, .column = kept.column, .form = first_form(load ? PTX_LD : PTX_ST)
    };
    r->i.operand[load ? 0 : 1] = *value;
    r->i.operand[load ? 1 : 0] = address;
    bool good = emit(r);
    r->i = kept;
    return good;
}

/* A variable for an argument that is a register or a number. */
static bool make_variable(struct reader *r, const struct ptx_variable *param,
                          struct ptx_operand *o)
{
    struct ptx_variable v = { .space = PTX_PARAM, .type = param->type, .align = param->align,
                              .elements = 1, .line = r->i.line };
    snprintf(v.name, sizeof v.name, "argument %.100s", param->name);
    *o = (struct ptx_operand){ .kind = PTX_VARIABLE, .column = o->column };
    return add_variable(r, &v, &o->number);
}

static bool check_argument(struct reader *r, struct ptx_operand *o, const struct place *at,
                           const struct ptx_variable *param, bool returned)
{
    if (o->kind == PTX_VARIABLE && !o->offset) {
        const struct ptx_variable *v = variable_of(r, o->number);
        if (v->space != PTX_PARAM)
            return refuse_at(r, at, "%.60s is not in .param; expected a variable that is", v->name);
        if (variable_bytes(v) != variable_bytes(param) || v->align < param->align)
            return refuse_at(r, at, "%.60s has %llu bytes aligned to %u; expected %llu aligned to "
                             "%u, as %.60s has", v->name, (unsigned long long)variable_bytes(v),
                             v->align, (unsigned long long)variable_bytes(param), param->align,
                             param->name);
        return true;
    }
    if (param->is_array)
        return refuse_at(r, at, "%.60s is an array; expected a .param variable", param->name);
    return returned ? check_written(r, o, at, param->type, false)
                    : check_one(r, o, at, param->type);
}

static bool check_count(struct reader *r, uint32_t have, uint32_t want, const char *what,
                        const char *name)
{
    struct place at = { r->opcode.line, r->opcode.column };
    if (have == want)
        return true;
    return refuse_at(r, &at, "%u %s%s; expected %u, as %.60s has", have, what,
                     have == 1 ? "" : "s", want, name);
}

/* Stores what is no variable, calls, loads what is no variable. */
static bool emit_call(struct reader *r, const struct ptx_function *f, struct arguments *a)
{
    struct ptx_operand *list = malloc((a->count + 1) * sizeof *list);
    bool good = true;
    if (!list)
        abort();
    memcpy(list, a->list, a->count * sizeof *list);
    for (uint32_t n = 0; n < a->count; n++) {
        bool out = n < f->return_count;
        const struct ptx_variable *p = out ? &f->returns[n] : &f->params[n - f->return_count];
        if (list[n].kind == PTX_VARIABLE)
            continue;
        good = good && make_variable(r, p, &list[n])
            && (out || emit_param(r, false, &a->list[n], list[n].number, p->type));
    }
    r->i.arguments = list;
    good = good && emit(r);
    if (!good) {
        free(list);
        return false;
    }
    r->i.arguments = NULL;
    for (uint32_t n = 0; n < f->return_count; n++)
        if (a->list[n].kind != PTX_VARIABLE
            && !emit_param(r, true, &a->list[n], list[n].number, f->returns[n].type))
            return false;
    return true;
}

static bool check_and_emit(struct reader *r, const struct ptx_function *f, struct arguments *a)
{
    r->i.passed = a->count - r->i.returned;
    if (!check_count(r, r->i.returned, f->return_count, "result", f->name)
        || !check_count(r, r->i.passed, f->param_count, "argument", f->name))
        return false;
    for (uint32_t n = 0; n < a->count; n++) {
        bool out = n < r->i.returned;
        const struct ptx_variable *p = out ? &f->returns[n] : &f->params[n - r->i.returned];
        if (!check_argument(r, &a->list[n], &a->places[n], p, out))
            return false;
    }
    return emit_call(r, f, a);
}

/* call (r), f, (a, b); and its shorter forms.  The token is what follows the suffixes. */
bool read_call(struct reader *r)
{
    struct arguments *a = calloc(1, sizeof *a);
    const struct ptx_function *f = NULL;
    bool returns, passes, arguments;
    if (!a)
        abort();
    bool good = take_sign(r, "(", &returns)
             && (!returns || (read_list(r, a, CALL_ARGUMENTS)
                              && expect_sign(r, ",", "after results")));
    r->i.returned = a->count;
    good = good && read_callee(r, &f) && take_sign(r, ",", &passes)
        && (!passes || (take_sign(r, "(", &arguments)
                        && (arguments ? read_list(r, a, a->count + CALL_ARGUMENTS)
                                      : refuse(r, &r->token, "'%.*s' after the function; "
                                               "expected its arguments", SHOW(&r->token)))))
        && (is_sign(r, ";") ? check_and_emit(r, f, a) && lex_next(r)
                            : expect_sign(r, ";", "after a call"));
    free(a);
    return good;
}
