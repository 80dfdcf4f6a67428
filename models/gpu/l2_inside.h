/* l2_inside.h - what the files of an L2 group share.
 *
 *     l2.c          the block: links in and out, in order of time
 *     l2_request.c  what a slice does with a request
 *     l2_answer.c   what comes back: fills, words of the other partition
 *     l2_slice.c    a slice's time, lines and MSHRs
 *     l2_tags.c     sets of lines
 *     l2_values.c   payloads and memory
 *     l2_map.c      where a line is at home
 *
 * A slice is a server with one queue: requests, fills and what the other partition says are
 * served in the order of their arrival, so when each begins is known when it arrives:
 * begin = max(arrival, end of the one before).  Only a request that lacks something (an
 * MSHR, a way, a write-back buffer) waits in a list until that is free, and those behind it.
 * What leaves a slice leaves in the order of service, a fixed time later: a list a slice
 * and destination (an outbox) is in order, and the block merges the lists.
 */
#ifndef MODELS_GPU_L2_INSIDE_H
#define MODELS_GPU_L2_INSIDE_H

#include <assert.h>

#include "models/gpu/config.h"
#include "models/gpu/events.h"
#include "models/gpu/l2.h"
#include "models/hbm/hbm_block.h"

#define L2_NONE UINT32_MAX
#define L2_FAR  UINT16_MAX          /* "SM" of a request that the other partition sent */

/* On the links between partitions.  Requests have the `id` of far_id. */
enum l2_far {
    L2_FAR_READ   = GPU_READ,
    L2_FAR_WRITE  = GPU_WRITE,
    L2_FAR_REDUCE = GPU_REDUCE,
    L2_FAR_ANSWER,                  /* port: enum gpu_from */
    L2_FORGET,                      /* home to near: the copy of this line is no longer good */
    L2_FORGOTTEN                    /* near to home */
};

/* Where a line is at home, and in which round of its stack's lines (l2_map.c). */
struct gpu_l2_place { uint64_t round; uint32_t partition, slice; };

/* A request that is held here, or a message on its way out: a line of the host's cache. */
#define L2_HOST_LINE 64
struct l2_item {
    _Alignas(L2_HOST_LINE)
    struct message m;               /* as it came; from its outbox on, as it goes */
    cycle_t  at;                    /* in an outbox: when it leaves */
    uint32_t next;
    uint32_t need;                  /* sectors of the line that it waits for */
    uint16_t sm;                    /* who asked, or L2_FAR */
    uint8_t  from;                  /* enum gpu_from: the farthest source so far */
    bool     forgetting;            /* waits until the other partition has no copy */
};

struct l2_list { uint32_t first, last; };       /* items by number, L2_NONE: empty */

/* Messages that leave, in order of time in each slice's list. */
struct l2_outbox {
    struct l2_list *list;           /* [slices] */
    cycle_t        *first;          /* [slices]: when the first of each leaves, CYCLE_NEVER */
};

/* Requests that have been taken off their link, each in its turn and as of its arrival, but
 * not been served: their tags are on their way into the processor's cache meanwhile. */
#define L2_INBOX 16
struct l2_inbox {
    uint32_t next, count;
    struct { tick_t arrival; uint32_t item; struct gpu_l2_place place; } entry[L2_INBOX];
};

/* A line under way, or a request that was passed on to the other partition. */
struct l2_mshr {
    uint32_t line;                  /* L2_NONE: nothing is kept of what comes */
    uint32_t pending;               /* sectors */
    struct l2_list waiting;
    uint32_t next_free;
};

/* What a search walks: a part of the line's number, odd (0: there is none), and when it was
 * used last, in requests of the slice; ages are right while they are below 2^32. */
struct l2_tag { uint32_t part, used; };

/* The rest of it. */
struct l2_line {
    uint64_t address;
    uint32_t valid;                 /* sectors of which all bytes are known */
    uint32_t dirty;                 /* sectors of which some bytes were written */
    uint32_t mshr;                  /* 1 + its number, 0: not under way */
    uint16_t group;                 /* who wrote last */
    bool     shared;                /* the other partition may have a copy */
    bool     copy;                  /* of a line at home in the other partition */
};

/* Requests for lines at home here, and for lines at home in the other partition, wait in
 * lists of their own, for MSHRs of their own: else each partition's could wait for the
 * other's for ever. */
enum l2_way { L2_WAY_HOME, L2_WAY_FAR, L2_WAYS };

struct l2_slice {
    cycle_t  free;                  /* when it can begin the next */
    uint32_t clock;                 /* requests so far */
    struct l2_list stalled[L2_WAYS];
    uint32_t mshr_free[L2_WAYS];    /* first of the free ones */
    uint32_t write_backs;           /* buffers taken */
    uint32_t forgets;               /* evicted lines that the other partition may still have */
};

/* Events to be paid for, of a group, since the ledger was last told. */
#define L2_TALLIES 4
struct l2_tally { uint32_t group; uint64_t lines, bytes, far; };

