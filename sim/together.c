/* together.c - see together.h. */
#include "sim/together.h"

#include <stdlib.h>

#include "sim/isolate.h"
#include "sim/report_field.h"

/* In its process: the result, or {"status", "text", "line", "column"}. */
static int child(void *arg, FILE *out)
{
    const struct together *t = arg;
    struct diag d = { .text = "" };
    int status = 0;
    json_t *o = experiment_run(&t->experiment, &d, &status);
    if (!o)
        o = json_pack("{s:i, s:s, s:i, s:i}", "status", status, "text", d.text,
                      "line", (int)d.line, "column", (int)d.column);
    int failed = json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(o);
    return failed ? 1 : 0;
}

static void fail(struct together *t, int status, const char *text)
{
    t->status = status;
    diag_set(&t->diag, 0, 0, "%s", text);
}

static void take(struct together *t, const struct isolate_result *r)
{
    json_t *o = r->status == 0 ? json_loadb(r->bytes, r->size, 0, NULL) : NULL;
    if (!o) {
        fail(t, 1, r->text[0] ? r->text : "the run failed: its result cannot be read");
        return;
    }
    if (!json_object_get(o, "status")) {
        t->result = o;
        return;
    }
    t->status = (int)report_number(o, "status");
    diag_set(&t->diag, (unsigned)report_number(o, "line"), (unsigned)report_number(o, "column"),
             "%s", report_string(o, "text"));
    json_decref(o);
}

/* Waits for one of those that run and takes its place away. */
static void finish_one(struct together *runs, struct isolate **running, size_t *which, size_t *count)
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
