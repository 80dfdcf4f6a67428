/* cmd_kernel.c - run a user's kernel on a GPU. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cmd_run.h"
#include "sim/figures.h"
#include "sim/kernel_options.h"
#include "sim/output.h"
#include "sim/record_options.h"
#include "sim/report.h"
#include "sim/run_options.h"

#define LIMIT_MS 10
#define DUMPS    64

static const struct option_row rows[] = {
    CHOICE_OPTIONS,
    KERNEL_OPTIONS,
    { "dump",     "NAME=FILE", "write a buffer there when the kernel has ended (many times)" },
    { "seed",     "N",         "of random buffers (default: 1)" },
    { "limit-ms", "T",         "simulated time that it may take, 0: any (default: 10)" },
    { "clock",    "MHZ",       "of the SMs, whatever the power (default: as the limit allows)" },
    { "sample",   NULL,        "cut the launch short when its blocks are steady" },
    { "threads",  "N",         "that run the model; the result is the same" },
    { "json",     "FILE",      "write the result as JSON (- is stdout, and then no text)" },
    { "launches", "FILE",      "write the launch's counts as CSV (- likewise)" },
    { "power",    "FILE",      "write power over time as CSV (- likewise)" },
    RECORD_OPTIONS,
};
enum { DUMP = CHOICE_ROWS + KERNEL_ROWS, SEED, LIMIT, CLOCK, SAMPLE, THREADS, JSON, LAUNCHES,
       POWER, RECORD };

struct dump { char *name; const char *path; uint32_t argument; };

struct calling {
    struct choice       choice;
    struct kernel_call  call;
    struct experiment   run;
    struct record_options record;
    const char *json, *launches, *power;
    struct dump dump[DUMPS];
    uint32_t    dumps;
    uint64_t    addresses[KERNEL_ARGS_MOST];
};

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

/* ---- options ---- */

static int refuse(const struct options *o, int row, const char *expected)
{
    options_wrong(o, "--%s %.60s: expected %s", rows[row].name, o->value, expected);
    return -1;
}

static bool whole(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    return isdigit((unsigned char)text[0]) && !errno && *end == '\0';
}

static int take_dump(struct calling *c, const struct options *o)
{
    const char *equals = strchr(o->value, '=');
    if (!equals || equals == o->value || equals[1] == '\0')
        return refuse(o, DUMP, "NAME=FILE");
    if (c->dumps == DUMPS)
        return refuse(o, DUMP, "at most 64 of them");
    c->dump[c->dumps].name = strndup(o->value, (size_t)(equals - o->value));
    c->dump[c->dumps++].path = equals + 1;
    c->call.values = true;
    return 1;
}

static int take_number(struct calling *c, const struct options *o, int row)
{
    if (row == SEED && whole(o->value, &c->call.seed))
        return 1;
    if (row == LIMIT && strcmp(o->value, "0") == 0) {
        c->run.limit_ms = 0;
        return 1;
    }
    if (row == LIMIT && run_options_real(o->value, 1e6, &c->run.limit_ms))
        return 1;
    if (row == CLOCK && run_options_real(o->value, 1e4, &c->run.clock_mhz))
        return 1;
    if (row == THREADS && run_options_number(o->value, 256, &c->run.threads))
        return 1;
    return refuse(o, row, row == LIMIT ? "milliseconds, 0 to 1000000"
                        : row == CLOCK ? "MHz, above 0, at most 10000"
                        : row == THREADS ? "a whole number, 1 to 256" : "a whole number");
}

static int take(struct calling *c, const struct options *o, int i)
{
    if (i >= 0 && choice_take(&c->choice, i, o->value))
        return 1;
    int taken = record_take(&c->record, o, i - RECORD);
    if (taken == 0)
        taken = kernel_options_take(&c->call, o, i - CHOICE_ROWS);
    if (taken != 0)
        return taken;
    switch (i) {
    case DUMP:     return take_dump(c, o);
    case SAMPLE:   c->run.sample = c->call.sample = true; return 1;
    case JSON:     c->json = o->value; return 1;
    case LAUNCHES: c->launches = o->value; return 1;
    case POWER:    c->power = o->value; return 1;
    case OPTIONS_ARGUMENT:
        if (!c->call.path) {
            c->call.path = o->value;
            return 1;
        }
        options_wrong(o, "%.80s: a second file; expected one", o->value);
        return -1;
    default: return take_number(c, o, i);
    }
}

/* A buffer may go back to the file that it came from. */
static bool check_files(const struct calling *c, struct diag *d)
{
    enum { OTHERS = 5 + RECORD_USE_COUNT };
    struct output_use uses[OTHERS + DUMPS] = {
        { "the kernel", c->call.path, true }, { "the machine", c->choice.file, true },
        { "--json", c->json, false },         { "--launches", c->launches, false },
        { "--power", c->power, false },       RECORD_USES(&c->record),
    };
    for (uint32_t i = 0; i < c->dumps; i++)
        uses[OTHERS + i] = (struct output_use){ "--dump", c->dump[i].path, false };
    return output_check(uses, OTHERS + c->dumps, d);
}

