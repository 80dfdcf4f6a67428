/* test_gpu_values.c - steps of a plan against the reference of traces/, op by op.
 *
 * After each step every op is done once more by the reference, from what the machine had in
 * memory when the op began: so errors do not add up and every tensor is looked at.  How far
 * the two may part follows from the formats (trace_values.h), and one rounding more, for the
 * reference rounds too. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/values.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/models/gpu/trace_values.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"
#include "traces/reference.h"
#include "traces/round.h"

struct twin {
    struct gpu_config  config;
    struct hbm_config  hbm;
    struct trace      *trace, *stored;      /* `stored` has the types that the chip has */
    struct gpu_plan   *plan;
    struct gpu_values *values;
    struct reference  *reference;
    double           **old, **now;          /* of each tensor, before and after a step */
    uint32_t          *changed;             /* by which op, in place; TRACE_NONE: by none */
    const char        *what;
};

static double *room_for(const struct twin *t, uint32_t tensor)
{
    return calloc(trace_elements(&t->trace->tensors[tensor]), sizeof(double));
}

static enum trace_type multiplied_as(const struct twin *t, const struct trace_op *op)
{
    if (!t->config.kernels.tensor_cores)
        return TRACE_F32;
    return op->compute == TRACE_BF16 && t->config.gpu.generation == GPU_SM_70 ? TRACE_F16
                                                                              : op->compute;
}

/* The reference rounds to the types that the chip stores and multiplies. */
static void store_types(struct twin *t)
{
    for (uint32_t i = 0; i < t->trace->tensor_count; i++)
        t->stored->tensors[i].type = t->plan->types[i];
    for (uint32_t i = 0; i < t->trace->op_count; i++) {
        struct trace_op *op = &t->stored->ops[i];
        op->compute = multiplied_as(t, op);
        for (uint32_t o = 0; o < op_rows[op->kind].in_place && op->kind != TRACE_ALL_REDUCE; o++)
            t->changed[op->out[o]] = i;
    }
}

static struct trace *copy_of(const struct trace *t)
{
    char *text;
    size_t size;
    struct diag d = { .text = "" };
    FILE *out = open_memstream(&text, &size);
    trace_write(t, out);
    fclose(out);
    struct trace *copy = trace_read_memory(text, size, &d);
    ck_assert_msg(copy != NULL, "%u: %s", d.line, d.text);
    free(text);
    return copy;
}

static void twin_new(struct twin *t)
{
    struct gpu_lower_options options = { 0 };
    struct diag d = { .text = "" };
    uint32_t tensors = t->trace->tensor_count;
    t->plan = gpu_lower(&t->config, &t->hbm, t->trace, &options, true, &d);
    ck_assert_msg(t->plan != NULL, "%s: %s", t->what, d.text);
    t->values = gpu_values_new(&t->config, &t->hbm, t->trace, t->plan);
    t->stored = copy_of(t->trace);
    t->reference = reference_new(t->stored, REFERENCE_STORED);
    t->old = calloc(tensors, sizeof *t->old);
    t->now = calloc(tensors, sizeof *t->now);
    t->changed = malloc(tensors * sizeof *t->changed);
    for (uint32_t i = 0; i < tensors; i++) {
        t->old[i] = room_for(t, i);
        t->now[i] = room_for(t, i);
        t->changed[i] = TRACE_NONE;
    }
    store_types(t);
}

static void twin_free(struct twin *t)
{
    for (uint32_t i = 0; i < t->trace->tensor_count; i++) {
        free(t->old[i]);
        free(t->now[i]);
    }
    free(t->old);
    free(t->now);
    free(t->changed);
    reference_free(t->reference);
    gpu_values_free(t->values);
    gpu_plan_free(t->plan);
    trace_free(t->trace);
    trace_free(t->stored);
}

static void give(struct twin *t, uint32_t tensor, struct dice *d)
{
    const struct trace_tensor *x = &t->trace->tensors[tensor];
    uint64_t classes = x->type == TRACE_I32 ? hostile_classes(t->trace, tensor) : 0;
    for (uint64_t k = 0; k < trace_elements(x); k++) {
        double v = (double)roll(d, 1u << 30) / (1u << 29) - 1;
        if (x->role == ROLE_STATE || x->role == ROLE_TARGET)
            v = fabs(v);
        t->now[tensor][k] = x->type == TRACE_I32 ? (double)roll(d, classes) : v;
    }
    gpu_values_set(t->values, tensor, t->now[tensor]);
}

