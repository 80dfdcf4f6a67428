/* sweep_axis.c - one --over, from left to right. */
#include "sim/sweep_axis.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct sweep_axis *axis;
    const char        *text;
    struct diag       *diag;
};

bool sweep_axis_refuse(const struct sweep_axis *a, const struct sweep_word *w, struct diag *d,
                       const char *format, ...)
{
    char text[sizeof d->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(d->file, sizeof d->file, "%s", a->place.file);
    return diag_set(d, a->place.line, w->column, "%s", text);
}

static unsigned column_of(const struct reader *r, const char *at)
{
    return r->axis->place.column + (unsigned)(at - r->text);
}

static bool refuse(const struct reader *r, const char *at, const char *what, const char *expected)
{
    struct sweep_word here = { NULL, column_of(r, at) };
    return sweep_axis_refuse(r->axis, &here, r->diag, "%.40s%s; expected %s", *at ? at : "the end",
                             what, expected);
}

/* Blanks around a word are not part of it. */
static const char *trim(const char *text, const char **end)
{
    while (text < *end && *text == ' ')
        text++;
    while (*end > text && (*end)[-1] == ' ')
        --*end;
    return text;
}

static char *copy(const char *text, size_t length)
{
    char *c = strndup(text, length);
    if (!c)
        abort();
    return c;
}

static bool read_names(struct reader *r, const char *equals)
{
    struct sweep_axis *a = r->axis;
    for (const char *at = r->text; at <= equals; ) {
        size_t length = strcspn(at, ",=");
        const char *end = at + length, *name = trim(at, &end);
        if (name == end)
            return refuse(r, at, ": no parameter's name",
                          "PARAMETER=VALUES, as mxu.rows=64,128");
        if (a->names == SWEEP_NAMES)
            return refuse(r, at, ": too many parameters for one axis", "eight at most");
        a->name[a->names++] = (struct sweep_word){ copy(name, (size_t)(end - name)),
                                                   column_of(r, name) };
        at += length + 1;
    }
    return true;
}

static void add(struct sweep_axis *a, const char *text, size_t length, unsigned column)
{
    if ((a->count + 1) * a->names > a->room) {
        a->room = 2 * a->room + 16 * a->names;
        a->values = reallocarray(a->values, a->room, sizeof *a->values);
        if (!a->values)
            abort();
    }
    struct sweep_word *row = &a->values[a->count++ * a->names];
    for (size_t n = 0; n < a->names; n++)
        row[n] = (struct sweep_word){ copy(text, length), column };
}

/* A number at `*at`, which moves behind it. */
static bool read_number(const char **at, double *value)
{
    char *end;
    size_t plain = strspn(*at, "0123456789.eE+-");
    if (plain == 0)
        return false;
    *value = strtod(*at, &end);
    if (end > *at && end[-1] == '.' && *end == '.')     /* "1..4" begins with "1." */
        end--;
    bool good = end > *at && end <= *at + plain && isfinite(*value);
    *at = end;
    return good;
}

struct range { double first, last, step; bool times; };

/* Digits that tell all of a range apart, and no more: 0.3, not 0.30000000000000004. */
static void add_range(struct reader *r, const struct range *g, unsigned column)
{
    double most = g->last + 1e-9 * fabs(g->last - g->first);
    double x = g->first;
    for (size_t i = 1; x <= most && r->axis->count <= SWEEP_POINTS; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, fabs(x) < 1e15 && x == floor(x) ? "%.0f" : "%.12g",
                              x);
        add(r->axis, text, (size_t)length, column);
        x = g->times ? x * g->step : g->first + (double)i * g->step;
    }
}

