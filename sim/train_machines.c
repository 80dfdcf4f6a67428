/* train_machines.c - see train_machines.h. */
#include "sim/train_machines.h"

#include <string.h>

#include "sim/figures.h"

/* "a,b" to names; "both" is one of either kind. */
static bool split_names(struct train_machines *m, const char *arch, struct diag *d)
{
    const char *list = strcmp(arch, "both") == 0 ? "tpu,gpu" : arch;
    for (; ; ) {
        size_t n = strcspn(list, ",");
        if (m->count == TRAIN_MACHINES_NAMED || n >= sizeof m->names[0])
            return diag_set(d, 0, 0, "--arch %.80s: expected at most %d names of machines", arch,
                            TRAIN_MACHINES_NAMED);
        snprintf(m->names[m->count++], sizeof m->names[0], "%.*s", (int)n, list);
        if (list[n] == '\0')
            return true;
        list += n + 1;
    }
}

/* Of options for one kind of machine those that mean something to this one. */
static void keep_meant(struct run_options *r, enum machine_kind kind)
{
    if (kind == MACHINE_GPU) {
        r->lower.cores = 0;
        r->exact = false;
    } else {
        r->clock_mhz = 0;
        r->sample = false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < r->ideal_count; i++)
        if (experiment_ideal_means(kind, r->ideals[i])
            || !experiment_ideal_means(1 - kind, r->ideals[i]))     /* of neither: refused later */
            r->ideals[kept++] = r->ideals[i];
    r->ideal_count = kept;
}

/* A figure is set on the machines that have its section. */
static void keep_sets(struct choice *c, const struct machine *m)
{
    json_t *sections = machine_json(m);
    size_t kept = 0;
    for (size_t i = 0; i < c->count && i < CHOICE_SETS; i++) {
        char section[64];
        snprintf(section, sizeof section, "%.*s", (int)strcspn(c->sets[i], "."), c->sets[i]);
        if (json_object_get(sections, section))
            c->sets[kept++] = c->sets[i];
    }
    c->count = kept;
    json_decref(sections);
}

bool train_machines_is_file(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') || (n > 5 && strcmp(name + n - 5, ".yaml") == 0);
}

static bool open_machine(struct train_machines *m, unsigned i, bool several, struct diag *d)
{
    struct run_options *r = &m->options[i];
    if (several) {
        bool file = train_machines_is_file(m->names[i]);
        struct choice bare = { .arch = file ? NULL : m->names[i],
                               .file = file ? m->names[i] : NULL };
        struct machine *plain = choice_machine(&bare, &figures_schema, d);
        if (!plain)
            return false;
        r->choice.arch = bare.arch;
        r->choice.file = bare.file;
        keep_meant(r, machine_kind(plain));
        keep_sets(&r->choice, plain);
        machine_free(plain);
    }
    m->machine[i] = run_options_machine(r, d);
    if (m->machine[i])
        d->file[0] = '\0';              /* what is wrong from here on is in no file */
    for (unsigned j = 0; j < i && m->machine[i]; j++)
        if (strcmp(machine_name(m->machine[i]), machine_name(m->machine[j])) == 0)
            return diag_set(d, 0, 0, "%s is named twice; expected each machine once",
                            machine_name(m->machine[i]));
    return m->machine[i] != NULL;
}

/* Sets that no machine has are as wrong as with one machine. */
static bool check_sets(const struct choice *c, const struct train_machines *m, struct diag *d)
{
    for (size_t s = 0; s < c->count && s < CHOICE_SETS; s++) {
        bool used = false;
        for (unsigned i = 0; i < m->count; i++)
            for (size_t j = 0; j < m->options[i].choice.count; j++)
                used |= m->options[i].choice.sets[j] == c->sets[s];
        if (!used)
            return diag_set(d, 0, 0, "--set %.80s: none of the machines has such a section; "
                            "expected a figure of one of them", c->sets[s]);
    }
    return true;
}

bool train_machines_open(struct train_machines *m, const struct run_options *asked,
                         double loss_scale, struct diag *d)
{
    const struct choice *c = &asked->choice;
    bool several = c->arch && !c->file && (strcmp(c->arch, "both") == 0 || strchr(c->arch, ','));
    if (several && !split_names(m, c->arch, d))
        return false;
    if (!several)
        m->count = c->arch || c->file;
    for (unsigned i = 0; i < m->count; i++) {
        m->options[i] = *asked;
        if (!open_machine(m, i, several, d))
            return false;
        snprintf(m->scaled_names[i], sizeof m->scaled_names[i], "%s x%g",
                 machine_name(m->machine[i]), loss_scale);
    }
    return !several || check_sets(c, m, d);
}

void train_machines_close(struct train_machines *m)
{
    for (unsigned i = 0; i < m->count; i++)
        machine_free(m->machine[i]);
}
