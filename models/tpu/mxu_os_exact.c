/* mxu_os_exact.c - the output-stationary array, every register of every PE in every cycle.
 *
 *                weights[k], a column a cycle later than the one before
 *                  |        |        |
 *     row 0 --> [ PE ]-->[ PE ]-->[ PE ]-->     a PE: activation to the right, weight
 *     row 1 --> [ PE ]-->[ PE ]-->[ PE ]-->           downwards, an accumulator, and a
 *     row 2 --> [ PE ]-->[ PE ]-->[ PE ]-->           place in the way out
 *                  |        |        |
 *                results, when all are there: the last row first
 *
 * A wave goes with the first k of a tile, which clears the accumulators it passes, and one
 * with the last, behind which the sums are copied to the way out.  With one set of
 * accumulators these are the way out; a copy that is never looked at does no harm.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/tpu/mxu_grid.h"

/* One k that entered, until the last PE has seen it. */
struct entry {
    cycle_t at;                     /* 1 more, so that 0 is never */
    uint32_t stream, number;        /* for who looks */
    const uint16_t *activations, *weights;      /* NULL: zeros */
};

struct exact {
    struct tpu_mxu base;
    struct tpu_mxu_grid grid;
    cycle_t at;                     /* the cycle in hand; all before it are over */

    struct tpu_mxu_tile tile;       /* entering, if k is left */
    uint32_t k;                     /* the next to enter */
    cycle_t  slot;                  /* cycles of it that are over */
    bool     entering;
    cycle_t  settling;              /* cycles until the tile that left the edge is complete */
    uint32_t shifting;              /* rows still to shift out */
    float   *settled, *shifted;     /* results of the tile that settles, shifts; or NULL */

    struct tpu_mxu_window activations;      /* [rows], moving along the columns */
    uint16_t *weights;              /* [weight_lines][cols]: one line a cycle, moving down */
    uint32_t weight_lines, weight_start;
    struct entry *recent;           /* by cycle of entry */
    uint32_t recent_size;
    struct tpu_mxu_waves firsts, lasts;
    float *sums, *way_out;          /* [rows][cols] */
};

/* What entered at `at - ago`, or NULL. */
static const struct entry *entered_ago(const struct exact *x, cycle_t ago)
{
    if (ago > x->at)
        return NULL;
    const struct entry *e = &x->recent[(x->at - ago) % x->recent_size];
    return e->at == x->at - ago + 1 ? e : NULL;
}

static void move_operands(struct exact *x)
{
    const struct tpu_mxu_grid *g = &x->grid;
    tpu_mxu_window_move(&x->activations, g->hop);
    for (uint32_t s = 0; s < g->row_stages; s++) {
        const struct entry *e = entered_ago(x, s);
        uint32_t end = tpu_mxu_grid_end(g, s, g->rows);
        for (uint32_t r = s * g->hop; r < end; r++) {
            uint16_t value = e && e->activations ? e->activations[r] : 0;
            uint16_t *front = tpu_mxu_window_line(&x->activations, r);
            for (uint32_t i = 0; i < g->hop; i++)
                front[i] = value;
        }
    }
    x->weight_start = (x->weight_start + x->weight_lines - 1) % x->weight_lines;
    uint16_t *top = x->weights + (size_t)x->weight_start * g->cols;
    for (uint32_t s = 0; s < g->col_stages; s++) {
        const struct entry *e = entered_ago(x, s);
        uint32_t end = tpu_mxu_grid_end(g, s, g->cols);
        for (uint32_t c = s * g->hop; c < end; c++)
            top[c] = e && e->weights ? e->weights[c] : 0;
    }
}

static void clear_sums(struct exact *x, cycle_t entered)
{
    const struct tpu_mxu_grid *g = &x->grid;
    uint32_t from, to;
    for (uint32_t r = 0; r < g->rows; r++)
        if (tpu_mxu_grid_front(g, r / g->hop, entered, x->at, &from, &to))
            memset(x->sums + (size_t)r * g->cols + from, 0, (to - from) * sizeof *x->sums);
}

