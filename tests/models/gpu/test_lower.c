/* test_lower.c - which launches a trace becomes, on what, and where its tensors lie. */
#include "models/gpu/lower.h"

#include <stdlib.h>
#include <string.h>

#include "tests/models/gpu/gpu_figures.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

/* One trace on one chip, lowered. */
struct lowered {
    struct gpu_config        config;
    struct hbm_config        hbm;
    struct gpu_lower_options options;
    struct trace            *trace;
    struct gpu_plan         *plan;
    struct diag              diag;
};

static struct lowered on_v100(void)
{
    return (struct lowered){ .config = gpu_v100(), .hbm = gpu_v100_hbm() };
}

static struct lowered on_a100(void)
{
    return (struct lowered){ .config = gpu_a100(), .hbm = gpu_a100_hbm() };
}

static void lower_trace(struct lowered *x, struct trace *t)
{
    x->trace = t;
    x->plan = gpu_lower(&x->config, &x->hbm, t, &x->options, false, &x->diag);
}

static void lower(struct lowered *x, const char *text)
{
    char whole[4096];
    snprintf(whole, sizeof whole, "simaccel-trace 1\nname t\n%s", text);
    struct trace *t = trace_read_memory(whole, strlen(whole), &x->diag);
    ck_assert_msg(t != NULL, "%u:%u: %s", x->diag.line, x->diag.column, x->diag.text);
    lower_trace(x, t);
}

static void drop(struct lowered *x)
{
    gpu_plan_free(x->plan);
    trace_free(x->trace);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *kernel_of(const struct lowered *x, uint32_t launch)
{
    ck_assert_uint_lt(launch, x->plan->launch_count);
    return x->plan->launches[launch].kernel->name;
}

static uint32_t launches_of(const struct gpu_plan *p, const char *kernel)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->launch_count; i++)
        n += begins(p->launches[i].kernel->name, kernel);
    return n;
}

static bool has_note(const struct gpu_plan *p, const char *words)
{
    for (uint32_t i = 0; i < p->note_count; i++)
        if (strstr(p->notes[i], words))
            return true;
    return false;
}

/* ---- groups ---- */

#define LAYER \
    "tensor x input f32 16x24\ntensor w weight f32 24x40\ntensor b weight f32 40\n" \
    "tensor p activation f32 16x40\ntensor z activation f32 16x40\ntensor h output f32 16x40\n"

static const struct { const char *ops, *names[4]; } fused[] = {
    { LAYER "forward matmul p = x w compute=f32\nforward bias z = p b\nforward relu h = z\n",
      { "p = matmul + bias + relu" } },
    /* Not in this order. */
    { LAYER "forward matmul p = x w compute=f32\nforward relu z = p\nforward bias h = z b\n",
      { "p = matmul + relu", "h = bias" } },
    /* A row's work needs the whole row. */
    { LAYER "forward matmul p = x w compute=f32\nforward bias z = p b\nforward softmax h = z\n",
      { "p = matmul + bias", "h = softmax" } },
    /* What somebody else wants must be stored. */
    { LAYER "forward matmul p = x w compute=f32\nforward bias z = p b\nforward multiply h = z p\n",
      { "p = matmul", "z = bias", "h = multiply" } },
    { LAYER "tensor y output f32 16x40\nforward matmul p = x w compute=f32\n"
      "forward relu z = p\nforward relu_grad h = p z\nforward add y = h h\n",
      { "p = matmul", "z = relu", "h = relu_grad", "y = add" } },
    /* So must a result, and what is not used at once. */
    { "tensor x input f32 16x24\ntensor w weight f32 24x40\ntensor p output f32 16x40\n"
      "tensor h output f32 16x40\nforward matmul p = x w compute=f32\nforward relu h = p\n",
      { "p = matmul", "h = relu" } },
    { LAYER "tensor y output f32 40\nforward matmul p = x w compute=f32\n"
      "forward scale y = b factor=2\nforward relu h = p\n",
      { "p = matmul", "y = scale", "h = relu" } },
    /* The gradient of relu is a mask on the product; twice is once too often. */
    { LAYER "tensor y input f32 16x40\nbackward matmul p = x w compute=f32\n"
      "backward relu_grad z = p y\nbackward relu_grad h = z y\n",
      { "p = matmul + relu_grad", "h = relu_grad" } },
    { LAYER "tensor y input f32 16x40\nbackward matmul p = x w compute=f32\n"
      "backward relu_grad h = y p\n", { "p = matmul", "h = relu_grad" } },
};

