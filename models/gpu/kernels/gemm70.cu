/* gemm70.cu - products of f16 matrices on the tensor cores of sm_70.
 *
 *     global --> registers --> two tiles in shared memory --wmma.load--> fragments --> sums
 *
 * The tile to come is loaded while this one is multiplied.  A fragment is loaded again for the
 * next slice of 16 k as soon as its last product of this slice is issued: fragments of Volta
 * hold each element twice, and two sets of them would not fit beside the sums.
 *
 *     products of a slice    a0: b0 b1 b2 b3    then a0 is loaded again,
 *                            a1: b0 b1 b2 b3    a1,
 *                            a2: b0 b1 b2 b3    a2,
 *                            a3: b0 b1 b2 b3    and b0 to b3 after one product each, then a3
 *
 * wmma.load wants rows that are evenly spaced, so no swizzle: rows are some elements longer
 * than what they hold.  A lane of Volta takes its part of a fragment in one of two ways, and
 * eight (or with 8 bytes sixteen) neighbours at a time should ask different banks:
 *
 *     along k       2 x 16 bytes of a row: of a 4 rows and the 4 that are 8 below at a time,
 *                   always in pairs in the same banks; of b just 4 rows
 *     across k      4 x 8 bytes of a row, 4 rows at a time: 16 elements more let them miss
 *                   each other
 *
 * So where only the left operand runs along k (nn), the product is made as its transpose, with
 * left and right exchanged.  In nt nothing helps.
 */
#include "gemm.cuh"

template <int ROWS, int COLUMNS, bool BY_K> struct padded {
    static const int pitch = COLUMNS + (BY_K ? 8 : 16), row_bytes = pitch * 2, bytes = ROWS * row_bytes;

    static METHOD u32 at(u32 row, u32 chunk) { return row * row_bytes + chunk * 16; }
};

#define WMMA_LOAD(operand, layout) \
    asm volatile("wmma.load." operand ".sync.aligned." layout ".m16n16k16.shared.f16 " \
                 "{%0,%1,%2,%3,%4,%5,%6,%7}, [%8+%9], %10;" \
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]), \
                   "=r"(r[4]), "=r"(r[5]), "=r"(r[6]), "=r"(r[7]) \
                 : "r"(from), "i"(offset), "i"(pitch) : "memory")

/* As the left factor of wmma or the right one; rows in shared memory along k or across it. */
template <bool LEFT, bool BY_K> INLINE void load_fragment(u32 r[8], u32 from, int offset, int pitch)
{
    if (LEFT && BY_K)
        WMMA_LOAD("a", "row");
    else if (LEFT)
        WMMA_LOAD("a", "col");
    else if (BY_K)
        WMMA_LOAD("b", "col");
    else
        WMMA_LOAD("b", "row");
}

#define WMMA(layouts) \
    asm volatile("wmma.mma.sync.aligned." layouts ".m16n16k16.f32.f32 " \
                 "{%0,%1,%2,%3,%4,%5,%6,%7},{%8,%9,%10,%11,%12,%13,%14,%15}," \
                 "{%16,%17,%18,%19,%20,%21,%22,%23},{%0,%1,%2,%3,%4,%5,%6,%7};" \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), \
                   "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7]) \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), \
                   "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]), \
                   "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), \
                   "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]))

/* Of a left and a right fragment, each in memory along k or across it. */
template <bool LEFT_BY_K, bool RIGHT_BY_K>
INLINE void multiply_add(float c[8], const u32 a[8], const u32 b[8])
{
    if (LEFT_BY_K && RIGHT_BY_K)
        WMMA("row.col");
    else if (LEFT_BY_K)
        WMMA("row.row");
    else if (RIGHT_BY_K)
        WMMA("col.col");
    else
        WMMA("col.row");
}

#define WMMA_STORE(layout) \
    asm volatile("wmma.store.d.sync.aligned." layout ".m16n16k16.shared.f32 [%8+%9], " \
                 "{%0,%1,%2,%3,%4,%5,%6,%7}, %10;" \
                 :: "f"(x[0]), "f"(x[1]), "f"(x[2]), "f"(x[3]), \
                    "f"(x[4]), "f"(x[5]), "f"(x[6]), "f"(x[7]), "r"(to), \
                    "i"(offset), "i"(pitch) : "memory")

template <bool TURNED> INLINE void store_sums(const float x[8], u32 to, int offset, int pitch)
{
    if (TURNED)
        WMMA_STORE("col");
    else
        WMMA_STORE("row");
}

