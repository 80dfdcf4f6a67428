/* gemm80.cu - products of matrices on the tensor cores of sm_80 and later.
 *
 *     global --cp.async--> STAGES tiles in shared memory --ldmatrix--> fragments --mma--> sums
 *
 * While the products of one k-slice of 16 are issued, the fragments of the next are loaded,
 * and the tile that is STAGES - 1 ahead is on its way from global memory.  Each warp has WM x
 * WN of the block's BM x BN.
 *
 * A tile of a or b lies in shared memory as it does in global memory, in chunks of 16 bytes.
 * ldmatrix reads eight chunks below each other at a time, which would all be in the same
 * banks; so chunk c of row r stands where chunk c ^ swizzle(r) would (rows of 64 bytes share a
 * line of 128 bytes by two):
 *
 *     rows of 128 bytes and more                rows of 64 bytes
 *     r 0:  0 1 2 3 4 5 6 7                     r 0, 1:  0 1 2 3   0 1 2 3
 *     r 1:  1 0 3 2 5 4 7 6                     r 2, 3:  1 0 3 2   1 0 3 2
 *     r 2:  2 3 0 1 6 7 4 5                     r 4, 5:  2 3 0 1   2 3 0 1
 *     ...                                       r 6, 7:  3 2 1 0   3 2 1 0
 *
 * Rows past m and columns past n are read from the last one that there is and never stored;
 * k past the end is filled with zeros.
 */
#include "epilogue.cuh"

INLINE void copy16(u32 to, const void *from, u32 bytes)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :: "r"(to), "l"((u64)from), "r"(bytes) : "memory");
}

INLINE void copies_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int LEFT> INLINE void copies_wait()
{
    asm volatile("cp.async.wait_group %0;" :: "n"(LEFT) : "memory");
}

template <bool TRANSPOSED> INLINE void load_matrices(u32 r[4], u32 from)
{
    if (TRANSPOSED)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(from) : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(from) : "memory");
}

#define MMA(type) \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 " \
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

template <element E> INLINE void multiply_add(float c[4], const u32 a[4], const u32 b[2])
{
    if (E == F16)
        MMA("f16");
    else
        MMA("bf16");
}

/* A tile of ROWS x COLUMNS elements in shared memory, by chunks of eight. */
template <int ROWS, int COLUMNS> struct tile {
    static const int bytes = ROWS * COLUMNS * 2;
    static const int row_bytes = COLUMNS * 2;

    static METHOD u32 at(u32 row, u32 chunk)
    {
        u32 swizzle = row_bytes >= 128 ? row & 7 : row >> 1 & 3;
        return row * row_bytes + ((chunk ^ swizzle) << 4);
    }
};

/* One operand: OUTER (m or n) by BK.  BY_K: its rows run along k, else along m or n. */
template <bool BY_K, int OUTER, int BK, int THREADS> struct operand {
    static const int rows = BY_K ? OUTER : BK, columns = BY_K ? BK : OUTER;
    static const int chunks = columns / 8;              /* of a row */
    static const int rows_at_once = THREADS / chunks;
    static const int copies = rows / rows_at_once;      /* of a thread */
    typedef tile<rows, columns> lies;

    const u16 *from[BY_K ? copies : 1];     /* clamped: not evenly spaced at the end of m */
    u64        step, apart;                 /* elements to the next tile; between two copies */
    s32        k_left;                      /* before the end, from this thread's first chunk */
    u32        to;

    METHOD void begin(const void *base, u32 ld, u32 first, u32 outer, u32 k, u32 k_end)
    {
        u32 row = THREAD_X / chunks, chunk = THREAD_X % chunks;
        const u16 *p = (const u16 *)base;
        to = lies::at(row, chunk);
        if (BY_K) {
#pragma unroll
            for (int i = 0; i < copies; i++) {
                u32 r = min_u32(first + row + i * rows_at_once, outer - 1);
                from[BY_K ? i : 0] = p + (u64)r * ld + k + chunk * 8;
            }
            step = BK;
            k_left = k_end - k - chunk * 8;
        } else {
            u32 column = min_u32(first + chunk * 8, (outer - 1) & ~7u);
            from[0] = p + (u64)(k + row) * ld + column;
            step = (u64)BK * ld;
            apart = (u64)rows_at_once * ld;
            k_left = k_end - k - row;
        }
    }

    /* Copy number i of the tile at hand. */
    METHOD void copy(int i, u32 stage) const
    {
        u32 target = stage + to + i * rows_at_once * lies::row_bytes;
        if (BY_K)
            copy16(target, from[BY_K ? i : 0], min_s32(max_s32(k_left * 2, 0), 16));
        else
            copy16(target, from[0] + i * apart, k_left > i * rows_at_once ? 16 : 0);
    }

    METHOD void next()
    {
#pragma unroll
        for (int i = 0; i < (BY_K ? copies : 1); i++)
            from[i] += step;
        k_left -= BK;
    }
};

