/* launch.c - how many blocks of a launch an SM can hold, and what holds it to that. */
#include "models/gpu/launch.h"

#include <inttypes.h>
#include <string.h>

#define MOST_THREADS 1024           /* of a block, on every generation so far */

/* CUDA C Programming Guide, technical specifications per compute capability. */
static const uint32_t most_grid[3]  = { INT32_MAX, 65535, 65535 };
static const uint32_t most_block[3] = { 1024, 1024, 64 };
static const char axis[3] = { 'x', 'y', 'z' };

static uint64_t round_up(uint64_t n, uint64_t granule)
{
    return (n + granule - 1) / granule * granule;
}

static bool check_axis(const struct gpu_launch *l, int i, struct diag *d)
{
    if (l->grid[i] == 0 || l->grid[i] > most_grid[i])
        return diag_set(d, 0, 0, "%s: a grid of %" PRIu32 " blocks along %c; expected 1 to %"
                        PRIu32, l->kernel->name, l->grid[i], axis[i], most_grid[i]);
    if (l->block[i] == 0 || l->block[i] > most_block[i])
        return diag_set(d, 0, 0, "%s: a block of %" PRIu32 " threads along %c; expected 1 to %"
                        PRIu32, l->kernel->name, l->block[i], axis[i], most_block[i]);
    uint32_t required = l->kernel->required[i];
    if (required > 0 && l->block[i] != required)
        return diag_set(d, 0, 0, "%s: a block of %" PRIu32 " threads along %c; its .reqntid asks "
                        "for %" PRIu32, l->kernel->name, l->block[i], axis[i], required);
    return true;
}

static bool check_shape(const struct gpu_launch *l, struct diag *d)
{
    for (int i = 0; i < 3; i++)
        if (!check_axis(l, i, d))
            return false;
    uint64_t threads = (uint64_t)l->block[0] * l->block[1] * l->block[2];
    uint32_t most = l->kernel->max_threads;
    if (threads > MOST_THREADS)
        return diag_set(d, 0, 0, "%s: a block of %" PRIu64 " threads; expected at most %d",
                        l->kernel->name, threads, MOST_THREADS);
    if (most > 0 && threads > most)
        return diag_set(d, 0, 0, "%s: a block of %" PRIu64 " threads; its .maxntid allows %"
                        PRIu32, l->kernel->name, threads, most);
    return true;
}

static bool check_shared(const struct gpu_config *c, const struct gpu_launch *l, struct diag *d)
{
    uint64_t bytes = (uint64_t)l->kernel->shared_bytes + l->shared_bytes;
    if (bytes <= c->shared.block_bytes)
        return true;
    return diag_set(d, 0, 0, "%s: a block asks for %" PRIu64 " bytes of shared memory (%" PRIu32
                    " of the kernel and %" PRIu32 " of the launch); expected at most %" PRIu64,
                    l->kernel->name, bytes, l->kernel->shared_bytes, l->shared_bytes,
                    c->shared.block_bytes);
}

/* What a block takes of one resource, and what an SM has of it. */
struct need { uint64_t takes, has; };

/* A sub-core has its own part of warps and registers; a warp lives in one of them. */
static uint64_t warps_by_registers(const struct gpu_config *c, uint32_t registers)
{
    return c->sm.registers / c->sm.subcores / registers * c->sm.subcores;
}

static bool no_room(const struct gpu_launch *l, enum gpu_limit limit, const struct need *n,
                    struct diag *d)
{
    static const char *const what[] = {
        [GPU_LIMIT_WARPS] = "warps", [GPU_LIMIT_BLOCKS] = "blocks",
        [GPU_LIMIT_REGISTERS] = "warps with that many registers",
        [GPU_LIMIT_SHARED] = "bytes of shared memory",
    };
    return diag_set(d, 0, 0, "%s: no block fits: it takes %" PRIu64 " %s; an SM has room for %"
                    PRIu64, l->kernel->name, n->takes, what[limit], n->has);
}

bool gpu_occupancy(const struct gpu_config *c, const struct gpu_launch *l,
                   struct gpu_occupancy *o, struct diag *d)
{
    if (!check_shape(l, d) || !check_shared(c, l, d))
        return false;
    *o = (struct gpu_occupancy){
        .warps = (gpu_launch_threads(l) + GPU_LANES - 1) / GPU_LANES,
        .registers = (uint32_t)round_up((uint64_t)l->kernel->registers * GPU_LANES,
                                        c->sm.register_granule),
        .shared_bytes = (uint32_t)round_up((uint64_t)l->kernel->shared_bytes + l->shared_bytes +
                                           c->shared.reserved_bytes, c->shared.granule_bytes),
        .blocks = UINT32_MAX,
    };
    const struct need needs[] = {
        [GPU_LIMIT_WARPS]     = { o->warps, c->sm.warps },
        [GPU_LIMIT_BLOCKS]    = { 1, c->sm.blocks },
        [GPU_LIMIT_REGISTERS] = { o->warps, warps_by_registers(c, o->registers) },
        [GPU_LIMIT_SHARED]    = { o->shared_bytes, c->shared.bytes },
    };
    for (enum gpu_limit i = GPU_LIMIT_WARPS; i <= GPU_LIMIT_SHARED; i++) {
        uint64_t blocks = needs[i].takes > 0 ? needs[i].has / needs[i].takes : UINT32_MAX;
        if (blocks == 0)
            return no_room(l, i, &needs[i], d);
        if (blocks < o->blocks) {
            o->blocks = (uint32_t)blocks;
            o->limit = i;
        }
    }
    return true;
}

uint64_t gpu_local_bytes(const struct gpu_launch *l, const struct gpu_occupancy *o)
{
    return (uint64_t)o->blocks * o->warps * GPU_LANES * round_up(l->kernel->local_bytes, 4);
}

bool gpu_launch_variables(const struct gpu_kernel *k, struct gpu_memory *m, struct diag *d)
{
    if (!k->global_size || gpu_memory_has(m, GPU_MODULE_BASE, k->global_size, NULL))
        return true;
    if (!gpu_memory_add_at(m, "the module's variables", GPU_MODULE_BASE, k->global_size))
        return diag_set(d, 0, 0, "%s: no room for the module's %" PRIu32 " bytes of variables; "
                        "expected less", k->name, k->global_size);
    if (gpu_memory_values(m))
        memcpy(gpu_memory_at(m, GPU_MODULE_BASE, k->global_size, NULL), k->global_bytes,
               k->global_size);
    return true;
}
