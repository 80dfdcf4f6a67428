/* expand.c - each instruction to its machine operations.
 *
 * What needs no operation of its own in hardware (moves, addresses that change their space,
 * words of a pair) becomes copies, most of which `copies` removes.
 */
#include "models/gpu/compile/expand.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/compile/registers.h"
#include "models/gpu/compile/table.h"
#include "models/gpu/events.h"

enum { NANOSLEEP_NS = 1000000 };        /* PTX ISA: no sleep is longer */

static uint16_t sixteenths(double cycles) { return (uint16_t)(cycles * 16 + 0.5); }

struct gpu_op expand_pipe(const struct code *c, enum gpu_pipe pipe)
{
    const struct gpu_pipes_config *p = &c->config->pipes;
    const struct { double interval; uint32_t latency, event; } figures[GPU_PIPES_COUNT] = {
        [GPU_PIPE_FP32]    = { p->fp32_interval, p->fp32_latency, GPU_EVENT_FP32 },
        [GPU_PIPE_INT]     = { p->int_interval, p->int_latency, GPU_EVENT_INT },
        [GPU_PIPE_IMAD]    = { p->imad_interval, p->imad_latency, GPU_EVENT_IMAD },
        [GPU_PIPE_FP16]    = { p->fp16_interval, p->fp16_latency, GPU_EVENT_FP16 },
        [GPU_PIPE_FP64]    = { p->fp64_interval, p->fp64_latency, GPU_EVENT_FP64 },
        [GPU_PIPE_SFU]     = { p->sfu_interval, p->sfu_latency, GPU_EVENT_SFU },
        [GPU_PIPE_CONVERT] = { p->convert_interval, p->convert_latency, GPU_EVENT_CONVERT },
        [GPU_PIPE_TENSOR]  = { 1, 1, GPU_EVENT_TENSOR },
        [GPU_PIPE_LSU]     = { c->config->lsu.interval, 0, GPU_EVENTS_COUNT },
        [GPU_PIPE_UNIFORM] = { p->uniform_interval, p->uniform_latency, GPU_EVENTS_COUNT },
        [GPU_PIPE_CONTROL] = { 1, 0, GPU_EVENTS_COUNT },
    };
    enum gpu_pipe multiplies = p->imad_pipe ? GPU_PIPE_FP32 : GPU_PIPE_INT;
    return (struct gpu_op){
        .kind = GPU_COMPUTE, .pipe = pipe == GPU_PIPE_IMAD ? multiplies : pipe,
        .interval = sixteenths(figures[pipe].interval),
        .latency = (uint16_t)figures[pipe].latency, .event = figures[pipe].event,
    };
}

struct code_op *expand_put(struct code *c, const struct ptx_instruction *i,
                           const struct gpu_op *op, const struct list *l)
{
    struct code_op *o = code_add(c, i);
    o->op = *op;
    o->op.dsts = (uint8_t)l->dsts;
    o->op.srcs = (uint8_t)l->srcs;
    o->op.nots = l->nots;
    o->op.line = i->line;
    o->words = c->used;
    code_add_words(c, l->dst, l->dsts);
    code_add_words(c, l->src, l->srcs);
    memcpy(o->pdst, l->pdst, sizeof o->pdst);
    memcpy(o->psrc, l->psrc, sizeof o->psrc);
    o->guard = NONE;
    if (i->guard != PTX_NO_GUARD) {
        o->guard = code_word_of(c, i->guard);
        o->op.nots |= i->guard_negated ? GPU_GUARD_NOT : 0;
    }
    return o;
}

bool expand_find(struct code *c, const struct ptx_instruction *i, struct gpu_op *op)
{
    char text[160];
    if (gpu_execute_find(i, op))
        return true;
    ptx_print(i, text, sizeof text);
    return code_fail(c, i, "%s is not supported; expected another form of it", text);
}

static struct gpu_op make_mov(struct code *c)
{
    struct ptx_instruction mov = { .op = PTX_MOV, .type = { PTX_B32 }, .operands = 2,
                                   .operand = { { .kind = PTX_REGISTER },
                                                { .kind = PTX_REGISTER } } };
    struct gpu_op op = expand_pipe(c, GPU_PIPE_INT);
    bool found = gpu_execute_find(&mov, &op);
    assert(found);
    op.dsts = op.srcs = 1;
    return op;
}

