/* dma.c - see dma.h. */
#include "models/tpu/dma.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/hbm/hbm_block.h"
#include "models/tpu/events.h"

#define TILES    128            /* under way at once */
#define FRACTION 20             /* binary places of a cycle that the pace is kept to */
#define RUN      HBM_RUN_BYTES

struct tile {
    const struct tpu_uop *uop;
    uint64_t unanswered;        /* bytes; counts those that are not yet asked for */
    cycle_t  start, done_at;    /* done_at: CYCLE_NEVER until all are answered */
    uint64_t from;              /* set up by then, 2^-FRACTION */
};

struct tpu_dma {
    enum tpu_unit      direction;
    struct clock       clock;
    struct tpu_memory  memory;
    struct tpu_board  *board;
    struct tpu_ports  *ports;
    struct ledger     *ledger;
    struct tpu_queue   queue;
    uint32_t setup_cycles, done_cycles, port_bytes;
    uint64_t byte_pace;         /* cycles a byte, in 2^-FRACTION */
    uint64_t in_flight_limit, in_flight;
    uint64_t asked, answered;
    struct record *record;      /* NULL: none */
    uint32_t depth_track, bytes_track;

    struct tile tiles[TILES];   /* ring: [first, first + count) */
    uint32_t    first, count;
    uint32_t    to_issue;       /* the last so many of the ring have runs to send */
    uint32_t    row, offset;    /* where the next run of the first of them begins */
    uint64_t    paced;          /* cycle from which the next run can leave, 2^-FRACTION */
};

struct tpu_dma *tpu_dma_new(enum tpu_unit direction, const struct tpu_dma_config *config,
                            const struct clock *clock, const struct tpu_memory *memory,
                            struct tpu_board *board, struct tpu_ports *ports,
                            struct ledger *ledger)
{
    bool load = direction == TPU_LOAD;
    double bytes = load ? config->load_bytes : config->store_bytes;
    struct tpu_dma *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->direction = direction;
    d->clock = *clock;
    d->memory = *memory;
    d->board = board;
    d->ports = ports;
    d->ledger = ledger;
    d->setup_cycles = load ? config->load_setup_cycles : config->store_setup_cycles;
    d->done_cycles = config->done_cycles;
    d->port_bytes = (uint32_t)ceil(bytes);
    d->byte_pace = (uint64_t)floor((1 << FRACTION) / bytes + 0.5);
    d->in_flight_limit = config->in_flight_bytes;
    tpu_queue_init(&d->queue, board, direction);
    return d;
}

void tpu_dma_free(struct tpu_dma *d)
{
    free(d);
}

void tpu_dma_record(struct tpu_dma *d, struct record *r)
{
    char name[RECORD_NAME];
    d->record = r;
    snprintf(name, sizeof name, "%s.depth", tpu_unit_names[d->direction]);
    d->depth_track = record_level_track(r, name, TILES);
    snprintf(name, sizeof name, "%s.bytes", tpu_unit_names[d->direction]);
    d->bytes_track = record_level_track(r, name, (uint32_t)d->in_flight_limit);
}

struct tpu_queue *tpu_dma_queue(struct tpu_dma *d)
{
    return &d->queue;
}

uint64_t tpu_dma_asked(const struct tpu_dma *d)
{
    return d->asked;
}

uint64_t tpu_dma_answered(const struct tpu_dma *d)
{
    return d->answered;
}

/* The tile whose runs are being sent. */
static struct tile *issuing(struct tpu_dma *d)
{
    return &d->tiles[(d->first + d->count - d->to_issue) % TILES];
}

/* Setting up is a latency: a tile that can begin does so under those before it. */
static void begin_tiles(struct tpu_dma *d, cycle_t now)
{
    const struct tpu_uop *u;
    while (d->count < TILES && (u = tpu_queue_ready(&d->queue)) != NULL) {
        tpu_queue_take(&d->queue, now);
        uint64_t bytes = (uint64_t)u->transfer.rows * u->transfer.row_bytes;
        assert(bytes > 0);
        d->tiles[(d->first + d->count++) % TILES] =
            (struct tile){ u, bytes, now, CYCLE_NEVER, (now + d->setup_cycles) << FRACTION };
        d->to_issue++;
    }
}

