/* test_reference.c - the reference against formulas written out plainly, with the host's own
 * functions; what must hold of results whatever they are; and where STORED rounds. */
#include "tests/suites.h"
#include "tests/traces/reference_rig.h"

#define CASES 30

/* ---- matmul ---- */

#define MATMUL(a, b, form, transpose_a, transpose_b) \
    { "tensor a input f32 4x" a "\ntensor b input f32 4x" b "\ntensor y output f32 4xMxN\n" \
      "forward matmul y = a b " form " compute=f32\n", transpose_a, transpose_b }

static const struct { const char *lines; bool transpose_a, transpose_b; } matmuls[] = {
    MATMUL("MxK", "KxN", "",                        false, false),
    MATMUL("KxM", "KxN", "transpose_a",             true,  false),
    MATMUL("MxK", "NxK", "transpose_b",             false, true),
    MATMUL("KxM", "NxK", "transpose_a transpose_b", true,  true),
};

/* Element (i, j) of matrix g, of `columns` columns as it is stored. */
static double at(const double *v, uint64_t g, uint64_t rows, uint64_t columns, uint64_t i,
                 uint64_t j, bool transposed)
{
    return transposed ? v[(g * columns + j) * rows + i] : v[(g * rows + i) * columns + j];
}

/* Whole numbers, whose sums are exact in any order: here the last product comes first. */
START_TEST(matmul_is_rows_times_columns_in_every_form)
{
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        struct random_stream s = { seed };
        struct trace *t = rig_trace(matmuls[_i].lines, &s);
        struct reference *r = reference_new(t, REFERENCE_EXACT);
        struct op_matmul d = op_matmul(t, &t->ops[0]);
        for (uint32_t i = 0; i < 2; i++)
            for (uint64_t k = 0; k < trace_elements(&t->tensors[i]); k++)
                reference_values(r, i)[k] = (double)random_below(&s, 2001) - 1000;
        reference_step(r, 0);
        for (uint64_t i = 0; i < d.batch * d.m * d.n; i++) {
            uint64_t g = i / (d.m * d.n), row = i / d.n % d.m, column = i % d.n;
            double sum = 0;
            for (uint64_t k = d.k; k-- > 0;)
                sum += at(reference_values(r, 0), g, d.m, d.k, row, k, matmuls[_i].transpose_a)
                     * at(reference_values(r, 1), g, d.k, d.n, k, column, matmuls[_i].transpose_b);
            ck_assert_msg(reference_values(r, 2)[i] == sum, "seed %llu, element %llu",
                          (unsigned long long)seed, (unsigned long long)i);
        }
        reference_free(r);
        trace_free(t);
    }
}
END_TEST

/* ---- losses ---- */

struct loss { const double *z, *t; uint64_t rows, n; };

static double softmax_loss(const struct loss *l, bool classes)
{
    double sum = 0;
    for (uint64_t r = 0; r < l->rows; r++) {
        const double *z = l->z + r * l->n;
        double exps = 0;
        for (uint64_t j = 0; j < l->n; j++)
            exps += exp(z[j]);
        for (uint64_t j = 0; j < l->n; j++)
            if (classes)
                sum -= l->t[r] == (double)j ? log(exp(z[j]) / exps) : 0;
            else
                sum -= l->t[r * l->n + j] * z[j];
        sum += classes ? 0 : log(exps);
    }
    return sum / (double)l->rows;
}

static double classes_loss(const struct loss *l) { return softmax_loss(l, true); }
static double shares_loss(const struct loss *l) { return softmax_loss(l, false); }

static double cross_entropy(double p, double t) { return -t * log(p) - (1 - t) * log(1 - p); }

static double sigmoid_loss(const struct loss *l)
{
    double sum = 0;
    for (uint64_t i = 0; i < l->rows * l->n; i++)
        sum += cross_entropy(1 / (1 + exp(-l->z[i])), l->t[i]);
    return sum / (double)(l->rows * l->n);
}

/* Most are no probabilities and count as 0.1 or 0.9. */
static double probability_loss(const struct loss *l)
{
    double sum = 0;
    for (uint64_t i = 0; i < l->rows * l->n; i++)
        sum += cross_entropy(fmin(fmax(l->z[i], 0.1), 0.9), l->t[i]);
    return sum / (double)(l->rows * l->n);
}

static double squares_loss(const struct loss *l)
{
    double sum = 0;
    for (uint64_t i = 0; i < l->rows * l->n; i++)
        sum += pow(l->z[i] - l->t[i], 2);
    return sum / (double)(l->rows * l->n);
}

