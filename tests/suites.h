/* suites.h - every Check suite, one a module; tests/main.c runs them all.
 * A line here and a function `Suite *NAME_suite(void)` in tests/.../test_NAME.c. */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

#define SUITES(X) \
    X(diag) X(trace) X(ops) X(round) X(initial) X(data) X(learn) X(reference) X(reference_twin) X(gradient) X(bound) X(expand) X(net_change) X(param) X(machine) X(figures) X(output) X(checkpoint) X(options) X(sha256) X(cpus) X(sweep_axis) X(sweep_store) \
    X(report) X(report_table) X(plot) X(validate) X(measured) X(gpu_curve) X(kernel_args) X(gpu_result) X(kernel_plan) \
    X(bf16) X(exact) X(functions) X(mxu) X(mxu_twin) \
    X(block) X(link) X(record) X(over_time) X(timeline) X(engine) X(engine_ends) X(value_check) X(pool) X(isolate) X(sweep) X(compare) X(compare_change) X(compare_equal) X(compare_timeline) X(cpu_roof) X(crossover) X(diff) X(explain) X(explain_numbers) \
    X(array_run) X(step) X(sm_cycles) \
    X(ports) X(board) X(dma) X(units) X(recipe) X(lower) X(tpu_values) X(tpu_values_bits) X(tpu_values_cores) X(tpu_values_toggles) X(ledger) X(gemm) X(run) X(value_run) X(train) X(result) \
    X(hbm_map) X(hbm_rules) X(hbm) X(hbm_block) X(hbm_together) X(hbm_peers) X(front) X(l2) X(l2_values) X(gpu_chip) X(gpu_threads) \
    X(vcd) X(ptx) X(ptx_forms) X(ptx_refusals) \
    X(execute_integer) X(execute_bits) X(execute_float) X(execute_convert) X(execute_compare) \
    X(execute_lanes) X(execute_memory) X(tensor) X(wmma) X(memory) X(warp) X(interpret) X(ptx_values) \
    X(compile) X(compile_graph) X(compile_meet) X(compile_schedule) X(compile_same) X(launch) X(sm) X(sm_memory) X(sm_same) X(gpu_choose) X(gpu_lower) X(gpu_lower_values) X(gpu_values) X(interpret_lanes) X(gpu_watch) X(gpu_values_timed) \
    X(kernels) X(kernels_gemm) X(kernels_ops) X(kernels_sums)

#define DECLARE(name) Suite *name##_suite(void);
SUITES(DECLARE)
#undef DECLARE

#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

#endif
