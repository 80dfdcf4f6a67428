/* compare_words.c - see compare_words.h. */
#include "sim/compare_words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

const json_t *compare_cells(const json_t *row)
{
    return json_object_get(row, "on");
}

size_t compare_machines(const json_t *comparison)
{
    return json_array_size(json_object_get(comparison, "machines"));
}

const char *compare_machine(const json_t *comparison, size_t m)
{
    return report_string(json_array_get(json_object_get(comparison, "machines"), m), "machine");
}

/* ---- why ---- */

static const char *percent_of(char text[NUMBER_TEXT], const json_t *top)
{
    return number_percent(text, report_number(top, "fraction"));
}

/* What states, units and bounds of a result are called in a sentence. */
static const struct word { const char *name, *says; } words[] = {
    { "load", "loads" },                   { "store", "stores" },
    { "matrix", "matrix units" },          { "vector", "vector unit" },
    { "transpose", "transpose units" },    { "link", "core links" },
    { "wait_load", "waiting for loads from HBM" },
    { "wait_store", "waiting for stores to HBM" },
    { "wait_matrix", "waiting for the matrix units" },
    { "wait_vector", "waiting for the vector unit" },
    { "wait_transpose", "waiting for the transpose units" },
    { "wait_link", "waiting for another core" },
    { "wait_op", "waiting for the op before to end" },
    { "idle", "with no operation left" },
    { "dependency", "waiting for results of pipes" },
    { "pipe_busy", "waiting for pipes that are taken" },
    { "lsu_busy", "waiting for the load-store unit" },
    { "shared", "waiting for shared memory" }, { "l1", "waiting for L1" },
    { "l2", "waiting for L2" },            { "hbm", "waiting for HBM" },
    { "barrier", "waiting at a barrier" }, { "branch", "waiting for branches" },
    { "fetch", "waiting for instructions to be fetched" },
    { "no_warp", "without a warp that could run" },
    { "dma", "dma, with HBM below half its rate" },   { "latency", "latency" },
};

/* Of a GPU the parts that work fills. */
static const struct word parts[] = {
    { "tensor", "tensor cores" }, { "float", "float lanes" }, { "issue", "issue slots" },
    { "shared", "shared memory" }, { "l1", "L1" }, { "l2", "L2" }, { "hbm", "HBM" },
};

static const char *find_word(const struct word *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i].says;
    return name;
}
#define SAY(list, name) find_word((list), sizeof (list) / sizeof (list)[0], (name))

static const char *name_of(const json_t *cause)
{
    return report_string(cause, "name");
}

/* "; vector unit busy 24.0 %, waiting for loads from HBM 76.0 %" */
static void wait_on(const json_t *stall, bool gpu, FILE *out)
{
    char text[NUMBER_TEXT];
    fprintf(out, "; %s %s %%", gpu ? "in kernels schedulers issue"
                                   : SAY(words, report_string(stall, "unit")),
            number_percent(text, report_number(stall, "works")));
    fprintf(out, "%s, %s %s %%", gpu ? " of their cycles" : " busy", SAY(words, name_of(stall)),
            percent_of(text, stall));
}

/* "forward on tpu-v3, 33.40 us: 100.0 % in ops bound by hbm bandwidth; ..." */
static void why_on(bool gpu, const json_t *cell, FILE *out)
{
    char a[NUMBER_TEXT];
    const json_t *bound_by = json_object_get(cell, "bound_by");
    const json_t *unit = json_object_get(cell, "unit"), *stall = json_object_get(cell, "stall");
    fprintf(out, ", %s:", number_si(a, report_number(cell, "time_s"), "s"));
    if (json_is_object(bound_by))
        fprintf(out, " %s %% in ops bound by %s", percent_of(a, bound_by),
                SAY(words, name_of(bound_by)));
    if (json_is_object(stall))
        wait_on(stall, gpu, out);
    if (json_is_object(unit) && gpu)
        fprintf(out, "; its work at full rate: %s %s %%", SAY(parts, name_of(unit)),
                percent_of(a, unit));
    else if (json_is_object(unit))
        fprintf(out, "; longest queue: %s, %s %%", SAY(words, name_of(unit)), percent_of(a, unit));
    if (report_number(cell, "no_kernel_fraction") >= 0.0005)
        fprintf(out, "; no kernel runs for %s %%",
                number_percent(a, report_number(cell, "no_kernel_fraction")));
    fputc('.', out);
}

static void why(const json_t *comparison, const char *what, const json_t *row, FILE *out)
{
    const json_t *cell;
    for (size_t m = 0; (cell = json_array_get(compare_cells(row), m)) != NULL; m++) {
        const json_t *of = json_array_get(json_object_get(comparison, "machines"), m);
        char *text = NULL;
        size_t size;
        FILE *sentence = open_memstream(&text, &size);
        if (!sentence)
            abort();
        fprintf(sentence, "%s on %s", what, compare_machine(comparison, m));
        if (json_is_null(cell))
            fputs(": nothing.", sentence);
        else
            why_on(strcmp(report_string(of, "kind"), "gpu") == 0, cell, sentence);
        fclose(sentence);
        table_text(text, out);
        free(text);
    }
}