#define LOSS(op) \
    "tensor z input f32 @\ntensor t target f32 @\ntensor y output f32 1\nloss " op "\n"

static const struct { const char *lines; double (*formula)(const struct loss *l); } losses[] = {
    { LOSS("softmax_cross_entropy y = z t"), shares_loss },
    { "tensor z input f32 MxKx3\ntensor t target i32 MxK\ntensor y output f32 1\n"
      "loss softmax_cross_entropy y = z t\n", classes_loss },
    { LOSS("sigmoid_cross_entropy y = z t"), sigmoid_loss },
    { LOSS("binary_cross_entropy y = z t epsilon=0.1"), probability_loss },
    { LOSS("mean_squared_error y = z t"), squares_loss },
};

START_TEST(a_loss_is_what_its_formula_says)
{
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        struct random_stream s = { seed };
        struct trace *t = rig_trace(losses[_i].lines, &s);
        struct reference *r = reference_new(t, REFERENCE_EXACT);
        rig_fill(t, r, &s);
        reference_step(r, 0);
        struct loss l = { reference_values(r, 0), reference_values(r, 1),
                          trace_rows(&t->tensors[0]),
                          t->tensors[0].shape[t->tensors[0].rank - 1] };
        double wanted = losses[_i].formula(&l), got = reference_values(r, 2)[0];
        ck_assert_msg(fabs(got - wanted) <= 1e-12 * (1 + fabs(wanted)), "seed %llu: %.17g, not %.17g",
                      (unsigned long long)seed, got, wanted);
        reference_free(r);
        trace_free(t);
    }
}
END_TEST

/* Where exp(z) is too large or too small for a double; worked out on paper. */
START_TEST(losses_of_large_numbers_are_finite)
{
    struct trace *t = rig_read(
        "tensor z input f32 2x3\ntensor c target i32 2\ntensor t target f32 2x3\n"
        "tensor a output f32 1\ntensor b output f32 1\ntensor g output f32 2x3\n"
        "loss softmax_cross_entropy a = z c\nloss sigmoid_cross_entropy b = z t\n"
        "loss softmax_cross_entropy_grad g = z c\n");
    static const double z[] = { 3000, 1000, -5000, -2000, -2000, -2000 };
    static const double c[] = { 1, 2 }, shares[] = { 1, 0.5, 0.25, 1, 0, 0.5 };
    struct reference *r = reference_new(t, REFERENCE_EXACT);
    reference_set(r, 0, z);
    reference_set(r, 1, c);
    reference_set(r, 2, shares);
    reference_step(r, 0);
    ck_assert_double_eq_tol(rig_values(t, r, "a")[0], (2000 + log(3)) / 2, 1e-12);
    /* 0, 1000 - 500, 1250, 2000, 0, 1000 */
    ck_assert_double_eq_tol(rig_values(t, r, "b")[0], 4750.0 / 6, 1e-12);
    ck_assert_double_eq_tol(rig_values(t, r, "g")[1], -0.5, 1e-15);
    ck_assert_double_eq_tol(rig_values(t, r, "g")[5], (1.0 / 3 - 1) / 2, 1e-15);
    reference_free(r);
    trace_free(t);
}
END_TEST

/* ---- optimizers: one weight through three steps, in the host's widest numbers ---- */

struct weight { long double w, m, v; };

static void sgd(struct weight *x, long double g, int step)
{
    (void)step;
    x->w = x->w - 0.3L * g;
}

static void momentum(struct weight *x, long double g, int step)
{
    (void)step;
    x->m = 0.9L * x->m + g;
    x->w = x->w - 0.3L * x->m;
}

static void rmsprop(struct weight *x, long double g, int step)
{
    (void)step;
    x->m = 0.8L * x->m + 0.2L * g * g;
    x->w = x->w - 0.3L * g / sqrtl(x->m + 0.01L);
}

/* As Kingma and Ba's algorithm has it, but for epsilon, which they put beside the corrected
 * root and the op (their last paragraph of section 2) beside the plain one. */
static void adam(struct weight *x, long double g, int step)
{
    x->m = 0.9L * x->m + 0.1L * g;
    x->v = 0.99L * x->v + 0.01L * g * g;
    long double mean = x->m / (1 - powl(0.9L, step)), correction = sqrtl(1 - powl(0.99L, step));
    x->w = x->w - 0.3L * mean * correction / (sqrtl(x->v) + 0.01L);
}

