/* plot_heat.c - the data of plots/heat.gp: how busy each unit of a kind was, and when. */
#include <string.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(heat);

static const struct { const char *kind, *what; } panels[] = {
    { "mxu", "matrix units" }, { "sm", "SMs, issue slots" }, { "channel", "HBM channels" },
};

static const json_t *units_of(const json_t *result)
{
    return json_object_get(json_object_get(result, "over_time"), "units");
}

static bool has_kind(const json_t *result, const char *kind)
{
    size_t i;
    const json_t *u;
    json_array_foreach(units_of(result), i, u) {
        if (strcmp(report_string(u, "kind"), kind) == 0)
            return true;
    }
    return false;
}

static void write_name(const json_t *unit, FILE *out)
{
    plot_text(report_string(unit, "name"), out);
    fputc('\n', out);
}

static void write_shares(const json_t *unit, FILE *out)
{
    size_t n;
    const json_t *share;
    json_array_foreach(json_object_get(unit, "share"), n, share) {
        fprintf(out, "%s%.4g", n > 0 ? " " : "", 100 * json_number_value(share));
    }
    fputc('\n', out);
}

/* Of all units of a kind; how many. */
static size_t each_unit(const json_t *result, const char *kind,
                        void (*write)(const json_t *unit, FILE *out), FILE *out)
{
    size_t i, count = 0;
    const json_t *u;
    json_array_foreach(units_of(result), i, u) {
        if (strcmp(report_string(u, "kind"), kind) != 0)
            continue;
        write(u, out);
        count++;
    }
    return count;
}

/* gnuplot's images have two rows or more: of one unit both are its. */
static void write_colours(const json_t *results, size_t which, size_t panel, FILE *out)
{
    const json_t *result = json_array_get(results, which);
    if (each_unit(result, panels[panel].kind, write_shares, out) == 1)
        each_unit(result, panels[panel].kind, write_shares, out);
}

static void write_title(const json_t *results, size_t which, size_t panel, FILE *out)
{
    const json_t *over = json_object_get(json_array_get(results, which), "over_time");
    char label[PLOT_LABEL], title[PLOT_LABEL + 32];
    plot_label(results, which, label);
    snprintf(title, sizeof title, "%s: %s", label, panels[panel].what);
    fprintf(out, "%.17g %.0f ", report_number(over, "bin_s"), report_number(over, "bins"));
    plot_text(title, out);
    fputc('\n', out);
}

static void write_names(const json_t *results, size_t which, size_t panel, FILE *out)
{
    each_unit(json_array_get(results, which), panels[panel].kind, write_name, out);
}

/* A block a panel of each of these. */
static void write_data(const json_t *results, FILE *out)
{
    static void (*const parts[])(const json_t *, size_t, size_t, FILE *) = {
        write_colours, write_title, write_names,
    };
    size_t i, blocks = 0;
    json_t *result;
    fputs("# a row a unit, the percent of each bin; bin_s bins name; names of units\n", out);
    for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++)
        json_array_foreach(results, i, result) {
            for (size_t p = 0; p < sizeof panels / sizeof panels[0]; p++)
                if (has_kind(result, panels[p].kind)) {
                    fputs(plot_between(blocks++), out);
                    parts[part](results, i, p, out);
                }
        }
}

static bool has_units(const json_t *result)
{
    const json_t *first = json_array_get(units_of(result), 0);
    return json_array_size(json_object_get(first, "share")) > 1;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "over_time.bin_s", false }, { "over_time.bins", false },
    { "over_time.units.*.name", true }, { "over_time.units.*.kind", true },
    { "over_time.units.*.share.*", false }, { NULL, false },
};

const struct plot plot_heat = {
    "heat", "how busy each SM or matrix unit, and each HBM channel, was over time",
    plot_heat_script, "simaccel run --over-time --json", 1, needs, has_units,
    "units with two bins of time or more", write_data,
};
