/* compare_change_report.c - what would have to change, as text for people. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare_change.h"
#include "sim/report_field.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

#define SHOWN 3             /* changes of a kind: those with most effect */
#define TELLS 0.0005        /* of the whole: less is no effect in a percentage of one decimal */

/* What a table is about. */
struct goal {
    const char *key, *unit, *winner, *winner_key, *verb;
};

static const struct goal goals[] = {
    { "time_s",   "s", "faster",    "faster_time_s",      "is faster" },
    { "energy_j", "J", "thriftier", "thriftier_energy_j", "takes less energy" },
};

static double gain(const json_t *loser, const struct goal *g, const json_t *row)
{
    double before = report_number(loser, g->key);
    return json_object_get(row, g->key) ? number_ratio(before - report_number(row, g->key), before)
                                        : 0;
}

static bool shows(const struct goal *g, const json_t *row)
{
    return g == &goals[1] || strcmp(report_string(row, "of"), "figures") == 0;
}

/* The row that gains most after `rank` others; NULL: no more that tells.  Rows that gain the same
 * are taken in their order. */
static const json_t *ranked(const json_t *loser, const struct goal *g, size_t rank)
{
    const json_t *all = json_object_get(loser, "changes"), *row, *other;
    for (size_t i = 0; (row = json_array_get(all, i)) != NULL; i++) {
        size_t before = 0;
        if (!shows(g, row) || gain(loser, g, row) < TELLS)
            continue;
        for (size_t k = 0; (other = json_array_get(all, k)) != NULL; k++) {
            double more = gain(loser, g, other) - gain(loser, g, row);
            before += shows(g, other) && (more > 0 || (more == 0 && k < i));
        }
        if (before == rank)
            return row;
    }
    return NULL;
}

static void list_sets(const json_t *row, char *text, size_t size)
{
    const json_t *set, *sets = json_object_get(row, "set");
    size_t n = 0, i = 0;
    text[0] = '\0';
    for (; (set = json_array_get(sets, i)) != NULL; i++) {
        size_t need = strlen(json_string_value(set)) + 5;
        if (n + need >= size || strchr(json_string_value(set), ' '))
            break;
        n += (size_t)snprintf(text + n, size - n, "%s%s", n > 0 ? " " : "", json_string_value(set));
    }
    if (set)
        snprintf(text + n, size - n, "%s...", n > 0 ? " " : "");
}

static void row_text(struct table *t, const json_t *loser, const struct goal *g, const char *name,
                     const json_t *row)
{
    char text[NUMBER_TEXT], sets[56];
    table_cell(t, "%s", name);
    table_cell(t, "%s", number_si(text, report_number(row, g->key), g->unit));
    table_cell(t, "%.1f", 100 * gain(loser, g, row));
    table_cell(t, "%s", report_number(row, g->key) < report_number(loser, g->winner_key) ? "yes"
                                                                                         : "no");
    list_sets(row, sets, sizeof sets);
    table_cell(t, "%s", sets);
}

/* Those with most effect, and if none of them wins, together. */
static void best(const json_t *loser, const struct goal *g, FILE *out)
{
    const json_t *row, *together = json_object_get(loser, "together");
    struct table *t = table_new();
    table_column(t, TABLE_LEFT, "twice as good", "");
    table_column(t, TABLE_RIGHT, g == &goals[0] ? "time" : "energy", "");
    table_column(t, TABLE_RIGHT, "gained", "%");
    table_column(t, TABLE_LEFT, "wins", "");
    table_column(t, TABLE_LEFT, "by --set", "");
    for (size_t i = 0; i < SHOWN && (row = ranked(loser, g, i)) != NULL; i++)
        row_text(t, loser, g, report_string(row, "name"), row);
    if (g == &goals[0] && json_object_get(together, g->key))
        row_text(t, loser, g, "these together", together);
    table_print(t, out);
}

static void rest(const json_t *loser, const struct goal *g, FILE *out)
{
    const json_t *next = ranked(loser, g, SHOWN);
    char line[160];
    if (next) {
        snprintf(line, sizeof line,
                 "Each of the others gains %.1f %% or less (%s); --json has all.",
                 100 * gain(loser, g, next), report_string(next, "name"));
        table_text(line, out);
    } else {
        table_text("Nothing else that was tried gains 0.05 % or more; --json has all.", out);
    }
}

/* ---- by phase ---- */

static double phase_time(const json_t *of, const char *name)
{
    const json_t *phase, *all = json_object_get(of, "phases");
    for (size_t i = 0; (phase = json_array_get(all, i)) != NULL; i++)
        if (strcmp(report_string(phase, "name"), name) == 0)
            return report_number(phase, "time_s");
    return 0;
}

