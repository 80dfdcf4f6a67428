/* kernels.h - the project's own kernels: what there is, and how each is launched.
 *
 * The kernels are CUDA C (*.cu), their PTX stands beside them (*.ptx) and is built into the
 * program.  This is the catalogue: a lowering chooses from it and fills in parameters.
 *
 * All are oblivious (kernel.h) but the chase_ of micro.cu.  Pointers are 64-bit addresses, counts
 * and leading dimensions are in elements.  Every buffer that is not said to be less aligned
 * begins at a multiple of 16 bytes.  Matrices are row-major: element (i, j) at i * ld + j.
 *
 * Element types.  A kernel's name ends in the type of all its tensors (_f32, _f16, _bf16), or
 * in _any: then `types` has 4 bits an operand, lowest first, in the order of the pointers
 * (enum gpu_element).  The others ignore `types`.
 *
 * PRODUCTS: c = act(a x b + bias) masked, a is m x k and b is k x n after their transposes.
 *
 *     gemm_TYPE_FORM_MxNxK_aA (tensor cores, TYPE f16 or bf16)
 *     sgemm_FORM_MxNxK_aA     (FP32 lanes)
 *       FORM: nn nt tn tt: of a, then of b: t: it is stored transposed
 *       A:    elements that lie together: a multiple of it is the length of a's and b's rows
 *             (k or m, n or k), lda, ldb, stride_a, stride_b, and where a and b begin.  c may
 *             be of any n, but its rows go faster if n, ldc and ldmask are multiples of 4 (then
 *             c, mask and bias must begin at multiples of 16 bytes, and so must their strides)
 *
 *     (void *a, void *b, void *c, void *bias, void *mask,
 *      u32 m, u32 n, u32 k, u32 lda, u32 ldb, u32 ldc, u32 ldmask,
 *      u64 stride_a, u64 stride_b, u64 stride_c, u64 stride_mask,
 *      u32 splits, u32 split_k, u32 order, u32 flags)
 *
 *     grid  x: ceil(m / M) << order   y: ceil(ceil(n / N) / 2^order)   z: batch * splits
 *           2^order tiles of a row of tiles follow each other, so that they share a's rows in
 *           L2; tiles past n end at once
 *     z     = batch number * splits + split.  a and b begin at stride * batch number, c at
 *           stride_c * z, mask at stride_mask * batch number
 *     splits, split_k   split s takes k from s * split_k to the lesser of k and that plus
 *           split_k, a multiple of the tile's K; 1 and anything >= k where nothing is split.
 *           With splits > 1 c is a workspace of f32 (flags = 0, stride_c = m * n, ldc = n),
 *           and split_sum makes the result.
 *     lda, ldb          below 2^22
 *     bias, mask        0: none (then flags must not ask for them).  bias has n elements.
 *     flags             GPU_GEMM_... below
 *
 *     split_sum (void *workspace, void *c, void *bias, void *mask,
 *                u32 m, u32 n, u32 ldc, u32 ldmask, u64 stride_c, u64 stride_mask,
 *                u32 splits, u32 flags)
 *           sums the splits of each batch number (grid z), in order.  A thread has four
 *           columns: grid x: ceil(ceil(n / 4) * m / 256), 256 threads; both below 2^32
 *
 * ELEMENT BY ELEMENT: the elementwise ops of traces/ops.h by their names, cast, and what a
 * framework that fuses nothing launches:
 *     add_number a + s     add_scaled a + s * b     lerp a + s * (b - a)     sqrt     divide
 *     addcmul a + s * b * c     addcdiv a + s * b / c
 * In the gradients of losses s is 1 (or 2) over the elements, t epsilon; in scale s is factor.
 *     (void *y, void *a, void *b, void *c, u64 elements, f32 s, f32 t, u32 types)
 *           block: `threads`; grid x: ceil(elements / `per_block`)
 *
 *     bias (void *y, void *x, void *bias, u32 rows, u32 columns, u32 types)
 *           grid x: ceil(columns / per_block), y: as many as wanted up to rows (they share
 *           the rows in turn)
 *
 * OPTIMIZERS over a tensor, in place (sgd, momentum, rmsprop, adam)
 *     (void *w, void *first, void *second, void *gradient, u64 elements,
 *      f32 lr, f32 p, f32 q, f32 r, u32 types)
 *           sgd       w, 0, 0, g: lr                     momentum  w, a, 0, g: lr, momentum
 *           rmsprop   w, s, 0, g: lr, decay, 1 - decay, epsilon
 *           adam      w, m, v, g: c, beta1, beta2, epsilon      (c as the op says)
 *
 * ROWS (a warp or a block a row: softmax_warp, softmax_block ...)
 *     (void *y, void *a, void *b, void *c, void *mean, void *rstd, u32 rows, u32 columns,
 *      f32 s, u32 types)
 *           block: `threads`; grid x: ceil(rows / per_block).  types: y, a, b, c, mean, rstd
 *           softmax                     y; a = x
 *           softmax_grad                y = dx; a = dy, b = y
 *           layernorm                   y; a = x, b = g, c = b; writes mean, rstd; s = epsilon
 *           layernorm_grad              y = dx; a = dy, b = x, c = g; reads mean, rstd
 *           softmax_cross_entropy       y = f32 a row (type ignored); a = z, b = t
 *           softmax_cross_entropy_grad  y = dz; a = z, b = t; s = 1 / rows
 *              (b of type i32: the class, one a row)
 *
 * SUMS
 *     column_sum (void *y, void *x, void *workspace, u32 rows, u32 columns, u32 rows_of_block,
 *                 f32 scale, u32 types)          types: y, x
 *           y[j] = scale * sum over rows.  block 256; grid x: ceil(columns / per_block),
 *           y: parts = ceil(rows / rows_of_block).  One part: y is written; more: workspace
 *           [part][column] of f32, for column_finish
 *     column_finish (void *y, void *workspace, u32 parts, u32 columns, f32 scale, u32 types)
 *           grid x: ceil(columns / per_block), 256 threads
 *     layernorm_weights (void *dg, void *db, void *dy, void *x, void *mean, void *rstd,
 *                        void *workspace, u32 rows, u32 columns, u32 rows_of_block, u32 types)
 *           as column_sum, for both; workspace [2][part][column]: dg's parts, then db's
 *     total (void *workspace, void *a, void *b, u64 elements, u64 elements_of_block, f32 s,
 *            u32 what, u32 types)                types: a, b
 *           a sum a block into workspace[block] of f32.  what: enum gpu_total; s: epsilon
 *           block 256; grid x: ceil(elements / elements_of_block), a multiple of 1024
 *     total_finish (void *y, void *workspace, u32 parts, f32 scale, u32 types)
 *           y = scale * sum of parts; one block of 256
 *
 * LAYOUT
 *     transpose (void *y, void *x, u32 rows, u32 columns, u32 element_bytes)
 *           y[j, i] = x[i, j], both dense; block 256, grid x: ceil(columns / 32),
 *           y: ceil(rows / 32), z: batch
 *     copy (void *y, void *x, u64 bytes)         block 256; grid x: ceil(bytes / per_block)
 *     fill (void *y, u64 bytes, u32 word)        the same
 *
 * MEASURING (micro.cu): all begin with (u32 *sink, u64 *cycles, ...): a word a thread, and a
 * block's cycles between the begin and the end of what is measured.  Any grid and block.
 *     chase_l1, chase_l2 (u64 start, u32 warm, u32 steps)   words of 8 bytes, each the address
 *           of the next; loads by way of L1, or past it; steps in multiples of 16
 *     chase_shared (u32 steps)                              the same in shared memory
 *     fma_chain, fma_rate, ex2_chain, ex2_rate (u32 loops, f32 a), add_chain, add_rate,
 *     imad_chain (u32 loops, u32 a)                         128 a loop; 1 or 16 at a time;
 *           ex2_chain's are followed by a multiplication each
 *     wmma_chain, wmma_rate; sm_80: mma_f16_, mma_bf16_, mma_f16_k8_, mma_tf32_ chain, rate
 *           (u32 loops)                                     32 a loop; 1 or 8 at a time
 *     read_memory (void *x, u64 bytes, u32 repeats)         past L1; bytes a multiple of 128 *
 *           threads of the grid
 *     read_l1 (void *x, u64 bytes, u32 repeats)             bytes a block, a multiple of 128 *
 *           its threads
 *     read_shared (u32 repeats)                             dynamic: 128 bytes a thread, read
 *           once a repeat
 *     write_memory (void *y, u64 bytes, u32 repeats), copy_memory (void *y, void *x, u64 bytes,
 *           u32 repeats)                                    multiples of 64 * the threads
 *     spin (u32 loops)      an addition and a branch each; loops > 0
 *     rest (u32 loops)      a microsecond of nanosleep each
 */
