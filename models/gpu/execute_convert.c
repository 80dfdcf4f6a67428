/* execute_convert.c - cvt: between integers, floats, and each other.
 *
 * The common ones are loops; the others go a lane at a time through exact arithmetic.  A
 * float too large for an integer becomes the nearest one; a NaN becomes 0, but for 64-bit
 * integers and from f64 the integer with only its highest bit set, as PTX says.
 */
#include "models/gpu/execute_inside.h"

#include <math.h>

#include "models/numerics/half.h"

/* mode: the types, the rounding, and this. */
enum { TO, FROM, ROUND, FLAGS };
enum { FTZ = 1, SAT = 2, RELU = 4, FINITE = 16, WHOLE = 8 };     /* WHOLE: to a whole number */

static bool is_signed(uint8_t t) { return t >= PTX_S8 && t <= PTX_S64; }
static bool is_integer(uint8_t t) { return t >= PTX_U8 && t <= PTX_S64; }

static struct exact_format format_of(uint8_t t)
{
    switch (t) {
    case PTX_F16: case PTX_F16X2:   return EXACT_F16;
    case PTX_BF16: case PTX_BF16X2: return EXACT_BF16;
    case PTX_TF32:                  return EXACT_TF32;
    case PTX_F32:                   return EXACT_F32;
    default:                        return EXACT_F64;
    }
}

static unsigned bits_of(uint8_t t) { return 8u * gpu_type_bytes[t]; }
static uint64_t low_bits(uint64_t x, unsigned bits) { return x & UINT64_MAX >> (64 - bits); }

static uint64_t extended(uint64_t x, uint8_t t)
{
    unsigned unused = 64 - bits_of(t);
    return is_signed(t) ? (uint64_t)((int64_t)(x << unused) >> unused) : low_bits(x, 64 - unused);
}

/* x of type `from`, clamped to what `to` can hold. */
static uint64_t clamped(uint64_t x, uint8_t from, uint8_t to)
{
    uint64_t most = UINT64_MAX >> (64 - bits_of(to) + is_signed(to));
    bool negative = is_signed(from) && (int64_t)x < 0;
    if (negative)
        return !is_signed(to) ? 0 : (int64_t)x < (int64_t)~most ? ~most : x;
    return x > most ? most : x;
}

static uint64_t integer_from_integer(const struct gpu_op *op, uint64_t a)
{
    uint8_t to = op->mode[TO], from = op->mode[FROM];
    uint64_t x = extended(a, from);
    if (op->mode[FLAGS] & SAT)
        x = clamped(x, from, to);
    return extended(x, to);         /* as wide as the register is */
}

static uint64_t float_from_integer(const struct gpu_op *op, uint64_t a)
{
    uint8_t from = op->mode[FROM];
    uint64_t x = extended(a, from);
    bool negative = is_signed(from) && (int64_t)x < 0;
    return exact_from_integer(format_of(op->mode[TO]), negative, negative ? 0 - x : x,
                              (enum exact_round)op->mode[ROUND]);
}

static uint64_t infinity_of(struct exact_format f)
{
    return ((UINT64_C(1) << f.exponent_bits) - 1) << f.fraction_bits;
}

static bool is_nan(struct exact_format f, uint64_t a)
{
    return low_bits(a, f.exponent_bits + f.fraction_bits) > infinity_of(f);
}

static uint64_t integer_from_float(const struct gpu_op *op, uint64_t a)
{
    uint8_t to = op->mode[TO], from = op->mode[FROM];
    struct exact_format f = format_of(from);
    if (is_nan(f, a)) {
        uint64_t top = UINT64_C(1) << (bits_of(to) - 1);
        return from == PTX_F64 || bits_of(to) == 64 ? extended(top, to) : 0;
    }
    return extended(exact_to_integer(f, a, bits_of(to), is_signed(to),
                                     (enum exact_round)op->mode[ROUND]), to);
}

static uint64_t float_from_float(const struct gpu_op *op, uint64_t a)
{
    struct exact_format to = format_of(op->mode[TO]), from = format_of(op->mode[FROM]);
    enum exact_round r = (enum exact_round)op->mode[ROUND];
    if (op->mode[FLAGS] & WHOLE)
        a = exact_to_whole(from, a, r);
    return exact_convert(to, from, a, r);
}

/* .sat, .relu and .satfinite of a float of format f. */
static uint64_t limited(const struct gpu_op *op, struct exact_format f, uint64_t x)
{
    uint64_t sign = UINT64_C(1) << (f.exponent_bits + f.fraction_bits);
    uint64_t one = ((UINT64_C(1) << (f.exponent_bits - 1)) - 1) << f.fraction_bits;
    if (op->mode[FLAGS] & SAT)
        return is_nan(f, x) || x & sign ? 0 : x > one ? one : x;
    if (op->mode[FLAGS] & RELU && !is_nan(f, x) && x & sign)
        return 0;
    if (op->mode[FLAGS] & FINITE && (x & ~sign) == infinity_of(f))
        return x - 1;
    return x;
}

