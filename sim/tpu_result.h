/* tpu_result.h - what a run found out, as one JSON object (docs/results.md).
 *
 * The object is the whole result: text and CSV are made from it, in the parent process.
 */
#ifndef SIM_TPU_RESULT_H
#define SIM_TPU_RESULT_H

#include <jansson.h>

#include "models/toggles.h"
#include "sim/tpu_chip.h"

/* A new reference.  `m` gives the name and the figures; `options` are those of the lowering;
 * `toggles`, one a group, say what the data were (NULL: not known). */
json_t *tpu_result(const struct tpu_chip *c, const struct machine *m, const struct trace *t,
                   const struct tpu_lower_options *options, const struct toggles *toggles);

/* NULL, or which of a run's own sums does not come out, in words that live until the
 * next call. */
const char *tpu_result_fault(const struct tpu_chip *c);

#endif
