/* toggles.h - how many bits changed where values of data cost energy.
 *
 * `bits` are those that were moved, `changed` those of them that differed from the bit that
 * stood in the same place before.  For random data changed / bits is one half; for zeros,
 * nothing.  One set for each group of a plan.
 *
 * Not modelled: results, registers between operands and units, caches, links; which transfers
 * or units take turns on the same wires.
 */
#ifndef MODELS_TOGGLES_H
#define MODELS_TOGGLES_H

#include <stdint.h>

#define TOGGLES(X) \
    X(MATRIX, "matrix", "operands of matrix units and tensor cores") \
    X(LANES,  "lanes",  "operands of FP32 multipliers and adders")   \
    X(HBM,    "hbm",    "the data bus of HBM, beat after beat")

enum toggles_place {
#define TOGGLE(id, name, what) TOGGLES_##id,
    TOGGLES(TOGGLE)
#undef TOGGLE
    TOGGLES_COUNT
};

struct toggles_count { uint64_t bits, changed; };
struct toggles { struct toggles_count of[TOGGLES_COUNT]; };

/* `bytes` over a bus of `beat_bytes` (1 or more), one beat after the other; the bus is zero
 * before the first. */
struct toggles_count toggles_bus(const void *data, uint64_t bytes, uint32_t beat_bytes);

#endif
