/* dma.h - an engine that moves tiles between vector memory and HBM, one direction.
 *
 *     issue --setup--> run run run ... --fabric--> HBM --fabric--> answers --done--> seen
 *                      |<- at most `bytes` a cycle, at most in_flight_bytes unanswered ->|
 *
 * A tile is cut into runs of at most 4 KiB that stay in one stack.  The next tile's first
 * run follows the last of this one: setup is a latency, not a gap.  Data takes ports of
 * vector memory that matrix units leave free, as it arrives (load) or leaves (store).
 *
 * Not modelled: descriptors fetched from memory, checks of addresses.
 */
#ifndef MODELS_TPU_DMA_H
#define MODELS_TPU_DMA_H

#include "models/energy/ledger.h"
#include "models/hbm/hbm_map.h"
#include "models/link.h"
#include "models/tpu/board.h"
#include "models/tpu/config.h"
#include "models/tpu/ports.h"

/* Where a core finds the memory: borrowed, for each stack of `map`. */
struct tpu_memory {
    const struct hbm_map *map;
    struct link *const   *requests;     /* [stacks] */
    const uint32_t       *sender;       /* this core's number on each of them */
    struct link *const   *answers;      /* [stacks], this core receives */
};

struct tpu_dma;

struct tpu_dma *tpu_dma_new(enum tpu_unit direction, const struct tpu_dma_config *config,
                            const struct clock *clock, const struct tpu_memory *memory,
                            struct tpu_board *board, struct tpu_ports *ports,
                            struct ledger *ledger);
void            tpu_dma_free(struct tpu_dma *d);

/* Before the first cycle: its depth and bytes are told to `r` (borrowed). */
void            tpu_dma_record(struct tpu_dma *d, struct record *r);

/* Does what is due at `now`; returns the next cycle with work of its own. */
cycle_t tpu_dma_step(struct tpu_dma *d, cycle_t now);
/* The answer to one of its runs (message.port is the direction). */
void    tpu_dma_answer(struct tpu_dma *d, cycle_t now, const struct message *m);

struct tpu_queue *tpu_dma_queue(struct tpu_dma *d);
/* Bytes asked for and bytes answered: equal when a run is over. */
uint64_t          tpu_dma_asked(const struct tpu_dma *d);
uint64_t          tpu_dma_answered(const struct tpu_dma *d);

#endif
