/* test_output.c - a file is whole in its place, or what was there before is. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/output.h"
#include "tests/suites.h"

static char folder[64], path[128];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/simaccel-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/result.json", folder);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static int files(void)
{
    int  n = 0;
    DIR *d = opendir(folder);
    for (const struct dirent *e; (e = readdir(d)) != NULL; )
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void put(const char *file, const char *text)
{
    struct diag    d = { .text = "" };
    struct output *o = output_open(file, &d);
    ck_assert_msg(o != NULL, "%s", d.text);
    fputs(text, output_stream(o));
    ck_assert_msg(output_commit(o, &d), "%s", d.text);
}

/* What a file holds, unpacked if it is packed. */
static const char *get(const char *file)
{
    static char text[64];
    gzFile in = gzopen(file, "rb");
    ck_assert_ptr_nonnull(in);
    int n = gzread(in, text, sizeof text - 1);
    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    gzclose(in);
    return text;
}

START_TEST(a_file_appears_when_it_is_whole)
{
    struct diag    d = { .text = "" };
    struct output *o = output_open(path, &d);
    fputs("half ", output_stream(o));
    fflush(output_stream(o));
    ck_assert_int_ne(access(path, F_OK), 0);
    fputs("and half", output_stream(o));
    ck_assert(output_commit(o, &d));
    ck_assert_str_eq(get(path), "half and half");
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(a_discarded_file_leaves_the_old_one)
{
    struct diag d = { .text = "" };
    put(path, "old");
    struct output *o = output_open(path, &d);
    fputs("new", output_stream(o));
    output_discard(o);
    output_discard(NULL);
    ck_assert_str_eq(get(path), "old");
    ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(a_replaced_file_keeps_its_mode_and_a_link_stays_a_link)
{
    struct stat s;
    char link[160];
    put(path, "old");
    ck_assert_int_eq(chmod(path, 0640), 0);
    snprintf(link, sizeof link, "%s/link", folder);
    ck_assert_int_eq(symlink("result.json", link), 0);
    put(link, "new");
    ck_assert_str_eq(get(path), "new");
    ck_assert_int_eq(lstat(link, &s), 0);
    ck_assert(S_ISLNK(s.st_mode));
    ck_assert_int_eq(stat(path, &s), 0);
    ck_assert_int_eq(s.st_mode & 07777, 0640);
}
END_TEST

START_TEST(a_name_in_gz_is_compressed)
{
    char gz[160], magic[2] = "";
    snprintf(gz, sizeof gz, "%s.gz", path);
    put(gz, "packed");
    ck_assert_str_eq(get(gz), "packed");
    FILE *in = fopen(gz, "r");
    ck_assert_uint_eq(fread(magic, 1, 2, in), 2);
    fclose(in);
    ck_assert_mem_eq(magic, "\x1f\x8b", 2);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
    struct diag    d = { .text = "" };
    struct output *o = output_open("/dev/full", &d);
    fputs("lost", output_stream(o));
    ck_assert(!output_commit(o, &d));
    ck_assert_str_eq(d.file, "/dev/full");
    ck_assert_str_eq(d.text, "No space left on device; expected to write all of it");
}
END_TEST

/* In a folder with a file `there`, a link to it, and `folder`, a link to itself. */
static const struct { struct output_use uses[3]; const char *says; } places[] = {
    { { { "J", "x", false }, { "C", "y", false }, { "P", "z", false } }, NULL },
    { { { "J", "x", false }, { "C", "x", false } }, "x: J goes there too; expected another file" },
    { { { "J", "x", false }, { "C", "y", false }, { "P", "./x", false } }, "./x: J goes there" },
    { { { "J", "folder/x", false }, { "C", "x", false } }, "x: J goes there too" },
    { { { "J", "there", false }, { "C", "link", false } }, "link: J goes there too" },
    { { { "K", "there", true }, { "C", "link", false } }, "link: K is read from there; expected" },
    { { { "C", "link", false }, { "K", "there", true } }, "link: K is read from there; expected" },
    { { { "K", "there", true }, { "L", "there", true }, { "J", "x", false } }, NULL },
    { { { "J", "/dev/null", false }, { "C", "/dev/null", false } }, NULL },
    { { { "J", "-", false }, { "C", "x", false }, { "P", "-", false } }, "two results for stdout" },
    { { { "K", "-", true }, { "C", "-", false } }, NULL },
    { { { "J", "nowhere/x", false } }, "No such file or directory; expected a file that can be" },
    { { { "J", "x", false }, { "C", "x.gz", false } }, NULL },
};

START_TEST(results_need_places_of_their_own)
{
    struct output_use uses[3];
    char at[3][128], name[128];
    snprintf(name, sizeof name, "%s/there", folder);
    put(name, "x");
    snprintf(name, sizeof name, "%s/link", folder);
    ck_assert_int_eq(symlink("there", name), 0);
    snprintf(name, sizeof name, "%s/folder", folder);
    ck_assert_int_eq(symlink(".", name), 0);
    for (int i = 0; i < 3; i++) {
        uses[i] = places[_i].uses[i];
        bool is_whole = !uses[i].path || uses[i].path[0] == '/' || uses[i].path[0] == '-';
        snprintf(at[i], sizeof at[i], "%s/%s", folder, is_whole ? "" : uses[i].path);
        uses[i].path = is_whole ? uses[i].path : at[i];
    }
    struct diag d = { .text = "" };
    ck_assert_msg(output_check(uses, 3, &d) == !places[_i].says, "%s", d.text);
    ck_assert_msg(!places[_i].says || strstr(d.text, places[_i].says), "%s", d.text);
    ck_assert_int_eq(files(), 3);           /* none is made, none left beside */
}
END_TEST

START_TEST(a_place_that_cannot_be_is_an_error)
{
    struct diag d = { .text = "" };
    ck_assert_ptr_null(output_open("/nonexistent/x", &d));
    ck_assert_str_eq(d.text, "No such file or directory; expected a file that can be written");
    memset(&d, 0, sizeof d);
    ck_assert_ptr_null(output_open(folder, &d));
    ck_assert_str_eq(d.text, "Is a directory; expected a file that can be written");
}
END_TEST

Suite *output_suite(void)
{
    Suite *s = suite_create("output");
    TCase *t = tcase_create("files");
    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, a_file_appears_when_it_is_whole);
    tcase_add_test(t, a_discarded_file_leaves_the_old_one);
    tcase_add_test(t, a_replaced_file_keeps_its_mode_and_a_link_stays_a_link);
    tcase_add_test(t, a_name_in_gz_is_compressed);
    tcase_add_test(t, a_full_disk_is_an_error);
    tcase_add_test(t, a_place_that_cannot_be_is_an_error);
    tcase_add_loop_test(t, results_need_places_of_their_own, 0, COUNT_OF(places));
    suite_add_tcase(s, t);
    return s;
}
