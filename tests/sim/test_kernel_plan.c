/* test_kernel_plan.c - a user's kernel: from PTX or CUDA C to values, times and faults. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cuda.h"
#include "sim/experiment.h"
#include "sim/figures.h"
#include "sim/kernel_plan.h"
#include "tests/suites.h"

/* y = a x + y for i < n, and the number of a block's threads into a variable of the module. */
static const char ptx[] =
    ".version 6.3\n.target sm_70\n.address_size 64\n"
    ".global .align 4 .u32 step = 3;\n"
    ".visible .entry saxpy(.param .f32 a, .param .u64 x, .param .u64 y, .param .u32 n)\n"
    "{\n"
    "  .reg .pred %p; .reg .b32 %r<6>; .reg .f32 %f<5>; .reg .b64 %d<6>;\n"
    "  mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x;\n"
    "  mad.lo.s32 %r4, %r1, %r2, %r3;\n"
    "  ld.param.u32 %r5, [n]; setp.ge.u32 %p, %r4, %r5; @%p bra DONE;\n"
    "  ld.param.f32 %f1, [a]; ld.param.u64 %d1, [x]; ld.param.u64 %d2, [y];\n"
    "  mul.wide.u32 %d3, %r4, 4; add.s64 %d4, %d1, %d3; add.s64 %d5, %d2, %d3;\n"
    "  ld.global.f32 %f2, [%d4]; ld.global.f32 %f3, [%d5];\n"
    "  fma.rn.f32 %f4, %f1, %f2, %f3; st.global.f32 [%d5], %f4;\n"
    "DONE: ret;\n"
    "}\n"
    ".visible .entry next(.param .u64 y)\n"
    "{\n"
    "  .reg .b32 %r<3>; .reg .b64 %d<2>;\n"
    "  ld.global.u32 %r1, [step]; add.u32 %r2, %r1, 1; st.global.u32 [step], %r2;\n"
    "  ld.param.u64 %d1, [y]; st.global.u32 [%d1], %r2; ret;\n"
    "}\n"
    ".visible .entry forever(.param .u64 x)\n"
    "{\n"
    "  .reg .pred %p; .reg .b32 %r; .reg .b64 %d;\n"
    "  ld.param.u64 %d, [x];\n"
    "AGAIN: ld.volatile.global.u32 %r, [%d]; setp.eq.u32 %p, %r, 0;\n"
    "  @%p bra AGAIN; ret;\n"
    "}\n";

static char path[] = "/tmp/simaccel-kernel-XXXXXX.ptx";

