/* test_engine_ends.c - how runs end, what they cost, and what the engine refuses. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/engine.h"
#include "sim/isolate.h"
#include "sim/loop.h"
#include "tests/suites.h"

typedef bool run_fn(const struct engine_config *, struct engine_result *);

static run_fn *const engines[] = { engine_run, loop_run };

static struct isolate_result isolated(int (*fn)(void *, FILE *), int engine)
{
    run_fn *run = engines[engine];
    struct isolate_result r;
    isolate_run(fn, &run, 0, &r);
    return r;
}

static run_fn *engine_of(void *arg)
{
    return *(run_fn **)arg;
}

/* ---- blocks for the occasion */

/* Runs at each of its ticks, then has no wish; always claims to have work, or never. */
struct sleeper {
    const tick_t *wakes;        /* TICK_NEVER ends them */
    bool          busy;
    uint32_t      runs;
    tick_t        last_end;
    unsigned      pause_us;
};

static tick_t run_sleeper(void *self, tick_t end)
{
    struct sleeper *s = self;
    s->runs++;
    s->last_end = end;
    usleep(s->pause_us);
    while (*s->wakes < end)
        s->wakes++;
    return *s->wakes;
}

static bool sleeper_idle(const void *self)
{
    return !((const struct sleeper *)self)->busy;
}

static void sleeper_describe(const void *self, char *text, size_t size)
{
    (void)self;
    snprintf(text, size, "unit 3 waits for the answer to request 17");
}

static struct block sleeper_block(const char *name, struct sleeper *s)
{
    return (struct block){ name, s, run_sleeper, sleeper_idle, sleeper_describe };
}

/* Sends `left` messages, and takes one only while it has none left to send. */
struct stubborn {
    struct link *out, *in;
    const char  *out_name;
    uint32_t     left;
    tick_t       at;
};

static tick_t run_stubborn(void *self, tick_t end)
{
    struct stubborn *s = self;
    while (s->left > 0 && s->at < end && link_can_send(s->out, 0, s->at)) {
        link_send(s->out, 0, s->at, &(struct message){ .id = s->left-- });
        s->at += TICKS_PER_NS;
    }
    while (s->left == 0 && link_arrival(s->in) < end)
        link_take(s->in, link_arrival(s->in));
    s->at = tick_max(s->at, end);
    return TICK_NEVER;
}

static bool stubborn_idle(const void *self)
{
    return ((const struct stubborn *)self)->left == 0;
}

static void stubborn_describe(const void *self, char *text, size_t size)
{
    const struct stubborn *s = self;
    snprintf(text, size, "sender waits for a credit of %s, %u left", s->out_name, s->left);
}

/* ---- how a run ends */

static int answer_never_comes(void *arg, FILE *out)
{
    static const tick_t wakes[] = { 0, 70 * TICKS_PER_NS, TICK_NEVER };
    struct sleeper waits = { .wakes = wakes, .busy = true }, done = { .wakes = wakes };
    struct block blocks[] = { sleeper_block("done0", &done),
                              sleeper_block("core1", &waits) };
    struct engine_config config = { .blocks = blocks, .block_count = 2 };
    struct engine_result result;
    bool ok = engine_of(arg)(&config, &result);
    fprintf(out, "%d %d %d %s", ok, result.limited, result.quiet_with_work, result.stuck);
    return 0;
}

START_TEST(a_block_that_waits_for_ever_is_named_with_what_it_waits_for)
{
    struct isolate_result r = isolated(answer_never_comes, _i);
    ck_assert_str_eq(r.bytes, "0 0 1 core1: unit 3 waits for the answer to request 17\n");
    isolate_free(&r);
}
END_TEST

static int both_wait(void *arg, FILE *out)
{
    struct link_config there = { "a-b", 30 * TICKS_PER_NS, 1, 2, 0 };
    struct link_config back  = { "b-a", 40 * TICKS_PER_NS, 1, 3, 0 };
    struct link *ab = link_new(&there), *ba = link_new(&back);
    struct stubborn a = { ab, ba, "a-b", 6, 0 }, b = { ba, ab, "b-a", 5, 0 };
    struct block blocks[] = {
        { "a", &a, run_stubborn, stubborn_idle, stubborn_describe },
        { "b", &b, run_stubborn, stubborn_idle, stubborn_describe },
    };
    static const uint32_t block_a = 0, block_b = 1;
    struct engine_link links[] = { { ab, 1, &block_a }, { ba, 0, &block_b } };
    struct engine_config config = { .blocks = blocks, .block_count = 2, .links = links,
                                    .link_count = 2 };
    struct engine_result result;
    bool ok = engine_of(arg)(&config, &result);
    fprintf(out, "%d %d\n%s", ok, result.quiet_with_work, result.stuck);
    link_free(ab);
    link_free(ba);
    return 0;
}

