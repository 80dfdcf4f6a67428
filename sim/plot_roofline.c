/* plot_roofline.c - the data of plots/roofline.gp: what the machine allows, and what ops reach.
 *
 * An op's rate is its FLOPs over its span, first activity to last: several at once share a roof.
 * Ops without FLOPs or without HBM traffic have no place on it.
 */
#include <math.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(roofline);

static double ridge(const json_t *result)
{
    return report_number(result, "peak_flops_per_s")
         / report_number(json_object_get(result, "hbm"), "peak_bytes_per_s");
}

static bool has_place(const json_t *op)
{
    return report_number(op, "flops") > 0 && report_number(op, "flops_per_byte") > 0
        && report_number(op, "span_s") > 0;
}

/* The least and the most FLOPs a byte of all ops and ridges: what the roofs have to span. */
static void widen(const json_t *result, double range[2])
{
    size_t i;
    json_t *op;
    range[0] = fmin(range[0], ridge(result));
    range[1] = fmax(range[1], ridge(result));
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        if (has_place(op)) {
            range[0] = fmin(range[0], report_number(op, "flops_per_byte"));
            range[1] = fmax(range[1], report_number(op, "flops_per_byte"));
        }
    }
}

static void write_roof(const json_t *result, const double range[2], FILE *out)
{
    double peak = report_number(result, "peak_flops_per_s"), knee = ridge(result);
    fprintf(out, "%.17g %.17g\n%.17g %.17g\n%.17g %.17g\n", range[0] / 3,
            peak / knee * range[0] / 3, knee, peak, range[1] * 3, peak);
}

static void write_ops(const json_t *result, FILE *out)
{
    size_t i;
    json_t *op;
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        if (!has_place(op))
            continue;
        fprintf(out, "%.17g %.17g %.17g ", report_number(op, "flops_per_byte"),
                report_number(op, "flops") / report_number(op, "span_s"),
                report_number(op, "time_s") / report_number(result, "time_s"));
        plot_text(report_string(op, "name"), out);
        fputc('\n', out);
    }
}

static void write_data(const json_t *results, FILE *out)
{
    size_t i;
    json_t *result;
    double range[2] = { HUGE_VAL, 0 };
    char label[PLOT_LABEL];
    json_array_foreach(results, i, result) {
        widen(result, range);
    }
    fputs("# flops_per_byte flops_per_s: the roof of a result, then its ops with their share of "
          "time\n", out);
    json_array_foreach(results, i, result) {
        plot_label(results, i, label);
        fputs(plot_between(i), out);
        plot_text(label, out);
        fputc('\n', out);
        write_roof(result, range, out);
        fputs(plot_between(1), out);
        plot_text(label, out);
        fputc('\n', out);
        write_ops(result, out);
    }
}

static bool has_points(const json_t *result)
{
    size_t i;
    json_t *op;
    if (!(report_number(result, "time_s") > 0) || !(ridge(result) > 0) || !isfinite(ridge(result)))
        return false;
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        if (has_place(op))
            return true;
    }
    return false;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "time_s", false }, { "peak_flops_per_s", false },
    { "hbm.peak_bytes_per_s", false }, { "ops.*.name", true }, { "ops.*.time_s", false },
    { "ops.*.span_s", false }, { "ops.*.flops", false }, { "ops.*.flops_per_byte", false },
    { NULL, false },
};

const struct plot plot_roofline = {
    "roofline", "the roof of each machine, and a point an op", plot_roofline_script,
    "simaccel run --json", PLOT_RESULTS, needs, has_points,
    "peaks above 0 and an op with FLOPs and HBM traffic", write_data,
};
