/* function.c - what stands before a function's body: name, parameters, limits.
 *
 * A parameter of a device function may be a register (`.func (.reg .u32 r) f (.reg .u32 a)`).
 * It becomes a .param variable, loaded when the function begins; a result in a register is
 * stored before each `ret`.
 */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

/* Adds one parameter's name to the function's scope. */
static bool add_param(struct reader *r, const struct token *name, struct ptx_variable *v,
                      bool returned, uint32_t number)
{
    uint32_t *in_register = returned ? &r->out_registers[number]
                                     : &r->in_registers[number];
    *in_register = NO_REGISTER;
    if (v->space == PTX_PARAM && is_word(name, "_"))
        return true;            /* of a declaration */
    if (v->space == PTX_PARAM)
        return symbol_add(r, name, S_VARIABLE,
                          (returned ? RETURN_NUMBER : PARAM_NUMBER) + number, 0);
    v->space = PTX_PARAM;
    if (v->is_array)
        return refuse(r, name, "%.*s is an array in registers; expected .param", SHOW(name));
    if (!symbol_add(r, name, S_REGISTER, r->f->register_count, 1))
        return false;
    if (r->registers == REGISTERS)
        return refuse(r, name, "more than %u registers in a module; expected fewer", REGISTERS);
    *in_register = add_registers(r, keep_name(r, name->text, name->length), 1, false, v->type);
    return true;
}

static bool read_one(struct reader *r, struct ptx_variable *v, struct token *name)
{
    struct token t = r->token;
    bool is_param = t.kind == T_DIRECTIVE && is_word(&t, "param");
    bool is_reg   = t.kind == T_DIRECTIVE && is_word(&t, "reg") && !r->f->is_entry;
    if (!is_param && !is_reg)
        return refuse(r, &t, "'%.*s' begins no parameter; expected .param", SHOW(&t));
    return lex_next(r) && read_param(r, is_param ? PTX_PARAM : PTX_REG, v, name);
}

/* After '(': parameters up to ')'. */
static bool read_params(struct reader *r, bool returned)
{
    struct ptx_function *f = r->f;
    struct ptx_variable **list = returned ? &f->returns : &f->params;
    uint32_t *count = returned ? &f->return_count : &f->param_count, room = 0;
    bool more, empty;
    if (!take_sign(r, ")", &empty) || empty)
        return !r->d->text[0];
    do {
        struct ptx_variable v;
        struct token name = r->token;
        if (*count == (returned ? RETURNS : PARAMS))
            return refuse(r, &name, "more than %d %s; expected fewer", returned ? RETURNS : PARAMS,
                          returned ? "results" : "parameters");
        if (!count_one(r, &r->variables, VARIABLES, "variables") || !read_one(r, &v, &name)
            || !add_param(r, &name, &v, returned, *count))
            return false;
        *list = grow(*list, *count, &room, sizeof v);
        (*list)[(*count)++] = v;
        if (!take_sign(r, ",", &more))
            return false;
    } while (more);
    return expect_sign(r, ")", "after a parameter");
}

/* One to three numbers. */
static bool read_numbers(struct reader *r, const char *what, uint32_t *numbers, unsigned most)
{
    bool more = true;
    for (unsigned n = 0; n < most; n++)
        numbers[n] = 1;
    for (unsigned n = 0; n < most && more; n++) {
        int64_t value;
        if (!constant_whole(r, what, 1, INT32_MAX, &value)
            || !(n + 1 < most ? take_sign(r, ",", &more) : true))
            return false;
        numbers[n] = (uint32_t)value;
    }
    return true;
}

static bool read_max_threads(struct reader *r)
{
    struct token at = r->token;
    uint32_t numbers[3];
    if (!read_numbers(r, ".maxntid", numbers, 3))
        return false;
    uint64_t threads = (uint64_t)numbers[0] * numbers[1];
    if (threads > INT32_MAX || threads * numbers[2] > INT32_MAX)
        return refuse(r, &at, ".maxntid: more than 2^31 threads; expected fewer");
    r->f->max_threads = (uint32_t)(threads * numbers[2]);
    return true;
}

