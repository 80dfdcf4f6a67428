/* values_product.c - what the matrix units make of an operation.
 *
 * Operands are laid out as they are multiplied, rounded to bf16 on the way.  Each tile's sums
 * go along the rows of an array from +0; tile after tile of k, and pass after pass within it,
 * they are added to what is there, in f32.  Columns and rows of a result have nothing to do
 * with each other, so these are taken in the order that suits the host. */

/* gcc's -O2 leaves these loops scalar; the order of sums is the one that is written. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#endif

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/numerics/half.h"
#include "models/tpu/mxu_form.h"
#include "models/tpu/values_inside.h"

#define ROWS  4                 /* that are multiplied together: their sums fit the registers */
#define BLOCK 16                /* side of what is turned round at a time */

/* Eight f32 in a register: element by element, as the language has it for one. */
typedef float floats __attribute__((vector_size(32), aligned(4), may_alias));

/* ---- passes and tiles ---- */

/* The smallest products first; what is left out is beyond the last place of an f32. */
static const struct values_pass one_pass[]   = { { 0, 0 } };
static const struct values_pass six_passes[] = {
    { 1, 1 }, { 0, 2 }, { 2, 0 }, { 0, 1 }, { 1, 0 }, { 0, 0 },
};

const struct values_pass *values_passes(const struct tpu_product *p)
{
    assert(p->passes == 1 || p->passes == 6);
    return p->passes == 1 ? one_pass : six_passes;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Of k, in a tile: as many as the array has rows; all where outputs are stationary. */
static uint32_t tile_depth(const struct tpu_config *c, const struct tpu_product *p)
{
    return c->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY ? p->k : c->mxu.rows;
}

bool values_next_tile(const struct tpu_config *c, const struct tpu_product *p,
                      struct values_tile *t)
{
    uint32_t deep = tile_depth(c, p);
    uint32_t high = c->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY ? c->mxu.rows : p->weight_rows;
    uint64_t k_tiles = ceil_div(p->k, deep) * p->passes, n_tiles = ceil_div(p->n, c->mxu.cols);
    uint64_t number = t->rows > 0 ? t->number + 1 : 0;
    uint64_t block = number / (n_tiles * k_tiles), n = number / k_tiles % n_tiles;
    uint64_t k = number % k_tiles / p->passes;
    if (block >= ceil_div(p->m, high))
        return false;
    *t = (struct values_tile){ .number = number, .row = (uint32_t)block * high,
                               .col = (uint32_t)n * c->mxu.cols, .k = (uint32_t)k * deep };
    t->rows = least(p->m - t->row, high);
    t->cols = least(p->n - t->col, c->mxu.cols);
    t->deep = least(p->k - t->k, deep);
    t->pass = values_passes(p)[number % p->passes];
    return true;
}

/* ---- operands ---- */

/* `rows` x `cols` at `from`, whose rows are `step` apart, as columns. */
static void turn(float *to, uint64_t to_step, const float *from, uint64_t step, uint64_t rows,
                 uint64_t cols)
{
    for (uint64_t r = 0; r < rows; r += BLOCK)
        for (uint64_t c = 0; c < cols; c += BLOCK)
            for (uint64_t j = c; j < cols && j < c + BLOCK; j++)
                for (uint64_t i = r; i < rows && i < r + BLOCK; i++)
                    to[j * to_step + i] = from[i * step + j];
}

static void copy(float *to, uint64_t to_step, const float *from, uint64_t step, uint64_t rows,
                 uint64_t cols)
{
    for (uint64_t r = 0; r < rows; r++)
        memcpy(to + r * to_step, from + r * step, cols * sizeof *to);
}

/* The first bf16 of `from`, and what is left; an infinity leaves nothing. */
TPU_MXU_WIDE static void split(float *part, float *from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        float x = from[i], first = half_bf16_to_f32(half_bf16_from_f32(x, BF16_NAN));
        part[i] = first;
        from[i] = first - first == 0 ? x - first : 0;
    }
}

static void split_all(float *const *parts, float *from, uint64_t n, uint32_t passes)
{
    for (int p = 0; p < (passes > 1 ? VALUES_PARTS : 1); p++)
        split(parts[p], from, n);
}

