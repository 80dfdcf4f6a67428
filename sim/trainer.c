/* trainer.c - see trainer.h. */
#include "sim/trainer.h"

#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"

#define SHAPES_MAX 4            /* a whole and a ragged batch, to learn from and to test with */
#define NAME_SIZE (TRAINER_NAME + TRACE_NAME)

/* A batch of one size, to learn from or to test with. */
struct shape {
    uint64_t       rows;
    bool           tests;
    struct trace  *trace;
    struct values *values;
    json_t        *result;              /* of the timed run; NULL: none yet, or never */
    uint32_t       x, y, z, loss;       /* tensors: features, targets, outputs, loss */
    double        *buffer;              /* the outputs */
    uint64_t       version;             /* of the weights that it has */
    struct value_check *check;          /* NULL: not asked for */
    struct numerics   *numerics;        /* the same */
};

struct trainer {
    struct trainer_use use;
    struct data_shape  data;
    bool               classifies;
    struct shape       shapes[SHAPES_MAX];
    unsigned           shape_count;
    struct shape      *latest;          /* that has the weights of now */
    uint64_t           version;         /* of these: one more with each step */
};

struct data_shape trainer_data_shape(const struct net *n)
{
    uint64_t units = n->layers[n->layer_count - 1].units;
    bool labels = n->loss == NET_CROSS_ENTROPY && !n->one_hot;
    return (struct data_shape){ .features = (uint32_t)n->input,
                                .targets = labels ? 1 : (uint32_t)units,
                                .classes = labels ? (uint32_t)units : 0,
                                .shares = n->loss != NET_MEAN_SQUARED_ERROR };
}

/* Whether outputs are compared with the targets: cross entropies. */
static bool classifies(const struct net *n)
{
    return n->loss == NET_CROSS_ENTROPY || n->loss == NET_BINARY_CROSS_ENTROPY;
}

const char *trainer_name(const struct trainer *t)
{
    return t->use.name ? t->use.name
         : t->use.machine ? machine_name(t->use.machine) : TRAINER_REFERENCE;
}

/* ---- shapes ---- */

static bool find_tensors(struct shape *s, struct diag *d)
{
    s->x = trace_find(s->trace, "x");
    for (uint32_t i = 0; i < s->trace->op_count; i++) {
        const struct trace_op *op = &s->trace->ops[i];
        if (op_rows[op->kind].class != OP_LOSS || op->outs != 1
            || s->trace->tensors[op->out[0]].role != ROLE_OUTPUT)
            continue;
        s->loss = op->out[0];
        s->z = op->in[0];
        s->y = op->in[1];
        s->buffer = zeroed(trace_elements(&s->trace->tensors[s->z]), sizeof *s->buffer);
        return true;
    }
    return diag_set(d, 0, 0, "the network has no loss; expected one to learn from");
}

static void close_shape(struct shape *s)
{
    numerics_free(s->numerics);
    value_check_free(s->check);
    values_free(s->values);
    trace_free(s->trace);
    json_decref(s->result);
    free(s->buffer);
    *s = (struct shape){ 0 };
}

static bool open_shape(const struct trainer *t, struct shape *s, struct diag *d)
{
    struct net_options expand = t->use.expand;
    expand.batch = s->rows;
    expand.evaluate = s->tests;
    s->trace = net_expand(t->use.net, &expand, d);
    if (!s->trace || !find_tensors(s, d))
        return false;
    struct values_use use = { .machine = t->use.machine, .trace = s->trace,
                              .lower = t->use.options->lower, .exact = t->use.options->exact };
    s->values = values_new(&use, d);
    if (s->values && t->use.check && t->use.machine && !s->tests)
        s->check = value_check_new(s->values);
    if (s->values && t->use.probe && t->use.machine && !s->tests) {
        s->numerics = numerics_new(t->use.net, &expand, s->values, d);
        return s->numerics != NULL;
    }
    return s->values != NULL;
}

static bool time_shape(const struct trainer *t, struct shape *s, struct diag *d)
{
    int status = 0;
    if (!t->use.machine || s->tests || s->result)
        return true;
    struct experiment e = run_options_experiment(t->use.options, t->use.machine);
    e.trace = s->trace;
    e.exact = false;                    /* the same cycles in less time */
    e.progress = t->use.progress;
    s->result = experiment_run(&e, d, &status);
    return s->result != NULL;
}

