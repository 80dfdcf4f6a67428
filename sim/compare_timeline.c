/* compare_timeline.c - see compare_timeline.h. */
#include "sim/compare_timeline.h"

#include <stdlib.h>
#include <string.h>

#include "models/zeroed.h"
#include "sim/report_field.h"

/* A process of the file: what it draws and what is said of it, text once its streams are closed. */
struct process {
    struct recording_ask    ask;
    struct timeline_process number;
    struct experiment_side  sides[2];
    char   first[80];           /* of each note: the machine */
    char  *text, *note;
    size_t size, note_size;
    bool   draws;               /* false: the machine has no such op */
};

struct compare_timeline {
    size_t count;
    struct process process[];
};

/* ---- before ---- */

bool compare_timeline_check(const struct record_options *r, const struct together *runs,
                            size_t count, struct diag *d)
{
    tick_t from, to;
    bool gpu = false;
    if (!record_check_file(r, "--timeline FILE", d)
        || (r->window && !record_window_op(r) && !record_window(r->window, &from, &to, d)))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct experiment *e = &runs[i].experiment;
        struct record_options meant = *r;
        bool is_gpu = machine_kind(e->machine) == MACHINE_GPU;
        meant.every = is_gpu ? r->every : 0;
        gpu |= is_gpu;
        if (!record_check(&meant, e, d))
            return false;
    }
    if (r->every > 0 && !gpu)
        return diag_set(d, 0, 0, "--timeline-every means nothing on these machines; expected a gpu "
                        "among them");
    return true;
}

/* ---- what each is asked for ---- */

static FILE *stream(char **text, size_t *size)
{
    FILE *f = open_memstream(text, size);
    if (!f)
        abort();
    return f;
}

static void prepare(struct process *p, unsigned number, const struct record_options *r,
                    const struct together *run)
{
    p->ask = record_ask(r);
    p->number = (struct timeline_process){ number, record_window_op(r) != NULL };
    snprintf(p->first, sizeof p->first, "on %s: ", machine_name(run->experiment.machine));
    p->sides[0] = (struct experiment_side){ timeline_write, &p->number,
                                            stream(&p->text, &p->size) };
    p->sides[1] = (struct experiment_side){ record_note, p->first,
                                            stream(&p->note, &p->note_size) };
}

/* The op's time on this machine, or a process without it.  False: several are called so. */
static bool set_op(struct process *p, const char *name, const struct together *run,
                   struct diag *d)
{
    enum record_found found = record_find_op(run->result, name, &p->ask.from, &p->ask.to, d);
    p->draws = found == RECORD_OP_FOUND;
    if (found != RECORD_OP_NONE)
        return p->draws;
    char why[128];
    snprintf(why, sizeof why, "no op %.100s", name);
    timeline_write_none(run->result, p->number.number, why, p->sides[0].to);
    fprintf(p->sides[1].to, "%sno op %.100s: its process is empty\n", p->first, name);
    return true;
}

static bool set_windows(struct compare_timeline *x, const struct record_options *r,
                        const struct together *runs, struct diag *d)
{
    const char *op = record_window_op(r);
    bool any = false;
    for (size_t i = 0; i < x->count; i++) {
        struct process *p = &x->process[i];
        p->draws = true;
        if (op ? !set_op(p, op, &runs[i], d)
               : r->window && !record_window(r->window, &p->ask.from, &p->ask.to, d))
            return false;
        any |= p->draws;
    }
    return any;
}

/* ---- the runs ---- */

/* Says why of the first that failed. */
static bool all_ran(struct together *again, size_t count, struct diag *d, int *status)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        if (all && !again[i].result) {
            *status = again[i].status;
            diag_set(d, 0, 0, "on %s: %s", machine_name(again[i].experiment.machine),
                     again[i].diag.text);
            all = false;
        }
        json_decref(again[i].result);
    }
    return all;
}

static bool run_again(struct compare_timeline *x, const struct together *runs, unsigned jobs,
                      struct diag *d, int *status)
{
    struct together *again = zeroed(x->count, sizeof *again);
    size_t used = 0;
    for (size_t i = 0; i < x->count; i++) {
        struct process *p = &x->process[i];
        if (!p->draws)
            continue;
        again[used].experiment = runs[i].experiment;
        again[used].experiment.record = &p->ask;
        again[used].experiment.sides = p->sides;
        again[used++].experiment.side_count = sizeof p->sides / sizeof p->sides[0];
    }
    together_run(again, used, jobs);
    bool ran = all_ran(again, used, d, status);
    free(again);
    return ran;
}

static void close_streams(struct compare_timeline *x)
{
    for (size_t i = 0; i < x->count; i++)
        for (size_t s = 0; s < sizeof x->process[i].sides / sizeof x->process[i].sides[0]; s++)
            if (fclose(x->process[i].sides[s].to) != 0)
                abort();
}

struct compare_timeline *compare_timeline_new(const struct record_options *r,
                                              const struct together *runs, size_t count,
                                              unsigned jobs, struct diag *d, int *status)
{
    struct compare_timeline *x = zeroed(1, sizeof *x + count * sizeof x->process[0]);
    x->count = count;
    *status = 2;
    d->file[0] = '\0';
    for (size_t i = 0; i < count; i++)
        prepare(&x->process[i], (unsigned)i + 1, r, &runs[i]);
    bool drawn = set_windows(x, r, runs, d) && run_again(x, runs, jobs, d, status);
    close_streams(x);
    if (drawn)
        return x;
    compare_timeline_free(x);
    return NULL;
}

void compare_timeline_free(struct compare_timeline *x)
{
    for (size_t i = 0; x && i < x->count; i++) {
        free(x->process[i].text);
        free(x->process[i].note);
    }
    free(x);
}

/* ---- the file ---- */

static void write_all(const struct compare_timeline *x, FILE *out)
{
    timeline_begin(out);
    for (size_t i = 0; i < x->count; i++) {
        if (i > 0)
            timeline_next(out);
        fwrite(x->process[i].text, 1, x->process[i].size, out);
    }
    timeline_end(out);
}

int compare_timeline_write(const struct compare_timeline *x, const char *path)
{
    struct diag d = { .text = "" };
    struct output *o = output_open(path, &d);
    if (o)
        write_all(x, output_stream(o));
    if (!o || !output_commit(o, &d)) {
        diag_print(&d, stderr);
        return o ? 1 : 2;
    }
    for (size_t i = 0; i < x->count; i++)
        fputs(x->process[i].note, stderr);
    return 0;
}
