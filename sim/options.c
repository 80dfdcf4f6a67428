/* options.c - one word at a time, with the nearest name for what is not known. */
#include <stdarg.h>
#include <string.h>

#include "sim/manual.h"
#include "sim/options.h"
#include "traces/diag.h"

static enum options_style style = OPTIONS_USAGE;

void options_print_as(enum options_style as)
{
    style = as;
}

static void help(const struct options *o)
{
    if (style == OPTIONS_MANUAL)
        manual_options(o, stdout);
    else if (style == OPTIONS_COMPLETION)
        completion_options(o, stdout);
    else
        options_usage(o, stdout);
}

void options_more(void (*print)(FILE *out))
{
    if (style == OPTIONS_COMPLETION)
        return;
    fputs(style == OPTIONS_MANUAL ? ".Bd -literal\n" : "\n", stdout);
    print(stdout);
    if (style == OPTIONS_MANUAL)
        fputs(".Ed\n", stdout);
}

const char *options_dashes(const struct option_row *row)
{
    return row->name[1] == '\0' ? "-" : "--";
}

void options_usage(const struct options *o, FILE *out)
{
    fprintf(out, "usage: simaccel %s%s%s [options]\n", o->command,
            o->arguments[0] == '\0' ? "" : " ", o->arguments);
    for (size_t i = 0; i < o->count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s%s%s", options_dashes(&o->rows[i]), o->rows[i].name,
                 o->rows[i].value == NULL ? "" : " ",
                 o->rows[i].value == NULL ? "" : o->rows[i].value);
        fprintf(out, "  %-24s %s\n", name, o->rows[i].what);
    }
    fprintf(out, "  %-24s %s\n", "--help", "show this");
}

int options_wrong(const struct options *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (o->file != NULL)
        fprintf(stderr, "%s:%u:%u: ", o->file, o->line, o->column);
    else
        fprintf(stderr, "simaccel %s: ", o->command);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    if (o->file == NULL)
        options_usage(o, stderr);
    return 2;
}

static int unknown(const struct options *o, const char *word)
{
    const char *names[o->count + 1];
    for (size_t i = 0; i < o->count; i++)
        names[i] = o->rows[i].name;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = diag_nearest(name, names, o->count);
    if (near != NULL)
        options_wrong(o, "%.80s: no such option; did you mean --%s?", word, near);
    else
        options_wrong(o, "%.80s: no such option; expected one of these", word);
    return OPTIONS_WRONG;
}

/* Takes the value of row i, from behind the '=' or from the next word. */
static int take(struct options *o, size_t i, const char *equals)
{
    const struct option_row *row = &o->rows[i];
    o->value = equals == NULL ? NULL : equals + 1;
    if (row->value == NULL && equals == NULL)
        return (int)i;
    if (row->value == NULL) {
        options_wrong(o, "--%s takes no value; expected it alone", row->name);
        return OPTIONS_WRONG;
    }
    if (equals == NULL && o->at < o->argc)
        o->value = o->argv[o->at++];
    if (o->value != NULL)
        return (int)i;
    options_wrong(o, "%s%s has no value; expected %s%s %s", options_dashes(row), row->name,
                  options_dashes(row), row->name, row->value);
    return OPTIONS_WRONG;
}

static int option(struct options *o, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t      length = equals == NULL ? strlen(word + 2) : (size_t)(equals - word) - 2;
    if (strcmp(word, "--help") == 0) {
        help(o);
        return OPTIONS_HELP;
    }
    for (size_t i = 0; i < o->count; i++)
        if (strlen(o->rows[i].name) == length &&
            memcmp(o->rows[i].name, word + 2, length) == 0)
            return take(o, i, equals);
    return unknown(o, word);
}

int options_next(struct options *o)
{
    if (o->at >= o->argc)
        return OPTIONS_END;
    char *word = o->argv[o->at++];
    if (!o->plain && strcmp(word, "--") == 0) {
        o->plain = 1;
        return options_next(o);
    }
    if (!o->plain && word[0] == '-' && word[1] == '-')
        return option(o, word);
    for (size_t i = 0; !o->plain && word[0] == '-' && i < o->count; i++)
        if (o->rows[i].name[1] == '\0' && strcmp(o->rows[i].name, word + 1) == 0)
            return take(o, i, NULL);
    if (!o->plain && word[0] == '-' && word[1] != '\0') {
        options_wrong(o, "%.80s: no such option; expected one of these", word);
        return OPTIONS_WRONG;
    }
    o->value = word;
    return OPTIONS_ARGUMENT;
}
