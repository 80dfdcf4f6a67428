/* compare_match.c - union and find over the ops of all results, joined by name. */
#include "sim/compare_match.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report_field.h"

struct joining {
    size_t *parent;             /* [ops of all results]; of a set the first is the root */
    json_t *holder;             /* name of a trace's op: an op that contains it */
};

static void *room(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    if (!p)
        abort();
    return p;
}

static size_t root(const struct joining *j, size_t op)
{
    while (j->parent[op] != op)
        op = j->parent[op] = j->parent[j->parent[op]];
    return op;
}

static void join(struct joining *j, size_t op, const char *name)
{
    const json_t *holder = json_object_get(j->holder, name);
    if (!holder) {
        json_object_set_new(j->holder, name, json_integer((json_int_t)op));
        return;
    }
    size_t a = root(j, (size_t)json_integer_value(holder)), b = root(j, op);
    j->parent[a > b ? a : b] = a > b ? b : a;
}

/* An added op's name holds a "=" and so is none of a trace's ops. */
static void join_all(struct joining *j, size_t op, const json_t *of)
{
    const json_t *names = json_object_get(of, "ops"), *name;
    for (size_t i = 0; (name = json_array_get(names, i)) != NULL; i++)
        join(j, op, json_string_value(name));
    if (json_array_size(names) == 0)
        join(j, op, report_string(of, "name"));
}

static void number_rows(struct compare_match *m, const struct joining *j, json_t *const *ops)
{
    size_t op = 0;
    for (size_t r = 0; r < m->results; r++)
        op += json_array_size(ops[r]);
    size_t *row = room(op, sizeof *row);
    op = 0;
    for (size_t r = 0; r < m->results; r++)
        for (size_t i = 0; i < json_array_size(ops[r]); i++, op++) {
            row[op] = root(j, op) == op ? m->rows++ : row[root(j, op)];
            m->row[r][i] = row[op];
        }
    free(row);
}

struct compare_match compare_match(json_t *const *ops, size_t results)
{
    struct compare_match m = { .results = results, .row = room(results, sizeof *m.row) };
    size_t count = 0, op = 0;
    for (size_t r = 0; r < results; r++) {
        m.row[r] = room(json_array_size(ops[r]), sizeof *m.row[r]);
        count += json_array_size(ops[r]);
    }
    struct joining j = { .parent = room(count, sizeof *j.parent), .holder = json_object() };
    for (size_t i = 0; i < count; i++)
        j.parent[i] = i;
    for (size_t r = 0; r < results; r++)
        for (size_t i = 0; i < json_array_size(ops[r]); i++)
            join_all(&j, op++, json_array_get(ops[r], i));
    number_rows(&m, &j, ops);
    json_decref(j.holder);
    free(j.parent);
    return m;
}

void compare_match_free(struct compare_match *m)
{
    for (size_t r = 0; r < m->results; r++)
        free(m->row[r]);
    free(m->row);
}
