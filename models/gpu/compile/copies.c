/* copies.c - copies give way to what they copy; what nobody needs goes.
 *
 * A word that is written once can be replaced everywhere by what it is a copy of, if that
 * is a constant or written once too, before it, and the copy comes before all uses (dominates
 * them).
 * Others are followed within their block.
 */
#include "models/gpu/compile/code.h"

struct copies {
    struct code *c;
    uint32_t *writes;               /* of each word: operations that write it */
    uint32_t *copied;               /* what it is a copy of, everywhere; NONE */
    uint32_t *at;                   /* of a word written once: the operation */
    uint32_t *block_of;             /* of each operation */
    /* Within the block at hand. */
    uint32_t *version;              /* writes so far */
    struct { uint32_t source, source_version, own_version, block; } *local;
};

bool code_has_effect(const struct code_op *o)
{
    switch ((enum gpu_kind)o->op.kind) {
    case GPU_COMPUTE: return o->fixed;
    case GPU_LOAD:    return o->op.access.cache == GPU_CACHE_VOLATILE;
    case GPU_SHUFFLE: case GPU_MATRIX:
        return false;
    default:
        return true;
    }
}

static bool is_plain_copy(const struct code_op *o)
{
    return o->is_copy && o->guard == NONE;
}

static void count_writes(struct copies *p)
{
    struct code *c = p->c;
    for (uint32_t b = 0; b < c->block_count; b++)
        for (uint32_t k = 0; k < c->blocks[b].count; k++) {
            uint32_t n = c->blocks[b].first + k;
            const struct code_op *o = &c->ops[n];
            p->block_of[n] = b;
            for (uint32_t d = 0; d < o->op.dsts; d++) {
                uint32_t word = code_dsts(c, o)[d];
                p->writes[word]++;
                p->at[word] = n;
            }
        }
}

static bool comes_before(const struct copies *p, uint32_t op, uint32_t use)
{
    uint32_t from = p->block_of[op], to = p->block_of[use];
    if (from == to)
        return op < use;
    while (to != NONE && to != from)
        to = p->c->blocks[to].dominator;
    return to == from;
}

/* What a source is when the operation `use` reads it. */
static uint32_t resolve(const struct copies *p, uint32_t word, uint32_t use)
{
    while (!is_constant(word) && p->copied[word] != NONE && comes_before(p, p->at[word], use))
        word = p->copied[word];
    if (is_constant(word))
        return word;
    uint32_t b = p->block_of[use];
    if (p->local[word].block == b + 1 && p->local[word].own_version == p->version[word]) {
        uint32_t source = p->local[word].source;
        if (is_constant(source) || p->version[source] == p->local[word].source_version)
            return source;
    }
    return word;
}

static void find_copied(struct copies *p)
{
    struct code *c = p->c;
    for (uint32_t word = 0; word < c->registers; word++) {
        p->copied[word] = NONE;
        if (p->writes[word] != 1 || !is_plain_copy(&c->ops[p->at[word]]))
            continue;
        uint32_t source = code_srcs(c, &c->ops[p->at[word]])[0];
        if (is_constant(source)
            || (p->writes[source] == 1 && comes_before(p, p->at[source], p->at[word])))
            p->copied[word] = source;
    }
}

static void note_write(struct copies *p, const struct code_op *o, uint32_t n)
{
    struct code *c = p->c;
    for (uint32_t d = 0; d < o->op.dsts; d++)
        p->version[code_dsts(c, o)[d]]++;
    if (!is_plain_copy(o))
        return;
    uint32_t dst = code_dsts(c, o)[0], source = code_srcs(c, o)[0];
    if (source == dst)
        return;
    p->local[dst].source = source;
    p->local[dst].source_version = is_constant(source) ? 0 : p->version[source];
    p->local[dst].own_version = p->version[dst];
    p->local[dst].block = p->block_of[n] + 1;
}

