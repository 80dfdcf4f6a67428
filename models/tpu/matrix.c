/* matrix.c - see matrix.h. */
#include "models/tpu/matrix.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/tpu/events.h"

#define ENDING 4                /* operations whose last results are on their way */
#define BF16_BYTES 2
#define F32_BYTES  4

/* One tile of an operation, worked out from its number. */
struct piece {
    uint32_t depth, used_rows, used_cols;
    bool     first_k;           /* nothing to add its results to */
    bool     last_k;            /* its results are sums of all */
};

struct array {
    struct tpu_mxu *mxu;
    uint64_t to_load, to_stream;            /* numbers of its next tiles */
    cycle_t  load_at, stream_at;            /* reserved; CYCLE_NEVER if not */
    cycle_t  due;                           /* what its last step said */
    uint64_t without[TPU_STATES_COUNT], tail, ports;
    uint64_t idle, waited;                  /* of the unit, that have been charged */
    uint32_t tiles_track, weights_track;
};

struct tpu_matrix {
    struct tpu_mxu_config mxu;
    struct clock       clock;
    struct tpu_board  *board;
    struct tpu_ports  *ports;
    struct tpu_demand  capacity;            /* of the ports */
    struct ledger     *ledger;
    struct record     *record;              /* NULL: none */
    struct tpu_queue   queue;
    uint32_t step_cycles, cast_ops, lanes, sublanes, units;
    bool     vector_sums;

    const struct tpu_uop *uop;              /* being dealt out; NULL: none */
    cycle_t  started, begins, last_result;
    uint64_t tiles, k_tiles, n_tiles;       /* of the operation; in a block of rows */
    struct { const struct tpu_uop *uop; cycle_t start, at; } ending[ENDING];
    uint32_t endings;
    struct array arrays[];
};

struct tpu_matrix *tpu_matrix_new(const struct tpu_config *config, const struct clock *clock,
                                  struct tpu_board *board, struct tpu_ports *ports,
                                  struct ledger *ledger, enum tpu_mxu_form form)
{
    uint32_t units = config->core.mxus;
    struct tpu_matrix *m = calloc(1, sizeof *m + units * sizeof m->arrays[0]);
    if (!m)
        abort();
    m->mxu = config->mxu;
    m->clock = *clock;
    m->board = board;
    m->ports = ports;
    m->capacity = tpu_ports_capacity(ports);
    m->ledger = ledger;
    m->step_cycles = config->core.step_cycles;
    m->cast_ops = config->vpu.cast_ops;
    m->lanes = config->vpu.lanes;
    m->sublanes = config->vpu.sublanes;
    m->units = units;
    m->vector_sums = config->core.partial_sums == TPU_SUMS_VECTOR;
    for (uint32_t i = 0; i < units; i++) {
        m->arrays[i].mxu = tpu_mxu_new(&config->mxu, form);
        m->arrays[i].load_at = m->arrays[i].stream_at = m->arrays[i].due = CYCLE_NEVER;
    }
    tpu_queue_init(&m->queue, board, TPU_MATRIX);
    return m;
}

void tpu_matrix_free(struct tpu_matrix *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->units; i++)
        tpu_mxu_free(m->arrays[i].mxu);
    free(m);
}

void tpu_matrix_record(struct tpu_matrix *m, struct record *r)
{
    char name[RECORD_NAME];
    m->record = r;
    for (uint32_t i = 0; i < m->units; i++) {
        struct array *a = &m->arrays[i];
        snprintf(name, sizeof name, "mxu%u", i);
        a->tiles_track = record_work_track(r, name);
        snprintf(name, sizeof name, "mxu%u.weights", i);
        a->weights_track = record_work_track(r, name);
        snprintf(name, sizeof name, "mxu%u.state", i);
        tpu_mxu_record(a->mxu, r, name);
    }
}

struct tpu_queue *tpu_matrix_queue(struct tpu_matrix *m)
{
    return &m->queue;
}

