/* tpu_result.c - see tpu_result.h. */
#include "sim/tpu_result.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/tpu/events.h"
#include "sim/result_parts.h"
#include "sim/tpu_energy.h"
#include "sim/tpu_plan.h"

struct summing {
    const struct tpu_chip *chip;
    const struct trace    *trace;
    double   seconds, peak_flops, peak_bytes;
    cycle_t  cycles;
    uint64_t macs, macs_padded, hbm_read, hbm_written;
    struct tpu_bill bill;
};

static struct result_memory memory_of(const struct tpu_chip *c)
{
    return (struct result_memory){ &c->figures->hbm, c->stack, c->stacks, tpu_chip_end(c) };
}

static void sum_up(struct summing *x)
{
    const struct tpu_chip *c = x->chip;
    const struct tpu_config *t = &c->figures->tpu;
    x->seconds = result_seconds(tpu_chip_end(c));
    x->cycles = clock_cycle(&c->clock, tpu_chip_end(c));
    x->peak_flops = 2.0 * t->mxu.rows * t->mxu.cols * t->core.mxus * c->cores
                  * (double)c->clock.hz / t->mxu.row_cycles;
    x->peak_bytes = hbm_peak_bytes_per_s(&c->figures->hbm) * c->stacks;
    for (uint32_t i = 0; i < c->cores; i++) {
        x->macs += ledger_total(tpu_core_ledger(c->core[i]), TPU_EVENT_MAC);
        x->macs_padded += ledger_total(tpu_core_ledger(c->core[i]), TPU_EVENT_MAC_PAD);
    }
    struct result_memory memory = memory_of(c);
    for (uint32_t s = 0; s < c->stacks; s++) {
        struct hbm_stats h = result_stack(&memory, s);
        x->hbm_read += h.read_bytes;
        x->hbm_written += h.written_bytes;
    }
}

/* ---- units ---- */

static void add_state(json_t *states, const char *name, uint64_t cycles, const struct clock *clock)
{
    json_t *before = json_object_get(states, name);
    double s = (double)cycles / (double)clock->hz + (before ? json_real_value(before) : 0);
    json_object_set_new(states, name, json_real(s));
}

static json_t *unit(const char *core, const char *name, const char *kind, json_t *states)
{
    char full[64];
    snprintf(full, sizeof full, "%s.%s", core, name);
    return result_unit(full, kind, states);
}

static json_t *array_states(const struct tpu_chip *c, uint32_t core, uint32_t array, cycle_t now)
{
    static const char *const names[] = {
#define NAME(id, name, what) name,
        TPU_ARRAY_STATES(NAME)
#undef NAME
    };
    struct tpu_array_stats s = tpu_core_array_stats(c->core[core], array, now);
    json_t *states = json_object();
    for (int i = 0; i < TPU_ARRAY_STATES_COUNT; i++)
        add_state(states, names[i], s.cycles[i], &c->clock);
    for (int i = 0; i < TPU_STATES_COUNT; i++)
        if (s.without[i] > 0 || i == TPU_STATE_IDLE)
            add_state(states, tpu_state_names[i], s.without[i], &c->clock);
    return states;
}

static void add_core(json_t *units, const struct tpu_chip *c, uint32_t core, cycle_t now)
{
    char name[16], array[16];
    snprintf(name, sizeof name, "core%" PRIu32, core);
    for (uint32_t a = 0; a < c->figures->tpu.core.mxus; a++) {
        snprintf(array, sizeof array, "mxu%" PRIu32, a);
        json_array_append_new(units, unit(name, array, "mxu", array_states(c, core, a, now)));
    }
    for (int u = 0; u < TPU_UNITS_COUNT; u++) {
        uint64_t cycles[TPU_STATES_COUNT];
        tpu_core_unit_cycles(c->core[core], u, now, cycles);
        json_t *states = json_object();
        for (int i = 0; i < TPU_STATES_COUNT; i++)
            if (cycles[i] > 0 || i == TPU_STATE_BUSY)
                add_state(states, tpu_state_names[i], cycles[i], &c->clock);
        json_array_append_new(units, unit(name, tpu_unit_names[u], "queue", states));
    }
}

static json_t *units_json(const struct summing *x)
{
    json_t *units = json_array();
    for (uint32_t i = 0; i < x->chip->cores; i++)
        add_core(units, x->chip, i, x->cycles);
    struct result_memory memory = memory_of(x->chip);
    result_add_stacks(units, &memory, x->seconds);
    return units;
}

/* ---- ops ---- */

