/* emit.c - the kernel: numbers of registers, constants, operations in place of names. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile/emit.h"

struct emitting {
    struct code       *c;
    struct gpu_kernel *k;
    uint32_t          *begins;      /* of each block: its first operation */
    uint32_t          *number;      /* of each constant that is used: its own + 1 */
    const struct code_op *before;   /* what was emitted last in this block, for reuse */
};

static void *make(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        abort();
    return p;
}

static uint32_t register_of(const struct code *c, uint32_t word)
{
    assert(c->placed[word] < c->kernel_registers);
    return c->placed[word];
}

static bool is_same_register(const struct code *c, const struct code_op *o)
{
    uint32_t src = o->is_copy ? code_srcs(c, o)[0] : NONE;
    return o->is_copy && !is_constant(src)
        && register_of(c, src) == register_of(c, code_dsts(c, o)[0]);
}

/* Copies that the allocation made empty, and jumps to what follows anyway. */
static bool is_needless(const struct code *c, uint32_t b, const struct code_op *o)
{
    if (o->op.kind != GPU_BRANCH)
        return is_same_register(c, o);
    uint32_t next = b + 1;
    while (next < c->block_count && !c->blocks[next].count)
        next++;
    return o->guard == NONE && c->blocks[b].next[0] == next;
}

static bool emit_constant(struct emitting *e, uint32_t word, uint16_t *operand)
{
    uint32_t *number = &e->number[word & ~CONSTANT];
    if (!*number) {
        if (e->k->constant_count >= GPU_CONSTANT - 1)
            return false;
        uint32_t value = e->c->constants[word & ~CONSTANT];
        for (int lane = 0; lane < GPU_LANES; lane++)
            e->k->constants[e->k->constant_count][lane] = value;
        *number = ++e->k->constant_count;
    }
    *operand = (uint16_t)(GPU_CONSTANT + *number - 1);
    return true;
}

static bool emit_operands(struct emitting *e, const struct code_op *o, struct gpu_op *op)
{
    const uint32_t *words = e->c->words + o->words;
    op->operands = e->k->operand_count;
    for (uint32_t n = 0; n < (uint32_t)op->dsts + op->srcs; n++) {
        uint16_t *operand = &e->k->operands[e->k->operand_count++];
        if (!is_constant(words[n]))
            *operand = (uint16_t)register_of(e->c, words[n]);
        else if (!emit_constant(e, words[n], operand))
            return code_fail(e->c, o->from, "%s: more than %u constants", e->c->entry->name,
                             GPU_CONSTANT - 1);
    }
    return true;
}

static uint8_t predicate_of(const struct code *c, uint32_t predicate)
{
    return predicate == NONE ? GPU_NO_PREDICATE
                             : (uint8_t)c->placed[c->registers + predicate];
}

/* The first operation of a block, or of the first after it that is not empty. */
static uint32_t op_of_block(const struct emitting *e, uint32_t b)
{
    return b == NONE ? GPU_NO_OP : e->begins[b];
}

/* Reads of the busiest bank: of three operands, those that the operation before had in the
 * same place need none.  A tensor operation reads registers in pairs; loads and stores have
 * time on their way. */
static uint8_t bank_cycles(const struct emitting *e, const struct code_op *o)
{
    const struct code *c = e->c;
    const struct gpu_sm_config *sm = &c->config->sm;
    uint32_t reads[16] = { 0 }, most = 0, seen[3] = { NONE, NONE, NONE };
    bool is_tensor = o->op.pipe == GPU_PIPE_TENSOR;
    if (o->op.pipe == GPU_PIPE_LSU || o->op.pipe == GPU_PIPE_CONTROL)
        return 1;
    const uint32_t *src = code_srcs(c, o);
    for (uint32_t k = 0; k < o->op.srcs && (is_tensor || k < 3); k++) {
        if (is_constant(src[k]))
            continue;
        uint32_t number = register_of(c, src[k]);
        bool again = false;
        if (!is_tensor) {
            for (uint32_t n = 0; n < k; n++)
                again |= seen[n] == number;
            seen[k] = number;
            if (sm->reuse && e->before && k < e->before->op.srcs) {
                uint32_t was = code_srcs(c, e->before)[k];
                again |= !is_constant(was) && register_of(c, was) == number;
            }
        }
        reads[number % sm->register_banks] += !again;
    }
    for (uint32_t b = 0; b < sm->register_banks; b++)
        most = reads[b] > most ? reads[b] : most;
    uint32_t width = sm->bank_reads * (is_tensor ? 2 : 1);
    return most > width ? (uint8_t)((most + width - 1) / width) : 1;
}

/* Without values nobody knows which lanes a guard leaves. */
static bool counts_all_lanes(const struct code *c, const struct code_op *o)
{
    if (o->guard == NONE)
        return false;
    enum code_control control = c->controls[c->control_words + o->guard];
    return control == CODE_NO_CONTROL || (control == CODE_COUNTS && c->counts_lost);
}

