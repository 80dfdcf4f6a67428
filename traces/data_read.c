/* data_read.c - rows of numbers between commas. */
#include <assert.h>
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "traces/data.h"
#include "traces/text.h"

struct reader {
    const char  *next, *end;        /* what is not yet read */
    const char  *line, *line_end;   /* the current line, without its end */
    unsigned     number;
    struct diag *diag;
    struct data *data;
    uint64_t     room;              /* rows */
    bool         began;             /* with names or a row */
};

/* What is between two commas, without the blanks round it. */
struct cell {
    const char *at;
    int         size;
    unsigned    column;
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool refuse(const struct reader *r, const struct cell *c, const char *what,
                   const char *expected)
{
    return diag_set(r->diag, r->number, c->column, "'%.*s' %s; expected %s",
                    c->size < 40 ? c->size : 40, c->at, what, expected);
}

static bool next_line(struct reader *r)
{
    if (r->next == r->end)
        return false;
    const char *newline = memchr(r->next, '\n', (size_t)(r->end - r->next));
    r->line     = r->next;
    r->line_end = newline ? newline : r->end;
    r->next     = newline ? newline + 1 : r->end;
    r->number++;
    if (r->line_end > r->line && r->line_end[-1] == '\r')
        r->line_end--;
    return true;
}

/* Nothing but blanks, or a comment. */
static bool says_nothing(const struct reader *r)
{
    const char *p = r->line;
    while (p < r->line_end && is_blank(*p))
        p++;
    return p == r->line_end || *p == '#';
}

/* Cuts a cell off at `*at`, which is NULL after the last one.  Commas in quotes do not part. */
static bool next_cell(const struct reader *r, const char **at, struct cell *c)
{
    const char *from = *at, *to = from;
    bool quoted = false;
    if (!from)
        return false;
    for (; to < r->line_end && (quoted || *to != ','); to++)
        quoted ^= *to == '"';
    *at = to < r->line_end ? to + 1 : NULL;
    while (from < to && is_blank(*from))
        from++;
    while (from < to && is_blank(to[-1]))
        to--;
    *c = (struct cell){ from, (int)(to - from), (unsigned)(from - r->line) + 1 };
    return true;
}

static bool is_word(const struct cell *c, const char *word)
{
    return (size_t)c->size == strlen(word) && strncasecmp(c->at, word, strlen(word)) == 0;
}

/* What writers of CSV put where there is no number. */
static bool is_missing(const struct cell *c)
{
    static const char *const words[] = { "nan", "inf", "infinity", "na", "n/a", "null", "none" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(c, words[i]))
            return true;
    return false;
}

/* Begins with a letter, also one of UTF-8, or is quoted. */
static bool is_name(const struct cell *c)
{
    unsigned char first = c->size ? (unsigned char)*c->at : 0;
    bool letter = isalpha(first) || first == '_' || (first >= 0xc2 && first <= 0xf4);
    return (letter || (first == '"' && c->size > 2 && isalpha((unsigned char)c->at[1])))
        && !is_missing(c);
}

static bool are_names(const struct reader *r)
{
    struct cell c;
    for (const char *at = r->line; next_cell(r, &at, &c);)
        if (!is_name(&c))
            return false;
    return true;
}

/* A row cannot be understood before it is known to have its columns. */
static bool check_columns(const struct reader *r)
{
    const struct data_shape *shape = &r->data->shape;
    uint64_t wanted = (uint64_t)shape->features + shape->targets, got = 0;
    unsigned column = 0;
    struct cell c;
    for (const char *at = r->line; next_cell(r, &at, &c); got++)
        if (got == wanted)
            column = c.column;
    if (got == wanted)
        return true;
    if (got < wanted)
        column = (unsigned)(r->line_end - r->line) + 1;
    return diag_set(r->diag, r->number, column, "the line has %llu column%s; expected %llu "
                    "between commas: %u feature%s, then %s", (unsigned long long)got,
                    got == 1 ? "" : "s", (unsigned long long)wanted, shape->features,
                    shape->features == 1 ? "" : "s",
                    shape->classes ? "the class" : "the targets");
}

/* strtod also takes "inf", "nan" and hexadecimal; the language does not. */
static bool read_number(const struct reader *r, const struct cell *c, double *value)
{
    static const char like[] = "a number like 0.25", finite[] = "a finite number like 0.25";
    char text[DATA_NUMBER], *end;
    if (c->size == 0)
        return diag_set(r->diag, r->number, c->column, "there is nothing; expected %s", like);
    if (is_missing(c))
        return refuse(r, c, "is no finite number", finite);
    if (*c->at == '"')
        return refuse(r, c, "is in quotes", "numbers without quotes");
    if (c->size >= DATA_NUMBER)
        return diag_set(r->diag, r->number, c->column, "a number of %d characters; expected at "
                        "most %d", c->size, DATA_NUMBER - 1);
    memcpy(text, c->at, (size_t)c->size);
    text[c->size] = '\0';
    *value = strtod(text, &end);
    if (end != text + c->size || strspn(text, "0123456789+-.eE") != (size_t)c->size)
        return refuse(r, c, "is no number", "one like 0.25, and commas between numbers");
    if (!(fabs(*value) <= FLT_MAX))
        return refuse(r, c, "is out of range", "a number that f32 can hold");
    return true;
}

static bool check_class(const struct reader *r, const struct cell *c, double value)
{
    char expected[64];
    uint32_t classes = r->data->shape.classes;
    snprintf(expected, sizeof expected, "a class, a whole number, 0 to %u", classes - 1);
    if (value != floor(value))
        return refuse(r, c, "is not whole", expected);
    if (value < 0 || value >= classes)
        return refuse(r, c, "is out of range", expected);
    return true;
}

static bool check_target(const struct reader *r, const struct cell *c, double value)
{
    if (r->data->shape.classes)
        return check_class(r, c, value);
    return !r->data->shape.shares || (value >= 0 && value <= 1)
        || refuse(r, c, "is out of range", "a share, 0 to 1");
}

static void grow(struct reader *r)
{
    struct data *s = r->data;
    if (s->rows < r->room)
        return;
    r->room = r->room ? 2 * r->room : 1;
    s->x = reallocarray(s->x, r->room * s->shape.features, sizeof *s->x);
    s->t = reallocarray(s->t, r->room * s->shape.targets, sizeof *s->t);
    if (!s->x || !s->t)
        abort();
}

static bool read_row(struct reader *r)
{
    struct data *s = r->data;
    uint32_t features = s->shape.features, targets = s->shape.targets;
    if (!check_columns(r))
        return false;
    if ((s->rows + 1) * ((uint64_t)features + targets) > DATA_VALUES_MAX)
        return diag_set(r->diag, r->number, 1, "more than %u numbers; expected fewer",
                        DATA_VALUES_MAX);
    grow(r);
    double *x = s->x + s->rows * features, *t = s->t + s->rows * targets, value = 0;
    struct cell c;
    const char *at = r->line;
    for (uint32_t i = 0; next_cell(r, &at, &c); i++) {
        if (!read_number(r, &c, &value))
            return false;
        if (i >= features && !check_target(r, &c, value))
            return false;
        *(i < features ? x + i : t + i - features) = value + 0.0;      /* -0 becomes 0 */
    }
    s->rows++;
    return true;
}

static bool read_line(struct reader *r)
{
    if (says_nothing(r))
        return true;
    bool first = !r->began;
    r->began = true;
    return first && are_names(r) ? check_columns(r) : read_row(r);
}

/* What Windows puts before text. */
static bool has_mark(const char *text, size_t size)
{
    return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
}

struct data *data_read_memory(const char *text, size_t size, const struct data_shape *shape,
                              struct diag *d)
{
    assert(shape->features > 0 && shape->targets > 0);
    assert(shape->classes == 0 || shape->targets == 1);
    size_t mark = has_mark(text, size) ? 3 : 0;
    struct reader r = { .next = text + mark, .end = text + size, .diag = d,
                        .data = calloc(1, sizeof *r.data) };
    if (!r.data)
        abort();
    r.data->shape = *shape;
    bool good = true;
    while (good && next_line(&r))
        good = read_line(&r);
    if (good && r.data->rows == 0)
        diag_set(d, r.number ? r.number : 1, 0, "there is no row of numbers; expected at least "
                 "one");
    if (!d->text[0])
        return r.data;
    data_free(r.data);
    return NULL;
}

struct data *data_read(const char *path, const struct data_shape *shape, struct diag *d)
{
    size_t size;
    char *text = text_load_most(path, DATA_TEXT_MAX, &size, d);
    struct data *s = text ? data_read_memory(text, size, shape, d) : NULL;
    free(text);
    return s;
}
