/* hostile.h - traces and machines drawn at random, and one run of a trace on a machine.
 *
 * Everything follows from a seed, which a test prints, so that a case can be had again.
 * The run is the program's own way from trace to result, but through the plain loop, so
 * that a process can do many; each is still put into a process of its own. */
#ifndef TESTS_SIM_HOSTILE_H
#define TESTS_SIM_HOSTILE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/tpu/lower.h"
#include "sim/figures.h"
#include "sim/isolate.h"
#include "sim/loop.h"
#include "sim/tpu_chip.h"
#include "sim/tpu_result.h"
#include "traces/net.h"

struct dice { uint64_t state; };

static inline uint64_t roll(struct dice *d, uint64_t sides)     /* splitmix64 */
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % sides;
}

#define ONE_OF(dice, ...) \
    (((const char *const[]){ __VA_ARGS__ })[roll(dice, sizeof (const char *[]){ __VA_ARGS__ } \
                                                       / sizeof(const char *))])

/* ---- one op of any kind, on operands of its own */

struct sizes { uint64_t lead[TRACE_RANK], letter[26]; uint32_t leads; };

static inline uint32_t hostile_tensor(struct trace *t, enum trace_role role, enum trace_type type,
                                      uint32_t rank, const uint64_t *shape)
{
    char name[32];
    snprintf(name, sizeof name, "t%u", t->tensor_count);
    return trace_tensor(t, name, role, type, rank, shape);
}

/* What operand a pattern of traces/ops.h describes, with these sizes. */
static inline uint32_t hostile_operand(struct trace *t, const char *pattern, bool swapped,
                                       enum trace_role role, enum trace_type type,
                                       const struct sizes *s)
{
    uint64_t shape[2 * TRACE_RANK];
    uint32_t rank = 0;
    size_t length = strcspn(pattern, ",/>");
    for (size_t i = 0; i < length; i++)
        if (pattern[i] == '*' || pattern[i] == '?')
            for (uint32_t n = 0; n < s->leads; n++)
                shape[rank++] = s->lead[n];
        else if (pattern[i] == '1')
            shape[rank++] = 1;
        else if (pattern[i] != '#')
            shape[rank++] = s->letter[pattern[i] - 'a'];
    if (rank == 0)
        shape[rank++] = 1;
    if (swapped) {
        uint64_t last = shape[rank - 1];
        shape[rank - 1] = shape[rank - 2];
        shape[rank - 2] = last;
    }
    return hostile_tensor(t, role, pattern[0] == '#' ? TRACE_I32 : type, rank, shape);
}

/* A tensor made before that would do for `like`, or `like` itself. */
static inline uint32_t hostile_reuse(const struct trace *t, struct dice *d, uint32_t like,
                                     uint32_t before)
{
    const struct trace_tensor *x = &t->tensors[like];
    for (uint32_t i = before; i-- > 0 && roll(d, 4) > 0; ) {
        const struct trace_tensor *y = &t->tensors[i];
        bool ready = trace_role_given(y->role) || y->writer != TRACE_NONE;
        if (ready && y->type == x->type && y->rank == x->rank
            && memcmp(y->shape, x->shape, x->rank * sizeof x->shape[0]) == 0)
            return i;
    }
    return like;
}

static inline void hostile_attributes(struct trace_op *op)
{
    for (unsigned a = 0; a < OP_ATTRIBUTES_COUNT; a++)
        if (op_rows[op->kind].attributes >> a & 1) {
            op->given |= 1u << a;
            op->attr[a] = a == ATTR_STEP ? 1 : 0.5;
        }
}

static inline const char *hostile_next(const char *pattern)
{
    pattern += strcspn(pattern, ",>");
    return *pattern ? pattern + 1 : pattern;
}

