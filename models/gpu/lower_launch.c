/* lower_launch.c - kernels, each compiled once, and launches with their parameters. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile.h"
#include "models/gpu/lower_parts.h"

#define GRID_X_MOST 2147483647u
#define GRID_MOST        65535u         /* in y and z */

struct gpu_kernel *gpu_kernel_load(const struct gpu_config *c, const char *name, struct diag *d)
{
    size_t size;
    char *text = gpu_kernel_text(c->gpu.generation, name, &size);
    if (!text) {
        diag_set(d, 0, 0, "there is no kernel %s for this generation of chips; expected one of "
                 "the project's own", name);
        return NULL;
    }
    struct ptx_module *m = ptx_read(text, size, name, d);
    const struct ptx_function *entry = m ? ptx_entry(m, name, d) : NULL;
    struct gpu_kernel *k = entry ? gpu_compile(c, m, entry, d) : NULL;
    ptx_free(m);
    free(text);
    return k;
}

/* A trace runs without data, so no address may go through memory for want of registers. */
static struct gpu_kernel *load_oblivious(const struct gpu_config *c, const char *name,
                                         struct diag *d)
{
    struct gpu_kernel *k = gpu_kernel_load(c, name, d);
    if (!k || k->oblivious)
        return k;
    diag_set(d, 0, 0, "%s: %s; expected more than %u registers a thread (sm.max_registers)", name,
             k->why_not, c->sm.max_registers);
    gpu_kernel_free(k);
    return NULL;
}

/* The plan's, compiled when it is first wanted. */
static const struct gpu_kernel *find_kernel(struct lower *l, const char *name, struct diag *d)
{
    struct gpu_plan *p = l->plan;
    for (uint32_t i = 0; i < p->kernel_count; i++)
        if (strcmp(p->kernels[i]->name, name) == 0)
            return p->kernels[i];
    struct gpu_kernel *k = load_oblivious(l->config, name, d);
    if (!k)
        return NULL;
    p->kernels = realloc(p->kernels, (p->kernel_count + 1) * sizeof(struct gpu_kernel *));
    if (!p->kernels)
        abort();
    return p->kernels[p->kernel_count++] = k;
}

uint32_t lower_resident(void *self, const struct gpu_gemm_kernel *kernel)
{
    struct lower *l = self;
    struct diag d = { .text = "" };
    struct gpu_launch launch = { .kernel = find_kernel(l, kernel->name, &d), .grid = { 1, 1, 1 },
                                 .block = { kernel->threads, 1, 1 },
                                 .shared_bytes = kernel->shared_bytes };
    struct gpu_occupancy o;
    if (launch.kernel && gpu_occupancy(l->config, &launch, &o, &d))
        return o.blocks;
    if (!l->unfit.text[0])
        l->unfit = d;
    return 0;
}

static bool is_launched(const struct gpu_plan *p, const struct gpu_kernel *k)
{
    for (uint32_t i = 0; i < p->launch_count; i++)
        if (p->launches[i].kernel == k)
            return true;
    return false;
}

void lower_drop_kernels(struct lower *l)
{
    struct gpu_plan *p = l->plan;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->kernel_count; i++)
        if (is_launched(p, p->kernels[i]))
            p->kernels[kept++] = p->kernels[i];
        else
            gpu_kernel_free(p->kernels[i]);
    p->kernel_count = kept;
}

