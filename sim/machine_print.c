/* machine_print.c - a machine as YAML and as JSON, either of which reads back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine_inside.h"

/* Texts hold no control characters (sim/sheet.c), so that this is all there is to quote. */
static void quote(char *out, size_t size, const char *text)
{
    size_t n = 0;
    out[n++] = '"';
    for (; *text != '\0' && n + 3 < size; text++) {
        if (*text == '"' || *text == '\\')
            out[n++] = '\\';
        out[n++] = *text;
    }
    assert(*text == '\0');
    out[n++] = '"';
    out[n]   = '\0';
}

static bool is_text(const struct param *p)
{
    return p->type == PARAM_CHOICE || p->type == PARAM_STRING;
}

static void value_text(const struct machine *m, const struct figure *f, char *text,
                       size_t size)
{
    char plain[PARAM_TEXT];
    param_print(f->param, machine_config(m, f->section), plain, sizeof plain);
    if (is_text(f->param))
        quote(text, size, plain);
    else
        snprintf(text, size, "%s", plain);
}

/* The longest name and value of a section, to line its columns up; one long text does
 * not push all the others to the right. */
static void widths(const struct machine *m, const struct section *s, int *name, int *value)
{
    char text[2 * PARAM_TEXT];
    *name = *value = 0;
    for (struct figure f = { 0 }; machine_next(m, &f); ) {
        if (f.section != s)
            continue;
        value_text(m, &f, text, sizeof text);
        int n = (int)strlen(f.param->name), v = (int)strlen(text);
        *name  = n > *name ? n : *name;
        *value = v > *value && v <= 16 ? v : *value;
    }
}

static int pad(int width, const char *text)
{
    int length = (int)strlen(text);
    return length < width ? width - length : 0;
}

void machine_print(const struct machine *m, FILE *out)
{
    char text[2 * MACHINE_TEXT], source[2 * MACHINE_TEXT], where[2 * MACHINE_TEXT];
    int  name = 0, value = 0;
    quote(text, sizeof text, machine_description(m));
    fprintf(out, "name: \"%s\"\nkind: %s\ndescription: %s\n", m->name,
            machine_kind_name(m->kind), text);
    const struct section *section = NULL;
    for (struct figure f = { 0 }; machine_next(m, &f); ) {
        if (f.section != section) {
            section = f.section;
            widths(m, section, &name, &value);
            fprintf(out, "\n# %s\n%s:\n", section->what, section->name);
        }
        value_text(m, &f, text, sizeof text);
        quote(source, sizeof source, m->settings[f.index].source);
        quote(where, sizeof where, m->settings[f.index].where);
        fprintf(out, "  # %s\n  %s: %*s{value: %s, %*sunit: \"%s\", source: %s, "
                "set_at: %s}\n",
                f.param->what, f.param->name, pad(name, f.param->name), "",
                text, pad(value, text), "", param_unit(f.param->name), source, where);
    }
}

void machine_print_values(const struct machine *m, FILE *out)
{
    char text[PARAM_TEXT];
    for (struct figure f = { 0 }; machine_next(m, &f); ) {
        param_print(f.param, machine_config(m, f.section), text, sizeof text);
        fprintf(out, "%s.%s=%s\n", f.section->name, f.param->name, text);
    }
}

static json_t *value_json(const struct machine *m, const struct figure *f)
{
    char   text[PARAM_TEXT];
    double number = param_number(f->param, machine_config(m, f->section));
    if (f->param->type == PARAM_REAL)
        return json_real(number);
    param_print(f->param, machine_config(m, f->section), text, sizeof text);
    if (is_text(f->param))
        return json_string(text);
    return json_integer(strtoll(text, NULL, 10));
}

static json_t *figure_json(const struct machine *m, const struct figure *f)
{
    return json_pack("{s:o, s:s, s:s, s:s}", "value", value_json(m, f),
                     "unit", param_unit(f->param->name),
                     "source", m->settings[f->index].source,
                     "set_at", m->settings[f->index].where);
}

json_t *machine_json(const struct machine *m)
{
    json_t *all = json_pack("{s:s, s:s, s:s}", "name", m->name, "kind",
                            machine_kind_name(m->kind), "description",
                            machine_description(m));
    for (struct figure f = { 0 }; machine_next(m, &f); ) {
        json_t *section = json_object_get(all, f.section->name);
        if (section == NULL) {
            section = json_object();
            json_object_set_new(all, f.section->name, section);
        }
        json_object_set_new(section, f.param->name, figure_json(m, &f));
    }
    return all;
}
