/* mxu.c - the matrix unit: what is the same in every form, in front of the one chosen. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/numerics/bf16.h"
#include "models/tpu/mxu_form.h"

#define ENTRY(...) PARAM_ENTRY(tpu_mxu_config, __VA_ARGS__)
const struct param tpu_mxu_params[TPU_MXU_PARAM_COUNT] = { TPU_MXU_PARAMS(ENTRY) };
#undef ENTRY

#define STATE(name, what) #name,
const char *const tpu_mxu_state_names[TPU_MXU_STATES_COUNT] = { TPU_MXU_STATES(STATE) };
#undef STATE

bool tpu_mxu_config_check(const struct tpu_mxu_config *c, char *expected, size_t size)
{
    cycle_t least = (cycle_t)(c->push_rows - 1) * c->row_cycles + 1;
    if (c->in_flight_rows && c->in_flight_rows < c->push_rows) {
        snprintf(expected, size, "in_flight_rows of 0 (no limit) or at least push_rows, %u",
                 c->push_rows);
        return false;
    }
    if (c->latency_cycles && c->latency_cycles < least) {
        snprintf(expected, size, "latency_cycles of 0 (textbook) or at least %llu, "
                 "by when the last row of a push has entered", (unsigned long long)least);
        return false;
    }
    return true;
}

struct tpu_mxu_figures tpu_mxu_figures(const struct tpu_mxu_config *c)
{
    /* Output-stationary, each k goes by itself. */
    uint32_t push = c->dataflow == TPU_MXU_OUTPUT_STATIONARY ? 1 : c->push_rows;
    struct tpu_mxu_figures f = {
        .load    = ceil_div(c->rows, c->weight_rows_per_cycle),
        .group   = (cycle_t)push * c->row_cycles,
        .latency = c->latency_cycles,
    };
    if (!f.latency)
        f.latency = (cycle_t)(push - 1) * c->row_cycles + c->rows + c->cols - 1;
    /* With room for as many as enter within the latency, a pop always comes in time. */
    uint32_t groups = c->in_flight_rows / push;
    if (groups && groups * f.group < f.latency)
        f.groups = groups;
    return f;
}

void tpu_mxu_init(struct tpu_mxu *m, const struct tpu_mxu_ops *ops, const struct tpu_mxu_config *c)
{
    m->ops     = ops;
    m->config  = *c;
    m->figures = tpu_mxu_figures(c);
}

void tpu_mxu_pace_init(struct tpu_mxu_pace *p, uint32_t size)
{
    p->size = size;
    p->oldest = 0;
    p->pop = size ? calloc(size, sizeof *p->pop) : NULL;
    assert(!size || p->pop);
}

cycle_t tpu_mxu_pace_next(const struct tpu_mxu_pace *p, cycle_t earliest)
{
    return p->size ? cycle_max(earliest, p->pop[p->oldest]) : earliest;
}

void tpu_mxu_pace_enter(struct tpu_mxu_pace *p, cycle_t at, cycle_t latency)
{
    if (!p->size)
        return;
    p->pop[p->oldest] = at + latency;
    p->oldest = (p->oldest + 1) % p->size;
}

cycle_t tpu_mxu_pace_last(struct tpu_mxu_pace *p, const struct tpu_mxu_figures *f,
                          cycle_t at, uint64_t count)
{
    if (!p->size)
        return at + (count - 1) * f->group;
    for (;;) {
        tpu_mxu_pace_enter(p, at, f->latency);
        if (--count == 0)
            return at;
        at = tpu_mxu_pace_next(p, at + f->group);
    }
}

struct tpu_mxu *tpu_mxu_new(const struct tpu_mxu_config *c, enum tpu_mxu_form form)
{
    char expected[128];
    assert(tpu_mxu_config_check(c, expected, sizeof expected));
    bool os = c->dataflow == TPU_MXU_OUTPUT_STATIONARY;
    switch (form) {
    case TPU_MXU_FAST:  return os ? tpu_mxu_os_fast_new(c) : tpu_mxu_fast_new(c);
    case TPU_MXU_EXACT: return os ? tpu_mxu_os_exact_new(c) : tpu_mxu_exact_new(c);
    }
    abort();
}

