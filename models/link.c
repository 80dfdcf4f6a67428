/* link.c - a ring of slots a sender, and one list that says whose turn it is.
 *
 * A message never moves: it is written into its sender's next slot and read there.
 * The slot is free again when the credit of the message that used it is back, so the
 * slots are the credits, and because each sender's messages are taken in order, one
 * comparison says whether it may send.
 *
 *                  0     credited   taken     published   sent
 *     a sender's   |---------|--------|-----------|---------|
 *                   credit     credit   under way   not yet
 *                   is known   isn't    or waiting  published
 *
 * Whatever was sent in one window arrives before everything sent in the next, so
 * publishing sorts a window's messages once and appends them to `order`.
 */
#include "models/link.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64

struct slot {
    tick_t         arrival;     /* written by the sender */
    tick_t         back;        /* when its credit is back: written by the receiver */
    struct message message;
};

/* Sender and receiver may run at the same time: they write to lines of their own. */
struct sender {
    alignas(CACHE_LINE)
    uint64_t     sent;          /* the sender's: messages so far */
    uint64_t     sure;          /* for so many it has credits, without a look at slots */
    tick_t       ready;         /* the interval after the last one has passed */
    struct link_list *list;     /* of those who sent, or NULL */
    uint32_t     entry;         /* its own there */
    bool         listed;
    alignas(CACHE_LINE)
    uint64_t     taken;         /* the receiver's */
    uint64_t     published;     /* the engine's, as all that follows */
    uint64_t     credited;
    struct slot *slots;
    bool         gathered;
};

/* A sender's oldest unpublished message, in the heap that sorts a window's. */
struct candidate {
    tick_t   arrival;
    uint32_t rank;              /* among those of the same tick: lowest first */
    uint32_t sender;
};

struct link {
    struct link_config config;
    uint64_t slot_mask, order_mask;
    struct slot      *slots;
    uint32_t         *order;        /* senders, in the order of their messages */
    struct candidate *heap;
    uint32_t          heap_count;
    uint64_t published, credited;   /* ends of `order` that the engine moves */
    alignas(CACHE_LINE)
    uint64_t taken;                 /* the end that the receiver moves */
    alignas(CACHE_LINE)
    struct sender senders[];
};