/* -1: go on; else the exit status. */
static int parse(struct calling *c, struct options *o)
{
    int i;
    while ((i = options_next(o)) >= 0 || i == OPTIONS_ARGUMENT)
        if (take(c, o, i) < 0)
            return 2;
    if (i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_HELP ? 0 : 2;
    if (!c->call.path)
        return options_wrong(o, "no file; expected a kernel, as PTX or CUDA C (.cu)");
    if (kernel_options_check(&c->call, o) != 0)
        return 2;
    if (c->run.sample && c->dumps > 0)
        return options_wrong(o, "--dump of a sampled launch, which leaves blocks out; expected no "
                             "--sample");
    if (!c->choice.arch && !c->choice.file)
        c->choice.arch = "gpu";
    return -1;
}

/* ---- the run ---- */

/* In the child: the buffers to be dumped, one after the other. */
static void write_buffers(const struct gpu_plan *plan, void *arg, FILE *out)
{
    const struct calling *c = arg;
    for (uint32_t i = 0; i < c->dumps; i++) {
        uint32_t a = c->dump[i].argument;
        uint64_t bytes = c->call.args.arg[a].buffer_bytes;
        fwrite(gpu_memory_at(plan->memory, c->addresses[a], bytes, NULL), 1, bytes, out);
    }
}

static int write_dump(const struct dump *x, const char *bytes, uint64_t size)
{
    struct diag d = { .text = "" };
    struct output *o = output_open(x->path, &d);
    if (!o)
        return fail(&d, 2);
    fwrite(bytes, 1, size, output_stream(o));
    return output_commit(o, &d) ? 0 : fail(&d, 1);
}

static int write_dumps(const struct calling *c, const struct experiment_rest *rest)
{
    uint64_t at = 0;
    int status = 0;
    for (uint32_t i = 0; i < c->dumps && status == 0; i++) {
        uint64_t size = c->call.args.arg[c->dump[i].argument].buffer_bytes;
        if (at + size > rest->size) {
            fprintf(stderr, "simaccel kernel: the run's buffers did not come back whole\n");
            return 1;
        }
        status = write_dump(&c->dump[i], rest->bytes + at, size);
        at += size;
    }
    return status;
}

static bool given_stdout(const char *path)
{
    return path && output_is_stdout(path);
}

/* For another result than the text. */
static bool uses_stdout(const struct calling *c)
{
    bool uses = given_stdout(c->json) || given_stdout(c->launches) || given_stdout(c->power)
             || given_stdout(c->record.timeline);
    for (uint32_t i = 0; i < c->dumps; i++)
        uses = uses || given_stdout(c->dump[i].path);
    return uses;
}

static int write_all(const struct calling *c, const json_t *result,
                     const struct experiment_rest *rest)
{
    int status = write_dumps(c, rest);
    if (status == 0 && c->json)
        status = output_write(c->json, result, output_json);
    if (status == 0 && c->launches)
        status = output_write(c->launches, result, report_launches_csv);
    if (status == 0 && c->power)
        status = output_write(c->power, result, report_power_csv);
    if (status == 0 && !uses_stdout(c))
        report_text(result, stdout);
    return status;
}

static int run(struct calling *c)
{
    struct diag d = { .text = "" };
    struct experiment_rest rest;
    int status;
    c->run.after = write_buffers;
    c->run.after_arg = c;
    c->run.progress = true;
    struct record_files files;
    if (!record_begin(&c->record, &c->run, &files, &d, &status))
        return fail(&d, status);
    json_t *result = experiment_run_rest(&c->run, &rest, &d, &status);
    if (result)
        status = write_all(c, result, &rest);
    else
        fail(&d, status);
    json_decref(result);
    free(rest.bytes);
    return record_end(&files, status);
}

static bool has_room(const struct gpu_plan *p, const struct hbm_config *h, struct diag *d)
{
    uint64_t bytes = gpu_memory_bytes(p->memory);
    uint64_t most = (uint64_t)(h->capacity_gib * 1073741824.0 * h->stacks);
    return bytes <= most || diag_set(d, 0, 0, "the buffers take %" PRIu64 " bytes; expected "
                                     "at most the %" PRIu64 " of the chip's memory", bytes, most);
}

static int with_machine(struct calling *c, const struct machine *m)
{
    struct diag d = { .text = "" };
    const struct figures *f = machine_figures(m);
    if (machine_kind(m) != MACHINE_GPU) {
        diag_set(&d, 0, 0, "%s is a %s, which runs no kernels; expected a gpu", machine_name(m),
                 machine_kind_name(machine_kind(m)));
        return fail(&d, 2);
    }
    for (uint32_t i = 0; i < c->dumps; i++)
        if ((c->dump[i].argument = kernel_args_buffer(&c->call.args, c->dump[i].name, &d))
            == UINT32_MAX)
            return fail(&d, 2);
    struct gpu_plan *plan = kernel_plan(&c->call, &f->gpu, c->addresses, &d);
    if (!plan)
        return fail(&d, 2);
    c->run.machine = m;
    c->run.plan = plan;
    int status = has_room(plan, &f->hbm, &d) ? run(c) : fail(&d, 2);
    gpu_plan_free(plan);
    return status;
}

int cmd_kernel(int argc, char **argv)
{
    struct options o = OPTIONS("kernel", "FILE.ptx|FILE.cu", rows, argc, argv);
    struct calling *c = calloc(1, sizeof *c);
    struct diag d = { .text = "" };
    if (!c)
        abort();
    c->call.seed = 1;
    c->run.limit_ms = LIMIT_MS;
    int status = parse(c, &o);
    if (status < 0) {
        struct machine *m = check_files(c, &d) ? choice_machine(&c->choice, &figures_schema, &d)
                                               : NULL;
        status = m ? with_machine(c, m) : fail(&d, 2);
        machine_free(m);
    }
    for (uint32_t i = 0; i < c->dumps; i++)
        free(c->dump[i].name);
    kernel_args_free(&c->call.args);
    free(c);
    return status;
}
