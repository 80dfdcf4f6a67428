/* test_choose.c - what a product is expected to take, and which kernel it gets. */
#include "models/gpu/choose.h"

#include <math.h>
#include <stdio.h>

#include "tests/models/gpu/gpu_figures.h"
#include "tests/suites.h"

#define V100_BYTES_PER_S (4 * 8 * 128 * 1.758e9 / 8)

/* On the chip `c`, with a memory of that rate; ports of L2 without a limit, unless told. */
#define ON(bytes_per_s) \
    &(struct gpu_chooser){ .config = &c, .memory_bytes_per_s = (bytes_per_s), .memory_ns = 50 }

/* splitmix64 */
static uint64_t roll(uint64_t *state, uint64_t sides)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % sides;
}

/* ---- worked out by hand ---- */

/* Four warps, two tiles of k under way, 24 KiB. */
static const struct gpu_gemm_kernel kernel = {
    .name = "k", .element = GPU_ELEMENT_F16, .m = 128, .n = 64, .k = 32, .threads = 128,
    .shared_bytes = 24576, .stages = 2, .align = 8,
};

/* Of the V100 of gpu_figures.h, in cycles of 1530 MHz:
 *   multiplying a step   128 * 64 * 32 / (4 * 4096 / 32)             = 512
 *   reading, twice       4 warps * (64 + 32) * 32 * 2 bytes / 128    = 192 * 2
 *   filling, arriving    (128 + 64) * 32 * 2 / 128 and / 64          =  96, 192
 *   L2's share           the same of 64 * 32 * 0.8 bytes a cycle for 80 SMs = 600
 *   moving               (128 + 64) * 32 / (32 * 8) loads and stores * 2 / 4 = 24
 *   a step               512 + 384 + 96 + 24 alone; of b blocks b * sqrt(512^2 + 504^2)
 *   latency              2 * (40 + 20) ns + 40 / 1530 MHz + 50 ns = 196.1438 ns = 300.1,
 *                        + 10 + 10
 *   first                200 + 320.1 + 300 operations * 4              = 1720.1
 *   results              64 a lane * 15 operations: 960 * 4 / 2 = 1920 alone, of b together
 *                        b * 960; the SM takes 128 * 64 * 2 / 32 = 512 a block
 * At a time: 64 + 56 registers make 15 * 256 a warp, 4 blocks of 4 warps; shared memory
 * holds 4 as well. */
#define FIRST (200 + 300.1 + 20 + 1200)
#define OF_TWO 718.4427604
static const struct { uint64_t m, n, k; uint32_t splits; double cycles, more_s; } worked[] = {
    /* 10 x 8 tiles: one for each SM, 8 steps. */
    { 1280, 512, 256, 1, FIRST + 8 * 1016 + 1920, 0 },
    /* Two for each, and five: four and then one. */
    { 2560, 512, 256, 1, FIRST + 8 * 2 * OF_TWO + 1920, 0 },
    { 6400, 512, 256, 1, FIRST + 8 * 4 * OF_TWO + 4 * 960 + FIRST + 8 * 1016 + 1920, 0 },
    /* One tile cut into four of 32 steps.  Then 1 us, another first, one latency for four
     * summands and one for the result; and the summands once more through 64 slices of 32
     * bytes at 1530 MHz. */
    { 128, 64, 4096, 4, FIRST + 32 * 1016 + 1920 + FIRST + 30 + 2 * 320.1,
      1e-6 + 4 * 128 * 64 * 4 / (64 * 32 * 1.53e9) },
    /* A last step that is not whole takes as long as the others. */
    { 128, 64, 40, 1, FIRST + 2 * 1016 + 1920, 0 },
};

START_TEST(an_estimate_is_what_the_formula_gives_by_hand)
{
    struct gpu_config c = gpu_v100();
    struct gpu_product p = { worked[_i].m, worked[_i].n, worked[_i].k, 1, false, false,
                             GPU_ELEMENT_F16, GPU_ELEMENT_F16 };
    struct gpu_choice x;
    ck_assert(gpu_estimate(ON(V100_BYTES_PER_S), &p, &kernel, worked[_i].splits, &x));
    double expected = worked[_i].cycles / 1.53e9 + worked[_i].more_s;
    ck_assert_double_eq_tol(x.seconds, expected, 1e-9 * expected);
}
END_TEST

