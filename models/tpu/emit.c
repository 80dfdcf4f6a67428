/* emit.c - unit operations of a group, and what they wait for. */
#include <assert.h>

#include "models/tpu/lower_parts.h"

/* Waits for a group that made something, unless it does already.  Of more than
 * TPU_WAITS of them the rest is left out: the ideal is a little better than it could be. */
static void wait_for_maker(const struct emit *e, struct tpu_uop *u, uint32_t maker)
{
    if (maker >= e->group)
        return;
    for (uint32_t w = 0; w < u->waits; w++)
        if (u->wait[w].semaphore == maker)
            return;
    if (u->waits < TPU_WAITS)
        tpu_uop_wait(u, maker, 1);
}

/* What must have ended before this group may begin: the group before it or, where overlap is
 * ideal, only those that made what it reads. */
static void wait_before(const struct emit *e, struct tpu_uop *u)
{
    const struct lower *l = e->lower;
    const struct tpu_group *g = &l->plan->groups[e->group];
    tpu_uop_wait(u, e->group == 0 || l->options.overlap ? e->program->groups : e->group - 1, 1);
    if (!l->options.overlap)
        return;
    if (g->kind == TPU_GROUP_ALL_REDUCE)
        wait_for_maker(e, u, l->tensors[g->tensor].summand_maker);
    for (uint32_t o = 0; o < g->op_count; o++) {
        const struct trace_op *op = &l->trace->ops[g->ops[o]];
        for (uint32_t i = 0; i < op->ins; i++)
            wait_for_maker(e, u, l->tensors[op->in[i]].maker);
    }
}

bool emit_steps(struct emit *e, double steps, const struct tpu_group *g)
{
    struct lower *l = e->lower;
    const struct trace_op *op = g->op_count ? &l->trace->ops[g->ops[0]] : NULL;
    l->steps += steps;
    if (l->steps <= LOWER_STEPS_MAX)
        return true;
    return diag_set(l->diag, op ? op->line : 0, op && op->line ? 1 : 0,
                    "%s: with it the program has %.3g tiles; expected at most %u: a smaller "
                    "trace, or larger tiles (section lower)", g->name, l->steps, LOWER_STEPS_MAX);
}

void emit_takes(struct emit *e, uint64_t vmem_bytes)
{
    struct tpu_group *g = &e->lower->plan->groups[e->group];
    if (vmem_bytes > g->vmem_bytes)
        g->vmem_bytes = vmem_bytes;
    if (vmem_bytes > e->vmem_bytes)
        e->vmem_bytes = vmem_bytes;
}

void emit_uop(struct emit *e, struct tpu_uop *u)
{
    if (!e->began[u->unit])
        wait_before(e, u);
    e->began[u->unit] = true;
    u->group = e->group;
    u->signal = e->semaphores[u->unit];
    e->raised[u->unit]++;
    tpu_program_add(e->program, u);
}

void emit_cut(const struct emit *e, const struct tpu_cut *cut)
{
    if (e->core == 0)
        e->lower->plan->groups[e->group].cut = *cut;
}

uint32_t emit_but_last(uint32_t raised, uint32_t each)
{
    return raised > each ? raised - each : 0;
}

void emit_wait(const struct emit *e, struct tpu_uop *u, enum tpu_unit unit, uint32_t count)
{
    tpu_uop_wait(u, e->semaphores[unit], count);
}

void emit_wait_free(const struct emit *e, struct tpu_uop *u, enum tpu_unit unit, uint32_t count)
{
    if (!e->lower->options.overlap)
        emit_wait(e, u, unit, count);
}

/* Where the tensor of this core begins.  Where all cores reach all of HBM, each has its
 * rows, or its summand, apart from the others'. */
static uint64_t base(const struct emit *e, uint32_t tensor)
{
    const struct lower *l = e->lower;
    const struct lower_tensor *t = &l->tensors[tensor];
    bool own = l->shared && (t->share == SHARE_ROWS || (t->summed && e->group < t->maker));
    return t->address + (own ? e->core * (t->bytes / l->options.cores) : 0);
}

/* From the first whole multiple at or before `from` to the last at or after its end. */
static void widen(uint64_t *from, uint64_t *count, uint64_t multiple)
{
    uint64_t end = lower_round(*from + *count, multiple);
    *from = *from / multiple * multiple;
    *count = end - *from;
}

/* A tensor lies in HBM in pieces of TPU_TILE_ROWS rows by the lanes of a register, row after
 * row of them: columns of some rows are one piece of memory for each TPU_TILE_ROWS rows. */
static struct tpu_transfer transfer(const struct emit *e, uint32_t tensor, struct lower_part p)
{
    const struct lower *l = e->lower;
    const struct lower_tensor *t = &l->tensors[tensor];
    uint64_t size = trace_type_bytes(l->trace->tensors[tensor].type), lanes = l->config->vpu.lanes;
    uint64_t address = base(e, tensor);
    if (t->cols == 1 || t->rows == 1) {
        uint64_t from = t->cols == 1 ? p.row : p.col, count = t->cols == 1 ? p.rows : p.cols;
        widen(&from, &count, lanes);
        return (struct tpu_transfer){ address + from * size, 0, 1, (uint32_t)(count * size) };
    }
    widen(&p.row, &p.rows, TPU_TILE_ROWS);
    widen(&p.col, &p.cols, lanes);
    uint64_t pitch = TPU_TILE_ROWS * lower_pad_cols(l, t->cols) * size;
    uint64_t piece = TPU_TILE_ROWS * p.cols * size, pieces = p.rows / TPU_TILE_ROWS;
    address += p.row / TPU_TILE_ROWS * pitch + p.col * TPU_TILE_ROWS * size;
    if (piece == pitch && pieces * piece <= UINT32_MAX)
        return (struct tpu_transfer){ address, 0, 1, (uint32_t)(pieces * piece) };
    return (struct tpu_transfer){ address, pitch, (uint32_t)pieces, (uint32_t)piece };
}

struct tpu_work emit_work(uint32_t tensor, struct lower_part p)
{
    return (struct tpu_work){ .tensor = tensor, .row = p.row, .rows = (uint32_t)p.rows,
                              .col = p.col, .cols = (uint32_t)p.cols };
}

void emit_move(struct emit *e, enum tpu_unit unit, uint32_t tensor, struct lower_part part,
               enum tpu_unit buffer, uint32_t count)
{
    if (e->lower->tensors[tensor].on_chip)
        return;
    struct tpu_uop u = { .unit = unit, .transfer = transfer(e, tensor, part),
                         .work = emit_work(tensor, part) };
    if (unit == TPU_LOAD)
        emit_wait_free(e, &u, buffer, count);
    else
        emit_wait(e, &u, buffer, count);
    emit_uop(e, &u);
}
