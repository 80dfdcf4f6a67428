/* body.c - the statements of a function. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/ptx/inside.h"

bool emit(struct reader *r)
{
    struct ptx_function *f = r->f;
    if (r->instructions == INSTRUCTIONS)
        return refuse(r, &r->opcode, "more than %u instructions; expected fewer", INSTRUCTIONS);
    f->instructions = grow(f->instructions, f->instruction_count, &r->instruction_room,
                           sizeof *f->instructions);
    f->instructions[f->instruction_count++] = r->i;
    r->instructions++;
    return true;
}

static bool read_label(struct reader *r, const struct token *name)
{
    struct ptx_function *f = r->f;
    if (!count_one(r, &r->labels, LABELS, "labels")
        || !symbol_add(r, name, S_LABEL, f->label_count, 0))
        return false;
    f->labels = grow(f->labels, f->label_count, &r->label_room, sizeof *f->labels);
    struct ptx_label *l = &f->labels[f->label_count++];
    *l = (struct ptx_label){ .at = f->instruction_count };
    keep_short(l->name, sizeof l->name, name);
    return true;
}

/* Labels of these braces are known when they close; others may be of the braces around.
 * `from`: the first branch in them. */
static void resolve(struct reader *r, uint32_t from)
{
    uint32_t kept = from, index;
    for (uint32_t n = from; n < r->pending_count; n++) {
        struct pending *p = &r->pending[n];
        const struct symbol *y = symbol_find(r, &p->label, &index);
        if (y && y->kind == S_LABEL && y->depth == r->depth)
            r->f->instructions[p->instruction].operand[0].number = y->number;
        else
            r->pending[kept++] = *p;
    }
    r->pending_count = kept;
}

static bool resolve_all(struct reader *r)
{
    resolve(r, 0);
    if (!r->pending_count)
        return true;
    const struct token *name = &r->pending[0].label;
    uint32_t index;
    const struct symbol *y = symbol_find(r, name, &index);
    if (y)
        return refuse(r, name, "%.*s is %s; expected a label of this function", SHOW(name),
                      symbol_kind_name(y->kind));
    const char *near = NULL;
    char word[PTX_NAME];
    snprintf(word, sizeof word, "%.*s", SHOW(name));
    for (uint32_t n = 0; n < r->f->label_count && !near && n < 256; n++) {
        const char *one = r->f->labels[n].name;
        near = diag_nearest(word, &one, 1);
    }
    if (near && strcmp(near, word) == 0)
        return refuse(r, name, "label %s is in other braces; expected one of these or of those "
                      "around", word);
    if (near)
        return refuse(r, name, "there is no label %s here; did you mean '%.60s'?", word, near);
    return refuse(r, name, "there is no label %s here; expected one of this function", word);
}

/* The label of a branch may come later. */
bool branch_to(struct reader *r, const struct token *label)
{
    struct token name = *label;
    r->pending = grow(r->pending, r->pending_count, &r->pending_room, sizeof *r->pending);
    r->pending[r->pending_count++] = (struct pending){ r->f->instruction_count, name };
    r->i.operand[0] = (struct ptx_operand){ .kind = PTX_LABEL, .column = name.column };
    r->places[0]    = (struct place){ name.line, name.column };
    r->i.operands   = 1;
    return true;
}

static bool read_target(struct reader *r)
{
    struct token name = r->token;
    if (name.kind != T_NAME)
        return refuse(r, &name, "'%.*s' is no label; expected one", SHOW(&name));
    return branch_to(r, &name) && lex_next(r);
}

static bool read_operands(struct reader *r)
{
    bool more = !is_sign(r, ";");
    while (more) {
        if (r->i.operands == PTX_OPERANDS)
            return refuse(r, &r->token, "%s: more than %d operands; expected fewer", r->written,
                          PTX_OPERANDS);
        r->places[r->i.operands] = (struct place){ r->token.line, r->token.column };
        if (!read_operand(r, &r->i.operand[r->i.operands++]) || !take_sign(r, ",", &more))
            return false;
    }
    return true;
}

