/* test_mxu.c - the matrix unit against cycles worked out by hand, in all its C forms. */
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/tpu/mxu.h"
#include "tests/suites.h"

static const enum tpu_mxu_form forms[] = { TPU_MXU_FAST, TPU_MXU_EXACT };

/* A textbook array of 3 x 5. */
static struct tpu_mxu_config textbook(uint32_t buffers)
{
    return (struct tpu_mxu_config) { .rows = 3, .cols = 5, .weight_buffers = buffers,
                                     .weight_rows_per_cycle = 1, .push_rows = 1,
                                     .row_cycles = 1 };
}

/* Loads and streams `tiles` of `depth` rows, each piece as early as it may; every cycle is
 * looked at, or (lazy) only those asked for.  Returns the cycle of the last result. */
static cycle_t run(struct tpu_mxu *m, uint32_t tiles, uint32_t depth, bool lazy)
{
    struct tpu_mxu_tile t = { .depth = depth, .used_rows = 2, .used_cols = 4 };
    bool os = tpu_mxu_load_at(m, 0) == CYCLE_NEVER;
    uint32_t loads = os ? tiles : 0, streams = 0;
    cycle_t now = 0;
    for (;;) {
        if (streams < tiles && tpu_mxu_can_stream(m, now, &t)) {
            tpu_mxu_stream(m, now, &t);
            streams++;
        }
        if (loads < tiles && tpu_mxu_can_load(m, now)) {
            tpu_mxu_load(m, now, NULL);
            loads++;
        }
        if (streams == tiles)
            break;
        cycle_t due = tpu_mxu_step(m, now);
        now = lazy ? due : now + 1;
    }
    return tpu_mxu_last_result_at(m);
}

/* The double-buffered 3 x 5 array.  Weights take 3 cycles; the first tile's are never
 * hidden.  The last result follows the last row's entry by 3 + 5 - 1. */
static const struct { uint32_t tiles, depth; cycle_t weights, stream; } hidden[] = {
    { 1, 1, 3,         1 },
    { 1, 7, 3,         7 },
    { 2, 7, 3,        14 },             /* 7 >= 3: the second tile's weights are hidden */
    { 2, 2, 3 + 1,     4 },             /* 2 <  3: one cycle of them shows */
    { 4, 1, 3 + 3 * 2, 4 },
};

START_TEST(weights_hide_under_a_tile_at_least_as_long)
{
    for (int i = 0; i < 4; i++) {
        struct tpu_mxu_config c = textbook(2);
        struct tpu_mxu *m = tpu_mxu_new(&c, forms[i / 2]);
        cycle_t end = run(m, hidden[_i].tiles, hidden[_i].depth, i % 2);
        ck_assert_uint_eq(tpu_mxu_stream_end(m), hidden[_i].weights + hidden[_i].stream);
        ck_assert_uint_eq(end, hidden[_i].weights + hidden[_i].stream - 1 + 7);

        struct tpu_mxu_stats s = tpu_mxu_stats(m, end + 10);
        ck_assert_uint_eq(s.cycles[TPU_MXU_WEIGHTS], hidden[_i].weights);
        ck_assert_uint_eq(s.cycles[TPU_MXU_STREAM], hidden[_i].stream);
        ck_assert_uint_eq(s.cycles[TPU_MXU_IDLE], 10 + 6);
        ck_assert_uint_eq(s.tiles_loaded, hidden[_i].tiles);
        ck_assert_uint_eq(s.weight_rows, hidden[_i].tiles * 3);
        ck_assert_uint_eq(s.weight_cycles, hidden[_i].tiles * 3);
        ck_assert_uint_eq(s.macs_useful, hidden[_i].stream * 2 * 4);
        ck_assert_uint_eq(s.macs_padded, hidden[_i].stream * (3 * 5 - 2 * 4));
        tpu_mxu_free(m);
    }
}
END_TEST

/* With one set of weights nothing overlaps, which is what SCALE-Sim assumes: a tile takes
 * rows (weights) + depth + rows + cols - 2 (until the last row has left) = 2R + C + M - 2.
 * SCALE-Sim prints the number of the last cycle, one less than the number of cycles. */
