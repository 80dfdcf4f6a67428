/* config.h - what a TPU chip is made of: every parameter but the matrix unit's (mxu.h)
 * and the memory's (models/hbm/hbm.h).
 *
 *     chip   cores, clock, how cores reach the HBM stacks
 *     core   units in a core, fixed costs of a compiled program
 *     vmem   the vector memory: bytes and ports
 *     vpu    the vector unit: lanes, issue slots, instructions by kind of arithmetic
 *     xlu    the transpose / cross-lane units
 *     dma    the engines between vector memory and HBM
 *     ici    links between cores
 *     host   launch of a program, dispatch of a step
 *     lower  what the compiler does: tile sizes, residence (a machine policy)
 *
 * Values and their sources are in models/machines/.
 */
#ifndef MODELS_TPU_CONFIG_H
#define MODELS_TPU_CONFIG_H

#include "models/param.h"
#include "models/tpu/mxu.h"

#define TPU_CHIP_PARAMS(X) \
    X(COUNT,  cores,          1,    64, "cores on the chip") \
    X(REAL,   clock_mhz,      1, 10000, "clock of the cores") \
    X(CHOICE, hbm_sharing, "split|shared", 0, "whether a core owns its share of the stacks or all cores reach all of them") \
    X(REAL,   fabric_ns,      5, 10000, "between a core and a stack, one way")

#define TPU_CORE_PARAMS(X) \
    X(COUNT,  mxus,           1,    64, "matrix units in a core") \
    X(CHOICE, partial_sums, "vector|accumulators", 0, "where sums over K beyond one pass of the array are added") \
    X(CHOICE, transpose_push, "no|yes", 0, "whether weights can be transposed as they are pushed") \
    X(COUNT,  op_cycles,      0, 1000000, "to begin an op of the compiled program") \
    X(COUNT,  step_cycles,    0, 1000000, "to begin a tile of an op: loop, address, semaphore") \
    X(COUNT,  push_slots,     1,    64, "pushes to matrix units a cycle") \
    X(COUNT,  pop_slots,      1,    64, "results popped from matrix units a cycle")

#define TPU_VMEM_PARAMS(X) \
    X(SIZE,   capacity_bytes, 1024, 17179869184, "vector memory of a core") \
    X(COUNT,  read_bytes,     1, 1048576, "read from it a cycle, all ports together") \
    X(COUNT,  write_bytes,    1, 1048576, "written to it a cycle, all ports together")

#define TPU_VPU_PARAMS(X) \
    X(COUNT,  lanes,          1, 65536, "lanes of a vector register") \
    X(COUNT,  sublanes,       1,  1024, "rows of a vector register") \
    X(COUNT,  alu_slots,      1,    64, "vector arithmetic instructions issued a cycle") \
    X(COUNT,  load_slots,     1,    64, "registers loaded a cycle") \
    X(COUNT,  store_slots,    1,    64, "registers stored a cycle") \
    X(COUNT,  eup_interval_cycles, 1, 1000, "between pushes to the transcendental unit") \
    X(COUNT,  latency_cycles, 0, 10000, "from the first load of a vector op to its first store") \
    X(COUNT,  cast_ops,       0,  1000, "instructions to convert and pack, or unpack, a register") \
    X(COUNT,  select_ops,     0,  1000, "instructions to compare and choose") \
    X(COUNT,  add_ops,        0,  1000, "instructions of an add or subtract") \
    X(COUNT,  mul_ops,        0,  1000, "instructions of a multiply") \
    X(COUNT,  div_ops,        0,  1000, "instructions of a divide, one of them to the transcendental unit") \
    X(COUNT,  sqrt_ops,       0,  1000, "instructions of a square root, one of them to the transcendental unit") \
    X(COUNT,  exp_ops,        0,  1000, "instructions of an exponential, one of them to the transcendental unit") \
    X(COUNT,  log_ops,        0,  1000, "instructions of a logarithm, one of them to the transcendental unit") \
    X(COUNT,  tanh_ops,       0,  1000, "instructions of a tanh, one of them to the transcendental unit")

#define TPU_XLU_PARAMS(X) \
    X(COUNT,  units,          1,    64, "transpose and cross-lane units in a core") \
    X(COUNT,  push_cycles,    1,  1000, "to push 8 rows, whatever their width") \
    X(COUNT,  pop_cycles,     1,  1000, "to pop 8 rows") \
    X(COUNT,  latency_cycles, 0, 10000, "last push of a transpose to its first pop, both as they begin") \
    X(COUNT,  reduce_cycles,  1, 10000, "between reductions of a register over its lanes, on one unit") \
    X(COUNT,  reduce_latency_cycles, 1, 10000, "such a reduction's push to its result")

