/* Networks: refusals, and what the derived training step consists of. */
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd_trace.h"
#include "tests/suites.h"
#include "traces/net.h"
#include "traces/reference.h"
#include "traces/summary.h"
#include "traces/text.h"

#define HEAD "simaccel-net 1\n"
#define REST "input 5\nbatch 3\n"       /* lines 2 and 3 */

static const struct { const char *text; unsigned line, column; const char *says; } refused[] = {
    { "",                                   1,  1, "empty" },
    { "simaccel-net 9\n",                   1, 14, "version 9 is not known" },
    { HEAD,                                 1,  0, "the input is missing" },
    { HEAD REST,                            3,  0, "there is no layer" },
    { HEAD REST "dnese 4\n",                4,  1, "did you mean 'dense'?" },
    { HEAD REST "dense\n",                  4,  6, "units is missing" },
    { HEAD REST "dense 0 relu\n",           4,  7, "units: 0 is out of range" },
    { HEAD REST "dense -4\n",               4,  7, "no whole number" },
    { HEAD REST "dense 16777217\n",         4,  7, "out of range" },
    { HEAD REST "dense 4 rleu\n",           4,  9, "did you mean 'relu'?" },
    { HEAD REST "dense 4 relu gelu\n",      4, 14, "'gelu' is one too many" },
    { HEAD REST "dense 4 relu repeat=0\n",  4, 14, "out of range" },
    { HEAD REST "dense 4 relu repeat=\n",   4, 14, "repeat is missing" },
    { HEAD REST "dense 4 repeat=4096\ndense 4\n", 5, 1, "more than 4096 layers" },
    { HEAD REST "input 5\n",                4,  1, "a second input" },
    { HEAD REST "input\n",                  4,  1, "a second input" },
    { HEAD "input\n",                       2,  6, "input is missing" },
    { HEAD REST "loss cross_entropi\n",     4,  6, "did you mean 'cross_entropy'?" },
    { HEAD REST "loss mean_squared_error labels\n", 4, 25, "too much" },
    { HEAD REST "loss cross_entropy lables\n", 4, 20, "did you mean 'labels'?" },
    { HEAD REST "loss_scale\n",             4, 11, "loss_scale is missing" },
    { HEAD REST "loss_scale x\n",           4, 12, "'x' is no number" },
    { HEAD REST "loss_scale 0\n",           4, 12, "loss_scale: 0 is out of range; expected a number, 1e-30 to 1e+30" },
    { HEAD REST "loss_scale -1\n",          4, 12, "out of range" },
    { HEAD REST "loss_scale 1.1e30\n",      4, 12, "out of range" },
    { HEAD REST "loss_scale inf\n",         4, 12, "is no number" },
    { HEAD REST "loss_scale 2 3\n",         4, 14, "too much" },
    { HEAD REST "loss_scale 2\nloss_scale 2\n", 5, 1, "a second loss_scale" },
    { HEAD REST "loss_scael 2\n",           4,  1, "did you mean 'loss_scale'?" },
    { HEAD REST "optimizer adamm\n",        4, 11, "did you mean 'adam'?" },
    { HEAD REST "optimizer sgd beta1=0.5\n", 4, 15, "is no constant of this optimizer; expected one of lr" },
    { HEAD REST "optimizer adam beta1=1\n", 4, 16, "out of range" },
    { HEAD REST "optimizer adam lr=-1\n",   4, 16, "out of range" },
    { HEAD REST "optimizer adam lr\n",      4, 16, "is no number" },
    { HEAD REST "optimizer adam step=1.5\n", 4, 16, "whole number" },
    { HEAD REST "optimizer adam lr=1 lr=1\n", 4, 21, "given twice" },
    { HEAD REST "weights f23\n",            4,  9, "did you mean 'f32'?" },
    { HEAD REST "compute i32\n",            4,  9, "i32 cannot be used here" },
    { HEAD REST "dense 2 softmax\n",        4,  0, "the loss is missing" },
    { HEAD REST "dense 2 softmax\nloss cross_entropy\n", 5, 0, "the optimizer is missing" },
    { HEAD REST "dense 2 relu\nloss cross_entropy\noptimizer sgd\n", 5, 0,
      "cross_entropy follows a relu layer; expected the last layer to be softmax" },
    { HEAD "input 5\ndense 2\nloss mean_squared_error\noptimizer sgd\n", 5, 0, "batch is missing" },
    { HEAD "input 16777216\nbatch 16777216\ndense 2\nloss mean_squared_error\noptimizer sgd\n",
      2, 0, "x has more than 2^43 bytes" },
    { HEAD "input 1\nbatch 2\ndense 16777216 repeat=2\nloss mean_squared_error\noptimizer sgd\n",
      4, 0, "l2.w has more than 2^43 bytes" },
};

