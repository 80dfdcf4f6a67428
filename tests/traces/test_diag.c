#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "traces/diag.h"

static const char *const names[] = { "matmul", "relu", "relu_grad", "sigmoid", "adam", "f32" };

static const struct { const char *word, *nearest; } words[] = {
    { "matmul",   "matmul" },
    { "matmull",  "matmul" },           /* one letter too many */
    { "matul",    "matmul" },           /* one too few: 5 / 3 = 1 may differ */
    { "mtmal",    NULL },               /* two differ */
    { "MATMUL",   "matmul" },           /* case does not count */
    { "rely",     "relu" },
    { "relu_gard","relu_grad" },        /* 9 / 3 = 3 may differ */
    { "ralu",     "relu" },
    { "amtmul",   "matmul" },           /* two swapped are one mistake */
    { "f16",      NULL },               /* 2 of 3 differ; at most 1 may */
    { "f33",      "f32" },
    { "",         NULL },
    { "x",        NULL },
};

START_TEST(the_nearest_name_is_at_most_a_third_away)
{
    const char *near = diag_nearest(words[_i].word, names, COUNT_OF(names));
    if (words[_i].nearest)
        ck_assert_pstr_eq(near, words[_i].nearest);
    else
        ck_assert_ptr_null(near);
}
END_TEST

START_TEST(a_very_long_word_is_near_to_nothing)
{
    char word[100000];
    memset(word, 'm', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    ck_assert_ptr_null(diag_nearest(word, names, COUNT_OF(names)));
}
END_TEST

static char *printed(const struct diag *d)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    diag_print(d, out);
    fclose(out);
    return text;
}

static const struct { const char *file; unsigned line, column; const char *text; } places[] = {
    { "x.net", 12, 8, "x.net:12:8: wrong\n" },
    { "x.net", 12, 0, "x.net:12: wrong\n" },
    { "x.net",  0, 8, "x.net: wrong\n" },
    { "",      12, 8, "12:8: wrong\n" },
    { "",       0, 0, "wrong\n" },
    { "a\nb",   1, 2, "a\\x0ab:1:2: wrong\n" },
};

START_TEST(a_place_is_printed_as_far_as_it_is_known)
{
    struct diag d = { .text = "" };
    snprintf(d.file, sizeof d.file, "%s", places[_i].file);
    ck_assert(!diag_set(&d, places[_i].line, places[_i].column, "wrong"));
    char *text = printed(&d);
    ck_assert_str_eq(text, places[_i].text);
    free(text);
}
END_TEST

START_TEST(the_first_error_wins)
{
    struct diag d = { .text = "" };
    diag_set(&d, 1, 2, "first %d", 1);
    diag_set(&d, 3, 4, "second");
    ck_assert_str_eq(d.text, "first 1");
    ck_assert_uint_eq(d.line, 1);
    ck_assert_uint_eq(d.column, 2);
}
END_TEST

START_TEST(control_characters_become_visible_and_long_texts_are_cut)
{
    struct diag d = { .text = "" };
    char text[2000];
    memset(text, '\033', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    diag_set(&d, 0, 0, "%s", text);
    ck_assert_uint_lt(strlen(d.text), sizeof d.text);
    ck_assert(strncmp(d.text, "\\x1b\\x1b", 8) == 0);
    ck_assert_ptr_null(strchr(d.text, '\033'));
}
END_TEST

Suite *diag_suite(void)
{
    Suite *s = suite_create("diag");
    TCase *t = tcase_create("diag");
    tcase_add_loop_test(t, the_nearest_name_is_at_most_a_third_away, 0, COUNT_OF(words));
    tcase_add_test(t, a_very_long_word_is_near_to_nothing);
    tcase_add_loop_test(t, a_place_is_printed_as_far_as_it_is_known, 0, COUNT_OF(places));
    tcase_add_test(t, the_first_error_wins);
    tcase_add_test(t, control_characters_become_visible_and_long_texts_are_cut);
    suite_add_tcase(s, t);
    return s;
}
