/* record_options.c - see record_options.h. */
#include "sim/record_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/report_field.h"
#include "sim/run_options.h"
#include "sim/vcd.h"
#include "sim/vcd_run.h"

#define MOST_SLICES 100000000
#define MOST_EVERY  100000
#define MOST_BINS   1000

/* ---- options ---- */

static int take_number(const struct options *o, unsigned most, unsigned *value)
{
    if (run_options_number(o->value, most, value))
        return 1;
    options_wrong(o, "%.40s: expected a whole number, 1 to %u", o->value, most);
    return -1;
}

static int take_vcd(struct record_options *r, const struct options *o)
{
    char *save = vcd_save_name(o->value);
    bool fits = strlen(save) < sizeof r->save;
    r->vcd = o->value;
    snprintf(r->save, sizeof r->save, "%s", save);
    free(save);
    if (!fits)
        options_wrong(o, "--vcd %.40s...: expected a shorter name", o->value);
    return fits ? 1 : -1;
}

int record_take(struct record_options *r, const struct options *o, int i)
{
    enum { TIMELINE, WINDOW, EVERY, MOST, OVER_TIME, BINS, VCD };
    switch (i) {
    case TIMELINE:  r->timeline = o->value; return 1;
    case WINDOW:    r->window = o->value; return 1;
    case EVERY:     return take_number(o, MOST_EVERY, &r->every);
    case MOST:      return take_number(o, MOST_SLICES, &r->most);
    case OVER_TIME: r->bins = r->bins > 0 ? r->bins : RECORDING_BINS; return 1;
    case BINS:      return take_number(o, MOST_BINS, &r->bins);
    case VCD:       return take_vcd(r, o);
    default:        return 0;
    }
}

bool record_check_file(const struct record_options *r, const char *expected, struct diag *d)
{
    static const char *const names[] = { "--window", "--timeline-every", "--timeline-most" };
    const bool given[] = { r->window != NULL, r->every > 0, r->most > 0 };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        if (given[i] && !r->timeline && !r->vcd)
            return diag_set(d, 0, 0, "%s without a timeline; expected %s too", names[i], expected);
    return true;
}

bool record_check(const struct record_options *r, const struct experiment *e, struct diag *d)
{
    if (!record_check_file(r, "--timeline FILE or --vcd FILE", d))
        return false;
    if (r->vcd && output_is_stdout(r->vcd))
        return diag_set(d, 0, 0, "--vcd - leaves no place for the save file; expected a file");
    if (r->every > 0 && machine_kind(e->machine) != MACHINE_GPU)
        return diag_set(d, 0, 0, "--timeline-every means nothing on a %s; expected a gpu",
                        machine_kind_name(machine_kind(e->machine)));
    if (e->sample && (r->timeline || r->vcd || r->bins > 0))
        return diag_set(d, 0, 0, "--sample leaves time out that %s would show; expected one of "
                        "them", r->timeline ? "--timeline" : r->vcd ? "--vcd" : "--over-time");
    return true;
}

/* ---- windows ---- */

static const struct { const char *name; double ns; } units[] = {
    { "fs", 1e-6 }, { "ps", 1e-3 }, { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
};

/* "10us", up to `end`. */
static bool read_time(const char *text, const char *end, tick_t *t)
{
    char number[32], *after;
    size_t length = (size_t)(end - text);
    if (length == 0 || length >= sizeof number)
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    size_t plain = strspn(number, "0123456789.");
    double x = strtod(number, &after);
    if (plain == 0 || after != number + plain)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(after, units[i].name) == 0 && x * units[i].ns <= 1e12) {
            *t = ticks_ns(x * units[i].ns);
            return true;
        }
    return false;
}

