/* tile.c - how a product goes through vector memory: few large tiles, as XLA prefers.
 *
 * If the smaller operand fits resident_bytes it is loaded whole and stays, and the other
 * streams past it in panels:
 *
 *     streamed operand stays            weights stay
 *     [====]  x  [ | | | ]  = [ | | | ] [----]  x  [====]  =  [----]
 *     [====]     [ | | | ]    [ | | | ] [----]     [====]     [----]
 *
 * Else blocks of block_rows square are summed up over chunks of k.  Panels, and results,
 * are double-buffered; a panel of more than panel_bytes is narrowed, then cut along k. */
#include <assert.h>

#include "models/tpu/lower_parts.h"

#define F32_BYTES 4

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Vector memory of two panels of each that streams, of what stays, and of results. */
static uint64_t bytes_of(const struct lower_shape *s, const struct lower_tiling *t)
{
    uint64_t streamed = (uint64_t)t->m * t->k * s->streamed_bytes;
    uint64_t weights = (uint64_t)t->k * t->n * s->weight_bytes;
    uint64_t results = (uint64_t)t->m * t->n * s->result_bytes * s->panels;
    uint64_t sums = t->k < s->k ? (uint64_t)t->m * t->n * F32_BYTES : 0;
    if (t->stays == TPU_STREAMED_STAYS)
        streamed = (uint64_t)t->m * s->k * s->streamed_bytes;
    else
        streamed *= 2;
    if (t->stays != TPU_WEIGHTS_STAY)
        weights *= 2;
    return streamed + weights + 2 * results + sums;
}

static bool panel_fits(const struct lower *l, const struct lower_shape *s,
                       const struct lower_tiling *t)
{
    uint64_t streamed = t->stays == TPU_STREAMED_STAYS ? 0
                      : (uint64_t)t->m * t->k * s->streamed_bytes;
    uint64_t weights = t->stays == TPU_WEIGHTS_STAY ? 0 : (uint64_t)t->k * t->n * s->weight_bytes;
    uint64_t results = (uint64_t)t->m * t->n * s->result_bytes;
    return most(most(streamed, weights), results) <= l->config->lower.panel_bytes
        && bytes_of(s, t) <= l->config->lower.tile_bytes;
}

/* Half of `*size`, in whole multiples; false if it is one already. */
static bool halve(uint32_t *size, uint32_t multiple)
{
    if (*size <= multiple)
        return false;
    *size = (uint32_t)lower_round(*size / 2, multiple);
    return true;
}

static uint32_t even_parts(uint64_t whole, uint64_t most_each, uint64_t multiple)
{
    uint64_t parts = (whole + most_each - 1) / most_each;
    return (uint32_t)least(lower_round((whole + parts - 1) / parts, multiple), UINT32_MAX / 2);
}

/* The whole of k where a panel of it fits; else chunks, of which only the first is waited
 * for. */
static uint32_t depth(const struct lower *l, const struct lower_shape *s, uint32_t n)
{
    uint64_t whole = s->k * n * s->weight_bytes;
    uint32_t deep = l->config->mxu.rows;
    if (whole <= l->config->lower.panel_bytes)
        return (uint32_t)s->k;
    uint64_t most_k = l->config->lower.panel_bytes / ((uint64_t)n * s->weight_bytes);
    most_k = least(most_k, l->config->lower.chunk_rows) / deep * deep;
    return even_parts(s->k, most(most_k, deep), deep);
}

/* Wide panels, cut along k if they are too large; narrower ones if nothing else helps. */
static bool stream_weights(const struct lower *l, const struct lower_shape *s,
                           struct lower_tiling *t)
{
    uint32_t lanes = l->config->vpu.lanes;
    t->stays = TPU_STREAMED_STAYS;
    t->m = (uint32_t)s->m;
    t->n = even_parts(s->n, l->config->lower.panel_cols, lanes);
    do
        t->k = depth(l, s, t->n);
    while (!panel_fits(l, s, t) && halve(&t->n, lanes));
    return panel_fits(l, s, t);
}

static bool stream_rows(const struct lower *l, const struct lower_shape *s,
                        struct lower_tiling *t)
{
    t->stays = TPU_WEIGHTS_STAY;
    t->k = (uint32_t)s->k;
    t->n = (uint32_t)s->n;
    t->m = even_parts(s->m, l->config->lower.panel_cols, TPU_TILE_ROWS);
    while (!panel_fits(l, s, t) && halve(&t->m, TPU_TILE_ROWS))
        continue;
    return panel_fits(l, s, t);
}

/* Bytes go as 1 / rows + 1 / columns of a block, whatever its depth: that is given up first,
 * down to two passes of the array. */
static bool stream_both(const struct lower *l, const struct lower_shape *s,
                        struct lower_tiling *t)
{
    uint32_t lanes = l->config->vpu.lanes, deep = l->config->mxu.rows;
    t->stays = TPU_NOTHING_STAYS;
    t->m = even_parts(s->m, l->config->lower.block_rows, TPU_TILE_ROWS);
    t->n = even_parts(s->n, l->config->lower.block_rows, lanes);
    t->k = (uint32_t)lower_round(least(s->k, l->config->lower.block_rows), deep);
    while (!panel_fits(l, s, t)) {
        if (t->k > 2 * deep && halve(&t->k, deep))
            continue;
        if (t->m > t->n && halve(&t->m, TPU_TILE_ROWS))
            continue;
        if (!halve(&t->n, lanes) && !halve(&t->m, TPU_TILE_ROWS) && !halve(&t->k, deep))
            return false;
    }
    return true;
}

/* A tensor lies in vector memory as in HBM, in whole registers. */
static struct lower_shape padded(const struct lower *l, const struct lower_shape *s)
{
    struct lower_shape p = *s;
    p.m = lower_round(s->m, TPU_TILE_ROWS);
    p.k = lower_pad_cols(l, s->k);
    p.n = lower_pad_cols(l, s->n);
    return p;
}

bool lower_tile(const struct lower *l, const struct lower_shape *shape, struct lower_tiling *t)
{
    const struct lower_shape whole = padded(l, shape), *s = &whole;
    uint64_t streamed = s->m * s->k * s->streamed_bytes, weights = s->k * s->n * s->weight_bytes;
    uint64_t stays = l->config->lower.resident_bytes;
    bool ok = false;
    if (streamed <= stays && streamed <= weights)
        ok = stream_weights(l, s, t);
    else if (weights <= stays)
        ok = stream_rows(l, s, t);
    if (!ok)
        ok = stream_both(l, s, t);
    t->bytes = bytes_of(s, t);
    return ok;
}
