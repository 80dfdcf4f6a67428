/* report_inside.h - what the files sim/report*.c know of a result, and nobody else. */
#ifndef SIM_REPORT_INSIDE_H
#define SIM_REPORT_INSIDE_H

#include <stdbool.h>

#include "sim/report.h"
#include "sim/report_field.h"
#include "sim/report_number.h"

/* Every field of an object in turn: json_object_iter_key(field), ..._value(field). */
#define REPORT_EACH(field, object) \
    for (void *field = json_object_iter(object); field; \
         field = json_object_iter_next(object, field))

/* A field of every object of an array, in a unit that suits their sum, rounded so that the
 * column adds up; or in tenths of a percent of their sum. */
struct report_parts {
    struct number_scale scale;
    int64_t *rounded, whole;
};
struct report_parts report_parts(const json_t *array, const char *key);
struct report_parts report_shares(const json_t *array, const char *key);
void                report_parts_free(struct report_parts *p);

/* Which objects of an array have a row of a table that has room for so many: those with
 * most `time_s`, of equals the first.  The caller frees it. */
bool *report_longest(const json_t *array, size_t rows);

/* "us" for seconds in this scale. */
const char *report_unit(char text[NUMBER_TEXT], const struct report_parts *p, const char *unit);

/* How every unit spent the run. */
void report_units(const json_t *result, FILE *out);

/* "hbm bandwidth 86.1 %, latency 13.9 %": what bounds the ops, by their time. */
void report_bounds(const json_t *result, FILE *out);

/* Of all ops, or of those that took most of the time. */
void report_ops(const json_t *result, FILE *out);

/* The same of a GPU's launches; nothing for a TPU. */
void report_launches(const json_t *result, FILE *out);

/* What was computed, of a run with --values; nothing without. */
void report_values(const json_t *result, FILE *out);

bool report_is_gpu(const json_t *result);

#endif
