/* tensor.c - a row of eight sums at a time, as whole numbers of 32 bits.
 *
 * With the largest addend below 2^(e+1), each times 2^(23 + extra - e) has at most 26 bits
 * before the point; so 17 of them add in 32 bits.  A tile for which that does not do (with
 * infinities or NaNs, or sums with nothing but tiny addends) is done a sum at a time in 64.
 */
#include "models/gpu/execute_inside.h"

#include <math.h>
#include <string.h>

#include "models/gpu/tensor.h"
#include "models/numerics/half.h"

#define COLUMNS  8              /* at a time */
#define LEAST    27             /* exponent field of 2^-100: what the fast way takes */

struct gpu_tensor_form gpu_tensor_form(enum gpu_generation g, unsigned columns, unsigned k,
                                       bool is_tf32, bool half_sums)
{
    static const unsigned groups[] = { [GPU_SM_70] = 4, [GPU_SM_80] = 8, [GPU_SM_90] = 16 };
    static const unsigned of_tf32[] = { [GPU_SM_70] = 4, [GPU_SM_80] = 4, [GPU_SM_90] = 8 };
    static const unsigned extras[] = { [GPU_SM_70] = 0, [GPU_SM_80] = 1, [GPU_SM_90] = 2 };
    unsigned group = is_tf32 ? of_tf32[g] : groups[g];
    return (struct gpu_tensor_form){
        .columns = columns, .k = k, .group = group < k ? group : k, .extra = extras[g],
        .half_sums = half_sums
    };
}

/* x, whose last bits say only whether there was more, as an f16. */
GPU_INLINE float to_half(float x) { return half_to_f32(half_from_f32(x, GPU_F16_NAN)); }

/* Eight sums, or what belongs to them. */
typedef float   floats __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t ints __attribute__((vector_size(32), aligned(4), may_alias));

/* Adds a group of products to the sums at `at`: whole numbers, cut to 24 bits; with half sums
 * their last bit says whether there was more, and they are rounded.  `bad` gets what is not 0
 * if that cannot be relied on. */
#define ADD_GROUP(at, a, b, group, extra, half, bad)                                \
    do {                                                                            \
        floats sum_ = *(const floats *)(at), products_[GPU_TILE];                   \
        ints top_ = (ints)sum_ & 0x7fffffff;                                        \
        for (unsigned k_ = 0; k_ < (group); k_++) {                                 \
            products_[k_] = (a)[k_] * *(const floats *)(b)[k_];                     \
            ints size_ = (ints)products_[k_] & 0x7fffffff, more_ = size_ > top_;    \
            top_ = (size_ & more_) | (top_ & ~more_);                               \
        }                                                                           \
        ints exponent_ = top_ >> 23, tiny_ = exponent_ < LEAST;                     \
        (bad) |= top_ & tiny_;                                                      \
        exponent_ = (exponent_ & ~tiny_) | (LEAST & tiny_);                         \
        floats scale_ = (floats)((277 + (extra) - exponent_) << 23);                \
        ints total_ = __builtin_convertvector(sum_ * scale_, ints);                 \
        for (unsigned k_ = 0; k_ < (group); k_++)                                   \
            total_ += __builtin_convertvector(products_[k_] * scale_, ints);        \
        floats near_ = __builtin_convertvector(total_, floats);                     \
        ints rest_ = __builtin_convertvector(near_, ints) - total_;                 \
        ints bits_ = (ints)near_ + (((rest_ ^ total_) >= 0) & (rest_ != 0));        \
        if (half)                                                                   \
            bits_ |= (rest_ != 0) & 1;                                              \
        *(floats *)(at) = (floats)bits_ * (floats)((exponent_ - 23 - (extra)) << 23); \
        for (unsigned n_ = 0; (half) && n_ < COLUMNS; n_++)                         \
            (at)[n_] = to_half((at)[n_]);                                           \
    } while (0)

/* One sum of a group, whatever is in it. */
static float add_one(float sum, const float *a, const float (*b)[GPU_TILE], unsigned column,
                     const struct gpu_tensor_form *f)
{
    double x[GPU_TILE + 1] = { sum }, size = fabs((double)sum), plain = sum;
    for (unsigned k = 0; k < f->group; k++) {
        x[k + 1] = a[k] * b[k][column];
        plain += x[k + 1];
        size = fabs(x[k + 1]) > size ? fabs(x[k + 1]) : size;
    }
    if (!(plain - plain == 0))              /* not finite */
        return f32_from_bits(gpu_f32((float)plain));
    if (size == 0)
        return 0;
    int place = (int)(gpu_f64_bits(size) >> 52) - 1023 - 23 - (int)f->extra;
    double scale = gpu_f64_from_bits((uint64_t)(1023 - place) << 52);
    int64_t total = 0;
    for (unsigned k = 0; k <= f->group; k++)
        total += (int64_t)(x[k] * scale);
    double exact = (double)total / scale;
    if (f->half_sums)
        return half_to_f32((uint32_t)exact_convert(EXACT_F16, EXACT_F64, gpu_f64_bits(exact),
                                                   EXACT_NEAREST));
    if (fabs(exact) >= 0x1p128)
        return exact > 0 ? INFINITY : -INFINITY;
    return f32_from_bits((uint32_t)exact_convert(EXACT_F32, EXACT_F64,
                                                 gpu_f64_bits(exact), EXACT_ZERO));
}