START_TEST(what_is_wrong_is_refused_at_its_place)
{
    static const struct net_options training;
    struct diag d = { .text = "" };
    const char *text = refused[_i].text;
    ck_assert_ptr_null(net_expand_memory(text, strlen(text), &training, &d));
    ck_assert_msg(strstr(d.text, refused[_i].says), "'%s' should say '%s'", d.text, refused[_i].says);
    ck_assert_msg(d.line == refused[_i].line && d.column == refused[_i].column,
                  "%u:%u: %s, but expected at %u:%u", d.line, d.column, d.text,
                  refused[_i].line, refused[_i].column);
}
END_TEST

static struct trace *expand(const char *text, bool inference, uint64_t batch)
{
    struct net_options options = { .inference = inference, .batch = batch };
    struct diag d = { .text = "" };
    struct trace *t = net_expand_memory(text, strlen(text), &options, &d);
    ck_assert_msg(t != NULL, "%u:%u: %s", d.line, d.column, d.text);
    return t;
}

static struct trace *load(const char *path, bool inference, uint64_t batch)
{
    struct net_options options = { .inference = inference, .batch = batch };
    struct diag d = { .text = "" };
    struct trace *t = trace_load(path, &options, &d);
    ck_assert_msg(t != NULL, "%s:%u:%u: %s", d.file, d.line, d.column, d.text);
    return t;
}

/* On paper.  W is the elements of all matrices, B the batch, I and N the input and the
 * first layer's width: forward 2BW, weight gradients 2BW, input gradients 2BW less the
 * first layer's 2BIN.  Parameters are W and the biases. */
static const struct {
    const char *path;
    uint64_t batch, matrices, biases, first;
} networks[] = {
    { "workloads/mlp.net", 256, 784 * 1024 + 1024 * 1024 + 1024 * 10, 1024 + 1024 + 10,
      784 * 1024 },
    { "workloads/keras.net", 32, 8 * 10 + 10 * 1, 10 + 1, 8 * 10 },
    { "workloads/digits.net", 32, 64 * 128 + 128 * 10, 128 + 10, 64 * 128 },
    { "workloads/iris.net", 16, 4 * 16 + 16 * 3, 16 + 3, 4 * 16 },
    { "workloads/wide.net", 1024, 784 * 4096 + 3 * 4096 * 4096 + 4096 * 10, 4 * 4096 + 10,
      784 * 4096 },
    { "workloads/deep.net", 256, 784 * 512 + 31 * 512 * 512 + 512 * 10, 32 * 512 + 10,
      784 * 512 },
    { "workloads/ffn.net", 2048, 2 * 4096 * 16384, 16384 + 4096, 4096 * 16384 },
    { "workloads/paradnn-512x16-b256.net", 256, 2000 * 512 + 15 * 512 * 512 + 512 * 1000,
      16 * 512 + 1000, 2000 * 512 },
    { "workloads/paradnn-8192x8-b2048.net", 2048,
      2000 * 8192 + 7ull * 8192 * 8192 + 8192 * 1000, 8 * 8192 + 1000, 2000 * 8192 },
};

