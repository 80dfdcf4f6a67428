/* wiring.c - every list is made once and has a place for everything that can be on it,
 * so a window costs what happened in it and allocates nothing. */
#include "sim/wiring.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The sending end of a link at a block. */
struct port {
    uint32_t link;
    uint32_t sender;            /* of the link */
};

/* Ends of links at a block.  Of those where it sends, only the ones where it has sent, or
 * that still lack a credit, are looked at: a crossbar has a thousand that are quiet. */
struct ends {
    uint32_t *receives;         /* links */
    uint32_t  receive_count;
    struct port *sends;
    uint32_t  send_count;
    struct link_list active;    /* of `sends` */
};

struct inside {
    struct wiring wiring;       /* first: what others see */
    const struct engine_config *config;
    struct ends *ends;          /* [block] */
    uint32_t    *receives;      /* what the blocks' arrays are parts of */
    struct port *sends;
    uint32_t    *entries;
    uint32_t    *touched;       /* links with a block that ran at an end */
    uint32_t     touched_count;
    bool        *is_touched, *is_changed;
};

static struct inside *inside(struct wiring *w)
{
    return (struct inside *)w;
}

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);      /* + 1: none is not a failure */
    assert(p);
    return p;
}

static uint32_t senders(const struct engine_link *l)
{
    return link_config(l->link)->senders;
}

/* ---- building */

static void check(const struct engine_config *c)
{
    tick_t window = wiring_window(c);
    assert(c->block_count > 0);
    assert(window >= ENGINE_LEAST_WINDOW);
    assert(window <= engine_window(c));
    for (uint32_t b = 0; b < c->block_count; b++)
        assert(c->blocks[b].name && c->blocks[b].run);
    for (uint32_t i = 0; i < c->link_count; i++) {
        assert(c->links[i].receiver < c->block_count);
        for (uint32_t s = 0; s < senders(&c->links[i]); s++)
            assert(c->links[i].senders[s] < c->block_count);
    }
}

/* Counts the ends of each block, and of all. */
static uint32_t count_ends(struct inside *w)
{
    const struct engine_config *c = w->config;
    uint32_t sends = 0;
    for (uint32_t i = 0; i < c->link_count; i++) {
        w->ends[c->links[i].receiver].receive_count++;
        for (uint32_t s = 0; s < senders(&c->links[i]); s++, sends++)
            w->ends[c->links[i].senders[s]].send_count++;
    }
    return sends;
}

static void part_arrays(struct inside *w)
{
    uint32_t receives = 0, sends = 0;
    for (uint32_t b = 0; b < w->config->block_count; b++) {
        struct ends *e = &w->ends[b];
        e->receives = w->receives + receives;
        e->sends = w->sends + sends;
        e->active.entries = w->entries + sends;
        receives += e->receive_count;
        sends += e->send_count;
        e->receive_count = e->send_count = 0;       /* list_ends counts again */
    }
}

static void list_ends(struct inside *w)
{
    const struct engine_config *c = w->config;
    w->ends = zeroed(c->block_count, sizeof *w->ends);
    uint32_t all = count_ends(w);
    w->receives = zeroed(c->link_count, sizeof *w->receives);
    w->sends = zeroed(all, sizeof *w->sends);
    w->entries = zeroed(all, sizeof *w->entries);
    part_arrays(w);
    for (uint32_t i = 0; i < c->link_count; i++) {
        struct ends *to = &w->ends[c->links[i].receiver];
        to->receives[to->receive_count++] = i;
        for (uint32_t s = 0; s < senders(&c->links[i]); s++) {
            struct ends *from = &w->ends[c->links[i].senders[s]];
            link_report(c->links[i].link, s, &from->active, from->send_count);
            from->sends[from->send_count++] = (struct port){ i, s };
        }
    }
}

struct wiring *wiring_new(const struct engine_config *config)
{
    check(config);
    struct inside *w = zeroed(1, sizeof *w);
    w->config         = config;
    w->wiring.wake    = zeroed(config->block_count, sizeof *w->wiring.wake);
    w->wiring.changed = zeroed(config->block_count, sizeof *w->wiring.changed);
    w->is_changed     = zeroed(config->block_count, sizeof *w->is_changed);
    w->touched        = zeroed(config->link_count, sizeof *w->touched);
    w->is_touched     = zeroed(config->link_count, sizeof *w->is_touched);
    list_ends(w);
    return &w->wiring;
}

void wiring_free(struct wiring *wiring)
{
    if (!wiring)
        return;
    struct inside *w = inside(wiring);
    for (uint32_t i = 0; i < w->config->link_count; i++)
        for (uint32_t s = 0; s < senders(&w->config->links[i]); s++)
            link_report(w->config->links[i].link, s, NULL, 0);
    free(wiring->wake);
    free(wiring->changed);
    free(w->is_changed);
    free(w->touched);
    free(w->is_touched);
    free(w->ends);
    free(w->receives);
    free(w->sends);
    free(w->entries);
    free(w);
}

