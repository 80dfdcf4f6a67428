/* validate_csv.h - a small CSV file, read whole: lines of # are comments, then a header. */
#ifndef SIM_VALIDATE_CSV_H
#define SIM_VALIDATE_CSV_H

#include "sim/validate.h"

struct csv {
    size_t rows, columns;
    char **cells;           /* [1 + rows][columns]; row 0 is the header */
    unsigned *lines;        /* [rows] of the file, from 1 */
};

/* `name` in `folder`.  Quoted cells may hold commas and doubled quotes, not line breaks.
 * No row may have more cells than the header. */
bool csv_read(struct csv *c, const char *folder, const char *name, struct diag *d);
void csv_clear(struct csv *c);

/* "" and 0 where there is no such column. */
const char *csv_text(const struct csv *c, size_t row, const char *column);
double      csv_number(const struct csv *c, size_t row, const char *column);

/* Whether a row is run at this size. */
bool csv_wanted(const struct csv *c, size_t row, enum validate_size size);

#endif
