/* execute_double.c - double precision.
 *
 * A NaN goes through: the first of the operands, made quiet.  A result that does not exist is
 * the negative quiet NaN.  rcp.approx.ftz and rsqrt.approx.ftz give the upper word of the
 * correctly rounded result, the lower one 0; what is below the smallest normal number counts
 * as 0.  rsqrt.approx is that of the rounded root.
 */
#include "models/gpu/execute_inside.h"

#include <math.h>

#define D(x) gpu_f64_from_bits(x)
#define NO_NUMBER UINT64_C(0xfff8000000000000)
#define QUIET     UINT64_C(0x0008000000000000)
#define SIGN      UINT64_C(0x8000000000000000)
#define IS_NAN(x) (((x) & ~SIGN) > UINT64_C(0x7ff0000000000000))

GPU_INLINE uint64_t of1(double x, uint64_t a)
{
    return x == x ? gpu_f64_bits(x) : IS_NAN(a) ? a | QUIET : NO_NUMBER;
}

GPU_INLINE uint64_t of2(double x, uint64_t a, uint64_t b)
{
    uint64_t none = IS_NAN(a) ? a | QUIET : IS_NAN(b) ? b | QUIET : NO_NUMBER;
    return x == x ? gpu_f64_bits(x) : none;
}

GPU_INLINE uint64_t of3(double x, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t none = IS_NAN(a) || IS_NAN(b) ? of2(D(NO_NUMBER), a, b)
                    : IS_NAN(c)            ? c | QUIET : NO_NUMBER;
    return x == x ? gpu_f64_bits(x) : none;
}

GPU_OP2(add, 64, 64, 64, of2(D(a) + D(b), a, b))
GPU_OP2(sub, 64, 64, 64, of2(D(a) - D(b), a, b))
GPU_OP2(mul, 64, 64, 64, of2(D(a) * D(b), a, b))
GPU_OP2(divide, 64, 64, 64, of2(D(a) / D(b), a, b))
GPU_OP3_AS(GPU_FUSED, fmad, 64, 64, 64, 64, of3(__builtin_fma(D(a), D(b), D(c)), a, b, c))
GPU_OP1(rcp, 64, 64, of1(1 / D(a), a))
GPU_OP1(square_root, 64, 64, of1(sqrt(D(a)), a))
GPU_OP1(rsqrt, 64, 64, of1(1 / sqrt(D(a)), a))

#define FLUSH(x) ((x) & UINT64_C(0x7ff0000000000000) ? (x) : (x) & SIGN)
#define UPPER(x) ((x) & UINT64_C(0xffffffff00000000))
GPU_INLINE uint64_t rough_rcp(uint64_t a) { return of1(1 / D(FLUSH(a)), a); }
GPU_INLINE uint64_t rough_rsqrt(uint64_t a) { return of1(1 / sqrt(D(FLUSH(a))), a); }
GPU_OP1(rcp_rough, 64, 64, UPPER(FLUSH(rough_rcp(a))))
GPU_OP1(rsqrt_rough, 64, 64, UPPER(FLUSH(rough_rsqrt(a))))

/* -0 is below +0; a NaN loses. */
GPU_INLINE uint64_t lesser(uint64_t a, uint64_t b)
{
    uint64_t least = D(a) < D(b) ? a : D(b) < D(a) ? b : a | b;
    return IS_NAN(a) ? (IS_NAN(b) ? a | QUIET : b) : IS_NAN(b) ? a : least;
}

GPU_INLINE uint64_t greater(uint64_t a, uint64_t b)
{
    uint64_t most = D(a) > D(b) ? a : D(b) > D(a) ? b : a & b;
    return IS_NAN(a) ? (IS_NAN(b) ? a | QUIET : b) : IS_NAN(b) ? a : most;
}

GPU_OP2(min, 64, 64, 64, lesser(a, b))
GPU_OP2(max, 64, 64, 64, greater(a, b))
GPU_OP1(size, 64, 64, a & ~SIGN)
GPU_OP1(neg, 64, 64, a ^ SIGN)
GPU_OP2(sign_of, 64, 64, 64, (b & ~SIGN) | (a & SIGN))

