/* test_gemm.c - products from the command line and from lists. */
#include "sim/gemm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/suites.h"

START_TEST(a_product_is_three_sizes)
{
    struct gemm g = { .name = "" };
    ck_assert(gemm_parse(&g, "3x50x700"));
    ck_assert_uint_eq(g.m, 3);
    ck_assert_uint_eq(g.k, 50);
    ck_assert_uint_eq(g.n, 700);
    ck_assert(gemm_parse(&g, "16777216x1x1"));
    static const char *const wrong[] = { "", "3", "3x5", "3x5x", "x5x7", "3x5x7x", "3x0x7", "3x-5x7",
                                         "3x5x16777217", "99999999999999999999x1x1", "3X5X7", " 3x5x7",
                                         "3x5x7 ", "0x3x5", "+3x5x7" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!gemm_parse(&g, wrong[i]), "%s", wrong[i]);
}
END_TEST

static const struct { const char *word; uint64_t a[2], b[2]; } stored[] = {
    { "nn", { 3, 5 }, { 5, 7 } }, { "nt", { 3, 5 }, { 7, 5 } }, { "tn", { 5, 3 }, { 5, 7 } },
};

START_TEST(operands_are_stored_as_the_word_says)
{
    struct gemm g = { .name = "", .type = TRACE_F32 };
    struct diag d = { .text = "" };
    ck_assert(gemm_parse(&g, "3x5x7") && gemm_transpose(&g, stored[_i].word));
    ck_assert_str_eq(gemm_transpose_name(&g), stored[_i].word);
    struct trace *t = gemm_trace(&g, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    ck_assert_mem_eq(t->tensors[0].shape, stored[_i].a, sizeof stored[_i].a);
    ck_assert_mem_eq(t->tensors[1].shape, stored[_i].b, sizeof stored[_i].b);
    ck_assert_uint_eq(t->flops, 2 * 3 * 5 * 7);
    ck_assert_uint_eq(t->batch, t->tensors[0].shape[0]);
    trace_free(t);
}
END_TEST

START_TEST(other_words_are_refused)
{
    struct gemm g = { .name = "" };
    ck_assert(!gemm_transpose(&g, "tt"));
    ck_assert(!gemm_transpose(&g, ""));
    ck_assert(!gemm_type(&g, "f64"));
    ck_assert(gemm_type(&g, "f16"));
    ck_assert_int_eq(g.type, TRACE_F16);
}
END_TEST

/* ---- lists */

static size_t read_text(const char *text, struct gemm **list, struct diag *d)
{
    char path[] = "/tmp/simaccel-gemm-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    struct gemm like = { .type = TRACE_BF16, .transpose_b = true };
    size_t count = gemm_list(path, &like, list, d);
    unlink(path);
    return count;
}

/* As SCALE-Sim writes them: a name first, blanks, a comma at the end. */
START_TEST(columns_may_stand_in_any_order_with_others_between)
{
    struct gemm *list;
    struct diag d = { .text = "" };
    ck_assert_uint_eq(read_text("# a list\nLayer, N, other, M , K,\n\nfirst,7,x,3,5,\nsecond, 70 ,,30,50\n"
                                "\n", &list, &d), 2);
    ck_assert_str_eq(list[0].name, "first");
    ck_assert_uint_eq(list[0].m, 3);
    ck_assert_uint_eq(list[0].k, 5);
    ck_assert_uint_eq(list[0].n, 7);
    ck_assert_str_eq(list[1].name, "second");
    ck_assert_uint_eq(list[1].n, 70);
    ck_assert(list[1].transpose_b);
    free(list);
    ck_assert_uint_eq(read_text("m,k,n\n1,2,3", &list, &d), 1);
    ck_assert_str_eq(list[0].name, "");
    free(list);
}
END_TEST

static const struct { const char *text; unsigned line, column; } wrong_lists[] = {
    { "", 0, 0 }, { "M,K\n1,2\n", 1, 1 }, { "M,K,N\n", 1, 0 }, { "M,K,N\n1,2\n", 2, 1 },
    { "M,K,N\n1,2,0\n", 2, 5 }, { "M,K,N\n1,2,3\n1,,3\n", 3, 3 }, { "M,K,N\n1,2,3.5\n", 2, 5 },
};

START_TEST(a_wrong_list_is_refused_with_its_place)
{
    struct gemm *list;
    struct diag d = { .text = "" };
    ck_assert_uint_eq(read_text(wrong_lists[_i].text, &list, &d), 0);
    ck_assert_ptr_null(list);
    ck_assert_str_ne(d.text, "");
    ck_assert_uint_eq(d.line, wrong_lists[_i].line);
    ck_assert_uint_eq(d.column, wrong_lists[_i].column);
}
END_TEST

Suite *gemm_suite(void)
{
    Suite *s = suite_create("gemm");
    TCase *t = tcase_create("products");
    tcase_add_test(t, a_product_is_three_sizes);
    tcase_add_loop_test(t, operands_are_stored_as_the_word_says, 0, COUNT_OF(stored));
    tcase_add_test(t, other_words_are_refused);
    tcase_add_test(t, columns_may_stand_in_any_order_with_others_between);
    tcase_add_loop_test(t, a_wrong_list_is_refused_with_its_place, 0, COUNT_OF(wrong_lists));
    suite_add_tcase(s, t);
    return s;
}
