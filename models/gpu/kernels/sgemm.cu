/* sgemm.cu - products of f32 matrices on FP32 lanes.
 *
 *     global --> registers --> two tiles in shared memory, k by k --> up to 8 x 8 numbers a lane
 *
 * A warp has 4 x 8 lanes; each lane has blocks of 4 x 4 sums, DOWN of them 16 rows apart and
 * ACROSS of them 32 columns apart, so that its numbers of a and of b come 16 bytes at a time:
 *
 *           lane 0 2 4 .. 14   0 2 4 .. 14    b: columns, ACROSS times 32
 *     a:  0      + + +    +    + + +    +
 *         1      + + +    +    + + +    +
 *        16      + + +    +    + + +    +
 *        17      + + +    +    + + +    +
 *         0      + + +    +    + + +    +     DOWN times 16 rows
 *         ..
 *
 * Neighbours (0 and 1) share b's numbers, those two apart (0 and 2) share a's: then shared
 * memory serves half a warp at once.
 *
 * For small tiles SLICES groups of warps share each tile's k; their sums are added at the end.
 *
 * Numbers come from global memory one at a time, so nothing need be aligned: by 8 of k and 4
 * rows a warp where rows run along k, else by 32 neighbours.  Tiles lie in shared memory with k
 * down; rows have four numbers more than they need, so that what comes by k goes to different
 * banks.
 */
#include "gemm.cuh"

INLINE u64 ahead(u64 from, u32 bytes, int times)
{
    u64 to;
    asm volatile("mad.wide.u32 %0, %1, %2, %3;" : "=l"(to) : "r"(bytes), "i"(times), "l"(from));
    return to;
}

/* If there are more rows and more numbers of the row than those given; else 0. */
INLINE void load_number(u32 &w, u64 from, s32 down, int rows, s32 along, int numbers)
{
    asm volatile("{.reg .pred p, q; setp.gt.s32 q, %2, %3; setp.gt.and.s32 p, %4, %5, q; "
                 "mov.b32 %0, 0; @p ld.global.b32 %0, [%1+%6];}"
                 : "=&r"(w) : "l"(from), "r"(down), "i"(rows), "r"(along), "i"(numbers),
                   "i"(numbers * 4));
}

/* Where one operand's tile is in global memory: OUTER (m or n) by BK.  A thread's numbers are
 * `wide` steps of 8 of k (or one), times `high` rows. */
template <bool BY_K, int OUTER, int BK, int THREADS> struct singles {
    static const int lanes = BY_K ? 8 : OUTER;          /* side by side */
    static const int rows_at_once = THREADS / lanes;
    static const int wide = BY_K ? BK / 8 : 1;
    static const int high = (BY_K ? OUTER : BK) / rows_at_once;
    static_assert(high * rows_at_once == (BY_K ? OUTER : BK), "each thread has as many");

    u64 from;           /* this thread's first number of the tile at hand */
    u32 apart, step;    /* bytes from one of its rows to the next; to the next tile */
    s32 along, down;    /* numbers of the row, and rows, that are left from there on */

    static METHOD u32 row() { return THREAD_X / lanes; }
    static METHOD u32 lane() { return THREAD_X % lanes; }

    METHOD void begin(const void *base, u64 offset, u32 ld, u32 first, u32 outer,
                      u32 k, u32 k_end)
    {
        u32 k_first = k + (BY_K ? lane() : row());
        u32 outer_first = first + (BY_K ? row() : lane());
        u64 at = BY_K ? (u64)outer_first * ld + k_first : (u64)k_first * ld + outer_first;
        from = (u64)(__attribute__((address_space(1))) const u8 *)base + (offset + at) * 4;
        apart = rows_at_once * 4 * ld;
        step = BY_K ? BK * 4 : BK * 4 * ld;
        along = BY_K ? k_end - k_first : outer - outer_first;
        down = BY_K ? outer - outer_first : k_end - k_first;
    }

    METHOD void next()
    {
        from = ahead(from, step, 1);
        (BY_K ? along : down) -= BK;
    }
};

