/* micro.c - see micro.h. */
#include "sim/micro.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/lower.h"
#include "sim/gpu_run.h"

#define LANES 32u
#define THREADS 256
#define MIB   (1u << 20)

/* ---- one launch ---- */

/* What is run: `args` are the parameters after sink and cycles, 8 bytes or 4 each; the first
 * so many are addresses. */
struct micro {
    const char *kernel;
    uint32_t grid, block, shared_bytes, addresses;
    uint64_t args[4];
};

static void put_param(const struct gpu_launch *l, uint32_t number, uint64_t value)
{
    const struct gpu_param *p = &l->kernel->params[number];
    memcpy(l->params + p->offset, &value, p->bytes);
}

/* Runs it in the memory of `l`, to which its results are added. */
static bool run_kernel(const struct micro_place *p, const struct micro *m,
                       struct micro_launch *l, struct micro_time *out, struct diag *d)
{
    struct gpu_kernel *kernel = gpu_kernel_load(&p->figures->gpu, m->kernel, d);
    if (!kernel)
        return false;
    l->launch = (struct gpu_launch){ .kernel = kernel, .grid = { m->grid, 1, 1 },
                                     .block = { m->block, 1, 1 },
                                     .shared_bytes = m->shared_bytes,
                                     .params = calloc(kernel->param_bytes + 1u, 1) };
    l->address_params = 2 + m->addresses;
    l->sink = gpu_memory_add(l->memory, "sink", 4ull * m->grid * m->block);
    l->cycles = gpu_memory_add(l->memory, "cycles", 8ull * m->grid);
    bool ok = l->launch.params && l->sink && l->cycles;
    if (ok) {
        put_param(&l->launch, 0, l->sink);
        put_param(&l->launch, 1, l->cycles);
        for (uint32_t i = 2; i < kernel->param_count; i++)
            put_param(&l->launch, i, m->args[i - 2]);
        ok = p->run(p, l, out, d);
    } else {
        diag_set(d, 0, 0, "%s: not enough memory", m->kernel);
    }
    free(l->launch.params);
    gpu_kernel_free(kernel);
    return ok;
}

static bool run_alone(const struct micro_place *p, const struct micro *m,
                      struct micro_time *out, struct diag *d)
{
    struct micro_launch l = { .memory = gpu_memory_new(true) };
    bool ok = run_kernel(p, m, &l, out, d);
    gpu_memory_free(l.memory);
    return ok;
}

/* ---- on the model ---- */

static bool run_on_model(const struct micro_place *p, const struct micro_launch *l,
                         struct micro_time *t, struct diag *d)
{
    uint32_t hint = 0;
    uint64_t count = 0;
    struct gpu_run_output wanted = { l->cycles, 8 };
    struct gpu_run run = {
        .chip = { .config = &p->figures->gpu, .hbm = &p->figures->hbm, .launches = &l->launch,
                  .launch_count = 1, .groups = 1, .memory = l->memory, .values = true },
        .outputs = &wanted, .output_count = 1,
    };
    struct gpu_run_result result;
    if (!gpu_run(&run, &result, d))
        return false;
    memcpy(&count, gpu_memory_at(l->memory, l->cycles, 8, &hint), 8);
    t->cycles = (double)count;
    t->seconds = (double)(result.launches[0].times.end - result.launches[0].times.start)
               / (double)TICKS_PER_S;
    gpu_run_free(&result);
    return true;
}

struct micro_place micro_on_model(const struct figures *f)
{
    return (struct micro_place){ .figures = f, .longer = 1, .run = run_on_model };
}

/* ---- chains ---- */

/* A ring of `count` places that are multiples of `apart` in a buffer, in a shuffled order:
 * each holds the address of the next. */
static uint64_t make_ring(struct micro_launch *l, uint64_t count, uint64_t apart)
{
    uint64_t at = gpu_memory_add(l->memory, "ring", count * apart), state = 1;
    uint32_t hint = 0;
    uint8_t *bytes = gpu_memory_at(l->memory, at, count * apart, &hint);
    uint64_t *order = malloc(count * sizeof *order);
    if (!order || !bytes)
        abort();
    for (uint64_t i = 0; i < count; i++)
        order[i] = i;
    for (uint64_t i = count - 1; i > 0; i--) {          /* one cycle through all: Sattolo */
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t j = (state >> 33) % i, other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t next = at + order[i] * apart;
        memcpy(bytes + i * apart, &next, sizeof next);
    }
    free(order);
    l->ring = at;
    l->places = count;
    l->apart = apart;
    return at;
}

/* A place a line; all of them are met once before the clock starts if `warm`. */
struct chase { const char *kernel; uint64_t count, apart; bool warm; };

static double run_chase(const struct micro_place *p, const struct chase *c, struct diag *d)
{
    struct micro_launch l = { .memory = gpu_memory_new(true) };
    uint64_t start = make_ring(&l, c->count, c->apart), steps = 2048;
    struct micro m = { c->kernel, 1, 1, 0, 1, { start, c->warm ? c->count : 0, steps } };
    struct micro_time out;
    bool ok = run_kernel(p, &m, &l, &out, d);
    gpu_memory_free(l.memory);
    return ok ? out.cycles / (double)steps : NAN;
}

