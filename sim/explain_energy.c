/* explain_energy.c - what an op cost: counts times prices, and its share of what passes with
 * time. */
#include <stdio.h>
#include <string.h>

#include "sim/explain_inside.h"

#define NAME 48

/* The value of a figure of the section `energy`, as the result has it. */
static double price(const struct explain *x, const char *name)
{
    const json_t *section = json_object_get(json_object_get(x->result, "parameters"), "energy");
    return report_number(json_object_get(section, name), "value");
}

/* Of a GPU the chip's own prices hold at 1 V. */
static double volts(const struct explain *x)
{
    const json_t *split = json_object_get(x->result, "energy_split");
    return split ? report_number(split, "volts") : 1;
}

static void priced(struct explain *x, const char *what, double count, const char *name, double v)
{
    double pj = price(x, name);
    if (count == 0 || pj == 0)
        return;
    char formula[NAME * 2];
    snprintf(formula, sizeof formula, v == 1 ? "count x %s" : "count x %s x volts^2", name);
    if (v == 1)
        x->joules += 1e-6 * explain_line(x, what, count * pj * 1e-6, "uJ", formula,
                                         "%s x %s / 10^6", D(count), D(pj));
    else
        x->joules += 1e-6 * explain_line(x, what, count * pj * v * v * 1e-6, "uJ", formula,
                                         "%s x %s x %s^2 / 10^6", D(count), D(pj), D(v));
}

static void events(struct explain *x)
{
    char name[NAME];
    const char *key;
    json_t *counts = json_object_get(x->op, "counts"), *count;
    double read = report_number(x->op, "hbm_read_bytes"), all = report_number(x->op, "hbm_bytes");
    json_object_foreach(counts, key, count) {
        bool memory = strncmp(key, "hbm_", 4) == 0;
        snprintf(name, sizeof name, "%.40s_pj", key);
        priced(x, key, json_number_value(count), name, memory ? 1 : volts(x));
    }
    priced(x, "hbm, bits read", 8 * read, "hbm_read_pj", 1);
    priced(x, "hbm, bits written", 8 * (all - read), "hbm_write_pj", 1);
}

static void resting(struct explain *x)
{
    static const char *const parts[] = { "hbm_refresh", "hbm_background", "static", "idle_extra",
                                         "sm_static", "l2_static", "constant" };
    double time = report_number(x->op, "time_s"), run = report_number(x->result, "time_s");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        double all = explain_at(x->result, "energy", parts[i]);
        if (all > 0 && run > 0)
            x->joules += 1e-6 * explain_line(x, parts[i], all * time / run * 1e6, "uJ",
                "the run's x time_s / the run's time_s", "%s x %s / %s", D(all * 1e6),
                D(time * 1e6),
                D(run * 1e6));
    }
}

void explain_energy(struct explain *x)
{
    double simulated = report_number(x->op, "energy_j");
    explain_section(x, "Energy");
    explain_note(x, "What was counted for the op, each at its price (pJ), and its share of what "
                 "passes with time:");
    events(x);
    resting(x);
    explain_line(x, "sum", x->joules * 1e6, "uJ", "", " ");
    explain_line(x, "simulated", simulated * 1e6, "uJ", "energy_j", " ");
    if (json_object_get(x->result, "toggles"))
        explain_line(x, "what the run's data make of the prices", (simulated - x->joules) * 1e6,
                     "uJ", "simulated - sum", "%s - %s", D(simulated * 1e6), D(x->joules * 1e6));
}
