/* checkpoint.h - a training run as it stands, in a file: what is needed to go on as if it had
 * never stopped.
 *
 * A gzipped file:
 *
 *     simaccel-checkpoint 1
 *     {"head":{...},"arrays":[{"name":"tpu-v3/l1.w","count":8192},...]}
 *     the bytes of the arrays after each other: doubles, little-endian
 *
 * gzip's own sums tell a file that is cut short or damaged.  Written beside and renamed.
 * What is read is believed only as far as the file goes: memory is what was written, not
 * what the head says will come.
 *
 * Not done: keeping the checkpoint before, when a good one replaces it.
 */
#ifndef SIM_CHECKPOINT_H
#define SIM_CHECKPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "traces/diag.h"

#define CHECKPOINT_VALUES_MAX (UINT64_C(1) << 31)      /* of all arrays: 16 GiB */
#define CHECKPOINT_LINE_MAX   (1u << 28)               /* bytes of the line of JSON */

struct checkpoint_array {
    char    *name;          /* "tpu-v3/l1.w" */
    uint64_t count;
    double  *values;
};

struct checkpoint {
    json_t *head;           /* an object that the caller fills: which network, which step, ... */
    struct checkpoint_array *arrays;
    uint32_t array_count, array_room;
    json_t *index;          /* of an array's name: its number */
};

struct checkpoint *checkpoint_new(void);            /* an empty head */
void checkpoint_free(struct checkpoint *c);

/* Adds a copy.  Requires a new name, in UTF-8, and no more than CHECKPOINT_VALUES_MAX in all. */
void checkpoint_add(struct checkpoint *c, const char *name, const double *values,
                    uint64_t count);
/* The array of that name and size; NULL with the reason in `d`.  The file that the diag may
 * name stays. */
const double *checkpoint_find(const struct checkpoint *c, const char *name, uint64_t count,
                              struct diag *d);

/* False with the reason in `d`; the file is then as it was before.  "-" is stdout.  A head that
 * makes a longer line than is read again is refused. */
bool checkpoint_write(const struct checkpoint *c, const char *path, struct diag *d);

/* NULL with the reason in `d`: not a checkpoint, cut short, damaged, sizes that cannot be.
 * The diag's file is `path` also if all is well. */
struct checkpoint *checkpoint_read(const char *path, struct diag *d);

#endif
