/* ptx.h - a PTX module as it was written: variables, functions, instructions.
 *
 * The reader checks what it reads: names that exist, operands of the right number and kind,
 * modifiers that the instruction has, and says for each instruction that it does not know
 * that it is not supported: of a function to whoever uses it (ptx_function.unsupported), for
 * a file may have others.  What comes out of it else is legal PTX of the subset.
 *
 * An instruction is its opcode, a few modifiers and types, a guard and operands, in the order
 * of the text (destination first).  Registers, variables, labels and functions are numbers.
 *
 * What PTX lets one write in several ways comes out in one: special registers are read by mov
 * alone, arguments of calls are variables, parameters are never registers, logic with a
 * constant predicate is a move, brx.idx is a chain of branches.
 *
 * Not modelled: textures, surfaces, video instructions, debug sections (skipped), multiple
 * modules linked together, recursion, calls through pointers, wgmma, TMA and mbarrier, mma of
 * m8n8k4, f64, 4-bit integers, 8-bit floats and sparse operands, wmma of integers and f64,
 * stmatrix, policies of L2, registers of 128 bits.
 */
#ifndef MODELS_GPU_PTX_H
#define MODELS_GPU_PTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traces/diag.h"

#define PTX_NAME     128        /* longer names are cut here; the reader tells them apart */
#define PTX_OPERANDS   6        /* of an instruction; a vector in braces is one */
#define PTX_VECTOR     8

/* Opcodes. */
#define PTX_OPS(X) \
    X(ADD, "add") X(SUB, "sub") X(MUL, "mul") X(MAD, "mad") X(MUL24, "mul24") \
    X(MAD24, "mad24") X(SAD, "sad") X(DIV, "div") X(REM, "rem") X(ABS, "abs") X(NEG, "neg") \
    X(MIN, "min") X(MAX, "max") X(FMA, "fma") X(ADDC, "addc") X(SUBC, "subc") \
    X(MADC, "madc") X(POPC, "popc") X(CLZ, "clz") X(BFIND, "bfind") X(BREV, "brev") \
    X(BFE, "bfe") X(BFI, "bfi") X(DP4A, "dp4a") X(DP2A, "dp2a") X(FNS, "fns") \
    X(SZEXT, "szext") X(BMSK, "bmsk") \
    X(RCP, "rcp") X(SQRT, "sqrt") X(RSQRT, "rsqrt") X(SIN, "sin") X(COS, "cos") \
    X(LG2, "lg2") X(EX2, "ex2") X(TANH, "tanh") X(TESTP, "testp") X(COPYSIGN, "copysign") \
    X(SET, "set") X(SETP, "setp") X(SELP, "selp") X(SLCT, "slct") \
    X(AND, "and") X(OR, "or") X(XOR, "xor") X(NOT, "not") X(CNOT, "cnot") \
    X(LOP3, "lop3") X(SHF, "shf") X(SHL, "shl") X(SHR, "shr") X(PRMT, "prmt") \
    X(MOV, "mov") X(LD, "ld") X(LDU, "ldu") X(ST, "st") X(PREFETCH, "prefetch") \
    X(PREFETCHU, "prefetchu") X(ISSPACEP, "isspacep") X(CVTA, "cvta") X(CVT, "cvt") \
    X(LDMATRIX, "ldmatrix") X(MOVMATRIX, "movmatrix") X(CP_ASYNC, "cp.async") \
    X(CP_COMMIT, "cp.async.commit_group") X(CP_WAIT, "cp.async.wait_group") \
    X(CP_WAIT_ALL, "cp.async.wait_all") X(BAR, "bar") X(BAR_WARP, "bar.warp") \
    X(MEMBAR, "membar") X(FENCE, "fence") X(BRA, "bra") X(CALL, "call") X(RET, "ret") \
    X(EXIT, "exit") X(TRAP, "trap") X(BRKPT, "brkpt") X(SHFL, "shfl") X(VOTE, "vote") \
    X(MATCH, "match") X(ACTIVEMASK, "activemask") X(REDUX, "redux") X(ATOM, "atom") \
    X(RED, "red") X(MMA, "mma") X(WMMA_LOAD, "wmma.load") X(WMMA_STORE, "wmma.store") \
    X(WMMA_MMA, "wmma.mma") X(NANOSLEEP, "nanosleep") X(PMEVENT, "pmevent") \
    X(DISCARD, "discard") X(APPLYPRIORITY, "applypriority") X(ELECT, "elect") \
    X(GRIDDEPCONTROL, "griddepcontrol")

enum ptx_op {
#define OP(id, name) PTX_##id,
    PTX_OPS(OP)
#undef OP
    PTX_OPS_COUNT
};