/* All that is given, or the batch alone. */
static void fill(struct twin *t, struct dice *d, bool all)
{
    for (uint32_t i = 0; i < t->trace->tensor_count; i++) {
        enum trace_role role = t->trace->tensors[i].role;
        if (role == ROLE_INPUT || role == ROLE_TARGET || (all && trace_role_given(role)))
            give(t, i, d);
    }
}

static void read_all(struct twin *t, double **to)
{
    for (uint32_t i = 0; i < t->trace->tensor_count; i++)
        if (!gpu_values_get(t->values, i, to[i]))
            ck_assert_uint_eq(t->plan->addresses[i], 0);
}

/* ---- what the reference says */

/* What is in memory when op number `op` reads it. */
static const double *seen(const struct twin *t, uint32_t tensor, uint32_t op)
{
    bool later = t->changed[tensor] != TRACE_NONE && t->changed[tensor] >= op;
    return later ? t->old[tensor] : t->now[tensor];
}

static struct cell *new_cells(const struct twin *t, uint32_t tensor, const double *values)
{
    uint64_t n = trace_elements(&t->trace->tensors[tensor]);
    struct cell *cells = calloc(n, sizeof *cells);
    for (uint64_t i = 0; values && i < n; i++)
        cells[i].v = values[i];
    return cells;
}

static void compare(const struct twin *t, uint32_t tensor, const struct cell *allowed,
                    uint64_t before)
{
    const double *wanted = reference_values(t->reference, tensor), *got = t->now[tensor];
    enum trace_type type = t->plan->types[tensor];
    for (uint64_t i = 0; i < trace_elements(&t->trace->tensors[tensor]); i++) {
        double most = allowed[i].e + value_half_ulp(fabs(wanted[i]) + allowed[i].e, type);
        bool huge = type == TRACE_F16 && !(fabs(wanted[i]) < 65504);
        ck_assert_msg(huge || fabs(got[i] - wanted[i]) <= most,
                      "%s, after %llu steps: %s[%llu] is %.9g; expected %.9g +- %.3g", t->what,
                      (unsigned long long)before, t->trace->tensors[tensor].name,
                      (unsigned long long)i, got[i], wanted[i], most);
    }
}

/* Cells of tensors inside a fused group stay in `inner` for the op after. */
static void check_op(struct twin *t, uint32_t index, uint64_t before, struct cell **inner)
{
    struct trace_op op = t->stored->ops[index];
    const struct trace_tensor *first = &t->trace->tensors[op.in[0]];
    struct value_op x = { .trace = t->trace, .op = &op, .rows = trace_rows(first),
                          .n = first->shape[first->rank - 1], .all = trace_elements(first),
                          .compute = op.compute };
    op.attr[ATTR_STEP] += (double)before;
    for (uint32_t i = 0; t->config.kernels.optimizer == 1 && i < op_rows[op.kind].in_place; i++)
        x.stored = fmax(x.stored, ldexp(1, -value_formats[t->plan->types[op.in[i]]].digits));
    for (uint32_t i = 0; i < op.ins; i++) {
        bool is_inner = t->plan->addresses[op.in[i]] == 0;
        if (!is_inner)
            reference_set(t->reference, op.in[i], seen(t, op.in[i], index));
        x.in[i] = is_inner ? inner[op.in[i]] : new_cells(t, op.in[i], seen(t, op.in[i], index));
    }
    for (uint32_t i = 0; i < op.outs; i++)
        x.out[i] = new_cells(t, op.out[i], NULL);
    value_compute(&x);
    reference_op(t->reference, index, before);
    for (uint32_t i = 0; i < op.outs; i++) {
        for (uint64_t k = 0; k < trace_elements(&t->trace->tensors[op.out[i]]); k++)
            x.out[i][k].e += value_half_ulp(fabs(x.out[i][k].v) + x.out[i][k].e,
                                            t->plan->types[op.out[i]]);
        if (t->plan->addresses[op.out[i]])
            compare(t, op.out[i], x.out[i], before);
    }
    for (uint32_t i = 0; i < op.ins; i++)
        free(x.in[i]);
    for (uint32_t i = 0; i < op.outs; i++)
        if (t->plan->addresses[op.out[i]])
            free(x.out[i]);
        else
            inner[op.out[i]] = x.out[i];
}

