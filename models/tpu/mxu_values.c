/* mxu_values.c - what a tile's results are, bit by bit: the sums the array would make. */
#include "models/numerics/bf16.h"
#include "models/tpu/mxu_form.h"

/* gcc's -O2 leaves these loops scalar; nothing here depends on the order of anything. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("O3")
#endif

TPU_MXU_WIDE
static void add_products(float *restrict sum, float a, const uint16_t *restrict w, uint32_t cols)
{
    for (uint32_t c = 0; c < cols; c++)
        sum[c] += a * bf16_to_f32(w[c]);
}

static void make_canonical(float *x, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        x[i] = f32_canonical(x[i]);
}

void tpu_mxu_multiply(const struct tpu_mxu_product *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        float *sum = p->results + (size_t)i * p->cols;
        memset(sum, 0, p->cols * sizeof *sum);
        for (uint32_t k = 0; k < p->depth; k++)
            add_products(sum, bf16_to_f32(p->a[i * p->a_row + k * p->a_step]),
                         p->w + (size_t)k * p->cols, p->cols);
        make_canonical(sum, p->cols);
    }
}