#define PTX_TYPES(X) \
    /* id       name      bytes */ \
    X(NONE,     "",       0) X(PRED,    "pred",   0) \
    X(B8,       "b8",     1) X(B16,     "b16",    2) X(B32,  "b32",  4) X(B64, "b64", 8) \
    X(B128,     "b128",  16) \
    X(U8,       "u8",     1) X(U16,     "u16",    2) X(U32,  "u32",  4) X(U64, "u64", 8) \
    X(S8,       "s8",     1) X(S16,     "s16",    2) X(S32,  "s32",  4) X(S64, "s64", 8) \
    X(U16X2,    "u16x2",  4) X(S16X2,   "s16x2",  4) \
    X(F16,      "f16",    2) X(F16X2,   "f16x2",  4) X(BF16, "bf16", 2) \
    X(BF16X2,   "bf16x2", 4) X(TF32,    "tf32",   4) X(F32,  "f32",  4) X(F64, "f64", 8)

enum ptx_type {
#define TYPE(id, name, bytes) PTX_##id,
    PTX_TYPES(TYPE)
#undef TYPE
    PTX_TYPES_COUNT
};

enum ptx_space {
    PTX_GENERIC, PTX_GLOBAL, PTX_SHARED, PTX_LOCAL, PTX_CONST, PTX_PARAM, PTX_REG, PTX_SREG
};

/* Modifiers that are present or not, each with its word in the text. */
#define PTX_MODIFIERS(X) \
    X(FTZ, "ftz") X(SAT, "sat") X(SATFINITE, "satfinite") X(RELU, "relu") \
    X(LO, "lo") X(HI, "hi") X(WIDE, "wide") X(APPROX, "approx") X(FULL, "full") \
    X(CC, "cc") X(UNI, "uni") X(SYNC, "sync") X(ARRIVE, "arrive") X(RED, "red") \
    X(ALIGNED, "aligned") X(TRANS, "trans") X(NC, "nc") X(VOLATILE, "volatile") \
    X(RELAXED, "relaxed") X(ACQUIRE, "acquire") X(RELEASE, "release") X(ACQ_REL, "acq_rel") \
    X(WEAK, "weak") X(TO, "to") X(NAN, "NaN") X(XORSIGN, "xorsign") X(SHIFTAMT, "shiftamt") \
    X(CLAMP, "clamp") X(WRAP, "wrap") X(LEFT, "l") X(RIGHT, "r") X(NOFTZ, "noftz") \
    X(SC, "sc") X(L1, "L1") X(L2, "L2")

enum ptx_modifier {
#define MODIFIER(id, name) PTX_M_##id,
    PTX_MODIFIERS(MODIFIER)
#undef MODIFIER
    PTX_MODIFIERS_COUNT
};
#define PTX_HAS(i, id) (((i)->modifiers >> PTX_M_##id & 1) != 0)

/* Of which at most one: the word after the dot is the name in lower case. */
enum ptx_round   { PTX_R_NONE, PTX_RN, PTX_RZ, PTX_RM, PTX_RP, PTX_RNA, PTX_RNI, PTX_RZI, PTX_RMI, PTX_RPI };
enum ptx_compare { PTX_C_NONE, PTX_EQ, PTX_NE, PTX_LT, PTX_LE, PTX_GT, PTX_GE, PTX_C_LO, PTX_LS,
                   PTX_C_HI, PTX_HS, PTX_EQU, PTX_NEU, PTX_LTU, PTX_LEU, PTX_GTU, PTX_GEU,
                   PTX_NUM, PTX_C_NAN };
/* Of setp and set between compare and predicate; of atom, red, redux, bar.red; of vote; of
 * shfl; of testp; of prmt; of match. */
enum ptx_choice   { PTX_F_NONE, PTX_F_AND, PTX_F_OR, PTX_F_XOR, PTX_F_ADD, PTX_F_INC,
                    PTX_F_DEC, PTX_F_MIN, PTX_F_MAX, PTX_F_EXCH, PTX_F_CAS, PTX_F_POPC,
                    PTX_F_ALL, PTX_F_ANY, PTX_F_UNI, PTX_F_BALLOT,
                    PTX_F_UP, PTX_F_DOWN, PTX_F_BFLY, PTX_F_IDX,
                    PTX_F_FINITE, PTX_F_INFINITE, PTX_F_NUMBER, PTX_F_NOTANUMBER,
                    PTX_F_NORMAL, PTX_F_SUBNORMAL,
                    PTX_F_F4E, PTX_F_B4E, PTX_F_RC8, PTX_F_ECL, PTX_F_ECR, PTX_F_RC16 };