void expand_copy(struct code *c, const struct ptx_instruction *i, uint32_t dst, uint32_t src)
{
    struct list l;
    list_init(&l);
    list_dst(&l, dst);
    list_src(&l, src);
    expand_put(c, i, &c->mov, &l)->is_copy = true;
}

void expand_sign(struct code *c, const struct ptx_instruction *i, uint32_t dst, uint32_t src)
{
    struct ptx_instruction shr = { .op = PTX_SHR, .type = { PTX_S32 }, .operands = 3,
                                   .operand = { { .kind = PTX_REGISTER },
                                                { .kind = PTX_REGISTER },
                                                { .kind = PTX_IMMEDIATE, .bits = 31 } } };
    struct gpu_op op = expand_pipe(c, GPU_PIPE_INT);
    struct list l;
    list_init(&l);
    list_dst(&l, dst);
    list_src(&l, src);
    list_src(&l, code_constant(c, 31));
    bool found = gpu_execute_find(&shr, &op);
    assert(found);
    expand_put(c, i, &op, &l);
}

static enum gpu_pipe pipe_of(char letter)
{
    switch (letter) {
    case 'f': return GPU_PIPE_FP32;
    case 'i': return GPU_PIPE_INT;
    case 'm': return GPU_PIPE_IMAD;
    case 'h': return GPU_PIPE_FP16;
    case 'd': return GPU_PIPE_FP64;
    case 's': return GPU_PIPE_SFU;
    case 'c': return GPU_PIPE_CONVERT;
    case 'l': return GPU_PIPE_LSU;
    }
    abort();
}

/* What a part leaves for the next: a carry in a predicate where a short chain of integers
 * has one, else a register. */
struct link_word { uint32_t word, predicate; };

static bool is_carry_chain(const char *sequence)
{
    return strlen(sequence) <= 5 && strspn(sequence, "im|") == strlen(sequence);
}

static struct link_word put_part(struct code *c, const struct ptx_instruction *i, char letter,
                                 struct link_word before, const struct list *whole, bool carry)
{
    struct gpu_op op = expand_pipe(c, pipe_of(letter));
    struct link_word left = { NONE, NONE };
    struct list l;
    list_init(&l);
    op.flags = GPU_OP_PART;
    if (carry)
        l.pdst[0] = left.predicate = code_new_predicate(c);
    else
        list_dst(&l, left.word = code_new_word(c));
    if (before.word != NONE)
        list_src(&l, before.word);
    l.psrc[0] = before.predicate;
    for (uint32_t k = 0; k < whole->srcs && l.srcs < 3; k++)
        list_src(&l, whole->src[k]);
    expand_put(c, i, &op, &l);
    return left;
}

static void await(struct list *l, struct link_word w)
{
    if (w.word != NONE)
        list_src(l, w.word);
    if (w.predicate == NONE)
        return;
    uint32_t at = 0;
    while (at < 3 && l->psrc[at] != NONE)
        at++;
    assert(at < 3);
    l->psrc[at] = w.predicate;
}

/* All of the sequence but its last letter; what that one must wait for goes to `l`.  The
 * letter of the last operation. */
static char put_parts(struct code *c, const struct ptx_instruction *i, const char *sequence,
                      struct list *l)
{
    struct list whole = *l;
    struct link_word before = { NONE, NONE };
    bool carry = is_carry_chain(sequence);
    for (const char *s = sequence;;) {
        if (*s == '|') {
            await(l, before);
            before = (struct link_word){ NONE, NONE };
            s++;
        }
        char letter = *s++, *end;
        long times = strtol(s, &end, 10);
        s = end;
        for (long k = times ? times : 1; k > (*s ? 0 : 1); k--)
            before = put_part(c, i, letter, before, &whole, carry);
        if (!*s) {
            await(l, before);
            return letter;
        }
    }
}

static uint32_t flops_of(const struct ptx_instruction *i)
{
    bool fused = i->op == PTX_FMA || i->op == PTX_MAD;
    bool counts = fused || i->op == PTX_ADD || i->op == PTX_SUB || i->op == PTX_MUL;
    switch (i->type[0]) {
    case PTX_F16: case PTX_BF16: case PTX_F32: case PTX_F64:
        return counts ? 1 + fused : 0;
    case PTX_F16X2: case PTX_BF16X2:
        return counts ? 2 * (1 + fused) : 0;
    default:
        return 0;
    }
}

