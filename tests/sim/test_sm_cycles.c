/* test_sm_cycles.c - what is shown of an SM's cycles is what its counts are made of. */
#include "sim/sm_cycles.h"

#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "sim/gemm.h"
#include "sim/loop.h"
#include "sim/step_sm.h"
#include "tests/suites.h"

/* Several blocks an SM, one; two schedulers, four; loose round robin; stores, barriers. */
static const struct { const char *machine, *set, *product; enum trace_type type; } cases[] = {
    { "gpu-mini", NULL, "70x40x150", TRACE_F16 },
    { "gpu-mini", "sm.scheduler=lrr", "64x64x64", TRACE_F32 },
    { "v100", NULL, "64x128x640", TRACE_F16 },
    { "a100", NULL, "64x128x64", TRACE_BF16 },
};

static struct {
    struct machine  *machine;
    struct trace    *trace;
    struct gpu_plan *plan;
    struct gpu_config gpu;
    const struct hbm_config *hbm;
} t;

static void set_up(int i)
{
    struct diag d = { .text = "" };
    struct gemm g = { .type = cases[i].type };
    struct gpu_lower_options options = { .exact_f32 = false };
    t.machine = machine_find(&figures_schema, cases[i].machine, &d);
    ck_assert_msg(t.machine != NULL, "%s", d.text);
    if (cases[i].set)
        ck_assert_msg(machine_set(t.machine, cases[i].set, "test", &d), "%s", d.text);
    const struct figures *f = machine_figures(t.machine);
    ck_assert(gemm_parse(&g, cases[i].product));
    t.trace = gemm_trace(&g, &d);
    t.plan = gpu_lower(&f->gpu, &f->hbm, t.trace, &options, false, &d);
    ck_assert_msg(t.plan != NULL, "%s", d.text);
    t.gpu = f->gpu;
    t.gpu.launch.first_us = 0;
    t.hbm = &f->hbm;
}

static void tear_down(void)
{
    gpu_plan_free(t.plan);
    trace_free(t.trace);
    machine_free(t.machine);
}

static struct gpu_chip *new_chip(void)
{
    struct diag d = { .text = "" };
    struct gpu_chip *c = gpu_chip_new(&(struct gpu_chip_config_run){
        .config = &t.gpu, .hbm = t.hbm, .launches = t.plan->launches,
        .launch_count = t.plan->launch_count, .groups = t.plan->group_count,
        .memory = t.plan->memory }, &d);
    ck_assert_msg(c != NULL, "%s", d.text);
    return c;
}

static struct sm_cycles *look_at(struct gpu_chip *c, cycle_t from, cycle_t to)
{
    struct diag d = { .text = "" };
    struct sm_cycles *x = sm_cycles_new(c, 0, from, to, &d);
    ck_assert_msg(x != NULL, "%s", d.text);
    return x;
}

/* Of all launches and of none, up to `now`. */
static void add_stats(const struct gpu_chip *c, cycle_t now, uint64_t cycles[GPU_CAUSES_COUNT],
                      uint64_t *operations)
{
    for (uint32_t l = 0; l <= t.plan->launch_count; l++) {
        uint32_t launch = l < t.plan->launch_count ? l : GPU_NO_LAUNCH;
        struct gpu_sm_stats s = gpu_sm_stats(c->sm[0], launch, now);
        *operations += s.operations;
        for (int cause = 0; cause < GPU_CAUSES_COUNT; cause++)
            cycles[cause] += s.cycles[cause];
    }
}

/* The counts are those of a chip that ran without anybody looking. */
START_TEST(causes_over_the_cycles_are_the_counts)
{
    uint64_t shown[GPU_CAUSES_COUNT] = { 0 }, counted[GPU_CAUSES_COUNT] = { 0 };
    uint64_t issued = 0, operations = 0;
    struct engine_result result;
    set_up(_i);
    struct gpu_chip *looked = new_chip(), *alone = new_chip();
    struct sm_cycles *x = look_at(looked, 0, SM_CYCLES_MOST);
    ck_assert(loop_run(&alone->engine, &result));
    ck_assert_uint_eq(gpu_chip_end(looked), gpu_chip_end(alone));
    cycle_t last = sm_cycles_last(x);
    for (cycle_t c = 0; c <= last; c++) {
        struct sm_warp_cycle w;
        for (uint32_t s = 0; s < t.gpu.sm.subcores; s++)
            shown[sm_cycles_cause(x, c, s)]++;
        for (uint32_t i = 0; sm_cycles_warp(x, c, i, &w); i++)
            issued += w.does == SM_WARP_ISSUES;
    }
    add_stats(alone, last + 1, counted, &operations);
    for (int cause = 0; cause < GPU_CAUSES_COUNT; cause++)
        ck_assert_msg(shown[cause] == counted[cause], "%s: %llu shown, %llu counted",
                      gpu_cause_names[cause], (unsigned long long)shown[cause],
                      (unsigned long long)counted[cause]);
    ck_assert_uint_gt(operations, 0);
    ck_assert_uint_eq(issued, operations);
    sm_cycles_free(x);
    gpu_chip_free(looked);
    gpu_chip_free(alone);
    tear_down();
}
END_TEST

/* One that was not chosen lost to another; one that waits does not issue before; and the cycle
 * before an issue is charged to what the warp that issues waited for. */
