/* code.h - a kernel between PTX and machine operations; private to the compiler.
 *
 * First it is a `body`: the entry's PTX with its calls inlined and its variables placed.
 * Expanded, it is a list of operations on words: 32-bit registers and predicates without end,
 * of which `allocate` makes those of the chip.  Blocks are ranges of that list.
 *
 *     inline  predicate  fold  |  expand  flow  webs  copies  dead  slice  others  uniform
 *     PTX                      |  schedule: operations on words
 *                              |  allocate (spill): registers  |  emit: the kernel
 */
#ifndef MODELS_GPU_COMPILE_CODE_H
#define MODELS_GPU_COMPILE_CODE_H

#include "models/gpu/compile.h"
#include "models/gpu/compile/arena.h"
#include "models/gpu/execute.h"

#define NONE        UINT32_MAX
#define CONSTANT    0x80000000u     /* a word number with this bit is a constant's */

/* The entry with its calls inlined.  Registers, labels are numbered anew; a variable has
 * become its address: an immediate, or the offset of a memory operand without base. */
struct body {
    struct ptx_instruction *list;
    uint32_t count, room;
    uint8_t  *types;                /* enum ptx_type of each register */
    uint32_t registers, register_room;
    uint32_t *labels;               /* the instruction that each stands before */
    uint32_t label_count, label_room;
    uint8_t  *complete;             /* of each instruction: guarded, but what it leaves of its */
                                    /* destinations is not looked at */
};

struct code_op {
    struct gpu_op op;               /* all but what has numbers of words, predicates, ops */
    const struct ptx_instruction *from;
    uint32_t words;                 /* its list in code.words: destinations, then sources */
    uint32_t guard, pdst[2], psrc[3];   /* NONE */
    uint32_t label;                 /* of a branch */
    bool     is_copy;               /* one word is another */
    bool     keeps;                 /* a destination keeps part of what it was */
    bool     complete;              /* guarded, but what it leaves is not looked at */
    bool     fixed;                 /* nothing is moved across it */
};

struct code_block {
    uint32_t first, count;          /* of code.ops */
    uint32_t next[2];               /* blocks; [0] falls through or is the only one; NONE */
    uint32_t depth;                 /* loops around it */
    uint32_t dominator;             /* NONE: of the first */
    uint32_t post_dominator;        /* but for ways that only end (meet.c); NONE: the exit */
    uint64_t *live_in, *live_out;   /* words, then predicates */
};

/* Whether it reaches an address, a branch or a memory operation's guard; or at least the guard
 * of an operation whose lanes are counted. */
enum code_control { CODE_NO_CONTROL, CODE_CONTROLS, CODE_COUNTS };

struct code {
    const struct gpu_config   *config;
    const struct ptx_module   *module;
    const struct ptx_function *entry;
    struct diag  *diag;
    struct arena  arena;

    struct body   body;
    uint32_t     *first_word;       /* of each register of the body; of .pred its predicate */

    struct code_op *ops;
    uint32_t     count, room;
    uint32_t    *words;             /* operands of all ops */
    uint32_t     used, words_room;
    uint32_t     registers;         /* words that are not constants */
    uint32_t     predicates;
    struct gpu_op mov;              /* of one word */
    bool         signs_above;       /* of 16 bits in a register of their width; else zeros */
    uint32_t     carry;             /* the predicate that is CC; NONE until used */
    uint32_t    *constants;
    uint32_t     constant_count, constant_room;
    uint32_t    *constant_hash, hash_size;

    struct code_block *blocks;
    uint32_t     block_count;
    uint32_t    *label_block;       /* of each label of the body */

    uint8_t     *controls;          /* of each word, then predicate: enum code_control */
    uint32_t     control_words;     /* words that there were then */
    bool         counts_lost;       /* one that only counts has found no register */
    bool         oblivious;
    char         why_not[128], others[128];

    uint32_t     limit;             /* registers that a thread may have */
    uint32_t     first_spilled;     /* words from here on only carry what was spilled */
    uint32_t    *placed;            /* the register of each word, the predicate of each */
    uint8_t     *bank_cycles;       /* of each op */
    uint32_t     kernel_registers, kernel_predicates;
    uint32_t     shared_bytes, local_bytes;
    uint64_t    *globals;           /* address of each variable of the module in its space */
    uint64_t     const_bytes, global_bytes, param_bytes;
    uint8_t     *const_image;       /* const_bytes, initialized */
};

/* What a pass returns false for is in code->diag. */
bool code_inline(struct code *c);
void code_predicate(struct code *c);
void code_fold(struct code *c);
bool code_expand(struct code *c);
void code_flow(struct code *c);
void code_webs(struct code *c);
void code_copies(struct code *c);
void code_dead(struct code *c);
void code_slice(struct code *c);
void code_others(struct code *c);
void code_uniform(struct code *c);
void code_schedule(struct code *c);
bool code_allocate(struct code *c);
struct gpu_kernel *code_emit(struct code *c);

/* Used by several passes. */
bool code_fail(struct code *c, const struct ptx_instruction *i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
uint32_t code_constant(struct code *c, uint32_t value);             /* its word number */
void code_close_gaps(struct code *c);     /* blocks one after the other in the list again */
struct code_op *code_add(struct code *c, const struct ptx_instruction *from);
void code_add_words(struct code *c, const uint32_t *words, uint32_t count);
/* The operations that write each item (a word; registers + a predicate), as lists of slots. */
struct code_writers { uint32_t *first, *next, *op; };
struct code_writers code_find_writers(struct code *c);
uint32_t code_registers(struct code *c);        /* that its words would take without limit */
void code_live(struct code *c);         /* live_in and live_out of each block */
bool code_has_effect(const struct code_op *o);
/* "the load of line 12 reaches the branch of line 19", of two operations. */
void code_say_reached(const struct code *c, uint32_t from, uint32_t to, char *text, size_t size);

static inline uint32_t *code_dsts(const struct code *c, const struct code_op *o)
{
    return c->words + o->words;
}

static inline uint32_t *code_srcs(const struct code *c, const struct code_op *o)
{
    return c->words + o->words + o->op.dsts;
}

/* Whether nothing of what its destinations were is left. */
static inline bool code_kills(const struct code_op *o)
{
    return !o->keeps && (o->guard == NONE || o->complete || o->op.flags & GPU_OP_PART);
}

static inline bool is_constant(uint32_t word) { return (word & CONSTANT) != 0; }

/* Bit sets. */
static inline bool bit_get(const uint64_t *s, uint32_t i) { return s[i / 64] >> i % 64 & 1; }
static inline void bit_set(uint64_t *s, uint32_t i) { s[i / 64] |= UINT64_C(1) << i % 64; }
static inline void bit_clear(uint64_t *s, uint32_t i) { s[i / 64] &= ~(UINT64_C(1) << i % 64); }

#endif
