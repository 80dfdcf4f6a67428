/* array_run.c - see array_run.h. */
#include "sim/array_run.h"

#include <assert.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/zeroed.h"

struct array_run {
    struct array_run_config config;
    struct tpu_mxu    *mxu;
    bool               outputs_stay;
    struct array_tile *tiles;
    uint32_t           count, loads, streams, added;    /* tiles; begun; in the product */
    cycle_t            next;
    enum tpu_mxu_state state;
    struct tpu_mxu_pe *pes;
    uint16_t         **weights, **activations;      /* [count], of tiles under way */
    float            **results;
    float             *product;
};

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t blocks(uint32_t size, uint32_t of) { return (size + of - 1) / of; }

static void cut(struct array_run *r)
{
    const struct array_run_config *c = &r->config;
    uint32_t rows = r->outputs_stay ? c->mxu.rows : c->m;
    uint32_t deep = r->outputs_stay ? c->k : c->mxu.rows, cols = c->mxu.cols;
    r->count = blocks(c->m, rows) * blocks(c->k, deep) * blocks(c->n, cols);
    r->tiles = zeroed(r->count, sizeof *r->tiles);
    struct array_tile *t = r->tiles;
    for (uint32_t row = 0; row < c->m; row += rows)
        for (uint32_t col = 0; col < c->n; col += cols)
            for (uint32_t k = 0; k < c->k; k += deep)
                *t++ = (struct array_tile){
                    row, k, col, least(rows, c->m - row), least(deep, c->k - k),
                    least(cols, c->n - col), CYCLE_NEVER, CYCLE_NEVER, CYCLE_NEVER, CYCLE_NEVER,
                    CYCLE_NEVER, CYCLE_NEVER };
}

struct array_run *array_run_new(const struct array_run_config *c)
{
    struct array_run *r = zeroed(1, sizeof *r);
    r->config = *c;
    r->mxu = tpu_mxu_new(&c->mxu, TPU_MXU_EXACT);
    r->outputs_stay = c->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    cut(r);
    if (r->outputs_stay)
        r->loads = r->count;            /* nothing is loaded */
    r->pes = zeroed((size_t)c->mxu.rows * c->mxu.cols, sizeof *r->pes);
    r->weights = zeroed(r->count, sizeof *r->weights);
    r->activations = zeroed(r->count, sizeof *r->activations);
    r->results = zeroed(r->count, sizeof *r->results);
    r->product = zeroed((size_t)c->m * c->n, sizeof *r->product);
    return r;
}

void array_run_free(struct array_run *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->count; i++) {
        free(r->weights[i]);
        free(r->activations[i]);
        free(r->results[i]);
    }
    tpu_mxu_free(r->mxu);
    void *const owned[] = { r->tiles, r->pes, r->weights, r->activations, r->results,
                            r->product, r };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
}

/* ---- what goes in; padding is zero */

static uint16_t *weights_of(const struct array_run *r, const struct array_tile *t)
{
    const struct array_run_config *c = &r->config;
    uint32_t lines = r->outputs_stay ? t->deep : c->mxu.rows;
    uint16_t *w = zeroed((size_t)lines * c->mxu.cols, sizeof *w);
    for (uint32_t k = 0; k < t->deep; k++)
        memcpy(w + (size_t)k * c->mxu.cols, c->b + (size_t)(t->k + k) * c->n + t->col,
               t->cols * sizeof *w);
    return w;
}

/* A line of k for each row; where outputs stay, of rows for each k. */
static uint16_t *activations_of(const struct array_run *r, const struct array_tile *t)
{
    const struct array_run_config *c = &r->config;
    uint32_t lines = r->outputs_stay ? t->deep : t->rows, width = c->mxu.rows;
    uint16_t *a = zeroed((size_t)lines * width, sizeof *a);
    for (uint32_t m = 0; m < t->rows; m++)
        for (uint32_t k = 0; k < t->deep; k++)
            a[r->outputs_stay ? (size_t)k * width + m : (size_t)m * width + k] =
                c->a[(size_t)(t->row + m) * c->k + t->k + k];
    return a;
}