static bool read_limit(struct reader *r)
{
    struct ptx_function *f = r->f;
    struct token t = r->token;
    uint32_t ignored;
    if (!lex_next(r))
        return false;
    if (is_word(&t, "pragma"))
        return skip_past(r, ";");
    if (is_word(&t, "noreturn") && !f->is_entry)
        return true;
    bool threads = is_word(&t, "maxntid") || is_word(&t, "reqntid");
    if (threads && f->is_entry && (f->max_threads || f->required[0]))
        return refuse(r, &t, ".%.*s after another limit of threads; expected one .maxntid or one "
                      ".reqntid", SHOW(&t));
    if (is_word(&t, "maxntid") && f->is_entry)
        return read_max_threads(r);
    if (is_word(&t, "reqntid") && f->is_entry)
        return read_numbers(r, ".reqntid", f->required, 3);
    if (is_word(&t, "minnctapersm") && f->is_entry)
        return read_numbers(r, ".minnctapersm", &f->min_blocks, 1);
    if (is_word(&t, "maxnctapersm") && f->is_entry)
        return read_numbers(r, ".maxnctapersm", &ignored, 1);
    if (is_word(&t, "maxnreg") && f->is_entry)
        return read_numbers(r, ".maxnreg", &f->max_registers, 1);
    return refuse(r, &t, ".%.*s is not supported before a body; expected .maxntid, .reqntid, "
                  ".minnctapersm, .maxnreg, .pragma or '{'", SHOW(&t));
}

static bool same_variables(const struct ptx_variable *a, const struct ptx_variable *b,
                           uint32_t count)
{
    for (uint32_t n = 0; n < count; n++)
        if (a[n].align != b[n].align || variable_bytes(&a[n]) != variable_bytes(&b[n]))
            return false;
    return true;
}

static void free_function(struct ptx_function *f)
{
    for (uint32_t n = 0; n < f->instruction_count; n++)
        free(f->instructions[n].arguments);
    free(f->params);
    free(f->returns);
    free(f->registers);
    free(f->variables);
    free(f->labels);
    free(f->instructions);
    free(f->unsupported);
}

/* What grew by doubling takes no more than it needs. */
static void shrink(struct ptx_function *f)
{
    void *kept = realloc(f->instructions, (f->instruction_count + 1) * sizeof *f->instructions);
    if (kept)
        f->instructions = kept;
    kept = realloc(f->registers, (f->register_count + 1) * sizeof *f->registers);
    if (kept)
        f->registers = kept;
}

void functions_free(struct ptx_module *m)
{
    for (uint32_t n = 0; n < m->function_count; n++)
        free_function(&m->functions[n]);
    free(m->functions);
}

/* The name may have been declared before, with the same parameters. */
static bool check_declared(struct reader *r, const struct token *name,
                           const struct symbol *declared, bool has_body)
{
    const struct ptx_function *f = r->f, *before;
    if (!declared)
        return true;
    if (declared->kind != S_FUNCTION)
        return refuse(r, name, "%.*s is %s already; expected a new name", SHOW(name),
                      symbol_kind_name(declared->kind));
    before = &r->m->functions[declared->number];
    if (before->has_body && has_body)
        return refuse(r, name, "%.*s has a body already, in line %u; expected a new name",
                      SHOW(name), before->line);
    bool same = f->is_entry == before->is_entry && f->param_count == before->param_count
             && f->return_count == before->return_count
             && same_variables(f->params, before->params, f->param_count)
             && same_variables(f->returns, before->returns, f->return_count);
    if (!same)
        return refuse(r, name, "%.*s has other parameters than in line %u; expected the same",
                      SHOW(name), before->line);
    return true;
}

/* Registers and variables' numbers as others see them: see ptx.h. */
static uint32_t final_number(const struct ptx_function *f, uint32_t number)
{
    if (number >= PTX_MODULE_VARIABLE || number < PARAM_NUMBER)
        return number;
    if (number >= RETURN_NUMBER)
        return f->variable_count + f->param_count + (number - RETURN_NUMBER);
    return f->variable_count + (number - PARAM_NUMBER);
}

static void settle(const struct ptx_function *f, struct ptx_operand *o)
{
    if (o->kind == PTX_VARIABLE || (o->kind == PTX_MEMORY && o->base == PTX_VARIABLE))
        o->number = final_number(f, o->number);
}

static void settle_numbers(struct ptx_function *f)
{
    for (uint32_t n = 0; n < f->instruction_count; n++) {
        struct ptx_instruction *i = &f->instructions[n];
        for (uint32_t o = 0; o < i->operands; o++)
            settle(f, &i->operand[o]);
        for (uint32_t o = 0; i->arguments && o < i->returned + i->passed; o++)
            settle(f, &i->arguments[o]);
    }
}

