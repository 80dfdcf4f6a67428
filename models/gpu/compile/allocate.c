/* allocate.c - a register for each word, a predicate for each predicate.
 *
 * In the order in which words begin, each takes a register that is free in all its gaps:
 * that of the word it is a copy of, if it can (then the copy goes), else one in the bank that
 * the other sources of its operations use least.  What finds none goes to local memory.
 */
#include "models/gpu/compile/ranges.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile/spill.h"

#define HINTS 3
#define MEASURED 256         /* registers to begin with where there is no limit */

struct allocation {
    struct code  *c;
    struct ranges r;
    uint32_t      limit, used;
    size_t        row;              /* 64-bit words of a gap's registers */
    uint64_t     *taken;            /* [gaps][row]: a bit a register */
    uint64_t     *busy;             /* [row]: those taken in any gap of the item at hand */
    uint32_t    (*copies)[HINTS];   /* of each word: what it is a copy of, or is copied to */
    uint32_t     *first_use, *next_use;     /* of each word: where it stands in lists */
    uint32_t     *owner;            /* of each place in lists: the operation */
};

/* A gap has its registers side by side, so one walk over an item's gaps looks at all of them.
 * None at or past `used` has been taken. */
static void find_busy(struct allocation *a, uint32_t item)
{
    memset(a->busy, 0, a->row * sizeof *a->busy);
    for (uint32_t w = 0; w < (a->used + 63) / 64; w++) {
        uint64_t busy = 0;
        for (uint32_t k = a->r.first[item]; k != NONE; k = a->r.list[k].next)
            for (uint32_t g = a->r.list[k].from; g <= a->r.list[k].to; g++)
                busy |= a->taken[g * a->row + w];
        a->busy[w] = busy;
    }
}

static void take(struct allocation *a, uint32_t item, uint32_t number)
{
    for (uint32_t k = a->r.first[item]; k != NONE; k = a->r.list[k].next)
        for (uint32_t g = a->r.list[k].from; g <= a->r.list[k].to; g++)
            bit_set(a->taken + g * a->row, number);
    a->c->placed[item] = number;
    if (number >= a->used)
        a->used = number + 1;
}

static void add_hint(struct allocation *a, uint32_t word, uint32_t other)
{
    for (int k = 0; k < HINTS; k++)
        if (a->copies[word][k] == NONE || a->copies[word][k] == other) {
            a->copies[word][k] = other;
            return;
        }
}

static void find_hints(struct allocation *a)
{
    struct code *c = a->c;
    a->copies = arena_get(&c->arena, c->registers, sizeof a->copies[0]);
    a->first_use = arena_get(&c->arena, c->registers, sizeof *a->first_use);
    a->next_use = arena_get(&c->arena, c->used, sizeof *a->next_use);
    a->owner = arena_get(&c->arena, c->used, sizeof *a->owner);
    memset(a->copies, 0xff, c->registers * sizeof a->copies[0]);
    memset(a->first_use, 0xff, c->registers * sizeof *a->first_use);
    for (uint32_t n = 0; n < c->count; n++) {
        const struct code_op *o = &c->ops[n];
        const uint32_t *src = code_srcs(c, o);
        if (o->is_copy && !is_constant(src[0])) {
            add_hint(a, code_dsts(c, o)[0], src[0]);
            add_hint(a, src[0], code_dsts(c, o)[0]);
        }
        for (uint32_t k = 0; k < o->op.srcs && k < 3; k++)
            if (!is_constant(src[k])) {
                uint32_t place = o->words + o->op.dsts + k;
                a->owner[place] = n;
                a->next_use[place] = a->first_use[src[k]];
                a->first_use[src[k]] = place;
            }
    }
}

/* How often each bank is read by what reads this word, as far as is known. */
static void count_banks(const struct allocation *a, uint32_t word, uint32_t *reads)
{
    const struct code *c = a->c;
    uint32_t banks = c->config->sm.register_banks, looked = 0;
    memset(reads, 0, banks * sizeof *reads);
    for (uint32_t p = a->first_use[word]; p != NONE && looked < 8; p = a->next_use[p], looked++) {
        const struct code_op *o = &c->ops[a->owner[p]];
        for (uint32_t k = 0; k < o->op.srcs && k < 3; k++) {
            uint32_t other = code_srcs(c, o)[k];
            if (!is_constant(other) && other != word && c->placed[other] != NONE)
                reads[c->placed[other] % banks]++;
        }
    }
}

/* Of the registers in use that are not busy, the first in the bank that is read least. */
static uint32_t choose_bank(const struct allocation *a, const uint32_t *reads)
{
    uint32_t banks = a->c->config->sm.register_banks, best = NONE, least = NONE;
    for (uint32_t first = 0; first < a->used; first += 64) {
        uint64_t free = ~a->busy[first / 64];
        if (a->used - first < 64)
            free &= (UINT64_C(1) << (a->used - first)) - 1;
        for (; free; free &= free - 1) {
            uint32_t number = first + (uint32_t)__builtin_ctzll(free);
            if (reads[number % banks] < least) {
                best = number;
                least = reads[number % banks];
            }
        }
    }
    return best;
}

