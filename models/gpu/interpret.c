/* interpret.c - block after block; in a block warp after warp, each for a while.
 *
 * A warp runs until it waits at a barrier, ends, or has had its turn: so one that spins until
 * another does something gets what it waits for.
 *
 * A barrier without a count opens when every thread of the block that has not ended waits at
 * it; with one, when warps of so many threads have come.
 */
#include "models/gpu/interpret_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"

#define TURN 4096               /* operations */

struct barrier {
    uint32_t threads;           /* that it waits for; 0: all that have not ended */
    uint32_t lanes, warps;      /* that have come; lanes of bar.red that said true */
    uint32_t said_true;
};

struct waiter {
    struct gpu_warp warp;
    const struct gpu_op *at;    /* the barrier's operation; NULL: it does not wait */
    uint32_t mask;
};

struct run {
    struct gpu_interpreter in;
    struct waiter *warps;
    uint32_t warp_count, barrier_count;
    uint32_t (*registers)[GPU_LANES];
    struct gpu_watch_warp *watched;     /* of each warp; NULL: nobody watches */
    struct barrier *barriers;
    uint64_t left;              /* operations; 0: no more */
    struct gpu_interpreted *result;
};

bool gpu_interpret_fault(struct gpu_interpreter *in, const struct gpu_warp *w,
                         const struct gpu_op *op, unsigned lane, const char *format, ...)
{
    char what[400], who[32] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (lane < GPU_LANES)
        snprintf(who, sizeof who, ", lane %u", lane);
    const uint32_t *at = in->block.at;
    snprintf(in->diag->file, sizeof in->diag->file, "%s", in->launch->kernel->file);
    return diag_set(in->diag, op->line, 0, "%s, block (%" PRIu32 ",%" PRIu32 ",%" PRIu32
                    "), warp %" PRIu32 "%s: %s", in->launch->kernel->name, at[0], at[1], at[2],
                    w->number, who, what);
}

static uint32_t live_threads(const struct run *r)
{
    uint32_t lanes = 0;
    for (uint32_t i = 0; i < r->warp_count; i++)
        lanes += (uint32_t)__builtin_popcount(~r->warps[i].warp.ended);
    return lanes;
}

static bool is_open(const struct run *r, const struct barrier *b)
{
    return b->threads ? b->warps * GPU_LANES >= b->threads : b->lanes && b->lanes == live_threads(r);
}

static void open_barrier(struct run *r, uint32_t number)
{
    struct barrier *b = &r->barriers[number];
    for (uint32_t i = 0; i < r->warp_count; i++) {
        struct waiter *v = &r->warps[i];
        if (!v->at || v->at->number != number)
            continue;
        gpu_warp_barrier_result(&v->warp, v->at, v->mask, b->said_true, b->lanes);
        gpu_warp_step(&v->warp, v->at, v->mask, true);
        v->at = NULL;
    }
    *b = (struct barrier){ 0 };
}

static bool arrive(struct run *r, struct waiter *v, const struct gpu_op *op, uint32_t mask)
{
    if (op->number >= r->barrier_count)
        return gpu_interpret_fault(&r->in, &v->warp, op, GPU_LANES,
                                   "barrier %u; a block has %" PRIu32, op->number,
                                   r->barrier_count);
    struct barrier *b = &r->barriers[op->number];
    b->threads = gpu_warp_barrier_threads(&v->warp, op);
    b->said_true += gpu_warp_barrier_true(&v->warp, op, mask);
    b->lanes += (uint32_t)__builtin_popcount(mask);
    b->warps++;
    if (op->flags & GPU_OP_ARRIVE) {
        gpu_warp_step(&v->warp, op, mask, true);
    } else {
        v->at = op;
        v->mask = mask;
    }
    if (is_open(r, b))
        open_barrier(r, op->number);
    return true;
}

/* Threads that ended may have been the last that a barrier waited for. */
static void open_after_exit(struct run *r)
{
    for (uint32_t i = 0; i < r->barrier_count; i++)
        if (!r->barriers[i].threads && is_open(r, &r->barriers[i]))
            open_barrier(r, i);
}

static bool is_memory(const struct gpu_op *op)
{
    return op->kind == GPU_LOAD || op->kind == GPU_STORE || op->kind == GPU_ATOMIC ||
           op->kind == GPU_COPY || op->kind == GPU_MATRIX;
}

static bool check(struct run *r, const struct gpu_warp *w, const struct gpu_op *op)
{
    if (w->overflow)
        return gpu_interpret_fault(&r->in, w, op, GPU_LANES,
                                   "the warp is in more than %d parts", GPU_SPLITS);
    if (w->outside && w->outside_at & (op->access.bytes - 1u))
        return gpu_interpret_fault(&r->in, w, op, w->outside_lane, "a load of %u bytes at 0x%"
                                   PRIx64 ", which is not aligned", op->access.bytes,
                                   w->outside_at);
    if (w->outside)
        return gpu_interpret_fault(&r->in, w, op, w->outside_lane, "a load of %u bytes at 0x%"
                                   PRIx64 " is past the end of the %s", op->access.bytes,
                                   w->outside_at, op->access.space == GPU_SPACE_PARAM
                                   ? "parameters" : "constants");
    return true;
}

