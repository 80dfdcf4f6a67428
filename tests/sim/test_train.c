/* test_train.c - training runs: against recurrences worked out by hand, the reference, and
 * themselves after a break. */
#include "sim/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/figures.h"
#include "tests/suites.h"

/* y = w x, one number each, f32 all through: what a step does can be done by hand. */
static const char line_net[] =
    "simaccel-net 1\nname line\ninput 1\nbatch 2\ndense 1 linear no_bias\n"
    "loss mean_squared_error\noptimizer sgd lr=0.125\nactivations f32\ncompute f32\n";

static const char small_net[] =
    "simaccel-net 1\nname small\ninput 4\nbatch 8\ndense 16 relu\ndense 3 softmax\n"
    "loss cross_entropy\noptimizer adam lr=0.01\n";

static const char *const machines[] = { NULL, "tpu-mini", "tpu-v3", "gpu-mini", "v100", "a100" };
#define MACHINES (sizeof machines / sizeof machines[0])

/* ---- a run, put together ---- */

struct rig {
    struct net        *net;
    struct machine    *machine;
    struct run_options options;
    struct data       *data, *test;
    struct train_use   use;
    struct train      *train;
};

static void open_machine(struct rig *r, const char *name)
{
    struct diag d = { .text = "" };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    r->machine = name ? machine_find(&figures_schema, name, &d) : NULL;
    ck_assert_msg(!name || r->machine, "%s", d.text);
}

static void open_rig(struct rig *r, const char *net, const char *machine, uint64_t rows,
                     uint64_t steps)
{
    struct diag d = { .text = "" };
    *r = (struct rig){ .net = net_read_memory(net, strlen(net), &d) };
    ck_assert_msg(r->net != NULL, "%s", d.text);
    open_machine(r, machine);
    struct data_shape shape = trainer_data_shape(r->net);
    r->data = data_random(7, rows, &shape);
    r->use = (struct train_use){ .machines = { r->machine }, .net = r->net, .data = r->data,
                                 .batch = r->net->batch, .seed = 3, .steps = steps,
                                 .shuffles = true };
}

static void open_test(struct rig *r)
{
    struct data_shape shape = trainer_data_shape(r->net);
    r->use.test = r->test = data_random(8, 5, &shape);
}

static void start(struct rig *r)
{
    struct diag d = { .text = "" };
    struct trainer_use t = { .machine = r->machine, .net = r->net, .options = &r->options,
                             .expand = { .batch = r->use.batch }, .seed = r->use.seed };
    r->use.trainers[0] = trainer_new(&t, &d);
    ck_assert_msg(r->use.trainers[0] != NULL, "%s", d.text);
    r->use.count = 1;
    r->train = train_new(&r->use);
}

static void go(struct rig *r)
{
    struct diag d = { .text = "" };
    ck_assert_msg(train_run(r->train, &d), "%s", d.text);
}

static void close_rig(struct rig *r)
{
    train_free(r->train);
    trainer_free(r->use.trainers[0]);
    data_free(r->data);
    data_free(r->test);
    net_free(r->net);
    machine_free(r->machine);
}

static json_t *row_at(const struct rig *r, size_t i)
{
    json_t *result = train_result(r->train);
    json_t *row = json_incref(json_array_get(json_object_get(result, "rows"), i));
    json_decref(result);
    ck_assert_ptr_nonnull(row);
    return row;
}

static double number_at(const struct rig *r, size_t i, const char *key)
{
    json_t *row = row_at(r, i);
    double x = json_number_value(json_object_get(row, key));
    json_decref(row);
    return x;
}

/* Weights as a checkpoint has them. */
static struct checkpoint *state_of(const struct rig *r)
{
    struct checkpoint *c = checkpoint_new();
    trainer_save(r->use.trainers[0], c);
    ck_assert_uint_gt(c->array_count, 0);
    return c;
}

/* ---- by hand ---- */

