/* result_parts.c - see result_parts.h. */
#include "sim/result_parts.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/report_field.h"

double result_seconds(tick_t t)
{
    return (double)t / TICKS_PER_S;
}

double result_ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

/* ---- memory ---- */

struct hbm_stats result_stack(const struct result_memory *m, uint32_t stack)
{
    return hbm_stats(hbm_block_hbm(m->stack[stack]), m->end);
}

struct hbm_group_stats result_group(const struct result_memory *m, uint32_t group)
{
    struct hbm_group_stats sum = { 0 };
    for (uint32_t s = 0; s < m->stacks; s++) {
        struct hbm_group_stats h = hbm_group_stats(hbm_block_hbm(m->stack[s]), group);
        sum.activates += h.activates;
        sum.read_bytes += h.read_bytes;
        sum.written_bytes += h.written_bytes;
    }
    return sum;
}

json_t *result_hbm(const struct result_memory *m, double seconds)
{
    uint64_t read = 0, written = 0, activates = 0, hits = 0, bursts = 0;
    for (uint32_t s = 0; s < m->stacks; s++) {
        struct hbm_stats h = result_stack(m, s);
        read += h.read_bytes;
        written += h.written_bytes;
        activates += h.activates;
        hits += h.row_hits;
        bursts += h.reads + h.writes;
    }
    return json_pack("{s:I, s:I, s:I, s:f, s:f, s:I, s:f, s:s}",
                     "bytes", (json_int_t)(read + written), "read_bytes", (json_int_t)read,
                     "written_bytes", (json_int_t)written,
                     "bytes_per_s", result_ratio((double)(read + written), seconds),
                     "peak_bytes_per_s", hbm_peak_bytes_per_s(m->config) * m->stacks,
                     "activates", (json_int_t)activates,
                     "row_hit_fraction", result_ratio((double)hits, (double)bursts),
                     "map", m->config->map);
}

/* A stack's data pins: its states add up to the run's time, mean over pseudo-channels.
 * The memory's clock ticks beside the chip's, so its last clock may reach past the end. */
static json_t *stack_states(const struct result_memory *m, uint32_t s, double seconds)
{
    static const char *const names[] = {
        [HBM_NO_REQUEST] = "no_request", [HBM_READ] = "read", [HBM_WRITE] = "write",
        [HBM_TURNAROUND] = "turnaround", [HBM_BANK_GROUP] = "bank_group", [HBM_ROW] = "row",
        [HBM_ACTIVATION] = "activation", [HBM_ROW_BUS] = "row_bus", [HBM_REFRESH] = "refresh",
    };
    struct hbm_stats h = result_stack(m, s);
    json_t *states = json_object();
    for (int i = 0; i < HBM_CAUSES_COUNT; i++)
        json_object_set_new(states, names[i], json_real(
            result_ratio((double)h.cycles[i], (double)h.total_cycles) * seconds));
    return states;
}

json_t *result_unit(const char *name, const char *kind, json_t *states)
{
    return json_pack("{s:s, s:s, s:o}", "name", name, "kind", kind, "states", states);
}

void result_add_stacks(json_t *units, const struct result_memory *m, double seconds)
{
    for (uint32_t s = 0; s < m->stacks; s++) {
        char name[16];
        snprintf(name, sizeof name, "hbm%" PRIu32, s);
        json_array_append_new(units, result_unit(name, "hbm", stack_states(m, s, seconds)));
    }
}

/* ---- ops ---- */

json_t *result_op_names(const struct trace *t, const uint32_t *ops, uint32_t count)
{
    json_t *names = json_array();
    for (uint32_t o = 0; o < count; o++) {
        const struct trace_op *op = &t->ops[ops[o]];
        char text[TRACE_NAME + 64];
        snprintf(text, sizeof text, "%s %s", op_rows[op->kind].name, t->tensors[op->out[0]].name);
        json_array_append_new(names, json_string(text));
    }
    return names;
}

json_t *result_phases(const json_t *ops)
{
    static const char *const sums[] = { "time_s", "energy_j", "flops", "hbm_bytes" };
    json_t *phases = json_array();
    for (int p = 0; p < TRACE_PHASES_COUNT; p++) {
        json_t *phase = json_pack("{s:s}", "name", trace_phase_names[p]);
        bool any = false;
        for (size_t s = 0; s < sizeof sums / sizeof sums[0]; s++) {
            double sum = 0;
            for (size_t i = 0; i < json_array_size(ops); i++) {
                const json_t *op = json_array_get(ops, i);
                const char *name = json_string_value(json_object_get(op, "phase"));
                if (strcmp(name, trace_phase_names[p]) == 0) {
                    sum += report_number(op, sums[s]);
                    any = true;
                }
            }
            json_object_set_new(phase, sums[s], s < 2 ? json_real(sum)
                                                      : json_integer((json_int_t)sum));
        }
        if (any)
            json_array_append_new(phases, phase);
        else
            json_decref(phase);
    }
    return phases;
}

const char *result_fault(const char *what, uint64_t a, uint64_t b)
{
    static char text[160];
    snprintf(text, sizeof text, "%s: %" PRIu64 ", but %" PRIu64, what, a, b);
    return text;
}

json_t *result_counts(const char *const *names, const uint64_t *counts, size_t events,
                      uint64_t activates)
{
    char name[32];
    json_t *o = json_object();
    for (size_t e = 0; e < events; e++) {
        size_t i = 0;
        for (; names[e][i] != '\0' && i + 1 < sizeof name; i++)
            name[i] = (char)tolower((unsigned char)names[e][i]);
        name[i] = '\0';
        if (counts[e] > 0)
            json_object_set_new(o, name, json_integer((json_int_t)counts[e]));
    }
    if (activates > 0)
        json_object_set_new(o, "hbm_activate", json_integer((json_int_t)activates));
    return o;
}

json_t *result_toggles(const struct toggles *t, uint32_t groups)
{
    static const char *const names[TOGGLES_COUNT] = {
#define NAME(id, name, what) name,
        TOGGLES(NAME)
#undef NAME
    };
    json_t *o = json_object();
    for (int p = 0; p < TOGGLES_COUNT; p++) {
        struct toggles_count sum = { 0, 0 };
        for (uint32_t g = 0; g < groups; g++) {
            sum.bits += t[g].of[p].bits;
            sum.changed += t[g].of[p].changed;
        }
        json_object_set_new(o, names[p], json_pack("{s:I, s:I}", "bits", (json_int_t)sum.bits,
                                                   "changed", (json_int_t)sum.changed));
    }
    return o;
}
