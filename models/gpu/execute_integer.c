/* execute_integer.c - integer arithmetic: it wraps at its width.
 *
 * Division by zero gives all ones, its remainder is the dividend, as on the hardware; the
 * smallest number divided by -1 is itself.
 */
#include "models/gpu/execute_inside.h"

__extension__ typedef __int128 wide_int;
__extension__ typedef unsigned __int128 wide_uint;

#define S16(x) ((int32_t)(int16_t)(x))
#define U16(x) ((uint32_t)(uint16_t)(x))
#define S32(x) ((int32_t)(x))
#define S64(x) ((int64_t)(x))
#define S24(x) ((int32_t)((x) << 8) >> 8)
#define U24(x) ((x) & 0xffffff)

GPU_INLINE uint32_t saturate(int64_t x)
{
    return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? UINT32_C(1) << 31 : (uint32_t)x;
}

GPU_OP2(add16, 32, 32, 32, (uint16_t)(a + b))
GPU_OP2(add32, 32, 32, 32, a + b)
GPU_OP2(add64, 64, 64, 64, a + b)
GPU_OP2(add_sat, 32, 32, 32, saturate((int64_t)S32(a) + S32(b)))
GPU_OP2(sub16, 32, 32, 32, (uint16_t)(a - b))
GPU_OP2(sub32, 32, 32, 32, a - b)
GPU_OP2(sub64, 64, 64, 64, a - b)
GPU_OP2(sub_sat, 32, 32, 32, saturate((int64_t)S32(a) - S32(b)))

/* Products, and products added to: the low half, the high one, all of it. */
#define HI_U16(a, b) ((uint16_t)(U16(a) * U16(b) >> 16))
#define HI_S16(a, b) ((uint16_t)(S16(a) * S16(b) >> 16))
#define HI_U32(a, b) ((uint32_t)((uint64_t)(a) * (b) >> 32))
#define HI_S32(a, b) ((uint32_t)((int64_t)S32(a) * S32(b) >> 32))
#define HI_U64(a, b) ((uint64_t)((wide_uint)(a) * (b) >> 64))
#define HI_S64(a, b) ((uint64_t)((wide_int)S64(a) * S64(b) >> 64))
#define WIDE_U16(a, b) (U16(a) * U16(b))
#define WIDE_S16(a, b) ((uint32_t)(S16(a) * S16(b)))
#define WIDE_U32(a, b) ((uint64_t)(a) * (b))
#define WIDE_S32(a, b) ((uint64_t)((int64_t)S32(a) * S32(b)))
#define LO24_U(a, b) ((uint32_t)((uint64_t)U24(a) * U24(b)))
#define LO24_S(a, b) ((uint32_t)((int64_t)S24(a) * S24(b)))
#define HI24_U(a, b) ((uint32_t)((uint64_t)U24(a) * U24(b) >> 16))
#define HI24_S(a, b) ((uint32_t)((int64_t)S24(a) * S24(b) >> 16))

GPU_OP2(mul16, 32, 32, 32, (uint16_t)(a * b))
GPU_OP2(mul32, 32, 32, 32, a * b)
GPU_OP2(mul64, 64, 64, 64, a * b)
GPU_OP2(mul_hi_u16, 32, 32, 32, HI_U16(a, b))
GPU_OP2(mul_hi_s16, 32, 32, 32, HI_S16(a, b))
GPU_OP2(mul_hi_u32, 32, 32, 32, HI_U32(a, b))
GPU_OP2(mul_hi_s32, 32, 32, 32, HI_S32(a, b))
GPU_OP2(mul_hi_u64, 64, 64, 64, HI_U64(a, b))
GPU_OP2(mul_hi_s64, 64, 64, 64, HI_S64(a, b))
GPU_OP2(mul_wide_u16, 32, 32, 32, WIDE_U16(a, b))
GPU_OP2(mul_wide_s16, 32, 32, 32, WIDE_S16(a, b))
GPU_OP2(mul_wide_u32, 64, 32, 32, WIDE_U32(a, b))
GPU_OP2(mul_wide_s32, 64, 32, 32, WIDE_S32(a, b))
GPU_OP2(mul24_lo_u32, 32, 32, 32, LO24_U(a, b))
GPU_OP2(mul24_lo_s32, 32, 32, 32, LO24_S(a, b))
GPU_OP2(mul24_hi_u32, 32, 32, 32, HI24_U(a, b))
GPU_OP2(mul24_hi_s32, 32, 32, 32, HI24_S(a, b))

