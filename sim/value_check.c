/* value_check.c - see value_check.h.
 *
 * The reference's array of a tensor holds, op after op, what the next op is to take:
 *
 *     the machine's     what it has in memory; before this step, if it is yet to be changed
 *     ours              what we worked out, with how far the machine's may be off: a result
 *                       that it has not in memory, or that its group hands on unrounded
 */
#include "sim/value_check.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"
#include "traces/reference.h"
#include "traces/round.h"

enum holds { NOTHING, MACHINES, OURS };

struct held {
    double    *before;          /* NULL: not changed in place */
    double    *off;             /* of ours */
    enum holds holds;
    uint32_t   group;           /* in which it was made */
    uint32_t   last;            /* op after which it is what the machine has now */
};

struct compared {
    uint32_t op, tensor;
    bool     done;              /* the machine has it in memory */
    double   max_ulps, mean_ulps;
    double   worst;             /* error over bound, of: */
    uint64_t element;
    double   machine, reference, ulps, bound_ulps;
};

struct value_check {
    const struct values *values;
    const struct trace  *trace;
    struct trace         plain;     /* the same in f32: results are not rounded further */
    struct reference    *reference;
    struct held         *held;      /* [tensors] */
    struct compared     *compared;  /* [all outputs of ops] */
    uint32_t             compared_count;
    double              *room;      /* a tensor */
    struct { uint32_t tensor; uint64_t element; double ulps; } wrong;
};

static uint64_t elements(const struct value_check *c, uint32_t tensor)
{
    return trace_elements(&c->trace->tensors[tensor]);
}

/* ---- what there is */

static bool is_collective(const struct trace_op *op)
{
    return op_rows[op->kind].class == OP_COLLECTIVE;
}

static void find_changes(struct value_check *c)
{
    for (uint32_t i = 0; i < c->trace->op_count; i++) {
        const struct trace_op *op = &c->trace->ops[i];
        for (uint32_t o = 0; o < op->outs && !is_collective(op); o++) {
            struct held *h = &c->held[op->out[o]];
            h->last = i;
            if (o < op_rows[op->kind].in_place && !h->before)
                h->before = zeroed(elements(c, op->out[o]), sizeof(double));
            c->compared_count++;
        }
    }
    c->compared = zeroed(c->compared_count, sizeof c->compared[0]);
}

static void make_plain(struct value_check *c)
{
    uint64_t most = 0;
    c->plain = *c->trace;
    c->plain.tensors = zeroed(c->trace->tensor_count, sizeof c->plain.tensors[0]);
    for (uint32_t i = 0; i < c->trace->tensor_count; i++) {
        c->plain.tensors[i] = c->trace->tensors[i];
        if (c->plain.tensors[i].type != TRACE_I32)
            c->plain.tensors[i].type = TRACE_F32;
        most = elements(c, i) > most ? elements(c, i) : most;
    }
    c->room = zeroed(most, sizeof(double));
}

struct value_check *value_check_new(const struct values *v)
{
    struct value_check *c = zeroed(1, sizeof *c);
    c->values = v;
    c->trace = values_trace(v);
    c->held = zeroed(c->trace->tensor_count, sizeof c->held[0]);
    find_changes(c);
    make_plain(c);
    c->reference = reference_new(&c->plain, REFERENCE_STORED);
    return c;
}

void value_check_free(struct value_check *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->trace->tensor_count; i++) {
        free(c->held[i].before);
        free(c->held[i].off);
    }
    reference_free(c->reference);
    free(c->plain.tensors);
    free(c->held);
    free(c->compared);
    free(c->room);
    free(c);
}

void value_check_inject(struct value_check *c, uint32_t tensor, uint64_t element, double ulps)
{
    assert(tensor < c->trace->tensor_count);
    assert(element < elements(c, tensor));
    c->wrong.tensor = tensor;
    c->wrong.element = element;
    c->wrong.ulps = ulps;
}

void value_check_before(struct value_check *c)
{
    for (uint32_t i = 0; i < c->trace->tensor_count; i++)
        if (c->held[i].before)
            values_get(c->values, i, c->held[i].before);
}

/* ---- what an op takes */