/* Where an operand's storage begins, and in which way it lies there. */
struct side { const float *at; uint64_t step; bool swapped; };

static struct side side_of(const struct tpu_values *v, const struct tpu_work *w, bool streamed)
{
    const struct trace_op *op = v->groups[v->group].ops[0].op;
    bool first = streamed != w->turned;
    uint32_t tensor = op->in[first ? 0 : 1];
    const struct tpu_tensor *t = &v->plan->tensors[tensor];
    uint64_t matrix = w->matrix * (t->rows / op_matmul(v->trace, op).batch);
    return (struct side){ values_place(v, tensor) + matrix * t->cols, t->cols,
                          (first ? op->transpose_a : op->transpose_b) != w->turned };
}

static void stage_streamed(struct tpu_values *v, const struct tpu_uop *u)
{
    const struct tpu_work *w = &u->work;
    const struct tpu_product *p = &u->product;
    struct side s = side_of(v, w, true);
    if (s.swapped)
        turn(v->product.scratch, p->k, s.at + w->depth * s.step + w->row, s.step, p->k, p->m);
    else
        copy(v->product.scratch, p->k, s.at + w->row * s.step + w->depth, s.step, p->m, p->k);
    split_all(v->product.streamed, v->product.scratch, (uint64_t)p->m * p->k, p->passes);
}

/* A strip at a time, filled up with zeros. */
static void stage_weights(struct tpu_values *v, const struct tpu_uop *u)
{
    const struct tpu_work *w = &u->work;
    const struct tpu_product *p = &u->product;
    struct side s = side_of(v, w, false);
    uint64_t strips = ceil_div(p->n, VALUES_STRIP), size = (uint64_t)p->k * VALUES_STRIP;
    for (uint64_t i = 0; i < strips; i++) {
        float *to = v->product.scratch + i * size;
        uint64_t from = i * VALUES_STRIP, col = w->col + from;
        uint64_t cols = p->n - from < VALUES_STRIP ? p->n - from : VALUES_STRIP;
        if (cols < VALUES_STRIP)
            memset(to, 0, size * sizeof *to);
        if (s.swapped)
            turn(to, VALUES_STRIP, s.at + col * s.step + w->depth, s.step, cols, p->k);
        else
            copy(to, VALUES_STRIP, s.at + w->depth * s.step + col, s.step, p->k, cols);
    }
    split_all(v->product.weights, v->product.scratch, strips * size, p->passes);
}

/* ---- products ---- */

/* Sums of `rows` (1 or ROWS) streamed rows, `step` apart, with a strip of weights. */
#define SUMS(name, rows)                                                                \
    TPU_MXU_WIDE static void name(float *sums, const float *a, uint64_t step,           \
                                  const float *w, uint32_t deep)                        \
    {                                                                                   \
        floats sum[rows][2] = { { { 0 } } };                                            \
        for (uint32_t k = 0; k < deep; k++, w += VALUES_STRIP) {                        \
            floats w0 = *(const floats *)w, w1 = *(const floats *)(w + 8);              \
            for (int r = 0; r < rows; r++) {                                            \
                float x = a[r * step + k];                                              \
                sum[r][0] += x * w0;                                                    \
                sum[r][1] += x * w1;                                                    \
            }                                                                           \
        }                                                                               \
        memcpy(sums, sum, sizeof sum);                                                  \
    }
SUMS(sums_of_rows, ROWS)
SUMS(sums_of_row, 1)

/* A tile's sums are the result, or are added to it. */
static void add_sums(float *result, const float *sums, uint64_t cols, bool first)
{
    for (uint64_t c = 0; c < cols; c++) {
        float sum = f32_canonical(sums[c]);
        result[c] = first ? sum : f32_canonical(result[c] + sum);
    }
}

