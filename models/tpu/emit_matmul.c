/* emit_matmul.c - a matmul and the element-wise ops on its result.
 *
 * The matrix units multiply rows that stream by weights that stay.  Either operand can be
 * the weights:
 *
 *     y = a b          a streams, b is the weights
 *     y' = b' a'       b' streams, a' is the weights, and y' is turned round at the end
 *
 * What is stored the other way round is transposed as it is pushed, if it is the weights
 * and the machine can; else by the transpose units.  The way with less to turn is taken. */
#include <assert.h>
#include <string.h>

#include "models/tpu/lower_parts.h"

#define F32_BYTES 4

/* An operand as the product uses it: rows and columns of that, not of its storage. */
struct side {
    uint32_t tensor;
    bool     swapped;           /* stored with its rows as columns */
    bool     turn;              /* by the transpose units */
};

struct making {
    struct emit            *emit;
    const struct tpu_group *group;
    struct side  streamed, weights, result;
    uint64_t     batch, m, k, n;
    struct lower_shape  shape;
    struct lower_tiling tiling;
    bool         epilogue;      /* the vector unit ends each panel */
    uint32_t     stores;        /* of a panel */
    uint32_t     before;        /* products of the matrices of the batch before */
    uint32_t     turned;        /* transposes of operands so far, that products wait for */
    uint8_t      passes;
};

static const struct trace_op *matmul_of(const struct making *x)
{
    return &x->emit->lower->trace->ops[x->group->ops[0]];
}

static unsigned size_of(const struct lower *l, uint32_t tensor)
{
    return trace_type_bytes(l->trace->tensors[tensor].type);
}

/* The product on this core: its share of rows, of the sum, or of the batch. */
static void local_shape(struct making *x)
{
    const struct lower *l = x->emit->lower;
    const struct trace_op *op = matmul_of(x);
    struct op_matmul m = op_matmul(l->trace, op);
    const struct lower_tensor *a = &l->tensors[op->in[0]];
    uint64_t rows = lower_rows(l, op->in[0], x->emit->core);
    bool batched = l->trace->tensors[op->in[0]].rank > 2;
    x->batch = m.batch;
    x->m = m.m;
    x->k = m.k;
    x->n = m.n;
    if (a->share != SHARE_ROWS)
        return;
    if (batched)
        x->batch = m.batch * rows / a->rows;
    else if (op->transpose_a)
        x->k = rows;
    else
        x->m = rows;
}

static void choose_weights(struct making *x)
{
    const struct lower *l = x->emit->lower;
    const struct trace_op *op = matmul_of(x);
    bool push = l->config->core.transpose_push, ta = op->transpose_a, tb = op->transpose_b;
    uint64_t a = x->m * x->k, b = x->k * x->n, y = x->m * x->n;
    uint64_t right = (ta ? a : 0) + (tb && !push ? b : 0);
    uint64_t left = (tb ? 0 : b) + (ta || push ? 0 : a) + y;
    if (right <= left) {
        x->streamed = (struct side){ op->in[0], ta, ta };
        x->weights  = (struct side){ op->in[1], tb, tb && !push };
        x->result   = (struct side){ op->out[0], false, false };
        return;
    }
    x->streamed = (struct side){ op->in[1], !tb, !tb };
    x->weights  = (struct side){ op->in[0], !ta, !ta && !push };
    x->result   = (struct side){ op->out[0], true, true };
    uint64_t m = x->m;
    x->m = x->n;
    x->n = m;
}

static bool made_here(const struct making *x, uint32_t tensor)
{
    return x->emit->lower->tensors[tensor].maker == x->emit->group;
}

/* Operands of the epilogue that come from elsewhere: each is loaded once a panel. */
static bool is_extra(const struct making *x, uint32_t op, uint32_t in)
{
    const struct trace *t = x->emit->lower->trace;
    const struct trace_op *o = &t->ops[x->group->ops[op]];
    if (op == 0 || made_here(x, o->in[in]))
        return false;
    for (uint32_t p = 1; p <= op; p++) {
        const struct trace_op *before = &t->ops[x->group->ops[p]];
        uint32_t ins = p < op ? before->ins : in;
        for (uint32_t i = 0; i < ins; i++)
            if (before->in[i] == o->in[in])
                return false;
    }
    return true;
}

