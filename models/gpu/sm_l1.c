/* sm_l1.c - the first-level cache: lines of four sectors, written through, not allocated by
 * stores; lines under way in MSHRs that others may wait for too.
 *
 * A store to a line that is under way makes what comes back old: it goes to those who wait
 * for it and not into the cache.
 *
 * Not modelled: sectors that are evicted by themselves; requests for more than was asked.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/sm_inside.h"

static uint64_t lines_of(const struct gpu_config *c) { return c->l1.bytes / GPU_LINE; }

void sm_l1_make(struct gpu_sm *sm)
{
    const struct gpu_config *c = sm->c;
    struct sm_l1 *l1 = &sm->l1;
    uint32_t waiters = c->l1.mshrs * c->l1.merges;
    sm_tags_make(&l1->tags, (uint32_t)lines_of(c));
    if (sm->run.values)
        l1->bytes = zeroed(lines_of(c), sizeof *l1->bytes);
    l1->misses = zeroed(c->l1.mshrs, sizeof *l1->misses);
    l1->waiters = zeroed(waiters, sizeof *l1->waiters);
    for (l1->buckets = 1; l1->buckets < c->l1.mshrs; l1->buckets *= 2)
        ;
    l1->bucket = zeroed(l1->buckets, sizeof *l1->bucket);
    for (uint32_t i = 0; i < l1->buckets; i++)
        l1->bucket[i] = NONE;
    for (uint32_t i = 0; i < c->l1.mshrs; i++)
        l1->misses[i].next = i + 1 < c->l1.mshrs ? i + 1 : NONE;
    l1->free_waiter = NONE;
    sm->store_flight = zeroed(c->l1.stores, sizeof *sm->store_flight);
    sm->free_stores = zeroed(c->l1.stores, sizeof *sm->free_stores);
    for (uint32_t i = c->l1.stores; i > 0; i--)
        sm->free_stores[sm->free_store_count++] = i - 1;
    sm->out_room = c->l1.mshrs + c->l1.stores;
    sm->out = zeroed(sm->out_room, sizeof *sm->out);
}

/* What shared memory does not take; it comes in steps. */
void sm_l1_carve(struct gpu_sm *sm)
{
    const struct gpu_config *c = sm->c;
    uint64_t step = c->shared.carve_bytes;
    uint64_t taken = (uint64_t)sm->occupancy->blocks * sm->occupancy->shared_bytes;
    taken = (taken + step - 1) / step * step;
    taken = taken < c->shared.bytes ? taken : c->shared.bytes;
    uint64_t lines = taken < c->l1.bytes ? (c->l1.bytes - taken) / GPU_LINE : 0;
    sm_tags_shape(&sm->l1.tags, (uint32_t)lines, c->l1.ways);
}

void sm_l1_forget(struct gpu_sm *sm) { sm_tags_forget(&sm->l1.tags); }

static void install(struct gpu_sm *sm, const struct sm_miss *m, const uint8_t *data)
{
    struct sm_l1 *l1 = &sm->l1;
    uint32_t at = sm_tags_place(&l1->tags, m->address);
    l1->tags.tag[at].valid |= m->sectors;
    sm->energy[GPU_EVENT_L1] += sm_sectors(m->sectors) * GPU_SECTOR;
    for (unsigned i = 0; data && i < GPU_LINE / GPU_SECTOR; i++)
        if (m->sectors >> i & 1)
            memcpy(l1->bytes[at] + i * GPU_SECTOR, data + i * GPU_SECTOR, GPU_SECTOR);
}

/* ---- MSHRs */

static uint32_t *bucket_of(const struct sm_l1 *l1, uint64_t address)
{
    /* Blocks of an SM are powers of two apart: their lines must not meet in one bucket. */
    uint64_t mixed = address / GPU_LINE * UINT64_C(0x9e3779b97f4a7c15);
    return &l1->bucket[mixed >> 40 & (l1->buckets - 1)];
}

void sm_l1_prefetch(const struct gpu_sm *sm, uint64_t address)
{
    __builtin_prefetch(bucket_of(&sm->l1, address));
    sm_tags_prefetch(&sm->l1.tags, address);
}

static uint32_t new_waiter(struct sm_l1 *l1)
{
    if (l1->free_waiter == NONE)
        return l1->waiters_made++;
    uint32_t w = l1->free_waiter;
    l1->free_waiter = l1->waiters[w].next;
    return w;
}

/* The first is in the miss itself, those after it in a list from there. */
static void wait_for(struct gpu_sm *sm, struct sm_miss *m, uint32_t flight, uint8_t sectors)
{
    struct sm_waiter waiter = { flight, NONE, sectors };
    if (m->waiters++ == 0) {
        m->first = waiter;
    } else {
        uint32_t w = new_waiter(&sm->l1);
        waiter.next = m->first.next;
        sm->l1.waiters[w] = waiter;
        m->first.next = w;
    }
    sm->flights[flight].waits++;
}

