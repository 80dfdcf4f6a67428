/* test_options.c - the words of a command line, one at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/choice.h"
#include "sim/options.h"
#include "tests/suites.h"
#include "tests/sim/toy_machine.h"

static const struct option_row rows[] = {
    { "set",   "FIGURE=VALUE", "change one figure" },
    { "quiet", NULL,           "no progress" },
    { "sets",  "FILE",         "an option whose name begins like another's" },
};

/* What the words give, as text: "0:value 1 arg:x end".  Messages go to /dev/null. */
static const char *parse(const char *const *words)
{
    static char text[256];
    char *argv[16] = { (char *)"toy" };
    int   argc = 1, i;
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)words[argc - 1];
    struct options o = OPTIONS("toy", "FILE", rows, argc, argv);
    size_t n = 0;
    FILE *out = stdout, *err = stderr;
    stdout = stderr = fopen("/dev/null", "w");
    while ((i = options_next(&o)) >= 0 || i == OPTIONS_ARGUMENT)
        if (i == OPTIONS_ARGUMENT)
            n += (size_t)snprintf(text + n, sizeof text - n, "arg:%s ", o.value);
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "%d:%s ", i,
                                  o.value == NULL ? "" : o.value);
    fclose(stdout);
    stdout = out;
    stderr = err;
    snprintf(text + n, sizeof text - n, "%s", i == OPTIONS_END ? "end" :
             i == OPTIONS_HELP ? "help" : "wrong");
    return text;
}

static const struct { const char *words[6], *gives; } lines[] = {
    { { NULL }, "end" },
    { { "x", "--quiet", "y", NULL }, "arg:x 1: arg:y end" },
    { { "--set", "a=b", "--set=c=d", NULL }, "0:a=b 0:c=d end" },
    { { "--sets=x", "--set=", NULL }, "2:x 0: end" },
    { { "--set", "--quiet", NULL }, "0:--quiet end" },
    { { "-", "--", "--quiet", "-q", NULL }, "arg:- arg:--quiet arg:-q end" },
    { { "--help", "--wrong", NULL }, "help" },
    { { "--set", NULL }, "wrong" },
    { { "--quiet=1", NULL }, "wrong" },
    { { "--qui", NULL }, "wrong" },
    { { "-q", NULL }, "wrong" },
    { { "--=", NULL }, "wrong" },
};

START_TEST(words_are_taken_in_order)
{
    ck_assert_str_eq(parse(lines[_i].words), lines[_i].gives);
}
END_TEST

START_TEST(a_machine_is_chosen_once)
{
    struct diag   d = { .text = "" };
    struct choice c = { .count = 0 };
    ck_assert_ptr_null(choice_machine(&c, &toy_schema, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "no machine is given"));
    memset(&d, 0, sizeof d);
    ck_assert(choice_take(&c, 0, "toy"));
    ck_assert(choice_take(&c, 1, "toy.yaml"));
    ck_assert(!choice_take(&c, CHOICE_ROWS, "x"));
    ck_assert_ptr_null(choice_machine(&c, &toy_schema, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "both given"));
}
END_TEST

START_TEST(changes_are_made_in_order_after_the_file)
{
    struct diag   d = { .text = "" };
    struct choice c = { .count = 0 };
    choice_take(&c, 1, "tests/fuzz/seeds/fuzz_machine/toy.yaml");
    choice_take(&c, 2, "core.rows=9");
    choice_take(&c, 2, "core.rows=10");
    struct machine *m = choice_machine(&c, &toy_schema, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    ck_assert_uint_eq(((const struct toy_figures *)machine_figures(m))->core.rows, 10);
    machine_free(m);
    for (int i = 0; i <= CHOICE_SETS; i++)
        choice_take(&c, 2, "core.rows=11");
    ck_assert_ptr_null(choice_machine(&c, &toy_schema, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "expected 256 at most"));
}
END_TEST

Suite *options_suite(void)
{
    Suite *s = suite_create("options");
    TCase *t = tcase_create("words");
    tcase_add_loop_test(t, words_are_taken_in_order, 0, COUNT_OF(lines));
    tcase_add_test(t, a_machine_is_chosen_once);
    tcase_add_test(t, changes_are_made_in_order_after_the_file);
    suite_add_tcase(s, t);
    return s;
}