/* w <- w - lr 2/n sum x (w x - y), the batches in the order of the file, the last ragged. */
START_TEST(a_line_is_learnt_as_by_hand)
{
    struct rig r;
    open_rig(&r, line_net, machines[_i], 5, 6);
    r.use.shuffles = false;
    start(&r);
    struct checkpoint *c = state_of(&r);
    double w = c->arrays[0].values[0], loss[6];
    checkpoint_free(c);
    for (unsigned step = 0; step < 6; step++) {
        unsigned first = step % 3 * 2, n = first + 2 <= 5 ? 2 : 1;
        double slope = 0;
        loss[step] = 0;
        for (unsigned i = first; i < first + n; i++) {
            double off = w * r.data->x[i] - r.data->t[i];
            loss[step] += off * off / n;
            slope += 2 * off * r.data->x[i] / n;
        }
        w -= 0.125 * slope;
    }
    r.use.every_step = true;
    train_free(r.train);
    r.train = train_new(&r.use);
    go(&r);
    /* TPUs multiply f32 as bf16 */
    double near = r.machine && machine_kind(r.machine) == MACHINE_TPU ? 0x1p-6 : 0x1p-20;
    for (unsigned step = 0; step < 6; step++)
        ck_assert_double_eq_tol(number_at(&r, step, "loss"), loss[step], near);
    c = state_of(&r);
    ck_assert_double_eq_tol(c->arrays[0].values[0], w, near);
    checkpoint_free(c);
    close_rig(&r);
}
END_TEST

/* The loss of an epoch is the mean over its samples, not over its steps. */
START_TEST(an_epoch_is_the_mean_of_its_samples)
{
    struct rig each, whole;
    open_rig(&each, line_net, machines[_i], 5, 3);
    each.use.every_step = true;
    start(&each);
    go(&each);
    open_rig(&whole, line_net, machines[_i], 5, 3);
    start(&whole);
    go(&whole);
    double mean = (2 * number_at(&each, 0, "loss") + 2 * number_at(&each, 1, "loss")
                   + number_at(&each, 2, "loss")) / 5;
    ck_assert_double_eq_tol(number_at(&whole, 0, "loss"), mean, 1e-12);
    ck_assert_double_eq(number_at(&whole, 0, "time_s"), number_at(&each, 2, "time_s"));
    close_rig(&each);
    close_rig(&whole);
}
END_TEST

/* Time and energy: each step costs what the timed run of its shape says. */
START_TEST(steps_cost_what_their_shape_costs)
{
    struct rig r;
    open_rig(&r, small_net, machines[1 + _i], 20, 7);       /* batches of 8, 8, 4 */
    start(&r);
    go(&r);
    json_t *shapes = trainer_shapes(r.use.trainers[0]);
    ck_assert_uint_eq(json_array_size(shapes), 2);
    double cost[2][2];
    for (int i = 0; i < 2; i++) {
        json_t *result = json_object_get(json_array_get(shapes, (size_t)i), "result");
        cost[i][0] = json_number_value(json_object_get(result, "time_s"));
        cost[i][1] = json_number_value(json_object_get(result, "energy_j"));
        ck_assert_double_gt(cost[i][0], 0);
    }
    size_t last = 2;
    ck_assert_double_eq_tol(number_at(&r, last, "time_s") / (5 * cost[0][0] + 2 * cost[1][0]), 1,
                            1e-12);
    ck_assert_double_eq_tol(number_at(&r, last, "energy_j") / (5 * cost[0][1] + 2 * cost[1][1]), 1,
                            1e-12);
    json_decref(shapes);
    close_rig(&r);
}
END_TEST

/* ---- the reference ---- */

/* Random classes cannot be learnt, but the loss follows the reference's within the formats. */
START_TEST(machines_follow_the_reference)
{
    struct rig r, reference;
    open_rig(&r, small_net, machines[1 + _i], 52, 21);
    start(&r);
    go(&r);
    open_rig(&reference, small_net, NULL, 52, 21);
    start(&reference);
    go(&reference);
    for (size_t i = 0; i < 3; i++)
        ck_assert_double_eq_tol(number_at(&r, i, "loss"), number_at(&reference, i, "loss"), 5e-3);
    ck_assert_double_lt(number_at(&r, 2, "loss"), number_at(&r, 0, "loss"));
    close_rig(&r);
    close_rig(&reference);
}
END_TEST

