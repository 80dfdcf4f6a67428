/* values_toggles.c - bits that change in operand registers, and on the way to memory.
 *
 * Weight-stationary: pushed weights replace those of the tile before in every PE; each row
 * that enters replaces the one before it, in the registers of every column in turn.  Where
 * outputs stay, both operands pass through.  Padding is left out: it is zero, and moves
 * nothing but at the edge of what is used.  Tiles are dealt to a core's units in turn.
 *
 * A transfer is taken as beats in the order of its addresses; the bus is zero before it. */
#include <stdlib.h>
#include <string.h>

#include "models/numerics/half.h"
#include "models/tpu/values_inside.h"

/* What a unit's tile before has left: [rows][cols] weights, a number for each row and each
 * column of those that entered. */
struct values_registers {
    uint32_t  rows, cols, units;
    uint16_t *weights, *entered_rows, *entered_cols;
};

static struct values_registers *registers_new(const struct tpu_values *v)
{
    struct values_registers *r = zeroed(1, sizeof *r);
    uint64_t units = (uint64_t)v->plan->cores * v->config->core.mxus;
    r->rows = v->config->mxu.rows;
    r->cols = v->config->mxu.cols;
    r->units = v->config->core.mxus;
    r->weights = zeroed(units * r->rows * r->cols, sizeof *r->weights);
    r->entered_rows = zeroed(units * r->rows, sizeof *r->entered_rows);
    r->entered_cols = zeroed(units * r->cols, sizeof *r->entered_cols);
    return r;
}

void values_toggles_free(struct tpu_values *v)
{
    if (v->registers) {
        free(v->registers->weights);
        free(v->registers->entered_rows);
        free(v->registers->entered_cols);
    }
    free(v->registers);
    free(v->image);
}

/* The register takes x: the bits that change. */
static unsigned take(uint16_t *reg, float x)
{
    uint16_t now = (uint16_t)(f32_bits(x) >> 16);
    unsigned changed = (unsigned)__builtin_popcount(*reg ^ now);
    *reg = now;
    return changed;
}

/* Weights that come into the array, or, where outputs stay, one row after another in the
 * registers of a row of PEs. */
static uint64_t take_weights(const struct tpu_values *v, const struct tpu_product *p,
                             const struct values_tile *t, uint16_t *regs, uint64_t step)
{
    uint64_t changed = 0;
    for (uint32_t k = 0; k < t->deep; k++)
        for (uint32_t c = 0; c < t->cols; c++)
            changed += take(&regs[k * step + c], values_weight(v, p, t, k, c));
    return changed;
}

/* Streamed numbers, each row's k at the register of that k; where outputs stay, of that row. */
static uint64_t take_streamed(const struct tpu_values *v, const struct tpu_product *p,
                              const struct values_tile *t, uint16_t *regs, bool by_row)
{
    uint64_t changed = 0;
    for (uint32_t r = 0; r < t->rows; r++)
        for (uint32_t k = 0; k < t->deep; k++)
            changed += take(&regs[by_row ? r : k], values_streamed(v, p, t, r, k));
    return changed;
}

static void count_tile(struct tpu_values *v, const struct tpu_product *p,
                       const struct values_tile *t, struct toggles_count *count)
{
    struct values_registers *r = v->registers;
    uint64_t unit = (uint64_t)v->core * r->units + t->number % r->units;
    bool outputs_stay = v->config->mxu.dataflow == TPU_MXU_OUTPUT_STATIONARY;
    uint16_t *weights = r->weights + unit * r->rows * r->cols;
    uint64_t entered = (uint64_t)t->rows * t->deep, pushed = (uint64_t)t->deep * t->cols;
    if (outputs_stay) {
        count->bits += 16 * (entered * t->cols + pushed * t->rows);
        count->changed += t->rows * take_weights(v, p, t, r->entered_cols + unit * r->cols, 0);
    } else {
        count->bits += 16 * (entered * t->cols + pushed);
        count->changed += take_weights(v, p, t, weights, r->cols);
    }
    count->changed += t->cols * take_streamed(v, p, t, r->entered_rows + unit * r->rows,
                                              outputs_stay);
}

void values_toggles_matrix(struct tpu_values *v, const struct tpu_product *p,
                           struct toggles *toggles)
{
    struct values_tile t = { 0 };
    if (!v->registers)
        v->registers = registers_new(v);
    while (values_next_tile(v->config, p, &t))
        count_tile(v, p, &t, &toggles->of[TOGGLES_MATRIX]);
}

