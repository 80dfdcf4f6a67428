/* summary.c - one walk over the ops, with what is live at each. */
#include "traces/summary.h"

#include <stdlib.h>

/* Tensors in lists, one an op: those that begin to live there, or end. */
struct lists { uint32_t *first, *next; };

static struct lists lists_new(const struct trace *t)
{
    struct lists l = { malloc(t->op_count * sizeof *l.first + 1),
                       malloc(t->tensor_count * sizeof *l.next + 1) };
    if (!l.first || !l.next)
        abort();
    for (uint32_t i = 0; i < t->op_count; i++)
        l.first[i] = TRACE_NONE;
    return l;
}

static void lists_add(struct lists *l, uint32_t op, uint32_t tensor)
{
    l->next[tensor] = l->first[op];
    l->first[op]    = tensor;
}

static void lists_free(struct lists *l)
{
    free(l->first);
    free(l->next);
}

static void hold(struct trace_footprint *now, const struct trace_tensor *x)
{
    now->total += trace_bytes(x);
    now->role[x->role] += trace_bytes(x);
}

static void drop(struct trace_footprint *now, const struct trace_tensor *x)
{
    now->total -= trace_bytes(x);
    now->role[x->role] -= trace_bytes(x);
}

static void keep_peak(struct trace_footprint *peak, const struct trace_footprint *now)
{
    if (now->total > peak->total)
        *peak = *now;
}

static void footprints(const struct trace *t, struct trace_summary *s)
{
    struct trace_footprint now = { 0 };
    struct lists births = lists_new(t), deaths = lists_new(t);
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const struct trace_tensor *x = &t->tensors[i];
        if (trace_role_given(x->role))
            hold(&now, x);
        else if (x->writer != TRACE_NONE)
            lists_add(&births, x->writer, i);
        if (!trace_role_given(x->role) && x->writer != TRACE_NONE && x->role != ROLE_OUTPUT)
            lists_add(&deaths, x->last_use, i);
    }
    for (uint32_t op = 0; op < t->op_count; op++) {
        now.op = op;
        for (uint32_t i = births.first[op]; i != TRACE_NONE; i = births.next[i])
            hold(&now, &t->tensors[i]);
        keep_peak(&s->phase_peak[t->ops[op].phase], &now);
        keep_peak(&s->peak, &now);
        for (uint32_t i = deaths.first[op]; i != TRACE_NONE; i = deaths.next[i])
            drop(&now, &t->tensors[i]);
    }
    lists_free(&births);
    lists_free(&deaths);
}

static void count(struct trace_work *w, const struct trace *t, const struct trace_op *op)
{
    w->ops++;
    w->flops += op_flops(t, op);
    w->bytes += op_bytes(t, op);
    if (op->kind == TRACE_MATMUL)
        w->matmul_flops += op_flops(t, op);
}

struct trace_summary trace_summarize(const struct trace *t)
{
    struct trace_summary s = { 0 };
    for (uint32_t i = 0; i < t->tensor_count; i++)
        if (t->tensors[i].role == ROLE_WEIGHT)
            s.parameters += trace_elements(&t->tensors[i]);
    for (uint32_t i = 0; i < t->op_count; i++) {
        count(&s.phase[t->ops[i].phase], t, &t->ops[i]);
        count(&s.all, t, &t->ops[i]);
    }
    footprints(t, &s);
    return s;
}

/* "1.23 GFLOP": four digits, and the largest prefix that leaves a whole part. */
static const char *quantity(char text[32], uint64_t value, unsigned step,
                            const char *const *prefixes, const char *unit)
{
    double v = (double)value;
    int p = 0;
    for (; v >= step && p < 6; p++)
        v /= step;
    int decimals = p == 0 || v >= 1000 ? 0 : v >= 100 ? 1 : v >= 10 ? 2 : 3;
    snprintf(text, 32, "%.*f %s%s", decimals, v, prefixes[p], unit);
    return text;
}

static const char *flops(char text[32], uint64_t value)
{
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
    return quantity(text, value, 1000, prefixes, "FLOP");
}