static void find_carry(struct code *c, const struct ptx_instruction *i, struct list *l)
{
    bool reads = i->op == PTX_ADDC || i->op == PTX_SUBC || i->op == PTX_MADC;
    if (c->carry == NONE && (reads || PTX_HAS(i, CC)))
        c->carry = code_new_predicate(c);
    if (PTX_HAS(i, CC))
        l->pdst[0] = c->carry;
    if (reads)
        l->psrc[0] = c->carry;
}

/* A register wider than the instruction's type: what it does not write. */
static void fill_wide(struct code *c, const struct ptx_instruction *i)
{
    const struct ptx_operand *o = &i->operand[0];
    if (!operand_destinations(i) || o->kind != PTX_REGISTER
        || c->body.types[o->number] == PTX_PRED)
        return;
    enum ptx_type type = operand_type(i, 0);
    if (operand_words(c->body.types[o->number]) != 2 || operand_words(type) != 1)
        return;
    uint32_t first = code_word_of(c, o->number);
    if (type == PTX_S32 || type == PTX_S16 || type == PTX_S8)
        expand_sign(c, i, first + 1, first);
    else
        expand_copy(c, i, first + 1, code_constant(c, 0));
}

bool expand_sequence(struct code *c, const struct ptx_instruction *i)
{
    char text[160];
    const char *sequence = table_sequence(c->config->gpu.generation, i);
    if (!sequence) {
        ptx_print(i, text, sizeof text);
        static const char *const names[] = { "sm_70", "sm_80", "sm_90" };
        return code_fail(c, i, "%s is not an instruction of %s; expected one that it has", text,
                         names[c->config->gpu.generation]);
    }
    struct list l;
    list_init(&l);
    list_operands(c, i, &l);
    find_carry(c, i, &l);
    struct gpu_op op = expand_pipe(c, pipe_of(put_parts(c, i, sequence, &l)));
    if (i->op == PTX_SHFL) {
        op.kind = GPU_SHUFFLE;
        op.latency = (uint16_t)c->config->lsu.shuffle_latency;
    } else if (i->op == PTX_MOVMATRIX) {
        op.latency = (uint16_t)c->config->lsu.shuffle_latency;
    }
    op.flops = flops_of(i);
    if (!expand_find(c, i, &op))
        return false;
    expand_put(c, i, &op, &l);
    fill_wide(c, i);
    return true;
}

static void put_control(struct code *c, const struct ptx_instruction *i, enum gpu_kind kind)
{
    struct gpu_op op = expand_pipe(c, GPU_PIPE_CONTROL);
    struct list l;
    list_init(&l);
    op.kind = (uint8_t)kind;
    expand_put(c, i, &op, &l)->fixed = true;
}

static void put_branch(struct code *c, const struct ptx_instruction *i)
{
    put_control(c, i, GPU_BRANCH);
    c->ops[c->count - 1].label = i->operand[0].number;
    if (PTX_HAS(i, UNI) || i->guard == PTX_NO_GUARD)
        c->ops[c->count - 1].op.flags |= GPU_OP_UNIFORM;
}

/* bar.sync a, b: the barrier is a number of the text, the threads a source word. */
static bool put_barrier(struct code *c, const struct ptx_instruction *i)
{
    struct gpu_op op = expand_pipe(c, GPU_PIPE_CONTROL);
    struct list l;
    uint32_t at = operand_destinations(i);
    list_init(&l);
    list_operands(c, i, &l);
    if (at < i->operands) {
        uint64_t number = i->operand[at].bits;
        if (i->operand[at].kind != PTX_IMMEDIATE
            && !registers_constant(c, i->operand[at].number, &number))
            return code_fail(c, i, "barrier in a register; expected its number");
        if (number >= c->config->sm.barriers)
            return code_fail(c, i, "barrier %llu is out of range; expected 0 to %u",
                             (unsigned long long)number, c->config->sm.barriers - 1);
        op.number = (uint8_t)number;
        l.srcs--;
        memmove(l.src, l.src + 1, l.srcs * sizeof l.src[0]);
    }
    op.kind = GPU_BARRIER;
    op.flags = PTX_HAS(i, ARRIVE) ? GPU_OP_ARRIVE : 0;
    if (PTX_HAS(i, RED) && !expand_find(c, i, &op))
        return false;
    expand_put(c, i, &op, &l)->fixed = true;
    return true;
}

