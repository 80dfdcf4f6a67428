/* timeline_inside.h - what the files sim/timeline*.c share. */
#ifndef SIM_TIMELINE_INSIDE_H
#define SIM_TIMELINE_INSIDE_H

#include "sim/timeline.h"

struct timeline {
    const struct recorded *run;
    FILE    *out;
    unsigned pid, tid;              /* of the thread being written */
    unsigned threads;               /* so far */
    uint64_t printed;               /* events */
    tick_t   zero;                  /* of the run's time: 0 in the file */
    struct clock clock;             /* of the thread's slices */
    const void *own;                /* of the machine's own file */
};

/* One slice; of two that begin together the longer, then the less deep, is outside. */
struct timeline_slice {
    cycle_t  start, end;
    unsigned depth;
    size_t   order;                 /* as they were added */
    const struct record_entry *entry;
    const void *of;                 /* the print function's own */
};

struct timeline_slices { struct timeline_slice *at; size_t count, room; };

void timeline_add(struct timeline_slices *s, cycle_t start, cycle_t end, unsigned depth,
                  const struct record_entry *e, const void *of);

/* One event: `{"ph":"PH","pid":..` and the rest from `format`, which begins with a comma. */
void timeline_event(struct timeline *t, char ph, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same at a time; it leaves the event open, to be ended by '}'. */
void timeline_open(struct timeline *t, char ph, tick_t at);
void timeline_string(FILE *out, const char *text);      /* in quotes */
void timeline_us(const struct timeline *t, tick_t at);  /* "12.000001" */

/* The next thread, "core0 load"; its slices are in cycles of `clock`. */
void timeline_thread(struct timeline *t, uint64_t clock_hz, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a kind of thread has to say of a slice: its name and arguments; and events that go with
 * it, just after it began or before it ends (NULL: none). */
struct timeline_words {
    void (*name)(const struct timeline *t, const struct timeline_slice *s);
    void (*arguments)(const struct timeline *t, const struct timeline_slice *s);
    void (*began)(struct timeline *t, const struct timeline_slice *s);
    void (*ends)(struct timeline *t, const struct timeline_slice *s);
};

/* Sorts and writes them, and empties the list. */
void timeline_slices(struct timeline *t, struct timeline_slices *s,
                     const struct timeline_words *words);

/* A counter's value from `at` on; "at" never goes back within a counter. */
void timeline_counter(struct timeline *t, const char *name, const char *of, tick_t at,
                      double value);

/* Entries of one track, in order; NULL after the last. */
const struct record_entry *timeline_entry(const struct record *r, uint32_t track, size_t *at);

/* Adds the entries of a track of work; a slice above all that follow each other in one group, and
 * with `by_number` below it one above all of one number. */
void timeline_work(struct timeline_slices *s, const struct record *r, uint32_t track,
                   bool by_number, const void *of, const void *of_number, const void *of_group);

/* The recorder's track of that name; false: none. */
bool timeline_find(const struct record *r, const char *name, uint32_t *track);

void timeline_tpu(struct timeline *t);
void timeline_gpu(struct timeline *t);

#endif