struct gpu_l2 {
    struct gpu_l2_config_run run;
    struct gpu_l2_config config;    /* the figures of section l2 */
    struct clock  clock;
    uint32_t number;                /* of this group among a SM's answers */
    uint32_t line_shift, sectors;   /* of a line */
    uint32_t sets;
    bool     near_copies;
    bool     exact;                 /* parts of tags need no second look */
    uint32_t write_back_most;       /* buffers of a slice */
    struct l2_tag  *tags;           /* [slices][sets][ways] */
    struct l2_line *lines;          /* the same */
    uint8_t  *copies;               /* the same: data of near copies, or NULL */
    struct l2_mshr  *mshrs;         /* [slices][L2_WAYS][mshrs] */
    struct l2_slice *slices;

    struct l2_item *items;
    uint32_t *items_back;           /* given back, to be taken first */
    uint32_t items_back_count;
    uint32_t item_fresh, item_most; /* never used yet; how many */
    uint32_t items_used;
    uint32_t held, held_most;       /* requests of SMs */
    struct l2_inbox  inbox;
    struct l2_outbox to_sms, to_memory, to_other;
    tick_t   sms_at, memory_at, other_at;   /* nothing may leave before */
    tick_t   port_ticks;            /* of a byte that leaves for an SM */
    tick_t   room_at;               /* when the last place for a request became free */

    uint32_t hint;                  /* gpu_memory_at's */
    uint64_t dirty_sectors;
    struct gpu_l2_stats *stats;     /* [groups] */
    struct ledger  *ledger;
    struct record  *record;         /* NULL: none */
    uint32_t record_track;
    struct l2_tally tally[L2_TALLIES];
    tick_t   tally_from, tally_last, tally_until;
};

/* ---- l2_map.c */

struct gpu_l2_place gpu_l2_map_place(const struct gpu_l2_map *m, uint64_t address);

/* A permutation of 0 .. count - 1 for each round. */
uint32_t gpu_l2_spread(uint64_t round, uint64_t place, uint32_t count);

/* ---- l2.c: items */

uint32_t gpu_l2_item_new(struct gpu_l2 *l);
void     gpu_l2_append(struct gpu_l2 *l, struct l2_list *list, uint32_t item);
uint32_t gpu_l2_pop(struct gpu_l2 *l, struct l2_list *list);
/* `item` leaves from `slice` at cycle `at`, not before those put there earlier. */
void     gpu_l2_post(struct gpu_l2 *l, struct l2_outbox *o, uint32_t slice, uint32_t item,
                     cycle_t at);
struct l2_tally *gpu_l2_tally(struct gpu_l2 *l, uint32_t group);

/* ---- l2_request.c, l2_answer.c */

/* Something has arrived in cycle `now`, which never goes back. */
void gpu_l2_request(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t item, cycle_t now);
void gpu_l2_filled(struct gpu_l2 *l, const struct message *m, cycle_t now);
void gpu_l2_written_back(struct gpu_l2 *l, const struct message *m, cycle_t now);
void gpu_l2_far_answer(struct gpu_l2 *l, const struct message *m, cycle_t now);
void gpu_l2_forget(struct gpu_l2 *l, const struct message *m, cycle_t now);
void gpu_l2_forgotten(struct gpu_l2 *l, const struct message *m, cycle_t now);
/* Something that requests of a slice wait for is free again. */
void gpu_l2_retry(struct gpu_l2 *l, uint32_t slice, cycle_t now);

/* ---- l2_slice.c */

/* The slice is taken for `cycles`, as soon as it is free, and `bytes` of its data are moved;
 * when it begins.  A look-up also reads the tags. */
cycle_t gpu_l2_begin(struct gpu_l2 *l, uint32_t slice, uint16_t group, cycle_t now,
                     uint32_t cycles, uint32_t bytes);
cycle_t gpu_l2_look_up(struct gpu_l2 *l, uint32_t slice, uint16_t group, cycle_t now,
                       uint32_t cycles, uint32_t bytes);
/* The item's answer leaves, whose data the slice moves for `cycles` from `start`. */
void gpu_l2_answer(struct gpu_l2 *l, uint32_t slice, uint32_t item, cycle_t start,
                   uint32_t cycles);
void gpu_l2_post_new(struct gpu_l2 *l, struct l2_outbox *o, uint32_t slice,
                     const struct message *m, cycle_t at);
/* Runs of neighbours among `sectors` of a line, to be read or written; how many. */
uint32_t gpu_l2_post_runs(struct gpu_l2 *l, uint32_t slice, struct message m, uint32_t sectors,
                          cycle_t at);

/* Whether a line for this place could be had now; `*line` is the one that is there, or the
 * one that must go. */
bool gpu_l2_can_place(struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address,
                      uint32_t *line, bool *there);
struct l2_line *gpu_l2_place_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t line,
                                  bool there, uint64_t address, cycle_t start);
void gpu_l2_touch(struct gpu_l2 *l, uint32_t slice, uint32_t line);
/* No copy of the line is kept here, nor of what of it is under way. */
void gpu_l2_drop_copy(struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address);

