/* test_tpu_values_cores.c - rows over cores, their sums, and plans that were once wrong. */
#include "tests/models/tpu/tpu_values_rig.h"
#include "tests/suites.h"

/* Sums over rows of small whole numbers are exact whatever their order, and so are these. */
START_TEST(sums_over_cores_are_the_sums)
{
    struct dice d = { (uint64_t)_i + 31 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = hostile_machine(&d), .what = "sums over cores" };
    char text[512];
    unsigned batch = 1 + (unsigned)roll(&d, 40), m = 1 + (unsigned)roll(&d, 30);
    unsigned n = 1 + (unsigned)roll(&d, 30);
    snprintf(text, sizeof text, "batch %u\ntensor x input f32 %ux%u\ntensor z input f32 %ux%u\n"
             "tensor g output f32 %ux%u\ntensor s output f32 %u\ntensor l output f32 1\n"
             "backward matmul g = x z transpose_a compute=bf16\nbackward sum_rows s = z\n"
             "loss sum l = x\n", batch, batch, m, batch, n, m, n, n);
    r.trace = rig_trace(text);
    if (rig_lower(&r, TPU_MXU_FAST, &why)) {
        double x[40 * 30], z[40 * 30], got[30 * 30], all = 0;
        for (unsigned i = 0; i < batch * m; i++)
            all += x[i] = (double)roll(&d, 17) - 8;
        for (unsigned i = 0; i < batch * n; i++)
            z[i] = (double)roll(&d, 17) - 8;
        tpu_values_set(r.values, 0, x);
        tpu_values_set(r.values, 1, z);
        tpu_values_step(r.values, 0, NULL);
        ck_assert(tpu_values_get(r.values, 2, got));
        for (unsigned i = 0; i < m * n; i++) {
            double sum = 0;
            for (unsigned b = 0; b < batch; b++)
                sum += x[b * m + i / n] * z[b * n + i % n];
            ck_assert_msg(got[i] == sum, "seed %d: g[%u] is %g; expected %g", _i, i, got[i], sum);
        }
        ck_assert(tpu_values_get(r.values, 3, got));
        for (unsigned j = 0; j < n; j++) {
            double sum = 0;
            for (unsigned b = 0; b < batch; b++)
                sum += z[b * n + j];
            ck_assert_msg(got[j] == sum, "seed %d: s[%u] is %g; expected %g", _i, j, got[j], sum);
        }
        ck_assert(tpu_values_get(r.values, 4, got));
        ck_assert_msg(got[0] == all, "seed %d: l is %g; expected %g", _i, got[0], all);
    }
    rig_drop(&r);
}
END_TEST

/* Three cores with a row each: 2^25 + 1 is 2^25 in f32, so (2^25 + 1) - 2^25 is 0, and the only
 * order that gives 1 is (2^25 - 2^25) + 1.  All shares of the sum are in the order of cores. */
START_TEST(summands_are_added_in_the_order_of_cores)
{
    static const char *const three[] = { "chip.cores=3", "hbm.stacks=3", NULL };
    static const double first[3] = { 0x1p25, 1, -0x1p25 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", three), .what = "order",
        .trace = rig_trace("batch 3\ntensor x input f32 3x3000\ntensor s output f32 3000\n"
                           "backward sum_rows s = x\n") };
    static double x[9000], s[3000];
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    for (int i = 0; i < 9000; i++)
        x[i] = first[(i / 3000 + i % 3) % 3];
    tpu_values_set(r.values, 0, x);
    tpu_values_step(r.values, 0, NULL);
    ck_assert(tpu_values_get(r.values, 1, s));
    for (int i = 0; i < 3000; i++)      /* 1 is lost unless it comes last */
        ck_assert_msg(s[i] == (i % 3 == 2 ? 1 : 0), "s[%d] is %g", i, s[i]);
    rig_drop(&r);
}
END_TEST

/* Row by row nothing depends on who has the row; sums over k go by the array alone. */
START_TEST(rows_are_the_same_on_any_core)
{
    struct dice d = { (uint64_t)_i + 600 };
    struct diag why = { .text = "" };
    struct values_rig one = { .machine = hostile_machine(&d), .options = { .cores = 1 } }, all;
    snprintf(one.what, sizeof one.what, "cores, seed %d", _i);
    hostile_set(one.machine, "mxu.dataflow", "weight-stationary");
    one.trace = hostile_net(&d);
    all = one;
    all.options.cores = 0;
    if (rig_lower(&one, TPU_MXU_FAST, &why) && rig_lower(&all, TPU_MXU_FAST, &why)) {
        struct dice same = d;
        rig_fill(&one, &d);
        rig_fill(&all, &same);
        tpu_values_step(one.values, 0, NULL);
        tpu_values_step(all.values, 0, NULL);
        rig_compare(&one, &all, true);
    }
    rig_drop_pair(&one, &all);
}
END_TEST

