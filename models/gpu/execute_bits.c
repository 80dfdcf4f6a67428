/* execute_bits.c - counting, finding, moving fields of bits and bytes. */
#include "models/gpu/execute_inside.h"

#define NONE UINT32_MAX

GPU_INLINE uint32_t leading32(uint32_t x) { return x ? (uint32_t)__builtin_clz(x) : 32; }
GPU_INLINE uint32_t leading64(uint64_t x) { return x ? (uint32_t)__builtin_clzll(x) : 64; }

GPU_OP1(popc32, 32, 32, __builtin_popcount(a))
GPU_OP1(popc64, 32, 64, __builtin_popcountll(a))
GPU_OP1(clz32, 32, 32, leading32(a))
GPU_OP1(clz64, 32, 64, leading64(a))

/* The highest bit that differs from the sign; .shiftamt: how far it is from the top. */
#define SIGN32(x) ((x) ^ (0 - ((x) >> 31)))
#define SIGN64(x) ((x) ^ (0 - ((x) >> 63)))
#define FOUND(bits, x)  ((x) ? bits - 1 - leading##bits(x) : NONE)
#define AMOUNT(bits, x) ((x) ? leading##bits(x) : NONE)
GPU_OP1(bfind_u32, 32, 32, FOUND(32, a))
GPU_OP1(bfind_s32, 32, 32, FOUND(32, SIGN32(a)))
GPU_OP1(bfind_u64, 32, 64, FOUND(64, a))
GPU_OP1(bfind_s64, 32, 64, FOUND(64, SIGN64(a)))
GPU_OP1(bfind_u32_amount, 32, 32, AMOUNT(32, a))
GPU_OP1(bfind_s32_amount, 32, 32, AMOUNT(32, SIGN32(a)))
GPU_OP1(bfind_u64_amount, 32, 64, AMOUNT(64, a))
GPU_OP1(bfind_s64_amount, 32, 64, AMOUNT(64, SIGN64(a)))

GPU_INLINE uint32_t reverse32(uint32_t x)
{
    x = (x & 0x55555555) << 1 | (x >> 1 & 0x55555555);
    x = (x & 0x33333333) << 2 | (x >> 2 & 0x33333333);
    x = (x & 0x0f0f0f0f) << 4 | (x >> 4 & 0x0f0f0f0f);
    return __builtin_bswap32(x);
}
GPU_OP1(brev32, 32, 32, reverse32(a))
GPU_OP1(brev64, 64, 64, (uint64_t)reverse32((uint32_t)a) << 32 | reverse32((uint32_t)(a >> 32)))

/* `count` bits of x from `at`; those past the top are the sign bit of the field, or 0. */
#define FIELD(bits)                                                                 \
    GPU_INLINE uint##bits##_t ones##bits(uint32_t count)                            \
    {                                                                               \
        return count >= bits ? UINT##bits##_MAX                                     \
                             : ((uint##bits##_t)1 << (count & (bits - 1))) - 1;     \
    }                                                                               \
    GPU_INLINE uint##bits##_t extract##bits(uint##bits##_t x, uint32_t at,          \
                                            uint32_t count, bool is_signed)         \
    {                                                                               \
        at &= 0xff;                                                                 \
        count &= 0xff;                                                              \
        uint32_t last = at + count - 1 < bits ? at + count - 1 : bits - 1;          \
        bool sign = is_signed && count && (x >> (last & (bits - 1)) & 1);           \
        uint32_t there = at >= bits ? 0 : count < bits - at ? count : bits - at;    \
        uint##bits##_t field = at >= bits ? 0 : x >> (at & (bits - 1));             \
        return (field & ones##bits(there)) | (sign ? ~ones##bits(there) : 0);       \
    }                                                                               \
    GPU_INLINE uint##bits##_t insert##bits(uint##bits##_t x, uint##bits##_t into,   \
                                           uint32_t at, uint32_t count)             \
    {                                                                               \
        at &= 0xff;                                                                 \
        count &= 0xff;                                                              \
        if (at >= bits)                                                             \
            return into;                                                            \
        uint##bits##_t where = ones##bits(count) << at;                             \
        return (into & ~where) | (x << at & where);                                 \
    }
FIELD(32)
FIELD(64)

GPU_OP3(bfe_u32, 32, 32, 32, 32, extract32(a, b, c, false))
GPU_OP3(bfe_s32, 32, 32, 32, 32, extract32(a, b, c, true))
GPU_OP3(bfe_u64, 64, 64, 32, 32, extract64(a, b, c, false))
GPU_OP3(bfe_s64, 64, 64, 32, 32, extract64(a, b, c, true))

static void bfi32(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 1);
    const uint32_t *at = gpu_source(w, op, 2), *count = gpu_source(w, op, 3);
    uint32_t result[GPU_LANES];
    GPU_EACH_LANE(l)
        result[l] = insert32(a[l], b[l], at[l], count[l]);
    gpu_put(w, op, 0, mask, result);
}

