/* test_tensor.c - mma: layouts by the manual's formulas, sums against double. */
#include <math.h>

#include "models/gpu/tensor.h"
#include "models/numerics/bf16.h"
#include "tests/models/gpu/execute_rig.h"
#include "tests/suites.h"

#define M 16

enum type { F16, BF16, TF32 };

static const struct shape { const char *text; enum type type; unsigned k; bool halves; } shapes[] = {
    { "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1}, {%r2}, "
      "{%f4,%f5,%f6,%f7};", F16, 8, false },
    { "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1,%r2,%r3}, "
      "{%r4,%r5}, {%f4,%f5,%f6,%f7};", F16, 16, false },
    { "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1}, {%r2}, "
      "{%f4,%f5,%f6,%f7};", BF16, 8, false },
    { "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1,%r2,%r3}, "
      "{%r4,%r5}, {%f4,%f5,%f6,%f7};", BF16, 16, false },
    { "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1}, {%r2}, "
      "{%f4,%f5,%f6,%f7};", TF32, 4, false },
    { "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1,%r2,%r3}, "
      "{%r4,%r5}, {%f4,%f5,%f6,%f7};", TF32, 8, false },
    { "mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 {%r8,%r9}, {%r0,%r1}, {%r2}, {%r4,%r5};",
      F16, 8, true },
    { "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r8,%r9}, {%r0,%r1,%r2,%r3}, "
      "{%r4,%r5}, {%r6,%r7};", F16, 16, true },
};

static uint32_t bits_of(enum type t, float x)
{
    return t == F16 ? f16_from_f32(x) : t == BF16 ? bf16_from_f32(x) : f32_bits(x);
}

/* A number that the type can hold. */
static float held(enum type t, float x)
{
    if (t == F16)
        return f16_to_f32(f16_from_f32(x));
    return t == BF16 ? bf16_to_f32(bf16_from_f32(x)) : f32_from_bits(f32_bits(x) & 0xffffe000);
}

/* PTX ISA, "Matrix fragments for mma": which register and which part of it has an element.
 * Of 16-bit types: a_i: row g or g + 8 by i & 2, k 2 t + (i & 1), + 8 from i = 4 on. */
static void put_element(struct execute_rig *r, enum type t, unsigned source, unsigned lane,
                        unsigned i, float x)
{
    uint32_t *word = &execute_rig_source(r, source + (t == TF32 ? i : i / 2))[lane];
    if (t == TF32)
        *word = bits_of(t, x);
    else
        *word = (*word & ~(0xffffu << i % 2 * 16)) | bits_of(t, x) << i % 2 * 16;
}

static void put_fragments(struct execute_rig *r, const struct shape *s, float a[M][16],
                              float b[16][8], float c[M][8])
{
    unsigned each = s->type == TF32 ? 1 : 2, a_count = M * s->k / 32, b_count = s->k * 8 / 32;
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        unsigned g = lane >> 2, t = lane % 4;
        for (unsigned i = 0; i < a_count; i++) {
            bool second = each == 2 ? i & 2 : i & 1;
            unsigned k = each == 2 ? t * 2 + (i & 1) + (i >= 4 ? 8 : 0) : t + (i >= 2 ? 4 : 0);
            put_element(r, s->type, 0, lane, i, a[g + 8 * second][k]);
        }
        for (unsigned i = 0; i < b_count; i++) {
            unsigned k = each == 2 ? t * 2 + (i & 1) + (i >= 2 ? 8 : 0) : t + (i >= 1 ? 4 : 0);
            put_element(r, s->type, a_count / each, lane, i, b[k][g]);
        }
        unsigned at = a_count / each + b_count / each;
        for (unsigned i = 0; i < 4; i++) {
            float x = c[g + 8 * (i / 2)][t * 2 + (i & 1)];
            put_element(r, s->halves ? F16 : TF32, at, lane, i, x);
        }
    }
}

static float result_of(struct execute_rig *r, const struct shape *s, unsigned m, unsigned n)
{
    unsigned lane = m % 8 * 4 + n / 2, i = m / 8 * 2 + n % 2;
    uint32_t word = execute_rig_dest(r, s->halves ? i / 2 : i)[lane];
    return s->halves ? f16_to_f32((uint16_t)(word >> i % 2 * 16)) : f32_from_bits(word);
}

static float uniform(struct execute_random *x)
{
    return (float)((double)(execute_random64(x) >> 11) / 0x1p52 - 1);
}

