/* arguments.c - what calls pass, in registers; variables to addresses.
 *
 * The .param variable of a call becomes registers, one for each offset that is loaded or
 * stored, where all agree on how many bytes are there; a variable whose address is taken, or
 * that is moved in overlapping or single bytes, lies in local memory.
 */
#include <string.h>

#include "models/gpu/compile/inline.h"

struct argument_word {
    struct argument_word *next;
    int64_t  offset;
    uint32_t bytes, number;         /* the register that it is */
};

static uint32_t elements(const struct ptx_instruction *i) { return i->vector ? i->vector : 1; }

/* The place of an argument that an operand is about, or NULL. */
static struct place *argument(struct inlined *n, const struct ptx_operand *o)
{
    bool names = o->kind == PTX_VARIABLE || (o->kind == PTX_MEMORY && o->base == PTX_VARIABLE);
    return names && n->places[o->number].is_argument ? &n->places[o->number] : NULL;
}

static struct argument_word *find_word(const struct place *p, int64_t offset)
{
    struct argument_word *w = p->words;
    while (w && w->offset != offset)
        w = w->next;
    return w;
}

static bool overlaps(const struct place *p, int64_t offset, uint32_t bytes)
{
    for (const struct argument_word *w = p->words; w; w = w->next)
        if (offset < w->offset + w->bytes && w->offset < offset + bytes)
            return true;
    return false;
}

static void note_access(struct inlined *n, struct place *p, const struct ptx_instruction *i,
                        int64_t offset)
{
    uint32_t bytes = ptx_type_bytes(i->type[0]);
    for (uint32_t k = 0; k < elements(i); k++, offset += bytes) {
        struct argument_word *w = find_word(p, offset);
        if (w && w->bytes == bytes)
            continue;
        if (w || bytes < 2 || bytes > 8 || overlaps(p, offset, bytes)) {
            p->in_memory = true;
            return;
        }
        enum ptx_type type = bytes == 2 ? PTX_B16 : bytes == 4 ? PTX_B32 : PTX_B64;
        w = arena_get(&n->code->arena, 1, sizeof *w);
        *w = (struct argument_word){ p->words, offset, bytes, body_register(n->code, type) };
        p->words = w;
    }
}

static void note_uses(struct inlined *n)
{
    for (uint32_t at = 0; at < n->code->body.count; at++) {
        const struct ptx_instruction *i = &n->code->body.list[at];
        for (uint32_t k = 0; k < i->operands; k++) {
            struct place *p = argument(n, &i->operand[k]);
            if (!p)
                continue;
            if (i->operand[k].kind == PTX_MEMORY && (i->op == PTX_LD || i->op == PTX_ST))
                note_access(n, p, i, i->operand[k].offset);
            else
                p->in_memory = true;
        }
    }
}

static void place_in_memory(struct inlined *n)
{
    for (uint32_t k = 0; k < n->place_count; k++) {
        struct place *p = &n->places[k];
        if (!p->is_argument || !p->in_memory)
            continue;
        uint64_t bytes = ptx_type_bytes(p->of->type) * (p->of->is_array ? p->of->elements : 1);
        n->local_bytes = (n->local_bytes + 15) / 16 * 16;
        p->space = PTX_LOCAL;
        p->address = n->local_bytes;
        n->local_bytes += bytes;
    }
}

static struct ptx_operand as_operand(const struct ptx_operand *o, uint32_t k)
{
    if (o->kind != PTX_VECTOR_OF)
        return *o;
    const struct ptx_element *e = &o->vector[k];
    return (struct ptx_operand){ .kind = e->kind, .type = e->type, .negated = e->negated,
                                 .number = e->number, .bits = e->bits, .column = o->column };
}

static enum ptx_type whole_number(unsigned bytes, bool is_signed)
{
    return bytes == 8 ? is_signed ? PTX_S64 : PTX_U64
         : bytes == 4 ? is_signed ? PTX_S32 : PTX_U32 : is_signed ? PTX_S16 : PTX_U16;
}

