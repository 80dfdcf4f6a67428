/* values.c - tensors, and the operations of a program in their order.
 *
 * Groups follow each other, and in a group the cores: none sees what another makes before
 * their sum.  What every core has whole, and makes from the same in the same way, is made
 * once. */
#include "models/tpu/values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/tpu/values_inside.h"
#include "traces/round.h"

/* ---- tensors ---- */

static void *take(uint64_t count, size_t size, uint64_t *bytes)
{
    *bytes += count * size;
    return calloc(count, size);
}

static bool made_by_reshape(const struct trace *t, uint32_t tensor)
{
    uint32_t writer = t->tensors[tensor].writer;
    return writer != TRACE_NONE && t->ops[writer].kind == TRACE_RESHAPE;
}

/* false: no memory for it. */
static bool make_tensor(struct tpu_values *v, uint32_t i, uint64_t *bytes)
{
    const struct tpu_tensor *t = &v->plan->tensors[i];
    struct values_tensor *x = &v->tensors[i];
    x->elements = trace_elements(&v->trace->tensors[i]);
    if (!t->kept && !made_by_reshape(v->trace, i))
        return true;
    if (v->trace->tensors[i].type == TRACE_I32)
        return (x->classes = take(x->elements, sizeof *x->classes, bytes)) != NULL;
    x->at = take(x->elements, sizeof *x->at, bytes);
    if (t->summed != TRACE_NONE)
        x->summands = take(v->plan->cores * x->elements, sizeof *x->summands, bytes);
    return x->at && (t->summed == TRACE_NONE || x->summands);
}

static bool make_tensors(struct tpu_values *v, struct diag *d)
{
    uint64_t bytes = 0;
    v->tensors = zeroed(v->trace->tensor_count, sizeof v->tensors[0]);
    for (uint32_t i = 0; i < v->trace->tensor_count; i++)
        if (!make_tensor(v, i, &bytes))
            return diag_set(d, v->trace->tensors[i].line, 0, "the values of %s, with those of the "
                            "tensors before it, take %" PRIu64 " bytes; expected as much memory, "
                            "or a smaller trace", v->trace->tensors[i].name, bytes);
    return true;
}

/* ---- groups ---- */

/* What of an operand belongs to a block, by its pattern in traces/ops.h and the first's. */
static enum values_how how(const char *pattern, const char *first, bool result,
                           enum op_class class, bool classes)
{
    size_t length = strcspn(pattern, ",/>");
    if (result && (class == OP_REDUCE || class == OP_LOSS))
        return VALUES_SUMS;
    if (classes)
        return VALUES_ROWS;
    if (length == strcspn(first, ",>") && strncmp(pattern, first, length) == 0)
        return VALUES_ELEMENTS;
    return pattern[0] == 'n' ? VALUES_COLUMNS : VALUES_ROWS;
}

static const char *next_pattern(const char *pattern)
{
    pattern += strcspn(pattern, ",>");
    return *pattern ? pattern + 1 : pattern;
}

static uint64_t sums_of(const struct tpu_values *v, const struct values_op *x)
{
    uint64_t sublanes = v->config->vpu.sublanes, lanes = v->config->vpu.lanes;
    enum op_class class = op_rows[x->op->kind].class;
    if (class != OP_REDUCE && class != OP_LOSS)
        return 0;
    uint64_t each = x->n > lanes ? x->n : lanes;
    return sublanes * each * x->op->outs;
}

static void describe_op(const struct tpu_values *v, const struct trace_op *op, struct values_op *x)
{
    const struct op_row *row = &op_rows[op->kind];
    const struct trace_tensor *first = &v->trace->tensors[op->in[0]];
    const char *pattern = row->shapes;
    x->op = op;
    x->rows = trace_rows(first);
    x->n = first->shape[first->rank - 1];
    x->elements = trace_elements(first);
    for (uint32_t i = 0; i < op->ins; i++, pattern = next_pattern(pattern))
        x->in[i] = (struct values_operand){ .tensor = op->in[i],
            .how = how(pattern, row->shapes, false, row->class,
                       v->trace->tensors[op->in[i]].type == TRACE_I32) };
    for (uint32_t i = 0; i < op->outs; i++, pattern = next_pattern(pattern))
        x->out[i] = (struct values_operand){ .tensor = op->out[i],
            .how = row->class == OP_MATMUL ? VALUES_ELEMENTS
                 : how(pattern, row->shapes, true, row->class, false) };
    x->sums_count = sums_of(v, x);
}

