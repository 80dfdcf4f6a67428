/* ops.c - the op table as data, and what follows from a row: checks and costs. */
#include "traces/ops.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "traces/trace.h"

#define A(id) (1u << ATTR_##id)
#define W(...) { __VA_ARGS__ }
#define ROW(id, name, shapes, class, in_place, attributes, element, row, meaning) \
    [TRACE_##id] = { name, shapes, OP_##class, in_place, attributes, element, row, meaning },

const struct op_row op_rows[TRACE_OPS_COUNT] = { TRACE_OPS(ROW) };

#define ATTRIBUTE(id, name, min, max, whole, what) \
    [ATTR_##id] = { name, min, max, whole, what },

const struct op_attribute_row op_attributes[OP_ATTRIBUTES_COUNT] = { OP_ATTRIBUTES(ATTRIBUTE) };

#define NAME(id, name, what) name,
const char *const op_class_names[OP_CLASSES_COUNT] = { OP_CLASSES(NAME) };
const char *const op_work_names[OP_WORKS_COUNT]    = { OP_WORKS(NAME) };

static unsigned operands(const char *from, const char *to)
{
    unsigned n = 1;
    for (; from < to; from++)
        n += *from == ',';
    return n;
}

unsigned op_ins(enum trace_op_kind kind)
{
    const char *p = op_rows[kind].shapes;
    return operands(p, strchr(p, '>'));
}

unsigned op_outs(enum trace_op_kind kind)
{
    const char *p = strchr(op_rows[kind].shapes, '>');
    return operands(p, p + strlen(p));
}

/* What the letters and the star of a pattern stand for, as far as operands have shown. */
struct binding {
    uint64_t letter[26];            /* 0: not known yet */
    uint64_t lead[TRACE_RANK];
    uint32_t lead_rank;
    bool     lead_known;
};

struct shape { uint32_t rank; uint64_t size[TRACE_RANK]; };

static bool match_lead(struct binding *b, const struct shape *s, uint32_t rank)
{
    if (!b->lead_known) {
        b->lead_known = true;
        b->lead_rank  = rank;
        memcpy(b->lead, s->size, rank * sizeof *s->size);
    }
    return b->lead_rank == rank && memcmp(b->lead, s->size, rank * sizeof *s->size) == 0;
}

static bool match_letters(struct binding *b, const char *p, const uint64_t *size, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t *letter = &b->letter[p[i] - 'a'];
        if (*letter == 0)
            *letter = size[i];
        if (*letter != size[i])
            return false;
    }
    return true;
}

static bool is_single(const struct shape *s) { return s->rank == 1 && s->size[0] == 1; }

/* One alternative of `length` characters.  No dimensions at all are written as shape 1. */
static bool match_shape(struct binding *b, const char *p, size_t length, const struct shape *s)
{
    if (*p == '?')
        return true;
    if (*p == '1')
        return is_single(s);
    bool star = *p == '*';
    size_t letters = length - star;
    if (star && letters == 0 && b->lead_known && b->lead_rank == 0)
        return is_single(s);
    if (s->rank < letters || (!star && s->rank != letters))
        return false;
    uint32_t lead = s->rank - (uint32_t)letters;
    return (!star || match_lead(b, s, lead)) &&
           match_letters(b, p + star, s->size + lead, letters);
}

static bool match_type(const char *p, enum trace_type type)
{
    return *p == '?' || (*p == '#') == (type == TRACE_I32);
}

static bool match(struct binding *b, const char *p, const struct shape *s, enum trace_type type)
{
    for (;;) {
        size_t length = strcspn(p, ",/>");
        size_t mark   = *p == '#';
        struct binding trial = *b;
        if (match_type(p, type) && match_shape(&trial, p + mark, length - mark, s)) {
            *b = trial;
            return true;
        }
        if (p[length] != '/')
            return false;
        p += length + 1;
    }
}

/* Text that grows in a buffer and is cut at its end. */
struct text { char *at; size_t room; };

__attribute__((format(printf, 2, 3)))
static void put(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(t->at, t->room, format, arguments);
    va_end(arguments);
    size_t used = (size_t)n < t->room ? (size_t)n : t->room - 1;
    t->at   += used;
    t->room -= used;
}

static void put_size(struct text *t, uint64_t known, char letter, const char *join)
{
    if (known)
        put(t, "%s%llu", join, (unsigned long long)known);
    else
        put(t, "%s%c", join, letter);
}

/* What one alternative wants, in words: "f32, bf16 or f16 of shape 256xn". */
static void put_expected(struct text *t, const struct binding *b, const char *p, bool swapped)
{
    const char *join = "", *type = *p == '#' ? "i32" : "f32, bf16 or f16";
    size_t length;
    put(t, "%s of shape ", type);
    p += *p == '#';
    length = strcspn(p, ",/>");
    if (*p == '*' && !b->lead_known) {
        put(t, "...");
        join = "x";
    }
    for (uint32_t i = 0; *p == '*' && i < b->lead_rank; i++, join = "x")
        put_size(t, b->lead[i], '?', join);
    if (*p == '1' || (length == 1 && *p == '*' && b->lead_known && b->lead_rank == 0))
        put(t, "1");
    for (size_t i = *p == '*' || *p == '1'; i < length; i++, join = "x") {
        bool last_two = swapped && length >= 2 && i + 2 >= length;
        char c = last_two ? p[2 * length - 3 - i] : p[i];
        put_size(t, b->letter[c - 'a'], c, join);
    }
}

static struct shape shape_of(const struct trace_tensor *x, bool swapped)
{
    struct shape s = { .rank = x->rank };
    memcpy(s.size, x->shape, x->rank * sizeof *x->shape);
    if (swapped && s.rank >= 2) {
        uint64_t last = s.size[s.rank - 1];
        s.size[s.rank - 1] = s.size[s.rank - 2];
        s.size[s.rank - 2] = last;
    }
    return s;
}

static void explain(struct text *t, const struct binding *b, const char *p,
                    const struct trace_tensor *x, bool swapped)
{
    char shape[128];
    trace_shape_text(x->rank, x->shape, shape, sizeof shape);
    put(t, "%s is %s of shape %s; expected ", x->name, trace_type_names[x->type], shape);
    for (;;) {
        put_expected(t, b, p, swapped);
        p += strcspn(p, ",/>");
        if (*p++ != '/')
            return;
        put(t, " or ");
    }
}

static bool check_operands(const struct trace *t, const struct trace_op *op,
                           unsigned *operand, struct text *why)
{
    struct binding b = { .lead_known = false };
    const char *p = op_rows[op->kind].shapes;
    for (uint32_t i = 0; i < op->ins + op->outs; i++, p += strcspn(p, ",>") + 1) {
        bool is_in   = i < op->ins;
        bool swapped = (i == 0 && op->transpose_a) || (i == 1 && op->transpose_b);
        const struct trace_tensor *x =
            &t->tensors[is_in ? op->in[i] : op->out[i - op->ins]];
        struct shape s = shape_of(x, swapped);
        if (!match(&b, p, &s, x->type)) {
            *operand = is_in ? 1 + op->outs + i : 1 + i - op->ins;
            explain(why, &b, p, x, swapped);
            return false;
        }
    }
    return true;
}

static bool check_attribute(const struct trace_op *op, unsigned a, struct text *why)
{
    const struct op_attribute_row *row = &op_attributes[a];
    const char *name = op_rows[op->kind].name;
    bool wanted = op_rows[op->kind].attributes >> a & 1, given = op->given >> a & 1;
    double v = op->attr[a];
    if (given && !wanted)
        put(why, "%s takes no %s; expected it left out", name, row->name);
    else if (wanted && !given)
        put(why, "%s is missing its %s; expected %s=%s, %.9g to %.9g", name, row->name,
            row->name, row->whole ? "a whole number" : "a number", row->min, row->max);
    else if (given && !(v >= row->min && v <= row->max && (!row->whole || v == floor(v))))
        put(why, "%s: %.9g is out of range; expected a %snumber, %.9g to %.9g",
            row->name, v, row->whole ? "whole " : "", row->min, row->max);
    else
        return true;
    return false;
}

/* What can be said without looking at operands. */
static bool check_words(const struct trace_op *op, struct text *why)
{
    const char *name = op_rows[op->kind].name;
    bool matmul = op->kind == TRACE_MATMUL;
    for (unsigned a = 0; a < OP_ATTRIBUTES_COUNT; a++)
        if (!check_attribute(op, a, why))
            return false;
    if (!matmul && (op->transpose_a || op->transpose_b))
        put(why, "%s takes no transpose_a or transpose_b; only matmul does", name);
    else if (matmul && op->compute == TRACE_I32)
        put(why, "matmul cannot compute in i32; expected f32, bf16 or f16");
    else
        return true;
    return false;
}

/* What a pattern of shapes cannot say. */
static bool check_sizes(const struct trace *t, const struct trace_op *op, struct text *why)
{
    const struct trace_tensor *x = &t->tensors[op->in[0]], *y = &t->tensors[op->out[0]];
    if (op->kind == TRACE_RESHAPE && (trace_elements(x) != trace_elements(y) || x->type != y->type))
        put(why, "%s and %s differ in type or number of elements; expected a reshape to keep "
            "both", y->name, x->name);
    else if (op->kind == TRACE_MATMUL &&
             trace_elements(y) > TRACE_SUM_MAX / 2 / op_matmul(t, op).k)
        put(why, "matmul does more than 2^60 operations; expected fewer");
    else
        return true;
    return false;
}

bool op_check(const struct trace *t, const struct trace_op *op, unsigned *operand,
              char *why, size_t size)
{
    assert(op->kind < TRACE_OPS_COUNT && size > 0);
    assert(op->ins == op_ins(op->kind) && op->outs == op_outs(op->kind));
    struct text text = { why, size };
    *operand = 0;
    return check_words(op, &text) && check_operands(t, op, operand, &text) &&
           check_sizes(t, op, &text);
}

struct op_matmul op_matmul(const struct trace *t, const struct trace_op *op)
{
    assert(op->kind == TRACE_MATMUL);
    const struct trace_tensor *a = &t->tensors[op->in[0]], *y = &t->tensors[op->out[0]];
    uint64_t m = y->shape[y->rank - 2], n = y->shape[y->rank - 1];
    uint64_t k = a->shape[op->transpose_a ? a->rank - 2 : a->rank - 1];
    return (struct op_matmul){ .batch = trace_elements(y) / (m * n), .m = m, .k = k, .n = n };
}

uint64_t op_work(const struct trace *t, const struct trace_op *op, enum op_work work)
{
    const struct op_row *row = &op_rows[op->kind];
    const struct trace_tensor *x = &t->tensors[op->in[0]];
    return trace_elements(x) * row->element_work[work] + trace_rows(x) * row->row_work[work];
}

uint64_t op_flops(const struct trace *t, const struct trace_op *op)
{
    if (op->kind == TRACE_MATMUL)
        return 2 * trace_elements(&t->tensors[op->out[0]]) * op_matmul(t, op).k;
    uint64_t sum = 0;
    for (unsigned w = 0; w < OP_WORKS_COUNT; w++)
        sum += op_work(t, op, (enum op_work)w);
    return sum;
}

uint64_t op_bytes(const struct trace *t, const struct trace_op *op)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < op->ins; i++)
        sum += trace_bytes(&t->tensors[op->in[i]]);
    for (uint32_t i = 0; i < op->outs; i++)
        sum += trace_bytes(&t->tensors[op->out[i]]);
    return sum;
}
