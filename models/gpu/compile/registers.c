/* registers.c - one walk over an instruction's operands. */
#include "models/gpu/compile/registers.h"

#include "models/gpu/compile/operands.h"

static uint32_t add_operand(const struct ptx_operand *o, uint32_t *list)
{
    uint32_t count = 0;
    if (o->kind == PTX_REGISTER || (o->kind == PTX_MEMORY && o->base == PTX_REGISTER))
        list[count++] = o->number;
    else if (o->kind == PTX_VECTOR_OF || o->kind == PTX_PAIR)
        for (uint32_t k = 0; k < o->count; k++)
            if (o->vector[k].kind == PTX_REGISTER)
                list[count++] = o->vector[k].number;
    return count;
}

uint32_t registers_read(const struct ptx_instruction *i, uint32_t list[REGISTERS_MOST])
{
    uint32_t count = 0;
    for (uint32_t k = operand_destinations(i); k < i->operands; k++)
        count += add_operand(&i->operand[k], list + count);
    if (i->guard != PTX_NO_GUARD)
        list[count++] = i->guard;
    return count;
}

uint32_t registers_written(const struct ptx_instruction *i, uint32_t list[PTX_VECTOR])
{
    return operand_destinations(i) ? add_operand(&i->operand[0], list) : 0;
}

struct register_counts registers_count(struct code *c)
{
    const struct body *b = &c->body;
    struct register_counts n = { arena_get(&c->arena, b->registers, sizeof *n.reads),
                                 arena_get(&c->arena, b->registers, sizeof *n.writes) };
    for (uint32_t at = 0; at < b->count; at++) {
        uint32_t list[REGISTERS_MOST], count = registers_read(&b->list[at], list);
        for (uint32_t k = 0; k < count; k++)
            n.reads[list[k]]++;
        count = registers_written(&b->list[at], list);
        for (uint32_t k = 0; k < count; k++)
            n.writes[list[k]]++;
    }
    return n;
}

/* The only instruction that writes it; NULL: there are none or several. */
static const struct ptx_instruction *only_writer(const struct code *c, uint32_t reg)
{
    const struct ptx_instruction *writer = NULL;
    for (uint32_t n = 0; n < c->body.count; n++) {
        uint32_t list[PTX_VECTOR], count = registers_written(&c->body.list[n], list);
        for (uint32_t k = 0; k < count; k++)
            if (list[k] == reg) {
                if (writer)
                    return NULL;
                writer = &c->body.list[n];
            }
    }
    return writer;
}

bool registers_constant(const struct code *c, uint32_t reg, uint64_t *number)
{
    for (uint32_t moves = 0; moves < c->body.registers; moves++) {
        const struct ptx_instruction *i = only_writer(c, reg);
        if (!i || i->op != PTX_MOV || i->guard != PTX_NO_GUARD
            || i->operand[0].kind != PTX_REGISTER)
            return false;
        *number = i->operand[1].bits;
        reg = i->operand[1].number;
        if (i->operand[1].kind != PTX_REGISTER)
            return i->operand[1].kind == PTX_IMMEDIATE;
    }
    return false;               /* moved in a ring */
}
