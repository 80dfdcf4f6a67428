/* test_kernels_ops.c - every kernel that multiplies no matrices against its formula in double
 * precision: types, lengths that fill no vector or block, rows and columns of awkward numbers.
 */
#include <math.h>

#include "tests/models/gpu/kernels_rig.h"
#include "tests/suites.h"

/* An approximate function may be off by some units of f32, a stored half by half of one. */
static void near(const char *what, uint64_t i, uint32_t element, float got, double want)
{
    if (!isfinite(want) || !isfinite(got)) {        /* of a division by 0 */
        ck_assert(isnan(want) ? isnan(got) : (double)got == want);
        return;
    }
    double unit = element == GPU_ELEMENT_F32 ? 1e-6 : element == GPU_ELEMENT_F16 ? 6e-4 : 5e-3;
    if (!(fabs((double)got - want) <= unit * fabs(want) + 2e-6))
        ck_abort_msg("%s: element %llu is %.9g, not %.9g", what, (unsigned long long)i,
                     (double)got, want);
}

static uint32_t blocks(uint64_t count, uint32_t each) { return (uint32_t)((count + each - 1) / each); }

static const struct gpu_simple_kernel *kernel(const char *name)
{
    const struct gpu_simple_kernel *k = gpu_simple_kernel(name);
    ck_assert_msg(k, "%s is not in the catalogue", name);
    return k;
}

/* ---- element by element ---- */

static double logistic(double x) { return 1 / (1 + exp(-x)); }
static double gelu_t(double x) { return tanh(x * (0.7978846 + 0.035677408 * x * x)); }
static double gelu_slope(double x)
{
    double t = gelu_t(x);
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (0.7978846 + 3 * 0.035677408 * x * x);
}

#define S 0.375
#define EPSILON 0.0625

static double clamped(double p) { return fmin(fmax(p, EPSILON), 1 - EPSILON); }

#define FORMULAS(X) \
    X(add, 2, a + b) X(subtract, 2, a - b) X(multiply, 2, a * b) X(scale, 1, S * a) \
    X(relu, 1, a > 0 ? a : 0) X(relu_grad, 2, b > 0 ? a : 0) \
    X(sigmoid, 1, logistic(a)) X(sigmoid_grad, 2, a * b * (1 - b)) \
    X(tanh, 1, tanh(a)) X(tanh_grad, 2, a * (1 - b * b)) \
    X(gelu, 1, 0.5 * a * (1 + gelu_t(a))) X(gelu_grad, 2, a * gelu_slope(b)) \
    X(sigmoid_cross_entropy_grad, 2, (logistic(a) - b) * S) \
    X(binary_cross_entropy_grad, 2, \
      (clamped(a) - b) / (clamped(a) * (1 - clamped(a))) * S) \
    X(mean_squared_error_grad, 2, (a - b) * S) \
    X(add_number, 1, a + S) X(add_scaled, 2, a + S * b) X(lerp, 2, a + S * (b - a)) \
    X(addcmul, 3, a + S * b * c) X(addcdiv, 3, a + S * (b / c)) X(divide, 2, a / b)

#define FUNCTION(name, inputs, formula) \
    static double name##_of(double a, double b, double c) \
    { \
        (void)b; \
        (void)c; \
        return formula; \
    }
FORMULAS(FUNCTION)
#undef FUNCTION

static const struct { const char *name; double (*of)(double, double, double); } formulas[] = {
#define ROW(name, inputs, formula) { #name, name##_of },
    FORMULAS(ROW)
#undef ROW
};

struct variant { const char *ending; uint32_t y, a, b, c; };

static const struct variant variants[] = {
    { "f32",  GPU_ELEMENT_F32,  GPU_ELEMENT_F32,  GPU_ELEMENT_F32,  GPU_ELEMENT_F32 },
    { "f16",  GPU_ELEMENT_F16,  GPU_ELEMENT_F16,  GPU_ELEMENT_F16,  GPU_ELEMENT_F16 },
    { "bf16", GPU_ELEMENT_BF16, GPU_ELEMENT_BF16, GPU_ELEMENT_BF16, GPU_ELEMENT_BF16 },
    { "any",  GPU_ELEMENT_BF16, GPU_ELEMENT_F16,  GPU_ELEMENT_F32,  GPU_ELEMENT_F16 },
    { "any",  GPU_ELEMENT_F32,  GPU_ELEMENT_BF16, GPU_ELEMENT_F16,  GPU_ELEMENT_F32 },
};

