/* machine_read.c - machine files into machines: the parent's figures first, then its own.
 */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine_inside.h"

#define PARENTS 8               /* the longest chain of them */

/* A sheet's figures are each given once, in sections that are each given once. */
struct seen { unsigned *figures, *sections; };      /* lines; 0: not yet */

static bool once(const struct machine *m, const struct figure *f,
                 const struct sheet_figure *w, struct seen *seen, struct diag *d)
{
    unsigned *section = &seen->sections[f->section - m->schema->sections];
    unsigned *figure  = &seen->figures[f->index];
    if (*section != 0 && *section != w->section.line)
        return diag_set(d, w->section.line, w->section.column,
                        "%s: given twice; expected one section (first on line %u)",
                        f->section->name, *section);
    if (*figure != 0)
        return diag_set(d, w->name.line, w->name.column,
                        "%s: given twice; expected it once (first on line %u)",
                        f->param->name, *figure);
    *section = w->section.line;
    *figure  = w->name.line;
    return true;
}

/* "models/machines/tpu-v3.yaml:12", in characters that any terminal and reader takes. */
static void place(char *text, size_t size, const char *file, unsigned line)
{
    snprintf(text, size, "%s:%u", file, line);
    for (char *c = text; *c != '\0'; c++)
        if (!isascii((unsigned char)*c) || iscntrl((unsigned char)*c))
            *c = '?';
}

static bool apply_figure(struct machine *m, const struct sheet_figure *w, const char *file,
                         struct seen *seen, struct diag *d)
{
    struct figure f;
    char          where[MACHINE_TEXT];
    if (!machine_figure(m, &w->section, &w->name, &f, d) || !once(m, &f, w, seen, d))
        return false;
    const char *unit = param_unit(f.param->name);
    if (w->unit.text != NULL && strcmp(w->unit.text, unit) != 0)
        return diag_set(d, w->unit.line, w->unit.column, "%s: %.40s is not its unit; "
                        "expected %s", f.param->name, w->unit.text, unit);
    if (strlen(w->source.text) >= MACHINE_TEXT)
        return diag_set(d, w->source.line, w->source.column, "%s: a source that is too "
                        "long; expected less than 1024 bytes", f.param->name);
    place(where, sizeof where, file, w->value.line);
    return machine_put(m, &f, &w->value, w->source.text, where, d);
}

static bool apply_figures(struct machine *m, const struct sheet *s, const char *file,
                          struct diag *d)
{
    struct seen seen = { calloc(m->count, sizeof(unsigned)),
                         calloc(m->schema->count, sizeof(unsigned)) };
    assert(seen.figures != NULL && seen.sections != NULL);
    bool ok = true;
    for (size_t i = 0; i < s->count && ok; i++)
        ok = apply_figure(m, &s->figures[i], file, &seen, d);
    free(seen.figures);
    free(seen.sections);
    return ok;
}

static bool apply_kind(struct machine *m, const struct word *w, struct diag *d)
{
    for (int k = 0; k < MACHINE_KINDS; k++) {
        if (strcmp(w->text, machine_kind_name((enum machine_kind)k)) != 0)
            continue;
        if (m->has_kind && m->kind != (enum machine_kind)k)
            return diag_set(d, w->line, w->column, "kind: %s is not its parent's; expected "
                            "%s", w->text, machine_kind_name(m->kind));
        if ((m->schema->kinds & MACHINE_USES(k)) == 0)
            return diag_set(d, w->line, w->column, "kind: this version has no %s model; "
                            "expected another kind", w->text);
        m->kind     = (enum machine_kind)k;
        m->has_kind = true;
        return true;
    }
    return diag_set(d, w->line, w->column, "kind: %.40s is unknown; expected tpu or gpu",
                    w->text);
}

