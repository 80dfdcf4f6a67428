/* measure.c - times the project's own kernels on a real card, and checks their values.
 *
 *     gpu-measure OUT.csv
 *
 * The launches are those that the lowering makes for the card's machine file: same PTX, same
 * grids.  A product's operands rotate through copies that together are larger than L2, so
 * that each repetition finds them cold, as a run of the model does; time is the mean of
 * back-to-back repetitions, the best of some trials.  So a row compares with the model's
 * time from the first block to the last and one `next_us`.
 *
 * Without a card it says so, writes nothing, and ends well.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/kernels/kernels.h"
#include "models/gpu/lower.h"
#include "models/numerics/bf16.h"
#include "sim/figures.h"
#include "sim/gemm.h"
#include "tests/measure/driver.h"

#define TRIALS 5
#define TRIAL_S 0.1             /* of device time */
#define COPIES_MOST 64
#define CHECKS 256              /* elements of a result, each summed up here in double */
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Which machine file a card is. */
static const struct { const char *part, *machine; } cards[] = {
    { "H200", "h200" }, { "H100", "h100" }, { "A100-SXM4-40", "a100" },
    { "A100-PCIE-40", "a100-pcie-40" }, { "A100", "a100-pcie-80" }, { "V100-SXM2", "v100" },
    { "V100", "v100-pcie" }, { "GV100", "gv100" },
};

/* m, n, k: squares, deep, skinny, few rows, and shapes of training; awkward ones at the end. */
static const uint32_t shapes[][3] = {
    { 512, 512, 512 },     { 1024, 1024, 1024 },  { 2048, 2048, 2048 },  { 4096, 4096, 4096 },
    { 8192, 8192, 8192 },  { 256, 256, 16384 },   { 1024, 1024, 16384 }, { 2048, 2048, 8192 },
    { 512, 3072, 5120 },   { 2048, 10240, 3072 }, { 16, 5120, 5120 },    { 64, 12288, 3072 },
    { 64, 10240, 10240 },  { 128, 8192, 8192 },   { 256, 1024, 784 },    { 784, 1024, 256 },
    { 1536, 1536, 1536 },  { 3072, 3072, 3072 },  { 129, 1000, 777 },    { 1000, 1003, 511 },
};

/* ---- a plan on the card ---- */

struct loaded { void *module, *function; };

struct work {
    struct driver   *driver;
    struct gpu_plan *plan;
    struct loaded   *loaded;            /* [launches] */
    device_address   arena[COPIES_MOST];
    uint32_t         copies;
    uint64_t         bytes;             /* of an arena: GPU_MEMORY_BASE up to its end */
};

/* Parameters of a launch, with addresses of the model turned into those of a copy. */
static void translate(const struct work *w, const struct gpu_launch *l, uint32_t copy,
                      uint8_t *params)
{
    const struct gpu_kernel *k = l->kernel;
    memcpy(params, l->params, k->param_bytes);
    for (uint32_t p = 0; p < k->param_count; p++) {
        uint64_t value;
        if (k->params[p].bytes != sizeof value)
            continue;
        memcpy(&value, params + k->params[p].offset, sizeof value);
        if (value < GPU_MEMORY_BASE || value >= GPU_MEMORY_BASE + w->bytes)
            continue;
        value += w->arena[copy] - GPU_MEMORY_BASE;
        memcpy(params + k->params[p].offset, &value, sizeof value);
    }
}

static void launch_all(const struct work *w, uint32_t copy)
{
    for (uint32_t i = 0; i < w->plan->launch_count; i++) {
        const struct gpu_launch *l = &w->plan->launches[i];
        uint8_t params[4096];
        translate(w, l, copy, params);
        driver_launch(w->driver, w->loaded[i].function, l->grid, l->block, l->shared_bytes,
                      params, l->kernel->param_bytes);
    }
}

static bool load_kernels(struct work *w, enum gpu_generation generation)
{
    w->loaded = calloc(w->plan->launch_count + 1, sizeof *w->loaded);
    for (uint32_t i = 0; w->loaded && i < w->plan->launch_count; i++) {
        const struct gpu_launch *l = &w->plan->launches[i];
        size_t size;
        char *text = gpu_kernel_text(generation, l->kernel->name, &size);
        if (!text)
            return false;
        w->loaded[i].module = driver_module(w->driver, text);
        w->loaded[i].function = driver_function(w->driver, w->loaded[i].module, l->kernel->name,
                                                l->shared_bytes);
        free(text);
    }
    return w->loaded != NULL;
}

