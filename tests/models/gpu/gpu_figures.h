/* gpu_figures.h - figures of two GPUs for tests: of a V100's and an A100's kind.
 *
 * Round numbers near the real chips, so that a test can be worked out by hand and does not
 * change when a machine file is calibrated.  gpu_small() has a few SMs and small caches.
 */
#ifndef TESTS_MODELS_GPU_FIGURES_H
#define TESTS_MODELS_GPU_FIGURES_H

#include "models/gpu/config.h"
#include "models/hbm/hbm_params.h"

static inline struct gpu_config gpu_v100(void)
{
    return (struct gpu_config){
        .gpu = { .generation = GPU_SM_70, .clock_mhz = 1530 },
        .sm = { .count = 80, .subcores = 4, .warps = 64, .blocks = 32, .registers = 65536,
                .register_granule = 256, .max_registers = 255, .barriers = 16,
                .scheduler = GPU_GTO, .register_banks = 2, .bank_reads = 1, .reuse = 1 },
        .pipes = { .fp32_interval = 2, .fp32_latency = 4, .int_interval = 2, .int_latency = 4,
                   .imad_interval = 2, .imad_latency = 5, .imad_pipe = 1,
                   .fp16_interval = 2, .fp16_latency = 6, .fp64_interval = 4, .fp64_latency = 8,
                   .sfu_interval = 8, .sfu_latency = 22, .convert_interval = 8,
                   .convert_latency = 14, .uniform_interval = 1, .uniform_latency = 4,
                   .special_latency = 20, .branch_cycles = 8, .barrier_cycles = 20 },
        .tensor = { .wmma_f16_interval = 32, .wmma_f16_latency = 64, .peak_f16_macs = 512 },
        .shared = { .bytes = 98304, .block_bytes = 98304, .granule_bytes = 256, .carve_bytes = 32768, .banks = 32,
                    .load_latency = 19, .store_latency = 19, .atomic_cycles = 4 },
        .lsu = { .interval = 2, .queue = 8, .shuffle_latency = 23, .matrix_latency = 29 },
        .l1 = { .bytes = 131072, .line_bytes = 128, .sector_bytes = 32, .ways = 4,
                .hit_latency = 28, .tags_per_cycle = 4, .bytes_per_cycle = 128,
                .fill_bytes = 64, .loads = 1, .mshrs = 256, .merges = 32, .miss_cycles = 10,
                .return_cycles = 10, .constant_latency = 28, .stores = 256 },
        .fetch = { .instruction_bytes = 16, .line_bytes = 128, .l0_bytes = 12288,
                   .l1_bytes = 131072, .l0_miss_cycles = 20, .l1_miss_cycles = 200,
                   .prefetch_lines = 2 },
        .crossbar = { .latency_ns = 40, .request_bytes = 32, .answer_bytes = 64, .far_ns = 0 },
        .l2 = { .clock_mhz = 1530, .bytes = 6291456, .partitions = 1, .slices = 64,
                .line_bytes = 128, .sector_bytes = 32, .fill_sectors = 1, .ways = 16,
                .hit_cycles = 40, .bytes_per_cycle = 32, .mshrs = 64, .queue = 64,
                .atomic_cycles = 1, .memory_ns = 20 },
        .launch = { .first_us = 3, .next_us = 1, .block_cycles = 200, .dispatch_cycles = 1,
                    .link_ns = 20 },
        .kernels = { .tensor_cores = 1, .split_k = 1, .split_f32_k = 1 },
        .power = { .voltages = "" },
    };
}

static inline struct gpu_config gpu_a100(void)
{
    struct gpu_config c = gpu_v100();
    c.gpu.generation = GPU_SM_80;
    c.gpu.clock_mhz = 1410;
    c.sm.count = 108;
    c.pipes.imad_latency = 4;
    c.tensor = (struct gpu_tensor_config){
        .wmma_f16_interval = 16, .wmma_f16_latency = 33, .mma_k16_interval = 8,
        .mma_k16_latency = 25, .mma_k8_interval = 4, .mma_k8_latency = 18,
        .mma_tf32_interval = 8, .mma_tf32_latency = 25, .peak_f16_macs = 1024 };
    c.shared.bytes = 167936;
    c.shared.block_bytes = 166912;
    c.shared.granule_bytes = 128;
    c.shared.reserved_bytes = 1024;
    c.shared.load_latency = 23;
    c.l1.bytes = 196608;
    c.l1.hit_latency = 33;
    c.crossbar.far_ns = 70;
    c.l2.clock_mhz = 1410;
    c.l2.bytes = 41943040;
    c.l2.partitions = 2;
    c.l2.slices = 80;
    c.l2.bytes_per_cycle = 64;
    c.l2.fill_sectors = 2;
    return c;
}

/* Two SMs of either kind, with caches that a test fills quickly. */
static inline struct gpu_config gpu_small(enum gpu_generation generation)
{
    struct gpu_config c = generation == GPU_SM_70 ? gpu_v100() : gpu_a100();
    c.gpu.generation = generation;
    c.sm.count = 2;
    c.l1.mshrs = 16;
    c.l2.bytes = 65536;
    c.l2.slices = 4;
    c.l2.partitions = 1;
    c.l2.mshrs = 8;
    return c;
}

/* What a test of the lowering needs of the memory: 16 GiB at 900 GB/s, 40 at 1555. */
static inline struct hbm_config gpu_v100_hbm(void)
{
    return (struct hbm_config){ .stacks = 4, .capacity_gib = 4, .channels = 8,
                                .channel_bits = 128, .pseudo_channels = 2, .burst_length = 4,
                                .clock_bits = 2, .pin_gbps = 1.758 };
}

static inline struct hbm_config gpu_a100_hbm(void)
{
    struct hbm_config c = gpu_v100_hbm();
    c.stacks = 5;
    c.capacity_gib = 8;
    c.pin_gbps = 2.43;
    return c;
}

#endif
