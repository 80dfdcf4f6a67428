/* report_units.c - how every unit spent the run.
 *
 * Units that differ only in a number of their names (core0.mxu0, core1.mxu0) and spent
 * their time alike are one row; what is printed of a row adds up to 100.0.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "models/gpu/sm.h"
#include "models/hbm/hbm.h"
#include "models/tpu/board.h"
#include "models/tpu/matrix.h"
#include "sim/report_inside.h"
#include "sim/report_table.h"

#define STATES 20
#define NAME   64
#define ALIKE  0.005            /* units in a row differ by less than this share of the time, */
#define ROWS  16                /* doubled as long as a kind has more rows than this */

/* In the order of their columns, but for the first and the last. */
static const struct known { const char *name, *what; } known[] = {
#define STATE(id, name, what) { name, what },
#define CAUSE(name, what)     { #name, what },
    TPU_ARRAY_STATES(STATE)
    HBM_CAUSES(CAUSE)
    TPU_STATES(STATE)
    GPU_CAUSES(STATE)
#undef CAUSE
#undef STATE
};
#define KNOWN ((int)(sizeof known / sizeof known[0]))

static int known_index(const char *state)
{
    for (int i = 0; i < KNOWN; i++)
        if (strcasecmp(state, known[i].name) == 0)
            return i;
    return KNOWN;
}

/* Busy first, nothing to do last. */
static int position(const char *state)
{
    if (strcmp(state, "busy") == 0 || strcmp(state, "issued") == 0)
        return -1;
    bool last = strcmp(state, "idle") == 0 || strcmp(state, "no_request") == 0
             || strcmp(state, "no_warp") == 0;
    return last ? KNOWN + 1 : known_index(state);
}

struct row {
    char   name[NAME];          /* '*' for a number that differs */
    double share[STATES];       /* sum over the members */
    double first[STATES];       /* of the first member */
    size_t members;
};

struct kind {
    const char *name;
    const char *states[STATES];
    size_t      state_count, row_count;
    struct row *rows;
    bool        shown[STATES];  /* some row prints more than 0.0 */
    double      alike;
};

static void add_state(struct kind *k, const char *state)
{
    for (size_t i = 0; i < k->state_count; i++)
        if (strcmp(k->states[i], state) == 0)
            return;
    assert(k->state_count < STATES);
    size_t i = k->state_count++;
    for (; i > 0 && position(k->states[i - 1]) > position(state); i--)
        k->states[i] = k->states[i - 1];
    k->states[i] = state;
}

/* Puts '*' into `name` for each number that `other` has another of; false if more than
 * numbers differ, and then `name` is not to be used. */
static bool merge_names(char merged[NAME], const char *name, const char *other)
{
    size_t used = 0;
    while (*name && *other && used + 1 < NAME) {
        size_t a = *name == '*' ? 1 : strspn(name, "0123456789");
        size_t b = strspn(other, "0123456789");
        if ((a > 0) != (b > 0) || (a == 0 && *name != *other))
            return false;
        if (a > 0 && (a != b || strncmp(name, other, a) != 0)) {
            merged[used++] = '*';
        } else {
            size_t length = a > 0 ? a : 1;
            for (size_t i = 0; i < length && used + 1 < NAME; i++)
                merged[used++] = name[i];
        }
        name += a > 0 ? a : 1;
        other += b > 0 ? b : 1;
    }
    merged[used] = '\0';
    return *name == *other;
}

static bool alike(const struct kind *k, const struct row *r, const double *share)
{
    for (size_t s = 0; s < k->state_count; s++) {
        double apart = r->first[s] - share[s];
        if (apart > k->alike || apart < -k->alike)
            return false;
    }
    return true;
}

/* A new row after those whose names differ by a number alone, or at the end. */
static struct row *insert(struct kind *k, const char *name)
{
    char merged[NAME];
    size_t at = k->row_count++;
    for (size_t i = at; i-- > 0; )
        if (merge_names(merged, k->rows[i].name, name)) {
            at = i + 1;
            break;
        }
    memmove(&k->rows[at + 1], &k->rows[at], (k->row_count - 1 - at) * sizeof *k->rows);
    memset(&k->rows[at], 0, sizeof *k->rows);
    return &k->rows[at];
}

static struct row *row_for(struct kind *k, const char *name, const double *share)
{
    char merged[NAME];
    for (size_t i = 0; i < k->row_count; i++)
        if (merge_names(merged, k->rows[i].name, name) && alike(k, &k->rows[i], share)) {
            strcpy(k->rows[i].name, merged);
            return &k->rows[i];
        }
    struct row *r = insert(k, name);
    snprintf(r->name, NAME, "%s", name);
    memcpy(r->first, share, sizeof r->first);
    return r;
}