/* Where a result waits for the ops after it: at home, if it is the same there. */
static bool needs_slot(const struct tpu_values *v, const struct values_operand *o)
{
    bool f32 = v->trace->tensors[o->tensor].type == TRACE_F32;
    return o->how == VALUES_ROWS
        || (o->how == VALUES_ELEMENTS && !(f32 && v->plan->tensors[o->tensor].kept));
}

/* What an op reads of those before it in its group. */
static void connect(const struct values_group *g, struct values_op *x)
{
    for (const struct values_op *before = g->ops; before < x; before++)
        for (uint32_t i = 0; i < x->op->ins; i++)
            for (uint32_t o = 0; o < before->op->outs; o++)
                if (before->op->out[o] == x->op->in[i]) {
                    x->in[i].slot = before->out[o].slot;
                    x->in[i].panel = before->out[o].panel;
                }
}

/* Room for the slots and the running sums of the group that needs most. */
struct room { uint64_t block, slots, sums; };

static void place_slots(struct tpu_values *v, struct values_group *g, struct room *room)
{
    uint64_t slots = 0, sums = 0;
    for (uint32_t i = 0; i < g->op_count; i++) {
        struct values_op *x = &g->ops[i];
        if (x->op->kind == TRACE_MATMUL)
            x->out[0].panel = true;
        connect(g, x);
        for (uint32_t o = 0; o < x->op->outs; o++)
            if (x->op->kind != TRACE_MATMUL && x->op->kind != TRACE_RESHAPE
                && needs_slot(v, &x->out[o])) {
                x->out[o].slot = v->slots ? v->slots + slots * room->block : NULL;
                slots++;
            }
        x->sums = v->sums && x->sums_count ? v->sums + sums : NULL;
        sums += x->sums_count;
    }
    room->slots = slots > room->slots ? slots : room->slots;
    room->sums = sums > room->sums ? sums : room->sums;
}

static bool is_once(const struct tpu_values *v, const struct tpu_group *g)
{
    if (g->kind == TPU_GROUP_ALL_REDUCE)
        return false;
    uint32_t shape = v->trace->ops[g->ops[0]].in[0];
    return v->plan->tensors[shape].share == 0
        && !(v->plan->shared && g->kind == TPU_GROUP_VECTOR);
}

static void make_groups(struct tpu_values *v)
{
    uint32_t ops = 0, next = 0, groups = v->plan->group_count;
    for (uint32_t g = 0; g < groups; g++)
        ops += v->plan->groups[g].op_count;
    v->groups = zeroed(groups, sizeof v->groups[0]);
    v->ops = zeroed(ops, sizeof v->ops[0]);
    for (uint32_t g = 0; g < groups; g++) {
        struct values_group *x = &v->groups[g];
        const struct tpu_group *from = &v->plan->groups[g];
        *x = (struct values_group){ .ops = v->ops + next, .op_count = from->op_count,
                                    .once = is_once(v, from) };
        for (uint32_t i = 0; i < from->op_count; i++)
            describe_op(v, &v->trace->ops[from->ops[i]], &x->ops[i]);
        next += from->op_count;
    }
}

/* Where the operations of each group begin on each core, and who ends a product. */
static void find_groups(struct tpu_values *v)
{
    uint32_t groups = v->plan->group_count;
    v->begins = zeroed((uint64_t)v->plan->cores * (groups + 1), sizeof v->begins[0]);
    for (uint32_t c = 0; c < v->plan->cores; c++) {
        const struct tpu_program *p = v->plan->programs[c];
        uint32_t *begins = v->begins + (uint64_t)c * (groups + 1), i = 0;
        for (uint32_t g = 0; g < groups; g++) {
            begins[g] = i;
            for (; i < p->count && p->uops[i].group == g; i++)
                if (p->uops[i].unit == TPU_VECTOR)
                    v->groups[g].epilogue = true;
        }
        begins[groups] = i;
    }
}

static uint64_t widest_tile(const struct tpu_values *v)
{
    uint64_t widest = VALUES_BLOCK;
    for (uint32_t c = 0; c < v->plan->cores; c++)
        for (uint32_t i = 0; i < v->plan->programs[c]->count; i++) {
            const struct tpu_uop *u = &v->plan->programs[c]->uops[i];
            if (u->unit == TPU_VECTOR && u->work.cols > widest)
                widest = u->work.cols;
        }
    return widest;
}

