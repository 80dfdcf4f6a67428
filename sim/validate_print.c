/* validate_print.c - the tables: Markdown whose cells are padded, so that it reads as text. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/validate.h"

#define COLUMNS 10
#define CELL    128

/* Left-aligned but for the columns after the first `words`. */
struct grid {
    size_t columns, words, count, room;     /* count: of cells */
    char (*cells)[CELL];
};

static void cell(struct grid *g, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void cell(struct grid *g, const char *format, ...)
{
    va_list args;
    if (g->count == g->room) {
        g->room = g->room ? 2 * g->room : 64;
        g->cells = realloc(g->cells, g->room * sizeof *g->cells);
        if (!g->cells)
            abort();
    }
    va_start(args, format);
    vsnprintf(g->cells[g->count++], CELL, format, args);
    va_end(args);
}

static void print_line(const struct grid *g, const int width[COLUMNS], size_t row, FILE *out)
{
    for (size_t i = 0; i < g->columns; i++) {
        const char *text = g->cells[row * g->columns + i];
        fprintf(out, i < g->words ? "| %-*s " : "| %*s ", width[i], text);
    }
    fputs("|\n", out);
}

static void grid_print(struct grid *g, FILE *out)
{
    int width[COLUMNS] = { 0 };
    for (size_t i = 0; i < g->count; i++) {
        int size = (int)strlen(g->cells[i]), *w = &width[i % g->columns];
        *w = size > *w ? size : *w;
    }
    print_line(g, width, 0, out);
    for (size_t i = 0; i < g->columns; i++) {
        fputs("| ", out);
        for (int n = 1; n < width[i]; n++)
            fputc('-', out);
        fputs(i < g->words ? "- " : ": ", out);
    }
    fputs("|\n", out);
    for (size_t row = 1; row < g->count / g->columns; row++)
        print_line(g, width, row, out);
    fputc('\n', out);
    free(g->cells);
}

/* Four digits, whatever the size. */
static void number(struct grid *g, double value)
{
    double size = fabs(value);
    if (isnan(value))
        cell(g, "-");
    else
        cell(g, "%.*f", value == floor(value) && size < 1000 ? 0
                        : size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0, value);
}

static void percent(struct grid *g, double value)
{
    if (isnan(value))
        cell(g, "-");
    else
        cell(g, "%+.1f %%", value);
}

/* ---- the rows ---- */

static double roofline_error(const struct validate_row *r)
{
    return r->roofline > 0 ? 100 * (r->roofline / r->measured - 1) : NAN;
}

static bool has(const struct validate_set *s, enum validate_kind kind)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->rows[i].kind == kind)
            return true;
    return false;
}

static bool has_roofline(const struct validate_set *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->rows[i].roofline > 0)
            return true;
    return false;
}

static void print_runs(const struct validate_set *s, FILE *out)
{
    bool roof = has_roofline(s);
    struct grid g = { .columns = 6 + s->points + 2 * roof, .words = 2 };
    cell(&g, "row");
    cell(&g, "class");
    cell(&g, "measured, %s", s->unit);
    cell(&g, "simulated");
    cell(&g, "error");
    if (s->points)
        cell(&g, "points");
    if (roof) {
        cell(&g, "roofline");
        cell(&g, "its error");
    }
    cell(&g, "note");
    for (size_t i = 0; i < s->count; i++) {
        const struct validate_row *r = &s->rows[i];
        if (r->kind != VALIDATE_RUN)
            continue;
        cell(&g, "%s", r->what);
        cell(&g, "%s", validate_class_names[r->class]);
        number(&g, r->measured);
        number(&g, r->simulated);
        percent(&g, validate_error(r));
        if (s->points && isnan(r->simulated))
            cell(&g, "-");
        else if (s->points)
            cell(&g, "%+.1f", r->simulated - r->measured);
        if (roof) {
            number(&g, r->roofline > 0 ? r->roofline : NAN);
            percent(&g, roofline_error(r));
        }
        cell(&g, "%s", isnan(r->simulated) ? r->error : r->note);
    }
    grid_print(&g, out);
}