void tpu_mxu_look(const struct tpu_mxu *m, struct tpu_mxu_pe *pes)
{
    assert(m->ops->look);
    m->ops->look(m, pes);
}

void tpu_mxu_free(struct tpu_mxu *m)
{
    if (m)
        m->ops->free(m);
}

void tpu_mxu_record(struct tpu_mxu *m, struct record *r, const char *name)
{
    m->record = r;
    m->track = record_state_track(r, name, tpu_mxu_state_names, TPU_MXU_STATES_COUNT,
                                  TPU_MXU_STREAM, TPU_MXU_IDLE);
}

cycle_t tpu_mxu_load_at(const struct tpu_mxu *m, cycle_t now)
{
    return m->ops->load_at(m, now);
}

cycle_t tpu_mxu_stream_at(const struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    return m->ops->stream_at(m, now, t);
}

void tpu_mxu_load(struct tpu_mxu *m, cycle_t now, const uint16_t *weights)
{
    assert(tpu_mxu_can_load(m, now));
    m->ops->account(m, now);
    m->ops->load(m, now, weights);
    m->loaded_at = now + m->figures.load;
    m->stats.tiles_loaded++;
    m->stats.weight_rows += m->config.rows;
}

/* A cell of the array is a multiply-accumulate each time a row (output-stationary: a k)
 * passes it; what of that the caller had a use for is useful. */
static void count_tile(struct tpu_mxu *m, const struct tpu_mxu_tile *t)
{
    bool os = m->config.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    uint64_t passes = os ? t->depth : ceil_div(t->depth, m->config.push_rows) * m->config.push_rows;
    uint64_t useful = (uint64_t)t->depth * t->used_rows * t->used_cols;
    m->stats.streams++;
    m->stats.rows_streamed += t->depth;
    m->stats.rows_padded += passes - t->depth;
    m->stats.macs_useful += useful;
    m->stats.macs_padded += passes * m->config.rows * m->config.cols - useful;
}

void tpu_mxu_stream(struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    assert(t->depth > 0);
    assert(t->used_rows > 0 && t->used_rows <= m->config.rows);
    assert(t->used_cols > 0 && t->used_cols <= m->config.cols);
    assert(!t->activations == !t->results);
    assert(tpu_mxu_can_stream(m, now, t));
    m->ops->account(m, now);
    m->ops->stream(m, now, t);
    count_tile(m, t);
}

cycle_t tpu_mxu_step(struct tpu_mxu *m, cycle_t now)
{
    return m->ops->step(m, now);
}

cycle_t tpu_mxu_loaded_at(const struct tpu_mxu *m)       { return m->loaded_at; }
cycle_t tpu_mxu_stream_end(const struct tpu_mxu *m)      { return m->stream_end; }
cycle_t tpu_mxu_first_result_at(const struct tpu_mxu *m) { return m->first_result_at; }
cycle_t tpu_mxu_last_result_at(const struct tpu_mxu *m)  { return m->last_result_at; }

struct tpu_mxu_stats tpu_mxu_stats(struct tpu_mxu *m, cycle_t now)
{
    m->ops->account(m, now);
    return m->stats;
}

cycle_t tpu_mxu_os_load_at(const struct tpu_mxu *m, cycle_t now)
{
    (void)m, (void)now;
    return CYCLE_NEVER;
}

void tpu_mxu_os_load(struct tpu_mxu *m, cycle_t now, const uint16_t *weights)
{
    (void)m, (void)now, (void)weights;
    abort();
}

void *tpu_mxu_zeroed(size_t count, size_t size)
{
    void *p = calloc(count, size);
    assert(p);
    return p;
}
