/* trace.c - a trace while it is built: every tensor and op is checked as it is added. */
#include "traces/trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NAME(id, name, ...) name,
const char *const trace_type_names[TRACE_TYPES_COUNT]   = { TRACE_TYPES(NAME) };
const char *const trace_role_names[TRACE_ROLES_COUNT]   = { TRACE_ROLES(NAME) };
const char *const trace_phase_names[TRACE_PHASES_COUNT] = { TRACE_PHASES(NAME) };

unsigned trace_type_bytes(enum trace_type type)
{
#define BYTES(id, name, bytes) bytes,
    static const unsigned size[] = { TRACE_TYPES(BYTES) };
    return size[type];
}

bool trace_role_given(enum trace_role role)
{
#define GIVEN(id, name, given, what) given,
    static const bool table[] = { TRACE_ROLES(GIVEN) };
    return table[role];
}

uint64_t trace_elements(const struct trace_tensor *tensor)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < tensor->rank; i++)
        n *= tensor->shape[i];
    return n;
}

uint64_t trace_bytes(const struct trace_tensor *tensor)
{
    return trace_elements(tensor) * trace_type_bytes(tensor->type);
}

uint64_t trace_rows(const struct trace_tensor *tensor)
{
    return trace_elements(tensor) / tensor->shape[tensor->rank - 1];
}

void trace_shape_text(uint32_t rank, const uint64_t *shape, char *text, size_t size)
{
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < rank && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%llu", i ? "x" : "",
                              (unsigned long long)shape[i]);
}

static void *grow(void *array, uint32_t count, uint32_t *room, size_t item)
{
    if (count < *room)
        return array;
    *room = *room ? 2 * *room : 16;
    array = reallocarray(array, *room, item);
    if (!array)
        abort();
    return array;
}

struct trace *trace_new(const char *name)
{
    struct trace *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    snprintf(t->name, sizeof t->name, "%s", name);
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    free(t->tensors);
    free(t->ops);
    free(t->index);
    free(t);
}

/* Names are found through an open-addressed table of tensor numbers plus one (0: free),
 * at most half full; FNV-1a spreads them. */
static uint32_t slot_of(const struct trace *t, const char *name)
{
    uint32_t hash = 2166136261u;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    for (uint32_t i = hash;; i++) {
        uint32_t slot = i & (t->index_size - 1), tensor = t->index[slot];
        if (tensor == 0 || strcmp(t->tensors[tensor - 1].name, name) == 0)
            return slot;
    }
}

uint32_t trace_find(const struct trace *t, const char *name)
{
    return t->index_size ? t->index[slot_of(t, name)] - 1 : TRACE_NONE;
}

static void grow_index(struct trace *t)
{
    if (2 * (t->tensor_count + 1) <= t->index_size)
        return;
    t->index_size = t->index_size ? 2 * t->index_size : 64;
    free(t->index);
    t->index = calloc(t->index_size, sizeof *t->index);
    if (!t->index)
        abort();
    for (uint32_t i = 0; i < t->tensor_count; i++)
        t->index[slot_of(t, t->tensors[i].name)] = i + 1;
}

static unsigned column_at(const unsigned *columns, unsigned i)
{
    return columns ? columns[i] : 0;
}

static bool is_name(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char rest[]  = "0123456789.-";
    if (!name[0] || !strchr(first, name[0]))
        return false;
    for (name++; *name; name++)
        if (!strchr(first, *name) && !strchr(rest, *name))
            return false;
    return true;
}

/* Dimensions are at least 1 and the bytes at most TRACE_BYTES_MAX, so that products of
 * a shape fit 64 bits from here on. */
static bool check_shape(const struct trace_tensor *x, unsigned column, struct diag *d)
{
    uint64_t room = TRACE_BYTES_MAX / trace_type_bytes(x->type);
    if (x->rank < 1 || x->rank > TRACE_RANK)
        return diag_set(d, x->line, column, "%s has %u dimensions; expected 1 to %d",
                        x->name, x->rank, TRACE_RANK);
    for (uint32_t i = 0; i < x->rank; i++) {
        if (x->shape[i] == 0)
            return diag_set(d, x->line, column, "dimension %u of %s is 0; expected 1 or more",
                            i + 1, x->name);
        room /= x->shape[i];
        if (room == 0)
            return diag_set(d, x->line, column,
                            "%s has more than 2^43 bytes; expected a smaller shape", x->name);
    }
    return true;
}

uint32_t trace_add_tensor(struct trace *t, const struct trace_tensor *tensor,
                          const unsigned *columns, struct diag *d)
{
    unsigned line = tensor->line, column = column_at(columns, 0);
    uint32_t twin = trace_find(t, tensor->name);
    if (!is_name(tensor->name))
        diag_set(d, line, column, "'%s' is no name; expected a letter, then letters, digits, "
                 "'_', '.' or '-'", tensor->name);
    else if (twin != TRACE_NONE)
        diag_set(d, line, column, "%s is defined twice; expected a new name (the first is in "
                 "line %u)", tensor->name, t->tensors[twin].line);
    else if (t->tensor_count == TRACE_COUNT_MAX)
        diag_set(d, line, column, "more than %u tensors; expected fewer", TRACE_COUNT_MAX);
    else if (check_shape(tensor, column_at(columns, 3), d)) {
        grow_index(t);
        t->tensors = grow(t->tensors, t->tensor_count, &t->tensor_room, sizeof *t->tensors);
        struct trace_tensor *x = &t->tensors[t->tensor_count];
        *x = *tensor;
        x->writer = x->last_use = TRACE_NONE;
        x->reads  = 0;
        t->index[slot_of(t, x->name)] = t->tensor_count + 1;
        return t->tensor_count++;
    }
    return TRACE_NONE;
}

