/* plot_sweep.c - the data of plots/sweep.gp: speed-up, energy and shares of peak over what was
 * swept.
 *
 * Along the axis goes the first parameter with several numbers, or where there is none the first
 * with several words.  A parameter that follows from it (rows and columns swept in step) is not
 * said again; every other with several values makes a line for each of them.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(sweep);

#define LINES 8                 /* on one picture: as many colours can be told apart */
#define SHADES 64               /* lines of one parameter that is a number: from dark to bright */

static json_t *points_of(const json_t *sweep)
{
    return json_object_get(sweep, "points");
}

static json_t *value_of(const json_t *point, const char *parameter)
{
    return json_object_get(json_object_get(point, "over"), parameter);
}

static bool is_done(const json_t *point)
{
    return report_number(point, "time_s") > 0;      /* one that failed has none */
}

static json_t *first_done(const json_t *sweep)
{
    size_t i;
    json_t *point;
    json_array_foreach(points_of(sweep), i, point) {
        if (is_done(point))
            return point;
    }
    return NULL;
}

/* ---- which parameter is what ---- */

static bool has_several(const json_t *sweep, const char *parameter, bool numbers)
{
    size_t i;
    json_t *point, *first = value_of(json_array_get(points_of(sweep), 0), parameter);
    bool differs = false;
    json_array_foreach(points_of(sweep), i, point) {
        json_t *value = value_of(point, parameter);
        if (numbers ? !json_is_number(value) : !json_is_string(value))
            return false;
        differs |= !json_equal(value, first);
    }
    return differs;
}

/* What goes along the axis; NULL: nothing can. */
static const char *axis_of(const json_t *sweep, bool *numbers)
{
    const char *parameter;
    json_t *value, *over = json_object_get(json_array_get(points_of(sweep), 0), "over");
    for (int pass = 0; pass < 2; pass++) {
        *numbers = pass == 0;
        json_object_foreach(over, parameter, value) {
            if (has_several(sweep, parameter, *numbers))
                return parameter;
        }
    }
    return NULL;
}

/* As people write it: "256", "f16". */
static void write_value(const json_t *value, FILE *out)
{
    if (json_is_string(value))
        fputs(json_string_value(value), out);
    else
        fprintf(out, "%.6g", json_number_value(value));
}

static char *text_of(const json_t *value)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    write_value(value, out);
    fclose(out);
    return text;
}

/* Whether points that are alike in `axis` are alike in `parameter`. */
static bool follows(const json_t *sweep, const char *axis, const char *parameter)
{
    size_t i;
    json_t *point, *with = json_object();
    bool same = true;
    json_array_foreach(points_of(sweep), i, point) {
        char *at = text_of(value_of(point, axis));
        json_t *value = value_of(point, parameter), *before = json_object_get(with, at);
        same = same && (!before || json_equal(before, value));
        json_object_set(with, at, value);
        free(at);
    }
    json_decref(with);
    return same;
}

/* The names of the parameters that tell lines apart; a new reference. */
static json_t *parameters_of_lines(const json_t *sweep, const char *axis)
{
    const char *parameter;
    json_t *value, *names = json_array();
    json_object_foreach(json_object_get(json_array_get(points_of(sweep), 0), "over"), parameter,
                        value) {
        if (!follows(sweep, axis, parameter))
            json_array_append_new(names, json_string(parameter));
    }
    return names;
}

/* ---- lines ---- */

/* The value of the number that alone tells lines apart; NULL: something else does. */
static json_t *shade_of(const json_t *parameters, const json_t *sweep, const json_t *point)
{
    const char *name = json_string_value(json_array_get(parameters, 0));
    return json_array_size(parameters) == 1 && has_several(sweep, name, true)
         ? value_of(point, name) : NULL;
}

/* "arch v100, sm.count 10"; "" where there is one line alone. */
static char *line_of(const json_t *point, const json_t *parameters)
{
    char *text = NULL;
    size_t size = 0, i;
    json_t *name;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    json_array_foreach(parameters, i, name) {
        fprintf(out, "%s%s ", i > 0 ? ", " : "", json_string_value(name));
        write_value(value_of(point, json_string_value(name)), out);
    }
    fclose(out);
    return text;
}

/* The points of each line, by its name, in the sweep's order; a new reference. */
static json_t *lines_of(const json_t *sweep, const char *axis)
{
    size_t i;
    json_t *point, *lines = json_object(), *parameters = parameters_of_lines(sweep, axis);
    json_array_foreach(points_of(sweep), i, point) {
        char *name = line_of(point, parameters);
        if (!json_object_get(lines, name))
            json_object_set_new(lines, name, json_array());
        json_array_append(json_object_get(lines, name), point);
        free(name);
    }
    json_decref(parameters);
    return lines;
}

/* Words stand at 1, 2, ... in the order in which they come. */
static double position(json_t *words, const json_t *value)
{
    if (json_is_number(value))
        return json_number_value(value);
    const char *word = json_string_value(value);
    if (!json_object_get(words, word))
        json_object_set_new(words, word, json_integer((json_int_t)json_object_size(words) + 1));
    return json_number_value(json_object_get(words, word));
}

static double share(const json_t *point, const char *part, const char *whole)
{
    double of = report_number(point, whole);
    return of > 0 ? report_number(point, part) / of : 0;
}

