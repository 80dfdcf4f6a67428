/* micro.cu - kernels that measure one thing of a chip each, on the model and on real ones.
 *
 * Every thread leaves a word in `sink` (so that nothing is left out as not needed), and the
 * first of each block the cycles that it took in `cycles`.  Loops are unrolled, so that their
 * own operations are few beside what is measured.
 */
#include "cuda.cuh"

#define UNROLL _Pragma("unroll")
#define ONE_BY_ONE _Pragma("unroll 1")

INLINE u64 clock_now()
{
    u64 t;
    asm volatile("mov.u64 %0, %%clock64;" : "=l"(t) :: "memory");
    return t;
}

INLINE void leave(u32 *sink, u64 *cycles, u32 word, u64 since)
{
    u64 took = clock_now() - since;
    sink[(u64)BLOCK_X * THREADS_X + THREAD_X] = word;
    if (THREAD_X == 0)
        cycles[BLOCK_X] = took;
}

/* ---- tensor cores: `loops` times 32 products on LINES sums ---- */

#define PRODUCTS(name, lines, sums, words_a, words_b, product) \
    KERNEL name(u32 *sink, u64 *cycles, u32 loops) \
    { \
        float c[lines][sums]; \
        u32 a[words_a], b[words_b]; \
        UNROLL \
        for (int i = 0; i < words_a; i++) \
            a[i] = THREAD_X; \
        UNROLL \
        for (int i = 0; i < words_b; i++) \
            b[i] = THREAD_X; \
        UNROLL \
        for (int i = 0; i < lines * sums; i++) \
            c[i / sums][i % sums] = 0; \
        u64 since = clock_now(); \
        ONE_BY_ONE \
        for (u32 n = 0; n < loops; n++) \
            UNROLL \
            for (int i = 0; i < 32; i++) \
                product(c[i % lines], a, b); \
        float sum = 0; \
        UNROLL \
        for (int i = 0; i < lines * sums; i++) \
            sum += c[i / sums][i % sums]; \
        leave(sink, cycles, as_bits(sum), since); \
    }

#define WMMA(c, a, b) \
    asm volatile("wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 " \
                 "{%0,%1,%2,%3,%4,%5,%6,%7},{%8,%9,%10,%11,%12,%13,%14,%15}," \
                 "{%16,%17,%18,%19,%20,%21,%22,%23},{%0,%1,%2,%3,%4,%5,%6,%7};" \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), \
                   "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7]) \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), \
                   "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]), \
                   "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), \
                   "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]))

#define MMA_K16(type) \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 " \
                 "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};" \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

#if __CUDA_ARCH__ >= 800

INLINE void mma_f16(float c[4], const u32 a[4], const u32 b[2]) { MMA_K16("f16"); }
INLINE void mma_bf16(float c[4], const u32 a[4], const u32 b[2]) { MMA_K16("bf16"); }

INLINE void mma_f16_k8(float c[4], const u32 a[2], const u32 b[1])
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
                 "{%0,%1,%2,%3},{%4,%5},{%6},{%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(b[0]));
}

INLINE void mma_tf32(float c[4], const u32 a[4], const u32 b[2])
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                 "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

PRODUCTS(mma_f16_chain,    1, 4, 4, 2, mma_f16)
PRODUCTS(mma_f16_rate,     8, 4, 4, 2, mma_f16)
PRODUCTS(mma_bf16_chain,   1, 4, 4, 2, mma_bf16)
PRODUCTS(mma_bf16_rate,    8, 4, 4, 2, mma_bf16)
PRODUCTS(mma_f16_k8_chain, 1, 4, 2, 1, mma_f16_k8)
PRODUCTS(mma_f16_k8_rate,  8, 4, 2, 1, mma_f16_k8)
PRODUCTS(mma_tf32_chain,   1, 4, 4, 2, mma_tf32)
PRODUCTS(mma_tf32_rate,    8, 4, 4, 2, mma_tf32)
#else       /* what runs on every chip is there once, for the oldest */

PRODUCTS(wmma_chain, 1, 8, 8, 8, WMMA)
PRODUCTS(wmma_rate,  8, 8, 8, 8, WMMA)

/* ---- latencies: each operation waits for the one before ---- */

/* Each loaded word of 8 bytes is the next address.  `warm` steps first, then `steps`; both
 * multiples of 16. */