/* The fragments of one operand of a warp: COUNT blocks of 16 (m or n) by a slice of 16 k. */
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
            load_matrices<false>(r[buffer][i],
                                 stage + offset[BY_K ? slice : 0] + i * 16 * LIES::row_bytes);
        else
            load_matrices<true>(r[buffer][i],
                                stage + offset[BY_K ? 0 : i] + slice * 16 * LIES::row_bytes);
    }
};

template <element E, bool TA, bool TB, int BM, int BN, int BK, int WM, int WN, int STAGES>
struct product {
    static const int warps_n = BN / WN, threads = BM / WM * warps_n * 32;
    static const int slices = BK / 16, mi = WM / 16, ni = WN / 16;
    typedef operand<!TA, BM, BK, threads> operand_a;
    typedef operand<TB, BN, BK, threads> operand_b;
    static const int a_bytes = operand_a::lies::bytes;
    static const int stage_bytes = a_bytes + operand_b::lies::bytes;
    static const int all_bytes = STAGES * stage_bytes;

    operand_a a;
    operand_b b;
    fragments<true, !TA, mi, typename operand_a::lies, slices> fa;
    fragments<false, TB, ni, typename operand_b::lies, slices> fb;
    float c[mi][ni * 2][4];
    u32 base, read, write;                  /* stages: offset of the one at hand */

    static METHOD u32 after(u32 stage)
    {
        return stage + stage_bytes == all_bytes ? 0 : stage + stage_bytes;
    }

    METHOD void copy(int i)
    {
        if (i < operand_a::copies)
            a.copy(i, base + write);
        else
            b.copy(i - operand_a::copies, base + write + a_bytes);
    }

    METHOD void copied()
    {
        copies_commit();
        a.next();
        b.next();
        write = after(write);
    }

    METHOD void load(int i, int buffer, int slice)
    {
        if (i < mi)
            fa.load(buffer, i, slice, base + read);
        else
            fb.load(buffer, i - mi, slice, base + read + a_bytes);
    }

    /* The products of one slice; between them, early, the loads of the next slice's
     * fragments, and in the first slice of a tile the copies of a tile to come. */
    METHOD void step(int slice)
    {
        const int products = mi * ni * 2, loads = mi + ni;
        const int copies = slice == 0 ? operand_a::copies + operand_b::copies : 0;
#pragma unroll
        for (int p = 0; p < products; p++) {
#pragma unroll
            for (int l = 0; l < loads; l++)
                if (l * products / (2 * loads) == p)
                    load(l, (slice + 1) % 2, (slice + 1) % slices);
#pragma unroll
            for (int i = 0; i < copies; i++)
                if (i * products / copies == p)
                    copy(i);
            /* There and back along n: the last fragment of b is used again at once. */
            int i = p / (ni * 2), j = i % 2 ? ni * 2 - 1 - p % (ni * 2) : p % (ni * 2);
            multiply_add<E>(c[i][j], fa.r[slice % 2][i], fb.r[slice % 2][j / 2] + j % 2 * 2);
        }
    }

    METHOD void tiles(u32 count)
    {
        read = write = 0;
#pragma unroll
        for (int s = 0; s < STAGES - 1; s++) {
#pragma unroll
            for (int i = 0; i < operand_a::copies + operand_b::copies; i++)
                copy(i);
            copied();
        }
        copies_wait<STAGES - 2>();
        sync_block();
#pragma unroll
        for (int l = 0; l < mi + ni; l++)
            load(l, 0, 0);

#pragma unroll 1
        for (; count; count--) {
#pragma unroll
            for (int s = 0; s < slices; s++) {
                if (s == slices - 1) {
                    copies_wait<STAGES - 2>();
                    sync_block();
                    read = after(read);
                }
                step(s);
                if (s == 0)
                    copied();
            }
        }
        copies_wait<0>();
        sync_block();
    }

