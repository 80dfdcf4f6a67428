/* gemm80.cu - products of matrices on the tensor cores of sm_80 and later.
 *
 *     global --cp.async--> STAGES tiles in shared memory --ldmatrix--> fragments --mma--> sums
 *
 * While the products of one k-slice of 16 are issued, the fragments of the next are loaded,
 * and the tile that is STAGES - 1 ahead is on its way from global memory.  Each warp has WM x
 * WN of the block's BM x BN.  Rows that are not aligned to 16 bytes go through registers, two
 * tiles in shared memory.
 *
 * ldmatrix reads eight chunks below each other at a time, which would all be in the same
 * banks; so chunk c of row r stands where chunk c ^ swizzle(r) would (rows of 64 bytes share a
 * line of 128 bytes by two):
 *
 *     rows of 128 bytes and more                rows of 64 bytes
 *     r 0:  0 1 2 3 4 5 6 7                     r 0, 1:  0 1 2 3   0 1 2 3
 *     r 1:  1 0 3 2 5 4 7 6                     r 2, 3:  1 0 3 2   1 0 3 2
 *     r 2:  2 3 0 1 6 7 4 5                     r 4, 5:  2 3 0 1   2 3 0 1
 *     ...                                       r 6, 7:  3 2 1 0   3 2 1 0
 */
#include "gemm.cuh"

template <int ROWS, int COLUMNS> struct swizzled {
    static const int row_bytes = COLUMNS * 2, bytes = ROWS * row_bytes;

    static METHOD u32 at(u32 row, u32 chunk)
    {
        u32 swizzle = row_bytes >= 128 ? row & 7 : row >> 1 & 3;
        return row * row_bytes + ((chunk ^ swizzle) << 4);
    }
};

/* An operand whose tiles go past the registers. */
template <class LIES, bool BY_K, int OUTER, int BK, int THREADS> struct direct {
    typedef source<2, BY_K, OUTER, BK, THREADS> where;
    static const int copies = where::copies;
    static_assert(where::rows_at_once % 8 == 0, "a thread's chunks are swizzled alike");

    where from;
    u32   to;

    METHOD void begin() { to = LIES::at(where::row(), where::chunk()); }

    METHOD void copy(int i, u32 stage) const
    {
        asm volatile("cp.async.cg.shared.global [%0+%3], [%1], 16, %2;"
                     :: "r"(stage + to), "l"(from.at(i)), "r"(from.left(i) > 0 ? 16 : 0),
                        "i"(i * where::rows_at_once * LIES::row_bytes) : "memory");
    }
};

INLINE void copies_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int LEFT> INLINE void copies_wait()
{
    asm volatile("cp.async.wait_group %0;" :: "n"(LEFT) : "memory");
}

#define LDMATRIX(form) \
    asm volatile("ldmatrix.sync.aligned.m8n8.x4" form ".shared.b16 {%0,%1,%2,%3}, [%4+%5];" \
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) \
                 : "r"(from), "i"(offset) : "memory")

template <bool TRANSPOSED> INLINE void load_matrices(u32 r[4], u32 from, int offset)
{
    if (TRANSPOSED)
        LDMATRIX(".trans");
    else
        LDMATRIX("");
}

#define MMA(type) \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 " \
                 "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};" \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

template <element E> INLINE void multiply_add(float c[4], const u32 a[4], const u32 b[2])
{
    if (E == F16)
        MMA("f16");
    else
        MMA("bf16");
}

/* The fragments of one operand of a warp: COUNT blocks of 16 (m or n) by a slice of 16 k, of
 * this slice and the next. */
template <bool IS_A, bool BY_K, int COUNT, class LIES, int SLICES> struct fragments {
    u32 offset[BY_K ? SLICES : COUNT];      /* in a stage */
    u32 r[2][COUNT][4];

    /* Which row of 16 bytes this lane gives to ldmatrix.  Of a, the matrices go down m, then
     * along k; of b along k, then down n, so that each pair of registers is one fragment. */
    METHOD void begin(u32 first)
    {
        u32 lane = THREAD_X % 32, low = lane & 7, mid = lane >> 3 & 1, high = lane >> 4;
        u32 outer = (IS_A ? mid : high) * 8, inner = IS_A ? high : mid;
        if (BY_K) {
#pragma unroll
            for (int s = 0; s < SLICES; s++)
                offset[BY_K ? s : 0] = LIES::at(first + outer + low, inner + s * 2);
        } else {
#pragma unroll
            for (int i = 0; i < COUNT; i++)
                offset[BY_K ? 0 : i] = LIES::at(inner * 8 + low, (first + outer) / 8 + i * 2);
        }
    }

    METHOD void load(int buffer, int i, int slice, u32 stage)
    {
        if (BY_K)
            load_matrices<false>(r[buffer][i], stage + offset[BY_K ? slice : 0],
                                 i * 16 * LIES::row_bytes);
        else
            load_matrices<true>(r[buffer][i], stage + offset[BY_K ? 0 : i],
                                slice * 16 * LIES::row_bytes);
    }
};