static bool apply_head(struct machine *m, const struct sheet *s, struct diag *d)
{
    if (s->name.text == NULL)
        return diag_set(d, 1, 1, "name is missing; expected the machine's name");
    if (!machine_name_ok(s->name.text))
        return diag_set(d, s->name.line, s->name.column, "name: %.80s is no name; expected "
                        "up to 63 letters, digits, '.', '_' and '-'", s->name.text);
    snprintf(m->name, sizeof m->name, "%s", s->name.text);
    if (s->kind.text != NULL && !apply_kind(m, &s->kind, d))
        return false;
    if (!m->has_kind)
        return diag_set(d, 1, 1, "kind is missing; expected tpu or gpu, or a parent that "
                        "has it");
    if (s->description.text == NULL)
        return true;
    if (strlen(s->description.text) >= MACHINE_TEXT)
        return diag_set(d, s->description.line, s->description.column,
                        "description: too long; expected less than 1024 bytes");
    free(m->description);
    m->description = strdup(s->description.text);
    assert(m->description != NULL);
    return true;
}

/* The files being read, child to parent: a parent among them is a circle. */
struct chain {
    const struct chain *child;
    const char         *path;
    unsigned            depth;
};

static bool load_file(struct machine *m, const char *path, const struct chain *child,
                      struct diag *d);

static bool same_file(const char *a, const char *b)
{
    char *x = realpath(a, NULL), *y = realpath(b, NULL);
    bool  same = x != NULL && y != NULL && strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

static bool in_chain(const struct chain *c, const char *path)
{
    for (; c != NULL; c = c->child)
        if (same_file(c->path, path))
            return true;
    return false;
}

static bool load_parent(struct machine *m, const struct word *w, const struct chain *chain,
                        struct diag *d)
{
    char *path = machine_name_ok(w->text) ? machine_path(w->text, chain->path) : NULL;
    bool  ok;
    if (path == NULL)
        ok = diag_set(d, w->line, w->column, "parent: %.80s is not found; expected the name "
                      "of a machine beside this file or known to simaccel", w->text);
    else if (in_chain(chain, path))
        ok = diag_set(d, w->line, w->column, "parent: %.80s is its own ancestor; expected "
                      "a chain that ends", w->text);
    else if (chain->depth == PARENTS)
        ok = diag_set(d, w->line, w->column, "parent: %.80s is one too many; expected %d "
                      "at most", w->text, PARENTS);
    else
        ok = load_file(m, path, chain, d);
    free(path);
    return ok;
}

static bool load_text(struct machine *m, const char *text, size_t length,
                      const struct chain *chain, struct diag *d)
{
    struct sheet s;
    snprintf(d->file, sizeof d->file, "%s", chain->path);
    bool ok = sheet_read(&s, text, length, d);
    if (ok && s.parent.text != NULL) {
        ok = load_parent(m, &s.parent, chain, d);
        if (ok)
            snprintf(d->file, sizeof d->file, "%s", chain->path);
    }
    ok = ok && apply_head(m, &s, d) && apply_figures(m, &s, chain->path, d);
    sheet_clear(&s);
    return ok;
}

static bool load_file(struct machine *m, const char *path, const struct chain *child,
                      struct diag *d)
{
    struct chain chain = { child, path, child == NULL ? 0 : child->depth + 1 };
    size_t       length;
    snprintf(d->file, sizeof d->file, "%s", path);
    char *text = sheet_load(path, &length, d);
    bool  ok   = text != NULL && load_text(m, text, length, &chain, d);
    free(text);
    return ok;
}

static bool check_complete(const struct machine *m, struct diag *d)
{
    for (struct figure f = { 0 }; machine_next(m, &f); )
        if (m->settings[f.index].where == NULL)
            return diag_set(d, 1, 1, "%s.%s is missing; expected it here or in a parent "
                            "(%s)", f.section->name, f.param->name, f.param->what);
    return true;
}

static struct machine *finish(struct machine *m, bool ok, struct diag *d)
{
    if (ok && check_complete(m, d))
        return m;
    machine_free(m);
    return NULL;
}

struct machine *machine_read(const struct schema *s, const char *path, struct diag *d)
{
    struct machine *m = machine_new(s);
    return finish(m, load_file(m, path, NULL, d), d);
}

struct machine *machine_read_text(const struct schema *s, const char *text, size_t length,
                                  const char *file, struct diag *d)
{
    struct machine *m     = machine_new(s);
    struct chain    chain = { NULL, file, 0 };
    return finish(m, load_text(m, text, length, &chain, d), d);
}
