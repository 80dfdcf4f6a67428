/* result_read.c - see result_read.h. */
#include "sim/result_read.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/result_parts.h"
#include "traces/text.h"

#define RESULT_BYTES (1u << 30)         /* the longest result that is read */

static bool is_result(const json_t *o)
{
    return json_integer_value(json_object_get(o, "schema")) == RESULT_SCHEMA
        && json_is_array(json_object_get(o, "ops"));
}

/* Of ASCII, or of UTF-8: U+0080 to U+009F. */
static bool is_control(const unsigned char *c)
{
    return iscntrl(*c) || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
}

static void clean_text(json_t *text)
{
    char *copy = strdup(json_string_value(text));
    if (!copy)
        abort();
    for (unsigned char *c = (unsigned char *)copy; *c; c++)
        if (is_control(c)) {
            if (!iscntrl(*c))
                c[1] = '?';
            *c = '?';
        }
    json_string_set(text, copy);
    free(copy);
}

/* A terminal obeys control characters: '?' in their place.  False: a key has one. */
static bool clean(json_t *o)
{
    bool is_clean = true;
    const char *key;
    json_t *inside;
    size_t i;
    if (json_is_string(o))
        clean_text(o);
    json_array_foreach(o, i, inside) {
        is_clean &= clean(inside);
    }
    json_object_foreach(o, key, inside) {
        for (const char *c = key; *c; c++)
            is_clean &= !is_control((const unsigned char *)c);
        is_clean &= clean(inside);
    }
    return is_clean;
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
    else if (!clean(o) || !is_result(o)) {
        diag_set(d, 0, 0, "not a result of schema %d; expected what --json of run writes",
                 RESULT_SCHEMA);
        json_decref(o);
        o = NULL;
    }
    return o;
}
