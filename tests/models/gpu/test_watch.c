/* test_watch.c - bits that change where the interpreter is watched, counted by hand.
 *
 *     1 = 3f800000, 7 bits     2 = 40000000, 1 bit     3 = 40400000     10 = 41200000 */
#include <stdlib.h>
#include <string.h>

#include "models/gpu/values.h"
#include "tests/models/gpu/interpret_rig.h"
#include "tests/sim/hostile.h"
#include "tests/suites.h"

static struct gpu_watch watch_run(struct interpret_rig *r, uint32_t blocks, uint32_t threads)
{
    struct gpu_watch w = { .buffers = 0 };
    uint32_t grid[3] = { blocks, 1, 1 }, block[3] = { threads, 1, 1 };
    memcpy(r->launch.grid, grid, sizeof grid);
    memcpy(r->launch.block, block, sizeof block);
    ck_assert_msg(gpu_interpret_watched(&r->config, &r->launch, r->memory, 0, &w, &r->result,
                                        &r->diag), "%s", r->diag.text);
    return w;
}

static struct interpret_rig *rig_with(enum gpu_generation g, const char *text,
                                      const uint32_t *words, uint32_t count)
{
    struct interpret_rig *r = interpret_rig_new(g, text);
    uint64_t p = gpu_memory_add(r->memory, "p", 4 * count);
    memcpy(interpret_rig_at(r, p), words, 4 * count);
    interpret_rig_u64(r, 0, p);
    return r;
}

#define BEGIN ".visible .entry k(.param .u64 pp)\n{\n.reg .b32 %r<12>; .reg .f32 %f<20>;\n" \
              ".reg .b64 %rd<4>; .reg .pred %p<4>;\nld.param.u64 %rd1, [pp];\n"

/* 1 + 2, then 3 * 3 + 1, then 10 * 2: against what the operand before was,
 *
 *     1: 7    2: 1                    3 ^ 1 = 7fc00000: 9    3 ^ 2: 1    1: 7
 *     10 ^ 3 = 01600000: 3    2 ^ 3: 1
 *
 * A maximum is neither an adder's nor a multiplier's, nor are whole numbers. */
START_TEST(operands_of_lanes_are_compared_with_those_before)
{
    static const uint32_t words[] = { 0x3f800000, 0x40000000 };
    struct interpret_rig *r = rig_with(GPU_SM_80, BEGIN
        "ld.global.v2.f32 {%f1, %f2}, [%rd1];\n"
        "add.f32 %f3, %f1, %f2;\nmax.f32 %f4, %f3, %f3;\nfma.rn.f32 %f5, %f4, %f4, %f1;\n"
        "mul.f32 %f6, %f5, %f2;\nmov.b32 %r1, %f6; add.s32 %r1, %r1, 77;\n"
        "st.global.u32 [%rd1], %r1;\nret;\n}\n", words, 2);
    enum { THREADS = 20 };
    struct gpu_watch w = watch_run(r, 1, THREADS);
    ck_assert_uint_eq(w.lanes.bits, (2 + 3 + 2) * 32 * THREADS);
    ck_assert_uint_eq(w.lanes.changed, (7 + 1 + 9 + 1 + 7 + 3 + 1) * THREADS);
    ck_assert_uint_eq(w.matrix.bits, 0);
    interpret_rig_free(r);
}
END_TEST

/* Each warp of each block begins with zeros; a lane that does not take part keeps what it had.
 * 1 + 1 by all: 14 bits.  2 + 2 by the 22 above lane 9: 1 ^ 2 = 7f800000, twice 8.  1 + 1 by
 * all: these back again, the others' operands are what they were. */
