/* report.c - a result as text: the head, totals, phases and energy; the ops and the units
 * are in files of their own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/gpu_energy.h"
#include "sim/report_inside.h"
#include "sim/report_number.h"
#include "sim/report_table.h"
#include "sim/tpu_energy.h"

double report_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

const char *report_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

json_t *report_finite(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

bool report_is_gpu(const json_t *result)
{
    return strcmp(report_string(result, "kind"), "gpu") == 0;
}

/* a of b, as percent. */
static const char *percent(char text[NUMBER_TEXT], double a, double b)
{
    return number_percent(text, number_ratio(a, b));
}

/* ---- the head ---- */

/* Adds "mxu.rows = 64" to what `origin` ("--set") changed. */
static void add_change(json_t *changes, const char *origin, const char *section,
                       const char *name, const json_t *value)
{
    const char *before = report_string(changes, origin), *comma = before[0] ? ", " : "";
    json_object_set_new(changes, origin, json_is_string(value)
        ? json_sprintf("%s%s%s.%s = %s", before, comma, section, name, json_string_value(value))
        : json_sprintf("%s%s%s.%s = %.15g", before, comma, section, name,
                       json_number_value(value)));
}

/* The figures that did not come from a machine file, by what set them. */
static void print_changes(json_t *parameters, FILE *out)
{
    json_t *changes = json_object();
    REPORT_EACH(section, parameters) {
        json_t *figures = json_object_iter_value(section);
        REPORT_EACH(name, figures) {
            const json_t *figure = json_object_iter_value(name);
            const char *origin = report_string(figure, "set_at");
            if (strncmp(origin, "--", 2) == 0)
                add_change(changes, origin, json_object_iter_key(section),
                           json_object_iter_key(name), json_object_get(figure, "value"));
        }
    }
    REPORT_EACH(origin, changes) {
        json_t *line = json_sprintf("changed by %s: %s", json_object_iter_key(origin),
                                    json_string_value(json_object_iter_value(origin)));
        table_text(json_string_value(line), out);
        json_decref(line);
    }
    json_decref(changes);
}

static double parameter(const json_t *result, const char *section, const char *name)
{
    const json_t *figures = json_object_get(json_object_get(result, "parameters"), section);
    return report_number(json_object_get(figures, name), "value");
}

/* Why a GPU has the clock that it has.  The lowest may take more than the limit; one that was
 * found for the limit is within a percent of it. */
static void print_clock(const json_t *r, FILE *out)
{
    char limit[NUMBER_TEXT], watts[NUMBER_TEXT];
    const char *by = report_string(r, "clock_by");
    double takes = report_number(r, "average_power_w"), may = report_number(r, "power_limit_w");
    number_si(limit, may, "W");
    number_si(watts, takes, "W");
    if (strcmp(by, "power limit") == 0 && takes > 1.01 * may)
        fprintf(out, ", where it takes %s, more than the %s that it may (%.0f runs)\n", watts,
                limit, report_number(r, "power_runs"));
    else if (strcmp(by, "power limit") == 0)
        fprintf(out, ", where it takes the %s that it may (found in %.0f runs)\n", limit,
                report_number(r, "power_runs"));
    else if (strcmp(by, "machine") == 0 && may > 0)
        fprintf(out, ", its highest, below the limit of %s\n", limit);
    else
        fprintf(out, ", %s\n", strcmp(by, "machine") == 0 ? "without a limit of power" : by);
}

static void print_notes(const json_t *r, FILE *out)
{
    const json_t *notes = json_object_get(r, "notes"), *note;
    size_t i;
    if (json_is_true(json_object_get(r, "sampled")))
        table_text("sampled: launches of many blocks were simulated until their waves were "
                   "steady, the rest is reckoned (--sample)", out);
    for (i = 0; (note = json_array_get(notes, i)) != NULL; i++)
        table_text(json_string_value(note), out);
}

