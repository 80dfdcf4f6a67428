/* value_dump.h - every tensor as NumPy's .npy files, for programs that are not this one.
 *
 *     FOLDER/before/NAME.npy      what is given: inputs, targets, weights, state
 *     FOLDER/after/NAME.npy       all that the machine has in memory after the step
 *
 * f32 and bf16 as '<f4' (which holds both exactly), f16 as '<f4' too, i32 as '<i4'; shapes as in
 * the trace.  The folder must not be there before; it appears when it is whole.
 */
#ifndef SIM_VALUE_DUMP_H
#define SIM_VALUE_DUMP_H

#include <limits.h>

#include "sim/values.h"

struct value_dump {
    const char *folder;
    char        beside[PATH_MAX];       /* until it is whole */
};

/* False with the reason in `d`. */
bool value_dump_begin(struct value_dump *w, const struct values *v, struct diag *d);
/* Puts the folder in its place, or takes it away if not `good`. */
bool value_dump_end(struct value_dump *w, const struct values *v, bool good, struct diag *d);

#endif
