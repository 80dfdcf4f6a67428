/* sweep_table.c - see sweep_table.h. */
#include "sim/sweep_table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report.h"
#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"
#include "sim/result_multiplied.h"
#include "sim/sweep_store.h"

/* A column, and where it is in a result: a field of it, or of an object of it. */
static const struct column { const char *name, *object, *key; } columns[] = {
    { "rows",                 NULL,  "batch" },
    { "time_s",               NULL,  "time_s" },
    { "clock_hz",             NULL,  "clock_hz" },
    { "energy_j",             NULL,  "energy_j" },
    { "average_power_w",      NULL,  "average_power_w" },
    { "flops",                NULL,  "flops" },
    { "flops_per_s",          NULL,  "flops_per_s" },
    { "peak_flops_per_s",     NULL,  "peak_flops_per_s" },
    { "mxu_utilization",      NULL,  "mxu_utilization" },
    { "hbm_bytes",            "hbm", "bytes" },
    { "hbm_bytes_per_s",      "hbm", "bytes_per_s" },
    { "hbm_peak_bytes_per_s", "hbm", "peak_bytes_per_s" },
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static const char *word(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static double time_bound_by(const json_t *ops, const char *cause)
{
    double sum = 0;
    const json_t *op;
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (strcmp(word(op, "bound_by"), cause) == 0)
            sum += json_number_value(json_object_get(op, "time_s"));
    return sum;
}

/* What bounds ops for most of the time; of equals what comes first. */
static const char *bound_by(const json_t *ops)
{
    const char *most = "";
    double      time = -1;
    const json_t *op;
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++) {
        double t = time_bound_by(ops, word(op, "bound_by"));
        if (t > time) {
            most = word(op, "bound_by");
            time = t;
        }
    }
    return most;
}

json_t *sweep_row(const json_t *kept)
{
    const json_t *result = json_object_get(kept, "result");
    json_t *row = json_pack("{s:s}", "status", word(kept, "status"));
    if (!result) {
        json_object_set_new(row, "message", json_string(word(kept, "message")));
        return row;
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        const json_t *o = columns[i].object ? json_object_get(result, columns[i].object) : result;
        json_t *value = json_object_get(o, columns[i].key);
        if (value)
            json_object_set(row, columns[i].name, value);
    }
    json_object_set_new(row, "multiplied_as", result_multiplied(result));
    json_object_set_new(row, "bound_by", json_string(bound_by(json_object_get(result, "ops"))));
    return row;
}

bool sweep_row_is(const json_t *row, const char *status)
{
    return strcmp(row ? word(row, "status") : "missing", status) == 0;
}

/* ---- CSV ---- */

static void print_names(const struct sweep_plan *p, FILE *out)
{
    fputs("point", out);
    for (size_t a = 0; a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++)
            fprintf(out, ",%s", p->axes[a].name[n].text);
}

static void print_values(const struct sweep_plan *p, size_t point, FILE *out)
{
    fprintf(out, "%zu", point + 1);
    for (size_t a = 0; a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++) {
            fputc(',', out);
            report_csv_text(sweep_plan_value(p, point, a, n)->text, out);
        }
}

void sweep_table_csv(const struct sweep_plan *p, json_t *const *rows, FILE *out)
{
    static const char *const words[] = { "multiplied_as", "bound_by", "message" };
    print_names(p, out);
    fputs(",status", out);
    for (size_t i = 0; i < COLUMNS; i++)
        fprintf(out, ",%s", columns[i].name);
    fputs(",multiplied_as,bound_by,message\n", out);
    for (size_t i = 0; i < p->points; i++) {
        print_values(p, i, out);
        fprintf(out, ",%s", rows[i] ? word(rows[i], "status") : "missing");
        for (size_t k = 0; k < COLUMNS; k++) {
            fputc(',', out);
            report_csv_field(json_object_get(rows[i], columns[k].name), out);
        }
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
            fputc(',', out);
            report_csv_field(json_object_get(rows[i], words[k]), out);
        }
        fputc('\n', out);
    }
}

void sweep_table_files(const struct sweep_plan *p, json_t *const *rows, FILE *out)
{
    char name[SWEEP_FILE];
    print_names(p, out);
    fputs(",status,file\n", out);
    for (size_t i = 0; i < p->points; i++) {
        sweep_store_name(p->hashes[i], name);
        print_values(p, i, out);
        fprintf(out, ",%s,%s\n", rows[i] ? word(rows[i], "status") : "missing", name);
    }
}

/* ---- JSON ---- */

/* A number where it reads as one, so that nobody has to convert it. */
static json_t *value_json(const char *text)
{
    char *end;
    if (text[0] != '\0' && strlen(text) < 18 && text[strspn(text, "0123456789")] == '\0')
        return json_integer(strtoll(text, NULL, 10));
    double x = strtod(text, &end);
    json_t *real = *end == '\0' && text[0] != '\0'
                && text[strspn(text, "0123456789.eE+-")] == '\0' ? json_real(x) : NULL;
    return real ? real : json_string(text);
}