static bool read_suffixes(struct reader *r)
{
    size_t n = (size_t)snprintf(r->written, sizeof r->written, "%.*s", SHOW(&r->opcode));
    for (r->suffixes = 0; r->token.kind == T_DIRECTIVE; ) {
        if (r->suffixes == SUFFIXES)
            return refuse(r, &r->token, "%s: more than %d suffixes; expected fewer", r->written,
                          SUFFIXES);
        if (n < sizeof r->written)
            n += (size_t)snprintf(r->written + n, sizeof r->written - n, ".%.*s",
                                  SHOW(&r->token));
        r->suffix[r->suffixes++] = r->token;
        if (!lex_next(r))
            return false;
    }
    return true;
}

static bool read_instruction(struct reader *r, const struct token *opcode)
{
    r->opcode   = *opcode;
    r->i.line   = opcode->line;
    r->i.column = opcode->column;
    if (!read_suffixes(r))
        return false;
    if (strcmp(r->written, "brx.idx") == 0 || strcmp(r->written, "brx.idx.uni") == 0)
        return read_jump(r);
    if (!match_op(r) || !match_form(r))
        return false;
    if (r->i.op == PTX_CALL)
        return read_call(r);
    if (r->i.op == PTX_BRA && !is_sign(r, ";") && !read_target(r))
        return false;
    if (r->i.op != PTX_BRA && !read_operands(r))
        return false;
    if (!is_sign(r, ";"))
        return expect_sign(r, ";", "after an instruction");
    if (!check_legal(r) || !replace(r) || (r->i.op == PTX_RET && !store_returns(r)))
        return false;
    return emit(r) && lex_next(r);
}

/* @p or @!p; the token is what follows '@'. */
static bool read_guard(struct reader *r)
{
    uint32_t index;
    if (!take_sign(r, "!", &r->i.guard_negated))
        return false;
    struct token name = r->token;
    const struct symbol *y = name.kind == T_NAME ? symbol_find(r, &name, &index) : NULL;
    if (name.kind != T_NAME)
        return refuse(r, &name, "'%.*s' guards an instruction; expected a predicate", SHOW(&name));
    if (!y)
        return symbol_unknown(r, &name, "a predicate");
    bool is_register = y->kind == S_REGISTER || y->kind == S_RANGE;
    if (!is_register || r->f->registers[y->number + index].type != PTX_PRED)
        return refuse(r, &name, "%.*s is %s; expected a predicate", SHOW(&name), is_register
                      ? "a register of another type" : symbol_kind_name(y->kind));
    r->i.guard = y->number + index;
    return lex_next(r);
}

bool skip_past(struct reader *r, const char *sign)
{
    while (!is_sign(r, sign)) {
        if (r->token.kind == T_END)
            return expect_sign(r, sign, "in a directive");
        if (!lex_next(r))
            return false;
    }
    return lex_next(r);
}

static bool read_directive(struct reader *r)
{
    struct token t = r->token;
    if (is_word(&t, "loc") || is_word(&t, "file"))
        return lex_skip_line(r);
    if (!lex_next(r))
        return false;
    if (is_word(&t, "reg"))
        return read_registers(r);
    if (is_word(&t, "local"))
        return read_variables(r, PTX_LOCAL, false);
    if (is_word(&t, "shared"))
        return read_variables(r, PTX_SHARED, false);
    if (is_word(&t, "param"))
        return read_variables(r, PTX_PARAM, false);
    if (is_word(&t, "pragma"))
        return skip_past(r, ";");
    if (is_word(&t, "callprototype") || is_word(&t, "calltargets"))
        return refuse_use(r, &t, ".%.*s is not supported; expected calls of functions by name",
                          SHOW(&t));
    return refuse(r, &t, ".%.*s is not supported in a function; expected .reg, .local, .shared, "
                  ".param, .pragma or .loc", SHOW(&t));
}

static bool read_braces(struct reader *r);