#define UPDATE(operands, state, op) \
    "tensor w weight f32 @\n" state "tensor g input f32 @\nupdate " op " " operands

static const struct {
    const char *lines;
    void      (*formula)(struct weight *x, long double g, int step);
    int         first;
} updates[] = {
    { UPDATE("w = w g lr=0.3\n", "", "sgd"), sgd, 1 },
    { UPDATE("w m = w m g lr=0.3 momentum=0.9\n", "tensor m state f32 @\n", "momentum"),
      momentum, 1 },
    { UPDATE("w s = w s g lr=0.3 decay=0.8 epsilon=0.01\n", "tensor s state f32 @\n", "rmsprop"),
      rmsprop, 1 },
    { UPDATE("w m s = w m s g lr=0.3 beta1=0.9 beta2=0.99 epsilon=0.01 step=1\n",
             "tensor m state f32 @\ntensor s state f32 @\n", "adam"), adam, 1 },
    { UPDATE("w m s = w m s g lr=0.3 beta1=0.9 beta2=0.99 epsilon=0.01 step=37\n",
             "tensor m state f32 @\ntensor s state f32 @\n", "adam"), adam, 37 },
};

START_TEST(an_optimizer_does_what_its_formula_says)
{
    struct random_stream s = { 1 };
    struct trace *t = rig_trace(updates[_i].lines, &s);
    struct reference *r = reference_new(t, REFERENCE_EXACT);
    uint64_t count = trace_elements(&t->tensors[0]);
    uint32_t states = t->ops[0].ins - 2;
    struct weight *x = calloc(count, sizeof *x);
    rig_fill(t, r, &s);
    for (uint64_t i = 0; i < count; i++)
        x[i] = (struct weight){ reference_values(r, 0)[i], states ? reference_values(r, 1)[i] : 0,
                                states > 1 ? reference_values(r, 2)[i] : 0 };
    for (int step = 0; step < 3; step++) {
        for (uint64_t i = 0; i < count; i++) {
            double g = reference_values(r, 1 + states)[i] = rig_value(&s);
            updates[_i].formula(&x[i], g, updates[_i].first + step);
        }
        reference_step(r, (uint64_t)step);
        for (uint64_t i = 0; i < count; i++) {
            ck_assert_double_eq_tol(reference_values(r, 0)[i], (double)x[i].w, 1e-12);
            if (states > 0)
                ck_assert_double_eq_tol(reference_values(r, 1)[i], (double)x[i].m, 1e-13);
            if (states > 1)
                ck_assert_double_eq_tol(reference_values(r, 2)[i], (double)x[i].v, 1e-13);
        }
    }
    free(x);
    reference_free(r);
    trace_free(t);
}
END_TEST

/* ---- what always holds ---- */

START_TEST(rows_of_softmax_add_up_to_1_and_a_shift_changes_nothing)
{
    struct random_stream s = { 3 };
    struct trace *t = rig_trace("tensor x input f32 @\ntensor y output f32 @\n"
                                "forward softmax y = x\n", &s);
    struct reference *r = reference_new(t, REFERENCE_EXACT);
    uint64_t count = trace_elements(&t->tensors[0]), n = count / trace_rows(&t->tensors[0]);
    double *x = reference_values(r, 0), *y = reference_values(r, 1), before[4096];
    rig_fill(t, r, &s);
    reference_step(r, 0);
    for (uint64_t i = 0; i < count; i += n) {
        double sum = 0;
        for (uint64_t j = 0; j < n; j++) {
            ck_assert(y[i + j] > 0);
            sum += y[i + j];
        }
        ck_assert_double_eq_tol(sum, 1, 1e-14);
    }
    memcpy(before, y, count * sizeof *y);
    for (uint64_t i = 0; i < count; i++)
        x[i] += 1024 * (double)(1 + i / n);
    reference_step(r, 0);
    for (uint64_t i = 0; i < count; i++)
        ck_assert_double_eq_tol(y[i], before[i], 1e-12);
    reference_free(r);
    trace_free(t);
}
END_TEST

