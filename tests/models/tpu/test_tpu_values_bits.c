/* test_tpu_values_bits.c - values of a TPU bit by bit: the order of a product's sums, and of the
 * vector unit's, what is rounded, and both forms of the array. */
#include "tests/models/gpu/trace_values.h"
#include "tests/models/tpu/tpu_values_rig.h"
#include "tests/suites.h"

/* ---- products ---- */

/* Operand a or b of a product at row i, column j of matrix g, however it is stored. */
struct matrix { const double *at; bool turned; uint64_t rows, cols; };

static double element(const struct matrix *m, uint64_t g, uint64_t i, uint64_t j)
{
    return m->at[g * m->rows * m->cols + (m->turned ? j * m->rows + i : i * m->cols + j)];
}

/* x is the first part and what is left, and so on; two bf16 are left over from one in f32. */
static float part(double x, int index)
{
    double first = value_round(x, TRACE_BF16);
    return index == 0 ? (float)first : part(x - first, index - 1);
}

/* a's part and b's, smallest products first; of what streams and what stays, whichever is which. */
static const int passes[6][2] = { { 1, 1 }, { 0, 2 }, { 2, 0 }, { 0, 1 }, { 1, 0 }, { 0, 0 } };

struct twin {
    struct matrix a, b;
    uint64_t k, tile;           /* products of a sum; of one pass through the array */
    bool     six, swapped;      /* b streams and a stays */
};

static float twin_sum(const struct twin *t, uint64_t g, uint64_t i, uint64_t j)
{
    float result = 0;
    for (uint64_t from = 0; from < t->k; from += t->tile)
        for (int p = t->six ? 0 : 5; p < 6; p++) {
            float sum = 0;
            for (uint64_t k = from; k < t->k && k < from + t->tile; k++) {
                float product = part(element(&t->a, g, i, k), passes[p][t->swapped])
                              * part(element(&t->b, g, k, j), passes[p][!t->swapped]);
                sum = sum + product;
            }
            result = from == 0 && p == (t->six ? 0 : 5) ? sum : result + sum;
        }
    return result;
}

/* The array's depth, or where outputs stay a chunk of k of the program. */
static uint64_t depth_of(const struct values_rig *r)
{
    if (r->figures->tpu.mxu.dataflow == TPU_MXU_WEIGHT_STATIONARY)
        return r->figures->tpu.mxu.rows;
    for (uint32_t i = 0; i < r->plan->programs[0]->count; i++)
        if (r->plan->programs[0]->uops[i].unit == TPU_MATRIX)
            return r->plan->programs[0]->uops[i].product.k;
    return 1;
}

static bool swapped(const struct values_rig *r)
{
    for (uint32_t i = 0; i < r->plan->programs[0]->count; i++)
        if (r->plan->programs[0]->uops[i].unit == TPU_MATRIX)
            return r->plan->programs[0]->uops[i].work.turned;
    return false;
}

static void check_product(const struct values_rig *r)
{
    const struct trace_op *op = &r->trace->ops[0];
    struct op_matmul d = op_matmul(r->trace, op);
    double *a = rig_get(r, op->in[0]), *b = rig_get(r, op->in[1]), *y = rig_get(r, op->out[0]);
    struct twin t = { { a, op->transpose_a, d.m, d.k }, { b, op->transpose_b, d.k, d.n },
                      d.k, depth_of(r), r->options.highest, swapped(r) };
    ck_assert(a && b && y);
    for (uint64_t g = 0; g < d.batch; g++)
        for (uint64_t i = 0; i < d.m; i++)
            for (uint64_t j = 0; j < d.n; j++) {
                float expected = twin_sum(&t, g, i, j);
                double got = y[(g * d.m + i) * d.n + j];
                if (rig_bits(got) != rig_bits((double)expected))
                    ck_abort_msg("%s: [%llu][%llu] is %a; expected %a", r->what,
                                 (unsigned long long)i, (unsigned long long)j, got,
                                 (double)expected);
            }
    free(a);
    free(b);
    free(y);
}

