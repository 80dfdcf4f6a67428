/* spill.c - which words live in local memory, and their loads and stores.
 *
 * The price of a word is how often it is read and written, ten times as much in each loop,
 * for each gap that it would leave free.  Words of the slice (slice.c) come last: once an
 * address goes through memory, the kernel is not oblivious any more.
 */
#include "models/gpu/compile/spill.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/gpu/compile/expand.h"

#define CONTROL_PRICE 1e9

static double *prices(struct code *c, const struct ranges *r)
{
    double *price = arena_get(&c->arena, c->registers, sizeof *price);
    for (uint32_t b = 0; b < c->block_count; b++) {
        double weight = 1;
        for (uint32_t d = 0; d < c->blocks[b].depth && d < 6; d++)
            weight *= 10;
        for (uint32_t k = 0; k < c->blocks[b].count; k++) {
            const struct code_op *o = &c->ops[c->blocks[b].first + k];
            const uint32_t *words = code_dsts(c, o);
            for (uint32_t n = 0; n < (uint32_t)o->op.dsts + o->op.srcs; n++)
                if (!is_constant(words[n]))
                    price[words[n]] += o->keeps ? 1e30 : weight;
        }
    }
    for (uint32_t w = 0; w < c->registers; w++) {
        uint64_t gaps = 1;
        for (uint32_t k = r->first[w]; k != NONE; k = r->list[k].next)
            gaps += r->list[k].to - r->list[k].from + 1;
        price[w] /= (double)gaps;
        if (w < c->control_words && c->controls[w] == CODE_CONTROLS)
            price[w] *= CONTROL_PRICE;
    }
    return price;
}

static bool can_spill(const struct code *c, uint32_t word, const double *price)
{
    return word < c->first_spilled && price[word] < 1e25;
}

/* The cheapest word that fills `gap` and is not chosen yet; NONE. */
static uint32_t cheapest(const struct code *c, const struct ranges *r, uint32_t gap,
                         const double *price, const uint8_t *chosen)
{
    uint32_t best = NONE;
    for (uint32_t k = 0; k < r->count; k++) {
        uint32_t word = r->list[k].item;
        if (word < c->registers && r->list[k].from <= gap && gap <= r->list[k].to
            && !chosen[word] && can_spill(c, word, price)
            && (best == NONE || price[word] < price[best]))
            best = word;
    }
    return best;
}

static void leave(const struct ranges *r, uint32_t word, uint32_t *pressure)
{
    for (uint32_t k = r->first[word]; k != NONE; k = r->list[k].next)
        for (uint32_t g = r->list[k].from; g <= r->list[k].to; g++)
            pressure[g]--;
}

bool spill_excess(struct code *c, const struct ranges *r, uint8_t *chosen, bool *possible)
{
    uint32_t *pressure;
    *possible = true;
    if (ranges_pressure(c, r, &pressure) <= c->limit)
        return false;
    const double *price = prices(c, r);
    for (;;) {
        uint32_t worst = 0;
        for (uint32_t g = 0; g < r->gaps; g++)
            if (pressure[g] > pressure[worst])
                worst = g;
        if (pressure[worst] <= c->limit)
            return true;
        uint32_t word = cheapest(c, r, worst, price, chosen);
        if (word == NONE) {
            /* What is here already waits for its own loads; others may free more. */
            *possible = memchr(chosen, 1, c->registers) != NULL;
            return true;
        }
        chosen[word] = 1;
        leave(r, word, pressure);
    }
}

bool spill_failed(struct code *c, const struct ranges *r, const uint8_t *failed,
                  uint8_t *chosen)
{
    const double *price = prices(c, r);
    bool any = false;
    for (uint32_t w = 0; w < c->registers; w++) {
        if (!failed[w])
            continue;
        uint32_t word = w;
        for (uint32_t k = r->first[w]; k != NONE && (word == w); k = r->list[k].next) {
            uint32_t other = cheapest(c, r, r->list[k].from, price, chosen);
            if (other != NONE && (!can_spill(c, w, price) || price[other] < price[w]))
                word = other;
        }
        if (word != w || can_spill(c, w, price)) {
            chosen[word] = 1;
            any = true;
        }
    }
    return any;
}

struct spilling {
    struct code    *c;
    const uint8_t  *chosen;
    uint32_t       *slot;           /* of each chosen word: its place in local memory */
    struct code_op *ops;            /* the new list */
    uint32_t        count, room;
    struct gpu_op   load, store;
};

static struct gpu_op local_access(struct code *c, enum ptx_op op, enum gpu_kind kind)
{
    struct ptx_instruction i = { .op = op, .type = { PTX_B32 }, .space = PTX_LOCAL,
                                 .vector = 1, .operands = 2, .guard = PTX_NO_GUARD };
    i.operand[op == PTX_LD ? 1 : 0].kind = PTX_MEMORY;
    i.operand[op == PTX_LD ? 1 : 0].base = PTX_IMMEDIATE;
    i.operand[op == PTX_LD ? 0 : 1].kind = PTX_REGISTER;
    struct gpu_op o = expand_pipe(c, GPU_PIPE_LSU);
    bool found = gpu_execute_find(&i, &o);
    assert(found);
    o.kind = (uint8_t)kind;
    o.access.space = GPU_SPACE_LOCAL;
    o.access.address_words = 0;
    return o;
}