#ifndef MODELS_GPU_KERNELS_KERNELS_H
#define MODELS_GPU_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/gpu/config.h"

enum gpu_element { GPU_ELEMENT_F32, GPU_ELEMENT_F16, GPU_ELEMENT_BF16, GPU_ELEMENT_I32 };

/* flags of a product: the types of c, bias and mask (enum gpu_element), what is done to the
 * sum, and whether it is kept only where mask > 0 (the gradient of relu). */
#define GPU_GEMM_C(element)     ((uint32_t)(element))           /* F32, F16, BF16 */
#define GPU_GEMM_BIAS(element)  ((uint32_t)(element) << 2 | 1u << 6)
#define GPU_GEMM_MASK(element)  ((uint32_t)(element) << 4 | 1u << 7)
#define GPU_GEMM_ACT(act)       ((uint32_t)(act) << 8)          /* enum gpu_act */

/* Others are kernels of their own: their code would be twice the product's. */
enum gpu_act { GPU_ACT_NONE, GPU_ACT_RELU };

enum gpu_total {
    GPU_TOTAL_SUM,                      /* of a */
    GPU_TOTAL_SIGMOID_CROSS_ENTROPY,    /* a = z, b = t */
    GPU_TOTAL_BINARY_CROSS_ENTROPY,     /* a = p, b = t; s = epsilon */
    GPU_TOTAL_SQUARED_ERROR             /* a = x, b = t */
};

