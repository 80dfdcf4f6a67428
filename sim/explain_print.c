/* explain_print.c - an explanation as text, and the list of ops. */
#include <stdlib.h>
#include <string.h>

#include "sim/explain_inside.h"
#include "sim/report_number.h"
#include "sim/report_table.h"

#define WIDTH  100
#define INDENT 6

/* `text` from column *at on, broken at spaces before WIDTH. */
static void words(const char *text, size_t *at, size_t indent, FILE *out)
{
    for (bool first = true; *text; first = false) {
        size_t length = strcspn(text, " ");
        if (!first && *at + 1 + length > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            *at = indent;
        } else if (!first) {
            putc(' ', out);
            ++*at;
        }
        fprintf(out, "%.*s", (int)length, text);
        *at += length;
        text += length + (text[length] == ' ');
    }
}

/* " = text", on a line of its own if it does not fit. */
static void equals(const char *text, size_t *at, FILE *out)
{
    if (text[0] == '\0')
        return;
    if (*at + 3 + strlen(text) > WIDTH) {
        fprintf(out, "\n%*s=", INDENT, "");
        *at = INDENT + 1;
    } else {
        fputs(" =", out);
        *at += 2;
    }
    putc(' ', out);
    size_t indent = ++*at < INDENT + 2 ? *at : INDENT + 2;
    words(text, at, indent, out);
}

static void print_line(const json_t *line, FILE *out)
{
    char value[NUMBER_TEXT * 2];
    size_t at;
    const json_t *note = json_object_get(line, "note");
    if (note) {
        const char *text = json_string_value(note);
        size_t indent = 2 + strspn(text, " ");
        fprintf(out, "%*s", (int)indent, "");
        words(text + indent - 2, &indent, indent, out);
        putc('\n', out);
        return;
    }
    snprintf(value, sizeof value, "%s %s", explain_digits(report_number(line, "value")),
             report_string(line, "unit"));
    at = (size_t)fprintf(out, "  %s", report_string(line, "name"));
    equals(report_string(line, "formula"), &at, out);
    equals(report_string(line, "numbers"), &at, out);
    equals(value, &at, out);
    putc('\n', out);
}

void explain_text(const json_t *e, FILE *out)
{
    char by_hand[NUMBER_TEXT], simulated[NUMBER_TEXT];
    const json_t *sections = json_object_get(e, "sections");
    fprintf(out, "%s, %s on %s\n", report_string(e, "op"), report_string(e, "trace"),
            report_string(e, "machine"));
    fprintf(out, "by hand %s, simulated %s (%+.1f %%)\nthe longest by hand: %s\n",
            number_si(by_hand, report_number(e, "by_hand_s"), "s"),
            number_si(simulated, report_number(e, "simulated_s"), "s"),
            100 * report_number(e, "difference"), report_string(e, "limit"));
    for (size_t i = 0; i < json_array_size(sections); i++) {
        const json_t *s = json_array_get(sections, i), *lines = json_object_get(s, "lines");
        fprintf(out, "\n%zu. %s\n", i + 1, report_string(s, "title"));
        for (size_t l = 0; l < json_array_size(lines); l++)
            print_line(json_array_get(lines, l), out);
    }
}

void explain_list(const json_t *result, FILE *out)
{
    const json_t *ops = json_object_get(result, "ops");
    double all = report_number(result, "time_s");
    struct number_scale scale = number_scale(all);
    char unit[8], share[NUMBER_TEXT];
    struct table *t = table_new();
    snprintf(unit, sizeof unit, "%ss", scale.prefix);
    table_column(t, TABLE_LEFT, "op", "");
    table_column(t, TABLE_LEFT, "phase", "");
    table_column(t, TABLE_RIGHT, "time", unit);
    table_column(t, TABLE_RIGHT, "share", "%");
    table_column(t, TABLE_LEFT, "bound by", "");
    for (size_t i = 0; i < json_array_size(ops); i++) {
        const json_t *op = json_array_get(ops, i);
        double time = report_number(op, "time_s");
        table_cell(t, "%s", report_string(op, "name"));
        table_cell(t, "%s", report_string(op, "phase"));
        table_cell(t, "%.*f", scale.decimals, time / scale.unit);
        table_cell(t, "%s", number_percent(share, number_ratio(time, all)));
        table_cell(t, "%s", report_string(op, "bound_by"));
    }
    table_print(t, out);
}
