/* plot_stalls.c - the data of plots/stalls.gp: what units did or waited for, as shares of time.
 *
 * Units of a kind are one bar, their mean; of queues those that execute the same operations.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/plot_inside.h"
#include "sim/report_field.h"

PLOT_SCRIPT(stalls);

static const struct { const char *kind, *what; } kinds[] = {
    { "mxu",   "matrix units" },
    { "queue", "queues" },
    { "sm",    "schedulers of SMs" },
    { "l2",    "L2 slices" },
    { "hbm",   "HBM data pins" },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* What tells a queue from others, as "load" of core0.load; of other units "". */
static const char *role_of(const json_t *unit)
{
    const char *dot = strrchr(report_string(unit, "name"), '.');
    return dot && strcmp(report_string(unit, "kind"), "queue") == 0 ? dot + 1 : "";
}

static bool is_of(const json_t *unit, const char *kind, const char *role)
{
    return strcmp(report_string(unit, "kind"), kind) == 0
        && (!role || strcmp(role_of(unit), role) == 0);
}

/* Adds the seconds by state of the units of a kind, of one role or (NULL) of all. */
static void add_states(const json_t *result, const char *kind, const char *role, json_t *sums)
{
    size_t i;
    const char *state;
    json_t *unit, *seconds;
    json_array_foreach(json_object_get(result, "units"), i, unit) {
        if (!is_of(unit, kind, role))
            continue;
        json_object_foreach(json_object_get(unit, "states"), state, seconds) {
            double sum = report_number(sums, state) + json_number_value(seconds);
            json_object_set_new(sums, state, json_real(sum));
        }
    }
}

static double total(json_t *sums)
{
    const char *state;
    json_t *seconds;
    double sum = 0;
    json_object_foreach(sums, state, seconds) {
        sum += json_number_value(seconds);
    }
    return sum;
}

/* States of a panel, the longest first: the script has a colour for each of the first. */
struct state { const char *name; double seconds; };

static int longer_first(const void *a, const void *b)
{
    const struct state *x = a, *y = b;
    return x->seconds != y->seconds ? (x->seconds < y->seconds ? 1 : -1)
                                    : strcmp(x->name, y->name);
}

static size_t sort_states(json_t *sums, struct state *states)
{
    size_t count = 0;
    const char *name;
    json_t *seconds;
    json_object_foreach(sums, name, seconds) {
        if (json_number_value(seconds) > 0)
            states[count++] = (struct state){ name, json_number_value(seconds) };
    }
    qsort(states, count, sizeof *states, longer_first);
    return count;
}

#define SHOWN 7             /* states of a kind; what is beyond is "other" */

static void write_bar(const json_t *result, const char *label, const char *kind,
                      const char *role, const struct state *states, size_t count, FILE *out)
{
    json_t *sums = json_object();
    char name[PLOT_LABEL + 40];
    add_states(result, kind, role, sums);
    double all = total(sums), shown = 0;
    snprintf(name, sizeof name, "%s%s%.30s", label, role[0] ? " " : "", role);
    if (all > 0) {
        plot_text(name, out);
        for (size_t i = 0; i < count && i < SHOWN; i++) {
            double seconds = report_number(sums, states[i].name);
            shown += seconds;
            fprintf(out, " %.17g", seconds / all);
        }
        fprintf(out, " %.17g\n", count > SHOWN ? fmax(all - shown, 0) / all : 0);
    }
    json_decref(sums);
}

/* A bar for each role of the result's units, in their order. */
static void write_bars(const json_t *results, size_t which, const char *kind,
                       const struct state *states, size_t count, FILE *out)
{
    size_t i;
    json_t *unit, *done = json_object(), *result = json_array_get(results, which);
    char label[PLOT_LABEL];
    plot_label(results, which, label);
    json_array_foreach(json_object_get(result, "units"), i, unit) {
        const char *role = role_of(unit);
        if (!is_of(unit, kind, NULL) || json_object_get(done, role))
            continue;
        json_object_set_new(done, role, json_true());
        write_bar(result, label, kind, role, states, count, out);
    }
    json_decref(done);
}

static bool write_panel(const json_t *results, size_t k, const char *before, FILE *out)
{
    size_t i;
    json_t *result, *sums = json_object();
    json_array_foreach(results, i, result) {
        add_states(result, kinds[k].kind, NULL, sums);
    }
    struct state *states = calloc(json_object_size(sums) + 1, sizeof *states);
    if (!states)
        abort();
    size_t count = sort_states(sums, states);
    if (count > 0) {
        fprintf(out, "%s\"%s\"", before, kinds[k].what);
        for (i = 0; i < count && i < SHOWN; i++) {
            fputc(' ', out);
            plot_text(states[i].name, out);
        }
        fputs(" \"other\"\n", out);
    }
    for (i = 0; count > 0 && i < json_array_size(results); i++)
        write_bars(results, i, kinds[k].kind, states, count, out);
    free(states);
    json_decref(sums);
    return count > 0;
}

static void write_data(const json_t *results, FILE *out)
{
    size_t panels = 0;
    fputs("# a block a kind of unit: its states, then a row a bar with their shares\n", out);
    for (size_t k = 0; k < KINDS; k++)
        panels += write_panel(results, k, plot_between(panels), out);
}

static bool has_states(const json_t *result)
{
    json_t *sums = json_object();
    for (size_t k = 0; k < KINDS; k++)
        add_states(result, kinds[k].kind, NULL, sums);
    bool any = total(sums) > 0;
    json_decref(sums);
    return any;
}

static const struct plot_need needs[] = {
    { "machine", true }, { "units.*.name", true }, { "units.*.kind", true },
    { "units.*.states.*", false }, { NULL, false },
};

const struct plot plot_stalls = {
    "stalls", "what units did or waited for, a bar a kind of unit", plot_stalls_script,
    "simaccel run --json", 3, needs, has_states, "units with states", write_data,
};
