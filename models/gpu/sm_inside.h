/* sm_inside.h - what the parts of an SM share.
 *
 *     sm.c          life, windows, blocks' messages      sm_memory.c   a memory operation issues
 *     sm_block.c    blocks, warps, barriers              sm_shared.c   bank conflicts
 *     sm_issue.c    schedulers and pipes                 sm_lsu.c      the load-store unit
 *     sm_fetch.c    instruction caches                   sm_l1.c       tags, MSHRs, crossbar
 *     sm_stats.c    counts and faults                    sm_tags.c     what L1 holds
 *     sm_where.c    where warps are                      sm_values.c   bytes
 *     sm_record.c   what a recorder is told
 *
 * Issue needs no events: when an operation of a warp issues, the cycle from which the next one
 * can is worked out from a scoreboard that holds, for each register, when it can be used and
 * why not before.  What L2 will answer has no time yet: its registers are `UNKNOWN`, and the
 * warp is looked at again when the answer comes.
 */
#ifndef MODELS_GPU_SM_INSIDE_H
#define MODELS_GPU_SM_INSIDE_H

#include "models/gpu/events.h"
#include "models/gpu/sm.h"
#include "models/zeroed.h"

/* A time in a scoreboard: sixteenths of a cycle since the SM's `base`.  Where whole cycles are
 * meant, the low four bits are the cause of the wait: the later of two is one comparison. */
typedef uint32_t when_t;
#define CAUSE_BITS 4
#define CAUSE_OF(when) ((when) & 15)
#define UNKNOWN  UINT32_C(0xf0000000)       /* and above: not known yet */
#define NEVER    (UNKNOWN >> CAUSE_BITS)    /* the same as a cycle since `base` */
#define REBASE   UINT32_C(0x4000000)        /* cycles after which `base` moves */
_Static_assert(GPU_CAUSES_COUNT <= 1 << CAUSE_BITS, "a cause has four bits");

#define NONE UINT32_MAX
#define SM_HOST_LINE 64             /* bytes of a line of the host's caches */
#define COPY_GROUPS 32              /* of cp.async that a warp has under way; more hold it up */

enum sm_state { SM_RUNS, SM_AT_BARRIER, SM_AT_COPIES, SM_AT_FENCE, SM_ENDED };

/* What an issue touches lies together, in two lines of the host's cache: down to `active`. */
struct sm_warp {
    _Alignas(SM_HOST_LINE)
    when_t  *ready;                 /* [registers, then predicates] */
    when_t   floor;                 /* not before: branch, fetch, barrier */
    uint32_t line;                  /* of instructions, which it is in */
    uint8_t  state;                 /* enum sm_state */
    uint8_t  reads;                 /* register words that its next operation reads */
    uint8_t  subcore;
    uint8_t  number;                /* of the barrier, of copy groups that it waits for */
    uint16_t place;                 /* in its sub-core's arrays */
    uint16_t block;
    struct gpu_warp w;
    uint32_t stores;                /* operations under way that a fence waits for */
    cycle_t  start;
    const struct gpu_op *barrier;   /* where it waits, for which lanes */
    uint32_t barrier_mask;
    uint32_t group, oldest;         /* of copies: the open one; the first not done */
    cycle_t  copied;                /* when the last copy was there */
    uint8_t  copied_cause;
    uint16_t copies[COPY_GROUPS];   /* under way in each group */
};

struct sm_barrier { uint32_t arrived, said_true, came; };

struct sm_block {
    struct gpu_block b;
    bool     used;
    uint32_t live, waiting;         /* warps not ended; of them at barriers */
    uint32_t flights;               /* memory operations that are not done */
    struct sm_barrier *barriers;
};

/* A place of an instruction cache. */
struct sm_code_line {
    cycle_t  ready;                 /* the line is there from this cycle */
    uint32_t name;                  /* its number + 1; 0: none */
};

