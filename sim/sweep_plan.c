/* sweep_plan.c - from a point's number to its machine and trace. */
#include "sim/sweep_plan.h"

#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "sim/sweep_parameter.h"
#include "traces/text.h"

/* ---- axes ---- */

static bool is_figure(const char *name)
{
    return strchr(name, '.') != NULL;
}

static bool unknown(const struct sweep_axis *a, const struct sweep_word *w, struct diag *d)
{
    const char *near = sweep_parameter_nearest(w->text);
    if (near)
        return sweep_axis_refuse(a, w, d, "%.60s: no such parameter; did you mean %s?", w->text,
                                 near);
    return sweep_axis_refuse(a, w, d, "%.60s: no such parameter; expected SECTION.FIGURE of the "
                             "machine, or one that `simaccel sweep --help` lists", w->text);
}

static bool is_given(const struct sweep_plan *p, size_t axes, const struct sweep_axis *a, size_t n)
{
    for (size_t i = 0; i <= axes; i++)
        for (size_t k = 0; k < (i < axes ? p->axes[i].names : n); k++)
            if (strcmp((i < axes ? &p->axes[i] : a)->name[k].text, a->name[n].text) == 0)
                return true;
    return false;
}

static bool check_names(const struct sweep_plan *p, const struct sweep_axis *a, struct diag *d)
{
    for (size_t n = 0; n < a->names; n++) {
        if (!is_figure(a->name[n].text) && !sweep_parameter_what(a->name[n].text))
            return unknown(a, &a->name[n], d);
        if (is_given(p, p->axis_count, a, n))
            return sweep_axis_refuse(a, &a->name[n], d, "%.60s is swept twice; expected once",
                                     a->name[n].text);
    }
    return true;
}

bool sweep_plan_add(struct sweep_plan *p, const char *text, const struct sweep_place *place,
                    struct diag *d)
{
    struct sweep_axis a;
    if (p->axis_count == SWEEP_AXES) {
        snprintf(d->file, sizeof d->file, "%s", place->file);
        return diag_set(d, place->line, place->column, "more than %d axes; expected fewer",
                        SWEEP_AXES);
    }
    if (!sweep_axis_parse(&a, text, place, d))
        return false;
    if (!check_names(p, &a, d)) {
        sweep_axis_free(&a);
        return false;
    }
    p->axes[p->axis_count++] = a;
    return true;
}

/* The step of axis `a` in a point: the last axis changes fastest. */
static size_t step_of(const struct sweep_plan *p, size_t point, size_t a)
{
    for (size_t i = p->axis_count - 1; i > a; i--)
        point /= p->axes[i].count;
    return point % p->axes[a].count;
}

const struct sweep_word *sweep_plan_value(const struct sweep_plan *p, size_t point, size_t a,
                                          size_t n)
{
    return sweep_axis_value(&p->axes[a], step_of(p, point, a), n);
}

/* The axis and place in it of `arch`; false: it is not swept. */
static bool find_arch(const struct sweep_plan *p, size_t *axis, size_t *name)
{
    for (size_t a = 0; a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++)
            if (strcmp(p->axes[a].name[n].text, "arch") == 0) {
                *axis = a;
                *name = n;
                return true;
            }
    return false;
}

/* ---- a point ---- */

/* The column of the assignment "mxu.rows=0" as the one of the name or the value in the axis. */
static bool misplaced(const struct sweep_axis *a, const struct sweep_word *name,
                      const struct sweep_word *value, struct diag *d)
{
    struct diag is = *d;
    size_t length = strlen(name->text);
    bool in_name = is.column <= length;
    struct sweep_word at = { NULL, in_name ? name->column + is.column - 1 : value->column };
    d->text[0] = '\0';
    return sweep_axis_refuse(a, &at, d, "%s", is.text);
}

static bool has_section(const struct machine *m, const char *figure)
{
    char section[64];
    snprintf(section, sizeof section, "%.*s", (int)strcspn(figure, "."), figure);
    json_t *sections = machine_json(m);
    bool has = json_object_get(sections, section) != NULL;
    json_decref(sections);
    return has;
}

/* Whether another machine of the plan has the figure's section, and this one has not. */
static bool is_anothers(const struct sweep_plan *p, const struct machine *m, const char *figure)
{
    bool another = false;
    for (size_t i = 0; i < p->machine_count; i++)
        another |= has_section(p->machines[i], figure);
    return another && !has_section(m, figure);
}

static bool set_figure(struct machine *m, const struct sweep_axis *a,
                       const struct sweep_word *name, const struct sweep_word *value,
                       struct diag *d)
{
    char *set;
    if (asprintf(&set, "%s=%s", name->text, value->text) < 0)
        abort();
    bool good = machine_set(m, set, "--over", d) || misplaced(a, name, value, d);
    free(set);
    return good;
}