template <bool TA, bool TB, int BM, int BN, int BK, int WM, int WN> struct sums {
    static const int warps_n = BN / WN, threads = BM / WM * warps_n * 32;
    static const int slices = BK / 16, mi = WM / 16, ni = WN / 16, products = mi * ni;
    static const bool turned = !TA && !TB;         /* left and right exchanged */
    typedef padded<TA ? BK : BM, TA ? BM : BK, !TA> lies_a;
    typedef padded<TB ? BN : BK, TB ? BK : BN, TB> lies_b;
    static const int a_bytes = lies_a::bytes, stage_bytes = a_bytes + lies_b::bytes;

    u32   a[mi][8], b[ni][8];
    float c[mi][ni][8];
    u32   warp_m, warp_n;

    METHOD void begin()
    {
        u32 warp = THREAD_X / 32;
        warp_m = warp / warps_n * WM;
        warp_n = warp % warps_n * WN;
#pragma unroll
        for (int i = 0; i < products * 8; i++)
            (&c[0][0][0])[i] = 0;
    }

    /* `slice` of the tile at `stage`; block i of the warp's rows or columns. */
    METHOD void load_a(int i, int slice, u32 stage)
    {
        const int across = TA ? lies_a::row_bytes : 2, down = TA ? 2 : lies_a::row_bytes;
        load_fragment<!turned, !TA>(a[i], stage + warp_m * down,
                                 i * 16 * down + slice * 16 * across, lies_a::pitch);
    }

    METHOD void load_b(int i, int slice, u32 stage)
    {
        const int across = TB ? 2 : lies_b::row_bytes, down = TB ? lies_b::row_bytes : 2;
        load_fragment<turned, TB>(b[i], stage + a_bytes + warp_n * down,
                                 i * 16 * down + slice * 16 * across, lies_b::pitch);
    }

    METHOD void load_first(u32 stage)
    {
#pragma unroll
        for (int i = 0; i < ni; i++)
            load_b(i, 0, stage);
#pragma unroll
        for (int i = 0; i < mi; i++)
            load_a(i, 0, stage);
    }

    METHOD void step(int slice, int p, u32 stage)
    {
        int i = p / ni, j = p % ni, next = (slice + 1) % slices;
        if (turned)
            multiply_add<TB, !TA>(c[i][j], b[j], a[i]);
        else
            multiply_add<!TA, TB>(c[i][j], a[i], b[j]);
        if (i == mi - 1)
            load_b(j, next, stage);
        if (j == ni - 1)
            load_a(i, next, stage);
    }

    METHOD void finish(const epilogue &e, u32 row, u32 column, u32 thread)
    {
        u32 warp = thread / 32, lane = thread % 32;
        const int pitch = slice<32, WN>::pitch;
        float *mine = (float *)(shared_bytes + warp * slice<32, WN>::bytes);
        u32 to = shared_base() + warp * slice<32, WN>::bytes;
        row += warp / warps_n * WM;
        column += warp % warps_n * WN;
        bool fours = by_fours(e);
        f32x4 bias = bias_of<WN>(e, column, lane, fours);
#pragma unroll
        for (int i = 0; i < mi; i += 2) {
#pragma unroll
            for (int j = 0; j < ni * 2; j++) {
                int offset = (j / ni * 16 * pitch + j % ni * 16) * 4;
                store_sums<turned>(c[i + j / ni][j % ni], to, offset, pitch);
            }
            sync_warp();
            finish_slice<32, WN>(e, mine, row + i * 16, column, lane, fours, bias);
            sync_warp();
        }
    }
};

template <class S, bool TA, bool TB, int BM, int BN, int BK, int PIECE> struct by_registers
    : relay<S, staged<PIECE, typename S::lies_a, !TA, BM, BK, S::threads>,
               staged<PIECE, typename S::lies_b, TB, BN, BK, S::threads>> {};

#define RELAY(form, TA, TB, BM, BN, BK, WM, WN, A) \
    typedef by_registers<sums<TA, TB, BM, BN, BK, WM, WN>, TA, TB, BM, BN, BK, A * 2> \
        way_##form##_##BM##x##BN##_a##A; \
    GEMM_KERNEL(gemm_f16_##form##_##BM##x##BN##x##BK##_a##A, BM / WM * (BN / WN) * 32, 1, \
                way_##form##_##BM##x##BN##_a##A, BM, BN, BK)
#define FORMS(...) \
    RELAY(nn, false, false, __VA_ARGS__) \
    RELAY(nt, false, true,  __VA_ARGS__) \
    RELAY(tn, true,  false, __VA_ARGS__)
#define ALL_FORMS(...) FORMS(__VA_ARGS__) RELAY(tt, true, true, __VA_ARGS__)

/*             block           warp  align */
FORMS    (256, 128, 32,  64, 64,  8)
FORMS    (128, 128, 32,  64, 64,  8)
FORMS    (128,  64, 32,  64, 32,  8)
FORMS    ( 64, 128, 32,  32, 64,  8)
ALL_FORMS( 64,  64, 32,  32, 32,  8)
FORMS    ( 32, 128, 32,  32, 32,  8)
FORMS    (128, 128, 32,  64, 64,  4)
ALL_FORMS( 64,  64, 32,  32, 32,  1)
