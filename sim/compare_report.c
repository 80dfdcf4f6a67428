/* compare_report.c - a comparison as text for people and as CSV. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare.h"
#include "sim/report.h"
#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

static const json_t *cells_of(const json_t *row)
{
    return json_object_get(row, "on");
}

static const char *machine(const json_t *comparison, size_t m)
{
    return report_string(json_array_get(json_object_get(comparison, "machines"), m), "machine");
}

static size_t machines(const json_t *comparison)
{
    return json_array_size(json_object_get(comparison, "machines"));
}

/* ---- totals ---- */

enum form { SI, PERCENT };

/* A line of the totals: a number of a cell, or of a machine. */
static const struct line {
    const char *what, *key, *unit, *note;
    enum form   form;
    bool        of_machine;
} lines[] = {
    { "time",            "time_s",              "s",      "of the device",                SI, false },
    { "launch",          "launch_s",            "s",      "on the device, not in the time", SI, true },
    { "host",            "host_s",              "s",      "from call to result, on top",  SI, true },
    { "energy",          "energy_j",            "J",      "in the time",                  SI, false },
    { "average power",   "average_power_w",     "W",      "",                             SI, false },
    { "energy a sample", "energy_per_sample_j", "J",      "",                             SI, false },
    { "work",            "flops",               "FLOP",   "of the trace",                 SI, false },
    { "rate",            "flops_per_s",         "FLOP/s", "",                             SI, false },
    { "peak",            "peak_flops_per_s",    "FLOP/s", "of the units that multiply",   SI, true },
    { "of the peak",     "peak_fraction",       "%",      "",                             PERCENT, false },
    { "HBM",             "hbm_bytes",           "B",      "read and written",             SI, false },
    { "HBM rate",        "hbm_bytes_per_s",     "B/s",    "",                             SI, false },
    { "HBM peak",        "hbm_peak_bytes_per_s", "B/s",   "of the data pins",             SI, true },
    { "of the peak",     "hbm_fraction",        "%",      "",                             PERCENT, false },
};

static double line_value(const json_t *comparison, const struct line *l, size_t m)
{
    const json_t *from = l->of_machine ? json_object_get(comparison, "machines")
                                       : cells_of(json_object_get(comparison, "all"));
    return report_number(json_array_get(from, m), l->key);
}

static void total(struct table *t, const json_t *comparison, const struct line *l)
{
    char text[NUMBER_TEXT], percent[NUMBER_TEXT + 2];
    table_cell(t, "%s", l->what);
    for (size_t m = 0; m < machines(comparison); m++) {
        double value = line_value(comparison, l, m);
        snprintf(percent, sizeof percent, "%s %%", number_percent(text, value));
        table_cell(t, "%s", l->form == PERCENT ? percent : number_si(text, value, l->unit));
    }
    if (machines(comparison) == 2) {
        double a = line_value(comparison, l, 0), b = line_value(comparison, l, 1);
        table_cell(t, "%s", a > 0 && b > 0 ? number_plain(text, b / a, 3) : "-");
    }
    table_cell(t, "%s", l->note);
}

static void totals(const json_t *comparison, FILE *out)
{
    char ratio[192];
    struct table *t = table_new();
    table_column(t, TABLE_LEFT, "total", "");
    for (size_t m = 0; m < machines(comparison); m++)
        table_column(t, TABLE_RIGHT, machine(comparison, m), "");
    if (machines(comparison) == 2) {
        snprintf(ratio, sizeof ratio, "%s/%s", machine(comparison, 1), machine(comparison, 0));
        table_column(t, TABLE_RIGHT, ratio, "");
    }
    table_column(t, TABLE_LEFT, "", "");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strcmp(lines[i].key, "energy_per_sample_j") != 0
            || report_number(comparison, "batch") > 0)
            total(t, comparison, &lines[i]);
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
        { "phase", "", TABLE_LEFT },    { "machine", "", TABLE_LEFT }, { "time", "", TABLE_RIGHT },
        { "energy", "", TABLE_RIGHT },  { "power", "", TABLE_RIGHT },  { "rate", "", TABLE_RIGHT },
        { "of peak", "%", TABLE_RIGHT }, { "HBM", "", TABLE_RIGHT },   { "of peak", "%", TABLE_RIGHT },
        { "bound by", "", TABLE_LEFT },
    };
    struct table *t = table_new();
    const json_t *phase, *cell;
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        table_column(t, columns[c].side, columns[c].head, columns[c].unit);
    const json_t *all = json_object_get(comparison, "phases");
    for (size_t p = 0; (phase = json_array_get(all, p)) != NULL; p++)
        for (size_t m = 0; (cell = json_array_get(cells_of(phase), m)) != NULL; m++)
            if (!json_is_null(cell))
                phase_row(t, report_string(phase, "name"), machine(comparison, m), cell);
    table_print(t, out);
}

