/* validate_power.c - what chips draw at rest and in training, beside what is published. */
#include <math.h>
#include <string.h>

#include "sim/validate_csv.h"
#include "sim/validate_product.h"
#include "traces/net.h"

static const struct validate_set power_idle = {
    .title = "Power at rest", .unit = "W",
    .about = "A chip with nothing to do: what passes with time, of every part. Two figures are "
             "published for TPU v3; they differ by `energy.idle_extra_w`, which is off by default.",
};

static const struct validate_set power_training = {
    .title = "Power in training", .unit = "W",
    .about = "Average power of a whole training step on all cores of a chip, against the least "
             "and the most of production chips (Jouppi et al., ISCA 2023, table 4). A check, not "
             "a target: production steps also wait for hosts and networks, these do not.",
};

/* ---- at rest ---- */

/* A step so short beside the time it takes to begin that nothing of it shows. */
static struct trace *nothing(struct diag *d)
{
    uint64_t shape[] = { 8, 128 };
    struct trace *t = trace_new("nothing");
    uint32_t x = trace_tensor(t, "x", ROLE_INPUT, TRACE_F32, 2, shape);
    uint32_t y = trace_tensor(t, "y", ROLE_OUTPUT, TRACE_F32, 2, shape);
    struct trace_op op = { .kind = TRACE_RELU, .phase = PHASE_FORWARD, .out = { y }, .outs = 1,
                           .in = { x }, .ins = 1 };
    t->batch = shape[0];
    if (trace_add_op(t, &op, NULL, d))
        return t;
    trace_free(t);
    return NULL;
}

static double power_of(struct trace *t, const struct machine *m, struct diag *d)
{
    json_t *result = validate_result(t, m, 0, false, d);
    double watts = result ? validate_field(result, "average_power_w") : NAN;
    json_decref(result);
    return watts;
}

static double run_idle(const struct validate_row *row, struct diag *d)
{
    struct machine *m = machine_copy(row->machine);
    char extra[64];
    double watts = NAN;
    snprintf(extra, sizeof extra, "energy.idle_extra_w=%g", row->arg[0]);
    if (machine_set(m, extra, "validate", d)
        && machine_set(m, "core.op_cycles=1000000", "validate", d))
        watts = power_of(nothing(d), m, d);
    machine_free(m);
    return watts;
}

/* "tpu_v3" in the file is tpu-v3 here; NULL without a word: a chip that is not modelled. */
static const struct machine *chip(struct validation *v, const char *device, struct diag *d)
{
    static const char *const known[][2] = {
        { "tpu_v2", "tpu-v2" }, { "tpu_v3", "tpu-v3" }, { "tpu_v4", "tpu-v4" },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(device, known[i][0]) == 0)
            return validate_machine(v, known[i][1], d);
    return NULL;
}

static bool add_idle(struct validation *v, const struct csv *c, struct diag *d)
{
    struct validate_set *s = validate_add_set(v, &power_idle);
    for (size_t i = 0; i < c->rows; i++) {
        const char *device = csv_text(c, i, "device"), *state = csv_text(c, i, "state");
        const struct machine *m = chip(v, device, d);
        if (d->text[0])
            return false;
        if (!m || strncmp(state, "idle", 4) != 0)
            continue;
        bool extra = strcmp(device, "tpu_v3") == 0 && strcmp(state, "idle") == 0;
        struct validate_row row = { .run = run_idle, .machine = m, .class = VALIDATE_NONE,
                                    .measured = csv_number(c, i, "power_w"),
                                    .arg = { extra ? 39 : 0 } };
        snprintf(row.what, sizeof row.what, "%.20s, %.40s", machine_name(m), state);
        if (extra)
            snprintf(row.note, sizeof row.note, "with energy.idle_extra_w=39");
        validate_add_row(s, &row);
    }
    return true;
}

/* ---- in training ---- */

static const struct job {
    const char        *name, *net;
    enum validate_size size;
} jobs[] = {
    { "wide, 1024 rows", "simaccel-net 1\nname wide\ninput 784\nbatch 1024\n"
      "dense 4096 relu repeat=4\ndense 10 softmax\nloss cross_entropy\noptimizer adam\n",
      VALIDATE_QUICK },
    { "paradnn 2048 x 4, 2048 rows a core", "simaccel-net 1\nname paradnn-2048x4\ninput 2000\n"
      "batch 4096\ndense 2048 relu repeat=4\ndense 1000 softmax\nloss cross_entropy\n"
      "optimizer rmsprop lr=0.001 decay=0.9 epsilon=1e-10\n", VALIDATE_QUICK },
    { "paradnn 8192 x 4, 2048 rows a core", "simaccel-net 1\nname paradnn-8192x4\ninput 2000\n"
      "batch 4096\ndense 8192 relu repeat=4\ndense 1000 softmax\nloss cross_entropy\n"
      "optimizer rmsprop lr=0.001 decay=0.9 epsilon=1e-10\n", VALIDATE_DEFAULT },
};
#define JOBS (sizeof jobs / sizeof jobs[0])

static double run_training(const struct validate_row *row, struct diag *d)
{
    const char *net = row->detail;
    struct net_options as_it_is = { .batch = 0 };
    return power_of(net_expand_memory(net, strlen(net), &as_it_is, d), row->machine, d);
}

static double published(const struct csv *c, const char *device, const char *state)
{
    for (size_t i = 0; i < c->rows; i++)
        if (strcmp(csv_text(c, i, "device"), device) == 0
            && strcmp(csv_text(c, i, "state"), state) == 0)
            return csv_number(c, i, "power_w");
    return 0;
}

static bool add_training(struct validation *v, const struct csv *c, const char *device,
                         struct diag *d)
{
    double least = published(c, device, "production min"), most = published(c, device,
                                                                            "production max");
    struct validate_set *s = &v->sets[v->count - 1];
    const struct machine *m = chip(v, device, d);
    for (size_t i = 0; m && least > 0 && i < JOBS; i++) {
        struct validate_row row = { .kind = VALIDATE_RANGE, .run = run_training, .machine = m,
                                    .class = VALIDATE_NONE, .measured = least, .high = most,
                                    .detail = jobs[i].net };
        snprintf(row.what, sizeof row.what, "%.20s, %s", machine_name(m), jobs[i].name);
        if (jobs[i].size <= v->size)
            validate_add_row(s, &row);
    }
    return m != NULL;
}

bool validate_power(struct validation *v, struct diag *d)
{
    struct csv c;
    if (!csv_read(&c, v->folder, "power_chip.csv", d))
        return false;
    bool ok = add_idle(v, &c, d);
    validate_add_set(v, &power_training);
    ok = ok && add_training(v, &c, "tpu_v3", d) && add_training(v, &c, "tpu_v4", d);
    csv_clear(&c);
    return ok;
}
