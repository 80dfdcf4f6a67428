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
 * A core that has no row of the batch has no summand: it gives nothing, and is told the sum.
 * Two tiles may be on their way between two cores: a core tells the others that it has
 * added one (`taken`) before they send the next but one. */
#include "models/tpu/lower_parts.h"

#define F32_BYTES 4

struct summing {
    struct emit *emit;
    const struct emit_remote *remote;
    uint32_t tensor, cores, givers;     /* cores that have a summand: the first so many */
    uint64_t share, tile, bytes;        /* of a core; of a step; of the tensor */
    uint32_t sent[2];                   /* sends when the tile before last was through */
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

static struct tpu_work work(const struct summing *x, uint32_t owner, uint64_t t, uint64_t summand)
{
    return (struct tpu_work){ .tensor = x->tensor, .matrix = (uint32_t)summand,
                              .row = owner * x->share + t * x->tile,
                              .rows = (uint32_t)tile_bytes(x, owner, t) };
}

static struct tpu_uop move(const struct summing *x, enum tpu_unit unit, uint32_t owner, uint64_t t,
                           uint64_t copy)
{
    const struct lower_tensor *tensor = &x->emit->lower->tensors[x->tensor];
    uint64_t address = tensor->address + copy * x->bytes + owner * x->share + t * x->tile;
    return (struct tpu_uop){ .unit = unit,
        .transfer = { address, 0, 1, (uint32_t)tile_bytes(x, owner, t) },
        .work = work(x, owner, t, x->remote ? x->emit->core : copy) };
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
    if (e->core >= x->givers)
        return;
    for (uint32_t peer = 0; peer < x->cores; peer++) {
        uint64_t bytes = tile_bytes(x, peer, t);
        if (peer == e->core || bytes == 0)
            continue;
        struct tpu_uop u = move(x, TPU_LOAD, peer, t, 0);
        emit_wait_free(e, &u, TPU_LINK, x->sent[t % 2]);
        emit_uop(e, &u);
        send(x, peer, x->remote->arrived + e->core, bytes, TPU_LOAD,
             t >= 2 ? (uint32_t)t - 1 : 0);
    }
}

/* Summands of a core's share that are other cores'. */
static uint32_t others(const struct summing *x)
{
    return x->givers - (x->emit->core < x->givers);
}

/* They are added in the order of cores, the own among them; where there is no own, the first
 * is copied. */
static void add(struct summing *x, uint64_t bytes, uint64_t t)
{
    struct emit *e = x->emit;
    const struct tpu_vpu_config *v = &e->lower->config->vpu;
    uint64_t each = (uint64_t)v->lanes * v->sublanes * F32_BYTES;
    uint64_t registers = (bytes + each - 1) / each;
    bool own = e->core < x->givers;
    for (uint32_t giver = own; giver < x->givers; giver++) {
        uint32_t have = giver > 0;
        struct tpu_uop u = { .unit = TPU_VECTOR, .arithmetic = {
            .loads = (1 + have) * registers, .stores = registers,
            .alu = have * registers * v->add_ops },
            .work = work(x, e->core, t, giver) };
        emit_wait(e, &u, TPU_LOAD, e->raised[TPU_LOAD]);
        if (x->remote && giver != e->core)
            tpu_uop_wait(&u, x->remote->arrived + giver, (uint32_t)t + 1);
        if (x->remote && giver == 1 && own && e->core != 0)
            tpu_uop_wait(&u, x->remote->arrived, (uint32_t)t + 1);
        emit_uop(e, &u);
    }
}

static void load_summand(struct summing *x, uint64_t t, uint64_t copy, uint32_t added)
{
    struct tpu_uop load = move(x, TPU_LOAD, x->emit->core, t, copy);
    emit_wait_free(x->emit, &load, TPU_VECTOR, added > others(x) ? added - others(x) : 0);
    emit_uop(x->emit, &load);
}

static void store_sum(struct summing *x, uint64_t t, enum tpu_unit after)
{
    struct tpu_uop store = move(x, TPU_STORE, x->emit->core, t, 0);
    emit_wait(x->emit, &store, after, x->emit->raised[after]);
    emit_uop(x->emit, &store);
}

/* The own share: added, kept, and told to all. */
static void sum(struct summing *x, uint64_t t)
{
    struct emit *e = x->emit;
    uint64_t bytes = tile_bytes(x, e->core, t);
    enum tpu_unit after = others(x) > 0 ? TPU_VECTOR : TPU_LOAD;
    if (bytes == 0)
        return;
    if (e->core < x->givers)
        load_summand(x, t, 0, e->raised[TPU_VECTOR]);
    add(x, bytes, t);
    store_sum(x, t, after);
    for (uint32_t peer = 0; peer < x->cores; peer++) {
        if (peer == e->core)
            continue;
        if (peer < x->givers)
            send(x, peer, x->remote->taken + e->core, F32_BYTES, after, 0);
        send(x, peer, x->remote->summed + e->core, bytes, after, 0);
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
    uint64_t bytes = tile_bytes(x, x->emit->core, t);
    uint32_t added = x->emit->raised[TPU_VECTOR];
    if (bytes == 0)
        return;
    for (uint32_t c = 0; c < x->givers; c++)
        load_summand(x, t, c, added);
    add(x, bytes, t);
    store_sum(x, t, TPU_VECTOR);
}

/* Two buffers of each: what is given to a core, what comes from it as a summand and as a
 * sum; and of the own. */
static bool choose_tile(struct summing *x, const struct tpu_group *g)
{
    const struct tpu_lower_config *c = &x->emit->lower->config->lower;
    uint64_t buffers = 2 * (3 * (uint64_t)(x->cores - 1) + 1);
    x->tile = c->tile_bytes / buffers < c->vector_bytes ? c->tile_bytes / buffers / F32_BYTES
                                                          * F32_BYTES : c->vector_bytes;
    emit_takes(x->emit, x->tile * buffers);
    return x->tile > 0
        || diag_set(x->emit->lower->diag, 0, 0, "%s: no tile of it fits lower.tile_bytes of %llu; "
                    "expected a larger one", g->name, (unsigned long long)c->tile_bytes);
}

bool emit_all_reduce(struct emit *e, const struct tpu_group *g, const struct emit_remote *r)
{
    const struct lower *l = e->lower;
    struct summing x = { .emit = e, .remote = l->shared ? NULL : r, .tensor = g->tensor,
                         .cores = l->options.cores };
    while (x.givers < x.cores && lower_share_rows(l, l->batch, x.givers) > 0)
        x.givers++;
    x.bytes = l->tensors[g->tensor].bytes / (l->shared ? x.cores : 1);
    x.share = lower_round((x.bytes + x.cores - 1) / x.cores, 4096);
    if (!choose_tile(&x, g)
        || !emit_steps(e, (double)x.share / (double)x.tile * x.cores, g))
        return false;
    for (uint64_t t = 0; t * x.tile < x.share; t++) {
        if (!l->shared) {
            give(&x, t);
            sum(&x, t);
            keep(&x, t);
            x.sent[t % 2] = e->raised[TPU_LINK];
        } else if (x.givers > 1) {      /* else the only summand is the sum, in its place */
            sum_shared(&x, t);
        }
    }
    return true;
}
