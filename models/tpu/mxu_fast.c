/* mxu_fast.c - the weight-stationary array a tile at a time: the closed form of mxu.h.
 *
 * Between two calls the state is a function of time alone (state_at), so cycles are
 * counted only when somebody asks or calls.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/tpu/mxu_form.h"

struct fast {
    struct tpu_mxu base;
    bool staged;                /* weights pushed, or being pushed, and not yet in place */
    bool placed;                /* weights in place */
    cycle_t since;              /* cycles before it are counted */
    cycle_t load_start;
    struct tpu_mxu_pace entries;            /* of all pushes promised */
    struct tpu_mxu_pace counted;            /* the same, as far as counted ... */
    cycle_t push_at;                        /* ... the push to count next enters */
    bool staged_values, placed_values;      /* the weights below are real */
    uint16_t *staged_weights, *placed_weights;
};

static const struct fast *of(const struct tpu_mxu *m) { return (const struct fast *)m; }

static bool single(const struct tpu_mxu *m) { return m->config.weight_buffers == 1; }

static void fast_free(struct tpu_mxu *m)
{
    struct fast *f = (struct fast *)m;
    free(f->entries.pop);
    free(f->counted.pop);
    free(f->staged_weights);
    free(f->placed_weights);
    free(f);
}

/* When the weights pushed last have taken the place of those before. */
static cycle_t swapped_at(const struct tpu_mxu *m)
{
    return single(m) ? m->loaded_at
                     : cycle_max(m->stream_end, m->loaded_at) + m->config.swap_cycles;
}

static cycle_t load_at(const struct tpu_mxu *m, cycle_t now)
{
    if (of(m)->staged)
        return CYCLE_NEVER;
    return single(m) ? cycle_max(now, m->last_result_at) : now;
}

static cycle_t stream_at(const struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    const struct fast *f = of(m);
    bool overwritten = single(m) && f->staged;
    if (t->reuse ? !f->placed || overwritten : !f->staged)
        return CYCLE_NEVER;
    cycle_t ready = t->reuse ? m->stream_end : cycle_max(m->stream_end, swapped_at(m));
    return tpu_mxu_pace_next(&f->entries, cycle_max(now, ready));
}

static void load(struct tpu_mxu *m, cycle_t now, const uint16_t *weights)
{
    struct fast *f = (struct fast *)m;
    f->staged = true;
    f->load_start = now;
    f->staged_values = weights != NULL;
    if (weights)
        memcpy(f->staged_weights, weights,
               sizeof *weights * m->config.rows * m->config.cols);
}

static void swap_weights(struct fast *f)
{
    uint16_t *replaced = f->placed_weights;
    f->placed_weights = f->staged_weights;
    f->staged_weights = replaced;
    f->placed_values = f->staged_values;
    f->staged = false;
    f->placed = true;
}

static void stream(struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    struct fast *f = (struct fast *)m;
    if (!t->reuse)
        swap_weights(f);
    if (m->stats.streams)       /* the last push of the stream before, now over */
        tpu_mxu_pace_enter(&f->counted, f->push_at, m->figures.latency);
    uint64_t pushes = ceil_div(t->depth, m->config.push_rows);
    cycle_t last = tpu_mxu_pace_last(&f->entries, &m->figures, now, pushes);
    f->push_at = now;
    m->stream_end      = last + m->figures.group;
    m->first_result_at = now + m->figures.latency;
    m->last_result_at  = last + m->figures.latency;
    if (!t->results)
        return;
    assert(f->placed_values);
    tpu_mxu_multiply(&(struct tpu_mxu_product) {
        .count = t->depth, .depth = m->config.rows, .cols = m->config.cols,
        .a = t->activations, .a_row = m->config.rows, .a_step = 1,
        .w = f->placed_weights, .results = t->results });
}

/* Within a stream that the limit of rows in flight may hold up, a push at a time. */
static enum tpu_mxu_state stream_state(struct fast *f, cycle_t t, cycle_t *until)
{
    const struct tpu_mxu *m = &f->base;
    if (!f->counted.size) {
        *until = m->stream_end;
        return TPU_MXU_STREAM;
    }
    while (f->push_at + m->figures.group <= t) {
        tpu_mxu_pace_enter(&f->counted, f->push_at, m->figures.latency);
        f->push_at = tpu_mxu_pace_next(&f->counted, f->push_at + m->figures.group);
    }
    bool entering = t >= f->push_at;
    *until = entering ? f->push_at + m->figures.group : f->push_at;
    return entering ? TPU_MXU_STREAM : TPU_MXU_FULL;
}

/* The state in cycle t, and until when it stays if nobody calls. */
static enum tpu_mxu_state state_at(struct fast *f, cycle_t t, cycle_t *until)
{
    const struct tpu_mxu *m = &f->base;
    if (t < m->stream_end)
        return stream_state(f, t, until);
    if (single(m) && t < (*until = m->last_result_at))
        return TPU_MXU_DRAIN;
    *until = CYCLE_NEVER;
    if (!f->staged)
        return TPU_MXU_IDLE;
    if (t < (*until = m->loaded_at))
        return TPU_MXU_WEIGHTS;
    if (t < (*until = swapped_at(m)))
        return TPU_MXU_SWAP;
    if (t < (*until = tpu_mxu_pace_next(&f->entries, 0)))
        return TPU_MXU_FULL;
    *until = CYCLE_NEVER;
    return TPU_MXU_WAIT;
}

static void account(struct tpu_mxu *m, cycle_t now)
{
    struct fast *f = (struct fast *)m;
    cycle_t pushed_from = cycle_max(f->since, f->load_start);
    cycle_t pushed_to = cycle_min(now, m->loaded_at);
    if (pushed_to > pushed_from)
        m->stats.weight_cycles += pushed_to - pushed_from;
    while (f->since < now) {
        cycle_t until;
        enum tpu_mxu_state state = state_at(f, f->since, &until);
        until = cycle_min(until, now);
        tpu_mxu_spend(m, state, f->since, until);
        f->since = until;
    }
}

static cycle_t step(struct tpu_mxu *m, cycle_t now)
{
    const cycle_t ends[] = { m->loaded_at, of(m)->staged ? swapped_at(m) : 0,
                             m->stream_end, m->last_result_at,
                             tpu_mxu_pace_next(&of(m)->entries, 0) };
    cycle_t next = CYCLE_NEVER;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends[i] > now)
            next = cycle_min(next, ends[i]);
    return next;
}

static const struct tpu_mxu_ops ops = {
    fast_free, load_at, stream_at, load, stream, step, account, NULL
};

struct tpu_mxu *tpu_mxu_fast_new(const struct tpu_mxu_config *c)
{
    struct fast *f = calloc(1, sizeof *f);
    assert(f);
    tpu_mxu_init(&f->base, &ops, c);
    tpu_mxu_pace_init(&f->entries, f->base.figures.groups);
    tpu_mxu_pace_init(&f->counted, f->base.figures.groups);
    f->staged_weights = calloc((size_t)c->rows * c->cols, sizeof *f->staged_weights);
    f->placed_weights = calloc((size_t)c->rows * c->cols, sizeof *f->placed_weights);
    assert(f->staged_weights && f->placed_weights);
    return &f->base;
}
