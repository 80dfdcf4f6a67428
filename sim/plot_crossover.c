/* plot_crossover.c - the data of plots/crossover.gp: which of two machines is better. */
#include <math.h>
#include <string.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"
#include "sim/sweep_axis.h"

PLOT_SCRIPT(crossover);

/* Points stand at 0, 1, ... along each axis. */
struct grid {
    const json_t *points;
    size_t        columns, rows;        /* of the first axis, of the second */
    const char   *x, *y;                /* their names; "" without a second */
};

static struct grid grid_of(const json_t *crossover)
{
    const json_t *axes = json_object_get(crossover, "axes");
    const json_t *x = json_array_get(axes, 0), *y = json_array_get(axes, 1);
    return (struct grid){ json_object_get(crossover, "points"), (size_t)report_number(x, "steps"),
                          y ? (size_t)report_number(y, "steps") : 1, report_string(x, "name"),
                          report_string(y, "name") };
}

static json_t *point_at(const struct grid *g, size_t column, size_t row)
{
    return json_array_get(g->points, column * g->rows + row);
}

/* "256", "f16"; nothing where there is no such axis. */
static void write_step(const json_t *point, const char *axis, FILE *out)
{
    const json_t *value = json_object_get(json_object_get(point, "over"), axis);
    char text[32] = "";
    if (json_is_number(value))
        snprintf(text, sizeof text, "%.9g", json_number_value(value));
    plot_text(json_is_string(value) ? json_string_value(value) : text, out);
    fputc('\n', out);
}

static void write_head(const json_t *crossover, const struct grid *g, FILE *out)
{
    const json_t *names = json_object_get(crossover, "machines");
    fputs("# machines, axes, their steps; then blocks: the steps of each axis; column row\n"
          "# time_ratio energy_ratio, of the second machine over the first; lines where the time\n"
          "# crosses 1, x y dx dy; the same of energy; where there is no ratio: column row\n"
          "# 1 left out, 2 too large for the first, 3 for the second, 4 for both, 5 failed\n", out);
    plot_text(json_string_value(json_array_get(names, 0)), out);
    fputc(' ', out);
    plot_text(json_string_value(json_array_get(names, 1)), out);
    fputc(' ', out);
    plot_text(g->x, out);
    fputc(' ', out);
    plot_text(g->y, out);
    fprintf(out, " %zu %zu\n\n\n", g->columns, g->rows);
    for (size_t c = 0; c < g->columns; c++)
        write_step(point_at(g, c, 0), g->x, out);
    fputs("\n\n", out);
    for (size_t r = 0; r < g->rows; r++)
        write_step(point_at(g, 0, r), g->y, out);
}

static void write_ratio(const json_t *point, const char *key, FILE *out)
{
    double ratio = report_number(point, key);
    if (ratio > 0)
        fprintf(out, " %.17g", ratio);
    else
        fputs(" NaN", out);
}

static void write_cells(const struct grid *g, FILE *out)
{
    for (size_t c = 0; c < g->columns; c++)
        for (size_t r = 0; r < g->rows; r++) {
            fprintf(out, "%zu %zu", c, r);
            write_ratio(point_at(g, c, r), "time_ratio", out);
            write_ratio(point_at(g, c, r), "energy_ratio", out);
            fputc('\n', out);
        }
}

static bool crosses(const json_t *a, const json_t *b, const char *key)
{
    double x = report_number(a, key), y = report_number(b, key);
    return x > 0 && y > 0 && (x < 1) != (y < 1);
}

/* Between two neighbours on different sides of 1; a line of no length where there is none. */
static void write_lines(const struct grid *g, const char *key, FILE *out)
{
    fputs("-1 -1 0 0\n", out);
    for (size_t c = 0; c < g->columns; c++)
        for (size_t r = 0; r < g->rows; r++) {
            const json_t *here = point_at(g, c, r);
            double x = (double)c, y = (double)r;
            if (c + 1 < g->columns && crosses(here, point_at(g, c + 1, r), key))
                fprintf(out, "%g %g 0 1\n", x + 0.5, y - 0.5);
            if (r + 1 < g->rows && crosses(here, point_at(g, c, r + 1), key))
                fprintf(out, "%g %g 1 0\n", x - 0.5, y + 0.5);
        }
}

/* 0: there is a result. */
static int mark_of(const json_t *point)
{
    const char *a = report_string(json_array_get(json_object_get(point, "on"), 0), "status");
    const char *b = report_string(json_array_get(json_object_get(point, "on"), 1), "status");
    bool large_a = strcmp(a, "too_large") == 0, large_b = strcmp(b, "too_large") == 0;
    if (strcmp(a, "failed") == 0 || strcmp(b, "failed") == 0)
        return 5;
    if (large_a || large_b)
        return large_a && large_b ? 4 : large_a ? 2 : 3;
    return strcmp(a, "left_out") == 0 || strcmp(b, "left_out") == 0;
}

static void write_marks(const struct grid *g, FILE *out)
{
    fputs("-1 -1 0\n", out);
    for (size_t c = 0; c < g->columns; c++)
        for (size_t r = 0; r < g->rows; r++)
            if (mark_of(point_at(g, c, r)) > 0)
                fprintf(out, "%zu %zu %d\n", c, r, mark_of(point_at(g, c, r)));
}

static void write_data(const json_t *results, FILE *out)
{
    const json_t *crossover = json_array_get(results, 0);
    struct grid g = grid_of(crossover);
    write_head(crossover, &g, out);
    fputs("\n\n", out);
    write_cells(&g, out);
    fputs("\n\n", out);
    write_lines(&g, "time_ratio", out);
    fputs("\n\n", out);
    write_lines(&g, "energy_ratio", out);
    fputs("\n\n", out);
    write_marks(&g, out);
}

static bool has_steps(const json_t *crossover)
{
    size_t i;
    json_t *axis;
    json_array_foreach(json_object_get(crossover, "axes"), i, axis) {
        double steps = report_number(axis, "steps");
        if (!(steps >= 1 && steps <= SWEEP_POINTS) || steps != floor(steps))
            return false;
    }
    return true;
}

static bool drawable(const json_t *crossover)
{
    if (!has_steps(crossover))
        return false;
    struct grid g = grid_of(crossover);
    size_t axes = json_array_size(json_object_get(crossover, "axes")), p;
    json_t *point;
    if (json_array_size(json_object_get(crossover, "machines")) != 2 || axes < 1 || axes > 2
        || g.columns * g.rows != json_array_size(g.points))
        return false;
    json_array_foreach(g.points, p, point) {
        if (report_number(point, "time_ratio") > 0)
            return true;
    }
    return false;
}

static const struct plot_need needs[] = {
    { "machines.*", true }, { "axes.*.name", true }, { "axes.*.steps", false },
    { "points.*.flops", false }, { "points.*.on.*.status", true }, { NULL, false },
};

const struct plot plot_crossover = {
    "crossover", "which of two machines is faster and thriftier over a grid",
    plot_crossover_script, "simaccel compare --over --json", 1, needs, drawable,
    "two machines, one or two axes, and a point where both have a result", write_data,
};