static bool put_wait(struct code *c, const struct ptx_instruction *i)
{
    if (i->op == PTX_CP_WAIT_ALL)
        put_control(c, i, GPU_COMMIT);
    put_control(c, i, GPU_WAIT);
    if (i->op == PTX_CP_WAIT) {
        uint64_t groups = i->operand[0].bits;
        c->ops[c->count - 1].op.number = groups < UINT8_MAX ? (uint8_t)groups : UINT8_MAX;
    }
    return true;
}

/* The warp may wake at any time up to twice what is asked, so at once where that is not a
 * number of the text. */
static void put_sleep(struct code *c, const struct ptx_instruction *i)
{
    const struct ptx_operand *t = &i->operand[0];
    put_control(c, i, GPU_SLEEP);
    if (t->kind == PTX_IMMEDIATE)
        c->ops[c->count - 1].op.access.offset = t->bits < NANOSLEEP_NS ? (int32_t)t->bits
                                                                       : NANOSLEEP_NS;
}

static bool expand_one(struct code *c, const struct ptx_instruction *i)
{
    bool done = false;
    switch (i->op) {
    case PTX_BRA:     put_branch(c, i); return true;
    case PTX_RET: case PTX_EXIT:
        put_control(c, i, GPU_EXIT);
        return true;
    case PTX_TRAP: case PTX_BRKPT:
        put_control(c, i, GPU_TRAP);
        return true;
    case PTX_BAR:     return put_barrier(c, i);
    case PTX_MEMBAR: case PTX_FENCE:
        put_control(c, i, GPU_FENCE);
        return true;
    case PTX_CP_COMMIT: put_control(c, i, GPU_COMMIT); return true;
    case PTX_CP_WAIT: case PTX_CP_WAIT_ALL:
        return put_wait(c, i);
    case PTX_BAR_WARP:                          /* lanes of a warp meet at branches here */
        put_control(c, i, GPU_COMPUTE);
        return true;
    case PTX_NANOSLEEP: put_sleep(c, i); return true;
    case PTX_PREFETCH: case PTX_PREFETCHU: case PTX_PMEVENT: case PTX_DISCARD:
    case PTX_APPLYPRIORITY:                     /* hints: nothing is kept of them */
    case PTX_GRIDDEPCONTROL:                    /* the launch before has ended */
        return true;
    default: break;
    }
    if (!expand_memory(c, i, &done) || (!done && !expand_tensor(c, i, &done))
        || (!done && !expand_move(c, i, &done)))
        return false;
    return done || expand_sequence(c, i);
}

/* It may leave a sign above a 16-bit register's bits: conversions and loads extend to a word. */
static bool leaves_sign(const struct body *b, const struct ptx_instruction *i)
{
    const struct ptx_operand *d = &i->operand[0];
    return (i->op == PTX_CVT || i->op == PTX_LD || i->op == PTX_LDU)
        && (i->type[0] == PTX_S8 || i->type[0] == PTX_S16)
        && (d->kind != PTX_REGISTER || ptx_type_bytes(b->types[d->number]) == 2);
}

static bool has_signs_above(const struct body *b)
{
    for (uint32_t k = 0; k < b->count; k++)
        if (leaves_sign(b, &b->list[k]))
            return true;
    return false;
}

/* Where the ops of each instruction begin, so that labels find them. */
bool code_expand(struct code *c)
{
    struct body *b = &c->body;
    c->first_word = arena_get(&c->arena, b->registers, sizeof c->first_word[0]);
    memset(c->first_word, 0xff, b->registers * sizeof c->first_word[0]);
    c->carry = NONE;
    c->mov = make_mov(c);
    c->signs_above = has_signs_above(b);
    uint32_t *first = arena_get(&c->arena, b->count + 1, sizeof *first);
    for (uint32_t k = 0; k < b->count; k++) {
        first[k] = c->count;
        if (!expand_one(c, &b->list[k]))
            return false;
        for (uint32_t n = first[k]; n < c->count; n++)
            c->ops[n].complete = b->complete[k];
    }
    first[b->count] = c->count;
    for (uint32_t k = 0; k < b->label_count; k++)
        b->labels[k] = first[b->labels[k]];
    return true;
}
