/* test_tpu_values_toggles.c - bits that change in a TPU's operand registers and on the way to
 * its memory. */
#include "tests/models/tpu/tpu_values_rig.h"
#include "tests/suites.h"

static const char one_by_one[] =
    "tensor a weight f32 1x1\ntensor b weight f32 1x1\ntensor y output f32 1x1\n"
    "forward matmul y = a b compute=bf16\n";

/* 1.0 is 0x3f80, seven ones, in one column; -2.0 is 0xc000, two.  The second time they are there
 * already.  In memory each is the first of 8 f32, in beats of 8 bytes: it comes and goes. */
START_TEST(bits_change_where_they_differ_from_what_was_there)
{
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", NULL), .what = "toggles",
                            .trace = rig_trace(one_by_one) };
    struct toggles t = { 0 };
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    ck_assert_uint_eq(r.figures->tpu.vpu.lanes, 8);
    ck_assert_uint_le(r.figures->hbm.channel_bits / r.figures->hbm.pseudo_channels, 64);
    tpu_values_set(r.values, 0, &(double){ 1 });
    tpu_values_set(r.values, 1, &(double){ -2 });
    tpu_values_step(r.values, 0, &t);
    ck_assert_uint_eq(t.of[TOGGLES_MATRIX].bits, 16 + 16);
    ck_assert_uint_eq(t.of[TOGGLES_MATRIX].changed, 7 + 2);
    ck_assert_uint_eq(t.of[TOGGLES_HBM].bits, 3 * 8 * 32);
    ck_assert_uint_eq(t.of[TOGGLES_HBM].changed, 2 * (7 + 2 + 2));
    tpu_values_step(r.values, 1, &t);
    ck_assert_uint_eq(t.of[TOGGLES_MATRIX].bits, 2 * (16 + 16));
    ck_assert_uint_eq(t.of[TOGGLES_MATRIX].changed, 7 + 2);
    ck_assert_uint_eq(t.of[TOGGLES_HBM].changed, 2 * 2 * (7 + 2 + 2));
    ck_assert_uint_eq(t.of[TOGGLES_LANES].bits, 0);
    rig_drop(&r);
}
END_TEST

/* Zeros move bits and change none; the values are those of a run that does not count. */
START_TEST(zeros_change_nothing_and_random_numbers_half)
{
    struct dice d = { (uint64_t)_i + 9 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = hostile_machine(&d) }, plain;
    snprintf(r.what, sizeof r.what, "toggles, seed %d", _i);
    r.trace = rig_product(&d);
    plain = r;
    if (rig_lower(&r, TPU_MXU_FAST, &why) && rig_lower(&plain, TPU_MXU_FAST, &why)) {
        struct toggles t = { 0 }, u = { 0 };
        tpu_values_step(r.values, 0, &t);
        ck_assert_uint_gt(t.of[TOGGLES_MATRIX].bits, 0);
        ck_assert_uint_gt(t.of[TOGGLES_HBM].bits, 0);
        ck_assert_uint_eq(t.of[TOGGLES_MATRIX].changed, 0);
        ck_assert_uint_eq(t.of[TOGGLES_HBM].changed, 0);
        struct dice same = d;
        rig_fill(&r, &d);
        rig_fill(&plain, &same);
        tpu_values_step(r.values, 0, &u);
        tpu_values_step(plain.values, 0, NULL);
        rig_compare(&r, &plain, false);
        ck_assert_uint_eq(u.of[TOGGLES_MATRIX].bits, t.of[TOGGLES_MATRIX].bits);
        ck_assert_uint_gt(u.of[TOGGLES_MATRIX].changed, 0);
        ck_assert_uint_lt(u.of[TOGGLES_MATRIX].changed, u.of[TOGGLES_MATRIX].bits * 6 / 10);
    }
    rig_drop_pair(&r, &plain);
}
END_TEST

/* What is moved is what the time counts. */
START_TEST(bits_moved_are_the_bytes_of_the_program)
{
    struct dice d = { (uint64_t)_i + 4400 };
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = hostile_machine(&d), .what = "bytes" };
    r.trace = _i % 2 ? hostile_net(&d) : hostile_chain(&d);
    if (rig_lower(&r, TPU_MXU_FAST, &why)) {
        struct toggles *t = calloc(r.plan->group_count, sizeof *t);
        uint64_t *bytes = calloc(r.plan->group_count, sizeof *bytes);
        rig_fill(&r, &d);
        tpu_values_step(r.values, 0, t);
        for (uint32_t c = 0; c < r.plan->cores; c++)
            for (uint32_t i = 0; i < r.plan->programs[c]->count; i++) {
                const struct tpu_uop *u = &r.plan->programs[c]->uops[i];
                if (u->unit == TPU_LOAD || u->unit == TPU_STORE)
                    bytes[u->group] += (uint64_t)u->transfer.rows * u->transfer.row_bytes;
            }
        for (uint32_t g = 0; g < r.plan->group_count; g++)
            ck_assert_msg(t[g].of[TOGGLES_HBM].bits == 8 * bytes[g], "seed %d: %s", _i,
                          r.plan->groups[g].name);
        free(t);
        free(bytes);
    }
    rig_drop(&r);
}
END_TEST

Suite *tpu_values_toggles_suite(void)
{
    Suite *s = suite_create("tpu_values_toggles");
    TCase *t = tcase_create("values");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, bits_change_where_they_differ_from_what_was_there);
    tcase_add_loop_test(t, zeros_change_nothing_and_random_numbers_half, 0, 20);
    tcase_add_loop_test(t, bits_moved_are_the_bytes_of_the_program, 0, 60);
    suite_add_tcase(s, t);
    return s;
}
