/* values_vector.c - operations of the vector unit: a tile, block by block, op after op.
 *
 * What comes from outside the group is read at home, and what others want goes home, rounded
 * to its type.  Within the group it is handed on as it is, in f32: a vector unit computes in
 * nothing else, and the time of a group counts no rounding but of what is stored. */
#include <assert.h>
#include <string.h>

#include "models/tpu/values_inside.h"

/* Some rows of a tile. */
struct stretch {
    struct tpu_values         *values;
    const struct values_group *group;
    const struct tpu_tensor   *shape;       /* what the group goes over */
    uint64_t shape_row;                     /* where its rows of this core begin */
    uint64_t top, left;                     /* of the tile */
    uint64_t row, rows, col, cols;          /* of this core's part of the tensor */
};

uint64_t values_first_row(const struct tpu_values *v, uint32_t tensor)
{
    const struct tpu_tensor *t = &v->plan->tensors[tensor];
    uint64_t first = t->share * v->core;
    return first < t->rows ? first : t->rows;
}

float *values_place(const struct tpu_values *v, uint32_t tensor)
{
    const struct tpu_tensor *t = &v->plan->tensors[tensor];
    const struct values_tensor *x = &v->tensors[tensor];
    assert(x->at != NULL);
    if (t->summed != TRACE_NONE && v->group < t->summed)
        return x->summands + v->core * x->elements;
    return x->at + values_first_row(v, tensor) * t->cols;
}

/* An operand as the block has it: `step` to its next row. */
struct view { float *at; uint64_t step; };

static struct view view(const struct stretch *b, const struct values_operand *o,
                        const struct values_op *x)
{
    const struct tpu_values *v = b->values;
    const struct tpu_tensor *t = &v->plan->tensors[o->tensor];
    switch (o->how) {
    case VALUES_ELEMENTS:
        if (o->panel)
            return (struct view){ v->product.panel + (b->row - b->top) * b->cols, b->cols };
        if (o->slot)
            return (struct view){ o->slot, b->cols };
        return (struct view){ values_place(v, o->tensor) + b->row * t->cols + b->col, t->cols };
    case VALUES_COLUMNS:
        if (o->slot)
            return (struct view){ o->slot, 0 };
        if (b->shape->cols == 1 && x->n > 1)        /* a row that is shared over cores */
            return (struct view){ values_place(v, o->tensor) + b->shape_row + b->row, 1 };
        return (struct view){ values_place(v, o->tensor) + b->col, 0 };
    case VALUES_ROWS:
        if (o->slot)
            return (struct view){ o->slot, 1 };
        return (struct view){ v->tensors[o->tensor].at + b->shape_row + b->row, 1 };
    case VALUES_SUMS:
        break;
    }
    return (struct view){ NULL, 0 };
}

struct views { struct view in[TRACE_INS], out[TRACE_OUTS]; const int32_t *classes; };

static struct views views_of(const struct stretch *b, const struct values_op *x)
{
    struct views w = { .classes = NULL };
    for (uint32_t i = 0; i < x->op->ins; i++) {
        const int32_t *classes = b->values->tensors[x->in[i].tensor].classes;
        if (classes)
            w.classes = classes + b->shape_row + b->row;
        else
            w.in[i] = view(b, &x->in[i], x);
    }
    if (x->op->ins == 1)
        w.in[1] = w.in[0];
    for (uint32_t i = 0; i < x->op->outs; i++)
        w.out[i] = view(b, &x->out[i], x);
    return w;
}

/* Row `r` of the block, or `n` elements from there on. */
static struct values_run run_of(const struct stretch *b, const struct values_op *x,
                                const struct views *w, uint64_t r, uint64_t n)
{
    struct values_run run = { .values = b->values, .op = x, .n = n,
                              .row = b->row + r - b->top, .col = b->col - b->left,
                              .column = b->col,
                              .dense = b->shape->rows == 1 || b->shape->cols == 1 };
    if (run.dense && b->shape->cols == 1)
        run.col = run.row;
    run.classes = w->classes ? w->classes + r : NULL;
    for (uint32_t i = 0; i < TRACE_INS; i++)
        run.in[i] = w->in[i].at ? w->in[i].at + r * w->in[i].step : NULL;
    for (uint32_t i = 0; i < TRACE_OUTS; i++)
        run.out[i] = w->out[i].at ? w->out[i].at + r * w->out[i].step : NULL;
    return run;
}

/* Whether the rows of a block lie behind each other in all operands. */
static bool seamless(const struct stretch *b, const struct views *w)
{
    for (uint32_t i = 0; i < TRACE_INS; i++)
        if (w->in[i].at && w->in[i].step != b->cols)
            return false;
    for (uint32_t i = 0; i < TRACE_OUTS; i++)
        if (w->out[i].at && w->out[i].step != b->cols)
            return false;
    return true;
}

/* Whether an op may take several rows as one. */
static bool takes_any(const struct values_op *x, const struct stretch *b)
{
    enum trace_op_kind kind = x->op->kind;
    if (values_elements[kind] || values_updates[kind])
        return true;
    return b->shape->cols == 1 && values_sums[kind] != NULL
        && kind != TRACE_LAYERNORM_GRAD_WEIGHTS && kind != TRACE_SOFTMAX_CROSS_ENTROPY;
}

