/* warp.h - the state of a warp and of its block, and what an operation does to it.
 *
 * Knows nothing of time: an SM calls it when an operation issues and when data arrive, the
 * plain interpreter (interpret.h) one operation after the other.
 *
 * A warp's lanes diverge at branches: a stack holds, for each part that waits, where it will
 * go on, for which lanes, and where it meets the others again (the branch's immediate
 * post-dominator).
 *
 * Not modelled: lanes that make progress by turns (sm_70 and later have a pc a thread): a
 * lane that spins until another lane of its warp does something may spin for ever.
 */
#ifndef MODELS_GPU_WARP_H
#define MODELS_GPU_WARP_H

#include "models/gpu/launch.h"

#define GPU_SPLITS 64               /* parts of a warp that can wait; more is a fault */

struct gpu_split { uint32_t pc, reconverge, mask; };

/* A block of threads on an SM. */
struct gpu_block {
    const struct gpu_launch *launch;
    uint64_t index;                 /* x + grid.x * (y + grid.y * z) */
    uint32_t at[3];                 /* ctaid */
    uint8_t *shared;                /* static, then dynamic; NULL when values are not wanted */
    uint32_t shared_bytes;
    uint32_t sm, sm_count;          /* %smid, %nsmid */
    uint64_t clock;                 /* %clock, set by who runs it before it issues */
    uint64_t ns;                    /* %globaltimer */
    uint64_t local_base;            /* of the local memory of its thread 0, word-interleaved: */
                                    /* see gpu_warp_addresses */
};

struct gpu_warp {
    const struct gpu_kernel *kernel;
    struct gpu_block *block;
    uint32_t (*registers)[GPU_LANES];   /* [kernel->registers], the caller's memory */
    uint32_t  pc;                   /* GPU_NO_OP: all lanes have ended */
    uint32_t  active;               /* lanes at pc */
    uint32_t  reconverge;           /* where these meet the next part of the stack */
    uint32_t  splits;
    uint32_t  ended;                /* lanes that are no longer, or never were */
    uint32_t  number;               /* in its block */
    bool      overflow;             /* more parts than GPU_SPLITS: a fault */
    bool      outside;              /* ld.param or ld.const past the end, or not aligned: a */
    uint8_t   outside_lane;         /* fault, of this lane, at this address */
    uint64_t  outside_at;
    uint32_t  predicates[GPU_PREDICATES];
    struct gpu_split split[GPU_SPLITS];
};

/* Sets it to its first operation.  Registers are zeroed.  `number` is below the block's warps;
 * lanes past the block's threads have ended from the start. */
void gpu_warp_start(struct gpu_warp *w, struct gpu_block *b, uint32_t number,
                    uint32_t (*registers)[GPU_LANES]);

static inline bool gpu_warp_done(const struct gpu_warp *w) { return w->pc == GPU_NO_OP; }

static inline const struct gpu_op *gpu_warp_op(const struct gpu_warp *w)
{
    return &w->kernel->ops[w->pc];
}

/* The active lanes for which the guard holds. */
static inline uint32_t gpu_warp_mask(const struct gpu_warp *w, const struct gpu_op *op)
{
    if (op->guard == GPU_NO_PREDICATE)
        return w->active;
    uint32_t p = w->predicates[op->guard];
    return w->active & (op->nots & GPU_GUARD_NOT ? ~p : p);
}

static inline const uint32_t *gpu_operand(const struct gpu_warp *w, uint16_t number)
{
    return number < GPU_CONSTANT ? w->registers[number]
                                 : w->kernel->constants[number - GPU_CONSTANT];
}

/* A branch taken by the lanes of `mask`, an exit of them. */
void gpu_warp_branch(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask);
void gpu_warp_exit(struct gpu_warp *w, uint32_t mask);

/* The active lanes have come to where they meet others: the next part of the stack goes on. */
void gpu_warp_meet(struct gpu_warp *w);