#define TPU_DMA_PARAMS(X) \
    X(COUNT,  load_setup_cycles,  0, 100000, "issue of a load to its first request leaving") \
    X(COUNT,  store_setup_cycles, 0, 100000, "issue of a store to its first request leaving") \
    X(COUNT,  done_cycles,        0, 100000, "last answer to completion being seen by another unit") \
    X(REAL,   load_bytes,       0.1, 1048576, "requested a cycle by the engine of loads") \
    X(REAL,   store_bytes,      0.1, 1048576, "sent a cycle by the engine of stores") \
    X(SIZE,   in_flight_bytes, 4096, 1073741824, "asked for and not yet answered, each direction")

#define TPU_ICI_PARAMS(X) \
    X(REAL,   latency_ns,     5, 1000000, "core to core, one way") \
    X(REAL,   gb_per_s,   0.001, 1000000, "GB/s from a core to another") \
    X(COUNT,  setup_cycles,   0, 1000000, "issue of a transfer to its first message leaving")

#define TPU_HOST_PARAMS(X) \
    X(REAL,   launch_us,      0, 1000000, "the runtime's code on the device round a program") \
    X(REAL,   dispatch_us,    0, 1000000, "host call until its result is there, over the device's time")

#define TPU_LOWER_PARAMS(X) \
    X(CHOICE, residence, "hbm|vmem", 0, "where an op's result waits for the next op") \
    X(SIZE,   tile_bytes,  1024, 17179869184, "vector memory that the tiles of one op may take") \
    X(SIZE,   resident_bytes, 0, 17179869184, "largest operand that is loaded whole and kept while the other streams") \
    X(SIZE,   panel_bytes, 1024, 17179869184, "largest panel of a streamed operand or of the result") \
    X(COUNT,  panel_cols,     8,  65536, "columns, or rows, of the widest panel of a streamed operand") \
    X(COUNT,  block_rows,     8,  65536, "rows, columns and depth of a block where neither operand stays") \
    X(COUNT,  chunk_rows,     8,  65536, "deepest chunk of k, where a panel is cut along it") \
    X(COUNT,  weight_rows,    8,  65536, "rows that stream against one load of weights") \
    X(SIZE,   vector_bytes, 256, 17179869184, "largest tile of each operand of an element-wise op")

struct tpu_chip_config  { TPU_CHIP_PARAMS(PARAM_FIELD) };
struct tpu_core_config  { TPU_CORE_PARAMS(PARAM_FIELD) };
struct tpu_vmem_config  { TPU_VMEM_PARAMS(PARAM_FIELD) };
struct tpu_vpu_config   { TPU_VPU_PARAMS(PARAM_FIELD) };
struct tpu_xlu_config   { TPU_XLU_PARAMS(PARAM_FIELD) };
struct tpu_dma_config   { TPU_DMA_PARAMS(PARAM_FIELD) };
struct tpu_ici_config   { TPU_ICI_PARAMS(PARAM_FIELD) };
struct tpu_host_config  { TPU_HOST_PARAMS(PARAM_FIELD) };
struct tpu_lower_config { TPU_LOWER_PARAMS(PARAM_FIELD) };

enum { TPU_HBM_SPLIT, TPU_HBM_SHARED };
enum { TPU_SUMS_VECTOR, TPU_SUMS_ACCUMULATORS };
enum { TPU_RESIDENCE_HBM, TPU_RESIDENCE_VMEM };

/* One line a section of a machine file, in the order of the report. */
#define TPU_SECTIONS(X) \
    X(chip,  TPU_CHIP_PARAMS,  "the chip") \
    X(core,  TPU_CORE_PARAMS,  "a core") \
    X(mxu,   TPU_MXU_PARAMS,   "a matrix unit") \
    X(vmem,  TPU_VMEM_PARAMS,  "the vector memory of a core") \
    X(vpu,   TPU_VPU_PARAMS,   "the vector unit") \
    X(xlu,   TPU_XLU_PARAMS,   "the transpose units") \
    X(dma,   TPU_DMA_PARAMS,   "the engines between vector memory and HBM") \
    X(ici,   TPU_ICI_PARAMS,   "links between cores") \
    X(host,  TPU_HOST_PARAMS,  "the host") \
    X(lower, TPU_LOWER_PARAMS, "the compiler")

struct tpu_config {
#define SECTION(name, params, what) struct tpu_##name##_config name;
    TPU_SECTIONS(SECTION)
#undef SECTION
};

#endif
