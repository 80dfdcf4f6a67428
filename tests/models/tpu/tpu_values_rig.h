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

#endif
