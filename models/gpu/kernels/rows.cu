/* rows.cu - softmax, layernorm, their gradients, and cross entropy: each row by itself, in
 * several passes.
 *
 * A row belongs to a warp (four of them in a block), or if it is long to a block of eight.
 * The passes read it again from memory: it stays in L1 where it fits.
 */
#include "math.cuh"
#include "vector.cuh"

INLINE float other_lane(float x, int distance)
{
    return __nvvm_shfl_sync_bfly_f32(0xffffffff, x, distance, 0x1f);
}

struct sum     { static METHOD float of(float a, float b) { return a + b; } };
struct maximum { static METHOD float of(float a, float b) { return largest(a, b); } };

/* Of the x of a block's eight warps, in each thread, once a warp agrees on its own. */
template <class HOW> INLINE float over_warps(float x)
{
    static __shared__ float part[8];
    sync_block();
    if (THREAD_X % 32 == 0)
        part[THREAD_X / 32] = x;
    sync_block();
    x = part[0];
#pragma unroll
    for (int i = 1; i < 8; i++)
        x = HOW::of(x, part[i]);
    return x;
}

/* Who works on a row together: THREADS of them, 32 or 256. */
template <int THREADS> struct team {
    static METHOD u32 row() { return THREADS == 32 ? BLOCK_X * 4 + THREAD_X / 32 : BLOCK_X; }
    static METHOD u32 first() { return THREADS == 32 ? THREAD_X % 32 : THREAD_X; }

    /* Of all their x, in each of them.  Always in the same order. */
    template <class HOW> static METHOD float all(float x)
    {
#pragma unroll
        for (int d = 16; d; d /= 2)
            x = HOW::of(x, other_lane(x, d));
        return THREADS == 32 ? x : over_warps<HOW>(x);
    }
};

/* What every kernel here is given. */
struct row_of {
    void *y;
    const void *a, *b, *c;
    void *mean, *rstd;
    u32 columns;
    float s;
    u32 types;
    u64 row;
};

/* Operand numbers in `types`. */
enum { Y, A, B, C, MEAN, RSTD };

template <int E> INLINE float a_at(const row_of &r, u32 i)
{
    return load1<E>(r.a, r.row * r.columns + i, r.types, A);
}

template <int E> INLINE float b_at(const row_of &r, u32 i)
{
    return load1<E>(r.b, r.row * r.columns + i, r.types, B);
}

template <int E> INLINE void set_y(const row_of &r, u32 i, float x)
{
    store1<E>(r.y, r.row * r.columns + i, r.types, Y, x);
}

#define EACH_COLUMN(i) \
    _Pragma("unroll 1") for (u32 i = team<T>::first(); i < r.columns; i += T)

/* The greatest of a row, and the sum of all exp(a - greatest). */
template <int E, int T> INLINE float greatest(const row_of &r)
{
    float m = -__builtin_inff();
    EACH_COLUMN(i)
        m = largest(m, a_at<E>(r, i));
    return team<T>::template all<maximum>(m);
}

template <int E, int T> INLINE float sum_of_exp(const row_of &r, float m)
{
    float s = 0;
    EACH_COLUMN(i)
        s += exp_of(a_at<E>(r, i) - m);
    return team<T>::template all<sum>(s);
}

template <int E, int T> struct softmax {
    static METHOD void run(const row_of &r)
    {
        float m = greatest<E, T>(r), scale = 1 / sum_of_exp<E, T>(r, m);
        EACH_COLUMN(i)
            set_y<E>(r, i, exp_of(a_at<E>(r, i) - m) * scale);
    }
};

template <int E, int T> struct softmax_grad {
    static METHOD void run(const row_of &r)
    {
        float s = 0;
        EACH_COLUMN(i)
            s += a_at<E>(r, i) * b_at<E>(r, i);
        s = team<T>::template all<sum>(s);
        EACH_COLUMN(i)
            set_y<E>(r, i, b_at<E>(r, i) * (a_at<E>(r, i) - s));
    }
};

