/* output.h - files that are whole or not there at all, and stdout that is checked.
 *
 * A file is written beside its place under a name of its own and renamed over it when
 * it is complete.  "-" is stdout; a path that ends in .gz is compressed; what is there
 * and no plain file (a pipe, /dev/null) is written directly.
 *
 * Not done: removing the file beside when SIGKILL ends the program.
 */
#ifndef SIM_OUTPUT_H
#define SIM_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "traces/diag.h"

struct output;

struct output *output_open(const char *path, struct diag *d);   /* NULL: cannot be made */
/* The same, but what is at the path goes, whatever it is: no link is followed, no pipe is written
 * into.  For files that the program names itself; not for "-". */
struct output *output_open_instead(const char *path, struct diag *d);
/* As output_open, compressed whatever the path is called, stdout too; quickly. */
struct output *output_open_packed(const char *path, struct diag *d);
FILE          *output_stream(struct output *o);

/* Puts the file in its place and frees `o`; false if any write failed, and then what
 * was at the path before is still there. */
bool output_commit(struct output *o, struct diag *d);
void output_discard(struct output *o);                          /* takes NULL */

bool output_is_stdout(const char *path);                        /* "-"; not NULL */

/* What a command reads and where its results go, checked before it begins.  False: two results
 * of one file or of stdout, a result over what is read, or a file that cannot be made.  What is
 * there and no plain file may be named more than once. */
struct output_use {
    const char *option;         /* "--json", or of what is read what to call it: "the kernel" */
    const char *path;           /* NULL: not given */
    bool        is_read;
};
bool output_check(const struct output_use *uses, size_t count, struct diag *d);

/* A whole file made by `write`; what went wrong is said on stderr.  Returns the exit status:
 * 0, 1 if it could not be written to its end, 2 if it could not be made. */
int output_write(const char *path, const json_t *json, void (*write)(const json_t *, FILE *));
/* A `write`: the JSON itself, indented, reals with all their digits. */
void output_json(const json_t *json, FILE *out);

/* At the start and the end of main.  The first sees to it that a closed stdout or a
 * broken pipe is an error and no surprise, and that SIGINT, SIGTERM and SIGHUP leave no file
 * beside its place; the second gives `status`, or 1 with a
 * message if something written to stdout was lost. */
void output_start(void);
int  output_finish(int status);

#endif
