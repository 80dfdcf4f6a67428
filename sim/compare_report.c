/* compare_report.c - a comparison as tables for people and as CSV. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare.h"
#include "sim/compare_equal.h"
#include "sim/compare_options.h"
#include "sim/compare_words.h"
#include "sim/cpu_roof.h"
#include "sim/report.h"
#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

/* ---- totals ---- */

enum form { SI, PERCENT };

/* A line of the totals: a number of a cell, or of a machine. */
static const struct line {
    const char *what, *key, *unit, *note;
    enum form   form;
    bool        of_machine;
} lines[] = {
    { "time",            "time_s",          "s",      "of the device",                  SI, false },
    { "launch",          "launch_s",        "s",      "on the device, not in the time", SI, true },
    { "host",            "host_s",          "s",      "from call to result, on top",    SI, true },
    { "with both",       "with_host_s",     "s",      "time, launch and host",          SI, false },
    { "energy",          "energy_j",        "J",      "in the time",                    SI, false },
    { "average power",   "average_power_w", "W",      "",                               SI, false },
    { "energy a sample", "energy_per_sample_j", "J",  "",                               SI, false },
    { "work",            "flops",           "FLOP",   "of the trace",                   SI, false },
    { "rate",            "flops_per_s",     "FLOP/s", "",                               SI, false },
    { "peak",            "peak_flops_per_s", "FLOP/s", "of the units that multiply",    SI, true },
    { "of the peak",     "peak_fraction",   "%",      "",                          PERCENT, false },
    { "HBM",             "hbm_bytes",       "B",      "read and written",               SI, false },
    { "HBM rate",        "hbm_bytes_per_s", "B/s",    "",                               SI, false },
    { "HBM peak",        "hbm_peak_bytes_per_s", "B/s", "of data pins and tCCD",       SI, true },
    { "of the peak",     "hbm_fraction",    "%",      "",                          PERCENT, false },
};

/* As many machines stand side by side; more have tables below. */
#define ABREAST 5
/* With up to so many there is room for more columns. */
#define FEW 2

struct machines { size_t from, to; };

static struct machines next_few(const json_t *comparison, size_t from)
{
    size_t all = compare_machines(comparison);
    return (struct machines){ from, from + ABREAST < all ? from + ABREAST : all };
}

static double line_value(const json_t *comparison, const struct line *l, size_t m)
{
    const json_t *from = l->of_machine ? json_object_get(comparison, "machines")
                                       : compare_cells(json_object_get(comparison, "all"));
    return report_number(json_array_get(from, m), l->key);
}

static void total(struct table *t, const json_t *comparison, const struct line *l,
                  struct machines some)
{
    char text[NUMBER_TEXT], percent[NUMBER_TEXT + 2];
    table_cell(t, "%s", l->what);
    for (size_t m = some.from; m < some.to; m++) {
        double value = line_value(comparison, l, m);
        snprintf(percent, sizeof percent, "%s %%", number_percent(text, value));
        table_cell(t, "%s", l->form == PERCENT ? percent : number_si(text, value, l->unit));
    }
    if (compare_machines(comparison) == 2) {
        double a = line_value(comparison, l, 0), b = line_value(comparison, l, 1);
        table_cell(t, "%s", a > 0 && b > 0 ? number_plain(text, b / a, 3) : "-");
    }
    if (compare_machines(comparison) <= FEW)
        table_cell(t, "%s", l->note);
}

static void totals(const json_t *comparison, struct machines some, FILE *out)
{
    char ratio[192];
    struct table *t = table_new();
    table_column(t, TABLE_LEFT, "total", "");
    for (size_t m = some.from; m < some.to; m++)
        table_column(t, TABLE_RIGHT, compare_machine(comparison, m), "");
    if (compare_machines(comparison) == 2) {
        snprintf(ratio, sizeof ratio, "%s/%s", compare_machine(comparison, 1),
                 compare_machine(comparison, 0));
        table_column(t, TABLE_RIGHT, ratio, "");
    }
    if (compare_machines(comparison) <= FEW)
        table_column(t, TABLE_LEFT, "", "");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strcmp(lines[i].key, "energy_per_sample_j") != 0
            || report_number(comparison, "batch") > 0)
            total(t, comparison, &lines[i], some);
    table_print(t, out);
}

/* ---- phases and ops ---- */

/* "hbm bandwidth" as "hbm", which says it in a table. */
static const char *bound(char text[24], const json_t *cell)
{
    const char *name = report_string(json_object_get(cell, "bound_by"), "name");
    snprintf(text, 24, "%s", name[0] ? name : "-");
    char *end = strstr(text, " bandwidth");
    if (end)
        *end = '\0';
    return text;
}

