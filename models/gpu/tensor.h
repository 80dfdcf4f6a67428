/* tensor.h - the sums of a tensor core: a product of small matrices in its own arithmetic.
 *
 * Products are exact.  A group of them and the sum so far are added at once: each is cut off
 * (towards zero) at a place `extra` below the last place that an f32 of the size of the
 * largest of them has, the rest is added exactly, and what comes out is cut to an f32, or
 * rounded to nearest if sums are f16.  Groups follow each other in the order of k.
 *
 *               group  f16, bf16  tf32    extra
 *     sm_70              4         -        0
 *     sm_80              8         4        1
 *     sm_90             16         8        2
 *
 * That is what tests of real chips found (M. Fasi et al., "Numerical behavior of NVIDIA
 * tensor cores", 2021; X. Li et al., "FTTN", 2024).  A NaN, an infinity, or an overflow gives
 * what IEEE addition would; every NaN is 0x7fffffff; a sum of zeros is +0.
 *
 * Not modelled: products of bf16 and tf32 beyond the range of f32 (an infinity, or a
 * subnormal f32).
 */
#ifndef MODELS_GPU_TENSOR_H
#define MODELS_GPU_TENSOR_H

#include "models/gpu/config.h"

#define GPU_TILE 16             /* rows of a and d; the most columns, the most k */

struct gpu_tile {
    float a[GPU_TILE][GPU_TILE];        /* [row][k] */
    float b[GPU_TILE][GPU_TILE];        /* [k][column] */
    float d[GPU_TILE][GPU_TILE];        /* [row][column]: c before, d after */
};

struct gpu_tensor_form {
    unsigned columns, k;        /* 8 or 16; 4, 8 or 16 */
    unsigned group, extra;
    bool half_sums;
};

/* How a generation adds. */
struct gpu_tensor_form gpu_tensor_form(enum gpu_generation g, unsigned columns, unsigned k,
                                       bool is_tf32, bool half_sums);

void gpu_tensor_multiply(struct gpu_tile *t, const struct gpu_tensor_form *f);

/* Registers of a and b, the first sources of an operation: an mma or a wmma. */
struct gpu_op;
unsigned gpu_tensor_words(const struct gpu_op *op);

#endif
