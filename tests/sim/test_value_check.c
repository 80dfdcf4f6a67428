/* test_value_check.c - what machines compute is within the bounds of their formats, op by op, and
 * what is wrong in one number is seen. */
#include "sim/value_check.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"
#include "traces/round.h"

static const char *const machines[] = {
    "tpu-mini", "tpu-v3", "tpu-v5e", "gpu-mini", "v100", "a100",
};

/* A trace on a machine, and a check of it. */
struct checked {
    struct machine     *machine;
    struct trace       *trace;
    struct values      *values;
    struct value_check *check;
    char                what[128];
};

/* false: the machine does not take the trace. */
static bool checked_new(struct checked *c, struct machine *m, struct trace *t, bool highest)
{
    struct diag d = { .text = "" };
    struct values_use use = { .machine = m, .trace = t, .lower = { .highest = highest } };
    c->machine = m;
    c->trace = t;
    c->values = values_new(&use, &d);
    c->check = c->values ? value_check_new(c->values) : NULL;
    return c->values != NULL;
}

static void checked_free(struct checked *c)
{
    value_check_free(c->check);
    values_free(c->values);
    trace_free(c->trace);
    machine_free(c->machine);
}

static struct machine *machine_of(const char *name)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_find(&figures_schema, name, &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    return m;
}

/* Numbers around 0, some of other sizes; states that may be squares; classes that there are. */
static void fill(struct checked *c, struct dice *d)
{
    for (uint32_t i = 0; i < c->trace->tensor_count; i++) {
        const struct trace_tensor *x = &c->trace->tensors[i];
        uint64_t n = trace_elements(x), classes = hostile_classes(c->trace, i);
        double *v = malloc(n * sizeof *v);
        for (uint64_t k = 0; k < n; k++) {
            v[k] = ((double)roll(d, 1u << 30) / (1u << 29) - 1) * ldexp(1, -(int)roll(d, 4) * 3);
            if (x->role == ROLE_STATE || x->role == ROLE_TARGET)
                v[k] = fabs(v[k]);
            if (x->type == TRACE_I32)
                v[k] = (double)roll(d, classes);
        }
        if (trace_role_given(x->role))
            values_set(c->values, i, v);
        free(v);
    }
}

static bool step(struct checked *c, uint64_t before, struct diag *d)
{
    value_check_before(c->check);
    ck_assert_msg(values_step(c->values, before, NULL, d), "%s: %s", c->what, d->text);
    return value_check_after(c->check, before, d);
}

static void expect_steps(struct checked *c, uint64_t steps)
{
    for (uint64_t i = 0; i < steps; i++) {
        struct diag d = { .text = "" };
        ck_assert_msg(step(c, i, &d), "%s, step %llu: %s", c->what, (unsigned long long)i, d.text);
        ck_assert_msg(value_check_worst(c->check) <= 1, "%s", c->what);
    }
}

/* ---- traces */

static struct trace *one_op(enum trace_op_kind kind, struct dice *d)
{
    static const uint64_t awkward[] = { 1, 7, 129, 64, 33, 2 };
    struct trace *t = trace_new("one");
    struct sizes s = { .leads = kind == TRACE_MATMUL || kind == TRACE_TRANSPOSE
                              ? (uint32_t)roll(d, 2) : 1 };
    s.lead[0] = kind == TRACE_MATMUL ? 3 : awkward[roll(d, COUNT_OF(awkward))];
    for (int i = 0; i < 26; i++)
        s.letter[i] = awkward[roll(d, COUNT_OF(awkward))];
    if (hostile_op(t, kind, &s, (enum trace_type)roll(d, 3), d))
        return t;
    trace_free(t);
    return NULL;
}

START_TEST(every_op_is_within_its_bound)
{
    struct dice d = { (uint64_t)_i * 977 + 5 };
    enum trace_op_kind kind = (enum trace_op_kind)(_i % TRACE_OPS_COUNT);
    for (size_t m = 0; m < COUNT_OF(machines); m++) {
        struct trace *t = one_op(kind, &d);
        struct checked c = { 0 };
        if (!t)
            continue;               /* all_reduce of what is given */
        snprintf(c.what, sizeof c.what, "%s, seed %d, on %s", op_rows[kind].name, _i, machines[m]);
        if (checked_new(&c, machine_of(machines[m]), t, roll(&d, 4) == 0)) {
            fill(&c, &d);
            expect_steps(&c, 2);
        }
        checked_free(&c);
    }
}
END_TEST

