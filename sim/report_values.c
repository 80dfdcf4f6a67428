/* report_values.c - what a run with --values computed, and how far it is off the reference. */
#include "sim/report_inside.h"
#include "sim/report_table.h"

static void print_toggles(const json_t *toggles, FILE *out)
{
    static const struct { const char *key, *what; } places[] = {
        { "matrix", "operands of matrix units" }, { "lanes", "operands of FP32 lanes" },
        { "hbm", "bits on HBM's bus" },
    };
    const char *before = "";
    fputs("  changed        ", out);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const json_t *t = json_object_get(toggles, places[i].key);
        double bits = report_number(t, "bits");
        char percent[NUMBER_TEXT];
        if (!(bits > 0))
            continue;
        fprintf(out, "%s%s %% of %s", before,
                number_percent(percent, report_number(t, "changed") / bits), places[i].what);
        before = ", ";
    }
    fputs(before[0] ? "\n" : "nothing was moved\n", out);
}

static void print_outputs(json_t *outputs, FILE *out)
{
    REPORT_EACH(output, outputs) {
        const json_t *value = json_object_iter_value(output);
        if (json_is_null(value))
            fprintf(out, "  %-14s not finite\n", json_object_iter_key(output));
        else
            fprintf(out, "  %-14s %.9g\n", json_object_iter_key(output), json_number_value(value));
    }
}

static void row(struct table *t, const json_t *op)
{
    table_cell(t, "%.40s = %s", report_string(op, "tensor"), report_string(op, "op"));
    table_cell(t, "%s", report_string(op, "type"));
    table_cell(t, "%.0f", report_number(op, "elements"));
    table_cell(t, "%.3g", report_number(op, "mean_ulps"));
    table_cell(t, "%.3g", report_number(op, "max_ulps"));
    table_cell(t, "%.3g", report_number(op, "worst"));
    table_cell(t, "%s", json_is_false(json_object_get(op, "ok")) ? "beyond its bound" : "");
}

static void print_check(const json_t *values, FILE *out)
{
    struct table *t = table_new();
    const json_t *ops = json_object_get(values, "ops");
    table_column(t, TABLE_LEFT, "op", "");
    table_column(t, TABLE_LEFT, "stored", "as");
    table_column(t, TABLE_RIGHT, "values", "");
    table_column(t, TABLE_RIGHT, "mean", "ulps");
    table_column(t, TABLE_RIGHT, "most", "ulps");
    table_column(t, TABLE_RIGHT, "of its", "bound");
    table_column(t, TABLE_LEFT, "", "");
    for (size_t i = 0; i < json_array_size(ops); i++)
        row(t, json_array_get(ops, i));
    table_print(t, out);
    fputs("  ulps: off the double-precision reference on the machine's own inputs, in units of the "
          "last place stored;\n  bound: what the formats and the order of sums allow there; above "
          "1 is a fault\n", out);
}

void report_values(const json_t *result, FILE *out)
{
    const json_t *values = json_object_get(result, "values");
    if (!values)
        return;
    fprintf(out, "\nValues (%s, seed %.0f)\n", report_string(values, "fill"),
            report_number(values, "seed"));
    print_outputs(json_object_get(values, "outputs"), out);
    print_toggles(json_object_get(result, "toggles"), out);
    if (json_object_get(values, "ops"))
        print_check(values, out);
}
