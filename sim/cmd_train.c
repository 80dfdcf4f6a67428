/* cmd_train.c - a network learns on simulated machines. */
#include "sim/cmd_train.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/output.h"
#include "sim/plot.h"
#include "sim/run_options.h"
#include "sim/train.h"
#include "sim/train_input.h"
#include "sim/train_machines.h"
#include "sim/train_report.h"

static const struct option_row rows[] = {
    RUN_OPTIONS,
    { "data",        "FILE", "CSV to learn from (default: data/NAME.csv beside the network)" },
    { "test",        "FILE", "CSV to test with after each epoch (default: data/NAME-test.csv)" },
    { "random",      "SEED", "learn from random numbers instead" },
    { "rows",        "N",    "how many random samples (default: the network's samples)" },
    { "standardize", NULL,   "features of mean 0 and deviation 1, as the training set has them" },
    { "epochs",      "N",    "how often to go through the data (default: the network's)" },
    { "steps",       "N",    "how many steps instead" },
    { "batch",       "N",    "samples a step, instead of the network's" },
    { "seed",        "N",    "of the first weights and of shuffling (default: 1)" },
    { "no-shuffle",  NULL,   "take samples in the order of the file" },
    { "every",       "WHAT", "a row each step or each epoch (default: as it was counted)" },
    { "loss-scale",  "S",    "multiply the loss's gradient, and divide those of weights" },
    { "reference",   NULL,   "the double-precision reference learns beside the machines" },
    { "check",       NULL,   "compare every value of every step with the reference" },
    { "compare-numerics", NULL, "what becomes of small gradients, also with a loss scale" },
    { "checkpoint",  "FILE", "write where the run stands after each epoch" },
    { "checkpoint-steps", "N", "after so many steps instead" },
    { "resume",      "FILE", "go on from a checkpoint" },
    { "csv",         "FILE", "write the rows as CSV (- is stdout, and then no text)" },
    { "json",        "FILE", "write the result as JSON (- likewise)" },
    { "plot",        "FILE", "draw loss against simulated time and energy (.svg, .png, .pdf)" },
};
enum {
    DATA = RUN_ROWS, TEST, RANDOM, ROWS, STANDARDIZE, EPOCHS, STEPS, BATCH, SEED, NO_SHUFFLE,
    EVERY, LOSS_SCALE, REFERENCE, CHECK, COMPARE, CHECKPOINT, CHECKPOINT_STEPS, RESUME, CSV,
    JSON, PLOT
};

#define MOST_STEPS 1000000000u
#define MOST_ROWS  (1u << 24)           /* as a network's batch */
#define COMPARED_SCALE 1024             /* as mixed-precision frameworks begin with or reach */

struct asked {
    struct run_options options;
    struct train_asked input;
    unsigned    epochs, steps, checkpoint_steps;        /* 0: not given */
    uint64_t    seed;
    bool        in_order, reference, check, compare;
    const char *every, *checkpoint, *resume, *csv, *json, *plot;
    double      loss_scale;
};

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

/* ---- options ---- */

static int wrong(const struct options *o, int i, const char *expected)
{
    options_wrong(o, "--%s %.40s: expected %s", rows[i].name, o->value, expected);
    return -1;
}

static int take_number(const struct options *o, int i, unsigned most, unsigned *value)
{
    char expected[64];
    snprintf(expected, sizeof expected, "a whole number, 1 to %u", most);
    return run_options_number(o->value, most, value) ? 1 : wrong(o, i, expected);
}

static int take_seed(const struct options *o, int i, uint64_t *seed)
{
    return run_options_seed(o->value, seed)
         ? 1 : wrong(o, i, "a whole number of 0 or more, below 2^63");
}

static int take_large(const struct options *o, int i, uint64_t *value)
{
    unsigned n = 0;
    int taken = take_number(o, i, MOST_ROWS, &n);
    *value = n;
    return taken;
}