START_TEST(every_op_of_a_chain_is_within_its_bound)
{
    struct dice d = { (uint64_t)_i * 31 + 7 };
    struct checked c = { 0 };
    bool on_tpu = roll(&d, 2);
    const char *name = machines[3 + roll(&d, 3)];
    struct trace *t = hostile_chain(&d);
    snprintf(c.what, sizeof c.what, "chain %d on %s", _i, on_tpu ? "a TPU" : name);
    if (checked_new(&c, on_tpu ? hostile_machine(&d) : machine_of(name), t, roll(&d, 4) == 0)) {
        fill(&c, &d);
        expect_steps(&c, 2);
    }
    checked_free(&c);
}
END_TEST

static struct trace *small_net(struct dice *d)
{
    char text[512];
    const char *loss = ONE_OF(d, "softmax\nloss cross_entropy", "linear\nloss mean_squared_error",
                              "sigmoid\nloss binary_cross_entropy");
    snprintf(text, sizeof text, "simaccel-net 1\nactivations %s\ninput %u\nbatch %u\ndense %u %s\n"
             "dense %u %s\noptimizer %s\n", ONE_OF(d, "f32", "bf16", "f16"),
             (unsigned)hostile_size(d, 150), (unsigned)hostile_size(d, 70),
             (unsigned)hostile_size(d, 150),
             ONE_OF(d, "linear", "relu", "sigmoid", "tanh", "gelu", "softmax"),
             2 + (unsigned)hostile_size(d, 40), loss,
             ONE_OF(d, "sgd", "momentum", "rmsprop", "adam"));
    struct diag why = { .text = "" };
    struct net_options training = { .inference = false };
    struct trace *t = net_expand_memory(text, strlen(text), &training, &why);
    ck_assert_msg(t != NULL, "%s\n%s", text, why.text);
    return t;
}

START_TEST(training_is_within_its_bounds_step_after_step)
{
    struct dice d = { (uint64_t)_i + 40000 };
    struct checked c = { 0 };
    const char *name = machines[(size_t)_i % COUNT_OF(machines)];
    snprintf(c.what, sizeof c.what, "net %d on %s", _i, name);
    struct trace *t = small_net(&d);
    if (checked_new(&c, machine_of(name), t, roll(&d, 4) == 0)) {
        values_fill(c.values, (uint64_t)_i);
        expect_steps(&c, 4);
    }
    checked_free(&c);
}
END_TEST

/* ---- what is wrong is seen */

/* One more unit than the bound, away from the reference, at the element that is nearest its bound;
 * twice that, for the machine's number may have the smaller unit. */
static void expect_seen(struct checked *c, const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "tensor"));
    double machine = json_number_value(json_object_get(row, "machine"));
    double reference = json_number_value(json_object_get(row, "reference"));
    double bound = json_number_value(json_object_get(row, "bound_ulps"));
    uint32_t tensor = trace_find(c->trace, name);
    struct diag d = { .text = "" };
    value_check_inject(c->check, tensor,
                       (uint64_t)json_integer_value(json_object_get(row, "element")),
                       (machine < reference ? -2 : 2) * (bound + 1));
    ck_assert_msg(!value_check_after(c->check, 0, &d), "%s: %s", c->what, name);
    ck_assert_msg(strstr(d.text, name) && strstr(d.text, "ulps of"), "%s: %s", c->what, d.text);
    ck_assert(value_check_worst(c->check) > 1);
    value_check_inject(c->check, tensor, 0, 0);
    struct diag none = { .text = "" };
    ck_assert(value_check_after(c->check, 0, &none));
}

START_TEST(a_wrong_number_in_any_result_is_seen)
{
    struct dice d = { (uint64_t)_i + 70000 };
    struct checked c = { 0 };
    const char *name = machines[(size_t)_i % COUNT_OF(machines)];
    snprintf(c.what, sizeof c.what, "net %d on %s", _i, name);
    ck_assert(checked_new(&c, machine_of(name), small_net(&d), false));
    values_fill(c.values, (uint64_t)_i);
    expect_steps(&c, 1);
    json_t *rows = value_check_json(c.check);
    ck_assert_uint_gt(json_array_size(rows), 8);
    for (size_t i = 0; i < json_array_size(rows); i++)
        expect_seen(&c, json_array_get(rows, i));
    json_decref(rows);
    checked_free(&c);
}
END_TEST

