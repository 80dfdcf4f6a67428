/* plot_utilization.c - the data of plots/utilization.gp: how much of its peaks a run used, and when.
 *
 * Each moment belongs to one op (docs/results.md), so their times, one after the other, are the
 * run's.
 */
#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(utilization);

static void write_block(const json_t *result, FILE *out)
{
    size_t i;
    json_t *op;
    double start = 0, share = 0;
    double peak = report_number(json_object_get(result, "hbm"), "peak_bytes_per_s");
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        double time = report_number(op, "time_s");
        if (!(time > 0))
            continue;
        share = report_number(op, "hbm_bytes") / (peak * time);
        fprintf(out, "%.17g %.17g %.17g %.17g %zu ", start, start + time,
                report_number(op, "mxu_utilization"), share,
                plot_phase(report_string(op, "phase")));
        plot_text(report_string(op, "name"), out);
        fputc('\n', out);
        start += time;
    }
    /* A step lasts until the next row: the last one ends the run. */
    fprintf(out, "%.17g %.17g 0 %.17g 0 \"\"\n", start, start, share);
}

static void write_data(const json_t *results, FILE *out)
{
    fputs("# from_s to_s mxu_utilization share_of_hbm_peak phase op\n", out);
    plot_blocks(results, write_block, out);
}

static bool has_ops(const json_t *result)
{
    size_t i;
    json_t *op;
    if (!(report_number(json_object_get(result, "hbm"), "peak_bytes_per_s") > 0))
        return false;
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        if (report_number(op, "time_s") > 0)
            return true;
    }
    return false;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "hbm.peak_bytes_per_s", false }, { "ops.*.name", true },
    { "ops.*.phase", true }, { "ops.*.time_s", false }, { "ops.*.mxu_utilization", false },
    { "ops.*.hbm_bytes", false }, { NULL, false },
};

const struct plot plot_utilization = {
    "utilization", "share of the peaks of matrix units and HBM over time, by op",
    plot_utilization_script, "simaccel run --json", 4, needs, has_ops,
    "an op that takes time, on a machine with HBM", write_data,
};