static bool emit_op(struct emitting *e, const struct code_op *o)
{
    struct code *c = e->c;
    struct gpu_op *op = &e->k->ops[e->k->count++];
    *op = o->op;
    op->guard = predicate_of(c, o->guard);
    for (int k = 0; k < 2; k++)
        op->pdst[k] = predicate_of(c, o->pdst[k]);
    for (int k = 0; k < 3; k++)
        op->psrc[k] = predicate_of(c, o->psrc[k]);
    op->target = op->reconverge = GPU_NO_OP;
    op->flags |= counts_all_lanes(c, o) ? GPU_OP_ALL_LANES : 0;
    op->bank_cycles = bank_cycles(e, o);
    e->before = o;
    return emit_operands(e, o, op);
}

static bool emit_blocks(struct emitting *e)
{
    struct code *c = e->c;
    for (uint32_t b = 0; b < c->block_count; b++) {
        e->begins[b] = e->k->count;
        e->before = NULL;
        for (uint32_t k = 0; k < c->blocks[b].count; k++) {
            const struct code_op *o = &c->ops[c->blocks[b].first + k];
            if (!is_needless(c, b, o) && !emit_op(e, o))
                return false;
        }
    }
    return true;
}

/* A branch is its block's last operation. */
static void emit_targets(struct emitting *e)
{
    const struct code *c = e->c;
    for (uint32_t b = 0; b < c->block_count; b++) {
        uint32_t end = b + 1 < c->block_count ? e->begins[b + 1] : e->k->count;
        if (end == e->begins[b] || e->k->ops[end - 1].kind != GPU_BRANCH)
            continue;
        struct gpu_op *op = &e->k->ops[end - 1];
        uint32_t to = op->guard == GPU_NO_PREDICATE ? c->blocks[b].next[0] : c->blocks[b].next[1];
        op->target = op_of_block(e, to);
        op->reconverge = op_of_block(e, c->blocks[b].post_dominator);
    }
}

static void emit_exit(struct emitting *e)
{
    struct gpu_kernel *k = e->k;
    const struct gpu_op *last = k->count ? &k->ops[k->count - 1] : NULL;
    if (last && last->kind == GPU_EXIT && last->guard == GPU_NO_PREDICATE)
        return;
    k->ops[k->count++] = (struct gpu_op){
        .kind = GPU_EXIT, .pipe = GPU_PIPE_CONTROL, .interval = 16, .guard = GPU_NO_PREDICATE,
        .pdst = { GPU_NO_PREDICATE, GPU_NO_PREDICATE }, .target = GPU_NO_OP,
        .psrc = { GPU_NO_PREDICATE, GPU_NO_PREDICATE, GPU_NO_PREDICATE },
        .reconverge = GPU_NO_OP, .bank_cycles = 1, .line = last ? last->line : 0,
        .event = GPU_EVENTS_COUNT,
    };
}

/* A generic address may be that of local memory, where what is moved at once lies together. */
static uint32_t local_wide(const struct gpu_kernel *k)
{
    uint32_t wide = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        const struct gpu_op *op = &k->ops[i];
        bool moves = op->kind == GPU_LOAD || op->kind == GPU_STORE || op->kind == GPU_ATOMIC;
        if (moves && op->access.space == GPU_SPACE_GENERIC)
            while (4u << wide < op->access.bytes)
                wide++;
    }
    return wide;
}

static void emit_facts(struct emitting *e)
{
    struct code *c = e->c;
    struct gpu_kernel *k = e->k;
    const struct ptx_function *f = c->entry;
    snprintf(k->name, sizeof k->name, "%s", f->name);
    snprintf(k->file, sizeof k->file, "%s", c->module->file);
    k->generation = (enum gpu_generation)c->config->gpu.generation;
    k->registers = c->kernel_registers;
    k->predicates = c->kernel_predicates;
    k->shared_bytes = c->shared_bytes;
    k->local_wide = c->local_bytes > 0 ? local_wide(k) : 0;
    uint32_t piece = 4u << k->local_wide;
    k->local_bytes = (c->local_bytes + piece - 1) / piece * piece;
    memcpy(k->required, f->required, sizeof k->required);
    k->max_threads = f->max_threads;
    k->oblivious = c->oblivious;
    memcpy(k->why_not, c->why_not, sizeof k->why_not);
    memcpy(k->others, c->others, sizeof k->others);
}

struct gpu_kernel *code_emit(struct code *c)
{
    struct gpu_kernel *k = make(1, sizeof *k);
    struct emitting e = { .c = c, .k = k };
    k->ops = make((size_t)c->count + 1, sizeof *k->ops);
    k->operands = make(c->used, sizeof *k->operands);
    k->constants = make(c->constant_count, sizeof *k->constants);
    e.begins = arena_get(&c->arena, c->block_count, sizeof *e.begins);
    e.number = arena_get(&c->arena, c->constant_count, sizeof *e.number);
    if (!emit_blocks(&e)) {
        gpu_kernel_free(k);
        return NULL;
    }
    emit_targets(&e);
    emit_exit(&e);
    emit_facts(&e);
    emit_params(c, k);
    emit_variables(c, k);
    return k;
}
