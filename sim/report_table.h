/* report_table.h - tables that line up, and text that is broken into lines. */
#ifndef SIM_REPORT_TABLE_H
#define SIM_REPORT_TABLE_H

#include <stdint.h>
#include <stdio.h>

#define TABLE_WIDTH 110
#define TABLE_INDENT 2

enum table_side { TABLE_LEFT, TABLE_RIGHT };

struct table;

struct table *table_new(void);

/* All columns come before the first cell.  `unit` is the second line of the head. */
void table_column(struct table *t, enum table_side side, const char *head, const char *unit);

/* The next cell, row by row. */
void table_cell(struct table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void table_fixed(struct table *t, int64_t value, int decimals);

/* Prints and frees.  The first column is cut where the table would be wider than
 * TABLE_WIDTH. */
void table_print(struct table *t, FILE *out);

/* `text`, indented, broken at spaces to stay within TABLE_WIDTH. */
void table_text(const char *text, FILE *out);

#endif