/* The run that would leave next. */
static struct message next_run(struct tpu_dma *d)
{
    const struct tile *t = issuing(d);
    const struct tpu_transfer *x = &t->uop->transfer;
    uint64_t address = x->address + d->row * x->stride + d->offset;
    uint64_t whole = hbm_map_run_bytes(d->memory.map);
    whole = whole < RUN ? whole : RUN;
    uint64_t bytes = whole - address % whole;
    uint32_t left = x->row_bytes - d->offset;
    return (struct message){
        .address = address,
        .id = (uint64_t)(t - d->tiles),
        .bytes = bytes < left ? (uint32_t)bytes : left,
        .group = (uint16_t)t->uop->group,
        .kind = d->direction == TPU_LOAD ? HBM_READ_RUN : HBM_WRITE_RUN,
        .port = (uint8_t)d->direction,
    };
}

/* When the next run could leave; CYCLE_NEVER if answers or credits must come first. */
static cycle_t run_at(struct tpu_dma *d, cycle_t now, const struct message *m)
{
    if (d->in_flight > 0 && d->in_flight + m->bytes > d->in_flight_limit)
        return CYCLE_NEVER;
    uint64_t from = issuing(d)->from;
    from = d->paced > from ? d->paced : from;
    cycle_t at = cycle_max(now, (from + (1 << FRACTION) - 1) >> FRACTION);
    uint32_t stack = hbm_map_stack(d->memory.map, m->address);
    tick_t tick = link_send_at(d->memory.requests[stack], d->memory.sender[stack],
                               clock_tick(&d->clock, at));
    return tick == TICK_NEVER ? CYCLE_NEVER : cycle_max(at, clock_cycle(&d->clock, tick));
}

static void send_run(struct tpu_dma *d, cycle_t now, const struct message *m)
{
    const struct tpu_transfer *x = &issuing(d)->uop->transfer;
    uint32_t stack = hbm_map_stack(d->memory.map, m->address);
    link_send(d->memory.requests[stack], d->memory.sender[stack], clock_tick(&d->clock, now), m);
    d->asked += m->bytes;
    d->in_flight += m->bytes;
    uint64_t from = now << FRACTION;
    d->paced = (d->paced > from ? d->paced : from) + m->bytes * d->byte_pace;
    if (d->direction == TPU_STORE) {        /* cut through: the next waits for the port */
        from = tpu_ports_fill(d->ports, now, TPU_PORT_READ, m->bytes, d->port_bytes) << FRACTION;
        d->paced = d->paced > from ? d->paced : from;
    }
    d->offset += m->bytes;
    if (d->offset == x->row_bytes) {
        d->offset = 0;
        if (++d->row == x->rows) {
            d->row = 0;
            d->to_issue--;
        }
    }
}

static void end_tiles(struct tpu_dma *d, cycle_t now)
{
    while (d->count > 0 && d->tiles[d->first].done_at <= now) {
        struct tile *t = &d->tiles[d->first];
        const struct tpu_transfer *x = &t->uop->transfer;
        uint64_t bytes = (uint64_t)x->rows * x->row_bytes;
        enum tpu_event port = d->direction == TPU_LOAD ? TPU_EVENT_VMEM_WRITE
                                                       : TPU_EVENT_VMEM_READ;
        tick_t from = clock_tick(&d->clock, t->start), to = clock_tick(&d->clock, now);
        ledger_add(d->ledger, TPU_EVENT_DMA, t->uop->group, bytes, from, to);
        ledger_add(d->ledger, port, t->uop->group, bytes, from, to);
        tpu_board_finish(d->board, t->uop, t->start, now);
        d->first = (d->first + 1) % TILES;
        d->count--;
    }
}

void tpu_dma_answer(struct tpu_dma *d, cycle_t now, const struct message *m)
{
    struct tile *t = &d->tiles[m->id];
    assert(t->unanswered >= m->bytes && d->in_flight >= m->bytes);
    cycle_t seen = now;
    if (d->direction == TPU_LOAD)
        seen = tpu_ports_fill(d->ports, now, TPU_PORT_WRITE, m->bytes, d->port_bytes);
    d->answered += m->bytes;
    d->in_flight -= m->bytes;
    t->unanswered -= m->bytes;
    if (t->unanswered == 0)
        t->done_at = seen + d->done_cycles;
}

cycle_t tpu_dma_step(struct tpu_dma *d, cycle_t now)
{
    end_tiles(d, now);
    begin_tiles(d, now);
    cycle_t next = CYCLE_NEVER;
    while (d->to_issue > 0) {
        struct message m = next_run(d);
        next = run_at(d, now, &m);
        if (next > now)
            break;
        send_run(d, now, &m);
        next = CYCLE_NEVER;
    }
    tpu_queue_account(&d->queue, d->count > 0, now);
    record_level(d->record, d->depth_track, now, d->count);
    record_level(d->record, d->bytes_track, now, d->in_flight);
    if (d->count > 0)
        next = cycle_min(next, d->tiles[d->first].done_at);
    return next;
}
