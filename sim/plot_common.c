/* plot_common.c - see plot_inside.h; and whether a result has what a picture needs. */
#include "sim/plot_inside.h"

#include <math.h>
#include <string.h>

#include "sim/report_field.h"
#include "traces/trace.h"

PLOT_SCRIPT(common);

/* Of a sweep the file without its folder. */
static const char *subject_of(const json_t *result)
{
    const char *trace = report_string(result, "trace"), *file = report_string(result, "file");
    const char *slash = strrchr(file, '/');
    if (trace[0])
        return trace;
    return json_object_get(result, "sweep") ? slash ? slash + 1 : file
                                            : report_string(result, "network");
}

const char *plot_subject(const json_t *results)
{
    size_t i;
    json_t *result;
    const char *first = subject_of(json_array_get(results, 0));
    json_array_foreach(results, i, result) {
        if (strcmp(subject_of(result), first) != 0)
            return "";
    }
    return first;
}

static bool same_name(const json_t *a, const json_t *b)
{
    return strcmp(report_string(a, "machine"), report_string(b, "machine")) == 0
        && strcmp(subject_of(a), subject_of(b)) == 0;
}

void plot_label(const json_t *results, size_t which, char label[PLOT_LABEL])
{
    size_t i, nth = 0, same = 0;
    json_t *result, *self = json_array_get(results, which);
    bool differ = plot_subject(results)[0] == '\0';
    json_array_foreach(results, i, result) {
        same += same_name(result, self);
        nth += i <= which && same_name(result, self);
    }
    int n = snprintf(label, PLOT_LABEL, "%.60s%s%.60s", report_string(self, "machine"),
                     differ ? ", " : "", differ ? subject_of(self) : "");
    if (same > 1)
        snprintf(label + n, PLOT_LABEL - (size_t)n, " (%zu)", nth);
}

void plot_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++)
        if (*text != '"' && *text != '\\' && (unsigned char)*text >= ' ')
            fputc(*text, out);
    fputc('"', out);
}

/* In the order of a step; scripts have a colour for each. */
size_t plot_phase(const char *name)
{
    size_t i = 0;
    while (i < TRACE_PHASES_COUNT && strcmp(name, trace_phase_names[i]) != 0)
        i++;
    return i;
}

/* ---- what must be there ---- */

/* gnuplot adds numbers up, and fails where that overflows. */
static bool is_drawable(const json_t *number)
{
    return json_is_number(number) && fabs(json_number_value(number)) < 1e100;
}

static bool find(json_t *at, const char *path, const struct plot_need *need,
                 struct diag *d)
{
    char name[64];
    const char *dot = strchr(path, '.'), *key;
    size_t length = dot ? (size_t)(dot - path) : strlen(path), i;
    json_t *member;
    if (path[0] == '\0')
        return (need->is_text ? json_is_string(at) : is_drawable(at))
            || diag_set(d, 0, 0, "%s is missing or of another kind; expected %s", need->path,
                        need->is_text ? "a text" : "a number that can be drawn");
    const char *rest = dot ? dot + 1 : "";
    if (path[0] != '*') {
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        return find(json_object_get(at, name), rest, need, d);
    }
    if (!json_is_array(at) && !json_is_object(at))
        return diag_set(d, 0, 0, "%.*s is missing; expected what docs/results.md says",
                        (int)(path - need->path - 1), need->path);
    json_array_foreach(at, i, member) {
        if (!find(member, rest, need, d))
            return false;
    }
    json_object_foreach(at, key, member) {
        if (!find(member, rest, need, d))
            return false;
    }
    return true;
}

bool plot_takes(const struct plot *p, json_t *result, struct diag *d)
{
    for (const struct plot_need *need = p->needs; need->path; need++)
        if (!find(result, need->path, need, d))
            return false;
    return p->drawable(result)
        || diag_set(d, 0, 0, "there is nothing to draw; expected %s", p->wanted);
}

void plot_blocks(const json_t *results, void (*write)(const json_t *result, FILE *out), FILE *out)
{
    size_t i;
    json_t *result;
    char label[PLOT_LABEL];
    json_array_foreach(results, i, result) {
        fputs(plot_between(i), out);
        plot_label(results, i, label);
        plot_text(label, out);
        fputc('\n', out);
        write(result, out);
    }
}
