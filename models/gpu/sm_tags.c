/* sm_tags.c - what L1 holds: lines in sets.
 *
 * The set of a line turns with the lines above it, so that neither neighbours nor powers of
 * two apart meet in one set, and as many lines side by side as there are all fit.  Which line
 * of a full set goes: a hand passes over the ways and takes the first that was not used since
 * it last came by.
 *
 * An SM has not run for long when its turn comes, and then wants a few lines of its directory:
 * so that is kept small, and a search is a walk over neighbours, of many at once.
 */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/sm_inside.h"

#define STRIDE 16                   /* lines that a search looks at together */

void sm_tags_make(struct sm_tags *t, uint32_t lines)
{
    t->lines = lines;
    t->low = zeroed(lines, sizeof *t->low);
    t->tag = zeroed(lines, sizeof *t->tag);
    t->hand = zeroed(lines, sizeof *t->hand);
}

void sm_tags_free(struct sm_tags *t)
{
    free(t->low);
    free(t->tag);
    free(t->hand);
}

void sm_tags_shape(struct sm_tags *t, uint32_t lines, uint32_t ways)
{
    t->ways = lines < ways ? lines : ways;
    t->sets = t->ways > 0 ? lines / t->ways : 0;
    sm_tags_forget(t);
}

void sm_tags_forget(struct sm_tags *t)
{
    memset(t->low, 0, t->lines * sizeof *t->low);
    memset(t->tag, 0, t->lines * sizeof *t->tag);
    memset(t->hand, 0, t->lines * sizeof *t->hand);
}

/* There are some. */
static uint32_t set_of(const struct sm_tags *t, uint64_t line)
{
    return (uint32_t)((line + line / t->sets) % t->sets);
}

void sm_tags_prefetch(const struct sm_tags *t, uint64_t address)
{
    if (t->sets == 0)
        return;
    const uint32_t *low = t->low + set_of(t, address / GPU_LINE) * t->ways;
    for (uint32_t i = 0; i < t->ways; i += 64 / sizeof *low)
        __builtin_prefetch(low + i);
}

/* Written so that compilers make vector instructions of it. */
static inline bool any_is(const uint32_t low[STRIDE], uint32_t wanted)
{
    uint32_t any = 0;
    for (uint32_t i = 0; i < STRIDE; i++)
        any |= low[i] == wanted;
    return any != 0;
}

static uint32_t find_in(const struct sm_tags *t, uint32_t from, uint32_t to, uint64_t name)
{
    for (uint32_t at = from; at < to; at++)
        if (t->low[at] == (uint32_t)name && t->tag[at].high == name >> 32)
            return at;
    return NONE;
}

uint32_t sm_tags_find(const struct sm_tags *t, uint64_t address)
{
    if (t->sets == 0)
        return NONE;
    uint64_t line = address / GPU_LINE, name = line + 1;
    uint32_t at = set_of(t, line) * t->ways, end = at + t->ways;
    for (; end - at >= STRIDE; at += STRIDE) {
        uint32_t found = any_is(t->low + at, (uint32_t)name)
                       ? find_in(t, at, at + STRIDE, name) : NONE;
        if (found != NONE)
            return found;
    }
    return find_in(t, at, end, name);
}

static uint32_t way_to_go(struct sm_tags *t, uint64_t line)
{
    uint32_t set = set_of(t, line), first = set * t->ways;
    for (;;) {
        uint32_t at = first + t->hand[set];
        t->hand[set] = t->hand[set] + 1 < t->ways ? t->hand[set] + 1 : 0;
        if (!t->tag[at].used)
            return at;
        t->tag[at].used = false;
    }
}

uint32_t sm_tags_place(struct sm_tags *t, uint64_t address)
{
    uint32_t at = sm_tags_find(t, address);
    if (at != NONE)
        return at;
    uint64_t line = address / GPU_LINE, name = line + 1;
    at = way_to_go(t, line);
    t->low[at] = (uint32_t)name;
    t->tag[at] = (struct sm_tag){ .high = (uint16_t)(name >> 32) };
    return at;
}
