/* vector.c - see vector.h. */
#include "models/tpu/vector.h"

#include <stdlib.h>

#include "models/tpu/events.h"

#define LANE_BYTES 4
#define ROWS 8                  /* that a push or pop of a transpose unit moves */

struct tpu_vector {
    enum tpu_unit         unit;
    struct tpu_vpu_config vpu;
    struct tpu_xlu_config xlu;
    struct clock       clock;
    struct tpu_ports  *ports;
    struct tpu_board  *board;
    struct ledger     *ledger;
    struct tpu_queue   queue;
    uint32_t step_cycles;
    uint32_t lanes, register_bytes;

    const struct tpu_uop *uop;  /* under way; NULL: none */
    cycle_t start, end;
};

struct tpu_vector *tpu_vector_new(enum tpu_unit unit, const struct tpu_config *config,
                                  const struct clock *clock, struct tpu_board *board,
                                  struct tpu_ports *ports, struct ledger *ledger)
{
    struct tpu_vector *v = calloc(1, sizeof *v);
    if (!v)
        abort();
    v->unit = unit;
    v->vpu = config->vpu;
    v->xlu = config->xlu;
    v->clock = *clock;
    v->ports = ports;
    v->board = board;
    v->ledger = ledger;
    v->step_cycles = config->core.step_cycles;
    v->lanes = config->vpu.lanes * config->vpu.sublanes;
    v->register_bytes = v->lanes * LANE_BYTES;
    tpu_queue_init(&v->queue, board, unit);
    return v;
}

void tpu_vector_free(struct tpu_vector *v)
{
    free(v);
}

struct tpu_queue *tpu_vector_queue(struct tpu_vector *v)
{
    return &v->queue;
}

static cycle_t fill(struct tpu_vector *v, cycle_t from, enum tpu_port port, uint64_t amount,
                    uint32_t rate)
{
    return amount == 0 ? from : tpu_ports_fill(v->ports, from, port, amount, rate);
}

/* One after the other on each unit; the last one's result is waited for. */
static cycle_t reduction_cycles(const struct tpu_xlu_config *x, uint64_t reductions)
{
    uint64_t rounds = (reductions + x->units - 1) / x->units;
    return (rounds - 1) * x->reduce_cycles + x->reduce_latency_cycles;
}

static cycle_t compute(struct tpu_vector *v, cycle_t from)
{
    const struct tpu_arithmetic *a = &v->uop->arithmetic;
    const struct tpu_vpu_config *c = &v->vpu;
    cycle_t end = fill(v, from, TPU_PORT_READ, a->loads * v->register_bytes,
                       c->load_slots * v->register_bytes);
    end = cycle_max(end, fill(v, from, TPU_PORT_WRITE, a->stores * v->register_bytes,
                              c->store_slots * v->register_bytes));
    end = cycle_max(end, fill(v, from, TPU_PORT_ALU, a->alu * TPU_PORTS_SLOT,
                              c->alu_slots * TPU_PORTS_SLOT));
    end = cycle_max(end, from + a->eup * c->eup_interval_cycles);
    end += c->latency_cycles;
    if (a->reductions > 0)
        end = cycle_max(end, from + reduction_cycles(&v->xlu, a->reductions));
    return end;
}

static cycle_t turn(struct tpu_vector *v, cycle_t from)
{
    const struct tpu_turn *t = &v->uop->turn;
    uint64_t side = v->vpu.lanes, bytes = (uint64_t)t->rows * t->cols * t->element_bytes;
    uint64_t tiles = (t->rows + side - 1) / side * ((t->cols + side - 1) / side);
    uint64_t pushes = (side + ROWS - 1) / ROWS * v->xlu.push_cycles;
    uint64_t pops = (side + ROWS - 1) / ROWS * v->xlu.pop_cycles;
    uint64_t each = pushes > pops ? pushes : pops;
    uint64_t rounds = (tiles + v->xlu.units - 1) / v->xlu.units;
    uint32_t rate = v->register_bytes * v->xlu.units;
    /* The latency is from the last push to the first pop, both as they begin. */
    cycle_t last = pushes - v->xlu.push_cycles + v->xlu.latency_cycles + pops - v->xlu.pop_cycles;
    cycle_t end = from + (rounds - 1) * each + last + 1;
    end = cycle_max(end, fill(v, from, TPU_PORT_READ, bytes, rate));
    return cycle_max(end, fill(v, from, TPU_PORT_WRITE, bytes, rate));
}

static void count(struct tpu_vector *v, enum tpu_event event, uint64_t amount)
{
    ledger_add(v->ledger, event, v->uop->group, amount, clock_tick(&v->clock, v->start),
               clock_tick(&v->clock, v->end));
}

static void count_work(struct tpu_vector *v)
{
    if (v->unit == TPU_TRANSPOSE) {
        const struct tpu_turn *t = &v->uop->turn;
        uint64_t bytes = (uint64_t)t->rows * t->cols * t->element_bytes;
        count(v, TPU_EVENT_XLU, bytes);
        count(v, TPU_EVENT_VMEM_READ, bytes);
        count(v, TPU_EVENT_VMEM_WRITE, bytes);
        return;
    }
    const struct tpu_arithmetic *a = &v->uop->arithmetic;
    count(v, TPU_EVENT_VPU, a->alu * v->lanes);
    count(v, TPU_EVENT_EUP, a->eup * v->lanes);
    count(v, TPU_EVENT_XLU, a->reductions * v->register_bytes);
    count(v, TPU_EVENT_VMEM_READ, a->loads * v->register_bytes);
    count(v, TPU_EVENT_VMEM_WRITE, a->stores * v->register_bytes);
}

static bool begin(struct tpu_vector *v, cycle_t now)
{
    const struct tpu_uop *u = tpu_queue_ready(&v->queue);
    if (!u)
        return false;
    tpu_queue_take(&v->queue, now);
    v->uop = u;
    v->start = now;
    cycle_t from = now + v->step_cycles;
    v->end = v->unit == TPU_VECTOR ? compute(v, from) : turn(v, from);
    count_work(v);
    return true;
}

cycle_t tpu_vector_step(struct tpu_vector *v, cycle_t now)
{
    do {
        if (v->uop && v->end <= now) {
            const struct tpu_uop *u = v->uop;
            v->uop = NULL;
            tpu_board_finish(v->board, u, v->start, now);
        }
    } while (!v->uop && begin(v, now));
    tpu_queue_account(&v->queue, v->uop != NULL, now);
    return v->uop ? v->end : CYCLE_NEVER;
}