GPU_OP3(mad16, 32, 32, 32, 32, (uint16_t)(a * b + c))
GPU_OP3(mad32, 32, 32, 32, 32, a * b + c)
GPU_OP3(mad64, 64, 64, 64, 64, a * b + c)
GPU_OP3(mad_hi_u16, 32, 32, 32, 32, (uint16_t)(HI_U16(a, b) + c))
GPU_OP3(mad_hi_s16, 32, 32, 32, 32, (uint16_t)(HI_S16(a, b) + c))
GPU_OP3(mad_hi_u32, 32, 32, 32, 32, HI_U32(a, b) + c)
GPU_OP3(mad_hi_s32, 32, 32, 32, 32, HI_S32(a, b) + c)
GPU_OP3(mad_hi_u64, 64, 64, 64, 64, HI_U64(a, b) + c)
GPU_OP3(mad_hi_s64, 64, 64, 64, 64, HI_S64(a, b) + c)
GPU_OP3(mad_hi_sat, 32, 32, 32, 32, saturate((int64_t)S32(HI_S32(a, b)) + S32(c)))
GPU_OP3(mad_wide_u16, 32, 32, 32, 32, WIDE_U16(a, b) + c)
GPU_OP3(mad_wide_s16, 32, 32, 32, 32, WIDE_S16(a, b) + c)
GPU_OP3(mad_wide_u32, 64, 32, 32, 64, WIDE_U32(a, b) + c)
GPU_OP3(mad_wide_s32, 64, 32, 32, 64, WIDE_S32(a, b) + c)
GPU_OP3(mad24_lo_u32, 32, 32, 32, 32, LO24_U(a, b) + c)
GPU_OP3(mad24_lo_s32, 32, 32, 32, 32, LO24_S(a, b) + c)
GPU_OP3(mad24_hi_u32, 32, 32, 32, 32, HI24_U(a, b) + c)
GPU_OP3(mad24_hi_s32, 32, 32, 32, 32, HI24_S(a, b) + c)
GPU_OP3(mad24_hi_sat, 32, 32, 32, 32, saturate((int64_t)S32(HI24_S(a, b)) + S32(c)))