static void put(struct spilling *s, const struct code_op *o)
{
    s->ops = arena_grow(&s->c->arena, s->ops, s->count, s->count + 1, &s->room, sizeof *o);
    s->ops[s->count++] = *o;
}

static void put_access(struct spilling *s, const struct gpu_op *op, const struct code_op *of,
                       uint32_t word, uint32_t temporary)
{
    struct code_op o = { .op = *op, .from = of->from, .words = s->c->used, .guard = of->guard,
                         .pdst = { NONE, NONE }, .psrc = { NONE, NONE, NONE },
                         .complete = op->kind == GPU_LOAD };
    o.op.line = of->op.line;
    o.op.nots = of->op.nots & GPU_GUARD_NOT;
    o.op.access.offset = (int32_t)s->slot[word];
    o.op.dsts = op->kind == GPU_LOAD;
    o.op.srcs = op->kind == GPU_STORE;
    code_add_words(s->c, &temporary, 1);
    put(s, &o);
}

/* The operation with temporaries for what is spilled, its loads before and stores after. */
static void spill_op(struct spilling *s, const struct code_op *o)
{
    struct code *c = s->c;
    uint32_t total = (uint32_t)o->op.dsts + o->op.srcs;
    uint32_t words[2 * LIST_WORDS];
    assert(total <= 2 * LIST_WORDS);
    memcpy(words, c->words + o->words, total * sizeof *words);
    for (uint32_t k = o->op.dsts; k < total; k++) {
        uint32_t word = words[k];
        if (is_constant(word) || word >= c->first_spilled || !s->chosen[word])
            continue;
        uint32_t temporary = c->registers++;
        for (uint32_t n = k; n < total; n++)
            if (words[n] == word)
                words[n] = temporary;
        put_access(s, &s->load, o, word, temporary);
    }
    struct code_op copy = *o;
    uint32_t was[LIST_WORDS];
    for (uint32_t k = 0; k < o->op.dsts; k++) {
        was[k] = words[k];
        if (was[k] < c->first_spilled && s->chosen[was[k]]) {
            words[k] = c->registers++;
            copy.complete = true;
        }
    }
    memcpy(c->words + o->words, words, total * sizeof *words);
    put(s, &copy);
    for (uint32_t k = 0; k < (o->op.flags & GPU_OP_PART ? 0u : o->op.dsts); k++)
        if (was[k] != words[k])
            put_access(s, &s->store, o, was[k], words[k]);
}

/* A guarded operation keeps what its destinations were: through memory all of them, or none
 * (`complete` says it of the whole operation). */
static void choose_together(const struct code *c, uint8_t *chosen)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t n = 0; n < c->count; n++) {
            const struct code_op *o = &c->ops[n];
            const uint32_t *dst = code_dsts(c, o);
            bool any = false;
            for (uint32_t k = 0; k < o->op.dsts && !code_kills(o); k++)
                any |= dst[k] < c->first_spilled && chosen[dst[k]];
            for (uint32_t k = 0; k < o->op.dsts && any; k++) {
                changed |= !chosen[dst[k]];
                chosen[dst[k]] = 1;
            }
        }
    }
}

static void give_slots(struct spilling *s)
{
    struct code *c = s->c;
    s->slot = arena_get(&c->arena, c->registers, sizeof *s->slot);
    c->local_bytes = (c->local_bytes + 3) / 4 * 4;
    for (uint32_t w = 0; w < c->first_spilled; w++) {
        if (!s->chosen[w])
            continue;
        s->slot[w] = c->local_bytes;
        c->local_bytes += 4;
        enum code_control control = w < c->control_words ? c->controls[w] : CODE_NO_CONTROL;
        c->counts_lost |= control == CODE_COUNTS;
        if (control == CODE_CONTROLS && c->oblivious) {
            c->oblivious = false;
            snprintf(c->why_not, sizeof c->why_not,
                     "an address or branch needs a value that found no register");
        }
    }
}

void spill_words(struct code *c, uint8_t *chosen)
{
    choose_together(c, chosen);
    struct spilling s = { .c = c, .chosen = chosen };
    s.load = local_access(c, PTX_LD, GPU_LOAD);
    s.store = local_access(c, PTX_ST, GPU_STORE);
    give_slots(&s);
    for (uint32_t b = 0; b < c->block_count; b++) {
        uint32_t first = s.count;
        for (uint32_t k = 0; k < c->blocks[b].count; k++) {
            struct code_op o = c->ops[c->blocks[b].first + k];
            spill_op(&s, &o);
        }
        c->blocks[b].first = first;
        c->blocks[b].count = s.count - first;
    }
    c->ops = s.ops;
    c->count = s.count;
    c->room = s.room;
}
