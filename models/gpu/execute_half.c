/* execute_half.c - f16 and bf16 arithmetic, one or two in a word, each rounded once.
 *
 * Sums, products and fused ones of f16 are exact in double, or so near that rounding them
 * twice makes no difference: an f16's products are multiples of 2^-48 with 22 bits, and a sum
 * that needs more than the 53 bits of a double is nowhere near the middle of two f16.  For
 * bf16 with its wide exponent that is not so: exact integers do it.
 */
#include "models/gpu/execute_inside.h"

#include "models/numerics/half.h"

GPU_INLINE uint32_t from_double(double x) { return half_from_f32(half_cut(x), GPU_F16_NAN); }

#define W(x) ((double)half_to_f32((x) & 0xffff))
#define R(x) ((uint32_t)exact_##x)
#define BF EXACT_BF16
#define LOW(x) ((x) & 0xffff)

GPU_INLINE uint32_t add_f16(uint32_t a, uint32_t b) { return from_double(W(a) + W(b)); }
GPU_INLINE uint32_t sub_f16(uint32_t a, uint32_t b) { return from_double(W(a) - W(b)); }
GPU_INLINE uint32_t mul_f16(uint32_t a, uint32_t b) { return from_double(W(a) * W(b)); }
GPU_INLINE uint32_t fma_f16(uint32_t a, uint32_t b, uint32_t c)
{
    return from_double(W(a) * W(b) + W(c));
}
static uint32_t add_bf16(uint32_t a, uint32_t b) { return R(add(BF, LOW(a), LOW(b), 0)); }
static uint32_t sub_bf16(uint32_t a, uint32_t b) { return R(add(BF, LOW(a), LOW(b ^ 0x8000), 0)); }
static uint32_t mul_bf16(uint32_t a, uint32_t b) { return R(multiply(BF, LOW(a), LOW(b), 0)); }
static uint32_t fma_bf16(uint32_t a, uint32_t b, uint32_t c)
{
    return R(fma(BF, LOW(a), LOW(b), LOW(c), 0));
}

/* Both formats order alike: by sign and size, a NaN above infinity. */
#define IS_NAN(x, infinity) (((x) & 0x7fff) > (infinity))
GPU_INLINE int32_t order(uint32_t x) { return x & 0x8000 ? -(int32_t)(x & 0x7fff) - 1 : (int32_t)x; }
GPU_INLINE uint32_t extreme(uint32_t a, uint32_t b, uint32_t infinity, bool least)
{
    uint32_t x = LOW(a), y = LOW(b);
    bool first = least ? order(x) < order(y) : order(x) > order(y);
    if (IS_NAN(x, infinity))
        return IS_NAN(y, infinity) ? GPU_F16_NAN : y;
    return IS_NAN(y, infinity) ? x : first ? x : y;
}

#define ANY_NAN(a, b, i, x) (IS_NAN(LOW(a), i) || IS_NAN(LOW(b), i) ? GPU_F16_NAN : (x))
#define ONE_NAN(a, i, x) (IS_NAN(LOW(a), i) ? GPU_F16_NAN : (x))

