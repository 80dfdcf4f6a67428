/* validate_kernel.c - see validate_kernel.h. */
#include "sim/validate_kernel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/tpu/events.h"
#include "sim/isolate.h"
#include "sim/tpu_chip.h"

#define ROW_BYTES (1u << 20)        /* a transfer is cut there: sizes are of 32 bits */

struct kernel {
    struct tpu_plan     plan;
    struct tpu_program *programs[KERNEL_CORES];
    const struct figures *figures;
};

struct kernel *kernel_new(uint32_t cores, uint32_t groups)
{
    struct kernel *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    assert(cores >= 1 && cores <= KERNEL_CORES);
    k->plan.cores = cores;
    k->plan.group_count = groups;
    k->plan.programs = k->programs;
    k->plan.groups = calloc(groups, sizeof *k->plan.groups);
    if (!k->plan.groups)
        abort();
    for (uint32_t c = 0; c < cores; c++)
        k->programs[c] = tpu_program_new(groups);
    return k;
}

static void kernel_free(struct kernel *k)
{
    for (uint32_t c = 0; c < k->plan.cores; c++)
        tpu_program_free(k->programs[c]);
    free(k->plan.groups);
    free(k);
}

static uint32_t add(struct kernel *k, uint32_t core, struct tpu_uop *u, uint32_t after)
{
    u->signal = tpu_program_semaphore(k->programs[core], u->unit);
    if (after != KERNEL_NONE)
        tpu_uop_wait(u, after, 1);
    tpu_program_add(k->programs[core], u);
    return u->signal;
}

static uint32_t move(struct kernel *k, enum tpu_unit unit, uint32_t core, uint32_t group,
                     const uint64_t what[2], uint32_t after)
{
    uint64_t row = what[1] < ROW_BYTES ? what[1] : ROW_BYTES;
    struct tpu_uop u = { .unit = unit, .group = group, .transfer = {
        .address = what[0], .stride = row, .rows = (uint32_t)(what[1] / row),
        .row_bytes = (uint32_t)row } };
    return add(k, core, &u, after);
}

uint32_t kernel_load(struct kernel *k, uint32_t core, uint32_t group, uint64_t address,
                     uint64_t bytes, uint32_t after)
{
    return move(k, TPU_LOAD, core, group, (uint64_t[]){ address, bytes }, after);
}

uint32_t kernel_store(struct kernel *k, uint32_t core, uint32_t group, uint64_t address,
                      uint64_t bytes, uint32_t after)
{
    return move(k, TPU_STORE, core, group, (uint64_t[]){ address, bytes }, after);
}

uint32_t kernel_vector(struct kernel *k, uint32_t core, uint32_t group,
                       const struct tpu_arithmetic *work, uint32_t after)
{
    struct tpu_uop u = { .unit = TPU_VECTOR, .group = group, .arithmetic = *work };
    return add(k, core, &u, after);
}

uint32_t kernel_matrix(struct kernel *k, uint32_t core, uint32_t group,
                       const struct tpu_product *product, uint32_t after)
{
    struct tpu_uop u = { .unit = TPU_MATRIX, .group = group, .product = *product };
    return add(k, core, &u, after);
}

uint32_t kernel_turn(struct kernel *k, uint32_t core, uint32_t group,
                     const struct tpu_turn *turn, uint32_t after)
{
    struct tpu_uop u = { .unit = TPU_TRANSPOSE, .group = group, .turn = *turn };
    return add(k, core, &u, after);
}

uint32_t kernel_send(struct kernel *k, uint32_t core, uint32_t group, uint64_t bytes,
                     uint32_t after)
{
    uint32_t peer = 1 - core, remote = tpu_program_semaphore(k->programs[peer], TPU_LINK);
    struct tpu_uop u = { .unit = TPU_LINK, .group = group,
                         .send = { .peer = peer, .remote = remote, .bytes = bytes } };
    add(k, core, &u, after);
    return remote;
}

void kernel_also_after(struct kernel *k, uint32_t core, uint32_t after)
{
    struct tpu_program *p = k->programs[core];
    if (after != KERNEL_NONE)
        tpu_uop_wait(&p->uops[p->count - 1], after, 1);
}

/* ---- running ---- */

static void write_times(const struct tpu_chip *c, FILE *out)
{
    for (uint32_t core = 0; core < c->cores; core++)
        for (uint32_t g = 0; g < c->plan->group_count; g++) {
            struct kernel_time t = {
                clock_cycle(&c->clock, tpu_core_group_start(c->core[core], g)),
                clock_cycle(&c->clock, tpu_core_group_end(c->core[core], g)),
            };
            fwrite(&t, sizeof t, 1, out);
        }
    uint64_t ops = ledger_total(tpu_core_ledger(c->core[0]), TPU_EVENT_VPU);
    fwrite(&ops, sizeof ops, 1, out);
}

static int child(void *arg, FILE *out)
{
    const struct kernel *k = arg;
    struct diag d = { .text = "" };
    struct engine_result result;
    struct tpu_chip *c = tpu_chip_new(k->figures, &k->plan, TPU_MXU_FAST, &d);
    if (!c) {
        fputs(d.text, out);
        return 2;
    }
    if (!engine_run(&c->engine, &result)) {
        fputs(result.stuck, out);
        return 1;
    }
    write_times(c, out);
    tpu_chip_free(c);
    return 0;
}

bool kernel_run(struct kernel *k, const struct figures *f, struct kernel_time *times,
                uint64_t *vector_ops, struct diag *d)
{
    struct isolate_result r;
    size_t size = k->plan.cores * k->plan.group_count * sizeof *times;
    k->figures = f;
    bool ok = isolate_run(child, k, 0, &r) && r.size == size + sizeof *vector_ops;
    if (ok) {
        memcpy(times, r.bytes, size);
        if (vector_ops)
            memcpy(vector_ops, r.bytes + size, sizeof *vector_ops);
    } else {
        diag_set(d, 0, 0, "%.200s%.200s", r.text, r.bytes ? r.bytes : "");
    }
    isolate_free(&r);
    kernel_free(k);
    return ok;
}
