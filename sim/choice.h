/* choice.h - the options by which any command is told its machine.
 *
 *     static const struct option_row rows[] = { CHOICE_OPTIONS, { "json", "FILE", ... } };
 *     ...
 *     if (i >= 0 && choice_take(&choice, i, o.value)) continue;
 *     struct machine *m = choice_machine(&choice, &figures_schema, &d);
 */
#ifndef SIM_CHOICE_H
#define SIM_CHOICE_H

#include "sim/machine.h"
#include "sim/options.h"

#define CHOICE_OPTIONS \
    { "arch",    "NAME",         "the machine, by name: tpu, tpu-v4, ..." }, \
    { "machine", "FILE",         "the machine, from a file" }, \
    { "set",     "FIGURE=VALUE", "change one figure, as mxu.rows=256 (many times)" }
#define CHOICE_ROWS 3
#define CHOICE_SETS 256

struct choice {
    const char *arch, *file;            /* NULL: not given */
    const char *sets[CHOICE_SETS];
    size_t      count;
    struct {
        const char *file;
        unsigned    line, column;
    } places[CHOICE_SETS];              /* where values stand; no file: on the command line */
};

/* Takes the option if it is row 0 to 2 of a table that begins with CHOICE_OPTIONS. */
bool choice_take(struct choice *c, int row, const char *value);

/* Says where the last value of --set stands. */
void choice_place(struct choice *c, const char *file, unsigned line, unsigned column);

/* The machine with its changes made, in order; NULL with a diag. */
struct machine *choice_machine(const struct choice *c, const struct schema *s,
                               struct diag *d);

#endif
