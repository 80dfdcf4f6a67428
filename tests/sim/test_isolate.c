/* test_isolate.c - whatever happens in the child, the parent hears of it and goes on. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/isolate.h"
#include "tests/suites.h"

#define MIB (UINT64_C(1) << 20)

static int changed = 5;

static int write_and_return(void *arg, FILE *out)
{
    changed = 6;
    fprintf(out, "heard %s", (const char *)arg);
    return 0;
}

START_TEST(the_bytes_come_back_and_nothing_else_does)
{
    struct isolate_result r;
    char word[] = "you";
    ck_assert(isolate_run(write_and_return, word, 0, &r));
    ck_assert_int_eq(r.status, 0);
    ck_assert_str_eq(r.bytes, "heard you");
    ck_assert_uint_eq(r.size, 9);
    ck_assert_str_eq(r.text, "");
    ck_assert_int_eq(changed, 5);
    isolate_free(&r);
}
END_TEST

static int write_much(void *arg, FILE *out)
{
    for (uint32_t i = 0; i < *(uint32_t *)arg; i++)
        fwrite(&i, sizeof i, 1, out);
    return 0;
}

START_TEST(megabytes_come_back_whole_with_zero_bytes_in_them)
{
    static const uint32_t counts[] = { 0, 1, 1023, 1024, 3000001 };
    struct isolate_result r;
    uint32_t count = counts[_i];
    ck_assert(isolate_run(write_much, &count, 0, &r));
    ck_assert_uint_eq(r.size, 4 * (size_t)count);
    bool same = true;
    for (uint32_t i = 0; i < count; i++)
        same = same && memcmp(r.bytes + 4 * (size_t)i, &i, 4) == 0;
    ck_assert(same);
    isolate_free(&r);
}
END_TEST

static int return_it(void *arg, FILE *out)
{
    fputs("partly", out);
    return *(int *)arg;
}

static int exit_with_it(void *arg, FILE *out)
{
    fputs("partly", out);
    fflush(out);
    _exit(*(int *)arg);
}

START_TEST(the_status_comes_back)
{
    struct isolate_result r;
    int status = 2;
    ck_assert(!isolate_run(_i ? exit_with_it : return_it, &status, 0, &r));
    ck_assert_int_eq(r.status, 2);
    ck_assert_str_eq(r.bytes, "partly");
    ck_assert_str_eq(r.text, "");
    isolate_free(&r);
}
END_TEST

static int die(void *arg, FILE *out)
{
    fputs("last", out);
    fflush(out);
    signal(*(int *)arg, SIG_DFL);
    raise(*(int *)arg);
    return 0;
}

static const struct { int signal; const char *text; } deaths[] = {
    { SIGABRT, "signal 6 (Aborted)" },
    { SIGSEGV, "signal 11 (Segmentation fault)" },
    { SIGKILL, "signal 9 (Killed)" },
};

START_TEST(a_crash_is_told_with_its_signal)
{
    struct isolate_result r;
    int number = deaths[_i].signal;
    ck_assert(!isolate_run(die, &number, 0, &r));
    ck_assert_int_eq(r.status, ISOLATE_CRASHED);
    ck_assert_ptr_nonnull(strstr(r.text, deaths[_i].text));
    ck_assert_str_eq(r.bytes, "last");
    ck_assert(!r.no_memory);
    isolate_free(&r);
}
END_TEST

/* Touches memory until it is refused, then does as our code does: aborts. */
static char *volatile kept;     /* or the compiler would do without the memory */

static int devour(void *arg, FILE *out)
{
    (void)out;
    size_t step = *(size_t *)arg;
    for (size_t total = 0; total < 4096 * MIB; total += step) {
        char *more = malloc(step);
        if (!more)
            abort();
        memset(more, 1, step < 16 * MIB ? step : 16 * MIB);
        kept = more;
    }
    return 0;
}

START_TEST(a_memory_limit_ends_the_child_and_is_named)
{
    static const size_t steps[] = { 4 * MIB, 2048 * MIB, 1000 };
    struct isolate_result r;
    size_t step = steps[_i];
    ck_assert(!isolate_run(devour, &step, 64 * MIB, &r));
    ck_assert_int_eq(r.status, ISOLATE_CRASHED);
    ck_assert(r.no_memory);
    ck_assert_ptr_nonnull(strstr(r.text, "more than the 64 MiB it was allowed"));
    isolate_free(&r);
}
END_TEST

