/* warp.c - where the lanes of a warp go, and which addresses they form.
 *
 * The stack at a branch that splits the warp (T taken, N not; R where they meet):
 *
 *     before  [ ... ]                    pc, active = T|N, reconverge = Q
 *     after   [ ... | R, T|N, Q | T's pc, T, R ]     pc + 1, active = N, reconverge = R
 *
 * Whoever comes to R, or ends, takes what is on top.  A side that is at R already is not put
 * there, and where Q = R the entry of R is there already: so a loop whose lanes leave it
 * one after the other does not fill the stack.
 */
#include "models/gpu/warp.h"

#include <assert.h>
#include <string.h>

#include "models/gpu/execute_inside.h"

void gpu_warp_start(struct gpu_warp *w, struct gpu_block *b, uint32_t number,
                    uint32_t (*registers)[GPU_LANES])
{
    uint32_t threads = gpu_launch_threads(b->launch);
    assert(number * GPU_LANES < threads);
    uint32_t lanes = threads - number * GPU_LANES;

    w->kernel = b->launch->kernel;
    w->block = b;
    w->registers = registers;
    memset(w->predicates, 0, sizeof w->predicates);
    memset(registers, 0, w->kernel->registers * sizeof *registers);
    w->pc = 0;
    w->active = lanes < GPU_LANES ? (UINT32_C(1) << lanes) - 1 : UINT32_MAX;
    w->ended = ~w->active;
    w->reconverge = GPU_NO_OP;
    w->splits = 0;
    w->number = number;
    w->overflow = false;
    w->outside = false;
}

/* The part on top of the stack that still has lanes goes on. */
static void take_next(struct gpu_warp *w)
{
    do {
        if (!w->splits) {
            w->pc = GPU_NO_OP;
            w->active = 0;
            w->reconverge = GPU_NO_OP;
            return;
        }
        const struct gpu_split *s = &w->split[--w->splits];
        w->pc = s->pc;
        w->active = s->mask & ~w->ended;
        w->reconverge = s->reconverge;
    } while (!w->active || w->pc == w->reconverge);
}

void gpu_warp_meet(struct gpu_warp *w) { take_next(w); }

void gpu_warp_exit(struct gpu_warp *w, uint32_t mask)
{
    w->ended |= mask;
    w->active &= ~mask;
    if (!w->active)
        take_next(w);
    else if (++w->pc == w->reconverge)
        take_next(w);
}

static void push(struct gpu_warp *w, uint32_t pc, uint32_t reconverge, uint32_t mask)
{
    if (w->splits == GPU_SPLITS) {
        w->overflow = true;
        return;
    }
    w->split[w->splits++] = (struct gpu_split){ pc, reconverge, mask };
}

static void go(struct gpu_warp *w, uint32_t pc)
{
    w->pc = pc;
    if (pc == w->reconverge)
        take_next(w);
}

void gpu_warp_branch(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    if (mask == w->active) {
        go(w, op->target);
        return;
    }
    if (!mask) {
        go(w, w->pc + 1);
        return;
    }
    uint32_t next = w->pc + 1, meet = op->reconverge, stay = w->active & ~mask;
    if (meet != w->reconverge) {
        push(w, meet, w->reconverge, w->active);
        w->reconverge = meet;
    }
    /* Whoever is at the meeting point already waits in its entry. */
    if (next == meet) {
        w->active = mask;
        w->pc = op->target;
    } else {
        if (op->target != meet)
            push(w, op->target, meet, mask);
        w->active = stay;
        w->pc = next;
    }
}

enum gpu_space gpu_address_space(uint64_t generic)
{
    if (generic - GPU_SHARED_WINDOW < GPU_WINDOW_BYTES)
        return GPU_SPACE_SHARED;
    if (generic - GPU_LOCAL_WINDOW < GPU_WINDOW_BYTES)
        return GPU_SPACE_LOCAL;
    if (generic - GPU_CONST_WINDOW < GPU_WINDOW_BYTES)
        return GPU_SPACE_CONST;
    if (generic - GPU_PARAM_WINDOW < GPU_WINDOW_BYTES)
        return GPU_SPACE_PARAM;
    return GPU_SPACE_GLOBAL;
}

/* Of a lane that has none (the last warp of a block may have fewer threads) it is never asked. */
uint64_t gpu_warp_local(const struct gpu_warp *w, unsigned lane, uint64_t offset)
{
    uint64_t threads = gpu_launch_threads(w->block->launch);
    if (offset >= w->kernel->local_bytes)
        return GPU_LOCAL_WINDOW + offset % GPU_WINDOW_BYTES;
    uint64_t thread = (uint64_t)w->number * GPU_LANES + lane, piece = 2 + w->kernel->local_wide;
    return w->block->local_base + (((offset >> piece) * threads + thread) << piece)
         + (offset & ((UINT64_C(1) << piece) - 1));
}

GPU_WIDE static void add_wide(uint64_t address[GPU_LANES], const uint32_t *low,
                              const uint32_t *high, uint64_t offset)
{
    for (unsigned l = 0; l < GPU_LANES; l++)
        address[l] = (low[l] | (uint64_t)high[l] << 32) + offset;
}

/* A 32-bit address wraps at 32 bits. */
GPU_WIDE static void add_narrow(uint64_t address[GPU_LANES], const uint32_t *low, uint32_t offset)
{
    for (unsigned l = 0; l < GPU_LANES; l++)
        address[l] = (uint32_t)(low[l] + offset);
}

void gpu_warp_addresses(const struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                        uint64_t address[GPU_LANES])
{
    const struct gpu_access *a = &op->access;
    if (a->address_words == 2) {
        add_wide(address, gpu_source(w, op, a->address_at), gpu_source(w, op, a->address_at + 1u),
                 (uint64_t)(int64_t)a->offset);
    } else if (a->address_words == 1) {
        add_narrow(address, gpu_source(w, op, a->address_at), (uint32_t)a->offset);
    } else {
        for (unsigned l = 0; l < GPU_LANES; l++)
            address[l] = (uint32_t)a->offset;
    }
    if ((op->kind == GPU_LOAD || op->kind == GPU_STORE) && op->mode[GPU_MODE_TILE])
        gpu_tile_addresses(w, op, address);
    if (a->space == GPU_SPACE_LOCAL)
        for (unsigned l = 0; l < GPU_LANES; l++)
            if (mask >> l & 1)
                address[l] = gpu_warp_local(w, l, address[l]);
}
