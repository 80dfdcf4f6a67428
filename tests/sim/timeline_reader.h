/* timeline_reader.h - reads Chrome trace events by the words of their format, for tests, a process
 * at a time; it fails the test at whatever the format does not allow: threads without a name, time
 * that goes back, slices that are not nested, arrows with one end. */
#ifndef TESTS_SIM_TIMELINE_READER_H
#define TESTS_SIM_TIMELINE_READER_H

#include <check.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 512
#define DEEP    16

struct thread {
    json_int_t  tid;                        /* 0: none yet */
    const char *name;
    double   at;                            /* of its last event */
    unsigned depth;
    double   began[DEEP];
    const json_t *open[DEEP];
};

struct reader {
    struct thread thread[THREADS];
    json_t *starts, *ends;                  /* arrows: id -> time */
    json_t *counters;                       /* name -> time */
    json_t *sums;                           /* thread -> what a slice is -> its time, in us */
    json_int_t  pid;
    const char *name;                       /* of the process */
    size_t  slices, events, others;         /* events of other processes */
};

static inline double at_of(const json_t *e)
{
    ck_assert(json_is_number(json_object_get(e, "ts")));
    return json_number_value(json_object_get(e, "ts"));
}

static inline const char *event_text(const json_t *e, const char *key)
{
    ck_assert_msg(json_is_string(json_object_get(e, key)), "%s", json_dumps(e, 0));
    return json_string_value(json_object_get(e, key));
}

static inline struct thread *thread_of(struct reader *r, const json_t *e)
{
    json_int_t tid = json_integer_value(json_object_get(e, "tid"));
    size_t i = 0;
    while (i < THREADS && r->thread[i].tid != tid && r->thread[i].tid != 0)
        i++;
    ck_assert(tid > 0 && i < THREADS);
    r->thread[i].tid = tid;
    return &r->thread[i];
}

static inline void read_name(struct reader *r, const json_t *e)
{
    const json_t *arguments = json_object_get(e, "args");
    const char *what = event_text(e, "name");
    if (strcmp(what, "thread_name") == 0)
        thread_of(r, e)->name = event_text(arguments, "name");
    else if (strcmp(what, "process_name") == 0)
        r->name = event_text(arguments, "name");
}

/* Each thread's own events are in order of time, and it has a name. */
static inline struct thread *move_on(struct reader *r, const json_t *e)
{
    struct thread *t = thread_of(r, e);
    ck_assert(t->name != NULL);
    ck_assert(at_of(e) >= t->at);
    t->at = at_of(e);
    return t;
}

/* What a slice is summed as: tiles, operations, "issued". */
static inline const char *kind_of(const json_t *e)
{
    const json_t *arguments = json_object_get(e, "args");
    const char *name = event_text(e, "name");
    if (strncmp(name, "tile ", 5) == 0)
        return "tile";
    return json_object_get(arguments, "operation") ? "operation" : name;
}

static inline void read_begin(struct reader *r, const json_t *e)
{
    struct thread *t = move_on(r, e);
    ck_assert_uint_lt(t->depth, DEEP);
    t->began[t->depth] = at_of(e);
    t->open[t->depth++] = e;
    r->slices++;
}

static inline void read_end(struct reader *r, const json_t *e)
{
    struct thread *t = move_on(r, e);
    ck_assert_uint_gt(t->depth, 0);
    t->depth--;
    ck_assert_str_eq(event_text(e, "name"), event_text(t->open[t->depth], "name"));
    json_t *sums = json_object_get(r->sums, t->name);
    if (!sums) {
        sums = json_object();
        json_object_set_new(r->sums, t->name, sums);
    }
    const char *kind = kind_of(t->open[t->depth]);
    double sum = json_number_value(json_object_get(sums, kind)) + at_of(e) - t->began[t->depth];
    json_object_set_new(sums, kind, json_real(sum));
}

/* An arrow's ends lie in slices; it goes forward. */
static inline void read_arrow(struct reader *r, const json_t *e, json_t *to)
{
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(e, "id")));
    ck_assert_ptr_null(json_object_get(to, id));
    json_object_set_new(to, id, json_real(at_of(e)));
    ck_assert_uint_gt(move_on(r, e)->depth, 0);
}

static inline void read_counter(struct reader *r, const json_t *e)
{
    const char *name = event_text(e, "name");
    const json_t *before = json_object_get(r->counters, name), *value;
    const char *key;
    ck_assert(!before || json_number_value(before) <= at_of(e));
    json_object_set_new(r->counters, name, json_real(at_of(e)));
    json_object_foreach(json_object_get(e, "args"), key, value) {
        ck_assert(json_is_number(value));
    }
}

static inline void read_event(struct reader *r, const json_t *e)
{
    const char *ph = event_text(e, "ph");
    if (json_integer_value(json_object_get(e, "pid")) != r->pid) {
        r->others++;
        return;
    }
    r->events++;
    switch (ph[0]) {
    case 'M': read_name(r, e); break;
    case 'B': read_begin(r, e); break;
    case 'E': read_end(r, e); break;
    case 'C': read_counter(r, e); break;
    case 's': read_arrow(r, e, r->starts); break;
    case 'f': read_arrow(r, e, r->ends); break;
    default:  ck_abort_msg("an event of kind %s", ph);
    }
}

/* One process of a file; the caller calls free_reader. */
static inline struct reader *read_process(const json_t *file, json_int_t pid)
{
    struct reader *r = calloc(1, sizeof *r);
    const json_t *e, *start;
    const char *id;
    size_t i;
    *r = (struct reader){ .pid = pid, .starts = json_object(), .ends = json_object(),
                          .counters = json_object(), .sums = json_object() };
    ck_assert_str_eq(event_text(file, "displayTimeUnit"), "ns");
    json_array_foreach(json_object_get(file, "traceEvents"), i, e) {
        read_event(r, e);
    }
    for (i = 0; i < THREADS; i++)
        ck_assert_uint_eq(r->thread[i].depth, 0);
    ck_assert_uint_eq(json_object_size(r->starts), json_object_size(r->ends));
    json_object_foreach(r->starts, id, start) {
        const json_t *end = json_object_get(r->ends, id);
        ck_assert(end && json_number_value(start) <= json_number_value(end));
    }
    ck_assert(r->name && r->name[0]);
    return r;
}

static inline void free_reader(struct reader *r)
{
    json_decref(r->starts);
    json_decref(r->ends);
    json_decref(r->counters);
    json_decref(r->sums);
    free(r);
}

/* Of a thread, in s. */
static inline double sum_of(const struct reader *r, const char *thread, const char *kind)
{
    return json_number_value(json_object_get(json_object_get(r->sums, thread), kind)) / 1e6;
}

#endif