/* Whatever the machine, in what chunks and panels, and whichever operand stays. */
START_TEST(a_product_has_the_bits_of_sums_along_the_array_and_then_over_tiles)
{
    struct dice d = { (uint64_t)_i + 77 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = hostile_machine(&d), .trace = rig_product(&d) };
    snprintf(r.what, sizeof r.what, "product, seed %d", _i);
    r.options.highest = roll(&d, 3) == 0;
    r.options.cores = 1;
    if (rig_lower(&r, TPU_MXU_FAST, &why)) {
        rig_fill(&r, &d);
        tpu_values_step(r.values, 0, NULL);
        check_product(&r);
    }
    rig_drop(&r);
}
END_TEST

/* 2^-149 is the least f32: half of it by itself is 0, and beside 2^-149 would be one more.
 * 2^127 x 2 is infinite before the same is taken off.  Rounding to bf16 is to the even one. */
START_TEST(each_product_is_rounded_before_it_is_added)
{
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", NULL), .what = "edges",
        .trace = rig_trace("tensor a weight f32 4x6\ntensor b weight f32 6x1\n"
                           "tensor y output f32 4x1\nforward matmul y = a b compute=bf16\n") };
    static const double a[4][6] = {
        { 0x1p-75, 0x1p-76 },
        { 0, 0, 0x1p127, -0x1p127 },
        { 0, 0, 0, 0, 1 + 0x1p-8, 1 + 3 * 0x1p-8 },     /* down to 1, up to 1 + 2^-6 */
        { 0x1p-60 },
    };
    static const double b[6] = { 0x1p-74, 0x1p-74, 2, 2, 1, 1 };
    double y[4];
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    tpu_values_set(r.values, 0, a[0]);
    tpu_values_set(r.values, 1, b);
    tpu_values_step(r.values, 0, NULL);
    ck_assert(tpu_values_get(r.values, 2, y));
    ck_assert(y[0] == 0x1p-149);
    ck_assert(isnan(y[1]));
    ck_assert(y[2] == 1 + (1 + 0x1p-6));
    ck_assert(y[3] == 0x1p-134);
    rig_drop(&r);
}
END_TEST

/* ---- sums ---- */

/* As eight numbers in a register are rotated by four, two and one, and added. */
static float eight(const float x[8])
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

/* tpu-mini has 8 lanes and 8 sublanes.  37 x 21: row r is in sublane r mod 8, column c in lane
 * c mod 8, and each place adds up what comes by, from 0. */
START_TEST(sums_go_through_lanes_and_sublanes)
{
    struct dice d = { (uint64_t)_i + 12 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", NULL), .what = "sums",
        .options = { .cores = 1 },
        .trace = rig_trace("tensor x weight f32 37x21\ntensor s output f32 21\n"
                           "tensor t output f32 1\nbackward sum_rows s = x\n"
                           "loss sum t = x\n") };
    double given[37 * 21];
    for (int i = 0; i < 37 * 21; i++)
        given[i] = 1 / (1 + (double)roll(&d, 1u << 20)) - 1 / (1 + (double)roll(&d, 40));
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    tpu_values_set(r.values, 0, given);
    tpu_values_step(r.values, 0, NULL);
    double *x = rig_get(&r, 0), *s = rig_get(&r, 1), *t = rig_get(&r, 2);
    float columns[21][8] = { { 0 } }, places[8][8] = { { 0 } }, lanes[8];   /* [lane][sublane] */
    for (int i = 0; i < 37 * 21; i++) {
        columns[i % 21][i / 21 % 8] += (float)x[i];
        places[i % 21 % 8][i / 21 % 8] += (float)x[i];
    }
    for (int c = 0; c < 21; c++)
        ck_assert(s[c] == eight(columns[c]));
    for (int c = 0; c < 8; c++)
        lanes[c] = eight(places[c]);
    ck_assert(t[0] == eight(lanes));
    free(x);
    free(s);
    free(t);
    rig_drop(&r);
}
END_TEST