START_TEST(lanes_and_warps_have_operands_of_their_own)
{
    static const uint32_t words[] = { 0x3f800000, 0x40000000, 0, 0 };
    struct interpret_rig *r = rig_with(GPU_SM_70, BEGIN
        "ld.global.v2.f32 {%f1, %f2}, [%rd1];\nmov.u32 %r1, %tid.x; and.b32 %r1, %r1, 31;\n"
        "setp.gt.u32 %p1, %r1, 9;\nadd.f32 %f3, %f1, %f1;\nst.volatile.global.f32 [%rd1+8], %f3;\n"
        "@%p1 add.f32 %f4, %f2, %f2;\n@%p1 st.volatile.global.f32 [%rd1+8], %f4;\n"
        "membar.gl;\nadd.f32 %f5, %f1, %f1;\nst.volatile.global.f32 [%rd1+12], %f5;\nret;\n}\n",
        words, 4);
    struct gpu_watch w = watch_run(r, 3, 64);
    uint64_t warps = 3 * 2;
    ck_assert_uint_eq(w.lanes.bits, warps * (32 + 22 + 32) * 2 * 32);
    ck_assert_uint_eq(w.lanes.changed, warps * (32 * 14 + 22 * 16 + 22 * 16));
    interpret_rig_free(r);
}
END_TEST

/* b is zeros, then ones: 8 bits of a word (3c003c00) of four of a, then of two of b, in 32
 * lanes.  a stands there already when the second begins, and is not moved again. */
START_TEST(operands_of_tensor_cores_are_registers)
{
    static const uint32_t words[8] = { 0x3c003c00, 0 };
    struct interpret_rig *r = rig_with(GPU_SM_80, BEGIN
        "ld.global.v2.u32 {%r1, %r2}, [%rd1]; mov.f32 %f0, 0f00000000;\n"
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4},\n"
        "    {%r1, %r1, %r1, %r1}, {%r2, %r2}, {%f0, %f0, %f0, %f0};\n"
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f5, %f6, %f7, %f8},\n"
        "    {%r1, %r1, %r1, %r1}, {%r1, %r1}, {%f1, %f2, %f3, %f4};\n"
        "st.global.v4.f32 [%rd1+16], {%f5, %f6, %f7, %f8};\nret;\n}\n", words, 8);
    struct gpu_watch w = watch_run(r, 2, 32);
    ck_assert_uint_eq(w.matrix.bits, 2 * (6 + 2) * 32 * 32);
    ck_assert_uint_eq(w.matrix.changed, 2 * (4 + 2) * 8 * 32);
    ck_assert_uint_eq(w.lanes.bits, 0);
    ck_assert_float_eq(*(float *)interpret_rig_at(r, GPU_MEMORY_BASE + 16), 16);
    interpret_rig_free(r);
}
END_TEST

/* ---- groups of a plan */

struct plan {
    struct gpu_config  config;
    struct hbm_config  hbm;
    struct trace      *trace;
    struct gpu_plan   *plan;
    struct gpu_values *values;
};

static void plan_new(struct plan *p, struct trace *t, bool a100)
{
    struct gpu_lower_options options = { 0 };
    struct diag d = { .text = "" };
    p->config = a100 ? gpu_a100() : gpu_v100();
    p->hbm = a100 ? gpu_a100_hbm() : gpu_v100_hbm();
    p->hbm.channel_bits = 128;
    p->hbm.pseudo_channels = 2;
    p->trace = t;
    p->plan = gpu_lower(&p->config, &p->hbm, t, &options, true, &d);
    ck_assert_msg(p->plan != NULL, "%s", d.text);
    p->values = gpu_values_new(&p->config, &p->hbm, t, p->plan);
}

static void plan_free(struct plan *p)
{
    gpu_values_free(p->values);
    gpu_plan_free(p->plan);
    trace_free(p->trace);
}

static void give(struct plan *p, uint32_t tensor, struct dice *d)
{
    uint64_t n = trace_elements(&p->trace->tensors[tensor]);
    double *values = calloc(n, sizeof *values);
    for (uint64_t i = 0; d && i < n; i++)
        values[i] = (double)roll(d, 1u << 20) / (1u << 19) - 1;
    gpu_values_set(p->values, tensor, values);
    free(values);
}