static void print_head(const json_t *r, FILE *out)
{
    char clock[NUMBER_TEXT];
    json_t *parameters = json_object_get(r, "parameters");
    fprintf(out, "%s on %s (simaccel %s)\n", report_string(r, "trace"),
            report_string(r, "machine"), report_string(r, "simaccel"));
    if (report_string(parameters, "description")[0])
        table_text(report_string(parameters, "description"), out);
    number_si(clock, report_number(r, "clock_hz"), "Hz");
    if (report_is_gpu(r))
        fprintf(out, "  %.0f of %.0f SMs in use, at %s", report_number(r, "cores"),
                parameter(r, "sm", "count"), clock);
    else
        fprintf(out, "  %.0f of %.0f cores in use, at %s\n", report_number(r, "cores"),
                parameter(r, "chip", "cores"), clock);
    if (report_is_gpu(r))
        print_clock(r, out);
    if (strcmp(report_string(r, "precision"), "highest") == 0)
        table_text(report_is_gpu(r) ? "f32 is multiplied on FP32 lanes (--precision highest)"
                   : "f32 is multiplied in six bf16 passes (--precision highest)", out);
    if (json_is_true(json_object_get(r, "ideal_overlap")))
        table_text("no operation waits but for data (--ideal overlap)", out);
    print_changes(parameters, out);
    print_notes(r, out);
}

/* ---- totals ---- */

static void print_times(const json_t *r, FILE *out)
{
    char a[NUMBER_TEXT];
    fprintf(out, "  time           %-13s %.0f cycles, from the first operation to the last\n",
            number_si(a, report_number(r, "time_s"), "s"), report_number(r, "cycles"));
    fputs("  bound by       ", out);
    report_bounds(r, out);
    fprintf(out, "\n  launch         %-13s %s; not in the time\n",
            number_si(a, report_number(r, "launch_s"), "s"), report_is_gpu(r)
            ? "before the first block" : "the runtime's code round the program");
    if (report_is_gpu(r))
        return;
    fprintf(out, "  host           %-13s from call to result, on top; not in the time\n",
            number_si(a, report_number(r, "host_s"), "s"));
}

static void print_work(const json_t *r, FILE *out)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT], d[NUMBER_TEXT];
    double rate = report_number(r, "flops_per_s"), peak = report_number(r, "peak_flops_per_s");
    double macs = report_number(r, "macs"), padded = report_number(r, "macs_padded");
    fprintf(out, "  work           %-13s %s, %s %% of the peak of %s\n",
            number_si(a, report_number(r, "flops"), "FLOP"), number_si(b, rate, "FLOP/s"),
            percent(d, rate, peak), number_si(c, peak, "FLOP/s"));
    snprintf(a, sizeof a, "%.40s %%",
             number_percent(b, report_number(r, "mxu_utilization")));
    fprintf(out, "  %-14s %-13s of the multiply-accumulates possible; "
            "of those done, %s %% were padding\n", report_is_gpu(r) ? "products" : "matrix units",
            a, percent(c, padded, macs + padded));
}

static void print_hbm(const json_t *r, FILE *out)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT], d[NUMBER_TEXT];
    const json_t *hbm = json_object_get(r, "hbm");
    double rate = report_number(hbm, "bytes_per_s");
    double peak = report_number(hbm, "peak_bytes_per_s");
    fprintf(out, "  HBM            %-13s %s, %s %% of the peak of %s\n",
            number_si(a, report_number(hbm, "bytes"), "B"), number_si(b, rate, "B/s"),
            percent(d, rate, peak), number_si(c, peak, "B/s"));
    fprintf(out, "                 %-13s %s read, %s written; %s %% of bursts in an open row\n",
            "", number_si(a, report_number(hbm, "read_bytes"), "B"),
            number_si(b, report_number(hbm, "written_bytes"), "B"),
            number_percent(c, report_number(hbm, "row_hit_fraction")));
}

