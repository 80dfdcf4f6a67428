/* compare.c - see compare.h: every cell is sums over some ops of a result, and their ratios. */
#include "sim/compare.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare_match.h"
#include "sim/report_field.h"
#include "sim/result_multiplied.h"
#include "sim/report_number.h"
#include "traces/trace.h"

/* ---- names with amounts ---- */

static void add(json_t *amounts, const char *name, double amount)
{
    json_object_set_new(amounts, name, json_real(report_number(amounts, name) + amount));
}

static void add_object(json_t *amounts, json_t *more)
{
    const char *name;
    json_t *amount;
    json_object_foreach(more, name, amount) {
        add(amounts, name, json_number_value(amount));
    }
}

/* {"name", "fraction"} of the largest but one name, and null of none above 0.  Takes `amounts`. */
static json_t *largest(json_t *amounts, const char *but, double whole)
{
    const char *name, *most = "";
    json_t *amount;
    json_object_foreach(amounts, name, amount) {
        if (strcmp(name, but) != 0 && json_number_value(amount) > report_number(amounts, most))
            most = name;
    }
    double part = report_number(amounts, most);
    json_t *top = part > 0 ? json_pack("{s:s, s:f}", "name", most, "fraction",
                                       number_ratio(part, whole)) : json_null();
    json_decref(amounts);
    return top;
}

static double sum_of(json_t *amounts)
{
    const char *name;
    json_t *amount;
    double sum = 0;
    json_object_foreach(amounts, name, amount) {
        sum += json_number_value(amount);
    }
    return sum;
}

/* ---- a cell ---- */

/* Some ops of a result: those of `row`, of `phase`, or all. */
struct part {
    const json_t *result;
    const size_t *row_of;               /* [ops]; NULL: any */
    size_t        row;
    const char   *phase;                /* NULL: any */
    uint64_t      batch;
};

static bool is_in(const struct part *p, size_t i)
{
    const json_t *op = json_array_get(json_object_get(p->result, "ops"), i);
    return (!p->row_of || p->row_of[i] == p->row)
        && (!p->phase || strcmp(report_string(op, "phase"), p->phase) == 0);
}

/* What bounds its ops, by their time. */
static json_t *bounds(const struct part *p)
{
    const json_t *ops = json_object_get(p->result, "ops"), *op;
    json_t *seconds = json_object();
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (is_in(p, i))
            add(seconds, report_string(op, "bound_by"), report_number(op, "time_s"));
    return seconds;
}

/* Which unit had most work of it. */
static json_t *busy(const struct part *p)
{
    const json_t *ops = json_object_get(p->result, "ops"), *op;
    json_t *seconds = json_object();
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (is_in(p, i))
            add_object(seconds, json_object_get(op, "busy_s"));
    return seconds;
}

/* What a GPU's schedulers did or waited for; launches go by the names of their ops. */
static json_t *gpu_cycles(const struct part *p)
{
    const json_t *ops = json_object_get(p->result, "ops"), *op, *launch;
    const json_t *launches = json_object_get(p->result, "launches");
    json_t *cycles = json_object(), *names = json_object();
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (is_in(p, i))
            json_object_set_new(names, report_string(op, "name"), json_true());
    for (size_t i = 0; (launch = json_array_get(launches, i)) != NULL; i++)
        if (json_object_get(names, report_string(launch, "op")))
            add_object(cycles, json_object_get(launch, "cycles"));
    json_decref(names);
    return cycles;
}

/* Of a TPU's units that compute or send the one that worked longest, and if none did, of its
 * engines: in `states` what it did or waited for. */
static const char *tpu_unit(const struct part *p, json_t **states)
{
    static const char *const names[] = { "matrix", "vector", "transpose", "link", "load", "store" };
    enum { UNITS = sizeof names / sizeof names[0], ENGINES = 2 };
    const json_t *ops = json_object_get(p->result, "ops"), *op;
    json_t *of[UNITS];
    size_t most = 0;
    for (size_t u = 0; u < UNITS; u++) {
        of[u] = json_object();
        for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
            if (is_in(p, i))
                add_object(of[u], json_object_get(json_object_get(op, "states"), names[u]));
        bool engine = u >= UNITS - ENGINES;
        double busy_s = report_number(of[u], "busy"), best = report_number(of[most], "busy");
        if (busy_s > best && (!engine || best <= 0))
            most = u;
    }
    *states = json_incref(of[most]);
    for (size_t u = 0; u < UNITS; u++)
        json_decref(of[u]);
    return names[most];
}

/* {"unit", "name", "fraction", "works"}: what it waits for longest, of all its time. */
static json_t *stall(const struct part *p)
{
    bool gpu = strcmp(report_string(p->result, "kind"), "gpu") == 0;
    const char *works = gpu ? "issued" : "busy";
    json_t *states;
    const char *unit = "schedulers";
    if (gpu)
        states = gpu_cycles(p);
    else
        unit = tpu_unit(p, &states);
    double whole = sum_of(states), worked = number_ratio(report_number(states, works), whole);
    json_t *top = largest(states, works, whole);
    if (json_is_object(top)) {
        json_object_set_new(top, "unit", json_string(unit));
        json_object_set_new(top, "works", json_real(worked));
    }
    return top;
}