/* A matrix product. */
struct gpu_gemm_kernel {
    char     name[48];
    uint8_t  element;           /* enum gpu_element, of a and b */
    bool     transpose_a, transpose_b;
    uint16_t m, n, k;           /* its tile */
    uint16_t threads;           /* of a block, in x */
    uint32_t shared_bytes;      /* dynamic */
    uint8_t  stages;            /* tiles of k under way at a time */
    uint8_t  align;             /* elements */
    uint8_t  speed;             /* FP32 lanes: percent of their rate that a library's kernel of
                                 * this tile reaches on a V100 (NeuSight, ASPLOS 2025: rows
                                 * over 400 us, padding counted as work); else 0 */
};

/* Those of a generation (GPU_SM_90 has those of GPU_SM_80). */
const struct gpu_gemm_kernel *gpu_gemm_kernels(enum gpu_generation g, size_t *count);

/* Any other. */
struct gpu_simple_kernel {
    char     name[48];
    uint16_t threads;           /* of a block, in x */
    uint32_t per_block;         /* elements, rows, columns or bytes, as said above; 0: one block */
};

/* By its whole name ("relu_f16"); NULL: there is none. */
const struct gpu_simple_kernel *gpu_simple_kernel(const char *name);
const struct gpu_simple_kernel *gpu_simple_kernels(size_t *count);

/* The PTX of one kernel, with what it needs of its module: a whole module.  NULL: there is no
 * such kernel for that generation.  The caller frees it. */
char *gpu_kernel_text(enum gpu_generation g, const char *kernel, size_t *size);

#endif
