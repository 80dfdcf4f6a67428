/* test_tpu_values.c - what a TPU's program leaves is what its trace says, within the bounds of
 * its formats.
 *
 * Group by group: what each leaves is compared with what its ops make in double precision of
 * what the machine had before, so that errors do not add up and every tensor is looked at. */
#include <glob.h>

#include "tests/models/gpu/trace_values.h"
#include "tests/models/tpu/tpu_values_rig.h"
#include "tests/suites.h"

/* What the machine has of each tensor; and what the group under way makes, NULL: nothing. */
struct expected { struct cell **now, **made; };

static struct cell *cells_of(const struct values_rig *r, uint32_t tensor)
{
    double *v = rig_get(r, tensor);
    if (!v)
        return NULL;
    uint64_t n = trace_elements(&r->trace->tensors[tensor]);
    struct cell *cells = calloc(n, sizeof *cells);
    for (uint64_t i = 0; i < n; i++)
        cells[i].v = v[i];
    free(v);
    return cells;
}

static enum trace_type compute_type(const struct values_rig *r, const struct trace_op *op)
{
    bool f32 = r->trace->tensors[op->in[0]].type == TRACE_F32
            || r->trace->tensors[op->in[1]].type == TRACE_F32;
    return r->options.highest && f32 ? TRACE_F32 : TRACE_BF16;
}

/* What rounding does to a result: to its type when it is stored, and before that to each
 * core's summand and each sum of two.  A sum's bound tells the size of its terms. */
static double rounding(const struct values_rig *r, uint32_t tensor, struct cell c)
{
    enum trace_type type = r->trace->tensors[tensor].type;
    double e = value_half_ulp(fabs(c.v) + c.e, type);
    if (r->plan->tensors[tensor].summed != TRACE_NONE)
        e += 4 * r->plan->cores * value_half_ulp(fabs(c.v) + c.e / VALUES_EPSILON, type);
    return e;
}

/* Whether an operand has an error that trace_values.h does not pass on: in ordinary groups none
 * has. */
static bool unsure(const struct trace_op *op, const struct expected *x)
{
    enum op_class class = op_rows[op->kind].class;
    for (uint32_t i = 0; i < op->ins; i++)
        if (x->made[op->in[i]] && (i > 0 || class == OP_ROW || op->kind == TRACE_BINARY_CROSS_ENTROPY_GRAD))
            return true;
    return false;
}

static void expect_op(const struct values_rig *r, const struct trace_op *op, struct expected *x)
{
    const struct trace_tensor *first = &r->trace->tensors[op->in[0]];
    struct value_op v = { .trace = r->trace, .op = op, .rows = trace_rows(first),
                          .n = first->shape[first->rank - 1], .all = trace_elements(first) };
    bool any = unsure(op, x);
    if (op->kind == TRACE_MATMUL)
        v.compute = compute_type(r, op);
    for (uint32_t i = 0; i < op->ins; i++) {
        v.in[i] = x->made[op->in[i]] ? x->made[op->in[i]] : x->now[op->in[i]];
        ck_assert_msg(v.in[i] != NULL, "%s: %s is nowhere", r->what,
                      r->trace->tensors[op->in[i]].name);
    }
    for (uint32_t i = 0; i < op->outs; i++) {
        v.out[i] = calloc(trace_elements(&r->trace->tensors[op->out[i]]), sizeof(struct cell));
        x->made[op->out[i]] = v.out[i];
    }
    value_compute(&v);
    for (uint32_t i = 0; i < op->outs; i++)
        for (uint64_t k = 0; k < trace_elements(&r->trace->tensors[op->out[i]]); k++)
            v.out[i][k].e += any ? INFINITY : rounding(r, op->out[i], v.out[i][k]);
}

static void check_tensor(const struct values_rig *r, uint32_t tensor, struct expected *x)
{
    uint64_t n = trace_elements(&r->trace->tensors[tensor]);
    struct cell *got = cells_of(r, tensor), *made = x->made[tensor];
    for (uint64_t i = 0; got && i < n; i++) {
        bool huge = !(fabs(made[i].v) + made[i].e < 65504);
        if (!(huge || fabs(got[i].v - made[i].v) <= made[i].e))
            ck_abort_msg("%s: %s[%llu] is %.9g; expected %.9g +- %.3g", r->what,
                         r->trace->tensors[tensor].name, (unsigned long long)i, got[i].v,
                         made[i].v, made[i].e);
    }
    if (got) {
        free(x->now[tensor]);
        x->now[tensor] = got;
    }
    free(made);
    x->made[tensor] = NULL;
}