/* Bit by bit, 64 of them a beat. */
static uint64_t changes(const struct plan *p, uint32_t tensor)
{
    uint64_t bytes = trace_elements(&p->trace->tensors[tensor])
                   * trace_type_bytes(p->plan->types[tensor]), sum = 0;
    const uint8_t *at = gpu_memory_at(p->plan->memory, p->plan->addresses[tensor], bytes, NULL);
    for (uint64_t i = 0; i < bytes; i++)
        for (int bit = 0; bit < 8; bit++)
            sum += (at[i] >> bit & 1) != (i < 8 ? 0 : at[i - 8] >> bit & 1);
    return sum;
}

static void step(struct plan *p, struct toggles *t)
{
    struct diag d = { .text = "" };
    ck_assert_msg(gpu_values_step(p->values, 0, t, &d), "%s", d.text);
}

/* What is read and what is written, each once. */
START_TEST(a_group_moves_its_tensors_over_the_bus)
{
    struct trace *t = trace_new("add");
    uint64_t shape[] = { 3, 1001 };
    uint32_t a = trace_tensor(t, "a", ROLE_INPUT, TRACE_F32, 2, shape);
    uint32_t b = trace_tensor(t, "b", ROLE_INPUT, TRACE_F16, 2, shape);
    uint32_t y = trace_tensor(t, "y", ROLE_OUTPUT, TRACE_F32, 2, shape);
    struct trace_op op = { .kind = TRACE_ADD, .ins = 2, .outs = 1, .in = { a, b }, .out = { y } };
    struct diag d = { .text = "" };
    struct dice dice = { 3 };
    struct plan p;
    struct toggles c = { 0 };
    ck_assert(trace_add_op(t, &op, NULL, &d));
    plan_new(&p, t, _i);
    step(&p, &c);
    ck_assert_uint_eq(c.of[TOGGLES_HBM].bits, 3 * 1001 * (4 + 2 + 4) * 8);
    ck_assert_uint_eq(c.of[TOGGLES_HBM].changed, 0);
    ck_assert_uint_eq(c.of[TOGGLES_LANES].changed, 0);
    give(&p, a, &dice);
    give(&p, b, &dice);
    step(&p, &c);
    ck_assert_uint_eq(c.of[TOGGLES_HBM].bits, 2 * 3 * 1001 * (4 + 2 + 4) * 8);
    ck_assert_uint_eq(c.of[TOGGLES_HBM].changed, changes(&p, a) + changes(&p, b) + changes(&p, y));
    plan_free(&p);
}
END_TEST

/* Of random numbers signs and fractions change half their bits, exponents fewer.  mma has 6
 * registers for 2048 multiply-accumulates, wmma on Volta 16 for 4096; a part of them stays. */
START_TEST(products_of_zeros_change_nothing)
{
    struct trace *t = trace_new("product");
    uint64_t shape[] = { 128, 128 };
    uint32_t a = trace_tensor(t, "a", ROLE_INPUT, TRACE_F16, 2, shape);
    uint32_t b = trace_tensor(t, "b", ROLE_WEIGHT, TRACE_F16, 2, shape);
    uint32_t y = trace_tensor(t, "y", ROLE_OUTPUT, TRACE_F16, 2, shape);
    struct trace_op op = { .kind = TRACE_MATMUL, .ins = 2, .outs = 1, .in = { a, b },
                           .out = { y }, .compute = TRACE_F16 };
    struct diag d = { .text = "" };
    struct dice dice = { 4 };
    struct plan p;
    struct toggles zeros = { 0 }, random = { 0 };
    ck_assert(trace_add_op(t, &op, NULL, &d));
    plan_new(&p, t, _i);
    ck_assert_uint_eq(p.plan->group_count, 1);
    step(&p, &zeros);
    give(&p, a, &dice);
    give(&p, b, &dice);
    step(&p, &random);
    struct toggles_count of = random.of[TOGGLES_MATRIX];
    uint64_t macs = 128 * 128 * 128;
    uint64_t most = _i ? macs / 2048 * 6 * 1024 : macs / 4096 * 16 * 1024;
    ck_assert(of.bits > most / 4 && of.bits < most);
    ck_assert_uint_eq(zeros.of[TOGGLES_MATRIX].bits, of.bits);
    ck_assert_uint_eq(zeros.of[TOGGLES_MATRIX].changed, 0);
    ck_assert_uint_eq(zeros.of[TOGGLES_HBM].changed, 0);
    double share = (double)of.changed / (double)of.bits;
    ck_assert_msg(share > 0.35 && share < 0.5, "%g", share);
    plan_free(&p);
}
END_TEST