static tick_t group_end(const struct tpu_chip *c, uint32_t g)
{
    tick_t end = 0;
    for (uint32_t i = 0; i < c->cores; i++)
        end = tick_max(end, tpu_core_group_end(c->core[i], g));
    return end;
}

static tick_t group_start(const struct tpu_chip *c, uint32_t g)
{
    tick_t start = TICK_NEVER;
    for (uint32_t i = 0; i < c->cores; i++)
        start = tick_min(start, tpu_core_group_start(c->core[i], g));
    return start;
}

static uint64_t group_events(const struct tpu_chip *c, uint32_t g, enum tpu_event event)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < c->cores; i++)
        sum += ledger_group(tpu_core_ledger(c->core[i]), event, g);
    return sum;
}

/* What took more than half of the time that a group was under way: memory at its rate, the
 * busiest unit, or (when neither of these) an engine of the DMA that waits for memory; else
 * it is latency that nothing hides. */
static const char *bound_by(const struct summing *x, uint32_t g, double span, double bytes)
{
    static const struct { enum tpu_unit unit; const char *name; } candidates[] = {
        { TPU_MATRIX, "matrix units" }, { TPU_VECTOR, "vector unit" },
        { TPU_TRANSPOSE, "transpose units" }, { TPU_LINK, "core links" },
        { TPU_LOAD, "dma" }, { TPU_STORE, "dma" },
    };
    const char *name = "latency";
    double most = 0.5 * span, memory = bytes / x->peak_bytes;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        tick_t busy = 0;
        for (uint32_t c = 0; c < x->chip->cores; c++)
            busy = tick_max(busy, tpu_core_group_busy(x->chip->core[c], g, candidates[i].unit));
        bool dma = candidates[i].unit == TPU_LOAD || candidates[i].unit == TPU_STORE;
        if (result_seconds(busy) > most && !(dma && strcmp(name, "latency") != 0)) {
            most = result_seconds(busy);
            name = candidates[i].name;
        }
        if (!dma && memory > most) {
            most = memory;
            name = "hbm bandwidth";
        }
    }
    return name;
}

static json_t *busy_json(const struct summing *x, uint32_t g)
{
    json_t *busy = json_object();
    for (int u = 0; u < TPU_UNITS_COUNT; u++) {
        tick_t most = 0;
        for (uint32_t c = 0; c < x->chip->cores; c++)
            most = tick_max(most, tpu_core_group_busy(x->chip->core[c], g, u));
        json_object_set_new(busy, tpu_unit_names[u], json_real(result_seconds(most)));
    }
    return busy;
}

/* What each unit did in the group's own time: the mean of the cores. */
static json_t *states_json(const struct summing *x, uint32_t g)
{
    const struct tpu_chip *c = x->chip;
    json_t *units = json_object();
    for (int u = 0; u < TPU_UNITS_COUNT; u++) {
        uint64_t sum[TPU_STATES_COUNT] = { 0 }, cycles[TPU_STATES_COUNT];
        json_t *states = json_object();
        for (uint32_t i = 0; i < c->cores; i++) {
            tpu_core_group_cycles(c->core[i], g, u, x->cycles, cycles);
            for (int s = 0; s < TPU_STATES_COUNT; s++)
                sum[s] += cycles[s];
        }
        for (int s = 0; s < TPU_STATES_COUNT; s++)
            if (sum[s] > 0)
                json_object_set_new(states, tpu_state_names[s], json_real(
                    (double)sum[s] / ((double)c->clock.hz * c->cores)));
        json_object_set_new(units, tpu_unit_names[u], states);
    }
    return units;
}

/* What has a price and was counted for a group. */
static json_t *counts_json(const struct summing *x, uint32_t g)
{
    static const char *const names[] = {
#define NAME(id, unit, what) [TPU_EVENT_##id] = #id,
        TPU_EVENTS(NAME)
#undef NAME
    };
    uint64_t counts[TPU_EVENTS_COUNT];
    struct result_memory memory = memory_of(x->chip);
    for (int e = 0; e < TPU_EVENTS_COUNT; e++)
        counts[e] = group_events(x->chip, g, e);
    return result_counts(names, counts, TPU_EVENTS_COUNT, result_group(&memory, g).activates);
}

