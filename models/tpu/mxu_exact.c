/* mxu_exact.c - the weight-stationary array, every register of every PE in every cycle.
 *
 *              weights and their row numbers, a column a cycle later than the one before
 *                  |        |        |
 *     row 0 --> [ PE ]-->[ PE ]-->[ PE ]-->     a PE: staged and placed weight,
 *     row 1 --> [ PE ]-->[ PE ]-->[ PE ]-->           activation to the right,
 *     row 2 --> [ PE ]-->[ PE ]-->[ PE ]-->           partial sum downwards
 *                  |        |        |
 *                 results, a column a cycle later than the one before --> result queue
 *
 * Nothing here knows the closed form: rows enter while a counter says that there is room,
 * weights swap where the swap's wave passes, results are what falls out at the bottom.  The
 * cycles that were promised when a stream began are asserted when they come.
 *
 * Kept as what was put into them, because nothing happens inside: the delay lines that
 * skew the activations, and the lanes by which weights pass the rows above their own.
 * Registers that a wave has not reached hold what they may; nobody looks.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/tpu/mxu_grid.h"

/* A row that entered, until its last result has fallen out. */
struct row {
    cycle_t entered;                /* 1 more, so that 0 is never */
    uint32_t stream, number;        /* for who looks */
    const uint16_t *activations;    /* NULL: zeros */
    float *results;                 /* NULL: nobody wants them */
};

struct exact {
    struct tpu_mxu base;
    struct tpu_mxu_grid grid;
    cycle_t at;                     /* the cycle in hand; all before it are over */

    /* The controller. */
    bool     staged, placed;
    cycle_t  pushing, swapping;     /* cycles that these still take */
    struct tpu_mxu_tile tile;       /* streaming, if rows are left of it */
    uint64_t pushes_left;
    cycle_t  slot;                  /* cycles of the push that enters now that are over */
    uint32_t row;                   /* of the tile, the next to enter */
    struct tpu_mxu_waves inside;    /* pushes not yet popped */
    struct tpu_mxu_pace  promised;

    /* The array. */
    uint16_t *placed_weights, *staged_weights;      /* [rows][cols] */
    float *sums;                                    /* [row_stages][cols] */
    float *zeros;                                   /* what enters at the top */
    struct tpu_mxu_window activations;              /* a line a row */
    cycle_t *last_entry;            /* [row_stages]: the latest row to pass, 1 more; 0: none */
    struct row *recent;             /* rows on their way, by cycle of entry */
    uint32_t recent_size;           /* a power of two */
    struct tpu_mxu_waves swaps, loads;
    uint16_t *load_values;          /* a tile for each load that can be under way */
};

static bool single(const struct exact *x) { return x->base.config.weight_buffers == 1; }

static bool room(const struct exact *x)
{
    uint32_t limit = x->base.config.in_flight_rows / x->base.config.push_rows;
    return !limit || x->inside.count < limit;
}

static struct row *recent(const struct exact *x, cycle_t entered)
{
    return &x->recent[entered & (x->recent_size - 1)];
}

/* The row that entered at `at - ago`, or NULL. */
static const struct row *entered_ago(const struct exact *x, cycle_t ago)
{
    if (ago > x->at)
        return NULL;
    const struct row *row = recent(x, x->at - ago);
    return row->entered == x->at - ago + 1 ? row : NULL;
}

static void move_activations(struct exact *x)
{
    const struct tpu_mxu_grid *g = &x->grid;
    tpu_mxu_window_move(&x->activations, g->hop);
    for (uint32_t s = 0; s < g->row_stages; s++) {
        const struct row *row = entered_ago(x, s);
        if (!row)
            continue;
        uint32_t end = tpu_mxu_grid_end(g, s, g->rows);
        for (uint32_t r = s * g->hop; r < end; r++) {
            uint16_t value = row->activations ? row->activations[r] : 0;
            uint16_t *front = tpu_mxu_window_line(&x->activations, r);
            for (uint32_t i = 0; i < g->hop; i++)
                front[i] = value;
        }
    }
}

static void swap_weights(struct exact *x, cycle_t entered)
{
    const struct tpu_mxu_grid *g = &x->grid;
    uint32_t from, to;
    for (uint32_t s = 0; s < g->row_stages; s++) {
        if (!tpu_mxu_grid_front(g, s, entered, x->at, &from, &to))
            continue;
        uint32_t end = tpu_mxu_grid_end(g, s, g->rows);
        for (uint32_t r = s * g->hop; r < end; r++)
            for (uint32_t c = from; c < to; c++)
                x->placed_weights[(size_t)r * g->cols + c] =
                    x->staged_weights[(size_t)r * g->cols + c];
    }
}

