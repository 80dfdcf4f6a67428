/* fuse.c - which rows of what are on which core, and which ops go together. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/tpu/lower_parts.h"

#define GROUPS_MAX 65000        /* a message's group has 16 bits; an op adds a few at most */

/* The tensor whose elements an op goes over. */
static uint32_t iterated(const struct trace_op *op)
{
    return op->in[0];
}

static const struct op_row *row_of(const struct trace_op *op)
{
    return &op_rows[op->kind];
}

static bool refuse(struct lower *l, const struct trace_op *op, const char *why)
{
    return diag_set(l->diag, op->line, op->line ? 1 : 0, "%s %s: %s", row_of(op)->name,
                    l->trace->tensors[op->out[0]].name, why);
}

static uint64_t batch_of(const struct trace *t)
{
    if (t->batch)
        return t->batch;
    for (uint32_t i = 0; i < t->tensor_count; i++)
        if (t->tensors[i].role == ROLE_INPUT)
            return t->tensors[i].shape[0];
    return 0;
}

/* Tensors that hold something when the step begins. */
static void share_given(struct lower *l)
{
    for (uint32_t i = 0; i < l->trace->tensor_count; i++) {
        const struct trace_tensor *t = &l->trace->tensors[i];
        bool data = t->role == ROLE_INPUT || t->role == ROLE_TARGET;
        l->tensors[i].share = l->options.cores > 1 && data && t->shape[0] == l->batch
                            ? SHARE_ROWS : SHARE_WHOLE;
    }
}

static void shape_tensor(struct lower *l, uint32_t tensor)
{
    const struct trace_tensor *t = &l->trace->tensors[tensor];
    struct lower_tensor *x = &l->tensors[tensor];
    bool column = t->rank == 1 && x->share == SHARE_ROWS;
    x->cols = column ? 1 : t->shape[t->rank - 1];
    x->rows = trace_elements(t) / x->cols;
    x->first = x->maker = UINT32_MAX;
}

/* What sums over rows that are elsewhere is partial. */
static bool share_matmul(struct lower *l, const struct trace_op *op, enum lower_share *out)
{
    enum lower_share a = l->tensors[op->in[0]].share, b = l->tensors[op->in[1]].share;
    bool batched = l->trace->tensors[op->in[0]].rank > 2;
    *out = a;
    if (batched) {
        if (a != b)
            return refuse(l, op, "one operand is shared over cores and the other is not; "
                                 "expected both, or --cores 1");
    } else if (a == SHARE_ROWS && op->transpose_a) {
        *out = SHARE_PARTIAL;
        if (b != SHARE_ROWS || op->transpose_b)
            return refuse(l, op, "sums over the rows of one operand alone, which are shared "
                                 "over cores; expected --cores 1");
    } else if (b == SHARE_ROWS) {
        return refuse(l, op, "the right operand's rows are shared over cores; expected "
                             "--cores 1");
    }
    return true;
}

/* Operands that have the same rows must have them on the same cores; what every row needs,
 * like a bias, must be on all. */
static bool rows_meet(struct lower *l, const struct trace_op *op)
{
    const char *pattern = row_of(op)->shapes;
    for (uint32_t i = 0; i < op->ins; i++, pattern += strcspn(pattern, ",>") + 1)
        if (l->tensors[op->in[i]].share != (pattern[0] == 'n' ? SHARE_WHOLE
                                                              : l->tensors[op->in[0]].share))
            return refuse(l, op, "the rows of one operand are shared over cores and those of "
                                 "another are not; expected both, or --cores 1");
    return true;
}

/* A transpose within each row of the batch, and a reshape of it, leave the batch alone. */
static bool moves_rows(const struct lower *l, const struct trace_op *op)
{
    const struct trace_tensor *x = &l->trace->tensors[op->in[0]];
    const struct trace_tensor *y = &l->trace->tensors[op->out[0]];
    return (op->kind == TRACE_TRANSPOSE && x->rank <= 2)
        || (op->kind == TRACE_RESHAPE && x->shape[0] != y->shape[0]);
}

