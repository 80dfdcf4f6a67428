/* test_cpu_roof.c - a CPU's roofline, worked out by hand. */
#include "sim/cpu_roof.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/compare_rig.h"
#include "tests/suites.h"

/* 100 GFLOP/s and 10 GB/s: ten operations a byte is where they meet. */
static const char file[] =
    "name: toy\nkind: cpu\ndescription: \"toy\"\nroof:\n"
    "  cores: {value: 4, source: a test}\n  peak_gflops: {value: 100, source: a test}\n"
    "  memory_gb_per_s: {value: 10, source: a test}\n  tdp_w: {value: 50, source: a test}\n";

static uint32_t matrix(struct trace *t, const char *name, enum trace_role role, uint64_t rows,
                       uint64_t cols)
{
    return trace_tensor(t, name, role, TRACE_F32, 2, (const uint64_t[]){ rows, cols });
}

static void add_matmul(struct trace *t, enum trace_phase phase, uint32_t y, uint32_t a, uint32_t b)
{
    struct diag d = { .text = "" };
    struct trace_op op = { .kind = TRACE_MATMUL, .phase = phase, .out = { y }, .in = { a, b },
                           .outs = 1, .ins = 2, .compute = TRACE_F32 };
    ck_assert_msg(trace_add_op(t, &op, NULL, &d), "%s", d.text);
}

/* 200 x 200 x 200: 16e6 FLOP and 480e3 bytes: 160 us of work, 48 us of bytes.
 * 200 x 200 by 200 x 1: 80e3 FLOP, 161.6e3 bytes: 0.8 us of work, 16.16 us of bytes. */
START_TEST(an_op_takes_the_longer_of_its_two_times)
{
    struct diag d = { .text = "" };
    struct machine *m = machine_read_text(&cpu_schema, file, strlen(file), "toy.yaml", &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    struct trace *t = trace_new("t");
    uint32_t a = matrix(t, "a", ROLE_INPUT, 200, 200), b = matrix(t, "b", ROLE_WEIGHT, 200, 200);
    uint32_t v = matrix(t, "v", ROLE_CONSTANT, 200, 1);
    add_matmul(t, PHASE_FORWARD, matrix(t, "y", ROLE_OUTPUT, 200, 200), a, b);
    add_matmul(t, PHASE_UPDATE, matrix(t, "z", ROLE_OUTPUT, 200, 1), a, v);
    json_t *o = cpu_roof_json(m, t);
    const json_t *phases = json_object_get(o, "phases");
    const json_t *forward = json_array_get(phases, 0), *update = json_array_get(phases, 1);
    ck_assert_uint_eq(json_array_size(phases), 2);
    ck_assert_str_eq(text_of(forward, "name"), "forward");
    ck_assert_double_eq_tol(number(forward, "time_s"), 160e-6, 1e-15);
    ck_assert_double_eq(number(forward, "memory_s"), 0);
    ck_assert_double_eq_tol(number(update, "time_s"), 16.16e-6, 1e-15);
    ck_assert_double_eq_tol(number(update, "memory_s"), 16.16e-6, 1e-15);
    ck_assert_double_eq_tol(number(o, "time_s"), 176.16e-6, 1e-15);
    ck_assert_double_eq_tol(number(o, "energy_j"), 176.16e-6 * 50, 1e-13);
    json_decref(o);
    trace_free(t);
    machine_free(m);
}
END_TEST

START_TEST(the_file_of_a_cpu_reads)
{
    struct diag d = { .text = "" };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    struct machine *m = machine_find(&cpu_schema, "e5-2699v3", &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    ck_assert_int_eq(machine_kind(m), MACHINE_CPU);
    machine_free(m);
}
END_TEST

Suite *cpu_roof_suite(void)
{
    Suite *s = suite_create("cpu_roof");
    TCase *t = tcase_create("roof");
    tcase_add_test(t, an_op_takes_the_longer_of_its_two_times);
    tcase_add_test(t, the_file_of_a_cpu_reads);
    suite_add_tcase(s, t);
    return s;
}
