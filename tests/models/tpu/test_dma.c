/* test_dma.c - the engines between vector memory and HBM, against a memory that takes
 * exactly MEMORY cycles for everything.  The clock is 1 GHz: a cycle is a nanosecond. */
#include "models/tpu/dma.h"

#include <stdlib.h>
#include <string.h>

#include "models/hbm/hbm_block.h"
#include "models/tpu/events.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

#define FABRIC 40
#define MEMORY 25
#define SETUP  17
#define DONE    9
#define RATE   64               /* bytes a cycle that are asked for */
#define STACKS  3
#define SEEN 4096

struct rig {
    struct machine     *machine;
    struct hbm_map      map;
    struct link        *requests[STACKS], *answers[STACKS];
    uint32_t            sender[STACKS];
    struct tpu_program *program;
    struct tpu_board   *board;
    struct tpu_ports   *ports;
    struct ledger      *ledger;
    struct tpu_dma     *dma;
    struct { struct message m; uint32_t stack; cycle_t at; } seen[SEEN];
    uint32_t            count, answered;
    uint64_t            in_flight, most_in_flight;
};

static struct link *make_link(void)
{
    return link_new(&(struct link_config){ .name = "link", .latency = FABRIC * TICKS_PER_NS,
                                           .senders = 1, .depth = SEEN });
}

/* Tiles that wait for nothing, in one group each. */
static struct rig *rig_new(enum tpu_unit unit, uint64_t in_flight, const struct tpu_transfer *tiles,
                           uint32_t count)
{
    struct rig *r = calloc(1, sizeof *r);
    struct diag d = { .text = "" };
    r->machine = machine_find(&figures_schema, "tpu-mini", &d);
    struct hbm_config hbm = ((const struct figures *)machine_figures(r->machine))->hbm;
    hbm.stacks = STACKS;
    snprintf(hbm.map, sizeof hbm.map, "offset column pseudo channel stack group bank row");
    ck_assert_msg(hbm_map_parse(&r->map, &hbm, &d), "%s", d.text);
    for (int s = 0; s < STACKS; s++) {
        r->requests[s] = make_link();
        r->answers[s] = make_link();
    }
    r->program = tpu_program_new(count);
    for (uint32_t i = 0; i < count; i++)
        tpu_program_add(r->program, &(struct tpu_uop){ .unit = unit, .group = i,
            .signal = TPU_NO_SEMAPHORE, .transfer = tiles[i] });
    r->board = tpu_board_new(r->program, 0);
    r->ports = tpu_ports_new(&(struct tpu_demand){ { 128, 128, 64, 64, 64 } });
    r->ledger = ledger_new(TPU_EVENTS_COUNT, count);
    struct tpu_dma_config c = { .load_setup_cycles = SETUP, .store_setup_cycles = SETUP,
        .done_cycles = DONE, .load_bytes = RATE, .store_bytes = RATE,
        .in_flight_bytes = in_flight };
    struct tpu_memory memory = { &r->map, r->requests, r->sender, r->answers };
    r->dma = tpu_dma_new(unit, &c, &(struct clock){ 1000000000 }, &memory, r->board, r->ports,
                         r->ledger);
    return r;
}

static void rig_free(struct rig *r)
{
    tpu_dma_free(r->dma);
    ledger_free(r->ledger);
    tpu_ports_free(r->ports);
    tpu_board_free(r->board);
    tpu_program_free(r->program);
    for (int s = 0; s < STACKS; s++) {
        link_free(r->requests[s]);
        link_free(r->answers[s]);
    }
    machine_free(r->machine);
    free(r);
}

static void memory_step(struct rig *r, cycle_t now)
{
    tick_t t = now * TICKS_PER_NS;
    const struct message *m;
    for (uint32_t s = 0; s < STACKS; s++)
        while ((m = link_peek(r->requests[s], t, NULL)) != NULL) {
            ck_assert_uint_lt(r->count, SEEN);
            r->seen[r->count].m = *m;
            r->seen[r->count].stack = s;
            r->seen[r->count++].at = now;
            link_take(r->requests[s], t);
        }
    for (; r->answered < r->count && r->seen[r->answered].at + MEMORY == now; r->answered++)
        link_send(r->answers[r->seen[r->answered].stack], 0, t, &r->seen[r->answered].m);
    for (uint32_t s = 0; s < STACKS; s++)
        while ((m = link_peek(r->answers[s], t, NULL)) != NULL) {
            tpu_dma_answer(r->dma, now, m);
            link_take(r->answers[s], t);
        }
}

/* Every cycle, until all is done. */
static void rig_run(struct rig *r)
{
    for (cycle_t now = 0; !tpu_board_done(r->board); now++) {
        ck_assert_uint_lt(now, 100000);
        tpu_board_step(r->board, now);
        memory_step(r, now);
        tpu_dma_step(r->dma, now);
        uint64_t in_flight = tpu_dma_asked(r->dma) - tpu_dma_answered(r->dma);
        r->most_in_flight = in_flight > r->most_in_flight ? in_flight : r->most_in_flight;
        for (int s = 0; s < STACKS; s++) {
            link_publish(r->requests[s]);
            link_publish(r->answers[s]);
        }
    }
}