static void check_shape(const struct shape *s, enum gpu_generation g, bool integers, uint64_t seed)
{
    struct execute_random x = { seed };
    struct execute_rig *r = execute_rig_new(s->text);
    float a[M][16], b[16][8], c[M][8];
    r->kernel.generation = g;
    for (int round = 0; round < 30; round++) {
        for (unsigned i = 0; i < M * 16; i++)
            a[i / 16][i % 16] = integers ? (float)(execute_random64(&x) % 33) - 16
                                         : held(s->type, uniform(&x));
        for (unsigned i = 0; i < 16 * 8; i++)
            b[i / 8][i % 8] = integers ? (float)(execute_random64(&x) % 33) - 16
                                       : held(s->type, uniform(&x) * 8);
        for (unsigned i = 0; i < M * 8; i++)
            c[i / 8][i % 8] = integers ? (float)(execute_random64(&x) % 99) - 49
                              : s->halves ? held(F16, uniform(&x)) : uniform(&x);
        put_fragments(r, s, a, b, c);
        execute_rig_run(r, UINT32_MAX);
        for (unsigned m = 0; m < M; m++)
            for (unsigned n = 0; n < 8; n++) {
                double truth = (double)c[m][n], size = fabs(truth);
                for (unsigned k = 0; k < s->k; k++) {
                    truth += (double)a[m][k] * (double)b[k][n];
                    size += fabs((double)a[m][k] * (double)b[k][n]);
                }
                double got = (double)result_of(r, s, m, n);
                /* Each addend and each sum may lose up to a place of the largest. */
                double bound = size * (s->k + 2) * (s->halves ? 0x1p-11 : 0x1p-23);
                if (integers && (!s->halves || fabs(truth) <= 2048))
                    ck_assert_msg(got == truth, "%s [%u][%u]: %g, expected %g", s->text, m, n, got,
                                  truth);
                ck_assert_msg(fabs(got - truth) <= bound, "%s [%u][%u]: %g, expected %g, seed %llu",
                              s->text, m, n, got, truth, (unsigned long long)seed);
            }
    }
    execute_rig_free(r);
}

START_TEST(a_product_is_near_that_in_double)
{
    check_shape(&shapes[_i], GPU_SM_80, false, 500 + (uint64_t)_i);
    check_shape(&shapes[_i], GPU_SM_90, false, 600 + (uint64_t)_i);
    check_shape(&shapes[_i], GPU_SM_70, false, 700 + (uint64_t)_i);
}
END_TEST

START_TEST(small_whole_numbers_are_exact)
{
    check_shape(&shapes[_i], GPU_SM_80, true, 800 + (uint64_t)_i);
    check_shape(&shapes[_i], GPU_SM_90, true, 900 + (uint64_t)_i);
}
END_TEST

/* One sum, d = c + sum of a * b, all others 0. */
static float one_sum(enum gpu_generation g, unsigned k, bool tf32, bool halves, float c,
                     const float *a, const float *b)
{
    static struct gpu_tile t;
    memset(&t, 0, sizeof t);
    t.d[3][5] = c;
    for (unsigned i = 0; i < k; i++) {
        t.a[3][i] = a[i];
        t.b[i][5] = b[i];
    }
    struct gpu_tensor_form f = gpu_tensor_form(g, 8, k, tf32, halves);
    gpu_tensor_multiply(&t, &f);
    return t.d[3][5];
}

static const float ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

/* Beside 1, addends of 2^-24 (half a place) are cut off without extra bits; with one bit two
 * of them make a place, with none of them fewer. */
START_TEST(what_is_below_the_last_place_is_cut_off)
{
    float a[16] = { 0x1p-24f, 0x1p-24f };
    ck_assert(one_sum(GPU_SM_70, 4, false, false, 1, a, ones) == 1);
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 1, a, ones) == 1 + 0x1p-23f);
    float quarter[16] = { 0x1p-25f, 0x1p-25f, 0x1p-25f, 0x1p-25f };
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 1, quarter, ones) == 1);
    ck_assert(one_sum(GPU_SM_90, 16, false, false, 1, quarter, ones) == 1 + 0x1p-23f);
    /* Towards zero: also of what is negative, and of a sum that comes down a place. */
    float minus[16] = { -0x1p-24f };
    ck_assert(one_sum(GPU_SM_70, 4, false, false, -1, minus, ones) == -1);
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 1, minus, ones) == 1 - 0x1p-24f);
    ck_assert(one_sum(GPU_SM_70, 4, false, false, 1, minus, ones) == 1);
    float up[16] = { 1 + 0x1p-10f, 0x1p-23f * 3 };      /* 2 + ...: a bit falls off the end */
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 1, up, ones) == 2 + 0x1p-10f + 0x1p-22f);
}
END_TEST