/* y = a + b in bf16, of numbers a little apart in size: what is cut off instead of rounded to
 * nearest is a unit lower for every other number. */
static const char sum_trace[] =
    "simaccel-trace 1\ntensor a input bf16 40x50\ntensor b input bf16 40x50\n"
    "tensor y output bf16 40x50\nforward add y = a b\n";

/* What a machine would have that cuts the sum of a and b off, less what this one has, in ulps;
 * 0 if both are as near. */
static double cut(double a, double b, double y)
{
    double sum = a + b, ulp = trace_ulp(sum, TRACE_BF16), down = trunc(sum / ulp) * ulp;
    return fabs(sum - down) == ulp / 2 ? 0 : (down - y) / trace_ulp(y, TRACE_BF16);
}

START_TEST(cutting_off_instead_of_rounding_is_seen)
{
    struct diag d = { .text = "" };
    struct dice dice = { 4242 };
    struct checked c = { .what = "sum" };
    double a[2000], b[2000], y[2000];
    unsigned changed = 0;
    ck_assert(checked_new(&c, machine_of(machines[_i]),
                          trace_read_memory(sum_trace, strlen(sum_trace), &d), false));
    fill(&c, &dice);
    expect_steps(&c, 1);
    if (values_trace(c.values)->tensors[2].type == TRACE_BF16) {
        ck_assert(values_get(c.values, 0, a) && values_get(c.values, 1, b));
        ck_assert(values_get(c.values, 2, y));
        for (uint64_t i = 0; i < 200; i++) {
            double ulps = cut(a[i], b[i], y[i]);
            struct diag why = { .text = "" };
            value_check_inject(c.check, 2, i, ulps);
            ck_assert_msg(value_check_after(c.check, 0, &why) == (ulps == 0), "%s, %g", why.text,
                          ulps);
            changed += ulps != 0;
        }
        ck_assert_uint_gt(changed, 30);
    }
    checked_free(&c);
}
END_TEST

/* f16 ends at 65504: 1.5 of 40000 and 43669.3 is in it, 43700 and -1e30 are not. */
static const char scale_trace[] =
    "simaccel-trace 1\ntensor x input f32 7\ntensor y output f16 7\n"
    "forward scale y = x factor=1.5\n";
static const double scaled[] = { 40000, 43700, -1e30, INFINITY, NAN, 1e-30, 43669.3 };

START_TEST(what_is_not_finite_must_be_so_on_both_sides)
{
    static const double wrong[] = { INFINITY, -INFINITY, NAN };
    struct diag d = { .text = "" };
    struct checked c = { .what = "scale" };
    ck_assert(checked_new(&c, machine_of(machines[_i]),
                          trace_read_memory(scale_trace, strlen(scale_trace), &d), false));
    values_set(c.values, 0, scaled);
    expect_steps(&c, 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct diag why = { .text = "" };
        value_check_inject(c.check, 1, 0, wrong[i]);
        ck_assert(!value_check_after(c.check, 0, &why));
        ck_assert_msg(strstr(why.text, i < 2 ? "inf" : "nan") != NULL, "%s", why.text);
        json_t *rows = value_check_json(c.check);
        ck_assert(json_is_string(json_object_get(json_array_get(rows, 0), "worst")));
        json_decref(rows);
    }
    checked_free(&c);
}
END_TEST

Suite *value_check_suite(void)
{
    Suite *s = suite_create("value_check");
    TCase *t = tcase_create("machines");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_op_is_within_its_bound, 0, 3 * TRACE_OPS_COUNT);
    tcase_add_loop_test(t, every_op_of_a_chain_is_within_its_bound, 0, 60);
    tcase_add_loop_test(t, training_is_within_its_bounds_step_after_step, 0, 36);
    tcase_add_loop_test(t, a_wrong_number_in_any_result_is_seen, 0, 12);
    tcase_add_loop_test(t, cutting_off_instead_of_rounding_is_seen, 0, COUNT_OF(machines));
    tcase_add_loop_test(t, what_is_not_finite_must_be_so_on_both_sides, 0, COUNT_OF(machines));
    suite_add_tcase(s, t);
    return s;
}