START_TEST(a_training_step_does_the_work_worked_out_on_paper)
{
    uint64_t b = networks[_i].batch, w = networks[_i].matrices;
    struct trace *t = load(networks[_i].path, false, 0);
    struct trace_summary s = trace_summarize(t);
    ck_assert_uint_eq(t->batch, b);
    ck_assert_uint_eq(s.parameters, w + networks[_i].biases);
    ck_assert_uint_eq(s.phase[PHASE_FORWARD].matmul_flops, 2 * b * w);
    ck_assert_uint_eq(s.all.matmul_flops, 6 * b * w - 2 * b * networks[_i].first);
    trace_free(t);

    t = load(networks[_i].path, true, 0);
    s = trace_summarize(t);
    ck_assert_uint_eq(s.all.matmul_flops, 2 * b * w);
    ck_assert_uint_eq(s.all.ops, s.phase[PHASE_FORWARD].ops);
    trace_free(t);
}
END_TEST

/* What is true of every derived step: each weight is updated once, from a gradient of its
 * own shape; nothing is dead; everything is of the type that the network says. */
START_TEST(each_weight_is_updated_once_from_a_gradient_of_its_shape)
{
    struct trace *t = load(networks[_i].path, false, 0);
    uint32_t weights = 0, updates = 0;
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        weights += t->tensors[i].role == ROLE_WEIGHT;
        ck_assert_msg(!trace_dead(t, i), "%s is dead", t->tensors[i].name);
    }
    for (uint32_t i = 0; i < t->op_count; i++) {
        const struct trace_op *op = &t->ops[i];
        if (op_rows[op->kind].class != OP_OPTIMIZER)
            continue;
        const struct trace_tensor *w = &t->tensors[op->in[0]];
        const struct trace_tensor *g = &t->tensors[op->in[op->ins - 1]];
        ck_assert(w->role == ROLE_WEIGHT && g->role == ROLE_GRADIENT);
        ck_assert(w->rank == g->rank);
        ck_assert_mem_eq(w->shape, g->shape, w->rank * sizeof *w->shape);
        ck_assert_uint_eq(w->writer, i);
        updates++;
    }
    ck_assert_uint_eq(weights, updates);
    trace_free(t);
}
END_TEST

#define SMALL HEAD "input 5\nbatch 3\ndense 4 relu\ndense 2 softmax\nloss cross_entropy\n" \
                   "optimizer adam\nweights f16\nstate bf16\ncompute f16\nactivations f16\n"

START_TEST(the_step_of_a_small_network_is_this_one)
{
    static const char expected[] =
        "forward matmul l1.product = x l1.w compute=f16\n"
        "forward bias l1.z = l1.product l1.b\n"
        "forward relu l1.h = l1.z\n"
        "forward matmul l2.product = l1.h l2.w compute=f16\n"
        "forward bias l2.z = l2.product l2.b\n"
        "loss softmax_cross_entropy loss = l2.z t\n"
        "loss softmax_cross_entropy_grad l2.dz = l2.z t\n"
        "backward matmul l2.dw = l1.h l2.dz transpose_a compute=f16\n"
        "backward sum_rows l2.db = l2.dz\n"
        "backward matmul l1.dh = l2.dz l2.w transpose_b compute=f16\n"
        "backward relu_grad l1.dz = l1.dh l1.h\n"
        "backward matmul l1.dw = x l1.dz transpose_a compute=f16\n"
        "backward sum_rows l1.db = l1.dz\n"
        "update adam l1.w l1.w.m l1.w.v = l1.w l1.w.m l1.w.v l1.dw epsilon=1e-08 lr=0.001 "
        "beta1=0.9 beta2=0.999 step=1\n";
    char *text = NULL;
    size_t size;
    struct trace *t = expand(SMALL, false, 0);
    FILE *out = open_memstream(&text, &size);
    trace_write(t, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, expected));
    ck_assert_ptr_nonnull(strstr(text, "tensor l1.w weight f16 5x4\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor l1.product activation f32 3x4\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor l1.h activation f16 3x4\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor l1.dw gradient f32 5x4\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor l1.w.m state bf16 5x4\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor t target i32 3\n"));
    free(text);
    trace_free(t);
}
END_TEST

