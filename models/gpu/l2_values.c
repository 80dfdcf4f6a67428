/* l2_values.c - data of a line between memory, payloads and copies.
 *
 * Memory holds the value of each line, and only the slices that are its home touch it; a
 * payload is the slices' while its request is.
 */
#include <assert.h>
#include <string.h>

#include "models/gpu/l2_inside.h"

static struct gpu_payload *payload(const struct gpu_l2 *l, uint32_t sm, uint64_t slot)
{
    return &l->run.payloads[sm][slot];
}

static struct gpu_payload *payload_of(const struct gpu_l2 *l, const struct l2_item *i)
{
    if (i->sm == L2_FAR)
        return payload(l, l2_far_sm(i->m.id), l2_far_slot(i->m.id));
    return payload(l, i->sm, i->m.id);
}

static uint8_t *byte_at(struct gpu_l2 *l, uint64_t address)
{
    return gpu_memory_at(l->run.memory, address, 1, &l->hint);
}

/* A buffer may end within a sector: what is past it reads as 0. */
static void read_sector(struct gpu_l2 *l, uint64_t address, uint8_t *to)
{
    const uint8_t *from = gpu_memory_at(l->run.memory, address, GPU_SECTOR, &l->hint);
    if (from) {
        memcpy(to, from, GPU_SECTOR);
        return;
    }
    for (uint32_t b = 0; b < GPU_SECTOR; b++) {
        from = byte_at(l, address + b);
        to[b] = from ? *from : 0;
    }
}

void gpu_l2_values_read(struct gpu_l2 *l, const struct l2_item *i)
{
    if (!l->run.payloads)
        return;
    struct gpu_payload *p = payload_of(l, i);
    for (uint32_t s = 0; s < GPU_LINE / GPU_SECTOR; s++)
        if (GPU_TOUCHED(i->m.bytes) >> s & 1)
            read_sector(l, i->m.address + s * GPU_SECTOR, p->data + s * GPU_SECTOR);
}

static bool written(const struct gpu_payload *p, uint32_t byte)
{
    return p->mask[byte / 64] >> byte % 64 & 1;
}

void gpu_l2_values_write(struct gpu_l2 *l, const struct l2_item *i)
{
    if (!l->run.payloads)
        return;
    const struct gpu_payload *p = payload_of(l, i);
    uint8_t *line = gpu_memory_at(l->run.memory, i->m.address, GPU_LINE, &l->hint);
    if (line && p->mask[0] == UINT64_MAX && p->mask[1] == UINT64_MAX) {
        memcpy(line, p->data, GPU_LINE);
        return;
    }
    for (uint32_t b = 0; b < GPU_LINE; b++) {
        if (!written(p, b))
            continue;
        uint8_t *to = line ? line + b : byte_at(l, i->m.address + b);
        assert(to);
        *to = p->data[b];
    }
}

void gpu_l2_values_reduce(struct gpu_l2 *l, const struct l2_item *i)
{
    if (!l->run.payloads)
        return;
    struct gpu_payload *p = payload_of(l, i);
    for (uint32_t n = 0; n < p->atomics; n++) {
        uint64_t address = i->m.address + p->at[n];
        uint8_t *to = gpu_memory_at(l->run.memory, address, p->atomic[n].bytes, &l->hint);
        assert(to);
        gpu_atomic_apply(&p->atomic[n], to, p->old[n]);
    }
}

/* ---- near copies */

static uint8_t *copy_at(const struct gpu_l2 *l, uint32_t line)
{
    return l->copies + ((size_t)line << l->line_shift);
}

/* The sectors of a line, each to the same place in `to`, which begins at `shift`. */
static void copy_sectors(uint8_t *to, const uint8_t *from, uint32_t sectors)
{
    for (uint32_t s = 0; s < GPU_LINE / GPU_SECTOR; s++)
        if (sectors >> s & 1)
            memcpy(to + s * GPU_SECTOR, from + s * GPU_SECTOR, GPU_SECTOR);
}

void gpu_l2_values_copy(struct gpu_l2 *l, const struct l2_item *i, uint32_t line,
                        uint32_t sectors)
{
    if (!l->run.payloads || !sectors)
        return;
    uint32_t shift = l2_shift(l, i->m.address);
    copy_sectors(payload_of(l, i)->data, copy_at(l, line) + shift * GPU_SECTOR,
                 sectors >> shift);
}

void gpu_l2_values_keep(struct gpu_l2 *l, const struct message *m, uint32_t line,
                        uint32_t sectors)
{
    if (!l->run.payloads)
        return;
    uint32_t shift = l2_shift(l, m->address);
    const struct gpu_payload *from = payload(l, l2_far_sm(m->id), l2_far_slot(m->id));
    copy_sectors(copy_at(l, line) + shift * GPU_SECTOR, from->data, sectors >> shift);
}

void gpu_l2_values_pass(struct gpu_l2 *l, const struct message *m, const struct l2_item *i,
                        uint32_t sectors)
{
    if (!l->run.payloads || i->m.kind != GPU_READ)
        return;
    const struct gpu_payload *from = payload(l, l2_far_sm(m->id), l2_far_slot(m->id));
    struct gpu_payload *to = payload_of(l, i);
    if (to != from)
        copy_sectors(to->data, from->data, sectors >> l2_shift(l, m->address));
}