/* The arrays are walked by each choice of a warp, oldest first. */
struct sm_subcore {
    uint32_t next, pick;            /* cycle of the next issue, and whose it is */
    uint32_t port;                  /* the dispatch port is free from this cycle */
    uint32_t count;
    int32_t  last;                  /* place of the warp that issued last; it may have left, */
    bool     greedy;                /* or it is there and goes first */
    uint32_t free[GPU_PIPES_COUNT]; /* cycle from which a pipe takes an operation */
    when_t   busy[GPU_PIPES_COUNT]; /* the same in sixteenths, as its own interval says */
    uint32_t lsu_ops;               /* sent to the unit */
    bool     lsu_full;              /* its queue holds up the pipe, not the interval */
    when_t  *ready;                 /* [count] of each warp's next operation */
    uint8_t *pipe;
    struct sm_warp **warp;
    cycle_t *left;                  /* [queue] when the last operations left the queue */
    cycle_t  since;                 /* its cycles are accounted for up to here */
    struct sm_code_line *l0;        /* see sm_fetch.c */
};

/* A line that a memory operation touches. */
struct sm_line { uint64_t address; uint8_t sectors, full; };

/* A memory operation on its way to the unit, in the order of issue. */
struct sm_request {
    struct sm_warp *warp;
    const struct gpu_op *op;
    uint32_t mask;
    uint32_t flight;                /* NONE: nothing of it is left when it has been served */
    uint32_t subcore, number;       /* of its sub-core's operations */
    cycle_t  issued;
    bool     begun;                 /* the unit has taken it */
    uint32_t passes, latency;       /* of shared memory; 0 passes: it does not touch it */
    uint32_t count, at;             /* lines; the next to be looked up */
    uint32_t parts;                 /* bytes that L1's data array moves for it */
    struct sm_line line[GPU_LANES];
};

/* A memory operation until its data or acknowledgements are there. */
struct sm_flight {
    struct sm_warp *warp;
    const struct gpu_op *op;
    uint32_t mask, waits;           /* answers to come, and one while it is being looked up */
    uint32_t group;                 /* of copies */
    uint32_t next;                  /* free */
    uint32_t passes;                /* a copy's into shared memory */
    uint8_t  cause;                 /* of the farthest that it came from */
    cycle_t  at;                    /* the last data are there */
};

/* The values of one, taken when it issued; only when values are wanted. */
struct sm_values {
    uint64_t address[GPU_LANES];
    uint32_t to[GPU_LANES], read_bytes[GPU_LANES];      /* of copies */
    union {
        uint8_t bytes[GPU_LANES][16];
        struct gpu_atomic atomic[GPU_LANES];
    } lane;
};

/* A line asked of L2.  Mostly one waits for it: that one is here, others are in a list. */
struct sm_waiter { uint32_t flight, next; uint8_t sectors; };
struct sm_miss {
    uint64_t address;
    uint8_t  sectors;
    bool     merges, install;
    uint32_t next;                  /* in its bucket, or of the free ones */
    uint32_t waiters;
    struct sm_waiter first;
};

/* A line's number + 1, 0 where there is none: the low half is what a search walks. */
struct sm_tag {
    uint16_t high;
    uint8_t  valid;                 /* sectors */
    bool     used;                  /* since the hand came by */
};

/* What L1 holds. */
struct sm_tags {
    uint32_t sets, ways;            /* of this launch */
    uint32_t lines;                 /* that there are at most */
    uint32_t *low;                  /* [lines], set by set */
    struct sm_tag *tag;             /* the rest, likewise */
    uint32_t *hand;                 /* the hand of each set */
};

struct sm_l1 {
    struct sm_tags tags;
    uint8_t (*bytes)[GPU_LINE];     /* NULL without values */
    struct sm_miss *misses;
    uint32_t  free_miss, buckets, *bucket;
    struct sm_waiter *waiters;
    uint32_t  free_waiter, waiters_made;
};

struct sm_out { cycle_t at; uint32_t cycles, port; struct message m; };

/* What holds for operations on shared memory whose lanes' addresses differ from the first
 * lane's by the same. */