static json_t *op_json(const struct summing *x, uint32_t index, tick_t from, tick_t to)
{
    static const char *const kinds[] = { "matmul", "vector", "transpose", "all_reduce" };
    const struct tpu_chip *c = x->chip;
    const struct tpu_group *g = &c->plan->groups[index];
    struct result_memory memory = memory_of(c);
    struct hbm_group_stats h = result_group(&memory, index);
    uint64_t bytes = h.read_bytes + h.written_bytes;
    uint64_t macs = group_events(c, index, TPU_EVENT_MAC);
    double time = result_seconds(to - from);
    double span = result_seconds(group_end(c, index) - group_start(c, index));
    struct tpu_energy e = tpu_energy_group(&x->bill, index, result_ratio(time, x->seconds));
    double roof = result_ratio((double)g->flops, (double)bytes) * x->peak_bytes;
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:f, s:f, s:f, s:o, s:o, s:f,"
        " s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:f, s:f, s:o, s:o}",
        "name", g->name, "phase", trace_phase_names[g->phase], "kind", kinds[g->kind],
        "ops", result_op_names(x->trace, g->ops, g->op_count),
        "start_s", result_seconds(group_start(c, index)), "time_s", time,
        "span_s", span, "busy_s", busy_json(x, index),
        "states", states_json(x, index), "energy_j", tpu_energy_sum(&e),
        "flops", (json_int_t)g->flops, "macs", (json_int_t)macs,
        "macs_padded", (json_int_t)group_events(c, index, TPU_EVENT_MAC_PAD),
        "hbm_bytes", (json_int_t)bytes, "hbm_read_bytes", (json_int_t)h.read_bytes,
        "bound_by", bound_by(x, index, span, (double)bytes),
        "mxu_utilization", result_ratio(2.0 * (double)macs, x->peak_flops * time),
        "flops_per_byte", result_ratio((double)g->flops, (double)bytes),
        "roof_flops_per_s", roof < x->peak_flops ? roof : x->peak_flops,
        "plan", tpu_plan_json(c, x->trace, index), "counts", counts_json(x, index));
}

/* Each moment belongs to the oldest unfinished group. */
static json_t *ops_json(const struct summing *x)
{
    json_t *ops = json_array();
    tick_t from = 0, end = tpu_chip_end(x->chip);
    uint32_t count = x->chip->plan->group_count;
    for (uint32_t g = 0; g < count; g++) {
        tick_t to = g + 1 == count ? end : tick_max(from, group_end(x->chip, g));
        json_array_append_new(ops, op_json(x, g, from, to));
        from = to;
    }
    return ops;
}

/* ---- the rest ---- */

static json_t *memory_json(const struct tpu_chip *c)
{
    const struct figures *f = c->figures;
    double capacity = f->hbm.capacity_gib * 1073741824.0 * c->reached;
    return json_pack("{s:I, s:I, s:I, s:I, s:I}",
                     "hbm_bytes", (json_int_t)c->plan->hbm_bytes,
                     "hbm_capacity_bytes", (json_int_t)capacity,
                     "vmem_bytes", (json_int_t)c->plan->vmem_bytes,
                     "vmem_resident_bytes", (json_int_t)c->plan->resident_bytes,
                     "vmem_capacity_bytes", (json_int_t)f->tpu.vmem.capacity_bytes);
}

static json_t *energy_json(const struct tpu_energy *e)
{
    json_t *o = json_object();
    for (int i = 0; i < TPU_COMPONENTS_COUNT; i++)
        json_object_set_new(o, tpu_component_names[i], json_real(e->j[i]));
    return o;
}

static json_t *power_json(const struct summing *x)
{
    const struct tpu_chip *c = x->chip;
    tick_t interval = LEDGER_FIRST_INTERVAL;
    for (uint32_t i = 0; i < c->cores; i++)
        interval = tick_max(interval, ledger_interval(tpu_core_ledger(c->core[i])));
    for (uint32_t i = 0; i < c->cores; i++)
        ledger_coarsen(tpu_core_ledger(c->core[i]), interval);
    json_t *watts = json_array();
    for (uint32_t i = 0; i * interval < tpu_chip_end(c); i++)
        json_array_append_new(watts, json_real(tpu_energy_power(&x->bill, i, interval)));
    return json_pack("{s:f, s:o}", "interval_s", result_seconds(interval), "power_w", watts);
}

