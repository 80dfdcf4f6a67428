/* test_kernels_sums.c - rows and sums: softmax, layernorm, cross entropy, their gradients, sums
 * over rows and over everything, against plain loops in double precision.
 */
#include <math.h>

#include "tests/models/gpu/kernels_rig.h"
#include "tests/suites.h"

#define EPSILON 0.03125

static const uint32_t f32 = GPU_ELEMENT_F32;

static void near(const char *what, uint64_t i, uint32_t element, float got, double want)
{
    double unit = element == GPU_ELEMENT_F32 ? 3e-6 : element == GPU_ELEMENT_F16 ? 6e-4 : 5e-3;
    if (!(fabs((double)got - want) <= unit * fabs(want) + 1e-5 * (element == f32 ? 1 : 10)))
        ck_abort_msg("%s: element %llu is %.9g, not %.9g", what, (unsigned long long)i,
                     (double)got, want);
}

/* ---- rows ---- */

/* What a kernel of rows is given; types in the order of the pointers. */
struct rows {
    struct gpu_memory *memory;
    uint32_t rows, columns, element[6];
    struct rig_buffer y, a, b, c, mean, rstd;
    double   s;
};

static void make_rows(struct rows *r, uint32_t rows, uint32_t columns, const uint32_t *element,
                      uint64_t b_elements, uint64_t seed)
{
    uint64_t n = (uint64_t)rows * columns, state = seed;
    *r = (struct rows){ .memory = gpu_memory_new(true), .rows = rows, .columns = columns,
                        .s = EPSILON };
    memcpy(r->element, element, sizeof r->element);
    r->y = rig_buffer(r->memory, "y", n, element[0]);
    r->a = rig_random_buffer(r->memory, "a", n, element[1], &state);
    r->b = rig_random_buffer(r->memory, "b", b_elements, element[2], &state);
    r->c = rig_random_buffer(r->memory, "c", columns, element[3], &state);
    r->mean = rig_random_buffer(r->memory, "mean", rows, element[4], &state);
    r->rstd = rig_random_buffer(r->memory, "rstd", rows, element[5], &state);
}

/* By a warp a row or a block a row. */
static void run_rows(struct rows *r, const char *base, const char *way, const char *ending)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s_%s", base, way, ending);
    const struct gpu_simple_kernel *k = gpu_simple_kernel(name);
    struct gpu_config c = rig_config(GPU_SM_70);
    uint32_t types = 0;
    ck_assert_msg(k, "%s is not in the catalogue", name);
    for (int i = 0; i < 6; i++)
        types |= r->element[i] << 4 * i;
    rig_run(&c, r->memory, name,
            (struct rig_grid){ (r->rows + k->per_block - 1) / k->per_block, 1, 1 }, k->threads, 0,
            (uint64_t[]){ r->y.address, r->a.address, r->b.address, r->c.address,
                          r->mean.address, r->rstd.address, r->rows, r->columns, rig_f32(r->s),
                          types }, 10);
}

static double softmax(const struct rows *r, uint32_t row, uint32_t j)
{
    double sum = 0;
    for (uint32_t i = 0; i < r->columns; i++)
        sum += exp((double)rig_at(&r->a, (uint64_t)row * r->columns + i));
    return exp((double)rig_at(&r->a, (uint64_t)row * r->columns + j)) / sum;
}

static double softmax_grad(const struct rows *r, uint32_t row, uint32_t j)
{
    uint64_t at = (uint64_t)row * r->columns;
    double sum = 0;
    for (uint32_t i = 0; i < r->columns; i++)
        sum += (double)rig_at(&r->a, at + i) * rig_at(&r->b, at + i);
    return rig_at(&r->b, at + j) * (rig_at(&r->a, at + j) - sum);
}

static void moments(const struct rows *r, uint32_t row, double *mean, double *rstd)
{
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < r->columns; i++)
        sum += rig_at(&r->a, (uint64_t)row * r->columns + i);
    *mean = sum / r->columns;
    for (uint32_t i = 0; i < r->columns; i++)
        squares += pow(rig_at(&r->a, (uint64_t)row * r->columns + i) - *mean, 2);
    *rstd = 1 / sqrt(squares / r->columns + EPSILON);
}

static double layernorm(const struct rows *r, uint32_t row, uint32_t j)
{
    double mean, rstd;
    moments(r, row, &mean, &rstd);
    return (rig_at(&r->a, (uint64_t)row * r->columns + j) - mean) * rstd * rig_at(&r->b, j)
         + rig_at(&r->c, j);
}

