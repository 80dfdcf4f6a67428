/* sheet.h - a machine file as it was written: words with their places, no meaning yet.
 *
 * A file is read whole before any of it is applied, because its parent's figures must
 * be set first and `parent:` may stand anywhere.  A word's text never holds a control
 * character, so it can be printed on one line and read back.
 */
#ifndef SIM_SHEET_H
#define SIM_SHEET_H

#include "traces/diag.h"

#define SHEET_BYTES   (1u << 20)    /* the longest file that is read */
#define SHEET_FIGURES 4096          /* the most figures in one file */

struct word {
    char    *text;                  /* NULL: not in the file */
    unsigned line, column;
};

struct sheet_figure {
    struct word section, name, value, source, unit;
};

struct sheet {
    struct word name, kind, description, parent;
    size_t      count;
    struct sheet_figure *figures;
};

/* Fills `s`, which sheet_clear empties whether reading went well or not. */
bool sheet_read(struct sheet *s, const char *text, size_t length, struct diag *d);
void sheet_clear(struct sheet *s);

/* A file's bytes, at most SHEET_BYTES of them; NULL with a diag if it cannot be had. */
char *sheet_load(const char *path, size_t *length, struct diag *d);

#endif