/* False if the language does not take it. */
static inline bool hostile_op(struct trace *t, enum trace_op_kind kind, const struct sizes *s,
                              enum trace_type type, struct dice *d)
{
    const struct op_row *row = &op_rows[kind];
    struct trace_op op = { .kind = kind, .phase = (enum trace_phase)roll(d, PHASE_COMMUNICATE),
                           .ins = op_ins(kind), .outs = op_outs(kind), .compute = TRACE_BF16 };
    uint32_t before = t->tensor_count;
    const char *pattern = row->shapes;
    if (kind == TRACE_MATMUL) {
        op.transpose_a = roll(d, 2);
        op.transpose_b = roll(d, 2);
    }
    for (uint32_t i = 0; i < op.ins; i++, pattern = hostile_next(pattern)) {
        bool swapped = (i == 0 && op.transpose_a) || (i == 1 && op.transpose_b);
        enum trace_role role = i < row->in_place ? i == 0 ? ROLE_WEIGHT : ROLE_STATE
                             : roll(d, 3) > 0 ? ROLE_INPUT : ROLE_WEIGHT;
        op.in[i] = hostile_operand(t, pattern, swapped, role, type, s);
        if (i >= row->in_place && before > 0)
            op.in[i] = hostile_reuse(t, d, op.in[i], before);
    }
    for (uint32_t i = 0; i < op.outs; i++, pattern = hostile_next(pattern))
        op.out[i] = i < row->in_place ? op.in[i]
                  : hostile_operand(t, pattern, false, roll(d, 5) > 0 ? ROLE_ACTIVATION : ROLE_OUTPUT,
                                    kind == TRACE_CAST ? TRACE_BF16 : type, s);
    hostile_attributes(&op);
    struct diag why = { .text = "" };
    return trace_add_op(t, &op, NULL, &why);
}

static inline uint64_t hostile_size(struct dice *d, uint64_t most)
{
    static const uint64_t awkward[] = { 1, 5, 7, 8, 9, 127, 128, 129, 130 };
    return roll(d, 2) ? awkward[roll(d, sizeof awkward / sizeof awkward[0])] % most + 1
                      : roll(d, most) + 1;
}

/* all_reduce changes what was made in the step: it comes with a scale that makes something. */
static inline bool hostile_all_reduce(struct trace *t, const struct sizes *s,
                                      enum trace_type type)
{
    struct diag d = { .text = "" };
    uint32_t x = hostile_tensor(t, ROLE_INPUT, type, 1, s->lead);
    uint32_t y = hostile_tensor(t, ROLE_GRADIENT, type, 1, s->lead);
    struct trace_op scale = { .kind = TRACE_SCALE, .ins = 1, .outs = 1, .in = { x }, .out = { y },
                              .given = 1u << ATTR_FACTOR };
    struct trace_op sum = { .kind = TRACE_ALL_REDUCE, .ins = 1, .outs = 1, .in = { y },
                            .out = { y } };
    scale.attr[ATTR_FACTOR] = -1.5;
    return trace_add_op(t, &scale, NULL, &d) && trace_add_op(t, &sum, NULL, &d);
}

/* Classes that the ops which read a target of them know. */
static inline uint64_t hostile_classes(const struct trace *t, uint32_t target)
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

static inline struct sizes hostile_sizes(struct dice *d)
{
    struct sizes s = { .leads = 1 + (uint32_t)(roll(d, 4) == 0) };
    s.lead[0] = hostile_size(d, 130);
    s.lead[1] = roll(d, 9) + 1;
    for (int i = 0; i < 26; i++)
        s.letter[i] = hostile_size(d, 300);
    return s;
}

/* A few ops; some read what those before have made. */
static inline struct trace *hostile_chain(struct dice *d)
{
    struct trace *t = trace_new("chain");
    struct sizes s = hostile_sizes(d);
    uint32_t ops = 1 + (uint32_t)roll(d, 8);
    for (uint32_t i = 0; i < ops || t->op_count == 0; i++) {
        enum trace_op_kind kind = (enum trace_op_kind)roll(d, TRACE_OPS_COUNT);
        struct sizes own = s;
        if (kind == TRACE_MATMUL || kind == TRACE_TRANSPOSE)
            own.leads = s.leads - 1 + (uint32_t)(roll(d, 4) == 0);
        if (kind == TRACE_MATMUL && own.leads == 0) {
            own.letter['m' - 'a'] = s.lead[0];
            own.letter['n' - 'a'] = s.letter['n' - 'a'];
        }
        hostile_op(t, kind, &own, roll(d, 4) == 0 ? TRACE_BF16 : TRACE_F32, d);
    }
    t->batch = roll(d, 2) ? s.lead[0] : 0;
    return t;
}

