/* driver.c - a card that is the model: what tests/measure does, without a card.
 *
 * The other implementation of driver.h.  A launch runs on the model of machine TWIN (h200,
 * unless the environment says otherwise), which changes memory and gives the time; the same
 * launch once more takes as long, and is not run again.  So single units as measured and as the
 * model gives them must agree, and any difference is a mistake in how they are measured or
 * compared.  Of short products the twin's are slower: each launch is a run by itself, whose
 * instruction caches are cold, and validate counts the second run of two.
 */
#include "tests/measure/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "sim/gpu_run.h"

#define BUFFERS 128
#define PARAMS  4096
#define RAN     64              /* launches that are remembered */

struct buffer { device_address at; uint64_t bytes; };

struct ran {
    const void *function;
    uint32_t grid, block;
    uint8_t  params[PARAMS];
    double   seconds;
};

struct driver {
    struct machine *machine;
    const struct figures *figures;
    struct gpu_memory *memory;
    struct buffer buffers[BUFFERS];
    uint32_t buffer_count, ran_count;
    struct ran ran[RAN];
    double seconds;             /* since the timer began */
};

static void must(bool ok, const char *what, const struct diag *d)
{
    if (ok)
        return;
    fprintf(stderr, "twin: %s: %s\n", what, d ? d->text : "");
    exit(1);
}

struct driver *driver_open(char *why, size_t size)
{
    struct diag diag = { .text = "" };
    struct driver *d = calloc(1, sizeof *d);
    const char *name = getenv("TWIN") ? getenv("TWIN") : "h200";
    d->machine = machine_find(&figures_schema, name, &diag);
    if (!d->machine) {
        snprintf(why, size, "%s", diag.text);
        free(d);
        return NULL;
    }
    d->figures = machine_figures(d->machine);
    d->memory = gpu_memory_new(true);
    return d;
}

void driver_close(struct driver *d)
{
    machine_free(d->machine);
    gpu_memory_free(d->memory);
    free(d);
}

/* As their vendor calls them. */
const char *driver_card(const struct driver *d)
{
    const char *name = machine_name(d->machine);
    return strcmp(name, "h200") == 0 ? "H200" : strcmp(name, "h100") == 0 ? "H100"
         : strcmp(name, "a100") == 0 ? "A100-SXM4-40" : "V100-SXM2";
}

unsigned driver_capability(const struct driver *d)
{
    static const unsigned capabilities[] = { 70, 80, 90 };
    return capabilities[d->figures->gpu.gpu.generation];
}

uint64_t driver_memory_bytes(const struct driver *d)
{
    (void)d;
    return UINT64_C(1) << 34;
}

device_address driver_allocate(struct driver *d, uint64_t bytes)
{
    must(d->buffer_count < BUFFERS, "too many buffers", NULL);
    device_address at = gpu_memory_add(d->memory, "card", bytes);
    must(at != 0, "memory", NULL);
    d->buffers[d->buffer_count++] = (struct buffer){ at, bytes };
    return at;
}

/* With the last of them all memory is new; the model's own has no way to free one. */
void driver_free(struct driver *d, device_address a)
{
    for (uint32_t i = 0; i < d->buffer_count; i++)
        if (d->buffers[i].at == a) {
            d->buffers[i] = d->buffers[--d->buffer_count];
            break;
        }
    if (d->buffer_count == 0) {
        gpu_memory_free(d->memory);
        d->memory = gpu_memory_new(true);
        d->ran_count = 0;
    }
}

static uint8_t *bytes_at(const struct driver *d, device_address at, uint64_t bytes)
{
    uint32_t hint = 0;
    uint8_t *p = gpu_memory_at(d->memory, at, bytes, &hint);
    must(p != NULL, "outside of memory", NULL);
    return p;
}

void driver_write(struct driver *d, device_address to, const void *from, size_t bytes)
{
    memcpy(bytes_at(d, to, bytes), from, bytes);
}

void driver_read(struct driver *d, void *to, device_address from, size_t bytes)
{
    memcpy(to, bytes_at(d, from, bytes), bytes);
}

/* New memory is zeros already: pages that nobody touches cost nothing. */
void driver_fill(struct driver *d, device_address to, uint32_t word, uint64_t words)
{
    must(word == 0, "only zeros", NULL);
    bytes_at(d, to, 4 * words);
}

struct module { char *ptx; };

void *driver_module(struct driver *d, const char *ptx)
{
    (void)d;
    struct module *m = calloc(1, sizeof *m);
    m->ptx = strdup(ptx);
    return m;
}

void *driver_function(struct driver *d, void *module, const char *name, uint32_t shared_bytes)
{
    const struct module *m = module;
    struct diag diag = { .text = "" };
    struct gpu_kernel *k = gpu_run_compile(&d->figures->gpu, m->ptx, name, &diag);
    must(k != NULL, name, &diag);
    (void)shared_bytes;
    return k;                   /* as long as the program runs */
}

void driver_unload(struct driver *d, void *module)
{
    struct module *m = module;
    (void)d;
    free(m->ptx);
    free(m);
}

static double run(struct driver *d, const struct gpu_launch *l)
{
    struct gpu_run_output outputs[BUFFERS];
    struct gpu_run_result result;
    struct diag diag = { .text = "" };
    for (uint32_t i = 0; i < d->buffer_count; i++)
        outputs[i] = (struct gpu_run_output){ d->buffers[i].at, d->buffers[i].bytes };
    struct gpu_run r = {
        .chip = { .config = &d->figures->gpu, .hbm = &d->figures->hbm, .launches = l,
                  .launch_count = 1, .groups = 1, .memory = d->memory, .values = true },
        .outputs = outputs, .output_count = d->buffer_count,
    };
    must(gpu_run(&r, &result, &diag), l->kernel->name, &diag);
    double seconds = (double)(result.launches[0].times.end - result.launches[0].times.start)
                   / (double)TICKS_PER_S;
    gpu_run_free(&result);
    return seconds + d->figures->gpu.launch.next_us * 1e-6;
}

void driver_launch(struct driver *d, void *function, const uint32_t grid[3],
                   const uint32_t block[3], uint32_t shared_bytes, const void *params,
                   size_t param_bytes)
{
    struct ran *now = &d->ran[d->ran_count < RAN ? d->ran_count : RAN - 1];
    memset(now, 0, sizeof *now);
    now->function = function;
    now->grid = grid[0];
    now->block = block[0];
    memcpy(now->params, params, param_bytes);
    struct gpu_launch l = { .kernel = function, .grid = { grid[0], grid[1], grid[2] },
                            .block = { block[0], block[1], block[2] },
                            .shared_bytes = shared_bytes, .params = now->params };
    for (uint32_t i = 0; i < d->ran_count; i++)
        if (memcmp(&d->ran[i], now, offsetof(struct ran, seconds)) == 0) {
            d->seconds += d->ran[i].seconds;
            return;
        }
    now->seconds = run(d, &l);
    d->seconds += now->seconds;
    d->ran_count += d->ran_count < RAN - 1;
}

void driver_wait(struct driver *d)                    { (void)d; }
void driver_timer_start(struct driver *d)             { d->seconds = 0; }
void driver_timer_mark(struct driver *d)              { (void)d; }
bool driver_timer_running(struct driver *d)           { return d->seconds < 0; }
double driver_timer_stop(struct driver *d)            { return d->seconds; }
double driver_power_w(const struct driver *d)         { (void)d; return -1; }
double driver_clock_mhz(const struct driver *d)       { return d->figures->gpu.gpu.clock_mhz; }
