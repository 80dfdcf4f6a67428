/* options.h - a command's options, from one table: parsed, explained, and corrected.
 *
 *     static const struct option_row rows[] = {
 *         { "arch",  "NAME", "the machine" },
 *         { "quiet", NULL,   "no progress" },
 *     };
 *     struct options o = OPTIONS("gemm", "MxKxN", rows, argc, argv);
 *     for (int i; (i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT; )
 *         ...                  i is a row's index; o.value its value or the argument
 *     if (i == OPTIONS_HELP)   return 0;
 *     if (i == OPTIONS_WRONG)  return 2;       what is wrong is on stderr already
 *
 * Long options, as `--name value` or `--name=value`, anywhere; a row whose name is one letter is
 * `-o value`.  After `--` and for `-` alone, arguments.  Names are not abbreviated: a script that
 * works today then works when there are more of them.
 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

struct option_row {
    const char *name;
    const char *value;      /* what to call it, "FILE"; NULL: a flag */
    const char *what;       /* one line */
};

enum { OPTIONS_END = -1, OPTIONS_HELP = -2, OPTIONS_WRONG = -3, OPTIONS_ARGUMENT = -4 };

struct options {
    const char *command, *arguments;
    const struct option_row *rows;
    size_t      count;
    int         argc;
    char      **argv;
    int         at;         /* the next word */
    int         plain;      /* after `--` */
    const char *value;      /* of the option or argument just returned */
    const char *file;       /* not NULL: it stands there, in a line of a file, not on the */
    unsigned    line, column;                                       /* command line */
};

#define OPTIONS(command, arguments, rows, argc, argv) \
    { (command), (arguments), (rows), sizeof(rows) / sizeof(rows)[0], (argc), (argv), \
      1, 0, NULL, NULL, 0, 0 }

int options_next(struct options *o);

/* What stands before a row's name: "-" or "--". */
const char *options_dashes(const struct option_row *row);

/* How --help prints from here on: for a reader, or as a part of the manual (manual.h). */
enum options_style { OPTIONS_USAGE, OPTIONS_MANUAL, OPTIONS_COMPLETION };
void options_print_as(enum options_style style);

/* What a command says behind its options when asked for help: as it is, or in the manual as text
 * that is not filled. */
void options_more(void (*print)(FILE *out));

/* "simaccel COMMAND ARGUMENTS [options]" and a line an option. */
void options_usage(const struct options *o, FILE *out);

/* For what a command finds wrong by itself: says it, and where in a file or the usage; 2. */
int options_wrong(const struct options *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