uint32_t trace_tensor(struct trace *t, const char *name, enum trace_role role,
                      enum trace_type type, uint32_t rank, const uint64_t *shape)
{
    struct trace_tensor x = { .role = role, .type = type, .rank = rank };
    struct diag d = { .text = "" };
    assert(rank <= TRACE_RANK && strlen(name) < sizeof x.name);
    snprintf(x.name, sizeof x.name, "%s", name);
    memcpy(x.shape, shape, rank * sizeof *shape);
    uint32_t number = trace_add_tensor(t, &x, NULL, &d);
    assert(number != TRACE_NONE);
    return number;
}

static bool holds_value(const struct trace_tensor *x)
{
    return trace_role_given(x->role) || x->writer != TRACE_NONE;
}

static bool check_in_place(const struct trace *t, const struct trace_op *op, uint32_t i,
                           unsigned column, struct diag *d)
{
    const struct trace_tensor *out = &t->tensors[op->out[i]], *in = &t->tensors[op->in[i]];
    const struct op_row *row = &op_rows[op->kind];
    enum trace_role role = out->role;
    if (out != in)
        return diag_set(d, op->line, column, "%s changes %s in place, not %s; expected the "
                        "same name on both sides", row->name, in->name, out->name);
    if (row->class == OP_OPTIMIZER && role != ROLE_WEIGHT && role != ROLE_STATE)
        return diag_set(d, op->line, column, "%s is a %s; expected a weight or state for %s",
                        out->name, trace_role_names[role], row->name);
    if (row->class != OP_OPTIMIZER && trace_role_given(role))
        return diag_set(d, op->line, column, "%s is a %s; expected something made in this step",
                        out->name, trace_role_names[role]);
    return true;
}

static bool check_output(const struct trace *t, const struct trace_op *op, uint32_t i,
                         unsigned column, struct diag *d)
{
    const struct trace_tensor *out = &t->tensors[op->out[i]];
    for (uint32_t j = 0; j < i; j++)
        if (op->out[j] == op->out[i])
            return diag_set(d, op->line, column, "%s is written twice by one op; expected "
                            "different outputs", out->name);
    if (i < op_rows[op->kind].in_place)
        return check_in_place(t, op, i, column, d);
    if (trace_role_given(out->role))
        return diag_set(d, op->line, column, "%s is a %s and cannot be written; expected a "
                        "gradient, activation, delta or output", out->name,
                        trace_role_names[out->role]);
    if (out->writer != TRACE_NONE)
        return diag_set(d, op->line, column, "%s is written a second time (the first is op %u);"
                        " expected a tensor without a value", out->name, out->writer + 1);
    return true;
}

static bool check_order(const struct trace *t, const struct trace_op *op,
                        const unsigned *columns, struct diag *d)
{
    for (uint32_t i = 0; i < op->ins; i++) {
        const struct trace_tensor *in = &t->tensors[op->in[i]];
        if (!holds_value(in))
            return diag_set(d, op->line, column_at(columns, 1 + op->outs + i),
                            "%s is used before it has a value; expected an op above that "
                            "writes it", in->name);
    }
    for (uint32_t i = 0; i < op->outs; i++)
        if (!check_output(t, op, i, column_at(columns, 1 + i), d))
            return false;
    return true;
}

static bool check_sums(const struct trace *t, const struct trace_op *op, unsigned column,
                       struct diag *d)
{
    if (t->op_count == TRACE_COUNT_MAX)
        return diag_set(d, op->line, column, "more than %u ops; expected fewer", TRACE_COUNT_MAX);
    if (op_flops(t, op) > TRACE_SUM_MAX - t->flops || op_bytes(t, op) > TRACE_SUM_MAX - t->bytes)
        return diag_set(d, op->line, column, "the trace does more than 2^60 operations or moves "
                        "more than 2^60 bytes; expected fewer");
    return true;
}

static void append(struct trace *t, const struct trace_op *op)
{
    t->ops = grow(t->ops, t->op_count, &t->op_room, sizeof *t->ops);
    t->ops[t->op_count] = *op;
    t->flops += op_flops(t, op);
    t->bytes += op_bytes(t, op);
    for (uint32_t i = 0; i < op->ins; i++) {
        t->tensors[op->in[i]].last_use = t->op_count;
        t->tensors[op->in[i]].reads++;
    }
    for (uint32_t i = 0; i < op->outs; i++) {
        struct trace_tensor *x = &t->tensors[op->out[i]];
        x->last_use = t->op_count;
        if (x->writer == TRACE_NONE)
            x->writer = t->op_count;
    }
    t->op_count++;
}

bool trace_add_op(struct trace *t, const struct trace_op *op, const unsigned *columns,
                  struct diag *d)
{
    char why[256];
    unsigned operand;
    if (!check_order(t, op, columns, d))
        return false;
    if (!op_check(t, op, &operand, why, sizeof why))
        return diag_set(d, op->line, column_at(columns, operand), "%s", why);
    if (!check_sums(t, op, column_at(columns, 0), d))
        return false;
    append(t, op);
    return true;
}

bool trace_dead(const struct trace *t, uint32_t tensor)
{
    assert(tensor < t->tensor_count);
    return t->tensors[tensor].reads == 0 && t->tensors[tensor].role != ROLE_OUTPUT;
}
