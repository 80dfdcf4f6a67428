/* report_ops.c - the table of ops: where the time went, and what held each op up. */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report_inside.h"
#include "sim/report_table.h"

#define ROWS 40         /* of more ops, those that took most of the time */

struct columns { struct report_parts time, share, bytes, energy; };

static void heads(struct table *t, const struct columns *c, bool gpu)
{
    char unit[NUMBER_TEXT];
    table_column(t, TABLE_LEFT, "op", "");
    table_column(t, TABLE_LEFT, "phase", "");
    table_column(t, TABLE_RIGHT, "time", report_unit(unit, &c->time, "s"));
    table_column(t, TABLE_RIGHT, "share", "%");
    table_column(t, TABLE_RIGHT, "span", report_unit(unit, &c->time, "s"));
    table_column(t, TABLE_LEFT, "bound by", "");
    table_column(t, TABLE_RIGHT, gpu ? "MAC" : "MXU", "%");
    table_column(t, TABLE_RIGHT, "HBM", report_unit(unit, &c->bytes, "B"));
    table_column(t, TABLE_RIGHT, "energy", report_unit(unit, &c->energy, "J"));
    table_column(t, TABLE_RIGHT, "FLOP", "/B");
    table_column(t, TABLE_RIGHT, "roof", "%");
}

/* "h = matmul + bias" as "h = matmul+bias": there is little room. */
static void name_cell(struct table *t, const char *name)
{
    char text[128];
    size_t used = 0;
    while (*name && used + 1 < sizeof text) {
        name += strncmp(name, " + ", 3) == 0;
        text[used++] = *name;
        name += *name == '+' && name[1] == ' ' ? 2 : 1;
    }
    text[used] = '\0';
    table_cell(t, "%s", text);
}

/* "matrix units" as "matrix": the head says what it is about. */
static void bound_cell(struct table *t, const char *bound_by)
{
    static const char *const tails[] = { " units", " unit", " bandwidth", " cores", " lanes",
                                         " slots" };
    size_t length = strlen(bound_by);
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        size_t tail = strlen(tails[i]);
        if (length > tail && strcmp(bound_by + length - tail, tails[i]) == 0)
            length -= tail;
    }
    table_cell(t, "%.*s", (int)length, bound_by);
}

static void ratio_cells(struct table *t, const json_t *op)
{
    char text[NUMBER_TEXT];
    double flops = report_number(op, "flops"), intensity = report_number(op, "flops_per_byte");
    double rate = number_ratio(flops, report_number(op, "time_s"));
    table_cell(t, "%s", intensity > 0 ? number_plain(text, intensity, 2) : "-");
    if (flops > 0)
        table_cell(t, "%.1f", 100 * number_ratio(rate, report_number(op, "roof_flops_per_s")));
    else
        table_cell(t, "-");
}

static void row(struct table *t, const struct columns *c, const json_t *op, size_t i)
{
    name_cell(t, report_string(op, "name"));
    const char *phase = report_string(op, "phase");
    table_cell(t, strlen(phase) > 8 ? "%.6s." : "%s", phase);
    table_fixed(t, c->time.rounded[i], c->time.scale.decimals);
    table_fixed(t, c->share.rounded[i], c->share.scale.decimals);
    table_cell(t, "%.*f", c->time.scale.decimals,
               report_number(op, "span_s") / c->time.scale.unit);
    bound_cell(t, report_string(op, "bound_by"));
    if (report_number(op, "macs") > 0)
        table_cell(t, "%.1f", 100 * report_number(op, "mxu_utilization"));
    else
        table_cell(t, "-");
    table_fixed(t, c->bytes.rounded[i], c->bytes.scale.decimals);
    table_fixed(t, c->energy.rounded[i], c->energy.scale.decimals);
    ratio_cells(t, op);
}