bool tpu_matrix_busy(const struct tpu_matrix *m)
{
    return m->uop != NULL || m->endings > 0;
}

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static bool stationary_outputs(const struct tpu_matrix *m)
{
    return m->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY;
}

static uint32_t part(uint64_t whole, uint64_t size, uint64_t index)
{
    uint64_t left = whole - index * size;
    return (uint32_t)(left < size ? left : size);
}

static void begin(struct tpu_matrix *m, cycle_t now)
{
    if (m->uop || m->endings == ENDING)
        return;
    const struct tpu_uop *u = tpu_queue_ready(&m->queue);
    if (!u)
        return;
    tpu_queue_take(&m->queue, now);
    const struct tpu_product *p = &u->product;
    m->uop = u;
    m->started = now;
    m->begins = now + m->step_cycles;
    m->last_result = 0;
    m->n_tiles = ceil_div(p->n, m->mxu.cols);
    if (stationary_outputs(m)) {
        m->k_tiles = p->passes;
        m->tiles = ceil_div(p->m, m->mxu.rows) * m->n_tiles * m->k_tiles;
    } else {
        m->k_tiles = ceil_div(p->k, m->mxu.rows) * p->passes;
        m->tiles = ceil_div(p->m, p->weight_rows) * m->n_tiles * m->k_tiles;
    }
    for (uint32_t i = 0; i < m->units; i++)
        m->arrays[i].to_load = m->arrays[i].to_stream = i;
}

static struct piece piece(const struct tpu_matrix *m, uint64_t tile)
{
    const struct tpu_product *p = &m->uop->product;
    uint64_t block = tile / (m->n_tiles * m->k_tiles);
    uint64_t n = tile / m->k_tiles % m->n_tiles, k = tile % m->k_tiles;
    struct piece t = { .used_cols = part(p->n, m->mxu.cols, n) };
    t.first_k = k == 0 && !p->accumulate;
    t.last_k = k + 1 == m->k_tiles;
    if (stationary_outputs(m)) {
        t.depth = p->k;
        t.used_rows = part(p->m, m->mxu.rows, block);
    } else {
        t.depth = part(p->m, p->weight_rows, block);
        t.used_rows = part(p->k, m->mxu.rows, k / p->passes);
    }
    return t;
}

/* What asks for more than all of a port takes all of it. */
static struct tpu_demand at_most(const struct tpu_matrix *m, struct tpu_demand d)
{
    for (int r = 0; r < TPU_PORTS_COUNT; r++)
        if (d.of[r] > m->capacity.of[r])
            d.of[r] = m->capacity.of[r];
    return d;
}

/* Slots, in 64ths, for a register each `sublanes` rows of f32 (twice as many of bf16), and
 * each `lanes` columns, when `rows` enter or leave in `cycles`. */
static uint32_t slots(const struct tpu_matrix *m, uint32_t width, uint32_t bytes, uint64_t rows,
                      uint64_t cycles)
{
    uint64_t rows_a_register = (uint64_t)m->sublanes * F32_BYTES / bytes;
    return (uint32_t)ceil_div(ceil_div(width, m->lanes) * rows * TPU_PORTS_SLOT,
                              rows_a_register * cycles);
}

/* Whether partial sums go through the vector unit with each tile, and results with it. */
static bool writes(const struct tpu_matrix *m, const struct piece *t)
{
    return m->vector_sums || t->last_k;
}

static bool adds(const struct tpu_matrix *m, const struct piece *t)
{
    return m->vector_sums && !t->first_k;
}