/* 1 + 2^-10 has no place in bf16: a result is rounded when it leaves its group, and a cast at
 * once. */
START_TEST(what_stays_in_a_group_is_rounded_by_casts_alone)
{
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", NULL), .what = "rounding",
        .trace = rig_trace("tensor x input f32 3x5\ntensor h activation bf16 3x5\n"
                           "tensor c activation bf16 3x5\ntensor y output f32 3x5\n"
                           "tensor z output f32 3x5\ntensor k output bf16 3x5\n"
                           "forward relu h = x\nforward cast c = x\n"
                           "forward scale y = h factor=2\nforward scale z = c factor=2\n"
                           "forward relu k = y\n") };
    double x[15], y[15], z[15], k[15];
    for (int i = 0; i < 15; i++)
        x[i] = 1 + 0x1p-10;
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    ck_assert_uint_eq(r.plan->group_count, 1);
    tpu_values_set(r.values, 0, x);
    tpu_values_step(r.values, 0, NULL);
    ck_assert(!tpu_values_get(r.values, 1, y) && !tpu_values_get(r.values, 2, z));
    ck_assert(tpu_values_get(r.values, 3, y) && tpu_values_get(r.values, 4, z));
    ck_assert(tpu_values_get(r.values, 5, k));
    for (int i = 0; i < 15; i++) {
        ck_assert(y[i] == 2 + 0x1p-9);
        ck_assert(z[i] == 2);
        ck_assert(k[i] == 2);
    }
    rig_drop(&r);
}
END_TEST

/* ---- both forms ---- */

START_TEST(the_register_exact_array_makes_the_same_bits)
{
    struct dice d = { (uint64_t)_i + 5005 };
    struct diag why = { .text = "" };
    struct values_rig fast = { .machine = hostile_machine(&d) }, exact;
    snprintf(fast.what, sizeof fast.what, "forms, seed %d", _i);
    const struct figures *figures = machine_figures(fast.machine);
    const struct tpu_mxu_config *mxu = &figures->tpu.mxu;
    if (mxu->rows * mxu->cols > 256)
        hostile_set(fast.machine, "mxu.rows", "13");
    if (mxu->rows * mxu->cols > 256)
        hostile_set(fast.machine, "mxu.cols", "9");
    fast.options.highest = roll(&d, 3) == 0;
    fast.trace = _i % 2 ? rig_product(&d) : rig_net("input 19\nbatch 21\ndense 12 tanh\ndense 5 softmax\n"
                                                "loss cross_entropy\noptimizer adam\n");
    exact = fast;
    if (rig_lower(&fast, TPU_MXU_FAST, &why) && rig_lower(&exact, TPU_MXU_EXACT, &why)) {
        struct dice same = d;
        rig_fill(&fast, &d);
        rig_fill(&exact, &same);
        for (uint64_t step = 0; step < 2; step++) {
            tpu_values_step(fast.values, step, NULL);
            tpu_values_step(exact.values, step, NULL);
        }
        rig_compare(&fast, &exact, false);
    }
    rig_drop_pair(&fast, &exact);
}
END_TEST

Suite *tpu_values_bits_suite(void)
{
    Suite *s = suite_create("tpu_values_bits");
    TCase *t = tcase_create("bits");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_product_has_the_bits_of_sums_along_the_array_and_then_over_tiles, 0, 150);
    tcase_add_test(t, each_product_is_rounded_before_it_is_added);
    tcase_add_loop_test(t, sums_go_through_lanes_and_sublanes, 0, 5);
    tcase_add_test(t, what_stays_in_a_group_is_rounded_by_casts_alone);
    tcase_add_loop_test(t, the_register_exact_array_makes_the_same_bits, 0, 40);
    suite_add_tcase(s, t);
    return s;
}
