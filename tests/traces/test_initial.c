/* test_initial.c - who begins with what, and that random values are spread as they should be. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "traces/initial.h"
#include "traces/random.h"

#define TENSORS "simaccel-trace 1\n"                                                \
    "tensor x input f32 40x50\ntensor w weight f32 50x30\ntensor b weight f32 30\n" \
    "tensor c target i32 40\ntensor t target bf16 40x30\ntensor k constant f32 30\n"   \
    "tensor gain weight f32 30\ntensor s state f32 30\ntensor a state f32 30\n"     \
    "tensor spare target i32 7\n"                                                   \
    "tensor z activation f32 40x30\ntensor y activation f32 40x30\n"                \
    "tensor m activation f32 40\ntensor r activation f32 40\n"                      \
    "tensor narrow activation f32 40x3\ntensor v weight f32 2x30x3\n"               \
    "tensor u weight f32 30x3\n"                                                    \
    "tensor l1 output f32 1\ntensor l2 output f32 1\ntensor l3 output f32 1\n"      \
    "tensor db gradient f32 30\n"
#define OPS                                                                         \
    "forward matmul z = x w compute=f32\nforward layernorm y m r = z gain b epsilon=0.1\n" \
    "forward matmul narrow = y u compute=f32\n"                                     \
    "loss softmax_cross_entropy l1 = z c\nloss softmax_cross_entropy l2 = y t\n"    \
    "loss softmax_cross_entropy l3 = narrow c\nbackward sum_rows db = y\n"          \
    "update rmsprop b s = b s db lr=1 decay=0.5 epsilon=0.1\n"                      \
    "update momentum gain a = gain a db lr=1 momentum=0.5\n"

static const struct { const char *name; enum initial_kind kind; uint64_t classes; } wanted[] = {
    { "x",     INITIAL_UNIFORM, 0 },
    { "w",     INITIAL_GLOROT,  0 },
    { "b",     INITIAL_ZEROS,   0 },
    { "c",     INITIAL_CLASSES, 3 },       /* 30 columns in one loss, 3 in another */
    { "t",     INITIAL_SHARES,  0 },
    { "k",     INITIAL_UNIFORM, 0 },
    { "gain",  INITIAL_ONES,    0 },
    { "s",     INITIAL_ONES,    0 },       /* rmsprop's */
    { "a",     INITIAL_ZEROS,   0 },       /* momentum's */
    { "spare", INITIAL_CLASSES, 1 },
    { "v",     INITIAL_GLOROT,  0 },
};

static struct trace *read_all(const char *text)
{
    struct diag d = { .text = "" };
    struct trace *t = trace_read_memory(text, strlen(text), &d);
    ck_assert_msg(t != NULL, "%u: %s", d.line, d.text);
    return t;
}

/* The values of a tensor of the trace; the caller frees them. */
static double *values_of(const struct trace *t, const char *name, uint64_t seed, uint64_t *count)
{
    uint32_t i = trace_find(t, name);
    struct initial *plan = initial_plan(t);
    *count = trace_elements(&t->tensors[i]);
    double *v = malloc(*count * sizeof *v);
    initial_values(&t->tensors[i], plan[i], seed, v);
    free(plan);
    return v;
}

START_TEST(role_shape_and_use_say_how_a_tensor_begins)
{
    struct trace *t = read_all(TENSORS OPS);
    struct initial *plan = initial_plan(t);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        struct initial got = plan[trace_find(t, wanted[i].name)];
        ck_assert_msg(got.kind == wanted[i].kind, "%s: %s", wanted[i].name,
                      initial_names[got.kind]);
        ck_assert_uint_eq(got.classes, wanted[i].classes);
    }
    free(plan);
    trace_free(t);
}
END_TEST

/* Of so many values of a uniform spread, the mean is within 5 deviations and both ends are
 * nearly reached; limits are exact. */
static const struct { const char *name; double low, high; } spreads[] = {
    { "x",  0, 1 },
    { "w", -0.27386127875258304, 0.27386127875258304 },     /* sqrt(6 / 80) */
    { "v", -0.42640143271122090, 0.42640143271122090 },     /* sqrt(6 / 33), by matrix */
    { "s",  1, 1 },
    { "b",  0, 0 },
};

