/* sweep_slurm.c - see sweep_slurm.h. */
#include "sim/sweep_slurm.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 1000       /* Slurm's own MaxArraySize, 1001, is one above the last index */

unsigned sweep_slurm_most(void)
{
    char line[256];
    unsigned most = 0, size;
    FILE *in = popen("scontrol show config 2>/dev/null", "r");
    while (in && fgets(line, sizeof line, in))
        if (sscanf(line, "MaxArraySize = %u", &size) == 1 && size > 1)
            most = size - 1;
    if (in)
        pclose(in);
    return most > 0 ? most : MOST;
}

char *sweep_slurm_folder(const char *results, struct diag *d)
{
    char here[PATH_MAX], *folder = NULL;
    const char *before = results[0] != '/' && getcwd(here, sizeof here) ? here : "";
    if (asprintf(&folder, "%s%s%s", before, before[0] ? "/" : "", results) < 0)
        abort();
    for (const char *c = folder; *c; c++)
        if (iscntrl((unsigned char)*c) || *c == '"' || *c == '\\') {
            diag_set(d, 0, 0, "--slurm: the folder of results has byte 0x%02x in its path, with "
                     "which sbatch cannot name the tasks' outputs; expected a folder without "
                     "\", \\ and control characters", (unsigned char)*c);
            free(folder);
            return NULL;
        }
    return folder;
}

/* One word of the shell, whatever is in it. */
static void quote(const char *word, FILE *out)
{
    fputc('\'', out);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    fputc('\'', out);
}

/* This program, wherever the task looks for it. */
static void print_program(FILE *out)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    quote(n > 0 ? path : "simaccel", out);
}

/* --shard stands first: behind "--" it would be no option. */
static void print_command(const struct sweep_slurm *s, FILE *out)
{
    print_program(out);
    fprintf(out, " sweep --shard \"${SLURM_ARRAY_TASK_ID:?}/%u\"", s->tasks);
    for (size_t i = 0; i < s->count; i++) {
        fputc(' ', out);
        quote(s->words[i], out);
    }
    fputc('\n', out);
}

static void print_header(const struct sweep_slurm *s, FILE *out)
{
    fprintf(out, "#!/bin/sh\n#SBATCH --job-name=simaccel-sweep\n#SBATCH --array=1-%u\n"
            "#SBATCH --cpus-per-task=%u\n#SBATCH --output=\"", s->tasks, s->cpus);
    for (const char *c = s->results; *c; c++)
        fputs(*c == '%' ? "%%" : (char[]){ *c, '\0' }, out);
    fputs("/slurm-%a.txt\"\n\n", out);
    fputs("# When all tasks have ended, the same command with --collect in place of --shard writes\n"
          "# the table.  If something is missing then, send this again.\n", out);
}

static void print_place(FILE *out)
{
    char folder[PATH_MAX];
    const char *machines = getenv("SIMACCEL_MACHINES");
    if (getcwd(folder, sizeof folder)) {
        fputs("cd ", out);
        quote(folder, out);
        fputs(" || exit\n", out);
    }
    if (machines) {
        fputs("export SIMACCEL_MACHINES=", out);
        quote(machines, out);
        fputc('\n', out);
    }
}

void sweep_slurm_write(const struct sweep_slurm *s, FILE *out)
{
    print_header(s, out);
    print_place(out);
    fputs("exec ", out);
    print_command(s, out);
}
