/* test_units.c - the matrix, vector, transpose and link units of a core, each by itself on a
 * board of its own, with cycles from closed forms and by hand.  The clock is 1 GHz. */
#include <stdlib.h>
#include <string.h>

#include "models/tpu/events.h"
#include "models/tpu/matrix.h"
#include "models/tpu/peer.h"
#include "models/tpu/vector.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

static const struct clock ghz = { 1000000000 };
static const struct tpu_demand plenty = { { 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20 } };

struct rig {
    struct machine     *machine;
    struct tpu_config   config;
    struct tpu_program *program;
    struct tpu_board   *board;
    struct tpu_ports   *ports;
    struct ledger      *ledger;
};

/* Operations that wait for nothing, a group each. */
static struct rig rig_new(const struct tpu_uop *uops, uint32_t count,
                          const struct tpu_demand *capacity)
{
    struct diag d = { .text = "" };
    struct rig r = { .machine = machine_find(&figures_schema, "tpu-mini", &d) };
    r.config = ((const struct figures *)machine_figures(r.machine))->tpu;
    r.config.core.step_cycles = 0;
    r.program = tpu_program_new(count);
    for (uint32_t i = 0; i < count; i++) {
        struct tpu_uop u = uops[i];
        u.group = i;
        u.signal = TPU_NO_SEMAPHORE;
        tpu_program_add(r.program, &u);
    }
    r.board = tpu_board_new(r.program, 0);
    r.ports = tpu_ports_new(capacity);
    r.ledger = ledger_new(TPU_EVENTS_COUNT, count);
    return r;
}

static void rig_free(struct rig *r)
{
    ledger_free(r->ledger);
    tpu_ports_free(r->ports);
    tpu_board_free(r->board);
    tpu_program_free(r->program);
    machine_free(r->machine);
}

/* ---- the matrix units */

struct array_case {
    uint32_t rows, cols, sets, per_cycle, swap, latency, units, m, k, n;
    uint32_t block;                 /* rows that stream against one load; 0: all */
    enum tpu_mxu_form form;
    bool     accumulators, outputs;
};

static struct tpu_mxu_config array_config(const struct array_case *c)
{
    return (struct tpu_mxu_config){ .rows = c->rows, .cols = c->cols, .weight_buffers = c->sets,
        .weight_rows_per_cycle = c->per_cycle, .swap_cycles = c->swap, .push_rows = 1,
        .row_cycles = 1, .latency_cycles = c->latency,
        .dataflow = c->outputs ? TPU_MXU_OUTPUT_STATIONARY : TPU_MXU_WEIGHT_STATIONARY };
}

struct outcome { cycle_t end; uint64_t macs; };

/* In its own time, or every cycle; states must add up either way. */
static struct outcome multiply(const struct array_case *c, bool every_cycle)
{
    struct tpu_uop u = { .unit = TPU_MATRIX, .product = { c->m, c->k, c->n,
                         c->block ? c->block : 65536, 1, 2, 2, false } };
    struct rig r = rig_new(&u, 1, &plenty);
    r.config.mxu = array_config(c);
    r.config.core.mxus = c->units;
    r.config.core.partial_sums = c->accumulators ? TPU_SUMS_ACCUMULATORS : TPU_SUMS_VECTOR;
    struct tpu_matrix *m = tpu_matrix_new(&r.config, &ghz, r.board, r.ports, r.ledger, c->form);
    tpu_board_step(r.board, 0);
    for (cycle_t now = 0; !tpu_board_done(r.board); ) {
        cycle_t next = tpu_matrix_step(m, now);
        ck_assert(tpu_board_done(r.board) || (next > now && next != CYCLE_NEVER));
        now = every_cycle ? now + 1 : next;
    }
    struct outcome o = { tpu_board_group_end(r.board, 0), ledger_total(r.ledger, TPU_EVENT_MAC) };
    for (uint32_t i = 0; i < c->units; i++) {
        struct tpu_array_stats s = tpu_matrix_array_stats(m, i, o.end + 5);
        uint64_t sum = 0;
        for (int n = 0; n < TPU_ARRAY_STATES_COUNT; n++)
            sum += s.cycles[n];
        for (int n = 0; n < TPU_STATES_COUNT; n++)
            sum += s.without[n];
        ck_assert_uint_eq(sum, o.end + 5);
    }
    tpu_matrix_free(m);
    rig_free(&r);
    return o;
}