static double l1_latency(const struct micro_place *p, struct diag *d)
{
    return run_chase(p, &(struct chase){ "chase_l1", 64, 128, true }, d);
}

static double l2_latency(const struct micro_place *p, struct diag *d)
{
    return run_chase(p, &(struct chase){ "chase_l2", 2048, 128, true }, d);
}

/* Without copies near and far lines are met equally often: what the far ones take, if the
 * near ones take what all do with copies. */
static double far_latency(const struct micro_place *p, struct diag *d)
{
    struct figures changed = *p->figures;
    struct micro_place home = *p;
    changed.gpu.l2.copies = 0;
    home.figures = &changed;
    double near = l2_latency(p, d);
    return isnan(near) ? NAN : 2 * l2_latency(&home, d) - near;
}

/* Over half a GiB: every step opens a row. */
static double memory_latency(const struct micro_place *p, struct diag *d)
{
    return run_chase(p, &(struct chase){ "chase_l2", 4096, 128 * 1023, false }, d);
}

/* `each` operations a loop. */
static double chain(const struct micro_place *p, const char *kernel, double each, struct diag *d)
{
    struct micro_time out;
    struct micro m = { kernel, 1, LANES, 0, 0, { 64 } };
    return run_alone(p, &m, &out, d) ? out.cycles / (64 * each) : NAN;
}

static double ffma_latency(const struct micro_place *p, struct diag *d)
{
    return chain(p, "fma_chain", 128, d);
}

static double k16_latency(const struct micro_place *p, struct diag *d)
{
    return chain(p, "mma_f16_chain", 32, d);
}

static double k8_latency(const struct micro_place *p, struct diag *d)
{
    return chain(p, "mma_f16_k8_chain", 32, d);
}

static double tf32_latency(const struct micro_place *p, struct diag *d)
{
    return chain(p, "mma_tf32_chain", 32, d);
}

static double shared_latency(const struct micro_place *p, struct diag *d)
{
    struct micro_time out;
    struct micro m = { "chase_shared", 1, LANES, 0, 0, { 2048 } };
    return run_alone(p, &m, &out, d) ? out.cycles / 2048 : NAN;
}

/* ---- rates of an SM ---- */

/* Operations of an SM in a cycle, with `warps` on it: what twice the loops take longer. */
static double rate(const struct micro_place *p, const char *kernel, uint32_t warps, double each,
                   struct diag *d)
{
    struct micro_time few, many;
    struct micro m = { kernel, 1, warps * LANES, 0, 0, { 64 * p->longer } }, twice = m;
    twice.args[0] *= 2;
    if (!run_alone(p, &m, &few, d) || !run_alone(p, &twice, &many, d))
        return NAN;
    return (double)m.args[0] * each * warps
         / ((many.seconds - few.seconds) * p->figures->gpu.gpu.clock_mhz * 1e6);
}

static double ffma_rate(const struct micro_place *p, struct diag *d)
{
    return LANES * rate(p, "fma_rate", 16, 128, d);
}

static double wmma_interval(const struct micro_place *p, struct diag *d)
{
    return p->figures->gpu.sm.subcores / rate(p, "wmma_rate", 8, 32, d);
}

static double k16_rate(const struct micro_place *p, struct diag *d)
{
    return 16 * 8 * 16 * rate(p, "mma_f16_rate", 16, 32, d);
}

static double k8_rate(const struct micro_place *p, struct diag *d)
{
    return 16 * 8 * 8 * rate(p, "mma_f16_k8_rate", 16, 32, d);
}

static double tf32_rate(const struct micro_place *p, struct diag *d)
{
    return 16 * 8 * 8 * rate(p, "mma_tf32_rate", 16, 32, d);
}

static double shared_bandwidth(const struct micro_place *p, struct diag *d)
{
    struct micro_time out;
    uint32_t repeats = 200 * p->longer;
    struct micro m = { "read_shared", 1, THREADS, THREADS * 128, 0, { repeats } };
    return run_alone(p, &m, &out, d) ? (double)repeats * THREADS * 128 / out.cycles : NAN;
}

/* ---- bandwidths ---- */

static double l1_bandwidth(const struct micro_place *p, struct diag *d)
{
    struct micro_launch l = { .memory = gpu_memory_new(true) };
    uint64_t x = gpu_memory_add(l.memory, "x", 1 << 15), repeats = 400 * p->longer;
    struct micro m = { "read_l1", 1, THREADS, 0, 1, { x, 1 << 15, repeats } };
    struct micro_time out;
    bool ok = run_kernel(p, &m, &l, &out, d);
    gpu_memory_free(l.memory);
    return ok ? (double)repeats * (1 << 15) / out.cycles : NAN;
}

