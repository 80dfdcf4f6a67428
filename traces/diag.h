/* diag.h - what is wrong with an input, where, and what was expected.
 *
 * Readers (traces, networks, machine files) fill a `struct diag` and return false
 * or NULL; whoever knows the file prints it and main exits with status 2:
 *
 *     workloads/x.net:12:8: units: 0 is out of range; expected a whole number, 1 to 65536
 */
#ifndef TRACES_DIAG_H
#define TRACES_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct diag {
    char     file[256];     /* as the user wrote it; "" if there is none */
    unsigned line, column;  /* from 1; 0 means not known, and is not printed */
    char     text[512];     /* "what is wrong; what was expected" */
};

/* Fills line, column and text (cut to fit, control characters made visible);
 * returns false, so that a reader can `return diag_set(...)`.  The first error wins:
 * a diag that already holds a text is left as it is. */
bool diag_set(struct diag *d, unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One line on `out`: file:line:column: text. */
void diag_print(const struct diag *d, FILE *out);

/* The name nearest to `word` (edit distance at most a third of its length, at least 1),
 * or NULL.  `names` has `count` entries. */
const char *diag_nearest(const char *word, const char *const *names, size_t count);

#endif
