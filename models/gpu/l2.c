/* l2.c - the group as a block: what comes is served in order of arrival, what goes is sent in
 * order of departure.
 *
 * Everything that arrives in a window is served when its turn comes, even if its slice is
 * busy past the window's end: nothing that comes later can be served before it.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/gpu/l2_inside.h"
#include "models/zeroed.h"

/* ---- items */

uint32_t gpu_l2_item_new(struct gpu_l2 *l)
{
    uint32_t item = l->items_back_count > 0 ? l->items_back[--l->items_back_count]
                                            : l->item_fresh++;
    assert(item < l->item_most);
    l->items[item] = (struct l2_item){ .next = L2_NONE };
    l->items_used++;
    return item;
}

static void free_item(struct gpu_l2 *l, uint32_t item)
{
    l->items_back[l->items_back_count++] = item;
    l->items_used--;
}

void gpu_l2_append(struct gpu_l2 *l, struct l2_list *list, uint32_t item)
{
    l->items[item].next = L2_NONE;
    if (list->first == L2_NONE)
        list->first = item;
    else
        l->items[list->last].next = item;
    list->last = item;
}

uint32_t gpu_l2_pop(struct gpu_l2 *l, struct l2_list *list)
{
    uint32_t item = list->first;
    list->first = l->items[item].next;
    return item;
}

void gpu_l2_post(struct gpu_l2 *l, struct l2_outbox *o, uint32_t slice, uint32_t item,
                 cycle_t at)
{
    struct l2_list *list = &o->list[slice];
    l->items[item].at = at;
    if (list->first == L2_NONE)
        o->first[slice] = at;
    else
        assert(l->items[list->last].at <= at);
    gpu_l2_append(l, list, item);
}

/* ---- what is paid for */

static void tell_ledger(struct gpu_l2 *l, struct l2_tally *t)
{
    ledger_add(l->ledger, GPU_EVENT_L2_TAG, t->group, t->lines, l->tally_from, l->tally_last);
    ledger_add(l->ledger, GPU_EVENT_L2, t->group, t->bytes, l->tally_from, l->tally_last);
    ledger_add(l->ledger, GPU_EVENT_FAR, t->group, t->far, l->tally_from, l->tally_last);
    *t = (struct l2_tally){ 0 };
}

struct l2_tally *gpu_l2_tally(struct gpu_l2 *l, uint32_t group)
{
    struct l2_tally *t = &l->tally[group % L2_TALLIES];
    if (t->group != group) {
        tell_ledger(l, t);
        t->group = group;
    }
    return t;
}

static void tell_all(struct gpu_l2 *l)
{
    for (uint32_t i = 0; i < L2_TALLIES; i++)
        tell_ledger(l, &l->tally[i]);
}

/* Something happens at `now`.  Tallies are of one interval of a ledger at most. */
static void note_time(struct gpu_l2 *l, tick_t now)
{
    if (now >= l->tally_until) {
        tell_all(l);
        l->tally_from = now;
        l->tally_until = (now / LEDGER_FIRST_INTERVAL + 1) * LEDGER_FIRST_INTERVAL;
    }
    l->tally_last = now;
}

/* ---- what goes */

static uint32_t first_slice(const struct gpu_l2 *l, const struct l2_outbox *o)
{
    uint32_t best = 0;
    for (uint32_t s = 1; s < l->run.map->slices; s++)
        if (o->first[s] < o->first[best])
            best = s;
    return best;
}

/* Takes the first of a slice's list. */
static uint32_t take_first(struct gpu_l2 *l, struct l2_outbox *o, uint32_t slice)
{
    uint32_t item = gpu_l2_pop(l, &o->list[slice]);
    uint32_t next = o->list[slice].first;
    o->first[slice] = next == L2_NONE ? CYCLE_NEVER : l->items[next].at;
    return item;
}

/* Sends the first message of `o` if it can leave before `end`; when it does, or could.  One
 * that finds no credit holds up those behind it. */