/* 4 at a time, 8, 16: the first group's sum is cut before the second comes. */
START_TEST(groups_are_cut_one_after_the_other)
{
    float a[16] = { [0] = 1, [4] = 0x1p-24f, [5] = 0x1p-24f, [8] = -1 };
    /* sm_80: (1 + 2^-24 + 2^-24) - 1; sm_90: all at once the same; sm_70: 1, 1, 0. */
    ck_assert(one_sum(GPU_SM_70, 16, false, false, 0, a, ones) == 0);
    ck_assert(one_sum(GPU_SM_80, 16, false, false, 0, a, ones) == 0x1p-23f);
    ck_assert(one_sum(GPU_SM_90, 16, false, false, 0, a, ones) == 0x1p-23f);
    float late[16] = { [0] = 1, [1] = -1, [7] = 0x1p-30f, [15] = 0x1p-30f };
    ck_assert(one_sum(GPU_SM_70, 16, false, false, 0, late, ones) == 0x1p-29f);
    ck_assert(one_sum(GPU_SM_80, 16, false, false, 0, late, ones) == 0x1p-30f);
    ck_assert(one_sum(GPU_SM_90, 16, false, false, 0, late, ones) == 0);
    /* tf32: groups of half as many. */
    float tf[8] = { [0] = 1, [1] = -1, [4] = 0x1p-30f };
    ck_assert(one_sum(GPU_SM_80, 8, true, false, 0, tf, ones) == 0x1p-30f);
    ck_assert(one_sum(GPU_SM_90, 8, true, false, 0, tf, ones) == 0);
}
END_TEST

START_TEST(sums_of_halves_are_rounded_to_nearest)
{
    float a[16] = { 0x1p-11f, 0x1p-13f };
    ck_assert(one_sum(GPU_SM_80, 8, false, true, 1, a, ones) == 1 + 0x1p-10f);
    a[1] = 0;
    ck_assert(one_sum(GPU_SM_80, 8, false, true, 1, a, ones) == 1);     /* a tie, to even */
    a[1] = 0x1p-24f;
    ck_assert(one_sum(GPU_SM_80, 8, false, true, 1, a, ones) == 1 + 0x1p-10f);
    a[0] = 65504;
    a[1] = 100;
    ck_assert(one_sum(GPU_SM_80, 8, false, true, 0, a, ones) == INFINITY);
}
END_TEST

START_TEST(sums_beyond_the_fast_way_are_those_of_the_rule)
{
    float a[16] = { INFINITY, 3 }, b[16];
    memcpy(b, ones, sizeof b);
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 1, a, b) == INFINITY);
    b[0] = 0;
    ck_assert_uint_eq(f32_bits(one_sum(GPU_SM_80, 8, false, false, 1, a, b)), 0x7fffffff);
    a[0] = -INFINITY;
    b[0] = 1;
    ck_assert_uint_eq(f32_bits(one_sum(GPU_SM_90, 8, false, false, INFINITY, a, b)), 0x7fffffff);
    ck_assert_uint_eq(f32_bits(one_sum(GPU_SM_70, 8, false, false, NAN, ones, b)), 0x7fffffff);
    /* Tiny: bf16's products. */
    float tiny[16] = { 0x1p-70f, 0x1p-75f };
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 0, tiny, tiny) == 0x1p-140f);
    float small[16] = { 0x1p-60f };
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 0x1p-121f, small, small) == 0x1.8p-120f);
    /* Huge: a sum may leave the range only at its end. */
    float huge[16] = { 0x1p64f, -0x1p64f }, other[16] = { 0x1p63f, 0x1p63f };
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 5, huge, other) == 0);
    huge[1] = 0x1p64f;
    ck_assert(one_sum(GPU_SM_80, 8, false, false, 5, huge, other) == INFINITY);
    ck_assert_uint_eq(f32_bits(one_sum(GPU_SM_80, 8, false, false, -0.0f, tiny + 4, ones)), 0);
}
END_TEST

