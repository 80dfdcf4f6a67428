/* core.c - see core.h. */
#include "models/tpu/core.h"

#include <stdlib.h>
#include <string.h>

#include "models/tpu/events.h"
#include "models/tpu/vector.h"

struct tpu_core {
    const char        *name;
    struct tpu_config  config;
    struct clock       clock;
    struct tpu_memory  memory;
    struct tpu_board  *board;
    struct tpu_ports  *ports;
    struct ledger     *ledger;
    struct tpu_dma    *load, *store;
    struct tpu_matrix *matrix;
    struct tpu_vector *vector, *transpose;
    struct tpu_peer   *peer;
    cycle_t next[TPU_UNITS_COUNT];      /* when each unit has work of its own */
    cycle_t board_next;
    cycle_t now;                        /* of the last step */
    bool    begun;
};

static struct tpu_ports *core_ports(const struct tpu_config *c)
{
    struct tpu_demand capacity = { {
        [TPU_PORT_READ]  = c->vmem.read_bytes,
        [TPU_PORT_WRITE] = c->vmem.write_bytes,
        [TPU_PORT_ALU]   = c->vpu.alu_slots * TPU_PORTS_SLOT,
        [TPU_PORT_PUSH]  = c->core.push_slots * TPU_PORTS_SLOT,
        [TPU_PORT_POP]   = c->core.pop_slots * TPU_PORTS_SLOT,
    } };
    return tpu_ports_new(&capacity);
}

struct tpu_core *tpu_core_new(const char *name, const struct tpu_config *config,
                              const struct tpu_program *program,
                              const struct tpu_memory *memory, const struct tpu_peers *peers,
                              enum tpu_mxu_form form)
{
    struct tpu_core *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->name = name;
    c->config = *config;
    c->clock.hz = (uint64_t)(config->chip.clock_mhz * 1e6 + 0.5);
    c->memory = *memory;
    c->board = tpu_board_new(program, config->core.op_cycles);
    c->ports = core_ports(config);
    c->ledger = ledger_new(TPU_EVENTS_COUNT, program->groups);
    c->load = tpu_dma_new(TPU_LOAD, &config->dma, &c->clock, memory, c->board, c->ports,
                          c->ledger);
    c->store = tpu_dma_new(TPU_STORE, &config->dma, &c->clock, memory, c->board, c->ports,
                           c->ledger);
    c->matrix = tpu_matrix_new(config, &c->clock, c->board, c->ports, c->ledger, form);
    c->vector = tpu_vector_new(TPU_VECTOR, config, &c->clock, c->board, c->ports, c->ledger);
    c->transpose = tpu_vector_new(TPU_TRANSPOSE, config, &c->clock, c->board, c->ports,
                                  c->ledger);
    c->peer = tpu_peer_new(config, &c->clock, peers, c->board, c->ports, c->ledger);
    return c;
}

void tpu_core_free(struct tpu_core *c)
{
    if (!c)
        return;
    tpu_dma_free(c->load);
    tpu_dma_free(c->store);
    tpu_matrix_free(c->matrix);
    tpu_vector_free(c->vector);
    tpu_vector_free(c->transpose);
    tpu_peer_free(c->peer);
    tpu_board_free(c->board);
    tpu_ports_free(c->ports);
    ledger_free(c->ledger);
    free(c);
}

static cycle_t step_unit(struct tpu_core *c, enum tpu_unit unit, cycle_t now)
{
    switch (unit) {
    case TPU_LOAD:      return tpu_dma_step(c->load, now);
    case TPU_STORE:     return tpu_dma_step(c->store, now);
    case TPU_MATRIX:    return tpu_matrix_step(c->matrix, now);
    case TPU_VECTOR:    return tpu_vector_step(c->vector, now);
    case TPU_TRANSPOSE: return tpu_vector_step(c->transpose, now);
    case TPU_LINK:      return tpu_peer_step(c->peer, now);
    case TPU_UNITS_COUNT: break;
    }
    abort();
}

/* Answers of HBM that have arrived; their engines look again. */
static void take_answers(struct tpu_core *c, cycle_t now)
{
    tick_t t = clock_tick(&c->clock, now);
    for (uint32_t s = 0; s < c->memory.map->stacks; s++) {
        const struct message *m;
        while ((m = link_peek(c->memory.answers[s], t, NULL)) != NULL) {
            tpu_dma_answer(m->port == TPU_LOAD ? c->load : c->store, now, m);
            c->next[m->port] = now;
            link_take(c->memory.answers[s], t);
        }
    }
}

static void tell_ends(struct tpu_core *c, cycle_t now)
{
    uint32_t group;
    while (tpu_board_ended(c->board, &group)) {
        tpu_peer_tell(c->peer, group);
        c->next[TPU_LINK] = now;
    }
}

/* Everything that is due at `now`.  A semaphore that was raised may concern any unit, so
 * all look again until none is raised any more. */
static void step(struct tpu_core *c, cycle_t now)
{
    c->now = now;
    tpu_ports_forget(c->ports, now);
    take_answers(c, now);
    if (tpu_peer_arrival(c->peer) <= clock_tick(&c->clock, now))
        c->next[TPU_LINK] = now;
    c->board_next = tpu_board_step(c->board, now);
    bool all = tpu_board_changed(c->board);
    do {
        for (int u = 0; u < TPU_UNITS_COUNT; u++)
            if (all || c->next[u] <= now)
                c->next[u] = step_unit(c, u, now);
        tell_ends(c, now);
        c->board_next = tpu_board_step(c->board, now);
        all = tpu_board_changed(c->board);
    } while (all || c->next[TPU_LINK] <= now);
}