/* ---- between windows */

static void touch(struct inside *w, uint32_t link)
{
    if (!w->is_touched[link])
        w->touched[w->touched_count++] = link;
    w->is_touched[link] = true;
}

static void change(struct inside *w, uint32_t block)
{
    if (!w->is_changed[block])
        w->wiring.changed[w->wiring.changed_count++] = block;
    w->is_changed[block] = true;
}

static void alarm_at(struct inside *w, uint32_t block, tick_t at)
{
    if (at >= w->wiring.wake[block])
        return;
    w->wiring.wake[block] = at;
    change(w, block);
}

static void forget_changes(struct inside *w)
{
    for (uint32_t i = 0; i < w->wiring.changed_count; i++)
        w->is_changed[w->wiring.changed[i]] = false;
    w->wiring.changed_count = 0;
}

/* Gathers what the block sent there.  Whether it still lacks a credit, whose coming back
 * must be worked out anew: the alarm that woke the block may have come before one that was
 * set for later. */
static bool settle_port(struct inside *w, uint32_t block, const struct port *p, tick_t end)
{
    struct link *l = w->config->links[p->link].link;
    touch(w, p->link);
    link_gather(l, p->sender);
    tick_t credit = link_credit_at(l, p->sender);
    if (credit >= end)
        alarm_at(w, block, credit);
    return credit >= end;
}

static void settle_block(struct inside *w, uint32_t block, tick_t end)
{
    assert(w->wiring.wake[block] >= end);       /* else it left work undone */
    if (w->wiring.wake[block] != TICK_NEVER)
        change(w, block);
    struct ends *e = &w->ends[block];
    for (uint32_t i = 0; i < e->receive_count; i++)
        touch(w, e->receives[i]);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < e->active.count; i++) {
        const struct port *p = &e->sends[e->active.entries[i]];
        if (settle_port(w, block, p, end))
            e->active.entries[kept++] = e->active.entries[i];
        else
            link_unlist(w->config->links[p->link].link, p->sender);
    }
    e->active.count = kept;
}

static void settle_link(struct inside *w, const struct engine_link *l, tick_t end)
{
    uint32_t sender;
    tick_t at;
    link_deliver(l->link);
    while (link_return(l->link, &sender, &at))
        alarm_at(w, l->senders[sender], at);
    tick_t arrival = link_arrival(l->link);
    if (arrival >= end)
        alarm_at(w, l->receiver, arrival);
}

void wiring_settle(struct wiring *wiring, const uint32_t *ran, uint32_t count, tick_t end)
{
    struct inside *w = inside(wiring);
    forget_changes(w);
    for (uint32_t i = 0; i < count; i++)
        settle_block(w, ran[i], end);
    for (uint32_t i = 0; i < w->touched_count; i++) {
        settle_link(w, &w->config->links[w->touched[i]], end);
        w->is_touched[w->touched[i]] = false;
    }
    w->touched_count = 0;
}

/* ---- what the twin shares */

tick_t engine_window(const struct engine_config *config)
{
    tick_t least = TICK_NEVER;
    for (uint32_t i = 0; i < config->link_count; i++)
        least = tick_min(least, link_config(config->links[i].link)->latency);
    return least == TICK_NEVER ? 1000 * TICKS_PER_NS : least;
}

tick_t wiring_window(const struct engine_config *config)
{
    return config->window ? config->window : engine_window(config);
}

tick_t wiring_limit(const struct engine_config *config)
{
    /* Ticks end after five hours: the last windows must not wrap. */
    tick_t last = TICK_NEVER - 2 * engine_window(config);
    return config->limit ? tick_min(config->limit, last) : last;
}

tick_t wiring_end(const struct engine_config *config, tick_t start)
{
    tick_t window = engine_window(config);
    return tick_min((start / window + 1) * window, wiring_limit(config));
}

__attribute__((format(printf, 4, 5)))
static size_t append(char *text, size_t size, size_t used, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text + used, size - used, format, args);
    va_end(args);
    assert(length >= 0);
    return used + (size_t)length < size ? used + (size_t)length : size - 1;
}

bool wiring_stuck(const struct engine_config *c, char *text, size_t size)
{
    size_t used = append(text, size, 0, "%s", "");
    for (uint32_t b = 0; b < c->block_count; b++) {
        const struct block *block = &c->blocks[b];
        if (!block->idle || block->idle(block->self))
            continue;
        char what[512] = "has work left";
        if (block->describe)
            block->describe(block->self, what, sizeof what);
        used = append(text, size, used, "%s: %s\n", block->name, what);
    }
    for (uint32_t i = 0; i < c->link_count; i++) {
        const struct link *l = c->links[i].link;
        uint64_t left = link_sent(l) - link_taken(l);
        if (left > 0)
            used = append(text, size, used, "%s: %llu messages that %s did not take\n",
                          link_config(l)->name, (unsigned long long)left,
                          c->blocks[c->links[i].receiver].name);
    }
    return used > 0;
}