static void open_work(struct work *w, const struct gpu_config *c)
{
    uint64_t end = gpu_memory_add(w->plan->memory, "end", 1);
    w->bytes = end - GPU_MEMORY_BASE;
    uint64_t wanted = 4 * c->l2.bytes / w->bytes + 2;
    uint64_t room = driver_memory_bytes(w->driver) / 2 / w->bytes;
    w->copies = (uint32_t)(wanted < COPIES_MOST ? wanted : COPIES_MOST);
    w->copies = w->copies < room ? w->copies : (uint32_t)room;
    for (uint32_t i = 0; i < w->copies; i++)
        w->arena[i] = driver_allocate(w->driver, w->bytes);
}

static void close_work(struct work *w)
{
    for (uint32_t i = 0; i < w->copies; i++)
        driver_free(w->driver, w->arena[i]);
    for (uint32_t i = 0; w->loaded && i < w->plan->launch_count; i++)
        if (w->loaded[i].module)
            driver_unload(w->driver, w->loaded[i].module);
    free(w->loaded);
    gpu_plan_free(w->plan);
}

/* ---- values ---- */

static uint64_t seed = 1;

/* Uniform in [-1, 1), by splitmix64: the same on every machine. */
static float random_value(void)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (float)((double)((z ^ z >> 31) >> 11) / 4503599627370496.0 - 1);
}

static void put(uint8_t *at, enum trace_type type, uint64_t i, float x)
{
    uint16_t half = type == TRACE_F16 ? f16_from_f32(x) : bf16_from_f32(x);
    if (type == TRACE_F32)
        memcpy(at + 4 * i, &x, 4);
    else
        memcpy(at + 2 * i, &half, 2);
}

static double get(const uint8_t *at, enum trace_type type, uint64_t i)
{
    float x;
    uint16_t half;
    if (type == TRACE_F32) {
        memcpy(&x, at + 4 * i, 4);
        return (double)x;
    }
    memcpy(&half, at + 2 * i, 2);
    return (double)(type == TRACE_F16 ? f16_to_f32(half) : bf16_to_f32(half));
}

struct matrix { uint8_t *bytes; uint64_t address, elements; enum trace_type type; };

static struct matrix matrix(const struct work *w, const struct trace *t, uint32_t tensor)
{
    uint64_t elements = trace_elements(&t->tensors[tensor]);
    struct matrix m = { calloc(elements, 4), w->plan->addresses[tensor], elements,
                        w->plan->types[tensor] };
    if (!m.bytes)
        abort();
    return m;
}

static void fill(const struct work *w, struct matrix *m)
{
    for (uint64_t i = 0; i < m->elements; i++)
        put(m->bytes, m->type, i, random_value());
    for (uint32_t c = 0; c < w->copies; c++)
        driver_write(w->driver, w->arena[c] + (m->address - GPU_MEMORY_BASE), m->bytes,
                     m->elements * trace_type_bytes(m->type));
}

/* The largest error of some elements of y = a b, over the sum of the terms' sizes. */
static double largest_error(const struct gemm *g, const struct matrix *a, const struct matrix *b,
                            const struct matrix *y)
{
    double worst = 0;
    for (int check = 0; check < CHECKS; check++) {
        uint64_t i = (uint64_t)((random_value() + 1) / 2 * (float)(g->m - 1) + 0.5f);
        uint64_t j = (uint64_t)((random_value() + 1) / 2 * (float)(g->n - 1) + 0.5f);
        double sum = 0, size = 1e-30;
        for (uint64_t k = 0; k < g->k; k++) {
            double x = get(a->bytes, a->type, g->transpose_a ? k * g->m + i : i * g->k + k);
            double z = get(b->bytes, b->type, g->transpose_b ? j * g->k + k : k * g->n + j);
            sum += x * z;
            size += fabs(x * z);
        }
        worst = fmax(worst, fabs(get(y->bytes, y->type, i * g->n + j) - sum) / size);
    }
    return worst;
}

static double check_values(const struct work *w, const struct trace *t, const struct gemm *g)
{
    const struct trace_op *op = &t->ops[0];
    struct matrix a = matrix(w, t, op->in[0]), b = matrix(w, t, op->in[1]),
                  y = matrix(w, t, op->out[0]);
    fill(w, &a);
    fill(w, &b);
    launch_all(w, 0);
    driver_wait(w->driver);
    driver_read(w->driver, y.bytes, w->arena[0] + (y.address - GPU_MEMORY_BASE),
                y.elements * trace_type_bytes(y.type));
    double error = largest_error(g, &a, &b, &y);
    free(a.bytes);
    free(b.bytes);
    free(y.bytes);
    return error;
}

/* ---- time and power ---- */

static double seconds_of(const struct work *w, uint32_t repetitions)
{
    driver_timer_start(w->driver);
    for (uint32_t r = 0; r < repetitions; r++)
        launch_all(w, r % w->copies);
    return driver_timer_stop(w->driver) / repetitions;
}