static int take_every(const struct options *o, const char **every)
{
    if (strcmp(o->value, "step") != 0 && strcmp(o->value, "epoch") != 0)
        return wrong(o, EVERY, "step or epoch");
    *every = o->value;
    return 1;
}

static int take_word(struct asked *a, const struct options *o)
{
    if (a->input.net) {
        options_wrong(o, "%.80s: a second file; expected one", o->value);
        return -1;
    }
    a->input.net = o->value;
    return 1;
}

static int take_text(struct asked *a, const struct options *o, int i)
{
    switch (i) {
    case DATA:        a->input.data = o->value; return 1;
    case TEST:        a->input.test = o->value; return 1;
    case STANDARDIZE: a->input.standardize = true; return 1;
    case NO_SHUFFLE:  a->in_order = true; return 1;
    case EVERY:       return take_every(o, &a->every);
    case REFERENCE:   a->reference = true; return 1;
    case CHECK:       a->check = true; return 1;
    case COMPARE:     a->compare = true; return 1;
    case CHECKPOINT:  a->checkpoint = o->value; return 1;
    case RESUME:      a->resume = o->value; return 1;
    case CSV:         a->csv = o->value; return 1;
    case JSON:        a->json = o->value; return 1;
    case PLOT:        a->plot = o->value; return 1;
    default:          return take_word(a, o);
    }
}

static int take(struct asked *a, const struct options *o, int i)
{
    int taken = i >= 0 ? run_options_take(&a->options, o, i) : 0;
    if (taken != 0)
        return taken;
    switch (i) {
    case RANDOM:
        a->input.random = true;
        return take_seed(o, i, &a->input.random_seed);
    case ROWS:             return take_large(o, i, &a->input.rows);
    case EPOCHS:           return take_number(o, i, MOST_STEPS, &a->epochs);
    case STEPS:            return take_number(o, i, MOST_STEPS, &a->steps);
    case BATCH:            return take_large(o, i, &a->input.batch);
    case SEED:             return take_seed(o, i, &a->seed);
    case CHECKPOINT_STEPS: return take_number(o, i, MOST_STEPS, &a->checkpoint_steps);
    case LOSS_SCALE:
        return run_options_real(o->value, NET_SCALE_MAX, &a->loss_scale)
               && a->loss_scale >= NET_SCALE_MIN
             ? 1 : wrong(o, i, "a number from 1e-30 to 1e30");
    default:
        return take_text(a, o, i);
    }
}

/* What goes together; the exit status, 0 if all does. */
static int check_together(const struct asked *a, const struct options *o)
{
    if (!a->input.net)
        return options_wrong(o, "no network; expected a file or a name, as digits");
    if (!a->options.choice.arch && !a->options.choice.file && !a->reference)
        return options_wrong(o, "no machine; expected --arch tpu, gpu, both or names, or "
                             "--machine FILE");
    if (a->input.data && a->input.random)
        return options_wrong(o, "--data and --random; expected one of them");
    if (a->input.rows && !a->input.random)
        return options_wrong(o, "--rows without --random; expected both");
    if (a->epochs && a->steps)
        return options_wrong(o, "--epochs and --steps; expected one of them");
    if (a->checkpoint && output_is_stdout(a->checkpoint))
        return options_wrong(o, "--checkpoint -: expected a file, for each takes the place of the "
                             "one before");
    if (a->checkpoint_steps && !a->checkpoint)
        return options_wrong(o, "--checkpoint-steps without --checkpoint; expected both");
    return 0;
}

static int parse(struct asked *a, struct options *o, bool *ends)
{
    int i;
    *ends = true;
    while ((i = options_next(o)) >= 0 || i == OPTIONS_ARGUMENT)
        if (take(a, o, i) < 0)
            return 2;
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    int status = check_together(a, o);
    if (a->compare && a->loss_scale == 0)
        a->loss_scale = COMPARED_SCALE;
    *ends = status != 0;
    return status;
}

/* ---- the run ---- */

