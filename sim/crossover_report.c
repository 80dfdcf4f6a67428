/* crossover_report.c - a crossover map as text for people and as CSV. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare_options.h"
#include "sim/crossover.h"
#include "sim/report.h"
#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

static json_t *points_of(const json_t *crossover)
{
    return json_object_get(crossover, "points");
}

static json_t *over_of(const json_t *point, const char *axis)
{
    return json_object_get(json_object_get(point, "over"), axis);
}

static const char *machine(const json_t *crossover, size_t m)
{
    return json_string_value(json_array_get(json_object_get(crossover, "machines"), m));
}

static const char *axis(const json_t *crossover, size_t a)
{
    return report_string(json_array_get(json_object_get(crossover, "axes"), a), "name");
}

static size_t count_of(const json_t *crossover, const char *list)
{
    return json_array_size(json_object_get(crossover, list));
}

/* ---- CSV ---- */

static const char *const of_machine[] = { "status", "time_s", "energy_per_sample_j", "bound_by",
                                          "message" };
static const char *const of_point[] = { "flops", "faster", "time_ratio", "thriftier",
                                        "energy_ratio" };
#define COUNT(list) (sizeof (list) / sizeof (list)[0])

static void csv_head(const json_t *crossover, FILE *out)
{
    const char *parameter;
    json_t *value, *over = json_object_get(json_array_get(points_of(crossover), 0), "over");
    json_object_foreach(over, parameter, value) {
        fprintf(out, "%s,", parameter);
    }
    for (size_t i = 0; i < COUNT(of_point); i++)
        fprintf(out, "%s%s", i > 0 ? "," : "", of_point[i]);
    for (size_t m = 0; m < count_of(crossover, "machines"); m++)
        for (size_t i = 0; i < COUNT(of_machine); i++)
            fprintf(out, ",%s.%s", machine(crossover, m), of_machine[i]);
    fputc('\n', out);
}

void crossover_csv(const json_t *crossover, FILE *out)
{
    size_t p;
    const char *parameter;
    json_t *point, *value;
    csv_head(crossover, out);
    json_array_foreach(points_of(crossover), p, point) {
        json_object_foreach(json_object_get(point, "over"), parameter, value) {
            report_csv_field(value, out);
            fputc(',', out);
        }
        for (size_t i = 0; i < COUNT(of_point); i++) {
            fputs(i > 0 ? "," : "", out);
            report_csv_field(json_object_get(point, of_point[i]), out);
        }
        for (size_t m = 0; m < count_of(crossover, "machines"); m++)
            for (size_t i = 0; i < COUNT(of_machine); i++) {
                const json_t *on = json_array_get(json_object_get(point, "on"), m);
                fputc(',', out);
                report_csv_field(json_object_get(on, of_machine[i]), out);
            }
        fputc('\n', out);
    }
}

/* ---- a map of two axes ---- */

/* What stands where there is no result of all, the worst first. */
static const char *mark_of(const json_t *point)
{
    static const struct { const char *status, *mark; } marks[] = {
        { "failed", "fail" }, { "too_large", "mem" }, { "left_out", "..." },
    };
    const json_t *on;
    for (size_t i = 0; i < COUNT(marks); i++)
        for (size_t m = 0; (on = json_array_get(json_object_get(point, "on"), m)) != NULL; m++)
            if (strcmp(report_string(on, "status"), marks[i].status) == 0)
                return marks[i].mark;
    return "=";
}

static const char *cell_text(const json_t *point, const char *best, const char *ratio, char *text)
{
    const char *name = report_string(point, best);
    double x = report_number(point, ratio);
    if (!name[0])
        return mark_of(point);
    if (x <= 0)
        return name;
    return number_plain(text, x, x < 0.995 ? 2 : 3);
}

static void write_value(const json_t *value, char text[NUMBER_TEXT])
{
    if (json_is_string(value))
        snprintf(text, NUMBER_TEXT, "%.40s", json_string_value(value));
    else
        snprintf(text, NUMBER_TEXT, "%.9g", json_number_value(value));
}

/* Rows go up with the second axis, as in a picture. */
static void map(const json_t *crossover, const char *what, const char *best, const char *ratio,
                FILE *out)
{
    const json_t *points = points_of(crossover);
    size_t rows = (size_t)report_number(
        json_array_get(json_object_get(crossover, "axes"), 1), "steps");
    size_t columns = json_array_size(points) / rows;
    const char *x = axis(crossover, 0), *y = axis(crossover, 1);
    char text[NUMBER_TEXT];
    struct table *t = table_new();
    fprintf(out, "\n%s; %s to the right, %s up\n", what, x, y);
    table_column(t, TABLE_RIGHT, y, "");
    for (size_t c = 0; c < columns; c++) {
        write_value(over_of(json_array_get(points, c * rows), x), text);
        table_column(t, TABLE_RIGHT, text, "");
    }
    for (size_t r = rows; r-- > 0; ) {
        write_value(over_of(json_array_get(points, r), y), text);
        table_cell(t, "%s", text);
        for (size_t c = 0; c < columns; c++)
            table_cell(t, "%s", cell_text(json_array_get(points, c * rows + r), best, ratio, text));
    }
    table_print(t, out);
}

