/* hbm_inside.h - what hbm.c (the port), hbm_queue.c, hbm_column.c and hbm_channel.c share.
 *
 * A run stays in its place in `runs` until it is answered.  Each channel that has bursts of
 * it lists its number in a fifo; its bursts are worked out only as they enter the
 * controller's queues.
 */
#ifndef MODELS_HBM_INSIDE_H
#define MODELS_HBM_INSIDE_H

#include "models/hbm/hbm.h"
#include "models/hbm/hbm_pseudo.h"

#define HBM_NONE UINT16_MAX
#define HBM_LANES_MAX 4         /* pseudo-channels of a channel */

enum { HBM_TO_READ, HBM_TO_WRITE, HBM_WAYS };

struct hbm_run {
    struct hbm_request request;
    uint64_t code;              /* of the 4 KiB block that it is in */
    uint64_t order;             /* of arrival */
    cycle_t  ready;             /* when the controllers can see it */
    cycle_t  done;              /* the latest of its parts so far */
    uint32_t left;              /* bursts to read, or to put into the write queue */
    uint16_t first, last;       /* its bursts in the block */
};

/* One burst of a 4 KiB block: all blocks look the same but for an exclusive-or. */
struct hbm_beat {
    uint64_t code;
    uint16_t chain;             /* bursts from here on in the same bank and row */
};

/* Bursts of one run that wait for the same row, next to each other in age. */
struct hbm_entry {
    uint64_t age;               /* of the first */
    uint32_t row;
    uint16_t count;
    uint16_t run;               /* HBM_NONE for writes: the run may have been answered */
    uint16_t group;
    uint16_t next;              /* younger, same bank; or the next free one */
};

struct hbm_lane;

struct hbm_fifo {
    uint16_t *runs;             /* a ring, in order of arrival */
    uint32_t  head, count;
    uint32_t  waiting;          /* bursts of all runs */
    cycle_t   ready;            /* of the first run, as here all: when it can be seen */
    int       way;              /* reads or writes */
    uint32_t  beat, beat_end;   /* what has not entered a queue yet */
    uint32_t  chain;            /* of those, next to each other in one row */
    struct hbm_lane *lane;      /* where the chain goes */
    uint32_t  bank;
    uint16_t  last;             /* the entry that the chain has begun, if still in its queue */
    bool      full;             /* the first run waits for a place */
};

struct hbm_queue {
    struct hbm_entry *entries;
    uint32_t  held;             /* bursts in the queue */
    uint32_t  counted;          /* of those, that are not in a bank's own queue */
    uint16_t  free;
};

/* What the queue wants of a bank. */
struct hbm_wanted {
    uint16_t head[HBM_WAYS], tail[HBM_WAYS];    /* oldest and youngest request */
    uint16_t hit[HBM_WAYS];                     /* oldest that finds its row open */
    uint16_t held[HBM_WAYS];                    /* bursts */
    uint16_t inside[HBM_WAYS];                  /* of those, in the bank's own queue: the oldest */
    uint8_t  row_way[HBM_WAYS];                 /* whose oldest wants another row */
    uint16_t served;                            /* accesses since its ACT, as far as it counts */
    bool     fresh;                             /* not accessed since its ACT */
    cycle_t  miss_since;                        /* a row command has been wanted */
    cycle_t  rate_wait, bus_wait;               /* of that: for tRRD and tFAW; for the bus */
};

/* Which of the banks that want an ACT, or a PRE, would be first.  It stays so until one of them
 * changes, as long as `at` is not past. */
struct hbm_row_choice {
    cycle_t  at;
    uint64_t age;
    uint32_t bank;
    bool     known;
};

struct hbm_lane {               /* a pseudo-channel as its controller sees it */
    uint64_t hits[HBM_WAYS], misses[HBM_WAYS];  /* a bit a bank */
    struct hbm_row_choice row;                  /* the next row command, if known */
    struct hbm_row_choice rows[2];              /* of HBM_ACT, of HBM_PRE */
    cycle_t  column_at;                         /* the next column command, if known */
    cycle_t  column_until;                      /* then an older request may go instead */
    uint64_t age[HBM_WAYS][HBM_BANKS_MAX];      /* of each bank's oldest request, if any */
    uint32_t column_bank;
    bool     column_known;
    bool     column_write;
    bool     refreshing;
    bool     wrote;                             /* the last access */
    cycle_t  refresh_due, refresh_end;
    cycle_t *bus;                               /* when its row-command bus is free */
    cycle_t  since;                             /* some request has been waiting */
    cycle_t  charged;                           /* all clocks before have a cause */
    uint32_t waiting;                           /* bursts in the queues */
    struct hbm_stats   stats;
    struct hbm_pseudo  pseudo;
    struct hbm_wanted  wanted[HBM_BANKS_MAX];
};

struct hbm_channel {
    struct hbm *stack;
    struct hbm_fifo  fifo;
    struct hbm_queue queue[HBM_WAYS];
    struct hbm_lane *lanes;
    cycle_t  now, next;
    cycle_t  due;               /* no run is done before */
    cycle_t *buses;             /* one, or one a lane: when it is free */
    cycle_t  turned;            /* when it last turned to reading or to writing */
    uint64_t age;               /* of the next burst */
    uint64_t batches;
    uint32_t number;
    bool     writing;
    bool     own_queues;        /* its banks have queues of their own */
    bool     chains;            /* may do accesses together: see hbm_column.c */
};

struct hbm {
    struct hbm_config    config;
    struct hbm_timing    timing;
    const struct hbm_map *map;
    struct clock clock;
    uint32_t burst_bytes, beats;                /* beats of a 4 KiB block */
    uint32_t lane_banks_bits, bank_bits;
    struct hbm_beat *beat;                      /* by channel, then in order of address */
    uint16_t *below;                            /* [channel][b]: its beats before b */
    uint8_t  *beat_channel;
    struct hbm_channel *channels;
    struct hbm_run     *runs;
    uint16_t *free_runs;
    uint32_t  free_count;
    uint16_t *done;                             /* a heap of runs by tick, then order */
    uint32_t  done_count;
    uint64_t  order;
    tick_t    end_tick;                         /* of the last hbm_run */
    cycle_t   end;                              /* the same in clocks */
    struct hbm_stats stats;                     /* what the port counts */
    struct hbm_group_stats *groups;
    uint32_t group_count;
    struct record *record;                      /* NULL: none; tracks are 2 x channel + write */
};

/* Everything of the channel before `end`.  An idle channel leaves its refreshes for later
 * unless told to catch up.  Leaves in c->next when there is something again, and in c->due
 * a clock before which no run is done: until then nobody can tell that it has not run. */
void hbm_channel_run(struct hbm_channel *c, cycle_t end, bool catch_up);

/* All parts of a run have been read or queued; the last at run->done. */
void hbm_run_done(struct hbm *h, uint16_t run);

/* Points the fifo's cursor at the bursts of its first run. */
void hbm_queue_first(struct hbm_channel *c);

#endif
