/* atomic.c - read, change, write: one lane at a time.
 *
 * An addition of floats rounds to nearest; of f32 in global memory (and through generic
 * addresses) what is below the smallest normal number counts as 0, as PTX says.
 */
#include <assert.h>

#include "models/gpu/execute_inside.h"

/* What an atomic makes of the old value x and its operands y and z, all of `type`. */
#define ATOMICS(X) \
    X(ADD_32,   uint32_t, x + y) \
    X(ADD_64,   uint64_t, x + y) \
    X(ADD_F32,  uint32_t, gpu_f32(f32_from_bits(x) + f32_from_bits(y))) \
    X(ADD_FTZ,  uint32_t, gpu_flush(gpu_f32(f32_from_bits(gpu_flush(x)) + \
                                            f32_from_bits(gpu_flush(y))))) \
    X(ADD_F64,  uint64_t, exact_add(EXACT_F64, x, y, EXACT_NEAREST)) \
    X(ADD_F16,  uint16_t, exact_add(EXACT_F16, x, y, EXACT_NEAREST)) \
    X(ADD_BF16, uint16_t, exact_add(EXACT_BF16, x, y, EXACT_NEAREST)) \
    X(ADD_F16X2, uint32_t, add_halves(EXACT_F16, x, y)) \
    X(ADD_BF16X2, uint32_t, add_halves(EXACT_BF16, x, y)) \
    X(INC,      uint32_t, x >= y ? 0 : x + 1) \
    X(DEC,      uint32_t, x == 0 || x > y ? y : x - 1) \
    X(MIN_U32,  uint32_t, x < y ? x : y) \
    X(MAX_U32,  uint32_t, x > y ? x : y) \
    X(MIN_U64,  uint64_t, x < y ? x : y) \
    X(MAX_U64,  uint64_t, x > y ? x : y) \
    X(MIN_S32,  int32_t,  x < y ? x : y) \
    X(MAX_S32,  int32_t,  x > y ? x : y) \
    X(MIN_S64,  int64_t,  x < y ? x : y) \
    X(MAX_S64,  int64_t,  x > y ? x : y) \
    X(AND_32,   uint32_t, x & y) \
    X(OR_32,    uint32_t, x | y) \
    X(XOR_32,   uint32_t, x ^ y) \
    X(AND_64,   uint64_t, x & y) \
    X(OR_64,    uint64_t, x | y) \
    X(XOR_64,   uint64_t, x ^ y) \
    X(EXCH_32,  uint32_t, y) \
    X(EXCH_64,  uint64_t, y) \
    X(CAS_16,   uint16_t, x == y ? z : x) \
    X(CAS_32,   uint32_t, x == y ? z : x) \
    X(CAS_64,   uint64_t, x == y ? z : x)

enum atomic {
#define NAME(name, type, expression) name,
    ATOMICS(NAME)
#undef NAME
    ATOMICS_COUNT
};

static uint32_t add_halves(struct exact_format f, uint32_t x, uint32_t y)
{
    uint32_t low = (uint32_t)exact_add(f, x & 0xffff, y & 0xffff, EXACT_NEAREST);
    return low | (uint32_t)exact_add(f, x >> 16, y >> 16, EXACT_NEAREST) << 16;
}

