/* plot_compare.c - the data of plots/compare.gp: time by phase and energy by what it was for, of
 * machines side by side. */
#include <string.h>

#include "sim/plot_energy.h"
#include "sim/plot_inside.h"
#include "sim/report_field.h"
#include "traces/trace.h"

PLOT_SCRIPT(compare);

static double phase_time(const json_t *result, const char *name)
{
    const json_t *phase, *all = json_object_get(result, "phases");
    for (size_t i = 0; (phase = json_array_get(all, i)) != NULL; i++)
        if (strcmp(report_string(phase, "name"), name) == 0)
            return report_number(phase, "time_s");
    return 0;
}

/* The names of results, as a line of `what` and the labels. */
static void write_names(const json_t *results, const char *what, FILE *out)
{
    char label[PLOT_LABEL];
    plot_text(what, out);
    for (size_t i = 0; i < json_array_size(results); i++) {
        plot_label(results, i, label);
        fputc(' ', out);
        plot_text(label, out);
    }
    fputc('\n', out);
}

/* A line, unless no result has any of it. */
static void write_line(const char *name, const double *values, size_t count, FILE *out)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    if (most <= 0)
        return;
    plot_text(name, out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %.17g", values[i]);
    fputc('\n', out);
}

static void write_phases(const json_t *results, FILE *out)
{
    double times[PLOT_RESULTS];
    size_t count = json_array_size(results);
    write_names(results, "phase", out);
    for (int p = 0; p < TRACE_PHASES_COUNT; p++) {
        for (size_t i = 0; i < count; i++)
            times[i] = phase_time(json_array_get(results, i), trace_phase_names[p]);
        write_line(trace_phase_names[p], times, count, out);
    }
    for (size_t i = 0; i < count; i++)
        times[i] = report_number(json_array_get(results, i), "time_s");
    write_line("all", times, count, out);
}

static void write_energy(const json_t *results, FILE *out)
{
    double sums[PLOT_RESULTS][PLOT_ENERGY_COUNT], joules[PLOT_RESULTS];
    size_t count = json_array_size(results);
    write_names(results, "group", out);
    for (size_t i = 0; i < count; i++)
        plot_energy_sums(json_array_get(results, i), sums[i]);
    for (size_t g = 0; g < PLOT_ENERGY_COUNT; g++) {
        for (size_t i = 0; i < count; i++)
            joules[i] = sums[i][g];
        write_line(plot_energy_names[g], joules, count, out);
    }
    for (size_t i = 0; i < count; i++)
        joules[i] = report_number(json_array_get(results, i), "energy_j");
    write_line("all", joules, count, out);
}

static void write_data(const json_t *results, FILE *out)
{
    fputs("# a row a phase, seconds of each result; then a row a group of components, joules\n", out);
    write_phases(results, out);
    fputs(plot_between(1), out);
    write_energy(results, out);
}

static bool has_both(const json_t *result)
{
    return report_number(result, "energy_j") > 0 && report_number(result, "time_s") > 0;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "time_s", false }, { "energy_j", false }, { "phases.*.time_s", false },
    { "energy.*", false }, { NULL, false },
};

const struct plot plot_compare = {
    "compare", "time by phase and energy by what it was for, side by side", plot_compare_script,
    "simaccel run --json", PLOT_RESULTS, needs, has_both, "time_s and energy_j above 0",
    write_data,
};
