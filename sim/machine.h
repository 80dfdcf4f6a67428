/* machine.h - a chip as data: figures read from machine files, each with its source.
 *
 *     name: tpu-v3-slow
 *     parent: tpu-v3                       # found beside this file, then as machine_find
 *     mxu:
 *       rows: {value: 64, source: "this exercise"}
 *
 * The figures that there are come from a schema: one row a section, whose parameters
 * are the model's own table (models/param.h).  The values lie in one plain struct, the
 * caller's `struct figures`, at the offsets that the schema gives.  For each figure the
 * machine also remembers its source and where it was set, so that a report can say so.
 *
 * Every way in which a file can be wrong ends in a struct diag with line and column: a
 * figure missing, unknown, given twice, out of range or without a source; a parent that
 * is missing or its own ancestor; YAML beyond what is shown above.
 *
 * Not modelled: lists, expressions, figures that depend on each other (a model checks
 * those when it is built).
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include <jansson.h>
#include <stdio.h>

#include "models/param.h"
#include "traces/diag.h"

enum machine_kind { MACHINE_TPU, MACHINE_GPU, MACHINE_CPU, MACHINE_KINDS };

#define MACHINE_USES(kind) (1u << (kind))       /* for the bit sets below */

struct section {
    const char         *name;       /* "mxu" */
    const char         *what;       /* "the matrix units" */
    const struct param *params;
    size_t              count;
    size_t              offset;     /* of its config in struct figures */
    unsigned            kinds;      /* MACHINE_USES of each kind that has it */
};

struct schema {
    const struct section *sections;
    size_t   count;
    size_t   size;                  /* of struct figures */
    unsigned kinds;                 /* that this version models */
};

struct machine;

/* By name ("tpu-v3", or "tpu" for it) from the search path: the folders of
 * $SIMACCEL_MACHINES, then those that belong to the executable. */
struct machine *machine_find(const struct schema *s, const char *name, struct diag *d);

/* From a file, or from text that errors call `file`.  The schema is borrowed. */
struct machine *machine_read(const struct schema *s, const char *path, struct diag *d);
struct machine *machine_read_text(const struct schema *s, const char *text, size_t length,
                                  const char *file, struct diag *d);

struct machine *machine_copy(const struct machine *m);
void            machine_free(struct machine *m);

/* "mxu.rows=256".  `where` is what errors and reports call its place ("--set"); the new
 * figure's source is the same.  On failure nothing is changed. */
bool machine_set(struct machine *m, const char *assignment, const char *where,
                 struct diag *d);

const char       *machine_name(const struct machine *m);
const char       *machine_description(const struct machine *m);
enum machine_kind machine_kind(const struct machine *m);
const char       *machine_kind_name(enum machine_kind kind);     /* "tpu" */

/* The caller's struct figures, all values in force.  Valid until machine_free. */
const void *machine_figures(const struct machine *m);

/* "chapter 3, table 2" and "models/machines/tpu-v3.yaml:12" for "mxu.rows", which
 * must exist; NULL for a section that this kind does not have. */
const char *machine_source(const struct machine *m, const char *figure);
const char *machine_set_at(const struct machine *m, const char *figure);

/* All figures with unit, source and where they were set.  Either is itself a machine
 * file (JSON is YAML) that reads back to the same values and sources; the JSON is
 * "parameters" of a report. */
void    machine_print(const struct machine *m, FILE *out);
json_t *machine_json(const struct machine *m);          /* a new reference */

/* "mxu.rows=128" and so on, a line a figure: what runs alike, wherever it comes from. */
void machine_print_values(const struct machine *m, FILE *out);

/* A file that belongs to the program, as "workloads/digits.net": in the tree, or where it is
 * installed, it is found from the folders of the machine files.  False: there is none. */
bool machine_beside(const char *file, char *path, size_t size);

/* Calls `each` with every machine file of the search path, by folder, then by name; one
 * that an earlier folder hides is left out. */
void machine_list(void (*each)(void *self, const char *name, const char *path), void *self);

#endif
