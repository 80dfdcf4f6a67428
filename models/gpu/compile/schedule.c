/* schedule.c - the order of operations within a block, for hardware that issues in order.
 *
 * From the top: of the operations that could issue now, the one from which the longest way
 * leads to the block's end; of equal ones the first.  Where that would take more registers
 * than the kernel may have at its number of blocks on an SM, what frees registers goes
 * first.  A block that comes out worse than it was stays as it was.
 */
#include "models/gpu/compile/depend.h"

#include <limits.h>
#include <string.h>

#define LOOK 256                    /* operations that are considered at a time */
#define TRIES 8

struct scheduling {
    struct code *c;
    struct depend_state state;
    uint32_t  budget;               /* words that may be live */
    uint32_t *reads_left;           /* of each word, in this block */
    uint32_t *writes_left;          /* the same; a guarded one may leave what was there */
    uint8_t  *live;
    uint32_t  pressure, peak;
    const uint64_t *live_out;

    struct depend d;                /* of the stretch at hand */
    uint32_t  first, count;
    uint32_t *way;                  /* to the end, in cycles */
    uint64_t *earliest;             /* in sixteenths of a cycle */
    uint32_t *ready, ready_count;   /* in the order of the text */
    uint64_t  now, pipe_free[GPU_PIPES_COUNT];
};

/* Nobody wants what the word holds once it has been read for the last time here: not those
 * after the block either if it is written again before its end, as a loop's sums are. */
static bool dies_here(const struct scheduling *s, uint32_t word)
{
    return !bit_get(s->live_out, word) || s->writes_left[word] > 0;
}

/* What an operation frees less what it takes: words that are live after it but not before. */
static int change(const struct scheduling *s, const struct code_op *o)
{
    const uint32_t *dst = code_dsts(s->c, o), *src = code_srcs(s->c, o);
    int more = 0;
    for (uint32_t k = 0; k < o->op.srcs; k++) {
        uint32_t times = 1, word = src[k];
        bool seen = is_constant(word);
        for (uint32_t n = 0; n < k && !seen; n++)
            seen = src[n] == word;
        for (uint32_t n = k + 1; n < o->op.srcs && !seen; n++)
            times += src[n] == word;
        if (!seen && s->live[word] && s->reads_left[word] == times
            && dies_here(s, word))
            more--;
    }
    for (uint32_t k = 0; k < o->op.dsts; k++)
        more += !s->live[dst[k]];
    return more;
}

static void issue(struct scheduling *s, const struct code_op *o)
{
    const uint32_t *dst = code_dsts(s->c, o), *src = code_srcs(s->c, o);
    for (uint32_t k = 0; k < o->op.srcs; k++) {
        uint32_t word = src[k];
        if (is_constant(word) || --s->reads_left[word] || !dies_here(s, word)
            || !s->live[word])
            continue;
        s->live[word] = 0;
        s->pressure--;
    }
    for (uint32_t k = 0; k < o->op.dsts; k++) {
        s->writes_left[dst[k]] -= o->guard == NONE;
        if (!s->live[dst[k]] && (s->reads_left[dst[k]] || bit_get(s->live_out, dst[k]))) {
            s->live[dst[k]] = 1;
            s->pressure++;
        }
    }
    s->peak = s->pressure > s->peak ? s->pressure : s->peak;
}

static void find_ways(struct scheduling *s)
{
    for (uint32_t k = s->count; k-- > 0;) {
        uint32_t longest = depend_latency(s->c, &s->c->ops[s->first + k]);
        for (uint32_t e = s->d.first[k]; e != NONE; e = s->d.edges[e].next) {
            uint32_t way = s->d.edges[e].cycles + s->way[s->d.edges[e].to - s->first];
            longest = way > longest ? way : longest;
        }
        s->way[k] = longest;
    }
}

static void add_ready(struct scheduling *s, uint32_t k)
{
    uint32_t at = s->ready_count++;
    for (; at && s->ready[at - 1] > k; at--)
        s->ready[at] = s->ready[at - 1];
    s->ready[at] = k;
}

static uint64_t issue_time(const struct scheduling *s, uint32_t k)
{
    uint64_t pipe = s->pipe_free[s->c->ops[s->first + k].op.pipe];
    uint64_t t = s->earliest[k] > pipe ? s->earliest[k] : pipe;
    return t > s->now ? t : s->now;
}

static bool fits(const struct scheduling *s, uint32_t k)
{
    const struct code_op *o = &s->c->ops[s->first + k];
    return s->pressure + o->op.dsts <= s->budget
        || (int)s->pressure + change(s, o) <= (int)s->budget;
}

