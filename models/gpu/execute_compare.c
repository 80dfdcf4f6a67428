/* execute_compare.c - comparisons and what selects by them.
 *
 * A comparison gives a bit a lane; then, if the text has one, a boolean operation joins it
 * with a predicate: p gets that of the comparison, q that of its opposite.  Ordered
 * comparisons of a NaN are false, unordered ones (equ, neu, ltu, ...) true.
 *
 * mode: [0] the comparison, [1] the boolean operation, [2] of halves: format and FTZ, [3] of
 * set: what stands for true.
 */
#include "models/gpu/execute_inside.h"

enum { ONES, ONES_16, ONE_F32, ONE_F16, ONE_BF16 };
static const uint32_t yes_of[] = {
    [ONES] = UINT32_MAX, [ONES_16] = 0xffff, [ONE_F32] = 0x3f800000, [ONE_F16] = 0x3c00,
    [ONE_BF16] = 0x3f80
};

/* One bit for each of three outcomes, and one for a NaN on either side. */
enum { BELOW = 1, SAME = 2, ABOVE = 4, UNORDERED = 8 };

static const uint8_t outcomes[] = {
    [PTX_EQ] = SAME, [PTX_NE] = BELOW | ABOVE, [PTX_LT] = BELOW, [PTX_LE] = BELOW | SAME,
    [PTX_GT] = ABOVE, [PTX_GE] = ABOVE | SAME,
    [PTX_C_LO] = BELOW, [PTX_LS] = BELOW | SAME, [PTX_C_HI] = ABOVE, [PTX_HS] = ABOVE | SAME,
    [PTX_EQU] = SAME | UNORDERED, [PTX_NEU] = BELOW | ABOVE | UNORDERED,
    [PTX_LTU] = BELOW | UNORDERED, [PTX_LEU] = BELOW | SAME | UNORDERED,
    [PTX_GTU] = ABOVE | UNORDERED, [PTX_GEU] = ABOVE | SAME | UNORDERED,
    [PTX_NUM] = BELOW | SAME | ABOVE, [PTX_C_NAN] = UNORDERED,
};

/* The lanes in which a and b, made of source words by READ, compare as mode[0] asks. */
#define COMPARE(name, how, bits, type, READ)                                        \
    how static uint32_t name(const struct gpu_warp *w, const struct gpu_op *op)     \
    {                                                                               \
        GPU_TAKE_##bits(as, 0);                                                     \
        GPU_TAKE_##bits(bs, bits / 32);                                             \
        uint32_t wanted = outcomes[op->mode[0]], truth[GPU_LANES];                  \
        uint32_t below = wanted & BELOW ? 1 : 0, same = wanted & SAME ? 1 : 0;      \
        uint32_t above = wanted & ABOVE ? 1 : 0, neither = wanted & UNORDERED ? 1 : 0; \
        GPU_EACH_LANE(l) {                                                          \
            type a = READ(as[l]), b = READ(bs[l]);                                  \
            truth[l] = a < b ? below : a == b ? same : a > b ? above : neither;     \
        }                                                                           \
        return gpu_gather_bits(truth);                                              \
    }

#define U16(x) ((uint16_t)(x))
#define S16(x) ((int16_t)(x))
#define U32(x) (x)
#define S32(x) ((int32_t)(x))
#define S64(x) ((int64_t)(x))
#define F16(x) f16_to_f32((uint16_t)(x))
#define F16Z(x) f16_to_f32((uint16_t)((x) & 0x7c00 ? (x) : (x) & 0x8000))
#define BF16(x) bf16_to_f32((uint16_t)(x))
#define F32(x) f32_from_bits(x)
#define F32Z(x) f32_from_bits(gpu_flush(x))
#define F64(x) gpu_f64_from_bits(x)
COMPARE(compare_u16, GPU_WIDE, 32, uint32_t, U16)
COMPARE(compare_s16, GPU_WIDE, 32, int32_t, S16)
COMPARE(compare_u32, GPU_WIDE, 32, uint32_t, U32)
COMPARE(compare_s32, GPU_WIDE, 32, int32_t, S32)
COMPARE(compare_u64, GPU_WIDE, 64, uint64_t, U32)
COMPARE(compare_s64, GPU_WIDE, 64, int64_t, S64)
COMPARE(compare_f16, , 32, float, F16)
COMPARE(compare_f16_ftz, , 32, float, F16Z)
COMPARE(compare_bf16, GPU_WIDE, 32, float, BF16)
COMPARE(compare_f32, GPU_WIDE, 32, float, F32)
COMPARE(compare_f32_ftz, GPU_WIDE, 32, float, F32Z)
COMPARE(compare_f64, GPU_WIDE, 64, double, F64)

