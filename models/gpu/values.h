/* values.h - what the launches of a plan compute: its kernels one after the other, without time.
 *
 * Each launch is interpreted (interpret.h) on the plan's own memory, in the formats of the
 * tensors as the chip stores them.
 *
 * Timing knows nothing of this: cycles and counts are those of a run without values.
 *
 * Not modelled: what caches keep from HBM.  Of each buffer what a group reads, and what it
 * writes, goes over the bus once, from its first byte to its last, as it is after the group.
 */
#ifndef MODELS_GPU_VALUES_H
#define MODELS_GPU_VALUES_H

#include "models/gpu/lower.h"
#include "models/toggles.h"

struct gpu_values;

/* `plan` was lowered with values; it and its memory are changed by steps.  Everything is
 * borrowed. */
struct gpu_values *gpu_values_new(const struct gpu_config *config, const struct hbm_config *hbm,
                                  const struct trace *trace, struct gpu_plan *plan);
void               gpu_values_free(struct gpu_values *v);

/* Values as doubles, row-major; set rounds them to the type that the chip stores the tensor
 * in (plan->types).  get is false for a tensor that is never in memory. */
void gpu_values_set(struct gpu_values *v, uint32_t tensor, const double *values);
bool gpu_values_get(const struct gpu_values *v, uint32_t tensor, double *values);

/* All launches once, after `before` such steps: Adam's step counts from there.  `toggles` (may
 * be NULL: not counted) has one for each group, and is added to.  False with the reason in `d`:
 * a kernel failed. */
bool gpu_values_step(struct gpu_values *v, uint64_t before, struct toggles *toggles,
                     struct diag *d);

#endif
