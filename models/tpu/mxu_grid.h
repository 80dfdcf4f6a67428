/* mxu_grid.h - the registers between PEs, and how far a wave has come; for the exact forms.
 *
 * Whatever enters the array is skewed, so that it reaches PE (r, c) r + c cycles after it
 * entered; an entry is a wave that moves along the diagonals.  A unit whose latency is
 * shorter than rows + cols - 1 cannot have a register between any two PEs: `hop` PEs in
 * each direction then share one, and a wave takes r / hop + c / hop cycles (whole numbers).
 * `hop` is the least that meets the latency; what time remains is spent in the result queue.
 *
 * A window is a row of registers that all move one way each cycle.  Moving the values
 * would cost more than the arithmetic, so the window moves over them instead: it starts
 * `hop` places earlier each cycle, and the new value is written in front.
 */
#ifndef MODELS_TPU_MXU_GRID_H
#define MODELS_TPU_MXU_GRID_H

#include "models/tpu/mxu_form.h"

struct tpu_mxu_grid {
    uint32_t rows, cols, hop;
    uint32_t row_stages, col_stages;
    uint32_t crossing;              /* cycles from entry to the results, all of them */
};

/* For a row that enters `slack` cycles before the latency is over. */
struct tpu_mxu_grid tpu_mxu_grid(uint32_t rows, uint32_t cols, cycle_t slack);

/* `lines` parallel windows of `width` bf16; they move together. */
struct tpu_mxu_window {
    uint16_t *values;
    uint32_t lines, width, pitch, start;
};

void   tpu_mxu_window_init(struct tpu_mxu_window *w, uint32_t lines, uint32_t width);
void   tpu_mxu_window_move(struct tpu_mxu_window *w, uint32_t by);  /* the front is stale */

static inline uint16_t *tpu_mxu_window_line(const struct tpu_mxu_window *w, uint32_t line)
{
    return w->values + (size_t)line * w->pitch + w->start;
}

/* Waves of one kind that are inside: when each entered, oldest first. */
struct tpu_mxu_waves {
    cycle_t *entered;
    uint32_t size, first, count;
};

void tpu_mxu_waves_init(struct tpu_mxu_waves *w, uint32_t size);
void tpu_mxu_waves_enter(struct tpu_mxu_waves *w, cycle_t now);
void tpu_mxu_waves_leave(struct tpu_mxu_waves *w, cycle_t before);  /* those entered before it */

static inline cycle_t tpu_mxu_wave(const struct tpu_mxu_waves *w, uint32_t i)
{
    return w->entered[(w->first + i) % w->size];
}

/* The columns that a wave has reached in just this cycle, [*from, *to), in the rows of
 * `stage`; false if none. */
static inline bool tpu_mxu_grid_front(const struct tpu_mxu_grid *g, uint32_t stage,
                                      cycle_t entered, cycle_t now, uint32_t *from, uint32_t *to)
{
    if (now < entered + stage || now - entered - stage >= g->col_stages)
        return false;
    *from = (uint32_t)(now - entered - stage) * g->hop;
    *to = *from + g->hop < g->cols ? *from + g->hop : g->cols;
    return true;
}

/* The end of a stage of `count` rows or columns. */
static inline uint32_t tpu_mxu_grid_end(const struct tpu_mxu_grid *g, uint32_t stage, uint32_t count)
{
    uint32_t end = (stage + 1) * g->hop;
    return end < count ? end : count;
}

/* out[c] = in[c] + a[c] * w[c], bf16 times bf16.  `in` may be `out`. */
void tpu_mxu_grid_multiply(float *out, const float *in, const uint16_t *a, const uint16_t *w,
                           uint32_t cols);

#endif