/* One operation. */
static bool step(struct run *r, struct waiter *v)
{
    struct gpu_warp *w = &v->warp;
    const struct gpu_op *op = gpu_warp_op(w);
    uint32_t mask = gpu_warp_mask(w, op);
    if (r->left-- == 0)
        return gpu_interpret_fault(&r->in, w, op, GPU_LANES, "it has executed more operations "
                                   "than allowed: %" PRIu64, r->result->operations);
    r->result->operations++;
    r->result->macs += mask ? op->macs : 0;
    if (r->watched)
        gpu_watch_op(r->in.watch, &r->watched[w->number], w, op, mask);
    if (op->kind == GPU_TRAP && mask)
        return gpu_interpret_fault(&r->in, w, op, (unsigned)__builtin_ctz(mask), "trap");
    if (op->kind == GPU_BARRIER && mask)
        return arrive(r, v, op, mask);
    if (is_memory(op) && !gpu_interpret_access(&r->in, w, op, mask))
        return false;
    r->in.block.clock++;
    r->in.block.ns++;
    gpu_warp_step(w, op, mask, true);
    if (op->kind == GPU_EXIT)
        open_after_exit(r);
    return check(r, w, op);
}

static bool is_ready(const struct waiter *v) { return !v->at && !gpu_warp_done(&v->warp); }

/* Every warp that can has its turn; `*any` says whether there was one. */
static bool turn(struct run *r, bool *any)
{
    *any = false;
    for (uint32_t i = 0; i < r->warp_count; i++)
        for (int n = 0; n < TURN && is_ready(&r->warps[i]); n++) {
            *any = true;
            if (!step(r, &r->warps[i]))
                return false;
        }
    return true;
}

/* Nobody can go on: true if that is because all have ended. */
static bool all_done(struct run *r)
{
    for (uint32_t i = 0; i < r->warp_count; i++) {
        const struct waiter *v = &r->warps[i];
        if (!v->at)
            continue;
        const struct barrier *b = &r->barriers[v->at->number];
        uint32_t came = b->threads ? b->warps * GPU_LANES : b->lanes;
        uint32_t wanted = b->threads ? b->threads : live_threads(r);
        return gpu_interpret_fault(&r->in, &v->warp, v->at, GPU_LANES,
                                   "barrier %u is never complete: %" PRIu32 " of %" PRIu32
                                   " threads wait at it", v->at->number, came, wanted);
    }
    return true;
}

static bool run_block(struct run *r, uint64_t index)
{
    struct gpu_block *b = &r->in.block;
    const struct gpu_launch *l = r->in.launch;
    b->index = index;
    b->at[0] = (uint32_t)(index % l->grid[0]);
    b->at[1] = (uint32_t)(index / l->grid[0] % l->grid[1]);
    b->at[2] = (uint32_t)(index / l->grid[0] / l->grid[1]);
    memset(b->shared, 0, b->shared_bytes);
    memset(r->in.local, 0, r->in.local_bytes);
    memset(r->barriers, 0, r->barrier_count * sizeof *r->barriers);
    if (r->watched)
        memset(r->watched, 0, r->warp_count * sizeof *r->watched);
    for (uint32_t i = 0; i < r->warp_count; i++) {
        r->warps[i].at = NULL;
        gpu_warp_start(&r->warps[i].warp, b, i,
                       r->registers + (size_t)i * l->kernel->registers);
    }
    for (bool any = true; any;)
        if (!turn(r, &any))
            return false;
    return all_done(r);
}

bool gpu_interpret(const struct gpu_config *c, const struct gpu_launch *l, struct gpu_memory *m,
                   uint64_t operations, struct gpu_interpreted *result, struct diag *d)
{
    return gpu_interpret_watched(c, l, m, operations, NULL, result, d);
}

bool gpu_interpret_watched(const struct gpu_config *c, const struct gpu_launch *l,
                           struct gpu_memory *m, uint64_t operations, struct gpu_watch *watch,
                           struct gpu_interpreted *result, struct diag *d)
{
    struct gpu_occupancy o;
    assert(gpu_memory_values(m));
    *result = (struct gpu_interpreted){ 0 };
    if (!gpu_occupancy(c, l, &o, d) || !gpu_launch_variables(l->kernel, m, d))
        return false;
    uint32_t threads = gpu_launch_threads(l);
    struct run r = {
        .in = { .launch = l, .memory = m, .diag = d, .watch = watch,
                .local_bytes = (uint64_t)(l->kernel->local_bytes + 3) / 4 * 4 * threads },
        .warp_count = (threads + GPU_LANES - 1) / GPU_LANES, .barrier_count = c->sm.barriers,
        .left = operations ? operations : UINT64_MAX, .result = result,
    };
    r.in.block = (struct gpu_block){
        .launch = l, .shared_bytes = l->kernel->shared_bytes + l->shared_bytes,
        .sm_count = c->sm.count, .local_base = GPU_INTERPRET_LOCAL,
    };
    r.in.block.shared = zeroed(r.in.block.shared_bytes, 1);
    r.in.local = zeroed(r.in.local_bytes, 1);
    r.warps = zeroed(r.warp_count, sizeof *r.warps);
    r.watched = watch ? zeroed(r.warp_count, sizeof *r.watched) : NULL;
    r.registers = zeroed((size_t)r.warp_count * l->kernel->registers, sizeof *r.registers);
    r.barriers = zeroed(r.barrier_count, sizeof *r.barriers);
    bool good = true;
    for (uint64_t b = 0; good && b < gpu_launch_blocks(l); b++)
        good = run_block(&r, b);
    free(r.in.block.shared);
    free(r.in.local);
    free(r.warps);
    free(r.watched);
    free(r.registers);
    free(r.barriers);
    return good;
}
