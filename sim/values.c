/* values.c - see values.h. */
#include "sim/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/tensor.h"
#include "models/gpu/values.h"
#include "models/tpu/values.h"
#include "models/zeroed.h"
#include "sim/figures.h"
#include "traces/initial.h"
#include "traces/reference.h"

#define BF16_ERROR 0x1p-8       /* half a unit in the last place, relative */
#define F16_ERROR  0x1p-11
#define F32_ERROR  0x1p-24

struct values {
    struct values_use use;
    struct trace      seen;             /* the trace with the machine's types; shares the rest */
    struct reference *reference;
    struct tpu_plan  *tpu_plan;
    struct tpu_values *tpu;
    struct gpu_plan  *gpu_plan;
    struct gpu_values *gpu;
    uint32_t         *groups;           /* of each op; NULL: there are none */
};

static const struct figures *figures_of(const struct values *v)
{
    return machine_figures(v->use.machine);
}

static void *copy_of(const void *from, size_t count, size_t size)
{
    void *to = zeroed(count, size);
    memcpy(to, from, count * size);
    return to;
}

/* ---- each kind */

static bool open_tpu(struct values *v, struct diag *d)
{
    const struct figures *f = figures_of(v);
    v->tpu_plan = tpu_lower(&f->tpu, &f->hbm, v->use.trace, &v->use.lower, d);
    if (v->tpu_plan)
        v->tpu = tpu_values_new(&f->tpu, &f->hbm, v->use.trace, v->tpu_plan,
                                v->use.exact ? TPU_MXU_EXACT : TPU_MXU_FAST, d);
    return v->tpu != NULL;
}

static bool multiplies_f16(const struct values *v)
{
    const struct gpu_config *c = &figures_of(v)->gpu;
    return c->gpu.generation == GPU_SM_70 && c->kernels.tensor_cores;
}

static void see_gpu_types(struct values *v)
{
    for (uint32_t i = 0; i < v->seen.tensor_count; i++)
        v->seen.tensors[i].type = v->gpu_plan->types[i];
    for (uint32_t i = 0; i < v->seen.op_count; i++)
        if (v->seen.ops[i].compute == TRACE_BF16 && multiplies_f16(v))
            v->seen.ops[i].compute = TRACE_F16;
}

static bool open_gpu(struct values *v, struct diag *d)
{
    const struct figures *f = figures_of(v);
    struct gpu_lower_options options = { .exact_f32 = v->use.lower.highest };
    v->gpu_plan = gpu_lower(&f->gpu, &f->hbm, v->use.trace, &options, true, d);
    if (!v->gpu_plan)
        return false;
    see_gpu_types(v);
    v->gpu = gpu_values_new(&f->gpu, &f->hbm, v->use.trace, v->gpu_plan);
    return true;
}

static bool open_reference(struct values *v)
{
    v->reference = reference_new(v->use.trace, REFERENCE_EXACT);
    return true;
}

static void note_groups(struct values *v)
{
    v->groups = zeroed(v->seen.op_count, sizeof v->groups[0]);
    for (uint32_t i = 0; i < v->seen.op_count; i++)
        v->groups[i] = i + values_group_count(v);       /* an op in no group */
    for (uint32_t g = 0; g < values_group_count(v); g++) {
        const uint32_t *ops = v->gpu ? v->gpu_plan->groups[g].ops : v->tpu_plan->groups[g].ops;
        uint32_t count = v->gpu ? v->gpu_plan->groups[g].op_count
                                : v->tpu_plan->groups[g].op_count;
        for (uint32_t i = 0; i < count; i++)
            v->groups[ops[i]] = g;
    }
}

struct values *values_new(const struct values_use *use, struct diag *d)
{
    struct values *v = zeroed(1, sizeof *v);
    v->use = *use;
    v->seen = *use->trace;
    v->seen.tensors = copy_of(use->trace->tensors, use->trace->tensor_count,
                              sizeof v->seen.tensors[0]);
    v->seen.ops = copy_of(use->trace->ops, use->trace->op_count, sizeof v->seen.ops[0]);
    bool ok = !use->machine ? open_reference(v)
            : machine_kind(use->machine) == MACHINE_GPU ? open_gpu(v, d) : open_tpu(v, d);
    if (ok)
        note_groups(v);
    if (ok)
        return v;
    values_free(v);
    return NULL;
}

void values_free(struct values *v)
{
    if (!v)
        return;
    reference_free(v->reference);
    tpu_values_free(v->tpu);
    tpu_plan_free(v->tpu_plan);
    gpu_values_free(v->gpu);
    gpu_plan_free(v->gpu_plan);
    free(v->seen.tensors);
    free(v->seen.ops);
    free(v->groups);
    free(v);
}

/* ---- any kind */

void values_set(struct values *v, uint32_t tensor, const double *values)
{
    if (v->reference)
        reference_set(v->reference, tensor, values);
    else if (v->gpu)
        gpu_values_set(v->gpu, tensor, values);
    else
        tpu_values_set(v->tpu, tensor, values);
}