/* A memory 1000 ns farther: of each step 1530 + 320.1 cycles, 192 from the crossbar, 96 to store
 * the tile and 256 for its last slice; a wait for all that others want would be shorter. */
START_TEST(what_is_far_is_waited_for_in_each_step)
{
    struct gpu_config c = gpu_v100();
    struct gpu_product p = { 128, 64, 256, 1, false, false, GPU_ELEMENT_F16, GPU_ELEMENT_F16 };
    struct gpu_chooser far = *ON(V100_BYTES_PER_S);
    struct gpu_choice x;
    far.memory_ns += 1000;
    ck_assert(gpu_estimate(&far, &p, &kernel, 1, &x));
    double expected = (FIRST + 1530 + 8 * (1530 + 320.1 + 192 + 96 + 256) + 1920) / 1.53e9;
    ck_assert_double_eq_tol(x.seconds, expected, 1e-9 * expected);
}
END_TEST

/* At 1 GB/s nothing else counts.  a and b once, for L2 holds both: (384 + 200) * 64 * 2, and
 * the result: 384 * 200 * 4. */
START_TEST(what_comes_from_memory_bounds_the_time)
{
    struct gpu_config c = gpu_v100();
    struct gpu_product p = { 384, 200, 64, 3, false, false, GPU_ELEMENT_F16, GPU_ELEMENT_F32 };
    struct gpu_choice x;
    ck_assert(gpu_estimate(ON(1e9), &p, &kernel, 1, &x));
    ck_assert_double_eq_tol(x.seconds, 3 * (584 * 64 * 2 + 384 * 200 * 4) / 1e9, 1e-12);
}
END_TEST

/* 2^14 x 2^14 by 2^14 x 2^14 does not fit 6 MiB.  320 tiles of 128 x 64 are under way: of a
 * stripe of 2^o columns 320 / 2^o rows.  Each of 256 / 2^o stripes reads a, and b comes
 * 128 / (320 / 2^o) times: 2^4 columns give 16 + 6.4 times 512 MiB, 2^5 8 + 12.8, 2^3
 * 32 + 3.2. */
START_TEST(stripes_are_as_wide_as_brings_least_from_memory)
{
    struct gpu_config c = gpu_v100();
    struct gpu_product p = { 16384, 16384, 16384, 1, false, false, GPU_ELEMENT_F16,
                             GPU_ELEMENT_F16 };
    struct gpu_choice x;
    ck_assert(gpu_estimate(ON(1e6), &p, &kernel, 1, &x));
    ck_assert_uint_eq(x.order, 5);
    ck_assert_double_eq_tol(x.seconds, (20.8 + 1) * 536870912 / 1e6, 1e-3);
}
END_TEST

/* Of 10 columns of tiles stripes of 2 are full, and of 4 two of 12 would be empty; one empty
 * for each 16 is let be, as for 31 and 34 columns. */
START_TEST(stripes_are_nearly_full)
{
    static const struct { uint64_t columns; uint32_t order; } cases[] = {
        { 10, 1 }, { 12, 2 }, { 9, 0 }, { 18, 1 }, { 31, 5 }, { 32, 5 }, { 34, 2 },
    };
    struct gpu_config c = gpu_v100();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct gpu_product p = { 16384, 64 * cases[i].columns, 16384, 1, false, false,
                                 GPU_ELEMENT_F16, GPU_ELEMENT_F16 };
        struct gpu_choice x;
        ck_assert(gpu_estimate(ON(1e6), &p, &kernel, 1,
                               &x));
        ck_assert_msg(x.order == cases[i].order, "%u for %u columns", x.order,
                      (unsigned)cases[i].columns);
    }
}
END_TEST

START_TEST(the_rates_of_pipes_are_those_of_the_chip)
{
    struct gpu_config v = gpu_v100(), a = gpu_a100();
    ck_assert_double_eq(gpu_macs_per_cycle(&v, GPU_ELEMENT_F32), 64);
    ck_assert_double_eq(gpu_macs_per_cycle(&v, GPU_ELEMENT_F16), 512);
    ck_assert_double_eq(gpu_macs_per_cycle(&v, GPU_ELEMENT_BF16), 0);
    ck_assert_double_eq(gpu_macs_per_cycle(&a, GPU_ELEMENT_BF16), 1024);
}
END_TEST