/* Each PE takes the weight of its own row as it passes. */
static void stage_weights(struct exact *x, cycle_t began, const uint16_t *values)
{
    const struct tpu_mxu_grid *g = &x->grid;
    uint16_t *into = single(x) ? x->placed_weights : x->staged_weights;
    uint32_t from, to, per_cycle = x->base.config.weight_rows_per_cycle;
    for (uint32_t s = 0; s < g->row_stages && began + s <= x->at; s++) {
        uint32_t end = tpu_mxu_grid_end(g, s, g->rows);
        for (uint32_t r = s * g->hop; r < end; r++) {
            if (!tpu_mxu_grid_front(g, s, began + r / per_cycle, x->at, &from, &to))
                continue;
            for (uint32_t c = from; c < to; c++)
                into[(size_t)r * g->cols + c] = values[(size_t)r * g->cols + c];
        }
    }
}

/* Last stage first: a stage reads the sums that the one above it left a cycle ago. */
static void multiply(struct exact *x)
{
    const struct tpu_mxu_grid *g = &x->grid;
    for (uint32_t s = g->row_stages; s-- > 0; ) {
        if (!x->last_entry[s] || x->at + 1 - s - x->last_entry[s] >= g->col_stages)
            continue;               /* no row within this stage */
        float *sum = x->sums + (size_t)s * g->cols;
        const float *from = s ? sum - g->cols : x->zeros;
        uint32_t end = tpu_mxu_grid_end(g, s, g->rows);
        for (uint32_t r = s * g->hop; r < end; r++) {
            tpu_mxu_grid_multiply(sum, from, tpu_mxu_window_line(&x->activations, r),
                                  x->placed_weights + (size_t)r * g->cols, g->cols);
            from = sum;
        }
    }
}

/* The bottom's sums in the columns that a row has just reached are its results. */
static void take_results(struct exact *x)
{
    const struct tpu_mxu_grid *g = &x->grid;
    const float *bottom = x->sums + (size_t)(g->row_stages - 1) * g->cols;
    for (uint32_t s = 0; s < g->col_stages; s++) {
        const struct row *row = entered_ago(x, g->row_stages - 1 + s);
        if (!row || !row->results)
            continue;
        uint32_t end = tpu_mxu_grid_end(g, s, g->cols);
        for (uint32_t c = s * g->hop; c < end; c++)
            row->results[c] = f32_canonical(bottom[c]);
    }
}

static void array_cycle(struct exact *x)
{
    const struct tpu_mxu_grid *g = &x->grid;
    size_t cells = (size_t)g->rows * g->cols;
    memmove(x->last_entry + 1, x->last_entry, (g->row_stages - 1) * sizeof *x->last_entry);
    if (entered_ago(x, 0))
        x->last_entry[0] = x->at + 1;
    move_activations(x);
    for (uint32_t i = 0; i < x->swaps.count; i++)
        swap_weights(x, tpu_mxu_wave(&x->swaps, i));
    multiply(x);
    take_results(x);
    for (uint32_t i = 0; i < x->loads.count; i++)       /* seen from the next cycle on */
        stage_weights(x, tpu_mxu_wave(&x->loads, i),
                      x->load_values + (x->loads.first + i) % x->loads.size * cells);

    cycle_t over = x->at + 1;
    tpu_mxu_waves_leave(&x->swaps, over < g->crossing ? 0 : over - g->crossing + 1);
    cycle_t stay = g->crossing + x->base.figures.load - 1;
    tpu_mxu_waves_leave(&x->loads, over < stay ? 0 : over - stay + 1);
}

/* Nothing moves in the array, nor will before somebody calls. */
static bool array_quiet(const struct exact *x)
{
    return !x->swaps.count && !x->loads.count && !x->pushes_left &&
           (!x->last_entry[0] || x->at + 1 - x->last_entry[0] >= x->grid.crossing);
}

static void enter_row(struct exact *x)
{
    if (x->row == x->tile.depth)
        return;                     /* the rest of the push is padding */
    const struct tpu_mxu_tile *t = &x->tile;
    *recent(x, x->at) = (struct row) {
        .entered     = x->at + 1,
        .stream      = (uint32_t)x->base.stats.streams - 1,
        .number      = x->row,
        .activations = t->activations ? t->activations + (size_t)x->row * x->grid.rows : NULL,
        .results     = t->results ? t->results + (size_t)x->row * x->grid.cols : NULL,
    };
    x->row++;
}