/* "32..512:*2", of which `dots` is the first of two. */
static bool read_range(struct reader *r, const char *item, const char *dots, const char *end)
{
    static const char what[] = "numbers, as 10..160:+10 or 32..512:*2";
    struct range g = { .step = 1 };
    const char *at = item;
    if (!read_number(&at, &g.first) || at != dots)
        return refuse(r, item, ": no range", what);
    at = dots + 2;
    if (!read_number(&at, &g.last))
        return refuse(r, dots, ": no end of the range", what);
    if (at < end && at[0] == ':' && (at[1] == '*' || at[1] == '+')) {
        const char *step = at += 2;
        g.times = step[-1] == '*';
        if (!read_number(&at, &g.step))
            return refuse(r, step, ": no step", what);
        if (!(g.step > (g.times ? 1 : 0)))
            return refuse(r, step, ": a step that leads nowhere", "one above 0, or *one above 1");
    }
    if (at != end)
        return refuse(r, at, " stands behind the range", what);
    if (g.last < g.first || (g.times && g.first <= 0))
        return refuse(r, item, ": the range has no values",
                      "its end above its beginning, and both above 0 with *");
    add_range(r, &g, column_of(r, item));
    return true;
}

/* "64/256": a value for each name. */
static bool read_tuple(struct reader *r, const char *item, const char *end)
{
    struct sweep_axis *a = r->axis;
    add(a, "", 0, column_of(r, item));
    struct sweep_word *row = &a->values[(a->count - 1) * a->names];
    const char *at = item;
    for (size_t n = 0; n < a->names; n++) {
        size_t length = at <= end ? strcspn(at, "/,") : 0;
        const char *last = at + length, *value = trim(at, &last);
        if (value == last || (n + 1 < a->names) != (at[length] == '/'))
            return refuse(r, item, ": not a value for each of the parameters",
                          "as many, with / between");
        free(row[n].text);
        row[n] = (struct sweep_word){ copy(value, (size_t)(last - value)), column_of(r, value) };
        at += length + 1;
    }
    return true;
}

static bool read_item(struct reader *r, const char *item, const char *end)
{
    item = trim(item, &end);
    const char *dots = strstr(item, "..");
    if (item == end)
        return refuse(r, item, ": no value", "a value or a range before each comma");
    if (dots && dots < end)
        return read_range(r, item, dots, end);
    if (memchr(item, '/', (size_t)(end - item)))
        return read_tuple(r, item, end);
    add(r->axis, item, (size_t)(end - item), column_of(r, item));
    return true;
}

/* Not printed: it would break the message's line. */
static bool refuse_control(const struct reader *r, const char *at)
{
    struct sweep_word here = { NULL, column_of(r, at) };
    return sweep_axis_refuse(r->axis, &here, r->diag, "byte 0x%02x is no text; expected printable "
                             "characters", (unsigned char)*at);
}

static bool read_axis(struct reader *r)
{
    const char *equals = strchr(r->text, '='), *end;
    for (const char *at = r->text; *at; at++)
        if (iscntrl((unsigned char)*at))
            return refuse_control(r, at);
    if (!equals)
        return refuse(r, r->text, ": no values", "PARAMETER=VALUES, as mxu.rows=64,128");
    if (!read_names(r, equals))
        return false;
    for (const char *at = equals + 1; ; at = end + 1) {
        end = at + strcspn(at, ",");
        if (!read_item(r, at, end))
            return false;
        if (r->axis->count > SWEEP_POINTS)
            return refuse(r, at, ": more than a million values", "fewer");
        if (*end == '\0')
            return true;
    }
}

bool sweep_axis_parse(struct sweep_axis *a, const char *text, const struct sweep_place *place,
                      struct diag *d)
{
    *a = (struct sweep_axis){ .place = *place };
    struct reader r = { a, text, d };
    if (read_axis(&r))
        return true;
    sweep_axis_free(a);
    return false;
}

void sweep_axis_free(struct sweep_axis *a)
{
    for (size_t n = 0; n < a->names; n++)
        free(a->name[n].text);
    for (size_t i = 0; i < a->count * a->names; i++)
        free(a->values[i].text);
    free(a->values);
    *a = (struct sweep_axis){ .names = 0 };
}

const struct sweep_word *sweep_axis_value(const struct sweep_axis *a, size_t i, size_t n)
{
    return &a->values[i * a->names + n];
}
