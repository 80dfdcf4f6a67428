/* train.c - see train.h. */
#include "sim/train.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "models/zeroed.h"
#include "sim/report_field.h"
#include "sim/result_parts.h"

/* What an epoch has come to so far on one machine, and the whole run. */
struct sums {
    double   loss;                      /* x samples */
    uint64_t samples, right, judged;
    double   worst;
    double   time_s, energy_j;          /* of the run */
};

struct train {
    struct train_use use;
    uint64_t    step, epoch_steps;      /* steps done */
    uint32_t   *order;                  /* of the samples in this epoch */
    double     *x, *y;                  /* a batch */
    struct sums sums[TRAIN_MACHINES_MAX];
    json_t     *rows, *numerics;
};

uint64_t train_epoch_steps(uint64_t samples, uint64_t batch)
{
    return (samples + batch - 1) / batch;
}

struct train *train_new(const struct train_use *use)
{
    struct train *t = zeroed(1, sizeof *t);
    t->use = *use;
    t->epoch_steps = train_epoch_steps(use->data->rows, use->batch);
    t->order = zeroed(use->data->rows, sizeof *t->order);
    t->x = zeroed(use->batch * use->data->shape.features, sizeof *t->x);
    t->y = zeroed(use->batch * use->data->shape.targets, sizeof *t->y);
    t->rows = json_array();
    t->numerics = json_array();
    return t;
}

void train_free(struct train *t)
{
    if (!t)
        return;
    free(t->order);
    free(t->x);
    free(t->y);
    json_decref(t->rows);
    json_decref(t->numerics);
    free(t);
}

/* ---- rows ---- */

static void add_share(json_t *row, const char *key, uint64_t right, uint64_t judged)
{
    if (judged > 0)
        json_object_set_new(row, key, json_real((double)right / (double)judged));
}

static json_t *new_row(const struct train *t, unsigned machine, double loss, uint64_t right,
                       uint64_t judged)
{
    const struct sums *s = &t->sums[machine];
    json_t *row = json_pack("{s:s, s:I, s:I, s:o}", "machine",
                            trainer_name(t->use.trainers[machine]), "epoch",
                            (json_int_t)((t->step + t->epoch_steps - 1) / t->epoch_steps),
                            "step", (json_int_t)t->step, "loss", report_finite(loss));
    add_share(row, "accuracy", right, judged);
    if (t->use.machines[machine]) {
        json_object_set_new(row, "time_s", json_real(s->time_s));
        json_object_set_new(row, "energy_j", json_real(s->energy_j));
        if (t->use.checks)
            json_object_set_new(row, "worst", json_real(s->worst));
    }
    return row;
}

static bool ends_epoch(const struct train *t)
{
    return t->step % t->epoch_steps == 0 || t->step == t->use.steps;
}

static bool add_test(const struct train *t, unsigned machine, json_t *row, struct diag *d)
{
    struct trainer_step r;
    if (!t->use.test || !ends_epoch(t))
        return true;
    if (!trainer_test(t->use.trainers[machine], t->use.test, &r, d))
        return false;
    json_object_set_new(row, "test_loss", report_finite(r.loss));
    add_share(row, "test_accuracy", r.right, r.judged);
    return true;
}

/* The row of one machine after a step, if there is to be one. */
static bool end_step(struct train *t, unsigned machine, const struct trainer_step *r,
                     uint64_t samples, struct diag *d)
{
    struct sums *s = &t->sums[machine];
    bool ends = ends_epoch(t);
    s->loss += r->loss * (double)samples;
    s->samples += samples;
    s->right += r->right;
    s->judged += r->judged;
    s->worst = r->worst > s->worst ? r->worst : s->worst;
    s->time_s += r->time_s;
    s->energy_j += r->energy_j;
    if (ends || t->use.every_step) {
        json_t *row = t->use.every_step
                    ? new_row(t, machine, r->loss, r->right, r->judged)
                    : new_row(t, machine, s->loss / (double)s->samples, s->right, s->judged);
        json_array_append_new(t->rows, row);
        if (!add_test(t, machine, row, d))
            return false;
        if (t->use.row)
            t->use.row(row, t->use.row_arg);
    }
    if (t->step % t->epoch_steps == 0)
        *s = (struct sums){ .time_s = s->time_s, .energy_j = s->energy_j };
    return true;
}

/* ---- steps ---- */

