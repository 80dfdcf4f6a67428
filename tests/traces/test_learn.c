/* test_learn.c - the data sets of the tree are what they say, and the networks beside them
 * learn them: in the reference, which rounds as the types of the networks say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "traces/data.h"
#include "traces/net.h"
#include "traces/reference.h"
#include "traces/round.h"

/* `per_class` is of both files: of digits as UCI counts them in its optdigits.tes. */
static const struct {
    const char *name;
    struct data_shape shape;
    uint64_t rows, test_rows, epochs;
    double accuracy;
    unsigned per_class[10];
} sets[] = {
    { "digits", { 64, 1, 10, false }, 1437, 360, 8, 0.95,
      { 178, 182, 177, 183, 181, 182, 181, 179, 174, 180 } },
    { "iris", { 4, 1, 3, false }, 120, 30, 30, 0.93, { 50, 50, 50 } },
};

static struct data *read_set(int set, const char *ending)
{
    char path[128];
    struct diag d = { .text = "" };
    snprintf(path, sizeof path, "workloads/data/%s%s.csv", sets[set].name, ending);
    struct data *s = data_read(path, &sets[set].shape, &d);
    ck_assert_msg(s != NULL, "%s:%u:%u: %s", d.file, d.line, d.column, d.text);
    return s;
}

START_TEST(a_set_has_its_rows_and_classes)
{
    struct data *both[] = { read_set(_i, ""), read_set(_i, "-test") };
    unsigned count[10] = { 0 };
    ck_assert_uint_eq(both[0]->rows, sets[_i].rows);
    ck_assert_uint_eq(both[1]->rows, sets[_i].test_rows);
    for (int k = 0; k < 2; k++) {
        for (uint64_t r = 0; r < both[k]->rows; r++)
            count[(int)both[k]->t[r]]++;
        data_free(both[k]);
    }
    ck_assert_mem_eq(count, sets[_i].per_class, sizeof count);
}
END_TEST

START_TEST(pixels_are_sixteenths_and_the_same_in_bf16_and_f16)
{
    struct data *s = read_set(0, _i ? "-test" : "");
    for (uint64_t i = 0; i < s->rows * s->shape.features; i++) {
        double x = s->x[i];
        ck_assert(x >= 0 && x <= 1 && 16 * x == floor(16 * x));
        ck_assert(trace_round(x, TRACE_BF16) == x && trace_round(x, TRACE_F16) == x);
    }
    data_free(s);
}
END_TEST

/* ---- training ---- */

struct step {
    struct trace     *trace;
    struct reference *values;
};

static struct step new_step(const char *name, uint64_t batch, bool inference)
{
    char path[128];
    struct net_options options = { .batch = batch, .inference = inference };
    struct diag d = { .text = "" };
    snprintf(path, sizeof path, "workloads/%s.net", name);
    struct trace *t = trace_load(path, &options, &d);
    ck_assert_msg(t != NULL, "%s: %s", path, d.text);
    return (struct step){ t, reference_new(t, REFERENCE_STORED) };
}

static void free_step(struct step s)
{
    reference_free(s.values);
    trace_free(s.trace);
}

static double *values_of(struct step s, const char *name)
{
    return reference_values(s.values, trace_find(s.trace, name));
}

/* Weights and, where both have it, state. */
static void hand_over(struct step to, struct step from)
{
    for (uint32_t i = 0; i < to.trace->tensor_count; i++) {
        const struct trace_tensor *x = &to.trace->tensors[i];
        if (x->role == ROLE_WEIGHT || x->role == ROLE_STATE)
            reference_set(to.values, i, values_of(from, x->name));
    }
}

static void set_batch(struct step s, const double *x, const double *t)
{
    reference_set(s.values, trace_find(s.trace, "x"), x);
    if (t)
        reference_set(s.values, trace_find(s.trace, "t"), t);
}

/* An epoch of whole batches, then what is left in one of its own; returns the steps. */
static uint64_t train_epoch(const struct data *s, struct step whole, struct step last,
                            uint64_t epoch, uint64_t steps)
{
    uint32_t *order = calloc(s->rows, sizeof *order);
    double *x = calloc(s->rows * s->shape.features, sizeof *x), *t = calloc(s->rows, sizeof *t);
    data_order(1, epoch, s->rows, order);
    data_batch(s, order, 0, s->rows, x, t);
    uint64_t batch = whole.trace->batch, done = 0;
    for (; done + batch <= s->rows; done += batch) {
        set_batch(whole, x + done * s->shape.features, t + done);
        reference_step(whole.values, steps++);
    }
    hand_over(last, whole);
    set_batch(last, x + done * s->shape.features, t + done);
    reference_step(last.values, steps++);
    hand_over(whole, last);
    free(order);
    free(x);
    free(t);
    return steps;
}

/* The share of rows whose class has the largest probability. */
static double accuracy(const struct data *s, struct step inference)
{
    const struct trace *t = inference.trace;
    set_batch(inference, s->x, NULL);
    reference_step(inference.values, 0);
    const double *p = reference_values(inference.values, t->ops[t->op_count - 1].out[0]);
    uint64_t right = 0;
    for (uint64_t r = 0; r < s->rows; r++, p += s->shape.classes) {
        uint32_t best = 0;
        for (uint32_t k = 1; k < s->shape.classes; k++)
            best = p[k] > p[best] ? k : best;
        right += best == s->t[r];
    }
    return (double)right / (double)s->rows;
}

START_TEST(a_network_learns_its_set)
{
    struct data *s = read_set(_i, ""), *test = read_set(_i, "-test");
    struct step whole = new_step(sets[_i].name, 0, false);
    struct step last = new_step(sets[_i].name, s->rows % whole.trace->batch, false);
    struct step inference = new_step(sets[_i].name, test->rows, true);
    uint64_t steps = 0;
    ck_assert_uint_eq(whole.trace->samples, s->rows);
    ck_assert_uint_ge(whole.trace->epochs, sets[_i].epochs);
    reference_fill(whole.values, 1);
    for (uint64_t epoch = 0; epoch < sets[_i].epochs; epoch++)
        steps = train_epoch(s, whole, last, epoch, steps);
    hand_over(inference, whole);
    double got = accuracy(test, inference);
    ck_assert_msg(got >= sets[_i].accuracy, "%.4f", got);
    free_step(whole);
    free_step(last);
    free_step(inference);
    data_free(s);
    data_free(test);
}
END_TEST

Suite *learn_suite(void)
{
    Suite *s = suite_create("learn");
    TCase *t = tcase_create("sets");
    tcase_add_loop_test(t, a_set_has_its_rows_and_classes, 0, COUNT_OF(sets));
    tcase_add_loop_test(t, pixels_are_sixteenths_and_the_same_in_bf16_and_f16, 0, 2);
    tcase_add_loop_test(t, a_network_learns_its_set, 0, COUNT_OF(sets));
    suite_add_tcase(s, t);
    return s;
}