#define OF_FORMAT(f)                                                                \
    GPU_INLINE uint32_t min_##f(uint32_t a, uint32_t b) { return extreme(a, b, INF_##f, true); } \
    GPU_INLINE uint32_t max_##f(uint32_t a, uint32_t b) { return extreme(a, b, INF_##f, false); } \
    GPU_INLINE uint32_t min_nan_##f(uint32_t a, uint32_t b)                         \
    {                                                                               \
        return ANY_NAN(a, b, INF_##f, min_##f(a, b));                               \
    }                                                                               \
    GPU_INLINE uint32_t max_nan_##f(uint32_t a, uint32_t b)                         \
    {                                                                               \
        return ANY_NAN(a, b, INF_##f, max_##f(a, b));                               \
    }                                                                               \
    GPU_INLINE uint32_t neg_##f(uint32_t a)                                         \
    {                                                                               \
        return ONE_NAN(a, INF_##f, LOW(a) ^ 0x8000);                                \
    }                                                                               \
    GPU_INLINE uint32_t abs_##f(uint32_t a)                                         \
    {                                                                               \
        return ONE_NAN(a, INF_##f, a & 0x7fff);                                     \
    }                                                                               \
    GPU_INLINE uint32_t relu_##f(uint32_t a, uint32_t b, uint32_t c)                \
    {                                                                               \
        uint32_t x = fma_##f(a, b, c);                                              \
        return x & 0x8000 ? 0 : x;                                                  \
    }                                                                               \
    GPU_INLINE uint32_t sat_##f(uint32_t x)                                         \
    {                                                                               \
        return x & 0x8000 || IS_NAN(x, INF_##f) ? 0 : x > ONE_##f ? ONE_##f : x;    \
    }                                                                               \
    GPU_INLINE uint32_t add_sat_##f(uint32_t a, uint32_t b) { return sat_##f(add_##f(a, b)); } \
    GPU_INLINE uint32_t sub_sat_##f(uint32_t a, uint32_t b) { return sat_##f(sub_##f(a, b)); } \
    GPU_INLINE uint32_t mul_sat_##f(uint32_t a, uint32_t b) { return sat_##f(mul_##f(a, b)); } \
    GPU_INLINE uint32_t fma_sat_##f(uint32_t a, uint32_t b, uint32_t c)             \
    {                                                                               \
        return sat_##f(fma_##f(a, b, c));                                           \
    }
#define INF_f16  0x7c00
#define INF_bf16 0x7f80
#define ONE_f16  0x3c00
#define ONE_bf16 0x3f80
OF_FORMAT(f16)
OF_FORMAT(bf16)

/* One in the low half of a word, or two. */
#define OP1(f)                                                                      \
    GPU_OP1(f##_one, 32, 32, f(a))                                                  \
    GPU_OP1(f##_two, 32, 32, f(a) | f(a >> 16) << 16)
#define OP2(f)                                                                      \
    GPU_OP2(f##_one, 32, 32, 32, f(a, b))                                           \
    GPU_OP2(f##_two, 32, 32, 32, f(a, b) | f(a >> 16, b >> 16) << 16)
#define OP3(f)                                                                      \
    GPU_OP3(f##_one, 32, 32, 32, 32, f(a, b, c))                                    \
    GPU_OP3(f##_two, 32, 32, 32, 32, f(a, b, c) | f(a >> 16, b >> 16, c >> 16) << 16)
#define ALL(f)                                                                      \
    OP2(add_##f) OP2(sub_##f) OP2(mul_##f) OP2(add_sat_##f) OP2(sub_sat_##f)        \
    OP2(mul_sat_##f) OP2(min_##f) OP2(max_##f) OP2(min_nan_##f) OP2(max_nan_##f)    \
    OP1(neg_##f) OP1(abs_##f) OP3(fma_##f) OP3(relu_##f) OP3(fma_sat_##f)
ALL(f16)
ALL(bf16)

/* Forms that are seldom seen, a lane at a time: .ftz, .xorsign.  mode: which, flags. */
enum { ADD, SUB, MUL, FMA, NEG, ABS, MIN, MAX, NONE };
enum { FTZ = 1, SAT = 2, RELU = 4, NO_NAN = 8, XORSIGN = 16, TWO = 32, IS_BF16 = 64 };

static uint32_t flushed(uint32_t x, uint8_t flags)
{
    return flags & FTZ && !(x & 0x7c00) ? x & 0x8000 : LOW(x);
}

static uint32_t seldom_extreme(uint32_t a, uint32_t b, bool least, uint8_t flags)
{
    uint32_t infinity = flags & IS_BF16 ? INF_bf16 : INF_f16, sign = (a ^ b) & 0x8000;
    if (flags & XORSIGN) {
        a &= 0x7fff;
        b &= 0x7fff;
    }
    uint32_t x = extreme(a, b, infinity, least);
    if (flags & NO_NAN)
        x = ANY_NAN(a, b, infinity, x);
    return flags & XORSIGN && !IS_NAN(x, infinity) ? x | sign : x;
}

static uint32_t seldom_lane(uint8_t which, uint8_t flags, uint32_t a, uint32_t b, uint32_t c)
{
    a = flushed(LOW(a), flags);
    b = flushed(LOW(b), flags);
    c = flushed(LOW(c), flags);
    uint32_t x = 0;
    switch (which) {
    case ADD: x = add_f16(a, b); break;
    case SUB: x = sub_f16(a, b); break;
    case MUL: x = mul_f16(a, b); break;
    case FMA: x = flags & RELU ? relu_f16(a, b, c) : fma_f16(a, b, c); break;
    case NEG: x = neg_f16(a); break;
    case ABS: x = abs_f16(a); break;
    default:  return seldom_extreme(a, b, which == MIN, flags);
    }
    x = flushed(x, flags);
    return flags & SAT ? sat_f16(x) : x;
}

static void seldom(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t x[3][GPU_LANES] = { { 0 } }, result[GPU_LANES];
    uint8_t which = op->mode[0], flags = op->mode[1];
    for (unsigned i = 0; i < op->srcs && i < 3; i++)
        memcpy(x[i], gpu_source(w, op, i), sizeof x[i]);
    GPU_EACH_LANE(l) {
        result[l] = seldom_lane(which, flags, x[0][l], x[1][l], x[2][l]);
        if (flags & TWO)
            result[l] |= seldom_lane(which, flags, x[0][l] >> 16, x[1][l] >> 16,
                                     x[2][l] >> 16) << 16;
    }
    gpu_put(w, op, 0, mask, result);
}

#define NAN_ GPU_M(NAN)
#define FORMS(T, f, n)                                                              \
    { PTX_ADD, GPU_T(T), 0, 0, add_##f##n }, { PTX_SUB, GPU_T(T), 0, 0, sub_##f##n }, \
    { PTX_MUL, GPU_T(T), 0, 0, mul_##f##n }, { PTX_FMA, GPU_T(T), 0, 0, fma_##f##n }, \
    { PTX_ADD, GPU_T(T), GPU_M(SAT), 0, add_sat_##f##n },                           \
    { PTX_SUB, GPU_T(T), GPU_M(SAT), 0, sub_sat_##f##n },                           \
    { PTX_MUL, GPU_T(T), GPU_M(SAT), 0, mul_sat_##f##n },                           \
    { PTX_FMA, GPU_T(T), GPU_M(SAT), 0, fma_sat_##f##n },                           \
    { PTX_FMA, GPU_T(T), GPU_M(RELU), 0, relu_##f##n },                             \
    { PTX_NEG, GPU_T(T), 0, 0, neg_##f##n }, { PTX_ABS, GPU_T(T), 0, 0, abs_##f##n }, \
    { PTX_MIN, GPU_T(T), 0, 0, min_##f##n }, { PTX_MAX, GPU_T(T), 0, 0, max_##f##n }, \
    { PTX_MIN, GPU_T(T), NAN_, 0, min_nan_##f##n }, { PTX_MAX, GPU_T(T), NAN_, 0, max_nan_##f##n }

static const struct gpu_form forms[] = {
    FORMS(F16, f16, _one), FORMS(F16X2, f16, _two),
    FORMS(BF16, bf16, _one), FORMS(BF16X2, bf16, _two),
};

static uint8_t seldom_as(enum ptx_op op)
{
    switch (op) {
    case PTX_ADD: return ADD;
    case PTX_SUB: return SUB;
    case PTX_MUL: return MUL;
    case PTX_FMA: return FMA;
    case PTX_NEG: return NEG;
    case PTX_ABS: return ABS;
    case PTX_MIN: return MIN;
    case PTX_MAX: return MAX;
    default:      return NONE;
    }
}

static bool find_seldom(const struct ptx_instruction *i, struct gpu_op *op)
{
    bool bf16 = i->type[0] == PTX_BF16 || i->type[0] == PTX_BF16X2;
    bool two = i->type[0] == PTX_F16X2 || i->type[0] == PTX_BF16X2;
    op->mode[0] = seldom_as(i->op);
    op->mode[1] = (uint8_t)((PTX_HAS(i, FTZ) ? FTZ : 0) | (PTX_HAS(i, SAT) ? SAT : 0) |
                            (PTX_HAS(i, RELU) ? RELU : 0) | (PTX_HAS(i, NAN) ? NO_NAN : 0) |
                            (PTX_HAS(i, XORSIGN) ? XORSIGN : 0) | (two ? TWO : 0) |
                            (bf16 ? IS_BF16 : 0));
    op->execute = seldom;
    bool is_extreme = op->mode[0] == MIN || op->mode[0] == MAX;
    return op->mode[0] != NONE && (is_extreme || (!bf16 && !PTX_HAS(i, XORSIGN)));
}

bool gpu_execute_half(const struct ptx_instruction *i, struct gpu_op *op)
{
    if (i->round != PTX_R_NONE && i->round != PTX_RN)
        return false;
    if (PTX_HAS(i, FTZ) || PTX_HAS(i, XORSIGN))
        return find_seldom(i, op);
    op->execute = gpu_form_find(forms, sizeof forms / sizeof *forms, i);
    return op->execute != NULL;
}