START_TEST(a_product_takes_what_follows_it_as_far_as_its_kernel_can)
{
    struct lowered x = on_v100();
    lower(&x, fused[_i].ops);
    ck_assert_msg(x.plan != NULL, "%s", x.diag.text);
    uint32_t n = 0;
    for (; n < 4 && fused[_i].names[n]; n++)
        ck_assert_str_eq(x.plan->groups[n].name, fused[_i].names[n]);
    ck_assert_uint_eq(x.plan->group_count, n);
    drop(&x);
}
END_TEST

START_TEST(what_stays_within_a_group_is_never_in_memory)
{
    struct lowered x = on_v100();
    lower(&x, fused[0].ops);
    ck_assert_uint_eq(x.plan->addresses[trace_find(x.trace, "p")], 0);
    ck_assert_uint_eq(x.plan->addresses[trace_find(x.trace, "z")], 0);
    ck_assert_uint_ne(x.plan->addresses[trace_find(x.trace, "h")], 0);
    drop(&x);
}
END_TEST

/* x and dy are bf16 as they are; w is used forward and backward, changed, and used again. */
static const char twice[] =
    "tensor x input bf16 16x24\ntensor w weight f32 24x40\ntensor y activation bf16 16x40\n"
    "tensor dx output bf16 16x24\ntensor dw gradient f32 24x40\ntensor z output bf16 16x40\n"
    "forward matmul y = x w compute=bf16\n"
    "backward matmul dw = x y transpose_a compute=bf16\n"
    "backward matmul dx = y w transpose_b compute=bf16\n"
    "update sgd w = w dw lr=0.1\n"
    "forward matmul z = x w compute=bf16\n";