static void multiply_slowly(struct gpu_tile *t, const struct gpu_tensor_form *f)
{
    for (unsigned m = 0; m < GPU_TILE; m++)
        for (unsigned n = 0; n < f->columns; n++)
            for (unsigned k = 0; k < f->k; k += f->group)
                t->d[m][n] = add_one(t->d[m][n], &t->a[m][k],
                                     (const float(*)[GPU_TILE])&t->b[k], n, f);
}

/* Eight columns from `column` on; false: some sums are not right. */
#define MULTIPLY(name, group, half)                                                 \
    GPU_WIDE static bool name(struct gpu_tile *t, const struct gpu_tensor_form *f,  \
                              unsigned column)                                      \
    {                                                                               \
        int32_t extra = (int32_t)f->extra;                                          \
        ints bad = { 0 };                                                           \
        for (unsigned k = 0; k < f->k; k += group) {                                \
            const float *b[GPU_TILE];                                               \
            for (unsigned i = 0; i < group; i++)                                    \
                b[i] = &t->b[k + i][column];                                        \
            for (unsigned m = 0; m < GPU_TILE; m++)                                 \
                ADD_GROUP(&t->d[m][column], &t->a[m][k], b, group, extra, half, bad); \
        }                                                                           \
        int32_t any = 0;                                                            \
        for (unsigned n = 0; n < COLUMNS; n++)                                      \
            any |= bad[n];                                                          \
        return !any;                                                                \
    }
MULTIPLY(by_4, 4, false)
MULTIPLY(by_8, 8, false)
MULTIPLY(by_16, 16, false)
MULTIPLY(halves, f->group, true)

static bool eight(struct gpu_tile *t, const struct gpu_tensor_form *f, unsigned column)
{
    if (f->half_sums)
        return halves(t, f, column);
    switch (f->group) {
    case 4:  return by_4(t, f, column);
    case 8:  return by_8(t, f, column);
    default: return by_16(t, f, column);
    }
}

GPU_INLINE float largest(const float (*x)[GPU_TILE], unsigned rows, unsigned columns)
{
    ints most = { 0 };
    int32_t top = 0;
    for (unsigned j = 0; j + COLUMNS <= columns; j += COLUMNS)
        for (unsigned i = 0; i < rows; i++) {
            ints bits;
            memcpy(&bits, &x[i][j], sizeof bits);
            ints size = bits & 0x7fffffff, more = size > most;
            most = (size & more) | (most & ~more);
        }
    for (unsigned n = 0; n < COLUMNS; n++)
        top = most[n] > top ? most[n] : top;
    for (unsigned j = columns / COLUMNS * COLUMNS; j < columns; j++)
        for (unsigned i = 0; i < rows; i++) {
            int32_t size = (int32_t)(f32_bits(x[i][j]) & 0x7fffffff);
            top = size > top ? size : top;
        }
    return f32_from_bits((uint32_t)top);
}

/* No sum can leave the range of its format, whatever it adds up. */
GPU_WIDE static bool in_range(const struct gpu_tile *t, const struct gpu_tensor_form *f)
{
    float a = largest(t->a, GPU_TILE, f->k), b = largest(t->b, f->k, f->columns);
    float c = largest(t->d, GPU_TILE, f->columns);
    return c + GPU_TILE * a * b < (f->half_sums ? 0x1p15f : 0x1p126f);
}

void gpu_tensor_multiply(struct gpu_tile *t, const struct gpu_tensor_form *f)
{
    if (!in_range(t, f)) {
        multiply_slowly(t, f);
        return;
    }
    float before[GPU_TILE][GPU_TILE];
    memcpy(before, t->d, sizeof before);
    bool good = true;
    for (unsigned column = 0; column < f->columns; column += COLUMNS)
        good &= eight(t, f, column);
    if (good)
        return;
    memcpy(t->d, before, sizeof before);
    multiply_slowly(t, f);
}
