/* values.c - one launch of a plan after the other, and tensors as doubles. */
#include "models/gpu/values.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/interpret.h"
#include "models/numerics/exact.h"
#include "models/numerics/half.h"
#include "models/zeroed.h"

struct gpu_values {
    const struct gpu_config *config;
    const struct trace *trace;
    struct gpu_plan *plan;
    uint32_t beat_bytes;            /* of a pseudo-channel of HBM */
    uint32_t buffers;               /* of the plan's memory */
    struct gpu_span *read, *written;    /* of each buffer, by the group that is under way */
};

struct gpu_values *gpu_values_new(const struct gpu_config *config, const struct hbm_config *hbm,
                                  const struct trace *trace, struct gpu_plan *plan)
{
    assert(gpu_memory_values(plan->memory));
    struct gpu_values *v = zeroed(1, sizeof *v);
    *v = (struct gpu_values){
        .config = config, .trace = trace, .plan = plan,
        .beat_bytes = hbm_beat_bytes(hbm),
        .buffers = gpu_memory_count(plan->memory),
    };
    v->read = zeroed(v->buffers, sizeof *v->read);
    v->written = zeroed(v->buffers, sizeof *v->written);
    return v;
}

void gpu_values_free(struct gpu_values *v)
{
    if (!v)
        return;
    free(v->read);
    free(v->written);
    free(v);
}

/* ---- tensors ---- */

/* The first byte of a tensor; NULL: it is never in memory. */
static uint8_t *bytes_of(const struct gpu_values *v, uint32_t tensor)
{
    uint64_t bytes = trace_elements(&v->trace->tensors[tensor])
                   * trace_type_bytes(v->plan->types[tensor]);
    uint64_t address = v->plan->addresses[tensor];
    return address ? gpu_memory_at(v->plan->memory, address, bytes, NULL) : NULL;
}

static uint32_t round_to(enum trace_type type, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    switch (type) {
    case TRACE_F32:  return (uint32_t)exact_convert(EXACT_F32, EXACT_F64, bits, EXACT_NEAREST);
    case TRACE_BF16: return (uint32_t)exact_convert(EXACT_BF16, EXACT_F64, bits, EXACT_NEAREST);
    case TRACE_F16:  return (uint32_t)exact_convert(EXACT_F16, EXACT_F64, bits, EXACT_NEAREST);
    case TRACE_I32:  return (uint32_t)exact_to_integer(EXACT_F64, bits, 32, true, EXACT_NEAREST);
    case TRACE_TYPES_COUNT: break;
    }
    abort();
}

static double widen(enum trace_type type, uint32_t bits)
{
    switch (type) {
    case TRACE_F32:  return (double)f32_from_bits(bits);
    case TRACE_BF16: return (double)half_bf16_to_f32(bits);
    case TRACE_F16:  return (double)half_to_f32(bits);
    case TRACE_I32:  return (int32_t)bits;
    case TRACE_TYPES_COUNT: break;
    }
    abort();
}

void gpu_values_set(struct gpu_values *v, uint32_t tensor, const double *values)
{
    enum trace_type type = v->plan->types[tensor];
    uint32_t bytes = trace_type_bytes(type);
    uint64_t n = trace_elements(&v->trace->tensors[tensor]);
    uint8_t *at = bytes_of(v, tensor);
    for (uint64_t i = 0; at && i < n; i++) {
        uint32_t bits = round_to(type, values[i]);
        memcpy(at + i * bytes, &bits, bytes);
    }
}

bool gpu_values_get(const struct gpu_values *v, uint32_t tensor, double *values)
{
    enum trace_type type = v->plan->types[tensor];
    uint32_t bytes = trace_type_bytes(type);
    uint64_t n = trace_elements(&v->trace->tensors[tensor]);
    const uint8_t *at = bytes_of(v, tensor);
    for (uint64_t i = 0; at && i < n; i++) {
        uint32_t bits = 0;
        memcpy(&bits, at + i * bytes, bytes);
        values[i] = widen(type, bits);
    }
    return at != NULL;
}

/* ---- steps ---- */

static void add(struct toggles_count *to, struct toggles_count more)
{
    to->bits += more.bits;
    to->changed += more.changed;
}

/* What was touched of each buffer goes over the bus, once; forgets it. */
static void move(struct gpu_values *v, struct gpu_span *spans, struct toggles_count *to)
{
    for (uint32_t i = 0; i < v->buffers; i++) {
        uint64_t bytes = spans[i].end - spans[i].first;
        if (bytes > 0)
            add(to, toggles_bus(gpu_memory_at(v->plan->memory, spans[i].first, bytes, NULL),
                                bytes, v->beat_bytes));
        spans[i] = (struct gpu_span){ 0, 0 };
    }
}

static bool run(struct gpu_values *v, const struct gpu_launch *l, struct toggles *t,
                struct diag *d)
{
    struct gpu_interpreted result;
    struct gpu_watch watch = { .buffers = v->buffers, .read = v->read, .written = v->written };
    if (!gpu_interpret_watched(v->config, l, v->plan->memory, 0, t ? &watch : NULL, &result, d))
        return false;
    if (t) {
        add(&t->of[TOGGLES_MATRIX], watch.matrix);
        add(&t->of[TOGGLES_LANES], watch.lanes);
    }
    return true;
}

bool gpu_values_step(struct gpu_values *v, uint64_t before, struct toggles *toggles,
                     struct diag *d)
{
    const struct gpu_plan *p = v->plan;
    gpu_plan_set_step(v->plan, before);
    for (uint32_t i = 0; i < p->launch_count; i++) {
        const struct gpu_launch *l = &p->launches[i];
        struct toggles *t = toggles ? &toggles[l->group] : NULL;
        if (!run(v, l, t, d))
            return false;
        if (t && (i + 1 == p->launch_count || l[1].group != l->group)) {
            move(v, v->read, &t->of[TOGGLES_HBM]);
            move(v, v->written, &t->of[TOGGLES_HBM]);
        }
    }
    return true;
}
