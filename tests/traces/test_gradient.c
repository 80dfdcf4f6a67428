/* test_gradient.c - every gradient op, and the backward pass that is derived from a network,
 * against differences of a loss; and that the same check finds what is wrong. */
#include "tests/suites.h"
#include "tests/traces/reference_rig.h"

/* The loss is the sum of y weighted by c, so c is the gradient of y; x is what to change. */
#define WEIGHTED                                                                    \
    "tensor c constant f32 @\ntensor y activation f32 @\ntensor q activation f32 @\n" \
    "tensor x weight f32 @\ntensor dx gradient f32 @\ntensor loss output f32 1\n"
#define WEIGHTED_LOSS "forward multiply q = y c\nloss sum loss = q\n"

#define UNARY(op, gradient) \
    WEIGHTED "forward " op "\n" WEIGHTED_LOSS "backward " gradient "\n"

#define LOSS(target, x, op, constant)                                               \
    target "tensor " x " weight f32 @\ntensor d" x " gradient f32 @\n"              \
    "tensor loss output f32 1\nloss " op " loss = " x " t " constant "\n"           \
    "loss " op "_grad d" x " = " x " t " constant "\n"

#define PRODUCT(a, b, form, da, db)                                                 \
    "tensor a weight f32 " a "\ntensor b weight f32 " b "\ntensor c constant f32 4xMxN\n" \
    "tensor y activation f32 4xMxN\ntensor q activation f32 4xMxN\n"                \
    "tensor da gradient f32 " a "\ntensor db gradient f32 " b "\n"                  \
    "tensor loss output f32 1\nforward matmul y = a b " form " compute=f32\n"       \
    WEIGHTED_LOSS "backward matmul da = " da " compute=f32\n"                       \
    "backward matmul db = " db " compute=f32\n"

#define LAYERNORM WEIGHTED                                                          \
    "tensor g weight f32 %\ntensor b weight f32 %\ntensor dg gradient f32 %\n"      \
    "tensor db gradient f32 %\ntensor m activation f32 $\ntensor r activation f32 $\n" \
    "forward layernorm y m r = x g b epsilon=0.1\n" WEIGHTED_LOSS                   \
    "backward layernorm_grad dx = c x g m r\n"

static const char *const ops[] = {
    UNARY("relu y = x",    "relu_grad dx = c y"),
    UNARY("relu y = x",    "relu_grad dx = c x"),         /* as good: y > 0 where x is */
    UNARY("sigmoid y = x", "sigmoid_grad dx = c y"),
    UNARY("tanh y = x",    "tanh_grad dx = c y"),
    UNARY("gelu y = x",    "gelu_grad dx = c x"),
    UNARY("softmax y = x", "softmax_grad dx = c y"),
    UNARY("cast y = x",    "cast dx = c"),
    UNARY("scale y = x factor=-1.7", "scale dx = c factor=-1.7"),
    LAYERNORM "backward layernorm_grad_weights dg db = c x m r\n",
    LOSS("tensor t target f32 @\n", "x", "softmax_cross_entropy", ""),
    LOSS("tensor t target f32 @\n", "x", "sigmoid_cross_entropy", ""),
    LOSS("tensor t target f32 @\n", "x", "mean_squared_error",    ""),
    LOSS("tensor t target f32 @\n", "p", "binary_cross_entropy",  "epsilon=1e-7"),
    /* Classes are below 3. */
    "tensor t target i32 M\ntensor x weight f32 Mx3\ntensor dx gradient f32 Mx3\n"
    "tensor loss output f32 1\nloss softmax_cross_entropy loss = x t\n"
    "loss softmax_cross_entropy_grad dx = x t\n",
    /* Over a row of every leading dimension. */
    "tensor x input f32 @\ntensor b weight f32 %\ntensor c constant f32 @\n"
    "tensor y activation f32 @\ntensor q activation f32 @\ntensor db gradient f32 %\n"
    "tensor loss output f32 1\nforward bias y = x b\n" WEIGHTED_LOSS
    "backward sum_rows db = c\n",
    PRODUCT("4xMxK", "4xKxN", "",                        "c b transpose_b", "a c transpose_a"),
    PRODUCT("4xKxM", "4xKxN", "transpose_a",             "b c transpose_b", "a c"),
    PRODUCT("4xMxK", "4xNxK", "transpose_b",             "c b", "c a transpose_a"),
    PRODUCT("4xKxM", "4xNxK", "transpose_a transpose_b", "b c transpose_a transpose_b",
                                                         "c a transpose_a transpose_b"),
    "tensor a weight f32 2x3xMxN\ntensor c constant f32 2x3xNxM\ntensor y activation f32 2x3xNxM\n"
    "tensor q activation f32 2x3xNxM\ntensor da gradient f32 2x3xMxN\ntensor loss output f32 1\n"
    "forward transpose y = a\n" WEIGHTED_LOSS "backward transpose da = c\n",
};

