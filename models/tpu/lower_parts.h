/* lower_parts.h - what the files of the lowering share; nobody else includes it. */
#ifndef MODELS_TPU_LOWER_PARTS_H
#define MODELS_TPU_LOWER_PARTS_H

#include "models/tpu/lower.h"

/* How a tensor lies over the cores. */
enum lower_share {
    SHARE_WHOLE,                /* the same on every core */
    SHARE_ROWS,                 /* each core has some rows */
    SHARE_PARTIAL               /* each core has a summand */
};

struct lower_tensor {
    enum lower_share share;
    uint64_t rows, cols;        /* as a matrix; a batch of matrices stacked */
    uint64_t address;           /* the same on every core, but for `copies` */
    uint64_t bytes;             /* padded, on one core */
    bool     on_chip;           /* waits in vector memory, never in HBM */
    bool     used;              /* by some group from outside it */
    bool     summed;            /* was partial, until an all-reduce */
    uint32_t maker;             /* group that last writes it; UINT32_MAX: given */
    uint32_t summand_maker;     /* group that made what an all-reduce sums up */
    uint32_t first, last;       /* groups between which it must be kept */
};

struct lower {
    const struct tpu_config *config;
    const struct hbm_config *hbm;
    const struct trace      *trace;
    struct tpu_lower_options options;
    struct tpu_plan         *plan;
    struct lower_tensor     *tensors;
    bool                     shared;    /* all cores reach all of HBM */
    uint64_t                 batch;     /* rows that are shared over cores */
    double                   steps;     /* emitted so far, all cores together */
    struct diag             *diag;
};

/* The rows of core `core` of `rows` in all: ceil shares, the last fewer or none. */
uint64_t lower_share_rows(const struct lower *l, uint64_t rows, uint32_t core);
/* Rows of a tensor on a core. */
uint64_t lower_rows(const struct lower *l, uint32_t tensor, uint32_t core);

uint64_t lower_round(uint64_t n, uint64_t multiple);
/* Columns padded to the lanes of a register. */
uint64_t lower_pad_cols(const struct lower *l, uint64_t cols);
uint64_t lower_padded_bytes(const struct lower *l, uint32_t tensor, uint64_t rows);

/* Whether a tensor is one row of factors, one for each column. */
bool lower_is_vector(const struct lower *l, uint32_t tensor);

/* fuse.c.  Finds the groups (and the all-reduces between them) and the sharing of every
 * tensor; false: an op that cannot be shared over cores. */
bool lower_fuse(struct lower *l);

/* place.c.  false: HBM is too small. */
bool lower_place(struct lower *l);

/* tile.c.  How a product goes through vector memory. */
struct lower_tiling {
    enum tpu_stays stays;
    uint32_t m, k, n;           /* of a step */
    uint64_t bytes;             /* of vector memory */
};
struct lower_shape {
    uint64_t m, k, n;
    uint32_t streamed_bytes, weight_bytes, result_bytes;    /* of an element in HBM */
    uint32_t panels;            /* results and extra operands of the epilogue */
};
bool lower_tile(const struct lower *l, const struct lower_shape *s, struct lower_tiling *t);

/* Emission, one group on one core. */
struct emit {
    struct lower       *lower;
    struct tpu_program *program;
    uint32_t            core, group;
    bool                began[TPU_UNITS_COUNT];     /* its first operation waited for the */
                                                    /* group before */
    uint32_t            semaphores[TPU_UNITS_COUNT];        /* of this group */
    uint32_t            raised[TPU_UNITS_COUNT];            /* so often, when all is done */
    uint64_t            vmem_bytes;
};

void emit_uop(struct emit *e, struct tpu_uop *u);       /* raises its unit's semaphore */
/* The group takes so much of vector memory, at least. */
void emit_takes(struct emit *e, uint64_t vmem_bytes);
/* Says in the plan how the group is cut; of core 0 only. */
void emit_cut(const struct emit *e, const struct tpu_cut *cut);
/* That so many tiles more are to come for a group; false: more than a program may have. */
#define LOWER_STEPS_MAX (1u << 21)      /* a few operations each: about 1 GB of them */
bool emit_steps(struct emit *e, double steps, const struct tpu_group *g);
/* Waits until `count` operations of `unit` of this group have ended. */
void emit_wait(const struct emit *e, struct tpu_uop *u, enum tpu_unit unit, uint32_t count);
/* The same for a buffer to be free: left out where overlap is ideal. */
void emit_wait_free(const struct emit *e, struct tpu_uop *u, enum tpu_unit unit,
                    uint32_t count);
/* Of two buffers, filled `each` at a time, the one before the last is free again. */
uint32_t emit_but_last(uint32_t raised, uint32_t each);
/* A part of a tensor on this core: rows and columns from where to where. */
struct lower_part { uint64_t row, rows, col, cols; };
struct tpu_work emit_work(uint32_t tensor, struct lower_part p);
/* Loads or stores it (nothing if it is on chip). */
void emit_move(struct emit *e, enum tpu_unit unit, uint32_t tensor, struct lower_part part,
               enum tpu_unit buffer, uint32_t free_count);

/* Vector instructions of `op` on one register of its elements. */
void lower_work(const struct lower *l, const struct trace_op *op, uint64_t registers,
                uint64_t rows, struct tpu_arithmetic *a);

bool emit_matmul(struct emit *e, const struct tpu_group *g);
bool emit_vector(struct emit *e, const struct tpu_group *g);
bool emit_turn(struct emit *e, const struct tpu_group *g);
/* Semaphores that other cores raise: the same numbers in every program. */
struct emit_remote { uint32_t arrived, summed, taken; };
bool emit_all_reduce(struct emit *e, const struct tpu_group *g, const struct emit_remote *r);

#endif