static void bfi64(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    GPU_TAKE_64(a, 0);
    GPU_TAKE_64(b, 2);
    const uint32_t *at = gpu_source(w, op, 4), *count = gpu_source(w, op, 5);
    uint64_t result[GPU_LANES];
    GPU_EACH_LANE(l)
        result[l] = insert64(a[l], b[l], at[l], count[l]);
    gpu_put_wide(w, op, 0, mask, result);
}

/* The bits from `at` on, `count` of them; N bits of a kept, signed or not. */
#define CLAMP(n) ((n) > 32 ? 32 : (n))
#define WRAP(n)  ((n) & 31)
GPU_INLINE uint32_t bit_mask(uint32_t at, uint32_t count)
{
    uint32_t end = at + count;
    return ones32(end > 32 ? 32 : end) & ~ones32(at);
}
GPU_INLINE uint32_t keep_signed(uint32_t x, uint32_t n)
{
    return n ? (uint32_t)((int32_t)(x << ((32 - n) & 31)) >> ((32 - n) & 31)) : 0;
}
GPU_OP2(bmsk_clamp, 32, 32, 32, bit_mask(CLAMP(a), CLAMP(b)))
GPU_OP2(bmsk_wrap, 32, 32, 32, bit_mask(WRAP(a), WRAP(b)))
GPU_OP2(szext_u_clamp, 32, 32, 32, a & ones32(CLAMP(b)))
GPU_OP2(szext_u_wrap, 32, 32, 32, a & ones32(WRAP(b)))
GPU_OP2(szext_s_clamp, 32, 32, 32, keep_signed(a, CLAMP(b)))
GPU_OP2(szext_s_wrap, 32, 32, 32, keep_signed(a, WRAP(b)))

/* Bytes or halves of a times bytes of b, added to c.  mode: are a and b signed, is b's upper
 * half meant. */
GPU_INLINE uint32_t part(uint32_t x, unsigned bits, unsigned i, bool is_signed)
{
    uint32_t field = x >> i * bits & ones32(bits);
    return is_signed ? keep_signed(field, bits) : field;
}

static void dp4a(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 1);
    const uint32_t *c = gpu_source(w, op, 2);
    uint32_t result[GPU_LANES];
    GPU_EACH_LANE(l) {
        result[l] = c[l];
        for (unsigned i = 0; i < 4; i++)
            result[l] += part(a[l], 8, i, op->mode[0]) * part(b[l], 8, i, op->mode[1]);
    }
    gpu_put(w, op, 0, mask, result);
}

static void dp2a(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 1);
    const uint32_t *c = gpu_source(w, op, 2);
    unsigned from = op->mode[2] ? 2 : 0;
    uint32_t result[GPU_LANES];
    GPU_EACH_LANE(l) {
        result[l] = c[l];
        for (unsigned i = 0; i < 2; i++)
            result[l] += part(a[l], 16, i, op->mode[0]) * part(b[l], 8, from + i, op->mode[1]);
    }
    gpu_put(w, op, 0, mask, result);
}

/* The n-th set bit of a mask from a bit on, upwards or (n negative) downwards. */
static uint32_t nth_set(uint32_t bits, uint32_t base, int32_t n)
{
    if (n == 0)
        return base < 32 && bits >> base & 1 ? base : NONE;
    int64_t left = n > 0 ? n : -(int64_t)n;
    int step = n > 0 ? 1 : -1;
    for (int64_t at = base; at >= 0 && at < 32; at += step)
        if (bits >> at & 1 && --left == 0)
            return (uint32_t)at;
    return NONE;
}
GPU_OP3(fns, 32, 32, 32, 32, nth_set(a, b, (int32_t)c))

/* prmt: each nibble of the selector picks one of eight bytes, or spreads its sign. */
GPU_INLINE uint32_t pick_byte(uint64_t bytes, uint32_t selector)
{
    uint32_t byte = (uint32_t)(bytes >> 8 * (selector & 7)) & 0xff;
    return selector & 8 ? (byte >> 7) * 0xff : byte;
}

