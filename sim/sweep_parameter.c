/* sweep_parameter.c - see sweep_parameter.h. */
#include "sim/sweep_parameter.h"

#include <assert.h>
#include <string.h>

/* ---- setters: each takes a value, or says false ---- */

/* Which of two words; -1: neither. */
static int which(const char *value, const char *first, const char *second)
{
    return strcmp(value, first) == 0 ? 0 : strcmp(value, second) == 0 ? 1 : -1;
}

static bool set_arch(struct sweep_point *p, const char *value)      /* sweep_plan_open has it */
{
    p->run.choice.arch = value;
    return true;
}

static bool set_inference(struct sweep_point *p, const char *value)
{
    p->net.inference = which(value, "no", "yes") == 1;
    return which(value, "no", "yes") >= 0;
}

static bool set_cores(struct sweep_point *p, const char *value)
{
    return run_options_number(value, 64, &p->run.lower.cores);
}

static bool set_precision(struct sweep_point *p, const char *value)
{
    p->run.lower.highest = which(value, "default", "highest") == 1;
    return which(value, "default", "highest") >= 0;
}

static bool set_clock(struct sweep_point *p, const char *value)
{
    return run_options_real(value, 10000, &p->run.clock_mhz);
}

/* Which limits there are depends on the machine, so that is seen later. */
static bool set_ideal(struct sweep_point *p, const char *value)
{
    if (strcmp(value, "none") == 0)
        return true;
    if (p->run.ideal_count == RUN_IDEALS)
        return false;
    p->run.ideals[p->run.ideal_count++] = value;
    return true;
}

/* ---- the table ---- */

static const struct parameter {
    const char *name, *of, *what;
    bool      (*set)(struct sweep_point *p, const char *value);     /* NULL: net_change */
} parameters[] = {
#define PARAMETER(name, of, what) { #name, of, what, set_##name },
    SWEEP_PARAMETERS(PARAMETER)
#undef PARAMETER
#define CHANGE(name, what) { #name, "network", what, NULL },
    NET_CHANGES(CHANGE)
#undef CHANGE
};
#define PARAMETERS (sizeof parameters / sizeof parameters[0])

static const struct parameter *find(const char *name)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        if (strcmp(name, parameters[i].name) == 0)
            return &parameters[i];
    return NULL;
}

const char *sweep_parameter_what(const char *name)
{
    const struct parameter *x = find(name);
    return x ? x->what : NULL;
}

const char *sweep_parameter_nearest(const char *name)
{
    const char *names[PARAMETERS];
    for (size_t i = 0; i < PARAMETERS; i++)
        names[i] = parameters[i].name;
    return diag_nearest(name, names, PARAMETERS);
}

bool sweep_parameter_is_of_network(const char *name)
{
    const struct parameter *x = find(name);
    return x && strcmp(x->of, "network") == 0;
}

/* A batch that is swept takes the place of --batch. */
bool sweep_parameter_set(struct sweep_point *p, const char *name, const char *value)
{
    const struct parameter *x = find(name);
    assert(x);
    if (x->set)
        return x->set(p, value);
    if (strcmp(name, "batch") == 0)
        p->net.batch = 0;
    return net_change(p->network, name, value);
}

void sweep_parameters_print(FILE *out)
{
    fputs("  SECTION.FIGURE           machine: any figure that `simaccel machine NAME` prints\n",
          out);
    for (size_t i = 0; i < PARAMETERS; i++)
        fprintf(out, "  %-24s %s: %s\n", parameters[i].name, parameters[i].of, parameters[i].what);
}
