/* epilogue.cuh - what becomes of a product's sums: bias, relu, mask, rounding, storing.
 *
 * Sums lie in registers as the tensor cores want them, a few neighbours a lane.  A warp turns
 * some rows of its tile at a time round in shared memory of its own, and then has neighbours of
 * a row in neighbouring lanes, so that whole sectors are written:
 *
 *     registers --> slice of rows x columns f32 --> 4 columns a lane --> memory
 *
 * What is asked for is in `flags`; every thread of a grid takes the same way.
 */
#ifndef MODELS_GPU_KERNELS_EPILOGUE_CUH
#define MODELS_GPU_KERNELS_EPILOGUE_CUH

#include "number.cuh"

/* Of GPU_GEMM_... in kernels.h. */
INLINE u32  c_element(u32 flags) { return flags & 3; }
INLINE u32  bias_element(u32 flags) { return flags >> 2 & 3; }
INLINE u32  mask_element(u32 flags) { return flags >> 4 & 3; }
INLINE bool has_bias(u32 flags) { return flags >> 6 & 1; }
INLINE bool has_mask(u32 flags) { return flags >> 7 & 1; }
INLINE bool has_relu(u32 flags) { return flags >> 8 & 1; }

struct epilogue {
    void       *c;              /* of this batch number and split */
    const void *bias, *mask;
    u32         m, n, ldc, ldmask, flags;
};

INLINE u32 element_bytes(u32 e) { return e == F32 ? 4 : 2; }

INLINE float relu(bool wanted, float x) { return wanted && !(x > 0) ? 0 : x; }
INLINE float keep(float mask, float x) { return mask > 0 ? x : 0; }

/* Four columns of one row; all are inside, and aligned to four elements. */
INLINE void finish4(const epilogue &e, u32 row, u32 column, f32x4 x)
{
    bool r = has_relu(e.flags);
    x = f32x4{relu(r, x.x), relu(r, x.y), relu(r, x.z), relu(r, x.w)};
    if (has_mask(e.flags)) {
        f32x4 k = load4_any(mask_element(e.flags), e.mask, (u64)row * e.ldmask + column);
        x = f32x4{keep(k.x, x.x), keep(k.y, x.y), keep(k.z, x.z), keep(k.w, x.w)};
    }
    store4_any(c_element(e.flags), e.c, (u64)row * e.ldc + column, x);
}

INLINE void finish1(const epilogue &e, u32 row, u32 column, float x)
{
    x = relu(has_relu(e.flags), x);
    if (has_mask(e.flags))
        x = keep(load_any(mask_element(e.flags), e.mask, (u64)row * e.ldmask + column), x);
    store_any(c_element(e.flags), e.c, (u64)row * e.ldc + column, x);
}

/* A slice's rows lie so far apart (in floats) that eight rows of two neighbours by each of
 * four lanes, as the tensor cores leave them, fall into different banks. */
template <int ROWS, int COLUMNS> struct slice {
    static const int pitch = COLUMNS + 8;
    static const int bytes = ROWS * pitch * 4;
};

/* The columns of a slice that are a lane's: four neighbours if rows are aligned to them, else
 * every 32nd. */
template <int COLUMNS> INLINE u32 lane_column(bool aligned)
{
    u32 lane = THREAD_X % 32;
    return aligned ? lane % (COLUMNS / 4) * 4 : lane;
}

/* The bias of those columns; `column` is the slice's first. */
template <int COLUMNS> INLINE f32x4 bias_of(const epilogue &e, u32 column, bool aligned)
{
    f32x4 bias = {0, 0, 0, 0};
    u32 at = column + lane_column<COLUMNS>(aligned);
    if (!has_bias(e.flags))
        return bias;
    if (aligned)
        return at < e.n ? load4_any(bias_element(e.flags), e.bias, at) : bias;
#pragma unroll
    for (int i = 0; i < (COLUMNS + 31) / 32; i++)
        if (at + i * 32 < e.n)
            bias[i] = load_any(bias_element(e.flags), e.bias, at + i * 32);
    return bias;
}

/* Stores the rows from `row` on of a slice that this warp has filled. */
template <int ROWS, int COLUMNS>
INLINE void finish_slice(const epilogue &e, const float *from, u32 row, u32 column, f32x4 bias,
                         bool aligned)
{
    const u32 lanes = aligned ? COLUMNS / 4 : 32;
    u32 rows = row < e.m ? min_u32(e.m - row, ROWS) : 0, at = lane_column<COLUMNS>(aligned);

    if (aligned && column + at >= e.n)
        rows = 0;
#pragma unroll 1
    for (u32 r = THREAD_X % 32 / lanes; r < rows; r += 32 / lanes) {
        const float *x = from + r * slice<ROWS, COLUMNS>::pitch + at;
        if (aligned)
            finish4(e, row + r, column + at, *(const f32x4 *)x + bias);
        else
#pragma unroll
            for (u32 i = 0; i < (COLUMNS + 31) / 32; i++)
                if (at + i * 32 < COLUMNS && column + at + i * 32 < e.n)
                    finish1(e, row + r, column + at + i * 32, x[i * 32] + bias[i]);
    }
}

#endif