START_TEST(two_that_wait_for_each_others_credit_are_both_named)
{
    struct isolate_result r = isolated(both_wait, _i);
    ck_assert_str_eq(r.bytes,
                     "0 1\n"
                     "a: sender waits for a credit of a-b, 4 left\n"
                     "b: sender waits for a credit of b-a, 2 left\n"
                     "a-b: 2 messages that b did not take\n"
                     "b-a: 3 messages that a did not take\n");
    isolate_free(&r);
}
END_TEST

static int fill_the_text(void *arg, FILE *out)
{
    enum { BLOCKS = 200 };
    static const tick_t wakes[] = { TICK_NEVER };
    static struct sleeper waits[BLOCKS];
    static struct block blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        waits[i]  = (struct sleeper){ .wakes = wakes, .busy = true };
        blocks[i] = sleeper_block("one of many", &waits[i]);
    }
    struct engine_config config = { .blocks = blocks, .block_count = BLOCKS };
    struct engine_result result;
    engine_of(arg)(&config, &result);
    fprintf(out, "%zu", strlen(result.stuck));
    return 0;
}

START_TEST(a_long_list_of_the_stuck_is_cut_to_fit)
{
    struct isolate_result r = isolated(fill_the_text, _i);
    ck_assert_int_eq(atoi(r.bytes), ENGINE_STUCK_TEXT - 1);
    isolate_free(&r);
}
END_TEST

/* ---- what a run costs */

static int sleep_long(void *arg, FILE *out)
{
    /* Windows of 1 us (no links): 0 | 3600 s, twice in the same | the last but one. */
    static const tick_t wakes[] = { 0, 3600 * TICKS_PER_S, 3600 * TICKS_PER_S + 999999999,
                                    18000 * TICKS_PER_S, TICK_NEVER };
    static const tick_t never[] = { TICK_NEVER };
    struct sleeper busy = { .wakes = wakes }, idle[9];
    struct block blocks[10] = { sleeper_block("busy", &busy) };
    for (int i = 0; i < 9; i++) {
        idle[i] = (struct sleeper){ .wakes = never };
        blocks[i + 1] = sleeper_block("idle", &idle[i]);
    }
    struct engine_config config = { .blocks = blocks, .block_count = 10 };
    struct engine_result result;
    engine_of(arg)(&config, &result);
    fprintf(out, "%" PRIu64 " %" PRIu64 " %u %u %" PRIu64, result.windows,
            result.activations, busy.runs, idle[0].runs, result.end);
    return 0;
}

START_TEST(time_jumps_over_hours_and_the_idle_are_left_alone)
{
    struct isolate_result r = isolated(sleep_long, 0);
    ck_assert_str_eq(r.bytes, "3 12 3 1 18000000001000000000");
    isolate_free(&r);
    r = isolated(sleep_long, 1);        /* the twin runs all ten every time */
    ck_assert_str_eq(r.bytes, "3 30 3 3 18000000001000000000");
    isolate_free(&r);
}
END_TEST

static int run_to_limit(void *arg, FILE *out)
{
    static const tick_t wakes[] = { 0, 1500 * TICKS_PER_NS, 1700 * TICKS_PER_NS,
                                    TICK_NEVER };
    struct sleeper s = { .wakes = wakes };
    struct block block = sleeper_block("s", &s);
    struct engine_config config = { .blocks = &block, .block_count = 1,
                                    .limit = 1700 * TICKS_PER_NS };
    struct engine_result result;
    bool ok = engine_of(arg)(&config, &result);
    fprintf(out, "%d %d %d %" PRIu64 " %" PRIu64, ok, result.limited,
            result.quiet_with_work, s.last_end, result.end);
    return 0;
}

START_TEST(no_block_is_run_past_the_limit)
{
    struct isolate_result r = isolated(run_to_limit, _i);
    ck_assert_str_eq(r.bytes, "1 1 0 1700000000 1700000000");
    isolate_free(&r);
}
END_TEST

/* ---- manners */

static void count_call(void *arg, tick_t now)
{
    (void)now;
    ++*(int *)arg;
}

static int run_slowly(void *arg, FILE *out)
{
    static tick_t wakes[601];
    for (int i = 0; i < 600; i++)
        wakes[i] = (tick_t)i * 1000 * TICKS_PER_NS;
    wakes[600] = TICK_NEVER;
    struct sleeper s = { .wakes = wakes, .pause_us = 1000 };
    struct block block = sleeper_block("s", &s);
    int calls = 0;
    struct engine_config config = { .blocks = &block, .block_count = 1,
                                    .progress = count_call, .progress_arg = &calls };
    struct engine_result result;
    engine_of(arg)(&config, &result);
    fprintf(out, "%d", calls);
    return 0;
}

