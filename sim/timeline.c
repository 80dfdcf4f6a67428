/* timeline.c - see timeline.h; what every kind of machine has. */
#include "sim/timeline_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/over_time.h"
#include "sim/report_field.h"
#include "sim/result_parts.h"

#define TICKS_PER_US (1000 * TICKS_PER_NS)
#define US_DIGITS 9

/* ---- events ---- */

void timeline_begin(FILE *out)
{
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
}

void timeline_next(FILE *out) { fputc(',', out); }
void timeline_end(FILE *out)  { fputs("\n]}\n", out); }

static void begin_event(struct timeline *t, char ph)
{
    fprintf(t->out, "%s\n{\"ph\":\"%c\",\"pid\":%u", t->printed++ > 0 ? "," : "", ph, t->pid);
}

void timeline_event(struct timeline *t, char ph, const char *format, ...)
{
    va_list arguments;
    begin_event(t, ph);
    va_start(arguments, format);
    vfprintf(t->out, format, arguments);
    va_end(arguments);
    fputc('}', t->out);
}

/* Whole microseconds, and of the rest as many digits as are not 0. */
void timeline_us(const struct timeline *t, tick_t at)
{
    char digits[US_DIGITS + 2];
    bool before = at < t->zero;
    tick_t time = before ? t->zero - at : at - t->zero;
    int length = snprintf(digits, sizeof digits, "%0*" PRIu64, US_DIGITS, time % TICKS_PER_US);
    while (length > 0 && digits[length - 1] == '0')
        digits[--length] = '\0';
    fprintf(t->out, "%s%" PRIu64 "%s%s", before ? "-" : "", time / TICKS_PER_US,
            length > 0 ? "." : "", digits);
}

void timeline_open(struct timeline *t, char ph, tick_t at)
{
    begin_event(t, ph);
    fprintf(t->out, ",\"tid\":%u,\"ts\":", t->tid);
    timeline_us(t, at);
}

void timeline_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, out);
    fputc('"', out);
}

static void name_process(struct timeline *t, const char *what, const char *name)
{
    begin_event(t, 'M');
    fprintf(t->out, ",\"name\":\"process_%s\",\"args\":{\"%s\":", what, what);
    timeline_string(t->out, name);
    fputs("}}", t->out);
}

/* Perfetto knows a thread by its number alone: of two processes none may be the same.  The one
 * of the process's own number it takes for the main thread, and shows it first. */
#define THREADS_APART 1000000

void timeline_thread(struct timeline *t, uint64_t clock_hz, const char *format, ...)
{
    char name[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    t->clock.hz = clock_hz;
    t->threads++;
    t->tid = t->threads == 1 ? t->pid : t->pid * THREADS_APART + t->threads;
    begin_event(t, 'M');
    fprintf(t->out, ",\"tid\":%u,\"name\":\"thread_name\",\"args\":{\"name\":", t->tid);
    timeline_string(t->out, name);
    fputs("}}", t->out);
    timeline_event(t, 'M', ",\"tid\":%u,\"name\":\"thread_sort_index\","
                   "\"args\":{\"sort_index\":%u}", t->tid, t->threads);
}

/* ---- slices ---- */

void timeline_add(struct timeline_slices *s, cycle_t start, cycle_t end, unsigned depth,
                  const struct record_entry *e, const void *of)
{
    if (s->count == s->room) {
        s->room = s->room > 0 ? 2 * s->room : 256;
        s->at = realloc(s->at, s->room * sizeof *s->at);
        if (!s->at)
            abort();
    }
    s->at[s->count] = (struct timeline_slice){ .start = start, .end = end, .depth = depth,
                                               .order = s->count, .entry = e, .of = of };
    s->count++;
}

/* An order that leaves no two equal. */
static int compare(const void *left, const void *right)
{
    const struct timeline_slice *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* The format asks for no name here; some viewers pair begin and end by it. */
static void write_end(struct timeline *t, const struct timeline_slice *s,
                      const struct timeline_words *words)
{
    if (words->ends)
        words->ends(t, s);
    timeline_open(t, 'E', clock_tick(&t->clock, s->end));
    fputs(",\"name\":", t->out);
    words->name(t, s);
    fputc('}', t->out);
}

static void write_begin(struct timeline *t, const struct timeline_slice *s,
                        const struct timeline_words *words)
{
    timeline_open(t, 'B', clock_tick(&t->clock, s->start));
    fputs(",\"name\":", t->out);
    words->name(t, s);
    fputs(",\"args\":{", t->out);
    if (words->arguments)
        words->arguments(t, s);
    fputs("}}", t->out);
    if (words->began)
        words->began(t, s);
}

#define DEPTH 8                 /* slices within slices, at most */

void timeline_slices(struct timeline *t, struct timeline_slices *s,
                     const struct timeline_words *words)
{
    const struct timeline_slice *open[DEPTH];
    unsigned depth = 0;
    if (s->count > 0)
        qsort(s->at, s->count, sizeof *s->at, compare);
    for (size_t i = 0; i < s->count; i++) {
        while (depth > 0 && open[depth - 1]->end <= s->at[i].start)
            write_end(t, open[--depth], words);
        assert(depth == 0 || s->at[i].end <= open[depth - 1]->end);
        assert(depth < DEPTH);
        write_begin(t, &s->at[i], words);
        open[depth++] = &s->at[i];
    }
    while (depth > 0)
        write_end(t, open[--depth], words);
    free(s->at);
    *s = (struct timeline_slices){ NULL, 0, 0 };
}

/* ---- what a recorder holds ---- */

const struct record_entry *timeline_entry(const struct record *r, uint32_t track, size_t *at)
{
    while (*at < record_entries(r)) {
        const struct record_entry *e = record_entry(r, (*at)++);
        if (e->track == track)
            return e;
    }
    return NULL;
}

bool timeline_find(const struct record *r, const char *name, uint32_t *track)
{
    for (*track = 0; *track < record_tracks(r); (*track)++)
        if (strcmp(record_track(r, *track)->name, name) == 0)
            return true;
    return false;
}

/* One above the entries from `first` to `last`, which follow each other. */
static void add_above(struct timeline_slices *s, const struct record_entry *first,
                      const struct record_entry *last, unsigned depth, const void *of)
{
    if (first)
        timeline_add(s, first->start, last->end, depth, first, of);
}

void timeline_work(struct timeline_slices *s, const struct record *r, uint32_t track,
                   bool by_number, const void *of, const void *of_number, const void *of_group)
{
    const struct record_entry *e, *group = NULL, *number = NULL, *last = NULL;
    for (size_t at = 0; (e = timeline_entry(r, track, &at)) != NULL; last = e) {
        bool same_group = group && group->group == e->group;
        if (by_number && !(same_group && number->number == e->number)) {
            add_above(s, number, last, 1, of_number);
            number = e;
        }
        if (!same_group) {
            add_above(s, group, last, 0, of_group);
            group = e;
        }
        timeline_add(s, e->start, e->end, 2, e, of);
    }
    add_above(s, number, last, 1, of_number);
    add_above(s, group, last, 0, of_group);
}

/* ---- counters ---- */

void timeline_counter(struct timeline *t, const char *name, const char *of, tick_t at,
                      double value)
{
    begin_event(t, 'C');
    fprintf(t->out, ",\"ts\":");
    timeline_us(t, at);
    fprintf(t->out, ",\"name\":\"%s\",\"args\":{\"%s\":%.6g}}", name, of, value);
}

/* Those of equal intervals of `seconds`, as far as they lie in the window; 0 behind the last. */
static void count_series(struct timeline *t, const char *name, const char *of,
                         const json_t *values, double seconds, double scale)
{
    const struct recording_ask *a = &t->run->recording->ask;
    tick_t interval = ticks_ns(seconds * 1e9), end = tick_min(t->run->end, a->to);
    for (size_t i = 0; i < json_array_size(values); i++) {
        tick_t at = tick_max(i * interval, a->from);
        if ((i + 1) * interval > a->from && at < end)
            timeline_counter(t, name, of, at,
                             scale * json_number_value(json_array_get(values, i)));
    }
    timeline_counter(t, name, of, end, 0);
}

static const json_t *class_of(const json_t *over, const char *name)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(over, "classes"), i, c) {
        if (strcmp(report_string(c, "name"), name) == 0)
            return json_object_get(c, "share");
    }
    return NULL;
}

