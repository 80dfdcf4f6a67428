/* inline.c - one list of instructions from an entry and all it calls, variables placed.
 *
 * A function is copied to each of its calls with registers and labels of its own.  What a
 * call passes goes through .param variables of the caller; the callee's parameters are those
 * variables under another name (arguments.c makes registers of them).
 */
#include "models/gpu/compile/inline.h"

#include <assert.h>
#include <string.h>

struct call {
    const struct call *caller;
    const struct ptx_function *f;
    uint32_t registers, labels;     /* numbers of its first ones in the body */
    uint32_t *places;               /* of each of its variables, params, returns */
    uint32_t after;                 /* label after the call; NONE: the entry */
};

static bool put_function(struct inlined *n, const struct call *call);

static uint64_t variable_bytes(const struct ptx_variable *v)
{
    return ptx_type_bytes(v->type) * (v->is_array ? v->elements : 1);
}

static uint64_t aligned(uint64_t at, uint64_t to)
{
    return to > 1 ? (at + to - 1) / to * to : at;
}

static uint64_t give(uint64_t *end, const struct ptx_variable *v)
{
    uint64_t at = aligned(*end, v->align ? v->align : ptx_type_bytes(v->type));
    *end = at + variable_bytes(v);
    return at;
}

static uint32_t add_place(struct inlined *n, const struct place *p)
{
    n->places = arena_grow(&n->code->arena, n->places, n->place_count, n->place_count + 1,
                           &n->place_room, sizeof *p);
    n->places[n->place_count] = *p;
    return n->place_count++;
}

/* Shared memory has one of each variable, however often a function is inlined. */
static uint32_t place_shared(struct inlined *n, const struct ptx_variable *v)
{
    for (uint32_t i = 0; i < n->place_count; i++)
        if (n->places[i].of == v)
            return i;
    struct place p = { .of = v, .space = PTX_SHARED, .is_dynamic = v->is_array && !v->elements };
    if (!p.is_dynamic)
        p.address = give(&n->shared_bytes, v);
    return add_place(n, &p);
}

static uint32_t place_variable(struct inlined *n, const struct ptx_variable *v)
{
    if (v->space == PTX_SHARED)
        return place_shared(n, v);
    if (v->space == PTX_PARAM)
        return add_place(n, &(struct place){ .of = v, .space = PTX_PARAM, .is_argument = true });
    assert(v->space == PTX_LOCAL);
    return add_place(n, &(struct place){ .of = v, .space = v->space,
                                         .address = give(&n->local_bytes, v) });
}

static uint32_t place_module_variable(struct inlined *n, uint32_t number)
{
    const struct ptx_variable *v = &n->code->module->variables[number];
    if (v->space == PTX_SHARED)
        return place_shared(n, v);
    return add_place(n, &(struct place){ .of = v, .space = v->space,
                                         .address = n->code->globals[number] });
}

static uint32_t place_of(struct inlined *n, const struct call *call, uint32_t number)
{
    return number >= PTX_MODULE_VARIABLE ? place_module_variable(n, number - PTX_MODULE_VARIABLE)
                                         : call->places[number];
}

struct ptx_instruction *body_add(struct code *c, const struct ptx_instruction *i)
{
    struct body *b = &c->body;
    b->list = arena_grow(&c->arena, b->list, b->count, b->count + 1, &b->room,
                         sizeof b->list[0]);
    b->list[b->count] = *i;
    return &b->list[b->count++];
}

uint32_t body_register(struct code *c, enum ptx_type type)
{
    struct body *b = &c->body;
    b->types = arena_grow(&c->arena, b->types, b->registers, b->registers + 1,
                          &b->register_room, sizeof b->types[0]);
    b->types[b->registers] = (uint8_t)type;
    return b->registers++;
}

static uint32_t add_labels(struct code *c, uint32_t count)
{
    struct body *b = &c->body;
    b->labels = arena_grow(&c->arena, b->labels, b->label_count, b->label_count + count,
                           &b->label_room, sizeof b->labels[0]);
    b->label_count += count;
    return b->label_count - count;
}

