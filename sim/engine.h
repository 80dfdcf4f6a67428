/* engine.h - runs blocks joined by links through time.
 *
 *     window 0      window 1      window 2      window 3
 *     |-------------|-------------|-------------|-------------|---> ticks
 *     a runs        a runs                      a runs
 *     b runs                      b runs
 *          \___ message: at least a window ____/
 *
 * Time is cut into windows on a fixed grid.  A link takes at least a window, so nothing
 * that a block does in a window can be seen by another in that window: the blocks of one
 * window run in any order, or at once on several threads, and the outcome is the same.
 * It is also the same for any window that divides the largest legal one.
 *
 * A block is run only in windows where it has something to do: its own next work, the
 * next message to it, or a credit that it lacked.  Where nobody has anything, time jumps.
 * Being run more often than it asked must change nothing in a block.
 *
 * Not modelled: clocks that change during a run.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "models/block.h"
#include "models/link.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ENGINE_LEAST_WINDOW  (5 * TICKS_PER_NS)     /* no link may be faster */
#define ENGINE_STUCK_TEXT    4096

struct engine_link {
    struct link    *link;
    uint32_t        receiver;       /* index of a block */
    const uint32_t *senders;        /* the block of each of the link's senders */
};

/* Everything pointed to is borrowed until engine_run returns. */
struct engine_config {
    const struct block       *blocks;
    uint32_t                  block_count;
    const struct engine_link *links;
    uint32_t                  link_count;
    tick_t   window;        /* 0: the largest legal one; else ENGINE_LEAST_WINDOW to that */
    unsigned threads;       /* that run blocks; 0 and 1: only the caller's */
    tick_t   limit;         /* no block is run past it; 0: none */
    void   (*progress)(void *arg, tick_t now);  /* or NULL; at most 4 times a second */
    void    *progress_arg;
};

struct engine_result {
    tick_t   end;           /* of the last largest legal window in which a block ran */
    uint64_t windows;       /* that were not skipped */
    uint64_t activations;   /* of a block for a window */
    bool     limited;               /* the limit was reached */
    bool     quiet_with_work;       /* nothing can happen any more, yet there is work */
    char     stuck[ENGINE_STUCK_TEXT];      /* then: a line a block or link with work */
};

/* The largest legal window: the least latency of the links.  Without links, 1 us. */
tick_t engine_window(const struct engine_config *config);

/* Runs until nothing can happen any more; true if no work was left.  SystemC allows
 * it once in a process: a second call fails an assert (see isolate.h).  The config must
 * be legal, which is asserted: who reads a machine file checks latencies before. */
bool engine_run(const struct engine_config *config, struct engine_result *result);

#ifdef __cplusplus
}
#endif

#endif
