/* sheet.c - YAML events into a sheet.
 *
 * Events rather than libyaml's documents: an event has its place, and what does not
 * belong in a machine file (a list, an alias, a fourth level) is refused as it comes,
 * before it can grow.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sim/sheet.h"
#include "traces/text.h"

struct reader {
    yaml_parser_t parser;
    yaml_event_t  event;        /* the one at hand */
    const char   *text;
    size_t        length;
    struct diag  *diag;
};

static bool fail_at(struct reader *r, yaml_mark_t at, const char *what)
{
    return diag_set(r->diag, (unsigned)at.line + 1, (unsigned)at.column + 1, "%s", what);
}

static bool fail(struct reader *r, const char *what)
{
    return fail_at(r, r->event.start_mark, what);
}

/* libyaml gives a bad byte's offset, but not its line. */
static bool fail_byte(struct reader *r)
{
    unsigned line = 1, column = 1;
    size_t   end = r->parser.problem_offset;
    for (size_t i = 0; i < end && i < r->length; i++) {
        column = r->text[i] == '\n' ? 1 : column + 1;
        line += r->text[i] == '\n';
    }
    return diag_set(r->diag, line, column, "a byte that is no text (%s); expected UTF-8",
                    r->parser.problem);
}

static bool fail_yaml(struct reader *r)
{
    assert(r->parser.error != YAML_MEMORY_ERROR);
    if (r->parser.error == YAML_READER_ERROR)
        return fail_byte(r);
    yaml_mark_t at = r->parser.problem_mark;
    return diag_set(r->diag, (unsigned)at.line + 1, (unsigned)at.column + 1,
                    "not YAML: %s; expected a machine file", r->parser.problem);
}

static bool refuse_extras(struct reader *r)
{
    const yaml_event_t *e = &r->event;
    const char *extras = "anchors, aliases and tags have no place in a machine file; "
                         "expected the figure itself";
    if (e->type == YAML_ALIAS_EVENT)
        return fail(r, extras);
    if (e->type == YAML_SCALAR_EVENT && (e->data.scalar.anchor || e->data.scalar.tag))
        return fail(r, extras);
    if (e->type == YAML_MAPPING_START_EVENT &&
        (e->data.mapping_start.anchor || e->data.mapping_start.tag))
        return fail(r, extras);
    return true;
}

static bool next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        memset(&r->event, 0, sizeof r->event);
        return fail_yaml(r);
    }
    return refuse_extras(r);
}

static bool expect(struct reader *r, yaml_event_type_t type, const char *what)
{
    return next(r) && (r->event.type == type || fail(r, what));
}

/* What would not come back from a line of YAML: controls, breaks and marks of Unicode. */
static bool prints(const char *text)
{
    static const char *const odd[] = { "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf",
                                       "\xef\xbf\xbe", "\xef\xbf\xbf" };
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
            return false;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        if (strstr(text, odd[i]) != NULL)
            return false;
    return true;
}

/* The scalar at hand, as a word of its own. */
static bool take(struct reader *r, struct word *w)
{
    const yaml_event_t *e = &r->event;
    if (e->type != YAML_SCALAR_EVENT)
        return fail(r, "neither a word nor a number; expected one");
    const char *text = (const char *)e->data.scalar.value;
    if (strlen(text) != e->data.scalar.length || !prints(text))
        return fail(r, "a text with a control character; expected one plain line");
    if (w->text != NULL)
        return diag_set(r->diag, (unsigned)e->start_mark.line + 1,
                        (unsigned)e->start_mark.column + 1,
                        "given twice; expected it once (first on line %u)", w->line);
    w->line   = (unsigned)e->start_mark.line + 1;
    w->column = (unsigned)e->start_mark.column + 1;
    w->text   = strdup(text);
    assert(w->text != NULL);
    return true;
}

static bool is(const struct reader *r, const char *key)
{
    return strcmp((const char *)r->event.data.scalar.value, key) == 0;
}

/* value, source and unit of one figure.  `set_at`, which `simaccel machine` prints, says
 * where an earlier run had the figure from; it is read and forgotten. */
static bool read_figure(struct reader *r, struct sheet_figure *f)
{
    struct word forgotten = { 0 };
    bool ok = expect(r, YAML_MAPPING_START_EVENT,
                     "a figure without its source; expected {value: ..., source: \"...\"}");
    while (ok && (ok = next(r)) && r->event.type != YAML_MAPPING_END_EVENT) {
        const struct { const char *key; struct word *word; } keys[] = {
            { "value", &f->value }, { "source", &f->source },
            { "unit",  &f->unit },  { "set_at", &forgotten },
        };
        struct word *word = NULL;
        if (r->event.type == YAML_SCALAR_EVENT)
            for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
                if (is(r, keys[i].key))
                    word = keys[i].word;
        ok = word != NULL ? next(r) && take(r, word)
                          : fail(r, "no part of a figure; expected value, source or unit");
    }
    free(forgotten.text);
    return ok;
}

