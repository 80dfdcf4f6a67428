/* work.c - see work.h. */
#include "tests/measure/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/kernels/kernels.h"

#define ASK_EVERY 256
#define PARAMS 4096             /* bytes, the most that a launch can have on sm_70 to sm_90 */

static void load(struct work *w, uint32_t i)
{
    const struct gpu_kernel *k = w->launches[i].kernel;
    size_t size;
    char *text = gpu_kernel_text(k->generation, k->name, &size);
    if (!text)
        abort();
    w->loaded[i].module = driver_module(w->driver, text);
    w->loaded[i].function = driver_function(w->driver, w->loaded[i].module, k->name,
                                            w->launches[i].shared_bytes);
    free(text);
}

void work_open(struct work *w, struct driver *driver, const struct gpu_launch *launches,
               uint32_t launch_count, struct gpu_memory *memory, uint64_t spread)
{
    *w = (struct work){ .driver = driver, .launches = launches, .launch_count = launch_count,
                        .address_params = UINT32_MAX,
                        .loaded = calloc(launch_count + 1, sizeof *w->loaded) };
    if (!w->loaded)
        abort();
    for (uint32_t i = 0; i < launch_count; i++)
        load(w, i);
    w->bytes = gpu_memory_add(memory, "end", 1) - GPU_MEMORY_BASE + 256;
    uint64_t wanted = spread / w->bytes + 1, room = driver_memory_bytes(driver) / 2 / w->bytes;
    wanted = wanted < WORK_COPIES ? wanted : WORK_COPIES;
    wanted = wanted < room ? wanted : room;
    w->copies = wanted > 0 ? (uint32_t)wanted : 1;
    for (uint32_t i = 0; i < w->copies; i++) {
        w->arena[i] = driver_allocate(driver, w->bytes);
        driver_fill(driver, w->arena[i], 0, w->bytes / 4);
    }
}

void work_close(struct work *w)
{
    for (uint32_t i = 0; i < w->copies; i++)
        driver_free(w->driver, w->arena[i]);
    for (uint32_t i = 0; i < w->launch_count; i++)
        driver_unload(w->driver, w->loaded[i].module);
    free(w->loaded);
}

device_address work_address(const struct work *w, uint64_t address, uint32_t copy)
{
    return w->arena[copy] + (address - GPU_MEMORY_BASE);
}

/* Parameters of a launch, with addresses of the model turned into those of a copy. */
static void translate(const struct work *w, const struct gpu_launch *l, uint32_t copy,
                      uint8_t *params)
{
    const struct gpu_kernel *k = l->kernel;
    if (k->param_bytes > PARAMS)
        abort();
    memcpy(params, l->params, k->param_bytes);
    for (uint32_t p = 0; p < k->param_count && p < w->address_params; p++) {
        uint64_t value;
        if (k->params[p].bytes != sizeof value)
            continue;
        memcpy(&value, params + k->params[p].offset, sizeof value);
        if (value < GPU_MEMORY_BASE || value >= GPU_MEMORY_BASE + w->bytes)
            continue;
        value = work_address(w, value, copy);
        memcpy(params + k->params[p].offset, &value, sizeof value);
    }
}

void work_launch(const struct work *w, uint32_t copy)
{
    for (uint32_t i = 0; i < w->launch_count; i++) {
        const struct gpu_launch *l = &w->launches[i];
        uint8_t params[PARAMS];
        translate(w, l, copy, params);
        driver_launch(w->driver, w->loaded[i].function, l->grid, l->block, l->shared_bytes,
                      params, l->kernel->param_bytes);
    }
}

double work_seconds(const struct work *w, uint32_t repetitions)
{
    driver_timer_start(w->driver);
    for (uint32_t r = 0; r < repetitions; r++)
        work_launch(w, r % w->copies);
    return driver_timer_stop(w->driver) / repetitions;
}

static void ask(const struct work *w, struct work_time *sums, uint32_t *samples)
{
    sums->power_w += driver_power_w(w->driver);
    sums->clock_mhz += driver_clock_mhz(w->driver);
    (*samples)++;
}

/* Only in the second half, when it has settled; and before the queue of launches is full,
 * which holds the launching up. */
struct work_time work_watch(const struct work *w, double seconds)
{
    struct work_time t = { work_seconds(w, 3), 0, 0 };
    uint32_t repetitions = (uint32_t)(seconds / t.seconds) + 1, samples = 0;
    driver_timer_start(w->driver);
    for (uint32_t r = 0; r < repetitions; r++) {
        work_launch(w, r % w->copies);
        if (r > repetitions / 2 && r % ASK_EVERY == 0)
            ask(w, &t, &samples);
    }
    driver_timer_mark(w->driver);
    do
        ask(w, &t, &samples);
    while (driver_timer_running(w->driver));
    t.power_w /= samples;
    t.clock_mhz /= samples;
    return t;
}