/* Its number in the body; a variable's is its place until the body ends. */
static void renumber(struct inlined *n, const struct call *call, struct ptx_operand *o)
{
    if (o->kind == PTX_REGISTER || (o->kind == PTX_MEMORY && o->base == PTX_REGISTER))
        o->number += call->registers;
    else if (o->kind == PTX_VARIABLE || (o->kind == PTX_MEMORY && o->base == PTX_VARIABLE))
        o->number = place_of(n, call, o->number);
    else if (o->kind == PTX_LABEL)
        o->number += call->labels;
    else if (o->kind == PTX_VECTOR_OF || o->kind == PTX_PAIR)
        for (uint32_t k = 0; k < o->count; k++)
            if (o->vector[k].kind == PTX_REGISTER)
                o->vector[k].number += call->registers;
}

static void put_branch(struct inlined *n, const struct ptx_instruction *like, uint32_t label,
                       uint32_t guard, bool negated)
{
    struct ptx_instruction bra = { .op = PTX_BRA, .guard = guard, .guard_negated = negated,
                                   .operands = 1, .line = like->line, .column = like->column };
    bra.operand[0] = (struct ptx_operand){ .kind = PTX_LABEL, .number = label };
    body_add(n->code, &bra);
}

static bool check_call(struct inlined *n, const struct call *call,
                       const struct ptx_instruction *i, const struct ptx_function *f)
{
    for (const struct call *c = call; c; c = c->caller)
        if (c->f == f)
            return code_fail(n->code, i, "call of %s: it calls itself; expected functions "
                             "without recursion", f->name);
    if (!f->has_body)
        return code_fail(n->code, i, "call of %s: it has no body; expected a function of this "
                         "module", f->name);
    if (i->returned != f->return_count || i->passed != f->param_count)
        return code_fail(n->code, i, "call of %s: passes %u and returns %u; expected %u and %u",
                         f->name, i->passed, i->returned, f->param_count, f->return_count);
    return true;
}

/* The callee's variables are its own; parameters and returns are the caller's arguments. */
static uint32_t *callee_places(struct inlined *n, const struct call *call,
                               const struct ptx_instruction *i, const struct ptx_function *f)
{
    uint32_t count = f->variable_count + f->param_count + f->return_count;
    uint32_t *places = arena_get(&n->code->arena, count, sizeof *places), *next = places;
    for (uint32_t k = 0; k < f->variable_count; k++)
        *next++ = place_variable(n, &f->variables[k]);
    for (uint32_t k = 0; k < f->param_count; k++)
        *next++ = place_of(n, call, i->arguments[i->returned + k].number);
    for (uint32_t k = 0; k < f->return_count; k++)
        *next++ = place_of(n, call, i->arguments[k].number);
    return places;
}

static bool put_call(struct inlined *n, const struct call *call, const struct ptx_instruction *i)
{
    const struct ptx_function *f = &n->code->module->functions[i->call_function];
    if (!check_call(n, call, i, f))
        return false;
    struct call callee = { .caller = call, .f = f, .after = add_labels(n->code, 1) };
    callee.places = callee_places(n, call, i, f);
    if (i->guard != PTX_NO_GUARD)
        put_branch(n, i, callee.after, i->guard + call->registers, !i->guard_negated);
    if (!put_function(n, &callee))
        return false;
    n->code->body.labels[callee.after] = n->code->body.count;
    return true;
}

/* ret of the entry ends the thread; of a function it goes on after the call. */
static void put_return(struct inlined *n, const struct call *call,
                       const struct ptx_instruction *i, bool is_last)
{
    uint32_t guard = i->guard == PTX_NO_GUARD ? PTX_NO_GUARD : i->guard + call->registers;
    if (call->after == NONE) {
        body_add(n->code, i)->guard = guard;
    } else if (!is_last || guard != PTX_NO_GUARD) {
        put_branch(n, i, call->after, guard, i->guard_negated);
    }
}