/* A network of a few layers, as its text. */
static inline struct trace *hostile_net(struct dice *d)
{
    char text[1024];
    int layers = 1 + (int)roll(d, 5);
    const char *loss = ONE_OF(d, "cross_entropy", "binary_cross_entropy", "mean_squared_error");
    int used = snprintf(text, sizeof text, "simaccel-net 1\nname n\ninput %u\nbatch %u\n",
                        (unsigned)hostile_size(d, 300), (unsigned)hostile_size(d, 40));
    for (int i = 0; i < layers; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "dense %u %s\n",
                         (unsigned)hostile_size(d, 300), i + 1 < layers
                         ? ONE_OF(d, "linear", "relu", "sigmoid", "tanh", "gelu", "softmax")
                         : loss[0] == 'c' ? "softmax" : loss[0] == 'b' ? "sigmoid" : "linear");
    snprintf(text + used, sizeof text - (size_t)used, "loss %s\noptimizer %s\nactivations %s\n",
             loss, ONE_OF(d, "sgd", "momentum", "rmsprop", "adam"), ONE_OF(d, "f32", "bf16"));
    struct diag why = { .text = "" };
    struct net_options options = { .inference = roll(d, 8) == 0 };
    options.loss_scale = roll(d, 4) == 0 ? 1000 : 0;
    struct trace *t = net_expand_memory(text, strlen(text), &options, &why);
    if (!t)
        fprintf(stderr, "%s\n%s\n", text, why.text);
    return t;
}

/* ---- machines */

static inline void hostile_set(struct machine *m, const char *name, const char *value)
{
    char text[128];
    struct diag why = { .text = "" };
    snprintf(text, sizeof text, "%s=%s", name, value);
    if (!machine_set(m, text, "test", &why))
        fprintf(stderr, "%s\n", why.text);
}

/* Figures that turn what a model does, each with values at its edges. */
static const struct hostile_figure { const char *name, *values[8]; } hostile_figures[] = {
    { "core.mxus",               { "1", "2", "3", "4", "7" } },
    { "core.partial_sums",       { "vector", "accumulators" } },
    { "core.transpose_push",     { "no", "yes" } },
    { "core.op_cycles",          { "0", "1", "134" } },
    { "core.step_cycles",        { "0", "1", "20" } },
    { "core.push_slots",         { "1", "2", "5" } },
    { "core.pop_slots",          { "1", "2", "5" } },
    { "mxu.rows",                { "1", "3", "7", "8", "16", "128" } },
    { "mxu.cols",                { "1", "2", "5", "8", "16", "128" } },
    { "mxu.weight_buffers",      { "1", "2" } },
    { "mxu.weight_rows_per_cycle", { "1", "2", "3", "1024" } },
    { "mxu.swap_cycles",         { "0", "1", "13" } },
    { "mxu.push_rows",           { "1", "3", "8" } },
    { "mxu.row_cycles",          { "1", "2", "5" } },
    { "mxu.latency_cycles",      { "0", "83", "300" } },
    { "mxu.in_flight_rows",      { "0", "8", "88" } },
    { "mxu.dataflow",            { "weight-stationary", "output-stationary" } },
    { "vmem.capacity_bytes",     { "65536", "131072", "1048576", "16777216" } },
    { "vmem.read_bytes",         { "1", "7", "256", "5120", "1048576" } },
    { "vmem.write_bytes",        { "1", "7", "256", "5120", "1048576" } },
    { "vpu.lanes",               { "1", "3", "8", "128", "130" } },
    { "vpu.sublanes",            { "1", "3", "8", "16" } },
    { "vpu.alu_slots",           { "1", "2" } },
    { "vpu.eup_interval_cycles", { "1", "2" } },
    { "vpu.latency_cycles",      { "0", "10" } },
    { "xlu.units",               { "1", "2", "5" } },
    { "dma.load_setup_cycles",   { "0", "20", "180" } },
    { "dma.done_cycles",         { "0", "5", "60" } },
    { "dma.load_bytes",          { "0.7", "3.5", "64", "1024" } },
    { "dma.store_bytes",         { "0.7", "3.5", "64", "1024" } },
    { "dma.in_flight_bytes",     { "4096", "5000", "1048576" } },
    { "ici.latency_ns",          { "5", "150" } },
    { "ici.gb_per_s",            { "0.5", "540" } },
    { "ici.setup_cycles",        { "0", "150" } },
    { "chip.fabric_ns",          { "5", "40", "333.3" } },
    { "chip.clock_mhz",          { "1", "700", "940", "10000" } },
    { "chip.hbm_sharing",        { "split", "shared" } },
    { "lower.residence",         { "hbm", "vmem" } },
    { "lower.tile_bytes",        { "4096", "49152", "65536", "1048576" } },
    { "lower.resident_bytes",    { "0", "8192", "1000000" } },
    { "lower.panel_bytes",       { "1024", "4096", "65536", "4194304" } },
    { "lower.panel_cols",        { "8", "64", "512" } },
    { "lower.block_rows",        { "8", "13", "32", "1024" } },
    { "lower.weight_rows",       { "8", "13", "32", "512" } },
    { "lower.vector_bytes",      { "256", "2048", "5000", "524288" } },
};
#define HOSTILE_FIGURES (sizeof hostile_figures / sizeof hostile_figures[0])