/* Nothing fits: what frees most or takes least, the first of these. */
static uint32_t least_change(const struct scheduling *s, uint32_t look)
{
    uint32_t best = 0;
    int least = INT_MAX;
    for (uint32_t r = 0; r < look; r++) {
        int more = change(s, &s->c->ops[s->first + s->ready[r]]);
        if (more < least) {
            least = more;
            best = r;
        }
    }
    return best;
}

/* Its place in the list of ready ones. */
static uint32_t choose(const struct scheduling *s)
{
    uint32_t best = NONE, look = s->ready_count < LOOK ? s->ready_count : LOOK;
    uint64_t best_time = 0;
    for (uint32_t r = 0; r < look; r++) {
        uint32_t k = s->ready[r];
        uint64_t t = issue_time(s, k);
        bool better = best == NONE || t < best_time
                   || (t == best_time && s->way[k] > s->way[s->ready[best]]);
        if (better && fits(s, k)) {
            best = r;
            best_time = t;
        }
    }
    return best == NONE ? least_change(s, look) : best;
}

static void schedule_stretch(struct scheduling *s, uint32_t first, uint32_t count,
                             uint32_t *order)
{
    struct arena *a = &s->c->arena;
    s->first = first;
    s->count = count;
    s->d = depend_find(&s->state, first, count);
    s->way = arena_get(a, count, sizeof *s->way);
    s->earliest = arena_get(a, count, sizeof *s->earliest);
    s->ready = arena_get(a, count, sizeof *s->ready);
    s->ready_count = 0;
    find_ways(s);
    for (uint32_t k = 0; k < count; k++)
        if (!s->d.before[k])
            s->ready[s->ready_count++] = k;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t r = choose(s), k = s->ready[r];
        const struct code_op *o = &s->c->ops[first + k];
        uint64_t t = issue_time(s, k);
        memmove(s->ready + r, s->ready + r + 1, (--s->ready_count - r) * sizeof *s->ready);
        order[n] = first + k;
        issue(s, o);
        s->now = t + 16;
        s->pipe_free[o->op.pipe] = t + o->op.interval;
        for (uint32_t e = s->d.first[k]; e != NONE; e = s->d.edges[e].next) {
            uint32_t to = s->d.edges[e].to - first;
            uint64_t then = t + 16 * (uint64_t)s->d.edges[e].cycles;
            s->earliest[to] = then > s->earliest[to] ? then : s->earliest[to];
            if (!--s->d.before[to])
                add_ready(s, to);
        }
    }
}

/* A reading of the clock: nothing at all moves across it. */
static bool is_wall(const struct code_op *o)
{
    return o->fixed && o->op.pipe == GPU_PIPE_UNIFORM;
}

static bool ends(const struct code_op *o)
{
    return o->op.kind == GPU_BRANCH
        || ((o->op.kind == GPU_EXIT || o->op.kind == GPU_TRAP) && o->guard == NONE);
}

static void begin_block(struct scheduling *s, const struct code_block *b)
{
    struct code *c = s->c;
    s->live_out = b->live_out;
    s->pressure = 0;
    memset(s->pipe_free, 0, sizeof s->pipe_free);
    s->now = 0;
    for (uint32_t n = 0; n < b->count; n++) {
        const struct code_op *o = &c->ops[b->first + n];
        const uint32_t *words = code_dsts(c, o);
        for (uint32_t k = 0; k < (uint32_t)o->op.dsts + o->op.srcs; k++)
            if (!is_constant(words[k])) {
                s->live[words[k]] = 0;
                s->reads_left[words[k]] = s->writes_left[words[k]] = 0;
            }
    }
    for (uint32_t n = 0; n < b->count; n++) {
        const struct code_op *o = &c->ops[b->first + n];
        for (uint32_t k = 0; k < o->op.srcs; k++)
            if (!is_constant(code_srcs(c, o)[k]))
                s->reads_left[code_srcs(c, o)[k]]++;
        for (uint32_t k = 0; k < o->op.dsts; k++)
            s->writes_left[code_dsts(c, o)[k]] += o->guard == NONE;
    }
    for (uint32_t first = 0; first < c->registers; first += 64)
        for (uint64_t bits = b->live_in[first / 64]; bits; bits &= bits - 1) {
            uint32_t word = first + (uint32_t)__builtin_ctzll(bits);
            if (word >= c->registers)       /* predicates */
                break;
            s->live[word] = 1;
            s->pressure++;
        }
    s->peak = s->pressure;
}

