/* cmd_run.c - run a trace or network on a machine, or print the program it becomes. */
#include "sim/cmd_run.h"

#include <stdlib.h>
#include <string.h>

#include "sim/output.h"
#include "sim/record_options.h"
#include "sim/report.h"
#include "sim/run_options.h"
#include "sim/value_run.h"
#include "traces/net.h"
#include "traces/summary.h"

static const struct option_row rows[] = {
    RUN_OPTIONS,
    VALUE_OPTIONS,
    { "inference", NULL,   "of a network, the forward pass alone" },
    { "batch",     "N",    "of a network, instead of its own" },
    { "json",      "FILE", "write the result as JSON (- is stdout, and then no text)" },
    { "csv",       "FILE", "write a row an op (- likewise)" },
    { "power",     "FILE", "write power over time as CSV (- likewise)" },
    { "launches",  "FILE", "gpu: write a row a launch of a kernel as CSV (- likewise)" },
    RECORD_OPTIONS,
};
enum { INFERENCE = RUN_ROWS + VALUE_ROWS, BATCH, JSON, CSV, POWER, LAUNCHES, RECORD };

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

struct running {
    struct run_options options;
    struct value_asked values;
    struct record_options record;
    struct net_options net;
    const char *file, *json, *csv, *power, *launches;
};

static int take(struct running *r, const struct options *o, int i)
{
    unsigned batch = 0;
    int taken = i >= 0 ? run_options_take(&r->options, o, i) : 0;
    if (taken == 0)
        taken = value_take(&r->values, o, i - RUN_ROWS);
    if (taken == 0)
        taken = record_take(&r->record, o, i - RECORD);
    if (taken != 0)
        return taken;
    switch (i) {
    case INFERENCE: r->net.inference = true; return 1;
    case JSON:      r->json = o->value; return 1;
    case CSV:       r->csv = o->value; return 1;
    case POWER:     r->power = o->value; return 1;
    case LAUNCHES:  r->launches = o->value; return 1;
    case BATCH:
        if (!run_options_number(o->value, 1u << 30, &batch)) {
            options_wrong(o, "--batch %.40s: expected a whole number, 1 to %u", o->value,
                          1u << 30);
            return -1;
        }
        r->net.batch = batch;
        return 1;
    default:
        if (r->file) {
            options_wrong(o, "%.80s: a second file; expected one", o->value);
            return -1;
        }
        r->file = o->value;
        return 1;
    }
}

static bool check_files(const struct running *r, struct diag *d)
{
    const struct output_use uses[] = {
        { "the trace", r->file, true },  { "the machine", r->options.choice.file, true },
        { "--json", r->json, false },    { "--csv", r->csv, false },
        { "--power", r->power, false },  { "--launches", r->launches, false },
        RECORD_USES(&r->record),
    };
    return output_check(uses, sizeof uses / sizeof uses[0], d);
}

/* 0, or the exit status of a command that ends here. */
static int parse(struct running *r, struct options *o, bool *ends)
{
    int i;
    *ends = true;
    while ((i = options_next(o)) >= 0 || i == OPTIONS_ARGUMENT)
        if (take(r, o, i) < 0)
            return 2;
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (!r->file)
        return options_wrong(o, "no file; expected a trace or a network");
    if (!r->options.choice.arch && !r->options.choice.file)
        return options_wrong(o, "no machine; expected --arch NAME or --machine FILE");
    *ends = false;
    return 0;
}

/* One result file, if it was asked for. */
static int write_file(const json_t *result, const char *path,
                      void (*write)(const json_t *, FILE *), bool *on_stdout)
{
    if (!path)
        return 0;
    *on_stdout |= output_is_stdout(path);
    return output_write(path, result, write);
}

static int write_all(const struct running *r, const json_t *result)
{
    bool on_stdout = r->record.timeline && output_is_stdout(r->record.timeline);
    int status = write_file(result, r->json, output_json, &on_stdout);
    if (status == 0)
        status = write_file(result, r->csv, report_csv, &on_stdout);
    if (status == 0)
        status = write_file(result, r->power, report_power_csv, &on_stdout);
    if (status == 0)
        status = write_file(result, r->launches, report_launches_csv, &on_stdout);
    if (status == 0 && !on_stdout)
        report_text(result, stdout);
    return status;
}

static int run(const struct running *r, const struct experiment *e)
{
    struct diag d = { .text = "" };
    int status = 0;
    if (r->launches && machine_kind(e->machine) != MACHINE_GPU) {
        diag_set(&d, 0, 0, "--launches means nothing on a %s; expected a gpu",
                 machine_kind_name(machine_kind(e->machine)));
        return fail(&d, 2);
    }
    struct experiment recorded = *e;
    struct record_files files;
    json_t *result = NULL;
    recorded.clock_from_values = r->values.clock_from_values;
    if (!record_begin(&r->record, &recorded, &files, &d, &status)
        || (result = value_experiment(&r->values, &recorded, &d, &status)) == NULL) {
        if (d.line > 0 && d.file[0] == '\0')
            snprintf(d.file, sizeof d.file, "%s", r->file);
        return record_end(&files, fail(&d, status));
    }
    status = record_end(&files, write_all(r, result));
    json_decref(result);
    return status;
}

static int disassemble(const struct running *r, const struct experiment *e)
{
    struct diag d = { .text = "" };
    if (experiment_disassemble(e, stdout, &d))
        return 0;
    if (d.line > 0)
        snprintf(d.file, sizeof d.file, "%s", r->file);
    return fail(&d, 2);
}

static int with_trace(struct running *r, int (*then)(const struct running *,
                                                     const struct experiment *))
{
    struct diag d = { .text = "" };
    struct machine *m = run_options_machine(&r->options, &d);
    if (!m)
        return fail(&d, 2);
    struct trace *t = trace_load(r->file, &r->net, &d);
    int status = 2;
    if (t) {
        struct experiment e = run_options_experiment(&r->options, m);
        e.trace = t;
        e.progress = true;
        trace_print_warnings(t, r->file, stderr);
        status = then(r, &e);
    } else {
        diag_print(&d, stderr);
    }
    trace_free(t);
    machine_free(m);
    return status;
}

int cmd_run(int argc, char **argv)
{
    struct options o = OPTIONS("run", "FILE", rows, argc, argv);
    struct running r = { .values = VALUE_ASKED };
    struct diag d = { .text = "" };
    bool ends;
    int status = parse(&r, &o, &ends);
    if (ends)
        return status;
    return check_files(&r, &d) ? with_trace(&r, run) : fail(&d, 2);
}

int cmd_disasm(int argc, char **argv)
{
    struct options o = OPTIONS("disasm", "FILE", rows, argc, argv);
    struct running r = { .values = VALUE_ASKED };
    bool ends;
    int status = parse(&r, &o, &ends);
    return ends ? status : with_trace(&r, disassemble);
}
