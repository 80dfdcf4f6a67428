/* tpu_plan.h - of an op in a result: how the lowering cut it, what its units had to do, and
 * what was counted for it.  docs/results.md has the fields; sim/explain.h reads them. */
#ifndef SIM_TPU_PLAN_H
#define SIM_TPU_PLAN_H

#include <jansson.h>

#include "sim/tpu_chip.h"

json_t *tpu_plan_json(const struct tpu_chip *c, const struct trace *t, uint32_t group);

#endif
