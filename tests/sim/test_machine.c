/* test_machine.c - machine files read, refused, changed and printed. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/toy_machine.h"
#include "tests/suites.h"

/* A whole machine.  The tests below cut and patch it by its lines. */
#define HEAD "name: toy\nkind: tpu\ndescription: a toy\n"
#define ROWS "  rows: {value: 5, source: \"paper, p. 3\"}\n"
#define CORE "core:\n" ROWS                                                        \
             "  clock_mhz: {value: 940.5, unit: MHz, source: sheet}\n"             \
             "  sums: {value: accumulators, source: guess}\n"
#define MEMORY "memory:\n"                                                         \
               "  room_bytes: {value: 16e9, source: s}\n"                          \
               "  rcd_ns: {value: 14, source: \"JESD235A, table 52\"}\n"           \
               "  map: {value: \"r c b: \\\"x\\\" \\\\ # y\", source: 'it''s'}\n"
#define WHOLE HEAD CORE MEMORY

static struct machine *read_as(const char *text, size_t length, struct diag *d)
{
    memset(d, 0, sizeof *d);
    return machine_read_text(&toy_schema, text, length, "toy.yaml", d);
}

static struct machine *read_text(const char *text)
{
    struct diag d;
    struct machine *m = read_as(text, strlen(text), &d);
    ck_assert_msg(m != NULL, "%u:%u %s", d.line, d.column, d.text);
    return m;
}

START_TEST(every_figure_arrives_with_its_source_and_place)
{
    struct machine *m = read_text(WHOLE);
    const struct toy_figures *f = machine_figures(m);
    ck_assert_str_eq(machine_name(m), "toy");
    ck_assert_str_eq(machine_description(m), "a toy");
    ck_assert_int_eq(machine_kind(m), MACHINE_TPU);
    ck_assert_uint_eq(f->core.rows, 5);
    ck_assert_double_eq(f->core.clock_mhz, 940.5);
    ck_assert_uint_eq(f->core.sums, 1);
    ck_assert_uint_eq(f->memory.room_bytes, 16000000000);
    ck_assert_double_eq(f->memory.rcd_ns, 14);
    ck_assert_str_eq(f->memory.map, "r c b: \"x\" \\ # y");
    ck_assert_str_eq(machine_source(m, "core.rows"), "paper, p. 3");
    ck_assert_str_eq(machine_set_at(m, "core.rows"), "toy.yaml:5");
    ck_assert_str_eq(machine_source(m, "memory.rcd_ns"), "JESD235A, table 52");
    ck_assert_str_eq(machine_set_at(m, "memory.rcd_ns"), "toy.yaml:10");
    ck_assert_ptr_null(machine_source(m, "sm.warps"));
    machine_free(m);
}
END_TEST

START_TEST(sections_of_the_other_kind_are_not_asked_for)
{
    struct machine *m = read_text("name: g\nkind: gpu\nsm: {warps: {value: 9, source: s}}\n"
                                  MEMORY);
    const struct toy_figures *f = machine_figures(m);
    ck_assert_uint_eq(f->sm.warps, 9);
    ck_assert_uint_eq(f->core.rows, 0);
    machine_free(m);
}
END_TEST

