/* manual.c - see manual.h. */
#include "sim/manual.h"

#include <ctype.h>
#include <string.h>

/* Text of mdoc: a backslash is \e, a dash that is typed is \-. */
static void put(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

/* A line of text: one that began with a dot or a quote would be a request. */
static void put_line(const char *text, FILE *out)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    put(text, out);
    fputc('\n', out);
}

/* ---- the manual page ---- */

void manual_head(const struct manual_command *commands, size_t count, FILE *out)
{
    fputs(".Dd $Mdocdate$\n.Dt SIMACCEL 1\n.Os simaccel\n"
          ".Sh NAME\n.Nm simaccel\n"
          ".Nd training steps of dense networks on models of TPUs and GPUs\n"
          ".Sh SYNOPSIS\n"
          ".Nm\n.Fl Fl arch Ar name\n.Ar file\n.Op Ar options\n"
          ".Nm\n.Ar command\n.Op Ar arguments\n.Op Ar options\n"
          ".Sh DESCRIPTION\n.Nm\n"
          "executes one training step of a dense network on a cycle\\-level model of a TPU or of a "
          "GPU, and shows where every cycle and every joule went.\n"
          "Without a command it is\n.Cm run .\nThe commands are\n.Pp\n"
          ".Bl -tag -width validate -compact\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, ".It Cm %s\n", commands[i].name);
        put_line(commands[i].what, out);
    }
    fputs(".El\n.Pp\nOptions may stand before or after arguments, as\n.Fl Fl name Ar value\nor\n"
          ".Fl Fl name Ns = Ns Ar value ;\n.Fl Fl\nends them.\n"
          "A file that is\n.Sq \\-\nis standard input or output; a name that ends in\n.Pa .gz\n"
          "is gzipped.\n", out);
}

void manual_command(const struct manual_command *command, FILE *out)
{
    char title[32];
    snprintf(title, sizeof title, "%s", command->name);
    for (char *at = title; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    fprintf(out, ".Sh THE COMMAND %s\n", title);
    fputc(toupper((unsigned char)command->what[0]), out);
    put(command->what + 1, out);
    fputs(".\n", out);
}

/* One row: ".It Fl Fl name Ar VALUE" and what it is. */
static void manual_row(const struct option_row *row, FILE *out)
{
    fputs(strcmp(options_dashes(row), "--") == 0 ? ".It Fl Fl " : ".It Fl ", out);
    put(row->name, out);
    if (row->value) {
        fputs(" Ar ", out);
        put(row->value, out);
    }
    fputc('\n', out);
    put_line(row->what, out);
}

void manual_options(const struct options *o, FILE *out)
{
    fprintf(out, ".Pp\n.Nm\n.Cm %s\n", o->command);
    if (o->arguments[0] != '\0') {
        fputs(".Ar ", out);
        put_line(o->arguments, out);
    }
    fputs(".Op Ar options\n", out);
    if (o->count == 0)
        return;
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < o->count; i++)
        manual_row(&o->rows[i], out);
    fputs(".El\n", out);
}

void manual_tail(FILE *out)
{
    fputs(".Sh ENVIRONMENT\n.Bl -tag -width SIMACCEL_MACHINES\n"
          ".It Ev SIMACCEL_MACHINES\n"
          "Folders of machine files, with a colon between two, instead of those that belong to the "
          "program.\n.El\n"
          ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n"
          ".It 0\ndone\n.It 1\nthe run failed, or its result could not be written\n"
          ".It 2\nwrong input or wrong use; nothing is kept\n.El\n"
          ".Sh EXAMPLES\n.Dl simaccel \\-\\-arch tpu workloads/mlp.trace\n"
          ".Dl simaccel \\-\\-arch gpu workloads/mlp.trace\n"
          ".Dl simaccel train digits \\-\\-arch both\n"
          ".Dl simaccel gemm 1024x4096x4096 \\-\\-arch a100\n"
          ".Sh DIAGNOSTICS\n"
          "A message is one line,\n.Dl file:line:column: what is wrong; what was expected\n"
          "without the parts that there are not.\n", out);
}

/* ---- completion ---- */

void completion_head(const struct manual_command *commands, size_t count, FILE *out)
{
    fputs("# bash completion for simaccel: made by `simaccel help --completion`\n"
          "_simaccel() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]} options\n"
          "    COMPREPLY=()\n"
          "    if [[ $COMP_CWORD -eq 1 && $word != -* ]]; then\n"
          "        COMPREPLY=($(compgen -W '", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", commands[i].name);
    fputs("' -- \"$word\"))\n"
          "        return\n"
          "    fi\n"
          "    if [[ $before == --arch ]]; then\n"
          "        COMPREPLY=($(compgen -W \"tpu gpu $(simaccel machine 2>/dev/null |\n"
          "            sed -n 's/^ *\\([a-z0-9-]*\\).*/\\1/p')\" -- \"$word\"))\n"
          "        return\n"
          "    fi\n"
          "    [[ $command == -* ]] && command=run\n"
          "    case $command in\n", out);
}

void completion_options(const struct options *o, FILE *out)
{
    fprintf(out, "    %s) options='--help", o->command);
    for (size_t i = 0; i < o->count; i++)
        fprintf(out, " %s%s", options_dashes(&o->rows[i]), o->rows[i].name);
    fputs("' ;;\n", out);
}

void completion_tail(FILE *out)
{
    fputs("    *) options='--help' ;;\n"
          "    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _simaccel simaccel\n", out);
}