static void progress(const struct train *t)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\rstep %" PRIu64 " of %" PRIu64 "\033[K\r", t->step, t->use.steps);
}

static void begin_epoch(struct train *t)
{
    if (t->use.shuffles)
        data_order(t->use.seed, t->step / t->epoch_steps, t->use.data->rows, t->order);
    else
        for (uint64_t i = 0; i < t->use.data->rows; i++)
            t->order[i] = (uint32_t)i;
}

static void add_gradients(struct train *t, unsigned machine, json_t *gradients)
{
    if (gradients)
        json_array_append_new(t->numerics, json_pack("{s:s, s:I, s:o}", "machine",
            trainer_name(t->use.trainers[machine]), "step", (json_int_t)t->step,
            "tensors", gradients));
}

static bool one_step(struct train *t, struct diag *d)
{
    uint64_t first = t->step % t->epoch_steps * t->use.batch;
    uint64_t left = t->use.data->rows - first;
    uint64_t samples = left < t->use.batch ? left : t->use.batch, before = t->step;
    data_batch(t->use.data, t->order, first, samples, t->x, t->y);
    t->step++;
    for (unsigned i = 0; i < t->use.count; i++) {
        struct trainer_step r;
        bool probe = t->use.probes && (before == 0 || ends_epoch(t));
        if (!trainer_step(t->use.trainers[i], samples, t->x, t->y, before, probe, &r, d))
            return false;
        add_gradients(t, i, r.gradients);
        if (!end_step(t, i, &r, samples, d))
            return false;
    }
    progress(t);
    return true;
}

/* ---- checkpoints ---- */

static uint32_t sum_of(const void *bytes, uint64_t size, uint32_t sum)
{
    const unsigned char *at = bytes;
    for (; size > 0; ) {
        unsigned part = size > 1u << 30 ? 1u << 30 : (unsigned)size;
        sum = (uint32_t)crc32(sum, at, part);
        at += part;
        size -= part;
    }
    return sum;
}

/* 0: there is none. */
static json_int_t data_sum(const struct data *s)
{
    if (!s)
        return 0;
    uint32_t sum = sum_of(s->x, s->rows * s->shape.features * sizeof *s->x, 0);
    return sum_of(s->t, s->rows * s->shape.targets * sizeof *s->t, sum);
}

/* Of the trace of a step: what changes that changes the run. */
static json_int_t net_sum(const struct train *t)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    trainer_write_trace(t->use.trainers[0], out);
    fclose(out);
    uint32_t sum = sum_of(text, size, 0);
    free(text);
    return sum;
}

static json_int_t settings_sum(const struct trainer *t)
{
    json_t *o = trainer_settings(t);
    char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (!text)
        abort();
    uint32_t sum = sum_of(text, strlen(text), 0);
    free(text);
    json_decref(o);
    return sum;
}

/* What must be the same for a run to go on. */
static json_t *identity(const struct train *t)
{
    json_t *machines = json_array();            /* in order: so are sums and rows */
    for (unsigned i = 0; i < t->use.count; i++)
        json_array_append_new(machines, json_pack("[s, I]", trainer_name(t->use.trainers[i]),
                                                  settings_sum(t->use.trainers[i])));
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o}", "network",
                     t->use.net->name, "network_sum", net_sum(t),
                     "data_sum", data_sum(t->use.data), "test_sum", data_sum(t->use.test),
                     "seed", (json_int_t)t->use.seed, "batch", (json_int_t)t->use.batch,
                     "shuffles", t->use.shuffles, "every_step", t->use.every_step,
                     "machines", machines);
}

static json_t *sums_json(const struct sums *s)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:f, s:f, s:f}", "loss", report_finite(s->loss),
                     "samples", (json_int_t)s->samples, "right", (json_int_t)s->right,
                     "judged", (json_int_t)s->judged, "worst", s->worst,
                     "time_s", s->time_s, "energy_j", s->energy_j);
}

static bool save(const struct train *t, struct diag *d)
{
    struct checkpoint *c = checkpoint_new();
    json_t *sums = json_array();
    for (unsigned i = 0; i < t->use.count; i++) {
        json_array_append_new(sums, sums_json(&t->sums[i]));
        trainer_save(t->use.trainers[i], c);
    }
    json_object_set_new(c->head, "identity", identity(t));
    json_object_set_new(c->head, "step", json_integer((json_int_t)t->step));
    json_object_set_new(c->head, "sums", sums);
    json_object_set(c->head, "rows", t->rows);
    json_object_set(c->head, "numerics", t->numerics);
    bool ok = checkpoint_write(c, t->use.checkpoint, d);
    checkpoint_free(c);
    return ok;
}

