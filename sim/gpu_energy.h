/* gpu_energy.h - what a GPU's run cost: counts times prices, and static power times time.
 *
 * Each component of energy is one line of a table: what is counted, and its price.  The sum
 * over groups of a trace is the whole, because what has no group of its own (static power,
 * refresh, open rows) follows each group's share of the time.
 *
 * The chip's own prices go with the square of its voltage, those of HBM and the rest of the
 * board do not (models/energy/gpu_prices.h).  Of a sampled run the counts of each group are
 * taken as many times as its blocks are more than those simulated.
 *
 * Not modelled: energy of the host; when in the run HBM's energy was spent, which follows the
 * bytes of L2 here.
 */
#ifndef SIM_GPU_ENERGY_H
#define SIM_GPU_ENERGY_H

#include "models/energy/gpu_prices.h"
#include "models/toggles.h"
#include "sim/gpu_chip.h"
#include "sim/gpu_curve.h"

/* id, name, what, whether it goes with the voltage of the chip */
#define GPU_COMPONENTS(X) \
    X(ISSUE,      "issue",          "operations fetched, decoded and issued", 1) \
    X(REGISTERS,  "registers",      "register operands read and written", 1) \
    X(FLOAT,      "float_lanes",    "single and half precision arithmetic of lanes", 1) \
    X(INTEGER,    "integer_lanes",  "integer arithmetic of lanes", 1) \
    X(SPECIAL,    "special_lanes",  "double precision, special functions, conversions", 1) \
    X(TENSOR,     "tensor_cores",   "multiply-accumulates of tensor cores", 1) \
    X(SHARED,     "shared_memory",  "reads and writes", 1) \
    X(L1,         "l1",             "tags and data", 1) \
    X(CROSSBAR,   "crossbar",       "between SMs and L2, and between partitions", 1) \
    X(L2,         "l2",             "tags and data", 1) \
    X(ACTIVATE,   "hbm_activate",   "rows opened and closed", 0) \
    X(READ,       "hbm_read",       "bits read", 0) \
    X(WRITE,      "hbm_write",      "bits written", 0) \
    X(REFRESH,    "hbm_refresh",    "refresh", 0) \
    X(BACKGROUND, "hbm_background", "rows open or closed, at rest", 0) \
    X(SM_STATIC,  "sm_static",      "SMs at rest, and more while they have blocks", 1) \
    X(L2_STATIC,  "l2_static",      "L2 and crossbar at rest, and more during launches", 1) \
    X(CONSTANT,   "constant",       "the rest of chip and board", 0)

enum gpu_component {
#define COMPONENT(id, name, what, scales) GPU_ENERGY_##id,
    GPU_COMPONENTS(COMPONENT)
#undef COMPONENT
    GPU_COMPONENTS_COUNT
};

extern const char *const gpu_component_names[GPU_COMPONENTS_COUNT];

struct gpu_energy { double j[GPU_COMPONENTS_COUNT]; };

double gpu_energy_sum(const struct gpu_energy *e);

/* How a run was, beside what its chip counted. */
struct gpu_bill_run {
    const struct gpu_chip *chip;
    const struct gpu_energy_config *prices;
    double volts;           /* of the chip */
    double seconds;         /* of the run, with what sampling reckoned */
    const double *more;     /* [groups] counts are to be taken so many times; NULL: once */
    const struct toggles *toggles;      /* [groups] of the data; NULL: not known */
};

/* In all, and of it what passes with time whoever does what. */
struct gpu_bill {
    struct gpu_bill_run run;
    double *counts;         /* [groups][events] */
    double  moved;          /* events' energy of the bill over that of the chip's counts */
    struct gpu_energy total, resting;
};

struct gpu_bill *gpu_bill_new(const struct gpu_bill_run *run);
void             gpu_bill_free(struct gpu_bill *b);

/* Of a group that had `share` of the time (0 to 1). */
struct gpu_energy gpu_bill_group(const struct gpu_bill *b, uint32_t group, double share);

/* Mean power in each of `count` equal intervals that make the run, to watts[]. */
void gpu_bill_power(const struct gpu_bill *b, uint32_t count, double *watts);

/* For the power limit. */
struct gpu_run_power gpu_bill_split(const struct gpu_bill *b, double mhz);

#endif
