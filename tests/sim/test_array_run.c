/* test_array_run.c - what every PE holds in every cycle, from where it must be on paper.
 *
 * Textbook arrays: a row a cycle, a row of weights a cycle, no swap.  What enters at cycle s
 * is at PE (r, c) at s + r + c.  Tiles begin, with R x C PEs, M rows and L = R + C - 1,
 *
 *     weight-stationary  one set  R + f (R + M - 1 + L)     two sets  R + f max(M, R)
 *     output-stationary  one set  f (K - 1 + L + R)         two sets  f max(K, L + R - 1)
 */
#include "sim/array_run.h"

#include <stdlib.h>

#include "models/numerics/bf16.h"
#include "tests/suites.h"
#include "traces/random.h"

static struct random_stream random_state;
static uint64_t first_seed;

static uint32_t up_to(uint32_t most) { return 1 + (uint32_t)random_below(&random_state, most); }

static uint16_t *numbers(size_t count)
{
    uint16_t *x = malloc(count * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = bf16_from_f32((float)(random_unit(&random_state) * 2 - 1));
    return x;
}

static struct array_run_config random_product(uint32_t dataflow)
{
    struct array_run_config c = {
        .mxu = { .rows = up_to(16), .cols = up_to(16), .weight_buffers = up_to(2),
                 .weight_rows_per_cycle = 1, .push_rows = 1, .row_cycles = 1,
                 .dataflow = dataflow },
        .m = up_to(40), .k = up_to(40), .n = up_to(40),
    };
    c.a = numbers((size_t)c.m * c.k);
    c.b = numbers((size_t)c.k * c.n);
    return c;
}

static void free_product(struct array_run_config *c)
{
    free((void *)c->a);
    free((void *)c->b);
}

/* Zero outside of the matrices: padding. */
static float a_at(const struct array_run_config *c, uint32_t m, uint32_t k)
{
    return m < c->m && k < c->k ? bf16_to_f32(c->a[(size_t)m * c->k + k]) : 0;
}

static float b_at(const struct array_run_config *c, uint32_t k, uint32_t n)
{
    return k < c->k && n < c->n ? bf16_to_f32(c->b[(size_t)k * c->n + n]) : 0;
}

static float sum_of(const struct array_run_config *c, uint32_t m, uint32_t n, uint32_t from,
                    uint32_t to)
{
    float sum = 0;
    for (uint32_t k = from; k < to; k++)
        sum += a_at(c, m, k) * b_at(c, k, n);
    return sum;
}

/* ---- where things are, on paper */

struct paper { uint32_t R, C, L, apart, first, depth, tiles; };

static struct paper work_out(const struct array_run_config *c)
{
    struct paper p = { .R = c->mxu.rows, .C = c->mxu.cols };
    bool two = c->mxu.weight_buffers == 2;
    uint32_t across = (c->n + p.C - 1) / p.C;
    p.L = p.R + p.C - 1;
    if (c->mxu.dataflow == TPU_MXU_WEIGHT_STATIONARY) {
        p.tiles = (c->k + p.R - 1) / p.R * across;
        p.depth = c->m;
        p.first = p.R;
        p.apart = !two ? p.R + c->m - 1 + p.L : c->m > p.R ? c->m : p.R;
    } else {
        p.tiles = (c->m + p.R - 1) / p.R * across;
        p.depth = c->k;
        p.apart = !two ? c->k - 1 + p.L + p.R : c->k > p.L + p.R - 1 ? c->k : p.L + p.R - 1;
    }
    return p;
}

/* What passes PE (r, c): which of which tile; false: nothing. */
static bool passes(const struct paper *p, cycle_t now, uint32_t r, uint32_t c, uint32_t *tile,
                   uint32_t *number)
{
    if (now < p->first + r + c)
        return false;
    uint64_t since = now - p->first - r - c;
    *tile = (uint32_t)(since / p->apart);
    *number = (uint32_t)(since % p->apart);
    return *tile < p->tiles && *number < p->depth;
}

#define SAME(is, should, what) \
    ck_assert_msg(f32_bits(is) == f32_bits(should), "seed %lu, cycle %lu, PE (%u, %u): " what \
                  " is %g, not %g", (unsigned long)first_seed, (unsigned long)now, r, c, \
                  (double)(is), (double)(should))

static void check_weights_stay(const struct array_run_config *x, const struct paper *p,
                               const struct tpu_mxu_pe *pe, cycle_t now, uint32_t r, uint32_t c)
{
    uint32_t f = 0, m = 0, deep = (x->k + p->R - 1) / p->R;
    bool here = passes(p, now, r, c, &f, &m);
    ck_assert_msg(pe->passing == here, "seed %lu, cycle %lu, PE (%u, %u)",
                  (unsigned long)first_seed, (unsigned long)now, r, c);
    if (!here)
        return;
    uint32_t k = f % deep * p->R, n = f / deep * p->C + c;
    ck_assert_uint_eq(pe->stream, f);
    ck_assert_uint_eq(pe->number, m);
    SAME(bf16_to_f32(pe->activation), a_at(x, m, k + r), "activation");
    SAME(bf16_to_f32(pe->weight), b_at(x, k + r, n), "weight");
    ck_assert(pe->has_sum);
    SAME(pe->sum, sum_of(x, m, n, k, k + r + 1), "sum");
}

/* Tile f's weights begin to be pushed when those before it went into use; row r's passes the
 * r rows above its own. */
static void check_next(const struct array_run_config *x, const struct paper *p,
                       const struct tpu_mxu_pe *pe, cycle_t now, uint32_t r, uint32_t c)
{
    if (x->mxu.weight_buffers == 1 || now < 2 * r + c)
        return;
    uint64_t since = now - 2 * r - c, deep = (x->k + p->R - 1) / p->R;
    uint64_t f = since < p->first ? 0 : 1 + (since - p->first) / p->apart;
    f = f < p->tiles ? f : p->tiles - 1;
    SAME(bf16_to_f32(pe->next),
         b_at(x, (uint32_t)(f % deep) * p->R + r, (uint32_t)(f / deep) * p->C + c), "next weight");
}

static void check_outputs_stay(const struct array_run_config *x, const struct paper *p,
                               const struct tpu_mxu_pe *pe, cycle_t now, uint32_t r, uint32_t c)
{
    uint32_t f = 0, k = 0, across = (x->n + p->C - 1) / p->C;
    bool here = passes(p, now, r, c, &f, &k);
    ck_assert_msg(pe->passing == here, "seed %lu, cycle %lu, PE (%u, %u)",
                  (unsigned long)first_seed, (unsigned long)now, r, c);
    if (here) {
        uint32_t m = f / across * p->R + r, n = f % across * p->C + c;
        ck_assert_uint_eq(pe->number, k);
        SAME(bf16_to_f32(pe->activation), a_at(x, m, k), "activation");
        SAME(bf16_to_f32(pe->weight), b_at(x, k, n), "weight");
        SAME(pe->sum, sum_of(x, m, n, 0, k + 1), "sum");
    }
    /* The first of a tile's results moves L cycles after its last k entered. */
    uint64_t settled = x->k - 1 + p->L;
    if (now + 1 < settled)
        return;
    uint64_t tile = (now + 1 - settled) / p->apart, moved = (now + 1 - settled) % p->apart;
    bool leaves = tile < p->tiles && moved < p->R && r >= moved;
    ck_assert_int_eq(pe->leaving, leaves);
    if (leaves) {
        uint32_t row = r - (uint32_t)moved, first = (uint32_t)(tile / across) * p->R;
        ck_assert_uint_eq(pe->out_row, row);
        SAME(pe->out, sum_of(x, first + row, (uint32_t)(tile % across) * p->C + c, 0, x->k),
             "what leaves");
    }
}

static void check_cycle(const struct array_run_config *x, const struct paper *p,
                        const struct array_run *run)
{
    const struct tpu_mxu_pe *pe = array_run_pes(run);
    cycle_t now = array_run_cycle(run);
    for (uint32_t r = 0; r < p->R; r++)
        for (uint32_t c = 0; c < p->C; c++, pe++)
            if (x->mxu.dataflow == TPU_MXU_WEIGHT_STATIONARY) {
                check_weights_stay(x, p, pe, now, r, c);
                check_next(x, p, pe, now, r, c);
            } else {
                check_outputs_stay(x, p, pe, now, r, c);
            }
}

/* Sums of blocks of `deep`, added in order. */
static void check_product(const struct array_run_config *x, const float *y, uint32_t deep)
{
    for (uint32_t m = 0; m < x->m; m++)
        for (uint32_t n = 0; n < x->n; n++) {
            float sum = sum_of(x, m, n, 0, deep);
            for (uint32_t k = deep; k < x->k; k += deep)
                sum += sum_of(x, m, n, k, k + deep);
            ck_assert_msg(f32_bits(y[(size_t)m * x->n + n]) == f32_bits(sum),
                          "seed %lu, y[%u][%u]", (unsigned long)first_seed, m, n);
        }
}

START_TEST(every_pe_holds_what_it_must_in_every_cycle)
{
    for (uint64_t s = 1; s <= 60; s++) {
        random_state.state = first_seed = s * 2 + (uint64_t)_i;
        struct array_run_config x = random_product((uint32_t)_i);
        struct paper p = work_out(&x);
        struct array_run *run = array_run_new(&x);
        cycle_t cycles = 0;
        for (; array_run_step(run); cycles++)
            check_cycle(&x, &p, run);
        uint64_t out = _i == 0 ? x.m - 1 + p.L : x.k - 1 + p.L + p.R;
        ck_assert_uint_eq(cycles, p.first + (uint64_t)(p.tiles - 1) * p.apart + out);
        check_product(&x, array_run_product(run), _i == 0 ? p.R : x.k);
        array_run_free(run);
        free_product(&x);
    }
}
END_TEST

/* Machines whose cycles other tests check: whatever their figures, the product is right, the
 * states are those that were counted, and no two tiles swap order. */
START_TEST(any_array_gives_the_product_and_its_states)
{
    for (uint64_t s = 1; s <= 60; s++) {
        random_state.state = first_seed = 1000 + s * 2 + (uint64_t)_i;
        struct array_run_config x = random_product((uint32_t)_i);
        x.mxu.push_rows = up_to(4);
        x.mxu.row_cycles = up_to(3);
        x.mxu.weight_rows_per_cycle = up_to(3);
        x.mxu.swap_cycles = up_to(4) - 1;
        x.mxu.latency_cycles = (x.mxu.push_rows - 1) * x.mxu.row_cycles + up_to(40);
        x.mxu.in_flight_rows = x.mxu.push_rows + up_to(30);
        struct array_run *run = array_run_new(&x);
        uint64_t states[TPU_MXU_STATES_COUNT] = { 0 };
        while (array_run_step(run))
            states[array_run_state(run)]++;
        struct tpu_mxu_stats stats = array_run_stats(run);
        ck_assert_mem_eq(states, stats.cycles, sizeof states);
        check_product(&x, array_run_product(run), _i == 0 ? x.mxu.rows : x.k);
        array_run_free(run);
        free_product(&x);
    }
}
END_TEST

Suite *array_run_suite(void)
{
    Suite *s = suite_create("array_run");
    TCase *t = tcase_create("registers");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_pe_holds_what_it_must_in_every_cycle, 0, 2);
    tcase_add_loop_test(t, any_array_gives_the_product_and_its_states, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
