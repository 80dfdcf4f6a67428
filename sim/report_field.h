/* report_field.h - fields of a result (docs/results.md), and numbers that may not be finite. */
#ifndef SIM_REPORT_FIELD_H
#define SIM_REPORT_FIELD_H

#include <jansson.h>

/* A field; 0 or "" where there is none. */
double      report_number(const json_t *object, const char *key);
const char *report_string(const json_t *object, const char *key);

/* A new reference.  JSON has no number that is not finite: null. */
json_t *report_finite(double x);

#endif
