/* link.h - how blocks talk: a bounded, delayed channel from senders to one receiver.
 *
 *     sender 0 --[ credits ]--\
 *     sender 1 --[ credits ]---+---- latency ---->  receiver
 *
 * A message sent at tick t can be taken at t + latency, never earlier.  Each sender owns
 * `depth` credits; sending takes one, and it comes back `latency` after the receiver
 * took the message.  With depth = ceil(rate * 2 * latency) a sender is never held up.
 * Latency is at least the engine's window, so that nothing sent in a window can be seen
 * in it: a sender writes only the outgoing half, the receiver only the incoming half,
 * and the engine alone moves messages and credits across (link_publish, between windows).
 *
 * The receiver takes messages in the order of their arrival.  Those of different senders
 * that arrive at the same tick are taken in an order that rotates with the tick, so that
 * no sender is first more often than another.  Nothing is dropped or duplicated.
 *
 * Not modelled: width in bits of a message; its time on the wires belongs to the sender,
 * who spaces its messages (see `interval`).
 */
#ifndef MODELS_LINK_H
#define MODELS_LINK_H

#include "models/block.h"

/* A run of bytes to read or write, or the answer to one. */
struct message {
    uint64_t address;
    uint64_t id;        /* the sender's; an answer carries it back */
    uint32_t bytes;
    uint16_t group;     /* the trace op (or fused group) that it works for */
    uint8_t  kind;      /* the pair's own: read, write, done, ... */
    uint8_t  port;      /* of the sender, where one block has several */
};

struct link_config {
    const char *name;
    tick_t   latency;   /* > 0 */
    uint32_t senders;   /* >= 1 */
    uint32_t depth;     /* messages of a sender under way or waiting, >= 1 */
    tick_t   interval;  /* least time between two messages of one sender; 0: none */
};

struct link;

struct link *link_new(const struct link_config *config);    /* copies the config */
void         link_free(struct link *l);
const struct link_config *link_config(const struct link *l);

/* Senders.  `now` never goes back for one sender. */
bool link_can_send(const struct link *l, uint32_t sender, tick_t now);
void link_send(struct link *l, uint32_t sender, tick_t now, const struct message *m);
/* The earliest tick >= now at which this sender could send, as far as it can be known
 * in this window; TICK_NEVER if it must wait for a credit that is not on its way. */
tick_t link_send_at(const struct link *l, uint32_t sender, tick_t now);

/* Says that this sender will send soon, so that the link is in the processor's cache then. */
void   link_prefetch(const struct link *l, uint32_t sender);

/* The receiver.  Peek gives the next message that has arrived by `now`, or NULL; it
 * stays valid until taken.  `sender` (may be NULL) gets who sent it. */
const struct message *link_peek(const struct link *l, tick_t now, uint32_t *sender);
void   link_take(struct link *l, tick_t now);               /* requires a peek != NULL */
tick_t link_arrival(const struct link *l);                  /* of the next; TICK_NEVER */
/* The one so many places behind the next, if it is known by now, else NULL: not to be acted
 * upon, only to have what it will need brought into the processor's cache. */
const struct message *link_look(const struct link *l, uint32_t behind);

/* The engine, between windows: what was sent becomes visible to the receiver, what was
 * taken becomes credits.  Returns whether anything moved. */
bool link_publish(struct link *l);

/* The same in parts, at a cost of what moved and not of how many senders there are:
 * gather the senders that ran, deliver what they sent, then return credits one by one
 * until it says false.  `*at` is when the sender can use it, if it has no other credit;
 * else TICK_NEVER. */
void link_gather(struct link *l, uint32_t sender);
bool link_deliver(struct link *l);
bool link_return(struct link *l, uint32_t *sender, tick_t *at);

/* From now on, whenever a sender sends that `list` does not hold, it gets `entry`: so the
 * engine looks at who sent, and not at who could have.  There is room for each sender that it
 * is given for.  NULL: no more.  link_unlist: the list's owner has taken the entry out. */
struct link_list { uint32_t count; uint32_t *entries; };
void link_report(struct link *l, uint32_t sender, struct link_list *list, uint32_t entry);
void link_unlist(struct link *l, uint32_t sender);

/* When this sender's next credit can be used: 0 if it never lacked one, TICK_NEVER if
 * none is on its way. */
tick_t link_credit_at(const struct link *l, uint32_t sender);

uint64_t link_sent(const struct link *l);       /* messages, since the start */
uint64_t link_taken(const struct link *l);

#endif
