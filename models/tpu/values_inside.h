/* values_inside.h - what the files of the values share; nobody else includes it.
 *
 * Tensors are f32 in the host's memory, each number one that the tensor's type has.  Ops of
 * a group go over a block of elements one after the other, so that what they hand on stays
 * in the host's caches; it is a slot: f32, not rounded, as in the machine's registers.
 */
#ifndef MODELS_TPU_VALUES_INSIDE_H
#define MODELS_TPU_VALUES_INSIDE_H

#include "models/tpu/values.h"
#include "models/zeroed.h"

#define VALUES_BLOCK   4096             /* elements, or one row if that is longer */
#define VALUES_STRIP     16             /* columns of weights that are multiplied together */
#define VALUES_PARTS      3             /* bf16 that make an f32 */
#define VALUES_NUMBERS    8

struct values_tensor {
    uint64_t elements;
    float   *at;                /* NULL: lives inside a group, or holds classes */
    float   *summands;          /* [cores][elements], where cores have summands */
    int32_t *classes;           /* i32 */
};

/* What of an operand belongs to a block. */
enum values_how {
    VALUES_ELEMENTS,            /* the same elements */
    VALUES_COLUMNS,             /* a number for each column */
    VALUES_ROWS,                /* a number for each row */
    VALUES_SUMS                 /* nothing: it is made at the end of the group */
};

struct values_operand {
    uint32_t        tensor;
    enum values_how how;
    float          *slot;       /* where the group has it; NULL: at home */
    bool            panel;      /* the result of the group's products */
};

struct values_op {
    const struct trace_op *op;
    struct values_operand  in[TRACE_INS], out[TRACE_OUTS];
    uint64_t rows, n, elements;             /* of the first input, on all cores */
    float    number[VALUES_NUMBERS];        /* attributes and constants of its formula */
    float   *sums;                          /* registers in which it sums up; NULL: it does not */
    uint64_t sums_count;
};

struct values_group {
    struct values_op *ops;
    uint32_t          op_count;
    bool              once;     /* every core does the same on the same: done for all */
    bool              epilogue; /* the vector unit ends what the matrix units make */
};

/* A product's operands as it multiplies them, and its result. */
struct values_product {
    float *streamed[VALUES_PARTS];          /* [m][k] */
    float *weights[VALUES_PARTS];           /* [strip][k][VALUES_STRIP] */
    float *scratch;                         /* of either, before it is rounded */
    float *result;                          /* [m][n]: the panel, as the arrays make it */
    float *turned;                          /* [n][m] */
    float *panel;                           /* of these two, what is stored */
};

struct values_exact;
struct values_registers;

struct tpu_values {
    const struct tpu_config *config;
    const struct hbm_config *hbm;
    const struct trace      *trace;
    const struct tpu_plan   *plan;
    struct values_tensor    *tensors;
    struct values_group     *groups;
    struct values_op        *ops;           /* of all groups */
    uint32_t                *begins;        /* [cores][groups + 1]: a group's operations */
    float                   *slots, *sums, *terms, *lanes;  /* room for what the name says */
    struct values_product    product;
    struct values_exact     *exact;         /* NULL: a tile at a time */
    struct values_registers *registers;     /* what was in operand registers; NULL: not counted */
    uint8_t                 *image;         /* of a transfer */
    uint64_t                 image_bytes;
    uint32_t                 group, core;   /* under way */
    uint64_t                 before;
};

/* Some elements of an op, that lie behind each other in every operand. */
struct values_run {
    const struct tpu_values *values;
    const struct values_op  *op;
    const float   *in[TRACE_INS];
    const int32_t *classes;
    float         *out[TRACE_OUTS];
    uint64_t       n;
    uint64_t       row, col;    /* where in its tile it begins */
    uint64_t       column;      /* and where in its tensor */
    bool           dense;       /* a row vector, or a column: it lies along lanes and sublanes, */
                                /* and `col` is the element of the tile */
};

typedef void values_function(const struct values_run *r);