/* What takes all of a row at once cannot have it on several cores. */
static bool splits_row(const struct lower *l, const struct trace_op *op)
{
    const struct trace_tensor *x = &l->trace->tensors[op->in[0]];
    return x->rank == 1 && l->tensors[op->in[0]].share == SHARE_ROWS && op->kind != TRACE_BIAS
        && strncmp(row_of(op)->shapes, "*n", 2) == 0;
}

static bool share_op(struct lower *l, const struct trace_op *op)
{
    enum op_class class = row_of(op)->class;
    enum lower_share out = l->tensors[op->in[0]].share;
    if (class == OP_MATMUL ? !share_matmul(l, op, &out) : !rows_meet(l, op))
        return false;
    if (out == SHARE_ROWS && (class == OP_REDUCE || class == OP_LOSS))
        out = SHARE_PARTIAL;
    if (class != OP_MATMUL && splits_row(l, op))
        return refuse(l, op, "takes a row that is shared over cores; expected --cores 1");
    if (out == SHARE_ROWS && moves_rows(l, op))
        return refuse(l, op, "moves rows that are shared over cores; expected --cores 1");
    if (class != OP_OPTIMIZER && class != OP_COLLECTIVE)
        for (uint32_t i = 0; i < op->outs; i++)
            l->tensors[op->out[i]].share = out;
    return true;
}

/* Groups so far, and what the last of them made and read. */
struct fusing {
    struct lower *lower;
    uint32_t      room;
    uint32_t     *made_by;      /* [tensors]: group, UINT32_MAX: given */
    uint32_t     *read_by;      /* [tensors]: last group */
};

static struct tpu_group *last_group(struct fusing *f)
{
    struct tpu_plan *p = f->lower->plan;
    return p->group_count ? &p->groups[p->group_count - 1] : NULL;
}

static struct tpu_group *new_group(struct fusing *f, enum tpu_group_kind kind,
                                   enum trace_phase phase)
{
    struct tpu_plan *p = f->lower->plan;
    if (p->group_count == f->room) {
        f->room = f->room ? f->room * 2 : 32;
        p->groups = realloc(p->groups, f->room * sizeof p->groups[0]);
        if (!p->groups)
            abort();
    }
    struct tpu_group *g = &p->groups[p->group_count++];
    memset(g, 0, sizeof *g);
    g->kind = kind;
    g->phase = phase;
    return g;
}

static bool same_shape(const struct lower *l, uint32_t a, uint32_t b)
{
    return l->tensors[a].rows == l->tensors[b].rows && l->tensors[a].cols == l->tensors[b].cols
        && l->tensors[a].share == l->tensors[b].share;
}

static bool touches(const struct fusing *f, const struct trace_op *op, bool made_only)
{
    uint32_t group = f->lower->plan->group_count - 1;
    for (uint32_t i = 0; i < op->ins; i++)
        if (f->made_by[op->in[i]] == group || (!made_only && f->read_by[op->in[i]] == group))
            return true;
    return false;
}

/* What a group goes over: the result of its matmul, or the first input of its first op. */
static uint32_t group_shape(const struct lower *l, const struct tpu_group *g)
{
    const struct trace_op *op = &l->trace->ops[g->ops[0]];
    return g->kind == TPU_GROUP_MATMUL ? op->out[0] : iterated(op);
}

/* Whether an op reads what the last group has only at its end: a sum, or the numbers of its
 * rows as factors of columns. */
