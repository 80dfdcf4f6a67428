/* forms.c - the instructions that are read, a line a form, in the manual's own order.
 *
 * Suffixes: one element for each part after a dot, in order; `?` may be absent; `|` between
 * alternatives.  A letter and a colon say what a word is where it could be several things:
 *
 *     c compare   f function   k fragment   y layout   S the other space   n nothing kept
 *
 * Operands: a letter, for a vector how many registers (x: as .v2, .v4, .x4 say), its type,
 * for numbers the range.
 *
 *     d register written        a register or number      i number
 *     p predicate               n predicate, perhaps !p   P predicate written
 *     q one or two of them, p|q Q two of them             s register, perhaps with |p
 *     m address                 M address in the other space (cp.async)
 *     V registers written       v registers               l label
 *     0 to 3: the type of that number; w: type 0, but twice as wide; :b32: that type;
 *     ~: registers may be wider (manual: relaxed type-checking)
 *
 * The columns of versions are the least of .version and .target that have the form; 0 where
 * every chip here (sm_70 and up) has had it from the first.
 */
#include "models/gpu/ptx/inside.h"

#define RND    "rn|rz|rm|rp"
#define W32    "u32|s32"
#define W3264  "u32|u64|s32|s64"
#define INTS   "u16|u32|u64|s16|s32|s64"
#define BITS   "b16|b32|b64"
#define ALL    "b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64"
#define MEMORY "b8|b16|b32|b64|u8|u16|u32|u64|s8|s16|s32|s64|f32|f64"
#define CVT    "u8|u16|u32|u64|s8|s16|s32|s64"
#define SCOPE  "cta|cluster|gpu|sys"
#define WHERE  "global|shared|local|const|param"
#define L1HINT "?n:L1::evict_normal|L1::evict_unchanged|L1::evict_first|L1::evict_last|" \
               "L1::no_allocate"
#define L2HINT "?n:L2::evict_normal|L2::evict_first|L2::evict_last"
#define FETCH  "?n:L2::64B|L2::128B|L2::256B"
#define VECTOR "?v2|v4"
#define EQNE   "c:eq|ne"
#define SCMP   "c:eq|ne|lt|le|gt|ge"
#define UCMP   "c:eq|ne|lt|le|gt|ge|lo|ls|hi|hs"
#define FCMP   "c:eq|ne|lt|le|gt|ge|equ|neu|ltu|leu|gtu|geu|num|nan"