static tick_t send_first(struct gpu_l2 *l, struct l2_outbox *o, tick_t *not_before, tick_t end)
{
    uint32_t slice = first_slice(l, o);
    tick_t at = clock_tick(&l->clock, o->first[slice]);
    if (at >= end)
        return at;
    const struct l2_item *i = &l->items[o->list[slice].first];
    struct link *link = o == &l->to_sms ? l->run.answers[i->sm]
                      : o == &l->to_memory ? l->run.to_memory : l->run.to_other;
    uint32_t sender = o == &l->to_sms ? l->number
                    : o == &l->to_memory ? l->run.memory_sender : 0;
    at = link_send_at(link, sender, tick_max(at, *not_before));
    if (at >= end)
        return at;
    link_send(link, sender, at, &i->m);
    *not_before = at;
    if (o == &l->to_sms && i->m.kind == GPU_READ)
        *not_before += l2_bytes(&i->m) * l->port_ticks;
    if (o == &l->to_sms && l->held-- == l->held_most)
        l->room_at = at;
    free_item(l, take_first(l, o, slice));
    return at;
}

/* All that leaves before `end`; when the next could. */
static tick_t send(struct gpu_l2 *l, struct l2_outbox *o, tick_t *not_before, tick_t end)
{
    tick_t at;
    for (uint32_t s = 0; s < l->run.map->slices; s++)
        if (o->first[s] != CYCLE_NEVER)
            __builtin_prefetch(&l->items[o->list[s].first]);
    do
        at = send_first(l, o, not_before, end);
    while (at < end);
    return at;
}

/* ---- what comes */

/* Takes requests that have a place and arrive before `end`, a few at a time. */
static void take_requests(struct gpu_l2 *l, tick_t end)
{
    struct l2_inbox *in = &l->inbox;
    struct link *link = l->run.requests;
    while (in->count < L2_INBOX && l->held < l->held_most) {
        tick_t at = tick_max(link_arrival(link), l->room_at);
        if (at >= end)
            return;
        uint32_t sm, item = gpu_l2_item_new(l);
        struct l2_item *i = &l->items[item];
        i->m = *link_peek(link, at, &sm);
        i->sm = (uint16_t)sm;
        link_take(link, at);
        l->held++;
        __builtin_prefetch(link_look(link, 2));
        in->entry[in->count].arrival = at;
        in->entry[in->count].item = item;
        in->entry[in->count].place = gpu_l2_map_place(l->run.map, i->m.address);
        gpu_l2_prefetch(l, &in->entry[in->count++].place);
    }
}

static void fill_inbox(struct gpu_l2 *l, tick_t end)
{
    struct l2_inbox *in = &l->inbox;
    in->next = 0;
    take_requests(l, end);
    for (uint32_t i = 0; i < in->count; i++)
        gpu_l2_prefetch_line(l, &in->entry[i].place, l->items[in->entry[i].item].m.address);
}

static void serve_request(struct gpu_l2 *l, tick_t now)
{
    uint32_t next = l->inbox.next++;
    l->inbox.count--;
    gpu_l2_request(l, &l->inbox.entry[next].place, l->inbox.entry[next].item,
                   clock_cycle(&l->clock, now));
}

/* As with requests: the MSHR of one that will come soon; then, once that is there, its line
 * and who waits. */
static void prefetch_fills(const struct gpu_l2 *l)
{
    const struct message *far = link_look(l->run.from_memory, 2);
    const struct message *near = link_look(l->run.from_memory, 1);
    if (far && far->kind == HBM_READ_RUN)
        __builtin_prefetch(&l->mshrs[far->id]);
    if (!near || near->kind != HBM_READ_RUN)
        return;
    const struct l2_mshr *h = &l->mshrs[near->id];
    if (h->waiting.first != L2_NONE)
        __builtin_prefetch(&l->items[h->waiting.first]);
    if (h->line != L2_NONE)
        __builtin_prefetch(&l->lines[h->line]);
}

static void take_from_memory(struct gpu_l2 *l, tick_t now)
{
    prefetch_fills(l);
    struct message m = *link_peek(l->run.from_memory, now, NULL);
    link_take(l->run.from_memory, now);
    if (m.kind == HBM_READ_RUN)
        gpu_l2_filled(l, &m, clock_cycle(&l->clock, now));
    else
        gpu_l2_written_back(l, &m, clock_cycle(&l->clock, now));
}

static void take_far_request(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    uint32_t item = gpu_l2_item_new(l);
    l->items[item].m = *m;
    l->items[item].sm = L2_FAR;
    struct gpu_l2_place p = gpu_l2_map_place(l->run.map, m->address);
    gpu_l2_request(l, &p, item, now);
}

