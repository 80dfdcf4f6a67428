/* execute_inside.h - what the families of operations share: operands, lanes, tables.
 *
 * An operation is a loop over 32 lanes into an array of results, which is then stored where
 * the mask says.  The loops have no branches, so that the compiler makes vector code of them;
 * computing lanes that are not wanted is cheaper than asking.
 */
#ifndef MODELS_GPU_EXECUTE_INSIDE_H
#define MODELS_GPU_EXECUTE_INSIDE_H

/* gcc's -O2 leaves these loops scalar; nothing here depends on the order of anything, on
 * errno or on exception flags. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#endif

#include <string.h>

#include "models/gpu/execute.h"
#include "models/gpu/warp.h"
#include "models/numerics/bf16.h"
#include "models/numerics/exact.h"

/* Loops that the time goes into are compiled also for wider vectors, chosen when the program
 * starts.  The bits are the same.  FUSED has a fused multiply-add in one instruction. */
#if defined __x86_64__ && defined __GNUC__ && !defined __clang__
#define GPU_WIDE  __attribute__((target_clones("avx2", "default")))
#define GPU_FUSED __attribute__((target_clones("fma", "default")))
#else
#define GPU_WIDE
#define GPU_FUSED
#endif

#define GPU_INLINE static inline __attribute__((always_inline))
#define GPU_EACH_LANE(l) for (unsigned l = 0; l < GPU_LANES; l++)

/* Word `i` of an operation's sources and destinations. */
GPU_INLINE const uint32_t *gpu_source(const struct gpu_warp *w, const struct gpu_op *op,
                                      unsigned i)
{
    return gpu_operand(w, w->kernel->operands[op->operands + op->dsts + i]);
}

GPU_INLINE uint32_t *gpu_dest(const struct gpu_warp *w, const struct gpu_op *op, unsigned i)
{
    return w->registers[w->kernel->operands[op->operands + i]];
}

/* Results to word `i` of the destination, in the lanes of the mask. */
GPU_INLINE void gpu_put(const struct gpu_warp *w, const struct gpu_op *op, unsigned i,
                        uint32_t mask, const uint32_t result[GPU_LANES])
{
    uint32_t *to = gpu_dest(w, op, i);
    if (mask == UINT32_MAX) {
        memcpy(to, result, GPU_LANES * sizeof *to);
        return;
    }
    GPU_EACH_LANE(l) {
        uint32_t keep = (mask >> l & 1) - 1;        /* all bits, or none */
        to[l] = (to[l] & keep) | (result[l] & ~keep);
    }
}

GPU_INLINE void gpu_put_wide(const struct gpu_warp *w, const struct gpu_op *op, unsigned i,
                             uint32_t mask, const uint64_t result[GPU_LANES])
{
    uint32_t low[GPU_LANES], high[GPU_LANES];
    GPU_EACH_LANE(l) {
        low[l] = (uint32_t)result[l];
        high[l] = (uint32_t)(result[l] >> 32);
    }
    gpu_put(w, op, i, mask, low);
    gpu_put(w, op, i + 1, mask, high);
}

GPU_INLINE void gpu_put_predicate(struct gpu_warp *w, uint8_t number, uint32_t mask,
                                  uint32_t bits)
{
    if (number != GPU_NO_PREDICATE)
        w->predicates[number] = (w->predicates[number] & ~mask) | (bits & mask);
}

/* A predicate operand, negated if the text says so. */
GPU_INLINE uint32_t gpu_predicate(const struct gpu_warp *w, const struct gpu_op *op, unsigned i)
{
    uint32_t bits = w->predicates[op->psrc[i]];
    return op->nots >> i & 1 ? ~bits : bits;
}

/* A lane a bit. */
GPU_INLINE uint32_t gpu_gather_bits(const uint32_t truth[GPU_LANES])
{
    uint32_t bits = 0;
    GPU_EACH_LANE(l)
        bits |= (truth[l] & 1) << l;
    return bits;
}

/* Sources by their width in bits: an array of 32 or 64 bits a lane. */
#define GPU_TAKE_32(name, at) const uint32_t *name = gpu_source(w, op, at)
#define GPU_TAKE_64(name, at)                                                       \
    uint64_t name[GPU_LANES];                                                       \
    const uint32_t *name##_low = gpu_source(w, op, at);                             \
    const uint32_t *name##_high = gpu_source(w, op, (at) + 1);                      \
    GPU_EACH_LANE(l)                                                                \
        name[l] = name##_low[l] | (uint64_t)name##_high[l] << 32
#define GPU_PUT_32(i, result) gpu_put(w, op, i, mask, result)
#define GPU_PUT_64(i, result) gpu_put_wide(w, op, i, mask, result)

/* Functions of an operation's name by an expression of a, b and c: widths of the result and
 * of the sources in bits.  `mode` is op->mode. */
#define GPU_OP1(name, D, A, expression) GPU_OP1_AS(GPU_WIDE, name, D, A, expression)
#define GPU_OP2(name, D, A, B, expression) GPU_OP2_AS(GPU_WIDE, name, D, A, B, expression)
#define GPU_OP3(name, D, A, B, C, expression) GPU_OP3_AS(GPU_WIDE, name, D, A, B, C, expression)

