/* cmd_gemm.c - run one matrix product, or a list of them. */
#include <stdlib.h>
#include <string.h>

#include "sim/cmd_run.h"
#include "sim/gemm.h"
#include "sim/output.h"
#include "sim/record_options.h"
#include "sim/report.h"
#include "sim/report_field.h"
#include "sim/run_options.h"
#include "sim/value_run.h"

static const struct option_row rows[] = {
    RUN_OPTIONS,
    VALUE_OPTIONS,
    { "transpose", "nn|nt|tn",     "how operands are stored (default: nn)" },
    { "type",      "bf16|f16|f32", "what they are stored as (default: bf16)" },
    { "list",      "FILE",         "products from a CSV file with columns M, K, N" },
    { "json",      "FILE",         "write the result as JSON (- is stdout, and then no text)" },
    { "csv",       "FILE",         "write rows of a list there (default: stdout)" },
    RECORD_OPTIONS,
};
enum { TRANSPOSE = RUN_ROWS + VALUE_ROWS, TYPE, LIST, JSON, CSV, RECORD };

struct multiplying {
    struct run_options options;
    struct value_asked values;
    struct record_options record;
    struct gemm gemm;
    bool        given;
    const char *list, *json, *csv;
};

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

static int refuse(const struct options *o, const char *what, const char *expected)
{
    options_wrong(o, "%s%.40s: expected %s", what, o->value, expected);
    return -1;
}

static int take(struct multiplying *x, const struct options *o, int i)
{
    int taken = i >= 0 ? run_options_take(&x->options, o, i) : 0;
    if (taken == 0)
        taken = value_take(&x->values, o, i - RUN_ROWS);
    if (taken == 0)
        taken = record_take(&x->record, o, i - RECORD);
    if (taken != 0)
        return taken;
    switch (i) {
    case TRANSPOSE:
        return gemm_transpose(&x->gemm, o->value) ? 1 : refuse(o, "--transpose ", "nn, nt or tn");
    case TYPE:
        return gemm_type(&x->gemm, o->value) ? 1 : refuse(o, "--type ", "bf16, f16 or f32");
    case LIST: x->list = o->value; return 1;
    case JSON: x->json = o->value; return 1;
    case CSV:  x->csv = o->value; return 1;
    default:
        if (x->given)
            return refuse(o, "", "one product");
        x->given = true;
        return gemm_parse(&x->gemm, o->value) ? 1
             : refuse(o, "", "rows x inputs x outputs, as 1024x4096x512");
    }
}

static json_t *multiply(const struct multiplying *x, const struct machine *m,
                        const struct gemm *g, struct record_files *files, struct diag *d,
                        int *status)
{
    struct trace *t = gemm_trace(g, d);
    json_t *result = NULL;
    *status = 2;
    if (t) {
        struct experiment e = run_options_experiment(&x->options, m);
        if (e.lower.cores == 0 && machine_kind(m) == MACHINE_TPU)
            e.lower.cores = 1;
        e.trace = t;
        e.progress = !x->list;
        e.clock_from_values = x->values.clock_from_values;
        if (record_begin(&x->record, &e, files, d, status))
            result = value_experiment(&x->values, &e, d, status);
    }
    trace_free(t);
    return result;
}

static bool given_stdout(const char *path)
{
    return path && output_is_stdout(path);
}

static int run_one(const struct multiplying *x, const struct machine *m)
{
    struct diag d = { .text = "" };
    int status;
    struct record_files files = { .timeline = NULL };
    json_t *result = multiply(x, m, &x->gemm, &files, &d, &status);
    if (!result)
        return record_end(&files, fail(&d, status));
    if (x->json)
        status = output_write(x->json, result, output_json);
    if (status == 0 && !given_stdout(x->json) && !given_stdout(x->record.timeline))
        report_text(result, stdout);
    json_decref(result);
    return record_end(&files, status);
}