/* Cores and stacks fit each other, most times. */
static inline struct machine *hostile_machine(struct dice *d)
{
    struct diag why = { .text = "" };
    const char *base = ONE_OF(d, "tpu-mini", "tpu-mini", "tpu-v3", "tpu-v4", "tpu-v5e");
    struct machine *m = machine_find(&figures_schema, base, &why);
    if (!m) {
        diag_print(&why, stderr);
        abort();
    }
    uint64_t odds = 1 + roll(d, 12);        /* few figures turned, or many */
    for (size_t i = 0; i < HOSTILE_FIGURES; i++) {
        const struct hostile_figure *f = &hostile_figures[i];
        size_t count = 0;
        while (count < 8 && f->values[count])
            count++;
        if (roll(d, 12) < odds / 2)
            hostile_set(m, f->name, f->values[roll(d, count)]);
    }
    unsigned cores = 1 + (unsigned)roll(d, 5), stacks = cores * (1 + (unsigned)roll(d, 3));
    char number[24];
    snprintf(number, sizeof number, "%u", cores);
    hostile_set(m, "chip.cores", number);
    snprintf(number, sizeof number, "%u", roll(d, 20) ? stacks : 1 + (unsigned)roll(d, 16));
    hostile_set(m, "hbm.stacks", number);
    if (roll(d, 10))        /* the hashes of a chip want its own geometry */
        hostile_set(m, "hbm.map", "offset column pseudo channel stack group bank row");
    const struct figures *f = machine_figures(m);
    if (f->tpu.lower.tile_bytes > f->tpu.vmem.capacity_bytes && roll(d, 20)) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)f->tpu.vmem.capacity_bytes);
        hostile_set(m, "lower.tile_bytes", number);
    }
    return m;
}

/* ---- a run */

struct hostile_run {
    const struct machine *machine;
    const struct trace   *trace;
    struct tpu_lower_options lower;
    enum tpu_mxu_form     form;
    unsigned              window_divisor;
    int                 (*look)(const struct tpu_chip *c, FILE *out);   /* or NULL */
};

enum { HOSTILE_RAN, HOSTILE_FAULT, HOSTILE_REFUSED };

static inline int hostile_chip_run(const struct hostile_run *r, struct tpu_chip *c, FILE *out)
{
    struct engine_result result;
    if (r->window_divisor > 1)
        c->engine.window = engine_window(&c->engine) / r->window_divisor;
    if (!loop_run(&c->engine, &result)) {
        fprintf(out, "quiet with work left: %s", result.stuck);
        return HOSTILE_FAULT;
    }
    const char *fault = tpu_result_fault(c);
    if (fault) {
        fputs(fault, out);
        return HOSTILE_FAULT;
    }
    return r->look ? r->look(c, out) : HOSTILE_RAN;
}

/* For isolate_run: the status is one of the above, the bytes say why. */
static inline int hostile_child(void *arg, FILE *out)
{
    const struct hostile_run *r = arg;
    const struct figures *f = machine_figures(r->machine);
    struct diag d = { .text = "" };
    alarm(60);
    struct tpu_plan *plan = tpu_lower(&f->tpu, &f->hbm, r->trace, &r->lower, &d);
    struct tpu_chip *c = plan ? tpu_chip_new(f, plan, r->form, &d) : NULL;
    int status = c ? hostile_chip_run(r, c, out) : HOSTILE_REFUSED;
    if (!c)
        fputs(d.text, out);
    tpu_chip_free(c);
    tpu_plan_free(plan);
    return status;
}

#endif
