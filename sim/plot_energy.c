/* plot_energy.c - the data of plots/energy.gp: joules by what they were spent on.
 *
 * Machines of different kinds have different components.  They are put together by what they are
 * for, so that one set of colours serves a picture with both; docs/results.md says what each is.
 */
#include <string.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(energy);

#define GROUPS(X)                                   \
    X(MATRIX,  "matrix units")                      \
    X(LANES,   "vector and scalar lanes")           \
    X(CONTROL, "instructions, registers")           \
    X(ON_CHIP, "memory on the chip, DMA")           \
    X(LINKS,   "links, crossbar")                   \
    X(HBM,     "HBM: reads, writes, rows")          \
    X(HBM_REST, "HBM at rest, refresh")             \
    X(REST,    "chip at rest")                      \
    X(OTHER,   "other")

enum group {
#define GROUP(name, what) name,
    GROUPS(GROUP)
#undef GROUP
    GROUPS_COUNT
};

static const char *const names[] = {
#define GROUP(name, what) what,
    GROUPS(GROUP)
#undef GROUP
};

static const struct { const char *component; enum group group; } components[] = {
    { "matrix_units",    MATRIX },   { "tensor_cores",    MATRIX },
    { "vector_unit",     LANES },    { "transpose_units", LANES },
    { "float_lanes",     LANES },    { "integer_lanes",   LANES },
    { "special_lanes",   LANES },    { "issue",           CONTROL },
    { "registers",       CONTROL },  { "vector_memory",   ON_CHIP },
    { "dma",             ON_CHIP },  { "shared_memory",   ON_CHIP },
    { "l1",              ON_CHIP },  { "l2",              ON_CHIP },
    { "core_links",      LINKS },    { "crossbar",        LINKS },
    { "hbm_activate",    HBM },      { "hbm_read",        HBM },
    { "hbm_write",       HBM },      { "hbm_refresh",     HBM_REST },
    { "hbm_background",  HBM_REST }, { "static",          REST },
    { "idle_extra",      REST },     { "sm_static",       REST },
    { "l2_static",       REST },     { "constant",        REST },
};

static enum group group_of(const char *component)
{
    for (size_t i = 0; i < sizeof components / sizeof components[0]; i++)
        if (strcmp(components[i].component, component) == 0)
            return components[i].group;
    return OTHER;
}

static void write_row(const json_t *results, size_t which, FILE *out)
{
    const char *component;
    json_t *joules, *energy = json_object_get(json_array_get(results, which), "energy");
    double sums[GROUPS_COUNT] = { 0 };
    char label[PLOT_LABEL];
    json_object_foreach(energy, component, joules) {
        sums[group_of(component)] += json_number_value(joules);
    }
    plot_label(results, which, label);
    plot_text(label, out);
    for (size_t g = 0; g < GROUPS_COUNT; g++)
        fprintf(out, " %.17g", sums[g]);
    fputc('\n', out);
}

static void write_data(const json_t *results, FILE *out)
{
    fputs("# a row a result, joules\n\"\"", out);
    for (size_t g = 0; g < GROUPS_COUNT; g++)
        fprintf(out, " \"%s\"", names[g]);
    fputc('\n', out);
    for (size_t i = 0; i < json_array_size(results); i++)
        write_row(results, i, out);
}

static bool has_energy(const json_t *result)
{
    return report_number(result, "energy_j") > 0;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "energy_j", false }, { "energy.*", false }, { NULL, false },
};

const struct plot plot_energy = {
    "energy", "joules by what they were spent on, a bar a result", plot_energy_script,
    "simaccel run --json", PLOT_RESULTS, needs, has_energy, "energy_j above 0", write_data,
};
