/* config.h - the figures of a GPU chip, by section of its machine file.
 *
 *     gpu      clock, generation            sm       warps, registers, schedulers
 *     pipes    issue intervals, latencies   tensor   rates of mma by kind
 *     shared   banks                        lsu      the load-store unit's queues
 *     l1       sectored cache               fetch    instruction caches
 *     crossbar SM <-> L2                    l2       slices in partitions
 *     launch   costs of a kernel            kernels  what the lowering chooses from
 *     power    limit and voltages
 *
 * Times in cycles are of the SM's clock unless the section says otherwise; an interval is
 * how long an operation of a warp holds its pipe, a latency how long until a dependent
 * operation can issue.  HBM has its own section, shared with the TPU (models/hbm/).
 */
#ifndef MODELS_GPU_CONFIG_H
#define MODELS_GPU_CONFIG_H

#include "models/param.h"

#define GPU_CHIP_PARAMS(X) \
    X(CHOICE, generation, "sm_70|sm_80|sm_90", 2, "whose machine operations PTX becomes") \
    X(REAL,   clock_mhz,      1,  10000, "of the SMs")

#define GPU_SM_PARAMS(X) \
    X(COUNT,  count,          1,   4096, "SMs of the chip") \
    X(COUNT,  subcores,       1,      8, "parts of an SM, each with a scheduler and pipes") \
    X(COUNT,  warps,          1,    256, "warps that an SM holds") \
    X(COUNT,  blocks,         1,    256, "blocks that an SM holds") \
    X(COUNT,  registers,   1024, 1048576, "registers of 32 bit in an SM") \
    X(COUNT,  register_granule, 32, 8192, "registers of a warp come in multiples of this") \
    X(COUNT,  max_registers, 16,    255, "registers that a thread may have") \
    X(COUNT,  barriers,       1,     64, "named barriers of a block") \
    X(CHOICE, scheduler, "gto|lrr", 1, "which ready warp issues: greedy then oldest, or in turn") \
    X(COUNT,  register_banks, 1,     16, "banks of a sub-core's registers") \
    X(COUNT,  bank_reads,     1,      8, "operands that a bank delivers in a cycle") \
    X(COUNT,  reuse,          0,      1, "1: an operand read again in the same place costs no read")

/* Each pipe has an interval and a latency. */
#define GPU_PIPES(X) \
    X(FP32,    fp32,    "single precision") \
    X(INT,     int,     "integer add, logic, shift, compare, move") \
    X(IMAD,    imad,    "integer multiply-add") \
    X(FP16,    fp16,    "half precision, two at a time") \
    X(FP64,    fp64,    "double precision") \
    X(SFU,     sfu,     "reciprocal, root, exponential, logarithm, sine") \
    X(CONVERT, convert, "conversion between types") \
    X(TENSOR,  tensor,  "products of small matrices") \
    X(LSU,     lsu,     "loads, stores, atomics, shuffles") \
    X(UNIFORM, uniform, "constants, parameters and special registers") \
    X(CONTROL, control, "branches, barriers, exits")

#define GPU_PIPE_PARAMS(X) \
    X(REAL,  fp32_interval,    0.25,  64, "cycles that a warp's operation takes of the FP32 pipe") \
    X(COUNT, fp32_latency,       1, 1000, "cycles until its result can be used") \
    X(REAL,  int_interval,     0.25,  64, "the same of the integer pipe") \
    X(COUNT, int_latency,        1, 1000, "the same") \
    X(REAL,  imad_interval,    0.25,  64, "the same of integer multiply-add") \
    X(COUNT, imad_latency,       1, 1000, "the same") \
    X(CHOICE, imad_pipe, "int|fp32", 1,   "which pipe multiplies integers") \
    X(REAL,  fp16_interval,    0.25,  64, "the same of packed half precision") \
    X(COUNT, fp16_latency,       1, 1000, "the same") \
    X(REAL,  fp64_interval,    0.25, 256, "the same of double precision") \
    X(COUNT, fp64_latency,       1, 1000, "the same") \
    X(REAL,  sfu_interval,     0.25, 256, "the same of the special function unit") \
    X(COUNT, sfu_latency,        1, 1000, "the same") \
    X(REAL,  convert_interval, 0.25, 256, "the same of conversions") \
    X(COUNT, convert_latency,    1, 1000, "the same") \
    X(REAL,  uniform_interval, 0.25,  64, "the same of constants and special registers") \
    X(COUNT, uniform_latency,    1, 1000, "the same") \
    X(COUNT, special_latency,    1, 1000, "of reading a special register that differs by thread") \
    X(COUNT, branch_cycles,      1, 1000, "from a branch to the next operation of its warp") \
    X(COUNT, barrier_cycles,     1, 1000, "from the last arrival at a barrier to the next operation")

