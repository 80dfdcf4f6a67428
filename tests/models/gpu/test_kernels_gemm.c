/* test_kernels_gemm.c - every product of the catalogue, on shapes that fit no tile. */
#include "tests/models/gpu/kernels_rig.h"
#include "tests/suites.h"

#define UNTOUCHED 77.0f

struct problem {
    const struct gpu_gemm_kernel *kernel;
    uint32_t batch, m, n, k, lda, ldb, ldc, ldmask, splits, split_k, order;
    uint32_t c_element, bias_element, mask_element;
    bool     has_bias, has_mask, relu;
};

static uint32_t up(uint32_t x, uint32_t multiple)
{
    return (x + multiple - 1) / multiple * multiple;
}

/* A size about a tile: one, a few, one tile and something, not a multiple unless it must be. */
static uint32_t size(uint64_t *state, uint32_t tile, uint32_t multiple)
{
    static const uint32_t few[] = { 1, 7, 33, 129 };
    uint32_t which = rig_between(state, 0, 5);
    return up(which < 4 ? few[which] : tile + rig_between(state, 1, tile / 2 + 1), multiple);
}

static uint32_t element(uint64_t *state) { return rig_between(state, 0, 2); }

static struct problem draw(const struct gpu_gemm_kernel *k, uint64_t *state)
{
    uint32_t a = k->align;
    struct problem p = {
        .kernel = k, .batch = rig_between(state, 1, 2), .order = rig_between(state, 0, 2),
        .m = size(state, k->m, k->transpose_a ? a : 1),
        .n = size(state, k->n, k->transpose_b ? 1 : a),
        .k = size(state, k->k * 2, !k->transpose_a || k->transpose_b ? a : 1),
        .c_element = element(state), .bias_element = element(state),
        .mask_element = element(state), .has_bias = rig_between(state, 0, 1),
        .has_mask = rig_between(state, 0, 1), .relu = rig_between(state, 0, 1),
    };
    p.lda = up((k->transpose_a ? p.m : p.k) + rig_between(state, 0, 9), a);
    p.ldb = up((k->transpose_b ? p.k : p.n) + rig_between(state, 0, 9), a);
    p.ldc = p.n + rig_between(state, 0, 1) * 3;
    p.ldmask = p.n + rig_between(state, 0, 1) * 5;
    p.split_k = k->k * rig_between(state, 1, 2);
    p.splits = (p.k + p.split_k - 1) / p.split_k;
    if (rig_between(state, 0, 1)) {
        p.splits = 1;
        p.split_k = UINT32_MAX;
    }
    return p;
}

/* ---- what is multiplied, and where it lies ---- */

struct data { struct rig_buffer a, b, c, bias, mask, workspace; };

/* Exactly as long as rows of `length`, `ld` apart, need, for each batch number. */
static struct rig_buffer matrix(struct gpu_memory *m, const char *name, const struct problem *p,
                                uint32_t rows, uint32_t length, uint32_t ld, uint32_t elem,
                                uint64_t *state)
{
    uint64_t all = (uint64_t)p->batch * rows * ld - (ld - length);
    return rig_random_buffer(m, name, all, elem, state);
}

static struct data place(struct gpu_memory *m, const struct problem *p, uint64_t *state)
{
    const struct gpu_gemm_kernel *k = p->kernel;
    uint32_t a_rows = k->transpose_a ? p->k : p->m, a_length = k->transpose_a ? p->m : p->k;
    uint32_t b_rows = k->transpose_b ? p->n : p->k, b_length = k->transpose_b ? p->k : p->n;
    struct data d = {
        .a = matrix(m, "a", p, a_rows, a_length, p->lda, k->element, state),
        .b = matrix(m, "b", p, b_rows, b_length, p->ldb, k->element, state),
        .c = matrix(m, "c", p, p->m, p->n, p->ldc, p->c_element, state),
        .bias = rig_random_buffer(m, "bias", p->n, p->bias_element, state),
        .mask = matrix(m, "mask", p, p->m, p->n, p->ldmask, p->mask_element, state),
        .workspace = rig_buffer(m, "workspace", (uint64_t)p->batch * p->splits * p->m * p->n,
                                GPU_ELEMENT_F32),
    };
    for (uint64_t i = 0; i < d.c.elements; i++)
        rig_put(d.c.bytes + i * rig_bytes(d.c.element), d.c.element, UNTOUCHED);
    return d;
}

static float expected(const struct problem *p, const struct data *d, uint32_t batch, uint32_t i,
                      uint32_t j)
{
    const struct gpu_gemm_kernel *k = p->kernel;
    uint64_t a = (uint64_t)batch * (k->transpose_a ? p->k : p->m) * p->lda;
    uint64_t b = (uint64_t)batch * (k->transpose_b ? p->n : p->k) * p->ldb;
    double sum = 0;
    for (uint32_t s = 0; s < p->k; s++)
        sum += (double)rig_at(&d->a, a + (k->transpose_a ? (uint64_t)s * p->lda + i
                                                         : (uint64_t)i * p->lda + s))
             * rig_at(&d->b, b + (k->transpose_b ? (uint64_t)j * p->ldb + s
                                                 : (uint64_t)s * p->ldb + j));
    if (p->has_bias)
        sum += rig_at(&d->bias, j);
    if (p->relu && sum < 0)
        sum = 0;
    if (p->has_mask && !(rig_at(&d->mask, ((uint64_t)batch * p->m + i) * p->ldmask + j) > 0))
        sum = 0;
    return rig_rounded(p->c_element, (float)sum);
}