#define DISTANCE(x, y) ((x) < (y) ? (y) - (x) : (x) - (y))
#define DISTANCE_S(bits, a, b) \
    (S##bits(a) < S##bits(b) ? (uint##bits##_t)(b) - (uint##bits##_t)(a) \
                             : (uint##bits##_t)(a) - (uint##bits##_t)(b))
GPU_OP3(sad_u16, 32, 32, 32, 32, (uint16_t)(c + DISTANCE(U16(a), U16(b))))
GPU_OP3(sad_s16, 32, 32, 32, 32, (uint16_t)(c + (uint32_t)DISTANCE(S16(a), S16(b))))
GPU_OP3(sad_u32, 32, 32, 32, 32, c + DISTANCE(a, b))
GPU_OP3(sad_s32, 32, 32, 32, 32, c + DISTANCE_S(32, a, b))
GPU_OP3(sad_u64, 64, 64, 64, 64, c + DISTANCE(a, b))
GPU_OP3(sad_s64, 64, 64, 64, 64, c + DISTANCE_S(64, a, b))

/* Signed: in 64 bits nothing overflows but the smallest number of 64 bits divided by -1. */
GPU_INLINE int64_t quotient(int64_t a, int64_t b)
{
    return !b ? -1 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

GPU_INLINE int64_t remainder_of(int64_t a, int64_t b)
{
    return !b ? a : b == -1 ? 0 : a % b;
}

GPU_OP2(div_u16, 32, 32, 32, (uint16_t)(U16(b) ? U16(a) / U16(b) : UINT16_MAX))
GPU_OP2(div_s16, 32, 32, 32, (uint16_t)quotient(S16(a), S16(b)))
GPU_OP2(div_u32, 32, 32, 32, b ? a / b : UINT32_MAX)
GPU_OP2(div_s32, 32, 32, 32, quotient(S32(a), S32(b)))
GPU_OP2(div_u64, 64, 64, 64, b ? a / b : UINT64_MAX)
GPU_OP2(div_s64, 64, 64, 64, quotient(S64(a), S64(b)))
GPU_OP2(rem_u16, 32, 32, 32, (uint16_t)(U16(b) ? U16(a) % U16(b) : a))
GPU_OP2(rem_s16, 32, 32, 32, (uint16_t)remainder_of(S16(a), S16(b)))
GPU_OP2(rem_u32, 32, 32, 32, b ? a % b : a)
GPU_OP2(rem_s32, 32, 32, 32, remainder_of(S32(a), S32(b)))
GPU_OP2(rem_u64, 64, 64, 64, b ? a % b : a)
GPU_OP2(rem_s64, 64, 64, 64, remainder_of(S64(a), S64(b)))

GPU_OP1(neg16, 32, 32, (uint16_t)(0 - a))
GPU_OP1(neg32, 32, 32, 0 - a)
GPU_OP1(neg64, 64, 64, 0 - a)
GPU_OP1(abs16, 32, 32, (uint16_t)(S16(a) < 0 ? 0 - a : a))
GPU_OP1(abs32, 32, 32, S32(a) < 0 ? 0 - a : a)
GPU_OP1(abs64, 64, 64, S64(a) < 0 ? 0 - a : a)

#define LESSER(x, y)  ((x) < (y) ? (x) : (y))
#define GREATER(x, y) ((x) > (y) ? (x) : (y))
GPU_OP2(min_u16, 32, 32, 32, LESSER(U16(a), U16(b)))
GPU_OP2(min_s16, 32, 32, 32, (uint16_t)LESSER(S16(a), S16(b)))
GPU_OP2(min_u32, 32, 32, 32, LESSER(a, b))
GPU_OP2(min_s32, 32, 32, 32, LESSER(S32(a), S32(b)))
GPU_OP2(min_u64, 64, 64, 64, LESSER(a, b))
GPU_OP2(min_s64, 64, 64, 64, LESSER(S64(a), S64(b)))
GPU_OP2(max_u16, 32, 32, 32, GREATER(U16(a), U16(b)))
GPU_OP2(max_s16, 32, 32, 32, (uint16_t)GREATER(S16(a), S16(b)))
GPU_OP2(max_u32, 32, 32, 32, GREATER(a, b))
GPU_OP2(max_s32, 32, 32, 32, GREATER(S32(a), S32(b)))
GPU_OP2(max_u64, 64, 64, 64, GREATER(a, b))
GPU_OP2(max_s64, 64, 64, 64, GREATER(S64(a), S64(b)))
GPU_OP2(min_relu, 32, 32, 32, GREATER(LESSER(S32(a), S32(b)), 0))
GPU_OP2(max_relu, 32, 32, 32, GREATER(GREATER(S32(a), S32(b)), 0))

/* Two numbers of 16 bits in a word. */
#define PAIR(high, low) ((uint32_t)(high) << 16 | (uint16_t)(low))
#define HIGH_S(x) ((int32_t)(x) >> 16)
GPU_OP2(add_pair, 32, 32, 32, PAIR((a >> 16) + (b >> 16), a + b))
GPU_OP2(min_pair_u, 32, 32, 32, PAIR(LESSER(a >> 16, b >> 16), LESSER(U16(a), U16(b))))
GPU_OP2(max_pair_u, 32, 32, 32, PAIR(GREATER(a >> 16, b >> 16), GREATER(U16(a), U16(b))))
GPU_OP2(min_pair_s, 32, 32, 32, PAIR(LESSER(HIGH_S(a), HIGH_S(b)), LESSER(S16(a), S16(b))))
GPU_OP2(max_pair_s, 32, 32, 32, PAIR(GREATER(HIGH_S(a), HIGH_S(b)), GREATER(S16(a), S16(b))))
GPU_OP2(min_pair_relu, 32, 32, 32, PAIR(GREATER(LESSER(HIGH_S(a), HIGH_S(b)), 0),
                                        GREATER(LESSER(S16(a), S16(b)), 0)))
GPU_OP2(max_pair_relu, 32, 32, 32, PAIR(GREATER(GREATER(HIGH_S(a), HIGH_S(b)), 0),
                                        GREATER(GREATER(S16(a), S16(b)), 0)))

/* With the carry: mode[0] says whether one comes in, pdst[0] takes what goes out.  What goes
 * out of a sum of three is found in the 33rd (65th) bit. */
#define IN  0x01

#define CARRY_HEAD                                                                  \
    uint32_t in = op->mode[0] & IN ? gpu_predicate(w, op, 0) : 0, out = 0;

#define CARRY2(name, D, W, sum)                                                     \
    static void name(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)    \
    {                                                                               \
        CARRY_HEAD                                                                  \
        GPU_TAKE_##D(as, 0);                                                        \
        GPU_TAKE_##D(bs, D / 32);                                                   \
        uint##D##_t result[GPU_LANES];                                              \
        GPU_EACH_LANE(l) {                                                          \
            W a = as[l], b = bs[l], carry = in >> l & 1, x = sum;                   \
            result[l] = (uint##D##_t)x;                                             \
            out |= (uint32_t)(x >> D & 1) << l;                                     \
        }                                                                           \
        GPU_PUT_##D(0, result);                                                     \
        gpu_put_predicate(w, op->pdst[0], mask, out);                               \
    }

#define CARRY3(name, D, W, product)                                                 \
    static void name(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)    \
    {                                                                               \
        CARRY_HEAD                                                                  \
        GPU_TAKE_##D(as, 0);                                                        \
        GPU_TAKE_##D(bs, D / 32);                                                   \
        GPU_TAKE_##D(cs, 2 * (D / 32));                                             \
        uint##D##_t result[GPU_LANES];                                              \
        GPU_EACH_LANE(l) {                                                          \
            uint##D##_t a = as[l], b = bs[l];                                       \
            W x = (W)(uint##D##_t)(product) + cs[l] + (in >> l & 1);                \
            result[l] = (uint##D##_t)x;                                             \
            out |= (uint32_t)(x >> D & 1) << l;                                     \
        }                                                                           \
        GPU_PUT_##D(0, result);                                                     \
        gpu_put_predicate(w, op->pdst[0], mask, out);                               \
    }

CARRY2(addc32, 32, uint64_t, a + b + carry)
CARRY2(addc64, 64, wide_uint, a + b + carry)
CARRY2(subc32, 32, uint64_t, a - b - carry)
CARRY2(subc64, 64, wide_uint, a - b - carry)
CARRY3(madc_lo32, 32, uint64_t, a * b)
CARRY3(madc_lo64, 64, wide_uint, a * b)
CARRY3(madc_hi_u32, 32, uint64_t, HI_U32(a, b))
CARRY3(madc_hi_s32, 32, uint64_t, HI_S32(a, b))
CARRY3(madc_hi_u64, 64, wide_uint, HI_U64(a, b))
CARRY3(madc_hi_s64, 64, wide_uint, HI_S64(a, b))

#define I16 (GPU_T(U16) | GPU_T(S16))
#define I32 (GPU_T(U32) | GPU_T(S32))
#define I64 (GPU_T(U64) | GPU_T(S64))
#define LO  GPU_M(LO)
#define HI  GPU_M(HI)
#define WIDE GPU_M(WIDE)
#define CC  GPU_M(CC)
#define SAT GPU_M(SAT)

static const struct gpu_form forms[] = {
    { PTX_ADD, I16, 0, 0, add16 }, { PTX_ADD, I32, 0, 0, add32 }, { PTX_ADD, I64, 0, 0, add64 },
    { PTX_ADD, GPU_T(S32), SAT, 0, add_sat },
    { PTX_SUB, I16, 0, 0, sub16 }, { PTX_SUB, I32, 0, 0, sub32 }, { PTX_SUB, I64, 0, 0, sub64 },
    { PTX_SUB, GPU_T(S32), SAT, 0, sub_sat },
    { PTX_ADD, I32, CC, 0, addc32 }, { PTX_ADD, I64, CC, 0, addc64 },
    { PTX_SUB, I32, CC, 0, subc32 }, { PTX_SUB, I64, CC, 0, subc64 },
    { PTX_ADDC, I32, 0, CC, addc32 }, { PTX_ADDC, I64, 0, CC, addc64 },
    { PTX_SUBC, I32, 0, CC, subc32 }, { PTX_SUBC, I64, 0, CC, subc64 },
    { PTX_MUL, I16, LO, 0, mul16 }, { PTX_MUL, I32, LO, 0, mul32 },
    { PTX_MUL, I64, LO, 0, mul64 },
    { PTX_MUL, GPU_T(U16), HI, 0, mul_hi_u16 }, { PTX_MUL, GPU_T(S16), HI, 0, mul_hi_s16 },
    { PTX_MUL, GPU_T(U32), HI, 0, mul_hi_u32 }, { PTX_MUL, GPU_T(S32), HI, 0, mul_hi_s32 },
    { PTX_MUL, GPU_T(U64), HI, 0, mul_hi_u64 }, { PTX_MUL, GPU_T(S64), HI, 0, mul_hi_s64 },
    { PTX_MUL, GPU_T(U16), WIDE, 0, mul_wide_u16 }, { PTX_MUL, GPU_T(S16), WIDE, 0, mul_wide_s16 },
    { PTX_MUL, GPU_T(U32), WIDE, 0, mul_wide_u32 }, { PTX_MUL, GPU_T(S32), WIDE, 0, mul_wide_s32 },
    { PTX_MUL24, GPU_T(U32), LO, 0, mul24_lo_u32 }, { PTX_MUL24, GPU_T(S32), LO, 0, mul24_lo_s32 },
    { PTX_MUL24, GPU_T(U32), HI, 0, mul24_hi_u32 }, { PTX_MUL24, GPU_T(S32), HI, 0, mul24_hi_s32 },
    { PTX_MAD, I16, LO, 0, mad16 }, { PTX_MAD, I32, LO, 0, mad32 },
    { PTX_MAD, I64, LO, 0, mad64 },
    { PTX_MAD, GPU_T(U16), HI, 0, mad_hi_u16 }, { PTX_MAD, GPU_T(S16), HI, 0, mad_hi_s16 },
    { PTX_MAD, GPU_T(U32), HI, 0, mad_hi_u32 }, { PTX_MAD, GPU_T(S32), HI, 0, mad_hi_s32 },
    { PTX_MAD, GPU_T(U64), HI, 0, mad_hi_u64 }, { PTX_MAD, GPU_T(S64), HI, 0, mad_hi_s64 },
    { PTX_MAD, GPU_T(S32), HI | SAT, 0, mad_hi_sat },
    { PTX_MAD, GPU_T(U16), WIDE, 0, mad_wide_u16 }, { PTX_MAD, GPU_T(S16), WIDE, 0, mad_wide_s16 },
    { PTX_MAD, GPU_T(U32), WIDE, 0, mad_wide_u32 }, { PTX_MAD, GPU_T(S32), WIDE, 0, mad_wide_s32 },
    { PTX_MAD, I32, LO | CC, 0, madc_lo32 }, { PTX_MAD, I64, LO | CC, 0, madc_lo64 },
    { PTX_MAD, GPU_T(U32), HI | CC, 0, madc_hi_u32 }, { PTX_MAD, GPU_T(S32), HI | CC, 0, madc_hi_s32 },
    { PTX_MAD, GPU_T(U64), HI | CC, 0, madc_hi_u64 }, { PTX_MAD, GPU_T(S64), HI | CC, 0, madc_hi_s64 },
    { PTX_MADC, I32, LO, CC, madc_lo32 }, { PTX_MADC, I64, LO, CC, madc_lo64 },
    { PTX_MADC, GPU_T(U32), HI, CC, madc_hi_u32 }, { PTX_MADC, GPU_T(S32), HI, CC, madc_hi_s32 },
    { PTX_MADC, GPU_T(U64), HI, CC, madc_hi_u64 }, { PTX_MADC, GPU_T(S64), HI, CC, madc_hi_s64 },
    { PTX_MAD24, GPU_T(U32), LO, 0, mad24_lo_u32 }, { PTX_MAD24, GPU_T(S32), LO, 0, mad24_lo_s32 },
    { PTX_MAD24, GPU_T(U32), HI, 0, mad24_hi_u32 }, { PTX_MAD24, GPU_T(S32), HI, 0, mad24_hi_s32 },
    { PTX_MAD24, GPU_T(S32), HI | SAT, 0, mad24_hi_sat },
    { PTX_SAD, GPU_T(U16), 0, 0, sad_u16 }, { PTX_SAD, GPU_T(S16), 0, 0, sad_s16 },
    { PTX_SAD, GPU_T(U32), 0, 0, sad_u32 }, { PTX_SAD, GPU_T(S32), 0, 0, sad_s32 },
    { PTX_SAD, GPU_T(U64), 0, 0, sad_u64 }, { PTX_SAD, GPU_T(S64), 0, 0, sad_s64 },
    { PTX_DIV, GPU_T(U16), 0, 0, div_u16 }, { PTX_DIV, GPU_T(S16), 0, 0, div_s16 },
    { PTX_DIV, GPU_T(U32), 0, 0, div_u32 }, { PTX_DIV, GPU_T(S32), 0, 0, div_s32 },
    { PTX_DIV, GPU_T(U64), 0, 0, div_u64 }, { PTX_DIV, GPU_T(S64), 0, 0, div_s64 },
    { PTX_REM, GPU_T(U16), 0, 0, rem_u16 }, { PTX_REM, GPU_T(S16), 0, 0, rem_s16 },
    { PTX_REM, GPU_T(U32), 0, 0, rem_u32 }, { PTX_REM, GPU_T(S32), 0, 0, rem_s32 },
    { PTX_REM, GPU_T(U64), 0, 0, rem_u64 }, { PTX_REM, GPU_T(S64), 0, 0, rem_s64 },
    { PTX_NEG, GPU_T(S16), 0, 0, neg16 }, { PTX_NEG, GPU_T(S32), 0, 0, neg32 },
    { PTX_NEG, GPU_T(S64), 0, 0, neg64 },
    { PTX_ABS, GPU_T(S16), 0, 0, abs16 }, { PTX_ABS, GPU_T(S32), 0, 0, abs32 },
    { PTX_ABS, GPU_T(S64), 0, 0, abs64 },
    { PTX_MIN, GPU_T(U16), 0, 0, min_u16 }, { PTX_MIN, GPU_T(S16), 0, 0, min_s16 },
    { PTX_MIN, GPU_T(U32), 0, 0, min_u32 }, { PTX_MIN, GPU_T(S32), 0, 0, min_s32 },
    { PTX_MIN, GPU_T(U64), 0, 0, min_u64 }, { PTX_MIN, GPU_T(S64), 0, 0, min_s64 },
    { PTX_MIN, GPU_T(S32), GPU_M(RELU), 0, min_relu },
    { PTX_MAX, GPU_T(U16), 0, 0, max_u16 }, { PTX_MAX, GPU_T(S16), 0, 0, max_s16 },
    { PTX_MAX, GPU_T(U32), 0, 0, max_u32 }, { PTX_MAX, GPU_T(S32), 0, 0, max_s32 },
    { PTX_MAX, GPU_T(U64), 0, 0, max_u64 }, { PTX_MAX, GPU_T(S64), 0, 0, max_s64 },
    { PTX_MAX, GPU_T(S32), GPU_M(RELU), 0, max_relu },
    { PTX_ADD, GPU_T(U16X2) | GPU_T(S16X2), 0, 0, add_pair },
    { PTX_MIN, GPU_T(U16X2), 0, 0, min_pair_u }, { PTX_MIN, GPU_T(S16X2), 0, 0, min_pair_s },
    { PTX_MAX, GPU_T(U16X2), 0, 0, max_pair_u }, { PTX_MAX, GPU_T(S16X2), 0, 0, max_pair_s },
    { PTX_MIN, GPU_T(S16X2), GPU_M(RELU), 0, min_pair_relu },
    { PTX_MAX, GPU_T(S16X2), GPU_M(RELU), 0, max_pair_relu },
};

bool gpu_execute_integer(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->execute = gpu_form_find(forms, sizeof forms / sizeof *forms, i);
    if (i->op == PTX_ADDC || i->op == PTX_SUBC || i->op == PTX_MADC)
        op->mode[0] = IN;
    return op->execute != NULL;
}