static void multiply(struct exact *x)
{
    const struct tpu_mxu_grid *g = &x->grid;
    for (uint32_t r = 0; r < g->rows; r++) {
        float *sums = x->sums + (size_t)r * g->cols;
        uint32_t line = (x->weight_start + r / g->hop) % x->weight_lines;
        tpu_mxu_grid_multiply(sums, sums, tpu_mxu_window_line(&x->activations, r),
                              x->weights + (size_t)line * g->cols, g->cols);
    }
}

static void copy_sums(struct exact *x, cycle_t entered)
{
    const struct tpu_mxu_grid *g = &x->grid;
    uint32_t from, to;
    for (uint32_t r = 0; r < g->rows; r++)
        if (tpu_mxu_grid_front(g, r / g->hop, entered, x->at, &from, &to))
            memcpy(x->way_out + (size_t)r * g->cols + from, x->sums + (size_t)r * g->cols + from,
                   (to - from) * sizeof *x->sums);
}

/* The bottom row leaves, the others move down by one. */
static void shift_out(struct exact *x)
{
    const struct tpu_mxu_grid *g = &x->grid;
    size_t line = g->cols * sizeof *x->way_out;
    x->shifting--;
    if (x->shifted) {
        const float *bottom = x->way_out + (size_t)(g->rows - 1) * g->cols;
        float *results = x->shifted + (size_t)x->shifting * g->cols;
        for (uint32_t c = 0; c < g->cols; c++)
            results[c] = f32_canonical(bottom[c]);
    }
    memmove(x->way_out + g->cols, x->way_out, (g->rows - 1) * line);
}

static void enter(struct exact *x)
{
    const struct tpu_mxu_tile *t = &x->tile;
    if (x->slot == 0) {
        x->recent[x->at % x->recent_size] = (struct entry) {
            .at = x->at + 1,
            .stream = (uint32_t)x->base.stats.streams - 1,
            .number = x->k,
            .activations = t->activations ? t->activations + (size_t)x->k * x->grid.rows : NULL,
            .weights = t->weights ? t->weights + (size_t)x->k * x->grid.cols : NULL,
        };
        if (x->k == 0)
            tpu_mxu_waves_enter(&x->firsts, x->at);
        if (++x->k == t->depth) {
            assert(!x->settling && x->shifting <= 1);   /* the way out is free */
            tpu_mxu_waves_enter(&x->lasts, x->at);
            x->settling = x->base.figures.latency;
            x->settled = t->results;
        }
    }
    if (++x->slot == x->base.config.row_cycles) {
        x->slot = 0;
        x->entering = x->k < t->depth;
    }
}

static void cycle(struct exact *x)
{
    bool inside = x->settling || x->shifting;
    enum tpu_mxu_state state = x->entering ? TPU_MXU_STREAM : inside ? TPU_MXU_DRAIN : TPU_MXU_IDLE;
    tpu_mxu_spend(&x->base, state, x->at, x->at + 1);
    if (x->entering)
        enter(x);
    move_operands(x);
    for (uint32_t i = 0; i < x->firsts.count; i++)
        clear_sums(x, tpu_mxu_wave(&x->firsts, i));
    multiply(x);
    if (x->shifting)
        shift_out(x);
    for (uint32_t i = 0; i < x->lasts.count; i++)
        copy_sums(x, tpu_mxu_wave(&x->lasts, i));
    if (x->settling && --x->settling == 0) {
        x->shifting = x->grid.rows;
        x->shifted = x->settled;
    }
    cycle_t over = x->at + 1, crossing = x->grid.crossing;
    tpu_mxu_waves_leave(&x->firsts, over < crossing ? 0 : over - crossing + 1);
    tpu_mxu_waves_leave(&x->lasts, over < crossing ? 0 : over - crossing + 1);
}

/* Nothing moves, nor will before somebody calls. */
static bool quiet(const struct exact *x)
{
    return !x->entering && !x->settling && !x->shifting;
}

static void account(struct tpu_mxu *m, cycle_t now)
{
    struct exact *x = (struct exact *)m;
    for (; x->at < now && !quiet(x); x->at++)
        cycle(x);
    if (now > x->at)
        tpu_mxu_spend(m, TPU_MXU_IDLE, x->at, now);
    x->at = cycle_max(x->at, now);
}