/* By kind of tensor operation: cycles that a sub-core's unit takes, and until its result
 * can be used.  0: this chip does not have it. */
#define GPU_TENSOR_PARAMS(X) \
    X(REAL,  wmma_f16_interval,  0, 1024, "wmma m16n16k16 of f16, f32 sums") \
    X(COUNT, wmma_f16_latency,   0, 1024, "the same") \
    X(REAL,  mma_k16_interval,   0, 1024, "mma m16n8k16 of f16 or bf16, f32 sums") \
    X(COUNT, mma_k16_latency,    0, 1024, "the same") \
    X(REAL,  mma_k8_interval,    0, 1024, "mma m16n8k8 of f16 or bf16, f32 sums") \
    X(COUNT, mma_k8_latency,     0, 1024, "the same") \
    X(REAL,  mma_tf32_interval,  0, 1024, "mma m16n8k8 of tf32; m16n8k4 takes half") \
    X(COUNT, mma_tf32_latency,   0, 1024, "the same") \
    X(REAL,  peak_f16_macs,      0, 1e6,  "multiply-accumulates of f16 in a cycle of an SM, for shares of peak")

#define GPU_SHARED_PARAMS(X) \
    X(SIZE,  bytes,           1024, 1048576, "shared memory that an SM can have") \
    X(SIZE,  block_bytes,     1024, 1048576, "of it, the most for a block") \
    X(COUNT, granule_bytes,      1,   65536, "it is given in multiples of this") \
    X(COUNT, reserved_bytes,     0,   65536, "taken for the system in each block") \
    X(SIZE,  carve_bytes,        1, 1048576, "what resident blocks take of L1 comes in multiples of this") \
    X(COUNT, banks,              1,     128, "each with one word of 4 bytes a cycle") \
    X(COUNT, load_latency,       1,    1000, "from issue to use, without conflict") \
    X(COUNT, store_latency,      1,    1000, "from issue until the data is there") \
    X(COUNT, atomic_cycles,      1,    1000, "for each lane that has the same address")

#define GPU_LSU_PARAMS(X) \
    X(REAL,  interval,        0.25,   64, "cycles of a sub-core between two memory operations of its warps") \
    X(COUNT, queue,              1,  256, "memory operations of a sub-core that wait or are under way to the SM's unit") \
    X(COUNT, shuffle_latency,    1, 1000, "from issue to use") \
    X(COUNT, matrix_latency,     1, 1000, "ldmatrix, from issue to use, without conflict")

#define GPU_L1_PARAMS(X) \
    X(SIZE,  bytes,           1024, 4194304, "data cache and shared memory together") \
    X(COUNT, line_bytes,       128,     128, "of a tag; messages know no other") \
    X(COUNT, sector_bytes,      32,      32, "fetched by itself; messages know no other") \
    X(COUNT, ways,               1,     256, "lines of a set; the sets follow from the size left by shared memory") \
    X(COUNT, hit_latency,        1,    1000, "from issue to use, a line a warp") \
    X(COUNT, tags_per_cycle,     1,      32, "lines looked up in a cycle") \
    X(COUNT, bytes_per_cycle,    4,    1024, "read from the data array in a cycle") \
    X(COUNT, fill_bytes,         4,    1024, "that arrive from the crossbar in a cycle") \
    X(COUNT, loads,              0,       1, "1: loads are looked up and kept; 0: they go past it to L2") \
    X(COUNT, mshrs,              1,    4096, "lines under way") \
    X(COUNT, merges,             1,    1024, "operations that can wait for one line") \
    X(COUNT, miss_cycles,        0,    1000, "from the lookup to the crossbar") \
    X(COUNT, return_cycles,      0,    1000, "from a line's arrival until its data can be used") \
    X(COUNT, constant_latency,   1,    1000, "of ld.const and ld.param by a changing address, when cached") \
    X(COUNT, stores,             1,    4096, "stores and atomics under way to L2")