/* Classes 0, 1, 2 at three corners: all are right after a while. */
START_TEST(what_can_be_learnt_is_learnt)
{
    struct rig r;
    open_rig(&r, small_net, machines[_i], 30, 80);
    for (uint64_t i = 0; i < r.data->rows; i++) {
        r.data->t[i] = (double)(i % 3);
        for (uint32_t j = 0; j < 3; j++)
            r.data->x[4 * i + j] = (i % 3 == j) + 0.25 * r.data->x[4 * i + j];
    }
    start(&r);
    r.use.test = r.data;
    train_free(r.train);
    r.train = train_new(&r.use);
    go(&r);
    ck_assert_double_eq(number_at(&r, 19, "test_accuracy"), 1);
    ck_assert_double_lt(number_at(&r, 19, "test_loss"), 0.2);
    close_rig(&r);
}
END_TEST

/* ---- a break ---- */

static void assert_same_state(const struct rig *a, const struct rig *b)
{
    struct checkpoint *x = state_of(a), *y = state_of(b);
    ck_assert_uint_eq(x->array_count, y->array_count);
    for (uint32_t i = 0; i < x->array_count; i++) {
        ck_assert_str_eq(x->arrays[i].name, y->arrays[i].name);
        ck_assert_mem_eq(x->arrays[i].values, y->arrays[i].values,
                         x->arrays[i].count * sizeof(double));
    }
    checkpoint_free(x);
    checkpoint_free(y);
}

static void assert_same_result(const struct rig *a, const struct rig *b)
{
    json_t *x = train_result(a->train), *y = train_result(b->train);
    ck_assert(json_equal(x, y));
    json_decref(x);
    json_decref(y);
}

/* 20 samples in batches of 8: three steps an epoch.  Broken after `_i + 1` of seven steps. */
static void break_and_resume(const char *machine, uint64_t after, bool every_step)
{
    struct rig whole, first, second;
    char path[] = "/tmp/simaccel-test-XXXXXX";
    struct diag d = { .text = "" };
    close(mkstemp(path));
    open_rig(&whole, small_net, machine, 20, 7);
    whole.use.every_step = every_step;
    open_test(&whole);
    start(&whole);
    go(&whole);
    open_rig(&first, small_net, machine, 20, after);
    first.use.checkpoint = path;
    first.use.every_step = every_step;
    open_test(&first);
    start(&first);
    go(&first);
    close_rig(&first);
    open_rig(&second, small_net, machine, 20, 7);
    second.use.every_step = every_step;
    open_test(&second);
    start(&second);
    struct checkpoint *c = checkpoint_read(path, &d);
    ck_assert_msg(c && train_resume(second.train, c, &d), "%s", d.text);
    checkpoint_free(c);
    go(&second);
    assert_same_state(&whole, &second);
    assert_same_result(&whole, &second);
    unlink(path);
    close_rig(&whole);
    close_rig(&second);
}

START_TEST(a_resumed_run_is_the_unbroken_one)
{
    break_and_resume(machines[_i], 3, false);
    break_and_resume(machines[_i], 4, false);
    break_and_resume(machines[_i], 5, true);
}
END_TEST

static struct checkpoint *saved(struct rig *r, const char *path)
{
    struct diag d = { .text = "" };
    r->use.checkpoint = path;
    start(r);
    go(r);
    struct checkpoint *c = checkpoint_read(path, &d);
    ck_assert_msg(c != NULL, "%s", d.text);
    return c;
}

static void change_batch(struct rig *r) { r->use.batch = 4; }
static void change_seed(struct rig *r) { r->use.seed = 4; }
static void change_data(struct rig *r) { r->data->x[9] = 0.5; }
static void change_target(struct rig *r) { r->data->t[9] = r->data->t[9] > 0 ? 0 : 1; }
static void change_order(struct rig *r) { r->use.shuffles = false; }
static void change_rows(struct rig *r) { r->use.every_step = true; }
static void change_rate(struct rig *r) { r->net->attr[ATTR_LR] = 0.02; }
static void change_width(struct rig *r) { r->net->layers[0].units = 17; }
static void change_machine(struct rig *r)
{
    struct diag d = { .text = "" };
    ck_assert(machine_set(r->machine, "chip.clock_mhz=900", "--set", &d));
}