static values_function *function_of(enum trace_op_kind kind)
{
    values_function *const *tables[] = { values_elements, values_updates, values_rows, values_sums };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (tables[i][kind])
            return tables[i][kind];
    assert(!"an op that the vector unit can do");
    return NULL;
}

static void compute(const struct stretch *b, const struct values_op *x)
{
    values_function *f = function_of(x->op->kind);
    struct views w = views_of(b, x);
    bool whole = takes_any(x, b) && seamless(b, &w);
    for (uint64_t r = 0; r < (whole ? 1 : b->rows); r++) {
        struct values_run run = run_of(b, x, &w, r, whole ? b->rows * b->cols : b->cols);
        f(&run);
    }
}

/* Elements in their order: whatever its shape, they go to the same places. */
static void reshape(const struct stretch *b, const struct values_op *x)
{
    struct view from = view(b, &x->in[0], x);
    float *to = values_place(b->values, x->out[0].tensor);
    for (uint64_t r = 0; r < b->rows; r++)
        memcpy(to + (b->row + r) * b->shape->cols + b->col, from.at + r * from.step,
               b->cols * sizeof *to);
}

/* What is in a slot goes home. */
static void keep(const struct stretch *b, const struct values_op *x, const struct values_operand *o)
{
    const struct tpu_values *v = b->values;
    enum trace_type type = v->trace->tensors[o->tensor].type;
    struct values_operand home = { .tensor = o->tensor, .how = o->how };
    if ((!o->slot && !o->panel) || !v->plan->tensors[o->tensor].kept)
        return;
    struct view from = view(b, o, x), to = view(b, &home, x);
    if (o->how == VALUES_ROWS) {
        values_round(to.at, from.at, b->rows, type);
        return;
    }
    for (uint64_t r = 0; r < b->rows; r++)
        values_round(to.at + r * to.step, from.at + r * from.step, b->cols, type);
}

static void compute_all(const struct stretch *b)
{
    for (uint32_t o = 0; o < b->group->op_count; o++) {
        const struct values_op *x = &b->group->ops[o];
        if (x->op->kind == TRACE_RESHAPE) {
            reshape(b, x);
            continue;
        }
        if (x->op->kind != TRACE_MATMUL)
            compute(b, x);
        for (uint32_t i = 0; i < x->op->outs; i++) {
            if (x->op->kind == TRACE_CAST && x->out[i].slot)
                values_round(x->out[i].slot, x->out[i].slot, b->rows * b->cols,
                             b->values->trace->tensors[x->out[i].tensor].type);
            keep(b, x, &x->out[i]);
        }
    }
}

/* The results of an op that has summed up its rows. */
static void finish_sums(struct tpu_values *v, const struct values_op *x)
{
    float *out[TRACE_OUTS];
    for (uint32_t i = 0; i < x->op->outs; i++) {
        uint32_t tensor = x->op->out[i];
        out[i] = values_place(v, tensor);
    }
    values_sum_up(v, x, out);
    for (uint32_t i = 0; i < x->op->outs; i++)
        values_round(out[i], out[i], v->tensors[x->op->out[i]].elements,
                     v->trace->tensors[x->op->out[i]].type);
}

void values_vector(struct tpu_values *v, const struct tpu_uop *u)
{
    const struct tpu_work *w = &u->work;
    struct stretch b = { .values = v, .group = &v->groups[v->group],
                       .shape = &v->plan->tensors[w->tensor],
                       .shape_row = values_first_row(v, w->tensor),
                       .top = w->row, .left = w->col, .col = w->col, .cols = w->cols };
    for (uint32_t o = 0; w->first && o < b.group->op_count; o++)
        if (b.group->ops[o].sums)
            memset(b.group->ops[o].sums, 0, b.group->ops[o].sums_count * sizeof(float));
    uint64_t rows = w->cols < VALUES_BLOCK ? VALUES_BLOCK / w->cols : 1;
    for (uint64_t r = 0; r < w->rows; r += rows) {
        b.row = w->row + r;
        b.rows = w->rows - r < rows ? w->rows - r : rows;
        compute_all(&b);
    }
    for (uint32_t o = 0; w->last && o < b.group->op_count; o++)
        if (b.group->ops[o].sums)
            finish_sums(v, &b.group->ops[o]);
}

void values_keep_panel(struct tpu_values *v, const struct tpu_uop *u)
{
    const struct tpu_work *w = &u->work;
    const struct trace_op *op = v->groups[v->group].ops[0].op;
    const struct tpu_tensor *t = &v->plan->tensors[w->tensor];
    uint64_t row = w->turned ? w->col : w->row, rows = w->turned ? w->cols : w->rows;
    uint64_t col = w->turned ? w->row : w->col, cols = w->turned ? w->rows : w->cols;
    const float *from = v->product.panel;
    row += w->matrix * (t->rows / op_matmul(v->trace, op).batch);
    float *to = values_place(v, w->tensor) + row * t->cols + col;
    for (uint64_t r = 0; r < rows; r++)
        memcpy(to + r * t->cols, from + r * cols, cols * sizeof *to);
}
