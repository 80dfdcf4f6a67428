/* test_reference_twin.c - every op of the reference on random shapes against what tests of
 * machines take it to mean, which was written by itself and uses the host's functions; and a
 * wrong value anywhere is seen. */
#include "tests/models/gpu/trace_values.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"
#include "traces/reference.h"

#define CASES 40

/* One op of random operands; its attributes are 1/2 and 1, so that no rounding matters. */
static struct trace *one_op(enum trace_op_kind kind, struct dice *d)
{
    for (;;) {
        struct trace *t = trace_new("twin");
        struct sizes s = { .leads = 1 + (uint32_t)roll(d, 2),
                           .lead = { roll(d, 6) + 1, roll(d, 5) + 1 } };
        for (int i = 0; i < 26; i++)
            s.letter[i] = roll(d, 9) + 1;
        if (hostile_op(t, kind, &s, TRACE_F32, d))
            return t;
        trace_free(t);
    }
}

/* Numbers of few digits, which are the same in any type; state is of squares. */
static void fill(struct reference *r, const struct trace *t, struct dice *d)
{
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const struct trace_tensor *x = &t->tensors[i], *z = &t->tensors[t->ops[0].in[0]];
        for (uint64_t k = 0; k < trace_elements(x); k++) {
            double v = ((double)roll(d, 127) - 63) / 32;
            reference_values(r, i)[k] = x->type == TRACE_I32
                ? (double)roll(d, z->shape[z->rank - 1]) : x->role == ROLE_STATE ? fabs(v) : v;
        }
    }
}

static struct cell *cells_of(struct reference *r, const struct trace *t, uint32_t tensor)
{
    uint64_t n = trace_elements(&t->tensors[tensor]);
    struct cell *cells = calloc(n, sizeof *cells);
    for (uint64_t k = 0; k < n; k++)
        cells[k].v = reference_values(r, tensor)[k];
    return cells;
}

/* The op as the twin has it, from the values that the reference has now. */
static struct value_op twin_of(struct reference *r, const struct trace *t)
{
    const struct trace_op *op = &t->ops[0];
    const struct trace_tensor *first = &t->tensors[op->in[0]];
    struct value_op x = { .trace = t, .op = op, .rows = trace_rows(first),
                          .n = first->shape[first->rank - 1], .all = trace_elements(first),
                          .compute = op->compute };
    for (uint32_t i = 0; i < op->ins; i++)
        x.in[i] = cells_of(r, t, op->in[i]);
    for (uint32_t i = 0; i < op->outs; i++)
        x.out[i] = cells_of(r, t, op->out[i]);
    value_compute(&x);
    return x;
}

static void twin_free(const struct value_op *x)
{
    for (uint32_t i = 0; i < x->op->ins; i++)
        free(x->in[i]);
    for (uint32_t i = 0; i < x->op->outs; i++)
        free(x->out[i]);
}

/* Results that are not the twin's.  A cell says how large the numbers on the way to it were,
 * in VALUES_EPSILON. */
static unsigned differences(struct reference *r, const struct value_op *x)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < x->op->outs; i++)
        for (uint64_t k = 0; k < trace_elements(&x->trace->tensors[x->op->out[i]]); k++) {
            struct cell c = x->out[i][k];
            double off = fabs(reference_values(r, x->op->out[i])[k] - c.v);
            count += !(off <= 1e-11 * (c.e / VALUES_EPSILON + fabs(c.v)) + 1e-15);
        }
    return count;
}

/* Each result by itself made a little larger. */
static void expect_to_be_seen(struct reference *r, const struct value_op *x)
{
    for (uint32_t i = 0; i < x->op->outs; i++)
        for (uint64_t k = 0; k < trace_elements(&x->trace->tensors[x->op->out[i]]); k++) {
            double *v = &reference_values(r, x->op->out[i])[k], kept = *v;
            *v += 1e-6 * (1 + x->out[i][k].e / VALUES_EPSILON);
            ck_assert_uint_eq(differences(r, x), 1);
            *v = kept;
        }
}

START_TEST(every_op_gives_what_its_twin_gives_and_a_wrong_value_is_seen)
{
    enum trace_op_kind kind = (enum trace_op_kind)_i;
    if (op_rows[kind].class == OP_COLLECTIVE)
        return;             /* wants what another op has made: test_reference.c has it */
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        struct dice d = { seed * 1000 + (uint64_t)_i };
        struct trace *t = one_op(kind, &d);
        struct reference *r = reference_new(t, REFERENCE_EXACT);
        fill(r, t, &d);
        struct value_op twin = twin_of(r, t);
        reference_op(r, 0, 0);
        ck_assert_msg(differences(r, &twin) == 0, "%s, seed %llu: %u results differ",
                      op_rows[kind].name, (unsigned long long)seed, differences(r, &twin));
        if (seed <= 3)
            expect_to_be_seen(r, &twin);
        twin_free(&twin);
        reference_free(r);
        trace_free(t);
    }
}
END_TEST

Suite *reference_twin_suite(void)
{
    Suite *s = suite_create("reference_twin");
    TCase *t = tcase_create("twin");
    tcase_add_loop_test(t, every_op_gives_what_its_twin_gives_and_a_wrong_value_is_seen, 0,
                        TRACE_OPS_COUNT);
    suite_add_tcase(s, t);
    return s;
}
