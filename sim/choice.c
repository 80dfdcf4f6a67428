/* choice.c - --arch, --machine and --set. */
#include "sim/choice.h"

bool choice_take(struct choice *c, int row, const char *value)
{
    switch (row) {
    case 0: c->arch = value; return true;
    case 1: c->file = value; return true;
    case 2:
        if (c->count < CHOICE_SETS)
            c->sets[c->count] = value;
        c->count++;
        return true;
    default: return false;
    }
}

void choice_place(struct choice *c, const char *file, unsigned line, unsigned column)
{
    if (c->count == 0 || c->count > CHOICE_SETS)
        return;
    c->places[c->count - 1].file   = file;
    c->places[c->count - 1].line   = line;
    c->places[c->count - 1].column = column;
}

/* False, and what is wrong in its place. */
static bool set(const struct choice *c, size_t i, struct machine *m, struct diag *d)
{
    if (machine_set(m, c->sets[i], "--set", d))
        return true;
    if (c->places[i].file) {
        snprintf(d->file, sizeof d->file, "%s", c->places[i].file);
        d->line   = c->places[i].line;
        d->column = c->places[i].column + (d->column > 0 ? d->column - 1 : 0);
    }
    return false;
}

struct machine *choice_machine(const struct choice *c, const struct schema *s,
                               struct diag *d)
{
    struct machine *m = NULL;
    if (c->arch != NULL && c->file != NULL)
        diag_set(d, 0, 0, "--arch and --machine are both given; expected one of them");
    else if (c->count > CHOICE_SETS)
        diag_set(d, 0, 0, "--set is given %zu times; expected %d at most", c->count,
                 CHOICE_SETS);
    else if (c->arch != NULL)
        m = machine_find(s, c->arch, d);
    else if (c->file != NULL)
        m = machine_read(s, c->file, d);
    else
        diag_set(d, 0, 0, "no machine is given; expected --arch NAME or --machine FILE");
    for (size_t i = 0; m != NULL && i < c->count; i++)
        if (!set(c, i, m, d)) {
            machine_free(m);
            m = NULL;
        }
    return m;
}
