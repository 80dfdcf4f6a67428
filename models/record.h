/* record.h - what a block did when, kept for timelines, waves and pictures over time.
 *
 * A block has a recorder of its own, or none (NULL: every call returns at once), and nobody
 * else touches it: what is kept does not depend on threads.  Recording moves no cycle.
 *
 * A recorder has tracks, one a unit or part of one, added while the block is built:
 *
 *     WORK    spans of work, in order, never two at a time: an operation of a unit, a tile in an
 *             array, a warp in its place.  Each has a group (trace op), and two numbers.
 *     STATE   what a unit is in, always exactly one of its names: an entry as it leaves it
 *     LEVEL   a number that goes up and down, as the length of a queue: likewise
 *     AMOUNT  so much in a stretch of time: nothing is kept of it but the sums below
 *
 * What is recorded, and by whom ("detail": only if the config says so):
 *
 *     TPU core    WORK   load store matrix vector transpose link: number = index in the program,
 *                        `begun` when it was taken up (loads overlap: a span begins where the
 *                        one before ends);  mxuN: number = index in the program, part = tile;
 *                        mxuN.weights: pushes, likewise
 *                 STATE  X.state for each of these units (tpu_state_names) and for mxuN
 *                        (tpu_mxu_state_names)
 *                 LEVEL  load.depth, store.depth: operations under way;  X.bytes: unanswered
 *     GPU SM      WORK   warpN, a place for a warp: number = launch, part = block;  detail:
 *                        warpN.op, an operation issued: number = launch, part = index of the
 *                        machine operation in its kernel
 *                 STATE  subN, a scheduler (gpu_cause_names); detail
 *                 LEVEL  lsu.depth: operations before the load-store unit
 *                 AMOUNT issue, pipe.X each (gpu_pipe_names; sixteenths of a cycle), lsu, warps
 *     L2 group    AMOUNT slices
 *     HBM stack   AMOUNT chN.read, chN.write: clocks of the data pins
 *
 * Times are cycles of the block's clock, and go forward on each track.  Of WORK the time it takes
 * is summed, of STATE that in the busy state, of LEVEL the level times its duration: in equal
 * intervals of time (ledger.h), over the whole run whatever the window is.
 *
 * Entries are kept of a window of time, those of a track in order, up to a limit; those beyond
 * are counted, and only what ended before record_until is whole.
 */
#ifndef MODELS_RECORD_H
#define MODELS_RECORD_H

#include "models/energy/ledger.h"

#define RECORD_NAME 24

enum record_kind { RECORD_WORK, RECORD_STATE, RECORD_LEVEL, RECORD_AMOUNT };

struct record_config {
    const char *name;           /* of the block; borrowed */
    struct clock clock;
    bool     entries;           /* kept; if not, only the sums */
    bool     detail;
    bool     no_levels;         /* no entries of LEVEL, of which there are many */
    tick_t   from, to;          /* the window */
    size_t   most;              /* entries */
};

struct record_track {
    char     name[RECORD_NAME];
    enum record_kind kind;
    const char *const *states;  /* STATE: their names, borrowed, */
    uint32_t state_count;       /* how many, */
    uint32_t busy;              /* and the one that is work */
    uint32_t full;              /* what the sum grows by in a cycle at most; 1 of WORK and STATE */
};

struct record_entry {
    uint32_t track, group;
    cycle_t  start, end;        /* what of it lies in the window */
    cycle_t  begun;             /* <= start; without a window it would begin here */
    uint64_t part;              /* STATE and LEVEL: the value */
    uint32_t number;
};

struct record;

struct record *record_new(const struct record_config *c);      /* copies the config */
void           record_free(struct record *r);
const struct record_config *record_config(const struct record *r);

/* Its number; 0 without a recorder. */
uint32_t record_work_track(struct record *r, const char *name);
uint32_t record_state_track(struct record *r, const char *name, const char *const *states,
                            uint32_t count, uint32_t busy, uint32_t first);
uint32_t record_level_track(struct record *r, const char *name, uint32_t most);
uint32_t record_amount_track(struct record *r, const char *name, uint32_t full);

/* ---- what a block calls */

struct record_work { uint32_t group, number; uint64_t part; cycle_t begun; };

void record_put_work(struct record *r, uint32_t track, cycle_t start, cycle_t end,
                     const struct record_work *w);
void record_put_value(struct record *r, uint32_t track, cycle_t at, uint64_t value);
void record_put_amount(struct record *r, uint32_t track, cycle_t start, cycle_t end,
                       uint64_t amount);

/* A span of work; start == end is kept too. */
static inline void record_work(struct record *r, uint32_t track, cycle_t start, cycle_t end,
                               const struct record_work *w)
{
    if (r)
        record_put_work(r, track, start, end, w);
}

/* The track is in this state, or at this level, from `at` on. */
static inline void record_state(struct record *r, uint32_t track, cycle_t at, uint32_t state)
{
    if (r)
        record_put_value(r, track, at, state);
}

static inline void record_level(struct record *r, uint32_t track, cycle_t at, uint64_t level)
{
    if (r)
        record_put_value(r, track, at, level);
}

static inline void record_amount(struct record *r, uint32_t track, cycle_t start, cycle_t end,
                                 uint64_t amount)
{
    if (r)
        record_put_amount(r, track, start, end, amount);
}

/* Whether the block should tell of small things too. */
static inline bool record_wants_detail(const struct record *r)
{
    return r && record_config(r)->detail;
}

/* ---- after the run */

/* No more will come; what is open ends at `end`.  Once. */
void record_close(struct record *r, cycle_t end);

uint32_t record_tracks(const struct record *r);
const struct record_track *record_track(const struct record *r, uint32_t track);
size_t   record_entries(const struct record *r);
const struct record_entry *record_entry(const struct record *r, size_t i);     /* as they came */

/* Entries of the window that the limit left out, and when the first of them ended (CYCLE_NEVER:
 * none). */
uint64_t record_left_out(const struct record *r);
cycle_t  record_until(const struct record *r);

/* The sums: a kind each track, in the order of tracks. */
struct ledger *record_sums(const struct record *r);

#endif
