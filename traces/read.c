/* read.c - the reader and the writer of traces: docs/trace-format.md is their grammar. */
#include <stdlib.h>
#include <string.h>

#include "traces/net.h"
#include "traces/text.h"
#include "traces/trace.h"

#define NEAR 4096       /* names among which the nearest is looked for */

struct reader {
    struct text   text;
    struct trace *trace;
    bool          named;
};

static bool refuse_rest(const struct reader *r, unsigned from)
{
    const struct text_line *l = &r->text.line;
    return from >= l->count ||
           text_refuse(&r->text, from, "'%.40s' is too much; expected the end of the line",
                       l->word[from]);
}

/* name NAME */
static bool read_name(struct reader *r)
{
    if (r->named)
        return text_refuse(&r->text, 0, "a second name; expected one");
    r->named = true;
    return text_name(&r->text, 1, r->trace->name, sizeof r->trace->name) && refuse_rest(r, 2);
}

/* batch N, samples N, epochs N */
static bool read_count(struct reader *r, uint64_t *count)
{
    const char *what = r->text.line.word[0];
    if (*count)
        return text_refuse(&r->text, 0, "a second %s; expected one", what);
    return text_whole(&r->text, 1, 0, what, 1, UINT32_MAX, count) && refuse_rest(r, 2);
}

static bool read_batch(struct reader *r)   { return read_count(r, &r->trace->batch); }
static bool read_samples(struct reader *r) { return read_count(r, &r->trace->samples); }
static bool read_epochs(struct reader *r)  { return read_count(r, &r->trace->epochs); }

/* 256x784 */
static bool read_shape(struct reader *r, unsigned i, struct trace_tensor *x)
{
    const char *p = i < r->text.line.count ? r->text.line.word[i] : "";
    for (x->rank = 0; x->rank < TRACE_RANK; p++) {
        size_t digits = strspn(p, "0123456789");
        if (digits == 0 || digits > 15)
            break;
        x->shape[x->rank++] = strtoull(p, NULL, 10);
        p += digits;
        if (*p == '\0')
            return true;
        if (*p != 'x')
            break;
    }
    return text_refuse(&r->text, i, "no shape; expected 1 to %d sizes like 256x784", TRACE_RANK);
}

/* tensor NAME ROLE TYPE SHAPE */
static bool read_tensor(struct reader *r)
{
    struct trace_tensor x = { .line = r->text.line.number };
    if (!text_name(&r->text, 1, x.name, sizeof x.name))
        return false;
    int role = text_choice(&r->text, 2, "role", trace_role_names, TRACE_ROLES_COUNT);
    if (role < 0)
        return false;
    int type = text_choice(&r->text, 3, "type", trace_type_names, TRACE_TYPES_COUNT);
    if (type < 0 || !read_shape(r, 4, &x) || !refuse_rest(r, 5))
        return false;
    x.role = (enum trace_role)role;
    x.type = (enum trace_type)type;
    return trace_add_tensor(r->trace, &x, r->text.line.column + 1, r->text.diag) != TRACE_NONE;
}

static bool unknown_tensor(struct reader *r, unsigned i)
{
    const char *names[NEAR];
    size_t count = r->trace->tensor_count < NEAR ? r->trace->tensor_count : NEAR;
    const char *word = r->text.line.word[i], *near;
    for (size_t k = 0; k < count; k++)
        names[k] = r->trace->tensors[k].name;
    near = diag_nearest(word, names, count);
    if (near)
        return text_refuse(&r->text, i, "no tensor '%.70s'; did you mean '%s'?", word, near);
    return text_refuse(&r->text, i, "no tensor '%.70s'; expected one defined above", word);
}

/* `count` operands from word `i` on, into `tensors`. */
static bool read_operands(struct reader *r, unsigned i, unsigned count, const char *what,
                          const struct trace_op *op, uint32_t *tensors)
{
    const struct text_line *l = &r->text.line;
    for (unsigned k = 0; k < count; k++) {
        if (i + k >= l->count || strchr(l->word[i + k], '='))
            return text_refuse(&r->text, i + k, "%s has %u %s%s; expected %u",
                               op_rows[op->kind].name, k, what, k == 1 ? "" : "s", count);
        tensors[k] = trace_find(r->trace, l->word[i + k]);
        if (tensors[k] == TRACE_NONE)
            return unknown_tensor(r, i + k);
    }
    return true;
}

enum { TRANSPOSE_A = OP_ATTRIBUTES_COUNT, TRANSPOSE_B, COMPUTE, WORDS_COUNT };

