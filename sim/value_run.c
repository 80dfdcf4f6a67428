/* value_run.c - see value_run.h. */
#include "sim/value_run.h"

#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/report_field.h"
#include "sim/run_options.h"
#include "sim/value_check.h"
#include "sim/value_dump.h"
#include "traces/random.h"

static const char *const fills[VALUE_FILLS] = { "initial", "zeros", "random" };

/* ---- options ---- */

static int take_fill(struct value_asked *a, const struct options *o)
{
    for (int i = 0; i < VALUE_FILLS; i++)
        if (strcmp(o->value, fills[i]) == 0) {
            a->fill = (enum value_fill)i;
            return 1;
        }
    options_wrong(o, "--fill %.40s: expected initial, zeros or random", o->value);
    return -1;
}

static int take_seed(struct value_asked *a, const struct options *o)
{
    if (run_options_seed(o->value, &a->seed))
        return 1;
    options_wrong(o, "--seed %.40s: expected a whole number of 0 or more", o->value);
    return -1;
}

int value_take(struct value_asked *a, const struct options *o, int i)
{
    enum { VALUES, FILL, SEED, CHECK, DUMP, CLOCK };
    if (i < 0 || i >= VALUE_ROWS)
        return 0;
    a->values = true;
    switch (i) {
    case FILL:  return take_fill(a, o);
    case SEED:  return take_seed(a, o);
    case CHECK: a->check = true; return 1;
    case DUMP:  a->dump = o->value; return 1;
    case CLOCK: a->clock_from_values = true; return 1;
    default:    return 1;
    }
}

/* ---- filling ---- */

/* Between -1 and 1: bits of sign and fraction are as likely 0 as 1, those of the exponent not. */
static void random_values(double *x, uint64_t count, uint64_t seed)
{
    struct random_stream s = { seed };
    for (uint64_t i = 0; i < count; i++)
        x[i] = 2 * random_unit(&s) - 1;
}

static void fill(struct values *v, const struct value_asked *a)
{
    const struct trace *t = values_trace(v);
    values_fill(v, a->seed);
    for (uint32_t i = 0; i < t->tensor_count && a->fill != VALUE_INITIAL; i++) {
        const struct trace_tensor *x = &t->tensors[i];
        if (!trace_role_given(x->role) || x->type == TRACE_I32 || x->role == ROLE_STATE)
            continue;
        double *values = zeroed(trace_elements(x), sizeof *values);
        if (a->fill == VALUE_RANDOM)
            random_values(values, trace_elements(x), a->seed + i);
        values_set(v, i, values);
        free(values);
    }
}

/* ---- a step ---- */

struct stepping {
    const struct value_asked *asked;
    struct values      *values;
    struct value_check *check;
    struct toggles     *toggles;
};

static bool step(struct stepping *s, struct diag *d)
{
    struct value_dump dump = { .folder = s->asked->dump };
    if (dump.folder && !value_dump_begin(&dump, s->values, d))
        return false;
    if (s->check)
        value_check_before(s->check);
    bool ok = values_step(s->values, 0, s->toggles, d);
    if (ok && s->check)
        ok = value_check_after(s->check, 0, d);
    if (dump.folder)
        ok = value_dump_end(&dump, s->values, ok, d) && ok;
    return ok;
}

/* Single numbers that the host reads, as the loss. */
static json_t *outputs(const struct values *v)
{
    const struct trace *t = values_trace(v);
    json_t *o = json_object();
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        double x;
        if (t->tensors[i].role == ROLE_OUTPUT && trace_elements(&t->tensors[i]) == 1
            && values_get(v, i, &x))
            json_object_set_new(o, t->tensors[i].name, report_finite(x));
    }
    return o;
}

static json_t *values_json(const struct stepping *s)
{
    json_t *o = json_pack("{s:s, s:I, s:o}", "fill", fills[s->asked->fill], "seed",
                          (json_int_t)s->asked->seed, "outputs", outputs(s->values));
    if (s->check) {
        json_object_set_new(o, "worst", json_real(value_check_worst(s->check)));
        json_object_set_new(o, "ops", value_check_json(s->check));
    }
    return o;
}

static json_t *run(struct stepping *s, const struct experiment *e, struct diag *d, int *status)
{
    *status = 1;
    if (!step(s, d)) {
        *status = d->file[0] ? 2 : 1;           /* a folder that cannot be made */
        return NULL;
    }
    struct experiment timed = *e;
    timed.toggles = s->toggles;
    timed.clock_from_values = s->asked->clock_from_values;
    json_t *result = experiment_run(&timed, d, status);
    if (result)
        json_object_set_new(result, "values", values_json(s));
    return result;
}

json_t *value_experiment(const struct value_asked *a, const struct experiment *e, struct diag *d,
                         int *status)
{
    if (!a->values)
        return experiment_run(e, d, status);
    *status = 2;
    if (a->clock_from_values && machine_kind(e->machine) != MACHINE_GPU) {
        diag_set(d, 0, 0, "--clock-from-values means nothing on a tpu; expected a gpu");
        return NULL;
    }
    struct values_use use = { .machine = e->machine, .trace = e->trace, .lower = e->lower,
                              .exact = e->exact };
    struct stepping s = { .asked = a, .values = values_new(&use, d) };
    if (!s.values)
        return NULL;
    s.toggles = zeroed(values_group_count(s.values), sizeof *s.toggles);
    fill(s.values, a);
    s.check = a->check ? value_check_new(s.values) : NULL;
    json_t *result = run(&s, e, d, status);
    value_check_free(s.check);
    values_free(s.values);
    free(s.toggles);
    return result;
}