static bool set_parameter(const struct sweep_plan *p, struct sweep_point *made,
                          const struct sweep_axis *a, const struct sweep_word *name,
                          const struct sweep_word *value, struct diag *d)
{
    if (!made->network && sweep_parameter_is_of_network(name->text))
        return sweep_axis_refuse(a, name, d, "%.200s is a trace, whose ops and sizes are fixed; "
                                 "expected a network for %s", p->file, name->text);
    return sweep_parameter_set(made, name->text, value->text)
        || sweep_axis_refuse(a, value, d, "%s: %.60s is none of its values; expected %s",
                             name->text, value->text, sweep_parameter_what(name->text));
}

/* The machine first: whether a figure exists depends on it. */
static bool set_all(const struct sweep_plan *p, size_t point, struct sweep_point *made,
                    struct diag *d)
{
    size_t axis = 0, name = 0;
    bool swept = find_arch(p, &axis, &name);
    made->machine = machine_copy(p->machines[swept ? step_of(p, point, axis) : 0]);
    for (size_t a = 0; a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++) {
            const struct sweep_axis *x = &p->axes[a];
            const struct sweep_word *value = sweep_plan_value(p, point, a, n);
            bool figure = is_figure(x->name[n].text);
            if (figure && p->of_some && is_anothers(p, made->machine, x->name[n].text))
                continue;
            if (figure ? !set_figure(made->machine, x, &x->name[n], value, d)
                       : !set_parameter(p, made, x, &x->name[n], value, d))
                return false;
        }
    return true;
}

static bool starts(const struct sweep_plan *p, const char *word)
{
    return p->size >= strlen(word) && memcmp(p->text, word, strlen(word)) == 0;
}

static bool read_network(const struct sweep_plan *p, struct sweep_point *made, struct diag *d)
{
    if (!starts(p, "simaccel-net"))
        return true;
    snprintf(d->file, sizeof d->file, "%s", p->file);
    made->network = net_read_memory(p->text, p->size, d);
    if (made->network)
        d->file[0] = '\0';
    return made->network != NULL;
}

static bool make_trace(const struct sweep_plan *p, struct sweep_point *made, struct diag *d)
{
    snprintf(d->file, sizeof d->file, "%s", p->file);
    if (made->network)
        made->trace = net_expand(made->network, &made->net, d);
    else if (made->net.inference || made->net.batch)
        diag_set(d, 0, 0, "this is a trace, whose ops and sizes are fixed; expected a network for "
                 "batch and inference");
    else
        made->trace = trace_read_memory(p->text, p->size, d);
    if (made->trace)
        d->file[0] = '\0';
    return made->trace != NULL;
}

static void print_input(const struct sweep_point *p, FILE *out)
{
    const struct run_options *r = &p->run;
    fprintf(out, "simaccel %s\nmachine %s\nkind %s\n", SIMACCEL_VERSION, machine_name(p->machine),
            machine_kind_name(machine_kind(p->machine)));
    machine_print_values(p->machine, out);
    fprintf(out, "cores %u\nhighest %d\noverlap %d\nexact %d\nsample %d\nclock_mhz %.17g\n",
            (unsigned)r->lower.cores, r->lower.highest, r->lower.overlap, r->exact, r->sample,
            r->clock_mhz);
    trace_write(p->trace, out);
}

static void hash_input(const struct sweep_point *p, char hash[SHA256_TEXT])
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    print_input(p, out);
    if (fclose(out) != 0)
        abort();
    sha256_text(text, size, hash);
    free(text);
}

/* "--ideal foo: ..." is said of the option; here it is a value of an axis. */
static bool apply(const struct sweep_plan *p, size_t point, struct sweep_point *made,
                  struct diag *d)
{
    if (run_options_apply(&made->run, made->machine, d))
        return true;
    struct diag is = *d;
    for (size_t a = 0; is.line == 0 && a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++) {
            const char *name = p->axes[a].name[n].text;
            size_t length = strlen(name);
            if (strncmp(is.text, "--", 2) != 0 || strncmp(is.text + 2, name, length) != 0)
                continue;
            d->text[0] = '\0';
            return sweep_axis_refuse(&p->axes[a], sweep_plan_value(p, point, a, n), d, "%s",
                                     is.text + 2);
        }
    return false;
}

bool sweep_point_make(const struct sweep_plan *p, size_t point, struct sweep_point *made,
                      struct diag *d)
{
    *made = (struct sweep_point){ .run = p->run, .net = p->net };
    if (read_network(p, made, d) && set_all(p, point, made, d) && apply(p, point, made, d)
        && make_trace(p, made, d))
        return true;
    sweep_point_free(made);
    return false;
}

void sweep_point_free(struct sweep_point *made)
{
    machine_free(made->machine);
    trace_free(made->trace);
    net_free(made->network);
    made->machine = NULL;
    made->network = NULL;
    made->trace = NULL;
}

/* ---- the whole plan ---- */