/* ---- */

#define TRIP (SETUP + FABRIC + MEMORY + FABRIC)

static const struct { struct tpu_transfer tiles[2]; uint32_t count; cycle_t end[2]; } loads[] = {
    /* one run of 100 bytes: written to vector memory in 2 cycles */
    { { { 0, 0, 1, 100 } }, 1, { TRIP + 2 + DONE } },
    /* two runs of 2 KiB (as much as stays in one stack): the second 32 cycles behind */
    { { { 0, 0, 1, 4096 } }, 1, { TRIP + 32 + 32 + DONE } },
    /* two rows of 32 bytes: each a run of half a cycle, so they leave in one cycle; but
     * the port takes the second after the first */
    { { { 0, 4096, 2, 32 } }, 1, { TRIP + 1 + 1 + DONE } },
    /* two tiles: the second is set up under the first, and follows without a gap */
    { { { 0, 0, 1, 1024 }, { 8192, 0, 1, 1024 } }, 2,
      { TRIP + 16 + DONE, TRIP + 16 + 16 + DONE } },
    /* as far as its set-up is not longer than the first */
    { { { 0, 0, 1, 64 }, { 8192, 0, 1, 64 } }, 2, { TRIP + 1 + DONE, TRIP + 1 + 1 + DONE } },
};

START_TEST(a_load_takes_what_its_parts_add_up_to)
{
    struct rig *r = rig_new(TPU_LOAD, 1 << 20, loads[_i].tiles, loads[_i].count);
    rig_run(r);
    for (uint32_t i = 0; i < loads[_i].count; i++)
        ck_assert_uint_eq(tpu_board_group_end(r->board, i), loads[_i].end[i]);
    rig_free(r);
}
END_TEST

/* A store is read from vector memory as it leaves, and done when the last is answered. */
START_TEST(a_store_is_done_when_the_memory_has_it)
{
    struct tpu_transfer tile = { 0, 0, 1, 4096 };
    struct rig *r = rig_new(TPU_STORE, 1 << 20, &tile, 1);
    rig_run(r);
    ck_assert_uint_eq(tpu_board_group_end(r->board, 0), TRIP + 32 + DONE);
    ck_assert_int_eq(r->seen[0].m.kind, HBM_WRITE_RUN);
    rig_free(r);
}
END_TEST

static uint64_t bytes_seen(const struct rig *r)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < r->count; i++)
        bytes += r->seen[i].m.bytes;
    return bytes;
}

START_TEST(runs_stay_in_their_4_kib_and_stack_and_below_the_limit)
{
    struct dice d = { (uint64_t)_i + 40 };
    struct tpu_transfer tiles[8];
    uint64_t limit = 4096 + roll(&d, 8192), bytes = 0;
    for (int i = 0; i < 8; i++) {
        tiles[i] = (struct tpu_transfer){ roll(&d, 1 << 20), 5000 + roll(&d, 9000),
                                          (uint32_t)roll(&d, 6) + 1, (uint32_t)roll(&d, 5000) + 1 };
        bytes += (uint64_t)tiles[i].rows * tiles[i].row_bytes;
    }
    struct rig *r = rig_new(roll(&d, 2) ? TPU_LOAD : TPU_STORE, limit, tiles, 8);
    rig_run(r);
    ck_assert_uint_eq(bytes_seen(r), bytes);
    ck_assert_uint_eq(tpu_dma_asked(r->dma), bytes);
    ck_assert_uint_eq(tpu_dma_answered(r->dma), bytes);
    ck_assert_uint_eq(ledger_total(r->ledger, TPU_EVENT_DMA), bytes);
    ck_assert_uint_le(r->most_in_flight, limit);
    for (uint32_t i = 0; i < r->count; i++) {
        uint64_t from = r->seen[i].m.address, last = from + r->seen[i].m.bytes - 1;
        ck_assert_uint_eq(from / 4096, last / 4096);
        ck_assert_uint_eq(hbm_map_stack(&r->map, from), r->seen[i].stack);
        ck_assert_uint_eq(hbm_map_stack(&r->map, last), r->seen[i].stack);
    }
    rig_free(r);
}
END_TEST

Suite *dma_suite(void)
{
    Suite *s = suite_create("dma");
    TCase *t = tcase_create("transfers");
    tcase_add_loop_test(t, a_load_takes_what_its_parts_add_up_to, 0, COUNT_OF(loads));
    tcase_add_test(t, a_store_is_done_when_the_memory_has_it);
    tcase_add_loop_test(t, runs_stay_in_their_4_kib_and_stack_and_below_the_limit, 0, 40);
    suite_add_tcase(s, t);
    return s;
}
