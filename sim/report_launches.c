/* report_launches.c - the launches of a GPU's run: how full the SMs were, and what they waited
 * for. */
#include <stdlib.h>
#include <string.h>

#include "sim/report_inside.h"
#include "sim/report_table.h"

#define ROWS   20       /* of more launches, those that took most of the time */
#define ALONE   3       /* so few launches are told in full */

/* ---- what of a launch */

static double cycles_of(const json_t *launch)
{
    double sum = 0;
    json_t *cycles = json_object_get(launch, "cycles");
    REPORT_EACH(cause, cycles)
        sum += json_number_value(json_object_iter_value(cause));
    return sum;
}

/* What schedulers with warps waited for most, and its share of all their cycles. */
static const char *main_wait(const json_t *launch, double *share)
{
    const char *name = "-";
    double most = 0;
    json_t *cycles = json_object_get(launch, "cycles");
    REPORT_EACH(cause, cycles) {
        double n = json_number_value(json_object_iter_value(cause));
        if (n > most && strcmp(json_object_iter_key(cause), "issued") != 0) {
            most = n;
            name = json_object_iter_key(cause);
        }
    }
    *share = number_ratio(most, cycles_of(launch));
    return name;
}

static double issued_share(const json_t *launch)
{
    return number_ratio(report_number(json_object_get(launch, "cycles"), "issued"),
                        cycles_of(launch));
}

static double threads_of(const json_t *launch)
{
    double n = 1;
    for (size_t i = 0; i < 3; i++)
        n *= json_number_value(json_array_get(json_object_get(launch, "block"), i));
    return n;
}

/* ---- the table */

static void heads(struct table *t, const struct report_parts *time)
{
    char unit[NUMBER_TEXT];
    table_column(t, TABLE_LEFT, "launch", "");
    table_column(t, TABLE_RIGHT, "blocks", "");
    table_column(t, TABLE_RIGHT, "thr.", "");
    table_column(t, TABLE_RIGHT, "reg.", "");
    table_column(t, TABLE_RIGHT, "full", "%");
    table_column(t, TABLE_RIGHT, "time", report_unit(unit, time, "s"));
    table_column(t, TABLE_RIGHT, "issue", "%");
    table_column(t, TABLE_LEFT, "waits for", "");
    table_column(t, TABLE_RIGHT, "", "%");
    table_column(t, TABLE_RIGHT, "L1", "%");
    table_column(t, TABLE_RIGHT, "L2", "%");
    table_column(t, TABLE_RIGHT, "coal.", "%");
    table_column(t, TABLE_RIGHT, "confl.", "");
    table_column(t, TABLE_RIGHT, "peak", "%");
}

static void percent_cell(struct table *t, double fraction, bool any)
{
    if (any)
        table_cell(t, "%.0f", 100 * fraction);
    else
        table_cell(t, "-");
}

static void row(struct table *t, const struct report_parts *time, const json_t *launch, size_t i)
{
    double share, blocks = report_number(launch, "blocks");
    const char *wait = main_wait(launch, &share);
    bool sampled = report_number(launch, "blocks_simulated") < blocks;
    table_cell(t, "%s%s", report_string(launch, "kernel"), sampled ? " (sampled)" : "");
    table_cell(t, "%.0f", blocks);
    table_cell(t, "%.0f", threads_of(launch));
    table_cell(t, "%.0f", report_number(launch, "registers"));
    table_cell(t, "%.0f", 100 * report_number(launch, "occupancy"));
    table_fixed(t, time->rounded[i], time->scale.decimals);
    table_cell(t, "%.1f", 100 * issued_share(launch));
    table_cell(t, "%s", wait);
    table_cell(t, "%.0f", 100 * share);
    percent_cell(t, report_number(launch, "l1_hit_fraction"),
                 report_number(launch, "l1_sectors") > 0);
    percent_cell(t, report_number(launch, "l2_hit_fraction"),
                 report_number(launch, "read_bytes") > 0);
    percent_cell(t, report_number(launch, "coalescing"), report_number(launch, "sectors") > 0);
    if (report_number(launch, "shared_ideal") > 0)
        table_cell(t, "%.2f", report_number(launch, "shared_passes_per_ideal"));
    else
        table_cell(t, "-");
    table_cell(t, "%.1f", 100 * report_number(launch, "peak_fraction"));
}

static void print_table(const json_t *launches, FILE *out)
{
    struct report_parts time = report_parts(launches, "time_s");
    struct table *t = table_new();
    bool *chosen = report_longest(launches, ROWS);
    const json_t *launch;
    size_t i;
    heads(t, &time);
    for (i = 0; (launch = json_array_get(launches, i)) != NULL; i++)
        if (chosen[i])
            row(t, &time, launch, i);
    table_print(t, out);
    free(chosen);
    report_parts_free(&time);
}

