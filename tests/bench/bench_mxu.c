/* bench_mxu.c - how fast the forms of the matrix unit are.
 *
 *     fast    nanoseconds a tile, without values; must not depend on the array's size
 *     exact   simulated cycles a CPU second, with values (wanted: 0.2 million at 128 x 128)
 *     values  multiply-accumulates a CPU second of the fast form with values
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/tpu/mxu.h"

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static struct tpu_mxu_config array(uint32_t size)
{
    return (struct tpu_mxu_config) { .rows = size, .cols = size, .weight_buffers = 2,
                                     .weight_rows_per_cycle = 2, .push_rows = 8,
                                     .row_cycles = 1 };
}

/* `tiles` of `depth` rows, one after the other; returns the cycle of the last result. */
static cycle_t stream_tiles(struct tpu_mxu *m, uint64_t tiles, struct tpu_mxu_tile *t,
                            const uint16_t *weights)
{
    cycle_t now = 0;
    for (uint64_t i = 0; i < tiles; i++) {
        now = tpu_mxu_load_at(m, now);
        tpu_mxu_load(m, now, weights);
        now = tpu_mxu_stream_at(m, now, t);
        tpu_mxu_stream(m, now, t);
        tpu_mxu_step(m, now);
    }
    tpu_mxu_stats(m, tpu_mxu_last_result_at(m));
    return tpu_mxu_last_result_at(m);
}

static uint16_t *numbers(size_t count)
{
    uint16_t *n = malloc(count * sizeof *n);
    for (size_t i = 0; i < count; i++)
        n[i] = (uint16_t)(0x3f80 + i * 37 % 128);
    return n;
}

static void bench(uint32_t size, enum tpu_mxu_form form, uint64_t tiles, bool values)
{
    enum { DEPTH = 512 };
    struct tpu_mxu_config c = array(size);
    struct tpu_mxu *m = tpu_mxu_new(&c, form);
    uint16_t *w = numbers((size_t)size * size), *a = numbers((size_t)DEPTH * size);
    float *results = calloc((size_t)DEPTH * size, sizeof *results);
    struct tpu_mxu_tile t = { .depth = DEPTH, .used_rows = size, .used_cols = size };
    if (values)
        t.activations = a, t.results = results;
    double start = cpu_s();
    cycle_t cycles = stream_tiles(m, tiles, &t, values ? w : NULL);
    double s = cpu_s() - start;
    printf("mxu %s%s %4u x %-4u %8.1f ns/tile %8.3f Mcycle/s %8.3f GMAC/s\n",
           form == TPU_MXU_FAST ? "fast " : "exact", values ? " values" : "       ", size, size,
           s / (double)tiles * 1e9, (double)cycles / s * 1e-6,
           (double)tiles * DEPTH * size * size / s * 1e-9);
    tpu_mxu_free(m);
    free(w);
    free(a);
    free(results);
}

int main(void)
{
    bench(8, TPU_MXU_FAST, 2000000, false);
    bench(128, TPU_MXU_FAST, 2000000, false);
    bench(1024, TPU_MXU_FAST, 2000000, false);
    bench(128, TPU_MXU_FAST, 200, true);
    bench(8, TPU_MXU_EXACT, 400, true);
    bench(128, TPU_MXU_EXACT, 400, true);
    bench(256, TPU_MXU_EXACT, 40, true);
    return 0;
}