/* The operation at pc is done for the lanes of `mask`; the warp goes on: the next operation,
 * a branch's target, the other part of a split warp, the end.  Computes the result unless
 * the operation is a memory one; without `values` only that of CONTROL operations. */
static inline void gpu_warp_step(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                                 bool values)
{
    if ((values || op->flags & GPU_OP_CONTROL) && op->execute && mask)
        op->execute(w, op, mask);
    if (op->kind == GPU_BRANCH) {
        gpu_warp_branch(w, op, mask);
    } else if (op->kind == GPU_EXIT) {
        gpu_warp_exit(w, mask);
    } else if (++w->pc == w->reconverge) {
        gpu_warp_meet(w);
    }
}

/* The address of each lane of `mask`.  Generic addresses stay generic; of local memory the
 * address in global memory, where word i of all threads of a block lie side by side: so an
 * access to local space is of at most 4 bytes, and the compiler splits a wider one. */
void gpu_warp_addresses(const struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                        uint64_t address[GPU_LANES]);

/* Which memory a generic address means, and where it is there. */
#define GPU_SHARED_WINDOW UINT64_C(0x7f0000000000)      /* of generic addresses, 16 MiB */
#define GPU_LOCAL_WINDOW  UINT64_C(0x7e0000000000)      /* each thread's own, 16 MiB */
#define GPU_CONST_WINDOW  UINT64_C(0x7d0000000000)
#define GPU_PARAM_WINDOW  UINT64_C(0x7c0000000000)
#define GPU_WINDOW_BYTES  UINT64_C(0x1000000)
enum gpu_space gpu_address_space(uint64_t generic);

/* Where in global memory a byte of a lane's local memory is: for generic addresses, `offset`
 * is the address less GPU_LOCAL_WINDOW.  Only bytes of one piece (kernel.h) are neighbours.
 * Past the lane's own, an address in that window: no memory is there. */
uint64_t gpu_warp_local(const struct gpu_warp *w, unsigned lane, uint64_t offset);

/* cp.async of a lane: where in shared memory, and how many of access.bytes are read; the
 * others become zeros. */
uint32_t gpu_warp_copy_to(const struct gpu_warp *w, const struct gpu_op *op, unsigned lane,
                          uint32_t *read_bytes);

/* A barrier: the number of threads it waits for (0: all), the lanes that say true to a
 * bar.red, and its result from the count of all that said so and of all that came. */
uint32_t gpu_warp_barrier_threads(const struct gpu_warp *w, const struct gpu_op *op);
uint32_t gpu_warp_barrier_true(const struct gpu_warp *w, const struct gpu_op *op, uint32_t mask);
void     gpu_warp_barrier_result(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask,
                                 uint32_t said_true, uint32_t came);

/* The bytes that a lane stores (access.bytes of them), and what it makes of loaded ones. */
void gpu_warp_store_bytes(const struct gpu_warp *w, const struct gpu_op *op, unsigned lane,
                          uint8_t *bytes);
void gpu_warp_load_bytes(struct gpu_warp *w, const struct gpu_op *op, unsigned lane,
                         const uint8_t *bytes);

/* An atomic of one lane on the bytes at `at`; `old` (access.bytes) gets what was there.
 * Operands (up to two of 8 bytes) are taken from the warp beforehand. */
struct gpu_atomic { uint8_t operands[2][8]; uint8_t function, bytes; };     /* atomic.c's */
void gpu_warp_atomic(const struct gpu_warp *w, const struct gpu_op *op, unsigned lane,
                     struct gpu_atomic *a);
void gpu_atomic_apply(const struct gpu_atomic *a, uint8_t *at, uint8_t *old);

/* ldmatrix: `rows` are the 8 rows of 16 bytes of each matrix, matrix by matrix. */
void gpu_warp_load_matrix(struct gpu_warp *w, const struct gpu_op *op, const uint8_t *rows);

#endif