/* All rows with `deep` rows of a strip of weights; its `cols` columns begin at `col`. */
static void multiply_strip(struct tpu_values *v, const struct tpu_product *p, const float *a,
                           const float *w, uint32_t deep, uint64_t col, bool first)
{
    float sums[ROWS * VALUES_STRIP];
    uint64_t cols = p->n - col < VALUES_STRIP ? p->n - col : VALUES_STRIP;
    for (uint32_t m = 0; m < p->m; m += ROWS) {
        const float *rows = a + (uint64_t)m * p->k;
        uint32_t count = least(p->m - m, ROWS);
        if (count == ROWS)
            sums_of_rows(sums, rows, p->k, w, deep);
        else
            for (uint32_t r = 0; r < count; r++)
                sums_of_row(sums + r * VALUES_STRIP, rows + (uint64_t)r * p->k, p->k, w, deep);
        for (uint32_t r = 0; r < count; r++)
            add_sums(v->product.result + (uint64_t)(m + r) * p->n + col, sums + r * VALUES_STRIP,
                     cols, first);
    }
}

static void multiply(struct tpu_values *v, const struct tpu_product *p)
{
    const struct values_pass *passes = values_passes(p);
    uint32_t tile = tile_depth(v->config, p);
    for (uint64_t col = 0; col < p->n; col += VALUES_STRIP)
        for (uint32_t k = 0; k < p->k; k += tile)
            for (uint32_t i = 0; i < p->passes; i++) {
                const float *w = v->product.weights[passes[i].weights];
                multiply_strip(v, p, v->product.streamed[passes[i].streamed] + k,
                               w + col * p->k + (uint64_t)k * VALUES_STRIP,
                               least(p->k - k, tile), col, k == 0 && i == 0 && !p->accumulate);
            }
}

void values_multiply(struct tpu_values *v, const struct tpu_uop *u, struct toggles *toggles)
{
    const struct tpu_product *p = &u->product;
    assert(u->work.rows == p->m && u->work.cols == p->n);
    assert(p->accumulate == !u->work.first);
    stage_streamed(v, u);
    stage_weights(v, u);
    if (v->exact)
        values_exact_multiply(v, p);
    else
        multiply(v, p);
    if (toggles)
        values_toggles_matrix(v, p, toggles);
    if (!u->work.last)
        return;
    v->product.panel = v->product.result;
    if (u->work.turned) {
        turn(v->product.turned, p->m, v->product.result, p->n, p->m, p->n);
        v->product.panel = v->product.turned;
    }
    if (!v->groups[v->group].epilogue)
        values_keep_panel(v, u);
}

/* ---- room for the largest ---- */

struct room { uint64_t streamed, weights, result; int parts; };

static void grow(uint64_t *room, uint64_t size)
{
    *room = size > *room ? size : *room;
}

static struct room room_of(const struct tpu_plan *plan)
{
    struct room r = { 0, 0, 0, 1 };
    for (uint32_t c = 0; c < plan->cores; c++)
        for (uint32_t i = 0; i < plan->programs[c]->count; i++) {
            const struct tpu_uop *u = &plan->programs[c]->uops[i];
            const struct tpu_product *p = &u->product;
            if (u->unit != TPU_MATRIX)
                continue;
            grow(&r.streamed, (uint64_t)p->m * p->k);
            grow(&r.weights, ceil_div(p->n, VALUES_STRIP) * VALUES_STRIP * p->k);
            grow(&r.result, (uint64_t)p->m * p->n);
            r.parts = p->passes > 1 ? VALUES_PARTS : r.parts;
        }
    return r;
}

void values_product_new(struct tpu_values *v)
{
    struct values_product *x = &v->product;
    struct room r = room_of(v->plan);
    for (int i = 0; i < r.parts; i++) {
        x->streamed[i] = zeroed(r.streamed, sizeof(float));
        x->weights[i] = zeroed(r.weights, sizeof(float));
    }
    x->scratch = zeroed(r.streamed > r.weights ? r.streamed : r.weights, sizeof(float));
    x->result = zeroed(r.result, sizeof(float));
    x->turned = zeroed(r.result, sizeof(float));
}

void values_product_free(struct tpu_values *v)
{
    struct values_product *x = &v->product;
    for (int i = 0; i < VALUES_PARTS; i++) {
        free(x->streamed[i]);
        free(x->weights[i]);
    }
    free(x->scratch);
    free(x->result);
    free(x->turned);
}