static const struct { const char *file; unsigned line, column; const char *says; } wrong[] = {
    { "", 1, 1, "empty file" },
    { "# only a comment\n", 2, 1, "empty file" },
    { "---\n", 2, 1, "not a machine file" },
    { "just words\n", 1, 1, "not a machine file" },
    { "- name: toy\n", 1, 1, "not a machine file" },
    { HEAD CORE, 1, 1, "memory.room_bytes is missing" },
    { "kind: tpu\n" CORE MEMORY, 1, 1, "name is missing" },
    { "name: toy\n" CORE MEMORY, 1, 1, "kind is missing" },
    { "name: ../toy\n", 1, 7, "is no name" },
    { "name: .toy\n", 1, 7, "is no name" },
    { "\xff\xfe" "ab", 1, 1, "a byte that is no text" },
    { "name: toy\nkind: npu\n", 2, 7, "kind: npu is unknown; expected tpu or gpu" },
    { "name: toy\nname: toy\n", 2, 7, "given twice; expected it once (first on line 1)" },
    { HEAD "vendor: acme\n", 4, 9, "a value out of place" },
    { HEAD "cor: {rows: {value: 1, source: s}}\n", 4, 1, "did you mean core?" },
    { HEAD "sm: {warps: {value: 9, source: s}}\n", 4, 1, "sm: no such section of a tpu" },
    { HEAD "core:\n  row: {value: 5, source: s}\n", 5, 3, "did you mean rows?" },
    { HEAD "core:\n  turbo: {value: 5, source: s}\n", 5, 3, "no such figure of core" },
    { HEAD "core:\n  rows: {value: 0, source: s}\n", 5, 17,
      "rows: 0 is out of range; expected a whole number, 1 to 1024" },
    { HEAD "core:\n  rows: {value: -1, source: s}\n", 5, 17, "rows: -1 is out of range" },
    { HEAD "core:\n  rows: {value: 2.5, source: s}\n", 5, 17, "2.5 is not a whole number" },
    { HEAD "core:\n  rows: {value: 0x10, source: s}\n", 5, 17, "is not a whole number" },
    { HEAD "core:\n  rows: {value: , source: s}\n", 5, 17, "an empty value is not a whole" },
    { HEAD "core:\n  clock_mhz: {value: .nan, source: s}\n", 5, 22, "is not a number" },
    { HEAD "core:\n  clock_mhz: {value: 1e9, source: s}\n", 5, 22, "is out of range" },
    { HEAD "core:\n  sums: {value: vectors, source: s}\n", 5, 17, "one of vector|accum" },
    { HEAD "core:\n  clock_mhz: {value: 9, unit: GHz, source: s}\n", 5, 31,
      "GHz is not its unit; expected MHz" },
    { HEAD "core:\n" ROWS ROWS, 6, 3, "rows: given twice" },
    { HEAD "core:\n" ROWS "core:\n  sums: {value: vector, source: s}\n", 6, 1,
      "core: given twice" },
    { HEAD "core:\n  rows: 5\n", 5, 9, "a figure without its source" },
    { HEAD "core:\n  rows: {value: 5}\n", 5, 3, "rows has no source" },
    { HEAD "core:\n  rows: {value: 5, source: \"\"}\n", 5, 3, "rows has no source" },
    { HEAD "core:\n  rows: {source: s}\n", 5, 3, "rows has no value" },
    { HEAD "core:\n  rows: {value: 5, value: 6, source: s}\n", 5, 27, "given twice" },
    { HEAD "core:\n  rows: {value: [5], source: s}\n", 5, 17, "neither a word nor a number" },
    { HEAD "core:\n  rows: {value: {a: b}, source: s}\n", 5, 17, "neither a word nor" },
    { HEAD "core:\n  rows: {values: 5, source: s}\n", 5, 10, "no part of a figure" },
    { HEAD "core:\n  rows: {[a]: 5}\n", 5, 10, "no part of a figure" },
    { HEAD "core: [1, 2]\n", 4, 7, "a value out of place" },
    { HEAD "? [a]\n: b\n", 4, 3, "neither a word nor a number" },
    { HEAD "core:\n  rows: &a {value: 5, source: s}\n", 5, 9, "anchors, aliases and tags" },
    { HEAD "core: *a\n", 4, 7, "anchors, aliases and tags" },
    { HEAD "core:\n  rows: {value: !!int 5, source: s}\n", 5, 17, "anchors, aliases" },
    { WHOLE "---\nname: two\n", 12, 1, "a second document" },
    { HEAD "core: {\n", 5, 1, "not YAML" },
    { HEAD "core:\n\trows: 5\n", 5, 1, "not YAML" },
    { HEAD "core:\n  rows: {value: 5, source: \"a\\0b\"}\n", 5, 28, "a control character" },
    { HEAD "core:\n  rows: {value: 5, source: \"a\\nb\"}\n", 5, 28, "a control character" },
    { "name: a\n\x01\n", 2, 1, "a byte that is no text" },
    { "name: a\nkind: \xff\xfe\n", 2, 7, "a byte that is no text" },
    { "parent: nobody\nname: a\n", 1, 9, "nobody is not found" },
    { "parent: ../../etc/passwd\nname: a\n", 1, 9, "is not found" },
};

