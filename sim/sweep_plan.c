/* sweep_plan.c - from a point's number to its machine and trace. */
#include "sim/sweep_plan.h"

#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "traces/text.h"

/* ---- parameters: each takes a value, or says false ---- */

static bool set_whole(const char *value, uint64_t most, uint64_t *to)
{
    unsigned n;
    bool good = run_options_number(value, (unsigned)most, &n);
    *to = good ? n : *to;
    return good;
}

static bool set_word(const char *value, const char *const *words, int count, int *to)
{
    for (int i = 0; i < count; i++)
        if (strcmp(value, words[i]) == 0) {
            *to = i;
            return true;
        }
    return false;
}

static bool set_arch(struct sweep_point *p, const char *value)      /* sweep_plan_open has it */
{
    p->run.choice.arch = value;
    return true;
}

static bool set_batch(struct sweep_point *p, const char *value)
{
    return set_whole(value, NET_WIDTH_MAX, &p->net.batch);
}

static bool set_width(struct sweep_point *p, const char *value)
{
    return set_whole(value, NET_WIDTH_MAX, &p->width);
}

static bool set_compute(struct sweep_point *p, const char *value)
{
    return set_word(value, trace_type_names, TRACE_TYPES_COUNT, &p->compute)
        && p->compute != TRACE_I32;
}

static bool set_inference(struct sweep_point *p, const char *value)
{
    static const char *const words[] = { "no", "yes" };
    int yes = 0;
    bool good = set_word(value, words, 2, &yes);
    p->net.inference = yes == 1;
    return good;
}

static bool set_cores(struct sweep_point *p, const char *value)
{
    return run_options_number(value, 64, &p->run.lower.cores);
}

static bool set_precision(struct sweep_point *p, const char *value)
{
    static const char *const words[] = { "default", "highest" };
    int highest = 0;
    bool good = set_word(value, words, 2, &highest);
    p->run.lower.highest = highest == 1;
    return good;
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

static const struct parameter {
    const char *name, *of, *what;
    bool      (*set)(struct sweep_point *p, const char *value);
} parameters[] = {
#define PARAMETER(name, of, what) { #name, of, what, set_##name },
    SWEEP_PARAMETERS(PARAMETER)
#undef PARAMETER
};
#define PARAMETERS (sizeof parameters / sizeof parameters[0])

void sweep_parameters_print(FILE *out)
{
    fputs("  SECTION.FIGURE           machine: any figure that `simaccel machine NAME` prints\n",
          out);
    for (size_t i = 0; i < PARAMETERS; i++)
        fprintf(out, "  %-24s %s: %s\n", parameters[i].name, parameters[i].of, parameters[i].what);
}

static bool is_figure(const char *name)
{
    return strchr(name, '.') != NULL;
}

static const struct parameter *find(const char *name)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        if (strcmp(name, parameters[i].name) == 0)
            return &parameters[i];
    return NULL;
}

static bool unknown(const struct sweep_axis *a, const struct sweep_word *w, struct diag *d)
{
    const char *names[PARAMETERS];
    for (size_t i = 0; i < PARAMETERS; i++)
        names[i] = parameters[i].name;
    const char *near = diag_nearest(w->text, names, PARAMETERS);
    if (near)
        return sweep_axis_refuse(a, w, d, "%.60s: no such parameter; did you mean %s?", w->text,
                                 near);
    return sweep_axis_refuse(a, w, d, "%.60s: no such parameter; expected SECTION.FIGURE of the "
                             "machine, batch, width, compute, inference, arch, cores, precision, "
                             "clock or ideal", w->text);
}

/* ---- axes ---- */

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
        if (!is_figure(a->name[n].text) && !find(a->name[n].text))
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
            const struct parameter  *of = find(x->name[n].text);
            if (!of && !set_figure(made->machine, x, &x->name[n], value, d))
                return false;
            if (of && !of->set(made, value->text))
                return sweep_axis_refuse(x, value, d, "%s: %.60s is none of its values; expected "
                                         "%s", of->name, value->text, of->what);
        }
    return true;
}

static bool starts(const struct sweep_plan *p, const char *word)
{
    return p->size >= strlen(word) && memcmp(p->text, word, strlen(word)) == 0;
}

static struct trace *expand(const struct sweep_plan *p, const struct sweep_point *made,
                            struct diag *d)
{
    struct net *n = net_read_memory(p->text, p->size, d);
    struct trace *t = NULL;
    for (unsigned i = 0; n && made->width > 0 && i + 1 < n->layer_count; i++)
        n->layers[i].units = made->width;
    if (n && made->compute >= 0)
        n->compute = (enum trace_type)made->compute;
    if (n)
        t = net_expand(n, &made->net, d);
    net_free(n);
    return t;
}

static bool make_trace(const struct sweep_plan *p, struct sweep_point *made, struct diag *d)
{
    snprintf(d->file, sizeof d->file, "%s", p->file);
    if (starts(p, "simaccel-net"))
        made->trace = expand(p, made, d);
    else if (made->net.inference || made->net.batch || made->width || made->compute >= 0)
        diag_set(d, 0, 0, "this is a trace, whose ops and sizes are fixed; expected a network for "
                 "batch, width, compute and inference");
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
    *made = (struct sweep_point){ .run = p->run, .net = p->net, .compute = -1 };
    if (set_all(p, point, made, d) && apply(p, point, made, d)
        && make_trace(p, made, d))
        return true;
    sweep_point_free(made);
    return false;
}

void sweep_point_free(struct sweep_point *made)
{
    machine_free(made->machine);
    trace_free(made->trace);
    made->machine = NULL;
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

static bool check_points(struct sweep_plan *p, struct diag *d)
{
    p->hashes = calloc(p->points, sizeof *p->hashes);
    if (!p->hashes)
        abort();
    for (size_t i = 0; i < p->points; i++) {
        struct sweep_point made;
        if (!sweep_point_make(p, i, &made, d))
            return false;
        hash_input(&made, p->hashes[i]);
        sweep_point_free(&made);
    }
    return true;
}

bool sweep_plan_open(struct sweep_plan *p, struct diag *d)
{
    if (!count_points(p, d) || !open_machines(p, d))
        return false;
    if (!p->text)
        p->text = text_load(p->file, &p->size, d);
    if (!p->text)
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
