/* lower.c - the way from a trace to launches, op by op. */
#include "models/gpu/lower.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/lower_parts.h"

#define GROUPS_MAX 65000u       /* a launch's group has 16 bits */

void gpu_plan_free(struct gpu_plan *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->launch_count; i++)
        free(p->launches[i].params);
    for (uint32_t i = 0; i < p->kernel_count; i++)
        gpu_kernel_free(p->kernels[i]);
    for (uint32_t i = 0; i < p->group_count; i++)
        free(p->groups[i].ops);
    free(p->launches);
    free(p->numbers);
    free(p->kernels);
    free(p->groups);
    gpu_memory_free(p->memory);
    free(p->addresses);
    free(p->types);
    free(p->notes);
    free(p);
}

bool lower_refuse(const struct lower *l, const char *format, ...)
{
    char why[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return diag_set(l->diag, l->op->line, l->op->line ? 1 : 0, "%s %s: %s",
                    op_rows[l->op->kind].name, l->trace->tensors[l->op->out[0]].name, why);
}

void lower_note(struct lower *l, const char *format, ...)
{
    struct gpu_plan *p = l->plan;
    char note[sizeof p->notes[0]];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    for (uint32_t i = 0; i < p->note_count; i++)
        if (strcmp(p->notes[i], note) == 0)
            return;
    p->notes = realloc(p->notes, (p->note_count + 1) * sizeof *p->notes);
    if (!p->notes)
        abort();
    memcpy(p->notes[p->note_count++], note, sizeof note);
}

/* ---- groups ---- */

struct gpu_group *lower_group(struct lower *l, enum trace_phase phase, const char *name)
{
    struct gpu_plan *p = l->plan;
    if (p->group_count >= GROUPS_MAX) {
        lower_refuse(l, "the trace becomes more than %u groups of ops; expected fewer",
                     GROUPS_MAX);
        return NULL;
    }
    if (p->group_count == l->group_room) {
        l->group_room = l->group_room ? 2 * l->group_room : 64;
        p->groups = realloc(p->groups, l->group_room * sizeof *p->groups);
        if (!p->groups)
            abort();
    }
    struct gpu_group *g = &p->groups[p->group_count++];
    *g = (struct gpu_group){ .phase = phase };
    snprintf(g->name, sizeof g->name, "%s", name);
    return g;
}

static void append(const struct lower *l, struct gpu_group *g, uint32_t index)
{
    const struct trace_op *op = &l->trace->ops[index];
    g->ops = realloc(g->ops, (g->op_count + 1) * sizeof g->ops[0]);
    if (!g->ops)
        abort();
    g->ops[g->op_count++] = index;
    size_t used = strlen(g->name);
    if (g->op_count > 1)
        snprintf(g->name + used, sizeof g->name - used, " + %s", op_rows[op->kind].name);
    g->flops += op_flops(l->trace, op);
}

static struct gpu_group *begin_group(struct lower *l, uint32_t index)
{
    const struct trace_op *op = &l->trace->ops[index];
    char name[sizeof l->plan->groups[0].name];
    snprintf(name, sizeof name, "%s = %s", l->trace->tensors[op->out[0]].name,
             op_rows[op->kind].name);
    struct gpu_group *g = lower_group(l, op->phase, name);
    if (g)
        append(l, g, index);
    return g;
}

/* ---- ops ---- */

static bool lower_matmul(struct lower *l, uint32_t *index)
{
    struct lower_product x = { .tail = gpu_lower_fuse(l, *index) };
    if (!lower_product_operands(l, &x))
        return false;
    struct gpu_group *g = begin_group(l, *index);
    if (!g)
        return false;
    g->is_matmul = true;
    g->macs = x.product.batch * x.product.m * x.product.n * x.product.k;
    for (uint32_t i = 0; i < x.tail.ops; i++)
        append(l, g, ++*index);
    return lower_product(l, &x);
}

static bool lower_any(struct lower *l, uint32_t *index)
{
    l->op = &l->trace->ops[*index];
    enum op_class class = op_rows[l->op->kind].class;
    if (class == OP_MATMUL)
        return lower_matmul(l, index);
    if (!begin_group(l, *index))
        return false;
    return class == OP_OPTIMIZER ? lower_update(l) : lower_op(l);
}

static bool lower_all(struct lower *l)
{
    for (uint32_t i = 0; i < l->trace->op_count; i++)
        if (!lower_any(l, &i))
            return false;
    return true;
}

static void begin_plan(struct lower *l, bool values)
{
    uint32_t tensors = l->trace->tensor_count;
    struct gpu_plan *p = l->plan = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->memory = gpu_memory_new(values);
    p->addresses = calloc(tensors + 1, sizeof *p->addresses);
    p->types = calloc(tensors + 1, sizeof *p->types);
    l->tensors = calloc(tensors + 1, sizeof *l->tensors);
    if (!p->addresses || !p->types || !l->tensors)
        abort();
}

struct gpu_plan *gpu_lower(const struct gpu_config *c, const struct hbm_config *hbm,
                           const struct trace *trace, const struct gpu_lower_options *o,
                           bool values, struct diag *d)
{
    struct lower l = {
        .config = c, .trace = trace, .options = *o, .diag = d,
        .memory_bytes_per_s = hbm_peak_bytes_per_s(hbm) * hbm->stacks,
        .memory_ns = hbm->front_ns + hbm->rcd_rd_ns + hbm->cl_ns,
        .port_bytes = c->l2.port_bytes * c->l2.partitions * hbm->stacks,
        .memory_bytes = (uint64_t)(hbm->capacity_gib * 1073741824.0 * hbm->stacks),
    };
    begin_plan(&l, values);
    bool ok = gpu_lower_place(&l) && lower_all(&l) && lower_finish_workspace(&l);
    lower_drop_kernels(&l);
    free(l.tensors);
    free(l.fixups);
    if (ok)
        return l.plan;
    gpu_plan_free(l.plan);
    return NULL;
}