#define SHAPES 25

/* The worst disagreement of all w of which there is a dw. */
static double check(const char *lines, uint64_t seed)
{
    struct random_stream s = { seed };
    struct trace *t = rig_trace(lines, &s);
    struct reference *r = reference_new(t, REFERENCE_EXACT);
    double worst = 0;
    unsigned checked = 0;
    rig_fill(t, r, &s);
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        char name[TRACE_NAME + 1] = "d";
        strcat(name, t->tensors[i].name);
        if (t->tensors[i].role != ROLE_WEIGHT)
            continue;
        worst = fmax(worst, rig_disagreement(t, r, i, rig_find(t, name), UINT64_MAX, &s));
        checked++;
    }
    ck_assert_uint_gt(checked, 0);
    reference_free(r);
    trace_free(t);
    return worst;
}

START_TEST(a_gradient_op_is_the_gradient_of_its_op)
{
    for (uint64_t seed = 1; seed <= SHAPES; seed++) {
        double off = check(ops[_i], seed);
        ck_assert_msg(off <= 1, "seed %llu: %.3g times what differences may be off:\n%s",
                      (unsigned long long)seed, off, ops[_i]);
    }
}
END_TEST

/* What one could write instead; each is found with most shapes (with some, such as rows of
 * one element or square matrices of one, a wrong op is right). */
static const char *const wrong[] = {
    UNARY("relu y = x",    "cast dx = c"),
    UNARY("sigmoid y = x", "sigmoid_grad dx = c x"),
    UNARY("tanh y = x",    "sigmoid_grad dx = c y"),
    UNARY("tanh y = x",    "tanh_grad dx = c x"),
    UNARY("gelu y = x",    "gelu_grad dx = c y"),
    UNARY("softmax y = x", "softmax_grad dx = c x"),
    UNARY("scale y = x factor=-1.7", "scale dx = c factor=1.7"),
    LAYERNORM "backward layernorm_grad_weights db dg = c x m r\n",
    LAYERNORM "backward layernorm_grad_weights dg db = c y m r\n",
    "tensor a weight f32 MxM\ntensor b constant f32 MxM\ntensor c constant f32 MxM\n"
    "tensor y activation f32 MxM\ntensor q activation f32 MxM\ntensor da gradient f32 MxM\n"
    "tensor loss output f32 1\nforward matmul y = a b compute=f32\n" WEIGHTED_LOSS
    "backward matmul da = c b compute=f32\n",
};

START_TEST(a_wrong_gradient_is_found)
{
    unsigned found = 0;
    for (uint64_t seed = 1; seed <= SHAPES; seed++)
        found += check(wrong[_i], seed) > 1000;
    ck_assert_msg(found > SHAPES / 2, "found %u times of %u:\n%s", found, SHAPES, wrong[_i]);
}
END_TEST

/* ---- what a network's training step works out ---- */

static const char *const nets[] = {
    "dense 4 relu\ndense 3 softmax\nloss cross_entropy\n",
    "dense 4 relu\ndense 3 softmax\nloss cross_entropy one_hot\n",
    "dense 4 tanh\ndense 7 sigmoid no_bias\ndense 1 sigmoid\nloss binary_cross_entropy\n",
    "dense 4 gelu no_bias\ndense 6 gelu\ndense 2\nloss mean_squared_error\n",
    "dense 4\ndense 6 softmax\ndense 2 tanh\nloss mean_squared_error\n",
    "dense 3 linear no_bias repeat=2\ndense 3 softmax\nloss mean_squared_error\n",
    "dense 2 gelu\nloss mean_squared_error\n",
    "dense 4 tanh\ndense 3 softmax\nloss cross_entropy\nloss_scale 1024\n",
    "dense 4 gelu\ndense 2 tanh no_bias\nloss mean_squared_error\nloss_scale 0.3\n",
};

