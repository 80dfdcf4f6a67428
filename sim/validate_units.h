/* validate_units.h - microbenchmarks of a TPU v4: what each row of tpu_microbench.csv is
 * here.  Each takes a row (its `what` is "quantity: condition") and gives the figure. */
#ifndef SIM_VALIDATE_UNITS_H
#define SIM_VALIDATE_UNITS_H

#include "sim/validate.h"

/* A measured interval includes two readings of the counter and a fence. */
#define UNITS_READING 13

typedef double unit_run(const struct validate_row *row, struct diag *d);

/* validate_dma.c: transfers between HBM and vector memory, and kernels made of them. */
unit_run units_dma_fixed, units_dma_slope, units_dma_rate, units_tile, units_minimal,
         units_stream, units_copy, units_cube, units_peer_fixed, units_peer_slope;

/* validate_compute.c: the matrix, vector and transpose units. */
unit_run units_pushes, units_push_interval, units_mxu_latency, units_cold_weights,
         units_small_product, units_sums, units_six_passes, units_turn, units_turn_kernel,
         units_reduce, units_vector, units_sigmoid;

/* arg[] of the transfers. */
enum { UNITS_STORE, UNITS_TOGETHER, UNITS_CORES, UNITS_FRESH };
enum { UNITS_READ, UNITS_WRITE, UNITS_READ_WRITE, UNITS_BOTH, UNITS_TWO_READS };
/* arg[] of units_vector: registers loaded and stored, instructions, of the transcendental
 * unit; what is added for reading the counter; whether the start of a kernel counts. */
enum { UNITS_LOADS, UNITS_STORES, UNITS_ALU, UNITS_EUP, UNITS_ADDED, UNITS_WHOLE };

#endif