static void print_power(const json_t *r, FILE *out)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT], d[NUMBER_TEXT];
    const json_t *power = json_object_get(r, "power"), *watts;
    double most = 0;
    size_t i;
    for (i = 0; (watts = json_array_get(json_object_get(power, "power_w"), i)) != NULL; i++)
        most = json_number_value(watts) > most ? json_number_value(watts) : most;
    fprintf(out, "  energy         %-13s %s on average, %s at most (mean of %s)\n",
            number_si(a, report_number(r, "energy_j"), "J"),
            number_si(b, report_number(r, "average_power_w"), "W"), number_si(c, most, "W"),
            number_si(d, report_number(power, "interval_s"), "s"));
}

static void print_memory(const json_t *r, FILE *out)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT], d[NUMBER_TEXT];
    const json_t *m = json_object_get(r, "memory");
    double hbm = report_number(m, "hbm_bytes"), all = report_number(m, "hbm_capacity_bytes");
    fprintf(out, "  %-14s %-13s at the most, %s %% of %s\n",
            report_is_gpu(r) ? "memory" : "HBM a core", number_si(a, hbm, "B"),
            percent(d, hbm, all), number_si(b, all, "B"));
    if (report_is_gpu(r)) {
        fprintf(out, "  L2             %-13s were written and not yet in HBM at the end, of %s\n",
                number_si(a, report_number(m, "l2_dirty_bytes"), "B"),
                number_si(b, report_number(m, "l2_capacity_bytes"), "B"));
        return;
    }
    double vmem = report_number(m, "vmem_bytes");
    all = report_number(m, "vmem_capacity_bytes");
    fprintf(out, "  vector memory  %-13s at the most, %s %% of %s a core; "
            "of it %s stay for later ops\n", number_si(a, vmem, "B"), percent(d, vmem, all),
            number_si(b, all, "B"), number_si(c, report_number(m, "vmem_resident_bytes"), "B"));
}

/* ---- columns that add up ---- */

static double *values_of(const json_t *array, const char *key, double *sum)
{
    double *values = calloc(json_array_size(array) + 1, sizeof *values);
    const json_t *object;
    size_t i;
    if (!values)
        abort();
    *sum = 0;
    for (i = 0; (object = json_array_get(array, i)) != NULL; i++)
        *sum += values[i] = report_number(object, key);
    return values;
}

static void round_up(struct report_parts *p, double *values, size_t count, double last_place)
{
    p->rounded = calloc(count + 1, sizeof *p->rounded);
    if (!p->rounded)
        abort();
    p->whole = number_round(values, count, last_place, p->rounded);
    free(values);
}

struct report_parts report_parts(const json_t *array, const char *key)
{
    double sum, *values = values_of(array, key, &sum);
    struct report_parts p = { .scale = number_scale(sum) };
    double last_place = p.scale.unit;
    for (int d = 0; d < p.scale.decimals; d++)
        last_place /= 10;
    round_up(&p, values, json_array_size(array), last_place);
    return p;
}

struct report_parts report_shares(const json_t *array, const char *key)
{
    double sum, *values = values_of(array, key, &sum);
    struct report_parts p = { .scale = { 0.01, "%", 1 } };
    for (size_t i = 0; i < json_array_size(array); i++)
        values[i] = number_ratio(values[i], sum);
    round_up(&p, values, json_array_size(array), 0.001);
    return p;
}

void report_parts_free(struct report_parts *p)
{
    free(p->rounded);
}

struct rank { double seconds; size_t index; };

static int by_time(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->seconds != y->seconds)
        return x->seconds > y->seconds ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

bool *report_longest(const json_t *array, size_t rows)
{
    size_t count = json_array_size(array), i;
    const json_t *object;
    bool *chosen = calloc(count + 1, sizeof *chosen);
    struct rank *ranks = calloc(count + 1, sizeof *ranks);
    if (!chosen || !ranks)
        abort();
    for (i = 0; (object = json_array_get(array, i)) != NULL; i++)
        ranks[i] = (struct rank){ report_number(object, "time_s"), i };
    qsort(ranks, count, sizeof *ranks, by_time);
    for (i = 0; i < count && i < rows; i++)
        chosen[ranks[i].index] = true;
    free(ranks);
    return chosen;
}