static enum tpu_mxu_state stream_cycle(struct exact *x)
{
    if (x->slot == 0) {
        if (!room(x))
            return TPU_MXU_FULL;
        tpu_mxu_waves_enter(&x->inside, x->at);
    }
    if (x->slot % x->base.config.row_cycles == 0)
        enter_row(x);
    if (++x->slot == x->base.figures.group) {
        x->slot = 0;
        x->pushes_left--;
    }
    assert((x->pushes_left == 0) == (x->at + 1 == x->base.stream_end));
    return TPU_MXU_STREAM;
}

/* Between streams. */
static enum tpu_mxu_state waiting_cycle(struct exact *x)
{
    if (single(x) && x->inside.count)
        return TPU_MXU_DRAIN;
    if (!x->staged)
        return TPU_MXU_IDLE;
    if (x->pushing)
        return TPU_MXU_WEIGHTS;
    if (!single(x) && x->swapping) {
        x->swapping--;
        return TPU_MXU_SWAP;
    }
    return room(x) ? TPU_MXU_WAIT : TPU_MXU_FULL;
}

static void cycle(struct exact *x)
{
    enum tpu_mxu_state state = x->pushes_left ? stream_cycle(x) : waiting_cycle(x);
    tpu_mxu_spend(&x->base, state, x->at, x->at + 1);
    if (x->pushing) {
        x->pushing--;
        x->base.stats.weight_cycles++;
    }
    array_cycle(x);
}

/* What is poppable is popped, before anything else happens in a cycle. */
static void pop(struct exact *x)
{
    cycle_t latency = x->base.figures.latency;
    tpu_mxu_waves_leave(&x->inside, x->at < latency ? 0 : x->at - latency + 1);
}

/* Nothing will change before somebody calls; the state counts on. */
static bool quiet(const struct exact *x)
{
    return array_quiet(x) && !x->inside.count && !x->pushing && !x->swapping;
}

static void account(struct tpu_mxu *m, cycle_t now)
{
    struct exact *x = (struct exact *)m;
    while (x->at < now) {
        if (quiet(x)) {
            tpu_mxu_spend(m, waiting_cycle(x), x->at, now);
            x->at = now;
            return;
        }
        cycle(x);
        x->at++;
        pop(x);
    }
}

static const struct exact *of(const struct tpu_mxu *m) { return (const struct exact *)m; }

static cycle_t load_at(const struct tpu_mxu *m, cycle_t now)
{
    if (of(m)->staged)
        return CYCLE_NEVER;
    return single(of(m)) ? cycle_max(now, m->last_result_at) : now;
}

static cycle_t stream_at(const struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    const struct exact *x = of(m);
    cycle_t ready = cycle_max(now, m->stream_end);
    if (t->reuse) {
        if (!x->placed || (single(x) && x->staged))
            return CYCLE_NEVER;
    } else {
        if (!x->staged)
            return CYCLE_NEVER;
        cycle_t swap = single(x) ? 0 : m->config.swap_cycles;
        ready = cycle_max(ready, cycle_max(m->stream_end, m->loaded_at) + swap);
    }
    return tpu_mxu_pace_next(&x->promised, ready);
}

static void load(struct tpu_mxu *m, cycle_t now, const uint16_t *weights)
{
    struct exact *x = (struct exact *)m;
    assert(!x->staged && !(single(x) && x->inside.count));
    size_t cells = (size_t)x->grid.rows * x->grid.cols;
    tpu_mxu_waves_enter(&x->loads, now);
    uint32_t newest = (x->loads.first + x->loads.count - 1) % x->loads.size;
    if (weights)
        memcpy(x->load_values + newest * cells, weights, cells * sizeof *weights);
    else
        memset(x->load_values + newest * cells, 0, cells * sizeof *weights);
    x->staged = true;
    x->pushing = m->figures.load;
    x->swapping = m->config.swap_cycles;
}

static void stream(struct tpu_mxu *m, cycle_t now, const struct tpu_mxu_tile *t)
{
    struct exact *x = (struct exact *)m;
    assert(!x->pushes_left && room(x));
    if (!t->reuse) {
        assert(x->staged && !x->pushing && (single(x) || !x->swapping));
        if (!single(x))
            tpu_mxu_waves_enter(&x->swaps, now);
        x->staged = false;
        x->placed = true;
    }
    x->swapping = x->staged ? m->config.swap_cycles : 0;
    x->tile = *t;
    x->row = 0;
    x->slot = 0;
    x->pushes_left = ceil_div(t->depth, m->config.push_rows);
    cycle_t last = tpu_mxu_pace_last(&x->promised, &m->figures, now, x->pushes_left);
    m->stream_end      = last + m->figures.group;
    m->first_result_at = now + m->figures.latency;
    m->last_result_at  = last + m->figures.latency;
}