START_TEST(values_fill_their_range_evenly)
{
    struct trace *t = read_all(TENSORS OPS);
    uint64_t count;
    double *v = values_of(t, spreads[_i].name, 7, &count);
    double low = spreads[_i].low, high = spreads[_i].high, range = high - low, sum = 0, squares = 0;
    double least = INFINITY, most = -INFINITY, middle = (low + high) / 2;
    for (uint64_t i = 0; i < count; i++) {
        least = fmin(least, v[i]);
        most = fmax(most, v[i]);
        sum += v[i];
        squares += (v[i] - middle) * (v[i] - middle);
    }
    double deviation = range / sqrt(12 * (double)count);
    ck_assert(least >= low && most <= high);
    ck_assert(least <= low + 0.05 * range && most >= high - 0.05 * range);
    ck_assert(fabs(sum / (double)count - middle) <= 5 * deviation);
    ck_assert(fabs(squares / (double)count - range * range / 12) <= 0.2 * range * range / 12);
    free(v);
    trace_free(t);
}
END_TEST

START_TEST(rows_of_shares_add_up_and_all_classes_come)
{
    struct trace *t = read_all(TENSORS OPS);
    uint64_t count;
    unsigned seen = 0;
    double *shares = values_of(t, "t", 7, &count);
    for (uint64_t r = 0; r < count; r += 30) {
        double sum = 0;
        for (uint64_t j = 0; j < 30; j++) {
            ck_assert(shares[r + j] >= 0);
            sum += shares[r + j];
        }
        ck_assert_double_eq_tol(sum, 1, 1e-14);
    }
    double *classes = values_of(t, "c", 7, &count);
    for (uint64_t i = 0; i < count; i++) {
        ck_assert(classes[i] == 0 || classes[i] == 1 || classes[i] == 2);
        seen |= 1u << (unsigned)classes[i];
    }
    ck_assert_uint_eq(seen, 7);
    free(shares);
    free(classes);
    trace_free(t);
}
END_TEST

START_TEST(values_follow_from_the_seed_and_the_name_alone)
{
    struct trace *t = read_all(TENSORS OPS);
    struct trace *other = read_all("simaccel-trace 1\ntensor before input f32 3\n"
                                   "tensor x input f32 40x50\ntensor y input f32 40x50\n"
                                   "tensor z output f32 40x50\nforward add z = x y\n");
    uint64_t count;
    double *a = values_of(t, "x", 7, &count), *b = values_of(other, "x", 7, &count);
    double *c = values_of(other, "y", 7, &count), *d = values_of(t, "x", 8, &count);
    uint64_t same_name = 0, same_seed = 0;
    ck_assert_mem_eq(a, b, count * sizeof *a);
    for (uint64_t i = 0; i < count; i++) {
        same_seed += a[i] == c[i];
        same_name += a[i] == d[i];
    }
    ck_assert_uint_eq(same_seed, 0);
    ck_assert_uint_eq(same_name, 0);
    free(a);
    free(b);
    free(c);
    free(d);
    trace_free(t);
    trace_free(other);
}
END_TEST

/* As splitmix64's authors' own code gives them for the seed 1234567. */
START_TEST(the_stream_is_splitmix64)
{
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct random_stream s = { 1234567 };
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        ck_assert_uint_eq(random_next(&s), expected[i]);
}
END_TEST

Suite *initial_suite(void)
{
    Suite *s = suite_create("initial");
    TCase *t = tcase_create("values");
    tcase_add_test(t, role_shape_and_use_say_how_a_tensor_begins);
    tcase_add_loop_test(t, values_fill_their_range_evenly, 0, COUNT_OF(spreads));
    tcase_add_test(t, rows_of_shares_add_up_and_all_classes_come);
    tcase_add_test(t, values_follow_from_the_seed_and_the_name_alone);
    tcase_add_test(t, the_stream_is_splitmix64);
    suite_add_tcase(s, t);
    return s;
}