/* A row that only has what can be summed. */
static void sum_row(struct table *t, const char *name, const struct columns *c,
                    const int64_t sums[4])
{
    table_cell(t, "%s", name);
    table_cell(t, "%s", "");
    table_fixed(t, sums[0], c->time.scale.decimals);
    table_fixed(t, sums[1], c->share.scale.decimals);
    table_cell(t, "%s", "");
    table_cell(t, "%s", "");
    table_cell(t, "%s", "");
    table_fixed(t, sums[2], c->bytes.scale.decimals);
    table_fixed(t, sums[3], c->energy.scale.decimals);
    table_cell(t, "%s", "");
    table_cell(t, "%s", "");
}

static void rows(struct table *t, const struct columns *c, const json_t *ops)
{
    const struct report_parts *parts[] = { &c->time, &c->share, &c->bytes, &c->energy };
    int64_t others[4] = { 0 }, all[4];
    bool *chosen = report_longest(ops, ROWS);
    const json_t *op;
    size_t i;
    for (i = 0; (op = json_array_get(ops, i)) != NULL; i++) {
        if (chosen[i])
            row(t, c, op, i);
        for (size_t k = 0; k < 4 && !chosen[i]; k++)
            others[k] += parts[k]->rounded[i];
    }
    char name[32];
    free(chosen);
    if (i > ROWS) {
        snprintf(name, sizeof name, "%zu other%s", i - ROWS, i - ROWS > 1 ? "s" : "");
        sum_row(t, name, c, others);
    }
    for (size_t k = 0; k < 4; k++)
        all[k] = parts[k]->whole;
    sum_row(t, "all", c, all);
}

#define BOUNDS 16

struct bound { const char *name; double seconds; };

static int by_seconds(const void *a, const void *b)
{
    const struct bound *x = a, *y = b;
    if (x->seconds != y->seconds)
        return x->seconds > y->seconds ? -1 : 1;
    return strcmp(x->name, y->name);
}

void report_bounds(const json_t *result, FILE *out)
{
    struct bound bounds[BOUNDS] = { { "", 0 } };
    size_t count = 0, i, b;
    const json_t *op;
    char text[NUMBER_TEXT];
    for (i = 0; (op = json_array_get(json_object_get(result, "ops"), i)) != NULL; i++) {
        const char *name = report_string(op, "bound_by");
        for (b = 0; b < count && strcmp(bounds[b].name, name) != 0; b++)
            ;
        assert(b < BOUNDS);
        bounds[b].name = name;
        bounds[b].seconds += report_number(op, "time_s");
        count += b == count;
    }
    qsort(bounds, count, sizeof *bounds, by_seconds);
    if (count == 0)
        fputs("nothing", out);
    for (b = 0; b < count; b++)
        fprintf(out, "%s%s %s %%", b == 0 ? "" : b % 4 ? ", " : ",\n                 ",
                bounds[b].name, number_percent(text, number_ratio(
                    bounds[b].seconds, report_number(result, "time_s"))));
}

void report_ops(const json_t *result, FILE *out)
{
    const json_t *ops = json_object_get(result, "ops");
    size_t count = json_array_size(ops);
    struct columns c = {
        report_parts(ops, "time_s"), report_shares(ops, "time_s"),
        report_parts(ops, "hbm_bytes"), report_parts(ops, "energy_j"),
    };
    struct table *t = table_new();
    heads(t, &c, report_is_gpu(result));
    rows(t, &c, ops);
    if (count > ROWS)
        fprintf(out, "\nOps (the %d of %zu that took most of the time; --csv has all)\n", ROWS,
                count);
    else
        fputs("\nOps\n", out);
    table_print(t, out);
    fprintf(out, "  time: each moment belongs to the oldest unfinished op; span: first to last "
            "activity\n"
            "  %s:  multiply-accumulates done of those possible in the time\n"
            "  roof: FLOP/s done of the most that the peak, and HBM at its peak with this FLOP/B, "
            "allow\n", report_is_gpu(result) ? "MAC" : "MXU");
    report_parts_free(&c.time);
    report_parts_free(&c.share);
    report_parts_free(&c.bytes);
    report_parts_free(&c.energy);
}