static void change_precision(struct rig *r) { r->options.lower.highest = true; }
static void change_cores(struct rig *r) { r->options.lower.cores = 1; }

static const struct { void (*change)(struct rig *r); const char *word; } others[] = {
    { change_batch, "batch" }, { change_seed, "seed" }, { change_data, "data" },
    { change_target, "data" }, { change_order, "order" }, { change_rows, "--every" },
    { change_rate, "network" }, { change_width, "network" }, { change_machine, "machine" },
    { change_precision, "options" }, { change_cores, "options" }, { open_test, "test set" },
};

START_TEST(a_checkpoint_of_another_run_is_refused)
{
    struct rig made, other;
    struct diag d = { .text = "" };
    char path[] = "/tmp/simaccel-test-XXXXXX";
    close(mkstemp(path));
    open_rig(&made, small_net, "tpu-mini", 20, 3);
    struct checkpoint *c = saved(&made, path);
    open_rig(&other, small_net, "tpu-mini", 20, 7);
    others[_i].change(&other);
    start(&other);
    ck_assert(!train_resume(other.train, c, &d));
    ck_assert_msg(strstr(d.text, others[_i].word) != NULL, "%s", d.text);
    checkpoint_free(c);
    unlink(path);
    close_rig(&made);
    close_rig(&other);
}
END_TEST

static void lose_step(json_t *head) { json_object_del(head, "step"); }
static void lose_sums(json_t *head) { json_object_del(head, "sums"); }
static void lose_rows(json_t *head) { json_object_del(head, "rows"); }
static void lose_identity(json_t *head) { json_object_del(head, "identity"); }
static void odd_step(json_t *head) { json_object_set_new(head, "step", json_integer(-4)); }
static void late_step(json_t *head) { json_object_set_new(head, "step", json_integer(8)); }
static void text_step(json_t *head) { json_object_set_new(head, "step", json_string("3")); }
static void odd_rows(json_t *head)
{
    json_array_append_new(json_object_get(head, "rows"), json_integer(1));
}

static json_t *first(json_t *head, const char *key)
{
    return json_array_get(json_object_get(head, key), 0);
}

static void no_sums(json_t *head) { json_array_set_new(json_object_get(head, "sums"), 0, json_null()); }
static void negative_time(json_t *head)
{
    json_object_set_new(first(head, "sums"), "time_s", json_real(-5));
}
static void more_right_than_judged(json_t *head)
{
    json_object_set_new(first(head, "sums"), "right", json_integer(100));
}
static void text_loss(json_t *head)
{
    json_object_set_new(first(head, "sums"), "loss", json_string("x"));
}
static void other_machine(json_t *head)
{
    json_object_set_new(first(head, "rows"), "machine", json_string("zzz"));
}
static void later_row(json_t *head)
{
    json_object_set_new(first(head, "rows"), "step", json_integer(99));
}
static void odd_accuracy(json_t *head)
{
    json_object_set_new(first(head, "rows"), "accuracy", json_integer(99));
}
static void odd_numerics(json_t *head) { json_object_set_new(head, "numerics", json_integer(5)); }
static void empty_numerics(json_t *head)
{
    json_array_append_new(json_object_get(head, "numerics"), json_object());
}

static void (*const losses[])(json_t *head) = {
    lose_step, lose_sums, lose_rows, lose_identity, odd_step, late_step, text_step, odd_rows,
    no_sums, negative_time, more_right_than_judged, text_loss, other_machine, later_row,
    odd_accuracy, odd_numerics, empty_numerics,
};

START_TEST(a_checkpoint_without_its_parts_is_refused)
{
    struct rig made, other;
    struct diag d = { .text = "" };
    char path[] = "/tmp/simaccel-test-XXXXXX";
    close(mkstemp(path));
    open_rig(&made, small_net, NULL, 20, 3);
    struct checkpoint *c = saved(&made, path);
    losses[_i](c->head);
    open_rig(&other, small_net, NULL, 20, 7);
    start(&other);
    ck_assert(!train_resume(other.train, c, &d));
    ck_assert_msg(strstr(d.text, "expected") != NULL, "%s", d.text);
    checkpoint_free(c);
    unlink(path);
    close_rig(&made);
    close_rig(&other);
}
END_TEST