/* ---- a list, of one axis or many ---- */

static void list(const json_t *crossover, FILE *out)
{
    static const char *const best[] = { "faster", "thriftier" };
    static const char *const ratios[] = { "time_ratio", "energy_ratio" };
    char text[NUMBER_TEXT];
    size_t p;
    json_t *point;
    struct table *t = table_new();
    fputc('\n', out);
    for (size_t a = 0; a < count_of(crossover, "axes"); a++)
        table_column(t, TABLE_RIGHT, axis(crossover, a), "");
    for (size_t b = 0; b < 2; b++) {
        table_column(t, TABLE_LEFT, best[b], "");
        table_column(t, TABLE_RIGHT, "ratio", "");
    }
    json_array_foreach(points_of(crossover), p, point) {
        for (size_t a = 0; a < count_of(crossover, "axes"); a++) {
            write_value(over_of(point, axis(crossover, a)), text);
            table_cell(t, "%s", text);
        }
        for (size_t b = 0; b < 2; b++) {
            const char *name = report_string(point, best[b]);
            double x = report_number(point, ratios[b]);
            table_cell(t, "%s", name[0] ? name : mark_of(point));
            table_cell(t, "%s", x > 0 ? number_plain(text, x, 2) : "-");
        }
    }
    table_print(t, out);
}

/* ---- what it comes to ---- */

static size_t count_best(const json_t *crossover, const char *best, const char *name)
{
    size_t p, count = 0;
    json_t *point;
    json_array_foreach(points_of(crossover), p, point) {
        count += strcmp(report_string(point, best), name) == 0;
    }
    return count;
}

static size_t count_mark(const json_t *crossover, const char *mark)
{
    size_t p, count = 0;
    json_t *point;
    json_array_foreach(points_of(crossover), p, point) {
        count += !report_string(point, "faster")[0] && strcmp(mark_of(point), mark) == 0;
    }
    return count;
}

static void sum_up(const json_t *crossover, FILE *out)
{
    static const struct { const char *mark, *says; } marks[] = {
        { "...", "left out (...), for a step has more operations than --limit" },
        { "mem", "where one does not fit its memory (mem)" }, { "fail", "failed (fail)" },
        { "=", "alike (=)" },
    };
    fputc('\n', out);
    for (size_t m = 0; m < count_of(crossover, "machines"); m++) {
        const char *name = machine(crossover, m);
        fprintf(out, "  %s is faster at %zu points, and takes less energy a sample at %zu\n", name,
                count_best(crossover, "faster", name), count_best(crossover, "thriftier", name));
    }
    for (size_t i = 0; i < COUNT(marks); i++)
        if (count_mark(crossover, marks[i].mark) > 0)
            fprintf(out, "  %zu points %s\n", count_mark(crossover, marks[i].mark), marks[i].says);
}

/* What times and energies are of. */
static void caveats(const json_t *crossover, FILE *out)
{
    const json_t *level, *prices = json_object_get(crossover, "prices");
    char line[1024];
    size_t n = (size_t)snprintf(line, sizeof line, "Times are the device's: launch and host are "
                                "not in them. Energies are at each machine's own level of prices:");
    for (size_t m = 0; n < sizeof line && (level = json_array_get(prices, m)) != NULL; m++)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s %s %s", m > 0 ? "," : "",
                              machine(crossover, m), json_string_value(level));
    table_text(line, out);
}

void crossover_text(const json_t *crossover, FILE *out)
{
    static const struct { const char *best, *ratio, *of_two, *of_many; } maps[] = {
        { "faster", "time_ratio", "Time", "The faster machine" },
        { "thriftier", "energy_ratio", "Energy a sample", "The machine with less energy a sample" },
    };
    char what[200];
    fprintf(out, "%s on ", report_string(crossover, "trace"));
    for (size_t m = 0; m < count_of(crossover, "machines"); m++)
        fprintf(out, "%s%s", m > 0 ? ", " : "", machine(crossover, m));
    fprintf(out, " (simaccel %s)\n", SIMACCEL_VERSION);
    compare_options_text(json_object_get(crossover, "options"), out);
    if (count_of(crossover, "axes") != 2)
        list(crossover, out);
    for (size_t i = 0; count_of(crossover, "axes") == 2 && i < COUNT(maps); i++) {
        snprintf(what, sizeof what, "%s", maps[i].of_many);
        if (count_of(crossover, "machines") == 2)
            snprintf(what, sizeof what, "%s of %s over that of %s", maps[i].of_two,
                     machine(crossover, 1), machine(crossover, 0));
        map(crossover, what, maps[i].best, maps[i].ratio, out);
    }
    sum_up(crossover, out);
    caveats(crossover, out);
}
