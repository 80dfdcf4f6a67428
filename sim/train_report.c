/* train_report.c - see train_report.h. */
#include "sim/train_report.h"

#include <string.h>

#include "sim/report_field.h"
#include "sim/report_number.h"

#define NAME 14                 /* columns of a machine's name: "tpu-v5e x1024" */

/* ---- the table ---- */

void train_report_head(FILE *out)
{
    fprintf(out, "%*s%18s%23s\n", 17 + NAME + 15, "training", "test", "simulated");
    fprintf(out, "  %5s  %6s  %-*s  %8s  %8s  %8s  %8s  %9s  %9s\n", "epoch", "step", NAME,
            "machine", "loss", "accuracy", "loss", "accuracy", "time", "energy");
}

static void print_loss(const json_t *row, const char *key, FILE *out)
{
    const json_t *loss = json_object_get(row, key);
    if (!loss)
        fprintf(out, "  %8s", "-");
    else if (json_is_null(loss))
        fprintf(out, "  %8s", "nan");
    else
        fprintf(out, json_number_value(loss) < 1e4 ? "  %8.5f" : "  %8.2e",
                json_number_value(loss));
}

static void print_share(const json_t *row, const char *key, FILE *out)
{
    if (json_object_get(row, key))
        fprintf(out, "  %6.2f %%", 100 * report_number(row, key));
    else
        fprintf(out, "  %8s", "-");
}

static void print_si(const json_t *row, const char *key, const char *unit, FILE *out)
{
    char si[NUMBER_TEXT];
    const json_t *value = json_object_get(row, key);
    fprintf(out, "  %9s", value ? number_si(si, json_number_value(value), unit) : "-");
}

void train_report_row(const json_t *row, FILE *out)
{
    fprintf(out, "  %5" JSON_INTEGER_FORMAT "  %6" JSON_INTEGER_FORMAT "  %-*.24s",
            json_integer_value(json_object_get(row, "epoch")),
            json_integer_value(json_object_get(row, "step")), NAME, report_string(row, "machine"));
    print_loss(row, "loss", out);
    print_share(row, "accuracy", out);
    print_loss(row, "test_loss", out);
    print_share(row, "test_accuracy", out);
    print_si(row, "time_s", "s", out);
    print_si(row, "energy_j", "J", out);
    if (json_object_get(row, "worst"))
        fprintf(out, "  worst %.2f of its bound", report_number(row, "worst"));
    fputc('\n', out);
    fflush(out);
}

/* ---- the end ---- */

static void print_shapes(const json_t *machine, FILE *out)
{
    char time[NUMBER_TEXT], energy[NUMBER_TEXT];
    size_t i;
    json_t *shape;
    json_array_foreach(json_object_get(machine, "shapes"), i, shape) {
        const json_t *r = json_object_get(shape, "result");
        fprintf(out, "%s %" JSON_INTEGER_FORMAT " samples %s and %s", i ? ", of" : "a step of",
                json_integer_value(json_object_get(shape, "batch")),
                number_si(time, report_number(r, "time_s"), "s"),
                number_si(energy, report_number(r, "energy_j"), "J"));
    }
}

static const json_t *last_row(const json_t *result, const char *machine)
{
    const json_t *rows = json_object_get(result, "rows");
    for (size_t i = json_array_size(rows); i-- > 0; )
        if (strcmp(report_string(json_array_get(rows, i), "machine"), machine) == 0)
            return json_array_get(rows, i);
    return NULL;
}

void train_report_end(const json_t *result, FILE *out)
{
    size_t i;
    json_t *machine;
    fputc('\n', out);
    json_array_foreach(json_object_get(result, "machines"), i, machine) {
        if (json_array_size(json_object_get(machine, "shapes")) == 0)
            continue;
        fprintf(out, "%s: ", report_string(machine, "name"));
        print_shapes(machine, out);
        const json_t *row = last_row(result, report_string(machine, "name"));
        char time[NUMBER_TEXT], energy[NUMBER_TEXT];
        if (row)
            fprintf(out, "; in all %s and %s", number_si(time, report_number(row, "time_s"), "s"),
                    number_si(energy, report_number(row, "energy_j"), "J"));
        fputc('\n', out);
    }
    fputs("Time is the device's, from the first unit that works for a step to the last; a batch's "
          "way from the\nhost, the host's calls and testing are not in it.\n", out);
}

/* ---- CSV ---- */

static const char *const columns[] = {
    "machine", "epoch", "step", "loss", "accuracy", "test_loss", "test_accuracy", "time_s",
    "energy_j", "worst",
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void print_field(const json_t *value, FILE *out)
{
    if (json_is_string(value))
        fputs(json_string_value(value), out);
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, "%.17g", json_real_value(value));
    else if (json_is_null(value))
        fputs("nan", out);
}

void train_report_csv(const json_t *result, FILE *out)
{
    size_t i;
    json_t *row;
    for (size_t c = 0; c < COLUMNS; c++)
        fprintf(out, "%s%s", c ? "," : "", columns[c]);
    fputc('\n', out);
    json_array_foreach(json_object_get(result, "rows"), i, row) {
        for (size_t c = 0; c < COLUMNS; c++) {
            if (c > 0)
                fputc(',', out);
            print_field(json_object_get(row, columns[c]), out);
        }
        fputc('\n', out);
    }
}