static void count_panels(struct making *x)
{
    const struct lower *l = x->emit->lower;
    x->shape.panels = 0;
    x->stores = 0;
    for (uint32_t o = 0; o < x->group->op_count; o++) {
        const struct trace_op *op = &l->trace->ops[x->group->ops[o]];
        x->shape.panels++;
        for (uint32_t i = 0; i < op->outs; i++)
            x->stores += l->tensors[op->out[i]].used && !l->tensors[op->out[i]].on_chip;
        for (uint32_t i = 0; i < op->ins; i++)
            x->shape.panels += is_extra(x, o, i) && !lower_is_vector(l, op->in[i]);
    }
    x->epilogue = x->group->op_count > 1 || size_of(l, x->result.tensor) != F32_BYTES;
}

/* The part of an operand in its storage, of matrix `b` of the batch. */
static struct lower_part part_of(const struct making *x, const struct side *s, uint64_t b,
                                 struct lower_part p)
{
    const struct lower_tensor *t = &x->emit->lower->tensors[s->tensor];
    if (s->swapped)
        p = (struct lower_part){ p.col, p.cols, p.row, p.rows };
    p.row += b * (t->rows / op_matmul(x->emit->lower->trace, matmul_of(x)).batch);
    return p;
}

static void load_side(struct making *x, const struct side *s, uint64_t b, struct lower_part p,
                      uint32_t free_count)
{
    struct emit *e = x->emit;
    emit_move(e, TPU_LOAD, s->tensor, part_of(x, s, b, p), TPU_MATRIX, free_count);
    if (!s->turn)
        return;
    struct tpu_uop u = { .unit = TPU_TRANSPOSE,
                         .turn = { (uint32_t)p.rows, (uint32_t)p.cols,
                                   size_of(e->lower, s->tensor) } };
    emit_wait(e, &u, TPU_LOAD, e->raised[TPU_LOAD]);
    emit_uop(e, &u);
    x->turned = e->raised[TPU_TRANSPOSE];
}

/* One chunk of k, `deep` from `k` on, of a part of the result. */
static void product(struct making *x, uint64_t b, struct lower_part step, uint64_t k,
                    uint64_t deep)
{
    struct emit *e = x->emit;
    const struct lower *l = e->lower;
    bool last = k + deep == x->k;
    struct tpu_uop u = { .unit = TPU_MATRIX, .product = {
        .m = (uint32_t)step.rows, .k = (uint32_t)deep, .n = (uint32_t)step.cols,
        .weight_rows = l->config->lower.weight_rows, .passes = x->passes,
        .element_bytes = (uint8_t)size_of(l, x->streamed.tensor),
        .weight_bytes = (uint8_t)size_of(l, x->weights.tensor), .accumulate = k > 0 },
        .work = emit_work(x->result.tensor, step) };
    u.work.matrix = (uint32_t)b;
    u.work.depth = k;
    u.work.turned = x->result.turn;
    u.work.first = k == 0;
    u.work.last = last;
    emit_wait(e, &u, TPU_LOAD, e->raised[TPU_LOAD]);
    emit_wait(e, &u, TPU_TRANSPOSE, x->turned);
    if (last && x->epilogue)
        emit_wait_free(e, &u, TPU_VECTOR, emit_but_last(e->raised[TPU_VECTOR], 1));
    else if (last)
        emit_wait_free(e, &u, TPU_STORE, emit_but_last(e->raised[TPU_STORE], x->stores));
    emit_uop(e, &u);
}

static uint64_t registers(const struct lower *l, struct lower_part p, unsigned bytes)
{
    uint64_t f32 = lower_round(p.rows, l->config->vpu.sublanes) / l->config->vpu.sublanes
                 * (lower_pad_cols(l, p.cols) / l->config->vpu.lanes);
    return (f32 * bytes + F32_BYTES - 1) / F32_BYTES;
}

