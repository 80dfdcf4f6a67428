/* l2.h - a group of L2 slices: those of one partition in front of one stack of HBM.
 *
 *     SMs --requests--> [ slice ][ slice ]... --runs--> HBM stack
 *        <--answers---                       <--------
 *                  near group <==far==> home group (two partitions)
 *
 * A slice looks up a line a cycle, and reads or writes `bytes_per_cycle`.  Lines have sectors;
 * a written sector needs no fill; dirty ones go back when their line is needed.  Atomics are
 * done in the slice.  With two partitions a line has its home in one; a request of the other
 * partition's SM goes to the slice of the same place on its own side, which may keep a copy
 * (`copies: near`), and else asks the home.  A write goes to the home, takes the copy away and
 * is answered when it is gone; a line that leaves its home takes its copy away too.
 *
 * The slices of a line's home hold its value: stores and atomics take effect when they are
 * served here, and a load gets what is here then.
 *
 * A slice is one queue for requests, fills and the other partition's words, in order of
 * arrival; `hit_cycles` is the way out to the SMs, once for each answer, through a port that
 * the group's slices share: read data take it in the order of departure, `port_bytes` a cycle.
 * The line that goes is the one not used for longest (LRU).  A sector written in part is valid
 * only once it has been read from memory; it is written back without that, its other bytes
 * masked.
 *
 * Not modelled: compression, persistence hints, ECC; dirty lines are not written back before
 * their place is needed, and those that are left at the end of a run never.
 */
#ifndef MODELS_GPU_L2_H
#define MODELS_GPU_L2_H

#include "models/energy/ledger.h"
#include "models/gpu/memory.h"
#include "models/gpu/messages.h"
#include "models/hbm/hbm_map.h"
#include "models/record.h"

#define GPU_L2_STATS(X) \
    X(reads,         "sectors", "asked for by SMs") \
    X(read_hits,     "sectors", "found") \
    X(read_merges,   "sectors", "under way already") \
    X(writes,        "sectors", "written by SMs") \
    X(write_hits,    "sectors", "of lines that were there") \
    X(atomics,       "lanes",   "of atomic operations") \
    X(fills,         "sectors", "read from HBM") \
    X(write_backs,   "sectors", "written to HBM") \
    X(far_reads,     "sectors", "asked of the other partition") \
    X(far_writes,    "sectors", "sent to the other partition") \
    X(copies_hit,    "sectors", "found in a near copy") \
    X(busy_cycles,   "cycles",  "of slices that served something")

struct gpu_l2_stats {
#define STAT(name, unit, what) uint64_t name;
    GPU_L2_STATS(STAT)
#undef STAT
};

/* Which group of slices is home to a line, and which slice of it. */
struct gpu_l2_map {
    const struct hbm_map *hbm;
    uint32_t partitions, stacks, slices;    /* slices of a group */
    uint32_t line_bytes;
};
void     gpu_l2_map_init(struct gpu_l2_map *m, const struct gpu_config *c,
                         const struct hbm_map *hbm);
uint32_t gpu_l2_map_partition(const struct gpu_l2_map *m, uint64_t address);
uint32_t gpu_l2_map_slice(const struct gpu_l2_map *m, uint64_t address);
/* The group an SM of `partition` sends to: group = partition * stacks + stack. */
uint32_t gpu_l2_map_group(const struct gpu_l2_map *m, uint32_t partition, uint64_t address);

/* Everything is borrowed until gpu_l2_free. */
struct gpu_l2_config_run {
    const char *name;
    const struct gpu_config *config;
    const struct gpu_l2_map *map;
    uint32_t     partition, stack, sms, groups;
    struct link *requests;                      /* senders: all SMs, by number */
    struct link *const *answers;                /* [sms]; this group is sender `group` of each */
    struct gpu_payload *const *payloads;        /* [sms], or NULL without values */
    const struct gpu_memory *memory;
    struct link *to_memory, *from_memory;       /* runs, kinds of hbm_block.h; to_memory's sender */
    uint32_t     memory_sender;                 /* number of this group */
    struct link *to_other, *from_other;         /* the group of the other partition, or NULL */
};

struct gpu_l2;

struct gpu_l2 *gpu_l2_new(const struct gpu_l2_config_run *c);
void           gpu_l2_free(struct gpu_l2 *l);
struct block   gpu_l2_block(struct gpu_l2 *l);

/* Before the run: what its slices serve is told to `r` (borrowed). */
void           gpu_l2_record(struct gpu_l2 *l, struct record *r);

struct gpu_l2_stats  gpu_l2_stats(const struct gpu_l2 *l, uint32_t group);    /* by trace group */
const struct ledger *gpu_l2_ledger(struct gpu_l2 *l);
uint64_t gpu_l2_dirty_bytes(const struct gpu_l2 *l);    /* not yet written back */

#endif
