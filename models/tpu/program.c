/* program.c - building and printing a core's program. */
#include "models/tpu/program.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

const char *const tpu_unit_names[TPU_UNITS_COUNT] = {
#define NAME(id, name, wait) name,
    TPU_UNITS(NAME)
#undef NAME
};

static void *grow(void *array, uint32_t *room, size_t size)
{
    *room = *room ? *room * 2 : 64;
    void *bigger = realloc(array, *room * size);
    if (!bigger)
        abort();
    return bigger;
}

struct tpu_program *tpu_program_new(uint32_t groups)
{
    struct tpu_program *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->groups = groups;
    for (uint32_t i = 0; i <= groups; i++)
        tpu_program_semaphore(p, TPU_UNITS_COUNT);
    return p;
}

void tpu_program_free(struct tpu_program *p)
{
    if (!p)
        return;
    free(p->uops);
    free(p->owners);
    free(p);
}

uint32_t tpu_program_semaphore(struct tpu_program *p, enum tpu_unit owner)
{
    if (p->semaphores == p->semaphore_room)
        p->owners = grow(p->owners, &p->semaphore_room, sizeof p->owners[0]);
    p->owners[p->semaphores] = owner;
    return p->semaphores++;
}

void tpu_program_add(struct tpu_program *p, const struct tpu_uop *u)
{
    assert(u->group < p->groups);
    if (p->count == p->room)
        p->uops = grow(p->uops, &p->room, sizeof p->uops[0]);
    p->uops[p->count++] = *u;
}

void tpu_uop_wait(struct tpu_uop *u, uint32_t semaphore, uint32_t value)
{
    if (value == 0)
        return;
    assert(u->waits < TPU_WAITS);
    u->wait[u->waits++] = (struct tpu_wait){ semaphore, value };
}

static void print_work(const struct tpu_uop *u, FILE *out)
{
    switch (u->unit) {
    case TPU_LOAD:
    case TPU_STORE:
        fprintf(out, "%#" PRIx64 " %" PRIu32 " x %" PRIu32 " B", u->transfer.address,
                u->transfer.rows, u->transfer.row_bytes);
        if (u->transfer.rows > 1)
            fprintf(out, " every %" PRIu64 " B", u->transfer.stride);
        break;
    case TPU_MATRIX:
        fprintf(out, "%" PRIu32 "x%" PRIu32 "x%" PRIu32 " by %" PRIu32 " rows%s",
                u->product.m, u->product.k, u->product.n, u->product.weight_rows,
                u->product.accumulate ? " accumulate" : "");
        if (u->product.passes > 1)
            fprintf(out, " %d passes", u->product.passes);
        break;
    case TPU_VECTOR:
        fprintf(out, "loads %" PRIu64 " alu %" PRIu64 " eup %" PRIu64 " stores %" PRIu64,
                u->arithmetic.loads, u->arithmetic.alu, u->arithmetic.eup,
                u->arithmetic.stores);
        if (u->arithmetic.reductions)
            fprintf(out, " reductions %" PRIu64, u->arithmetic.reductions);
        break;
    case TPU_TRANSPOSE:
        fprintf(out, "%" PRIu32 "x%" PRIu32 " of %" PRIu32 " B", u->turn.rows, u->turn.cols,
                u->turn.element_bytes);
        break;
    case TPU_LINK:
        fprintf(out, "%" PRIu64 " B to core %" PRIu32 " s%" PRIu32, u->send.bytes,
                u->send.peer, u->send.remote);
        break;
    case TPU_UNITS_COUNT:
        abort();
    }
}

void tpu_program_print(const struct tpu_program *p, const char *const *names, FILE *out)
{
    uint32_t group = UINT32_MAX;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct tpu_uop *u = &p->uops[i];
        if (u->group != group && names)
            fprintf(out, "# %s\n", names[u->group]);
        group = u->group;
        fprintf(out, "%7" PRIu32 "  %-9s ", i, tpu_unit_names[u->unit]);
        print_work(u, out);
        for (uint32_t w = 0; w < u->waits; w++)
            fprintf(out, "  wait s%" PRIu32 ">=%" PRIu32, u->wait[w].semaphore,
                    u->wait[w].value);
        if (u->signal != TPU_NO_SEMAPHORE)
            fprintf(out, "  raise s%" PRIu32, u->signal);
        fputc('\n', out);
    }
}
