/* plot_sweep.c - the data of plots/sweep.gp: speed-up and energy over what was swept.
 *
 * The first parameter with several numbers goes along the axis; parameters that go in step with it
 * are not said again, and those that are left make a line for each of their values.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(sweep);

static const json_t *points_of(const json_t *sweep)
{
    return json_object_get(sweep, "points");
}

static bool is_done(const json_t *point)
{
    return strcmp(report_string(point, "status"), "done") == 0
        && report_number(point, "time_s") > 0;
}

static json_t *value_of(const json_t *point, const char *parameter)
{
    return json_object_get(json_object_get(point, "over"), parameter);
}

static const json_t *first_done(const json_t *sweep)
{
    size_t i;
    json_t *point;
    json_array_foreach(points_of(sweep), i, point) {
        if (is_done(point))
            return point;
    }
    return NULL;
}

static bool is_axis(const json_t *sweep, const char *parameter)
{
    size_t i;
    json_t *point;
    const json_t *first = value_of(json_array_get(points_of(sweep), 0), parameter);
    bool differs = false;
    json_array_foreach(points_of(sweep), i, point) {
        const json_t *value = value_of(point, parameter);
        if (!json_is_number(value))
            return false;
        differs |= !json_equal((json_t *)(uintptr_t)value, (json_t *)(uintptr_t)first);
    }
    return differs;
}

/* What goes along the axis; NULL: nothing can. */
static const char *axis_of(const json_t *sweep)
{
    const char *parameter;
    json_t *value;
    json_object_foreach(json_object_get(json_array_get(points_of(sweep), 0), "over"), parameter,
                        value) {
        if (is_axis(sweep, parameter))
            return parameter;
    }
    return NULL;
}

/* Whether points that are alike in `axis` are alike in `parameter`. */
static bool in_step(const json_t *sweep, const char *axis, const char *parameter)
{
    size_t i, k;
    json_t *a, *b;
    json_array_foreach(points_of(sweep), i, a) {
        json_array_foreach(points_of(sweep), k, b) {
            if (json_equal(value_of(a, axis), value_of(b, axis))
                && !json_equal(value_of(a, parameter), value_of(b, parameter)))
                return false;
        }
    }
    return true;
}

/* The line that a point is on: "arch=v100 sm.count=10"; "" where there is one alone. */
static void name_line(const json_t *sweep, const json_t *point, const char *axis, FILE *out)
{
    const char *parameter, *between = "";
    json_t *value;
    json_object_foreach(json_object_get(point, "over"), parameter, value) {
        if (in_step(sweep, axis, parameter))
            continue;
        fprintf(out, "%s%s ", between, parameter);
        if (json_is_string(value))
            fputs(json_string_value(value), out);
        else
            fprintf(out, "%.6g", json_number_value(value));
        between = ", ";
    }
}

static char *line_of(const json_t *sweep, const json_t *point, const char *axis)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    name_line(sweep, point, axis, out);
    fclose(out);
    return text;
}

static void write_line(const json_t *sweep, const char *line, const char *axis, FILE *out)
{
    size_t i;
    json_t *point;
    double first_s = report_number(first_done(sweep), "time_s");
    plot_text(line, out);
    fputc('\n', out);
    json_array_foreach(points_of(sweep), i, point) {
        char *own = line_of(sweep, point, axis);
        if (is_done(point) && strcmp(own, line) == 0)
            fprintf(out, "%.17g %.17g %.17g\n", json_number_value(value_of(point, axis)),
                    first_s / report_number(point, "time_s"), report_number(point, "energy_j"));
        free(own);
    }
}

static void write_data(const json_t *results, FILE *out)
{
    size_t i, blocks = 0;
    json_t *point, *done = json_object(), *sweep = json_array_get(results, 0);
    const char *axis = axis_of(sweep);
    fprintf(out, "# value, speed-up over the first point, energy_j: first the parameter's name\n");
    plot_text(axis, out);
    fputc('\n', out);
    json_array_foreach(points_of(sweep), i, point) {
        char *line = line_of(sweep, point, axis);
        if (is_done(point) && !json_object_get(done, line)) {
            json_object_set_new(done, line, json_true());
            fputs(plot_between(++blocks), out);
            write_line(sweep, line, axis, out);
        }
        free(line);
    }
    json_decref(done);
}

static bool has_axis(const json_t *sweep)
{
    return first_done(sweep) != NULL && axis_of(sweep) != NULL;
}

static const struct plot_need needs[] = {
    { "sweep", false }, { "file", true }, { "points.*.status", true }, { NULL, false },
};

const struct plot plot_sweep = {
    "sweep", "speed-up and energy over what was swept", plot_sweep_script,
    "simaccel sweep --json", 1, needs, has_axis,
    "points that are done, over a parameter with several numbers", write_data,
};
