/* lower.c - the way from a trace to programs, step by step. */
#include "models/tpu/lower.h"

#include <stdlib.h>
#include <string.h>

#include "models/tpu/lower_parts.h"

#define TILE_BYTES_MAX (1u << 28)       /* eight rows, for one of a tile, have 32 bits */

void tpu_plan_free(struct tpu_plan *p)
{
    if (!p)
        return;
    for (uint32_t c = 0; p->programs && c < p->cores; c++)
        tpu_program_free(p->programs[c]);
    free(p->programs);
    for (uint32_t g = 0; g < p->group_count; g++)
        free(p->groups[g].ops);
    free(p->groups);
    free(p->tensors);
    free(p);
}

/* The same semaphores in every program, so that cores can raise each other's. */
static void add_remotes(const struct lower *l, struct tpu_program *program,
                        struct emit_remote *remotes)
{
    for (uint32_t g = 0; g < l->plan->group_count; g++) {
        if (l->plan->groups[g].kind != TPU_GROUP_ALL_REDUCE)
            continue;
        uint32_t *first[] = { &remotes[g].arrived, &remotes[g].summed, &remotes[g].taken };
        for (int i = 0; i < 3; i++) {
            *first[i] = program->semaphores;
            for (uint32_t c = 0; c < l->options.cores; c++)
                tpu_program_semaphore(program, TPU_LINK);
        }
    }
}

static bool emit_group(struct emit *e, const struct emit_remote *remotes)
{
    const struct tpu_group *g = &e->lower->plan->groups[e->group];
    for (int u = 0; u < TPU_UNITS_COUNT; u++) {
        e->semaphores[u] = tpu_program_semaphore(e->program, u);
        e->raised[u] = 0;
        e->began[u] = false;
    }
    switch (g->kind) {
    case TPU_GROUP_MATMUL:     return emit_matmul(e, g);
    case TPU_GROUP_VECTOR:     return emit_vector(e, g);
    case TPU_GROUP_TURN:       return emit_turn(e, g);
    case TPU_GROUP_ALL_REDUCE: return emit_all_reduce(e, g, &remotes[e->group]);
    }
    abort();
}

static bool emit_core(struct lower *l, uint32_t core)
{
    uint32_t groups = l->plan->group_count;
    struct tpu_program *program = tpu_program_new(groups);
    l->plan->programs[core] = program;
    struct emit_remote *remotes = calloc(groups + 1, sizeof *remotes);
    if (!remotes)
        abort();
    if (l->options.cores > 1 && !l->shared)
        add_remotes(l, program, remotes);
    program->peers = l->shared ? l->options.cores - 1 : 0;
    struct emit e = { .lower = l, .program = program, .core = core };
    bool ok = true;
    for (e.group = 0; ok && e.group < groups; e.group++)
        ok = emit_group(&e, remotes);
    free(remotes);
    program->vmem_bytes = e.vmem_bytes + l->plan->resident_bytes;
    if (program->vmem_bytes > l->plan->vmem_bytes)
        l->plan->vmem_bytes = program->vmem_bytes;
    return ok;
}

static bool emit_all(struct lower *l)
{
    l->plan->programs = calloc(l->options.cores, sizeof l->plan->programs[0]);
    if (!l->plan->programs)
        abort();
    for (uint32_t c = 0; c < l->options.cores; c++)
        if (!emit_core(l, c))
            return false;
    return true;
}

/* What the plan says of tensors. */
static void describe_tensors(const struct lower *l)
{
    struct tpu_plan *p = l->plan;
    p->tensors = calloc(l->trace->tensor_count + 1, sizeof p->tensors[0]);
    if (!p->tensors)
        abort();
    for (uint32_t i = 0; i < l->trace->tensor_count; i++) {
        const struct lower_tensor *t = &l->tensors[i];
        p->tensors[i] = (struct tpu_tensor){
            .rows = t->rows, .cols = t->cols, .kept = t->used,
            .share = t->share == SHARE_ROWS ? lower_rows(l, i, 0) : 0,
            .summed = t->summed ? t->maker : TRACE_NONE };
    }
    p->shared = l->shared;
}

bool tpu_lower_check(const struct tpu_config *c, const struct tpu_lower_options *o, struct diag *d)
{
    if (o->cores > c->chip.cores)
        return diag_set(d, 0, 0, "%u cores asked for; expected at most the chip's %u", o->cores,
                        c->chip.cores);
    if (c->lower.tile_bytes > TILE_BYTES_MAX)
        return diag_set(d, 0, 0, "lower.tile_bytes is %llu; expected at most %u",
                        (unsigned long long)c->lower.tile_bytes, TILE_BYTES_MAX);
    if (c->lower.tile_bytes > c->vmem.capacity_bytes)
        return diag_set(d, 0, 0, "lower.tile_bytes is larger than vector memory; "
                        "expected at most vmem.capacity_bytes, %llu",
                        (unsigned long long)c->vmem.capacity_bytes);
    return true;
}

static bool check_options(struct lower *l)
{
    if (l->options.cores == 0)
        l->options.cores = l->config->chip.cores;
    return tpu_lower_check(l->config, &l->options, l->diag);
}

struct tpu_plan *tpu_lower(const struct tpu_config *config, const struct hbm_config *hbm,
                           const struct trace *trace, const struct tpu_lower_options *options,
                           struct diag *d)
{
    struct tpu_plan *plan = calloc(1, sizeof *plan);
    struct lower_tensor *tensors = calloc(trace->tensor_count + 1, sizeof *tensors);
    if (!plan || !tensors)
        abort();
    struct lower l = { .config = config, .hbm = hbm, .trace = trace, .options = *options,
                       .plan = plan, .tensors = tensors, .diag = d };
    bool ok = check_options(&l);
    plan->cores = l.options.cores;
    l.shared = config->chip.hbm_sharing == TPU_HBM_SHARED && l.options.cores > 1;
    ok = ok && lower_fuse(&l) && lower_place(&l) && emit_all(&l);
    if (ok)
        describe_tensors(&l);
    free(tensors);
    if (ok)
        return plan;
    tpu_plan_free(plan);
    return NULL;
}