static cycle_t step(struct tpu_mxu *m, cycle_t now)
{
    account(m, now);
    return quiet(of(m)) ? CYCLE_NEVER : now + 1;
}

/* The cycle before the one in hand is over: what passed then is a cycle ago. */
static void look_at(const struct exact *x, uint32_t r, uint32_t c, struct tpu_mxu_pe *pe)
{
    const struct tpu_mxu_grid *g = &x->grid;
    size_t cell = (size_t)r * g->cols + c;
    uint32_t stage = r / g->hop;
    const struct row *row = entered_ago(x, 1 + (cycle_t)stage + c / g->hop);
    *pe = (struct tpu_mxu_pe) { .weight = x->placed_weights[cell], .passing = row != NULL };
    pe->next = single(x) ? pe->weight : x->staged_weights[cell];
    if (!row)
        return;
    pe->stream = row->stream;
    pe->number = row->number;
    pe->activation = tpu_mxu_window_line(&x->activations, r)[c];
    pe->has_sum = r + 1 == tpu_mxu_grid_end(g, stage, g->rows);
    pe->sum = pe->has_sum ? x->sums[(size_t)stage * g->cols + c] : 0;
}

static void look(const struct tpu_mxu *m, struct tpu_mxu_pe *pes)
{
    const struct exact *x = of(m);
    for (uint32_t r = 0; r < x->grid.rows; r++)
        for (uint32_t c = 0; c < x->grid.cols; c++)
            look_at(x, r, c, pes + (size_t)r * x->grid.cols + c);
}

static void exact_free(struct tpu_mxu *m)
{
    struct exact *x = (struct exact *)m;
    void *const owned[] = { x->inside.entered, x->promised.pop, x->placed_weights,
        x->staged_weights, x->sums, x->zeros, x->activations.values, x->last_entry, x->recent,
        x->swaps.entered, x->loads.entered, x->load_values, x };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
}

static const struct tpu_mxu_ops ops = {
    exact_free, load_at, stream_at, load, stream, step, account, look
};

static void new_array(struct exact *x)
{
    const struct tpu_mxu_grid *g = &x->grid;
    size_t cells = (size_t)g->rows * g->cols;
    x->placed_weights = tpu_mxu_zeroed(cells, sizeof(uint16_t));
    x->staged_weights = tpu_mxu_zeroed(cells, sizeof(uint16_t));
    x->sums           = tpu_mxu_zeroed((size_t)g->row_stages * g->cols, sizeof(float));
    x->zeros          = tpu_mxu_zeroed(g->cols, sizeof(float));
    x->last_entry     = tpu_mxu_zeroed(g->row_stages, sizeof *x->last_entry);
    tpu_mxu_window_init(&x->activations, g->rows, g->col_stages * g->hop);
    for (x->recent_size = 1; x->recent_size <= g->crossing; x->recent_size *= 2)
        ;
    x->recent = tpu_mxu_zeroed(x->recent_size, sizeof *x->recent);
    /* A load a push, a swap a cycle: as many as can be crossing at once. */
    uint32_t loads = (uint32_t)(g->crossing / x->base.figures.load) + 2;
    tpu_mxu_waves_init(&x->swaps, g->crossing + 1);
    tpu_mxu_waves_init(&x->loads, loads);
    x->load_values = tpu_mxu_zeroed(loads * cells, sizeof *x->load_values);
}

struct tpu_mxu *tpu_mxu_exact_new(const struct tpu_mxu_config *c)
{
    struct exact *x = tpu_mxu_zeroed(1, sizeof *x);
    tpu_mxu_init(&x->base, &ops, c);
    const struct tpu_mxu_figures *f = &x->base.figures;
    cycle_t slack = f->latency - (cycle_t)(c->push_rows - 1) * c->row_cycles;
    x->grid = tpu_mxu_grid(c->rows, c->cols, slack);
    tpu_mxu_waves_init(&x->inside, (uint32_t)(f->latency / f->group) + 2);
    tpu_mxu_pace_init(&x->promised, f->groups);
    new_array(x);
    return &x->base;
}
