/* cmd_compare.c - see cmd_compare.h. */
#include "sim/cmd_compare.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cmd_crossover.h"
#include "sim/compare.h"
#include "sim/compare_change.h"
#include "sim/compare_equal.h"
#include "sim/compare_options.h"
#include "sim/compare_timeline.h"
#include "sim/cpu_roof.h"
#include "sim/cpus.h"
#include "sim/crossover.h"
#include "sim/output.h"
#include "sim/plot.h"
#include "sim/together.h"
#include "sim/train_machines.h"
#include "traces/net.h"

static const struct option_row rows[] = {
    RUN_OPTIONS,
    { "inference", NULL,   "of a network, the forward pass alone" },
    { "batch",     "N",    "of a network, instead of its own" },
    { "jobs",      "N",    "runs at once (default: the processors that may be used)" },
    { "change",    NULL,   "run machines that lose again with changes, however long that takes" },
    { "no-change", NULL,   "never do (default: where it is no longer than the comparison)" },
    { "equal",     "WHAT", "scale machines to the first one's peak or bandwidth, or all to the "
                           "least watts" },
    { "cpu",       "NAME", "beside them what a CPU takes at least, by its roofline: e5-2699v3" },
    { "over",      "P=VALUES,P=VALUES", "who is faster and thriftier over a grid, as "
                           "batch=1..64:*2,width=64..512:*2 (many times)" },
    { "limit",     "GFLOP", "with --over: leave larger steps out (default: 20; none)" },
    { "results",   "FOLDER", "with --over: keep every point's result there, and run only what is "
                           "missing" },
    { "retry-failed", NULL, "with --over: run those again that have failed" },
    { "plot",      "FILE", "draw it (.svg, .png, .pdf); data and script are put beside it" },
    { "json",      "FILE", "write the comparison as JSON (- is stdout, and then no text)" },
    { "csv",       "FILE", "write a row a machine and total, phase or op (- likewise)" },
    TIMELINE_OPTIONS,
};
enum { INFERENCE = RUN_ROWS, BATCH, JOBS, CHANGE, NO_CHANGE, EQUAL, CPU, OVER, LIMIT, RESULTS,
       RETRY, PLOT, JSON, CSV, RECORD };
#define MOST_JOBS 1024

struct comparing {
    struct run_options    options;
    struct train_machines machines;
    struct net_options    net;
    struct record_options record;
    unsigned              jobs;
    bool                  change, no_change;
    enum compare_equal    equal;
    struct machine       *cpu;              /* of --cpu; NULL: none */
    const char           *file, *json, *csv, *plot;
    char                  arch[1024];       /* the names, and the file of --machine */
    struct crossover_asked map;
};

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

/* False: it is wrong, and that has been said. */
static bool take_number(const struct options *o, int i, unsigned most, unsigned *value)
{
    if (run_options_number(o->value, most, value))
        return true;
    options_wrong(o, "--%s %.40s: expected a whole number, 1 to %u", rows[i].name, o->value, most);
    return false;
}

static const char *const equals[] = { "", "peak", "bandwidth", "watts" };

static bool take_equal(struct comparing *x, const struct options *o)
{
    for (int i = COMPARE_EQUAL_PEAK; i <= COMPARE_EQUAL_WATTS; i++)
        if (strcmp(o->value, equals[i]) == 0) {
            x->equal = (enum compare_equal)i;
            return true;
        }
    return options_wrong(o, "--equal %.40s: expected peak, bandwidth or watts", o->value) == 0;
}

static struct machine *read_machine(const struct schema *s, const char *name, struct diag *d)
{
    return train_machines_is_file(name) ? machine_read(s, name, d) : machine_find(s, name, d);
}

static bool take_cpu(struct comparing *x, const struct options *o)
{
    struct diag d = { .text = "" }, none = { .text = "" };
    machine_free(x->cpu);
    x->cpu = read_machine(&cpu_schema, o->value, &d);
    struct machine *chip = x->cpu ? NULL : read_machine(&figures_schema, o->value, &none);
    if (chip)
        options_wrong(o, "--cpu %.80s: this is a %s; expected a cpu, as e5-2699v3", o->value,
                      machine_kind_name(machine_kind(chip)));
    else if (!x->cpu)
        diag_print(&d, stderr);
    machine_free(chip);
    return x->cpu != NULL;
}