json_t *sweep_point_json(const struct sweep_plan *p, size_t point, json_t *row)
{
    json_t *o = json_object(), *over = json_object();
    json_object_set_new(o, "point", json_integer((json_int_t)point + 1));
    for (size_t a = 0; a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++)
            json_object_set_new(over, p->axes[a].name[n].text,
                                value_json(sweep_plan_value(p, point, a, n)->text));
    json_object_set_new(o, "over", over);
    json_object_set_new(o, "input", json_string(p->hashes[point]));
    if (row)
        json_object_update(o, row);
    else
        json_object_set_new(o, "status", json_string("missing"));
    return o;
}

void sweep_table_json(const struct sweep_plan *p, json_t *const *rows, FILE *out)
{
    json_t *points = json_array();
    for (size_t i = 0; i < p->points; i++)
        json_array_append_new(points, sweep_point_json(p, i, rows[i]));
    json_t *all = json_pack("{s:s, s:i, s:s, s:o}", "simaccel", SIMACCEL_VERSION, "sweep", 1,
                            "file", p->file, "points", points);
    json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', out);
    json_decref(all);
}

/* ---- for people ---- */

/* A message may come from a file with lines of its own; here it is one. */
static void print_line(const char *text, FILE *out)
{
    for (; *text; text++)
        fputc(iscntrl((unsigned char)*text) ? ' ' : *text, out);
    fputc('\n', out);
}

static void print_failed(const struct sweep_plan *p, json_t *const *rows, FILE *out)
{
    for (size_t i = 0; i < p->points; i++) {
        if (!sweep_row_is(rows[i], "failed"))
            continue;
        fprintf(out, "point %zu", i + 1);
        for (size_t a = 0; a < p->axis_count; a++)
            for (size_t n = 0; n < p->axes[a].names; n++)
                fprintf(out, " %s=%s", p->axes[a].name[n].text,
                        sweep_plan_value(p, i, a, n)->text);
        fputs(": ", out);
        print_line(word(rows[i], "message"), out);
    }
}

/* What is per sample is empty where the trace does not say its rows. */
static void number_cells(struct table *t, const json_t *row, bool types)
{
    char text[NUMBER_TEXT];
    double samples = report_number(row, "rows"), joules = report_number(row, "energy_j");
    table_cell(t, "%s", number_si(text, report_number(row, "time_s"), "s"));
    table_cell(t, "%s", number_si(text, joules, "J"));
    table_cell(t, "%s", samples > 0 ? number_si(text, joules / samples, "J") : "");
    table_cell(t, "%s", number_si(text, report_number(row, "average_power_w"), "W"));
    table_cell(t, "%s", number_si(text, report_number(row, "flops_per_s"), "FLOP/s"));
    table_cell(t, "%s", number_percent(text, report_number(row, "mxu_utilization")));
    table_cell(t, "%s", number_percent(text, number_ratio(report_number(row, "hbm_bytes_per_s"),
                                                report_number(row, "hbm_peak_bytes_per_s"))));
    table_cell(t, "%s", word(row, "bound_by"));
    if (types)
        table_cell(t, "%s", word(row, "multiplied_as"));
}

/* Whether points differ in what they multiply as. */
static bool types_differ(const struct sweep_plan *p, json_t *const *rows)
{
    const json_t *first = NULL;
    for (size_t i = 0; i < p->points; i++) {
        const json_t *as = json_object_get(rows[i], "multiplied_as");
        if (as && first && !json_equal(as, first))
            return true;
        first = as ? as : first;
    }
    return false;
}

static struct table *table_head(const struct sweep_plan *p, bool types)
{
    static const char *const heads[][2] = {
        { "time", "" }, { "energy", "" }, { "energy", "a sample" }, { "power", "" },
        { "achieved", "" }, { "MXU", "%" }, { "HBM", "%" },
    };
    struct table *t = table_new();
    for (size_t a = 0; a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++)
            table_column(t, TABLE_LEFT, p->axes[a].name[n].text, "");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        table_column(t, TABLE_RIGHT, heads[i][0], heads[i][1]);
    table_column(t, TABLE_LEFT, "bound by", "");
    if (types)
        table_column(t, TABLE_LEFT, "multiplied as", "");
    return t;
}

void sweep_table_text(const struct sweep_plan *p, json_t *const *rows, FILE *out)
{
    bool types = types_differ(p, rows);
    struct table *t = table_head(p, types);
    for (size_t i = 0; i < p->points; i++) {
        for (size_t a = 0; a < p->axis_count; a++)
            for (size_t n = 0; n < p->axes[a].names; n++)
                table_cell(t, "%s", sweep_plan_value(p, i, a, n)->text);
        if (sweep_row_is(rows[i], "done")) {
            number_cells(t, rows[i], types);
            continue;
        }
        table_cell(t, "%s", rows[i] ? word(rows[i], "status") : "missing");
        for (int k = 0; k < 7 + types; k++)
            table_cell(t, "%s", "");
    }
    table_print(t, out);
    print_failed(p, rows, out);
}

void sweep_table_status(const struct sweep_plan *p, json_t *const *rows, FILE *out)
{
    size_t done = 0, failed = 0;
    for (size_t i = 0; i < p->points; i++) {
        done += sweep_row_is(rows[i], "done");
        failed += sweep_row_is(rows[i], "failed");
    }
    fprintf(out, "%zu points: %zu done, %zu failed, %zu missing\n", p->points, done, failed,
            p->points - done - failed);
    print_failed(p, rows, out);
}
