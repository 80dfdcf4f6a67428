/* inline.h - what inlining and the placing of variables share; private to them. */
#ifndef MODELS_GPU_COMPILE_INLINE_H
#define MODELS_GPU_COMPILE_INLINE_H

#include "models/gpu/compile/code.h"

/* Where a variable lies.  While inlining, an operand's variable number is one of these. */
struct place {
    const struct ptx_variable *of;
    uint8_t  space;                 /* enum ptx_space */
    bool     is_dynamic;            /* shared memory above all static variables */
    bool     is_argument;           /* of a call: registers, or local memory */
    bool     in_memory;             /* an argument that cannot be in registers */
    uint64_t address;
    struct argument_word *words;    /* an argument in registers: those that are used */
};

struct inlined {
    struct code  *code;
    struct place *places;
    uint32_t      place_count, place_room;
    uint64_t      shared_bytes, local_bytes;
};

struct ptx_instruction *body_add(struct code *c, const struct ptx_instruction *i);
uint32_t body_register(struct code *c, enum ptx_type type);

void inline_arguments(struct inlined *n);       /* arguments of calls to registers */
void inline_addresses(struct inlined *n);       /* variables to their addresses */

#endif