static int give_up(void *arg, FILE *out)
{
    (void)arg;
    (void)out;
    abort();
}

START_TEST(an_abort_under_a_memory_limit_is_not_blamed_on_it)
{
    struct isolate_result r;
    ck_assert(!isolate_run(give_up, NULL, 64 * MIB, &r));
    ck_assert_ptr_nonnull(strstr(r.text, "signal 6 (Aborted)"));
    ck_assert_ptr_null(strstr(r.text, "allowed"));
    isolate_free(&r);
}
END_TEST

START_TEST(what_the_parent_had_not_yet_written_is_written_once)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    FILE *pending = fdopen(ends[1], "w");
    fputs("once", pending);
    struct isolate_result r;
    char word[] = "x";
    isolate_run(write_and_return, word, 0, &r);
    isolate_free(&r);
    fclose(pending);
    char got[16] = "";
    ck_assert_int_eq(read(ends[0], got, sizeof got - 1), 4);
    ck_assert_int_eq(read(ends[0], got + 4, 8), 0);
    ck_assert_str_eq(got, "once");
    close(ends[0]);
}
END_TEST

/* Run 0 ends last.  Each writes more than a pipe holds before it waits, so that none would end
 * if only one were read. */
static int write_and_wait(void *arg, FILE *out)
{
    int number = *(int *)arg;
    for (int i = 0; i < 100000; i++)
        fputs("0123", out);
    fprintf(out, "%d", number);
    fflush(out);
    usleep((useconds_t)(4 - number) * 150000);
    return number;
}

START_TEST(several_at_once_are_taken_as_they_end)
{
    enum { RUNS = 4 };
    struct isolate *runs[RUNS];
    struct isolate_result r;
    int numbers[RUNS] = { 0, 1, 2, 3 };
    for (int i = 0; i < RUNS; i++)
        ck_assert_ptr_nonnull(runs[i] = isolate_start(write_and_wait, &numbers[i], 0, &r));
    for (size_t left = RUNS; left > 0; left--) {
        ck_assert_uint_eq(isolate_wait(runs, left), left - 1);
        ck_assert(isolate_finish(runs[left - 1], &r) == (left == 1));
        ck_assert_int_eq(r.status, (int)left - 1);
        ck_assert_uint_eq(r.size, 400001);
        ck_assert_int_eq(r.bytes[400000], '0' + (int)left - 1);
        isolate_free(&r);
    }
}
END_TEST

START_TEST(one_that_dies_leaves_the_others_alone)
{
    struct isolate *runs[2];
    struct isolate_result r;
    int number = 3, signal_of = SIGKILL;
    ck_assert_ptr_nonnull(runs[0] = isolate_start(write_and_wait, &number, 0, &r));
    ck_assert_ptr_nonnull(runs[1] = isolate_start(die, &signal_of, 0, &r));
    ck_assert_uint_eq(isolate_wait(runs, 2), 1);
    ck_assert(!isolate_finish(runs[1], &r));
    ck_assert_int_eq(r.status, ISOLATE_CRASHED);
    ck_assert_str_eq(r.bytes, "last");
    isolate_free(&r);
    ck_assert(!isolate_finish(runs[0], &r));            /* without a wait */
    ck_assert_int_eq(r.status, 3);
    isolate_free(&r);
}
END_TEST

Suite *isolate_suite(void)
{
    Suite *s = suite_create("isolate");
    TCase *t = tcase_create("child");
    tcase_add_test(t, the_bytes_come_back_and_nothing_else_does);
    tcase_add_loop_test(t, megabytes_come_back_whole_with_zero_bytes_in_them, 0, 5);
    tcase_add_loop_test(t, the_status_comes_back, 0, 2);
    tcase_add_loop_test(t, a_crash_is_told_with_its_signal, 0, COUNT_OF(deaths));
    tcase_add_test(t, an_abort_under_a_memory_limit_is_not_blamed_on_it);
    tcase_add_test(t, what_the_parent_had_not_yet_written_is_written_once);
    if (isolate_can_limit_memory())
        tcase_add_loop_test(t, a_memory_limit_ends_the_child_and_is_named, 0, 3);
    tcase_add_test(t, several_at_once_are_taken_as_they_end);
    tcase_add_test(t, one_that_dies_leaves_the_others_alone);
    suite_add_tcase(s, t);
    return s;
}