const char *report_unit(char text[NUMBER_TEXT], const struct report_parts *p, const char *unit)
{
    snprintf(text, NUMBER_TEXT, "%s%s", p->scale.prefix, unit);
    return text;
}

/* ---- phases ---- */

struct phase_columns { struct report_parts time, share, energy, joules_share, work, bytes; };

static void phase_heads(struct table *t, const struct phase_columns *c)
{
    char unit[NUMBER_TEXT];
    table_column(t, TABLE_LEFT, "phase", "");
    table_column(t, TABLE_RIGHT, "time", report_unit(unit, &c->time, "s"));
    table_column(t, TABLE_RIGHT, "share", "%");
    table_column(t, TABLE_RIGHT, "energy", report_unit(unit, &c->energy, "J"));
    table_column(t, TABLE_RIGHT, "share", "%");
    table_column(t, TABLE_RIGHT, "work", report_unit(unit, &c->work, "FLOP"));
    table_column(t, TABLE_RIGHT, "HBM", report_unit(unit, &c->bytes, "B"));
    table_column(t, TABLE_RIGHT, "achieved", "");
    table_column(t, TABLE_RIGHT, "HBM rate", "");
}

static void phase_rates(struct table *t, double flops, double bytes, double seconds)
{
    char text[NUMBER_TEXT];
    double achieved = number_ratio(flops, seconds), rate = number_ratio(bytes, seconds);
    table_cell(t, "%s", achieved > 0 ? number_si(text, achieved, "FLOP/s") : "-");
    table_cell(t, "%s", rate > 0 ? number_si(text, rate, "B/s") : "-");
}

/* Row `i`, or with i == count the sum of all. */
static void phase_numbers(struct table *t, const struct phase_columns *c, size_t i, size_t count)
{
    const struct report_parts *p[] = { &c->time, &c->share, &c->energy, &c->joules_share,
                                       &c->work, &c->bytes };
    for (size_t k = 0; k < sizeof p / sizeof p[0]; k++)
        table_fixed(t, i < count ? p[k]->rounded[i] : p[k]->whole, p[k]->scale.decimals);
}

static void print_phases(const json_t *r, FILE *out)
{
    const json_t *phases = json_object_get(r, "phases"), *phase;
    struct phase_columns c = {
        report_parts(phases, "time_s"), report_shares(phases, "time_s"),
        report_parts(phases, "energy_j"), report_shares(phases, "energy_j"),
        report_parts(phases, "flops"), report_parts(phases, "hbm_bytes"),
    };
    struct table *t = table_new();
    size_t i, count = json_array_size(phases);
    phase_heads(t, &c);
    for (i = 0; (phase = json_array_get(phases, i)) != NULL; i++) {
        table_cell(t, "%s", report_string(phase, "name"));
        phase_numbers(t, &c, i, count);
        phase_rates(t, report_number(phase, "flops"), report_number(phase, "hbm_bytes"),
                    report_number(phase, "time_s"));
    }
    table_cell(t, "all");
    phase_numbers(t, &c, count, count);
    phase_rates(t, report_number(r, "flops"),
                report_number(json_object_get(r, "hbm"), "bytes"), report_number(r, "time_s"));
    fputs("\nPhases\n", out);
    table_print(t, out);
    report_parts_free(&c.time);
    report_parts_free(&c.share);
    report_parts_free(&c.energy);
    report_parts_free(&c.joules_share);
    report_parts_free(&c.work);
    report_parts_free(&c.bytes);
}

/* ---- energy ---- */

static const char *component_what(const char *name)
{
    static const struct { const char *name, *what; } components[] = {
#define COMPONENT(id, name, ...) { name, FIRST(__VA_ARGS__, 0) },
#define FIRST(what, ...) what
        TPU_COMPONENTS(COMPONENT)
        GPU_COMPONENTS(COMPONENT)
#undef FIRST
#undef COMPONENT
    };
    for (size_t i = 0; i < sizeof components / sizeof components[0]; i++)
        if (strcmp(name, components[i].name) == 0)
            return components[i].what;
    return "";
}

