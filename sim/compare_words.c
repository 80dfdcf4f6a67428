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

/* "tpu-v3 takes 33.40 us, 100.0 % of it bound by hbm bandwidth; ..." */
static void why_on(const char *name, const char *kind, const json_t *cell, FILE *out)
{
    char a[NUMBER_TEXT];
    const json_t *bound_by = json_object_get(cell, "bound_by");
    const json_t *unit = json_object_get(cell, "unit");
    const json_t *stall = json_object_get(cell, "stall");
    bool gpu = strcmp(kind, "gpu") == 0;
    fprintf(out, "%s takes %s", name, number_si(a, report_number(cell, "time_s"), "s"));
    if (json_is_object(bound_by))
        fprintf(out, ", %s %% of it in ops bound by %s", percent_of(a, bound_by),
                report_string(bound_by, "name"));
    if (json_is_object(unit))
        fprintf(out, gpu ? "; its work would fill %s for %s %%" : "; %s has most work, %s %%",
                report_string(unit, "name"), percent_of(a, unit));
    if (json_is_object(stall))
        fprintf(out, gpu ? "; schedulers wait longest for %s, %s %% of their cycles in kernels"
                         : "; the matrix queues are in state %s for %s %%",
                report_string(stall, "name"), percent_of(a, stall));
    fputs(". ", out);
}

static void why(const json_t *comparison, const char *what, const json_t *row, FILE *out)
{
    char *text = NULL;
    size_t size;
    const json_t *cell;
    FILE *words = open_memstream(&text, &size);
    if (!words)
        abort();
    fprintf(words, "%s: ", what);
    for (size_t m = 0; (cell = json_array_get(compare_cells(row), m)) != NULL; m++) {
        const json_t *of = json_array_get(json_object_get(comparison, "machines"), m);
        if (json_is_null(cell))
            fprintf(words, "%s has none. ", compare_machine(comparison, m));
        else
            why_on(compare_machine(comparison, m), report_string(of, "kind"), cell, words);
    }
    fclose(words);
    table_text(text, out);
    free(text);
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
                   "at their own level; nothing has been converted.", out);
    fact(comparison, "multiplied as:", "multiplied", out);
    fact(comparison, "optimizer:", "optimizer", out);
    table_text("Launch and host stand beside the time: no rate, share or joule holds them.", out);
    traffic(comparison, out);
    for (size_t i = 0; (m = json_array_get(all, i)) != NULL; i++)
        notes(m, out);
}
