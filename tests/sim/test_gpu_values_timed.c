/* test_gpu_values_timed.c - whole traces on a whole chip, with values in its caches: the bytes
 * are those that launches leave without time, the times those of a run without values. */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/values.h"
#include "sim/figures.h"
#include "sim/gpu_run.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

struct chip {
    struct machine    *machine;
    struct trace      *trace;
    const struct figures *figures;
};

static const char *const machines[] = { "gpu-mini", "v100", "a100" };

/* Layers that end within a tile, products that are cut along K, and Keras's own. */
static const char *const nets[] = {
    "input 8\nbatch 32\ndense 10 relu\ndense 1 sigmoid\nloss binary_cross_entropy\n"
    "optimizer adam\nactivations f32\n",
    "input 300\nbatch 33\ndense 140 relu\ndense 10 softmax\nloss cross_entropy\n"
    "optimizer rmsprop\n",
    "input 64\nbatch 32\ndense 128 gelu\ndense 66 tanh\nloss mean_squared_error\n"
    "optimizer momentum\nactivations f16\n",
};

static void chip_new(struct chip *c, const char *machine, const char *net)
{
    char text[512];
    static const struct net_options training;
    struct diag d = { .text = "" };
    c->machine = machine_find(&figures_schema, machine, &d);
    ck_assert_msg(c->machine != NULL, "%s", d.text);
    c->figures = machine_figures(c->machine);
    snprintf(text, sizeof text, "simaccel-net 1\n%s", net);
    c->trace = net_expand_memory(text, strlen(text), &training, &d);
    ck_assert_msg(c->trace != NULL, "%s", d.text);
}

static void chip_free(struct chip *c)
{
    trace_free(c->trace);
    machine_free(c->machine);
}

static struct gpu_plan *plan_of(const struct chip *c, bool values)
{
    struct gpu_lower_options options = { 0 };
    struct diag d = { .text = "" };
    struct gpu_plan *p = gpu_lower(&c->figures->gpu, &c->figures->hbm, c->trace, &options,
                                   values, &d);
    ck_assert_msg(p != NULL, "%s", d.text);
    return p;
}

/* Numbers around 0; states that may be squares; classes 0 to 4. */
static void fill(const struct chip *c, struct gpu_plan *p)
{
    struct dice d = { 31 };
    struct gpu_values *v = gpu_values_new(&c->figures->gpu, &c->figures->hbm, c->trace, p);
    for (uint32_t i = 0; i < c->trace->tensor_count; i++) {
        const struct trace_tensor *x = &c->trace->tensors[i];
        uint64_t n = trace_elements(x);
        double *values = calloc(n, sizeof *values);
        for (uint64_t k = 0; k < n; k++) {
            double number = (double)roll(&d, 1u << 20) / (1u << 19) - 1;
            values[k] = x->type == TRACE_I32 ? (double)roll(&d, 5)
                      : x->role == ROLE_STATE || x->role == ROLE_TARGET
                      ? (number < 0 ? -number : number) : number;
        }
        if (trace_role_given(x->role))
            gpu_values_set(v, i, values);
        free(values);
    }
    gpu_values_free(v);
}

static struct gpu_run_output place_of(const struct chip *c, const struct gpu_plan *p, uint32_t i)
{
    return (struct gpu_run_output){ p->addresses[i], trace_elements(&c->trace->tensors[i])
                                                     * trace_type_bytes(p->types[i]) };
}