static bool due(const struct train *t)
{
    uint64_t every = t->use.checkpoint_steps ? t->use.checkpoint_steps : t->epoch_steps;
    return t->use.checkpoint && (t->step % every == 0 || t->step == t->use.steps);
}

static uint64_t count_of(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));
    return n > 0 ? (uint64_t)n : 0;
}

/* A loss that was not finite is NaN from here on: so are all sums with it. */
static double loss_of(const json_t *o)
{
    return json_is_null(o) ? NAN : json_number_value(o);
}

static void read_sums(const json_t *o, struct sums *s)
{
    *s = (struct sums){
        .loss = loss_of(json_object_get(o, "loss")),
        .samples = count_of(o, "samples"), .right = count_of(o, "right"),
        .judged = count_of(o, "judged"), .worst = report_number(o, "worst"),
        .time_s = report_number(o, "time_s"),
        .energy_j = report_number(o, "energy_j"),
    };
}

/* Which of the things that must be the same is not. */
static bool same(const struct train *t, const json_t *was, struct diag *d)
{
    static const struct { const char *key, *what; } kinds[] = {
        { "network", "network" }, { "batch", "batch" }, { "network_sum", "network" },
        { "data_sum", "data set" }, { "test_sum", "test set" }, { "seed", "seed" },
        { "shuffles", "order of samples" },
        { "every_step", "--every" },
        { "machines", "machine, order of machines, or of other figures or options" },
    };
    json_t *now = identity(t);
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof kinds / sizeof kinds[0]; i++)
        if (!json_equal(json_object_get(was, kinds[i].key), json_object_get(now, kinds[i].key)))
            ok = diag_set(d, 0, 0, "the checkpoint is of another %s (of network %.64s); expected "
                          "the run that it was made by", kinds[i].what,
                          json_is_string(json_object_get(was, "network"))
                          ? json_string_value(json_object_get(was, "network")) : "without name");
    json_decref(now);
    return ok;
}

/* A number of 0 or more, at most `most`; or, where `may_lack`, none. */
static bool number_right(const json_t *o, const char *key, double most, bool may_lack)
{
    const json_t *x = json_object_get(o, key);
    double value = json_number_value(x);
    return x ? json_is_number(x) && value >= 0 && value <= most : may_lack;
}

/* A loss: any number, or null for one that is not finite. */
static bool loss_right(const json_t *o, const char *key, bool may_lack)
{
    const json_t *x = json_object_get(o, key);
    return x ? json_is_number(x) || json_is_null(x) : may_lack;
}

static bool sums_right(const json_t *sums, const struct train *t)
{
    double all = (double)t->use.data->rows * t->use.data->shape.targets;
    for (unsigned i = 0; i < t->use.count; i++) {
        const json_t *s = json_array_get(sums, i);
        if (!loss_right(s, "loss", false) || !number_right(s, "samples", all, false)
            || !number_right(s, "judged", all, false)
            || !number_right(s, "right", report_number(s, "judged"), false)
            || !number_right(s, "worst", HUGE_VAL, false)
            || !number_right(s, "time_s", DBL_MAX, false)
            || !number_right(s, "energy_j", DBL_MAX, false))
            return false;
    }
    return json_array_size(sums) == t->use.count;
}

static bool is_trained(const struct train *t, const char *machine)
{
    for (unsigned i = 0; i < t->use.count; i++)
        if (strcmp(machine, trainer_name(t->use.trainers[i])) == 0)
            return true;
    return false;
}

/* Rows of machines that are trained, up to a step. */
static bool rows_right(const struct train *t, const json_t *rows, json_int_t step)
{
    size_t i;
    json_t *row;
    double epochs = (double)step / (double)t->epoch_steps + 1;
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
        if (!is_trained(t, report_string(row, "machine"))
            || !json_is_integer(json_object_get(row, "step"))
            || !number_right(row, "step", (double)step, false)
            || !json_is_integer(json_object_get(row, "epoch"))
            || !number_right(row, "epoch", epochs, false)
            || !loss_right(row, "loss", false) || !loss_right(row, "test_loss", true)
            || !number_right(row, "accuracy", 1, true)
            || !number_right(row, "test_accuracy", 1, true)
            || !number_right(row, "time_s", DBL_MAX, true)
            || !number_right(row, "energy_j", DBL_MAX, true)
            || !number_right(row, "worst", HUGE_VAL, true))
            return false;
    }
    return json_is_array(rows);
}