static void check_group(const struct values_rig *r, uint32_t group, struct expected *x)
{
    const struct tpu_group *g = &r->plan->groups[group];
    for (uint32_t i = 0; i < g->op_count; i++)
        expect_op(r, &r->trace->ops[g->ops[i]], x);
    for (uint32_t i = 0; i < r->trace->tensor_count; i++)
        if (x->made[i])
            check_tensor(r, i, x);
}

/* The rig has all but plan and values; nothing is checked if the machine cannot do it. */
static bool check_values(struct values_rig *r, struct dice *d)
{
    struct diag why = { .text = "" };
    bool can = rig_lower(r, TPU_MXU_FAST, &why);
    uint32_t tensors = r->trace->tensor_count;
    struct expected x = { calloc(tensors, sizeof *x.now), calloc(tensors, sizeof *x.made) };
    if (can) {
        rig_fill(r, d);
        for (uint32_t i = 0; i < tensors; i++)
            if (trace_role_given(r->trace->tensors[i].role))
                x.now[i] = cells_of(r, i);
        tpu_values_step(r->values, 0, NULL);
        for (uint32_t g = 0; g < r->plan->group_count; g++)
            check_group(r, g, &x);
    } else {
        ck_assert_str_ne(why.text, "");
    }
    for (uint32_t i = 0; i < tensors; i++)
        free(x.now[i]);
    free(x.now);
    free(x.made);
    rig_drop(r);
    return can;
}

/* ---- traces ---- */

static struct values_rig some_rig(struct dice *d, const char *what, int seed)
{
    struct values_rig r = { .machine = hostile_machine(d) };
    snprintf(r.what, sizeof r.what, "%s, seed %d", what, seed);
    r.options.highest = roll(d, 4) == 0;
    r.options.cores = roll(d, 3) ? 0 : 1;
    return r;
}

/* Each op of the language on awkward shapes, in several types. */
START_TEST(every_op_leaves_what_it_means)
{
    struct dice d = { (uint64_t)_i * 977 + 5 };
    enum trace_op_kind kind = (enum trace_op_kind)(_i % TRACE_OPS_COUNT);
    static const uint64_t awkward[] = { 1, 7, 129, 64, 33, 2 };
    struct values_rig r = some_rig(&d, op_rows[kind].name, _i);
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
};

START_TEST(every_tensor_of_a_training_step_is_what_the_trace_says)
{
    struct dice d = { (uint64_t)_i + 400 };
    char text[512];
    struct values_rig r = some_rig(&d, "net", _i);
    snprintf(text, sizeof text, "activations %s\n%s", ONE_OF(&d, "f32", "bf16", "f16"),
             nets[(size_t)_i % COUNT_OF(nets)]);
    r.trace = rig_net(text);
    check_values(&r, &d);
}
END_TEST

START_TEST(chains_of_ops_leave_what_they_mean)
{
    struct dice d = { (uint64_t)_i + 90001 };
    struct values_rig r = some_rig(&d, "chain", _i);
    r.trace = hostile_chain(&d);
    check_values(&r, &d);
}
END_TEST

/* ---- workloads ---- */

/* Of a group on a core: elements of its result that get a first and a last chunk of products, or
 * that the vector unit goes over; and the products. */
struct cover { uint64_t first, last, vector, products; };

static struct cover cover_of(const struct values_rig *r, uint32_t core, uint32_t group)
{
    const struct tpu_program *p = r->plan->programs[core];
    struct cover c = { 0, 0, 0, 0 };
    for (uint32_t i = 0; i < p->count; i++) {
        const struct tpu_work *w = &p->uops[i].work;
        uint64_t size = (uint64_t)w->rows * w->cols;
        if (p->uops[i].group != group)
            continue;
        c.first += p->uops[i].unit == TPU_MATRIX && w->first ? size : 0;
        c.last += p->uops[i].unit == TPU_MATRIX && w->last ? size : 0;
        c.products += p->uops[i].unit == TPU_MATRIX ? size * p->uops[i].product.k : 0;
        c.vector += p->uops[i].unit == TPU_VECTOR ? size : 0;
    }
    return c;
}