static void hold(struct value_check *c, uint32_t tensor, enum holds holds)
{
    struct held *h = &c->held[tensor];
    h->holds = holds;
    free(h->off);
    h->off = NULL;
}

static void begin(struct value_check *c)
{
    for (uint32_t i = 0; i < c->trace->tensor_count; i++) {
        hold(c, i, c->held[i].before ? MACHINES : NOTHING);
        if (c->held[i].before)
            memcpy(reference_values(c->reference, i), c->held[i].before,
                   elements(c, i) * sizeof(double));
    }
}

/* Whether the op's group has it as it was made; in f32 that is what is kept, too. */
static bool is_handed_on(const struct value_check *c, uint32_t op, uint32_t tensor)
{
    return c->held[tensor].group == values_group(c->values, op)
        && c->trace->tensors[tensor].type != TRACE_F32;
}

static void take(struct value_check *c, uint32_t op, uint32_t tensor)
{
    const struct held *h = &c->held[tensor];
    bool there = h->last < op || h->holds == NOTHING;
    if (h->holds == MACHINES || !there || (h->holds == OURS && is_handed_on(c, op, tensor)))
        return;
    if (values_get(c->values, tensor, c->room)) {
        memcpy(reference_values(c->reference, tensor), c->room,
               elements(c, tensor) * sizeof(double));
        hold(c, tensor, MACHINES);
    }
}

/* ---- what comes out */

/* The reference rounds its own results, to f32. */
static void add_own_rounding(const struct value_check *c, uint32_t tensor, double *off)
{
    const double *v = reference_values(c->reference, tensor);
    for (uint64_t i = 0; i < elements(c, tensor); i++)
        if (off[i] > 0 && isfinite(v[i]))
            off[i] += fabs(v[i]) * 0x1p-24;
}

/* A cast rounds also what it hands on. */
static void add_cast(const struct value_check *c, uint32_t tensor)
{
    const double *v = reference_values(c->reference, tensor);
    double *off = c->held[tensor].off;
    for (uint64_t i = 0; i < elements(c, tensor); i++)
        off[i] = bound_stored(v[i], off[i], c->trace->tensors[tensor].type);
}

static void work_out(struct value_check *c, uint32_t op, uint64_t before)
{
    const struct trace_op *o = &c->trace->ops[op];
    struct bound_op b = { .trace = c->trace, .op = op, .before = before,
                          .machine = values_bound(c->values, op) };
    for (uint32_t i = 0; i < o->ins; i++) {
        b.in[i] = reference_values(c->reference, o->in[i]);
        b.in_off[i] = c->held[o->in[i]].off;
    }
    for (uint32_t i = 0; i < o->outs; i++)
        b.off[i] = zeroed(elements(c, o->out[i]), sizeof(double));
    bound_op(&b);
    reference_op(c->reference, op, before);
    for (uint32_t i = 0; i < o->outs; i++) {
        add_own_rounding(c, o->out[i], b.off[i]);
        hold(c, o->out[i], OURS);
        c->held[o->out[i]].off = b.off[i];
        c->held[o->out[i]].group = values_group(c->values, op);
    }
}

/* ---- a machine's number against ours */

/* Where one of them is not finite: 0 if that is right, else infinite. */
static double odd_error(double machine, double reference, double off, enum trace_type type)
{
    if (isnan(machine) || isnan(reference))
        return isnan(machine) && isnan(reference) ? 0 : INFINITY;
    double reached = copysign(off, machine) + reference;
    if (isinf(machine))
        return trace_round(reached, type) == machine ? 0 : INFINITY;
    /* Ours is beyond f32, the machine's may be just below it. */
    return trace_round(machine + copysign(off, reference), type) == reference ? 0 : INFINITY;
}

struct errors { double ulps, bound; };

static struct errors errors_of(double machine, double reference, double off, enum trace_type type)
{
    if (!isfinite(off) && !isnan(reference))
        return (struct errors){ 0, 0 };         /* nothing can be said */
    if (!isfinite(machine) || !isfinite(reference))
        return (struct errors){ odd_error(machine, reference, off, type), 0 };
    double ulp = trace_ulp(reference, type);
    return (struct errors){ fabs(machine - reference) / ulp,
                            bound_stored(reference, off, type) / ulp };
}

