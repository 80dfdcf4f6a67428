/* crossover.c - see crossover.h. */
#include "sim/crossover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/experiment.h"
#include "sim/report_field.h"
#include "sim/sweep_table.h"

/* A GPU's operations take about so many times longer to simulate than a TPU's. */
#define GPU_COST 30
/* A byte that an op moves takes about as long as so many operations: an optimizer has few. */
#define BYTE_COST 30

static size_t machines_of(const struct sweep_plan *p)
{
    return p->axes[p->axis_count - 1].count;
}

/* ---- what is run ---- */

/* Whether the trace can be lowered to the machine: nothing is simulated. */
static bool fits(const struct sweep_point *made)
{
    struct diag d = { .text = "" };
    struct experiment e = run_options_experiment(&made->run, made->machine);
    FILE *nowhere = fopen("/dev/null", "w");
    e.trace = made->trace;
    bool good = !nowhere || experiment_disassemble(&e, nowhere, &d);
    if (nowhere)
        fclose(nowhere);
    return good;
}

/* Of each point; `trace` is the first one's name. */
struct measured { double *flops, *costs; char trace[128]; };

/* FLOP of each point; in `costs` what running it takes, and infinity beyond the limit.  What does
 * not fit costs nothing: it is run, and fails at once. */
static bool measure(const struct sweep_plan *p, double limit, struct measured *m, struct diag *d)
{
    double *flops = m->flops, *costs = m->costs;
    for (size_t i = 0; i < p->points; i++) {
        struct sweep_point made;
        if (!sweep_point_make(p, i, &made, d))
            return false;
        bool gpu = machine_kind(made.machine) == MACHINE_GPU;
        if (i == 0)
            snprintf(m->trace, sizeof m->trace, "%s", made.trace->name);
        flops[i] = (double)made.trace->flops;
        costs[i] = (flops[i] + BYTE_COST * (double)made.trace->bytes) * (gpu ? GPU_COST : 1);
        if (limit > 0 && flops[i] > limit)
            costs[i] = fits(&made) ? INFINITY : 0;
        sweep_point_free(&made);
    }
    return true;
}

/* ---- cells ---- */

/* Lowering to either kind of machine says it so. */
static bool is_too_large(const char *message)
{
    return strstr(message, " bytes of HBM on a core; expected at most ")
        || strstr(message, " bytes of memory; expected at most ");
}

static const char *status_of(const json_t *row)
{
    if (!row)
        return "left_out";
    if (strcmp(report_string(row, "status"), "done") == 0)
        return "done";
    return is_too_large(report_string(row, "message")) ? "too_large" : "failed";
}

/* What a machine takes there; the row may be NULL. */
static json_t *machine_json_of(json_t *row)
{
    static const char *const taken[] = { "time_s", "energy_j", "bound_by", "message" };
    json_t *o = json_pack("{s:s}", "status", status_of(row));
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (json_object_get(row, taken[i]))
            json_object_set(o, taken[i], json_object_get(row, taken[i]));
    double rows = report_number(row, "rows");
    if (json_object_get(row, "energy_j"))
        json_object_set_new(o, "energy_per_sample_j", rows > 0
                            ? json_real(report_number(row, "energy_j") / rows) : json_null());
    return o;
}

/* The name of the machine with least of `key`; null unless all have it, or two have the same. */
static json_t *best_of(const json_t *on, const json_t *names, const char *key)
{
    const json_t *cell;
    double least = INFINITY;
    size_t best = 0, equal = 0;
    for (size_t m = 0; (cell = json_array_get(on, m)) != NULL; m++) {
        if (!json_is_number(json_object_get(cell, key)))
            return json_null();
        double value = report_number(cell, key);
        equal = value == least ? equal + 1 : value < least ? 1 : equal;
        best = value < least ? m : best;
        least = value < least ? value : least;
    }
    return equal == 1 ? json_incref(json_array_get(names, best)) : json_null();
}

/* The second machine's over the first's: above 1 the first is better. */
static json_t *ratio_of(const json_t *on, const char *key)
{
    double a = report_number(json_array_get(on, 0), key);
    double b = report_number(json_array_get(on, 1), key);
    return json_array_size(on) == 2 && a > 0 && b > 0 ? json_real(b / a) : json_null();
}

static json_t *cell_json(const struct sweep_plan *p, size_t cell, json_t *const *rows,
                         const double *flops, const json_t *names)
{
    size_t count = machines_of(p);
    const char *arch = p->axes[p->axis_count - 1].name[0].text;
    json_t *on = json_array(), *point = sweep_point_json(p, cell * count, NULL);
    for (size_t m = 0; m < count; m++)
        json_array_append_new(on, machine_json_of(rows[cell * count + m]));
    json_t *over = json_object_get(point, "over");
    json_object_del(over, arch);
    json_t *o = json_pack("{s:O, s:f, s:o, s:o, s:o, s:o, s:o}", "over", over,
                          "flops", flops[cell * count],
                          "faster", best_of(on, names, "time_s"),
                          "time_ratio", ratio_of(on, "time_s"),
                          "thriftier", best_of(on, names, "energy_j"),
                          "energy_ratio", ratio_of(on, "energy_j"), "on", on);
    json_decref(point);
    return o;
}

/* The level of a machine's prices: "board". */
static json_t *level_of(const struct machine *m)
{
    json_t *all = machine_json(m);
    json_t *level = json_object_get(json_object_get(all, "energy"), "level");
    json_t *value = json_string(report_string(level, "value"));
    json_decref(all);
    return value;
}

static json_t *to_json(const struct sweep *s, json_t *const *rows, const struct measured *measured,
                       double limit)
{
    const struct sweep_plan *p = s->plan;
    json_t *names = json_array(), *axes = json_array(), *points = json_array();
    json_t *prices = json_array();
    for (size_t m = 0; m < machines_of(p); m++) {
        json_array_append_new(names, json_string(machine_name(p->machines[m])));
        json_array_append_new(prices, level_of(p->machines[m]));
    }
    for (size_t a = 0; a + 1 < p->axis_count; a++)
        json_array_append_new(axes, json_pack("{s:s, s:I}", "name", p->axes[a].name[0].text,
                                              "steps", (json_int_t)p->axes[a].count));
    for (size_t i = 0; i < p->points / machines_of(p); i++)
        json_array_append_new(points, cell_json(p, i, rows, measured->flops, names));
    return json_pack("{s:s, s:i, s:s, s:f, s:o, s:o, s:o, s:o}", "simaccel", SIMACCEL_VERSION,
                     "crossover", 1, "trace", measured->trace, "limit_flop", limit,
                     "machines", names, "prices", prices, "axes", axes, "points", points);
}

json_t *crossover_run(struct sweep *s, double limit, struct diag *d)
{
    struct measured m = { calloc(s->plan->points, sizeof *m.flops),
                          calloc(s->plan->points, sizeof *m.costs), "" };
    json_t *o = NULL, **rows = sweep_rows_kept(s);
    if (!m.flops || !m.costs)
        abort();
    s->costs = m.costs;
    if (measure(s->plan, limit, &m, d) && sweep_run(s, rows, d))
        o = to_json(s, rows, &m, limit);
    s->costs = NULL;
    sweep_rows_free(s, rows);
    free(m.costs);
    free(m.flops);
    return o;
}
