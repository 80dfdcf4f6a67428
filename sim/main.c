/* main.c - which command is meant, and the exit status: 0 done, 1 the run failed, 2 wrong
 * input or use.
 *
 * `simaccel --arch A FILE` is short for `simaccel run --arch A FILE`.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd_compare.h"
#include "sim/cmd_diff.h"
#include "sim/cmd_explain.h"
#include "sim/cmd_hbm.h"
#include "sim/cmd_machine.h"
#include "sim/cmd_plot.h"
#include "sim/cmd_run.h"
#include "sim/cmd_step.h"
#include "sim/cmd_sweep.h"
#include "sim/cmd_trace.h"
#include "sim/cmd_train.h"
#include "sim/cmd_validate.h"
#include "sim/manual.h"
#include "sim/output.h"
#include "traces/diag.h"

static int cmd_help(int argc, char **argv);

static const struct command {
    const char *name;
    int       (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    { "run",     cmd_run,     "run a trace or network on a machine" },
    { "train",   cmd_train,   "let a network learn on machines, with their own numbers" },
    { "gemm",    cmd_gemm,    "run one matrix product, or a list of them" },
    { "compare", cmd_compare, "run a trace or network on several machines, side by side" },
    { "diff",    cmd_diff,    "say what changed between two results" },
    { "explain", cmd_explain, "work out one op of a result by hand" },
    { "sweep",   cmd_sweep,   "run a trace or network at many points: sizes, rates, batches" },
    { "plot",    cmd_plot,    "draw results: energy, stalls, power, roofline, ..." },
    { "step",    cmd_step,    "look at a systolic array or an SM cycle by cycle" },
    { "disasm",  cmd_disasm,  "print the program that a trace becomes" },
    { "kernel",  cmd_kernel,  "run a kernel of your own, PTX or CUDA C, on a GPU" },
    { "hbm",     cmd_hbm,     "drive the memory alone with a stream of requests" },
    { "trace",   cmd_trace,   "sum up a trace, or expand a network into one" },
    { "machine", cmd_machine, "list the machines, or print every figure of one" },
    { "validate", cmd_validate, "compare the model with measured chips" },
    { "help",    cmd_help,    "show this, or a command's options" },
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void usage(FILE *out)
{
    fputs("usage: simaccel --arch NAME FILE [options]\n"
          "       simaccel COMMAND ... (simaccel COMMAND --help says more)\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].what);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown(const char *word)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = diag_nearest(word, names, COMMANDS);
    if (near != NULL)
        fprintf(stderr, "simaccel: %.80s: no such command; did you mean %s?\n", word, near);
    else if (strpbrk(word, "./") != NULL)
        fprintf(stderr, "simaccel: %.80s: no such command; expected --arch NAME before a "
                        "file\n", word);
    else
        fprintf(stderr, "simaccel: %.80s: no such command; expected one of these\n", word);
    usage(stderr);
    return 2;
}

/* What a command says of itself. */
static int describe(const struct command *c)
{
    static char help[16] = "--help";
    char name[16], *words[] = { name, help, NULL };
    snprintf(name, sizeof name, "%s", c->name);
    return c->run(2, words);
}

/* All commands but `help`, between a head and a tail. */
static int write_all(bool manual)
{
    struct manual_command all[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        all[i] = (struct manual_command){ commands[i].name, commands[i].what };
    options_print_as(manual ? OPTIONS_MANUAL : OPTIONS_COMPLETION);
    (manual ? manual_head : completion_head)(all, COMMANDS, stdout);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].run != cmd_help) {
            if (manual)
                manual_command(&all[i], stdout);
            describe(&commands[i]);
        }
    (manual ? manual_tail : completion_tail)(stdout);
    return 0;
}

static const struct option_row help_rows[] = {
    { "man",        NULL, "the manual page, as man reads it" },
    { "completion", NULL, "completions for bash" },
};

static int cmd_help(int argc, char **argv)
{
    struct options o = OPTIONS("help", "[COMMAND]", help_rows, argc, argv);
    enum { MAN, COMPLETION };
    int i = options_next(&o);
    if (i == OPTIONS_END)
        usage(stdout);
    if (i == OPTIONS_END || i == OPTIONS_HELP || i == OPTIONS_WRONG)
        return i == OPTIONS_WRONG ? 2 : 0;
    if (o.at < argc)
        return options_wrong(&o, "%.80s: too much; expected one command", argv[o.at]);
    if (i == MAN || i == COMPLETION)
        return write_all(i == MAN);
    const struct command *c = find(o.value);
    return c == NULL ? unknown(o.value) : describe(c);
}

static int dispatch(int argc, char **argv)
{
    static char run[16] = "run";
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("simaccel " SIMACCEL_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    const struct command *c = find(argv[1][0] == '-' ? run : argv[1]);
    if (c == NULL)
        return unknown(argv[1]);
    if (argv[1][0] != '-')
        return c->run(argc - 1, argv + 1);
    argv[0] = run;
    return c->run(argc, argv);
}

int main(int argc, char **argv)
{
    output_start();
    return output_finish(dispatch(argc, argv));
}