START_TEST(rows_of_layernorm_have_mean_0_and_variance_1)
{
    struct trace *t = rig_read(
        "tensor x input f32 3x40\ntensor g weight f32 40\ntensor b weight f32 40\n"
        "tensor y output f32 3x40\ntensor m output f32 3\ntensor r output f32 3\n"
        "forward layernorm y m r = x g b epsilon=1e-12\n");
    struct random_stream s = { 4 };
    struct reference *r = reference_new(t, REFERENCE_EXACT);
    rig_fill(t, r, &s);
    for (int j = 0; j < 40; j++) {
        rig_values(t, r, "g")[j] = 1;
        rig_values(t, r, "b")[j] = 0;
        rig_values(t, r, "x")[40 + j] = 1000 + 0.001 * j;       /* far from 0, close together */
    }
    reference_step(r, 0);
    for (int row = 0; row < 3; row++) {
        const double *y = rig_values(t, r, "y") + 40 * row;
        double sum = 0, squares = 0;
        for (int j = 0; j < 40; j++) {
            sum += y[j];
            squares += y[j] * y[j];
        }
        ck_assert_double_eq_tol(sum / 40, 0, 1e-9);
        ck_assert_double_eq_tol(squares / 40, 1, 1e-6);
    }
    ck_assert_double_eq_tol(rig_values(t, r, "m")[1], 1000 + 0.001 * 19.5, 1e-12);
    reference_free(r);
    trace_free(t);
}
END_TEST

/* What a constant added to a row cannot change has gradients that add up to 0 in the row; what
 * a factor cannot change either has them at right angles to the row. */
START_TEST(gradients_keep_to_what_their_ops_can_see)
{
    struct trace *t = rig_read(
        "tensor x input f32 4x9\ntensor c target i32 4\ntensor dy input f32 4x9\n"
        "tensor g weight f32 9\ntensor b weight f32 9\ntensor y activation f32 4x9\n"
        "tensor m activation f32 4\ntensor r activation f32 4\ntensor n output f32 4x9\n"
        "tensor e output f32 4x9\ntensor z activation f32 4x9\ntensor d output f32 4x9\n"
        "forward layernorm y m r = x g b epsilon=1e-15\nforward softmax z = x\n"
        "backward layernorm_grad n = dy x g m r\n"
        "backward softmax_cross_entropy_grad e = x c\nbackward softmax_grad d = dy z\n");
    struct random_stream s = { 6 };
    struct reference *r = reference_new(t, REFERENCE_EXACT);
    const double *x = rig_values(t, r, "x"), *n = rig_values(t, r, "n");
    rig_fill(t, r, &s);
    reference_step(r, 0);
    for (int row = 0; row < 4; row++) {
        double norm = 0, entropy = 0, softmax = 0, along = 0;
        for (int i = 9 * row; i < 9 * row + 9; i++) {
            norm += n[i];
            entropy += rig_values(t, r, "e")[i];
            softmax += rig_values(t, r, "d")[i];
            along += n[i] * x[i];
        }
        ck_assert_double_eq_tol(norm, 0, 1e-13);
        ck_assert_double_eq_tol(entropy, 0, 1e-15);
        ck_assert_double_eq_tol(softmax, 0, 1e-15);
        ck_assert_double_eq_tol(along, 0, 1e-13);
    }
    reference_free(r);
    trace_free(t);
}
END_TEST

START_TEST(ops_that_only_move_move_all)
{
    struct trace *t = rig_read(
        "tensor x input f32 2x3x4\ntensor z activation f32 2x4x3\ntensor y output f32 2x3x4\n"
        "tensor f output f32 6x4\ntensor w gradient f32 2x3x4\n"
        "forward transpose z = x\nforward transpose y = z\nforward reshape f = x\n"
        "backward scale w = x factor=-1\ncommunicate all_reduce w = w\n");
    struct reference *r = reference_new(t, REFERENCE_STORED);
    for (int i = 0; i < 24; i++)
        rig_values(t, r, "x")[i] = i;
    reference_step(r, 0);
    for (int i = 0; i < 24; i++) {
        ck_assert(rig_values(t, r, "y")[i] == i && rig_values(t, r, "f")[i] == i);
        ck_assert(rig_values(t, r, "w")[i] == -i);
        /* (batch, column, row) of z is (batch, row, column) of x. */
        ck_assert(rig_values(t, r, "z")[i / 12 * 12 + i % 4 * 3 + i / 4 % 3] == i);
    }
    reference_free(r);
    trace_free(t);
}
END_TEST

/* ---- rounding ---- */

