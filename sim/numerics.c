/* numerics.c - see numerics.h. */
#include "sim/numerics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/report_field.h"

struct numerics {
    const struct values *machine;
    struct trace        *trace;         /* without a loss scale */
    struct values       *reference;
    double               scale;         /* 1: none */
};

struct numerics *numerics_new(const struct net *net, const struct net_options *expand,
                              const struct values *v, struct diag *d)
{
    struct net plain_net = *net;        /* shares the layers */
    struct net_options plain = *expand;
    struct numerics *n = zeroed(1, sizeof *n);
    n->machine = v;
    n->scale = expand->loss_scale > 0 ? expand->loss_scale : net->loss_scale;
    plain_net.loss_scale = 1;
    plain.loss_scale = 0;
    n->trace = net_expand(&plain_net, &plain, d);
    if (n->trace)
        n->reference = values_new(&(struct values_use){ .trace = n->trace }, d);
    if (n->reference)
        return n;
    numerics_free(n);
    return NULL;
}

void numerics_free(struct numerics *n)
{
    if (!n)
        return;
    values_free(n->reference);
    trace_free(n->trace);
    free(n);
}

/* The machine's weights, rounded as it has them. */
void numerics_before(struct numerics *n)
{
    const struct trace *seen = values_trace(n->machine);
    struct diag d = { .text = "" };
    for (uint32_t i = 0; i < seen->tensor_count; i++) {
        const struct trace_tensor *x = &seen->tensors[i];
        uint32_t to = trace_find(n->trace, x->name);
        if (!trace_role_given(x->role) || to == TRACE_NONE)
            continue;
        double *values = zeroed(trace_elements(x), sizeof *values);
        if (values_get(n->machine, i, values))
            values_set(n->reference, to, values);
        free(values);
    }
    values_step(n->reference, 0, NULL, &d);     /* the reference does not fail */
}

/* By what a tensor is larger than without a loss scale: 1 before it is put in and after it is
 * taken out again, both of which `scale` does. */
static double scale_of(const struct numerics *n, const struct trace_tensor *x)
{
    const struct trace *seen = values_trace(n->machine);
    const struct trace_op *writer = &seen->ops[x->writer];
    bool raw = writer->phase == PHASE_LOSS && writer->kind != TRACE_SCALE;
    bool taken_out = writer->kind == TRACE_SCALE && writer->phase != PHASE_LOSS;
    return raw || taken_out ? 1 : n->scale;
}

/* The least number of a type with all its digits. */
static double least_normal(enum trace_type type)
{
    return type == TRACE_F16 ? 0x1p-14 : 0x1p-126;
}

static json_t *compare(const struct numerics *n, const struct trace_tensor *x,
                       const double *machine, const double *truth)
{
    double scale = scale_of(n, x), least = least_normal(x->type), size = 0, off = 0, all = 0;
    uint64_t count = trace_elements(x), lost = 0, subnormal = 0, overflowed = 0;
    for (uint64_t i = 0; i < count; i++) {
        double m = machine[i] / scale, t = truth[i];
        bool finite = isfinite(m);
        lost += machine[i] == 0 && t != 0 && isfinite(t);
        subnormal += machine[i] != 0 && fabs(machine[i]) < least;
        overflowed += !finite && isfinite(t);
        size += fabs(t) / (double)count;
        off += finite ? (m - t) * (m - t) : 0;
        all += t * t;
    }
    return json_pack("{s:s, s:s, s:I, s:o, s:I, s:I, s:I, s:o}", "name", x->name, "type",
                     trace_type_names[x->type], "elements", (json_int_t)count,
                     "size", report_finite(size),
                     "lost", (json_int_t)lost, "subnormal", (json_int_t)subnormal,
                     "overflowed", (json_int_t)overflowed,
                     "error", all > 0 && isfinite(all) ? report_finite(sqrt(off / all))
                                                        : json_null());
}

json_t *numerics_after(struct numerics *n)
{
    const struct trace *seen = values_trace(n->machine);
    json_t *all = json_array();
    for (uint32_t i = 0; i < seen->tensor_count; i++) {
        const struct trace_tensor *x = &seen->tensors[i];
        uint32_t from = trace_find(n->trace, x->name);
        if ((x->role != ROLE_DELTA && x->role != ROLE_GRADIENT) || from == TRACE_NONE
            || x->writer == TRACE_NONE)
            continue;
        double *machine = zeroed(trace_elements(x), sizeof *machine);
        double *truth = zeroed(trace_elements(x), sizeof *truth);
        values_get(n->reference, from, truth);
        if (values_get(n->machine, i, machine))
            json_array_append_new(all, compare(n, x, machine, truth));
        free(machine);
        free(truth);
    }
    return all;
}

/* ---- for people ---- */

static void print_tensor(const json_t *x, FILE *out)
{
    double count = report_number(x, "elements");
    if (json_is_null(json_object_get(x, "size"))) {
        fprintf(out, "    %-12s %-5s %9.0f  the true ones are not finite\n",
                report_string(x, "name"), report_string(x, "type"), count);
        return;
    }
    fprintf(out, "    %-12s %-5s %9.0f  %9.2e  %8.2f %% %8.2f %% %8.2f %%  ",
            report_string(x, "name"), report_string(x, "type"), count, report_number(x, "size"),
            100 * report_number(x, "lost") / count, 100 * report_number(x, "subnormal") / count,
            100 * report_number(x, "overflowed") / count);
    if (json_is_null(json_object_get(x, "error")))
        fputs("        -\n", out);
    else
        fprintf(out, "%9.2e\n", report_number(x, "error"));
}

static void print_step(const json_t *all, json_int_t step, FILE *out)
{
    size_t i, j;
    json_t *probe, *tensor;
    fprintf(out, "\nGradients of step %" JSON_INTEGER_FORMAT
            ", against those in double precision from the same weights\n"
            "    tensor       as    elements       size        lost  subnormal overflowed      error\n",
            step);
    json_array_foreach((json_t *)(uintptr_t)all, i, probe) {
        if (json_integer_value(json_object_get(probe, "step")) != step)
            continue;
        fprintf(out, "  %s\n", report_string(probe, "machine"));
        json_array_foreach(json_object_get(probe, "tensors"), j, tensor) {
            print_tensor(tensor, out);
        }
    }
}

void numerics_report(const json_t *result, FILE *out)
{
    const json_t *all = json_object_get(result, "numerics");
    size_t count = json_array_size(all);
    if (count == 0)
        return;
    json_int_t first = json_integer_value(json_object_get(json_array_get(all, 0), "step"));
    json_int_t last = json_integer_value(json_object_get(json_array_get(all, count - 1), "step"));
    print_step(all, first, out);
    if (last != first)
        print_step(all, last, out);
    fputs("  lost: 0 where it should not be: below the least number of the format, or cancelled; size: "
          "mean of\n  the true ones\n", out);
}