START_TEST(single_buffered_is_scalesims_formula)
{
    static const struct { uint32_t size, m, k, n; cycle_t printed; } rows[] = {
        {  32,   32,   8,  10,   125 }, { 128,   32,   8,  10,   413 },
        {  32,    7, 129, 257,  4544 }, { 256,    7, 129, 257,  1545 },
        { 128,  128, 784, 512, 14279 }, { 256, 1024, 4096, 4096, 458239 },
    };
    struct tpu_mxu_config c = textbook(1);
    c.rows = c.cols = rows[_i].size;
    uint32_t folds = ((rows[_i].k - 1) / c.rows + 1) * ((rows[_i].n - 1) / c.cols + 1);
    struct tpu_mxu *m = tpu_mxu_new(&c, TPU_MXU_FAST);
    cycle_t cycles = run(m, folds, rows[_i].m, true);
    ck_assert_uint_eq(cycles, folds * (2 * c.rows + c.cols + rows[_i].m - 2));
    ck_assert_uint_eq(cycles - 1, rows[_i].printed);
    tpu_mxu_free(m);
}
END_TEST

/* In the 3 x 5 array: 3 of weights, 4 of rows, 6 until empty; then again. */
START_TEST(single_buffered_weights_wait_for_an_empty_array)
{
    for (int i = 0; i < 4; i++) {
        struct tpu_mxu_config c = textbook(1);
        struct tpu_mxu *m = tpu_mxu_new(&c, forms[i / 2]);
        ck_assert_uint_eq(run(m, 2, 4, i % 2), 2 * (3 + 4 + 6));
        struct tpu_mxu_stats s = tpu_mxu_stats(m, 26 + 5);
        ck_assert_uint_eq(s.cycles[TPU_MXU_WEIGHTS], 2 * 3);
        ck_assert_uint_eq(s.cycles[TPU_MXU_STREAM], 2 * 4);
        ck_assert_uint_eq(s.cycles[TPU_MXU_DRAIN], 2 * 6);
        ck_assert_uint_eq(s.cycles[TPU_MXU_IDLE], 5);
        tpu_mxu_free(m);
    }
}
END_TEST

/* ONNXim: a tile costs max(depth, rows), weights always hidden but the first. */
START_TEST(double_buffered_tile_costs_the_longer_of_depth_and_push)
{
    for (uint32_t depth = 1; depth <= 8; depth++) {
        struct tpu_mxu_config c = textbook(2);
        struct tpu_mxu *m = tpu_mxu_new(&c, forms[_i]);
        cycle_t tile = depth > 3 ? depth : 3;
        run(m, 6, depth, true);
        ck_assert_uint_eq(tpu_mxu_stream_end(m), 3 + 5 * tile + depth);
        tpu_mxu_free(m);
    }
}
END_TEST

/* Depth 4, swap 2: push 3, swap 2, and 2 more between the tiles.  With depth 1 the next
 * weights, pushed from the swap's end on, are there 3 later, swapped 2 later. */
START_TEST(a_swap_shows_between_tiles)
{
    static const struct { uint32_t depth; cycle_t end, weights; } rows[] = {
        { 4, 3 + 2 + 4 + 2 + 4,         3 },
        { 1, 3 + 2 + 1 + 2 + 2 + 1,     3 + 2 },
    };
    struct tpu_mxu_config c = textbook(2);
    c.swap_cycles = 2;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tpu_mxu *m = tpu_mxu_new(&c, forms[_i]);
        run(m, 2, rows[i].depth, true);
        ck_assert_uint_eq(tpu_mxu_stream_end(m), rows[i].end);
        struct tpu_mxu_stats s = tpu_mxu_stats(m, rows[i].end);
        ck_assert_uint_eq(s.cycles[TPU_MXU_SWAP], 4);
        ck_assert_uint_eq(s.cycles[TPU_MXU_WEIGHTS], rows[i].weights);
        tpu_mxu_free(m);
    }
}
END_TEST

/* Two rows a cycle: 3 rows take 2 cycles.  Pushes of 4 rows, 2 cycles a row: 5 rows are 2
 * pushes, 16 cycles, 3 rows of padding; latency 20 from the start of a push. */