/* 8 elements are asked for: of lda and ldb, whichever way they lie. */
static const struct { uint64_t m, n, k; bool ta, tb, may; } aligned[] = {
    {  8, 16, 24, false, false, true }, {  7, 16, 24, false, false, true },
    {  8, 15, 24, false, false, false }, { 8, 16, 23, false, false, false },
    {  7, 16, 24, true,  false, false }, { 8, 16, 23, true,  false, true },
    {  8, 12, 24, false, true,  true },  { 8, 16, 20, false, true,  false },
    {  8, 14, 24, false, true,  true },
};

START_TEST(a_kernel_is_not_for_rows_that_are_not_aligned)
{
    struct gpu_config c = gpu_v100();
    struct gpu_gemm_kernel k = kernel;
    k.transpose_a = aligned[_i].ta;
    k.transpose_b = aligned[_i].tb;
    struct gpu_product p = { aligned[_i].m, aligned[_i].n, aligned[_i].k, 1, aligned[_i].ta,
                             aligned[_i].tb, GPU_ELEMENT_F16, GPU_ELEMENT_F16 };
    struct gpu_choice x;
    ck_assert_int_eq(gpu_estimate(ON(V100_BYTES_PER_S), &p, &k, 1, &x), aligned[_i].may);
    p.transpose_a = !p.transpose_a;
    ck_assert(!gpu_estimate(ON(V100_BYTES_PER_S), &p, &k, 1, &x));
}
END_TEST

START_TEST(k_is_cut_into_parts_that_all_have_something_to_do)
{
    struct gpu_config c = gpu_v100();
    struct gpu_product p = { 128, 64, 32 * 5, 1, false, false, GPU_ELEMENT_F16, GPU_ELEMENT_F16 };
    struct gpu_choice x;
    ck_assert(gpu_estimate(ON(V100_BYTES_PER_S), &p, &kernel, 3, &x));
    ck_assert_uint_eq(x.split_k, 64);           /* 64 + 64 + 32 */
    ck_assert(!gpu_estimate(ON(V100_BYTES_PER_S), &p, &kernel, 4, &x));     /* 64 + 64 + 32 + 0 */
    ck_assert(gpu_estimate(ON(V100_BYTES_PER_S), &p, &kernel, 5, &x));
    ck_assert(!gpu_estimate(ON(V100_BYTES_PER_S), &p, &kernel, 6, &x));
}
END_TEST

/* ---- over random products ---- */

static uint64_t size(uint64_t *state)
{
    static const uint64_t awkward[] = { 1, 7, 8, 129, 256, 1000, 4096 };
    return roll(state, 2) ? awkward[roll(state, COUNT_OF(awkward))] : 1 + roll(state, 5000);
}

static struct gpu_product random_product(uint64_t *state, const struct gpu_config *c)
{
    struct gpu_product p = { size(state), size(state), size(state), 1 + roll(state, 3),
                             roll(state, 2), roll(state, 2), GPU_ELEMENT_F32, GPU_ELEMENT_F32 };
    if (roll(state, 2))
        p.in = c->gpu.generation == GPU_SM_70 ? GPU_ELEMENT_F16 : GPU_ELEMENT_BF16;
    return p;
}

static uint64_t ceil_of(uint64_t n, uint64_t by) { return (n + by - 1) / by; }

START_TEST(what_is_chosen_fits_the_product_and_the_chip)
{
    uint64_t state = (uint64_t)_i;
    struct gpu_config c = _i % 2 ? gpu_v100() : gpu_a100();
    struct gpu_product p = random_product(&state, &c);
    struct gpu_choice x;
    ck_assert_msg(gpu_choose(ON(1e12), &p, &x), "seed %d", _i);
    const struct gpu_gemm_kernel *k = x.kernel;
    ck_assert_int_eq(k->element, p.in);
    ck_assert_int_eq(k->transpose_a, p.transpose_a);
    ck_assert_int_eq(k->transpose_b, p.transpose_b);
    ck_assert_uint_eq((p.transpose_a ? p.m : p.k) % k->align, 0);
    ck_assert_uint_eq((p.transpose_b ? p.k : p.n) % k->align, 0);
    ck_assert_uint_le(k->shared_bytes, c.shared.block_bytes);
    uint64_t tiles = ceil_of(p.m, k->m) * ceil_of(p.n, k->n) * p.batch;
    bool room = tiles < c.sm.count * (p.in == GPU_ELEMENT_F32 ? c.sm.blocks : 1);
    ck_assert_msg(x.splits == 1 || room, "seed %d", _i);
    ck_assert_uint_ge((uint64_t)x.splits * x.split_k, p.k);
    ck_assert_uint_lt((uint64_t)(x.splits - 1) * x.split_k, p.k);
    ck_assert(x.splits == 1 || x.split_k % k->k == 0);
}
END_TEST

