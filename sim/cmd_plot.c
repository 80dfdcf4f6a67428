/* cmd_plot.c - which picture of which results. */
#include "sim/cmd_plot.h"

#include <stdlib.h>
#include <string.h>

#include "sim/options.h"
#include "sim/output.h"
#include "sim/plot.h"
#include "traces/text.h"

static const struct plot *const kinds[] = {
    &plot_energy, &plot_stalls, &plot_power, &plot_roofline, &plot_utilization,
    &plot_over_time, &plot_heat, &plot_training, &plot_sweep, &plot_crossover, &plot_compare,
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static const struct option_row rows[] = {
    { "o",    "FILE", "the picture (.svg, .png, .pdf); its data and script are put beside it" },
    { "term", "dumb", "draw with characters, on stdout" },
};
enum { PICTURE, TERM };

struct plotting {
    const struct plot *kind;
    const char *picture;
    bool        dumb;
    const char *paths[PLOT_RESULTS];
    size_t      count;
};

static bool take_kind(struct plotting *x, const struct options *o)
{
    const char *names[KINDS];
    for (size_t i = 0; i < KINDS; i++) {
        names[i] = kinds[i]->name;
        if (strcmp(o->value, names[i]) == 0)
            x->kind = kinds[i];
    }
    if (x->kind)
        return true;
    const char *near = diag_nearest(o->value, names, KINDS);
    if (near)
        options_wrong(o, "%.80s: no such kind of picture; did you mean %s?", o->value, near);
    else
        options_wrong(o, "%.80s: no such kind of picture; expected energy, stalls, power, "
                      "roofline, utilization, over-time, heat, training, sweep, crossover or "
                      "compare", o->value);
    return false;
}

static bool take_path(struct plotting *x, const struct options *o)
{
    if (x->count == x->kind->most) {
        options_wrong(o, "%.80s: one result too many; expected at most %zu for %s", o->value,
                      x->kind->most, x->kind->name);
        return false;
    }
    x->paths[x->count++] = o->value;
    return true;
}

static bool take(struct plotting *x, const struct options *o, int i)
{
    if (i == OPTIONS_ARGUMENT)
        return x->kind ? take_path(x, o) : take_kind(x, o);
    if (i == PICTURE) {
        x->picture = o->value;
        return true;
    }
    x->dumb = strcmp(o->value, "dumb") == 0;
    if (!x->dumb)
        options_wrong(o, "--term %.40s: no such terminal; expected dumb", o->value);
    return x->dumb;
}

/* ---- results ---- */

static json_t *load(const struct plot *kind, const char *path, struct diag *d)
{
    size_t size;
    json_error_t wrong;
    snprintf(d->file, sizeof d->file, "%s", path);
    char *text = text_load_most(path, 1u << 30, &size, d);
    if (!text)
        return NULL;
    json_t *result = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong);
    free(text);
    if (!result)
        diag_set(d, wrong.line > 0 ? (unsigned)wrong.line : 0,
                 wrong.column > 0 ? (unsigned)wrong.column : 0,
                 "%.100s; expected JSON of `%s`", wrong.text, kind->made_by);
    else if (!json_is_object(result))
        diag_set(d, 0, 0, "this is no result; expected an object, from `%s`", kind->made_by);
    else if (plot_takes(kind, result, d))
        return result;
    json_decref(result);
    return NULL;
}

static json_t *load_all(const struct plotting *x, struct diag *d)
{
    json_t *results = json_array();
    for (size_t i = 0; i < x->count; i++) {
        json_t *result = load(x->kind, x->paths[i], d);
        if (!result) {
            json_decref(results);
            return NULL;
        }
        json_array_append_new(results, result);
    }
    return results;
}

/* Nothing that is read may be written over. */
static bool check_files(const struct plotting *x, struct diag *d)
{
    char data[PATH_MAX], script[PATH_MAX];
    if (!plot_check(x->picture, d) || !plot_beside(x->picture, ".dat", data, d)
        || !plot_beside(x->picture, ".gp", script, d))
        return false;
    d->file[0] = '\0';
    struct output_use uses[PLOT_RESULTS + 3] = {
        { "-o", x->picture, false },
        { "-o's data", data, false },
        { "-o's script", script, false },
    };
    for (size_t i = 0; i < x->count; i++)
        uses[3 + i] = (struct output_use){ "the result", x->paths[i], true };
    return output_check(uses, 3 + x->count, d);
}

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

static int plot(const struct plotting *x)
{
    struct diag d = { .text = "" };
    if (x->picture && !check_files(x, &d))
        return fail(&d, 2);
    json_t *results = load_all(x, &d);
    if (!results)
        return fail(&d, 2);
    d.file[0] = '\0';
    bool drawn = (!x->picture || plot_draw(x->kind, results, x->picture, &d))
              && (!x->dumb || plot_dumb(x->kind, results, &d));
    json_decref(results);
    return drawn ? 0 : fail(&d, 1);
}

static void print_kinds(FILE *out)
{
    fputs("Kinds, and what a RESULT is:\n", out);
    for (size_t k = 0; k < KINDS; k++)
        fprintf(out, "  %-12s %s (%s)\n", kinds[k]->name, kinds[k]->what, kinds[k]->made_by);
}

static int complete(const struct plotting *x, const struct options *o)
{
    if (!x->kind)
        return options_wrong(o, "there is no kind of picture; expected one, as energy");
    if (x->count == 0)
        return options_wrong(o, "there is no result; expected a file that `%s` wrote",
                             x->kind->made_by);
    if (!x->picture && !x->dumb)
        return options_wrong(o, "there is no place for the picture; expected -o FILE or "
                             "--term dumb");
    return 0;
}

int cmd_plot(int argc, char **argv)
{
    struct options o = OPTIONS("plot", "KIND RESULT.json...", rows, argc, argv);
    struct plotting x = { .count = 0 };
    int i;
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT)
        if (!take(&x, &o, i))
            return 2;
    if (i == OPTIONS_HELP) {
        options_more(print_kinds);
        return 0;
    }
    if (i != OPTIONS_END)
        return 2;
    int status = complete(&x, &o);
    return status != 0 ? status : plot(&x);
}