static bool count_points(struct sweep_plan *p, struct diag *d)
{
    p->points = 1;
    for (size_t a = 0; a < p->axis_count; a++) {
        p->points *= p->axes[a].count;
        if (p->points > SWEEP_POINTS)
            return sweep_axis_refuse(&p->axes[a], &p->axes[a].name[0], d, "more than a million "
                                     "points in all; expected fewer");
    }
    return true;
}

/* `w`: the value of a swept arch, or NULL. */
static struct machine *open_machine(const struct sweep_plan *p, const struct sweep_axis *a,
                                    const struct sweep_word *w, struct diag *d)
{
    struct choice c = p->run.choice;
    c.arch = w ? w->text : c.arch;
    struct machine *m = choice_machine(&c, &figures_schema, d);
    if (!m && w && d->line == 0) {
        struct diag is = *d;
        d->text[0] = '\0';
        sweep_axis_refuse(a, w, d, "%s", is.text);
    }
    return m;
}

static bool open_machines(struct sweep_plan *p, struct diag *d)
{
    size_t axis = 0, name = 0;
    bool swept = find_arch(p, &axis, &name);
    const struct sweep_axis *a = &p->axes[axis];
    if (swept && (p->run.choice.arch || p->run.choice.file))
        return sweep_axis_refuse(a, &a->name[name], d, "arch is swept, and the machine is given "
                                 "besides; expected one of them");
    size_t count = swept ? a->count : 1;
    p->machines = calloc(count, sizeof *p->machines);
    if (!p->machines)
        abort();
    for (; p->machine_count < count; p->machine_count++) {
        struct machine *m = open_machine(p, a, swept ? sweep_axis_value(a, p->machine_count, name)
                                                     : NULL, d);
        if (!m)
            return false;
        p->machines[p->machine_count] = m;
    }
    return true;
}

/* How well a message about a chip fits a name: 4, it has the whole "hbm.stacks"; 3, "stacks"; 2 and
 * 1, it may follow from it; 0, the network has nothing to do with it. */
static int fits(const char *message, const char *name)
{
    const char *dot = strchr(name, '.');
    if (sweep_parameter_is_of_network(name))
        return 0;
    return strstr(message, name) ? 4 : dot && strstr(message, dot + 1) ? 3 : dot ? 2 : 1;
}

/* Says what is wrong with a point's chip at the value that the message fits best, if any. */
static bool blame(const struct sweep_plan *p, size_t point, struct diag *d)
{
    char is[sizeof d->text];
    size_t axis = 0, name = 0;
    int best = 0;
    strcpy(is, d->text);
    for (size_t a = 0; a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++)
            if (fits(is, p->axes[a].name[n].text) > best) {
                best = fits(is, p->axes[a].name[n].text);
                axis = a;
                name = n;
            }
    if (best == 0)
        return false;
    d->text[0] = '\0';
    return sweep_axis_refuse(&p->axes[axis], sweep_plan_value(p, point, axis, name), d,
                             "point %zu: %s", point + 1, is);
}

static bool check_chip(const struct sweep_plan *p, size_t point, const struct sweep_point *made,
                       struct diag *d)
{
    struct experiment e = run_options_experiment(&made->run, made->machine);
    return experiment_check(&e, d) || blame(p, point, d);
}

static bool check_points(struct sweep_plan *p, struct diag *d)
{
    p->hashes = calloc(p->points, sizeof *p->hashes);
    if (!p->hashes)
        abort();
    for (size_t i = 0; i < p->points; i++) {
        struct sweep_point made;
        if (!sweep_point_make(p, i, &made, d))
            return false;
        bool good = check_chip(p, i, &made, d);
        hash_input(&made, p->hashes[i]);
        sweep_point_free(&made);
        if (!good)
            return false;
    }
    return true;
}

bool sweep_plan_load(struct sweep_plan *p, struct diag *d)
{
    p->text = text_load(p->file, &p->size, d);
    return p->text && (p->size > 0 || diag_set(d, 1, 1, "the file is empty; expected a first line, "
                                               "as 'simaccel-net 1'"));
}

bool sweep_plan_open(struct sweep_plan *p, struct diag *d)
{
    if (!count_points(p, d) || !open_machines(p, d))
        return false;
    if (!p->text && !sweep_plan_load(p, d))
        return false;
    snprintf(d->file, sizeof d->file, "%s", p->file);
    if (!starts(p, "simaccel-net") && !starts(p, "simaccel-trace"))
        return diag_set(d, 1, 1, "neither a trace nor a network; expected a first line "
                        "'simaccel-trace 1' or 'simaccel-net 1'");
    d->file[0] = '\0';
    return check_points(p, d);
}

void sweep_plan_close(struct sweep_plan *p)
{
    for (size_t a = 0; a < p->axis_count; a++)
        sweep_axis_free(&p->axes[a]);
    for (size_t i = 0; i < p->machine_count; i++)
        machine_free(p->machines[i]);
    free(p->machines);
    free(p->text);
    free(p->hashes);
    *p = (struct sweep_plan){ .points = 0 };
}
