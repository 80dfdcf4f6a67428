/* sgemm.cu - products of f32 matrices on FP32 lanes.
 *
 *     global --> registers --> two tiles in shared memory, k by k --> 8 + 8 numbers a lane
 *
 * A warp has 4 x 8 lanes; each lane has blocks of 4 x 4 sums, DOWN of them 16 rows apart and
 * ACROSS of them 32 columns apart, so that its numbers of a and of b come 16 bytes at a time:
 *
 *           lane 0 1 2 .. 7   0 1 2 .. 7      b: columns, ACROSS times 32
 *     a:  0      + + +    +   + + +    +
 *         8      + + +    +   + + +    +
 *        16      + + +    +   + + +    +
 *        24      + + +    +   + + +    +
 *         0      + + +    +   + + +    +      DOWN times 16 rows
 *         ..
 *
 * Tiles lie in shared memory with k down, so what comes by k is turned round on its way: four
 * numbers of a row to four rows.  Rows have four numbers more than they need, so that two
 * chunks of one row and 16 rows below each other go to different banks.
 */
#include "gemm.cuh"

template <int PIECE, bool BY_K, int OUTER, int BK, int THREADS> struct operand {
    typedef source<4, BY_K, OUTER, BK, THREADS> where;
    static const int pitch = OUTER + 4, bytes = BK * pitch * 4, copies = where::copies;

    where           from;
    chunk<4, PIECE> held[copies];
    u32             to;

    METHOD void begin()
    {
        to = BY_K ? (where::chunk() * 4 * pitch + where::row()) * 4
                  : (where::row() * pitch + where::chunk() * 4) * 4;
    }

    METHOD void load()
    {
#pragma unroll
        for (int i = 0; i < copies; i++)
            held[i].load(from.at(i), from.left(i));
        from.next();
    }

    METHOD void store(u32 stage) const
    {
#pragma unroll
        for (int i = 0; i < copies; i++) {
            const u32 *w = held[i].w;
            if (BY_K)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    asm volatile("st.shared.b32 [%0+%2], %1;" :: "r"(stage + to), "r"(w[e]),
                                 "i"((i * where::rows_at_once + e * pitch) * 4) : "memory");
            else
                store_chunk(stage + to, i * where::rows_at_once * pitch * 4,
                            w[0], w[1], w[2], w[3]);
        }
    }
};

INLINE void load4(float x[4], u32 from, int offset)
{
    asm volatile("ld.shared.v4.f32 {%0,%1,%2,%3}, [%4+%5];"
                 : "=f"(x[0]), "=f"(x[1]), "=f"(x[2]), "=f"(x[3])
                 : "r"(from), "i"(offset) : "memory");
}

/* Said so that a sum stays in its register through the loop. */
INLINE void multiply_add(float &c, float a, float b)
{
    asm volatile("fma.rn.f32 %0, %1, %2, %0;" : "+f"(c) : "f"(a), "f"(b));
}