static void try_formula(const char *base, double (*of)(double, double, double),
                        const struct variant *v, uint64_t n, enum gpu_generation g)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s", base, v->ending);
    const struct gpu_simple_kernel *k = gpu_simple_kernel(name);
    if (!k || (v->y == GPU_ELEMENT_BF16 && v->a == v->y && g == GPU_SM_70))
        return;
    struct gpu_config c = rig_config(g);
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t state = n + 7;
    struct rig_buffer a = rig_random_buffer(m, "a", n, v->a, &state);
    struct rig_buffer b = rig_random_buffer(m, "b", n, v->b, &state);
    struct rig_buffer d = rig_random_buffer(m, "c", n, v->c, &state);
    struct rig_buffer y = rig_buffer(m, "y", n, v->y);
    rig_run(&c, m, name, (struct rig_grid){ blocks(n, k->per_block), 1, 1 }, k->threads, 0,
            (uint64_t[]){ y.address, a.address, b.address, d.address, n, rig_f32(S),
                          rig_f32(EPSILON), v->y | v->a << 4 | v->b << 8 | v->c << 12 }, 8);
    for (uint64_t i = 0; i < n; i++)
        near(name, i, v->y, rig_at(&y, i), of(rig_at(&a, i), rig_at(&b, i), rig_at(&d, i)));
    gpu_memory_free(m);
}

START_TEST(each_element_is_what_its_formula_says)
{
    static const uint64_t lengths[] = { 1, 7, 1024, 2049, 4101 };
    for (size_t v = 0; v < COUNT_OF(variants); v++)
        for (size_t n = 0; n < COUNT_OF(lengths); n++)
            for (enum gpu_generation g = GPU_SM_70; g <= GPU_SM_80; g++)
                try_formula(formulas[_i].name, formulas[_i].of, &variants[v], lengths[n], g);
}
END_TEST

/* A function over all of f32: from -infinity to infinity, past where exp overflows. */
START_TEST(functions_hold_over_the_whole_range)
{
    static const char *const names[] = { "sigmoid_f32", "tanh_f32", "gelu_f32", "sqrt_f32" };
    static const float awkward[] = {
        0, -0.0f, 1e-40f, -1e-40f, 1e-20f, 1e-5f, -1e-5f, 0.5499f, 0.5501f, -0.55f, 1, -1, 5,
        -5, 9.01f, 17, -17, 43, 88.6f, -88.6f, 90, -90, 104, -104, 1e30f, -1e30f, INFINITY,
        -INFINITY };
    struct gpu_config c = rig_config(GPU_SM_70);
    for (size_t f = 0; f < COUNT_OF(names); f++) {
        struct gpu_memory *m = gpu_memory_new(true);
        uint64_t n = COUNT_OF(awkward);
        struct rig_buffer a = rig_buffer(m, "a", n, GPU_ELEMENT_F32);
        struct rig_buffer y = rig_buffer(m, "y", n, GPU_ELEMENT_F32);
        memcpy(a.bytes, awkward, sizeof awkward);
        rig_run(&c, m, names[f], (struct rig_grid){ 1, 1, 1 }, 256, 0,
                (uint64_t[]){ y.address, a.address, 0, 0, n, 0, 0, 0 }, 8);
        for (uint64_t i = 0; i < n; i++) {
            double x = awkward[i], want = f == 0 ? logistic(x) : f == 1 ? tanh(x)
                        : f == 2 ? (x < -90 ? 0 : 0.5 * x * (1 + gelu_t(x))) : sqrt(x);
            float got = rig_at(&y, i);
            bool same = isnan(want) || (f == 2 && x == -INFINITY) ? isnan(got) != 0
                      : isinf(want) ? got == (float)want
                      : fabs((double)got - want) <= 3e-6 * fabs(want) + 1e-7;
            ck_assert_msg(same, "%s of %g is %g, not %g", names[f], x, (double)got, want);
        }
        gpu_memory_free(m);
    }
}
END_TEST