/* Any rounding, a lane at a time: mode[0] the rounding, mode[2] which. */
enum { ADD, SUB, MUL, FMA, DIV, RCP, SQRT, NONE };

static uint64_t directed_lane(uint32_t which, uint64_t a, uint64_t b, uint64_t c,
                              enum exact_round r)
{
    const struct exact_format f = EXACT_F64;
    switch (which) {
    case ADD: return exact_add(f, a, b, r);
    case SUB: return exact_add(f, a, IS_NAN(b) ? b : b ^ SIGN, r);
    case MUL: return exact_multiply(f, a, b, r);
    case FMA: return exact_fma(f, a, b, c, r);
    case DIV: return exact_divide(f, a, b, r);
    case RCP: return exact_divide(f, UINT64_C(0x3ff0000000000000), a, r);
    default:  return exact_sqrt(f, a, r);
    }
}

static uint64_t word_pair(const struct gpu_warp *w, const struct gpu_op *op, unsigned at,
                          unsigned lane)
{
    if (at >= op->srcs)
        return 0;
    return gpu_source(w, op, at)[lane] | (uint64_t)gpu_source(w, op, at + 1)[lane] << 32;
}

static void directed(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint64_t result[GPU_LANES] = { 0 };
    GPU_EACH_LANE(l)
        if (mask >> l & 1)
            result[l] = directed_lane(op->mode[2], word_pair(w, op, 0, l), word_pair(w, op, 2, l),
                                      word_pair(w, op, 4, l), (enum exact_round)op->mode[0]);
    gpu_put_wide(w, op, 0, mask, result);
}

static uint32_t is_class(uint64_t bits, uint8_t which)
{
    uint64_t size = bits & ~SIGN, infinity = UINT64_C(0x7ff) << 52, least = UINT64_C(1) << 52;
    switch (which) {
    case PTX_F_FINITE:     return size < infinity;
    case PTX_F_INFINITE:   return size == infinity;
    case PTX_F_NUMBER:     return size <= infinity;
    case PTX_F_NOTANUMBER: return size > infinity;
    case PTX_F_NORMAL:     return size >= least && size < infinity;
    default:               return size < least && size;
    }
}

static void testp(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t bits = 0;
    GPU_EACH_LANE(l)
        bits |= is_class(word_pair(w, op, 0, l), op->mode[1]) << l;
    gpu_put_predicate(w, op->pdst[0], mask, bits);
}

#define F64 GPU_T(F64)
#define ROUGH (GPU_M(APPROX) | GPU_M(FTZ))
static const struct gpu_form forms[] = {
    { PTX_ADD, F64, 0, 0, add }, { PTX_SUB, F64, 0, 0, sub }, { PTX_MUL, F64, 0, 0, mul },
    { PTX_FMA, F64, 0, 0, fmad }, { PTX_MAD, F64, 0, 0, fmad }, { PTX_DIV, F64, 0, 0, divide },
    { PTX_RCP, F64, 0, 0, rcp }, { PTX_RCP, F64, ROUGH, 0, rcp_rough },
    { PTX_SQRT, F64, 0, 0, square_root }, { PTX_RSQRT, F64, GPU_M(APPROX), 0, rsqrt },
    { PTX_RSQRT, F64, ROUGH, 0, rsqrt_rough },
    { PTX_MIN, F64, 0, 0, min }, { PTX_MAX, F64, 0, 0, max }, { PTX_ABS, F64, 0, 0, size },
    { PTX_NEG, F64, 0, 0, neg }, { PTX_COPYSIGN, F64, 0, 0, sign_of },
    { PTX_TESTP, F64, 0, 0, testp },
};

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
    default:       return NONE;
    }
}

bool gpu_execute_double(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->execute = gpu_form_find(forms, sizeof forms / sizeof *forms, i);
    if (!op->execute)
        return false;
    op->mode[1] = i->function;
    if (i->round == PTX_R_NONE || i->round == PTX_RN)
        return true;
    op->mode[0] = (uint8_t)gpu_rounding(i->round);
    op->mode[2] = directed_as(i->op);
    op->execute = directed;
    return op->mode[2] != NONE;
}
