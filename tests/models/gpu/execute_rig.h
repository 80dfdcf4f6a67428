/* execute_rig.h - one instruction of PTX, its operands as words, a warp to execute it.
 *
 *     struct execute_rig *r = execute_rig_new("add.sat.s32 %r0, %r1, %r2;");
 *     execute_rig_source(r, 0)[lane] = ...;          a word of the sources, in their order
 *     execute_rig_run(r, mask);                      asserts that other lanes are untouched
 *     ... execute_rig_dest(r, 0)[lane]; r->warp.predicates[0] ...
 *
 * Registers of the text: %h (16 bits), %r and %f (32), %rd and %fd (64), %p; operand words are
 * registers in their order, so that every operand has its own.  A predicate %pN is number N.
 */
#ifndef TESTS_MODELS_GPU_EXECUTE_RIG_H
#define TESTS_MODELS_GPU_EXECUTE_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/execute.h"
#include "models/gpu/warp.h"

struct execute_rig {
    struct ptx_module *module;
    const struct ptx_instruction *i;
    struct gpu_kernel kernel;
    struct gpu_launch launch;
    struct gpu_block block;
    struct gpu_warp warp;
    struct gpu_op op;
    uint16_t operands[64];
    uint32_t registers[64][GPU_LANES];
    uint32_t constants[64][GPU_LANES];
    uint32_t words;                     /* of the list so far */
};

static inline void execute_rig_word(struct execute_rig *r, bool is_dest)
{
    r->operands[r->words] = (uint16_t)r->words;
    r->words++;
    if (is_dest)
        r->op.dsts++;
    else
        r->op.srcs++;
}

static inline void execute_rig_constant(struct execute_rig *r, uint64_t bits, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        for (unsigned l = 0; l < GPU_LANES; l++)
            r->constants[r->words][l] = (uint32_t)(bits >> 32 * i);
        r->operands[r->words] = (uint16_t)(GPU_CONSTANT + r->words);
        r->words++;
        r->op.srcs++;
    }
}

/* A register's words, or its place among the predicates: its number in its name. */
static inline void execute_rig_register(struct execute_rig *r, uint32_t number, bool negated,
                                        bool is_dest, unsigned *pdst, unsigned *psrc)
{
    const struct ptx_register *g = &r->module->functions[0].registers[number];
    if (g->type == PTX_PRED) {
        if (is_dest)
            r->op.pdst[(*pdst)++] = (uint8_t)g->index;
        else {
            r->op.nots |= (uint8_t)(negated << *psrc);
            r->op.psrc[(*psrc)++] = (uint8_t)g->index;
        }
        return;
    }
    for (unsigned w = 0; w < (ptx_type_bytes(g->type) == 8 ? 2u : 1u); w++)
        execute_rig_word(r, is_dest);
}

static inline void execute_rig_operand(struct execute_rig *r, const struct ptx_operand *o,
                                       bool is_dest, unsigned *pdst, unsigned *psrc)
{
    bool wide = r->i->type[0] == PTX_B64 || ptx_type_bytes(r->i->type[0]) == 8;
    switch (o->kind) {
    case PTX_REGISTER:
        execute_rig_register(r, o->number, o->negated, is_dest, pdst, psrc);
        break;
    case PTX_IMMEDIATE: execute_rig_constant(r, o->bits, wide ? 2 : 1); break;
    case PTX_SPECIAL:   execute_rig_constant(r, o->number, 1); break;
    case PTX_MEMORY:
        if (o->base == PTX_REGISTER)
            execute_rig_register(r, o->number, false, false, pdst, psrc);
        break;
    case PTX_VECTOR_OF: case PTX_PAIR:
        for (uint32_t e = 0; e < o->count; e++)
            if (o->vector[e].kind == PTX_REGISTER)
                execute_rig_register(r, o->vector[e].number, o->vector[e].negated, is_dest,
                                     pdst, psrc);
            else if (is_dest)
                execute_rig_word(r, true);
        break;
    default: break;
    }
}