static void phase_row(struct table *t, const char *phase, const char *name, const json_t *cell)
{
    char text[NUMBER_TEXT];
    table_cell(t, "%s", phase);
    table_cell(t, "%s", name);
    table_cell(t, "%s", number_si(text, report_number(cell, "time_s"), "s"));
    table_cell(t, "%s", number_si(text, report_number(cell, "energy_j"), "J"));
    table_cell(t, "%s", number_si(text, report_number(cell, "average_power_w"), "W"));
    table_cell(t, "%s", number_si(text, report_number(cell, "flops_per_s"), "FLOP/s"));
    table_cell(t, "%s", number_percent(text, report_number(cell, "peak_fraction")));
    table_cell(t, "%s", number_si(text, report_number(cell, "hbm_bytes"), "B"));
    table_cell(t, "%s", number_percent(text, report_number(cell, "hbm_fraction")));
    table_cell(t, "%s", bound((char[24]){ "" }, cell));
}

static void phases(const json_t *comparison, FILE *out)
{
    static const struct { const char *head, *unit; enum table_side side; } columns[] = {
        { "phase", "", TABLE_LEFT },     { "machine", "", TABLE_LEFT },
        { "time", "", TABLE_RIGHT },     { "energy", "", TABLE_RIGHT },
        { "power", "", TABLE_RIGHT },    { "rate", "", TABLE_RIGHT },
        { "of peak", "%", TABLE_RIGHT }, { "HBM", "", TABLE_RIGHT },
        { "of peak", "%", TABLE_RIGHT }, { "bound by", "", TABLE_LEFT },
    };
    struct table *t = table_new();
    const json_t *phase, *cell;
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        table_column(t, columns[c].side, columns[c].head, columns[c].unit);
    const json_t *all = json_object_get(comparison, "phases");
    for (size_t p = 0; (phase = json_array_get(all, p)) != NULL; p++)
        for (size_t m = 0; (cell = json_array_get(compare_cells(phase), m)) != NULL; m++)
            if (!json_is_null(cell))
                phase_row(t, report_string(phase, "name"), compare_machine(comparison, m), cell);
    table_print(t, out);
}

/* Columns of a table of ops: what of each machine. */
enum { OP_TIME = 1, OP_ENERGY = 2, OP_BOUND = 4 };

static const struct { unsigned bit; const char *head, *key, *unit; } op_columns[] = {
    { OP_TIME,   "time",     "time_s",   "s" },
    { OP_ENERGY, "energy",   "energy_j", "J" },
    { OP_BOUND,  "bound by", NULL,       NULL },
};
#define OP_COLUMNS (sizeof op_columns / sizeof op_columns[0])

static void op_row_text(struct table *t, const json_t *op, unsigned what, struct machines some)
{
    char text[NUMBER_TEXT];
    table_cell(t, "%s", report_string(op, "name"));
    for (size_t c = 0; c < OP_COLUMNS; c++)
        for (size_t m = some.from; (what & op_columns[c].bit) && m < some.to; m++) {
            const json_t *cell = json_array_get(compare_cells(op), m);
            if (op_columns[c].bit == OP_BOUND)
                table_cell(t, "%s", bound((char[24]){ "" }, cell));
            else
                table_cell(t, "%s", json_is_null(cell) ? "-" : number_si(
                    text, report_number(cell, op_columns[c].key), op_columns[c].unit));
        }
}

/* Of more, those that take longest on some machine; --csv has all. */
#define OPS_SHOWN 40