/* ---- running it ---- */

static uint32_t flags(const struct problem *p)
{
    return GPU_GEMM_C(p->c_element) | (p->has_bias ? GPU_GEMM_BIAS(p->bias_element) : 0)
         | (p->has_mask ? GPU_GEMM_MASK(p->mask_element) : 0)
         | (p->relu ? GPU_GEMM_ACT(GPU_ACT_RELU) : 0);
}

static void multiply(const struct gpu_config *c, struct gpu_memory *m, const struct problem *p,
                     const struct data *d)
{
    const struct gpu_gemm_kernel *k = p->kernel;
    bool cut = p->splits > 1;
    uint32_t tiles_n = (p->n + k->n - 1) / k->n;
    struct rig_grid grid = { ((p->m + k->m - 1) / k->m) << p->order,
                             (tiles_n + (1u << p->order) - 1) >> p->order, p->batch * p->splits };
    uint64_t stride_a = (uint64_t)(k->transpose_a ? p->k : p->m) * p->lda;
    uint64_t stride_b = (uint64_t)(k->transpose_b ? p->n : p->k) * p->ldb;
    uint64_t stride_c = (uint64_t)p->m * p->ldc, stride_mask = (uint64_t)p->m * p->ldmask;
    uint64_t bias = p->has_bias ? d->bias.address : 0, mask = p->has_mask ? d->mask.address : 0;
    rig_run(c, m, k->name, grid, k->threads, k->shared_bytes, (uint64_t[]){
        d->a.address, d->b.address, cut ? d->workspace.address : d->c.address, cut ? 0 : bias,
        cut ? 0 : mask, p->m, p->n, p->k, p->lda, p->ldb, cut ? p->n : p->ldc, p->ldmask,
        stride_a, stride_b, cut ? (uint64_t)p->m * p->n : stride_c, stride_mask,
        p->splits, p->split_k, p->order, cut ? GPU_GEMM_C(GPU_ELEMENT_F32) : flags(p) }, 20);
    if (cut)
        rig_run(c, m, "split_sum",
                (struct rig_grid){ ((p->n + 3) / 4 * p->m + 255) / 256, 1, p->batch }, 256, 0,
                (uint64_t[]){ d->workspace.address, d->c.address, bias, mask, p->m, p->n, p->ldc,
                              p->ldmask, stride_c, stride_mask, p->splits, flags(p) }, 12);
}

static void compare(const struct problem *p, const struct data *d, uint64_t seed)
{
    for (uint32_t row = 0; row < p->batch * p->m; row++)
        for (uint32_t j = 0; j < p->ldc; j++) {
            uint64_t at = (uint64_t)row * p->ldc + j;
            if (at >= d->c.elements)
                return;
            float want = j < p->n ? expected(p, d, row / p->m, row % p->m, j)
                                  : rig_rounded(p->c_element, UNTOUCHED);
            float got = rig_at(&d->c, at);
            if (got != want)
                ck_abort_msg("%s, seed %llu: %u x %u x %u, batch %u, splits %u, flags %x: "
                             "c[%u, %u] is %g, not %g", p->kernel->name, (unsigned long long)seed,
                             p->m, p->n, p->k, p->batch, p->splits, flags(p), row, j,
                             (double)got, (double)want);
        }
}

static void try_kernel(const struct gpu_config *c, const struct gpu_gemm_kernel *k, uint64_t seed)
{
    uint64_t state = seed;
    struct problem p = draw(k, &state);
    struct gpu_memory *m = gpu_memory_new(true);
    struct data d = place(m, &p, &state);
    multiply(c, m, &p, &d);
    compare(&p, &d, seed);
    gpu_memory_free(m);
}

static const enum gpu_generation generations[] = { GPU_SM_70, GPU_SM_80 };

START_TEST(a_product_is_right_to_the_bit_whatever_its_shape)
{
    struct gpu_config c = rig_config(generations[_i]);
    size_t count;
    const struct gpu_gemm_kernel *k = gpu_gemm_kernels(generations[_i], &count);
    for (size_t i = 0; i < count; i++)
        for (uint64_t t = 0; t < 3; t++)
            try_kernel(&c, &k[i], 1000 * i + t);
}
END_TEST

Suite *kernels_gemm_suite(void)
{
    Suite *s = suite_create("kernels_gemm");
    TCase *t = tcase_create("values");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_product_is_right_to_the_bit_whatever_its_shape, 0,
                        COUNT_OF(generations));
    suite_add_tcase(s, t);
    return s;
}