/* The share of its time in which no kernel runs; null of a TPU. */
static json_t *between_kernels(const struct part *p, double time)
{
    const json_t *ops = json_object_get(p->result, "ops"), *op, *launch;
    const json_t *launches = json_object_get(p->result, "launches");
    json_t *names = json_object();
    double in_kernels = 0;
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++)
        if (is_in(p, i))
            json_object_set_new(names, report_string(op, "name"), json_true());
    for (size_t i = 0; (launch = json_array_get(launches, i)) != NULL; i++)
        if (json_object_get(names, report_string(launch, "op")))
            in_kernels += report_number(launch, "time_s");
    json_decref(names);
    double rest = 1 - number_ratio(in_kernels, time);
    return launches && time > 0 ? json_real(rest > 0 ? rest : 0) : json_null();
}

static void set_causes(json_t *cell, const struct part *p)
{
    double time = report_number(cell, "time_s");
    json_object_set_new(cell, "bound_by", largest(bounds(p), "", time));
    json_object_set_new(cell, "unit", largest(busy(p), "", time));
    json_object_set_new(cell, "stall", stall(p));
    json_object_set_new(cell, "no_kernel_fraction", between_kernels(p, time));
}

static void set_rates(json_t *cell, const struct part *p)
{
    double time = report_number(cell, "time_s"), energy = report_number(cell, "energy_j");
    double flops_per_s = number_ratio(report_number(cell, "flops"), time);
    double bytes_per_s = number_ratio(report_number(cell, "hbm_bytes"), time);
    const json_t *hbm = json_object_get(p->result, "hbm");
    const struct { const char *name; double value; } rates[] = {
        { "average_power_w", number_ratio(energy, time) },
        { "flops_per_s", flops_per_s },
        { "peak_fraction",
          number_ratio(flops_per_s, report_number(p->result, "peak_flops_per_s")) },
        { "hbm_bytes_per_s", bytes_per_s },
        { "hbm_fraction", number_ratio(bytes_per_s, report_number(hbm, "peak_bytes_per_s")) },
    };
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        json_object_set_new(cell, rates[i].name, json_real(rates[i].value));
    json_object_set_new(cell, "energy_per_sample_j",
                        p->batch > 0 ? json_real(energy / (double)p->batch) : json_null());
}

/* Null of a machine that has none of these ops. */
static json_t *part_cell(const struct part *p)
{
    const json_t *ops = json_object_get(p->result, "ops"), *op;
    double time = 0, energy = 0;
    json_int_t flops = 0, bytes = 0;
    json_t *names = json_array();
    for (size_t i = 0; (op = json_array_get(ops, i)) != NULL; i++) {
        if (!is_in(p, i))
            continue;
        time   += report_number(op, "time_s");
        energy += report_number(op, "energy_j");
        flops  += json_integer_value(json_object_get(op, "flops"));
        bytes  += json_integer_value(json_object_get(op, "hbm_bytes"));
        json_array_append(names, json_object_get(op, "name"));
    }
    if (json_array_size(names) == 0) {
        json_decref(names);
        return json_null();
    }
    json_t *cell = json_pack("{s:f, s:f, s:I, s:I}", "time_s", time, "energy_j", energy,
                             "flops", flops, "hbm_bytes", bytes);
    set_rates(cell, p);
    set_causes(cell, p);
    json_object_set_new(cell, "groups", names);
    return cell;
}

/* Of a whole run the result's own sums. */
static json_t *whole_cell(const struct part *p)
{
    json_t *cell = json_object(), *hbm = json_object_get(p->result, "hbm");
    static const char *const own[] = { "time_s", "energy_j", "flops" };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        json_object_set(cell, own[i], json_object_get(p->result, own[i]));
    json_object_set(cell, "hbm_bytes", json_object_get(hbm, "bytes"));
    json_object_set_new(cell, "with_host_s", json_real(report_number(p->result, "time_s")
                                                       + report_number(p->result, "launch_s")
                                                       + report_number(p->result, "host_s")));
    set_rates(cell, p);
    set_causes(cell, p);
    return cell;
}

/* ---- the machines ---- */

/* Of HBM's peak what is left when each refresh has stopped it. */
static double after_refreshes(const json_t *result)
{
    const json_t *figures = json_object_get(json_object_get(result, "parameters"), "hbm");
    bool none = strcmp(report_string(json_object_get(figures, "refresh"), "value"), "none") == 0;
    double stands = number_ratio(report_number(json_object_get(figures, "rfc_ns"), "value"),
                                 report_number(json_object_get(figures, "refi_ns"), "value"));
    return report_number(json_object_get(result, "hbm"), "peak_bytes_per_s")
         * (1 - (none ? 0 : stands));
}

