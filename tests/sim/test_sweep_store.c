/* test_sweep_store.c - what counts as a kept result, and what takes the place of what. */
#include "sim/sweep_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/suites.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char folder[64], path[128], other[128];

static void make_folder(void)
{
    char name[SWEEP_FILE];
    snprintf(folder, sizeof folder, "/tmp/simaccel-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    sweep_store_name(HASH, name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(other, sizeof other, "%s/other", folder);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

/* 2 s of 3 W and 5 FLOP/s, and 7 bytes a second. */
static json_t *whole(void)
{
    json_t *result = json_pack(
        "{s:f, s:f, s:f, s:f, s:i, s:f, s:f, s:{s:i, s:f, s:f}, s:[{s:s}]}", "time_s", 2.0,
        "clock_hz", 1e9, "energy_j", 6.0, "average_power_w", 3.0, "flops", 10, "flops_per_s", 5.0,
        "peak_flops_per_s", 100.0, "hbm", "bytes", 14, "bytes_per_s", 7.0, "peak_bytes_per_s", 70.0,
        "ops", "bound_by", "mxu");
    ck_assert_ptr_nonnull(result);
    return sweep_store_done(HASH, result);
}

static bool is_kept(json_t *kept)
{
    struct diag d = { .text = "" };
    ck_assert_msg(sweep_store_save(folder, HASH, kept, &d), "%s", d.text);
    json_decref(kept);
    kept = sweep_store_load(folder, HASH);
    bool is = kept != NULL;
    json_decref(kept);
    return is;
}

/* ---- edited files ---- */

/* Where, what is written there (in words of JSON; NULL: it is taken away). */
static const struct { const char *object, *key, *value; } edits[] = {
    { NULL, "sweep", "2" },           { NULL, "simaccel", "\"9.9\"" }, { NULL, "input", "\"other\"" },
    { NULL, "status", "\"fine\"" },   { NULL, "status", NULL },        { NULL, "result", NULL },
    { NULL, "result", "{}" },         { NULL, "result", "[1]" },       { NULL, "status", "\"failed\"" },
    { "result", "time_s", "0" },      { "result", "time_s", "-2" },    { "result", "time_s", "\"2\"" },
    { "result", "time_s", NULL },     { "result", "time_s", "3" },     { "result", "clock_hz", "0" },
    { "result", "energy_j", "0" },    { "result", "energy_j", "-6" },  { "result", "energy_j", NULL },
    { "result", "energy_j", "1e300" }, { "result", "average_power_w", "2" },
    { "result", "flops", "11" },      { "result", "flops_per_s", "null" },
    { "result", "peak_flops_per_s", "0" },
    { "result", "ops", "[]" },        { "result", "ops", NULL },       { "result", "hbm", "{}" },
};

START_TEST(an_edited_result_is_none)
{
    json_t *kept = whole();
    json_t *in = edits[_i].object ? json_object_get(kept, edits[_i].object) : kept;
    if (edits[_i].value)
        json_object_set_new(in, edits[_i].key, json_loads(edits[_i].value, JSON_DECODE_ANY, NULL));
    else
        json_object_del(in, edits[_i].key);
    ck_assert_msg(!is_kept(kept), "%s", edits[_i].key);
}
END_TEST

START_TEST(a_whole_result_and_a_failure_are_kept)
{
    ck_assert(is_kept(whole()));
    ck_assert(is_kept(sweep_store_failed(HASH, "out of luck")));
    json_t *kept = sweep_store_failed(HASH, "out of luck");
    json_object_del(kept, "message");
    ck_assert(!is_kept(kept));
}
END_TEST

/* ---- what is no plain file ---- */

/* The one that the link leads to stays as it was. */
START_TEST(a_link_is_replaced_and_not_followed)
{
    char text[8] = "";
    struct stat s;
    FILE *out = fopen(other, "w");
    ck_assert_ptr_nonnull(out);
    fputs("mine", out);
    fclose(out);
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert_ptr_null(sweep_store_load(folder, HASH));
    ck_assert(is_kept(whole()));
    ck_assert(lstat(path, &s) == 0 && S_ISREG(s.st_mode));
    FILE *in = fopen(other, "r");
    ck_assert_ptr_nonnull(fgets(text, sizeof text, in));
    fclose(in);
    ck_assert_str_eq(text, "mine");
}
END_TEST

/* Nobody writes into it: to read it would take for ever. */
START_TEST(a_pipe_counts_as_none_and_is_replaced)
{
    struct stat s;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_ptr_null(sweep_store_load(folder, HASH));
    ck_assert(is_kept(whole()));
    ck_assert(lstat(path, &s) == 0 && S_ISREG(s.st_mode));
}
END_TEST

START_TEST(a_folder_of_that_name_is_an_error)
{
    struct diag d = { .text = "" };
    json_t *kept = whole();
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_ptr_null(sweep_store_load(folder, HASH));
    ck_assert(!sweep_store_save(folder, HASH, kept, &d));
    ck_assert_str_eq(d.file, path);
    json_decref(kept);
}
END_TEST

Suite *sweep_store_suite(void)
{
    Suite *s = suite_create("sweep_store");
    TCase *t = tcase_create("files");
    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_loop_test(t, an_edited_result_is_none, 0, COUNT_OF(edits));
    tcase_add_test(t, a_whole_result_and_a_failure_are_kept);
    tcase_add_test(t, a_link_is_replaced_and_not_followed);
    tcase_add_test(t, a_pipe_counts_as_none_and_is_replaced);
    tcase_add_test(t, a_folder_of_that_name_is_an_error);
    suite_add_tcase(s, t);
    return s;
}
