/* operands.h - the words and predicates of an instruction; private to expand*.c. */
#ifndef MODELS_GPU_COMPILE_OPERANDS_H
#define MODELS_GPU_COMPILE_OPERANDS_H

#include "models/gpu/compile/code.h"

#define LIST_WORDS 64

/* What an operation reads and writes, before it is one. */
struct list {
    uint32_t dst[LIST_WORDS], src[LIST_WORDS];
    uint32_t dsts, srcs;
    uint32_t pdst[2], psrc[3];      /* NONE */
    uint32_t pdsts, psrcs;
    uint8_t  nots;
};

void list_init(struct list *l);
void list_dst(struct list *l, uint32_t word);
void list_src(struct list *l, uint32_t word);

/* All operands but memory and labels, in order. */
void list_operands(struct code *c, const struct ptx_instruction *i, struct list *l);

/* The words of source operand k alone, appended to l->src. */
void list_source(struct code *c, const struct ptx_instruction *i, uint32_t k, struct list *l);

/* The address operand: its words appended to l->src, and where they are to `access`. */
bool list_address(struct code *c, const struct ptx_instruction *i, uint32_t k, struct list *l,
                  struct gpu_access *access);

uint32_t operand_words(enum ptx_type type);
enum ptx_type operand_type(const struct ptx_instruction *i, uint32_t k);
uint32_t operand_destinations(const struct ptx_instruction *i);
uint32_t code_word_of(struct code *c, uint32_t reg);    /* the first; of .pred its predicate */
uint32_t code_new_word(struct code *c);
uint32_t code_new_predicate(struct code *c);

#endif
