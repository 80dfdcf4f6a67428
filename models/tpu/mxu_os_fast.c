/* mxu_os_fast.c - the output-stationary array a tile at a time.
 *
 *     enter    |<- depth x row_cycles ->|
 *     settle                          |<- latency ->|            the last k crosses
 *     shift                                         |<- rows ->| a row of results a cycle
 *
 * With one set of accumulators the next tile enters when all has left; with two, when
 * its own first result, which follows its last k, finds the way out free.
 */
#include <assert.h>
#include <stdlib.h>

#include "models/tpu/mxu_form.h"

struct fast {
    struct tpu_mxu base;
    cycle_t since;              /* cycles before it are counted */
};

static void fast_free(struct tpu_mxu *m) { free(m); }

static cycle_t stream_at(const struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    cycle_t before_last = (cycle_t)(t->depth - 1) * m->config.row_cycles;
    cycle_t left = m->last_result_at;
    if (m->config.weight_buffers == 2)
        left = left > before_last + 1 ? left - before_last - 1 : 0;
    return cycle_max(now, cycle_max(m->stream_end, left));
}

static void stream(struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    cycle_t last = now + (cycle_t)(t->depth - 1) * m->config.row_cycles;
    m->stream_end      = last + m->config.row_cycles;
    m->first_result_at = last + m->figures.latency + 1;
    m->last_result_at  = last + m->figures.latency + m->config.rows;
    if (!t->results)
        return;
    assert(t->weights);
    tpu_mxu_multiply(&(struct tpu_mxu_product) {
        .count = m->config.rows, .depth = t->depth, .cols = m->config.cols,
        .a = t->activations, .a_row = 1, .a_step = m->config.rows,
        .w = t->weights, .results = t->results });
}

static void account(struct tpu_mxu *m, cycle_t now)
{
    struct fast *f = (struct fast *)m;
    const cycle_t ends[] = { m->stream_end, m->last_result_at, CYCLE_NEVER };
    const enum tpu_mxu_state states[] = { TPU_MXU_STREAM, TPU_MXU_DRAIN, TPU_MXU_IDLE };
    for (int i = 0; f->since < now; i++) {
        cycle_t until = cycle_min(now, cycle_max(ends[i], f->since));
        tpu_mxu_spend(m, states[i], f->since, until);
        f->since = until;
    }
}

static cycle_t step(struct tpu_mxu *m, cycle_t now)
{
    if (m->stream_end > now)
        return m->stream_end;
    return m->last_result_at > now ? m->last_result_at : CYCLE_NEVER;
}

static const struct tpu_mxu_ops ops = {
    fast_free, tpu_mxu_os_load_at, stream_at, tpu_mxu_os_load, stream, step, account,
    NULL
};

struct tpu_mxu *tpu_mxu_os_fast_new(const struct tpu_mxu_config *c)
{
    struct fast *f = calloc(1, sizeof *f);
    assert(f);
    tpu_mxu_init(&f->base, &ops, c);
    return &f->base;
}