START_TEST(pushes_and_rates_round_up)
{
    struct tpu_mxu_config c = textbook(2);
    c.weight_rows_per_cycle = 2, c.push_rows = 4, c.row_cycles = 2, c.latency_cycles = 20;
    struct tpu_mxu *m = tpu_mxu_new(&c, forms[_i]);
    run(m, 1, 5, true);
    ck_assert_uint_eq(tpu_mxu_loaded_at(m), 2);
    ck_assert_uint_eq(tpu_mxu_stream_end(m), 2 + 16);
    ck_assert_uint_eq(tpu_mxu_first_result_at(m), 2 + 20);
    ck_assert_uint_eq(tpu_mxu_last_result_at(m), 2 + 8 + 20);
    struct tpu_mxu_stats s = tpu_mxu_stats(m, 18);
    ck_assert_uint_eq(s.rows_streamed, 5);
    ck_assert_uint_eq(s.rows_padded, 3);
    ck_assert_uint_eq(s.macs_useful + s.macs_padded, 8 * 3 * 5);
    tpu_mxu_free(m);
}
END_TEST

/* Two rows inside at most, latency 7: rows enter at 3, 4 | 10, 11 | 17.  The next tile of
 * 2 (weights long there) finds the first row's pop at 18 and that of 17 at 24. */
START_TEST(the_limit_in_flight_lets_rows_enter_in_groups)
{
    struct tpu_mxu_config c = textbook(2);
    c.in_flight_rows = 2;
    struct tpu_mxu *m = tpu_mxu_new(&c, forms[_i]);
    struct tpu_mxu_tile t = { .depth = 5, .used_rows = 3, .used_cols = 5 };
    tpu_mxu_load(m, 0, NULL);
    tpu_mxu_stream(m, 3, &t);
    tpu_mxu_load(m, 3, NULL);
    ck_assert_uint_eq(tpu_mxu_stream_end(m), 18);
    ck_assert_uint_eq(tpu_mxu_last_result_at(m), 24);
    struct tpu_mxu_stats s = tpu_mxu_stats(m, 18);
    ck_assert_uint_eq(s.cycles[TPU_MXU_STREAM], 5);
    ck_assert_uint_eq(s.cycles[TPU_MXU_FULL], 5 + 5);
    t.depth = 2;
    ck_assert_uint_eq(tpu_mxu_stream_at(m, 18, &t), 18);
    tpu_mxu_stream(m, 18, &t);
    ck_assert_uint_eq(tpu_mxu_stream_end(m), 25);
    tpu_mxu_free(m);
}
END_TEST

/* Measured on a v4: n vmatmuls of 8 rows, then n pops, weights in place, less 13 cycles to
 * read the counter: 83, 139, 163 and 177 cycles for n = 1, 8, 11, 12 (ayaka14732's
 * pallas-tpu-tutorial, chapter03/06_issue_model).  The model: 8 (n - 1) + 83, which is 3 %
 * less at 12: there the program pops too late, here results are popped as they come.  A
 * cold push of a block takes 65, derived from the same source; here 64. */
START_TEST(tpu_v4_microbenchmarks)
{
    static const struct { uint32_t n; cycle_t measured; double within; } rows[] = {
        { 1, 83, 0 }, { 8, 139, 0 }, { 11, 163, 0 }, { 12, 177, 0.05 },
    };
    struct tpu_mxu_config c = { .rows = 128, .cols = 128, .weight_buffers = 2,
        .weight_rows_per_cycle = 2, .push_rows = 8, .row_cycles = 1,
        .latency_cycles = 83, .in_flight_rows = 88 };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tpu_mxu *m = tpu_mxu_new(&c, forms[_i]);
        cycle_t cycles = run(m, 1, 8 * rows[i].n, true) - 64;
        double error = (double)cycles / (double)rows[i].measured - 1;
        ck_assert_uint_eq(tpu_mxu_loaded_at(m), 64);
        ck_assert(error <= rows[i].within && error >= -rows[i].within);
        tpu_mxu_free(m);
    }
}
END_TEST