static uint64_t convert_lane(const struct gpu_op *op, uint64_t a)
{
    uint8_t to = op->mode[TO], from = op->mode[FROM];
    bool ftz = op->mode[FLAGS] & FTZ;
    if (is_integer(to) && is_integer(from))
        return integer_from_integer(op, a);
    if (is_integer(from))
        return limited(op, format_of(to), float_from_integer(op, a));
    a = low_bits(a, bits_of(from));
    if (from == PTX_F32 && ftz)
        a = gpu_flush((uint32_t)a);
    if (is_integer(to))
        return integer_from_float(op, a);
    uint64_t x = limited(op, format_of(to), float_from_float(op, a));
    if (to == PTX_TF32)
        return is_nan(EXACT_TF32, x) ? GPU_F32_NAN : x << 13;
    return to == PTX_F32 && ftz ? gpu_flush((uint32_t)x) : x;
}

static void convert(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *low = gpu_source(w, op, 0);
    const uint32_t *high = op->srcs > 1 ? gpu_source(w, op, 1) : NULL;
    uint64_t result[GPU_LANES] = { 0 };
    GPU_EACH_LANE(l)
        if (mask >> l & 1)
            result[l] = convert_lane(op, low[l] | (uint64_t)(high ? high[l] : 0) << 32);
    if (op->dsts == 2) {
        gpu_put_wide(w, op, 0, mask, result);
        return;
    }
    uint32_t word[GPU_LANES];
    GPU_EACH_LANE(l)
        word[l] = (uint32_t)result[l];
    gpu_put(w, op, 0, mask, word);
}

/* Two floats into one word, the first of the text above. */
static void convert_pair(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 1);
    uint32_t result[GPU_LANES] = { 0 };
    GPU_EACH_LANE(l)
        if (mask >> l & 1)
            result[l] = (uint32_t)convert_lane(op, a[l]) << 16 | (uint32_t)convert_lane(op, b[l]);
    gpu_put(w, op, 0, mask, result);
}

/* The common ones. */
#define F(x) f32_from_bits(x)
#define NEAR_F16(x)  half_from_f32(F(x), GPU_F16_NAN)
#define NEAR_BF16(x) half_bf16_from_f32(F(x), GPU_F16_NAN)
GPU_INLINE uint32_t whole_s32(float x, float whole)
{
    bool fits = whole >= -2147483648.0f && whole < 2147483648.0f;
    uint32_t limit = x < 0 ? UINT32_C(1) << 31 : INT32_MAX;
    int32_t inside = (int32_t)(fits ? whole : 0);
    return fits ? (uint32_t)inside : x == x ? limit : 0;
}

/* A register wider than the type: the rest of it is sign or zeros. */
static void put_rest(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t rest[GPU_LANES];
    const uint32_t *low = gpu_dest(w, op, 0);
    for (unsigned l = 0; l < GPU_LANES; l++)
        rest[l] = is_signed(op->mode[TO]) && low[l] >> 31 ? UINT32_MAX : 0;
    gpu_put(w, op, 1, mask, rest);
}

