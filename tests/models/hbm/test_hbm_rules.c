/* test_hbm_rules.c - each JEDEC time holds where it should, to the clock, and not elsewhere.
 *
 * All figures differ, so no rule can stand in for another. */
#include <stdlib.h>

#include "models/hbm/hbm_pseudo.h"
#include "tests/suites.h"

static const struct hbm_config figures = {
    .burst_length = 8, .clock_bits = 2, .pin_gbps = 2,          /* burst 4 clocks of 1 ns */
    .rcd_rd_ns = 13, .rcd_wr_ns = 11, .rp_ns = 15, .ras_ns = 31, .rc_ns = 47,
    .ccd_s_ns = 5, .ccd_l_ns = 7, .rrd_s_ns = 3, .rrd_l_ns = 6, .faw_ns = 29,
    .cl_ns = 17, .cwl_ns = 8, .wr_ns = 19, .rtp_ns = 9, .wtr_s_ns = 10, .wtr_l_ns = 12,
    .turn_ns = 2, .rfc_ns = 257.5, .refi_ns = 3900, .act_cycles = 2, .pre_cycles = 1,
};

/* 2 groups of 4 banks: bank 1 and 2 share a group, 1 and 5 do not. */
enum { BANK = 1, NEIGHBOUR = 2, STRANGER = 5 };

/* After `first` to BANK, `then` to each must wait; 0: not at all.  Sums worked out by hand. */
static const struct { enum hbm_command first, then; cycle_t bank, neighbour, stranger; } cases[] = {
    { HBM_ACT, HBM_RD,  13,             0,              0 },
    { HBM_ACT, HBM_WR,  11,             0,              0 },
    { HBM_ACT, HBM_PRE, 31,             0,              0 },
    { HBM_ACT, HBM_ACT, 47,             6,              3 },
    { HBM_PRE, HBM_ACT, 15,             0,              0 },
    { HBM_RD,  HBM_PRE, 9,              0,              0 },
    { HBM_WR,  HBM_PRE, 8 + 4 + 19,     0,              0 },
    { HBM_RD,  HBM_RD,  7,              7,              5 },
    { HBM_WR,  HBM_WR,  7,              7,              5 },
    { HBM_WR,  HBM_RD,  8 + 4 + 12,     8 + 4 + 12,     8 + 4 + 10 },
    { HBM_RD,  HBM_WR,  17 + 4 + 2 - 8, 17 + 4 + 2 - 8, 17 + 4 + 2 - 8 },
    { HBM_PRE, HBM_REF, 15,             15,             15 },
    { HBM_ACT, HBM_REF, 47,             47,             47 },
    { HBM_REF, HBM_ACT, 258,            258,            258 },
    { HBM_REF, HBM_REF, 258,            258,            258 },
    /* and what has no rule does not wait */
    { HBM_RD,  HBM_ACT, 0,              0,              0 },
    { HBM_WR,  HBM_ACT, 0,              0,              0 },
    { HBM_PRE, HBM_PRE, 0,              0,              0 },
};

START_TEST(a_command_is_legal_exactly_when_its_rules_say)
{
    const struct clock clock = { 1000000000 };
    struct hbm_timing t = hbm_timing(&figures, &clock);
    struct hbm_pseudo *p = calloc(1, sizeof *p);
    p->bank_bits = 2;
    cycle_t now = 1000;
    hbm_pseudo_apply(p, &t, cases[_i].first, BANK, now);
    const uint32_t banks[] = { BANK, NEIGHBOUR, STRANGER };
    const cycle_t waits[] = { cases[_i].bank, cases[_i].neighbour, cases[_i].stranger };
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(hbm_pseudo_at(p, cases[_i].then, banks[i]),
                          waits[i] ? now + waits[i] : 0);
    free(p);
}
END_TEST

START_TEST(the_fifth_activate_waits_for_the_first)
{
    const struct clock clock = { 1000000000 };
    struct hbm_timing t = hbm_timing(&figures, &clock);
    struct hbm_pseudo *p = calloc(1, sizeof *p);
    p->bank_bits = 2;
    /* Alternating groups: 3 clocks apart.  The fifth is held by tFAW = 29 of the first, the
     * sixth, in the second's group, by 29 of the second. */
    const cycle_t expected[] = { 100, 103, 106, 109, 129, 132 };
    const uint32_t banks[] = { 0, 4, 1, 5, 2, 6 };
    cycle_t now = 100;
    for (size_t i = 0; i < COUNT_OF(banks); i++) {
        now = cycle_max(now, hbm_pseudo_at(p, HBM_ACT, banks[i]));
        ck_assert_uint_eq(now, expected[i]);
        hbm_pseudo_act(p, &t, banks[i], 0, now);
    }
    free(p);
}
END_TEST

START_TEST(times_are_rounded_up_to_whole_clocks)
{
    struct hbm_config c = figures;
    c.pin_gbps = 1.5;                               /* 0.75 GHz: 4/3 ns a clock */
    const struct clock clock = { 750000000 };
    struct hbm_timing t = hbm_timing(&c, &clock);
    ck_assert_uint_eq(t.rcd_rd, 10);                /* 9.75 */
    ck_assert_uint_eq(t.cwl, 6);                    /* exactly 6 */
    ck_assert_uint_eq(t.burst, 4);                  /* bits, not ns */
    ck_assert_uint_eq(t.wr_pre, 6 + 4 + 15);        /* 14.25 */
    ck_assert_uint_eq(t.ccd_s, 4);                  /* 3.75, and the burst */
}
END_TEST

Suite *hbm_rules_suite(void)
{
    Suite *s = suite_create("hbm_rules");
    TCase *t = tcase_create("rules");
    tcase_add_loop_test(t, a_command_is_legal_exactly_when_its_rules_say, 0, COUNT_OF(cases));
    tcase_add_test(t, the_fifth_activate_waits_for_the_first);
    tcase_add_test(t, times_are_rounded_up_to_whole_clocks);
    suite_add_tcase(s, t);
    return s;
}