static struct array_case random_case(struct dice *d)
{
    struct array_case c = { .rows = 1 + (uint32_t)roll(d, 9), .cols = 1 + (uint32_t)roll(d, 9),
        .sets = 1 + (uint32_t)roll(d, 2), .per_cycle = 1 + (uint32_t)roll(d, 3),
        .units = 1 + (uint32_t)roll(d, 3), .m = 1 + (uint32_t)roll(d, 30),
        .k = 1 + (uint32_t)roll(d, 40), .n = 1 + (uint32_t)roll(d, 40),
        .accumulators = roll(d, 2) };
    c.swap = c.sets == 2 ? (uint32_t)roll(d, 4) : 0;
    c.latency = roll(d, 2) ? 1 + (uint32_t)roll(d, 60) : 0;
    return c;
}

/* docs/mxu.md, for as many tiles as the busiest unit gets:
 *     two sets  P + swap + (F - 1) (max(T, P) + swap) + T - 1 + L
 *     one set   F (P + T - 1 + L)
 * until the last result is popped, and that cycle itself. */
static cycle_t closed_form(const struct array_case *c)
{
    uint64_t tiles = (uint64_t)((c->k + c->rows - 1) / c->rows) * ((c->n + c->cols - 1) / c->cols);
    uint64_t f = (tiles + c->units - 1) / c->units, p = (c->rows + c->per_cycle - 1) / c->per_cycle;
    uint64_t t = c->m, l = c->latency ? c->latency : c->rows + c->cols - 1;
    if (c->sets == 1)
        return f * (p + t - 1 + l) + 1;
    return p + c->swap + (f - 1) * ((t > p ? t : p) + c->swap) + t - 1 + l + 1;
}

START_TEST(a_product_takes_its_closed_form)
{
    struct dice d = { (uint64_t)_i + 9 };
    struct array_case c = random_case(&d);
    struct outcome o = multiply(&c, _i % 2);
    ck_assert_msg(o.end == closed_form(&c), "%u x %u by %u x %u, %u units of %u x %u, %u sets: %llu "
                  "cycles instead of %llu", c.m, c.k, c.k, c.n, c.units, c.rows, c.cols, c.sets,
                  (unsigned long long)o.end, (unsigned long long)closed_form(&c));
    ck_assert_uint_eq(o.macs, (uint64_t)c.m * c.k * c.n);
}
END_TEST

/* 20 rows in blocks of 8, 8 and 4, each against all 2 x 2 tiles of 3 x 4 weights: with one
 * set of them a tile takes 3 + T - 1 + 6 cycles. */
START_TEST(rows_go_in_blocks)
{
    struct array_case c = { .rows = 3, .cols = 4, .sets = 1, .per_cycle = 1, .units = 1, .m = 20,
                            .k = 5, .n = 8, .block = 8 };
    struct outcome o = multiply(&c, false);
    ck_assert_uint_eq(o.end, 4 * ((3 + 7 + 6) + (3 + 7 + 6) + (3 + 3 + 6)) + 1);
    ck_assert_uint_eq(o.macs, 20 * 5 * 8);
}
END_TEST

START_TEST(exact_units_take_the_same_cycles)
{
    struct dice d = { (uint64_t)_i + 500 };
    struct array_case c = random_case(&d);
    c.outputs = _i % 3 == 0;
    struct outcome fast = multiply(&c, false);
    c.form = TPU_MXU_EXACT;
    struct outcome exact = multiply(&c, true);
    ck_assert_uint_eq(fast.end, exact.end);
    ck_assert_uint_eq(fast.macs, exact.macs);
    ck_assert_uint_eq(fast.macs, (uint64_t)c.m * c.k * c.n);
}
END_TEST

/* One set of sums, textbook: tiles of 3 x 4 results begin K + 2R + C - 2 = 10 + 8 apart;
 * the last result has a cycle of its own. */
