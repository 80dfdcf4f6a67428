/* figures.c - the sections of a machine file, in the order of a report. */
#include "sim/figures.h"

#define CHIP(...)  PARAM_ENTRY(tpu_chip_config, __VA_ARGS__)
#define CORE(...)  PARAM_ENTRY(tpu_core_config, __VA_ARGS__)
#define MXU(...)   PARAM_ENTRY(tpu_mxu_config, __VA_ARGS__)
#define VMEM(...)  PARAM_ENTRY(tpu_vmem_config, __VA_ARGS__)
#define VPU(...)   PARAM_ENTRY(tpu_vpu_config, __VA_ARGS__)
#define XLU(...)   PARAM_ENTRY(tpu_xlu_config, __VA_ARGS__)
#define DMA(...)   PARAM_ENTRY(tpu_dma_config, __VA_ARGS__)
#define ICI(...)   PARAM_ENTRY(tpu_ici_config, __VA_ARGS__)
#define HOST(...)  PARAM_ENTRY(tpu_host_config, __VA_ARGS__)
#define LOWER(...) PARAM_ENTRY(tpu_lower_config, __VA_ARGS__)
#define HBM(...)   PARAM_ENTRY(hbm_config, __VA_ARGS__)
#define ENERGY(...) PARAM_ENTRY(energy_config, __VA_ARGS__)

static const struct param chip[]  = { TPU_CHIP_PARAMS(CHIP) };
static const struct param core[]  = { TPU_CORE_PARAMS(CORE) };
static const struct param mxu[]   = { TPU_MXU_PARAMS(MXU) };
static const struct param vmem[]  = { TPU_VMEM_PARAMS(VMEM) };
static const struct param vpu[]   = { TPU_VPU_PARAMS(VPU) };
static const struct param xlu[]   = { TPU_XLU_PARAMS(XLU) };
static const struct param dma[]   = { TPU_DMA_PARAMS(DMA) };
static const struct param ici[]   = { TPU_ICI_PARAMS(ICI) };
static const struct param host[]  = { TPU_HOST_PARAMS(HOST) };
static const struct param lower[] = { TPU_LOWER_PARAMS(LOWER) };
static const struct param hbm[]   = { HBM_PARAMS(HBM) };
static const struct param energy[] = { ENERGY_PARAMS(ENERGY) };

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* In a TPU only; TPU_SECTIONS has the words. */
#define TPU(name, params, what) \
    { #name, what, name, COUNT(name), offsetof(struct figures, tpu.name), \
      MACHINE_USES(MACHINE_TPU) },
#define PRICES(name, what) \
    { #name, what, name, COUNT(name), offsetof(struct figures, name), \
      MACHINE_USES(MACHINE_TPU) },
#define BOTH(name, what) \
    { #name, what, name, COUNT(name), offsetof(struct figures, name), \
      MACHINE_USES(MACHINE_TPU) | MACHINE_USES(MACHINE_GPU) },

static const struct section sections[] = {
    TPU_SECTIONS(TPU)
    BOTH(hbm, "the memory")
    PRICES(energy, "what everything costs")
};

const struct schema figures_schema = {
    sections, COUNT(sections), sizeof(struct figures), MACHINE_USES(MACHINE_TPU)
};
