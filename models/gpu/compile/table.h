/* table.h - machine operations of each PTX instruction, by generation; private.
 *
 * Not modelled: sequences that depend on values (a division of denormals takes its fast path),
 * and those of a vendor beyond their number, pipes and dependences.
 */
#ifndef MODELS_GPU_COMPILE_TABLE_H
#define MODELS_GPU_COMPILE_TABLE_H

#include "models/gpu/config.h"
#include "models/gpu/ptx/ptx.h"

/* The operations that an instruction becomes on a generation, as text: NULL if it has none.
 *
 *     f FP32   i INT   m IMAD   h FP16   d FP64   s SFU   c CONVERT   u UNIFORM   l LSU
 *
 * A letter needs the result of the one before it; a number after it repeats it; `|` begins a
 * strand that needs nothing of those before it.  The last letter needs all strands, and is
 * the operation that has the result. */
const char *table_sequence(enum gpu_generation g, const struct ptx_instruction *i);

#endif