static void op_row_text(struct table *t, const json_t *op)
{
    static const char *const sums[] = { "time_s", "energy_j" }, *const units[] = { "s", "J" };
    char text[NUMBER_TEXT];
    const json_t *cell;
    table_cell(t, "%s", report_string(op, "name"));
    for (size_t s = 0; s < 2; s++)
        for (size_t m = 0; (cell = json_array_get(cells_of(op), m)) != NULL; m++)
            table_cell(t, "%s", json_is_null(cell) ? "-" : number_si(
                text, report_number(cell, sums[s]), units[s]));
    for (size_t m = 0; (cell = json_array_get(cells_of(op), m)) != NULL; m++)
        table_cell(t, "%s", bound((char[24]){ "" }, cell));
}

/* Of more, those that take longest on some machine; --csv has all. */
#define OPS_SHOWN 40

static double longest(const json_t *op)
{
    double most = 0;
    const json_t *cell;
    for (size_t m = 0; (cell = json_array_get(cells_of(op), m)) != NULL; m++)
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

static void ops(const json_t *comparison, FILE *out)
{
    static const char *const heads[] = { "time", "energy", "bound by" };
    const json_t *all = json_object_get(comparison, "ops"), *op;
    double least = least_shown(all);
    size_t left_out = 0;
    struct table *t = table_new();
    table_column(t, TABLE_LEFT, "op", "");
    for (size_t h = 0; h < 3; h++)
        for (size_t m = 0; m < machines(comparison); m++)
            table_column(t, h < 2 ? TABLE_RIGHT : TABLE_LEFT, m == 0 ? heads[h] : "",
                         machine(comparison, m));
    for (size_t i = 0; (op = json_array_get(all, i)) != NULL; i++)
        if (longest(op) >= least)
            op_row_text(t, op);
        else
            left_out++;
    table_print(t, out);
    if (left_out > 0)
        fprintf(out, "  %zu ops that take less are left out; --csv has all\n", left_out);
}

/* ---- words ---- */

static const char *percent_of(char text[NUMBER_TEXT], const json_t *top)
{
    return number_percent(text, report_number(top, "fraction"));
}

/* "tpu-v3 takes 33.40 us, 100.0 % of it bound by hbm bandwidth; ..." */
static void why_on(const char *name, const char *kind, const json_t *cell, FILE *out)
{
    char a[NUMBER_TEXT];
    const json_t *bound_by = json_object_get(cell, "bound_by"), *unit = json_object_get(cell, "unit");
    const json_t *stall = json_object_get(cell, "stall");
    bool gpu = strcmp(kind, "gpu") == 0;
    fprintf(out, "%s takes %s", name, number_si(a, report_number(cell, "time_s"), "s"));
    if (json_is_object(bound_by))
        fprintf(out, ", %s %% of it in ops bound by %s", percent_of(a, bound_by),
                report_string(bound_by, "name"));
    if (json_is_object(unit))
        fprintf(out, gpu ? "; its work would fill %s for %s %%" : "; %s has most work, %s %%",
                report_string(unit, "name"), percent_of(a, unit));
    if (json_is_object(stall))
        fprintf(out, gpu ? "; schedulers wait longest for %s, %s %% of their cycles in kernels"
                         : "; the matrix queues are in state %s for %s %%",
                report_string(stall, "name"), percent_of(a, stall));
    fputs(". ", out);
}

static void why(const json_t *comparison, const char *what, const json_t *row, FILE *out)
{
    char *text = NULL;
    size_t size;
    const json_t *cell;
    FILE *words = open_memstream(&text, &size);
    if (!words)
        abort();
    fprintf(words, "%s: ", what);
    for (size_t m = 0; (cell = json_array_get(cells_of(row), m)) != NULL; m++) {
        const json_t *of = json_array_get(json_object_get(comparison, "machines"), m);
        if (json_is_null(cell))
            fprintf(words, "%s has none. ", machine(comparison, m));
        else
            why_on(machine(comparison, m), report_string(of, "kind"), cell, words);
    }
    fclose(words);
    table_text(text, out);
    free(text);
}

static void reasons(const json_t *comparison, FILE *out)
{
    const json_t *phase, *all = json_object_get(comparison, "phases");
    why(comparison, "all", json_object_get(comparison, "all"), out);
    for (size_t p = 0; (phase = json_array_get(all, p)) != NULL; p++)
        why(comparison, report_string(phase, "name"), phase, out);
}

/* ---- what is fair ---- */

/* "what: tpu-v3 package; v100 board" */
static void fact(const json_t *comparison, const char *what, const char *key, FILE *out)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    fprintf(out, "  %-14s ", what);
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        fprintf(out, "%s%s %s", i > 0 ? "; " : "", report_string(m, "machine"),
                report_string(m, key)[0] ? report_string(m, key) : "nothing");
    fputc('\n', out);
}