/* Every element of every group is worked on once by each core that has it. */
static void check_cover(const struct values_rig *r)
{
    for (uint32_t g = 0; g < r->plan->group_count; g++) {
        const struct tpu_group *x = &r->plan->groups[g];
        struct cover sum = { 0, 0, 0, 0 };
        if (x->op_count == 0)
            continue;
        const struct trace_op *op = &r->trace->ops[x->ops[0]];
        bool product = x->kind == TPU_GROUP_MATMUL, rows = r->plan->tensors[op->in[0]].share > 0;
        uint64_t elements = trace_elements(&r->trace->tensors[product ? op->out[0] : op->in[0]]);
        for (uint32_t c = 0; c < r->plan->cores; c++) {
            struct cover here = cover_of(r, c, g);
            sum.first += here.first;
            sum.products += here.products;
            sum.vector += here.vector;
            ck_assert_uint_eq(here.first, here.last);
            ck_assert_msg(!here.vector || !product || here.vector == here.first, "%s", x->name);
        }
        if (product)
            ck_assert_msg(sum.products == x->macs, "%s: %s", r->what, x->name);
        else if (x->kind == TPU_GROUP_VECTOR)
            ck_assert_msg(sum.vector == elements * (rows || r->plan->shared ? 1 : r->plan->cores),
                          "%s: %s", r->what, x->name);
    }
}

static const char *const chips[] = { "tpu-v3", "tpu-v4", "tpu-v5e" };

/* All are lowered; of those that are small, a step has the right values. */
START_TEST(every_workload_has_values)
{
    glob_t found;
    ck_assert_int_eq(glob("workloads/*.net", 0, NULL, &found), 0);
    ck_assert_uint_gt(found.gl_pathc, 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct diag why = { .text = "" };
        struct dice d = { i };
        struct values_rig r = { .machine = rig_machine(chips[_i], NULL) };
        snprintf(r.what, sizeof r.what, "%s on %s", found.gl_pathv[i], chips[_i]);
        r.trace = trace_load(found.gl_pathv[i], NULL, &why);
        ck_assert_msg(r.trace != NULL, "%s: %s", r.what, why.text);
        r.figures = machine_figures(r.machine);
        r.plan = tpu_lower(&r.figures->tpu, &r.figures->hbm, r.trace, &r.options, &why);
        ck_assert_msg(r.plan != NULL, "%s: %s", r.what, why.text);
        check_cover(&r);
        tpu_plan_free(r.plan);
        if (r.trace->flops < 50000000) {
            ck_assert(check_values(&r, &d));
        } else {
            trace_free(r.trace);
            machine_free(r.machine);
        }
    }
    globfree(&found);
}
END_TEST

/* Elements of a product's operands that a core has loaded in its group, by rows and columns of
 * their storage. */
struct loaded {
    const struct tpu_tensor *tensor;
    uint8_t *seen;
    bool     wanted;            /* some was loaded, or must be: it cannot be on chip */
};

static void load(struct loaded *l, const struct tpu_work *w)
{
    l->wanted = true;
    for (uint64_t r = w->row; r < w->row + w->rows; r++)
        memset(l->seen + r * l->tensor->cols + w->col, 1, w->cols);
}

/* Rows and columns of an operand as it is multiplied, of a matrix that begins at row `base`. */
static void check_loaded(const struct values_rig *r, const struct loaded *l, bool turned,
                         uint64_t base, const uint64_t row[2], const uint64_t col[2])
{
    for (uint64_t i = row[0]; l->wanted && i < row[0] + row[1]; i++)
        for (uint64_t j = col[0]; j < col[0] + col[1]; j++) {
            uint64_t at = (base + (turned ? j : i)) * l->tensor->cols + (turned ? i : j);
            if (!l->seen[at])
                ck_abort_msg("%s: element %llu is multiplied and was not loaded", r->what,
                             (unsigned long long)at);
        }
}

static void check_operands(const struct values_rig *r, const struct tpu_uop *u,
                           const struct trace_op *op, const struct loaded *ab)
{
    const struct tpu_work *w = &u->work;
    uint64_t batch = op_matmul(r->trace, op).batch;
    uint64_t k[2] = { w->depth, u->product.k }, m[2] = { w->row, w->rows };
    uint64_t n[2] = { w->col, w->cols };
    check_loaded(r, &ab[0], op->transpose_a, w->matrix * (ab[0].tensor->rows / batch),
                 w->turned ? n : m, k);
    check_loaded(r, &ab[1], op->transpose_b, w->matrix * (ab[1].tensor->rows / batch), k,
                 w->turned ? m : n);
}