/* All that a tile takes while its rows stream, for one row each row_cycles. */
static struct tpu_demand stream_demand(const struct tpu_matrix *m, const struct piece *t)
{
    const struct tpu_product *p = &m->uop->product;
    uint32_t pace = m->mxu.row_cycles, sums = m->mxu.cols * F32_BYTES;
    struct tpu_demand d = { { 0 } };
    d.of[TPU_PORT_READ] = (uint32_t)ceil_div((uint64_t)m->mxu.rows * p->element_bytes, pace);
    d.of[TPU_PORT_PUSH] = slots(m, m->mxu.rows, p->element_bytes, 1, pace);
    if (stationary_outputs(m)) {
        d.of[TPU_PORT_READ] += (uint32_t)ceil_div((uint64_t)m->mxu.cols * p->element_bytes, pace);
        return at_most(m, d);
    }
    if (writes(m, t)) {
        d.of[TPU_PORT_POP] = slots(m, m->mxu.cols, F32_BYTES, 1, pace);
        d.of[TPU_PORT_WRITE] = (uint32_t)ceil_div(sums, pace);
    }
    if (adds(m, t)) {
        d.of[TPU_PORT_READ] += (uint32_t)ceil_div(sums, pace);
        d.of[TPU_PORT_ALU] = slots(m, m->mxu.cols, F32_BYTES, 1, pace);
    }
    return at_most(m, d);
}

static cycle_t push_cycles(const struct tpu_matrix *m)
{
    return ceil_div(m->mxu.rows, m->mxu.weight_rows_per_cycle);
}

static struct tpu_demand push_demand(const struct tpu_matrix *m)
{
    struct tpu_demand d = { { 0 } };
    uint32_t rows = m->mxu.weight_rows_per_cycle < m->mxu.rows ? m->mxu.weight_rows_per_cycle
                                                               : m->mxu.rows;
    uint32_t bytes = m->uop->product.weight_bytes;
    d.of[TPU_PORT_READ] = rows * m->mxu.cols * bytes;
    d.of[TPU_PORT_PUSH] = slots(m, m->mxu.cols, BF16_BYTES, rows, 1);
    if (bytes != BF16_BYTES)            /* rounded and packed on the way */
        d.of[TPU_PORT_ALU] = slots(m, m->mxu.cols, BF16_BYTES, (uint64_t)rows * m->cast_ops, 1);
    return at_most(m, d);
}

static void count(struct tpu_matrix *m, enum tpu_event event, uint64_t amount, cycle_t from,
                  cycle_t to)
{
    ledger_add(m->ledger, event, m->uop->group, amount, clock_tick(&m->clock, from),
               clock_tick(&m->clock, to));
}

/* A tile of the operation being dealt out. */
static void record_tile(struct tpu_matrix *m, uint32_t track, cycle_t from, cycle_t to,
                        uint64_t tile)
{
    record_work(m->record, track, from, to, &(struct record_work){
        .group = m->uop->group, .number = (uint32_t)(m->uop - m->queue.program->uops),
        .part = tile, .begun = from });
}

static void load(struct tpu_matrix *m, struct array *a, cycle_t now)
{
    tpu_mxu_load(a->mxu, now, NULL);
    uint64_t weights = (uint64_t)m->mxu.rows * m->mxu.cols;
    count(m, TPU_EVENT_WEIGHT, weights, now, now + push_cycles(m));
    count(m, TPU_EVENT_VMEM_READ, weights * m->uop->product.weight_bytes, now,
          now + push_cycles(m));
    if (m->uop->product.weight_bytes != BF16_BYTES)
        count(m, TPU_EVENT_VPU, weights * m->cast_ops, now, now + push_cycles(m));
    record_tile(m, a->weights_track, now, now + push_cycles(m), a->to_load);
    a->to_load += m->units;
    a->load_at = CYCLE_NEVER;
    a->due = now;
}

/* Empty rows that fill up a push are multiplied like any other. */
static uint64_t rows_entered(const struct tpu_matrix *m, const struct piece *t)
{
    return stationary_outputs(m) ? t->depth
                                 : ceil_div(t->depth, m->mxu.push_rows) * m->mxu.push_rows;
}