static bool levels_differ(const json_t *comparison)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    const char *first = report_string(json_array_get(all, 0), "prices");
    bool differ = false;
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        differ |= strcmp(report_string(m, "prices"), first) != 0;
    return differ;
}

static void notes(const json_t *m, FILE *out)
{
    const json_t *note, *all = json_object_get(m, "notes");
    for (size_t i = 0; (note = json_array_get(all, i)) != NULL; i++)
        fprintf(out, "  %s: %s\n", report_string(m, "machine"), json_string_value(note));
}

/* What a machine's traffic holds more or less of than another's. */
static void traffic(const json_t *comparison, FILE *out)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    char text[NUMBER_TEXT];
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        if (report_number(m, "l2_dirty_bytes") > 0)
            fprintf(out, "  %s: %s written are still in L2 at the end, and in no HBM traffic\n",
                    report_string(m, "machine"), number_si(text, report_number(m, "l2_dirty_bytes"), "B"));
}

static void fairness(const json_t *comparison, FILE *out)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    fact(comparison, "prices of the", "prices", out);
    if (levels_differ(comparison))
        table_text("What a level takes in is not the same: a board's prices hold regulators and whatever "
                   "else is on it, a package's do not. Energies and powers above are each at their own "
                   "level; nothing has been converted.", out);
    fact(comparison, "multiplied as", "multiplied", out);
    fact(comparison, "optimizer", "optimizer", out);
    table_text("Launch and host stand beside the time: no rate, share or joule holds them.", out);
    traffic(comparison, out);
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        notes(m, out);
}

void compare_text(const json_t *comparison, FILE *out)
{
    fprintf(out, "%s on ", report_string(comparison, "trace"));
    for (size_t m = 0; m < machines(comparison); m++)
        fprintf(out, "%s%s", m > 0 ? ", " : "", machine(comparison, m));
    fprintf(out, " (simaccel %s)\n\nTotals\n", SIMACCEL_VERSION);
    totals(comparison, out);
    fputs("\nPhases\n", out);
    phases(comparison, out);
    fputs("\nOps (those that contain the same of the trace's are one row; - has none)\n", out);
    ops(comparison, out);
    fputs("\nWhy\n", out);
    reasons(comparison, out);
    fputs("\nWhat is compared\n", out);
    fairness(comparison, out);
}

/* ---- CSV ---- */

static void csv_causes(const json_t *cell, FILE *out)
{
    static const char *const causes[] = { "bound_by", "unit", "stall" };
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        const json_t *top = json_object_get(cell, causes[i]);
        fputc(',', out);
        report_csv_text(report_string(top, "name"), out);
        fputc(',', out);
        report_csv_field(json_object_get(top, "fraction"), out);
    }
}

static void csv_rows(const json_t *comparison, const char *level, const json_t *row, FILE *out)
{
    const json_t *cell;
    for (size_t m = 0; (cell = json_array_get(cells_of(row), m)) != NULL; m++) {
        if (json_is_null(cell))
            continue;
        fprintf(out, "%s,", level);
        report_csv_text(report_string(row, "name"), out);
        fputc(',', out);
        report_csv_text(machine(comparison, m), out);
#define NUMBER(key) fputc(',', out); report_csv_field(json_object_get(cell, #key), out);
        COMPARE_NUMBERS(NUMBER)
#undef NUMBER
        csv_causes(cell, out);
        fputc('\n', out);
    }
}

void compare_csv(const json_t *comparison, FILE *out)
{
    static const struct { const char *level, *key; } lists[] = { { "phase", "phases" }, { "op", "ops" } };
    fputs("level,name,machine", out);
#define NAME(key) fputs("," #key, out);
    COMPARE_NUMBERS(NAME)
#undef NAME
    fputs(",bound_by,bound_by_fraction,unit,unit_fraction,stall,stall_fraction\n", out);
    csv_rows(comparison, "all", json_object_get(comparison, "all"), out);
    for (size_t l = 0; l < 2; l++) {
        const json_t *rows = json_object_get(comparison, lists[l].key), *row;
        for (size_t i = 0; (row = json_array_get(rows, i)) != NULL; i++)
            csv_rows(comparison, lists[l].level, row, out);
    }
}