static const struct { uint8_t function; uint32_t types; enum atomic atomic; } choices[] = {
    { PTX_F_ADD, GPU_T(U32) | GPU_T(S32), ADD_32 }, { PTX_F_ADD, GPU_T(U64) | GPU_T(S64), ADD_64 },
    { PTX_F_ADD, GPU_T(F32), ADD_F32 }, { PTX_F_ADD, GPU_T(F64), ADD_F64 },
    { PTX_F_ADD, GPU_T(F16), ADD_F16 }, { PTX_F_ADD, GPU_T(BF16), ADD_BF16 },
    { PTX_F_ADD, GPU_T(F16X2), ADD_F16X2 }, { PTX_F_ADD, GPU_T(BF16X2), ADD_BF16X2 },
    { PTX_F_INC, GPU_T(U32), INC }, { PTX_F_DEC, GPU_T(U32), DEC },
    { PTX_F_MIN, GPU_T(U32), MIN_U32 }, { PTX_F_MIN, GPU_T(S32), MIN_S32 },
    { PTX_F_MIN, GPU_T(U64), MIN_U64 }, { PTX_F_MIN, GPU_T(S64), MIN_S64 },
    { PTX_F_MAX, GPU_T(U32), MAX_U32 }, { PTX_F_MAX, GPU_T(S32), MAX_S32 },
    { PTX_F_MAX, GPU_T(U64), MAX_U64 }, { PTX_F_MAX, GPU_T(S64), MAX_S64 },
    { PTX_F_AND, GPU_T(B32) | GPU_T(U32) | GPU_T(S32), AND_32 }, { PTX_F_AND, GPU_T(B64), AND_64 },
    { PTX_F_OR, GPU_T(B32) | GPU_T(U32) | GPU_T(S32), OR_32 }, { PTX_F_OR, GPU_T(B64), OR_64 },
    { PTX_F_XOR, GPU_T(B32) | GPU_T(U32) | GPU_T(S32), XOR_32 }, { PTX_F_XOR, GPU_T(B64), XOR_64 },
    { PTX_F_EXCH, GPU_T(B32) | GPU_T(U32) | GPU_T(S32) | GPU_T(F32), EXCH_32 },
    { PTX_F_EXCH, GPU_T(B64) | GPU_T(U64) | GPU_T(S64) | GPU_T(F64), EXCH_64 },
    { PTX_F_CAS, GPU_T(B16), CAS_16 },
    { PTX_F_CAS, GPU_T(B32) | GPU_T(U32) | GPU_T(S32), CAS_32 },
    { PTX_F_CAS, GPU_T(B64) | GPU_T(U64) | GPU_T(S64), CAS_64 },
};

bool gpu_atomic_find(const struct ptx_instruction *i, struct gpu_op *op)
{
    for (size_t c = 0; c < sizeof choices / sizeof *choices; c++)
        if (choices[c].function == i->function && choices[c].types >> i->type[0] & 1) {
            op->mode[0] = choices[c].atomic;
            if (choices[c].atomic == ADD_F32 && i->space != PTX_SHARED)
                op->mode[0] = ADD_FTZ;
            return true;
        }
    return false;
}

void gpu_warp_atomic(const struct gpu_warp *w, const struct gpu_op *op, unsigned lane,
                     struct gpu_atomic *a)
{
    unsigned words = op->access.bytes == 8 ? 2 : 1, count = (op->srcs - op->access.data_at) / words;
    memset(a, 0, sizeof *a);
    a->function = op->mode[0];
    a->bytes = op->access.bytes;
    for (unsigned o = 0; o < count && o < 2; o++)
        for (unsigned i = 0; i < words; i++)
            memcpy(&a->operands[o][4 * i],
                   &gpu_source(w, op, op->access.data_at + o * words + i)[lane], 4);
}

void gpu_atomic_apply(const struct gpu_atomic *a, uint8_t *at, uint8_t *old)
{
    memcpy(old, at, a->bytes);
    switch ((enum atomic)a->function) {
#define APPLY(name, type, expression)                                               \
    case name: {                                                                    \
        type x, y, z;                                                               \
        memcpy(&x, at, sizeof x);                                                   \
        memcpy(&y, a->operands[0], sizeof y);                                       \
        memcpy(&z, a->operands[1], sizeof z);                                       \
        (void)z;                                                                    \
        type result = (type)(expression);                                           \
        memcpy(at, &result, sizeof result);                                         \
        return;                                                                     \
    }
    ATOMICS(APPLY)
#undef APPLY
    case ATOMICS_COUNT: break;
    }
    assert(!"an atomic that gpu_warp_atomic did not make");
}