struct sm_pattern {
    uint32_t mask, bytes;           /* lanes, and of each; mask 0: none yet */
    uint32_t residue;               /* of the first address, so that alignment is the same */
    uint32_t low, high;             /* the others are so far below and above it at most */
    uint32_t passes, ideal;
    uint32_t delta[GPU_LANES];
};
#define SM_PATTERNS 64

/* Numbers of its recorder's tracks, the first of several. */
struct sm_tracks { uint32_t issue, pipes, unit, warps, warp, op, subcore, depth; };

struct gpu_sm {
    struct gpu_sm_config_run run;
    const struct gpu_config *c;
    struct clock clock;
    cycle_t  base, from, limit;     /* `from` to `limit` is being run */
    uint32_t stop;                  /* cycle since base up to which schedulers may go on */
    cycle_t  front_at, answer_at, out_at, done_at;      /* when each is due */
    const struct gpu_launch *launch;        /* that its blocks belong to; NULL: none yet */
    const struct gpu_occupancy *occupancy;
    uint32_t launch_index;
    bool     compute, made;         /* values are executed; the arrays below are there */
    struct record *record;          /* NULL: none */
    struct sm_tracks tracks;
    struct gpu_sm_stats *stats, *total; /* of the launch; [launches], then of none */
    uint64_t energy[GPU_EVENTS_COUNT + 1];      /* not yet in the ledger; the last: nothing */
    struct ledger *ledger;
    tick_t   flushed, busy_ticks;
    cycle_t  flush_at;              /* the ledger's interval ends: counts must be there */
    cycle_t  busy_since;            /* of the blocks that are there */

    uint32_t blocks_used;
    struct sm_block *blocks;
    struct sm_barrier *barriers;
    struct sm_warp *warps;
    when_t  *scoreboard;
    size_t   scoreboard_words;
    uint32_t (*registers)[GPU_LANES];
    uint8_t *shared;
    bool     has_waiting;
    uint64_t waiting;               /* the block beyond those that fit */
    uint64_t *done;                 /* blocks to be reported, a ring of `blocks` */
    uint32_t done_first, done_count;
    struct sm_subcore *subcores;

    /* The load-store unit. */
    struct sm_request *requests;    /* ring */
    uint32_t request_first, request_count, request_room;
    bool     blocked;               /* the first waits for an MSHR or a store's slot */
    cycle_t  unit_free, unit_at;    /* when it can take the next; when it will */
    struct sm_flight *flights;
    struct sm_values *values;       /* of each flight */
    uint32_t flight_room, free_flight;
    struct sm_pattern *patterns;
    uint32_t hints[16];             /* where addresses of an operation were */

    struct sm_l1 l1;
    uint32_t *store_flight, *free_stores, free_store_count;     /* slots of stores */
    struct gpu_payload *payloads;   /* of MSHRs, then of stores */
    struct sm_out *out;             /* ring: what leaves for L2 */
    uint32_t out_first, out_count, out_room;
    cycle_t  out_ready, in_free;    /* the SM's ports of the crossbar */

    uint32_t line_ops;              /* operations in a line of instructions */
    uint32_t l0_lines, l1i_lines;   /* that the caches hold */
    struct sm_code_line *l1i;
    struct sm_code *code;           /* where the run's kernels lie */
    uint32_t code_line;             /* where the launch's does */
    bool      failed;               /* what the fault says */
    char      fault[512];
};

/* ---- time */

static inline cycle_t sm_cycle(const struct gpu_sm *sm, uint32_t since_base)
{
    return since_base >= NEVER ? CYCLE_NEVER : sm->base + since_base;
}

static inline uint32_t sm_since(const struct gpu_sm *sm, cycle_t cycle)
{
    return cycle <= sm->base ? 0 : cycle - sm->base >= NEVER ? NEVER
                                 : (uint32_t)(cycle - sm->base);
}

static inline when_t sm_when(const struct gpu_sm *sm, cycle_t cycle, unsigned cause)
{
    return sm_since(sm, cycle) << CAUSE_BITS | cause;
}

/* ---- sm.c: schedulers must stop where something else than an issue is due: to be called
 * when that may have become earlier. */
