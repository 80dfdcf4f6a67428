/* gemm.cuh - what all products have in common: which tile is whose, how tiles of a and b come
 * to shared memory, and the loop over them.
 *
 * A tile of a or b comes in chunks of 16 bytes, which lie in its rows as in global memory:
 * by k (its rows run along k: a as it is, b transposed), or by m or n.  Each thread moves the
 * chunks of one column of chunks, evenly spaced:
 *
 *     thread 0  1  2  3 | 0  1  2  3       rows_at_once = threads / chunks of a row
 *            4  5  6  7 | ...
 *            0  1  2  3                     copies = rows / rows_at_once
 *
 * What lies past m, n or k is not read: zeros are put there.
 */
#ifndef MODELS_GPU_KERNELS_GEMM_CUH
#define MODELS_GPU_KERNELS_GEMM_CUH

#include "epilogue.cuh"

/* What every product is given; kernels.h says what it means. */
struct problem {
    const void *a, *b;
    void *c;
    const void *bias, *mask;
    u32 m, n, k, lda, ldb, ldc, ldmask;
    u64 stride_a, stride_b, stride_c, stride_mask;
    u32 splits, split_k, order, flags;
};

#define GEMM_PARAMS \
    const void *a, const void *b, void *c, const void *bias, const void *mask, \
    u32 m, u32 n, u32 k, u32 lda, u32 ldb, u32 ldc, u32 ldmask, \
    u64 stride_a, u64 stride_b, u64 stride_c, u64 stride_mask, \
    u32 splits, u32 split_k, u32 order, u32 flags
#define GEMM_PROBLEM \
    { a, b, c, bias, mask, m, n, k, lda, ldb, ldc, ldmask, \
      stride_a, stride_b, stride_c, stride_mask, splits, split_k, order, flags }