static void write_text(char *name, int suffix, const char *text)
{
    int file = mkstemps(name, suffix);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

static void setup(void)
{
    strcpy(path, "/tmp/simaccel-kernel-XXXXXX.ptx");
    write_text(path, 4, ptx);
}

static void teardown(void)
{
    unlink(path);
}

static struct machine *mini(void)
{
    struct diag d = { .text = "" };
    setenv("SIMACCEL_MACHINES", "models/machines", 0);
    struct machine *m = machine_find(&figures_schema, "gpu-mini", &d);
    ck_assert_msg(m != NULL, "%s", d.text);
    return m;
}

struct wanted { uint64_t address, bytes; };

static void write_wanted(const struct gpu_plan *plan, void *arg, FILE *out)
{
    const struct wanted *w = arg;
    fwrite(gpu_memory_at(plan->memory, w->address, w->bytes, NULL), 1, w->bytes, out);
}

static struct kernel_call call_of(const char *entry, uint32_t grid, uint32_t block,
                                  const char *args)
{
    struct diag d = { .text = "" };
    struct kernel_call c = { .path = path, .entry = entry, .grid = { grid, 1, 1 },
                             .block = { block, 1, 1 }, .seed = 1, .values = true };
    ck_assert_msg(kernel_args_parse(&c.args, args, &d), "%s", d.text);
    return c;
}

/* Runs it; what argument `wanted` holds then goes to `rest`. */
static json_t *run(struct kernel_call *c, uint32_t wanted, struct experiment_rest *rest,
                   double limit_ms, struct diag *d, int *status)
{
    uint64_t addresses[KERNEL_ARGS_MOST];
    struct machine *m = mini();
    struct gpu_plan *p = kernel_plan(c, &((const struct figures *)machine_figures(m))->gpu,
                                     addresses, d);
    json_t *o = NULL;
    *status = 2;
    if (p) {
        struct wanted w = { addresses[wanted], c->args.arg[wanted].buffer_bytes };
        struct experiment e = { .machine = m, .plan = p, .limit_ms = limit_ms,
                                .after = gpu_memory_values(p->memory) ? write_wanted : NULL,
                                .after_arg = &w };
        o = experiment_run_rest(&e, rest, d, status);
    }
    gpu_plan_free(p);
    machine_free(m);
    kernel_args_free(&c->args);
    return o;
}

/* x[i] = i / 4, y[i] = 1 - i: exact in f32. */
START_TEST(a_kernel_leaves_what_it_computes)
{
    enum { N = 1000 };
    static float x[N], y[N];
    char at_x[] = "/tmp/simaccel-x-XXXXXX", at_y[] = "/tmp/simaccel-y-XXXXXX", args[256];
    for (int i = 0; i < N; i++) {
        x[i] = (float)i / 4;
        y[i] = 1 - (float)i;
    }
    char *names[] = { at_x, at_y };
    const void *bytes[] = { x, y };
    for (int i = 0; i < 2; i++) {
        int file = mkstemp(names[i]);
        ck_assert_int_eq(write(file, bytes[i], sizeof x), (ssize_t)sizeof x);
        close(file);
    }
    snprintf(args, sizeof args, "f32:8,buf:x=1000xf32:file=%s,buf:y=1000xf32:file=%s,u32:997",
             at_x, at_y);
    struct kernel_call c = call_of("saxpy", 8, 128, args);
    struct experiment_rest rest;
    struct diag d = { .text = "" };
    int status;
    json_t *o = run(&c, 2, &rest, 0, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    ck_assert_uint_eq(rest.size, sizeof y);
    const float *got = (const float *)(void *)rest.bytes;
    for (int i = 0; i < N; i++)
        ck_assert_float_eq(got[i], i < 997 ? 2 * (float)i + 1 - (float)i : 1 - (float)i);
    const json_t *l = json_array_get(json_object_get(o, "launches"), 0);
    /* 997 threads of 32 warps add and multiply. */
    ck_assert_double_eq(json_number_value(json_object_get(o, "flops")), 2 * 997);
    ck_assert_double_eq(json_number_value(json_object_get(l, "splits")), 1);
    ck_assert_str_eq(json_string_value(json_object_get(o, "trace")), "saxpy");
    json_decref(o);
    free(rest.bytes);
    unlink(at_x);
    unlink(at_y);
}
END_TEST

START_TEST(values_do_not_change_the_time)
{
    double seconds[2];
    for (int values = 0; values < 2; values++) {
        struct kernel_call c = call_of("saxpy", 5, 96, "f32:8,buf:x=4096,buf:y=4096,u32:450");
        struct experiment_rest rest;
        struct diag d = { .text = "" };
        int status;
        c.values = values;
        json_t *o = run(&c, 2, &rest, 0, &d, &status);
        ck_assert_msg(o != NULL, "%s", d.text);
        ck_assert_uint_eq(rest.size, values ? 4096 : 0);
        seconds[values] = json_number_value(json_object_get(o, "time_s"));
        json_decref(o);
        free(rest.bytes);
    }
    ck_assert_double_eq(seconds[0], seconds[1]);
}
END_TEST

START_TEST(a_modules_variables_are_there)
{
    struct kernel_call c = call_of("next", 1, 1, "buf:y=4");
    struct experiment_rest rest;
    struct diag d = { .text = "" };
    int status;
    uint32_t got;
    json_t *o = run(&c, 0, &rest, 0, &d, &status);
    ck_assert_msg(o != NULL, "%s", d.text);
    memcpy(&got, rest.bytes, sizeof got);
    ck_assert_uint_eq(got, 4);
    json_decref(o);
    free(rest.bytes);
}
END_TEST

static const struct { const char *entry; uint32_t grid, block; const char *args; int status;
                      const char *words; } wrong[] = {
    { "saxpy", 1, 64, "f32:1,buf:x=4,buf:y=512,u32:64", 1, "saxpy: block (0, 0, 0), warp" },
    { "forever", 1, 32, "buf:x=4", 1, "no end after 0.02 ms" },
    { "forever", 1, 32, "buf:x=4", 1, "forever: block (0, 0, 0), warp 0 runs" },
    { "saxpi", 1, 32, "buf:x=4", 2, "did you mean" },
    { "saxpy", 1, 2048, "f32:1,buf:x=4,buf:y=512,u32:64", 2, "expected 1 to 1024" },
    { "saxpy", 1, 32, "f32:1", 2, "saxpy has 4 parameters; expected f32, u64, u64, u32" },
};

START_TEST(what_is_wrong_is_said)
{
    struct kernel_call c = call_of(wrong[_i].entry, wrong[_i].grid, wrong[_i].block,
                                   wrong[_i].args);
    struct experiment_rest rest;
    struct diag d = { .text = "" };
    int status;
    ck_assert_ptr_null(run(&c, 0, &rest, 0.02, &d, &status));
    ck_assert_msg(strstr(d.text, wrong[_i].words) != NULL, "%s", d.text);
    ck_assert_int_eq(status, wrong[_i].status);
}
END_TEST

/* ---- CUDA C ---- */

static bool has_clang(void)
{
    return system("command -v clang-19 > /dev/null 2>&1") == 0;
}

/* CUDA C through clang; the bytes of its buffers, which the caller frees. */
static char *run_cuda(const char *source, struct kernel_call c)
{
    char name[] = "/tmp/simaccel-kernel-XXXXXX.cu";
    write_text(name, 3, source);
    struct experiment_rest rest;
    struct diag d = { .text = "" };
    int status;
    c.path = name;
    json_t *o = run(&c, 0, &rest, 0, &d, &status);
    unlink(name);
    ck_assert_msg(o != NULL, "%s", d.text);
    json_decref(o);
    return rest.bytes;
}

START_TEST(cuda_c_goes_through_clang)
{
    static const char source[] =
        "__global__ void twice(float *y) {\n"
        "    __shared__ float s[64];\n"
        "    s[threadIdx.x] = y[threadIdx.x];\n"
        "    __syncthreads();\n"
        "    y[threadIdx.x] = s[threadIdx.x ^ 1] + blockDim.x;\n"
        "}\n";
    if (!has_clang())
        return;
    char *bytes = run_cuda(source, call_of("twice", 1, 64, "buf:y=64xf32:random"));
    const float *y = (const float *)(void *)bytes;
    for (int i = 0; i < 64; i++)
        ck_assert(y[i] >= 63 && y[i] < 65);
    free(bytes);
}
END_TEST

/* Blocks count themselves in a variable, and look up a table and a constant. */
START_TEST(cuda_c_has_device_and_constant_variables)
{
    static const char source[] =
        "__device__ int table[4] = { 10, 20, 30, 40 };\n"
        "__device__ unsigned counted[2];\n"
        "__constant__ int scale[2] = { 3, 5 };\n"
        "__global__ void look(int *y) {\n"
        "    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;\n"
        "    if (threadIdx.x == 0)\n"
        "        atomicAdd(&counted[1], 1u);\n"
        "    y[i] = table[i % 4] * scale[i % 2];\n"
        "    __syncthreads();\n"
        "    if (i == 0)\n"
        "        y[0] = counted[1] > 0 ? table[3] : -1;\n"
        "}\n";
    if (!has_clang())
        return;
    char *bytes = run_cuda(source, call_of("look", 2, 64, "buf:y=128xs32"));
    const int32_t *y = (const int32_t *)(void *)bytes;
    ck_assert_int_eq(y[0], 40);
    for (int i = 1; i < 128; i++)
        ck_assert_int_eq(y[i], 10 * (i % 4 + 1) * (i % 2 ? 5 : 3));
    free(bytes);
}
END_TEST

START_TEST(what_clang_finds_wrong_is_said_with_its_place)
{
    if (!has_clang())
        return;
    char name[] = "/tmp/simaccel-kernel-XXXXXX.cu";
    struct diag d = { .text = "" };
    write_text(name, 3, "__global__ void f(float *y) {\n    y[0] = none;\n}\n");
    ck_assert_ptr_null(cuda_compile(name, GPU_SM_70, &d));
    unlink(name);
    ck_assert_str_eq(d.file, name);
    ck_assert_uint_eq(d.line, 2);
    ck_assert_uint_eq(d.column, 12);
    ck_assert_ptr_nonnull(strstr(d.text, "undeclared identifier 'none'"));
}
END_TEST

START_TEST(without_clang_the_message_says_what_is_needed)
{
    char name[] = "/tmp/simaccel-kernel-XXXXXX.cu";
    struct diag d = { .text = "" };
    write_text(name, 3, "\n");
    char *before = strdup(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    ck_assert_ptr_null(cuda_compile(name, GPU_SM_70, &d));
    setenv("PATH", before, 1);
    free(before);
    unlink(name);
    ck_assert_ptr_nonnull(strstr(d.text, "CUDA C needs clang-19"));
    memset(&d, 0, sizeof d);
    ck_assert_ptr_null(cuda_compile("/nonexistent/k.cu", GPU_SM_70, &d));
    ck_assert_ptr_nonnull(strstr(d.text, "No such file"));
}
END_TEST

Suite *kernel_plan_suite(void)
{
    Suite *s = suite_create("kernel_plan");
    TCase *t = tcase_create("run");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_kernel_leaves_what_it_computes);
    tcase_add_test(t, values_do_not_change_the_time);
    tcase_add_test(t, a_modules_variables_are_there);
    tcase_add_loop_test(t, what_is_wrong_is_said, 0, COUNT_OF(wrong));
    suite_add_tcase(s, t);
    t = tcase_create("cuda");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, cuda_c_goes_through_clang);
    tcase_add_test(t, cuda_c_has_device_and_constant_variables);
    tcase_add_test(t, what_clang_finds_wrong_is_said_with_its_place);
    tcase_add_test(t, without_clang_the_message_says_what_is_needed);
    suite_add_tcase(s, t);
    return s;
}
