/* cpu_roof.c - see cpu_roof.h. */
#include "sim/cpu_roof.h"

#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

#define ENTRY(...) PARAM_ENTRY(cpu_roof, __VA_ARGS__)
static const struct param params[] = { CPU_ROOF_PARAMS(ENTRY) };

static const struct section sections[] = {
    { "roof", "what bounds it", params, sizeof params / sizeof params[0], 0,
      MACHINE_USES(MACHINE_CPU) },
};

const struct schema cpu_schema = { sections, 1, sizeof(struct cpu_roof),
                                   MACHINE_USES(MACHINE_CPU) };

struct sum { double seconds, in_memory; bool any; };

static void add(struct sum *s, double compute, double memory)
{
    s->seconds += compute > memory ? compute : memory;
    s->in_memory += memory > compute ? memory : 0;
    s->any = true;
}

json_t *cpu_roof_json(const struct machine *m, const struct trace *t)
{
    const struct cpu_roof *roof = machine_figures(m);
    struct sum of[TRACE_PHASES_COUNT] = { 0 };
    json_t *phases = json_array();
    double seconds = 0;
    for (uint32_t i = 0; i < t->op_count; i++) {
        const struct trace_op *op = &t->ops[i];
        add(&of[op->phase], (double)op_flops(t, op) / (roof->peak_gflops * 1e9),
            (double)op_bytes(t, op) / (roof->memory_gb_per_s * 1e9));
    }
    for (int p = 0; p < TRACE_PHASES_COUNT; p++) {
        seconds += of[p].seconds;
        if (of[p].any)
            json_array_append_new(phases, json_pack("{s:s, s:f, s:f}", "name",
                                                    trace_phase_names[p], "time_s", of[p].seconds,
                                                    "memory_s", of[p].in_memory));
    }
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "machine", machine_name(m),
                     "time_s", seconds, "energy_j", seconds * roof->tdp_w,
                     "flops_per_s", number_ratio((double)t->flops, seconds),
                     "peak_flops_per_s", roof->peak_gflops * 1e9,
                     "memory_bytes_per_s", roof->memory_gb_per_s * 1e9, "tdp_w", roof->tdp_w,
                     "phases", phases);
}

static void row(struct table *t, const char *name, double seconds, double memory)
{
    char text[NUMBER_TEXT];
    table_cell(t, "%s", name);
    table_cell(t, "%s", number_si(text, seconds, "s"));
    table_cell(t, "%s", number_percent(text, number_ratio(memory, seconds)));
}

void cpu_roof_text(const json_t *cpu, double fastest_s, const char *fastest, FILE *out)
{
    const json_t *phase, *all = json_object_get(cpu, "phases");
    double seconds = report_number(cpu, "time_s"), memory = 0;
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT];
    struct table *t = table_new();
    fprintf(out, "\nRoofline of %s: a bound on each op, not simulated; caches between ops would be "
            "faster,\n  all else slower\n", report_string(cpu, "machine"));
    fprintf(out, "  %s, %s of memory, %s TDP; each op alone, its operands through memory once\n",
            number_si(a, report_number(cpu, "peak_flops_per_s"), "FLOP/s"),
            number_si(b, report_number(cpu, "memory_bytes_per_s"), "B/s"),
            number_si(c, report_number(cpu, "tdp_w"), "W"));
    table_column(t, TABLE_LEFT, "phase", "");
    table_column(t, TABLE_RIGHT, "time", "");
    table_column(t, TABLE_RIGHT, "by memory", "%");
    for (size_t i = 0; (phase = json_array_get(all, i)) != NULL; i++) {
        row(t, report_string(phase, "name"), report_number(phase, "time_s"),
            report_number(phase, "memory_s"));
        memory += report_number(phase, "memory_s");
    }
    row(t, "all", seconds, memory);
    table_print(t, out);
    fprintf(out, "  %s; %s at its TDP; %s takes %s, ", number_si(
                a, report_number(cpu, "flops_per_s"), "FLOP/s"),
            number_si(b, report_number(cpu, "energy_j"), "J"), fastest,
            number_si(c, fastest_s, "s"));
    fprintf(out, "%s times as long\n", number_plain(a, number_ratio(fastest_s, seconds), 3));
}
