/* emit_vector.c - ops that go over their elements once: tiles of whole rows, double-buffered.
 *
 *     load   [ tile 0 ][ tile 1 ][ tile 2 ]
 *     vector           [ tile 0 ][ tile 1 ][ tile 2 ]
 *     store                      [ tile 0 ][ tile 1 ][ tile 2 ]
 *
 * A row vector (a bias) is loaded with the first tile; a sum over rows is stored with the
 * last. */
#include "models/tpu/lower_parts.h"

#define F32_BYTES 4

struct going {
    struct emit            *emit;
    const struct tpu_group *group;
    uint32_t shape;             /* the tensor whose elements are gone over */
    uint64_t first, rows;       /* of it, on this core */
    uint64_t tile_rows, tile_cols;
};

/* Instructions of a primitive operation on one register; all but the first three push to
 * the transcendental unit once. */
static uint32_t instructions(const struct tpu_vpu_config *v, enum op_work w)
{
    switch (w) {
    case WORK_ADD:    return v->add_ops;
    case WORK_MUL:    return v->mul_ops;
    case WORK_SELECT: return v->select_ops;
    case WORK_DIV:    return v->div_ops;
    case WORK_SQRT:   return v->sqrt_ops;
    case WORK_EXP:    return v->exp_ops;
    case WORK_LOG:    return v->log_ops;
    case WORK_TANH:   return v->tanh_ops;
    case OP_WORKS_COUNT: break;
    }
    return 0;
}

void lower_work(const struct lower *l, const struct trace_op *op, uint64_t registers,
                uint64_t rows, struct tpu_arithmetic *a)
{
    const struct op_row *row = &op_rows[op->kind];
    uint64_t row_registers = (rows + l->config->vpu.sublanes - 1) / l->config->vpu.sublanes;
    for (int w = 0; w < OP_WORKS_COUNT; w++) {
        uint64_t times = row->element_work[w] * registers + row->row_work[w] * row_registers;
        a->alu += times * instructions(&l->config->vpu, w);
        if (w > WORK_SELECT)
            a->eup += times;
    }
    /* A row's maximum and sum, or its two sums, end with a reduction over lanes. */
    if (row->class == OP_ROW || row->class == OP_LOSS)
        a->reductions += 2 * row_registers;
}

static const struct trace_op *op_of(const struct going *x, uint32_t o)
{
    return &x->emit->lower->trace->ops[x->group->ops[o]];
}

static bool full(const struct going *x, uint32_t tensor)
{
    const struct lower_tensor *t = x->emit->lower->tensors;
    return t[tensor].rows == t[x->shape].rows && t[tensor].cols == t[x->shape].cols;
}

static bool per_row(const struct going *x, uint32_t tensor)
{
    const struct lower_tensor *t = &x->emit->lower->tensors[tensor];
    const struct lower_tensor *s = &x->emit->lower->tensors[x->shape];
    return !full(x, tensor) && t->rows * t->cols == s->rows && s->rows > 1
        && t->share == s->share;
}

static bool is_reshaped(const struct going *x, uint32_t tensor)
{
    const struct trace_op *op = op_of(x, 0);
    return op->kind == TRACE_RESHAPE && op->out[0] == tensor && !full(x, tensor);
}

/* `count` elements of a tensor in their order: whole rows of it, where it has several. */
static struct lower_part elements_part(const struct going *x, uint32_t tensor, uint64_t first,
                                       uint64_t count)
{
    const struct lower_tensor *t = &x->emit->lower->tensors[tensor];
    uint64_t cols = t->cols;
    if (t->rows == 1)
        return (struct lower_part){ 0, 1, first, count };
    return (struct lower_part){ first / cols, (first + count + cols - 1) / cols - first / cols,
                                0, cols };
}

/* What of an operand belongs to a tile: its elements, its rows, or all of it. */
static struct lower_part operand_part(const struct going *x, uint32_t tensor,
                                      struct lower_part p)
{
    const struct lower *l = x->emit->lower;
    uint64_t cols = l->tensors[x->shape].cols;
    if (full(x, tensor))
        return p;
    if (is_reshaped(x, tensor))
        return elements_part(x, tensor, p.row * cols + p.col, (p.rows - 1) * cols + p.cols);
    if (per_row(x, tensor))
        return elements_part(x, tensor, p.row, p.rows);
    return (struct lower_part){ 0, lower_rows(l, tensor, x->emit->core), 0,
                                l->tensors[tensor].cols };
}

/* A factor for each column, which a tile that is cut along them needs a part of. */
static bool per_column(const struct going *x, uint32_t tensor)
{
    const struct lower_tensor *t = &x->emit->lower->tensors[tensor];
    const struct lower_tensor *s = &x->emit->lower->tensors[x->shape];
    return t->rows == 1 && s->rows > 1 && t->cols == s->cols && x->tile_cols < s->cols;
}