static void add_operand(struct making *x, struct tpu_arithmetic *a, uint32_t tensor,
                        struct lower_part p, bool store)
{
    const struct lower *l = x->emit->lower;
    unsigned bytes = size_of(l, tensor);
    *(store ? &a->stores : &a->loads) += registers(l, p, bytes);
    if (bytes != F32_BYTES)
        a->alu += registers(l, p, F32_BYTES) * l->config->vpu.cast_ops;
}

static struct lower_part operand_part(const struct making *x, uint32_t tensor, struct lower_part p)
{
    if (lower_is_vector(x->emit->lower, tensor))
        return (struct lower_part){ 0, 1, p.col, p.cols };
    return p;
}

/* Bias, activation and the like on a panel, and rounding to the stored type. */
static void epilogue(struct making *x, struct lower_part p)
{
    struct emit *e = x->emit;
    const struct lower *l = e->lower;
    struct tpu_uop u = { .unit = TPU_VECTOR, .work = emit_work(x->result.tensor, p) };
    struct tpu_arithmetic *a = &u.arithmetic;
    a->loads = registers(l, p, F32_BYTES);
    for (uint32_t o = 0; o < x->group->op_count; o++) {
        const struct trace_op *op = &l->trace->ops[x->group->ops[o]];
        if (o > 0)
            lower_work(l, op, registers(l, p, F32_BYTES), p.rows, a);
        for (uint32_t i = 0; i < op->ins; i++)
            if (is_extra(x, o, i))
                add_operand(x, a, op->in[i], operand_part(x, op->in[i], p), false);
        for (uint32_t i = 0; i < op->outs; i++)
            if (l->tensors[op->out[i]].used)
                add_operand(x, a, op->out[i], p, true);
    }
    emit_wait(e, &u, TPU_MATRIX, e->raised[TPU_MATRIX]);
    emit_wait(e, &u, TPU_TRANSPOSE, x->result.turn ? e->raised[TPU_TRANSPOSE] : 0);
    emit_wait(e, &u, TPU_LOAD, e->raised[TPU_LOAD]);
    emit_wait_free(e, &u, TPU_STORE, emit_but_last(e->raised[TPU_STORE], x->stores));
    emit_uop(e, &u);
}

static void turn_result(struct making *x, struct lower_part p)
{
    struct emit *e = x->emit;
    struct tpu_uop u = { .unit = TPU_TRANSPOSE,
                         .turn = { (uint32_t)p.rows, (uint32_t)p.cols, F32_BYTES } };
    emit_wait(e, &u, TPU_MATRIX, e->raised[TPU_MATRIX]);
    emit_uop(e, &u);
}

static void load_extras(struct making *x, struct lower_part p)
{
    struct emit *e = x->emit;
    const struct lower *l = e->lower;
    for (uint32_t o = 1; o < x->group->op_count; o++) {
        const struct trace_op *op = &l->trace->ops[x->group->ops[o]];
        for (uint32_t i = 0; i < op->ins; i++)
            if (is_extra(x, o, i))
                emit_move(e, TPU_LOAD, op->in[i], operand_part(x, op->in[i], p), TPU_VECTOR,
                          emit_but_last(e->raised[TPU_VECTOR], 1));
    }
}

/* After the last product of a panel: `p` is its place in the result as it is stored. */
static void finish_panel(struct making *x, uint64_t b, struct lower_part p)
{
    struct emit *e = x->emit;
    const struct lower *l = e->lower;
    if (x->result.turn)
        turn_result(x, p);
    p = part_of(x, &x->result, b, p);
    enum tpu_unit from = x->epilogue ? TPU_VECTOR : x->result.turn ? TPU_TRANSPOSE : TPU_MATRIX;
    if (x->epilogue)
        epilogue(x, p);
    for (uint32_t o = 0; o < x->group->op_count; o++) {
        const struct trace_op *op = &l->trace->ops[x->group->ops[o]];
        for (uint32_t i = 0; i < op->outs; i++)
            if (l->tensors[op->out[i]].used)
                emit_move(e, TPU_STORE, op->out[i], p, from, e->raised[from]);
    }
}

static uint64_t left(uint64_t whole, uint64_t from, uint64_t size)
{
    return whole - from < size ? whole - from : size;
}

/* One panel or block of the result: all chunks of k.  An operand that stays is loaded
 * chunk by chunk with the first panel. */