static bool take_over(struct comparing *x, const struct options *o)
{
    size_t most = sizeof x->map.over / sizeof x->map.over[0];
    if (x->map.over_count == most)
        return options_wrong(o, "--over %.60s: expected at most %zu", o->value, most) == 0;
    x->map.over[x->map.over_count++] = o->value;
    return true;
}

static bool take_limit(struct comparing *x, const struct options *o)
{
    double gflop = 0;
    if (strcmp(o->value, "none") != 0 && !run_options_real(o->value, 1e12, &gflop))
        return options_wrong(o, "--limit %.40s: expected GFLOP of a step, above 0, or none",
                             o->value) == 0;
    x->map.limit = gflop * 1e9;
    return true;
}

static bool take(struct comparing *x, const struct options *o, int i)
{
    unsigned batch = 0;
    int taken = i >= 0 ? run_options_take(&x->options, o, i) : 0;
    if (taken == 0)
        taken = record_take(&x->record, o, i - RECORD);
    if (taken != 0)
        return taken > 0;
    switch (i) {
    case INFERENCE: return x->net.inference = true;
    case CHANGE:    return x->change = true;
    case NO_CHANGE: return x->no_change = true;
    case EQUAL:     return take_equal(x, o);
    case CPU:       return take_cpu(x, o);
    case OVER:      return take_over(x, o);
    case LIMIT:     return take_limit(x, o);
    case RESULTS:   x->map.results = o->value; return true;
    case RETRY:     return x->map.retry_failed = true;
    case PLOT:      x->plot = o->value; return true;
    case JSON:      x->json = o->value; return true;
    case CSV:       x->csv = o->value; return true;
    case JOBS:      return take_number(o, i, MOST_JOBS, &x->jobs);
    case BATCH:
        if (!take_number(o, i, NET_WIDTH_MAX, &batch))
            return false;
        x->net.batch = batch;
        return true;
    default:
        if (x->file)
            options_wrong(o, "%.80s: a second file; expected one", o->value);
        bool first = !x->file;
        x->file = o->value;
        return first;
    }
}

/* The file of --machine is one more of the machines. */
static bool add_file(struct comparing *x)
{
    struct choice *c = &x->options.choice;
    const char *names = strcmp(c->arch, "both") == 0 ? "tpu,gpu" : c->arch;
    int n = snprintf(x->arch, sizeof x->arch, "%s,%s%s", names, strchr(c->file, '/') ? "" : "./",
                     c->file);
    c->arch = x->arch;
    c->file = NULL;
    return n > 0 && (size_t)n < sizeof x->arch && !strchr(x->arch + strlen(names) + 1, ',');
}

/* What means something only with --over, or only without. */
static int check_map(const struct comparing *x, const struct options *o)
{
    bool over = x->map.over_count > 0;
    if (!over && (x->map.results || x->map.retry_failed || x->map.limit != CROSSOVER_LIMIT))
        return options_wrong(o, "--results, --retry-failed and --limit are of a map; expected "
                             "--over PARAMETER=VALUES");
    if (over && (x->change || x->no_change || x->equal || x->cpu))
        return options_wrong(o, "--change, --no-change, --equal and --cpu are of one point; "
                             "expected none with --over");
    if (over && (x->record.timeline || x->record.window || x->record.every || x->record.most))
        return options_wrong(o, "--timeline and its options are of one point; expected none with "
                             "--over");
    if (x->map.retry_failed && !x->map.results)
        return options_wrong(o, "--retry-failed without a folder of results; expected --results "
                             "FOLDER");
    return 0;
}

/* 0, or the exit status of a command that ends here. */
static int parse(struct comparing *x, struct options *o, bool *ends)
{
    int i;
    *ends = true;
    while ((i = options_next(o)) >= 0 || i == OPTIONS_ARGUMENT)
        if (!take(x, o, i))
            return 2;
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (!x->file)
        return options_wrong(o, "no file; expected a trace or a network");
    if (x->change && x->no_change)
        return options_wrong(o, "--change and --no-change; expected one of them");
    if (x->options.choice.file && x->map.over_count > 0)
        return options_wrong(o, "--machine with --over; expected machines by name, --arch "
                             "NAME,NAME");
    if (!x->options.choice.arch)
        x->options.choice.arch = "both";
    if (x->options.choice.file && !add_file(x))
        return options_wrong(o, "--machine: the path is too long; expected a shorter one");
    if (strcmp(x->options.choice.arch, "both") != 0 && !strchr(x->options.choice.arch, ','))
        return options_wrong(o, "--arch %.40s: one machine; expected several, as tpu-v3,v100",
                             x->options.choice.arch);
    *ends = false;
    return check_map(x, o);
}