/* Refused the cycle before it is legal, taken the cycle it is. */
START_TEST(loads_and_streams_are_refused_until_they_may)
{
    struct tpu_mxu_config c = textbook(2);
    struct tpu_mxu *m = tpu_mxu_new(&c, forms[_i]);
    struct tpu_mxu_tile t = { .depth = 4, .used_rows = 3, .used_cols = 5 };
    struct tpu_mxu_tile again = t;
    again.reuse = true;
    ck_assert_uint_eq(tpu_mxu_stream_at(m, 0, &t), CYCLE_NEVER);        /* no weights */
    ck_assert_uint_eq(tpu_mxu_stream_at(m, 0, &again), CYCLE_NEVER);
    tpu_mxu_load(m, 5, NULL);
    ck_assert_uint_eq(tpu_mxu_load_at(m, 5), CYCLE_NEVER);              /* one waits */
    ck_assert(!tpu_mxu_can_stream(m, 7, &t) && tpu_mxu_can_stream(m, 8, &t));
    tpu_mxu_stream(m, 8, &t);
    ck_assert(tpu_mxu_can_load(m, 8));                                  /* at the swap */
    ck_assert(!tpu_mxu_can_stream(m, 11, &again) && tpu_mxu_can_stream(m, 12, &again));
    tpu_mxu_load(m, 10, NULL);
    tpu_mxu_stream(m, 12, &again);                  /* the old ones, once more */
    ck_assert(!tpu_mxu_can_stream(m, 15, &t) && tpu_mxu_can_stream(m, 16, &t));
    tpu_mxu_free(m);
}
END_TEST

/* Single-buffered, loaded weights overwrite those in place. */
START_TEST(single_buffered_weights_are_gone_once_the_next_are_pushed)
{
    struct tpu_mxu_config c = textbook(1);
    struct tpu_mxu *m = tpu_mxu_new(&c, forms[_i]);
    struct tpu_mxu_tile t = { .depth = 2, .used_rows = 3, .used_cols = 5, .reuse = true };
    tpu_mxu_load(m, 0, NULL);
    tpu_mxu_stream(m, 3, &(struct tpu_mxu_tile) { .depth = 2, .used_rows = 1, .used_cols = 1 });
    ck_assert(tpu_mxu_can_stream(m, 5, &t));
    ck_assert(!tpu_mxu_can_load(m, 10) && tpu_mxu_can_load(m, 11));     /* 4 + 7 */
    tpu_mxu_load(m, 11, NULL);
    ck_assert_uint_eq(tpu_mxu_stream_at(m, 20, &t), CYCLE_NEVER);
    tpu_mxu_free(m);
}
END_TEST

/* Output-stationary, depth 4: 4 enter, 7 - 1 more until all sums are there, 3 rows shift
 * out: 4 + 2 * 3 + 5 - 2 = 13 cycles, SCALE-Sim's 2R + C + K - 2.  Three tiles: with one
 * set of accumulators 3 * 13; with two, a tile may end when the one before has shifted out:
 * one each 2R + C - 2 = 9 cycles, or depth if that is more. */
START_TEST(output_stationary_tiles_shift_out)
{
    static const struct { uint32_t buffers, depth; cycle_t last; } rows[] = {
        { 1, 4, 3 * 13 }, { 2, 4, 13 + 2 * 9 }, { 2, 20, 29 + 2 * 20 }, { 1, 20, 3 * 29 },
    };
    for (int i = 0; i < 4; i++) {
        struct tpu_mxu_config c = textbook(rows[_i].buffers);
        c.dataflow = TPU_MXU_OUTPUT_STATIONARY;
        struct tpu_mxu *m = tpu_mxu_new(&c, forms[i / 2]);
        struct tpu_mxu_tile t = { .depth = rows[_i].depth, .used_rows = 2, .used_cols = 4 };
        cycle_t now = 0;
        for (int k = 0; k < 3; k++) {
            now = tpu_mxu_stream_at(m, now, &t);
            tpu_mxu_stream(m, now, &t);
        }
        ck_assert_uint_eq(tpu_mxu_last_result_at(m), rows[_i].last);
        ck_assert_uint_eq(tpu_mxu_first_result_at(m), rows[_i].last - 2);
        struct tpu_mxu_stats s = tpu_mxu_stats(m, rows[_i].last + 4);
        ck_assert_uint_eq(s.cycles[TPU_MXU_STREAM], 3 * rows[_i].depth);
        ck_assert_uint_eq(s.cycles[TPU_MXU_DRAIN], rows[_i].last - 3 * rows[_i].depth);
        ck_assert_uint_eq(s.cycles[TPU_MXU_IDLE], 4);
        tpu_mxu_free(m);
    }
}
END_TEST