START_TEST(outputs_stay_for_the_whole_of_k)
{
    struct array_case c = { .rows = 3, .cols = 4, .sets = 1, .per_cycle = 1, .units = 1, .m = 5,
                            .k = 10, .n = 9, .outputs = true };
    struct outcome o = multiply(&c, false);
    ck_assert_uint_eq(o.end, 2 * 3 * (10 + 2 * 3 + 4 - 2) + 1);
}
END_TEST

/* ---- the vector and transpose units */

static cycle_t run_vector(struct rig *r, enum tpu_unit unit)
{
    struct tpu_vector *v = tpu_vector_new(unit, &r->config, &ghz, r->board, r->ports, r->ledger);
    tpu_board_step(r->board, 0);
    for (cycle_t now = 0; !tpu_board_done(r->board); )
        now = tpu_vector_step(v, now);
    tpu_vector_free(v);
    return tpu_board_group_end(r->board, r->program->groups - 1);
}

static struct tpu_vpu_config vpu(void)
{
    return (struct tpu_vpu_config){ .lanes = 8, .sublanes = 4, .alu_slots = 2, .load_slots = 2,
                                    .store_slots = 1, .eup_interval_cycles = 3,
                                    .latency_cycles = 10 };
}

/* A register of 8 x 4 lanes is 128 bytes: ports for two, and two instructions in a cycle. */
static const struct tpu_demand registers_a_cycle = { { 256, 256, 128, 64, 64 } };

static const struct { struct tpu_arithmetic work; cycle_t cycles; } works[] = {
    { { .loads = 7 },                              4 },     /* 7 / 2 */
    { { .stores = 7 },                             7 },
    { { .alu = 7 },                                4 },
    { { .eup = 7 },                               21 },
    { { .reductions = 7 },                   44 - 10 },     /* 4 on one unit, 8 apart, 20 to the */
    { { .loads = 30, .stores = 11, .alu = 25, .eup = 4, .reductions = 3 }, 28 - 10 },   /* end */
    { { .loads = 30, .stores = 11, .alu = 25, .eup = 4 }, 15 },
};

START_TEST(an_operation_takes_as_long_as_its_scarcest_part)
{
    struct tpu_uop u[2] = { { .unit = TPU_VECTOR, .arithmetic = works[_i].work },
                            { .unit = TPU_VECTOR, .arithmetic = works[_i].work } };
    struct rig r = rig_new(u, 2, &registers_a_cycle);
    r.config.vpu = vpu();
    r.config.xlu.units = 2;
    r.config.xlu.reduce_cycles = 8;
    r.config.xlu.reduce_latency_cycles = 20;
    r.config.core.step_cycles = 5;
    ck_assert_uint_eq(run_vector(&r, TPU_VECTOR), 2 * (5 + works[_i].cycles + 10));
    ck_assert_uint_eq(ledger_total(r.ledger, TPU_EVENT_VPU), 2 * works[_i].work.alu * 32);
    rig_free(&r);
}
END_TEST

/* One of two slots is taken for 20 cycles: 30 instructions take 20 + 10 / 2. */
START_TEST(the_vector_unit_takes_what_matrix_units_leave)
{
    struct tpu_uop u = { .unit = TPU_VECTOR, .arithmetic = { .alu = 30 } };
    struct rig r = rig_new(&u, 1, &registers_a_cycle);
    r.config.vpu = vpu();
    tpu_ports_reserve(r.ports, 0, 20, &(struct tpu_demand){ { [TPU_PORT_ALU] = 64 } });
    ck_assert_uint_eq(run_vector(&r, TPU_VECTOR), 20 + 5 + 10);
    rig_free(&r);
}
END_TEST

/* 16 x 24 in tiles of 8 x 8 are 6, in 3 rounds on 2 units: pushes begin at 0, 12 and 24 (the
 * pace of the pops), and the last tile's only pop 6 later, in a cycle. */