static int write_all(const struct comparing *x, const json_t *comparison)
{
    bool on_stdout = x->record.timeline && output_is_stdout(x->record.timeline);
    const struct { const char *path; void (*write)(const json_t *, FILE *); } files[] = {
        { x->json, output_json }, { x->csv, compare_csv },
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int status = files[i].path ? output_write(files[i].path, comparison, files[i].write) : 0;
        if (status != 0)
            return status;
        on_stdout |= files[i].path && output_is_stdout(files[i].path);
    }
    if (!on_stdout)
        compare_text(comparison, stdout);
    if (!on_stdout)
        compare_change_text(json_object_get(comparison, "changes"), stdout);
    return 0;
}

/* Says why of the first that failed. */
static int first_failure(struct together *runs, unsigned count, const char *file)
{
    for (unsigned i = 0; i < count; i++) {
        struct diag *d = &runs[i].diag;
        if (runs[i].result)
            continue;
        if (d->line > 0)
            snprintf(d->file, sizeof d->file, "%s", file);
        fprintf(stderr, "on %s: ", machine_name(runs[i].experiment.machine));
        return fail(d, runs[i].status);
    }
    return 0;
}

/* The results themselves: a comparison has no components of energy.  The picture says the
 * options. */
static int draw(const struct comparing *x, json_t *const *results, unsigned count)
{
    struct diag d = { .text = "" };
    json_t *all = json_array(), *options = compare_options(&x->options, &x->net);
    if (x->equal)
        json_object_set_new(options, "equal", json_string(equals[x->equal]));
    for (unsigned i = 0; i < count; i++) {
        json_array_append_new(all, json_copy(results[i]));
        json_object_set(json_array_get(all, i), "options", options);
    }
    json_decref(options);
    int status = plot_draw(&plot_compare, all, x->plot, &d) ? 0 : fail(&d, 1);
    json_decref(all);
    return status;
}

static enum compare_change_when when_to_change(const struct comparing *x)
{
    return x->change ? COMPARE_CHANGE_ALL : x->no_change ? COMPARE_CHANGE_NONE
                                                         : COMPARE_CHANGE_CHEAP;
}

/* Runs with results, compared and written. */
static int finish(const struct comparing *x, struct together *runs, unsigned count, json_t *equal,
                  const struct trace *t)
{
    json_t *results[TRAIN_MACHINES_NAMED];
    for (unsigned i = 0; i < count; i++)
        results[i] = runs[i].result;
    json_t *comparison = compare_results(results, count, t->batch);
    json_object_set_new(comparison, "options", compare_options(&x->options, &x->net));
    if (equal)
        json_object_set(comparison, "equal", equal);
    if (x->cpu)
        json_object_set_new(comparison, "cpu", cpu_roof_json(x->cpu, t));
    json_object_set_new(comparison, "changes",
                        compare_change(runs, count, when_to_change(x), x->jobs));
    int status = write_all(x, comparison);
    json_decref(comparison);
    return status == 0 && x->plot ? draw(x, results, count) : status;
}

/* Drawn before anything is written, written when all else is. */
static int with_timeline(const struct comparing *x, struct together *runs, unsigned count,
                         json_t *equal, const struct trace *t)
{
    struct diag d = { .text = "" };
    int status = 0;
    if (!x->record.timeline)
        return finish(x, runs, count, equal, t);
    struct compare_timeline *drawn = compare_timeline_new(&x->record, runs, count, x->jobs, &d,
                                                          &status);
    if (!drawn)
        return fail(&d, status);
    status = finish(x, runs, count, equal, t);
    if (status == 0)
        status = compare_timeline_write(drawn, x->record.timeline);
    compare_timeline_free(drawn);
    return status;
}

