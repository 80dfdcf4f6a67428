/* compare_change.c - see compare_change.h. */
#include "sim/compare_change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

/* Figures that are doubled, and, with a '/' before, halved. */
#define MEMORY_RATE "hbm.pin_gbps /hbm.ccd_s_ns /hbm.ccd_l_ns"

static const struct change {
    enum machine_kind kind;
    const char *name, *figures;
} changes[] = {
    { MACHINE_TPU, "HBM rate",       MEMORY_RATE },
    { MACHINE_TPU, "HBM refresh",    "/hbm.rfc_ns" },
    { MACHINE_TPU, "clock",          "chip.clock_mhz" },
    { MACHINE_TPU, "matrix units",   "core.mxus" },
    { MACHINE_TPU, "vector unit",    "vpu.alu_slots vpu.load_slots vpu.store_slots" },
    { MACHINE_TPU, "vector memory",  "vmem.read_bytes vmem.write_bytes" },
    { MACHINE_TPU, "DMA",            "dma.load_bytes dma.store_bytes dma.in_flight_bytes" },
    { MACHINE_TPU, "fixed costs",    "/core.op_cycles /core.step_cycles /dma.load_setup_cycles "
                                     "/dma.store_setup_cycles /dma.done_cycles" },
    { MACHINE_TPU, "core links",     "ici.gb_per_s /ici.latency_ns /ici.setup_cycles" },
    { MACHINE_GPU, "HBM rate",       MEMORY_RATE },
    { MACHINE_GPU, "memory latency", "/crossbar.latency_ns /l2.hit_cycles /l2.memory_ns" },
    { MACHINE_GPU, "SMs",            "sm.count" },
    { MACHINE_GPU, "tensor cores",   "/tensor.wmma_f16_interval /tensor.mma_k16_interval "
                                     "/tensor.mma_k8_interval /tensor.mma_tf32_interval "
                                     "tensor.peak_f16_macs" },
    { MACHINE_GPU, "FP32 lanes",     "/pipes.fp32_interval" },
    { MACHINE_GPU, "L2 rate",        "l2.bytes_per_cycle l2.port_bytes" },
    { MACHINE_GPU, "L2 size",        "l2.bytes" },
    { MACHINE_GPU, "launches",       "/launch.first_us /launch.next_us /launch.block_cycles" },
    { MACHINE_GPU, "fetch",          "/fetch.l0_miss_cycles /fetch.l1_miss_cycles" },
};
#define CHANGES (sizeof changes / sizeof changes[0])

/* ---- a machine with a change ---- */

static const json_t *value_of(const json_t *parameters, const char *figure)
{
    char section[64];
    snprintf(section, sizeof section, "%.*s", (int)strcspn(figure, "."), figure);
    const json_t *s = json_object_get(parameters, section);
    return json_object_get(json_object_get(s, strchr(figure, '.') + 1), "value");
}

/* A whole number stays one; what is nothing stays nothing. */
static bool set_figure(struct machine *m, const json_t *parameters, const char *word, json_t *made,
                       struct diag *d)
{
    char text[128];
    const char *figure = word + (word[0] == '/');
    const json_t *value = value_of(parameters, figure);
    double x = json_number_value(value) * (word[0] == '/' ? 0.5 : 2);
    if (x <= 0)
        return true;
    snprintf(text, sizeof text, json_is_integer(value) ? "%s=%.0f" : "%s=%.9g", figure,
             json_is_integer(value) ? ceil(x) : x);
    json_array_append_new(made, json_string(text));
    return machine_set(m, text, "a change", d);
}

/* NULL with the reason in `d` where a figure may not be that. */
static struct machine *changed(const struct machine *from, const struct change *c, json_t *made,
                               struct diag *d)
{
    struct machine *m = machine_copy(from);
    json_t *parameters = machine_json(from);
    char words[256], *rest;
    snprintf(words, sizeof words, "%s", c->figures);
    bool good = true;
    for (char *w = strtok_r(words, " ", &rest); good && w; w = strtok_r(NULL, " ", &rest))
        good = set_figure(m, parameters, w, made, d);
    json_decref(parameters);
    if (good)
        return m;
    machine_free(m);
    return NULL;
}

/* ---- the runs ---- */

/* Rows by time, of equal ones in the table's order. */
static int by_time(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    double s = report_number(x, "time_s"), t = report_number(y, "time_s");
    return s < t ? -1 : s > t ? 1 : strcmp(report_string(x, "name"), report_string(y, "name"));
}