static bool waits_for_end(const struct fusing *f, const struct trace_op *op)
{
    const struct trace *t = f->lower->trace;
    const char *pattern = row_of(op)->shapes;
    for (uint32_t i = 0; i < op->ins; i++, pattern += strcspn(pattern, ",>") + 1) {
        uint32_t writer = t->tensors[op->in[i]].writer;
        if (f->made_by[op->in[i]] != f->lower->plan->group_count - 1 || writer == TRACE_NONE)
            continue;
        enum op_class class = op_rows[t->ops[writer].kind].class;
        if (class == OP_REDUCE || class == OP_LOSS
            || (pattern[0] == 'n' && f->lower->tensors[iterated(op)].rows > 1))
            return true;
    }
    return false;
}

static bool joins(struct fusing *f, const struct trace_op *op)
{
    const struct lower *l = f->lower;
    const struct tpu_group *g = last_group(f);
    enum op_class class = row_of(op)->class;
    bool element = class == OP_ELEMENTWISE || op->kind == TRACE_CAST;
    if (!g || (g->kind != TPU_GROUP_MATMUL && g->kind != TPU_GROUP_VECTOR))
        return false;
    if (!element && (g->kind == TPU_GROUP_MATMUL
                     || (class != OP_ROW && class != OP_REDUCE && class != OP_LOSS)))
        return false;
    if (row_of(&l->trace->ops[g->ops[0]])->class == OP_OPTIMIZER)
        return false;
    return same_shape(l, group_shape(l, g), iterated(op)) && !waits_for_end(f, op)
        && touches(f, op, g->kind == TPU_GROUP_MATMUL);
}

static void note(struct fusing *f, const struct trace_op *op)
{
    uint32_t group = f->lower->plan->group_count - 1;
    for (uint32_t i = 0; i < op->ins; i++)
        f->read_by[op->in[i]] = group;
    for (uint32_t i = 0; i < op->outs; i++)
        f->made_by[op->out[i]] = group;
}

static void append(struct fusing *f, struct tpu_group *g, uint32_t index)
{
    const struct lower *l = f->lower;
    const struct trace_op *op = &l->trace->ops[index];
    g->ops = realloc(g->ops, (g->op_count + 1) * sizeof g->ops[0]);
    if (!g->ops)
        abort();
    g->ops[g->op_count++] = index;
    size_t used = strlen(g->name);
    if (g->op_count == 1)
        snprintf(g->name, sizeof g->name, "%s = %s", l->trace->tensors[op->out[0]].name,
                 row_of(op)->name);
    else
        snprintf(g->name + used, sizeof g->name - used, " + %s", row_of(op)->name);
    g->flops += op_flops(l->trace, op);
    note(f, op);
}

/* A matmul on operands that every core has whole is done by every core. */
static uint64_t macs_of(const struct lower *l, const struct trace_op *op)
{
    struct op_matmul m = op_matmul(l->trace, op);
    bool f32 = l->trace->tensors[op->in[0]].type == TRACE_F32
            || l->trace->tensors[op->in[1]].type == TRACE_F32;
    uint64_t macs = m.batch * m.m * m.k * m.n * (l->options.highest && f32 ? 6 : 1);
    bool whole = l->tensors[op->in[0]].share == SHARE_WHOLE;
    return whole ? macs * l->options.cores : macs;
}

static void begin_group(struct fusing *f, uint32_t index)
{
    const struct trace_op *op = &f->lower->trace->ops[index];
    enum op_class class = row_of(op)->class;
    enum tpu_group_kind kind = class == OP_MATMUL ? TPU_GROUP_MATMUL
        : op->kind == TRACE_TRANSPOSE ? TPU_GROUP_TURN : TPU_GROUP_VECTOR;
    struct tpu_group *g = new_group(f, kind, op->phase);
    append(f, g, index);
    if (class == OP_MATMUL)
        g->macs = macs_of(f->lower, op);
}

