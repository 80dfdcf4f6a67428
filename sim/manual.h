/* manual.h - the manual page and the completions of bash, both from the tables of options.
 *
 *     simaccel help --man > simaccel.1            mdoc, as man(1) reads it
 *     simaccel help --completion > simaccel       for bash-completion/completions
 *
 * Each command's part is what it prints for --help, in another form: options_print_as.
 */
#ifndef SIM_MANUAL_H
#define SIM_MANUAL_H

#include <stddef.h>
#include <stdio.h>

#include "sim/options.h"

struct manual_command { const char *name, *what; };

/* What stands before and behind the commands' parts. */
void manual_head(const struct manual_command *commands, size_t count, FILE *out);
void manual_command(const struct manual_command *command, FILE *out);
void manual_tail(FILE *out);

void completion_head(const struct manual_command *commands, size_t count, FILE *out);
void completion_tail(FILE *out);

/* A command's options. */
void manual_options(const struct options *o, FILE *out);
void completion_options(const struct options *o, FILE *out);

#endif