static bool kept(const struct trace_tensor *x)
{
    return x->role == ROLE_WEIGHT || x->role == ROLE_STATE;
}

/* Weights and state go over as doubles, which hold every type exactly. */
static void carry(const struct shape *from, struct shape *to)
{
    for (uint32_t i = 0; i < to->trace->tensor_count; i++) {
        const struct trace_tensor *x = &to->trace->tensors[i];
        if (!kept(x))
            continue;
        double *values = zeroed(trace_elements(x), sizeof *values);
        bool known = values_get(from->values, trace_find(from->trace, x->name), values);
        (void)known;                    /* given tensors have a place on every machine */
        values_set(to->values, i, values);
        free(values);
    }
}

static struct shape *add_shape(struct trainer *t, uint64_t rows, bool tests, struct diag *d)
{
    struct shape *s = &t->shapes[t->shape_count];
    *s = (struct shape){ .rows = rows, .tests = tests };
    if (!open_shape(t, s, d) || !time_shape(t, s, d)) {
        close_shape(s);
        return NULL;
    }
    t->shape_count++;
    return s;
}

/* The shape for so many rows, with the weights of now; NULL with the reason in `d`. */
static struct shape *shape_of(struct trainer *t, uint64_t rows, bool tests, struct diag *d)
{
    struct shape *s = NULL;
    for (unsigned i = 0; i < t->shape_count && !s; i++)
        if (t->shapes[i].rows == rows && t->shapes[i].tests == tests)
            s = &t->shapes[i];
    if (!s)
        s = add_shape(t, rows, tests, d);
    if (s && t->latest && s->version != t->version)
        carry(t->latest, s);
    if (s)
        s->version = t->version;
    if (s && !tests)
        t->latest = s;
    return s;
}

struct trainer *trainer_new(const struct trainer_use *use, struct diag *d)
{
    struct trainer *t = zeroed(1, sizeof *t);
    t->use = *use;
    t->data = trainer_data_shape(use->net);
    t->classifies = classifies(use->net);
    if (shape_of(t, use->expand.batch, false, d)) {
        values_fill(t->latest->values, use->seed);
        return t;
    }
    trainer_free(t);
    return NULL;
}

void trainer_free(struct trainer *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->shape_count; i++)
        close_shape(&t->shapes[i]);
    free(t);
}

/* ---- steps ---- */

/* A class is the place of the largest number, the first of equals. */
static uint64_t class_of(const double *row, uint64_t n)
{
    uint64_t best = 0;
    for (uint64_t j = 1; j < n; j++)
        if (row[j] > row[best])
            best = j;
    return best;
}

/* As Keras counts: a row whose class is right; of a yes or no, an output above one half that
 * equals its target, so that a fractional target is never met. */
static void judge(const struct trainer *t, const struct shape *s, const double *y,
                  struct trainer_step *r)
{
    uint64_t n = t->data.classes ? t->data.classes : t->data.targets;
    if (!t->classifies)
        return;
    bool rows = t->use.net->loss == NET_CROSS_ENTROPY;
    r->judged += rows ? s->rows : s->rows * n;
    for (uint64_t i = 0; i < s->rows && rows; i++) {
        uint64_t target = t->data.classes ? (uint64_t)y[i] : class_of(y + i * n, n);
        r->right += class_of(s->buffer + i * n, n) == target;
    }
    for (uint64_t i = 0; i < s->rows * n && !rows; i++)
        r->right += (s->buffer[i] > 0) == y[i];
}

static bool run_shape(struct shape *s, const double *x, const double *y, uint64_t before,
                      bool probe, struct diag *d)
{
    values_set(s->values, s->x, x);
    values_set(s->values, s->y, y);
    if (s->numerics && probe)
        numerics_before(s->numerics);
    if (s->check)
        value_check_before(s->check);
    if (!values_step(s->values, before, NULL, d))
        return false;
    return !s->check || value_check_after(s->check, before, d);
}

static double loss_of(const struct shape *s)
{
    double loss = 0;
    values_get(s->values, s->loss, &loss);
    return loss;
}