/* Studies of gradients (numerics.h), as far as they are read again. */
static bool numerics_right(const struct train *t, const json_t *numerics, json_int_t step)
{
    size_t i, j;
    json_t *study, *tensor;
    json_array_foreach((json_t *)(uintptr_t)numerics, i, study) {
        if (!is_trained(t, report_string(study, "machine"))
            || !number_right(study, "step", (double)step, false))
            return false;
        json_array_foreach(json_object_get(study, "tensors"), j, tensor) {
            if (!json_is_string(json_object_get(tensor, "name"))
                || !number_right(tensor, "elements", DBL_MAX, false))
                return false;
        }
    }
    return json_is_array(numerics);
}

/* What was said at the end of a run that now goes on: an unbroken one would not have said it. */
static json_t *rows_so_far(const struct train *t, const json_t *rows)
{
    json_t *kept = json_array(), *row;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
        uint64_t step = count_of(row, "step");
        bool whole = step % t->epoch_steps == 0 || step == t->use.steps;
        json_t *copy = whole || t->use.every_step ? json_deep_copy(row) : NULL;
        if (copy && !whole) {
            json_object_del(copy, "test_loss");
            json_object_del(copy, "test_accuracy");
        }
        if (copy)
            json_array_append_new(kept, copy);
    }
    return kept;
}

bool train_resume(struct train *t, const struct checkpoint *c, struct diag *d)
{
    const json_t *sums = json_object_get(c->head, "sums");
    json_t *rows = json_object_get(c->head, "rows");
    const json_t *numerics = json_object_get(c->head, "numerics");
    json_int_t step = json_integer_value(json_object_get(c->head, "step"));
    if (!same(t, json_object_get(c->head, "identity"), d))
        return false;
    if (step <= 0 || !sums_right(sums, t) || !rows_right(t, rows, step)
        || !numerics_right(t, numerics, step))
        return diag_set(d, 0, 0, "no step, sums or rows that a training run could have; expected "
                        "a checkpoint as simaccel train wrote it");
    if ((uint64_t)step > t->use.steps)
        return diag_set(d, 0, 0, "the checkpoint is after step %" JSON_INTEGER_FORMAT
                        "; expected one before step %" PRIu64 ", or more steps", step,
                        t->use.steps);
    for (unsigned i = 0; i < t->use.count; i++) {
        read_sums(json_array_get(sums, i), &t->sums[i]);
        if (!trainer_load(t->use.trainers[i], c, d))
            return false;
    }
    t->step = (uint64_t)step;
    json_decref(t->rows);
    t->rows = rows_so_far(t, rows);
    json_array_extend(t->numerics, json_object_get(c->head, "numerics"));
    return true;
}

/* ---- the run ---- */

bool train_run(struct train *t, struct diag *d)
{
    bool began = false;
    while (t->step < t->use.steps) {
        if (t->step % t->epoch_steps == 0 || !began)
            begin_epoch(t);
        began = true;
        if (!one_step(t, d) || (due(t) && !save(t, d)))
            return false;
    }
    return true;
}

static json_t *machines_json(const struct train *t)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < t->use.count; i++) {
        const struct machine *m = t->use.machines[i];
        json_array_append_new(all, json_pack("{s:s, s:s, s:o}", "name",
            trainer_name(t->use.trainers[i]), "kind",
            m ? machine_kind_name(machine_kind(m)) : TRAINER_REFERENCE,
            "shapes", trainer_shapes(t->use.trainers[i])));
    }
    return all;
}

json_t *train_result(const struct train *t)
{
    json_t *o = json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:O}",
        "simaccel", SIMACCEL_VERSION, "schema", RESULT_SCHEMA, "network", t->use.net->name,
        "batch", (json_int_t)t->use.batch, "samples", (json_int_t)t->use.data->rows,
        "test_samples", (json_int_t)(t->use.test ? t->use.test->rows : 0),
        "seed", (json_int_t)t->use.seed, "steps", (json_int_t)t->step,
        "steps_per_epoch", (json_int_t)t->epoch_steps, "machines", machines_json(t),
        "rows", t->rows);
    if (t->use.probes)
        json_object_set(o, "numerics", t->numerics);
    return o;
}