/* What cores have whole is computed once: only right if all of them do the same. */
START_TEST(cores_do_the_same_to_what_they_have_whole)
{
    struct dice d = { (uint64_t)_i + 6100 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = hostile_machine(&d), .what = "whole" };
    r.trace = hostile_net(&d);
    if (rig_lower(&r, TPU_MXU_FAST, &why) && !r.plan->shared)
        for (uint32_t g = 0; g < r.plan->group_count; g++) {
            const struct tpu_group *x = &r.plan->groups[g];
            if (x->op_count == 0 || r.plan->tensors[r.trace->ops[x->ops[0]].in[0]].share)
                continue;
            for (uint32_t c = 1; c < r.plan->cores; c++) {
                const struct tpu_program *p = r.plan->programs[0], *q = r.plan->programs[c];
                uint32_t i = 0, k = 0;
                while (i < p->count && p->uops[i].group < g)
                    i++;
                while (k < q->count && q->uops[k].group < g)
                    k++;
                for (; i < p->count && p->uops[i].group == g; i++, k++) {
                    ck_assert(k < q->count && p->uops[i].unit == q->uops[k].unit);
                    ck_assert(memcmp(&p->uops[i].work, &q->uops[k].work,
                                     sizeof p->uops[i].work) == 0);
                }
            }
        }
    rig_drop(&r);
}
END_TEST

/* ---- what was once lowered wrong ---- */

START_TEST(cores_that_share_memory_do_not_share_a_sum)
{
    static const char *const sets[] = { "chip.cores=3", "hbm.stacks=3", "chip.hbm_sharing=shared",
                                        NULL };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", sets), .what = "shared sum",
        .trace = rig_trace("batch 3\ntensor x weight f32 50x7\ntensor s output f32 7\n"
                           "backward sum_rows s = x\n") };
    double x[350], s[7];
    for (int i = 0; i < 350; i++)
        x[i] = i % 7 + 1;
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    tpu_values_set(r.values, 0, x);
    tpu_values_step(r.values, 0, NULL);
    ck_assert(tpu_values_get(r.values, 1, s));
    for (int j = 0; j < 7; j++)
        ck_assert(s[j] == 50 * (j + 1));
    rig_drop(&r);
}
END_TEST

/* The mean of row j is known when row j has been seen, and every row adds it in column j. */
START_TEST(numbers_of_rows_are_no_factors_of_columns_in_their_own_group)
{
    static const char *const small[] = { "lower.vector_bytes=256", NULL };
    struct dice d = { 3 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", small), .what = "rows, columns",
        .trace = rig_trace("tensor x weight f32 20x20\ntensor g weight f32 20\n"
                           "tensor y output f32 20x20\ntensor m output f32 20\n"
                           "tensor v output f32 20\ntensor z output f32 20x20\n"
                           "forward layernorm y m v = x g g epsilon=0.5\n"
                           "forward bias z = y m\n") };
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    rig_fill(&r, &d);
    tpu_values_step(r.values, 0, NULL);
    double *y = rig_get(&r, 2), *m = rig_get(&r, 3), *z = rig_get(&r, 5);
    for (int i = 0; i < 400; i++)
        ck_assert(rig_bits(z[i]) == rig_bits((double)((float)y[i] + (float)m[i % 20])));
    free(y);
    free(m);
    free(z);
    rig_drop(&r);
}
END_TEST

START_TEST(a_row_that_is_needed_whole_is_not_cut)
{
    static const char *const small[] = { "lower.vector_bytes=256", NULL };
    struct dice d = { 4 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", small), .what = "long row",
        .trace = rig_trace("tensor x weight f32 500\ntensor y output f32 500\n"
                           "forward softmax y = x\n") };
    double sum = 0;
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    rig_fill(&r, &d);
    tpu_values_step(r.values, 0, NULL);
    double *y = rig_get(&r, 1);
    for (int i = 0; i < 500; i++)
        sum += y[i];
    ck_assert_double_eq_tol(sum, 1, 1e-5);
    free(y);
    rig_drop(&r);
}
END_TEST

START_TEST(a_row_on_several_cores_is_refused_by_what_needs_it_whole)
{
    static const char *const two[] = { "chip.cores=2", "hbm.stacks=2", NULL };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", two), .what = "shared row",
        .trace = rig_trace("batch 50\ntensor x input f32 50\ntensor y output f32 50\n"
                           "forward softmax y = x\n") };
    ck_assert(!rig_lower(&r, TPU_MXU_FAST, &why));
    ck_assert_str_eq(why.text, "softmax y: takes a row that is shared over cores; expected "
                               "--cores 1");
    rig_drop(&r);
}
END_TEST

Suite *tpu_values_cores_suite(void)
{
    Suite *s = suite_create("tpu_values_cores");
    TCase *t = tcase_create("values");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, sums_over_cores_are_the_sums, 0, 40);
    tcase_add_test(t, summands_are_added_in_the_order_of_cores);
    tcase_add_loop_test(t, rows_are_the_same_on_any_core, 0, 30);
    tcase_add_loop_test(t, cores_do_the_same_to_what_they_have_whole, 0, 30);
    tcase_add_test(t, cores_that_share_memory_do_not_share_a_sum);
    tcase_add_test(t, numbers_of_rows_are_no_factors_of_columns_in_their_own_group);
    tcase_add_test(t, a_row_that_is_needed_whole_is_not_cut);
    tcase_add_test(t, a_row_on_several_cores_is_refused_by_what_needs_it_whole);
    suite_add_tcase(s, t);
    return s;
}
