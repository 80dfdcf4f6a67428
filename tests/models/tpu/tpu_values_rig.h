/* tpu_values_rig.h - a trace on a machine with values, for tests. */
#ifndef TESTS_MODELS_TPU_TPU_VALUES_RIG_H
#define TESTS_MODELS_TPU_TPU_VALUES_RIG_H

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "models/tpu/values.h"
#include "tests/sim/hostile.h"

struct values_rig {
    struct machine          *machine;
    const struct figures    *figures;
    struct tpu_lower_options options;
    struct trace            *trace;
    struct tpu_plan         *plan;
    struct tpu_values       *values;
    char                     what[96];
};

static inline struct machine *rig_machine(const char *name, const char *const *sets)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    for (; sets && *sets; sets++)
        ck_assert_msg(machine_set(m, *sets, "test", &d), "%s", d.text);
    return m;
}

static inline struct trace *rig_trace(const char *text)
{
    struct diag d = { .text = "" };
    char whole[8192];
    snprintf(whole, sizeof whole, "simaccel-trace 1\nname t\n%s", text);
    struct trace *t = trace_read_memory(whole, strlen(whole), &d);
    ck_assert_msg(t != NULL, "%u:%u: %s", d.line, d.column, d.text);
    return t;
}

static inline struct trace *rig_net(const char *text)
{
    struct diag d = { .text = "" };
    char whole[1024];
    static const struct net_options training;
    snprintf(whole, sizeof whole, "simaccel-net 1\n%s", text);
    struct trace *t = net_expand_memory(whole, strlen(whole), &training, &d);
    ck_assert_msg(t != NULL, "%u:%u: %s", d.line, d.column, d.text);
    return t;
}

/* Machine, trace and options are there; false with the reason if it cannot be lowered. */
static inline bool rig_lower(struct values_rig *r, enum tpu_mxu_form form, struct diag *d)
{
    r->figures = machine_figures(r->machine);
    r->plan = tpu_lower(&r->figures->tpu, &r->figures->hbm, r->trace, &r->options, d);
    if (!r->plan)
        return false;
    r->values = tpu_values_new(&r->figures->tpu, &r->figures->hbm, r->trace, r->plan, form, d);
    ck_assert_msg(r->values != NULL, "%s: %s", r->what, d->text);
    return true;
}

static inline void rig_drop(struct values_rig *r)
{
    tpu_values_free(r->values);
    tpu_plan_free(r->plan);
    trace_free(r->trace);
    machine_free(r->machine);
}

static inline double *rig_room(const struct values_rig *r, uint32_t tensor)
{
    double *x = calloc(trace_elements(&r->trace->tensors[tensor]), sizeof *x);
    ck_assert(x != NULL);
    return x;
}

/* NULL: it lives inside a group. */
static inline double *rig_get(const struct values_rig *r, uint32_t tensor)
{
    double *x = rig_room(r, tensor);
    if (tpu_values_get(r->values, tensor, x))
        return x;
    free(x);
    return NULL;
}

/* Classes that the ops which read a target of them know. */
static inline uint64_t rig_classes(const struct trace *t, uint32_t target)
{
    uint64_t least = UINT32_MAX;
    for (uint32_t i = 0; i < t->op_count; i++)
        if (t->ops[i].ins > 1 && t->ops[i].in[1] == target) {
            const struct trace_tensor *z = &t->tensors[t->ops[i].in[0]];
            if (z->shape[z->rank - 1] < least)
                least = z->shape[z->rank - 1];
        }
    return least;
}

/* What is given: numbers around 0, states that may be squares, classes that there are. */
static inline void rig_fill(struct values_rig *r, struct dice *d)
{
    for (uint32_t i = 0; i < r->trace->tensor_count; i++) {
        const struct trace_tensor *x = &r->trace->tensors[i];
        if (!trace_role_given(x->role))
            continue;
        double *v = rig_room(r, i);
        uint64_t classes = x->type == TRACE_I32 ? rig_classes(r->trace, i) : 0;
        for (uint64_t k = 0; k < trace_elements(x); k++) {
            v[k] = (double)roll(d, 1u << 20) / (1u << 19) - 1;
            if (x->role == ROLE_STATE || x->role == ROLE_TARGET)
                v[k] = fabs(v[k]);
            if (x->type == TRACE_I32)
                v[k] = (double)roll(d, classes);
        }
        tpu_values_set(r->values, i, v);
        free(v);
    }
}

static inline uint32_t rig_bits(double x)
{
    float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* Bit by bit; rows_only: what has rows that `y` shares over cores. */
static inline void rig_compare(const struct values_rig *x, const struct values_rig *y, bool rows_only)
{
    for (uint32_t i = 0; i < x->trace->tensor_count; i++) {
        double *a = rig_get(x, i), *b = rig_get(y, i);
        bool shared = y->plan->tensors[i].share > 0;
        for (uint64_t k = 0; a && b && (shared || !rows_only)
                             && k < trace_elements(&x->trace->tensors[i]); k++)
            if (rig_bits(a[k]) != rig_bits(b[k]))
                ck_abort_msg("%s: %s[%llu] is %a and %a", x->what, x->trace->tensors[i].name,
                             (unsigned long long)k, a[k], b[k]);
        free(a);
        free(b);
    }
}

/* Two rigs of one machine, trace and filling, that are lowered in two ways. */
static inline void rig_drop_pair(struct values_rig *x, struct values_rig *y)
{
    tpu_values_free(y->values);
    tpu_plan_free(y->plan);
    rig_drop(x);
}

static inline const char *rig_or_not(struct dice *d, const char *word)
{
    return roll(d, 2) ? word : "";
}

/* Of one or several matrices, of any size and way round. */
static inline struct trace *rig_product(struct dice *d)
{
    char text[512];
    const char *ta = rig_or_not(d, " transpose_a"), *tb = rig_or_not(d, " transpose_b");
    unsigned batch = roll(d, 3) ? 1 : 1 + (unsigned)roll(d, 3);
    unsigned m = (unsigned)hostile_size(d, 40), k = (unsigned)hostile_size(d, 90);
    unsigned n = (unsigned)hostile_size(d, 40);
    snprintf(text, sizeof text, "tensor a weight f32 %ux%ux%u\ntensor b weight f32 %ux%ux%u\n"
             "tensor y output f32 %ux%ux%u\nforward matmul y = a b%s%s compute=bf16\n",
             batch, *ta ? k : m, *ta ? m : k, batch, *tb ? n : k, *tb ? k : n, batch, m, n, ta, tb);
    return rig_trace(text);
}

#endif
