/* sm_tags.c - what L1 holds: lines in sets, found by hash.
 *
 * The set of a line turns with the lines above it, so that neither neighbours nor powers of
 * two apart meet in one set, and as many lines side by side as there are all fit.  Which line
 * of a full set goes: a hand passes over the ways and takes the first that was not used since
 * it last came by.
 */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/sm_inside.h"

void sm_tags_make(struct sm_tags *t, uint32_t lines)
{
    t->lines = lines;
    for (t->buckets = 1; t->buckets < lines; t->buckets *= 2)
        ;
    t->tag = sm_zeroed(lines, sizeof *t->tag);
    t->bucket = sm_zeroed(t->buckets, sizeof *t->bucket);
    t->hand = sm_zeroed(lines, sizeof *t->hand);
    sm_tags_forget(t);
}

void sm_tags_free(struct sm_tags *t)
{
    free(t->tag);
    free(t->bucket);
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
    memset(t->tag, 0, t->lines * sizeof *t->tag);
    memset(t->hand, 0, t->lines * sizeof *t->hand);
    for (uint32_t i = 0; i < t->buckets; i++)
        t->bucket[i] = NONE;
}

static uint32_t *bucket_of(const struct sm_tags *t, uint64_t line)
{
    return &t->bucket[line * UINT64_C(0x9e3779b97f4a7c15) >> 40 & (t->buckets - 1)];
}

void sm_tags_prefetch(const struct sm_tags *t, uint64_t address)
{
    __builtin_prefetch(bucket_of(t, address / GPU_LINE));
}

uint32_t sm_tags_find(const struct sm_tags *t, uint64_t address)
{
    uint64_t line = address / GPU_LINE;
    uint32_t at = *bucket_of(t, line);
    while (at != NONE && t->tag[at].line != line + 1)
        at = t->tag[at].next;
    return at;
}

static uint32_t way_to_go(struct sm_tags *t, uint64_t line)
{
    uint32_t set = (uint32_t)((line + line / t->sets) % t->sets), first = set * t->ways;
    for (;;) {
        uint32_t at = first + t->hand[set];
        t->hand[set] = t->hand[set] + 1 < t->ways ? t->hand[set] + 1 : 0;
        if (!t->tag[at].used)
            return at;
        t->tag[at].used = false;
    }
}

static void take_out(struct sm_tags *t, uint32_t at)
{
    uint32_t *link = bucket_of(t, t->tag[at].line - 1);
    while (*link != at)
        link = &t->tag[*link].next;
    *link = t->tag[at].next;
}

uint32_t sm_tags_place(struct sm_tags *t, uint64_t address)
{
    uint32_t at = sm_tags_find(t, address);
    if (at != NONE)
        return at;
    uint64_t line = address / GPU_LINE;
    at = way_to_go(t, line);
    if (t->tag[at].line != 0)
        take_out(t, at);
    uint32_t *bucket = bucket_of(t, line);
    t->tag[at] = (struct sm_tag){ .line = line + 1, .next = *bucket };
    *bucket = at;
    return at;
}