enum ptx_cache { PTX_CACHE_NONE, PTX_CA, PTX_CG, PTX_CS, PTX_LU, PTX_CV, PTX_WB, PTX_WT };
enum ptx_scope { PTX_SCOPE_NONE, PTX_CTA, PTX_CLUSTER, PTX_GPU, PTX_SYS };

/* Special registers; x, y, z follow each other. */
#define PTX_SPECIALS(X) \
    X(TID_X, "%tid.x") X(TID_Y, "%tid.y") X(TID_Z, "%tid.z") \
    X(NTID_X, "%ntid.x") X(NTID_Y, "%ntid.y") X(NTID_Z, "%ntid.z") \
    X(CTAID_X, "%ctaid.x") X(CTAID_Y, "%ctaid.y") X(CTAID_Z, "%ctaid.z") \
    X(NCTAID_X, "%nctaid.x") X(NCTAID_Y, "%nctaid.y") X(NCTAID_Z, "%nctaid.z") \
    X(LANEID, "%laneid") X(WARPID, "%warpid") X(NWARPID, "%nwarpid") X(SMID, "%smid") \
    X(NSMID, "%nsmid") X(GRIDID, "%gridid") X(CLOCK, "%clock") X(CLOCK_HI, "%clock_hi") \
    X(CLOCK64, "%clock64") X(GLOBALTIMER, "%globaltimer") \
    X(GLOBALTIMER_LO, "%globaltimer_lo") X(GLOBALTIMER_HI, "%globaltimer_hi") \
    X(GRAPH_EXEC, "%current_graph_exec") X(AGGREGATE_SMEM, "%aggr_smem_size") \
    X(RESERVED_BEGIN, "%reserved_smem_offset_begin") \
    X(RESERVED_END, "%reserved_smem_offset_end") X(RESERVED_CAP, "%reserved_smem_offset_cap") \
    X(RESERVED_0, "%reserved_smem_offset_0") X(RESERVED_1, "%reserved_smem_offset_1") \
    X(LANEMASK_EQ, "%lanemask_eq") X(LANEMASK_LE, "%lanemask_le") \
    X(LANEMASK_LT, "%lanemask_lt") X(LANEMASK_GE, "%lanemask_ge") \
    X(LANEMASK_GT, "%lanemask_gt") X(DYNAMIC_SMEM, "%dynamic_smem_size") \
    X(TOTAL_SMEM, "%total_smem_size") X(WARP_SIZE, "WARP_SZ")

enum ptx_special {
#define SPECIAL(id, name) PTX_S_##id,
    PTX_SPECIALS(SPECIAL)
#undef SPECIAL
    PTX_SPECIALS_COUNT
};

enum ptx_operand_kind {
    PTX_NO_OPERAND,     /* "_" of a destination that nobody wants */
    PTX_REGISTER,       /* number: of the function's registers; `negated`: !p */
    PTX_IMMEDIATE,      /* bits: integer as 64 bits, float as the bits of `type` of the text: */
                        /* 0f.. is F32, 0d.. and decimals F64, others S64 or U64 */
    PTX_SPECIAL,        /* number: enum ptx_special */
    PTX_VARIABLE,       /* number: of the module's or function's variables; offset: its address */
    PTX_MEMORY,         /* [base + offset]; base is a register, a variable, or nothing */
    PTX_VECTOR_OF,      /* {a, b, c, d}: elements in `vector` */
    PTX_LABEL,          /* number: of the function's labels */
    PTX_FUNCTION,       /* number: of the module's functions */
    PTX_PAIR            /* p|q: two predicates: vector[0], vector[1] */
};

struct ptx_operand {
    enum ptx_operand_kind kind, base;       /* base of MEMORY: REGISTER, VARIABLE, IMMEDIATE */
    enum ptx_type type;                     /* of an immediate */
    bool     negated;
    uint32_t number;                        /* of a MEMORY: of its base */
    uint32_t count;                         /* elements of a vector or pair */
    uint64_t bits;                          /* of an immediate */
    int64_t  offset;                        /* of MEMORY and VARIABLE */
    struct ptx_element { uint64_t bits; uint32_t number; uint8_t kind, type; bool negated; }
             vector[PTX_VECTOR];            /* kind: enum ptx_operand_kind */
    uint32_t column;
};

#define PTX_NO_GUARD UINT32_MAX