/* What the epilogue wants of the parameters, read again (see READ_AGAIN). */
#define U32_AGAIN(kernel, number) \
    ({ u32 again; \
       asm volatile("ld.param.u32 %0, [" #kernel "_param_" #number "];" : "=r"(again)); again; })
#define U64_AGAIN(kernel, number) \
    ({ u64 again; \
       asm volatile("ld.param.u64 %0, [" #kernel "_param_" #number "];" : "=l"(again)); again; })
#define POINTER_AGAIN(kernel, number) \
    ((void *)(__attribute__((address_space(1))) void *)U64_AGAIN(kernel, number))
#define GEMM_AGAIN(kernel) \
    { nullptr, nullptr, POINTER_AGAIN(kernel, 2), POINTER_AGAIN(kernel, 3), \
      POINTER_AGAIN(kernel, 4), U32_AGAIN(kernel, 5), U32_AGAIN(kernel, 6), 0, 0, 0, \
      U32_AGAIN(kernel, 10), U32_AGAIN(kernel, 11), 0, 0, U64_AGAIN(kernel, 14), \
      U64_AGAIN(kernel, 15), U32_AGAIN(kernel, 16), 0, U32_AGAIN(kernel, 18), \
      U32_AGAIN(kernel, 19) }

/* A kernel: what it is given, and a function that gives it again.  `blocks` of it are to fit an
 * SM, by their registers. */
#define GEMM_KERNEL(name, threads, blocks, WAY, BM, BN, BK) \
    struct again_##name { static METHOD problem get() { return GEMM_AGAIN(name); } }; \
    KERNEL __launch_bounds__(threads, blocks) name(GEMM_PARAMS) \
    { \
        gemm<WAY, again_##name>(GEMM_PROBLEM, BM, BN, BK); \
    }

/* Who this thread is. */
struct place { u32 thread, x, y, z; };

INLINE place here() { return {THREAD_X, BLOCK_X, BLOCK_Y, BLOCK_Z}; }

INLINE place here_again()
{
    return {READ_AGAIN("tid.x"), READ_AGAIN("ctaid.x"), READ_AGAIN("ctaid.y"),
            READ_AGAIN("ctaid.z")};
}

/* Which part of the problem is this block's. */
struct share {
    u32  row, column, k, k_end, batch;
    bool none;

    METHOD share(const problem &q, const place &p, u32 tile_m, u32 tile_n)
    {
        u32 along = (p.y << q.order) + (p.x & ((1u << q.order) - 1)), split = 0;
        row = (p.x >> q.order) * tile_m;
        column = along * tile_n;
        none = column >= q.n;
        batch = p.z;
        if (q.splits > 1) {
            batch = p.z / q.splits;
            split = p.z - batch * q.splits;
        }
        k = split * q.split_k;
        k_end = min_u32(q.k, k + q.split_k);
    }
};

INLINE epilogue epilogue_of(const problem &q, const share &s, const place &p)
{
    u64 c = p.z * q.stride_c, mask = s.batch * q.stride_mask;
    return {(u8 *)q.c + c * element_bytes(c_element(q.flags)), q.bias,
            (const u8 *)q.mask + mask * element_bytes(mask_element(q.flags)),
            q.m, q.n, q.ldc, q.ldmask, q.flags};
}

/* Where one operand's tile is in global memory: OUTER (m or n) by BK, of SIZE bytes each. */
template <int SIZE, bool BY_K, int OUTER, int BK, int THREADS> struct source {
    static const int rows = BY_K ? OUTER : BK, columns = BY_K ? BK : OUTER;
    static const int chunks = columns * SIZE / 16;      /* of a row */
    static const int rows_at_once = THREADS / chunks;
    static const int copies = rows / rows_at_once;      /* of a thread */
    static_assert(copies * rows_at_once == rows, "each thread has as many");

    u64 from;           /* this thread's first chunk of the tile at hand */
    u32 apart, step;    /* bytes from one of its chunks to the next; to the next tile */
    s32 along, down;    /* elements of the row, and rows, that are left from there on */

    static METHOD u32 row() { return THREAD_X / chunks; }
    static METHOD u32 chunk() { return THREAD_X % chunks; }

    METHOD void begin(const void *base, u64 offset, u32 ld, u32 first, u32 outer,
                      u32 k, u32 k_end)
    {
        u32 column = chunk() * (16 / SIZE), k_first = k + (BY_K ? column : row());
        u32 outer_first = first + (BY_K ? row() : column);
        u64 at = BY_K ? (u64)outer_first * ld + k_first : (u64)k_first * ld + outer_first;
        from = (u64)(__attribute__((address_space(1))) const u8 *)base + (offset + at) * SIZE;
        apart = rows_at_once * SIZE * ld;
        step = BY_K ? BK * SIZE : BK * SIZE * ld;
        along = BY_K ? k_end - k_first : outer - outer_first;
        down = BY_K ? outer - outer_first : k_end - k_first;
    }

    /* Where chunk i is: worked out where it is wanted, not kept. */
    METHOD u64 at(int i) const { return ahead(from, apart, i); }

    static METHOD u64 ahead(u64 from, u32 bytes, int times)
    {
        u64 to;
        asm volatile("mad.wide.u32 %0, %1, %2, %3;"
                     : "=l"(to) : "r"(bytes), "i"(times), "l"(from));
        return to;
    }

    /* How many of its elements there are, from the first on; <= 0: none. */
    METHOD s32 left(int i) const { return down > i * rows_at_once ? along : 0; }

    METHOD void next()
    {
        from = ahead(from, step, 1);
        (BY_K ? along : down) -= BK;
    }
};

/* A chunk that goes through registers: loaded while the tile before is multiplied, stored
 * after.  It comes in pieces of PIECE bytes, each of which is there or not; what is not is 0. */
template <int SIZE, int PIECE> struct chunk;

#define LOAD_IF(left, first, zero, load) \
    "{.reg .pred p; setp.gt.s32 p, " left ", " first "; " zero " @p ld.global." load ";}"

template <int SIZE> struct chunk<SIZE, 16> {
    u32 w[4];
    METHOD void load(u64 from, s32 left)
    {
        asm volatile(LOAD_IF("%5", "0", "mov.b32 %0, 0; mov.b32 %1, 0; mov.b32 %2, 0; "
                             "mov.b32 %3, 0;", "v4.b32 {%0,%1,%2,%3}, [%4]")
                     : "=&r"(w[0]), "=&r"(w[1]), "=&r"(w[2]), "=&r"(w[3]) : "l"(from), "r"(left));
    }
    METHOD u32 word(int i) const { return w[i]; }
};

template <int SIZE> struct chunk<SIZE, 8> {
    u32 w[4];
    METHOD void load(u64 from, s32 left)
    {
#pragma unroll
        for (int i = 0; i < 2; i++)
            asm volatile(LOAD_IF("%3", "%4", "mov.b32 %0, 0; mov.b32 %1, 0;",
                                 "v2.b32 {%0,%1}, [%2+%5]")
                         : "=&r"(w[i * 2]), "=&r"(w[i * 2 + 1])
                         : "l"(from), "r"(left), "i"(i * 8 / SIZE), "i"(i * 8));
    }
    METHOD u32 word(int i) const { return w[i]; }
};

template <int SIZE> struct chunk<SIZE, 4> {
    u32 w[4];
    METHOD void load(u64 from, s32 left)
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
            asm volatile(LOAD_IF("%2", "%3", "mov.b32 %0, 0;", "b32 %0, [%1+%4]")
                         : "=&r"(w[i]) : "l"(from), "r"(left), "i"(i * 4 / SIZE), "i"(i * 4));
    }
    METHOD u32 word(int i) const { return w[i]; }
};

template <int SIZE> struct chunk<SIZE, 2> {
    u16 h[8];
    METHOD void load(u64 from, s32 left)
    {
#pragma unroll
        for (int i = 0; i < 8; i++)
            asm volatile(LOAD_IF("%2", "%3", "mov.b16 %0, 0;", "b16 %0, [%1+%4]")
                         : "=&h"(h[i]) : "l"(from), "r"(left), "i"(i), "i"(i * 2));
    }
    METHOD u32 word(int i) const { return pack(h[i * 2], h[i * 2 + 1]); }
};

INLINE void store_chunk(u32 to, int offset, u32 w0, u32 w1, u32 w2, u32 w3)
{
    asm volatile("st.shared.v4.b32 [%0+%5], {%1,%2,%3,%4};"
                 :: "r"(to), "r"(w0), "r"(w1), "r"(w2), "r"(w3), "i"(offset) : "memory");
}

/* An operand of halves whose tiles go through registers to where LIES says. */
template <int PIECE, class LIES, bool BY_K, int OUTER, int BK, int THREADS> struct staged {
    typedef source<2, BY_K, OUTER, BK, THREADS> where;
    static const int copies = where::copies;
    static_assert(where::rows_at_once % 8 == 0, "a thread's chunks are swizzled alike");

    where           from;
    chunk<2, PIECE> held[copies];
    u32             to;

    METHOD void begin() { to = LIES::at(where::row(), where::chunk()); }

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
        for (int i = 0; i < copies; i++)
            store_chunk(stage + to, i * where::rows_at_once * LIES::row_bytes,
                        held[i].word(0), held[i].word(1), held[i].word(2), held[i].word(3));
    }
};

/* Sets both operands' sources to the block's first tile. */
template <class A, class B>
INLINE void begin_sources(A &a, B &b, const problem &q, const share &mine)
{
    a.begin(q.a, mine.batch * q.stride_a, q.lda, mine.row, q.m, mine.k, mine.k_end);
    b.begin(q.b, mine.batch * q.stride_b, q.ldb, mine.column, q.n, mine.k, mine.k_end);
}

/* Both operands' tiles through registers: loaded while the one before is multiplied, and
 * stored into the other of two places before its last slice. */
template <class PRODUCTS, class A, class B> struct relay {
    PRODUCTS s;
    A        a;
    B        b;
    u32      base, read;

    METHOD void begin(const problem &q, const share &mine)
    {
        begin_sources(a.from, b.from, q, mine);
        a.begin();
        b.begin();
        base = shared_base();
        read = PRODUCTS::stage_bytes;
        a.load();
        b.load();
        s.begin();
        turn();
        s.load_first(base + read);
    }

    METHOD void turn()
    {
        read = PRODUCTS::stage_bytes - read;
        a.store(base + read);
        b.store(base + read + PRODUCTS::a_bytes);
        sync_block();
    }

    METHOD void one_tile()
    {
        a.load();
        b.load();
#pragma unroll
        for (int slice = 0; slice < s.slices; slice++) {
            if (slice == s.slices - 1)
                turn();
#pragma unroll
            for (int p = 0; p < s.products; p++)
                s.step(slice, p, base + read);
        }
    }

    METHOD void end() { sync_block(); }
};

/* A block's whole work, its tiles coming by `WAY`. */
template <class WAY, class AGAIN>
INLINE void gemm(const problem &q, u32 tile_m, u32 tile_n, u32 tile_k)
{
    share mine(q, here(), tile_m, tile_n);
    if (mine.none)
        return;
    WAY way;
    way.begin(q, mine);
    u32 tiles = max_u32((mine.k_end - mine.k + tile_k - 1) / tile_k, 1);
#pragma unroll 1
    do
        way.one_tile();
    while (--tiles);
    way.end();

    problem late = AGAIN::get();
    place where = here_again();
    share what(late, where, tile_m, tile_n);
    way.s.finish(epilogue_of(late, what, where), what.row, what.column, where.thread);
}

#endif
