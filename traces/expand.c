/* expand.c - from a network to the trace of one training step. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "traces/net.h"

enum keeps { Z, H };

static const struct { const char *name; enum trace_op_kind op, gradient; enum keeps keeps; }
activations[] = {
#define ROW(id, name, op, gradient, keeps) { name, TRACE_##op, TRACE_##gradient, keeps },
    NET_ACTIVATIONS(ROW)
#undef ROW
};

static const struct {
    const char *name;
    enum trace_op_kind op, gradient;
    enum net_activation after;
} losses[] = {
#define ROW(id, name, op, after) { name, TRACE_##op, TRACE_##op##_GRAD, NET_##after },
    NET_LOSSES(ROW)
#undef ROW
};

static const struct { enum trace_op_kind op; const char *states; } optimizers[] = {
#define ROW(id, states, ...) { TRACE_##id, states },
    NET_OPTIMIZERS(ROW)
#undef ROW
};

/* The tensors that a layer leaves for the backward pass and the update. */
struct made { uint32_t x, w, b, z, h, dw, db; };

struct builder {
    const struct net *net;
    struct trace     *trace;
    struct diag      *diag;         /* after the first error nothing more is added */
    struct made      *layers;
    uint64_t          batch;
    double            loss_scale;
    bool              inference;
    unsigned          line;         /* what the errors point at */
    enum trace_phase  phase;
};

__attribute__((format(printf, 6, 7)))
static uint32_t tensor(struct builder *b, enum trace_role role, enum trace_type type,
                       uint64_t rows, uint64_t columns, const char *name, ...)
{
    struct trace_tensor x = { .role = role, .type = type, .line = b->line };
    va_list arguments;
    va_start(arguments, name);
    vsnprintf(x.name, sizeof x.name, name, arguments);
    va_end(arguments);
    if (rows)
        x.shape[x.rank++] = rows;       /* rows 0: a vector */
    x.shape[x.rank++] = columns;
    if (b->diag->text[0])
        return TRACE_NONE;
    return trace_add_tensor(b->trace, &x, NULL, b->diag);
}

static struct trace_op new_op(const struct builder *b, enum trace_op_kind kind)
{
    return (struct trace_op){ .kind = kind, .phase = b->phase, .line = b->line,
                              .ins = op_ins(kind), .outs = op_outs(kind) };
}

static void add(struct builder *b, const struct trace_op *op)
{
    if (!b->diag->text[0])
        trace_add_op(b->trace, op, NULL, b->diag);
}

/* An op of one output and one or two inputs. */
static void emit(struct builder *b, enum trace_op_kind kind, uint32_t out, uint32_t x, uint32_t y)
{
    struct trace_op op = new_op(b, kind);
    op.out[0] = out;
    op.in[0]  = x;
    op.in[1]  = y;
    add(b, &op);
}

static void emit_matmul(struct builder *b, uint32_t out, uint32_t x, uint32_t y,
                        bool transpose_a, bool transpose_b)
{
    struct trace_op op = new_op(b, TRACE_MATMUL);
    op.out[0] = out;
    op.in[0]  = x;
    op.in[1]  = y;
    op.transpose_a = transpose_a;
    op.transpose_b = transpose_b;
    op.compute     = b->net->compute;
    add(b, &op);
}

static void emit_scale(struct builder *b, uint32_t out, uint32_t x, double factor)
{
    struct trace_op op = new_op(b, TRACE_SCALE);
    op.out[0] = out;
    op.in[0]  = x;
    op.given  = 1u << ATTR_FACTOR;
    op.attr[ATTR_FACTOR] = factor;
    add(b, &op);
}

static bool scales(const struct builder *b) { return b->loss_scale != 1; }

static uint64_t width_below(const struct net *n, unsigned i)
{
    return i == 0 ? n->input : n->layers[i - 1].units;
}

static bool is_last(const struct net *n, unsigned i) { return i + 1 == n->layer_count; }

/* Whether layer `i` applies its activation in this trace: not if the loss does. */
static bool activates(const struct builder *b, unsigned i)
{
    const struct net *n = b->net;
    enum net_activation a = n->layers[i].activation;
    bool fused = is_last(n, i) && !b->inference && losses[n->loss].after == a;
    return a != NET_LINEAR && !fused;
}

/* A product that a bias is added to next is kept as it was summed, in f32; z and h are
 * of the activations' type. */
