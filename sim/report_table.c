/* report_table.c - see report_table.h. */
#include "sim/report_table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report_number.h"

#define COLUMNS    24
#define CELL       128
#define GAP        2
#define LEAST_NAME 16           /* the first column is not cut further than this */

struct column {
    enum table_side side;
    char head[2][CELL];
    int  width;
};

struct table {
    struct column column[COLUMNS];
    size_t columns, cells, room;
    char (*cell)[CELL];
};

struct table *table_new(void)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    return t;
}

static int widest(int width, const char *text)
{
    int length = (int)strlen(text);
    return length > width ? length : width;
}

void table_column(struct table *t, enum table_side side, const char *head, const char *unit)
{
    assert(t->columns < COLUMNS);
    assert(t->cells == 0);
    struct column *c = &t->column[t->columns++];
    c->side = side;
    snprintf(c->head[0], CELL, "%s", head);
    snprintf(c->head[1], CELL, "%s", unit);
    c->width = widest(widest(0, c->head[0]), c->head[1]);
}

void table_cell(struct table *t, const char *format, ...)
{
    assert(t->columns > 0);
    if (t->cells == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->cell = realloc(t->cell, t->room * sizeof *t->cell);
        if (!t->cell)
            abort();
    }
    struct column *c = &t->column[t->cells % t->columns];
    va_list args;
    va_start(args, format);
    vsnprintf(t->cell[t->cells], CELL, format, args);
    va_end(args);
    c->width = widest(c->width, t->cell[t->cells++]);
}

void table_fixed(struct table *t, int64_t value, int decimals)
{
    char text[NUMBER_TEXT];
    table_cell(t, "%s", number_fixed(text, value, decimals));
}

static void fit(struct table *t)
{
    int total = TABLE_INDENT - GAP;
    for (size_t c = 0; c < t->columns; c++)
        total += t->column[c].width + GAP;
    int left = t->column[0].width - (total - TABLE_WIDTH);
    left = left > LEAST_NAME ? left : LEAST_NAME;
    if (total > TABLE_WIDTH && t->column[0].width > left)
        t->column[0].width = left;
}

/* Spaces are owed, so that no line ends in them. */
static void put(const struct column *c, const char *text, int *owed, FILE *out)
{
    int length = (int)strlen(text), room = c->width - length;
    if (room < 0)
        fprintf(out, "%*s%.*s..", *owed, "", c->width - 2, text);
    else if (length > 0)
        fprintf(out, "%*s%s", *owed + (c->side == TABLE_RIGHT ? room : 0), "", text);
    else
        room = c->width;
    if (length > 0)
        *owed = 0;
    *owed += GAP + (c->side == TABLE_LEFT || length == 0 ? (room > 0 ? room : 0) : 0);
}

static void put_heads(const struct table *t, int line, FILE *out)
{
    int owed = TABLE_INDENT;
    bool any = false;
    for (size_t c = 0; c < t->columns; c++)
        any |= t->column[c].head[line][0] != '\0';
    for (size_t c = 0; any && c < t->columns; c++)
        put(&t->column[c], t->column[c].head[line], &owed, out);
    if (any)
        fputc('\n', out);
}

void table_print(struct table *t, FILE *out)
{
    assert(t->cells % t->columns == 0);
    fit(t);
    put_heads(t, 0, out);
    put_heads(t, 1, out);
    for (size_t i = 0; i < t->cells; i += t->columns) {
        int owed = TABLE_INDENT;
        for (size_t c = 0; c < t->columns; c++)
            put(&t->column[c], t->cell[i + c], &owed, out);
        fputc('\n', out);
    }
    free(t->cell);
    free(t);
}

void table_text(const char *text, FILE *out)
{
    int at = 0;
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (at > 0 && at + 1 + length > TABLE_WIDTH) {
            fputc('\n', out);
            at = 0;
        }
        at += fprintf(out, "%*s%.*s", at ? 1 : TABLE_INDENT, "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}