struct measured { double seconds, power_w, clock_mhz, error; };

/* While a trial of ten times the length runs, the card is asked. */
static void watch(const struct work *w, uint32_t repetitions, struct measured *m)
{
    double watts = 0, mhz = 0;
    uint32_t samples = 0;
    driver_timer_start(w->driver);
    for (uint32_t r = 0; r < 10 * repetitions; r++)
        launch_all(w, r % w->copies);
    driver_timer_mark(w->driver);
    while (driver_timer_running(w->driver)) {
        watts += driver_power_w(w->driver);
        mhz += driver_clock_mhz(w->driver);
        samples++;
    }
    m->power_w = samples ? watts / samples : -1;
    m->clock_mhz = samples ? mhz / samples : -1;
}

static void time_it(const struct work *w, struct measured *m)
{
    double once = seconds_of(w, 3);
    uint32_t repetitions = (uint32_t)(TRIAL_S / once) + 1;
    m->seconds = INFINITY;
    for (int trial = 0; trial < TRIALS; trial++)
        m->seconds = fmin(m->seconds, seconds_of(w, repetitions));
    watch(w, repetitions, m);
}

/* ---- rows ---- */

static bool measure(struct driver *driver, const struct machine *machine, const struct gemm *g,
                    struct measured *m)
{
    const struct figures *f = machine_figures(machine);
    struct gpu_lower_options options = { .exact_f32 = g->type == TRACE_F32 };
    struct diag d = { .text = "" };
    struct trace *t = gemm_trace(g, &d);
    struct work w = { .driver = driver };
    w.plan = t ? gpu_lower(&f->gpu, &f->hbm, t, &options, false, &d) : NULL;
    bool ok = w.plan != NULL;
    if (ok) {
        ok = load_kernels(&w, f->gpu.gpu.generation);
        open_work(&w, &f->gpu);
        m->error = check_values(&w, t, g);
        time_it(&w, m);
        close_work(&w);
    } else {
        diag_print(&d, stderr);
    }
    trace_free(t);
    return ok;
}

static void measure_all(struct driver *driver, const struct machine *machine, FILE *out)
{
    static const struct { enum trace_type type; const char *name; } types[] = {
        { TRACE_BF16, "bf16" }, { TRACE_F16, "f16" }, { TRACE_F32, "f32" },
    };
    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t s = 0; s < COUNT(shapes); s++) {
            struct gemm g = { .m = shapes[s][0], .n = shapes[s][1], .k = shapes[s][2],
                              .type = types[t].type };
            struct measured m;
            if (!measure(driver, machine, &g, &m))
                continue;
            fprintf(out, "%s,product,%s,%u,%u,%u,%.3f,%.3f,%.1f,%.0f,%.3g\n",
                    machine_name(machine), types[t].name, shapes[s][0], shapes[s][1],
                    shapes[s][2], m.seconds * 1e6,
                    2e-12 * (double)g.m * (double)g.n * (double)g.k / m.seconds, m.power_w,
                    m.clock_mhz, m.error);
            fflush(out);
        }
}

static const char *machine_of(const char *card)
{
    for (size_t i = 0; i < COUNT(cards); i++)
        if (strstr(card, cards[i].part))
            return cards[i].machine;
    return NULL;
}

static int measure_card(struct driver *driver, const char *path)
{
    struct diag d = { .text = "" };
    const char *name = machine_of(driver_card(driver));
    if (!name) {
        fprintf(stderr, "gpu-measure: no machine file describes a %s\n", driver_card(driver));
        return 0;
    }
    struct machine *machine = machine_find(&figures_schema, name, &d);
    FILE *out = machine ? fopen(path, "w") : NULL;
    if (!out) {
        fprintf(stderr, "gpu-measure: %s\n", machine ? path : d.text);
        machine_free(machine);
        return 1;
    }
    fprintf(out, "# The project's own kernels on a %s (sm_%u), by make gpu-measure: mean of "
            "back-to-back launches, operands cold in L2, the best of %d trials.\n"
            "# error: the largest, over the sum of the sizes of the terms.  Negative: not told.\n"
            "machine,what,type,m,n,k,time_us,tflops,power_w,clock_mhz,error\n",
            driver_card(driver), driver_capability(driver), TRIALS);
    measure_all(driver, machine, out);
    machine_free(machine);
    return fclose(out) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    char why[128];
    if (argc != 2) {
        fprintf(stderr, "usage: gpu-measure OUT.csv\n");
        return 2;
    }
    struct driver *driver = driver_open(why, sizeof why);
    if (!driver) {
        printf("no GPU to measure (%s); nothing is written\n", why);
        return 0;
    }
    int status = measure_card(driver, argv[1]);
    driver_close(driver);
    return status;
}