/* The instruction as it was read, before gpu_execute_find; NULL: the reader refuses it. */
static inline struct execute_rig *execute_rig_read(const char *instruction)
{
    char text[1024];
    struct diag d = { .text = "" };
    struct execute_rig *r = calloc(1, sizeof *r);
    snprintf(text, sizeof text, ".version 8.1\n.target sm_90\n.address_size 64\n"
             ".visible .entry k()\n{\n.reg .pred %%p<8>;\n.reg .b16 %%h<16>;\n"
             ".reg .b32 %%r<32>;\n.reg .f32 %%f<32>;\n.reg .b64 %%rd<16>;\n"
             ".reg .f64 %%fd<16>;\n%s\nret;\n}\n", instruction);
    r->module = ptx_read(text, strlen(text), "rig", &d);
    if (!r->module) {
        fprintf(stderr, "%s: %s\n", instruction, d.text);
        free(r);
        return NULL;
    }
    r->i = &r->module->functions[0].instructions[0];
    memset(r->op.pdst, GPU_NO_PREDICATE, sizeof r->op.pdst);
    memset(r->op.psrc, GPU_NO_PREDICATE, sizeof r->op.psrc);
    r->op.guard = GPU_NO_PREDICATE;
    unsigned pdst = 0, psrc = 0;
    bool no_dest = r->i->op == PTX_ST || r->i->op == PTX_RED;
    for (uint32_t o = 0; o < r->i->operands; o++)
        execute_rig_operand(r, &r->i->operand[o], o == 0 && !no_dest, &pdst, &psrc);
    r->kernel = (struct gpu_kernel){ .operands = r->operands, .constants = r->constants,
                                     .registers = 64, .ops = &r->op, .count = 1 };
    r->launch = (struct gpu_launch){ .kernel = &r->kernel, .grid = { 1, 1, 1 },
                                     .block = { 32, 1, 1 } };
    r->block = (struct gpu_block){ .launch = &r->launch };
    gpu_warp_start(&r->warp, &r->block, 0, r->registers);
    return r;
}

static inline void execute_rig_free(struct execute_rig *r)
{
    ptx_free(r->module);
    free(r);
}

static inline struct execute_rig *execute_rig_new(const char *instruction)
{
    struct execute_rig *r = execute_rig_read(instruction);
    ck_assert_msg(r != NULL, "%s: not read", instruction);
    ck_assert_msg(gpu_execute_find(r->i, &r->op), "%s: not found", instruction);
    return r;
}

static inline uint32_t *execute_rig_source(struct execute_rig *r, unsigned i)
{
    return r->registers[r->op.dsts + i];
}

static inline uint32_t *execute_rig_dest(struct execute_rig *r, unsigned i)
{
    return r->registers[i];
}

/* Executes it for the lanes of the mask; no other lane of any destination changes. */
static inline void execute_rig_run(struct execute_rig *r, uint32_t mask)
{
    uint32_t before[8][GPU_LANES], predicates[GPU_PREDICATES];
    memcpy(before, r->registers, sizeof before);
    memcpy(predicates, r->warp.predicates, sizeof predicates);
    r->op.execute(&r->warp, &r->op, mask);
    for (unsigned i = 0; i < r->op.dsts && i < 8; i++)
        for (unsigned l = 0; l < GPU_LANES; l++)
            if (!(mask >> l & 1))
                ck_assert_uint_eq(r->registers[i][l], before[i][l]);
    for (unsigned p = 0; p < GPU_PREDICATES; p++)
        ck_assert_uint_eq(r->warp.predicates[p] & ~mask, predicates[p] & ~mask);
}

/* Random words, among them the ones that are awkward. */
struct execute_random { uint64_t state; };

static inline uint64_t execute_random64(struct execute_random *x)
{
    x->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = x->state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint32_t execute_random_word(struct execute_random *x)
{
    static const uint32_t awkward[] = {
        0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0x80000001,
        0xffffffff, 0xfffffffe, 31, 32, 33, 64, 0x00010000,
        0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc00001,
        0x00800000, 0x007fffff, 0x807fffff, 0x7f7fffff, 0xff7fffff, 0x4f000000, 0xcf000000,
        0x4f800000, 0x3f000000, 0x34000000, 0x7c00, 0xfc00, 0x7e00, 0x0400, 0x03ff, 0x7bff, 0x3c00,
    };
    uint64_t z = execute_random64(x);
    if (z % 4 == 0)
        return awkward[(z >> 8) % (sizeof awkward / sizeof *awkward)];
    if (z % 4 == 1)                     /* floats of like size */
        return (uint32_t)(z >> 32 & 0x80ffffff) | (uint32_t)(120 + (z >> 8) % 16) << 23;
    return (uint32_t)(z >> 32);
}

#endif
