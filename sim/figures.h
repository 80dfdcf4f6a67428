/* figures.h - every figure of every machine: one struct, one row a section.
 *
 *     const struct figures *f = machine_figures(m);
 *     f->tpu.mxu.rows, f->hbm.rcd_rd_ns
 */
#ifndef SIM_FIGURES_H
#define SIM_FIGURES_H

#include "models/energy/prices.h"
#include "models/hbm/hbm_params.h"
#include "models/tpu/config.h"
#include "sim/machine.h"

struct figures {
    struct tpu_config tpu;
    struct hbm_config hbm;
    struct energy_config energy;
};

extern const struct schema figures_schema;

#endif
