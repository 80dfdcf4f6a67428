/* machine_inside.h - what the files sim/machine*.c know of a machine, and nobody else. */
#ifndef SIM_MACHINE_INSIDE_H
#define SIM_MACHINE_INSIDE_H

#include "sim/machine.h"
#include "sim/sheet.h"

#define MACHINE_NAME 64
#define MACHINE_TEXT 1024       /* the longest source or description */

/* Where a figure's value came from; both NULL while it has none. */
struct setting { char *source, *where; };

struct machine {
    const struct schema *schema;
    char              name[MACHINE_NAME];
    char             *description;
    enum machine_kind kind;
    bool              has_kind;     /* false until a file has said so */
    struct setting   *settings;     /* one a parameter, in the schema's order */
    size_t            count;
    void             *figures;
};

/* One figure of the schema. */
struct figure {
    const struct section *section;
    const struct param   *param;
    size_t                index;    /* in settings */
};

/* Walks the figures that a machine of this kind has, in the schema's order, from a
 * struct figure of zeros; false at the end. */
bool machine_next(const struct machine *m, struct figure *f);

struct machine *machine_new(const struct schema *s);    /* without a figure */

/* The figure of that name; an unknown one is an error with the nearest name. */
bool machine_figure(const struct machine *m, const struct word *section,
                    const struct word *name, struct figure *f, struct diag *d);

/* Gives a figure its value; on failure nothing is changed. */
bool machine_put(struct machine *m, const struct figure *f, const struct word *value,
                 const char *source, const char *where, struct diag *d);

/* The section's config. */
void *machine_config(const struct machine *m, const struct section *s);

/* Whether a name can be a machine's: letters, digits, '.', '_' and '-', no '.' first. */
bool machine_name_ok(const char *name);

/* The path of a machine file by name: in `beside` (a file of that folder) if it is not
 * NULL, then in the search path.  The caller frees it; NULL if there is none. */
char *machine_path(const char *name, const char *beside);

#endif
