/* kernel_plan.c - see kernel_plan.h. */
#include "sim/kernel_plan.h"

#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile.h"
#include "models/zeroed.h"
#include "sim/cuda.h"

#define NOTES 2

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static struct ptx_module *load(const struct kernel_call *call, const struct gpu_config *c,
                               struct diag *d)
{
    if (!ends_in(call->path, ".cu"))
        return ptx_load(call->path, d);
    char *ptx = cuda_compile(call->path, c->gpu.generation, d);
    if (!ptx)
        return NULL;
    char name[256];
    snprintf(name, sizeof name, "%.240s's PTX", call->path);
    struct ptx_module *m = ptx_read(ptx, strlen(ptx), name, d);
    free(ptx);
    return m;
}

/* "saxpy" is also the one kernel that C++ calls "_Z5saxpyfPKfPf". */
static const char *mangled(const struct ptx_module *m, const char *entry)
{
    char begin[PTX_NAME + 16];
    const char *found = entry;
    int n = snprintf(begin, sizeof begin, "_Z%zu%.120s", strlen(entry), entry), matches = 0;
    for (uint32_t i = 0; i < m->function_count; i++) {
        const struct ptx_function *f = &m->functions[i];
        if (f->is_entry && strcmp(f->name, entry) == 0)
            return entry;
        if (f->is_entry && strncmp(f->name, begin, (size_t)n) == 0) {
            matches++;
            found = f->name;
        }
    }
    return matches == 1 ? found : entry;
}

static struct gpu_kernel *find_kernel(const struct kernel_call *call, const struct gpu_config *c,
                                      struct diag *d)
{
    struct ptx_module *m = load(call, c, d);
    const struct ptx_function *f = NULL;
    if (m)
        f = ptx_entry(m, call->entry ? mangled(m, call->entry) : NULL, d);
    struct gpu_kernel *k = f ? gpu_compile(c, m, f, d) : NULL;
    ptx_free(m);
    return k;
}

static bool needs_values(const struct kernel_call *call, const struct gpu_kernel *k)
{
    bool needs = call->values || !k->oblivious;
    for (uint32_t i = 0; i < call->args.count; i++)
        needs |= call->args.arg[i].fill == KERNEL_ARG_FILE;
    return needs;
}

static void set_launch(struct gpu_plan *p, const struct kernel_call *call)
{
    struct gpu_launch *l = p->launches;
    l->kernel = p->kernels[0];
    memcpy(l->grid, call->grid, sizeof l->grid);
    memcpy(l->block, call->block, sizeof l->block);
    l->shared_bytes = call->shared_bytes;
    l->params = zeroed(p->kernels[0]->param_bytes, 1);
    snprintf(p->groups[0].name, sizeof p->groups[0].name, "%.95s", p->kernels[0]->name);
    p->groups[0].phase = PHASE_FORWARD;
    if (p->kernels[0]->oblivious)
        return;
    snprintf(p->notes[p->note_count++], sizeof p->notes[0], "run with values: %.128s",
             p->kernels[0]->why_not);
    if (call->sample)
        snprintf(p->notes[p->note_count++], sizeof p->notes[0], "sampled all the same: blocks "
                 "left out are taken to find values as those before them did");
}

/* Blocks that wait for blocks that are left out would wait for ever; those that learn what is
 * left to do would learn something else. */
static bool check_sample(const struct kernel_call *call, const struct gpu_kernel *k,
                         struct diag *d)
{
    return !call->sample || !k->others[0]
        || diag_set(d, 0, 0, "%.60s: what other blocks do decides how one goes on: %s; expected "
                    "no --sample, which leaves blocks out", k->name, k->others);
}

static struct gpu_plan *new_plan(struct gpu_kernel *k, bool values)
{
    struct gpu_plan *p = zeroed(1, sizeof *p);
    p->group_count = p->launch_count = p->kernel_count = 1;
    p->groups = zeroed(1, sizeof *p->groups);
    p->launches = zeroed(1, sizeof *p->launches);
    p->kernels = zeroed(1, sizeof *p->kernels);
    p->notes = zeroed(NOTES, sizeof *p->notes);
    p->kernels[0] = k;
    p->memory = gpu_memory_new(values);
    return p;
}

struct gpu_plan *kernel_plan(const struct kernel_call *call, const struct gpu_config *c,
                             uint64_t addresses[KERNEL_ARGS_MOST], struct diag *d)
{
    struct gpu_kernel *k = find_kernel(call, c, d);
    if (!k)
        return NULL;
    struct gpu_plan *p = new_plan(k, needs_values(call, k));
    set_launch(p, call);
    bool ok = check_sample(call, k, d) && kernel_args_check(&call->args, k, d)
           && kernel_args_place(&call->args, k, call->seed, p->memory, p->launches[0].params,
                                addresses, d)
           && gpu_launch_variables(k, p->memory, d);
    if (ok)
        return p;
    gpu_plan_free(p);
    return NULL;
}