static void judge_outputs(const struct trainer *t, const struct shape *s, const double *y,
                          struct trainer_step *r)
{
    if (values_get(s->values, s->z, s->buffer))
        judge(t, s, y, r);
}

static double result_number(const struct shape *s, const char *key)
{
    return json_number_value(json_object_get(s->result, key));
}

bool trainer_step(struct trainer *t, uint64_t rows, const double *x, const double *y,
                  uint64_t before, bool probe, struct trainer_step *r, struct diag *d)
{
    struct shape *s = shape_of(t, rows, false, d);
    *r = (struct trainer_step){ 0 };
    if (!s || !run_shape(s, x, y, before, probe, d))
        return false;
    r->gradients = s->numerics && probe ? numerics_after(s->numerics) : NULL;
    s->version = ++t->version;
    r->loss = loss_of(s);
    r->worst = s->check ? value_check_worst(s->check) : 0;
    r->time_s = result_number(s, "time_s");
    r->energy_j = result_number(s, "energy_j");
    judge_outputs(t, s, y, r);
    return true;
}

bool trainer_test(struct trainer *t, const struct data *set, struct trainer_step *r,
                  struct diag *d)
{
    *r = (struct trainer_step){ 0 };
    for (uint64_t first = 0; first < set->rows; ) {
        uint64_t left = set->rows - first;
        uint64_t rows = left < t->use.expand.batch ? left : t->use.expand.batch;
        const double *x = set->x + first * set->shape.features;
        const double *y = set->t + first * set->shape.targets;
        struct shape *s = shape_of(t, rows, true, d);
        if (!s || !run_shape(s, x, y, 0, false, d))
            return false;
        r->loss += loss_of(s) * (double)rows / (double)set->rows;
        judge_outputs(t, s, y, r);
        first += rows;
    }
    return true;
}

/* ---- as it stands ---- */

static void name_array(const struct trainer *t, const struct trace_tensor *x, char *name,
                       size_t size)
{
    snprintf(name, size, "%s/%s", trainer_name(t), x->name);
}

void trainer_save(const struct trainer *t, struct checkpoint *c)
{
    const struct trace *trace = t->latest->trace;
    char name[NAME_SIZE];
    for (uint32_t i = 0; i < trace->tensor_count; i++) {
        const struct trace_tensor *x = &trace->tensors[i];
        double *values = kept(x) ? zeroed(trace_elements(x), sizeof *values) : NULL;
        if (values && values_get(t->latest->values, i, values)) {
            name_array(t, x, name, sizeof name);
            checkpoint_add(c, name, values, trace_elements(x));
        }
        free(values);
    }
}

bool trainer_load(struct trainer *t, const struct checkpoint *c, struct diag *d)
{
    const struct trace *trace = t->latest->trace;
    char name[NAME_SIZE];
    for (uint32_t i = 0; i < trace->tensor_count; i++) {
        const struct trace_tensor *x = &trace->tensors[i];
        if (!kept(x))
            continue;
        name_array(t, x, name, sizeof name);
        const double *values = checkpoint_find(c, name, trace_elements(x), d);
        if (!values)
            return false;
        values_set(t->latest->values, i, values);
    }
    t->latest->version = ++t->version;
    return true;
}

void trainer_write_trace(const struct trainer *t, FILE *out)
{
    trace_write(t->shapes[0].trace, out);
}

json_t *trainer_settings(const struct trainer *t)
{
    const struct run_options *o = t->use.options;
    json_t *figures = t->use.machine ? machine_json(t->use.machine) : json_null();
    return json_pack("{s:o, s:i, s:b, s:b, s:b, s:f}", "figures", figures,
                     "cores", (int)o->lower.cores, "highest", o->lower.highest,
                     "overlap", o->lower.overlap, "sample", o->sample, "clock_mhz", o->clock_mhz);
}

json_t *trainer_shapes(const struct trainer *t)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < t->shape_count; i++)
        if (t->shapes[i].result)
            json_array_append_new(all, json_pack("{s:I, s:O}", "batch",
                                                 (json_int_t)t->shapes[i].rows, "result",
                                                 t->shapes[i].result));
    return all;
}
