/* mxu_look.h - what the registers of an array hold, for who shows them.
 *
 *     struct tpu_mxu_pe pes[rows * cols];
 *     tpu_mxu_step(m, now + 1);           cycle `now` is over
 *     tpu_mxu_look(m, pes);               as they are at its end
 *
 * A PE that a row (output-stationary: a k) passes in a cycle has its activation and its sum,
 * the product of this PE included; others hold what may be, and nobody looks.  Where `hop` PEs
 * share a register (mxu_grid.h) only the last of them down the column has a sum.
 *
 * Reading changes nothing.  Not modelled: the delay lines that skew what enters.
 */
#ifndef MODELS_TPU_MXU_LOOK_H
#define MODELS_TPU_MXU_LOOK_H

#include "models/tpu/mxu.h"

struct tpu_mxu_pe {
    uint16_t weight;                /* bf16: in use; output-stationary: passing downwards */
    uint16_t next;                  /* pushed for the next tile; with one set, `weight` */
    uint16_t activation;            /* bf16 */
    bool     passing;               /* a row is here: activation and number mean something, */
    bool     has_sum;               /* and sum.  Output-stationary: always */
    bool     leaving;               /* output-stationary: `out` is a result that shifts out */
    uint32_t stream, number;        /* whose row passes, from 0 as they began; which of it */
    uint32_t out_row;               /* of the tile: where `out` was computed */
    float    sum, out;
};

/* Of the exact forms, after a step: fills [rows][cols]. */
void tpu_mxu_look(const struct tpu_mxu *m, struct tpu_mxu_pe *pes);

#endif
