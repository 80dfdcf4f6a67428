/* sweep.c - a pool of processes, and what each of them does. */
#include "sim/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/experiment.h"
#include "sim/isolate.h"
#include "sim/sweep_store.h"
#include "sim/sweep_table.h"

/* ---- a point's process ---- */

struct job {
    const struct sweep *sweep;
    size_t              point;
    struct isolate     *run;
};

static json_t *run_point(const struct sweep *s, size_t point)
{
    struct diag d = { .text = "" };
    struct sweep_point made;
    int status;
    json_t *result = NULL;
    if (sweep_point_make(s->plan, point, &made, &d)) {
        struct experiment e = run_options_experiment(&made.run, made.machine);
        e.trace = made.trace;
        result = experiment_run(&e, &d, &status);
        sweep_point_free(&made);
    }
    const char *hash = s->plan->hashes[point];
    return result ? sweep_store_done(hash, result) : sweep_store_failed(hash, d.text);
}

/* Writes the row; not 0, and why: it could not be kept. */
static int child(void *arg, FILE *out)
{
    const struct job *j = arg;
    struct diag d = { .text = "" };
    json_t *kept = run_point(j->sweep, j->point);
    const char *folder = j->sweep->results, *hash = j->sweep->plan->hashes[j->point];
    int status = !folder || sweep_store_save(folder, hash, kept, &d) ? 0 : 1;
    json_t *row = sweep_row(kept);
    if (status == 0)
        json_dumpf(row, out, JSON_COMPACT | JSON_REAL_PRECISION(17));
    else
        diag_print(&d, out);
    json_decref(row);
    json_decref(kept);
    return status;
}

/* ---- which points ---- */

static int by_hash(const void *a, const void *b, void *plan)
{
    const struct sweep_plan *p = plan;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int order = strcmp(p->hashes[x], p->hashes[y]);
    return order != 0 ? order : x < y ? -1 : 1;
}

/* For each point the first one of the same input. */
static size_t *first_of_same(const struct sweep_plan *p)
{
    size_t *order = calloc(p->points, sizeof *order), *first = calloc(p->points, sizeof *first);
    if (!order || !first)
        abort();
    for (size_t i = 0; i < p->points; i++)
        order[i] = i;
    qsort_r(order, p->points, sizeof *order, by_hash, (void *)p);
    for (size_t i = 0; i < p->points; i++) {
        bool same = i > 0 && strcmp(p->hashes[order[i - 1]], p->hashes[order[i]]) == 0;
        first[order[i]] = same ? first[order[i - 1]] : order[i];
    }
    free(order);
    return first;
}

json_t **sweep_rows_kept(const struct sweep *s)
{
    json_t **rows = calloc(s->plan->points, sizeof *rows);
    if (!rows)
        abort();
    for (size_t i = 0; s->results && i < s->plan->points; i++) {
        json_t *kept = sweep_store_load(s->results, s->plan->hashes[i]);
        rows[i] = kept ? sweep_row(kept) : NULL;
        json_decref(kept);
    }
    return rows;
}

void sweep_rows_free(const struct sweep *s, json_t **rows)
{
    for (size_t i = 0; rows && i < s->plan->points; i++)
        json_decref(rows[i]);
    free(rows);
}

/* ---- the pool ---- */

struct pool {
    const struct sweep *sweep;
    json_t    **rows;
    size_t     *first;              /* [points] */
    size_t     *order;              /* [points] */
    size_t      next;               /* of the order, to look at */
    struct job *jobs;               /* [sweep->jobs], of which `running` are used */
    size_t      running;
    size_t      left, done, failed; /* of those that this run has to do */
    double      cost_left, cost_done;
    struct timespec begun;
};

static double cost_of(const struct sweep *s, size_t i)
{
    return s->costs ? s->costs[i] : 1;
}

static int by_cost(const void *a, const void *b, void *sweep)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    double s = cost_of(sweep, x), t = cost_of(sweep, y);
    return s < t ? -1 : s > t ? 1 : x < y ? -1 : 1;
}

static size_t *order_of(const struct sweep *s)
{
    size_t *order = calloc(s->plan->points, sizeof *order);
    if (!order)
        abort();
    for (size_t i = 0; i < s->plan->points; i++)
        order[i] = i;
    qsort_r(order, s->plan->points, sizeof *order, by_cost, (void *)s);
    return order;
}

static bool is_due(const struct pool *p, size_t i)
{
    const struct sweep *s = p->sweep;
    return p->first[i] == i && i % s->shards == s->shard && !isinf(cost_of(s, i))
        && (!p->rows[i] || (s->retry_failed && sweep_row_is(p->rows[i], "failed")));
}