START_TEST(a_cast_rounds_to_nearest_even)
{
    static const uint32_t kinds[] = { GPU_ELEMENT_F32, GPU_ELEMENT_F16, GPU_ELEMENT_BF16 };
    struct gpu_config c = rig_config(_i / 9 ? GPU_SM_80 : GPU_SM_70);
    uint32_t from = kinds[_i % 3], to = kinds[_i / 3 % 3];
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t n = 1031, state = 5;
    struct rig_buffer a = rig_buffer(m, "a", n, from), y = rig_buffer(m, "y", n, to);
    for (uint64_t i = 0; i < n; i++)
        rig_put(a.bytes + i * rig_bytes(from), from,
                (float)((double)rig_random(&state) / 0x1p31 * (i % 2 ? 300 : -3)));
    rig_run(&c, m, "cast_any", (struct rig_grid){ 2, 1, 1 }, 256, 0,
            (uint64_t[]){ y.address, a.address, 0, 0, n, 0, 0, to | from << 4 }, 8);
    for (uint64_t i = 0; i < n; i++)
        ck_assert(rig_at(&y, i) == rig_rounded(to, rig_at(&a, i)));
    gpu_memory_free(m);
}
END_TEST

START_TEST(a_bias_is_added_by_column)
{
    static const struct { uint32_t rows, columns; } shapes[] = { { 1, 1 }, { 7, 129 }, { 5, 2056 } };
    for (size_t v = 0; v < COUNT_OF(variants); v++) {
        const struct variant *t = &variants[v];
        char name[64];
        snprintf(name, sizeof name, "bias_%s", t->ending);
        uint32_t rows = shapes[_i].rows, columns = shapes[_i].columns;
        struct gpu_config c = rig_config(GPU_SM_80);
        struct gpu_memory *m = gpu_memory_new(true);
        uint64_t n = (uint64_t)rows * columns, state = 3;
        struct rig_buffer x = rig_random_buffer(m, "x", n, t->a, &state);
        struct rig_buffer b = rig_random_buffer(m, "b", columns, t->b, &state);
        struct rig_buffer y = rig_buffer(m, "y", n, t->y);
        rig_run(&c, m, name, (struct rig_grid){ blocks(columns, kernel(name)->per_block), 3, 1 },
                256, 0, (uint64_t[]){ y.address, x.address, b.address, rows, columns,
                                      t->y | t->a << 4 | t->b << 8 }, 6);
        for (uint64_t i = 0; i < n; i++)
            ck_assert(rig_at(&y, i)
                      == rig_rounded(t->y, rig_at(&x, i) + rig_at(&b, i % columns)));
        gpu_memory_free(m);
    }
}
END_TEST

/* ---- optimizers ---- */

#define LR 0.25
#define P  0.875
#define Q  0.75
#define R  0.125

static void sgd_of(double x[4]) { x[0] -= LR * x[3]; }
static void momentum_of(double x[4])
{
    x[1] = P * x[1] + x[3];
    x[0] -= LR * x[1];
}
static void rmsprop_of(double x[4])
{
    x[1] = P * x[1] + Q * x[3] * x[3];
    x[0] -= LR * x[3] / sqrt(x[1] + R);
}
static void adam_of(double x[4])
{
    x[1] = P * x[1] + (1 - P) * x[3];
    x[2] = Q * x[2] + (1 - Q) * x[3] * x[3];
    x[0] -= LR * x[1] / (sqrt(x[2]) + R);
}

static const struct { const char *name; void (*of)(double *); } optimizers[] = {
    { "sgd", sgd_of }, { "momentum", momentum_of }, { "rmsprop", rmsprop_of }, { "adam", adam_of },
};

static void try_optimizer(const char *base, void (*of)(double *), const uint32_t element[4],
                          const char *ending, uint64_t n)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s", base, ending);
    struct gpu_config c = rig_config(GPU_SM_70);
    struct gpu_memory *m = gpu_memory_new(true);
    struct rig_buffer x[4];
    uint64_t state = n;
    double (*want)[4] = calloc(n, sizeof *want);
    for (int o = 0; o < 4; o++) {
        x[o] = rig_random_buffer(m, "operand", n, element[o], &state);
        for (uint64_t i = 0; i < n; i++) {
            float value = o == 1 || o == 2 ? fabsf(rig_at(&x[o], i)) : rig_at(&x[o], i);
            rig_put(x[o].bytes + i * rig_bytes(element[o]), element[o], value);
            want[i][o] = value;
        }
    }
    rig_run(&c, m, name, (struct rig_grid){ blocks(n, kernel(name)->per_block), 1, 1 }, 256, 0,
            (uint64_t[]){ x[0].address, x[1].address, x[2].address, x[3].address, n, rig_f32(LR),
                          rig_f32(P), rig_f32(Q), rig_f32(R),
                          element[0] | element[1] << 4 | element[2] << 8 | element[3] << 12 }, 10);
    for (uint64_t i = 0; i < n; i++) {
        of(want[i]);
        for (int o = 0; o < 4; o++)
            near(name, i, element[o], rig_at(&x[o], i), want[i][o]);
    }
    free(want);
    gpu_memory_free(m);
}