START_TEST(watching_changes_no_bit)
{
    static const char text[] = "simaccel-net 1\ninput 20\nbatch 9\ndense 33 relu\ndense 5 softmax\n"
                               "loss cross_entropy one_hot\noptimizer adam\n";
    struct diag d = { .text = "" };
    static const struct net_options training;
    struct plan p[2];
    for (int i = 0; i < 2; i++) {
        struct dice dice = { 5 };
        plan_new(&p[i], net_expand_memory(text, strlen(text), &training, &d), _i);
        for (uint32_t k = 0; k < p[i].trace->tensor_count; k++)
            if (trace_role_given(p[i].trace->tensors[k].role)
                && p[i].trace->tensors[k].role != ROLE_STATE)
                give(&p[i], k, &dice);
        struct toggles *t = i ? calloc(p[i].plan->group_count, sizeof *t) : NULL;
        step(&p[i], t);
        for (uint32_t g = 0; t && g < p[i].plan->group_count; g++)
            ck_assert(t[g].of[TOGGLES_HBM].bits > 0 || p[i].plan->groups[g].flops == 0);
        free(t);
    }
    for (uint32_t k = 0; k < p[0].trace->tensor_count; k++)
        if (p[0].plan->addresses[k])
            ck_assert_uint_eq(changes(&p[0], k), changes(&p[1], k));
    plan_free(&p[0]);
    plan_free(&p[1]);
}
END_TEST

static const uint32_t beats[] = { 1, 2, 3, 4, 6, 8, 12, 16, 32 };

/* A bus of so many bytes against a loop over bits. */
START_TEST(a_bus_is_compared_beat_by_beat)
{
    struct dice d = { (uint64_t)_i };
    uint32_t beat = beats[_i], bytes = 1 + (uint32_t)roll(&d, 300);
    uint8_t x[301];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        x[i] = (uint8_t)roll(&d, 256);
        for (int bit = 0; bit < 8; bit++)
            sum += (x[i] >> bit & 1) != (i < beat ? 0 : x[i - beat] >> bit & 1);
    }
    struct toggles_count c = toggles_bus(x, bytes, beat);
    ck_assert_uint_eq(c.bits, 8 * bytes);
    ck_assert_uint_eq(c.changed, sum);
}
END_TEST

Suite *gpu_watch_suite(void)
{
    Suite *s = suite_create("gpu_watch");
    TCase *t = tcase_create("operands");
    tcase_add_test(t, operands_of_lanes_are_compared_with_those_before);
    tcase_add_test(t, lanes_and_warps_have_operands_of_their_own);
    tcase_add_test(t, operands_of_tensor_cores_are_registers);
    suite_add_tcase(s, t);
    t = tcase_create("groups");
    tcase_add_loop_test(t, a_group_moves_its_tensors_over_the_bus, 0, 2);
    tcase_add_loop_test(t, products_of_zeros_change_nothing, 0, 2);
    tcase_add_loop_test(t, watching_changes_no_bit, 0, 2);
    tcase_add_loop_test(t, a_bus_is_compared_beat_by_beat, 0, COUNT_OF(beats));
    suite_add_tcase(s, t);
    return s;
}
