/* test_bound.c - every op worked out in plain f32, with sums in random orders, stays within its
 * bound, however awkward the numbers; and the bound is not far above what is found. */
#include "tests/suites.h"
#include "tests/traces/plain.h"
#include "traces/bound.h"
#include "traces/reference.h"
#include "traces/round.h"

#define CASES 60

/* ---- an op of random operands ---- */

static struct trace *one_op(enum trace_op_kind kind, struct dice *d)
{
    for (;;) {
        struct trace *t = trace_new("bound");
        struct sizes s = { .leads = 1 + (uint32_t)roll(d, 2),
                           .lead = { roll(d, 6) + 1, roll(d, 5) + 1 } };
        for (int i = 0; i < 26; i++)
            s.letter[i] = roll(d, 40) + 1;
        if (hostile_op(t, kind, &s, TRACE_F32, d))
            return t;
        trace_free(t);
    }
}

/* 0.25 to 1 and its negative, or: of any size, near each other, near 0 and 1, zeros. */
static float value(struct dice *d, bool awkward)
{
    float v = 0.25f + 0.75f * (float)roll(d, 1u << 24) / (1u << 24);
    if (awkward)
        switch (roll(d, 6)) {
        case 0: v = ldexpf(v, (int)roll(d, 40) - 20); break;
        case 1: v = 1 + ldexpf(v, -20); break;
        case 2: v = ldexpf(v, -(int)roll(d, 140)); break;
        case 3: v = 0; break;
        case 4: v = 1000 + v; break;
        }
    return roll(d, 2) ? -v : v;
}

/* What is a probability, a share or a square is between 0 and 1, or at least above 0. */
static bool is_share(const struct trace *t, uint32_t tensor)
{
    const struct trace_op *op = &t->ops[0];
    const char *name = op_rows[op->kind].name;
    return t->tensors[tensor].role == ROLE_STATE || (op->ins > 1 && op->in[1] == tensor
               && (strstr(name, "entropy") || op->kind == TRACE_SOFTMAX_GRAD))
        || (op->in[0] == tensor && strstr(name, "binary_cross"));
}

static void fill(struct reference *r, const struct trace *t, bool awkward, struct dice *d)
{
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const struct trace_tensor *x = &t->tensors[i], *z = &t->tensors[t->ops[0].in[0]];
        bool share = is_share(t, i);
        for (uint64_t k = 0; k < trace_elements(x); k++) {
            double v = value(d, awkward);
            v = !share ? v : x->role == ROLE_STATE ? fabs(v) : fabs(v) - floor(fabs(v));
            reference_values(r, i)[k] = x->type == TRACE_I32
                ? (double)roll(d, z->shape[z->rank - 1]) : trace_round(v, TRACE_F32);
        }
    }
}

static float *floats(const double *from, uint64_t n)
{
    float *to = calloc(n, sizeof *to);
    for (uint64_t i = 0; i < n; i++)
        to[i] = (float)from[i];
    return to;
}

struct one {
    struct plain      plain;
    struct bound_op   bound;
    struct reference *reference;
    double           *in_off[TRACE_INS];
};

/* An input of the plain op is somewhere near that of the reference, often at one end of it. */
static void move(struct one *o, uint32_t in, uint64_t n)
{
    double *off = o->in_off[in] = calloc(n, sizeof *off);
    for (uint64_t k = 0; k < n; k++) {
        double v = o->bound.in[in][k], side = (double)roll(o->plain.dice, 5) / 2 - 1;
        o->plain.in[in][k] = (float)(v + side * fabs(v) * 0x1p-11);
        off[k] = fabs(v) * 0x1p-11 * (1 + 0x1p-10);
    }
    o->bound.in_off[in] = off;
}

/* In place they are what was moved. */
static void take_operands(struct one *o, bool moved)
{
    const struct trace *t = o->plain.trace;
    const struct trace_op *op = o->plain.op;
    for (uint32_t i = 0; i < op->ins; i++) {
        uint64_t n = trace_elements(&t->tensors[op->in[i]]);
        o->bound.in[i] = reference_values(o->reference, op->in[i]);
        o->plain.in[i] = floats(o->bound.in[i], n);
        if (moved && t->tensors[op->in[i]].type != TRACE_I32)
            move(o, i, n);
    }
    for (uint32_t i = 0; i < op->outs; i++) {
        uint64_t n = trace_elements(&t->tensors[op->out[i]]);
        o->plain.out[i] = calloc(n, sizeof(float));
        if (i < op_rows[op->kind].in_place)
            memcpy(o->plain.out[i], o->plain.in[i], n * sizeof(float));
        o->bound.off[i] = calloc(n, sizeof(double));
    }
}

