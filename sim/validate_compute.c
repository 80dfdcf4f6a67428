/* validate_compute.c - see validate_units.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/tpu/lower.h"
#include "models/tpu/mxu.h"
#include "sim/gemm.h"
#include "sim/validate_kernel.h"
#include "sim/validate_product.h"
#include "sim/validate_units.h"

static const struct tpu_config *config_of(const struct validate_row *row)
{
    return &((const struct figures *)machine_figures(row->machine))->tpu;
}

/* ---- the matrix unit by itself ---- */

static struct tpu_mxu_tile rows(const struct tpu_mxu_config *c, uint32_t depth, bool reuse)
{
    return (struct tpu_mxu_tile){ .depth = depth, .used_rows = c->rows, .used_cols = c->cols,
                                  .reuse = reuse };
}

/* Weights pushed and put in place from cycle 0; the first cycle in which a row can enter. */
static cycle_t cold(struct tpu_mxu *m, const struct tpu_mxu_config *c)
{
    struct tpu_mxu_tile tile = rows(c, c->push_rows, false);
    tpu_mxu_load(m, 0, NULL);
    return tpu_mxu_stream_at(m, 0, &tile);
}

/* `count` pushes as fast as they go, weights in place; when the first began and the last's
 * results are there. */
static void pushes(const struct tpu_mxu_config *c, uint32_t count, cycle_t *first, cycle_t *push,
                   cycle_t *result, cycle_t *last)
{
    struct tpu_mxu *m = tpu_mxu_new(c, TPU_MXU_FAST);
    struct tpu_mxu_tile tile = rows(c, c->push_rows, false);
    cycle_t now = cold(m, c);
    tpu_mxu_stream(m, now, &tile);
    now = tpu_mxu_last_result_at(m) + 1000;
    *first = *push = now;
    tile.reuse = true;
    for (uint32_t i = 0; i < count; i++) {
        tpu_mxu_step(m, now);
        now = tpu_mxu_stream_at(m, now, &tile);
        *push = now;
        tpu_mxu_stream(m, now, &tile);
        if (i == 0)
            *result = tpu_mxu_first_result_at(m);
    }
    *last = tpu_mxu_last_result_at(m);
    tpu_mxu_free(m);
}

double units_pushes(const struct validate_row *row, struct diag *d)
{
    const char *count = strstr(row->what, ": ");
    cycle_t first, push, result, last;
    (void)d;
    pushes(&config_of(row)->mxu, count ? (uint32_t)atoi(count + 2) : 1, &first, &push, &result,
           &last);
    return (double)(last - first) + UNITS_READING;
}

double units_push_interval(const struct validate_row *row, struct diag *d)
{
    cycle_t first, push, result, last;
    (void)d;
    pushes(&config_of(row)->mxu, 2, &first, &push, &result, &last);
    return (double)(push - first);
}

double units_mxu_latency(const struct validate_row *row, struct diag *d)
{
    cycle_t first, push, result, last;
    (void)d;
    pushes(&config_of(row)->mxu, 1, &first, &push, &result, &last);
    return (double)(result - first);
}

double units_cold_weights(const struct validate_row *row, struct diag *d)
{
    struct tpu_mxu *m = tpu_mxu_new(&config_of(row)->mxu, TPU_MXU_FAST);
    double cycles = (double)cold(m, &config_of(row)->mxu);
    (void)d;
    tpu_mxu_free(m);
    return cycles;
}

/* ---- products ---- */

static struct tpu_product product(uint32_t m, uint32_t k, uint32_t n)
{
    return (struct tpu_product){ .m = m, .k = k, .n = n, .weight_rows = m, .passes = 1,
                                 .element_bytes = 2, .weight_bytes = 2 };
}

static double one_product(const struct validate_row *row, const struct tpu_product *p,
                          uint64_t *vector_ops, struct diag *d)
{
    struct kernel_time time;
    struct kernel *k = kernel_new(1, 1);
    kernel_matrix(k, 0, 0, p, KERNEL_NONE);
    return kernel_run(k, machine_figures(row->machine), &time, vector_ops, d)
         ? (double)(time.end - time.start) : NAN;
}

double units_small_product(const struct validate_row *row, struct diag *d)
{
    struct tpu_product p = product(16, 128, 128);
    return one_product(row, &p, NULL, d);
}

/* Registers added for 128 more of k, 16 rows. */
double units_sums(const struct validate_row *row, struct diag *d)
{
    struct tpu_product one = product(16, 128, 128), two = product(16, 256, 128);
    uint64_t less, more;
    const struct tpu_vpu_config *v = &config_of(row)->vpu;
    if (isnan(one_product(row, &one, &less, d)) || isnan(one_product(row, &two, &more, d)))
        return NAN;
    return (double)(more - less) / (v->lanes * v->sublanes);
}

