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
        if (!machine_set(m, c->sets[i], "--set", d)) {
            machine_free(m);
            m = NULL;
        }
    return m;
}
