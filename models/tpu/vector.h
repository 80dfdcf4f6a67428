/* vector.h - the vector unit, and the transpose units beside it.
 *
 * A vector operation is so many registers loaded, computed on and stored.  It takes the
 * issue slots and ports that matrix units leave free, at the pace of the scarcest:
 *
 *     loads, stores   a register each, load_slots / store_slots a cycle
 *     arithmetic      alu_slots a cycle
 *     transcendental  one push each eup_interval_cycles
 *     reductions      over lanes, on the transpose units, reduce_cycles apart; the last one's
 *                     result reduce_latency_cycles later
 *
 * A transpose unit takes 8 rows in push_cycles and gives 8 back in pop_cycles; tiles of
 * lanes x lanes follow each other, pushes of one under pops of the one before.
 *
 * An operation takes what is left when it begins, for all of its length: a tile of a matrix
 * unit that comes later waits for it.
 *
 * Not modelled: push and pop slots of the transpose units, and their being shared between
 * transposes and reductions; register pressure and spills, masks, dependences within an operation
 * (they are hidden by interleaving registers, but for its first: latency_cycles).
 */
#ifndef MODELS_TPU_VECTOR_H
#define MODELS_TPU_VECTOR_H

#include "models/energy/ledger.h"
#include "models/tpu/board.h"
#include "models/tpu/config.h"
#include "models/tpu/ports.h"

/* Either of the two: `unit` is TPU_VECTOR or TPU_TRANSPOSE. */
struct tpu_vector;

struct tpu_vector *tpu_vector_new(enum tpu_unit unit, const struct tpu_config *config,
                                  const struct clock *clock, struct tpu_board *board,
                                  struct tpu_ports *ports, struct ledger *ledger);
void               tpu_vector_free(struct tpu_vector *v);

cycle_t           tpu_vector_step(struct tpu_vector *v, cycle_t now);
struct tpu_queue *tpu_vector_queue(struct tpu_vector *v);

#endif
