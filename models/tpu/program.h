/* program.h - what a core executes: unit operations in queues that run decoupled.
 *
 *     load       HBM -> vector memory       store    vector memory -> HBM
 *     matrix     products of tiles          vector   arithmetic on registers
 *     transpose  tiles turned round         link     vector memory -> another core
 *
 * Each unit takes its operations in order, one when all that it waits for has happened.
 * They meet on counting semaphores: an operation raises one when it ends, and waits for
 * values of others.  A semaphore belongs to the unit that raises it, so a unit that waits
 * can say for whom.
 *
 * Operations belong to a group (a trace op, or several that were fused).  When all of a
 * group have ended, semaphore number GROUP is raised, op_cycles later: the sequencer has
 * gone on to the next op of the program.  Semaphore `groups` is raised once at the start.
 *
 * Not modelled: branches and loops; a program is as long as its run.
 *
 * Addresses of vector memory are not kept: the lowering planned it, and says how much.
 */
#ifndef MODELS_TPU_PROGRAM_H
#define MODELS_TPU_PROGRAM_H

#include <stdio.h>

#include "models/block.h"

/* name, what it is called, what a unit that waits for it is doing */
#define TPU_UNITS(X) \
    X(LOAD,      "load",      "waiting for a load") \
    X(STORE,     "store",     "waiting for a store") \
    X(MATRIX,    "matrix",    "waiting for the matrix units") \
    X(VECTOR,    "vector",    "waiting for the vector unit") \
    X(TRANSPOSE, "transpose", "waiting for the transpose units") \
    X(LINK,      "link",      "waiting for another core")

enum tpu_unit {
#define UNIT(id, name, wait) TPU_##id,
    TPU_UNITS(UNIT)
#undef UNIT
    TPU_UNITS_COUNT
};

#define TPU_WAITS 16
#define TPU_NO_SEMAPHORE UINT32_MAX

struct tpu_wait { uint32_t semaphore, value; };

/* `rows` pieces of `row_bytes`, each `stride` after the one before. */
struct tpu_transfer { uint64_t address, stride; uint32_t rows, row_bytes; };

/* [m][k] by [k][n], all in vector memory.  `passes` products of bf16 parts make one of f32. */
struct tpu_product {
    uint32_t m, k, n;
    uint32_t weight_rows;       /* rows that stream against one load of weights */
    uint8_t  passes;
    uint8_t  element_bytes;     /* of the streamed operand in vector memory */
    uint8_t  weight_bytes;      /* of the weights there: f32 is rounded as it is pushed */
    bool     accumulate;        /* onto the result of the operation before */
};

/* Registers of lanes x sublanes x 32 bit; `alu` and `eup` are instructions in all. */
struct tpu_arithmetic { uint64_t loads, stores, alu, eup, reductions; };

struct tpu_turn { uint32_t rows, cols, element_bytes; };

/* `bytes` to core `peer`, whose semaphore `remote` is raised when the last have arrived. */
struct tpu_send { uint32_t peer, remote; uint64_t bytes; };

/* What an operation works on, for who wants values; timing does not look at it.
 *
 *     LOAD, STORE  a part of `tensor` on this core; in an all-reduce `rows` bytes of it from
 *                  byte `row` on, of the summand of core `matrix` if it is a load
 *     MATRIX       a part of the result, as the arrays make it, of a `matrix` of the batch;
 *                  the chunk of k that begins at `depth`, and whether it is the first and
 *                  the last; `turned`: the operation makes b' a', not a b
 *     VECTOR       a part of what the group goes over, and whether it is the first and the
 *                  last of this core; in an all-reduce bytes as above, to which the summand
 *                  of core `matrix` is added
 *     TRANSPOSE    of a transpose op alone: a part of a `matrix` of the batch, as it was
 */
struct tpu_work {
    uint32_t tensor, matrix;
    uint64_t row, col, depth;
    uint32_t rows, cols;
    bool     turned, first, last;
};

struct tpu_uop {
    enum tpu_unit   unit;
    uint32_t        group;
    uint32_t        waits;
    struct tpu_wait wait[TPU_WAITS];
    uint32_t        signal;                 /* raised by 1 at the end */
    union {
        struct tpu_transfer   transfer;     /* LOAD, STORE */
        struct tpu_product    product;      /* MATRIX */
        struct tpu_arithmetic arithmetic;   /* VECTOR */
        struct tpu_turn       turn;         /* TRANSPOSE */
        struct tpu_send       send;         /* LINK */
    };
    struct tpu_work work;
};

struct tpu_program {
    struct tpu_uop *uops;
    uint32_t        count, room;
    uint32_t        groups;                 /* semaphores 0 .. groups are the groups' own */
    enum tpu_unit  *owners;                 /* of every semaphore: who raises it */
    uint32_t        semaphores, semaphore_room;
    uint32_t        peers;                  /* cores that must end a group together; 0: none */
    uint64_t        vmem_bytes;             /* the most that is planned at any time */
};

struct tpu_program *tpu_program_new(uint32_t groups);
void                tpu_program_free(struct tpu_program *p);

/* A new semaphore, at 0, raised by `owner`. */
uint32_t tpu_program_semaphore(struct tpu_program *p, enum tpu_unit owner);

/* Adds a copy. */
void tpu_program_add(struct tpu_program *p, const struct tpu_uop *u);

/* Adds a wait to `u` unless value is 0; at most TPU_WAITS. */
void tpu_uop_wait(struct tpu_uop *u, uint32_t semaphore, uint32_t value);

/* One line an operation; `names` of groups, or NULL. */
void tpu_program_print(const struct tpu_program *p, const char *const *names, FILE *out);

extern const char *const tpu_unit_names[TPU_UNITS_COUNT];

#endif
