/* peer.c - see peer.h. */
#include "models/tpu/peer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "models/tpu/events.h"

#define FRACTION 20

enum kind { DATA, LAST, ENDED };

struct tpu_peer {
    struct tpu_peers  peers;
    struct clock      clock;
    struct tpu_board *board;
    struct tpu_ports *ports;
    struct ledger    *ledger;
    struct tpu_queue  queue;
    uint32_t setup_cycles, port_bytes;
    uint64_t byte_pace;             /* cycles a byte, in 2^-FRACTION */

    const struct tpu_uop *uop;      /* being sent; NULL: none */
    uint64_t left;
    cycle_t  start;
    uint64_t paced;                 /* cycle of the next message, 2^-FRACTION */
    uint32_t *told;                 /* [cores]: groups of which each has been told */
    uint32_t *ended, ended_count;   /* groups in the order in which they ended */
};

struct tpu_peer *tpu_peer_new(const struct tpu_config *config, const struct clock *clock,
                              const struct tpu_peers *peers, struct tpu_board *board,
                              struct tpu_ports *ports, struct ledger *ledger)
{
    struct tpu_peer *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->peers = *peers;
    p->clock = *clock;
    p->board = board;
    p->ports = ports;
    p->ledger = ledger;
    p->setup_cycles = config->ici.setup_cycles;
    double bytes = config->ici.gb_per_s * 1e9 / (double)clock->hz;
    p->port_bytes = (uint32_t)ceil(bytes);
    p->byte_pace = (uint64_t)floor((1 << FRACTION) / bytes + 0.5);
    tpu_queue_init(&p->queue, board, TPU_LINK);
    p->told = calloc(peers->cores, sizeof *p->told);
    p->ended = calloc(p->queue.program->groups + 1, sizeof *p->ended);
    if (!p->told || !p->ended)
        abort();
    return p;
}

void tpu_peer_free(struct tpu_peer *p)
{
    if (!p)
        return;
    free(p->told);
    free(p->ended);
    free(p);
}

struct tpu_queue *tpu_peer_queue(struct tpu_peer *p)
{
    return &p->queue;
}

void tpu_peer_tell(struct tpu_peer *p, uint32_t group)
{
    if (p->queue.program->peers > 0)
        p->ended[p->ended_count++] = group;
}

static cycle_t send_at(const struct tpu_peer *p, uint32_t peer, cycle_t from)
{
    tick_t t = link_send_at(p->peers.to[peer], 0, clock_tick(&p->clock, from));
    return t == TICK_NEVER ? CYCLE_NEVER : cycle_max(from, clock_cycle(&p->clock, t));
}

static void send_message(struct tpu_peer *p, uint32_t peer, cycle_t now, const struct message *m)
{
    link_send(p->peers.to[peer], 0, clock_tick(&p->clock, now), m);
}

/* Ends of groups go first: others wait for them. */
static cycle_t tell(struct tpu_peer *p, cycle_t now)
{
    cycle_t next = CYCLE_NEVER;
    for (uint32_t peer = 0; peer < p->peers.cores; peer++) {
        if (peer == p->peers.self)
            continue;
        while (p->told[peer] < p->ended_count) {
            cycle_t at = send_at(p, peer, now);
            next = cycle_min(next, at);
            if (at > now)
                break;
            struct message m = { .id = p->ended[p->told[peer]++], .kind = ENDED };
            send_message(p, peer, now, &m);
            next = CYCLE_NEVER;
        }
    }
    return next;
}

static void begin(struct tpu_peer *p, cycle_t now)
{
    const struct tpu_uop *u = p->uop ? NULL : tpu_queue_ready(&p->queue);
    if (!u)
        return;
    tpu_queue_take(&p->queue, now);
    p->uop = u;
    p->left = u->send.bytes;
    p->start = now;
    assert(p->left > 0 && u->send.peer < p->peers.cores && u->send.peer != p->peers.self);
    uint64_t from = (now + p->setup_cycles) << FRACTION;
    p->paced = p->paced > from ? p->paced : from;
}

static void send_piece(struct tpu_peer *p, cycle_t now)
{
    const struct tpu_send *s = &p->uop->send;
    uint32_t bytes = p->left < TPU_PEER_BYTES ? (uint32_t)p->left : TPU_PEER_BYTES;
    p->left -= bytes;
    struct message m = { .id = s->remote, .bytes = bytes, .group = (uint16_t)p->uop->group,
                         .kind = p->left > 0 ? DATA : LAST };
    send_message(p, s->peer, now, &m);
    uint64_t read = tpu_ports_fill(p->ports, now, TPU_PORT_READ, bytes, p->port_bytes) << FRACTION;
    uint64_t from = now << FRACTION;
    p->paced = (p->paced > from ? p->paced : from) + bytes * p->byte_pace;
    p->paced = p->paced > read ? p->paced : read;
    if (p->left > 0)
        return;
    tick_t begun = clock_tick(&p->clock, p->start), over = clock_tick(&p->clock, now);
    ledger_add(p->ledger, TPU_EVENT_ICI, p->uop->group, s->bytes, begun, over);
    ledger_add(p->ledger, TPU_EVENT_VMEM_READ, p->uop->group, s->bytes, begun, over);
    const struct tpu_uop *u = p->uop;
    p->uop = NULL;
    tpu_board_finish(p->board, u, p->start, now);
}

static cycle_t send_pieces(struct tpu_peer *p, cycle_t now)
{
    for (;;) {
        begin(p, now);
        if (!p->uop)
            return CYCLE_NEVER;
        cycle_t from = cycle_max(now, (p->paced + (1 << FRACTION) - 1) >> FRACTION);
        cycle_t at = send_at(p, p->uop->send.peer, from);
        if (at > now)
            return at;
        send_piece(p, now);
    }
}

static void take(struct tpu_peer *p, cycle_t now, const struct message *m)
{
    if (m->kind == ENDED) {
        tpu_board_peer_ended(p->board, (uint32_t)m->id, now);
        return;
    }
    tpu_ports_fill(p->ports, now, TPU_PORT_WRITE, m->bytes, p->port_bytes);
    tick_t t = clock_tick(&p->clock, now);
    ledger_add(p->ledger, TPU_EVENT_VMEM_WRITE, m->group, m->bytes, t, t);
    if (m->kind == LAST)
        tpu_board_raise(p->board, (uint32_t)m->id);
}

static void take_all(struct tpu_peer *p, cycle_t now)
{
    tick_t t = clock_tick(&p->clock, now);
    for (uint32_t peer = 0; peer < p->peers.cores; peer++) {
        if (peer == p->peers.self)
            continue;
        const struct message *m;
        while ((m = link_peek(p->peers.from[peer], t, NULL)) != NULL) {
            take(p, now, m);
            link_take(p->peers.from[peer], t);
        }
    }
}

tick_t tpu_peer_arrival(const struct tpu_peer *p)
{
    tick_t first = TICK_NEVER;
    for (uint32_t peer = 0; peer < p->peers.cores; peer++)
        if (peer != p->peers.self)
            first = tick_min(first, link_arrival(p->peers.from[peer]));
    return first;
}

cycle_t tpu_peer_step(struct tpu_peer *p, cycle_t now)
{
    take_all(p, now);
    cycle_t next = cycle_min(tell(p, now), send_pieces(p, now));
    tpu_queue_account(&p->queue, p->uop != NULL, now);
    return next;
}
