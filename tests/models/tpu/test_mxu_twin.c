/* test_mxu_twin.c - the fast and the register-exact matrix unit are the same machine.
 *
 * Both get the same random calls at the same cycles, and are compared in every cycle: what
 * they would take, what they promise, what they have counted; in the end, every bit of
 * every result, also against sums made here in the plainest way. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/tpu/mxu.h"
#include "tests/suites.h"

static uint64_t seed, first_seed;       /* the second is printed when a test fails */

static uint32_t below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

/* Mostly ordinary numbers; now and then one with which sums go wrong first. */
static uint16_t number(void)
{
    static const uint16_t special[] = { 0x0000, 0x8000, 0x0001, 0x807f, 0x0080, 0x7f7f, 0xff7f,
                                        0x7f80, 0xff80, 0x7fc0, 0x3f80, 0xbf80, 0x1f80, 0x9f81 };
    if (below(60) == 0)
        return special[below(COUNT_OF(special))];
    return (uint16_t)(below(2) << 15 | (117 + below(20)) << 7 | below(128));
}

static uint16_t *numbers(size_t count)
{
    uint16_t *n = malloc(count * sizeof *n);
    for (size_t i = 0; i < count; i++)
        n[i] = number();
    return n;
}

static struct tpu_mxu_config random_config(uint32_t dataflow)
{
    struct tpu_mxu_config c = {
        .rows = 1 + below(14), .cols = 1 + below(14), .weight_buffers = 1 + below(2),
        .weight_rows_per_cycle = 1 + below(4), .swap_cycles = below(3) ? 0 : below(5),
        .push_rows = below(2) ? 1 : 1 + below(5), .row_cycles = below(3) ? 1 : 1 + below(3),
        .dataflow = dataflow,
    };
    uint32_t least = (c.push_rows - 1) * c.row_cycles + 1;
    if (below(2))
        c.latency_cycles = least + below(40);
    if (below(2))
        c.in_flight_rows = c.push_rows + below(30);
    return c;
}

/* A tile, and what must come of it. */
struct job {
    struct tpu_mxu_tile tile;
    float *results[2], *expected;
    size_t count;
};

enum { JOBS = 40 };

static struct {
    struct tpu_mxu_config config;
    struct tpu_mxu *unit[2];            /* fast, exact */
    struct job job[JOBS];
    uint32_t jobs;
    uint16_t *weights, *next_weights;   /* in place; pushed */
    bool values;
} t;

static void make_expected(struct job *j)
{
    uint32_t R = t.config.rows, C = t.config.cols, D = j->tile.depth;
    bool os = t.config.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    const uint16_t *a = j->tile.activations, *w = os ? j->tile.weights : t.weights;
    for (uint32_t i = 0; i < (os ? R : D); i++)
        for (uint32_t c = 0; c < C; c++) {
            float sum = 0;
            for (uint32_t k = 0; k < (os ? D : R); k++) {
                float product = bf16_to_f32(a[os ? k * R + i : i * R + k]) *
                                bf16_to_f32(w[k * C + c]);
                sum = sum + product;
            }
            j->expected[i * C + c] = isnan(sum) ? f32_from_bits(F32_NAN) : sum;
        }
}

static struct job *new_job(bool reuse)
{
    struct job *j = &t.job[t.jobs++];
    uint32_t R = t.config.rows, C = t.config.cols, D = below(4) ? 1 + below(9) : 1 + below(40);
    bool os = t.config.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    *j = (struct job) { .tile = { .depth = D, .reuse = reuse,
                                  .used_rows = 1 + below(R), .used_cols = 1 + below(C) } };
    j->count = (size_t)(os ? R : D) * C;
    if (!t.values)
        return j;
    j->tile.activations = numbers((size_t)D * R);
    j->tile.weights = os ? numbers((size_t)D * C) : NULL;
    j->expected = calloc(j->count, sizeof(float));
    for (int u = 0; u < 2; u++)
        j->results[u] = calloc(j->count, sizeof(float));
    return j;
}

static void free_job(struct job *j)
{
    free((void *)j->tile.activations);
    free((void *)j->tile.weights);
    free(j->expected);
    free(j->results[0]);
    free(j->results[1]);
}

static void start_job(struct job *j, cycle_t now)
{
    if (!j->tile.reuse && t.next_weights) {
        free(t.weights);
        t.weights = t.next_weights;
        t.next_weights = NULL;
    }
    if (t.values)
        make_expected(j);
    for (int u = 0; u < 2; u++) {
        j->tile.results = j->results[u];
        tpu_mxu_stream(t.unit[u], now, &j->tile);
    }
}

static void start_load(cycle_t now)
{
    t.next_weights = t.values ? numbers((size_t)t.config.rows * t.config.cols) : NULL;
    for (int u = 0; u < 2; u++)
        tpu_mxu_load(t.unit[u], now, t.next_weights);
}

/* Not ck_assert: it tells its parent process of every success, and there are millions. */
#define SAME(query) do { \
        uint64_t fast = query(t.unit[0]), exact = query(t.unit[1]); \
        if (fast != exact) \
            ck_abort_msg(#query ", seed %" PRIu64 ", cycle %" PRIu64 ": %" PRIu64 ", exact %" PRIu64, \
                         first_seed, now, fast, exact); \
    } while (0)

