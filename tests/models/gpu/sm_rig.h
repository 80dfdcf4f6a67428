/* sm_rig.h - an SM between a block scheduler and an L2 that a test can reckon with.
 *
 * Kernels are made by hand, an operation a line.  The L2 answers every request `l2_cycles`
 * after it took it, from one array of bytes.  Operations made with `rig_log` write down when
 * they issued; those made with `rig_table` fill a register with what the test wants.
 */
#ifndef TESTS_MODELS_GPU_SM_RIG_H
#define TESTS_MODELS_GPU_SM_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/events.h"
#include "models/gpu/sm.h"
#include "tests/models/gpu/gpu_figures.h"

enum { RIG_OPS = 4096, RIG_LOG = 65536, RIG_MESSAGES = 65536, RIG_BYTES = 1 << 16 };

struct rig_entry { cycle_t at; uint32_t pc, warp; uint64_t block; };
struct rig_message { tick_t at; struct message m; };

struct rig {
    struct gpu_config config;
    struct gpu_kernel kernel;
    struct gpu_op ops[RIG_OPS];
    uint16_t operands[RIG_OPS * 8];
    struct gpu_launch launch;
    struct gpu_occupancy occupancy;
    struct gpu_memory *memory;
    uint64_t buffer;                    /* RIG_BYTES of global memory */
    struct link *to_sm, *from_sm, *requests, *answers;
    struct gpu_sm *sm;
    struct block block;
    tick_t cycle;                       /* ticks of a cycle: clocks are 1 GHz */
    uint32_t l2_cycles;
    cycle_t late;                       /* when the first block is sent */
    uint8_t from;                       /* enum gpu_from, of answers */
    bool values;
    /* What was seen of it. */
    struct rig_message seen[RIG_MESSAGES], answer[RIG_MESSAGES];
    uint32_t seen_count, answer_first, answer_count;
    uint64_t blocks_sent, blocks_done;
    cycle_t done_at;                    /* of the last block, when the SM sent it */
};

extern struct rig_entry rig_entries[RIG_LOG];
extern uint32_t rig_count;
extern uint32_t rig_tables[RIG_OPS][GPU_LANES];

/* A rig of a V100's kind at 1 GHz, without fetch misses, a block's set-up, and unequal banks. */
struct rig *rig_new(void);
void rig_free(struct rig *r);

/* Operations; registers by number, -1: none.  Each returns its number in the kernel. */
uint32_t rig_op(struct rig *r, struct gpu_op op, const int *dsts, const int *srcs);
uint32_t rig_compute(struct rig *r, enum gpu_pipe pipe, uint32_t interval, uint32_t latency,
                     int d, int a, int b);
uint32_t rig_log(struct rig *r);                            /* 1 cycle, no operands */
uint32_t rig_log_reading(struct rig *r, int a);
uint32_t rig_table(struct rig *r, int d, unsigned table);   /* d = rig_tables[table] */
uint32_t rig_shared(struct rig *r, enum gpu_kind kind, uint32_t bytes, int d, int address);
uint32_t rig_global(struct rig *r, enum gpu_kind kind, enum gpu_cache cache, uint32_t bytes,
                    int d, int address);                    /* `address` and the next: 64 bits */
uint32_t rig_simple(struct rig *r, enum gpu_kind kind, uint32_t number);

/* Runs `blocks` of so many threads to their end (or a fault) in windows of `cycles`. */
void rig_start(struct rig *r, uint32_t blocks, uint32_t threads);
void rig_run(struct rig *r, uint32_t cycles);
void rig_step(struct rig *r, tick_t from, tick_t end);

/* When the n-th logged operation of that warp of that block issued, from 0. */
cycle_t rig_at(uint64_t block, uint32_t warp, uint32_t n);

#endif