static void step(struct twin *t, uint64_t before, struct toggles *toggles)
{
    struct diag d = { .text = "" };
    read_all(t, t->old);
    ck_assert_msg(gpu_values_step(t->values, before, toggles, &d), "%s: %s:%u: %s", t->what,
                  d.file, d.line, d.text);
    read_all(t, t->now);
}

static void step_and_check(struct twin *t, uint64_t before)
{
    struct cell **inner = calloc(t->trace->tensor_count, sizeof(struct cell *));
    step(t, before, NULL);
    for (uint32_t i = 0; i < t->trace->op_count; i++)
        check_op(t, i, before, inner);
    free(inner);
}

/* ---- traces and chips */

static struct twin on_chip(const char *what, int chip, bool fused)
{
    struct twin t = { .what = what, .config = gpu_v100(), .hbm = gpu_v100_hbm() };
    if (chip == 1) {
        t.config = gpu_a100();
        t.hbm = gpu_a100_hbm();
    } else if (chip == 2) {
        t.config = gpu_small(GPU_SM_70);
    }
    t.config.kernels.optimizer = !fused;
    t.hbm.channel_bits = 128;
    t.hbm.pseudo_channels = 2;
    return t;
}

static struct trace *net_of(const char *text)
{
    static const struct net_options training;
    struct diag d = { .text = "" };
    struct trace *t = net_expand_memory(text, strlen(text), &training, &d);
    ck_assert_msg(t != NULL, "%s\n%s", text, d.text);
    return t;
}

static const char *const optimizers[] = { "sgd", "momentum", "rmsprop", "adam" };

/* Three batches, then one a thousand steps on. */
START_TEST(steps_of_training_are_those_of_the_reference)
{
    struct dice d = { (uint64_t)_i + 70 };
    char text[512], what[96];
    bool fused = _i / 4 % 2;
    const char *type = ONE_OF(&d, "f32", "bf16", "f16");
    unsigned inputs = (unsigned)hostile_size(&d, 130), rows = (unsigned)hostile_size(&d, 40);
    snprintf(text, sizeof text, "simaccel-net 1\ninput %u\nbatch %u\ndense %u %s\ndense %u %s\n"
             "loss %s\noptimizer %s\nactivations %s\n", inputs, rows,
             (unsigned)hostile_size(&d, 140), ONE_OF(&d, "relu", "gelu", "tanh", "sigmoid"),
             _i % 3 ? 10u : 1u, _i % 3 ? "softmax" : "sigmoid",
             _i % 3 ? "cross_entropy" : "binary_cross_entropy", optimizers[_i % 4], type);
    snprintf(what, sizeof what, "case %d: %s, %s, %s", _i, optimizers[_i % 4],
             fused ? "fused" : "eager", type);
    struct twin t = on_chip(what, _i % 3, fused);
    t.trace = net_of(text);
    twin_new(&t);
    fill(&t, &d, true);
    for (uint64_t before = 0; before < 3; before++) {
        step_and_check(&t, before);
        fill(&t, &d, false);
    }
    step_and_check(&t, 1003);
    twin_free(&t);
}
END_TEST

START_TEST(chains_of_any_ops_are_those_of_the_reference)
{
    struct dice d = { (uint64_t)_i + 3001 };
    char what[32];
    snprintf(what, sizeof what, "chain %d", _i);
    struct twin t = on_chip(what, _i % 3, _i % 2);
    t.config.kernels.tensor_cores = roll(&d, 4) > 0;
    t.trace = hostile_chain(&d);
    twin_new(&t);
    fill(&t, &d, true);
    step_and_check(&t, 0);
    step_and_check(&t, 1);
    twin_free(&t);
}
END_TEST