/* How a warp's fragments and sums go on, whichever way tiles come to shared memory. */
template <element E, bool TA, bool TB, int BM, int BN, int BK, int WM, int WN> struct sums {
    static const int warps_n = BN / WN, threads = BM / WM * warps_n * 32;
    static const int slices = BK / 16, mi = WM / 16, ni = WN / 16;
    static const int products = mi * ni * 2, loads = mi + ni;
    typedef swizzled<TA ? BK : BM, TA ? BM : BK> lies_a;
    typedef swizzled<TB ? BN : BK, TB ? BK : BN> lies_b;
    static const int a_bytes = lies_a::bytes, stage_bytes = a_bytes + lies_b::bytes;

    fragments<true, !TA, mi, lies_a, slices> a;
    fragments<false, TB, ni, lies_b, slices> b;
    float c[mi][ni * 2][4];

    METHOD void begin()
    {
        u32 warp = THREAD_X / 32;
        a.begin(warp / warps_n * WM);
        b.begin(warp % warps_n * WN);
#pragma unroll
        for (int i = 0; i < products * 4; i++)
            (&c[0][0][0])[i] = 0;
    }

    METHOD void load(int i, int slice, u32 stage)
    {
        if (i < mi)
            a.load(slice % 2, i, slice, stage);
        else
            b.load(slice % 2, i - mi, slice, stage + a_bytes);
    }

    METHOD void load_first(u32 stage)
    {
#pragma unroll
        for (int i = 0; i < loads; i++)
            load(i, 0, stage);
    }

    /* Product number p of a slice; before it, in the first half of the slice, the loads that
     * are due of the next slice's fragments, from `stage`.  There and back along n: the last
     * fragment of b is used again at once. */
    METHOD void step(int slice, int p, u32 stage)
    {
#pragma unroll
        for (int l = 0; l < loads; l++)
            if (l * products / (2 * loads) == p)
                load(l, (slice + 1) % slices, stage);
        int i = p / (ni * 2), along = p % (ni * 2), j = i % 2 ? ni * 2 - 1 - along : along;
        multiply_add<E>(c[i][j], a.r[slice % 2][i], b.r[slice % 2][j / 2] + j % 2 * 2);
    }

    /* Sums of two neighbours lie in a lane, eight rows below each other in four registers. */
    METHOD void finish(const epilogue &e, u32 row, u32 column, u32 thread)
    {
        u32 warp = thread / 32, lane = thread % 32;
        const int pitch = slice<32, WN>::pitch;
        float *mine = (float *)(shared_bytes + warp * slice<32, WN>::bytes);
        float *at = mine + lane / 4 * pitch + lane % 4 * 2;
        row += warp / warps_n * WM;
        column += warp % warps_n * WN;
        bool fours = by_fours(e);
        f32x4 bias = bias_of<WN>(e, column, lane, fours);
#pragma unroll
        for (int i = 0; i < mi; i += 2) {
#pragma unroll
            for (int j = 0; j < ni * 4; j++) {
                const float *x = c[i + j / (ni * 2)][j % (ni * 2)];
                float *to = at + j / (ni * 2) * 16 * pitch + j % (ni * 2) * 8;
                *(f32x2 *)to = f32x2{x[0], x[1]};
                *(f32x2 *)(to + 8 * pitch) = f32x2{x[2], x[3]};
            }
            sync_warp();
            finish_slice<32, WN>(e, mine, row + i * 16, column, lane, fours, bias);
            sync_warp();
        }
    }
};

/* Tiles that go past the registers, STAGES - 1 of them under way. */
template <element E, bool TA, bool TB, int BM, int BN, int BK, int WM, int WN, int STAGES>
struct pipeline {
    typedef sums<E, TA, TB, BM, BN, BK, WM, WN> products;
    static const int stage_bytes = products::stage_bytes, last = stage_bytes * (STAGES - 1);

    products s;
    direct<typename products::lies_a, !TA, BM, BK, products::threads> a;
    direct<typename products::lies_b, TB, BN, BK, products::threads> b;
    u32 base, read, write;          /* stages: their offsets */