void sm_look(struct gpu_sm *sm);
/* The same, not zeroed, and beginning where a line of the host's caches does. */
void *sm_lines(size_t count, size_t size);

/* ---- sm_block.c */
void sm_make(struct gpu_sm *sm);
void sm_set_launch(struct gpu_sm *sm, uint32_t launch, cycle_t now);
void sm_block_start(struct gpu_sm *sm, uint64_t index, cycle_t now);
bool sm_block_fits(const struct gpu_sm *sm);
void sm_block_check(struct gpu_sm *sm, struct sm_block *b, cycle_t now);   /* is it done? */
void sm_warp_ends(struct gpu_sm *sm, struct sm_warp *w, cycle_t now);
void sm_barrier_arrive(struct gpu_sm *sm, struct sm_warp *w, const struct gpu_op *op,
                       uint32_t mask, cycle_t now);

/* ---- sm_issue.c */
void sm_issue(struct gpu_sm *sm, struct sm_subcore *s);     /* what s->next and pick say */
void sm_choose(const struct gpu_sm *sm, struct sm_subcore *s, uint32_t from);
void sm_wake(struct gpu_sm *sm, struct sm_warp *w, cycle_t now);    /* look at it again */
bool sm_copies_done(struct sm_warp *w, uint32_t number);    /* but for so many groups */

/* ---- sm_fetch.c: the cycle at which the line of `pc` is in the sub-core's cache. */
cycle_t sm_fetch(struct gpu_sm *sm, struct sm_subcore *s, uint32_t line, cycle_t now);
void sm_fetch_set_kernel(struct gpu_sm *sm);      /* of a new launch */
void sm_fetch_make(struct gpu_sm *sm);

/* ---- sm_memory.c: a memory operation issues. */
void sm_memory_issue(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w,
                     const struct gpu_op *op, uint32_t mask, cycle_t now);
void sm_shuffle_issue(struct gpu_sm *sm, struct sm_subcore *s, struct sm_warp *w,
                      const struct gpu_op *op, uint32_t mask, cycle_t now);

/* ---- sm_shared.c: passes that an operation takes, and `ideal` without conflict.  False: an
 * address is not legal, and the fault says which. */
bool sm_shared_passes(struct gpu_sm *sm, const struct sm_request *r, uint32_t mask,
                      const uint64_t address[GPU_LANES], uint32_t *passes, uint32_t *ideal);
uint32_t sm_bank_passes(const struct gpu_sm *sm, const uint32_t address[GPU_LANES],
                        uint32_t mask, uint32_t bytes, uint32_t *ideal);

/* ---- sm_lsu.c */
void sm_lsu_make(struct gpu_sm *sm);
struct sm_request *sm_request_new(struct gpu_sm *sm);       /* at the end of the ring */
void sm_request_issue(struct gpu_sm *sm, struct sm_request *r);
void sm_unit_run(struct gpu_sm *sm, cycle_t now);
uint32_t sm_flight_new(struct gpu_sm *sm, struct sm_warp *w, const struct gpu_op *op,
                       uint32_t mask);
void sm_flight_answered(struct gpu_sm *sm, uint32_t flight, cycle_t at, unsigned cause,
                        cycle_t now);

/* ---- sm_l1.c: false if the line cannot be served now: it is tried again after an answer. */
bool sm_l1_load(struct gpu_sm *sm, struct sm_request *r, const struct sm_line *l, cycle_t now,
                bool *hit);
bool sm_l1_store(struct gpu_sm *sm, struct sm_request *r, const struct sm_line *l, cycle_t now);
void sm_l1_forget(struct gpu_sm *sm);
void sm_l1_make(struct gpu_sm *sm);
void sm_l1_carve(struct gpu_sm *sm);        /* for a launch */
void sm_l1_answer(struct gpu_sm *sm, const struct message *m, cycle_t now);
void sm_l1_prefetch(const struct gpu_sm *sm, uint64_t address);     /* soon to be looked up */

