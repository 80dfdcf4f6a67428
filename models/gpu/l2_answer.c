/* l2_answer.c - what comes back: fills, answers of the other partition, and its word that a
 * copy is gone.
 *
 * A fill is written into the slice, and the first request that it completes gets its data on
 * the way; each other one is a read of its own.
 */
#include "models/gpu/l2_inside.h"

/* An item has all its sectors: it is answered with data that the slice reads for it. */
static void complete(struct gpu_l2 *l, uint32_t slice, uint32_t item, cycle_t now)
{
    struct l2_item *i = &l->items[item];
    bool atomic = i->m.kind == GPU_REDUCE;
    uint32_t bytes = l2_bytes(&i->m), cycles = atomic ? l2_atomic_cycles(l, &i->m)
                                                      : l2_cycles(l, bytes);
    cycle_t start = gpu_l2_begin(l, slice, i->m.group, now, cycles, atomic ? 2 * bytes : bytes);
    if (!i->forgetting)
        gpu_l2_answer(l, slice, item, start, cycles);
}

/* The item no longer waits for `sectors`. */
static void satisfy(struct gpu_l2 *l, struct l2_item *i, uint32_t sectors,
                    const struct message *m, enum gpu_from from)
{
    if (!(i->need & sectors))
        return;
    if (i->from < from)
        i->from = (uint8_t)from;
    if (m->kind == L2_FAR_ANSWER)
        gpu_l2_values_pass(l, m, i, i->need & sectors);
    i->need &= ~sectors;
}

/* Sectors of the line that MSHR `number` waits for are here.  They take the slice for
 * `cycles`; the first item that they complete gets them on the way, if it can. */
static void deliver(struct gpu_l2 *l, uint32_t number, uint32_t sectors, uint32_t cycles,
                    const struct message *m, enum gpu_from from, cycle_t now)
{
    struct l2_mshr *h = &l->mshrs[number];
    uint32_t slice = gpu_l2_slice_of_mshr(l, number), bytes = l2_bits(sectors) * GPU_SECTOR;
    bool far = m->kind == L2_FAR_ANSWER, first = true;
    cycle_t start = gpu_l2_begin(l, slice, m->group, now, cycles, h->line == L2_NONE ? 0 : bytes);
    assert((h->pending & sectors) == sectors);
    h->pending &= ~sectors;
    if (h->line != L2_NONE)
        l->lines[h->line].valid |= sectors;
    if (far && h->line != L2_NONE)
        gpu_l2_values_keep(l, m, h->line, sectors);

    struct l2_list waiting = h->waiting;
    h->waiting = (struct l2_list){ L2_NONE, L2_NONE };
    while (waiting.first != L2_NONE) {
        uint32_t item = gpu_l2_pop(l, &waiting);
        struct l2_item *i = &l->items[item];
        satisfy(l, i, sectors, m, from);
        if (i->need) {
            gpu_l2_append(l, &h->waiting, item);
            continue;
        }
        if (first && (far || i->m.kind == GPU_READ) && l2_bytes(&i->m) <= bytes)
            gpu_l2_answer(l, slice, item, start, cycles);
        else
            complete(l, slice, item, start);
        first = false;
    }
    if (!h->pending)
        gpu_l2_free_mshr(l, number);
    gpu_l2_retry(l, slice, now);
}

void gpu_l2_filled(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    uint32_t count = m->bytes / GPU_SECTOR;
    uint32_t sectors = (uint32_t)(((UINT64_C(1) << count) - 1) << l2_shift(l, m->address));
    deliver(l, (uint32_t)m->id, sectors, l2_cycles(l, m->bytes), m, GPU_FROM_HBM, now);
}

void gpu_l2_far_answer(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    uint32_t number = l2_far_mshr(m->id);
    enum gpu_from from = m->port == GPU_FROM_HBM ? GPU_FROM_HBM : GPU_FROM_FAR;
    const struct l2_item *first = &l->items[l->mshrs[number].waiting.first];
    uint32_t bytes = first->m.kind == GPU_WRITE ? 0 : l2_bytes(m);
    deliver(l, number, l2_touched(l, m), l2_cycles(l, bytes), m, from, now);
}

void gpu_l2_written_back(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    uint32_t slice = (uint32_t)m->id;
    assert(l->slices[slice].write_backs > 0);
    l->slices[slice].write_backs--;
    gpu_l2_retry(l, slice, now);
}

/* ---- copies that are no longer good */

void gpu_l2_forget(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    struct gpu_l2_place p = gpu_l2_map_place(l->run.map, m->address);
    cycle_t start = gpu_l2_look_up(l, p.slice, m->group, now, 1, 0);
    gpu_l2_drop_copy(l, &p, m->address);
    struct message back = *m;
    back.kind = L2_FORGOTTEN;
    gpu_l2_post_new(l, &l->to_other, p.slice, &back, start + 1);
    gpu_l2_retry(l, p.slice, now);
}

void gpu_l2_forgotten(struct gpu_l2 *l, const struct message *m, cycle_t now)
{
    struct gpu_l2_place p = gpu_l2_map_place(l->run.map, m->address);
    if (m->id == L2_NONE) {
        assert(l->slices[p.slice].forgets > 0);
        l->slices[p.slice].forgets--;
        gpu_l2_retry(l, p.slice, now);
        return;
    }
    struct l2_item *i = &l->items[m->id];
    assert(i->forgetting);
    i->forgetting = false;
    if (!i->need) {
        cycle_t start = gpu_l2_look_up(l, p.slice, m->group, now, 1, 0);
        gpu_l2_answer(l, p.slice, (uint32_t)m->id, start, 1);
    }
}