template <int E, int T> struct layernorm {
    static METHOD void run(const row_of &r)
    {
        float sum_a = 0, squares = 0;
        EACH_COLUMN(i)
            sum_a += a_at<E>(r, i);
        float mean = team<T>::template all<sum>(sum_a) / r.columns;
        EACH_COLUMN(i) {
            float d = a_at<E>(r, i) - mean;
            squares += d * d;
        }
        float variance = team<T>::template all<sum>(squares) / r.columns;
        float rstd = 1 / root(variance + r.s);
        EACH_COLUMN(i)
            set_y<E>(r, i, (a_at<E>(r, i) - mean) * rstd * load1<E>(r.b, i, r.types, B)
                         + load1<E>(r.c, i, r.types, C));
        if (team<T>::first() == 0) {
            store1<E>(r.mean, r.row, r.types, MEAN, mean);
            store1<E>(r.rstd, r.row, r.types, RSTD, rstd);
        }
    }
};

template <int E, int T> struct layernorm_grad {
    static METHOD void run(const row_of &r)
    {
        float mean = load1<E>(r.mean, r.row, r.types, MEAN);
        float rstd = load1<E>(r.rstd, r.row, r.types, RSTD), sum_d = 0, sum_dh = 0;
        EACH_COLUMN(i) {
            float d = a_at<E>(r, i) * load1<E>(r.c, i, r.types, C);
            sum_d += d;
            sum_dh += d * ((b_at<E>(r, i) - mean) * rstd);
        }
        sum_d = team<T>::template all<sum>(sum_d) / r.columns;
        sum_dh = team<T>::template all<sum>(sum_dh) / r.columns;
        EACH_COLUMN(i) {
            float d = a_at<E>(r, i) * load1<E>(r.c, i, r.types, C);
            float h = (b_at<E>(r, i) - mean) * rstd;
            set_y<E>(r, i, rstd * (d - (sum_d + h * sum_dh)));
        }
    }
};

/* What the target says of column i: a distribution a row, or the class (i32). */
template <int E> INLINE float target(const row_of &r, u32 i)
{
    if (type_of(r.types, B) == I32)
        return (u32)((const s32 *)r.b)[r.row] == i ? 1 : 0;
    return b_at<E>(r, i);
}

template <int E, int T> struct softmax_cross_entropy {
    static METHOD void run(const row_of &r)
    {
        float m = greatest<E, T>(r), s = sum_of_exp<E, T>(r, m), right = 0;
        EACH_COLUMN(i) {
            float t = target<E>(r, i);
            float a = a_at<E>(r, i);        /* in any case: no branch on t */
            right += t == 0 ? 0 : t * a;
        }
        right = team<T>::template all<sum>(right);
        if (team<T>::first() == 0)
            ((float *)r.y)[r.row] = m + log_of(s) - right;
    }
};

template <int E, int T> struct softmax_cross_entropy_grad {
    static METHOD void run(const row_of &r)
    {
        float m = greatest<E, T>(r), scale = 1 / sum_of_exp<E, T>(r, m);
        EACH_COLUMN(i)
            set_y<E>(r, i, (exp_of(a_at<E>(r, i) - m) * scale - target<E>(r, i)) * r.s);
    }
};

template <class DO, int T> INLINE void do_row(row_of r, u32 rows)
{
    if (team<T>::row() >= rows)
        return;
    r.row = team<T>::row();
    DO::run(r);
}

#define ROW_KERNEL(name, E, type, way, T, BLOCK) \
    KERNEL __launch_bounds__(BLOCK) name##_##way##_##type(void *y, const void *a, const void *b, \
        const void *c, void *mean, void *rstd, u32 rows, u32 columns, float s, u32 types) \
    { \
        do_row<name<E, T>, T>({y, a, b, c, mean, rstd, columns, s, types, 0}, rows); \
    }
#define WAYS(name, E, type) \
    ROW_KERNEL(name, E, type, warp, 32, 128) \
    ROW_KERNEL(name, E, type, block, 256, 256)
#define TYPES(name) WAYS(name, F32, f32) WAYS(name, ANY, any)

TYPES(softmax)
TYPES(softmax_grad)
TYPES(layernorm)
TYPES(layernorm_grad)
TYPES(softmax_cross_entropy)
TYPES(softmax_cross_entropy_grad)