/* By kind of op; NULL: not of that class. */
extern values_function *const values_elements[TRACE_OPS_COUNT];    /* any number of elements */
extern values_function *const values_updates[TRACE_OPS_COUNT];     /* the same, optimizers */
extern values_function *const values_rows[TRACE_OPS_COUNT];        /* a row */
extern values_function *const values_sums[TRACE_OPS_COUNT];        /* a row, or some of one */

/* Its running sums are summed up: `out` are the results. */
void values_sum_up(const struct tpu_values *v, const struct values_op *x, float *const *out);

/* Fills in x->number, for the step after `before` steps. */
void values_numbers(struct values_op *x, uint64_t before);

/* f32 to the numbers that a type has. */
void values_round(float *to, const float *from, uint64_t n, enum trace_type type);

/* The sum of `count` rows of `width` numbers, in the first: halves are added until one is
 * left, as registers are rotated and added. */
void values_fold(float *x, uint64_t count, uint64_t width);

/* Where a tensor's rows of this core begin, or the core's summand. */
float *values_place(const struct tpu_values *v, uint32_t tensor);
uint64_t values_first_row(const struct tpu_values *v, uint32_t tensor);

/* A tensor, or some rows of it, lies in HBM in pieces of eight rows by the lanes of a register,
 * row after row of them; a row vector and a column lie along the lanes.  From a place there
 * `places` follow each other, of which the first `elements` hold elements from `first` on; the
 * others are padding. */
struct values_line { uint64_t first, elements, places; };
struct values_line values_line(const struct tpu_values *v, uint64_t rows, uint64_t cols,
                               uint64_t place);

/* values_vector.c.  An operation of the vector unit, in the epilogue of a product or not. */
void values_vector(struct tpu_values *v, const struct tpu_uop *u);
/* A panel that the vector unit does not touch goes home. */
void values_keep_panel(struct tpu_values *v, const struct tpu_uop *u);

/* values_product.c.  An operation of the matrix units. */
void values_multiply(struct tpu_values *v, const struct tpu_uop *u, struct toggles *toggles);
void values_product_new(struct tpu_values *v);
void values_product_free(struct tpu_values *v);

/* The parts of streamed rows and weights that are multiplied, pass after pass. */
struct values_pass { uint8_t streamed, weights; };
const struct values_pass *values_passes(const struct tpu_product *p);

/* A tile of a product, as models/tpu/matrix.c deals them out. */
struct values_tile {
    uint64_t number;
    uint32_t row, rows, col, cols, k, deep;
    struct values_pass pass;
};
/* false: there are no more.  `t` begins as zero. */
bool values_next_tile(const struct tpu_config *c, const struct tpu_product *p,
                      struct values_tile *t);

/* Of a tile's operands: the weight of row `k` and column `col`; number `k` of streamed `row`. */
static inline float values_weight(const struct tpu_values *v, const struct tpu_product *p,
                                  const struct values_tile *t, uint32_t k, uint32_t col)
{
    uint64_t strip = (t->col + col) / VALUES_STRIP, place = (t->col + col) % VALUES_STRIP;
    return v->product.weights[t->pass.weights][(strip * p->k + t->k + k) * VALUES_STRIP + place];
}

static inline float values_streamed(const struct tpu_values *v, const struct tpu_product *p,
                                    const struct values_tile *t, uint32_t row, uint32_t k)
{
    return v->product.streamed[t->pass.streamed][(uint64_t)(t->row + row) * p->k + t->k + k];
}

/* values_exact.c.  The sums of a product's tiles by a register-exact array, added to the result. */
struct values_exact *values_exact_new(const struct tpu_values *v);
void                 values_exact_free(struct values_exact *x);
void                 values_exact_multiply(struct tpu_values *v, const struct tpu_product *p);

/* values_toggles.c. */
void values_toggles_matrix(struct tpu_values *v, const struct tpu_product *p,
                           struct toggles *toggles);
void values_toggles_move(struct tpu_values *v, const struct tpu_uop *u, struct toggles *toggles);
void values_toggles_free(struct tpu_values *v);

#endif