START_TEST(tiles_to_be_turned_follow_each_other)
{
    struct tpu_uop u = { .unit = TPU_TRANSPOSE, .turn = { 16, 24, 4 } };
    struct rig r = rig_new(&u, 1, &plenty);
    r.config.vpu = vpu();
    r.config.xlu = (struct tpu_xlu_config){ .units = 2, .push_cycles = 8, .pop_cycles = 12,
                                            .latency_cycles = 6, .reduce_cycles = 1,
                                            .reduce_latency_cycles = 1 };
    ck_assert_uint_eq(run_vector(&r, TPU_TRANSPOSE), 24 + 6 + 1);
    ck_assert_uint_eq(ledger_total(r.ledger, TPU_EVENT_XLU), 16 * 24 * 4);
    rig_free(&r);
}
END_TEST

/* ---- between cores */

#define LATENCY 50

static struct link *make_link(void)
{
    return link_new(&(struct link_config){ .name = "ici", .senders = 1, .depth = 16,
                                           .latency = LATENCY * TICKS_PER_NS });
}

/* 10000 bytes at 64 GB/s go as messages of 4096, 4096 and 1808 bytes, 64 cycles apart and
 * after 15 of set-up; when the last is there, the other core's semaphore is raised.  Here
 * that is semaphore 1 of its program, the start, which its only operation waits for twice. */
START_TEST(a_send_is_there_when_its_last_bytes_are)
{
    struct tpu_uop out = { .unit = TPU_LINK, .send = { .peer = 1, .remote = 1, .bytes = 10000 } };
    struct tpu_uop in = { .unit = TPU_LINK, .send = { .peer = 0, .remote = 1, .bytes = 4 } };
    tpu_uop_wait(&in, 1, 2);
    struct rig r[2] = { rig_new(&out, 1, &plenty), rig_new(&in, 1, &plenty) };
    struct link *forth = make_link(), *back = make_link();
    struct link *to[2][2] = { { NULL, forth }, { back, NULL } };
    struct link *from[2][2] = { { NULL, back }, { forth, NULL } };
    struct tpu_peer *p[2];
    for (uint32_t i = 0; i < 2; i++) {
        r[i].config.ici = (struct tpu_ici_config){ .latency_ns = LATENCY, .gb_per_s = 64,
                                                   .setup_cycles = 15 };
        struct tpu_peers peers = { 2, i, to[i], from[i] };
        p[i] = tpu_peer_new(&r[i].config, &ghz, &peers, r[i].board, r[i].ports, r[i].ledger);
    }
    for (cycle_t now = 0; now < 1000; now++) {
        for (int i = 0; i < 2; i++) {
            tpu_board_step(r[i].board, now);
            tpu_peer_step(p[i], now);
        }
        link_publish(forth);
        link_publish(back);
    }
    ck_assert_uint_eq(tpu_board_group_end(r[0].board, 0), 15 + 64 + 64);
    ck_assert_uint_eq(tpu_board_group_start(r[1].board, 0), 15 + 64 + 64 + LATENCY);
    ck_assert_uint_eq(link_sent(forth), 3);
    ck_assert_uint_eq(ledger_total(r[0].ledger, TPU_EVENT_ICI), 10000);
    ck_assert_uint_eq(ledger_total(r[1].ledger, TPU_EVENT_VMEM_WRITE), 10000);
    for (int i = 0; i < 2; i++) {
        tpu_peer_free(p[i]);
        rig_free(&r[i]);
    }
    link_free(forth);
    link_free(back);
}
END_TEST

Suite *units_suite(void)
{
    Suite *s = suite_create("units");
    TCase *t = tcase_create("matrix");
    tcase_add_loop_test(t, a_product_takes_its_closed_form, 0, 200);
    tcase_add_test(t, rows_go_in_blocks);
    tcase_add_loop_test(t, exact_units_take_the_same_cycles, 0, 60);
    tcase_add_test(t, outputs_stay_for_the_whole_of_k);
    suite_add_tcase(s, t);
    t = tcase_create("vector");
    tcase_add_loop_test(t, an_operation_takes_as_long_as_its_scarcest_part, 0, COUNT_OF(works));
    tcase_add_test(t, the_vector_unit_takes_what_matrix_units_leave);
    tcase_add_test(t, tiles_to_be_turned_follow_each_other);
    suite_add_tcase(s, t);
    t = tcase_create("link");
    tcase_add_test(t, a_send_is_there_when_its_last_bytes_are);
    suite_add_tcase(s, t);
    return s;
}
