/* plot_power.c - the data of plots/power.gp: watts over time. */
#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(power);

/* A step lasts until the next row's time; the last row ends the run. */
static void write_block(const json_t *result, FILE *out)
{
    size_t i;
    json_t *watts, *power = json_object_get(result, "power");
    double interval = report_number(power, "interval_s"), last = 0;
    double limit = report_number(result, "power_limit_w");
    json_array_foreach(json_object_get(power, "power_w"), i, watts) {
        last = json_number_value(watts);
        fprintf(out, "%.17g %.17g %.17g %.17g\n", (double)i * interval, last,
                report_number(result, "average_power_w"), limit);
    }
    fprintf(out, "%.17g %.17g %.17g %.17g\n", report_number(result, "time_s"), last,
            report_number(result, "average_power_w"), limit);
}

static void write_data(const json_t *results, FILE *out)
{
    fputs("# start_s power_w average_power_w power_limit_w\n", out);
    plot_blocks(results, write_block, out);
}

static bool has_power(const json_t *result)
{
    return json_array_size(json_object_get(json_object_get(result, "power"), "power_w")) > 0;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "time_s", false }, { "average_power_w", false },
    { "power.interval_s", false }, { "power.power_w.*", false }, { NULL, false },
};

const struct plot plot_power = {
    "power", "watts over time, with the limit of a GPU", plot_power_script,
    "simaccel run --json", PLOT_RESULTS, needs, has_power, "power of an interval", write_data,
};