/* On the chip; every tensor comes back. */
static struct gpu_run_result run_timed(const struct chip *c, struct gpu_plan *p)
{
    struct gpu_run_output *outputs = calloc(c->trace->tensor_count + 1, sizeof *outputs);
    struct diag d = { .text = "" };
    struct gpu_run_result result;
    struct gpu_run run = {
        .chip = { .config = &c->figures->gpu, .hbm = &c->figures->hbm, .launches = p->launches,
                  .launch_count = p->launch_count, .groups = p->group_count,
                  .memory = p->memory, .values = gpu_memory_values(p->memory) },
        .outputs = outputs,
    };
    for (uint32_t i = 0; run.chip.values && i < c->trace->tensor_count; i++)
        if (p->addresses[i])
            outputs[run.output_count++] = place_of(c, p, i);
    ck_assert_msg(gpu_run(&run, &result, &d), "%s", d.text);
    free(outputs);
    return result;
}

static void same_bytes(const struct chip *c, const struct gpu_plan *a, const struct gpu_plan *b)
{
    for (uint32_t i = 0; i < c->trace->tensor_count; i++) {
        struct gpu_run_output o = place_of(c, a, i);
        ck_assert_uint_eq(b->addresses[i], a->addresses[i]);
        if (o.address)
            ck_assert_msg(!memcmp(gpu_memory_at(a->memory, o.address, o.bytes, NULL),
                                  gpu_memory_at(b->memory, o.address, o.bytes, NULL), o.bytes),
                          "%s", c->trace->tensors[i].name);
    }
}

START_TEST(a_timed_step_leaves_the_same_bytes)
{
    struct chip c;
    struct diag d = { .text = "" };
    chip_new(&c, machines[(size_t)_i % COUNT_OF(machines)], nets[(size_t)_i / COUNT_OF(machines)]);
    struct gpu_plan *timed = plan_of(&c, true), *plain = plan_of(&c, true);
    fill(&c, timed);
    fill(&c, plain);
    struct gpu_values *v = gpu_values_new(&c.figures->gpu, &c.figures->hbm, c.trace, plain);
    ck_assert_msg(gpu_values_step(v, 6, NULL, &d), "%s", d.text);
    gpu_plan_set_step(timed, 6);
    struct gpu_run_result r = run_timed(&c, timed);
    same_bytes(&c, plain, timed);
    gpu_run_free(&r);
    gpu_values_free(v);
    gpu_plan_free(timed);
    gpu_plan_free(plain);
    chip_free(&c);
}
END_TEST

START_TEST(values_move_no_cycle_and_no_count)
{
    struct chip c;
    chip_new(&c, machines[(size_t)_i % COUNT_OF(machines)], nets[(size_t)_i / COUNT_OF(machines)]);
    struct gpu_plan *with = plan_of(&c, true), *without = plan_of(&c, false);
    fill(&c, with);
    struct gpu_run_result a = run_timed(&c, with), b = run_timed(&c, without);
    ck_assert_uint_eq(a.end, b.end);
    ck_assert_uint_eq(a.read_bytes, b.read_bytes);
    ck_assert_uint_eq(a.written_bytes, b.written_bytes);
    ck_assert_mem_eq(&a.l2, &b.l2, sizeof a.l2);
    ck_assert_uint_eq(with->launch_count, without->launch_count);
    for (uint32_t i = 0; i < with->launch_count; i++) {
        ck_assert_uint_eq(a.launches[i].times.start, b.launches[i].times.start);
        ck_assert_uint_eq(a.launches[i].times.end, b.launches[i].times.end);
        ck_assert_mem_eq(&a.launches[i].sm, &b.launches[i].sm, sizeof a.launches[i].sm);
    }
    gpu_run_free(&a);
    gpu_run_free(&b);
    gpu_plan_free(with);
    gpu_plan_free(without);
    chip_free(&c);
}
END_TEST

Suite *gpu_values_timed_suite(void)
{
    Suite *s = suite_create("gpu_values_timed");
    TCase *t = tcase_create("traces");
    int cases = (int)(COUNT_OF(machines) * COUNT_OF(nets));
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_timed_step_leaves_the_same_bytes, 0, cases);
    tcase_add_loop_test(t, values_move_no_cycle_and_no_count, 0, cases);
    suite_add_tcase(s, t);
    return s;
}