static bool start(struct pool *p, size_t point, struct diag *d)
{
    struct isolate_result r;
    struct job *j = &p->jobs[p->running];
    *j = (struct job){ .sweep = p->sweep, .point = point };
    j->run = isolate_start(child, j, 0, &r);
    p->running += j->run != NULL;
    return j->run || diag_set(d, 0, 0, "%s", r.text);
}

static bool fill(struct pool *p, struct diag *d)
{
    bool good = true;
    for (; good && p->running < p->sweep->jobs && p->next < p->sweep->plan->points; p->next++)
        if (is_due(p, p->order[p->next]))
            good = start(p, p->order[p->next], d);
    return good;
}

/* A process that died has kept nothing itself. */
static json_t *row_of_dead(const struct sweep *s, size_t point, const char *why, struct diag *d)
{
    const char *hash = s->plan->hashes[point];
    json_t *kept = sweep_store_failed(hash, why), *row = NULL;
    if (!s->results || sweep_store_save(s->results, hash, kept, d))
        row = sweep_row(kept);
    json_decref(kept);
    return row;
}

static json_t *row_of(const struct sweep *s, size_t point, const struct isolate_result *r,
                      struct diag *d)
{
    if (r->status == ISOLATE_CRASHED)
        return row_of_dead(s, point, r->text, d);
    json_t *row = r->status == 0 ? json_loadb(r->bytes, r->size, 0, NULL) : NULL;
    if (!row) {
        int length = (int)strcspn(r->bytes, "\n");
        diag_set(d, 0, 0, "%.*s", length, length > 0 ? r->bytes : "a result cannot be read");
    }
    return row;
}

static void show(const struct pool *p)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double s = (double)(now.tv_sec - p->begun.tv_sec) + 1e-9 * (double)(now.tv_nsec - p->begun.tv_nsec);
    fprintf(stderr, "\r%zu of %zu points", p->done, p->done + p->left);
    if (p->failed > 0)
        fprintf(stderr, ", %zu failed", p->failed);
    if (p->cost_done > 0)
        fprintf(stderr, ", about %.0f s left", s / p->cost_done * p->cost_left);
    fputs("\033[K", stderr);
    fflush(stderr);
}

/* Waits for one and takes its row. */
static bool take(struct pool *p, struct diag *d)
{
    struct isolate *runs[p->running];
    struct isolate_result r;
    for (size_t i = 0; i < p->running; i++)
        runs[i] = p->jobs[i].run;
    size_t i = isolate_wait(runs, p->running), point = p->jobs[i].point;
    isolate_finish(runs[i], &r);
    p->jobs[i] = p->jobs[--p->running];
    json_t *row = row_of(p->sweep, point, &r, d);
    isolate_free(&r);
    if (!row)
        return false;
    json_decref(p->rows[point]);
    p->rows[point] = row;
    p->done++;
    p->left--;
    p->cost_done += cost_of(p->sweep, point);
    p->cost_left -= cost_of(p->sweep, point);
    p->failed += sweep_row_is(row, "failed");
    return true;
}

/* Those that run are waited for, whatever has gone wrong with another. */
static bool run_all(struct pool *p, struct diag *d)
{
    bool good = fill(p, d);
    while (p->running > 0) {
        if (p->sweep->progress)
            show(p);
        good = take(p, d) && good;
        if (good)
            good = fill(p, d);
    }
    return good;
}

bool sweep_run(const struct sweep *s, json_t **rows, struct diag *d)
{
    struct pool p = { .sweep = s, .rows = rows, .first = first_of_same(s->plan),
                      .order = order_of(s), .jobs = calloc(s->jobs, sizeof *p.jobs) };
    if (!p.jobs)
        abort();
    for (size_t i = 0; i < s->plan->points; i++)
        if (is_due(&p, i)) {
            p.left++;
            p.cost_left += cost_of(s, i);
        }
    clock_gettime(CLOCK_MONOTONIC, &p.begun);
    bool good = run_all(&p, d);
    if (s->progress && p.done > 0)
        fputs("\r\033[K", stderr);
    for (size_t i = 0; i < s->plan->points; i++)
        if (p.first[i] != i && rows[p.first[i]]) {
            json_decref(rows[i]);
            rows[i] = json_incref(rows[p.first[i]]);
        }
    free(p.first);
    free(p.order);
    free(p.jobs);
    return good;
}
