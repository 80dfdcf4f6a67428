/* text.c - lines, words and numbers, and nothing of what they mean. */
#include "traces/text.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *t, const char *text, size_t size, struct diag *d)
{
    *t = (struct text){ .diag = d, .at = text, .end = text + size };
}

/* Copies the line up to its end; false if it is too long or is not text. */
static bool copy_line(struct text *t)
{
    size_t n = 0;
    t->number++;
    for (; t->at < t->end && *t->at != '\n'; t->at++) {
        unsigned char c = (unsigned char)*t->at;
        if (c == '\r' && (t->at + 1 == t->end || t->at[1] == '\n'))
            continue;
        if ((c < 32 && c != '\t') || c > 126)
            return diag_set(t->diag, t->number, (unsigned)n + 1, "byte 0x%02x is not text; "
                            "expected printable ASCII", c);
        if (n == TEXT_LINE)
            return diag_set(t->diag, t->number, TEXT_LINE + 1, "the line is too long; expected "
                            "at most %d characters", TEXT_LINE);
        t->copy[n++] = (char)c;
    }
    t->at += t->at < t->end;
    t->copy[n] = '\0';
    return true;
}

static bool split_line(struct text *t)
{
    char *p = t->copy;
    struct text_line *l = &t->line;
    l->number = t->number;
    l->count  = 0;
    p[strcspn(p, "#")] = '\0';
    for (p += strspn(p, " \t"); *p; p += strspn(p, " \t")) {
        unsigned column = (unsigned)(p - t->copy) + 1;
        if (l->count == TEXT_WORDS)
            return diag_set(t->diag, l->number, column, "the line has too many words; expected "
                            "at most %d", TEXT_WORDS);
        l->column[l->count] = column;
        l->word[l->count++] = p;
        p += strcspn(p, " \t");
        l->column[l->count] = (unsigned)(p - t->copy) + 1;
        if (*p)
            *p++ = '\0';
    }
    return true;
}

bool text_next(struct text *t)
{
    while (t->at < t->end) {
        if (!copy_line(t) || !split_line(t))
            return false;
        if (t->line.count > 0)
            return true;
    }
    return false;
}

bool text_first(struct text *t, const char *format)
{
    if (t->at == t->end)
        return diag_set(t->diag, 1, 1, "the file is empty; expected '%s 1'", format);
    if (!copy_line(t) || !split_line(t))
        return false;
    if (t->line.count == 0 || strcmp(t->line.word[0], format) != 0)
        return diag_set(t->diag, 1, 1, "the first line is not '%s 1'; expected just that", format);
    if (t->line.count == 1)
        return text_refuse(t, 1, "the version is missing; expected '%s 1'", format);
    if (strcmp(t->line.word[1], "1") != 0)
        return text_refuse(t, 1, "version %.40s is not known; expected 1", t->line.word[1]);
    if (t->line.count > 2)
        return text_refuse(t, 2, "'%.40s' is too much; expected '%s 1' alone", t->line.word[2],
                           format);
    return true;
}

bool text_refuse(const struct text *t, unsigned i, const char *format, ...)
{
    char text[sizeof t->diag->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return diag_set(t->diag, t->line.number, t->line.column[i], "%s", text);
}

#define LIST 400

/* "a, b, c": as many as there is room for. */
static void list(char *text, size_t size, const char *const *names, size_t count)
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (n + strlen(names[i]) + 8 > size) {
            snprintf(text + n, size - n, ", ...");
            return;
        }
        n += (size_t)snprintf(text + n, size - n, "%s%s", i ? ", " : "", names[i]);
    }
}

bool text_unknown(const struct text *t, unsigned i, const char *what,
                  const char *const *names, size_t count)
{
    const char *word = i < t->line.count ? t->line.word[i] : "", *near;
    char known[LIST];
    near = diag_nearest(word, names, count);
    if (near)
        return text_refuse(t, i, "'%.40s' is no %s; did you mean '%s'?", word, what, near);
    list(known, sizeof known, names, count);
    if (!word[0])
        return text_refuse(t, i, "the %s is missing; expected one of %s", what, known);
    return text_refuse(t, i, "'%.40s' is no %s; expected one of %s", word, what, known);
}

int text_choice(const struct text *t, unsigned i, const char *what,
                const char *const *names, size_t count)
{
    for (size_t k = 0; i < t->line.count && k < count; k++)
        if (strcmp(t->line.word[i], names[k]) == 0)
            return (int)k;
    text_unknown(t, i, what, names, count);
    return -1;
}

bool text_whole(const struct text *t, unsigned i, size_t offset, const char *what,
                uint64_t min, uint64_t max, uint64_t *value)
{
    const char *word = i < t->line.count ? t->line.word[i] + offset : "";
    size_t digits = strspn(word, "0123456789");
    errno = 0;
    unsigned long long v = strtoull(word, NULL, 10);
    if (!*word)
        return text_refuse(t, i, "%s is missing; expected a whole number, %llu to %llu", what,
                           (unsigned long long)min, (unsigned long long)max);
    if (word[digits] || digits == 0)
        return text_refuse(t, i, "%s: '%.40s' is no whole number; expected one, %llu to %llu",
                           what, word, (unsigned long long)min, (unsigned long long)max);
    if (errno || v < min || v > max)
        return text_refuse(t, i, "%s: %.40s is out of range; expected a whole number, "
                           "%llu to %llu", what, word, (unsigned long long)min,
                           (unsigned long long)max);
    *value = v;
    return true;
}

bool text_number(const struct text *t, unsigned i, size_t offset, const char *what,
                 double *value)
{
    const char *word = t->line.word[i] + offset;
    char *end;
    double v = strtod(word, &end);
    /* strtod also takes "inf", "nan" and hexadecimal; the language does not. */
    if (!*word || *end || word[strspn(word, "0123456789+-.eE")])
        return text_refuse(t, i, "%s: '%.40s' is no number; expected one like 0.001", what, word);
    if (!isfinite(v))
        return text_refuse(t, i, "%s: %.40s is out of range; expected a smaller number", what, word);
    *value = v;
    return true;
}

bool text_name(const struct text *t, unsigned i, char *name, size_t size)
{
    const char *word = i < t->line.count ? t->line.word[i] : "";
    if (!*word)
        return text_refuse(t, i, "the name is missing; expected one");
    if (strlen(word) >= size)
        return text_refuse(t, i, "the name %.40s... is too long; expected at most %zu characters",
                           word, size - 1);
    strcpy(name, word);
    return true;
}

void text_print_number(double value, char *text, size_t size)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}