static struct ptx_operand register_operand(uint32_t number)
{
    return (struct ptx_operand){ .kind = PTX_REGISTER, .number = number };
}

bool load_params(struct reader *r)
{
    for (uint32_t n = 0; n < r->f->param_count; n++) {
        struct ptx_operand o = register_operand(r->in_registers[n]);
        if (r->in_registers[n] != NO_REGISTER
            && !emit_param(r, true, &o, PARAM_NUMBER + n, r->f->params[n].type))
            return false;
    }
    return true;
}

bool store_returns(struct reader *r)
{
    for (uint32_t n = 0; n < r->f->return_count; n++) {
        struct ptx_operand o = register_operand(r->out_registers[n]);
        if (r->out_registers[n] != NO_REGISTER
            && !emit_param(r, false, &o, RETURN_NUMBER + n, r->f->returns[n].type))
            return false;
    }
    return true;
}

/* A new function, or the place of one that was declared. */
static bool add_function(struct reader *r, const struct token *name,
                         const struct symbol *declared, uint32_t *number)
{
    struct ptx_module *m = r->m;
    if (declared) {
        *number = declared->number;
        return true;
    }
    uint32_t count = m->function_count;
    if (!count_one(r, &count, FUNCTIONS, "functions"))
        return false;
    m->functions = grow(m->functions, m->function_count, &r->function_room,
                        sizeof *m->functions);
    *number = m->function_count;
    m->functions[m->function_count++] = (struct ptx_function){ .line = name->line };
    uint32_t depth = r->depth;
    r->depth = 0;
    bool good = symbol_add(r, name, S_FUNCTION, *number, 0);
    r->depth = depth;
    return good;
}

static bool read_heading(struct reader *r, struct token *name)
{
    bool returns, params;
    if (!take_sign(r, "(", &returns))
        return false;
    if (returns && r->f->is_entry)
        return refuse(r, &r->token, "an entry has no result; expected a name");
    if (returns && !read_params(r, true))
        return false;
    *name = r->token;
    if (name->kind != T_NAME)
        return refuse(r, name, "'%.*s' is no name; expected one of a function", SHOW(name));
    keep_short(r->f->name, sizeof r->f->name, name);
    r->f->line = name->line;
    if (!lex_next(r) || !take_sign(r, "(", &params) || (params && !read_params(r, false)))
        return false;
    while (r->token.kind == T_DIRECTIVE)
        if (!read_limit(r))
            return false;
    return true;
}

/* r->f is a function of its own until it is known to be good: then it is the module's. */
static bool read_whole(struct reader *r, bool is_extern)
{
    struct token name;
    uint32_t index, number, outer = r->symbols.count;
    if (!read_heading(r, &name))
        return false;
    const struct symbol *found = symbol_find(r, &name, &index), *declared = NULL;
    struct symbol copy;
    if (found && found->depth == 0) {
        copy = *found;
        declared = &copy;
    }
    bool has_body = is_sign(r, "{");
    if (!has_body && !is_sign(r, ";"))
        return expect_sign(r, "{", "after a function's parameters");
    if (has_body && is_extern)
        return refuse(r, &name, "%.*s is .extern and has a body; expected either", SHOW(&name));
    if (!check_declared(r, &name, declared, has_body)
        || !add_function(r, &name, declared, &number))
        return false;
    r->f->has_body = has_body;
    r->function = number;
    if (!(has_body ? read_body(r) : lex_next(r)))
        return false;
    settle_numbers(r->f);
    if (has_body || !declared) {
        struct ptx_function *place = &r->m->functions[number];
        free_function(place);
        shrink(r->f);
        *place = *r->f;
        *r->f = (struct ptx_function){ .line = 0 };
    }
    /* Its name came after its results', which are forgotten. */
    symbols_cut(r, outer);
    r->depth = 0;
    return declared || symbol_add(r, &name, S_FUNCTION, number, 0);
}

/* The token is what follows .entry or .func. */
bool read_function(struct reader *r, bool is_entry, bool is_extern)
{
    struct ptx_function f = { .is_entry = is_entry };
    r->f = &f;
    r->register_room = r->instruction_room = r->variable_room = r->label_room = 0;
    r->target_count = 0;
    r->depth = 1;
    bool good = read_whole(r, is_extern);
    free_function(&f);
    r->f = NULL;
    r->depth = 0;
    return good;
}