/* "forward HBM rate 30.1 %" */
static void best_of_phase(const json_t *loser, const char *phase, FILE *out)
{
    const json_t *row, *all = json_object_get(loser, "changes"), *best_row = NULL;
    double before = phase_time(loser, phase), least = before * (1 - TELLS);
    for (size_t i = 0; (row = json_array_get(all, i)) != NULL; i++)
        if (json_object_get(row, "phases") && phase_time(row, phase) < least) {
            least = phase_time(row, phase);
            best_row = row;
        }
    if (best_row)
        fprintf(out, "%s %s (%.1f %%)", phase, report_string(best_row, "name"),
                100 * number_ratio(before - least, before));
    else
        fprintf(out, "%s by nothing", phase);
}

static void by_phase(const json_t *loser, FILE *out)
{
    const json_t *phase, *all = json_object_get(loser, "phases");
    char *text = NULL;
    size_t size;
    FILE *sentence = open_memstream(&text, &size);
    if (!sentence)
        abort();
    fputs("Each phase gains most by: ", sentence);
    for (size_t i = 0; (phase = json_array_get(all, i)) != NULL; i++) {
        fputs(i > 0 ? ", " : "", sentence);
        best_of_phase(loser, report_string(phase, "name"), sentence);
    }
    fputc('.', sentence);
    fclose(sentence);
    table_text(text, out);
    free(text);
}

/* ---- a loser ---- */

/* "v100 takes 0.1 % more energy than tpu-v3, and was not run again ..." */
static void left_out(const json_t *loser, FILE *out)
{
    static const char *const more[] = { "time", "energy" };
    char line[320], text[NUMBER_TEXT];
    const char *between = " takes ";
    size_t n = (size_t)snprintf(line, sizeof line, "%.63s", report_string(loser, "machine"));
    for (size_t g = 0; g < sizeof goals / sizeof goals[0]; g++) {
        double best = report_number(loser, goals[g].winner_key);
        if (!json_is_string(json_object_get(loser, goals[g].winner)))
            continue;
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s %% more %s than %.63s", between,
                              number_percent(text, number_ratio(
                                  report_number(loser, goals[g].key) - best, best)), more[g],
                              report_string(loser, goals[g].winner));
        between = " and ";
    }
    snprintf(line + n, sizeof line - n, ", and was not run again with changes: that would take "
             "longer than the comparison. --change does.");
    table_text(line, out);
}

static void goal_text(const json_t *loser, const struct goal *g, FILE *out)
{
    char line[256], a[NUMBER_TEXT], b[NUMBER_TEXT];
    const char *winner = report_string(loser, g->winner);
    snprintf(line, sizeof line,
             "%s %s (%s) than %s (%s). Run again with one thing at a time twice as good%s:", winner,
             g->verb, number_si(a, report_number(loser, g->winner_key), g->unit),
             report_string(loser, "machine"), number_si(b, report_number(loser, g->key), g->unit),
             g == &goals[1] ? ", all other prices as they are" : "");
    table_text(line, out);
    if (ranked(loser, g, 0)) {
        best(loser, g, out);
        rest(loser, g, out);
        if (g == &goals[0])
            by_phase(loser, out);
    } else {
        table_text("Nothing that was tried gains 0.05 % or more; --json has all.", out);
    }
}

static void failures(const json_t *loser, FILE *out)
{
    const json_t *row, *all = json_object_get(loser, "changes");
    for (size_t i = 0; (row = json_array_get(all, i)) != NULL; i++)
        if (json_object_get(row, "message"))
            fprintf(out, "  %s could not be run: %s\n", report_string(row, "name"),
                    report_string(row, "message"));
    row = json_object_get(loser, "together");
    if (json_object_get(row, "message"))
        fprintf(out, "  these together could not be run: %s\n", report_string(row, "message"));
}

void compare_change_text(const json_t *losers, FILE *out)
{
    const json_t *loser;
    if (json_array_size(losers) > 0)
        fputs("\nWhat would have to change\n", out);
    for (size_t i = 0; (loser = json_array_get(losers, i)) != NULL; i++) {
        if (json_is_true(json_object_get(loser, "left_out"))) {
            left_out(loser, out);
            continue;
        }
        for (size_t g = 0; g < sizeof goals / sizeof goals[0]; g++)
            if (json_is_string(json_object_get(loser, goals[g].winner)))
                goal_text(loser, &goals[g], out);
        failures(loser, out);
    }
}
