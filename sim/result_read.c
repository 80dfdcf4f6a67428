/* result_read.c - see result_read.h. */
#include "sim/result_read.h"

#include <stdlib.h>

#include "sim/result_parts.h"
#include "traces/text.h"

#define RESULT_BYTES (1u << 30)         /* the longest result that is read */

static bool is_result(const json_t *o)
{
    return json_integer_value(json_object_get(o, "schema")) == RESULT_SCHEMA
        && json_is_array(json_object_get(o, "ops"));
}

/* A point of a sweep holds its result beside what it was asked for (sim/sweep_store.h). */
static json_t *unwrapped(json_t *o)
{
    json_t *inside = json_is_object(o) && json_object_get(o, "sweep") ? json_object_get(o, "result")
                                                                      : NULL;
    if (!inside)
        return o;
    json_incref(inside);
    json_decref(o);
    return inside;
}

json_t *result_read(const char *path, struct diag *d)
{
    json_error_t wrong;
    size_t size;
    char *text = text_load_most(path, RESULT_BYTES, &size, d);
    if (!text)
        return NULL;
    json_t *o = unwrapped(json_loadb(text, size, 0, &wrong));
    free(text);
    snprintf(d->file, sizeof d->file, "%s", path);
    if (!o)
        diag_set(d, (unsigned)wrong.line, (unsigned)wrong.column,
                 "%s; expected a result, as --json "
                 "of run writes", wrong.text);
    else if (!is_result(o)) {
        diag_set(d, 0, 0, "not a result of schema %d; expected what --json of run writes",
                 RESULT_SCHEMA);
        json_decref(o);
        o = NULL;
    }
    return o;
}