static void make_room(struct tpu_values *v)
{
    struct room room = { .block = widest_tile(v) };
    for (uint32_t g = 0; g < v->plan->group_count; g++)
        place_slots(v, &v->groups[g], &room);
    v->slots = zeroed(room.slots * room.block, sizeof(float));
    v->sums = zeroed(room.sums, sizeof(float));
    v->terms = zeroed(room.block, sizeof(float));
    v->lanes = zeroed(v->config->vpu.lanes, sizeof(float));
    for (uint32_t g = 0; g < v->plan->group_count; g++)
        place_slots(v, &v->groups[g], &room);
}

struct tpu_values *tpu_values_new(const struct tpu_config *config, const struct hbm_config *hbm,
                                  const struct trace *trace, const struct tpu_plan *plan,
                                  enum tpu_mxu_form form, struct diag *d)
{
    struct tpu_values *v = zeroed(1, sizeof *v);
    v->config = config;
    v->hbm = hbm;
    v->trace = trace;
    v->plan = plan;
    if (!make_tensors(v, d)) {
        tpu_values_free(v);
        return NULL;
    }
    make_groups(v);
    find_groups(v);
    make_room(v);
    values_product_new(v);
    if (form == TPU_MXU_EXACT)
        v->exact = values_exact_new(v);
    return v;
}

void tpu_values_free(struct tpu_values *v)
{
    if (!v)
        return;
    for (uint32_t i = 0; v->tensors && i < v->trace->tensor_count; i++) {
        free(v->tensors[i].at);
        free(v->tensors[i].summands);
        free(v->tensors[i].classes);
    }
    values_product_free(v);
    values_exact_free(v->exact);
    values_toggles_free(v);
    free(v->tensors);
    free(v->groups);
    free(v->ops);
    free(v->begins);
    free(v->slots);
    free(v->sums);
    free(v->terms);
    free(v->lanes);
    free(v);
}

void tpu_values_set(struct tpu_values *v, uint32_t tensor, const double *values)
{
    struct values_tensor *x = &v->tensors[tensor];
    enum trace_type type = v->trace->tensors[tensor].type;
    for (uint64_t i = 0; i < x->elements; i++)
        if (x->classes)
            x->classes[i] = (int32_t)values[i];
        else if (x->at)
            x->at[i] = (float)trace_round(values[i], type);
}

bool tpu_values_get(const struct tpu_values *v, uint32_t tensor, double *values)
{
    const struct values_tensor *x = &v->tensors[tensor];
    if (!v->plan->tensors[tensor].kept)
        return false;
    for (uint64_t i = 0; i < x->elements; i++)
        values[i] = x->classes ? x->classes[i] : f32_canonical(x->at[i]);
    return true;
}

/* ---- a step ---- */

/* A part of matrices of the batch, as they are, and where it goes. */
static void transpose(struct tpu_values *v, const struct tpu_uop *u)
{
    const struct tpu_work *w = &u->work;
    const struct trace_op *op = v->groups[v->group].ops[0].op;
    const struct trace_tensor *t = &v->trace->tensors[op->in[0]];
    uint64_t rows = t->shape[t->rank - 2], cols = t->shape[t->rank - 1];
    const float *from = values_place(v, op->in[0]) + w->matrix * rows * cols;
    float *to = values_place(v, op->out[0]) + w->matrix * rows * cols;
    for (uint64_t c = w->col; c < w->col + w->cols; c++) {
        for (uint64_t r = w->row; r < w->row + w->rows; r++)
            to[c * rows + r] = from[r * cols + c];
        values_round(to + c * rows + w->row, to + c * rows + w->row, w->rows,
                     v->trace->tensors[op->out[0]].type);
    }
}

