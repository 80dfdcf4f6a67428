/* What ops cost, worked out on paper. */
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "traces/summary.h"
#include "traces/trace.h"

#define TENSORS "simaccel-trace 1\n"                                            \
    "tensor x input f32 3x5\ntensor h input bf16 3x5\ntensor b weight f32 5\n"  \
    "tensor w weight f32 5x7\ntensor v weight f16 7x5\n"                        \
    "tensor p input bf16 2x3x5\ntensor q input bf16 2x5x7\n"                    \
    "tensor m constant f32 3\ntensor labels target i32 3\n"                     \
    "tensor s state f32 3x5\ntensor u state f32 3x5\ntensor k weight f32 3x5\n" \
    "tensor y activation bf16 3x5\ntensor z output f32 1\n"                     \
    "tensor a activation f32 3x7\ntensor c activation f32 7x3\n"                \
    "tensor r activation f32 2x3x7\ntensor d activation f32 5\n"                \
    "tensor e activation f32 5\ntensor f activation f32 5x3\n"                  \
    "tensor n activation f32 3\ntensor o activation f32 3\n"

/* Element-wise: 15 elements.  Bytes: f32 3x5 is 60, bf16 3x5 is 30. */
static const struct { const char *op; uint64_t flops, bytes; } costs[] = {
    { "matmul a = x w compute=bf16",               2 * 3 * 5 * 7,  60 + 140 + 84 },
    { "matmul a = h v transpose_b compute=f16",    2 * 3 * 5 * 7,  30 + 70 + 84 },
    { "matmul c = w k transpose_a transpose_b compute=f32", 2 * 7 * 5 * 3, 140 + 60 + 84 },
    { "matmul r = p q compute=bf16",           2 * 2 * 3 * 5 * 7,  60 + 140 + 168 },
    { "bias y = x b",                                    15 * 1,   60 + 20 + 30 },
    { "add y = x h",                                     15 * 1,   60 + 30 + 30 },
    { "subtract y = x x",                                15 * 1,   60 + 60 + 30 },
    { "multiply y = x x",                                15 * 1,   60 + 60 + 30 },
    { "scale y = x factor=2",                            15 * 1,   60 + 30 },
    { "cast y = x",                                           0,   60 + 30 },
    { "transpose f = x",                                      0,   60 + 60 },
    { "reshape f = x",                                        0,   60 + 60 },
    { "relu y = x",                                      15 * 1,   60 + 30 },
    { "relu_grad y = x h",                               15 * 1,   60 + 30 + 30 },
    { "sigmoid y = x",                                   15 * 3,   60 + 30 },
    { "sigmoid_grad y = x h",                            15 * 3,   60 + 30 + 30 },
    { "tanh y = x",                                      15 * 1,   60 + 30 },
    { "tanh_grad y = x h",                               15 * 3,   60 + 30 + 30 },
    { "gelu y = x",                                      15 * 8,   60 + 30 },
    { "gelu_grad y = x h",                              15 * 16,   60 + 30 + 30 },
    { "softmax y = x",                         15 * 5 + 3 * 1,     60 + 30 },
    { "softmax_grad y = x h",                            15 * 4,   60 + 30 + 30 },
    { "layernorm y n o = x b b epsilon=1e-5",  15 * 7 + 3 * 5,     60 + 40 + 30 + 24 },
    { "layernorm_grad y = x x b m m",         15 * 10 + 3 * 2,     120 + 20 + 24 + 30 },
    { "layernorm_grad_weights d e = x x m m",            15 * 5,   120 + 24 + 40 },
    { "softmax_cross_entropy z = x labels",    15 * 6 + 3 * 4,     60 + 12 + 4 },
    { "softmax_cross_entropy z = x h",         15 * 6 + 3 * 4,     60 + 30 + 4 },
    { "softmax_cross_entropy_grad y = x labels", 15 * 7 + 3 * 1,   60 + 12 + 30 },
    { "sigmoid_cross_entropy z = x h",                   15 * 9,   60 + 30 + 4 },
    { "sigmoid_cross_entropy_grad y = x h",              15 * 5,   60 + 30 + 30 },
    { "binary_cross_entropy z = x h epsilon=1e-7",      15 * 10,   60 + 30 + 4 },
    { "binary_cross_entropy_grad y = x h epsilon=1e-7",  15 * 7,   60 + 30 + 30 },
    { "mean_squared_error z = x h",                      15 * 3,   60 + 30 + 4 },
    { "mean_squared_error_grad y = x h",                 15 * 2,   60 + 30 + 30 },
    { "sum_rows d = x",                                  15 * 1,   60 + 20 },
    { "mean_rows d = x",                                 15 * 1,   60 + 20 },
    { "sum z = x",                                       15 * 1,   60 + 4 },
    { "mean z = x",                                      15 * 1,   60 + 4 },
    { "sgd k = k x lr=0.1",                              15 * 2,   60 + 60 + 60 },
    { "momentum k s = k s x lr=0.1 momentum=0.9",        15 * 4,   5 * 60 },
    { "rmsprop k s = k s h lr=0.1 decay=0.9 epsilon=1e-10", 15 * 9, 4 * 60 + 30 },
    { "adam k s u = k s u x lr=0.1 beta1=0.9 beta2=0.999 epsilon=1e-8 step=1", 15 * 12, 7 * 60 },
};