static void take_from_other(struct gpu_l2 *l, tick_t now)
{
    struct message m = *link_peek(l->run.from_other, now, NULL);
    cycle_t cycle = clock_cycle(&l->clock, now);
    link_take(l->run.from_other, now);
    switch ((enum l2_far)m.kind) {
    case L2_FAR_READ: case L2_FAR_WRITE: case L2_FAR_REDUCE:
        take_far_request(l, &m, cycle);
        return;
    case L2_FAR_ANSWER: gpu_l2_far_answer(l, &m, cycle); return;
    case L2_FORGET:     gpu_l2_forget(l, &m, cycle); return;
    case L2_FORGOTTEN:  gpu_l2_forgotten(l, &m, cycle); return;
    }
    assert(!"a message of the other partition");
}

/* When the next request is served; TICK_NEVER: not before `end`, or not before an answer
 * has left and made room. */
static tick_t next_request(struct gpu_l2 *l, tick_t end)
{
    if (l->inbox.count == 0)
        fill_inbox(l, end);
    return l->inbox.count ? l->inbox.entry[l->inbox.next].arrival : TICK_NEVER;
}

/* Does the next thing before `end`; of several at once, what frees something goes first. */
static bool step(struct gpu_l2 *l, tick_t end)
{
    tick_t memory = link_arrival(l->run.from_memory);
    tick_t other = l->run.from_other ? link_arrival(l->run.from_other) : TICK_NEVER;
    tick_t request = next_request(l, end), limit = tick_min(end, tick_min(memory, other));
    bool full = request == TICK_NEVER && link_arrival(l->run.requests) < end;
    if (full && send_first(l, &l->to_sms, &l->sms_at, limit) < limit)
        return true;
    tick_t first = tick_min(tick_min(memory, other), request);
    if (first >= end)
        return false;
    note_time(l, first);
    if (memory == first)
        take_from_memory(l, first);
    else if (other == first)
        take_from_other(l, first);
    else
        serve_request(l, first);
    return true;
}

static tick_t run(void *self, tick_t end)
{
    struct gpu_l2 *l = self;
    while (step(l, end))
        ;
    tick_t next = send(l, &l->to_sms, &l->sms_at, end);
    next = tick_min(next, send(l, &l->to_memory, &l->memory_at, end));
    if (l->run.to_other)
        next = tick_min(next, send(l, &l->to_other, &l->other_at, end));
    return next;
}

static bool idle(const void *self)
{
    return ((const struct gpu_l2 *)self)->items_used == 0;
}

static void describe(const void *self, char *text, size_t size)
{
    const struct gpu_l2 *l = self;
    uint32_t stalled = 0;
    for (uint32_t s = 0; s < l->run.map->slices; s++)
        for (int way = 0; way < L2_WAYS; way++)
            stalled += l->slices[s].stalled[way].first != L2_NONE;
    snprintf(text, size, "%s: %u requests of SMs held, %u messages in all; %u queues wait for "
             "a line, an MSHR or a write-back", l->run.name, l->held, l->items_used, stalled);
}

struct block gpu_l2_block(struct gpu_l2 *l)
{
    return (struct block){ .name = l->run.name, .self = l, .run = run, .idle = idle,
                           .describe = describe };
}

void gpu_l2_record(struct gpu_l2 *l, struct record *r)
{
    l->record = r;
    l->record_track = record_amount_track(r, "slices", l->run.map->slices);
}

/* ---- building */

static void init_outbox(struct l2_outbox *o, uint32_t slices)
{
    o->list = zeroed(slices, sizeof *o->list);
    o->first = zeroed(slices, sizeof *o->first);
    for (uint32_t s = 0; s < slices; s++) {
        o->list[s] = (struct l2_list){ L2_NONE, L2_NONE };
        o->first[s] = CYCLE_NEVER;
    }
}

static void init_slices(struct gpu_l2 *l)
{
    uint32_t slices = l->run.map->slices, mshrs = l->config.mshrs;
    l->slices = zeroed(slices, sizeof *l->slices);
    l->mshrs = zeroed((size_t)slices * L2_WAYS * mshrs, sizeof *l->mshrs);
    for (uint32_t i = 0; i < slices * L2_WAYS; i++) {
        struct l2_slice *s = &l->slices[i / L2_WAYS];
        s->stalled[i % L2_WAYS] = (struct l2_list){ L2_NONE, L2_NONE };
        s->mshr_free[i % L2_WAYS] = i * mshrs;
        for (uint32_t m = i * mshrs; m < (i + 1) * mshrs; m++)
            l->mshrs[m].next_free = m + 1 < (i + 1) * mshrs ? m + 1 : L2_NONE;
    }
}