static struct lower_part input_part(const struct going *x, uint32_t tensor, struct lower_part p)
{
    return per_column(x, tensor) ? (struct lower_part){ 0, 1, p.col, p.cols }
                                 : operand_part(x, tensor, p);
}

static bool each_tile(const struct going *x, uint32_t tensor)
{
    return full(x, tensor) || per_row(x, tensor) || is_reshaped(x, tensor);
}

/* Whether it is the first mention of an operand that comes from outside. */
static bool is_input(const struct going *x, uint32_t op, uint32_t in)
{
    uint32_t tensor = op_of(x, op)->in[in];
    for (uint32_t o = 0; o <= op; o++) {
        const struct trace_op *before = op_of(x, o);
        for (uint32_t i = 0; i < (o < op ? before->ins : in); i++)
            if (before->in[i] == tensor)
                return false;
        for (uint32_t i = 0; o < op && i < before->outs; i++)
            if (before->out[i] == tensor)
                return false;
    }
    return true;
}

static uint64_t registers(const struct going *x, struct lower_part p, unsigned bytes)
{
    const struct lower *l = x->emit->lower;
    uint64_t lanes = l->config->vpu.lanes, sublanes = l->config->vpu.sublanes, count;
    if (p.rows == 1 || p.cols == 1)
        count = (p.rows * p.cols + lanes * sublanes - 1) / (lanes * sublanes);
    else
        count = (p.rows + sublanes - 1) / sublanes * ((p.cols + lanes - 1) / lanes);
    return (count * bytes + F32_BYTES - 1) / F32_BYTES;
}

static void add_operand(const struct going *x, struct tpu_arithmetic *a, uint32_t tensor,
                        struct lower_part tile, bool store)
{
    const struct lower *l = x->emit->lower;
    unsigned bytes = trace_type_bytes(l->trace->tensors[tensor].type);
    struct lower_part p = store ? operand_part(x, tensor, tile) : input_part(x, tensor, tile);
    *(store ? &a->stores : &a->loads) += registers(x, p, bytes);
    if (bytes != F32_BYTES)
        a->alu += registers(x, p, F32_BYTES) * l->config->vpu.cast_ops;
}

static void load_tile(struct going *x, struct lower_part p, bool first)
{
    struct emit *e = x->emit;
    uint32_t free_count = emit_but_last(e->raised[TPU_VECTOR], 1);
    for (uint32_t o = 0; o < x->group->op_count; o++)
        for (uint32_t i = 0; i < op_of(x, o)->ins; i++) {
            uint32_t tensor = op_of(x, o)->in[i];
            if (is_input(x, o, i) && (first || each_tile(x, tensor) || per_column(x, tensor)))
                emit_move(e, TPU_LOAD, tensor, input_part(x, tensor, p), TPU_VECTOR, free_count);
        }
}

static bool is_stored(const struct going *x, uint32_t tensor, bool last)
{
    return x->emit->lower->tensors[tensor].used && (last || each_tile(x, tensor));
}

static void compute_tile(struct going *x, struct lower_part p, bool first, bool last,
                         uint32_t stores)
{
    struct emit *e = x->emit;
    struct tpu_uop u = { .unit = TPU_VECTOR, .work = emit_work(x->shape, p) };
    u.work.first = first;
    u.work.last = last;
    uint64_t count = registers(x, p, F32_BYTES);
    for (uint32_t o = 0; o < x->group->op_count; o++) {
        const struct trace_op *op = op_of(x, o);
        lower_work(e->lower, op, count, p.rows, &u.arithmetic);
        for (uint32_t i = 0; i < op->ins; i++)
            if (is_input(x, o, i))
                add_operand(x, &u.arithmetic, op->in[i], p, false);
        for (uint32_t i = 0; i < op->outs; i++)
            if (is_stored(x, op->out[i], last))
                add_operand(x, &u.arithmetic, op->out[i], p, true);
    }
    emit_wait(e, &u, TPU_LOAD, e->raised[TPU_LOAD]);
    emit_wait_free(e, &u, TPU_STORE, emit_but_last(e->raised[TPU_STORE], stores));
    emit_uop(e, &u);
}

static uint32_t store_tile(struct going *x, struct lower_part p, bool last)
{
    struct emit *e = x->emit;
    uint32_t before = e->raised[TPU_STORE];
    for (uint32_t o = 0; o < x->group->op_count; o++)
        for (uint32_t i = 0; i < op_of(x, o)->outs; i++) {
            uint32_t tensor = op_of(x, o)->out[i];
            if (is_stored(x, tensor, last))
                emit_move(e, TPU_STORE, tensor, operand_part(x, tensor, p), TPU_VECTOR,
                          e->raised[TPU_VECTOR]);
        }
    return e->raised[TPU_STORE] - before;
}