/* Who is trained: each machine, the reference, and to compare numerics each machine with a loss
 * scale once more. */
static void plan_trainers(struct trainer_use *plan, unsigned *count, const struct asked *a,
                          const struct train_machines *m, const struct train_input *in)
{
    unsigned rounds = a->compare ? 2 : 1;
    for (unsigned scaled = 0; scaled < rounds; scaled++)
        for (unsigned i = 0; i < m->count; i++)
            plan[(*count)++] = (struct trainer_use){
                .machine = m->machine[i], .options = &m->options[i],
                .expand.loss_scale = a->compare && !scaled ? 1 : a->loss_scale,
                .name = scaled ? m->scaled_names[i] : NULL };
    if (a->reference)
        plan[(*count)++] = (struct trainer_use){ .options = &a->options,
                                                 .expand.loss_scale = a->loss_scale };
    for (unsigned i = 0; i < *count; i++) {
        plan[i].net = in->net;
        plan[i].expand.batch = in->batch;
        plan[i].seed = a->seed;
        plan[i].check = a->check;
        plan[i].probe = a->compare;
        plan[i].progress = true;
    }
}

static bool open_trainers(struct train_use *use, const struct asked *a,
                          const struct train_machines *m, const struct train_input *in,
                          struct diag *d)
{
    struct trainer_use plan[TRAIN_MACHINES_MAX];
    unsigned count = 0;
    plan_trainers(plan, &count, a, m, in);
    for (; use->count < count; use->count++) {
        use->machines[use->count] = plan[use->count].machine;
        use->trainers[use->count] = trainer_new(&plan[use->count], d);
        if (!use->trainers[use->count])
            return false;
    }
    return true;
}

static void print_row(const json_t *row, void *arg)
{
    train_report_row(row, arg);
}

static bool resume(struct train *t, const char *path, struct diag *d)
{
    struct checkpoint *c = checkpoint_read(path, d);
    if (!c)
        return false;
    bool ok = train_resume(t, c, d);
    if (!ok)
        snprintf(d->file, sizeof d->file, "%s", path);
    checkpoint_free(c);
    return ok;
}

static void print_old_rows(const struct train *t)
{
    json_t *result = train_result(t), *row;
    size_t i;
    json_array_foreach(json_object_get(result, "rows"), i, row) {
        train_report_row(row, stdout);
    }
    json_decref(result);
}

static void print_head(const struct train_use *use, const struct train_input *in)
{
    uint64_t n = use->data->rows, steps = train_epoch_steps(n, use->batch);
    printf("%s, %u inputs", in->net_path, use->data->shape.features);
    if (use->data->shape.classes)
        printf(", %u classes: ", use->data->shape.classes);
    else
        printf(", %u output%s: ", use->data->shape.targets,
               use->data->shape.targets == 1 ? "" : "s");
    printf("%llu samples (%s) in batches of %llu, %llu steps an epoch",
           (unsigned long long)n, in->data_path[0] ? in->data_path : "random",
           (unsigned long long)use->batch, (unsigned long long)steps);
    if (n % use->batch)
        printf(", the last of %llu", (unsigned long long)(n % use->batch));
    if (use->test)
        printf("; %llu to test with (%s)", (unsigned long long)use->test->rows, in->test_path);
    puts("\n");
    train_report_head(stdout);
}

static int write_files(const struct asked *a, const json_t *result)
{
    struct diag d = { .text = "" };
    int status = a->json ? output_write(a->json, result, output_json) : 0;
    if (status == 0 && a->csv)
        status = output_write(a->csv, result, train_report_csv);
    json_t *results = json_pack("[O]", result);
    if (status == 0 && a->plot && !plot_draw(&plot_training, results, a->plot, &d))
        status = fail(&d, 1);
    json_decref(results);
    return status;
}