#define CHASE(name, load) \
    INLINE u64 name##_steps(u64 at, u32 steps) \
    { \
        ONE_BY_ONE \
        for (u32 i = 0; i < steps; i += 16) \
            UNROLL \
            for (int j = 0; j < 16; j++) \
                asm volatile(load " %0, [%0];" : "+l"(at)); \
        return at; \
    } \
    KERNEL name(u32 *sink, u64 *cycles, u64 start, u32 warm, u32 steps) \
    { \
        u64 at = name##_steps(start, warm); \
        u64 since = clock_now(); \
        at = name##_steps(at, steps); \
        leave(sink, cycles, (u32)at, since); \
    }

CHASE(chase_l1, "ld.global.ca.u64")
CHASE(chase_l2, "ld.global.cg.u64")

/* The same in shared memory: a ring of 32 words that the kernel makes. */
KERNEL chase_shared(u32 *sink, u64 *cycles, u32 steps)
{
    static __shared__ u32 ring[32];
    u32 lane = THREAD_X % 32, base = (u32)(u64)(__attribute__((address_space(3))) u32 *)ring;
    ring[lane] = base + (lane + 1) % 32 * 4;
    sync_block();
    u64 since = clock_now();
    u32 at = base + lane * 4;
    ONE_BY_ONE
    for (u32 i = 0; i < steps; i += 16)
        UNROLL
        for (int j = 0; j < 16; j++)
            asm volatile("ld.shared.u32 %0, [%0];" : "+r"(at));
    leave(sink, cycles, at, since);
}

/* A loop of `count` of an operation on LINES numbers, each of which waits for its own last. */
#define ARITHMETIC(name, type, constraint, lines, count, operation) \
    KERNEL name(u32 *sink, u64 *cycles, u32 loops, type a) \
    { \
        type x[lines]; \
        UNROLL \
        for (int i = 0; i < lines; i++) \
            x[i] = (type)(THREAD_X + i); \
        u64 since = clock_now(); \
        ONE_BY_ONE \
        for (u32 n = 0; n < loops; n++) \
            UNROLL \
            for (int i = 0; i < count; i++) \
                asm volatile(operation : "+" constraint(x[i % lines]) : constraint(a)); \
        type sum = 0; \
        UNROLL \
        for (int i = 0; i < lines; i++) \
            sum += x[i]; \
        leave(sink, cycles, (u32)sum, since); \
    }

ARITHMETIC(fma_chain,  float, "f",  1, 128, "fma.rn.f32 %0, %0, %1, %1;")
ARITHMETIC(fma_rate,   float, "f", 16, 128, "fma.rn.f32 %0, %0, %1, %1;")
ARITHMETIC(add_chain,  u32,   "r",  1, 128, "add.u32 %0, %0, %1;")
ARITHMETIC(add_rate,   u32,   "r", 16, 128, "add.u32 %0, %0, %1;")
ARITHMETIC(imad_chain, u32,   "r",  1, 128, "mad.lo.u32 %0, %0, %1, %1;")
ARITHMETIC(ex2_chain,  float, "f",  1, 128, "{ex2.approx.ftz.f32 %0, %0; mul.f32 %0, %0, %1;}")
ARITHMETIC(ex2_rate,   float, "f", 16, 128, "ex2.approx.ftz.f32 %0, %0;")

/* ---- bandwidths ---- */

#define READ_CHUNK(load) \
    asm volatile(load ".v4.u32 {%0,%1,%2,%3}, [%4];" \
                 : "=r"(w[j][0]), "=r"(w[j][1]), "=r"(w[j][2]), "=r"(w[j][3]) \
                 : "l"(at + (u64)j * apart))

/* `repeats` times: chunks of 16 bytes from `from` on, `apart` bytes between two of a thread,
 * eight under way at a time.  `bytes` is a multiple of 8 * apart. */
#define READING(name, load) \
    INLINE u32 name##_all(u64 from, u64 bytes, u64 apart, u32 repeats) \
    { \
        u32 x[4] = {}; \
        ONE_BY_ONE \
        for (u32 n = 0; n < repeats; n++) \
            ONE_BY_ONE \
            for (u64 at = from; at < from + bytes; at += 8 * apart) { \
                u32 w[8][4]; \
                UNROLL \
                for (int j = 0; j < 8; j++) \
                    READ_CHUNK(load); \
                UNROLL \
                for (int j = 0; j < 8; j++) \
                    UNROLL \
                for (int i = 0; i < 4; i++) \
                    x[i] ^= w[j][i]; \
            } \
        return x[0] ^ x[1] ^ x[2] ^ x[3]; \
    }