/* Of each tensor that an optimizer changes, `count` elements; values as training begins, but
 * biases too are not 0, where relu has its kink if all inputs are. */
static void check_training(const struct trace *t, uint64_t count, uint64_t seed)
{
    struct reference *r = reference_new(t, REFERENCE_EXACT);
    struct random_stream s = { seed };
    unsigned weights = 0;
    reference_fill(r, seed);
    for (uint32_t i = 0; i < t->op_count; i++) {
        const struct trace_op *op = &t->ops[i];
        if (op_rows[op->kind].class != OP_OPTIMIZER)
            continue;
        const struct trace_tensor *w = &t->tensors[op->in[0]];
        for (uint64_t k = 0; w->rank == 1 && k < trace_elements(w); k++)
            reference_values(r, op->in[0])[k] = rig_value(&s) / 8;
    }
    for (uint32_t i = 0; i < t->op_count; i++) {
        const struct trace_op *op = &t->ops[i];
        if (op_rows[op->kind].class != OP_OPTIMIZER)
            continue;
        double off = rig_disagreement(t, r, op->in[0], op->in[op->ins - 1], count, &s);
        ck_assert_msg(off <= 1, "%s, %s: %.3g times what differences may be off", t->name,
                      t->tensors[op->in[0]].name, off);
        weights++;
    }
    ck_assert_uint_gt(weights, 0);
    reference_free(r);
}

START_TEST(the_derived_backward_pass_is_the_gradient_of_the_loss)
{
    char text[512];
    static const struct net_options training;
    struct diag d = { .text = "" };
    snprintf(text, sizeof text, "simaccel-net 1\ninput 5\nbatch 6\noptimizer sgd lr=0.1\n%s",
             nets[_i]);
    struct trace *t = net_expand_memory(text, strlen(text), &training, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    check_training(t, UINT64_MAX, 1 + (uint64_t)_i);
    trace_free(t);
}
END_TEST

/* No wider than this; 0: as it is.  A few elements of each weight stand for all. */
static const struct { const char *file; uint64_t widest, batch; } workloads[] = {
    { "workloads/keras.net", 0, 32 },
    { "workloads/digits.net", 0, 32 },
    { "workloads/iris.net",  0, 16 },
    { "workloads/mlp.net",   0, 2 },
    { "workloads/wide.net", 40, 5 },
    { "workloads/deep.net", 30, 5 },
    { "workloads/ffn.net",  50, 3 },
    { "workloads/paradnn-2048x16-b32.net", 30, 5 },
};

START_TEST(the_backward_pass_of_a_workload_is_the_gradient_of_its_loss)
{
    struct diag d = { .text = "" };
    size_t size;
    char *text = text_load(workloads[_i].file, &size, &d);
    ck_assert_msg(text != NULL, "%s", d.text);
    struct net *n = net_read_memory(text, size, &d);
    uint64_t widest = workloads[_i].widest ? workloads[_i].widest : NET_WIDTH_MAX;
    n->input = n->input < widest ? n->input : widest;
    for (unsigned i = 0; i < n->layer_count; i++)
        n->layers[i].units = n->layers[i].units < widest ? n->layers[i].units : widest - i % 3;
    struct net_options options = { .batch = workloads[_i].batch };
    struct trace *t = net_expand(n, &options, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    check_training(t, 3, 1);
    trace_free(t);
    net_free(n);
    free(text);
}
END_TEST

Suite *gradient_suite(void)
{
    Suite *s = suite_create("gradient");
    TCase *t = tcase_create("differences");
    tcase_add_loop_test(t, a_gradient_op_is_the_gradient_of_its_op, 0, COUNT_OF(ops));
    tcase_add_loop_test(t, a_wrong_gradient_is_found, 0, COUNT_OF(wrong));
    tcase_add_loop_test(t, the_derived_backward_pass_is_the_gradient_of_the_loss, 0,
                        COUNT_OF(nets));
    tcase_add_loop_test(t, the_backward_pass_of_a_workload_is_the_gradient_of_its_loss, 0,
                        COUNT_OF(workloads));
    suite_add_tcase(s, t);
    return s;
}