/* Plain results, bounds, and last the reference's, which may change its own inputs. */
static void work_out(struct one *o, bool moved)
{
    take_operands(o, moved);
    plain_compute(&o->plain);
    bound_op(&o->bound);
    reference_op(o->reference, 0, o->bound.before);
}

static void one_free(struct one *o)
{
    for (uint32_t i = 0; i < o->plain.op->ins; i++) {
        free(o->plain.in[i]);
        free(o->in_off[i]);
    }
    for (uint32_t i = 0; i < o->plain.op->outs; i++) {
        free(o->plain.out[i]);
        free(o->bound.off[i]);
    }
    reference_free(o->reference);
}

/* Error over bound of the worst result, but for those that say nothing. */
static double worst_of(const struct one *o)
{
    double worst = 0;
    for (uint32_t i = 0; i < o->plain.op->outs; i++) {
        uint32_t out = o->plain.op->out[i];
        for (uint64_t k = 0; k < trace_elements(&o->plain.trace->tensors[out]); k++) {
            double v = reference_values(o->reference, out)[k], off = o->bound.off[i][k];
            double error = fabs(o->plain.out[i][k] - v);
            if (!isfinite(off) || !isfinite(v))
                continue;
            off += off > 0 ? fabs(v) * 0x1p-24 : 0;     /* the reference's, to f32 */
            worst = fmax(worst, error == 0 ? 0 : isnan(error) ? INFINITY : error / off);
        }
    }
    return worst;
}

static double worst_case(enum trace_op_kind kind, uint64_t seed, bool awkward, bool moved)
{
    struct dice d = { seed * 1000 + kind };
    struct trace *t = one_op(kind, &d);
    for (uint32_t i = 0; i < t->tensor_count; i++)
        if (t->tensors[i].type != TRACE_I32)
            t->tensors[i].type = TRACE_F32;
    t->ops[0].compute = (enum trace_type)roll(&d, 3);
    t->ops[0].attr[ATTR_BETA1] = 0.9;
    t->ops[0].attr[ATTR_BETA2] = 0.999;
    t->ops[0].attr[ATTR_EPSILON] = awkward ? 1e-7 : 1e-3;
    const struct trace_tensor *first = &t->tensors[t->ops[0].in[0]];
    uint64_t before = roll(&d, 5);
    struct one o = {
        .plain = { .trace = t, .op = &t->ops[0], .dice = &d, .step = 1 + before,
                   .rows = trace_rows(first), .n = first->shape[first->rank - 1],
                   .all = trace_elements(first) },
        .bound = { .trace = t, .before = before },
        .reference = reference_new(t, REFERENCE_STORED),
    };
    if (kind == TRACE_MATMUL)
        o.bound.machine.sum = (double)op_matmul(t, o.plain.op).k * 0x1p-24;
    fill(o.reference, t, awkward, &d);
    work_out(&o, moved);
    double worst = worst_of(&o);
    one_free(&o);
    trace_free(t);
    return worst;
}

START_TEST(results_in_f32_are_within_their_bounds)
{
    enum trace_op_kind kind = (enum trace_op_kind)_i;
    for (uint64_t seed = 1; seed <= CASES && op_rows[kind].class != OP_COLLECTIVE; seed++)
        for (int awkward = 0; awkward < 2; awkward++) {
            double worst = worst_case(kind, seed, awkward, seed % 3 == 0);
            ck_assert_msg(worst <= 1, "%s, seed %llu, %s: %g times its bound", op_rows[kind].name,
                          (unsigned long long)seed, awkward ? "awkward" : "plain", worst);
        }
}
END_TEST

START_TEST(bounds_are_not_far_above_what_is_found)
{
    enum trace_op_kind kind = (enum trace_op_kind)_i;
    double worst = 0;
    for (uint64_t seed = 1; seed <= CASES; seed++)
        if (op_rows[kind].class != OP_COLLECTIVE)
            worst = fmax(worst, worst_case(kind, seed, false, false));
    ck_assert_msg(worst == 0 || worst > 0.02, "%s: at most %g of its bound", op_rows[kind].name,
                  worst);
}
END_TEST

/* ---- by hand */

START_TEST(storing_adds_half_a_unit_of_what_it_may_be)
{
    ck_assert(bound_stored(1.5, 0, TRACE_F32) == 0);
    ck_assert(bound_stored(1.5, 0.25, TRACE_F32) == 0.25);
    ck_assert(bound_stored(-1.5, 0, TRACE_BF16) == 0x1p-8);
    ck_assert(bound_stored(1.9375, 0.125, TRACE_BF16) == 0.125 + 0x1p-7);   /* 2.06: a unit of 2 */
    ck_assert(bound_stored(0x1p-20, 0, TRACE_F16) == 0x1p-25);
}
END_TEST

