/* kernel_args.h - what a kernel is called with, as a user writes it.
 *
 *     f32:2.0,buf:x=16384:random,buf:y=4096xf32:file=in.bin,buf:z=y,bytes:00ff10
 *
 *     TYPE:VALUE               a number: u8 s8 b8 ... u64 s64 b64 f16 bf16 f32 f64
 *     bytes:HEX                a parameter of several bytes (a struct), low address first
 *     buf:NAME=SIZE[:FILL]     global memory; the parameter is its address
 *     buf:NAME=OTHER           the same memory as one before
 *       SIZE  bytes (16384), or elements of a type (4096xf32)
 *       FILL  zero (the default), random, random=TYPE, file=PATH
 *
 * Random floats are even in [-1, 1), integers have random bits; the type is that of SIZE, else
 * f32.  A file must have as many bytes as the buffer.  Arguments are in the order of the
 * kernel's parameters, and checked against them: how many, how large, float or integer.
 * Blanks around ',', ':' and the '=' of a NAME mean nothing, so a PATH cannot end with one.
 *
 * Not modelled: commas in paths; textures.
 */
#ifndef SIM_KERNEL_ARGS_H
#define SIM_KERNEL_ARGS_H

#include "models/gpu/kernel.h"
#include "models/gpu/memory.h"
#include "traces/diag.h"

#define KERNEL_ARGS_MOST  128
#define KERNEL_ARG_NAME    32
#define KERNEL_ARG_BYTES  256

enum kernel_arg_kind { KERNEL_ARG_NUMBER, KERNEL_ARG_BYTES_GIVEN, KERNEL_ARG_BUFFER };
enum kernel_arg_fill { KERNEL_ARG_ZERO, KERNEL_ARG_RANDOM, KERNEL_ARG_FILE };

struct kernel_arg {
    enum kernel_arg_kind kind;
    enum kernel_arg_fill fill;          /* of a buffer */
    enum gpu_scalar      type;          /* of a number, of a buffer's random elements */
    uint8_t  bytes[KERNEL_ARG_BYTES];   /* of a number, or those given */
    uint32_t size;                      /* of these */
    char     name[KERNEL_ARG_NAME];     /* of a buffer */
    uint64_t buffer_bytes;
    uint32_t same_as;                   /* the argument that has its memory: itself, or before */
    char    *path;                      /* of a file */
    unsigned column;                    /* in the text */
};

struct kernel_args {
    uint32_t count;
    struct kernel_arg arg[KERNEL_ARGS_MOST];
};

/* Adds what the text says to what is there.  The caller frees, also after a failure. */
bool kernel_args_parse(struct kernel_args *a, const char *text, struct diag *d);
void kernel_args_free(struct kernel_args *a);

bool kernel_args_check(const struct kernel_args *a, const struct gpu_kernel *k, struct diag *d);

/* The buffer's argument; UINT32_MAX with the nearest name in `d`. */
uint32_t kernel_args_buffer(const struct kernel_args *a, const char *name, struct diag *d);

/* Makes the buffers in `m`, fills them if it has bytes, and writes the parameters (zeroed,
 * kernel->param_bytes).  `addresses` [count] gets where each buffer is, 0 for others. */
bool kernel_args_place(const struct kernel_args *a, const struct gpu_kernel *k, uint64_t seed,
                       struct gpu_memory *m, uint8_t *params, uint64_t *addresses,
                       struct diag *d);

#endif