static const char *bytes(char text[32], uint64_t value)
{
    static const char *const prefixes[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    return quantity(text, value, 1024, prefixes, "B");
}

static void print_work(const char *name, const struct trace_work *w, FILE *out)
{
    char all[32], matmul[32], moved[32];
    fprintf(out, "  %-12s %6llu %14s %14s %12s %11.1f\n", name, (unsigned long long)w->ops,
            flops(all, w->flops), flops(matmul, w->matmul_flops), bytes(moved, w->bytes),
            w->bytes ? (double)w->flops / (double)w->bytes : 0.0);
}

/* The columns of the footprint: roles that belong together. */
static const struct { const char *name; unsigned roles; } columns[] = {
#define ONE(id) (1u << ROLE_##id)
    { "weights",     ONE(WEIGHT) },
    { "gradients",   ONE(GRADIENT) },
    { "state",       ONE(STATE) },
    { "activations", ONE(ACTIVATION) },
    { "deltas",      ONE(DELTA) },
    { "in and out",  ONE(INPUT) | ONE(TARGET) | ONE(CONSTANT) | ONE(OUTPUT) },
#undef ONE
};
#define COLUMNS (sizeof columns / sizeof *columns)

static void print_footprint(const struct trace *t, const char *name,
                            const struct trace_footprint *f, FILE *out)
{
    char text[32];
    const struct trace_op *op = &t->ops[f->op];
    fprintf(out, "  %-12s %12s", name, bytes(text, f->total));
    for (size_t c = 0; c < COLUMNS; c++) {
        uint64_t sum = 0;
        for (unsigned r = 0; r < TRACE_ROLES_COUNT; r++)
            sum += columns[c].roles >> r & 1 ? f->role[r] : 0;
        fprintf(out, " %12s", bytes(text, sum));
    }
    fprintf(out, "  %s %s\n", op_rows[op->kind].name, t->tensors[op->out[0]].name);
}

static void print_head(const struct trace *t, const struct trace_summary *s, FILE *out)
{
    char stored[32];
    uint64_t weights = 0;
    for (uint32_t i = 0; i < t->tensor_count; i++)
        if (t->tensors[i].role == ROLE_WEIGHT)
            weights += trace_bytes(&t->tensors[i]);
    fprintf(out, "%s: %u ops on %u tensors", t->name, t->op_count, t->tensor_count);
    if (t->batch)
        fprintf(out, ", batch of %llu rows", (unsigned long long)t->batch);
    fprintf(out, "\nparameters: %llu (%s as stored)\n", (unsigned long long)s->parameters,
            bytes(stored, weights));
    if (t->samples && t->batch)
        fprintf(out, "samples: %llu, so %llu steps an epoch, the last of %llu rows\n",
                (unsigned long long)t->samples,
                (unsigned long long)((t->samples + t->batch - 1) / t->batch),
                (unsigned long long)((t->samples - 1) % t->batch + 1));
    if (t->epochs)
        fprintf(out, "epochs: %llu\n", (unsigned long long)t->epochs);
}

void trace_print_summary(const struct trace *t, FILE *out)
{
    struct trace_summary s = trace_summarize(t);
    print_head(t, &s, out);
    fprintf(out, "\nwork, each op by itself\n  %-12s %6s %14s %14s %12s %11s\n", "phase", "ops",
            "operations", "in matmuls", "moved", "FLOP/byte");
    for (unsigned p = 0; p < TRACE_PHASES_COUNT; p++)
        if (s.phase[p].ops)
            print_work(trace_phase_names[p], &s.phase[p], out);
    print_work("all", &s.all, out);
    fprintf(out, "\npeak memory footprint, nothing fused\n  %-12s %12s", "phase", "total");
    for (size_t c = 0; c < COLUMNS; c++)
        fprintf(out, " %12s", columns[c].name);
    fprintf(out, "  while running\n");
    for (unsigned p = 0; p < TRACE_PHASES_COUNT; p++)
        if (s.phase[p].ops)
            print_footprint(t, trace_phase_names[p], &s.phase_peak[p], out);
    print_footprint(t, "all", &s.peak, out);
}

uint32_t trace_print_warnings(const struct trace *t, const char *file, FILE *out)
{
    uint32_t dead = 0;
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const struct trace_tensor *x = &t->tensors[i];
        if (!trace_dead(t, i))
            continue;
        dead++;
        fprintf(out, "%s:%u: warning: nothing reads %s; expected a use, or the role output\n",
                file, x->line, x->name);
    }
    return dead;
}