uint64_t lower_float_bits(double value)
{
    float f = (float)value;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static void add_fixup(struct lower *l, uint32_t offset, uint64_t at)
{
    if (l->fixup_count == l->fixup_room) {
        l->fixup_room = l->fixup_room ? 2 * l->fixup_room : 64;
        l->fixups = realloc(l->fixups, l->fixup_room * sizeof *l->fixups);
        if (!l->fixups)
            abort();
    }
    l->fixups[l->fixup_count++] =
        (struct lower_fixup){ l->plan->launch_count, offset, at };
}

/* A parameter of the launch that is being made, for gpu_plan_set_step. */
static void add_number(struct lower *l, uint32_t offset, uint8_t number)
{
    struct gpu_plan *p = l->plan;
    p->numbers = realloc(p->numbers, (p->number_count + 1) * sizeof *p->numbers);
    if (!p->numbers)
        abort();
    p->numbers[p->number_count++] =
        (struct gpu_step_number){ p->launch_count, offset, l->op, number };
}

void lower_put_number(uint8_t *at, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint8_t *make_params(struct lower *l, const struct gpu_kernel *k,
                            const struct lower_argument *arguments, uint32_t count)
{
    assert(count == k->param_count);
    uint8_t *params = calloc(1, k->param_bytes + 1);
    if (!params)
        abort();
    for (uint32_t i = 0; i < count; i++) {
        assert(arguments[i].bytes == k->params[i].bytes);
        lower_put_number(params + k->params[i].offset, arguments[i].bits, arguments[i].bytes);
        if (arguments[i].workspace)
            add_fixup(l, k->params[i].offset, arguments[i].bits);
        if (arguments[i].number)
            add_number(l, k->params[i].offset, arguments[i].number);
    }
    return params;
}

static struct gpu_launch *new_launch(struct lower *l)
{
    struct gpu_plan *p = l->plan;
    if (p->launch_count == l->launch_room) {
        l->launch_room = l->launch_room ? 2 * l->launch_room : 64;
        p->launches = realloc(p->launches, l->launch_room * sizeof *p->launches);
        if (!p->launches)
            abort();
    }
    return &p->launches[p->launch_count];
}

bool lower_launch(struct lower *l, const char *kernel, struct lower_grid grid,
                  uint32_t threads, uint32_t shared_bytes,
                  const struct lower_argument *arguments, uint32_t count)
{
    const struct gpu_kernel *k = find_kernel(l, kernel, l->diag);
    if (!k)
        return false;
    if (grid.x > GRID_X_MOST || grid.y > GRID_MOST || grid.z > GRID_MOST)
        return lower_refuse(l, "takes a grid of %" PRIu64 " x %" PRIu64 " x %" PRIu64
                            " blocks; expected at most %u x %u x %u", grid.x, grid.y, grid.z,
                            GRID_X_MOST, GRID_MOST, GRID_MOST);
    assert(grid.x > 0 && grid.y > 0 && grid.z > 0 && l->plan->group_count > 0);
    struct gpu_launch *launch = new_launch(l);
    *launch = (struct gpu_launch){
        .kernel = k, .grid = { (uint32_t)grid.x, (uint32_t)grid.y, (uint32_t)grid.z },
        .block = { threads, 1, 1 }, .shared_bytes = shared_bytes,
        .params = make_params(l, k, arguments, count),
        .group = (uint16_t)(l->plan->group_count - 1),
    };
    l->plan->launch_count++;
    return true;
}

/* ---- the workspace: one for all, as a stream's launches follow each other ---- */

void lower_workspace(struct lower *l, uint64_t bytes)
{
    if (bytes > l->workspace_bytes)
        l->workspace_bytes = bytes;
}

bool lower_finish_workspace(struct lower *l)
{
    if (l->workspace_bytes == 0)
        return true;
    uint64_t address = lower_buffer(l, "workspace", l->workspace_bytes);
    if (!address)
        return false;
    for (uint32_t i = 0; i < l->fixup_count; i++) {
        const struct lower_fixup *f = &l->fixups[i];
        lower_put_number(l->plan->launches[f->launch].params + f->offset, address + f->at, 8);
    }
    return true;
}

/* ---- which kernel ---- */

uint64_t lower_ceil(uint64_t n, uint64_t by) { return n / by + (n % by != 0); }

static const char *type_suffix(const struct lower *l, const uint32_t *tensors, uint32_t count)
{
    static const char *const names[] = {
        [GPU_ELEMENT_F32] = "f32", [GPU_ELEMENT_F16] = "f16", [GPU_ELEMENT_BF16] = "bf16",
        [GPU_ELEMENT_I32] = "any",
    };
    enum gpu_element first = lower_element(l, tensors[0]);
    for (uint32_t i = 1; i < count; i++)
        if (tensors[i] != TRACE_NONE && lower_element(l, tensors[i]) != first)
            return "any";
    return names[first];
}

const struct gpu_simple_kernel *lower_simple(const struct lower *l, const char *base,
                                             const uint32_t *tensors, uint32_t count)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s", base, type_suffix(l, tensors, count));
    const struct gpu_simple_kernel *k = gpu_simple_kernel(name);
    if (k)
        return k;
    snprintf(name, sizeof name, "%s_any", base);
    k = gpu_simple_kernel(name);
    return k ? k : gpu_simple_kernel(base);
}
