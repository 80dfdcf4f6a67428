/* tpu_energy.h - counts times prices, and static power times time.
 *
 * Each component of energy is one line of a table: what is counted, and its price.  The
 * sum over groups of a trace is the whole, because what has no group of its own (static
 * power, refresh, open rows) follows each group's share of the time.
 *
 * Not modelled: energy of the host; of stacks beside those that the cores in use reach,
 * all but their rest and refresh.
 */
#ifndef SIM_TPU_ENERGY_H
#define SIM_TPU_ENERGY_H

#include "models/toggles.h"
#include "sim/tpu_chip.h"

#define TPU_COMPONENTS(X) \
    X(MATRIX,     "matrix_units",    "multiply-accumulates and weights") \
    X(VECTOR,     "vector_unit",     "arithmetic, transcendental functions") \
    X(TRANSPOSE,  "transpose_units", "transposes and reductions over lanes") \
    X(VMEM,       "vector_memory",   "reads and writes") \
    X(DMA,        "dma",             "wires between vector memory and HBM") \
    X(LINK,       "core_links",      "bytes between cores") \
    X(ACTIVATE,   "hbm_activate",    "rows opened and closed") \
    X(READ,       "hbm_read",        "bits read") \
    X(WRITE,      "hbm_write",       "bits written") \
    X(REFRESH,    "hbm_refresh",     "refresh") \
    X(BACKGROUND, "hbm_background",  "rows open or closed, at rest") \
    X(STATIC,     "static",          "the chip at rest") \
    X(EXTRA,      "idle_extra",      "what idle figures say beyond the parts")

enum tpu_component {
#define COMPONENT(id, name, what) TPU_ENERGY_##id,
    TPU_COMPONENTS(COMPONENT)
#undef COMPONENT
    TPU_COMPONENTS_COUNT
};

extern const char *const tpu_component_names[TPU_COMPONENTS_COUNT];

struct tpu_energy { double j[TPU_COMPONENTS_COUNT]; };

double tpu_energy_sum(const struct tpu_energy *e);

/* Of a whole run: in all, and of it what passes with time whoever does what. */
struct tpu_bill {
    const struct tpu_chip *chip;
    const struct toggles *toggles;      /* [groups] of the data; NULL: not known */
    double seconds;
    double data_share;                  /* energy of events as billed, over that at usual prices */
    struct tpu_energy total, resting;
};

struct tpu_bill tpu_energy_bill(const struct tpu_chip *c, double seconds,
                                const struct toggles *toggles);

/* Of a group that had `share` of the time (0 to 1). */
struct tpu_energy tpu_energy_group(const struct tpu_bill *b, uint32_t group, double share);

/* Mean power in interval `i` of `interval` ticks; what HBM takes follows the DMA's bytes. */
double tpu_energy_power(const struct tpu_bill *b, uint32_t i, tick_t interval);

#endif
