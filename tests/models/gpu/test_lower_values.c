/* test_lower_values.c - a plan's launches, interpreted, leave in memory what the trace says.
 *
 * Group by group: what each leaves is compared with what its ops make in double precision of
 * what was in memory before, so that errors do not add up and every tensor is looked at. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/interpret.h"
#include "models/gpu/lower.h"
#include "tests/models/gpu/gpu_figures.h"
#include "tests/models/gpu/trace_values.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

/* ---- numbers in memory ---- */

static double of_bits(uint32_t bits, int exponent_bits, int fraction_bits)
{
    uint32_t fraction = bits & ((1u << fraction_bits) - 1);
    int exponent = (int)(bits >> fraction_bits & ((1u << exponent_bits) - 1));
    int bias = (1 << (exponent_bits - 1)) - 1, top = (1 << exponent_bits) - 1;
    double sign = bits >> (exponent_bits + fraction_bits) & 1 ? -1 : 1;
    if (exponent == top)
        return fraction ? NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, 1 - bias - fraction_bits);
    return sign * ldexp(fraction + (1u << fraction_bits), exponent - bias - fraction_bits);
}

/* Of a value that the format has. */
static uint32_t to_bits(double x, int exponent_bits, int fraction_bits)
{
    int exponent, bias = (1 << (exponent_bits - 1)) - 1;
    uint32_t sign = (uint32_t)(signbit(x) != 0) << (exponent_bits + fraction_bits);
    if (x == 0)
        return sign;
    frexp(x, &exponent);
    int biased = exponent - 1 + bias > 0 ? exponent - 1 + bias : 0;
    int unit = (biased ? biased : 1) - bias - fraction_bits;
    uint32_t digits = (uint32_t)ldexp(fabs(x), -unit);
    return sign | (biased ? (uint32_t)biased << fraction_bits : 0)
         | (digits & ((1u << fraction_bits) - 1));
}

static const struct { int exponent_bits, fraction_bits; } formats[TRACE_TYPES_COUNT] = {
    [TRACE_F32] = { 8, 23 }, [TRACE_BF16] = { 8, 7 }, [TRACE_F16] = { 5, 10 },
};

static double load(const uint8_t *at, enum trace_type type)
{
    uint32_t bits = 0;
    for (unsigned i = trace_type_bytes(type); i-- > 0;)
        bits = bits << 8 | at[i];
    if (type == TRACE_I32)
        return (int32_t)bits;
    return of_bits(bits, formats[type].exponent_bits, formats[type].fraction_bits);
}

static void store(uint8_t *at, enum trace_type type, double x)
{
    uint32_t bits = type == TRACE_I32 ? (uint32_t)(int32_t)x
        : to_bits(value_round(x, type), formats[type].exponent_bits,
                  formats[type].fraction_bits);
    for (unsigned i = 0; i < trace_type_bytes(type); i++)
        at[i] = (uint8_t)(bits >> 8 * i);
}

/* ---- a plan and its memory ---- */

struct machine_run {
    struct gpu_config        config;
    struct hbm_config        hbm;
    struct gpu_lower_options options;
    struct trace            *trace;
    struct gpu_plan         *plan;
    const char              *what;
};

static uint8_t *bytes_of(const struct machine_run *r, uint32_t tensor)
{
    uint64_t bytes = trace_elements(&r->trace->tensors[tensor])
                   * trace_type_bytes(r->plan->types[tensor]);
    uint8_t *at = gpu_memory_at(r->plan->memory, r->plan->addresses[tensor], bytes, NULL);
    ck_assert(at != NULL);
    return at;
}

static struct cell *cells_of(const struct machine_run *r, uint32_t tensor)
{
    uint64_t n = trace_elements(&r->trace->tensors[tensor]);
    enum trace_type type = r->plan->types[tensor];
    struct cell *cells = calloc(n, sizeof *cells);
    const uint8_t *at = bytes_of(r, tensor);
    for (uint64_t i = 0; i < n; i++)
        cells[i].v = load(at + i * trace_type_bytes(type), type);
    return cells;
}

/* What is given: numbers around 0, states that may be squares, classes that there are. */
static void fill(const struct machine_run *r, struct dice *d)
{
    for (uint32_t i = 0; i < r->trace->tensor_count; i++) {
        const struct trace_tensor *x = &r->trace->tensors[i];
        enum trace_type type = r->plan->types[i];
        if (!trace_role_given(x->role))
            continue;
        uint64_t classes = type == TRACE_I32 ? hostile_classes(r->trace, i) : 0;
        for (uint64_t k = 0; k < trace_elements(x); k++) {
            double v = (double)roll(d, 1u << 20) / (1u << 19) - 1;
            if (x->role == ROLE_STATE || x->role == ROLE_TARGET)
                v = fabs(v);
            if (type == TRACE_I32)
                v = (double)roll(d, classes);
            store(bytes_of(r, i) + k * trace_type_bytes(type), type, v);
        }
    }
}