static void panel(struct making *x, uint64_t b, struct lower_part p)
{
    const struct lower_tiling *t = &x->tiling;
    for (uint64_t k = 0; k < x->k; k += t->k) {
        uint64_t deep = left(x->k, k, t->k);
        uint32_t buffer = emit_but_last(x->emit->raised[TPU_MATRIX], 1);
        if (t->stays != TPU_STREAMED_STAYS || p.col == 0)
            load_side(x, &x->streamed, b, (struct lower_part){ p.row, p.rows, k, deep },
                      t->stays == TPU_STREAMED_STAYS ? x->before : buffer);
        if (t->stays != TPU_WEIGHTS_STAY)
            load_side(x, &x->weights, b, (struct lower_part){ k, deep, p.col, p.cols }, buffer);
        product(x, b, p, k, deep);
        if (k + deep == x->k)
            load_extras(x, part_of(x, &x->result, b, p));
    }
    finish_panel(x, b, p);
}

static void one_matrix(struct making *x, uint64_t b)
{
    const struct lower_tiling *t = &x->tiling;
    x->before = x->emit->raised[TPU_MATRIX];
    if (t->stays == TPU_WEIGHTS_STAY)
        load_side(x, &x->weights, b, (struct lower_part){ 0, x->k, 0, x->n }, x->before);
    for (uint64_t m = 0; m < x->m; m += t->m)
        for (uint64_t n = 0; n < x->n; n += t->n)
            panel(x, b, (struct lower_part){ m, left(x->m, m, t->m), n, left(x->n, n, t->n) });
}

static bool tile(struct making *x)
{
    const struct lower *l = x->emit->lower;
    x->shape.m = x->m;
    x->shape.k = x->k;
    x->shape.n = x->n;
    x->shape.streamed_bytes = size_of(l, x->streamed.tensor);
    x->shape.weight_bytes = size_of(l, x->weights.tensor);
    x->shape.result_bytes = size_of(l, x->result.tensor);
    if (lower_tile(l, &x->shape, &x->tiling)) {
        emit_takes(x->emit, x->tiling.bytes);
        return true;
    }
    return diag_set(l->diag, matmul_of(x)->line, matmul_of(x)->line ? 1 : 0,
                    "%s: no tile of it fits lower.tile_bytes, %llu, in panels of "
                    "lower.panel_bytes, %llu; expected larger ones", x->group->name,
                    (unsigned long long)l->config->lower.tile_bytes,
                    (unsigned long long)l->config->lower.panel_bytes);
}

static double parts(uint64_t whole, uint64_t size)
{
    return (double)((whole + size - 1) / size);
}

static double steps_of(const struct making *x)
{
    return (double)x->batch * parts(x->m, x->tiling.m) * parts(x->n, x->tiling.n)
         * parts(x->k, x->tiling.k);
}

static struct tpu_cut cut_of(const struct making *x)
{
    return (struct tpu_cut){
        .batch = x->batch, .rows = x->m, .depth = x->k, .cols = x->n, .stays = x->tiling.stays,
        .tile_rows = x->tiling.m, .tile_depth = x->tiling.k, .tile_cols = x->tiling.n,
        .streamed = x->streamed.tensor, .weights = x->weights.tensor, .passes = x->passes };
}

bool emit_matmul(struct emit *e, const struct tpu_group *g)
{
    struct making x = { .emit = e, .group = g, .passes = 1 };
    local_shape(&x);
    if (x.batch == 0 || x.m == 0 || x.k == 0)
        return true;                    /* no row of the batch is on this core */
    choose_weights(&x);
    const struct lower *l = e->lower;
    bool f32 = size_of(l, x.streamed.tensor) == F32_BYTES
            || size_of(l, x.weights.tensor) == F32_BYTES;
    if (l->options.highest && f32)
        x.passes = 6;
    count_panels(&x);
    if (!tile(&x) || !emit_steps(e, steps_of(&x), g))
        return false;
    struct tpu_cut cut = cut_of(&x);
    emit_cut(e, &cut);
    for (uint64_t b = 0; b < x.batch; b++)
        one_matrix(&x, b);
    return true;
}