static void check_warp(const struct sm_cycles *x, cycle_t now, const struct sm_warp_cycle *w,
                       cycle_t *not_before)
{
    uint32_t sub = w->warp.subcore;
    enum gpu_cause cause = sm_cycles_cause(x, now, sub);
    if (w->does == SM_WARP_READY)
        ck_assert_msg(cause == GPU_CAUSE_ISSUED, "cycle %llu, slot %u",
                      (unsigned long long)now, w->warp.slot);
    if (w->does == SM_WARP_ISSUES) {
        ck_assert_int_eq(cause, GPU_CAUSE_ISSUED);
        ck_assert_uint_le(not_before[w->warp.slot], now);
        not_before[w->warp.slot] = 0;
    } else if (w->does == SM_WARP_WAITS) {
        ck_assert_uint_gt(w->until, now);
        if (w->until != CYCLE_NEVER)
            not_before[w->warp.slot] = w->until;
    }
}

/* Whether its queue or its interval held up the unit is judged when it is free again. */
static enum gpu_cause alike(enum gpu_cause c) { return c == GPU_CAUSE_LSU ? GPU_CAUSE_PIPE : c; }

static void check_charge(const struct sm_cycles *x, cycle_t now, uint32_t sub)
{
    struct sm_warp_cycle w, before;
    enum gpu_cause cause = sm_cycles_cause(x, now - 1, sub);
    if (sm_cycles_cause(x, now, sub) != GPU_CAUSE_ISSUED || cause == GPU_CAUSE_ISSUED)
        return;
    for (uint32_t i = 0; sm_cycles_warp(x, now, i, &w); i++) {
        if (w.does != SM_WARP_ISSUES || w.warp.subcore != sub)
            continue;
        for (uint32_t j = 0; sm_cycles_warp(x, now - 1, j, &before); j++)
            if (before.warp.slot == w.warp.slot) {
                ck_assert_int_eq(before.does, SM_WARP_WAITS);
                ck_assert_msg(alike(before.cause) == alike(cause) && before.until == now,
                              "cycle %llu, slot %u: %s until %llu, charged to %s",
                              (unsigned long long)now - 1, w.warp.slot,
                              gpu_cause_names[before.cause], (unsigned long long)before.until,
                              gpu_cause_names[cause]);
            }
        return;
    }
    ck_abort_msg("cycle %llu: nobody issues", (unsigned long long)now);
}

START_TEST(what_warps_wait_for_is_what_holds_them_up)
{
    set_up(_i);
    struct gpu_chip *c = new_chip();
    struct sm_cycles *x = look_at(c, 0, SM_CYCLES_MOST);
    cycle_t *not_before = calloc(t.gpu.sm.warps, sizeof *not_before);
    for (cycle_t now = 1; now <= sm_cycles_last(x); now++) {
        struct sm_warp_cycle w;
        for (uint32_t i = 0; sm_cycles_warp(x, now, i, &w); i++)
            check_warp(x, now, &w, not_before);
        for (uint32_t s = 0; s < t.gpu.sm.subcores; s++)
            check_charge(x, now, s);
    }
    free(not_before);
    sm_cycles_free(x);
    gpu_chip_free(c);
    tear_down();
}
END_TEST

/* A window out of the middle shows the same as the whole. */
START_TEST(a_window_is_a_part_of_the_whole)
{
    set_up(_i);
    struct gpu_chip *one = new_chip(), *two = new_chip();
    struct sm_cycles *whole = look_at(one, 0, SM_CYCLES_MOST);
    cycle_t from = sm_cycles_last(whole) / 3, to = from + 200;
    struct sm_cycles *part = look_at(two, from, to);
    ck_assert_uint_eq(sm_cycles_first(part), from);
    ck_assert_uint_eq(sm_cycles_last(part), to - 1);
    for (cycle_t c = from; c < to; c++) {
        struct sm_warp_cycle a, b;
        for (uint32_t i = 0; sm_cycles_warp(whole, c, i, &a); i++) {
            ck_assert(sm_cycles_warp(part, c, i, &b));
            ck_assert_int_eq(a.does, b.does);
            ck_assert_uint_eq(a.warp.pc, b.warp.pc);
            ck_assert_uint_eq(a.warp.lanes, b.warp.lanes);
            if (b.until != CYCLE_NEVER)
                ck_assert(a.until == b.until && a.cause == b.cause);
        }
    }
    sm_cycles_free(whole);
    sm_cycles_free(part);
    gpu_chip_free(one);
    gpu_chip_free(two);
    tear_down();
}
END_TEST

START_TEST(frames_fit_and_have_a_line_a_warp)
{
    set_up(_i);
    struct diag d = { .text = "" };
    struct step_sm *sm = step_sm_new(&(struct step_sm_config){
        .machine = t.machine, .plan = t.plan, .to = 3000 }, &d);
    ck_assert_msg(sm != NULL, "%s", d.text);
    struct step_subject s = step_sm_subject(sm);
    for (cycle_t c = s.first; c <= s.last; c += 37) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        s.frame(s.self, c, 0, out);
        fclose(out);
        for (const char *at = text, *end; *at != '\0'; at = end + 1) {
            end = strchr(at, '\n');
            ck_assert_int_le(end - at, STEP_COLUMNS);
        }
        ck_assert(strstr(text, "sub-core 0: ") != NULL);
        free(text);
    }
    step_sm_free(sm);
    tear_down();
}
END_TEST

Suite *sm_cycles_suite(void)
{
    Suite *s = suite_create("sm_cycles");
    TCase *c = tcase_create("cycles");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, causes_over_the_cycles_are_the_counts, 0, COUNT_OF(cases));
    tcase_add_loop_test(c, what_warps_wait_for_is_what_holds_them_up, 0, COUNT_OF(cases));
    tcase_add_loop_test(c, a_window_is_a_part_of_the_whole, 0, COUNT_OF(cases));
    tcase_add_loop_test(c, frames_fit_and_have_a_line_a_warp, 0, COUNT_OF(cases));
    suite_add_tcase(s, c);
    return s;
}
