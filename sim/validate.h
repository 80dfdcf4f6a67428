/* validate.h - the model beside measured chips: rows to run, what came out, and verdicts.
 *
 *     files of tests/reference --> sets of rows --> runs, some at a time --> tables
 *
 * A row is something that was measured once and can be run here.  Rows are made first,
 * each with a function that runs it; then all are run, each in a process of its own, so
 * that the tables do not depend on how many ran at a time.
 *
 * A column `size` of a CSV says from which size on a row is run: quick, default or all.
 * A file without it (the original of another source) is run whole.
 */
#ifndef SIM_VALIDATE_H
#define SIM_VALIDATE_H

#include <stdio.h>

#include "sim/figures.h"

#define VALIDATE_ARGS 8

enum validate_size { VALIDATE_QUICK, VALIDATE_DEFAULT, VALIDATE_ALL, VALIDATE_SIZES };
extern const char *const validate_size_names[VALIDATE_SIZES];

/* Which side of its roof a row is on; small ones are mostly fixed costs. */
#define VALIDATE_CLASSES(X) X(COMPUTE, "compute") X(MEMORY, "memory") X(SMALL, "small") X(NONE, "-")
enum validate_class {
#define CLASS(id, name) VALIDATE_##id,
    VALIDATE_CLASSES(CLASS)
#undef CLASS
    VALIDATE_CLASSES_COUNT
};
extern const char *const validate_class_names[VALIDATE_CLASSES_COUNT];

#define VALIDATE_SMALL_S 50e-6

enum validate_kind {
    VALIDATE_RUN,           /* measured against simulated */
    VALIDATE_RANGE,         /* simulated should lie between two figures */
    VALIDATE_INPUT,         /* a figure of the machine file: true by being put in */
    VALIDATE_MISSING        /* measured, and not modelled */
};

struct validate_row {
    enum validate_kind  kind;
    enum validate_class class;
    bool   judged;                      /* counts for its set's bar */
    char   what[112], group[32];        /* group: rows whose means are given apart */
    char   note[96];
    double measured, high;              /* high: of a range that begins at `measured` */
    double roofline;                    /* in the unit of the row; 0: none */

    /* Runs it; NAN with the reason in `d`. */
    double (*run)(const struct validate_row *row, struct diag *d);
    const struct machine *machine;
    double arg[VALIDATE_ARGS];          /* what `run` makes of them */
    const void *detail;                 /* the same; borrowed */

    double simulated;                   /* what came out; NAN: it failed, `error` says why */
    char   error[160];
};

struct validate_set {
    const char *title, *unit, *about;   /* about: where from, which constants; Markdown */
    bool   points;                      /* the unit is percent: errors in points, too */
    double mean_bar, each_bar, points_bar;      /* percent, percent, points; 0: none */
    struct validate_row *rows;
    size_t count, room;
};

struct validation {
    const char        *folder;          /* of the reference files */
    const char        *measured;        /* a file of make gpu-measure; NULL: those of `folder` */
    enum validate_size size;
    struct validate_set *sets;
    size_t               count;
    struct machine      *machines[16];
    struct validate_own *own;           /* validate_against.c's rows */
};

/* Sets that read from `folder`; each is a part that the command can be asked for. */
bool validate_v2(struct validation *v, struct diag *d);
bool validate_v3(struct validation *v, struct diag *d);
bool validate_v4(struct validation *v, struct diag *d);
bool validate_v5e(struct validation *v, struct diag *d);
bool validate_power(struct validation *v, struct diag *d);
bool validate_v100(struct validation *v, struct diag *d);
bool validate_a100(struct validation *v, struct diag *d);
bool validate_linear(struct validation *v, struct diag *d);
bool validate_micro(struct validation *v, struct diag *d);
bool validate_gpu_power(struct validation *v, struct diag *d);
bool validate_measured(struct validation *v, struct diag *d);

/* A user's own measurements, from a CSV (docs/commands.md).  False with the reason in `d`, with file
 * and line. */
bool validate_against(struct validation *v, const char *path, struct diag *d);

void validate_clear(struct validation *v);

/* For these: the machine of that name, kept in `v`; a set copied in; a row copied in. */
const struct machine *validate_machine(struct validation *v, const char *name, struct diag *d);
struct validate_set  *validate_add_set(struct validation *v, const struct validate_set *set);
void validate_add_row(struct validate_set *s, const struct validate_row *row);

/* Runs every row of every set, `jobs` at a time. */
void validate_run(struct validation *v, unsigned jobs);

/* Percent, signed: of the measured value, or by how much it is outside of the range. */
double validate_error(const struct validate_row *r);
bool   validate_meets(const struct validate_set *s);    /* all its bars */

/* Tables in Markdown, padded so that they line up as text. */
void validate_print_verdicts(const struct validation *v, FILE *out);
void validate_print_set(const struct validate_set *s, FILE *out);

#endif