#define CONVERT(name, expression)                                                   \
    GPU_OP1(name##_word, 32, 32, expression)                                        \
    static void name(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)    \
    {                                                                               \
        name##_word(w, op, mask);                                                   \
        if (op->dsts == 2)                                                          \
            put_rest(w, op, mask);                                                  \
    }

GPU_OP1(widen_u32, 64, 32, a)
GPU_OP1(widen_s32, 64, 32, (int64_t)(int32_t)a)
CONVERT(low_32, a)
CONVERT(low_u16, (uint16_t)a)
CONVERT(low_s16, (int16_t)a)
CONVERT(low_u8, (uint8_t)a)
CONVERT(low_s8, (int8_t)a)
CONVERT(f32_from_s32, f32_bits((float)(int32_t)a))
CONVERT(f32_from_u32, f32_bits((float)a))
CONVERT(s32_from_f32_rz, whole_s32(F(a), truncf(F(a))))
CONVERT(s32_from_f32_rn, whole_s32(F(a), rintf(F(a))))
CONVERT(s32_from_f32_rm, whole_s32(F(a), floorf(F(a))))
CONVERT(f16_near, NEAR_F16(a))
CONVERT(bf16_near, NEAR_BF16(a))
GPU_OP2(f16x2_near, 32, 32, 32, NEAR_F16(a) << 16 | NEAR_F16(b))
GPU_OP2(bf16x2_near, 32, 32, 32, NEAR_BF16(a) << 16 | NEAR_BF16(b))
CONVERT(f32_from_f16, gpu_f32(half_to_f32(a & 0xffff)))
CONVERT(f32_from_bf16, gpu_f32(half_bf16_to_f32(a)))
CONVERT(f32_whole_rn, gpu_f32(rintf(F(a))))
CONVERT(f32_whole_rz, gpu_f32(truncf(F(a))))
CONVERT(f32_whole_rm, gpu_f32(floorf(F(a))))
CONVERT(f32_whole_rp, gpu_f32(ceilf(F(a))))

#define T(id) PTX_##id
static const struct { uint8_t to, from, round; gpu_execute_fn execute; } common[] = {
    { T(U64), T(U32), PTX_R_NONE, widen_u32 }, { T(S64), T(S32), PTX_R_NONE, widen_s32 },
    { T(S64), T(U32), PTX_R_NONE, widen_u32 }, { T(U64), T(S32), PTX_R_NONE, widen_s32 },
    { T(U32), T(U64), PTX_R_NONE, low_32 }, { T(S32), T(S64), PTX_R_NONE, low_32 },
    { T(S32), T(U64), PTX_R_NONE, low_32 }, { T(U32), T(S64), PTX_R_NONE, low_32 },
    { T(U32), T(S32), PTX_R_NONE, low_32 }, { T(S32), T(U32), PTX_R_NONE, low_32 },
    { T(U32), T(U16), PTX_R_NONE, low_u16 }, { T(S32), T(U16), PTX_R_NONE, low_u16 },
    { T(U32), T(S16), PTX_R_NONE, low_s16 }, { T(S32), T(S16), PTX_R_NONE, low_s16 },
    { T(U32), T(U8), PTX_R_NONE, low_u8 }, { T(S32), T(S8), PTX_R_NONE, low_s8 },
    { T(U16), T(U32), PTX_R_NONE, low_u16 }, { T(U16), T(U8), PTX_R_NONE, low_u8 },
    { T(F32), T(S32), PTX_RN, f32_from_s32 }, { T(F32), T(U32), PTX_RN, f32_from_u32 },
    { T(S32), T(F32), PTX_RZI, s32_from_f32_rz }, { T(S32), T(F32), PTX_RNI, s32_from_f32_rn },
    { T(S32), T(F32), PTX_RMI, s32_from_f32_rm },
    { T(F16), T(F32), PTX_RN, f16_near }, { T(BF16), T(F32), PTX_RN, bf16_near },
    { T(F16X2), T(F32), PTX_RN, f16x2_near }, { T(BF16X2), T(F32), PTX_RN, bf16x2_near },
    { T(F32), T(F16), PTX_R_NONE, f32_from_f16 }, { T(F32), T(BF16), PTX_R_NONE, f32_from_bf16 },
    { T(F32), T(F32), PTX_RNI, f32_whole_rn }, { T(F32), T(F32), PTX_RZI, f32_whole_rz },
    { T(F32), T(F32), PTX_RMI, f32_whole_rm }, { T(F32), T(F32), PTX_RPI, f32_whole_rp },
};

static bool legal(uint8_t to, uint8_t from)
{
    bool pair = to == PTX_F16X2 || to == PTX_BF16X2;
    bool to_float = to >= PTX_F16 && to <= PTX_F64, from_float = from >= PTX_F16 && from <= PTX_F64;
    if (pair || to == PTX_TF32)
        return from == PTX_F32;
    return (is_integer(to) || to_float) && (is_integer(from) || from_float) &&
           from != PTX_F16X2 && from != PTX_BF16X2 && from != PTX_TF32;
}

bool gpu_execute_convert(const struct ptx_instruction *i, struct gpu_op *op)
{
    uint8_t to = (uint8_t)i->type[0], from = (uint8_t)i->type[1];
    const uint64_t known = GPU_M(FTZ) | GPU_M(SAT) | GPU_M(RELU) | GPU_M(SATFINITE);
    if (!legal(to, from) || i->modifiers & ~known)
        return false;
    op->mode[TO] = to;
    op->mode[FROM] = from;
    op->mode[ROUND] = (uint8_t)gpu_rounding(i->round);
    op->mode[FLAGS] = (uint8_t)((PTX_HAS(i, FTZ) ? FTZ : 0) | (PTX_HAS(i, SAT) ? SAT : 0) |
                                (PTX_HAS(i, RELU) ? RELU : 0) |
                                (PTX_HAS(i, SATFINITE) ? FINITE : 0) |
                                (i->round >= PTX_RNI && !is_integer(to) ? WHOLE : 0));
    op->execute = to == PTX_F16X2 || to == PTX_BF16X2 ? convert_pair : convert;
    for (size_t c = 0; !i->modifiers && c < sizeof common / sizeof *common; c++)
        if (common[c].to == to && common[c].from == from && common[c].round == i->round)
            op->execute = common[c].execute;
    return true;
}