static struct tpu_mxu_tile tile_of(const struct array_run *r, const struct array_tile *t)
{
    return (struct tpu_mxu_tile){
        .depth = r->outputs_stay ? t->deep : t->rows,
        .used_rows = r->outputs_stay ? t->rows : t->deep, .used_cols = t->cols };
}

static void start_load(struct array_run *r)
{
    struct array_tile *t = &r->tiles[r->loads];
    r->weights[r->loads] = weights_of(r, t);
    tpu_mxu_load(r->mxu, r->next, r->weights[r->loads]);
    t->load_at = r->next;
    t->loaded_at = tpu_mxu_loaded_at(r->mxu);
    r->loads++;
}

static void start_stream(struct array_run *r)
{
    struct array_tile *t = &r->tiles[r->streams];
    struct tpu_mxu_tile tile = tile_of(r, t);
    uint32_t lines = r->outputs_stay ? r->config.mxu.rows : t->rows;
    r->activations[r->streams] = activations_of(r, t);
    r->results[r->streams] = zeroed((size_t)lines * r->config.mxu.cols, sizeof(float));
    tile.activations = r->activations[r->streams];
    tile.results = r->results[r->streams];
    if (r->outputs_stay)
        tile.weights = r->weights[r->streams] = weights_of(r, t);
    tpu_mxu_stream(r->mxu, r->next, &tile);
    t->stream_at = r->next;
    t->stream_end = tpu_mxu_stream_end(r->mxu);
    t->first_result_at = tpu_mxu_first_result_at(r->mxu);
    t->last_result_at = tpu_mxu_last_result_at(r->mxu);
    r->streams++;
}

/* ---- what comes out */

static void add(struct array_run *r, uint32_t tile)
{
    const struct array_tile *t = &r->tiles[tile];
    for (uint32_t m = 0; m < t->rows; m++) {
        float *y = r->product + (size_t)(t->row + m) * r->config.n + t->col;
        const float *sum = r->results[tile] + (size_t)m * r->config.mxu.cols;
        for (uint32_t c = 0; c < t->cols; c++)
            y[c] = t->k == 0 ? sum[c] : f32_canonical(y[c] + sum[c]);
    }
    free(r->weights[tile]);
    free(r->activations[tile]);
    free(r->results[tile]);
    r->weights[tile] = r->activations[tile] = NULL;
    r->results[tile] = NULL;
}

/* ---- time */

static void begin_what_may(struct array_run *r)
{
    if (r->streams < r->count) {
        struct tpu_mxu_tile tile = tile_of(r, &r->tiles[r->streams]);
        if (tpu_mxu_can_stream(r->mxu, r->next, &tile))
            start_stream(r);
    }
    if (r->loads < r->count && tpu_mxu_can_load(r->mxu, r->next))
        start_load(r);
}

static void account(struct array_run *r)
{
    struct tpu_mxu_stats before = tpu_mxu_stats(r->mxu, r->next);
    begin_what_may(r);
    struct tpu_mxu_stats after = tpu_mxu_stats(r->mxu, r->next + 1);
    for (uint32_t s = 0; s < TPU_MXU_STATES_COUNT; s++)
        if (after.cycles[s] > before.cycles[s])
            r->state = (enum tpu_mxu_state)s;
    tpu_mxu_look(r->mxu, r->pes);
    r->next++;
}

bool array_run_step(struct array_run *r)
{
    if (r->added == r->count)
        return false;
    account(r);
    while (r->added < r->streams && r->tiles[r->added].last_result_at <= r->next)
        add(r, r->added++);
    return true;
}

cycle_t array_run_cycle(const struct array_run *r) { return r->next - 1; }

enum tpu_mxu_state array_run_state(const struct array_run *r) { return r->state; }

const struct tpu_mxu_pe *array_run_pes(const struct array_run *r) { return r->pes; }

const struct array_tile *array_run_tiles(const struct array_run *r, uint32_t *count)
{
    *count = r->count;
    return r->tiles;
}

const float *array_run_product(const struct array_run *r)
{
    assert(r->added == r->count);
    return r->product;
}

struct tpu_mxu_stats array_run_stats(struct array_run *r)
{
    return tpu_mxu_stats(r->mxu, r->next);
}