static json_t *sorted(json_t **rows, size_t count)
{
    json_t *all = json_array();
    qsort(rows, count, sizeof *rows, by_time);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, rows[i]);
    return all;
}

/* A change whose figures are refused, or whose run fails, has no row. */
static json_t *rows_of(const struct experiment *loser, unsigned jobs)
{
    struct together *runs = calloc(CHANGES, sizeof *runs);
    json_t *rows[CHANGES];
    size_t count = 0, kept = 0;
    if (!runs)
        abort();
    for (size_t i = 0; i < CHANGES; i++) {
        struct diag d = { .text = "" };
        json_t *made = json_array();
        struct machine *m = changes[i].kind == machine_kind(loser->machine)
                          ? changed(loser->machine, &changes[i], made, &d) : NULL;
        if (m) {
            runs[count].experiment = *loser;
            runs[count].experiment.machine = m;
            rows[count++] = json_pack("{s:s, s:O}", "name", changes[i].name, "set", made);
        }
        json_decref(made);
    }
    together_run(runs, count, jobs);
    for (size_t i = 0; i < count; i++) {
        if (runs[i].result) {
            json_object_set(rows[i], "time_s", json_object_get(runs[i].result, "time_s"));
            rows[kept++] = rows[i];
        } else {
            json_decref(rows[i]);
        }
        json_decref(runs[i].result);
        machine_free((struct machine *)runs[i].experiment.machine);
    }
    free(runs);
    return sorted(rows, kept);
}

json_t *compare_change(const struct together *runs, size_t count, unsigned jobs)
{
    size_t slow = 0, fast = 0;
    for (size_t i = 1; i < count; i++) {
        double time = report_number(runs[i].result, "time_s");
        if (time > report_number(runs[slow].result, "time_s"))
            slow = i;
        if (time < report_number(runs[fast].result, "time_s"))
            fast = i;
    }
    if (slow == fast)
        return json_null();
    return json_pack("{s:s, s:f, s:s, s:f, s:o}",
                     "machine", machine_name(runs[slow].experiment.machine),
                     "time_s", report_number(runs[slow].result, "time_s"),
                     "faster", machine_name(runs[fast].experiment.machine),
                     "faster_time_s", report_number(runs[fast].result, "time_s"),
                     "changes", rows_of(&runs[slow].experiment, jobs));
}

/* ---- text ---- */

static void list_sets(const json_t *row, char *text, size_t size)
{
    const json_t *set, *sets = json_object_get(row, "set");
    text[0] = '\0';
    for (size_t i = 0; i < 2 && (set = json_array_get(sets, i)) != NULL; i++) {
        size_t n = strlen(text);
        snprintf(text + n, size - n, "%s%s%s", n > 0 ? " " : "", json_string_value(set),
                 i == 1 && json_array_size(sets) > 2 ? " ..." : "");
    }
}

void compare_change_text(const json_t *change, FILE *out)
{
    const json_t *rows = json_object_get(change, "changes"), *row;
    double before = report_number(change, "time_s"), goal = report_number(change, "faster_time_s");
    char a[NUMBER_TEXT], b[NUMBER_TEXT], sets[100];
    fprintf(out, "\nWhat would have to change for %s (%s) to beat %s (%s): each alone, twice as good\n",
            report_string(change, "machine"), number_si(a, before, "s"),
            report_string(change, "faster"), number_si(b, goal, "s"));
    struct table *t = table_new();
    table_column(t, TABLE_LEFT, "change", "");
    table_column(t, TABLE_RIGHT, "time", "");
    table_column(t, TABLE_RIGHT, "gained", "%");
    table_column(t, TABLE_LEFT, "wins", "");
    table_column(t, TABLE_LEFT, "by --set", "");
    for (size_t i = 0; (row = json_array_get(rows, i)) != NULL; i++) {
        double time = report_number(row, "time_s");
        table_cell(t, "%s", report_string(row, "name"));
        table_cell(t, "%s", number_si(a, time, "s"));
        table_cell(t, "%.1f", 100 * number_ratio(before - time, before));
        table_cell(t, "%s", time < goal ? "yes" : "no");
        list_sets(row, sets, sizeof sets);
        table_cell(t, "%s", sets);
    }
    table_print(t, out);
}