START_TEST(no_estimate_is_below_the_roofline)
{
    uint64_t state = (uint64_t)_i;
    struct gpu_config c = _i % 2 ? gpu_v100() : gpu_a100();
    struct gpu_product p = random_product(&state, &c);
    struct gpu_choice x;
    ck_assert(gpu_choose(ON(1e12), &p, &x));
    double macs = (double)p.batch * (double)p.m * (double)p.n * (double)p.k;
    double peak = gpu_macs_per_cycle(&c, p.in) * c.sm.count * c.gpu.clock_mhz * 1e6;
    double bytes = (double)p.batch * ((double)(p.m + p.n) * (double)p.k
                 * (p.in == GPU_ELEMENT_F32 ? 4 : 2) + 4.0 * (double)p.m * (double)p.n);
    ck_assert_msg(x.seconds >= fmax(macs / peak, bytes / 1e12), "seed %d", _i);
}
END_TEST

START_TEST(the_choice_is_the_best_there_is)
{
    uint64_t state = (uint64_t)_i;
    size_t count;
    struct gpu_config c = _i % 2 ? gpu_v100() : gpu_a100();
    struct gpu_product p = random_product(&state, &c);
    struct gpu_choice x, other;
    const struct gpu_gemm_kernel *kernels = gpu_gemm_kernels(c.gpu.generation, &count);
    ck_assert(gpu_choose(ON(1e12), &p, &x));
    for (size_t i = 0; i < count; i++)
        if (gpu_estimate(ON(1e12), &p, &kernels[i], 1, &other))
            ck_assert_msg(other.seconds >= x.seconds, "seed %d: %s", _i, kernels[i].name);
}
END_TEST

/* But for what one wave more or less does to an SM's share of L2, and to what waits for it. */
START_TEST(a_bigger_chip_is_not_expected_to_be_slower)
{
    uint64_t state = (uint64_t)_i;
    struct gpu_config c = _i % 2 ? gpu_v100() : gpu_a100();
    struct gpu_product p = random_product(&state, &c);
    double before = INFINITY;
    c.sm.count = 1 + (uint32_t)roll(&state, 20);
    for (int i = 0; i < 40; i++, c.sm.count += 1 + (uint32_t)roll(&state, 20)) {
        struct gpu_choice x;
        ck_assert(gpu_choose(ON(1e12), &p, &x));
        ck_assert_msg(x.seconds <= before * 1.08, "seed %d: %u SMs", _i, c.sm.count);
        before = fmin(before, x.seconds);
    }
}
END_TEST

START_TEST(no_cut_where_the_figures_say_no)
{
    uint64_t state = (uint64_t)_i;
    struct gpu_config c = gpu_v100();
    struct gpu_product p = random_product(&state, &c);
    struct gpu_choice x;
    c.kernels.split_k = 0;
    ck_assert(gpu_choose(ON(1e12), &p, &x));
    ck_assert_uint_eq(x.splits, 1);
}
END_TEST

/* One tile of 128 steps: worth a cut, but for the figure. */
START_TEST(no_cut_on_lanes_below_the_figures_k)
{
    struct gpu_config c = gpu_v100();
    struct gpu_product p = { 32, 32, 4096, 1, false, false, GPU_ELEMENT_F32, GPU_ELEMENT_F32 };
    struct gpu_choice x;
    c.kernels.split_f32_k = 4096;
    ck_assert(gpu_choose(ON(1e12), &p, &x));
    ck_assert_uint_gt(x.splits, 1);
    c.kernels.split_f32_k = 4097;
    ck_assert(gpu_choose(ON(1e12), &p, &x));
    ck_assert_uint_eq(x.splits, 1);
}
END_TEST

