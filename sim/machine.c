/* machine.c - a machine's figures: finding one by name, and putting a value into it. */
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine_inside.h"

static const char *const kind_names[MACHINE_KINDS] = { "tpu", "gpu", "cpu" };

const char *machine_kind_name(enum machine_kind kind)
{
    return kind_names[kind];
}

static size_t total(const struct schema *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += s->sections[i].count;
    return n;
}

static char *copy(const char *text)
{
    char *c = text == NULL ? NULL : strdup(text);
    assert(text == NULL || c != NULL);
    return c;
}

struct machine *machine_new(const struct schema *s)
{
    struct machine *m = calloc(1, sizeof *m);
    assert(m != NULL);
    m->schema   = s;
    m->count    = total(s);
    m->settings = calloc(m->count, sizeof *m->settings);
    m->figures  = calloc(1, s->size);
    assert(m->settings != NULL && m->figures != NULL);
    return m;
}

struct machine *machine_copy(const struct machine *m)
{
    struct machine *c = machine_new(m->schema);
    memcpy(c->name, m->name, sizeof c->name);
    memcpy(c->figures, m->figures, m->schema->size);
    c->description = copy(m->description);
    c->kind        = m->kind;
    c->has_kind    = m->has_kind;
    for (size_t i = 0; i < m->count; i++) {
        c->settings[i].source = copy(m->settings[i].source);
        c->settings[i].where  = copy(m->settings[i].where);
    }
    return c;
}

void machine_free(struct machine *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->count; i++) {
        free(m->settings[i].source);
        free(m->settings[i].where);
    }
    free(m->settings);
    free(m->figures);
    free(m->description);
    free(m);
}

const char *machine_name(const struct machine *m)
{
    return m->name;
}

const char *machine_description(const struct machine *m)
{
    return m->description == NULL ? "" : m->description;
}

enum machine_kind machine_kind(const struct machine *m)
{
    return m->kind;
}

const void *machine_figures(const struct machine *m)
{
    return m->figures;
}

void *machine_config(const struct machine *m, const struct section *s)
{
    return (char *)m->figures + s->offset;
}

static bool has(const struct machine *m, const struct section *s)
{
    return (s->kinds & MACHINE_USES(m->kind)) != 0;
}

bool machine_next(const struct machine *m, struct figure *f)
{
    size_t index = f->section == NULL ? 0 : f->index + 1, first = 0;
    for (size_t i = 0; i < m->schema->count; i++) {
        const struct section *s = &m->schema->sections[i];
        size_t end = first + s->count;
        if (index < end && has(m, s)) {
            *f = (struct figure){ s, &s->params[index - first], index };
            return true;
        }
        index = index < end ? end : index;
        first = end;
    }
    return false;
}

static const struct section *nearest_section(const struct machine *m, const char *name)
{
    const char *names[m->schema->count + 1];
    size_t      n = 0;
    for (size_t i = 0; i < m->schema->count; i++)
        if (has(m, &m->schema->sections[i]))
            names[n++] = m->schema->sections[i].name;
    const char *near = diag_nearest(name, names, n);
    for (size_t i = 0; near != NULL && i < m->schema->count; i++)
        if (m->schema->sections[i].name == near)
            return &m->schema->sections[i];
    return NULL;
}

static bool unknown_section(const struct machine *m, const struct word *w, struct diag *d)
{
    const struct section *near = nearest_section(m, w->text);
    if (near != NULL)
        return diag_set(d, w->line, w->column, "%.80s: no such section; did you mean %s?",
                        w->text, near->name);
    return diag_set(d, w->line, w->column, "%.80s: no such section of a %s; expected one "
                    "that `simaccel machine NAME` prints", w->text, kind_names[m->kind]);
}

static bool find_section(const struct machine *m, const struct word *w, struct figure *f,
                         struct diag *d)
{
    f->index = 0;
    for (size_t i = 0; i < m->schema->count; i++) {
        f->section = &m->schema->sections[i];
        if (strcmp(f->section->name, w->text) == 0 && has(m, f->section))
            return true;
        f->index += f->section->count;
    }
    return unknown_section(m, w, d);
}

