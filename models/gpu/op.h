/* op.h - a machine operation: what one warp issues in one go.
 *
 * PTX becomes a list of these when a kernel is compiled for a chip (compile.h).  Where one
 * PTX instruction takes several machine operations (a 64-bit add, a division), the last of
 * them computes the whole result and those before it only take time: a chain through
 * temporary registers that a scoreboard sees and `execute` does not.  So an SM knows one kind
 * of thing only, and values are exact without every step of a vendor's sequence.
 *
 * Registers are 32 bits wide; a 64-bit value is two of them, low word first, f16x2 is one.
 * Operands are a list of numbers in the kernel's `operands`: first destinations, then
 * sources, word by word.  A number below GPU_CONSTANT is a register, any other is a word
 * of the kernel's constants.
 *
 * Not modelled: what the steps of a sequence compute; operands that are a constant bank's or a
 * uniform register's (a constant costs no read); operations that two schedulers share.
 */
#ifndef MODELS_GPU_OP_H
#define MODELS_GPU_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "models/gpu/config.h"

#define GPU_LANES         32
#define GPU_CONSTANT     0x8000     /* operand numbers from here on are constants */
#define GPU_PREDICATES   64
#define GPU_NO_PREDICATE 0xff
#define GPU_NO_OP        UINT32_MAX

struct gpu_warp;
struct gpu_op;

/* Computes an operation for the lanes of `mask`, from and to the registers of `w`. */
typedef void (*gpu_execute_fn)(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask);

/* What an SM must do about an operation, beyond issuing it to its pipe. */
#define GPU_KINDS(X) \
    X(COMPUTE,   "result after the pipe's latency") \
    X(LOAD,      "ld: result when the memory answers") \
    X(STORE,     "st") \
    X(ATOMIC,    "atom and red") \
    X(MATRIX,    "ldmatrix: eight rows of 16 bytes a matrix from shared memory") \
    X(COPY,      "cp.async: global to shared memory, past the registers") \
    X(COMMIT,    "cp.async.commit_group") \
    X(WAIT,      "cp.async.wait_group: until at most `number` groups are under way") \
    X(SHUFFLE,   "shfl: through the load-store unit") \
    X(BRANCH,    "bra") \
    X(BARRIER,   "bar.sync, bar.arrive: barrier `number` of the block") \
    X(FENCE,     "membar: until earlier stores are done") \
    X(SLEEP,     "nanosleep: the warp does nothing for a while") \
    X(EXIT,      "exit: the lanes end") \
    X(TRAP,      "trap: the run fails")

enum gpu_kind {
#define KIND(name, what) GPU_##name,
    GPU_KINDS(KIND)
#undef KIND
    GPU_KINDS_COUNT
};

enum gpu_space {
    GPU_SPACE_GENERIC, GPU_SPACE_GLOBAL, GPU_SPACE_SHARED, GPU_SPACE_LOCAL, GPU_SPACE_CONST,
    GPU_SPACE_PARAM
};

/* Cache hints, as PTX has them. */
enum gpu_cache { GPU_CACHE_ALL, GPU_CACHE_GLOBAL, GPU_CACHE_STREAM, GPU_CACHE_VOLATILE };

/* A memory operation: every lane moves `bytes` at its address, which is the value of the
 * address operand plus `offset`. */
struct gpu_access {
    int32_t offset;         /* of a SLEEP: how many ns */
    uint8_t space;          /* enum gpu_space */
    uint8_t cache;          /* enum gpu_cache */
    uint8_t bytes;          /* of a lane in all: 1 to 16 */
    uint8_t element_bytes;  /* 1, 2, 4 or 8: `bytes` is 1, 2 or 4 of them */
    uint8_t is_signed;      /* a loaded element narrower than 4 bytes is sign-extended */
    uint8_t address_words;  /* 2: a 64-bit address; 1: 32 bits; 0: `offset` alone */
    uint8_t address_at;     /* where it begins among the sources */
    uint8_t data_at;        /* where a store's or atomic's data begin among the sources */
};

#define GPU_OP_CONTROL  0x01    /* its result can reach an address, a branch or the guard of a
                                 * memory operation: executed even when values are not wanted */
#define GPU_OP_UNIFORM  0x02    /* a branch that all lanes of a warp take together */
#define GPU_OP_RETURNS  0x04    /* an atomic whose old value is wanted */
#define GPU_OP_PART     0x08    /* takes time only: part of a sequence, `execute` is NULL */
#define GPU_OP_ARRIVE   0x10    /* a barrier that does not wait */
#define GPU_OP_ALL_LANES 0x20   /* its guard is data: all active lanes count as at work */

struct gpu_op {
    gpu_execute_fn execute;         /* NULL: nothing to compute (PART, control, global data) */
    uint32_t operands;              /* where its list begins in the kernel's */
    uint32_t target, reconverge;    /* of a branch: ops of the kernel; GPU_NO_OP: at the exit */
    uint32_t line;                  /* of the PTX */
    uint16_t interval;              /* sixteenths of a cycle of its pipe */
    uint16_t latency;               /* cycles; 0: it depends (memory, barriers) */
    uint8_t  kind, pipe;            /* enum gpu_kind; enum gpu_pipe that it takes: never IMAD, */
                                    /* but the one that multiplies integers on this chip */
    uint8_t  flags;                 /* GPU_OP_... */
    uint8_t  dsts, srcs;            /* words in its list */
    uint8_t  guard;                 /* predicate, or GPU_NO_PREDICATE */
    uint8_t  pdst[2], psrc[3];      /* predicates written and read, or GPU_NO_PREDICATE */
    uint8_t  nots;                  /* bit i: psrc[i] is negated; bit 7: the guard is */
    uint8_t  bank_cycles;           /* reads of the busiest register bank */
    uint8_t  number;                /* of a barrier, of cp.async groups, of matrices (1, 2, 4) */
    uint8_t  mode[4];               /* `execute`'s own: rounding, comparison, layout */
    uint32_t macs;                  /* multiply-accumulates of a warp in a tensor operation */
    uint32_t event;                 /* what a lane's work is priced as: events.h; */
                                    /* GPU_EVENTS_COUNT: nothing but its issue and operands */
    uint32_t flops;                 /* of a lane: 1, 2 for a fused one, twice that if packed */
    struct gpu_access access;       /* LOAD, STORE, ATOMIC, MATRIX, COPY, SLEEP */
};

#define GPU_GUARD_NOT 0x80

#endif