static bool complete(struct reader *r, const struct sheet_figure *f)
{
    if (f->value.text == NULL)
        return diag_set(r->diag, f->name.line, f->name.column,
                        "%s has no value; expected {value: ..., source: \"...\"}",
                        f->name.text);
    if (f->source.text == NULL || f->source.text[0] == '\0')
        return diag_set(r->diag, f->name.line, f->name.column,
                        "%s has no source; expected {value: ..., source: \"...\"}",
                        f->name.text);
    return true;
}

static struct sheet_figure *add(struct sheet *s)
{
    if (s->count % 64 == 0) {
        s->figures = realloc(s->figures, (s->count + 64) * sizeof *s->figures);
        assert(s->figures != NULL);
    }
    struct sheet_figure *f = &s->figures[s->count++];
    memset(f, 0, sizeof *f);
    return f;
}

static struct word word_copy(const struct word *w)
{
    struct word copy = { strdup(w->text), w->line, w->column };
    assert(copy.text != NULL);
    return copy;
}

static bool read_section(struct reader *r, struct sheet *s, const struct word *section)
{
    if (!expect(r, YAML_MAPPING_START_EVENT, "a value out of place; expected name, kind, "
                "description, parent or a section with its figures"))
        return false;
    for (;;) {
        if (!next(r))
            return false;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (s->count == SHEET_FIGURES)
            return fail(r, "too many figures; expected 4096 at most");
        struct sheet_figure *f = add(s);
        f->section = word_copy(section);
        if (!take(r, &f->name) || !read_figure(r, f) || !complete(r, f))
            return false;
    }
}

/* One `key: ...` of the top level. */
static bool read_entry(struct reader *r, struct sheet *s)
{
    const struct { const char *key; struct word *word; } keys[] = {
        { "name",        &s->name },        { "kind",   &s->kind },
        { "description", &s->description }, { "parent", &s->parent },
    };
    struct word section = { 0 };
    if (!take(r, &section))
        return false;
    bool ok = false, known = false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !known; i++)
        if (strcmp(section.text, keys[i].key) == 0) {
            known = true;
            ok = next(r) && take(r, keys[i].word);
        }
    if (!known)
        ok = read_section(r, s, &section);
    free(section.text);
    return ok;
}

static bool read_sheet(struct reader *r, struct sheet *s)
{
    if (!expect(r, YAML_STREAM_START_EVENT, "not a stream; expected YAML") ||
        !expect(r, YAML_DOCUMENT_START_EVENT,
                "an empty file; expected name, kind and figures") ||
        !expect(r, YAML_MAPPING_START_EVENT,
                "not a machine file; expected name, kind and figures"))
        return false;
    for (;;) {
        if (!next(r))
            return false;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        if (!read_entry(r, s))
            return false;
    }
    return next(r) && expect(r, YAML_STREAM_END_EVENT,
                             "a second document; expected one machine a file");
}

bool sheet_read(struct sheet *s, const char *text, size_t length, struct diag *d)
{
    size_t mark = text_mark(text, length);
    text += mark;
    length -= mark;
    struct reader r = { .text = text, .length = length, .diag = d };
    memset(s, 0, sizeof *s);
    if (length > SHEET_BYTES)
        return diag_set(d, 1, 1, "larger than 1 MiB; expected a machine file");
    int made = yaml_parser_initialize(&r.parser);
    assert(made);
    (void)made;
    /* Said outright, or libyaml takes two odd bytes at the start for UTF-16. */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    bool ok = read_sheet(&r, s);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return ok;
}

void sheet_clear(struct sheet *s)
{
    struct word *const top[] = { &s->name, &s->kind, &s->description, &s->parent };
    for (size_t i = 0; i < sizeof top / sizeof top[0]; i++)
        free(top[i]->text);
    for (size_t i = 0; i < s->count; i++) {
        free(s->figures[i].section.text);
        free(s->figures[i].name.text);
        free(s->figures[i].value.text);
        free(s->figures[i].source.text);
        free(s->figures[i].unit.text);
    }
    free(s->figures);
    memset(s, 0, sizeof *s);
}

char *sheet_load(const char *path, size_t *length, struct diag *d)
{
    FILE *in = fopen(path, "rbe");
    if (in == NULL) {
        diag_set(d, 0, 0, "%s; expected a machine file", strerror(errno));
        return NULL;
    }
    char *text = malloc(SHEET_BYTES + 1);   /* one more, to tell that it is too long */
    assert(text != NULL);
    errno = 0;
    *length = fread(text, 1, SHEET_BYTES + 1, in);
    bool failed = ferror(in) != 0;
    if (failed)
        diag_set(d, 0, 0, "%s; expected a machine file", strerror(errno));
    fclose(in);
    if (!failed)
        return text;
    free(text);
    return NULL;
}
