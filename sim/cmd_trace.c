/* cmd_trace.c - reads a trace or expands a network; prints a summary or writes it. */
#include "sim/cmd_trace.h"

#include <stdlib.h>
#include <string.h>

#include "sim/options.h"
#include "sim/output.h"
#include "traces/net.h"
#include "traces/summary.h"

enum { OUTPUT, INFERENCE, BATCH, OPS };

static const struct option_row rows[] = {
    [OUTPUT]    = { "output",    "OUT",  "write the trace instead of a summary; -o for short" },
    [INFERENCE] = { "inference", NULL,   "of a network, the forward pass alone" },
    [BATCH]     = { "batch",     "ROWS", "of a network, another batch" },
    [OPS]       = { "ops",       NULL,   "list every op of the language, in Markdown" },
};

struct settings {
    const char        *file, *output;
    struct net_options net;
    bool               ops;
};

/* -o is what compilers taught everybody; options.h has long names alone. */
static void lengthen(int argc, char **argv)
{
    static char output[] = "--output";
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "-o") == 0)
            argv[i] = output;
}

static bool read_batch(const char *text, uint64_t *batch)
{
    size_t digits = strspn(text, "0123456789");
    *batch = strtoull(text, NULL, 10);      /* what is too large stays too large */
    return digits > 0 && text[digits] == '\0' && *batch >= 1 && *batch <= NET_WIDTH_MAX;
}

/* Returns -1 to go on, or the exit status. */
static int read_settings(int argc, char **argv, struct settings *s)
{
    struct options o = OPTIONS("trace", "FILE", rows, argc, argv);
    int i;
    lengthen(argc, argv);
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT) {
        switch (i) {
        case OUTPUT:    s->output        = o.value; break;
        case INFERENCE: s->net.inference = true;    break;
        case OPS:       s->ops           = true;    break;
        case BATCH:
            if (!read_batch(o.value, &s->net.batch))
                return options_wrong(&o, "--batch: '%.40s' is out of range; expected a whole "
                                     "number, 1 to %u", o.value, NET_WIDTH_MAX);
            break;
        default:
            if (s->file)
                return options_wrong(&o, "%.80s: a second file; expected one", o.value);
            s->file = o.value;
        }
    }
    if (i != OPTIONS_END)
        return i == OPTIONS_HELP ? 0 : 2;
    if (!s->file && !s->ops)
        return options_wrong(&o, "no file; expected a trace or a network");
    return -1;
}

static void print_ops(FILE *out)
{
    fprintf(out, "| op | shapes | class | in place | attributes | meaning |\n"
            "| --- | --- | --- | --- | --- | --- |\n");
    for (int k = 0; k < TRACE_OPS_COUNT; k++) {
        const struct op_row *row = &op_rows[k];
        fprintf(out, "| %s | `%s` | %s | %u |", row->name, row->shapes,
                op_class_names[row->class], row->in_place);
        for (int a = 0; a < OP_ATTRIBUTES_COUNT; a++)
            if (row->attributes >> a & 1)
                fprintf(out, " %s", op_attributes[a].name);
        fprintf(out, " | %s |\n", row->meaning);
    }
}

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

static int write_trace(const struct trace *t, const char *path)
{
    struct diag d = { .text = "" };
    struct output *o = output_open(path, &d);
    if (!o)
        return fail(&d, 2);
    trace_write(t, output_stream(o));
    return output_commit(o, &d) ? 0 : fail(&d, 1);
}

int cmd_trace(int argc, char **argv)
{
    struct settings s = { .file = NULL };
    struct diag d = { .text = "" };
    int status = read_settings(argc, argv, &s);
    if (status >= 0)
        return status;
    if (s.ops) {
        print_ops(stdout);
        return 0;
    }
    struct trace *t = trace_load(s.file, &s.net, &d);
    if (!t)
        return fail(&d, 2);
    trace_print_warnings(t, s.file, stderr);
    status = 0;
    if (s.output)
        status = write_trace(t, s.output);
    else
        trace_print_summary(t, stdout);
    trace_free(t);
    return status;
}