/* The sum is begun by the first core's summand, on all. */
static void begin_sum(struct tpu_values *v, uint32_t tensor)
{
    const struct values_tensor *x = &v->tensors[tensor];
    memcpy(x->at, x->summands, x->elements * sizeof *x->at);
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

struct values_line values_line(const struct tpu_values *v, uint64_t rows, uint64_t cols,
                               uint64_t place)
{
    uint64_t lanes = v->config->vpu.lanes;
    if (rows == 1 || cols == 1)
        return (struct values_line){ place, less(rows * cols, place), UINT64_MAX };
    uint64_t across = (cols + lanes - 1) / lanes, line = place / lanes, lane = place % lanes;
    uint64_t row = line / (TPU_TILE_ROWS * across) * TPU_TILE_ROWS + line % TPU_TILE_ROWS;
    uint64_t col = line / TPU_TILE_ROWS % across * lanes + lane;
    return (struct values_line){ row * cols + col, row < rows ? less(cols, col) : 0, lanes - lane };
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Adds a core's summand to those before; each sum is stored, and rounded. */
static void add_summand(struct tpu_values *v, const struct tpu_uop *u)
{
    const struct tpu_work *w = &u->work;
    const struct tpu_tensor *t = &v->plan->tensors[w->tensor];
    const struct values_tensor *x = &v->tensors[w->tensor];
    enum trace_type type = v->trace->tensors[w->tensor].type;
    unsigned size = trace_type_bytes(type);
    const float *summand = x->summands + w->matrix * x->elements;
    uint64_t end = (w->row + w->rows) / size;
    for (uint64_t place = w->row / size; w->matrix > 0 && place < end; ) {
        struct values_line line = values_line(v, t->rows, t->cols, place);
        uint64_t places = least(line.places, end - place), n = least(line.elements, places);
        for (uint64_t i = line.first; i < line.first + n; i++)
            x->at[i] += summand[i];
        values_round(x->at + line.first, x->at + line.first, n, type);
        place += places;
    }
}

static void execute(struct tpu_values *v, const struct tpu_uop *u, struct toggles *toggles)
{
    enum tpu_group_kind kind = v->plan->groups[v->group].kind;
    switch (u->unit) {
    case TPU_LOAD:
    case TPU_STORE:
        if (toggles && kind != TPU_GROUP_ALL_REDUCE)
            values_toggles_move(v, u, toggles);
        return;
    case TPU_MATRIX:
        values_multiply(v, u, toggles);
        return;
    case TPU_VECTOR:
        if (kind == TPU_GROUP_ALL_REDUCE)
            add_summand(v, u);
        else
            values_vector(v, u);
        return;
    case TPU_TRANSPOSE:         /* operands of products are turned where they are read */
        if (kind == TPU_GROUP_TURN)
            transpose(v, u);
        return;
    case TPU_LINK:
    case TPU_UNITS_COUNT:
        return;
    }
}

/* What a core does for the group under way; `moves`: only count what an all-reduce moved. */
static void run_core(struct tpu_values *v, uint32_t core, bool moves, struct toggles *toggles)
{
    const struct tpu_program *p = v->plan->programs[core];
    const uint32_t *begins = v->begins + (uint64_t)core * (v->plan->group_count + 1) + v->group;
    v->core = core;
    for (uint32_t i = begins[0]; i < begins[1]; i++)
        if (!moves)
            execute(v, &p->uops[i], toggles);
        else if (p->uops[i].unit == TPU_LOAD || p->uops[i].unit == TPU_STORE)
            values_toggles_move(v, &p->uops[i], toggles);
}

static void run_group(struct tpu_values *v, struct toggles *toggles)
{
    const struct tpu_group *g = &v->plan->groups[v->group];
    struct values_group *x = &v->groups[v->group];
    uint32_t cores = x->once ? 1 : v->plan->cores;
    for (uint32_t i = 0; i < x->op_count; i++)
        values_numbers(&x->ops[i], v->before);
    if (g->kind == TPU_GROUP_ALL_REDUCE)
        begin_sum(v, g->tensor);
    for (uint32_t c = 0; c < cores; c++)
        run_core(v, c, false, toggles);
    for (uint32_t c = 0; toggles && g->kind == TPU_GROUP_ALL_REDUCE && c < cores; c++)
        run_core(v, c, true, toggles);
}

/* What one core did for all was moved by each. */
static void add_toggles(struct toggles *sum, const struct toggles *group, uint64_t times)
{
    for (int i = 0; i < TOGGLES_COUNT; i++) {
        sum->of[i].bits += times * group->of[i].bits;
        sum->of[i].changed += times * group->of[i].changed;
    }
}

void tpu_values_step(struct tpu_values *v, uint64_t before, struct toggles *toggles)
{
    v->before = before;
    for (v->group = 0; v->group < v->plan->group_count; v->group++) {
        struct toggles here = { 0 };
        run_group(v, toggles ? &here : NULL);
        if (toggles)
            add_toggles(&toggles[v->group], &here, v->groups[v->group].once ? v->plan->cores : 1);
    }
}
