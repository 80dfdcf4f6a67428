/* validate.c - see validate.h. */
#include "sim/validate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const validate_size_names[VALIDATE_SIZES] = { "quick", "default", "all" };

const char *const validate_class_names[VALIDATE_CLASSES_COUNT] = {
#define CLASS(id, name) name,
    VALIDATE_CLASSES(CLASS)
#undef CLASS
};

#define MACHINES (sizeof ((struct validation *)0)->machines / sizeof(struct machine *))

const struct machine *validate_machine(struct validation *v, const char *name, struct diag *d)
{
    struct machine *m = machine_find(&figures_schema, name, d);
    for (size_t i = 0; m && i < MACHINES; i++) {
        if (!v->machines[i])
            return v->machines[i] = m;
        if (strcmp(machine_name(v->machines[i]), machine_name(m)) == 0) {
            machine_free(m);
            return v->machines[i];
        }
    }
    machine_free(m);
    if (m)
        diag_set(d, 0, 0, "%.80s: more machines than %zu; expected fewer", name, MACHINES);
    return NULL;
}

struct validate_set *validate_add_set(struct validation *v, const struct validate_set *set)
{
    v->sets = realloc(v->sets, (v->count + 1) * sizeof *v->sets);
    if (!v->sets)
        abort();
    v->sets[v->count] = *set;
    return &v->sets[v->count++];
}

void validate_add_row(struct validate_set *s, const struct validate_row *row)
{
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 16;
        s->rows = realloc(s->rows, s->room * sizeof *s->rows);
        if (!s->rows)
            abort();
    }
    s->rows[s->count++] = *row;
}

void validate_clear(struct validation *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->sets[i].rows);
    for (size_t i = 0; i < MACHINES; i++)
        machine_free(v->machines[i]);
    free(v->sets);
    free(v->own);
    *v = (struct validation){ .folder = v->folder, .measured = v->measured, .size = v->size };
}

/* ---- running: a process a row, which leaves its answer in shared memory ---- */

struct answer {
    double value;
    char   error[sizeof ((struct validate_row *)0)->error];
};

static void answer(const struct validate_row *row, struct answer *a)
{
    struct diag d = { .text = "" };
    a->value = row->run(row, &d);
    snprintf(a->error, sizeof a->error, "%.*s", (int)sizeof a->error - 1, d.text);
}

static void start(const struct validate_row *row, struct answer *a)
{
    a->value = NAN;
    snprintf(a->error, sizeof a->error, "its process ended without an answer");
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        snprintf(a->error, sizeof a->error, "no process could be started for it");
    } else if (child == 0) {
        answer(row, a);
        _exit(0);
    }
}

static void progress(size_t done, size_t all)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, done < all ? "\r%zu of %zu rows " : "\r\033[K", done, all);
}

static struct validate_row **rows_to_run(const struct validation *v, size_t *count)
{
    size_t all = 0;
    for (size_t s = 0; s < v->count; s++)
        all += v->sets[s].count;
    struct validate_row **rows = calloc(all + 1, sizeof *rows);
    if (!rows)
        abort();
    *count = 0;
    for (size_t s = 0; s < v->count; s++)
        for (size_t i = 0; i < v->sets[s].count; i++)
            if (v->sets[s].rows[i].run)
                rows[(*count)++] = &v->sets[s].rows[i];
    return rows;
}

void validate_run(struct validation *v, unsigned jobs)
{
    size_t count, running = 0;
    struct validate_row **rows = rows_to_run(v, &count);
    struct answer *answers = mmap(NULL, (count + 1) * sizeof *answers, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answers == MAP_FAILED)
        abort();
    for (size_t i = 0; i < count; i++) {
        for (; running >= jobs; running--)
            if (wait(NULL) < 0)
                break;
        start(rows[i], &answers[i]);
        running++;
        progress(i, count);
    }
    while (wait(NULL) > 0)
        ;
    progress(count, count);
    for (size_t i = 0; i < count; i++) {
        rows[i]->simulated = answers[i].value;
        memcpy(rows[i]->error, answers[i].error, sizeof answers[i].error);
    }
    munmap(answers, (count + 1) * sizeof *answers);
    free(rows);
}

/* ---- verdicts ---- */

double validate_error(const struct validate_row *r)
{
    if (r->kind == VALIDATE_RANGE)
        return r->simulated < r->measured ? 100 * (r->simulated / r->measured - 1)
             : r->simulated > r->high     ? 100 * (r->simulated / r->high - 1) : 0 * r->simulated;
    if (r->measured == 0)
        return r->simulated == 0 ? 0 : INFINITY;
    return 100 * (r->simulated / r->measured - 1);
}

bool validate_meets(const struct validate_set *s)
{
    double sum = 0, points = 0;
    size_t count = 0;
    bool met = true;
    for (size_t i = 0; i < s->count; i++) {
        const struct validate_row *r = &s->rows[i];
        if (!r->judged)
            continue;
        double error = fabs(validate_error(r));
        met = met && !isnan(error) && (s->each_bar == 0 || error <= s->each_bar);
        sum += error;
        points += fabs(r->simulated - r->measured);
        count++;
    }
    if (count == 0)
        return true;
    return met && (s->mean_bar == 0 || sum / (double)count <= s->mean_bar)
               && (s->points_bar == 0 || points / (double)count <= s->points_bar);
}