struct ptx_instruction {
    enum ptx_op   op;
    enum ptx_type type[4];          /* in the order of the text; mma: d, a, b, c */
    uint64_t modifiers;             /* bit PTX_M_x */
    uint32_t guard;                 /* predicate register, or PTX_NO_GUARD */
    bool     guard_negated;
    uint8_t  round, compare, function, cache;       /* of the enums above */
    uint8_t  space, to_space;       /* enum ptx_space, from and to: cp.async reads `space`; */
                                    /* cvta.X is from X to generic, cvta.to.X the reverse */
    uint8_t  scope;                 /* enum ptx_scope */
    uint8_t  vector;                /* 1, 2, 4 (v2, v4); ldmatrix: x1, x2, x4 */
    uint8_t  m, n, k;               /* of mma and wmma */
    uint8_t  fragment;              /* wmma.load and store: 'a', 'b', 'c', 'd' */
    uint8_t  row_a, row_b;          /* mma, wmma: 1: .row, 0: .col; loads and stores: row_a */
    uint32_t call_function;         /* CALL: of the module's */
    uint32_t operands;
    struct ptx_operand operand[PTX_OPERANDS];
    struct ptx_operand *arguments;  /* CALL: returned ones first, all of them .param VARIABLEs */
                                    /* of the function (which owns the array): registers and */
                                    /* numbers in the text were stored to such before */
    uint32_t returned, passed;
    uint32_t line, column;
    uint32_t form;                  /* the reader's: which line of its table it is */
};

/* Many have names that differ in a number only: "%r" with index 12 is %r12. */
#define PTX_NO_INDEX UINT32_MAX
struct ptx_register { const char *name; uint32_t index; enum ptx_type type; };

/* In an initial value, the address of a variable of the module: 8 bytes at `at`. */
struct ptx_address { uint64_t at; uint32_t variable; int64_t offset; bool generic; };

/* A variable of any space but registers: shared, local, const, global, and parameters. */
struct ptx_variable {
    char     name[PTX_NAME];
    uint8_t  space;                 /* enum ptx_space */
    enum ptx_type type;             /* of an element */
    uint32_t align;                 /* bytes */
    uint64_t elements;              /* 0: extern array without size (dynamic shared memory) */
    bool     is_array;
    uint8_t *initial;               /* NULL: zeros; else bytes of all elements */
    uint64_t initial_bytes;
    struct ptx_address *addresses;  /* to be added to those bytes; their variables' numbers */
    uint32_t address_count;         /* are without PTX_MODULE_VARIABLE */
    uint32_t line;
};

struct ptx_label { char name[PTX_NAME]; uint32_t at; /* instruction before which it stands */ };

struct ptx_function {
    char     name[PTX_NAME];
    bool     is_entry, has_body;
    struct ptx_variable *params;    /* in order; offsets follow from align and size */
    uint32_t param_count;
    struct ptx_variable *returns;   /* of a device function, usually one */
    uint32_t return_count;
    struct ptx_register *registers;
    uint32_t register_count;
    struct ptx_variable *variables; /* shared, local, and .param variables for calls */
    uint32_t variable_count;
    struct ptx_label *labels;
    uint32_t label_count;
    struct ptx_instruction *instructions;   /* the last is never one that others follow */
    uint32_t instruction_count;
    uint32_t required[3], max_threads, min_blocks, max_registers;       /* 0: not said */
    uint32_t line;
    char    *unsupported;           /* what is wrong with the first instruction that is not, */
    uint32_t unsupported_line, unsupported_column;      /* and is left out here; NULL: none */
};

/* Numbers of variables: an operand's number below PTX_MODULE_VARIABLE is the function's, with
 * its params after its variables and its returns after those; others are the module's. */
#define PTX_MODULE_VARIABLE 0x40000000u

struct ptx_module {
    char     file[256];
    unsigned version;               /* 63 for 6.3 */
    unsigned target;                /* 70 for sm_70 */
    struct ptx_variable *variables;
    uint32_t variable_count;
    struct ptx_function *functions;
    uint32_t function_count;
    char    *names;                 /* the text that registers' names are in */
};

/* From text that errors call `file`; NULL with line, column and reason in `d`. */
struct ptx_module *ptx_read(const char *text, size_t size, const char *file, struct diag *d);
struct ptx_module *ptx_load(const char *path, struct diag *d);      /* from a file, plain or .gz */
void               ptx_free(struct ptx_module *m);

/* The entry of that name; NULL with the nearest name in `d`.  NULL name: the only one. */
const struct ptx_function *ptx_entry(const struct ptx_module *m, const char *name,
                                     struct diag *d);
/* A register's name, with its index. */
void ptx_register_name(const struct ptx_register *r, char *text, size_t size);
const struct ptx_variable *ptx_find_variable(const struct ptx_module *m,
                                             const struct ptx_function *f, uint32_t number);

unsigned ptx_type_bytes(enum ptx_type t);
extern const char *const ptx_op_names[PTX_OPS_COUNT];
extern const char *const ptx_type_names[PTX_TYPES_COUNT];

/* The instruction as text, for messages: "mma.sync.aligned.m16n8k16...", without its operands
 * and without hints that change nothing. */
void ptx_print(const struct ptx_instruction *i, char *text, size_t size);

#endif