/* The 13 cycles of a tile of above: it streams for 4, drains for 9, and 4 are idle. */
START_TEST(a_recorded_state_is_whole_however_often_it_is_looked_at)
{
    static const cycle_t ends[] = { 4, 13, 17 };
    struct tpu_mxu_config c = textbook(1);
    struct tpu_mxu_tile t = { .depth = 4, .used_rows = 2, .used_cols = 4 };
    c.dataflow = TPU_MXU_OUTPUT_STATIONARY;
    struct record *r = record_new(&(struct record_config){
        .name = "b", .clock = { 1000000000 }, .entries = true, .to = TICK_NEVER, .most = 99 });
    struct tpu_mxu *m = tpu_mxu_new(&c, forms[_i / 2]);
    tpu_mxu_record(m, r, "mxu");
    tpu_mxu_stream(m, 0, &t);
    for (cycle_t now = 1; _i % 2 == 0 && now < 17; now++)
        tpu_mxu_stats(m, now);
    tpu_mxu_stats(m, 17);
    record_close(r, 17);
    ck_assert_uint_eq(record_entries(r), COUNT_OF(ends));
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        ck_assert_uint_eq(record_entry(r, i)->end, ends[i]);
    tpu_mxu_free(m);
    record_free(r);
}
END_TEST

START_TEST(figures_that_contradict_are_named)
{
    char expected[128];
    struct tpu_mxu_config c = textbook(2);
    ck_assert(tpu_mxu_config_check(&c, expected, sizeof expected));
    c.push_rows = 8;
    c.in_flight_rows = 7;
    ck_assert(!tpu_mxu_config_check(&c, expected, sizeof expected));
    ck_assert_ptr_nonnull(strstr(expected, "in_flight_rows"));
    c.in_flight_rows = 8;
    c.latency_cycles = 7;               /* the eighth row enters in cycle 7 */
    ck_assert(!tpu_mxu_config_check(&c, expected, sizeof expected));
    ck_assert_ptr_nonnull(strstr(expected, "latency_cycles"));
    c.latency_cycles = 8;
    ck_assert(tpu_mxu_config_check(&c, expected, sizeof expected));
}
END_TEST

Suite *mxu_suite(void)
{
    Suite *s = suite_create("mxu");
    TCase *t = tcase_create("timing");
    tcase_add_loop_test(t, weights_hide_under_a_tile_at_least_as_long, 0, COUNT_OF(hidden));
    tcase_add_loop_test(t, single_buffered_is_scalesims_formula, 0, 6);
    tcase_add_test(t, single_buffered_weights_wait_for_an_empty_array);
    tcase_add_loop_test(t, double_buffered_tile_costs_the_longer_of_depth_and_push, 0, 2);
    tcase_add_loop_test(t, a_swap_shows_between_tiles, 0, 2);
    tcase_add_loop_test(t, pushes_and_rates_round_up, 0, 2);
    tcase_add_loop_test(t, the_limit_in_flight_lets_rows_enter_in_groups, 0, 2);
    tcase_add_loop_test(t, tpu_v4_microbenchmarks, 0, 2);
    tcase_add_loop_test(t, loads_and_streams_are_refused_until_they_may, 0, 2);
    tcase_add_loop_test(t, single_buffered_weights_are_gone_once_the_next_are_pushed, 0, 2);
    tcase_add_loop_test(t, output_stationary_tiles_shift_out, 0, 4);
    tcase_add_loop_test(t, a_recorded_state_is_whole_however_often_it_is_looked_at, 0, 4);
    tcase_add_test(t, figures_that_contradict_are_named);
    suite_add_tcase(s, t);
    return s;
}