template <bool BY_K, int OUTER, int BK, int THREADS> struct operand {
    typedef singles<BY_K, OUTER, BK, THREADS> where;
    static const int pitch = OUTER + 4;

    where from;
    u32   held[where::high][where::wide];
    u32   to;

    METHOD void begin()
    {
        to = BY_K ? (where::lane() * pitch + where::row()) * 4
                  : (where::row() * pitch + where::lane()) * 4;
    }

    METHOD void load()
    {
#pragma unroll
        for (int i = 0; i < where::high; i++) {
            u64 at = ahead(from.from, from.apart, i);
#pragma unroll
            for (int j = 0; j < where::wide; j++)
                load_number(held[i][j], at, from.down, i * where::rows_at_once, from.along, j * 8);
        }
        from.next();
    }

    METHOD void store(u32 stage) const
    {
#pragma unroll
        for (int i = 0; i < where::high; i++)
#pragma unroll
            for (int j = 0; j < where::wide; j++)
                asm volatile("st.shared.b32 [%0+%2], %1;" :: "r"(stage + to), "r"(held[i][j]),
                             "i"((BY_K ? i * where::rows_at_once + j * 8 * pitch
                                       : i * where::rows_at_once * pitch) * 4) : "memory");
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

template <int BM, int BN, int BK, int DOWN, int ACROSS, int SLICES> struct sums {
    static const int warp_rows = DOWN * 16, warp_columns = ACROSS * 32;
    static const int warps_n = BN / warp_columns, warps = BM / warp_rows * warps_n;
    static const int threads = warps * SLICES * 32;
    static const int slices = BK / SLICES, products = DOWN * ACROSS * 16;
    static const int pitch_a = BM + 4, pitch_b = BN + 4;
    static const int a_bytes = BK * pitch_a * 4, stage_bytes = a_bytes + BK * pitch_b * 4;

    static const int rows_each = 16 / SLICES;           /* that a group stores, of 16 */

    float a[2][DOWN * 4], b[2][ACROSS * 4];     /* of this k and the next */
    float c[DOWN * 4][ACROSS * 4];
    u32   from_a, from_b;

    static METHOD u32 row_of(u32 lane) { return (lane % 2 + lane / 16 * 2) * 4; }
    static METHOD u32 column_of(u32 lane) { return lane / 2 % 8 * 4; }

    METHOD void begin()
    {
        u32 warp = THREAD_X / 32 % warps, lane = THREAD_X % 32;
        u32 k = THREAD_X / 32 / warps * slices;
        from_a = (k * pitch_a + warp / warps_n * warp_rows + row_of(lane)) * 4;
        from_b = a_bytes + (k * pitch_b + warp % warps_n * warp_columns + column_of(lane)) * 4;
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
        u32 warp = thread / 32 % warps, lane = thread % 32, group = thread / 32 / warps;
        typedef slice<16, warp_columns> lies;
        float *first = (float *)(shared_bytes + warp * lies::bytes);
        float *at = first + group * (warps * lies::bytes / 4)
                  + row_of(lane) * lies::pitch + column_of(lane);
        float *mine = first + group * rows_each * lies::pitch;
        row += warp / warps_n * warp_rows + group * rows_each;
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
            if (SLICES > 1)
                add_groups(mine, lane);
            sync_warp();
            finish_slice<rows_each, warp_columns>(e, mine, row + d * 16, column, lane, fours, bias);
            SLICES > 1 ? sync_block() : sync_warp();
        }
    }

    /* The rows of this group's share, of all groups in order. */
    static METHOD void add_groups(float *mine, u32 lane)
    {
        typedef slice<16, warp_columns> lies;
        const u32 lanes = warp_columns / 4;
        sync_block();
#pragma unroll
        for (u32 r = 0; r < rows_each; r += 32 / lanes) {
            float *at = mine + (r + lane / lanes) * lies::pitch + lane % lanes * 4;
            f32x4 x = *(f32x4 *)at;
#pragma unroll
            for (int g = 1; g < SLICES; g++)
                x += *(f32x4 *)(at + g * (warps * lies::bytes / 4));
            *(f32x4 *)at = x;
        }
    }
};

template <class S, bool TA, bool TB, int BM, int BN, int BK> struct by_registers
    : relay<S, operand<!TA, BM, BK, S::threads>, operand<TB, BN, BK, S::threads>> {};

#define THREADS(BM, BN, DOWN, ACROSS, SLICES) \
    ((BM) / ((DOWN) * 16) * ((BN) / ((ACROSS) * 32)) * (SLICES) * 32)
#define SGEMM(form, TA, TB, BM, BN, BK, DOWN, ACROSS, SLICES, AN_SM) \
    typedef by_registers<sums<BM, BN, BK, DOWN, ACROSS, SLICES>, TA, TB, BM, BN, BK> \
        way_##form##_##BM##x##BN##x##BK; \
    GEMM_KERNEL(sgemm_##form##_##BM##x##BN##x##BK##_a1, \
                THREADS(BM, BN, DOWN, ACROSS, SLICES), \
                AN_SM / THREADS(BM, BN, DOWN, ACROSS, SLICES), \
                way_##form##_##BM##x##BN##x##BK, BM, BN, BK)
#define FORMS(...) \
    SGEMM(nn, false, false, __VA_ARGS__) \
    SGEMM(nt, false, true,  __VA_ARGS__) \
    SGEMM(tn, true,  false, __VA_ARGS__)
#define ALL_FORMS(...) FORMS(__VA_ARGS__) SGEMM(tt, true, true, __VA_ARGS__)

/* What a vendor's library has for Volta and Ampere, by the names that it launches (NeuSight's
 * column `kernel`; its 128x64 is by column, 64 x 128 here; sliced1x4: four groups of warps).
 *             block     blocks of a lane  groups  threads that are to fit an SM */
FORMS    (128, 128,  8,  2, 2,  1,   512)
FORMS    ( 64, 128,  8,  2, 2,  1,   512)
FORMS    (128,  32,  8,  1, 1,  1,   768)
FORMS    ( 32, 128,  8,  1, 1,  1,   768)
FORMS    ( 32, 128, 16,  2, 2,  4,   512)
SGEMM(nn, false, false, 32, 64, 32, 2, 1, 4, 768)
SGEMM(nt, false, true,  32, 64, 32, 2, 1, 4, 768)
SGEMM(tn, true,  false, 32, 64, 32, 2, 1, 4, 512)
ALL_FORMS( 32,  32, 32,  2, 1,  4,   640)