#define NAME(id, name, ...) name,
static const char *const attribute_names[WORDS_COUNT] =
    { OP_ATTRIBUTES(NAME) "transpose_a", "transpose_b", "compute" };

static const char *const op_names[TRACE_OPS_COUNT] = { TRACE_OPS(NAME) };

/* compute=TYPE; no op computes in i32, but that is op_check's to say. */
static bool read_compute(struct reader *r, unsigned i, const char *type, struct trace_op *op)
{
    for (int k = 0; k < TRACE_TYPES_COUNT; k++)
        if (strcmp(type, trace_type_names[k]) == 0) {
            op->compute = (enum trace_type)k;
            return true;
        }
    return text_refuse(&r->text, i, "compute: '%.40s' is no type; expected f32, bf16 or f16", type);
}

/* Which attribute word `i` is; its value begins at `*value`, or is "" for a bare word. */
static int attribute_of(struct reader *r, unsigned i, size_t *value)
{
    const char *word = r->text.line.word[i];
    size_t length = strcspn(word, "=");
    char name[TEXT_LINE + 1];
    const char *one = name;
    memcpy(name, word, length);
    name[length] = '\0';
    *value = length + (word[length] == '=');
    for (int k = 0; k < WORDS_COUNT; k++)
        if (strcmp(one, attribute_names[k]) == 0)
            return k;
    const char *near = diag_nearest(name, attribute_names, WORDS_COUNT);
    text_refuse(&r->text, i, "'%.40s' is no attribute; %s%s", name,
                near ? "did you mean " : "expected the end of the line", near ? near : "");
    return -1;
}

static bool read_attribute(struct reader *r, unsigned i, struct trace_op *op, unsigned *seen)
{
    size_t value;
    const char *word = r->text.line.word[i];
    int a = attribute_of(r, i, &value);
    if (a < 0)
        return false;
    bool flag = a == TRANSPOSE_A || a == TRANSPOSE_B;
    if (*seen >> a & 1)
        return text_refuse(&r->text, i, "%s is given twice; expected once", attribute_names[a]);
    *seen |= 1u << a;
    if (flag != !strchr(word, '='))
        return text_refuse(&r->text, i, "%s takes %s value; expected %s%s", attribute_names[a],
                           flag ? "no" : "a", attribute_names[a], flag ? " alone" : "=...");
    op->transpose_a |= a == TRANSPOSE_A;
    op->transpose_b |= a == TRANSPOSE_B;
    if (a == COMPUTE)
        return read_compute(r, i, word + value, op);
    if (flag)
        return true;
    op->given |= 1u << a;
    return text_number(&r->text, i, value, attribute_names[a], &op->attr[a]);
}

static bool read_attributes(struct reader *r, unsigned from, struct trace_op *op)
{
    unsigned seen = 0;
    bool matmul = op->kind == TRACE_MATMUL;
    for (unsigned i = from; i < r->text.line.count; i++)
        if (!read_attribute(r, i, op, &seen))
            return false;
    if (matmul && !(seen >> COMPUTE & 1))
        return text_refuse(&r->text, r->text.line.count,
                           "matmul is missing its compute type; expected compute=bf16");
    if (!matmul && (seen >> COMPUTE & 1))
        return text_refuse(&r->text, 1, "%s takes no compute type; only matmul does",
                           op_rows[op->kind].name);
    return true;
}

/* PHASE OP OUT... = IN... ATTRIBUTE... */
static bool read_op(struct reader *r, enum trace_phase phase)
{
    int kind = text_choice(&r->text, 1, "op", op_names, TRACE_OPS_COUNT);
    if (kind < 0)
        return false;
    struct trace_op op = { .kind = (enum trace_op_kind)kind, .phase = phase,
                           .line = r->text.line.number,
                           .ins = op_ins(kind), .outs = op_outs(kind) };
    unsigned equals = 2 + op.outs;
    if (!read_operands(r, 2, op.outs, "output", &op, op.out))
        return false;
    if (equals >= r->text.line.count || strcmp(r->text.line.word[equals], "=") != 0)
        return text_refuse(&r->text, equals, "%s has %u output%s; expected '=' and the inputs "
                           "here", op_names[kind], op.outs, op.outs == 1 ? "" : "s");
    if (!read_operands(r, equals + 1, op.ins, "input", &op, op.in) ||
        !read_attributes(r, equals + 1 + op.ins, &op))
        return false;
    unsigned columns[1 + TRACE_OUTS + TRACE_INS] = { r->text.line.column[1] };
    for (unsigned i = 0; i < op.outs; i++)
        columns[1 + i] = r->text.line.column[2 + i];
    for (unsigned i = 0; i < op.ins; i++)
        columns[1 + op.outs + i] = r->text.line.column[equals + 1 + i];
    return trace_add_op(r->trace, &op, columns, r->text.diag);
}