static void ask(struct gpu_sm *sm, const struct sm_request *r, uint64_t address, uint8_t sectors,
                bool cached, cycle_t now)
{
    struct sm_l1 *l1 = &sm->l1;
    uint32_t number = l1->free_miss, *bucket = bucket_of(l1, address);
    struct sm_miss *m = &l1->misses[number];
    l1->free_miss = m->next;
    __builtin_prefetch(&l1->misses[l1->free_miss == NONE ? number : l1->free_miss]);
    *m = (struct sm_miss){ .address = address, .sectors = sectors, .merges = cached,
                           .install = cached && l1->tags.sets > 0, .next = *bucket };
    *bucket = number;
    wait_for(sm, m, r->flight, sectors);
    sm->stats->read_bytes += sm_sectors(sectors) * GPU_SECTOR;
    struct message message = { .address = address, .id = number, .bytes = sectors,
                               .group = sm->launch->group, .kind = GPU_READ,
                               .port = (uint8_t)sm->run.partition };
    sm_send(sm, &message, now + sm->c->l1.miss_cycles, 1);
}

/* What of `sectors` is under way; false if a line that it needs has as many waiting as may. */
static bool under_way(struct gpu_sm *sm, uint64_t address, uint8_t sectors, uint8_t *found)
{
    *found = 0;
    for (uint32_t i = *bucket_of(&sm->l1, address); i != NONE; i = sm->l1.misses[i].next) {
        const struct sm_miss *m = &sm->l1.misses[i];
        if (m->address != address || !m->merges || !(m->sectors & sectors & ~*found))
            continue;
        if (m->waiters >= sm->c->l1.merges)
            return false;
        *found |= m->sectors & sectors;
    }
    return true;
}

static void merge(struct gpu_sm *sm, uint32_t flight, uint64_t address, uint8_t sectors)
{
    for (uint32_t i = *bucket_of(&sm->l1, address); i != NONE && sectors;
         i = sm->l1.misses[i].next) {
        struct sm_miss *m = &sm->l1.misses[i];
        uint8_t here = m->sectors & sectors;
        if (m->address != address || !m->merges || !here)
            continue;
        wait_for(sm, m, flight, here);
        sectors &= (uint8_t)~here;
    }
}

/* ---- loads */

static bool past_l1(const struct gpu_config *c, const struct gpu_op *op)
{
    return c->l1.loads == 0 || op->access.cache == GPU_CACHE_GLOBAL
        || op->access.cache == GPU_CACHE_VOLATILE;
}

bool sm_l1_load(struct gpu_sm *sm, struct sm_request *r, const struct sm_line *l, cycle_t now,
                bool *hit)
{
    struct sm_l1 *l1 = &sm->l1;
    bool cached = !past_l1(sm->c, r->op);
    uint32_t at = cached ? sm_tags_find(&l1->tags, l->address) : NONE;
    uint8_t there = at != NONE ? l1->tags.tag[at].valid & l->sectors : 0, coming = 0;
    uint8_t missing = l->sectors & (uint8_t)~there;
    if (missing && cached && !under_way(sm, l->address, missing, &coming))
        return false;
    uint8_t asked = missing & (uint8_t)~coming;
    if (asked && l1->free_miss == NONE)
        return false;
    sm->energy[GPU_EVENT_L1_TAG]++;
    sm->stats->l1_sectors += sm_sectors(l->sectors);
    sm->stats->l1_hits += sm_sectors(there);
    sm->stats->l1_merges += sm_sectors(coming);
    if (there) {
        *hit = true;
        l1->tags.tag[at].used = true;
        sm->energy[GPU_EVENT_L1] += sm_sectors(there) * GPU_SECTOR;
        if (sm->compute)
            sm_values_load(sm, r->flight, l->address, there, l1->bytes[at]);
    }
    if (coming)
        merge(sm, r->flight, l->address, coming);
    if (asked)
        ask(sm, r, l->address, asked, cached, now);
    return true;
}

static void free_miss(struct sm_l1 *l1, uint32_t number)
{
    uint32_t *link = bucket_of(l1, l1->misses[number].address);
    while (*link != number)
        link = &l1->misses[*link].next;
    *link = l1->misses[number].next;
    l1->misses[number].next = l1->free_miss;
    l1->free_miss = number;
}

static void free_waiters(struct sm_l1 *l1, uint32_t first)
{
    while (first != NONE) {
        uint32_t next = l1->waiters[first].next;
        l1->waiters[first].next = l1->free_waiter;
        l1->free_waiter = first;
        first = next;
    }
}