/* Partial sums of the last group become sums before anybody reads them. */
static void reduce_partial(struct fusing *f, const struct trace_op *op)
{
    struct lower *l = f->lower;
    for (uint32_t i = 0; i < op->ins; i++) {
        struct lower_tensor *x = &l->tensors[op->in[i]];
        if (x->share != SHARE_PARTIAL)
            continue;
        struct tpu_group *g = new_group(f, TPU_GROUP_ALL_REDUCE, PHASE_COMMUNICATE);
        g->tensor = op->in[i];
        snprintf(g->name, sizeof g->name, "%s = all_reduce", l->trace->tensors[op->in[i]].name);
        x->share = SHARE_WHOLE;
        x->summed = true;
        f->made_by[op->in[i]] = l->plan->group_count - 1;
    }
}

/* What nothing reads is still a result; sums of it are made at the end. */
static void reduce_results(struct fusing *f)
{
    for (uint32_t i = 0; i < f->lower->trace->tensor_count; i++) {
        struct trace_op as_if = { .ins = 1, .in = { i } };
        if (f->made_by[i] != UINT32_MAX)
            reduce_partial(f, &as_if);
    }
}

static bool add_op(struct fusing *f, uint32_t index)
{
    struct lower *l = f->lower;
    const struct trace_op *op = &l->trace->ops[index];
    if (l->plan->group_count >= GROUPS_MAX)
        return refuse(l, op, "the trace becomes more than 65000 groups of ops; expected fewer");
    reduce_partial(f, op);
    if (row_of(op)->class == OP_COLLECTIVE)
        return true;                    /* one device: the sum over replicas is itself */
    if (!share_op(l, op))
        return false;
    for (uint32_t i = 0; i < op->outs; i++)
        shape_tensor(l, op->out[i]);
    if (joins(f, op))
        append(f, last_group(f), index);
    else
        begin_group(f, index);
    return true;
}

static void use(struct lower_tensor *t, uint32_t group)
{
    if (t->first == UINT32_MAX)
        t->first = group;
    if (group != t->first)
        t->used = true;
    t->last = group;
}

/* From the group that makes a tensor to the last that reads it. */
static void find_lives(struct lower *l)
{
    for (uint32_t g = 0; g < l->plan->group_count; g++) {
        const struct tpu_group *group = &l->plan->groups[g];
        for (uint32_t o = 0; o < group->op_count; o++) {
            const struct trace_op *op = &l->trace->ops[group->ops[o]];
            for (uint32_t i = 0; i < op->ins; i++)
                use(&l->tensors[op->in[i]], g);
            for (uint32_t i = 0; i < op->outs; i++) {
                use(&l->tensors[op->out[i]], g);
                l->tensors[op->out[i]].maker = g;
            }
        }
        if (group->kind == TPU_GROUP_ALL_REDUCE) {
            use(&l->tensors[group->tensor], g);
            l->tensors[group->tensor].summand_maker = l->tensors[group->tensor].maker;
            l->tensors[group->tensor].maker = g;
        }
    }
    for (uint32_t i = 0; i < l->trace->tensor_count; i++)
        if (trace_role_given(l->trace->tensors[i].role)
            || l->trace->tensors[i].role == ROLE_OUTPUT
            || l->trace->tensors[i].reads == 0)
            l->tensors[i].used = true;
}

bool lower_fuse(struct lower *l)
{
    size_t size = (l->trace->tensor_count + 1) * sizeof(uint32_t);
    struct fusing f = { .lower = l, .made_by = malloc(size), .read_by = malloc(size) };
    if (!f.made_by || !f.read_by)
        abort();
    memset(f.made_by, 0xff, size);
    memset(f.read_by, 0xff, size);
    l->batch = batch_of(l->trace);
    share_given(l);
    for (uint32_t i = 0; i < l->trace->tensor_count; i++)
        shape_tensor(l, i);
    bool ok = true;
    for (uint32_t i = 0; ok && i < l->trace->op_count; i++)
        ok = add_op(&f, i);
    if (ok)
        reduce_results(&f);
    free(f.made_by);
    free(f.read_by);
    if (ok)
        find_lives(l);
    return ok;
}