static bool read_statement(struct reader *r)
{
    bool guarded;
    r->i = (struct ptx_instruction){ .guard = PTX_NO_GUARD };
    if (r->token.kind == T_DIRECTIVE)
        return read_directive(r);
    if (is_sign(r, "{"))
        return read_braces(r);
    if (is_sign(r, ";"))
        return lex_next(r);
    if (!take_sign(r, "@", &guarded) || (guarded && !read_guard(r)))
        return false;
    struct token name = r->token;
    if (name.kind != T_NAME)
        return name.kind == T_END
             ? refuse(r, &name, "the text ends in a function; expected '}'")
             : refuse(r, &name, "'%.*s' begins no statement; expected an instruction", SHOW(&name));
    if (!lex_next(r))
        return false;
    if (is_sign(r, ":") && !guarded) {
        if (!lex_next(r))
            return false;
        if (r->token.kind == T_DIRECTIVE && is_word(&r->token, "branchtargets"))
            return read_targets(r, &name);
        return read_label(r, &name);
    }
    return read_instruction(r, &name);
}

/* To its ';'; false if there is none. */
static bool skip_statement(struct reader *r)
{
    uint32_t depth = 0;
    while (!is_sign(r, ";")) {
        if (r->token.kind == T_END || (is_sign(r, "}") && depth == 0))
            return false;
        depth = depth + is_sign(r, "{") - is_sign(r, "}");
        if (!lex_next(r))
            return false;
    }
    return lex_next(r);
}

/* After an error: what is not supported is kept with the function, and reading goes on. */
static bool set_aside(struct reader *r)
{
    struct ptx_function *f = r->f;
    struct diag why = *r->d;
    if (!r->is_unsupported)
        return false;
    r->is_unsupported = false;
    r->d->text[0] = '\0';
    if (!skip_statement(r)) {
        *r->d = why;
        return false;
    }
    if (f->unsupported)
        return true;
    if (!(f->unsupported = strdup(why.text)))
        abort();
    f->unsupported_line = why.line;
    f->unsupported_column = why.column;
    return true;
}

static bool read_statements(struct reader *r)
{
    while (!is_sign(r, "}"))
        if (!read_statement(r) && !set_aside(r))
            return false;
    return true;
}

static bool read_braces(struct reader *r)
{
    struct token open = r->token;
    uint32_t from = r->pending_count, outer = r->symbols.count;
    if (++r->depth > DEPTH)
        return refuse(r, &open, "braces nested more than %d deep; expected fewer", DEPTH);
    if (!lex_next(r) || !read_statements(r))
        return false;
    resolve(r, from);
    r->depth--;
    symbols_cut(r, outer);
    return lex_next(r);
}

/* Whether control never gets past the last instruction. */
static bool has_end(const struct ptx_function *f)
{
    if (f->instruction_count == 0)
        return false;
    for (uint32_t n = 0; n < f->label_count; n++)
        if (f->labels[n].at == f->instruction_count)
            return false;
    const struct ptx_instruction *last = &f->instructions[f->instruction_count - 1];
    bool leaves = last->op == PTX_RET || last->op == PTX_EXIT || last->op == PTX_BRA
               || last->op == PTX_TRAP;
    return leaves && last->guard == PTX_NO_GUARD;
}

/* A body may end without `ret`. */
static bool end_body(struct reader *r)
{
    if (has_end(r->f))
        return true;
    r->i = (struct ptx_instruction){ .op = PTX_RET, .guard = PTX_NO_GUARD, .vector = 1,
                                     .line = r->token.line, .column = r->token.column,
                                     .form = first_form(PTX_RET) };
    return store_returns(r) && emit(r);
}

/* From '{' to '}'.  Its names may hide those of parameters. */
bool read_body(struct reader *r)
{
    r->pending_count = 0;
    r->opcode = r->token;
    r->i = (struct ptx_instruction){ .guard = PTX_NO_GUARD, .line = r->token.line,
                                     .column = r->token.column };
    r->depth++;
    return load_params(r) && lex_next(r) && read_statements(r)
        && end_body(r) && resolve_all(r) && lex_next(r);
}
