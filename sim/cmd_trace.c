/* cmd_trace.c - reads a trace or expands a network; prints a summary or writes it. */
#include "sim/cmd_trace.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "traces/net.h"
#include "traces/summary.h"

static const char usage[] =
    "usage: simaccel trace [-o OUT] [--inference] [--batch ROWS] FILE\n"
    "       simaccel trace --ops\n"
    "\n"
    "Prints a summary of a trace, or of the training step that a network expands to.\n"
    "FILE may be gzipped; '-' is standard input.\n"
    "\n"
    "  -o, --output OUT   write the trace instead; gzipped for OUT.gz, '-' for stdout\n"
    "      --inference    of a network, the forward pass alone\n"
    "      --batch ROWS   of a network, another batch\n"
    "      --ops          list every op of the language, as a table in Markdown\n"
    "  -h, --help         show this\n";

struct settings {
    const char        *file, *output;
    struct net_options net;
    bool               ops, help;
};

static bool set_batch(const char *text, uint64_t *batch)
{
    char *end;
    unsigned long long v = strtoull(text, &end, 10);
    if (*end || strspn(text, "0123456789") != strlen(text) || v < 1 || v > NET_WIDTH_MAX) {
        fprintf(stderr, "simaccel trace: --batch: '%s' is wrong; expected a whole number, "
                "1 to %u\n", text, NET_WIDTH_MAX);
        return false;
    }
    *batch = v;
    return true;
}

static bool read_settings(int argc, char **argv, struct settings *s)
{
    static const struct option options[] = {
        { "output",    required_argument, NULL, 'o' },
        { "inference", no_argument,       NULL, 'i' },
        { "batch",     required_argument, NULL, 'b' },
        { "ops",       no_argument,       NULL, 'p' },
        { "help",      no_argument,       NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;
    optind = 0;     /* so that the command can be called twice in a process */
    while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        switch (c) {
        case 'o': s->output        = optarg; break;
        case 'i': s->net.inference = true;   break;
        case 'p': s->ops           = true;   break;
        case 'h': s->help          = true;   break;
        case 'b': if (!set_batch(optarg, &s->net.batch)) return false; break;
        default:  return false;
        }
    }
    s->file = argv[optind];
    if (s->ops || s->help)
        return true;
    if (optind + 1 == argc)
        return true;
    fprintf(stderr, "simaccel trace: %s\n%s", optind == argc ? "no file; expected one"
            : "more than one file; expected one", usage);
    return false;
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

/* What went to stdout is only known to have arrived once it is flushed. */
static int finish(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "simaccel trace: cannot write the result; expected a place to write to\n");
    return 1;
}

int cmd_trace(int argc, char **argv)
{
    struct settings s = { .file = NULL };
    struct diag d = { .text = "" };
    if (!read_settings(argc, argv, &s))
        return 2;
    if (s.help || s.ops) {
        if (s.help)
            fputs(usage, stdout);
        else
            print_ops(stdout);
        return finish();
    }
    struct trace *t = trace_load(s.file, &s.net, &d);
    if (!t) {
        diag_print(&d, stderr);
        return 2;
    }
    trace_print_warnings(t, s.file, stderr);
    if (!s.output)
        trace_print_summary(t, stdout);
    bool good = !s.output || trace_save(t, s.output, &d);
    if (!good)
        diag_print(&d, stderr);
    trace_free(t);
    return good ? finish() : 1;
}
