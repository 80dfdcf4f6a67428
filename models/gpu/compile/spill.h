/* spill.h - words that find no register live in local memory; private to the allocation. */
#ifndef MODELS_GPU_COMPILE_SPILL_H
#define MODELS_GPU_COMPILE_SPILL_H

#include "models/gpu/compile/ranges.h"

/* Where more words are needed at once than there are registers, marks the cheapest of them.
 * Whether it had to; false in *possible if there are none left. */
bool spill_excess(struct code *c, const struct ranges *r, uint8_t *chosen, bool *possible);

/* Instead of those in `failed`, which found no register, marks what is cheaper in their way
 * or themselves. */
bool spill_failed(struct code *c, const struct ranges *r, const uint8_t *failed,
                  uint8_t *chosen);

/* Each chosen word is loaded before it is read and stored after it is written.  More may be
 * chosen with them. */
void spill_words(struct code *c, uint8_t *chosen);

#endif