/* ---- testing ---- */

/* Five samples in batches of 2, 2 and 1 are as far off as all five at once, before any step. */
START_TEST(a_test_is_the_mean_of_its_samples)
{
    static const uint64_t batches[] = { 2, 5 };
    struct trainer_step found[2];
    for (int i = 0; i < 2; i++) {
        struct rig r;
        struct diag d = { .text = "" };
        open_rig(&r, small_net, machines[_i], 5, 1);
        r.use.batch = batches[i];
        open_test(&r);
        start(&r);
        ck_assert_msg(trainer_test(r.use.trainers[0], r.test, &found[i], &d), "%s", d.text);
        close_rig(&r);
    }
    ck_assert_double_gt(found[0].loss, 0);
    ck_assert_double_eq_tol(found[0].loss, found[1].loss, 1e-6 * found[1].loss);
    ck_assert_uint_eq(found[0].right, found[1].right);
    ck_assert_uint_eq(found[0].judged, 5);
}
END_TEST

/* ---- how right is counted ---- */

static const char yes_net[] =
    "simaccel-net 1\nname yes\ninput 2\nbatch 4\ndense 1 sigmoid\n"
    "loss binary_cross_entropy\noptimizer sgd lr=0.01\nactivations f32\n";

/* As Keras: an output above one half that equals its target; so a target of 0.7 is never met. */
START_TEST(a_fractional_target_is_never_met)
{
    struct rig r;
    open_rig(&r, yes_net, machines[_i], 8, 2);
    start(&r);
    go(&r);
    ck_assert_double_eq(number_at(&r, 0, "accuracy"), 0);
    close_rig(&r);
    open_rig(&r, yes_net, machines[_i], 8, 2);
    for (int i = 0; i < 8; i++)
        r.data->t[i] = i % 2;
    start(&r);
    go(&r);
    double right = number_at(&r, 0, "accuracy");
    close_rig(&r);
    open_rig(&r, yes_net, machines[_i], 8, 2);      /* the other way round */
    for (int i = 0; i < 8; i++)
        r.data->t[i] = 1 - i % 2;
    start(&r);
    go(&r);
    ck_assert_double_eq_tol(number_at(&r, 0, "accuracy"), 1 - right, 0.26);
    close_rig(&r);
}
END_TEST

/* A rate that makes weights infinite: said, and no crash. */
START_TEST(a_run_that_diverges_goes_on)
{
    struct rig r;
    open_rig(&r, line_net, machines[_i], 5, 60);
    r.net->attr[ATTR_LR] = 1e30;
    start(&r);
    go(&r);
    json_t *row = row_at(&r, 19);
    ck_assert(json_is_null(json_object_get(row, "loss")));
    json_decref(row);
    close_rig(&r);
}
END_TEST

Suite *train_suite(void)
{
    Suite *s = suite_create("train");
    TCase *t = tcase_create("train");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_line_is_learnt_as_by_hand, 0, MACHINES);
    tcase_add_loop_test(t, an_epoch_is_the_mean_of_its_samples, 0, 2);
    tcase_add_loop_test(t, steps_cost_what_their_shape_costs, 0, MACHINES - 1);
    tcase_add_loop_test(t, machines_follow_the_reference, 0, MACHINES - 1);
    tcase_add_loop_test(t, what_can_be_learnt_is_learnt, 0, MACHINES);
    tcase_add_loop_test(t, a_resumed_run_is_the_unbroken_one, 0, MACHINES);
    tcase_add_loop_test(t, a_test_is_the_mean_of_its_samples, 0, MACHINES);
    tcase_add_loop_test(t, a_checkpoint_of_another_run_is_refused, 0, COUNT_OF(others));
    tcase_add_loop_test(t, a_checkpoint_without_its_parts_is_refused, 0, COUNT_OF(losses));
    tcase_add_loop_test(t, a_fractional_target_is_never_met, 0, MACHINES);
    tcase_add_loop_test(t, a_run_that_diverges_goes_on, 0, MACHINES);
    suite_add_tcase(s, t);
    return s;
}
