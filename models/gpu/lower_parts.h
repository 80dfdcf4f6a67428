/* lower_parts.h - what the files of the GPU's lowering share; nobody else includes it.
 *
 *     lower.c          the way through; groups
 *     lower_fuse.c     what joins the product before it
 *     lower_place.c    types and addresses of tensors; copies of other types
 *     lower_launch.c   kernels, launches and their parameters
 *     lower_product.c  products of matrices
 *     lower_ops.c      everything else but
 *     lower_update.c   optimizers
 */
#ifndef MODELS_GPU_LOWER_PARTS_H
#define MODELS_GPU_LOWER_PARTS_H

#include "models/gpu/choose.h"
#include "models/gpu/lower.h"

/* Of one tensor of the trace. */
struct lower_tensor {
    bool     inside;            /* made and used within a group, never in memory */
    uint32_t same;              /* the tensor at whose address it lies (a reshape), or itself */
    uint64_t copies[TRACE_TYPES_COUNT];     /* addresses of copies in other types; 0: none */
    bool     fresh[TRACE_TYPES_COUNT];      /* the copy holds what the tensor does */
};

/* Where a launch's parameter must get the address of the workspace, which is known last. */
struct lower_fixup { uint32_t launch, offset; uint64_t at; };

struct lower {
    const struct gpu_config *config;
    const struct trace      *trace;
    struct gpu_lower_options options;
    struct gpu_plan         *plan;
    struct lower_tensor     *tensors;
    struct diag             *diag;
    double                   memory_bytes_per_s, memory_ns, port_bytes;
    uint64_t                 memory_bytes;      /* there are */
    uint64_t                 needed_bytes;      /* so far */
    uint64_t                 workspace_bytes;   /* the most that a group asks for */
    struct lower_fixup      *fixups;
    uint32_t                 fixup_count, fixup_room, launch_room, group_room;
    struct diag              unfit;             /* why a kernel of the product cannot be */
    const struct trace_op   *op;                /* that is being lowered, for messages */
};

/* ---- lower.c ---- */

/* Refuses the current op, in words that begin with its name; returns false. */
bool lower_refuse(const struct lower *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A group without ops, or NULL: too many. */
struct gpu_group *lower_group(struct lower *l, enum trace_phase phase, const char *name);
/* A note for the reader, said once. */
void lower_note(struct lower *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- lower_fuse.c ---- */

/* What follows the sum of a product, in the same kernel. */
struct lower_tail {
    uint32_t result;            /* tensor that is stored */
    uint32_t bias, mask;        /* tensors, or TRACE_NONE */
    bool relu;
    uint32_t ops;               /* how many ops it takes with it, beside the product */
};
/* The product is op number `product`; only ops that follow it at once are taken. */
struct lower_tail gpu_lower_fuse(const struct lower *l, uint32_t product);

/* ---- lower_place.c ---- */

bool             gpu_lower_place(struct lower *l);
enum gpu_element lower_element(const struct lower *l, uint32_t tensor);
/* 4 bits an operand, lowest first. */
uint32_t         lower_types(const struct lower *l, const uint32_t *tensors, uint32_t count);
uint64_t         lower_address(const struct lower *l, uint32_t tensor);
/* A new buffer; 0 with the reason in the diag: it does not fit. */
uint64_t         lower_buffer(struct lower *l, const char *name, uint64_t bytes);
/* The address of a tensor's values in another type, which a group of its own makes if need
 * be; 0 on failure. */
uint64_t         lower_copy(struct lower *l, uint32_t tensor, enum trace_type type,
                            enum trace_phase phase);
/* The tensor's copies are no longer what it is. */
void             lower_changed(struct lower *l, uint32_t tensor);

/* ---- lower_launch.c ---- */

/* `number`: of an optimizer (lower_update.c's), if it changes from step to step; 0: it is fixed. */
struct lower_argument { uint8_t bytes; bool workspace; uint8_t number; uint64_t bits; };

uint64_t lower_float_bits(double value);
void     lower_put_number(uint8_t *at, uint64_t value, uint32_t bytes);
#define ADDRESS(x)   ((struct lower_argument){ 8, false, 0, (x) })
#define WORKSPACE(x) ((struct lower_argument){ 8, true,  0, (x) })     /* so many bytes into it */
#define LONG(x)      ((struct lower_argument){ 8, false, 0, (x) })
#define WORD(x)      ((struct lower_argument){ 4, false, 0, (x) })
#define REAL(x)      ((struct lower_argument){ 4, false, 0, lower_float_bits(x) })

struct lower_grid { uint64_t x, y, z; };

/* A launch for the last group, of the kernel of that name; false with the reason in the diag:
 * the grid is too large.  `arguments` are all of the kernel's, in order. */
bool lower_launch(struct lower *l, const char *kernel, struct lower_grid grid,
                  uint32_t threads, uint32_t shared_bytes,
                  const struct lower_argument *arguments, uint32_t count);
#define LAUNCH(l, kernel, grid, threads, shared, ...) \
    lower_launch(l, kernel, grid, threads, shared, (struct lower_argument[]){ __VA_ARGS__ }, \
                 sizeof (struct lower_argument[]){ __VA_ARGS__ } / sizeof(struct lower_argument))
/* How many blocks of a product's kernel an SM holds (self: a struct lower); compiles it. */
uint32_t lower_resident(void *self, const struct gpu_gemm_kernel *kernel);
/* Drops kernels that were compiled and not launched. */
void     lower_drop_kernels(struct lower *l);
/* Room that the launches of the last group may use, all of them from its start. */
void lower_workspace(struct lower *l, uint64_t bytes);
bool lower_finish_workspace(struct lower *l);

/* The kernel `base` for operands of these types: base_f32 where all are f32, ... , base_any. */
const struct gpu_simple_kernel *lower_simple(const struct lower *l, const char *base,
                                             const uint32_t *tensors, uint32_t count);
uint64_t lower_ceil(uint64_t n, uint64_t by);

/* ---- the ops: launches for the last group ---- */

struct lower_product {
    struct lower_tail  tail;
    struct gpu_product product;
    uint64_t           a, b;        /* addresses of the operands, in the type multiplied */
};
/* Fills `product`, a and b; operands of another type are cast in groups of their own. */
bool lower_product_operands(struct lower *l, struct lower_product *x);
bool lower_product(struct lower *l, const struct lower_product *x);
bool lower_op(struct lower *l);
bool lower_update(struct lower *l);
/* y = a in another type; by address, for tensors and for their copies. */
bool lower_cast(struct lower *l, uint64_t y, enum gpu_element y_type, uint64_t a,
                enum gpu_element a_type, uint64_t elements);

#endif
