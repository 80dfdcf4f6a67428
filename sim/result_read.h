/* result_read.h - a result (docs/results.md) from a file, .gz or not, or of a point of a sweep. */
#ifndef SIM_RESULT_READ_H
#define SIM_RESULT_READ_H

#include <jansson.h>

#include "traces/diag.h"

/* A new reference; NULL with the reason in `d`: no file, no JSON, no result of this schema.
 * Control characters in its texts have become '?'. */
json_t *result_read(const char *path, struct diag *d);

#endif