GPU_INLINE uint32_t permute(uint32_t a, uint32_t b, uint32_t selector)
{
    uint64_t bytes = a | (uint64_t)b << 32;
    uint32_t result = 0;
    for (unsigned i = 0; i < 4; i++)
        result |= pick_byte(bytes, selector >> 4 * i) << 8 * i;
    return result;
}
GPU_OP3(prmt, 32, 32, 32, 32, permute(a, b, c))

/* Selectors of the modes for c & 3 = 0 to 3, a nibble a byte. */
static const uint16_t selectors[6][4] = {
    { 0x3210, 0x4321, 0x5432, 0x6543 },     /* f4e */
    { 0x5670, 0x6701, 0x7012, 0x0123 },     /* b4e */
    { 0x0000, 0x1111, 0x2222, 0x3333 },     /* rc8 */
    { 0x3210, 0x3211, 0x3222, 0x3333 },     /* ecl */
    { 0x0000, 0x1110, 0x2210, 0x3210 },     /* ecr */
    { 0x1010, 0x3232, 0x1010, 0x3232 },     /* rc16 */
};

static void prmt_mode(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 1);
    const uint32_t *c = gpu_source(w, op, 2);
    uint32_t result[GPU_LANES];
    GPU_EACH_LANE(l)
        result[l] = permute(a[l], b[l], selectors[op->mode[0]][c[l] & 3]);
    gpu_put(w, op, 0, mask, result);
}

#define B32 GPU_T(B32)
#define B64 GPU_T(B64)
#define I32 (GPU_T(U32) | GPU_T(S32))
#define AMOUNT_M GPU_M(SHIFTAMT)
#define FIND(name, T) \
    { PTX_BFIND, GPU_T(T), 0, 0, name }, { PTX_BFIND, GPU_T(T), AMOUNT_M, 0, name##_amount }

static const struct gpu_form forms[] = {
    { PTX_POPC, B32, 0, 0, popc32 }, { PTX_POPC, B64, 0, 0, popc64 },
    { PTX_CLZ, B32, 0, 0, clz32 }, { PTX_CLZ, B64, 0, 0, clz64 },
    FIND(bfind_u32, U32), FIND(bfind_s32, S32), FIND(bfind_u64, U64), FIND(bfind_s64, S64),
    { PTX_BREV, B32, 0, 0, brev32 }, { PTX_BREV, B64, 0, 0, brev64 },
    { PTX_BFE, GPU_T(U32), 0, 0, bfe_u32 }, { PTX_BFE, GPU_T(S32), 0, 0, bfe_s32 },
    { PTX_BFE, GPU_T(U64), 0, 0, bfe_u64 }, { PTX_BFE, GPU_T(S64), 0, 0, bfe_s64 },
    { PTX_BFI, B32, 0, 0, bfi32 }, { PTX_BFI, B64, 0, 0, bfi64 },
    { PTX_BMSK, B32, GPU_M(CLAMP), 0, bmsk_clamp }, { PTX_BMSK, B32, GPU_M(WRAP), 0, bmsk_wrap },
    { PTX_SZEXT, GPU_T(U32), GPU_M(CLAMP), 0, szext_u_clamp },
    { PTX_SZEXT, GPU_T(U32), GPU_M(WRAP), 0, szext_u_wrap },
    { PTX_SZEXT, GPU_T(S32), GPU_M(CLAMP), 0, szext_s_clamp },
    { PTX_SZEXT, GPU_T(S32), GPU_M(WRAP), 0, szext_s_wrap },
    { PTX_DP4A, I32, 0, 0, dp4a }, { PTX_DP2A, I32, GPU_M(LO), 0, dp2a },
    { PTX_DP2A, I32, GPU_M(HI), 0, dp2a },
    { PTX_FNS, B32, 0, 0, fns }, { PTX_PRMT, B32, 0, 0, prmt },
};

bool gpu_execute_bits(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->execute = gpu_form_find(forms, sizeof forms / sizeof *forms, i);
    if (i->op == PTX_DP4A || i->op == PTX_DP2A) {
        op->mode[0] = i->type[0] == PTX_S32;
        op->mode[1] = i->type[1] == PTX_S32;
        op->mode[2] = PTX_HAS(i, HI);
        return op->execute && (i->type[1] == PTX_S32 || i->type[1] == PTX_U32);
    }
    if (i->op == PTX_PRMT && i->function != PTX_F_NONE) {
        op->mode[0] = (uint8_t)(i->function - PTX_F_F4E);
        op->execute = prmt_mode;
    }
    return op->execute != NULL;
}