/* Touched only as far as they are used.  The most that can be held: requests of SMs and of the
 * other partition (each waits for an MSHR there), each with a message to forget a copy; runs
 * of lines under way and of lines written back; what is asked of the other partition, and
 * answered to it. */
static void init_items(struct gpu_l2 *l)
{
    uint32_t places = l->run.map->slices * l->config.mshrs;
    l->held_most = l->run.sms * l->config.queue;
    uint64_t far = l->run.to_other ? (uint64_t)6 * places + 2 * l->held_most : 0;
    uint64_t most = l->held_most + (uint64_t)places * 2 * l->sectors + far + l->sectors;
    assert(most < L2_NONE);
    l->item_most = (uint32_t)most;
    l->items = aligned_alloc(L2_HOST_LINE, most * sizeof *l->items);
    if (!l->items)
        abort();
    l->items_back = zeroed(most, sizeof *l->items_back);
}

static uint32_t log2_of(uint32_t n)
{
    assert(n && (n & (n - 1)) == 0);
    return (uint32_t)__builtin_ctz(n);
}

struct gpu_l2 *gpu_l2_new(const struct gpu_l2_config_run *c)
{
    const struct gpu_l2_config *f = &c->config->l2;
    assert(f->sector_bytes == GPU_SECTOR);
    assert(f->line_bytes >= GPU_LINE && f->line_bytes <= 32 * GPU_SECTOR);
    struct gpu_l2 *l = zeroed(1, sizeof *l);
    l->run = *c;
    l->config = *f;
    l->clock.hz = (uint64_t)(f->clock_mhz * 1e6 + 0.5);
    if (f->port_bytes > 0)
        l->port_ticks = (tick_t)(TICKS_PER_NS * 1e3 / (f->clock_mhz * f->port_bytes) + 0.5);
    l->number = c->partition * c->map->stacks + c->stack;
    l->line_shift = log2_of(f->line_bytes);
    l->sectors = f->line_bytes / GPU_SECTOR;
    l->sets = (uint32_t)(f->bytes / f->slices / f->line_bytes / f->ways);
    l->near_copies = f->partitions == 2 && f->copies == GPU_L2_NEAR;
    l->write_back_most = f->mshrs;
    size_t lines = (size_t)c->map->slices * l->sets * f->ways;
    assert(l->sets > 0 && lines < L2_NONE);
    l->exact = gpu_l2_tags_exact(l);
    l->tags = zeroed(lines, sizeof *l->tags);
    l->lines = zeroed(lines, sizeof *l->lines);
    if (l->near_copies && c->payloads)
        l->copies = zeroed(lines, f->line_bytes);
    init_outbox(&l->to_sms, c->map->slices);
    init_outbox(&l->to_memory, c->map->slices);
    init_outbox(&l->to_other, c->map->slices);
    init_slices(l);
    init_items(l);
    l->stats = zeroed(c->groups, sizeof *l->stats);
    l->ledger = ledger_new(GPU_EVENTS_COUNT, c->groups);
    return l;
}

static void free_outbox(struct l2_outbox *o)
{
    free(o->list);
    free(o->first);
}

void gpu_l2_free(struct gpu_l2 *l)
{
    if (!l)
        return;
    free_outbox(&l->to_sms);
    free_outbox(&l->to_memory);
    free_outbox(&l->to_other);
    ledger_free(l->ledger);
    void *arrays[] = { l->tags, l->lines, l->copies, l->mshrs, l->slices, l->items,
                       l->items_back, l->stats, l };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        free(arrays[i]);
}

/* ---- counts */

struct gpu_l2_stats gpu_l2_stats(const struct gpu_l2 *l, uint32_t group)
{
    assert(group < l->run.groups);
    return l->stats[group];
}

const struct ledger *gpu_l2_ledger(struct gpu_l2 *l)
{
    tell_all(l);
    return l->ledger;
}

uint64_t gpu_l2_dirty_bytes(const struct gpu_l2 *l)
{
    return l->dirty_sectors * GPU_SECTOR;
}