START_TEST(a_wrong_file_is_refused_with_its_place)
{
    struct diag d;
    struct machine *m = read_as(wrong[_i].file, strlen(wrong[_i].file), &d);
    ck_assert_ptr_null(m);
    ck_assert_str_eq(d.file, "toy.yaml");
    ck_assert_msg(strstr(d.text, wrong[_i].says) != NULL, "%s", d.text);
    ck_assert_msg(d.line == wrong[_i].line && d.column == wrong[_i].column,
                  "%u:%u: %s", d.line, d.column, d.text);
}
END_TEST

START_TEST(each_figure_left_out_is_missed)
{
    static const char *const lines[] = { ROWS, "  clock_mhz: ", "  sums: ", "  room_bytes: ",
                                         "  rcd_ns: ", "  map: " };
    struct diag d;
    char text[sizeof WHOLE] = WHOLE;
    char *at = strstr(text, lines[_i]), *end = strchr(at, '\n') + 1;
    memmove(at, end, strlen(end) + 1);
    ck_assert_ptr_null(read_as(text, strlen(text), &d));
    ck_assert_msg(strstr(d.text, "is missing") != NULL, "%s", d.text);
}
END_TEST

/* Cut anywhere, a file is refused; past the end of its last figure it is whole. */
START_TEST(a_truncated_file_is_refused)
{
    for (size_t n = 0; n + 2 < sizeof WHOLE - 1; n++) {
        struct diag d;
        ck_assert_msg(read_as(WHOLE, n, &d) == NULL, "%zu bytes", n);
        ck_assert_str_ne(d.text, "");
        ck_assert_uint_ge(d.line, 1);
    }
}
END_TEST

START_TEST(a_nul_or_too_many_bytes_are_refused)
{
    struct diag d;
    ck_assert_ptr_null(read_as("name: a\nkind: \0tpu", 18, &d));
    ck_assert_uint_eq(d.line, 2);
    size_t size = (1 << 20) + 1;
    char  *text = malloc(size);
    memset(text, '\n', size);
    memcpy(text, WHOLE, sizeof WHOLE - 1);
    ck_assert_ptr_null(read_as(text, size, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "larger than 1 MiB"));
    struct machine *m = read_as(text, size - 1, &d);
    ck_assert_ptr_nonnull(m);
    machine_free(m);
    memset(text, '[', size);            /* deep, and refused at the first */
    ck_assert_ptr_null(read_as(text, size - 1, &d));
    free(text);
}
END_TEST

static char folder[64];
static char *search_path;       /* the caller's, put back afterwards */

