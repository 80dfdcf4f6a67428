/* plot_training.c - the data of plots/training.gp. */
#include <string.h>

#include "sim/plot.h"
#include "sim/report_field.h"

extern const char plot_training_script[];
__asm__(".pushsection .rodata\n"
        ".global plot_training_script\n"
        "plot_training_script: .incbin \"plots/training.gp\"\n"
        ".byte 0\n"
        ".popsection\n");

static void write_block(json_t *rows, const char *machine, FILE *out)
{
    size_t i;
    json_t *row;
    fprintf(out, "\"%s\"\n", machine);
    json_array_foreach(rows, i, row) {
        if (strcmp(report_string(row, "machine"), machine) == 0 && json_is_number(json_object_get(row, "loss")))
            fprintf(out, "%.17g %.17g %.17g\n", report_number(row, "time_s"),
                    report_number(row, "energy_j"), report_number(row, "loss"));
    }
    fputs("\n\n", out);
}

/* The reference takes no time: it has no place here. */
static void write_data(const json_t *result, FILE *out)
{
    size_t i;
    json_t *machine;
    fprintf(out, "# time_s energy_j loss\n");
    json_array_foreach(json_object_get(result, "machines"), i, machine)
        if (json_array_size(json_object_get(machine, "shapes")) > 0)
            write_block(json_object_get(result, "rows"),
                        report_string(machine, "name"), out);
}

const struct plot plot_training = { "training", plot_training_script, write_data };
