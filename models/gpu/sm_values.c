/* sm_values.c - the bytes of memory operations: taken when they issue, moved when they are
 * served.  Timing never looks at them. */
#include <string.h>

#include "models/gpu/sm_inside.h"

static struct gpu_warp *warp_of(const struct gpu_sm *sm, uint32_t flight)
{
    return &sm->flights[flight].warp->w;
}

void sm_values_take(struct gpu_sm *sm, uint32_t flight, const uint64_t address[GPU_LANES])
{
    struct sm_values *v = &sm->values[flight];
    const struct sm_flight *f = &sm->flights[flight];
    memcpy(v->address, address, sizeof v->address);
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        if (!(f->mask >> lane & 1))
            continue;
        if (f->op->kind == GPU_STORE)
            gpu_warp_store_bytes(&f->warp->w, f->op, lane, v->lane.bytes[lane]);
        else if (f->op->kind == GPU_ATOMIC)
            gpu_warp_atomic(&f->warp->w, f->op, lane, &v->lane.atomic[lane]);
        else if (f->op->kind == GPU_COPY)
            v->to[lane] = gpu_warp_copy_to(&f->warp->w, f->op, lane, &v->read_bytes[lane]);
    }
}

/* ---- shared memory */

static void load_matrix(const struct sm_flight *f, const struct sm_values *v, uint8_t *shared)
{
    uint8_t rows[GPU_LANES][16] = { { 0 } };
    for (unsigned lane = 0; lane < f->op->number * 8u; lane++)
        memcpy(rows[lane], shared + (uint32_t)v->address[lane], 16);
    gpu_warp_load_matrix(&f->warp->w, f->op, rows[0]);
}

static void shared_lane(const struct sm_flight *f, struct sm_values *v, unsigned lane,
                        uint8_t *at)
{
    uint8_t old[16];
    if (f->op->kind == GPU_STORE) {
        memcpy(at, v->lane.bytes[lane], f->op->access.bytes);
    } else if (f->op->kind == GPU_ATOMIC) {
        gpu_atomic_apply(&v->lane.atomic[lane], at, old);
        if (f->op->flags & GPU_OP_RETURNS)
            gpu_warp_load_bytes(&f->warp->w, f->op, lane, old);
    } else {
        gpu_warp_load_bytes(&f->warp->w, f->op, lane, at);
    }
}

void sm_values_shared(struct gpu_sm *sm, uint32_t flight)
{
    const struct sm_flight *f = &sm->flights[flight];
    struct sm_values *v = &sm->values[flight];
    uint8_t *shared = f->warp->w.block->shared;
    if (f->op->kind == GPU_MATRIX) {
        load_matrix(f, v, shared);
        return;
    }
    bool generic = f->op->access.space == GPU_SPACE_GENERIC;
    for (unsigned lane = 0; lane < GPU_LANES; lane++)
        if (f->mask >> lane & 1 && (!generic || sm_shared_space(v->address[lane])))
            shared_lane(f, v, lane, shared + (uint32_t)v->address[lane]);
}

/* A copy's bytes that are not read become zeros. */
void sm_values_copied(struct gpu_sm *sm, uint32_t flight)
{
    const struct sm_flight *f = &sm->flights[flight];
    const struct sm_values *v = &sm->values[flight];
    for (unsigned lane = 0; lane < GPU_LANES; lane++)
        if (f->mask >> lane & 1)
            memset(f->warp->w.block->shared + v->to[lane] + v->read_bytes[lane], 0,
                   f->op->access.bytes - v->read_bytes[lane]);
}

/* ---- lines */

static bool lane_in(const struct sm_flight *f, const struct sm_values *v, unsigned lane,
                    uint64_t line)
{
    return f->mask >> lane & 1 && v->address[lane] / GPU_LINE == line / GPU_LINE;
}

void sm_values_load(struct gpu_sm *sm, uint32_t flight, uint64_t line, uint8_t sectors,
                    const uint8_t *bytes)
{
    const struct sm_flight *f = &sm->flights[flight];
    const struct sm_values *v = &sm->values[flight];
    struct gpu_warp *w = warp_of(sm, flight);
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        uint32_t at = (uint32_t)(v->address[lane] % GPU_LINE);
        if (!lane_in(f, v, lane, line) || !(sectors >> at / GPU_SECTOR & 1))
            continue;
        if (f->op->kind == GPU_COPY)
            memcpy(w->block->shared + v->to[lane], bytes + at, v->read_bytes[lane]);
        else
            gpu_warp_load_bytes(w, f->op, lane, bytes + at);
    }
}

static void store_lane(const struct sm_values *v, unsigned lane, uint32_t at, uint32_t bytes,
                       struct gpu_payload *p, uint8_t *cached)
{
    memcpy(p->data + at, v->lane.bytes[lane], bytes);
    p->mask[at / 64] |= ((UINT64_C(1) << bytes) - 1) << at % 64;
    if (cached)
        memcpy(cached + at, v->lane.bytes[lane], bytes);
}

void sm_values_store(struct gpu_sm *sm, uint32_t flight, uint64_t line, struct gpu_payload *p,
                     uint8_t *cached)
{
    const struct sm_flight *f = &sm->flights[flight];
    const struct sm_values *v = &sm->values[flight];
    memset(p->mask, 0, sizeof p->mask);
    p->atomics = 0;
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        uint32_t at = (uint32_t)(v->address[lane] % GPU_LINE);
        if (!lane_in(f, v, lane, line))
            continue;
        if (f->op->kind == GPU_ATOMIC) {
            p->at[p->atomics] = (uint8_t)at;
            p->atomic[p->atomics++] = v->lane.atomic[lane];
        } else {
            store_lane(v, lane, at, f->op->access.bytes, p, cached);
        }
    }
}

void sm_values_old(struct gpu_sm *sm, uint32_t flight, uint64_t line,
                   const struct gpu_payload *p)
{
    const struct sm_flight *f = &sm->flights[flight];
    const struct sm_values *v = &sm->values[flight];
    uint32_t i = 0;
    for (unsigned lane = 0; lane < GPU_LANES; lane++)
        if (lane_in(f, v, lane, line))
            gpu_warp_load_bytes(warp_of(sm, flight), f->op, lane, p->old[i++]);
}