START_TEST(a_scale_of_the_loss_is_put_in_before_rounding_and_taken_out_in_f32)
{
    static const char expected[] =
        "loss softmax_cross_entropy_grad dloss = l2.z t\n"
        "loss scale l2.dz = dloss factor=1024\n"
        "backward matmul l2.dw.scaled = l1.h l2.dz transpose_a compute=f16\n"
        "backward sum_rows l2.db.scaled = l2.dz\n"
        "backward matmul l1.dh = l2.dz l2.w transpose_b compute=f16\n"
        "backward relu_grad l1.dz = l1.dh l1.h\n"
        "backward matmul l1.dw.scaled = x l1.dz transpose_a compute=f16\n"
        "backward sum_rows l1.db.scaled = l1.dz\n"
        "update scale l1.dw = l1.dw.scaled factor=0.0009765625\n"
        "update adam l1.w l1.w.m l1.w.v = l1.w l1.w.m l1.w.v l1.dw ";
    static const char last[] = "update scale l2.db = l2.db.scaled factor=0.0009765625\n"
        "update adam l2.b l2.b.m l2.b.v = l2.b l2.b.m l2.b.v l2.db ";
    char *text = NULL;
    size_t size;
    struct trace *t = expand(SMALL "loss_scale 1024\ngradients f16\n", false, 0);
    FILE *out = open_memstream(&text, &size);
    trace_write(t, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, expected));
    ck_assert_ptr_nonnull(strstr(text, last));
    ck_assert_ptr_nonnull(strstr(text, "tensor dloss delta f32 3x2\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor l2.dz delta f16 3x2\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor l1.dw.scaled gradient f16 5x4\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor l1.dw gradient f32 5x4\n"));
    ck_assert_ptr_nonnull(strstr(text, "tensor l1.db gradient f32 4\n"));
    free(text);
    trace_free(t);
}
END_TEST