static uint32_t operands(const struct going *x)
{
    uint32_t count = 0;
    for (uint32_t o = 0; o < x->group->op_count; o++) {
        for (uint32_t i = 0; i < op_of(x, o)->ins; i++)
            count += is_input(x, o, i) && full(x, op_of(x, o)->in[i]);
        count += op_of(x, o)->outs;
    }
    return count;
}

static double parts(uint64_t whole, uint64_t size)
{
    return (double)((whole + size - 1) / size);
}

/* Whether tiles may be narrower than a row: where no op needs all of it at once. */
static bool may_split_rows(const struct going *x)
{
    for (uint32_t o = 0; o < x->group->op_count; o++) {
        enum op_class class = op_rows[op_of(x, o)->kind].class;
        if (class == OP_ROW || class == OP_LOSS || class == OP_LAYOUT)
            return false;
    }
    return true;
}

/* A single row may be cut all the same, but where an op needs all of it. */
static bool may_split_row(const struct going *x)
{
    for (uint32_t o = 0; o < x->group->op_count; o++)
        if (op_rows[op_of(x, o)->kind].class == OP_ROW
            || op_of(x, o)->kind == TRACE_SOFTMAX_CROSS_ENTROPY)
            return false;
    return true;
}

/* Two buffers of a tile of each operand must fit. */
static bool take_memory(const struct going *x, uint64_t bytes)
{
    const struct lower *l = x->emit->lower;
    emit_takes(x->emit, bytes);
    if (bytes <= l->config->lower.tile_bytes)
        return true;
    return diag_set(l->diag, op_of(x, 0)->line, op_of(x, 0)->line ? 1 : 0,
                    "%s: its smallest tile takes %llu bytes; expected at most "
                    "lower.tile_bytes, %llu", x->group->name, (unsigned long long)bytes,
                    (unsigned long long)l->config->lower.tile_bytes);
}

static bool choose_tile(struct going *x)
{
    const struct lower *l = x->emit->lower;
    const struct lower_tensor *s = &l->tensors[x->shape];
    uint64_t rows = s->rows == 1 ? 1 : TPU_TILE_ROWS, each = 2 * (uint64_t)F32_BYTES * operands(x);
    uint64_t lanes = l->config->vpu.lanes, fit = l->config->lower.tile_bytes / each;
    uint64_t most = l->config->lower.vector_bytes / F32_BYTES, widest = fit / rows / lanes * lanes;
    most = most < fit ? most : fit;
    x->tile_cols = s->cols;
    if (s->rows == 1 && x->tile_cols > most && may_split_row(x))
        x->tile_cols = most > lanes ? most / lanes * lanes : lanes;
    if (lower_pad_cols(l, x->tile_cols) > widest && may_split_rows(x))
        x->tile_cols = widest > lanes ? widest : lanes;
    x->tile_rows = most / lower_pad_cols(l, x->tile_cols) / rows * rows;
    if (x->tile_rows < rows || rows == 1)
        x->tile_rows = rows;
    if (x->tile_rows > lower_round(x->rows, rows))
        x->tile_rows = lower_round(x->rows, rows);
    return take_memory(x, each * x->tile_rows * lower_pad_cols(l, x->tile_cols));
}

static bool sums_up(const struct going *x)
{
    for (uint32_t o = 0; o < x->group->op_count; o++) {
        enum op_class class = op_rows[op_of(x, o)->kind].class;
        if (class == OP_REDUCE || class == OP_LOSS)
            return true;
    }
    return false;
}

/* Where all cores reach all of HBM they share what is the same for all; a sum over it is
 * one core's work. */
static void choose_rows(struct going *x)
{
    const struct lower *l = x->emit->lower;
    x->first = 0;
    x->rows = lower_rows(l, x->shape, x->emit->core);
    if (!l->shared || l->tensors[x->shape].share == SHARE_ROWS)
        return;
    uint64_t pieces = (x->rows + TPU_TILE_ROWS - 1) / TPU_TILE_ROWS;
    uint64_t share = (pieces + l->options.cores - 1) / l->options.cores * TPU_TILE_ROWS;
    uint64_t all = x->rows;
    if (sums_up(x))
        share = all;
    x->first = share * x->emit->core;
    x->rows = x->first >= all ? 0 : all - x->first < share ? all - x->first : share;
}

