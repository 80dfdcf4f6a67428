/* sums.cu - sums over rows and over everything, in parts and always in the same order: no
 * atomics, so the same bits every time.
 */
#include "epilogue.cuh"
#include "math.cuh"
#include "vector.cuh"

/* A block has 32 columns, a lane each, and some rows, every eighth a warp. */
struct columns_of {
    u32 column, row, end;

    METHOD columns_of(u32 rows, u32 rows_of_block)
    {
        column = BLOCK_X * 32 + THREAD_X % 32;
        row = BLOCK_Y * rows_of_block + THREAD_X / 32;
        end = min_u32(rows, (BLOCK_Y + 1) * rows_of_block);
    }
};

/* The eight warps' sums of the column, for the first warp. */
INLINE float over_warps(float x, float (*part)[32])
{
    u32 lane = THREAD_X % 32;
    sync_block();
    part[THREAD_X / 32][lane] = x;
    sync_block();
    x = part[0][lane];
#pragma unroll
    for (int i = 1; i < 8; i++)
        x += part[i][lane];
    return x;
}

/* The result, or if there are several parts this one. */
template <int E>
INLINE void put(void *y, void *workspace, u32 column, u32 columns, u32 part_at, float sum,
                float scale, u32 types, int operand)
{
    if (THREAD_X >= 32 || column >= columns)
        return;
    if (BLOCKS_Y == 1)
        store1<E>(y, column, types, operand, sum * scale);
    else
        ((float *)workspace)[(u64)(part_at + BLOCK_Y) * columns + column] = sum;
}

template <int E> INLINE void column_sum(void *y, const void *x, void *workspace, u32 rows,
                                        u32 columns, u32 rows_of_block, float scale, u32 types)
{
    static __shared__ float part[8][32];
    columns_of mine(rows, rows_of_block);
    float sum = 0;
    if (mine.column < columns)
#pragma unroll 4
        for (u32 row = mine.row; row < mine.end; row += 8)
            sum += load1<E>(x, (u64)row * columns + mine.column, types, 1);
    put<E>(y, workspace, mine.column, columns, 0, over_warps(sum, part), scale, types, 0);
}

#define COLUMN_SUM(type, E) \
    KERNEL __launch_bounds__(256) column_sum_##type(void *y, const void *x, void *workspace, \
        u32 rows, u32 columns, u32 rows_of_block, float scale, u32 types) \
    { \
        column_sum<E>(y, x, workspace, rows, columns, rows_of_block, scale, types); \
    }

KERNEL __launch_bounds__(256) column_finish_any(void *y, const void *workspace, u32 parts,
                                                u32 columns, float scale, u32 types)
{
    u32 column = BLOCK_X * 256 + THREAD_X;
    const float *from = (const float *)workspace + column;
    float sum = 0;
    if (column >= columns)
        return;
#pragma unroll 4
    for (u32 i = 0; i < parts; i++)
        sum += from[(u64)i * columns];
    store1<ANY>(y, column, types, 0, sum * scale);
}

/* Operands in `types`: dg, db, dy, x, mean, rstd. */
template <int E>
INLINE void layernorm_weights(void *dg, void *db, const void *dy, const void *x, const void *mean,
                              const void *rstd, void *workspace, u32 rows, u32 columns,
                              u32 rows_of_block, u32 types)
{
    static __shared__ float part[8][32];
    columns_of mine(rows, rows_of_block);
    float g = 0, b = 0;
    if (mine.column < columns)
#pragma unroll 1
        for (u32 row = mine.row; row < mine.end; row += 8) {
            u64 at = (u64)row * columns + mine.column;
            float d = load1<E>(dy, at, types, 2);
            float m = load1<E>(mean, row, types, 4), r = load1<E>(rstd, row, types, 5);
            g += d * ((load1<E>(x, at, types, 3) - m) * r);
            b += d;
        }
    g = over_warps(g, part);
    b = over_warps(b, part);
    put<E>(dg, workspace, mine.column, columns, 0, g, 1, types, 0);
    put<E>(db, workspace, mine.column, columns, BLOCKS_Y, b, 1, types, 1);
}

#define LAYERNORM_WEIGHTS(type, E) \
    KERNEL __launch_bounds__(256) layernorm_weights_##type(void *dg, void *db, const void *dy, \
        const void *x, const void *mean, const void *rstd, void *workspace, u32 rows, \
        u32 columns, u32 rows_of_block, u32 types) \
    { \
        layernorm_weights<E>(dg, db, dy, x, mean, rstd, workspace, rows, columns, \
                             rows_of_block, types); \
    }

/* ---- sums of everything ---- */

enum total { SUM, SIGMOID_CROSS_ENTROPY, BINARY_CROSS_ENTROPY, SQUARED_ERROR };

INLINE float term(u32 what, float a, float b, float epsilon)
{
    if (what == SUM)
        return a;
    if (what == SIGMOID_CROSS_ENTROPY)
        return largest(a, 0) - a * b + log_of(1 + exp_of(-__builtin_fabsf(a)));
    if (what == SQUARED_ERROR)
        return (a - b) * (a - b);
    float q = smallest(largest(a, epsilon), 1 - epsilon);
    return -(b * log_of(q) + (1 - b) * log_of(1 - q));
}

