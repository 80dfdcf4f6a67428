/* predicate.c - short ways round a branch become guarded instructions, as ptxas makes them.
 *
 *     @p bra L;  a;  b;  L:                   @!p a;  @!p b;
 *     @p bra L;  a;  bra M;  L:  b;  M:       @!p a;  @p b;
 *     @p bra L;  bra M;  L:                   @!p bra M;
 *
 * What is only looked at within the way itself is computed by all lanes, without a guard, if
 * that can do no harm.
 */
#include "models/gpu/compile/code.h"
#include "models/gpu/compile/operands.h"
#include "models/gpu/compile/registers.h"

#define WAY 7                       /* instructions of a way, at most */

struct ways {
    struct code *c;
    struct register_counts all;     /* in the whole body */
    uint32_t *inside;               /* uses of each register in the way at hand */
    uint32_t *jumps;                /* to each label */
    uint32_t *label_at;             /* of each instruction: a label before it + 1 */
};

/* Neither waits for others nor goes elsewhere nor is long. */
static bool can_guard(const struct ptx_instruction *i)
{
    if (i->guard != PTX_NO_GUARD)
        return false;
    switch (i->op) {
    case PTX_ADD: case PTX_SUB: case PTX_MUL: case PTX_MAD: case PTX_FMA: case PTX_ABS:
    case PTX_NEG: case PTX_MIN: case PTX_MAX: case PTX_SETP: case PTX_SELP: case PTX_AND:
    case PTX_OR: case PTX_XOR: case PTX_NOT: case PTX_LOP3: case PTX_SHL: case PTX_SHR:
    case PTX_MOV: case PTX_CVT: case PTX_CVTA: case PTX_LD: case PTX_ST: case PTX_PRMT:
    case PTX_RED: case PTX_BFE: case PTX_BFI: case PTX_SHF:
        return true;
    default:
        return false;
    }
}

static bool is_memory(const struct ptx_instruction *i)
{
    return i->op == PTX_LD || i->op == PTX_ST || i->op == PTX_RED;
}

static bool writes_register(const struct ptx_instruction *i, uint32_t number)
{
    uint32_t list[PTX_VECTOR], count = registers_written(i, list);
    for (uint32_t k = 0; k < count; k++)
        if (list[k] == number)
            return true;
    return false;
}

/* From `from` up to `to`: can it be guarded by `guard`? */
static bool is_way(const struct ways *w, uint32_t from, uint32_t to, uint32_t guard)
{
    const struct ptx_instruction *list = w->c->body.list;
    if (to - from > WAY)
        return false;
    for (uint32_t n = from; n < to; n++)
        if (!can_guard(&list[n]) || writes_register(&list[n], guard)
            || (n > from && w->label_at[n]))
            return false;
    return true;
}

static void count_inside(struct ways *w, uint32_t from, uint32_t to, int by)
{
    for (uint32_t n = from; n < to; n++) {
        uint32_t list[REGISTERS_MOST], count = registers_read(&w->c->body.list[n], list);
        for (uint32_t k = 0; k < count; k++)
            w->inside[list[k]] += (uint32_t)by;
    }
}

/* All that reads what it writes comes after it in its way, and nothing else writes that. */
static bool stays_inside(const struct ways *w, uint32_t from, uint32_t n)
{
    uint32_t list[PTX_VECTOR], count = registers_written(&w->c->body.list[n], list);
    for (uint32_t k = 0; k < count; k++) {
        if (w->all.writes[list[k]] != 1 || w->all.reads[list[k]] != w->inside[list[k]])
            return false;
        for (uint32_t before = from; before <= n; before++) {
            uint32_t read[REGISTERS_MOST], reads;
            reads = registers_read(&w->c->body.list[before], read);
            for (uint32_t r = 0; r < reads; r++)
                if (read[r] == list[k])
                    return false;
        }
    }
    return count > 0;
}

