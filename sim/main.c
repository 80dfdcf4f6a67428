/* main.c - which command is meant, and the exit status: 0 done, 1 the run failed, 2 wrong
 * input or use.
 *
 * `simaccel --arch A FILE` is short for `simaccel run --arch A FILE`.
 */
#include <stdio.h>
#include <string.h>

#include "sim/cmd_hbm.h"
#include "sim/cmd_machine.h"
#include "sim/cmd_run.h"
#include "sim/cmd_sweep.h"
#include "sim/cmd_trace.h"
#include "sim/cmd_train.h"
#include "sim/cmd_validate.h"
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
    { "sweep",   cmd_sweep,   "run a trace or network at many points: sizes, rates, batches" },
    { "disasm",  cmd_disasm,  "print the program that a trace becomes" },
    { "kernel",  cmd_kernel,  "run a kernel of your own, PTX or CUDA C, on a GPU" },
    { "hbm",     cmd_hbm,     "drive the memory alone with a stream of requests" },
    { "trace",   cmd_trace,   "sum up a trace, or expand a network into one" },
    { "machine", cmd_machine, "list the machines, or print every figure of one" },
    { "validate", cmd_validate, "compare the model with measured chips" },
    { "help",    cmd_help,    "show this" },
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void usage(FILE *out)
{
    fputs("usage: simaccel --arch NAME FILE [options]\n"
          "       simaccel COMMAND ... (simaccel COMMAND --help says more)\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].what);
}

static int cmd_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    usage(stdout);
    return 0;
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
    if (strcmp(argv[1], "--help") == 0)
        return cmd_help(argc, argv);
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
