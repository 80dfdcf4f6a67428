/* products.c - matrix products by the project's own kernels: their values, times and power.
 *
 * The launches are those that the lowering makes for the card's machine file: same PTX, same
 * grids.  Operands rotate through copies that together are larger than L2, so that each
 * repetition finds them cold, as a run of the model does.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/lower.h"
#include "models/numerics/bf16.h"
#include "sim/gemm.h"
#include "tests/measure/card.h"
#include "tests/measure/work.h"

#define TRIALS 5
#define TRIAL_S 0.1             /* of device time */
#define CHECKS 256              /* elements of a result, each summed up here in double */

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

static struct matrix matrix(const struct gpu_plan *p, const struct trace *t, uint32_t tensor)
{
    uint64_t elements = trace_elements(&t->tensors[tensor]);
    struct matrix m = { calloc(elements, 4), p->addresses[tensor], elements,
                        p->types[tensor] };
    if (!m.bytes)
        abort();
    return m;
}

static void fill(const struct work *w, struct matrix *m)
{
    for (uint64_t i = 0; i < m->elements; i++)
        put(m->bytes, m->type, i, random_value());
    for (uint32_t c = 0; c < w->copies; c++)
        driver_write(w->driver, work_address(w, m->address, c), m->bytes,
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

static double check_values(const struct work *w, const struct gpu_plan *p, const struct trace *t,
                           const struct gemm *g)
{
    const struct trace_op *op = &t->ops[0];
    struct matrix a = matrix(p, t, op->in[0]), b = matrix(p, t, op->in[1]),
                  y = matrix(p, t, op->out[0]);
    fill(w, &a);
    fill(w, &b);
    work_launch(w, 0);
    driver_wait(w->driver);
    driver_read(w->driver, y.bytes, work_address(w, y.address, 0),
                y.elements * trace_type_bytes(y.type));
    double error = largest_error(g, &a, &b, &y);
    free(a.bytes);
    free(b.bytes);
    free(y.bytes);
    return error;
}

/* ---- a row ---- */

/* Back to back, the best of some trials; then power and clock for ten times as long. */
static void time_it(const struct work *w, struct measured_row *r)
{
    uint32_t repetitions = (uint32_t)(TRIAL_S / work_seconds(w, 3)) + 1;
    double seconds = INFINITY;
    for (int trial = 0; trial < TRIALS; trial++)
        seconds = fmin(seconds, work_seconds(w, repetitions));
    struct work_time t = work_watch(w, 10 * TRIAL_S);
    r->value = seconds * 1e6;
    r->power_w = t.power_w;
    r->clock_mhz = t.clock_mhz;
}

static void measure(const struct card *c, const struct gemm *g)
{
    const struct figures *f = machine_figures(c->machine);
    struct gpu_lower_options options = { .exact_f32 = g->type == TRACE_F32 };
    struct measured_row r = { .kind = MEASURED_PRODUCT, .unit = "us", .m = (uint32_t)g->m,
                              .n = (uint32_t)g->n, .k = (uint32_t)g->k };
    struct diag d = { .text = "" };
    struct trace *t = gemm_trace(g, &d);
    struct gpu_plan *p = t ? gpu_lower(&f->gpu, &f->hbm, t, &options, false, &d) : NULL;
    if (p) {
        struct work w;
        work_open(&w, c->driver, p->launches, p->launch_count, p->memory, 4 * f->gpu.l2.bytes);
        snprintf(r.name, sizeof r.name, "%s", trace_type_names[g->type]);
        r.error = check_values(&w, p, t, g);
        time_it(&w, &r);
        card_write(c, &r);
        work_close(&w);
    } else {
        diag_print(&d, stderr);
    }
    gpu_plan_free(p);
    trace_free(t);
}

void card_products(const struct card *c)
{
    for (size_t t = 0; t < measured_type_count; t++)
        for (size_t s = 0; s < measured_shape_count; s++) {
            const uint32_t *shape = measured_shapes[s];
            struct gemm g = { .m = shape[0], .n = shape[1], .k = shape[2],
                              .type = measured_types[t] };
            if ((double)g.m * (double)g.n * (double)g.k <= c->most)
                measure(c, &g);
        }
}