static void add_unit(struct kind *k, const json_t *unit, double seconds)
{
    double share[STATES] = { 0 };
    const json_t *states = json_object_get(unit, "states");
    for (size_t s = 0; s < k->state_count; s++)
        share[s] = number_ratio(report_number(states, k->states[s]), seconds);
    struct row *r = row_for(k, report_string(unit, "name"), share);
    for (size_t s = 0; s < k->state_count; s++)
        r->share[s] += share[s];
    r->members++;
}

/* Tenths of a percent; they add up as the unit's states do. */
static void round_row(const struct kind *k, const struct row *r, int64_t tenths[STATES])
{
    double share[STATES];
    for (size_t s = 0; s < k->state_count; s++)
        share[s] = r->share[s] / (double)r->members;
    number_round(share, k->state_count, 0.001, tenths);
}

static struct kind gather(const json_t *units, const char *name, double seconds)
{
    struct kind k = { .name = name, .alike = ALIKE };
    const json_t *unit;
    size_t i;
    k.rows = calloc(json_array_size(units), sizeof *k.rows);
    if (!k.rows)
        abort();
    for (i = 0; (unit = json_array_get(units, i)) != NULL; i++) {
        json_t *states = json_object_get(unit, "states");
        if (strcmp(report_string(unit, "kind"), name) == 0)
            REPORT_EACH(state, states)
                add_state(&k, json_object_iter_key(state));
    }
    do {
        k.row_count = 0;
        for (i = 0; (unit = json_array_get(units, i)) != NULL; i++)
            if (strcmp(report_string(unit, "kind"), name) == 0)
                add_unit(&k, unit, seconds);
        k.alike *= 2;
    } while (k.row_count > ROWS && k.alike < 2);
    k.alike /= 2;
    for (i = 0; i < k.row_count; i++) {
        int64_t tenths[STATES];
        round_row(&k, &k.rows[i], tenths);
        for (size_t s = 0; s < k.state_count; s++)
            k.shown[s] |= tenths[s] > 0;
    }
    return k;
}

/* "wait_load" is two lines of a head. */
static void state_column(struct table *t, const char *state)
{
    char head[NAME];
    snprintf(head, sizeof head, "%s", state);
    char *gap = strchr(head, '_');
    if (gap)
        *gap = '\0';
    table_column(t, TABLE_RIGHT, gap ? head : "", gap ? gap + 1 : head);
}

static void print_table(const struct kind *k, FILE *out)
{
    struct table *t = table_new();
    table_column(t, TABLE_LEFT, "", k->name);
    table_column(t, TABLE_RIGHT, "", "units");
    for (size_t s = 0; s < k->state_count; s++)
        if (k->shown[s])
            state_column(t, k->states[s]);
    for (size_t i = 0; i < k->row_count; i++) {
        const struct row *r = &k->rows[i];
        int64_t tenths[STATES];
        round_row(k, r, tenths);
        table_cell(t, "%s", r->name);
        table_cell(t, "%zu", r->members);
        for (size_t s = 0; s < k->state_count; s++)
            if (k->shown[s] && r->share[s] > 0)
                table_fixed(t, tenths[s], 1);
            else if (k->shown[s])
                table_cell(t, "-");
    }
    table_print(t, out);
}

/* What the states of a table mean, but for those that a table before explained. */
static void print_legend(const struct kind *k, bool explained[KNOWN], FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    const char *separator = "";
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        abort();
    for (size_t s = 0; s < k->state_count; s++) {
        int i = known_index(k->states[s]);
        if (!k->shown[s] || i == KNOWN || explained[i])
            continue;
        explained[i] = true;
        fprintf(memory, "%s%s: %s", separator, k->states[s], known[i].what);
        separator = "; ";
    }
    fclose(memory);
    if (size > 0)
        table_text(text, out);
    free(text);
}

static bool seen_before(const json_t *units, size_t index, const char *kind)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(report_string(json_array_get(units, i), "kind"), kind) == 0)
            return true;
    return false;
}

void report_units(const json_t *result, FILE *out)
{
    const json_t *units = json_object_get(result, "units"), *unit;
    bool explained[KNOWN] = { false };
    const char *gap = "";
    size_t i;
    fputs("\nUnits (% of the time; units that differ by at most 0.5 are one row, their mean)\n",
          out);
    for (i = 0; (unit = json_array_get(units, i)) != NULL; i++) {
        const char *name = report_string(unit, "kind");
        if (seen_before(units, i, name))
            continue;
        struct kind k = gather(units, name, report_number(result, "time_s"));
        fputs(gap, out);
        print_table(&k, out);
        if (k.alike > ALIKE)
            fprintf(out, "  (here a row's units differ by at most %.0f)\n", 100 * k.alike);
        print_legend(&k, explained, out);
        free(k.rows);
        gap = "\n";
    }
}