/* ---- sm_tags.c: where a line is, or NONE; `place` makes room for it, without sectors. */
void sm_tags_make(struct sm_tags *t, uint32_t lines);
void sm_tags_free(struct sm_tags *t);
void sm_tags_shape(struct sm_tags *t, uint32_t lines, uint32_t ways);      /* and forgets */
void sm_tags_forget(struct sm_tags *t);
uint32_t sm_tags_find(const struct sm_tags *t, uint64_t address);
uint32_t sm_tags_place(struct sm_tags *t, uint64_t address);
void sm_tags_prefetch(const struct sm_tags *t, uint64_t address);

/* ---- sm_crossbar.c */
void sm_send(struct gpu_sm *sm, const struct message *m, cycle_t at, uint32_t cycles);
void sm_out_run(struct gpu_sm *sm, cycle_t now);
void sm_out_look(struct gpu_sm *sm, cycle_t now);
void sm_answers_run(struct gpu_sm *sm, cycle_t now);
void sm_answers_look(struct gpu_sm *sm);

/* ---- sm_values.c */
void sm_values_take(struct gpu_sm *sm, uint32_t flight, const uint64_t address[GPU_LANES]);
void sm_values_shared(struct gpu_sm *sm, uint32_t flight);
void sm_values_copied(struct gpu_sm *sm, uint32_t flight);
void sm_values_load(struct gpu_sm *sm, uint32_t flight, uint64_t line, uint8_t sectors,
                    const uint8_t *bytes);
void sm_values_store(struct gpu_sm *sm, uint32_t flight, uint64_t line, struct gpu_payload *p,
                     uint8_t *cached);
void sm_values_old(struct gpu_sm *sm, uint32_t flight, uint64_t line,
                   const struct gpu_payload *p);

/* ---- sm_stats.c */
void sm_fault(struct gpu_sm *sm, const struct sm_warp *w, const struct gpu_op *op,
              const char *format, ...) __attribute__((format(printf, 4, 5)));
void sm_flush(struct gpu_sm *sm, cycle_t now);      /* counts to the ledger; at `flush_at` */
void sm_charge(struct gpu_sm *sm, struct sm_subcore *s, cycle_t now, unsigned cause);
unsigned sm_open_cause(const struct sm_subcore *s);         /* of the cycles not yet charged */

/* ---- sm_record.c: to be called with a recorder only. */
void sm_record_issue(struct gpu_sm *sm, const struct sm_subcore *s, const struct sm_warp *w,
                     const struct gpu_op *op, cycle_t now);
void sm_record_cause(struct gpu_sm *sm, const struct sm_subcore *s, cycle_t from, unsigned cause);
void sm_record_warp(struct gpu_sm *sm, const struct sm_warp *w, cycle_t end);

static inline uint32_t sm_lanes(uint32_t mask)
{
    return mask == UINT32_MAX ? GPU_LANES : (uint32_t)__builtin_popcount(mask);
}

/* Of the four sectors of a line. */
static inline uint32_t sm_sectors(uint32_t mask)
{
    return UINT64_C(0x4332322132212110) >> (mask & 15) * 4 & 15;
}

/* What the operation will read of registers is asked for while others issue: an SM's do not
 * stay in the host's caches.  Without values only what decides control and addresses is read. */
static inline void sm_prefetch_operands(const struct gpu_sm *sm, const struct sm_warp *w,
                                        const struct gpu_op *op)
{
    const uint16_t *list = w->w.kernel->operands + op->operands + op->dsts;
    bool all = op->flags & GPU_OP_CONTROL || sm->compute;
    unsigned first = all ? 0 : op->access.address_at;
    unsigned count = all ? op->srcs : op->access.address_words;
    for (unsigned i = first; i < first + count; i++) {
        const char *row = (const char *)gpu_operand(&w->w, list[i]);
        __builtin_prefetch(row);
        __builtin_prefetch(row + SM_HOST_LINE);
    }
}

static inline bool sm_shared_space(uint64_t address)
{
    return address - GPU_SHARED_WINDOW < GPU_WINDOW_BYTES;
}

#endif