json_t *tpu_result(const struct tpu_chip *c, const struct machine *m, const struct trace *t,
                   const struct tpu_lower_options *options, const struct toggles *toggles)
{
    struct summing x = { .chip = c, .trace = t };
    sum_up(&x);
    const struct tpu_host_config *host = &c->figures->tpu.host;
    x.bill = tpu_energy_bill(c, x.seconds, toggles);
    double joules = tpu_energy_sum(&x.bill.total), flops = (double)t->flops;
    json_t *ops = ops_json(&x);
    json_t *o = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:I, s:i, s:f, s:I, s:f, s:f, s:f, s:f, s:f}",
        "simaccel", SIMACCEL_VERSION, "schema", RESULT_SCHEMA, "machine", machine_name(m),
        "kind", "tpu", "trace", t->name, "batch", (json_int_t)t->batch, "cores", (int)c->cores, "time_s", x.seconds,
        "cycles", (json_int_t)x.cycles, "clock_hz", (double)c->clock.hz,
        "launch_s", host->launch_us / 1e6, "host_s", host->dispatch_us / 1e6,
        "energy_j", joules, "average_power_w", result_ratio(joules, x.seconds));
    json_object_update_new(o, json_pack(
        "{s:s, s:b, s:I, s:f, s:f, s:I, s:I, s:f}",
        "precision", options->highest ? "highest" : "default",
        "ideal_overlap", (int)options->overlap,
        "flops", (json_int_t)t->flops, "flops_per_s", result_ratio(flops, x.seconds),
        "peak_flops_per_s", x.peak_flops, "macs", (json_int_t)x.macs,
        "macs_padded", (json_int_t)x.macs_padded,
        "mxu_utilization", result_ratio(2.0 * (double)x.macs, x.peak_flops * x.seconds)));
    struct result_memory memory = memory_of(c);
    json_object_set_new(o, "hbm", result_hbm(&memory, x.seconds));
    json_object_set_new(o, "memory", memory_json(c));
    json_object_set_new(o, "phases", result_phases(ops));
    json_object_set_new(o, "ops", ops);
    json_object_set_new(o, "units", units_json(&x));
    json_object_set_new(o, "energy", energy_json(&x.bill.total));
    json_object_set_new(o, "power", power_json(&x));
    if (toggles)
        json_object_set_new(o, "toggles", result_toggles(toggles, c->plan->group_count));
    json_object_set_new(o, "parameters", machine_json(m));
    return o;
}

/* ---- self-checks ---- */

static const char *unit_fault(const struct tpu_chip *c, uint32_t i, enum tpu_unit u, cycle_t now)
{
    uint64_t cycles[TPU_STATES_COUNT], of_groups[TPU_STATES_COUNT] = { 0 }, sum = 0;
    for (uint32_t g = 0; g < c->plan->group_count; g++) {
        tpu_core_group_cycles(c->core[i], g, u, now, cycles);
        for (int s = 0; s < TPU_STATES_COUNT; s++)
            of_groups[s] += cycles[s];
    }
    tpu_core_unit_cycles(c->core[i], u, now, cycles);
    for (int s = 0; s < TPU_STATES_COUNT; s++) {
        sum += cycles[s];
        if (of_groups[s] != cycles[s])
            return result_fault("cycles of a unit's state, and of all ops", cycles[s],
                                of_groups[s]);
    }
    return sum == now ? NULL : result_fault("cycles of a unit's states, and of the run", sum, now);
}

static const char *core_fault(const struct tpu_chip *c, uint32_t i, cycle_t now)
{
    for (int u = 0; u < TPU_UNITS_COUNT; u++) {
        const char *text = unit_fault(c, i, u, now);
        if (text)
            return text;
    }
    for (uint32_t a = 0; a < c->figures->tpu.core.mxus; a++) {
        struct tpu_array_stats s = tpu_core_array_stats(c->core[i], a, now);
        uint64_t sum = 0;
        for (int n = 0; n < TPU_ARRAY_STATES_COUNT; n++)
            sum += s.cycles[n];
        for (int n = 0; n < TPU_STATES_COUNT; n++)
            sum += s.without[n];
        if (sum != now)
            return result_fault("cycles of a matrix unit's states, and of the run", sum, now);
    }
    uint64_t asked = tpu_core_bytes_asked(c->core[i]);
    uint64_t answered = tpu_core_bytes_answered(c->core[i]);
    return asked == answered ? NULL
         : result_fault("bytes asked of HBM, and answered", asked, answered);
}

const char *tpu_result_fault(const struct tpu_chip *c)
{
    struct summing x = { .chip = c };
    sum_up(&x);
    uint64_t asked = 0, macs = 0;
    for (uint32_t i = 0; i < c->cores; i++) {
        const char *text = core_fault(c, i, x.cycles);
        if (text)
            return text;
        asked += tpu_core_bytes_asked(c->core[i]);
    }
    if (asked != x.hbm_read + x.hbm_written)
        return result_fault("bytes asked of HBM, and delivered", asked, x.hbm_read + x.hbm_written);
    for (uint32_t g = 0; g < c->plan->group_count; g++)
        macs += c->plan->groups[g].macs;
    if (macs != x.macs)
        return result_fault("multiply-accumulates of the trace, and done", macs, x.macs);
    return NULL;
}