/* Of all threads' x, in each of them. */
INLINE float over_block(float x)
{
    static __shared__ float part[8];
#pragma unroll
    for (int d = 16; d; d /= 2)
        x += __nvvm_shfl_sync_bfly_f32(0xffffffff, x, d, 0x1f);
    if (THREAD_X % 32 == 0)
        part[THREAD_X / 32] = x;
    sync_block();
    x = part[0];
#pragma unroll
    for (int i = 1; i < 8; i++)
        x += part[i];
    return x;
}

/* A thread's four elements of each 1024 are 256 apart. */
template <int E> INLINE void total(void *workspace, const void *a, const void *b, u64 elements,
                                   u64 elements_of_block, float s, u32 what, u32 types)
{
    u64 at = BLOCK_X * elements_of_block + THREAD_X, end = at - THREAD_X + elements_of_block;
    float sum = 0;
    end = end < elements ? end : elements;
    if (what == SUM) {
#pragma unroll 4
        for (; at < end; at += 256)
            sum += load1<E>(a, at, types, 0);
    } else {
#pragma unroll 1
        for (; at < end; at += 256)
            sum += term(what, load1<E>(a, at, types, 0), load1<E>(b, at, types, 1), s);
    }
    sum = over_block(sum);
    if (THREAD_X == 0)
        ((float *)workspace)[BLOCK_X] = sum;
}

#define TOTAL(type, E) \
    KERNEL __launch_bounds__(256) total_##type(void *workspace, const void *a, const void *b, \
        u64 elements, u64 elements_of_block, float s, u32 what, u32 types) \
    { \
        total<E>(workspace, a, b, elements, elements_of_block, s, what, types); \
    }

KERNEL __launch_bounds__(256) total_finish_any(void *y, const void *workspace, u32 parts,
                                               float scale, u32 types)
{
    float sum = 0;
#pragma unroll 4
    for (u32 i = THREAD_X; i < parts; i += 256)
        sum += ((const float *)workspace)[i];
    sum = over_block(sum);
    if (THREAD_X == 0)
        store1<ANY>(y, 0, types, 0, sum * scale);
}

/* ---- the parts of a product that was cut along k ---- */

/* Four columns' summands, four of them under way at a time. */
INLINE f32x4 sum_splits(const float *from, u64 part, u32 splits)
{
    f32x4 sum = {0, 0, 0, 0}, x[4];
#pragma unroll 1
    for (s32 left = splits; left > 0; left -= 4) {
#pragma unroll
        for (int i = 0; i < 4; i++, from += part)
            x[i] = i < left ? *(const f32x4 *)from : f32x4{0, 0, 0, 0};
        sum = sum + x[0] + x[1] + x[2] + x[3];
    }
    return sum;
}

/* The columns of a row one by one, where they are not aligned. */
INLINE void finish_columns(const epilogue &e, const float *from, u64 part, u32 splits, u32 row,
                           u32 column)
{
#pragma unroll 1
    for (u32 j = 0; j < 4 && column + j < e.n; j++) {
        float sum = from[j];
#pragma unroll 4
        for (u32 i = 1; i < splits; i++)
            sum += from[i * part + j];
        finish1(e, row, column + j, sum);
    }
}

/* Rows that follow each other without a gap need no number where nobody asks for it: to find
 * one by dividing takes longer than the sum. */
KERNEL __launch_bounds__(256) split_sum(const float *workspace, void *c, const void *bias,
    const void *mask, u32 m, u32 n, u32 ldc, u32 ldmask, u64 stride_c, u64 stride_mask,
    u32 splits, u32 flags)
{
    u32 quads = (n + 3) / 4, at = BLOCK_X * 256 + THREAD_X, row, column;
    u64 part = (u64)m * n, c_at = (u64)at * 4, mask_at = c_at;
    bool flat = n % 4 == 0 && ldc == n && (ldmask == n || !has_mask(flags)) && !has_bias(flags);
    epilogue e = {c, bias, mask, m, n, ldc, ldmask, flags};

    if (at >= quads * m)
        return;
    if (BLOCK_Z > 0) {
        workspace += BLOCK_Z * splits * part;
        e.c = (u8 *)c + BLOCK_Z * stride_c * element_bytes(c_element(flags));
        e.mask = (const u8 *)mask + BLOCK_Z * stride_mask * element_bytes(mask_element(flags));
    }
    if (flat) {
        finish4(e, c_at, mask_at, sum_splits(workspace + c_at, part, splits));
        return;
    }
    row = at / quads;
    column = (at - row * quads) * 4;
    workspace += (u64)row * n + column;
    if (by_fours(e)) {
        f32x4 sum = sum_splits(workspace, part, splits);
        if (has_bias(flags))
            sum += load4_any(bias_element(flags), bias, column);
        finish4(e, (u64)row * ldc + column, (u64)row * ldmask + column, sum);
    } else {
        finish_columns(e, workspace, part, splits, row, column);
    }
}

COLUMN_SUM(f32, F32)
COLUMN_SUM(f16, F16)
COLUMN_SUM(bf16, BF16)
COLUMN_SUM(any, ANY)
LAYERNORM_WEIGHTS(f32, F32)
LAYERNORM_WEIGHTS(any, ANY)
TOTAL(f32, F32)
TOTAL(any, ANY)