static double macs(const struct validate_row *row, bool highest, struct diag *d)
{
    struct gemm g = { .m = 128, .k = 128, .n = 128, .type = TRACE_F32 };
    json_t *result = validate_result(gemm_trace(&g, d), row->machine, 1, highest, d);
    double count = result ? validate_field(result, "macs") : NAN;
    json_decref(result);
    return count;
}

double units_six_passes(const struct validate_row *row, struct diag *d)
{
    return macs(row, true, d) / macs(row, false, d);
}

/* ---- transposes ---- */

/* arg[0]: rows, arg[1]: columns, of f32. */
static double turn(const struct validate_row *row, struct diag *d)
{
    struct tpu_turn t = { .rows = (uint32_t)row->arg[0], .cols = (uint32_t)row->arg[1],
                          .element_bytes = 4 };
    struct kernel_time time;
    struct kernel *k = kernel_new(1, 1);
    kernel_turn(k, 0, 0, &t, KERNEL_NONE);
    return kernel_run(k, machine_figures(row->machine), &time, NULL, d)
         ? (double)(time.end - time.start) : NAN;
}

double units_turn(const struct validate_row *row, struct diag *d)
{
    return turn(row, d) - config_of(row)->core.step_cycles + UNITS_READING;
}

double units_turn_kernel(const struct validate_row *row, struct diag *d)
{
    return turn(row, d);
}

/* ---- the vector unit ---- */

static double vector(const struct validate_row *row, const struct tpu_arithmetic *work,
                     struct diag *d)
{
    struct kernel_time time;
    struct kernel *k = kernel_new(1, 1);
    kernel_vector(k, 0, 0, work, KERNEL_NONE);
    return kernel_run(k, machine_figures(row->machine), &time, NULL, d)
         ? (double)(time.end - time.start) : NAN;
}

double units_vector(const struct validate_row *row, struct diag *d)
{
    const double *a = row->arg;
    struct tpu_arithmetic work = { .loads = (uint64_t)a[UNITS_LOADS],
                                   .stores = (uint64_t)a[UNITS_STORES],
                                   .alu = (uint64_t)a[UNITS_ALU], .eup = (uint64_t)a[UNITS_EUP] };
    double start = a[UNITS_WHOLE] > 0 ? 0 : config_of(row)->core.step_cycles;
    return vector(row, &work, d) - start + a[UNITS_ADDED];
}

/* arg[0]: reductions over lanes; arg[1]: of a kernel that loads and stores a register. */
double units_reduce(const struct validate_row *row, struct diag *d)
{
    bool kernel = row->arg[1] > 0;
    struct tpu_arithmetic work = { .loads = kernel, .stores = kernel,
                                   .reductions = (uint64_t)row->arg[0] };
    double cycles = vector(row, &work, d);
    return kernel ? cycles : cycles - config_of(row)->core.step_cycles + UNITS_READING;
}

/* Instructions a register that the lowering makes of a sigmoid in f32. */
double units_sigmoid(const struct validate_row *row, struct diag *d)
{
    const struct figures *f = machine_figures(row->machine);
    struct tpu_lower_options one = { .cores = 1 };
    uint64_t shape[] = { 1024, 1024 }, count = 0, registers;
    struct trace *t = trace_new("sigmoid");
    uint32_t x = trace_tensor(t, "x", ROLE_INPUT, TRACE_F32, 2, shape);
    uint32_t y = trace_tensor(t, "y", ROLE_OUTPUT, TRACE_F32, 2, shape);
    struct trace_op op = { .kind = TRACE_SIGMOID, .phase = PHASE_FORWARD, .out = { y }, .outs = 1,
                           .in = { x }, .ins = 1 };
    struct tpu_plan *p = NULL;
    t->batch = shape[0];
    if (trace_add_op(t, &op, NULL, d))
        p = tpu_lower(&f->tpu, &f->hbm, t, &one, d);
    for (uint32_t i = 0; p && i < p->programs[0]->count; i++)
        if (p->programs[0]->uops[i].unit == TPU_VECTOR)
            count += p->programs[0]->uops[i].arithmetic.alu;
    registers = shape[0] * shape[1] / (f->tpu.vpu.lanes * f->tpu.vpu.sublanes);
    double each = p ? (double)count / (double)registers : NAN;
    tpu_plan_free(p);
    trace_free(t);
    return each;
}