bool record_window(const char *text, tick_t *from, tick_t *to, struct diag *d)
{
    const char *dots = strstr(text, ".."), *end = text + strlen(text);
    *from = 0;
    *to = TICK_NEVER;
    bool good = dots && strcmp(text, "..") != 0
             && (dots == text || read_time(text, dots, from))
             && (dots + 2 == end || read_time(dots + 2, end, to));
    if (good && *from < *to)
        return true;
    return diag_set(d, 0, 0, "--window %.60s: %s; expected two times with units (fs, ps, ns, us, "
                    "ms, s), as 10us..20us, or op:NAME", text, good ? "it is empty"
                                                                    : "no such window");
}

/* "l1.product = matmul+bias": whole, or what stands before the " =". */
static bool is_called(const char *op, const char *name)
{
    size_t length = strlen(name);
    return strcmp(op, name) == 0 || (strncmp(op, name, length) == 0
                                     && strncmp(op + length, " = ", 3) == 0);
}

static enum record_found no_op(const json_t *ops, const char *name, struct diag *d)
{
    enum { LONG = 96 };
    size_t count = json_array_size(ops);
    const char **names = zeroed(count, sizeof *names);
    char (*called)[LONG] = zeroed(count, sizeof *called);
    for (size_t i = 0; i < count; i++) {
        snprintf(called[i], LONG, "%s", report_string(json_array_get(ops, i), "name"));
        called[i][strcspn(called[i], " ")] = '\0';
        names[i] = called[i];
    }
    const char *near = diag_nearest(name, names, count);
    diag_set(d, 0, 0, "--window op:%.80s: no op of the run; expected %s%s", name,
             near ? near : count > 0 ? "one, as " : "none", near || count == 0 ? "" : names[0]);
    free(names);
    free(called);
    return RECORD_OP_NONE;
}

enum record_found record_find_op(const json_t *result, const char *name, tick_t *from, tick_t *to,
                                 struct diag *d)
{
    const json_t *ops = json_object_get(result, "ops"), *found = NULL, *op;
    size_t i, count = 0;
    json_array_foreach(ops, i, op) {
        bool whole = strcmp(report_string(op, "name"), name) == 0;
        count += !whole && is_called(report_string(op, "name"), name);
        if (whole || (!found && is_called(report_string(op, "name"), name)))
            found = op;
        if (whole) {
            count = 1;
            break;
        }
    }
    if (!found)
        return no_op(ops, name, d);
    if (count > 1) {
        diag_set(d, 0, 0, "--window op:%.80s: %zu ops are called so; expected a whole name, as "
                 "op:'%s'", name, count, report_string(found, "name"));
        return RECORD_OP_SEVERAL;
    }
    double start = report_number(found, "start_s"), span = report_number(found, "span_s");
    *from = (tick_t)(start * TICKS_PER_S);
    *to = (tick_t)((start + span) * TICKS_PER_S) + 1;
    return RECORD_OP_FOUND;
}

const char *record_window_op(const struct record_options *r)
{
    return r->window && strncmp(r->window, "op:", 3) == 0 ? r->window + 3 : NULL;
}

/* The run without recording says when the op is. */
static bool find_window(const char *name, const struct experiment *e, tick_t *from, tick_t *to,
                        struct diag *d, int *status)
{
    struct experiment plain = *e;
    plain.after = NULL;
    if (e->clock_from_values)
        return diag_set(d, 0, 0, "--window op:%.60s with --clock-from-values: not known before "
                        "the values are; expected times, as 10us..20us", name);
    json_t *result = experiment_run(&plain, d, status);
    if (!result)
        return false;
    *status = 2;
    bool found = record_find_op(result, name, from, to, d) == RECORD_OP_FOUND;
    json_decref(result);
    return found;
}

/* ---- the files ---- */

void record_note(const struct recorded *r, void *arg, FILE *out)
{
    const char *first = arg ? arg : "";
    tick_t until;
    uint64_t lost = recording_left_out(r->recording, &until);
    tick_t from = r->recording->ask.from;
    if (from >= r->end)
        fprintf(out, "%s--window begins at %.6g us; the run ended at %.6g us: nothing is in it\n",
                first, (double)from / (1e3 * TICKS_PER_NS), (double)r->end / (1e3 * TICKS_PER_NS));
    if (lost > 0)
        fprintf(out, "%s%" PRIu64 " slices, the first of them to end at %.6g us, were left out: "
                "more than --timeline-most allows; --window makes it shorter\n", first, lost,
                (double)until / (1e3 * TICKS_PER_NS));
}

