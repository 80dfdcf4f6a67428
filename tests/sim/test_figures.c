/* test_figures.c - the schema of the program, and the machines that come with it. */
#include <stdlib.h>
#include <string.h>

#include "sim/figures.h"
#include "tests/suites.h"

START_TEST(no_two_figures_share_a_byte_or_a_name)
{
    char *used = calloc(1, figures_schema.size);
    static const size_t sizes[] = { sizeof(uint32_t), sizeof(uint64_t), sizeof(double),
                                    sizeof(uint32_t), PARAM_TEXT };
    for (size_t i = 0; i < figures_schema.count; i++) {
        const struct section *s = &figures_schema.sections[i];
        for (size_t j = 0; j < s->count; j++) {
            const struct param *p = &s->params[j];
            ck_assert_ptr_eq(param_find(s->params, s->count, p->name), p);
            for (size_t b = 0; b < sizes[p->type]; b++) {
                size_t at = s->offset + p->offset + b;
                ck_assert_uint_lt(at, figures_schema.size);
                ck_assert_msg(!used[at], "%s.%s", s->name, p->name);
                used[at] = 1;
            }
        }
    }
    free(used);
}
END_TEST

START_TEST(every_range_fits_its_type)
{
    for (size_t i = 0; i < figures_schema.count; i++) {
        const struct section *s = &figures_schema.sections[i];
        for (size_t j = 0; j < s->count; j++) {
            const struct param *p = &s->params[j];
            bool count = p->type == PARAM_COUNT || p->type == PARAM_SIZE;
            ck_assert_msg(p->min <= p->max || p->type == PARAM_CHOICE, "%s", p->name);
            ck_assert_msg(!count || p->min >= 0, "%s", p->name);
            ck_assert_msg(p->type != PARAM_COUNT || p->max <= UINT32_MAX, "%s", p->name);
            /* What JSON can say exactly, and a double too. */
            ck_assert_msg(p->type != PARAM_SIZE || p->max <= 0x1p53, "%s", p->name);
        }
    }
}
END_TEST

static void check_one(void *self, const char *name, const char *path)
{
    struct diag     d = { .text = "" };
    struct machine *m = machine_read(&figures_schema, path, &d);
    int            *n = self;
    ck_assert_msg(m != NULL, "%s:%u:%u: %s", d.file, d.line, d.column, d.text);
    ck_assert_str_eq(machine_name(m), name);
    ck_assert_str_ne(machine_description(m), "");
    char  *text;
    size_t size;
    FILE  *out = open_memstream(&text, &size);
    machine_print(m, out);
    fclose(out);
    struct machine *back = machine_read_text(&figures_schema, text, size, "printed", &d);
    ck_assert_msg(back != NULL, "%s: %u:%u: %s", name, d.line, d.column, d.text);
    ck_assert_mem_eq(machine_figures(m), machine_figures(back), figures_schema.size);
    machine_free(back);
    machine_free(m);
    free(text);
    ++*n;
}

START_TEST(each_machine_that_comes_with_it_is_whole)
{
    int n = 0;
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    machine_list(check_one, &n);
    ck_assert_int_ge(n, 1);
}
END_TEST

Suite *figures_suite(void)
{
    Suite *s = suite_create("figures");
    TCase *t = tcase_create("schema");
    tcase_add_test(t, no_two_figures_share_a_byte_or_a_name);
    tcase_add_test(t, every_range_fits_its_type);
    tcase_add_test(t, each_machine_that_comes_with_it_is_whole);
    suite_add_tcase(s, t);
    return s;
}