static void put_plain(struct inlined *n, const struct call *call,
                      const struct ptx_instruction *i)
{
    struct ptx_instruction *copy = body_add(n->code, i);
    if (copy->guard != PTX_NO_GUARD)
        copy->guard += call->registers;
    for (uint32_t k = 0; k < copy->operands; k++)
        renumber(n, call, &copy->operand[k]);
    /* An address in a function's .param space is one of its caller's variables: local. */
    bool moves = i->op == PTX_LD || i->op == PTX_ST;
    if (call->after != NONE && moves && i->space == PTX_PARAM)
        for (uint32_t k = 0; k < copy->operands; k++)
            if (copy->operand[k].kind == PTX_MEMORY && copy->operand[k].base == PTX_REGISTER)
                copy->space = PTX_LOCAL;
}

static bool check_function(struct inlined *n, const struct ptx_function *f)
{
    const struct ptx_instruction at = { .line = f->unsupported_line,
                                        .column = f->unsupported_column };
    return !f->unsupported || code_fail(n->code, &at, "%s", f->unsupported);
}

static bool put_function(struct inlined *n, const struct call *outer)
{
    const struct ptx_function *f = outer->f;
    struct call call = *outer;
    if (!check_function(n, f))
        return false;
    call.registers = n->code->body.registers;
    call.labels = add_labels(n->code, f->label_count);
    for (uint32_t k = 0; k < f->register_count; k++)
        body_register(n->code, f->registers[k].type);
    for (uint32_t at = 0, k; at <= f->instruction_count; at++) {
        for (k = 0; k < f->label_count; k++)
            if (f->labels[k].at == at)
                n->code->body.labels[call.labels + k] = n->code->body.count;
        if (at == f->instruction_count)
            break;
        const struct ptx_instruction *i = &f->instructions[at];
        if (i->op == PTX_RET)
            put_return(n, &call, i, at + 1 == f->instruction_count);
        else if (i->op != PTX_CALL)
            put_plain(n, &call, i);
        else if (!put_call(n, &call, i))
            return false;
    }
    return true;
}

/* The module's own variables lie the same for all its kernels. */
static void place_module(struct code *c)
{
    const struct ptx_module *m = c->module;
    c->globals = arena_get(&c->arena, m->variable_count, sizeof c->globals[0]);
    uint64_t globals = 0;
    for (uint32_t i = 0; i < m->variable_count; i++) {
        const struct ptx_variable *v = &m->variables[i];
        if (v->space == PTX_GLOBAL)
            c->globals[i] = GPU_MODULE_BASE + give(&globals, v);
        else if (v->space == PTX_CONST)
            c->globals[i] = give(&c->const_bytes, v);
    }
    c->global_bytes = globals;
}

static uint32_t *entry_places(struct inlined *n)
{
    const struct ptx_function *f = n->code->entry;
    uint32_t *places = arena_get(&n->code->arena, f->variable_count + f->param_count,
                                 sizeof *places), *next = places;
    uint64_t params = 0;
    for (uint32_t k = 0; k < f->variable_count; k++)
        *next++ = place_variable(n, &f->variables[k]);
    for (uint32_t k = 0; k < f->param_count; k++)
        *next++ = add_place(n, &(struct place){ .of = &f->params[k], .space = PTX_PARAM,
                                                .address = give(&params, &f->params[k]) });
    n->code->param_bytes = params;
    return places;
}

bool code_inline(struct code *c)
{
    struct inlined n = { .code = c };
    place_module(c);
    c->body.list = arena_grow(&c->arena, NULL, 0, c->entry->instruction_count, &c->body.room,
                              sizeof c->body.list[0]);
    c->body.types = arena_grow(&c->arena, NULL, 0, c->entry->register_count,
                               &c->body.register_room, sizeof c->body.types[0]);
    struct call entry = { .f = c->entry, .after = NONE, .places = entry_places(&n) };
    if (!put_function(&n, &entry))
        return false;
    inline_arguments(&n);
    inline_addresses(&n);
    if (n.shared_bytes > UINT32_MAX / 2 || n.local_bytes > UINT32_MAX / 2)
        return code_fail(c, NULL, "%s: its variables take more than 2 GiB", c->entry->name);
    c->shared_bytes = (uint32_t)n.shared_bytes;
    c->local_bytes = (uint32_t)n.local_bytes;
    return true;
}
