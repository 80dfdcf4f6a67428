/* plot_over_time.c - the data of plots/over_time.gp: how busy classes of units were, and when. */
#include <string.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(over_time);

#define STRIPS 16

/* The classes of one name but for the core, whose mean is one strip. */
struct strip { const char *what; const json_t *share[64]; size_t count; };

static bool is_used(const json_t *class)
{
    return report_number(class, "busy_s") > 0;
}

/* HBM is drawn as what it read and wrote. */
static size_t find_strips(const json_t *result, struct strip strips[STRIPS])
{
    size_t i, s, count = 0;
    const json_t *c;
    json_array_foreach(json_object_get(json_object_get(result, "over_time"), "classes"), i, c) {
        if (!is_used(c) || strcmp(report_string(c, "name"), "hbm") == 0)
            continue;
        for (s = 0; s < count && strcmp(strips[s].what, report_string(c, "what")) != 0; s++)
            ;
        if (s == STRIPS)
            break;
        if (s == count)
            strips[count++] = (struct strip){ .what = report_string(c, "what") };
        if (strips[s].count < sizeof strips[s].share / sizeof strips[s].share[0])
            strips[s].share[strips[s].count++] = json_object_get(c, "share");
    }
    return count;
}

static double mean(const struct strip *s, size_t bin)
{
    double sum = 0;
    for (size_t i = 0; i < s->count; i++)
        sum += json_number_value(json_array_get(s->share[i], bin));
    return sum / (double)s->count;
}

static void write_shares(const json_t *result, FILE *out)
{
    struct strip strips[STRIPS];
    const json_t *over = json_object_get(result, "over_time");
    size_t count = find_strips(result, strips), bins = json_array_size(strips[0].share[0]);
    for (size_t s = 0; s < count; s++) {
        fputc(' ', out);
        plot_text(strips[s].what, out);
    }
    for (size_t i = 0; i < 2 * bins; i++) {
        size_t edge = (i + 1) / 2;
        fprintf(out, "\n%.9g", edge < bins ? (double)edge * report_number(over, "bin_s")
                                           : report_number(over, "end_s"));
        for (size_t s = 0; s < count; s++)
            fprintf(out, " %.4g", mean(&strips[s], i / 2));
    }
    fputc('\n', out);
}

/* One after the other: each moment belongs to one op. */
static void write_phases(const json_t *result, FILE *out)
{
    size_t i;
    const json_t *op;
    double start = 0;
    json_array_foreach(json_object_get(result, "ops"), i, op) {
        double time = report_number(op, "time_s");
        if (time > 0)
            fprintf(out, "%.17g %.17g %zu\n", start, start + time,
                    plot_phase(report_string(op, "phase")));
        start += time;
    }
}

static void write_data(const json_t *results, FILE *out)
{
    size_t i;
    json_t *result;
    char label[PLOT_LABEL];
    fputs("# s share_of_each_class: two rows a bin, where it begins and ends\n", out);
    json_array_foreach(results, i, result) {
        fputs(plot_between(i), out);
        plot_label(results, i, label);
        plot_text(label, out);
        write_shares(result, out);
        fputs("\n\n# from_s to_s phase\n", out);
        write_phases(result, out);
    }
}

static bool has_classes(const json_t *result)
{
    struct strip strips[STRIPS];
    return find_strips(result, strips) > 0 && json_array_size(strips[0].share[0]) > 0
        && json_array_size(json_object_get(result, "ops")) > 0;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "over_time.bin_s", false }, { "over_time.end_s", false },
    { "over_time.classes.*.what", true }, { "over_time.classes.*.busy_s", false },
    { "over_time.classes.*.share.*", false }, { "ops.*.phase", true },
    { "ops.*.time_s", false }, { NULL, false },
};

const struct plot plot_over_time = {
    "over-time", "how busy classes of units were over time", plot_over_time_script,
    "simaccel run --over-time --json", 2, needs, has_classes, "a unit that did something",
    write_data,
};
