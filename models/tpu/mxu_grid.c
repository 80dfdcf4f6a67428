/* mxu_grid.c - windows and waves, and the one loop that the exact forms spend their time in. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/tpu/mxu_grid.h"

struct tpu_mxu_grid tpu_mxu_grid(uint32_t rows, uint32_t cols, cycle_t slack)
{
    struct tpu_mxu_grid g = { .rows = rows, .cols = cols };
    do {
        g.hop++;
        g.row_stages = (uint32_t)ceil_div(rows, g.hop);
        g.col_stages = (uint32_t)ceil_div(cols, g.hop);
        g.crossing = g.row_stages + g.col_stages - 1;
    } while (g.crossing > slack);
    return g;
}

void tpu_mxu_window_init(struct tpu_mxu_window *w, uint32_t lines, uint32_t width)
{
    /* The values are moved to the far end when the window reaches the near one: once in
     * three widths, which costs little and still fits the cache. */
    w->lines = lines;
    w->width = width;
    w->pitch = 4 * width + 16;      /* not a power of two: the fronts share few cache sets */
    w->start = w->pitch - width;
    w->values = calloc((size_t)lines * w->pitch, sizeof *w->values);
    assert(w->values);
}

void tpu_mxu_window_move(struct tpu_mxu_window *w, uint32_t by)
{
    assert(by <= w->width);
    if (w->start < by) {
        uint32_t far = w->pitch - w->width;
        for (uint32_t i = 0; i < w->lines; i++) {
            uint16_t *line = w->values + (size_t)i * w->pitch;
            memmove(line + far, line + w->start, w->width * sizeof *line);
        }
        w->start = far;
    }
    w->start -= by;
}

void tpu_mxu_waves_init(struct tpu_mxu_waves *w, uint32_t size)
{
    *w = (struct tpu_mxu_waves) { .size = size };
    w->entered = calloc(size, sizeof *w->entered);
    assert(w->entered);
}

void tpu_mxu_waves_enter(struct tpu_mxu_waves *w, cycle_t now)
{
    assert(w->count < w->size);
    w->entered[(w->first + w->count++) % w->size] = now;
}

void tpu_mxu_waves_leave(struct tpu_mxu_waves *w, cycle_t before)
{
    while (w->count && w->entered[w->first] < before) {
        w->first = (w->first + 1) % w->size;
        w->count--;
    }
}

/* gcc's -O2 leaves the loop scalar; nothing in it depends on the order of anything. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("O3")
#endif

TPU_MXU_WIDE
static void add_products(float *restrict sum, const uint16_t *restrict a,
                         const uint16_t *restrict w, uint32_t cols)
{
    for (uint32_t c = 0; c < cols; c++)
        sum[c] += bf16_to_f32(a[c]) * bf16_to_f32(w[c]);
}

TPU_MXU_WIDE
static void add_products_to(float *restrict out, const float *restrict in,
                            const uint16_t *restrict a, const uint16_t *restrict w,
                            uint32_t cols)
{
    for (uint32_t c = 0; c < cols; c++)
        out[c] = in[c] + bf16_to_f32(a[c]) * bf16_to_f32(w[c]);
}

void tpu_mxu_grid_multiply(float *out, const float *in, const uint16_t *a, const uint16_t *w,
                           uint32_t cols)
{
    if (in == out)
        add_products(out, a, w, cols);
    else
        add_products_to(out, in, a, w, cols);
}