#define GPU_FETCH_PARAMS(X) \
    X(COUNT, instruction_bytes,  4,      64, "of a machine operation") \
    X(COUNT, line_bytes,        32,    1024, "of the instruction caches") \
    X(SIZE,  l0_bytes,         128, 1048576, "a sub-core's instruction cache") \
    X(SIZE,  l1_bytes,        1024, 4194304, "an SM's") \
    X(COUNT, l0_miss_cycles,     0,   10000, "to fetch a line from the SM's cache") \
    X(COUNT, l1_miss_cycles,     0,  100000, "to fetch it from L2") \
    X(COUNT, prefetch_lines,     0,      64, "fetched ahead of where a warp is")

#define GPU_CROSSBAR_PARAMS(X) \
    X(REAL,  latency_ns,         5,   1000, "from an SM to a slice, and back") \
    X(COUNT, request_bytes,      1,   1024, "of written data from an SM in a cycle; a request for a line takes one cycle") \
    X(COUNT, answer_bytes,       1,   1024, "into an SM in a cycle") \
    X(REAL,  far_ns,             0,   1000, "more, one way, to the other partition; not less than 5 where there are two")

/* L2 has a clock of its own. */
#define GPU_L2_PARAMS(X) \
    X(REAL,  clock_mhz,          1,  10000, "of L2 and crossbar") \
    X(SIZE,  bytes,           1024, 1ull << 32, "in all") \
    X(COUNT, partitions,         1,      2, "each with its own half of the slices, near to its half of the SMs") \
    X(COUNT, slices,             1,   1024, "in all, spread over partitions and stacks of HBM") \
    X(COUNT, line_bytes,        32,   1024, "of a tag") \
    X(COUNT, sector_bytes,       8,    128, "filled by itself") \
    X(COUNT, fill_sectors,       1,      4, "fetched together from HBM") \
    X(COUNT, ways,               1,    256, "lines of a set") \
    X(COUNT, hit_cycles,         1,   1000, "from a request's arrival at a slice to its answer's departure") \
    X(COUNT, bytes_per_cycle,    4,   1024, "that a slice reads or writes in a cycle") \
    X(REAL,  port_bytes,         0, 100000, "that the slices of a partition in front of a stack send SMs in a cycle, together; 0: what they read") \
    X(COUNT, mshrs,              1,   4096, "lines under way, of a slice") \
    X(COUNT, queue,              1,   4096, "requests of an SM under way to the slices of a block") \
    X(COUNT, atomic_cycles,      1,   1000, "of a slice for each 32 bytes of atomics") \
    X(REAL,  memory_ns,          5,   1000, "from a slice to its stack's controller, and back") \
    X(CHOICE, copies, "home|near", 1, "where a line of the other partition may be kept")

#define GPU_LAUNCH_PARAMS(X) \
    X(REAL,  first_us,           0,  1000, "from the start of a run to the first block") \
    X(REAL,  next_us,            0,  1000, "from the end of a kernel to the first block of the next on its stream") \
    X(REAL,  host_us,            0, 10000, "of host time for a launch that nothing hides (a framework's eager call); 0: a graph") \
    X(COUNT, block_cycles,       0, 10000, "from a block's dispatch to its first operation") \
    X(REAL,  dispatch_cycles,  0.1,   1000, "between two dispatched blocks") \
    X(REAL,  link_ns,            5,  1000, "from the block scheduler to an SM, and back")

#define GPU_KERNELS_PARAMS(X) \
    X(CHOICE, optimizer, "fused|eager", 1, "a tensor in one kernel, or a kernel for each elementary operation") \
    X(CHOICE, tensor_cores, "no|yes", 1, "products of bf16 and f16 on tensor cores") \
    X(CHOICE, split_k, "no|yes", 1, "whether a product with few tiles is cut along K") \
    X(COUNT,  split_f32_k,       1, 1000000000, "least K of a product on FP32 lanes that is cut") \
    X(TEXT,   tile, "", 0, "M x N x K that products take if a kernel has it, as 128x128x32; empty: the best")

