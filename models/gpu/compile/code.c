/* code.c - what all passes use: adding operations, constants, messages. */
#include "models/gpu/compile/code.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool code_fail(struct code *c, const struct ptx_instruction *i, const char *format, ...)
{
    char text[sizeof c->diag->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!c->diag->text[0])
        snprintf(c->diag->file, sizeof c->diag->file, "%s", c->module->file);
    return diag_set(c->diag, i ? i->line : c->entry->line, i ? i->column : 0, "%s", text);
}

static void hash_again(struct code *c)
{
    c->hash_size = c->hash_size ? 2 * c->hash_size : 64;
    c->constant_hash = arena_get(&c->arena, c->hash_size, sizeof c->constant_hash[0]);
    for (uint32_t k = 0; k < c->constant_count; k++) {
        uint32_t at = c->constants[k] * UINT32_C(2654435761) & (c->hash_size - 1);
        while (c->constant_hash[at])
            at = (at + 1) & (c->hash_size - 1);
        c->constant_hash[at] = k + 1;
    }
}

uint32_t code_constant(struct code *c, uint32_t value)
{
    if (2 * (c->constant_count + 1) > c->hash_size)
        hash_again(c);
    uint32_t at = value * UINT32_C(2654435761) & (c->hash_size - 1);
    for (; c->constant_hash[at]; at = (at + 1) & (c->hash_size - 1))
        if (c->constants[c->constant_hash[at] - 1] == value)
            return CONSTANT | (c->constant_hash[at] - 1);
    c->constants = arena_grow(&c->arena, c->constants, c->constant_count, c->constant_count + 1,
                              &c->constant_room, sizeof c->constants[0]);
    c->constants[c->constant_count] = value;
    c->constant_hash[at] = c->constant_count + 1;
    return CONSTANT | c->constant_count++;
}

struct code_op *code_add(struct code *c, const struct ptx_instruction *from)
{
    c->ops = arena_grow(&c->arena, c->ops, c->count, c->count + 1, &c->room, sizeof c->ops[0]);
    struct code_op *o = &c->ops[c->count++];
    *o = (struct code_op){ .from = from, .words = c->used, .guard = NONE,
                           .pdst = { NONE, NONE }, .psrc = { NONE, NONE, NONE } };
    return o;
}

void code_add_words(struct code *c, const uint32_t *words, uint32_t count)
{
    c->words = arena_grow(&c->arena, c->words, c->used, c->used + count, &c->words_room,
                          sizeof c->words[0]);
    if (count)
        memcpy(c->words + c->used, words, count * sizeof words[0]);
    c->used += count;
}

void code_close_gaps(struct code *c)
{
    uint32_t end = 0;
    for (uint32_t b = 0; b < c->block_count; b++) {
        struct code_block *at = &c->blocks[b];
        memmove(c->ops + end, c->ops + at->first, at->count * sizeof c->ops[0]);
        at->first = end;
        end += at->count;
    }
    c->count = end;
}

static void add_writer(struct code_writers *w, uint32_t item, uint32_t slot, uint32_t op)
{
    w->op[slot] = op;
    w->next[slot] = w->first[item];
    w->first[item] = slot;
}

struct code_writers code_find_writers(struct code *c)
{
    size_t items = (size_t)c->registers + c->predicates, slots = c->used + 2 * (size_t)c->count;
    struct code_writers w = { arena_get(&c->arena, items, sizeof *w.first),
                              arena_get(&c->arena, slots, sizeof *w.next),
                              arena_get(&c->arena, slots, sizeof *w.op) };
    memset(w.first, 0xff, items * sizeof *w.first);
    for (uint32_t n = 0; n < c->count; n++) {
        const struct code_op *o = &c->ops[n];
        for (uint32_t d = 0; d < o->op.dsts; d++)
            add_writer(&w, code_dsts(c, o)[d], o->words + d, n);
        for (uint32_t d = 0; d < 2; d++)
            if (o->pdst[d] != NONE)
                add_writer(&w, c->registers + o->pdst[d], c->used + 2 * n + d, n);
    }
    return w;
}
