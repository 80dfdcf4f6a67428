/* diff.c - see diff.h. */
#include "sim/diff.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare.h"
#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

/* ---- what differs ---- */

static json_t *or_null(json_t *value)
{
    return value ? value : json_null();
}

/* Of either object's fields those that differ: {"name", "a", "b"}, null where there is none. */
static void add_fields(json_t *rows, const char *prefix, json_t *a, json_t *b, const char *inside)
{
    const char *name;
    json_t *field, *both = json_object();
    json_object_update(both, a);
    json_object_update_missing(both, b);
    json_object_foreach(both, name, field) {
        json_t *x = json_object_get(a, name), *y = json_object_get(b, name);
        x = inside ? json_object_get(x, inside) : x;
        y = inside ? json_object_get(y, inside) : y;
        if (!json_equal(or_null(x), or_null(y)))
            json_array_append_new(rows, json_pack("{s:s+, s:O, s:O}", "name", prefix, name,
                                                  "a", or_null(x), "b", or_null(y)));
    }
    json_decref(both);
}

static json_t *energy(json_t *a, json_t *b)
{
    json_t *rows = json_array();
    add_fields(rows, "", json_object_get(a, "energy"), json_object_get(b, "energy"), NULL);
    return rows;
}

static json_t *figures(json_t *a, json_t *b)
{
    json_t *rows = json_array(), *section;
    json_t *x = json_object_get(a, "parameters"), *y = json_object_get(b, "parameters");
    const char *name;
    char prefix[80];
    if (strcmp(report_string(a, "kind"), report_string(b, "kind")) != 0)
        return rows;
    json_object_foreach(x, name, section) {
        snprintf(prefix, sizeof prefix, "%.70s.", name);
        if (json_is_object(section))
            add_fields(rows, prefix, section, json_object_get(y, name), "value");
    }
    return rows;
}

/* What must be alike for totals to be of the same work. */
static json_t *works(json_t *a, json_t *b)
{
    static const char *const names[] = { "trace", "batch", "flops" };
    json_t *rows = json_array();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *x = or_null(json_object_get(a, names[i]));
        json_t *y = or_null(json_object_get(b, names[i]));
        if (!json_equal(x, y))
            json_array_append_new(rows, json_pack("{s:s, s:O, s:O}", "name", names[i], "a", x,
                                                  "b", y));
    }
    return rows;
}

json_t *diff_results(json_t *a, json_t *b)
{
    json_t *o = compare_results((json_t *[]){ a, b }, 2, 0);
    json_object_del(o, "compare");
    json_object_set_new(o, "diff", json_integer(1));
    json_object_set_new(o, "different_work", works(a, b));
    json_object_set_new(o, "energy", energy(a, b));
    json_object_set_new(o, "parameters", figures(a, b));
    return o;
}

/* ---- text ---- */

#define ROWS_SHOWN 20           /* those that changed most */

struct row { const char *name; double a, b; };

static int by_change(const void *x, const void *y)
{
    const struct row *p = x, *q = y;
    double s = fabs(p->b - p->a), t = fabs(q->b - q->a);
    return s > t ? -1 : s < t ? 1 : strcmp(p->name, q->name);
}

static void print_row(struct table *t, const struct row *r, const char *unit)
{
    char text[NUMBER_TEXT];
    double change = r->b - r->a;
    table_cell(t, "%s", r->name);
    table_cell(t, "%s", number_si(text, r->a, unit));
    table_cell(t, "%s", number_si(text, r->b, unit));
    table_cell(t, "%s%s", change < 0 ? "-" : "+", number_si(text, fabs(change), unit));
    table_cell(t, "%s", r->a > 0 && r->b > 0 ? number_plain(text, r->b / r->a, 3) : "-");
}

/* Those that differ, most first; says so where none does. */
static void print_rows(const char *what, struct row *rows, size_t count, const char *unit,
                       FILE *out)
{
    size_t differ = 0;
    qsort(rows, count, sizeof *rows, by_change);
    while (differ < count && rows[differ].a != rows[differ].b)
        differ++;
    if (differ == 0) {
        fprintf(out, "\n%s: nothing changed\n", what);
        return;
    }
    fprintf(out, "\n%s\n", what);
    struct table *t = table_new();
    static const char *const heads[] = { "a", "b", "b - a", "b / a" };
    table_column(t, TABLE_LEFT, "", "");
    for (size_t i = 0; i < 4; i++)
        table_column(t, TABLE_RIGHT, heads[i], "");
    for (size_t i = 0; i < differ && i < ROWS_SHOWN; i++)
        print_row(t, &rows[i], unit);
    table_print(t, out);
    if (differ > ROWS_SHOWN)
        fprintf(out, "  %zu that changed less are left out; --json has all\n", differ - ROWS_SHOWN);
}

