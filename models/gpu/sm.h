/* sm.h - a streaming multiprocessor: warps, schedulers, pipes, shared memory, L1.
 *
 *     block scheduler --> blocks --> warps
 *       sub-core 0..3:  [ fetch ] -> [ scheduler ] -> operands -> FP32 INT SFU FP64 tensor
 *                                          |                      (interval, latency)
 *                                          +--> load-store unit of the SM
 *                                                 | shared memory: banks
 *                                                 | coalescer -> L1 (sectors, MSHRs) -> crossbar
 *
 * A sub-core's scheduler issues at most one operation a cycle, of a warp whose operands are
 * ready and whose pipe is free.  What an operation will take is worked out when it issues;
 * only what L2 answers, barriers and new blocks are events.  So a cycle in which nothing can
 * issue costs nothing.
 *
 * Each cycle of each scheduler has one cause: the operation issued, or what the warp that
 * issued next had waited for last.
 *
 * Not modelled: two operations issued in one cycle; a register file split into places (that
 * the warps of a block fit is reckoned, not where); lanes of a warp in different halves of a
 * 16-byte access that want the same word (each quarter-warp is a phase of its own); the time
 * of an instruction fetch in L2; cp.async bytes that wait for shared memory's ports, which
 * they take as they come; a barrier that only some lanes of a warp reach (a fault).
 */
#ifndef MODELS_GPU_SM_H
#define MODELS_GPU_SM_H

#include "models/energy/ledger.h"
#include "models/gpu/config.h"
#include "models/gpu/memory.h"
#include "models/gpu/messages.h"
#include "models/record.h"

#define GPU_CAUSES(X) \
    X(ISSUED,     "issued",     "an operation issued") \
    X(DEPENDENCY, "dependency", "an operand comes from a pipe of the sub-core") \
    X(PIPE,       "pipe_busy",  "the pipe is taken, or its operands' banks are") \
    X(LSU,        "lsu_busy",   "the load-store unit's queue is full") \
    X(SHARED,     "shared",     "an operand comes from shared memory") \
    X(L1,         "l1",         "an operand comes from L1, or an MSHR is lacking") \
    X(L2,         "l2",         "an operand comes from L2") \
    X(HBM,        "hbm",        "an operand comes from HBM") \
    X(BARRIER,    "barrier",    "other warps have not reached the barrier") \
    X(BRANCH,     "branch",     "the operation after a branch is not there yet") \
    X(FETCH,      "fetch",      "the instruction is not in the sub-core's cache") \
    X(NO_WARP,    "no_warp",    "the sub-core has no warp, or all sleep")

enum gpu_cause {
#define CAUSE(id, name, what) GPU_CAUSE_##id,
    GPU_CAUSES(CAUSE)
#undef CAUSE
    GPU_CAUSES_COUNT
};

extern const char *const gpu_cause_names[GPU_CAUSES_COUNT];
extern const char *const gpu_pipe_names[GPU_PIPES_COUNT];       /* "fp32" */

#define GPU_SM_STATS(X) \
    X(blocks,            "blocks",     "run to their end") \
    X(warp_cycles,       "cycles",     "of warps that were there, all together") \
    X(operations,        "operations", "issued, of warps") \
    X(lanes,             "lanes",      "active in them") \
    X(macs,              "macs",       "of tensor operations") \
    X(flops,             "flop",       "of f32, f16 and f64 operations of lanes, a fused one is two") \
    X(shared_accesses,   "operations", "of warps on shared memory") \
    X(shared_passes,     "passes",     "that they took: more is bank conflicts") \
    X(shared_ideal,      "passes",     "that they would take without conflict") \
    X(global_accesses,   "operations", "loads and stores of warps on global and local memory") \
    X(sectors,           "sectors",    "that they touched") \
    X(ideal_sectors,     "sectors",    "that their bytes would fill") \
    X(l1_sectors,        "sectors",    "looked up by loads") \
    X(l1_hits,           "sectors",    "of them found") \
    X(l1_merges,         "sectors",    "found under way") \
    X(read_bytes,        "bytes",      "asked of L2") \
    X(written_bytes,     "bytes",      "sent to L2") \
    X(splits,            "branches",   "that split a warp") \
    X(bank_conflicts,    "cycles",     "lost to register banks") \
    X(fetch_misses,      "lines",      "not found in a sub-core's instruction cache")

/* What an SM did for one launch. */
struct gpu_sm_stats {
#define STAT(name, unit, what) uint64_t name;
    GPU_SM_STATS(STAT)
#undef STAT
    uint64_t cycles[GPU_CAUSES_COUNT];      /* of all its schedulers; the sum of all launches
                                             * and of what is no launch's: cycles x subcores */
};

/* Everything is borrowed until gpu_sm_free. */
struct gpu_sm_config_run {
    const char *name;
    const struct gpu_config *config;
    const struct gpu_launch *launches;
    const struct gpu_occupancy *occupancy;      /* of each launch */
    uint32_t    launch_count;
    uint32_t    groups;             /* of the ledger */
    uint32_t    number, partition;  /* of this SM */
    bool        values;             /* memory has bytes */
    struct gpu_memory *memory;      /* for bounds; its bytes are not touched */
    uint64_t    local_base;         /* of its threads' local memory, a buffer of `memory`: */
                                    /* gpu_local_bytes; 0: no launch has any */
    struct link *from_front, *to_front;
    uint32_t    front_sender;       /* this SM's number on to_front */
    struct link *const *requests;   /* [ports] to L2 blocks; this SM is `number` on each */
    struct link *answers;           /* its senders are the L2 blocks */
    uint32_t  (*port)(const void *map, uint64_t address);   /* the L2 block of a line */
    const void *map;
};

struct gpu_sm;

struct gpu_sm *gpu_sm_new(const struct gpu_sm_config_run *c);
void           gpu_sm_free(struct gpu_sm *sm);
struct block   gpu_sm_block(struct gpu_sm *sm);         /* for the engine */

/* Before the run: what its warps and pipes do is told to `r` (borrowed; record.h lists it). */
void           gpu_sm_record(struct gpu_sm *sm, struct record *r);

/* The payloads of its slots, for the slices; NULL without values. */
struct gpu_payload *gpu_sm_payloads(struct gpu_sm *sm);

/* The counts up to `now`; launch GPU_NO_LAUNCH: what belongs to none. */
#define GPU_NO_LAUNCH UINT32_MAX
struct gpu_sm_stats  gpu_sm_stats(const struct gpu_sm *sm, uint32_t launch, cycle_t now);
const struct ledger *gpu_sm_ledger(struct gpu_sm *sm);
tick_t               gpu_sm_busy(const struct gpu_sm *sm);      /* time with a block on it */

/* What a kernel did wrong, or NULL: kernel, PTX line, block, warp, address in words. */
const char *gpu_sm_fault(const struct gpu_sm *sm);

/* Where a warp of it is that has not ended, one that runs if there is one: the same in words,
 * for a kernel that does not end.  False: it has none. */
bool gpu_sm_where(const struct gpu_sm *sm, char *text, size_t size);

#endif
