/* interpret_rig.h - a kernel's text, compiled and run for its values.
 *
 *     struct interpret_rig *r = interpret_rig_new(GPU_SM_80, text);
 *     uint64_t x = gpu_memory_add(r->memory, "x", 400);
 *     interpret_rig_u64(r, 0, x);                     parameter 0
 *     ck_assert(interpret_rig_run(r, 4, 128));
 */
#ifndef TESTS_MODELS_GPU_INTERPRET_RIG_H
#define TESTS_MODELS_GPU_INTERPRET_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile.h"
#include "models/gpu/interpret.h"
#include "tests/models/gpu/gpu_figures.h"

struct interpret_rig {
    struct gpu_config config;
    struct ptx_module *module;
    struct gpu_kernel *kernel;
    struct gpu_memory *memory;
    struct gpu_launch launch;
    uint8_t params[256];
    struct diag diag;
    uint64_t most;                      /* operations; 0: any number */
    struct gpu_interpreted result;
};

/* Everything but the kernel's head and body is put round them. */
static inline struct interpret_rig *interpret_rig_new(enum gpu_generation g, const char *kernel)
{
    static const char *const targets[] = { "sm_70", "sm_80", "sm_90" };
    struct interpret_rig *r = calloc(1, sizeof *r);
    size_t size = strlen(kernel) + 200;
    char *text = malloc(size);
    snprintf(text, size, ".version 8.0\n.target %s\n.address_size 64\n%s", targets[g], kernel);
    r->config = g == GPU_SM_70 ? gpu_v100() : gpu_a100();
    r->config.gpu.generation = g;
    r->module = ptx_read(text, strlen(text), "test.ptx", &r->diag);
    ck_assert_msg(r->module != NULL, "line %u: %s", r->diag.line, r->diag.text);
    const struct ptx_function *entry = ptx_entry(r->module, NULL, &r->diag);
    ck_assert_msg(entry != NULL, "%s", r->diag.text);
    r->kernel = gpu_compile(&r->config, r->module, entry, &r->diag);
    ck_assert_msg(r->kernel != NULL, "line %u: %s", r->diag.line, r->diag.text);
    r->memory = gpu_memory_new(true);
    r->launch = (struct gpu_launch){ .kernel = r->kernel, .params = r->params };
    free(text);
    return r;
}

static inline void interpret_rig_free(struct interpret_rig *r)
{
    gpu_kernel_free(r->kernel);
    ptx_free(r->module);
    gpu_memory_free(r->memory);
    free(r);
}

static inline void interpret_rig_u64(struct interpret_rig *r, unsigned param, uint64_t x)
{
    memcpy(r->params + r->kernel->params[param].offset, &x, r->kernel->params[param].bytes);
}

static inline bool interpret_rig_run(struct interpret_rig *r, uint32_t blocks, uint32_t threads)
{
    uint32_t grid[3] = { blocks, 1, 1 }, block[3] = { threads, 1, 1 };
    memcpy(r->launch.grid, grid, sizeof grid);
    memcpy(r->launch.block, block, sizeof block);
    r->diag = (struct diag){ .text = "" };
    return gpu_interpret(&r->config, &r->launch, r->memory, r->most, &r->result, &r->diag);
}

static inline void *interpret_rig_at(struct interpret_rig *r, uint64_t address)
{
    return gpu_memory_at(r->memory, address, 1, NULL);
}

#endif
