/* diag.c - the text of a refusal, and the nearest known name. */
#include "traces/diag.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#define WORD 63     /* longer words are names of nothing, and are not compared */

/* A quoted piece of a binary file must not reach a terminal as it is: a control
 * character becomes a dot-free, visible "\x1b". */
static void copy_visible(char *to, size_t size, const char *from)
{
    size_t n = 0;
    for (; *from && n + 5 <= size; from++) {
        unsigned char c = (unsigned char)*from;
        n += (size_t)snprintf(to + n, size - n, c < 32 || c > 126 ? "\\x%02x" : "%c", c);
    }
    to[n] = '\0';
}

bool diag_set(struct diag *d, unsigned line, unsigned column, const char *format, ...)
{
    assert(d && format);
    if (d->text[0])
        return false;
    char text[sizeof d->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    d->line   = line;
    d->column = column;
    copy_visible(d->text, sizeof d->text, text);
    return false;
}

void diag_print(const struct diag *d, FILE *out)
{
    char file[4 * sizeof d->file];
    copy_visible(file, sizeof file, d->file);
    if (file[0])
        fprintf(out, "%s:", file);
    if (d->line)
        fprintf(out, "%u:", d->line);
    if (d->line && d->column)
        fprintf(out, "%u:", d->column);
    fprintf(out, "%s%s\n", file[0] || d->line ? " " : "", d->text);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to add, drop, change or swap with the next, to make `b` of `a`; case does not
 * count.  A table of three rows: this one, the one before and the one before that. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
    size_t rows[3][WORD + 1];
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *top = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1,
                           above[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], top[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

const char *diag_nearest(const char *word, const char *const *names, size_t count)
{
    size_t length = strlen(word);
    size_t limit  = length / 3 > 1 ? length / 3 : 1;
    const char *nearest = NULL;
    if (length == 0 || length > WORD)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(names[i]);
        if (n > WORD || n > length + limit || length > n + limit)
            continue;
        size_t d = distance(word, length, names[i], n);
        if (d <= limit && (!nearest || d < distance(word, length, nearest, strlen(nearest))))
            nearest = names[i];
    }
    return nearest;
}
