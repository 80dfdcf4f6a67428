/* peer.h - a core's links to the other cores.
 *
 * A send cuts its bytes into messages of at most 4 KiB, paced by the link's rate; when the
 * last has arrived the receiver's semaphore is raised.  In programs whose groups end
 * together, an end is told to all peers by an empty message.
 *
 * Not modelled: the receiver's port being late; routing over several hops; every pair of cores has its own link.
 */
#ifndef MODELS_TPU_PEER_H
#define MODELS_TPU_PEER_H

#include "models/energy/ledger.h"
#include "models/link.h"
#include "models/tpu/board.h"
#include "models/tpu/config.h"
#include "models/tpu/ports.h"

#define TPU_PEER_BYTES 4096     /* of a message */

struct tpu_peers {
    uint32_t cores, self;
    struct link *const *to, *const *from;       /* [cores], NULL at `self`; borrowed */
};

struct tpu_peer;

struct tpu_peer *tpu_peer_new(const struct tpu_config *config, const struct clock *clock,
                              const struct tpu_peers *peers, struct tpu_board *board,
                              struct tpu_ports *ports, struct ledger *ledger);
void             tpu_peer_free(struct tpu_peer *p);

cycle_t           tpu_peer_step(struct tpu_peer *p, cycle_t now);
struct tpu_queue *tpu_peer_queue(struct tpu_peer *p);
/* Tells the other cores that `group` has ended here. */
void              tpu_peer_tell(struct tpu_peer *p, uint32_t group);
/* When the next message from another core can be taken. */
tick_t            tpu_peer_arrival(const struct tpu_peer *p);

#endif