static void compare(cycle_t now, const struct job *next, bool stats)
{
#define LOAD_AT(m)   tpu_mxu_load_at(m, now)
#define STREAM_AT(m) tpu_mxu_stream_at(m, now, &next->tile)
    SAME(LOAD_AT);
    SAME(STREAM_AT);
    SAME(tpu_mxu_loaded_at);
    SAME(tpu_mxu_stream_end);
    SAME(tpu_mxu_first_result_at);
    SAME(tpu_mxu_last_result_at);
    if (!stats)
        return;
    struct tpu_mxu_stats a = tpu_mxu_stats(t.unit[0], now), b = tpu_mxu_stats(t.unit[1], now);
    uint64_t sum = 0;
    for (int s = 0; s < TPU_MXU_STATES_COUNT; s++) {
        if (a.cycles[s] != b.cycles[s])
            ck_abort_msg("%s, seed %" PRIu64 ", cycle %" PRIu64 ": %" PRIu64 ", exact %" PRIu64,
                         tpu_mxu_state_names[s], first_seed, now, a.cycles[s], b.cycles[s]);
        sum += a.cycles[s];
    }
    if (sum != now || memcmp(&a, &b, sizeof a) != 0)
        ck_abort_msg("counts, seed %" PRIu64 ", cycle %" PRIu64, first_seed, now);
}

/* Whoever sleeps until told wakes in time to load and to stream. */
static void check_not_missed(cycle_t now, cycle_t due, const struct job *next)
{
    cycle_t load = tpu_mxu_load_at(t.unit[0], now);
    cycle_t stream = tpu_mxu_stream_at(t.unit[0], now, &next->tile);
    bool by_depth = t.config.dataflow == TPU_MXU_OUTPUT_STATIONARY && t.config.weight_buffers == 2;
    bool late = (load > now && load < due) || (stream > now && stream < due && !by_depth);
    if (due <= now || late)
        ck_abort_msg("step, seed %" PRIu64 ", cycle %" PRIu64, first_seed, now);
}

/* Lazy: looks and calls only at some cycles; else at every one. */
static cycle_t drive(bool lazy)
{
    cycle_t now = 0;
    uint32_t patience = 1 + below(6), jobs = 1 + below(JOBS - 1);
    struct job *next = new_job(false);
    while (t.jobs <= jobs) {
        compare(now, next, !lazy || below(8) == 0);
        if (tpu_mxu_can_stream(t.unit[0], now, &next->tile) && below(patience) == 0) {
            start_job(next, now);
            next = new_job(below(3) == 0);
        }
        if (tpu_mxu_can_load(t.unit[0], now) && below(patience) == 0)
            start_load(now);
        if (!tpu_mxu_can_stream(t.unit[0], now, &next->tile) && below(20) == 0)
            next->tile.reuse = !next->tile.reuse && t.config.dataflow == 0;
        cycle_t due = tpu_mxu_step(t.unit[0], now);
        check_not_missed(now, due, next);
        if (!lazy)
            tpu_mxu_step(t.unit[1], now);
        now = lazy && due != CYCLE_NEVER && below(2) ? due : now + 1 + (lazy ? below(3) : 0);
    }
    now = cycle_max(now, tpu_mxu_last_result_at(t.unit[0]));
    compare(now, next, true);
    return now;
}

static void compare_results(void)
{
    for (uint32_t i = 0; i + 1 < t.jobs && t.values; i++)
        for (size_t k = 0; k < t.job[i].count; k++)
            for (int u = 0; u < 2; u++)
                if (f32_bits(t.job[i].results[u][k]) != f32_bits(t.job[i].expected[k]))
                    ck_abort_msg("seed %" PRIu64 ", tile %u, result %zu of form %d: %a, not %a",
                                 first_seed, i, k, u,
                                 (double)t.job[i].results[u][k], (double)t.job[i].expected[k]);
}

static void run_case(uint64_t s, uint32_t dataflow)
{
    seed = first_seed = s;
    memset(&t, 0, sizeof t);
    t.config = random_config(dataflow);
    t.values = below(4) > 0;
    t.unit[0] = tpu_mxu_new(&t.config, TPU_MXU_FAST);
    t.unit[1] = tpu_mxu_new(&t.config, TPU_MXU_EXACT);
    cycle_t end = drive(below(2));
    for (int u = 0; u < 2; u++)
        tpu_mxu_stats(t.unit[u], end);
    compare_results();
    for (int u = 0; u < 2; u++)
        tpu_mxu_free(t.unit[u]);
    for (uint32_t i = 0; i < t.jobs; i++)
        free_job(&t.job[i]);
    free(t.weights);
    free(t.next_weights);
}

START_TEST(fast_and_exact_agree_in_every_cycle_and_bit)
{
    for (uint64_t s = 1; s <= 400; s++)
        run_case(s * 2 + (uint64_t)_i, (uint32_t)_i);
}
END_TEST

Suite *mxu_twin_suite(void)
{
    Suite *s = suite_create("mxu_twin");
    TCase *c = tcase_create("random");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, fast_and_exact_agree_in_every_cycle_and_bit, 0, 2);
    suite_add_tcase(s, c);
    return s;
}