static void guard_way(struct ways *w, uint32_t from, uint32_t to, uint32_t guard, bool negated)
{
    struct body *b = &w->c->body;
    count_inside(w, from, to, 1);
    for (uint32_t n = from; n < to; n++) {
        bool inside = stays_inside(w, from, n);
        b->complete[n] = inside;
        if (inside && !is_memory(&b->list[n]))
            continue;
        b->list[n].guard = guard;
        b->list[n].guard_negated = negated;
    }
    count_inside(w, from, to, -1);
}

/* Nothing: the expansion passes over it. */
static void erase(struct ptx_instruction *i)
{
    i->op = PTX_PMEVENT;
    i->guard = PTX_NO_GUARD;
    i->operands = 0;
}

static bool is_jump(const struct ptx_instruction *i)
{
    return i->op == PTX_BRA && i->guard == PTX_NO_GUARD;
}

/* Labels that nobody jumps to any more stand in nobody's way. */
static void find_labels(struct ways *w)
{
    const struct body *b = &w->c->body;
    for (uint32_t n = 0; n <= b->count; n++)
        w->label_at[n] = 0;
    for (uint32_t k = 0; k < b->label_count; k++)
        if (w->jumps[k])
            w->label_at[b->labels[k]] = k + 1;
}

static void forget_jump(struct ways *w, uint32_t label)
{
    if (!--w->jumps[label])
        find_labels(w);
}

/* @p bra L; bra M; L: */
static bool turn_round(struct ways *w, uint32_t n)
{
    struct body *b = &w->c->body;
    uint32_t label = b->list[n].operand[0].number;
    if (n + 1 >= b->count || !is_jump(&b->list[n + 1]) || w->label_at[n + 1]
        || b->labels[label] != n + 2)
        return false;
    b->list[n].operand[0] = b->list[n + 1].operand[0];
    b->list[n].guard_negated = !b->list[n].guard_negated;
    erase(&b->list[n + 1]);
    forget_jump(w, label);
    return true;
}

static void try_branch(struct ways *w, uint32_t n)
{
    struct body *b = &w->c->body;
    struct ptx_instruction *bra = &b->list[n];
    uint32_t label = bra->operand[0].number, end = b->labels[label], guard = bra->guard;
    bool negated = bra->guard_negated;
    if (end <= n + 1)
        return;
    if (is_way(w, n + 1, end, guard) && !w->label_at[n + 1]) {
        guard_way(w, n + 1, end, guard, !negated);
        erase(bra);
        forget_jump(w, label);
        return;
    }
    /* With an else: its label is this branch's alone, and the first way ends in a jump. */
    if (w->jumps[label] != 1 || !is_jump(&b->list[end - 1]) || w->label_at[n + 1])
        return;
    uint32_t last = b->list[end - 1].operand[0].number, meet = b->labels[last];
    if (meet < end || meet - n > WAY + 2 || !is_way(w, n + 1, end - 1, guard)
        || w->label_at[end - 1] || !is_way(w, end, meet, guard))
        return;
    guard_way(w, n + 1, end - 1, guard, !negated);
    guard_way(w, end, meet, guard, negated);
    erase(&b->list[end - 1]);
    erase(bra);
    forget_jump(w, label);
    forget_jump(w, last);
}

void code_predicate(struct code *c)
{
    struct ways w = { .c = c, .all = registers_count(c) };
    struct body *b = &c->body;
    w.inside = arena_get(&c->arena, b->registers, sizeof *w.inside);
    w.jumps = arena_get(&c->arena, b->label_count, sizeof *w.jumps);
    w.label_at = arena_get(&c->arena, b->count + 1, sizeof *w.label_at);
    b->complete = arena_get(&c->arena, b->count, 1);
    for (uint32_t n = 0; n < b->count; n++)
        if (b->list[n].op == PTX_BRA)
            w.jumps[b->list[n].operand[0].number]++;
    find_labels(&w);
    for (uint32_t n = 0; n < b->count; n++)
        if (b->list[n].op == PTX_BRA && b->list[n].guard != PTX_NO_GUARD) {
            if (!turn_round(&w, n))
                try_branch(&w, n);
            else
                n--;        /* now perhaps a short way */
        }
}
