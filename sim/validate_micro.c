/* validate_micro.c - latencies, rates and bandwidths of single units, by micro-kernels.
 *
 * The kernels are models/gpu/kernels/micro.cu: each leaves the cycles that its first thread
 * counted.  A latency is of a chain of dependent operations, over their number; a rate is of
 * all warps of an SM, a bandwidth of the whole chip from the first block to the last.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/lower.h"
#include "sim/gpu_run.h"
#include "sim/validate.h"
#include "sim/validate_csv.h"

#define LANES 32u
#define THREADS 256
#define MIB   (1u << 20)

/* ---- one launch ---- */

/* What is run: `args` are the parameters after sink and cycles, 8 bytes or 4 each. */
struct micro {
    const char *kernel;
    uint32_t grid, block, shared_bytes;
    uint64_t args[4];
};

struct measured { double cycles, seconds; };    /* of block 0; of the launch */

static void put_param(const struct gpu_launch *l, uint32_t number, uint64_t value)
{
    const struct gpu_param *p = &l->kernel->params[number];
    memcpy(l->params + p->offset, &value, p->bytes);
}

/* Runs it in `memory`, to which its results are added. */
static bool run_kernel(const struct figures *f, const struct micro *m, struct gpu_memory *memory,
                       struct measured *out, struct diag *d)
{
    uint32_t hint = 0;
    struct gpu_kernel *kernel = gpu_kernel_load(&f->gpu, m->kernel, d);
    if (!kernel)
        return false;
    struct gpu_launch launch = { .kernel = kernel, .grid = { m->grid, 1, 1 },
                                 .block = { m->block, 1, 1 }, .shared_bytes = m->shared_bytes,
                                 .params = calloc(kernel->param_bytes + 1u, 1) };
    uint64_t sink = gpu_memory_add(memory, "sink", 4ull * m->grid * m->block);
    uint64_t cycles = gpu_memory_add(memory, "cycles", 8ull * m->grid), count = 0;
    put_param(&launch, 0, sink);
    put_param(&launch, 1, cycles);
    for (uint32_t i = 2; i < kernel->param_count; i++)
        put_param(&launch, i, m->args[i - 2]);
    struct gpu_run_output wanted = { cycles, 8 };
    struct gpu_run run = {
        .chip = { .config = &f->gpu, .hbm = &f->hbm, .launches = &launch, .launch_count = 1,
                  .groups = 1, .memory = memory, .values = true },
        .outputs = &wanted, .output_count = 1,
    };
    struct gpu_run_result result;
    bool ok = gpu_run(&run, &result, d);
    if (ok) {
        memcpy(&count, gpu_memory_at(memory, cycles, 8, &hint), 8);
        out->cycles = (double)count;
        out->seconds = (double)(result.launches[0].times.end - result.launches[0].times.start)
                     / (double)TICKS_PER_S;
        gpu_run_free(&result);
    }
    free(launch.params);
    gpu_kernel_free(kernel);
    return ok;
}

static bool run_alone(const struct figures *f, const struct micro *m, struct measured *out,
                      struct diag *d)
{
    struct gpu_memory *memory = gpu_memory_new(true);
    bool ok = run_kernel(f, m, memory, out, d);
    gpu_memory_free(memory);
    return ok;
}

/* ---- chains ---- */

/* A ring of `count` places that are multiples of `apart` in a buffer, in a shuffled order:
 * each holds the address of the next. */
static uint64_t make_ring(struct gpu_memory *memory, uint64_t count, uint64_t apart)
{
    uint64_t at = gpu_memory_add(memory, "ring", count * apart), state = 1;
    uint32_t hint = 0;
    uint8_t *bytes = gpu_memory_at(memory, at, count * apart, &hint);
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
    return at;
}

/* A place a line; all of them are met once before the clock starts if `warm`. */
struct chase { const char *kernel; uint64_t count, apart; bool warm; };

static double run_chase(const struct figures *f, const struct chase *c, struct diag *d)
{
    struct gpu_memory *memory = gpu_memory_new(true);
    uint64_t start = make_ring(memory, c->count, c->apart), steps = 2048;
    struct micro m = { c->kernel, 1, 1, 0, { start, c->warm ? c->count : 0, steps } };
    struct measured out;
    bool ok = run_kernel(f, &m, memory, &out, d);
    gpu_memory_free(memory);
    return ok ? out.cycles / (double)steps : NAN;
}

static double l1_latency(const struct figures *f, struct diag *d)
{
    return run_chase(f, &(struct chase){ "chase_l1", 64, 128, true }, d);
}

static double l2_latency(const struct figures *f, struct diag *d)
{
    return run_chase(f, &(struct chase){ "chase_l2", 2048, 128, true }, d);
}

/* Without copies near and far lines are met equally often: what the far ones take, if the
 * near ones take what all do with copies. */