START_TEST(progress_is_called_a_few_times_a_second)
{
    struct isolate_result r = isolated(run_slowly, 0);      /* 0.6 s or more */
    ck_assert_int_ge(atoi(r.bytes), 1);
    ck_assert_int_le(atoi(r.bytes), 40);
    isolate_free(&r);
}
END_TEST

static int run_with_outputs_caught(void *arg, FILE *out)
{
    fflush(out);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(out), STDERR_FILENO);
    static const tick_t wakes[] = { 0, TICK_NEVER };
    struct sleeper s = { .wakes = wakes };
    struct block block = sleeper_block("s", &s);
    struct engine_config config = { .blocks = &block, .block_count = 1 };
    struct engine_result result;
    return engine_of(arg)(&config, &result) ? 0 : 1;
}

START_TEST(a_run_prints_nothing)
{
    struct isolate_result r = isolated(run_with_outputs_caught, _i);
    ck_assert_int_eq(r.status, 0);
    ck_assert_str_eq(r.bytes, "");
    isolate_free(&r);
}
END_TEST

static int run_twice(void *arg, FILE *out)
{
    run_with_outputs_caught(arg, out);
    return run_with_outputs_caught(arg, out);
}

START_TEST(only_the_twin_runs_twice_in_a_process)
{
    struct isolate_result r = isolated(run_twice, 0);
    ck_assert_int_eq(r.status, ISOLATE_CRASHED);
    ck_assert_ptr_nonnull(strstr(r.bytes, "SystemC runs once in a process"));
    isolate_free(&r);
    r = isolated(run_twice, 1);
    ck_assert_int_eq(r.status, 0);
    isolate_free(&r);
}
END_TEST

static const struct { tick_t latency, window; const char *refused; } windows[] = {
    { 30, 30, "" },
    { 30, 31, "window <= engine_window" },
    { 30,  4, "window >= ENGINE_LEAST_WINDOW" },
    {  4,  0, "window >= ENGINE_LEAST_WINDOW" },
    {  5,  0, "" },
};

static int run_window(void *arg, FILE *out)
{
    int i = *(int *)arg;
    dup2(fileno(out), STDERR_FILENO);
    static const tick_t wakes[] = { 0, TICK_NEVER };
    static const uint32_t sender = 0;
    struct link_config wire = { "wire", windows[i].latency * TICKS_PER_NS, 1, 1, 0 };
    struct engine_link link = { link_new(&wire), 0, &sender };
    struct sleeper s = { .wakes = wakes };
    struct block block = sleeper_block("s", &s);
    struct engine_config config = { .blocks = &block, .block_count = 1, .links = &link,
        .link_count = 1, .window = windows[i].window * TICKS_PER_NS };
    struct engine_result result;
    engine_run(&config, &result);
    link_free(link.link);
    return 0;
}

START_TEST(a_window_longer_than_a_link_or_under_5_ns_is_refused)
{
    struct isolate_result r;
    int i = _i;
    bool refused = *windows[i].refused != '\0';
    ck_assert_int_eq(isolate_run(run_window, &i, 0, &r), !refused);
    ck_assert_ptr_nonnull(strstr(r.bytes, windows[i].refused));
    isolate_free(&r);
}
END_TEST

Suite *engine_ends_suite(void)
{
    int both = COUNT_OF(engines);
    Suite *s = suite_create("engine_ends");
    TCase *t = tcase_create("ends");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_block_that_waits_for_ever_is_named_with_what_it_waits_for, 0,
                        both);
    tcase_add_loop_test(t, two_that_wait_for_each_others_credit_are_both_named, 0, both);
    tcase_add_loop_test(t, a_long_list_of_the_stuck_is_cut_to_fit, 0, both);
    tcase_add_test(t, time_jumps_over_hours_and_the_idle_are_left_alone);
    tcase_add_loop_test(t, no_block_is_run_past_the_limit, 0, both);
    tcase_add_test(t, progress_is_called_a_few_times_a_second);
    tcase_add_loop_test(t, a_run_prints_nothing, 0, both);
    tcase_add_test(t, only_the_twin_runs_twice_in_a_process);
    tcase_add_loop_test(t, a_window_longer_than_a_link_or_under_5_ns_is_refused, 0,
                        COUNT_OF(windows));
    suite_add_tcase(s, t);
    return s;
}