/* Its copy in another type is what it was before the optimizer. */
START_TEST(a_weight_that_changed_is_cast_again)
{
    static const char text[] =
        "simaccel-trace 1\n"
        "tensor w weight f32 24x16\ntensor g input f32 24x16\ntensor x input f32 8x24\n"
        "tensor y output f32 8x16\ntensor z output f32 8x16\n"
        "forward matmul y = x w compute=f16\nupdate sgd w = w g lr=0.5\n"
        "forward matmul z = x w compute=f16\n";
    struct dice d = { 8 };
    struct diag why = { .text = "" };
    struct twin t = on_chip("cast again", _i, true);
    t.trace = trace_read_memory(text, strlen(text), &why);
    ck_assert_msg(t.trace != NULL, "%u: %s", why.line, why.text);
    twin_new(&t);
    fill(&t, &d, true);
    step_and_check(&t, 0);
    step_and_check(&t, 1);
    twin_free(&t);
}
END_TEST

/* ---- bits */

static bool same_bits(const struct twin *a, const struct twin *b)
{
    for (uint32_t i = 0; i < a->trace->tensor_count; i++)
        if (memcmp(a->now[i], b->now[i], trace_elements(&a->trace->tensors[i]) * sizeof(double)))
            return false;
    return true;
}

#define SMALL_NET "simaccel-net 1\ninput 20\nbatch 9\ndense 33 relu\ndense 5 softmax\n" \
                  "loss cross_entropy\nactivations bf16\noptimizer "

static void small_new(struct twin *t, int i)
{
    char text[256];
    *t = on_chip("small", i % 2, i / 4 % 2);
    snprintf(text, sizeof text, SMALL_NET "%s\n", optimizers[i / 2 % 4]);
    t->trace = net_of(text);
    twin_new(t);
}

/* Weights, state and batch in doubles are all that the next step needs. */
START_TEST(training_goes_on_in_another_machine_bit_for_bit)
{
    struct dice d = { (uint64_t)_i + 11 };
    struct twin a, b;
    small_new(&a, _i);
    small_new(&b, _i);
    fill(&a, &d, true);
    for (uint64_t before = 0; before < 3; before++)
        step(&a, before, NULL);
    for (uint32_t i = 0; i < a.trace->tensor_count; i++)
        if (trace_role_given(a.trace->tensors[i].role))
            gpu_values_set(b.values, i, a.now[i]);
    step(&a, 3, NULL);
    step(&b, 3, NULL);
    ck_assert(same_bits(&a, &b));
    twin_free(&a);
    twin_free(&b);
}
END_TEST

/* Nothing of a step is left that the next could stumble over. */
START_TEST(a_step_does_not_see_what_others_before_it_left)
{
    struct dice d = { (uint64_t)_i + 23 };
    struct twin a, b;
    small_new(&a, _i);
    small_new(&b, _i);
    fill(&b, &d, true);
    step(&b, 0, NULL);
    d.state = 99;
    fill(&a, &d, true);
    d.state = 99;
    fill(&b, &d, true);
    step(&a, 7, NULL);
    step(&b, 7, NULL);
    ck_assert(same_bits(&a, &b));
    twin_free(&a);
    twin_free(&b);
}
END_TEST

/* ---- set and get */

static double some_number(struct dice *d)
{
    static const double awkward[] = { 0, -0.0, INFINITY, -INFINITY, NAN, 65519.999, 65520, 0x1p-149,
                                      0x1.8p-150, 0x1p-150, 0x1.01p0, 0x1.03p0, 0x1.002p0,
                                      0x1.0020000001p0, 0x1.0100000001p-130, 0x1.fffffffp127 };
    if (roll(d, 3) == 0)
        return awkward[roll(d, COUNT_OF(awkward))];
    double x = ldexp((double)roll(d, UINT64_C(1) << 53), (int)roll(d, 400) - 240);
    return roll(d, 2) ? x : -x;
}