/* The components as an array of objects, like phases and ops: a new reference. */
static json_t *components_of(const json_t *r)
{
    json_t *array = json_array(), *energy = json_object_get(r, "energy");
    REPORT_EACH(component, energy)
        json_array_append_new(array, json_pack(
            "{s:s, s:O}", "name", json_object_iter_key(component), "j",
            json_object_iter_value(component)));
    return array;
}

static void print_energy(const json_t *r, FILE *out)
{
    char unit[NUMBER_TEXT];
    json_t *components = components_of(r);
    const json_t *component;
    struct report_parts joules = report_parts(components, "j");
    struct report_parts shares = report_shares(components, "j");
    struct table *t = table_new();
    size_t i;
    table_column(t, TABLE_LEFT, "energy", "");
    table_column(t, TABLE_RIGHT, "", report_unit(unit, &joules, "J"));
    table_column(t, TABLE_RIGHT, "share", "%");
    table_column(t, TABLE_LEFT, "", "");
    for (i = 0; (component = json_array_get(components, i)) != NULL; i++) {
        if (!(report_number(component, "j") > 0))
            continue;
        table_cell(t, "%s", report_string(component, "name"));
        table_fixed(t, joules.rounded[i], joules.scale.decimals);
        table_fixed(t, shares.rounded[i], shares.scale.decimals);
        table_cell(t, "%s", component_what(report_string(component, "name")));
    }
    table_cell(t, "all");
    table_fixed(t, joules.whole, joules.scale.decimals);
    table_fixed(t, shares.whole, shares.scale.decimals);
    table_cell(t, "%s", "");
    const json_t *energy = json_object_get(json_object_get(r, "parameters"), "energy");
    fprintf(out, "\nEnergy (prices of the %s)\n",
            report_string(json_object_get(energy, "level"), "value"));
    table_print(t, out);
    report_parts_free(&joules);
    report_parts_free(&shares);
    json_decref(components);
}

static void print_map(const json_t *r, FILE *out)
{
    const char *map = report_string(json_object_get(r, "hbm"), "map");
    if (map[0] == '\0')
        return;
    fputs("\nHBM addresses, from bit 0 up\n", out);
    table_text(map, out);
}

/* A run that fails one of these has no report. */
static void print_checks(const json_t *r, FILE *out)
{
    if (report_is_gpu(r))
        fputs("\nChecked: the causes of every SM's schedulers add up to the run's cycles; L2 "
              "delivered the bytes that\n         SMs asked, and HBM those that L2 asked; every "
              "block ran to its end.\n", out);
    else
        fprintf(out, "\nChecked: the states of every unit add up to %.0f cycles; HBM delivered the "
                "%.0f bytes asked;\n         the matrix units did the %.0f "
                "multiply-accumulates of the trace.\n", report_number(r, "cycles"),
                report_number(json_object_get(r, "hbm"), "bytes"), report_number(r, "macs"));
}

/* A user's kernel is one op of one phase: its launch says it all. */
static bool is_kernel(const json_t *r)
{
    const json_t *op = json_array_get(json_object_get(r, "ops"), 0);
    return strcmp(report_string(op, "kind"), "kernel") == 0;
}

void report_text(const json_t *result, FILE *out)
{
    print_head(result, out);
    fputs("\nTotals (k, M, G, T are powers of ten)\n", out);
    print_times(result, out);
    print_work(result, out);
    print_hbm(result, out);
    print_power(result, out);
    print_memory(result, out);
    if (!is_kernel(result)) {
        print_phases(result, out);
        report_ops(result, out);
    }
    report_launches(result, out);
    report_units(result, out);
    print_energy(result, out);
    report_values(result, out);
    print_map(result, out);
    print_checks(result, out);
}