START_TEST(ports_of_l2_are_as_slower_slices_and_none_is_no_limit)
{
    struct gpu_config c = gpu_v100(), slow = c;
    struct gpu_product p = { 1000, 776, 520, 1, false, false, GPU_ELEMENT_F16, GPU_ELEMENT_F32 };
    struct gpu_chooser x = *ON(1e12), slower;
    struct gpu_choice any, wide, narrow, expected;
    c.l2.clock_mhz = slow.l2.clock_mhz = 100;           /* so that L2 is what counts */
    double slices = (double)c.l2.slices * c.l2.bytes_per_cycle;
    ck_assert_uint_eq(c.l2.bytes_per_cycle % 4, 0);
    slow.l2.bytes_per_cycle /= 4;
    slower = x;
    slower.config = &slow;
    ck_assert(gpu_estimate(&x, &p, &kernel, 1, &any));
    ck_assert(gpu_estimate(&slower, &p, &kernel, 1, &expected));
    x.port_bytes = slices;
    ck_assert(gpu_estimate(&x, &p, &kernel, 1, &wide));
    x.port_bytes = slices / 4;
    ck_assert(gpu_estimate(&x, &p, &kernel, 1, &narrow));
    ck_assert_double_eq(wide.seconds, any.seconds);
    ck_assert_double_eq(narrow.seconds, expected.seconds);
    ck_assert_double_gt(narrow.seconds, 1.5 * any.seconds);
}
END_TEST

START_TEST(a_wanted_tile_is_taken_where_a_kernel_has_it)
{
    struct gpu_config c = gpu_a100();
    struct gpu_chooser x = *ON(1e12);
    struct gpu_product even = { 4096, 4096, 4096, 1, false, false, GPU_ELEMENT_BF16,
                                GPU_ELEMENT_BF16 };
    struct gpu_product odd = even;
    struct gpu_choice choice;
    odd.k = 4095;                       /* rows of it are aligned to an element only */
    snprintf(c.kernels.tile, sizeof c.kernels.tile, "64x128x64");
    ck_assert(gpu_tile_known(&c));
    ck_assert(gpu_choose(&x, &even, &choice));
    ck_assert_uint_eq(choice.kernel->m, 64);
    ck_assert_uint_eq(choice.kernel->n, 128);
    ck_assert(gpu_choose(&x, &odd, &choice));
    ck_assert_uint_eq(choice.kernel->align, 1);
    snprintf(c.kernels.tile, sizeof c.kernels.tile, "64x128");
    ck_assert(!gpu_tile_known(&c));
    c.kernels.tile[0] = '\0';
    ck_assert(gpu_tile_known(&c));
}
END_TEST

START_TEST(volta_multiplies_no_bf16)
{
    struct gpu_config c = gpu_v100();
    struct gpu_product p = { 64, 64, 64, 1, false, false, GPU_ELEMENT_BF16, GPU_ELEMENT_F32 };
    struct gpu_choice x;
    ck_assert(!gpu_choose(ON(1e12), &p, &x));
}
END_TEST

Suite *gpu_choose_suite(void)
{
    Suite *s = suite_create("gpu_choose");
    TCase *t = tcase_create("estimates");
    tcase_add_loop_test(t, an_estimate_is_what_the_formula_gives_by_hand, 0, COUNT_OF(worked));
    tcase_add_test(t, what_is_far_is_waited_for_in_each_step);
    tcase_add_test(t, what_comes_from_memory_bounds_the_time);
    tcase_add_test(t, stripes_are_as_wide_as_brings_least_from_memory);
    tcase_add_test(t, stripes_are_nearly_full);
    tcase_add_test(t, the_rates_of_pipes_are_those_of_the_chip);
    tcase_add_loop_test(t, a_kernel_is_not_for_rows_that_are_not_aligned, 0, COUNT_OF(aligned));
    tcase_add_test(t, k_is_cut_into_parts_that_all_have_something_to_do);
    suite_add_tcase(s, t);
    t = tcase_create("choices");
    tcase_add_loop_test(t, what_is_chosen_fits_the_product_and_the_chip, 0, 200);
    tcase_add_loop_test(t, no_estimate_is_below_the_roofline, 0, 200);
    tcase_add_loop_test(t, the_choice_is_the_best_there_is, 0, 200);
    tcase_add_loop_test(t, a_bigger_chip_is_not_expected_to_be_slower, 0, 100);
    tcase_add_loop_test(t, no_cut_where_the_figures_say_no, 0, 50);
    tcase_add_test(t, ports_of_l2_are_as_slower_slices_and_none_is_no_limit);
    tcase_add_test(t, a_wanted_tile_is_taken_where_a_kernel_has_it);
    tcase_add_test(t, no_cut_on_lanes_below_the_figures_k);
    tcase_add_test(t, volta_multiplies_no_bf16);
    suite_add_tcase(s, t);
    return s;
}