static void print_ranges(const struct validate_set *s, FILE *out)
{
    struct grid g = { .columns = 5, .words = 1 };
    cell(&g, "row");
    cell(&g, "published, %s", s->unit);
    cell(&g, "simulated");
    cell(&g, "outside by");
    cell(&g, "note");
    for (size_t i = 0; i < s->count; i++) {
        const struct validate_row *r = &s->rows[i];
        if (r->kind != VALIDATE_RANGE)
            continue;
        cell(&g, "%s", r->what);
        cell(&g, "%.0f to %.0f", r->measured, r->high);
        number(&g, r->simulated);
        percent(&g, validate_error(r));
        cell(&g, "%s", isnan(r->simulated) ? r->error : r->note);
    }
    grid_print(&g, out);
}

static void print_inputs(const struct validate_set *s, FILE *out)
{
    struct grid g = { .columns = 4, .words = 1 };
    fputs("Measured figures that are put in (a machine file holds them), so they prove "
          "nothing:\n\n", out);
    cell(&g, "row");
    cell(&g, "measured");
    cell(&g, "in the machine file");
    cell(&g, "figure");
    for (size_t i = 0; i < s->count; i++) {
        const struct validate_row *r = &s->rows[i];
        if (r->kind != VALIDATE_INPUT)
            continue;
        cell(&g, "%s", r->what);
        number(&g, r->measured);
        number(&g, r->simulated);
        cell(&g, "%s", r->note);
    }
    grid_print(&g, out);
}

/* Rows follow each other by reason: one line a reason. */
static void print_missing(const struct validate_set *s, FILE *out)
{
    struct grid g = { .columns = 3, .words = 2 };
    fputs("Measured, and not modelled:\n\n", out);
    cell(&g, "what");
    cell(&g, "why");
    cell(&g, "rows");
    for (size_t i = 0; i < s->count; i++) {
        const struct validate_row *r = &s->rows[i];
        size_t rows = 0, earlier = 0;
        for (size_t j = 0; j < s->count; j++)
            if (s->rows[j].kind == VALIDATE_MISSING && strcmp(s->rows[j].group, r->group) == 0
                && strcmp(s->rows[j].note, r->note) == 0) {
                rows++;
                earlier += j < i;
            }
        if (r->kind != VALIDATE_MISSING || earlier > 0)
            continue;
        cell(&g, "%s", r->group);
        cell(&g, "%s", r->note);
        cell(&g, "%zu", rows);
    }
    grid_print(&g, out);
}

/* ---- means ---- */

struct mean { double error, points, roofline, roofline_points; size_t count, roofs, failed; };

static void add(struct mean *m, const struct validate_row *r)
{
    double error = fabs(validate_error(r)), roof = fabs(roofline_error(r));
    m->failed += isnan(error);
    if (isnan(error))
        return;
    m->count++;
    m->error += error;
    m->points += fabs(r->simulated - r->measured);
    if (!isnan(roof)) {
        m->roofs++;
        m->roofline += roof;
        m->roofline_points += fabs(r->roofline - r->measured);
    }
}

static void print_mean(struct grid *g, const struct validate_set *s, const char *name,
                       const struct mean *m)
{
    if (m->count == 0)
        return;
    cell(g, "%s", name);
    cell(g, "%zu", m->count);
    cell(g, "%.1f %%", m->error / (double)m->count);
    if (s->points)
        cell(g, "%.1f", m->points / (double)m->count);
    if (has_roofline(s)) {
        cell(g, "%.1f %%", m->roofline / (double)m->roofs);
        cell(g, "%.2f", m->error / (double)m->count * (double)m->roofs / m->roofline);
        if (s->points)
            cell(g, "%.1f", m->roofline_points / (double)m->roofs);
    }
}

static bool first_of_group(const struct validate_set *s, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (strcmp(s->rows[i].group, s->rows[row].group) == 0)
            return false;
    return s->rows[row].group[0] != '\0';
}

