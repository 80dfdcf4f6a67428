/* report.h - a result (docs/results.md) as text for people, and as CSV. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <jansson.h>
#include <stdio.h>

/* Everything worth reading, aligned, units on everything. */
void report_text(const json_t *result, FILE *out);

/* One row an op (or fused group), with a header. */
void report_csv(const json_t *result, FILE *out);

/* One row a launch of a GPU's kernel, with a header; nothing of a TPU's. */
void report_launches_csv(const json_t *result, FILE *out);

/* Mean power in equal intervals: start_s, power_w. */
void report_power_csv(const json_t *result, FILE *out);

/* A cell of CSV: quoted if it must be; of JSON whatever it is, an array joined by "; ". */
void report_csv_text(const char *text, FILE *out);
void report_csv_field(const json_t *value, FILE *out);

#endif