/* ---- one launch in full */

static void print_shape(const json_t *shape, FILE *out)
{
    size_t last = 2;
    while (last > 0 && json_integer_value(json_array_get(shape, last)) == 1)
        last--;
    for (size_t i = 0; i <= last; i++)
        fprintf(out, "%s%" JSON_INTEGER_FORMAT, i > 0 ? " x " : "",
                json_integer_value(json_array_get(shape, i)));
}

static void print_resources(const json_t *l, FILE *out)
{
    char a[NUMBER_TEXT];
    fputs("  grid           ", out);
    print_shape(json_object_get(l, "grid"), out);
    fputs(" blocks of ", out);
    print_shape(json_object_get(l, "block"), out);
    fprintf(out, " threads; %.0f registers a thread, %s of shared memory a block\n",
            report_number(l, "registers"), number_si(a, report_number(l, "shared_bytes"), "B"));
    fprintf(out, "  occupancy      %.0f blocks (%.0f warps) fit an SM, limited by %s: %.0f %% of "
            "its warps; %.1f %% on average\n", report_number(l, "blocks_per_sm"),
            report_number(l, "warps_per_sm"), report_string(l, "limited_by"),
            100 * report_number(l, "occupancy"), 100 * report_number(l, "achieved_occupancy"));
}

static void print_causes(const json_t *l, FILE *out)
{
    double all = cycles_of(l);
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    const char *separator = "schedulers: ";
    json_t *cycles = json_object_get(l, "cycles");
    if (!memory)
        abort();
    REPORT_EACH(cause, cycles) {
        double n = json_number_value(json_object_iter_value(cause));
        if (n > 0)
            fprintf(memory, "%s%s %.1f %%", separator, json_object_iter_key(cause),
                    100 * number_ratio(n, all));
        separator = n > 0 ? ", " : separator;
    }
    fclose(memory);
    table_text(text, out);
    free(text);
}

static void print_traffic(const json_t *l, FILE *out)
{
    double sectors = report_number(l, "sectors"), ideal = report_number(l, "ideal_sectors");
    double passes = report_number(l, "shared_passes");
    if (sectors > 0)
        fprintf(out, "  global memory  %.0f operations of warps touched %.0f sectors of 32 bytes; "
                "their bytes fill %.0f: %.0f %% coalesced\n",
                report_number(l, "global_accesses"), sectors, ideal, 100 * ideal / sectors);
    if (report_number(l, "l1_sectors") > 0)
        fprintf(out, "  caches         of %.0f sectors loaded L1 had %.1f %%; of what L2 was asked "
                "it had %.1f %%\n", report_number(l, "l1_sectors"),
                100 * report_number(l, "l1_hit_fraction"),
                100 * report_number(l, "l2_hit_fraction"));
    if (passes > 0)
        fprintf(out, "  shared memory  %.0f operations of warps took %.0f passes; %.0f without "
                "bank conflicts\n", report_number(l, "shared_accesses"), passes,
                report_number(l, "shared_ideal"));
}

static void print_one(const json_t *l, FILE *out)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    double operations = report_number(l, "operations");
    fprintf(out, "\nLaunch of %s\n", report_string(l, "kernel"));
    print_resources(l, out);
    fprintf(out, "  work           %s operations of warps, %.1f lanes active on average, %.0f "
            "branches split a warp; %s, %.1f %% of the peak\n", number_si(a, operations, ""),
            number_ratio(report_number(l, "lanes"), operations), report_number(l, "splits"),
            number_si(b, report_number(l, "flops_per_s"), "FLOP/s"),
            100 * report_number(l, "peak_fraction"));
    print_traffic(l, out);
    print_causes(l, out);
}

void report_launches(const json_t *result, FILE *out)
{
    const json_t *launches = json_object_get(result, "launches"), *launch;
    size_t count = json_array_size(launches), i;
    if (count == 0)
        return;
    if (count > ROWS)
        fprintf(out, "\nLaunches (the %d of %zu that took most of the time; --launches has all)\n",
                ROWS, count);
    else
        fputs("\nLaunches\n", out);
    print_table(launches, out);
    fputs("  full:   warps that fit an SM, of those it can hold; issue: of schedulers' cycles\n"
          "  coal.:  sectors that the bytes would fill, of those touched; confl.: passes of shared "
          "memory\n          over those without bank conflicts; peak: FLOP/s of the chip's\n", out);
    for (i = 0; count <= ALONE && (launch = json_array_get(launches, i)) != NULL; i++)
        print_one(launch, out);
}