/* x + 0, x | 0, x << 0 are copies of x: a variable at address 0 makes such. */
static void simplify(struct copies *p, struct code_op *o)
{
    struct code *c = p->c;
    const struct ptx_instruction *i = o->from;
    uint32_t *src = code_srcs(c, o), zero = code_constant(c, 0);
    if (!i || o->op.kind != GPU_COMPUTE || o->op.flags & GPU_OP_PART || o->is_copy
        || o->op.dsts != 1 || o->op.srcs != 2 || o->pdst[0] != NONE || o->psrc[0] != NONE
        || ptx_type_bytes(i->type[0]) != 4)
        return;
    bool either = i->op == PTX_ADD || i->op == PTX_OR || i->op == PTX_XOR;
    bool second = either || i->op == PTX_SUB || i->op == PTX_SHL || i->op == PTX_SHR;
    if (!(i->type[0] == PTX_U32 || i->type[0] == PTX_S32 || i->type[0] == PTX_B32))
        return;
    if (either && src[0] == zero)
        src[0] = src[1];
    else if (!(second && src[1] == zero))
        return;
    struct gpu_op mov = c->mov;
    mov.line = o->op.line;
    mov.nots = o->op.nots;
    o->op = mov;
    o->is_copy = true;
}

static void replace(struct copies *p)
{
    struct code *c = p->c;
    for (uint32_t b = 0; b < c->block_count; b++)
        for (uint32_t k = 0; k < c->blocks[b].count; k++) {
            uint32_t n = c->blocks[b].first + k;
            const struct code_op *o = &c->ops[n];
            uint32_t *src = code_srcs(c, o);
            for (uint32_t s = 0; s < o->op.srcs; s++) {
                bool kept = o->keeps && s + o->op.dsts >= o->op.srcs;   /* its own before */
                if (!is_constant(src[s]) && !p->writes[src[s]])
                    src[s] = code_constant(c, 0);       /* registers begin as zeros */
                else if (!kept)
                    src[s] = resolve(p, src[s], n);
            }
            simplify(p, &c->ops[n]);
            note_write(p, o, n);
        }
}

/* Marks what has an effect, and what that needs; the rest goes. */
struct marking {
    struct code *c;
    struct code_writers w;
    uint8_t  *needed, *alive;
    uint32_t *waiting, count;
};

static void keep(struct marking *m, uint32_t n)
{
    if (m->alive[n])
        return;
    m->alive[n] = 1;
    m->waiting[m->count++] = n;
}

static void need(struct marking *m, uint32_t item)
{
    if (m->needed[item])
        return;
    m->needed[item] = 1;
    for (uint32_t s = m->w.first[item]; s != NONE; s = m->w.next[s])
        keep(m, m->w.op[s]);
}

static void need_sources(struct marking *m, const struct code_op *o)
{
    const uint32_t *src = code_srcs(m->c, o);
    for (uint32_t s = 0; s < o->op.srcs; s++)
        if (!is_constant(src[s]))
            need(m, src[s]);
    for (int s = 0; s < 3; s++)
        if (o->psrc[s] != NONE)
            need(m, m->c->registers + o->psrc[s]);
    if (o->guard != NONE)
        need(m, m->c->registers + o->guard);
}

/* Drops operations that nobody needs. */
static void sweep(struct code *c)
{
    struct marking m = { .c = c, .w = code_find_writers(c) };
    m.needed = arena_get(&c->arena, (size_t)c->registers + c->predicates, 1);
    m.alive = arena_get(&c->arena, c->count, 1);
    m.waiting = arena_get(&c->arena, c->count, sizeof *m.waiting);
    for (uint32_t n = 0; n < c->count; n++)
        if (code_has_effect(&c->ops[n]))
            keep(&m, n);
    while (m.count)
        need_sources(&m, &c->ops[m.waiting[--m.count]]);

    for (uint32_t b = 0; b < c->block_count; b++) {
        struct code_block *at = &c->blocks[b];
        uint32_t kept = at->first;
        for (uint32_t n = at->first; n < at->first + at->count; n++)
            if (m.alive[n])
                c->ops[kept++] = c->ops[n];
        at->count = kept - at->first;
    }
    code_close_gaps(c);
}

static void follow(struct code *c)
{
    struct copies p = { .c = c };
    p.writes = arena_get(&c->arena, c->registers, sizeof *p.writes);
    p.copied = arena_get(&c->arena, c->registers, sizeof *p.copied);
    p.at = arena_get(&c->arena, c->registers, sizeof *p.at);
    p.version = arena_get(&c->arena, c->registers, sizeof *p.version);
    p.local = arena_get(&c->arena, c->registers, sizeof *p.local);
    p.block_of = arena_get(&c->arena, c->count, sizeof *p.block_of);
    count_writes(&p);
    find_copied(&p);
    replace(&p);
    sweep(c);
}

/* Twice: what became a copy on the way is followed too. */
void code_copies(struct code *c)
{
    follow(c);
    follow(c);
}