    METHOD void begin(const problem &q, const share &mine)
    {
        begin_sources(a.from, b.from, q, mine);
        a.begin();
        b.begin();
        base = shared_base();
        read = write = 0;
#pragma unroll 1
        for (int t = 0; t < STAGES - 1; t++) {
#pragma unroll
            for (int i = 0; i < a.copies + b.copies; i++)
                copy(i);
            copied();
        }
        s.begin();
        copies_wait<STAGES - 2>();
        sync_block();
        s.load_first(base);
    }

    METHOD void copy(int i)
    {
        if (i < a.copies)
            a.copy(i, base + write);
        else
            b.copy(i - a.copies, base + write + s.a_bytes);
    }

    METHOD void copied()
    {
        copies_commit();
        a.from.next();
        b.from.next();
        write = write == last ? 0 : write + stage_bytes;
    }

    /* In the first slice of a tile the copies of a tile to come are between the products;
     * before the last one the next tile must be there, for the loads of its first slice. */
    METHOD void one_tile()
    {
        const int copies = a.copies + b.copies;
#pragma unroll
        for (int slice = 0; slice < s.slices; slice++) {
            if (slice == s.slices - 1) {
                copies_wait<STAGES - 2>();
                sync_block();
                read = read == last ? 0 : read + stage_bytes;
            }
#pragma unroll
            for (int p = 0; p < s.products; p++) {
#pragma unroll
                for (int i = 0; i < copies; i++)
                    if (slice == 0 && i * s.products / copies == p)
                        copy(i);
                s.step(slice, p, base + read);
            }
            if (slice == 0)
                copied();
        }
    }

    METHOD void end()
    {
        copies_wait<0>();
        sync_block();
    }
};

/* Aligned to 16 bytes. */
#define DIRECT(type, E, form, TA, TB, BM, BN, BK, WM, WN, STAGES, A) \
    typedef pipeline<E, TA, TB, BM, BN, BK, WM, WN, STAGES> \
        way_##type##_##form##_##BM##x##BN##_a##A; \
    GEMM_KERNEL(gemm_##type##_##form##_##BM##x##BN##x##BK##_a##A, BM / WM * (BN / WN) * 32, 1, \
                way_##type##_##form##_##BM##x##BN##_a##A, BM, BN, BK)

/* Aligned to no more than an element. */
template <class S, bool TA, bool TB, int BM, int BN, int BK> struct by_registers
    : relay<S, staged<2, typename S::lies_a, !TA, BM, BK, S::threads>,
               staged<2, typename S::lies_b, TB, BN, BK, S::threads>> {};

#define RELAY(type, E, form, TA, TB, BM, BN, BK, WM, WN, STAGES, A) \
    typedef by_registers<sums<E, TA, TB, BM, BN, BK, WM, WN>, TA, TB, BM, BN, BK> \
        way_##type##_##form##_##BM##x##BN##_a##A; \
    GEMM_KERNEL(gemm_##type##_##form##_##BM##x##BN##x##BK##_a##A, \
                BM / WM * (BN / WN) * 32, 1, way_##type##_##form##_##BM##x##BN##_a##A, \
                BM, BN, BK)

#define FORMS(X, type, E, ...) \
    X(type, E, nn, false, false, __VA_ARGS__) \
    X(type, E, nt, false, true,  __VA_ARGS__) \
    X(type, E, tn, true,  false, __VA_ARGS__)
#define ALL_FORMS(X, type, E, ...) \
    FORMS(X, type, E, __VA_ARGS__) \
    X(type, E, tt, true, true, __VA_ARGS__)

/*                                 block           warp  stages, align */
#define TILES(type, E) \
    FORMS    (DIRECT, type, E,  256, 128, 32,  64, 64,  5, 8) \
    FORMS    (DIRECT, type, E,  128, 128, 32,  64, 64,  5, 8) \
    FORMS    (DIRECT, type, E,  128,  64, 64,  64, 32,  3, 8) \
    FORMS    (DIRECT, type, E,   64, 128, 64,  32, 64,  3, 8) \
    ALL_FORMS(DIRECT, type, E,   64,  64, 64,  32, 32,  3, 8) \
    FORMS    (DIRECT, type, E,   32, 128, 64,  32, 32,  3, 8) \
    ALL_FORMS(RELAY,  type, E,   64,  64, 32,  32, 32,  2, 1)

TILES(f16, F16)
TILES(bf16, BF16)