START_TEST(stored_rounds_where_the_language_does_and_exact_nowhere)
{
    struct trace *t = rig_read(
        "tensor w weight f32 1\ntensor v weight f32 1\ntensor a state bf16 1\ntensor g input f32 1\n"
        "tensor x input f32 1x1\ntensor y input f32 1x1\ntensor p output f32 1x1\n"
        "tensor h output f16 1x1\ntensor q output bf16 1x1\n"
        "update sgd w = w g lr=0.1\nupdate momentum v a = v a g lr=1 momentum=1\n"
        "forward matmul p = x y compute=bf16\nforward add h = x y\nforward add q = x y\n");
    for (int stored = 0; stored < 2; stored++) {
        struct reference *r = reference_new(t, stored ? REFERENCE_STORED : REFERENCE_EXACT);
        reference_set(r, 0, &(double){ 0 });
        reference_set(r, 1, &(double){ 0 });
        reference_set(r, 2, &(double){ 1 });
        reference_set(r, 3, &(double){ 1 + 0x1p-40 });
        reference_set(r, 4, &(double){ 1 + 0x1p-9 });
        reference_set(r, 5, &(double){ 0x1.8p-9 });
        double g = rig_values(t, r, "g")[0];
        ck_assert(g == (stored ? 1 : 1 + 0x1p-40));             /* values that are set */
        rig_values(t, r, "g")[0] = g = 0x1p-9;
        reference_step(r, 0);
        /* constants: 0.1 in f32 */
        ck_assert(rig_values(t, r, "w")[0] == -(stored ? (double)0.1f : 0.1) * 0x1p-9);
        /* state in bf16; the weight in f32 has seen it before that */
        ck_assert(rig_values(t, r, "a")[0] == 1 + (stored ? 0 : 0x1p-9));
        ck_assert(rig_values(t, r, "v")[0] == -1 - 0x1p-9);
        /* what is multiplied */
        ck_assert(rig_values(t, r, "p")[0] == (stored ? 1 : 1 + 0x1p-9) * 0x1.8p-9);
        /* results: 1 + 5 * 2^-10 is a number of f16, and of bf16 nearest to 1 + 8 */
        ck_assert(rig_values(t, r, "h")[0] == 1 + 5 * 0x1p-10);
        ck_assert(rig_values(t, r, "q")[0] == (stored ? 1 + 0x1p-7 : 1 + 5 * 0x1p-10));
        reference_free(r);
    }
    trace_free(t);
}
END_TEST

/* ---- a whole training ---- */

static const char *const optimizers[] = {
    "sgd lr=0.5", "momentum lr=0.1", "rmsprop lr=0.01", "adam lr=0.01",
};

START_TEST(a_network_learns)
{
    char text[256];
    struct diag d = { .text = "" };
    static const struct net_options training;
    snprintf(text, sizeof text, "simaccel-net 1\ninput 5\nbatch 20\ndense 16 relu\n"
             "dense 3 softmax\nloss cross_entropy\noptimizer %s\n", optimizers[_i]);
    struct trace *t = net_expand_memory(text, strlen(text), &training, &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    for (int stored = 0; stored < 2; stored++) {
        struct reference *r = reference_new(t, stored ? REFERENCE_STORED : REFERENCE_EXACT);
        double first = 0;
        reference_fill(r, 1);
        for (uint64_t step = 0; step < 400; step++) {
            reference_step(r, step);
            first = step == 0 ? rig_values(t, r, "loss")[0] : first;
        }
        ck_assert_double_gt(first, 0.7);
        ck_assert_double_lt(rig_values(t, r, "loss")[0], first / 3);
        reference_free(r);
    }
    trace_free(t);
}
END_TEST

Suite *reference_suite(void)
{
    Suite *s = suite_create("reference");
    TCase *t = tcase_create("formulas");
    tcase_add_loop_test(t, matmul_is_rows_times_columns_in_every_form, 0, COUNT_OF(matmuls));
    tcase_add_loop_test(t, a_loss_is_what_its_formula_says, 0, COUNT_OF(losses));
    tcase_add_test(t, losses_of_large_numbers_are_finite);
    tcase_add_loop_test(t, an_optimizer_does_what_its_formula_says, 0, COUNT_OF(updates));
    suite_add_tcase(s, t);
    t = tcase_create("always");
    tcase_add_test(t, rows_of_softmax_add_up_to_1_and_a_shift_changes_nothing);
    tcase_add_test(t, rows_of_layernorm_have_mean_0_and_variance_1);
    tcase_add_test(t, gradients_keep_to_what_their_ops_can_see);
    tcase_add_test(t, ops_that_only_move_move_all);
    tcase_add_test(t, stored_rounds_where_the_language_does_and_exact_nowhere);
    tcase_add_loop_test(t, a_network_learns, 0, COUNT_OF(optimizers));
    suite_add_tcase(s, t);
    return s;
}
