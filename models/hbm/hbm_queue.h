/* hbm_queue.h - what waits at a controller, and what it makes each bank want.
 *
 * A request waits in a list of its bank, oldest first, one list for reads and one for
 * writes.  From the lists follow three sets of banks for each pseudo-channel: those with a
 * hit to read, with a hit to write, and those whose oldest request needs a row command.
 * The rest of the controller (hbm_column.c, hbm_channel.c) chooses among the sets.
 */
#ifndef MODELS_HBM_QUEUE_H
#define MODELS_HBM_QUEUE_H

#include "models/hbm/hbm_inside.h"

static inline struct hbm_run *hbm_first_run(const struct hbm_channel *c)
{
    return &c->stack->runs[c->fifo.runs[c->fifo.head]];
}

static inline enum hbm_command hbm_row_command_for(const struct hbm_lane *lane, uint32_t bank)
{
    return hbm_pseudo_open(&lane->pseudo, bank) ? HBM_PRE : HBM_ACT;
}

static inline void hbm_forget(struct hbm_lane *lane)
{
    lane->rows[HBM_ACT].known = lane->rows[HBM_PRE].known = false;
    lane->row.known = false;
    lane->column_known = false;
}

/* A bank with its own queue looks at what is in it, reads and writes; one without looks at
 * all that waits, in the way the channel has turned. */
static inline bool hbm_own_queue(const struct hbm_channel *c) { return c->own_queues; }

static inline bool hbm_queue_can_accept(const struct hbm_channel *c)
{
    return c->fifo.count > 0 && !c->fifo.full && c->fifo.ready <= c->now;
}

/* Bursts that have arrived enter the queues, in their order, as far as there is room. */
void hbm_queue_accept(struct hbm_channel *c);

/* Which way the channel should be turned by now. */
static inline bool hbm_queue_should_write(const struct hbm_channel *c)
{
    const struct hbm_config *config = &c->stack->config;
    uint32_t reads = c->queue[HBM_TO_READ].held, writes = c->queue[HBM_TO_WRITE].counted;
    if (!c->writing)
        return writes >= config->write_high || (reads == 0 && writes > 0);
    return reads > 0 || writes == 0 ? writes > config->write_low : true;
}

/* Turns to reading or to writing. */
void hbm_queue_turn(struct hbm_channel *c);

/* The bank has come to want the row command that is its next. */
void hbm_queue_wants_row(const struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank);

/* All that needs no command.  After most commands there is nothing. */
static inline void hbm_queue_settle(struct hbm_channel *c)
{
    for (;;) {
        if (hbm_queue_can_accept(c))
            hbm_queue_accept(c);
        if (hbm_queue_should_write(c) == c->writing)
            return;
        hbm_queue_turn(c);              /* which may make room */
    }
}

/* `n` bursts of the hit of the lane's next column command have been read or written. */
void hbm_queue_leave(struct hbm_channel *c, struct hbm_lane *lane, uint32_t n);

/* The same where more of the hit are left and nothing else changes: c->chains. */
void hbm_queue_shorten(struct hbm_channel *c, struct hbm_lane *lane, uint32_t n);

/* After the bank has opened or closed a row: puts it into the sets where it belongs. */
void hbm_queue_look(struct hbm_channel *c, struct hbm_lane *lane, uint32_t bank);

#endif