static void forward_layer(struct builder *b, unsigned i, uint32_t x)
{
    const struct net *n = b->net;
    const struct net_layer *l = &n->layers[i];
    struct made *m = &b->layers[i];
    unsigned number = i + 1;
    enum trace_role last = b->inference && is_last(n, i) ? ROLE_OUTPUT : ROLE_ACTIVATION;
    enum trace_role role = activates(b, i) ? ROLE_ACTIVATION : last;
    b->line = l->line;
    m->x = x;
    m->w = tensor(b, ROLE_WEIGHT, n->weights, width_below(n, i), l->units, "l%u.w", number);
    if (l->bias) {
        m->b = tensor(b, ROLE_WEIGHT, n->weights, 0, l->units, "l%u.b", number);
        uint32_t product = tensor(b, ROLE_ACTIVATION, TRACE_F32, b->batch, l->units,
                                  "l%u.product", number);
        m->z = tensor(b, role, n->activations, b->batch, l->units, "l%u.z", number);
        emit_matmul(b, product, x, m->w, false, false);
        emit(b, TRACE_BIAS, m->z, product, m->b);
    } else {
        m->z = tensor(b, role, n->activations, b->batch, l->units, "l%u.z", number);
        emit_matmul(b, m->z, x, m->w, false, false);
    }
    m->h = m->z;
    if (activates(b, i)) {
        m->h = tensor(b, last, n->activations, b->batch, l->units, "l%u.h", number);
        emit(b, activations[l->activation].op, m->h, m->z, 0);
    }
}

static void forward(struct builder *b)
{
    b->phase = PHASE_FORWARD;
    b->line  = b->net->input_line;
    uint32_t x = tensor(b, ROLE_INPUT, b->net->activations, b->batch, b->net->input, "x");
    for (unsigned i = 0; i < b->net->layer_count; i++) {
        forward_layer(b, i, x);
        x = b->layers[i].h;
    }
}

/* The gradient of layer `i`'s h, taken through its activation to its z. */
static uint32_t through_activation(struct builder *b, unsigned i, uint32_t dh)
{
    const struct net_layer *l = &b->net->layers[i];
    const struct made *m = &b->layers[i];
    if (!activates(b, i))
        return dh;
    uint32_t dz = tensor(b, ROLE_DELTA, b->net->activations, b->batch, l->units, "l%u.dz", i + 1);
    emit(b, activations[l->activation].gradient, dz, dh,
         activations[l->activation].keeps == Z ? m->z : m->h);
    return dz;
}

/* The loss of what the last layer gave; returns the target. */
static uint32_t loss(struct builder *b)
{
    const struct net *n = b->net;
    unsigned last = n->layer_count - 1;
    uint64_t units = n->layers[last].units;
    bool labels = n->loss == NET_CROSS_ENTROPY && !n->one_hot;
    b->phase = PHASE_LOSS;
    b->line  = n->loss_line;
    uint32_t target = labels ? tensor(b, ROLE_TARGET, TRACE_I32, 0, b->batch, "t")
                             : tensor(b, ROLE_TARGET, n->activations, b->batch, units, "t");
    uint32_t value = tensor(b, ROLE_OUTPUT, TRACE_F32, 0, 1, "loss");
    emit(b, losses[n->loss].op, value, b->layers[last].h, target);
    return target;
}

/* The gradient of the loss by what the last layer gave. */
static uint32_t loss_gradient(struct builder *b, uint32_t target)
{
    const struct net *n = b->net;
    unsigned last = n->layer_count - 1;
    uint64_t units = n->layers[last].units;
    uint32_t dy = tensor(b, ROLE_DELTA, n->activations, b->batch, units, "l%u.%s",
                         n->layer_count, activates(b, last) ? "dh" : "dz");
    if (!scales(b)) {
        emit(b, losses[n->loss].gradient, dy, b->layers[last].h, target);
        return dy;
    }
    /* It must be scaled before it is rounded. */
    uint32_t dloss = tensor(b, ROLE_DELTA, TRACE_F32, b->batch, units, "dloss");
    emit(b, losses[n->loss].gradient, dloss, b->layers[last].h, target);
    emit_scale(b, dy, dloss, b->loss_scale);
    return dy;
}

/* A product that goes through an activation next is kept as it was summed, in f32. */
static uint32_t input_gradient(struct builder *b, unsigned i, uint32_t dz)
{
    const struct net *n = b->net;
    bool more = activates(b, i - 1);
    uint32_t dh = tensor(b, ROLE_DELTA, more ? TRACE_F32 : n->activations, b->batch,
                         width_below(n, i), "l%u.%s", i, more ? "dh" : "dz");
    emit_matmul(b, dh, dz, b->layers[i].w, false, true);
    return dh;
}

/* What the backward pass puts the gradient of layer `i`'s `name` in. */
static uint32_t weight_gradient(struct builder *b, unsigned i, uint64_t rows, const char *name)
{
    const struct net *n = b->net;
    return tensor(b, ROLE_GRADIENT, n->gradients, rows, n->layers[i].units, "l%u.d%s%s", i + 1,
                  name, scales(b) ? ".scaled" : "");
}