/* ---- a group ---- */

/* Cells of the tensors that a group touches; NULL: not yet. */
struct group_cells { struct cell **before, **after; };

static enum trace_type compute_type(const struct machine_run *r, const struct trace_op *op)
{
    bool f32 = r->plan->types[op->in[0]] == TRACE_F32 || r->plan->types[op->in[1]] == TRACE_F32;
    if (!r->config.kernels.tensor_cores || (r->options.exact_f32 && f32))
        return TRACE_F32;
    return op->compute == TRACE_BF16 && r->config.gpu.generation == GPU_SM_70 ? TRACE_F16
                                                                              : op->compute;
}

static void expect_op(const struct machine_run *r, const struct trace_op *op,
                      struct group_cells *cells)
{
    const struct trace_tensor *first = &r->trace->tensors[op->in[0]];
    struct value_op x = { .trace = r->trace, .op = op, .rows = trace_rows(first),
                          .n = first->shape[first->rank - 1], .all = trace_elements(first) };
    if (op->kind == TRACE_MATMUL)
        x.compute = compute_type(r, op);
    for (uint32_t i = 0; r->config.kernels.optimizer == 1 && i < op_rows[op->kind].in_place; i++)
        x.stored = fmax(x.stored, ldexp(1, -value_formats[r->plan->types[op->in[i]]].digits));
    for (uint32_t i = 0; i < op->ins; i++) {
        uint32_t t = op->in[i];
        if (!cells->before[t] && !cells->after[t])
            cells->before[t] = cells_of(r, t);
        x.in[i] = cells->after[t] ? cells->after[t] : cells->before[t];
    }
    for (uint32_t i = 0; i < op->outs; i++) {
        uint64_t n = trace_elements(&r->trace->tensors[op->out[i]]);
        x.out[i] = calloc(n, sizeof(struct cell));
        cells->after[op->out[i]] = x.out[i];
    }
    value_compute(&x);
    for (uint32_t i = 0; i < op->outs; i++)
        for (uint64_t k = 0; k < trace_elements(&r->trace->tensors[op->out[i]]); k++)
            x.out[i][k].e += value_half_ulp(fabs(x.out[i][k].v) + x.out[i][k].e,
                                            r->plan->types[op->out[i]]);
}

static void check_tensor(const struct machine_run *r, uint32_t tensor, const struct cell *expected)
{
    uint64_t n = trace_elements(&r->trace->tensors[tensor]);
    struct cell *got = cells_of(r, tensor);
    for (uint64_t i = 0; i < n; i++) {
        bool huge = r->plan->types[tensor] == TRACE_F16 && !(fabs(expected[i].v) < 65504);
        ck_assert_msg(huge || fabs(got[i].v - expected[i].v) <= expected[i].e,
                      "%s: %s[%llu] is %.9g; expected %.9g +- %.3g", r->what,
                      r->trace->tensors[tensor].name, (unsigned long long)i, got[i].v,
                      expected[i].v, expected[i].e);
    }
    free(got);
}

static void run_group(const struct machine_run *r, uint32_t group)
{
    for (uint32_t i = 0; i < r->plan->launch_count; i++) {
        struct gpu_interpreted result;
        struct diag d = { .text = "" };
        if (r->plan->launches[i].group == group)
            ck_assert_msg(gpu_interpret(&r->config, &r->plan->launches[i], r->plan->memory, 0,
                                        &result, &d), "%s: %s: %s:%u: %s", r->what,
                          r->plan->groups[group].name, d.file, d.line, d.text);
    }
}

static void check_group(const struct machine_run *r, uint32_t group)
{
    const struct gpu_group *g = &r->plan->groups[group];
    uint32_t tensors = r->trace->tensor_count;
    struct group_cells cells = { calloc(tensors, sizeof(struct cell *)),
                                 calloc(tensors, sizeof(struct cell *)) };
    for (uint32_t i = 0; i < g->op_count; i++)
        expect_op(r, &r->trace->ops[g->ops[i]], &cells);
    run_group(r, group);
    for (uint32_t i = 0; i < tensors; i++) {
        if (cells.after[i] && r->plan->addresses[i])
            check_tensor(r, i, cells.after[i]);
        free(cells.before[i]);
        free(cells.after[i]);
    }
    free(cells.before);
    free(cells.after);
}

static void check_values(struct machine_run *r, struct dice *d)
{
    struct diag why = { .text = "" };
    r->plan = gpu_lower(&r->config, &r->hbm, r->trace, &r->options, true, &why);
    ck_assert_msg(r->plan != NULL, "%s: %s", r->what, why.text);
    fill(r, d);
    for (uint32_t g = 0; g < r->plan->group_count; g++)
        check_group(r, g);
    gpu_plan_free(r->plan);
    trace_free(r->trace);
}