static void count_stream(struct tpu_matrix *m, const struct piece *t, cycle_t from, cycle_t to)
{
    const struct tpu_product *p = &m->uop->product;
    bool outputs = stationary_outputs(m);
    uint64_t cells = (uint64_t)m->mxu.rows * m->mxu.cols;
    uint64_t useful = (uint64_t)t->depth * t->used_rows * t->used_cols;
    uint64_t sums = outputs ? cells : (uint64_t)t->depth * m->mxu.cols;
    uint64_t read = (uint64_t)t->depth * m->mxu.rows * p->element_bytes;
    if (outputs)
        read += (uint64_t)t->depth * m->mxu.cols * p->element_bytes;
    count(m, TPU_EVENT_MAC, useful, from, to);
    count(m, TPU_EVENT_MAC_PAD, rows_entered(m, t) * cells - useful, from, to);
    if (outputs || writes(m, t))
        count(m, TPU_EVENT_VMEM_WRITE, sums * F32_BYTES, from, to);
    if (adds(m, t)) {
        read += sums * F32_BYTES;
        count(m, TPU_EVENT_VPU, sums, from, to);
    }
    count(m, TPU_EVENT_VMEM_READ, read, from, to);
}

static struct tpu_mxu_tile mxu_tile(const struct piece *t)
{
    return (struct tpu_mxu_tile){ .depth = t->depth, .used_rows = t->used_rows,
                                  .used_cols = t->used_cols };
}

static void stream(struct tpu_matrix *m, struct array *a, cycle_t now)
{
    struct piece t = piece(m, a->to_stream);
    struct tpu_mxu_tile tile = mxu_tile(&t);
    tpu_mxu_stream(a->mxu, now, &tile);
    count_stream(m, &t, now, tpu_mxu_stream_end(a->mxu));
    m->last_result = cycle_max(m->last_result, tpu_mxu_last_result_at(a->mxu));
    record_tile(m, a->tiles_track, now, tpu_mxu_stream_end(a->mxu), a->to_stream);
    a->to_stream += m->units;
    a->stream_at = CYCLE_NEVER;
    a->due = now;
}

/* Finds when a unit's next load can start, and reserves it. */
static void plan_load(struct tpu_matrix *m, struct array *a, cycle_t now)
{
    if (stationary_outputs(m) || a->to_load >= m->tiles || a->load_at != CYCLE_NEVER)
        return;
    cycle_t at = tpu_mxu_load_at(a->mxu, cycle_max(now, m->begins));
    if (at == CYCLE_NEVER)
        return;
    struct tpu_demand d = push_demand(m);
    a->load_at = tpu_ports_at(m->ports, at, push_cycles(m), &d);
    assert(a->load_at != CYCLE_NEVER);
    tpu_ports_reserve(m->ports, a->load_at, push_cycles(m), &d);
}

static void plan_stream(struct tpu_matrix *m, struct array *a, cycle_t now)
{
    if (a->to_stream >= m->tiles || a->stream_at != CYCLE_NEVER)
        return;
    struct piece t = piece(m, a->to_stream);
    struct tpu_mxu_tile tile = mxu_tile(&t);
    cycle_t at = tpu_mxu_stream_at(a->mxu, cycle_max(now, m->begins), &tile);
    if (at == CYCLE_NEVER)
        return;
    struct tpu_demand d = stream_demand(m, &t);
    cycle_t cycles = (cycle_t)t.depth * m->mxu.row_cycles;
    a->stream_at = tpu_ports_at(m->ports, at, cycles, &d);
    assert(a->stream_at != CYCLE_NEVER);
    tpu_ports_reserve(m->ports, a->stream_at, cycles, &d);
}

static bool deal(struct tpu_matrix *m, struct array *a, cycle_t now)
{
    bool did = false;
    plan_stream(m, a, now);
    if (a->stream_at <= now) {
        stream(m, a, now);
        did = true;
    }
    plan_load(m, a, now);
    if (a->load_at <= now) {
        load(m, a, now);
        did = true;
    }
    return did;
}