#define GPU_OP_HEAD(how, name)                                                      \
    how static void name(struct gpu_warp *w, const struct gpu_op *op, uint32_t mask)

#define GPU_OP1_AS(how, name, D, A, expression)                                     \
    GPU_OP_HEAD(how, name)                                                          \
    {                                                                               \
        GPU_TAKE_##A(as, 0);                                                        \
        uint##D##_t result[GPU_LANES];                                              \
        GPU_EACH_LANE(l) {                                                          \
            uint##A##_t a = as[l];                                                  \
            result[l] = (uint##D##_t)(expression);                                  \
        }                                                                           \
        GPU_PUT_##D(0, result);                                                     \
    }

#define GPU_OP2_AS(how, name, D, A, B, expression)                                  \
    GPU_OP_HEAD(how, name)                                                          \
    {                                                                               \
        GPU_TAKE_##A(as, 0);                                                        \
        GPU_TAKE_##B(bs, A / 32);                                                   \
        uint##D##_t result[GPU_LANES];                                              \
        GPU_EACH_LANE(l) {                                                          \
            uint##A##_t a = as[l];                                                  \
            uint##B##_t b = bs[l];                                                  \
            result[l] = (uint##D##_t)(expression);                                  \
        }                                                                           \
        GPU_PUT_##D(0, result);                                                     \
    }

#define GPU_OP3_AS(how, name, D, A, B, C, expression)                               \
    GPU_OP_HEAD(how, name)                                                          \
    {                                                                               \
        GPU_TAKE_##A(as, 0);                                                        \
        GPU_TAKE_##B(bs, A / 32);                                                   \
        GPU_TAKE_##C(cs, (A + B) / 32);                                             \
        uint##D##_t result[GPU_LANES];                                              \
        GPU_EACH_LANE(l) {                                                          \
            uint##A##_t a = as[l];                                                  \
            uint##B##_t b = bs[l];                                                  \
            uint##C##_t c = cs[l];                                                  \
            result[l] = (uint##D##_t)(expression);                                  \
        }                                                                           \
        GPU_PUT_##D(0, result);                                                     \
    }

/* Floating point as bits.  One NaN for f32; FTZ makes a zero of what is below the smallest
 * normal number; SAT clamps to [0, 1], a NaN to 0. */
#define GPU_F32_NAN UINT32_C(0x7fffffff)
#define GPU_F16_NAN UINT16_C(0x7fff)            /* of bf16 too */

GPU_INLINE uint32_t gpu_f32(float x)
{
    return x == x ? f32_bits(x) : GPU_F32_NAN;
}

GPU_INLINE uint32_t gpu_flush(uint32_t bits)
{
    return bits & 0x7f800000 ? bits : bits & 0x80000000;
}

GPU_INLINE uint32_t gpu_saturate(uint32_t bits)
{
    float x = f32_from_bits(bits);
    x = x > 0 ? x : 0;          /* -0 and NaN too */
    return f32_bits(x < 1 ? x : 1);
}

GPU_INLINE double gpu_f64_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

GPU_INLINE uint64_t gpu_f64_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

extern const uint8_t gpu_type_bytes[PTX_TYPES_COUNT];

/* A floating-point rounding of the text; none is to nearest. */
enum exact_round gpu_rounding(uint8_t ptx_round);

/* A row of a family's table: the instruction and what it must say.  Types are those of the
 * first type of the text; `has` are modifiers that must be there, `may` those that need not. */
struct gpu_form {
    enum ptx_op op;
    uint32_t types;                 /* bit of enum ptx_type */
    uint64_t has, may;
    gpu_execute_fn execute;
};

#define GPU_T(id) (UINT32_C(1) << PTX_##id)
#define GPU_M(id) (UINT64_C(1) << PTX_M_##id)

/* The function of the first row that fits, or NULL. */
gpu_execute_fn gpu_form_find(const struct gpu_form *forms, size_t count,
                             const struct ptx_instruction *i);

/* Each family: fills op->execute and op->mode, or says false.  Called for the opcodes that
 * execute.c gives it. */
typedef bool (*gpu_family_fn)(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_integer(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_bits(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_logic(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_float(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_double(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_half(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_approx(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_compare(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_convert(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_move(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_lanes(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_memory(const struct ptx_instruction *i, struct gpu_op *op);
bool gpu_execute_tensor(const struct ptx_instruction *i, struct gpu_op *op);

/* mode[0] of an atomic; false: there is no such. */
bool gpu_atomic_find(const struct ptx_instruction *i, struct gpu_op *op);

/* The mode of a load or store: what tile of a matrix a wmma part moves (0: none), which
 * part it is, which half of a word (0: whole words; 1: low, 2: high). */
enum { GPU_MODE_TILE, GPU_MODE_PART, GPU_MODE_HALF };
void gpu_tile_addresses(const struct gpu_warp *w, const struct gpu_op *op,
                        uint64_t address[GPU_LANES]);

#endif
