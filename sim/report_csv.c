/* report_csv.c - a result as CSV (RFC 4180): for programs, so with every digit. */
#include <string.h>

#include "sim/report_inside.h"

/* The columns are the fields of an op, by their names; those of busy_s follow. */
static const char *const fields[] = {
    "name", "phase", "kind", "ops", "start_s", "time_s", "span_s", "energy_j", "flops",
    "macs", "macs_padded", "hbm_bytes", "hbm_read_bytes", "bound_by", "mxu_utilization",
    "flops_per_byte", "roof_flops_per_s",
};
#define FIELDS (sizeof fields / sizeof fields[0])

/* The part of a text between quotes: a quote is written twice. */
static void quoted(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
}

void report_csv_text(const char *text, FILE *out)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    quoted(text, out);
    fputc('"', out);
}

static void list_field(const json_t *list, FILE *out)
{
    size_t i;
    const json_t *item;
    fputc('"', out);
    for (i = 0; (item = json_array_get(list, i)) != NULL; i++) {
        fputs(i > 0 ? "; " : "", out);
        quoted(json_string_value(item), out);
    }
    fputc('"', out);
}

void report_csv_field(const json_t *value, FILE *out)
{
    if (json_is_string(value))
        report_csv_text(json_string_value(value), out);
    else if (json_is_array(value))
        list_field(value, out);
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, "%.17g", json_real_value(value));
}

void report_csv(const json_t *result, FILE *out)
{
    const json_t *ops = json_object_get(result, "ops"), *op;
    json_t *units = json_object_get(json_array_get(ops, 0), "busy_s");
    size_t i;
    for (size_t f = 0; f < FIELDS; f++)
        fprintf(out, "%s%s", f > 0 ? "," : "", fields[f]);
    REPORT_EACH(unit, units)
        fprintf(out, ",busy_%s_s", json_object_iter_key(unit));
    fputc('\n', out);
    for (i = 0; (op = json_array_get(ops, i)) != NULL; i++) {
        for (size_t f = 0; f < FIELDS; f++) {
            fputs(f > 0 ? "," : "", out);
            report_csv_field(json_object_get(op, fields[f]), out);
        }
        REPORT_EACH(unit, units) {
            fputc(',', out);
            report_csv_field(json_object_get(json_object_get(op, "busy_s"),
                                             json_object_iter_key(unit)), out);
        }
        fputc('\n', out);
    }
}

/* A field of a launch: a shape is its numbers with 'x' between, cycles are columns of their
 * own. */
static void launch_field(const json_t *value, FILE *out)
{
    size_t i;
    const json_t *item;
    if (!json_is_array(value)) {
        report_csv_field(value, out);
        return;
    }
    for (i = 0; (item = json_array_get(value, i)) != NULL; i++)
        fprintf(out, "%s%" JSON_INTEGER_FORMAT, i > 0 ? "x" : "", json_integer_value(item));
}

static void launch_row(json_t *launch, bool names, FILE *out)
{
    const char *comma = "";
    REPORT_EACH(of, launch) {
        json_t *value = json_object_iter_value(of);
        if (!json_is_object(value)) {
            fputs(comma, out);
            comma = ",";
            if (names)
                fputs(json_object_iter_key(of), out);
            else
                launch_field(value, out);
            continue;
        }
        REPORT_EACH(cause, value) {
            fputs(comma, out);
            comma = ",";
            if (names)
                fprintf(out, "%s_%s", json_object_iter_key(of), json_object_iter_key(cause));
            else
                report_csv_field(json_object_iter_value(cause), out);
        }
    }
    fputc('\n', out);
}

void report_launches_csv(const json_t *result, FILE *out)
{
    const json_t *launches = json_object_get(result, "launches");
    size_t i;
    json_t *launch;
    for (i = 0; (launch = json_array_get(launches, i)) != NULL; i++) {
        if (i == 0)
            launch_row(launch, true, out);
        launch_row(launch, false, out);
    }
}

void report_power_csv(const json_t *result, FILE *out)
{
    const json_t *power = json_object_get(result, "power"), *watts;
    double interval = report_number(power, "interval_s");
    size_t i;
    fputs("start_s,power_w\n", out);
    for (i = 0; (watts = json_array_get(json_object_get(power, "power_w"), i)) != NULL; i++)
        fprintf(out, "%.17g,%.17g\n", (double)i * interval, json_number_value(watts));
}