static json_t *facts(const json_t *result)
{
    static const char *const same[] = { "machine", "kind", "cores", "clock_hz", "clock_by",
                                        "launch_s", "host_s", "precision", "peak_flops_per_s",
                                        "notes" };
    json_t *o = json_object();
    const json_t *parameters = json_object_get(result, "parameters");
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (json_object_get(result, same[i]))
            json_object_set(o, same[i], json_object_get(result, same[i]));
    json_object_set(o, "hbm_peak_bytes_per_s",
                    json_object_get(json_object_get(result, "hbm"), "peak_bytes_per_s"));
    json_object_set_new(o, "hbm_after_refreshes_bytes_per_s", json_real(after_refreshes(result)));
    json_t *dirty = json_object_get(json_object_get(result, "memory"), "l2_dirty_bytes");
    if (dirty)
        json_object_set(o, "l2_dirty_bytes", dirty);
    const json_t *level = json_object_get(json_object_get(parameters, "energy"), "level");
    json_object_set_new(o, "prices", json_string(report_string(level, "value")));
    const json_t *optimizer = json_object_get(json_object_get(parameters, "kernels"), "optimizer");
    json_object_set_new(o, "optimizer", json_string(optimizer ? report_string(optimizer, "value")
                                                              : "fused"));
    json_object_set_new(o, "multiplied", result_multiplied(result));
    json_object_set_new(o, "multiplied_fractions", result_multiplied_fractions(result));
    json_object_set_new(o, "products_at_most_flops_per_s",
                        json_real(result_multiplied_at_most(result)));
    return o;
}

/* ---- the whole ---- */

struct side_by_side {
    json_t *const *results;
    size_t   count;
    uint64_t batch;
    struct compare_match match;
};

static json_t *phase_cells(const struct side_by_side *s, const char *phase)
{
    json_t *on = json_array();
    for (size_t r = 0; r < s->count; r++)
        json_array_append_new(on, part_cell(&(struct part){
            .result = s->results[r], .phase = phase, .batch = s->batch }));
    return on;
}

static json_t *phases(const struct side_by_side *s)
{
    json_t *all = json_array();
    for (int p = 0; p < TRACE_PHASES_COUNT; p++) {
        json_t *on = phase_cells(s, trace_phase_names[p]), *cell;
        bool any = false;
        for (size_t r = 0; (cell = json_array_get(on, r)) != NULL; r++)
            any |= !json_is_null(cell);
        if (any)
            json_array_append_new(all, json_pack("{s:s, s:O}", "name", trace_phase_names[p],
                                                 "on", on));
        json_decref(on);
    }
    return all;
}

/* The first op of a row, of the first machine that has one. */
static const json_t *first_of(const struct side_by_side *s, size_t row)
{
    for (size_t r = 0; r < s->count; r++) {
        const json_t *ops = json_object_get(s->results[r], "ops");
        for (size_t i = 0; i < json_array_size(ops); i++)
            if (s->match.row[r][i] == row)
                return json_array_get(ops, i);
    }
    abort();
}

static json_t *op_row(const struct side_by_side *s, size_t row)
{
    const json_t *first = first_of(s, row);
    json_t *on = json_array();
    for (size_t r = 0; r < s->count; r++)
        json_array_append_new(on, part_cell(&(struct part){
            .result = s->results[r], .row_of = s->match.row[r], .row = row, .batch = s->batch }));
    return json_pack("{s:s, s:s, s:b, s:o}", "name", report_string(first, "name"),
                     "phase", report_string(first, "phase"),
                     "added", json_array_size(json_object_get(first, "ops")) == 0, "on", on);
}

/* In the order of a step's phases, within one as they are met. */
static json_t *rows_of_ops(const struct side_by_side *s)
{
    json_t *all = json_array();
    for (int p = 0; p < TRACE_PHASES_COUNT; p++)
        for (size_t row = 0; row < s->match.rows; row++)
            if (strcmp(report_string(first_of(s, row), "phase"), trace_phase_names[p]) == 0)
                json_array_append_new(all, op_row(s, row));
    return all;
}

json_t *compare_results(json_t *const *results, size_t count, uint64_t batch)
{
    json_t *machines = json_array(), *all = json_array();
    json_t **ops = calloc(count + 1, sizeof *ops);
    if (!ops)
        abort();
    for (size_t r = 0; r < count; r++) {
        ops[r] = json_object_get(results[r], "ops");
        json_array_append_new(machines, facts(results[r]));
        json_array_append_new(all, whole_cell(&(struct part){ .result = results[r],
                                                              .batch = batch }));
    }
    struct side_by_side s = { results, count, batch, compare_match(ops, count) };
    json_t *o = json_pack("{s:s, s:i, s:s, s:I, s:o, s:{s:o}, s:o, s:o}",
                          "simaccel", SIMACCEL_VERSION, "compare", 1,
                          "trace", report_string(results[0], "trace"),
                          "batch", (json_int_t)batch, "machines", machines, "all", "on", all,
                          "phases", phases(&s), "ops", rows_of_ops(&s));
    compare_match_free(&s.match);
    free(ops);
    return o;
}