static void write_row(const struct gemm *g, const json_t *r, FILE *out)
{
    const json_t *op = json_array_get(json_object_get(r, "ops"), 0);
    fprintf(out, "%s,%llu,%llu,%llu,%s,%s,%.0f,%.17g,%.0f,%.17g,%.17g,%.17g,%.17g,%.0f,%.17g,"
            "%.17g,%s\n", g->name, (unsigned long long)g->m, (unsigned long long)g->k,
            (unsigned long long)g->n, gemm_transpose_name(g), trace_type_names[g->type],
            report_number(r, "cores"), report_number(r, "time_s"), report_number(r, "cycles"),
            report_number(r, "launch_s"), report_number(r, "host_s"),
            report_number(r, "flops_per_s"), report_number(r, "mxu_utilization"),
            report_number(json_object_get(r, "hbm"), "bytes"), report_number(r, "energy_j"),
            report_number(r, "average_power_w"),
            json_string_value(json_object_get(op, "bound_by")));
}

static int run_list(const struct multiplying *x, const struct machine *m)
{
    struct diag d = { .text = "" };
    struct gemm *list;
    size_t count = gemm_list(x->list, &x->gemm, &list, &d);
    if (count == 0)
        return fail(&d, 2);
    d.file[0] = '\0';
    struct output *o = output_open(x->csv ? x->csv : "-", &d);
    int status = o ? 0 : fail(&d, 2);
    if (o)
        fputs("name,m,k,n,transpose,type,cores,time_s,cycles,launch_s,host_s,flops_per_s,"
              "mxu_utilization,hbm_bytes,energy_j,average_power_w,bound_by\n", output_stream(o));
    for (size_t i = 0; o && status == 0 && i < count; i++) {
        struct record_files none;
        json_t *r = multiply(x, m, &list[i], &none, &d, &status);
        if (r)
            write_row(&list[i], r, output_stream(o));
        json_decref(r);
    }
    free(list);
    if (status != 0 && o) {
        output_discard(o);
        return fail(&d, status);
    }
    return !o ? status : output_commit(o, &d) ? 0 : fail(&d, 1);
}

static bool check_files(const struct multiplying *x, struct diag *d)
{
    const struct output_use uses[] = {
        { "the list", x->list, true }, { "the machine", x->options.choice.file, true },
        { "--json", x->json, false },  { "--csv", x->csv, false },
        RECORD_USES(&x->record),
    };
    return output_check(uses, sizeof uses / sizeof uses[0], d);
}

int cmd_gemm(int argc, char **argv)
{
    struct options o = OPTIONS("gemm", "MxKxN", rows, argc, argv);
    struct multiplying x = { .gemm = { .type = TRACE_BF16 }, .values = VALUE_ASKED };
    struct diag d = { .text = "" };
    int i;
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT)
        if (take(&x, &o, i) < 0)
            return 2;
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (x.given == (x.list != NULL))
        return options_wrong(&o, "expected either a product, as 1024x4096x512, or --list FILE");
    if (x.list && x.json)
        return options_wrong(&o, "--json is for one product; expected --csv with --list");
    if (x.list && (x.values.dump || x.values.check))
        return options_wrong(&o, "--dump and --check are for one product; expected no --list");
    if (x.list && (x.record.timeline || x.record.vcd || x.record.bins > 0))
        return options_wrong(&o, "--timeline, --vcd and --over-time are for one product; expected no "
                             "--list");
    if (!x.list && x.csv)
        return options_wrong(&o, "--csv is for a list; expected --json with one product");
    if (!x.options.choice.arch && !x.options.choice.file)
        x.options.choice.arch = "tpu";
    struct machine *m = check_files(&x, &d) ? run_options_machine(&x.options, &d) : NULL;
    if (!m)
        return fail(&d, 2);
    int status = x.list ? run_list(&x, m) : run_one(&x, m);
    machine_free(m);
    return status;
}