bool emit_vector(struct emit *e, const struct tpu_group *g)
{
    struct going x = { .emit = e, .group = g };
    x.shape = e->lower->trace->ops[g->ops[0]].in[0];
    choose_rows(&x);
    if (x.rows == 0)
        return true;
    uint64_t cols = e->lower->tensors[x.shape].cols, end = x.first + x.rows;
    if (!choose_tile(&x) || !emit_steps(e, parts(x.rows, x.tile_rows) * parts(cols, x.tile_cols), g))
        return false;
    emit_cut(e, &(struct tpu_cut){ .batch = 1, .rows = x.rows, .cols = cols,
                                   .tile_rows = x.tile_rows, .tile_cols = x.tile_cols });
    uint32_t stores = 0;
    for (uint64_t r = x.first; r < end; r += x.tile_rows)
        for (uint64_t c = 0; c < cols; c += x.tile_cols) {
            struct lower_part p = { r, end - r < x.tile_rows ? end - r : x.tile_rows, c,
                                    cols - c < x.tile_cols ? cols - c : x.tile_cols };
            bool first = r == x.first && c == 0;
            bool last = r + p.rows == end && c + p.cols == cols;
            load_tile(&x, p, first);
            compute_tile(&x, p, first, last, stores);
            stores = store_tile(&x, p, last);
        }
    return true;
}

/* A panel of whole registers, as wide as lower.vector_bytes allows, that is turned round. */
static bool choose_panel(struct going *x, uint64_t height, unsigned bytes)
{
    const struct lower *l = x->emit->lower;
    uint64_t lanes = l->config->vpu.lanes, most = l->config->lower.vector_bytes / bytes;
    uint64_t cols = lower_pad_cols(l, l->tensors[x->shape].cols);
    if (cols * lanes > most)
        cols = most / lanes > lanes ? most / lanes / lanes * lanes : lanes;
    x->tile_cols = cols;
    x->tile_rows = most / cols > lanes ? most / cols / lanes * lanes : lanes;
    if (x->tile_rows > height)
        x->tile_rows = lower_round(height, TPU_TILE_ROWS);
    return take_memory(x, 4 * x->tile_rows * x->tile_cols * bytes);
}

static void turn_panel(struct going *x, uint64_t matrix, uint64_t height, struct lower_part p)
{
    struct emit *e = x->emit;
    const struct trace_op *op = op_of(x, 0);
    unsigned bytes = trace_type_bytes(e->lower->trace->tensors[op->in[0]].type);
    struct lower_part from = { matrix * height + p.row, p.rows, p.col, p.cols };
    struct lower_part to = { matrix * e->lower->tensors[x->shape].cols + p.col, p.cols, p.row,
                             p.rows };
    emit_move(e, TPU_LOAD, op->in[0], from, TPU_TRANSPOSE, emit_but_last(e->raised[TPU_TRANSPOSE], 1));
    struct tpu_uop u = { .unit = TPU_TRANSPOSE,
                         .turn = { (uint32_t)p.rows, (uint32_t)p.cols, bytes },
                         .work = emit_work(op->in[0], p) };
    u.work.matrix = (uint32_t)matrix;
    emit_wait(e, &u, TPU_LOAD, e->raised[TPU_LOAD]);
    emit_wait_free(e, &u, TPU_STORE, emit_but_last(e->raised[TPU_STORE], 1));
    emit_uop(e, &u);
    emit_move(e, TPU_STORE, op->out[0], to, TPU_TRANSPOSE, e->raised[TPU_TRANSPOSE]);
}

/* A transpose op: panels go in, are turned round, and go out as columns. */
bool emit_turn(struct emit *e, const struct tpu_group *g)
{
    struct going x = { .emit = e, .group = g };
    const struct lower *l = e->lower;
    const struct trace_op *op = op_of(&x, 0);
    const struct trace_tensor *t = &l->trace->tensors[op->in[0]];
    x.shape = op->in[0];
    uint64_t cols = l->tensors[x.shape].cols, height = t->shape[t->rank - 2];
    uint64_t matrices = lower_rows(l, x.shape, e->core) / height;
    if (matrices == 0)
        return true;
    if (!choose_panel(&x, height, trace_type_bytes(t->type))
        || !emit_steps(e, (double)matrices * parts(height, x.tile_rows)
                          * parts(cols, x.tile_cols), g))
        return false;
    emit_cut(e, &(struct tpu_cut){ .batch = matrices, .rows = height, .cols = cols,
                                   .tile_rows = x.tile_rows, .tile_cols = x.tile_cols });
    for (uint64_t m = 0; m < matrices; m++)
        for (uint64_t r = 0; r < height; r += x.tile_rows)
            for (uint64_t c = 0; c < cols; c += x.tile_cols)
                turn_panel(&x, m, height, (struct lower_part){
                    r, height - r < x.tile_rows ? height - r : x.tile_rows,
                    c, cols - c < x.tile_cols ? cols - c : x.tile_cols });
    return true;
}