START_TEST(tensors_are_rounded_once_to_the_type_that_is_stored)
{
    struct dice d = { 5 };
    struct twin t = on_chip("numbers", _i % 2, true);
    uint64_t shape[] = { 3, 1001 };
    static const enum trace_type types[] = { TRACE_F32, TRACE_BF16, TRACE_F16 };
    t.trace = trace_new("numbers");
    uint32_t x = trace_tensor(t.trace, "x", ROLE_INPUT, types[_i / 2], 2, shape);
    uint32_t y = trace_tensor(t.trace, "y", ROLE_OUTPUT, types[_i / 2], 2, shape);
    struct trace_op op = { .kind = TRACE_RELU, .ins = 1, .outs = 1, .in = { x }, .out = { y } };
    struct diag why = { .text = "" };
    ck_assert(trace_add_op(t.trace, &op, NULL, &why));
    twin_new(&t);
    for (uint32_t i = 0; i < 3 * 1001; i++)
        t.now[x][i] = some_number(&d);
    gpu_values_set(t.values, x, t.now[x]);
    ck_assert(gpu_values_get(t.values, x, t.old[x]));
    for (uint32_t i = 0; i < 3 * 1001; i++) {
        double wanted = trace_round(t.now[x][i], t.plan->types[x]), got = t.old[x][i];
        ck_assert_msg(wanted != wanted ? got != got
                      : got == wanted && signbit(got) == signbit(wanted),
                      "%a becomes %a; expected %a", t.now[x][i], got, wanted);
    }
    twin_free(&t);
}
END_TEST

START_TEST(classes_stay_what_they_are)
{
    struct twin t;
    small_new(&t, 0);
    uint32_t target = TRACE_NONE;
    for (uint32_t i = 0; i < t.trace->tensor_count; i++)
        if (t.trace->tensors[i].type == TRACE_I32)
            target = i;
    ck_assert_uint_ne(target, TRACE_NONE);
    static const double classes[9] = { 0, 4, 2, 3, 1, 0, 0, 4, 2 };
    gpu_values_set(t.values, target, classes);
    ck_assert(gpu_values_get(t.values, target, t.old[target]));
    ck_assert_mem_eq(t.old[target], classes, sizeof classes);
    twin_free(&t);
}
END_TEST

/* The sum of a product whose ReLU is done with it is never in memory. */
START_TEST(what_is_never_in_memory_cannot_be_read)
{
    struct twin t;
    small_new(&t, 0);
    uint32_t inner = 0;
    for (uint32_t i = 0; i < t.trace->tensor_count; i++)
        inner += !gpu_values_get(t.values, i, t.now[i]);
    ck_assert_uint_gt(inner, 0);
    twin_free(&t);
}
END_TEST

/* ---- the project's own networks */

static const char *const workloads[] = { "keras", "iris", "digits", "paradnn-128x4-b32" };

START_TEST(small_workloads_take_a_step)
{
    struct dice d = { 1 };
    char path[64];
    struct diag why = { .text = "" };
    struct twin t = on_chip(workloads[_i / 2], _i % 2, true);
    snprintf(path, sizeof path, "workloads/%s.net", workloads[_i / 2]);
    t.trace = trace_load(path, NULL, &why);
    ck_assert_msg(t.trace != NULL, "%s", why.text);
    twin_new(&t);
    fill(&t, &d, true);
    step_and_check(&t, 0);
    twin_free(&t);
}
END_TEST

Suite *gpu_values_suite(void)
{
    Suite *s = suite_create("gpu_values");
    TCase *t = tcase_create("steps");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, steps_of_training_are_those_of_the_reference, 0, 16);
    tcase_add_loop_test(t, chains_of_any_ops_are_those_of_the_reference, 0, 18);
    tcase_add_loop_test(t, a_weight_that_changed_is_cast_again, 0, 2);
    tcase_add_loop_test(t, small_workloads_take_a_step, 0, 2 * (int)COUNT_OF(workloads));
    suite_add_tcase(s, t);
    t = tcase_create("bits");
    tcase_add_loop_test(t, training_goes_on_in_another_machine_bit_for_bit, 0, 8);
    tcase_add_loop_test(t, a_step_does_not_see_what_others_before_it_left, 4, 8);
    tcase_add_loop_test(t, tensors_are_rounded_once_to_the_type_that_is_stored, 0, 6);
    tcase_add_test(t, classes_stay_what_they_are);
    tcase_add_test(t, what_is_never_in_memory_cannot_be_read);
    suite_add_tcase(s, t);
    return s;
}