/* A number of both cells of each row of a comparison. */
static void print_cells(const char *what, const json_t *list, const char *key, const char *unit,
                        FILE *out)
{
    size_t count = json_array_size(list);
    struct row *rows = calloc(count + 1, sizeof *rows);
    if (!rows)
        abort();
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i), *on = json_object_get(row, "on");
        rows[i] = (struct row){ report_string(row, "name"),
                                report_number(json_array_get(on, 0), key),
                                report_number(json_array_get(on, 1), key) };
    }
    print_rows(what, rows, count, unit, out);
    free(rows);
}

static void print_totals(const json_t *diff, FILE *out)
{
    static const struct { const char *name, *key, *unit; } totals[] = {
        { "time", "time_s", "s" },   { "energy", "energy_j", "J" },
        { "work", "flops", "FLOP" }, { "HBM", "hbm_bytes", "B" },
    };
    const json_t *on = json_object_get(json_object_get(diff, "all"), "on");
    struct table *t = table_new();
    static const char *const heads[] = { "a", "b", "b - a", "b / a" };
    table_column(t, TABLE_LEFT, "total", "");
    for (size_t i = 0; i < 4; i++)
        table_column(t, TABLE_RIGHT, heads[i], "");
    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++)
        print_row(t, &(struct row){ totals[i].name,
                                    report_number(json_array_get(on, 0), totals[i].key),
                                    report_number(json_array_get(on, 1), totals[i].key) },
                  totals[i].unit);
    table_print(t, out);
}

static void print_energy(const json_t *list, FILE *out)
{
    size_t count = json_array_size(list);
    struct row *rows = calloc(count + 1, sizeof *rows);
    if (!rows)
        abort();
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);
        rows[i] = (struct row){ report_string(row, "name"), report_number(row, "a"),
                                report_number(row, "b") };
    }
    print_rows("Energy by component", rows, count, "J", out);
    free(rows);
}

static void print_value(const json_t *value, FILE *out)
{
    if (json_is_string(value))
        fputs(json_string_value(value), out);
    else if (json_is_number(value))
        fprintf(out, "%.10g", json_number_value(value));
    else
        fputs("none", out);
}

/* Before any number: that they are not of the same work. */
static void print_work(const json_t *rows, FILE *out)
{
    const json_t *row;
    if (json_array_size(rows) > 0)
        fputs("These are of different work:", out);
    for (size_t i = 0; (row = json_array_get(rows, i)) != NULL; i++) {
        fprintf(out, "%s %s ", i > 0 ? "," : "", report_string(row, "name"));
        print_value(json_object_get(row, "a"), out);
        fputs(" -> ", out);
        print_value(json_object_get(row, "b"), out);
    }
    fputs(json_array_size(rows) > 0 ? "\n\n" : "\n", out);
}

static void print_figures(const json_t *diff, FILE *out)
{
    const json_t *machines = json_object_get(diff, "machines"), *row;
    const json_t *rows = json_object_get(diff, "parameters");
    if (strcmp(report_string(json_array_get(machines, 0), "kind"),
               report_string(json_array_get(machines, 1), "kind")) != 0)
        fputs("\nFigures: machines of different kinds, with few in common\n", out);
    else
        fprintf(out, "\nFigures that differ: %zu\n", json_array_size(rows));
    for (size_t i = 0; (row = json_array_get(rows, i)) != NULL; i++) {
        fprintf(out, "  %s: ", report_string(row, "name"));
        print_value(json_object_get(row, "a"), out);
        fputs(" -> ", out);
        print_value(json_object_get(row, "b"), out);
        fputc('\n', out);
    }
}

void diff_text(const json_t *diff, FILE *out)
{
    const json_t *machines = json_object_get(diff, "machines");
    fprintf(out, "a: %s; b: %s\n", report_string(json_array_get(machines, 0), "machine"),
            report_string(json_array_get(machines, 1), "machine"));
    print_work(json_object_get(diff, "different_work"), out);
    print_totals(diff, out);
    print_cells("Time by phase", json_object_get(diff, "phases"), "time_s", "s", out);
    print_cells("Time by op", json_object_get(diff, "ops"), "time_s", "s", out);
    print_energy(json_object_get(diff, "energy"), out);
    print_figures(diff, out);
}
