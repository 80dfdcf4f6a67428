/* record_options.c - see record_options.h. */
#include "sim/record_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/report_field.h"
#include "sim/run_options.h"

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

int record_take(struct record_options *r, const struct options *o, int i)
{
    enum { TIMELINE, WINDOW, EVERY, MOST, OVER_TIME, BINS };
    switch (i) {
    case TIMELINE:  r->timeline = o->value; return 1;
    case WINDOW:    r->window = o->value; return 1;
    case EVERY:     return take_number(o, MOST_EVERY, &r->every);
    case MOST:      return take_number(o, MOST_SLICES, &r->most);
    case OVER_TIME: r->bins = r->bins > 0 ? r->bins : RECORDING_BINS; return 1;
    case BINS:      return take_number(o, MOST_BINS, &r->bins);
    default:        return 0;
    }
}

bool record_check(const struct record_options *r, const struct experiment *e, struct diag *d)
{
    static const char *const names[] = { "--window", "--timeline-every", "--timeline-most" };
    const bool given[] = { r->window != NULL, r->every > 0, r->most > 0 };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        if (given[i] && !r->timeline)
            return diag_set(d, 0, 0, "%s without a timeline; expected --timeline FILE too",
                            names[i]);
    if (r->every > 0 && machine_kind(e->machine) != MACHINE_GPU)
        return diag_set(d, 0, 0, "--timeline-every means nothing on a %s; expected a gpu",
                        machine_kind_name(machine_kind(e->machine)));
    if (e->sample && (r->timeline || r->bins > 0))
        return diag_set(d, 0, 0, "--sample leaves time out that %s would show; expected one of "
                        "them", r->timeline ? "--timeline" : "--over-time");
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

static bool no_op(const json_t *ops, const char *name, struct diag *d)
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
    return false;
}

/* The time of one op of a result. */
static bool window_of(const json_t *result, const char *name, tick_t *from, tick_t *to,
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
    if (count > 1)
        return diag_set(d, 0, 0, "--window op:%.80s: %zu ops are called so; expected a whole name, "
                        "as op:'%s'", name, count, report_string(found, "name"));
    double start = report_number(found, "start_s"), span = report_number(found, "span_s");
    *from = (tick_t)(start * TICKS_PER_S);
    *to = (tick_t)((start + span) * TICKS_PER_S) + 1;
    return true;
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
    bool found = window_of(result, name, from, to, d);
    json_decref(result);
    return found;
}

/* ---- the files ---- */

static void write_note(const struct recorded *r, void *arg, FILE *out)
{
    (void)arg;
    tick_t until;
    uint64_t lost = recording_left_out(r->recording, &until);
    if (lost > 0)
        fprintf(out, "%" PRIu64 " slices, the first at %.6g us, were left out of the timeline: "
                "more than --timeline-most allows; --window makes it shorter\n", lost,
                (double)until / (1e3 * TICKS_PER_NS));
}

static bool open_timeline(const struct record_options *r, struct record_files *f, struct diag *d)
{
    f->timeline = output_open(r->timeline, d);
    if (!f->timeline)
        return false;
    f->notes = open_memstream(&f->note, &f->note_size);
    if (!f->notes)
        abort();
    f->process.number = 1;
    f->sides[0] = (struct experiment_side){ timeline_write, &f->process,
                                            output_stream(f->timeline) };
    f->sides[1] = (struct experiment_side){ write_note, NULL, f->notes };
    timeline_begin(output_stream(f->timeline));
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
    if (!r->timeline && r->bins == 0)
        return true;
    f->ask.bins = r->bins;
    f->ask.entries = r->timeline != NULL;
    f->ask.detail = r->window != NULL;
    f->ask.every = r->every;
    f->ask.most = r->most > 0 ? r->most : RECORDING_MOST;
    if (r->window && strncmp(r->window, "op:", 3) == 0) {
        if (!find_window(r->window + 3, e, &f->ask.from, &f->ask.to, d, status))
            return false;
    } else if (r->window && !record_window(r->window, &f->ask.from, &f->ask.to, d)) {
        return false;
    }
    if (r->timeline && !open_timeline(r, f, d))
        return false;
    e->record = &f->ask;
    e->sides = f->sides;
    e->side_count = r->timeline ? 2 : 0;
    return true;
}

int record_end(struct record_files *f, int status)
{
    struct diag d = { .text = "" };
    if (!f->timeline)
        return status;
    fclose(f->notes);
    if (status != 0) {
        output_discard(f->timeline);
    } else {
        timeline_end(output_stream(f->timeline));
        fputs(f->note, stderr);
        if (!output_commit(f->timeline, &d)) {
            diag_print(&d, stderr);
            status = 1;
        }
    }
    free(f->note);
    f->timeline = NULL;
    return status;
}
