/* plot_training.c - the data of plots/training.gp. */
#include <string.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(training);

static void write_block(json_t *rows, const char *machine, const char *before, FILE *out)
{
    size_t i;
    json_t *row;
    fprintf(out, "%s\"%s\"\n", before, machine);
    json_array_foreach(rows, i, row) {
        if (strcmp(report_string(row, "machine"), machine) != 0)
            continue;
        fprintf(out, "%.17g %.17g ", report_number(row, "time_s"), report_number(row, "energy_j"));
        if (json_is_number(json_object_get(row, "loss")))
            fprintf(out, "%.17g\n", report_number(row, "loss"));
        else
            fputs("NaN\n", out);
    }
}

static bool has_loss(const json_t *result)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(result, "rows"), i, row) {
        if (json_object_get(row, "time_s") && json_is_number(json_object_get(row, "loss")))
            return true;
    }
    return false;
}

/* The reference takes no time: it has no place here. */
static void write_data(const json_t *results, FILE *out)
{
    const json_t *result = json_array_get(results, 0);
    size_t i;
    json_t *machine;
    const char *before = "";
    fprintf(out, "# time_s energy_j loss\n");
    json_array_foreach(json_object_get(result, "machines"), i, machine) {
        if (json_array_size(json_object_get(machine, "shapes")) > 0) {
            write_block(json_object_get(result, "rows"), report_string(machine, "name"), before,
                        out);
            before = "\n\n";
        }
    }
}

static const struct plot_need needs[] = {
    { "network", true }, { "machines.*.name", true }, { "rows.*.machine", true }, { NULL, false },
};

const struct plot plot_training = {
    "training", "loss while a network learns, against simulated time and energy",
    plot_training_script, "simaccel train --json", 1, needs, has_loss,
    "a loss that is finite, on a machine", write_data,
};