static double over(struct errors e)
{
    return e.ulps == 0 ? 0 : e.bound > 0 ? e.ulps / e.bound : INFINITY;
}

static void compare(struct compared *x, const double *machine, const double *reference,
                    const double *off, uint64_t n, enum trace_type type)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        struct errors e = errors_of(machine[i], reference[i], off[i], type);
        sum += e.ulps;
        x->max_ulps = e.ulps > x->max_ulps ? e.ulps : x->max_ulps;
        if (i > 0 && !(over(e) > x->worst))
            continue;
        x->worst = over(e);
        x->element = i;
        x->machine = machine[i];
        x->reference = reference[i];
        x->ulps = e.ulps;
        x->bound_ulps = e.bound;
    }
    x->mean_ulps = sum / (double)n;
}

static bool say_fault(const struct value_check *c, const struct compared *x, struct diag *d)
{
    const struct trace_op *op = &c->trace->ops[x->op];
    const struct trace_tensor *t = &c->trace->tensors[x->tensor];
    return diag_set(d, 0, 0, "op %s = %s: element %llu of %s is %.9g and the reference %.9g: "
                    "%.4g ulps of %s apart; expected at most %.4g",
                    c->trace->tensors[op->out[0]].name, op_rows[op->kind].name,
                    (unsigned long long)x->element, t->name, x->machine, x->reference,
                    x->ulps, trace_type_names[t->type], x->bound_ulps);
}

/* The machine's number of `wrong` made wrong. */
static void inject(const struct value_check *c, uint32_t tensor)
{
    double *v = &c->room[c->wrong.element];
    if (c->wrong.ulps != 0 && c->wrong.tensor == tensor && isfinite(*v))
        *v += c->wrong.ulps * trace_ulp(*v, c->trace->tensors[tensor].type);
}

static bool check_result(struct value_check *c, struct compared *x, struct diag *d)
{
    const struct held *h = &c->held[x->tensor];
    enum trace_type type = c->trace->tensors[x->tensor].type;
    x->done = h->last == x->op && type != TRACE_I32
           && values_get(c->values, x->tensor, c->room);
    if (!x->done)
        return true;
    inject(c, x->tensor);
    compare(x, c->room, reference_values(c->reference, x->tensor), h->off,
            elements(c, x->tensor), type);
    return x->worst <= 1 || say_fault(c, x, d);
}

bool value_check_after(struct value_check *c, uint64_t before, struct diag *d)
{
    struct compared *x = c->compared;
    bool ok = true;
    begin(c);
    for (uint32_t i = 0; i < c->trace->op_count; i++) {
        const struct trace_op *op = &c->trace->ops[i];
        if (is_collective(op))          /* of one replica: what is there */
            continue;
        for (uint32_t k = 0; k < op->ins; k++)
            take(c, i, op->in[k]);
        work_out(c, i, before);
        for (uint32_t o = 0; o < op->outs; o++, x++) {
            *x = (struct compared){ .op = i, .tensor = op->out[o] };
            ok = check_result(c, x, d) && ok;
        }
        if (op->kind == TRACE_CAST)
            add_cast(c, op->out[0]);
    }
    return ok;
}

/* ---- what was found */

double value_check_worst(const struct value_check *c)
{
    double worst = 0;
    for (uint32_t i = 0; i < c->compared_count; i++)
        worst = fmax(worst, c->compared[i].worst);
    return worst;
}

/* JSON has no infinities. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_string(isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
}

json_t *value_check_json(const struct value_check *c)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < c->compared_count; i++) {
        const struct compared *x = &c->compared[i];
        const struct trace_tensor *t = &c->trace->tensors[x->tensor];
        if (!x->done)
            continue;
        json_array_append_new(all, json_pack(
            "{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:b}",
            "op", op_rows[c->trace->ops[x->op].kind].name, "tensor", t->name,
            "type", trace_type_names[t->type], "elements", (json_int_t)elements(c, x->tensor),
            "max_ulps", number(x->max_ulps), "mean_ulps", number(x->mean_ulps),
            "worst", number(x->worst), "element", (json_int_t)x->element,
            "machine", number(x->machine), "reference", number(x->reference),
            "ulps", number(x->ulps), "bound_ulps", number(x->bound_ulps),
            "ok", x->worst <= 1));
    }
    return all;
}
