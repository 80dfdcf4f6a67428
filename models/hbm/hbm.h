/* hbm.h - one stack of high-bandwidth memory, all its channels, at request grain.
 *
 * A run is up to 4 KiB to read or write, in one stack and not across a 4 KiB boundary.  It
 * is cut into bursts, each goes to the queue of its channel's controller, and from there:
 *
 *     runs --> front --> reads  [ read_queue  ]--+    +--> row bus:    PRE, ACT  (per channel)
 *              (fifo a   writes [ write_queue ]--+--> +--> column bus: RD, WR
 *              channel)         high, low marks  |           |
 *                                              banks      data pins (per pseudo-channel)
 *
 * Of the requests in the queue the one whose command can go first goes first, the oldest of
 * several; a row that somebody waits for is not closed.  Every JEDEC time is a line of
 * hbm_rules.h.  Nothing is done per clock: each command is put at the clock at which it
 * becomes legal, in order of time.
 *
 * A read is answered when its last data has left the pins, a write when its last burst is in
 * the write queue (from there on the controller would answer for it).
 *
 * Every clock of a pseudo-channel's data pins is charged to one cause (an access at its
 * command; the data follow tCL or tCWL later), so
 *     sum of cycles[] = clocks x channels x pseudo-channels, exactly.
 *
 * Not modelled: the column-command bus (two pseudo-channels ask it for one command in two
 * clocks each, which is what it has); per-bank refresh; a read that finds its data in the
 * write queue; temperature; error correction; power-down.
 */
#ifndef MODELS_HBM_H
#define MODELS_HBM_H

#include "models/block.h"
#include "models/hbm/hbm_map.h"
#include "models/record.h"

#define HBM_RUN_BYTES 4096

/* What a clock of the data pins went to. */
#define HBM_CAUSES(X)                                                           \
    X(NO_REQUEST,  "no request had arrived early enough")                       \
    X(READ,        "read data")                                                 \
    X(WRITE,       "written data")                                              \
    X(TURNAROUND,  "changing between reading and writing")                      \
    X(BANK_GROUP,  "same bank group too soon (tCCD_L)")                         \
    X(ROW,         "closing and opening a row (tRP, tRCD, tRAS, tRC, tWR)")     \
    X(ACTIVATION,  "rows opened too fast (tRRD, tFAW)")                         \
    X(ROW_BUS,     "row-command bus busy")                                      \
    X(REFRESH,     "refresh")

enum hbm_cause {
#define CAUSE(name, what) HBM_##name,
    HBM_CAUSES(CAUSE)
#undef CAUSE
    HBM_CAUSES_COUNT
};

#define HBM_STATS(X)                                                            \
    X(runs,           "runs",     "runs taken")                                 \
    X(reads,          "bursts",   "read bursts issued")                         \
    X(writes,         "bursts",   "write bursts issued")                        \
    X(read_bytes,     "bytes",    "bytes that answered runs asked to read")      \
    X(written_bytes,  "bytes",    "bytes that answered runs asked to write")     \
    X(activates,      "commands", "rows opened")                                \
    X(precharges,     "rows",     "rows closed, each counted")                  \
    X(row_hits,       "bursts",   "bursts that needed no activate of their own")\
    X(refreshes,      "commands", "all-bank refreshes of a pseudo-channel")     \
    X(batches,        "batches",  "times that a channel turned to writing")     \
    X(closed_cycles,  "clocks",   "clocks of a pseudo-channel with all banks closed") \
    X(total_cycles,   "clocks",   "clocks of all pseudo-channels")

struct hbm_stats {
#define STAT(name, unit, what) uint64_t name;
    HBM_STATS(STAT)
#undef STAT
    uint64_t cycles[HBM_CAUSES_COUNT];      /* of the data pins; sum: total_cycles */
};

/* What one trace op (or fused group) caused. */
struct hbm_group_stats { uint64_t activates, read_bytes, written_bytes; };  /* whole bursts */

struct hbm_request {
    uint64_t address;       /* of the chip; the stack's digit is left out here */
    uint64_t id;            /* the caller's; the answer carries it back */
    uint32_t bytes;         /* 1 to HBM_RUN_BYTES, within one such aligned block */
    uint16_t group;         /* < groups of hbm_new */
    uint16_t sender;        /* the caller's too */
    bool     write;
};

struct hbm_answer {
    uint64_t id;
    tick_t   tick;
    uint16_t group, sender;
    bool     write;
};

struct hbm;

/* Whether the figures make a memory: the map, the marks, the powers of two.  `d` says what
 * does not; on success `map` is ready for hbm_new, which requires this. */
bool hbm_check(const struct hbm_config *config, struct hbm_map *map, struct diag *d);

/* `map` is borrowed and may serve many stacks; config is copied. */
struct hbm *hbm_new(const struct hbm_config *config, const struct hbm_map *map, uint32_t groups);
void        hbm_free(struct hbm *h);

/* Before the first run: what the data pins of each channel carry is told to `r` (borrowed). */
void        hbm_record(struct hbm *h, struct record *r);

/* A run arrives at `now`, which never goes back.  Requires hbm_can_take, and that
 * hbm_run has not gone past `now`. */
bool hbm_can_take(const struct hbm *h);
void hbm_take(struct hbm *h, tick_t now, const struct hbm_request *r);

/* Does everything due before `end`; returns the next tick with something to do (it may be
 * before a command that is due then), or TICK_NEVER. */
tick_t hbm_run(struct hbm *h, tick_t end);

/* The next answer with a tick before `end`, in order of time; false if there is none.
 * Ask after hbm_run(h, end).  A run's place is free once its answer has been taken. */
bool hbm_answer(struct hbm *h, tick_t end, struct hbm_answer *a);

bool     hbm_idle(const struct hbm *h);             /* no run, and no write in a queue */
uint32_t hbm_held(const struct hbm *h);             /* runs, waiting or under way */
/* Bursts of a channel that have been taken but are not in the controller's queues yet. */
uint32_t hbm_waiting(struct hbm *h, uint32_t channel);

/* The counts up to `now`, not before the `end` of the last hbm_run; what is due until then
 * is done first (idle channels put their refreshes off). */
struct hbm_stats       hbm_stats(struct hbm *h, tick_t now);
struct hbm_group_stats hbm_group_stats(const struct hbm *h, uint32_t group);

uint64_t hbm_clock_hz(const struct hbm_config *config);

#endif