/* Steps of unlike batches are compared by the sample: true if all have rows, not the same. */
static bool goes_by_sample(const json_t *sweep)
{
    size_t i;
    json_t *point;
    double first = report_number(first_done(sweep), "rows");
    bool differ = false;
    json_array_foreach(points_of(sweep), i, point) {
        double rows = report_number(point, "rows");
        if (is_done(point) && rows <= 0)
            return false;
        differ |= is_done(point) && rows != first;
    }
    return differ;
}

struct drawing {
    const json_t *sweep;
    const char   *axis;
    bool          numbers, by_sample;
    double        first_s;      /* of a step, or of a sample */
    json_t       *words;        /* where they stand */
    json_t       *parameters;   /* that tell lines apart */
};

static double work(const struct drawing *x, const json_t *point)
{
    return x->by_sample ? report_number(point, "rows") : 1;
}

static void write_point(const struct drawing *x, const json_t *point, FILE *out)
{
    double rows = work(x, point);
    char *text = text_of(value_of(point, x->axis));
    fprintf(out, "%.17g %.17g %.17g %.17g %.17g ", position(x->words, value_of(point, x->axis)),
            x->first_s / (report_number(point, "time_s") / rows),
            report_number(point, "energy_j") / rows, report_number(point, "mxu_utilization"),
            share(point, "hbm_bytes_per_s", "hbm_peak_bytes_per_s"));
    plot_text(text, out);
    fputc('\n', out);
    free(text);
}

/* An empty line, which two would not be, where points are not done. */
static void write_line(const struct drawing *x, const json_t *line, FILE *out)
{
    size_t i;
    json_t *point;
    bool written = false, gap = false;
    json_array_foreach(line, i, point) {
        if (!is_done(point)) {
            position(x->words, value_of(point, x->axis));
            gap = written;
            continue;
        }
        if (gap)
            fputc('\n', out);
        write_point(x, point, out);
        written = true;
        gap = false;
    }
}

static void write_head(const struct drawing *x, FILE *out)
{
    size_t i, lost = 0;
    json_t *point;
    json_array_foreach(points_of(x->sweep), i, point) {
        lost += !is_done(point);
    }
    fputs("# parameter, whether it has words, whether all is by the sample, s of the first"
          " point,\n# points not done, a parameter that is the lines' number; then a block a line:"
          " name, number,\n# then value speed-up energy_j mxu_utilization share_of_hbm_peak\n", out);
    plot_text(x->axis, out);
    fprintf(out, " %d %d %.17g %zu ", !x->numbers, x->by_sample, x->first_s, lost);
    plot_text(shade_of(x->parameters, x->sweep, first_done(x->sweep))
              ? json_string_value(json_array_get(x->parameters, 0)) : "", out);
    fputc('\n', out);
}

static void write_data(const json_t *results, FILE *out)
{
    const char *name;
    json_t *line, *sweep = json_array_get(results, 0);
    struct drawing x = { .sweep = sweep, .words = json_object() };
    x.by_sample = goes_by_sample(sweep);
    x.axis = axis_of(sweep, &x.numbers);
    x.first_s = report_number(first_done(sweep), "time_s") / work(&x, first_done(sweep));
    json_t *lines = lines_of(sweep, x.axis);
    x.parameters = parameters_of_lines(sweep, x.axis);
    write_head(&x, out);
    json_object_foreach(lines, name, line) {
        fputs(plot_between(1), out);
        plot_text(name, out);
        fprintf(out, " %.17g\n",
                json_number_value(shade_of(x.parameters, sweep, json_array_get(line, 0))));
        write_line(&x, line, out);
    }
    json_decref(x.words);
    json_decref(x.parameters);
    json_decref(lines);
}

/* ---- what can be drawn ---- */

static bool has_numbers(const json_t *sweep)
{
    size_t i;
    json_t *point;
    static const char *const keys[] = { "time_s", "energy_j", "mxu_utilization",
                                        "hbm_bytes_per_s", "hbm_peak_bytes_per_s" };
    json_array_foreach(points_of(sweep), i, point) {
        bool done = strcmp(report_string(point, "status"), "done") == 0;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            if (done != json_is_number(json_object_get(point, keys[k])))
                return false;
        if (!json_is_object(json_object_get(point, "over")))
            return false;
    }
    return first_done(sweep) != NULL;
}

static bool drawable(const json_t *sweep)
{
    bool numbers;
    const char *axis = has_numbers(sweep) ? axis_of(sweep, &numbers) : NULL;
    if (!axis)
        return false;
    json_t *lines = lines_of(sweep, axis), *parameters = parameters_of_lines(sweep, axis);
    size_t most = shade_of(parameters, sweep, first_done(sweep)) ? SHADES : LINES;
    bool few = json_object_size(lines) <= most;
    json_decref(parameters);
    json_decref(lines);
    return few;
}

static const struct plot_need needs[] = {
    { "sweep", false }, { "file", true }, { "points.*.status", true }, { NULL, false },
};

const struct plot plot_sweep = {
    "sweep", "speed-up, energy and shares of peak over what was swept", plot_sweep_script,
    "simaccel sweep --json", 1, needs, drawable,
    "points that are done, over a parameter with several values, on at most 8 lines (64 if a "
    "number tells them apart)", write_data,
};