static bool unknown_figure(const struct section *s, const struct word *w, struct diag *d)
{
    const char *names[s->count + 1];
    for (size_t i = 0; i < s->count; i++)
        names[i] = s->params[i].name;
    const char *near = diag_nearest(w->text, names, s->count);
    if (near != NULL)
        return diag_set(d, w->line, w->column, "%.80s: no such figure of %s; did you mean "
                        "%s?", w->text, s->name, near);
    return diag_set(d, w->line, w->column, "%.80s: no such figure of %s; expected one that "
                    "`simaccel machine NAME` prints", w->text, s->name);
}

bool machine_figure(const struct machine *m, const struct word *section,
                    const struct word *name, struct figure *f, struct diag *d)
{
    if (!find_section(m, section, f, d))
        return false;
    f->param = param_find(f->section->params, f->section->count, name->text);
    if (f->param == NULL)
        return unknown_figure(f->section, name, d);
    f->index += (size_t)(f->param - f->section->params);
    return true;
}

/* In words, what is wrong with a value that param_set did not take. */
static const char *fault(const struct param *p, const char *value)
{
    char  *end;
    double number = strtod(value, &end);
    bool   is_number = end != value && *end == '\0' && isfinite(number) &&
                       strpbrk(value, "xX ") == NULL;
    switch (p->type) {
    case PARAM_COUNT:
    case PARAM_SIZE:
        return is_number && floor(number) == number ? "is out of range"
                                                    : "is not a whole number";
    case PARAM_REAL:
        return is_number ? "is out of range" : "is not a number";
    case PARAM_CHOICE:
        return "is none of its words";
    case PARAM_STRING:
        return "is too long";
    }
    abort();
}

static void replace(char **text, const char *with)
{
    free(*text);
    *text = copy(with);
}

bool machine_put(struct machine *m, const struct figure *f, const struct word *value,
                 const char *source, const char *where, struct diag *d)
{
    char expected[512];
    if (!param_set(f->param, machine_config(m, f->section), value->text, expected,
                   sizeof expected))
        return diag_set(d, value->line, value->column, "%s: %.40s %s; expected %s",
                        f->param->name, value->text[0] ? value->text : "an empty value",
                        fault(f->param, value->text), expected);
    replace(&m->settings[f->index].source, source);
    replace(&m->settings[f->index].where, where);
    return true;
}

static bool ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isprint((unsigned char)*text))
            return false;
    return true;
}

static bool assign(struct machine *m, const struct word *section, const struct word *name,
                   const struct word *value, const char *where, struct diag *d)
{
    struct figure f;
    return machine_figure(m, section, name, &f, d) &&
           machine_put(m, &f, value, where, where, d);
}

bool machine_set(struct machine *m, const char *assignment, const char *where,
                 struct diag *d)
{
    const char *equals = strchr(assignment, '='), *dot = strchr(assignment, '.');
    assert(ascii(where) && strlen(where) < sizeof d->file);
    snprintf(d->file, sizeof d->file, "%s", where);
    if (equals == NULL || dot == NULL || dot > equals)
        return diag_set(d, 1, 1, "%.80s is no assignment; expected SECTION.FIGURE=VALUE",
                        assignment);
    if (!ascii(assignment))
        return diag_set(d, 1, 1, "a character that does not print; expected plain ASCII");
    char *text = copy(assignment);
    text[dot - assignment] = text[equals - assignment] = '\0';
    struct word section = { text, 1, 1 };
    struct word name    = { text + (dot + 1 - assignment), 1, 0 };
    struct word value   = { text + (equals + 1 - assignment), 1, 0 };
    name.column  = (unsigned)(name.text - text) + 1;
    value.column = (unsigned)(value.text - text) + 1;
    bool ok = assign(m, &section, &name, &value, where, d);
    free(text);
    return ok;
}

static const struct setting *setting(const struct machine *m, const char *figure)
{
    for (struct figure f = { 0 }; machine_next(m, &f); ) {
        size_t n = strlen(f.section->name);
        if (strncmp(figure, f.section->name, n) == 0 && figure[n] == '.' &&
            strcmp(figure + n + 1, f.param->name) == 0)
            return &m->settings[f.index];
    }
    return NULL;
}

const char *machine_source(const struct machine *m, const char *figure)
{
    const struct setting *s = setting(m, figure);
    return s == NULL ? NULL : s->source;
}

const char *machine_set_at(const struct machine *m, const char *figure)
{
    const struct setting *s = setting(m, figure);
    return s == NULL ? NULL : s->where;
}