static void add_side(struct record_files *f, struct experiment *e,
                     void (*write)(const struct recorded *r, void *arg, FILE *out), void *arg,
                     FILE *to)
{
    f->sides[e->side_count++] = (struct experiment_side){ write, arg, to };
    e->sides = f->sides;
}

static bool open_timeline(const struct record_options *r, struct experiment *e,
                          struct record_files *f, struct diag *d)
{
    f->timeline = output_open(r->timeline, d);
    if (!f->timeline)
        return false;
    f->process.number = 1;
    add_side(f, e, timeline_write, &f->process, output_stream(f->timeline));
    timeline_begin(output_stream(f->timeline));
    return true;
}

static bool open_vcd(const struct record_options *r, struct experiment *e, struct record_files *f,
                     struct diag *d)
{
    f->vcd = output_open(r->vcd, d);
    f->save = f->vcd ? output_open(r->save, d) : NULL;
    if (!f->save)
        return false;
    add_side(f, e, vcd_run_write, NULL, output_stream(f->vcd));
    add_side(f, e, vcd_run_write_save, (void *)r->vcd, output_stream(f->save));
    return true;
}

struct recording_ask record_ask(const struct record_options *r)
{
    struct recording_ask a = RECORDING_ASK;
    a.bins = r->bins;
    a.entries = r->timeline || r->vcd;
    a.detail = r->window || r->vcd;
    a.no_levels = !r->vcd;              /* no timeline draws them */
    a.every = r->every;
    a.most = r->most > 0 ? r->most : RECORDING_MOST;
    return a;
}

static bool set_window(const struct record_options *r, const struct experiment *e,
                       struct record_files *f, struct diag *d, int *status)
{
    if (!r->window)
        return true;
    const char *op = record_window_op(r);
    if (op)
        return find_window(op, e, &f->ask.from, &f->ask.to, d, status);
    return record_window(r->window, &f->ask.from, &f->ask.to, d);
}

static bool open_files(const struct record_options *r, struct experiment *e,
                       struct record_files *f, struct diag *d)
{
    if ((r->timeline && !open_timeline(r, e, f, d)) || (r->vcd && !open_vcd(r, e, f, d)))
        return false;
    if (!r->timeline && !r->vcd)
        return true;
    f->notes = open_memstream(&f->note, &f->note_size);
    if (!f->notes)
        abort();
    add_side(f, e, record_note, NULL, f->notes);
    return true;
}

bool record_begin(const struct record_options *r, struct experiment *e, struct record_files *f,
                  struct diag *d, int *status)
{
    *f = (struct record_files){ .ask = RECORDING_ASK };
    *status = 2;
    d->file[0] = '\0';
    if (!record_check(r, e, d))
        return false;
    if (!r->timeline && !r->vcd && r->bins == 0)
        return true;
    f->ask = record_ask(r);
    if (!set_window(r, e, f, d, status))
        return false;
    if (open_files(r, e, f, d)) {
        e->record = &f->ask;
        return true;
    }
    record_end(f, 2);
    return false;
}

static int finish(struct output *o, int status)
{
    struct diag d = { .text = "" };
    if (o && status != 0)
        output_discard(o);
    else if (o && !output_commit(o, &d)) {
        diag_print(&d, stderr);
        return 1;
    }
    return status;
}

int record_end(struct record_files *f, int status)
{
    if (f->notes) {
        fclose(f->notes);
        if (status == 0)
            fputs(f->note, stderr);
    }
    if (f->timeline && status == 0)
        timeline_end(output_stream(f->timeline));
    status = finish(f->timeline, status);
    status = finish(f->vcd, status);
    status = finish(f->save, status);
    free(f->note);
    *f = (struct record_files){ .timeline = NULL };
    return status;
}