static cycle_t own_next(const struct tpu_core *c)
{
    cycle_t next = c->board_next;
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        next = cycle_min(next, c->next[u]);
    return next;
}

/* The first message; the engine tells of one only once, so it counts as own work too. */
static cycle_t arrivals(const struct tpu_core *c)
{
    tick_t first = tpu_peer_arrival(c->peer);
    for (uint32_t s = 0; s < c->memory.map->stacks; s++)
        first = tick_min(first, link_arrival(c->memory.answers[s]));
    return first == TICK_NEVER ? CYCLE_NEVER : clock_cycle(&c->clock, first);
}

/* Credits may have come back since the last window: those who send look again. */
static void look_for_credits(struct tpu_core *c)
{
    c->next[TPU_LOAD] = tpu_dma_step(c->load, c->now);
    c->next[TPU_STORE] = tpu_dma_step(c->store, c->now);
    c->next[TPU_LINK] = tpu_peer_step(c->peer, c->now);
}

static tick_t run(void *self, tick_t end)
{
    struct tpu_core *c = self;
    if (!c->begun) {
        c->begun = true;
        step(c, 0);
    } else {
        look_for_credits(c);
    }
    for (;;) {
        cycle_t next = cycle_min(own_next(c), arrivals(c));
        if (next == CYCLE_NEVER || clock_tick(&c->clock, next) >= end)
            break;
        step(c, cycle_max(next, c->now));
    }
    return clock_tick(&c->clock, cycle_min(own_next(c), arrivals(c)));
}

static bool idle(const void *self)
{
    const struct tpu_core *c = self;
    return c->begun && tpu_board_done(c->board);
}

static struct tpu_queue *queue_of(const struct tpu_core *c, enum tpu_unit unit)
{
    switch (unit) {
    case TPU_LOAD:      return tpu_dma_queue(c->load);
    case TPU_STORE:     return tpu_dma_queue(c->store);
    case TPU_MATRIX:    return tpu_matrix_queue(c->matrix);
    case TPU_VECTOR:    return tpu_vector_queue(c->vector);
    case TPU_TRANSPOSE: return tpu_vector_queue(c->transpose);
    case TPU_LINK:      return tpu_peer_queue(c->peer);
    case TPU_UNITS_COUNT: break;
    }
    abort();
}

static void describe(const void *self, char *text, size_t size)
{
    const struct tpu_core *c = self;
    size_t used = 0;
    for (int u = 0; u < TPU_UNITS_COUNT && used < size; u++) {
        char line[160];
        tpu_queue_describe(queue_of(c, u), line, sizeof line);
        if (line[0])
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "; " : "", line);
    }
    if (used == 0)
        snprintf(text, size, "all operations given out; answers are missing");
}

struct block tpu_core_block(struct tpu_core *c)
{
    return (struct block){ c->name, c, run, idle, describe };
}

void tpu_core_record(struct tpu_core *c, struct record *r)
{
    tpu_board_record(c->board, r);
    for (int u = 0; u < TPU_UNITS_COUNT; u++)
        tpu_queue_record(queue_of(c, u), r);
    tpu_dma_record(c->load, r);
    tpu_dma_record(c->store, r);
    tpu_matrix_record(c->matrix, r);
}

tick_t tpu_core_end(const struct tpu_core *c)
{
    return clock_tick(&c->clock, c->now);
}

tick_t tpu_core_group_start(const struct tpu_core *c, uint32_t group)
{
    return clock_tick(&c->clock, tpu_board_group_start(c->board, group));
}

tick_t tpu_core_group_end(const struct tpu_core *c, uint32_t group)
{
    return clock_tick(&c->clock, tpu_board_group_end(c->board, group));
}

void tpu_core_unit_cycles(struct tpu_core *c, enum tpu_unit unit, cycle_t now,
                          uint64_t cycles[TPU_STATES_COUNT])
{
    tpu_queue_cycles(queue_of(c, unit), now, cycles);
}

void tpu_core_group_cycles(struct tpu_core *c, uint32_t group, enum tpu_unit unit, cycle_t now,
                           uint64_t cycles[TPU_STATES_COUNT])
{
    tpu_queue_group_cycles(queue_of(c, unit), group, now, cycles);
}

tick_t tpu_core_group_busy(const struct tpu_core *c, uint32_t group, enum tpu_unit unit)
{
    return clock_tick(&c->clock, tpu_board_busy(c->board, group, unit));
}

struct tpu_array_stats tpu_core_array_stats(struct tpu_core *c, uint32_t array, cycle_t now)
{
    return tpu_matrix_array_stats(c->matrix, array, now);
}

struct ledger *tpu_core_ledger(const struct tpu_core *c)
{
    return c->ledger;
}

uint64_t tpu_core_bytes_asked(const struct tpu_core *c)
{
    return tpu_dma_asked(c->load) + tpu_dma_asked(c->store);
}

uint64_t tpu_core_bytes_answered(const struct tpu_core *c)
{
    return tpu_dma_answered(c->load) + tpu_dma_answered(c->store);
}