static cycle_t stream_at(const struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    cycle_t at = cycle_max(now, m->stream_end);
    if (m->config.weight_buffers == 1)
        return cycle_max(at, m->last_result_at);
    /* The last k may enter when the last row of the results before moves. */
    cycle_t last = at + (cycle_t)(t->depth - 1) * m->config.row_cycles;
    return last + 1 < m->last_result_at ? at + (m->last_result_at - 1 - last) : at;
}

static void stream(struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    struct exact *x = (struct exact *)m;
    assert(!x->entering);
    assert(m->config.weight_buffers == 2 || quiet(x));
    x->tile = *t;
    x->k = 0;
    x->slot = 0;
    x->entering = true;
    cycle_t complete = now + (cycle_t)(t->depth - 1) * m->config.row_cycles + m->figures.latency;
    m->stream_end      = now + (cycle_t)t->depth * m->config.row_cycles;
    m->first_result_at = complete + 1;
    m->last_result_at  = complete + m->config.rows;
}

static cycle_t step(struct tpu_mxu *m, cycle_t now)
{
    account(m, now);
    return quiet((struct exact *)m) ? CYCLE_NEVER : now + 1;
}

/* The cycle before the one in hand is over: what passed then is a cycle ago.  Of what shifts
 * out, rows that have left made room at the top. */
static void look_at(const struct exact *x, uint32_t r, uint32_t c, struct tpu_mxu_pe *pe)
{
    const struct tpu_mxu_grid *g = &x->grid;
    size_t cell = (size_t)r * g->cols + c;
    uint32_t line = (x->weight_start + r / g->hop) % x->weight_lines;
    uint32_t left = x->shifting ? g->rows - x->shifting : g->rows;
    const struct entry *e = entered_ago(x, 1 + (cycle_t)(r / g->hop) + c / g->hop);
    *pe = (struct tpu_mxu_pe) {
        .passing = e != NULL, .has_sum = true, .sum = x->sums[cell], .leaving = r >= left,
    };
    if (e) {
        pe->stream = e->stream;
        pe->number = e->number;
        pe->weight = x->weights[(size_t)line * g->cols + c];
        pe->activation = tpu_mxu_window_line(&x->activations, r)[c];
    }
    if (pe->leaving) {
        pe->out = x->way_out[cell];
        pe->out_row = r - left;
    }
}

static void look(const struct tpu_mxu *m, struct tpu_mxu_pe *pes)
{
    const struct exact *x = (const struct exact *)m;
    for (uint32_t r = 0; r < x->grid.rows; r++)
        for (uint32_t c = 0; c < x->grid.cols; c++)
            look_at(x, r, c, pes + (size_t)r * x->grid.cols + c);
}

static void exact_free(struct tpu_mxu *m)
{
    struct exact *x = (struct exact *)m;
    void *const owned[] = { x->activations.values, x->weights, x->recent, x->firsts.entered,
                            x->lasts.entered, x->sums, x->way_out, x };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
}

static const struct tpu_mxu_ops ops = {
    exact_free, tpu_mxu_os_load_at, stream_at, tpu_mxu_os_load, stream, step, account, look
};

struct tpu_mxu *tpu_mxu_os_exact_new(const struct tpu_mxu_config *c)
{
    struct exact *x = tpu_mxu_zeroed(1, sizeof *x);
    tpu_mxu_init(&x->base, &ops, c);
    x->grid = tpu_mxu_grid(c->rows, c->cols, x->base.figures.latency);
    const struct tpu_mxu_grid *g = &x->grid;
    size_t cells = (size_t)g->rows * g->cols;
    tpu_mxu_window_init(&x->activations, g->rows, g->col_stages * g->hop);
    x->weight_lines = g->row_stages;
    x->weights = tpu_mxu_zeroed((size_t)g->row_stages * g->cols, sizeof *x->weights);
    x->recent_size = g->crossing + 1;
    x->recent = tpu_mxu_zeroed(x->recent_size, sizeof *x->recent);
    tpu_mxu_waves_init(&x->firsts, g->crossing + 1);
    tpu_mxu_waves_init(&x->lasts, g->crossing + 1);
    x->sums = tpu_mxu_zeroed(cells, sizeof *x->sums);
    x->way_out = tpu_mxu_zeroed(cells, sizeof *x->way_out);
    return &x->base;
}
