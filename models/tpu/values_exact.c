/* values_exact.c - products tile after tile through the array in which every register of every
 * PE has its cycle. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/bf16.h"
#include "models/tpu/values_inside.h"

struct values_exact {
    struct tpu_mxu *mxu;
    cycle_t   now;
    uint32_t  rows, cols, depth;            /* of the array; the longest stream */
    bool      outputs_stay;
    uint16_t *weights, *activations;        /* padding in them is zero */
    float    *results;
};

/* The longest stream of a tile: rows of a block, or all of k. */
static uint32_t longest(const struct tpu_values *v, bool outputs_stay)
{
    uint32_t most = 1;
    for (uint32_t c = 0; c < v->plan->cores; c++)
        for (uint32_t i = 0; i < v->plan->programs[c]->count; i++) {
            const struct tpu_uop *u = &v->plan->programs[c]->uops[i];
            const struct tpu_product *p = &u->product;
            if (u->unit != TPU_MATRIX)
                continue;
            uint32_t depth = outputs_stay ? p->k : p->m < p->weight_rows ? p->m : p->weight_rows;
            most = depth > most ? depth : most;
        }
    return most;
}

struct values_exact *values_exact_new(const struct tpu_values *v)
{
    const struct tpu_mxu_config *c = &v->config->mxu;
    struct values_exact *x = zeroed(1, sizeof *x);
    x->mxu = tpu_mxu_new(c, TPU_MXU_EXACT);
    x->rows = c->rows;
    x->cols = c->cols;
    x->outputs_stay = c->dataflow == TPU_MXU_OUTPUT_STATIONARY;
    x->depth = longest(v, x->outputs_stay);
    uint64_t streamed = (uint64_t)x->depth * x->cols, array = (uint64_t)x->rows * x->cols;
    x->weights = zeroed(streamed > array ? streamed : array, sizeof *x->weights);
    x->activations = zeroed((uint64_t)x->depth * x->rows, sizeof *x->activations);
    x->results = zeroed(streamed > array ? streamed : array, sizeof *x->results);
    return x;
}

void values_exact_free(struct values_exact *x)
{
    if (!x)
        return;
    tpu_mxu_free(x->mxu);
    free(x->weights);
    free(x->activations);
    free(x->results);
    free(x);
}

static uint16_t bits_of(float x)
{
    return (uint16_t)(f32_bits(x) >> 16);
}

/* The array's operands: a row of k weights each, and a row of k for each streamed row (where
 * outputs stay: a row of streamed ones for each k). */
static void fill(struct tpu_values *v, const struct tpu_product *p, const struct values_tile *t)
{
    struct values_exact *x = v->exact;
    uint32_t depth = x->outputs_stay ? t->deep : t->rows;
    uint32_t deep = x->outputs_stay ? t->deep : x->rows;
    memset(x->weights, 0, (size_t)deep * x->cols * sizeof *x->weights);
    memset(x->activations, 0, (size_t)depth * x->rows * sizeof *x->activations);
    for (uint32_t k = 0; k < t->deep; k++) {
        for (uint32_t c = 0; c < t->cols; c++)
            x->weights[k * x->cols + c] = bits_of(values_weight(v, p, t, k, c));
        for (uint32_t r = 0; r < t->rows; r++)
            x->activations[x->outputs_stay ? k * x->rows + r : r * x->rows + k] =
                bits_of(values_streamed(v, p, t, r, k));
    }
}

/* Weights, then rows, then time until the last result is out. */
static void run(struct values_exact *x, const struct values_tile *t)
{
    struct tpu_mxu_tile tile = { .activations = x->activations, .results = x->results,
                                 .used_cols = t->cols };
    tile.depth = x->outputs_stay ? t->deep : t->rows;
    tile.used_rows = x->outputs_stay ? t->rows : t->deep;
    if (x->outputs_stay) {
        tile.weights = x->weights;
    } else {
        x->now = tpu_mxu_load_at(x->mxu, x->now);
        tpu_mxu_load(x->mxu, x->now, x->weights);
    }
    x->now = tpu_mxu_stream_at(x->mxu, x->now, &tile);
    assert(x->now != CYCLE_NEVER);
    tpu_mxu_stream(x->mxu, x->now, &tile);
    x->now = tpu_mxu_last_result_at(x->mxu) + 1;
    tpu_mxu_stats(x->mxu, x->now);
}

static void add(struct tpu_values *v, const struct tpu_product *p, const struct values_tile *t)
{
    bool first = t->k == 0 && !p->accumulate && t->number % p->passes == 0;
    for (uint32_t r = 0; r < t->rows; r++) {
        float *result = v->product.result + (uint64_t)(t->row + r) * p->n + t->col;
        const float *sums = v->exact->results + (uint64_t)r * v->exact->cols;
        for (uint32_t c = 0; c < t->cols; c++)
            result[c] = first ? sums[c] : f32_canonical(result[c] + sums[c]);
    }
}

void values_exact_multiply(struct tpu_values *v, const struct tpu_product *p)
{
    struct values_tile t = { 0 };
    while (values_next_tile(v->config, p, &t)) {
        fill(v, p, &t);
        run(v->exact, &t);
        add(v, p, &t);
    }
}
