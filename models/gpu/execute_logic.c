/* execute_logic.c - bitwise logic and shifts.  A shift by the width or more leaves nothing
 * but the sign. */
#include "models/gpu/execute_inside.h"

#define H(x) ((uint16_t)(x))

GPU_OP2(and16, 32, 32, 32, H(a & b))
GPU_OP2(and32, 32, 32, 32, a & b)
GPU_OP2(and64, 64, 64, 64, a & b)
GPU_OP2(or16, 32, 32, 32, H(a | b))
GPU_OP2(or32, 32, 32, 32, a | b)
GPU_OP2(or64, 64, 64, 64, a | b)
GPU_OP2(xor16, 32, 32, 32, H(a ^ b))
GPU_OP2(xor32, 32, 32, 32, a ^ b)
GPU_OP2(xor64, 64, 64, 64, a ^ b)
GPU_OP1(not16, 32, 32, H(~a))
GPU_OP1(not32, 32, 32, ~a)
GPU_OP1(not64, 64, 64, ~a)
GPU_OP1(cnot16, 32, 32, H(a) == 0)
GPU_OP1(cnot32, 32, 32, a == 0)
GPU_OP1(cnot64, 64, 64, a == 0)

GPU_OP2(shl16, 32, 32, 32, b > 15 ? 0 : H(a << (b & 15)))
GPU_OP2(shl32, 32, 32, 32, b > 31 ? 0 : a << (b & 31))
GPU_OP2(shl64, 64, 64, 32, b > 63 ? 0 : a << (b & 63))
GPU_OP2(shr_u16, 32, 32, 32, b > 15 ? 0 : H(a) >> (b & 15))
GPU_OP2(shr_u32, 32, 32, 32, b > 31 ? 0 : a >> (b & 31))
GPU_OP2(shr_u64, 64, 64, 32, b > 63 ? 0 : a >> (b & 63))
GPU_OP2(shr_s16, 32, 32, 32, H((int16_t)a >> (b > 15 ? 15 : b)))
GPU_OP2(shr_s32, 32, 32, 32, (int32_t)a >> (b > 31 ? 31 : b))
GPU_OP2(shr_s64, 64, 64, 32, (int64_t)a >> (b > 63 ? 63 : b))

/* b:a as 64 bits, of which 32 are taken. */
#define BOTH (a | (uint64_t)b << 32)
#define CLAMP(n) ((n) > 32 ? 32 : (n))
GPU_OP3(shf_l_clamp, 32, 32, 32, 32, BOTH << CLAMP(c) >> 32)
GPU_OP3(shf_l_wrap, 32, 32, 32, 32, BOTH << (c & 31) >> 32)
GPU_OP3(shf_r_clamp, 32, 32, 32, 32, BOTH >> CLAMP(c))
GPU_OP3(shf_r_wrap, 32, 32, 32, 32, BOTH >> (c & 31))

/* lop3: bit a:b:c of the table says what becomes of those three bits. */
GPU_WIDE static void lop3(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *as = gpu_source(w, op, 0), *bs = gpu_source(w, op, 1);
    const uint32_t *cs = gpu_source(w, op, 2);
    uint32_t table = gpu_source(w, op, 3)[0], take[8], result[GPU_LANES];
    for (unsigned i = 0; i < 8; i++)
        take[i] = 0 - (table >> i & 1);
    GPU_EACH_LANE(l) {
        uint32_t a = as[l], b = bs[l], c = cs[l];
        uint32_t low = (take[0] & ~b & ~c) | (take[1] & ~b & c) | (take[2] & b & ~c) |
                       (take[3] & b & c);
        uint32_t high = (take[4] & ~b & ~c) | (take[5] & ~b & c) | (take[6] & b & ~c) |
                        (take[7] & b & c);
        result[l] = (low & ~a) | (high & a);
    }
    gpu_put(w, op, 0, mask, result);
}

/* A predicate operand, or an immediate one: the first source word. */
static uint32_t truth(const struct gpu_warp *w, const struct gpu_op *op, unsigned i)
{
    if (op->psrc[i] != GPU_NO_PREDICATE)
        return gpu_predicate(w, op, i);
    return op->srcs && gpu_source(w, op, 0)[0] ? UINT32_MAX : 0;
}

#define PREDICATE(name, expression)                                                 \
    static void name(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)    \
    {                                                                               \
        uint32_t a = truth(w, op, 0);                                               \
        gpu_put_predicate(w, op->pdst[0], mask, expression);                        \
    }
PREDICATE(and_pred, a & truth(w, op, 1))
PREDICATE(or_pred, a | truth(w, op, 1))
PREDICATE(xor_pred, a ^ truth(w, op, 1))
PREDICATE(not_pred, ~a)

#define B16 GPU_T(B16)
#define B32 GPU_T(B32)
#define B64 GPU_T(B64)
#define PRED GPU_T(PRED)
#define BITS(op, name) \
    { op, B16, 0, 0, name##16 }, { op, B32, 0, 0, name##32 }, { op, B64, 0, 0, name##64 }

static const struct gpu_form forms[] = {
    BITS(PTX_AND, and), BITS(PTX_OR, or), BITS(PTX_XOR, xor), BITS(PTX_NOT, not),
    BITS(PTX_CNOT, cnot),
    { PTX_AND, PRED, 0, 0, and_pred }, { PTX_OR, PRED, 0, 0, or_pred },
    { PTX_XOR, PRED, 0, 0, xor_pred }, { PTX_NOT, PRED, 0, 0, not_pred },
    { PTX_LOP3, B32, 0, 0, lop3 },
    { PTX_SHL, B16, 0, 0, shl16 }, { PTX_SHL, B32, 0, 0, shl32 }, { PTX_SHL, B64, 0, 0, shl64 },
    { PTX_SHR, B16 | GPU_T(U16), 0, 0, shr_u16 }, { PTX_SHR, B32 | GPU_T(U32), 0, 0, shr_u32 },
    { PTX_SHR, B64 | GPU_T(U64), 0, 0, shr_u64 }, { PTX_SHR, GPU_T(S16), 0, 0, shr_s16 },
    { PTX_SHR, GPU_T(S32), 0, 0, shr_s32 }, { PTX_SHR, GPU_T(S64), 0, 0, shr_s64 },
    { PTX_SHF, B32, GPU_M(LEFT) | GPU_M(CLAMP), 0, shf_l_clamp },
    { PTX_SHF, B32, GPU_M(LEFT) | GPU_M(WRAP), 0, shf_l_wrap },
    { PTX_SHF, B32, GPU_M(RIGHT) | GPU_M(CLAMP), 0, shf_r_clamp },
    { PTX_SHF, B32, GPU_M(RIGHT) | GPU_M(WRAP), 0, shf_r_wrap },
};

bool gpu_execute_logic(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->execute = gpu_form_find(forms, sizeof forms / sizeof *forms, i);
    return op->execute != NULL;
}