static double far_latency(const struct figures *f, struct diag *d)
{
    struct figures home = *f;
    home.gpu.l2.copies = 0;
    double near = l2_latency(f, d);
    return isnan(near) ? NAN : 2 * l2_latency(&home, d) - near;
}

/* Over half a GiB: every step opens a row. */
static double memory_latency(const struct figures *f, struct diag *d)
{
    return run_chase(f, &(struct chase){ "chase_l2", 4096, 128 * 1023, false }, d);
}

/* `each` operations a loop. */
static double chain(const struct figures *f, const char *kernel, double each, struct diag *d)
{
    struct measured out;
    struct micro m = { kernel, 1, LANES, 0, { 64 } };
    return run_alone(f, &m, &out, d) ? out.cycles / (64 * each) : NAN;
}

static double ffma_latency(const struct figures *f, struct diag *d)
{
    return chain(f, "fma_chain", 128, d);
}

static double k16_latency(const struct figures *f, struct diag *d)
{
    return chain(f, "mma_f16_chain", 32, d);
}

static double k8_latency(const struct figures *f, struct diag *d)
{
    return chain(f, "mma_f16_k8_chain", 32, d);
}

static double tf32_latency(const struct figures *f, struct diag *d)
{
    return chain(f, "mma_tf32_chain", 32, d);
}

static double shared_latency(const struct figures *f, struct diag *d)
{
    struct measured out;
    struct micro m = { "chase_shared", 1, LANES, 0, { 2048 } };
    return run_alone(f, &m, &out, d) ? out.cycles / 2048 : NAN;
}

/* ---- rates of an SM ---- */

/* Operations of an SM in a cycle, with `warps` on it: what twice the loops take longer. */
static double rate(const struct figures *f, const char *kernel, uint32_t warps, double each,
                   struct diag *d)
{
    struct measured few, many;
    struct micro m = { kernel, 1, warps * LANES, 0, { 64 } }, twice = m;
    twice.args[0] *= 2;
    if (!run_alone(f, &m, &few, d) || !run_alone(f, &twice, &many, d))
        return NAN;
    return 64 * each * warps / ((many.seconds - few.seconds) * f->gpu.gpu.clock_mhz * 1e6);
}

static double ffma_rate(const struct figures *f, struct diag *d)
{
    return LANES * rate(f, "fma_rate", 16, 128, d);
}

static double wmma_interval(const struct figures *f, struct diag *d)
{
    return f->gpu.sm.subcores / rate(f, "wmma_rate", 8, 32, d);
}

static double k16_rate(const struct figures *f, struct diag *d)
{
    return 16 * 8 * 16 * rate(f, "mma_f16_rate", 16, 32, d);
}

static double k8_rate(const struct figures *f, struct diag *d)
{
    return 16 * 8 * 8 * rate(f, "mma_f16_k8_rate", 16, 32, d);
}

static double tf32_rate(const struct figures *f, struct diag *d)
{
    return 16 * 8 * 8 * rate(f, "mma_tf32_rate", 16, 32, d);
}

static double shared_bandwidth(const struct figures *f, struct diag *d)
{
    struct measured out;
    struct micro m = { "read_shared", 1, THREADS, THREADS * 128, { 200 } };
    return run_alone(f, &m, &out, d) ? 200.0 * THREADS * 128 / out.cycles : NAN;
}

/* ---- bandwidths ---- */

static double l1_bandwidth(const struct figures *f, struct diag *d)
{
    struct gpu_memory *memory = gpu_memory_new(true);
    uint64_t x = gpu_memory_add(memory, "x", 1 << 15);
    struct micro m = { "read_l1", 1, THREADS, 0, { x, 1 << 15, 400 } };
    struct measured out;
    bool ok = run_kernel(f, &m, memory, &out, d);
    gpu_memory_free(memory);
    return ok ? 400.0 * (1 << 15) / out.cycles : NAN;
}

/* Seconds of the whole grid, so many blocks an SM, over `bytes`, `repeats` times; two arrays
 * where one is copied. */
static double stream(const struct figures *f, const char *kernel, uint64_t bytes,
                     uint32_t blocks, uint32_t repeats, bool two, struct diag *d)
{
    struct gpu_memory *memory = gpu_memory_new(true);
    uint64_t x = gpu_memory_add(memory, "x", bytes), y = gpu_memory_add(memory, "y", bytes);
    struct micro m = { kernel, blocks * f->gpu.sm.count, THREADS, 0, { x, bytes, repeats } };
    if (two)
        memcpy(m.args, (uint64_t[]){ y, x, bytes, repeats }, sizeof m.args);
    struct measured out;
    bool ok = run_kernel(f, &m, memory, &out, d);
    gpu_memory_free(memory);
    return ok ? out.seconds : NAN;
}