uint32_t gpu_l2_take_mshr(struct gpu_l2 *l, uint32_t slice, enum l2_way way, uint32_t line);
void     gpu_l2_free_mshr(struct gpu_l2 *l, uint32_t number);
uint32_t gpu_l2_slice_of_mshr(const struct gpu_l2 *l, uint32_t number);

/* ---- l2_tags.c: lines are places among the tags */

uint32_t gpu_l2_find(const struct gpu_l2 *l, const struct gpu_l2_place *p, uint64_t address);
/* Whether an address below 2^47 has a part of its own among those of its set. */
bool     gpu_l2_tags_exact(const struct gpu_l2 *l);
/* Into the processor's cache: the set's tags; then, once they are there, the line. */
void     gpu_l2_prefetch(const struct gpu_l2 *l, const struct gpu_l2_place *p);
void     gpu_l2_prefetch_line(const struct gpu_l2 *l, const struct gpu_l2_place *p,
                              uint64_t address);
/* The line that a new one would replace: one where there is none, or the one not used for
 * longest; L2_NONE if all are under way. */
uint32_t gpu_l2_victim(const struct gpu_l2 *l, const struct gpu_l2_place *p);
/* Whether the set has, besides `line`, one that is not a copy under way. */
bool     gpu_l2_leaves_way(const struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t line);
void     gpu_l2_set_line(struct gpu_l2 *l, const struct gpu_l2_place *p, uint32_t line,
                         uint64_t address, bool copy);
void     gpu_l2_remove(struct gpu_l2 *l, uint32_t line);

/* ---- l2_values.c: nothing happens without values */

void gpu_l2_values_read(struct gpu_l2 *l, const struct l2_item *i);     /* memory to payload */
void gpu_l2_values_write(struct gpu_l2 *l, const struct l2_item *i);
void gpu_l2_values_reduce(struct gpu_l2 *l, const struct l2_item *i);
/* Sectors (of the line) of the copy at `line` to the payload of `i`. */
void gpu_l2_values_copy(struct gpu_l2 *l, const struct l2_item *i, uint32_t line,
                        uint32_t sectors);
/* What an answer of the other partition brought: to the copy at `line`; to the payload of `i`. */
void gpu_l2_values_keep(struct gpu_l2 *l, const struct message *m, uint32_t line,
                        uint32_t sectors);
void gpu_l2_values_pass(struct gpu_l2 *l, const struct message *m, const struct l2_item *i,
                        uint32_t sectors);

/* ---- small things */

/* The id of a message to the other partition: the MSHR that waits for the answer, and whose
 * payload it is about. */
static inline uint64_t l2_far_id(uint32_t mshr, uint32_t sm, uint64_t slot)
{
    return (uint64_t)mshr | (uint64_t)sm << 24 | slot << 40;
}
static inline uint32_t l2_far_mshr(uint64_t id) { return (uint32_t)id & 0xffffff; }
static inline uint32_t l2_far_sm(uint64_t id)   { return (uint32_t)(id >> 24) & 0xffff; }
static inline uint64_t l2_far_slot(uint64_t id) { return id >> 40; }

/* How many sectors; of a message's line, mostly. */
static inline uint32_t l2_bits(uint32_t mask)
{
    if (mask < 16)
        return (uint32_t)(UINT64_C(0x4332322132212110) >> 4 * mask) & 15;
    return (uint32_t)__builtin_popcount(mask);
}

/* Where a message's line begins among the sectors of the cache's line. */
static inline uint32_t l2_shift(const struct gpu_l2 *l, uint64_t address)
{
    return (uint32_t)(address & ((1u << l->line_shift) - 1)) / GPU_SECTOR;
}

/* Sectors of its line that a request touches. */
static inline uint32_t l2_touched(const struct gpu_l2 *l, const struct message *m)
{
    return GPU_TOUCHED(m->bytes) << l2_shift(l, m->address);
}

static inline uint32_t l2_bytes(const struct message *m)
{
    return l2_bits(GPU_TOUCHED(m->bytes)) * GPU_SECTOR;
}

/* That a slice takes to move them; a look-up at least. */
static inline uint32_t l2_cycles(const struct gpu_l2 *l, uint32_t bytes)
{
    return bytes <= l->config.bytes_per_cycle
         ? 1 : (bytes + l->config.bytes_per_cycle - 1) / l->config.bytes_per_cycle;
}

/* Of an atomic operation: of 4 bytes a lane, or a sector at least. */
static inline uint32_t l2_atomic_cycles(const struct gpu_l2 *l, const struct message *m)
{
    uint32_t sectors = l2_bits(GPU_TOUCHED(m->bytes));
    uint32_t by_lanes = (GPU_ATOMICS(m->bytes) * 4 + GPU_SECTOR - 1) / GPU_SECTOR;
    return l->config.atomic_cycles * (by_lanes > sectors ? by_lanes : sectors);
}

static inline struct gpu_l2_stats *l2_stats_of(struct gpu_l2 *l, uint16_t group)
{
    assert(group < l->run.groups);
    return &l->stats[group];
}

#endif