template <int BM, int BN, int BK, int DOWN, int ACROSS> struct sums {
    static const int warp_rows = DOWN * 16, warp_columns = ACROSS * 32;
    static const int warps_n = BN / warp_columns;
    static const int threads = BM / warp_rows * warps_n * 32;
    static const int slices = BK, products = DOWN * ACROSS * 16;
    static const int pitch_a = BM + 4, pitch_b = BN + 4;
    static const int a_bytes = BK * pitch_a * 4, stage_bytes = a_bytes + BK * pitch_b * 4;

    float a[2][DOWN * 4], b[2][ACROSS * 4];     /* of this k and the next */
    float c[DOWN * 4][ACROSS * 4];
    u32   from_a, from_b;

    METHOD void begin()
    {
        u32 warp = THREAD_X / 32, lane = THREAD_X % 32;
        from_a = (warp / warps_n * warp_rows + lane / 8 * 4) * 4;
        from_b = a_bytes + (warp % warps_n * warp_columns + lane % 8 * 4) * 4;
#pragma unroll
        for (int i = 0; i < products; i++)
            (&c[0][0])[i] = 0;
    }

    METHOD void load(int i, int slice, u32 stage)
    {
        if (i < DOWN)
            load4(a[slice % 2] + i * 4, stage + from_a, (slice * pitch_a + i * 16) * 4);
        else
            load4(b[slice % 2] + (i - DOWN) * 4, stage + from_b,
                  (slice * pitch_b + (i - DOWN) * 32) * 4);
    }

    METHOD void load_first(u32 stage)
    {
#pragma unroll
        for (int i = 0; i < DOWN + ACROSS; i++)
            load(i, 0, stage);
    }

    /* There and back along n, so that one number of each product was in the one before. */
    METHOD void step(int slice, int p, u32 stage)
    {
        if (p < DOWN + ACROSS)
            load(p, (slice + 1) % slices, stage);
        int i = p / (ACROSS * 4), along = p % (ACROSS * 4);
        int j = i % 2 ? ACROSS * 4 - 1 - along : along;
        multiply_add(c[i][j], a[slice % 2][i], b[slice % 2][j]);
    }

    METHOD void finish(const epilogue &e, u32 row, u32 column, u32 thread)
    {
        u32 warp = thread / 32, lane = thread % 32;
        typedef slice<16, warp_columns> lies;
        float *mine = (float *)(shared_bytes + warp * lies::bytes);
        float *at = mine + lane / 8 * 4 * lies::pitch + lane % 8 * 4;
        row += warp / warps_n * warp_rows;
        column += warp % warps_n * warp_columns;
        bool fours = by_fours(e);
        f32x4 bias = bias_of<warp_columns>(e, column, lane, fours);
#pragma unroll
        for (int d = 0; d < DOWN; d++) {
#pragma unroll
            for (int r = 0; r < 4; r++)
#pragma unroll
                for (int j = 0; j < ACROSS; j++) {
                    const float *x = c[d * 4 + r] + j * 4;
                    *(f32x4 *)(at + r * lies::pitch + j * 32) = f32x4{x[0], x[1], x[2], x[3]};
                }
            sync_warp();
            finish_slice<16, warp_columns>(e, mine, row + d * 16, column, lane, fours, bias);
            sync_warp();
        }
    }
};

template <class S, bool TA, bool TB, int BM, int BN, int BK, int PIECE> struct by_registers
    : relay<S, operand<PIECE, !TA, BM, BK, S::threads>, operand<PIECE, TB, BN, BK, S::threads>> {};

#define SGEMM(form, TA, TB, BM, BN, BK, DOWN, ACROSS, A) \
    typedef by_registers<sums<BM, BN, BK, DOWN, ACROSS>, TA, TB, BM, BN, BK, A * 4> \
        way_##form##_##BM##x##BN##_a##A; \
    GEMM_KERNEL(sgemm_##form##_##BM##x##BN##x##BK##_a##A, \
                BM / (DOWN * 16) * (BN / (ACROSS * 32)) * 32, \
                BM + BN > 160 ? 512 / (BM / (DOWN * 16) * (BN / (ACROSS * 32)) * 32) : 7, \
                way_##form##_##BM##x##BN##_a##A, BM, BN, BK)
#define FORMS(...) \
    SGEMM(nn, false, false, __VA_ARGS__) \
    SGEMM(nt, false, true,  __VA_ARGS__) \
    SGEMM(tn, true,  false, __VA_ARGS__)
#define ALL_FORMS(...) FORMS(__VA_ARGS__) SGEMM(tt, true, true, __VA_ARGS__)

/* 512 threads on an SM may have 128 registers each; those with few threads need some more.
 *             block     blocks of a lane  align */
FORMS    (128, 128,  8,  2, 2,  4)
FORMS    (128,  64,  8,  2, 2,  4)
FORMS    ( 64,  64,  8,  2, 2,  4)
FORMS    ( 32, 128,  8,  2, 2,  4)
ALL_FORMS( 32,  32, 16,  1, 1,  4)
FORMS    (128, 128,  8,  2, 2,  1)
ALL_FORMS( 32,  32, 16,  1, 1,  1)