/* ---- memory ---- */

struct source { const float *at; const int32_t *classes; uint64_t rows, cols; };

static void put(uint8_t *to, const struct source *s, uint64_t i, enum trace_type type)
{
    uint32_t bits = s->classes ? (uint32_t)s->classes[i] : f32_bits(f32_canonical(s->at[i]));
    if (type == TRACE_BF16)
        bits >>= 16;
    else if (type == TRACE_F16)
        bits = half_from_f32(s->at[i], F16_NAN);
    memcpy(to, &bits, trace_type_bytes(type));
}

static uint8_t *image_of(struct tpu_values *v, uint64_t bytes)
{
    if (bytes > v->image_bytes) {
        free(v->image);
        v->image = zeroed(bytes, 1);
        v->image_bytes = bytes;
    }
    return v->image;
}

/* Where the tensor's rows of this core are, as the operation moves them. */
static struct source source_of(const struct tpu_values *v, const struct tpu_uop *u)
{
    const struct tpu_work *w = &u->work;
    const struct tpu_tensor *t = &v->plan->tensors[w->tensor];
    const struct values_tensor *x = &v->tensors[w->tensor];
    struct source s = { .rows = t->rows, .cols = t->cols };
    if (t->share) {
        uint64_t left = t->rows - values_first_row(v, w->tensor);
        s.rows = left < t->share ? left : t->share;
    }
    if (x->classes)
        s.classes = x->classes + values_first_row(v, w->tensor) * t->cols;
    else if (t->summed == v->group && u->unit == TPU_LOAD)
        s.at = x->summands + w->matrix * x->elements;
    else
        s.at = values_place(v, w->tensor);
    return s;
}

/* Where a part begins in its tensor as it lies there, and how many elements of it follow
 * each other, so often. */
struct pieces { uint64_t first, count, step, times; };

static struct pieces pieces_of(const struct tpu_values *v, const struct tpu_uop *u,
                               const struct source *s, unsigned size)
{
    const struct tpu_work *w = &u->work;
    const struct tpu_transfer *f = &u->transfer;
    uint64_t lanes = v->config->vpu.lanes;
    struct pieces p = { .count = f->row_bytes / size, .times = f->rows, .step = f->stride / size };
    if (v->plan->tensors[w->tensor].summed == v->group)
        p.first = w->row / size;
    else if (s->rows == 1 || s->cols == 1)
        p.first = (s->rows == 1 ? w->col : w->row) / lanes * lanes;
    else
        p.first = w->row / TPU_TILE_ROWS * TPU_TILE_ROWS * ((s->cols + lanes - 1) / lanes * lanes)
                + w->col / lanes * lanes * TPU_TILE_ROWS;
    return p;
}

/* `count` places from `place` on; padding is zero. */
static void fill(const struct tpu_values *v, const struct source *s, enum trace_type type,
                 uint64_t place, uint64_t count, uint8_t *to)
{
    unsigned size = trace_type_bytes(type);
    for (uint64_t i = 0; i < count; ) {
        struct values_line line = values_line(v, s->rows, s->cols, place + i);
        uint64_t places = line.places < count - i ? line.places : count - i;
        for (uint64_t k = 0; k < line.elements && k < places; k++)
            put(to + (i + k) * size, s, line.first + k, type);
        i += places;
    }
}

void values_toggles_move(struct tpu_values *v, const struct tpu_uop *u, struct toggles *toggles)
{
    enum trace_type type = v->trace->tensors[u->work.tensor].type;
    unsigned size = trace_type_bytes(type);
    struct source s = source_of(v, u);
    struct pieces p = pieces_of(v, u, &s, size);
    uint64_t bytes = p.count * size;
    uint8_t *image = image_of(v, p.times * bytes);
    memset(image, 0, p.times * bytes);
    for (uint64_t i = 0; i < p.times; i++)
        fill(v, &s, type, p.first + i * p.step, p.count, image + i * bytes);
    struct toggles_count c = toggles_bus(image, p.times * bytes, hbm_beat_bytes(v->hbm));
    toggles->of[TOGGLES_HBM].bits += c.bits;
    toggles->of[TOGGLES_HBM].changed += c.changed;
}