START_TEST(weights_are_cast_once_until_they_change)
{
    static const char *const names[] = { "w.bf16 = cast", "y = matmul", "dw = matmul",
        "dx = matmul", "w = sgd", "w.bf16 = cast", "z = matmul" };
    struct lowered x = on_a100();
    lower(&x, twice);
    ck_assert_msg(x.plan != NULL, "%s", x.diag.text);
    ck_assert_uint_eq(x.plan->group_count, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        ck_assert_str_eq(x.plan->groups[i].name, names[i]);
    ck_assert_int_eq(x.plan->groups[0].phase, PHASE_FORWARD);
    ck_assert_uint_eq(x.plan->groups[0].op_count, 0);
    ck_assert(has_note(x.plan, "weights are cast from f32 to bf16"));
    ck_assert_uint_eq(launches_of(x.plan, "gemm_bf16"), 4);
    drop(&x);
}
END_TEST

START_TEST(volta_has_f16_for_bf16)
{
    struct lowered x = on_v100();
    lower(&x, twice);
    ck_assert_int_eq(x.plan->types[trace_find(x.trace, "x")], TRACE_F16);
    ck_assert_int_eq(x.plan->types[trace_find(x.trace, "w")], TRACE_F32);
    ck_assert_str_eq(x.plan->groups[0].name, "w.f16 = cast");
    ck_assert_uint_eq(launches_of(x.plan, "gemm_f16"), 4);
    ck_assert(has_note(x.plan, "bf16 is stored as f16"));
    drop(&x);
}
END_TEST

START_TEST(hopper_says_what_mma_cannot_reach)
{
    struct lowered x = on_a100();
    x.config.gpu.generation = GPU_SM_90;
    x.config.tensor.mma_k16_interval = 6.1;     /* 4 * 2048 / 6.1 = 1343 */
    x.config.tensor.peak_f16_macs = 2048;
    lower(&x, twice);
    ck_assert(has_note(x.plan, "wgmma not modelled: 66 % of tensor peak reachable"));
    drop(&x);
}
END_TEST

static uint32_t on_lanes(struct lowered *x, const char *text)
{
    lower(x, text);
    ck_assert_msg(x->plan != NULL, "%s", x->diag.text);
    uint32_t n = launches_of(x->plan, "sgemm");
    ck_assert_uint_eq(n + launches_of(x->plan, "gemm"), 4);
    drop(x);
    return n;
}

/* Three of the four products have w, stored f32, or dw; the second's operands are bf16. */
START_TEST(products_of_f32_go_to_the_lanes_when_asked)
{
    struct lowered tensor = on_a100(), exact = on_a100(), none = on_a100();
    exact.options.exact_f32 = true;
    none.config.kernels.tensor_cores = 0;
    ck_assert_uint_eq(on_lanes(&tensor, twice), 0);
    ck_assert_uint_eq(on_lanes(&exact, twice), 3);
    ck_assert_uint_eq(on_lanes(&none, twice), 4);
}
END_TEST

START_TEST(a_cut_product_is_one_group_of_two_launches)
{
    struct lowered x = on_v100();
    lower(&x, "tensor x input f32 16x8192\ntensor w weight f32 8192x40\ntensor y output f32 16x40\n"
              "forward matmul y = x w compute=f32\n");
    ck_assert_uint_eq(x.plan->launch_count, 2);
    ck_assert_uint_gt(x.plan->launches[0].grid[2], 1);
    ck_assert_str_eq(kernel_of(&x, 1), "split_sum");
    ck_assert_uint_eq(x.plan->launches[1].group, 0);
    drop(&x);
}
END_TEST

START_TEST(a_reshape_is_a_place_and_a_sum_over_one_replica_nothing)
{
    struct lowered x = on_v100();
    lower(&x, "tensor x input f32 16x24\ntensor g gradient f32 384\ntensor y output f32 8x48\n"
              "forward reshape g = x\ncommunicate all_reduce g = g\nforward reshape y = g\n");
    ck_assert_uint_eq(x.plan->group_count, 3);
    ck_assert_uint_eq(x.plan->launch_count, 0);
    ck_assert_uint_eq(x.plan->addresses[2], x.plan->addresses[0]);
    drop(&x);
}
END_TEST

/* v was what w is before the step: it must not change with w. */
START_TEST(a_reshape_of_what_changes_later_is_a_copy)
{
    struct lowered x = on_v100();
    lower(&x, "tensor w weight f32 6x8\ntensor v output f32 48\ntensor u output f32 48\n"
              "tensor g input f32 6x8\nforward reshape v = w\nupdate sgd w = w g lr=0.1\n"
              "forward reshape u = w\n");
    ck_assert_uint_eq(x.plan->launch_count, 2);
    ck_assert_uint_ne(x.plan->addresses[1], x.plan->addresses[0]);
    ck_assert_uint_eq(x.plan->addresses[2], x.plan->addresses[0]);
    drop(&x);
}
END_TEST

START_TEST(a_plan_prints_a_line_a_launch)
{
    struct lowered x = on_a100();
    char *text;
    size_t size, lines = 0;
    lower(&x, twice);
    FILE *out = open_memstream(&text, &size);
    gpu_plan_print(x.plan, &x.config, out);
    fclose(out);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        lines += line[0] != '#';
    ck_assert_uint_eq(lines, x.plan->launch_count);
    for (uint32_t i = 0; i < x.plan->launch_count; i++)
        ck_assert(strstr(text, kernel_of(&x, i)) != NULL);
    ck_assert(strstr(text, "dw = matmul") != NULL);
    free(text);
    drop(&x);
}
END_TEST

/* ---- refusals ---- */

static const struct { const char *text, *words; unsigned line; } refused[] = {
    /* 3 * 2^30 * 4 bytes = 12 GiB, twice. */
    { "tensor x input f32 3221225472\ntensor y output f32 3221225472\nforward relu y = x\n",
      "25769803776 bytes of memory; expected at most 17179869184", 0 },
    /* A row for each thread block along y: 2^22 / 32. */
    { "tensor x input f16 4194304x1\ntensor y output f16 1x4194304\nforward transpose y = x\n",
      "transpose y: takes a grid of 1 x 131072 x 1 blocks", 5 },
    { "tensor x input f16 70000x1x1\ntensor y output f32 70000x1x1\n"
      "forward matmul y = x x compute=f16\n", "matmul y: takes a grid of 1 x 1 x 70000", 5 },
    /* The tensors fit, with their copies they do not. */
    { "tensor x input f32 55000x55000\ntensor y output f16 55000x1\ntensor w input f32 55000x1\n"
      "forward matmul y = x w compute=f16\n", "with x.f16 the trace takes 18150330368 bytes", 0 },
};

START_TEST(what_does_not_fit_is_refused_with_what_would)
{
    struct lowered x = on_v100();
    lower(&x, refused[_i].text);
    ck_assert_ptr_null(x.plan);
    ck_assert_msg(strstr(x.diag.text, refused[_i].words) != NULL, "%s", x.diag.text);
    ck_assert_uint_eq(x.diag.line, refused[_i].line);
    drop(&x);
}
END_TEST

/* Few registers: kernels whose addresses would go through memory are passed over, until there
 * is none. */
START_TEST(kernels_that_find_too_few_registers_are_not_taken)
{
    static const struct { const char *text, *words; uint32_t registers; } few[] = {
        { twice, NULL, 128 },
        { twice, "found no register; expected more than 24 registers a thread", 24 },
    };
    struct lowered x = on_a100();
    x.config.sm.max_registers = few[_i].registers;
    lower(&x, few[_i].text);
    ck_assert_msg(!few[_i].words == !!x.plan, "%s", x.diag.text);
    ck_assert_msg(strstr(x.diag.text, few[_i].words ? few[_i].words : "") != NULL, "%s",
                  x.diag.text);
    for (uint32_t i = 0; x.plan && i < x.plan->kernel_count; i++)
        ck_assert(x.plan->kernels[i]->oblivious);
    drop(&x);
}
END_TEST

START_TEST(more_groups_than_a_launch_can_name_are_refused)
{
    struct lowered x = on_v100();
    struct trace *t = trace_new("many");
    uint64_t shape[] = { 8, 8 };
    for (uint32_t i = 0; i < 65001; i++) {
        struct trace_op op = { .kind = TRACE_RESHAPE, .ins = 1, .outs = 1 };
        op.in[0] = i == 0 ? hostile_tensor(t, ROLE_INPUT, TRACE_F32, 2, shape) : i;
        op.out[0] = hostile_tensor(t, ROLE_ACTIVATION, TRACE_F32, 2, shape);
        ck_assert(trace_add_op(t, &op, NULL, &x.diag));
    }
    lower_trace(&x, t);
    ck_assert_ptr_null(x.plan);
    ck_assert_msg(strstr(x.diag.text, "more than 65000 groups") != NULL, "%s", x.diag.text);
    drop(&x);
}
END_TEST

/* ---- any trace ---- */

static void check_groups(const struct lowered *x, const char *what)
{
    const struct gpu_plan *p = x->plan;
    uint64_t flops = 0, macs = 0, expected = 0;
    uint32_t op = 0;
    for (uint32_t g = 0; g < p->group_count; g++) {
        flops += p->groups[g].flops;
        macs += p->groups[g].macs;
        for (uint32_t i = 0; i < p->groups[g].op_count; i++)
            ck_assert_msg(p->groups[g].ops[i] == op++, "%s: %s", what, p->groups[g].name);
    }
    for (uint32_t i = 0; i < x->trace->op_count; i++)
        if (x->trace->ops[i].kind == TRACE_MATMUL)
            expected += op_flops(x->trace, &x->trace->ops[i]) / 2;
    ck_assert_msg(op == x->trace->op_count && flops == x->trace->flops && macs == expected,
                  "%s", what);
}

static uint64_t word_at(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static bool is_parameter(const struct gpu_launch *l, uint64_t address)
{
    for (uint32_t i = 0; i < l->kernel->param_count; i++)
        if (l->kernel->params[i].bytes == 8
            && word_at(l->params + l->kernel->params[i].offset, 8) == address)
            return true;
    return false;
}

static bool used_by(const struct gpu_plan *p, uint32_t group, uint64_t address)
{
    for (uint32_t i = 0; i < p->launch_count; i++)
        if (p->launches[i].group == group && is_parameter(&p->launches[i], address))
            return true;
    return false;
}

/* Every operand is some parameter of the group's launches; of a product it may be a copy. */
static void check_operands(const struct lowered *x, uint32_t g, const struct trace_op *op,
                           const char *what)
{
    const struct gpu_plan *p = x->plan;
    uint32_t operands[TRACE_INS + TRACE_OUTS], n = 0;
    bool matmul = op->kind == TRACE_MATMUL, optimizer = op_rows[op->kind].class == OP_OPTIMIZER;
    for (uint32_t i = matmul ? 2 : 0; i < op->ins; i++)
        operands[n++] = op->in[i];
    for (uint32_t i = optimizer ? op->outs : 0; i < op->outs; i++)
        operands[n++] = op->out[i];
    for (uint32_t i = 0; i < n; i++) {
        uint64_t address = p->addresses[operands[i]];
        ck_assert_msg(address == 0 || used_by(p, g, address), "%s: %s in %s", what,
                      x->trace->tensors[operands[i]].name, p->groups[g].name);
    }
}

static bool launches_nothing(const struct lowered *x, const struct trace_op *op)
{
    return op->kind == TRACE_ALL_REDUCE || (op->kind == TRACE_RESHAPE
        && x->plan->addresses[op->in[0]] == x->plan->addresses[op->out[0]]);
}

static void check_launches(const struct lowered *x, const char *what)
{
    const struct gpu_plan *p = x->plan;
    for (uint32_t i = 0; i < p->launch_count; i++) {
        struct gpu_occupancy o;
        struct diag d = { .text = "" };
        ck_assert_msg(gpu_occupancy(&x->config, &p->launches[i], &o, &d), "%s: %s: %s", what,
                      p->launches[i].kernel->name, d.text);
        ck_assert_msg(i == 0 || p->launches[i - 1].group <= p->launches[i].group, "%s", what);
        ck_assert_msg(p->launches[i].kernel->oblivious, "%s: %s: %s", what,
                      p->launches[i].kernel->name, p->launches[i].kernel->why_not);
    }
    for (uint32_t g = 0; g < p->group_count; g++)
        for (uint32_t i = 0; i < p->groups[g].op_count; i++) {
            const struct trace_op *op = &x->trace->ops[p->groups[g].ops[i]];
            if (!launches_nothing(x, op))
                check_operands(x, g, op, what);
        }
}

static uint64_t bytes_of(const struct lowered *x, uint32_t tensor)
{
    return trace_elements(&x->trace->tensors[tensor])
         * trace_type_bytes(x->plan->types[tensor]);
}

static void check_places(const struct lowered *x, const char *what)
{
    const struct gpu_plan *p = x->plan;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < x->trace->tensor_count; i++) {
        uint64_t at = p->addresses[i];
        if (at == 0)
            continue;
        bool shared = false;
        ck_assert_msg(gpu_memory_has(p->memory, at, bytes_of(x, i), NULL), "%s: %s", what,
                      x->trace->tensors[i].name);
        for (uint32_t j = 0; j < i; j++) {
            uint64_t other = p->addresses[j];
            shared = shared || other == at;
            ck_assert_msg(other == 0 || other == at || at + bytes_of(x, i) <= other
                          || other + bytes_of(x, j) <= at, "%s: %s and %s", what,
                          x->trace->tensors[i].name, x->trace->tensors[j].name);
        }
        sum += shared ? 0 : bytes_of(x, i);
    }
    ck_assert_msg(sum <= gpu_memory_bytes(p->memory), "%s", what);
}

static void check_all(struct lowered *x, const char *what)
{
    if (x->plan) {
        check_groups(x, what);
        check_launches(x, what);
        check_places(x, what);
    }
    ck_assert_msg(x->plan || x->diag.text[0], "%s", what);
    drop(x);
}

static struct lowered some_chip(struct dice *d)
{
    struct lowered x = roll(d, 2) ? on_v100() : on_a100();
    if (roll(d, 4) == 0)
        x.config.kernels.tensor_cores = 0;
    if (roll(d, 4) == 0)
        x.config.kernels.split_k = 0;
    if (roll(d, 2))
        x.config.kernels.optimizer = 1;
    if (roll(d, 4) == 0)
        x.config.sm.count = 1 + (uint32_t)roll(d, 200);
    x.options.exact_f32 = roll(d, 4) == 0;
    return x;
}

START_TEST(every_op_of_any_trace_is_launched_once_on_its_own_operands)
{
    struct dice d = { (uint64_t)_i + 17 };
    char what[32];
    snprintf(what, sizeof what, "seed %d", _i);
    struct lowered x = some_chip(&d);
    lower_trace(&x, _i % 2 ? hostile_net(&d) : hostile_chain(&d));
    ck_assert_msg(x.plan != NULL, "%s: %s", what, x.diag.text);
    check_all(&x, what);
}
END_TEST

static const char *const workloads[] = {
    "mlp", "keras", "digits", "iris", "ffn", "wide", "deep", "paradnn-128x4-b32",
    "paradnn-8192x8-b2048",
};

START_TEST(every_workload_becomes_launches)
{
    char path[128];
    snprintf(path, sizeof path, "workloads/%s.trace", workloads[_i]);
    struct lowered x = _i % 2 ? on_v100() : on_a100();
    struct trace *t = trace_load(path, NULL, &x.diag);
    ck_assert_msg(t != NULL, "%s: %s", path, x.diag.text);
    lower_trace(&x, t);
    ck_assert_msg(x.plan != NULL, "%s: %s", path, x.diag.text);
    check_all(&x, path);
}
END_TEST

Suite *gpu_lower_suite(void)
{
    Suite *s = suite_create("gpu_lower");
    TCase *t = tcase_create("groups");
    tcase_add_loop_test(t, a_product_takes_what_follows_it_as_far_as_its_kernel_can, 0,
                        COUNT_OF(fused));
    tcase_add_test(t, what_stays_within_a_group_is_never_in_memory);
    tcase_add_test(t, weights_are_cast_once_until_they_change);
    tcase_add_test(t, volta_has_f16_for_bf16);
    tcase_add_test(t, hopper_says_what_mma_cannot_reach);
    tcase_add_test(t, products_of_f32_go_to_the_lanes_when_asked);
    tcase_add_test(t, a_cut_product_is_one_group_of_two_launches);
    tcase_add_test(t, a_reshape_is_a_place_and_a_sum_over_one_replica_nothing);
    tcase_add_test(t, a_reshape_of_what_changes_later_is_a_copy);
    tcase_add_test(t, a_plan_prints_a_line_a_launch);
    suite_add_tcase(s, t);
    t = tcase_create("refusals");
    tcase_add_loop_test(t, what_does_not_fit_is_refused_with_what_would, 0, COUNT_OF(refused));
    tcase_add_loop_test(t, kernels_that_find_too_few_registers_are_not_taken, 0, 2);
    tcase_add_test(t, more_groups_than_a_launch_can_name_are_refused);
    suite_add_tcase(s, t);
    t = tcase_create("any");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_op_of_any_trace_is_launched_once_on_its_own_operands, 0, 50);
    tcase_add_loop_test(t, every_workload_becomes_launches, 0, COUNT_OF(workloads));
    suite_add_tcase(s, t);
    return s;
}