/* Words live at most in the order of `order` (NULL: as written). */
static uint32_t peak_of(struct scheduling *s, const struct code_block *b)
{
    begin_block(s, b);
    for (uint32_t n = 0; n < b->count; n++)
        issue(s, &s->c->ops[b->first + n]);
    return s->peak;
}

static void schedule_block(struct scheduling *s, const struct code_block *b)
{
    struct code *c = s->c;
    uint32_t *order = arena_get(&c->arena, b->count, sizeof *order);
    uint32_t was = peak_of(s, b), n = 0;
    begin_block(s, b);
    while (n < b->count) {
        uint32_t first = b->first + n, count = 0;
        while (n + count < b->count && !is_wall(&c->ops[first + count])
               && !ends(&c->ops[first + count]))
            count++;
        schedule_stretch(s, first, count, order + n);
        n += count;
        for (; n < b->count && (is_wall(&c->ops[b->first + n]) || ends(&c->ops[b->first + n]));
             n++) {
            order[n] = b->first + n;
            issue(s, &c->ops[order[n]]);
        }
    }
    if (s->peak > s->budget && s->peak > was)
        return;
    struct code_op *sorted = arena_get(&c->arena, b->count, sizeof *sorted);
    for (n = 0; n < b->count; n++)
        sorted[n] = c->ops[order[n]];
    memcpy(c->ops + b->first, sorted, b->count * sizeof *sorted);
}

/* Blocks on an SM of a kernel with so many registers. */
static uint32_t blocks_at(const struct code *c, uint32_t registers)
{
    const struct gpu_sm_config *sm = &c->config->sm;
    const struct ptx_function *f = c->entry;
    uint32_t required = f->required[0] * f->required[1] * f->required[2];
    uint32_t threads = required ? required : f->max_threads ? f->max_threads : 128;
    uint32_t warps = (threads + GPU_LANES - 1) / GPU_LANES;
    uint32_t of_warp = (registers * GPU_LANES + sm->register_granule - 1)
                     / sm->register_granule * sm->register_granule;
    uint32_t blocks = sm->registers / (of_warp * warps);
    blocks = blocks < sm->warps / warps ? blocks : sm->warps / warps;
    if (c->shared_bytes && c->config->shared.bytes / c->shared_bytes < blocks)
        blocks = (uint32_t)(c->config->shared.bytes / c->shared_bytes);
    return blocks < sm->blocks ? blocks : sm->blocks;
}

/* Registers that a kernel may take without losing a block. */
static uint32_t registers_for(const struct code *c, uint32_t needed)
{
    uint32_t most = needed < c->limit ? needed : c->limit;
    uint32_t blocks = blocks_at(c, most);
    while (most < c->limit && blocks_at(c, most + 1) >= blocks)
        most++;
    return most;
}

static uint32_t schedule_all(struct scheduling *s)
{
    for (uint32_t b = 0; b < s->c->block_count; b++)
        schedule_block(s, &s->c->blocks[b]);
    return code_registers(s->c);
}

/* Too many words live at once, or that cannot share registers though they are not: again
 * with less.  If nothing suffices, what takes least, of which the order of the text is one. */
void code_schedule(struct code *c)
{
    struct scheduling s = { .c = c, .state = depend_begin(c) };
    size_t bytes = c->count * sizeof c->ops[0];
    struct code_op *written = arena_get(&c->arena, c->count, sizeof *written);
    struct code_op *best = arena_get(&c->arena, c->count, sizeof *best);
    uint32_t needed = code_registers(c), most = registers_for(c, needed ? needed : 1);
    uint32_t least = needed;
    s.reads_left = arena_get(&c->arena, c->registers, sizeof *s.reads_left);
    s.writes_left = arena_get(&c->arena, c->registers, sizeof *s.writes_left);
    s.live = arena_get(&c->arena, c->registers, 1);
    memcpy(written, c->ops, bytes);
    memcpy(best, c->ops, bytes);
    s.budget = most;
    for (int tries = 0; tries < TRIES && s.budget; tries++) {
        uint32_t took = schedule_all(&s);
        if (took <= most)
            return;
        if (took < least) {
            least = took;
            memcpy(best, c->ops, bytes);
        }
        memcpy(c->ops, written, bytes);
        s.budget -= took - most < s.budget ? took - most : s.budget;
    }
    memcpy(c->ops, best, bytes);
}