bool values_get(const struct values *v, uint32_t tensor, double *values)
{
    if (v->gpu)
        return gpu_values_get(v->gpu, tensor, values);
    if (v->tpu)
        return tpu_values_get(v->tpu, tensor, values);
    memcpy(values, reference_values(v->reference, tensor),
           trace_elements(&v->use.trace->tensors[tensor]) * sizeof *values);
    return true;
}

void values_fill(struct values *v, uint64_t seed)
{
    const struct trace *t = v->use.trace;
    struct initial *plan = initial_plan(t);
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        if (!trace_role_given(t->tensors[i].role))
            continue;
        double *x = zeroed(trace_elements(&t->tensors[i]), sizeof *x);
        initial_values(&t->tensors[i], plan[i], seed, x);
        values_set(v, i, x);
        free(x);
    }
    free(plan);
}

bool values_step(struct values *v, uint64_t before, struct toggles *toggles, struct diag *d)
{
    if (v->gpu)
        return gpu_values_step(v->gpu, before, toggles, d);
    if (v->tpu)
        tpu_values_step(v->tpu, before, toggles);
    else
        reference_step(v->reference, before);
    return true;
}

const struct trace *values_trace(const struct values *v)
{
    return &v->seen;
}

/* ---- how it computes */

static bool takes_f32(const struct values *v, const struct trace_op *op)
{
    return v->seen.tensors[op->in[0]].type == TRACE_F32
        || v->seen.tensors[op->in[1]].type == TRACE_F32;
}

static double rounding_to(enum trace_type type)
{
    return type == TRACE_F32 ? 0 : type == TRACE_F16 ? F16_ERROR : BF16_ERROR;
}

/* FP32 lanes take operands as they are, and add one product after the other. */
static void bound_lanes(const struct trace_op *op, double k, struct bound_machine *m)
{
    m->operand = rounding_to(op->compute);
    m->sum = k * F32_ERROR;
}

/* For each group of products their cut digits, and those of their sum (models/gpu/tensor.h). */
static void bound_tensor_cores(enum gpu_generation generation, double k, struct bound_machine *m)
{
    struct gpu_tensor_form f = gpu_tensor_form(generation, 8, GPU_TILE, false, false);
    double each = (f.group + 1) * ldexp(1, -(int)f.extra) + 1;
    m->sum = ceil(k / f.group) * each * 2 * F32_ERROR;
}

static void bound_gpu(const struct values *v, const struct trace_op *op, double k,
                      struct bound_machine *m)
{
    const struct gpu_config *c = &figures_of(v)->gpu;
    bool exact = v->use.lower.highest && takes_f32(v, op);
    if (exact || !c->kernels.tensor_cores || op->compute == TRACE_F32)
        bound_lanes(op, k, m);
    else
        bound_tensor_cores(c->gpu.generation, k, m);
}

/* An array's sums, and those of its tiles: in each pass, and of f32 taken in three bf16 parts
 * six of nine products.  Tiles may begin anew where operands are cut to fit vector memory. */
static void bound_tpu(const struct values *v, const struct trace_op *op, double k,
                      struct bound_machine *m)
{
    const struct tpu_config *c = &figures_of(v)->tpu;
    bool whole = c->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    bool exact = v->use.lower.highest && takes_f32(v, op);
    double rows = whole ? k : fmin(k, c->mxu.rows), tiles = ceil(k / rows);
    m->operand = exact ? rounding_to(op->compute) + 0x1p-22
               : op->compute == TRACE_BF16 ? 0 : rounding_to(op->compute) + BF16_ERROR;
    m->sum = (rows + (exact ? 6 : 1) * 2 * tiles) * F32_ERROR;
}

/* Cores whose summands of a tensor are stored and added; 0: there is one sum. */
static uint32_t summands(const struct values *v, uint32_t tensor)
{
    if (v->tpu_plan && v->tpu_plan->tensors[tensor].summed != TRACE_NONE)
        return v->tpu_plan->cores;
    return 0;
}

struct bound_machine values_bound(const struct values *v, uint32_t op)
{
    const struct trace_op *o = &v->seen.ops[op];
    struct bound_machine m = { .parts = summands(v, o->out[0]),
        .eager = v->gpu && figures_of(v)->gpu.kernels.optimizer == 1 };
    if (o->kind != TRACE_MATMUL)
        return m;
    double k = (double)op_matmul(&v->seen, o).k;
    if (v->gpu)
        bound_gpu(v, o, k, &m);
    else if (v->tpu)
        bound_tpu(v, o, k, &m);
    else
        bound_lanes(o, k, &m);
    return m;
}

uint32_t values_group(const struct values *v, uint32_t op)
{
    return v->groups ? v->groups[op] : op;
}

uint32_t values_group_count(const struct values *v)
{
    return v->gpu ? v->gpu_plan->group_count : v->tpu ? v->tpu_plan->group_count : 0;
}
