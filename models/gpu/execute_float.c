/* execute_float.c - single precision.
 *
 * To nearest is what the processor does; other roundings are done in integers.  Every NaN is
 * 0x7fffffff.  Where PTX allows an error (div.approx, div.full, rcp.approx, sqrt.approx,
 * rsqrt.approx) the result is the correctly rounded one, or within one place of it:
 *
 *     div.approx     a * (1 / b), each rounded, 1 / b flushed: 0 for |b| > 2^126, as PTX says
 *     div.full, rcp.approx, sqrt.approx    correctly rounded
 *     rsqrt.approx   in double, then rounded
 */
#include "models/gpu/execute_inside.h"

#include <math.h>

#define F(x) f32_from_bits(x)
#define Z(x) gpu_flush(x)
#define ZF(x) F(Z(x))
#define S(x) gpu_saturate(x)

/* Each to nearest in its four variants: plain, .ftz, .sat, .ftz.sat. */
#define TWO2(name, f)                                                               \
    GPU_OP2(name, 32, 32, 32, gpu_f32(f(F(a), F(b))))                               \
    GPU_OP2(name##_ftz, 32, 32, 32, Z(gpu_f32(f(ZF(a), ZF(b)))))
#define FOUR2(name, f)                                                              \
    TWO2(name, f)                                                                   \
    GPU_OP2(name##_sat, 32, 32, 32, S(gpu_f32(f(F(a), F(b)))))                      \
    GPU_OP2(name##_ftz_sat, 32, 32, 32, S(Z(gpu_f32(f(ZF(a), ZF(b))))))
#define FOUR3(how, name, f)                                                         \
    GPU_OP3_AS(how, name, 32, 32, 32, 32, gpu_f32(f(F(a), F(b), F(c))))             \
    GPU_OP3_AS(how, name##_ftz, 32, 32, 32, 32, Z(gpu_f32(f(ZF(a), ZF(b), ZF(c))))) \
    GPU_OP3_AS(how, name##_sat, 32, 32, 32, 32, S(gpu_f32(f(F(a), F(b), F(c)))))    \
    GPU_OP3_AS(how, name##_ftz_sat, 32, 32, 32, 32,                                 \
               S(Z(gpu_f32(f(ZF(a), ZF(b), ZF(c))))))

GPU_INLINE float sum(float a, float b) { return a + b; }
GPU_INLINE float difference(float a, float b) { return a - b; }
GPU_INLINE float product(float a, float b) { return a * b; }
GPU_INLINE float quotient(float a, float b) { return a / b; }
GPU_INLINE float rough_quotient(float a, float b) { return a * ZF(f32_bits(1 / b)); }
GPU_INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

FOUR2(add, sum)
FOUR2(sub, difference)
FOUR2(mul, product)
FOUR3(GPU_FUSED, fmad, fused)

/* The smaller and the larger number: -0 is below +0; a NaN loses, with .NaN it wins. */
GPU_INLINE uint32_t lesser(uint32_t a, uint32_t b)
{
    float x = F(a), y = F(b);
    uint32_t equal = a | b;                 /* of two zeros, the negative one */
    uint32_t least = x < y ? a : y < x ? b : equal;
    return x != x ? (y != y ? GPU_F32_NAN : b) : y != y ? a : least;
}

GPU_INLINE uint32_t greater(uint32_t a, uint32_t b)
{
    float x = F(a), y = F(b);
    uint32_t equal = a & b;
    uint32_t most = x > y ? a : y > x ? b : equal;
    return x != x ? (y != y ? GPU_F32_NAN : b) : y != y ? a : most;
}

GPU_INLINE uint32_t if_numbers(uint32_t a, uint32_t b, uint32_t result)
{
    return F(a) == F(a) && F(b) == F(b) ? result : GPU_F32_NAN;
}

#define SIZE(x) ((x) & 0x7fffffff)
#define EXTREME(name, f)                                                            \
    GPU_OP2(name, 32, 32, 32, f(a, b))                                              \
    GPU_OP2(name##_ftz, 32, 32, 32, f(Z(a), Z(b)))                                  \
    GPU_OP2(name##_nan, 32, 32, 32, if_numbers(a, b, f(a, b)))                      \
    GPU_OP2(name##_ftz_nan, 32, 32, 32, if_numbers(a, b, f(Z(a), Z(b))))
EXTREME(min, lesser)
EXTREME(max, greater)

/* .xorsign.abs: of the sizes, with the sign that a product has.  mode[1]: FTZ, NO_NAN. */
enum { FTZ = 1, SAT = 2, NO_NAN = 4 };
static uint32_t xor_sign(uint32_t a, uint32_t b, bool least, uint8_t flags)
{
    uint32_t x = SIZE(flags & FTZ ? Z(a) : a), y = SIZE(flags & FTZ ? Z(b) : b);
    uint32_t result = least ? lesser(x, y) : greater(x, y);
    if (flags & NO_NAN)
        result = if_numbers(x, y, result);
    return F(result) == F(result) ? result | ((a ^ b) & 0x80000000) : result;
}
GPU_OP2_AS(, min_xorsign, 32, 32, 32, xor_sign(a, b, true, op->mode[1]))
GPU_OP2_AS(, max_xorsign, 32, 32, 32, xor_sign(a, b, false, op->mode[1]))

GPU_INLINE uint32_t quiet(uint32_t a) { return F(a) == F(a) ? a : GPU_F32_NAN; }
GPU_OP1(size, 32, 32, quiet(SIZE(a)))
GPU_OP1(size_ftz, 32, 32, quiet(Z(SIZE(a))))
GPU_OP1(neg, 32, 32, quiet(a ^ 0x80000000))
GPU_OP1(neg_ftz, 32, 32, quiet(Z(a ^ 0x80000000)))
GPU_OP2(sign_of, 32, 32, 32, SIZE(b) | (a & 0x80000000))

TWO2(divide, quotient)
TWO2(div_approx, rough_quotient)

#define ONE1(name, x)                                                               \
    GPU_OP1(name, 32, 32, gpu_f32(x(F(a))))                                         \
    GPU_OP1(name##_ftz, 32, 32, Z(gpu_f32(x(ZF(a)))))
GPU_INLINE float reciprocal(float a) { return 1 / a; }
GPU_INLINE float root(float a) { return sqrtf(a); }
GPU_INLINE float reciprocal_root(float a) { return (float)(1 / sqrt((double)a)); }
ONE1(rcp, reciprocal)
ONE1(square_root, root)
ONE1(rsqrt, reciprocal_root)

/* Any rounding, a lane at a time: mode[0] the rounding, mode[1] FTZ and SAT, mode[2] which. */
enum { ADD, SUB, MUL, FMA, DIV, RCP, SQRT };

static uint32_t directed_lane(uint32_t which, uint32_t a, uint32_t b, uint32_t c,
                              enum exact_round r)
{
    const struct exact_format f = EXACT_F32;
    switch (which) {
    case ADD: return (uint32_t)exact_add(f, a, b, r);
    case SUB: return (uint32_t)exact_add(f, a, b ^ 0x80000000, r);
    case MUL: return (uint32_t)exact_multiply(f, a, b, r);
    case FMA: return (uint32_t)exact_fma(f, a, b, c, r);
    case DIV: return (uint32_t)exact_divide(f, a, b, r);
    case RCP: return (uint32_t)exact_divide(f, 0x3f800000, a, r);
    default:  return (uint32_t)exact_sqrt(f, a, r);
    }
}

static void directed(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    static const uint32_t none[GPU_LANES];
    const uint32_t *as = gpu_source(w, op, 0);
    const uint32_t *bs = op->srcs > 1 ? gpu_source(w, op, 1) : none;
    const uint32_t *cs = op->srcs > 2 ? gpu_source(w, op, 2) : none;
    uint32_t result[GPU_LANES] = { 0 };
    GPU_EACH_LANE(l) {
        if (!(mask >> l & 1))
            continue;
        uint32_t a = as[l], b = bs[l], c = cs[l];
        if (op->mode[1] & FTZ) {
            a = gpu_flush(a);
            b = gpu_flush(b);
            c = gpu_flush(c);
        }
        result[l] = directed_lane(op->mode[2], a, b, c, (enum exact_round)op->mode[0]);
        if (op->mode[1] & FTZ)
            result[l] = gpu_flush(result[l]);
        if (op->mode[1] & SAT)
            result[l] = gpu_saturate(result[l]);
    }
    gpu_put(w, op, 0, mask, result);
}

/* testp: mode[0] is the class asked for. */
static uint32_t is_class(uint32_t bits, uint8_t which)
{
    uint32_t size = SIZE(bits);
    switch (which) {
    case PTX_F_FINITE:     return size < 0x7f800000;
    case PTX_F_INFINITE:   return size == 0x7f800000;
    case PTX_F_NUMBER:     return size <= 0x7f800000;
    case PTX_F_NOTANUMBER: return size > 0x7f800000;
    case PTX_F_NORMAL:     return size >= 0x00800000 && size < 0x7f800000;
    default:               return size < 0x00800000 && size;       /* SUBNORMAL */
    }
}

static void testp(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0);
    uint32_t bits = 0;
    GPU_EACH_LANE(l)
        bits |= is_class(a[l], op->mode[0]) << l;
    gpu_put_predicate(w, op->pdst[0], mask, bits);
}

#define F32 GPU_T(F32)
#define FZ  GPU_M(FTZ)
#define ST  GPU_M(SAT)
#define AP  GPU_M(APPROX)
#define FOUR(op, more, name)                                                        \
    { op, F32, more, 0, name }, { op, F32, (more) | FZ, 0, name##_ftz },            \
    { op, F32, (more) | ST, 0, name##_sat }, { op, F32, (more) | FZ | ST, 0, name##_ftz_sat }
#define TWO(op, more, name)                                                         \
    { op, F32, more, 0, name }, { op, F32, (more) | FZ, 0, name##_ftz }
#define NANS(op, name)                                                              \
    TWO(op, 0, name), { op, F32, GPU_M(NAN), 0, name##_nan },                       \
    { op, F32, GPU_M(NAN) | FZ, 0, name##_ftz_nan }

static const struct gpu_form forms[] = {
    FOUR(PTX_ADD, 0, add), FOUR(PTX_SUB, 0, sub), FOUR(PTX_MUL, 0, mul),
    FOUR(PTX_FMA, 0, fmad), FOUR(PTX_MAD, 0, fmad),
    TWO(PTX_DIV, 0, divide), TWO(PTX_DIV, GPU_M(FULL), divide), TWO(PTX_DIV, AP, div_approx),
    TWO(PTX_RCP, 0, rcp), TWO(PTX_RCP, AP, rcp),
    TWO(PTX_SQRT, 0, square_root), TWO(PTX_SQRT, AP, square_root), TWO(PTX_RSQRT, AP, rsqrt),
    TWO(PTX_ABS, 0, size), TWO(PTX_NEG, 0, neg), NANS(PTX_MIN, min), NANS(PTX_MAX, max),
    { PTX_MIN, F32, GPU_M(XORSIGN), FZ | GPU_M(NAN), min_xorsign },
    { PTX_MAX, F32, GPU_M(XORSIGN), FZ | GPU_M(NAN), max_xorsign },
    { PTX_COPYSIGN, F32, 0, 0, sign_of }, { PTX_TESTP, F32, 0, 0, testp },
};

/* What `directed` calls an instruction; SQRT + 1: it has no rounding. */
static uint8_t directed_as(enum ptx_op op)
{
    switch (op) {
    case PTX_ADD:  return ADD;
    case PTX_SUB:  return SUB;
    case PTX_MUL:  return MUL;
    case PTX_FMA: case PTX_MAD: return FMA;
    case PTX_DIV:  return DIV;
    case PTX_RCP:  return RCP;
    case PTX_SQRT: return SQRT;
    default:       return SQRT + 1;
    }
}

bool gpu_execute_float(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->execute = gpu_form_find(forms, sizeof forms / sizeof *forms, i);
    if (!op->execute)
        return false;
    op->mode[0] = i->function;
    op->mode[1] = (uint8_t)((PTX_HAS(i, FTZ) ? FTZ : 0) | (PTX_HAS(i, SAT) ? SAT : 0) |
                            (PTX_HAS(i, NAN) ? NO_NAN : 0));
    if (i->round == PTX_R_NONE || i->round == PTX_RN)
        return true;
    op->mode[0] = (uint8_t)gpu_rounding(i->round);
    op->mode[2] = directed_as(i->op);
    op->execute = directed;
    return op->mode[2] <= SQRT;
}
