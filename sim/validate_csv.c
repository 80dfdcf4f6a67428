/* validate_csv.c - see validate_csv.h. */
#include "sim/validate_csv.h"

#include <stdlib.h>
#include <string.h>

#include "traces/text.h"

#define LINE 4096

/* Cuts the next cell off `*line`, in place. */
static char *cell(char **line)
{
    char *start = *line, *from = start, *to = start;
    bool quoted = *from == '"';
    from += quoted;
    for (; *from && (quoted || *from != ','); from++) {
        if (quoted && *from == '"' && *++from != '"') {
            quoted = false;
            if (*from == ',' || *from == '\0')
                break;
        }
        *to++ = *from;
    }
    *line = *from == ',' ? from + 1 : NULL;
    *to = '\0';
    return start;
}

/* False: the line has more cells than there are names. */
static bool add_row(struct csv *c, char *line, unsigned number)
{
    size_t at = c->rows * c->columns;
    c->lines = reallocarray(c->lines, c->rows + 1, sizeof *c->lines);
    if (!c->lines)
        abort();
    if (c->rows > 0)                    /* row 0 is the header */
        c->lines[c->rows - 1] = number;
    c->cells = realloc(c->cells, (at + c->columns) * sizeof *c->cells);
    if (!c->cells)
        abort();
    for (size_t i = 0; i < c->columns; i++)
        if (!(c->cells[at + i] = strdup(line ? cell(&line) : "")))
            abort();
    c->rows++;
    return !line || line[strspn(line, ", \t")] == '\0';
}

static size_t count_cells(const char *line)
{
    size_t count = 1;
    for (; *line; line++)
        count += *line == ',';
    return count;
}

static bool read_rows(struct csv *c, FILE *in, struct diag *d)
{
    char text[LINE];
    for (unsigned number = 1; fgets(text, sizeof text, in); number++) {
        char *line = text + (number == 1 ? text_mark(text, strlen(text)) : 0);
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        if (c->columns == 0)
            c->columns = count_cells(line);
        if (!add_row(c, line, number))
            return diag_set(d, number, 0, "there are more cells than the header has names; "
                            "expected %zu", c->columns);
    }
    return true;
}

bool csv_read(struct csv *c, const char *folder, const char *name, struct diag *d)
{
    *c = (struct csv){ 0 };
    snprintf(d->file, sizeof d->file, "%.120s/%.120s", folder, name);
    FILE *in = fopen(d->file, "r");
    if (!in)
        return diag_set(d, 0, 0, "cannot be read; expected measured rows, as CSV "
                        "(--reference FOLDER says where the project's are)");
    bool good = read_rows(c, in, d);
    fclose(in);
    c->rows -= c->rows > 0;             /* the header */
    if (good && c->rows == 0)
        good = diag_set(d, 0, 0, "no row; expected a header and rows below it");
    if (good)
        d->file[0] = '\0';
    else
        csv_clear(c);
    return good;
}

void csv_clear(struct csv *c)
{
    size_t cells = c->cells ? (c->rows + 1) * c->columns : 0;
    for (size_t i = 0; i < cells; i++)
        free(c->cells[i]);
    free(c->cells);
    free(c->lines);
    *c = (struct csv){ 0 };
}

const char *csv_text(const struct csv *c, size_t row, const char *column)
{
    for (size_t i = 0; i < c->columns; i++)
        if (strcmp(c->cells[i], column) == 0)
            return c->cells[(row + 1) * c->columns + i];
    return "";
}

double csv_number(const struct csv *c, size_t row, const char *column)
{
    return strtod(csv_text(c, row, column), NULL);
}

bool csv_wanted(const struct csv *c, size_t row, enum validate_size size)
{
    const char *word = csv_text(c, row, "size");
    for (int s = 0; s < VALIDATE_SIZES; s++)
        if (strcmp(word, validate_size_names[s]) == 0)
            return s <= (int)size;
    return true;
}