/* Of a trace of one op, each input 1: how far off its first result may be. */
static double bound_of_ones(const char *text, uint32_t out, struct bound_machine machine)
{
    double ones[16], off[TRACE_OUTS][16];
    struct diag d = { .text = "" };
    struct trace *t = trace_read_memory(text, strlen(text), &d);
    ck_assert_msg(t != NULL, "%s", d.text);
    struct bound_op b = { .trace = t, .machine = machine };
    for (int i = 0; i < 16; i++)
        ones[i] = 1;
    for (uint32_t i = 0; i < TRACE_INS; i++)
        b.in[i] = ones;
    for (uint32_t i = 0; i < TRACE_OUTS; i++)
        b.off[i] = off[i];
    bound_op(&b);
    trace_free(t);
    return off[out][0];
}

/* Sums of 4 with 2^-5 between bf16: three parts, half of that each. */
START_TEST(parts_of_a_sum_that_are_stored_are_each_rounded)
{
    static const char *const text[] = {
        "simaccel-trace 1\ntensor x input bf16 4x3\ntensor y output bf16 3\n"
        "forward sum_rows y = x\n",
        "simaccel-trace 1\ntensor x input bf16 4x3\ntensor w input bf16 4x2\n"
        "tensor y output bf16 3x2\nforward matmul y = x w transpose_a compute=bf16\n",
    };
    double whole = bound_of_ones(text[_i], 0, (struct bound_machine){ .sum = 0 });
    double parts = bound_of_ones(text[_i], 0, (struct bound_machine){ .parts = 3 });
    ck_assert_double_eq_tol(parts - whole, 3 * 0x1p-6, 1e-6);
    ck_assert_double_lt(whole, 1e-5);
}
END_TEST

/* a = 0.5 a + g = 1.5: stored after each of its operations, half of 2^-6 (of 2) each. */
START_TEST(state_that_is_stored_after_each_operation_is_further_off)
{
    static const char text[] =
        "simaccel-trace 1\ntensor w weight f32 2x3\ntensor a state bf16 2x3\n"
        "tensor g input f32 2x3\nupdate momentum w a = w a g lr=0.25 momentum=0.5\n";
    double once = bound_of_ones(text, 1, (struct bound_machine){ .sum = 0 });
    double each = bound_of_ones(text, 1, (struct bound_machine){ .eager = true });
    ck_assert_double_lt(once, 1e-6);
    ck_assert_double_ge(each, 2 * 0x1p-7);
    ck_assert_double_le(each, 8 * 0x1p-7);
    ck_assert_double_ge(bound_of_ones(text, 0, (struct bound_machine){ .eager = true }),
                        0.25 * each);
}
END_TEST

/* A product of ones: each operand a 2^-8 off, of four terms. */
START_TEST(operands_that_are_rounded_otherwise_move_a_product)
{
    static const char text[] =
        "simaccel-trace 1\ntensor x input f32 3x4\ntensor w input f32 4x2\n"
        "tensor y output f32 3x2\nforward matmul y = x w compute=f32\n";
    double off = bound_of_ones(text, 0, (struct bound_machine){ .operand = 0x1p-8 });
    ck_assert_double_eq_tol(off, 4 * (2 * 0x1p-8 + 0x1p-16), 1e-6);
    ck_assert_double_eq_tol(bound_of_ones(text, 0, (struct bound_machine){ .sum = 0x1p-20 }),
                            4 * 0x1p-20, 1e-10);
}
END_TEST

Suite *bound_suite(void)
{
    Suite *s = suite_create("bound");
    TCase *t = tcase_create("f32");
    tcase_add_loop_test(t, results_in_f32_are_within_their_bounds, 0, TRACE_OPS_COUNT);
    tcase_add_loop_test(t, bounds_are_not_far_above_what_is_found, 0, TRACE_OPS_COUNT);
    tcase_add_test(t, storing_adds_half_a_unit_of_what_it_may_be);
    tcase_add_loop_test(t, parts_of_a_sum_that_are_stored_are_each_rounded, 0, 2);
    tcase_add_test(t, state_that_is_stored_after_each_operation_is_further_off);
    tcase_add_test(t, operands_that_are_rounded_otherwise_move_a_product);
    suite_add_tcase(s, t);
    return s;
}
