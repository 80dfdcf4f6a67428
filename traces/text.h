/* text.h - what traces and networks share as text: lines of words with their places.
 *
 * A line is words between spaces or tabs; `#` begins a comment.  The first line names
 * the format and its version and nothing comes before it.  Only printable ASCII is
 * text, so a binary file is refused at its first odd byte.  A byte-order mark of UTF-8 that an
 * editor has put before a file is no part of it.
 */
#ifndef TRACES_TEXT_H
#define TRACES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "traces/diag.h"

#define TEXT_LINE   1024            /* bytes in a line */
#define TEXT_WORDS  64              /* words in a line */
#define TEXT_FILE  (64u << 20)      /* bytes in a file, after decompression */

struct text_line {
    unsigned    number;             /* from 1 */
    unsigned    count;              /* words */
    const char *word[TEXT_WORDS];
    unsigned    column[TEXT_WORDS + 1];     /* [count] is where the line ends */
};

struct text {
    struct text_line line;          /* the current one */
    struct diag     *diag;
    const char      *at, *end;
    unsigned         number;
    char             copy[TEXT_LINE + 1];
};

void text_init(struct text *t, const char *text, size_t size, struct diag *d);

/* Moves to the next line that has words.  False at the end, and after an error, which is
 * then in the diag. */
bool text_next(struct text *t);

/* The first line: `format` and a version, which must be 1. */
bool text_first(struct text *t, const char *format);

/* Refuses word `i` of the current line. */
bool text_refuse(const struct text *t, unsigned i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Refuses word `i`, an unknown `what`, with the nearest of the names that are known. */
bool text_unknown(const struct text *t, unsigned i, const char *what,
                  const char *const *names, size_t count);

/* Word `i` as the index of one of the names; -1 after refusing it. */
int text_choice(const struct text *t, unsigned i, const char *what,
                const char *const *names, size_t count);

/* Word `i` from its character `offset` on, as a number; false after refusing it. */
bool text_whole(const struct text *t, unsigned i, size_t offset, const char *what,
                uint64_t min, uint64_t max, uint64_t *value);
bool text_number(const struct text *t, unsigned i, size_t offset, const char *what,
                 double *value);

/* Word `i` as a name, copied with its end into `name` of `size` bytes. */
bool text_name(const struct text *t, unsigned i, char *name, size_t size);

/* The shortest decimal that reads back to the same double. */
void text_print_number(double value, char *text, size_t size);

/* Bytes of the mark that a text begins with, 3 or 0. */
size_t text_mark(const char *text, size_t size);

/* A whole file behind its mark, unzipped if it is; "-" is standard input.  The caller frees it.  NULL
 * with the reason in `d`. */
char *text_load(const char *path, size_t *size, struct diag *d);
/* The same where another number of bytes is the most that there may be, at most 1 GiB. */
char *text_load_most(const char *path, size_t most, size_t *size, struct diag *d);

#endif
