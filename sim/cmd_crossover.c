/* cmd_crossover.c - see cmd_crossover.h. */
#include "sim/cmd_crossover.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/compare_options.h"
#include "sim/crossover.h"
#include "sim/output.h"
#include "sim/plot.h"
#include "sim/report_field.h"
#include "sim/sweep_store.h"

static int fail(const struct diag *d, int status)
{
    diag_print(d, stderr);
    return status;
}

/* ---- axes ---- */

/* Where the next axis begins: behind a comma, a name and '='; NULL: there is no other. */
static const char *next_axis(const char *text)
{
    const char *equals = strchr(text, '=');
    const char *next = equals ? strchr(equals + 1, '=') : NULL;
    while (next && next > equals && next[-1] != ',')
        next--;
    return next && next > equals ? next : NULL;
}

/* "batch=1..64:*2,width=64,128": an axis a name. */
static bool add_over(struct sweep_plan *p, const char *text, struct diag *d)
{
    for (const char *from = text; from; ) {
        const char *next = next_axis(from);
        struct sweep_place place = { .file = "--over", .line = 1,
                                     .column = (unsigned)(from - text) + 1 };
        size_t length = next ? (size_t)(next - from) - 1 : strlen(from);
        char *axis = strndup(from, length);
        if (!axis)
            abort();
        bool good = sweep_plan_add(p, axis, &place, d);
        free(axis);
        if (!good)
            return false;
        from = next;
    }
    return true;
}

/* The machines are the last axis. */
static bool add_machines(struct sweep_plan *p, const char *arch, struct diag *d)
{
    struct sweep_place place = { .file = "--arch", .line = 1, .column = 1 };
    char *text;
    if (asprintf(&text, "arch=%s", strcmp(arch, "both") == 0 ? "tpu,gpu" : arch) < 0)
        abort();
    bool good = sweep_plan_add(p, text, &place, d);
    free(text);
    return good;
}

static bool add_axes(struct sweep_plan *p, const struct crossover_asked *asked, struct diag *d)
{
    for (size_t i = 0; i < asked->over_count; i++)
        if (!add_over(p, asked->over[i], d))
            return false;
    for (size_t a = 0; a < p->axis_count; a++)
        for (size_t n = 0; n < p->axes[a].names; n++)
            if (strcmp(p->axes[a].name[n].text, "arch") == 0)
                return sweep_axis_refuse(&p->axes[a], &p->axes[a].name[n], d,
                                         "the machines are those of --arch; expected another axis");
    return add_machines(p, asked->run->choice.arch, d);
}

/* The machines are the last axis. */
static bool check_plot(const struct crossover_asked *a, const struct sweep_plan *p, struct diag *d)
{
    size_t machines = p->axes[p->axis_count - 1].count, axes = p->axis_count - 1;
    return !a->plot || (machines == 2 && axes <= 2)
        || diag_set(d, 0, 0, "--plot with %zu machines and %zu axes; expected two machines, and "
                    "one or two axes", machines, axes);
}

/* ---- what comes out ---- */

static int draw(const json_t *crossover, const char *path)
{
    struct diag d = { .text = "" };
    json_t *results = json_pack("[O]", (json_t *)crossover);
    int status = 0;
    if (!plot_crossover.drawable(crossover))
        diag_set(&d, 0, 0, "--plot: expected %s", plot_crossover.wanted);
    if (d.text[0] || !plot_draw(&plot_crossover, results, path, &d))
        status = fail(&d, 1);
    json_decref(results);
    return status;
}

static bool any_failed(const json_t *crossover)
{
    size_t p, m;
    json_t *point, *on;
    json_array_foreach(json_object_get(crossover, "points"), p, point) {
        json_array_foreach(json_object_get(point, "on"), m, on) {
            if (strcmp(report_string(on, "status"), "failed") == 0)
                return true;
        }
    }
    return false;
}

static int write_all(const struct crossover_asked *a, const json_t *crossover)
{
    const struct { const char *path; void (*write)(const json_t *, FILE *); } files[] = {
        { a->json, output_json }, { a->csv, crossover_csv },
    };
    bool on_stdout = false;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int status = files[i].path ? output_write(files[i].path, crossover, files[i].write) : 0;
        if (status != 0)
            return status;
        on_stdout |= files[i].path && output_is_stdout(files[i].path);
    }
    if (!on_stdout)
        crossover_text(crossover, stdout);
    int status = a->plot ? draw(crossover, a->plot) : 0;
    return status == 0 && any_failed(crossover) ? 1 : status;
}

/* ---- the whole ---- */

static int run(const struct crossover_asked *a, struct sweep_plan *p)
{
    struct diag d = { .text = "" };
    struct sweep s = { .plan = p, .results = a->results, .jobs = a->jobs, .shards = 1,
                       .retry_failed = a->retry_failed, .progress = isatty(STDERR_FILENO) != 0 };
    if (!add_axes(p, a, &d) || !check_plot(a, p, &d) || !sweep_plan_open(p, &d)
        || (a->results && !sweep_store_open(a->results, &d)))
        return fail(&d, 2);
    json_t *crossover = crossover_run(&s, a->limit, &d);
    if (!crossover)
        return fail(&d, 1);
    json_object_set_new(crossover, "options", compare_options(a->run, &a->net));
    int status = write_all(a, crossover);
    json_decref(crossover);
    return status;
}

int cmd_crossover(const struct crossover_asked *asked)
{
    struct sweep_plan *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->file = asked->file;
    p->run = *asked->run;
    p->run.choice.arch = NULL;
    p->net = asked->net;
    p->of_some = true;
    int status = run(asked, p);
    sweep_plan_close(p);
    free(p);
    return status;
}