START_TEST(an_optimizer_changes_weights_and_state)
{
    static const uint32_t f32[4] = { GPU_ELEMENT_F32, GPU_ELEMENT_F32, GPU_ELEMENT_F32,
                                     GPU_ELEMENT_F32 };
    static const uint32_t any[4] = { GPU_ELEMENT_F32, GPU_ELEMENT_F32, GPU_ELEMENT_F32,
                                     GPU_ELEMENT_BF16 };
    try_optimizer(optimizers[_i].name, optimizers[_i].of, f32, "f32", 1027);
    try_optimizer(optimizers[_i].name, optimizers[_i].of, f32, "f32", 3);
    try_optimizer(optimizers[_i].name, optimizers[_i].of, any, "any", 1027);
}
END_TEST

/* ---- layout ---- */

START_TEST(a_transposed_matrix_has_rows_for_columns)
{
    for (uint32_t size = 2; size <= 4; size += 2) {
        uint32_t element = size == 2 ? GPU_ELEMENT_F16 : GPU_ELEMENT_F32, rows = 37, columns = 65;
        struct gpu_config c = rig_config(GPU_SM_70);
        struct gpu_memory *m = gpu_memory_new(true);
        uint64_t each = (uint64_t)rows * columns, state = size;
        struct rig_buffer x = rig_random_buffer(m, "x", 2 * each, element, &state);
        struct rig_buffer y = rig_buffer(m, "y", 2 * each, element);
        rig_run(&c, m, "transpose", (struct rig_grid){ 3, 2, 2 }, 256, 0,
                (uint64_t[]){ y.address, x.address, rows, columns, size }, 5);
        for (uint64_t i = 0; i < 2 * each; i++)
            ck_assert(rig_at(&x, i) == rig_at(&y, i / each * each
                                                  + i % columns * rows + i % each / columns));
        gpu_memory_free(m);
    }
}
END_TEST

START_TEST(bytes_are_copied_and_filled_to_the_last)
{
    struct gpu_config c = rig_config(GPU_SM_70);
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t state = 1, bytes = 4 * 2050 - 1;
    struct rig_buffer x = rig_random_buffer(m, "x", 2050, GPU_ELEMENT_F32, &state);
    struct rig_buffer y = rig_buffer(m, "y", 2050, GPU_ELEMENT_F32);
    uint32_t each = kernel("copy")->per_block, last;
    rig_run(&c, m, "copy", (struct rig_grid){ blocks(bytes, each), 1, 1 }, 256, 0,
            (uint64_t[]){ y.address, x.address, bytes }, 3);
    ck_assert(!memcmp(x.bytes, y.bytes, bytes) && y.bytes[bytes] == 0);
    rig_run(&c, m, "fill", (struct rig_grid){ blocks(bytes, each), 1, 1 }, 256, 0,
            (uint64_t[]){ y.address, bytes, 0x44332211 }, 3);
    memcpy(&last, y.bytes + 4 * 2049, 4);
    ck_assert_uint_eq(last, 0x00332211);
    gpu_memory_free(m);
}
END_TEST

Suite *kernels_ops_suite(void)
{
    Suite *s = suite_create("kernels_ops");
    TCase *t = tcase_create("values");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, each_element_is_what_its_formula_says, 0, COUNT_OF(formulas));
    tcase_add_test(t, functions_hold_over_the_whole_range);
    tcase_add_loop_test(t, a_cast_rounds_to_nearest_even, 0, 18);
    tcase_add_loop_test(t, a_bias_is_added_by_column, 0, 3);
    tcase_add_loop_test(t, an_optimizer_changes_weights_and_state, 0, COUNT_OF(optimizers));
    tcase_add_test(t, a_transposed_matrix_has_rows_for_columns);
    tcase_add_test(t, bytes_are_copied_and_filled_to_the_last);
    suite_add_tcase(s, t);
    return s;
}
