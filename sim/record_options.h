/* record_options.h - the options of run, gemm, kernel and compare that keep what happened when.
 *
 *     struct record_options o = RECORD_OPTIONS_NONE;      taken from the command line, checked
 *     struct record_files   f;
 *     record_begin(&o, &e, &f, &d, &status)               the experiment `e` will record
 *     ... the run, which may fail ...
 *     record_end(&f, status)                              files in their places, or none
 *
 * A window that is an op's is found by a run without recording before.  compare has the first of
 * the options, and files of its own (compare_timeline.h).
 */
#ifndef SIM_RECORD_OPTIONS_H
#define SIM_RECORD_OPTIONS_H

#include "sim/experiment.h"
#include "sim/options.h"
#include "sim/output.h"
#include "sim/timeline.h"

#define TIMELINE_OPTIONS \
    { "timeline",       "FILE",     "write what each unit did when, for Perfetto: Chrome trace " \
                                    "events (.gz: packed; - is stdout)" }, \
    { "window",         "FROM..TO", "draw this time, as 10us..20us or op:NAME: then also " \
                                    "single operations of a GPU" }, \
    { "timeline-every", "N",        "gpu: draw of each N SMs one (default: 8 SMs)" }, \
    { "timeline-most",  "N",        "draw so many slices at most (default: 400000)" }
#define TIMELINE_ROWS 4

#define RECORD_OPTIONS \
    TIMELINE_OPTIONS, \
    { "over-time",      NULL,       "in --json, how busy units were in each of 200 bins" }, \
    { "bins",           "N",        "so many bins at most; implies --over-time" }, \
    { "vcd",            "FILE",     "write states, queues and operations of units as waves, and " \
                                    "FILE.gtkw, which shows them in GTKWave" }
#define RECORD_ROWS (TIMELINE_ROWS + 3)

struct record_options {
    const char *timeline, *window, *vcd;    /* NULL: not given */
    unsigned    every, most, bins;      /* 0: not given */
    char        save[256];              /* the file that goes with --vcd */
};

/* Of output_check: the files that are written. */
#define RECORD_USES(r) \
    { "--timeline", (r)->timeline, false }, { "--vcd", (r)->vcd, false }, \
    { "the save file of --vcd", (r)->vcd ? (r)->save : NULL, false }
#define RECORD_USE_COUNT 3

/* 1 if row `i` (from 0) of RECORD_OPTIONS was taken, 0 if it is another, -1 if its value is
 * wrong (said on stderr). */
int record_take(struct record_options *r, const struct options *o, int i);

/* Whether the options go together; the first, whether there is a file for them to draw in: what
 * was `expected`. */
bool record_check_file(const struct record_options *r, const char *expected, struct diag *d);
bool record_check(const struct record_options *r, const struct experiment *e, struct diag *d);

struct record_files {
    struct recording_ask    ask;
    struct experiment_side  sides[EXPERIMENT_SIDES];
    struct timeline_process process;
    struct output *timeline, *vcd, *save;   /* NULL: none */
    FILE  *notes;                       /* what the run says of its recording */
    char  *note;
    size_t note_size;
};

/* `e` gets ->record and ->sides, which point into `f`; NULL if nothing is asked for.  False with
 * `d` and `*status`: what does not go together, no such op, no file. */
bool record_begin(const struct record_options *r, struct experiment *e, struct record_files *f,
                  struct diag *d, int *status);
/* After a run of this status: 0 puts files in their places and says what was left out.  Returns
 * the status of all. */
int  record_end(struct record_files *f, int status);

/* "10us..20us", "..1ms", "5us..": from and to, in ticks. */
bool record_window(const char *text, tick_t *from, tick_t *to, struct diag *d);

/* NAME of a window op:NAME; NULL: it is another, or none. */
const char *record_window_op(const struct record_options *r);

/* The time of that op in a result; `d` says why there is none. */
enum record_found { RECORD_OP_FOUND, RECORD_OP_NONE, RECORD_OP_SEVERAL };
enum record_found record_find_op(const json_t *result, const char *name, tick_t *from, tick_t *to,
                                 struct diag *d);

/* What is to be recorded, but for the window's two times. */
struct recording_ask record_ask(const struct record_options *r);

/* A side: notes, a line each, on what the recording does not hold.  `arg`: what each begins with,
 * or NULL. */
void record_note(const struct recorded *r, void *arg, FILE *out);

#endif
