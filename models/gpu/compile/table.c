/* table.c - what ptxas makes of PTX, as data.
 *
 * Counted from the instruction sequences that CUDA's disassembler shows for sm_70 to sm_90:
 * a division's fast path, not the call that it takes for denormal operands.  A sequence holds
 * the comparisons that choose between the two.
 *
 * Not modelled: an immediate or constant that an operation could not take in that place;
 * operations that do two of PTX at once, but for those of fold.c.
 */
#include "models/gpu/compile/table.h"

#include <stddef.h>

#define T(name) (UINT32_C(1) << PTX_##name)
#define ANY     UINT32_MAX
#define I8      (T(B8) | T(U8) | T(S8))
#define I16     (T(B16) | T(U16) | T(S16))
#define I32     (T(B32) | T(U32) | T(S32))
#define I64     (T(B64) | T(U64) | T(S64))
#define SMALL   (I8 | I16 | I32)
#define PAIRS   (T(U16X2) | T(S16X2))

#define HALF    (T(F16) | T(F16X2) | T(BF16) | T(BF16X2))
#define PACKED  (T(F16X2) | T(BF16X2))
#define M(name) (UINT64_C(1) << PTX_M_##name)

#define G70 (1u << GPU_SM_70)
#define G80 (1u << GPU_SM_80)
#define G90 (1u << GPU_SM_90)
#define NEW (G80 | G90)
#define ALL (G70 | G80 | G90)

struct row {
    enum ptx_op op;
    uint32_t types, from;           /* that type[0] and type[1] may be */
    uint64_t has;                   /* modifiers that it must have */
    unsigned generations;
    const char *sequence;
};