static double longest(const json_t *op)
{
    double most = 0;
    const json_t *cell;
    for (size_t m = 0; (cell = json_array_get(compare_cells(op), m)) != NULL; m++)
        most = report_number(cell, "time_s") > most ? report_number(cell, "time_s") : most;
    return most;
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* What an op must take to be shown. */
static double least_shown(const json_t *ops)
{
    size_t count = json_array_size(ops);
    double *times = calloc(count + 1, sizeof *times), least = 0;
    if (!times)
        abort();
    for (size_t i = 0; i < count; i++)
        times[i] = longest(json_array_get(ops, i));
    qsort(times, count, sizeof *times, by_time);
    if (count > OPS_SHOWN)
        least = times[OPS_SHOWN - 1];
    free(times);
    return least;
}

static void op_table(const json_t *comparison, unsigned what, struct machines some, FILE *out)
{
    const json_t *all = json_object_get(comparison, "ops"), *op;
    double least = least_shown(all);
    struct table *t = table_new();
    table_column(t, TABLE_LEFT, "op", "");
    for (size_t c = 0; c < OP_COLUMNS; c++)
        for (size_t m = some.from; (what & op_columns[c].bit) && m < some.to; m++)
            table_column(t, op_columns[c].bit == OP_BOUND ? TABLE_LEFT : TABLE_RIGHT,
                         m == some.from ? op_columns[c].head : "", compare_machine(comparison, m));
    for (size_t i = 0; (op = json_array_get(all, i)) != NULL; i++)
        if (longest(op) >= least)
            op_row_text(t, op, what, some);
    table_print(t, out);
}

static void ops(const json_t *comparison, FILE *out)
{
    const json_t *all = json_object_get(comparison, "ops"), *op;
    size_t count = compare_machines(comparison), left_out = 0;
    for (size_t m = 0; m < count; m += ABREAST) {
        if (count <= FEW)
            op_table(comparison, OP_TIME | OP_ENERGY | OP_BOUND, next_few(comparison, m), out);
        for (size_t c = 0; count > FEW && c < OP_COLUMNS; c++)
            op_table(comparison, op_columns[c].bit, next_few(comparison, m), out);
    }
    double least = least_shown(all);
    for (size_t i = 0; (op = json_array_get(all, i)) != NULL; i++)
        left_out += longest(op) < least;
    if (left_out > 0)
        fprintf(out, "  %zu ops that take less are left out; --csv has all\n", left_out);
}

/* Beside the fastest machine. */
static void cpu(const json_t *comparison, FILE *out)
{
    const json_t *roof = json_object_get(comparison, "cpu");
    const json_t *cells = compare_cells(json_object_get(comparison, "all"));
    size_t best = 0;
    for (size_t m = 1; m < compare_machines(comparison); m++)
        if (report_number(json_array_get(cells, m), "time_s")
            < report_number(json_array_get(cells, best), "time_s"))
            best = m;
    if (roof)
        cpu_roof_text(roof, report_number(json_array_get(cells, best), "time_s"),
                      compare_machine(comparison, best), out);
}

void compare_text(const json_t *comparison, FILE *out)
{
    fprintf(out, "%s on ", report_string(comparison, "trace"));
    for (size_t m = 0; m < compare_machines(comparison); m++)
        fprintf(out, "%s%s", m > 0 ? ", " : "", compare_machine(comparison, m));
    fprintf(out, " (simaccel %s)\n", SIMACCEL_VERSION);
    compare_options_text(json_object_get(comparison, "options"), out);
    if (json_object_get(comparison, "equal"))
        compare_equal_text(json_object_get(comparison, "equal"), out);
    fputs("\nTotals\n", out);
    for (size_t m = 0; m < compare_machines(comparison); m += ABREAST)
        totals(comparison, next_few(comparison, m), out);
    cpu(comparison, out);
    fputs("\nPhases\n", out);
    phases(comparison, out);
    fputs("\nOps (those that contain the same of the trace's are one row; - has none)\n", out);
    ops(comparison, out);
    fputs("\nWhy\n", out);
    compare_why(comparison, out);
    fputs("\nWhat is compared\n", out);
    compare_fairness(comparison, out);
}

/* ---- CSV ---- */

/* Of each cause its name and share; of the wait, who waits and for how long it works, too. */
static void csv_causes(const json_t *cell, FILE *out)
{
    const json_t *stall = json_object_get(cell, "stall");
    static const char *const causes[] = { "bound_by", "unit", "stall" };
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        const json_t *top = json_object_get(cell, causes[i]);
        fputc(',', out);
        report_csv_text(report_string(top, "name"), out);
        fputc(',', out);
        report_csv_field(json_object_get(top, "fraction"), out);
    }
    fputc(',', out);
    report_csv_text(report_string(stall, "unit"), out);
    fputc(',', out);
    report_csv_field(json_object_get(stall, "works"), out);
    fputc(',', out);
    report_csv_field(json_object_get(cell, "no_kernel_fraction"), out);
}

static void csv_rows(const json_t *comparison, const char *level, const json_t *row, FILE *out)
{
    const json_t *cell;
    for (size_t m = 0; (cell = json_array_get(compare_cells(row), m)) != NULL; m++) {
        if (json_is_null(cell))
            continue;
        fprintf(out, "%s,", level);
        report_csv_text(report_string(row, "name"), out);
        fputc(',', out);
        report_csv_text(compare_machine(comparison, m), out);
#define NUMBER(key) fputc(',', out); report_csv_field(json_object_get(cell, #key), out);
        COMPARE_NUMBERS(NUMBER)
#undef NUMBER
        csv_causes(cell, out);
        fputc('\n', out);
    }
}

void compare_csv(const json_t *comparison, FILE *out)
{
    static const struct { const char *level, *key; } lists[] = {
        { "phase", "phases" }, { "op", "ops" },
    };
    fputs("level,name,machine", out);
#define NAME(key) fputs("," #key, out);
    COMPARE_NUMBERS(NAME)
#undef NAME
    fputs(",bound_by,bound_by_fraction,unit,unit_fraction,stall,stall_fraction"
          ",stall_unit,works_fraction,no_kernel_fraction\n", out);
    csv_rows(comparison, "all", json_object_get(comparison, "all"), out);
    for (size_t l = 0; l < 2; l++) {
        const json_t *rows = json_object_get(comparison, lists[l].key), *row;
        for (size_t i = 0; (row = json_array_get(rows, i)) != NULL; i++)
            csv_rows(comparison, lists[l].level, row, out);
    }
}