static double warps_of(const struct recorded *r)
{
    return (double)r->gpu->run.config->sm.warps * r->gpu->sms;
}

static void counters(struct timeline *t)
{
    const struct recorded *r = t->run;
    json_t *over = over_time_json(r, LEDGER_INTERVALS);
    const json_t *power = json_object_get(r->result, "power");
    double bin = report_number(over, "bin_s");
    double peak = report_number(json_object_get(r->result, "hbm"), "peak_bytes_per_s") / 1e9;
    count_series(t, "power", "W", json_object_get(power, "power_w"),
                 report_number(power, "interval_s"), 1);
    count_series(t, "HBM read", "GB/s", class_of(over, "hbm.read"), bin, peak);
    count_series(t, "HBM write", "GB/s", class_of(over, "hbm.write"), bin, peak);
    if (r->gpu)
        count_series(t, "warps", "on all SMs", class_of(over, "warps"), bin, warps_of(r));
    json_decref(over);
}

/* ---- the whole ---- */

static double us_of(tick_t t) { return (double)t / (double)TICKS_PER_US; }

static void say_left_out(struct timeline *t)
{
    tick_t until;
    uint64_t lost = recording_left_out(t->run->recording, &until);
    char text[160];
    if (lost == 0)
        return;
    snprintf(text, sizeof text, "%" PRIu64 " slices were left out by the limit, the first of "
             "them to end at %.6f us", lost, us_of(until - t->zero));
    name_process(t, "labels", text);
}

static void say_zero(struct timeline *t)
{
    char text[80];
    if (t->zero == 0)
        return;
    snprintf(text, sizeof text, "0 is %.6f us of the run", us_of(t->zero));
    name_process(t, "labels", text);
}

static void begin_process(struct timeline *t, const json_t *result)
{
    char name[256];
    snprintf(name, sizeof name, "%s on %s", report_string(result, "trace"),
             report_string(result, "machine"));
    name_process(t, "name", name);
    timeline_event(t, 'M', ",\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%u}", t->pid);
}

void timeline_write(const struct recorded *r, void *arg, FILE *out)
{
    const struct timeline_process *process = arg;
    struct timeline t = { .run = r, .out = out, .pid = process->number,
                          .zero = process->from_window ? r->recording->ask.from : 0 };
    begin_process(&t, r->result);
    say_zero(&t);
    say_left_out(&t);
    if (r->tpu)
        timeline_tpu(&t);
    else
        timeline_gpu(&t);
    counters(&t);
}

void timeline_write_none(const json_t *result, unsigned number, const char *why, FILE *out)
{
    struct timeline t = { .out = out, .pid = number };
    begin_process(&t, result);
    name_process(&t, "labels", why);
}
