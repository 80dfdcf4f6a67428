/* checkpoint.h - a training run as it stands, in a file: what is needed to go on as if it had
 * never stopped.
 *
 * A gzipped file: the line "simaccel-checkpoint 1", a line of JSON, then the bytes of its
 * arrays of doubles (little-endian), in the order of "arrays" in the JSON.  gzip's own sums
 * tell a file that is cut short or damaged.  Written beside and renamed.
 */
#ifndef SIM_CHECKPOINT_H
#define SIM_CHECKPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "traces/diag.h"

struct checkpoint_array {
    char    *name;          /* "tpu-v3/l1.w" */
    uint64_t count;
    double  *values;
};

struct checkpoint {
    json_t *head;           /* what the caller keeps: of which network, which step, ... */
    struct checkpoint_array *arrays;
    uint32_t array_count, array_room;
};

struct checkpoint *checkpoint_new(void);            /* an empty head */
void checkpoint_free(struct checkpoint *c);

/* Adds a copy. */
void checkpoint_add(struct checkpoint *c, const char *name, const double *values,
                    uint64_t count);
/* The array of that name and size; NULL with the reason in `d`. */
const double *checkpoint_find(const struct checkpoint *c, const char *name, uint64_t count,
                              struct diag *d);

/* False with the reason in `d`; the file is then as it was before. */
bool checkpoint_write(const struct checkpoint *c, const char *path, struct diag *d);

/* NULL with the reason in `d`: not a checkpoint, cut short, damaged, sizes that cannot be. */
struct checkpoint *checkpoint_read(const char *path, struct diag *d);

#endif