/* ---- traces ---- */

static struct machine_run some_chip(struct dice *d, const char *what)
{
    struct machine_run r = { .what = what, .config = gpu_v100(), .hbm = gpu_v100_hbm() };
    if (roll(d, 2)) {
        r.config = gpu_a100();
        r.hbm = gpu_a100_hbm();
    }
    r.config.kernels.tensor_cores = roll(d, 4) > 0;
    r.config.kernels.optimizer = (uint32_t)roll(d, 2);
    r.config.sm.count = 1 + (uint32_t)roll(d, 100);
    r.options.exact_f32 = roll(d, 4) == 0;
    return r;
}

/* Each op of the language on awkward shapes, in several types. */
START_TEST(every_op_leaves_what_it_means)
{
    struct dice d = { (uint64_t)_i * 977 + 5 };
    enum trace_op_kind kind = (enum trace_op_kind)(_i % TRACE_OPS_COUNT);
    static const uint64_t awkward[] = { 1, 7, 129, 64, 33, 2 };
    char what[64];
    snprintf(what, sizeof what, "%s, seed %d", op_rows[kind].name, _i);
    struct machine_run r = some_chip(&d, what);
    struct sizes s = { .leads = kind == TRACE_MATMUL || kind == TRACE_TRANSPOSE
                              ? (uint32_t)roll(&d, 2) : 1 };
    s.lead[0] = kind == TRACE_MATMUL ? 3 : awkward[roll(&d, COUNT_OF(awkward))];
    for (int i = 0; i < 26; i++)
        s.letter[i] = awkward[roll(&d, COUNT_OF(awkward))];
    r.trace = trace_new("one");
    enum trace_type type = (enum trace_type)roll(&d, 3);
    ck_assert(kind == TRACE_ALL_REDUCE ? hostile_all_reduce(r.trace, &s, type)
                                       : hostile_op(r.trace, kind, &s, type, &d));
    check_values(&r, &d);
}
END_TEST

/* Layers, losses and optimizers as a network has them, small. */
static const char *const nets[] = {
    "input 7\nbatch 5\ndense 129 relu\ndense 9 softmax\nloss cross_entropy\noptimizer adam\n",
    "input 129\nbatch 33\ndense 7 gelu\ndense 1 sigmoid\nloss binary_cross_entropy\n"
    "optimizer rmsprop\n",
    "input 64\nbatch 130\ndense 64 tanh no_bias\ndense 64 relu\ndense 40\n"
    "loss mean_squared_error\noptimizer momentum\n",
    "input 1\nbatch 1\ndense 1 relu\ndense 2 softmax\nloss mean_squared_error\noptimizer sgd\n",
    "input 256\nbatch 72\ndense 200 sigmoid\ndense 136 relu\ndense 10 softmax\n"
    "loss cross_entropy one_hot\noptimizer adam\n",
    "input 9\nbatch 12\ndense 65 relu\ndense 3 softmax\nloss cross_entropy\nloss_scale 1000\n"
    "optimizer adam\n",
};

START_TEST(every_tensor_of_a_training_step_is_what_the_trace_says)
{
    struct dice d = { (uint64_t)_i + 400 };
    char text[512], what[32];
    static const struct net_options training;
    struct diag why = { .text = "" };
    snprintf(what, sizeof what, "net %d", _i);
    struct machine_run r = some_chip(&d, what);
    snprintf(text, sizeof text, "simaccel-net 1\nactivations %s\n%s",
             ONE_OF(&d, "f32", "bf16", "f16"), nets[(size_t)_i % COUNT_OF(nets)]);
    r.trace = net_expand_memory(text, strlen(text), &training, &why);
    ck_assert_msg(r.trace != NULL, "%s", why.text);
    check_values(&r, &d);
}
END_TEST

START_TEST(chains_of_ops_leave_what_they_mean)
{
    struct dice d = { (uint64_t)_i + 90001 };
    char what[32];
    snprintf(what, sizeof what, "chain %d", _i);
    struct machine_run r = some_chip(&d, what);
    r.trace = hostile_chain(&d);
    check_values(&r, &d);
}
END_TEST

Suite *gpu_lower_values_suite(void)
{
    Suite *s = suite_create("gpu_lower_values");
    TCase *t = tcase_create("values");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_op_leaves_what_it_means, 0, 4 * TRACE_OPS_COUNT);
    tcase_add_loop_test(t, every_tensor_of_a_training_step_is_what_the_trace_says, 0, 12);
    tcase_add_loop_test(t, chains_of_ops_leave_what_they_mean, 0, 20);
    suite_add_tcase(s, t);
    return s;
}