START_TEST(an_op_costs_what_its_formula_says)
{
    char text[4096];
    struct diag d = { .text = "" };
    snprintf(text, sizeof text, "%sforward %s\n", TENSORS, costs[_i].op);
    struct trace *t = trace_read_memory(text, strlen(text), &d);
    ck_assert_msg(t != NULL, "%u:%u: %s", d.line, d.column, d.text);
    ck_assert_uint_eq(op_flops(t, &t->ops[0]), costs[_i].flops);
    ck_assert_uint_eq(op_bytes(t, &t->ops[0]), costs[_i].bytes);
    ck_assert_uint_eq(t->flops, costs[_i].flops);
    ck_assert_uint_eq(t->bytes, costs[_i].bytes);
    trace_free(t);
}
END_TEST

/* 3x5 times 5x7 in all four ways of storing the two, and a batch of two. */
static const struct { const char *a, *b, *y, *flags; struct op_matmul d; } products[] = {
    { "3x5",   "5x7",   "3x7",   "",                        { 1, 3, 5, 7 } },
    { "5x3",   "5x7",   "3x7",   "transpose_a",             { 1, 3, 5, 7 } },
    { "3x5",   "7x5",   "3x7",   "transpose_b",             { 1, 3, 5, 7 } },
    { "5x3",   "7x5",   "3x7",   "transpose_a transpose_b", { 1, 3, 5, 7 } },
    { "2x3x5", "2x7x5", "2x3x7", "transpose_b",             { 2, 3, 5, 7 } },
    { "2x4x5x3", "2x4x5x1", "2x4x3x1", "transpose_a",       { 8, 3, 5, 1 } },
};

START_TEST(a_product_knows_its_sizes_however_it_is_stored)
{
    char text[512];
    struct diag d = { .text = "" };
    snprintf(text, sizeof text, "simaccel-trace 1\ntensor a input f32 %s\ntensor b input f32 %s\n"
             "tensor y output f32 %s\nforward matmul y = a b %s compute=f32\n", products[_i].a,
             products[_i].b, products[_i].y, products[_i].flags);
    struct trace *t = trace_read_memory(text, strlen(text), &d);
    ck_assert_msg(t != NULL, "%u:%u: %s", d.line, d.column, d.text);
    struct op_matmul m = op_matmul(t, &t->ops[0]);
    ck_assert_mem_eq(&m, &products[_i].d, sizeof m);
    trace_free(t);
}
END_TEST

START_TEST(every_op_stands_in_the_documents_as_in_the_table)
{
    char name[128];
    const struct op_row *row = &op_rows[_i];
    FILE *in = fopen("docs/trace-format.md", "r");
    char line[1024];
    bool found = false;
    ck_assert_ptr_nonnull(in);
    snprintf(name, sizeof name, "| %s | `%s` |", row->name, row->shapes);
    while (fgets(line, sizeof line, in))
        found |= strncmp(line, name, strlen(name)) == 0 && strstr(line, row->meaning);
    fclose(in);
    ck_assert_msg(found, "docs/trace-format.md lacks the row of %s; see simaccel trace --ops",
                  row->name);
}
END_TEST

/* Live while each op runs, in bytes: w 24 and x 16 always.
 *     h = x w       40 + h 24                          =  64
 *     a = relu h    40 + h 24 + a 12 (f16)             =  76
 *     y = sum a     40 + a 12 + y 4                    =  56
 *     g = x' w      40 + y 4 + g 24                    =  68
 *     sgd           the same: w changes in place              */
START_TEST(the_footprint_is_what_is_live)
{
    static const char text[] = "simaccel-trace 1\n"
        "tensor x input f32 2x2\ntensor w weight f32 2x3\ntensor h activation f32 2x3\n"
        "tensor a activation f16 2x3\ntensor y output f32 1\ntensor g gradient f32 2x3\n"
        "forward matmul h = x w compute=f32\n"
        "forward relu a = h\n"
        "loss sum y = a\n"
        "backward matmul g = x w transpose_a compute=f32\n"
        "update sgd w = w g lr=1\n";
    struct diag d = { .text = "" };
    struct trace *t = trace_read_memory(text, strlen(text), &d);
    ck_assert_msg(t != NULL, "%u:%u: %s", d.line, d.column, d.text);
    struct trace_summary s = trace_summarize(t);
    ck_assert_uint_eq(s.parameters, 6);
    ck_assert_uint_eq(s.phase_peak[PHASE_FORWARD].total, 76);
    ck_assert_uint_eq(s.phase_peak[PHASE_FORWARD].op, 1);
    ck_assert_uint_eq(s.phase_peak[PHASE_FORWARD].role[ROLE_ACTIVATION], 24 + 12);
    ck_assert_uint_eq(s.phase_peak[PHASE_LOSS].total, 56);
    ck_assert_uint_eq(s.phase_peak[PHASE_BACKWARD].total, 40 + 4 + 24);
    ck_assert_uint_eq(s.phase_peak[PHASE_BACKWARD].role[ROLE_GRADIENT], 24);
    ck_assert_uint_eq(s.phase_peak[PHASE_UPDATE].total, 40 + 4 + 24);
    ck_assert_uint_eq(s.peak.total, 76);
    ck_assert_uint_eq(s.all.ops, 5);
    ck_assert_uint_eq(s.all.matmul_flops, 2 * 2 * (2 * 2 * 3));
    trace_free(t);
}
END_TEST

Suite *ops_suite(void)
{
    Suite *s = suite_create("ops");
    TCase *t = tcase_create("costs");
    tcase_add_loop_test(t, an_op_costs_what_its_formula_says, 0, COUNT_OF(costs));
    tcase_add_loop_test(t, a_product_knows_its_sizes_however_it_is_stored, 0, COUNT_OF(products));
    tcase_add_loop_test(t, every_op_stands_in_the_documents_as_in_the_table, 0, TRACE_OPS_COUNT);
    tcase_add_test(t, the_footprint_is_what_is_live);
    suite_add_tcase(s, t);
    return s;
}