static struct trace *with_scale(const char *text, double loss_scale)
{
    struct net_options options = { .loss_scale = loss_scale };
    struct diag d = { .text = "" };
    struct trace *t = net_expand_memory(text, strlen(text), &options, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    return t;
}

static double factor_of(const struct trace *t)
{
    uint32_t dloss = trace_find(t, "dloss");
    for (uint32_t i = 0; i < t->op_count; i++)
        if (t->ops[i].kind == TRACE_SCALE && t->ops[i].in[0] == dloss)
            return t->ops[i].attr[ATTR_FACTOR];
    return 1;
}

/* 0: the network's own; 1: none, and then nothing is in the trace. */
static const struct { const char *line; double option, factor; } scales[] = {
    { "",                 0,    1 },
    { "",                 1,    1 },
    { "loss_scale 1\n",   0,    1 },
    { "loss_scale 512\n", 1,    1 },
    { "loss_scale 512\n", 0,  512 },
    { "loss_scale 512\n", 0.3, 0.3 },
    { "",                 2,    2 },
};

START_TEST(the_scale_is_the_options_or_the_networks)
{
    char text[512];
    snprintf(text, sizeof text, "%s%s", SMALL, scales[_i].line);
    struct trace *plain = expand(SMALL, false, 0), *t = with_scale(text, scales[_i].option);
    ck_assert_double_eq(factor_of(t), scales[_i].factor);
    ck_assert_uint_eq(t->op_count, plain->op_count + (scales[_i].factor == 1 ? 0 : 1 + 4));
    trace_free(plain);
    trace_free(t);
    struct net_options options = { .loss_scale = 2 };
    struct diag d = { .text = "" };
    ck_assert_ptr_null(trace_load("workloads/keras.trace", &options, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "expected a network"));
}
END_TEST

/* Two rows far on the right side: z is 20 where the class is, 0 elsewhere, so that dz is
 * e^-20 / 2 in size, 1.03e-9, and f16's least number is 6e-8.  x is the identity: dw is dz. */
static double small_gradient(enum reference_rounding rounding, double loss_scale)
{
    static const double x[] = { 1, 0, 0, 1 }, w[] = { 20, 0, 0, 20 }, classes[] = { 0, 1 };
    struct trace *t = with_scale(HEAD "input 2\nbatch 2\ndense 2 softmax no_bias\n"
                                 "loss cross_entropy\noptimizer sgd\nactivations f16\n"
                                 "compute f16\n", loss_scale);
    struct reference *r = reference_new(t, rounding);
    reference_set(r, trace_find(t, "x"), x);
    reference_set(r, trace_find(t, "l1.w"), w);
    reference_set(r, trace_find(t, "t"), classes);
    reference_gradients(r);
    double dw = reference_values(r, trace_find(t, "l1.dw"))[1];
    reference_free(r);
    trace_free(t);
    return dw;
}

START_TEST(a_scale_keeps_small_gradients_from_vanishing_in_f16)
{
    const double wanted = 1 / (1 + exp(20)) / 2;
    ck_assert_double_eq_tol(small_gradient(REFERENCE_EXACT, 1) / wanted, 1, 1e-12);
    ck_assert_double_eq_tol(small_gradient(REFERENCE_EXACT, 1024) / wanted, 1, 1e-12);
    ck_assert_double_eq_tol(small_gradient(REFERENCE_EXACT, 0.3) / wanted, 1, 1e-12);
    ck_assert_double_eq(small_gradient(REFERENCE_STORED, 1), 0);
    /* 6.8e-5, a normal number of f16, which has 11 digits: within 2^-11 of it. */
    ck_assert_double_eq_tol(small_gradient(REFERENCE_STORED, 65536) / wanted, 1, 0x1p-11);
}
END_TEST

START_TEST(inference_applies_the_last_activation_and_gives_it_out)
{
    struct trace *t = expand(SMALL, true, 0);
    const struct trace_op *last = &t->ops[t->op_count - 1];
    ck_assert_int_eq(last->kind, TRACE_SOFTMAX);
    ck_assert_int_eq(t->tensors[last->out[0]].role, ROLE_OUTPUT);
    ck_assert_uint_eq(trace_find(t, "loss"), TRACE_NONE);
    trace_free(t);
    t = expand(HEAD "input 5\nbatch 3\ndense 4\n", true, 0);       /* no loss is needed */
    ck_assert_int_eq(t->tensors[trace_find(t, "l1.z")].role, ROLE_OUTPUT);
    trace_free(t);
}
END_TEST

START_TEST(another_batch_changes_rows_and_nothing_else)
{
    struct trace *a = load("workloads/keras.net", false, 0), *b = load("workloads/keras.net", false, 8);
    ck_assert_uint_eq(b->batch, 8);
    ck_assert_uint_eq(a->op_count, b->op_count);
    for (uint32_t i = 0; i < a->tensor_count; i++) {
        const struct trace_tensor *x = &a->tensors[i], *y = &b->tensors[i];
        bool rows = x->rank == 2 && x->shape[0] == 32;
        ck_assert_uint_eq(trace_elements(y), rows ? trace_elements(x) / 4 : trace_elements(x));
    }
    trace_free(a);
    trace_free(b);
}
END_TEST

START_TEST(every_network_derives_the_trace_beside_it)
{
    glob_t found;
    ck_assert_int_eq(glob("workloads/*.net", 0, NULL, &found), 0);
    ck_assert_uint_ge(found.gl_pathc, 7 + 8 * 3);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char path[256], *derived = NULL, *kept;
        size_t derived_size, kept_size;
        struct diag d = { .text = "" };
        const char *net = found.gl_pathv[i];
        snprintf(path, sizeof path, "%.*s.trace", (int)(strlen(net) - strlen(".net")), net);
        kept = text_load(path, &kept_size, &d);
        ck_assert_msg(kept != NULL, "%s: %s", path, d.text);
        struct trace *t = load(net, false, 0);
        FILE *out = open_memstream(&derived, &derived_size);
        trace_write(t, out);
        fclose(out);
        ck_assert_msg(derived_size == kept_size && memcmp(derived, kept, kept_size) == 0,
                      "%s is not what %s derives", path, net);
        trace_free(t);
        free(derived);
        free(kept);
    }
    globfree(&found);
}
END_TEST