typedef uint32_t (*compare_fn)(const struct gpu_warp *w, const struct gpu_op *op);

static uint32_t join(const struct gpu_warp *w, const struct gpu_op *op, uint32_t bits)
{
    switch (op->mode[1]) {
    case PTX_F_AND: return bits & gpu_predicate(w, op, 0);
    case PTX_F_OR:  return bits | gpu_predicate(w, op, 0);
    case PTX_F_XOR: return bits ^ gpu_predicate(w, op, 0);
    default:        return bits;
    }
}

static void put_both(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask, uint32_t bits)
{
    uint32_t p = join(w, op, bits), q = join(w, op, ~bits);
    gpu_put_predicate(w, op->pdst[0], mask, p);
    gpu_put_predicate(w, op->pdst[1], mask, q);
}

/* set: all ones, or 1.0 of the result's type. */
static void put_word(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask, uint32_t bits)
{
    uint32_t yes = yes_of[op->mode[3]], result[GPU_LANES];
    bits = join(w, op, bits);
    GPU_EACH_LANE(l)
        result[l] = bits >> l & 1 ? yes : 0;
    gpu_put(w, op, 0, mask, result);
}

#define BOTH(type)                                                                  \
    static void setp_##type(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask) \
    {                                                                               \
        put_both(w, op, mask, compare_##type(w, op));                               \
    }                                                                               \
    static void set_##type(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask) \
    {                                                                               \
        put_word(w, op, mask, compare_##type(w, op));                               \
    }
BOTH(u16) BOTH(s16) BOTH(u32) BOTH(s32) BOTH(u64) BOTH(s64)
BOTH(f16) BOTH(f16_ftz) BOTH(bf16) BOTH(f32) BOTH(f32_ftz) BOTH(f64)

enum { IS_BF16 = 1, FTZ = 2 };
static float half_value(uint16_t x, uint8_t flags)
{
    return flags & IS_BF16 ? BF16(x) : flags & FTZ ? F16Z(x) : F16(x);
}

/* Two halves: of setp p and q are theirs, each joined; of set the halves of the word. */
static void halves(struct gpu_warp *w, const struct gpu_op *op, uint32_t out[2])
{
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 1);
    uint32_t wanted = outcomes[op->mode[0]];
    out[0] = out[1] = 0;
    GPU_EACH_LANE(l)
        for (unsigned h = 0; h < 2; h++) {
            uint16_t x = (uint16_t)(a[l] >> 16 * h), y = (uint16_t)(b[l] >> 16 * h);
            float u = half_value(x, op->mode[2]), v = half_value(y, op->mode[2]);
            uint32_t is = u < v ? BELOW : u == v ? SAME : u > v ? ABOVE : UNORDERED;
            out[h] |= (uint32_t)((wanted & is) != 0) << l;
        }
    out[0] = join(w, op, out[0]);
    out[1] = join(w, op, out[1]);
}

static void setp_halves(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t bits[2];
    halves(w, op, bits);
    gpu_put_predicate(w, op->pdst[0], mask, bits[0]);
    gpu_put_predicate(w, op->pdst[1], mask, bits[1]);
}

static void set_halves(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t bits[2], result[GPU_LANES];
    halves(w, op, bits);
    uint32_t yes = yes_of[op->mode[3]];
    GPU_EACH_LANE(l)
        result[l] = (bits[0] >> l & 1 ? yes : 0) | (bits[1] >> l & 1 ? yes : 0) << 16;
    gpu_put(w, op, 0, mask, result);
}

GPU_WIDE static void selp32(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 1);
    uint32_t bits = gpu_predicate(w, op, 0), result[GPU_LANES];
    GPU_EACH_LANE(l)
        result[l] = bits >> l & 1 ? a[l] : b[l];
    gpu_put(w, op, 0, mask, result);
}

GPU_WIDE static void selp64(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)
{
    uint32_t bits = gpu_predicate(w, op, 0), result[GPU_LANES];
    uint32_t other[GPU_LANES];
    const uint32_t *a = gpu_source(w, op, 0), *b = gpu_source(w, op, 2);
    const uint32_t *a_high = gpu_source(w, op, 1), *b_high = gpu_source(w, op, 3);
    GPU_EACH_LANE(l) {
        result[l] = bits >> l & 1 ? a[l] : b[l];
        other[l] = bits >> l & 1 ? a_high[l] : b_high[l];
    }
    gpu_put(w, op, 0, mask, result);
    gpu_put(w, op, 1, mask, other);
}