static uint64_t power_of_two_at_least(uint64_t n)
{
    uint64_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

/* Not cleared: nothing in it is read before it has been written, so what a link never uses
 * is never touched. */
static void *room(size_t count, size_t size)
{
    void *p = malloc(count * size);
    assert(p);
    return p;
}

struct link *link_new(const struct link_config *config)
{
    assert(config->latency > 0);
    assert(config->senders > 0);
    assert(config->depth > 0);
    uint64_t slots = power_of_two_at_least(config->depth);
    uint64_t order = power_of_two_at_least((uint64_t)config->senders * config->depth);
    size_t   size  = sizeof(struct link) + config->senders * sizeof(struct sender);

    struct link *l = aligned_alloc(CACHE_LINE, size);
    assert(l);
    memset(l, 0, size);
    l->config     = *config;
    l->slot_mask  = slots - 1;
    l->order_mask = order - 1;
    l->slots = room(config->senders * slots, sizeof *l->slots);
    l->order = room(order, sizeof *l->order);
    l->heap  = room(config->senders, sizeof *l->heap);
    for (uint32_t s = 0; s < config->senders; s++) {
        l->senders[s].slots = l->slots + s * slots;
        l->senders[s].sure = config->depth;
    }
    return l;
}

void link_free(struct link *l)
{
    if (!l)
        return;
    free(l->slots);
    free(l->order);
    free(l->heap);
    free(l);
}

const struct link_config *link_config(const struct link *l)
{
    return &l->config;
}

/* ---- the sending half */

tick_t link_credit_at(const struct link *l, uint32_t sender)
{
    assert(sender < l->config.senders);
    const struct sender *s = &l->senders[sender];
    if (s->sent < s->sure)
        return 0;
    uint64_t user = s->sent - l->config.depth;      /* whose credit the next one needs */
    return user < s->credited ? s->slots[user & l->slot_mask].back : TICK_NEVER;
}

tick_t link_send_at(const struct link *l, uint32_t sender, tick_t now)
{
    tick_t credit = link_credit_at(l, sender);
    return tick_max(tick_max(now, l->senders[sender].ready), credit);
}

bool link_can_send(const struct link *l, uint32_t sender, tick_t now)
{
    return link_send_at(l, sender, now) == now;
}

/* Credits come back in order: if the last is back, all are. */
static void look_at_credits(const struct link *l, struct sender *s, tick_t now)
{
    if (s->credited > 0 && s->slots[(s->credited - 1) & l->slot_mask].back <= now)
        s->sure = s->credited + l->config.depth;
}

static void enlist(struct sender *s)
{
    if (!s->list)
        return;
    s->list->entries[s->list->count++] = s->entry;
    s->listed = true;
}

void link_send(struct link *l, uint32_t sender, tick_t now, const struct message *m)
{
    assert(now < TICK_NEVER - l->config.latency);
    assert(link_can_send(l, sender, now));
    struct sender *s = &l->senders[sender];
    struct slot *slot = &s->slots[s->sent & l->slot_mask];
    slot->arrival = now + l->config.latency;
    slot->message = *m;
    s->ready = now + l->config.interval;
    if (++s->sent >= s->sure)
        look_at_credits(l, s, now);
    if (!s->listed)
        enlist(s);
}

void link_report(struct link *l, uint32_t sender, struct link_list *list, uint32_t entry)
{
    assert(sender < l->config.senders);
    l->senders[sender].list   = list;
    l->senders[sender].entry  = entry;
    l->senders[sender].listed = false;
    if (list)
        enlist(&l->senders[sender]);        /* it may have sent before */
}

void link_unlist(struct link *l, uint32_t sender)
{
    l->senders[sender].listed = false;
}

void link_prefetch(const struct link *l, uint32_t sender)
{
    __builtin_prefetch(&l->config);
    __builtin_prefetch(&l->senders[sender].sent);
    __builtin_prefetch(&l->senders[sender].taken);
}

/* ---- the receiving half */

static uint32_t next_sender(const struct link *l)
{
    return l->order[l->taken & l->order_mask];
}

static struct slot *next_slot(const struct link *l)
{
    const struct sender *s = &l->senders[next_sender(l)];
    return &s->slots[s->taken & l->slot_mask];
}

tick_t link_arrival(const struct link *l)
{
    return l->taken == l->published ? TICK_NEVER : next_slot(l)->arrival;
}

const struct message *link_peek(const struct link *l, tick_t now, uint32_t *sender)
{
    if (l->taken == l->published || next_slot(l)->arrival > now)
        return NULL;
    if (sender)
        *sender = next_sender(l);
    return &next_slot(l)->message;
}

const struct message *link_look(const struct link *l, uint32_t behind)
{
    if (l->published - l->taken <= behind)
        return NULL;
    uint32_t sender = l->order[(l->taken + behind) & l->order_mask];
    const struct sender *s = &l->senders[sender];
    uint64_t at = s->taken;
    for (uint32_t i = 0; i < behind; i++)
        at += l->order[(l->taken + i) & l->order_mask] == sender;
    return &s->slots[at & l->slot_mask].message;
}

void link_take(struct link *l, tick_t now)
{
    assert(link_peek(l, now, NULL));
    next_slot(l)->back = now + l->config.latency;
    l->senders[next_sender(l)].taken++;
    l->taken++;
}

/* ---- between windows */

/* A mixing function (the finalizer of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Where a sender stands in the rotation at a tick.  It starts at a sender, and goes up
 * or down, as the tick's hash says: cycles fall on regular ticks, whose own remainder
 * would favour one sender, and going up only would favour each over its successor. */
static uint32_t rank(const struct link *l, tick_t arrival, uint32_t sender)
{
    uint32_t count = l->config.senders;
    uint64_t hash  = mix(arrival);
    uint32_t first = (uint32_t)(((hash >> 32) * count) >> 32);
    uint32_t after = sender >= first ? sender - first : count - (first - sender);
    return (hash & 1) || after == 0 ? after : count - after;
}

static bool before(const struct candidate *a, const struct candidate *b)
{
    return a->arrival != b->arrival ? a->arrival < b->arrival : a->rank < b->rank;
}

static struct candidate oldest(const struct link *l, uint32_t sender)
{
    const struct sender *s = &l->senders[sender];
    tick_t arrival = s->slots[s->published & l->slot_mask].arrival;
    return (struct candidate){ arrival, rank(l, arrival, sender), sender };
}

/* Puts `c` in the place of the heap's root. */
static void sink(struct link *l, struct candidate c)
{
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < l->heap_count && before(&l->heap[child + 1], &l->heap[child]))
            child++;
        if (child >= l->heap_count || !before(&l->heap[child], &c))
            break;
        l->heap[at] = l->heap[child];
        at = child;
    }
    l->heap[at] = c;
}

static void rise(struct link *l, struct candidate c)
{
    uint32_t at = l->heap_count++;
    for (; at > 0 && before(&c, &l->heap[(at - 1) / 2]); at = (at - 1) / 2)
        l->heap[at] = l->heap[(at - 1) / 2];
    l->heap[at] = c;
}

void link_gather(struct link *l, uint32_t sender)
{
    assert(sender < l->config.senders);
    struct sender *s = &l->senders[sender];
    if (s->gathered || s->published == s->sent)
        return;
    s->gathered = true;
    rise(l, oldest(l, sender));
}

bool link_deliver(struct link *l)
{
    bool moved = l->heap_count > 0;
    while (l->heap_count > 0) {
        uint32_t sender = l->heap[0].sender;
        struct sender *s = &l->senders[sender];
        l->order[l->published++ & l->order_mask] = sender;
        if (++s->published < s->sent) {
            sink(l, oldest(l, sender));
        } else {
            s->gathered = false;
            struct candidate last = l->heap[--l->heap_count];
            sink(l, last);
        }
    }
    return moved;
}

bool link_return(struct link *l, uint32_t *sender, tick_t *at)
{
    if (l->credited == l->taken)
        return false;
    *sender = l->order[l->credited++ & l->order_mask];
    struct sender *s = &l->senders[*sender];
    bool awaited = link_credit_at(l, *sender) == TICK_NEVER;
    s->credited++;
    *at = awaited ? link_credit_at(l, *sender) : TICK_NEVER;
    return true;
}

bool link_publish(struct link *l)
{
    for (uint32_t s = 0; s < l->config.senders; s++)
        link_gather(l, s);
    bool moved = link_deliver(l);
    uint32_t sender;
    tick_t at;
    while (link_return(l, &sender, &at))
        moved = true;
    return moved;
}

uint64_t link_sent(const struct link *l)
{
    uint64_t sent = 0;
    for (uint32_t s = 0; s < l->config.senders; s++)
        sent += l->senders[s].sent;
    return sent;
}

uint64_t link_taken(const struct link *l)
{
    return l->taken;
}