#define GPU_POWER_PARAMS(X) \
    X(REAL,  limit_w,            0, 10000, "that the board may take on average; 0: no limit") \
    X(TEXT,  voltages, "", 0, "points of the chip's curve, MHz:volt, rising: 1095:0.75 1410:0.95")

/* Section, the part of struct gpu_config, its table, and what it is. */
#define GPU_SECTIONS(X) \
    X(gpu,      GPU_CHIP_PARAMS,     "the chip") \
    X(sm,       GPU_SM_PARAMS,       "the streaming multiprocessors") \
    X(pipes,    GPU_PIPE_PARAMS,     "the pipes of a sub-core") \
    X(tensor,   GPU_TENSOR_PARAMS,   "the tensor cores") \
    X(shared,   GPU_SHARED_PARAMS,   "shared memory") \
    X(lsu,      GPU_LSU_PARAMS,      "the load-store unit") \
    X(l1,       GPU_L1_PARAMS,       "the first-level data cache") \
    X(fetch,    GPU_FETCH_PARAMS,    "the instruction caches") \
    X(crossbar, GPU_CROSSBAR_PARAMS, "between SMs and L2") \
    X(l2,       GPU_L2_PARAMS,       "the second-level cache") \
    X(launch,   GPU_LAUNCH_PARAMS,   "what a kernel costs to start") \
    X(kernels,  GPU_KERNELS_PARAMS,  "what the lowering chooses from") \
    X(power,    GPU_POWER_PARAMS,    "the power limit")

struct gpu_chip_config     { GPU_CHIP_PARAMS(PARAM_FIELD) };
struct gpu_sm_config       { GPU_SM_PARAMS(PARAM_FIELD) };
struct gpu_pipes_config    { GPU_PIPE_PARAMS(PARAM_FIELD) };
struct gpu_tensor_config   { GPU_TENSOR_PARAMS(PARAM_FIELD) };
struct gpu_shared_config   { GPU_SHARED_PARAMS(PARAM_FIELD) };
struct gpu_lsu_config      { GPU_LSU_PARAMS(PARAM_FIELD) };
struct gpu_l1_config       { GPU_L1_PARAMS(PARAM_FIELD) };
struct gpu_fetch_config    { GPU_FETCH_PARAMS(PARAM_FIELD) };
struct gpu_crossbar_config { GPU_CROSSBAR_PARAMS(PARAM_FIELD) };
struct gpu_l2_config       { GPU_L2_PARAMS(PARAM_FIELD) };
struct gpu_launch_config   { GPU_LAUNCH_PARAMS(PARAM_FIELD) };
struct gpu_kernels_config  { GPU_KERNELS_PARAMS(PARAM_FIELD) };
struct gpu_power_config    { GPU_POWER_PARAMS(PARAM_FIELD) };

struct gpu_config {
    struct gpu_chip_config     gpu;
    struct gpu_sm_config       sm;
    struct gpu_pipes_config    pipes;
    struct gpu_tensor_config   tensor;
    struct gpu_shared_config   shared;
    struct gpu_lsu_config      lsu;
    struct gpu_l1_config       l1;
    struct gpu_fetch_config    fetch;
    struct gpu_crossbar_config crossbar;
    struct gpu_l2_config       l2;
    struct gpu_launch_config   launch;
    struct gpu_kernels_config  kernels;
    struct gpu_power_config    power;
};

enum gpu_generation { GPU_SM_70, GPU_SM_80, GPU_SM_90 };
enum gpu_scheduler  { GPU_GTO, GPU_LRR };
enum gpu_l2_copies  { GPU_L2_HOME, GPU_L2_NEAR };

enum gpu_pipe {
#define PIPE(id, name, what) GPU_PIPE_##id,
    GPU_PIPES(PIPE)
#undef PIPE
    GPU_PIPES_COUNT
};

#endif