static void make_folder(void)
{
    const char *given = getenv("SIMACCEL_MACHINES");
    search_path = given == NULL ? NULL : strdup(given);
    snprintf(folder, sizeof folder, "/tmp/simaccel-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    if (search_path == NULL)
        unsetenv("SIMACCEL_MACHINES");
    else
        setenv("SIMACCEL_MACHINES", search_path, 1);
    free(search_path);
}

static const char *write_file(const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
    return path;
}

static struct machine *read_file(const char *path, struct diag *d)
{
    memset(d, 0, sizeof *d);
    return machine_read(&toy_schema, path, d);
}

START_TEST(a_child_changes_only_what_it_names)
{
    struct diag d;
    char parent_place[160];
    write_file("toy.yaml", WHOLE);
    const char *path = write_file("fast.yaml",
        "core: {clock_mhz: {value: 2000, source: wish}}\nname: fast\nparent: toy\n");
    struct machine *m = read_file(path, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    const struct toy_figures *f = machine_figures(m);
    ck_assert_str_eq(machine_name(m), "fast");
    ck_assert_str_eq(machine_description(m), "a toy");
    ck_assert_double_eq(f->core.clock_mhz, 2000);
    ck_assert_uint_eq(f->core.rows, 5);
    ck_assert_str_eq(machine_source(m, "core.clock_mhz"), "wish");
    snprintf(parent_place, sizeof parent_place, "%s/toy.yaml:5", folder);
    ck_assert_str_eq(machine_set_at(m, "core.rows"), parent_place);
    machine_free(m);
    path = write_file("path.yaml", "name: path\nparent: ./toy\n");
    ck_assert_ptr_null(read_file(path, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "is not found"));
}
END_TEST

START_TEST(an_error_in_a_parent_names_the_parent)
{
    struct diag d;
    write_file("toy.yaml", HEAD "core:\n  rows: {value: 0, source: s}\n");
    const char *path = write_file("child.yaml", "name: child\nparent: toy\n");
    ck_assert_ptr_null(read_file(path, &d));
    ck_assert_ptr_nonnull(strstr(d.file, "/toy.yaml"));
    ck_assert_uint_eq(d.line, 5);
    write_file("toy.yaml", WHOLE);
    path = write_file("child.yaml", "name: child\nparent: toy\nkind: gpu\n");
    ck_assert_ptr_null(read_file(path, &d));
    ck_assert_ptr_nonnull(strstr(d.file, "/child.yaml"));
    ck_assert_str_eq(d.text, "kind: gpu is not its parent's; expected tpu");
}
END_TEST

START_TEST(a_circle_of_parents_is_refused)
{
    struct diag d;
    write_file("a.yaml", "name: a\nparent: b\n");
    write_file("b.yaml", "name: b\nparent: c\n");
    ck_assert_ptr_null(read_file(write_file("c.yaml", "name: c\nparent: a\n"), &d));
    ck_assert_ptr_nonnull(strstr(d.text, "is its own ancestor"));
    ck_assert_ptr_null(read_file(write_file("d.yaml", "name: d\nparent: d\n"), &d));
    ck_assert_ptr_nonnull(strstr(d.text, "is its own ancestor"));
}
END_TEST

START_TEST(eight_parents_are_the_most)
{
    struct diag d;
    char name[16], text[64];
    write_file("m0.yaml", WHOLE);
    for (int i = 1; i <= 9; i++) {
        snprintf(name, sizeof name, "m%d.yaml", i);
        snprintf(text, sizeof text, "name: m%d\nparent: m%d\n", i, i - 1);
        struct machine *m = read_file(write_file(name, text), &d);
        ck_assert_int_eq(m != NULL, i <= 8);
        machine_free(m);
    }
    ck_assert_ptr_nonnull(strstr(d.text, "is one too many; expected 8 at most"));
}
END_TEST

START_TEST(a_file_that_cannot_be_read_says_why)
{
    struct diag d;
    ck_assert_ptr_null(read_file("/nonexistent/x.yaml", &d));
    ck_assert_str_eq(d.text, "No such file or directory; expected a machine file");
    ck_assert_ptr_null(read_file(folder, &d));
    ck_assert_str_eq(d.text, "Is a directory; expected a machine file");
    ck_assert_ptr_null(read_file("/dev/zero", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "larger than 1 MiB"));
}
END_TEST

static void count_toys(void *self, const char *name, const char *path)
{
    int *n = self;
    *n += strncmp(path, folder, strlen(folder)) == 0 && strncmp(name, "toy", 3) == 0;
}

START_TEST(a_name_is_looked_up_in_the_search_path)
{
    struct diag d = { .text = "" };
    char path[160];
    write_file("toy.yaml", WHOLE);
    write_file("toy2.yaml", "name: toy2\nparent: toy\n");
    write_file("toy3.txt", WHOLE);
    snprintf(path, sizeof path, "/nonexistent:%s:%s", folder, folder);
    setenv("SIMACCEL_MACHINES", path, 1);
    struct machine *m = machine_find(&toy_schema, "toy2", &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    machine_free(m);
    int n = 0;
    machine_list(count_toys, &n);
    ck_assert_int_eq(n, 2);
    ck_assert_ptr_null(machine_find(&toy_schema, "toy22", &d));
    ck_assert_str_eq(d.text, "toy22: no such machine; did you mean toy2?");
    memset(&d, 0, sizeof d);
    ck_assert_ptr_null(machine_find(&toy_schema, "../toy", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "no such machine"));
}
END_TEST

START_TEST(a_kind_that_is_not_modelled_is_said_to_be)
{
    struct diag d = { .text = "" };
    struct schema only_tpu = toy_schema;
    only_tpu.kinds = MACHINE_USES(MACHINE_TPU);
    ck_assert_ptr_null(machine_find(&only_tpu, "gpu", &d));
    ck_assert_ptr_nonnull(strstr(d.text, "this version has no gpu model"));
    memset(&d, 0, sizeof d);
    const char *text = "name: g\nkind: gpu\n";
    ck_assert_ptr_null(machine_read_text(&only_tpu, text, strlen(text), "g.yaml", &d));
    ck_assert_str_eq(d.text, "kind: this version has no gpu model; expected another kind");
}
END_TEST

START_TEST(an_assignment_changes_one_figure)
{
    struct diag d = { .text = "" };
    struct machine *m = read_text(WHOLE), *before = machine_copy(m);
    const struct toy_figures *f = machine_figures(m), *g = machine_figures(before);
    ck_assert(machine_set(m, "core.rows=256", "--set", &d));
    ck_assert(machine_set(m, "memory.map=a=b.c", "--set", &d));
    ck_assert_uint_eq(f->core.rows, 256);
    ck_assert_str_eq(f->memory.map, "a=b.c");
    ck_assert_str_eq(machine_source(m, "core.rows"), "--set");
    ck_assert_str_eq(machine_set_at(m, "core.rows"), "--set");
    ck_assert_double_eq(f->memory.rcd_ns, 14);
    ck_assert_uint_eq(g->core.rows, 5);
    ck_assert_str_eq(machine_description(before), "a toy");
    ck_assert_str_eq(machine_set_at(before, "core.rows"), "toy.yaml:5");
    machine_free(m);
    machine_free(before);
}
END_TEST

static const struct { const char *text; unsigned column; const char *says; } unset[] = {
    { "",                1, "expected SECTION.FIGURE=VALUE" },
    { "core.rows",       1, "expected SECTION.FIGURE=VALUE" },
    { "rows=5",          1, "expected SECTION.FIGURE=VALUE" },
    { "rows=5.5",        1, "expected SECTION.FIGURE=VALUE" },
    { "=.",              1, "expected SECTION.FIGURE=VALUE" },
    { "cor.rows=5",      1, "did you mean core?" },
    { "sm.warps=5",      1, "no such section of a tpu" },
    { "core.row=5",      6, "did you mean rows?" },
    { "core.=5",         6, "no such figure" },
    { "core.rows=",     11, "expected a whole number, 1 to 1024" },
    { "core.rows=2000", 11, "rows: 2000 is out of range" },
    { "core.rows= 5",   11, "is not a whole number" },
    { "core.rows=\xc3\xa9", 1, "expected plain ASCII" },
};

START_TEST(a_wrong_assignment_changes_nothing)
{
    struct diag d = { .text = "" };
    struct machine *m = read_text(WHOLE), *before = machine_copy(m);
    ck_assert(!machine_set(m, unset[_i].text, "--set", &d));
    ck_assert_str_eq(d.file, "--set");
    ck_assert_uint_eq(d.line, 1);
    ck_assert_uint_eq(d.column, unset[_i].column);
    ck_assert_msg(strstr(d.text, unset[_i].says) != NULL, "%s", d.text);
    ck_assert_mem_eq(machine_figures(m), machine_figures(before), sizeof(struct toy_figures));
    machine_free(m);
    machine_free(before);
}
END_TEST

static void check_same(const struct machine *a, const struct machine *b)
{
    static const char *const names[] = { "core.rows", "core.clock_mhz", "core.sums",
                                         "memory.room_bytes", "memory.rcd_ns", "memory.map" };
    ck_assert_str_eq(machine_name(a), machine_name(b));
    ck_assert_str_eq(machine_description(a), machine_description(b));
    ck_assert_int_eq(machine_kind(a), machine_kind(b));
    ck_assert_mem_eq(machine_figures(a), machine_figures(b), sizeof(struct toy_figures));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        ck_assert_str_eq(machine_source(a, names[i]), machine_source(b, names[i]));
}

static struct machine *awkward(void)
{
    struct diag d = { .text = "" };
    struct machine *m = read_text("name: 1e3\nkind: tpu\n"
                                  "description: \"\\\"a\\\\ toy\\\": \\u00b5 #1\"\n" CORE MEMORY);
    ck_assert(machine_set(m, "core.clock_mhz=1.0000000000000002", "--set", &d));
    ck_assert(machine_set(m, "memory.room_bytes=999999999999999", "--set", &d));
    ck_assert(machine_set(m, "memory.map={\"a\": \\b}", "--set", &d));
    return m;
}

START_TEST(what_is_printed_reads_back_to_the_same_machine)
{
    char  *text;
    size_t size;
    struct machine *m = awkward();
    FILE *out = open_memstream(&text, &size);
    machine_print(m, out);
    fclose(out);
    struct machine *back = read_text(text);
    check_same(m, back);
    machine_free(back);
    machine_free(m);
    free(text);
}
END_TEST

START_TEST(json_reads_back_to_the_same_machine)
{
    struct machine *m = awkward();
    json_t *json = machine_json(m);
    char   *text = json_dumps(json, JSON_INDENT(2));
    struct machine *back = read_text(text);
    check_same(m, back);
    machine_free(back);
    machine_free(m);
    json_decref(json);
    free(text);
}
END_TEST

START_TEST(json_holds_every_figure_in_force)
{
    struct machine *m = read_text(WHOLE);
    json_t *all = machine_json(m);
    const char *unit, *source, *place;
    double value;
    ck_assert_uint_eq(json_object_size(all), 3 + 2);      /* name, kind, description */
    ck_assert_uint_eq(json_object_size(json_object_get(all, "core")), 3);
    ck_assert_int_eq(json_unpack(all, "{s:{s:{s:F, s:s, s:s, s:s}}}", "memory", "rcd_ns",
                                 "value", &value, "unit", &unit, "source", &source,
                                 "set_at", &place), 0);
    ck_assert_double_eq(value, 14);
    ck_assert_str_eq(unit, "ns");
    ck_assert_str_eq(source, "JESD235A, table 52");
    ck_assert_str_eq(place, "toy.yaml:10");
    json_decref(all);
    machine_free(m);
}
END_TEST

Suite *machine_suite(void)
{
    Suite *s = suite_create("machine");
    TCase *text = tcase_create("text"), *files = tcase_create("files");
    tcase_add_test(text, every_figure_arrives_with_its_source_and_place);
    tcase_add_test(text, sections_of_the_other_kind_are_not_asked_for);
    tcase_add_loop_test(text, a_wrong_file_is_refused_with_its_place, 0, COUNT_OF(wrong));
    tcase_add_loop_test(text, each_figure_left_out_is_missed, 0, 6);
    tcase_add_test(text, a_truncated_file_is_refused);
    tcase_add_test(text, a_nul_or_too_many_bytes_are_refused);
    tcase_add_test(text, a_kind_that_is_not_modelled_is_said_to_be);
    tcase_add_test(text, an_assignment_changes_one_figure);
    tcase_add_loop_test(text, a_wrong_assignment_changes_nothing, 0, COUNT_OF(unset));
    tcase_add_test(text, what_is_printed_reads_back_to_the_same_machine);
    tcase_add_test(text, json_reads_back_to_the_same_machine);
    tcase_add_test(text, json_holds_every_figure_in_force);
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, a_child_changes_only_what_it_names);
    tcase_add_test(files, an_error_in_a_parent_names_the_parent);
    tcase_add_test(files, a_circle_of_parents_is_refused);
    tcase_add_test(files, eight_parents_are_the_most);
    tcase_add_test(files, a_file_that_cannot_be_read_says_why);
    tcase_add_test(files, a_name_is_looked_up_in_the_search_path);
    suite_add_tcase(s, text);
    suite_add_tcase(s, files);
    return s;
}
