/* figures.c - the sections of a machine file, in the order of a report. */
#include "sim/figures.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* ---- the table of each section ---- */

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

static const struct param tpu_chip[]  = { TPU_CHIP_PARAMS(CHIP) };
static const struct param tpu_core[]  = { TPU_CORE_PARAMS(CORE) };
static const struct param tpu_mxu[]   = { TPU_MXU_PARAMS(MXU) };
static const struct param tpu_vmem[]  = { TPU_VMEM_PARAMS(VMEM) };
static const struct param tpu_vpu[]   = { TPU_VPU_PARAMS(VPU) };
static const struct param tpu_xlu[]   = { TPU_XLU_PARAMS(XLU) };
static const struct param tpu_dma[]   = { TPU_DMA_PARAMS(DMA) };
static const struct param tpu_ici[]   = { TPU_ICI_PARAMS(ICI) };
static const struct param tpu_host[]  = { TPU_HOST_PARAMS(HOST) };
static const struct param tpu_lower[] = { TPU_LOWER_PARAMS(LOWER) };

#define GPU_CHIP(...) PARAM_ENTRY(gpu_chip_config, __VA_ARGS__)
#define SM(...)       PARAM_ENTRY(gpu_sm_config, __VA_ARGS__)
#define PIPE(...)     PARAM_ENTRY(gpu_pipes_config, __VA_ARGS__)
#define TENSOR(...)   PARAM_ENTRY(gpu_tensor_config, __VA_ARGS__)
#define SHARED(...)   PARAM_ENTRY(gpu_shared_config, __VA_ARGS__)
#define LSU(...)      PARAM_ENTRY(gpu_lsu_config, __VA_ARGS__)
#define L1(...)       PARAM_ENTRY(gpu_l1_config, __VA_ARGS__)
#define FETCH(...)    PARAM_ENTRY(gpu_fetch_config, __VA_ARGS__)
#define CROSSBAR(...) PARAM_ENTRY(gpu_crossbar_config, __VA_ARGS__)
#define L2(...)       PARAM_ENTRY(gpu_l2_config, __VA_ARGS__)
#define LAUNCH(...)   PARAM_ENTRY(gpu_launch_config, __VA_ARGS__)
#define KERNELS(...)  PARAM_ENTRY(gpu_kernels_config, __VA_ARGS__)
#define POWER(...)    PARAM_ENTRY(gpu_power_config, __VA_ARGS__)

static const struct param gpu_gpu[]      = { GPU_CHIP_PARAMS(GPU_CHIP) };
static const struct param gpu_sm[]       = { GPU_SM_PARAMS(SM) };
static const struct param gpu_pipes[]    = { GPU_PIPE_PARAMS(PIPE) };
static const struct param gpu_tensor[]   = { GPU_TENSOR_PARAMS(TENSOR) };
static const struct param gpu_shared[]   = { GPU_SHARED_PARAMS(SHARED) };
static const struct param gpu_lsu[]      = { GPU_LSU_PARAMS(LSU) };
static const struct param gpu_l1[]       = { GPU_L1_PARAMS(L1) };
static const struct param gpu_fetch[]    = { GPU_FETCH_PARAMS(FETCH) };
static const struct param gpu_crossbar[] = { GPU_CROSSBAR_PARAMS(CROSSBAR) };
static const struct param gpu_l2[]       = { GPU_L2_PARAMS(L2) };
static const struct param gpu_launch[]   = { GPU_LAUNCH_PARAMS(LAUNCH) };
static const struct param gpu_kernels[]  = { GPU_KERNELS_PARAMS(KERNELS) };
static const struct param gpu_power[]    = { GPU_POWER_PARAMS(POWER) };

#define HBM(...)        PARAM_ENTRY(hbm_config, __VA_ARGS__)
#define TPU_ENERGY(...) PARAM_ENTRY(energy_config, __VA_ARGS__)
#define GPU_ENERGY(...) PARAM_ENTRY(gpu_energy_config, __VA_ARGS__)
#define GPU_EVENT(id, price, unit, what) GPU_ENERGY(REAL, price, 0, 1e6, what)

static const struct param hbm[]        = { HBM_PARAMS(HBM) };
static const struct param tpu_energy[] = { ENERGY_PARAMS(TPU_ENERGY) };
static const struct param gpu_energy[] = {
    GPU_ENERGY_LEVEL(GPU_ENERGY) GPU_EVENTS(GPU_EVENT) GPU_ENERGY_PARAMS(GPU_ENERGY)
};

/* ---- the sections ---- */

#define ROW(name, what, params, field, kinds) \
    { name, what, params, COUNT(params), offsetof(struct figures, field), kinds },
#define ONLY_TPU MACHINE_USES(MACHINE_TPU)
#define ONLY_GPU MACHINE_USES(MACHINE_GPU)

#define TPU_ROW(name, params, what) ROW(#name, what, tpu_##name, tpu.name, ONLY_TPU)
#define GPU_ROW(name, params, what) ROW(#name, what, gpu_##name, gpu.name, ONLY_GPU)

static const struct section sections[] = {
    TPU_SECTIONS(TPU_ROW)
    GPU_SECTIONS(GPU_ROW)
    ROW("hbm", "the memory", hbm, hbm, ONLY_TPU | ONLY_GPU)
    ROW("energy", "what everything costs", tpu_energy, energy, ONLY_TPU)
    ROW("energy", "what everything costs", gpu_energy, gpu_energy, ONLY_GPU)
};

const struct schema figures_schema = {
    sections, COUNT(sections), sizeof(struct figures), ONLY_TPU | ONLY_GPU
};
