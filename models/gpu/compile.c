/* compile.c - the passes of the compiler, one after the other. */
#include "models/gpu/compile.h"

#include "models/gpu/compile/code.h"

static const unsigned generation_number[] = { 70, 80, 90 };

/* What .maxnreg says, and what so many blocks of so many threads leave for each. */
static uint32_t register_limit(const struct gpu_config *c, const struct ptx_function *f)
{
    uint32_t limit = c->sm.max_registers;
    uint32_t required = f->required[0] * f->required[1] * f->required[2];
    uint32_t threads = required ? required : f->max_threads;
    if (threads) {
        uint32_t warps = (threads + GPU_LANES - 1) / GPU_LANES;
        uint32_t blocks = f->min_blocks ? f->min_blocks : 1;
        uint32_t of_warp = c->sm.registers / (warps * blocks);
        uint32_t each = of_warp / c->sm.register_granule * c->sm.register_granule / GPU_LANES;
        limit = each < limit ? each : limit;
    }
    if (f->max_registers && f->max_registers < limit)
        limit = f->max_registers;
    return limit ? limit : 1;
}

static bool check_target(struct code *c)
{
    unsigned has = generation_number[c->config->gpu.generation];
    if (c->module->target <= has)
        return true;
    snprintf(c->diag->file, sizeof c->diag->file, "%s", c->module->file);
    return diag_set(c->diag, 1, 0, "its target is sm_%u, which this chip is not; expected sm_%u "
                    "or less", c->module->target, has);
}

/* With what has been spilled. */
static bool check_local(struct code *c)
{
    return c->local_bytes <= GPU_LOCAL_MOST
        || code_fail(c, NULL, "%s: a thread takes %u bytes of local memory; expected at most %u",
                     c->entry->name, c->local_bytes, GPU_LOCAL_MOST);
}

static struct gpu_kernel *run(struct code *c)
{
    if (!check_target(c) || !code_inline(c))
        return NULL;
    code_predicate(c);
    code_fold(c);
    if (!code_expand(c))
        return NULL;
    code_flow(c);
    code_webs(c);
    code_copies(c);
    code_dead(c);
    code_slice(c);
    code_others(c);
    code_uniform(c);
    code_schedule(c);
    return code_allocate(c) && check_local(c) ? code_emit(c) : NULL;
}

struct gpu_kernel *gpu_compile(const struct gpu_config *config, const struct ptx_module *m,
                               const struct ptx_function *entry, struct diag *d)
{
    struct code c = { .config = config, .module = m, .entry = entry, .diag = d };
    c.limit = register_limit(config, entry);
    struct gpu_kernel *k = run(&c);
    arena_free(&c.arena);
    return k;
}
