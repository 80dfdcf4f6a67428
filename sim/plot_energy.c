/* plot_energy.c - the data of plots/energy.gp: joules by what they were spent on.
 *
 * Machines of different kinds have different components.  They are put together by what they are
 * for, so that one set of colours serves a picture with both; docs/results.md says what each is.
 */
#include <string.h>

#include "sim/plot_energy.h"
#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(energy);

const char *const plot_energy_names[PLOT_ENERGY_COUNT] = {
#define GROUP(name, what) what,
    PLOT_ENERGY_GROUPS(GROUP)
#undef GROUP
};

static const struct { const char *component; enum plot_energy_group group; } components[] = {
    { "matrix_units", PLOT_ENERGY_MATRIX },
    { "tensor_cores", PLOT_ENERGY_MATRIX },
    { "vector_unit", PLOT_ENERGY_LANES },
    { "transpose_units", PLOT_ENERGY_LANES },
    { "float_lanes", PLOT_ENERGY_LANES },
    { "integer_lanes", PLOT_ENERGY_LANES },
    { "special_lanes", PLOT_ENERGY_LANES },
    { "issue", PLOT_ENERGY_CONTROL },
    { "registers", PLOT_ENERGY_CONTROL },
    { "vector_memory", PLOT_ENERGY_ON_CHIP },
    { "dma", PLOT_ENERGY_ON_CHIP },
    { "shared_memory", PLOT_ENERGY_ON_CHIP },
    { "l1", PLOT_ENERGY_ON_CHIP },
    { "l2", PLOT_ENERGY_ON_CHIP },
    { "core_links", PLOT_ENERGY_LINKS },
    { "crossbar", PLOT_ENERGY_LINKS },
    { "hbm_activate", PLOT_ENERGY_HBM },
    { "hbm_read", PLOT_ENERGY_HBM },
    { "hbm_write", PLOT_ENERGY_HBM },
    { "hbm_refresh", PLOT_ENERGY_HBM_REST },
    { "hbm_background", PLOT_ENERGY_HBM_REST },
    { "static", PLOT_ENERGY_REST },
    { "idle_extra", PLOT_ENERGY_REST },
    { "sm_static", PLOT_ENERGY_REST },
    { "l2_static", PLOT_ENERGY_REST },
    { "constant", PLOT_ENERGY_REST },
};

static enum plot_energy_group group_of(const char *component)
{
    for (size_t i = 0; i < sizeof components / sizeof components[0]; i++)
        if (strcmp(components[i].component, component) == 0)
            return components[i].group;
    return PLOT_ENERGY_OTHER;
}

void plot_energy_sums(const json_t *result, double sums[PLOT_ENERGY_COUNT])
{
    const char *component;
    json_t *joules;
    memset(sums, 0, PLOT_ENERGY_COUNT * sizeof *sums);
    json_object_foreach(json_object_get(result, "energy"), component, joules) {
        sums[group_of(component)] += json_number_value(joules);
    }
}

static void write_row(const json_t *results, size_t which, FILE *out)
{
    double sums[PLOT_ENERGY_COUNT];
    char label[PLOT_LABEL];
    plot_energy_sums(json_array_get(results, which), sums);
    plot_label(results, which, label);
    plot_text(label, out);
    for (size_t g = 0; g < PLOT_ENERGY_COUNT; g++)
        fprintf(out, " %.17g", sums[g]);
    fputc('\n', out);
}

static void write_data(const json_t *results, FILE *out)
{
    fputs("# a row a result, joules\n\"\"", out);
    for (size_t g = 0; g < PLOT_ENERGY_COUNT; g++)
        fprintf(out, " \"%s\"", plot_energy_names[g]);
    fputc('\n', out);
    for (size_t i = 0; i < json_array_size(results); i++)
        write_row(results, i, out);
}

static bool has_energy(const json_t *result)
{
    const char *component;
    json_t *joules;
    double sum = 0;
    json_object_foreach(json_object_get(result, "energy"), component, joules) {
        sum += json_number_value(joules);
    }
    return report_number(result, "energy_j") > 0 && sum > 0;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "energy_j", false }, { "energy.*", false }, { NULL, false },
};

const struct plot plot_energy = {
    "energy", "joules by what they were spent on, a bar a result", plot_energy_script,
    "simaccel run --json", PLOT_RESULTS, needs, has_energy,
    "energy_j and energy above 0", write_data,
};