static void print_means(const struct validate_set *s, FILE *out)
{
    bool roof = has_roofline(s);
    struct grid g = { .columns = 3 + s->points + (2 + s->points) * roof, .words = 1 };
    struct mean all = { 0 }, other = { 0 }, of[VALIDATE_CLASSES_COUNT] = { { 0 } };
    for (size_t i = 0; i < s->count; i++) {
        const struct validate_row *r = &s->rows[i];
        if (r->kind != VALIDATE_RUN)
            continue;
        add(r->judged ? &all : &other, r);
        if (r->judged)
            add(&of[r->class], r);
    }
    cell(&g, "mean of");
    cell(&g, "rows");
    cell(&g, "error");
    if (s->points)
        cell(&g, "points");
    if (roof) {
        cell(&g, "roofline's");
        cell(&g, "of it");
        if (s->points)
            cell(&g, "its points");
    }
    print_mean(&g, s, "all that are judged", &all);
    for (int c = 0; c < VALIDATE_NONE; c++)
        print_mean(&g, s, validate_class_names[c], &of[c]);
    for (size_t i = 0; i < s->count; i++) {
        struct mean group = { 0 };
        for (size_t j = i; first_of_group(s, i) && j < s->count; j++)
            if (s->rows[j].kind == VALIDATE_RUN && strcmp(s->rows[i].group, s->rows[j].group) == 0)
                add(&group, &s->rows[j]);
        print_mean(&g, s, s->rows[i].group, &group);
    }
    print_mean(&g, s, "not judged", &other);
    grid_print(&g, out);
}

void validate_print_set(const struct validate_set *s, FILE *out)
{
    fprintf(out, "## %s\n\n%s\n\n", s->title, s->about);
    if (has(s, VALIDATE_RUN)) {
        print_runs(s, out);
        print_means(s, out);
    }
    if (has(s, VALIDATE_RANGE))
        print_ranges(s, out);
    if (has(s, VALIDATE_INPUT))
        print_inputs(s, out);
    if (has(s, VALIDATE_MISSING))
        print_missing(s, out);
}

/* ---- verdicts ---- */

static size_t judged_rows(const struct validate_set *s, size_t *misses, double *worst,
                          struct mean *mean)
{
    size_t count = 0;
    *misses = 0;
    *worst = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct validate_row *r = &s->rows[i];
        if (!r->judged)
            continue;
        double error = fabs(validate_error(r));
        add(mean, r);
        count++;
        *misses += isnan(error) || (s->each_bar > 0 && error > s->each_bar);
        *worst = fmax(*worst, error);
    }
    return count;
}

static void verdict(struct grid *g, const struct validate_set *s)
{
    struct mean m = { 0 };
    size_t misses;
    double worst;
    size_t rows = judged_rows(s, &misses, &worst, &m);
    if (rows == 0)
        return;
    double count = m.count > 0 ? (double)m.count : NAN;
    cell(g, "%s", s->title);
    cell(g, "%zu", rows);
    cell(g, "%.1f %%", m.error / count);
    cell(g, "%.1f %%", worst);
    if (m.roofs > 0)
        cell(g, "%.1f %%", m.roofline / (double)m.roofs);
    else
        cell(g, "-");
    if (s->points)
        cell(g, "mean %.0f %%, %.0f points (%.1f)", s->mean_bar, s->points_bar, m.points / count);
    else if (s->mean_bar > 0)
        cell(g, "mean %.0f %%", s->mean_bar);
    else if (misses > 0)
        cell(g, "each %.0f %% (%zu beyond)", s->each_bar, misses);
    else
        cell(g, "each %.0f %%", s->each_bar);
    cell(g, "%s", m.failed > 0 ? "a row failed" : validate_meets(s) ? "met" : "MISSED");
}

void validate_print_verdicts(const struct validation *v, FILE *out)
{
    static const char *const head[] = { "what is judged", "rows", "mean error", "largest",
                                        "roofline", "bar", "verdict" };
    struct grid g = { .columns = 7, .words = 1 };
    for (size_t i = 0; i < g.columns; i++)
        cell(&g, "%s", head[i]);
    for (size_t i = 0; i < v->count; i++)
        verdict(&g, &v->sets[i]);
    grid_print(&g, out);
}
