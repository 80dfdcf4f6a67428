/* epilogue.cuh - what becomes of a product's sums: bias, relu, mask, rounding, storing.
 *
 * Sums lie in registers as the tensor cores want them, a few neighbours a lane.  A warp turns
 * 16 rows of its tile at a time round in shared memory of its own, and then has four
 * neighbours of a row in each lane, so that whole sectors are written:
 *
 *     registers --> slice of 16 x columns f32 --> 4 columns a lane --> memory
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

INLINE float relu(bool wanted, float x) { return wanted && !(x > 0) ? 0 : x; }
INLINE float keep(float mask, float x) { return mask > 0 ? x : 0; }

/* Four columns of one row; all are inside, and aligned to four elements. */
INLINE void finish4(const epilogue &e, u32 row, u32 column, f32x4 x, f32x4 bias)
{
    bool r = has_relu(e.flags);
    x += bias;
    x = f32x4{relu(r, x.x), relu(r, x.y), relu(r, x.z), relu(r, x.w)};
    if (has_mask(e.flags)) {
        f32x4 k = load4_any(mask_element(e.flags), e.mask, (u64)row * e.ldmask + column);
        x = f32x4{keep(k.x, x.x), keep(k.y, x.y), keep(k.z, x.z), keep(k.w, x.w)};
    }
    store4_any(c_element(e.flags), e.c, (u64)row * e.ldc + column, x);
}

INLINE void finish1(const epilogue &e, u32 row, u32 column, float x)
{
    if (has_bias(e.flags))
        x += load_any(bias_element(e.flags), e.bias, column);
    x = relu(has_relu(e.flags), x);
    if (has_mask(e.flags))
        x = keep(load_any(mask_element(e.flags), e.mask, (u64)row * e.ldmask + column), x);
    store_any(c_element(e.flags), e.c, (u64)row * e.ldc + column, x);
}

/* Whether four columns from `column` on can move at once. */
INLINE bool whole4(const epilogue &e, u32 column)
{
    bool aligned = e.ldc % 4 == 0 && (!has_mask(e.flags) || e.ldmask % 4 == 0);
    return aligned && column + 4 <= e.n;
}

INLINE f32x4 bias4(const epilogue &e, u32 column)
{
    if (has_bias(e.flags) && whole4(e, column))
        return load4_any(bias_element(e.flags), e.bias, column);
    return f32x4{0, 0, 0, 0};
}

/* A slice's rows lie so far apart (in floats) that eight rows of two neighbours by each of
 * four lanes, as the tensor cores leave them, fall into different banks. */
template <int COLUMNS> struct slice {
    static const int pitch = COLUMNS + 8;
    static const int bytes = 16 * pitch * 4;
};

/* Stores the 16 rows from `row` on of a slice that this warp has filled; `column` is that of
 * its first element, `bias` of the four columns that are this lane's. */
template <int COLUMNS>
INLINE void finish_slice(const epilogue &e, const float *from, u32 row, u32 column, f32x4 bias)
{
    const u32 lanes = COLUMNS / 4;
    u32 lane = THREAD_X % 32, at = lane % lanes * 4;
    bool whole = whole4(e, column + at);

#pragma unroll 1
    for (u32 r = lane / lanes; r < 16 && row + r < e.m; r += 32 / lanes) {
        const float *x = from + r * slice<COLUMNS>::pitch + at;
        if (whole) {
            finish4(e, row + r, column + at, *(const f32x4 *)x, bias);
        } else {
#pragma unroll 1
            for (u32 i = 0; i < 4 && column + at + i < e.n; i++)
                finish1(e, row + r, column + at + i, x[i]);
        }
    }
}

#endif