/* Cycles in which a unit had nothing to do go to what the whole was waiting for. */
static void charge(struct tpu_matrix *m, cycle_t now, enum tpu_state during)
{
    for (uint32_t i = 0; i < m->units; i++) {
        struct array *a = &m->arrays[i];
        struct tpu_mxu_stats s = tpu_mxu_stats(a->mxu, now);
        uint64_t idle = s.cycles[TPU_MXU_IDLE] - a->idle;
        uint64_t waited = s.cycles[TPU_MXU_WAIT] - a->waited;
        *(during == TPU_STATE_BUSY ? &a->tail : &a->without[during]) += idle;
        *(during == TPU_STATE_BUSY ? &a->ports : &a->without[during]) += waited;
        a->idle += idle;
        a->waited += waited;
    }
}

static bool dealt_out(const struct tpu_matrix *m, cycle_t now)
{
    for (uint32_t i = 0; i < m->units; i++)
        if (m->arrays[i].to_stream < m->tiles || tpu_mxu_stream_end(m->arrays[i].mxu) > now)
            return false;
    return true;
}

static void end_results(struct tpu_matrix *m, cycle_t now)
{
    while (m->endings > 0 && m->ending[0].at <= now) {
        tpu_board_finish(m->board, m->ending[0].uop, m->ending[0].start, now);
        m->endings--;
        for (uint32_t i = 0; i < m->endings; i++)
            m->ending[i] = m->ending[i + 1];
    }
}

static void retire(struct tpu_matrix *m, cycle_t now)
{
    if (!m->uop || !dealt_out(m, now))
        return;
    m->ending[m->endings].uop = m->uop;
    m->ending[m->endings].start = m->started;
    m->ending[m->endings++].at = cycle_max(m->last_result + 1, now);
    m->uop = NULL;
}

static cycle_t next_of(const struct tpu_matrix *m)
{
    cycle_t next = m->endings > 0 ? m->ending[0].at : CYCLE_NEVER;
    for (uint32_t i = 0; i < m->units; i++) {
        const struct array *a = &m->arrays[i];
        next = cycle_min(next, cycle_min(a->due, cycle_min(a->load_at, a->stream_at)));
    }
    return next;
}

cycle_t tpu_matrix_step(struct tpu_matrix *m, cycle_t now)
{
    enum tpu_state before = m->queue.state;
    end_results(m, now);
    retire(m, now);
    begin(m, now);
    for (bool again = m->uop != NULL; again; ) {
        again = false;
        for (uint32_t i = 0; i < m->units; i++)
            again |= deal(m, &m->arrays[i], now);
    }
    for (uint32_t i = 0; i < m->units; i++) {
        struct array *a = &m->arrays[i];
        a->due = tpu_mxu_step(a->mxu, now);
    }
    tpu_queue_account(&m->queue, tpu_matrix_busy(m), now);
    if (m->queue.state != before)
        charge(m, now, before);
    return next_of(m);
}

struct tpu_array_stats tpu_matrix_array_stats(struct tpu_matrix *m, uint32_t i, cycle_t now)
{
    charge(m, now, m->queue.state);
    const struct array *a = &m->arrays[i];
    struct tpu_mxu_stats s = tpu_mxu_stats(a->mxu, now);
    struct tpu_array_stats stats = { .macs_useful = s.macs_useful,
                                     .macs_padded = s.macs_padded };
    stats.cycles[TPU_ARRAY_STREAM]  = s.cycles[TPU_MXU_STREAM];
    stats.cycles[TPU_ARRAY_WEIGHTS] = s.cycles[TPU_MXU_WEIGHTS];
    stats.cycles[TPU_ARRAY_SWAP]    = s.cycles[TPU_MXU_SWAP];
    stats.cycles[TPU_ARRAY_PORTS]   = a->ports;
    stats.cycles[TPU_ARRAY_FULL]    = s.cycles[TPU_MXU_FULL];
    stats.cycles[TPU_ARRAY_DRAIN]   = s.cycles[TPU_MXU_DRAIN];
    stats.cycles[TPU_ARRAY_TAIL]    = a->tail;
    for (int w = 0; w < TPU_STATES_COUNT; w++)
        stats.without[w] = a->without[w];
    return stats;
}
