/* trace.h - a training step as a list of ops on tensors, and nothing of machines.
 *
 * A trace describes one logical device that sees the whole batch; how rows are shared
 * over cores is the lowering's business.  Tensors come first, then ops in program order.
 * A tensor that holds a value when the step begins (weight, state, input, target,
 * constant) is `given`; the others are written by exactly one op before they are read.
 * Weights and state change only in place, by an optimizer.
 *
 * The same checks guard the reader and the builder, so a `struct trace` is always right.
 *
 * Not modelled: control flow, shapes unknown before the run, views that share memory.
 */
#ifndef TRACES_TRACE_H
#define TRACES_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "traces/diag.h"
#include "traces/ops.h"

#define TRACE_NAME      64              /* bytes of a name, with its end */
#define TRACE_RANK       6
#define TRACE_INS        6
#define TRACE_OUTS       4
#define TRACE_COUNT_MAX (1u << 20)      /* tensors, and ops */
#define TRACE_BYTES_MAX (1ull << 43)    /* of one tensor: 8 TiB */
#define TRACE_SUM_MAX   (1ull << 60)    /* FLOPs, and bytes moved, of the whole trace */
#define TRACE_NONE      UINT32_MAX      /* no op, no tensor */

/* Storage types. */
#define TRACE_TYPES(X) \
    X(F32, "f32", 4) X(BF16, "bf16", 2) X(F16, "f16", 2) X(I32, "i32", 4)

#define TRACE_ROLES(X) \
    /* id          name          given   what                                    */ \
    X(WEIGHT,     "weight",     true,  "trained; changed only in place")            \
    X(GRADIENT,   "gradient",   false, "of a weight; summed over the batch")        \
    X(STATE,      "state",      true,  "an optimizer's; changed only in place")     \
    X(ACTIVATION, "activation", false, "made in the step, kept until last used")    \
    X(DELTA,      "delta",      false, "gradient of an activation")                 \
    X(INPUT,      "input",      true,  "the batch")                                 \
    X(TARGET,     "target",     true,  "what should come out of it")                \
    X(CONSTANT,   "constant",   true,  "never changes")                             \
    X(OUTPUT,     "output",     false, "a result, read by the host: not dead")

#define TRACE_PHASES(X) \
    X(FORWARD,     "forward",     "from the input to the last activation")  \
    X(LOSS,        "loss",        "the loss and its gradient")              \
    X(BACKWARD,    "backward",    "gradients of weights and activations")   \
    X(UPDATE,      "update",      "the optimizer")                          \
    X(COMMUNICATE, "communicate", "sums over replicas")

enum trace_type {
#define TYPE(id, ...) TRACE_##id,
    TRACE_TYPES(TYPE)
#undef TYPE
    TRACE_TYPES_COUNT
};

enum trace_role {
#define ROLE(id, ...) ROLE_##id,
    TRACE_ROLES(ROLE)
#undef ROLE
    TRACE_ROLES_COUNT
};

enum trace_phase {
#define PHASE(id, ...) PHASE_##id,
    TRACE_PHASES(PHASE)
#undef PHASE
    TRACE_PHASES_COUNT
};

struct trace_tensor {
    char            name[TRACE_NAME];
    enum trace_role role;
    enum trace_type type;
    uint32_t        rank;                   /* 1 to TRACE_RANK */
    uint64_t        shape[TRACE_RANK];      /* row-major, the last one fastest */
    uint32_t        line;                   /* in its file; 0: made by a program */
    uint32_t        writer;                 /* first op that writes it; TRACE_NONE: none */
    uint32_t        last_use;               /* last op that reads or writes it */
    uint32_t        reads;                  /* ops that read it */
};

struct trace_op {
    enum trace_op_kind kind;
    enum trace_phase   phase;
    uint32_t           out[TRACE_OUTS], in[TRACE_INS];  /* tensors, by number */
    uint32_t           outs, ins;
    bool               transpose_a, transpose_b;        /* matmul: as if transposed before */
    enum trace_type    compute;                         /* matmul: what is multiplied */
    unsigned           given;                           /* bit ATTR_x: attr[ATTR_x] is set */
    double             attr[OP_ATTRIBUTES_COUNT];
    uint32_t           line;                            /* in its file; 0: none */
};

struct trace {
    char                 name[TRACE_NAME];
    uint64_t             batch, samples, epochs;    /* 0: not said */
    struct trace_tensor *tensors;
    struct trace_op     *ops;
    uint32_t             tensor_count, op_count;
    uint64_t             flops, bytes;              /* op_flops, op_bytes of all ops */
    uint32_t             tensor_room, op_room, *index, index_size;  /* trace.c's own */
};

extern const char *const trace_type_names[TRACE_TYPES_COUNT];
extern const char *const trace_role_names[TRACE_ROLES_COUNT];
extern const char *const trace_phase_names[TRACE_PHASES_COUNT];

/* Building.  `name` is cut to fit. */
struct trace *trace_new(const char *name);
void          trace_free(struct trace *t);

/* Adds a copy; name, role, type, rank, shape and line are read.  Returns its number, or
 * TRACE_NONE with the reason in `d`.  The columns of the words of the line (name, role,
 * type, shape) go into the reason; NULL where there is no text. */
uint32_t trace_add_tensor(struct trace *t, const struct trace_tensor *tensor,
                          const unsigned *columns, struct diag *d);

/* The same for the common case: no file, and a shape that is known to be right. */
uint32_t trace_tensor(struct trace *t, const char *name, enum trace_role role,
                      enum trace_type type, uint32_t rank, const uint64_t *shape);

/* Adds a copy of the op after all checks; false with the reason in `d`.  columns[0] is
 * the op's, then those of outputs and inputs; NULL where there is no text. */
bool trace_add_op(struct trace *t, const struct trace_op *op, const unsigned *columns,
                  struct diag *d);

/* The tensor of that name, or TRACE_NONE. */
uint32_t trace_find(const struct trace *t, const char *name);

/* Reading.  On failure NULL, and `d` says what, where, and what was expected.
 * trace_load takes a file, plain or gzipped, or "-" for standard input; its first line
 * tells a trace from a network, which is expanded (traces/net.h; `options` may be NULL). */
struct net_options;
struct trace *trace_read_memory(const char *text, size_t size, struct diag *d);
struct trace *trace_load(const char *path, const struct net_options *options, struct diag *d);

/* Writing: reads back as the same trace, byte for byte when written again. */
void trace_write(const struct trace *t, FILE *out);

/* Figures. */
unsigned trace_type_bytes(enum trace_type type);
bool     trace_role_given(enum trace_role role);
uint64_t trace_elements(const struct trace_tensor *tensor);
uint64_t trace_bytes(const struct trace_tensor *tensor);
uint64_t trace_rows(const struct trace_tensor *tensor);     /* elements / last dimension */
/* "256x784" */
void     trace_shape_text(uint32_t rank, const uint64_t *shape, char *text, size_t size);

/* A tensor that nothing reads, though it is no result of the trace. */
bool trace_dead(const struct trace *t, uint32_t tensor);

#endif