static int run(const struct asked *a, struct train_use *use, const struct train_input *in)
{
    struct diag d = { .text = "" };
    bool quiet = (a->json && output_is_stdout(a->json)) || (a->csv && output_is_stdout(a->csv));
    if (!quiet) {
        use->row = print_row;
        use->row_arg = stdout;
    }
    struct train *t = train_new(use);
    int status = a->resume && !resume(t, a->resume, &d) ? fail(&d, 2) : 0;
    if (status == 0) {
        if (!quiet)
            print_head(use, in);
        if (!quiet && a->resume)
            print_old_rows(t);
        status = train_run(t, &d) ? 0 : fail(&d, 1);
    }
    if (status == 0) {
        json_t *result = train_result(t);
        if (!quiet)
            numerics_report(result, stdout);
        if (!quiet)
            train_report_end(result, stdout);
        status = write_files(a, result);
        json_decref(result);
    }
    train_free(t);
    return status;
}

static uint64_t steps_of(const struct asked *a, const struct train_input *in)
{
    uint64_t epochs = a->epochs ? a->epochs : in->net->epochs ? in->net->epochs : 1;
    return a->steps ? a->steps : epochs * train_epoch_steps(in->data->rows, in->batch);
}

static int with_input(const struct asked *a, const struct train_machines *m,
                      const struct train_input *in)
{
    struct diag d = { .text = "" };
    struct train_use use = {
        .net = in->net, .batch = in->batch, .data = in->data, .test = in->test, .seed = a->seed,
        .steps = steps_of(a, in), .shuffles = !a->in_order, .checks = a->check, .probes = a->compare,
        .every_step = a->every ? strcmp(a->every, "step") == 0 : a->steps > 0,
        .checkpoint = a->checkpoint, .checkpoint_steps = a->checkpoint_steps,
    };
    int status = 2;
    if (open_trainers(&use, a, m, in, &d)) {
        status = run(a, &use, in);
    } else {
        if (d.line > 0 && d.file[0] == '\0')
            snprintf(d.file, sizeof d.file, "%s", in->net_path);
        fail(&d, 2);
    }
    for (unsigned i = 0; i < use.count; i++)
        trainer_free(use.trainers[i]);
    return status;
}

/* Nothing that is read may be written over, but a checkpoint by the next. */
static bool check_files(const struct asked *a, const struct train_input *in, struct diag *d)
{
    char data[PATH_MAX] = "", script[PATH_MAX] = "";
    if (a->plot && (!plot_check(a->plot, d) || !plot_beside(a->plot, ".dat", data, d)
                    || !plot_beside(a->plot, ".gp", script, d)))
        return false;
    d->file[0] = '\0';
    const struct output_use uses[] = {
        { "--resume", a->resume, true },
        { "the network", in->net_path, true },
        { "the machine", a->options.choice.file, true },
        { "the data", in->data_path[0] ? in->data_path : NULL, true },
        { "the test set", in->test_path[0] ? in->test_path : NULL, true },
        { "--csv", a->csv, false },
        { "--json", a->json, false },
        { "--plot", a->plot, false },
        { "--plot's data", a->plot ? data : NULL, false },
        { "--plot's script", a->plot ? script : NULL, false },
        { "--checkpoint", a->checkpoint, false },
    };
    size_t count = sizeof uses / sizeof uses[0];
    return output_check(uses, count - 1, d) && output_check(uses + 1, count - 1, d);
}

int cmd_train(int argc, char **argv)
{
    struct options o = OPTIONS("train", "NETWORK", rows, argc, argv);
    struct asked a = { .seed = 1 };
    struct train_machines m = { .count = 0 };
    struct train_input in = { .net = NULL };
    struct diag d = { .text = "" };
    bool ends;
    int status = parse(&a, &o, &ends);
    if (ends)
        return status;
    if (!train_machines_open(&m, &a.options, a.loss_scale, &d)
        || !train_input_read(&in, &a.input, &d) || !check_files(&a, &in, &d))
        status = fail(&d, 2);
    else
        status = with_input(&a, &m, &in);
    train_input_free(&in);
    train_machines_close(&m);
    return status;
}