static void check_group_loads(const struct values_rig *r, const struct tpu_program *p,
                              uint32_t group)
{
    const struct trace_op *op = &r->trace->ops[r->plan->groups[group].ops[0]];
    struct loaded ab[2];
    for (int i = 0; i < 2; i++) {
        const struct tpu_tensor *t = &r->plan->tensors[op->in[i]];
        bool away = trace_role_given(r->trace->tensors[op->in[i]].role)
                 || r->figures->tpu.lower.residence == TPU_RESIDENCE_HBM;
        ab[i] = (struct loaded){ t, calloc(t->rows * t->cols, 1), away };
    }
    for (uint32_t i = 0; i < p->count; i++) {
        const struct tpu_uop *u = &p->uops[i];
        for (int k = 0; k < 2 && u->group == group && u->unit == TPU_LOAD; k++)
            if (u->work.tensor == op->in[k])
                load(&ab[k], &u->work);
        if (u->group == group && u->unit == TPU_MATRIX)
            check_operands(r, u, op, ab);
    }
    free(ab[0].seen);
    free(ab[1].seen);
}

/* Values are read where they are at home; a core has only what it loaded. */
START_TEST(what_is_multiplied_was_loaded)
{
    struct dice d = { (uint64_t)_i + 70 };
    struct diag why = { .text = "" };
    struct values_rig r = some_rig(&d, "loads", _i);
    r.trace = _i % 2 ? rig_product(&d) : hostile_net(&d);
    if (rig_lower(&r, TPU_MXU_FAST, &why))
        for (uint32_t c = 0; c < r.plan->cores; c++)
            for (uint32_t g = 0; g < r.plan->group_count; g++)
                if (r.plan->groups[g].kind == TPU_GROUP_MATMUL)
                    check_group_loads(&r, r.plan->programs[c], g);
    rig_drop(&r);
}
END_TEST

/* What a bias adds to never leaves its group; what a loss is, does. */
START_TEST(what_lives_inside_a_group_has_no_values)
{
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-v3", NULL), .what = "inside",
                            .trace = rig_net(nets[0]) };
    double *x = NULL;
    uint32_t inside = 0;
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    for (uint32_t i = 0; i < r.trace->tensor_count; i++, free(x))
        if (!(x = rig_get(&r, i))) {
            ck_assert(!trace_role_given(r.trace->tensors[i].role));
            inside++;
        }
    ck_assert_uint_gt(inside, 0);
    rig_drop(&r);
}
END_TEST

/* c = lr sqrt(1 - beta2^step) / (1 - beta1^step), and step counts on from the steps before. */
START_TEST(adam_counts_its_steps)
{
    struct diag why = { .text = "" };
    struct values_rig r = { .machine = rig_machine("tpu-mini", NULL), .what = "adam",
        .trace = rig_trace("tensor w weight f32 1\ntensor m state f32 1\ntensor v state f32 1\n"
                           "tensor g input f32 1\nupdate adam w m v = w m v g epsilon=0 lr=0.5 "
                           "beta1=0.5 beta2=0.75 step=2\n") };
    double w;
    ck_assert(rig_lower(&r, TPU_MXU_FAST, &why));
    tpu_values_set(r.values, 3, &(double){ 1 });
    tpu_values_step(r.values, 3, NULL);         /* step 5: m = 0.5, v = 0.25 */
    ck_assert(tpu_values_get(r.values, 0, &w));
    ck_assert_double_eq_tol(w, -0.5 * sqrt(1 - pow(0.75, 5)) / (1 - pow(0.5, 5)), 1e-7);
    rig_drop(&r);
}
END_TEST

Suite *tpu_values_suite(void)
{
    Suite *s = suite_create("tpu_values");
    TCase *t = tcase_create("values");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_op_leaves_what_it_means, 0, 8 * TRACE_OPS_COUNT);
    tcase_add_loop_test(t, every_tensor_of_a_training_step_is_what_the_trace_says, 0, 20);
    tcase_add_loop_test(t, chains_of_ops_leave_what_they_mean, 0, 150);
    tcase_add_loop_test(t, every_workload_has_values, 0, COUNT_OF(chips));
    tcase_add_loop_test(t, what_is_multiplied_was_loaded, 0, 60);
    tcase_add_test(t, what_lives_inside_a_group_has_no_values);
    tcase_add_test(t, adam_counts_its_steps);
    suite_add_tcase(s, t);
    return s;
}