/* The whole grid, so many blocks an SM, over `bytes`, `repeats` times; two arrays where one is
 * copied. */
struct stream { const char *kernel; uint64_t bytes; uint32_t blocks, repeats; bool two; };

/* Seconds. */
static double run_stream(const struct micro_place *p, const struct stream *s, struct diag *d)
{
    struct micro_launch l = { .memory = gpu_memory_new(true) };
    uint64_t x = gpu_memory_add(l.memory, "x", s->bytes);
    uint64_t y = s->two ? gpu_memory_add(l.memory, "y", s->bytes) : 0;
    struct micro m = { s->kernel, s->blocks * p->figures->gpu.sm.count, THREADS, 0,
                       1 + s->two, { x, s->bytes, s->repeats } };
    if (s->two)
        memcpy(m.args, (uint64_t[]){ y, x, s->bytes, s->repeats }, sizeof m.args);
    struct micro_time out;
    bool ok = run_kernel(p, &m, &l, &out, d);
    gpu_memory_free(l.memory);
    return ok ? out.seconds : NAN;
}

/* Of two lengths. */
static double l2_bandwidth(const struct micro_place *p, struct diag *d)
{
    uint32_t more = 8 * p->longer;
    struct stream few = { "read_memory", 128ull * THREADS * p->figures->gpu.sm.count, 1, 2, false };
    struct stream many = few;
    many.repeats += more;
    double a = run_stream(p, &few, d), b = isnan(a) ? NAN : run_stream(p, &many, d);
    return more * (double)few.bytes / (b - a) / (p->figures->gpu.gpu.clock_mhz * 1e6);
}

/* What is written has to leave L2: its dirty lines at the ends of both launches drop out. */
static double from_memory(const struct micro_place *p, const char *kernel, bool writes, bool two,
                          struct diag *d)
{
    const struct gpu_config *c = &p->figures->gpu;
    uint64_t unit = 4 * 128ull * THREADS * c->sm.count, least = 32 * MIB;
    if (writes && 2 * c->l2.bytes > least)
        least = 2 * c->l2.bytes;
    struct stream few = { kernel, least * p->longer / unit * unit, 4, 1, two }, many = few;
    many.bytes *= 3;
    double a = run_stream(p, &few, d), b = isnan(a) ? NAN : run_stream(p, &many, d);
    return (two ? 2 : 1) * (double)(many.bytes - few.bytes) / (b - a) / 1e9;
}

static double memory_read(const struct micro_place *p, struct diag *d)
{
    return from_memory(p, "read_memory", false, false, d);
}

static double memory_write(const struct micro_place *p, struct diag *d)
{
    return from_memory(p, "write_memory", true, false, d);
}

static double memory_copy(const struct micro_place *p, struct diag *d)
{
    return from_memory(p, "copy_memory", true, true, d);
}

/* ---- all of them ---- */

#define ANY  GPU_SM_70, false
#define FROM GPU_SM_80, false
#define MACS "multiply-accumulates per cycle and SM"

const struct micro_quantity micro_quantities[] = {
    { "l1_latency", "cycles", "", l1_latency, ANY },
    { "l1_bandwidth", "bytes per cycle and SM", "", l1_bandwidth, ANY },
    { "l2_latency_near", "cycles", "256 KiB", l2_latency, ANY },
    { "l2_latency_far", "cycles", "256 KiB, half of it far", far_latency, GPU_SM_70, true },
    { "l2_bandwidth", "bytes per cycle", "", l2_bandwidth, ANY },
    { "memory_latency", "cycles", "a new row each", memory_latency, ANY },
    { "memory_read", "GB/s", "", memory_read, ANY },
    { "memory_write", "GB/s", "", memory_write, ANY },
    { "memory_copy", "GB/s", "", memory_copy, ANY },
    { "ffma_latency", "cycles", "", ffma_latency, ANY },
    { "ffma_rate", "operations per cycle and SM", "", ffma_rate, ANY },
    { "shared_latency", "cycles", "", shared_latency, ANY },
    { "shared_bandwidth", "bytes per cycle and SM", "", shared_bandwidth, ANY },
    { "wmma_interval", "cycles of a sub-core", "", wmma_interval, ANY },
    { "mma_k16_latency", "cycles", "", k16_latency, FROM },
    { "mma_k16_rate", MACS, "", k16_rate, FROM },
    { "mma_k8_latency", "cycles", "", k8_latency, FROM },
    { "mma_k8_rate", MACS, "", k8_rate, FROM },
    { "mma_tf32_latency", "cycles", "", tf32_latency, FROM },
    { "mma_tf32_rate", MACS, "", tf32_rate, FROM },
};
const size_t micro_quantity_count = sizeof micro_quantities / sizeof micro_quantities[0];

const struct micro_quantity *micro_find(const char *name)
{
    for (size_t i = 0; i < micro_quantity_count; i++)
        if (strcmp(micro_quantities[i].name, name) == 0)
            return &micro_quantities[i];
    return NULL;
}
