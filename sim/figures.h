/* figures.h - every figure of every machine: one struct, one row a section.
 *
 *     const struct figures *f = machine_figures(m);
 *     f->tpu.mxu.rows, f->gpu.sm.count, f->hbm.rcd_rd_ns
 *
 * A machine has the sections of its kind; those of the other kind are zeros.  Section
 * `energy` is another one for each kind.
 */
#ifndef SIM_FIGURES_H
#define SIM_FIGURES_H

#include "models/energy/gpu_prices.h"
#include "models/energy/prices.h"
#include "models/gpu/config.h"
#include "models/hbm/hbm_params.h"
#include "models/tpu/config.h"
#include "sim/machine.h"

struct figures {
    struct tpu_config tpu;
    struct gpu_config gpu;
    struct hbm_config hbm;
    struct energy_config energy;            /* of a TPU */
    struct gpu_energy_config gpu_energy;
};

extern const struct schema figures_schema;

#endif
