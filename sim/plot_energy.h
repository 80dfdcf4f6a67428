/* plot_energy.h - energy by what it was for: components of machines of any kind, put together. */
#ifndef SIM_PLOT_ENERGY_H
#define SIM_PLOT_ENERGY_H

#include <jansson.h>

#define PLOT_ENERGY_GROUPS(X)                       \
    X(MATRIX,  "matrix units")                      \
    X(LANES,   "vector and scalar lanes")           \
    X(CONTROL, "instructions, registers")           \
    X(ON_CHIP, "memory on the chip, DMA")           \
    X(LINKS,   "links, crossbar")                   \
    X(HBM,     "HBM: reads, writes, rows")          \
    X(HBM_REST, "HBM at rest, refresh")             \
    X(REST,    "chip at rest")                      \
    X(OTHER,   "other")

enum plot_energy_group {
#define GROUP(name, what) PLOT_ENERGY_##name,
    PLOT_ENERGY_GROUPS(GROUP)
#undef GROUP
    PLOT_ENERGY_COUNT
};

extern const char *const plot_energy_names[PLOT_ENERGY_COUNT];

/* Joules of a result in each group. */
void plot_energy_sums(const json_t *result, double sums[PLOT_ENERGY_COUNT]);

#endif