    METHOD void finish(const epilogue &e, u32 row, u32 column)
    {
        u32 warp = THREAD_X / 32, lane = THREAD_X % 32;
        float *mine = (float *)(shared_bytes + warp * slice<WN>::bytes);
        f32x4 bias = bias4(e, column + lane % (WN / 4) * 4);
#pragma unroll
        for (int i = 0; i < mi; i++) {
            float *at = mine + lane / 4 * slice<WN>::pitch + lane % 4 * 2;
#pragma unroll
            for (int j = 0; j < ni * 2; j++) {
                *(f32x2 *)(at + j * 8) = f32x2{c[i][j][0], c[i][j][1]};
                *(f32x2 *)(at + 8 * slice<WN>::pitch + j * 8) = f32x2{c[i][j][2], c[i][j][3]};
            }
            sync_warp();
            finish_slice<WN>(e, mine, row + i * 16, column, bias);
            sync_warp();
        }
    }
};

/* What all products are given; kernels.h says what it means. */
struct problem {
    const u16 *a, *b;
    void *c;
    const void *bias, *mask;
    u32 m, n, k, lda, ldb, ldc, ldmask;
    u64 stride_a, stride_b, stride_c, stride_mask;
    u32 splits, split_k, order, flags;
};

INLINE u32 element_bytes(u32 e) { return e == F32 ? 4 : 2; }

template <element E, bool TA, bool TB, int BM, int BN, int BK, int WM, int WN, int STAGES>
INLINE void gemm(const problem &q)
{
    u32 tile_m = BLOCK_X >> q.order;
    u32 tile_n = (BLOCK_Y << q.order) + (BLOCK_X & ((1u << q.order) - 1));
    if (tile_n * BN >= q.n)
        return;

    u32 z = BLOCK_Z, batch = z, split = 0;
    if (q.splits > 1) {
        batch = z / q.splits;
        split = z - batch * q.splits;
    }
    u32 k = split * q.split_k, k_end = min_u32(q.k, k + q.split_k);

    product<E, TA, TB, BM, BN, BK, WM, WN, STAGES> p;
    u32 warp = THREAD_X / 32, warp_m = warp / p.warps_n * WM, warp_n = warp % p.warps_n * WN;
    p.base = shared_base();
    p.a.begin(q.a + batch * q.stride_a, q.lda, tile_m * BM, q.m, k, k_end);
    p.b.begin(q.b + batch * q.stride_b, q.ldb, tile_n * BN, q.n, k, k_end);
    p.fa.begin(warp_m);
    p.fb.begin(warp_n);
#pragma unroll
    for (int i = 0; i < p.mi * p.ni * 2 * 4; i++)
        (&p.c[0][0][0])[i] = 0;
    p.tiles((k_end - k + BK - 1) / BK);

    epilogue e = {(u8 *)q.c + z * q.stride_c * element_bytes(c_element(q.flags)), q.bias,
                  (const u8 *)q.mask + batch * q.stride_mask * element_bytes(mask_element(q.flags)),
                  q.m, q.n, q.ldc, q.ldmask, q.flags};
    p.finish(e, tile_m * BM + warp_m, tile_n * BN + warp_n);
}

#define GEMM(name, type, form, E, TA, TB, BM, BN, BK, WM, WN, STAGES) \
    KERNEL __launch_bounds__(BM / WM * (BN / WN) * 32) \
    gemm_##type##_##form##_##BM##x##BN##x##BK##_a8( \
        const u16 *a, const u16 *b, void *c, const void *bias, const void *mask, \
        u32 m, u32 n, u32 k, u32 lda, u32 ldb, u32 ldc, u32 ldmask, \
        u64 stride_a, u64 stride_b, u64 stride_c, u64 stride_mask, \
        u32 splits, u32 split_k, u32 order, u32 flags) \
    { \
        gemm<E, TA, TB, BM, BN, BK, WM, WN, STAGES>({a, b, c, bias, mask, m, n, k, lda, ldb, \
            ldc, ldmask, stride_a, stride_b, stride_c, stride_mask, splits, split_k, order, \
            flags}); \
    }
#define FORMS(type, E, ...) \
    GEMM(, type, nn, E, false, false, __VA_ARGS__) \
    GEMM(, type, nt, E, false, true,  __VA_ARGS__) \
    GEMM(, type, tn, E, true,  false, __VA_ARGS__)
#define TYPES(...) FORMS(f16, F16, __VA_ARGS__) FORMS(bf16, BF16, __VA_ARGS__)

TYPES(128, 128, 32, 64, 64, 4)
