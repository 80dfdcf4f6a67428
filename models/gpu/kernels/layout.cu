/* layout.cu - moves elements and computes nothing. */
#include "cuda.cuh"

/* A block turns 32 x 32 elements round in shared memory; its rows have one word more than
 * they need, so that a column of them goes to 32 different banks. */
template <class T> INLINE void transpose_tile(void *y, const void *x, u32 rows, u32 columns)
{
    static __shared__ u32 tile[32][33];
    u32 lane = THREAD_X % 32, warp = THREAD_X / 32;
    u32 left = BLOCK_X * 32, top = BLOCK_Y * 32;
    u64 matrix = (u64)BLOCK_Z * rows * columns;
    const T *from = (const T *)x + matrix;
    T *to = (T *)y + matrix;

#pragma unroll
    for (u32 i = 0; i < 32; i += 8)
        if (top + warp + i < rows && left + lane < columns)
            tile[warp + i][lane] = from[(u64)(top + warp + i) * columns + left + lane];
    sync_block();
#pragma unroll
    for (u32 i = 0; i < 32; i += 8)
        if (left + warp + i < columns && top + lane < rows)
            to[(u64)(left + warp + i) * rows + top + lane] = tile[lane][warp + i];
}

KERNEL __launch_bounds__(256) transpose(void *y, const void *x, u32 rows, u32 columns,
                                        u32 element_bytes)
{
    if (element_bytes == 4)
        transpose_tile<u32>(y, x, rows, columns);
    else
        transpose_tile<u16>(y, x, rows, columns);
}

/* 16 bytes a thread; the last ones one by one. */
KERNEL __launch_bounds__(256) copy(void *y, const void *x, u64 bytes)
{
    u64 at = ((u64)BLOCK_X * 256 + THREAD_X) * 16;
    if (at + 16 <= bytes)
        *(u32x4 *)((u8 *)y + at) = *(const u32x4 *)((const u8 *)x + at);
    else
#pragma unroll 1
        for (; at < bytes; at++)
            ((u8 *)y)[at] = ((const u8 *)x)[at];
}

KERNEL __launch_bounds__(256) fill(void *y, u64 bytes, u32 word)
{
    u64 at = ((u64)BLOCK_X * 256 + THREAD_X) * 16;
    if (at + 16 <= bytes)
        *(u32x4 *)((u8 *)y + at) = u32x4{word, word, word, word};
    else
#pragma unroll 1
        for (; at < bytes; at++)
            ((u8 *)y)[at] = word >> (at % 4 * 8);
}