READING(past_l1, "ld.global.cg")
READING(in_l1, "ld.global.ca")

INLINE u64 threads() { return (u64)BLOCKS_X * THREADS_X; }
INLINE u64 thread() { return (u64)BLOCK_X * THREADS_X + THREAD_X; }

/* The whole grid reads `bytes`, a multiple of 128 bytes times its threads: L2 or HBM. */
KERNEL read_memory(u32 *sink, u64 *cycles, u64 x, u64 bytes, u32 repeats)
{
    u64 since = clock_now();
    u32 word = past_l1_all(x + thread() * 16, bytes, threads() * 16, repeats);
    leave(sink, cycles, word, since);
}

/* Each block reads `bytes` of its own, a multiple of 128 bytes times its threads: L1. */
KERNEL read_l1(u32 *sink, u64 *cycles, u64 x, u64 bytes, u32 repeats)
{
    u64 since = clock_now();
    u32 word = in_l1_all(x + BLOCK_X * bytes + THREAD_X * 16, bytes, THREADS_X * 16, repeats);
    leave(sink, cycles, word, since);
}

/* Each thread reads 8 times 16 bytes of shared memory, THREADS_X * 16 apart (dynamic: 128
 * bytes a thread), `repeats` times. */
KERNEL read_shared(u32 *sink, u64 *cycles, u32 repeats)
{
    u32 base = shared_base() + THREAD_X * 16, apart = THREADS_X * 16, x[4] = {};
    UNROLL
    for (int j = 0; j < 8; j++)
        asm volatile("st.shared.v4.u32 [%0], {%1,%1,%1,%1};" :: "r"(base + j * apart), "r"(j));
    u64 since = clock_now();
    ONE_BY_ONE
    for (u32 n = 0; n < repeats; n++) {
        u32 w[8][4];
        UNROLL
        for (int j = 0; j < 8; j++)
            asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];"
                         : "=r"(w[j][0]), "=r"(w[j][1]), "=r"(w[j][2]), "=r"(w[j][3])
                         : "r"(base + j * apart));
        UNROLL
        for (int j = 0; j < 8; j++)
            UNROLL
            for (int i = 0; i < 4; i++)
                x[i] ^= w[j][i];
    }
    leave(sink, cycles, x[0] ^ x[1] ^ x[2] ^ x[3], since);
}

/* The whole grid writes, or copies, `bytes`, a multiple of 64 bytes times its threads. */
KERNEL write_memory(u32 *sink, u64 *cycles, u32x4 *y, u64 bytes, u32 repeats)
{
    u64 since = clock_now();
    ONE_BY_ONE
    for (u32 n = 0; n < repeats; n++)
        ONE_BY_ONE
        for (u64 i = thread(); i < bytes / 16; i += 4 * threads())
            UNROLL
            for (int j = 0; j < 4; j++)
                y[i + j * threads()] = u32x4{n, n, n, n};
    leave(sink, cycles, 0, since);
}

KERNEL copy_memory(u32 *sink, u64 *cycles, u32x4 *y, const u32x4 *x, u64 bytes, u32 repeats)
{
    u64 since = clock_now();
    ONE_BY_ONE
    for (u32 n = 0; n < repeats; n++)
        ONE_BY_ONE
        for (u64 i = thread(); i < bytes / 16; i += 4 * threads()) {
            u32x4 w[4];
            UNROLL
            for (int j = 0; j < 4; j++)
                w[j] = x[i + j * threads()];
            UNROLL
            for (int j = 0; j < 4; j++)
                y[i + j * threads()] = w[j];
        }
    leave(sink, cycles, 0, since);
}

/* ---- nothing but to be there ---- */

/* Issues and branches. */
KERNEL spin(u32 *sink, u64 *cycles, u32 loops)
{
    u64 since = clock_now();
    u32 n = loops;
    ONE_BY_ONE
    do
        asm volatile("add.u32 %0, %0, -1;" : "+r"(n));
    while (n);
    leave(sink, cycles, n, since);
}

KERNEL rest(u32 *sink, u64 *cycles, u32 loops)
{
    u64 since = clock_now();
    ONE_BY_ONE
    for (u32 n = 0; n < loops; n++)
        asm volatile("nanosleep.u32 1000;");
    leave(sink, cycles, 0, since);
}

#endif
