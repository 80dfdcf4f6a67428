/* output.h - files that are whole or not there at all, and stdout that is checked.
 *
 * A file is written beside its place under a name of its own and renamed over it when
 * it is complete.  "-" is stdout; a path that ends in .gz is compressed; what is there
 * and no plain file (a pipe, /dev/null) is written directly.
 *
 * Not done: removing the file beside when a signal ends the program.
 */
#ifndef SIM_OUTPUT_H
#define SIM_OUTPUT_H

#include <stdio.h>

#include "traces/diag.h"

struct output;

struct output *output_open(const char *path, struct diag *d);   /* NULL: cannot be made */
FILE          *output_stream(struct output *o);

/* Puts the file in its place and frees `o`; false if any write failed, and then what
 * was at the path before is still there. */
bool output_commit(struct output *o, struct diag *d);
void output_discard(struct output *o);                          /* takes NULL */

/* At the start and the end of main.  The first sees to it that a closed stdout or a
 * broken pipe is an error and no surprise; the second gives `status`, or 1 with a
 * message if something written to stdout was lost. */
void output_start(void);
int  output_finish(int status);

#endif