/* The first row that fits counts. */
static const struct row rows[] = {
    { PTX_ADD,  SMALL,          ANY, 0,         ALL, "i" },
    { PTX_ADD,  PAIRS,          ANY, 0,         G90, "i" },
    { PTX_MIN,  PAIRS,          ANY, 0,         G90, "i" },
    { PTX_MAX,  PAIRS,          ANY, 0,         G90, "i" },
    { PTX_SUB,  SMALL,          ANY, 0,         ALL, "i" },
    { PTX_ADD,  I64,            ANY, 0,         ALL, "ii" },
    { PTX_SUB,  I64,            ANY, 0,         ALL, "ii" },
    { PTX_ADD,  T(F32),         ANY, 0,         ALL, "f" },
    { PTX_SUB,  T(F32),         ANY, 0,         ALL, "f" },
    { PTX_ADD,  T(F64),         ANY, 0,         ALL, "d" },
    { PTX_SUB,  T(F64),         ANY, 0,         ALL, "d" },
    { PTX_ADD,  HALF,           ANY, 0,         ALL, "h" },
    { PTX_SUB,  HALF,           ANY, 0,         ALL, "h" },
    { PTX_ADDC, I32,            ANY, 0,         ALL, "i" },
    { PTX_SUBC, I32,            ANY, 0,         ALL, "i" },
    { PTX_ADDC, I64,            ANY, 0,         ALL, "ii" },
    { PTX_SUBC, I64,            ANY, 0,         ALL, "ii" },
    { PTX_MADC, I32,            ANY, 0,         ALL, "mi" },
    { PTX_MADC, I64,            ANY, 0,         ALL, "m|m|mii" },

    { PTX_MUL,  T(F32),         ANY, 0,         ALL, "f" },
    { PTX_MUL,  T(F64),         ANY, 0,         ALL, "d" },
    { PTX_MUL,  HALF,           ANY, 0,         ALL, "h" },
    { PTX_MUL,  I64,            ANY, M(HI),     ALL, "m|m|m|mii" },
    { PTX_MUL,  I64,            ANY, 0,         ALL, "m|mmi" },
    { PTX_MUL,  SMALL,          ANY, 0,         ALL, "m" },
    { PTX_MAD,  I64,            ANY, M(HI),     ALL, "m|m|m|mi3" },
    { PTX_MAD,  I64,            ANY, 0,         ALL, "m|mmi" },
    { PTX_MAD,  SMALL,          ANY, M(SAT),    ALL, "mii" },
    { PTX_MAD,  SMALL,          ANY, 0,         ALL, "m" },
    { PTX_MUL24, I32,           ANY, 0,         ALL, "iim" },
    { PTX_MAD24, I32,           ANY, 0,         ALL, "iim" },
    { PTX_FMA,  T(F32),         ANY, 0,         ALL, "f" },
    { PTX_FMA,  T(F64),         ANY, 0,         ALL, "d" },
    { PTX_FMA,  HALF,           ANY, 0,         ALL, "h" },
    { PTX_MAD,  T(F32),         ANY, 0,         ALL, "f" },
    { PTX_MAD,  T(F64),         ANY, 0,         ALL, "d" },
    { PTX_SAD,  SMALL,          ANY, 0,         ALL, "ii" },
    { PTX_SAD,  I64,            ANY, 0,         ALL, "i6" },
    { PTX_DP4A, ANY,            ANY, 0,         ALL, "m" },
    { PTX_DP2A, ANY,            ANY, 0,         ALL, "m" },

    { PTX_DIV,  T(U16) | T(U32), ANY, 0,        ALL, "csicm4i6" },
    { PTX_REM,  T(U16) | T(U32), ANY, 0,        ALL, "csicm4i5" },
    { PTX_DIV,  T(S16) | T(S32), ANY, 0,        ALL, "iicsicm4i9" },
    { PTX_REM,  T(S16) | T(S32), ANY, 0,        ALL, "iicsicm4i8" },
    { PTX_DIV,  T(U64),         ANY, 0,         ALL, "i4csicm22i40" },
    { PTX_REM,  T(U64),         ANY, 0,         ALL, "i4csicm22i38" },
    { PTX_DIV,  T(S64),         ANY, 0,         ALL, "i8csicm22i46" },
    { PTX_REM,  T(S64),         ANY, 0,         ALL, "i8csicm22i44" },
    { PTX_DIV,  T(F32),         ANY, M(APPROX) | M(FTZ), ALL, "sf" },
    { PTX_DIV,  T(F32),         ANY, M(APPROX), ALL, "ifsff" },
    { PTX_DIV,  T(F32),         ANY, M(FULL),   ALL, "ifsff" },
    { PTX_DIV,  T(F32),         ANY, 0,         ALL, "i3|sf7" },
    { PTX_DIV,  T(F64),         ANY, 0,         ALL, "i4|sd8" },

    { PTX_RCP,  T(F32),         ANY, M(APPROX) | M(FTZ), ALL, "s" },
    { PTX_RCP,  T(F32),         ANY, M(APPROX), ALL, "ifsf" },
    { PTX_RCP,  T(F32),         ANY, 0,         ALL, "i3|sf3" },
    { PTX_RCP,  T(F64),         ANY, M(APPROX), ALL, "is" },
    { PTX_RCP,  T(F64),         ANY, 0,         ALL, "i3|sd4" },
    { PTX_SQRT, T(F32),         ANY, M(APPROX) | M(FTZ), ALL, "s" },
    { PTX_SQRT, T(F32),         ANY, M(APPROX), ALL, "ifsf" },
    { PTX_SQRT, T(F32),         ANY, 0,         ALL, "i3|sf6" },
    { PTX_SQRT, T(F64),         ANY, 0,         ALL, "i4|sd7" },
    { PTX_RSQRT, T(F32),        ANY, M(FTZ),    ALL, "s" },
    { PTX_RSQRT, T(F32),        ANY, 0,         ALL, "ifsf" },
    { PTX_RSQRT, T(F64),        ANY, M(FTZ),    ALL, "is" },
    { PTX_RSQRT, T(F64),        ANY, 0,         ALL, "i3|sd6" },
    { PTX_SIN,  T(F32),         ANY, 0,         ALL, "fs" },
    { PTX_COS,  T(F32),         ANY, 0,         ALL, "fs" },
    { PTX_LG2,  T(F32),         ANY, M(FTZ),    ALL, "s" },
    { PTX_LG2,  T(F32),         ANY, 0,         ALL, "ifsf" },
    { PTX_EX2,  T(F32),         ANY, M(FTZ),    ALL, "s" },
    { PTX_EX2,  T(F32),         ANY, 0,         ALL, "ifsf" },
    { PTX_EX2,  PACKED,         ANY, 0,         NEW, "ss" },
    { PTX_EX2,  HALF,           ANY, 0,         NEW, "s" },
    { PTX_TANH, T(F32),         ANY, 0,         NEW, "s" },
    { PTX_TANH, PACKED,         ANY, 0,         NEW, "ss" },
    { PTX_TANH, HALF,           ANY, 0,         NEW, "s" },

    { PTX_ABS,  SMALL,          ANY, 0,         ALL, "i" },
    { PTX_ABS,  I64,            ANY, 0,         ALL, "i4" },
    { PTX_ABS,  T(F32),         ANY, 0,         ALL, "f" },
    { PTX_ABS,  T(F64),         ANY, 0,         ALL, "d" },
    { PTX_ABS,  HALF,           ANY, 0,         ALL, "h" },
    { PTX_NEG,  SMALL,          ANY, 0,         ALL, "i" },
    { PTX_NEG,  I64,            ANY, 0,         ALL, "ii" },
    { PTX_NEG,  T(F32),         ANY, 0,         ALL, "f" },
    { PTX_NEG,  T(F64),         ANY, 0,         ALL, "d" },
    { PTX_NEG,  HALF,           ANY, 0,         ALL, "h" },
    { PTX_MIN,  SMALL | T(F32), ANY, 0,         ALL, "i" },
    { PTX_MAX,  SMALL | T(F32), ANY, 0,         ALL, "i" },
    { PTX_MIN,  I64,            ANY, 0,         ALL, "i4" },
    { PTX_MAX,  I64,            ANY, 0,         ALL, "i4" },
    { PTX_MIN,  T(F64),         ANY, 0,         ALL, "dii" },
    { PTX_MAX,  T(F64),         ANY, 0,         ALL, "dii" },
    { PTX_MIN,  HALF,           ANY, 0,         NEW, "i" },
    { PTX_MAX,  HALF,           ANY, 0,         NEW, "i" },
    { PTX_TESTP, T(F32),        ANY, 0,         ALL, "ii" },
    { PTX_TESTP, T(F64),        ANY, 0,         ALL, "i4" },
    { PTX_COPYSIGN, T(F32),     ANY, 0,         ALL, "i" },
    { PTX_COPYSIGN, T(F64),     ANY, 0,         ALL, "i" },

    { PTX_SETP, SMALL | T(F32), ANY, 0,         ALL, "i" },
    { PTX_SETP, I64,            ANY, 0,         ALL, "ii" },
    { PTX_SETP, T(F64),         ANY, 0,         ALL, "d" },
    { PTX_SETP, HALF,           ANY, 0,         ALL, "h" },
    { PTX_SET,  ANY,            I64,            0, ALL, "i3" },
    { PTX_SET,  ANY,            T(F64),         0, ALL, "di" },
    { PTX_SET,  ANY,            HALF,           0, ALL, "h" },
    { PTX_SET,  ANY,            ANY, 0,         ALL, "ii" },
    { PTX_SELP, I64 | T(F64),   ANY, 0,         ALL, "ii" },
    { PTX_SELP, ANY,            ANY, 0,         ALL, "i" },
    { PTX_SLCT, I64 | T(F64),   ANY, 0,         ALL, "i3" },
    { PTX_SLCT, ANY,            ANY, 0,         ALL, "ii" },

    { PTX_AND,  I64,            ANY, 0,         ALL, "i|i" },
    { PTX_OR,   I64,            ANY, 0,         ALL, "i|i" },
    { PTX_XOR,  I64,            ANY, 0,         ALL, "i|i" },
    { PTX_NOT,  I64,            ANY, 0,         ALL, "i|i" },
    { PTX_AND,  ANY,            ANY, 0,         ALL, "i" },
    { PTX_OR,   ANY,            ANY, 0,         ALL, "i" },
    { PTX_XOR,  ANY,            ANY, 0,         ALL, "i" },
    { PTX_NOT,  ANY,            ANY, 0,         ALL, "i" },
    { PTX_CNOT, I64,            ANY, 0,         ALL, "i3" },
    { PTX_CNOT, ANY,            ANY, 0,         ALL, "ii" },
    { PTX_LOP3, ANY,            ANY, 0,         ALL, "i" },
    { PTX_SHL,  I64,            ANY, 0,         ALL, "i|i" },
    { PTX_SHR,  I64,            ANY, 0,         ALL, "i|i" },
    { PTX_SHL,  ANY,            ANY, 0,         ALL, "i" },
    { PTX_SHR,  ANY,            ANY, 0,         ALL, "i" },
    { PTX_SHF,  ANY,            ANY, 0,         ALL, "i" },
    { PTX_PRMT, ANY,            ANY, 0,         ALL, "i" },
    { PTX_POPC, I64,            ANY, 0,         ALL, "c|ci" },
    { PTX_POPC, ANY,            ANY, 0,         ALL, "c" },
    { PTX_CLZ,  I64,            ANY, 0,         ALL, "iici" },
    { PTX_CLZ,  ANY,            ANY, 0,         ALL, "ci" },
    { PTX_BFIND, I64,           ANY, 0,         ALL, "iici" },
    { PTX_BFIND, ANY,           ANY, 0,         ALL, "c" },
    { PTX_BREV, I64,            ANY, 0,         ALL, "c|c" },
    { PTX_BREV, ANY,            ANY, 0,         ALL, "c" },
    { PTX_BFE,  I64,            ANY, 0,         ALL, "i6" },
    { PTX_BFE,  ANY,            ANY, 0,         ALL, "iii" },
    { PTX_BFI,  I64,            ANY, 0,         ALL, "i6" },
    { PTX_BFI,  ANY,            ANY, 0,         ALL, "iii" },
    { PTX_FNS,  ANY,            ANY, 0,         ALL, "i20" },
    { PTX_SZEXT, ANY,           ANY, 0,         ALL, "i" },
    { PTX_BMSK, ANY,            ANY, 0,         ALL, "i" },

    /* The low word of a 64-bit integer needs no operation: expand.c. */
    { PTX_CVT,  T(F64),         ANY, 0,         ALL, "c" },
    { PTX_CVT,  ANY,            T(F64),         0, ALL, "c" },
    { PTX_CVT,  SMALL | I64,    SMALL | I64,    M(SAT), ALL, "ii" },
    { PTX_CVT,  SMALL | I64,    SMALL | I64,    0, ALL, "i" },
    { PTX_CVT,  PACKED,         ANY, 0,         NEW, "i" },
    { PTX_CVT,  HALF,           T(F32),         0, NEW, "i" },
    { PTX_CVT,  T(F32),         T(F16),         0, ALL, "h" },
    { PTX_CVT,  T(F32),         T(BF16),        0, NEW, "i" },
    { PTX_CVT,  T(F16),         T(F16),         0, ALL, "c" },
    { PTX_CVT,  T(F16),         ANY, 0,         ALL, "c" },
    { PTX_CVT,  T(BF16),        ANY, 0,         NEW, "c" },
    { PTX_CVT,  T(TF32),        ANY, 0,         NEW, "i" },
    { PTX_CVT,  T(F32),         T(F32),         0, ALL, "c" },
    { PTX_CVT,  T(F32),         I64,            0, ALL, "c" },
    { PTX_CVT,  T(F32),         SMALL,          0, ALL, "c" },
    { PTX_CVT,  SMALL | I64,    T(F32) | HALF,  0, ALL, "c" },

    { PTX_MOV,  ANY,            ANY, 0,         ALL, "i" },
    { PTX_CVTA, ANY,            ANY, 0,         ALL, "i" },
    { PTX_ISSPACEP, ANY,        ANY, 0,         ALL, "i" },
    { PTX_VOTE, ANY,            ANY, 0,         ALL, "i" },
    { PTX_ACTIVEMASK, ANY,      ANY, 0,         ALL, "i" },
    { PTX_MATCH, I64,           ANY, 0,         ALL, "i8c" },
    { PTX_MATCH, ANY,           ANY, 0,         ALL, "i4c" },
    { PTX_ELECT, ANY,           ANY, 0,         G90, "ci" },
    { PTX_REDUX, ANY,           ANY, 0,         NEW, "c" },
    { PTX_SHFL, ANY,            ANY, 0,         ALL, "l" },
    { PTX_MOVMATRIX, ANY,       ANY, 0,         NEW, "l" },
};

static bool fits(const struct row *r, enum gpu_generation g, const struct ptx_instruction *i)
{
    return r->op == i->op && r->generations >> g & 1 && r->types >> i->type[0] & 1
        && (r->from == ANY || r->from >> i->type[1] & 1) && (i->modifiers & r->has) == r->has;
}

/* a * 2^n + c: a shift-and-add, which the integer pipe does. */
static bool is_shift_add(const struct ptx_instruction *i)
{
    uint64_t by = i->operand[2].bits;
    return i->op == PTX_MAD && PTX_HAS(i, LO) && !PTX_HAS(i, CC) && !PTX_HAS(i, SAT)
        && (T(U32) | T(S32) | T(U64) | T(S64)) >> i->type[0] & 1
        && i->operand[2].kind == PTX_IMMEDIATE && by && !(by & (by - 1));
}

const char *table_sequence(enum gpu_generation g, const struct ptx_instruction *i)
{
    if (is_shift_add(i))
        return ptx_type_bytes(i->type[0]) == 8 ? "ii" : "i";
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if (fits(&rows[k], g, i))
            return rows[k].sequence;
    return NULL;
}
