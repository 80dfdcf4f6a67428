/* values.h - what a program of a TPU computes: its operations in order, without time.
 *
 * Each operation of a plan works on the very numbers, in the formats and in the order of the
 * unit that does it: matrix units multiply bf16 and sum in f32 along an array's rows, partial
 * sums are added tile after tile, the vector unit computes in f32, stores round to the type of
 * the tensor, an all-reduce sums in core order.  Tensors live at home in HBM between groups
 * (or wait in vector memory), one copy a core where cores have copies.
 *
 * Timing knows nothing of this: cycles and counts are those of a run without values.
 *
 * Not modelled: the order in which transfers of a group share HBM's bus (each finds it zero);
 * the last places of the vector unit's own exp, log and tanh (docs/tpu.md).
 */
#ifndef MODELS_TPU_VALUES_H
#define MODELS_TPU_VALUES_H

#include "models/toggles.h"
#include "models/tpu/lower.h"

struct tpu_values;

/* All is zero.  `form`: matrix units a tile at a time, or every register of every PE in every
 * cycle, for small traces.  Everything is borrowed.  NULL with the reason in `d`. */
struct tpu_values *tpu_values_new(const struct tpu_config *config, const struct hbm_config *hbm,
                                  const struct trace *trace, const struct tpu_plan *plan,
                                  enum tpu_mxu_form form, struct diag *d);
void               tpu_values_free(struct tpu_values *v);

/* Values as doubles, row-major, the whole tensor whatever the number of cores; set rounds them
 * to the tensor's type.  get is false for a tensor that lives inside a group only. */
void tpu_values_set(struct tpu_values *v, uint32_t tensor, const double *values);
bool tpu_values_get(const struct tpu_values *v, uint32_t tensor, double *values);

/* The whole program once, after `before` such steps: Adam's step counts from there.  `toggles`
 * (may be NULL: not counted) has one for each group, and is added to. */
void tpu_values_step(struct tpu_values *v, uint64_t before, struct toggles *toggles);

#endif