static void backward(struct builder *b, uint32_t dh)
{
    const struct net *n = b->net;
    b->phase = PHASE_BACKWARD;
    for (unsigned i = n->layer_count; i-- > 0;) {
        const struct net_layer *l = &n->layers[i];
        struct made *m = &b->layers[i];
        b->line = l->line;
        uint32_t dz = through_activation(b, i, dh);
        m->dw = weight_gradient(b, i, width_below(n, i), "w");
        emit_matmul(b, m->dw, m->x, dz, true, false);
        if (l->bias) {
            m->db = weight_gradient(b, i, 0, "b");
            emit(b, TRACE_SUM_ROWS, m->db, dz, 0);
        }
        if (i > 0)
            dh = input_gradient(b, i, dz);
    }
}

/* What the optimizer takes: without the scale, in f32, for it may be as small as it was. */
static uint32_t unscaled(struct builder *b, uint32_t scaled, uint64_t rows, uint64_t columns,
                         unsigned number, const char *name)
{
    if (!scales(b))
        return scaled;
    uint32_t g = tensor(b, ROLE_GRADIENT, TRACE_F32, rows, columns, "l%u.d%s", number, name);
    emit_scale(b, g, scaled, 1 / b->loss_scale);
    return g;
}

static void update_one(struct builder *b, uint32_t weight, uint32_t gradient, uint64_t rows,
                       uint64_t columns, unsigned number, const char *name)
{
    const struct net *n = b->net;
    const char *states = optimizers[n->optimizer].states;
    struct trace_op op = new_op(b, optimizers[n->optimizer].op);
    op.out[0] = op.in[0] = weight;
    for (uint32_t i = 0; states[i]; i++)
        op.out[1 + i] = op.in[1 + i] = tensor(b, ROLE_STATE, n->state, rows, columns,
                                              "l%u.%s.%c", number, name, states[i]);
    op.in[op.ins - 1] = unscaled(b, gradient, rows, columns, number, name);
    op.given = op_rows[op.kind].attributes;
    memcpy(op.attr, n->attr, sizeof op.attr);
    add(b, &op);
}

static void update(struct builder *b)
{
    b->phase = PHASE_UPDATE;
    for (unsigned i = 0; i < b->net->layer_count; i++) {
        const struct net_layer *l = &b->net->layers[i];
        const struct made *m = &b->layers[i];
        b->line = l->line;
        update_one(b, m->w, m->dw, width_below(b->net, i), l->units, i + 1, "w");
        if (l->bias)
            update_one(b, m->b, m->db, 0, l->units, i + 1, "b");
    }
}

/* What a network must say before it can be expanded. */
static bool check(const struct builder *b)
{
    const struct net *n = b->net;
    enum net_activation last = n->layers[n->layer_count - 1].activation;
    enum net_activation after = losses[n->loss].after;
    if (b->batch == 0)
        return diag_set(b->diag, n->lines, 0, "the batch is missing; expected a line like "
                        "'batch 256'");
    if (b->inference)
        return true;
    if (!n->loss_line)
        return diag_set(b->diag, n->lines, 0, "the loss is missing; expected a line like "
                        "'loss cross_entropy', or inference alone");
    if (!n->optimizer_line)
        return diag_set(b->diag, n->lines, 0, "the optimizer is missing; expected a line like "
                        "'optimizer adam', or inference alone");
    if (after != NET_LINEAR && last != after)
        return diag_set(b->diag, n->loss_line, 0, "%s follows a %s layer; expected the last "
                        "layer to be %s", losses[n->loss].name, activations[last].name,
                        activations[after].name);
    return true;
}

struct trace *net_expand(const struct net *n, const struct net_options *options,
                         struct diag *d)
{
    struct builder b = { .net = n, .diag = d, .inference = options->inference,
                         .batch = options->batch ? options->batch : n->batch,
                         .loss_scale = options->loss_scale > 0 ? options->loss_scale
                                                               : n->loss_scale };
    assert(b.loss_scale >= NET_SCALE_MIN && b.loss_scale <= NET_SCALE_MAX);
    if (!check(&b))
        return NULL;
    b.layers = calloc(n->layer_count, sizeof *b.layers);
    if (!b.layers)
        abort();
    b.trace = trace_new(n->name);
    b.trace->batch   = b.batch;
    b.trace->samples = n->samples;
    b.trace->epochs  = n->epochs;
    forward(&b);
    uint32_t target = b.inference ? TRACE_NONE : loss(&b);
    if (target != TRACE_NONE && !options->evaluate) {
        backward(&b, loss_gradient(&b, target));
        update(&b);
    }
    free(b.layers);
    if (!d->text[0])
        return b.trace;
    trace_free(b.trace);
    return NULL;
}

struct trace *net_expand_memory(const char *text, size_t size,
                                const struct net_options *options, struct diag *d)
{
    struct net *n = net_read_memory(text, size, d);
    struct trace *t = n ? net_expand(n, options, d) : NULL;
    net_free(n);
    return t;
}