/* The fast way against the rule in whole numbers of 64 bits, sizes mixed wildly. */
START_TEST(each_sum_is_that_of_the_rule)
{
    struct execute_random x = { 4242 };
    for (int round = 0; round < 3000; round++) {
        enum gpu_generation g = (enum gpu_generation)(round % 3);
        unsigned group = g == GPU_SM_70 ? 4 : g == GPU_SM_80 ? 8 : 16, extra = (unsigned)g;
        float a[16], b[16], c = ldexpf(uniform(&x), (int)(execute_random64(&x) % 40) - 20);
        for (unsigned k = 0; k < 16; k++) {
            a[k] = held(F16, ldexpf(uniform(&x), (int)(execute_random64(&x) % 20) - 10));
            b[k] = held(F16, ldexpf(uniform(&x), (int)(execute_random64(&x) % 20) - 10));
        }
        double sum = (double)c;
        for (unsigned k = 0; k < 16; k += group) {
            double most = fabs(sum);
            for (unsigned i = k; i < k + group; i++)
                most = fmax(most, fabs((double)a[i] * (double)b[i]));
            int place = most > 0 ? ilogb(most) - 23 - (int)extra : 0;
            double total = trunc(ldexp(sum, -place));
            for (unsigned i = k; i < k + group; i++)
                total += trunc(ldexp((double)a[i] * (double)b[i], -place));
            sum = ldexp(total, place);
            if (sum != 0) {
                int last = ilogb(sum) - 23;
                sum = ldexp(trunc(ldexp(sum, -last)), last);
            }
        }
        ck_assert((double)one_sum(g, 16, false, false, c, a, b) == sum);
    }
}
END_TEST

/* s8: four in a register; PTX ISA: k = 4 t + (i & 3), + 16 from a's ninth, b's fifth on. */
START_TEST(bytes_multiply_exactly)
{
    struct execute_random x = { 11 };
    struct ptx_instruction i = { .op = PTX_MMA, .type = { PTX_S32, PTX_S8, PTX_U8, PTX_S32 },
                                 .m = 16, .n = 8, .k = 32, .row_a = 1 };
    struct execute_rig *r = execute_rig_new(shapes[1].text);    /* as many registers */
    ck_assert(gpu_execute_find(&i, &r->op));
    static int a[16][32], b[32][8], c[16][8];
    for (unsigned lane = 0; lane < GPU_LANES; lane++) {
        unsigned g = lane >> 2, t = lane % 4;
        for (unsigned e = 0; e < 16; e++) {
            uint8_t byte = (uint8_t)execute_random64(&x);
            a[e & 4 ? g + 8 : g][t * 4 + (e & 3) + (e >= 8 ? 16 : 0)] = (int8_t)byte;
            uint32_t *word = &execute_rig_source(r, e / 4)[lane];
            *word = (*word & ~(0xffu << e % 4 * 8)) | (uint32_t)byte << e % 4 * 8;
        }
        for (unsigned e = 0; e < 8; e++) {
            uint8_t byte = (uint8_t)execute_random64(&x);
            b[t * 4 + (e & 3) + (e >= 4 ? 16 : 0)][g] = byte;
            uint32_t *word = &execute_rig_source(r, 4 + e / 4)[lane];
            *word = (*word & ~(0xffu << e % 4 * 8)) | (uint32_t)byte << e % 4 * 8;
        }
        for (unsigned e = 0; e < 4; e++)
            execute_rig_source(r, 6 + e)[lane] =
                (uint32_t)(c[g + 8 * (e / 2)][t * 2 + (e & 1)] = (int)(execute_random64(&x) % 1000));
    }
    execute_rig_run(r, UINT32_MAX);
    for (unsigned m = 0; m < 16; m++)
        for (unsigned n = 0; n < 8; n++) {
            int sum = c[m][n];
            for (unsigned k = 0; k < 32; k++)
                sum += a[m][k] * b[k][n];
            ck_assert_int_eq((int)execute_rig_dest(r, m / 8 * 2 + n % 2)[m % 8 * 4 + n / 2], sum);
        }
    execute_rig_free(r);
}
END_TEST

Suite *tensor_suite(void)
{
    Suite *s = suite_create("tensor");
    TCase *t = tcase_create("mma");
    tcase_add_loop_test(t, a_product_is_near_that_in_double, 0, COUNT_OF(shapes));
    tcase_add_loop_test(t, small_whole_numbers_are_exact, 0, COUNT_OF(shapes));
    tcase_add_test(t, bytes_multiply_exactly);
    suite_add_tcase(s, t);
    t = tcase_create("sums");
    tcase_add_test(t, what_is_below_the_last_place_is_cut_off);
    tcase_add_test(t, groups_are_cut_one_after_the_other);
    tcase_add_test(t, sums_of_halves_are_rounded_to_nearest);
    tcase_add_test(t, sums_beyond_the_fast_way_are_those_of_the_rule);
    tcase_add_test(t, each_sum_is_that_of_the_rule);
    suite_add_tcase(s, t);
    return s;
}