static double layernorm_grad(const struct rows *r, uint32_t row, uint32_t j)
{
    uint64_t at = (uint64_t)row * r->columns;
    double mean = rig_at(&r->mean, row), rstd = rig_at(&r->rstd, row), d = 0, dh = 0;
    for (uint32_t i = 0; i < r->columns; i++) {
        double g = (double)rig_at(&r->a, at + i) * rig_at(&r->c, i);
        d += g;
        dh += g * (rig_at(&r->b, at + i) - mean) * rstd;
    }
    return rstd * ((double)rig_at(&r->a, at + j) * rig_at(&r->c, j)
                   - (d / r->columns
                      + (rig_at(&r->b, at + j) - mean) * rstd * (dh / r->columns)));
}

static double entropy_grad(const struct rows *r, uint32_t row, uint32_t j)
{
    double t = r->b.element == GPU_ELEMENT_I32
             ? (*(const int32_t *)(const void *)(r->b.bytes + row * 4u) == (int32_t)j)
             : rig_at(&r->b, (uint64_t)row * r->columns + j);
    return (softmax(r, row, j) - t) * r->s;
}

static const struct {
    const char *name;
    double (*of)(const struct rows *, uint32_t, uint32_t);
    bool b_is_a_row;
} row_kernels[] = {
    { "softmax", softmax, false }, { "softmax_grad", softmax_grad, false },
    { "layernorm", layernorm, true }, { "layernorm_grad", layernorm_grad, false },
    { "softmax_cross_entropy_grad", entropy_grad, false },
};

static const uint32_t all_f32[6] = { 0 };
static const uint32_t mixed[6] = { GPU_ELEMENT_F16, GPU_ELEMENT_BF16, GPU_ELEMENT_F32,
                                   GPU_ELEMENT_F16, GPU_ELEMENT_F32, GPU_ELEMENT_F32 };

START_TEST(each_row_is_what_its_formula_says)
{
    static const struct { uint32_t rows, columns; } shapes[] = { { 1, 1 }, { 7, 129 }, { 5, 1000 } };
    for (int way = 0; way < 2; way++)
        for (int any = 0; any < 2; any++)
            for (size_t s = 0; s < COUNT_OF(shapes); s++) {
                uint32_t rows = shapes[s].rows, columns = shapes[s].columns;
                struct rows r;
                make_rows(&r, rows, columns, any ? mixed : all_f32,
                          (uint64_t)columns * (row_kernels[_i].b_is_a_row ? 1 : rows), s + 1);
                run_rows(&r, row_kernels[_i].name, way ? "block" : "warp", any ? "any" : "f32");
                for (uint64_t i = 0; i < (uint64_t)rows * columns; i++)
                    near(row_kernels[_i].name, i, r.y.element, rig_at(&r.y, i),
                         row_kernels[_i].of(&r, (uint32_t)(i / columns), (uint32_t)(i % columns)));
                gpu_memory_free(r.memory);
            }
}
END_TEST

START_TEST(layernorm_leaves_mean_and_rstd)
{
    struct rows r;
    make_rows(&r, 7, 65, all_f32, 65, 9);
    run_rows(&r, "layernorm", _i ? "block" : "warp", "f32");
    for (uint32_t row = 0; row < 7; row++) {
        double mean, rstd;
        moments(&r, row, &mean, &rstd);
        near("mean", row, f32, rig_at(&r.mean, row), mean);
        near("rstd", row, f32, rig_at(&r.rstd, row), rstd);
    }
    gpu_memory_free(r.memory);
}
END_TEST

/* A class a row, or a distribution that is no distribution: the formula holds for any t. */
START_TEST(cross_entropy_takes_classes_and_distributions)
{
    uint32_t element[6] = { 0 }, rows = 9, columns = 33;
    bool classes = _i % 2;
    struct rows r;
    element[2] = classes ? GPU_ELEMENT_I32 : GPU_ELEMENT_F32;
    make_rows(&r, rows, columns, element, classes ? rows : rows * columns, 4);
    for (uint32_t i = 0; i < rows && classes; i++)
        rig_put(r.b.bytes + i * 4u, GPU_ELEMENT_I32, (float)(i * 7 % columns));
    run_rows(&r, "softmax_cross_entropy", _i / 2 ? "block" : "warp", classes ? "any" : "f32");
    for (uint32_t row = 0; row < rows; row++) {
        double right = 0;
        for (uint32_t j = 0; j < columns; j++) {
            uint64_t at = (uint64_t)row * columns + j;
            double t = classes ? (row * 7 % columns == j) : rig_at(&r.b, at);
            right += t * rig_at(&r.a, at);
        }
        double log_sum = rig_at(&r.a, (uint64_t)row * columns) - log(softmax(&r, row, 0));
        near("loss", row, f32, rig_at(&r.y, row), log_sum - right);
    }
    run_rows(&r, "softmax_cross_entropy_grad", _i / 2 ? "block" : "warp", classes ? "any" : "f32");
    for (uint32_t i = 0; i < rows * columns; i++)
        near("gradient", i, f32, rig_at(&r.y, i), entropy_grad(&r, i / columns, i % columns));
    gpu_memory_free(r.memory);
}
END_TEST