void compare_why(const json_t *comparison, FILE *out)
{
    const json_t *phase, *all = json_object_get(comparison, "phases");
    why(comparison, "all", json_object_get(comparison, "all"), out);
    for (size_t p = 0; (phase = json_array_get(all, p)) != NULL; p++)
        why(comparison, report_string(phase, "name"), phase, out);
}

/* ---- what is fair ---- */

/* "what: tpu-v3 package; v100 board" */
static void fact(const json_t *comparison, const char *what, const char *key, FILE *out)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof text, "%s ", what);
    for (size_t i = 0; n < sizeof text && (m = json_array_get(all, i)) != NULL; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %s", i > 0 ? "; " : "",
                              report_string(m, "machine"),
                              report_string(m, key)[0] ? report_string(m, key) : "nothing");
    table_text(text, out);
}

/* "f32 61.0 %, f16 39.0 %"; of one type its name. */
static void types_of(const json_t *m, FILE *out)
{
    char text[NUMBER_TEXT];
    const char *type, *before = "";
    json_t *fraction, *all = json_object_get(m, "multiplied_fractions");
    fprintf(out, "%s ", report_string(m, "machine"));
    json_object_foreach(all, type, fraction) {
        fprintf(out, "%s%s", before, type);
        if (json_object_size(all) > 1)
            fprintf(out, " %s %%", number_percent(text, json_number_value(fraction)));
        before = ", ";
    }
    fputs(before[0] ? "" : "nothing", out);
}

/* Where a machine did not multiply in the type of its peak alone. */
static bool below_peak(const json_t *m)
{
    double most = report_number(m, "products_at_most_flops_per_s");
    return most > 0 && most < 0.999 * report_number(m, "peak_flops_per_s");
}

static void products(const json_t *comparison, FILE *out)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    char *text = NULL, rate[NUMBER_TEXT], peak[NUMBER_TEXT];
    size_t size;
    FILE *line = open_memstream(&text, &size);
    if (!line)
        abort();
    fputs("multiplied as (of multiply-accumulates): ", line);
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++) {
        fputs(i > 0 ? "; " : "", line);
        types_of(m, line);
    }
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        if (below_peak(m))
            fprintf(line, ". The peak of %s, %s, is of its fastest type in one pass; its products, "
                    "as they were multiplied, could reach %s", report_string(m, "machine"),
                    number_si(peak, report_number(m, "peak_flops_per_s"), "FLOP/s"),
                    number_si(rate, report_number(m, "products_at_most_flops_per_s"), "FLOP/s"));
    fclose(line);
    table_text(text, out);
    free(text);
}

static bool levels_differ(const json_t *comparison)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    const char *first = report_string(json_array_get(all, 0), "prices");
    bool differ = false;
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        differ |= strcmp(report_string(m, "prices"), first) != 0;
    return differ;
}

static void notes(const json_t *m, FILE *out)
{
    const json_t *note, *all = json_object_get(m, "notes");
    for (size_t i = 0; (note = json_array_get(all, i)) != NULL; i++)
        fprintf(out, "  %s: %s\n", report_string(m, "machine"), json_string_value(note));
}

/* Rates of HBM that refreshes leave. */
static void refreshes(const json_t *comparison, FILE *out)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    char line[1024], rate[NUMBER_TEXT], share[NUMBER_TEXT];
    size_t n = (size_t)snprintf(line, sizeof line, "HBM's peak is of its pins; refreshes leave:");
    for (size_t i = 0; n < sizeof line && (m = json_array_get(all, i)) != NULL; i++) {
        double left = report_number(m, "hbm_after_refreshes_bytes_per_s");
        n += (size_t)snprintf(line + n, sizeof line - n, "%s %s %s, %s %%", i > 0 ? ";" : "",
                              report_string(m, "machine"), number_si(rate, left, "B/s"),
                              number_percent(share, number_ratio(
                                  left, report_number(m, "hbm_peak_bytes_per_s"))));
    }
    table_text(line, out);
}

/* What a machine's traffic holds more or less of than another's. */
static void traffic(const json_t *comparison, FILE *out)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    char text[NUMBER_TEXT];
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        if (report_number(m, "l2_dirty_bytes") > 0)
            fprintf(out, "  %s: %s written are still in L2 at the end, and in no HBM traffic\n",
                    report_string(m, "machine"),
                    number_si(text, report_number(m, "l2_dirty_bytes"), "B"));
}

void compare_fairness(const json_t *comparison, FILE *out)
{
    const json_t *m, *all = json_object_get(comparison, "machines");
    fact(comparison, "prices of the:", "prices", out);
    if (levels_differ(comparison))
        table_text("What a level takes in is not the same: a board's prices hold regulators and "
                   "whatever else is on it, a package's do not. Energies and powers above are each "
                   "at their own level; nothing has been converted, for no efficiency of these "
                   "boards' regulators is published.", out);
    else
        table_text("All powers and energies are at this level, so nothing has been converted.",
                   out);
    products(comparison, out);
    fact(comparison, "optimizer:", "optimizer", out);
    table_text("Launch and host stand beside the time: no rate, share or joule holds them. They "
               "are not alike: a TPU's host waits for the result of a call, a GPU's is taken to "
               "queue launches ahead.", out);
    refreshes(comparison, out);
    traffic(comparison, out);
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        notes(m, out);
}
