/* checkpoint.c - putting a checkpoint together and writing it. */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "sim/checkpoint_inside.h"
#include "sim/output.h"

struct checkpoint *checkpoint_new(void)
{
    struct checkpoint *c = calloc(1, sizeof *c);
    if (c == NULL)
        abort();
    c->head  = json_object();
    c->index = json_object();
    assert(c->head != NULL && c->index != NULL);
    return c;
}

void checkpoint_free(struct checkpoint *c)
{
    if (c == NULL)
        return;
    for (uint32_t i = 0; i < c->array_count; i++) {
        free(c->arrays[i].name);
        free(c->arrays[i].values);
    }
    free(c->arrays);
    json_decref(c->head);
    json_decref(c->index);
    free(c);
}

static void grow(struct checkpoint *c)
{
    if (c->array_count < c->array_room)
        return;
    c->array_room = c->array_room > 0 ? 2 * c->array_room : 16;
    c->arrays = reallocarray(c->arrays, c->array_room, sizeof *c->arrays);
    if (c->arrays == NULL)
        abort();
}

void checkpoint_own(struct checkpoint *c, const char *name, double *values, uint64_t count)
{
    assert(json_object_get(c->index, name) == NULL);
    grow(c);
    struct checkpoint_array a = { strdup(name), count, values };
    assert(a.name != NULL);
    int failed = json_object_set_new(c->index, name, json_integer(c->array_count));
    assert(failed == 0);
    (void)failed;
    c->arrays[c->array_count++] = a;
}

void checkpoint_add(struct checkpoint *c, const char *name, const double *values,
                    uint64_t count)
{
    double *copy = calloc(count > 0 ? count : 1, sizeof *copy);
    if (copy == NULL)
        abort();
    if (count > 0)
        memcpy(copy, values, count * sizeof *copy);
    checkpoint_own(c, name, copy, count);
}

const double *checkpoint_find(const struct checkpoint *c, const char *name, uint64_t count,
                              struct diag *d)
{
    const json_t *number = json_object_get(c->index, name);
    if (number == NULL) {
        diag_set(d, 0, 0, "the checkpoint has no %.80s; expected one of the same run", name);
        return NULL;
    }
    const struct checkpoint_array *a = &c->arrays[json_integer_value(number)];
    if (a->count == count)
        return a->values;
    diag_set(d, 0, 0, "%.80s has %llu values in the checkpoint; expected %llu", name,
             (unsigned long long)a->count, (unsigned long long)count);
    return NULL;
}

/* ---- writing ---- */

/* The line of JSON; the caller frees it. */
static char *line_of(const struct checkpoint *c)
{
    json_t *arrays = json_array(), *line = json_pack("{s:O}", "head", c->head);
    assert(arrays != NULL && line != NULL);
    for (uint32_t i = 0; i < c->array_count; i++) {
        json_t *a = json_pack("{s:s, s:I}", "name", c->arrays[i].name, "count",
                              (json_int_t)c->arrays[i].count);
        assert(a != NULL);
        json_array_append_new(arrays, a);
    }
    json_object_set_new(line, "arrays", arrays);
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    json_decref(line);
    return text;
}

static void write_values(const struct checkpoint_array *a, FILE *out)
{
    for (uint64_t i = 0; i < a->count; i++) {
        uint64_t bits;
        memcpy(&bits, &a->values[i], sizeof bits);
        bits = htole64(bits);
        fwrite(&bits, sizeof bits, 1, out);
    }
}

bool checkpoint_write(const struct checkpoint *c, const char *path, struct diag *d)
{
    char *line = line_of(c);
    snprintf(d->file, sizeof d->file, "%s", path);
    bool fits = strlen(line) <= CHECKPOINT_LINE_MAX
             || diag_set(d, 0, 0, "the rows so far take more than the %u MiB of a checkpoint; "
                         "expected fewer, as --every epoch makes", CHECKPOINT_LINE_MAX >> 20);
    struct output *o = fits ? output_open_packed(path, d) : NULL;
    if (o != NULL)
        fprintf(output_stream(o), "simaccel-checkpoint 1\n%s\n", line);
    free(line);
    if (o == NULL)
        return false;
    for (uint32_t i = 0; i < c->array_count; i++)
        write_values(&c->arrays[i], output_stream(o));
    return output_commit(o, d);
}