/* A register may be wider than what is moved: a load extends it, a store takes the low part. */
static void set_types(const struct inlined *n, struct ptx_instruction *mov,
                      const struct ptx_operand *data, enum ptx_type type, bool loads)
{
    bool is_register = data->kind == PTX_REGISTER;
    unsigned bytes = ptx_type_bytes(type);
    unsigned have = is_register ? ptx_type_bytes(n->code->body.types[data->number]) : bytes;
    bool is_signed = type == PTX_S16 || type == PTX_S32;
    mov->type[0] = type;
    if (have <= bytes)
        return;
    mov->op = PTX_CVT;
    mov->type[0] = whole_number(loads ? have : bytes, loads && is_signed);
    mov->type[1] = whole_number(loads ? bytes : have, loads && is_signed);
}

/* ld.param and st.param of an argument in registers: a mov an element. */
static void put_moves(struct inlined *n, const struct ptx_instruction *i, const struct place *p)
{
    bool loads = i->op == PTX_LD;
    const struct ptx_operand *data = &i->operand[loads ? 0 : 1];
    int64_t offset = i->operand[loads ? 1 : 0].offset;
    for (uint32_t k = 0; k < elements(i); k++, offset += ptx_type_bytes(i->type[0])) {
        struct ptx_operand argument_register = { .kind = PTX_REGISTER,
                                                 .number = find_word(p, offset)->number };
        struct ptx_instruction mov = { .op = PTX_MOV, .guard = i->guard, .operands = 2,
                                       .guard_negated = i->guard_negated, .line = i->line,
                                       .column = i->column };
        mov.operand[loads ? 0 : 1] = as_operand(data, k);
        mov.operand[loads ? 1 : 0] = argument_register;
        set_types(n, &mov, &mov.operand[loads ? 0 : 1], i->type[0], loads);
        body_add(n->code, &mov);
    }
}

static void put_again(struct inlined *n, const struct ptx_instruction *i)
{
    for (uint32_t k = 0; k < i->operands; k++) {
        const struct place *p = argument(n, &i->operand[k]);
        if (p && !p->in_memory) {
            put_moves(n, i, p);
            return;
        }
    }
    body_add(n->code, i);
}

static bool has_arguments(const struct inlined *n)
{
    for (uint32_t k = 0; k < n->place_count; k++)
        if (n->places[k].is_argument)
            return true;
    return false;
}

void inline_arguments(struct inlined *n)
{
    struct body *b = &n->code->body;
    if (!has_arguments(n))
        return;
    note_uses(n);
    place_in_memory(n);

    struct ptx_instruction *old = b->list;
    uint32_t count = b->count;
    uint32_t *moved = arena_get(&n->code->arena, count + 1, sizeof *moved);
    b->list = NULL;
    b->count = b->room = 0;
    for (uint32_t at = 0; at < count; at++) {
        moved[at] = b->count;
        put_again(n, &old[at]);
    }
    moved[count] = b->count;
    for (uint32_t k = 0; k < b->label_count; k++)
        b->labels[k] = moved[b->labels[k]];
}

static void place_dynamic(struct inlined *n)
{
    for (uint32_t k = 0; k < n->place_count; k++) {
        uint32_t align = n->places[k].of->align;
        if (n->places[k].is_dynamic && align > 1)
            n->shared_bytes = (n->shared_bytes + align - 1) / align * align;
    }
    for (uint32_t k = 0; k < n->place_count; k++)
        if (n->places[k].is_dynamic)
            n->places[k].address = n->shared_bytes;
}

static void put_address(const struct place *p, struct ptx_instruction *i, struct ptx_operand *o)
{
    if (o->kind == PTX_VARIABLE) {
        o->kind = PTX_IMMEDIATE;
        o->type = PTX_U64;
        o->bits = p->address + (uint64_t)o->offset;
        return;
    }
    o->base = PTX_IMMEDIATE;
    o->offset += (int64_t)p->address;
    if (i->op != PTX_CP_ASYNC)
        i->space = p->space;
}

void inline_addresses(struct inlined *n)
{
    place_dynamic(n);
    for (uint32_t at = 0; at < n->code->body.count; at++) {
        struct ptx_instruction *i = &n->code->body.list[at];
        for (uint32_t k = 0; k < i->operands; k++) {
            struct ptx_operand *o = &i->operand[k];
            if (o->kind == PTX_VARIABLE || (o->kind == PTX_MEMORY && o->base == PTX_VARIABLE))
                put_address(&n->places[o->number], i, o);
        }
    }
}
