/* emit_reduce.c - the sum of a tensor over the cores of a chip, in their order.
 *
 * Each core owns a share.  Where every core has its own part of HBM:
 *
 *     core i   load tile of j's share -> send to j          (for every other core j)
 *              load tile of own share, add what came, store it, send the sum to all
 *              store the sums that come from the others
 *
 * Where all reach all of HBM, a core loads its share of each core's summand and adds them.
 *
 * Two tiles may be on their way between two cores: a core tells the others that it has
 * added one (`taken`) before they send the next but one. */
#include "models/tpu/lower_parts.h"

#define F32_BYTES 4

struct summing {
    struct emit *emit;
    const struct emit_remote *remote;
    uint32_t tensor, cores;
    uint64_t share, tile, bytes;        /* of a core; of a step; of the tensor */
};

static uint64_t share_bytes(const struct summing *x, uint32_t core)
{
    uint64_t first = core * x->share;
    if (first >= x->bytes)
        return 0;
    return x->bytes - first < x->share ? x->bytes - first : x->share;
}

/* Bytes of tile `t` of a core's share; 0 past its end. */
static uint64_t tile_bytes(const struct summing *x, uint32_t core, uint64_t t)
{
    uint64_t share = share_bytes(x, core), from = t * x->tile;
    if (from >= share)
        return 0;
    return share - from < x->tile ? share - from : x->tile;
}

static struct tpu_uop move(const struct summing *x, enum tpu_unit unit, uint32_t owner, uint64_t t,
                           uint64_t copy)
{
    const struct lower_tensor *tensor = &x->emit->lower->tensors[x->tensor];
    uint64_t address = tensor->address + copy * x->bytes + owner * x->share + t * x->tile;
    return (struct tpu_uop){ .unit = unit,
        .transfer = { address, 0, 1, (uint32_t)tile_bytes(x, owner, t) } };
}

static void send(struct summing *x, uint32_t peer, uint32_t semaphore, uint64_t bytes,
                 enum tpu_unit after, uint32_t taken)
{
    struct emit *e = x->emit;
    struct tpu_uop u = { .unit = TPU_LINK, .send = { peer, semaphore, bytes } };
    emit_wait(e, &u, after, e->raised[after]);
    tpu_uop_wait(&u, x->remote->taken + peer, taken);
    emit_uop(e, &u);
}

/* Own summands of the others' shares go to them. */
static void give(struct summing *x, uint64_t t)
{
    struct emit *e = x->emit;
    for (uint32_t peer = 0; peer < x->cores; peer++) {
        uint64_t bytes = tile_bytes(x, peer, t);
        if (peer == e->core || bytes == 0)
            continue;
        struct tpu_uop u = move(x, TPU_LOAD, peer, t, 0);
        emit_wait_free(e, &u, TPU_LINK, e->raised[TPU_LINK]);
        emit_uop(e, &u);
        send(x, peer, x->remote->arrived + e->core, bytes, TPU_LOAD,
             t >= 2 ? (uint32_t)t - 1 : 0);
    }
}

/* One addition for each other core, in their order. */
static void add(struct summing *x, uint64_t bytes, uint64_t t)
{
    struct emit *e = x->emit;
    const struct tpu_vpu_config *v = &e->lower->config->vpu;
    uint64_t registers = bytes / ((uint64_t)v->lanes * v->sublanes * F32_BYTES) + 1;
    for (uint32_t peer = 0; peer < x->cores; peer++) {
        if (peer == e->core)
            continue;
        struct tpu_uop u = { .unit = TPU_VECTOR, .arithmetic = {
            .loads = 2 * registers, .stores = registers, .alu = registers * v->add_ops } };
        emit_wait(e, &u, TPU_LOAD, e->raised[TPU_LOAD]);
        if (x->remote)
            tpu_uop_wait(&u, x->remote->arrived + peer, (uint32_t)t + 1);
        emit_uop(e, &u);
    }
}

/* The own share: added, kept, and told to all. */
static void sum(struct summing *x, uint64_t t)
{
    struct emit *e = x->emit;
    uint64_t bytes = tile_bytes(x, e->core, t);
    if (bytes == 0)
        return;
    struct tpu_uop load = move(x, TPU_LOAD, e->core, t, 0);
    uint32_t adds = x->cores - 1, added = e->raised[TPU_VECTOR];
    emit_wait_free(e, &load, TPU_VECTOR, added > adds ? added - adds : 0);
    emit_uop(e, &load);
    add(x, bytes, t);
    struct tpu_uop store = move(x, TPU_STORE, e->core, t, 0);
    emit_wait(e, &store, TPU_VECTOR, e->raised[TPU_VECTOR]);
    emit_uop(e, &store);
    for (uint32_t peer = 0; peer < x->cores; peer++)
        if (peer != e->core) {
            send(x, peer, x->remote->taken + e->core, F32_BYTES, TPU_VECTOR, 0);
            send(x, peer, x->remote->summed + e->core, bytes, TPU_VECTOR, 0);
        }
}

static void keep(struct summing *x, uint64_t t)
{
    struct emit *e = x->emit;
    for (uint32_t peer = 0; peer < x->cores; peer++) {
        if (peer == e->core || tile_bytes(x, peer, t) == 0)
            continue;
        struct tpu_uop u = move(x, TPU_STORE, peer, t, 0);
        tpu_uop_wait(&u, x->remote->summed + peer, (uint32_t)t + 1);
        emit_uop(e, &u);
    }
}

static void sum_shared(struct summing *x, uint64_t t)
{
    struct emit *e = x->emit;
    uint64_t bytes = tile_bytes(x, e->core, t);
    if (bytes == 0)
        return;
    uint32_t done = e->raised[TPU_VECTOR], adds = x->cores - 1;
    for (uint32_t c = 0; c < x->cores; c++) {
        struct tpu_uop load = move(x, TPU_LOAD, e->core, t, c);
        emit_wait_free(e, &load, TPU_VECTOR, done > adds ? done - adds : 0);
        emit_uop(e, &load);
    }
    add(x, bytes, t);
    struct tpu_uop store = move(x, TPU_STORE, e->core, t, 0);
    emit_wait(e, &store, TPU_VECTOR, e->raised[TPU_VECTOR]);
    emit_uop(e, &store);
}

bool emit_all_reduce(struct emit *e, const struct tpu_group *g, const struct emit_remote *r)
{
    const struct lower *l = e->lower;
    struct summing x = { .emit = e, .remote = l->shared ? NULL : r, .tensor = g->tensor,
                         .cores = l->options.cores, .tile = l->config->lower.vector_bytes };
    x.bytes = l->tensors[g->tensor].bytes / (l->shared ? x.cores : 1);
    x.share = lower_round((x.bytes + x.cores - 1) / x.cores, 4096);
    for (uint64_t t = 0; t * x.tile < x.share; t++) {
        if (l->shared) {
            sum_shared(&x, t);
            continue;
        }
        give(&x, t);
        sum(&x, t);
        keep(&x, t);
    }
    return true;
}
