/* gpu_states.c - see gpu_states.h. */
#include "sim/gpu_states.h"

#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"

#define CHUNK 128u              /* bytes that a thread has under way: 8 times 16 */

#define ALL  GPU_STATE_ALL
#define HALF GPU_STATE_HALF
#define ONE  GPU_STATE_ONE

const struct gpu_state gpu_states[] = {
    { "idle clocks locked", "spin", ONE, 1, 32, 0, 0, false, 20, 200, true,
      "between two launches: energy.constant_w" },
    { "active idle 1 thread spin", "spin", ONE, 1, 1, 0, 0, false, 100, 1000, true,
      "energy.l2_awake_w" },
    { "all SMs resident nanosleep", "rest", ALL, 1, 256, 0, 0, false, 5, 25, false, "" },
    { "half SMs busy spin", "spin", HALF, 1, 256, 0, 0, false, 300, 900, false,
      "256 threads an SM" },
    { "all SMs busy spin issue+control", "spin", ALL, 1, 256, 0, 0, false, 300, 900, true,
      "256 threads an SM: energy.issue_pj" },
    { "fp32 FMA register resident (op/s = FMA)", "fma_rate", ALL, 1, 256, 0, 0, false, 10, 60,
      false, "" },
    { "shared memory read (B/s)", "read_shared", ALL, 1, 256, 0, 0, false, 10, 60, false, "" },
    { "L1 hit read (B/s)", "read_l1", ALL, 1, 256, 1, 1, true, 10, 60, false, "" },
    { "L2 hit read 16 MiB set (B/s)", "read_memory", ALL, 1, 64, 1, 18, false, 3, 9, true,
      "crossbar, l2, far; 64 threads an SM, 15.2 MiB" },
    { "HBM read stream (B/s)", "read_memory", ALL, 4, 256, 1, 0, false, 2, 7, true,
      "energy.hbm_read_pj" },
    { "HBM copy read+write (B/s)", "copy_memory", ALL, 4, 256, 2, 0, false, 2, 7, false, "" },
};
const size_t gpu_state_count = sizeof gpu_states / sizeof gpu_states[0];

const struct gpu_state *gpu_state_find(const char *name)
{
    for (size_t i = 0; i < gpu_state_count; i++)
        if (strcmp(gpu_states[i].name, name) == 0)
            return &gpu_states[i];
    return NULL;
}

static void put_param(const struct gpu_launch *l, uint32_t number, uint64_t value)
{
    const struct gpu_param *p = &l->kernel->params[number];
    memcpy(l->params + p->offset, &value, p->bytes);
}

/* Buffers, where the kernel has some, then loops: models/gpu/kernels/micro.cu. */
static void put_work(struct gpu_plan *p, struct gpu_launch *l, const struct gpu_state *s,
                     uint32_t loops)
{
    uint64_t blocks = l->grid[0], parts = s->own ? blocks : 1;
    uint64_t bytes = (s->own ? 1 : blocks) * s->threads * CHUNK * (s->chunks ? s->chunks : loops);
    uint32_t at = 2;
    put_param(l, 0, gpu_memory_add(p->memory, "sink", 4 * blocks * s->threads));
    put_param(l, 1, gpu_memory_add(p->memory, "cycles", 8 * blocks));
    for (uint32_t i = 0; i < s->buffers; i++)
        put_param(l, at++, gpu_memory_add(p->memory, "buffer", bytes * parts));
    if (s->buffers > 0)
        put_param(l, at++, bytes);
    put_param(l, at, s->buffers > 0 && !s->chunks ? 1 : loops);
}

static uint32_t sms_of(const struct gpu_config *c, const struct gpu_state *s)
{
    switch (s->sms) {
    case GPU_STATE_ALL:  return c->sm.count;
    case GPU_STATE_HALF: return (c->sm.count + 1) / 2;
    case GPU_STATE_ONE:  return 1;
    }
    abort();
}

struct gpu_plan *gpu_state_plan(const struct figures *f, const struct gpu_state *s,
                                uint32_t launches, uint32_t loops, struct diag *d)
{
    struct gpu_kernel *kernel = gpu_kernel_load(&f->gpu, s->kernel, d);
    if (!kernel)
        return NULL;
    struct gpu_plan *p = zeroed(1, sizeof *p);
    p->group_count = p->kernel_count = 1;
    p->launch_count = launches;
    p->groups = zeroed(1, sizeof *p->groups);
    p->kernels = zeroed(1, sizeof *p->kernels);
    p->launches = zeroed(launches, sizeof *p->launches);
    p->kernels[0] = kernel;
    p->memory = gpu_memory_new(!kernel->oblivious);
    snprintf(p->groups[0].name, sizeof p->groups[0].name, "%s", s->kernel);
    for (uint32_t i = 0; i < launches; i++) {
        struct gpu_launch *l = &p->launches[i];
        uint32_t shared = strcmp(s->kernel, "read_shared") == 0 ? s->threads * CHUNK : 0;
        *l = (struct gpu_launch){ .kernel = kernel, .block = { s->threads, 1, 1 },
                                  .grid = { s->blocks * sms_of(&f->gpu, s), 1, 1 },
                                  .shared_bytes = shared,
                                  .params = zeroed(kernel->param_bytes + 1u, 1) };
        put_work(p, l, s, loops);
    }
    return p;
}