/* argv's end is NULL; stdout and stderr are not looked at. */
static const struct { char *argv[6]; int status; } commands[] = {
    { { "trace" },                                                         2 },
    { { "trace", "/nonexistent" },                                         2 },
    { { "trace", "--no-such-option", "workloads/mlp.net" },                2 },
    { { "trace", "--batch", "0", "workloads/mlp.net" },                    2 },
    { { "trace", "--batch", "8", "workloads/mlp.trace" },                  2 },
    { { "trace", "workloads/mlp.net", "workloads/mlp.net" },               2 },
    { { "trace", "-o", "/nonexistent/x", "workloads/mlp.net" },            2 },
    { { "trace", "-o", "/dev/full", "workloads/mlp.net" },                 1 },
    { { "trace", "-o" },                                                   2 },
    { { "trace", "-o", "/dev/null", "workloads/mlp.net" },                 0 },
    { { "trace", "-o", "/dev/null", "--inference", "workloads/mlp.net" },  0 },
};

START_TEST(the_command_says_how_it_went)
{
    int argc = 0;
    char *argv[6];
    memcpy(argv, commands[_i].argv, sizeof argv);
    while (argv[argc])
        argc++;
    int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    int status = cmd_trace(argc, argv);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(null);
    ck_assert_int_eq(status, commands[_i].status);
}
END_TEST

/* `simaccel trace keras.net -o x.trace.gz`, and that read again. */
START_TEST(the_command_writes_what_it_derives)
{
    char path[] = "/tmp/simaccel-test-XXXXXX.trace.gz", command[] = "trace", flag[] = "-o";
    char net[] = "workloads/keras.net", *argv[] = { command, net, flag, path, NULL };
    close(mkstemps(path, (int)strlen(".trace.gz")));
    ck_assert_int_eq(cmd_trace(4, argv), 0);
    struct trace *a = load("workloads/keras.trace", false, 0), *b = load(path, false, 0);
    ck_assert_uint_eq(a->op_count, b->op_count);
    ck_assert_uint_eq(a->flops, b->flops);
    ck_assert_uint_eq(b->samples, 1000);
    unlink(path);
    trace_free(a);
    trace_free(b);
}
END_TEST

Suite *expand_suite(void)
{
    Suite *s = suite_create("expand");
    TCase *t = tcase_create("networks");
    tcase_add_loop_test(t, what_is_wrong_is_refused_at_its_place, 0, COUNT_OF(refused));
    tcase_add_loop_test(t, a_training_step_does_the_work_worked_out_on_paper, 0, COUNT_OF(networks));
    tcase_add_loop_test(t, each_weight_is_updated_once_from_a_gradient_of_its_shape, 0,
                        COUNT_OF(networks));
    tcase_add_test(t, the_step_of_a_small_network_is_this_one);
    tcase_add_test(t, a_scale_of_the_loss_is_put_in_before_rounding_and_taken_out_in_f32);
    tcase_add_loop_test(t, the_scale_is_the_options_or_the_networks, 0, COUNT_OF(scales));
    tcase_add_test(t, a_scale_keeps_small_gradients_from_vanishing_in_f16);
    tcase_add_test(t, inference_applies_the_last_activation_and_gives_it_out);
    tcase_add_test(t, another_batch_changes_rows_and_nothing_else);
    tcase_add_test(t, every_network_derives_the_trace_beside_it);
    tcase_add_loop_test(t, the_command_says_how_it_went, 0, COUNT_OF(commands));
    tcase_add_test(t, the_command_writes_what_it_derives);
    suite_add_tcase(s, t);
    return s;
}