/* By the sign of c: an integer, or a float, of which -0 is not negative and a NaN is. */
#define NOT_NEGATIVE(c) (f32_from_bits(c) >= 0)
GPU_OP3(slct32, 32, 32, 32, 32, (int32_t)c >= 0 ? a : b)
GPU_OP3(slct64, 64, 64, 64, 32, (int32_t)c >= 0 ? a : b)
GPU_OP3(slct32_f, 32, 32, 32, 32, NOT_NEGATIVE(c) ? a : b)
GPU_OP3(slct64_f, 64, 64, 64, 32, NOT_NEGATIVE(c) ? a : b)
GPU_OP3(slct32_f_ftz, 32, 32, 32, 32, NOT_NEGATIVE(gpu_flush(c)) ? a : b)
GPU_OP3(slct64_f_ftz, 64, 64, 64, 32, NOT_NEGATIVE(gpu_flush(c)) ? a : b)

static const struct by_type { gpu_execute_fn setp, set; } by_type[PTX_TYPES_COUNT] = {
    [PTX_B16] = { setp_u16, set_u16 }, [PTX_U16] = { setp_u16, set_u16 },
    [PTX_S16] = { setp_s16, set_s16 },
    [PTX_B32] = { setp_u32, set_u32 }, [PTX_U32] = { setp_u32, set_u32 },
    [PTX_S32] = { setp_s32, set_s32 },
    [PTX_B64] = { setp_u64, set_u64 }, [PTX_U64] = { setp_u64, set_u64 },
    [PTX_S64] = { setp_s64, set_s64 },
    [PTX_F16] = { setp_f16, set_f16 }, [PTX_BF16] = { setp_bf16, set_bf16 },
    [PTX_F16X2] = { setp_halves, set_halves }, [PTX_BF16X2] = { setp_halves, set_halves },
    [PTX_F32] = { setp_f32, set_f32 }, [PTX_F64] = { setp_f64, set_f64 },
};

/* What stands for true in a result of that type; negative: set has no such result. */
static int yes_for(enum ptx_type to, enum ptx_type of)
{
    bool halves_of = of == PTX_F16X2 || of == PTX_BF16X2;
    switch (to) {
    case PTX_U32: case PTX_S32: return halves_of ? ONES_16 : ONES;
    case PTX_U16: case PTX_S16: return ONES_16;
    case PTX_F32:               return ONE_F32;
    case PTX_F16: case PTX_F16X2:   return ONE_F16;
    case PTX_BF16: case PTX_BF16X2: return ONE_BF16;
    default:                    return -1;
    }
}

static bool find_comparison(const struct ptx_instruction *i, struct gpu_op *op)
{
    bool is_set = i->op == PTX_SET, ftz = PTX_HAS(i, FTZ);
    enum ptx_type type = i->type[is_set], to = i->type[0];
    if (i->modifiers & ~GPU_M(FTZ))
        return false;
    op->mode[0] = i->compare;
    op->mode[1] = i->function;
    op->mode[2] = (uint8_t)((type == PTX_BF16X2 ? IS_BF16 : 0) | (ftz ? FTZ : 0));
    op->execute = is_set ? by_type[type].set : by_type[type].setp;
    if (type == PTX_F32 && ftz)
        op->execute = is_set ? set_f32_ftz : setp_f32_ftz;
    if (type == PTX_F16 && ftz)
        op->execute = is_set ? set_f16_ftz : setp_f16_ftz;
    int yes = is_set ? yes_for(to, type) : ONES;
    if (yes < 0)
        return false;
    op->mode[3] = (uint8_t)yes;
    return op->execute && i->compare != PTX_C_NONE;
}

static bool find_selp(const struct ptx_instruction *i, struct gpu_op *op)
{
    op->execute = gpu_type_bytes[i->type[0]] == 8 ? selp64 : selp32;
    return true;
}

static bool find_slct(const struct ptx_instruction *i, struct gpu_op *op)
{
    bool wide = gpu_type_bytes[i->type[0]] == 8;
    if (i->type[1] == PTX_S32)
        op->execute = wide ? slct64 : slct32;
    else if (PTX_HAS(i, FTZ))
        op->execute = wide ? slct64_f_ftz : slct32_f_ftz;
    else
        op->execute = wide ? slct64_f : slct32_f;
    return i->type[1] == PTX_S32 || i->type[1] == PTX_F32;
}

bool gpu_execute_compare(const struct ptx_instruction *i, struct gpu_op *op)
{
    switch (i->op) {
    case PTX_SELP: return find_selp(i, op);
    case PTX_SLCT: return find_slct(i, op);
    default:       return find_comparison(i, op);
    }
}