/* Logits far apart: nothing overflows. */
START_TEST(a_softmax_of_huge_numbers_is_still_one)
{
    struct rows r;
    make_rows(&r, 1, 40, all_f32, 40, 4);
    for (uint32_t i = 0; i < 40; i++)
        rig_put(r.a.bytes + i * 4u, f32, i == 17 ? 1e30f : -1e30f);
    run_rows(&r, "softmax", "warp", "f32");
    for (uint32_t i = 0; i < 40; i++)
        ck_assert(rig_at(&r.y, i) == (i == 17 ? 1 : 0));
    gpu_memory_free(r.memory);
}
END_TEST

/* ---- sums ---- */

static void finish(const struct gpu_config *c, struct gpu_memory *m, const struct rig_buffer *y,
                   uint64_t workspace, uint32_t parts, uint32_t columns, double scale)
{
    rig_run(c, m, "column_finish_any", (struct rig_grid){ (columns + 255) / 256, 1, 1 }, 256, 0,
            (uint64_t[]){ y->address, workspace, parts, columns, rig_f32(scale), y->element }, 6);
}

START_TEST(columns_are_summed_in_one_part_or_many)
{
    static const char *const endings[] = { "f32", "f16", "bf16", "any" };
    static const uint32_t in[] = { GPU_ELEMENT_F32, GPU_ELEMENT_F16, GPU_ELEMENT_BF16,
                                   GPU_ELEMENT_BF16 };
    uint32_t rows = 77, columns = 45, each = _i / 4 ? 20 : 100, parts = (rows + each - 1) / each;
    uint32_t to = _i % 4 == 3 ? f32 : in[_i % 4];
    struct gpu_config c = rig_config(GPU_SM_80);
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t state = 2;
    char name[64];
    struct rig_buffer x = rig_random_buffer(m, "x", rows * columns, in[_i % 4], &state);
    struct rig_buffer y = rig_buffer(m, "y", columns, to);
    struct rig_buffer w = rig_buffer(m, "workspace", parts * columns, f32);
    snprintf(name, sizeof name, "column_sum_%s", endings[_i % 4]);
    rig_run(&c, m, name, (struct rig_grid){ 2, parts, 1 }, 256, 0,
            (uint64_t[]){ y.address, x.address, w.address, rows, columns, each, rig_f32(0.5),
                          to | in[_i % 4] << 4 }, 8);
    if (parts > 1)
        finish(&c, m, &y, w.address, parts, columns, 0.5);
    for (uint32_t j = 0; j < columns; j++) {
        float sum = 0;                      /* exact */
        for (uint32_t i = 0; i < rows; i++)
            sum += rig_at(&x, i * columns + j);
        ck_assert(rig_at(&y, j) == rig_rounded(to, sum * 0.5f));
    }
    gpu_memory_free(m);
}
END_TEST