static uint32_t choose(struct allocation *a, uint32_t word)
{
    uint32_t reads[16];
    assert(a->c->config->sm.register_banks <= 16);
    find_busy(a, word);
    for (int k = 0; k < HINTS; k++) {
        uint32_t other = a->copies[word][k];
        if (other != NONE && a->c->placed[other] != NONE
            && !bit_get(a->busy, a->c->placed[other]))
            return a->c->placed[other];
    }
    count_banks(a, word, reads);
    uint32_t best = choose_bank(a, reads);
    return best == NONE && a->used < a->limit ? a->used : best;
}

static uint32_t start_of(const struct ranges *r, uint32_t item)
{
    uint32_t least = NONE;
    for (uint32_t k = r->first[item]; k != NONE; k = r->list[k].next)
        least = r->list[k].from < least ? r->list[k].from : least;
    return least;
}

/* Items in the order of their beginning: by counting, for gaps are few and dense. */
static uint32_t in_order(struct allocation *a, uint32_t from, uint32_t to, uint32_t *order)
{
    struct arena *arena = &a->c->arena;
    uint32_t *head = arena_get(arena, a->r.gaps, sizeof *head), count = 0;
    uint32_t *next = arena_get(arena, to - from, sizeof *next);
    memset(head, 0xff, a->r.gaps * sizeof *head);
    for (uint32_t item = to; item-- > from;)
        if (a->r.first[item] != NONE) {
            uint32_t start = start_of(&a->r, item);
            next[item - from] = head[start];
            head[start] = item;
        }
    for (uint32_t g = 0; g < a->r.gaps; g++)
        for (uint32_t item = head[g]; item != NONE; item = next[item - from])
            order[count++] = item;
    return count;
}

/* Words that found no register are marked in `failed`; whether all did. */
static bool place_words(struct allocation *a, uint8_t *failed)
{
    struct code *c = a->c;
    uint32_t *order = arena_get(&c->arena, c->registers, sizeof *order);
    uint32_t count = in_order(a, 0, c->registers, order);
    bool all = true;
    for (uint32_t k = 0; k < count; k++) {
        uint32_t number = choose(a, order[k]);
        if (number != NONE) {
            take(a, order[k], number);
        } else {
            failed[order[k]] = 1;
            all = false;
        }
    }
    return all;
}

_Static_assert(GPU_PREDICATES == 64, "the predicates of a gap are one word");

static bool place_predicates(struct allocation *a)
{
    struct code *c = a->c;
    uint32_t *order = arena_get(&c->arena, c->predicates, sizeof *order);
    uint32_t count = in_order(a, c->registers, c->registers + c->predicates, order);
    for (uint32_t k = 0; k < count; k++) {
        find_busy(a, order[k]);
        if (a->busy[0] == UINT64_MAX) {
            const struct code_writers w = code_find_writers(c);
            const struct ptx_instruction *i = c->ops[w.op[w.first[order[k]]]].from;
            return code_fail(c, i, "more than %u predicates are needed at once", GPU_PREDICATES);
        }
        take(a, order[k], (uint32_t)__builtin_ctzll(~a->busy[0]));
    }
    return true;
}

static void none_taken(struct allocation *a, uint32_t limit)
{
    a->limit = limit;
    a->used = 0;
    a->row = (limit + 63) / 64;
    a->taken = arena_get(&a->c->arena, a->r.gaps * a->row, sizeof *a->taken);
    a->busy = arena_get(&a->c->arena, a->row, sizeof *a->busy);
}

static struct allocation begin(struct code *c, uint32_t limit)
{
    struct allocation a = { .c = c };
    code_live(c);
    a.r = code_ranges(c);
    none_taken(&a, limit);
    c->placed = arena_get(&c->arena, (size_t)c->registers + c->predicates, sizeof *c->placed);
    memset(c->placed, 0xff, ((size_t)c->registers + c->predicates) * sizeof *c->placed);
    find_hints(&a);
    return a;
}

uint32_t code_registers(struct code *c)
{
    uint32_t limit = MEASURED;
    for (;; limit *= 2) {
        struct allocation a = begin(c, limit);
        if (place_words(&a, arena_get(&c->arena, c->registers, 1)))
            return a.used;
    }
}

bool code_allocate(struct code *c)
{
    struct allocation a;
    c->first_spilled = c->registers;
    for (;;) {
        a = begin(c, c->limit);
        uint8_t *failed = arena_get(&c->arena, c->registers, 1);
        uint8_t *chosen = arena_get(&c->arena, c->registers, 1);
        bool possible;
        if (!spill_excess(c, &a.r, chosen, &possible)) {
            if (place_words(&a, failed))
                break;
            possible = spill_failed(c, &a.r, failed, chosen);
        }
        if (!possible)
            return code_fail(c, NULL, "%s: an operation needs more than the %u registers that a "
                             "thread may have", c->entry->name, c->limit);
        spill_words(c, chosen);
    }
    c->kernel_registers = a.used ? a.used : 1;
    none_taken(&a, GPU_PREDICATES);
    if (!place_predicates(&a))
        return false;
    c->kernel_predicates = a.used;
    return true;
}
