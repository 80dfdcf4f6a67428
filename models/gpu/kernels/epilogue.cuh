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

INLINE float relu(float x) { return x > 0 ? x : 0; }
INLINE float keep(float mask, float x) { return mask > 0 ? x : 0; }

/* Four columns of one row; all are inside, and aligned to four elements. */
INLINE void finish4(const epilogue &e, u64 c_at, u64 mask_at, f32x4 x)
{
    if (has_relu(e.flags))
        x = f32x4{relu(x.x), relu(x.y), relu(x.z), relu(x.w)};
    if (has_mask(e.flags)) {
        f32x4 k = load4_any(mask_element(e.flags), e.mask, mask_at);
        x = f32x4{keep(k.x, x.x), keep(k.y, x.y), keep(k.z, x.z), keep(k.w, x.w)};
    }
    store4_any(c_element(e.flags), e.c, c_at, x);
}

INLINE void finish1(const epilogue &e, u32 row, u32 column, float x)
{
    if (has_bias(e.flags))
        x += load_any(bias_element(e.flags), e.bias, column);
    if (has_relu(e.flags))
        x = relu(x);
    if (has_mask(e.flags))
        x = keep(load_any(mask_element(e.flags), e.mask, (u64)row * e.ldmask + column), x);
    store_any(c_element(e.flags), e.c, (u64)row * e.ldc + column, x);
}

/* Whether the columns of a row can go four at a time. */
INLINE bool by_fours(const epilogue &e)
{
    bool mask = !has_mask(e.flags) || e.ldmask % 4 == 0;
    return e.n % 4 == 0 && e.ldc % 4 == 0 && mask;
}

/* A slice's rows lie so far apart (in floats) that eight rows of two neighbours by each of
 * four lanes, as the tensor cores leave them, fall into different banks. */
template <int ROWS, int COLUMNS> struct slice {
    static const int pitch = COLUMNS + 8;
    static const int bytes = ROWS * pitch * 4;
};

/* Stores the rows from `row` on of a slice that this warp has filled: the four columns of a
 * lane that begin at `column` + `at`, with their bias; or if they cannot go together, every
 * 32nd column a lane, one by one. */
template <int ROWS, int COLUMNS>
INLINE void finish_slice(const epilogue &e, const float *from, u32 row, u32 column, u32 lane,
                         bool fours, f32x4 bias)
{
    const u32 lanes = COLUMNS / 4, pitch = slice<ROWS, COLUMNS>::pitch;
    u32 rows = row < e.m ? min_u32(e.m - row, ROWS) : 0, at = lane % lanes * 4;

    if (fours) {
        u32 r = lane / lanes;
        u64 c_at = (u64)(row + r) * e.ldc + column + at;
        u64 mask_at = (u64)(row + r) * e.ldmask + column + at;
        const float *x = from + r * pitch + at;
        if (column + at >= e.n)
            rows = 0;
#pragma unroll 1
        for (; r < rows; r += 32 / lanes, x += 32 / lanes * pitch) {
            finish4(e, c_at, mask_at, *(const f32x4 *)x + bias);
            c_at += 32 / lanes * e.ldc;
            mask_at += 32 / lanes * e.ldmask;
        }
    } else {
        u32 columns = column < e.n ? min_u32(e.n - column, COLUMNS) : 0;
#pragma unroll 1
        for (u32 r = 0; r < rows; r++)
#pragma unroll 1
            for (u32 i = lane; i < columns; i += 32)
                finish1(e, row + r, column + i, from[r * pitch + i]);
    }
}

template <int COLUMNS> INLINE f32x4 bias_of(const epilogue &e, u32 column, u32 lane, bool fours)
{
    u32 at = column + lane % (COLUMNS / 4) * 4;
    if (fours && has_bias(e.flags) && at < e.n)
        return load4_any(bias_element(e.flags), e.bias, at);
    return f32x4{0, 0, 0, 0};
}

#endif