START_TEST(gradients_of_layernorm_weights_are_summed_over_rows)
{
    uint32_t rows = 41, columns = 37, each = _i ? 16 : 64, parts = (rows + each - 1) / each;
    struct gpu_config c = rig_config(GPU_SM_70);
    struct gpu_memory *m = gpu_memory_new(true);
    uint64_t state = 3, n = (uint64_t)rows * columns;
    struct rig_buffer dy = rig_random_buffer(m, "dy", n, f32, &state);
    struct rig_buffer x = rig_random_buffer(m, "x", n, f32, &state);
    struct rig_buffer mean = rig_random_buffer(m, "mean", rows, f32, &state);
    struct rig_buffer rstd = rig_random_buffer(m, "rstd", rows, f32, &state);
    struct rig_buffer dg = rig_buffer(m, "dg", columns, f32), db = rig_buffer(m, "db", columns, f32);
    struct rig_buffer w = rig_buffer(m, "workspace", 2 * parts * columns, f32);
    rig_run(&c, m, _i == 2 ? "layernorm_weights_any" : "layernorm_weights_f32",
            (struct rig_grid){ 2, parts, 1 }, 256, 0,
            (uint64_t[]){ dg.address, db.address, dy.address, x.address, mean.address,
                          rstd.address, w.address, rows, columns, each, 0 }, 11);
    if (parts > 1) {
        finish(&c, m, &dg, w.address, parts, columns, 1);
        finish(&c, m, &db, w.address + 4ull * parts * columns, parts, columns, 1);
    }
    for (uint32_t j = 0; j < columns; j++) {
        double g = 0, b = 0;
        for (uint32_t i = 0; i < rows; i++) {
            double d = rig_at(&dy, i * columns + j);
            g += d * (rig_at(&x, i * columns + j) - rig_at(&mean, i)) * rig_at(&rstd, i);
            b += d;
        }
        near("dg", j, f32, rig_at(&dg, j), g);
        near("db", j, f32, rig_at(&db, j), b);
    }
    gpu_memory_free(m);
}
END_TEST

static double clamped(double p) { return fmin(fmax(p, EPSILON), 1 - EPSILON); }

static double term(enum gpu_total what, double a, double b)
{
    switch (what) {
    case GPU_TOTAL_SUM:                   return a;
    case GPU_TOTAL_SIGMOID_CROSS_ENTROPY: return fmax(a, 0) - a * b + log(1 + exp(-fabs(a)));
    case GPU_TOTAL_SQUARED_ERROR:         return (a - b) * (a - b);
    case GPU_TOTAL_BINARY_CROSS_ENTROPY:
        return -(b * log(clamped(a)) + (1 - b) * log(1 - clamped(a)));
    }
    return 0;
}

START_TEST(everything_is_summed)
{
    static const uint64_t lengths[] = { 1, 1025, 5000 };
    enum gpu_total what = (enum gpu_total)(_i % 4);
    bool any = _i / 4;
    uint32_t in[2] = { any ? GPU_ELEMENT_BF16 : f32, any ? GPU_ELEMENT_F16 : f32 };
    for (size_t l = 0; l < COUNT_OF(lengths); l++) {
        uint64_t n = lengths[l], parts = (n + 1023) / 1024, state = l + 1;
        struct gpu_config c = rig_config(GPU_SM_70);
        struct gpu_memory *m = gpu_memory_new(true);
        struct rig_buffer a = rig_random_buffer(m, "a", n, in[0], &state);
        struct rig_buffer b = rig_random_buffer(m, "b", n, in[1], &state);
        struct rig_buffer w = rig_buffer(m, "workspace", parts, f32), y = rig_buffer(m, "y", 1, f32);
        double sum = 0, size = 0;
        rig_run(&c, m, any ? "total_any" : "total_f32", (struct rig_grid){ (uint32_t)parts, 1, 1 },
                256, 0, (uint64_t[]){ w.address, a.address, b.address, n, 1024, rig_f32(EPSILON),
                                      what, in[0] | in[1] << 4 }, 8);
        rig_run(&c, m, "total_finish_any", (struct rig_grid){ 1, 1, 1 }, 256, 0,
                (uint64_t[]){ y.address, w.address, parts, rig_f32(0.25), f32 }, 5);
        for (uint64_t i = 0; i < n; i++) {
            sum += term(what, rig_at(&a, i), rig_at(&b, i));
            size += fabs(term(what, rig_at(&a, i), rig_at(&b, i)));
        }
        ck_assert(fabs((double)rig_at(&y, 0) - sum / 4) <= 1e-6 * size);
        gpu_memory_free(m);
    }
}
END_TEST

Suite *kernels_sums_suite(void)
{
    Suite *s = suite_create("kernels_sums");
    TCase *t = tcase_create("values");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, each_row_is_what_its_formula_says, 0, COUNT_OF(row_kernels));
    tcase_add_loop_test(t, layernorm_leaves_mean_and_rstd, 0, 2);
    tcase_add_loop_test(t, cross_entropy_takes_classes_and_distributions, 0, 4);
    tcase_add_test(t, a_softmax_of_huge_numbers_is_still_one);
    tcase_add_loop_test(t, columns_are_summed_in_one_part_or_many, 0, 8);
    tcase_add_loop_test(t, gradients_of_layernorm_weights_are_summed_over_rows, 0, 3);
    tcase_add_loop_test(t, everything_is_summed, 0, 8);
    suite_add_tcase(s, t);
    return s;
}