#define F(op, version, target, suffixes, operands) \
    { PTX_##op, version, target, suffixes, operands },

#define SUM(op)                                                           \
    F(op,  0,  0, "u16|u32|u64|s16|s64",             "d0 a0 a0")          \
    F(op,  0,  0, "?sat s32",                        "d0 a0 a0")          \
    F(op,  0,  0, "cc " W3264,                       "d0 a0 a0")          \
    F(op,  0,  0, "?" RND " ?ftz ?sat f32",          "d0 a0 a0")          \
    F(op,  0,  0, "?" RND " f64",                    "d0 a0 a0")          \
    F(op,  0,  0, "?rn ?ftz ?sat f16|f16x2",         "d0 a0 a0")          \
    F(op, 78, 90, "?rn bf16|bf16x2",                 "d0 a0 a0")

#define SIGN(op)                                                          \
    F(op,  0,  0, "s16|s32|s64",                     "d0 a0")             \
    F(op,  0,  0, "?ftz f32",                        "d0 a0")             \
    F(op,  0,  0, "f64",                             "d0 a0")             \
    F(op, 60,  0, "?ftz f16|f16x2",                  "d0 a0")             \
    F(op, 70, 80, "bf16|bf16x2",                     "d0 a0")

#define LEAST(op)                                                         \
    F(op,  0,  0, INTS,                              "d0 a0 a0")          \
    F(op, 80, 90, "relu s32|s16x2",                  "d0 a0 a0")          \
    F(op, 80, 90, "u16x2|s16x2 ?relu",               "d0 a0 a0")          \
    F(op,  0,  0, "?ftz f32",                        "d0 a0 a0")          \
    F(op, 70, 80, "?ftz NaN f32",                    "d0 a0 a0")          \
    F(op, 72, 86, "?ftz ?NaN xorsign n:abs f32",     "d0 a0 a0")          \
    F(op,  0,  0, "f64",                             "d0 a0 a0")          \
    F(op, 70, 80, "?ftz ?NaN f16|f16x2",             "d0 a0 a0")          \
    F(op, 72, 86, "?ftz ?NaN xorsign n:abs f16|f16x2", "d0 a0 a0")        \
    F(op, 70, 80, "?NaN bf16|bf16x2",                "d0 a0 a0")          \
    F(op, 72, 86, "?NaN xorsign n:abs bf16|bf16x2",  "d0 a0 a0")

#define ROOT(op)                                                          \
    F(op,  0,  0, "approx ?ftz f32",                 "d0 a0")             \
    F(op,  0,  0, RND " ?ftz f32",                   "d0 a0")             \
    F(op,  0,  0, RND " f64",                        "d0 a0")

#define LOGIC(op)                                                         \
    F(op,  0,  0, "pred|" BITS,                      "d0 a0 a0")

#define SETP(compare, rest, types, operands, version, target)             \
    F(SETP, version, target, compare " " rest types, operands " a0 a0")   \
    F(SETP, version, target, compare " f:and|or|xor " rest types, operands " a0 a0 n")

#define SET(compare, rest, to, types, version, target)                    \
    F(SET, version, target, compare " " rest to " " types, "d0 a1 a1")    \
    F(SET, version, target, compare " f:and|or|xor " rest to " " types, "d0 a1 a1 n")

/* The scope stands before the space or behind it. */
#define BOTH(op, order, rest, version, target, operands)                  \
    F(op, version, target, "?" order " ?" SCOPE " ?global|shared " rest, operands) \
    F(op, version, target, "?" order " global|shared " SCOPE " " rest, operands)
#define ORDER "relaxed|acquire|release|acq_rel"
#define ATOM(function, types, version, target)                            \
    BOTH(ATOM, ORDER, function " " types, version, target, "d0 m a0")
#define RED(function, types, version, target)                             \
    BOTH(RED, "relaxed|release", function " " types, version, target, "m a0")

const struct form ptx_forms[] = {
    SUM(ADD) SUM(SUB)
    F(ADD,  80, 90, "u16x2|s16x2",                   "d0 a0 a0")
    F(ADDC,  0,  0, "?cc " W3264,                    "d0 a0 a0")
    F(SUBC,  0,  0, "?cc " W3264,                    "d0 a0 a0")

    F(MUL,   0,  0, "lo|hi " INTS,                   "d0 a0 a0")
    F(MUL,   0,  0, "wide u16|u32|s16|s32",          "dw a0 a0")
    F(MUL,   0,  0, "?" RND " ?ftz ?sat f32",        "d0 a0 a0")
    F(MUL,   0,  0, "?" RND " f64",                  "d0 a0 a0")
    F(MUL,   0,  0, "?rn ?ftz ?sat f16|f16x2",       "d0 a0 a0")
    F(MUL,  78, 90, "?rn bf16|bf16x2",               "d0 a0 a0")
    F(MAD,   0,  0, "lo|hi " INTS,                   "d0 a0 a0 a0")
    F(MAD,   0,  0, "hi sat s32",                    "d0 a0 a0 a0")
    F(MAD,   0,  0, "wide u16|u32|s16|s32",          "dw a0 a0 aw")
    F(MAD,   0,  0, "lo|hi cc " W3264,               "d0 a0 a0 a0")
    F(MAD,   0,  0, RND " ?ftz ?sat f32",            "d0 a0 a0 a0")
    F(MAD,   0,  0, RND " f64",                      "d0 a0 a0 a0")
    F(MADC,  0,  0, "lo|hi ?cc " W3264,              "d0 a0 a0 a0")
    F(MUL24, 0,  0, "lo|hi " W32,                    "d0 a0 a0")
    F(MAD24, 0,  0, "lo|hi " W32,                    "d0 a0 a0 a0")
    F(MAD24, 0,  0, "hi sat s32",                    "d0 a0 a0 a0")
    F(SAD,   0,  0, INTS,                            "d0 a0 a0 a0")
    F(DIV,   0,  0, INTS,                            "d0 a0 a0")
    F(DIV,   0,  0, "approx|full ?ftz f32",          "d0 a0 a0")
    F(DIV,   0,  0, RND " ?ftz f32",                 "d0 a0 a0")
    F(DIV,   0,  0, RND " f64",                      "d0 a0 a0")
    F(REM,   0,  0, INTS,                            "d0 a0 a0")
    SIGN(ABS) SIGN(NEG)
    LEAST(MIN) LEAST(MAX)
    F(FMA,   0,  0, RND " ?ftz ?sat f32",            "d0 a0 a0 a0")
    F(FMA,   0,  0, RND " f64",                      "d0 a0 a0 a0")
    F(FMA,   0,  0, "rn ?ftz ?sat f16|f16x2",        "d0 a0 a0 a0")
    F(FMA,  70, 80, "rn ?ftz relu f16|f16x2",        "d0 a0 a0 a0")
    F(FMA,  70, 80, "rn ?relu bf16|bf16x2",          "d0 a0 a0 a0")

    F(POPC,  0,  0, "b32|b64",                       "d:u32 a0")
    F(CLZ,   0,  0, "b32|b64",                       "d:u32 a0")
    F(BFIND, 0,  0, "?shiftamt " W3264,              "d:u32 a0")
    F(BREV,  0,  0, "b32|b64",                       "d0 a0")
    F(BFE,   0,  0, W3264,                           "d0 a0 a:u32 a:u32")
    F(BFI,   0,  0, "b32|b64",                       "d0 a0 a0 a:u32 a:u32")
    F(DP4A,  0,  0, W32 " " W32,                     "d:u32 a:b32 a:b32 a:u32")
    F(DP2A,  0,  0, "lo|hi " W32 " " W32,            "d:u32 a:b32 a:b32 a:u32")
    F(FNS,   0,  0, "b32",                           "d0 a0 a0 a:s32")
    F(SZEXT, 76, 70, "clamp|wrap " W32,              "d0 a0 a:u32")
    F(BMSK,  76, 70, "clamp|wrap b32",               "d0 a:u32 a:u32")

    ROOT(RCP)
    F(RCP,   0,  0, "approx ftz f64",                "d0 a0")
    ROOT(SQRT)
    F(RSQRT, 0,  0, "approx ?ftz f32",               "d0 a0")
    F(RSQRT, 0,  0, "approx ?ftz f64",               "d0 a0")
    F(SIN,   0,  0, "approx ?ftz f32",               "d0 a0")
    F(COS,   0,  0, "approx ?ftz f32",               "d0 a0")
    F(LG2,   0,  0, "approx ?ftz f32",               "d0 a0")
    F(EX2,   0,  0, "approx ?ftz f32",               "d0 a0")
    F(EX2,  70, 75, "approx ?ftz f16|f16x2",         "d0 a0")
    F(EX2,  78, 90, "approx ftz bf16|bf16x2",        "d0 a0")
    F(TANH, 70, 75, "approx f32|f16|f16x2",          "d0 a0")
    F(TANH, 78, 90, "approx bf16|bf16x2",            "d0 a0")
    F(TESTP, 0,  0, "f:finite|infinite|number|notanumber|normal|subnormal f32|f64", "P a0")
    F(COPYSIGN, 0, 0, "f32|f64",                     "d0 a0 a0")

    SETP(EQNE, "", BITS,                             "q",  0,  0)
    SETP(SCMP, "", "s16|s32|s64",                    "q",  0,  0)
    SETP(UCMP, "", "u16|u32|u64",                    "q",  0,  0)
    SETP(FCMP, "?ftz ", "f32",                       "q",  0,  0)
    SETP(FCMP, "", "f64",                            "q",  0,  0)
    SETP(FCMP, "?ftz ", "f16",                       "q",  0,  0)
    SETP(FCMP, "?ftz ", "f16x2",                     "Q",  0,  0)
    SETP(FCMP, "", "bf16",                           "q", 78, 90)
    SETP(FCMP, "", "bf16x2",                         "Q", 78, 90)
    SET(EQNE, "", "u32|s32|f32", BITS,                     0,  0)
    SET(SCMP, "", "u32|s32|f32", "s16|s32|s64",            0,  0)
    SET(UCMP, "", "u32|s32|f32", "u16|u32|u64",            0,  0)
    SET(FCMP, "?ftz ", "u32|s32|f32", "f32",               0,  0)
    SET(FCMP, "", "u32|s32|f32", "f64",                    0,  0)
    SET(FCMP, "?ftz ", "f16|u16|s16|u32|s32", "f16",       0,  0)
    SET(FCMP, "?ftz ", "f16x2|u32|s32", "f16x2",           0,  0)
    SET(FCMP, "", "bf16|u16|s16|u32|s32", "bf16",         78, 90)
    SET(FCMP, "", "bf16x2|u32|s32", "bf16x2",             78, 90)
    F(SELP,  0,  0, ALL,                             "d0 a0 a0 p")
    F(SLCT,  0,  0, ALL " s32",                      "d0 a0 a0 a1")
    F(SLCT,  0,  0, "?ftz " ALL " f32",              "d0 a0 a0 a1")

    LOGIC(AND) LOGIC(OR) LOGIC(XOR)
    F(NOT,   0,  0, "pred|" BITS,                    "d0 a0")
    F(CNOT,  0,  0, BITS,                            "d0 a0")
    F(LOP3,  0,  0, "b32",                           "d0 a0 a0 a0 i:u32/0-255")
    F(SHF,   0,  0, "l|r clamp|wrap b32",            "d0 a0 a0 a:u32")
    F(SHL,   0,  0, BITS,                            "d0 a0 a:u32")
    F(SHR,   0,  0, BITS "|" INTS,                   "d0 a0 a:u32")
    F(PRMT,  0,  0, "b32 ?f:f4e|b4e|rc8|ecl|ecr|rc16", "d0 a0 a0 a0")

    F(MOV,   0,  0, "pred|" ALL,                     "d0 a0")
    F(LD,    0,  0, "?weak ?" WHERE " ?ca|cg|cs|lu|cv " FETCH " " VECTOR " " MEMORY, "Vx~0 m")
    F(LD,   74,  0, "?weak ?" WHERE " " L1HINT " " L2HINT " " FETCH " " VECTOR " " MEMORY,
                                                     "Vx~0 m")
    F(LD,    0,  0, "?weak global ?ca|cg|cs nc " L1HINT " " L2HINT " " FETCH " " VECTOR " "
                    MEMORY,                          "Vx~0 m")
    F(LD,    0,  0, "volatile ?" WHERE " " FETCH " " VECTOR " " MEMORY, "Vx~0 m")
    F(LD,   60, 70, "relaxed|acquire " SCOPE " ?global|shared|local " L1HINT " " L2HINT " "
                    FETCH " " VECTOR " " MEMORY,     "Vx~0 m")
    F(LDU,   0,  0, "?global " VECTOR " " MEMORY,    "Vx~0 m")
    F(ST,    0,  0, "?weak ?global|shared|local|param ?wb|cg|cs|wt " VECTOR " " MEMORY,
                                                     "m vx~0")
    F(ST,   74,  0, "?weak ?global|shared|local " L1HINT " " L2HINT " " VECTOR " " MEMORY,
                                                     "m vx~0")
    F(ST,    0,  0, "volatile ?global|shared|local|param " VECTOR " " MEMORY, "m vx~0")
    F(ST,   60, 70, "relaxed|release " SCOPE " ?global|shared|local " L1HINT " " L2HINT " "
                    VECTOR " " MEMORY,               "m vx~0")
    F(PREFETCH,  0,  0, "?global|local L1|L2",       "m")
    F(PREFETCH, 74, 80, "global n:L2::evict_last",   "m")
    F(PREFETCH, 74, 80, "global n:L2::evict_normal", "m")
    F(PREFETCHU, 0,  0, "L1",                        "m")
    F(DISCARD,  74, 80, "?global L2",                "m i:u32/128-128")
    F(APPLYPRIORITY, 74, 80, "?global n:L2::evict_normal", "m i:u32/128-128")
    F(ISSPACEP,  0,  0, "global|shared|local|const|param", "P a:b64")
    F(CVTA,      0,  0, "?to " WHERE " u64",         "d0 a0")
    F(CVT,       0,  0, "?" RND "|rni|rzi|rmi|rpi ?ftz ?sat " CVT "|f32|f64|f16 "
                        CVT "|f32|f64|f16",          "d~0 a~1")
    F(CVT,      70, 80, "rn|rz relu f16 f32",        "d~0 a~1")
    F(CVT,      70, 80, "rn|rz ?relu bf16 f32",      "d~0 a~1")
    F(CVT,      70, 80, "rn|rz ?relu f16x2|bf16x2 f32", "d0 a1 a1")
    F(CVT,      81,  0, "rn|rz satfinite f16 f32",   "d~0 a~1")
    F(CVT,      81, 80, "rn|rz ?relu satfinite f16|bf16 f32", "d~0 a~1")
    F(CVT,      81, 80, "rn|rz ?relu satfinite f16x2|bf16x2 f32", "d0 a1 a1")
    F(CVT,      70, 80, "rna tf32 f32",              "d0 a1")
    F(CVT,      81, 80, "rna satfinite tf32 f32",    "d0 a1")
    F(CVT,      78, 90, "rn|rz ?relu tf32 f32",      "d0 a1")
    F(CVT,      71, 80, "?ftz f32 bf16",             "d~0 a~1")
    F(CVT,      78, 90, "f64 bf16",                  "d~0 a~1")
    F(CVT,      78, 90, RND " bf16 f16|f64|" CVT,    "d~0 a~1")
    F(CVT,      78, 90, "rni|rzi|rmi|rpi " CVT "|bf16 bf16", "d~0 a~1")

    F(LDMATRIX,  65, 75, "sync aligned n:m8n8 x1|x2|x4 ?trans ?shared b16", "Vx:b32 m")
    F(MOVMATRIX, 78, 75, "sync aligned n:m8n8 trans b16", "d:b32 a:b32")
    F(CP_ASYNC,  70, 80, "ca S:shared global " FETCH, "M m i:u32/4-16 ?a:u32")
    F(CP_ASYNC,  70, 80, "cg S:shared global " FETCH, "M m i:u32/16-16 ?a:u32")
    F(CP_COMMIT, 70, 80, "",                         "")
    F(CP_WAIT,   70, 80, "",                         "i:u32/0-2147483647")
    F(CP_WAIT_ALL, 70, 80, "",                       "")
    F(BAR,       0,  0, "?n:cta sync ?aligned",      "a:u32/0-15 ?a:u32")
    F(BAR,       0,  0, "?n:cta arrive ?aligned",    "a:u32/0-15 a:u32")
    F(BAR,       0,  0, "?n:cta red f:popc ?aligned u32", "d0 a:u32/0-15 ?a:u32 n")
    F(BAR,       0,  0, "?n:cta red f:and|or ?aligned pred", "P a:u32/0-15 ?a:u32 n")
    F(BAR_WARP,  0,  0, "sync",                      "a:b32")
    F(MEMBAR,    0,  0, "cta|gl|sys",                "")
    F(FENCE,    60, 70, "?sc|acq_rel|acquire|release " SCOPE, "")

    F(BRA,       0,  0, "?uni",                      "l")
    F(CALL,      0,  0, "?uni",                      "")
    F(RET,       0,  0, "?uni",                      "")
    F(EXIT,      0,  0, "",                          "")
    F(TRAP,      0,  0, "",                          "")
    F(BRKPT,     0,  0, "",                          "")
    F(NANOSLEEP, 63, 70, "u32",                       "a0")
    F(PMEVENT,   0,  0, "",                          "i:u32/0-15")
    F(GRIDDEPCONTROL, 78, 90, "n:launch_dependents|wait", "")

    F(SHFL,      0,  0, "sync f:up|down|bfly|idx b32", "s0 a0 a:u32 a:u32 a:b32")
    F(SHFL,      0,  0, "f:up|down|bfly|idx b32",    "s0 a0 a:u32 a:u32")
    F(VOTE,      0,  0, "sync f:all|any|uni pred",   "P n a:b32")
    F(VOTE,      0,  0, "f:all|any|uni pred",        "P n")
    F(VOTE,      0,  0, "sync f:ballot b32",         "d0 n a:b32")
    F(VOTE,      0,  0, "f:ballot b32",              "d0 n")
    F(MATCH,    60, 70, "f:any sync b32|b64",        "d:b32 a0 a:b32")
    F(MATCH,    60, 70, "f:all sync b32|b64",        "s:b32 a0 a:b32")
    F(ACTIVEMASK, 62, 0, "b32",                      "d0")
    F(REDUX,    70, 80, "sync f:add|min|max " W32,   "d0 a0 a:b32")
    F(REDUX,    70, 80, "sync f:and|or|xor b32",     "d0 a0 a:b32")
    F(ELECT,    80, 90, "sync",                      "S:b32 a:b32")

    ATOM("f:and|or|xor", "b32|b64", 0, 0)
    ATOM("f:exch", "b32|b64", 0, 0)
    BOTH(ATOM, ORDER, "f:cas " BITS, 0, 0, "d0 m a0 a0")
    ATOM("f:add", "u32|s32|u64|f32|f64", 0, 0)
    ATOM("f:add noftz", "f16|f16x2", 63, 70)
    ATOM("f:add noftz", "bf16|bf16x2", 78, 90)
    ATOM("f:inc|dec", "u32", 0, 0)
    ATOM("f:min|max", W3264, 0, 0)
    RED("f:and|or|xor", "b32|b64", 0, 0)
    RED("f:add", "u32|s32|u64|f32|f64", 0, 0)
    RED("f:add noftz", "f16|f16x2", 63, 70)
    RED("f:add noftz", "bf16|bf16x2", 78, 90)
    RED("f:inc|dec", "u32", 0, 0)
    RED("f:min|max", W3264, 0, 0)

#define MMA(version, target, shape, types, operands) \
    F(MMA, version, target, "sync aligned " shape " y:row y:col " types, operands)
    MMA(65, 75, "m16n8k8",  "f16 f16 f16 f16",       "V2:b32 v2:b32 v1:b32 v2:b32")
    MMA(65, 75, "m16n8k8",  "f32 f16 f16 f32",       "V4:f32 v2:b32 v1:b32 v4:f32")
    MMA(70, 80, "m16n8k16", "f16 f16 f16 f16",       "V2:b32 v4:b32 v2:b32 v2:b32")
    MMA(70, 80, "m16n8k16", "f32 f16 f16 f32",       "V4:f32 v4:b32 v2:b32 v4:f32")
    MMA(70, 80, "m16n8k8",  "f32 bf16 bf16 f32",     "V4:f32 v2:b32 v1:b32 v4:f32")
    MMA(70, 80, "m16n8k16", "f32 bf16 bf16 f32",     "V4:f32 v4:b32 v2:b32 v4:f32")
    MMA(70, 80, "m16n8k4",  "f32 tf32 tf32 f32",     "V4:f32 v2:b32 v1:b32 v4:f32")
    MMA(70, 80, "m16n8k8",  "f32 tf32 tf32 f32",     "V4:f32 v4:b32 v2:b32 v4:f32")
    MMA(70, 80, "m16n8k16", "s32 u8|s8 u8|s8 s32",   "V4:b32 v2:b32 v1:b32 v4:b32")
    MMA(70, 80, "m16n8k32", "s32 u8|s8 u8|s8 s32",   "V4:b32 v4:b32 v2:b32 v4:b32")
    F(MMA, 70, 80, "sync aligned m16n8k16 y:row y:col satfinite s32 u8|s8 u8|s8 s32",
      "V4:b32 v2:b32 v1:b32 v4:b32")
    F(MMA, 70, 80, "sync aligned m16n8k32 y:row y:col satfinite s32 u8|s8 u8|s8 s32",
      "V4:b32 v4:b32 v2:b32 v4:b32")
#define WMMA(op, kind, type, operands) WMMA_FROM(op, 60, 70, kind, type, operands)
#define WMMA_FROM(op, version, target, kind, type, operands) \
    F(WMMA_##op, version, target, kind " sync ?aligned y:row|col m16n16k16 ?global|shared " type, \
      operands)
    WMMA(LOAD,  "k:a|b", "f16",                      "V8:b32 m ?a:u32")
    WMMA_FROM(LOAD, 70, 80, "k:a|b", "bf16",         "V4:b32 m ?a:u32")
/* 32 by 8 and 8 by 32: of bf16 a long fragment is four times a short one. */
#define WMMA_LONG(op, version, target, kind, shape, type, operands) \
    F(WMMA_##op, version, target, kind " sync ?aligned y:row|col " shape " ?global|shared " type, \
      operands)
    WMMA_LONG(LOAD,  61, 70, "k:a|b", "m32n8k16|m8n32k16", "f16", "V8:b32 m ?a:u32")
    WMMA_LONG(LOAD,  61, 70, "k:c",   "m32n8k16|m8n32k16", "f16", "V4:b32 m ?a:u32")
    WMMA_LONG(LOAD,  61, 70, "k:c",   "m32n8k16|m8n32k16", "f32", "V8:f32 m ?a:u32")
    WMMA_LONG(STORE, 61, 70, "k:d",   "m32n8k16|m8n32k16", "f16", "m v4:b32 ?a:u32")
    WMMA_LONG(STORE, 61, 70, "k:d",   "m32n8k16|m8n32k16", "f32", "m v8:f32 ?a:u32")
    WMMA_LONG(LOAD,  70, 80, "k:a",   "m32n8k16",    "bf16", "V8:b32 m ?a:u32")
    WMMA_LONG(LOAD,  70, 80, "k:b",   "m32n8k16",    "bf16", "V2:b32 m ?a:u32")
    WMMA_LONG(LOAD,  70, 80, "k:a",   "m8n32k16",    "bf16", "V2:b32 m ?a:u32")
    WMMA_LONG(LOAD,  70, 80, "k:b",   "m8n32k16",    "bf16", "V8:b32 m ?a:u32")
#define WMMA_TF32(op, kind, type, operands) \
    F(WMMA_##op, 70, 80, kind " sync ?aligned y:row|col m16n16k8 ?global|shared " type, operands)
    WMMA_TF32(LOAD,  "k:a|b", "tf32",                "V4:b32 m ?a:u32")
    WMMA_TF32(LOAD,  "k:c",   "f32",                 "V8:f32 m ?a:u32")
    WMMA_TF32(STORE, "k:d",   "f32",                 "m v8:f32 ?a:u32")
    WMMA(LOAD,  "k:c",   "f16",                      "V4:b32 m ?a:u32")
    WMMA(LOAD,  "k:c",   "f32",                      "V8:f32 m ?a:u32")
    WMMA(STORE, "k:d",   "f16",                      "m v4:b32 ?a:u32")
    WMMA(STORE, "k:d",   "f32",                      "m v8:f32 ?a:u32")
#define WMMA_MMA(types, d, c) \
    F(WMMA_MMA, 60, 70, "sync ?aligned y:row|col y:row|col m16n16k16 " types, \
      "V" d " v8:b32 v8:b32 v" c) \
    F(WMMA_MMA, 61, 70, "sync ?aligned y:row|col y:row|col m32n8k16|m8n32k16 " types, \
      "V" d " v8:b32 v8:b32 v" c)
    WMMA_MMA("f16 f16", "4:b32", "4:b32")
    WMMA_MMA("f16 f32", "4:b32", "8:f32")
    WMMA_MMA("f32 f16", "8:f32", "4:b32")
    WMMA_MMA("f32 f32", "8:f32", "8:f32")
    F(WMMA_MMA, 70, 80, "sync ?aligned y:row|col y:row|col m16n16k16 f32 bf16 bf16 f32",
      "V8:f32 v4:b32 v4:b32 v8:f32")
    F(WMMA_MMA, 70, 80, "sync ?aligned y:row|col y:row|col m32n8k16 f32 bf16 bf16 f32",
      "V8:f32 v8:b32 v2:b32 v8:f32")
    F(WMMA_MMA, 70, 80, "sync ?aligned y:row|col y:row|col m8n32k16 f32 bf16 bf16 f32",
      "V8:f32 v2:b32 v8:b32 v8:f32")
    F(WMMA_MMA, 70, 80, "sync ?aligned y:row|col y:row|col m16n16k8 f32 tf32 tf32 f32",
      "V8:f32 v4:b32 v4:b32 v8:f32")
};
const uint32_t ptx_form_count = sizeof ptx_forms / sizeof *ptx_forms;