static void read_answered(struct gpu_sm *sm, const struct message *m, cycle_t at, cycle_t now)
{
    struct sm_l1 *l1 = &sm->l1;
    struct sm_miss miss = l1->misses[m->id];
    const uint8_t *data = sm->compute ? sm->payloads[m->id].data : NULL;
    unsigned cause = m->port == GPU_FROM_HBM ? GPU_CAUSE_HBM : GPU_CAUSE_L2;
    if (miss.install)
        install(sm, &miss, data);
    free_miss(l1, (uint32_t)m->id);
    for (struct sm_waiter w = miss.first;; w = l1->waiters[w.next]) {
        if (data)
            sm_values_load(sm, w.flight, miss.address, w.sectors, data);
        sm_flight_answered(sm, w.flight, at, cause, now);
        if (w.next == NONE)
            break;
    }
    free_waiters(l1, miss.first.next);
}

/* ---- stores and atomics */

static void age_misses(struct sm_l1 *l1, uint64_t address)
{
    for (uint32_t i = *bucket_of(l1, address); i != NONE; i = l1->misses[i].next)
        if (l1->misses[i].address == address)
            l1->misses[i].install = l1->misses[i].merges = false;
}

bool sm_l1_store(struct gpu_sm *sm, struct sm_request *r, const struct sm_line *l, cycle_t now)
{
    struct sm_l1 *l1 = &sm->l1;
    if (sm->free_store_count == 0)
        return false;
    bool atomic = r->op->kind == GPU_ATOMIC;
    uint32_t slot = sm->free_stores[--sm->free_store_count], id = sm->c->l1.mshrs + slot;
    uint32_t at = sm_tags_find(&l1->tags, l->address), bytes = sm_sectors(l->sectors) * GPU_SECTOR;
    sm->store_flight[slot] = r->flight;
    sm->flights[r->flight].waits++;
    age_misses(l1, l->address);
    sm->energy[GPU_EVENT_L1_TAG]++;
    if (at != NONE && atomic)
        l1->tags.tag[at].valid &= (uint8_t)~l->sectors;
    else if (at != NONE)
        sm->energy[GPU_EVENT_L1] += bytes;
    if (sm->compute)
        sm_values_store(sm, r->flight, l->address, &sm->payloads[id],
                        at != NONE && !atomic ? l1->bytes[at] : NULL);
    sm->stats->written_bytes += bytes;
    sm->energy[GPU_EVENT_CROSSBAR] += bytes;
    struct message message = {
        .address = l->address, .id = id, .group = sm->launch->group,
        .kind = atomic ? GPU_REDUCE : GPU_WRITE, .port = (uint8_t)sm->run.partition,
        .bytes = l->sectors | (uint32_t)l->full << (atomic ? 8 : 4),
    };
    uint32_t rate = sm->c->crossbar.request_bytes;
    sm_send(sm, &message, now + sm->c->l1.miss_cycles, (bytes + rate - 1) / rate);
    return true;
}

static void store_answered(struct gpu_sm *sm, const struct message *m, cycle_t at, cycle_t now)
{
    uint32_t slot = (uint32_t)m->id - sm->c->l1.mshrs, flight = sm->store_flight[slot];
    if (sm->compute && sm->flights[flight].op->flags & GPU_OP_RETURNS)
        sm_values_old(sm, flight, m->address, &sm->payloads[m->id]);
    sm->free_stores[sm->free_store_count++] = slot;
    sm_flight_answered(sm, flight, at, m->port == GPU_FROM_HBM ? GPU_CAUSE_HBM : GPU_CAUSE_L2,
                       now);
}

/* ---- answers */

/* Of an answer through the crossbar: lines, and old values of atomics that are wanted. */
static uint32_t answer_bytes(const struct gpu_sm *sm, const struct message *m)
{
    if (m->kind == GPU_READ)
        return sm_sectors(GPU_TOUCHED(m->bytes)) * GPU_SECTOR;
    const struct sm_flight *f = &sm->flights[sm->store_flight[m->id - sm->c->l1.mshrs]];
    return f->op->flags & GPU_OP_RETURNS ? GPU_ATOMICS(m->bytes) * f->op->access.bytes : 0;
}

void sm_l1_answer(struct gpu_sm *sm, const struct message *m, cycle_t now)
{
    uint32_t bytes = answer_bytes(sm, m), rate = sm->c->crossbar.answer_bytes;
    if (rate > sm->c->l1.fill_bytes)
        rate = sm->c->l1.fill_bytes;
    sm->in_free = now + (bytes + rate - 1) / rate;
    sm->energy[GPU_EVENT_CROSSBAR] += bytes;
    cycle_t at = sm->in_free + sm->c->l1.return_cycles;
    if (m->kind == GPU_READ)
        read_answered(sm, m, at, now);
    else
        store_answered(sm, m, at, now);
    if (sm->blocked) {
        sm->blocked = false;
        sm->unit_free = cycle_max(sm->unit_free, now);
        sm->unit_at = now;
    }
}