/* Two lengths, so that start and end of the launch drop out. */
static double l2_bandwidth(const struct figures *f, struct diag *d)
{
    uint64_t bytes = 128ull * THREADS * f->gpu.sm.count;
    double few = stream(f, "read_memory", bytes, 1, 2, false, d);
    double many = isnan(few) ? NAN : stream(f, "read_memory", bytes, 1, 10, false, d);
    return 8 * (double)bytes / (many - few) / (f->gpu.gpu.clock_mhz * 1e6);
}

static double from_memory(const struct figures *f, const char *kernel, bool two, struct diag *d)
{
    uint64_t unit = 4 * 128ull * THREADS * f->gpu.sm.count;
    uint64_t few = 32 * MIB / unit * unit, many = 3 * few;
    double a = stream(f, kernel, few, 4, 1, two, d);
    double b = isnan(a) ? NAN : stream(f, kernel, many, 4, 1, two, d);
    return (two ? 2 : 1) * (double)(many - few) / (b - a) / 1e9;
}

static double memory_read(const struct figures *f, struct diag *d)
{
    return from_memory(f, "read_memory", false, d);
}

static double memory_write(const struct figures *f, struct diag *d)
{
    return from_memory(f, "write_memory", false, d);
}

static double memory_copy(const struct figures *f, struct diag *d)
{
    return from_memory(f, "copy_memory", true, d);
}

/* ---- rows ---- */

static const struct quantity {
    const char *name;
    double (*run)(const struct figures *f, struct diag *d);
    const char *note;
} quantities[] = {
    { "l1_latency", l1_latency, "" },
    { "l1_bandwidth", l1_bandwidth, "" },
    { "l2_latency_near", l2_latency, "256 KiB" },
    { "l2_latency_far", far_latency, "256 KiB, half of it far" },
    { "l2_bandwidth", l2_bandwidth, "" },
    { "memory_latency", memory_latency, "a new row each" },
    { "memory_read", memory_read, "" },
    { "memory_write", memory_write, "" },
    { "memory_copy", memory_copy, "" },
    { "ffma_latency", ffma_latency, "" },
    { "ffma_rate", ffma_rate, "" },
    { "shared_latency", shared_latency, "" },
    { "shared_bandwidth", shared_bandwidth, "" },
    { "wmma_interval", wmma_interval, "" },
    { "mma_k16_latency", k16_latency, "" },
    { "mma_k16_rate", k16_rate, "" },
    { "mma_k8_latency", k8_latency, "" },
    { "mma_k8_rate", k8_rate, "" },
    { "mma_tf32_latency", tf32_latency, "" },
    { "mma_tf32_rate", tf32_rate, "" },
};
#define QUANTITIES (sizeof quantities / sizeof quantities[0])

enum { CLOCK_MHZ };

static double run_quantity(const struct validate_row *row, struct diag *d)
{
    const struct quantity *q = row->detail;
    struct machine *m = machine_copy(row->machine);
    char clock[48];
    double value = NAN;
    snprintf(clock, sizeof clock, "gpu.clock_mhz=%g", row->arg[CLOCK_MHZ]);
    if (machine_set(m, clock, "validate", d))
        value = q->run(machine_figures(m), d);
    machine_free(m);
    return value;
}

static const struct validate_set units = {
    .title = "GPUs: single units", .unit = "as said", .each_bar = 5,
    .about = "Micro-kernels (models/gpu/kernels/micro.cu) on the model, beside gpu-benches "
             "(RRZE-HPC) and an H100's reproduction of NVIDIA-Hopper-Benchmark, at the clock at "
             "which they were measured.",
};

static bool add_quantity(struct validation *v, struct validate_set *s, const struct csv *c,
                         size_t i, struct diag *d)
{
    const char *what = csv_text(c, i, "what");
    for (size_t q = 0; q < QUANTITIES; q++) {
        if (strcmp(what, quantities[q].name) != 0)
            continue;
        struct validate_row row = {
            .run = run_quantity, .machine = validate_machine(v, csv_text(c, i, "machine"), d),
            .judged = true, .class = VALIDATE_NONE, .measured = csv_number(c, i, "value"),
            .arg = { csv_number(c, i, "clock_mhz") }, .detail = &quantities[q],
        };
        snprintf(row.what, sizeof row.what, "%s, %s (%s)", csv_text(c, i, "machine"), what,
                 csv_text(c, i, "unit"));
        snprintf(row.note, sizeof row.note, "%s", quantities[q].note);
        if (row.machine)
            validate_add_row(s, &row);
        return row.machine != NULL;
    }
    return diag_set(d, 0, 0, "gpu_microbench.csv: no such quantity as %.40s", what);
}

bool validate_micro(struct validation *v, struct diag *d)
{
    struct csv c;
    struct validate_set *s = validate_add_set(v, &units);
    if (!csv_read(&c, v->folder, "gpu_microbench.csv", d))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < c.rows; i++)
        ok = add_quantity(v, s, &c, i, d);
    csv_clear(&c);
    return ok;
}