#define HEADERS 5
static const char *const words[HEADERS + TRACE_PHASES_COUNT] =
    { "tensor", "name", "batch", "samples", "epochs", TRACE_PHASES(NAME) };
static bool (*const headers[HEADERS])(struct reader *) =
    { read_tensor, read_name, read_batch, read_samples, read_epochs };

static bool read_line(struct reader *r)
{
    int word = text_choice(&r->text, 0, "line", words, HEADERS + TRACE_PHASES_COUNT);
    if (word < 0)
        return false;
    return word < HEADERS ? headers[word](r) : read_op(r, (enum trace_phase)(word - HEADERS));
}

struct trace *trace_read_memory(const char *text, size_t size, struct diag *d)
{
    struct reader r = { .trace = trace_new("trace") };
    text_init(&r.text, text, size, d);
    bool good = text_first(&r.text, "simaccel-trace");
    while (good && text_next(&r.text))
        good = read_line(&r);
    if (good && !d->text[0] && r.trace->op_count == 0)
        diag_set(d, r.text.number, 1, "there is no op; expected at least one");
    if (!d->text[0])
        return r.trace;
    trace_free(r.trace);
    return NULL;
}

static bool starts(const char *text, size_t size, const char *with)
{
    return size >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

struct trace *trace_load(const char *path, const struct net_options *options, struct diag *d)
{
    static const struct net_options training;
    size_t size;
    char *text = text_load(path, &size, d);
    struct trace *t = NULL;
    if (!text)
        return NULL;
    if (!options)
        options = &training;
    if (starts(text, size, "simaccel-net"))
        t = net_expand_memory(text, size, options, d);
    else if (!starts(text, size, "simaccel-trace"))
        diag_set(d, 1, 1, "neither a trace nor a network; expected a first line "
                 "'simaccel-trace 1' or 'simaccel-net 1'");
    else if (options->inference || options->batch || options->loss_scale > 0)
        diag_set(d, 0, 0, "this is a trace, whose ops and batch are fixed; expected a network");
    else
        t = trace_read_memory(text, size, d);
    free(text);
    return t;
}

static void write_op(const struct trace *t, const struct trace_op *op, FILE *out)
{
    char number[32];
    fprintf(out, "%s %s", trace_phase_names[op->phase], op_rows[op->kind].name);
    for (uint32_t i = 0; i < op->outs; i++)
        fprintf(out, " %s", t->tensors[op->out[i]].name);
    fprintf(out, " =");
    for (uint32_t i = 0; i < op->ins; i++)
        fprintf(out, " %s", t->tensors[op->in[i]].name);
    fprintf(out, "%s%s", op->transpose_a ? " transpose_a" : "",
            op->transpose_b ? " transpose_b" : "");
    if (op->kind == TRACE_MATMUL)
        fprintf(out, " compute=%s", trace_type_names[op->compute]);
    for (unsigned a = 0; a < OP_ATTRIBUTES_COUNT; a++)
        if (op->given >> a & 1) {
            text_print_number(op->attr[a], number, sizeof number);
            fprintf(out, " %s=%s", op_attributes[a].name, number);
        }
    fprintf(out, "\n");
}

void trace_write(const struct trace *t, FILE *out)
{
    const struct { const char *name; uint64_t value; } counts[] =
        { { "batch", t->batch }, { "samples", t->samples }, { "epochs", t->epochs } };
    char shape[128];
    fprintf(out, "simaccel-trace 1\nname %s\n", t->name);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i].value)
            fprintf(out, "%s %llu\n", counts[i].name, (unsigned long long)counts[i].value);
    fprintf(out, "\n");
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const struct trace_tensor *x = &t->tensors[i];
        trace_shape_text(x->rank, x->shape, shape, sizeof shape);
        fprintf(out, "tensor %s %s %s %s\n", x->name, trace_role_names[x->role],
                trace_type_names[x->type], shape);
    }
    fprintf(out, "\n");
    for (uint32_t i = 0; i < t->op_count; i++)
        write_op(t, &t->ops[i], out);
}