static int scaled(const struct comparing *x, struct together *runs, unsigned count,
                  const struct trace *t)
{
    struct machine *machines[TRAIN_MACHINES_NAMED] = { NULL };
    struct diag d = { .text = "" };
    json_t *equal = x->equal ? compare_equal(runs, count, x->equal, x->jobs, machines, &d) : NULL;
    int status = x->equal && !equal ? fail(&d, 1) : with_timeline(x, runs, count, equal, t);
    json_decref(equal);
    for (unsigned i = 0; i < count; i++)
        machine_free(machines[i]);
    return status;
}

static int compare(const struct comparing *x, const struct trace *t)
{
    struct together runs[TRAIN_MACHINES_NAMED];
    struct diag d = { .text = "" };
    unsigned count = x->machines.count;
    for (unsigned i = 0; i < count; i++) {
        runs[i].experiment = run_options_experiment(&x->machines.options[i],
                                                    x->machines.machine[i]);
        runs[i].experiment.trace = t;
    }
    if (!compare_timeline_check(&x->record, runs, count, &d))
        return fail(&d, 2);
    together_run(runs, count, x->jobs);
    int status = first_failure(runs, count, x->file);
    if (status == 0)
        status = scaled(x, runs, count, t);
    for (unsigned i = 0; i < count; i++)
        json_decref(runs[i].result);
    return status;
}

/* Files among the machines; --machine is one of them. */
static bool check_machines(const struct comparing *x, const struct output_use *uses, size_t count,
                           struct diag *d)
{
    char *names = strdup(x->options.choice.arch), *rest;
    struct output_use *all = calloc(count + 1, sizeof *all);
    bool good = true;
    if (!names || !all)
        abort();
    memcpy(all, uses, count * sizeof *all);
    for (char *name = strtok_r(names, ",", &rest); good && name;
         name = strtok_r(NULL, ",", &rest)) {
        all[count] = (struct output_use){ "the machine", name, true };
        good = !train_machines_is_file(name) || output_check(all, count + 1, d);
    }
    free(all);
    free(names);
    return good;
}

/* Nothing that is read may be written over. */
static bool check_files(const struct comparing *x, struct diag *d)
{
    char data[PATH_MAX] = "", script[PATH_MAX] = "";
    if (x->plot && (!plot_check(x->plot, d) || !plot_beside(x->plot, ".dat", data, d)
                    || !plot_beside(x->plot, ".gp", script, d)))
        return false;
    d->file[0] = '\0';
    const struct output_use uses[] = {
        { "the trace", x->file, true },
        { "--json", x->json, false },
        { "--csv", x->csv, false },
        { "--plot", x->plot, false },
        { "--plot's data", x->plot ? data : NULL, false },
        { "--plot's script", x->plot ? script : NULL, false },
        RECORD_USES(&x->record),
    };
    return check_machines(x, uses, sizeof uses / sizeof uses[0], d)
        && output_check(uses, sizeof uses / sizeof uses[0], d);
}

static int with_trace(struct comparing *x)
{
    struct diag d = { .text = "" };
    struct trace *t = NULL;
    if (train_machines_open(&x->machines, &x->options, 1, &d))
        t = trace_load(x->file, &x->net, &d);
    int status = t ? compare(x, t) : fail(&d, 2);
    trace_free(t);
    train_machines_close(&x->machines);
    return status;
}

static int over_a_grid(struct comparing *x)
{
    x->map.file = x->file;
    x->map.json = x->json;
    x->map.csv  = x->csv;
    x->map.plot = x->plot;
    x->map.run  = &x->options;
    x->map.net  = x->net;
    x->map.jobs = x->jobs;
    return cmd_crossover(&x->map);
}

int cmd_compare(int argc, char **argv)
{
    struct options o = OPTIONS("compare", "FILE", rows, argc, argv);
    struct comparing x = { .jobs = cpus_allowed(), .map.limit = CROSSOVER_LIMIT };
    struct diag d = { .text = "" };
    bool ends;
    int status = parse(&x, &o, &ends);
    if (!ends && status == 0)
        status = !check_files(&x, &d) ? fail(&d, 2)
               : x.map.over_count > 0 ? over_a_grid(&x) : with_trace(&x);
    machine_free(x.cpu);
    return status;
}
