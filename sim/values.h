/* values.h - a trace on a machine of either kind, for what it computes: no time passes.
 *
 *     machine, trace --> lower --> set the given tensors --> step --> get any tensor --> step ...
 *
 * The same plan as a timed run has; models/tpu/values.h and models/gpu/values.h say in what
 * formats and order each computes.  A trace without a machine is worked out by the reference
 * (traces/reference.h) behind the same calls.
 */
#ifndef SIM_VALUES_H
#define SIM_VALUES_H

#include "models/toggles.h"
#include "models/tpu/lower.h"
#include "sim/machine.h"
#include "traces/bound.h"

struct values;

struct values_use {
    const struct machine *machine;      /* NULL: the double-precision reference */
    const struct trace   *trace;
    struct tpu_lower_options lower;     /* of a GPU only `highest` means something */
    bool exact;                         /* register-exact matrix units, of a TPU */
};

/* All is zero.  Machine and trace are borrowed.  NULL with the reason in `d`: an op that cannot
 * be lowered, tensors that do not fit. */
struct values *values_new(const struct values_use *use, struct diag *d);
void           values_free(struct values *v);

/* Values as doubles, row-major; set rounds them to the type in which the machine stores the
 * tensor.  get is false for a tensor that is only ever inside a fused group. */
void values_set(struct values *v, uint32_t tensor, const double *values);
bool values_get(const struct values *v, uint32_t tensor, double *values);

/* Every given tensor as traces/initial.h would have it. */
void values_fill(struct values *v, uint64_t seed);

/* All ops once, after `before` such steps.  `toggles` (may be NULL: not counted): one for each
 * group, added to; the reference has none.  False with the reason in `d`: a kernel failed. */
bool values_step(struct values *v, uint64_t before, struct toggles *toggles, struct diag *d);

/* The trace as the machine does it: where a chip stores or multiplies another type than the trace
 * says (f16 for bf16), that one. */
const struct trace *values_trace(const struct values *v);

/* How the machine's arithmetic for an op differs from an f32 rounding of each operation. */
struct bound_machine values_bound(const struct values *v, uint32_t op);

/* The group of an op.  What ops of a group hand on to each other is not rounded to its type,
 * also where it is kept besides. */
uint32_t values_group(const struct values *v, uint32_t op);

uint32_t values_group_count(const struct values *v);

#endif
