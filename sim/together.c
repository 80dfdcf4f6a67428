/* together.c - see together.h. */
#include "sim/together.h"

#include <stdlib.h>

#include "sim/experiment_inside.h"
#include "sim/isolate.h"
#include "sim/report_field.h"

/* Sides kept in memory: where they are to come out is in the parent. */
struct kept {
    struct experiment_side side[EXPERIMENT_SIDES];
    char  *text[EXPERIMENT_SIDES];
    size_t size[EXPERIMENT_SIDES];
};

static void keep_sides(struct kept *k, struct experiment *e)
{
    for (unsigned i = 0; i < e->side_count; i++) {
        k->side[i] = e->sides[i];
        k->side[i].to = open_memstream(&k->text[i], &k->size[i]);
        if (!k->side[i].to)
            abort();
    }
    e->sides = k->side;
}

static void put_sides(struct kept *k, const struct experiment *e, bool wanted, FILE *out)
{
    for (unsigned i = 0; i < e->side_count; i++) {
        if (fclose(k->side[i].to) != 0)
            abort();
        if (wanted)
            experiment_put_side(k->text[i], k->size[i], out);
        free(k->text[i]);
    }
}

/* In its process: the result and behind it the sides, or {"status", "text", "line", "column"}. */
static int child(void *arg, FILE *out)
{
    struct experiment e = ((const struct together *)arg)->experiment;
    struct kept kept;
    struct diag d = { .text = "" };
    int status = 0;
    keep_sides(&kept, &e);
    json_t *o = experiment_run(&e, &d, &status);
    bool ran = o != NULL;
    if (!ran)
        o = json_pack("{s:i, s:s, s:i, s:i}", "status", status, "text", d.text,
                      "line", (int)d.line, "column", (int)d.column);
    int failed = json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(o);
    put_sides(&kept, &e, ran && !failed, out);
    return failed ? 1 : 0;
}

static void fail(struct together *t, int status, const char *text)
{
    t->status = status;
    diag_set(&t->diag, 0, 0, "%s", text);
}

static void take(struct together *t, const struct isolate_result *r)
{
    json_error_t read;
    json_t *o = r->status == 0 ? json_loadb(r->bytes, r->size, JSON_DISABLE_EOF_CHECK, &read)
                               : NULL;
    if (!o) {
        fail(t, 1, r->text[0] ? r->text : "the run failed: its result cannot be read");
        return;
    }
    if (!json_object_get(o, "status")) {
        t->result = o;
        experiment_take_sides(&t->experiment, r->bytes + read.position);
        return;
    }
    t->status = (int)report_number(o, "status");
    diag_set(&t->diag, (unsigned)report_number(o, "line"), (unsigned)report_number(o, "column"),
             "%s", report_string(o, "text"));
    json_decref(o);
}

/* Waits for one of those that run and takes its place away. */
static void finish_one(struct together *runs, struct isolate **running, size_t *which,
                       size_t *count)
{
    struct isolate_result r;
    size_t i = isolate_wait(running, *count);
    isolate_finish(running[i], &r);
    take(&runs[which[i]], &r);
    isolate_free(&r);
    --*count;
    running[i] = running[*count];
    which[i]   = which[*count];
}

void together_run(struct together *runs, size_t count, unsigned jobs)
{
    struct isolate **running = calloc(jobs, sizeof *running);
    size_t *which = calloc(jobs, sizeof *which), used = 0;
    if (!running || !which)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct isolate_result r;
        runs[i].result = NULL;
        runs[i].status = 0;
        runs[i].diag = (struct diag){ .text = "" };
        if (used == jobs)
            finish_one(runs, running, which, &used);
        running[used] = isolate_start(child, &runs[i], 0, &r);
        which[used] = i;
        if (running[used])
            used++;
        else
            fail(&runs[i], 1, r.text);
    }
    while (used > 0)
        finish_one(runs, running, which, &used);
    free(running);
    free(which);
}
